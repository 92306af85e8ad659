package tokenomics

import (
	"fmt"
	"math/big"

	"github.com/shopspring/decimal"
)

// checkWidth is the precision of a check in bits: 40 places behind the point of a 63-bit number, and as many again.
const checkWidth = 512

// CapCheck says by how much a schedule misses its cap if its constants are taken as they are printed, without the clamp and
// without the snap. All amounts are in base units with their fractions, to 40 places.
type CapCheck struct {
	// Sum is what all epochs would emit, and Miss is Sum - Cap: positive if the cap cuts, negative if the schedule falls
	// short.
	Sum, Miss decimal.Decimal
	// Cut is the first epoch that the cap cuts, 0 if none.
	Cut Epoch
	// Solved is the decline that would meet the cap, to 50 digits, and Off the printed decline less that. Both are 0 where
	// no decline between 0 and 1 does.
	Solved, Off decimal.Decimal
}

// CheckCap evaluates a schedule without its cap. It fails with [ErrEmission].
func (p EmissionParams) CheckCap() (CapCheck, error) {
	if err := p.Validate(); err != nil {
		return CapCheck{}, err
	}
	c := CapCheck{Sum: p.sum()}
	c.Miss = c.Sum.Sub(decimal.NewFromUint64(uint64(p.Cap)))
	if c.Miss.Sign() > 0 {
		free := p
		free.Snap = 0
		s, err := NewSchedule(free)
		if err != nil {
			return CapCheck{}, err
		}
		c.Cut = s.last
	}
	if solved, err := SolveDecline(p, 50); err == nil {
		c.Solved, c.Off = solved.Decline, p.Decline.Sub(solved.Decline)
	}
	return c, nil
}

// sum returns what all epochs emit, without the cap.
func (p EmissionParams) sum() decimal.Decimal {
	var v *big.Int
	if p.closed() {
		a, power := p.amplitude(), new(big.Int)
		power, _ = powerBounds(p.retained(), p.Epochs, checkWidth)
		one := new(big.Int).Lsh(big.NewInt(1), checkWidth)
		v = one.Sub(one, power)
		v.Quo(v.Mul(v, a.Num()), a.Denom())
	} else {
		t := newTally(p, checkWidth, false)
		for range p.Epochs {
			t.add()
		}
		v = t.emitted()
	}
	return fromFixed(v, reportPlaces)
}

// fromFixed returns v * 2^-checkWidth, rounded half up to so many places.
func fromFixed(v *big.Int, places int32) decimal.Decimal {
	n := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	n.Mul(n, v)
	n.Add(n, new(big.Int).Lsh(big.NewInt(1), checkWidth-1))
	return decimal.NewFromBigInt(n.Rsh(n, checkWidth), -places)
}

// RateOf returns the exact rate of epoch k as a fraction of the base, to 40 significant digits, halves away from zero: it is
// what a table of the schedule prints. Epoch 0 and epochs after the last one have the rate 0. It fails with [ErrEmission].
func (p EmissionParams) RateOf(k Epoch) (decimal.Decimal, error) {
	if err := p.Validate(); err != nil {
		return decimal.Zero, err
	}
	if k == 0 || k > p.Epochs {
		return decimal.Zero, nil
	}
	const digits = 40
	for width := uint(256); width <= lastWidth; width *= 2 {
		low, high := powerBounds(p.retained(), k-1, width)
		a, b := roundRate(p.rate(), low, width, digits), roundRate(p.rate(), high, width, digits)
		if a.Equal(b) && !a.IsZero() {
			return a, nil
		}
	}
	return decimal.Zero, fmt.Errorf("%w: the rate of epoch %d is below 2^-%d or lies too near a half", ErrEmission, k, lastWidth)
}

// roundRate returns rate * power * 2^-width to so many significant digits.
func roundRate(rate *big.Rat, power *big.Int, width uint, digits int) decimal.Decimal {
	num := new(big.Int).Mul(rate.Num(), power)
	den := new(big.Int).Lsh(rate.Denom(), width)
	places := digits
	ten := big.NewInt(10)
	for x := new(big.Int).Mul(num, ten); x.Sign() > 0 && x.Cmp(den) < 0; x.Mul(x, ten) {
		places++
	}
	n := new(big.Int).Exp(ten, big.NewInt(int64(places)), nil)
	n.Mul(n, num)
	n.Add(n.Lsh(n, 1), den)
	return decimal.NewFromBigInt(n.Quo(n, den.Lsh(den, 1)), -int32(places))
}
