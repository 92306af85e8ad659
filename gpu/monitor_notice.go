package gpu

import (
	"fmt"
	"slices"
	"time"
)

// sameFault is how far apart two reports of one fault lie: NVML's event has no process, the kernel's log has one.
const sameFault = time.Second

// checkNotice refuses a notice that is of no kind, or names no device that is known.
func (m *Monitor) checkNotice(n Notice) error {
	if n.Kind < NoticeXid || n.Kind > NoticeReset {
		return fmt.Errorf("%w: notice of kind %v", ErrInvalid, n.Kind)
	}
	if n.Kind == NoticeSXid {
		return nil // its bus id is the switch's
	}
	if n.ID == "" {
		if _, ok := parseSlot(n.BusID); !ok {
			return fmt.Errorf("%w: bus_id %q is not domain:bus:device.function", ErrInvalid, n.BusID)
		}
	}
	if m.resolve(n) == nil {
		return fmt.Errorf("%w: %q in slot %q", ErrUnknownDevice, string(n.ID), n.BusID)
	}
	return nil
}

// resolve finds the device of a notice: by id, or as the one that is in the slot, or was there last.
func (m *Monitor) resolve(n Notice) *patient {
	if d, ok := m.find(n.ID); ok {
		return d
	}
	slot, ok := parseSlot(n.BusID)
	if !ok {
		return nil
	}
	return m.inSlot(slot)
}

// inSlot is the device that is in a slot, or was there last.
func (m *Monitor) inSlot(slot uint64) *patient {
	var best *patient
	for _, d := range m.devices {
		if d.slot == slot && (best == nil || d.listed && !best.listed || d.listed == best.listed && d.seen.After(best.seen)) {
			best = d
		}
	}
	return best
}

// notice applies one that was checked.
func (m *Monitor) notice(n Notice) {
	if n.Kind == NoticeSXid {
		m.noticeSwitch(n)
		return
	}
	d := m.resolve(n)
	switch n.Kind {
	case NoticeXid:
		m.noticeXid(d, n)
	case NoticeUncorrected:
		m.uncorrected(d, "uncorrected memory error")
	case NoticeLost:
		m.raise(d, RuleLost, "the driver's word that the GPU is lost")
	case NoticeHang:
		if n.Fatal.OK && n.Fatal.V {
			m.raise(d, RuleReset, "a hang that the driver could not end")
		} else {
			m.appFault(d, n, "hang")
		}
	case NoticeReset:
		m.sawReset(d)
	case NoticeSXid, NoticeCorrected, NoticeClock, NoticePower, NoticeMIG: // no fault by themselves
	}
}

// noticeXid applies the rule of the number.
func (m *Monitor) noticeXid(d *patient, n Notice) {
	detail := fmt.Sprintf("Xid %d", n.Xid)
	if n.PID.OK {
		detail += fmt.Sprintf(" of process %d", n.PID.V)
	}
	if n.Xid == 154 && n.SubCode.OK {
		detail += fmt.Sprintf(", action %d", n.SubCode.V)
		if n.Action != "" && checkText("action", n.Action, true) == nil {
			detail += fmt.Sprintf(" %q", n.Action)
		}
		if n.SubCode.V == 0 { // the driver asks for nothing more
			m.sawReset(d)
			return
		}
	}
	switch rule := m.xids.Rule(n); rule {
	case RuleNone:
	case RuleAppFault:
		m.appFault(d, n, detail)
	case RuleUncorrected:
		m.uncorrected(d, detail)
	default:
		m.raise(d, rule, cut(detail))
	}
}

// noticeSwitch applies an error of an NVSwitch to all devices that hang on switches: those of one host share them.
func (m *Monitor) noticeSwitch(n Notice) {
	if !n.Fatal.OK || !n.Fatal.V {
		return
	}
	for _, d := range m.devices {
		if d.vitals.switched {
			m.raise(d, RuleNVLink, fmt.Sprintf("SXid %d of an NVSwitch", n.Xid))
		}
	}
}

// appFault counts a fault of a program. Only the last few times are kept: n faults lie in the window if the n-th last does.
func (m *Monitor) appFault(d *patient, n Notice, detail string) {
	if l := d.last; !l.at.IsZero() && l.xid == n.Xid && l.named != n.PID.OK && m.now.Sub(l.at) <= sameFault {
		d.last = fault{} // both witnesses were heard
	} else {
		d.faults = keepLast(d.faults, m.now, m.params.AppFaults)
		d.last = fault{xid: n.Xid, named: n.PID.OK, at: m.now}
	}
	if n.PID.OK {
		d.programs = slices.DeleteFunc(d.programs, func(p program) bool { return p.pid == n.PID.V })
		d.programs = keepLast(d.programs, program{pid: n.PID.V, at: m.now}, m.params.AppProcesses)
	}
	many := len(d.faults) == int(m.params.AppFaults) && m.now.Sub(d.faults[0]) <= m.params.AppWindow
	several := len(d.programs) == int(m.params.AppProcesses) && m.now.Sub(d.programs[0].at) <= m.params.AppWindow
	if many && several || d.get(RuleAppFault) != nil {
		m.raise(d, RuleAppFault, cut(detail))
	}
}

// uncorrected applies an uncorrectable memory error. Until the reset that the last one asked for was seen, more are the same error told
// again: a driver logs Xid 48, 63, 94 and 171 for one.
func (m *Monitor) uncorrected(d *patient, detail string) {
	if c := d.get(RuleUncorrected); c == nil || c.reset || c.rebooted {
		d.memory = keepLast(d.memory, m.now, m.params.MemoryRepeats)
	}
	c := m.raise(d, RuleUncorrected, cut(detail))
	m.harden(d, c, d.memory, m.params.MemoryRepeats)
}

// test applies the result of a self-test.
func (m *Monitor) test(d *patient, ok bool) {
	if !ok {
		d.wrong = keepLast(d.wrong, m.now, m.params.TestRepeats)
		c := m.raise(d, RuleSelfTest, "a failed self-test")
		m.harden(d, c, d.wrong, m.params.TestRepeats)
		return
	}
	if c := d.get(RuleSelfTest); c != nil && c.passes < maxRepeats {
		c.passes++
	}
	for i := len(d.conditions) - 1; i >= 0; i-- {
		if c := &d.conditions[i]; c.passed(&m.params) {
			d.end(c.rule)
		}
	}
}

// sawReset notes that a device was reset.
func (m *Monitor) sawReset(d *patient) {
	for i := range d.conditions {
		d.conditions[i].reset = true
	}
	d.end(RuleDrainP2P)
	if !d.vitals.pendingKnown {
		d.end(RuleRowsPending) // where the driver tells whether rows are pending, it has the word
	}
}

// cut keeps a detail within what a text may hold.
func cut(s string) string { return s[:min(len(s), maxText)] }
