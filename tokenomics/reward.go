package tokenomics

import (
	"errors"
	"fmt"
	"math/bits"
)

// ErrShares is returned by [Distribute] for shares that cannot be paid; the message names the share.
var ErrShares = errors.New("tokenomics: cannot distribute")

// Share is the claim of one device on its pool's budget.
type Share struct {
	ID    string
	Score uint64
}

// Reward is what one device earns in one epoch.
type Reward struct {
	ID     string
	Amount Amount
}

// Distribution is a budget shared out. Paid and Rest add up to the budget.
type Distribution struct {
	// Rewards are in the order of the shares, zero rewards included.
	Rewards []Reward
	// Paid is the sum of the rewards.
	Paid Amount
	// Rest is the part of the devices that were not listed, and less than one base unit for each share that was.
	Rest Amount
}

// Distribute pays each share floor(budget*score/total), where total is the sum of all base scores in the pool. The
// caller may list a part of the pool only: Rest then holds what belongs to the others. Where the scores add up to
// total, Rest is less than the number of shares in base units, and the caller carries it: it adds it to the next budget
// of the pool.
//
// Each reward is rounded down by itself and not by [Split], as the published records show; so a reward depends on
// nothing but the device's own score, and the order of the shares does not matter. It fails with [ErrShares] if an ID
// is empty or comes twice, if total is 0, or if the scores exceed total.
func Distribute(budget Amount, total uint64, shares []Share) (Distribution, error) {
	if total == 0 {
		return Distribution{}, fmt.Errorf("%w: the total score of the pool is 0", ErrShares)
	}
	if err := checkIDs(shares); err != nil {
		return Distribution{}, err
	}
	d := Distribution{Rewards: make([]Reward, len(shares))}
	left := total
	for i, s := range shares {
		if s.Score > left {
			return Distribution{}, fmt.Errorf("%w: with %s the scores exceed the pool's total of %d",
				ErrShares, quote(s.ID), total)
		}
		left -= s.Score
		// Score <= total, so the quotient is at most budget and bits.Div64 cannot panic.
		hi, lo := bits.Mul64(uint64(budget), s.Score)
		q, _ := bits.Div64(hi, lo, total)
		d.Rewards[i] = Reward{ID: s.ID, Amount: Amount(q)}
		d.Paid += Amount(q) // at most budget: floors of parts that add up to it at most
	}
	d.Rest = budget - d.Paid
	return d, nil
}

// checkIDs refuses empty and repeated IDs. Shares in the order of their IDs, the usual case, need no memory for it.
func checkIDs(shares []Share) error {
	ascending := true
	for i, s := range shares {
		if s.ID == "" {
			return fmt.Errorf("%w: share %d has no ID", ErrShares, i+1)
		}
		ascending = ascending && (i == 0 || shares[i-1].ID < s.ID)
	}
	if ascending {
		return nil
	}
	seen := make(map[string]struct{}, len(shares))
	for _, s := range shares {
		if _, twice := seen[s.ID]; twice {
			return fmt.Errorf("%w: two shares of %s", ErrShares, quote(s.ID))
		}
		seen[s.ID] = struct{}{}
	}
	return nil
}
