package calibrate

import "math"

// Logarithm and exponential in plain sums and products: those of package math are assembly on some processors, and where a
// processor fuses x*y+z the last bit of a sum depends on it. Each product that is added to something is converted, which
// forbids that. So a fit gives the same bits everywhere.

// ln is the natural logarithm of a positive number, within 1e-15.
func ln(x float64) float64 {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = m*2, e-1
	}
	s := (m - 1) / (m + 1) // ln m = 2 atanh s, |s| < 0.172
	q, sum := s*s, 0.0
	for k := 23; k >= 1; k -= 2 {
		sum = float64(sum*q) + 1/float64(k)
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
	sum := 1.0
	for i := 14; i >= 1; i-- {
		sum = float64(sum*r)/float64(i) + 1
	}
	return math.Ldexp(sum, int(k))
}

// square is x*x, converted.
func square(x float64) float64 { return float64(x * x) }
