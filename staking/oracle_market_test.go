package staking_test

import (
	"math/big"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/staking"
)

type oracleOffer struct {
	id       staking.OfferID
	bond     *oracleBond
	units    *big.Int
	minFill  *big.Int
	maxFills uint32
	bps      uint32
	posted   time.Time
	expires  time.Time
	lock     time.Duration
	state    staking.OfferState
	pot      oraclePot
}

func (f *oracleOffer) end(s staking.OfferState) []staking.Effect {
	f.state = s
	return []staking.Effect{staking.OfferEnded{Offer: f.id, State: s}}
}

// fills lists all fills that an offer ever had.
func (o *oracle) fills(f *oracleOffer) (lots []*oracleLot) {
	for _, l := range o.lots {
		if l.offer == f {
			lots = append(lots, l)
		}
	}
	return lots
}

// rest is what nobody has accepted.
func (o *oracle) rest(f *oracleOffer) *big.Int {
	n := f.units
	for _, l := range o.fills(f) {
		n = minus(n, l.bonded)
	}
	return n
}

func (o *oracle) openOffers(b *oracleBond) (open []*oracleOffer) {
	for _, f := range o.offers {
		if f.bond == b && f.state == staking.StateOpen {
			open = append(open, f)
		}
	}
	return open
}

// activeCo is the stake of co-stakers that has not begun to leave.
func (o *oracle) activeCo(b *oracleBond) *big.Int {
	return o.sum(func(l *oracleLot) bool { return l.bond == b && l.offer != nil && l.is(staking.LotActive) })
}

func (o *oracle) post(at time.Time, e staking.OfferPosted, broken *rules) func() []staking.Effect {
	minFill, maxFills := e.MinFill, e.MaxFills
	if minFill == 0 {
		minFill = e.Amount
	}
	if maxFills == 0 {
		maxFills = 1
	}
	broken.name(string(e.Offer))
	broken.must(!slices.ContainsFunc(o.offers, func(f *oracleOffer) bool { return f.id == e.Offer }), staking.ErrOfferExists)
	broken.must(e.Amount >= o.p.MinFill, staking.ErrAmount)
	broken.must(minFill >= o.p.MinFill && minFill <= e.Amount, staking.ErrAmount)
	broken.must(maxFills <= o.p.MaxFills, staking.ErrFills)
	broken.must(e.RewardShareBps >= o.p.MinRewardShareBps && e.RewardShareBps <= 10_000, staking.ErrRewardShare)
	broken.must(e.Expires.After(at) && canHold(e.Expires), staking.ErrExpiry)
	broken.must(e.Lock >= 0 && e.Lock <= o.p.MaxLock, staking.ErrLock)
	b := o.find(e.Bond, broken)
	if b == nil {
		return nil
	}
	broken.must(e.Holder == b.owner, staking.ErrNotOwner)
	broken.must(!b.terminated, staking.ErrTerminated)
	counted := o.counted(b)
	broken.must(counted.Cmp(b.now().required) >= 0, b.short(counted))
	open := o.openOffers(b)
	broken.must(len(open) < int(o.p.MaxOffersPerBond), staking.ErrOpenOffers)
	units := plus(o.activeCo(b), bigOf(e.Amount))
	for _, f := range open {
		units = plus(units, o.rest(f))
	}
	broken.must(units.Cmp(bps(b.now().required, o.p.MaxCoBps)) <= 0, staking.ErrCoStake)
	shares := uint64(e.RewardShareBps)
	for _, f := range o.offers {
		// A fill that a slash has emptied may get its stake back, and with it the share.
		earns := func(l *oracleLot) bool { return l.is(staking.LotActive) }
		if f.bond == b && (f.state == staking.StateOpen || slices.ContainsFunc(o.fills(f), earns)) {
			shares += uint64(f.bps)
		}
	}
	broken.must(shares <= 10_000, staking.ErrRewardShare)
	return func() []staking.Effect {
		o.offers = append(o.offers, &oracleOffer{
			id: e.Offer, bond: b, units: bigOf(e.Amount), minFill: bigOf(minFill), maxFills: maxFills, bps: e.RewardShareBps,
			posted: at, expires: e.Expires.UTC(), lock: e.Lock, state: staking.StateOpen, pot: newPot(),
		})
		return nil
	}
}

func (b *oracleBond) short(have *big.Int) error {
	return &staking.ShortStakeError{Bond: b.id, Have: amount(have), Need: amount(b.now().required)}
}

// findOffer returns an offer, or notes that there is none.
func (o *oracle) findOffer(id staking.OfferID, broken *rules) *oracleOffer {
	for _, f := range o.offers {
		if f.id == id {
			return f
		}
	}
	broken.must(false, staking.ErrNoOffer)
	return nil
}

func (o *oracle) accept(at time.Time, e staking.OfferAccepted, broken *rules) func() []staking.Effect {
	broken.name(string(e.Holder))
	broken.must(e.Amount > 0, staking.ErrAmount)
	f := o.findOffer(e.Offer, broken)
	if f == nil {
		return nil
	}
	b, n, rest := f.bond, bigOf(e.Amount), o.rest(f)
	broken.must(f.state == staking.StateOpen, staking.ErrOfferOver)
	broken.must(!o.linked(b.owner, e.Holder), staking.ErrSelfStake)
	broken.must(n.Cmp(rest) <= 0 && (n.Cmp(f.minFill) >= 0 || n.Cmp(rest) == 0), staking.ErrAmount)
	twice := func(l *oracleLot) bool { return l.holder == e.Holder && !l.withdrawn }
	broken.must(!slices.ContainsFunc(o.fills(f), twice), staking.ErrClaims)
	broken.must(o.claims(e.Holder) < o.p.MaxClaims, staking.ErrClaims)
	broken.must(!o.has(b, e.Holder, staking.LotWaiting, staking.LotCooling), staking.ErrCooling)
	broken.must(plus(o.activeCo(b), n).Cmp(bps(b.now().required, o.p.MaxCoBps)) <= 0, staking.ErrCoStake)
	counted := o.counted(b)
	broken.must(plus(counted, n).Cmp(b.now().required) >= 0, b.short(counted))
	o.room(at, b, e.Amount, broken)
	return func() []staking.Effect {
		effects := []staking.Effect{o.newLot(at, b, f, e.Holder, e.Amount)}
		switch {
		case o.rest(f).Sign() == 0:
			effects = append(effects, f.end(staking.StateFilled)...)
		case len(o.fills(f)) == int(f.maxFills):
			effects = append(effects, f.end(staking.StateExhausted)...)
		}
		return effects
	}
}

func (o *oracle) closeOffer(e staking.OfferClosed, broken *rules) func() []staking.Effect {
	f := o.findOffer(e.Offer, broken)
	if f == nil {
		return nil
	}
	broken.must(e.Holder == f.bond.owner, staking.ErrNotOwner)
	broken.must(f.state == staking.StateOpen, staking.ErrOfferOver)
	return func() []staking.Effect { return f.end(staking.StateClosed) }
}

func (o *oracle) link(at time.Time, e staking.WalletsLinked, broken *rules) func() []staking.Effect {
	broken.name(string(e.A))
	broken.name(string(e.B))
	broken.must(!o.linked(e.A, e.B), staking.ErrLinked)
	o.dated(at.Add(o.p.CoWait), broken)
	return func() (effects []staking.Effect) {
		o.known[e.A], o.known[e.B] = true, true
		o.links = append(o.links, [2]staking.HolderID{e.A, e.B})
		cluster := o.cluster(e.A)
		for _, b := range o.bonds {
			if !slices.Contains(cluster, b.owner) {
				continue
			}
			lots := o.lotsOf(b, func(l *oracleLot) bool {
				return l.offer != nil && l.is(staking.LotActive) && slices.Contains(cluster, l.holder)
			})
			for _, l := range lots {
				effects = append(effects, o.wait(l, at, true))
			}
			if have := o.stays(b); len(lots) > 0 && !b.terminated && have.Cmp(b.now().required) < 0 {
				effects = append(effects, b.under(have, at.Add(o.p.CoWait)))
			}
		}
		return effects
	}
}
