package network

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

// Retried returns the payment that took the place of a refused one, and false if there is none.
func (n *Network) Retried(id settlement.IntentID) (settlement.IntentID, bool) {
	as, ok := n.retried[id]
	return as, ok
}

// retry decides a refused payment anew, for example when its recipient has made a token account. Both legs of a bundle are
// decided anew together.
//
// The rule of the home batch: a payment may stand in another batch only when no attempt at its first one can still land.
// That is so when the batch was paid without it, since the marker lets a batch land once, or when all of its lines were
// refused and every attempt is over.
func (n *Network) retry(at time.Time, c Retry) error {
	first, err := n.refusedPayment(c.Payment)
	if err != nil {
		return err
	}
	home, _ := n.journal.Batch(first.Batch)
	closed := home.State == settlement.StatePaid || home.State == settlement.StateRefused
	for _, a := range home.Attempts {
		closed = closed && (a.Over || home.State == settlement.StatePaid)
	}
	if !closed {
		return fmt.Errorf("%w: retry: batch %s is %s, and an attempt that carries the payment could still land", ErrInvalid, first.Batch, home.State)
	}
	again := []settlement.Payment{first}
	if first.Intent.Bundle != "" {
		again = nil
		for p := range n.journal.Payments() {
			if p.Intent.Bundle == first.Intent.Bundle {
				again = append(again, p)
			}
		}
	}
	var in []settlement.Intent
	for _, p := range again {
		x := p.Intent
		x.ID = settlement.NewIntentID(x.Kind, "retry", x.ID.String())
		if x.Bundle != "" {
			x.Bundle += "/again"
		}
		in = append(in, x)
	}
	if !n.count(in) {
		return fmt.Errorf("%w: retry: all payments together would come to more than 2^63 base units", ErrInvalid)
	}
	for k, p := range again {
		n.replace(p.Intent.ID, in[k].ID)
	}
	n.order(at, n.epoch(at), in)
	return nil
}

// refusedPayment finds a payment that was refused and not retried.
func (n *Network) refusedPayment(text string) (settlement.Payment, error) {
	var id settlement.IntentID
	if b, err := hex.DecodeString(text); err != nil || len(b) != len(id) {
		return settlement.Payment{}, fmt.Errorf("%w: retry: payment %q: want 64 hexadecimal digits", ErrInvalid, text)
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return settlement.Payment{}, err
	}
	p, ok := n.journal.Payment(id)
	if as, done := n.retried[id]; ok && done {
		return p, fmt.Errorf("%w: retry: payment %s was retried as %s", ErrInvalid, id, as)
	}
	switch {
	case !ok:
		return p, fmt.Errorf("%w: retry: no payment %s", ErrInvalid, id)
	case !n.refused[id]:
		return p, fmt.Errorf("%w: retry: payment %s is %s, not refused", ErrInvalid, id, p.State)
	}
	return p, nil
}

// replace puts a new payment in the place of a refused one: in the bill that waits for it, and among the burns.
func (n *Network) replace(old, fresh settlement.IntentID) {
	n.retried[old] = fresh
	n.unrefuse(old)
	if n.burns[old] {
		delete(n.burns, old)
		n.burns[fresh] = true
	}
	if i, ok := n.waiting[old]; ok {
		delete(n.waiting, old)
		n.waiting[fresh] = i
	}
}
