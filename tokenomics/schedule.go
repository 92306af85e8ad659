package tokenomics

import (
	"fmt"
	"iter"
	"math/big"
)

// Schedule evaluates an emission to the last base unit. Its primitive is the cumulative function; for an emission that
// falls without compounding
//
//	C(k) = min(Cap, floor(A * (1 - q^k))),  A = Base*rate/Decline,  q = 1 - Decline,
//
// and the emission of an epoch is C(k) - C(k-1), so that any grouping of epochs telescopes: asking by hour or by year,
// or twice, loses and makes nothing. A schedule never changes and is safe for concurrent use.
type Schedule struct {
	p     EmissionParams
	fast  evaluator
	hard  map[Epoch]Amount // epochs that 128 bits leave undecided, evaluated exactly when the schedule was built
	table []Amount         // C(1), C(2), ... of an emission without the closed form, instead of the two above
	last  Epoch            // C is constant from here on
	total Amount           // C(last)
}

// NewSchedule builds a schedule and decides the floor of every epoch once. For the 175,319 epochs of io.net this takes
// milliseconds, and about a second where there is no closed form. It fails with [ErrEmission], also if the schedule falls
// short of its cap by more than its Snap.
func NewSchedule(p EmissionParams) (*Schedule, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	s := &Schedule{p: p}
	if p.closed() {
		s.decide()
	} else {
		var err error
		if s.table, err = tabulate(p); err != nil {
			return nil, err
		}
		s.last = Epoch(len(s.table))
		s.total = s.table[s.last-1]
	}
	if p.Snap == 0 || s.total == p.Cap {
		return s, nil
	}
	if short := p.Cap - s.total; short > p.Snap {
		return nil, fmt.Errorf("%w: it ends %d base units below its cap, snap raises it by at most %d", ErrEmission, short, p.Snap)
	}
	s.last, s.total = p.Epochs, p.Cap
	return s, nil
}

// decide settles every epoch of a closed form that 128 bits leave open.
func (s *Schedule) decide() {
	p := s.p
	s.fast, s.hard = newEvaluator(p), map[Epoch]Amount{}
	limit := min(p.Cap, lastFloor(p.amplitude()))
	walk := s.fast.walk()
	for k := Epoch(1); k <= p.Epochs; k++ {
		c, safe := walk.next()
		if !safe {
			// The walk is near a whole number. The evaluation by random access may be too: ask it, and if it cannot
			// tell, settle the epoch here.
			var decided bool
			if c, decided = s.fast.at(k); !decided {
				c = exactCumulative(p, k)
				s.hard[k] = c
			}
		}
		s.last, s.total = k, min(c, p.Cap)
		if c >= limit && (p.Snap == 0 || c >= p.Cap) {
			break // C is monotone and never exceeds limit, so it stays, unless the last epoch is to be raised
		}
	}
}

// ID returns the ID of the parameters.
func (s *Schedule) ID() string { return s.p.ID }

// Params returns the parameters.
func (s *Schedule) Params() EmissionParams { return s.p }

// Epochs returns the number of epochs of the schedule.
func (s *Schedule) Epochs() Epoch { return s.p.Epochs }

// Cumulative returns what epochs 1 to k emit together. C(0) is 0, and C stays constant after the last epoch.
func (s *Schedule) Cumulative(k Epoch) Amount {
	switch {
	case k == 0:
		return 0
	case k >= s.last:
		return s.total
	case s.table != nil:
		return s.at(k)
	}
	if c, decided := s.fast.at(k); decided {
		return c // below the cap: k is before the epoch that reaches it
	}
	return s.hard[k]
}

// at reads the table, which ends with the epoch that reached the cap.
func (s *Schedule) at(k Epoch) Amount { return s.table[min(int(k), len(s.table))-1] }

// Emission returns what epoch k emits: 0 for k = 0 and after the last epoch.
func (s *Schedule) Emission(k Epoch) Amount {
	if k == 0 {
		return 0
	}
	return s.Cumulative(k) - s.Cumulative(k-1)
}

// All returns every epoch with its emission, in order. It walks, which costs a tenth of asking epoch by epoch.
func (s *Schedule) All() iter.Seq2[Epoch, Amount] {
	return func(yield func(Epoch, Amount) bool) {
		walk := s.fast.walk()
		var before Amount
		for k := Epoch(1); k <= s.p.Epochs; k++ {
			c := s.total
			if k < s.last {
				if s.table != nil {
					c = s.at(k)
				} else if w, safe := walk.next(); safe {
					c = w
				} else {
					c = s.Cumulative(k)
				}
			}
			if !yield(k, c-before) {
				return
			}
			before = c
		}
	}
}

// lastFloor returns the largest whole number below a, which C approaches and never passes.
func lastFloor(a *big.Rat) Amount {
	f := floorRat(a)
	if a.IsInt() {
		f.Sub(f, big.NewInt(1))
	}
	return Amount(f.Uint64())
}
