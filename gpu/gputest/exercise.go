package gputest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// patience is how long Exercise waits for a call that must return, before it says that the call hangs. It is far beyond
// what any call may take, so a slow machine does not fail the test.
const patience = 30 * time.Second

// Exercise tests a source: newSource makes a fresh one for each case, of a host with at least one device that answers.
func Exercise(t *testing.T, newSource func(t testing.TB) gpu.Source) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) { c.run(t, newSource(t)) })
	}
}

// exerciseCase is one rule that a source is held to.
type exerciseCase struct {
	name string
	run  func(t testing.TB, s gpu.Source)
}

func cases() []exerciseCase {
	return []exerciseCase{
		{"inventory is valid", validInventory},
		{"identity is stable", stableIdentity},
		{"JSON round trip", roundTrip},
		{"inventories share nothing", noAliasing},
		{"ended context", endedContext},
		{"deadline", deadline},
		{"concurrent probes", concurrentProbes},
		{"watch ends with its context", watchEnds},
		{"close ends a watch", closeEndsWatch},
		{"closed", closedSource},
	}
}

// probe reads the source once and closes the test if that fails.
func probe(t testing.TB, s gpu.Source) gpu.Inventory {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience/2)
	defer cancel()
	var inv gpu.Inventory
	var err error
	if !returns(func() { inv, err = s.Probe(ctx) }) {
		t.Fatalf("Probe did not return %v after its deadline", patience/2)
	}
	if err != nil {
		t.Fatalf("Probe: %v", err)
	}
	return inv
}

// returns reports whether f returns in time. If it does not, its goroutine stays behind: nothing can end it.
func returns(f func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

func closeSource(t testing.TB, s gpu.Source) {
	t.Helper()
	var err error
	if !returns(func() { err = s.Close() }) {
		t.Fatalf("Close did not return within %v", patience)
	}
	if err != nil {
		t.Errorf("Close: %v", err)
	}
}

func validInventory(t testing.TB, s gpu.Source) {
	defer closeSource(t, s)
	inv := probe(t, s)
	if err := inv.Validate(); err != nil {
		t.Fatalf("inventory: %v", err)
	}
	if inv.Backend == "" {
		t.Error("inventory: backend is empty: whoever reads it wants to know who read it")
	}
	for i, d := range inv.Devices {
		if d.Reading == nil {
			t.Errorf("device %d has no reading", i)
		}
		for j, e := range inv.Devices[:i] {
			if d.ID == e.ID {
				t.Errorf("devices %d and %d have one id %q", j, i, d.ID)
			}
		}
	}
	for i, m := range inv.Missing {
		if m.Why == "" || m.ID == "" && m.BusID == "" {
			t.Errorf("missing device %d has no reason or no name: %+v", i, m)
		}
	}
}

func stableIdentity(t testing.TB, s gpu.Source) {
	defer closeSource(t, s)
	first := probe(t, s)
	for range 3 {
		next := probe(t, s)
		if next.Digest() != first.Digest() {
			t.Errorf("digest changed from %x to %x", first.Digest(), next.Digest())
		}
		if next.BootID != first.BootID {
			t.Errorf("boot id changed from %q to %q", first.BootID, next.BootID)
		}
		if next.Taken.Before(first.Taken) {
			t.Errorf("taken at %v after one at %v", next.Taken, first.Taken)
		}
	}
}

func roundTrip(t testing.TB, s gpu.Source) {
	defer closeSource(t, s)
	inv := probe(t, s)
	first := encode(t, inv)
	back, err := gpu.ParseInventory(first)
	if err != nil {
		t.Fatalf("an inventory does not survive JSON: %v", err)
	}
	if second := encode(t, back); !bytes.Equal(first, second) {
		t.Errorf("an inventory changes on its way through JSON:\n%s\n%s", first, second)
	}
	if back.Digest() != inv.Digest() {
		t.Error("the digest changes on its way through JSON")
	}
}

func encode(t testing.TB, inv gpu.Inventory) []byte {
	t.Helper()
	b, err := json.Marshal(inv)
	if err != nil {
		t.Fatalf("encode inventory: %v", err)
	}
	return b
}

// noAliasing overwrites one inventory and looks at another, and at one taken afterwards.
func noAliasing(t testing.TB, s gpu.Source) {
	defer closeSource(t, s)
	a, b := probe(t, s), probe(t, s)
	digest, before := a.Digest(), encode(t, b)
	wipe(reflect.ValueOf(&a))
	if !bytes.Equal(before, encode(t, b)) {
		t.Error("two inventories share memory: changing one changes the other")
	}
	if c := probe(t, s); c.Validate() != nil || c.Digest() != digest {
		t.Error("the source keeps memory of an inventory that it gave away: changing it changes the next one")
	}
}

// wipe sets everything that is reachable from v to its zero value, the ends of pointers and slices first.
func wipe(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			wipe(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			wipe(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				wipe(v.Field(i))
			}
		}
	default:
	}
	if v.CanSet() {
		v.SetZero()
	}
}

// endedContext: there is nothing to wait for, so Probe gives what it has at once, or an error.
func endedContext(t testing.TB, s gpu.Source) {
	defer closeSource(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	checkBounded(ctx, t, s)
	probe(t, s) // the source is none the worse for it
}

// deadline: however short it is, Probe keeps it.
func deadline(t testing.TB, s gpu.Source) {
	defer closeSource(t, s)
	for _, d := range []time.Duration{1, time.Millisecond, 20 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		checkBounded(ctx, t, s)
		cancel()
	}
	probe(t, s)
}

// checkBounded probes and wants an end, with an inventory that is valid or with an error, never with both or neither.
func checkBounded(ctx context.Context, t testing.TB, s gpu.Source) {
	t.Helper()
	var inv gpu.Inventory
	var err error
	if !returns(func() { inv, err = s.Probe(ctx) }) {
		t.Fatalf("Probe did not return %v after its context ended", patience)
	}
	if err == nil {
		if bad := inv.Validate(); bad != nil {
			t.Errorf("Probe under a short deadline gave neither an error nor a valid inventory: %v", bad)
		}
	}
}

func concurrentProbes(t testing.TB, s gpu.Source) {
	defer closeSource(t, s)
	want := probe(t, s).Digest()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 4 {
				ctx, cancel := context.WithTimeout(t.Context(), patience/2)
				inv, err := s.Probe(ctx)
				cancel()
				if err != nil || inv.Validate() != nil || inv.Digest() != want {
					t.Errorf("a concurrent probe: %v, %v, digest %x, want %x", err, inv.Validate(), inv.Digest(), want)
				}
			}
		})
	}
	if !returns(group.Wait) {
		t.Fatalf("concurrent probes did not return within %v", patience)
	}
}

// watch runs Watch until it returns. It reports calls of notify that overlap or come after the return.
func watch(ctx context.Context, t testing.TB, s gpu.Source) (result <-chan error) {
	out := make(chan error, 1)
	var inside atomic.Int32
	var over atomic.Bool
	go func() {
		err := s.Watch(ctx, func(n gpu.Notice) {
			if inside.Add(1) != 1 || over.Load() {
				t.Error("notify was called while it ran, or after Watch returned")
			}
			if n.Kind == 0 {
				t.Errorf("a notice has no kind: %+v", n)
			}
			<-time.After(time.Millisecond) // long enough for a second call to overlap with this one
			inside.Add(-1)
		})
		over.Store(true)
		out <- err
	}()
	return out
}

func watchEnds(t testing.TB, s gpu.Source) {
	defer closeSource(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	result := watch(ctx, t, s)
	probe(t, s)
	cancel()
	var err error
	if !returns(func() { err = <-result }) {
		t.Fatalf("Watch did not return %v after its context ended", patience)
	}
	if !errors.Is(err, context.Canceled) && !errors.Is(err, gpu.ErrUnsupported) {
		t.Errorf("Watch returned %v, want the context's error or ErrUnsupported", err)
	}
}

func closeEndsWatch(t testing.TB, s gpu.Source) {
	result := watch(t.Context(), t, s)
	probe(t, s)
	closeSource(t, s)
	var err error
	if !returns(func() { err = <-result }) {
		t.Fatalf("Watch did not return %v after Close", patience)
	}
	if !errors.Is(err, gpu.ErrClosed) && !errors.Is(err, gpu.ErrUnsupported) {
		t.Errorf("Watch returned %v, want ErrClosed or ErrUnsupported", err)
	}
}

func closedSource(t testing.TB, s gpu.Source) {
	probe(t, s)
	closeSource(t, s)
	closeSource(t, s) // the second does nothing
	var err error
	if !returns(func() { _, err = s.Probe(t.Context()) }) {
		t.Fatalf("Probe of a closed source did not return within %v", patience)
	}
	if !errors.Is(err, gpu.ErrClosed) {
		t.Errorf("Probe of a closed source: %v, want ErrClosed", err)
	}
	if !returns(func() { err = s.Watch(t.Context(), func(gpu.Notice) {}) }) {
		t.Fatalf("Watch of a closed source did not return within %v", patience)
	}
	if !errors.Is(err, gpu.ErrClosed) {
		t.Errorf("Watch of a closed source: %v, want ErrClosed", err)
	}
}
