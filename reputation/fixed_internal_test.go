package reputation

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// constant is ln 2 to 200 bits: the sum of 1/(n 2^n).
func ln2() *big.Float {
	sum, power := new(big.Float).SetPrec(200), new(big.Float).SetPrec(200).SetInt64(1)
	for n := int64(1); n < 220; n++ {
		power.Quo(power, big.NewFloat(2))
		sum.Add(sum, new(big.Float).SetPrec(200).Quo(power, new(big.Float).SetInt64(n)))
	}
	return sum
}

func TestConstants(t *testing.T) {
	scaled := func(x *big.Float, bits int) uint64 {
		y := new(big.Float).SetPrec(200).SetMantExp(x, bits)
		v, _ := y.Add(y, big.NewFloat(0.5)).Uint64()
		return v
	}
	require.Equal(t, scaled(ln2(), 64), uint64(ln2Q64))
	log2e := new(big.Float).SetPrec(200).Quo(big.NewFloat(1), ln2())
	require.Equal(t, scaled(log2e, 62), uint64(log2eQ62))
	micro := new(big.Float).SetPrec(200).Mul(ln2(), big.NewFloat(1e6))
	require.Equal(t, scaled(micro, 44), uint64(lnMicroQ44))
	require.InDelta(t, math.Log2(math.Log2E), float64(log2log2e)/logOne, 1e-14)
	require.InDelta(t, math.Log2(20), float64(log20Q60)/0x1p60, 1e-14)
	require.InDelta(t, -math.Log2(0.95), float64(log1by95Q60)/0x1p60, 1e-14)
}

func TestLog2(t *testing.T) {
	tab := newTables()
	rng := rand.New(rand.NewPCG(1, 2))
	check := func(v uint64) {
		require.InDelta(t, math.Log2(float64(v)), float64(tab.log2(v))/logOne, 3e-14, "%d", v)
	}
	for i := range uint64(64) {
		check(1 << i)
		check(1<<i | 1)
		check(1<<i - 1 | 1)
	}
	check(math.MaxUint64)
	for range 200_000 {
		check(max(rng.Uint64()>>rng.UintN(64), 1))
	}
}

func TestExp2(t *testing.T) {
	tab := newTables()
	rng := rand.New(rand.NewPCG(3, 4))
	require.Equal(t, one, tab.exp2neg(0))
	require.InDelta(t, 0.5, float64(tab.exp2neg(logOne))/0x1p64, 1e-16)
	require.Zero(t, tab.exp2neg(64<<48))
	require.Zero(t, tab.exp2neg(math.MaxUint64))
	for range 200_000 {
		x := rng.Uint64N(40 * logOne)
		want := math.Exp2(-float64(x) / logOne)
		require.InDelta(t, want, float64(tab.exp2neg(x))/0x1p64, want*1e-14+0x1p-63)
		require.LessOrEqual(t, tab.exp2neg(x+1), tab.exp2neg(x), "never rises: %d", x)
	}
	for x := -50.0; x < 14.9; x += 0.0137 {
		require.InDelta(t, math.Exp2(x), float64(tab.exp2(int64(x*logOne)))/logOne, math.Exp2(x)*1e-13+1.0/logOne)
	}
}

func TestLogit(t *testing.T) {
	tab := newTables()
	for _, f := range []uint64{0, 1, 2, 1 << 20, 1 << 40, 1 << 62, 1 << 63, 3 << 62, one - 1<<30, one - 1, one} {
		p := math.Ldexp(float64(max(f, 1)), -64)
		s := math.Ldexp(float64(max(one-f, 1)), -64)
		require.InDelta(t, 1e6*(math.Log(s)-math.Log(p)), float64(tab.logit(f)), 0.51)
	}
	require.Equal(t, -tab.logit(1<<62), tab.logit(one-1<<62))
}

func TestPPM(t *testing.T) {
	const millionth = one/1_000_000 + 1 // just over 1e-6
	require.Equal(t, []uint32{0, 0, 0}, []uint32{ppm(0), ppmDown(0), ppmUp(0)})
	require.Equal(t, []uint32{0, 0, 1}, []uint32{ppm(1), ppmDown(1), ppmUp(millionth / 2)})
	require.Equal(t, []uint32{1, 1}, []uint32{ppm(millionth), ppmDown(millionth)})
	require.Equal(t, []uint32{500_000, 500_000, 500_000}, []uint32{ppm(1 << 63), ppmDown(1 << 63), ppmUp(1<<63 - 1)})
	require.Equal(t, uint32(1_000_000), ppm(one))
	require.Equal(t, uint32(999_999), ppmDown(one))
}

// What a day, a week and a month of record say, against figures computed elsewhere in floating point to twelve digits.
func TestOutageVectors(t *testing.T) {
	tab := newTables()
	c := newClock(tab, Default())
	const hour = 3600
	fresh := record{known: true}
	var clean record
	clean.observe(tab, &c, 0, true)
	for at := uint32(hour); at <= 720*hour; at += hour {
		clean.observe(tab, &c, at, true)
	}
	clean.settle(tab, &c)
	yesterday := clean // one outage 24 hours ago, the time up as it is
	for k := range yesterday.e {
		yesterday.e[k] = c.memories[k].kept(tab, 24*hour) >> 32
	}
	for name, v := range map[string]struct {
		r    record
		want [3]float64 // within 1 h, 24 h, 168 h
	}{
		"nothing known":      {fresh, [3]float64{.00264985219846, .0473258312499, .157814462504}},
		"720 h up":           {clean, [3]float64{.000555936188193, .0121644296646, .0606701802636}},
		"outage 24 h before": {yesterday, [3]float64{.00433148394063, .0902220409885, .379787795971}},
	} {
		for i, h := range []uint32{hour, 24 * hour, 168 * hour} {
			require.InDelta(t, v.want[i], float64(v.r.outage(tab, &c, h))/0x1p64, 1e-9, "%s, %d h", name, h/hour)
		}
	}
}

// The table of quantiles is interpolated: against bisection it is off by less than 0.2 % above shape 1, 2 % below.
func TestQuantile(t *testing.T) {
	tab := newTables()
	for lx := -4.63; lx < 9.9; lx += 0.0617 {
		a := math.Exp2(lx)
		for which, p := range []float64{0.05, 0.95} {
			low, high := tab.quantiles(uint64(a * unit))
			got := float64([]int64{low, high}[which]) / logOne * math.Ln2
			share := incompleteGamma(a, got)
			require.InDelta(t, p, share, 0.001, "shape %v", a)
		}
	}
	_, high := tab.quantiles(4096 * unit)
	require.InDelta(t, 12+0.073, float64(high)/logOne, 0.001, "beyond the table the relative width stays")
}

func incompleteGamma(a, lx float64) float64 {
	lg, _ := math.Lgamma(a)
	x, term := math.Exp(lx), 1/a
	sum := term
	for n := 1.0; term > sum*1e-17; n++ {
		term *= x / (a + n)
		sum += term
	}
	return math.Exp(a*lx - x - lg + math.Log(sum))
}
