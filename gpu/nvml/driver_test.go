package nvml_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// No library, a file that is none, and a library that is another: clean errors; and a driver that is installed later works.
func TestNoLibrary(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		dir := t.TempDir()
		text := filepath.Join(dir, "text.so")
		require.NoError(t, os.WriteFile(text, []byte("not a library"), 0o600))
		for name, path := range map[string]string{
			"absent": filepath.Join(dir, "none.so"), "folder": dir, "text": text, "another": "libc.so.6",
		} {
			_, err := open(t, path, binding).Probe(t.Context())
			require.ErrorIs(t, err, gpu.ErrNoLibrary, name)
			require.ErrorIs(t, open(t, path, binding).Watch(t.Context(), func(gpu.Notice) {}), gpu.ErrNoLibrary, name)
		}
	})
}

// Only purego: go-nvml has bound the shared library by now.
func TestLibraryInstalledLater(t *testing.T) {
	f := gputest.NewFakeNVML(t, hgx(1))
	path := filepath.Join(filepath.Dir(f.Path()), "later.so")
	s := open(t, path, nvml.Purego)
	_, err := s.Probe(t.Context())
	require.ErrorIs(t, err, gpu.ErrNoLibrary)
	for _, suffix := range []string{"", ".shared", ".state"} {
		require.NoError(t, os.Rename(f.Path()+suffix, path+suffix))
	}
	require.Equal(t, text(t, hgx(1)), text(t, probe(t, s)))
	for _, suffix := range []string{"", ".shared", ".state"} {
		require.NoError(t, os.Rename(path+suffix, f.Path()+suffix))
	}
}

// go-nvml cannot use a second library in one process, and says so in place of mixing the two.
func TestSecondLibrary(t *testing.T) {
	if len(nvml.Bindings()) < 2 {
		t.Skip("go-nvml: not in this program")
	}
	probe(t, open(t, rig(t, hgx(1)).Path(), nvml.GoNVML))
	_, err := open(t, gputest.NewFakeNVML(t, hgx(2)).Path(), nvml.GoNVML).Probe(t.Context())
	require.ErrorIs(t, err, gpu.ErrUnsupported)
	require.ErrorContains(t, err, "is bound to")
}

// The driver is not there, comes, goes away under us, and comes back.
func TestDriverComesAndGoes(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(2))
		f.Unload()
		s := open(t, f.Path(), binding)
		for range 2 {
			_, err := s.Probe(t.Context())
			require.ErrorIs(t, err, gpu.ErrNoDriver)
		}
		f.Load()
		require.Equal(t, text(t, hgx(2)), text(t, probe(t, s)))
		f.Unload()
		for range 3 {
			_, err := s.Probe(t.Context())
			require.ErrorIs(t, err, gpu.ErrNoDriver)
		}
		f.Load()
		require.Equal(t, text(t, hgx(2)), text(t, probe(t, s)))

		f.Fail("nvmlDeviceGetSerial", 1, 1) // uninitialised, in the middle of a probe
		_, err := s.Probe(t.Context())
		require.ErrorIs(t, err, gpu.ErrNoDriver)
		f.Release()
		require.Equal(t, text(t, hgx(2)), text(t, probe(t, s)))
	})
}

// What nvmlInit says is in the error.
func TestInitFails(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		for code, want := range map[int]struct {
			err  error
			text string
		}{
			9: {gpu.ErrNoDriver, "driver not loaded"}, 18: {gpu.ErrNoDriver, "driver and library versions differ"},
			12: {gpu.ErrNoLibrary, "library not found"}, 4: {gpu.ErrNoDriver, "no permission"}, 999: {gpu.ErrNoDriver, "error 999"},
		} {
			f := rig(t, hgx(1))
			f.Fail("nvmlInit_v2", gputest.AnyDevice, code)
			s := open(t, f.Path(), binding)
			_, err := s.Probe(t.Context())
			require.ErrorIs(t, err, want.err)
			require.ErrorContains(t, err, want.text)
			f.Release()
			require.Equal(t, text(t, hgx(1)), text(t, probe(t, s)))
			require.NoError(t, s.Close())
		}
	})
}

// A device that falls off the bus, one that is listed no more, and an order that changes: devices are known by UUID.
func TestLostAndReordered(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(3))
		s := open(t, f.Path(), binding)
		probe(t, s)
		lost := gpu.Missing{ID: h100(1).ID, BusID: h100(1).BusID, Why: gpu.WhyLost}

		f.Lose(1)
		inv := probe(t, s)
		require.Equal(t, []gpu.Missing{lost}, inv.Missing)
		require.Len(t, inv.Devices, 2)
		require.Equal(t, []gpu.Link{{A: 0, B: 1, Kind: gpu.LinkNVLink, Count: 18}}, inv.Links)

		f.Release()
		fewer := hgx(3)
		fewer.Devices = []gpu.Device{fewer.Devices[2], fewer.Devices[0]}
		fewer.Links = []gpu.Link{{A: 0, B: 1, Kind: gpu.LinkNVLink, Count: 18}}
		f.Set(fewer)
		fewer.Missing = []gpu.Missing{lost}
		require.Equal(t, text(t, fewer), text(t, probe(t, s)))

		f.Set(hgx(3))
		require.Equal(t, text(t, hgx(3)), text(t, probe(t, s)))
	})
}

// More devices than an inventory holds: the rest is not silently left out.
func TestTooManyDevices(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		inv := probe(t, open(t, rig(t, hgx(20)).Path(), binding))
		require.Len(t, inv.Devices, gpu.MaxDevices)
		require.Equal(t, []gpu.Missing{{Why: "the driver counts 20 devices, of which 16 are read"}}, inv.Missing)
	})
}

// Text without an end fills the buffer; what is no identity then is a missing device.
func TestTextWithoutEnd(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(1))
		f.Switch("nonul", true)
		inv := probe(t, open(t, f.Path(), binding))
		require.Empty(t, inv.Devices)
		require.Len(t, inv.Missing, 1)
		require.Equal(t, gpu.WhyUnreadable, inv.Missing[0].Why) // the slot's address
		require.Len(t, inv.Missing[0].ID, 96)
		require.Len(t, inv.Driver, 80)
	})
}

// Sources share the driver: it is initialised once and shut down with the last.
func TestSharedInitialisation(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(2))
		f.Switch("trace", true)
		a, b := open(t, f.Path(), binding), open(t, f.Path(), binding)
		probe(t, a)
		probe(t, b)
		require.Equal(t, 1, f.Calls("nvmlInit_v2", gputest.AnyDevice))
		require.NoError(t, a.Close())
		require.NoError(t, a.Close())
		require.Zero(t, f.Calls("nvmlShutdown", gputest.AnyDevice))
		require.Equal(t, text(t, hgx(2)), text(t, probe(t, b)))
		require.NoError(t, b.Close())
		require.Equal(t, 1, f.Calls("nvmlShutdown", gputest.AnyDevice))
	})
}

// Probes at once are all whole, while the driver comes and goes they are whole or ErrNoDriver, and closing ends them.
func TestConcurrentProbes(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(2))
		want := text(t, hgx(2))
		s := open(t, f.Path(), binding)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 10 {
					inv, err := s.Probe(t.Context())
					if err != nil {
						require.ErrorIs(t, err, gpu.ErrNoDriver)
						continue
					}
					require.Equal(t, want, text(t, same(inv)))
				}
			})
		}
		all.Go(func() {
			for range 5 {
				f.Unload()
				f.Load()
			}
		})
		all.Wait()
		eventually(t, s, hgx(2))
	})
}

// The digest is that of the file in memory.
func TestLibraryDigest(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(1))
		s, err := nvml.Open(nvml.Config{Library: f.Path(), Binding: binding, HashLibrary: true})
		require.NoError(t, err)
		code, err := os.ReadFile(f.Path())
		require.NoError(t, err)
		sum := sha256.Sum256(code)
		require.Equal(t, gpu.Some(hex.EncodeToString(sum[:])), probe(t, s).LibrarySHA)
		require.NoError(t, s.Close())
	})
}

// Views run beside the probe, and one that hangs does not hold it up past the deadline.
func TestViewsHang(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		release := make(chan struct{})
		s, err := nvml.Open(nvml.Config{
			Library: rig(t, hgx(1)).Path(), Binding: binding, Deadline: short,
			Views: func(context.Context, *gpu.Inventory) { <-release },
		})
		require.NoError(t, err)
		inv := probe(t, s)
		require.Len(t, inv.Devices, 1)
		require.Equal(t, gpu.None[[]gpu.PCIFunction](gpu.WhyTimeout), inv.PCIView)
		close(release)
		require.NoError(t, s.Close())
	})
}

// Every event becomes a notice with the device's identity; a lost device is told once; ctx, Close and a lost driver end it.
func TestWatch(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(2))
		s := open(t, f.Path(), binding)
		ctx, cancel := context.WithCancel(t.Context())
		notices, result := make(chan gpu.Notice, 64), make(chan error, 1)
		f.Switch("trace", true)
		go func() { result <- s.Watch(ctx, func(n gpu.Notice) { notices <- n }) }()
		waiting := func() bool { return f.Calls("nvmlEventSetWait_v2", gputest.AnyDevice) > 0 || len(result) > 0 }
		require.Eventually(t, waiting, patience, time.Millisecond)
		if len(result) > 0 {
			require.NoError(t, <-result, "it did not come to wait")
		}
		for _, e := range []struct {
			kind, data uint64
			want       gpu.NoticeKind
		}{
			{8, 79, gpu.NoticeXid},
			{1, 0, gpu.NoticeCorrected},
			{2, 0, gpu.NoticeUncorrected},
			{4, 0, gpu.NoticeClock},
			{0x10, 0, gpu.NoticeClock},
			{0x80, 0, gpu.NoticePower},
			{0x100, 0, gpu.NoticeMIG},
			{0x200, 0, gpu.NoticeCorrected},
			{0x1000, 0, gpu.NoticeUncorrected},
			{0x2000, 0, gpu.NoticeUncorrected},
			{0x4000, 0, gpu.NoticeLost},
		} {
			f.Emit(1, e.kind, e.data)
			n := <-notices
			n.At = time.Time{}
			require.Equal(t, gpu.Notice{Kind: e.want, ID: h100(1).ID, BusID: h100(1).BusID, Xid: uint32(e.data)}, n)
		}
		require.Equal(t, text(t, hgx(2)), text(t, probe(t, s)), "a probe goes on beside it")
		f.Fail("nvmlEventSetWait_v2", gputest.AnyDevice, 15)
		require.Equal(t, gpu.NoticeLost, (<-notices).Kind)
		calls := f.Calls("nvmlEventSetWait_v2", gputest.AnyDevice)
		again := func() bool { return f.Calls("nvmlEventSetWait_v2", gputest.AnyDevice) > calls+1 }
		require.Eventually(t, again, patience, time.Millisecond)
		require.Empty(t, notices, "the loss is told once")
		f.Release()
		cancel()
		require.ErrorIs(t, <-result, context.Canceled)
		require.Equal(t, 1, f.Calls("nvmlEventSetFree", gputest.AnyDevice))

		go func() { result <- s.Watch(t.Context(), func(gpu.Notice) {}) }()
		require.Eventually(t, func() bool { return f.Calls("nvmlEventSetCreate", gputest.AnyDevice) == 2 }, patience, time.Millisecond)
		f.Unload()
		require.ErrorIs(t, <-result, gpu.ErrNoDriver)
		f.Load()
		eventually(t, s, hgx(2))

		go func() { result <- s.Watch(t.Context(), func(gpu.Notice) {}) }()
		require.Eventually(t, func() bool { return f.Calls("nvmlEventSetCreate", gputest.AnyDevice) == 3 }, patience, time.Millisecond)
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-result, gpu.ErrClosed)
		require.ErrorIs(t, s.Watch(t.Context(), func(gpu.Notice) {}), gpu.ErrClosed)
	})
}

// A wait that hangs is left behind, and nobody waits beside it.
func TestWatchHangs(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(1))
		s, err := nvml.Open(nvml.Config{Library: f.Path(), Binding: binding, Deadline: short, Views: views})
		require.NoError(t, err)
		f.Hang("nvmlEventSetWait_v2", gputest.AnyDevice)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- s.Watch(ctx, func(gpu.Notice) {}) }()
		require.Eventually(t, func() bool { return f.Hanging() > 0 }, patience, time.Millisecond)
		cancel()
		require.ErrorIs(t, <-result, context.Canceled)
		require.ErrorIs(t, s.Watch(t.Context(), func(gpu.Notice) {}), gpu.ErrStuck)
		f.Release()
		require.Eventually(t, func() bool {
			ended, stop := context.WithTimeout(t.Context(), time.Millisecond)
			defer stop()
			return !errors.Is(s.Watch(ended, func(gpu.Notice) {}), gpu.ErrStuck)
		}, patience, time.Millisecond, "who was left behind has returned")
		require.NoError(t, s.Close())
	})
}

// A device without events is left out; where no device has any there is nothing to watch.
func TestNoEvents(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(1))
		f.Fail("nvmlDeviceGetSupportedEventTypes", 0, 3)
		require.ErrorIs(t, open(t, f.Path(), binding).Watch(t.Context(), func(gpu.Notice) {}), gpu.ErrUnsupported)
	})
}
