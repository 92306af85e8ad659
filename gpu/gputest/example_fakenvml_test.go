package gputest_test

import (
	"fmt"
	"testing"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// oneCard is a host with one device of which only the identity is known.
func oneCard() gpu.Inventory {
	return gpu.Inventory{Driver: "550.54.15", Devices: []gpu.Device{{
		ID: "GPU-8d1d5f1c-3f0a-4f0e-9b7a-1c2d3e4f5a6b", Model: "NVIDIA L4", Vendor: gpu.NVIDIA, PCIDeviceID: 0x27b8,
		BusID: "00000000:01:00.0", MemoryMiB: 23034,
	}}}
}

// A test of whatever reads NVML, here of a second device that hangs. A test of package nvml does the same with nvml.Open.
func ExampleNewFakeNVML() {
	test := func(t *testing.T) {
		f := gputest.NewFakeNVML(t, oneCard())
		f.Hang("nvmlDeviceGetTemperature", 0)
		_ = f.Path() // for nvml.Config.Library
		f.Release()
	}
	_ = test
	fmt.Println("the library is made from C in the test's own folder")
	// Output: the library is made from C in the test's own folder
}

// go-nvml binds one library in a process: its tests share a folder, made by TestMain.
func ExampleReuseFakeNVML() {
	test := func(t *testing.T) {
		dir := t.TempDir()
		a := gputest.ReuseFakeNVML(t, dir, oneCard())
		b := gputest.ReuseFakeNVML(t, dir, oneCard())
		fmt.Println(a.Path() == b.Path())
	}
	_ = test
	fmt.Println("one library, any number of inventories one after the other")
	// Output: one library, any number of inventories one after the other
}

func ExampleFakeNVMLSymbols() {
	test := func(t *testing.T) {
		for _, symbol := range gputest.FakeNVMLSymbols(t) {
			_ = gputest.NewFakeNVML(t, oneCard(), symbol) // a driver too old for this function
		}
	}
	_ = test
	fmt.Println("a library without any one of its functions")
	// Output: a library without any one of its functions
}

func ExampleFakeNVML() {
	test := func(t *testing.T) {
		f := gputest.NewFakeNVML(t, oneCard())
		f.Switch("trace", true)           // record calls
		f.Fail("nvmlDeviceGetName", 0, 4) // no permission
		f.Unload()                        // the driver is gone
		f.Load()
		f.Lose(0)        // the device is off the bus
		f.Emit(0, 8, 79) // Xid 79
		f.Set(oneCard()) // another host
		f.Release()      // all is well
		_ = f.Hanging()  // calls that wait
		_ = f.Calls("", 0)
	}
	_ = test
	fmt.Println("what it answers changes while it is loaded")
	// Output: what it answers changes while it is loaded
}
