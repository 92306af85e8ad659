package gpu_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/golden"
)

// stored reads the inventories of a directory of testdata, by file name.
func stored(t testing.TB, kind string) map[string]gpu.Inventory {
	t.Helper()
	paths, err := filepath.Glob("testdata/inventories/" + kind + "/*.json")
	require.NoError(t, err)
	out := map[string]gpu.Inventory{}
	for _, p := range paths {
		var file struct {
			Source    string          `json:"source"`
			Inventory json.RawMessage `json:"inventory"`
		}
		b, err := os.ReadFile(p)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &file))
		require.NotEmpty(t, file.Source, p)
		inv, err := gpu.ParseInventory(file.Inventory)
		require.NoError(t, err, p)
		out[strings.TrimSuffix(filepath.Base(p), ".json")] = inv
	}
	return out
}

// Twelve public hosts, from Pascal to Blackwell: nothing above information.
func TestCheckRealInventories(t *testing.T) {
	c := catalog(t)
	hosts := stored(t, "real")
	require.GreaterOrEqual(t, len(hosts), 12)
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		for _, f := range gpu.Check(hosts[name], c) {
			require.Equal(t, gpu.Info, f.Severity, "%s: %v", name, f)
		}
		require.Equal(t, gpu.Consistent, gpu.Assess(gpu.Check(hosts[name], c)), name)
	}
}

// The findings about two public spoofing kits, all of them. The A100 of mocknvml is self-consistent: only views show it.
func TestCheckForgedInventories(t *testing.T) {
	c := catalog(t)
	forged := stored(t, "forged")
	require.Len(t, forged, 4+7)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(forged)) {
		inv := forged[name]
		findings := gpu.Check(inv, c)
		above := slices.ContainsFunc(findings, func(f gpu.Finding) bool { return f.Severity > gpu.Info })
		require.Equal(t, name != "mocknvml-a100", above, "%s: %v", name, findings)
		fmt.Fprintf(&b, "%s\n", name)
		for _, f := range findings {
			fmt.Fprintf(&b, "  %v\n", f)
		}
		// On the host that forges them there is no such PCI function and no kernel module.
		inv.PCIView, inv.ProcView = gpu.Some([]gpu.PCIFunction{}), gpu.Some([]gpu.ProcGPU{})
		seen := rules(gpu.Check(inv, c))
		require.Contains(t, seen, "0 sysfs-missing contradiction", name)
		require.Contains(t, seen, "1 proc-mismatch contradiction", name)
	}
	golden.Check(t, "testdata/forged.golden", b.String())
}

// witnessed adds the views that an honest host has beside a driver.
func witnessed(inv gpu.Inventory) gpu.Inventory {
	var pci []gpu.PCIFunction
	var proc []gpu.ProcGPU
	var cuda []gpu.CUDADevice
	for _, d := range inv.Devices {
		id := gpu.PCIPair{Vendor: uint16(d.Vendor), Device: d.PCIDeviceID}
		pci = append(pci, gpu.PCIFunction{BusID: d.BusID, ID: id, Class: 0x030200, Driver: "nvidia"})
		proc = append(proc, gpu.ProcGPU{BusID: d.BusID, Model: d.Model, ID: gpu.Some(string(d.ID)), VBIOS: gpu.Some(d.VBIOS)})
		cuda = append(cuda, gpu.CUDADevice{ID: d.ID, Name: d.Model, MemoryBytes: d.MemoryMiB << 20 / 100 * 99, BusID: d.BusID})
	}
	inv.PCIView, inv.ProcView, inv.CUDAView = gpu.Some(pci), gpu.Some(proc), gpu.Some(cuda)
	return inv
}

// mutations change one field of the first device each, as somebody would who forges that field and no other witness.
func mutations() map[string]func(inv *gpu.Inventory, d *gpu.Device) {
	reading := func(change func(r *gpu.Reading)) func(*gpu.Inventory, *gpu.Device) {
		return func(_ *gpu.Inventory, d *gpu.Device) {
			r := *d.Reading
			change(&r)
			d.Reading = &r
		}
	}
	return map[string]func(*gpu.Inventory, *gpu.Device){
		"id: another UUID":   func(_ *gpu.Inventory, d *gpu.Device) { d.ID = uuid(77) },
		"id: upper case":     func(_ *gpu.Inventory, d *gpu.Device) { d.ID = gpu.DeviceID(strings.ToUpper(string(d.ID)) + "F") },
		"model: H200":        func(_ *gpu.Inventory, d *gpu.Device) { d.Model = "NVIDIA H200" },
		"model: unknown":     func(_ *gpu.Inventory, d *gpu.Device) { d.Model += " Super" },
		"vendor":             func(_ *gpu.Inventory, d *gpu.Device) { d.Vendor = gpu.AMD },
		"pci id: another":    func(_ *gpu.Inventory, d *gpu.Device) { d.PCIDeviceID ^= 0x4000 },
		"slot":               func(_ *gpu.Inventory, d *gpu.Device) { d.BusID = "0000:ee:00.0" },
		"vbios":              func(_ *gpu.Inventory, d *gpu.Device) { d.VBIOS = "1.2.3" },
		"memory: one more":   func(_ *gpu.Inventory, d *gpu.Device) { d.MemoryMiB++ },
		"memory: doubled":    func(_ *gpu.Inventory, d *gpu.Device) { d.MemoryMiB *= 2 },
		"driver: Windows":    func(inv *gpu.Inventory, _ *gpu.Device) { inv.Driver = "591.86" },
		"driver: 340":        func(inv *gpu.Inventory, _ *gpu.Device) { inv.Driver = "340.108" },
		"nvml: of another":   func(inv *gpu.Inventory, _ *gpu.Device) { inv.NVML = gpu.Some("12.550.54.14") },
		"cuda: 15.0":         func(inv *gpu.Inventory, _ *gpu.Device) { inv.CUDADriver = gpu.Some("15.0") },
		"capability":         reading(func(r *gpu.Reading) { r.ComputeCapability = gpu.Some("5.0") }),
		"multiprocessors":    reading(func(r *gpu.Reading) { r.SMs = gpu.Some[uint32](1000) }),
		"cores":              reading(func(r *gpu.Reading) { r.Cores = gpu.Some[uint32](64_001) }),
		"bus width":          reading(func(r *gpu.Reading) { r.BusWidthBits = gpu.Some[uint32](64) }),
		"memory parts":       reading(func(r *gpu.Reading) { r.Memory.V.Free += 2 << 30 }),
		"memory parts: wrap": reading(func(r *gpu.Reading) { r.Memory.V.Free = 1<<64 - 1 }),
		"clock":              reading(func(r *gpu.Reading) { r.MaxSMClockMHz.V *= 2 }),
		"power limit":        reading(func(r *gpu.Reading) { r.PowerMaxLimitMilliwatts.V *= 2 }),
		"pcie generation":    reading(func(r *gpu.Reading) { r.PCIeMaxGen.V = 7 }),
		"pcie width":         reading(func(r *gpu.Reading) { r.PCIeWidth.V = 32 }),
		"pcie over its own":  reading(func(r *gpu.Reading) { r.PCIeGen.V, r.PCIeMaxGen.V = 3, 2 }),
		"nvlinks":            reading(func(r *gpu.Reading) { r.NVLinks = gpu.Some(make([]gpu.NVLink, 19)) }),
		"mig without mode": reading(func(r *gpu.Reading) {
			r.MIG = gpu.Some(gpu.MIG{Instances: []gpu.MIGInstance{{ID: "MIG-1", Profile: "1g.10gb"}}})
		}),
		"second device: copy": func(inv *gpu.Inventory, d *gpu.Device) { inv.Devices = append(inv.Devices, *d) },
	}
}

// Each field of each real inventory, changed alone: the rules that fire, in the golden file. Nothing passes.
func TestCheckMutations(t *testing.T) {
	c := catalog(t)
	var b strings.Builder
	hosts := stored(t, "real")
	for _, change := range slices.Sorted(maps.Keys(mutations())) {
		fmt.Fprintf(&b, "%s\n", change)
		for _, name := range slices.Sorted(maps.Keys(hosts)) {
			inv := witnessed(hosts[name])
			inv.Devices = slices.Clone(inv.Devices)
			before := gpu.Check(inv, c)
			for _, f := range before {
				require.Equal(t, gpu.Info, f.Severity, "%s: %v", name, f)
			}
			mutations()[change](&inv, &inv.Devices[0])
			var fired []string
			worst := gpu.Info
			for _, f := range gpu.Check(inv, c) {
				if !slices.Contains(before, f) && !slices.Contains(fired, f.Rule) {
					fired = append(fired, f.Rule)
					worst = max(worst, f.Severity)
				}
			}
			fmt.Fprintf(&b, "  %s: %s\n", name, strings.Join(fired, " "))
			if change == "pcie over its own" && inv.Devices[0].Reading.Virtualization.V == "passthrough" {
				require.Empty(t, fired, "%s: a virtual bridge names any maximum", name)
				continue
			}
			if spec, _ := c.Lookup(inv.Devices[0].Model); change == "bus width" && len(spec.BusWidthBits) == 0 ||
				change == "multiprocessors" && len(spec.SMs) == 0 {
				require.Empty(t, fired, "nothing to compare with")
				continue
			}
			require.Greater(t, worst, gpu.Info, "%s of %s passes", change, name)
		}
	}
	golden.Check(t, "testdata/mutations.golden", b.String())
}
