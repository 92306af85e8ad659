package gpu_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// A source is probed; here it is one that needs no GPU.
func ExampleSource() {
	var source gpu.Source = must(gputest.NewSource(must(gputest.ParseProfile("h100x8")), nil))
	defer source.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	inv := must(source.Probe(ctx))
	fmt.Println(len(inv.Devices), inv.Devices[7].Model, inv.Devices[7].Reading.MemoryTempCelsius.OK, len(inv.Missing))
	// Output: 8 NVIDIA H100 80GB HBM3 true 0
}

// pairs is an inventory of four devices, of which 0 and 1, and 2 and 3, are joined by NVLink bridges.
func pairs() gpu.Inventory {
	inv := gpu.Inventory{Devices: make([]gpu.Device, 4)}
	for a := range uint8(4) {
		for b := a + 1; b < 4; b++ {
			l := gpu.Link{A: a, B: b, Kind: gpu.LinkSystem}
			if a^1 == b {
				l.Kind, l.Count = gpu.LinkNVLink, 4
			}
			inv.Links = append(inv.Links, l)
		}
	}
	return inv
}

func ExampleIslands() {
	fmt.Println(gpu.Islands(pairs()))
	// Output: [[0 1] [2 3]]
}

func ExampleLinkMatrix() {
	inv := pairs()
	inv.Devices, inv.Links = inv.Devices[:2], inv.Links[:1]
	fmt.Printf("%q\n", gpu.LinkMatrix(inv))
	// Output: "\tGPU0\tGPU1\nGPU0\t X \tNV4\nGPU1\tNV4\t X \n"
}

// Device 0 is taken: of the others 2 and 3 are joined.
func ExampleNearest() {
	fmt.Println(gpu.Nearest(pairs(), []int{1, 2, 3}, 2))
	fmt.Println(gpu.Nearest(pairs(), []int{1, 2, 3}, 4))
	// Output:
	// [2 3] <nil>
	// [] gpu: invalid: 4 devices of 3
}

func ExampleParseMIGName() {
	n, err := gpu.ParseMIGName("1c.3g.20gb")
	fmt.Println(n.Compute, n.Slices, n.GB, n, err)
	_, err = gpu.ParseMIGName("8g.40gb")
	fmt.Println(err)
	// Output:
	// 1 3 20 1c.3g.20gb <nil>
	// gpu: invalid: MIG name "8g.40gb": slices are not in 1..7, or a part is not less than the whole
}

func ExampleMIGName() {
	fmt.Println(gpu.MIGName{Slices: 1, GB: 10, Media: "+me"})
	// Output: 1g.10gb+me
}

func ExampleNewMIGTable() {
	_, ok := gpu.NewMIGTable("NVIDIA H200")
	fmt.Println(ok)
	_, ok = gpu.NewMIGTable("NVIDIA L40S")
	fmt.Println(ok)
	// Output:
	// true
	// false
}

// An H100 is divided: what is offered, a mix that fits, one that does not, and what is left beside it.
func ExampleMIGTable() {
	table, _ := gpu.NewMIGTable("NVIDIA H100 80GB HBM3")
	for _, row := range table.Rows()[:3] {
		fmt.Println(row.Name, row.MemorySlices, row.Starts, row.Most)
	}
	small, big := gpu.MIGName{Slices: 1, GB: 10}, gpu.MIGName{Slices: 3, GB: 40}
	places, err := table.Layout(small, big)
	fmt.Println(places, err)
	_, err = table.Layout(big, big, small)
	fmt.Println(err)
	fmt.Println(table.Room(places, small), table.Room(places, big), table.RoomAtBest([]gpu.MIGName{big}, small))
	// Output:
	// 1g.10gb 1 [0 1 2 3 4 5 6] 7
	// 1g.10gb+me 1 [0 1 2 3 4 5 6] 1
	// 1g.20gb 2 [0 2 4 6] 4
	// [{1g.10gb 0} {3g.40gb 4}] <nil>
	// gpu: invalid: NVIDIA H100 80GB HBM3 cannot hold MIG instances [3g.40gb 3g.40gb 1g.10gb] at once
	// 3 0 4
}

func ExampleIONetConnectivity() {
	for i, t := range gpu.IONetConnectivity().Tiers {
		fmt.Println(i+1, t.Name, t.DownKbps/1000, t.UpKbps/1000)
	}
	// Output:
	// 1 low 100 10
	// 2 medium 400 300
	// 3 high 800 600
	// 4 ultra high 1600 1200
}

// Four tests of a line: the first quartile of the rates counts, here the lowest of four.
func ExampleConnectivityParams() {
	p := gpu.IONetConnectivity()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var tests []gpu.Measurement
	for i, down := range []uint64{950_000, 930_000, 780_000, 940_000} {
		tests = append(tests, gpu.Measurement{At: now.Add(-time.Duration(i) * time.Hour), DownKbps: down, UpKbps: 610_000, RTTMicros: 9000, Samples: 8})
	}
	verdict := p.Judge(now, tests)
	fmt.Println(verdict)
	fmt.Println(verdict.Tier, verdict.Lacks)
	fmt.Println(p.Judge(now.Add(24*time.Hour), tests))
	fmt.Println(p.Combine(tests).RTTMicros, p.Validate())
	// Output:
	// tier 2 (medium); tier 3 needs 800 Mb/s download, has 780
	// 2 [800 Mb/s download, has 780]
	// tier 0: 1 measurements of the last 24h0m0s, 3 needed
	// 9000 <nil>
}

func ExampleWriteMetrics() {
	inv := box()
	inv.Devices[0].Reading = &gpu.Reading{PowerMilliwatts: gpu.Some(uint32(18_250)), MemoryTempCelsius: gpu.None[int32](gpu.WhyNotSupported)}
	c := gpu.MetricsConfig{Hostname: "attic", Assurance: map[gpu.DeviceID]gpu.Assurance{inv.Devices[0].ID: gpu.Consistent}}
	fmt.Println(gpu.WriteMetrics(os.Stdout, inv, c))
	// Output:
	// # HELP DCGM_FI_DEV_POWER_USAGE Power draw (in W).
	// # TYPE DCGM_FI_DEV_POWER_USAGE gauge
	// DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-5f2b341b-ba97-4909-85cd-22274f1e81d9",pci_bus_id="00000000:42:00.0",device="nvidia0",modelName="NVIDIA RTX A4000",hostname="attic",DCGM_FI_DRIVER_VERSION="550.54.15"} 18.250
	// # HELP idlegrid_gpu_assurance_level How far the device's claim is carried (0 claimed, 1 consistent, 2 proven, 3 attested).
	// # TYPE idlegrid_gpu_assurance_level gauge
	// idlegrid_gpu_assurance_level{gpu="0",UUID="GPU-5f2b341b-ba97-4909-85cd-22274f1e81d9",pci_bus_id="00000000:42:00.0",device="nvidia0",modelName="NVIDIA RTX A4000",hostname="attic",DCGM_FI_DRIVER_VERSION="550.54.15"} 1
	// <nil>
}

func ExampleMetricsConfig() {
	fmt.Println(gpu.MetricsConfig{HostnameLabel: "Hostname"}.Validate())
	fmt.Println(gpu.MetricsConfig{HostnameLabel: "host name"}.Validate())
	// Output:
	// <nil>
	// gpu: invalid: hostname label "host name" is not a label name
}

func ExampleLabels() {
	for _, l := range gpu.Labels(box(), gpu.LabelsConfig{Machine: "Precision 3660", MIG: gpu.MIGNone}) {
		fmt.Println(l.Key, l.Value)
	}
	// Output:
	// nvidia.com/cuda.driver-version.full 550.54.15
	// nvidia.com/cuda.driver-version.major 550
	// nvidia.com/cuda.driver-version.minor 54
	// nvidia.com/cuda.driver-version.revision 15
	// nvidia.com/gpu.count 1
	// nvidia.com/gpu.machine Precision-3660
	// nvidia.com/gpu.memory 16376
	// nvidia.com/gpu.product NVIDIA-RTX-A4000
}
