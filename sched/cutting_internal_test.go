package sched

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCuttingPrices checks that the prices are the dual optimum: no way to cut a device is worth more than the device, and the sum of all shares at their prices is what
// some fractional packing needs, which the last basis gives; so by weak duality neither can be improved.
func TestCuttingPrices(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		sizes, counts := randomShares(r)
		prices, det := cuttingPrices(sizes, counts)
		best := knapsack(sizes, prices)
		require.LessOrEqual(t, best[wholeMilli].Cmp(det), 0, "%v %v", sizes, counts)
		// The dual value is at least what every single size needs, and at most one device a share.
		value := new(big.Int)
		all := int64(0)
		for i, n := range counts {
			require.GreaterOrEqual(t, prices[i].Sign(), 0)
			value.Add(value, new(big.Int).Mul(prices[i], big.NewInt(n)))
			all += n
		}
		require.LessOrEqual(t, value.Cmp(new(big.Int).Mul(det, big.NewInt(all))), 0)
		volume := int64(0)
		for i, n := range counts {
			volume += n * int64(sizes[i])
		}
		require.GreaterOrEqual(t, new(big.Int).Mul(value, big.NewInt(wholeMilli)).Cmp(new(big.Int).Mul(det, big.NewInt(volume))), 0,
			"packing needs fewer devices than the shares fill: %v %v", sizes, counts)
	}
}

func randomShares(r *rand.Rand) (sizes []int, counts []int64) {
	for range 1 + r.IntN(12) {
		if s := 10 * (1 + r.IntN(99)); !slices.Contains(sizes, s) {
			sizes = append(sizes, s)
		}
	}
	slices.Sort(sizes)
	for range sizes {
		counts = append(counts, 1+r.Int64N(1000))
	}
	return sizes, counts
}

// TestCardValues has cases that can be worked out by hand.
func TestCardValues(t *testing.T) {
	for _, c := range []struct {
		name   string
		sizes  []int
		counts []int64
		want   map[int]int32
	}{
		{"no shares: only a whole device is worth something", nil, nil, map[int]int32{0: 0, 999: 0, 1000: 1000}},
		{"halves", []int{500}, []int64{7}, map[int]int32{499: 0, 500: 500, 999: 500, 1000: 1000}},
		{"two thirds take a device each", []int{670}, []int64{3}, map[int]int32{330: 0, 669: 0, 670: 1000, 1000: 1000}},
		// 300 fit three times, 700 with one of them: enough small ones make both worth their part of such a device.
		{"many small beside large", []int{300, 700}, []int64{900, 10}, map[int]int32{299: 0, 300: 333, 600: 666, 699: 666, 700: 666, 900: 1000}},
		// With few small ones a large one takes a device, and what is beside it is worth nothing.
		{"few small beside large", []int{300, 700}, []int64{5, 900}, map[int]int32{300: 0, 699: 0, 700: 1000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := cardValues(c.sizes, c.counts)
			for r, want := range c.want {
				require.Equal(t, want, v[r], "%d", r)
			}
			require.True(t, slices.IsSorted(v[:]))
		})
	}
}

// TestCuttingOptimum compares the dual value with the best of all fractional packings of two sizes, which is found by trying every pair of patterns.
func TestCuttingOptimum(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		a, b := 10*(5+r.IntN(95)), 10*(5+r.IntN(95))
		if a == b {
			continue
		}
		sizes, counts := []int{min(a, b), max(a, b)}, []int64{1 + r.Int64N(50), 1 + r.Int64N(50)}
		prices, det := cuttingPrices(sizes, counts)
		got := new(big.Rat)
		for i := range sizes {
			got.Add(got, new(big.Rat).SetFrac(new(big.Int).Mul(prices[i], big.NewInt(counts[i])), det))
		}
		require.Zero(t, got.Cmp(bestOfPairs(sizes, counts)), "%v %v: %v", sizes, counts, got)
	}
}

// bestOfPairs is the least number of devices over all mixtures of two patterns that hold both counts.
func bestOfPairs(sizes []int, counts []int64) *big.Rat {
	var patterns [][2]int64
	for x := range int64(wholeMilli/sizes[0]) + 1 {
		patterns = append(patterns, [2]int64{x, (wholeMilli - x*int64(sizes[0])) / int64(sizes[1])})
	}
	var best *big.Rat
	keep := func(v *big.Rat) {
		if best == nil || v.Cmp(best) < 0 {
			best = v
		}
	}
	for _, p := range patterns {
		if p[0] > 0 && p[1] > 0 { // one pattern for all
			x, y := big.NewRat(counts[0], p[0]), big.NewRat(counts[1], p[1])
			if x.Cmp(y) < 0 {
				x = y
			}
			keep(x)
		}
		for _, q := range patterns {
			d := p[0]*q[1] - p[1]*q[0]
			if d == 0 {
				continue
			}
			x, y := big.NewRat(counts[0]*q[1]-counts[1]*q[0], d), big.NewRat(p[0]*counts[1]-p[1]*counts[0], d)
			if x.Sign() >= 0 && y.Sign() >= 0 {
				keep(new(big.Rat).Add(x, y))
			}
		}
	}
	return best
}
