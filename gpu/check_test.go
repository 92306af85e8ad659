package gpu_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// rules lists what fired: "device rule severity".
func rules(fs []gpu.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, fmt.Sprintf("%d %s %v", f.Device, f.Rule, f.Severity))
	}
	return out
}

func TestCheck(t *testing.T) {
	device := func(model string, id uint16, mib uint64) func(*gpu.Inventory) {
		return func(inv *gpu.Inventory) {
			d := &inv.Devices[1]
			d.Model, d.PCIDeviceID, d.MemoryMiB = model, id, mib
		}
	}
	set := func(f func(d, first *gpu.Device)) func(*gpu.Inventory) {
		return func(inv *gpu.Inventory) { f(&inv.Devices[1], &inv.Devices[0]) }
	}
	for name, c := range map[string]struct {
		change func(*gpu.Inventory)
		want   []string
	}{
		"honest":                      {func(*gpu.Inventory) {}, nil},
		"no serial numbers":           {set(func(d, f *gpu.Device) { d.Serial, f.Serial = "", "" }), nil},
		"unknown model":               {device("NVIDIA Graphics Device", 0x2fff, 81559), []string{"1 name-unknown info"}},
		"unknown model, known id":     {device("NVIDIA Graphics Device", 0x2330, 81559), []string{"1 name-unknown info", "1 id-of-other-model suspicious"}},
		"name of another":             {device("NVIDIA H200", 0x2330, 143771), []string{"1 name-vs-device-id contradiction"}},
		"other vendor":                {set(func(d, _ *gpu.Device) { d.Vendor = 0x1002 }), []string{"1 name-vs-device-id contradiction"}},
		"one of several ids":          {device("NVIDIA GeForce RTX 4070", 0x2709, 12282), nil},
		"second of several ids":       {device("NVIDIA GeForce RTX 4070", 0x2786, 12282), nil},
		"ids of two names":            {device("NVIDIA A2", 0x25b6, 15356), nil},
		"memory one below":            {device("NVIDIA H100 80GB HBM3", 0x2330, 81558), []string{"1 memory-total contradiction"}},
		"memory one above":            {device("NVIDIA H100 80GB HBM3", 0x2330, 81560), []string{"1 memory-total contradiction"}},
		"memory off the box":          {device("NVIDIA H100 80GB HBM3", 0x2330, 81920), []string{"1 memory-total contradiction"}},
		"ECC on":                      {device("NVIDIA RTX A6000", 0x2230, 46068), nil},
		"ECC off":                     {device("NVIDIA RTX A6000", 0x2230, 49140), nil},
		"box number that is right":    {device("NVIDIA A100 80GB PCIe", 0x20b5, 81920), nil},
		"modified board":              {device("NVIDIA GeForce RTX 4080 SUPER", 0x2702, 32760), []string{"1 memory-modified suspicious"}},
		"modified by too little":      {device("NVIDIA GeForce RTX 4080 SUPER", 0x2702, 32759), []string{"1 memory-total contradiction"}},
		"unverified list":             {device("NVIDIA GeForce RTX 3080", 0x2206, 10000), []string{"1 memory-published suspicious"}},
		"unverified list, on it":      {device("NVIDIA GeForce RTX 3080", 0x2206, 10240), nil},
		"same UUID":                   {set(func(d, f *gpu.Device) { d.ID = f.ID }), []string{"1 duplicate-uuid contradiction"}},
		"same slot, other spelling":   {set(func(d, _ *gpu.Device) { d.BusID = "0000:18:00.0" }), []string{"1 duplicate-bus contradiction"}},
		"same bus, other function":    {set(func(d, _ *gpu.Device) { d.BusID = "0000:18:00.1" }), nil},
		"same serial":                 {set(func(d, f *gpu.Device) { d.Serial = f.Serial }), []string{"1 duplicate-serial contradiction"}},
		"no prefix":                   {set(func(d, _ *gpu.Device) { d.ID = d.ID[4:] }), []string{"1 uuid-form contradiction"}},
		"MIG":                         {set(func(d, _ *gpu.Device) { d.ID = "MIG" + d.ID[3:] }), nil},
		"other prefix":                {set(func(d, _ *gpu.Device) { d.ID = "GPX" + d.ID[3:] }), []string{"1 uuid-form contradiction"}},
		"upper case":                  {set(func(d, _ *gpu.Device) { d.ID = "GPU-A0000000-0000-4000-8000-000000000000" }), []string{"1 uuid-form contradiction"}},
		"a digit short":               {set(func(d, _ *gpu.Device) { d.ID = d.ID[:39] }), []string{"1 uuid-form contradiction"}},
		"a digit long":                {set(func(d, _ *gpu.Device) { d.ID += "0" }), []string{"1 uuid-form contradiction"}},
		"dash moved":                  {set(func(d, _ *gpu.Device) { d.ID = "GPU-0000000-10000-4000-8000-000000000001" }), []string{"1 uuid-form contradiction"}},
		"no hex digit":                {set(func(d, _ *gpu.Device) { d.ID = "GPU-0000000g-0000-4000-8000-000000000001" }), []string{"1 uuid-form contradiction"}},
		"all zero":                    {set(func(d, _ *gpu.Device) { d.ID = "GPU-00000000-0000-0000-0000-000000000000" }), []string{"1 uuid-form contradiction"}},
		"other vendors' own id forms": {set(func(d, _ *gpu.Device) { d.ID, d.Vendor, d.Model = "3b9ac9ff", 0x1002, "AMD Tomorrow" }), []string{"1 name-unknown info"}},
		"everything at once": {set(func(d, f *gpu.Device) { *d = *f; d.Model, d.MemoryMiB = "NVIDIA H200", 144384 }), []string{
			"1 name-vs-device-id contradiction", "1 memory-total contradiction", "1 duplicate-uuid contradiction",
			"1 duplicate-bus contradiction", "1 duplicate-serial contradiction",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inv := h100s(1, 2)
			c.change(&inv)
			require.NoError(t, inv.Validate())
			require.Equal(t, c.want, rules(gpu.Check(inv, catalog(t))))
		})
	}
}

// A board of an A16 holds four GPUs and has one serial number.
func TestCheckSharedBoard(t *testing.T) {
	inv := h100s(1, 5)
	for i := range inv.Devices {
		d := &inv.Devices[i]
		d.Model, d.PCIDeviceID, d.MemoryMiB, d.Serial = "NVIDIA A16", 0x25b6, 15356, "1320922000000"
	}
	require.Equal(t, []string{"4 duplicate-serial contradiction"}, rules(gpu.Check(inv, catalog(t))))
	inv.Devices = inv.Devices[:4]
	require.Empty(t, gpu.Check(inv, catalog(t)))
}

// What public spoofing kits report by default: exact GiB, one serial number for all, ids of another model.
func TestCheckForgeries(t *testing.T) {
	for name, d := range map[string]gpu.Device{
		"H100 from the box":       {Model: "NVIDIA H100 80GB HBM3", PCIDeviceID: 0x2330, MemoryMiB: 81920},
		"H200 from the box":       {Model: "NVIDIA H200", PCIDeviceID: 0x2335, MemoryMiB: 144384},
		"B200 from the box":       {Model: "NVIDIA B200", PCIDeviceID: 0x2901, MemoryMiB: 184320},
		"GB200 with an H100's id": {Model: "NVIDIA GB200", PCIDeviceID: 0x2330, MemoryMiB: 196608},
		"L40S with an L40's id":   {Model: "NVIDIA L40S", PCIDeviceID: 0x26b5, MemoryMiB: 46068},
		"RTX 4090 as H100":        {Model: "NVIDIA H100 80GB HBM3", PCIDeviceID: 0x2684, MemoryMiB: 24564},
	} {
		inv := h100s(1, 1)
		d.ID, d.Vendor, d.BusID = uuid(1), gpu.NVIDIA, "00000000:18:00.0"
		inv.Devices[0] = d
		require.Contains(t, fmt.Sprint(gpu.Check(inv, catalog(t))), "contradiction", name)
	}
}

// Every row of the catalogue as an honest host would report it gives no finding at all.
func TestCheckHonestCatalog(t *testing.T) {
	c := catalog(t)
	for s := range c.All() {
		for _, id := range s.DeviceIDs {
			for _, mib := range s.MemoryMiB {
				inv := h100s(1, 1)
				d := &inv.Devices[0]
				d.Model, d.Vendor, d.PCIDeviceID, d.MemoryMiB = s.Name, s.Vendor, id, mib
				inv.Driver = fmt.Sprintf("%d.10", max(s.DriverBranch, 300))
				require.Empty(t, gpu.Check(inv, c), s.Name)
			}
		}
	}
}

func TestAssess(t *testing.T) {
	require.Equal(t, gpu.Consistent, gpu.Assess(nil))
	require.Equal(t, gpu.Consistent, gpu.Assess([]gpu.Finding{{Rule: "memory-modified", Severity: gpu.Suspicious}}))
	require.Equal(t, gpu.Claimed, gpu.Assess([]gpu.Finding{{Rule: "name-unknown"}}))
	require.Equal(t, gpu.Claimed, gpu.Assess([]gpu.Finding{{Rule: "uuid-form", Severity: gpu.Contradiction}}))
}

func TestWords(t *testing.T) {
	require.Equal(t, "info suspicious contradiction unknown(3)",
		fmt.Sprint(gpu.Info, " ", gpu.Suspicious, " ", gpu.Contradiction, " ", gpu.Severity(3)))
	require.Equal(t, "claimed consistent proven attested unknown(4)",
		fmt.Sprint(gpu.Claimed, " ", gpu.Consistent, " ", gpu.Proven, " ", gpu.Attested, " ", gpu.Assurance(4)))
	require.Equal(t, "inventory heartbeat answer unknown(0)",
		fmt.Sprint(gpu.InventoryReport, " ", gpu.HeartbeatReport, " ", gpu.AnswerReport, " ", gpu.Kind(0)))
	require.Equal(t, "NVIDIA AMD Intel 1ae0", fmt.Sprint(gpu.NVIDIA, " ", gpu.AMD, " ", gpu.Intel, " ", gpu.Vendor(0x1ae0)))
}

func TestValidate(t *testing.T) {
	require.NoError(t, h100s(1, 1).Validate())
	require.NoError(t, h100s(1, gpu.MaxDevices).Validate())
	for want, change := range map[string]func(*gpu.Inventory){
		"0 devices are not in 1..16":      func(i *gpu.Inventory) { i.Devices = nil },
		"17 devices":                      func(i *gpu.Inventory) { *i = h100s(1, 17) },
		"taken":                           func(i *gpu.Inventory) { i.Taken = i.Taken.AddDate(-30, 0, 0) },
		"host is empty":                   func(i *gpu.Inventory) { i.Host = "" },
		"boot_id is empty":                func(i *gpu.Inventory) { i.BootID = "" },
		`driver "5\n" begins or ends`:     func(i *gpu.Inventory) { i.Driver = "5\n" },
		"device 0: gpu: invalid: id is":   func(i *gpu.Inventory) { i.Devices[0].ID = "" },
		"id has 129 bytes, at most 128":   func(i *gpu.Inventory) { i.Devices[0].ID = gpu.DeviceID(strings.Repeat("x", 129)) },
		"model is empty":                  func(i *gpu.Inventory) { i.Devices[0].Model = "" },
		`model "é" is not printable`:      func(i *gpu.Inventory) { i.Devices[0].Model = "é" },
		`serial " 1" begins or ends with`: func(i *gpu.Inventory) { i.Devices[0].Serial = " 1" },
		`vbios "a\x7fb" is not printable`: func(i *gpu.Inventory) { i.Devices[0].VBIOS = "a\x7fb" },
		"bus_id is empty":                 func(i *gpu.Inventory) { i.Devices[0].BusID = "" },
		`bus_id "0000:18:20.0" is not`:    func(i *gpu.Inventory) { i.Devices[0].BusID = "0000:18:20.0" },
		`bus_id "0000:18:00.8" is not`:    func(i *gpu.Inventory) { i.Devices[0].BusID = "0000:18:00.8" },
		`bus_id "0000:+1:00.0" is not`:    func(i *gpu.Inventory) { i.Devices[0].BusID = "0000:+1:00.0" },
		`bus_id "000:18:00.0" is not`:     func(i *gpu.Inventory) { i.Devices[0].BusID = "000:18:00.0" },
		`bus_id "000010000:18:00.0" is`:   func(i *gpu.Inventory) { i.Devices[0].BusID = "000010000:18:00.0" },
		`bus_id "0000:18:00" is not`:      func(i *gpu.Inventory) { i.Devices[0].BusID = "0000:18:00" },
		"pci_vendor_id is 0":              func(i *gpu.Inventory) { i.Devices[0].Vendor = 0 },
		"pci_device_id is 0":              func(i *gpu.Inventory) { i.Devices[0].PCIDeviceID = 0 },
		"memory_mib 0 is not in 1..":      func(i *gpu.Inventory) { i.Devices[0].MemoryMiB = 0 },
		"memory_mib 16777217 is not in":   func(i *gpu.Inventory) { i.Devices[0].MemoryMiB = 1<<24 + 1 },
	} {
		inv := h100s(1, 1)
		change(&inv)
		err := inv.Validate()
		require.ErrorIs(t, err, gpu.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
}

func TestDigest(t *testing.T) {
	want := h100s(1, 3).Digest()
	same := h100s(1, 3)
	same.Taken, same.Host, same.BootID, same.Driver = noon.AddDate(1, 0, 0), "x", "y", "z"
	same.Devices[0], same.Devices[2] = same.Devices[2], same.Devices[0]
	same.Devices[1].BusID = strings.ToLower(strings.TrimPrefix(same.Devices[1].BusID, "0000"))
	require.Equal(t, want, same.Digest(), "time, host, boot, driver, order and spelling of the slot do not count")
	for name, change := range map[string]func(*gpu.Device){
		"id":     func(d *gpu.Device) { d.ID = uuid(99) },
		"model":  func(d *gpu.Device) { d.Model = "NVIDIA H200" },
		"vendor": func(d *gpu.Device) { d.Vendor++ },
		"device": func(d *gpu.Device) { d.PCIDeviceID++ },
		"slot":   func(d *gpu.Device) { d.BusID = "00000001:18:00.0" },
		"serial": func(d *gpu.Device) { d.Serial += "0" },
		"vbios":  func(d *gpu.Device) { d.VBIOS += "0" },
		"memory": func(d *gpu.Device) { d.MemoryMiB++ },
	} {
		inv := h100s(1, 3)
		change(&inv.Devices[1])
		require.NotEqual(t, want, inv.Digest(), name)
	}
}
