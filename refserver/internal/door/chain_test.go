package door_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

var errKilled = errors.New("killed")

// life is a process that is killed after so many points. There is one before and one after every call of the chain and every
// command: a call that was made may have had its effect although nobody lived to hear of it.
type life struct {
	left  int
	death string // at which point it ended; empty if it did not
}

func (l *life) point(name string) error {
	if l.left == 0 && l.death == "" {
		l.death = name
	}
	if l.death != "" {
		return errKilled
	}
	l.left--
	return nil
}

// around makes a call unless the process is dead, and forgets its outcome if the process dies in it.
func around[T any](l *life, name string, call func() (T, error)) (none T, _ error) {
	if err := l.point("before " + name); err != nil {
		return none, err
	}
	v, err := call()
	if dead := l.point("after " + name); dead != nil {
		return none, dead
	}
	return v, err
}

// mortal is a chain as a mortal process sees it.
type mortal struct {
	*life
	chain settlement.Chain
}

func (m mortal) Prepare(ctx context.Context, b []settlement.Batch) ([]settlement.Prepared, error) {
	return around(m.life, "prepare", func() ([]settlement.Prepared, error) { return m.chain.Prepare(ctx, b) })
}

func (m mortal) Send(ctx context.Context, txs []settlement.Tx) error {
	_, err := around(m.life, "send", func() (any, error) { return nil, m.chain.Send(ctx, txs) })
	return err
}

func (m mortal) Look(ctx context.Context, a []settlement.Attempt) (settlement.Sighting, error) {
	return around(m.life, "look", func() (settlement.Sighting, error) { return m.chain.Look(ctx, a) })
}

func (m mortal) Find(ctx context.Context, b []settlement.Batch) (settlement.Findings, error) {
	return around(m.life, "find", func() (settlement.Findings, error) { return m.chain.(settlement.Finder).Find(ctx, b) })
}

func (m mortal) Reclaim(ctx context.Context, k []settlement.MarkerID) (settlement.Reclaims, error) {
	return around(m.life, "reclaim", func() (settlement.Reclaims, error) { return m.chain.(settlement.Reclaimer).Reclaim(ctx, k) })
}

// live makes one round of the runner with a life that ends after so many points.
func (h *house) live(ctx context.Context, chains []settlement.Chain, points int) (death string) {
	h.t.Helper()
	l := &life{left: points}
	var all []settlement.Chain
	for _, c := range chains {
		all = append(all, mortal{l, c})
	}
	runner := h.Runner(all...)
	apply := runner.Apply
	runner.Apply = func(at time.Time, e settlement.Event) ([]settlement.Effect, error) {
		return around(l, fmt.Sprintf("%T", e), func() ([]settlement.Effect, error) { return apply(at, e) })
	}
	_, err := runner.Step(ctx, h.clock.Now())
	if l.death == "" {
		require.NoError(h.t, err)
	}
	return l.death
}

// kill goes on from a copy of the file as it is at this instant: what kill -9 leaves.
func (h *house) kill() {
	h.t.Helper()
	left, err := os.ReadFile(h.cfg.Path)
	require.NoError(h.t, err)
	seq, digest, _ := h.Digest()
	require.NoError(h.t, h.Close())
	h.cfg.Path += "'"
	require.NoError(h.t, os.WriteFile(h.cfg.Path, left, 0o600))
	h.open()
	seq2, digest2, audit := h.Digest()
	require.NoError(h.t, audit)
	require.Equal(h.t, seq, seq2)
	require.Equal(h.t, digest, digest2)
}

// Exactly once: two epochs' rewards and two bills in all their steps are paid on the real chain by processes that are killed
// at every point of the runner's round, before and after every call and every command. What was paid is paid once.
func TestPaidOnceOverKills(t *testing.T) {
	deaths := map[string]int{}
	for _, first := range []int{0, 4, 8, 15} {
		t.Run(fmt.Sprint(first), func(t *testing.T) { paidOnce(t, first, deaths) })
	}
	for _, step := range []string{"look", "prepare", "send", "settlement.Signed", "settlement.Landed", "settlement.Expired"} {
		require.Contains(t, deaths, "before "+step)
		require.Contains(t, deaths, "after "+step)
	}
}

// paidOnce pays everything with lives of 0 to 18 points, of which the first has so many, and counts where they ended.
func paidOnce(t *testing.T, first int, deaths map[string]int) {
	ctx := t.Context()
	l, err := localnet.Start(ctx, localnet.Config{SVM: svmtest.Config{StartTime: hour()}, First: epoch, Desk: 100_000 * one, Wallets: scene.People()})
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	h := newHouse(t, l.Params)
	h.supply(func() {})
	h.clock.set(hour().Add(3 * time.Hour)) // the booked time of the gang is over
	h.must(network.Tick{})

	lives, unsent := 0, false
	for open, points := true, first; open; lives, points = lives+1, (points+1)%19 {
		require.Less(t, lives, 400, "the payments come to no end")
		death := h.live(ctx, l.Chains(), points)
		deaths[death]++
		h.kill()
		blocks := 9
		if death == "before send" && !unsent { // once so long that what was signed and not sent can land no more
			blocks, points, unsent = 200, 1, true
		}
		require.NoError(t, l.Node.Advance(ctx, blocks))
		h.Read(func(n *network.Network) { open = len(n.Journal().Open()) > 0 })
	}
	batches, attempts := 0, 0
	h.Read(func(n *network.Network) {
		a, err := l.Compare(ctx, n)
		require.NoError(t, err)
		require.Len(t, a.Balances, 2*(4+len(scene.People())+1))
		o := n.Overview()
		require.Zero(t, o.PaymentsOpen)
		require.Zero(t, o.PaymentsError)
		require.NotZero(t, o.PaymentsPaid)
		require.NotZero(t, o.Rewarded)
		require.NotZero(t, o.Burned)
		require.Len(t, n.Bills(10), 2)
		for _, b := range n.Bills(10) {
			require.Equal(t, network.StageDone, b.Stage)
		}
		for e := range n.Journal().Batches() {
			batches, attempts = batches+1, attempts+len(e.Attempts)
		}
		t.Logf("%d lives; %d payments in %d batches, %d attempts", lives, o.PaymentsPaid, batches, attempts)
	})

	// One process that reads the journal of all those lives has the same state.
	seq, digest, _ := h.Digest()
	d, err := door.Open(door.Config{Params: l.Params, Now: h.clock.Now, Log: h.note.log(), Path: copied(t, h.cfg.Path)})
	require.NoError(t, err)
	seq2, digest2, _ := d.Digest()
	require.Equal(t, seq, seq2)
	require.Equal(t, digest, digest2)
	require.NoError(t, d.Close())
}

func copied(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+"-copy", b, 0o600))
	return path + "-copy"
}
