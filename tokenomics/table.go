package tokenomics

import (
	"fmt"
	"math/big"
)

const (
	// firstWidth and lastWidth bound the precision, in bits behind the point, at which a table is tried.
	firstWidth, lastWidth = 256, 16_384
	// exactBits bounds the fractions that are carried beside the intervals; only small ones can be whole numbers.
	exactBits = 4096
)

// tabulate evaluates an emission that compounds or does not fall, epoch by epoch:
//
//	C(k) = floor(Base * rate * (1 + q + ... + q^(k-1))), or floor(Base * (product of (1 + rate*q^i), i < k) - Base),
//
// cut at the cap, with which the table ends. Every value lies in an interval; where that holds a whole number the next
// precision is tried. A value that is a whole number itself is found as a fraction. It fails with [ErrEmission] for an
// epoch that stays open: there is no guess.
func tabulate(p EmissionParams) ([]Amount, error) {
	for width := uint(firstWidth); ; width *= 2 {
		table, open := tabulateAt(p, width)
		if open == 0 {
			return table, nil
		}
		if width == lastWidth {
			return nil, fmt.Errorf("%w: epoch %d lies too near a whole number of base units", ErrEmission, open)
		}
	}
}

// tabulateAt tries one precision. It returns the first epoch that stays open, or 0.
func tabulateAt(p EmissionParams, width uint) (table []Amount, open Epoch) {
	low, high, exact := newTally(p, width, false), newTally(p, width, true), newFraction(p)
	limit := new(big.Int).SetUint64(uint64(p.Cap))
	for k := Epoch(1); k <= p.Epochs; k++ {
		c := low.next()
		if c.Cmp(high.next()) != 0 {
			if c = exact.at(k); c == nil {
				return nil, k
			}
		}
		if c.Cmp(limit) >= 0 {
			return append(table, p.Cap), 0
		}
		table = append(table, Amount(c.Uint64()))
	}
	return table, 0
}

// tally sums an emission in whole multiples of 2^-width, every operation rounded to one side, so that two of them enclose
// the true value.
type tally struct {
	up          bool
	width       uint
	compounding bool
	base        *big.Int
	q           *big.Int // 1 - Decline
	rate        *big.Int // of the epoch that comes next
	sum         *big.Int // of the rates, or the product of 1 + rate
}

func newTally(p EmissionParams, width uint, up bool) *tally {
	t := &tally{up: up, width: width, compounding: p.Compounding, base: new(big.Int).SetUint64(uint64(p.Base)), sum: new(big.Int)}
	t.q, t.rate = t.scale(p.retained()), t.scale(p.rate())
	if p.Compounding {
		t.sum.Lsh(big.NewInt(1), width)
	}
	return t
}

// next adds an epoch and returns the whole part of what was emitted.
func (t *tally) next() *big.Int {
	t.add()
	c := t.emitted()
	return c.Rsh(c, t.width)
}

// add adds an epoch.
func (t *tally) add() {
	if t.compounding {
		one := new(big.Int).Lsh(big.NewInt(1), t.width)
		t.sum = t.mul(t.sum, one.Add(one, t.rate))
	} else {
		t.sum.Add(t.sum, t.rate)
	}
	t.rate = t.mul(t.rate, t.q)
}

// emitted returns what was emitted, in units of 2^-width.
func (t *tally) emitted() *big.Int {
	c := new(big.Int).Mul(t.sum, t.base)
	if t.compounding {
		c.Sub(c, new(big.Int).Lsh(t.base, t.width))
	}
	return c
}

// scale returns r in units of 2^-width.
func (t *tally) scale(r *big.Rat) *big.Int {
	x, rest := new(big.Int).QuoRem(new(big.Int).Lsh(r.Num(), t.width), r.Denom(), new(big.Int))
	if t.up && rest.Sign() != 0 {
		x.Add(x, big.NewInt(1))
	}
	return x
}

func (t *tally) mul(x, y *big.Int) *big.Int {
	z := new(big.Int).Mul(x, y)
	if t.up {
		z.Add(z, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), t.width), big.NewInt(1)))
	}
	return z.Rsh(z, t.width)
}

// fraction evaluates the first epochs without rounding, on demand.
type fraction struct {
	p       EmissionParams
	k       Epoch // that sum holds
	q, rate *big.Rat
	sum     *big.Rat
}

func newFraction(p EmissionParams) *fraction {
	f := &fraction{p: p, q: p.retained(), rate: p.rate(), sum: new(big.Rat)}
	if p.Compounding {
		f.sum.SetInt64(1)
	}
	return f
}

// at returns the whole part of what epochs 1 to k emit, or nil where the fraction would grow too large.
func (f *fraction) at(k Epoch) *big.Int {
	for ; f.k < k; f.k++ {
		if f.sum.Denom().BitLen() > exactBits {
			return nil
		}
		if f.p.Compounding {
			f.sum.Mul(f.sum, new(big.Rat).Add(big.NewRat(1, 1), f.rate))
		} else {
			f.sum.Add(f.sum, f.rate)
		}
		f.rate = new(big.Rat).Mul(f.rate, f.q)
	}
	c := new(big.Rat).Set(f.sum)
	if f.p.Compounding {
		c.Sub(c, big.NewRat(1, 1))
	}
	return floorRat(c.Mul(c, new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(f.p.Base)))))
}
