package gpu

import (
	"fmt"
	"time"
)

// Assurance tells how far a device's claim is carried at an instant that is not before the last event, and false if the
// device was never admitted. Levels lapse by themselves: see the package comment.
func (g *Registry) Assurance(id DeviceID, at time.Time) (Assurance, bool) {
	i, ok := g.byID[id]
	if !ok {
		return Claimed, false
	}
	return g.level(&g.records[i], at), true
}

// level is the rule: each level needs the one below it, and evidence that is not older than it may be.
func (g *Registry) level(r *record, at time.Time) Assurance {
	p := &g.params
	fresh := func(t time.Time, age time.Duration) bool { return !t.IsZero() && at.Sub(t) <= age }
	switch {
	case r.assurance < Consistent || !r.present || !fresh(r.seen, p.ConsistentFor), g.agents[r.agent].expired(at):
		return Claimed
	case !fresh(r.proved, p.ProvenFor):
		return Consistent
	case !fresh(r.attested, p.AttestedFor):
		return Proven
	}
	return Attested
}

func (g *Registry) prove(at time.Time, e Proved) ([]Effect, error) {
	return g.change(at, e.Device, "passed a challenge", func(r *record) { r.proved = at })
}

// disprove takes back what was shown of work and memory, at once: a chip that is genuine and slow is not Attested.
func (g *Registry) disprove(at time.Time, e Disproved) ([]Effect, error) {
	if err := checkText("reason", e.Reason, true); err != nil {
		return nil, err
	}
	return g.change(at, e.Device, "failed a challenge: "+e.Reason, func(r *record) { r.proved = time.Time{} })
}

func (g *Registry) attest(at time.Time, e ChipAttested) ([]Effect, error) {
	if err := checkText("chip_id", e.ChipID, true); err != nil {
		return nil, err
	}
	i, known := g.byID[e.Device]
	if j, taken := g.byChip[e.ChipID]; known && taken && j != i {
		o := &g.records[j]
		return nil, &IdentityTakenError{Device: o.device.ID, Supplier: g.agents[o.agent].supplier}
	}
	return g.change(at, e.Device, "attested as chip "+e.ChipID, func(r *record) {
		delete(g.byChip, r.chip)
		r.attested, r.chip = at, e.ChipID
		g.byChip[e.ChipID] = i
	})
}

// change applies what was shown of a device and tells whether it is on another level now.
func (g *Registry) change(at time.Time, id DeviceID, why string, do func(*record)) ([]Effect, error) {
	i, ok := g.byID[id]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownDevice, string(id))
	}
	r := &g.records[i]
	from := g.level(r, at)
	do(r)
	if to := g.level(r, at); to != from {
		return []Effect{AssuranceChanged{Device: id, From: from, To: to, Why: why}}, nil
	}
	return nil, nil
}

// forget drops what was shown of a device that is another card now.
func (g *Registry) forget(r *record) {
	delete(g.byChip, r.chip)
	r.proved, r.attested, r.chip = time.Time{}, time.Time{}, ""
}
