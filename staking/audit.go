package staking

import (
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrAudit is wrapped by what [Pool.Audit] returns.
var ErrAudit = errors.New("staking: audit")

// Audit recomputes everything that the pool keeps twice and returns the first difference, nil if there is none:
//
//   - deposits = bonded = the sum of all lots, and rewards = paid = the sum of what the bonds earned;
//   - the same for each holder by itself: bonded = own lots, paid = own parts;
//   - every bond keeps the limits of the parameters, and every co-staker's lot is the fill of one offer of that bond.
//
// It compares for equality, without a tolerance. The cost is linear in the number of lots and offers.
func (p *Pool) Audit() error {
	t := tally{holders: make([]holder, len(p.holders)), filled: make([]bool, len(p.offers))}
	for i := range p.bonds {
		if err := p.auditBond(uint32(i), &t); err != nil {
			return err
		}
	}
	for i, h := range p.holders {
		if h.claims > p.params.MaxClaims {
			return broken("holder %q has %d claims, the limit is %d", string(h.id), h.claims, p.params.MaxClaims)
		}
		if j, ok := p.holderIndex[h.id]; !ok || j != uint32(i) {
			return broken("holder %q is not indexed", string(h.id))
		}
		if got := t.holders[i]; h.bonded != got.bonded || h.paid != got.paid || h.claims != got.claims {
			return broken("holder %q: bonded %s, paid %s, %d claims; the lots say %s, %s, %d", string(h.id),
				h.bonded, h.paid, h.claims, got.bonded, got.paid, got.claims)
		}
	}
	for i, o := range p.offers {
		if err := p.auditOffer(uint32(i), o, t.filled[i]); err != nil {
			return err
		}
	}
	if len(p.holderIndex) != len(p.holders) || len(p.bondIndex) != len(p.bonds) || len(p.offerIndex) != len(p.offers) {
		return broken("an index names more than there is")
	}
	want := Books{Deposits: t.bonded, Rewards: t.paid, Bonded: t.bonded, Paid: t.paid}
	if p.books != want {
		return broken("books %+v, the bonds say %+v", p.books, want)
	}
	return nil
}

// tally is what the lots say, collected bond by bond.
type tally struct {
	holders []holder // id unused
	filled  []bool   // by offer: a lot of it was seen
	bonded  tokenomics.Amount
	paid    tokenomics.Amount
}

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrAudit, fmt.Sprintf(format, args...))
}

func (p *Pool) auditBond(i uint32, t *tally) error {
	b := &p.bonds[i]
	id := string(b.id)
	if j, ok := p.bondIndex[b.id]; !ok || j != i {
		return broken("bond %q is not indexed", id)
	}
	if need, err := p.params.Required(b.multiplier, b.gpus); err != nil || need != b.required {
		return broken("bond %q requires %s, by its parameters %s (%v)", id, b.required, need, err)
	}
	var own, co, coPaid tokenomics.Amount
	for k := range b.lots {
		l := &b.lots[k]
		if k > 0 && l.bondedAt.Before(b.lots[k-1].bondedAt) {
			return broken("bond %q has lots out of order", id)
		}
		if err := p.auditLot(i, l, t); err != nil {
			return err
		}
		t.holders[l.holder].bonded += l.balance
		if l.offer == noOffer {
			own += l.balance
			continue
		}
		co += l.balance
		coPaid += l.paid
		t.holders[l.holder].paid += l.paid
		t.holders[l.holder].claims++
	}
	if coPaid > b.rewarded {
		return broken("bond %q paid its co-stakers %s of %s", id, coPaid, b.rewarded)
	}
	t.holders[b.owner].paid += b.rewarded - coPaid
	t.bonded += own + co
	t.paid += b.rewarded
	switch {
	case own != b.ownerStake || co != b.coStake:
		return broken("bond %q: owner %s, co-stakers %s; the lots say %s, %s", id, b.ownerStake, b.coStake, own, co)
	case uint64(len(b.lots)) > uint64(p.params.MaxLotsPerBond):
		return broken("bond %q has %d lots, the limit is %d", id, len(b.lots), p.params.MaxLotsPerBond)
	case b.rewarded > 0 && b.lastEpoch == 0:
		return broken("bond %q earned %s in no epoch", id, b.rewarded)
	}
	if next, err := p.params.earnsFrom(p.now); err == nil && b.lastEpoch > 0 && b.lastEpoch >= next-1 {
		return broken("bond %q was rewarded for epoch %d at %s", id, b.lastEpoch, stamp(p.now))
	}
	return p.auditShares(b)
}

// auditShares checks what co-stakers hold and are asked for against the limits.
func (p *Pool) auditShares(b *bond) error {
	id := string(b.id)
	open := p.openOffers(b, p.now)
	limit := p.params.maxCo(b.required)
	if b.coStake > limit {
		return broken("bond %q has %s of co-stake, the limit is %s", id, b.coStake, limit)
	}
	rest := limit - b.coStake
	share := uint64(p.soldBps(b))
	for _, i := range open {
		if p.offers[i].amount > rest {
			return broken("offer %q asks for %s, co-stakers of bond %q may hold %s more", string(p.offers[i].id),
				p.offers[i].amount, id, rest)
		}
		rest -= p.offers[i].amount
		share += uint64(p.offers[i].shareBps)
	}
	switch {
	case share > fullBps:
		return broken("bond %q gives %d bps of its rewards", id, share)
	case uint64(len(open)) > uint64(p.params.MaxOffersPerBond):
		return broken("bond %q has %d open offers, the limit is %d", id, len(open), p.params.MaxOffersPerBond)
	case rest < limit && b.ownerStake < b.required:
		return broken("bond %q has or wants co-stake, and its owner holds %s of %s", id, b.ownerStake, b.required)
	}
	return nil
}

func (p *Pool) auditLot(bond uint32, l *lot, t *tally) error {
	b := &p.bonds[bond]
	id := string(b.id)
	from, err := p.params.earnsFrom(l.bondedAt)
	switch {
	case l.balance == 0:
		return broken("bond %q has an empty lot", id)
	case l.bondedAt.After(p.now):
		return broken("bond %q has a lot of %s, after %s", id, stamp(l.bondedAt), stamp(p.now))
	case err != nil || l.from != from:
		return broken("bond %q has a lot of %s that counts from epoch %d, not %d", id, stamp(l.bondedAt), l.from, from)
	}
	if l.offer == noOffer {
		if l.holder != b.owner || l.paid != 0 {
			return broken("bond %q has a lot of %q without an offer", id, string(p.holders[l.holder].id))
		}
		return nil
	}
	o := &p.offers[l.offer]
	switch {
	case t.filled[l.offer]:
		return broken("offer %q was filled twice", string(o.id))
	case o.state != StateFilled || o.bond != bond || o.holder != l.holder || o.amount != l.balance:
		return broken("bond %q has a lot that offer %q does not describe", id, string(o.id))
	case l.holder == b.owner:
		return broken("the owner of bond %q is a co-staker of it", id)
	case l.bondedAt.Before(o.posted) || !l.bondedAt.Before(o.expires):
		return broken("offer %q was filled at %s", string(o.id), stamp(l.bondedAt))
	}
	t.filled[l.offer] = true
	return nil
}

func (p *Pool) auditOffer(i uint32, o offer, filled bool) error {
	if j, ok := p.offerIndex[o.id]; !ok || j != i {
		return broken("offer %q is not indexed", string(o.id))
	}
	switch {
	case (o.state == StateFilled) != filled:
		return broken("offer %q is %s, and lots of it: %t", string(o.id), o.state, filled)
	case o.amount < p.params.MinFill:
		return broken("offer %q is for %s, the minimum is %s", string(o.id), o.amount, p.params.MinFill)
	case o.shareBps < p.params.MinRewardShareBps || o.shareBps > fullBps:
		return broken("offer %q gives %d bps", string(o.id), o.shareBps)
	case !o.expires.After(o.posted) || o.posted.After(p.now):
		return broken("offer %q, posted %s, expires %s", string(o.id), stamp(o.posted), stamp(o.expires))
	}
	return nil
}
