package gpu

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// vitals is what was read of a device last, to compare the next reading with.
type vitals struct {
	energy, volatile, aggregate, replays, links Opt[uint64]

	windowBase   uint64    // replays at the start of the window that they are counted in
	windowAt     time.Time // when that was: a minute or more ago once the window ends
	rows         uint32    // replaced for correctable errors, as last read
	hot          time.Time // since when it is too hot; zero: it is not
	linksUp      uint64    // links that were ever up, a bit each
	switched     bool      // has links to NVSwitches
	pendingKnown bool      // the driver tells whether a replacement of rows waits
}

// checkProbe refuses an inventory that is malformed, or lists a device twice. Unlike a report's, it may have no devices left.
func checkProbe(inv Inventory) error {
	if len(inv.Devices) == 0 {
		alone := inv // with a device that is never looked at, so that the rest is judged by the one set of rules
		alone.Devices = []Device{{ID: "-", Model: "-", Vendor: NVIDIA, PCIDeviceID: 1, BusID: "0000:00:00.0", MemoryMiB: 1}}
		if len(inv.Missing) == 0 && len(inv.PCIView.V) == 0 {
			return fmt.Errorf("%w: no devices, and nothing is missing", ErrInvalid)
		}
		return alone.Validate()
	}
	if err := inv.Validate(); err != nil {
		return err
	}
	for i, d := range inv.Devices {
		if slices.ContainsFunc(inv.Devices[:i], func(e Device) bool { return e.ID == d.ID }) {
			return fmt.Errorf("%w: device %q is listed twice", ErrInvalid, string(d.ID))
		}
	}
	return nil
}

// probe applies an inventory that was checked.
func (m *Monitor) probe(inv Inventory) {
	reboot := m.boot != "" && m.boot != inv.BootID
	reload := reboot || m.driver != "" && m.driver != inv.Driver
	m.boot, m.driver = inv.BootID, inv.Driver
	readings := make(map[DeviceID]*Reading, len(inv.Devices))
	for _, d := range m.devices {
		d.listed = false
	}
	gone := map[DeviceID]string{} // why a device that is there could not be read
	for _, listed := range inv.Devices {
		d := m.admit(listed.ID)
		d.slot, _ = parseBus(listed.BusID)
		d.seen, d.listed = m.now, true
		readings[d.id] = listed.Reading
		if why := listed.Reading.trouble(); why != "" {
			d.listed, gone[d.id] = false, why
		}
	}
	for _, miss := range inv.Missing {
		if d := m.missing(miss); d != nil && !d.listed {
			d.seen = m.now
			gone[d.id] = miss.Why
		}
	}
	for _, d := range m.devices {
		why, known := gone[d.id]
		m.mark(d, readings[d.id], reboot, reload)
		switch {
		case d.listed:
			m.found(d)
			m.read(d, readings[d.id])
		case known && (why != WhyLost || !d.lent(inv)):
			m.unread(d, why)
		default:
			m.vanished(d, inv)
		}
	}
	m.evict()
}

// trouble is the reason why a device that is listed does not answer: lost or stuck. Empty: it answers.
func (r *Reading) trouble() string {
	if r == nil {
		return ""
	}
	whys := []string{r.Memory.Why, r.TempCelsius.Why, r.PowerMilliwatts.Why, r.PCIeWidth.Why, r.UncorrectedVolatile.Why}
	for _, why := range []string{WhyLost, WhyTimeout} {
		if slices.Contains(whys, why) {
			return why
		}
	}
	return ""
}

// missing finds the device of an entry, a new one if the entry has an id that was never listed; nil if it names none.
func (m *Monitor) missing(miss Missing) *patient {
	slot, ok := parseSlot(miss.BusID)
	if miss.ID != "" {
		d := m.admit(miss.ID)
		if ok {
			d.slot = slot
		}
		return d
	}
	if !ok {
		return nil
	}
	return m.inSlot(slot)
}

// mark notes what the probe says about resets, before anything else that it says is judged: what rose until then happened before the
// reset, what a restarted counter holds happened after it.
func (m *Monitor) mark(d *patient, r *Reading, reboot, reload bool) {
	v := &d.vitals
	if r != nil && d.listed {
		fell := fell(v.energy, r.EnergyMillijoules) || fell(v.volatile, r.UncorrectedVolatile) || fell(v.replays, r.PCIeReplays)
		reload = reload || fell
		if rise(&v.aggregate, r.UncorrectedAggregate) {
			m.uncorrected(d, fmt.Sprintf("%d uncorrectable ECC errors in all", r.UncorrectedAggregate.V))
		}
		if r.EnergyMillijoules.OK {
			v.energy = r.EnergyMillijoules
		}
	}
	if !reload {
		return
	}
	if v.volatile.OK {
		v.volatile.V = 0
	}
	if v.replays.OK {
		v.replays.V, v.windowBase = 0, 0
	}
	for i := range d.conditions {
		d.conditions[i].rebooted = d.conditions[i].rebooted || reboot
	}
	m.sawReset(d)
}

// found ends what only the device's absence held up.
func (m *Monitor) found(d *patient) {
	d.end(RuleUnread)
	if c := d.get(RuleLost); c != nil {
		c.back = true
	}
}

// unread judges a device that is there and could not be read. A reason may have words after it: that an integrated GPU has no memory
// of its own, or NVIDIA's needs a library that this source does not use, is no loss.
func (m *Monitor) unread(d *patient, why string) {
	switch reason, _, _ := strings.Cut(why, ": "); reason {
	case WhyTimeout:
		m.raise(d, RuleStuck, "no answer by the deadline")
	case WhyNoPermission, WhyNotSupported, WhySymbolAbsent:
		m.raise(d, RuleUnread, cut(why))
	default:
		m.lose(d, "the driver cannot read it: "+why)
	}
}

// vanished judges a device that the driver does not speak of.
func (m *Monitor) vanished(d *patient, inv Inventory) {
	taken := slices.ContainsFunc(m.devices, func(e *patient) bool { return e.listed && e.slot == d.slot })
	for _, f := range inv.PCIView.V {
		if slot, ok := parseSlot(f.BusID); !inv.PCIView.OK || !ok || slot != d.slot || taken {
			continue
		}
		if f.Driver == guestDriver {
			m.raise(d, RuleAbsent, "bound to "+guestDriver)
			return
		}
		d.seen = m.now
		m.lose(d, "on the PCI bus at "+busName(d.slot)+" and unknown to the driver")
		return
	}
	m.raise(d, RuleAbsent, "neither the driver nor the PCI bus has it")
}

// guestDriver is bound to a device that was handed to a virtual machine, where it may well answer. A source that remembers its devices
// takes it for lost; it is not, and needs no reboot when it comes back.
const guestDriver = "vfio-pci"

// lent reports whether the device was handed to a virtual machine.
func (d *patient) lent(inv Inventory) bool {
	return slices.ContainsFunc(inv.PCIView.V, func(f PCIFunction) bool {
		slot, ok := parseSlot(f.BusID)
		return inv.PCIView.OK && ok && slot == d.slot && f.Driver == guestDriver
	})
}

// lose raises RuleLost. As long as the device was not back, a probe that still lacks it tells nothing new, and a reboot that was seen
// stays seen: the device may need a while to come up.
func (m *Monitor) lose(d *patient, detail string) {
	if c := d.get(RuleLost); c != nil && !c.back {
		c.last, c.detail = m.now, cut(detail)
		return
	}
	m.raise(d, RuleLost, cut(detail))
}

// evict keeps the number of devices within maxKnown.
func (m *Monitor) evict() {
	for len(m.devices) > maxKnown {
		oldest := -1
		for i, d := range m.devices {
			if !d.listed && (oldest < 0 || d.seen.Before(m.devices[oldest].seen)) {
				oldest = i
			}
		}
		m.devices = slices.Delete(m.devices, oldest, oldest+1) // there is one: at most MaxDevices are listed
	}
}

// fell reports whether a counter that restarts with the driver did.
func fell(before, now Opt[uint64]) bool { return before.OK && now.OK && now.V < before.V }

// rise stores a counter and reports whether it grew; the first value is no growth.
func rise(before *Opt[uint64], now Opt[uint64]) bool {
	if !now.OK {
		return false
	}
	grew := before.OK && now.V > before.V
	*before = now
	return grew
}
