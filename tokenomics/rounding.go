package tokenomics

import (
	"errors"
	"fmt"
	"math/bits"
)

// ErrRounding is returned for a name that is no [Rounding].
var ErrRounding = errors.New("tokenomics: unknown rounding")

// Rounding says what happens to the fraction of a base unit. It is written at every division of money; the zero value
// is not a rounding.
type Rounding uint8

const (
	// Down drops the fraction: the rule for what is paid out, in favour of whoever keeps the remainder.
	Down Rounding = iota + 1
	// Up takes the next whole unit: the rule for what is taken, in favour of the network.
	Up
	// HalfEven takes the nearest whole unit, and of two that are equally near the even one. It favours nobody on average
	// and therefore nobody in particular: it is for figures that are shown or reported and for simulations, and never for
	// what is paid, taken, minted or burned, because parts so rounded do not add up.
	HalfEven
)

// String returns "down", "up" or "half even".
func (r Rounding) String() string {
	switch r {
	case Down:
		return "down"
	case Up:
		return "up"
	case HalfEven:
		return "half even"
	}
	return fmt.Sprintf("Rounding(%d)", uint8(r))
}

// MarshalText returns what String returns, or [ErrRounding].
func (r Rounding) MarshalText() ([]byte, error) {
	if r < Down || r > HalfEven {
		return nil, fmt.Errorf("%w: %d", ErrRounding, uint8(r))
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what MarshalText returns. The receiver is unchanged after an error.
func (r *Rounding) UnmarshalText(text []byte) error {
	for q := Down; q <= HalfEven; q++ {
		if q.String() == string(text) {
			*r = q
			return nil
		}
	}
	return fmt.Errorf("%w: %s, want down, up or half even", ErrRounding, quote(string(text)))
}

// mulDiv returns a*num/den through a product of 128 bits.
func mulDiv(a, num, den uint64, r Rounding) (uint64, error) {
	if r < Down || r > HalfEven {
		panic("tokenomics.MulDiv: " + r.String() + " is none of Down, Up and HalfEven")
	}
	if den == 0 {
		return 0, fmt.Errorf("%w: %d * %d / 0", ErrZeroDivisor, a, num)
	}
	hi, lo := bits.Mul64(a, num)
	if hi >= den { // the quotient has more than 64 bits, and bits.Div64 would panic
		return 0, fmt.Errorf("%w: %d * %d / %d", ErrOverflow, a, num, den)
	}
	q, rem := bits.Div64(hi, lo, den)
	if roundsUp(r, q, rem, den) {
		if q++; q == 0 {
			return 0, fmt.Errorf("%w: %d * %d / %d, rounded %s", ErrOverflow, a, num, den, r)
		}
	}
	return q, nil
}

// roundsUp reports whether a quotient with the remainder rem of den becomes the next whole number.
func roundsUp(r Rounding, q, rem, den uint64) bool {
	switch r {
	case Up:
		return rem != 0
	case HalfEven:
		rest := den - rem // 2*rem may have 65 bits
		return rem > rest || rem == rest && q%2 == 1
	default:
		return false
	}
}
