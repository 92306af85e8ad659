package door_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const (
	epoch = 105 // of io.net's published block
	one   = tokenomics.UnitsPerToken
)

// hour is when that block's epoch begins.
func hour() time.Time { return time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC) }

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time // guarded by mu
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// note keeps what is logged.
type note struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (n *note) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

func (n *note) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

func (n *note) log() *slog.Logger { return slog.New(slog.NewTextHandler(n, nil)) }

func rules() network.Params {
	return network.IONet(network.Accounts{Rewards: "rewards", Escrow: "escrow", Treasury: "treasury", Desk: "desk"}, epoch)
}

// house is a door that is opened again and again from one file.
type house struct {
	*door.Door
	t     *testing.T
	cfg   door.Config
	clock *clock
	note  *note
	scene *scene.Scene
}

// newHouse returns a house whose door is open. Its clock stands seven hours before the published block.
func newHouse(t *testing.T, p network.Params) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{at: hour().Add(-7 * time.Hour)}, note: &note{}}
	h.cfg = door.Config{Params: p, Path: filepath.Join(t.TempDir(), "state", "journal"), Now: h.clock.Now, Log: h.note.log()}
	var err error
	h.scene, err = scene.New(func(at time.Time, c network.Command) ([]network.Fact, error) {
		h.clock.set(at)
		_, facts, err := h.Do(c)
		return facts, err
	})
	require.NoError(t, err)
	h.open()
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

func (h *house) open() {
	h.t.Helper()
	d, err := door.Open(h.cfg)
	require.NoError(h.t, err)
	h.Door = d
}

// again closes the door and opens it from its file, and checks that nothing has changed by it.
func (h *house) again() {
	h.t.Helper()
	seq, digest, audit := h.Digest()
	require.NoError(h.t, audit)
	require.NoError(h.t, h.Close())
	h.open()
	seq2, digest2, audit := h.Digest()
	require.NoError(h.t, audit)
	require.Equal(h.t, seq, seq2)
	require.Equal(h.t, digest, digest2)
}

func (h *house) must(c network.Command) []network.Fact {
	h.t.Helper()
	_, facts, err := h.Do(c)
	require.NoError(h.t, err)
	return facts
}

// supply has the three machines of the published block join, be seen for hours, stake and report again; then one job is
// placed, which ends after half an hour, and a gang of six that runs on. It leaves the clock one minute before the block's
// end. After every step between is called.
func (h *house) supply(between func()) {
	h.t.Helper()
	at := h.clock.Now()
	for _, m := range scene.Published() {
		_, err := h.scene.Join(at, m)
		require.NoError(h.t, err)
		between()
	}
	for ; !at.After(hour()); at = at.Add(time.Hour) {
		_, err := h.scene.Beat(at, nil)
		require.NoError(h.t, err)
		between()
		if !at.Equal(hour().Add(-2 * time.Hour)) {
			continue
		}
		for _, m := range scene.Published() {
			var need tokenomics.Amount
			h.Read(func(n *network.Network) { v, _ := n.Node(m.Name); need = v.Required })
			h.must(network.Stake{Node: m.Name, Amount: need})
		}
		h.must(network.PostOffer{Offer: "offer-1", Node: "a100", Amount: 500 * one, ShareBps: 3100, Expires: hour()})
		h.must(network.AcceptOffer{Offer: "offer-1", Holder: string(localnet.Address("dee")), Amount: 500 * one})
		between()
	}
	job := network.Submit{
		Job: "render", Wallet: string(localnet.Address("eve")), Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1,
		Models: []string{"NVIDIA A100 80GB PCIe"}, MaxSites: 1, Seconds: 3600,
	}
	h.must(job)
	job.Job, job.GPUsPerReplica, job.Models, job.Seconds = "train", 6, nil, 7200
	h.must(job)
	between()
	h.clock.set(hour().Add(30 * time.Minute))
	for _, m := range scene.Published() {
		_, err := h.scene.Report(h.clock.Now(), m.Name)
		require.NoError(h.t, err)
	}
	h.must(network.Finish{Lease: h.leases()[0]})
	between()
	_, err := h.scene.Beat(hour().Add(59*time.Minute), nil)
	require.NoError(h.t, err)
	between()
}

func (h *house) leases() (ids []string) {
	h.Read(func(n *network.Network) {
		for _, l := range n.Leases() {
			ids = append(ids, string(l.ID))
		}
	})
	return ids
}
