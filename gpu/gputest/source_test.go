package gputest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

func TestExerciseProfiles(t *testing.T) {
	for _, p := range gputest.Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			gputest.Exercise(t, func(t testing.TB) gpu.Source {
				s, err := gputest.NewSource(p, nil)
				require.NoError(t, err)
				return s
			})
		})
	}
}

// hears starts a watch and returns what it has heard so far.
func hears(t *testing.T, s gpu.Source) func() []string {
	var heard []string
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Watch(ctx, func(n gpu.Notice) {
			text := n.Kind.String() + " " + n.BusID
			if n.Xid > 0 {
				text += fmt.Sprintf(" %d", n.Xid)
			}
			heard = append(heard, text)
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	synctest.Wait()
	return func() []string {
		synctest.Wait()
		return heard
	}
}

func TestNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, clock := node(t, "h100x8", "xid:13@2#1", "lost@3#7", "ecc:2@90s#0", "ecc-corrected:1@4", "row-remap-pending@5",
			"row-remap-failed@6", "nvlink-down:3@7")
		heard := hears(t, s)
		var at []int
		for range 7 {
			read(t, s)
			at = append(at, len(heard()))
		}
		require.Equal(t, []int{0, 1, 3, 4, 5, 6, 7}, at)
		clock.now = clock.now.Add(90*time.Second - 1)
		read(t, s)
		require.Len(t, heard(), 7)
		clock.now = clock.now.Add(1)
		read(t, s)
		s.Notify(gpu.Notice{Kind: gpu.NoticePower})
		require.Equal(t, []string{
			"xid 00000000:3B:00.0 13", "xid 00000000:DB:00.0 79", "lost 00000000:DB:00.0", "ecc-corrected 00000000:19:00.0",
			"xid 00000000:19:00.0 63", "xid 00000000:19:00.0 64", "xid 00000000:19:00.0 74", "xid 00000000:19:00.0 48",
			"ecc-uncorrected 00000000:19:00.0", "power ",
		}, heard())
	})
}

func TestHardwareFaults(t *testing.T) {
	for fault, check := range map[string]func(t *testing.T, r *gpu.Reading){
		"ecc:3": func(t *testing.T, r *gpu.Reading) {
			require.Equal(t, []uint64{3, 3}, []uint64{r.UncorrectedVolatile.V, r.UncorrectedAggregate.V})
		},
		"ecc-corrected:5": func(t *testing.T, r *gpu.Reading) {
			require.Equal(t, []uint64{5, 5}, []uint64{r.CorrectedVolatile.V, r.CorrectedAggregate.V})
		},
		"row-remap-pending": func(t *testing.T, r *gpu.Reading) {
			require.Equal(t, gpu.Some(gpu.RowRemap{Uncorrectable: 1, Pending: true}), r.Rows)
		},
		"row-remap-failed": func(t *testing.T, r *gpu.Reading) { require.Equal(t, gpu.Some(gpu.RowRemap{Failed: true}), r.Rows) },
		"throttle:hw-thermal": func(t *testing.T, r *gpu.Reading) {
			require.Equal(t, []string{"hw-slowdown", "hw-thermal"}, r.Throttle.V.Names())
			require.Equal(t, r.SlowdownCelsius, r.TempCelsius)
			require.Equal(t, r.MaxSMClockMHz.V/2, r.SMClockMHz.V)
		},
		"throttle:hw-power-brake": func(t *testing.T, r *gpu.Reading) {
			require.Equal(t, []string{"hw-slowdown", "hw-power-brake"}, r.Throttle.V.Names())
			require.Less(t, r.TempCelsius.V, r.SlowdownCelsius.V)
		},
		"width-drop:8": func(t *testing.T, r *gpu.Reading) {
			require.Equal(t, []uint32{8, 16}, []uint32{r.PCIeWidth.V, r.PCIeMaxWidth.V})
		},
		"replays:250": func(t *testing.T, r *gpu.Reading) { require.Equal(t, uint64(250), r.PCIeReplays.V) },
		"nvlink-down:3": func(t *testing.T, r *gpu.Reading) {
			zero := gpu.Some(uint64(0))
			require.Equal(t, gpu.NVLink{Index: 3, Version: 4, CRCErrors: zero, Replays: zero, Recoveries: zero}, r.NVLinks.V[3])
		},
	} {
		t.Run(fault, func(t *testing.T) {
			s, _ := node(t, "h100x2", fault+"@2#1")
			good := read(t, s)
			bad := read(t, s)
			check(t, bad.Devices[1].Reading)
			require.Equal(t, good.Devices[0], bad.Devices[0], "the other device is well")
			require.NotEqual(t, good.Devices[1].Reading, bad.Devices[1].Reading)
			require.Equal(t, good.Digest(), bad.Digest())
			for _, f := range gpu.Check(bad, catalog(t)) {
				require.Equal(t, gpu.Info, f.Severity, "a fault is no lie: %v", f)
			}
		})
	}
}

func TestLies(t *testing.T) {
	for _, c := range []struct {
		node, fault, rule string
	}{
		{"4090x2", "name:NVIDIA H100 80GB HBM3", "name-vs-device-id"},
		{"h100x2", "pci:2684", "name-vs-device-id"},
		{"h100x2", "memory:81920", "memory-total"},
		{"h100x2", "uuid:GPU-1", "uuid-form"},
		{"h100x2", "duplicate-uuid", "duplicate-uuid"},
		{"h100x2", "duplicate-serial", "duplicate-serial"},
		{"h100x2", "duplicate-bus", "duplicate-bus"},
	} {
		s, _ := node(t, c.node, c.fault+"#1")
		inv := read(t, s)
		var rules []string
		for _, f := range gpu.Check(inv, catalog(t)) {
			if f.Severity == gpu.Contradiction {
				rules = append(rules, f.Rule)
			}
		}
		require.Contains(t, rules, c.rule, c.fault)
	}
	s, clock := node(t, "h100x2", "cc:8.9", "sms:140", "driver:591.86", "serial:7#1", "energy-back@3#1", "static@2")
	first := read(t, s)
	require.Equal(t, "8.9", first.Devices[0].Reading.ComputeCapability.V)
	require.Equal(t, uint32(140), first.Devices[0].Reading.SMs.V)
	require.Equal(t, []string{"591.86", "7"}, []string{first.Driver, first.Devices[1].Serial})
	require.Equal(t, "9.0", first.CUDAView.V[0].ComputeCapability.V, "the other witnesses tell the truth")
	require.NotZero(t, first.Devices[1].Reading.EnergyMillijoules.V)
	still := read(t, s)
	clock.now = clock.now.Add(time.Hour)
	later := read(t, s)
	require.Equal(t, still.Devices[0], later.Devices[0])
	require.Equal(t, gpu.Some(uint64(0)), later.Devices[1].Reading.EnergyMillijoules)
}

func TestLost(t *testing.T) {
	s, _ := node(t, "h100x8", "lost@2-3#2")
	good := read(t, s)
	bad := read(t, s)
	require.Len(t, bad.Devices, 7)
	require.Equal(t, []gpu.Missing{{ID: good.Devices[2].ID, BusID: good.Devices[2].BusID, Why: gpu.WhyLost}}, bad.Missing)
	require.Equal(t, good.PCIView, bad.PCIView, "the bus still has it")
	require.Len(t, bad.Links, 21)
	require.Len(t, gpu.Islands(bad), 1)
	read(t, s)
	require.Empty(t, read(t, s).Missing, "after the last probe")

	s, _ = node(t, "h100x1", "lost@2")
	read(t, s)
	_, err := s.Probe(t.Context())
	require.ErrorIs(t, err, gpu.ErrNoDriver)
	s.Reboot()
	require.Len(t, read(t, s).Devices, 1)
}

func TestDriverGone(t *testing.T) {
	s, _ := node(t, "h100x2", "driver-gone@2-2")
	read(t, s)
	_, err := s.Probe(t.Context())
	require.ErrorIs(t, err, gpu.ErrNoDriver)
	require.Len(t, read(t, s).Devices, 2)
}

func TestResetAndReboot(t *testing.T) {
	s, clock := node(t, "h100x2", "ecc:1#0", "row-remap-failed#0", "ecc:4#1", "ecc:9@100#1")
	before := read(t, s)
	clock.now = clock.now.Add(10 * time.Second)
	s.Reset(0)
	clock.now = clock.now.Add(time.Second)
	after := read(t, s)
	require.Equal(t, before.BootID, after.BootID)
	r := after.Devices[0].Reading
	require.Zero(t, r.UncorrectedVolatile.V)
	require.True(t, r.Rows.V.Failed, "no reset makes spare rows")
	require.Less(t, r.EnergyMillijoules.V, uint64(200_000), "a second of an idle device")
	require.Greater(t, after.Devices[1].Reading.EnergyMillijoules.V, before.Devices[1].Reading.EnergyMillijoules.V)
	require.Equal(t, uint64(4), after.Devices[1].Reading.UncorrectedVolatile.V)
	s.Reboot()
	again := read(t, s)
	require.NotEqual(t, before.BootID, again.BootID)
	require.Zero(t, again.Devices[1].Reading.UncorrectedVolatile.V)
	require.Zero(t, again.Devices[1].Reading.EnergyMillijoules.V)
	for range 97 {
		again = read(t, s)
	}
	require.Equal(t, uint64(9), again.Devices[1].Reading.UncorrectedVolatile.V, "a fault that had not begun is still to come")
	require.Panics(t, func() { s.Reset(2) })
}

func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := node(t, "h100x2", "hang@2-3#1")
		start := time.Now()
		require.Len(t, read(t, s).Devices, 2)
		require.Equal(t, start, time.Now())
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		inv, err := s.Probe(ctx)
		require.NoError(t, err)
		require.Equal(t, start.Add(3*time.Second), time.Now(), "fake time: it waited for the deadline, and no longer")
		require.Equal(t, gpu.WhyTimeout, inv.Missing[0].Why)
		require.Len(t, inv.Devices, 1)
		read(t, s)
		require.Equal(t, start.Add(8*time.Second), time.Now(), "its own deadline of 5 s")
		require.Len(t, read(t, s).Devices, 2)
		require.Equal(t, start.Add(8*time.Second), time.Now())
	})
}

func TestCloseEndsAHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := node(t, "h100x1", "hang")
		start := time.Now()
		done := make(chan error, 1)
		go func() {
			_, err := s.Probe(t.Context())
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, gpu.ErrClosed)
		require.Equal(t, start, time.Now())
	})
	synctest.Test(t, func(t *testing.T) {
		s, _ := node(t, "h100x1", "hang")
		_, err := s.Probe(t.Context())
		require.ErrorIs(t, err, gpu.ErrStuck)
	})
}

func TestParseFaultRefuses(t *testing.T) {
	for _, s := range []string{
		"", "sleepy", "xid", "xid:", "xid:0", "xid:-1", "xid:13@x", "xid:13@2-1", "xid:13@1s-2", "xid:13@-1s", "lost:1", "lost#16",
		"lost#-1", "lost#", "lost@", "throttle:sleepy", "pci:12345", "name:", "ecc:99999999999",
	} {
		_, err := gputest.ParseFault(s)
		require.Error(t, err, s)
	}
}

func FuzzParseFault(f *testing.F) {
	for _, s := range []string{"lost", "xid:79@3#1", "hang@2-4", "ecc:5@90s", "name:a@b#c", "throttle:hw-thermal@1h2m#3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := gputest.ParseFault(s)
		if err != nil {
			return
		}
		b, err := gputest.ParseFault(a.String())
		require.NoError(t, err)
		require.Equal(t, a, b)
		p, err := gputest.ParseProfile("h100x16")
		require.NoError(t, err)
		a.From, a.After, p.Faults = 1, 0, []gputest.Fault{a}
		if a.Kind == "hang" {
			return
		}
		src, err := gputest.NewSource(p, func() time.Time { return noon })
		require.NoError(t, err)
		_, err = src.Probe(t.Context())
		require.True(t, err == nil || errors.Is(err, gpu.ErrNoDriver), "%v", err)
	})
}
