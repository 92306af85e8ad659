package nvml

import (
	"context"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// waitInterval is how long one wait for an event lasts: a Watch that ends leaves the library within it.
const waitInterval = 100 * time.Millisecond

// The bits of nvml.h's event types that have a place in a Notice. The others are not registered.
const (
	eventCorrected    = 0x1
	eventUncorrected  = 0x2
	eventPState       = 0x4
	eventXid          = 0x8
	eventClock        = 0x10
	eventPowerSource  = 0x80
	eventMIG          = 0x100
	eventStorm        = 0x200 // many corrected errors
	eventPoison       = 0x1000
	eventPoisonFatal  = 0x2000
	eventUnavailable  = 0x4000
	everythingWatched = eventCorrected | eventUncorrected | eventPState | eventXid | eventClock | eventPowerSource | eventMIG |
		eventStorm | eventPoison | eventPoisonFatal | eventUnavailable
)

// watched is a device whose events are registered.
type watched struct {
	h   handle
	id  gpu.DeviceID
	bus string
}

// watcher is one Watch.
type watcher struct {
	lib     *library
	sess    *session
	set     eventSet
	devices []watched
}

// heardEvent is what one wait brought: an event, the loss of a device, or the end.
type heardEvent struct {
	event event
	lost  bool
	err   error
}

// Watch calls notify for the driver's events: Xids, memory errors, clock, power source and MIG changes, lost devices. Devices
// that cannot be registered are left out. It returns gpu.ErrUnsupported if there is no event to wait for, gpu.ErrNoLibrary,
// gpu.ErrNoDriver (also when the driver goes away later), gpu.ErrStuck, gpu.ErrClosed, or ctx's error.
func (s *Source) Watch(ctx context.Context, notify func(gpu.Notice)) error {
	ctx, done, err := s.begin(ctx, false)
	if err != nil {
		return err
	}
	defer done()
	if err := s.watch(ctx, notify); err != nil {
		return s.explain("watch", err)
	}
	return nil
}

func (s *Source) watch(ctx context.Context, notify func(gpu.Notice)) error {
	w, err := s.subscribe(ctx)
	if err != nil {
		return err
	}
	heard, ended := make(chan heardEvent), make(chan struct{})
	listening, stop := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		w.listen(listening, heard)
	}()
	defer s.leaveBehind(ended)
	defer stop()
	lost := false
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case h := <-heard:
			switch {
			case h.err != nil:
				return h.err
			case h.lost && lost: // the library repeats itself until the device is gone
			default:
				notify(w.notice(h))
			}
			lost = h.lost
		}
	}
}

// subscribe makes a set of events and registers every device. Its success counts a user in, whom listen counts out.
func (s *Source) subscribe(ctx context.Context) (*watcher, error) {
	setup, cancel := context.WithTimeout(ctx, s.cfg.Deadline)
	defer cancel()
	l := s.lib
	l.mu.Lock()
	stuck := l.stuckWatches > 0
	l.mu.Unlock()
	if stuck {
		return nil, gpu.ErrStuck
	}
	sess, h, err := l.enter(setup)
	if err != nil {
		return nil, err
	}
	for _, c := range []call{callSetCreate, callEventTypes, callRegister, callSetWait, callSetFree} {
		if !l.raw.has(c) {
			l.exit(sess)
			return nil, fmt.Errorf("%w: events: %s", gpu.ErrUnsupported, gpu.WhySymbolAbsent)
		}
	}
	type created struct {
		set eventSet
		rc  code
	}
	c, err := run(setup, &l.sys, func() created {
		set, rc := l.raw.newEvents()
		return created{set, rc}
	})
	if err == nil && c.rc != codeSuccess {
		err = fmt.Errorf("%w: events: %s", gpu.ErrUnsupported, c.rc.why())
	}
	if err != nil {
		l.exit(sess)
		return nil, err
	}
	w := &watcher{lib: l, sess: sess, set: c.set}
	for i := range min(h.count, gpu.MaxDevices) {
		w.register(setup, i)
	}
	if len(w.devices) == 0 {
		_, _ = run(setup, &l.sys, func() code { return l.raw.free(w.set) })
		l.exit(sess)
		return nil, fmt.Errorf("%w: no device has events", gpu.ErrUnsupported)
	}
	return w, nil
}

// register adds one device to the set, inside its slot.
func (w *watcher) register(ctx context.Context, index uint32) {
	slot := w.lib.device(w.sess, index)
	d, err := run(ctx, &slot.slot, func() watched {
		r := &reader{ctx: ctx, raw: w.lib.raw}
		if r.open(index) != "" {
			return watched{}
		}
		id := gpu.DeviceID(r.text(callUUID).V)
		p, _ := r.pci(callPCI, 0)
		types, why := r.ask(callEventTypes, 0, 0)
		if why != "" || types[0]&everythingWatched == 0 || r.shut(callRegister) != "" {
			return watched{}
		}
		if r.heard(w.lib.raw.register(w.set, r.h, types[0]&everythingWatched)) != "" {
			return watched{}
		}
		return watched{r.h, id, p.bus}
	})
	if err == nil && d.h != nil {
		w.devices = append(w.devices, d)
	}
}

// listen waits again and again until ctx ends, then frees the set. One wait may hang; then so does this goroutine.
func (w *watcher) listen(ctx context.Context, heard chan<- heardEvent) {
	defer w.lib.exit(w.sess)
	defer func() { w.lib.raw.free(w.set) }()
	say := func(h heardEvent) {
		select {
		case heard <- h:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		e, rc := w.lib.raw.wait(w.set, uint32(waitInterval/time.Millisecond))
		switch {
		case w.lib.isBroken(w.sess) || rc.gone():
			w.lib.breakUp(w.sess)
			say(heardEvent{err: fmt.Errorf("%w: it went away", gpu.ErrNoDriver)})
			return
		case rc == codeSuccess:
			say(heardEvent{event: e})
		case rc == codeTimeout:
		case rc == codeLost:
			say(heardEvent{event: e, lost: true})
			pause(ctx, waitInterval)
		default:
			say(heardEvent{err: fmt.Errorf("%w: wait for events: %s", gpu.ErrUnsupported, rc.why())})
			return
		}
	}
}

// leaveBehind waits for listen to end, and counts it as stuck if it does not: nobody else gets to wait until it returns.
func (s *Source) leaveBehind(ended <-chan struct{}) {
	grace := time.NewTimer(s.cfg.Deadline)
	defer grace.Stop()
	select {
	case <-ended:
		return
	case <-grace.C:
	}
	l := s.lib
	l.mu.Lock()
	l.stuckWatches++
	l.mu.Unlock()
	go func() {
		<-ended
		l.mu.Lock()
		l.stuckWatches--
		l.mu.Unlock()
	}()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// notice puts an event into the words of package gpu.
func (w *watcher) notice(h heardEvent) gpu.Notice {
	n := gpu.Notice{At: time.Now().UTC(), Kind: noticeKind(h.event.kind)}
	if h.lost {
		n.Kind = gpu.NoticeLost
	}
	for _, d := range w.devices {
		if d.h == h.event.device {
			n.ID, n.BusID = d.id, d.bus
		}
	}
	if n.Kind == gpu.NoticeXid {
		n.Xid = uint32(h.event.data)
	}
	return n
}

func noticeKind(event uint64) gpu.NoticeKind {
	switch {
	case event&eventXid != 0:
		return gpu.NoticeXid
	case event&(eventUncorrected|eventPoison|eventPoisonFatal) != 0:
		return gpu.NoticeUncorrected
	case event&(eventCorrected|eventStorm) != 0:
		return gpu.NoticeCorrected
	case event&eventUnavailable != 0:
		return gpu.NoticeLost
	case event&eventMIG != 0:
		return gpu.NoticeMIG
	case event&eventPowerSource != 0:
		return gpu.NoticePower
	}
	return gpu.NoticeClock
}
