package staking

import (
	"fmt"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// noOffer marks an owner's lot.
const noOffer = ^uint32(0)

// lot is one deposit or fill.
type lot struct {
	id       LotID
	balance  tokenomics.Amount
	bonded   tokenomics.Amount // at the beginning
	lost     tokenomics.Amount // to slashes
	bondedAt instant
	until    instant // when the state ends, if it is waiting or cooling
	pos      Position
	holder   uint32
	offer    uint32           // noOffer for the owner's
	from     tokenomics.Epoch // the first that it counts and earns in
	// The first epochs that it does not earn and not count in any more, noEpoch while there is none.
	earnsUntil  tokenomics.Epoch
	countsUntil tokenomics.Epoch
	cases       uint32 // that are not final and took from it
	state       LotState
	earning     bool // has its weight in the offer's accumulator
}

func (l *lot) role() Role {
	if l.offer == noOffer {
		return Owner
	}
	return CoStaker
}

// countsIn reports whether the lot counts for the requirement of an epoch.
func (l *lot) countsIn(e tokenomics.Epoch) bool { return l.from <= e && e < l.countsUntil }

// earnsIn reports whether the lot earns in an epoch.
func (l *lot) earnsIn(e tokenomics.Epoch) bool { return l.from <= e && e < l.earnsUntil }

func (p *Pool) viewLot(l *lot) LotView {
	v := LotView{
		ID: l.id, Holder: p.holders[l.holder].id, Role: l.role(), State: l.state,
		Bonded: l.bonded, Balance: l.balance, Lost: l.lost,
		BondedAt: l.bondedAt.time(), EarnsFrom: l.from,
	}
	if l.state != LotActive {
		v.Until = l.until.time()
	}
	if l.offer != noOffer {
		o := &p.offers[l.offer]
		v.Offer, v.RewardShareBps, v.Earned = o.id, o.shareBps, l.pos.Earned(&o.acc)
		if l.state == LotActive && o.lock > 0 {
			v.Until = l.bondedAt.after(o.lock).time()
		}
	}
	return v
}

func (p *Pool) deposit(at instant, e Deposited) ([]Effect, error) {
	b, err := p.findOwn(e.Bond, e.Holder)
	if err != nil {
		return nil, err
	}
	if e.Amount == 0 {
		return nil, fmt.Errorf("%w: deposit into bond %q is 0", ErrAmount, string(e.Bond))
	}
	if err := b.checkRunning(); err != nil {
		return nil, err
	}
	for i := range b.lots {
		if l := &b.lots[i]; l.offer == noOffer && l.state == LotCooling && l.balance > 0 {
			return nil, fmt.Errorf("%w: %s IO of %q on bond %q until %s", ErrCooling, l.balance, string(e.Holder), string(b.id), l.until)
		}
	}
	from, err := p.checkLot(at, b, e.Amount)
	if err != nil {
		return nil, err
	}

	l := p.lock(b, lot{holder: b.owner, offer: noOffer, from: from, balance: e.Amount, bondedAt: at})
	return []Effect{Locked{Bond: e.Bond, Holder: e.Holder, Role: Owner, Lot: l.id, Amount: e.Amount}}, nil
}

// checkLot checks what every new lot must fulfil and returns the first epoch in which it counts: the one after that which
// holds the instant, even if that is its first.
func (p *Pool) checkLot(at instant, b *bond, n tokenomics.Amount) (tokenomics.Epoch, error) {
	if uint32(len(b.lots)) >= p.params.MaxLotsPerBond {
		return 0, fmt.Errorf("%w: bond %q has %d", ErrLots, string(b.id), len(b.lots))
	}
	if err := p.roomFor(n); err != nil {
		return 0, err
	}
	e, err := p.params.epochAt(at)
	return e + 1, err
}
