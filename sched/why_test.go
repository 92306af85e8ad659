package sched_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
)

// TestWhyNotMyCard takes every verdict at its word: with the price that it names a node is chosen, with one more it is not, and a node that fails
// nothing is chosen where all others are drained.
func TestWhyNotMyCard(t *testing.T) {
	g := rand.New(rand.NewPCG(17, 17))
	prices, alone, failed := 0, 0, 0
	rounds := 400
	if testing.Short() || underRace {
		rounds = 60
	}
	for range rounds {
		w, q := randomWorld(g, 5), randomRequest(g)
		q.Replicas, q.MaxHourMicro = 1, 0
		p := sched.IONet()
		if g.IntN(2) == 0 {
			p.Order = []sched.Criterion{sched.Standing, sched.Cheapest}
		}
		f := w.fleet(t, p)
		n := w.nodes[g.IntN(len(w.nodes))]
		v, err := f.Why(q, n.Devices[0])
		require.NoError(t, err)
		chosen := func(f *sched.Fleet) sched.NodeID {
			p, err := f.Try(q)
			if err != nil {
				return ""
			}
			return p.Members[0].Node
		}
		require.Equal(t, chosen(f), v.Chosen)
		require.Equal(t, v.Rank == 1, v.Chosen == n.ID)
		fits := world{nodes: []sched.Node{n}, sites: []sched.SiteID{n.Site}}.solve(q).ok
		require.Equal(t, fits, len(v.Fails) == 0, "%+v of %+v", v, q)
		switch {
		case !fits:
			failed++
		case v.Rank == 1:
		default:
			require.Greater(t, v.Rank, 1)
			terms := n.Terms()
			if terms.HourMicro = v.WinsAtHourMicro; v.WinsAtHourMicro > 0 {
				prices++
				require.Equal(t, n.ID, chosen(changed(t, f, p, sched.NodeChanged{Node: n.ID, Terms: terms})), "%+v", v)
				terms.HourMicro++
				require.NotEqual(t, n.ID, chosen(changed(t, f, p, sched.NodeChanged{Node: n.ID, Terms: terms})), "%+v", v)
			} else if terms.HourMicro = 0; n.HourMicro > 0 {
				require.NotEqual(t, n.ID, chosen(changed(t, f, p, sched.NodeChanged{Node: n.ID, Terms: terms})), "%+v", v)
			}
			var drains []sched.Event
			for _, o := range w.nodes {
				if o.ID != n.ID {
					drains = append(drains, sched.Drain{Node: o.ID, On: true})
				}
			}
			alone++
			require.Equal(t, n.ID, chosen(changed(t, f, p, drains...)))
		}
	}
	t.Logf("%d with a price, %d alone, %d failed", prices, alone, failed)
	require.Positive(t, prices*alone*failed)
	_, err := leftovers().Why(eight(), gpu.DeviceID("nobody's"))
	require.ErrorIs(t, err, sched.ErrUnknownDevice)
}

// changed is a copy of a fleet to which something else happened.
func changed(t *testing.T, f *sched.Fleet, p sched.Policy, events ...sched.Event) *sched.Fleet {
	t.Helper()
	g, err := sched.Restore(p, f.Snapshot())
	require.NoError(t, err)
	for _, e := range events {
		_, err := g.Apply(noon.Add(time.Second), e)
		require.NoError(t, err)
	}
	return g
}
