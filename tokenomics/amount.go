package tokenomics

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/shopspring/decimal"
)

const (
	// AmountPlaces is the number of decimal places of the token of io.net, and of the text of an [Amount].
	AmountPlaces = 8
	// UnitsPerToken is the number of base units in one whole token.
	UnitsPerToken = 100_000_000
)

var (
	// ErrOverflow is returned when a result does not fit into 64 bits.
	ErrOverflow = errors.New("tokenomics: number too large")
	// ErrInsufficient is returned when more is subtracted than there is.
	ErrInsufficient = errors.New("tokenomics: amount too small")
	// ErrFormat is returned for a text that is not a plain decimal number; the message says what is wrong with it.
	ErrFormat = errors.New("tokenomics: malformed number")
	// ErrZeroDivisor is returned when a fraction has the denominator 0.
	ErrZeroDivisor = errors.New("tokenomics: division by zero")
)

// Amount is a quantity of the token in base units of 1e-8 token. The zero value is no tokens. An Amount holds up to
// 184,467,440,737.09551615 tokens, 230 times the cap of io.net. Its text has 8 places; for a token with others see
// [Decimals].
type Amount uint64

// ParseAmount reads a number of tokens such as "12.5": digits, and optionally a point and one to eight digits more.
// Signs, exponents, spaces, separators and a ninth place are refused with [ErrFormat], numbers beyond 64 bits of base
// units with [ErrOverflow].
func ParseAmount(s string) (Amount, error) {
	v, err := parseFixed(s, AmountPlaces)
	return Amount(v), err
}

// Add returns a + b, or [ErrOverflow].
func (a Amount) Add(b Amount) (Amount, error) {
	if a+b < a {
		return 0, fmt.Errorf("%w: %s + %s tokens", ErrOverflow, a, b)
	}
	return a + b, nil
}

// Sub returns a - b, or [ErrInsufficient] if b is larger than a.
func (a Amount) Sub(b Amount) (Amount, error) {
	if b > a {
		return 0, fmt.Errorf("%w: %s - %s tokens", ErrInsufficient, a, b)
	}
	return a - b, nil
}

// MulDiv returns a*num/den, rounded as r says. The product has 128 bits, so only the result can overflow:
// [ErrOverflow]. A den of 0 is [ErrZeroDivisor]. It panics on an undefined r.
func (a Amount) MulDiv(num, den uint64, r Rounding) (Amount, error) {
	v, err := mulDiv(uint64(a), num, den, r)
	return Amount(v), err
}

// Decimal returns the exact number of tokens.
func (a Amount) Decimal() decimal.Decimal {
	return decimal.NewFromBigInt(new(big.Int).SetUint64(uint64(a)), -AmountPlaces)
}

// String returns the shortest exact text, such as "0.87866191" or "300000000".
func (a Amount) String() string { return formatFixed(uint64(a), AmountPlaces, 0) }

// Fixed returns the exact text with all eight places, such as "0.50000000", for columns of figures.
func (a Amount) Fixed() string { return formatFixed(uint64(a), AmountPlaces, AmountPlaces) }

// MarshalText returns what String returns, so that JSON carries an amount as a string.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [ParseAmount] reads. The receiver is unchanged after an error.
func (a *Amount) UnmarshalText(text []byte) error {
	v, err := ParseAmount(string(text))
	if err == nil {
		*a = v
	}
	return err
}
