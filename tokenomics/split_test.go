package tokenomics_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestSplit(t *testing.T) {
	const most = math.MaxUint64
	for _, c := range []struct {
		name    string
		total   tokenomics.Amount
		weights []uint64
		want    []tokenomics.Amount
	}{
		{"one receiver", 7, []uint64{3}, []tokenomics.Amount{7}},
		{"even", 6, []uint64{1, 1, 1}, []tokenomics.Amount{2, 2, 2}},
		{"the last third gets the odd unit", 7, []uint64{1, 1, 1}, []tokenomics.Amount{2, 2, 3}},
		{"less than a unit each", 1, []uint64{1, 1, 1}, []tokenomics.Amount{0, 0, 1}},
		{"nothing", 0, []uint64{1, 2}, []tokenomics.Amount{0, 0}},
		{"a zero weight gets nothing", 10, []uint64{0, 1, 0, 1, 0}, []tokenomics.Amount{0, 5, 0, 5, 0}},
		{"8 of 10 parts of epoch 105", 455_962_004_271, []uint64{8, 2}, []tokenomics.Amount{364_769_603_416, 91_192_400_855}},
		{"largest of all", most, []uint64{most}, []tokenomics.Amount{most}},
		{"largest sum of weights", most, []uint64{most - 1, 1}, []tokenomics.Amount{most - 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := tokenomics.Split(c.total, c.weights)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		weights []uint64
		says    string
	}{
		{"none", nil, "0 weights add up to zero"},
		{"zeros", []uint64{0, 0}, "2 weights add up to zero"},
		{"sum of 65 bits", []uint64{math.MaxUint64, 1}, "exceeds 64 bits"},
		{"sum that wraps to something small", []uint64{math.MaxUint64, 5, 1}, "exceeds 64 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts, err := tokenomics.Split(1, c.weights)
			require.ErrorIs(t, err, tokenomics.ErrWeights)
			require.ErrorContains(t, err, c.says)
			require.Nil(t, parts)
		})
	}
	dst := []tokenomics.Amount{4, 4, 4}
	require.ErrorIs(t, tokenomics.SplitInto(dst, 9, []uint64{1, 1}), tokenomics.ErrWeights)
	require.ErrorIs(t, tokenomics.SplitInto(dst, 9, []uint64{0, 0, 0}), tokenomics.ErrWeights)
	require.Equal(t, []tokenomics.Amount{4, 4, 4}, dst, "an error changes nothing")
}

// splitModel is the formula of Split's comment, in fractions.
func splitModel(total uint64, weights []uint64) []tokenomics.Amount {
	sum := new(big.Rat)
	for _, w := range weights {
		sum.Add(sum, new(big.Rat).SetUint64(w))
	}
	floor := func(upTo *big.Rat) uint64 {
		v := new(big.Rat).Mul(new(big.Rat).SetUint64(total), upTo)
		v.Quo(v, sum)
		return new(big.Int).Quo(v.Num(), v.Denom()).Uint64()
	}
	parts, upTo := make([]tokenomics.Amount, len(weights)), new(big.Rat)
	for i, w := range weights {
		before := floor(upTo)
		upTo.Add(upTo, new(big.Rat).SetUint64(w))
		parts[i] = tokenomics.Amount(floor(upTo) - before)
	}
	return parts
}

// checkSplit proves the properties that the comment of Split states, with math/big.
func checkSplit(t *testing.T, total tokenomics.Amount, weights []uint64) {
	t.Helper()
	parts, err := tokenomics.Split(total, weights)
	sum := new(big.Int)
	for _, w := range weights {
		sum.Add(sum, new(big.Int).SetUint64(w))
	}
	if sum.Sign() == 0 || !sum.IsUint64() {
		require.ErrorIs(t, err, tokenomics.ErrWeights)
		return
	}
	require.NoError(t, err)
	require.Equal(t, splitModel(uint64(total), weights), parts)
	paid := new(big.Int)
	for i, part := range parts {
		paid.Add(paid, new(big.Int).SetUint64(uint64(part)))
		// |part*T - total*w| < T
		exact := new(big.Int).Mul(new(big.Int).SetUint64(uint64(total)), new(big.Int).SetUint64(weights[i]))
		off := new(big.Int).Mul(new(big.Int).SetUint64(uint64(part)), sum)
		off.Sub(off, exact)
		require.Negative(t, off.CmpAbs(sum), "part %d is a unit off or more", i)
		if uint64(total) <= sum.Uint64() {
			require.LessOrEqual(t, uint64(part), weights[i])
		}
	}
	require.Equal(t, uint64(total), paid.Uint64())
	require.True(t, paid.IsUint64())
}

func TestSplitOfNeighboursTelescopes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		whole := make([]uint64, 1+r.IntN(8))
		var pieces []uint64
		var owner []int
		for i := range whole {
			for range 1 + r.IntN(4) {
				w := r.Uint64N(1 << 40)
				whole[i] += w
				pieces, owner = append(pieces, w), append(owner, i)
			}
		}
		whole[0]++
		pieces[0]++
		total := tokenomics.Amount(r.Uint64())
		together, err := tokenomics.Split(total, whole)
		require.NoError(t, err)
		apart, err := tokenomics.Split(total, pieces)
		require.NoError(t, err)
		sums := make([]tokenomics.Amount, len(whole))
		for i, part := range apart {
			sums[owner[i]] += part
		}
		require.Equal(t, together, sums, "cutting a holder into neighbouring parts changes what it gets")
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(uint64(7), []byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add(uint64(math.MaxUint64), []byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, total uint64, raw []byte) {
		var weights []uint64
		for ; len(raw) >= 8; raw = raw[8:] {
			weights = append(weights, binary.LittleEndian.Uint64(raw))
		}
		if len(raw) > 0 {
			weights = append(weights, uint64(raw[0]))
		}
		checkSplit(t, tokenomics.Amount(total), weights)
	})
}

func benchWeights(n int) []uint64 {
	r := rand.New(rand.NewPCG(3, 4))
	weights := make([]uint64, n)
	for i := range weights {
		weights[i] = r.Uint64N(1 << 40)
	}
	return weights
}

func BenchmarkSplitInto(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("receivers=%d", n), func(b *testing.B) {
			weights := benchWeights(n)
			dst := make([]tokenomics.Amount, n)
			b.ReportAllocs()
			for b.Loop() {
				if err := tokenomics.SplitInto(dst, 455_962_004_271, weights); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
