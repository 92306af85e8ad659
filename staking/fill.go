package staking

import (
	"fmt"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func (p *Pool) acceptOffer(at instant, e OfferAccepted) ([]Effect, error) {
	i, err := p.findOpen(e.Offer)
	if err != nil {
		return nil, err
	}
	if err := checkID("holder", string(e.Holder)); err != nil {
		return nil, err
	}
	o := &p.offers[i]
	b := &p.bonds[o.bond]
	if err := o.checkFill(e.Amount); err != nil {
		return nil, err
	}
	if err := p.checkCoStaker(b, i, e.Holder); err != nil {
		return nil, err
	}
	if err := p.checkCoStake(b, o, e.Amount); err != nil {
		return nil, err
	}
	from, err := p.checkLot(at, b, e.Amount)
	if err != nil {
		return nil, err
	}

	h := p.join(e.Holder)
	o.filled += e.Amount
	o.fills++
	p.holders[h].claims++
	p.holders[p.holders[h].leader].all++
	l := p.lock(b, lot{holder: h, offer: i, from: from, balance: e.Amount, bondedAt: at})
	effects := []Effect{Locked{Bond: b.id, Holder: e.Holder, Role: CoStaker, Lot: l.id, Amount: e.Amount}}
	switch {
	case o.rest() == 0:
		effects = append(effects, p.endOffer(i, StateFilled))
	case o.fills == o.maxFills:
		effects = append(effects, p.endOffer(i, StateExhausted))
	}
	return effects, nil
}

// checkFill checks the amount of a fill against the terms.
func (o *offer) checkFill(n tokenomics.Amount) error {
	if n <= o.rest() && (n >= o.minFill || n == o.rest()) {
		return nil
	}
	if o.minFill >= o.rest() {
		return fmt.Errorf("%w: offer %q is for %s IO, whole, not %s", ErrAmount, string(o.id), o.rest(), n)
	}
	return fmt.Errorf("%w: offer %q is for %s to %s IO, not %s", ErrAmount, string(o.id), o.minFill, o.rest(), n)
}

// checkCoStaker checks who accepts an offer.
func (p *Pool) checkCoStaker(b *bond, offer uint32, id HolderID) error {
	owner := &p.holders[b.owner]
	if id == owner.id {
		return fmt.Errorf("%w: %q, bond %q", ErrSelfStake, string(id), string(b.id))
	}
	h, ok := p.holderIndex[id]
	if !ok {
		return nil
	}
	leader := p.holders[h].leader
	if leader == owner.leader {
		return fmt.Errorf("%w: %q is linked with %q, bond %q", ErrSelfStake, string(id), string(owner.id), string(b.id))
	}
	if n := p.holders[leader].all; n >= p.params.MaxClaims {
		return fmt.Errorf("%w: %q has %d, the limit is %d", ErrClaims, string(id), n, p.params.MaxClaims)
	}
	for i := range b.lots {
		l := &b.lots[i]
		switch {
		case l.holder != h || l.offer == noOffer:
		case l.offer == offer:
			return fmt.Errorf("%w: %q has filled offer %q", ErrClaims, string(id), string(p.offers[offer].id))
		case (l.state == LotWaiting || l.state == LotCooling) && l.balance > 0:
			return fmt.Errorf("%w: %s IO of %q on bond %q", ErrCooling, l.balance, string(id), string(b.id))
		}
	}
	return nil
}

// checkCoStake checks that the bond still has use for the co-stake: the requirement or the owner's stake may have changed
// since the offer was posted.
func (p *Pool) checkCoStake(b *bond, o *offer, n tokenomics.Amount) error {
	active, limit := b.activeCo(), p.params.maxCo(b.required)
	if active > limit || n > limit-active {
		return fmt.Errorf("%w: %s IO of offer %q, bond %q needs %s and co-stakers may hold %s of it, %s of that taken",
			ErrCoStake, n, string(o.id), string(b.id), b.required, limit, active)
	}
	if have := b.counted(); have < b.required && n < b.required-have {
		return &ShortStakeError{Bond: b.id, Have: have, Need: b.required}
	}
	return nil
}
