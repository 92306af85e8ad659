package gpu

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// DeviceID names one GPU: the UUID that its driver gives it, for example "GPU-8d1d5f1c-3f0a-4f0e-9b7a-1c2d3e4f5a6b".
type DeviceID string

// Vendor is the PCI vendor id of a device.
type Vendor uint16

// The vendors of the models in the catalogue.
const (
	NVIDIA Vendor = 0x10de
	AMD    Vendor = 0x1002
	Intel  Vendor = 0x8086
)

// String returns the vendor's name, or its id as four hexadecimal digits.
func (v Vendor) String() string {
	switch v {
	case NVIDIA:
		return "NVIDIA"
	case AMD:
		return "AMD"
	case Intel:
		return "Intel"
	}
	return fmt.Sprintf("%04x", uint16(v))
}

// ErrInvalid is what every error about the structure of an inventory, of parameters or of an event wraps.
var ErrInvalid = errors.New("gpu: invalid")

// Device is what a driver says about one GPU. It is a claim until something else confirms it.
//
// A serial number and a VBIOS version are empty where the driver gives none (GeForce boards have no serial number); every
// other field is needed.
type Device struct {
	ID          DeviceID `json:"id"`
	Model       string   `json:"model"`         // the driver's name, letter for letter: "NVIDIA H100 80GB HBM3"
	Vendor      Vendor   `json:"pci_vendor_id"` // NVIDIA is 4318
	PCIDeviceID uint16   `json:"pci_device_id"`
	BusID       string   `json:"bus_id"` // domain:bus:device.function, "00000000:18:00.0"
	Serial      string   `json:"serial,omitempty"`
	VBIOS       string   `json:"vbios,omitempty"`
	MemoryMiB   uint64   `json:"memory_mib"` // total, as the driver reports it: seldom the round number on the box

	// Reading is the state that the device was in; nil in a report that carries identities only. It is shared, not copied,
	// when a Device is: change none that you did not make.
	Reading *Reading `json:"reading,omitempty"`
}

// validate says what a device lacks to be judged at all.
func (d Device) validate() error {
	texts := []struct {
		name, value string
		needed      bool
	}{
		{"id", string(d.ID), true},
		{"model", d.Model, true},
		{"bus_id", d.BusID, true},
		{"serial", d.Serial, false},
		{"vbios", d.VBIOS, false},
	}
	for _, f := range texts {
		if err := checkText(f.name, f.value, f.needed); err != nil {
			return err
		}
	}
	if _, ok := parseBus(d.BusID); !ok {
		return fmt.Errorf("%w: bus_id %q is not domain:bus:device.function", ErrInvalid, d.BusID)
	}
	switch {
	case d.Vendor == 0:
		return fmt.Errorf("%w: pci_vendor_id is 0", ErrInvalid)
	case d.PCIDeviceID == 0:
		return fmt.Errorf("%w: pci_device_id is 0", ErrInvalid)
	case d.MemoryMiB == 0 || d.MemoryMiB > maxMemoryMiB:
		return fmt.Errorf("%w: memory_mib %d is not in 1..%d", ErrInvalid, d.MemoryMiB, uint64(maxMemoryMiB))
	}
	return nil
}

const (
	maxText      = 128     // bytes of a name; NVML's own buffers hold 96
	maxMemoryMiB = 1 << 24 // 16 TiB: sums over 16 devices stay far from overflow
)

// checkText refuses what two readers could take for the same name: bytes beyond printable ASCII, and spaces at the ends.
func checkText(name, s string, needed bool) error {
	switch {
	case s == "" && needed:
		return fmt.Errorf("%w: %s is empty", ErrInvalid, name)
	case len(s) > maxText:
		return fmt.Errorf("%w: %s has %d bytes, at most %d", ErrInvalid, name, len(s), maxText)
	case strings.TrimSpace(s) != s:
		return fmt.Errorf("%w: %s %q begins or ends with a space", ErrInvalid, name, s)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return fmt.Errorf("%w: %s %q is not printable ASCII", ErrInvalid, name, s)
		}
	}
	return nil
}

// parseBus reads a PCI address. NVML writes eight digits of domain, the kernel four or as many more as it takes; all are the same
// slot.
func parseBus(s string) (slot uint64, ok bool) {
	domain, rest, ok1 := strings.Cut(s, ":")
	bus, rest, ok2 := strings.Cut(rest, ":")
	dev, fn, ok3 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || !ok3 || len(domain) < 4 || len(domain) > 8 || len(bus) != 2 || len(dev) != 2 || len(fn) != 1 {
		return 0, false
	}
	for _, part := range []struct {
		text string
		bits int
	}{{domain, 32}, {bus, 8}, {dev, 5}, {fn, 3}} {
		if strings.Trim(part.text, "0123456789abcdefABCDEF") != "" { // ParseUint would take a sign
			return 0, false
		}
		v, err := strconv.ParseUint(part.text, 16, part.bits)
		if err != nil {
			return 0, false
		}
		slot = slot<<part.bits | v
	}
	return slot, true
}

// formatBus spells a slot as NVML does.
func formatBus(slot uint64) string {
	return fmt.Sprintf("%08X:%02X:%02X.%X", slot>>16, slot>>8&0xff, slot>>3&0x1f, slot&7)
}
