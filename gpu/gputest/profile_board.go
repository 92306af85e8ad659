package gputest

import "github.com/idlegrid/idlegrid/gpu"

// Board is what every device of a model reports. Names, ids, memory, SMs and compute capability are those of gpu's catalogue;
// clocks, limits and links are the vendor's; idle power, temperatures and VBIOS versions are typical.
type Board struct {
	Vendor            gpu.Vendor
	Model             string // the driver's name, letter for letter
	DeviceID          uint16
	Class             uint32 // PCI class, 24 bits
	Architecture      string
	ComputeCapability string
	SMs               uint32
	CoresPerSM        uint32
	BusWidthBits      uint32
	MemoryMiB         uint64
	ReservedMiB       uint64 // what the driver keeps for itself
	BAR1MiB           uint64
	Part              string // the vendor's part number; empty: none given
	VBIOS             string
	Serial            bool // whether the board has a serial number that software can read
	Desktop           bool // slows down and narrows its PCIe generation when idle, has a fan
	ECC               bool // on; counters and row remapping are reported
	MemoryTemp        bool // whether a temperature of the memory is reported
	Confidential      bool // whether confidential computing is possible (it is off)

	IdleSMMHz, MaxSMMHz             uint32
	IdleMemMHz, MaxMemMHz           uint32
	IdleMilliwatts, LimitMilliwatts uint32
	SlowdownCelsius                 int32
	PCIeGen, PCIeWidth              uint32
	NVLinks                         uint8 // of a device; 0: none
	NVLinkVersion                   uint32
	Switched                        bool // NVLinks go to switches

	Driver, CUDA string // versions that drive it; no CUDA for another vendor than NVIDIA
}

// PCI classes (PCI code and id assignment specification).
const (
	classVGA         = 0x030000
	class3D          = 0x030200
	classAccelerator = 0x120000
)

// boards finds a board by its short name.
func boards(name string) (Board, bool) {
	switch name {
	case "h100":
		return h100(), true
	case "h100-pcie":
		b := h100()
		b.Model, b.DeviceID, b.SMs, b.VBIOS = "NVIDIA H100 PCIe", 0x2331, 114, "96.00.30.00.01"
		b.MaxSMMHz, b.MaxMemMHz, b.IdleMemMHz = 1755, 1593, 1593
		b.IdleMilliwatts, b.LimitMilliwatts, b.Switched, b.NVLinks = 48_000, 350_000, false, 12
		return b, true
	case "h200":
		b := h100()
		b.Model, b.DeviceID, b.VBIOS, b.MemoryMiB = "NVIDIA H200", 0x2335, "96.00.99.00.01", 143771
		b.BusWidthBits, b.BAR1MiB, b.IdleMemMHz, b.MaxMemMHz, b.Driver = 6144, 262144, 3201, 3201, "550.90.07"
		return b, true
	case "a100":
		return a100(), true
	case "b200":
		b := h100()
		b.Model, b.DeviceID, b.VBIOS, b.MemoryMiB = "NVIDIA B200", 0x2901, "97.00.88.00.0F", 183359
		b.Architecture, b.ComputeCapability, b.SMs, b.BusWidthBits, b.BAR1MiB = "Blackwell", "10.0", 148, 8192, 262144
		b.IdleSMMHz, b.MaxSMMHz, b.IdleMemMHz, b.MaxMemMHz = 120, 1965, 3996, 3996
		b.IdleMilliwatts, b.LimitMilliwatts, b.NVLinkVersion = 140_000, 1_000_000, 5
		b.Driver, b.CUDA = "570.124.06", "12.8"
		return b, true
	case "4090":
		return ada(), true
	case "a4000":
		b := ada()
		b.Model, b.DeviceID, b.VBIOS, b.MemoryMiB, b.ReservedMiB = "NVIDIA RTX A4000", 0x24b0, "94.04.57.00.05", 16376, 253
		b.Architecture, b.ComputeCapability, b.SMs, b.BusWidthBits, b.BAR1MiB = "Ampere", "8.6", 48, 256, 256
		b.MaxSMMHz, b.MaxMemMHz, b.IdleMilliwatts, b.LimitMilliwatts = 1560, 7001, 9_000, 140_000
		b.Serial, b.Part = true, "900-5G190-2500-000"
		return b, true
	case "l40s":
		b := ada()
		b.Model, b.DeviceID, b.Class, b.VBIOS, b.MemoryMiB, b.ReservedMiB = "NVIDIA L40S", 0x26b9, class3D, "95.02.66.00.02", 46068, 597
		b.SMs, b.BAR1MiB, b.MaxSMMHz, b.MaxMemMHz = 142, 65536, 2520, 9001
		b.IdleMilliwatts, b.LimitMilliwatts = 35_000, 350_000
		b.Serial, b.Part, b.Desktop, b.ECC = true, "900-2G133-0080-000", false, true
		return b, true
	case "mi300x":
		return Board{
			Vendor: gpu.AMD, Model: "AMD Instinct MI300X", DeviceID: 0x74a1, Class: classAccelerator, Architecture: "CDNA 3",
			ComputeCapability: "gfx942", SMs: 304, CoresPerSM: 64, BusWidthBits: 8192, MemoryMiB: 196592, ReservedMiB: 278,
			BAR1MiB: 262144, VBIOS: "113-M3000100-102", Serial: true, ECC: true, MemoryTemp: true,
			IdleSMMHz: 132, MaxSMMHz: 2100, IdleMemMHz: 900, MaxMemMHz: 1300, IdleMilliwatts: 130_000, LimitMilliwatts: 750_000,
			SlowdownCelsius: 100, PCIeGen: 5, PCIeWidth: 16, Driver: "6.10.5",
		}, true
	}
	return Board{}, false
}

func h100() Board {
	return Board{
		Vendor: gpu.NVIDIA, Model: "NVIDIA H100 80GB HBM3", DeviceID: 0x2330, Class: class3D, Architecture: "Hopper",
		ComputeCapability: "9.0", SMs: 132, CoresPerSM: 128, BusWidthBits: 5120, MemoryMiB: 81559, ReservedMiB: 551, BAR1MiB: 131072,
		Part: "692-2G520-0200-000", VBIOS: "96.00.74.00.01", Serial: true, ECC: true, MemoryTemp: true, Confidential: true,
		IdleSMMHz: 345, MaxSMMHz: 1980, IdleMemMHz: 2619, MaxMemMHz: 2619, IdleMilliwatts: 70_000, LimitMilliwatts: 700_000,
		SlowdownCelsius: 87, PCIeGen: 5, PCIeWidth: 16, NVLinks: 18, NVLinkVersion: 4, Switched: true,
		Driver: "550.54.15", CUDA: "12.4",
	}
}

func a100() Board {
	b := h100()
	b.Model, b.DeviceID, b.VBIOS, b.MemoryMiB, b.ReservedMiB = "NVIDIA A100-SXM4-80GB", 0x20b2, "92.00.45.00.03", 81920, 618
	b.Architecture, b.ComputeCapability, b.SMs, b.CoresPerSM, b.Part = "Ampere", "8.0", 108, 64, "692-2G506-0210-003"
	b.IdleSMMHz, b.MaxSMMHz, b.IdleMemMHz, b.MaxMemMHz = 210, 1410, 1593, 1593
	b.IdleMilliwatts, b.LimitMilliwatts, b.SlowdownCelsius, b.PCIeGen = 60_000, 400_000, 92, 4
	b.NVLinks, b.NVLinkVersion, b.Confidential = 12, 3, false
	return b
}

func a100Small() Board {
	b := a100()
	b.Model, b.DeviceID, b.VBIOS, b.MemoryMiB, b.ReservedMiB = "NVIDIA A100-SXM4-40GB", 0x20b0, "92.00.19.00.01", 40960, 513
	b.BAR1MiB, b.IdleMemMHz, b.MaxMemMHz, b.Part = 65536, 1215, 1215, "692-2G506-0200-002"
	return b
}

// ada is a GeForce RTX 4090.
func ada() Board {
	return Board{
		Vendor: gpu.NVIDIA, Model: "NVIDIA GeForce RTX 4090", DeviceID: 0x2684, Class: classVGA, Architecture: "Ada Lovelace",
		ComputeCapability: "8.9", SMs: 128, CoresPerSM: 128, BusWidthBits: 384, MemoryMiB: 24564, ReservedMiB: 347, BAR1MiB: 32768,
		VBIOS: "95.02.18.80.5F", Desktop: true,
		IdleSMMHz: 210, MaxSMMHz: 2520, IdleMemMHz: 405, MaxMemMHz: 10501, IdleMilliwatts: 21_000, LimitMilliwatts: 450_000,
		SlowdownCelsius: 90, PCIeGen: 4, PCIeWidth: 16, Driver: "550.54.15", CUDA: "12.4",
	}
}
