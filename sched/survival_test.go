package sched_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// part is something that is lost as a whole: a node, or a site with its nodes.
type part struct {
	lossPPM uint32
	members int
	inside  []part
}

// lives is the exact chance that a part lives for so many hours.
func (p *part) lives(hours int) *big.Rat {
	hour := big.NewRat(1_000_000-int64(p.lossPPM), 1_000_000)
	out := big.NewRat(1, 1)
	for range hours {
		out.Mul(out, hour)
	}
	return out
}

// atLeast is the exact chance that at least need members live, by going through every case.
func atLeast(parts []part, need, hours int) *big.Rat {
	if len(parts) == 0 {
		if need <= 0 {
			return big.NewRat(1, 1)
		}
		return new(big.Rat)
	}
	p, rest := parts[0], parts[1:]
	lives := p.lives(hours)
	dies := new(big.Rat).Sub(big.NewRat(1, 1), lives)
	with := append(append([]part(nil), p.inside...), rest...)
	a := new(big.Rat).Mul(lives, atLeast(with, need-p.members, hours))
	b := new(big.Rat).Mul(dies, atLeast(rest, need, hours))
	return a.Add(a, b)
}

// ppm is a chance in parts per million, rounded down.
func ppm(r *big.Rat) int64 {
	n := new(big.Int).Mul(r.Num(), big.NewInt(1_000_000))
	return n.Quo(n, r.Denom()).Int64()
}

// slack is by how much, in parts per million, a chance may be rounded down on its way through some hundred products of 32 bits.
const slack = 2

func TestSurvivalIsNeverOverstated(t *testing.T) {
	g := rand.New(rand.NewPCG(14, 14))
	for range 500 {
		var parts []part
		var chances []uint32
		for range g.IntN(10) {
			loss := g.Uint32N(1 << g.IntN(21))
			loss = min(loss, 1_000_000)
			parts = append(parts, part{lossPPM: loss, members: 1})
			chances = append(chances, 1_000_000-loss)
		}
		for need := range len(parts) + 2 {
			want, got := ppm(atLeast(parts, need, 1)), int64(sched.Survival(chances, need))
			require.LessOrEqual(t, got, want)
			require.GreaterOrEqual(t, got, want-slack, "%v of %d", chances, need)
		}
	}
	// More than certain is certain.
	require.Equal(t, uint32(1_000_000), sched.Survival([]uint32{2_000_000}, 1))
	require.Zero(t, sched.Survival(nil, 1))
}

// TestPlacementSurvivesAsItSays compares the chance that a placement names with every case of nodes and sites, and wants no spare that is not needed.
func TestPlacementSurvivesAsItSays(t *testing.T) {
	g := rand.New(rand.NewPCG(15, 15))
	spares, rounds := 0, 150
	if testing.Short() || underRace {
		rounds = 40
	}
	for range rounds {
		r := newRig(t, nil)
		losses := map[sched.SiteID]uint32{}
		nodes := map[sched.NodeID]sched.Node{}
		for i := range 2 + g.IntN(5) {
			n := machine(sched.NodeID(fmt.Sprintf("n%d", i)), sched.SiteID(fmt.Sprintf("s%d", i%3)), 1+g.IntN(3))
			n.LossPPM = g.Uint32N(60_000)
			nodes[n.ID] = n
			losses[n.Site] = g.Uint32N(30_000)
			r.do(0, sched.NodeUp{Node: n})
			r.do(0, sched.SiteRated{Site: n.Site, LossPPM: losses[n.Site]})
		}
		q := job("j", 1, 1+g.IntN(3))
		q.Replicas, q.MaxSites, q.MinSurvivalPPM = uint16(1+g.IntN(3)), uint8(1+g.IntN(3)), 800_000+g.Uint32N(190_000)
		p, err := r.f.Try(q)
		if err != nil {
			continue
		}
		hours := int(q.Duration / time.Hour)
		chance := func(members []sched.Member) int64 {
			return ppm(atLeast(partsOf(members, nodes, losses), int(q.Replicas), hours))
		}
		all := append(append([]sched.Member(nil), p.Members...), p.Spares...)
		want := chance(all)
		require.LessOrEqual(t, int64(p.SurvivalPPM), want)
		require.GreaterOrEqual(t, int64(p.SurvivalPPM), want-slack)
		require.GreaterOrEqual(t, p.SurvivalPPM, q.MinSurvivalPPM)
		if len(p.Spares) > 0 {
			spares++
			require.LessOrEqual(t, chance(all[:len(all)-1]), int64(q.MinSurvivalPPM)+slack, "the last spare was not needed")
		}
	}
	require.Positive(t, spares)
}

func partsOf(members []sched.Member, nodes map[sched.NodeID]sched.Node, losses map[sched.SiteID]uint32) (out []part) {
	sites, at := map[sched.SiteID]int{}, map[sched.NodeID]int{}
	for _, m := range members {
		k, ok := sites[m.Site]
		if !ok {
			k = len(out)
			sites[m.Site] = k
			out = append(out, part{lossPPM: losses[m.Site]})
		}
		i, ok := at[m.Node]
		if !ok {
			i = len(out[k].inside)
			at[m.Node] = i
			out[k].inside = append(out[k].inside, part{lossPPM: nodes[m.Node].LossPPM})
		}
		out[k].inside[i].members++
	}
	return out
}
