package calibrate

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

// Established is the observed time from which a node is no newcomer.
const Established = 72 * time.Hour

// newcomerAges are the rows of the newcomers' table, each up to an observed time.
func newcomerAges() []time.Duration {
	return []time.Duration{6 * time.Hour, 24 * time.Hour, Established}
}

// Fit returns parameters fitted to what became of the cases: a and b of each memory by maximum likelihood over the
// established, the newcomers' table by counting, each day one vote. All numbers are rounded to what Params can hold.
func (t *Trace) Fit(evals []Evaluation, q Question, halfLives []time.Duration, version string) (reputation.Params, error) {
	f := t.Features(evals, halfLives)
	p := reputation.Params{
		Version: version, Gap: Gap * time.Second, Established: Established, Reference: 24 * time.Hour,
		Memories: make([]reputation.Memory, len(halfLives)),
	}
	errs := make([]error, len(halfLives))
	var wait sync.WaitGroup
	for k, h := range halfLives {
		wait.Go(func() {
			law := prior{A: 0.1, B: h.Hours() / 4}
			errs[k] = law.fit(exposures(evals, f, k), q.Horizon.Hours())
			p.Memories[k] = law.memory(h)
		})
	}
	wait.Wait()
	for k, err := range errs {
		if err != nil {
			return p, fmt.Errorf("memory of %v: %w", halfLives[k], err)
		}
	}
	p.Newcomer = newcomers(evals, f, q.Horizon)
	return p, p.Validate()
}

// exposure is one case of a fit: what a memory holds, and what came.
type exposure struct {
	e, u   float64
	failed bool
}

func exposures(evals []Evaluation, f Features, k int) (out []exposure) {
	established(evals, f, func(_ int, v Case, x *Feature) {
		out = append(out, exposure{e: x.Outages[k], u: x.Up[k], failed: v.Failed})
	})
	return out
}

// prior is the law Gamma(A, B) of a rate in outages an hour.
type prior struct{ A, B float64 }

// bounded keeps the law within what Params allow.
func (l prior) bounded() prior {
	return prior{A: min(max(l.A, 4e-3), 1e3), B: min(max(l.B, 1./3600), 10*365*24)}
}

// memory rounds the law to millionths of an outage and whole seconds.
func (l prior) memory(halfLife time.Duration) reputation.Memory {
	l = l.bounded()
	a, b := math.Round(float64(l.A*1e6)), math.Round(float64(l.B*3600))
	return reputation.Memory{HalfLife: halfLife, PriorMicroOutages: uint64(a), PriorUp: time.Duration(b) * time.Second}
}

// slope is the log-likelihood with its gradient and expected information in (ln A, ln B).
type slope struct{ like, ga, gb, aa, ab, bb float64 }

// at computes it: with x = (E+A) ln(1 + T/(U+B)), P(failure) is 1 - e^-x.
func (l prior) at(cases []exposure, horizon float64) (s slope) {
	for _, c := range cases {
		b := c.u + l.B
		log := ln(1 + horizon/b)
		x := max(float64((c.e+l.A)*log), 1e-12)
		stay := exp(-x)
		fail := 1 - stay
		g := -1.0 // of the log-likelihood in x
		if c.failed {
			g = stay / fail
			s.like += ln(fail)
		} else {
			s.like -= x
		}
		xa := float64(l.A * log)
		xb := float64(float64((c.e+l.A)*l.B) * (1/(b+horizon) - 1/b))
		w := stay / fail
		s.ga += float64(g * xa)
		s.gb += float64(g * xb)
		s.aa += float64(w * float64(xa*xa))
		s.ab += float64(w * float64(xa*xb))
		s.bb += float64(w * float64(xb*xb))
	}
	return s
}

// fit climbs to the maximum by Fisher scoring, with steps halved until they climb. Of many cases it first takes some, to begin
// near the end.
func (l *prior) fit(cases []exposure, horizon float64) error {
	const many, some = 50_000, 16
	if len(cases) > many {
		var few []exposure
		for i := 0; i < len(cases); i += some {
			few = append(few, cases[i])
		}
		if err := l.fit(few, horizon); err != nil {
			return err
		}
	}
	failed := 0
	for _, c := range cases {
		if c.failed {
			failed++
		}
	}
	if failed == 0 || failed == len(cases) {
		return fmt.Errorf("%w: %d of %d fit cases failed: nothing to fit to", ErrInvalid, failed, len(cases))
	}
	here := l.at(cases, horizon)
	for range 100 {
		det := float64(here.aa*here.bb) - float64(here.ab*here.ab)
		if !(det > 0) {
			return nil // flat: nothing tells A from B
		}
		da := (float64(here.bb*here.ga) - float64(here.ab*here.gb)) / det
		db := (float64(here.aa*here.gb) - float64(here.ab*here.ga)) / det
		if far := max(math.Abs(da), math.Abs(db)); far > 1 { // as far as the expansion reaches, in the same direction
			da, db = da/far, db/far
		}
		moved := false
		for range 30 {
			next := prior{A: l.A * exp(da), B: l.B * exp(db)}.bounded()
			if there := next.at(cases, horizon); there.like > here.like {
				*l, here, moved = next, there, true
				break
			}
			da, db = da/2, db/2
		}
		if !moved || max(math.Abs(da), math.Abs(db)) < 1e-9 {
			return nil
		}
	}
	return nil
}

// newcomers counts the table: per day the share that failed of each age, without and with an outage before; then the mean of
// the days that had such cases. A burst of identities on one day has the vote of that day. The share at the horizon is turned
// into that at 24 hours by the law that the table stands for. An age of which there was no case is taken for the one before.
func newcomers(evals []Evaluation, f Features, horizon time.Duration) []reputation.AgePrior {
	ages := newcomerAges()
	votes, days := make([][2]float64, len(ages)), make([][2]float64, len(ages))
	for i, ev := range evals {
		cases, failed := make([][2]float64, len(ages)), make([][2]float64, len(ages))
		for c, v := range ev.Cases {
			row, marked := 0, 0
			for row < len(ages) && v.Observed >= int64(ages[row]/time.Second) {
				row++
			}
			if row == len(ages) {
				continue
			}
			if f.At[i][c].Marks > 0 {
				marked = 1
			}
			cases[row][marked]++
			if v.Failed {
				failed[row][marked]++
			}
		}
		for row := range ages {
			for m := range 2 {
				if cases[row][m] > 0 {
					votes[row][m] += failed[row][m] / cases[row][m]
					days[row][m]++
				}
			}
		}
	}
	out := make([]reputation.AgePrior, len(ages))
	last := [2]float64{0.5, 0.5}
	for row, age := range ages {
		for m := range 2 {
			if days[row][m] > 0 {
				last[m] = dayRate(votes[row][m]/days[row][m], horizon)
			}
		}
		clean := min(max(uint32(math.Round(last[0]*1e6)), 1), 999_999)
		marked := min(max(uint32(math.Round(last[1]*1e6)), clean), 999_999)
		out[row] = reputation.AgePrior{Until: age, CleanPPM: clean, MarkedPPM: marked}
	}
	return out
}

// dayRate turns P(failure within the horizon) = T/(b+T) into that within 24 hours.
func dayRate(p float64, horizon time.Duration) float64 {
	t := horizon.Hours()
	if p <= 0 || p >= 1 {
		return p
	}
	b := float64(t*(1-p)) / p
	return 24 / (b + 24)
}
