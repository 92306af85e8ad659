package tokenomics

import (
	"errors"
	"fmt"
	"time"
)

// idBytes bounds the identifier of an invoice and the source of a price in a record.
const idBytes = 128

var (
	// ErrInvoice is returned for an [Invoice], or a [Settlement] of one, that is incomplete or does not add up.
	ErrInvoice = errors.New("tokenomics: invalid invoice")
	// ErrPayment is returned for a [Payment] that does not settle the invoice: too little, or the wrong thing.
	ErrPayment = errors.New("tokenomics: payment does not settle the invoice")
)

// Invoice asks a renter for what a [Quote] says. Its record holds the order by which the fees were combined, in
// Quote.Order. JSON carries all money as strings.
type Invoice struct {
	// ID identifies the invoice: 1 to 128 bytes.
	ID string `json:"id"`
	// Issued is when it was made.
	Issued time.Time `json:"issued"`
	// Due is the last instant at which a payment is in time. It is not before Issued.
	Due time.Time `json:"due"`
	// Quote is what has to be paid, with every fee on both sides.
	Quote Quote `json:"quote"`
}

// NewInvoice returns the invoice of a quote. It fails with [ErrInvoice], or as [Quote.Validate] does.
func NewInvoice(id string, q Quote, issued, due time.Time) (Invoice, error) {
	v := Invoice{ID: id, Issued: issued, Due: due, Quote: q}
	if err := v.Validate(); err != nil {
		return Invoice{}, err
	}
	return v, nil
}

// Validate returns [ErrInvoice] and what is wrong, the error of [Quote.Validate], or nil.
func (v Invoice) Validate() error {
	switch n := len(v.ID); {
	case n == 0 || n > idBytes:
		return fmt.Errorf("%w: the ID has %d bytes, want 1 to %d", ErrInvoice, n, idBytes)
	case v.Issued.IsZero():
		return fmt.Errorf("%w: %s has no time of issue", ErrInvoice, quote(v.ID))
	case v.Due.Before(v.Issued):
		return fmt.Errorf("%w: %s is due %s, issued %s", ErrInvoice, quote(v.ID), stamp(v.Due), stamp(v.Issued))
	}
	return v.Quote.Validate()
}

// InvoicePolicy says how invoices are charged in the token and settled.
type InvoicePolicy struct {
	// Decimals is the number of places of the token: 8 for IO.
	Decimals Decimals `json:"decimals"`
	// MaxPriceAge is how old a price may be when money is converted at it, at least a nanosecond. JSON carries it in
	// nanoseconds. Nothing is published; with twice the staleness of [DefaultOracle], 10 minutes, a renter has five to pay a
	// charge in IO even if its price was about to be stale.
	MaxPriceAge time.Duration `json:"max_price_age_ns"`
	// Burn is the share of the network's revenue that burns; the rest goes to the treasury.
	Burn BurnPolicy `json:"burn"`
}

// Validate returns [ErrInvoice], [ErrDecimals] or [ErrBurn] and what is wrong, or nil.
func (p InvoicePolicy) Validate() error {
	if err := p.Decimals.Validate(); err != nil {
		return err
	}
	if p.MaxPriceAge <= 0 {
		return fmt.Errorf("%w: a price may be %s old, want a positive age", ErrInvoice, p.MaxPriceAge)
	}
	return p.Burn.Validate()
}

// Charge is what has to be paid for an invoice, in the renter's currency.
type Charge struct {
	// With is the currency of the quote.
	With Currency `json:"with"`
	// Dollars is the price in dollars: what is due in USDC or by card, and what Tokens stand for in IO.
	Dollars USD `json:"dollars"`
	// Tokens is what is due in IO, 0 in other currencies.
	Tokens Amount `json:"tokens"`
	// Price is what a token counts for in IO, absent in other currencies. The charge is good for
	// [InvoicePolicy].MaxPriceAge from its time on.
	Price Price `json:"price,omitzero"`
}

// Charge returns what has to be paid for an invoice at an instant. In USDC and by card that is dollars, and credit is
// not looked at; in IO it is the fewest base units that are worth the dollars at the price credit, rounded up in favour
// of the network, and credit should be what [Reading.Credit] returns. It fails with the errors of [Invoice.Validate] and
// [InvoicePolicy.Validate], with [ErrPrice] for a price that is unusable, too old or of the future, and with
// [ErrOverflow].
func (p InvoicePolicy) Charge(at time.Time, v Invoice, credit Price) (Charge, error) {
	if err := p.check(v); err != nil {
		return Charge{}, err
	}
	c := Charge{With: v.Quote.With, Dollars: v.Quote.RenterPays}
	if c.With != IO {
		return c, nil
	}
	if err := credit.fresh(at, p.MaxPriceAge); err != nil {
		return Charge{}, err
	}
	var err error
	if c.Tokens, err = p.Decimals.Pay(c.Dollars, credit); err != nil {
		return Charge{}, err
	}
	c.Price = credit
	return c, nil
}

// Payment is what arrived for an invoice, and the prices at which it counts.
type Payment struct {
	// At is when it is settled.
	At time.Time
	// Dollars arrived in USDC or by card, Tokens in IO; the other one is 0.
	Dollars USD
	Tokens  Amount
	// Price converts. For dollars it is what the tokens are bought at; for IO it is the price of the [Charge].
	Price Price
	// Reference is the price with which the burn compares Price, such as a mean of 30 days.
	Reference Price
}

// Conversion is the record of dollars that became tokens, or of tokens that counted as dollars: what was converted, and
// at which price, seen when and by whom. JSON carries everything as strings.
type Conversion struct {
	// Dollars were spent on Tokens, or are what Tokens counted for in IO.
	Dollars USD    `json:"dollars"`
	Tokens  Amount `json:"tokens"`
	// PerToken is the price of one whole token.
	PerToken USD       `json:"per_token"`
	SeenAt   time.Time `json:"seen_at"`
	Source   string    `json:"source"`
}

// Price returns the price at which was converted.
func (c Conversion) Price() Price {
	return Price{MicroPerToken: uint64(c.PerToken), At: c.SeenAt, Source: c.Source}
}

// Settlement is where the money of an invoice goes. Every line adds up: what was paid is what was converted and what goes
// back; Supplier and Revenue are the tokens of the conversion; Burn and Treasury are Revenue. JSON carries everything but
// the mark Late as strings.
type Settlement struct {
	// Invoice is the ID of the invoice, Order its reading of the fees, At when it was settled.
	Invoice string    `json:"invoice"`
	With    Currency  `json:"with"`
	Order   FeeOrder  `json:"order"`
	At      time.Time `json:"at"`
	// Late says that At is after the invoice was due.
	Late bool `json:"late"`
	// PaidDollars and PaidTokens are what arrived.
	PaidDollars USD    `json:"paid_dollars"`
	PaidTokens  Amount `json:"paid_tokens"`
	// BackDollars and BackTokens go back to the payer: what was paid beyond the charge, and what no base unit could be
	// bought for.
	BackDollars USD    `json:"back_dollars"`
	BackTokens  Amount `json:"back_tokens"`
	// Conversion made the tokens that are shared.
	Conversion Conversion `json:"conversion"`
	// Supplier and Revenue share the tokens in proportion to their dollars.
	Supplier Amount `json:"supplier"`
	Revenue  Amount `json:"revenue"`
	// Burn and Treasury share the revenue.
	Burn     Amount `json:"burn"`
	Treasury Amount `json:"treasury"`
}

// Settle turns a payment into tokens and shares them: whatever is paid becomes IO. Dollars buy tokens at the price of the
// payment, as [Decimals.Convert] says; what is left of them goes back. Tokens must reach the [Charge] at that price; more
// than that goes back. The tokens are divided by [Split] in proportion to the dollars of the supplier and of the revenue,
// in this order: the supplier's part rounds down and the revenue takes the odd unit. The burn of the revenue is rounded
// up, once, and the treasury has the rest. It fails with [ErrPayment] if the payment is too small, of the wrong kind,
// before the invoice was issued, or buys no base unit; with [ErrPrice] as Charge does; and with the errors of
// [Invoice.Validate], [InvoicePolicy.Validate] and [ErrOverflow].
func (p InvoicePolicy) Settle(v Invoice, m Payment) (Settlement, error) {
	if err := p.check(v); err != nil {
		return Settlement{}, err
	}
	if m.At.Before(v.Issued) {
		return Settlement{}, fmt.Errorf("%w: %s was issued %s, the payment is of %s",
			ErrPayment, quote(v.ID), stamp(v.Issued), stamp(m.At))
	}
	if err := m.Price.fresh(m.At, p.MaxPriceAge); err != nil {
		return Settlement{}, err
	}
	s := Settlement{
		Invoice: v.ID, With: v.Quote.With, Order: v.Quote.Order, At: m.At, Late: m.At.After(v.Due),
		PaidDollars: m.Dollars, PaidTokens: m.Tokens,
		Conversion: Conversion{PerToken: USD(m.Price.MicroPerToken), SeenAt: m.Price.At, Source: m.Price.Source},
	}
	take := p.takeDollars
	if s.With == IO {
		take = p.takeTokens
	}
	if err := take(&s, v.Quote.RenterPays, m); err != nil {
		return Settlement{}, err
	}
	if v.Quote.RenterPays > 0 {
		parts, err := Split(s.Conversion.Tokens, []uint64{uint64(v.Quote.SupplierGets), uint64(v.Quote.Revenue)})
		if err != nil {
			return Settlement{}, err
		}
		s.Supplier, s.Revenue = parts[0], parts[1]
	}
	var err error
	if s.Burn, err = p.Burn.Burn(s.Revenue, m.Price, m.Reference); err != nil {
		return Settlement{}, err
	}
	s.Treasury = s.Revenue - s.Burn
	return s, nil
}

// takeDollars buys tokens for a payment in USDC or by card.
func (p InvoicePolicy) takeDollars(s *Settlement, due USD, m Payment) error {
	if m.Tokens != 0 {
		return fmt.Errorf("%w: tokens arrived for a charge in %s", ErrPayment, s.With)
	}
	if m.Dollars < due {
		return fmt.Errorf("%w: %s dollars arrived, %s are due", ErrPayment, m.Dollars, due)
	}
	tokens, rest, err := p.Decimals.Convert(due, m.Price)
	if err != nil {
		return err
	}
	if tokens == 0 && due > 0 {
		return fmt.Errorf("%w: %s dollars buy no base unit at %s a token", ErrPayment, due, s.Conversion.PerToken)
	}
	s.Conversion.Dollars, s.Conversion.Tokens = due-rest, tokens
	s.BackDollars = m.Dollars - due + rest
	return nil
}

// takeTokens counts tokens as dollars for a payment in IO.
func (p InvoicePolicy) takeTokens(s *Settlement, due USD, m Payment) error {
	if m.Dollars != 0 {
		return fmt.Errorf("%w: dollars arrived for a charge in %s", ErrPayment, s.With)
	}
	tokens, err := p.Decimals.Pay(due, m.Price)
	if err != nil {
		return err
	}
	if m.Tokens < tokens {
		return fmt.Errorf("%w: %s tokens arrived, %s are due", ErrPayment, p.Decimals.Format(m.Tokens), p.Decimals.Format(tokens))
	}
	s.Conversion.Dollars, s.Conversion.Tokens = due, tokens
	s.BackTokens = m.Tokens - tokens
	return nil
}

// Audit returns [ErrInvoice] and the first line that does not add up, or nil. It is for records that come from
// elsewhere; what Settle returns passes.
func (s Settlement) Audit() error {
	for _, line := range []struct {
		what        string
		whole, a, b uint64
	}{
		{"the tokens of supplier and revenue", uint64(s.Conversion.Tokens), uint64(s.Supplier), uint64(s.Revenue)},
		{"burn and treasury", uint64(s.Revenue), uint64(s.Burn), uint64(s.Treasury)},
	} {
		if line.a > line.whole || line.b != line.whole-line.a {
			return fmt.Errorf("%w: %s are %d and %d base units, not %d", ErrInvoice, line.what, line.a, line.b, line.whole)
		}
	}
	dollars, tokens := s.BackDollars, s.BackTokens
	var err error
	if s.With == IO {
		tokens, err = tokens.Add(s.Conversion.Tokens)
	} else {
		dollars, err = dollars.Add(s.Conversion.Dollars)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: what was paid: %w", ErrInvoice, err)
	case dollars != s.PaidDollars:
		return fmt.Errorf("%w: %s dollars were paid, %s spent and returned", ErrInvoice, s.PaidDollars, dollars)
	case tokens != s.PaidTokens:
		return fmt.Errorf("%w: %d base units were paid, %d used and returned", ErrInvoice, s.PaidTokens, tokens)
	}
	return s.Conversion.Price().Validate()
}

func (p InvoicePolicy) check(v Invoice) error {
	if err := p.Validate(); err != nil {
		return err
	}
	return v.Validate()
}
