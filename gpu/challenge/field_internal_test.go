package challenge

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzField holds the field of 2^61-1 to math/big.
func FuzzField(f *testing.F) {
	for _, x := range []uint64{0, 1, mersenne - 1, mersenne, mersenne + 1, math.MaxUint64, 1 << 63} {
		f.Add(x, x, int64(x))
	}
	p := big.NewInt(mersenne)
	mod := func(x *big.Int) uint64 { return new(big.Int).Mod(x, p).Uint64() }
	u := func(x uint64) *big.Int { return new(big.Int).SetUint64(x) }
	f.Fuzz(func(t *testing.T, a, b uint64, c int64) {
		require.Equal(t, mod(u(a)), fold(a))
		require.Equal(t, mod(big.NewInt(c)), fieldOf(c))
		x, y := fold(a), fold(b)
		require.Equal(t, mod(new(big.Int).Add(u(x), u(y))), addField(x, y))
		require.Equal(t, mod(new(big.Int).Mul(u(x), u(y))), mulField(x, y))
		hi := a >> 6
		require.Equal(t, mod(new(big.Int).Add(new(big.Int).Lsh(u(hi), 64), u(b))), reduce(hi, b))
		v := []int32{int32(c), int32(a), math.MinInt32, -1}
		want := new(big.Int)
		for i, s := range []uint64{x, y, mersenne - 1, x} {
			want.Add(want, new(big.Int).Mul(big.NewInt(int64(v[i])), u(s)))
		}
		require.Equal(t, mod(want), dotField(v, []uint64{x, y, mersenne - 1, x}))
	})
}
