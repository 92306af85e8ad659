package tokenomics

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/shopspring/decimal"
)

// ErrUnsolvable is returned by [SolveDecline] where no decline between 0 and 1 meets the cap; the message says between
// which totals the cap would have to lie.
var ErrUnsolvable = errors.New("tokenomics: no decline meets the cap")

// maxDigits bounds the digits of a solution; 64 places are what a schedule takes.
const maxDigits = 200

// Solution is a decline between two bounds that are certain: with Low a schedule emits more than its cap, with High less.
type Solution struct {
	// Low and High enclose the decline.
	Low, High decimal.Decimal
	// Decline is made of the digits on which both agree, cut and not rounded: a schedule with it emits a trifle too much,
	// and its cap cuts that off.
	Decline decimal.Decimal
	// Digits is the number of significant digits of Decline.
	Digits int
}

// SolveDecline finds the decline with which the emission of p comes to its cap exactly, to so many significant digits, 1 to
// 200. It solves
//
//	Base * rate * (1 - (1-m)^Epochs) / m = Cap,  or  Base * (product of (1 + rate*(1-m)^i), i < Epochs) = Base + Cap
//
// if the emission compounds, and ignores the Decline and the Snap of p. Both sides fall strictly in m, so there is at most
// one solution; it is bracketed, bisected to its order of magnitude, and closed in on by the Illinois form of regula
// falsi. Every evaluation has four times the digits that were asked for and more. It fails with [ErrUnsolvable] if the
// decline would not lie between 0 and 1, and with [ErrEmission].
func SolveDecline(p EmissionParams, digits int) (Solution, error) {
	if digits < 1 || digits > maxDigits {
		return Solution{}, fmt.Errorf("%w: %d digits, want 1 to %d", ErrEmission, digits, maxDigits)
	}
	p.Decline, p.Snap = decimal.Zero, 0
	if err := p.check(); err != nil {
		return Solution{}, err
	}
	if p.Compounding && p.Epochs > maxTable {
		return Solution{}, fmt.Errorf("%w: %d epochs that compound, want at most %d", ErrEmission, p.Epochs, maxTable)
	}
	s := newSolver(p, digits)
	if err := s.feasible(); err != nil {
		return Solution{}, err
	}
	s.magnitude()
	s.close()
	if s.low.Sign() == 0 {
		return Solution{}, fmt.Errorf("%w: it would be smaller than 2^-%d", ErrUnsolvable, s.prec/4)
	}
	return s.solution(digits), nil
}

// solver brackets a decline in binary floating point of a given precision.
type solver struct {
	p          EmissionParams
	prec       uint
	rate       *big.Float
	base       *big.Float
	target     *big.Float
	low, high  *big.Float // total(low) > target > total(high)
	over, less *big.Float // total(low) - target, and total(high) - target, which is negative
	width      *big.Float // the bracket has to become narrower than this part of low
}

func newSolver(p EmissionParams, digits int) *solver {
	bits := uint(digits)*10/3 + 32 // log2(10) < 10/3
	s := &solver{p: p, prec: 4*bits + 256}
	s.rate = s.num().SetRat(p.rate())
	s.base = s.num().SetUint64(uint64(p.Base))
	s.target = s.num().SetUint64(uint64(p.Cap))
	s.low, s.high = s.num(), s.num().SetInt64(1)
	s.width = s.num().SetMantExp(s.num().SetInt64(1), -int(bits))
	return s
}

func (s *solver) num() *big.Float { return new(big.Float).SetPrec(s.prec) }

// feasible compares the cap with what declines of 1 and of 0 would emit, exactly but for compounding.
func (s *solver) feasible() error {
	limit := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(s.p.Cap)))
	first := new(big.Rat).Mul(s.p.rate(), new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(s.p.Base))))
	if first.Cmp(limit) >= 0 {
		return fmt.Errorf("%w: the first epoch alone emits %s of the cap's %d base units, and no decline takes any of it away",
			ErrUnsolvable, first.FloatString(2), s.p.Cap)
	}
	s.over, s.less = s.diff(s.low), s.num().Sub(s.num().SetRat(first), s.target)
	if s.p.Compounding {
		// (1+rate)^Epochs has too many digits to be exact: a tie within the precision counts as unsolvable.
		if s.over.Sign() <= 0 || !s.certain(s.over) {
			return fmt.Errorf("%w: without a decline %d epochs, compounding, do not pass the cap of %d base units",
				ErrUnsolvable, s.p.Epochs, s.p.Cap)
		}
		return nil
	}
	most := new(big.Rat).Mul(first, new(big.Rat).SetInt64(int64(s.p.Epochs)))
	if most.Cmp(limit) <= 0 {
		return fmt.Errorf("%w: without a decline %d epochs emit %s of the cap's %d base units",
			ErrUnsolvable, s.p.Epochs, most.FloatString(2), s.p.Cap)
	}
	s.over = s.num().SetRat(most.Sub(most, limit))
	return nil
}

// magnitude bisects until the bracket is within a factor of two.
func (s *solver) magnitude() {
	for range s.prec / 4 {
		if s.low.Sign() > 0 && s.num().Add(s.low, s.low).Cmp(s.high) >= 0 {
			return
		}
		mid := s.num().Add(s.low, s.high)
		if !s.narrow(mid.SetMantExp(mid, -1)) {
			return
		}
	}
}

// close narrows the bracket until it is as narrow as asked for. Every third step bisects, so that the end is certain.
func (s *solver) close() {
	side := 0
	for i := 0; s.low.Sign() > 0 && !s.done(); i++ {
		mid := s.num().Add(s.low, s.high)
		mid.SetMantExp(mid, -1)
		if i%3 != 2 {
			// low + (high-low) * over / (over - less)
			step := s.num().Quo(s.over, s.num().Sub(s.over, s.less))
			mid.Add(s.low, step.Mul(step, s.num().Sub(s.high, s.low)))
		}
		low := s.low
		if !s.narrow(mid) {
			return
		}
		// Illinois: where the same end moves twice, the value at the other end counts half.
		moved := 1
		if s.low == low {
			moved = -1
		}
		if moved == side && moved > 0 {
			s.less.SetMantExp(s.less, -1)
		} else if moved == side {
			s.over.SetMantExp(s.over, -1)
		}
		side = moved
	}
}

// done reports whether high - low is a small enough part of low.
func (s *solver) done() bool {
	return s.num().Sub(s.high, s.low).Cmp(s.num().Mul(s.low, s.width)) <= 0
}

// narrow moves one end of the bracket to m. Where the total at m cannot be told from the cap, m is the solution as far as
// the precision goes: both ends move close around it, if they are certain there, and it reports false.
func (s *solver) narrow(m *big.Float) bool {
	if m.Cmp(s.low) <= 0 || m.Cmp(s.high) >= 0 {
		return true
	}
	if d := s.diff(m); s.certain(d) {
		s.set(m, d)
		return true
	}
	gap := s.num().Mul(m, s.width)
	gap.SetMantExp(gap, -2)
	for _, end := range []*big.Float{s.num().Sub(m, gap), s.num().Add(m, gap)} {
		if d := s.diff(end); s.certain(d) {
			s.set(end, d)
		}
	}
	return false
}

func (s *solver) set(m, d *big.Float) {
	if d.Sign() > 0 {
		s.low, s.over = m, d
	} else {
		s.high, s.less = m, d
	}
}

// certain reports whether a difference is larger than any error of its evaluation. An evaluation loses less than
// log2(Epochs) + 4 bits by rounding and, because 1 - q^n is a difference, as many as m is small: less than a quarter of the
// precision by the bound on the bisection. Half of it is left.
func (s *solver) certain(d *big.Float) bool {
	margin := s.num().SetMantExp(s.target, -int(s.prec/2))
	return s.num().Abs(d).Cmp(margin) > 0
}

// diff returns what the epochs emit with the decline m, less the cap.
func (s *solver) diff(m *big.Float) *big.Float {
	one := s.num().SetInt64(1)
	q := s.num().Sub(one, m)
	if s.p.Compounding {
		product, rate := s.num().Set(one), s.num().Set(s.rate)
		for range s.p.Epochs {
			product.Mul(product, s.num().Add(one, rate))
			rate.Mul(rate, q)
		}
		product.Sub(product, one)
		return product.Sub(product.Mul(product, s.base), s.target)
	}
	if m.Sign() == 0 {
		n := s.num().SetUint64(uint64(s.p.Epochs))
		return n.Sub(n.Mul(n, s.num().Mul(s.base, s.rate)), s.target)
	}
	v := s.num().Sub(one, power(q, s.p.Epochs))
	v.Mul(v, s.base).Mul(v, s.rate).Quo(v, m)
	return v.Sub(v, s.target)
}

// power returns q^n at the precision of q.
func power(q *big.Float, n Epoch) *big.Float {
	out, square := new(big.Float).SetPrec(q.Prec()).SetInt64(1), new(big.Float).Set(q)
	for ; n != 0; n >>= 1 {
		if n&1 == 1 {
			out.Mul(out, square)
		}
		square.Mul(square, square)
	}
	return out
}

// solution writes the bracket in decimals, Low rounded down and High up.
func (s *solver) solution(digits int) Solution {
	places := int32(digits+16) - int32(s.low.MantExp(nil)*3/10)
	out := Solution{Low: toDecimal(s.low, places, false), High: toDecimal(s.high, places, true)}
	// The longest common beginning of both texts, at most as long as was asked for.
	low, high := out.Low.StringFixed(places), out.High.StringFixed(places)
	end := 0
	for i := 0; i < len(low) && i < len(high) && low[i] == high[i] && out.Digits < digits; i++ {
		if low[i] != '.' && (out.Digits > 0 || low[i] != '0') {
			out.Digits++
		}
		end = i + 1
	}
	out.Decline, _ = decimal.NewFromString(low[:end]) // digits of a number
	return out
}

// toDecimal returns x with so many places, rounded down or up.
func toDecimal(x *big.Float, places int32, up bool) decimal.Decimal {
	r, _ := x.Rat(nil)
	n := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	n, rest := n.QuoRem(n.Mul(n, r.Num()), r.Denom(), new(big.Int))
	if up && rest.Sign() != 0 {
		n.Add(n, big.NewInt(1))
	}
	return decimal.NewFromBigInt(n, -places)
}
