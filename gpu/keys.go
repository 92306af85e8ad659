package gpu

import (
	"fmt"
	"slices"
	"time"
)

func (g *Registry) enrol(e Enrolled) error {
	if err := checkText("supplier", e.Supplier, true); err != nil {
		return err
	}
	if err := checkIDs(e.Devices); err != nil {
		return err
	}
	if weakKey(e.Key) {
		return ErrWeakKey
	}
	if _, known := g.byKey[e.Key]; known {
		return fmt.Errorf("%w: %x", ErrKnownKey, e.Key)
	}
	g.byKey[e.Key] = int32(len(g.agents))
	g.agents = append(g.agents, agent{
		key: e.Key, supplier: e.Supplier, only: slices.Clone(e.Devices), expires: e.Expires.UTC().Round(0),
	})
	return nil
}

// rotate gives an agent its new key. An enrolment that expired is no reason against it: it stays expired.
func (g *Registry) rotate(e Rotated) error {
	r, err := OpenRotation(e.Signed)
	if err != nil {
		return err
	}
	i, err := g.speaker(r.Old)
	if err != nil {
		return err
	}
	if _, known := g.byKey[r.New]; known {
		return fmt.Errorf("%w: %x", ErrKnownKey, r.New)
	}
	a := &g.agents[i]
	a.old = append(a.old, a.key)
	a.key, a.open = r.New, false
	g.byKey[r.New] = i
	return nil
}

func (g *Registry) revoke(e Revoked) error {
	if err := checkText("why", e.Why, true); err != nil {
		return err
	}
	i, err := g.speaker(e.Key)
	if err != nil {
		return err
	}
	a := &g.agents[i]
	a.revoked, a.open = e.Why, false
	for _, j := range a.records {
		g.records[j].present = false
	}
	return nil
}

func (g *Registry) challenge(at time.Time, e Challenged) error {
	i, err := g.speaker(e.Key)
	if err != nil {
		return err
	}
	a := &g.agents[i]
	if a.expired(at) {
		return fmt.Errorf("%w: at %v", ErrExpired, a.expires)
	}
	if e.Nonce == a.nonce || e.Nonce == [32]byte{} {
		return fmt.Errorf("%w: a challenge needs a fresh nonce", ErrNonce)
	}
	a.nonce, a.open = e.Nonce, true
	return nil
}

// speaker finds the agent that a key speaks for today.
func (g *Registry) speaker(key [32]byte) (int32, error) {
	i, ok := g.byKey[key]
	if !ok {
		return 0, fmt.Errorf("%w: %x", ErrUnknownKey, key)
	}
	switch a := &g.agents[i]; {
	case a.key != key:
		return 0, fmt.Errorf("%w: %x was replaced", ErrRevoked, key)
	case a.revoked != "":
		return 0, fmt.Errorf("%w: %x: %s", ErrRevoked, key, a.revoked)
	}
	return i, nil
}

func (a *agent) expired(at time.Time) bool { return !a.expires.IsZero() && !at.Before(a.expires) }
