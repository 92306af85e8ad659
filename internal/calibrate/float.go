package calibrate

import "math"

// Logarithm and exponential in plain sums and products: those of package math are assembly on some processors, and where a
// processor fuses x*y+z the last bit of a sum depends on it. Each product that is added to something is converted, which
// forbids that. So a fit gives the same bits everywhere.

// ln is the natural logarithm of a positive number, within 1e-15 of itself or of one.
func ln(x float64) float64 {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = m*2, e-1
	}
	s := (m - 1) / (m + 1) // ln m = 2 atanh s = 2 (s + s^3/3 + s^5/5 ...), |s| < 0.172
	q, sum := s*s, 0.0
	for _, c := range &odd {
		sum = float64(sum*q) + c
	}
	return float64(float64(e)*math.Ln2) + float64(2*s*sum)
}

// exp is e^x, within 1e-15 of itself for |x| < 700; below that 0.
func exp(x float64) float64 {
	if x < -700 {
		return 0
	}
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	r := x - float64(k*6.93147180369123816490e-01) // ln 2 in two parts, the first exact in k times
	r -= float64(k * 1.90821492927058770002e-10)
	sum := 0.0
	for _, c := range &inverse {
		sum = float64(sum*r) + c
	}
	return math.Ldexp(sum, int(k))
}

// Coefficients of the two series, highest first: 1/21, 1/19 ... 1 and 1/13!, 1/12! ... 1.
var (
	odd = [...]float64{1. / 21, 1. / 19, 1. / 17, 1. / 15, 1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3, 1}

	inverse = [...]float64{
		1. / 6227020800, 1. / 479001600, 1. / 39916800, 1. / 3628800, 1. / 362880, 1. / 40320, 1. / 5040,
		1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2, 1, 1,
	}
)

// square is x*x, converted.
func square(x float64) float64 { return float64(x * x) }
