package tokenomics

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrBuyBack is returned for an invalid [BuyBackPolicy] and for an order of no dollars.
	ErrBuyBack = errors.New("tokenomics: invalid buy-back")
	// ErrPurchase is returned for a report that is no purchase under its order.
	ErrPurchase = errors.New("tokenomics: invalid report of a purchase")
	// ErrSlippage is returned for a purchase that got less for its dollars than the order allows.
	ErrSlippage = errors.New("tokenomics: purchase slipped too far")
)

// BuyBackPolicy says at which prices tokens may be bought back. Nothing of it is published by io.net; the values are a
// network's own choice.
type BuyBackPolicy struct {
	// Decimals is the number of places of the token: 8 for IO.
	Decimals Decimals `json:"decimals"`
	// MaxAge is how old the price of an order may be, at least a nanosecond. JSON carries it in nanoseconds.
	MaxAge time.Duration `json:"max_age_ns"`
	// MinMicro and MaxMicro bound the price that is believed, in millionths of a dollar a token, both included.
	MinMicro uint64 `json:"min_micro"`
	// MaxMicro is the largest one, at most 10^15.
	MaxMicro uint64 `json:"max_micro"`
	// MaxSlippageBps is how much less than expected a purchase may get for its dollars, in basis points below 10,000.
	MaxSlippageBps uint32 `json:"max_slippage_bps"`
}

// Validate returns [ErrBuyBack] or [ErrDecimals] and what is wrong, or nil.
func (p BuyBackPolicy) Validate() error {
	switch {
	case p.MaxAge <= 0:
		return fmt.Errorf("%w: a price may be %s old, want a positive age", ErrBuyBack, p.MaxAge)
	case p.MinMicro == 0 || p.MinMicro > p.MaxMicro || p.MaxMicro > maxPriceMicro:
		return fmt.Errorf("%w: prices from %d to %d millionths, want 1 to %d in order",
			ErrBuyBack, p.MinMicro, p.MaxMicro, uint64(maxPriceMicro))
	case p.MaxSlippageBps >= wholeBps:
		return fmt.Errorf("%w: slippage of %d bps, want less than %d", ErrBuyBack, p.MaxSlippageBps, wholeBps)
	}
	return p.Decimals.Validate()
}

// BuyBackOrder orders that tokens be bought for at most USD, and at least Least of them if all of it is spent. It keeps
// the price, its time and its source.
type BuyBackOrder struct {
	USD USD `json:"usd"`
	// Expected is what the dollars buy at the price, rounded down: a hope, which nothing is burned by.
	Expected Amount `json:"expected"`
	// Least is what remains of Expected after the slippage, rounded up in favour of the network: the limit for whoever buys.
	Least Amount `json:"least"`
	Price Price  `json:"price"`
}

// Order returns the order that spends dollars at an instant. It is refused with [ErrPrice] without a price that has a
// time and a source, and for a price that is 0, out of bounds, older than MaxAge or of the future; with [ErrBuyBack] for
// no dollars, or too few to buy a base unit; and with [ErrOverflow].
func (p BuyBackPolicy) Order(at time.Time, spend USD, price Price) (BuyBackOrder, error) {
	if err := p.Validate(); err != nil {
		return BuyBackOrder{}, err
	}
	if err := price.fresh(at, p.MaxAge); err != nil {
		return BuyBackOrder{}, err
	}
	if m := price.MicroPerToken; m < p.MinMicro || m > p.MaxMicro {
		return BuyBackOrder{}, fmt.Errorf("%w: %d millionths of a dollar are not within %d to %d",
			ErrPrice, m, p.MinMicro, p.MaxMicro)
	}
	expected, _, err := p.Decimals.Convert(spend, price)
	if err != nil {
		return BuyBackOrder{}, err
	}
	if expected == 0 {
		return BuyBackOrder{}, fmt.Errorf("%w: %s dollars buy no base unit at %s a token",
			ErrBuyBack, spend, USD(price.MicroPerToken))
	}
	least, err := expected.MulDiv(uint64(wholeBps-p.MaxSlippageBps), wholeBps, Up)
	if err != nil {
		return BuyBackOrder{}, err
	}
	return BuyBackOrder{USD: spend, Expected: expected, Least: least, Price: price}, nil
}

// Purchase reports what was bought under an order.
type Purchase struct {
	Bought Amount `json:"bought"`
	Spent  USD    `json:"spent"`
	// Proof identifies the purchase, for example by the signature of its transaction: 1 to 128 bytes.
	Proof string `json:"proof"`
}

// BuyBack is a purchase that was accepted. Its dollars add up: Spent and Unspent are those of the order.
type BuyBack struct {
	// Burn is to be burned: what was bought, neither more nor less.
	Burn  Amount `json:"burn"`
	Spent USD    `json:"spent"`
	// Unspent goes back to where the dollars of the order came from.
	Unspent USD    `json:"unspent"`
	Proof   string `json:"proof"`
}

// Confirm accepts the report of a purchase. What burns is what was bought, not what the order expected; dollars that were
// not spent go back. It fails with [ErrPurchase] if the report has no proof, or bought nothing, or spent nothing or more
// than the order; and with [ErrSlippage] if what was bought is worth less, at the price of the order, than what was spent
// less the slippage. Then nothing is burned, and the tokens wait for somebody who looks into it. An order may be
// filled in parts; that each proof counts once is for the caller to see.
func (p BuyBackPolicy) Confirm(o BuyBackOrder, r Purchase) (BuyBack, error) {
	if err := p.Validate(); err != nil {
		return BuyBack{}, err
	}
	switch n := len(r.Proof); {
	case n == 0 || n > proofBytes:
		return BuyBack{}, fmt.Errorf("%w: its proof has %d bytes, want 1 to %d", ErrPurchase, n, proofBytes)
	case r.Bought == 0 || r.Spent == 0:
		return BuyBack{}, fmt.Errorf("%w: %s tokens for %s dollars", ErrPurchase, p.Decimals.Format(r.Bought), r.Spent)
	case r.Spent > o.USD:
		return BuyBack{}, fmt.Errorf("%w: %s dollars spent, the order is of %s", ErrPurchase, r.Spent, o.USD)
	}
	// The fewest base units that are as good as promised: what the dollars spent buy, less the slippage.
	expected, _, err := p.Decimals.Convert(r.Spent, o.Price)
	if err != nil {
		return BuyBack{}, err
	}
	least, err := expected.MulDiv(uint64(wholeBps-p.MaxSlippageBps), wholeBps, Up)
	if err != nil {
		return BuyBack{}, err
	}
	if r.Bought < least {
		return BuyBack{}, fmt.Errorf("%w: %s tokens for %s dollars, at least %s",
			ErrSlippage, p.Decimals.Format(r.Bought), r.Spent, p.Decimals.Format(least))
	}
	return BuyBack{Burn: r.Bought, Spent: r.Spent, Unspent: o.USD - r.Spent, Proof: r.Proof}, nil
}
