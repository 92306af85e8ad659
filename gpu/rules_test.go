package gpu_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/golden"
)

// The table of rules as the package comment has it.
func TestRulesTable(t *testing.T) {
	var b strings.Builder
	seen := map[string]bool{}
	for _, r := range gpu.Rules() {
		require.False(t, seen[r.Name], r.Name)
		seen[r.Name] = true
		require.NotContains(t, r.Text, "\n")
		fmt.Fprintf(&b, "//\t%-19s %s  %s\n", r.Name, strings.ToUpper(r.Severity.String()[:1]), r.Text)
	}
	golden.Check(t, "testdata/rules.golden", b.String())
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	require.Contains(t, string(doc), b.String(), "the package comment has the same table")
}

// h100 is one H100 with a reading that a change is made to.
func h100(change func(*gpu.Reading)) gpu.Inventory {
	inv := h100s(1, 1)
	inv.Platform = "linux/amd64"
	r := &gpu.Reading{}
	change(r)
	inv.Devices[0].Reading = r
	return inv
}

// cases has what makes each rule fire that one inventory can show.
func cases() map[string]gpu.Inventory {
	change := func(f func(inv *gpu.Inventory, d *gpu.Device)) gpu.Inventory {
		inv := witnessed(h100s(1, 2))
		f(&inv, &inv.Devices[0])
		return inv
	}
	a4000 := func(mib uint64) gpu.Inventory {
		return change(func(_ *gpu.Inventory, d *gpu.Device) {
			d.Model, d.PCIDeviceID, d.MemoryMiB = "NVIDIA RTX A5000", 0x2231, mib
		})
	}
	return map[string]gpu.Inventory{
		"name-unknown":      change(func(_ *gpu.Inventory, d *gpu.Device) { d.Model = "x" }),
		"id-of-other-model": change(func(_ *gpu.Inventory, d *gpu.Device) { d.Model = "x" }),
		"name-vs-device-id": change(func(_ *gpu.Inventory, d *gpu.Device) { d.PCIDeviceID = 1 }),
		"memory-total":      change(func(_ *gpu.Inventory, d *gpu.Device) { d.MemoryMiB = 81920 }),
		"memory-published":  change(func(_ *gpu.Inventory, d *gpu.Device) { d.Model, d.MemoryMiB = "NVIDIA GeForce RTX 3080", 10000 }),
		"memory-modified":   change(func(_ *gpu.Inventory, d *gpu.Device) { d.Model, d.MemoryMiB = "NVIDIA GeForce RTX 4090", 49140 }),
		"memory-ecc":        a4000(23028),
		"memory-reserved": change(func(inv *gpu.Inventory, d *gpu.Device) {
			inv.Driver, d.Model, d.PCIDeviceID, d.MemoryMiB = "470.57.02", "NVIDIA RTX A6000", 0x2230, 45634
		}),
		"memory-round":       h100(func(r *gpu.Reading) { r.ComputeCapability = gpu.Some("9.0") }),
		"memory-sum":         h100(func(r *gpu.Reading) { r.Memory = gpu.Some(gpu.MemoryUse{Total: 81559 << 20, Free: 1}) }),
		"compute-capability": h100(func(r *gpu.Reading) { r.ComputeCapability = gpu.Some("8.0") }),
		"sm-count":           h100(func(r *gpu.Reading) { r.SMs = gpu.Some[uint32](131) }),
		"bus-width":          h100(func(r *gpu.Reading) { r.BusWidthBits = gpu.Some[uint32](384) }),
		"clock-max":          h100(func(r *gpu.Reading) { r.MaxSMClockMHz = gpu.Some[uint32](2278) }),
		"power-max":          h100(func(r *gpu.Reading) { r.PowerMaxLimitMilliwatts = gpu.Some[uint32](805_001) }),
		"pcie-max":           h100(func(r *gpu.Reading) { r.PCIeMaxGen = gpu.Some[uint32](6) }),
		"nvlink-on-pcie-card": change(func(_ *gpu.Inventory, d *gpu.Device) {
			d.Model, d.Reading = "NVIDIA L4", &gpu.Reading{NVLinks: gpu.Some([]gpu.NVLink{{}})}
		}),
		"link-count": change(func(inv *gpu.Inventory, _ *gpu.Device) {
			inv.Links = []gpu.Link{{A: 0, B: 1, Kind: gpu.LinkNVLink, Count: 19}}
			inv.Devices[0].Reading, inv.Devices[1].Reading = &gpu.Reading{}, &gpu.Reading{}
		}),
		"mig-inconsistent": h100(func(r *gpu.Reading) { r.MIG = gpu.Some(gpu.MIG{Instances: []gpu.MIGInstance{{Profile: "1g.10gb"}}}) }),
		"uuid-form":        change(func(_ *gpu.Inventory, d *gpu.Device) { d.ID = "GPU-1" }),
		"duplicate-uuid":   change(func(inv *gpu.Inventory, d *gpu.Device) { inv.Devices[1].ID = d.ID }),
		"duplicate-serial": change(func(inv *gpu.Inventory, d *gpu.Device) { inv.Devices[1].Serial = d.Serial }),
		"duplicate-bus":    change(func(inv *gpu.Inventory, d *gpu.Device) { inv.Devices[1].BusID = d.BusID }),
		"driver-platform": change(func(inv *gpu.Inventory, _ *gpu.Device) {
			inv.Driver, inv.Platform = "591.86", "linux/amd64"
		}),
		"driver-branch": change(func(inv *gpu.Inventory, _ *gpu.Device) { inv.Driver = "470.57.02" }),
		"cuda-driver":   change(func(inv *gpu.Inventory, _ *gpu.Device) { inv.CUDADriver = gpu.Some("12.5") }),
		"sysfs-missing": change(func(inv *gpu.Inventory, _ *gpu.Device) { inv.PCIView.V[0].ID.Device = 0x2684 }),
		"sysfs-extra":   change(func(inv *gpu.Inventory, _ *gpu.Device) { inv.Devices = inv.Devices[:1] }),
		"proc-mismatch": change(func(inv *gpu.Inventory, _ *gpu.Device) {
			inv.ProcView.V[1].VBIOS, inv.Devices[1].VBIOS = gpu.Some("1"), "2"
		}),
		"cuda-uuid":   change(func(inv *gpu.Inventory, _ *gpu.Device) { inv.CUDAView.V[0].ID = uuid(9) }),
		"cuda-name":   change(func(inv *gpu.Inventory, _ *gpu.Device) { inv.CUDAView.V[0].Name = "NVIDIA GeForce RTX 4090" }),
		"cuda-memory": change(func(inv *gpu.Inventory, _ *gpu.Device) { inv.CUDAView.V[0].MemoryBytes = 24 << 30 }),
		"virtualised": change(func(inv *gpu.Inventory, _ *gpu.Device) { inv.Hypervisor = gpu.Some("kvm") }),
	}
}

// Every rule fires in some case: of one inventory here, of several in the tests of sequences, the rest where its text says.
func TestRulesFire(t *testing.T) {
	c := catalog(t)
	elsewhere := []string{
		"duplicate-identity", "identity-change", "library-digest", "counter-backwards", "energy-vs-power", "static-telemetry",
		gpu.RuleRateImpossible,
	}
	all := cases()
	round := all["memory-round"]
	round.Devices[0].Model, round.Devices[0].MemoryMiB = "x", 80*1024
	for _, r := range gpu.Rules() {
		if slices.Contains(elsewhere, r.Name) {
			continue
		}
		inv, ok := all[r.Name]
		require.True(t, ok, r.Name)
		require.NoError(t, inv.Validate(), r.Name)
		var fired bool
		for _, f := range gpu.Check(inv, c) {
			fired = fired || f.Rule == r.Name
			if f.Rule == r.Name {
				require.Equal(t, r.Severity, f.Severity)
				require.NotEmpty(t, f.Detail)
			}
		}
		require.True(t, fired, r.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		require.True(t, slices.ContainsFunc(gpu.Rules(), func(r gpu.Rule) bool { return r.Name == name }), name)
	}
}

// What is right, at the boundary of each rule, gives nothing.
func TestRulesRest(t *testing.T) {
	mig := func(most uint32, instances ...gpu.MIGInstance) gpu.Opt[gpu.MIG] {
		return gpu.Some(gpu.MIG{Enabled: true, MaxInstances: most, Instances: instances})
	}
	for name, inv := range map[string]gpu.Inventory{
		"clock at 115 %": h100(func(r *gpu.Reading) { r.MaxSMClockMHz = gpu.Some[uint32](2277) }),
		"power at 115 %": h100(func(r *gpu.Reading) { r.PowerMaxLimitMilliwatts = gpu.Some[uint32](805_000) }),
		"18 links":       h100(func(r *gpu.Reading) { r.NVLinks = gpu.Some(make([]gpu.NVLink, 18)) }),
		"memory in two": h100(func(r *gpu.Reading) {
			r.Memory = gpu.Some(gpu.MemoryUse{Total: 81559 << 20, Free: 1 << 30, Used: 81559<<20 - 1<<30})
		}),
		"memory 2 MiB off": h100(func(r *gpu.Reading) { r.Memory = gpu.Some(gpu.MemoryUse{Total: 81559 << 20, Free: 81557 << 20}) }),
		"cores":            h100(func(r *gpu.Reading) { r.Cores = gpu.Some[uint32](16896) }),
		"fewer under MIG":  h100(func(r *gpu.Reading) { r.SMs, r.MIG = gpu.Some[uint32](16), mig(7) }),
		"seven instances":  h100(func(r *gpu.Reading) { r.MIG = mig(7, seven()...) }),
		"compute instances": h100(func(r *gpu.Reading) {
			r.MIG = mig(7, gpu.MIGInstance{ID: "a", Profile: "1c.7g.80gb", MemoryMiB: 80000}, gpu.MIGInstance{ID: "b", Profile: "1c.7g.80gb", MemoryMiB: 80000})
		}),
		"media engine": h100(func(r *gpu.Reading) { r.MIG = mig(7, gpu.MIGInstance{ID: "a", Profile: "1g.10gb+me", MemoryMiB: 9728}) }),
		"values not given": h100(func(r *gpu.Reading) {
			r.SMs, r.PCIeMaxGen = gpu.None[uint32](gpu.WhyTimeout), gpu.None[uint32](gpu.WhyLost)
		}),
		"lent to a guest":    lent(),
		"lost and mentioned": lost(),
	} {
		require.NoError(t, inv.Validate(), name)
		require.Empty(t, gpu.Check(inv, catalog(t)), name)
	}
}

func seven() (out []gpu.MIGInstance) {
	for i := range 7 {
		out = append(out, gpu.MIGInstance{ID: gpu.DeviceID(fmt.Sprint("MIG-", i)), Profile: "1g.10gb", MemoryMiB: 9728, SMs: 16})
	}
	return out
}

func lent() gpu.Inventory {
	inv := witnessed(h100s(1, 2))
	inv.PCIView.V[1].Driver, inv.Devices = "vfio-pci", inv.Devices[:1]
	inv.CUDAView.V = inv.CUDAView.V[:1]
	return inv
}

func lost() gpu.Inventory {
	inv := witnessed(h100s(1, 2))
	inv.Missing = []gpu.Missing{{BusID: inv.Devices[1].BusID, Why: gpu.WhyLost}}
	inv.Devices, inv.CUDAView.V = inv.Devices[:1], inv.CUDAView.V[:1]
	return inv
}

func TestCheckMIG(t *testing.T) {
	for want, instances := range map[string][]gpu.MIGInstance{
		"two instances have the id": {{ID: "MIG-1", Profile: "1g.10gb"}, {ID: "MIG-1", Profile: "1g.10gb"}},
		"is no profile":             {{Profile: "1g"}},
		"an instance of profile":    {{Profile: "1g.10gb", MemoryMiB: 10241}},
		"instances have 98304 MiB":  {{ID: "MIG-1", Profile: "7g.80gb", MemoryMiB: 80 * 1024}, {ID: "MIG-2", Profile: "2g.20gb", MemoryMiB: 16 * 1024}},
		"133 multiprocessors":       {{Profile: "7g.80gb", SMs: 133}},
		"8 instances, at most 7":    append(seven(), gpu.MIGInstance{ID: "MIG-8", Profile: "1g.5gb"}),
	} {
		inv := h100(func(r *gpu.Reading) { r.MIG = gpu.Some(gpu.MIG{Enabled: true, MaxInstances: 7, Instances: instances}) })
		findings := gpu.Check(inv, catalog(t))
		require.Len(t, findings, 1, want)
		require.Contains(t, findings[0].Detail, want)
	}
}

func TestCheckDriver(t *testing.T) {
	for name, c := range map[string]struct {
		driver, platform, nvml, hypervisor string
		want                               []string
	}{
		"linux":             {"550.54.15", "linux/amd64", "12.550.54.15", "none", nil},
		"bare version":      {"550.54.15", "linux/amd64", "550.54.15", "none", nil},
		"windows on linux":  {"531.68", "linux/amd64", "", "none", []string{"-1 driver-platform contradiction"}},
		"windows":           {"531.68", "windows/amd64", "12.531.68", "none", nil},
		"linux on windows":  {"550.54.15", "windows/amd64", "", "none", []string{"-1 driver-platform contradiction"}},
		"wsl":               {"531.68", "linux/amd64", "12.530.47", gpu.WSL, []string{"-1 virtualised info"}},
		"linux beta":        {"525.53", "linux/amd64", "", "none", nil},
		"after the table":   {"615.23", "linux/amd64", "", "none", nil},
		"library of others": {"550.54.15", "linux/amd64", "12.550.54.14", "none", []string{"-1 driver-branch contradiction"}},
		"no version":        {"nouveau", "linux/amd64", "x", "none", nil},
		"too old":           {"515.43.04", "linux/amd64", "", "none", []string{"0 driver-branch contradiction"}},
	} {
		inv := h100s(1, 1)
		inv.Driver, inv.Platform, inv.Hypervisor = c.driver, c.platform, gpu.Some(c.hypervisor)
		if c.nvml != "" {
			inv.NVML = gpu.Some(c.nvml)
		}
		require.Equal(t, c.want, rules(gpu.Check(inv, catalog(t))), name)
	}
	old := h100s(1, 1)
	old.Driver = "450.80.02"
	d := &old.Devices[0]
	d.Model, d.PCIDeviceID, d.MemoryMiB = "A100-SXM4-40GB", 0x20b0, 40536
	require.Empty(t, gpu.Check(old, catalog(t)), "drivers before 465 leave the maker out")
}

func TestCheckLibrary(t *testing.T) {
	inv := h100s(1, 1)
	known := gpu.KnownLibraries{"550.54.15": {"aa", "bb"}}
	require.Empty(t, gpu.CheckLibrary(inv, known), "not given")
	inv.LibrarySHA = gpu.Some("bb")
	require.Empty(t, gpu.CheckLibrary(inv, known))
	inv.LibrarySHA = gpu.Some("cc")
	require.Equal(t, []string{"-1 library-digest suspicious"}, rules(gpu.CheckLibrary(inv, known)))
	inv.Driver = "550.54.14"
	require.Empty(t, gpu.CheckLibrary(inv, known), "version not known")
}

func TestCheckSequence(t *testing.T) {
	at := func(s int, f func(r *gpu.Reading)) gpu.Inventory {
		inv := h100(func(r *gpu.Reading) {
			r.EnergyMillijoules, r.PowerMilliwatts = gpu.Some(uint64(1_000_000_000+s*400_000)), gpu.Some[uint32](400_000)
			r.PCIeReplays, r.CorrectedAggregate = gpu.Some[uint64](7), gpu.Some[uint64](5)
			r.PowerMaxLimitMilliwatts = gpu.Some[uint32](700_000)
			f(r)
		})
		inv.Taken = noon.Add(time.Duration(s) * time.Second)
		return inv
	}
	same := func(*gpu.Reading) {}
	energy := func(mj uint64) func(*gpu.Reading) {
		return func(r *gpu.Reading) { r.EnergyMillijoules = gpu.Some(mj) }
	}
	backwards, power := []string{"0 counter-backwards suspicious"}, []string{"0 energy-vs-power suspicious"}
	for name, c := range map[string]struct {
		after gpu.Inventory
		boot  string
		want  []string
	}{
		"steady":           {at(30, same), "", nil},
		"above double":     {at(30, energy(1_000_000_000+24_000_001)), "", power},
		"at the bound":     {at(30, energy(1_000_000_000+24_000_000)), "", nil},
		"half":             {at(30, energy(1_000_000_000+6_000_000)), "", nil},
		"below half":       {at(30, energy(1_000_000_000+5_999_999)), "", power},
		"stands still":     {at(30, energy(1_000_000_000)), "", power},
		"later than power": {at(3600, energy(1_000_000_000)), "", nil},
		"above the limit":  {at(3600, energy(1_000_000_000+3_150_000_001)), "", power},
		"energy fell":      {at(30, energy(999_999_999)), "", backwards},
		"reset": {at(30, func(r *gpu.Reading) {
			r.EnergyMillijoules, r.PCIeReplays = gpu.Some[uint64](9_000_000), gpu.Some[uint64](0)
		}), "", nil},
		"reset, too much": {at(30, energy(21_000_001)), "", backwards},
		"replays fell":    {at(30, func(r *gpu.Reading) { r.PCIeReplays = gpu.Some[uint64](6) }), "", backwards},
		"new boot": {at(30, func(r *gpu.Reading) {
			r.EnergyMillijoules, r.PCIeReplays = gpu.Some[uint64](900_000_000), gpu.Some[uint64](0)
		}), "new", nil},
		"aggregate, new boot": {at(30, func(r *gpu.Reading) { r.CorrectedAggregate = gpu.Some[uint64](4) }), "new", backwards},
		"time runs back":      {at(-1, same), "", []string{"-1 counter-backwards suspicious"}},
	} {
		if c.boot != "" {
			c.after.BootID = c.boot
		}
		require.Equal(t, c.want, rules(gpu.CheckSequence(at(0, same), c.after)), name)
	}
	moved := at(30, same)
	moved.Devices[0].BusID, moved.Devices[0].VBIOS = "0000:19:00.0", "9"
	require.Equal(t, []string{"0 identity-change suspicious", "0 identity-change suspicious"}, rules(gpu.CheckSequence(at(0, same), moved)))
	other := at(30, energy(0))
	other.Devices[0].ID = uuid(2)
	require.Empty(t, gpu.CheckSequence(at(0, same), other), "another device")
}

func TestCheckHistory(t *testing.T) {
	history := func(n int, f func(i int, r *gpu.Reading)) []gpu.Inventory {
		var out []gpu.Inventory
		for i := range n {
			inv := h100(func(r *gpu.Reading) {
				r.GPUUtilPercent, r.PowerMilliwatts, r.TempCelsius = gpu.Some[uint32](50), gpu.Some[uint32](400_000), gpu.Some[int32](60)
				f(i, r)
			})
			inv.Taken = noon.Add(time.Duration(i) * time.Minute)
			out = append(out, inv)
		}
		return out
	}
	still := func(int, *gpu.Reading) {}
	static := []string{"0 static-telemetry suspicious"}
	require.Equal(t, static, rules(gpu.CheckHistory(history(10, still))))
	require.Empty(t, gpu.CheckHistory(history(9, still)))
	require.Empty(t, gpu.CheckHistory(nil))
	first := func(i int, r *gpu.Reading) { r.PowerMilliwatts.V += uint32(min(i, 1)) }
	require.Empty(t, gpu.CheckHistory(history(10, first)), "one of ten differs")
	require.Equal(t, static, rules(gpu.CheckHistory(history(11, first))), "the last ten count")
	require.Empty(t, gpu.CheckHistory(history(10, func(i int, r *gpu.Reading) { r.TempCelsius.V += int32(i / 9) })))
	require.Empty(t, gpu.CheckHistory(history(10, func(_ int, r *gpu.Reading) { r.GPUUtilPercent.V = 49 })), "idle")
	require.Empty(t, gpu.CheckHistory(history(10, func(_ int, r *gpu.Reading) { r.PowerMilliwatts = gpu.None[uint32](gpu.WhyNotSupported) })))
	twice := history(10, still)
	twice[5].Taken = twice[4].Taken
	require.Empty(t, gpu.CheckHistory(twice), "one probe seen twice")
}
