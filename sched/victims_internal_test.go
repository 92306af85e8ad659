package sched

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomVictims draws a few nodes full of leases, some of which are on several nodes.
func randomVictims(r *rand.Rand, leases int) *victimHunt {
	h := &victimHunt{replicas: 1 + r.IntN(6), each: hostRoom{gpus: 1 + r.Int32N(4)}, steps: new(uint32)}
	if r.IntN(2) == 0 {
		h.each.cpu, h.each.ram = r.Uint64N(8), r.Uint64N(20)
	}
	for range 1 + r.IntN(6) {
		h.nodes = append(h.nodes, hostRoom{r.Int32N(3), r.Uint64N(10), r.Uint64N(30)})
	}
	costs := []uint64{1, 4, 100}[r.IntN(3)] // few costs make ties
	for range leases {
		l := victimLease{cost: r.Uint64N(costs + 1)}
		for _, n := range r.Perm(len(h.nodes))[:1+r.IntN(min(len(h.nodes), 1+r.IntN(3)))] {
			l.parts = append(l.parts, victimPart{int32(n), hostRoom{r.Int32N(5), r.Uint64N(12), r.Uint64N(30)}})
		}
		h.leases = append(h.leases, l)
	}
	*h.steps = 1_000_000
	return h
}

// enough says whether the replicas fit once the leases of a set are evicted, and what that costs.
func (h *victimHunt) enough(set uint) (bool, uint64) {
	free, cost, fit := slices.Clone(h.nodes), uint64(0), 0
	for ; set != 0; set &= set - 1 {
		l := h.leases[bits.TrailingZeros(set)]
		cost += l.cost
		for _, p := range l.parts {
			free[p.node] = hostRoom{free[p.node].gpus + p.gpus, free[p.node].cpu + p.cpu, free[p.node].ram + p.ram}
		}
	}
	for _, f := range free {
		for f.gpus >= h.each.gpus && f.cpu >= h.each.cpu && f.ram >= h.each.ram {
			f = hostRoom{f.gpus - h.each.gpus, f.cpu - h.each.cpu, f.ram - h.each.ram}
			fit++
		}
	}
	return fit >= h.replicas, cost
}

func listed(set uint) (out []int32) {
	for ; set != 0; set &= set - 1 {
		out = append(out, int32(bits.TrailingZeros(set)))
	}
	return out
}

// tryAll tries every set of leases.
func (h *victimHunt) tryAll() (best []int32, cost uint64, ok bool) {
	for set := range uint(1) << len(h.leases) {
		fits, c := h.enough(set)
		if !fits || ok && (c > cost || c == cost && bits.OnesCount(set) > len(best)) {
			continue
		}
		l := listed(set)
		if !ok || c < cost || len(l) < len(best) || slices.Compare(l, best) < 0 {
			best, cost, ok = l, c, true
		}
	}
	return best, cost, ok
}

// checkVictims compares a hunt with trying all, and returns whether it said that it was exact.
func checkVictims(t testing.TB, h *victimHunt) bool {
	budget := *h.steps
	evict, cost, exact, ok := h.run()
	require.LessOrEqual(t, *h.steps, budget)
	want, least, possible := h.tryAll()
	require.Equal(t, possible, ok)
	if !ok {
		require.True(t, exact)
		return true
	}
	require.True(t, slices.IsSorted(evict))
	set := uint(0)
	for _, l := range evict {
		set |= 1 << l
	}
	fits, c := h.enough(set)
	require.True(t, fits)
	require.Equal(t, c, cost)
	for _, l := range evict {
		fits, _ := h.enough(set &^ (1 << l))
		require.False(t, fits, "%d of %v need not be evicted", l, evict)
	}
	if exact {
		require.Equal(t, least, cost)
		require.Equal(t, want, evict)
	}
	return exact
}

// TestVictimsOracle compares the hunt with trying every set of leases.
func TestVictimsOracle(t *testing.T) {
	cases := 5000
	if testing.Short() || underRace {
		cases = 500
	}
	r := rand.New(rand.NewPCG(6, 6))
	for range cases {
		require.True(t, checkVictims(t, randomVictims(r, r.IntN(12))))
	}
}

// TestVictimsSteps gives few steps: what is evicted is still enough, and all of it is needed.
func TestVictimsSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	exact := 0
	for range 1000 {
		h := randomVictims(r, 10)
		*h.steps = 1 + r.Uint32N(100)
		if checkVictims(t, h) {
			exact++
		}
	}
	require.Greater(t, exact, 200)
	require.Less(t, exact, 900)
}

func FuzzVictims(f *testing.F) {
	f.Add(uint64(1), uint8(8), uint32(1_000_000))
	f.Add(uint64(2), uint8(11), uint32(50))
	f.Fuzz(func(t *testing.T, seed uint64, leases uint8, steps uint32) {
		h := randomVictims(rand.New(rand.NewPCG(seed, 1)), int(leases)%13)
		*h.steps = 1 + steps%1_000_000
		checkVictims(t, h)
	})
}

// TestVictimsGangs makes room on 432 nodes of 8 cards that are full, a third of the draws with jobs on 2 to 8 whole nodes. In almost all
// cases the steps of the policy are enough to prove the answer; the greedy one costs more.
func TestVictimsGangs(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	cases, exact := 0, 0
	for _, ask := range [][2]int{{1, 8}, {2, 8}, {16, 8}, {64, 8}, {4, 1}, {64, 1}, {16, 4}} {
		cost, greedy := uint64(0), uint64(0)
		for range 8 {
			leases := gangs(r, 432)
			total := func(steps uint32) (uint64, bool) {
				h := victimHunt{nodes: make([]hostRoom, 432), leases: leases, replicas: ask[0], each: hostRoom{gpus: int32(ask[1])}, steps: &steps}
				_, cost, exact, ok := h.run()
				require.True(t, ok)
				return cost, exact
			}
			least, proven := total(IONet().SearchSteps)
			first, _ := total(1)
			require.LessOrEqual(t, least, first)
			cost, greedy = cost+least, greedy+first
			if cases++; proven {
				exact++
			}
		}
		t.Logf("%d replicas of %d: greedy evicts %d %% of the least cost", ask[0], ask[1], 100*greedy/cost)
	}
	t.Logf("%d of %d proven", exact, cases)
	require.GreaterOrEqual(t, 100*exact, 95*cases)
}

// gangs fills so many nodes of 8 cards with jobs for 1 second to 72 hours.
func gangs(r *rand.Rand, nodes int) (leases []victimLease) {
	for n := 0; n < nodes; n++ {
		if r.IntN(3) == 0 {
			last := min(n+1+r.IntN(7), nodes-1)
			l := victimLease{cost: uint64(last-n+1) * 8 * (1 + r.Uint64N(72*3600))}
			for ; n < last; n++ {
				l.parts = append(l.parts, victimPart{int32(n), hostRoom{gpus: 8}})
			}
			l.parts = append(l.parts, victimPart{int32(n), hostRoom{gpus: 8}})
			leases = append(leases, l)
			continue
		}
		for left := int32(8); left > 0; {
			cards := min(left, 1<<r.IntN(4))
			left -= cards
			l := victimLease{cost: uint64(cards) * (1 + r.Uint64N(72*3600))}
			l.parts = append(l.parts, victimPart{int32(n), hostRoom{gpus: cards}})
			leases = append(leases, l)
		}
	}
	return leases
}
