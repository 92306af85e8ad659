package door_test

import (
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// A start is a replay: wherever the server is stopped, the next one has the same state.
func TestReplay(t *testing.T) {
	h := newHouse(t, rules())
	h.supply(h.again)
	h.clock.set(hour().Add(time.Hour))
	h.must(network.Tick{})
	h.again()
	h.Read(func(n *network.Network) {
		require.NotZero(t, n.Overview().Rewarded)
		require.Len(t, n.Bills(10), 1)
		require.NotEmpty(t, n.Journal().Open())
	})
}

// A refused command is in the journal as well, and so is what the passing of time has done with it.
func TestRefused(t *testing.T) {
	h := newHouse(t, rules())
	_, err := h.scene.Join(h.clock.Now(), scene.Published()[0])
	require.NoError(t, err)
	before, digest, _ := h.Digest()

	seq, facts, err := h.Do(network.Stake{Node: "nobody", Amount: one})
	require.ErrorIs(t, err, network.ErrUnknownNode)
	require.NotErrorIs(t, err, door.ErrClosed)
	require.Empty(t, facts)
	require.Equal(t, before+1, seq)
	_, same, _ := h.Digest()
	require.Equal(t, digest, same, "a refusal at the same instant changes nothing")
	h.again()

	h.clock.set(hour().Add(time.Hour)) // the end of the first epoch
	_, facts, err = h.Do(network.Enrol{Node: "a100"})
	require.ErrorIs(t, err, network.ErrKnownNode)
	require.NotEmpty(t, facts, "the block is closed all the same")
	_, closed, _ := h.Digest()
	require.NotEqual(t, digest, closed)
	h.again()
	h.Read(func(n *network.Network) { require.Len(t, n.Blocks(10), 1) })
}

// A journal is opened under the rules that it was written under, and is not touched by others.
// TestRefusedUnwritten turns away what anybody can send, without a word in the journal.
func TestRefusedUnwritten(t *testing.T) {
	h := newHouse(t, rules())
	_, err := h.scene.Join(h.clock.Now(), scene.Published()[0])
	require.NoError(t, err)
	before, digest, _ := h.Digest()
	for _, c := range []network.Command{network.Challenge{Key: network.Key{1}}, network.Report{Signed: []byte("rubbish")}, network.Report{}} {
		seq, facts, err := h.Do(c)
		require.Error(t, err)
		require.NotErrorIs(t, err, door.ErrClosed)
		require.Zero(t, seq)
		require.Empty(t, facts)
	}
	after, same, _ := h.Digest()
	require.Equal(t, before, after)
	require.Equal(t, digest, same)
	h.again()
}

func TestRules(t *testing.T) {
	h := newHouse(t, rules())
	h.must(network.SetPrice{MicroPerToken: 2_000_000, Source: "test"})
	require.NoError(t, h.Close())
	was, err := os.ReadFile(h.cfg.Path)
	require.NoError(t, err)

	other := h.cfg
	other.Params.MinUptime++
	_, err = door.Open(other)
	require.ErrorIs(t, err, door.ErrRules)
	is, err := os.ReadFile(h.cfg.Path)
	require.NoError(t, err)
	require.Equal(t, was, is)

	invalid := h.cfg
	invalid.Params.First = 0
	_, err = door.Open(invalid)
	require.ErrorContains(t, err, "first")
	h.open()
	h.Read(func(n *network.Network) { require.Equal(t, uint64(2_000_000), n.Overview().PriceMicro) })
}

// Whatever stands in a journal that is no command is not skipped over.
func TestForeignRecord(t *testing.T) {
	h := newHouse(t, rules())
	h.must(network.Tick{})
	require.NoError(t, h.Close())
	text, err := os.ReadFile(h.cfg.Path)
	require.NoError(t, err)
	cfg := h.cfg
	cfg.Path += "-other"
	require.NoError(t, os.WriteFile(cfg.Path, text[:len("idlegrid journal 1\n")], 0o600))
	cfg.Params.MinUptime++
	other, err := door.Open(cfg)
	require.NoError(t, err)
	require.NoError(t, other.Close())
	own, err := os.ReadFile(cfg.Path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cfg.Path, append(own, own[len("idlegrid journal 1\n"):]...), 0o600)) // rules twice
	_, err = door.Open(cfg)
	require.ErrorContains(t, err, "replay of record 2")
	h.open()
}

// What a crash tore off was never answered; all before it is there, and the log says what was cut.
func TestTorn(t *testing.T) {
	h := newHouse(t, rules())
	_, err := h.scene.Join(h.clock.Now(), scene.Published()[0])
	require.NoError(t, err)
	seq, digest, _ := h.Digest()
	h.must(network.SetPrice{MicroPerToken: 2_000_000, Source: "test"})
	require.NoError(t, h.Close())
	whole, err := os.ReadFile(h.cfg.Path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(h.cfg.Path, whole[:len(whole)-5], 0o600))
	h.open()
	got, same, audit := h.Digest()
	require.NoError(t, audit)
	require.Equal(t, seq, got)
	require.Equal(t, digest, same)
	require.Contains(t, h.note.String(), "level=WARN msg=\"cut a torn record")
	h.must(network.SetPrice{MicroPerToken: 2_000_000, Source: "test"})
	h.again()
	now, err := os.ReadFile(h.cfg.Path)
	require.NoError(t, err)
	require.Equal(t, whole, now, "told again, it is the same journal")
}

// A clock that is set back makes time stand still: no command is lost, and none goes back in time.
func TestClockSetBack(t *testing.T) {
	h := newHouse(t, rules())
	h.must(network.SetPrice{MicroPerToken: 1_000_000, Source: "test"})
	at := h.clock.Now()
	h.clock.set(at.Add(-24 * time.Hour))
	h.must(network.SetPrice{MicroPerToken: 2_000_000, Source: "test"})
	h.Read(func(n *network.Network) {
		require.Equal(t, at, n.Now())
		require.Equal(t, uint64(2_000_000), n.Overview().PriceMicro)
	})
	h.again()
	h.clock.set(at.Add(time.Second))
	h.must(network.Tick{})
	h.Read(func(n *network.Network) { require.Equal(t, at.Add(time.Second), n.Now()) })
	h.again()
}

func TestClosed(t *testing.T) {
	h := newHouse(t, rules())
	require.NoError(t, h.Alive())
	require.NoError(t, h.Close())
	require.NoError(t, h.Close(), "a second time does nothing")
	require.ErrorIs(t, h.Alive(), door.ErrClosed)
	_, _, err := h.Do(network.Tick{})
	require.ErrorIs(t, err, door.ErrClosed)
	require.ErrorIs(t, h.Run(t.Context(), time.Hour, nil), door.ErrClosed)
	seq, _, audit := h.Digest() // what is known can still be read
	require.NoError(t, audit)
	require.Equal(t, uint64(1), seq)
}

// Two doors on one journal would each write what the other does not know.
func TestSecondDoor(t *testing.T) {
	h := newHouse(t, rules())
	_, err := door.Open(h.cfg)
	require.ErrorContains(t, err, "in use")
	h.must(network.Tick{})
}

// A panic on the way through the cores leaves them in a state that nobody knows: the door closes and gives the journal up.
func TestPanic(t *testing.T) {
	h := newHouse(t, rules())
	h.must(network.Tick{})
	require.NoError(t, h.Close())
	h.cfg.Seen = func(time.Time, []network.Fact) { panic("torn") }
	h.open()
	h.clock.set(hour().Add(time.Hour))
	require.PanicsWithValue(t, "torn", func() { _, _, _ = h.Do(network.Tick{}) })
	require.ErrorIs(t, h.Alive(), door.ErrClosed)
	require.ErrorContains(t, h.Alive(), "command 3: torn")
	require.ErrorContains(t, h.Run(t.Context(), time.Hour, nil), "torn")
	h.cfg.Seen = nil
	h.open()
	h.Read(func(n *network.Network) { require.Len(t, n.Blocks(10), 1) })
}

// Seen hears every fact in order, and nothing of a replay.
func TestSeen(t *testing.T) {
	h := newHouse(t, rules())
	require.NoError(t, h.Close())
	var heard, told []network.Fact
	h.cfg.Seen = func(at time.Time, facts []network.Fact) {
		require.Equal(t, h.clock.Now(), at)
		heard = append(heard, facts...)
	}
	h.open()
	for _, m := range scene.Published() {
		facts, err := h.scene.Join(h.clock.Now(), m)
		require.NoError(t, err)
		told = append(told, facts...)
	}
	require.NotEmpty(t, told)
	require.Equal(t, told, heard)
	h.again()
	require.Len(t, heard, len(told))
}

// Readers and writers may come at once: a search for a placement uses buffers of the fleet.
func TestConcurrent(t *testing.T) {
	h := newHouse(t, rules())
	for _, m := range scene.Published() {
		_, err := h.scene.Join(h.clock.Now(), m)
		require.NoError(t, err)
	}
	ask := network.Submit{Job: "x", Wallet: "w", Currency: tokenomics.USDC, Replicas: 2, GPUsPerReplica: 1, MaxSites: 2, Seconds: 3600}
	var want sched.Placement
	h.Read(func(n *network.Network) { want, _ = n.Try(ask) })
	require.NotEmpty(t, want.Members)
	errs := make(chan error, 64)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 8 {
				var got sched.Placement
				var err error
				h.Read(func(n *network.Network) { got, err = n.Try(ask) })
				if err == nil && got.HourMicro != want.HourMicro {
					err = errors.New("another placement")
				}
				if _, _, refused := h.Do(network.Tick{}); refused != nil {
					err = refused
				}
				errs <- err
			}
		})
	}
	all.Wait()
	for range 64 {
		require.NoError(t, <-errs)
	}
	h.again()
}
