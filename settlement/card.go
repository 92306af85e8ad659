package settlement

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrCardEvent is returned for the body of a webhook that is signed but says what no processor says.
var ErrCardEvent = errors.New("settlement: card event is malformed")

// Processor takes card payments for bills. What it owes is an inflow that can be charged back, see [Inflow]: money that came by
// card is final only after Inflow.Settles.
type Processor interface {
	// Checkout asks for what a bill lacks, and returns where the customer pays. It may be repeated: a bill has one checkout.
	Checkout(ctx context.Context, b Bill) (url string, err error)
	// Refund sends money back to the card that Intent.To names. It may be repeated: one Intent.ID is one refund.
	Refund(ctx context.Context, in Intent) error
	// Events checks the signature of a webhook as of the time at, and returns what it tells a Till. A webhook that is told twice
	// gives the same events, which the till takes once; so an event may be answered with success only after it is applied.
	Events(at time.Time, signature string, body []byte) ([]TillEvent, error)
}

// CardTreasury says how a card processor's webhooks become events of a Till.
type CardTreasury struct {
	// Treasury is the one of TillParams.Treasuries that stands for what the processor holds for us. Its units are the smallest
	// of the currency, for example cents.
	Treasury Treasury
	// Currency is what is charged, as the processor writes it: for example "usd".
	Currency string
	// ChargebackSeconds is how long a payment can be charged back, 1 to 10 years. Visa and Mastercard: 120 days after the payment
	// or the delivery, for most reasons.
	ChargebackSeconds uint64
}

// cardEvent is the part of a Stripe event that is read here. Fields that others add are ignored.
type cardEvent struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Created int64  `json:"created"` // Unix seconds
	Data    struct {
		Object struct {
			ID       string `json:"id"`
			Charge   string `json:"charge"` // of a dispute
			Amount   uint64 `json:"amount"` // smallest units of the currency
			Currency string `json:"currency"`
			Created  int64  `json:"created"` // Unix seconds
			Status   string `json:"status"`
			Metadata struct {
				Reference string `json:"reference"` // of the bill, hexadecimal
			} `json:"metadata"`
		} `json:"object"`
	} `json:"data"`
}

// Validate returns the first field that is out of range, nil if none is.
func (c CardTreasury) Validate() error {
	switch {
	case c.Treasury.Account == "" || c.Treasury.Owner == "":
		return fmt.Errorf("settlement: card treasury: Treasury has account %q and owner %q, want both", c.Treasury.Account, c.Treasury.Owner)
	case c.Currency == "":
		return fmt.Errorf("settlement: card treasury: Currency is empty")
	case c.ChargebackSeconds == 0 || c.ChargebackSeconds > tenYears:
		return fmt.Errorf("settlement: card treasury: ChargebackSeconds is %d, want 1 to %d", c.ChargebackSeconds, tenYears)
	}
	return nil
}

// Events translates the body of a webhook in Stripe's form, whose signature was checked: charge.succeeded is an inflow,
// charge.dispute.created takes it back, and charge.dispute.closed with status "won" is a new inflow of what was taken. Any other
// type gives no event. It returns ErrCardEvent for a body that is no such thing.
func (c CardTreasury) Events(body []byte) ([]TillEvent, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var e cardEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCardEvent, err)
	}
	o := &e.Data.Object
	if e.ID == "" || e.Type == "" {
		return nil, fmt.Errorf("%w: id is %q, type is %q, want both", ErrCardEvent, e.ID, e.Type)
	}
	won := e.Type == "charge.dispute.closed" && o.Status == "won"
	if e.Type != "charge.succeeded" && e.Type != "charge.dispute.created" && !won {
		return nil, nil
	}
	switch {
	case o.ID == "" || len(o.ID) > maxTillText:
		return nil, fmt.Errorf("%w: %s: object id has %d bytes, want 1 to %d", ErrCardEvent, e.Type, len(o.ID), maxTillText)
	case o.Amount == 0:
		return nil, fmt.Errorf("%w: %s: amount is 0", ErrCardEvent, e.Type)
	case o.Currency != c.Currency:
		return nil, fmt.Errorf("%w: %s: currency is %q, want %q", ErrCardEvent, e.Type, o.Currency, c.Currency)
	case o.Created <= 0 || won && e.Created <= 0:
		return nil, fmt.Errorf("%w: %s: created is %d, want Unix seconds", ErrCardEvent, e.Type, min(o.Created, e.Created))
	case e.Type != "charge.succeeded" && (o.Charge == "" || len(o.Charge) > maxTillText):
		return nil, fmt.Errorf("%w: %s: charge has %d bytes, want 1 to %d", ErrCardEvent, e.Type, len(o.Charge), maxTillText)
	}
	if e.Type == "charge.dispute.created" {
		return []TillEvent{InflowReversed{Inflow: InflowID{o.Charge, c.Treasury.Account}, Cause: o.ID, Units: o.Amount}}, nil
	}
	in := c.inflow(o.ID, o.Amount)
	if won {
		in.Arrived = time.Unix(e.Created, 0).UTC() // final: a dispute is decided once
		return []TillEvent{InflowSeen{in}}, nil
	}
	in.Arrived = time.Unix(o.Created, 0).UTC()
	in.Settles = in.Arrived.Add(time.Duration(c.ChargebackSeconds) * time.Second)
	in.Payer = CardPayer(o.ID)
	if o.Metadata.Reference != "" {
		ref, err := hex.DecodeString(o.Metadata.Reference)
		if err != nil || len(ref) != len(Reference{}) {
			return nil, fmt.Errorf("%w: %s: metadata reference is %q, want 64 hexadecimal digits", ErrCardEvent, e.Type, o.Metadata.Reference)
		}
		in.Refs = []Reference{Reference(ref)}
	}
	return []TillEvent{InflowSeen{in}}, nil
}

// CardPayer returns how a refund names the card that a charge was paid with.
func CardPayer(charge string) Account { return Account("card:" + charge) }

func (c CardTreasury) inflow(id string, units uint64) Inflow {
	return Inflow{
		ID: InflowID{id, c.Treasury.Account}, Owner: c.Treasury.Owner, Asset: c.Treasury.Asset, Program: c.Treasury.Program, Units: units,
	}
}
