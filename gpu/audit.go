package gpu

import (
	"errors"
	"fmt"
)

// Audit returns the first invariant that the state breaks, nil if it breaks none: every key is enrolled once and not weak,
// an open challenge has a nonce, every device is known once, belongs to one key, and was first admitted no later than last
// and last no later than now.
func (g *Registry) Audit() error {
	keys, chips := 0, 0
	for i := range g.agents {
		keys += 1 + len(g.agents[i].old)
	}
	for i := range g.records {
		if g.records[i].chip != "" {
			chips++
		}
	}
	if len(g.byKey) != keys || len(g.byID) != len(g.records) || len(g.byChip) != chips {
		return fmt.Errorf("gpu: audit: %d keys for %d of agents, %d ids for %d devices, %d chips for %d", len(g.byKey), keys,
			len(g.byID), len(g.records), len(g.byChip), chips)
	}
	owned := 0
	for i := range g.agents {
		if err := g.auditAgent(int32(i)); err != nil {
			return fmt.Errorf("gpu: audit: key %x: %w", g.agents[i].key, err)
		}
		owned += len(g.agents[i].records)
	}
	if owned != len(g.records) {
		return fmt.Errorf("gpu: audit: keys have %d devices of %d", owned, len(g.records))
	}
	for i := range g.records {
		if err := g.auditRecord(int32(i)); err != nil {
			return fmt.Errorf("gpu: audit: device %q: %w", string(g.records[i].device.ID), err)
		}
	}
	return nil
}

func (g *Registry) auditAgent(i int32) error {
	a := &g.agents[i]
	if err := checkText("supplier", a.supplier, true); err != nil {
		return err
	}
	if err := errors.Join(checkIDs(a.only), checkText("revoked", a.revoked, false)); err != nil {
		return err
	}
	for _, k := range a.old {
		if g.byKey[k] != i {
			return fmt.Errorf("replaced key %x found as agent %d, is %d", k, g.byKey[k], i)
		}
	}
	switch {
	case a.open && a.revoked != "":
		return errors.New("revoked with an open challenge")
	case g.byKey[a.key] != i:
		return fmt.Errorf("found as agent %d, is %d", g.byKey[a.key], i)
	case weakKey(a.key):
		return ErrWeakKey
	case a.open && a.nonce == [32]byte{}:
		return errors.New("challenge without a nonce")
	case len(a.records) > 0 && a.seq == 0:
		return errors.New("devices without a report")
	case len(a.records) > MaxKnown:
		return fmt.Errorf("%d devices, at most %d", len(a.records), MaxKnown)
	}
	for _, j := range a.records {
		if g.records[j].agent != i {
			return fmt.Errorf("device %d belongs to agent %d", j, g.records[j].agent)
		}
	}
	return nil
}

func (g *Registry) auditRecord(i int32) error {
	r := &g.records[i]
	switch {
	case g.byID[r.device.ID] != i:
		return fmt.Errorf("found as device %d, is %d", g.byID[r.device.ID], i)
	case r.since.After(r.seen) || r.seen.After(g.now):
		return fmt.Errorf("since %v, seen %v, now %v", r.since, r.seen, g.now)
	case r.assurance > Consistent:
		return fmt.Errorf("assurance %v of an inventory", r.assurance)
	case r.proved.After(g.now) || r.attested.After(g.now):
		return fmt.Errorf("proved %v, attested %v, now %v", r.proved, r.attested, g.now)
	case r.chip != "" && g.byChip[r.chip] != i:
		return fmt.Errorf("chip %q found on device %d, is %d", r.chip, g.byChip[r.chip], i)
	}
	return r.device.validate()
}
