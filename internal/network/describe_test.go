package network_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// told is every fact of an hour in which everything happens once.
func told(t testing.TB) []network.Fact {
	t.Helper()
	w := newWorld(t, atOnce(network.IONet(accounts(), epoch)), "ann", "bo", "dee", "eve")
	joined := hour.Add(-6 * time.Hour)
	facts := w.join(joined, "a100", "ann", a100, 1, network.List{Connectivity: 4, HourMicro: 1_800_000})
	facts = append(facts, w.join(joined, "lost", "nobody", a4000, 2, network.List{Connectivity: 4, HourMicro: 400_000, Site: "osl-02", Country: "NO", CPUMilli: 1, RAMMiB: 1})...)
	facts = append(facts, w.join(joined, "rig", "bo", a4000, 2, network.List{Connectivity: 4, HourMicro: 400_000})...)
	facts = append(facts, w.do(joined, network.Link{A: "fra-01", B: "osl-02", DelayMicros: 20_000, Mbps: 1000})...)
	facts = append(facts, w.do(joined, network.Stake{Node: "a100", Amount: 1000 * one})...)
	facts = append(facts, w.do(joined, network.Stake{Node: "lost", Amount: 400 * one})...)
	facts = append(facts, w.do(joined, network.PostOffer{Offer: "o", Node: "a100", Amount: 500 * one, ShareBps: 3100, Expires: hour})...)
	facts = append(facts, w.do(joined, network.AcceptOffer{Offer: "o", Holder: "dee", Amount: 500 * one})...)
	facts = append(facts, w.do(hour, network.Submit{Job: "one", Wallet: "eve", Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600})...)
	facts = append(facts, w.do(hour, network.Submit{Job: "gang", Wallet: "eve", Currency: tokenomics.IO, Replicas: 3, GPUsPerReplica: 1, MaxSites: 2, Models: []string{a4000}, Seconds: 7200})...)
	facts = append(facts, w.report(hour.Add(30*time.Minute), "a100")...)
	facts = append(facts, w.report(hour.Add(30*time.Minute), "lost")...)
	facts = append(facts, w.do(hour.Add(50*time.Minute), network.Heartbeats{Up: []string{"a100", "lost"}, Down: []string{"rig"}})...)
	facts = append(facts, w.do(hour.Add(time.Hour), network.Tick{})...)
	return append(facts, w.settle(hour.Add(time.Hour))...)
}

func TestDescribe(t *testing.T) {
	batch := settlement.BatchID{Epoch: 105, Lane: 1}
	facts := append(told(t), network.Unclear{Marker: settlement.MarkerID{Batch: batch}}, network.Stuck{Batch: batch, Reason: "its sender is short"})
	var b strings.Builder
	kinds := map[string]bool{}
	for _, f := range facts {
		line := network.Describe(f)
		require.NotContains(t, line, "\n")
		kinds[reflect.TypeOf(f).Name()] = true
		fmt.Fprintln(&b, line)
	}
	require.Len(t, kinds, 15, "every sort of fact is told: %v", kinds)
	golden.Check(t, "testdata/describe.golden", b.String())
}

func TestDescribeMembers(t *testing.T) {
	members := []sched.Member{
		{Node: "n1", Site: "b", Devices: nil}, {Node: "n1", Site: "b"}, {Node: "n2", Site: "a"}, {Node: "n3", Site: "b"},
	}
	for i := range members {
		members[i].Devices = append(members[i].Devices, "GPU")
	}
	require.Equal(t, "3 at b (n1, n3) and 1 at a (n2)", network.DescribeMembers(members))
	require.Empty(t, network.DescribeMembers(nil))
}

func TestPercent(t *testing.T) {
	require.Equal(t, "0.0000 %", network.Percent(0))
	require.Equal(t, "0.0001 %", network.Percent(1))
	require.Equal(t, "99.9999 %", network.Percent(999_999))
	require.Equal(t, "100.0000 %", network.Percent(1_000_000))
}

func TestStageString(t *testing.T) {
	var got []string
	for s := network.Stage(0); s <= network.StageUnpaid+1; s++ {
		got = append(got, s.String())
	}
	require.Equal(t, []string{"none", "due", "converting", "sharing", "done", "unpaid", "none"}, got)
}

// TestViews are the queries, and that what they return is the caller's.
func TestViews(t *testing.T) {
	w := published(t)
	attend(w)
	w.do(hour.Add(time.Hour), network.Submit{Job: "j", Wallet: "eve", Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600})
	w.do(hour.Add(2*time.Hour), network.Tick{})
	n := w.net
	for _, limit := range []int{-1, 0} {
		require.Empty(t, n.Blocks(limit))
		require.Empty(t, n.Bills(limit))
		require.Empty(t, n.Payments(limit))
	}
	require.Len(t, n.Blocks(1), 1)
	require.Equal(t, []tokenomics.Epoch{epoch + 1, epoch}, []tokenomics.Epoch{n.Blocks(9)[0].Epoch, n.Blocks(9)[1].Epoch})
	require.Len(t, n.Payments(99), 5)
	require.Equal(t, settlement.Account("eve"), n.Payments(1)[0].Intent.From, "newest first")
	digest := n.Digest()
	n.Bills(1)[0].Suppliers[0].Wallet = "mallory"
	n.Nodes()[0].Shortfalls[0].Need = "nothing"
	require.Equal(t, digest, n.Digest())
	require.Equal(t, "cyd", n.Bills(1)[0].Suppliers[0].Wallet)

	_, ok := n.Node("nobody")
	require.False(t, ok)
	_, ok = n.Score("nobody", n.Now())
	require.False(t, ok)
	_, ok = n.Explain("nobody", n.Now())
	require.False(t, ok)
	later := n.Now().Add(time.Hour)
	s, ok := n.Score("a100", later)
	require.True(t, ok)
	x, ok := n.Explain("a100", later)
	require.True(t, ok)
	require.NotEmpty(t, x.Terms)
	require.Positive(t, s.UpPPM)
	require.Equal(t, digest, n.Digest(), "asking changes nothing")

	o := n.Overview()
	require.Equal(t, [6]int{3, 3, 8, 8, 0, 5}, [6]int{o.Nodes, o.NodesUp, o.Devices, o.DevicesFree, o.Leases, o.PaymentsOpen})
	require.Equal(t, hour.Add(3*time.Hour), o.EpochEnds)
	require.Equal(t, tokenomics.Epoch(epoch+2), o.Epoch)
	require.Equal(t, o.Cap-o.Reserve-o.Burned, o.Supply)
	// In June 2024 nothing has vested: investors and core hold 272 million. The block's rewards wait to be received.
	require.Equal(t, "272000000", o.Locked.String())
	require.Equal(t, o.Supply-o.Locked-n.Books().Rewards, o.Circulating)
}
