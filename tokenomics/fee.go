package tokenomics

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"
)

// wholeBps is 100 % in basis points.
const wholeBps = 10_000

var (
	// ErrFees is returned for an invalid [FeePolicy].
	ErrFees = errors.New("tokenomics: invalid fees")
	// ErrCurrency is returned for a currency that is none of IO, USDC and Card.
	ErrCurrency = errors.New("tokenomics: unknown currency")
)

// Currency is what a renter pays with. The zero value is none.
type Currency uint8

const (
	// IO is the token of the network.
	IO Currency = iota + 1
	// USDC is the dollar token on Solana.
	USDC
	// Card is any card payment in dollars.
	Card
)

// String returns "IO", "USDC" or "card".
func (c Currency) String() string {
	switch c {
	case IO:
		return "IO"
	case USDC:
		return "USDC"
	case Card:
		return "card"
	}
	return fmt.Sprintf("Currency(%d)", uint8(c))
}

// MarshalText returns what String returns, or [ErrCurrency].
func (c Currency) MarshalText() ([]byte, error) {
	if c < IO || c > Card {
		return nil, fmt.Errorf("%w: %d", ErrCurrency, uint8(c))
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads what MarshalText returns.
func (c *Currency) UnmarshalText(text []byte) error {
	for d := IO; d <= Card; d++ {
		if d.String() == string(text) {
			*c = d
			return nil
		}
	}
	return fmt.Errorf("%w: %s, want IO, USDC or card", ErrCurrency, quote(string(text)))
}

// FeeOrder says on what the second of two fees is charged. The zero value is neither.
type FeeOrder uint8

const (
	// Additive charges both fees on the net amount.
	Additive FeeOrder = iota + 1
	// Compounded charges the payment fee on what the reservation fee has left: on more than the net amount for the renter,
	// on less for the supplier.
	Compounded
)

// String returns "additive" or "compounded".
func (o FeeOrder) String() string {
	switch o {
	case Additive:
		return "additive"
	case Compounded:
		return "compounded"
	}
	return fmt.Sprintf("FeeOrder(%d)", uint8(o))
}

// MarshalText returns what String returns, or [ErrFees].
func (o FeeOrder) MarshalText() ([]byte, error) {
	if o != Additive && o != Compounded {
		return nil, fmt.Errorf("%w: unknown order %d", ErrFees, uint8(o))
	}
	return []byte(o.String()), nil
}

// UnmarshalText reads what MarshalText returns.
func (o *FeeOrder) UnmarshalText(text []byte) error {
	for q := Additive; q <= Compounded; q++ {
		if q.String() == string(text) {
			*o = q
			return nil
		}
	}
	return fmt.Errorf("%w: unknown order %s, want additive or compounded", ErrFees, quote(string(text)))
}

// FeePolicy is what the network charges on each side of a rental, in basis points (hundredths of a percent).
type FeePolicy struct {
	// ReservationBps is charged in every currency.
	ReservationBps uint32 `json:"reservation_bps"`
	// PaymentIOBps is charged besides if the renter pays in IO.
	PaymentIOBps uint32 `json:"payment_io_bps"`
	// PaymentUSDCBps is charged besides if the renter pays in USDC.
	PaymentUSDCBps uint32 `json:"payment_usdc_bps"`
	// PaymentCardBps is charged besides if the renter pays by card.
	PaymentCardBps uint32 `json:"payment_card_bps"`
	// Order says how the two combine.
	Order FeeOrder `json:"order"`
}

// FeeKind names a fee. The zero value is none.
type FeeKind uint8

const (
	// ReservationFee is charged for reserving a device.
	ReservationFee FeeKind = iota + 1
	// PaymentFee is charged for the way of paying.
	PaymentFee
)

// String returns "reservation" or "payment".
func (k FeeKind) String() string {
	switch k {
	case ReservationFee:
		return "reservation"
	case PaymentFee:
		return "payment"
	}
	return fmt.Sprintf("FeeKind(%d)", uint8(k))
}

// MarshalText returns what String returns, or [ErrFees].
func (k FeeKind) MarshalText() ([]byte, error) {
	if k != ReservationFee && k != PaymentFee {
		return nil, fmt.Errorf("%w: unknown kind %d", ErrFees, uint8(k))
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads what MarshalText returns. The receiver is unchanged after an error.
func (k *FeeKind) UnmarshalText(text []byte) error {
	for q := ReservationFee; q <= PaymentFee; q++ {
		if q.String() == string(text) {
			*k = q
			return nil
		}
	}
	return fmt.Errorf("%w: unknown kind %s, want reservation or payment", ErrFees, quote(string(text)))
}

// FeeLine is one fee on one side of a quote.
type FeeLine struct {
	Kind   FeeKind `json:"kind"`
	Bps    uint32  `json:"bps"`
	Amount USD     `json:"amount"`
}

// Quote is the price of a rental with every fee. The lines add up: RenterPays is Net and the renter's fees,
// SupplierGets is Net without the supplier's fees, and Revenue is all fees together. Order is the reading of the fee
// table by which it was made. JSON carries all dollars as strings.
type Quote struct {
	Net          USD       `json:"net"`
	With         Currency  `json:"with"`
	Order        FeeOrder  `json:"order"`
	RenterFees   []FeeLine `json:"renter_fees"`
	RenterPays   USD       `json:"renter_pays"`
	SupplierFees []FeeLine `json:"supplier_fees"`
	SupplierGets USD       `json:"supplier_gets"`
	Revenue      USD       `json:"revenue"`
}

// Validate returns [ErrFees] and what is wrong, or nil.
func (p FeePolicy) Validate() error {
	if p.Order != Additive && p.Order != Compounded {
		return fmt.Errorf("%w: unknown order %d", ErrFees, uint8(p.Order))
	}
	for c := IO; c <= Card; c++ {
		if sum := uint64(p.ReservationBps) + uint64(p.payment(c)); sum > wholeBps {
			return fmt.Errorf("%w: %d bps in %s, at most %d", ErrFees, sum, c, wholeBps)
		}
	}
	return nil
}

// Quote returns what the renter pays and the supplier gets for a rental of the given net price. Fees round up in favour
// of the network: additive ones once, on their total, so that the second line takes the difference; compounded ones
// each. It fails with [ErrFees], [ErrCurrency] or [ErrOverflow].
func (p FeePolicy) Quote(net USD, with Currency) (Quote, error) {
	if err := p.Validate(); err != nil {
		return Quote{}, err
	}
	if with < IO || with > Card {
		return Quote{}, fmt.Errorf("%w: %s", ErrCurrency, with)
	}
	q := Quote{Net: net, With: with, Order: p.Order}
	first, err := net.MulDiv(uint64(p.ReservationBps), wholeBps, Up)
	if err != nil {
		return Quote{}, err
	}
	renter, supplier, err := p.paymentFees(net, first, uint64(p.payment(with)))
	if err != nil {
		return Quote{}, err
	}
	line := func(second USD) []FeeLine {
		return []FeeLine{{ReservationFee, p.ReservationBps, first}, {PaymentFee, p.payment(with), second}}
	}
	q.RenterFees, q.SupplierFees = line(renter), line(supplier)
	if q.RenterPays, err = net.Add(first); err != nil {
		return Quote{}, err
	}
	if q.RenterPays, err = q.RenterPays.Add(renter); err != nil {
		return Quote{}, err
	}
	if q.SupplierGets, err = net.Sub(first + supplier); err != nil {
		return Quote{}, err
	}
	q.Revenue = q.RenterPays - q.SupplierGets
	return q, nil
}

// Comparison is a rental's price under both readings of the published fees: 0.25 % for the reservation and 2 % for the
// payment are published, the order in which they combine is not.
type Comparison struct {
	Additive   Quote `json:"additive"`
	Compounded Quote `json:"compounded"`
	// RenterMore is what the renter pays more under Compounded than under Additive, in dollars, exact; never negative.
	RenterMore decimal.Decimal `json:"renter_more"`
	// SupplierMore is what the supplier gets more under Compounded than under Additive, in dollars, exact. Below about a
	// cent the two roundings of Compounded may outweigh it: then it is negative, by a millionth at most.
	SupplierMore decimal.Decimal `json:"supplier_more"`
}

// MarshalJSON writes the differences as strings, whatever the global settings of the decimal package say.
func (c Comparison) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Additive     Quote  `json:"additive"`
		Compounded   Quote  `json:"compounded"`
		RenterMore   string `json:"renter_more"`
		SupplierMore string `json:"supplier_more"`
	}{c.Additive, c.Compounded, c.RenterMore.String(), c.SupplierMore.String()})
}

// Compare returns the quotes of both orders, whatever the order of the policy, and their difference on each side. It
// fails as Quote does.
func (p FeePolicy) Compare(net USD, with Currency) (Comparison, error) {
	var c Comparison
	var err error
	p.Order = Additive
	if c.Additive, err = p.Quote(net, with); err != nil {
		return Comparison{}, err
	}
	p.Order = Compounded
	if c.Compounded, err = p.Quote(net, with); err != nil {
		return Comparison{}, err
	}
	c.RenterMore = c.Compounded.RenterPays.Decimal().Sub(c.Additive.RenterPays.Decimal())
	c.SupplierMore = c.Compounded.SupplierGets.Decimal().Sub(c.Additive.SupplierGets.Decimal())
	return c, nil
}

// Validate returns [ErrFees] or [ErrCurrency] if the lines do not add up or name no known order, kind or currency, or
// nil. It does not ask under which policy the fees were charged.
func (q Quote) Validate() error {
	if q.With < IO || q.With > Card {
		return fmt.Errorf("%w: %s", ErrCurrency, q.With)
	}
	if q.Order != Additive && q.Order != Compounded {
		return fmt.Errorf("%w: unknown order %d", ErrFees, uint8(q.Order))
	}
	renter, supplier := q.Net, q.SupplierGets
	for _, side := range []struct {
		lines []FeeLine
		sum   *USD
	}{{q.RenterFees, &renter}, {q.SupplierFees, &supplier}} {
		for _, l := range side.lines {
			if l.Kind != ReservationFee && l.Kind != PaymentFee {
				return fmt.Errorf("%w: unknown kind %d", ErrFees, uint8(l.Kind))
			}
			var err error
			if *side.sum, err = side.sum.Add(l.Amount); err != nil {
				return fmt.Errorf("%w: the lines: %w", ErrFees, err)
			}
		}
	}
	switch {
	case renter != q.RenterPays:
		return fmt.Errorf("%w: the renter's lines add up to %s, not %s", ErrFees, renter, q.RenterPays)
	case supplier != q.Net:
		return fmt.Errorf("%w: the supplier's lines add up to %s, not %s", ErrFees, supplier, q.Net)
	case q.SupplierGets > q.RenterPays || q.Revenue != q.RenterPays-q.SupplierGets:
		return fmt.Errorf("%w: revenue %s, %s paid, %s received", ErrFees, q.Revenue, q.RenterPays, q.SupplierGets)
	}
	return nil
}

// paymentFees returns the second fee of each side, given the first one, which both pay.
func (p FeePolicy) paymentFees(net, first USD, bps uint64) (renter, supplier USD, err error) {
	if p.Order == Additive {
		both, err := net.MulDiv(uint64(p.ReservationBps)+bps, wholeBps, Up)
		return both - first, both - first, err
	}
	gross, err := net.Add(first)
	if err != nil {
		return 0, 0, err
	}
	if renter, err = gross.MulDiv(bps, wholeBps, Up); err != nil {
		return 0, 0, err
	}
	supplier, err = (net - first).MulDiv(bps, wholeBps, Up)
	return renter, supplier, err
}

func (p FeePolicy) payment(with Currency) uint32 {
	switch with {
	case USDC:
		return p.PaymentUSDCBps
	case Card:
		return p.PaymentCardBps
	default:
		return p.PaymentIOBps
	}
}
