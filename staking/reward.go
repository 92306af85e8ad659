package staking

import (
	"fmt"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Eligible returns nil if the stake that a bond holds for an epoch meets its requirement, so that a reward for it would
// not be refused for want of stake. Otherwise it returns a *[ShortStakeError], [ErrTerminated] or [ErrNoBond]. It is asked
// before a block is shared out: a reward that cannot be paid takes from the others. For an epoch to come it answers by
// the stake of now.
func (p *Pool) Eligible(id BondID, e tokenomics.Epoch) error {
	b, err := p.findBond(id)
	if err != nil {
		return err
	}
	return p.checkEligible(b, e)
}

func (p *Pool) checkEligible(b *bond, e tokenomics.Epoch) error {
	if e >= b.end {
		return b.checkRunning()
	}
	var have, late tokenomics.Amount
	for i := range b.lots {
		l := &b.lots[i]
		switch {
		case l.countsIn(e):
			have += l.balance
		case l.from > e && l.state == LotActive:
			late += l.balance
		}
	}
	if need := p.need(b, e); have < need {
		return &ShortStakeError{Bond: b.id, Have: have, Need: need, Epoch: e, Late: late}
	}
	return nil
}

// earningOffer is an offer whose fills have a part in a reward.
type earningOffer struct {
	offer uint32
	part  tokenomics.Amount
}

// reward divides a device's block reward. Each offer with fills that earn in the epoch gets its share in proportion to
// how much of it is filled, rounded down, and the owner the rest: the odd unit is the owner's.
func (p *Pool) reward(at instant, e Rewarded) ([]Effect, error) {
	b, err := p.findBond(e.Bond)
	if err != nil {
		return nil, err
	}
	if err := p.checkEpoch(at, b, e.Epoch); err != nil {
		return nil, err
	}
	if err := p.checkEligible(b, e.Epoch); err != nil {
		return nil, err
	}
	if err := p.roomFor(e.Amount); err != nil {
		return nil, err
	}

	b.lastEpoch = e.Epoch
	p.enrol(b, e.Epoch)
	owner := e.Amount
	for i := range p.shares {
		s := &p.shares[i]
		o := &p.offers[s.offer]
		s.part = o.part(e.Amount)
		must(o.acc.Distribute(s.part)) // it has stake, and all rewards fit 64 bits
		owner -= s.part
	}
	b.ownerEarned += owner
	b.rewarded += e.Amount
	p.books.Rewards += e.Amount
	p.books.Accrued += e.Amount
	if e.Amount == 0 {
		return nil, nil
	}
	return []Effect{Accrued{Bond: b.id, Epoch: e.Epoch, Owner: owner, CoStakers: e.Amount - owner}}, nil
}

// enrol gives every fill its weight if it earns in the epoch and takes it away if not, and lists the offers that have a
// part in the reward in p.shares.
func (p *Pool) enrol(b *bond, e tokenomics.Epoch) {
	p.shares = p.shares[:0]
	for i := range b.lots {
		l := &b.lots[i]
		if l.offer == noOffer {
			continue
		}
		o := &p.offers[l.offer]
		switch earns := l.earnsIn(e) && l.balance > 0; {
		case earns == l.earning:
		case earns:
			l.earning = true
			must(o.acc.Set(&l.pos, l.balance))
		default:
			l.earning = false
			must(o.acc.Set(&l.pos, 0))
		}
	}
	for i := range b.lots {
		l := &b.lots[i]
		if !l.earning {
			continue
		}
		if n := len(p.shares); n == 0 || !listed(p.shares, l.offer) {
			p.shares = append(p.shares, earningOffer{offer: l.offer})
		}
	}
}

func listed(offers []earningOffer, offer uint32) bool {
	for _, s := range offers {
		if s.offer == offer {
			return true
		}
	}
	return false
}

// part returns what the fills of an offer get of a reward: its share, as far as it is filled with stake that earns. Down,
// twice, in favour of the owner.
func (o *offer) part(reward tokenomics.Amount) tokenomics.Amount {
	whole, err := reward.MulDiv(uint64(o.shareBps), fullBps, tokenomics.Down)
	must(err)
	part, err := whole.MulDiv(uint64(o.acc.Stake()), uint64(o.amount), tokenomics.Down)
	must(err) // stake that earns is at most the amount
	return part
}

// checkEpoch checks that the epoch has ended and comes after the last one that the bond was rewarded for.
func (p *Pool) checkEpoch(at instant, b *bond, e tokenomics.Epoch) error {
	if e <= b.lastEpoch {
		return fmt.Errorf("%w: bond %q, epoch %d, last %d", ErrEpochDone, string(b.id), e, b.lastEpoch)
	}
	current, err := p.params.epochAt(at)
	if err != nil {
		return err
	}
	if e >= current {
		return fmt.Errorf("%w: epoch %d, at %s runs epoch %d", ErrEpochOpen, e, at, current)
	}
	return nil
}

// Claimable returns what a holder could claim of a bond now, in base units; 0 for whoever has no part in it.
func (p *Pool) Claimable(bond BondID, holder HolderID) tokenomics.Amount {
	i, known := p.bondIndex[bond]
	h, ok := p.holderIndex[holder]
	if !known || !ok {
		return 0
	}
	b := &p.bonds[i]
	if h == b.owner {
		return b.ownerEarned
	}
	var sum tokenomics.Amount
	for i := range b.lots {
		if l := &b.lots[i]; l.holder == h {
			sum += l.pos.Earned(&p.offers[l.offer].acc)
		}
	}
	return sum
}

func (p *Pool) claim(e Claimed) ([]Effect, error) {
	b, err := p.findBond(e.Bond)
	if err != nil {
		return nil, err
	}
	if p.Claimable(e.Bond, e.Holder) == 0 {
		return nil, fmt.Errorf("%w: %q on bond %q", ErrNothing, string(e.Holder), string(e.Bond))
	}

	h := p.holderIndex[e.Holder]
	if h == b.owner {
		n := b.ownerEarned
		b.ownerEarned = 0
		return []Effect{p.pay(b, h, Owner, n)}, nil
	}
	var sum tokenomics.Amount
	for i := range b.lots {
		if l := &b.lots[i]; l.holder == h {
			sum += p.offers[l.offer].acc.Claim(&l.pos)
		}
	}
	return []Effect{p.pay(b, h, CoStaker, sum)}, nil
}
