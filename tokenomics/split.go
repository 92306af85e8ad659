package tokenomics

import (
	"errors"
	"fmt"
	"math/bits"
)

// ErrWeights is returned by [Split] for weights that are none, add up to zero or to more than 64 bits, or do not match
// the slice to be filled. Where the money goes then is the caller's policy.
var ErrWeights = errors.New("tokenomics: cannot split by these weights")

// Split divides total in proportion to weights by the difference of cumulative floors: with S_i = w_1 + ... + w_i and
// T the sum of all,
//
//	part_i = floor(total*S_i/T) - floor(total*S_(i-1)/T).
//
// The parts add up to total exactly; each is less than one base unit away from its exact share; no part exceeds its
// weight if total does not exceed T; cutting a weight into neighbouring pieces changes nothing. The order of the
// weights decides who gets the odd units, so callers fix it, for example by identifier. The errors are [ErrWeights].
func Split(total Amount, weights []uint64) ([]Amount, error) {
	parts := make([]Amount, len(weights))
	if err := SplitInto(parts, total, weights); err != nil {
		return nil, err
	}
	return parts, nil
}

// SplitInto is [Split] into a slice of the caller, which must be as long as weights, without an allocation. After an
// error dst is unchanged.
func SplitInto(dst []Amount, total Amount, weights []uint64) error {
	if len(dst) != len(weights) {
		return fmt.Errorf("%w: %d weights into %d parts", ErrWeights, len(weights), len(dst))
	}
	var sum, carry, over uint64
	for _, w := range weights {
		sum, carry = bits.Add64(sum, w, 0)
		over |= carry
	}
	switch {
	case over != 0:
		return fmt.Errorf("%w: their sum exceeds 64 bits", ErrWeights)
	case sum == 0:
		return fmt.Errorf("%w: %d weights add up to zero", ErrWeights, len(weights))
	}
	p := proportion{total: uint64(total), sum: sum}
	for i, w := range weights {
		dst[i] = Amount(p.next(w))
	}
	return nil
}

// proportion hands out a total by weights of a known sum above zero, one after the other, by the difference of cumulative
// floors.
type proportion struct{ total, sum, upTo, before uint64 }

// next returns the part of the next weight. The weights so far must not exceed the sum.
func (p *proportion) next(weight uint64) uint64 {
	p.upTo += weight
	// upTo <= sum, so the quotient is at most total and bits.Div64 cannot panic.
	hi, lo := bits.Mul64(p.total, p.upTo)
	floor, _ := bits.Div64(hi, lo, p.sum)
	part := floor - p.before
	p.before = floor
	return part
}
