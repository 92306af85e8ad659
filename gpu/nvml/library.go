package nvml

import (
	"context"
	"fmt"
	"sync"

	"github.com/idlegrid/idlegrid/gpu"
)

// library is a management library in this process. The driver counts initialisations by process, so all sources of one
// library share it: it is initialised by the first probe, and shut down when the last source is closed and nothing is inside.
type library struct {
	raw    raw
	fields []field
	sys    slot // what belongs to no device: loading, initialising, counting, shutting down

	mu           sync.Mutex
	refs         int // open sources
	sess         *session
	stuckWatches int
}

// session is the time from an initialisation to the shutdown. While it lasts, an index always means the same device.
type session struct {
	// All of it is guarded by library.mu.
	devices []*deviceSlot
	users   int  // probes, and goroutines inside a device: nothing is shut down below them
	broken  bool // the driver went away
}

// deviceSlot is a device of a session and what was last known of it.
type deviceSlot struct {
	slot
	id  gpu.DeviceID
	bus string
}

// libraryKey tells libraries apart.
type libraryKey struct{ binding, path string }

// libraries are those in use by this process. They stay loaded: unmapping one below a stuck call would end the process.
var libraries struct {
	sync.Mutex
	m map[libraryKey]*library
}

// acquire returns the process's library, and counts one more user of it.
func acquire(k libraryKey, open func(path string) raw) *library {
	libraries.Lock()
	defer libraries.Unlock()
	l := libraries.m[k]
	if l == nil {
		if libraries.m == nil {
			libraries.m = map[libraryKey]*library{}
		}
		l = newLibrary(open(k.path))
		libraries.m[k] = l
	}
	l.mu.Lock()
	l.refs++
	l.mu.Unlock()
	return l
}

func newLibrary(r raw) *library { return &library{raw: r, fields: fields()} }

// release gives a library back. The last one shuts it down, unless a call is stuck in it: then the driver stays initialised
// and the next source finds it so.
func (l *library) release(ctx context.Context) error {
	l.mu.Lock()
	l.refs--
	last := l.refs == 0 && l.sess != nil
	l.mu.Unlock()
	if !last {
		return nil
	}
	_, err := run(ctx, &l.sys, func() code {
		l.mu.Lock()
		idle := l.refs == 0 && l.sess != nil && l.sess.users == 0
		if idle {
			l.sess = nil
		}
		l.mu.Unlock()
		if !idle || !l.raw.has(callShutdown) {
			return codeSuccess
		}
		return l.raw.simple(callShutdown)
	})
	return err
}

// host is what a probe learns before it looks at devices.
type host struct {
	driver       string
	nvml, cuda   gpu.Opt[string]
	confidential gpu.Opt[gpu.Confidential]
	count        uint32
}

// opened is the outcome of ensure.
type opened struct {
	sess *session
	host host
	err  error
}

// enter makes sure that the library is loaded and initialised and counts the caller in. Every success needs an exit.
func (l *library) enter(ctx context.Context) (*session, host, error) {
	o, err := run(ctx, &l.sys, func() opened { return l.ensure(ctx) })
	if err == nil {
		err = o.err
	}
	if err != nil {
		return nil, host{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sess != o.sess { // another probe found it broken and began anew
		return nil, host{}, fmt.Errorf("%w: it went away", gpu.ErrNoDriver)
	}
	o.sess.users++
	return o.sess, o.host, nil
}

// exit counts a caller out.
func (l *library) exit(s *session) {
	l.mu.Lock()
	s.users--
	l.mu.Unlock()
}

// breakUp marks a session whose driver is gone: the next probe begins anew.
func (l *library) breakUp(s *session) {
	l.mu.Lock()
	s.broken = true
	l.mu.Unlock()
}

func (l *library) isBroken(s *session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return s.broken
}

// device returns the slot of an index.
func (l *library) device(s *session, index uint32) *deviceSlot {
	l.mu.Lock()
	defer l.mu.Unlock()
	for uint32(len(s.devices)) <= index {
		d := &deviceSlot{}
		d.started = func() { // the caller is counted in already: users is above 0
			l.mu.Lock()
			s.users++
			l.mu.Unlock()
		}
		d.ended = func() { l.exit(s) }
		s.devices = append(s.devices, d)
	}
	return s.devices[index]
}

// remember keeps who a device is, for the time when it can no longer say so.
func (l *library) remember(d *deviceSlot, id gpu.DeviceID, bus string) {
	l.mu.Lock()
	d.id, d.bus = id, bus
	l.mu.Unlock()
}

// known returns what remember kept.
func (l *library) known(d *deviceSlot) (id gpu.DeviceID, bus string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return d.id, d.bus
}

// ensure loads and initialises what is not, and asks what belongs to no device. It runs inside the slot sys.
func (l *library) ensure(ctx context.Context) opened {
	if err := l.raw.load(); err != nil {
		return opened{err: err}
	}
	s, err := l.current()
	if err == nil && s == nil {
		s, err = l.initialise()
	}
	if err != nil {
		return opened{err: err}
	}
	r := &reader{ctx: ctx, raw: l.raw}
	h, err := r.host()
	if r.gone != codeSuccess {
		l.breakUp(s)
		err = noDriver(r.gone)
	}
	return opened{s, h, err}
}

// current returns the session that runs; nil if there is none and one may be begun, after a shutdown where that is due.
func (l *library) current() (*session, error) {
	l.mu.Lock()
	s := l.sess
	switch {
	case s == nil || !s.broken:
		l.mu.Unlock()
		return s, nil
	case s.users > 0:
		defer l.mu.Unlock()
		for _, d := range s.devices {
			if d.isStuck() {
				return nil, fmt.Errorf("%w, and the driver went away", gpu.ErrStuck)
			}
		}
		return nil, fmt.Errorf("%w: it went away", gpu.ErrNoDriver)
	}
	l.sess = nil
	l.mu.Unlock()
	if l.raw.has(callShutdown) {
		l.raw.simple(callShutdown) // it may well say that nothing is initialised
	}
	return nil, nil //nolint:nilnil // no session and no reason against a new one
}

func (l *library) initialise() (*session, error) {
	switch c := l.raw.simple(callInit); c {
	case codeSuccess:
	case codeLibraryNotFound:
		return nil, fmt.Errorf("%w: initialise: %s", gpu.ErrNoLibrary, c.why())
	default:
		return nil, noDriver(c)
	}
	s := &session{}
	l.mu.Lock()
	l.sess = s
	l.mu.Unlock()
	return s, nil
}

// noDriver says that nothing answers, and in which words.
func noDriver(c code) error { return fmt.Errorf("%w: %s", gpu.ErrNoDriver, c.why()) }
