package gpu

import (
	"fmt"
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

// Host is the Finding.Device of a finding that is not about one device.
const Host = -1

// Finding is one rule that fired.
type Finding struct {
	Rule     string   // the rule's name, listed by Rules
	Severity Severity // how much it weighs
	Device   int      // index into Inventory.Devices; of two devices at odds, the later one; Host: of none
	Detail   string   // what was found, with the values
}

// String returns the finding on one line.
func (f Finding) String() string {
	if f.Device == Host {
		return fmt.Sprintf("host: %s (%v): %s", f.Rule, f.Severity, f.Detail)
	}
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

// Check compares a valid inventory with the catalogue, with itself and with what other witnesses on the host say, first device
// by device in the order of the inventory, then the host as a whole. The rules are those of Rules that one inventory can show;
// each looks only at values that are there. An honest host gives no finding above Info.
func Check(inv Inventory, c *Catalog) []Finding {
	k := &checker{inv: inv, catalog: c}
	for i := range inv.Devices {
		k.device = i
		k.checkDevice()
	}
	k.device = Host
	k.checkDriver()
	k.checkViews()
	return k.out
}

// checker collects findings about one inventory.
type checker struct {
	inv     Inventory
	catalog *Catalog
	device  int // whom add blames: an index into inv.Devices, or Host
	out     []Finding
}

func (k *checker) add(rule, format string, args ...any) {
	k.out = append(k.out, Finding{Rule: rule, Severity: severityOf(rule), Device: k.device, Detail: fmt.Sprintf(format, args...)})
}

// checkDevice compares one device with its form, its row and its neighbours.
func (k *checker) checkDevice() {
	d := k.inv.Devices[k.device]
	if d.Vendor == NVIDIA && !uuidForm(string(d.ID)) {
		k.add(ruleUUIDForm, "%q is not GPU- or MIG- and a UUID in lower case", string(d.ID))
	}
	spec, known := k.spec(d.Model)
	if known {
		k.checkModel(d, spec)
	} else {
		k.checkUnknown(d)
	}
	if d.Reading != nil {
		k.checkReading(d, spec)
	}
	k.checkDuplicates(spec)
}

// spec finds the row of a name. Drivers before the 465 branch left "NVIDIA " out: "GeForce RTX 2080 Ti".
func (k *checker) spec(model string) (Spec, bool) {
	row, ok := k.catalog.byName[model]
	if branch, isVersion := driverBranch(k.inv.Driver); !ok && isVersion && branch < 465 {
		row, ok = k.catalog.byName["NVIDIA "+model]
	}
	if !ok {
		return Spec{}, false
	}
	return k.catalog.specs[row], true
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

// checkDuplicates compares a device with those before it.
func (k *checker) checkDuplicates(spec Spec) {
	d := k.inv.Devices[k.device]
	slot, _ := parseBus(d.BusID)
	serials := uint8(1)
	for j, o := range k.inv.Devices[:k.device] {
		if o.ID == d.ID {
			k.add(ruleDuplicateUUID, "%q is device %d too", string(d.ID), j)
		}
		if other, _ := parseBus(o.BusID); other == slot {
			k.add(ruleDuplicateBus, "%q is device %d too", d.BusID, j)
		}
		if isSerial(d.Serial) && o.Serial == d.Serial && o.Vendor == d.Vendor {
			serials++
		}
	}
	// A serial number is the board's: the four GPUs of an A16 share one. A model that nobody knows may be such a board too, unless
	// its PCI id is one of another name.
	most := spec.GPUsPerBoard
	if most == 0 && k.catalog.bearers(d.Vendor, d.PCIDeviceID) == nil {
		most = mostPerBoard
	}
	if most = max(most, 1); serials > most {
		k.add(ruleDuplicateSerial, "%q is on %d devices, a board of %q holds %d", d.Serial, serials, d.Model, most)
	}
}

// mostPerBoard is how many GPUs the board of a model that nobody knows may hold: as many as any board that is known.
const mostPerBoard = 4

// isSerial reports whether a serial number is one: boards without any are sold with "0", "00000000" or "N/A" written in its place.
func isSerial(s string) bool {
	return strings.Trim(s, "0 ") != "" && !strings.EqualFold(s, "N/A") && !strings.EqualFold(s, "unknown")
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
