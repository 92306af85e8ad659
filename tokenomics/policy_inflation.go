package tokenomics

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/bits"
	"time"

	"github.com/shopspring/decimal"
)

// InflationPolicy mints a yearly rate of the supply that exists, in the manner of Solana: the rate begins at Initial,
// falls by Taper each year and never below Floor,
//
//	rate(y) = max(Initial * (1-Taper)^y, Floor),  y = whole years of 365 days since Start.
//
// Such a network has no cap of its own; the cap of the state holds all the same.
type InflationPolicy struct {
	// Name is the policy's ID.
	Name string `json:"id"`
	// Start is the beginning of year 0. Nothing is minted before.
	Start time.Time `json:"start"`
	// Initial is the rate of year 0 as a fraction, above 0 and at most 1. Solana: 0.08.
	Initial decimal.Decimal `json:"initial"`
	// Taper is the fraction by which the rate falls each year, 0 to 1. Solana: 0.15.
	Taper decimal.Decimal `json:"taper"`
	// Floor is the least rate, 0 to 1. Solana: 0.015.
	Floor decimal.Decimal `json:"floor"`
}

// Inflation is an [InflationPolicy] with its rates worked out. It never changes and is safe for concurrent use.
type Inflation struct {
	p     InflationPolicy
	rates []uint64 // of year y, per second, in units of 2^-88, rounded down; the last one holds for ever
}

const (
	secondsPerYear = 365 * 24 * 3600
	// rateShift scales a rate per second: at most 1/31,536,000, which is below 2^-24, so that 88 bits fill a uint64.
	rateShift = 88
)

// Validate returns [ErrPolicy] and what is wrong, or nil.
func (p InflationPolicy) Validate() error {
	if p.Name == "" {
		return fmt.Errorf("%w: inflation: no id", ErrPolicy)
	}
	if p.Start.IsZero() {
		return fmt.Errorf("%w: inflation: no start", ErrPolicy)
	}
	one := decimal.NewFromInt(1)
	for _, f := range []struct {
		name string
		d    decimal.Decimal
	}{{"initial", p.Initial}, {"taper", p.Taper}, {"floor", p.Floor}} {
		if e := f.d.Exponent(); e > 0 || e < -ratePlaces || f.d.Sign() < 0 || f.d.GreaterThan(one) {
			return fmt.Errorf("%w: inflation: %s is not in 0 to 1 with at most %d places", ErrPolicy, f.name, ratePlaces)
		}
	}
	if p.Initial.Sign() == 0 {
		return fmt.Errorf("%w: inflation: initial is 0", ErrPolicy)
	}
	return nil
}

// MarshalJSON writes the rates as strings, whatever the global settings of the decimal package say.
func (p InflationPolicy) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name    string    `json:"id"`
		Start   time.Time `json:"start"`
		Initial string    `json:"initial"`
		Taper   string    `json:"taper"`
		Floor   string    `json:"floor"`
	}{p.Name, p.Start, p.Initial.String(), p.Taper.String(), p.Floor.String()})
}

// NewInflation works the rates out, each within 2^-88 a second. It fails with [ErrPolicy].
func NewInflation(p InflationPolicy) (*Inflation, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	out := &Inflation{p: p}
	// In units of 2^-512: a thousand roundings are far from showing in 2^-88.
	const width = 512
	scale := func(r *big.Rat) *big.Int {
		x := new(big.Int).Lsh(r.Num(), width)
		return x.Quo(x, r.Denom())
	}
	rate, keep, floor := scale(p.Initial.Rat()), scale(new(big.Rat).Sub(big.NewRat(1, 1), p.Taper.Rat())), scale(p.Floor.Rat())
	for {
		falls := rate.Cmp(floor) > 0
		if !falls {
			rate = floor
		}
		v := new(big.Int).Rsh(rate, width-rateShift)
		out.rates = append(out.rates, v.Quo(v, big.NewInt(secondsPerYear)).Uint64())
		if !falls || p.Taper.Sign() == 0 || v.Sign() == 0 || len(out.rates) == maxInflationYears {
			return out, nil
		}
		rate = new(big.Int).Mul(rate, keep)
		rate.Rsh(rate, width)
	}
}

// maxInflationYears bounds the table of a rate that falls slowly: after a thousand years it stays.
const maxInflationYears = 1000

// ID returns the policy's name.
func (f *Inflation) ID() string { return f.p.Name }

// Step mints
//
//	supply * rate(y) * seconds / 31,536,000
//
// for the seconds of the epoch, at the rate of the year in which it begins, as far as the cap has room. The fraction of a
// base unit is carried in units of 2^-64, so that many short epochs mint what few long ones do, but for compounding. Owed
// dollars are left alone, as [Fixed] does. It fails with [ErrInputs].
func (f *Inflation) Step(s PolicyState, in Inputs) (PolicyState, Result, error) {
	r := Result{Policy: f.p.Name, Retained: in.Revenue}
	if err := s.receive(in); err != nil {
		return PolicyState{}, Result{}, err
	}
	if err := s.owe(in.Owed); err != nil {
		return PolicyState{}, Result{}, err
	}
	if in.Start.Before(f.p.Start) {
		return s, r, nil
	}
	year := (in.Start.Unix() - f.p.Start.Unix()) / secondsPerYear
	rate := f.rates[min(year, int64(len(f.rates)-1))]
	seconds := uint64(in.End.Unix() - in.Start.Unix())
	// rate is below 2^64 a second at 100 %, so that a year's product would need 25 bits more: at most a year in one step.
	if seconds > secondsPerYear {
		return PolicyState{}, Result{}, fmt.Errorf("%w: an epoch of %d seconds, at most a year", ErrInputs, seconds)
	}
	part := ratePart(rate, seconds)
	hi, lo := bits.Mul64(uint64(s.Total()), part)
	lo, carry := bits.Add64(lo, s.CarryUnits, 0)
	s.CarryUnits = lo
	s.mint(&r, Amount(hi+carry))
	return s, r, nil
}

// ratePart returns the part of the supply that an epoch mints, in units of 2^-64: a rate per second in units of 2^-88 times
// seconds, rounded down. A year at 100 % is the whole, which is one unit more than fits.
func ratePart(rate, seconds uint64) uint64 {
	hi, lo := bits.Mul64(rate, seconds)
	const drop = rateShift - 64
	if hi>>drop != 0 {
		return 1<<64 - 1
	}
	return hi<<(64-drop) | lo>>drop
}
