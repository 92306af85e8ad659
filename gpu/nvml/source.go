package nvml

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// DefaultLibrary is the management library's name, for the dynamic loader to find.
const DefaultLibrary = "libnvidia-ml.so.1"

// DefaultDeadline is how long a probe may take that was given no deadline. A probe of 8 devices takes milliseconds; some
// drivers need a second or two to wake a device that no program holds open.
const DefaultDeadline = 5 * time.Second

// The bindings. What they read is the same, to the byte.
const (
	GoNVML = "go-nvml" // github.com/NVIDIA/go-nvml: Linux with cgo; one library in a process
	Purego = "purego"  // github.com/ebitengine/purego: Linux with or without cgo; any number of libraries
)

// Config says how to read NVIDIA's driver.
type Config struct {
	// Library is a file, or a name without a slash for the dynamic loader to find; empty is DefaultLibrary.
	Library string
	// Deadline bounds a probe whose context has none, and the waiting in Close; 0 is DefaultDeadline.
	Deadline time.Duration
	// Binding is GoNVML or Purego; empty is the first of Bindings.
	Binding string
	// HashLibrary asks for Inventory.LibrarySHA, the SHA-256 of the file that was loaded, once a library: about 2 ms.
	HashLibrary bool
	// Views, if not nil, fills in what the library does not know: Host, BootID, Platform, Hypervisor, PCIView, ProcView and
	// CUDAView of an otherwise empty inventory. It runs beside the probe; what it has not filled in by the deadline, because
	// it has not returned, is left out.
	Views func(ctx context.Context, into *gpu.Inventory)
}

// Source reads NVIDIA's devices on this host through the driver's management library. It is safe for concurrent use.
type Source struct {
	cfg  Config
	lib  *library
	view slot

	closed context.Context //nolint:containedctx // ends with Close, and with it all that runs
	close  context.CancelCauseFunc

	mu      sync.Mutex
	running sync.WaitGroup
	known   map[gpu.DeviceID]string // every device seen, and its slot
	sha     gpu.Opt[string]         // of the library; it is loaded once
}

var _ gpu.Source = (*Source)(nil)

// Bindings lists what this program was built with, the default first. It is empty where there is no NVML.
func Bindings() []string {
	names := make([]string, 0, 2)
	for _, b := range builtin() {
		names = append(names, b.name)
	}
	return names
}

// binding is a way to call the library.
type binding struct {
	name string
	open func(path string) raw
}

// Open returns a source. It does not load the library yet: a driver may be installed later, and until then Probe answers
// gpu.ErrNoLibrary or gpu.ErrNoDriver. It returns gpu.ErrUnsupported where this program has no such binding.
func Open(cfg Config) (*Source, error) {
	all := builtin()
	i := slices.IndexFunc(all, func(b binding) bool { return cfg.Binding == "" || b.name == cfg.Binding })
	if i < 0 {
		return nil, fmt.Errorf("%w: gpu/nvml: binding %q is not in this program, which has %q", gpu.ErrUnsupported, cfg.Binding, Bindings())
	}
	if cfg.Library == "" {
		cfg.Library = DefaultLibrary
	}
	if cfg.Deadline <= 0 {
		cfg.Deadline = DefaultDeadline
	}
	return newSource(cfg, acquire(libraryKey{all[i].name, cfg.Library}, all[i].open)), nil
}

func newSource(cfg Config, lib *library) *Source {
	s := &Source{cfg: cfg, lib: lib, known: map[gpu.DeviceID]string{}}
	s.closed, s.close = context.WithCancelCause(context.Background())
	return s
}

// Probe reads everything once, by the deadline of ctx or else within Config.Deadline. A device whose call has not returned
// by then keeps what it said; the values that it did not come to are missing by timeout. If it did not come to its identity,
// and in every later probe until the call returns, the device is in Missing. So is a device that was seen before by this
// source and that the driver lists no more.
//
// It returns gpu.ErrNoLibrary, gpu.ErrNoDriver (also if the driver goes away meanwhile; the next probe begins anew),
// gpu.ErrStuck if the driver does not even count its devices, gpu.ErrUnsupported if the library cannot, and gpu.ErrClosed.
func (s *Source) Probe(ctx context.Context) (gpu.Inventory, error) {
	ctx, done, err := s.begin(ctx, true)
	if err != nil {
		return gpu.Inventory{}, err
	}
	defer done()
	inv, err := s.probe(ctx)
	if err != nil {
		return gpu.Inventory{}, s.explain("probe", err)
	}
	return inv, nil
}

// Close ends the source: what runs in it returns gpu.ErrClosed, and a driver that no other source of this process uses is
// shut down. A call that is stuck keeps its goroutine, and the driver initialised, until it returns; Close does not wait for
// it. A second Close does nothing.
func (s *Source) Close() error {
	s.mu.Lock()
	if s.closed.Err() != nil {
		s.mu.Unlock()
		return nil
	}
	s.close(gpu.ErrClosed)
	s.mu.Unlock()
	s.running.Wait() // all of it ends with s.closed
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Deadline)
	defer cancel()
	_ = s.lib.release(ctx) // the only error is a call that is stuck, which nobody can do anything about
	return nil
}

// begin counts a caller in and ties its context to Close and, if bounded, to the deadline.
func (s *Source) begin(ctx context.Context, bounded bool) (context.Context, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Err() != nil {
		return nil, nil, fmt.Errorf("gpu/nvml: %w", gpu.ErrClosed)
	}
	s.running.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.closed, func() { cancel(gpu.ErrClosed) })
	free := func() {}
	if _, has := ctx.Deadline(); bounded && !has {
		ctx, free = context.WithTimeout(ctx, s.cfg.Deadline)
	}
	return ctx, func() {
		stop()
		free()
		cancel(nil)
		s.running.Done()
	}, nil
}

// explain says what was being done; a closed source is that and nothing else.
func (s *Source) explain(doing string, err error) error {
	if s.closed.Err() != nil {
		return fmt.Errorf("gpu/nvml: %w", gpu.ErrClosed)
	}
	return fmt.Errorf("gpu/nvml: %s: %w", doing, err)
}

// views starts Config.Views beside the probe. What it returns waits for the result.
func (s *Source) views(ctx context.Context) func() gpu.Inventory {
	alone := gpu.Inventory{Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if s.cfg.Views == nil {
		return func() gpu.Inventory { return alone }
	}
	result := make(chan gpu.Inventory, 1)
	s.running.Go(func() {
		v, err := run(ctx, &s.view, func() gpu.Inventory {
			inv := alone
			s.cfg.Views(ctx, &inv)
			return inv
		})
		if err != nil {
			v = alone
			v.Hypervisor = gpu.None[string](gpu.WhyTimeout)
			v.PCIView = gpu.None[[]gpu.PCIFunction](gpu.WhyTimeout)
			v.ProcView = gpu.None[[]gpu.ProcGPU](gpu.WhyTimeout)
		}
		result <- v
	})
	return func() gpu.Inventory { return <-result }
}
