package tokenomics

import (
	"errors"
	"fmt"
)

// ErrBurn is returned for an invalid [BurnPolicy].
var ErrBurn = errors.New("tokenomics: invalid burn policy")

// BurnPolicy says how much of the network's revenue is burned. The share falls as the price rises,
//
//	share(spot) = clamp(Min, Share * ref/spot, Max),
//
// so that more tokens go when they are cheap. All three are in basis points of revenue.
type BurnPolicy struct {
	// ShareBps is the share at the reference price.
	ShareBps uint32 `json:"share_bps"`
	// MinBps is the least share, however dear the token.
	MinBps uint32 `json:"min_bps"`
	// MaxBps is the largest share, at most 10,000.
	MaxBps uint32 `json:"max_bps"`
}

// Validate returns [ErrBurn] and what is wrong, or nil.
func (p BurnPolicy) Validate() error {
	if p.MinBps > p.ShareBps || p.ShareBps > p.MaxBps || p.MaxBps > wholeBps {
		return fmt.Errorf("%w: min %d, share %d, max %d bps are not in order up to %d",
			ErrBurn, p.MinBps, p.ShareBps, p.MaxBps, wholeBps)
	}
	return nil
}

// Burn returns how many tokens of a revenue are burned at the price spot, given the reference price. The share is an
// exact fraction, the amount is rounded up once, as it is taken, and never exceeds the revenue. It fails with [ErrBurn]
// or [ErrPrice].
func (p BurnPolicy) Burn(revenue Amount, spot, ref Price) (Amount, error) {
	if err := p.Validate(); err != nil {
		return 0, err
	}
	if err := spot.Validate(); err != nil {
		return 0, fmt.Errorf("spot: %w", err)
	}
	if err := ref.Validate(); err != nil {
		return 0, fmt.Errorf("reference: %w", err)
	}
	// A price is at most 10^15 and a share at most 10^4: these products stay below 2^64.
	num, den := uint64(p.ShareBps)*ref.MicroPerToken, uint64(wholeBps)*spot.MicroPerToken
	switch {
	case num <= uint64(p.MinBps)*spot.MicroPerToken:
		num, den = uint64(p.MinBps), wholeBps
	case num >= uint64(p.MaxBps)*spot.MicroPerToken:
		num, den = uint64(p.MaxBps), wholeBps
	}
	return revenue.MulDiv(num, den, Up)
}
