package gpu_test

import (
	"context"
	"errors"
	"fmt"
	"testing/fstest"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// radeon is a small host with one Radeon, as files. A program gives os.DirFS("/").
func radeon() fstest.MapFS {
	root := fstest.MapFS{}
	for path, content := range map[string]string{
		"proc/sys/kernel/hostname": "attic", "proc/sys/kernel/osrelease": "6.8.0", "proc/sys/kernel/random/boot_id": "0f9b6c1e",
		"proc/cpuinfo":                                                 "flags\t\t: fpu sse2\n",
		"sys/bus/pci/devices/0000:03:00.0/class":                       "0x030000",
		"sys/bus/pci/devices/0000:03:00.0/vendor":                      "0x1002",
		"sys/bus/pci/devices/0000:03:00.0/device":                      "0x744c",
		"sys/bus/pci/devices/0000:03:00.0/revision":                    "0xc8",
		"sys/bus/pci/devices/0000:03:00.0/uevent":                      "DRIVER=amdgpu\n",
		"sys/bus/pci/devices/0000:03:00.0/unique_id":                   "cc4d02090dc9c3ff",
		"sys/bus/pci/devices/0000:03:00.0/mem_info_vram_total":         "25753026560",
		"sys/bus/pci/devices/0000:03:00.0/hwmon/hwmon1/power1_average": "21000000",
	} {
		root[path] = &fstest.MapFile{Data: []byte(content)}
	}
	return root
}

func clock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func ExampleNewSysfs() {
	_, err := gpu.NewSysfs(gpu.SysfsConfig{Catalog: must(gpu.NewCatalog()), Now: clock})
	fmt.Println(err)
	// Output: gpu: invalid: sysfs: FS is nil
}

func ExampleSysfs() {
	source := must(gpu.NewSysfs(gpu.SysfsConfig{FS: radeon(), Catalog: must(gpu.NewCatalog()), Now: clock}))
	inv := must(source.Probe(context.Background()))
	d := inv.Devices[0]
	fmt.Println(inv.Host, inv.Driver, d.ID, d.Model, d.MemoryMiB)
	fmt.Println(d.Reading.PowerMilliwatts, d.Reading.FanPercent)
	fmt.Println(gpu.Check(inv, must(gpu.NewCatalog())))
	// Output:
	// attic amdgpu 6.8.0 AMD-cc4d02090dc9c3ff AMD Radeon RX 7900 XTX 24560
	// 21000 (not supported)
	// []
}

func ExampleSysfs_Probe() {
	source := must(gpu.NewSysfs(gpu.SysfsConfig{FS: fstest.MapFS{}, Catalog: must(gpu.NewCatalog()), Now: clock}))
	_, err := source.Probe(context.Background())
	fmt.Println(err)
	// Output: gpu: not supported on this platform or by this build: PCI tree: not supported
}

func ExampleSysfs_Watch() {
	source := must(gpu.NewSysfs(gpu.SysfsConfig{FS: radeon(), Catalog: must(gpu.NewCatalog()), Now: clock}))
	fmt.Println(errors.Is(source.Watch(context.Background(), nil), gpu.ErrUnsupported))
	// Output: true
}

func ExampleSysfs_Close() {
	source := must(gpu.NewSysfs(gpu.SysfsConfig{FS: radeon(), Catalog: must(gpu.NewCatalog()), Now: clock}))
	fmt.Println(source.Close(), source.Close())
	_, err := source.Probe(context.Background())
	fmt.Println(err)
	// Output:
	// <nil> <nil>
	// gpu: source is closed
}

// Another source read the devices; the kernel adds what it saw.
func ExampleViews() {
	inv := box()
	gpu.Views(context.Background(), radeon(), &inv)
	fmt.Println(inv.Hypervisor, len(inv.PCIView.V), inv.ProcView.Why)
	for _, finding := range gpu.Check(inv, must(gpu.NewCatalog())) {
		fmt.Println(finding)
	}
	// Output:
	// none 1 not supported
	// device 0: sysfs-missing (contradiction): the PCI tree has nothing in slot "00000000:42:00.0"
}
