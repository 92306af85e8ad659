package gpu

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// MaxDevices is the most devices that one inventory may list: no server on the market holds more.
const MaxDevices = 16

// Inventory is what one host says about its GPUs at one instant. A Source gives it; a report carries it.
type Inventory struct {
	Taken   time.Time `json:"taken"`
	Host    string    `json:"host"`
	BootID  string    `json:"boot_id"` // the kernel's random id of this boot; a new one means that the host restarted
	Driver  string    `json:"driver"`  // version of the display driver, "550.54.15"
	Devices []Device  `json:"devices"` // 1 to MaxDevices, in the driver's order

	// Missing lists devices that are known to be there and could not be read: lost, stuck, or without an identity.
	Missing []Missing `json:"missing,omitempty"`

	Backend      string            `json:"backend,omitempty"`       // who read it: "go-nvml", "purego-nvml", "sysfs", "fake"
	Platform     string            `json:"platform,omitempty"`      // "linux/amd64"
	Hypervisor   Opt[string]       `json:"hypervisor,omitzero"`     // "none" on bare metal
	NVML         Opt[string]       `json:"nvml,omitzero"`           // version of the management library
	CUDADriver   Opt[string]       `json:"cuda_driver,omitzero"`    // newest CUDA version that the driver runs: "12.4"
	Confidential Opt[Confidential] `json:"confidential,omitzero"`   // confidential-computing state
	Links        []Link            `json:"links,omitempty"`         // how pairs of devices are joined, A < B, in that order
	LibrarySHA   Opt[string]       `json:"library_sha256,omitzero"` // of the management library's bytes, hexadecimal

	// Views are what other witnesses on the host say. A view that nobody asked for is not OK.
	PCIView  Opt[[]PCIFunction] `json:"pci_view,omitzero"`  // the kernel's PCI tree: display controllers
	ProcView Opt[[]ProcGPU]     `json:"proc_view,omitzero"` // /proc/driver/nvidia/gpus
	CUDAView Opt[[]CUDADevice]  `json:"cuda_view,omitzero"` // the CUDA driver library
}

// Missing is a device that is known to be there and could not be read.
type Missing struct {
	ID    DeviceID `json:"id,omitempty"`     // empty: not known
	BusID string   `json:"bus_id,omitempty"` // empty: not known
	Why   string   `json:"why"`              // one of the Why constants, alone or before ": " and more words; or the driver's words
}

// Confidential is the state of confidential computing on the host.
type Confidential struct {
	Enabled     bool   `json:"enabled"`
	DevTools    bool   `json:"dev_tools"`             // debug mode: proves nothing
	Environment string `json:"environment,omitempty"` // "none", "sim", "prod"
}

// LinkKind says how two devices of one host are joined, from near to far as the driver names it.
type LinkKind uint8

// The kinds. Farther is larger; LinkNVLink stands apart and is nearest.
const (
	LinkUnknown  LinkKind = iota
	LinkNVLink            // NVLink, direct or through switches; Link.Count links
	LinkBoard             // the same board
	LinkSwitch            // one PCIe switch
	LinkSwitches          // several switches below one host bridge
	LinkHost              // one host bridge
	LinkNode              // one NUMA node
	LinkSystem            // across sockets
)

// String returns the kind as nvidia-smi topo prints it.
func (k LinkKind) String() string {
	return word(int(k), "unknown", "NV", "INT", "PIX", "PXB", "PHB", "NODE", "SYS")
}

// Link joins two devices, by their indices in Inventory.Devices.
type Link struct {
	A     uint8    `json:"a"`
	B     uint8    `json:"b"`
	Kind  LinkKind `json:"kind"`
	Count uint8    `json:"count,omitempty"` // of NVLinks
}

// PCIFunction is a display controller in the kernel's PCI tree.
type PCIFunction struct {
	BusID     string  `json:"bus_id"`
	ID        PCIPair `json:"id"`
	Subsystem PCIPair `json:"subsystem,omitzero"`
	Class     uint32  `json:"class"`            // 24 bits; 0x0300xx is VGA, 0x0302xx is 3D, 0x1200xx a processing accelerator
	Driver    string  `json:"driver,omitempty"` // the kernel driver bound to it: "nvidia", "vfio-pci", "amdgpu"; empty: none
}

// ProcGPU is one file of /proc/driver/nvidia/gpus/*/information.
type ProcGPU struct {
	BusID string      `json:"bus_id"`
	Model string      `json:"model"`
	ID    Opt[string] `json:"id,omitzero"` // the UUID; the kernel hides it from some users
	VBIOS Opt[string] `json:"vbios,omitzero"`
}

// CUDADevice is what the CUDA driver library says about a device.
type CUDADevice struct {
	ID                DeviceID    `json:"id"` // "GPU-" and the UUID that cuDeviceGetUuid gives
	Name              string      `json:"name"`
	MemoryBytes       uint64      `json:"memory_bytes"` // less than the total of NVML by what the driver keeps
	BusID             string      `json:"bus_id,omitempty"`
	SMs               Opt[uint32] `json:"sms,omitzero"`
	ComputeCapability Opt[string] `json:"compute_capability,omitzero"`
}

// ParseInventory decodes the JSON form of an inventory and checks its structure. It never panics. Keys that it does not
// know are skipped, so that an agent newer than its verifier is still heard; a key that is not in lower case or is twice in
// one object is refused, because two readers could take the text differently. Errors wrap ErrInvalid.
func ParseInventory(b []byte) (Inventory, error) {
	var inv Inventory
	if err := decodeOnce(b, &inv); err != nil {
		return Inventory{}, fmt.Errorf("%w: inventory: %s", ErrInvalid, err.Error())
	}
	if err := inv.Validate(); err != nil {
		return Inventory{}, err
	}
	return inv, nil
}

// Validate reports the first structural fault: no devices or more than MaxDevices, a time outside the years 2000 to 9999,
// a field that is empty, too long, padded or not printable ASCII. Whether the content can be true is what Check judges.
func (inv Inventory) Validate() error {
	if y := inv.Taken.UTC().Year(); y < 2000 || y > 9999 {
		return fmt.Errorf("%w: taken %v is not in the years 2000 to 9999", ErrInvalid, inv.Taken)
	}
	for _, f := range []struct{ name, value string }{{"host", inv.Host}, {"boot_id", inv.BootID}, {"driver", inv.Driver}} {
		if err := checkText(f.name, f.value, true); err != nil {
			return err
		}
	}
	if n := len(inv.Devices); n == 0 || n > MaxDevices {
		return fmt.Errorf("%w: %d devices are not in 1..%d", ErrInvalid, n, MaxDevices)
	}
	for i, d := range inv.Devices {
		if err := d.validate(); err != nil {
			return fmt.Errorf("device %d: %w", i, err)
		}
		if d.Reading != nil {
			if err := d.Reading.validate(); err != nil {
				return fmt.Errorf("device %d: %w", i, err)
			}
		}
	}
	return inv.validateRest()
}

// Digest is the SHA-256 of the hardware's identity: every device's vendor, PCI id, slot, UUID, serial number, VBIOS, model
// and memory. It stays equal while the hardware is the same: the time, the host's name, the boot, the driver and the order
// of the devices do not count.
func (inv Inventory) Digest() [32]byte {
	devices := slices.SortedFunc(slices.Values(inv.Devices), func(a, b Device) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.BusID, b.BusID))
	})
	w := canon.NewWriter("idlegrid/gpu/identity/v1")
	w.Len(len(devices))
	for _, d := range devices {
		d.encode(w)
	}
	return w.Sum()
}

// encode writes the whole device, its slot in one spelling.
func (d Device) encode(w *canon.Writer) {
	slot, _ := parseBus(d.BusID)
	w.String(string(d.ID))
	w.String(d.Model)
	w.Uint16(uint16(d.Vendor))
	w.Uint16(d.PCIDeviceID)
	w.Uint64(slot)
	w.String(d.Serial)
	w.String(d.VBIOS)
	w.Uint64(d.MemoryMiB)
}

// deviceBytes is the least that a device takes in a canonical encoding.
const deviceBytes = 4*4 + 2*2 + 2*8

// decodeDevice reads what encode wrote.
func decodeDevice(r *canon.Reader) Device {
	d := Device{ID: DeviceID(r.String()), Model: r.String(), Vendor: Vendor(r.Uint16()), PCIDeviceID: r.Uint16()}
	d.BusID = formatBus(r.Uint64())
	d.Serial, d.VBIOS, d.MemoryMiB = r.String(), r.String(), r.Uint64()
	return d
}
