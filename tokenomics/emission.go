package tokenomics

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/shopspring/decimal"
)

const (
	// ratePlaces bounds the decimal places of a rate; the published ones have 24.
	ratePlaces = 64
	// maxEpochs bounds a schedule: 1,140 years of hours.
	maxEpochs = 10_000_000
	// maxTable bounds a schedule that is held as a table: 29 years of hours.
	maxTable = 262_144
)

// ErrEmission is returned for emission parameters that describe no schedule.
var ErrEmission = errors.New("tokenomics: invalid emission")

// EmissionParams describes a schedule in which each epoch emits a fixed fraction less than the one before:
//
//	E(k) = Base * Rate/RateDivisor * (1-Decline)^(k-1),  1 <= k <= Epochs,
//
// or, if it is Compounding, the same fraction of Base and all that was emitted before.
type EmissionParams struct {
	// ID names the schedule in records.
	ID string `json:"id"`
	// Base is the amount to which the rate applies in every epoch: the supply at genesis.
	Base Amount `json:"base"`
	// Rate is the emission of epoch 1 as a fraction of Base, above 0 and at most 1, with at most 64 places.
	Rate decimal.Decimal `json:"rate"`
	// RateDivisor divides Rate where that is given for more than an epoch: 12 for a yearly rate and months. 0 stands for 1.
	RateDivisor uint32 `json:"rate_divisor,omitempty"`
	// Decline is the fraction by which the rate falls each epoch, between -1 and 1 with at most 64 places: 0 is a
	// constant emission and a negative one rises.
	Decline decimal.Decimal `json:"decline"`
	// Compounding applies the rate to the supply that has come to be instead of to Base.
	Compounding bool `json:"compounding,omitempty"`
	// Epochs is the number of epochs that emit, at most 10,000,000, and at most 262,144 if the emission compounds, does not
	// fall, or falls so slowly that it would exceed 2^63 base units without end.
	Epochs Epoch `json:"epochs"`
	// Cap is the most that all epochs together emit.
	Cap Amount `json:"cap"`
	// Snap is how much the last epoch may be raised to end at Cap, where a decline that was cut to some digits ends just
	// below it. A schedule that falls short by more is refused. 0 raises nothing and refuses nothing.
	Snap Amount `json:"snap,omitempty"`
}

// Validate returns [ErrEmission] and what is wrong, or nil.
func (p EmissionParams) Validate() error {
	if err := p.check(); err != nil {
		return err
	}
	switch {
	case !p.Compounding && p.Decline.Sign() > 0 && floorRat(p.amplitude()).Sign() == 0:
		return fmt.Errorf("%w: base * rate / decline is less than one base unit", ErrEmission)
	case !p.closed() && p.Epochs > maxTable:
		return fmt.Errorf("%w: %d epochs, want at most %d for an emission that compounds, does not fall, or would exceed 2^63 base units without end",
			ErrEmission, p.Epochs, maxTable)
	}
	return nil
}

// closed reports whether the cumulative emission has the closed form A*(1-q^k) with an A that fits.
func (p EmissionParams) closed() bool {
	return !p.Compounding && p.Decline.Sign() > 0 && floorRat(p.amplitude()).BitLen() <= 63
}

// check looks at every parameter by itself.
func (p EmissionParams) check() error {
	if err := checkFraction("rate", p.Rate); err != nil {
		return err
	}
	if p.Rate.Sign() <= 0 {
		return fmt.Errorf("%w: rate %s is not in (0, 1]", ErrEmission, quote(p.Rate.String()))
	}
	if err := checkFraction("decline", p.Decline); err != nil {
		return err
	}
	one := decimal.NewFromInt(1)
	switch {
	case p.Decline.Equal(one):
		return fmt.Errorf("%w: decline 1 leaves nothing after epoch 1, want less", ErrEmission)
	case p.Decline.Equal(one.Neg()):
		return fmt.Errorf("%w: decline -1 doubles every epoch, want more", ErrEmission)
	case p.Base == 0:
		return fmt.Errorf("%w: base is zero", ErrEmission)
	case p.Cap == 0:
		return fmt.Errorf("%w: cap is zero", ErrEmission)
	case p.Epochs == 0 || p.Epochs > maxEpochs:
		return fmt.Errorf("%w: %d epochs, want 1 to %d", ErrEmission, p.Epochs, maxEpochs)
	case p.Snap > p.Cap:
		return fmt.Errorf("%w: snap %s exceeds the cap of %s", ErrEmission, p.Snap, p.Cap)
	}
	return nil
}

// MarshalJSON writes the rates as strings, whatever the global settings of the decimal package say.
func (p EmissionParams) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID          string `json:"id"`
		Base        Amount `json:"base"`
		Rate        string `json:"rate"`
		RateDivisor uint32 `json:"rate_divisor,omitempty"`
		Decline     string `json:"decline"`
		Compounding bool   `json:"compounding,omitempty"`
		Epochs      Epoch  `json:"epochs"`
		Cap         Amount `json:"cap"`
		Snap        Amount `json:"snap,omitempty"`
	}{
		p.ID, p.Base, p.Rate.String(), p.RateDivisor, p.Decline.String(), p.Compounding, p.Epochs, p.Cap, p.Snap,
	})
}

// rate returns the rate of the first epoch.
func (p EmissionParams) rate() *big.Rat {
	r := p.Rate.Rat()
	if p.RateDivisor > 1 {
		r.Quo(r, new(big.Rat).SetInt64(int64(p.RateDivisor)))
	}
	return r
}

// retained returns q = 1 - Decline.
func (p EmissionParams) retained() *big.Rat {
	return new(big.Rat).Sub(big.NewRat(1, 1), p.Decline.Rat())
}

// amplitude returns A = Base*rate/Decline, what a falling schedule without end would emit, in base units.
func (p EmissionParams) amplitude() *big.Rat {
	a := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(p.Base)))
	a.Mul(a, p.rate())
	return a.Quo(a, p.Decline.Rat())
}

// checkFraction refuses what is outside [-1, 1]. It looks at the exponent first: comparing 1e1000000000 would expand it.
func checkFraction(name string, d decimal.Decimal) error {
	if e := d.Exponent(); e > 0 || e < -ratePlaces {
		return fmt.Errorf("%w: %s has the exponent %d, want 0 to %d decimal places", ErrEmission, name, e, ratePlaces)
	}
	if d.Abs().GreaterThan(decimal.NewFromInt(1)) {
		return fmt.Errorf("%w: %s %s is larger than 1", ErrEmission, name, quote(d.String()))
	}
	return nil
}

// floorRat returns the whole part of a positive fraction.
func floorRat(a *big.Rat) *big.Int { return new(big.Int).Quo(a.Num(), a.Denom()) }
