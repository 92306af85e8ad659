package gpu_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// one is a host with one device.
func one(driver, model string, id uint16, mib uint64) gpu.Inventory {
	inv := h100s(1, 1)
	inv.Driver, inv.Platform = driver, "linux/amd64"
	d := &inv.Devices[0]
	d.Model, d.PCIDeviceID, d.MemoryMiB = model, id, mib
	return inv
}

// Totals that drivers before branch 510 print, from nvidia-smi outputs in public repositories: the driver leaves out what it
// keeps, a few MiB more or less from board to board.
func TestCheckOlderDriverTotals(t *testing.T) {
	reserved := []string{"0 memory-reserved info"}
	for name, c := range map[string]struct {
		inv  gpu.Inventory
		want []string
	}{
		"V100":                 {one("418.67", "Tesla V100-SXM2-16GB", 0x1db1, 16130), reserved},
		"V100 PCIe":            {one("410.79", "Tesla V100-PCIE-16GB", 0x1db4, 16130), reserved},
		"2080 Ti":              {one("440.33.01", "GeForce RTX 2080 Ti", 0x1e04, 10989), reserved},
		"2080 Ti, next to it":  {one("440.33.01", "GeForce RTX 2080 Ti", 0x1e07, 10986), reserved},
		"2080":                 {one("430.26", "GeForce RTX 2080", 0x1e82, 7979), reserved},
		"TITAN RTX":            {one("460.32.03", "TITAN RTX", 0x1e02, 24220), reserved},
		"3090":                 {one("470.57.02", "NVIDIA GeForce RTX 3090", 0x2204, 24260), reserved},
		"A6000, ECC on":        {one("470.57.02", "NVIDIA RTX A6000", 0x2230, 45634), reserved},
		"A6000, ECC off":       {one("470.57.02", "NVIDIA RTX A6000", 0x2230, 48685), reserved},
		"A10, ECC off":         {one("470.82.01", "NVIDIA A10", 0x2236, 24258), reserved},
		"T4, ECC off":          {one("450.51.06", "Tesla T4", 0x1eb8, 16127), reserved},
		"P40, ECC on":          {one("418.67", "Tesla P40", 0x1b38, 22919), reserved},
		"P40, ECC on, today":   {one("550.54.15", "Tesla P40", 0x1b38, 23040), []string{"0 memory-ecc info"}},
		"A30":                  {one("460.73.01", "A30", 0x20b7, 24258), nil},
		"A100 PCIe":            {one("470.57.02", "NVIDIA A100-PCIE-40GB", 0x20f1, 40536), nil},
		"newer than the table": {one("620.11", "NVIDIA H100 80GB HBM3", 0x2330, 81000), reserved},

		"whole since 510":        {one("510.47.03", "NVIDIA A100-SXM4-80GB", 0x20b2, 81250), []string{"0 memory-total contradiction"}},
		"branch before":          {one("509.47.03", "NVIDIA A100-SXM4-80GB", 0x20b2, 81250), reserved},
		"5 %":                    {one("620.11", "NVIDIA H100 80GB HBM3", 0x2330, 77482), reserved},
		"more than 5 %":          {one("620.11", "NVIDIA H100 80GB HBM3", 0x2330, 77481), []string{"0 memory-total contradiction"}},
		"80 decimal GB":          {one("470.57.02", "NVIDIA A100-SXM4-80GB", 0x20b2, 76293), []string{"0 memory-total contradiction"}},
		"above the whole":        {one("470.57.02", "NVIDIA A100-SXM4-80GB", 0x20b2, 81921), []string{"0 memory-total contradiction"}},
		"newer, off the box":     {one("620.11", "NVIDIA H100 80GB HBM3", 0x2330, 81920), []string{"0 memory-total contradiction"}},
		"HBM has no 15 of 16":    {one("470.57.02", "NVIDIA A100-SXM4-80GB", 0x20b2, 76800), []string{"0 memory-total contradiction"}},
		"half a card is no card": {one("470.57.02", "NVIDIA RTX A6000", 0x2230, 24564), []string{"0 memory-total contradiction"}},
	} {
		require.NoError(t, c.inv.Validate(), name)
		require.Equal(t, c.want, rules(gpu.Check(c.inv, catalog(t))), name)
	}
}

// read gives the only device of a host a reading.
func read(inv gpu.Inventory, change func(*gpu.Reading)) gpu.Inventory {
	r := &gpu.Reading{}
	change(r)
	inv.Devices[0].Reading = r
	return inv
}

// with changes a host.
func with(inv gpu.Inventory, change func(*gpu.Inventory)) gpu.Inventory {
	change(&inv)
	return inv
}

const hopper = "NVIDIA H100 80GB HBM3"

// server is a host with an H100.
func server() gpu.Inventory { return one("550.54.15", hopper, 0x2330, 81559) }

// inCUDA is what the CUDA driver says of an H100, or of an instance of one.
func inCUDA(inv gpu.Inventory, id gpu.DeviceID, name string, mib uint64) gpu.Inventory {
	inv.CUDAView = gpu.Some([]gpu.CUDADevice{{ID: id, Name: name, MemoryBytes: mib << 20}})
	if name == hopper+" MIG 1g.10gb" {
		inv.CUDAView.V[0].SMs = gpu.Some[uint32](16)
	}
	return inv
}

const (
	instance  = hopper + " MIG 1g.10gb"
	instanceU = "2c8d0f5e-0000-5f00-8000-000000000001"
)

// divided is an H100 with an instance, or with the mode on alone.
func divided(parts int) gpu.Inventory {
	return read(server(), func(r *gpu.Reading) {
		all := []gpu.MIGInstance{{ID: "MIG-" + instanceU, Profile: "1g.10gb", MemoryMiB: 9984, SMs: 16}}
		r.MIG = gpu.Some(gpu.MIG{Enabled: true, Pending: true, MaxInstances: 7, Instances: all[:parts]})
	})
}

func missing(inv gpu.Inventory, m gpu.Missing) gpu.Inventory {
	inv.Missing = []gpu.Missing{m}
	return inv
}

func clocked(model string, id uint16, mib uint64, mhz uint32) gpu.Inventory {
	return read(one("550.54.15", model, id, mib), func(r *gpu.Reading) { r.MaxSMClockMHz = gpu.Some(mhz) })
}

// Honest hosts of kinds that a rule of thumb would refuse: nothing above information.
func TestCheckHonestFleet(t *testing.T) {
	guest := func(r *gpu.Reading) { r.Virtualization, r.ComputeCapability = gpu.Some("vgpu"), gpu.Some("8.9") }
	blackwell := one("580.65.06", "NVIDIA RTX PRO 6000 Blackwell Server Edition", 0x2bb5, 97887)
	unknown, vgpu := []string{"0 name-unknown info"}, []string{"0 name-unknown info", "0 virtualised info"}
	for name, c := range map[string]struct {
		inv  gpu.Inventory
		want []string
	}{
		"vGPU of whole GiB":    {read(one("550.54.15", "NVIDIA L40S-48Q", 0x26b9, 49152), guest), vgpu},
		"small vGPU in CUDA":   {inCUDA(read(one("550.54.15", "NVIDIA L40S-1Q", 0x26b9, 1024), guest), uuid(1), "NVIDIA L40S-1Q", 800), vgpu},
		"Max-Q":                {one("550.54.15", "NVIDIA GeForce RTX 2080 with Max-Q Design", 0x1e90, 8192), unknown},
		"Max-Q, older driver":  {one("440.33.01", "GeForce RTX 2080 with Max-Q Design", 0x1e90, 7952), unknown},
		"laptop":               {one("550.54.15", "NVIDIA GeForce RTX 4090 Laptop GPU", 0x2717, 16376), unknown},
		"model of tomorrow":    {one("700.10", "NVIDIA R200", 0x3300, 294912), unknown},
		"instance in CUDA":     {inCUDA(divided(1), "GPU-"+instanceU, instance, 9900), nil},
		"instance, old call":   {inCUDA(divided(1), uuid(1), instance, 9900), nil},
		"instance, no reading": {inCUDA(server(), uuid(1), instance, 9900), nil},
		"stuck and in CUDA":    {missing(inCUDA(server(), uuid(2), hopper, 81000), gpu.Missing{ID: uuid(2), Why: gpu.WhyTimeout}), nil},
		"not read, in CUDA":    {missing(inCUDA(server(), uuid(2), hopper, 81000), gpu.Missing{BusID: "0000:19:00.0", Why: gpu.WhyTimeout}), nil},
		"MIG without engines": {read(blackwell, func(r *gpu.Reading) {
			r.MIG = gpu.Some(gpu.MIG{Enabled: true, Instances: []gpu.MIGInstance{
				{ID: "MIG-1", Profile: "1g.24gb-me", MemoryMiB: 24192}, {ID: "MIG-2", Profile: "2g.48gb+gfx", MemoryMiB: 48512},
			}})
		}), nil},
		"newer than the kernel module's names": {with(server(), func(i *gpu.Inventory) {
			i.ProcView = gpu.Some([]gpu.ProcGPU{{BusID: "0000:18:00.0", Model: "Unknown", ID: gpu.Some(string(uuid(1)))}})
		}), nil},
		"domain of five digits": {with(server(), func(i *gpu.Inventory) {
			i.Devices[0].BusID = "00010000:18:00.0"
			id := gpu.PCIPair{Vendor: 0x10de, Device: 0x2330}
			i.PCIView = gpu.Some([]gpu.PCIFunction{{BusID: "10000:18:00.0", ID: id, Class: 0x030200}})
		}), nil},
		"guest behind a virtual bridge": {with(read(server(), func(r *gpu.Reading) {
			r.PCIeGen, r.PCIeMaxGen, r.PCIeWidth, r.PCIeMaxWidth = gpu.Some[uint32](5), gpu.Some[uint32](1), gpu.Some[uint32](16), gpu.Some[uint32](1)
		}), func(i *gpu.Inventory) { i.Hypervisor = gpu.Some("kvm") }), []string{"-1 virtualised info"}},
		"library with CUDA's major": {with(server(), func(i *gpu.Inventory) { i.NVML = gpu.Some("12.550.54.15") }), nil},
		// The highest clocks that drivers give, from nvidia-smi -q in public repositories: far above the boost of the data sheet.
		"clock of an RTX 4090":  {clocked("NVIDIA GeForce RTX 4090", 0x2684, 24564, 3105), nil},
		"clock of an RTX A4000": {clocked("NVIDIA RTX A4000", 0x24b0, 16376, 2100), nil},
		"clock of an RTX 3090":  {clocked("NVIDIA GeForce RTX 3090", 0x2204, 24576, 2115), nil},
	} {
		require.NoError(t, c.inv.Validate(), name)
		require.Equal(t, c.want, rules(gpu.Check(c.inv, catalog(t))), name)
	}
}

// The lies next to the honest hosts above.
func TestCheckFleetLies(t *testing.T) {
	off := read(server(), func(r *gpu.Reading) { r.MIG = gpu.Some(gpu.MIG{}) })
	small := read(one("550.54.15", "NVIDIA GeForce RTX 4090", 0x2684, 24564), func(r *gpu.Reading) {
		r.MIG, r.SMs = gpu.Some(gpu.MIG{Enabled: true}), gpu.Some[uint32](20)
	})
	nameless := read(one("550.54.15", "NVIDIA L40S-48Q", 0x26b9, 49152), func(r *gpu.Reading) { r.ComputeCapability = gpu.Some("8.9") })
	memory := []string{"0 cuda-memory contradiction"}
	for name, c := range map[string]struct {
		inv  gpu.Inventory
		want []string
	}{
		"a small chip, as if divided": {small, []string{"0 mig-inconsistent contradiction"}},
		"an instance, MIG off": {
			inCUDA(off, uuid(1), instance, 9900),
			[]string{"0 cuda-name contradiction", "0 cuda-memory contradiction", "0 sm-count contradiction"},
		},
		"an instance larger than all": {inCUDA(divided(0), uuid(1), instance, 90000), memory},
		"an instance, another size":   {inCUDA(divided(1), "GPU-"+instanceU, instance, 40000), memory},
		"90 % in CUDA":                {inCUDA(server(), uuid(1), hopper, 73404), nil},
		"less than 90 %":              {inCUDA(server(), uuid(1), hopper, 73403), memory},
		"another is missing": {
			missing(inCUDA(server(), uuid(2), hopper, 81000), gpu.Missing{ID: uuid(3), Why: gpu.WhyLost}), []string{"-1 cuda-uuid contradiction"},
		},
		"desktop as laptop": {
			one("550.54.15", "NVIDIA GeForce RTX 2080 Laptop GPU", 0x2684, 8192),
			[]string{"0 name-unknown info", "0 id-of-other-model suspicious"},
		},
		"no vGPU": {nameless, []string{"0 name-unknown info", "0 id-of-other-model suspicious", "0 memory-round suspicious"}},
		"library of another driver": {
			with(server(), func(i *gpu.Inventory) { i.NVML = gpu.Some("12.1550.54.15") }), []string{"-1 driver-branch contradiction"},
		},
		"clock 15 % above": {clocked("NVIDIA GeForce RTX 4090", 0x2684, 24564, 3571), []string{"0 clock-max suspicious"}},
	} {
		require.NoError(t, c.inv.Validate(), name)
		require.Equal(t, c.want, rules(gpu.Check(c.inv, catalog(t))), name)
	}
}

// What stands in the place of a serial number is none; a board that nobody knows may hold several GPUs.
func TestCheckSerials(t *testing.T) {
	for serial, want := range map[string][]string{
		"":              nil,
		"0":             nil,
		"0000000000000": nil,
		"N/A":           nil,
		"Unknown":       nil,
		"0000000000001": {"1 duplicate-serial contradiction", "2 duplicate-serial contradiction"},
	} {
		inv := h100s(1, 3)
		for i := range inv.Devices {
			inv.Devices[i].Serial = serial
		}
		require.Equal(t, want, rules(gpu.Check(inv, catalog(t))), serial)
	}
	inv := h100s(1, 5)
	for i := range inv.Devices {
		d := &inv.Devices[i]
		d.Model, d.PCIDeviceID, d.Serial = "NVIDIA R200", 0x3300, "1650001"
	}
	require.Contains(t, rules(gpu.Check(inv, catalog(t))), "4 duplicate-serial contradiction")
	inv.Devices = inv.Devices[:4]
	for _, f := range gpu.Check(inv, catalog(t)) {
		require.Equal(t, "name-unknown", f.Rule)
	}
}

// A Radeon RX 6800 has the id of an RX 6900 XT, and only the revision tells: a model that nobody knows, and nothing worse. The
// integrated GPU beside it is another.
func TestCheckSysfsFleet(t *testing.T) {
	tree := host()
	function(tree, "0000:03:00.0", "030000", "1002", "73bf", "c3", "amdgpu", "mem_info_vram_total=17163091968", "mem_info_vram_used=1",
		"unique_id=1f2e3d4c5b6a7988")
	function(tree, "0000:0b:00.0", "030000", "1002", "164e", "c1", "amdgpu", "mem_info_vram_total=536870912", "mem_info_vram_used=1")
	inv := probe(t, tree)
	require.Equal(t, []string{"AMD 73bf", "AMD 164e"}, []string{inv.Devices[0].Model, inv.Devices[1].Model})
	require.Equal(t, []string{"0 name-unknown info", "1 name-unknown info"}, rules(gpu.Check(inv, catalog(t))))
}
