package sched_test

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// bound looks for arrangements that cost less than total and leaves nothing out. It handles groups by what they have of each site.
type bound struct {
	t        testing.TB
	p        sched.Pipeline
	s        sched.PipelineSites
	devices  [][]int // by site
	exchange [][]int64
	total    int64
	limit    int64   // what a group may exchange at most
	groups   [][]int // those that exchange less than the limit
	chosen   [][]int
}

// cheaper reports whether any arrangement costs less than total.
//
// Two groups whose pass is faster than every link between sites have the same devices at each site. So an order with b slower passes has at most
// b+1 kinds of groups, and its path is at least that of b passes between sites and the others inside. What total leaves above that is the most
// that a group may exchange. Few kinds of groups do with so little: all ways to make the groups of b+1 of them are tried, and those
// that are possible are priced.
func cheaper(t testing.TB, p sched.Pipeline, s sched.PipelineSites, total uint64) bool {
	t.Helper()
	h := bound{t: t, p: p, s: s, devices: make([][]int, len(s.Links)), total: int64(total)}
	for d, a := range s.Site {
		h.devices[a] = append(h.devices[a], d)
	}
	slow := exactCost(p, s)
	const never = 1 << 56
	inside, between := int64(never), int64(never)
	h.exchange = make([][]int64, len(s.Links))
	for a := range s.Links {
		h.exchange[a] = make([]int64, len(s.Links))
		for b := range s.Links {
			if len(h.devices[a]) == 0 || len(h.devices[b]) == 0 || a == b && len(h.devices[a]) == 1 {
				continue
			}
			x, y := h.devices[a][0], h.devices[b][len(h.devices[b])-1]
			h.exchange[a][b] = slow.exchange[x][y]
			if a == b {
				inside = min(inside, slow.pass[x][y])
			} else {
				between = min(between, slow.pass[x][y])
			}
		}
	}
	room := make([]int, len(s.Links))
	for a := range room {
		room[a] = len(h.devices[a])
	}
	inside = min(inside, between) // so that fewer kinds are never bounded more tightly, and a kind need not be tried twice
	stages := int(p.Stages)
	for b := range stages {
		h.limit, h.groups = h.total-2*(int64(b)*between+int64(stages-1-b)*inside), nil
		h.list(make([]int, len(room)), 0, int(p.Width))
		if h.divide(room, b+1, stages, -1, -1) {
			return true
		}
	}
	return false
}

// list appends every group that has what count says at the sites before s, and left devices at the others.
func (h *bound) list(count []int, s, left int) {
	if s == len(count)-1 {
		count[s] = left
		if h.exchangeOf(count) < h.limit {
			h.groups = append(h.groups, slices.Clone(count))
		}
		return
	}
	for n := range left + 1 {
		count[s] = n
		h.list(count, s+1, left-n)
	}
}

func (h *bound) exchangeOf(count []int) int64 {
	worst := int64(0)
	for a, n := range count {
		if n == 0 {
			continue
		}
		sum := -h.exchange[a][a]
		for b, m := range count {
			sum += int64(m) * h.exchange[a][b]
		}
		worst = max(worst, sum)
	}
	return worst
}

// divide reports whether so many groups of so many kinds can be made of what is left of each site, for less than total. last is the kind that was
// chosen before, and was chosen because something of lastSite was left.
func (h *bound) divide(room []int, kinds, groups, lastSite, last int) bool {
	if kinds == 1 {
		count := make([]int, len(room))
		for s, n := range room {
			if n%groups != 0 {
				return false
			}
			count[s] = n / groups
		}
		return h.exchangeOf(count) < h.limit && h.price(count, groups) < h.total
	}
	site := slices.IndexFunc(room, func(n int) bool { return n > 0 })
	for i, g := range h.groups {
		// Some kind has to take from this site: be it this one. Of two that do, the first in the list comes first.
		if g[site] == 0 || site == lastSite && i <= last {
			continue
		}
		n := 0
		for n < groups-kinds+1 && fits(room, g) {
			take(room, g, 1)
			h.chosen = append(h.chosen, g)
			n++
			if h.divide(room, kinds-1, groups-n, site, i) {
				return true
			}
		}
		take(room, g, -n)
		h.chosen = h.chosen[:len(h.chosen)-n]
	}
	return false
}

func fits(room, g []int) bool {
	for s, n := range g {
		if n > room[s] {
			return false
		}
	}
	return true
}

func take(room, g []int, times int) {
	for s, n := range g {
		room[s] -= times * n
	}
}

// price is what the chosen groups cost, the last ones being alike.
func (h *bound) price(count []int, groups int) int64 {
	given := make([]int, len(count))
	out := make([][]int, 0, int(h.p.Stages))
	for _, g := range append(slices.Clone(h.chosen), slices.Repeat([][]int{count}, groups)...) {
		var devices []int
		for s, n := range g {
			devices = append(devices, h.devices[s][given[s]:given[s]+n]...)
			given[s] += n
		}
		out = append(out, devices)
	}
	c, err := h.p.Cost(h.s, out)
	require.NoError(h.t, err)
	return int64(c.TotalNanos())
}

// TestPipelineOptimal proves that no arrangement of the published cases costs less than the one found, by whatever search.
func TestPipelineOptimal(t *testing.T) {
	for _, c := range publishedCases() {
		if (testing.Short() || underRace) && c.name == "worldwide" {
			continue // takes a second or two
		}
		a, err := gpt().Arrange(c.sites(), 0, 0)
		require.NoError(t, err)
		require.False(t, cheaper(t, gpt(), c.sites(), a.Cost.TotalNanos()), c.name)
		require.True(t, cheaper(t, gpt(), c.sites(), a.Cost.TotalNanos()+1), c.name)
	}
}

// TestPipelineBound compares the bound with all divisions.
func TestPipelineBound(t *testing.T) {
	r := rand.New(rand.NewSource(8))
	for range 300 {
		p, s := randomPipeline(r, 4, 3, 5)
		best := uint64(math.MaxUint64)
		divisions(len(s.Site), int(p.Width), func(groups [][]int) {
			if c, err := p.Cost(s, groups); err == nil {
				best = min(best, c.TotalNanos())
			}
		})
		require.False(t, cheaper(t, p, s, best))
		require.True(t, cheaper(t, p, s, best+1))
	}
}
