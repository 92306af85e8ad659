package verifier_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/worker"
	"github.com/idlegrid/idlegrid/refserver/internal/verifier"
)

const model = "NVIDIA RTX A4000"

// measured are rates at which the work takes 131 ms, of 250 that it may, and the walk as long as it may.
func measured() challenge.Rate {
	return challenge.Rate{
		Model: model, Kind: challenge.Int8, OpsPerSec: 4_000_000, ReadsPerSec: 400, Runs: 3, Driver: "550.54.15", Kernel: "test/1",
		Source: "this test", Measured: "2026-01-31", ClockMHz: 1, PowerWatts: 1,
	}
}

// full is the task of the server with a table that is cheap to make: a processor does, for 16 devices.
func full() challenge.Spec {
	s := verifier.Full()
	s.Memory.Cost = 8
	return s
}

// stream gives bytes that follow from how many were asked for.
type stream struct {
	mu sync.Mutex
	n  uint64 // guarded by mu
}

func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, s.n))
	return copy(p, sum[:]), nil
}

// lab is a verifier on the clock of a bubble, and what it found.
type lab struct {
	t *testing.T
	v *verifier.Verifier

	mu     sync.Mutex
	proofs []network.Prove     // guarded by mu
	speaks map[[32]byte]string // guarded by mu
}

// in runs a test in a bubble, where only waiting takes time.
func in(t *testing.T, change func(*verifier.Config), f func(t *testing.T, l *lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t, speaks: map[[32]byte]string{agentKey("host").public: "host"}}
		rates, err := challenge.NewRates([]challenge.Rate{measured()})
		require.NoError(t, err)
		c := verifier.Config{
			Params: challenge.DefaultParams(), Schedule: challenge.Schedule{Epoch: time.Minute}, Rates: rates, Work: 250 * time.Millisecond,
			Full: full(), Least: verifier.Least(), MemoryPPM: 100_000, Now: time.Now, Entropy: &stream{}, Log: slog.New(slog.DiscardHandler),
			Speaker: func(key [32]byte) string {
				l.mu.Lock()
				defer l.mu.Unlock()
				return l.speaks[key]
			},
			Do: func(p network.Prove) error {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.proofs = append(l.proofs, p)
				return nil
			},
		}
		if change != nil {
			change(&c)
		}
		l.v, err = verifier.New(c)
		require.NoError(t, err)
		f(t, l)
	})
}

func (l *lab) found() []network.Prove {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]network.Prove(nil), l.proofs...)
}

func (l *lab) lets(key [32]byte, node string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.speaks[key] = node
}

// pass lets time pass, a tick each tenth of a second.
func (l *lab) pass(d time.Duration) {
	l.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
		require.NoError(l.t, l.v.Tick())
	}
}

func devices(n int) []gpu.Device {
	var out []gpu.Device
	for i := range n {
		out = append(out, gpu.Device{ID: gpu.DeviceID("GPU-" + string(rune('a'+i))), Model: model, MemoryMiB: 4})
	}
	return out
}

type pair struct {
	private ed25519.PrivateKey
	public  [32]byte
}

func agentKey(name string) pair {
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	return pair{key, [32]byte(key[32:])}
}

// hand is what answers for one device.
type hand struct {
	lab    *lab
	key    pair
	id     string
	device int
	prover *cpu.Prover
	nonce  challenge.Hash
	step   worker.Step
	last   []byte // what was handed in last
}

// offer waits until a node is challenged, and returns a hand for each device.
func (l *lab) offer(list []gpu.Device) []*hand {
	l.t.Helper()
	o, due := worker.Offer{}, false
	for range 600 {
		l.pass(time.Second)
		var err error
		o, due, err = l.v.Offer("host", list)
		require.NoError(l.t, err)
		if due {
			break
		}
	}
	require.True(l.t, due)
	require.Len(l.t, o.Devices, len(list))
	var out []*hand
	for i, p := range o.Devices {
		require.Equal(l.t, list[i].ID, p.Device)
		prover, err := cpu.New(cpu.Config{Workers: 1, MaxBytes: 64 << 20})
		require.NoError(l.t, err)
		out = append(out, &hand{lab: l, key: agentKey("host"), id: o.ID, device: i, prover: prover, nonce: p.Nonce, step: worker.Step{Kind: worker.StepPing}})
	}
	return out
}

func (h *hand) sign(k gpu.Kind, a worker.Answer) []byte {
	h.lab.t.Helper()
	body, err := a.MarshalBinary()
	require.NoError(h.lab.t, err)
	b, err := gpu.Report{Kind: k, Key: h.key.public, Seq: 1, Sent: time.Now(), Nonce: h.nonce, Body: body}.Sign(h.key.private)
	require.NoError(h.lab.t, err)
	return b
}

// say hands in an answer and takes the next step.
func (h *hand) say(a worker.Answer) {
	h.lab.t.Helper()
	h.last = h.sign(gpu.AnswerReport, a)
	step, err := h.lab.v.Answer(h.lab.t.Context(), h.id, h.device, h.last)
	require.NoError(h.lab.t, err)
	h.step, h.nonce = step, step.Nonce
}

// honest is the right answer to the step that is due.
func (h *hand) honest() (a worker.Answer) {
	h.lab.t.Helper()
	var err error
	switch h.step.Kind {
	case worker.StepPing:
		a.Kind = worker.Pong
	case worker.StepWait:
		a.Kind = worker.Again
	case worker.StepFill:
		a.Kind = worker.Filled
		err = h.prover.Fill(h.lab.t.Context(), *h.step.Spec)
	case worker.StepWork:
		a.Kind = worker.Committed
		a.Roots, err = h.prover.Commit(h.lab.t.Context(), *h.step.Spec)
	case worker.StepWalk:
		a.Kind = worker.Walked
		a.Walk, err = h.prover.Walk(h.lab.t.Context(), *h.step.Draw)
	case worker.StepOpen:
		a.Kind = worker.Opened
		a.Openings, err = h.prover.Open(h.lab.t.Context(), *h.step.Draw)
		require.NoError(h.lab.t, err)
		a.Segments, err = h.prover.OpenWalk(h.lab.t.Context(), *h.step.Draw)
	default:
		h.lab.t.Fatalf("step %q", h.step.Kind)
	}
	require.NoError(h.lab.t, err)
	return a
}

// until answers honestly until a step of a kind is due.
func (h *hand) until(kind string) {
	h.lab.t.Helper()
	for h.step.Kind != kind {
		h.say(h.honest())
	}
}

// together answers for all devices, each in a goroutine.
func together(hands []*hand, f func(i int, h *hand)) {
	var wait sync.WaitGroup
	for i, h := range hands {
		wait.Go(func() { f(i, h) })
	}
	wait.Wait()
}
