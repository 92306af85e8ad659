package tokenomics

import (
	"fmt"
	"math/bits"
)

// Rounding says what happens to the fraction of a base unit. It is written at every division of money; the zero value
// is not a rounding.
type Rounding uint8

const (
	// Down drops the fraction: the rule for what is paid out, in favour of whoever keeps the remainder.
	Down Rounding = iota + 1
	// Up takes the next whole unit: the rule for what is taken, in favour of the network.
	Up
)

// String returns "down" or "up".
func (r Rounding) String() string {
	switch r {
	case Down:
		return "down"
	case Up:
		return "up"
	}
	return fmt.Sprintf("Rounding(%d)", uint8(r))
}

// mulDiv returns a*num/den through a product of 128 bits.
func mulDiv(a, num, den uint64, r Rounding) (uint64, error) {
	if r != Down && r != Up {
		panic("tokenomics.MulDiv: " + r.String() + " is neither Down nor Up")
	}
	if den == 0 {
		return 0, fmt.Errorf("%w: %d * %d / 0", ErrZeroDivisor, a, num)
	}
	hi, lo := bits.Mul64(a, num)
	if hi >= den { // the quotient has more than 64 bits, and bits.Div64 would panic
		return 0, fmt.Errorf("%w: %d * %d / %d", ErrOverflow, a, num, den)
	}
	q, rem := bits.Div64(hi, lo, den)
	if r == Up && rem != 0 {
		if q++; q == 0 {
			return 0, fmt.Errorf("%w: %d * %d / %d, rounded up", ErrOverflow, a, num, den)
		}
	}
	return q, nil
}
