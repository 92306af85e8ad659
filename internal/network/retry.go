package network

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

// retry plans a refused payment again, for example when its recipient has made a token account. The whole line of the payment
// goes with it, and of a bundle all lines. That the journal knows when this is safe, and refuses it before, is the rule of the
// home batch: see settlement.Retried.
func (n *Network) retry(at time.Time, c Retry) error {
	p, err := n.refusedPayment(c.Payment)
	if err != nil {
		return err
	}
	home, _ := n.journal.Batch(p.Batch)
	if _, err := n.journal.Apply(at, settlement.Retried{Intents: []settlement.IntentID{p.Intent.ID}}); err != nil {
		return fmt.Errorf("%w: retry: %w", ErrInvalid, err)
	}
	for _, l := range home.Ever {
		for _, id := range l.Intents {
			if now, _ := n.journal.Payment(id); now.State != settlement.StateRefused {
				n.unrefuse(id)
			}
		}
	}
	return nil
}

// refusedPayment finds a payment that is refused.
func (n *Network) refusedPayment(text string) (settlement.Payment, error) {
	var id settlement.IntentID
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(id) {
		return settlement.Payment{}, fmt.Errorf("%w: retry: payment %q: want 64 hexadecimal digits", ErrInvalid, text)
	}
	copy(id[:], b)
	p, ok := n.journal.Payment(id)
	switch {
	case !ok:
		return p, fmt.Errorf("%w: retry: no payment %s", ErrInvalid, id)
	case p.State != settlement.StateRefused:
		return p, fmt.Errorf("%w: retry: payment %s is %s, not refused", ErrInvalid, id, p.State)
	}
	return p, nil
}
