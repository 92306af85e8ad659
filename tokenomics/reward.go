package tokenomics

import (
	"errors"
	"fmt"
	"math/bits"
	"time"
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
	return distribute(budget, total, shares)
}

// distribute is [Distribute] where total is above 0 and the IDs were checked.
func distribute(budget Amount, total uint64, shares []Share) (Distribution, error) {
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

// checkIDs refuses empty IDs and those that come twice in all lists together. Lists in the order of their IDs, the usual
// case, are walked side by side and need no memory for it.
func checkIDs(lists ...[]Share) error {
	ascending, count := true, 0
	for _, shares := range lists {
		for i, s := range shares {
			if s.ID == "" {
				return fmt.Errorf("%w: share %d has no ID", ErrShares, i+1)
			}
			ascending = ascending && (i == 0 || shares[i-1].ID < s.ID)
		}
		count += len(shares)
	}
	if ascending {
		return checkMerged(lists)
	}
	seen := make(map[string]struct{}, count)
	for _, shares := range lists {
		for _, s := range shares {
			if _, twice := seen[s.ID]; twice {
				return fmt.Errorf("%w: two shares of %s", ErrShares, quote(s.ID))
			}
			seen[s.ID] = struct{}{}
		}
	}
	return nil
}

// checkMerged refuses an ID that is in two lists, each of which ascends: of any two lists, the one with the smaller ID
// goes ahead.
func checkMerged(lists [][]Share) error {
	for i, a := range lists {
		for _, b := range lists[:i] {
			for x, y := 0, 0; x < len(a) && y < len(b); {
				switch {
				case a[x].ID < b[y].ID:
					x++
				case a[x].ID > b[y].ID:
					y++
				default:
					return fmt.Errorf("%w: two shares of %s", ErrShares, quote(a[x].ID))
				}
			}
		}
	}
	return nil
}

// PoolClaims is who asks for a part of one pool's budget in a block.
type PoolClaims struct {
	Pool Pool
	// Shares are the devices that are listed, each once in the whole block.
	Shares []Share
	// Others is the sum of the scores of devices that are not listed; their part is held.
	Others uint64
}

// PoolCarry is the dust of a pool from the block before.
type PoolCarry struct {
	Pool   Pool
	Amount Amount
}

// PoolDistribution is one pool's part of a block. Budget and Brought add up to Paid, Carried and Held.
type PoolDistribution struct {
	PoolBudget
	// Brought is the dust of the block before.
	Brought Amount
	// Total is the sum of all scores, those of devices that are not listed included.
	Total uint64
	// Rewards are in the order of the shares, zero rewards included.
	Rewards []Reward
	// Paid is the sum of the rewards.
	Paid Amount
	// Carried is the dust that the next block brings: less than one base unit for each share.
	Carried Amount
	// Held is what nobody on the list earned: all of a pool without scores, or what belongs to others, dust included.
	Held Amount
	// Unminted is the part of Held that is not to be created at all: the budget of a pool without any score. It stays
	// under the cap of the schedule.
	Unminted Amount
}

// BlockDistribution is the emission of one block shared out. Emission and Brought add up to Paid, Carried and Held, for
// the block as for each of its pools.
type BlockDistribution struct {
	Emission Amount
	// Brought is the dust of the block before, Released included.
	Brought Amount
	// Pools are in the order of the era's shares.
	Pools []PoolDistribution
	// Paid, Carried, Held and Unminted are sums over the pools; Held includes Released.
	Paid, Carried, Held, Unminted Amount
	// Released is dust of pools that the block does not have any more: nobody can earn it, so it is held.
	Released Amount
}

// Carries returns what the next block has to be given as brought: every pool of this one, in order, zero included.
func (d BlockDistribution) Carries() []PoolCarry {
	out := make([]PoolCarry, len(d.Pools))
	for i, p := range d.Pools {
		out[i] = PoolCarry{Pool: p.Pool, Amount: p.Carried}
	}
	return out
}

// DistributeBlock shares out the emission of the block that begins at the instant at. Each pool's budget
// ([PoolPolicy.Divide]) and the dust that it brings go to its devices as [Distribute] says: every reward rounds down by itself, so
// dust remains, and the next block brings it. A pool without scores keeps everything held, its budget unminted; where
// others are named, what is not paid is theirs and is held. Claims and dust may come in any order, each pool at most
// once. Claims in the order of their IDs need no memory for the check that no device comes twice.
//
// It fails with [ErrPools]; with [ErrShares] if a pool comes twice, a claim is of a pool that the block does not have,
// an ID is empty or comes twice in the block, or the scores of a pool exceed 64 bits; and with [ErrOverflow].
func (p PoolPolicy) DistributeBlock(
	emission Amount, at time.Time, claims []PoolClaims, brought []PoolCarry,
) (BlockDistribution, error) {
	budgets, err := p.Divide(emission, at)
	if err != nil {
		return BlockDistribution{}, err
	}
	d := BlockDistribution{Emission: emission, Pools: make([]PoolDistribution, len(budgets))}
	var place [PoolCommunity + 1]int // of a pool in d.Pools, from 1
	for i, b := range budgets {
		d.Pools[i].PoolBudget, place[b.Pool] = b, i+1
	}
	if err := d.bring(brought, &place); err != nil {
		return BlockDistribution{}, err
	}
	byPool, err := orderClaims(claims, len(budgets), &place)
	if err != nil {
		return BlockDistribution{}, err
	}
	for i := range d.Pools {
		pool := &d.Pools[i]
		if err := pool.pay(byPool[i]); err != nil {
			return BlockDistribution{}, err
		}
		// No sum overflows: bring found that emission and dust together fit.
		d.Paid += pool.Paid
		d.Carried += pool.Carried
		d.Held += pool.Held
		d.Unminted += pool.Unminted
	}
	d.Held += d.Released
	return d, nil
}

// bring credits the dust of the block before, and finds that it fits into 64 bits with the emission.
func (d *BlockDistribution) bring(brought []PoolCarry, place *[PoolCommunity + 1]int) error {
	var seen [PoolCommunity + 1]bool
	all := d.Emission
	for _, b := range brought {
		if b.Pool == NoPool || b.Pool > PoolCommunity || seen[b.Pool] {
			return fmt.Errorf("%w: dust of pool %s comes twice or is of no pool", ErrShares, b.Pool)
		}
		seen[b.Pool] = true
		var err error
		if all, err = all.Add(b.Amount); err != nil {
			return err
		}
		d.Brought += b.Amount
		if i := place[b.Pool]; i > 0 {
			d.Pools[i-1].Brought = b.Amount
		} else {
			d.Released += b.Amount
		}
	}
	return nil
}

// orderClaims brings the claims into the order of the budgets and checks all their IDs.
func orderClaims(claims []PoolClaims, pools int, place *[PoolCommunity + 1]int) ([]PoolClaims, error) {
	out := make([]PoolClaims, pools)
	for _, c := range claims {
		if c.Pool > PoolCommunity || place[c.Pool] == 0 {
			return nil, fmt.Errorf("%w: the block has no pool %s", ErrShares, c.Pool)
		}
		slot := &out[place[c.Pool]-1]
		if slot.Pool != NoPool {
			return nil, fmt.Errorf("%w: two lists of pool %s", ErrShares, c.Pool)
		}
		*slot = c
	}
	lists := make([][]Share, pools)
	for i, c := range out {
		lists[i] = c.Shares
	}
	return out, checkIDs(lists...)
}

// pay shares out what the pool has, budget and dust.
func (p *PoolDistribution) pay(c PoolClaims) error {
	p.Total = c.Others
	for _, s := range c.Shares {
		sum, carry := bits.Add64(p.Total, s.Score, 0)
		if carry != 0 {
			return fmt.Errorf("%w: with %s the scores of pool %s exceed 64 bits", ErrShares, quote(s.ID), p.Pool)
		}
		p.Total = sum
	}
	all := p.Amount + p.Brought
	if p.Total == 0 {
		p.Held, p.Unminted = all, p.Amount
		p.Rewards = make([]Reward, len(c.Shares))
		for i, s := range c.Shares {
			p.Rewards[i].ID = s.ID
		}
		return nil
	}
	shared, err := distribute(all, p.Total, c.Shares)
	if err != nil {
		return err
	}
	p.Rewards, p.Paid = shared.Rewards, shared.Paid
	if c.Others > 0 || len(c.Shares) == 0 {
		p.Held = shared.Rest
	} else {
		p.Carried = shared.Rest
	}
	return nil
}
