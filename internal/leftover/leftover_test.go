package leftover_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/leftover"
)

func TestSmall(t *testing.T) {
	short, tied := 0, 0
	for seed := range uint64(2000) {
		c := leftover.Small(seed)
		require.Equal(t, c, leftover.Small(seed))
		require.GreaterOrEqual(t, len(c.Sites), 2)
		require.LessOrEqual(t, len(c.Sites), 12)
		require.LessOrEqual(t, c.Ask.Replicas*c.Ask.GPUs, 64)
		require.LessOrEqual(t, c.Ask.MinSites, c.Ask.MaxSites)
		largest := 0
		for i := range c.Sites {
			largest = max(largest, c.Sites[i].Room(c.Ask.GPUs))
		}
		if largest < c.Ask.Replicas {
			short++
		}
		delays := map[uint32]bool{}
		for _, l := range c.Links {
			require.Less(t, l.A, l.B)
			require.Positive(t, l.Mbps)
			delays[l.DelayMicros] = true
		}
		if len(delays) < len(c.Links) {
			tied++
		}
	}
	require.Greater(t, short, 1000, "in most cases no site has enough")
	require.Greater(t, tied, 200, "in many cases delays are equal")
}

func TestLarge(t *testing.T) {
	c := leftover.Large(1, 5000, 100)
	require.Equal(t, c, leftover.Large(1, 5000, 100))
	require.Len(t, c.Sites, 5000)
	require.InDelta(t, 100, 2*len(c.Links)/5000, 15)
	for i := range c.Sites {
		require.LessOrEqual(t, c.Sites[i].Room(1), 6)
	}
	for _, l := range c.Links {
		require.Equal(t, c.Sites[l.A].City, c.Sites[l.B].City)
	}
}

func TestBusy(t *testing.T) {
	nodes, cards := 0, 0
	for _, p := range leftover.Pools() {
		nodes, cards = nodes+p.Nodes, cards+p.Nodes*p.Cards
	}
	require.Equal(t, 4278, nodes)
	require.Equal(t, 10_412, cards)

	jobs := leftover.Busy(1, 48, 120, 50)
	require.Equal(t, jobs, leftover.Busy(1, 48, 120, 50))
	asked, spot, last := uint64(0), 0, uint64(0)
	for _, j := range jobs {
		require.GreaterOrEqual(t, j.At, last)
		require.Less(t, j.At, uint64(48*3600))
		require.GreaterOrEqual(t, j.Seconds, uint64(3600))
		require.LessOrEqual(t, j.Seconds, uint64(72*3600))
		require.LessOrEqual(t, j.Cards, leftover.Pools()[j.Pool].Cards)
		last = j.At
		asked += uint64(j.Replicas*j.Cards) * j.Seconds
		if j.Spot {
			spot++
		}
	}
	require.InDelta(t, 50, 100*spot/len(jobs), 2)
	require.InDelta(t, 120, 100*asked/uint64(cards*48*3600), 5)
}
