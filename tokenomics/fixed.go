package tokenomics

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// parseFixed reads a plain decimal number with at most places digits behind the point as a whole number of the last
// place.
func parseFixed(s string, places int) (uint64, error) {
	whole, frac, point := strings.Cut(s, ".")
	switch {
	case s == "":
		return 0, fmt.Errorf("%w: empty text", ErrFormat)
	case whole == "":
		return 0, fmt.Errorf("%w: %s has no digit before the point", ErrFormat, quote(s))
	case point && frac == "":
		return 0, fmt.Errorf("%w: %s has no digit after the point", ErrFormat, quote(s))
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && i != len(whole) {
			return 0, fmt.Errorf("%w: %s has %q at position %d, want digits and one point", ErrFormat, quote(s), c, i)
		}
	}
	if len(frac) > places {
		return 0, fmt.Errorf("%w: %s has %d decimal places, at most %d fit", ErrFormat, quote(s), len(frac), places)
	}
	var v uint64
	for i := range len(whole) + places {
		var digit uint64
		switch {
		case i < len(whole):
			digit = uint64(whole[i] - '0')
		case i-len(whole) < len(frac):
			digit = uint64(frac[i-len(whole)] - '0')
		}
		hi, lo := bits.Mul64(v, 10)
		sum, carry := bits.Add64(lo, digit, 0)
		if hi != 0 || carry != 0 {
			return 0, fmt.Errorf("%w: %s does not fit into 64 bits with %d places", ErrOverflow, quote(s), places)
		}
		v = sum
	}
	return v, nil
}

// formatFixed writes a whole number of the last of places decimal places, with shown digits behind the point at least.
func formatFixed(v uint64, places, shown int) string {
	digits := strconv.FormatUint(v, 10)
	if short := places + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	point := len(digits) - places
	end := len(digits)
	for end > point+shown && digits[end-1] == '0' {
		end--
	}
	if end == point {
		return digits[:point]
	}
	return digits[:point] + "." + digits[point:end]
}

// quote shows foreign text in an error without letting it fill the page.
func quote(s string) string {
	const limit = 40
	if len(s) > limit {
		return fmt.Sprintf("%q... (%d bytes)", s[:limit], len(s))
	}
	return strconv.Quote(s)
}
