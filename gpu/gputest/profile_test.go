package gputest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// hand is a clock that a test moves.
type hand struct{ now time.Time }

func (h *hand) read() time.Time { return h.now }

// node makes a source of a named profile, with faults, and its clock.
func node(t testing.TB, name string, faults ...string) (*gputest.Source, *hand) {
	t.Helper()
	p, err := gputest.ParseProfile(name)
	require.NoError(t, err)
	for _, text := range faults {
		f, err := gputest.ParseFault(text)
		require.NoError(t, err)
		p.Faults = append(p.Faults, f)
	}
	clock := &hand{noon}
	s, err := gputest.NewSource(p, clock.read)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, clock
}

func read(t testing.TB, s gpu.Source) gpu.Inventory {
	t.Helper()
	inv, err := s.Probe(t.Context())
	require.NoError(t, err)
	require.NoError(t, inv.Validate())
	return inv
}

func catalog(t testing.TB) *gpu.Catalog {
	t.Helper()
	c, err := gpu.NewCatalog()
	require.NoError(t, err)
	return c
}

func TestProfilesAreHonest(t *testing.T) {
	c := catalog(t)
	for _, p := range gputest.Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			s, clock := node(t, p.Name)
			for range 40 { // over idle, busy and half busy hours
				inv := read(t, s)
				require.Len(t, inv.Devices, p.Count)
				require.Empty(t, inv.Missing)
				for _, f := range gpu.Check(inv, c) {
					require.Equal(t, gpu.Info, f.Severity, "%v", f)
				}
				clock.now = clock.now.Add(97 * time.Second)
			}
			spec, known := c.Lookup(p.Board.Model)
			if p.Board.Vendor != gpu.NVIDIA {
				return
			}
			require.True(t, known, p.Board.Model)
			require.Contains(t, spec.SMs, uint16(p.Board.SMs))
			require.Equal(t, spec.ComputeCapability, p.Board.ComputeCapability)
		})
	}
}

// Every count from 1 to 16 makes identities that differ, for every board.
func TestEveryCount(t *testing.T) {
	c := catalog(t)
	for _, p := range gputest.Profiles() {
		if len(p.MIG) > 0 {
			continue
		}
		board := p.Name[:len(p.Name)-2]
		for n := 1; n <= gpu.MaxDevices; n++ {
			s, _ := node(t, fmt.Sprintf("%sx%d", board, n))
			inv := read(t, s)
			require.Len(t, inv.Links, n*(n-1)/2)
			for _, f := range gpu.Check(inv, c) {
				require.Equal(t, gpu.Info, f.Severity, "%v", f)
			}
		}
	}
}

func TestWitnessesAgree(t *testing.T) {
	for _, p := range gputest.Profiles() {
		s, _ := node(t, p.Name)
		inv := read(t, s)
		require.Len(t, inv.PCIView.V, p.Count, p.Name)
		nvidia := p.Board.Vendor == gpu.NVIDIA
		require.Equal(t, nvidia, inv.ProcView.OK, p.Name)
		require.Equal(t, nvidia && len(p.MIG) == 0, inv.CUDAView.OK, p.Name)
		for i, d := range inv.Devices {
			f := inv.PCIView.V[i]
			require.Equal(t, gpu.PCIPair{Vendor: uint16(d.Vendor), Device: d.PCIDeviceID}, f.ID)
			require.Equal(t, strings.ToLower(d.BusID[4:]), f.BusID, "eight digits of domain, and four")
			if inv.ProcView.OK {
				g := inv.ProcView.V[i]
				require.Equal(t, []string{f.BusID, d.Model, string(d.ID), d.VBIOS}, []string{g.BusID, g.Model, g.ID.V, g.VBIOS.V})
			}
			if inv.CUDAView.OK {
				c := inv.CUDAView.V[i]
				require.Equal(t, []string{string(d.ID), d.Model, f.BusID}, []string{string(c.ID), c.Name, c.BusID})
				m := d.Reading.Memory.V
				require.Equal(t, m.Total-m.Reserved, c.MemoryBytes)
			}
		}
	}
}

func TestParseProfileRefuses(t *testing.T) {
	for _, name := range []string{
		"", "x", "h100", "h100x", "x8", "h100x0", "h100x17", "h100x-1", "h100x+1", "h100x08", "h100 x8", "h1000x8", "H100x8", "mi300x", "mig-h100",
	} {
		_, err := gputest.ParseProfile(name)
		require.Error(t, err, name)
	}
}

func TestValidateRefuses(t *testing.T) {
	for name, change := range map[string]func(*gputest.Profile){
		"no devices":            func(p *gputest.Profile) { p.Count = 0 },
		"too many":              func(p *gputest.Profile) { p.Count = 17 },
		"links that are not":    func(p *gputest.Profile) { p.Board.NVLinks = 0 },
		"divided and linked":    func(p *gputest.Profile) { p.MIG = []string{"1g.10gb"} },
		"instances too many":    func(p *gputest.Profile) { p.Topology, p.MIG = gputest.PCIe, []string{"4g.40gb", "4g.40gb"} },
		"instance of another":   func(p *gputest.Profile) { p.Topology, p.MIG = gputest.PCIe, []string{"1g.5gb"} },
		"no model":              func(p *gputest.Profile) { p.Board.Model = "" },
		"less memory than kept": func(p *gputest.Profile) { p.Board.MemoryMiB = p.Board.ReservedMiB + 4 },
		"idle above the limit":  func(p *gputest.Profile) { p.Board.IdleMilliwatts = p.Board.LimitMilliwatts + 1 },
		"busier than busy":      func(p *gputest.Profile) { p.Load[1].Permille = 1001 },
		"phase without length":  func(p *gputest.Profile) { p.Load[1].Seconds = 0 },
		"driver of the future":  func(p *gputest.Profile) { p.Uptime = -1 },
		"fault elsewhere":       func(p *gputest.Profile) { p.Faults = []gputest.Fault{{Kind: "lost", Device: 8, From: 1}} },
		"fault of no kind":      func(p *gputest.Profile) { p.Faults = []gputest.Fault{{Kind: "sleepy", From: 1}} },
	} {
		p, err := gputest.ParseProfile("h100x8")
		require.NoError(t, err)
		require.NoError(t, p.Validate())
		change(&p)
		require.Error(t, p.Validate(), name)
		_, err = gputest.NewSource(p, nil)
		require.Error(t, err, name)
	}
}

// An AMD device of a fake has an id as Sysfs makes it: what is tried on the one must hold for the other.
func TestAMDIdentity(t *testing.T) {
	s, _ := node(t, "mi300xx8")
	for _, d := range read(t, s).Devices {
		require.Regexp(t, "^AMD-[0-9a-f]{16}$", string(d.ID))
	}
}

// Power is constant within a second, so the energy of a second is exactly its power, and that of many their sum.
func TestEnergyIsTheIntegralOfPower(t *testing.T) {
	for _, name := range []string{"h100x1", "4090x2", "mi300xx8"} {
		s, clock := node(t, name)
		var sum uint64
		first := read(t, s).Devices[0].Reading.EnergyMillijoules.V
		for range 3000 { // more than a period of the load
			r := read(t, s).Devices[0].Reading
			require.Equal(t, first+sum, r.EnergyMillijoules.V, clock.now)
			sum += uint64(r.PowerMilliwatts.V)
			clock.now = clock.now.Add(time.Second)
		}
		clock.now = clock.now.Add(time.Second / 2)
		half := read(t, s).Devices[0].Reading
		require.Equal(t, first+sum+uint64(half.PowerMilliwatts.V)/2, half.EnergyMillijoules.V)
	}
}

func TestTelemetryFollowsLoad(t *testing.T) {
	p, err := gputest.ParseProfile("4090x1")
	require.NoError(t, err)
	p.Uptime, p.Load = 0, []gputest.Phase{{600, 0}, {1800, 1000}, {3600, 0}}
	clock := &hand{noon}
	s, err := gputest.NewSource(p, clock.read)
	require.NoError(t, err)
	at := func(seconds int) *gpu.Reading {
		clock.now = noon.Add(time.Duration(seconds) * time.Second)
		return read(t, s).Devices[0].Reading
	}
	idle, start, busy, after, cool := at(599), at(600), at(700), at(2410), at(2500)
	require.Equal(t, []uint32{210, 405, 8, 1}, []uint32{idle.SMClockMHz.V, idle.MemClockMHz.V, idle.PState.V, idle.PCIeGen.V})
	require.Equal(t, []uint32{10501, 0, 4}, []uint32{busy.MemClockMHz.V, busy.PState.V, busy.PCIeGen.V})
	require.Equal(t, gpu.ThrottleIdle, idle.Throttle.V)
	require.Equal(t, gpu.ThrottleSWPowerCap, busy.Throttle.V)
	require.Less(t, busy.SMClockMHz.V, busy.MaxSMClockMHz.V)
	require.Zero(t, idle.GPUUtilPercent.V)
	require.Equal(t, uint32(100), busy.GPUUtilPercent.V)
	require.Empty(t, idle.Processes.V)
	require.Len(t, busy.Processes.V, 1)
	require.Equal(t, idle.TempCelsius, start.TempCelsius, "heat takes its time")
	require.Greater(t, busy.TempCelsius.V, idle.TempCelsius.V+40)
	require.Greater(t, after.TempCelsius.V, cool.TempCelsius.V+30, "and so does cold")
	require.Equal(t, idle.TempCelsius, cool.TempCelsius)
	require.Less(t, busy.TempCelsius.V, busy.SlowdownCelsius.V)
	for _, r := range []*gpu.Reading{idle, busy} {
		m := r.Memory.V
		require.Equal(t, m.Total, m.Used+m.Free+m.Reserved)
		require.LessOrEqual(t, r.PowerMilliwatts.V, r.PowerLimitMilliwatts.V)
	}
}

func TestDeterministic(t *testing.T) {
	all := func(seed uint64) string {
		p, err := gputest.ParseProfile("h100x8")
		require.NoError(t, err)
		p.Seed = seed
		clock := &hand{noon}
		s, err := gputest.NewSource(p, clock.read)
		require.NoError(t, err)
		var out []byte
		for range 5 {
			b, err := json.Marshal(read(t, s))
			require.NoError(t, err)
			out = append(out, b...)
			clock.now = clock.now.Add(time.Hour / 3)
		}
		return string(out)
	}
	require.Equal(t, all(1), all(1))
	require.NotEqual(t, all(1), all(2))
}

func TestSourceKeepsItsProfile(t *testing.T) {
	p, err := gputest.ParseProfile("h100x1")
	require.NoError(t, err)
	clock := &hand{noon}
	s, err := gputest.NewSource(p, clock.read)
	require.NoError(t, err)
	before := read(t, s)
	p.Load[0], p.Load[1] = gputest.Phase{Seconds: 1}, gputest.Phase{Seconds: 1}
	require.Equal(t, before, read(t, s))
}

func TestMatrixOfProfiles(t *testing.T) {
	s, _ := node(t, "h100-pciex4")
	require.Equal(t, "\tGPU0\tGPU1\tGPU2\tGPU3\n"+
		"GPU0\t X \tNV12\tSYS\tSYS\n"+
		"GPU1\tNV12\t X \tSYS\tSYS\n"+
		"GPU2\tSYS\tSYS\t X \tNV12\n"+
		"GPU3\tSYS\tSYS\tNV12\t X \n", gpu.LinkMatrix(read(t, s)))
	s, _ = node(t, "h100x8")
	require.Equal(t, [][]int{{0, 1, 2, 3, 4, 5, 6, 7}}, gpu.Islands(read(t, s)))
	s, _ = node(t, "l40sx4")
	require.Equal(t, [][]int{{0}, {1}, {2}, {3}}, gpu.Islands(read(t, s)))
}

func BenchmarkProbe(b *testing.B) {
	for _, name := range []string{"a4000x1", "h100x8"} {
		b.Run("profile="+name, func(b *testing.B) {
			s, _ := node(b, name)
			for b.Loop() {
				if _, err := s.Probe(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
