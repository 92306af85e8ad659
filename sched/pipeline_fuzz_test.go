package sched_test

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// FuzzPipelineCost compares counts of sites, flows and subsets with devices, pairs and all orders.
func FuzzPipelineCost(f *testing.F) {
	for seed := range int64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		r := rand.New(rand.NewSource(seed))
		p, s := randomPipeline(r, 6, 7, 7)
		groups := chunked(p, r.Perm(len(s.Site)))
		exchange, path := exactCost(p, s).cost(groups)
		cost, err := p.Cost(s, groups)
		require.NoError(t, err)
		require.Equal(t, sched.PipelineCost{ExchangeNanos: uint64(exchange), PathNanos: uint64(path)}, cost)
		a, err := p.Order(s, groups)
		require.NoError(t, err)
		requireArrangement(t, p, s, a)
		require.Equal(t, cost, a.Cost)
		require.Equal(t, groupSets(groups), groupSets(a.Groups))
		other := slices.Clone(groups)
		r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		again, err := p.Cost(s, other)
		require.NoError(t, err)
		require.Equal(t, cost, again, "the order of the groups matters")
	})
}

// FuzzPipelineArrange takes any arguments: it panics on none, and what it returns is sound.
func FuzzPipelineArrange(f *testing.F) {
	for seed := range int64(40) {
		f.Add(seed, uint64(seed), uint16(300), uint16(0), uint64(1e9), uint64(1e9), 0, uint32(1e5), uint32(100))
	}
	// Here the search used to end with less than the best regular deal was worth in its best order.
	f.Add(int64(16), uint64(31), uint16(300), uint16(0), uint64(1e9), uint64(1e9), 0, uint32(1e5), uint32(100))
	f.Add(int64(1), uint64(1), uint16(10), uint16(1), uint64(1)<<40, uint64(1)<<40, -1, uint32(0), uint32(0))
	f.Add(int64(2), uint64(1), uint16(10), uint16(0), uint64(1)<<40+1, uint64(0), 5, uint32(1e8), uint32(1))
	f.Fuzz(func(t *testing.T, shape int64, seed uint64, steps, stages uint16, activation, gradient uint64, site int, delay, mbps uint32) {
		r := rand.New(rand.NewSource(shape))
		p, s := randomPipeline(r, 16, 16, 20)
		p.Stages ^= stages
		p.ActivationBytes, p.GradientBytes = activation, gradient
		s.Site[0] ^= site
		x, y := r.Intn(len(s.Links)), r.Intn(len(s.Links))
		s.Links[x][y] = sched.PipelineLink{DelayMicros: delay, Mbps: mbps}
		if r.Intn(4) > 0 {
			s.Links[y][x] = s.Links[x][y]
		}
		before := slices.Clone(s.Site)
		a, err := p.Arrange(s, seed, uint32(steps))
		require.Equal(t, before, s.Site)
		if err != nil {
			require.ErrorIs(t, err, sched.ErrInvalid)
			require.Zero(t, a)
			return
		}
		requireArrangement(t, p, s, a)
		regular, err := p.Arrange(s, seed, 0)
		require.NoError(t, err)
		require.LessOrEqual(t, a.Cost.TotalNanos(), regular.Cost.TotalNanos())
		again, err := p.Arrange(s, seed, uint32(steps))
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}

// requireArrangement wants every device once, the cost that the groups have, and devices of one place that are really as near as the path says.
func requireArrangement(t *testing.T, p sched.Pipeline, s sched.PipelineSites, a sched.Arrangement) {
	t.Helper()
	cost, err := p.Cost(s, a.Groups) // refuses groups of another shape and devices that come twice
	require.NoError(t, err)
	require.Equal(t, cost, a.Cost)
	slow, path := exactCost(p, s), uint64(0)
	for k := 1; k < len(a.Groups); k++ {
		slowest := int64(0)
		for i, d := range a.Groups[k] {
			slowest = max(slowest, slow.pass[a.Groups[k-1][i]][d])
		}
		path += uint64(slowest)
	}
	require.Equal(t, a.Cost.PathNanos, path)
}

// groupSets are the groups, sorted inside and among each other.
func groupSets(groups [][]int) [][]int {
	out := make([][]int, 0, len(groups))
	for _, g := range groups {
		out = append(out, slices.Sorted(slices.Values(g)))
	}
	slices.SortFunc(out, slices.Compare)
	return out
}
