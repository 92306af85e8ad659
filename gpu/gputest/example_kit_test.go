package gputest_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// fixed is a clock that stands still.
func fixed() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A node of eight H100, of which one falls off the bus at the second probe.
func ExampleNewSource() {
	p := must(gputest.ParseProfile("h100x8"))
	p.Faults = []gputest.Fault{must(gputest.ParseFault("lost@2#5"))}
	s := must(gputest.NewSource(p, fixed))
	defer s.Close()
	for range 2 {
		inv := must(s.Probe(context.Background()))
		fmt.Println(len(inv.Devices), inv.Missing)
	}
	// Output:
	// 8 []
	// 7 [{GPU-32092a7b-898a-44ab-802d-7e6713ece238 00000000:BB:00.0 lost}]
}

// Whoever watches hears of a fault when it begins, and of what the test itself says. A reset begins the energy counter anew,
// and a reboot changes the boot id.
func ExampleSource() {
	s := must(gputest.NewSource(must(gputest.ParseProfile("a4000x1")), fixed))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	heard := make(chan gpu.Notice, 1000)
	go func() { _ = s.Watch(ctx, func(n gpu.Notice) { heard <- n }) }()
	for len(heard) == 0 { // until the watch has begun
		s.Notify(gpu.Notice{Kind: gpu.NoticeXid, Xid: 13})
		runtime.Gosched()
	}
	fmt.Println((<-heard).Xid)

	before := must(s.Probe(ctx))
	s.Reset(0)
	reset := must(s.Probe(ctx))
	s.Reboot()
	after := must(s.Probe(ctx))
	fmt.Println(reset.BootID == before.BootID, after.BootID == before.BootID, reset.Devices[0].Reading.EnergyMillijoules)
	fmt.Println(s.Close(), s.Close())
	// Output:
	// 13
	// true false 0
	// <nil> <nil>
}

func ExampleProfile() {
	p := must(gputest.ParseProfile("l40sx4"))
	p.Topology = gputest.Switched
	fmt.Println(p.Validate())
	p = must(gputest.ParseProfile("h100x8"))
	p.Load = []gputest.Phase{{Seconds: 3600, Permille: 500}} // half busy, for ever
	fmt.Println(p.Validate())
	// Output:
	// gputest: profile "l40sx4": topology 2 needs a board with NVLinks that is not divided
	// <nil>
}

func ExampleProfiles() {
	for _, p := range gputest.Profiles() {
		fmt.Println(p.Name, p.Count, p.Board.Model)
	}
	// Output:
	// 4090x2 2 NVIDIA GeForce RTX 4090
	// a100x8 8 NVIDIA A100-SXM4-80GB
	// a4000x1 1 NVIDIA RTX A4000
	// b200x8 8 NVIDIA B200
	// h100-pciex4 4 NVIDIA H100 PCIe
	// h100x8 8 NVIDIA H100 80GB HBM3
	// h200x8 8 NVIDIA H200
	// l40sx4 4 NVIDIA L40S
	// mi300xx8 8 AMD Instinct MI300X
	// mig-a100 1 NVIDIA A100-SXM4-40GB
}

func ExampleParseProfile() {
	p := must(gputest.ParseProfile("h200x4"))
	fmt.Println(p.Count, p.Board.Model, p.Board.MemoryMiB)
	_, err := gputest.ParseProfile("h200x40")
	fmt.Println(err)
	// Output:
	// 4 NVIDIA H200 143771
	// gputest: profile "h200x40": count 40 is not in 1..16
}

func ExampleParseFault() {
	f := must(gputest.ParseFault("xid:79@3#1"))
	fmt.Println(f.Kind, f.From, f.Device, f)
	_, err := gputest.ParseFault("sleepy")
	fmt.Println(err)
	// Output:
	// xid:79 3 1 xid:79@3#1
	// gputest: fault "sleepy" is of no kind that ParseFault lists
}

// The test of a source is one line.
func ExampleExercise() {
	_ = func(t *testing.T) { // the body of TestMySource
		gputest.Exercise(t, func(testing.TB) gpu.Source {
			return must(gputest.NewSource(must(gputest.ParseProfile("h100x8")), nil))
		})
	}
}

func ExampleRequire() {
	_ = func(t *testing.T) {
		gputest.Require(t)
		// here there is a GPU
	}
}
