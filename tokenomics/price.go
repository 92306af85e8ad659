package tokenomics

import (
	"errors"
	"fmt"
	"time"
)

// maxPriceMicro bounds a price at a billion dollars a token, so that a price times basis points fits into 64 bits.
const maxPriceMicro = 1_000_000_000 * MicrosPerUSD

// ErrPrice is returned for a price that no money may be converted at.
var ErrPrice = errors.New("tokenomics: unusable price")

// Price is what one whole token costs, and where that comes from: a record of a conversion keeps all three.
type Price struct {
	// MicroPerToken is in millionths of a dollar per whole token: 2,500,000 is 2.50 dollars. 1 to 10^15.
	MicroPerToken uint64 `json:"micro_per_token,string"`
	// At is when the price was seen.
	At time.Time `json:"at"`
	// Source names who gave it.
	Source string `json:"source"`
}

// Validate returns [ErrPrice] and what is wrong, or nil.
func (p Price) Validate() error {
	switch {
	case p.MicroPerToken == 0 || p.MicroPerToken > maxPriceMicro:
		return fmt.Errorf("%w: %d millionths of a dollar, want 1 to %d", ErrPrice, p.MicroPerToken, uint64(maxPriceMicro))
	case p.At.IsZero():
		return fmt.Errorf("%w: it has no time", ErrPrice)
	case p.Source == "":
		return fmt.Errorf("%w: it has no source", ErrPrice)
	}
	return nil
}

// Convert buys tokens of 8 places for dollars; [Decimals.Convert] does so for others. It returns the largest amount that
// the dollars pay for,
//
//	amount = floor(usd * 10^8 / price),
//
// and the dollars that were not spent, usd - ceil(amount * price / 10^8): rest goes back to the account they came from,
// so that no whole millionth of a dollar is lost. The amount rounds down and its cost up, in favour of the seller of
// the tokens, by less than one base unit. Below 100 dollars a token a base unit costs less than a millionth and rest is
// 0. It fails with [ErrPrice] or [ErrOverflow].
func Convert(usd USD, p Price) (amount Amount, rest USD, err error) {
	return Decimals(AmountPlaces).Convert(usd, p)
}

// BackToUSD returns what tokens of 8 places are worth, floor(amount * price / 10^8), rounded down in favour of whoever
// pays it out.
// Converting dollars and converting them back, with the rest, never gains. It fails with [ErrPrice] or [ErrOverflow].
func BackToUSD(amount Amount, p Price) (USD, error) { return Decimals(AmountPlaces).Value(amount, p) }

// fresh returns [ErrPrice] for a price that is unusable, older than most at the instant at, or of the future.
func (p Price) fresh(at time.Time, most time.Duration) error {
	if err := p.Validate(); err != nil {
		return err
	}
	switch {
	case p.At.After(at):
		return fmt.Errorf("%w: it is of %s, which is after %s", ErrPrice, stamp(p.At), stamp(at))
	case p.At.Before(at.Add(-most)):
		return fmt.Errorf("%w: it is of %s, more than %s before %s", ErrPrice, stamp(p.At), most, stamp(at))
	}
	return nil
}

// stamp shows an instant in an error, to the nanosecond.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
