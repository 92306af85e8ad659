package settlement

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// CardMemory is a Processor in memory, for tests and demonstrations: it signs its webhooks as Stripe does, and says what a real
// one would have done. It is not safe for concurrent use.
type CardMemory struct {
	treasury CardTreasury
	keys     WebhookKeys
	events   int
	charges  []charge
	disputes int
	refunds  map[IntentID]Intent
}

type charge struct {
	units    uint64
	refunded uint64
	disputed uint64
}

// Webhook is what a processor posts.
type Webhook struct {
	Signature string // header Stripe-Signature
	Body      []byte
}

// NewCardMemory returns a processor that has taken nothing yet.
func NewCardMemory(t CardTreasury, k WebhookKeys) (*CardMemory, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	if len(k.secrets) == 0 {
		return nil, fmt.Errorf("settlement: card memory: no secret")
	}
	return &CardMemory{treasury: t, keys: k, refunds: map[IntentID]Intent{}}, nil
}

// Checkout implements Processor.
func (c *CardMemory) Checkout(_ context.Context, b Bill) (string, error) {
	if b.Asset != c.treasury.Treasury.Asset || b.Owner != c.treasury.Treasury.Owner {
		return "", fmt.Errorf("settlement: card memory: bill %q is not of this treasury", b.ID)
	}
	return "card://checkout/" + hex.EncodeToString(b.Reference[:]), nil
}

// Events implements Processor.
func (c *CardMemory) Events(at time.Time, signature string, body []byte) ([]TillEvent, error) {
	if err := c.keys.Verify(at, signature, body); err != nil {
		return nil, err
	}
	return c.treasury.Events(body)
}

// Refund implements Processor.
func (c *CardMemory) Refund(_ context.Context, in Intent) error {
	if known, ok := c.refunds[in.ID]; ok {
		if known != in {
			return fmt.Errorf("%w: refund %s was of %d units", ErrConflict, in.ID, known.Units)
		}
		return nil
	}
	n, ok := c.charge(in.To)
	if in.Kind != Refund || in.Asset != c.treasury.Treasury.Asset || !ok {
		return fmt.Errorf("settlement: card memory: refund %s to %q is of no charge", in.ID, in.To)
	}
	x := &c.charges[n]
	if left := x.units - x.refunded - x.disputed; in.Units == 0 || in.Units > left {
		return fmt.Errorf("%w: refund of %d units of charge %d, want 1 to %d", ErrFunds, in.Units, n+1, left)
	}
	x.refunded += in.Units
	c.refunds[in.ID] = in
	return nil
}

// Pay lets a customer pay so many units at a checkout, and returns the name of the charge and the webhook about it.
func (c *CardMemory) Pay(at time.Time, url string, units uint64) (string, Webhook) {
	c.charges = append(c.charges, charge{units: units})
	name := fmt.Sprintf("ch_%d", len(c.charges))
	return name, c.tell(at, "charge.succeeded", map[string]any{
		"id": name, "amount": units, "currency": c.treasury.Currency, "created": at.Unix(), "status": "succeeded",
		"metadata": map[string]string{"reference": strings.TrimPrefix(url, "card://checkout/")},
	})
}

// ChargeBack lets the customer's bank take units of a charge back. The charge must exist and hold them.
func (c *CardMemory) ChargeBack(at time.Time, name string, units uint64) (Webhook, error) {
	n, ok := c.charge(CardPayer(name))
	if !ok {
		return Webhook{}, fmt.Errorf("settlement: card memory: no charge %q", name)
	}
	x := &c.charges[n]
	if left := x.units - x.refunded - x.disputed; units == 0 || units > left {
		return Webhook{}, fmt.Errorf("%w: %d units of charge %q, want 1 to %d", ErrFunds, units, name, left)
	}
	x.disputed += units
	c.disputes++
	return c.tell(at, "charge.dispute.created", map[string]any{
		"id": fmt.Sprintf("dp_%d", c.disputes), "charge": name, "amount": units, "currency": c.treasury.Currency, "created": at.Unix(),
	}), nil
}

// Refunded returns how many units of a charge were sent back.
func (c *CardMemory) Refunded(name string) uint64 {
	n, ok := c.charge(CardPayer(name))
	if !ok {
		return 0
	}
	return c.charges[n].refunded
}

// charge finds the charge of a payer.
func (c *CardMemory) charge(to Account) (int, bool) {
	for n := range c.charges {
		if to == CardPayer(fmt.Sprintf("ch_%d", n+1)) {
			return n, true
		}
	}
	return 0, false
}

// tell signs an event.
func (c *CardMemory) tell(at time.Time, what string, object map[string]any) Webhook {
	c.events++
	body, err := json.Marshal(map[string]any{
		"id": fmt.Sprintf("evt_%d", c.events), "type": what, "created": at.Unix(), "data": map[string]any{"object": object},
	})
	if err != nil {
		panic(fmt.Sprintf("settlement: CardMemory: %v", err)) // strings and numbers only
	}
	return Webhook{c.keys.Sign(at, body), body}
}
