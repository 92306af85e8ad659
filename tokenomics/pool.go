package tokenomics

import (
	"errors"
	"fmt"
	"time"
)

// ErrPools is returned for an invalid [PoolPolicy] and for an instant before its first era.
var ErrPools = errors.New("tokenomics: no valid pools")

// Pool is a group of devices that share one part of each epoch's emission by their scores.
type Pool uint8

const (
	// NoPool is the pool of devices that earn nothing.
	NoPool Pool = iota
	// PoolGPU holds the devices with discrete GPUs, until 2025-06-04.
	PoolGPU
	// PoolCPU holds the machines without one, Apple's among them, until 2025-06-04.
	PoolCPU
	// PoolEnterprise holds the data-centre models, and the RTX 4090, since 2025-06-04.
	PoolEnterprise
	// PoolCommunity holds all other models that earn, since 2025-06-04.
	PoolCommunity
)

// String returns the name of the pool in lower case.
func (p Pool) String() string {
	switch p {
	case NoPool:
		return "none"
	case PoolGPU:
		return "gpu"
	case PoolCPU:
		return "cpu"
	case PoolEnterprise:
		return "enterprise"
	case PoolCommunity:
		return "community"
	}
	return fmt.Sprintf("Pool(%d)", uint8(p))
}

// MarshalText returns the name of the pool.
func (p Pool) MarshalText() ([]byte, error) {
	if p > PoolCommunity {
		return nil, fmt.Errorf("%w: unknown pool %d", ErrPools, uint8(p))
	}
	return []byte(p.String()), nil
}

// UnmarshalText reads what MarshalText returns.
func (p *Pool) UnmarshalText(text []byte) error {
	for q := NoPool; q <= PoolCommunity; q++ {
		if q.String() == string(text) {
			*p = q
			return nil
		}
	}
	return fmt.Errorf("%w: unknown pool %s", ErrPools, quote(string(text)))
}

// PoolShare is the part of one pool in an era.
type PoolShare struct {
	Pool Pool `json:"pool"`
	// Points are the normalised points that the scores of the pool add up to. They are its weight as well: io.net pays
	// 8,000,000 of 10,000,000 points to GPUs.
	Points uint64 `json:"points"`
}

// PoolEra is a division of the emission that holds from an instant until the next era begins.
type PoolEra struct {
	From   time.Time   `json:"from"`
	Shares []PoolShare `json:"shares"`
}

// PoolPolicy is the history of how the emission is divided among pools.
type PoolPolicy struct {
	// Eras are in the order of time, the first one from the beginning of the network.
	Eras []PoolEra `json:"eras"`
}

// PoolBudget is what one pool has to share out in one epoch.
type PoolBudget struct {
	Pool   Pool
	Points uint64
	Amount Amount
}

// Validate returns [ErrPools] and what is wrong, or nil.
func (p PoolPolicy) Validate() error {
	if len(p.Eras) == 0 {
		return fmt.Errorf("%w: no era", ErrPools)
	}
	for i, era := range p.Eras {
		if i > 0 && !era.From.After(p.Eras[i-1].From) {
			return fmt.Errorf("%w: era %d does not begin after the one before it", ErrPools, i+1)
		}
		if len(era.Shares) == 0 {
			return fmt.Errorf("%w: era %d has no share", ErrPools, i+1)
		}
		seen := [PoolCommunity + 1]bool{}
		var sum uint64
		for _, s := range era.Shares {
			if s.Pool == NoPool || s.Pool > PoolCommunity || seen[s.Pool] {
				return fmt.Errorf("%w: era %d names pool %s twice or in vain", ErrPools, i+1, s.Pool)
			}
			seen[s.Pool] = true
			if sum += s.Points; s.Points == 0 || sum < s.Points {
				return fmt.Errorf("%w: era %d gives pool %s %d points, want above 0 and a sum in 64 bits",
					ErrPools, i+1, s.Pool, s.Points)
			}
		}
	}
	return nil
}

// Divide splits the emission of an epoch among the pools of the era that holds the instant at, in the order of its
// shares, by [Split]: the budgets add up to the emission. It fails with [ErrPools].
func (p PoolPolicy) Divide(emission Amount, at time.Time) ([]PoolBudget, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	now := -1
	for i, era := range p.Eras {
		if !at.Before(era.From) {
			now = i
		}
	}
	if now < 0 {
		return nil, fmt.Errorf("%w: %s is before the first era", ErrPools, at.UTC().Format(time.RFC3339))
	}
	shares := p.Eras[now].Shares
	weights := make([]uint64, len(shares))
	for i, s := range shares {
		weights[i] = s.Points
	}
	parts, err := Split(emission, weights)
	if err != nil {
		return nil, err
	}
	budgets := make([]PoolBudget, len(shares))
	for i, s := range shares {
		budgets[i] = PoolBudget{Pool: s.Pool, Points: s.Points, Amount: parts[i]}
	}
	return budgets, nil
}
