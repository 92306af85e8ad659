package gpu

import (
	"errors"
	"fmt"
	"time"
)

// Audit returns the first invariant that the state breaks, nil if it breaks none: devices are in the order of their ids and not more
// than are remembered; a device's health is the worst of its conditions, which are in order, of known rules, and neither begin nor
// repeat after now; what is kept for counting is no longer than what is counted.
func (m *Monitor) Audit() error {
	if len(m.devices) > maxKnown {
		return fmt.Errorf("gpu: audit: %d devices, at most %d", len(m.devices), maxKnown)
	}
	for i, d := range m.devices {
		if i > 0 && m.devices[i-1].id >= d.id {
			return fmt.Errorf("gpu: audit: device %q after %q", string(d.id), string(m.devices[i-1].id))
		}
		if err := m.auditPatient(d); err != nil {
			return fmt.Errorf("gpu: audit: device %q: %w", string(d.id), err)
		}
	}
	return nil
}

func (m *Monitor) auditPatient(d *patient) error {
	if err := checkText("id", string(d.id), true); err != nil {
		return err
	}
	worst := Healthy
	for i := range d.conditions {
		c := &d.conditions[i]
		if i > 0 && d.conditions[i-1].rule >= c.rule {
			return fmt.Errorf("rule %v after %v", c.rule, d.conditions[i-1].rule)
		}
		if err := m.auditCondition(c); err != nil {
			return fmt.Errorf("rule %v: %w", c.rule, err)
		}
		worst = max(worst, c.rule.Health())
	}
	if d.health != worst {
		return fmt.Errorf("is %v, its conditions say %v", d.health, worst)
	}
	if d.since.After(m.now) || d.seen.After(m.now) || d.cleared.At.After(m.now) || d.vitals.hot.After(m.now) || d.vitals.windowAt.After(m.now) {
		return fmt.Errorf("since %v, seen %v, cleared %v, now %v", d.since, d.seen, d.cleared.At, m.now)
	}
	if v := &d.vitals; v.windowBase > v.replays.V {
		return fmt.Errorf("replays %d, %d at the start of the window", v.replays.V, v.windowBase)
	}
	return m.auditCounts(d)
}

func (m *Monitor) auditCondition(c *condition) error {
	switch {
	case c.rule == RuleNone || c.rule >= numRules:
		return errors.New("holds of no device")
	case len(c.detail) > maxText:
		return fmt.Errorf("detail of %d bytes, at most %d", len(c.detail), maxText)
	case c.since.After(c.last) || c.last.After(m.now) || c.good.After(m.now):
		return fmt.Errorf("since %v, last %v, good %v, now %v", c.since, c.last, c.good, m.now)
	case c.operator && c.rule != RuleUncorrected && c.rule != RuleSelfTest:
		return errors.New("never needs an operator for repeating")
	case c.passes > maxRepeats:
		return fmt.Errorf("%d passes, at most %d", c.passes, maxRepeats)
	}
	return nil
}

func (m *Monitor) auditCounts(d *patient) error {
	programs := make([]time.Time, len(d.programs))
	for i, p := range d.programs {
		programs[i] = p.at
	}
	for _, l := range []struct {
		name  string
		times []time.Time
		most  uint32
	}{
		{"faults", d.faults, m.params.AppFaults},
		{"programs", programs, m.params.AppProcesses},
		{"memory errors", d.memory, m.params.MemoryRepeats},
		{"wrong results", d.wrong, m.params.TestRepeats},
	} {
		if len(l.times) > int(l.most) {
			return fmt.Errorf("%d %s, at most %d", len(l.times), l.name, l.most)
		}
		for i, t := range l.times {
			if t.After(m.now) || i > 0 && t.Before(l.times[i-1]) {
				return fmt.Errorf("%s out of order at %v", l.name, t)
			}
		}
	}
	return nil
}
