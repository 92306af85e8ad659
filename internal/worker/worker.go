package worker

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// Config is what a worker needs.
type Config struct {
	Server string             // "http://127.0.0.1:8080"
	Key    ed25519.PrivateKey // of this host's agent, enrolled with the network
	Source gpu.Source
	// Prover opens what answers for a device; it is closed after the challenge. Where it is a challenge.Walker too, it can
	// answer challenges with a table.
	Prover func(gpu.DeviceID) (challenge.Prover, error)
	// Health takes a probe and returns how well each device does; nil: everything is healthy.
	Health func(gpu.Inventory) func(gpu.DeviceID) gpu.Health
	// Tested is told what a challenge showed of a device, for its health; nil: nobody asks.
	Tested func(gpu.DeviceID, challenge.Verdict)
	HTTP   *http.Client
	Every  time.Duration // between heartbeats; a fifth of it is jitter
	// Show is called with the state whenever it changes, one call at a time.
	Show func(State)
}

// State is what a worker knows of itself.
type State struct {
	At        time.Time
	Doing     string // "reporting", "waiting", "proving", "reconnecting"
	Inventory gpu.Inventory
	Beats     int // heartbeats and inventories that were taken
	Verdicts  map[gpu.DeviceID]challenge.Verdict
	Trouble   string        // why the last turn went wrong; empty if it did not
	Next      time.Duration // until the next turn
}

// Worker is a running agent.
type Worker struct {
	cfg    Config
	client client
	seq    atomic.Uint64
	nonce  challenge.Hash // of the next report; zero: to be asked for
	told   [32]byte       // digest of the inventory that the server has
	boot   string         // of it
	since  time.Time      // when it was taken
	state  State
}

const (
	longest = 5 * time.Minute // the most that a worker waits before it tries again
	renewal = 6 * time.Hour   // how old the server's inventory may become: a registry believes one for a day
)

// New returns a worker that has said nothing yet. The first sequence number is that of the clock, so that it rises over a
// restart that forgot the last one.
func New(cfg Config) (*Worker, error) {
	switch {
	case len(cfg.Key) != ed25519.PrivateKeySize:
		return nil, fmt.Errorf("worker: key has %d bytes, want %d", len(cfg.Key), ed25519.PrivateKeySize)
	case cfg.Every < time.Second:
		return nil, fmt.Errorf("worker: every %v is under 1s", cfg.Every)
	case cfg.Source == nil || cfg.HTTP == nil:
		return nil, errors.New("worker: a source and an HTTP client are needed")
	}
	w := &Worker{
		cfg: cfg, client: client{cfg.HTTP, strings.TrimRight(cfg.Server, "/")},
		state: State{Verdicts: map[gpu.DeviceID]challenge.Verdict{}},
	}
	w.seq.Store(uint64(time.Now().UnixMilli()))
	return w, nil
}

// Run takes one turn after the other until the context ends. What goes wrong is shown, and tried again with a wait that
// doubles up to five minutes.
func (w *Worker) Run(ctx context.Context) error {
	failures := 0
	for ctx.Err() == nil {
		err := w.Turn(ctx)
		next := jitter(w.cfg.Every)
		if err != nil && ctx.Err() == nil {
			failures++
			next = jitter(min(longest, time.Second<<min(failures, 10)))
			w.state.Trouble = err.Error()
			w.show("reconnecting", next)
		} else {
			failures, w.state.Trouble = 0, ""
			w.show("waiting", next)
		}
		select {
		case <-ctx.Done():
		case <-time.After(next):
		}
	}
	return nil
}

// State returns what the worker knew after its last turn. It must not be called while Run or Turn goes on.
func (w *Worker) State() State { return w.state }

// jitter spreads a wait over its last fifth, so that a thousand agents do not speak in chorus.
func jitter(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/5+1)) //nolint:gosec // no secret
}

// Turn probes, reports or beats, and answers a challenge if one is due.
func (w *Worker) Turn(ctx context.Context) error {
	probe, cancel := context.WithTimeout(ctx, w.cfg.Every/2)
	inv, err := w.cfg.Source.Probe(probe)
	cancel()
	if err != nil {
		return err
	}
	w.state.Inventory = inv
	w.show("reporting", 0)
	kind, body := w.say(inv)
	ack, err := w.report(ctx, kind, body)
	var no *RefusedError
	if errors.As(err, &no) { // another nonce was posed, or the server knows other hardware: all over again next time
		w.nonce, w.told, w.boot = challenge.Hash{}, [32]byte{}, ""
	}
	if err != nil {
		return err
	}
	if kind == gpu.InventoryReport {
		w.told, w.boot, w.since = inv.Digest(), inv.BootID, time.Now()
	}
	w.nonce = ack.Nonce
	w.state.Beats++
	if ack.Proof == nil {
		return nil
	}
	w.show("proving", 0)
	return w.prove(ctx, *ack.Proof)
}

// say is an inventory where the server has another or an old one, and a heartbeat where it has this one.
func (w *Worker) say(inv gpu.Inventory) (gpu.Kind, any) {
	var health func(gpu.DeviceID) gpu.Health
	if w.cfg.Health != nil {
		health = w.cfg.Health(inv)
	}
	if inv.Digest() != w.told || inv.BootID != w.boot || time.Since(w.since) >= renewal {
		return gpu.InventoryReport, inv
	}
	return gpu.HeartbeatReport, inv.Heartbeat(health)
}

func (w *Worker) report(ctx context.Context, k gpu.Kind, what any) (Ack, error) {
	body, err := json.Marshal(what)
	if err != nil {
		return Ack{}, fmt.Errorf("worker: %w", err)
	}
	if w.nonce == (challenge.Hash{}) {
		if w.nonce, err = w.client.nonce(ctx, w.key()); err != nil {
			return Ack{}, err
		}
	}
	signed, err := w.sign(k, w.nonce, body)
	if err != nil {
		return Ack{}, err
	}
	return w.client.report(ctx, signed)
}

func (w *Worker) key() [32]byte { return [32]byte(w.cfg.Key[32:]) }

func (w *Worker) sign(k gpu.Kind, nonce challenge.Hash, body []byte) ([]byte, error) {
	return gpu.Report{Kind: k, Key: w.key(), Seq: w.seq.Add(1), Sent: time.Now(), Nonce: nonce, Body: body}.Sign(w.cfg.Key)
}

func (w *Worker) show(doing string, next time.Duration) {
	if w.cfg.Show == nil {
		return
	}
	w.state.At, w.state.Doing, w.state.Next = time.Now(), doing, next
	w.cfg.Show(w.state)
}
