package simulate

import (
	"math/big"
	"math/bits"
)

const (
	// one is 1 in Q32.32, the format of logarithms, deviates and ratios.
	one = int64(1) << 32
	// ln2Q32 is ln 2 in Q32.
	ln2Q32 = 2_977_044_472
	// log2eQ62 is 1/ln 2 in Q62.
	log2eQ62 = 6_653_256_548_922_161_246
)

// tables hold 2^(i/256), log2(1+i/256) and 1/(1+i/256), computed once from big integers.
type tables struct {
	exp [256]uint64 // Q62
	log [256]uint64 // Q62
	inv [256]uint64 // Q63
}

// newTables computes every entry to more bits than it keeps: by square roots and products of 200 bits for the powers, by
// repeated squaring of 160 bits for the logarithms.
func newTables() *tables {
	const width, narrow = 200, 160
	t := new(tables)
	root := new(big.Int).Lsh(big.NewInt(2), width)
	for range 8 { // 2^(1/256) is the eighth square root of 2
		root.Sqrt(root.Lsh(root, width))
	}
	power := new(big.Int).Lsh(big.NewInt(1), width)
	two := new(big.Int).Lsh(big.NewInt(2), narrow)
	for i := range t.exp {
		t.exp[i] = new(big.Int).Rsh(power, width-62).Uint64()
		power.Rsh(power.Mul(power, root), width)
		x := new(big.Int).Lsh(big.NewInt(int64(256+i)), narrow-8)
		for range 62 { // each squaring doubles the logarithm: its next bit says whether the square reached 2
			x.Rsh(x.Mul(x, x), narrow)
			t.log[i] <<= 1
			if x.Cmp(two) >= 0 {
				t.log[i]++
				x.Rsh(x, 1)
			}
		}
		inverse := new(big.Int).Lsh(big.NewInt(256), 63)
		t.inv[i] = inverse.Quo(inverse, big.NewInt(int64(256+i))).Uint64()
	}
	return t
}

// exp2 returns 2^x as a mantissa in Q62, at least 1 and below 2, and a power of two. Its relative error is below 2^-37:
// the series ends after the cube of at most ln 2/256.
func (t *tables) exp2(x int64) (mantissa uint64, power int) {
	frac := uint64(x) & (1<<32 - 1)
	y := (frac & (1<<24 - 1)) * ln2Q32 // Q64
	y2, _ := bits.Mul64(y, y)
	y3, _ := bits.Mul64(y2, y)
	base := t.exp[frac>>24]
	more, _ := bits.Mul64(base, y+y2/2+y3/6)
	return base + more, int(x >> 32)
}

// scale returns a * 2^x rounded down, or the largest number where that has more than 63 bits.
func (t *tables) scale(a uint64, x int64) uint64 {
	const most = 1<<63 - 1
	mantissa, power := t.exp2(x)
	hi, lo := bits.Mul64(a, mantissa)
	switch shift := 62 - power; {
	case shift >= 128:
		return 0
	case shift >= 64:
		return hi >> (shift - 64)
	case a == 0:
		return 0
	case shift <= 0 || hi>>shift != 0:
		return most
	default:
		return min(most, hi<<(64-shift)|lo>>shift)
	}
}

// log2 returns the logarithm of v, which is at least 1, in Q32 rounded to the nearest; its error is below 2^-32.
func (t *tables) log2(v uint64) int64 {
	n := bits.Len64(v) - 1
	m := v << (63 - n) // Q63, at least 1 and below 2
	i := m >> 55 & 255
	// r = m/(1+i/256) - 1, in Q64 and below 1/256.
	hi, lo := bits.Mul64(m-(256+i)<<55, t.inv[i])
	r := hi<<2 | lo>>62
	r2, _ := bits.Mul64(r, r)
	r3, _ := bits.Mul64(r2, r)
	r4, _ := bits.Mul64(r2, r2)
	p, _ := bits.Mul64(r-r2/2+r3/3-r4/4, log2eQ62) // Q62
	return int64(n)<<32 + int64((t.log[i]+p+1<<29)>>30)
}

// mulQ returns a*b in Q32, rounded towards minus infinity. The product has to fit into 95 bits.
func mulQ(a, b int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	// The product of two's complements: what the unsigned one has too much in its upper half.
	hi -= uint64(a>>63)&uint64(b) + uint64(b>>63)&uint64(a)
	return int64(hi<<32 | lo>>32)
}

// part returns a*q for a fraction q in Q32, rounded down; it holds the largest number where that has more than 64 bits.
func part(a, q uint64) uint64 {
	hi, lo := bits.Mul64(a, q)
	if hi>>32 != 0 {
		return 1<<64 - 1
	}
	return hi<<32 | lo>>32
}

// ratio returns a/b in Q32, rounded down, at most limit, which is what it is when b is 0 and a is not.
func ratio(a, b, limit uint64) uint64 {
	if a == 0 {
		return 0
	}
	hi, lo := a>>32, a<<32
	if hi >= b {
		return limit
	}
	q, _ := bits.Div64(hi, lo, b)
	return min(q, limit)
}

// normal turns 64 random bits into a standard normal deviate in Q32, by the inverse of the distribution: algorithm AS
// 241 of Wichura (PPND7, relative error about 1e-7) in integers. The argument counts as (int64(u) + 1/2) / 2^64.
func (t *tables) normal(u uint64) int64 {
	q := int64(u)
	abs := uint64(q ^ q>>63) // |q| - 1/2 for a negative q: the middle of its cell either way
	if abs <= splitQ64 {
		q30 := q >> 34
		r := int64(constQ28) - (q30*q30)>>32
		num := ((a3*r>>28+a2)*r>>28+a1)*r>>28 + a0
		den := ((b3*r>>28+b2)*r>>28+b1)*r>>28 + 1<<28
		return q30 * num / den << 2
	}
	// The tail has the probability (2^63 - abs - 1/2)/2^64; r is the root of minus its logarithm.
	tail := 2*(1<<63-abs) - 1
	v := part(uint64(65*one-t.log2(tail)), ln2Q32)
	r := int64(t.scale(1<<28, (t.log2(v)-32*one)/2))
	var z int64
	if r <= 5<<28 {
		r -= c16
		num := ((c3*r>>28+c2)*r>>28+c1)*r>>28 + c0
		z = num << 28 / ((d2*r>>28+d1)*r>>28 + 1<<28)
	} else {
		r -= 5 << 28
		num := ((e3*r>>28+e2)*r>>28+e1)*r>>28 + e0
		z = num << 28 / ((f2*r>>28+f1)*r>>28 + 1<<28)
	}
	if q < 0 {
		z = -z
	}
	return z << 4
}

// The constants of AS 241, PPND7, in Q28: the published decimals times 2^28.
const (
	splitQ64 = 7_839_866_231_326_559_437 // 0.425 in Q64
	constQ28 = 48_486_154                // 0.180625
	a0       = 909_226_516               // 3.3871327179
	a1       = 13_538_346_786            // 50.434271938
	a2       = 42_759_387_661            // 159.29113202
	a3       = 15_867_051_957            // 59.109374720
	b1       = 4_803_697_977             // 17.895169469
	b2       = 21_141_374_592            // 78.757757664
	b3       = 18_035_524_272            // 67.187563600
	c16      = 429_496_730               // 1.6
	c0       = 382_101_035               // 1.4234372777
	c1       = 740_026_996               // 2.7568153900
	c2       = 350_772_256               // 1.3067284816
	c3       = 45_697_972                // 0.17023821103
	d1       = 197_837_372               // 0.73700164250
	d2       = 32_268_983                // 0.12021132975
	e0       = 1_787_217_796             // 6.6579051150
	e1       = 827_110_410               // 3.0812263860
	e2       = 115_073_701               // 0.42868294337
	e3       = 4_653_920                 // 0.017337203997
	f1       = 64_955_728                // 0.24197894225
	f2       = 3_290_536                 // 0.012258202635
)
