package settlement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// wholeBps is everything, in basis points.
const wholeBps = 10_000

var (
	// ErrSwapPolicy is returned for a [SwapPolicy] with a field out of range.
	ErrSwapPolicy = errors.New("settlement: invalid swap policy")
	// ErrQuote is what every [*QuoteError] wraps.
	ErrQuote = errors.New("settlement: quote refused")
)

// SwapQuote is what a venue says that it gives. Nothing is booked by it: what a swap got is what the chain shows.
type SwapQuote struct {
	In, Out   Asset
	Units     uint64 // base units of In that are given, all of them
	Expect    uint64 // base units of Out if nothing moves until then
	Least     uint64 // base units of Out below which the venue's own instructions fail, at most Expect; 0: they have no such limit
	ImpactBps uint64 // by how much the swap itself moves the price, in basis points, rounded up
	Slot      uint64 // as of which it was quoted
	Route     string // the venues, for people
}

// SwapOrder is what the instructions of a swap are asked for with: a quote and the accounts that take part.
type SwapOrder struct {
	Quote  SwapQuote
	Wallet Account // the only one that signs
	From   Account // the wallet's token account of Quote.In
	Into   Account // the wallet's token account of Quote.Out, fresh and empty: all proceeds arrive there
}

// AccountUse is one account that an instruction names.
type AccountUse struct {
	Account          Account
	Signer, Writable bool
}

// Instruction is one instruction of a foreign swap as data, so that whoever signs composes the transaction and never signs
// what somebody else has composed.
type Instruction struct {
	Program  Account
	Accounts []AccountUse
	Data     []byte
}

// Swapper is a venue, or a router over many. What it answers is believed by nobody: the quote is compared with a price of
// our own ([SwapPolicy.Check]) and the instructions are judged before they are signed.
type Swapper interface {
	// Quote says what units of in are worth in out now.
	Quote(ctx context.Context, in, out Asset, units uint64) (SwapQuote, error)
	// Build returns the instructions of the swap, without compute budget and without the making of accounts.
	Build(ctx context.Context, o SwapOrder) ([]Instruction, error)
}

// Market is our own price of the token, from both sides. It does not come from the venue that quotes.
type Market struct {
	Bid tokenomics.Price // what a token is sold for
	Ask tokenomics.Price // what a token costs, at least Bid
}

// NewMarket makes a market of an oracle's reading: the lower of spot and mean is the bid, the higher one the ask, so that
// neither a peak nor a dip of one of them alone is taken for the price. It fails with a [*tokenomics.PriceStateError].
func NewMarket(r tokenomics.Reading) (Market, error) {
	bid, err := r.Credit()
	if err != nil {
		return Market{}, err
	}
	ask, err := r.Release()
	if err != nil {
		return Market{}, err
	}
	return Market{Bid: bid, Ask: ask}, nil
}

// SwapPolicy says which quotes may be taken. io.net publishes none of these values; they are a network's own choice.
type SwapPolicy struct {
	// Dollar is the asset that counts as dollars, of 6 decimals: USDC.
	Dollar Asset `json:"dollar"`
	// Token is the asset that Market is the price of, of at most 9 decimals.
	Token Asset `json:"token"`
	// MaxAgeSeconds is how old our own prices may be, at least 1.
	MaxAgeSeconds uint64 `json:"maxAgeSeconds"`
	// MaxSpreadBps is how far our ask may be above our bid, in basis points of the bid: 0 to 10,000.
	MaxSpreadBps uint32 `json:"maxSpreadBps"`
	// MaxSlippageBps is how much less than the worse side of our market a swap may get, in basis points below 10,000.
	MaxSlippageBps uint32 `json:"maxSlippageBps"`
	// MaxGainBps is how much more than the better side of our market a quote may promise, in basis points up to 10,000: a
	// quote that is too good says that our price is wrong, or that the quote lies.
	MaxGainBps uint32 `json:"maxGainBps"`
	// MaxImpactBps is how much a swap may move the price, in basis points up to 10,000.
	MaxImpactBps uint32 `json:"maxImpactBps"`
	// MaxSlots is how many slots old a quote may be.
	MaxSlots uint64 `json:"maxSlots"`
}

// QuoteError says which bound a quote, or the price that it is compared with, does not keep. It wraps [ErrQuote].
type QuoteError struct {
	Field       string // of SwapQuote, or "Bid", "Ask", "Spread" of the market
	Have, Limit uint64 // in the unit of the field; both 0 if the reason says it all
	Reason      string // what is wrong, with the limit
}

// Error names the field, the reason and the limit.
func (e *QuoteError) Error() string { return fmt.Sprintf("%s: %s %s", ErrQuote, e.Field, e.Reason) }

// Unwrap returns [ErrQuote].
func (e *QuoteError) Unwrap() error { return ErrQuote }

func refuse(field string, have, limit uint64, format string, args ...any) *QuoteError {
	return &QuoteError{field, have, limit, fmt.Sprintf(format, args...)}
}

// Validate returns [ErrSwapPolicy] with the first field that is out of range, nil if none is.
func (p SwapPolicy) Validate() error {
	bad := func(field, format string, args ...any) error {
		return fmt.Errorf("%w: %s %s", ErrSwapPolicy, field, fmt.Sprintf(format, args...))
	}
	switch {
	case p.Dollar.Mint == "" || p.Dollar.Decimals != tokenomics.USDPlaces:
		return bad("Dollar", "is mint %q with %d decimals, want a mint with %d", p.Dollar.Mint, p.Dollar.Decimals, tokenomics.USDPlaces)
	case p.Token.Mint == "" || p.Token.Mint == p.Dollar.Mint || tokenomics.Decimals(p.Token.Decimals) > tokenomics.MaxDecimals:
		return bad("Token", "is mint %q with %d decimals, want another mint than Dollar with at most %d",
			p.Token.Mint, p.Token.Decimals, uint8(tokenomics.MaxDecimals))
	case p.MaxAgeSeconds == 0 || p.MaxAgeSeconds > uint64(maxAge/time.Second):
		return bad("MaxAgeSeconds", "is %d, want 1 to %d", p.MaxAgeSeconds, uint64(maxAge/time.Second))
	case p.MaxSpreadBps > wholeBps:
		return bad("MaxSpreadBps", "is %d, want 0 to %d", p.MaxSpreadBps, wholeBps)
	case p.MaxSlippageBps >= wholeBps:
		return bad("MaxSlippageBps", "is %d, want less than %d", p.MaxSlippageBps, wholeBps)
	case p.MaxGainBps > wholeBps:
		return bad("MaxGainBps", "is %d, want 0 to %d", p.MaxGainBps, wholeBps)
	case p.MaxImpactBps > wholeBps:
		return bad("MaxImpactBps", "is %d, want 0 to %d", p.MaxImpactBps, wholeBps)
	}
	return nil
}

// maxAge bounds MaxAgeSeconds: nobody's price is good for longer.
const maxAge = 24 * time.Hour

// Fair returns what units of in are worth in out by our own market: low by the side that is worse for us, rounded down, and
// high by the better one, rounded up. It fails with [ErrSwapPolicy], with a [*QuoteError] for a market that is one-sided,
// crossed, too wide, too old or of the future, and for assets that the policy does not know, and with
// [tokenomics.ErrOverflow].
func (p SwapPolicy) Fair(at time.Time, m Market, in, out Asset, units uint64) (low, high uint64, err error) {
	if err := p.Validate(); err != nil {
		return 0, 0, err
	}
	if err := p.checkMarket(at, m); err != nil {
		return 0, 0, err
	}
	if units == 0 {
		return 0, 0, refuse("Units", 0, 1, "is 0")
	}
	places := tokenomics.Decimals(p.Token.Decimals)
	switch {
	case in == p.Dollar && out == p.Token:
		worse, _, err := places.Convert(tokenomics.USD(units), m.Ask)
		if err != nil {
			return 0, 0, err
		}
		better, err := places.Pay(tokenomics.USD(units), m.Bid)
		return uint64(worse), uint64(better), err
	case in == p.Token && out == p.Dollar:
		worse, err := places.Value(tokenomics.Amount(units), m.Bid)
		if err != nil {
			return 0, 0, err
		}
		better, err := places.Cost(tokenomics.Amount(units), m.Ask)
		return uint64(worse), uint64(better), err
	}
	return 0, 0, refuse("Out", 0, 0, "is mint %q for mint %q: neither buys nor sells the token %q for the dollar %q",
		out.Mint, in.Mint, p.Token.Mint, p.Dollar.Mint)
}

// Least returns the fewest units of out that a swap may get: the low side of [SwapPolicy.Fair] less the slippage, rounded
// up in our favour. It is what the intent of the swap carries. A result of 0 is a [*QuoteError]; otherwise the errors are
// those of Fair.
func (p SwapPolicy) Least(at time.Time, m Market, in, out Asset, units uint64) (uint64, error) {
	low, _, err := p.Fair(at, m, in, out, units)
	if err != nil {
		return 0, err
	}
	least, err := tokenomics.Amount(low).MulDiv(uint64(wholeBps-p.MaxSlippageBps), wholeBps, tokenomics.Up)
	if err != nil {
		return 0, err
	}
	if least == 0 {
		return 0, refuse("Units", units, 0, "is %d, worth not one base unit of mint %q", units, out.Mint)
	}
	return uint64(least), nil
}

// Check says whether a quote may be taken at an instant and a slot for a swap that has to get at least least. All bounds
// are included. The quote has to promise least and what [SwapPolicy.Least] says now, whichever is more, and not much more
// than our own market gives. The errors are those of Fair, and a [*QuoteError] that names the first bound not kept.
func (p SwapPolicy) Check(at time.Time, slot uint64, m Market, q SwapQuote, least uint64) error {
	now, err := p.Least(at, m, q.In, q.Out, q.Units)
	if err != nil {
		return err
	}
	_, high, err := p.Fair(at, m, q.In, q.Out, q.Units)
	if err != nil {
		return err
	}
	most, err := tokenomics.Amount(high).MulDiv(uint64(wholeBps+p.MaxGainBps), wholeBps, tokenomics.Down)
	if err != nil {
		return err
	}
	switch {
	case q.Slot > slot:
		return refuse("Slot", q.Slot, slot, "is %d, after slot %d", q.Slot, slot)
	case slot-q.Slot > p.MaxSlots:
		return refuse("Slot", q.Slot, slot-p.MaxSlots, "is %d, more than %d slots before slot %d", q.Slot, p.MaxSlots, slot)
	case q.Least > q.Expect:
		return refuse("Least", q.Least, q.Expect, "is %d, more than the %d that are expected", q.Least, q.Expect)
	case q.Expect < least:
		return refuse("Expect", q.Expect, least, "is %d, the swap has to get at least %d", q.Expect, least)
	case q.Expect < now:
		return refuse("Expect", q.Expect, now, "is %d, less than the %d of our own price less %d bps", q.Expect, now, p.MaxSlippageBps)
	case q.Expect > uint64(most):
		return refuse("Expect", q.Expect, uint64(most), "is %d, more than the %d of our own price plus %d bps", q.Expect, uint64(most), p.MaxGainBps)
	case q.ImpactBps > uint64(p.MaxImpactBps):
		return refuse("ImpactBps", q.ImpactBps, uint64(p.MaxImpactBps), "is %d, at most %d", q.ImpactBps, p.MaxImpactBps)
	}
	return nil
}

// checkMarket refuses a market that no money may be converted at.
func (p SwapPolicy) checkMarket(at time.Time, m Market) error {
	for _, side := range []struct {
		name  string
		price tokenomics.Price
	}{{"Bid", m.Bid}, {"Ask", m.Ask}} {
		if side.price == (tokenomics.Price{}) {
			return refuse(side.name, 0, 0, "is missing: the market has one side only")
		}
		if err := side.price.Validate(); err != nil {
			return refuse(side.name, side.price.MicroPerToken, 0, "is unusable: %s", err)
		}
		if side.price.At.After(at) {
			return refuse(side.name, 0, 0, "is of the future: it was seen at %s, now it is %s", stamp(side.price.At), stamp(at))
		}
		if oldest := at.Add(-time.Duration(p.MaxAgeSeconds) * time.Second); side.price.At.Before(oldest) {
			return refuse(side.name, 0, p.MaxAgeSeconds, "is of %s, more than %d s before %s", stamp(side.price.At), p.MaxAgeSeconds, stamp(at))
		}
	}
	bid, ask := m.Bid.MicroPerToken, m.Ask.MicroPerToken
	if ask < bid {
		return refuse("Ask", ask, bid, "is %d millionths of a dollar, below the bid of %d", ask, bid)
	}
	// A price is at most 10^15, so the product stays below 2^64.
	if spread := ((ask-bid)*wholeBps + bid - 1) / bid; spread > uint64(p.MaxSpreadBps) {
		return refuse("Spread", spread, uint64(p.MaxSpreadBps), "is %d bps, at most %d", spread, p.MaxSpreadBps)
	}
	return nil
}

// stamp shows an instant in an error.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
