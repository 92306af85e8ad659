package gputest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// recorder is a testing.TB that keeps what a test says and whether it failed, and goes no further.
type recorder struct {
	testing.TB
	context func() context.Context // ends when the test says so
	mu      sync.Mutex
	said    []string
}

func (r *recorder) Context() context.Context { return r.context() }

func (r *recorder) Helper() {}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// exercise runs every case against what newSource makes, in fake time, and returns the names of those that failed with what
// they said.
func exercise(t *testing.T, newSource func() gpu.Source) map[string]string {
	failed := map[string]string{}
	for _, c := range cases() {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			r := &recorder{TB: t, context: func() context.Context { return ctx }}
			done := make(chan struct{})
			go func() {
				defer close(done)
				c.run(r, newSource())
			}()
			<-done
			cancel()
			<-time.After(24 * time.Hour) // what a broken source left behind ends before the bubble does
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.said) > 0 {
				failed[c.name] = strings.Join(r.said, "; ")
			}
		})
	}
	return failed
}

// parts replace the methods of a source that keeps all rules.
type parts struct {
	probe func(b *broken, ctx context.Context) (gpu.Inventory, error)
	watch func(b *broken, ctx context.Context, notify func(gpu.Notice)) error
	close func(b *broken) error
}

// broken is a source that breaks a rule.
type broken struct {
	*Source
	parts

	mu    sync.Mutex
	count int
	kept  gpu.Inventory
}

func (b *broken) Probe(ctx context.Context) (gpu.Inventory, error) {
	if b.probe != nil {
		return b.probe(b, ctx)
	}
	return b.Source.Probe(ctx)
}

func (b *broken) Watch(ctx context.Context, notify func(gpu.Notice)) error {
	if b.watch != nil {
		return b.watch(b, ctx, notify)
	}
	return b.Source.Watch(ctx, notify)
}

func (b *broken) Close() error {
	if b.close != nil {
		return b.close(b)
	}
	return b.Source.Close()
}

// next counts the probes.
func (b *broken) next() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	return b.count
}

func newBroken(t *testing.T, how parts) *broken {
	p, err := ParseProfile("h100x2")
	require.NoError(t, err)
	s, err := NewSource(p, nil)
	require.NoError(t, err)
	return &broken{Source: s, parts: how}
}

// change probes the good source and changes what it gives.
func change(f func(b *broken, inv *gpu.Inventory)) func(*broken, context.Context) (gpu.Inventory, error) {
	return func(b *broken, ctx context.Context) (gpu.Inventory, error) {
		inv, err := b.Source.Probe(ctx)
		if err == nil {
			f(b, &inv)
		}
		return inv, err
	}
}

func TestExerciseCatches(t *testing.T) {
	require.Empty(t, exercise(t, func() gpu.Source { return newBroken(t, parts{}) }), "a source that keeps the rules")

	closed := func(b *broken) bool { return b.isClosed() }
	for name, c := range map[string]struct {
		source parts
		want   []string // the cases that must fail, at least
	}{
		"no devices": {
			parts{probe: change(func(_ *broken, inv *gpu.Inventory) { inv.Devices = nil })},
			[]string{"inventory is valid", "JSON round trip", "concurrent probes"},
		},
		"no backend": {
			parts{probe: change(func(_ *broken, inv *gpu.Inventory) { inv.Backend = "" })}, []string{"inventory is valid"},
		},
		"no reading": {
			parts{probe: change(func(_ *broken, inv *gpu.Inventory) { inv.Devices[1].Reading = nil })}, []string{"inventory is valid"},
		},
		"one id twice": {
			parts{probe: change(func(_ *broken, inv *gpu.Inventory) { inv.Devices[1].ID = inv.Devices[0].ID })}, []string{"inventory is valid"},
		},
		"missing without a reason": {
			parts{probe: change(func(_ *broken, inv *gpu.Inventory) { inv.Missing = []gpu.Missing{{BusID: "0000:01:00.0"}} })},
			[]string{"inventory is valid"},
		},
		"serial numbers change": {
			parts{probe: change(func(b *broken, inv *gpu.Inventory) { inv.Devices[0].Serial = fmt.Sprint(b.next()) })},
			[]string{"identity is stable", "inventories share nothing", "concurrent probes"},
		},
		"boot id changes": {
			parts{probe: change(func(b *broken, inv *gpu.Inventory) { inv.BootID = fmt.Sprint(b.next()) })}, []string{"identity is stable"},
		},
		"time runs back": {
			parts{probe: change(func(b *broken, inv *gpu.Inventory) { inv.Taken = inv.Taken.Add(-time.Duration(b.next()) * time.Hour) })},
			[]string{"identity is stable"},
		},
		"a byte that JSON cannot carry": {
			parts{probe: change(func(_ *broken, inv *gpu.Inventory) { inv.Devices[0].BusID = "0000:19:00.0\x80" })},
			[]string{"inventory is valid", "JSON round trip"},
		},
		"shared memory": {
			parts{probe: func(b *broken, ctx context.Context) (gpu.Inventory, error) {
				b.mu.Lock()
				defer b.mu.Unlock()
				if len(b.kept.Devices) == 0 {
					var err error
					if b.kept, err = b.Source.Probe(ctx); err != nil {
						return gpu.Inventory{}, err
					}
				}
				if b.isClosed() {
					return gpu.Inventory{}, gpu.ErrClosed
				}
				return b.kept, nil
			}},
			[]string{"inventories share nothing"},
		},
		"waits for ever": {
			parts{probe: func(b *broken, ctx context.Context) (gpu.Inventory, error) {
				if ctx.Err() != nil || b.next() == 2 {
					<-time.After(time.Hour)
				}
				return b.Source.Probe(ctx)
			}},
			[]string{"ended context", "deadline"},
		},
		"empty inventory in place of an error": {
			parts{probe: func(b *broken, ctx context.Context) (gpu.Inventory, error) {
				inv, err := b.Source.Probe(ctx)
				if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
					return inv, nil
				}
				return inv, err
			}},
			[]string{"ended context"},
		},
		"one probe at a time": {
			parts{probe: func(b *broken, ctx context.Context) (gpu.Inventory, error) {
				if !b.mu.TryLock() {
					return gpu.Inventory{}, errors.New("busy")
				}
				defer b.mu.Unlock()
				<-time.After(time.Millisecond)
				return b.Source.Probe(ctx)
			}},
			[]string{"concurrent probes"},
		},
		"watch goes on": {
			parts{watch: func(_ *broken, ctx context.Context, _ func(gpu.Notice)) error {
				<-time.After(time.Hour)
				return ctx.Err()
			}},
			[]string{"watch ends with its context", "close ends a watch", "closed"},
		},
		"watch returns at once": {
			parts{watch: func(*broken, context.Context, func(gpu.Notice)) error { return nil }},
			[]string{"watch ends with its context", "close ends a watch", "closed"},
		},
		"notifies twice at once": {
			parts{watch: func(b *broken, ctx context.Context, notify func(gpu.Notice)) error {
				go notify(gpu.Notice{Kind: gpu.NoticeClock})
				notify(gpu.Notice{Kind: gpu.NoticeClock})
				return b.Source.Watch(ctx, notify)
			}},
			[]string{"watch ends with its context"},
		},
		"notifies after its return": {
			parts{watch: func(b *broken, ctx context.Context, notify func(gpu.Notice)) error {
				go func() {
					<-time.After(time.Minute)
					notify(gpu.Notice{Kind: gpu.NoticeClock})
				}()
				return b.Source.Watch(ctx, notify)
			}},
			[]string{"watch ends with its context"},
		},
		"notice without a kind": {
			parts{watch: func(b *broken, ctx context.Context, notify func(gpu.Notice)) error {
				notify(gpu.Notice{})
				return b.Source.Watch(ctx, notify)
			}},
			[]string{"watch ends with its context"},
		},
		"probes when closed": {
			parts{probe: func(b *broken, ctx context.Context) (gpu.Inventory, error) {
				if closed(b) {
					return gpu.Inventory{}, nil
				}
				return b.Source.Probe(ctx)
			}},
			[]string{"closed"},
		},
		"second close fails": {
			parts{close: func(b *broken) error {
				if closed(b) {
					return gpu.ErrClosed
				}
				return b.Source.Close()
			}},
			[]string{"closed"},
		},
		"close does nothing": {
			parts{close: func(*broken) error { return nil }}, []string{"closed", "close ends a watch"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			failed := exercise(t, func() gpu.Source { return newBroken(t, c.source) })
			for _, name := range c.want {
				require.Contains(t, failed, name)
			}
		})
	}
}
