package network_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// twoPools is when the GPU and the CPU pool give way to the enterprise and the community pool.
var twoPools = time.Date(2025, 6, 4, 15, 0, 0, 0, time.UTC)

// earning is a world in which five nodes of three models earn from the given instant on. The models and counts are such
// that most blocks leave dust.
func earning(t testing.TB, from time.Time) (w *world, names []string) {
	t.Helper()
	first, err := tokenomics.IONet().Calendar.At(from)
	require.NoError(t, err)
	w = newWorld(t, network.IONet(accounts(), first), "ann", "bo", "cyd")
	joined := from.Add(-8 * time.Hour)
	for _, m := range []struct {
		name, supplier, model string
		cards                 int
	}{{"e1", "ann", a100, 1}, {"e2", "bo", a100, 3}, {"g1", "cyd", a4000, 1}, {"g2", "cyd", a4000, 7}, {"g3", "bo", r3080, 3}} {
		w.join(joined, m.name, m.supplier, m.model, m.cards, network.List{Connectivity: 3, HourMicro: 1})
		v, _ := w.net.Node(m.name)
		w.do(joined, network.Stake{Node: m.name, Amount: v.Required})
		names = append(names, m.name)
	}
	return w, names
}

// close has all nodes report half an hour before the end of an epoch, and closes it.
func (w *world) closeBlock(end time.Time, names ...string) network.Block {
	w.t.Helper()
	for _, name := range names {
		w.report(end.Add(-30*time.Minute), name)
	}
	closed := of[network.Closed](w.do(end, network.Tick{}))
	require.Len(w.t, closed, 1)
	return closed[0].Block
}

// checkBlock checks a block's own sums, and that each pool took up what the one before it had carried.
func checkBlock(t testing.TB, b network.Block, carried map[tokenomics.Pool]tokenomics.Amount) {
	t.Helper()
	var budgets, paid tokenomics.Amount
	entries := map[tokenomics.Pool]tokenomics.Amount{}
	count := map[tokenomics.Pool]int{}
	for _, e := range b.Entries {
		entries[e.Pool] += e.Reward
		count[e.Pool]++
		var parts tokenomics.Amount
		for _, p := range e.Parts {
			parts += p.Amount
		}
		require.Equal(t, e.Reward, parts)
	}
	for _, p := range b.Pools {
		require.Equal(t, p.Budget+p.Brought, p.Paid+p.Carried+p.Held)
		require.Equal(t, carried[p.Pool], p.Brought)
		require.Equal(t, entries[p.Pool], p.Paid)
		require.True(t, p.Carried == 0 || int(p.Carried) < count[p.Pool], "dust of %d for %d nodes", p.Carried, count[p.Pool])
		require.True(t, p.Carried == 0 || p.Held == 0)
		carried[p.Pool] = p.Carried
		budgets += p.Budget
		paid += p.Paid
	}
	require.Equal(t, b.Emission, budgets)
	require.Equal(t, paid, b.Paid())
}

func TestDust(t *testing.T) {
	w, names := earning(t, hour)
	carried := map[tokenomics.Pool]tokenomics.Amount{}
	var brought int
	var emitted, paid tokenomics.Amount
	for i := 1; i <= 12; i++ {
		b := w.closeBlock(hour.Add(time.Duration(i)*time.Hour), names...)
		checkBlock(t, b, carried)
		require.Len(t, b.Entries, 5)
		gpu, cpu := b.Pools[0], b.Pools[1]
		require.Equal(t, [2]tokenomics.Pool{tokenomics.PoolGPU, tokenomics.PoolCPU}, [2]tokenomics.Pool{gpu.Pool, cpu.Pool})
		require.Zero(t, gpu.Held)
		require.Equal(t, cpu.Budget, cpu.Held, "nobody earns in an empty pool")
		if gpu.Brought > 0 {
			brought++
		}
		emitted += b.Emission
		paid += b.Paid()
	}
	require.Positive(t, brought, "no block left dust: this test shows nothing")
	o := w.net.Overview()
	require.Equal(t, emitted, paid+o.Carried+o.Held)
	require.Equal(t, paid, o.Rewarded)
	w.settle(w.net.Now())
	w.balances()
}

// TestOtherScores gives the rest of a pool to devices that the network does not hold, dust and all.
func TestOtherScores(t *testing.T) {
	w, names := earning(t, hour)
	carried := map[tokenomics.Pool]tokenomics.Amount{}
	checkBlock(t, w.closeBlock(hour.Add(time.Hour), names...), carried)
	alone := w.net.Blocks(1)[0].Pools[0].Total
	at := hour.Add(time.Hour)
	w.do(at, network.OtherScores{Epoch: epoch + 1, Pool: tokenomics.PoolGPU, Score: 1})
	w.do(at, network.OtherScores{Epoch: epoch + 1, Pool: tokenomics.PoolGPU, Score: alone}) // the last word counts
	w.do(at, network.OtherScores{Epoch: epoch + 1, Pool: tokenomics.PoolEnterprise, Score: 7})
	w.do(at, network.OtherScores{Epoch: epoch + 2, Pool: tokenomics.PoolCPU, Score: 7})
	b := w.closeBlock(hour.Add(2*time.Hour), names...)
	checkBlock(t, b, carried)
	require.Equal(t, 2*alone, b.Pools[0].Total)
	require.InDelta(t, uint64(b.Pools[0].Budget/2), uint64(b.Pools[0].Held), 10)
	require.Zero(t, b.Pools[0].Carried)
	b = w.closeBlock(hour.Add(3*time.Hour), names...)
	checkBlock(t, b, carried)
	require.Equal(t, alone, b.Pools[0].Total, "others are named block by block")
	require.Equal(t, uint64(7), b.Pools[1].Total)
	require.Equal(t, b.Pools[1].Budget, b.Pools[1].Held)
}

// TestPoolsChange crosses 2025-06-04T15:00 with dust in a pool that the next block does not have.
func TestPoolsChange(t *testing.T) {
	w, names := earning(t, twoPools.Add(-6*time.Hour))
	carried := map[tokenomics.Pool]tokenomics.Amount{}
	end := twoPools.Add(-5 * time.Hour)
	for ; !end.After(twoPools); end = end.Add(time.Hour) {
		checkBlock(t, w.closeBlock(end, names...), carried)
	}
	dust, before := carried[tokenomics.PoolGPU], w.net.Overview()
	require.Positive(t, dust, "the last old block left no dust: this test shows nothing")
	require.Equal(t, dust, before.Carried)

	b := w.closeBlock(end, names...)
	checkBlock(t, b, carried)
	require.Equal(t, tokenomics.PoolEnterprise, b.Pools[0].Pool)
	require.Equal(t, tokenomics.PoolCommunity, b.Pools[1].Pool)
	pools := map[string]tokenomics.Pool{}
	for _, e := range b.Entries {
		pools[e.Node] = e.Pool
	}
	require.Equal(t, tokenomics.PoolEnterprise, pools["e1"])
	require.Equal(t, tokenomics.PoolCommunity, pools["g1"])
	after := w.net.Overview()
	require.Equal(t, before.Held+dust+b.Pools[0].Held+b.Pools[1].Held, after.Held, "the dust is held")
	require.Equal(t, b.Pools[0].Carried+b.Pools[1].Carried, after.Carried)
	w.settle(end)
	w.balances()
	require.Equal(t, w.net.Digest(), w.replayed().Digest())
}

// TestSilence has nobody say anything for two days: every block is closed all the same, and nobody is paid.
func TestSilence(t *testing.T) {
	w, _ := earning(t, hour)
	facts := w.do(hour.Add(48*time.Hour), network.Tick{})
	closed := of[network.Closed](facts)
	require.Len(t, closed, 48)
	for i, f := range closed {
		require.Equal(t, tokenomics.Epoch(epoch+i), f.Block.Epoch)
		require.Empty(t, f.Block.Entries)
		require.Len(t, f.Block.Excluded, 5)
		require.Equal(t, "report", f.Block.Excluded[0].Rule)
	}
	o := w.net.Overview()
	require.Zero(t, o.Rewarded)
	var emitted tokenomics.Amount
	for k := tokenomics.Epoch(epoch); k < epoch+48; k++ {
		planned, ok := w.net.Timeline().Planned(k)
		require.True(t, ok)
		emitted += planned
	}
	require.Equal(t, emitted, o.Held)
	w.balances()
	due, ok := w.net.Due()
	require.True(t, ok)
	require.Equal(t, hour.Add(49*time.Hour), due)
}

// TestNominated has one rule fail after the other.
func TestNominated(t *testing.T) {
	list := network.List{Connectivity: 4, HourMicro: 1, Site: "s", Country: "DE", CPUMilli: 1, RAMMiB: 1}
	for _, row := range []struct {
		name      string
		play      func(w *world)
		rule, why string
	}{
		{"all is well", func(*world) {}, "", ""},
		{"no report", func(w *world) {
			w.do(hour, network.Enrol{Node: "x", Key: w.agent("x", a4000, 1).Key(), Supplier: "ann"})
		}, "inventory", "none was admitted"},
		{"not in the catalogue", func(w *world) { w.join(hour, "x", "ann", "Voodoo 2", 1, network.List{Connectivity: 4}) }, "assurance", "claimed, at least consistent"},
		{"report too old", func(w *world) { w.join(hour.Add(-time.Nanosecond), "x", "ann", a4000, 1, list) }, "report", "1h0m0.000000001s old, at most 1h0m0s"},
		{"no listing", func(w *world) {
			a := w.agent("x", a4000, 1)
			w.do(hour, network.Enrol{Node: "x", Key: a.Key(), Supplier: "ann"})
			w.do(hour, network.Heartbeats{Up: []string{"x"}})
			w.report(hour, "x")
		}, "listing", "there is none"},
		{"down", func(w *world) {
			w.join(hour.Add(-9*time.Hour), "x", "ann", a4000, 1, list)
			w.report(hour, "x")
			w.do(hour, network.Heartbeats{Down: []string{"x"}})
		}, "uptime", "down"},
		{"up for too short a time", func(w *world) {
			w.join(hour.Add(-4*time.Hour), "x", "ann", a4000, 1, list)
			w.report(hour, "x")
		}, "uptime", "5h0m0s, more than 5h0m0s"},
		{"just long enough, stake a unit short", func(w *world) {
			w.join(hour.Add(-4*time.Hour-time.Nanosecond), "x", "ann", a4000, 1, list)
			w.do(hour.Add(-time.Hour), network.Stake{Node: "x", Amount: 200*one - 1})
			w.report(hour, "x")
		}, "stake", `bond "x" holds 199.99999999 IO, needs 200`},
		{"stake comes in the epoch itself", func(w *world) {
			w.join(hour.Add(-4*time.Hour-time.Nanosecond), "x", "ann", a4000, 1, list)
			w.do(hour, network.Stake{Node: "x", Amount: 200 * one})
			w.report(hour, "x")
		}, "stake", "holds 0 IO, needs 200; 200 IO more came too late to count in epoch 105"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, network.IONet(accounts(), epoch), "ann")
			row.play(w)
			if row.rule == "" {
				w.join(hour.Add(-4*time.Hour-time.Nanosecond), "x", "ann", a4000, 1, list)
				w.do(hour.Add(-time.Nanosecond), network.Stake{Node: "x", Amount: 200 * one})
				w.report(hour, "x")
			}
			b := of[network.Closed](w.do(hour.Add(time.Hour), network.Tick{}))[0].Block
			if row.rule == "" {
				require.Empty(t, b.Excluded)
				require.Len(t, b.Entries, 1)
				require.Equal(t, uint64(8200), b.Entries[0].Score)
				return
			}
			require.Empty(t, b.Entries)
			require.Equal(t, row.rule, b.Excluded[0].Rule)
			require.Contains(t, b.Excluded[0].Why, row.why)
		})
	}
}

// TestHired adds five points to a node that a renter uses when the block closes.
func TestHired(t *testing.T) {
	w, names := earning(t, hour)
	w.do(hour, network.Submit{Job: "j", Wallet: "ann", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 1, Models: []string{r3080}, Seconds: 3601})
	first := w.closeBlock(hour.Add(time.Hour), names...)
	second := w.closeBlock(hour.Add(2*time.Hour), names...)
	for i, e := range first.Entries {
		require.Equal(t, e.Node == "g3", e.Hired)
		if e.Hired {
			require.Equal(t, second.Entries[i].Score+5, e.Score)
		}
	}
}

// TestEmissionEnds closes the last block, and none after it.
func TestEmissionEnds(t *testing.T) {
	last := lastEpoch(t)
	p := network.IONet(accounts(), last-1)
	w := newWorld(t, p, "ann")
	facts := w.do(p.Tokenomics.Calendar.StartOf(last+100), network.Tick{})
	require.Len(t, of[network.Closed](facts), 2)
	o := w.net.Overview()
	require.Zero(t, o.Reserve)
	require.Equal(t, p.Tokenomics.Cap, o.Supply)
	_, ok := w.net.Due()
	require.False(t, ok)
	w.balances()
}
