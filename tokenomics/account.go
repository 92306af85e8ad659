package tokenomics

import "fmt"

// Account is a part of the supply. The zero value is Circulating.
type Account uint8

const (
	// Circulating holds what nobody restricts: also what is staked or cooling down, in io.net's definition.
	Circulating Account = iota
	// Rewards holds what policies have released and nobody has received yet.
	Rewards
	// FeeVault holds what the network took as fees and a policy may release.
	FeeVault
	// Locked holds what the allocation has not freed yet. Only [Vested] moves it.
	Locked
)

// String returns the name of the account in lower case.
func (a Account) String() string {
	switch a {
	case Circulating:
		return "circulating"
	case Rewards:
		return "rewards"
	case FeeVault:
		return "fee vault"
	case Locked:
		return "locked"
	}
	return fmt.Sprintf("Account(%d)", uint8(a))
}

// MarshalText returns the name of the account, or [ErrAccount].
func (a Account) MarshalText() ([]byte, error) { return nameOf(a, a <= Locked, ErrAccount) }

// UnmarshalText reads what MarshalText returns. The receiver is unchanged after an error.
func (a *Account) UnmarshalText(text []byte) error {
	return named(a, Circulating, Locked, text, ErrAccount)
}

// Books is the account of the supply at one moment.
type Books struct {
	// Genesis existed before epoch 1.
	Genesis Amount
	// MintedTotal is what all epochs created up to now, those before the first one of this Supply included.
	MintedTotal Amount
	// RemintedTotal is what was created again for what had been burned.
	RemintedTotal Amount
	// BurnedTotal is what was burned under this Supply.
	BurnedTotal Amount
	// Reserve is what the cap leaves to mint. A burn does not raise it.
	Reserve Amount
	// Circulating, Rewards, FeeVault and Locked are where the supply is: they add up to Total.
	Circulating, Rewards, FeeVault, Locked Amount
}

// Total returns the supply that exists: genesis and what was minted, without what was burned.
func (b Books) Total() Amount { return b.Genesis + b.MintedTotal + b.RemintedTotal - b.BurnedTotal }
