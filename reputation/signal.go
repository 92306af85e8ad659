package reputation

import (
	"fmt"
	"math/bits"
	"time"
)

// Signal is the law of a share of failures, of jobs or of answers to challenges: Beta(PriorMilliFailed, PriorMilliGood) in
// thousandths, with counts that are forgotten at a half-life. The zero value is a signal that is not used.
type Signal struct {
	// HalfLife is how long it takes until a count is worth half, in nanoseconds: whole seconds, 1 hour to 10 years.
	HalfLife time.Duration `json:"half_life_ns"`
	// PriorMilliFailed is what a stranger is taken to have failed, in thousandths of a failure, 4 to 10^6.
	PriorMilliFailed uint64 `json:"prior_milli_failed"`
	// PriorMilliGood is what a stranger is taken to have done well, in thousandths, 1,000 to 10^9.
	PriorMilliGood uint64 `json:"prior_milli_good"`
}

func (s Signal) used() bool { return s != Signal{} }

func (s Signal) validate(name string) error {
	if !s.used() {
		return nil
	}
	if err := within(name+": half_life_ns", s.HalfLife, time.Hour, 10*year); err != nil {
		return err
	}
	if s.PriorMilliFailed < 4 || s.PriorMilliFailed > 1e6 {
		return fmt.Errorf("%w: %s: prior_milli_failed %d is not in 4..10^6", ErrInvalid, name, s.PriorMilliFailed)
	}
	if s.PriorMilliGood < 1e3 || s.PriorMilliGood > 1e9 {
		return fmt.Errorf("%w: %s: prior_milli_good %d is not in 10^3..10^9", ErrInvalid, name, s.PriorMilliGood)
	}
	return nil
}

// chance is a probability of failure with the 5 % and the 95 % quantile of what it may be, Q0.64.
type chance struct{ point, least, most uint64 }

// counts is the state of one signal of one subject, 24 bytes.
type counts struct {
	good, failed uint64 // decayed, Q32.32, as of asOf
	asOf         uint32 // Unix seconds
	born         uint32 // of the first observation; 0 before it
}

// law is what a signal needs of its parameters, in fixed point.
type law struct {
	clock        memory // of which only the rate is used
	failed, good uint64 // prior, Q32.32
	prior        chance // of a stranger
}

func newLaw(t *tables, s Signal) law {
	if !s.used() {
		return law{}
	}
	l := law{
		clock:  memory{rate: one / uint64(seconds(s.HalfLife))},
		failed: (s.PriorMilliFailed<<32 + 500) / 1000,
		good:   (s.PriorMilliGood<<32 + 500) / 1000,
	}
	l.prior = l.chance(t, &counts{}, 0)
	return l
}

func (l *law) used() bool { return l.good != 0 }

// add takes an observation of a weight in Q32.32, one unit for a whole one.
func (c *counts) add(t *tables, l *law, at uint32, weight uint64, failed bool) {
	if c.born == 0 {
		c.born, c.asOf = max(at, 1), at
	}
	*c = c.until(t, l, at)
	if failed {
		c.failed = min(c.failed+weight, maxEvents)
	} else {
		c.good = min(c.good+weight, maxEvents)
	}
}

// until returns the counts as they are at a time. It changes nothing.
func (c *counts) until(t *tables, l *law, at uint32) counts {
	n := *c
	if at > n.asOf {
		q := l.clock.kept(t, at-n.asOf)
		n.good, n.failed, n.asOf = high(n.good, q), high(n.failed, q), at
	}
	return n
}

// chance returns the probability that the next one fails: the mean of Beta(failed+a, good+b), and its quantiles. With a for
// the whole first and b for the whole second parameter,
//
//	-ln(1-q) is nearly Gamma(a, 1) / (b + (a-1)/2)
//
// which has the mean and, to the first order, the spread of the logarithm of a Beta; where failures prevail, the same of the
// successes. What is called the 5 % quantile is one of 4 to 6 %, and where both are even and few, of 3 to 7 %. A decayed count
// is worth more than it adds up to, as in the record of outages.
func (l *law) chance(t *tables, c *counts, at uint32) chance {
	if c.born == 0 && l.prior != (chance{}) {
		return l.prior
	}
	n := c.until(t, l, at)
	a, b := n.failed+l.failed, n.good+l.good
	point, _ := bits.Div64(a, 0, a+b)
	weight := uint64(1 << 32)
	if n.born != 0 {
		weight += l.clock.kept(t, n.asOf-n.born) >> 32
	} else {
		weight <<= 1
	}
	a, b = twiceOver(n.failed, weight)+l.failed, twiceOver(n.good, weight)+l.good
	least, most := t.beta(min(a, b), max(a, b))
	if a > b {
		least, most = one-most, one-least
	}
	return chance{point: point, least: min(point, least), most: max(point, most)}
}

// beta returns the 5 % and the 95 % quantile of Beta(a, b), Q0.64, for Q32.32 of which b is the larger and at least one.
func (t *tables) beta(a, b uint64) (low, high uint64) {
	scale := t.log2(b+a/2-unit/2) - 32<<48
	l, h := t.quantiles(a)
	return t.hazard(l-scale, 1), t.hazard(h-scale, 1)
}

// and returns the chance that one of two independent things fails.
func (c chance) and(o chance) chance {
	return chance{either(c.point, o.point), either(c.least, o.least), either(c.most, o.most)}
}

// either is 1 - (1-f)(1-g), rounded up: never safer than it is.
func either(f, g uint64) uint64 {
	if f == 0 {
		return g
	}
	if g == 0 {
		return f
	}
	return one - high(one-f, one-g)
}

// root returns the integer square root of v, rounded down.
func root(v uint64) uint64 {
	if v == 0 {
		return 0
	}
	// From above, Newton's steps fall until they are there.
	x := uint64(1) << ((bits.Len64(v) + 1) / 2)
	for {
		y := (x + v/x) / 2
		if y >= x {
			return x
		}
		x = y
	}
}
