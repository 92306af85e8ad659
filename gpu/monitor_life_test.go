package gpu_test

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/golden"
)

// life is a random history of one host with two devices.
type life struct {
	rng    *rand.Rand
	at     time.Time
	boot   string
	driver string
	energy uint64
	m      *gpu.Monitor
	models [2]model
	listed [2]bool
	known  bool
}

func newLife(t testing.TB, seed uint64) *life {
	t.Helper()
	m, err := gpu.NewMonitor(gpu.DefaultHealth())
	require.NoError(t, err)
	l := &life{rng: rand.New(rand.NewPCG(seed, 7)), at: noon, boot: "a", driver: "1", m: m, energy: 1000}
	for i := range l.models {
		l.models[i] = model{p: gpu.DefaultHealth(), x: xids(t), meaning: map[gpu.HealthRule][]step{}}
	}
	return l
}

func (l *life) one(n int) bool { return l.rng.IntN(n) == 0 }

func pickOne[T any](l *life, list ...T) T { return list[l.rng.IntN(len(list))] }

// next draws an event, and what it says about either device.
func (l *life) next() (gpu.MonitorEvent, [2]fact) {
	l.at = l.at.Add(pickOne(l, 0, 0, time.Millisecond, time.Second, time.Second+1, 30*time.Second, time.Minute, 3*time.Minute, 10*time.Minute, 10*time.Minute, time.Hour, 25*time.Hour))
	facts := [2]fact{{at: l.at}, {at: l.at}}
	i := l.rng.IntN(2)
	switch k := l.rng.IntN(20); {
	case !l.known || k < 9:
		return l.probe(&facts), facts
	case k < 14:
		n := l.notice()
		n.ID = uuid(uint64(i + 1))
		facts[i].n = &n
		return gpu.Noticed{Notice: n}, facts
	case k < 18 && l.listed[i]:
		facts[i].test = 1
		ops := uint64(1)
		if l.one(5) {
			facts[i].test, ops = -1, 0
		}
		return gpu.SelfTested{Device: uuid(uint64(i + 1)), OK: true, Ops: ops}, facts
	case k == 18 && l.listed[i] && l.one(4):
		facts[i].cleared = true
		return gpu.Cleared{Device: uuid(uint64(i + 1)), Operator: "ann"}, facts
	}
	return gpu.Ticked{}, facts
}

func (l *life) notice() gpu.Notice {
	switch l.rng.IntN(10) {
	case 0:
		return gpu.Notice{Kind: pickOne(l, gpu.NoticeReset, gpu.NoticeLost, gpu.NoticeUncorrected, gpu.NoticeHang, gpu.NoticeCorrected)}
	case 1:
		return gpu.Notice{Kind: gpu.NoticeHang, Fatal: gpu.Some(l.one(2))}
	}
	n := gpu.Notice{Kind: gpu.NoticeXid, Xid: pickOne[uint32](l, 13, 13, 13, 31, 31, 31, 31, 31, 31, 45, 43, 48, 54, 62, 63, 64, 74, 79, 92, 149, 151, 154, 154, 173)}
	if !l.one(4) {
		n.PID = gpu.Some(uint32(l.rng.IntN(3)))
	}
	if n.Xid == 149 || l.one(9) {
		n.Fatal = gpu.Some(n.Xid == 149 && l.one(2))
	}
	n.SubCode = gpu.Some(uint32(l.rng.IntN(5)))
	return n
}

func (l *life) probe(facts *[2]fact) gpu.Probed {
	if l.known && l.one(8) {
		l.boot += "x"
		facts[0].reboot, facts[0].reload = true, true
	}
	if l.known && l.one(20) {
		l.driver += "1"
		facts[0].reload = true
	}
	facts[1] = facts[0]
	all := h100s(1, 2)
	inv := gpu.Inventory{Taken: l.at, Host: "h", BootID: l.boot, Driver: l.driver, PCIView: gpu.Some([]gpu.PCIFunction{{BusID: "0000:77:00.0"}})}
	for i := range facts {
		f, d := &facts[i], all.Devices[i]
		f.probe = true
		if l.known && l.one(4) {
			switch l.rng.IntN(3) {
			case 0:
				f.why = pickOne(l, gpu.WhyLost, gpu.WhyTimeout, gpu.WhyNoPermission, "error 999")
				inv.Missing = append(inv.Missing, gpu.Missing{BusID: d.BusID, Why: f.why})
			case 1:
				f.onBus = pickOne(l, "nvidia", "vfio-pci")
				inv.PCIView.V = append(inv.PCIView.V, gpu.PCIFunction{BusID: d.BusID, Driver: f.onBus})
			}
			continue
		}
		f.listed = true
		if !l.one(10) {
			f.r = l.reading()
		}
		d.Reading = f.r
		inv.Devices = append(inv.Devices, d)
	}
	l.listed, l.known = [2]bool{facts[0].listed, facts[1].listed}, true
	return gpu.Probed{Inventory: inv}
}

// reading draws values that are mostly good; one in eight is not told.
func (l *life) reading() *gpu.Reading {
	bad := func() bool { return l.one(12) }
	r := fine()
	r.TempCelsius.V = pickOne[int32](l, 40, 40, 82, 83, 86, 87, 90)
	if bad() {
		r.Throttle.V = gpu.ThrottleHWSlowdown
	}
	l.energy += 10
	r.EnergyMillijoules.V = l.energy - uint64(min(l.rng.IntN(40), 21)/21*15)
	r.UncorrectedVolatile.V = pickOne[uint64](l, 0, 0, 0, 0, 0, 1, 2)
	r.UncorrectedAggregate.V = uint64(5 + l.at.Sub(noon)/(400*time.Hour))
	r.Rows.V = gpu.RowRemap{Pending: bad(), Failed: l.one(60), Correctable: pickOne[uint32](l, 0, 128, 128, 129, 130)}
	r.PCIeReplays.V = pickOne[uint64](l, 0, 0, 100, 101, 150, 300)
	r.PState.V = pickOne[uint32](l, 0, 8)
	if bad() {
		r.PCIeWidth.V = 8
	}
	if bad() {
		r.PCIeGen.V = 4
	}
	if bad() {
		r.Fabric.V.State = "in-progress"
	}
	r.NVLinks.V = []gpu.NVLink{{Index: 0, Up: !bad(), CRCErrors: gpu.Some(uint64(l.rng.IntN(8) / 7))}, {Index: 3, Up: l.one(9)}}
	for _, forget := range []func(){
		func() { r.TempCelsius = gpu.Opt[int32]{} }, func() { r.Throttle = gpu.Opt[gpu.Throttle]{} },
		func() { r.EnergyMillijoules = gpu.Opt[uint64]{} }, func() { r.UncorrectedVolatile = gpu.Opt[uint64]{} },
		func() { r.UncorrectedAggregate = gpu.Opt[uint64]{} }, func() { r.Rows = gpu.Opt[gpu.RowRemap]{} },
		func() { r.PCIeReplays = gpu.Opt[uint64]{} }, func() { r.PCIeWidth = gpu.Opt[uint32]{} }, func() { r.PCIeGen = gpu.Opt[uint32]{} },
		func() { r.NVLinks = gpu.Opt[[]gpu.NVLink]{} }, func() { r.Fabric = gpu.Opt[gpu.Fabric]{} },
	} {
		if l.one(8) {
			forget()
		}
	}
	return r
}

// The monitor, which keeps a bounded state, and the model, which keeps everything, agree after every one of 10^5 events.
func TestMonitorAgainstModel(t *testing.T) {
	const lives, events = 2000, 50
	held := map[gpu.HealthRule]int{}
	operators := 0
	for seed := range uint64(lives) {
		l := newLife(t, seed)
		var since [2]time.Time
		health := [2]gpu.Health{gpu.Lost + 1, gpu.Lost + 1}
		for n := range events {
			e, facts := l.next()
			_, err := l.m.Apply(l.at, e)
			require.NoError(t, err)
			for i := range facts {
				l.models[i].add(facts[i])
				want := l.models[i].holds()
				d, _ := l.m.Diagnosis(uuid(uint64(i + 1)))
				got, worst := map[gpu.HealthRule]bool{}, gpu.Healthy
				for _, r := range d.Reasons {
					got[r.Rule] = r.Exit == gpu.ExitOperator && r.Rule != gpu.RuleRowsFailed
					worst = max(worst, r.Rule.Health())
					held[r.Rule]++
					if got[r.Rule] {
						operators++
					}
				}
				require.Equal(t, want, got, "life %d, event %d, device %d: %T at %v", seed, n, i+1, e, l.at)
				require.Equal(t, worst, d.Health)
				if d.Health != health[i] {
					health[i], since[i] = d.Health, l.at
				}
				require.False(t, d.Since.Before(since[i]), "since %v, changed %v", d.Since, since[i])
			}
		}
		require.NoError(t, l.m.Audit())
	}
	for r := gpu.RuleNone + 1; r.Exit() != gpu.ExitNone; r++ {
		require.Greater(t, held[r], 100, "%v was hardly tried", r)
	}
	require.Greater(t, operators, 100)
}

// The same histories give the same state on one processor and on all, and what is in testdata/health.digest.txt.
func TestMonitorDigest(t *testing.T) {
	run := func() string {
		h := sha256.New()
		for seed := range uint64(20) {
			l := newLife(t, seed)
			for range 200 {
				e, _ := l.next()
				_, err := l.m.Apply(l.at, e)
				require.NoError(t, err)
			}
			sum := l.m.Digest()
			h.Write(sum[:])
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	procs := runtime.GOMAXPROCS(1)
	one := run()
	runtime.GOMAXPROCS(procs)
	require.Equal(t, one, run())
	golden.Check(t, "testdata/health.digest.txt", one+"\n")
}

// FuzzMonitor: whatever is applied, the invariants hold, a snapshot is the state, and a refused event changes nothing.
func FuzzMonitor(f *testing.F) {
	f.Add(uint64(1), uint8(30))
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) {
		l := newLife(t, seed)
		for range n {
			e, _ := l.next()
			_, err := l.m.Apply(l.at, e)
			require.NoError(t, err)
			require.NoError(t, l.m.Audit())
		}
		before := l.m.Digest()
		_, err := l.m.Apply(l.at, gpu.SelfTested{Device: "nobody"})
		require.Error(t, err)
		require.Equal(t, before, l.m.Digest())
		again, err := gpu.RestoreMonitor(gpu.DefaultHealth(), l.m.Snapshot())
		require.NoError(t, err)
		require.Equal(t, before, again.Digest())
	})
}
