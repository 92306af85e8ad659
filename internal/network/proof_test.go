package network_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/reputation"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func assurance(t testing.TB, w *world, node string) string {
	t.Helper()
	v, ok := w.net.Node(node)
	require.True(t, ok)
	return v.Assurance
}

// A node is as far as its least device; what a device showed lapses, and a failure takes it back at once.
func TestProve(t *testing.T) {
	w := leased(t)
	a, b := w.agents["n1"].Devices[0].ID, w.agents["n1"].Devices[1].ID
	for want, c := range map[string]network.Command{
		"unknown node":                  network.Prove{ID: "1", Node: "nobody", Device: a, Passed: true},
		"has no such device":            network.Prove{ID: "1", Node: "n1", Device: "GPU-none", Passed: true},
		"id has 0 bytes":                network.Prove{Node: "n1", Device: a, Passed: true},
		"id has 129 bytes":              network.Prove{ID: strings.Repeat("x", 129), Node: "n1", Device: a, Passed: true},
		"reason has 129 bytes":          network.Prove{ID: "1", Node: "n1", Device: a, Reason: strings.Repeat("x", 129)},
		"is not a word of printable":    network.Prove{ID: "1", Node: "n1", Device: a, Reason: "sp\u00e4t"},
		"reason \"late \" is":           network.Prove{ID: "1", Node: "n1", Device: a, Reason: "late "},
		"reason \"\\n\" is":             network.Prove{ID: "1", Node: "n1", Device: a, Reason: "\n"},
		"passed true with reason":       network.Prove{ID: "1", Node: "n1", Device: a, Passed: true, Reason: "value"},
		"passed false with reason \"\"": network.Prove{ID: "1", Node: "n1", Device: a},
		"chip_id is empty":              network.AttestChip{Node: "n1", Device: a},
	} {
		_, err := w.apply(hour, c)
		require.ErrorContains(t, err, want)
	}
	facts := w.do(hour, network.Prove{ID: "1", Node: "n1", Device: a, Passed: true, Judged: true, OpsPerSecond: 300_000_000_000_000})
	require.Equal(t, []gpu.AssuranceChanged{{Device: a, From: gpu.Consistent, To: gpu.Proven, Why: "passed a challenge"}}, of[network.Proved](facts)[0].Changes)
	require.Equal(t, "proved: node n1: device "+string(a)+": challenge 1 passed, at least 300000 giga-operations a second; proven, was consistent", network.Describe(facts[0]))
	require.Equal(t, "consistent", assurance(t, w, "n1"), "three devices have not shown anything")
	for i, d := range w.agents["n1"].Devices[1:] {
		w.do(hour, network.Prove{ID: string(rune('2' + i)), Node: "n1", Device: d.ID, Passed: true, Judged: true})
	}
	require.Equal(t, "proven", assurance(t, w, "n1"))

	w.do(hour, network.Prove{ID: "5", Node: "n1", Device: b, Reason: "transport"})
	require.Equal(t, "proven", assurance(t, w, "n1"), "a broken line is no evidence")
	facts = w.do(hour, network.Prove{ID: "6", Node: "n1", Device: b, Reason: "value"})
	require.Equal(t, "consistent", assurance(t, w, "n1"))
	require.Contains(t, network.Describe(facts[0]), "failed by value; consistent, was proven")
	facts = w.do(hour, network.Prove{ID: "7", Node: "n1", Device: b, Passed: true})
	require.Empty(t, of[network.Proved](facts)[0].Changes, "no rate of the model is known: right, and no proof")
	require.Contains(t, network.Describe(facts[0]), "passed, at a rate that is not judged")

	facts = w.do(hour, network.AttestChip{Node: "n1", Device: a, ChipID: "41AB"})
	require.Equal(t, "attested: node n1: device "+string(a)+" carries chip 41AB; attested, was proven", network.Describe(facts[0]))
	_, err := w.apply(hour, network.AttestChip{Node: "n1", Device: b, ChipID: "41AB"})
	var taken *gpu.IdentityTakenError
	require.ErrorAs(t, err, &taken)
}

// A wrong answer is a fault of its own, a late one only a miss.
func TestProveReachesTheScore(t *testing.T) {
	up := func(reason string) uint32 {
		p := network.IONet(accounts(), epoch)
		p.Reputation = reputation.IONet()
		w := newWorld(t, p, "ann", "eve")
		w.join(hour, "n1", "ann", a4000, 4, network.List{Connectivity: 4, HourMicro: 400_000})
		c := network.Prove{ID: "1", Node: "n1", Device: w.agents["n1"].Devices[0].ID, Passed: reason == "", Judged: true, Reason: reason}
		w.do(hour, c)
		if _, err := w.apply(hour, c); reason != "transport" {
			require.ErrorIs(t, err, network.ErrInvalid, "a challenge counts once")
		}
		w.do(hour.Add(2*time.Hour), network.Tick{})
		v, _ := w.net.Node("n1")
		return v.EndsPPM
	}
	right, late, wrong := up(""), up("timeout-commit"), up("value")
	require.Greater(t, right, late)
	require.Greater(t, late, wrong)
	require.Less(t, up("transport"), right)
	require.Greater(t, up("transport"), late)
}

// An agent's own heartbeat says that it is up and how well it does; a sick node keeps its job and takes no other.
func TestSignedHeartbeats(t *testing.T) {
	w := leased(t)
	nonce := network.Key{77}
	beat := func(health gpu.Health) []network.Fact {
		nonce[1]++
		a := w.agents["n1"]
		w.do(hour, network.Challenge{Key: a.Key(), Nonce: nonce})
		signed, err := a.Heartbeat(hour, nonce, health)
		require.NoError(t, err)
		return w.do(hour, network.Report{Signed: signed})
	}
	more := network.Submit{Job: "k", Wallet: "eve", Currency: tokenomics.IO, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600}
	require.Empty(t, beat(gpu.Healthy))
	require.Equal(t, "health: node n1 is degraded, was healthy: device "+string(w.agents["n1"].Devices[0].ID), network.Describe(beat(gpu.Degraded)[0]))
	var no *sched.UnplaceableError
	_, err := w.net.Try(more)
	require.ErrorAs(t, err, &no, "a degraded node starts nothing new")
	require.Len(t, beat(gpu.Unhealthy), 1)
	require.Len(t, w.net.Leases(), 1, "what runs there stays")
	_, err = w.net.Try(more)
	require.ErrorAs(t, err, &no)
	w.do(hour, network.Heartbeats{Down: []string{"n1"}})
	require.Equal(t, "health: node n1 is lost, was unhealthy: device "+string(w.agents["n1"].Devices[0].ID), network.Describe(beat(gpu.Lost)[0]))
	v, _ := w.net.Node("n1")
	require.True(t, v.Up, "who speaks is up")
	_, err = w.net.Try(more)
	require.ErrorAs(t, err, &no, "and still takes no job")
	require.Equal(t, "health: node n1 is healthy, was lost", network.Describe(beat(gpu.Healthy)[0]))
	_, err = w.net.Try(more)
	require.NoError(t, err)
}

// Devices that somebody pays for are not challenged.
func TestIdle(t *testing.T) {
	w := leased(t)
	key := w.agents["n1"].Key()
	name, devices := w.net.Idle(key)
	require.Empty(t, name)
	require.Empty(t, devices)
	w.do(hour.Add(3*time.Hour), network.Tick{})
	name, devices = w.net.Idle(key)
	require.Equal(t, "n1", name)
	require.Equal(t, w.agents["n1"].Devices, devices)
	name, _ = w.net.Idle(network.Key{1})
	require.Empty(t, name)
	w.do(w.net.Now(), network.RevokeKey{Node: "n1", Why: "sold"})
	name, _ = w.net.Idle(key)
	require.Empty(t, name)
}

func TestKeysRotateAndAreRevoked(t *testing.T) {
	w := leased(t)
	old := w.agents["n1"]
	seed := sha256.Sum256([]byte("next"))
	next := ed25519.NewKeyFromSeed(seed[:])
	before := old.Key()
	signed, err := old.Rotate(next)
	require.NoError(t, err)
	require.Equal(t, "n1", w.net.Speaker(before))
	w.do(hour, network.RotateKey{Signed: signed})
	require.Empty(t, w.net.Speaker(before))
	require.Equal(t, "n1", w.net.Speaker(network.Key(next[32:])))
	require.Empty(t, w.net.Speaker(network.Key{1}))
	_, err = w.apply(hour, network.RotateKey{Signed: signed})
	require.Error(t, err)
	_, err = w.apply(hour, network.RotateKey{Signed: []byte("x")})
	require.ErrorIs(t, err, gpu.ErrMalformed)
	require.Error(t, w.net.Refuses(hour, network.Challenge{Key: before, Nonce: network.Key{9}}))
	require.NoError(t, w.net.Refuses(hour, network.Challenge{Key: network.Key(next[32:]), Nonce: network.Key{9}}))

	_, err = w.apply(hour, network.RevokeKey{Node: "n1"})
	require.ErrorIs(t, err, gpu.ErrInvalid, "without a reason")
	w.do(hour, network.RevokeKey{Node: "n1", Why: "sold"})
	v, _ := w.net.Node("n1")
	require.Equal(t, "its key was revoked: sold", v.Unfit)
	require.Equal(t, "claimed", v.Assurance)
	require.Empty(t, w.net.Leases())
	require.Empty(t, w.net.Speaker(network.Key(next[32:])))
	for _, c := range []network.Prove{{ID: "1", Passed: true, Judged: true}, {ID: "2", Reason: "value"}} {
		c.Node, c.Device = "n1", old.Devices[0].ID
		_, err = w.apply(hour, c)
		require.ErrorIs(t, err, gpu.ErrRevoked, "a thief may have answered a challenge that was under way")
	}
	require.Error(t, w.net.Refuses(hour, network.Challenge{Key: network.Key(next[32:]), Nonce: network.Key{9}}))
	b, err := json.Marshal(v)
	require.NoError(t, err)
	require.Contains(t, string(b), `"health":"healthy"`)
}
