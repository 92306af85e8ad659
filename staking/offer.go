package staking

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// OfferState is where an offer stands.
type OfferState uint8

// The states of an offer. All but the first are final.
const (
	// StateOpen is an offer that can be accepted.
	StateOpen OfferState = 1
	// StateFilled is an offer that was accepted.
	StateFilled OfferState = 2
	// StateClosed is an offer that its owner took back.
	StateClosed OfferState = 3
	// StateExpired is an offer that nobody accepted in time.
	StateExpired OfferState = 4
)

// String returns "open", "filled", "closed" or "expired".
func (s OfferState) String() string {
	switch s {
	case StateOpen:
		return "open"
	case StateFilled:
		return "filled"
	case StateClosed:
		return "closed"
	case StateExpired:
		return "expired"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// OfferView is the state of an offer.
type OfferView struct {
	// Bond is the device.
	Bond BondID
	// Amount is what is asked for, in base units.
	Amount tokenomics.Amount
	// RewardShareBps is the part of the device's block rewards that is given for it, in basis points.
	RewardShareBps uint32
	// Posted is when the offer was made.
	Posted time.Time
	// Expires is the first instant at which it can no longer be accepted.
	Expires time.Time
	// State is where it stood at the last event of the pool.
	State OfferState
	// Holder accepted it; empty unless State is filled.
	Holder HolderID
}

type offer struct {
	id       OfferID
	bond     uint32
	holder   uint32 // set when filled
	shareBps uint32
	amount   tokenomics.Amount
	posted   time.Time
	expires  time.Time
	state    OfferState // open, filled or closed: an open one past its expiry is expired without being written
}

// stateAt returns the state at an instant: at the expiry itself an open offer is expired.
func (o *offer) stateAt(at time.Time) OfferState {
	if o.state == StateOpen && !at.Before(o.expires) {
		return StateExpired
	}
	return o.state
}

// Offer returns an offer, and false if there is none of that name.
func (p *Pool) Offer(id OfferID) (OfferView, bool) {
	i, ok := p.offerIndex[id]
	if !ok {
		return OfferView{}, false
	}
	return p.viewOffer(&p.offers[i]), true
}

// Offers returns all offers that were ever posted, in the order of their identifiers. The pool must not change meanwhile.
func (p *Pool) Offers() iter.Seq2[OfferID, OfferView] {
	return func(yield func(OfferID, OfferView) bool) {
		for _, id := range slices.Sorted(maps.Keys(p.offerIndex)) {
			if !yield(id, p.viewOffer(&p.offers[p.offerIndex[id]])) {
				return
			}
		}
	}
}

func (p *Pool) viewOffer(o *offer) OfferView {
	v := OfferView{
		Bond: p.bonds[o.bond].id, Amount: o.amount, RewardShareBps: o.shareBps,
		Posted: o.posted, Expires: o.expires, State: o.stateAt(p.now),
	}
	if o.state == StateFilled {
		v.Holder = p.holders[o.holder].id
	}
	return v
}

func (p *Pool) postOffer(at time.Time, e OfferPosted) error {
	if err := checkID("offer", string(e.Offer)); err != nil {
		return err
	}
	if _, ok := p.offerIndex[e.Offer]; ok {
		return fmt.Errorf("%w: %q", ErrOfferExists, string(e.Offer))
	}
	b, err := p.findBond(e.Bond)
	if err != nil {
		return err
	}
	if err := p.checkTerms(at, e); err != nil {
		return err
	}
	if b.ownerStake < b.required {
		return &ShortStakeError{Bond: e.Bond, Have: b.ownerStake, Need: b.required}
	}
	open := p.openOffers(b, at)
	if err := p.checkLimits(b, open, e); err != nil {
		return err
	}

	i := uint32(len(p.offers))
	b.open = append(open, i)
	p.offerIndex[e.Offer] = i
	p.offers = append(p.offers, offer{
		id: e.Offer, bond: p.bondIndex[e.Bond], shareBps: e.RewardShareBps, amount: e.Amount,
		posted: at, expires: e.Expires.UTC().Round(0), state: StateOpen,
	})
	return nil
}

// checkTerms checks what an offer says by itself.
func (p *Pool) checkTerms(at time.Time, e OfferPosted) error {
	id := string(e.Offer)
	switch {
	case e.Amount < p.params.MinFill:
		return fmt.Errorf("%w: offer %q asks for %s IO, the minimum is %s", ErrAmount, id, e.Amount, p.params.MinFill)
	case e.RewardShareBps < p.params.MinRewardShareBps || e.RewardShareBps > fullBps:
		return fmt.Errorf("%w: offer %q gives %d bps, the limits are %d and %d",
			ErrRewardShare, id, e.RewardShareBps, p.params.MinRewardShareBps, fullBps)
	case !e.Expires.After(at):
		return fmt.Errorf("%w: offer %q posted at %s expires at %s", ErrExpiry, id, stamp(at), stamp(e.Expires))
	}
	return nil
}

// checkLimits checks an offer against what the bond has sold and offers already.
func (p *Pool) checkLimits(b *bond, open []uint32, e OfferPosted) error {
	if uint32(len(open)) >= p.params.MaxOffersPerBond {
		return fmt.Errorf("%w: %q, the limit of bond %q is %d",
			ErrOpenOffers, string(p.offers[open[0]].id), string(b.id), p.params.MaxOffersPerBond)
	}
	amount, share := b.coStake, p.soldBps(b)
	for _, i := range open {
		amount += p.offers[i].amount // each within the limit when posted, so the sum is at most the requirement
		share += p.offers[i].shareBps
	}
	if limit := p.params.maxCo(b.required); amount > limit || e.Amount > limit-amount {
		return fmt.Errorf("%w: offer %q asks for %s IO, bond %q needs %s and co-stakers may hold %s of it, %s of that taken",
			ErrCoStake, string(e.Offer), e.Amount, string(b.id), b.required, limit, amount)
	}
	if share+e.RewardShareBps > fullBps {
		return fmt.Errorf("%w: offer %q gives %d bps, bond %q has given %d of %d",
			ErrRewardShare, string(e.Offer), e.RewardShareBps, string(b.id), share, fullBps)
	}
	return nil
}

// openOffers returns the bond's offers that are open at an instant, in a fresh slice in the order of posting.
func (p *Pool) openOffers(b *bond, at time.Time) []uint32 {
	var open []uint32
	for _, i := range b.open {
		if p.offers[i].stateAt(at) == StateOpen {
			open = append(open, i)
		}
	}
	return open
}

// soldBps returns the part of the rewards that the bond's co-stakers get, in basis points.
func (p *Pool) soldBps(b *bond) uint32 {
	var sum uint32
	for _, l := range b.lots {
		if l.offer != noOffer {
			sum += p.offers[l.offer].shareBps
		}
	}
	return sum
}

// findOpen returns an offer that is open at an instant, or says why there is none.
func (p *Pool) findOpen(id OfferID, at time.Time) (uint32, error) {
	i, ok := p.offerIndex[id]
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrNoOffer, string(id))
	}
	switch o := &p.offers[i]; o.stateAt(at) {
	case StateFilled, StateClosed:
		return 0, fmt.Errorf("%w: %q is %s", ErrOfferOver, string(id), o.state)
	case StateExpired:
		return 0, fmt.Errorf("%w: %q at %s", ErrOfferExpired, string(id), stamp(o.expires))
	case StateOpen:
	}
	return i, nil
}

func (p *Pool) acceptOffer(at time.Time, e OfferAccepted) ([]Effect, error) {
	i, err := p.findOpen(e.Offer, at)
	if err != nil {
		return nil, err
	}
	if err := checkID("holder", string(e.Holder)); err != nil {
		return nil, err
	}
	o := &p.offers[i]
	b := &p.bonds[o.bond]
	if e.Holder == p.holders[b.owner].id {
		return nil, fmt.Errorf("%w: %q, bond %q", ErrSelfStake, string(e.Holder), string(b.id))
	}
	if e.Amount != o.amount {
		return nil, fmt.Errorf("%w: offer %q is for %s IO, whole, not %s", ErrAmount, string(e.Offer), o.amount, e.Amount)
	}
	if h, ok := p.holderIndex[e.Holder]; ok && p.holders[h].claims >= p.params.MaxClaims {
		return nil, fmt.Errorf("%w: %q has %d, the limit is %d",
			ErrClaims, string(e.Holder), p.holders[h].claims, p.params.MaxClaims)
	}
	from, err := p.checkLot(at, b, e.Amount)
	if err != nil {
		return nil, err
	}

	o.state, o.holder = StateFilled, p.join(e.Holder)
	p.lock(b, lot{holder: o.holder, offer: i, from: from, balance: e.Amount, bondedAt: at})
	return []Effect{Locked{Bond: b.id, Holder: e.Holder, Role: CoStaker, Amount: e.Amount}}, nil
}

func (p *Pool) closeOffer(at time.Time, e OfferClosed) error {
	i, err := p.findOpen(e.Offer, at)
	if err != nil {
		return err
	}

	p.offers[i].state = StateClosed
	return nil
}
