package gpu_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// ward is a monitor under test, its clock, and the host as the next probe will show it.
type ward struct {
	t   testing.TB
	m   *gpu.Monitor
	at  time.Time
	inv gpu.Inventory
}

// newWard has probed one H100 without a fault.
func newWard(t testing.TB) *ward {
	t.Helper()
	m, err := gpu.NewMonitor(gpu.DefaultHealth())
	require.NoError(t, err)
	w := &ward{t: t, m: m, at: noon, inv: h100s(1, 1)}
	w.inv.Devices[0].Reading = fine()
	w.probe()
	return w
}

// fine is a reading that nothing speaks against.
func fine() *gpu.Reading {
	return &gpu.Reading{
		TempCelsius: gpu.Some(int32(40)), SlowdownCelsius: gpu.Some(int32(87)), Throttle: gpu.Some(gpu.ThrottleIdle),
		EnergyMillijoules: gpu.Some(uint64(1000)), UncorrectedVolatile: gpu.Some(uint64(0)), UncorrectedAggregate: gpu.Some(uint64(5)),
		Rows: gpu.Some(gpu.RowRemap{}), PCIeGen: gpu.Some(uint32(5)), PCIeMaxGen: gpu.Some(uint32(5)), PCIeWidth: gpu.Some(uint32(16)),
		PCIeMaxWidth: gpu.Some(uint32(16)), PCIeReplays: gpu.Some(uint64(0)), PState: gpu.Some(uint32(0)),
		NVLinks: gpu.Some([]gpu.NVLink{{Index: 0, Up: true, RemoteKind: "switch"}, {Index: 1}}),
		Fabric:  gpu.Some(gpu.Fabric{State: "completed", Status: "success"}),
	}
}

func (w *ward) reading() *gpu.Reading { return w.inv.Devices[0].Reading }

// apply applies an event, checks the invariants, and that a snapshot gives the same monitor.
func (w *ward) apply(e gpu.MonitorEvent) []gpu.Diagnosis {
	w.t.Helper()
	out, err := w.m.Apply(w.at, e)
	require.NoError(w.t, err)
	require.NoError(w.t, w.m.Audit())
	return out
}

func (w *ward) wait(d time.Duration) *ward { w.at = w.at.Add(d); return w }

// probe shows the host and returns the device's diagnosis.
func (w *ward) probe() gpu.Diagnosis {
	w.t.Helper()
	inv := w.inv
	inv.Taken = w.at
	w.apply(gpu.Probed{Inventory: inv})
	return w.now()
}

func (w *ward) notice(n gpu.Notice) gpu.Diagnosis {
	w.t.Helper()
	if n.BusID == "" {
		n.ID = uuid(1)
	}
	w.apply(gpu.Noticed{Notice: n})
	return w.now()
}

func (w *ward) xid(code uint32) gpu.Diagnosis {
	w.t.Helper()
	return w.notice(gpu.Notice{Kind: gpu.NoticeXid, Xid: code, Fatal: gpu.Some(true), SubCode: gpu.Some(uint32(2))})
}

func (w *ward) test(ok bool) gpu.Diagnosis {
	w.t.Helper()
	w.apply(gpu.SelfTested{Device: uuid(1), OK: ok, Ops: 1})
	return w.now()
}

func (w *ward) now() gpu.Diagnosis {
	w.t.Helper()
	d, ok := w.m.Diagnosis(uuid(1))
	require.True(w.t, ok)
	return d
}

func (w *ward) reboot() { w.inv.BootID += "x" }

// lose takes the device out of the driver's list and leaves it on the PCI bus.
func (w *ward) lose() {
	w.inv.PCIView = gpu.Some([]gpu.PCIFunction{{BusID: "0000:18:00.0", ID: gpu.PCIPair{Vendor: 0x10de, Device: 0x2330}, Driver: "nvidia"}})
	w.inv.Devices = nil
}

// gone takes it off the bus as well.
func (w *ward) gone(why string) {
	w.inv.Devices = nil
	w.inv.Missing = []gpu.Missing{{ID: uuid(9), Why: gpu.WhyTimeout}}
	if why != "" {
		w.inv.Missing = append(w.inv.Missing, gpu.Missing{BusID: "0000:18:00.0", Why: why})
	}
}

// back undoes both.
func (w *ward) back() {
	boot := w.inv.BootID
	w.inv = h100s(1, 1)
	w.inv.BootID = boot
	w.inv.Devices[0].Reading = fine()
}

func held(d gpu.Diagnosis) (out []gpu.HealthRule) {
	for _, r := range d.Reasons {
		out = append(out, r.Rule)
	}
	return out
}

// exits says how every rule begins and what ends it. before is all but the last step of the exit: after it the rule still holds.
func exits() map[gpu.HealthRule]struct{ begin, before, last func(w *ward) } {
	xid := func(code uint32) func(w *ward) { return func(w *ward) { w.xid(code) } }
	test := func(w *ward) { w.test(true) }
	probe := func(w *ward) { w.probe() }
	tick := func(w *ward) { w.wait(1).apply(gpu.Ticked{}) }
	quiet := func(d time.Duration) func(w *ward) { return func(w *ward) { w.wait(d - 1).apply(gpu.Ticked{}) } }
	steady := func(d time.Duration) func(w *ward) {
		return func(w *ward) {
			w.inv.Devices[0].Reading = fine()
			w.probe()
			w.wait(d - 1).probe()
			w.wait(1)
		}
	}
	see := func(f func(r *gpu.Reading)) func(w *ward) { return func(w *ward) { f(w.reading()); w.probe() } }
	mend := func(w *ward) { w.inv.Devices[0].Reading = fine() }
	rebooted := func(w *ward) { w.test(true); w.reboot(); w.probe() }
	reset := func(w *ward) { w.test(true); w.reading().EnergyMillijoules.V--; w.probe() }
	return map[gpu.HealthRule]struct{ begin, before, last func(w *ward) }{
		gpu.RuleAppFault: {func(w *ward) {
			for pid := range uint32(3) {
				w.notice(gpu.Notice{Kind: gpu.NoticeXid, Xid: 13, PID: gpu.Some(pid%2 + 1)})
			}
		}, quiet(30 * time.Minute), tick},
		gpu.RuleDriver:    {xid(173), quiet(time.Hour), tick},
		gpu.RuleCorrected: {xid(92), quiet(24 * time.Hour), tick},
		gpu.RulePower:     {xid(54), quiet(time.Hour), tick},
		gpu.RuleReplays:   {func(w *ward) { w.wait(time.Minute); see(func(r *gpu.Reading) { r.PCIeReplays.V = 101 })(w) }, quiet(time.Hour), tick},
		gpu.RuleUnread:    {func(w *ward) { w.gone(gpu.WhyNoPermission); w.probe() }, func(w *ward) { w.probe(); w.back() }, probe},
		gpu.RuleThermal: {
			see(func(r *gpu.Reading) { r.Throttle.V = gpu.ThrottleHWPowerBrake }), steady(5 * time.Minute), probe,
		},
		gpu.RulePCIeWidth: {see(func(r *gpu.Reading) { r.PCIeWidth.V = 8 }), steady(10 * time.Minute), probe},
		gpu.RulePCIeGen:   {see(func(r *gpu.Reading) { r.PCIeGen.V = 4 }), steady(10 * time.Minute), probe},
		gpu.RuleFabric:    {see(func(r *gpu.Reading) { r.Fabric.V.State = "in-progress" }), func(w *ward) { w.probe(); mend(w) }, probe},
		gpu.RuleDrainP2P: {
			func(w *ward) { w.notice(gpu.Notice{Kind: gpu.NoticeXid, Xid: 154, SubCode: gpu.Some(uint32(3))}) }, test,
			func(w *ward) { w.notice(gpu.Notice{Kind: gpu.NoticeXid, Xid: 154, SubCode: gpu.Some(uint32(0))}) },
		},
		gpu.RuleRowsPending: {see(func(r *gpu.Reading) { r.Rows.V.Pending = true }), func(w *ward) { w.probe(); mend(w) }, probe},
		gpu.RuleNVLink:      {xid(74), steady(time.Hour), probe},
		gpu.RuleReset:       {xid(62), reset, test},
		gpu.RuleUncorrected: {xid(48), reset, test},
		gpu.RuleSelfTest:    {func(w *ward) { w.test(false) }, test, test},
		gpu.RuleRestartVM:   {xid(151), rebooted, test},
		gpu.RuleStuck:       {func(w *ward) { w.gone(gpu.WhyTimeout); w.probe() }, func(w *ward) { w.back(); w.probe() }, test},
		gpu.RuleRecoveryBoot: {
			xid(154), rebooted, test,
		},
		gpu.RuleRowsFailed: {xid(64), rebooted, func(w *ward) { w.apply(gpu.Cleared{Device: uuid(1), Operator: "ann"}) }},
		gpu.RuleAbsent:     {func(w *ward) { w.gone(""); w.probe() }, func(w *ward) { w.back(); w.probe() }, test},
		gpu.RuleLost: {func(w *ward) { w.lose(); w.probe() }, func(w *ward) {
			w.back()
			w.probe()
			w.test(true) // in the old boot
			w.reboot()
			w.probe()
		}, test},
	}
}

// Every rule begins at once, holds until the last step of its exit, and is ended by it.
func TestEveryRuleHasAnExit(t *testing.T) {
	table := exits()
	for r := gpu.RuleNone + 1; r.Exit() != gpu.ExitNone; r++ {
		step, ok := table[r]
		require.True(t, ok, "%v has no exit here", r)
		w := newWard(t)
		require.Equal(t, gpu.Healthy, w.now().Health)
		step.begin(w)
		require.Equal(t, []gpu.HealthRule{r}, held(w.now()), "%v", r)
		require.Equal(t, r.Health(), w.now().Health)
		require.Equal(t, r.Exit(), w.now().Exit())
		step.before(w)
		require.Equal(t, []gpu.HealthRule{r}, held(w.now()), "%v before the last step", r)
		step.last(w)
		require.Empty(t, held(w.now()), "%v after the last step", r)
		require.Equal(t, gpu.Healthy, w.now().Health)
		require.Equal(t, w.at, w.now().Since)
		delete(table, r)
	}
	require.Empty(t, table)
}

// Every Xid, and the numbers around the table's ends, makes of a device what its rule says, and that rule's exit ends it.
func TestEveryXidHasAnExit(t *testing.T) {
	x, table := xids(t), exits()
	for code := uint32(0); code <= 174; code++ {
		w := newWard(t)
		d := w.xid(code)
		rule := x.Rule(gpu.Notice{Xid: code, Fatal: gpu.Some(true), SubCode: gpu.Some(uint32(2))})
		if rule == gpu.RuleNone || rule == gpu.RuleAppFault {
			require.Equal(t, gpu.Healthy, d.Health, "one Xid %d is no reason", code)
			continue
		}
		require.Equal(t, []gpu.HealthRule{rule}, held(d), code)
		if rule == gpu.RuleRowsPending { // at the next probe the driver has the word
			require.Empty(t, held(w.probe()))
			continue
		}
		step := table[rule]
		step.before(w)
		step.last(w)
		require.Empty(t, held(w.now()), code)
	}
}

// A program that fails in a loop, and many that do, never make a device worse than Degraded, whatever NVIDIA's number is.
func TestApplicationXidsNeverRetire(t *testing.T) {
	for e := range xids(t).All() {
		if e.Immediate != "RESTART_APP" && e.Code != 43 && e.Code != 44 && e.Code != 45 {
			continue
		}
		w := newWard(t)
		for i := range uint32(50) {
			w.wait(time.Second)
			d := w.notice(gpu.Notice{Kind: gpu.NoticeXid, Xid: e.Code, PID: gpu.Some(uint32(7))})
			require.Equal(t, gpu.Healthy, d.Health, "one program, %d times %d", i, e.Code)
		}
		for i := range uint32(50) {
			d := w.wait(time.Second).notice(gpu.Notice{Kind: gpu.NoticeXid, Xid: e.Code, PID: gpu.Some(i)})
			require.LessOrEqual(t, d.Health, gpu.Degraded, e.Code)
			require.False(t, d.Health.Drain())
		}
		require.Equal(t, gpu.Degraded, w.now().Health)
		w.wait(30 * time.Minute).apply(gpu.Ticked{})
		require.Equal(t, gpu.Healthy, w.now().Health)
	}
}

// The boundary and both its neighbours.
func TestMonitorBoundaries(t *testing.T) {
	app := func(w *ward, pid uint32) { w.notice(gpu.Notice{Kind: gpu.NoticeXid, Xid: 31, PID: gpu.Some(pid)}) }
	hot := func(over int32, held time.Duration) func(w *ward) {
		return func(w *ward) {
			w.reading().TempCelsius.V = 87 + over
			w.probe()
			w.wait(held).probe()
		}
	}
	cooled := func(below int32) func(w *ward) {
		return func(w *ward) {
			hot(0, time.Minute)(w)
			w.reading().TempCelsius.V = 87 - below
			w.probe()
			w.wait(5 * time.Minute).probe()
		}
	}
	replays := func(n uint64, in time.Duration) func(w *ward) {
		return func(w *ward) { w.wait(in); w.reading().PCIeReplays.V = n; w.probe() }
	}
	window := func(d time.Duration) func(w *ward) {
		return func(w *ward) { app(w, 1); app(w, 2); w.wait(d); app(w, 1) }
	}
	idle := func(f func(r *gpu.Reading)) func(w *ward) {
		return func(w *ward) { w.reading().PCIeGen.V = 1; f(w.reading()); w.probe() }
	}
	rows := func(n uint32) func(w *ward) { return func(w *ward) { w.reading().Rows.V.Correctable = n; w.probe() } }
	for _, row := range []struct {
		name string
		do   func(w *ward)
		want []gpu.HealthRule
	}{
		{"two faults of two programs", func(w *ward) { app(w, 1); app(w, 2) }, nil},
		{"three of two", func(w *ward) { app(w, 1); app(w, 2); app(w, 2) }, []gpu.HealthRule{gpu.RuleAppFault}},
		{"three of one", func(w *ward) { app(w, 1); app(w, 1); app(w, 1) }, nil},
		{"within the window", window(10*time.Minute - 1), []gpu.HealthRule{gpu.RuleAppFault}},
		{"as long as the window", window(10 * time.Minute), []gpu.HealthRule{gpu.RuleAppFault}},
		{"longer than the window", window(10*time.Minute + 1), nil},
		{"two witnesses of each", func(w *ward) {
			for pid := range uint32(2) {
				w.notice(gpu.Notice{Kind: gpu.NoticeXid, Xid: 31})
				app(w, pid)
			}
		}, nil},
		{"witnesses a second apart and more", func(w *ward) {
			w.notice(gpu.Notice{Kind: gpu.NoticeXid, Xid: 31})
			w.wait(time.Second + 1)
			app(w, 1)
			app(w, 2)
		}, []gpu.HealthRule{gpu.RuleAppFault}},
		{"hot for less than a minute", hot(0, time.Minute-1), nil},
		{"hot for a minute", hot(0, time.Minute), []gpu.HealthRule{gpu.RuleThermal}},
		{"a degree below", hot(-1, time.Hour), nil},
		{"not yet cool", cooled(4), []gpu.HealthRule{gpu.RuleThermal}},
		{"cool", cooled(5), nil},
		{"throttled by a user's limit", func(w *ward) { w.reading().Throttle.V = gpu.ThrottleSWPowerCap | gpu.ThrottleAppClocks; w.probe() }, nil},
		{"temperatures at the ends of their type", func(w *ward) {
			w.reading().TempCelsius.V, w.reading().SlowdownCelsius.V = math.MaxInt32, math.MinInt32
			w.probe()
			w.wait(time.Minute).probe()
		}, []gpu.HealthRule{gpu.RuleThermal}},
		{"100 replays in a minute", replays(100, time.Minute), nil},
		{"101 replays in a minute", replays(101, time.Minute), []gpu.HealthRule{gpu.RuleReplays}},
		{"100 replays at once", replays(100, 0), nil},
		{"101 replays at once", replays(101, 0), []gpu.HealthRule{gpu.RuleReplays}},
		{"6000 replays in an hour", replays(6000, time.Hour), nil},
		{"6001 replays in an hour", replays(6001, time.Hour), []gpu.HealthRule{gpu.RuleReplays}},
		{"2^64-1 replays", replays(math.MaxUint64, 24*time.Hour), []gpu.HealthRule{gpu.RuleReplays}},
		{"replays fell: the driver was loaded anew", func(w *ward) { replays(90, 0)(w); replays(50, time.Minute)(w) }, nil},
		{"slow link, idle by state", idle(func(r *gpu.Reading) { r.PState.V = 8 }), nil},
		{"slow link, idle by use", idle(func(r *gpu.Reading) { r.GPUUtilPercent = gpu.Some(uint32(0)) }), nil},
		{"slow link, state unknown", idle(func(r *gpu.Reading) { r.PState = gpu.Opt[uint32]{} }), nil},
		{"slow link under load", idle(func(r *gpu.Reading) { r.GPUUtilPercent = gpu.Some(uint32(1)) }), []gpu.HealthRule{gpu.RulePCIeGen}},
		{"128 rows", rows(128), nil},
		{"129 rows", rows(129), []gpu.HealthRule{gpu.RuleCorrected}},
		{"a link that was never up", func(w *ward) { w.probe() }, nil},
		{"a link that was", func(w *ward) { w.reading().NVLinks.V[0].Up = false; w.probe() }, []gpu.HealthRule{gpu.RuleNVLink}},
		{"uncorrectable errors as before", func(w *ward) { w.reading().UncorrectedAggregate.V = 5; w.probe() }, nil},
		{"one more", func(w *ward) { w.reading().UncorrectedAggregate.V = 6; w.probe() }, []gpu.HealthRule{gpu.RuleUncorrected}},
		{"one since the driver was loaded", func(w *ward) { w.reading().UncorrectedVolatile.V = 1; w.probe() }, []gpu.HealthRule{gpu.RuleUncorrected}},
		{"handed to a virtual machine", func(w *ward) { w.lose(); w.inv.PCIView.V[0].Driver = "vfio-pci"; w.probe() }, []gpu.HealthRule{gpu.RuleAbsent}},
		{"lost by the driver's word", func(w *ward) { w.reading().TempCelsius = gpu.None[int32](gpu.WhyLost); w.probe() }, []gpu.HealthRule{gpu.RuleLost}},
		{"stuck by the driver's word", func(w *ward) { w.reading().Memory = gpu.None[gpu.MemoryUse](gpu.WhyTimeout); w.probe() }, []gpu.HealthRule{gpu.RuleStuck}},
		{"listed as lost", func(w *ward) { w.gone(gpu.WhyLost); w.probe() }, []gpu.HealthRule{gpu.RuleLost}},
		{"a self-test of nothing", func(w *ward) { w.apply(gpu.SelfTested{Device: uuid(1), OK: true}) }, []gpu.HealthRule{gpu.RuleSelfTest}},
		{"a switch's fatal error", func(w *ward) {
			w.notice(gpu.Notice{Kind: gpu.NoticeSXid, BusID: "0000:05:00.0", Xid: 20034, Fatal: gpu.Some(true)})
		}, []gpu.HealthRule{gpu.RuleNVLink}},
		{"a switch's other error", func(w *ward) {
			w.notice(gpu.Notice{Kind: gpu.NoticeSXid, BusID: "0000:05:00.0", Xid: 12028, Fatal: gpu.Some(false)})
		}, nil},
		{"a hang that ended", func(w *ward) { w.notice(gpu.Notice{Kind: gpu.NoticeHang}); w.notice(gpu.Notice{Kind: gpu.NoticeReset}) }, nil},
		{"a hang that did not", func(w *ward) { w.notice(gpu.Notice{Kind: gpu.NoticeHang, Fatal: gpu.Some(true)}) }, []gpu.HealthRule{gpu.RuleReset}},
		{"corrected, clocks, power, MIG", func(w *ward) {
			for _, k := range []gpu.NoticeKind{gpu.NoticeCorrected, gpu.NoticeClock, gpu.NoticePower, gpu.NoticeMIG} {
				w.notice(gpu.Notice{Kind: k})
			}
		}, nil},
		{"uncorrected, by bus id", func(w *ward) {
			w.notice(gpu.Notice{Kind: gpu.NoticeUncorrected, BusID: "0000:18:00"})
		}, []gpu.HealthRule{gpu.RuleUncorrected}},
		{"nothing is known", func(w *ward) {
			w.inv.Devices[0].Reading = &gpu.Reading{}
			w.probe()
			w.inv.Devices[0].Reading = nil
			w.probe()
		}, nil},
	} {
		w := newWard(t)
		row.do(w)
		require.Equal(t, row.want, held(w.now()), row.name)
	}
}

// What repeats is left to an operator: three uncorrectable errors, each after the reset for the last, within 30 days; two wrong results.
func TestRepeatsHarden(t *testing.T) {
	month := 30 * 24 * time.Hour
	for _, row := range []struct {
		gap  time.Duration
		want gpu.Exit
	}{{month/2 - 1, gpu.ExitOperator}, {month / 2, gpu.ExitOperator}, {month/2 + 1, gpu.ExitReset}} {
		w := newWard(t)
		for i := range 3 {
			if i > 0 {
				w.reboot()
				w.probe()
				require.Equal(t, gpu.Healthy, w.test(true).Health)
				w.wait(row.gap)
				w.probe()
			}
			w.xid(48)
			w.xid(171) // the same error, told again
		}
		d := w.now()
		require.Equal(t, row.want, d.Exit(), row.gap)
		require.Equal(t, row.want == gpu.ExitOperator, d.Action == gpu.ActionReplace)
		w.reboot()
		w.probe()
		require.Equal(t, row.want == gpu.ExitOperator, w.test(true).Health == gpu.Unhealthy)
	}
	w := newWard(t)
	require.Equal(t, gpu.ExitPasses, w.test(false).Exit())
	w.test(true)
	require.Equal(t, gpu.Healthy, w.test(true).Health)
	require.Equal(t, gpu.ExitOperator, w.wait(30*24*time.Hour).test(false).Exit())
	w.test(true)
	require.Equal(t, gpu.Unhealthy, w.test(true).Health)
	w.apply(gpu.Cleared{Device: uuid(1), Operator: "ann", Note: "board replaced"})
	require.Equal(t, gpu.Healthy, w.now().Health)
	require.Equal(t, gpu.ExitPasses, w.test(false).Exit(), "what was cleared is not counted")
}

// A signal that comes and goes does not make the health come and go.
func TestFlappingInputsDoNotFlap(t *testing.T) {
	w := newWard(t)
	changes := 0
	last := w.now().Health
	for i := range 200 {
		w.wait(time.Minute)
		w.reading().PCIeWidth.V = uint32(16 - 8*(i%2))
		w.reading().Throttle.V = gpu.ThrottleHWThermal * gpu.Throttle(i%3/2)
		w.reading().Fabric.V.State = "completed"
		if d := w.probe(); d.Health != last {
			changes, last = changes+1, d.Health
		}
	}
	require.Equal(t, 1, changes, "once down, never up while it flaps")
	require.Equal(t, noon.Add(2*time.Minute), w.now().Since)
}

// A reboot that was seen stays seen while the device comes up, and is used up when it is lost again.
func TestLostAfterReboot(t *testing.T) {
	w := newWard(t)
	w.xid(79)
	w.lose()
	w.probe()
	w.reboot()
	w.probe() // not there yet
	w.back()
	w.probe()
	w.lose()
	w.probe() // lost again in the new boot
	w.back()
	require.Equal(t, gpu.Lost, w.probe().Health)
	require.Equal(t, gpu.Lost, w.test(true).Health, "needs another boot")
	w.reboot()
	w.probe()
	require.Equal(t, gpu.Healthy, w.test(true).Health)
}

// What a probe saw rise happened before the reset that it saw too; what the restarted counter holds, after.
func TestCountersRestart(t *testing.T) {
	w := newWard(t)
	w.xid(48)
	w.reading().UncorrectedAggregate.V, w.reading().EnergyMillijoules.V = 6, 1
	w.probe()
	require.Equal(t, gpu.Healthy, w.test(true).Health)

	w = newWard(t)
	w.reading().UncorrectedVolatile.V, w.reading().UncorrectedAggregate.V = 3, 8
	w.probe()
	w.reading().UncorrectedVolatile.V, w.reading().UncorrectedAggregate.V = 1, 9
	w.probe()
	require.Equal(t, gpu.Unhealthy, w.test(true).Health, "one error since the reset")
	w.reading().UncorrectedVolatile.V = 0
	w.probe()
	require.Equal(t, gpu.Healthy, w.test(true).Health)
}

func TestMonitorRefuses(t *testing.T) {
	w := newWard(t)
	twice := h100s(1, 2)
	twice.Devices[1].ID = uuid(1)
	empty := h100s(1, 1)
	empty.Devices = nil
	unlisted := newWard(t)
	unlisted.gone("")
	unlisted.probe()
	for _, row := range []struct {
		m    *gpu.Monitor
		at   time.Time
		e    gpu.MonitorEvent
		want error
	}{
		{w.m, noon.Add(-1), gpu.Ticked{}, gpu.ErrTimeBackwards},
		{w.m, noon, nil, gpu.ErrInvalid},
		{w.m, noon, gpu.Probed{}, gpu.ErrInvalid},
		{w.m, noon, gpu.Probed{Inventory: twice}, gpu.ErrInvalid},
		{w.m, noon, gpu.Probed{Inventory: empty}, gpu.ErrInvalid},
		{w.m, noon, gpu.Noticed{}, gpu.ErrInvalid},
		{w.m, noon, gpu.Noticed{Notice: gpu.Notice{Kind: gpu.NoticeReset + 1, ID: uuid(1)}}, gpu.ErrInvalid},
		{w.m, noon, gpu.Noticed{Notice: gpu.Notice{Kind: gpu.NoticeLost, BusID: "0000:18"}}, gpu.ErrInvalid},
		{w.m, noon, gpu.Noticed{Notice: gpu.Notice{Kind: gpu.NoticeLost, BusID: "0000:19:00.0"}}, gpu.ErrUnknownDevice},
		{w.m, noon, gpu.Noticed{Notice: gpu.Notice{Kind: gpu.NoticeLost, ID: uuid(2)}}, gpu.ErrUnknownDevice},
		{w.m, noon, gpu.SelfTested{Device: uuid(2)}, gpu.ErrUnknownDevice},
		{unlisted.m, noon, gpu.SelfTested{Device: uuid(1), OK: true, Ops: 1}, gpu.ErrNotListed},
		{unlisted.m, noon, gpu.Cleared{Device: uuid(1), Operator: "ann"}, gpu.ErrNotListed},
		{w.m, noon, gpu.Cleared{Device: uuid(2), Operator: "ann"}, gpu.ErrUnknownDevice},
		{w.m, noon, gpu.Cleared{Device: uuid(1)}, gpu.ErrInvalid},
		{w.m, noon, gpu.Cleared{Device: uuid(1), Operator: "ann", Note: "\n"}, gpu.ErrInvalid},
	} {
		before := row.m.Digest()
		out, err := row.m.Apply(row.at, row.e)
		require.ErrorIs(t, err, row.want)
		require.Nil(t, out)
		require.Equal(t, before, row.m.Digest())
	}
}

// Only what changed is told, and devices are forgotten at their time, or when there are too many.
func TestMonitorTellsAndForgets(t *testing.T) {
	w := newWard(t)
	require.Empty(t, w.apply(gpu.Ticked{}))
	require.Len(t, w.apply(gpu.Noticed{Notice: gpu.Notice{Kind: gpu.NoticeXid, Xid: 62, ID: uuid(1)}}), 1)
	require.Empty(t, w.apply(gpu.Noticed{Notice: gpu.Notice{Kind: gpu.NoticeXid, Xid: 62, ID: uuid(1)}}), "the same again")
	w.inv = h100s(2, 1)
	w.inv.Devices[0].BusID = "0000:99:00.0"
	require.Equal(t, gpu.Lost, w.probe().Health)
	w.wait(30*24*time.Hour - 1).apply(gpu.Ticked{})
	require.Equal(t, gpu.Lost, w.now().Health)
	w.wait(1).apply(gpu.Ticked{})
	_, known := w.m.Diagnosis(uuid(1))
	require.False(t, known)

	for i := range uint64(20) {
		w.wait(time.Second)
		w.inv = h100s(100+16*i, 16)
		w.apply(gpu.Probed{Inventory: w.inv})
	}
	n := 0
	for d := range w.m.Diagnoses() {
		n++
		require.GreaterOrEqual(t, d.Device, uuid(100+16*16), "the oldest go first")
	}
	require.Equal(t, 64, n)
}

func TestHealthParamsRefuse(t *testing.T) {
	require.NoError(t, gpu.DefaultHealth().Validate())
	for want, spoil := range map[string]func(p *gpu.HealthParams){
		"version":                              func(p *gpu.HealthParams) { p.Version = "" },
		"app_faults 0":                         func(p *gpu.HealthParams) { p.AppFaults = 0 },
		"test_passes 17":                       func(p *gpu.HealthParams) { p.TestPasses = 17 },
		"replays_per_minute 1000001":           func(p *gpu.HealthParams) { p.ReplaysPerMinute = 1_000_001 },
		"hot_for_ns 0s":                        func(p *gpu.HealthParams) { p.HotFor = 0 },
		"forget_after_ns 87600h0m0.000000001s": func(p *gpu.HealthParams) { p.ForgetAfter = 10*365*24*time.Hour + 1 },
		"cool_c -1":                            func(p *gpu.HealthParams) { p.CoolCelsius = -1 },
		"cool_c 51":                            func(p *gpu.HealthParams) { p.CoolCelsius = 51 },
	} {
		p := gpu.DefaultHealth()
		spoil(&p)
		err := p.Validate()
		require.ErrorIs(t, err, gpu.ErrInvalid)
		require.ErrorContains(t, err, want)
		_, err = gpu.NewMonitor(p)
		require.ErrorIs(t, err, gpu.ErrInvalid)
	}
}

// The restored monitor is the old one, in bytes and in what it does next.
func TestMonitorSnapshot(t *testing.T) {
	for r, step := range exits() {
		w := newWard(t)
		step.begin(w)
		step.before(w)
		again, err := gpu.RestoreMonitor(gpu.DefaultHealth(), w.m.Snapshot())
		require.NoError(t, err)
		require.Equal(t, w.m.Digest(), again.Digest(), fmt.Sprint(r))
		require.Equal(t, w.now(), func() gpu.Diagnosis { d, _ := again.Diagnosis(uuid(1)); return d }())
		w.m = again
		step.last(w)
		require.Equal(t, gpu.Healthy, w.now().Health)
	}
	other := gpu.DefaultHealth()
	other.Version = "other"
	_, err := gpu.RestoreMonitor(other, newWard(t).m.Snapshot())
	require.ErrorIs(t, err, gpu.ErrInvalid)
}

func FuzzRestoreMonitor(f *testing.F) {
	w := newWard(f)
	w.xid(48)
	f.Add(w.m.Snapshot())
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := gpu.RestoreMonitor(gpu.DefaultHealth(), b)
		if err != nil {
			require.ErrorIs(t, err, gpu.ErrInvalid)
			return
		}
		require.Equal(t, b, m.Snapshot())
		for range m.Diagnoses() {
		}
	})
}
