package scene_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/internal/trace"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/tokenomics"
)

var hour = time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)

// newScene is a scene on a network without a chain.
func newScene(t *testing.T) (*scene.Scene, *network.Network) {
	t.Helper()
	n, err := network.New(network.IONet(network.Accounts{Rewards: "rewards", Escrow: "escrow", Treasury: "treasury", Desk: "desk"}, 105))
	require.NoError(t, err)
	s, err := scene.New(n.Apply)
	require.NoError(t, err)
	return s, n
}

func is[F network.Fact](t *testing.T, f network.Fact) F {
	t.Helper()
	x, ok := f.(F)
	require.True(t, ok, "%T", f)
	return x
}

func TestJoin(t *testing.T) {
	s, n := newScene(t)
	for _, m := range scene.Published() {
		facts, err := s.Join(hour, m)
		require.NoError(t, err)
		require.Len(t, facts, 3)
		admitted := is[network.Admitted](t, facts[0])
		require.Equal(t, m.Name, admitted.Node)
		require.Len(t, admitted.Inventory.Devices, m.Cards)
		require.Empty(t, admitted.Findings)
		require.Equal(t, m.Name, is[network.Listed](t, facts[1]).Node)
		require.Equal(t, m.Name, is[network.Rated](t, facts[2]).Node)
		v, ok := n.Node(m.Name)
		require.True(t, ok)
		require.True(t, v.Up)
		require.Equal(t, string(localnet.Address(m.Supplier)), v.Supplier)
	}
	// A machine that is refused has not joined: those that have are seen and report as before.
	_, err := s.Join(hour, scene.Published()[0])
	require.ErrorIs(t, err, network.ErrKnownNode)
	require.ErrorContains(t, err, "scene: a100: ")
	_, err = s.Report(hour, "a100")
	require.NoError(t, err)
	_, err = s.Report(hour, "a stranger")
	require.ErrorContains(t, err, `scene: no machine "a stranger" has joined`)
	require.NoError(t, n.Audit())

	_, err = s.Beat(hour.Add(time.Hour), []scene.Outage{{Machine: "a4000", From: hour.Add(time.Hour), To: hour.Add(2 * time.Hour)}})
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"a100": true, "a4000": false, "rig6": true}, up(n))
	_, err = s.Beat(hour.Add(2*time.Hour), []scene.Outage{{Machine: "a4000", From: hour.Add(time.Hour), To: hour.Add(2 * time.Hour)}})
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"a100": true, "a4000": true, "rig6": true}, up(n))
}

func up(n *network.Network) map[string]bool {
	out := map[string]bool{}
	for _, v := range n.Nodes() {
		out[v.Name] = v.Up
	}
	return out
}

// stage is a small world without a chain: four hosts at two sites that hold eight cards of one model each.
func stage(t *testing.T, hosts int) (*scene.Stage, *bytes.Buffer) {
	t.Helper()
	s, n := newScene(t)
	w, err := trace.Generate(3, trace.Config{Hosts: hosts, Sites: 6, DemandPPM: 500_000})
	require.NoError(t, err)
	out := &bytes.Buffer{}
	return &scene.Stage{Scene: s, Teller: &scene.Teller{Out: out, Net: n}, World: w, Fleet: scene.Fleet(w)}, out
}

func TestFleet(t *testing.T) {
	s, _ := stage(t, 40)
	s.JoinFleet(hour, "fra-01", "osl-02")
	require.NoError(t, s.Err())
	o := s.Net.Overview()
	require.Equal(t, 40, o.Nodes)
	require.Equal(t, 40, o.NodesUp)
	var cards int
	for _, m := range s.Fleet {
		cards += m.Cards
		require.Contains(t, scene.Suppliers(s.Fleet), m.Supplier)
	}
	require.Equal(t, cards, o.Devices)
	requests := s.World.Requests()
	placed := s.Fill(hour, "eve", 24*time.Hour, append(requests, requests[0]))
	require.Positive(t, placed)
	require.LessOrEqual(t, placed, len(requests), "the same job is not placed twice")
	leases := s.Net.Leases()
	require.Len(t, leases, placed)
	for _, l := range leases {
		require.GreaterOrEqual(t, l.Until.Sub(l.From), 24*time.Hour)
		require.Equal(t, string(localnet.Address("eve")), l.Owner)
	}
	s.FinishFrom(hour.Add(1), hour.Add(time.Hour))
	require.Len(t, s.Net.Leases(), placed, "none was granted then")
	s.FinishFrom(hour, hour.Add(time.Hour))
	require.NoError(t, s.Err())
	require.Empty(t, s.Net.Leases())
	require.NoError(t, s.Net.Audit())
}

func TestLeftover(t *testing.T) {
	job := network.Submit{
		Job: "j", Wallet: "eve", Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600, MaxDelayMicros: 10_000_000,
	}
	s, _ := stage(t, 40)
	s.JoinFleet(hour)
	found := s.Leftover(job)
	require.NoError(t, s.Err())
	require.GreaterOrEqual(t, found.Replicas, uint16(8))
	placement, err := s.Net.Try(found)
	require.NoError(t, err)
	require.Equal(t, 2, placement.Sites)
	found.MaxSites = 1
	_, err = s.Net.Try(found)
	var no *sched.UnplaceableError
	require.ErrorAs(t, err, &no)

	empty, out := stage(t, 1)
	_ = empty.Leftover(job)
	require.EqualError(t, empty.Err(), "scene: no gang of 8 to 64 cards fits two sites but not one")
	empty.Sayf("a line after the error")
	empty.FinishFrom(hour, hour)
	empty.Settle(t.Context(), hour) // needs no chain: the story is over
	require.Empty(t, out.String())
}

func TestTeller(t *testing.T) {
	_, n := newScene(t)
	out := &bytes.Buffer{}
	told := &scene.Teller{Out: out, Net: n}
	told.Chapter("One")
	told.Sayf("%d lines", 2)
	told.Chapter("Two")
	told.Refused(hour, network.Finish{Lease: "x"})
	told.Do(hour, network.Tick{})
	require.NoError(t, told.Err())
	require.Equal(t, "\n1. One\n   2 lines\n\n2. Two\n   refused: sched: unknown lease: \"x\"\n", out.String())

	told.Refused(hour, network.Tick{})
	require.EqualError(t, told.Err(), "scene: network.Tick was expected to be refused")
	told.Do(hour.Add(100*time.Hour), network.Tick{})
	require.Equal(t, hour, n.Now(), "nothing is done after an error")
	told.Keep(nil, errors.New("another"))
	require.EqualError(t, told.Err(), "scene: network.Tick was expected to be refused", "the first error stays")

	broken := &scene.Teller{Out: failing{}, Net: n}
	broken.Sayf("x")
	require.EqualError(t, broken.Err(), "the pipe is gone")
	first := &scene.Teller{Out: out, Net: n}
	first.First(nil, nil)
	require.NoError(t, first.Err())
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("the pipe is gone") }

func TestWorld(t *testing.T) {
	a, err := scene.World("", 7)
	require.NoError(t, err)
	b, err := trace.Generate(7, trace.Default())
	require.NoError(t, err)
	require.Equal(t, b.Nodes(), a.Nodes())
	_, err = scene.World(filepath.Join(t.TempDir(), "none"), 7)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestOpen tells a short story on the real chain, and compares its end with the books.
func TestOpen(t *testing.T) {
	var out strings.Builder
	s, err := scene.Open(t.Context(), &out, "", localnet.Config{First: 105, Desk: 1000 * tokenomics.UnitsPerToken, Wallets: scene.People()})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	for _, m := range scene.Published() {
		s.First(s.Join(hour, m))
	}
	s.Do(hour, network.Submit{Job: "j", Wallet: string(localnet.Address("eve")), Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600})
	s.FinishFrom(hour, hour.Add(30*time.Minute))
	s.Score(hour, "a100")
	s.Tier("a100")
	s.Settle(t.Context(), hour.Add(30*time.Minute))
	require.NoError(t, s.Err())
	require.Contains(t, out.String(), "balances, read back from the chain, equal the books to the base unit")
	require.Contains(t, out.String(), "converted: lease lease-1")

	_, err = scene.Open(t.Context(), &out, "", localnet.Config{First: 105, Wallets: append(scene.People(), scene.People()...)})
	require.ErrorContains(t, err, "stands twice")
}
