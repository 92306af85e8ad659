package gpu

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// verdict is what a report that can be admitted comes to.
type verdict struct {
	agent    int32
	seq      uint64
	kind     Kind
	inv      Inventory
	findings []Finding
	beat     Heartbeat
}

// report checks everything before it changes anything.
func (g *Registry) report(at time.Time, e Reported) ([]Effect, error) {
	v, err := g.judge(at, e.Signed)
	if err != nil {
		return nil, err
	}
	a := &g.agents[v.agent]
	a.seq, a.open = v.seq, false
	if v.kind == HeartbeatReport {
		return []Effect{Beat{Key: a.key, Supplier: a.supplier, Heartbeat: v.beat}}, nil
	}
	g.admit(at, v)
	least := Attested
	for _, d := range v.inv.Devices {
		least = min(least, g.level(&g.records[g.byID[d.ID]], at))
	}
	return []Effect{Admitted{Key: a.key, Supplier: a.supplier, Inventory: v.inv, Findings: v.findings, Assurance: least}}, nil
}

// judge checks who signed, that it is fresh, and what it says.
func (g *Registry) judge(at time.Time, signed []byte) (verdict, error) {
	r, err := parseReport(signed)
	if err != nil {
		return verdict{}, err
	}
	i, err := g.speaker(r.Key)
	if err != nil {
		return verdict{}, err
	}
	a := &g.agents[i]
	switch early := r.Sent.Sub(at); {
	case a.expired(at):
		return verdict{}, fmt.Errorf("%w: at %v", ErrExpired, a.expires)
	case !verify(signed, r.Key):
		return verdict{}, ErrSignature
	case !a.open || r.Nonce != a.nonce:
		return verdict{}, fmt.Errorf("%w: nonce %x is not open", ErrReplay, r.Nonce)
	case r.Seq <= a.seq:
		return verdict{}, fmt.Errorf("%w: sequence number %d, the last was %d", ErrReplay, r.Seq, a.seq)
	case early > g.params.Skew || early < -g.params.Skew:
		return verdict{}, fmt.Errorf("%w: sent %v, arrived %v, at most %v apart", ErrSkew, r.Sent, at, g.params.Skew)
	}
	v := verdict{agent: i, seq: r.Seq, kind: r.Kind}
	switch r.Kind {
	case InventoryReport:
		v.inv, v.findings, err = g.judgeInventory(i, r.Body)
	case HeartbeatReport:
		v.beat, err = g.judgeHeartbeat(i, r.Body)
	default: // an answer is for whoever posed the question
		err = fmt.Errorf("%w: a registry takes no report of kind %v", ErrInvalid, r.Kind)
	}
	return v, err
}

func (g *Registry) judgeInventory(i int32, body []byte) (Inventory, []Finding, error) {
	inv, err := ParseInventory(body)
	if err != nil {
		return Inventory{}, nil, err
	}
	findings := Check(inv, g.catalog)
	for _, f := range findings {
		if f.Severity == Contradiction {
			return Inventory{}, nil, &ContradictionError{Findings: findings}
		}
	}
	a := &g.agents[i]
	known := len(a.records)
	for n, d := range inv.Devices {
		if len(a.only) > 0 && !slices.Contains(a.only, d.ID) {
			return Inventory{}, nil, fmt.Errorf("%w: %q", ErrForeign, string(d.ID))
		}
		j, seen := g.byID[d.ID]
		if !seen || g.records[j].agent != i {
			known++
		}
		if known > MaxKnown {
			return Inventory{}, nil, fmt.Errorf("%w: %q: the key has reported %d others, at most %d", ErrForeign, string(d.ID), known-1, MaxKnown)
		}
		if !seen {
			continue
		}
		if owner := g.records[j].agent; owner != i && !g.released(owner, a.supplier) {
			return Inventory{}, nil, &IdentityTakenError{Device: d.ID, Supplier: g.agents[owner].supplier}
		}
		findings = append(findings, changed(g.records[j].device, d, n)...)
	}
	return inv, findings, nil
}

// released reports whether a supplier may report the devices of an agent anew: their own, whose key was revoked.
func (g *Registry) released(owner int32, supplier string) bool {
	return g.agents[owner].revoked != "" && g.agents[owner].supplier == supplier
}

func (g *Registry) judgeHeartbeat(i int32, body []byte) (Heartbeat, error) {
	h, err := ParseHeartbeat(body)
	if err != nil {
		return Heartbeat{}, err
	}
	a := &g.agents[i]
	switch {
	case a.digest == [32]byte{}:
		return Heartbeat{}, fmt.Errorf("%w: there was none yet", ErrStale)
	case h.BootID != a.bootID:
		return Heartbeat{}, fmt.Errorf("%w: boot %q, the inventory was of %q", ErrStale, h.BootID, a.bootID)
	case h.Digest != hex.EncodeToString(a.digest[:]):
		return Heartbeat{}, fmt.Errorf("%w: digest %s, the inventory's is %x", ErrStale, h.Digest, a.digest)
	}
	for _, p := range h.Pulses {
		if j, ok := g.byID[p.ID]; !ok || g.records[j].agent != i || !g.records[j].present {
			return Heartbeat{}, fmt.Errorf("%w: %q", ErrForeign, string(p.ID))
		}
	}
	return h, nil
}

// admit records the devices of an accepted inventory.
func (g *Registry) admit(at time.Time, v verdict) {
	i := v.agent
	a := &g.agents[i]
	otherDriver := a.driver != "" && a.driver != v.inv.Driver
	a.digest, a.bootID, a.driver = v.inv.Digest(), v.inv.BootID, v.inv.Driver
	for _, j := range a.records {
		g.records[j].present = false
		if otherDriver { // of all: one that is left out now is not what it was when it comes back
			g.records[j].attested = time.Time{}
		}
	}
	for n, d := range v.inv.Devices {
		slot, _ := parseBus(d.BusID)
		d.BusID = formatBus(slot)
		d.Reading = nil // the state passes, the identity stays
		j, known := g.byID[d.ID]
		if !known {
			j = int32(len(g.records))
			g.byID[d.ID] = j
			g.records = append(g.records, record{agent: i, since: at})
			a.records = append(a.records, j)
		}
		r := &g.records[j]
		otherKey := r.agent != i
		if otherKey { // of the same supplier's, now revoked
			from := &g.agents[r.agent]
			from.records = slices.DeleteFunc(from.records, func(k int32) bool { return k == j })
			r.agent = i
			a.records = append(a.records, j)
		}
		if otherKey || known && !sameCard(r.device, d) { // what a revoked key showed, a thief may have shown
			g.forget(r)
		}
		r.device, r.assurance, r.seen, r.present = d, assessDevice(v.findings, n), at, true
	}
}

// assessDevice is Assess for one device: an integrated GPU or a card of tomorrow beside it, which no catalogue has, says nothing
// against it.
func assessDevice(findings []Finding, device int) Assurance {
	return Assess(slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Device != device && f.Device != Host }))
}

// sameCard reports whether a device is still the piece of hardware that was proved. Its slot does not matter.
func sameCard(was, is Device) bool {
	was.BusID, is.BusID, was.Reading, is.Reading = "", "", nil, nil
	return was == is
}
