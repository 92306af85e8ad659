package tokenomics

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/big"

	"github.com/shopspring/decimal"
)

const (
	// ratePlaces bounds the decimal places of a rate; the published ones have 24.
	ratePlaces = 64
	// maxEpochs bounds a schedule: 1,140 years of hours.
	maxEpochs = 10_000_000
)

// ErrEmission is returned for emission parameters that describe no schedule.
var ErrEmission = errors.New("tokenomics: invalid emission")

// EmissionParams describes a schedule in which each epoch emits a fixed fraction less than the one before:
//
//	E(k) = Base * Rate * (1-Decline)^(k-1),  1 <= k <= Epochs.
type EmissionParams struct {
	// Base is the amount to which Rate applies in every epoch: the supply at genesis, without compounding.
	Base Amount `json:"base"`
	// Rate is the emission of epoch 1 as a fraction of Base, above 0 and at most 1, with at most 64 places.
	Rate decimal.Decimal `json:"rate"`
	// Decline is the fraction by which the emission falls each epoch, above 0 and below 1, with at most 64 places.
	Decline decimal.Decimal `json:"decline"`
	// Epochs is the number of epochs that emit, at most 10,000,000.
	Epochs Epoch `json:"epochs"`
	// Cap is the most that all epochs together emit.
	Cap Amount `json:"cap"`
}

// Validate returns [ErrEmission] and what is wrong, or nil.
func (p EmissionParams) Validate() error {
	if err := checkFraction("rate", p.Rate); err != nil {
		return err
	}
	if err := checkFraction("decline", p.Decline); err != nil {
		return err
	}
	one := decimal.NewFromInt(1)
	switch {
	case p.Decline.Equal(one):
		return fmt.Errorf("%w: decline 1 leaves nothing after epoch 1, want less", ErrEmission)
	case p.Base == 0:
		return fmt.Errorf("%w: base is zero", ErrEmission)
	case p.Cap == 0:
		return fmt.Errorf("%w: cap is zero", ErrEmission)
	case p.Epochs == 0 || p.Epochs > maxEpochs:
		return fmt.Errorf("%w: %d epochs, want 1 to %d", ErrEmission, p.Epochs, maxEpochs)
	}
	if n := floorRat(p.amplitude()).BitLen(); n == 0 || n > 63 {
		return fmt.Errorf("%w: base * rate / decline is not in 1 to 2^63 base units", ErrEmission)
	}
	return nil
}

// MarshalJSON writes the rates as strings, whatever the global settings of the decimal package say.
func (p EmissionParams) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Base    Amount `json:"base"`
		Rate    string `json:"rate"`
		Decline string `json:"decline"`
		Epochs  Epoch  `json:"epochs"`
		Cap     Amount `json:"cap"`
	}{p.Base, p.Rate.String(), p.Decline.String(), p.Epochs, p.Cap})
}

// amplitude returns A = Base*Rate/Decline, what a schedule without end would emit, in base units.
func (p EmissionParams) amplitude() *big.Rat {
	a := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(p.Base)))
	a.Mul(a, p.Rate.Rat())
	return a.Quo(a, p.Decline.Rat())
}

// retained returns q = 1 - Decline.
func (p EmissionParams) retained() *big.Rat {
	return new(big.Rat).Sub(big.NewRat(1, 1), p.Decline.Rat())
}

// checkFraction refuses what is outside (0, 1]. It looks at the exponent first: comparing 1e1000000000 would expand it.
func checkFraction(name string, d decimal.Decimal) error {
	if e := d.Exponent(); e > 0 || e < -ratePlaces {
		return fmt.Errorf("%w: %s has the exponent %d, want 0 to %d decimal places", ErrEmission, name, e, ratePlaces)
	}
	if d.Sign() <= 0 || d.GreaterThan(decimal.NewFromInt(1)) {
		return fmt.Errorf("%w: %s %s is not in (0, 1]", ErrEmission, name, quote(d.String()))
	}
	return nil
}

// Schedule evaluates an emission schedule to the last base unit. Its primitive is the cumulative function
//
//	C(k) = min(Cap, floor(A * (1 - q^k))),  A = Base*Rate/Decline,  q = 1 - Decline,
//
// and the emission of an epoch is C(k) - C(k-1), so that any grouping of epochs telescopes: asking by hour or by year,
// or twice, loses and makes nothing. A schedule never changes and is safe for concurrent use.
type Schedule struct {
	p     EmissionParams
	fast  evaluator
	hard  map[Epoch]Amount // epochs that 128 bits leave undecided, evaluated exactly when the schedule was built
	last  Epoch            // C is constant from here on
	total Amount           // C(last)
}

// NewSchedule builds a schedule and decides the floor of every epoch once. For the 175,319 epochs of io.net this takes
// milliseconds. It fails with [ErrEmission].
func NewSchedule(p EmissionParams) (*Schedule, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	s := &Schedule{p: p, fast: newEvaluator(p), hard: map[Epoch]Amount{}}
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
		if c >= limit {
			break // C is monotone and never exceeds limit, so it stays
		}
	}
	return s, nil
}

// Cumulative returns what epochs 1 to k emit together. C(0) is 0, and C stays constant after the last epoch.
func (s *Schedule) Cumulative(k Epoch) Amount {
	switch {
	case k == 0:
		return 0
	case k >= s.last:
		return s.total
	}
	if c, decided := s.fast.at(k); decided {
		return c // below the cap: k is before the epoch that reaches it
	}
	return s.hard[k]
}

// Emission returns what epoch k emits: 0 for k = 0 and after the last epoch.
func (s *Schedule) Emission(k Epoch) Amount {
	if k == 0 {
		return 0
	}
	return s.Cumulative(k) - s.Cumulative(k-1)
}

// Epochs returns the number of epochs of the schedule.
func (s *Schedule) Epochs() Epoch { return s.p.Epochs }

// All returns every epoch with its emission, in order. It walks, which costs a tenth of asking epoch by epoch.
func (s *Schedule) All() iter.Seq2[Epoch, Amount] {
	return func(yield func(Epoch, Amount) bool) {
		walk := s.fast.walk()
		var before Amount
		for k := Epoch(1); k <= s.p.Epochs; k++ {
			c := s.total
			if k < s.last {
				var safe bool
				if c, safe = walk.next(); !safe {
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

// floorRat returns the whole part of a positive fraction.
func floorRat(a *big.Rat) *big.Int { return new(big.Int).Quo(a.Num(), a.Denom()) }
