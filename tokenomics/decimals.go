package tokenomics

import (
	"errors"
	"fmt"
)

// MaxDecimals is the largest number of decimal places of a token: beyond nine, 64 bits hold too few whole ones.
const MaxDecimals Decimals = 9

// ErrDecimals is returned for a number of decimal places above [MaxDecimals].
var ErrDecimals = errors.New("tokenomics: invalid decimals")

// Decimals is the number of decimal places of a token, 0 to 9. The token of io.net has 8 ([AmountPlaces]), USDC on
// Solana 6. An [Amount] is a whole number of base units whatever the token; what a base unit is, only Decimals knows. The
// text of Amount itself, and [ParseAmount], [Convert] and [BackToUSD], always mean 8 places; for another token use the
// methods below. JSON carries Decimals as a number. The zero value is a token that cannot be divided.
type Decimals uint8

// Validate returns [ErrDecimals] for more than nine places, or nil.
func (d Decimals) Validate() error {
	if d > MaxDecimals {
		return fmt.Errorf("%w: %d places, at most %d", ErrDecimals, uint8(d), uint8(MaxDecimals))
	}
	return nil
}

// UnitsPerToken returns 10^d, the number of base units in one whole token. It is 0 where Validate fails, so that nothing
// can be divided by it.
func (d Decimals) UnitsPerToken() uint64 {
	if d > MaxDecimals {
		return 0
	}
	units := uint64(1)
	for range d {
		units *= 10
	}
	return units
}

// Parse reads a number of tokens by the rules of [ParseAmount], with at most d places; for 0 places there is no point. It
// fails with [ErrFormat], [ErrOverflow] or [ErrDecimals].
func (d Decimals) Parse(s string) (Amount, error) {
	if err := d.Validate(); err != nil {
		return 0, err
	}
	v, err := parseFixed(s, int(d))
	return Amount(v), err
}

// Format returns the shortest exact text of an amount of this token, such as "12.5", which Parse reads back.
func (d Decimals) Format(a Amount) string { return formatFixed(uint64(a), int(d), 0) }

// Fixed returns the exact text of an amount of this token with all d places, for columns of figures.
func (d Decimals) Fixed(a Amount) string { return formatFixed(uint64(a), int(d), int(d)) }

// Convert is the function [Convert] for a token of d places: the largest amount that the dollars pay for,
// floor(usd * 10^d / price), and the dollars that were not spent, usd - ceil(amount * price / 10^d). The amount rounds
// down and its cost up, in favour of the seller of the tokens. It fails with [ErrPrice], [ErrOverflow] or [ErrDecimals].
func (d Decimals) Convert(usd USD, p Price) (amount Amount, rest USD, err error) {
	if err := d.check(p); err != nil {
		return 0, 0, err
	}
	units, err := mulDiv(uint64(usd), d.UnitsPerToken(), p.MicroPerToken, Down)
	if err != nil {
		return 0, 0, err
	}
	cost, err := mulDiv(units, p.MicroPerToken, d.UnitsPerToken(), Up)
	if err != nil {
		return 0, 0, err
	}
	return Amount(units), usd - USD(cost), nil
}

// Cost returns what an amount costs, ceil(amount * price / 10^d), rounded up in favour of the seller. It fails with
// [ErrPrice], [ErrOverflow] or [ErrDecimals].
func (d Decimals) Cost(amount Amount, p Price) (USD, error) {
	if err := d.check(p); err != nil {
		return 0, err
	}
	v, err := mulDiv(uint64(amount), p.MicroPerToken, d.UnitsPerToken(), Up)
	return USD(v), err
}

// Value returns what an amount is worth, floor(amount * price / 10^d), rounded down in favour of whoever pays it out. It
// fails with [ErrPrice], [ErrOverflow] or [ErrDecimals].
func (d Decimals) Value(amount Amount, p Price) (USD, error) {
	if err := d.check(p); err != nil {
		return 0, err
	}
	v, err := mulDiv(uint64(amount), p.MicroPerToken, d.UnitsPerToken(), Down)
	return USD(v), err
}

// Pay returns the fewest base units whose Value reaches the dollars, ceil(usd * 10^d / price): what somebody who owes
// dollars is charged in the token, rounded up in favour of whoever is paid. It fails with [ErrPrice], [ErrOverflow] or
// [ErrDecimals].
func (d Decimals) Pay(usd USD, p Price) (Amount, error) {
	if err := d.check(p); err != nil {
		return 0, err
	}
	v, err := mulDiv(uint64(usd), d.UnitsPerToken(), p.MicroPerToken, Up)
	return Amount(v), err
}

func (d Decimals) check(p Price) error {
	if err := d.Validate(); err != nil {
		return err
	}
	return p.Validate()
}
