package gpu_test

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// sick is a monitor that probed one device at noon and then read of Xid 79.
func sick() *gpu.Monitor {
	m, err := gpu.NewMonitor(gpu.DefaultHealth())
	if err != nil {
		panic(err)
	}
	for _, e := range []gpu.MonitorEvent{
		gpu.Probed{Inventory: h100s(1, 1)},
		gpu.Noticed{Notice: gpu.Notice{Kind: gpu.NoticeXid, BusID: "0000:18:00", Xid: 79}},
	} {
		if _, err := m.Apply(noon, e); err != nil {
			panic(err)
		}
	}
	return m
}

func ExampleNewMonitor() {
	m, err := gpu.NewMonitor(gpu.DefaultHealth())
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Audit())
	// Output: <nil>
}

// A device falls off the bus. Coming back is not enough: it needs a new boot and a passed self-test.
func ExampleMonitor() {
	m := sick()
	for d := range m.Diagnoses() {
		fmt.Println(d)
	}
	rebooted := h100s(1, 1)
	rebooted.BootID = "0d8a1c4e-5b6f-4f5e-8a39-9f7a5d2f0c11"
	for _, e := range []gpu.MonitorEvent{
		gpu.SelfTested{Device: uuid(1), OK: true, Ops: 1 << 40},
		gpu.Probed{Inventory: rebooted},
		gpu.Ticked{},
		gpu.SelfTested{Device: uuid(1), OK: true, Ops: 1 << 40},
	} {
		changed, err := m.Apply(noon.Add(time.Hour), e)
		if err != nil {
			panic(err)
		}
		d, _ := m.Diagnosis(uuid(1))
		fmt.Printf("%T: %v, %d changed\n", e, d.Health, len(changed))
	}
	// Output:
	// GPU-00000001-0000-4000-8000-000000000001: lost since 2026-03-01T12:00:00Z
	//   lost: Xid 79 at 2026-03-01T12:00:00Z: GPU fell off the bus; reboot; ends with a new boot id, the device back and a passed self-test
	// gpu.SelfTested: lost, 0 changed
	// gpu.Probed: lost, 0 changed
	// gpu.Ticked: lost, 0 changed
	// gpu.SelfTested: healthy, 1 changed
}

// An operator replaced the board, or knows better.
func ExampleCleared() {
	m := sick()
	_, err := m.Apply(noon.Add(time.Hour), gpu.Cleared{Device: uuid(1), Operator: "ann", Note: "false alarm: the slot was hot-swapped"})
	d, _ := m.Diagnosis(uuid(1))
	fmt.Println(d.Health, d.Cleared.Operator, err)
	// Output: healthy ann <nil>
}

func ExampleRestoreMonitor() {
	m := sick()
	again, err := gpu.RestoreMonitor(gpu.DefaultHealth(), m.Snapshot())
	if err != nil {
		panic(err)
	}
	fmt.Println(again.Digest() == m.Digest())
	_, err = gpu.RestoreMonitor(gpu.DefaultHealth(), []byte("rubbish"))
	fmt.Println(err != nil)
	// Output:
	// true
	// true
}

// A link fault degrades a device, and makes it unhealthy for a job that needs the link.
func ExampleDiagnosis() {
	m, err := gpu.NewMonitor(gpu.DefaultHealth())
	if err != nil {
		panic(err)
	}
	for _, e := range []gpu.MonitorEvent{
		gpu.Probed{Inventory: h100s(1, 1)}, gpu.Noticed{Notice: gpu.Notice{Kind: gpu.NoticeXid, ID: uuid(1), Xid: 74}},
	} {
		if _, err := m.Apply(noon, e); err != nil {
			panic(err)
		}
	}
	d, _ := m.Diagnosis(uuid(1))
	fmt.Println(d.HealthFor(false), d.HealthFor(true), d.Action)
	fmt.Println(d.Exit())
	// Output:
	// degraded unhealthy reset-gpu
	// links up and quiet, or a reset and a passed self-test
}

func ExampleHealth() {
	for h := gpu.Healthy; h <= gpu.Lost; h++ {
		fmt.Printf("%v: takes new jobs %v, jobs must leave %v\n", h, h.Schedulable(), h.Drain())
	}
	// Output:
	// healthy: takes new jobs true, jobs must leave false
	// degraded: takes new jobs false, jobs must leave false
	// unhealthy: takes new jobs false, jobs must leave true
	// lost: takes new jobs false, jobs must leave true
}

func ExampleHealthRule() {
	r := gpu.RuleRowsPending
	fmt.Printf("%v: %v, %v, ends with %v\n", r, r.Health(), r.Action(), r.Exit())
	// Output: rows-pending: degraded, reset-when-idle, ends with the driver's word that it is settled
}

func ExampleHealthParams() {
	p := gpu.DefaultHealth()
	p.Version, p.CoolCelsius = "ours/1", 60
	fmt.Println(p.Validate())
	// Output: gpu: invalid: cool_c 60 is not in 0..50
}

func ExampleDefaultHealth() {
	p := gpu.DefaultHealth()
	fmt.Println(p.AppFaults, "faults of", p.AppProcesses, "programs in", p.AppWindow)
	// Output: 3 faults of 2 programs in 10m0s
}

func ExampleNewXids() {
	x, err := gpu.NewXids()
	if err != nil {
		panic(err)
	}
	e, _ := x.Lookup(31)
	fmt.Printf("%d %s: %v fault, %s, %v\n", e.Code, e.Mnemonic, e.Fault, e.Immediate, e.Rule)
	// Output: 31 ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT: app fault, RESTART_APP, app-fault
}

// The number alone does not tell what an NVLink5 error means.
func ExampleXids() {
	x, err := gpu.NewXids()
	if err != nil {
		panic(err)
	}
	varies := 0
	for e := range x.All() {
		if e.Varies {
			varies++
		}
	}
	n := gpu.Notice{Kind: gpu.NoticeXid, Xid: 149, Fatal: gpu.Some(true)}
	fmt.Println(varies, x.Rule(n))
	n.Fatal = gpu.Some(false)
	fmt.Println(x.Rule(n))
	// Output:
	// 8 nvlink
	// none
}

func ExampleParseKernelLine() {
	n, ok := gpu.ParseKernelLine("[1235733.431527] NVRM: Xid (PCI:0000:4e:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.")
	fmt.Println(n.Kind, n.BusID, n.Xid, n.PID, ok)
	// Output: xid 00000000:4E:00.0 79 (not asked) true
}

func ExampleParseKernelRecord() {
	r, ok := gpu.ParseKernelRecord([]byte("4,1234,5678901,-;NVRM: loading\n SUBSYSTEM=pci\n"))
	fmt.Println(r.Level, r.Facility, r.Seq, r.SinceBoot, r.Text, ok)
	// Output: 4 0 1234 5.678901s NVRM: loading true
}

func ExampleNewKernelLog() {
	l := gpu.NewKernelLog("boot-1", noon, gpu.KernelCursor{Boot: "boot-1", Seq: 9})
	for _, seq := range []int{9, 10} {
		n, ok := l.Feed(fmt.Appendf(nil, "4,%d,2000000,-;NVRM: Xid (PCI:0000:4e:00): 62, x", seq))
		fmt.Println(seq, ok, n.Xid)
	}
	fmt.Println(l.Cursor().Seq)
	// Output:
	// 9 false 0
	// 10 true 62
	// 10
}

// Some messages take several lines; of a log that overflowed, the number of lost records is known.
func ExampleKernelLog() {
	l := gpu.NewKernelLog("boot-1", noon, gpu.KernelCursor{})
	for _, line := range []string{
		"NVRM: The NVIDIA GPU 0000:b3:00.0", "NVRM: (PCI ID: 10de:26b5) installed in this system has",
		"NVRM: fallen off the bus and is not responding to commands.",
	} {
		if n, ok := l.Line(line, noon); ok {
			fmt.Println(n.Kind, n.BusID, n.At.Format(time.TimeOnly))
		}
	}
	l.Feed([]byte("4,1,100,-;a"))
	l.Feed([]byte("4,5,100,-;b"))
	fmt.Println(l.Lost(), l.Cursor().Seq)
	// Output:
	// lost 00000000:B3:00.0 12:00:00
	// 3 5
}
