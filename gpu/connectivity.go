package gpu

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Measurement is what one test of a host's line found. All of it is in whole units: no test is exact to more.
type Measurement struct {
	At           time.Time `json:"at"`
	DownKbps     uint64    `json:"down_kbps"`     // towards the host, in units of 1000 bits a second
	UpKbps       uint64    `json:"up_kbps"`       // away from it
	RTTMicros    uint32    `json:"rtt_micros"`    // round trip to the measuring point
	JitterMicros uint32    `json:"jitter_micros"` // how far round trips differ from one to the next
	LossPPM      uint32    `json:"loss_ppm"`      // packets lost, of a million
	Samples      uint32    `json:"samples"`       // transfers or pings that it rests on; 0: it is worth nothing
}

// ConnectivityTier is one row of a network's table.
type ConnectivityTier struct {
	Name     string `json:"name"`
	DownKbps uint64 `json:"down_kbps"` // at least
	UpKbps   uint64 `json:"up_kbps"`   // at least
}

// ConnectivityParams say how measurements make a tier.
type ConnectivityParams struct {
	// Version names this set of numbers. Whoever changes a number changes the version.
	Version string `json:"version"`
	// Tiers are the rows from the least demanding; row i is tier i+1. Tier 0 is for a line below all of them.
	Tiers []ConnectivityTier `json:"tiers"`
	// Fresh is how long a measurement counts, in nanoseconds. The authors' proposal: no network publishes its own.
	Fresh time.Duration `json:"fresh_ns"`
	// Least is how many fresh measurements a tier needs, so that no single lucky one decides. The authors' proposal.
	Least int `json:"least"`
	// QuantilePPM says which of the sorted rates counts, in millionths: 250000 is the rate that three measurements of four
	// reach, and 500000 the median. The authors' proposal: a renter feels the bad hours.
	QuantilePPM uint32 `json:"quantile_ppm"`
}

// Connectivity is the verdict on a host's line.
type Connectivity struct {
	Tier     uint8       // 0 (none) to the number of rows; what sched.Node.Connectivity takes
	Name     string      // of the tier; empty for 0
	Combined Measurement // what the verdict rests on; zero if there were too few measurements
	Used     int         // fresh measurements
	Unused   int         // stale, from the future, or without a sample
	Lacks    []Shortfall // what keeps the line from the next tier; empty at the highest, or if Why says it
	Why      string      // why there is no verdict at all; empty if there is one
}

// Shortfall is a rate that is too low for the next tier.
type Shortfall struct {
	What     string // "download" or "upload"
	HaveKbps uint64
	NeedKbps uint64
}

// IONetConnectivity returns io.net's four tiers: 100/10, 400/300, 800/600 and 1600/1200 down and up (io.net documentation,
// "Deploy a Ray cluster", connectivity tier). The page prints MB/s, the requirements for workers of the same documentation print Mb/s.
// Megabits are taken: tier 4 in megabytes would be a line of 12.8 Gb/s, tier 1 one of 800 Mb/s.
func IONetConnectivity() ConnectivityParams {
	return ConnectivityParams{
		Version: "io.net/2026-05",
		Tiers: []ConnectivityTier{
			{Name: "low", DownKbps: 100_000, UpKbps: 10_000},
			{Name: "medium", DownKbps: 400_000, UpKbps: 300_000},
			{Name: "high", DownKbps: 800_000, UpKbps: 600_000},
			{Name: "ultra high", DownKbps: 1_600_000, UpKbps: 1_200_000},
		},
		Fresh: 24 * time.Hour, Least: 3, QuantilePPM: 250_000,
	}
}

// Validate reports the first parameter that is out of range: rows that do not ascend in both rates, more than 255 rows, a
// time or a number that is not positive. Errors wrap ErrInvalid.
func (p ConnectivityParams) Validate() error {
	if err := checkText("version", p.Version, true); err != nil {
		return err
	}
	if n := len(p.Tiers); n == 0 || n > 255 {
		return fmt.Errorf("%w: %d tiers are not in 1..255", ErrInvalid, n)
	}
	for i, t := range p.Tiers {
		if err := checkText(fmt.Sprintf("tiers.%d.name", i), t.Name, true); err != nil {
			return err
		}
		if i > 0 && (t.DownKbps < p.Tiers[i-1].DownKbps || t.UpKbps < p.Tiers[i-1].UpKbps) {
			return fmt.Errorf("%w: tiers.%d asks for less than the one before it", ErrInvalid, i)
		}
	}
	switch {
	case p.Fresh <= 0:
		return fmt.Errorf("%w: fresh_ns %v is not positive", ErrInvalid, p.Fresh)
	case p.Least < 1:
		return fmt.Errorf("%w: least %d is not positive", ErrInvalid, p.Least)
	case p.QuantilePPM < 1 || p.QuantilePPM > 1_000_000:
		return fmt.Errorf("%w: quantile_ppm %d is not in 1..1000000", ErrInvalid, p.QuantilePPM)
	}
	return nil
}

// Judge gives the tier of a line at the given time. It uses the measurements that have a sample, are not from the future and
// are at most Fresh old, whatever their order, each with the same weight. p is taken to be valid.
func (p ConnectivityParams) Judge(at time.Time, all []Measurement) Connectivity {
	var fresh []Measurement
	for _, m := range all {
		if age := at.Sub(m.At); m.Samples > 0 && age >= 0 && age <= p.Fresh {
			fresh = append(fresh, m)
		}
	}
	v := Connectivity{Used: len(fresh), Unused: len(all) - len(fresh)}
	if len(fresh) < p.Least {
		v.Why = fmt.Sprintf("%d measurements of the last %v, %d needed", len(fresh), p.Fresh, p.Least)
		return v
	}
	v.Combined = p.Combine(fresh)
	for _, t := range p.Tiers {
		lacks := t.lacks(v.Combined)
		if len(lacks) > 0 {
			v.Lacks = lacks
			break
		}
		v.Tier, v.Name = v.Tier+1, t.Name
	}
	return v
}

// Combine makes one measurement of many. Each rate is the one at the quantile when sorted (nearest rank, ceil(n*q), so the
// lower one between two); round trip, jitter and loss are the medians, of an even number the worse one; samples add up, and
// the time is that of the newest. It is zero for none.
func (p ConnectivityParams) Combine(ms []Measurement) Measurement {
	if len(ms) == 0 {
		return Measurement{}
	}
	n := uint64(len(ms))
	low := int((n*uint64(p.QuantilePPM) + 999_999) / 1_000_000)
	low = min(max(low, 1), len(ms)) - 1
	half := len(ms) / 2
	out := Measurement{
		DownKbps:     ranked(ms, low, func(m Measurement) uint64 { return m.DownKbps }),
		UpKbps:       ranked(ms, low, func(m Measurement) uint64 { return m.UpKbps }),
		RTTMicros:    uint32(ranked(ms, half, func(m Measurement) uint64 { return uint64(m.RTTMicros) })),
		JitterMicros: uint32(ranked(ms, half, func(m Measurement) uint64 { return uint64(m.JitterMicros) })),
		LossPPM:      uint32(ranked(ms, half, func(m Measurement) uint64 { return uint64(m.LossPPM) })),
	}
	var samples uint64
	for _, m := range ms {
		samples += uint64(m.Samples)
		if m.At.After(out.At) || out.At.IsZero() {
			out.At = m.At
		}
	}
	out.Samples = uint32(min(samples, 1<<32-1))
	return out
}

// String says the tier and why it is not the next one.
func (c Connectivity) String() string {
	if c.Why != "" {
		return fmt.Sprintf("tier %d: %s", c.Tier, c.Why)
	}
	s := fmt.Sprintf("tier %d", c.Tier)
	if c.Name != "" {
		s += fmt.Sprintf(" (%s)", c.Name)
	}
	var lacks []string
	for _, l := range c.Lacks {
		lacks = append(lacks, l.String())
	}
	if len(lacks) > 0 {
		s += fmt.Sprintf("; tier %d needs %s", c.Tier+1, strings.Join(lacks, " and "))
	}
	return s
}

// String says what is needed and what is there, in Mb/s rounded down.
func (s Shortfall) String() string {
	return fmt.Sprintf("%d Mb/s %s, has %d", s.NeedKbps/1000, s.What, s.HaveKbps/1000)
}

func (t ConnectivityTier) lacks(m Measurement) []Shortfall {
	var out []Shortfall
	if m.DownKbps < t.DownKbps {
		out = append(out, Shortfall{"download", m.DownKbps, t.DownKbps})
	}
	if m.UpKbps < t.UpKbps {
		out = append(out, Shortfall{"upload", m.UpKbps, t.UpKbps})
	}
	return out
}

// ranked returns the value at an index when the values are sorted upwards.
func ranked(ms []Measurement, index int, value func(Measurement) uint64) uint64 {
	vs := make([]uint64, len(ms))
	for i, m := range ms {
		vs[i] = value(m)
	}
	slices.Sort(vs)
	return vs[index]
}
