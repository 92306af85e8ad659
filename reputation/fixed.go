package reputation

import (
	"math/bits"
	"strconv"
)

// Formats: a logarithm is Q16.48, a fraction of one is Q0.64 (one is the largest), a count of outages or seconds is Q32.32.
// Every operation is on integers, because math.Exp and fused multiply-add differ between machines.
const (
	one    = ^uint64(0)
	logOne = 1 << 48
	unit   = 1 << 32 // one outage, or one second

	ln2Q64      = 0xb17217f7d1cf79ac   // ln 2
	log2eQ62    = 0x5c551d94ae0bf85e   // log2 e
	log2log2e   = 148834502510043      // log2 of log2 e, Q16.48
	lnMicroQ44  = 12193974156572967205 // ln 2 in millionths
	log20Q60    = 0x45269e12f346e2c0   // log2 20: the 95 % quantile of Gamma(1, 1) in units of ln 2
	log1by95Q60 = 0x12f1b3bd2f9e17b    // log2 1/0.95: its 5 % quantile
)

// tables are what the functions below look up. They are decoded once a book from the text in tables.go.
type tables struct {
	inverse [128]uint64    // 1/c, Q0.64, for the beginning c = 1 + i/128 of the i-th step of [1, 2)
	log     [128]uint64    // log2 c, Q16.48
	power   [128]uint64    // 2^(-i/128), Q0.64
	gamma   [2][145]uint64 // log2 of the 5 % and 95 % quantiles of Gamma(2^(i/8-8), 1), Q16.16 in two's complement
}

func newTables() *tables {
	t := &tables{}
	decode(t.inverse[:], inverseText)
	decode(t.log[:], logText)
	decode(t.power[:], powerText)
	decode(t.gamma[0][:], gamma05Text)
	decode(t.gamma[1][:], gamma95Text)
	return t
}

func decode(to []uint64, text string) {
	for i := range to {
		v, err := strconv.ParseUint(text[16*i:16*i+16], 16, 64)
		if err != nil {
			panic("reputation: tables.go: " + err.Error()) // a test rebuilds the text
		}
		to[i] = v
	}
}

// high is a*b/2^64, rounded down.
func high(a, b uint64) uint64 { h, _ := bits.Mul64(a, b); return h }

// log2 is log2(v) for v > 0, right to 2^-46.
//
// v = 2^n c (1+r) with 0 <= r < 2^-7: n is exact, log2 c looked up, and ln(1+r) = r(1 - r/2 + r²/3 - r³/4 + r⁴/5 - r⁵/6) has
// an error below r⁷/7 < 2^-51.
func (t *tables) log2(v uint64) int64 {
	n := bits.Len64(v) - 1
	m := v << (63 - n)
	i := m >> 56 & 127
	r := max(high(m, t.inverse[i]), 1<<63) << 1 // 1+r is rounded down, and must not fall below one
	h := one/5 - high(r, one/6)
	h = one/4 - high(r, h)
	h = one/3 - high(r, h)
	h = one/2 - high(r, h)
	h = one - high(r, h)
	return int64(n)<<48 + int64(t.log[i]+high(high(r, h), log2eQ62)>>14)
}

// exp2neg is 2^-x, right to 2^-58 of its value and one unit.
//
// x = k + i/128 + f: the shift is exact, 2^(-i/128) looked up, and 2^-f = 1 - z(1 - z/2(1 - z/3(1 - z/4(1 - z/5)))) with
// z = f ln 2 < 2^-7 has an error below z⁶/720 < 2^-54.
func (t *tables) exp2neg(x uint64) uint64 {
	k := x >> 48
	if k > 63 {
		return 0
	}
	p := t.power[x>>41&127]
	z := high((x&(1<<41-1))<<16, ln2Q64)
	h := one - z/5
	h = one - high(z, h)/4
	h = one - high(z, h)/3
	h = one - high(z, h)/2
	return (p - high(p, high(z, h))) >> k
}

// exp2 is 2^x as Q16.48 for x < 15.
func (t *tables) exp2(x int64) uint64 {
	i := x>>48 + 1                                    // 2^x = 2^(x-i) 2^i with x-i in [-1, 0)
	return t.exp2neg(uint64(i<<48-x)) >> uint64(16-i) // a shift beyond 63 gives 0
}

// quantiles are log2 of the 5 % and of the 95 % quantile of Gamma(a, 1), interpolated in log2 a. Beyond the last row the
// relative width stays; before the first, a is taken for the first.
func (t *tables) quantiles(a uint64) (low, high int64) {
	x := t.log2(a) - 32<<48
	at := max(x+8<<48, 0)
	i := at >> 45
	last := int64(len(t.gamma[0]) - 1)
	if i >= last {
		beyond := x - 10<<48
		return int64(t.gamma[0][last])<<32 + beyond, int64(t.gamma[1][last])<<32 + beyond
	}
	part := at & (1<<45 - 1) >> 13
	between := func(row *[145]uint64) int64 {
		l, r := int64(row[i]), int64(row[i+1])
		return l<<32 + (r-l)*part
	}
	return between(&t.gamma[0]), between(&t.gamma[1])
}

// logit is ln(s/(1-s)) in millionths for the fraction s = 1-f, rounded to nearest, halves away from zero.
func (t *tables) logit(f uint64) int64 {
	d := t.log2(max(one-f, 1)) - t.log2(max(f, 1))
	micro := int64((high(uint64(max(d, -d)), lnMicroQ44) + 1<<27) >> 28)
	if d < 0 {
		return -micro
	}
	return micro
}

// ppm is a fraction in millionths, rounded to nearest.
func ppm(f uint64) uint32 {
	h, l := bits.Mul64(f, 1_000_000)
	return uint32(h + l>>63)
}

// ppmDown is a fraction in millionths, rounded down.
func ppmDown(f uint64) uint32 { return uint32(high(f, 1_000_000)) }

// ppmUp is a fraction in millionths, rounded up.
func ppmUp(f uint64) uint32 {
	h, l := bits.Mul64(f, 1_000_000)
	return uint32(h + min(l, 1))
}
