package simulate

import (
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The stated errors hold against the floating point of the standard library, which has 53 bits.
func TestExp2AndLog2(t *testing.T) {
	tab := newTables()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 100_000 {
		x := rng.Int64N(40*one) - 20*one
		if i < 512 { // the ends of the table's cells
			x = int64(i/2)<<24 - int64(i%2)
		}
		mantissa, power := tab.exp2(x)
		want := math.Exp2(float64(x) / float64(one))
		got := math.Ldexp(float64(mantissa), power-62)
		require.InEpsilon(t, want, got, 1.0/(1<<37), "2^%d", x)
		v := rng.Uint64()>>(i%64) | 1
		require.InDelta(t, math.Log2(float64(v)), float64(tab.log2(v))/float64(one), 1.0/(1<<31), "log2(%d)", v)
	}
	require.Zero(t, tab.log2(1))
	require.Equal(t, 40*one, tab.log2(1<<40))
}

func TestScale(t *testing.T) {
	tab := newTables()
	for _, c := range []struct {
		name string
		a    uint64
		x    int64
		want uint64
	}{
		{"one", 1000, 0, 1000},
		{"double", 1000, one, 2000},
		{"rounds down", 3, -one, 1},
		{"nothing", 0, 70 * one, 0},
		{"far down", 1 << 63, -64 * one, 0},
		{"last bit", 1 << 63, -63 * one, 1},
		{"farther than a product is wide", math.MaxUint64, -200 * one, 0},
		{"most", 1 << 61, one, 1 << 62},
		{"too much", 1 << 62, one, math.MaxInt64},
		{"far too much", 1, 100 * one, math.MaxInt64},
	} {
		require.Equal(t, c.want, tab.scale(c.a, c.x), c.name)
	}
}

// AS 241 states a relative error of about 1e-7; the integers add less than 1e-8.
func TestNormal(t *testing.T) {
	tab := newTables()
	rng := rand.New(rand.NewPCG(3, 4))
	us := []uint64{0, 1, 1<<63 - 1, 1 << 63, 1<<63 + 1, math.MaxUint64, splitQ64, splitQ64 + 1, math.MaxUint64 - splitQ64, math.MaxUint64 - splitQ64 - 1}
	for range 50_000 {
		us = append(us, rng.Uint64(), 1<<63-1-rng.Uint64()>>(8+rng.UintN(40)))
	}
	for _, u := range us {
		// The distance to the nearer end is exact in floating point where it matters.
		tail := (float64(uint64(1<<63)-absCell(u)) - 0.5) / math.Ldexp(1, 64)
		want := min(8, math.Sqrt2*math.Erfcinv(2*tail))
		for range 60 { // Erfcinv is imprecise far out: Newton's steps on Erfc are not
			want += (math.Erfc(want/math.Sqrt2)/2 - tail) / (math.Exp(-want*want/2) / math.Sqrt(2*math.Pi))
		}
		if int64(u) < 0 {
			want = -want
		}
		require.InDelta(t, want, float64(tab.normal(u))/float64(one), 2e-7*max(1, math.Abs(want)), "%d", u)
	}
}

func absCell(u uint64) uint64 { q := int64(u); return uint64(q ^ q>>63) }

// The deviates have the moments of the standard normal distribution, within four standard errors.
func TestNormalMoments(t *testing.T) {
	tab := newTables()
	var rng rand.PCG
	rng.Seed(5, 6)
	const n = 200_000
	var m1, m2, m3, m4 float64
	for range n {
		z := float64(tab.normal(rng.Uint64())) / float64(one)
		m1, m2, m3, m4 = m1+z, m2+z*z, m3+z*z*z, m4+z*z*z*z
	}
	require.InDelta(t, 0, m1/n, 4*math.Sqrt(1.0/n))
	require.InDelta(t, 1, m2/n, 4*math.Sqrt(2.0/n))
	require.InDelta(t, 0, m3/n, 4*math.Sqrt(15.0/n))
	require.InDelta(t, 3, m4/n, 4*math.Sqrt(96.0/n))
}

// checkProducts compares the products and quotients with big integers.
func checkProducts(t *testing.T, a, b, c uint64) {
	t.Helper()
	A, B, C := new(big.Int).SetUint64(a), new(big.Int).SetUint64(b), new(big.Int).SetUint64(c)
	clip := func(x *big.Int, most uint64) uint64 {
		if !x.IsUint64() || x.Uint64() > most {
			return most
		}
		return x.Uint64()
	}
	product := new(big.Int).Mul(A, B)
	require.Equal(t, clip(new(big.Int).Rsh(product, 32), math.MaxUint64), part(a, b), "part(%d, %d)", a, b)
	if c == 0 {
		require.Equal(t, uint64(math.MaxUint64), mulDiv(a, b, c))
	} else {
		require.Equal(t, clip(new(big.Int).Quo(product, C), math.MaxUint64), mulDiv(a, b, c), "mulDiv(%d, %d, %d)", a, b, c)
	}
	switch {
	case a == 0:
		require.Zero(t, ratio(a, c, b))
	case c == 0:
		require.Equal(t, b, ratio(a, c, b))
	default:
		require.Equal(t, clip(new(big.Int).Quo(new(big.Int).Lsh(A, 32), C), b), ratio(a, c, b), "ratio(%d, %d, %d)", a, c, b)
	}
	x, y := int64(a), int64(b)>>(64-min(64, 95-min(95, bits.Len64(a)))) // products of up to 95 bits
	signed := new(big.Int).Mul(big.NewInt(x), big.NewInt(y))
	if signed.Rsh(signed, 32); signed.IsInt64() {
		require.Equal(t, signed.Int64(), mulQ(x, y), "mulQ(%d, %d)", x, y)
	}
	worth := clip(new(big.Int).Quo(product, big.NewInt(100_000_000)), math.MaxUint64)
	require.Equal(t, worth, usd(a, b), "usd(%d, %d)", a, b)
}

func FuzzProducts(f *testing.F) {
	for _, s := range [][3]uint64{{0, 0, 0}, {1, 1, 1}, {math.MaxUint64, math.MaxUint64, 1}, {1 << 63, 2, 1 << 32}, {1<<63 - 1, 1 << 32, 3}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(checkProducts)
}

func TestProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 5_000 {
		checkProducts(t, rng.Uint64()>>rng.UintN(64), rng.Uint64()>>rng.UintN(64), rng.Uint64()>>rng.UintN(65))
	}
}

// checkBand compares a selection with a sorted column.
func checkBand(t *testing.T, sel *selector, column []int32) {
	t.Helper()
	before := slices.Clone(column)
	got := sel.band(column)
	require.Equal(t, before, column, "the column is left as it was")
	sorted := slices.Sorted(slices.Values(column))
	n := len(sorted)
	sum := new(big.Int)
	for _, v := range column {
		sum.Add(sum, big.NewInt(int64(v)))
	}
	mean, rest := new(big.Int).DivMod(sum, big.NewInt(int64(n)), new(big.Int)) // Euclidean: rounds down for a positive divisor
	require.GreaterOrEqual(t, rest.Sign(), 0)
	// The smallest value that at least p % do not exceed.
	rank := func(p int) int64 {
		for i, v := range sorted {
			if (i+1)*100 >= p*n {
				return int64(v)
			}
		}
		return 0
	}
	require.Equal(t, Band{rank(5), rank(50), rank(95), mean.Int64()}, got)
}

func TestBand(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	sel := new(selector)
	for _, column := range [][]int32{{7}, {1, 2}, {math.MinInt32, math.MaxInt32}, {5, 5, 5, 5}, {-3, -3, -2}} {
		checkBand(t, sel, column)
	}
	for i := range 300 {
		column := make([]int32, 1+rng.IntN(400))
		for j := range column {
			column[j] = int32(rng.Uint32()) >> rng.UintN(31)
			if i%3 == 0 { // nearly all in one part of the range
				column[j] = 1000 + column[j]&15
			}
		}
		if i%3 == 0 {
			column[0] = math.MaxInt32
		}
		checkBand(t, sel, column)
	}
}

func FuzzBand(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, data []byte) {
		var column []int32
		for len(data) >= 4 {
			column = append(column, int32(uint32(data[0])|uint32(data[1])<<8|uint32(data[2])<<16|uint32(data[3])<<24))
			data = data[4:]
		}
		if len(column) > 0 {
			checkBand(t, new(selector), column)
		}
	})
}
