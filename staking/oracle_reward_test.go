package staking_test

import (
	"math/big"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// oraclePot is the accumulator of an offer, in units of 2^-64: what one unit of stake has earned so far, and what the
// divisions left over.
type oraclePot struct {
	each    *big.Int
	carry   *big.Int
	removed int64 // how many lots have left for good
}

// oraclePurse is what a lot has earned, whole units and a fraction in units of 2^-64, since its last settlement. exact is
// the same to the last digit, and all of it since the lot began; drawn is what was taken out of whole.
type oraclePurse struct {
	member bool
	mark   *big.Int
	frac   *big.Int
	whole  *big.Int
	exact  *big.Rat
	drawn  *big.Int
}

func newPot() oraclePot { return oraclePot{each: new(big.Int), carry: new(big.Int)} }

func newPurse() oraclePurse {
	return oraclePurse{mark: new(big.Int), frac: new(big.Int), whole: new(big.Int), exact: new(big.Rat), drawn: new(big.Int)}
}

// oneUnit is a base unit in units of 2^-64.
func oneUnit() *big.Int { return new(big.Int).Lsh(big.NewInt(1), 64) }

// members is the stake among which an offer divides.
func (o *oracle) members(f *oracleOffer) *big.Int {
	return o.sum(func(l *oracleLot) bool { return l.offer == f && l.purse.member })
}

// fine is all that a lot has earned, in units of 2^-64, and whether the carry of its offer is in it: the only member gets it.
func (o *oracle) fine(l *oracleLot) (n *big.Int, carried bool) {
	n = plus(new(big.Int).Lsh(l.purse.whole, 64), l.purse.frac)
	if l.offer == nil || !l.purse.member {
		return n, false
	}
	pot := l.offer.pot
	n = plus(n, new(big.Int).Mul(l.balance, minus(pot.each, l.purse.mark)))
	if l.balance.Sign() > 0 && l.balance.Cmp(o.members(l.offer)) == 0 {
		return plus(n, pot.carry), true
	}
	return n, false
}

// earned is what a lot has earned in whole units.
func (o *oracle) earned(l *oracleLot) *big.Int {
	n, _ := o.fine(l)
	return n.Rsh(n, 64)
}

// settle brings the purse of a lot up to date.
func (o *oracle) settle(l *oracleLot) {
	if l.offer == nil {
		return
	}
	n, carried := o.fine(l)
	if carried {
		l.offer.pot.carry = new(big.Int)
	}
	l.purse.mark = l.offer.pot.each
	l.purse.whole, l.purse.frac = new(big.Int).DivMod(n, oneUnit(), new(big.Int))
}

// spread moves the carry into what each unit of stake has, as far as it goes, when the stake to divide among has changed.
func (o *oracle) spread(f *oracleOffer) {
	if n := o.members(f); n.Sign() > 0 {
		q, r := new(big.Int).DivMod(f.pot.carry, n, new(big.Int))
		f.pot.each, f.pot.carry = plus(f.pot.each, q), r
	}
}

// change settles a lot, does something to its part in the division, and spreads the carry.
func (o *oracle) change(l *oracleLot, how func()) {
	o.settle(l)
	how()
	o.spread(l.offer)
}

func (o *oracle) setBalance(l *oracleLot, n *big.Int) {
	if !l.purse.member {
		l.balance = n
		return
	}
	o.change(l, func() { l.balance = n })
}

// remove takes a lot off its bond and returns the whole units that it has earned. The fraction stays with the offer; units
// that fractions add up to are the owner's.
func (o *oracle) remove(l *oracleLot) *big.Int {
	if l.offer == nil {
		l.withdrawn = true
		return new(big.Int)
	}
	if l.purse.member {
		o.change(l, func() { l.purse.member = false })
	}
	pot := &l.offer.pot
	units, carry := new(big.Int).DivMod(plus(pot.carry, l.purse.frac), oneUnit(), new(big.Int))
	l.bond.earned = plus(l.bond.earned, units)
	pot.carry, l.purse.frac, l.withdrawn = carry, new(big.Int), true
	pot.removed++
	o.spread(l.offer)
	return o.draw(l, l.purse.whole)
}

// draw takes whole units out of a purse, or puts them in if the number is negative.
func (o *oracle) draw(l *oracleLot, n *big.Int) *big.Int {
	l.purse.whole, l.purse.drawn = minus(l.purse.whole, n), plus(l.purse.drawn, n)
	return n
}

// have is the stake that counts in an epoch.
func (o *oracle) have(b *oracleBond, e tokenomics.Epoch) *big.Int {
	return o.sum(func(l *oracleLot) bool { return l.bond == b && l.from <= e && e < l.countsTo })
}

// enough notes whether the stake of an epoch meets what it needs.
func (o *oracle) enough(b *oracleBond, e tokenomics.Epoch, broken *rules) {
	have, need := o.have(b, e), o.need(b, e)
	late := o.sum(func(l *oracleLot) bool { return l.bond == b && l.is(staking.LotActive) && l.from > e })
	broken.must(have.Cmp(need) >= 0, &staking.ShortStakeError{
		Bond: b.id, Have: amount(have), Need: amount(need), Epoch: e, Late: amount(late),
	})
}

func (o *oracle) rewarded() *big.Int {
	n := new(big.Int)
	for _, b := range o.bonds {
		for _, r := range b.rewards {
			n.Add(n, r)
		}
	}
	return n
}

func (o *oracle) reward(at time.Time, e staking.Rewarded, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	o.dated(at, broken)
	broken.must(e.Epoch < o.epoch(at), staking.ErrEpochOpen)
	if b == nil {
		return nil
	}
	broken.must(e.Epoch > b.lastEpoch, staking.ErrEpochDone)
	broken.must(!b.terminated || e.Epoch < b.ended, staking.ErrTerminated)
	o.enough(b, e.Epoch, broken)
	o.comesIn(e.Amount, broken)
	return func() []staking.Effect {
		co := o.divide(b, e)
		b.lastEpoch = e.Epoch
		b.rewards = append(b.rewards, bigOf(e.Amount))
		own := minus(bigOf(e.Amount), co)
		b.earned = plus(b.earned, own)
		if e.Amount == 0 {
			return nil
		}
		return []staking.Effect{staking.Accrued{Bond: b.id, Epoch: e.Epoch, Owner: amount(own), CoStakers: amount(co)}}
	}
}

// divide gives the co-stakers their parts of a reward and returns the sum.
func (o *oracle) divide(b *oracleBond, e staking.Rewarded) *big.Int {
	earns := func(l *oracleLot) bool {
		return l.offer != nil && l.from <= e.Epoch && e.Epoch < l.earnsTo && l.balance.Sign() > 0
	}
	var offers []*oracleOffer
	for _, l := range o.lotsOf(b, anyLot) {
		if l.purse.member != earns(l) {
			o.change(l, func() { l.purse.member = earns(l) })
		}
		if earns(l) && !slices.Contains(offers, l.offer) {
			offers = append(offers, l.offer)
		}
	}
	co := new(big.Int)
	for _, f := range offers {
		active := o.members(f)
		n := part(bps(bigOf(e.Amount), f.bps), active, f.units)
		co = plus(co, n)
		for _, l := range o.fills(f) {
			if l.purse.member {
				l.purse.exact.Add(l.purse.exact, new(big.Rat).SetFrac(new(big.Int).Mul(n, l.balance), active))
			}
		}
		fine := plus(new(big.Int).Lsh(n, 64), f.pot.carry)
		q, r := new(big.Int).DivMod(fine, active, new(big.Int))
		f.pot.each, f.pot.carry = plus(f.pot.each, q), r
	}
	return co
}

// claimable is what a holder has earned with a bond.
func (o *oracle) claimable(b *oracleBond, h staking.HolderID) *big.Int {
	if h == b.owner {
		return b.earned
	}
	n := new(big.Int)
	for _, l := range o.lotsOf(b, func(l *oracleLot) bool { return l.holder == h }) {
		n.Add(n, o.earned(l))
	}
	return n
}

func (o *oracle) claim(e staking.Claimed, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	if b == nil {
		return nil
	}
	n := o.claimable(b, e.Holder)
	broken.must(n.Sign() > 0, staking.ErrNothing)
	return func() []staking.Effect {
		if e.Holder == b.owner {
			b.earned = new(big.Int)
			return o.leaves(b, e.Holder, staking.Owner, new(big.Int), n)
		}
		n := new(big.Int)
		for _, l := range o.lotsOf(b, func(l *oracleLot) bool { return l.holder == e.Holder }) {
			o.settle(l)
			n = plus(n, o.draw(l, l.purse.whole))
		}
		return o.leaves(b, e.Holder, staking.CoStaker, new(big.Int), n)
	}
}
