package gpu_test

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

func ExampleRules() {
	for _, rule := range gpu.Rules() {
		if rule.Severity == gpu.Info {
			fmt.Println(rule.Name+":", rule.Text)
		}
	}
	// Output:
	// name-unknown: no model of that name is in the catalogue
	// memory-ecc: the total is 15/16 or 16/15 of a listed one, as GDDR boards report when ECC is turned on or off
	// memory-reserved: up to 5 % below a listed total, as drivers before branch 510 report, or newer than the table may
	// virtualised: a hypervisor, a vGPU or passthrough
}

func ExampleCatalog_Identify() {
	for _, spec := range must(gpu.NewCatalog()).Identify(gpu.AMD, 0x744c, 0xc8) {
		fmt.Println(spec.Name, spec.MemoryMiB)
	}
	// Output: AMD Radeon RX 7900 XTX [24560]
}

// The dense int8 rate of an A100: multiprocessors x boost clock x operations a clock.
func ExampleInt8PerSMClock() {
	spec, _ := must(gpu.NewCatalog()).Lookup("NVIDIA A100 80GB PCIe")
	k := uint64(gpu.Int8PerSMClock(spec.ComputeCapability))
	fmt.Println(uint64(spec.SMs[0])*uint64(spec.BoostMHz[0])*k/1_000_000, "tera-operations a second, catalogue", spec.Int8TOPS)
	// Output: 623 tera-operations a second, catalogue 624
}

// The kernel's PCI tree holds an RTX 4090 in the slot of what the driver calls an H100.
func ExampleCheck_views() {
	inv := box()
	inv.PCIView = gpu.Some([]gpu.PCIFunction{{BusID: "0000:42:00.0", ID: gpu.PCIPair{Vendor: 0x10de, Device: 0x2684}, Class: 0x030000}})
	for _, finding := range gpu.Check(inv, must(gpu.NewCatalog())) {
		fmt.Println(finding)
	}
	// Output: device 0: sysfs-missing (contradiction): the PCI tree has 10de:2684 in slot "00000000:42:00.0", not 10de:24b0
}

func ExampleCheckLibrary() {
	inv := box()
	inv.LibrarySHA = gpu.Some("c0ffee")
	for _, finding := range gpu.CheckLibrary(inv, gpu.KnownLibraries{"550.54.15": {"5eed"}}) {
		fmt.Println(finding)
	}
	// Output: host: library-digest (suspicious): the library of driver "550.54.15" has SHA-256 "c0ffee", known are ["5eed"]
}

// A device that draws 100 W uses 3 kJ in half a minute.
func ExampleCheckSequence() {
	at := func(seconds int, millijoules uint64) gpu.Inventory {
		inv := box()
		inv.Taken = inv.Taken.Add(time.Duration(seconds) * time.Second)
		inv.Devices[0].Reading = &gpu.Reading{EnergyMillijoules: gpu.Some(millijoules), PowerMilliwatts: gpu.Some[uint32](100_000)}
		return inv
	}
	fmt.Println(gpu.CheckSequence(at(0, 5_000_000), at(30, 8_000_000)))
	fmt.Println(gpu.CheckSequence(at(0, 5_000_000), at(30, 5_000_000)))
	// Output:
	// []
	// [device 0: energy-vs-power (suspicious): 0 mJ in 30s, at 100000 to 100000 mW it is about 3000000]
}

// Ten probes of a busy device that agree to the milliwatt.
func ExampleCheckHistory() {
	var history []gpu.Inventory
	for i := range 10 {
		inv := box()
		inv.Taken = inv.Taken.Add(time.Duration(i) * time.Minute)
		inv.Devices[0].Reading = &gpu.Reading{
			GPUUtilPercent: gpu.Some[uint32](97), PowerMilliwatts: gpu.Some[uint32](139_500), TempCelsius: gpu.Some[int32](71),
		}
		history = append(history, inv)
	}
	fmt.Println(gpu.CheckHistory(history))
	// Output: [device 0: static-telemetry (suspicious): 10 probes show 97 % busy, 139500 mW and 71 C]
}
