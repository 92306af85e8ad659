package gpu

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// MaxDevices is the most devices that one inventory may list: no server on the market holds more.
const MaxDevices = 16

// Inventory is what one host says about its GPUs at one instant.
type Inventory struct {
	Taken   time.Time `json:"taken"`
	Host    string    `json:"host"`
	BootID  string    `json:"boot_id"` // the kernel's random id of this boot; a new one means that the host restarted
	Driver  string    `json:"driver"`  // version of the display driver, "550.54.15"
	Devices []Device  `json:"devices"` // 1 to MaxDevices, in the driver's order
}

// ParseInventory decodes the JSON form of an inventory and checks its structure. It never panics. Keys that it does not
// know are skipped, so that an agent newer than its verifier is still heard. Errors wrap ErrInvalid.
func ParseInventory(b []byte) (Inventory, error) {
	var inv Inventory
	if err := json.Unmarshal(b, &inv); err != nil {
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
	}
	return nil
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
