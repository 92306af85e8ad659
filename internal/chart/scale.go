package chart

import (
	"math/bits"
	"strconv"
	"strings"
)

// scale maps values to tenths of a pixel.
type scale struct {
	log       bool
	low, high int64
	from, to  int64
}

func newScale(a Axis, low, high, from, to int64) scale {
	s := scale{log: a.Log, low: low, high: high, from: from, to: to}
	if s.log {
		s.low, s.high = log2(low), log2(high)
	}
	if s.high <= s.low {
		s.high = s.low + 1
	}
	return s
}

// at returns where a value stands, at the nearest end if it lies outside.
func (s scale) at(v int64) int64 {
	if s.log {
		v = log2(v)
	}
	v = max(s.low, min(s.high, v))
	span := s.to - s.from
	sign := int64(1)
	if span < 0 {
		span, sign = -span, -1
	}
	hi, lo := bits.Mul64(uint64(v-s.low), uint64(span))
	q, _ := bits.Div64(hi, lo, uint64(s.high-s.low)) // the factor is at most the divisor: the quotient is at most span
	return s.from + sign*int64(q)
}

// log2 returns the binary logarithm with 16 binary places, rounded down; values below 1 count as 1.
func log2(v int64) int64 {
	v = max(1, v)
	n := bits.Len64(uint64(v)) - 1
	m := uint64(v) << (63 - n) // 1 to 2 with 63 places
	out := int64(n)
	for range 16 {
		m, _ = bits.Mul64(m, m) // a square has 126 places, its upper half 62
		out <<= 1
		if m>>63 != 0 {
			out++
		} else {
			m <<= 1
		}
	}
	return out
}

// bounds widens the range of the values to the ends of the axis.
func (a Axis) bounds(low, high int64) (int64, int64) {
	if a.Log {
		low, high = max(1, a.Floor, low), max(1, a.Floor, high)
		from, to := int64(1), int64(1)
		for from <= low/10 {
			from *= 10
		}
		for to < high && to <= limit/10 {
			to *= 10
		}
		if from == to {
			to *= 10
		}
		return from, to
	}
	if a.Zero {
		low, high = min(low, 0), max(high, 0)
	}
	if low == high {
		high++
	}
	step := niceStep(high - low)
	return floorTo(low, step), -floorTo(-high, step)
}

// niceStep returns 1, 2 or 5 times a power of ten that divides a span into at most 8 parts.
func niceStep(span int64) int64 {
	for power := int64(1); ; power *= 10 {
		for _, f := range []int64{1, 2, 5} {
			if power > limit/10 || span/(f*power) < 7 {
				return f * power
			}
		}
	}
}

func floorTo(v, step int64) int64 {
	r := v % step
	if r < 0 {
		r += step
	}
	return v - r
}

// ticks returns where lines are drawn, from low to high.
func (a Axis) ticks(low, high int64) (out []int64) {
	if a.Log {
		for v := low; v <= high && v > 0; v *= 10 {
			out = append(out, v)
			if v > limit/10 {
				break
			}
		}
		return out
	}
	step := niceStep(high - low)
	for v := -floorTo(-low, step); v <= high; v += step {
		out = append(out, v)
	}
	return out
}

// format writes a value of the axis with a suffix for thousands, millions and so on, as the largest tick asks for.
func (a Axis) format(v, largest int64) string {
	if v == 0 {
		return "0"
	}
	unit, suffix := 0, ""
	for i, s := range []string{"k", "M", "G", "T"} {
		if a.Log {
			largest = v
		}
		if abs(largest) >= pow10(a.Places+3*(i+1)) {
			unit, suffix = 3*(i+1), " "+s
		}
	}
	return decimal(v, a.Places+unit) + suffix
}

// decimal writes v with so many decimal places, without zeros at the end.
func decimal(v int64, places int) string {
	digits := strconv.FormatInt(abs(v), 10)
	if places > 0 {
		if len(digits) <= places {
			digits = strings.Repeat("0", places-len(digits)+1) + digits
		}
		whole, rest := digits[:len(digits)-places], strings.TrimRight(digits[len(digits)-places:], "0")
		if digits = whole; rest != "" {
			digits += "." + rest
		}
	}
	if v < 0 {
		return "−" + digits
	}
	return digits
}

func abs(v int64) int64 {
	v = bounded(v)
	if v < 0 {
		return -v
	}
	return v
}

// pow10 returns a power of ten, or more than every value where it does not fit.
func pow10(n int) int64 {
	out := int64(1)
	for range n {
		if out > limit/10 {
			return limit + 1
		}
		out *= 10
	}
	return out
}
