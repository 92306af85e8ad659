package verifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/worker"
)

// ErrUnknown says that there is no such challenge under way: it is over, was interrupted, or never was.
var ErrUnknown = errors.New("verifier: no such challenge")

// ErrOrder says that an answer came that nothing asked for.
var ErrOrder = errors.New("verifier: answer is out of order")

// wait is how long an answer may be held back until the next question is due.
const wait = 20 * time.Second

// Config is what a verifier needs.
type Config struct {
	Params   challenge.Params
	Schedule challenge.Schedule
	Rates    *challenge.Rates
	// Work is how long the work of a device whose rates are known shall take, and as long again its walk.
	Work time.Duration
	// MemoryPPM is the share of a device's memory that work and table may take together, in parts per million. What a driver
	// keeps for itself is not free: 6 % at most on what was seen.
	MemoryPPM uint64
	// Full is the task of a device whose rates are known: N, Rounds, Segments and the table's size are fitted to it.
	Full challenge.Spec
	// Least is the task of a device whose rates are not known: small enough for anything.
	Least challenge.Spec
	// Now is the clock: with a monotonic reading, and never faster than the world's.
	Now func() time.Time
	// Entropy gives nonces: crypto/rand's.
	Entropy io.Reader
	// Speaker returns the node that a key may speak for now: "" if it may not. It must not call the verifier.
	Speaker func(key [32]byte) string
	// Do carries a verdict to the network. It must not call the verifier.
	Do  func(network.Prove) error
	Log *slog.Logger
}

// Verifier holds the challenges under way. It is safe for concurrent use.
type Verifier struct {
	cfg Config
	key [32]byte // of the schedule

	mu    sync.Mutex
	runs  map[string]*run      // by id
	node  map[string]string    // node -> id of its run
	epoch map[string]time.Time // node -> end of the epoch in which it was challenged last
	count uint64
}

// run is the barrier of one node's devices.
type run struct {
	mu      sync.Mutex
	id      string
	node    string
	devices []gpu.DeviceID
	barrier *challenge.Barrier
	sides   []side
	last    time.Time // of the last event
	over    bool
	ended   time.Time // when over
}

// side is where one device stands.
type side struct {
	nonce   challenge.Hash     // that its next answer is signed over
	heard   challenge.Hash     // SHA-256 of the last answer that was taken
	next    *worker.Step       // the next question; nil: not due yet
	due     chan struct{}      // closed when next is set
	examine *challenge.Examine // what the last answer has to be examined for; nil: nothing
}

// New returns a verifier without challenges. The schedule's key is drawn from Entropy.
func New(cfg Config) (*Verifier, error) {
	if err := errors.Join(cfg.Params.Validate(), cfg.Schedule.Validate(2*cfg.Work)); err != nil {
		return nil, err
	}
	if cfg.MemoryPPM == 0 || cfg.MemoryPPM > challenge.Million {
		return nil, fmt.Errorf("verifier: memory_ppm %d, want 1 to %d", cfg.MemoryPPM, challenge.Million)
	}
	if cfg.Rates == nil {
		cfg.Rates = &challenge.Rates{}
	}
	v := &Verifier{cfg: cfg, runs: map[string]*run{}, node: map[string]string{}, epoch: map[string]time.Time{}}
	if _, err := io.ReadFull(cfg.Entropy, v.key[:]); err != nil {
		return nil, fmt.Errorf("verifier: key: %w", err)
	}
	return v, nil
}

// Offer says which challenge a node has to answer now, if any: its time in this epoch has come, and it had none yet. The
// caller has just heard the node, with these devices.
func (v *Verifier) Offer(node string, devices []gpu.Device) (worker.Offer, bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.cfg.Now()
	if _, running := v.node[node]; running || now.Before(v.epoch[node]) {
		return worker.Offer{}, false, nil
	}
	length := v.cfg.Schedule.Epoch
	n := now.UnixNano() / int64(length)
	begin := now.Add(-time.Duration(now.UnixNano() % int64(length)))
	if now.Before(begin.Add(v.cfg.Schedule.Barrier(v.key, [32]byte{}, uint64(n), node))) {
		return worker.Offer{}, false, nil
	}
	r, err := v.pose(node, devices)
	if err != nil {
		return worker.Offer{}, false, err
	}
	if err := v.apply(r, now, challenge.Begun{}); err != nil { // nobody else has the run yet
		return worker.Offer{}, false, err
	}
	v.runs[r.id], v.node[node], v.epoch[node] = r, r.id, begin.Add(length)
	out := worker.Offer{ID: r.id}
	for i, d := range devices {
		out.Devices = append(out.Devices, worker.Part{Device: d.ID, Nonce: r.sides[i].nonce})
	}
	v.cfg.Log.Debug("challenge posed", "id", r.id, "node", node, "devices", len(devices))
	return out, true, nil
}

// pose makes the barrier of a node's devices.
func (v *Verifier) pose(node string, devices []gpu.Device) (*run, error) {
	v.count++
	var id challenge.Hash
	if err := v.draw(&id); err != nil {
		return nil, err
	}
	r := &run{id: fmt.Sprintf("%s-%d", id.String()[:24], v.count), node: node}
	var tasks []challenge.Task
	for _, d := range devices {
		t, err := v.task(d)
		if err != nil {
			return nil, fmt.Errorf("verifier: device %s: %w", d.ID, err)
		}
		tasks = append(tasks, t)
		s := side{due: make(chan struct{})}
		if err := v.draw(&s.nonce); err != nil {
			return nil, err
		}
		r.devices, r.sides = append(r.devices, d.ID), append(r.sides, s)
	}
	var err error
	if r.barrier, err = challenge.NewBarrier(v.cfg.Params, tasks); err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	return r, nil
}

// task fits work, table and walk to what the model was measured to do. Both rates are needed: without one the device gets the
// least task, which is over in no time on a device that is any good, so that a deadline by the other rate would be one for the
// line.
func (v *Verifier) task(d gpu.Device) (challenge.Task, error) {
	rate, _ := v.cfg.Rates.Rate(d.Model, v.cfg.Full.Kind)
	known := rate.OpsPerSec > 0 && rate.ReadsPerSec > 0
	t := challenge.Task{Spec: v.cfg.Least}
	if known {
		t = challenge.Task{Spec: v.cfg.Full, Rate: rate}
	} else if rate.Peak > 0 && rate.Kind == v.cfg.Least.Kind {
		t.Rate = challenge.Rate{Model: rate.Model, Kind: rate.Kind, Peak: rate.Peak, PeakSource: rate.PeakSource}
	}
	t.Spec.Device = string(d.ID)
	if err := v.draw(&t.Spec.Session); err != nil || !known {
		return t, err
	}
	var err error
	if t.Spec.Memory, err = challenge.FitWalk(t.Spec.Memory, rate.ReadsPerSec, v.cfg.Work); err != nil {
		return t, err
	}
	t.Spec, err = challenge.Fit(t.Spec, rate.OpsPerSec, v.cfg.Work, (d.MemoryMiB<<20)/challenge.Million*v.cfg.MemoryPPM)
	return t, err
}

func (v *Verifier) draw(h *challenge.Hash) error {
	if _, err := io.ReadFull(v.cfg.Entropy, h[:]); err != nil {
		return fmt.Errorf("verifier: nonce: %w", err)
	}
	return nil
}

// Tick ends what is late, and forgets what is over. It is called a few times a second.
func (v *Verifier) Tick() error {
	v.mu.Lock()
	runs := make([]*run, 0, len(v.runs))
	for _, id := range slices.Sorted(maps.Keys(v.runs)) {
		runs = append(runs, v.runs[id])
	}
	v.mu.Unlock()
	var errs []error
	for _, r := range runs {
		errs = append(errs, v.tick(r))
	}
	return errors.Join(errs...)
}

func (v *Verifier) tick(r *run) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		return v.apply(r, v.cfg.Now(), challenge.Ticked{})
	}
	if v.cfg.Now().Sub(r.ended) > wait { // long enough for everybody who waits to hear the end
		v.mu.Lock()
		delete(v.runs, r.id)
		v.mu.Unlock()
	}
	return nil
}

// Run calls Tick until the context ends.
func (v *Verifier) Run(ctx context.Context, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := v.Tick(); err != nil {
				return err
			}
		}
	}
}
