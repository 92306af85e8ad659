package staking

import (
	"fmt"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Books are the totals of a pool, in base units. Deposits = Bonded and Rewards = Paid, always, to the unit.
type Books struct {
	// Deposits is all that came in as stake.
	Deposits tokenomics.Amount
	// Rewards is all that came in as block rewards.
	Rewards tokenomics.Amount
	// Bonded is the stake that all holders have in all bonds.
	Bonded tokenomics.Amount
	// Paid is what was paid to all holders.
	Paid tokenomics.Amount
}

// HolderView is what a pool knows of a holder.
type HolderView struct {
	// Bonded is the holder's stake in all bonds, in base units.
	Bonded tokenomics.Amount
	// Paid is what the holder got out of block rewards so far, in base units.
	Paid tokenomics.Amount
	// Claims is the number of offers that the holder accepted.
	Claims uint32
}

// holder is an account: value enters it by lock and leaves the pool by pay, and in no other way.
type holder struct {
	id     HolderID
	bonded tokenomics.Amount
	paid   tokenomics.Amount
	claims uint32
}

// Books returns the totals.
func (p *Pool) Books() Books { return p.books }

// Holder returns what the pool knows of a holder, and false if it knows nobody of that name.
func (p *Pool) Holder(id HolderID) (HolderView, bool) {
	i, ok := p.holderIndex[id]
	if !ok {
		return HolderView{}, false
	}
	h := p.holders[i]
	return HolderView{Bonded: h.bonded, Paid: h.paid, Claims: h.claims}, true
}

// join returns the number of a holder, a new one if the name is new.
func (p *Pool) join(id HolderID) uint32 {
	if i, ok := p.holderIndex[id]; ok {
		return i
	}
	i := uint32(len(p.holders))
	p.holders = append(p.holders, holder{id: id})
	p.holderIndex[id] = i
	return i
}

// roomFor checks that more fits on top of a total. Every other sum of the pool is a part of one of the two totals that
// come in, and so needs no check of its own.
func roomFor(total, more tokenomics.Amount) error {
	if _, err := total.Add(more); err != nil {
		return fmt.Errorf("staking: %s IO on top of %s: %w", more, total, err)
	}
	return nil
}

// lock moves a lot's balance from outside into its bond. The caller has checked roomFor(p.books.Deposits).
func (p *Pool) lock(b *bond, l lot) {
	p.books.Deposits += l.balance
	p.books.Bonded += l.balance
	p.holders[l.holder].bonded += l.balance
	if l.offer == noOffer {
		b.ownerStake += l.balance
	} else {
		b.coStake += l.balance
		p.holders[l.holder].claims++
	}
	b.lots = append(b.lots, l)
}

// pay moves a part of a reward from outside through a bond to a holder. The caller has checked roomFor(p.books.Rewards).
func (p *Pool) pay(b *bond, to uint32, n tokenomics.Amount) {
	p.books.Rewards += n
	b.rewarded += n
	p.books.Paid += n
	p.holders[to].paid += n
}
