package tokenomics

import (
	"fmt"
	"math/big"

	"github.com/shopspring/decimal"
)

const (
	// USDPlaces is the number of decimal places of a dollar amount, those of USDC.
	USDPlaces = 6
	// MicrosPerUSD is the number of millionths in one dollar.
	MicrosPerUSD = 1_000_000
)

// USD is a quantity of dollars in millionths, the unit in which USDC settles. The zero value is no dollars.
type USD uint64

// ParseUSD reads a number of dollars such as "1022.50", by the rules of [ParseAmount] with at most six places.
func ParseUSD(s string) (USD, error) {
	v, err := parseFixed(s, USDPlaces)
	return USD(v), err
}

// Add returns u + v, or [ErrOverflow].
func (u USD) Add(v USD) (USD, error) {
	if u+v < u {
		return 0, fmt.Errorf("%w: %s + %s dollars", ErrOverflow, u, v)
	}
	return u + v, nil
}

// Sub returns u - v, or [ErrInsufficient] if v is larger than u.
func (u USD) Sub(v USD) (USD, error) {
	if v > u {
		return 0, fmt.Errorf("%w: %s - %s dollars", ErrInsufficient, u, v)
	}
	return u - v, nil
}

// MulDiv returns u*num/den, rounded as r says, with the errors of [Amount.MulDiv].
func (u USD) MulDiv(num, den uint64, r Rounding) (USD, error) {
	v, err := mulDiv(uint64(u), num, den, r)
	return USD(v), err
}

// Decimal returns the exact number of dollars.
func (u USD) Decimal() decimal.Decimal {
	return decimal.NewFromBigInt(new(big.Int).SetUint64(uint64(u)), -USDPlaces)
}

// String returns the exact text with two places at least, such as "977.50" or "0.000001".
func (u USD) String() string { return formatFixed(uint64(u), USDPlaces, 2) }

// MarshalText returns what String returns, so that JSON carries dollars as a string.
func (u USD) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads what [ParseUSD] reads. The receiver is unchanged after an error.
func (u *USD) UnmarshalText(text []byte) error {
	v, err := ParseUSD(string(text))
	if err == nil {
		*u = v
	}
	return err
}
