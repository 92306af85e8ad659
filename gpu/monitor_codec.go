package gpu

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const monitorDomain = "idlegrid/gpu/monitor/v1"

// Digest is the SHA-256 of the canonical encoding of the whole state, parameters included.
func (m *Monitor) Digest() [32]byte { return m.encode().Sum() }

// Snapshot returns the state in canonical form, for RestoreMonitor.
func (m *Monitor) Snapshot() []byte { return m.encode().Data() }

// RestoreMonitor returns the monitor that a snapshot was taken of. The parameters must be those that it was taken under. It never
// panics on any input; errors wrap ErrInvalid.
func RestoreMonitor(p HealthParams, b []byte) (*Monitor, error) {
	m, err := NewMonitor(p)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(b, monitorDomain)
	if got := r.String(); r.Err() == nil && got != m.params.text() {
		return nil, fmt.Errorf("%w: snapshot of other parameters: %q", ErrInvalid, got)
	}
	m.now, m.boot, m.driver = r.Time(), r.String(), r.String()
	for range r.Len(4 + 8 + 12 + 1) {
		m.devices = append(m.devices, decodePatient(r))
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	if err := m.Audit(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	return m, nil
}

// text spells all parameters: a struct of numbers and one string always encodes.
func (p *HealthParams) text() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic("gpu: HealthParams: " + err.Error())
	}
	return string(b)
}

func (m *Monitor) encode() *canon.Writer {
	w := canon.NewWriter(monitorDomain)
	w.String(m.params.text())
	w.Time(m.now)
	w.String(m.boot)
	w.String(m.driver)
	w.Len(len(m.devices))
	for _, d := range m.devices {
		d.encode(w)
	}
	return w
}

func (d *patient) encode(w *canon.Writer) {
	w.String(string(d.id))
	w.Uint64(d.slot)
	w.Time(d.seen)
	w.Bool(d.listed)
	w.Uint8(uint8(d.health))
	w.Time(d.since)
	w.Len(len(d.conditions))
	for i := range d.conditions {
		d.conditions[i].encode(w)
	}
	w.Time(d.cleared.At)
	w.String(d.cleared.Operator)
	w.String(d.cleared.Note)
	d.vitals.encode(w)
	writeTimes(w, d.faults)
	w.Len(len(d.programs))
	for _, p := range d.programs {
		w.Uint32(p.pid)
		w.Time(p.at)
	}
	w.Uint32(d.last.xid)
	w.Bool(d.last.named)
	w.Time(d.last.at)
	writeTimes(w, d.memory)
	writeTimes(w, d.wrong)
}

func decodePatient(r *canon.Reader) *patient {
	d := &patient{
		id: DeviceID(r.String()), slot: r.Uint64(), seen: r.Time(), listed: r.Bool(), health: Health(r.Uint8()), since: r.Time(),
	}
	for range r.Len(1 + 4 + 3*12 + 4 + 4) {
		d.conditions = append(d.conditions, decodeCondition(r))
	}
	d.cleared = Clearance{At: r.Time(), Operator: r.String(), Note: r.String()}
	d.vitals = decodeVitals(r)
	d.faults = readTimes(r)
	for range r.Len(4 + 12) {
		d.programs = append(d.programs, program{pid: r.Uint32(), at: r.Time()})
	}
	d.last = fault{xid: r.Uint32(), named: r.Bool(), at: r.Time()}
	d.memory, d.wrong = readTimes(r), readTimes(r)
	return d
}

func (c *condition) encode(w *canon.Writer) {
	w.Uint8(uint8(c.rule))
	w.String(c.detail)
	w.Time(c.since)
	w.Time(c.last)
	w.Time(c.good)
	w.Bool(c.reset)
	w.Bool(c.rebooted)
	w.Bool(c.back)
	w.Bool(c.operator)
	w.Uint32(c.passes)
}

func decodeCondition(r *canon.Reader) condition {
	return condition{
		rule: HealthRule(r.Uint8()), detail: r.String(), since: r.Time(), last: r.Time(), good: r.Time(), reset: r.Bool(),
		rebooted: r.Bool(), back: r.Bool(), operator: r.Bool(), passes: r.Uint32(),
	}
}

func (v *vitals) encode(w *canon.Writer) {
	for _, o := range []Opt[uint64]{v.energy, v.volatile, v.aggregate, v.replays, v.links} {
		w.Bool(o.OK)
		if o.OK {
			w.Uint64(o.V)
		}
	}
	w.Uint64(v.windowBase)
	w.Time(v.windowAt)
	w.Uint32(v.rows)
	w.Time(v.hot)
	w.Uint64(v.linksUp)
	w.Bool(v.switched)
	w.Bool(v.pendingKnown)
}

func decodeVitals(r *canon.Reader) vitals {
	var v vitals
	for _, o := range []*Opt[uint64]{&v.energy, &v.volatile, &v.aggregate, &v.replays, &v.links} {
		if r.Bool() {
			*o = Some(r.Uint64())
		}
	}
	v.windowBase, v.windowAt, v.rows, v.hot = r.Uint64(), r.Time(), r.Uint32(), r.Time()
	v.linksUp, v.switched, v.pendingKnown = r.Uint64(), r.Bool(), r.Bool()
	return v
}

func writeTimes(w *canon.Writer, list []time.Time) {
	w.Len(len(list))
	for _, t := range list {
		w.Time(t)
	}
}

func readTimes(r *canon.Reader) []time.Time {
	var out []time.Time
	for range r.Len(12) {
		out = append(out, r.Time())
	}
	return out
}
