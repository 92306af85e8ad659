package nvml_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// patience bounds a probe that nothing holds up: far above what it takes on a busy machine.
const patience = 30 * time.Second

// shared is the folder of the one library that go-nvml binds in this process.
var shared string

func TestMain(m *testing.M) {
	if child() {
		return
	}
	dir, err := os.MkdirTemp("", "idlegrid-nvml-*")
	if err != nil {
		panic(err)
	}
	shared = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// rig gives the shared library an inventory, and takes all faults away.
func rig(t testing.TB, inv gpu.Inventory) *gputest.FakeNVML {
	t.Helper()
	return gputest.ReuseFakeNVML(t, shared, inv)
}

// open returns a source, closed with the test. The Views make its inventories whole.
func open(t testing.TB, path, binding string) *nvml.Source {
	t.Helper()
	s, err := nvml.Open(nvml.Config{Library: path, Binding: binding, Deadline: patience, Views: views})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func views(_ context.Context, into *gpu.Inventory) {
	into.Host, into.BootID, into.Hypervisor = "gpu-1", "7f0c0a52-6f0e-4a57-9a39-0d2f6b1d3c11", gpu.Some("none")
}

// probe reads once and takes out what differs from one probe or one binding to the next.
func probe(t testing.TB, s *nvml.Source) gpu.Inventory {
	t.Helper()
	inv, err := s.Probe(t.Context())
	require.NoError(t, err)
	return same(inv)
}

func same(inv gpu.Inventory) gpu.Inventory {
	inv.Taken, inv.Backend = time.Time{}, ""
	return inv
}

func text(t testing.TB, inv gpu.Inventory) string {
	t.Helper()
	b, err := json.MarshalIndent(inv, "", "  ")
	require.NoError(t, err)
	return string(b)
}

// bindings runs a test once for each binding of this program.
func bindings(t *testing.T, test func(t *testing.T, binding string)) {
	if len(nvml.Bindings()) == 0 {
		t.Skip("NVML: no binding on " + runtime.GOOS)
	}
	for _, b := range nvml.Bindings() {
		t.Run(b, func(t *testing.T) {
			settle(t, b)
			test(t, b)
		})
	}
}

// settle waits until nothing of the tests before holds the driver: what hung there may come back late.
func settle(t testing.TB, binding string) {
	t.Helper()
	require.Eventually(t, func() bool {
		f := rig(t, hgx(1))
		f.Switch("trace", true)
		s, err := nvml.Open(nvml.Config{Library: f.Path(), Binding: binding, Deadline: patience, Views: views})
		if err != nil {
			return false
		}
		_, failed := s.Probe(t.Context())
		closed := s.Close()
		return failed == nil && closed == nil && f.Calls("nvmlInit_v2", gputest.AnyDevice) == 1 && f.Calls("nvmlShutdown", gputest.AnyDevice) == 1
	}, patience, 10*time.Millisecond)
}

// h100 is one of the devices of an 8-way HGX board, as NVIDIA's tools show it (idle).
func h100(i int) gpu.Device {
	bus := []string{"18", "2A", "3A", "5D", "9A", "AB", "BA", "DB"}[i%8]
	d := gpu.Device{
		ID: gpu.DeviceID(fmt.Sprintf("GPU-8d1d5f1c-3f0a-4f0e-9b7a-%012x", i+1)), Model: "NVIDIA H100 80GB HBM3",
		Vendor: gpu.NVIDIA, PCIDeviceID: 0x2330, BusID: fmt.Sprintf("%08X:%s:00.0", i/8, bus),
		Serial: fmt.Sprintf("16529230%05d", i), VBIOS: "96.00.A5.00.01", MemoryMiB: 81559,
	}
	mib := func(n uint64) uint64 { return n << 20 }
	r := &gpu.Reading{
		Architecture: gpu.Some("Hopper"), BoardPart: gpu.Some("692-2G520-0200-000"), ComputeCapability: gpu.Some("9.0"),
		SMs: gpu.Some(uint32(132)), Cores: gpu.Some(uint32(132 * 128)), BusWidthBits: gpu.Some(uint32(5120)),
		Subsystem: gpu.Some(gpu.PCIPair{Vendor: 0x10de, Device: 0x16c1}), Virtualization: gpu.Some("none"),
		Memory:     gpu.Some(gpu.MemoryUse{Total: mib(81559), Free: mib(80994), Used: mib(3), Reserved: mib(562)}),
		BAR1:       gpu.Some(gpu.MemoryUse{Total: mib(131072), Free: mib(131070), Used: mib(2)}),
		SMClockMHz: gpu.Some(uint32(345)), MemClockMHz: gpu.Some(uint32(2619)), MaxSMClockMHz: gpu.Some(uint32(1980)),
		MaxMemClockMHz: gpu.Some(uint32(2619)), PState: gpu.Some(uint32(0)), PowerMilliwatts: gpu.Some(uint32(71_340)),
		PowerLimitMilliwatts: gpu.Some(uint32(700_000)), PowerDefaultLimitMilliwatts: gpu.Some(uint32(700_000)),
		PowerMaxLimitMilliwatts: gpu.Some(uint32(700_000)), EnergyMillijoules: gpu.Some(uint64(1_234_567_890_123)),
		TempCelsius: gpu.Some(int32(28)), MemoryTempCelsius: gpu.Some(int32(37)), SlowdownCelsius: gpu.Some(int32(87)),
		ShutdownCelsius: gpu.Some(int32(92)), FanPercent: gpu.None[uint32](gpu.WhyNotSupported), Throttle: gpu.Some(gpu.ThrottleIdle),
		GPUUtilPercent: gpu.Some(uint32(0)), MemUtilPercent: gpu.Some(uint32(0)), EncoderUtilPercent: gpu.Some(uint32(0)),
		DecoderUtilPercent: gpu.Some(uint32(0)), ECCEnabled: gpu.Some(true), CorrectedVolatile: gpu.Some(uint64(0)),
		UncorrectedVolatile: gpu.Some(uint64(0)), CorrectedAggregate: gpu.Some(uint64(2)), UncorrectedAggregate: gpu.Some(uint64(0)),
		Rows: gpu.Some(gpu.RowRemap{Correctable: 1}), RetiredPages: gpu.None[uint32](gpu.WhyNotSupported),
		RetirementPending: gpu.None[bool](gpu.WhyNotSupported), PCIeGen: gpu.Some(uint32(5)), PCIeMaxGen: gpu.Some(uint32(5)),
		PCIeWidth: gpu.Some(uint32(16)), PCIeMaxWidth: gpu.Some(uint32(16)), PCIeReplays: gpu.Some(uint64(0)),
		Fabric:      gpu.Some(gpu.Fabric{State: "completed", Status: "success"}),
		MIG:         gpu.Some(gpu.MIG{MaxInstances: 7}),
		Processes:   gpu.Some([]gpu.Process{{PID: uint32(4000 + i), Kind: "compute", MemoryBytes: gpu.Some(mib(2))}}),
		ComputeMode: gpu.Some("default"), PersistenceMode: gpu.Some(true), DisplayActive: gpu.Some(false),
	}
	var links []gpu.NVLink
	for l := range uint8(18) {
		links = append(links, gpu.NVLink{
			Index: l, Up: true, Version: 4, RemoteKind: "switch", RemoteBusID: fmt.Sprintf("00000000:%02X:00.0", 5+l%4),
			CRCErrors: gpu.Some(uint64(0)), Replays: gpu.Some(uint64(0)), Recoveries: gpu.Some(uint64(0)),
		})
	}
	r.NVLinks = gpu.Some(links)
	d.Reading = r
	return d
}

// hgx is a host of n H100s behind NVSwitches.
func hgx(n int) gpu.Inventory {
	inv := gpu.Inventory{
		Host: "gpu-1", BootID: "7f0c0a52-6f0e-4a57-9a39-0d2f6b1d3c11", Hypervisor: gpu.Some("none"),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Driver:   "550.54.15", NVML: gpu.Some("12.550.54.15"), CUDADriver: gpu.Some("12.4"),
		Confidential: gpu.Some(gpu.Confidential{Environment: "none"}),
	}
	for i := range n {
		inv.Devices = append(inv.Devices, h100(i))
		for b := i + 1; b < n; b++ {
			inv.Links = append(inv.Links, gpu.Link{A: uint8(i), B: uint8(b), Kind: gpu.LinkNVLink, Count: 18})
		}
	}
	return inv
}

// divided is a device with MIG instances.
func divided(i int) gpu.Device {
	d := h100(i)
	d.Reading.MIG = gpu.Some(gpu.MIG{Enabled: true, Pending: true, MaxInstances: 7, Instances: []gpu.MIGInstance{
		{ID: gpu.DeviceID(fmt.Sprintf("MIG-2c8d0f5e-0000-5f00-8000-%012x", i)), Profile: "3g.40gb", MemoryMiB: 40320, SMs: 60},
		{ID: gpu.DeviceID(fmt.Sprintf("MIG-2c8d0f5e-0001-5f00-8000-%012x", i)), Profile: "1g.10gb", MemoryMiB: 9984, SMs: 16},
	}})
	for _, u := range []*gpu.Opt[uint32]{
		&d.Reading.GPUUtilPercent, &d.Reading.MemUtilPercent, &d.Reading.EncoderUtilPercent, &d.Reading.DecoderUtilPercent,
	} {
		*u = gpu.None[uint32](gpu.WhyNotSupported) // a divided device answers so
	}
	return d
}

// geforce is a card without serial number, ECC, NVLink or MIG.
func geforce() gpu.Device {
	d := h100(0)
	d.ID, d.Model, d.PCIDeviceID, d.Serial = "GPU-11111111-2222-3333-4444-555555555555", "NVIDIA GeForce RTX 4090", 0x2684, ""
	d.MemoryMiB = 24564
	r := d.Reading
	r.Architecture, r.ComputeCapability = gpu.Some("Ada"), gpu.Some("8.9")
	r.SMs, r.Cores, r.BusWidthBits = gpu.Some(uint32(128)), gpu.Some(uint32(16384)), gpu.Some(uint32(384))
	r.Memory = gpu.Some(gpu.MemoryUse{Total: 24564 << 20, Free: 24000 << 20, Used: 100 << 20, Reserved: 464 << 20})
	r.NVLinks = gpu.None[[]gpu.NVLink](gpu.WhyNotSupported)
	r.Fabric, r.MIG = gpu.None[gpu.Fabric](gpu.WhyNotSupported), gpu.None[gpu.MIG](gpu.WhyNotSupported)
	r.ECCEnabled, r.FanPercent = gpu.None[bool](gpu.WhyNotSupported), gpu.Some(uint32(30))
	r.MemoryTempCelsius = gpu.None[int32](gpu.WhyNotSupported)
	r.DisplayActive = gpu.Some(true)
	r.Processes = gpu.Some([]gpu.Process{
		{PID: 900, Kind: "graphics", MemoryBytes: gpu.None[uint64](gpu.WhyNotSupported)},
		{PID: 901, Kind: "compute", MemoryBytes: gpu.Some(uint64(1 << 30))},
		{PID: 901, Kind: "mps", MemoryBytes: gpu.Some(uint64(1 << 20))},
	})
	return d
}

// cards is a host of unlike PCIe cards, joined in every way.
func cards() gpu.Inventory {
	inv := hgx(1)
	inv.Links = nil
	inv.Devices = nil
	for i := range 7 {
		d := geforce()
		d.ID = gpu.DeviceID(fmt.Sprintf("GPU-11111111-2222-3333-4444-%012x", i))
		d.BusID = fmt.Sprintf("0000000%d:01:00.0", i)
		inv.Devices = append(inv.Devices, d)
	}
	kinds := []gpu.LinkKind{gpu.LinkBoard, gpu.LinkSwitch, gpu.LinkSwitches, gpu.LinkHost, gpu.LinkNode, gpu.LinkSystem}
	for i, k := range kinds {
		inv.Links = append(inv.Links, gpu.Link{A: 0, B: uint8(i + 1), Kind: k})
	}
	return inv
}

// pairOfBridged is a host of two cards joined by an NVLink bridge of four links, one of them down.
func pairOfBridged() gpu.Inventory {
	inv := hgx(2)
	for i := range inv.Devices {
		var links []gpu.NVLink
		for l := range uint8(4) {
			links = append(links, gpu.NVLink{
				Index: l, Up: l != 3, RemoteKind: "gpu", RemoteBusID: inv.Devices[1-i].BusID, Version: 3,
				CRCErrors: gpu.Some(uint64(7)), Replays: gpu.Some(uint64(l)), Recoveries: gpu.None[uint64](gpu.WhyNotSupported),
			})
		}
		inv.Devices[i].Reading.NVLinks = gpu.Some(links)
	}
	inv.Links = []gpu.Link{{A: 0, B: 1, Kind: gpu.LinkNVLink, Count: 3}}
	return inv
}

// profiles are the hosts that every comparison goes through.
func profiles() map[string]gpu.Inventory {
	mig := hgx(2)
	mig.Devices[1] = divided(1)
	confidential := hgx(1)
	confidential.Confidential = gpu.Some(gpu.Confidential{Enabled: true, DevTools: true, Environment: "prod"})
	return map[string]gpu.Inventory{
		"hgx-h100": hgx(8), "mig": mig, "cards": cards(), "bridged": pairOfBridged(), "confidential": confidential,
		"random-1": random(1), "random-2": random(2), "random-3": random(3),
	}
}

// random draws a host of which every value may be missing for any reason that the library can give.
func random(seed uint64) gpu.Inventory {
	rng := rand.New(rand.NewPCG(seed, 7))
	inv := hgx(1 + rng.IntN(4))
	for i := range inv.Devices {
		if rng.IntN(2) == 0 {
			inv.Devices[i] = divided(i)
		}
		scramble(rng, inv.Devices[i].Reading)
	}
	inv.Links = nil
	for a := range inv.Devices {
		for b := a + 1; b < len(inv.Devices); b++ {
			inv.Links = append(inv.Links, gpu.Link{A: uint8(a), B: uint8(b), Kind: gpu.LinkBoard + gpu.LinkKind(rng.IntN(6))})
		}
	}
	inv.NVML, inv.CUDADriver = maybe(rng, inv.NVML), maybe(rng, inv.CUDADriver)
	inv.Confidential = maybe(rng, inv.Confidential)
	return inv
}

// maybe leaves a value, or takes it away.
func maybe[T any](rng *rand.Rand, o gpu.Opt[T]) gpu.Opt[T] {
	whys := []string{
		gpu.WhyNotSupported, gpu.WhySymbolAbsent, gpu.WhyNoPermission, gpu.WhyTimeout, gpu.WhyUnreadable, "error 999", "error 8",
	}
	if rng.IntN(3) == 0 {
		return gpu.None[T](whys[rng.IntN(len(whys))])
	}
	return o
}

func scramble(rng *rand.Rand, r *gpu.Reading) {
	for _, o := range []*gpu.Opt[uint32]{
		&r.BusWidthBits, &r.SMClockMHz, &r.MemClockMHz, &r.MaxSMClockMHz, &r.MaxMemClockMHz, &r.PState, &r.PowerMilliwatts,
		&r.PowerLimitMilliwatts, &r.PowerDefaultLimitMilliwatts, &r.PowerMaxLimitMilliwatts, &r.FanPercent, &r.EncoderUtilPercent,
		&r.DecoderUtilPercent, &r.RetiredPages, &r.PCIeGen, &r.PCIeMaxGen, &r.PCIeWidth, &r.PCIeMaxWidth,
	} {
		*o = maybe(rng, gpu.Some(rng.Uint32()))
	}
	if r.RetiredPages.OK {
		r.RetiredPages.V %= 100
	}
	for _, o := range []*gpu.Opt[uint64]{
		&r.EnergyMillijoules, &r.CorrectedVolatile, &r.UncorrectedVolatile, &r.CorrectedAggregate, &r.UncorrectedAggregate,
	} {
		*o = maybe(rng, gpu.Some(rng.Uint64()))
	}
	for _, o := range []*gpu.Opt[int32]{&r.TempCelsius, &r.MemoryTempCelsius, &r.SlowdownCelsius, &r.ShutdownCelsius} {
		*o = maybe(rng, gpu.Some(int32(rng.IntN(240)-120)))
	}
	for _, o := range []*gpu.Opt[bool]{&r.ECCEnabled, &r.RetirementPending, &r.PersistenceMode, &r.DisplayActive} {
		*o = maybe(rng, gpu.Some(rng.IntN(2) == 0))
	}
	for _, o := range []*gpu.Opt[string]{&r.Architecture, &r.BoardPart, &r.Virtualization, &r.ComputeMode} {
		*o = maybe(rng, *o)
	}
	r.PCIeReplays = maybe(rng, gpu.Some(uint64(rng.Uint32())))
	r.Throttle = maybe(rng, gpu.Some(gpu.Throttle(rng.Uint64())))
	r.BAR1, r.Rows, r.MIG = maybe(rng, r.BAR1), maybe(rng, r.Rows), maybe(rng, r.MIG)
	r.NVLinks, r.Processes = gpu.None[[]gpu.NVLink](gpu.WhyNotSupported), maybe(rng, r.Processes)
	states := []string{"not-supported", "not-started", "in-progress", "completed"}
	f := gpu.Fabric{State: states[rng.IntN(4)], Clique: rng.Uint32(), Cluster: "01020304-0506-0708-090a-0b0c0d0e0f10"}
	if f.State == "completed" {
		f.Status = []string{"success", "error 999"}[rng.IntN(2)]
	}
	r.Fabric = maybe(rng, gpu.Some(f))
}

func gpuTime() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func contextOf() context.Context { return context.Background() }

// watchOnce says why there are no events; empty if there are.
func watchOnce(s *nvml.Source) string {
	ctx, cancel := context.WithCancel(context.Background())
	began := make(chan struct{})
	go func() { // the first wait begins after all that can be refused
		select {
		case <-began:
		case <-time.After(50 * time.Millisecond):
		}
		cancel()
	}()
	err := s.Watch(ctx, func(gpu.Notice) {})
	close(began)
	cancel()
	if err == nil || errors.Is(err, context.Canceled) {
		return ""
	}
	return err.Error()
}
