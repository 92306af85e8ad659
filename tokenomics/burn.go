package tokenomics

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/shopspring/decimal"
)

// breakEvenPlaces is the number of places to which break-even figures are given.
const breakEvenPlaces = 38

// ErrBurn is returned for an invalid burn policy, and where a policy has no break-even.
var ErrBurn = errors.New("tokenomics: invalid burn policy")

// BurnInputs is what a [BurnProgramme] looks at: one period's books and the prices at its end.
type BurnInputs struct {
	// Revenue is what the network took in.
	Revenue USD
	// Paid is what it paid out to suppliers in the same period.
	Paid USD
	// Spot and Reference are the price now and the price it is compared with. Only [BurnPolicy] looks at them.
	Spot, Reference Price
}

// BurnProgramme says how many dollars of a period's revenue buy tokens that are burned. What burns then is what a purchase
// reports ([BuyBackPolicy.Confirm]). Spend is a pure function; what it returns never exceeds the revenue.
type BurnProgramme interface {
	Validate() error
	Spend(in BurnInputs) (USD, error)
}

// BurnPolicy says how much of the network's revenue is burned. The share falls as the price rises,
//
//	share(spot) = clamp(Min, Share * ref/spot, Max),
//
// so that more tokens go when they are cheap. All three are in basis points of revenue. It is a [BurnProgramme], the one
// that looks at the price.
type BurnPolicy struct {
	// ShareBps is the share at the reference price.
	ShareBps uint32 `json:"share_bps"`
	// MinBps is the least share, however dear the token.
	MinBps uint32 `json:"min_bps"`
	// MaxBps is the largest share, at most 10,000.
	MaxBps uint32 `json:"max_bps"`
}

// Validate returns [ErrBurn] and what is wrong, or nil.
func (p BurnPolicy) Validate() error {
	if p.MinBps > p.ShareBps || p.ShareBps > p.MaxBps || p.MaxBps > wholeBps {
		return fmt.Errorf("%w: min %d, share %d, max %d bps are not in order up to %d",
			ErrBurn, p.MinBps, p.ShareBps, p.MaxBps, wholeBps)
	}
	return nil
}

// Burn returns how many tokens of a revenue are burned at the price spot, given the reference price. The share is an
// exact fraction, the amount is rounded up once, as it is taken, and never exceeds the revenue. It fails with [ErrBurn]
// or [ErrPrice].
func (p BurnPolicy) Burn(revenue Amount, spot, ref Price) (Amount, error) {
	num, den, err := p.share(spot, ref)
	if err != nil {
		return 0, err
	}
	return revenue.MulDiv(num, den, Up)
}

// Spend returns the dollars of the revenue that burn, by the rule and with the errors of Burn, rounded up once.
func (p BurnPolicy) Spend(in BurnInputs) (USD, error) {
	num, den, err := p.share(in.Spot, in.Reference)
	if err != nil {
		return 0, err
	}
	return in.Revenue.MulDiv(num, den, Up)
}

// share returns the exact share of the revenue that burns, at most 1.
func (p BurnPolicy) share(spot, ref Price) (num, den uint64, err error) {
	if err := p.Validate(); err != nil {
		return 0, 0, err
	}
	if err := spot.Validate(); err != nil {
		return 0, 0, fmt.Errorf("spot: %w", err)
	}
	if err := ref.Validate(); err != nil {
		return 0, 0, fmt.Errorf("reference: %w", err)
	}
	// A price is at most 10^15 and a share at most 10^4: these products stay below 2^64.
	num, den = uint64(p.ShareBps)*ref.MicroPerToken, uint64(wholeBps)*spot.MicroPerToken
	switch {
	case num <= uint64(p.MinBps)*spot.MicroPerToken:
		num, den = uint64(p.MinBps), wholeBps
	case num >= uint64(p.MaxBps)*spot.MicroPerToken:
		num, den = uint64(p.MaxBps), wholeBps
	}
	return num, den, nil
}

// BreakEvenRevenue returns the revenue in dollars at which as much burns as is emitted, both in the same period, at the
// price spot:
//
//	revenue = emission * spot / share(spot),
//
// to 38 places, rounded up, so that the revenue it names is enough. Tokens have 8 places. It fails with [ErrBurn] if
// nothing burns at any revenue, and with [ErrPrice].
func (p BurnPolicy) BreakEvenRevenue(emission Amount, spot, ref Price) (decimal.Decimal, error) {
	num, den, err := p.share(spot, ref)
	if err != nil {
		return decimal.Decimal{}, err
	}
	if num == 0 {
		return decimal.Decimal{}, fmt.Errorf("%w: the share at this price is 0, so no revenue burns the emission", ErrBurn)
	}
	top := product(uint64(emission), spot.MicroPerToken, den)
	bottom := product(num, UnitsPerToken, MicrosPerUSD)
	top.Mul(top, tenTo(breakEvenPlaces))
	q, rem := top.QuoRem(top, bottom, new(big.Int))
	if rem.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	return decimal.NewFromBigInt(q, -breakEvenPlaces), nil
}

// BreakEvenPrice returns the price in dollars a token at which as much burns of a revenue as is emitted, both in the same
// period: the one p with
//
//	revenue * share(p) / p = emission,
//
// to 38 places, rounded down, so that at the price it names no less burns. Between the bounds of the share that is
// p = sqrt(revenue * Share * ref / emission). Below p more burns than is emitted, above it less. Tokens have 8 places. It
// fails with [ErrBurn] if the emission, the revenue or the share is 0, and with [ErrPrice].
func (p BurnPolicy) BreakEvenPrice(emission Amount, revenue USD, ref Price) (decimal.Decimal, error) {
	if _, _, err := p.share(ref, ref); err != nil {
		return decimal.Decimal{}, err
	}
	if emission == 0 || revenue == 0 || p.ShareBps == 0 {
		return decimal.Decimal{}, fmt.Errorf("%w: emission %s, revenue %s and a share of %d bps have no break-even",
			ErrBurn, emission, revenue, p.ShareBps)
	}
	// All prices in millionths of a dollar. With a fixed share, p = revenue*share*10^8 / (10^4*emission).
	fixed := func(bps uint32) *big.Rat {
		return new(big.Rat).SetFrac(product(uint64(revenue), uint64(bps), UnitsPerToken), product(wholeBps, uint64(emission)))
	}
	// Up to at the share is the largest one; further down, from at on it is the least.
	at := new(big.Rat).SetFrac(product(uint64(p.ShareBps), ref.MicroPerToken), product(uint64(p.MaxBps)))
	if v := fixed(p.MaxBps); v.Cmp(at) <= 0 {
		return floorMicros(v.Num(), v.Denom()), nil
	}
	square := fixed(p.ShareBps)
	square.Mul(square, new(big.Rat).SetInt(product(ref.MicroPerToken)))
	if p.MinBps > 0 {
		at.SetFrac(product(uint64(p.ShareBps), ref.MicroPerToken), product(uint64(p.MinBps)))
		if square.Cmp(at.Mul(at, at)) > 0 {
			v := fixed(p.MinBps)
			return floorMicros(v.Num(), v.Denom()), nil
		}
	}
	// floor(sqrt(a/b) * 10^32) = isqrt(floor(a*10^64/b)): micros with 32 places are dollars with 38.
	root := new(big.Int).Mul(square.Num(), tenTo(2*(breakEvenPlaces-USDPlaces)))
	root.Sqrt(root.Quo(root, square.Denom()))
	return decimal.NewFromBigInt(root, -breakEvenPlaces), nil
}

// floorMicros returns num/den millionths as dollars, to 38 places, rounded down.
func floorMicros(num, den *big.Int) decimal.Decimal {
	v := new(big.Int).Mul(num, tenTo(breakEvenPlaces-USDPlaces))
	return decimal.NewFromBigInt(v.Quo(v, den), -breakEvenPlaces)
}

func tenTo(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

func product(factors ...uint64) *big.Int {
	p := big.NewInt(1)
	for _, f := range factors {
		p.Mul(p, new(big.Int).SetUint64(f))
	}
	return p
}

// RevenueBurnPolicy burns a fixed share of the revenue, whatever the price. It is a [BurnProgramme].
type RevenueBurnPolicy struct {
	// ShareBps is the share in basis points of revenue, at most 10,000. io.net publishes none.
	ShareBps uint32 `json:"share_bps"`
}

// Validate returns [ErrBurn] and what is wrong, or nil.
func (p RevenueBurnPolicy) Validate() error {
	if p.ShareBps > wholeBps {
		return fmt.Errorf("%w: share of revenue of %d bps, at most %d", ErrBurn, p.ShareBps, wholeBps)
	}
	return nil
}

// Spend returns ceil(revenue * share), rounded up as it is taken. It fails with [ErrBurn].
func (p RevenueBurnPolicy) Spend(in BurnInputs) (USD, error) {
	if err := p.Validate(); err != nil {
		return 0, err
	}
	return in.Revenue.MulDiv(uint64(p.ShareBps), wholeBps, Up)
}

// SurplusBurnPolicy burns a share of what the revenue exceeds the pay of suppliers by, and nothing where it does not. It
// is a [BurnProgramme], that of io.net's incentive engine: at least half of the surplus buys and burns.
type SurplusBurnPolicy struct {
	// ShareBps is the share in basis points of the surplus, 5,000 to 10,000. That it is at least one half was reported of
	// io.net's engine at its start on 2026-06-11; no primary text is known.
	ShareBps uint32 `json:"share_bps"`
}

// Validate returns [ErrBurn] and what is wrong, or nil.
func (p SurplusBurnPolicy) Validate() error {
	if p.ShareBps < wholeBps/2 || p.ShareBps > wholeBps {
		return fmt.Errorf("%w: share of surplus of %d bps, want %d to %d", ErrBurn, p.ShareBps, wholeBps/2, wholeBps)
	}
	return nil
}

// Spend returns ceil(max(0, revenue - paid) * share), rounded up as it is taken. It fails with [ErrBurn].
func (p SurplusBurnPolicy) Spend(in BurnInputs) (USD, error) {
	if err := p.Validate(); err != nil {
		return 0, err
	}
	if in.Paid >= in.Revenue {
		return 0, nil
	}
	return (in.Revenue - in.Paid).MulDiv(uint64(p.ShareBps), wholeBps, Up)
}
