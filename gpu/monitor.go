package gpu

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"time"
)

// Refusals of Monitor.Apply besides ErrInvalid, ErrUnknownDevice and ErrTimeBackwards.
var (
	ErrNotListed = errors.New("gpu: the last probe could not read that device")
)

// MonitorEvent is something that happened to a Monitor: Probed, Noticed, SelfTested, Cleared or Ticked.
//
//sumtype:decl
type MonitorEvent interface{ monitorEvent() }

// Probed says what a probe of the host found. An inventory without devices is heard if it says what is missing.
type Probed struct{ Inventory Inventory }

// Noticed says what the driver or the kernel's log said. A notice without a device id is resolved by its bus id through the last probe; one
// of an NVSwitch concerns every device that has links to one.
type Noticed struct{ Notice Notice }

// SelfTested says how a test of a device's arithmetic ended, for example a work proof against itself.
type SelfTested struct {
	Device DeviceID
	OK     bool
	Ops    uint64 // operations or bytes that were checked; 0 is a failure whatever OK says: a test that did nothing proves nothing
}

// Cleared is an operator's word that a device is in order. It ends every reason and forgets what repeated and which NVLinks were up;
// what is still to be seen comes back with the next probe.
type Cleared struct {
	Device   DeviceID
	Operator string // printable ASCII, 1 to 128 bytes
	Note     string // printable ASCII, at most 128 bytes
}

// Ticked says that time passed.
type Ticked struct{}

func (Probed) monitorEvent()     {}
func (Noticed) monitorEvent()    {}
func (SelfTested) monitorEvent() {}
func (Cleared) monitorEvent()    {}
func (Ticked) monitorEvent()     {}

// maxKnown is how many devices a Monitor remembers: those of four full hosts. Beyond it, the one that was in no probe for the longest
// time is forgotten, so that a source which invents ids cannot fill the memory.
const maxKnown = 4 * MaxDevices

// Monitor follows the health of the devices of one host, as one source sees them. It is a state machine: the same events at the same
// times give the same state. A device gets worse at once and better only by the exit of what made it worse. It is not safe for
// concurrent use.
type Monitor struct {
	params  HealthParams
	xids    *Xids
	now     time.Time
	boot    string     // of the last probe
	driver  string     // of the last probe
	devices []*patient // by id
}

// patient is what is known of one device. Every list is bounded.
type patient struct {
	id         DeviceID
	slot       uint64 // where it was last
	seen       time.Time
	listed     bool
	health     Health
	since      time.Time
	conditions []condition // by rule
	cleared    Clearance
	vitals     vitals

	faults   []time.Time // the last AppFaults application faults
	programs []program   // the AppProcesses processes that failed last, oldest first
	last     fault       // the last fault, in case a second witness tells of it too
	memory   []time.Time // the last MemoryRepeats uncorrectable errors
	wrong    []time.Time // the last TestRepeats wrong results

	changed bool // within one Apply
}

// program is a process and when it failed last.
type program struct {
	pid uint32
	at  time.Time
}

// fault is an application fault that one witness told of.
type fault struct {
	xid   uint32
	named bool // with its process
	at    time.Time
}

// NewMonitor returns a monitor that knows no device.
func NewMonitor(p HealthParams) (*Monitor, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	x, err := NewXids()
	if err != nil {
		return nil, err
	}
	return &Monitor{params: p, xids: x}, nil
}

// Apply takes one event and returns the diagnoses that changed: a reason came, went or hardened. They are in the order of the devices'
// ids. An error means that nothing changed, not even the time: ErrTimeBackwards, ErrInvalid (an event that is malformed, or an
// inventory that lists a device twice), ErrUnknownDevice, or ErrNotListed (a self-test or the clearance of a device that the last probe could
// not read).
func (m *Monitor) Apply(at time.Time, e MonitorEvent) ([]Diagnosis, error) {
	at = at.UTC().Round(0) // without the monotonic clock, which a snapshot would lose
	if at.Before(m.now) {
		return nil, fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at, m.now)
	}
	if err := m.check(e); err != nil {
		return nil, err
	}
	m.now = at
	for _, d := range m.devices {
		d.changed = false
		m.expire(d)
	}
	switch e := e.(type) {
	case Probed:
		m.probe(e.Inventory)
	case Noticed:
		m.notice(e.Notice)
	case SelfTested:
		d, _ := m.find(e.Device)
		m.test(d, e.OK && e.Ops > 0)
	case Cleared:
		d, _ := m.find(e.Device)
		d.clear(Clearance{At: at, Operator: e.Operator, Note: e.Note})
	case Ticked:
	}
	m.forget()
	var out []Diagnosis
	for _, d := range m.devices {
		if d.changed {
			d.settle(at)
			out = append(out, m.diagnose(d))
		}
	}
	return out, nil
}

// Diagnosis returns what is thought of a device; false if it is not known.
func (m *Monitor) Diagnosis(id DeviceID) (Diagnosis, bool) {
	d, ok := m.find(id)
	if !ok {
		return Diagnosis{}, false
	}
	return m.diagnose(d), true
}

// Diagnoses iterates over all devices that are known, by id.
func (m *Monitor) Diagnoses() iter.Seq[Diagnosis] {
	return func(yield func(Diagnosis) bool) {
		for _, d := range m.devices {
			if !yield(m.diagnose(d)) {
				return
			}
		}
	}
}

// check refuses what Apply could not carry out.
func (m *Monitor) check(e MonitorEvent) error {
	switch e := e.(type) {
	case Probed:
		return checkProbe(e.Inventory)
	case Noticed:
		return m.checkNotice(e.Notice)
	case SelfTested:
		return m.checkListed(e.Device)
	case Cleared:
		if err := m.checkListed(e.Device); err != nil {
			return err
		}
		if err := checkText("operator", e.Operator, true); err != nil {
			return err
		}
		return checkText("note", e.Note, false)
	case Ticked:
		return nil
	}
	return fmt.Errorf("%w: no event", ErrInvalid) // nil: the interface is sealed
}

// checkListed refuses a device that the last probe did not read: nothing can have been computed on it, and nobody knows how it is.
func (m *Monitor) checkListed(id DeviceID) error {
	d, ok := m.find(id)
	switch {
	case !ok:
		return fmt.Errorf("%w: %q", ErrUnknownDevice, string(id))
	case !d.listed:
		return fmt.Errorf("%w: %q", ErrNotListed, string(id))
	}
	return nil
}

// find is a binary search.
func (m *Monitor) find(id DeviceID) (*patient, bool) {
	i := sort.Search(len(m.devices), func(i int) bool { return m.devices[i].id >= id })
	if i == len(m.devices) || m.devices[i].id != id {
		return nil, false
	}
	return m.devices[i], true
}

// admit returns the device of that id, a new one if it is not known.
func (m *Monitor) admit(id DeviceID) *patient {
	i := sort.Search(len(m.devices), func(i int) bool { return m.devices[i].id >= id })
	if i < len(m.devices) && m.devices[i].id == id {
		return m.devices[i]
	}
	d := &patient{id: id, since: m.now, seen: m.now}
	m.devices = slices.Insert(m.devices, i, d)
	d.changed = true
	return d
}

// forget drops devices that were in no probe for long.
func (m *Monitor) forget() {
	m.devices = slices.DeleteFunc(m.devices, func(d *patient) bool {
		return !d.listed && m.now.Sub(d.seen) >= m.params.ForgetAfter
	})
}

// expire ends what was quiet for long enough.
func (m *Monitor) expire(d *patient) {
	for i := len(d.conditions) - 1; i >= 0; i-- {
		c := &d.conditions[i]
		if c.exit() == ExitQuiet && m.now.Sub(c.last) >= m.params.wait(c.rule) {
			d.end(c.rule)
		}
	}
	if d.changed {
		d.settle(m.now)
	}
}

// raise says that a rule fires. It starts the way to the exit anew.
func (m *Monitor) raise(d *patient, r HealthRule, detail string) *condition {
	i := sort.Search(len(d.conditions), func(i int) bool { return d.conditions[i].rule >= r })
	if i == len(d.conditions) || d.conditions[i].rule != r {
		d.conditions = slices.Insert(d.conditions, i, condition{rule: r, since: m.now})
		d.changed = true
	}
	c := &d.conditions[i]
	*c = condition{rule: r, since: c.since, operator: c.operator, last: m.now, detail: detail}
	return c
}

// harden leaves a condition to an operator if what it stands for repeated too often.
func (m *Monitor) harden(d *patient, c *condition, times []time.Time, most uint32) {
	if !c.operator && len(times) == int(most) && m.now.Sub(times[0]) <= m.params.RepeatWindow {
		c.operator, d.changed = true, true
	}
}

// get returns the condition of a rule, nil if the rule does not hold.
func (d *patient) get(r HealthRule) *condition {
	for i := range d.conditions {
		if d.conditions[i].rule == r {
			return &d.conditions[i]
		}
	}
	return nil
}

// end ends a rule if it holds.
func (d *patient) end(r HealthRule) {
	n := len(d.conditions)
	d.conditions = slices.DeleteFunc(d.conditions, func(c condition) bool { return c.rule == r })
	d.changed = d.changed || len(d.conditions) != n
}

// clear ends all. Which links were up is forgotten too: a bridge that was taken out for good would hold the device down for ever.
func (d *patient) clear(c Clearance) {
	d.vitals.linksUp = 0
	d.cleared, d.conditions, d.memory, d.wrong, d.faults, d.programs, d.changed = c, nil, nil, nil, nil, nil, true
}

// settle derives the health from the conditions.
func (d *patient) settle(now time.Time) {
	worst := Healthy
	for i := range d.conditions {
		worst = max(worst, d.conditions[i].rule.Health())
	}
	if worst != d.health {
		d.health, d.since = worst, now
	}
}

// keepLast appends and drops the oldest beyond n.
func keepLast[T any](list []T, v T, n uint32) []T {
	list = append(list, v)
	return slices.Delete(list, 0, max(0, len(list)-int(n)))
}

// diagnose shows a device.
func (m *Monitor) diagnose(d *patient) Diagnosis {
	out := Diagnosis{Device: d.id, Health: d.health, Since: d.since, Seen: d.seen, Listed: d.listed, Cleared: d.cleared}
	for i := range d.conditions {
		out.Reasons = append(out.Reasons, d.conditions[i].reason(&m.params))
	}
	slices.SortFunc(out.Reasons, func(a, b Reason) int {
		if a.Health != b.Health {
			return int(b.Health) - int(a.Health)
		}
		if a.Action != b.Action {
			return int(b.Action) - int(a.Action)
		}
		return int(b.Rule) - int(a.Rule)
	})
	if len(out.Reasons) > 0 {
		out.Action = out.Reasons[0].Action
	}
	return out
}
