package gpu_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// files is a tree of small files, each given as "path=content" and ending in a line feed as the kernel's do.
func files(lines ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for _, l := range lines {
		path, content, _ := strings.Cut(l, "=")
		out[path] = &fstest.MapFile{Data: []byte(content + "\n")}
	}
	return out
}

// host is the part of the tree that every host has.
func host(extra ...string) fstest.MapFS {
	return files(append([]string{
		"proc/sys/kernel/hostname=node-7", "proc/sys/kernel/osrelease=6.8.0-45-generic",
		"proc/sys/kernel/random/boot_id=6f1d8a52-6c1b-4a6c-9d55-0a3a3f0f2b11", "etc/machine-id=4d6c1e9f0a5b4c3d8e7f6a5b4c3d2e1f",
		"proc/cpuinfo=processor\t: 0\nflags\t\t: fpu vme sse2 avx2", "sys/class/dmi/id/sys_vendor=Supermicro",
	}, extra...)...)
}

// function adds one function of the PCI tree.
func function(tree fstest.MapFS, slot, class, vendor, device, revision, driver string, attributes ...string) {
	dir := "sys/bus/pci/devices/" + slot + "/"
	for path, f := range files(append([]string{
		"class=0x" + class, "vendor=0x" + vendor, "device=0x" + device, "revision=0x" + revision, "subsystem_vendor=0x" + vendor,
		"subsystem_device=0x0c34", "uevent=DRIVER=" + driver + "\nPCI_SLOT_NAME=" + slot,
	}, attributes...)...) {
		tree[dir+path] = f
	}
}

func sysfs(t testing.TB, root fs.FS) *gpu.Sysfs {
	t.Helper()
	s, err := gpu.NewSysfs(gpu.SysfsConfig{FS: root, Catalog: catalog(t), Now: func() time.Time { return noon }, Platform: "linux/amd64"})
	require.NoError(t, err)
	return s
}

func probe(t testing.TB, root fs.FS) gpu.Inventory {
	t.Helper()
	inv, err := sysfs(t, root).Probe(t.Context())
	require.NoError(t, err)
	return inv
}

func mi300x() fstest.MapFS {
	tree := host()
	for i, slot := range []string{"0000:05:00.0", "0000:26:00.0"} {
		function(tree, slot, "120000", "1002", "74a1", "00", "amdgpu",
			fmt.Sprintf("unique_id=%016x", 0x1f2e3d4c5b6a7980+i), fmt.Sprintf("serial_number=69225100112%d", i), "vbios_version=113-M3000100-102",
			"product_name=AMD Instinct MI300X OAM", "product_number=102-G30211-0C", "mem_info_vram_total=206141652992",
			"mem_info_vram_used=297611264", "gpu_busy_percent=37", "mem_busy_percent=4",
			"pp_dpm_sclk=0: 500Mhz\n1: 1214Mhz *\n2: 2100Mhz", "pp_dpm_mclk=0: 900Mhz *\n1: 1300Mhz", "pcie_replay_count=3",
			"current_link_speed=32.0 GT/s PCIe", "max_link_speed=32.0 GT/s PCIe", "current_link_width=16", "max_link_width=16",
			"current_compute_partition=SPX", "ras/umc_err_count=ue: 1\nce: 7", "ras/sdma_err_count=ue: 0\nce: 2",
			"hwmon/hwmon4/temp2_input=51000", "hwmon/hwmon4/temp2_label=junction", "hwmon/hwmon4/temp2_crit=100000",
			"hwmon/hwmon4/temp2_emergency=105000", "hwmon/hwmon4/temp3_input=43000", "hwmon/hwmon4/temp3_label=mem",
			"hwmon/hwmon4/power1_input=142000000", "hwmon/hwmon4/power1_cap=750000000", "hwmon/hwmon4/power1_cap_max=750000000")
	}
	return tree
}

func TestSysfsMI300X(t *testing.T) {
	inv := probe(t, mi300x())
	require.NoError(t, inv.Validate())
	require.Empty(t, gpu.Check(inv, catalog(t)))
}

func TestSysfsReadings(t *testing.T) {
	inv := probe(t, mi300x())
	require.Equal(t, "node-7", inv.Host)
	require.Equal(t, "6f1d8a52-6c1b-4a6c-9d55-0a3a3f0f2b11", inv.BootID)
	require.Equal(t, "amdgpu 6.8.0-45-generic", inv.Driver)
	require.Equal(t, gpu.Some("none"), inv.Hypervisor)
	require.Equal(t, noon, inv.Taken)
	require.Equal(t, gpu.None[[]gpu.ProcGPU](gpu.WhyNotSupported), inv.ProcView)
	require.Len(t, inv.PCIView.V, 2)
	require.Equal(t, gpu.PCIFunction{
		BusID: "0000:05:00.0", ID: gpu.PCIPair{Vendor: 0x1002, Device: 0x74a1}, Subsystem: gpu.PCIPair{Vendor: 0x1002, Device: 0x0c34},
		Class: 0x120000, Driver: "amdgpu",
	}, inv.PCIView.V[0])

	d := inv.Devices[0]
	require.Equal(t, gpu.DeviceID("AMD-1f2e3d4c5b6a7980"), d.ID)
	require.Equal(t, "AMD Instinct MI300X", d.Model)
	require.Equal(t, uint64(196592), d.MemoryMiB)
	require.Equal(t, "113-M3000100-102", d.VBIOS)
	r := d.Reading
	require.Equal(t, gpu.Some(gpu.MemoryUse{Total: 206141652992, Used: 297611264, Free: 205844041728}), r.Memory)
	for name, c := range map[string]struct{ got, want gpu.Opt[uint32] }{
		"gpu":       {r.GPUUtilPercent, gpu.Some[uint32](37)},
		"mem":       {r.MemUtilPercent, gpu.Some[uint32](4)},
		"sclk":      {r.SMClockMHz, gpu.Some[uint32](1214)},
		"sclk max":  {r.MaxSMClockMHz, gpu.Some[uint32](2100)},
		"mclk":      {r.MemClockMHz, gpu.Some[uint32](900)},
		"gen":       {r.PCIeGen, gpu.Some[uint32](5)},
		"width":     {r.PCIeMaxWidth, gpu.Some[uint32](16)},
		"power":     {r.PowerMilliwatts, gpu.Some[uint32](142000)},
		"cap":       {r.PowerLimitMilliwatts, gpu.Some[uint32](750000)},
		"no file":   {r.PowerDefaultLimitMilliwatts, gpu.None[uint32](gpu.WhyNotSupported)},
		"no fan":    {r.FanPercent, gpu.None[uint32](gpu.WhyNotSupported)},
		"not asked": {r.SMs, gpu.Opt[uint32]{}},
	} {
		require.Equal(t, c.want, c.got, name)
	}
	require.Equal(t, gpu.Some[int32](51), r.TempCelsius, "no sensor on the edge: the hottest spot")
	require.Equal(t, gpu.Some[int32](43), r.MemoryTempCelsius)
	require.Equal(t, gpu.Some[int32](100), r.SlowdownCelsius)
	require.Equal(t, gpu.Some[int32](105), r.ShutdownCelsius)
	require.Equal(t, gpu.Some[uint64](9), r.CorrectedVolatile)
	require.Equal(t, gpu.Some[uint64](1), r.UncorrectedVolatile)
	require.Equal(t, gpu.Some[uint64](3), r.PCIeReplays)
	require.Equal(t, gpu.Some(gpu.MIG{}), r.MIG)
	require.Equal(t, gpu.Some("gfx942"), r.ComputeCapability)
}

// One MI250X is two devices of 64 GB with one serial number; one id is three Radeons; a Radeon has no serial number.
func TestSysfsModels(t *testing.T) {
	tree := host()
	for i, slot := range []string{"0000:c1:00.0", "0000:c6:00.0"} {
		function(tree, slot, "038000", "1002", "7408", "00", "amdgpu", fmt.Sprintf("unique_id=%x", 0x71b2c3d4e5f60711+i),
			"serial_number=PCB044523-0012", "mem_info_vram_total=68702699520", "mem_info_vram_used=1")
	}
	function(tree, "0000:03:00.0", "030000", "1002", "744c", "c8", "amdgpu", "unique_id=cc4d02090dc9c3ff",
		"mem_info_vram_total=25753026560", "gpu_busy_percent=101", "current_link_speed=Unknown", "pp_dpm_sclk=nonsense",
		"hwmon/hwmon1/temp1_input=-5000", "hwmon/hwmon1/power1_average=21000000", "hwmon/hwmon1/pwm1=255")
	function(tree, "0000:04:00.0", "030000", "1002", "744c", "ff", "amdgpu", "unique_id=cc4d02090dc9c3aa", "mem_info_vram_total=25753026560")
	inv := probe(t, tree)
	require.NoError(t, inv.Validate())
	var models []string
	for _, d := range inv.Devices {
		models = append(models, d.Model)
	}
	require.Equal(t, []string{"AMD Radeon RX 7900 XTX", "AMD 744c", "AMD Instinct MI250X", "AMD Instinct MI250X"}, models)
	require.Equal(t, []string{"1 name-unknown info"}, rules(gpu.Check(inv, catalog(t))), "the id is several models, and tells nothing")
	r := inv.Devices[0].Reading
	require.Equal(t, gpu.None[uint32](gpu.WhyUnreadable), r.GPUUtilPercent)
	require.Equal(t, gpu.None[uint32](gpu.WhyUnreadable), r.PCIeGen)
	require.Equal(t, gpu.None[uint32](gpu.WhyUnreadable), r.MaxSMClockMHz)
	require.Equal(t, gpu.None[gpu.MemoryUse](gpu.WhyNotSupported), r.Memory, "never a zero for what is not there")
	require.Equal(t, gpu.Some[int32](-5), r.TempCelsius)
	require.Equal(t, gpu.Some[uint32](21000), r.PowerMilliwatts)
	require.Equal(t, gpu.Some[uint32](100), r.FanPercent)
}

func TestSysfsIntel(t *testing.T) {
	tree := host()
	function(tree, "0000:00:02.0", "030000", "8086", "4680", "0c", "i915")
	function(tree, "0000:03:00.0", "030000", "8086", "56a0", "08", "xe", "tile0/physical_vram_size_bytes=17179869184",
		"tile0/gt0/freq0/act_freq=600", "tile0/gt0/freq0/rp0_freq=2400", "hwmon/hwmon2/energy1_input=9000000500",
		"hwmon/hwmon2/power1_max=0", "hwmon/hwmon2/power1_rated_max=190000000", "hwmon/hwmon2/temp2_input=41000")
	function(tree, "0000:29:00.0", "038000", "8086", "0bd5", "2f", "xe", "tile0/physical_vram_size_bytes=68719476736",
		"tile1/physical_vram_size_bytes=68719476736")
	function(tree, "0000:2a:00.0", "120000", "8086", "7d1d", "04", "intel_vpu")
	function(tree, "0000:2b:00.0", "030000", "8086", "56a1", "08", "i915", "drm/card1/lmem_total_bytes=8589934592",
		"drm/card1/gt_act_freq_mhz=300", "drm/card1/gt_RP0_freq_mhz=2400", "drm/card1-DP-1/enabled=disabled")
	inv := probe(t, tree)
	require.NoError(t, inv.Validate())
	require.Len(t, inv.Devices, 3)
	a, m, i := inv.Devices[0], inv.Devices[1], inv.Devices[2]
	require.Equal(t, "Intel Arc A770 Graphics", a.Model)
	require.Equal(t, uint64(16384), a.MemoryMiB)
	require.Regexp(t, "^SLOT-[0-9a-f]{32}$", a.ID)
	require.NotContains(t, string(a.ID), "4d6c1e9f")
	require.NotEqual(t, a.ID, m.ID)
	require.Equal(t, gpu.Some[uint64](9000000), a.Reading.EnergyMillijoules)
	require.Equal(t, gpu.None[uint32](gpu.WhyNotSupported), a.Reading.PowerLimitMilliwatts)
	require.Equal(t, gpu.Some[uint32](190000), a.Reading.PowerDefaultLimitMilliwatts)
	require.Equal(t, gpu.Some[uint32](2400), a.Reading.MaxSMClockMHz)
	require.Equal(t, "Intel Data Center GPU Max 1550", m.Model)
	require.Equal(t, uint64(131072), m.MemoryMiB)
	require.Equal(t, "Intel Arc A750 Graphics", i.Model)
	require.Equal(t, gpu.Some[uint32](300), i.Reading.SMClockMHz)
	require.Len(t, inv.Missing, 1, "an integrated GPU has no memory of its own, an NPU is no GPU")
	require.Equal(t, "0000:00:02.0", inv.Missing[0].BusID)
	require.Equal(t, "not supported: memory total", inv.Missing[0].Why)
	require.Empty(t, gpu.Check(inv, catalog(t)))
}

// nvidiaHost is a host whose first H100 is in use and whose second is lent to a virtual machine.
func nvidiaHost() fstest.MapFS {
	tree := host("sys/module/nvidia/version=550.54.15", "proc/driver/nvidia/gpus/0000:18:00.0/information=Model: \t\t NVIDIA H100 80GB HBM3\n"+
		"IRQ:   \t\t 77\nGPU UUID: \t "+string(uuid(1))+"\nVideo BIOS: \t 96.00.74.00.01\nBus Location: \t 0000:18:00.0\nDevice Minor: \t 0")
	function(tree, "0000:18:00.0", "030200", "10de", "2330", "a1", "nvidia")
	function(tree, "0000:2a:00.0", "030200", "10de", "2330", "a1", "vfio-pci")
	function(tree, "0000:05:00.0", "068000", "10de", "22a3", "a1", "nvidia-nvswitch")
	function(tree, "0000:2a:00.4", "030200", "10de", "2330", "a1", "nvidia", "physfn/vendor=0x10de") // one of many of a vGPU host
	function(tree, "10000:e1:00.0", "030200", "10de", "2330", "a1", "vfio-pci")
	return tree
}

func TestSysfsNVIDIA(t *testing.T) {
	inv := probe(t, nvidiaHost())
	require.Empty(t, inv.Devices)
	require.Equal(t, []gpu.Missing{
		{ID: uuid(1), BusID: "0000:18:00.0", Why: "not supported: needs the vendor's management library"},
		{BusID: "0000:2a:00.0", Why: "not supported: needs the vendor's management library"},
		{BusID: "10000:e1:00.0", Why: "not supported: needs the vendor's management library"},
	}, inv.Missing)
	require.Equal(t, "550.54.15", inv.Driver)
}

// Views are added to an inventory that a driver gave, and agree with it.
func TestViews(t *testing.T) {
	inv := h100s(1, 1)
	inv.Devices[0].VBIOS = "96.00.74.00.01"
	gpu.Views(t.Context(), nvidiaHost(), &inv)
	require.Equal(t, "node-1", inv.Host, "what the source said stands")
	require.Equal(t, gpu.Some([]gpu.ProcGPU{{
		BusID: "0000:18:00.0", Model: "NVIDIA H100 80GB HBM3", ID: gpu.Some(string(uuid(1))), VBIOS: gpu.Some("96.00.74.00.01"),
	}}), inv.ProcView)
	require.Empty(t, gpu.Check(inv, catalog(t)), "the second H100 is lent")
	empty := gpu.Inventory{}
	gpu.Views(t.Context(), nvidiaHost(), &empty)
	require.Equal(t, "node-7", empty.Host)
	require.NotEmpty(t, empty.BootID)
}

func TestHypervisor(t *testing.T) {
	virtual := "proc/cpuinfo=flags\t\t: fpu sse2 hypervisor avx2"
	for name, c := range map[string]struct {
		tree fs.FS
		want gpu.Opt[string]
	}{
		"bare metal":       {host(), gpu.Some("none")},
		"metal of a cloud": {host("sys/class/dmi/id/sys_vendor=Amazon EC2"), gpu.Some("none")},
		"cloud":            {host(virtual, "sys/class/dmi/id/sys_vendor=Amazon EC2"), gpu.Some("amazon")},
		"kvm":              {host(virtual, "sys/class/dmi/id/sys_vendor=QEMU"), gpu.Some("kvm")},
		"hyper-v": {
			host(virtual, "sys/class/dmi/id/sys_vendor=Microsoft Corporation", "sys/class/dmi/id/product_name=Virtual Machine"),
			gpu.Some("hyper-v"),
		},
		"unnamed":                 {host(virtual), gpu.Some("unknown")},
		"wsl":                     {host(virtual, "proc/sys/kernel/osrelease=5.15.153.1-microsoft-standard-WSL2"), gpu.Some(gpu.WSL)},
		"arm with firmware names": {files("proc/cpuinfo=Features\t: fp asimd", "sys/class/dmi/id/sys_vendor=QEMU"), gpu.Some("kvm")},
		"arm without":             {files("proc/cpuinfo=Features\t: fp asimd"), gpu.None[string](gpu.WhyNotSupported)},
		"nothing":                 {files(), gpu.None[string](gpu.WhyNotSupported)},
	} {
		var inv gpu.Inventory
		gpu.Views(t.Context(), c.tree, &inv)
		require.Equal(t, c.want, inv.Hypervisor, name)
	}
}

func TestSysfsErrors(t *testing.T) {
	for want, c := range map[string]gpu.SysfsConfig{
		"FS is nil":      {Catalog: catalog(t), Now: time.Now},
		"Catalog is nil": {FS: files(), Now: time.Now},
		"Now is nil":     {FS: files(), Catalog: catalog(t)},
	} {
		_, err := gpu.NewSysfs(c)
		require.ErrorIs(t, err, gpu.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
	_, err := sysfs(t, files()).Probe(t.Context())
	require.ErrorIs(t, err, gpu.ErrUnsupported)
	tree := host()
	function(tree, "0000:01:00.0", "020000", "8086", "1521", "01", "igb")
	_, err = sysfs(t, tree).Probe(t.Context())
	require.ErrorIs(t, err, gpu.ErrNoDriver)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sysfs(t, tree).Probe(gone)
	require.ErrorIs(t, err, context.Canceled)
	s := sysfs(t, mi300x())
	require.ErrorIs(t, s.Watch(t.Context(), nil), gpu.ErrUnsupported)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = s.Probe(t.Context())
	require.ErrorIs(t, err, gpu.ErrClosed)
	require.ErrorIs(t, s.Watch(t.Context(), nil), gpu.ErrClosed)
}

// denied refuses to open some files, as the kernel does without rights or when a device is gone.
type denied struct {
	fs.FS
	what string
	err  error
}

func (d denied) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, d.what) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: d.err}
	}
	return d.FS.Open(name)
}

func TestSysfsReasons(t *testing.T) {
	inv := probe(t, denied{mi300x(), "power1_cap", fs.ErrPermission})
	require.Equal(t, gpu.None[uint32](gpu.WhyNoPermission), inv.Devices[0].Reading.PowerLimitMilliwatts)
	inv = probe(t, denied{mi300x(), "mem_info_vram_total", fs.ErrInvalid})
	require.Empty(t, inv.Devices)
	require.Equal(t, "unreadable: memory total", inv.Missing[0].Why)
	tree := mi300x()
	for path := range tree {
		if strings.HasSuffix(path, "unique_id") {
			delete(tree, path)
		}
	}
	require.Regexp(t, "^SLOT-", probe(t, tree).Devices[0].ID)
	delete(tree, "etc/machine-id")
	require.Equal(t, "not supported: no identity", probe(t, tree).Missing[0].Why)
}

// Whatever a file holds, a probe neither panics nor lists a device that no inventory takes.
func FuzzSysfs(f *testing.F) {
	f.Add(uint16(0), "x")
	f.Add(uint16(7), "206141652992")
	f.Add(uint16(9), "18446744073709551615")
	f.Add(uint16(12), "ue: 18446744073709551615\nce: 18446744073709551615")
	f.Add(uint16(20), "\x00\xff é \n\n: *Mhz")
	f.Fuzz(func(t *testing.T, n uint16, content string) {
		tree := mi300x()
		for path, file := range nvidiaHost() {
			tree[path] = file
		}
		function(tree, "0000:03:00.0", "030000", "8086", "56a0", "08", "xe", "tile0/physical_vram_size_bytes=17179869184")
		var paths []string
		_ = fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, _ error) error {
			if !d.IsDir() {
				paths = append(paths, path)
			}
			return nil
		})
		tree[paths[int(n)%len(paths)]] = &fstest.MapFile{Data: []byte(content)}
		inv, err := sysfs(t, tree).Probe(t.Context())
		require.NoError(t, err)
		gpu.Check(inv, catalog(t))
		if inv.Host != "" && inv.BootID != "" && len(inv.Devices) > 0 {
			require.NoError(t, inv.Validate())
		}
	})
}
