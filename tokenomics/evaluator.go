package tokenomics

import (
	"math/big"
	"math/bits"
)

// evaluator computes A*(1-q^k) in 128 bits with a proven margin of error.
//
// Powers of q are held in units of 2^-128 and rounded down. Entry i of the table, q^(2^i), is low by less than 2^(i+1)
// units: squaring doubles the error and truncation adds one. A product of entries out of n is therefore low by less
// than the sum of their errors and n truncations, below 2^(n+1) units. A walk multiplies by q once an epoch and is low
// by less than 2k units after k, which is below 2^(n+1) too, because n is the bit length of the number of epochs.
//
// So 1-q^k is high by less than 2^(n+1) units, and A*(1-q^k) by less than A*2^(n+1-128). The truncations of A, of the
// last product and of its fraction make it low by less than 3*2^-64. A value whose fraction lies farther than both from
// 0 and from 1 has the floor of the true value.
type evaluator struct {
	powers []uint128 // q^(2^i) in units of 2^-128
	a      uint128   // A in units of 2^(whole-128), so that the top bit is set
	whole  uint      // bits in floor(A), 1 to 63
	margin uint64    // the margin of error in units of 2^-64
}

// newEvaluator prepares valid parameters.
func newEvaluator(p EmissionParams) evaluator {
	a := p.amplitude()
	floor := floorRat(a)
	e := evaluator{whole: uint(floor.BitLen())}
	e.a = toUint128(a, 128-e.whole)

	n := uint(bits.Len32(uint32(p.Epochs)))
	e.powers = make([]uint128, n)
	e.powers[0] = toUint128(p.retained(), 128)
	for i := uint(1); i < n; i++ {
		e.powers[i] = e.powers[i-1].mulHigh(e.powers[i-1])
	}
	// (floor(A)+1) * 2^(n+1-64), rounded up, and 3 for what makes the value low.
	e.margin = (floor.Uint64()+1)>>(63-n) + 1 + 3
	return e
}

// at evaluates floor(A*(1-q^k)) for k >= 1. It reports false where the margin leaves the floor open.
func (e *evaluator) at(k Epoch) (Amount, bool) {
	low := bits.TrailingZeros32(uint32(k))
	power := e.powers[low]
	for rest := uint32(k) >> low >> 1; rest != 0; rest >>= 1 {
		low++
		if rest&1 == 1 {
			power = power.mulHigh(e.powers[low])
		}
	}
	c, frac := e.value(power)
	return c, frac >= e.margin && frac <= -e.margin-1 && power != uint128{}
}

// value returns A*(1-power) as a whole number and a fraction in units of 2^-64.
func (e *evaluator) value(power uint128) (c Amount, frac uint64) {
	lo, borrow := bits.Sub64(0, power.lo, 0)
	hi, _ := bits.Sub64(0, power.hi, borrow)
	v := e.a.mulHigh(uint128{hi, lo})
	return Amount(v.hi >> (64 - e.whole)), v.hi<<e.whole | v.lo>>(64-e.whole)
}

// walker evaluates epoch after epoch with one product each.
type walker struct {
	e     *evaluator
	power uint128
	begun bool
}

func (e *evaluator) walk() walker { return walker{e: e} }

// next evaluates the next epoch, the first one at first. It reports true only at more than twice the margin from a
// whole number: as a walk and at(k) differ by less than one margin, at(k) is then certain to decide as well.
func (w *walker) next() (Amount, bool) {
	if w.begun {
		w.power = w.power.mulHigh(w.e.powers[0])
	} else {
		w.power, w.begun = w.e.powers[0], true
	}
	c, frac := w.e.value(w.power)
	far := 2 * w.e.margin
	// A power of 2^-64 or more keeps that of at(k) above zero, which would leave it undecided.
	return c, frac >= far && frac <= -far-1 && w.power.hi != 0
}

// exactCumulative returns floor(A*(1-q^k)) where 128 bits do not decide it.
//
// With q = n/m in lowest terms, the value can be a whole number only if m^k divides the numerator of A, which has fewer
// than 64 + 2*213 bits. So small powers are evaluated as fractions, and for the others, which are never whole numbers,
// an interval of growing width must come to lie between two of them.
func exactCumulative(p EmissionParams, k Epoch) Amount {
	a, q := p.amplitude(), p.retained()
	if q.Denom().BitLen()*int(k) <= 4096 {
		exp := big.NewInt(int64(k))
		mk := new(big.Int).Exp(q.Denom(), exp, nil)
		num := new(big.Int).Sub(mk, new(big.Int).Exp(q.Num(), exp, nil))
		num.Mul(num, a.Num())
		return Amount(num.Quo(num, mk.Mul(mk, a.Denom())).Uint64())
	}
	for width := uint(256); ; width *= 2 {
		lo, hi := powerBounds(q, k, width)
		if c := floorAt(a, hi, width); c == floorAt(a, lo, width) {
			return c
		}
	}
}

// powerBounds encloses q^k, in units of 2^-width.
func powerBounds(q *big.Rat, k Epoch, width uint) (lo, hi *big.Int) {
	one := new(big.Int).Lsh(big.NewInt(1), width)
	most := new(big.Int).Sub(one, big.NewInt(1))
	down := func(x, y *big.Int) { x.Rsh(x.Mul(x, y), width) }
	up := func(x, y *big.Int) { x.Rsh(x.Add(x.Mul(x, y), most), width) }

	baseLo := new(big.Int).Mul(q.Num(), one)
	baseLo.Quo(baseLo, q.Denom())
	baseHi := new(big.Int).Add(baseLo, big.NewInt(1))
	lo, hi = new(big.Int).Set(one), new(big.Int).Set(one)
	for ; k != 0; k >>= 1 {
		if k&1 == 1 {
			down(lo, baseLo)
			up(hi, baseHi)
		}
		down(baseLo, baseLo)
		up(baseHi, baseHi)
	}
	return lo, hi
}

// floorAt returns floor(a*(1-power)) for a power in units of 2^-width.
func floorAt(a *big.Rat, power *big.Int, width uint) Amount {
	x := new(big.Int).Lsh(big.NewInt(1), width)
	x.Sub(x, power)
	x.Mul(x, a.Num())
	return Amount(x.Quo(x, new(big.Int).Lsh(a.Denom(), width)).Uint64())
}

// uint128 is an unsigned number of 128 bits.
type uint128 struct{ hi, lo uint64 }

// toUint128 returns floor(r * 2^shift), which must fit.
func toUint128(r *big.Rat, shift uint) uint128 {
	x := new(big.Int).Lsh(r.Num(), shift)
	x.Quo(x, r.Denom())
	lo := new(big.Int).And(x, new(big.Int).SetUint64(1<<64-1))
	return uint128{hi: x.Rsh(x, 64).Uint64(), lo: lo.Uint64()}
}

// mulHigh returns floor(x*y / 2^128).
func (x uint128) mulHigh(y uint128) uint128 {
	low, _ := bits.Mul64(x.lo, y.lo)
	crossHi1, crossLo1 := bits.Mul64(x.hi, y.lo)
	crossHi2, crossLo2 := bits.Mul64(x.lo, y.hi)
	topHi, topLo := bits.Mul64(x.hi, y.hi)

	mid, carry1 := bits.Add64(low, crossLo1, 0)
	_, carry2 := bits.Add64(mid, crossLo2, 0)
	lo, carry3 := bits.Add64(crossHi1, crossHi2, carry1)
	lo, carry4 := bits.Add64(lo, topLo, carry2)
	return uint128{hi: topHi + carry3 + carry4, lo: lo}
}
