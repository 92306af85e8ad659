package gputest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// ownDeadline is how long a probe without a deadline waits for a device that hangs.
const ownDeadline = 5 * time.Second

// Source is a gpu.Source that reads a profile. It is safe for concurrent use.
type Source struct {
	profile   Profile
	telemetry []*telemetry
	clock     func() time.Time
	made      time.Time
	closed    chan struct{}

	mu       sync.Mutex
	probes   int
	boots    int
	loaded   []time.Time // when each device was last reset or its driver loaded
	faults   []faultState
	watchers []*watcher
}

// faultState is how far a fault is.
type faultState struct {
	Fault
	since time.Time // when it began; zero: not yet
	cured bool      // by a reset
}

// watcher is one call of Watch: what it has still to hear.
type watcher struct {
	queue []gpu.Notice
	wake  chan struct{}
}

// NewSource makes a source of a profile. All that it says depends on the profile, on the times that clock gives and on the
// number of probes; nil is time.Now. The error is that of Profile.Validate.
func NewSource(p Profile, clock func() time.Time) (*Source, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if clock == nil {
		clock = time.Now
	}
	s := &Source{profile: p.clone(), clock: clock, made: clock(), closed: make(chan struct{})}
	for i := range p.Count {
		s.telemetry = append(s.telemetry, newTelemetry(s.profile, i))
		s.loaded = append(s.loaded, s.made.Add(-p.Uptime))
	}
	for _, f := range s.profile.Faults {
		s.faults = append(s.faults, faultState{Fault: f})
	}
	return s, nil
}

// Probe implements gpu.Source. A fault that is due begins now, and its notices are on their way to
// the watchers when Probe returns.
func (s *Source) Probe(ctx context.Context) (gpu.Inventory, error) {
	if s.isClosed() {
		return gpu.Inventory{}, gpu.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return gpu.Inventory{}, fmt.Errorf("gputest: probe: %w", err)
	}
	inv, hangs, err := s.read()
	if hangs {
		ctx, cancel := context.WithTimeout(ctx, ownDeadline)
		defer cancel()
		select {
		case <-ctx.Done():
		case <-s.closed:
			return gpu.Inventory{}, gpu.ErrClosed
		}
	}
	return inv, err
}

// Watch implements gpu.Source.
func (s *Source) Watch(ctx context.Context, notify func(gpu.Notice)) error {
	w := &watcher{wake: make(chan struct{}, 1)}
	s.mu.Lock()
	s.watchers = append(s.watchers, w)
	s.mu.Unlock()
	defer s.forget(w)
	for {
		switch {
		case s.isClosed():
			return gpu.ErrClosed
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if n, ok := s.next(w); ok {
			notify(n)
			continue
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
		case <-s.closed:
		}
	}
}

// Close implements gpu.Source. It ends the calls of Probe and Watch that are under way.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isClosed() {
		close(s.closed)
	}
	return nil
}

// Notify sends a notice to everybody who watches now.
func (s *Source) Notify(n gpu.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(n)
}

// Reset resets one device: its energy counter begins anew, and its faults that have begun are over, but row-remap-failed. It
// panics if there is no such device.
func (s *Source) Reset(device int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset(device)
}

// Reboot restarts the node: a new boot id, and a reset of every device.
func (s *Source) Reboot() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boots++
	for i := range s.loaded {
		s.reset(i)
	}
}

func (s *Source) reset(device int) {
	s.loaded[device] = s.clock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.Device == device && !f.since.IsZero() && f.Kind != "row-remap-failed" {
			f.cured = true
		}
	}
}

// read makes the inventory of this moment; hangs says that the answer of a device never comes.
func (s *Source) read() (inv gpu.Inventory, hangs bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probes++
	now := s.clock()
	s.begin(now)
	missing := make([]string, s.profile.Count)
	for _, f := range s.active() {
		switch f.Kind {
		case "driver-gone":
			return gpu.Inventory{}, false, fmt.Errorf("gputest: probe: %w", gpu.ErrNoDriver)
		case "lost":
			missing[f.Device] = gpu.WhyLost
		case "hang":
			missing[f.Device], hangs = gpu.WhyTimeout, true
		}
	}
	inv = s.profile.node(now, s.boots)
	at := make([]int, s.profile.Count) // place of a device in the inventory, -1 if it is missing
	for i := range at {
		s.profile.witness(&inv, i)
		d := s.profile.identity(i)
		if missing[i] != "" {
			at[i] = -1
			inv.Missing = append(inv.Missing, gpu.Missing{ID: d.ID, BusID: d.BusID, Why: missing[i]})
			continue
		}
		at[i] = len(inv.Devices)
		d.Reading = s.profile.reading(i)
		s.telemetry[i].fill(d.Reading, s.frozen(now, i).Sub(s.loaded[i]), i)
		inv.Devices = append(inv.Devices, d)
	}
	if len(inv.Devices) == 0 {
		if hangs {
			return gpu.Inventory{}, true, fmt.Errorf("gputest: probe: no device answers: %w", gpu.ErrStuck)
		}
		return gpu.Inventory{}, false, fmt.Errorf("gputest: probe: every device is lost: %w", gpu.ErrNoDriver)
	}
	s.join(&inv, at)
	for _, f := range s.active() {
		if k := at[f.Device]; k >= 0 {
			f.damage(&inv.Devices[k])
			f.lie(&inv, k)
		}
	}
	return inv, hangs, nil
}

// join adds the links between the devices that answer.
func (s *Source) join(inv *gpu.Inventory, at []int) {
	for a := range at {
		for b := a + 1; b < len(at); b++ {
			if at[a] < 0 || at[b] < 0 {
				continue
			}
			l := s.profile.link(a, b)
			l.A, l.B = uint8(at[a]), uint8(at[b])
			inv.Links = append(inv.Links, l)
		}
	}
}

// begin starts the faults that are due.
func (s *Source) begin(now time.Time) {
	for i := range s.faults {
		f := &s.faults[i]
		due := f.From > 0 && s.probes >= f.From || f.From == 0 && now.Sub(s.made) >= f.After
		if due && f.since.IsZero() {
			f.since = now
			for _, n := range f.notices(now, s.profile.identity(f.Device)) {
				s.send(n)
			}
		}
	}
}

// active lists the faults that have begun and are not over.
func (s *Source) active() []faultState {
	var out []faultState
	for _, f := range s.faults {
		if !f.since.IsZero() && !f.cured && (f.Last == 0 || s.probes <= f.Last) {
			out = append(out, f)
		}
	}
	return out
}

// frozen is the time that the telemetry of a device goes by.
func (s *Source) frozen(now time.Time, device int) time.Time {
	for _, f := range s.active() {
		if f.Kind == "static" && f.Device == device {
			return f.since
		}
	}
	return now
}

func (s *Source) send(n gpu.Notice) {
	for _, w := range s.watchers {
		w.queue = append(w.queue, n)
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (s *Source) next(w *watcher) (gpu.Notice, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(w.queue) == 0 {
		return gpu.Notice{}, false
	}
	n := w.queue[0]
	w.queue = w.queue[1:]
	return n, true
}

func (s *Source) forget(w *watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.watchers {
		if s.watchers[i] == w {
			s.watchers = append(s.watchers[:i], s.watchers[i+1:]...)
			return
		}
	}
}

func (s *Source) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}
