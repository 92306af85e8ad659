package sched

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// scattered is a search for 8 stages of 8 at 8 sites on a line, one farther than the other, with all devices of a site in one group.
func scattered(t testing.TB, seed uint64) *pipelineSearch {
	t.Helper()
	s := PipelineSites{Links: make([][]PipelineLink, 8)}
	for a := range s.Links {
		for b := range s.Links {
			far := max(a-b, b-a)
			s.Links[a] = append(s.Links[a], PipelineLink{DelayMicros: uint32(2_000 + 9_000*far), Mbps: uint32(3_000 / (1 + far))})
		}
		s.Site = append(s.Site, slices.Repeat([]int{a}, 8)...)
	}
	tariff, compact, err := Pipeline{Stages: 8, Width: 8, ActivationBytes: 470_000_000, GradientBytes: 650_000_000}.tariff(s)
	require.NoError(t, err)
	h := newSearch(tariff, compact, seed)
	h.nearest()
	h.dealEvenly(1)
	return h
}

// TestPipelineSearchKeepsCount compares what a search carries along with what follows from the groups.
func TestPipelineSearchKeepsCount(t *testing.T) {
	h := scattered(t, 1)
	for range 200 {
		h.anneal(20, warmPart)
		fresh := newCrew(h.tariff)
		copy(fresh.member, h.member)
		fresh.settle()
		require.Equal(t, fresh.count, h.count)
		require.Equal(t, fresh.load, h.load)
		require.Equal(t, fresh.exchange, h.exchange)
		cost := fresh.cost(h.order)
		require.Equal(t, int64(cost.TotalNanos()), h.total)
		total, energy, content := h.total, h.energy, slices.Clone(h.content)
		h.measure()
		h.recount()
		require.Equal(t, total, h.total)
		require.Equal(t, energy, h.energy)
		require.Equal(t, content, h.content)
		require.LessOrEqual(t, h.best, h.total)
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(h.order))), h.stages)
		copy(fresh.member, h.bestMember)
		fresh.settle()
		best := fresh.cost(h.bestOrder)
		require.Equal(t, int64(best.TotalNanos()), h.best)
	}
}

func TestPipelineAnnealAllocatesNothing(t *testing.T) {
	h := scattered(t, 1)
	h.anneal(1_000, coolPart)
	require.Zero(t, testing.AllocsPerRun(20, func() { h.anneal(500, coolPart) }))
}

// TestPipelineAnnealImproves starts from the worst regular deal, so that no other deal is what it lives on.
func TestPipelineAnnealImproves(t *testing.T) {
	h := scattered(t, 1)
	from := h.best
	h.anneal(10_000, coolPart)
	require.Less(t, h.best, from*9/10)
}

// TestPipelineDeals wants every device dealt, whatever the blocks.
func TestPipelineDeals(t *testing.T) {
	h := scattered(t, 3)
	for n := 1; n <= 8; n++ {
		if n&(n-1) == 0 {
			h.dealEvenly(n)
		} else {
			h.nearest()
			h.dealUnevenly()
		}
		devices := make([]int, h.sites)
		for _, s := range h.member {
			devices[s]++
		}
		require.Equal(t, h.room, devices)
	}
}

// TestPipelineBottleneck compares flows between sites with all ways to pair the devices.
func TestPipelineBottleneck(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	for range 3_000 {
		sites, width, ranks := 1+r.Intn(6), 1+r.Intn(6), 1+r.Intn(12)
		c := &tariff{sites: sites, rank: make([]int32, sites*sites)}
		for i := range c.rank {
			c.rank[i] = int32(r.Intn(ranks))
		}
		var a, b []int
		left, right := make([]int16, sites), make([]int16, sites)
		for range width {
			x, y := r.Intn(sites), r.Intn(sites)
			a, b = append(a, x), append(b, y)
			left[x]++
			right[y]++
		}
		best := int32(math.MaxInt32)
		var pair func(i int, worst int32)
		pair = func(i int, worst int32) {
			if i == width {
				best = min(best, worst)
				return
			}
			for j := i; j < width; j++ {
				b[i], b[j] = b[j], b[i]
				pair(i+1, max(worst, c.rank[a[i]*sites+b[i]]))
				b[i], b[j] = b[j], b[i]
			}
		}
		pair(0, 0)
		m := newMatching(min(width, sites))
		require.Equal(t, best, m.bottleneck(c, left, right), "%v to %v by %v", a, b, c.rank)
		for _, x := range a {
			y := m.partner(x)
			require.LessOrEqual(t, c.rank[x*sites+y], best)
			right[y]--
		}
		require.Equal(t, make([]int16, sites), right)
	}
}

// TestPipelineExponential wants about the mean and the tail of an exponential variate.
func TestPipelineExponential(t *testing.T) {
	d, sum, tail := splitMix(9), 0.0, 0
	const n = 200_000
	for range n {
		probe := d
		u := float64(probe.next()|1) / (1 << 63) / 2
		v := float64(d.exponential()) / (1 << expBits)
		require.InDelta(t, -math.Log(u)+0.03, v, 0.0301)
		sum += v
		if v > 3 {
			tail++
		}
	}
	require.InDelta(t, 1.0, sum/n, 0.06)
	require.InDelta(t, math.Exp(-3), float64(tail)/n, 0.005)
}

// TestPipelineDrawBelow wants the published stream of SplitMix64 for seed 0 (as in Java's SplittableRandom), and every number equally often.
func TestPipelineDrawBelow(t *testing.T) {
	d := splitMix(0)
	require.Equal(t, uint64(0xe220a8397b1dcdaf), d.next())
	require.Equal(t, uint64(0x6e789e6aa1b965f4), d.next())
	seen := make([]int, 7)
	for range 70_000 {
		seen[d.below(7)]++
	}
	for _, n := range seen {
		require.InDelta(t, 10_000, n, 400)
	}
}
