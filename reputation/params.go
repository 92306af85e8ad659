package reputation

import (
	"errors"
	"fmt"
	"time"
)

// ErrInvalid is what every error about a parameter, an event's content or a snapshot wraps.
var ErrInvalid = errors.New("reputation: invalid")

// Params are the numbers of a Book. Durations are whole seconds.
type Params struct {
	// Version names this set of numbers. Whoever changes a number changes the version.
	Version string `json:"version"`
	// Memories are the half-lives that are combined, 1 to 3, ascending.
	Memories []Memory `json:"memories"`
	// Hazard says how they are combined. The zero value: by the geometric mean of their probabilities.
	Hazard Hazard `json:"hazard"`
	// Weather says how outages in common are told from each subject's own. The zero value: not at all.
	Weather Weather `json:"weather"`
	// Gap is the longest time between two observations that counts as observed, in nanoseconds.
	Gap time.Duration `json:"gap_ns"`
	// Established is the observed time from which a subject is no newcomer, in nanoseconds; 0: there are no newcomers.
	Established time.Duration `json:"established_ns"`
	// Newcomer is what to expect of newcomers by observed time, ascending, up to Established at least; empty if that is 0.
	Newcomer []AgePrior `json:"newcomer"`
	// Reference is the horizon at which Score.Standing compares, in nanoseconds.
	Reference time.Duration `json:"reference_ns"`
	// Job says what jobs count. The zero value of this and of the three signals below: it does not count, and its events
	// are refused.
	Job JobParams `json:"job"`
	// Challenge is the law of the share of challenges that are not answered rightly and in time.
	Challenge Signal `json:"challenge"`
	// Link is the law of the share of samples of a line that do not meet what it is sold as.
	Link Signal `json:"link"`
	// Conduct says what proven faults cost.
	Conduct ConductParams `json:"conduct"`
	// Window is the time of Job.PairMilli, and how long identifiers of jobs and challenges are remembered, in nanoseconds; 0
	// if neither counts. An identifier that comes again later is taken for a new one.
	Window time.Duration `json:"window_ns"`
}

// Memory is one half-life with the prior law of the rate of outages at it: Gamma(PriorMicroOutages/10^6, PriorUp).
type Memory struct {
	HalfLife          time.Duration `json:"half_life_ns"`        // 1 hour to 10 years
	PriorMicroOutages uint64        `json:"prior_micro_outages"` // a of the model, in millionths of an outage, 4000 to 10^9
	PriorUp           time.Duration `json:"prior_up_ns"`         // b of the model, 1 second to 10 years
	WeightPPM         uint32        `json:"weight_ppm"`          // w of a weighted hazard, at most 10^6; 0 without one
}

// Hazard combines memories by their weights and by how long the current run has lasted:
//
//	P(outage within T) = 1 - exp(-H),  H = exp(Bias) * product of H_k^w_k / (run + shift)^r
//
// where H_k = (E+a) ln(1 + T/(U+b)) is the k-th memory's hazard, and the run the time since the last change or gap of a
// subject that is up, in hours. As no weight is negative, an outage more, a later one or a longer job never looks better.
type Hazard struct {
	// BiasMicroNats is the bias, in millionths, -10^8 to 10^8.
	BiasMicroNats int64 `json:"bias_micro_nats"`
	// RunPPM is r, in millionths, at most 10^6.
	RunPPM uint32 `json:"run_ppm"`
	// RunShift is the shift, in nanoseconds: whole seconds, 1 hour to 1 year. 0 is the zero value's.
	RunShift time.Duration `json:"run_shift_ns"`
}

func (h Hazard) used() bool { return h != Hazard{} }

func (h Hazard) validate(memories []Memory) error {
	weight := uint32(0)
	for i, m := range memories {
		if m.WeightPPM > 1e6 {
			return fmt.Errorf("%w: memory %d: weight_ppm %d is above 10^6", ErrInvalid, i, m.WeightPPM)
		}
		weight += m.WeightPPM
	}
	if !h.used() {
		if weight > 0 {
			return fmt.Errorf("%w: memories have weights, and there is no hazard", ErrInvalid)
		}
		return nil
	}
	switch {
	case weight == 0:
		return fmt.Errorf("%w: hazard: no memory has a weight", ErrInvalid)
	case h.BiasMicroNats < -100_000_000 || h.BiasMicroNats > 100_000_000:
		return fmt.Errorf("%w: hazard: bias_micro_nats %d is not in -10^8..10^8", ErrInvalid, h.BiasMicroNats)
	case h.RunPPM > 1e6:
		return fmt.Errorf("%w: hazard: run_ppm %d is above 10^6", ErrInvalid, h.RunPPM)
	}
	return within("hazard: run_shift_ns", h.RunShift, time.Hour, year)
}

// AgePrior is the share of newcomers that have an outage within 24 hours.
type AgePrior struct {
	Until     time.Duration `json:"until_ns"`   // holds below this observed time
	CleanPPM  uint32        `json:"clean_ppm"`  // without an outage yet, 1 to MarkedPPM
	MarkedPPM uint32        `json:"marked_ppm"` // with an outage already, below 10^6
}

const year = 365 * 24 * time.Hour

// Default returns numbers fitted to the record of Tor's relays: a and b by maximum likelihood of the outcome after 24 hours
// over days 14 to 74, the newcomers' table by counting over the same days, each day one vote. They describe volunteers'
// servers, not GPUs: no network of GPUs publishes such a record. A network that has one should fit its own.
func Default() Params {
	return Params{
		Version: "tor-days-14-74/1",
		Memories: []Memory{
			{HalfLife: 24 * time.Hour, PriorMicroOutages: 40_500, PriorUp: 44_748 * time.Second},    // .0405, 12.43 h
			{HalfLife: 168 * time.Hour, PriorMicroOutages: 135_600, PriorUp: 206_748 * time.Second}, // .1356, 57.43 h
			{HalfLife: 720 * time.Hour, PriorMicroOutages: 267_700, PriorUp: 376_632 * time.Second}, // .2677, 104.62 h
		},
		Gap:         6 * time.Hour,
		Established: 72 * time.Hour,
		Newcomer: []AgePrior{
			{Until: 6 * time.Hour, CleanPPM: 420_000, MarkedPPM: 940_000},
			{Until: 24 * time.Hour, CleanPPM: 600_000, MarkedPPM: 750_000},
			{Until: 72 * time.Hour, CleanPPM: 98_000, MarkedPPM: 460_000},
		},
		Reference: 24 * time.Hour,
	}
}

// Weighted returns the numbers of another model, fitted to the same record and days as those of Default: two memories whose
// hazards are weighted, the length of the run, and weather. On the days after them it ranks and calibrates better than
// Default, and better still on harder ones (docs/design/reputation.md). Whoever uses it applies [StockTaken] once a day.
func Weighted() Params {
	const day = 24 * time.Hour
	p := Default()
	p.Version = "tor-days-14-74/weighted/1"
	p.Memories = []Memory{
		{HalfLife: 6 * time.Hour, PriorMicroOutages: 15_372, PriorUp: time.Second, WeightPPM: 177_767},
		{HalfLife: 720 * time.Hour, PriorMicroOutages: 267_687, PriorUp: 376_627 * time.Second, WeightPPM: 721_432}, // 104.62 h
	}
	p.Hazard = Hazard{BiasMicroNats: 1_196_502, RunPPM: 275_448, RunShift: day}
	p.Weather = Weather{HalfLife: 4 * day, Period: 23 * time.Hour, MaxPPM: 100_000}
	return p
}

// IONet returns Default with the other four of the five inputs that io.net names for its score: performance, network
// stability, slashing events, stake compliance. io.net publishes no weights; these numbers are our own choice until a network
// has a record of its own to fit them to.
func IONet() Params {
	const day = 24 * time.Hour
	p := Default()
	p.Version = "ionet/1"
	p.Job = JobParams{
		// One job in fifty fails, as strong as twenty jobs.
		Signal:       Signal{HalfLife: 90 * day, PriorMilliFailed: 400, PriorMilliGood: 19_600},
		FullMicroUSD: 100_000_000, PairMilli: 5_000,
	}
	p.Challenge = Signal{HalfLife: 30 * day, PriorMilliFailed: 500, PriorMilliGood: 24_500}
	p.Link = Signal{HalfLife: 7 * day, PriorMilliFailed: 1_000, PriorMilliGood: 19_000}
	p.Conduct = ConductParams{
		HalfLife: 180 * day, GoodGPUSeconds: 500 * 3_600,
		Kinds: []FaultKind{
			{FaultDispute, 50_000},
			{FaultMissedProof, 20_000},
			{FaultSLA, 20_000},
			{FaultSpoofing, 3_000_000},
			{FaultStake, 10_000},
			{FaultUtilisation, 200_000},
			{FaultWrongAnswer, 100_000},
		},
	}
	p.Window = 30 * day
	return p
}

// Validate reports the first parameter that is out of range.
func (p Params) Validate() error {
	if p.Version == "" || len(p.Version) > maxText {
		return fmt.Errorf("%w: version has %d bytes, not 1..%d", ErrInvalid, len(p.Version), maxText)
	}
	if n := len(p.Memories); n == 0 || n > maxMemories {
		return fmt.Errorf("%w: %d memories are not in 1..%d", ErrInvalid, n, maxMemories)
	}
	last := time.Hour - time.Second
	for i, m := range p.Memories {
		if m.PriorMicroOutages < 4000 || m.PriorMicroOutages > 1e9 {
			return fmt.Errorf("%w: memory %d: prior_micro_outages %d is not in 4000..10^9", ErrInvalid, i, m.PriorMicroOutages)
		}
		if err := within("half_life_ns", m.HalfLife, last+time.Second, 10*year); err != nil {
			return fmt.Errorf("memory %d: %w", i, err)
		}
		if err := within("prior_up_ns", m.PriorUp, time.Second, 10*year); err != nil {
			return fmt.Errorf("memory %d: %w", i, err)
		}
		last = m.HalfLife
	}
	if err := p.Hazard.validate(p.Memories); err != nil {
		return err
	}
	if err := within("gap_ns", p.Gap, time.Second, year); err != nil {
		return err
	}
	if err := within("reference_ns", p.Reference, time.Second, year); err != nil {
		return err
	}
	if err := p.validateNewcomer(); err != nil {
		return err
	}
	if err := p.Weather.validate(p.Reference); err != nil {
		return err
	}
	return p.validateSignals()
}

func (p Params) validateSignals() error {
	for _, err := range []error{p.Job.validate(), p.Challenge.validate("challenge"), p.Link.validate("link"), p.Conduct.validate()} {
		if err != nil {
			return err
		}
	}
	if p.Job.Signal.used() || p.Challenge.used() {
		return within("window_ns", p.Window, time.Second, year)
	}
	return within("window_ns", p.Window, 0, 0)
}

func (p Params) validateNewcomer() error {
	if err := within("established_ns", p.Established, 0, year); err != nil {
		return err
	}
	last := time.Duration(0)
	for i, a := range p.Newcomer {
		if err := within("until_ns", a.Until, last+time.Second, year); err != nil {
			return fmt.Errorf("newcomer %d: %w", i, err)
		}
		if a.CleanPPM == 0 || a.CleanPPM > a.MarkedPPM || a.MarkedPPM >= 1e6 {
			return fmt.Errorf("%w: newcomer %d: not 0 < clean_ppm %d <= marked_ppm %d < 10^6", ErrInvalid, i, a.CleanPPM, a.MarkedPPM)
		}
		last = a.Until
	}
	if last < p.Established || (p.Established == 0) != (len(p.Newcomer) == 0) {
		return fmt.Errorf("%w: newcomer reaches to %v, established_ns is %v", ErrInvalid, last, p.Established)
	}
	return nil
}

// within checks a duration of whole seconds.
func within(name string, d, low, high time.Duration) error {
	if d < low || d > high || d%time.Second != 0 {
		return fmt.Errorf("%w: %s %v is not whole seconds in %v..%v", ErrInvalid, name, d, low, high)
	}
	return nil
}
