package reputation

import "math/bits"

// scaled is m/2^64 times 2^e: a hazard, whose size may be anything from a millionth to 2^200. Those that are compared have
// the top bit of m set, or are 0.
type scaled struct {
	m uint64
	e int
}

// certain is a hazard that nothing survives.
func certain() scaled { return scaled{1 << 63, 1 << 20} }

// scale is v/2^fraction.
func scale(v uint64, fraction int) scaled {
	n := bits.Len64(v)
	return scaled{v << (64 - n), n - fraction}
}

// scaledExp2 is 2^x for x in Q16.48, right to 2^-58 of its value.
func (t *tables) scaledExp2(x int64) scaled {
	e := x>>48 + 1
	p := scale(t.exp2neg(uint64(e<<48-x)), 64) // at x = 0 it may be half less one unit
	return scaled{p.m, p.e + int(e)}
}

// part is a share of s in parts per million, rounded down.
func (s scaled) part(share uint32) scaled {
	h, l := bits.Mul64(s.m, uint64(share))
	q, _ := bits.Div64(h, l, 1_000_000) // h < 10^6, for share is at most that
	return scaled{q, s.e}
}

// surviving is e^-(a b), where the product stands in units of ln 2. The exponent is rounded up by 2^-48.
func (t *tables) surviving(a, b scaled) uint64 {
	if a.m == 0 || b.m == 0 {
		return one
	}
	e := a.e + b.e
	if e > 16 {
		return 0
	}
	return t.exp2neg(high(a.m, b.m)>>(16-e) + 1) // a shift beyond 63 gives 0
}

// lossBits is log2(1/s) for s = up/10^6 above 0, Q16.48: the hazard of a subject in units of ln 2 where frailty is nil.
func (t *tables) lossBits(up uint32) uint64 {
	return uint64(t.log2(1_000_000) - t.log2(uint64(up)))
}

// frailHazard is H = (s^-v - 1)/v in units of ln 2, for s = up/10^6 and v = variance/10^6 up to 4; log(1/s) for v = 0. With a
// factor Z that has the law Gamma of mean 1 and variance v, E e^(-Z H) = (1 + v H)^(-1/v) = s.
//
// With x = v log2(1/s), s^-v is 2^x. Below x = 1 the difference from 1 is a series: H = L (1 + y/2 (1 + y/3 (1 + ...))) with
// L = log2(1/s) and y = x ln 2 < 0.7, whose 20th term is below 2^-70. Above, H = 2^x (1 - 2^-x)/v by logarithms.
func (t *tables) frailHazard(up, variance uint32) scaled {
	if up == 0 {
		return certain()
	}
	loss := t.lossBits(up)
	if loss == 0 {
		return scaled{}
	}
	h, l := bits.Mul64(loss, uint64(variance))
	x, _ := bits.Div64(h, l, 1_000_000) // loss < 2^53, variance < 2^22: below 2^55
	if x < logOne {
		y, series := high(x<<16, ln2Q64), uint64(1<<62)
		for n := uint64(20); n >= 2; n-- {
			series = 1<<62 + high(series, y)/n
		}
		s := scale(loss, 48)
		product := scale(high(s.m, series), 62)
		return scaled{product.m, product.e + s.e}
	}
	rest := t.log2(one-t.exp2neg(x)) - 64<<48
	v := t.log2(uint64(variance)) - t.log2(1_000_000)
	return t.scaledExp2(int64(x) + rest - v + log2log2e)
}
