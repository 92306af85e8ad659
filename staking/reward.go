package staking

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Eligible returns nil if the stake that a bond holds for an epoch meets its requirement, so that a reward for it would
// not be refused for want of stake. Otherwise it returns a *[ShortStakeError], or [ErrNoBond]. It is asked before a block
// is shared out: a reward that cannot be paid takes from the others. For an epoch to come it answers by the stake of now.
func (p *Pool) Eligible(id BondID, e tokenomics.Epoch) error {
	b, err := p.findBond(id)
	if err != nil {
		return err
	}
	return p.checkStake(b, e)
}

// reward divides a device's block reward: each co-staker's lot that counts in the epoch weighs its share in basis
// points, in lot order, and the owner, last, weighs the rest of 10,000. The division is by differences of cumulative
// floors, so the co-stakers together get floor(amount*shares/10^4), the owner the rest, and the sum is the amount. The
// odd unit is the owner's.
func (p *Pool) reward(at time.Time, e Rewarded) ([]Effect, error) {
	b, err := p.findBond(e.Bond)
	if err != nil {
		return nil, err
	}
	if err := p.checkEpoch(at, b, e.Epoch); err != nil {
		return nil, err
	}
	if err := p.checkStake(b, e.Epoch); err != nil {
		return nil, err
	}
	if err := roomFor(p.books.Rewards, e.Amount); err != nil {
		return nil, err
	}
	p.weights = p.weights[:0]
	rest := uint64(fullBps)
	for _, l := range b.lots {
		if l.offer != noOffer && l.from <= e.Epoch {
			share := uint64(p.offers[l.offer].shareBps)
			p.weights = append(p.weights, share)
			rest -= share
		}
	}
	p.weights = append(p.weights, rest)
	if n := len(p.weights); cap(p.parts) < n {
		p.parts = make([]tokenomics.Amount, n)
	}
	p.parts = p.parts[:len(p.weights)]
	if err := tokenomics.SplitInto(p.parts, e.Amount, p.weights); err != nil {
		return nil, fmt.Errorf("staking: reward of bond %q: %w", string(e.Bond), err)
	}

	b.lastEpoch = e.Epoch
	return p.payOut(b, e), nil
}

// checkEpoch checks that the epoch has ended and comes after the last one that the bond was rewarded for.
func (p *Pool) checkEpoch(at time.Time, b *bond, e tokenomics.Epoch) error {
	if e <= b.lastEpoch {
		return fmt.Errorf("%w: bond %q, epoch %d, last %d", ErrEpochDone, string(b.id), e, b.lastEpoch)
	}
	if at.Before(p.params.Calendar.Start) {
		return fmt.Errorf("%w: epoch %d, the first one begins at %s", ErrEpochOpen, e, stamp(p.params.Calendar.Start))
	}
	current, err := p.params.Calendar.At(at)
	if err != nil {
		return fmt.Errorf("%w: %s is beyond the calendar", ErrEpochOpen, stamp(at))
	}
	if e >= current {
		return fmt.Errorf("%w: epoch %d, at %s runs epoch %d", ErrEpochOpen, e, stamp(at), current)
	}
	return nil
}

// checkStake checks that the stake that counts in the epoch meets the requirement.
func (p *Pool) checkStake(b *bond, e tokenomics.Epoch) error {
	var have, late tokenomics.Amount
	for _, l := range b.lots {
		if l.from <= e {
			have += l.balance
		} else {
			late += l.balance
		}
	}
	if have < b.required {
		return &ShortStakeError{Bond: b.id, Have: have, Need: b.required, Epoch: e, Late: late}
	}
	return nil
}

// payOut pays the parts of a division that reward has made: the owner first, then the co-stakers in lot order, a holder
// of several lots once.
func (p *Pool) payOut(b *bond, e Rewarded) []Effect {
	if e.Amount == 0 {
		return nil
	}
	effects := make([]Effect, 0, len(p.parts))
	owner := len(p.parts) - 1
	if n := p.parts[owner]; n > 0 {
		p.pay(b, b.owner, n)
		effects = append(effects, Paid{Bond: b.id, Holder: p.holders[b.owner].id, Role: Owner, Epoch: e.Epoch, Amount: n})
	}
	k := 0
	for i := range b.lots {
		l := &b.lots[i]
		if l.offer == noOffer || l.from > e.Epoch {
			continue
		}
		n := p.parts[k]
		k++
		if n == 0 {
			continue
		}
		p.pay(b, l.holder, n)
		l.paid += n
		effects = addPaid(effects, Paid{
			Bond: b.id, Holder: p.holders[l.holder].id, Role: CoStaker, Epoch: e.Epoch, Amount: n,
		})
	}
	return effects
}

// addPaid appends a payment or adds it to the one that the holder has in the list. Lists are as short as a bond's lots.
func addPaid(effects []Effect, add Paid) []Effect {
	for i, e := range effects {
		if paid, ok := e.(Paid); ok && paid.Holder == add.Holder {
			paid.Amount += add.Amount
			effects[i] = paid
			return effects
		}
	}
	return append(effects, add)
}
