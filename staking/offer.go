package staking

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// offer is an owner's request for co-stakers. Its terms never change.
type offer struct {
	id        OfferID
	bond      uint32
	shareBps  uint32
	amount    tokenomics.Amount
	minFill   tokenomics.Amount
	filled    tokenomics.Amount
	posted    instant
	expires   instant
	lock      time.Duration
	maxFills  uint32
	fills     uint32
	withdrawn uint32
	state     OfferState
	acc       Accumulator // of the fills that earn
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
	return OfferView{
		Bond: p.bonds[o.bond].id, Amount: o.amount, Filled: o.filled, MinFill: o.minFill, Fills: o.fills, MaxFills: o.maxFills,
		RewardShareBps: o.shareBps, Posted: o.posted.time(), Expires: o.expires.time(), Lock: o.lock, State: o.state,
		Withdrawn: o.withdrawn,
	}
}

func (p *Pool) postOffer(at instant, e OfferPosted) error {
	if err := checkID("offer", string(e.Offer)); err != nil {
		return err
	}
	if _, ok := p.offerIndex[e.Offer]; ok {
		return fmt.Errorf("%w: %q", ErrOfferExists, string(e.Offer))
	}
	b, err := p.findOwn(e.Bond, e.Holder)
	if err != nil {
		return err
	}
	if err := b.checkRunning(); err != nil {
		return err
	}
	if e.MinFill == 0 {
		e.MinFill = e.Amount
	}
	e.MaxFills = max(e.MaxFills, 1)
	if err := p.checkTerms(at, e); err != nil {
		return err
	}
	if b.counted() < b.required {
		return &ShortStakeError{Bond: e.Bond, Have: b.counted(), Need: b.required}
	}
	if err := p.checkLimits(b, e); err != nil {
		return err
	}

	i := uint32(len(p.offers))
	expires := instant(e.Expires.UnixNano()) // within range: checkTerms
	b.open = append(b.open, i)
	p.offerIndex[e.Offer] = i
	p.offers = append(p.offers, offer{
		id: e.Offer, bond: p.bondIndex[e.Bond], shareBps: e.RewardShareBps, amount: e.Amount, minFill: e.MinFill,
		posted: at, expires: expires, lock: e.Lock, maxFills: e.MaxFills, state: StateOpen,
	})
	p.setTimer(timer{at: expires, kind: timerExpiry, number: uint64(i), bond: p.bondIndex[e.Bond]})
	return nil
}

// checkTerms checks what an offer says by itself.
func (p *Pool) checkTerms(at instant, e OfferPosted) error {
	id := string(e.Offer)
	switch {
	case e.Amount < p.params.MinFill:
		return fmt.Errorf("%w: offer %q asks for %s IO, the minimum is %s", ErrAmount, id, e.Amount, p.params.MinFill)
	case e.MinFill < p.params.MinFill || e.MinFill > e.Amount:
		return fmt.Errorf("%w: offer %q has fills from %s IO, not %s to %s", ErrAmount, id, e.MinFill, p.params.MinFill, e.Amount)
	case e.MaxFills > p.params.MaxFills:
		return fmt.Errorf("%w: offer %q has %d, the limit is %d", ErrFills, id, e.MaxFills, p.params.MaxFills)
	case e.RewardShareBps < p.params.MinRewardShareBps || e.RewardShareBps > fullBps:
		return fmt.Errorf("%w: offer %q gives %d bps, the limits are %d and %d",
			ErrRewardShare, id, e.RewardShareBps, p.params.MinRewardShareBps, fullBps)
	case e.Lock < 0 || e.Lock > p.params.MaxLock:
		return fmt.Errorf("%w: offer %q locks for %s, not 0 to %s", ErrLock, id, e.Lock, p.params.MaxLock)
	}
	expires, err := instantOf(e.Expires)
	if err != nil || expires <= at {
		return fmt.Errorf("%w: offer %q posted at %s expires at %s", ErrExpiry, id, at, stamp(e.Expires))
	}
	return nil
}

// checkLimits checks an offer against what the bond has sold and offers already.
func (p *Pool) checkLimits(b *bond, e OfferPosted) error {
	if uint32(len(b.open)) >= p.params.MaxOffersPerBond {
		return fmt.Errorf("%w: %q, the limit of bond %q is %d",
			ErrOpenOffers, string(p.offers[b.open[0]].id), string(b.id), p.params.MaxOffersPerBond)
	}
	amount := b.activeCo()
	for _, i := range b.open {
		// Each rest was within the limit when it was posted, which is a part of an amount: the sum fits 64 bits only if it
		// is checked, since the requirement may have fallen.
		sum, err := amount.Add(p.offers[i].rest())
		if err != nil {
			return fmt.Errorf("%w: open offers of bond %q: %w", ErrCoStake, string(b.id), err)
		}
		amount = sum
	}
	if limit := p.params.maxCo(b.required); amount > limit || e.Amount > limit-amount {
		return fmt.Errorf("%w: offer %q asks for %s IO, bond %q needs %s and co-stakers may hold %s of it, %s of that taken",
			ErrCoStake, string(e.Offer), e.Amount, string(b.id), b.required, limit, amount)
	}
	if sold := p.soldBps(b); sold+e.RewardShareBps > fullBps {
		return fmt.Errorf("%w: offer %q gives %d bps, bond %q has given %d of %d",
			ErrRewardShare, string(e.Offer), e.RewardShareBps, string(b.id), sold, fullBps)
	}
	return nil
}

// rest returns what an offer still asks for.
func (o *offer) rest() tokenomics.Amount { return o.amount - o.filled }

// activeCo returns the co-stake that has not begun to leave.
func (b *bond) activeCo() tokenomics.Amount {
	var sum tokenomics.Amount
	for i := range b.lots {
		if l := &b.lots[i]; l.offer != noOffer && l.state == LotActive {
			sum += l.balance
		}
	}
	return sum
}

// soldBps returns the part of the rewards that is promised, in basis points: by open offers, and by those with an active
// fill, also one that a slash has emptied, since an appeal may fill it again.
func (p *Pool) soldBps(b *bond) uint32 {
	sold := slices.Clone(b.open)
	for i := range b.lots {
		if l := &b.lots[i]; l.offer != noOffer && l.state == LotActive && !slices.Contains(sold, l.offer) {
			sold = append(sold, l.offer)
		}
	}
	var sum uint32
	for _, i := range sold {
		sum += p.offers[i].shareBps
	}
	return sum
}

// findOpen returns the number of an offer that is open, or says why there is none.
func (p *Pool) findOpen(id OfferID) (uint32, error) {
	i, ok := p.offerIndex[id]
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrNoOffer, string(id))
	}
	if o := &p.offers[i]; o.state != StateOpen {
		return 0, fmt.Errorf("%w: %q is %s", ErrOfferOver, string(id), o.state)
	}
	return i, nil
}

// endOffer closes an open offer for further fills.
func (p *Pool) endOffer(i uint32, state OfferState) Effect {
	o := &p.offers[i]
	o.state = state
	b := &p.bonds[o.bond]
	b.open = slices.DeleteFunc(b.open, func(k uint32) bool { return k == i })
	return OfferEnded{Offer: o.id, State: state}
}

func (p *Pool) closeOffer(e OfferClosed) ([]Effect, error) {
	i, err := p.findOpen(e.Offer)
	if err != nil {
		return nil, err
	}
	if _, err := p.findOwn(p.bonds[p.offers[i].bond].id, e.Holder); err != nil {
		return nil, err
	}

	return []Effect{p.endOffer(i, StateClosed)}, nil
}
