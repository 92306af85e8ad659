package nvml_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// short is the deadline of a probe in which something hangs: far above what the rest of it takes.
const short = 700 * time.Millisecond

// deviceSymbols are the functions that a probe of divided NVLink devices calls for a device.
func deviceSymbols(t testing.TB) []string {
	return slices.DeleteFunc(gputest.FakeNVMLSymbols(t), func(s string) bool {
		switch s {
		case "nvmlDeviceGetCount", "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetPciInfo",
			"nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetNvLinkRemotePciInfo",
			"nvmlDeviceGetCurrentClocksThrottleReasons", "nvmlDeviceGetGpuFabricInfo", "nvmlDeviceGetComputeRunningProcesses",
			"nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetGraphicsRunningProcesses",
			"nvmlDeviceGetGraphicsRunningProcesses_v2", "nvmlDeviceGetMPSComputeRunningProcesses",
			"nvmlDeviceGetMPSComputeRunningProcesses_v2", "nvmlDeviceGetSupportedEventTypes", "nvmlDeviceRegisterEvents":
			return true // not called: a newer one is there, or it is for events
		}
		return !strings.HasPrefix(s, "nvmlDevice")
	})
}

// crowd is a host of 16 devices that all have everything.
func crowd() gpu.Inventory {
	inv := hgx(16)
	for i := range inv.Devices {
		inv.Devices[i] = divided(i)
	}
	return inv
}

// Every function of a device hangs, each on a device of its own, fourteen in a probe; device 0 is well.
func TestHangingCalls(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		want := crowd()
		for group := range slices.Chunk(deviceSymbols(t), 14) {
			f := rig(t, want)
			s := open(t, f.Path(), binding)
			require.Equal(t, text(t, want), text(t, probe(t, s)))
			f.Switch("trace", true)
			for i, symbol := range group {
				f.Hang(symbol, i+1)
			}
			began := time.Now()
			inv := timed(t, s)
			t.Logf("%d hanging calls, deadline %v: probe returned after %v", len(group), short, time.Since(began))
			require.Equal(t, len(group), f.Hanging())
			require.Equal(t, text(t, hostOf(want, 0)), text(t, hostOf(inv, 0)), "device 0 is not held up")
			for i, symbol := range group {
				requireHungOrMissing(t, inv, want.Devices[i+1], symbol)
			}
			calls := make([]int, len(group))
			for i, symbol := range group {
				calls[i] = f.Calls(symbol, i+1)
				require.NotZero(t, calls[i], symbol)
			}
			again := timed(t, s)
			require.Equal(t, text(t, hostOf(want, 0)), text(t, hostOf(again, 0)))
			for i, symbol := range group {
				d := want.Devices[i+1]
				require.Contains(t, again.Missing, gpu.Missing{ID: d.ID, BusID: d.BusID, Why: gpu.WhyTimeout}, symbol)
				require.Equal(t, calls[i], f.Calls(symbol, i+1), "a second call went into %s", symbol)
			}
			f.Release()
			eventually(t, s, want)
		}
	})
}

// timed probes with the short deadline. What hung shows that the probe did not wait for it: it still hangs.
func timed(t *testing.T, s *nvml.Source) gpu.Inventory {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	inv, err := s.Probe(ctx)
	require.NoError(t, err)
	return same(inv)
}

// hostOf is one device of an inventory and nothing else.
func hostOf(inv gpu.Inventory, i int) gpu.Inventory {
	return gpu.Inventory{Devices: inv.Devices[i : i+1]}
}

// requireHungOrMissing wants a device to be missing by timeout, or there with at least one value missing by it; a hung
// question about a pair of devices only takes the links.
func requireHungOrMissing(t *testing.T, inv gpu.Inventory, want gpu.Device, symbol string) {
	t.Helper()
	for _, m := range inv.Missing {
		if m.BusID == want.BusID {
			require.Equal(t, gpu.WhyTimeout, m.Why)
			require.Equal(t, want.ID, m.ID)
			return
		}
	}
	i := slices.IndexFunc(inv.Devices, func(d gpu.Device) bool { return d.ID == want.ID })
	require.GreaterOrEqual(t, i, 0, "%s: the device is neither there nor missing", symbol)
	got := inv.Devices[i]
	if symbol == "nvmlDeviceGetP2PStatus" || symbol == "nvmlDeviceGetTopologyCommonAncestor" {
		require.Equal(t, text(t, gpu.Inventory{Devices: []gpu.Device{want}}), text(t, gpu.Inventory{Devices: []gpu.Device{got}}))
		require.False(t, slices.ContainsFunc(inv.Links, func(l gpu.Link) bool { return int(l.A) == i }), symbol)
		return
	}
	require.Contains(t, text(t, gpu.Inventory{Devices: []gpu.Device{got}}), `"why": "timeout"`, symbol)
}

// eventually waits until what hung has returned and a probe shows everything again.
func eventually(t *testing.T, s *nvml.Source, want gpu.Inventory) {
	t.Helper()
	require.Eventually(t, func() bool {
		inv, err := s.Probe(t.Context())
		return err == nil && text(t, want) == text(t, same(inv))
	}, patience, 5*time.Millisecond)
}

// What belongs to no device hangs: there is nothing to show, and it is said by the deadline.
func TestHangingHost(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		for _, symbol := range []string{
			"nvmlInit_v2", "nvmlSystemGetDriverVersion", "nvmlSystemGetNVMLVersion", "nvmlSystemGetCudaDriverVersion_v2",
			"nvmlSystemGetConfComputeState", "nvmlDeviceGetCount_v2",
		} {
			f := rig(t, hgx(2))
			s := open(t, f.Path(), binding)
			f.Switch("trace", true)
			f.Hang(symbol, gputest.AnyDevice)
			ctx, cancel := context.WithTimeout(t.Context(), short/4)
			_, err := s.Probe(ctx)
			cancel()
			require.ErrorIs(t, err, gpu.ErrStuck, symbol)
			require.ErrorIs(t, err, context.DeadlineExceeded, symbol)
			_, err = s.Probe(t.Context())
			require.ErrorIs(t, err, gpu.ErrStuck, symbol)
			require.Equal(t, 1, f.Calls(symbol, gputest.AnyDevice), symbol)
			f.Release()
			eventually(t, s, hgx(2))
			require.NoError(t, s.Close())
		}
	})
}

// Close returns although a call is stuck, and the next source finds the device stuck still.
func TestCloseWhileStuck(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(2))
		s := open(t, f.Path(), binding)
		probe(t, s)
		f.Switch("trace", true)
		f.Hang("nvmlDeviceGetPowerUsage", 1)
		timed(t, s)
		require.NoError(t, s.Close())
		require.Equal(t, 1, f.Hanging())
		require.Zero(t, f.Calls("nvmlShutdown", gputest.AnyDevice), "nothing is shut down below a call")
		_, err := s.Probe(t.Context())
		require.ErrorIs(t, err, gpu.ErrClosed)

		next := open(t, f.Path(), binding)
		inv := probe(t, next)
		require.Len(t, inv.Devices, 1)
		require.Equal(t, []gpu.Missing{{ID: h100(1).ID, BusID: h100(1).BusID, Why: gpu.WhyTimeout}}, inv.Missing)
		f.Release()
		eventually(t, next, hgx(2))
		require.NoError(t, next.Close())
		require.Equal(t, 1, f.Calls("nvmlShutdown", gputest.AnyDevice))
	})
}

// A cancelled probe shows what it has, and Close ends one that waits.
func TestCloseEndsProbe(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(1))
		s := open(t, f.Path(), binding)
		probe(t, s)
		f.Hang("nvmlDeviceGetHandleByIndex_v2", 0)
		result := make(chan error, 1)
		go func() {
			_, err := s.Probe(t.Context())
			result <- err
		}()
		require.Eventually(t, func() bool { return f.Hanging() == 1 }, patience, time.Millisecond)
		require.NoError(t, s.Close())
		err := <-result
		require.True(t, err == nil || errors.Is(err, gpu.ErrClosed))
		f.Release()
	})
}

// Nothing outlives a source but what is stuck: one goroutine for each call.
func TestGoroutines(t *testing.T) {
	bindings(t, func(t *testing.T, binding string) {
		f := rig(t, hgx(4))
		before := runtime.NumGoroutine()
		settles := func(want int) {
			asking := 1 // Eventually asks on a goroutine of its own
			require.Eventually(t, func() bool { return runtime.NumGoroutine() <= want+asking }, patience, time.Millisecond)
		}
		s := open(t, f.Path(), binding)
		for range 5 {
			probe(t, s)
		}
		f.Hang("nvmlDeviceGetFanSpeed", 2)
		timed(t, s)
		timed(t, s)
		settles(before + 1)
		require.NoError(t, s.Close())
		settles(before + 1)
		f.Release()
		settles(before)
	})
}
