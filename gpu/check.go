package gpu

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says how much a finding weighs.
type Severity uint8

// The severities, in ascending order.
const (
	Info          Severity = iota // worth knowing, no fault
	Suspicious                    // possible, yet unusual enough to look at
	Contradiction                 // cannot be true of honest hardware and an honest driver
)

// String returns the severity in words.
func (s Severity) String() string { return word(int(s), "info", "suspicious", "contradiction") }

// Finding is one rule that fired.
type Finding struct {
	Rule     string   // the rule's name, listed in the package comment
	Severity Severity // how much it weighs
	Device   int      // index into Inventory.Devices; of two devices at odds, the later one
	Detail   string   // what was found, with the values
}

// String returns the finding on one line.
func (f Finding) String() string {
	return fmt.Sprintf("device %d: %s (%v): %s", f.Device, f.Rule, f.Severity, f.Detail)
}

// ContradictionError says that an inventory contradicts itself or the catalogue. It holds every finding, contradictions
// and milder ones.
type ContradictionError struct{ Findings []Finding }

// Error names the contradictions.
func (e *ContradictionError) Error() string {
	var b strings.Builder
	b.WriteString("gpu: inventory contradicts itself")
	sep := ": "
	for _, f := range e.Findings {
		if f.Severity == Contradiction {
			b.WriteString(sep + f.String())
			sep = "; "
		}
	}
	return b.String()
}

// Assurance is how far a claim has been carried.
type Assurance uint8

// The levels, in ascending order.
const (
	Claimed    Assurance = iota // a signed report says so
	Consistent                  // besides, every model is in the catalogue and no rule found a contradiction
	Proven                      // besides, the device passed a challenge of work and memory lately
	Attested                    // besides, its vendor vouches for the chip, with fresh evidence
)

// String returns the level in words.
func (a Assurance) String() string {
	return word(int(a), "claimed", "consistent", "proven", "attested")
}

// Assess gives the level that an inventory with these findings has reached. Suspicions do not lower it: they are shown.
func Assess(findings []Finding) Assurance {
	for _, f := range findings {
		if f.Severity == Contradiction || f.Rule == ruleNameUnknown {
			return Claimed
		}
	}
	return Consistent
}

const (
	ruleNameUnknown     = "name-unknown"
	ruleNameVsDeviceID  = "name-vs-device-id"
	ruleMemoryTotal     = "memory-total"
	ruleMemoryModified  = "memory-modified"
	ruleUUIDForm        = "uuid-form"
	ruleDuplicateUUID   = "duplicate-uuid"
	ruleDuplicateSerial = "duplicate-serial"
	ruleDuplicateBus    = "duplicate-bus"
	ruleIdentityChange  = "identity-change"
)

// Check compares a valid inventory with the catalogue and with itself, device by device in the order of the inventory. The
// rules are listed in the package comment. An honest host gives no finding above Info.
func Check(inv Inventory, c *Catalog) []Finding {
	var out []Finding
	for i, d := range inv.Devices {
		add := func(rule string, s Severity, format string, args ...any) {
			out = append(out, Finding{Rule: rule, Severity: s, Device: i, Detail: fmt.Sprintf(format, args...)})
		}
		if d.Vendor == NVIDIA && !uuidForm(string(d.ID)) {
			add(ruleUUIDForm, Contradiction, "%q is not GPU- or MIG- and a UUID in lower case", string(d.ID))
		}
		var spec Spec
		if row, known := c.byName[d.Model]; known {
			spec = c.specs[row]
			checkModel(d, spec, add)
		} else {
			add(ruleNameUnknown, Info, "%q is not in the catalogue", d.Model)
		}
		checkDuplicates(inv.Devices, i, spec, add)
	}
	return out
}

// changed gives the findings about a device that kept its UUID since an earlier inventory and is now at the given index.
func changed(old, d Device, index int) []Finding {
	var out []Finding
	add := func(what, from, to string) {
		out = append(out, Finding{
			Rule: ruleIdentityChange, Severity: Suspicious, Device: index, Detail: fmt.Sprintf("%s was %q, is %q", what, from, to),
		})
	}
	if old.Model != d.Model {
		add("model", old.Model, d.Model)
	}
	if old.Vendor != d.Vendor || old.PCIDeviceID != d.PCIDeviceID {
		pci := func(d Device) string { return fmt.Sprintf("%04x:%04x", uint16(d.Vendor), d.PCIDeviceID) }
		add("pci_device_id", pci(old), pci(d))
	}
	if old.Serial != d.Serial {
		add("serial", old.Serial, d.Serial)
	}
	if old.VBIOS != d.VBIOS {
		add("vbios", old.VBIOS, d.VBIOS)
	}
	was, _ := parseBus(old.BusID)
	is, _ := parseBus(d.BusID)
	if was != is {
		add("bus_id", old.BusID, d.BusID)
	}
	return out
}

type addFunc func(rule string, s Severity, format string, args ...any)

// checkModel compares a device with the row of its name.
func checkModel(d Device, spec Spec, add addFunc) {
	if d.Vendor != spec.Vendor || !slices.Contains(spec.DeviceIDs, d.PCIDeviceID) {
		add(ruleNameVsDeviceID, Contradiction, "%q has PCI id %04x:%04x, known are %04x:%04x", d.Model, uint16(d.Vendor),
			d.PCIDeviceID, uint16(spec.Vendor), spec.DeviceIDs)
	}
	switch {
	case slices.Contains(spec.MemoryMiB, d.MemoryMiB):
	case slices.Contains(spec.ModifiedMiB, d.MemoryMiB):
		add(ruleMemoryModified, Suspicious, "%q with %d MiB is a board with larger memory chips", d.Model, d.MemoryMiB)
	case !spec.MemoryVerified: // the list itself was never seen on hardware: it may be the list that is wrong
		add(ruleMemoryTotal, Suspicious, "%q has %d MiB, published are %d", d.Model, d.MemoryMiB, spec.MemoryMiB)
	default:
		add(ruleMemoryTotal, Contradiction, "%q has %d MiB, drivers report %d", d.Model, d.MemoryMiB, spec.MemoryMiB)
	}
}

// checkDuplicates compares a device with those before it.
func checkDuplicates(all []Device, i int, spec Spec, add addFunc) {
	d := all[i]
	slot, _ := parseBus(d.BusID)
	serials := uint8(1)
	for j, o := range all[:i] {
		if o.ID == d.ID {
			add(ruleDuplicateUUID, Contradiction, "%q is device %d too", string(d.ID), j)
		}
		if other, _ := parseBus(o.BusID); other == slot {
			add(ruleDuplicateBus, Contradiction, "%q is device %d too", d.BusID, j)
		}
		if d.Serial != "" && o.Serial == d.Serial && o.Vendor == d.Vendor {
			serials++
		}
	}
	// A serial number is the board's: the four GPUs of an A16 share one. Of an unknown model one GPU a board is assumed.
	if most := max(spec.GPUsPerBoard, 1); serials > most {
		add(ruleDuplicateSerial, Contradiction, "%q is on %d devices, a board of %q holds %d", d.Serial, serials, d.Model, most)
	}
}

// uuidForm reports whether s is GPU- or MIG- and 8-4-4-4-12 lower-case hexadecimal digits that are not all zero. Lower case
// is what drivers write; a second spelling would be a second identity.
func uuidForm(s string) bool {
	u, gpu := strings.CutPrefix(s, "GPU-")
	if !gpu {
		var mig bool
		if u, mig = strings.CutPrefix(s, "MIG-"); !mig {
			return false
		}
	}
	if len(u) != 36 || strings.Trim(u, "0-") == "" {
		return false
	}
	for i := range len(u) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := u[i] >= '0' && u[i] <= '9' || u[i] >= 'a' && u[i] <= 'f'
		if dash != (u[i] == '-') || !dash && !hex {
			return false
		}
	}
	return true
}

// word returns the i-th word, or the number where there is none.
func word(i int, words ...string) string {
	if i < len(words) {
		return words[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}
