package gputest

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// uuid spells 16 bytes as a UUID of version 4.
func uuid(b [32]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// bus is the slot of a device, as an HGX board of eight has them.
func bus(device int) uint8 {
	return [gpu.MaxDevices]uint8{
		0x19, 0x3b, 0x4c, 0x5d, 0x9b, 0xbb, 0xcb, 0xdb, 0x1a, 0x3c, 0x4d, 0x5e, 0x9c, 0xbc, 0xcc, 0xdc,
	}[device]
}

func busID(device int) string { return fmt.Sprintf("00000000:%02X:00.0", bus(device)) }

// kernelBusID spells a slot as the kernel does.
func kernelBusID(device int) string { return fmt.Sprintf("0000:%02x:00.0", bus(device)) }

// identity is a device without a reading.
func (p Profile) identity(i int) gpu.Device {
	key := p.key("device", i)
	id := "GPU-" + uuid(key)
	if p.Board.Vendor != gpu.NVIDIA {
		id = fmt.Sprintf("AMD-%016x", key[:8]) // as Sysfs makes it of amdgpu's unique_id
	}
	d := gpu.Device{
		ID: gpu.DeviceID(id), Model: p.Board.Model, Vendor: p.Board.Vendor, PCIDeviceID: p.Board.DeviceID, BusID: busID(i),
		VBIOS: p.Board.VBIOS, MemoryMiB: p.Board.MemoryMiB,
	}
	if p.Board.Serial { // 13 digits, the last two the place in the node: distinct for sure
		d.Serial = fmt.Sprintf("165%08d%02d", binary.BigEndian.Uint32(key[16:])%100_000_000, i)
	}
	return d
}

// instances are those of one device. Their memory is close to what drivers give: of an A100 of 40 GB 4864, 9888 and 19936 MiB
// for 1, 2 and 4 memory slices, against 4864, 9856 and 20096 in outputs of nvidia-smi. An instance has as many seventh parts
// of the SMs, rounded down to a pair, as it has compute slices: 14 each of an A100's 108.
func (p Profile) instances(device int) ([]gpu.MIGInstance, error) {
	table, ok := gpu.NewMIGTable(p.Board.Model)
	if !ok {
		return nil, fmt.Errorf("gputest: profile %q: %s does not divide", p.Name, p.Board.Model)
	}
	var names []gpu.MIGName
	for _, s := range p.MIG {
		n, err := gpu.ParseMIGName(s)
		if err != nil {
			return nil, fmt.Errorf("gputest: profile %q: %w", p.Name, err)
		}
		names = append(names, n)
	}
	if _, err := table.Layout(names...); err != nil {
		return nil, fmt.Errorf("gputest: profile %q: %w", p.Name, err)
	}
	size := map[gpu.MIGName]uint64{}
	for _, row := range table.Rows() {
		size[row.Name] = uint64(row.MemorySlices)
	}
	var out []gpu.MIGInstance
	for i, n := range names {
		n.Compute = 0
		perSlice := p.Board.SMs / 7 &^ 1 // SMs come in pairs
		out = append(out, gpu.MIGInstance{
			ID: gpu.DeviceID("MIG-" + uuid(p.key(fmt.Sprintf("mig %d", i), device))), Profile: p.MIG[i],
			MemoryMiB: size[n]*p.Board.MemoryMiB/8*98/100/32*32 - 128, SMs: uint32(n.Slices) * perSlice,
		})
	}
	return out, nil
}

// reading is what stays the same from probe to probe.
func (p Profile) reading(i int) *gpu.Reading {
	b := p.Board
	r := &gpu.Reading{
		Architecture: gpu.Some(b.Architecture), ComputeCapability: gpu.Some(b.ComputeCapability),
		SMs: gpu.Some(b.SMs), Cores: gpu.Some(b.SMs * b.CoresPerSM), BusWidthBits: gpu.Some(b.BusWidthBits),
		Virtualization: gpu.Some("none"),
		BAR1:           gpu.Some(gpu.MemoryUse{Total: b.BAR1MiB << 20, Used: 1 << 20, Free: (b.BAR1MiB - 1) << 20}),
		MaxSMClockMHz:  gpu.Some(b.MaxSMMHz), MaxMemClockMHz: gpu.Some(b.MaxMemMHz),
		PowerLimitMilliwatts: gpu.Some(b.LimitMilliwatts), PowerDefaultLimitMilliwatts: gpu.Some(b.LimitMilliwatts),
		PowerMaxLimitMilliwatts: gpu.Some(b.LimitMilliwatts),
		SlowdownCelsius:         gpu.Some(b.SlowdownCelsius), ShutdownCelsius: gpu.Some(b.SlowdownCelsius + 5),
		EncoderUtilPercent: gpu.Some(uint32(0)), DecoderUtilPercent: gpu.Some(uint32(0)),
		ECCEnabled: gpu.Some(b.ECC), RetiredPages: gpu.None[uint32](gpu.WhyNotSupported),
		RetirementPending: gpu.None[bool](gpu.WhyNotSupported),
		PCIeMaxGen:        gpu.Some(b.PCIeGen), PCIeWidth: gpu.Some(b.PCIeWidth), PCIeMaxWidth: gpu.Some(b.PCIeWidth),
		PCIeReplays: gpu.Some(uint64(0)), NVLinks: gpu.None[[]gpu.NVLink](gpu.WhyNotSupported),
		Fabric: gpu.None[gpu.Fabric](gpu.WhyNotSupported), MIG: gpu.None[gpu.MIG](gpu.WhyNotSupported),
		ComputeMode: gpu.Some("default"), PersistenceMode: gpu.Some(!b.Desktop), DisplayActive: gpu.Some(false),
		BoardPart: gpu.None[string](gpu.WhyNotSupported),
	}
	if b.Part != "" {
		r.BoardPart = gpu.Some(b.Part)
	}
	count := gpu.None[uint64](gpu.WhyNotSupported)
	r.Rows = gpu.None[gpu.RowRemap](gpu.WhyNotSupported)
	if b.ECC {
		count = gpu.Some(uint64(0))
		if b.Vendor == gpu.NVIDIA {
			r.Rows = gpu.Some(gpu.RowRemap{})
		}
	}
	r.CorrectedVolatile, r.UncorrectedVolatile, r.CorrectedAggregate, r.UncorrectedAggregate = count, count, count, count
	if _, divides := gpu.NewMIGTable(b.Model); divides {
		m := gpu.MIG{MaxInstances: 7}
		if len(p.MIG) > 0 {
			m.Enabled, m.Pending = true, true
			m.Instances, _ = p.instances(i) // Validate has tried
		}
		r.MIG = gpu.Some(m)
	}
	p.links(r, i)
	return r
}

// links sets the NVLinks of a device. A divided device has none to offer.
func (p Profile) links(r *gpu.Reading, i int) {
	if p.Board.NVLinks == 0 || len(p.MIG) > 0 {
		return
	}
	var links []gpu.NVLink
	for k := range p.Board.NVLinks {
		l := gpu.NVLink{Index: k, Version: p.Board.NVLinkVersion}
		switch peer := i ^ 1; {
		case p.Topology == Switched: // the links are dealt out over four switches
			l.Up, l.RemoteKind, l.RemoteBusID = true, "switch", fmt.Sprintf("00000000:%02X:00.0", 0x05+k%4)
		case p.Topology == Bridges && peer < p.Count:
			l.Up, l.RemoteKind, l.RemoteBusID = true, "gpu", busID(peer)
		}
		if l.Up {
			zero := gpu.Some(uint64(0))
			l.CRCErrors, l.Replays, l.Recoveries = zero, zero, zero
		}
		links = append(links, l)
	}
	r.NVLinks = gpu.Some(links)
	if p.Topology == Switched && p.Board.NVLinkVersion >= 4 {
		r.Fabric = gpu.Some(gpu.Fabric{State: "completed", Status: "success", Cluster: uuid([32]byte{})})
	}
}

// link says how two devices are joined.
func (p Profile) link(a, b int) gpu.Link {
	l := gpu.Link{A: uint8(a), B: uint8(b), Kind: gpu.LinkNode}
	half := (p.Count + 1) / 2
	switch {
	case p.Topology == Switched, p.Topology == Bridges && a^1 == b:
		l.Kind, l.Count = gpu.LinkNVLink, p.Board.NVLinks
	case p.Count >= 4 && (a < half) != (b < half):
		l.Kind = gpu.LinkSystem
	}
	return l
}

// node is the inventory without devices and links: what the host says.
func (p Profile) node(taken time.Time, boot int) gpu.Inventory {
	inv := gpu.Inventory{
		Taken: taken.UTC().Truncate(time.Millisecond), Host: "fake-" + p.Name, BootID: uuid(p.key(fmt.Sprintf("boot %d", boot), 0)),
		Driver: p.Board.Driver, Backend: "fake", Platform: "linux/amd64", Hypervisor: gpu.Some("none"),
		NVML: gpu.None[string](gpu.WhyNotSupported), CUDADriver: gpu.None[string](gpu.WhyNotSupported),
		Confidential: gpu.None[gpu.Confidential](gpu.WhyNotSupported),
		ProcView:     gpu.None[[]gpu.ProcGPU](gpu.WhyNotSupported), CUDAView: gpu.None[[]gpu.CUDADevice](gpu.WhyNotSupported),
	}
	if p.Name == "" {
		inv.Host = "fake"
	}
	driver := "amdgpu"
	if p.Board.Vendor == gpu.NVIDIA {
		driver = "nvidia"
		// nvmlSystemGetNVMLVersion puts the major version of CUDA before that of the driver.
		major, _, _ := strings.Cut(p.Board.CUDA, ".")
		inv.NVML, inv.CUDADriver = gpu.Some(major+"."+p.Board.Driver), gpu.Some(p.Board.CUDA)
	}
	if p.Board.Confidential {
		inv.Confidential = gpu.Some(gpu.Confidential{Environment: "none"})
	}
	var tree []gpu.PCIFunction
	for i := range p.Count {
		tree = append(tree, gpu.PCIFunction{
			BusID: kernelBusID(i), ID: gpu.PCIPair{Vendor: uint16(p.Board.Vendor), Device: p.Board.DeviceID}, Class: p.Board.Class, Driver: driver,
		})
	}
	inv.PCIView = gpu.Some(tree)
	return inv
}

// witness adds what procfs and CUDA say of a device, which is the truth even where the driver's management library lies.
// CUDA sees only an instance of a divided device, so such a node has no view of CUDA.
func (p Profile) witness(inv *gpu.Inventory, i int) {
	if p.Board.Vendor != gpu.NVIDIA {
		return
	}
	d, b := p.identity(i), p.Board
	inv.ProcView = gpu.Some(append(inv.ProcView.V, gpu.ProcGPU{
		BusID: kernelBusID(i), Model: d.Model, ID: gpu.Some(string(d.ID)), VBIOS: gpu.Some(d.VBIOS),
	}))
	if len(p.MIG) > 0 {
		return
	}
	inv.CUDAView = gpu.Some(append(inv.CUDAView.V, gpu.CUDADevice{
		ID: d.ID, Name: d.Model, MemoryBytes: (b.MemoryMiB - b.ReservedMiB) << 20, BusID: kernelBusID(i), SMs: gpu.Some(b.SMs),
		ComputeCapability: gpu.Some(b.ComputeCapability),
	}))
}
