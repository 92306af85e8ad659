package staking_test

import (
	"math/big"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// rules collects every rule that an event breaks.
type rules []error

func (r *rules) must(ok bool, err error) {
	if !ok {
		*r = append(*r, err)
	}
}

func (r *rules) name(id string) { r.must(id != "" && len(id) <= 128, staking.ErrID) }

// apply returns the effects, or all rules that the event breaks.
func (o *oracle) apply(at time.Time, e staking.Event) ([]staking.Effect, rules) {
	var broken rules
	broken.must(canHold(at), staking.ErrTime)
	broken.must(!o.began || !at.Before(o.now), staking.ErrTimeBackwards)
	if _, ok := e.(staking.Ticked); !ok {
		first, due := o.first()
		broken.must(!due || first.at.After(at), staking.ErrTick)
	}
	commit := o.check(at, e, &broken)
	if len(broken) > 0 {
		return nil, broken
	}
	o.now, o.began = at, true
	return commit(), nil
}

// canHold reports whether an instant lies in the years that a pool can hold.
func canHold(at time.Time) bool { return at.UTC().Year() >= 1900 && at.UTC().Year() < 2200 }

// check notes the rules that an event breaks and returns what it does if there are none.
func (o *oracle) check(at time.Time, e staking.Event, broken *rules) func() []staking.Effect {
	switch e := e.(type) {
	case staking.BondOpened:
		return o.openBond(e, broken)
	case staking.Requalified:
		return o.requalify(at, e, broken)
	case staking.HireStarted:
		return o.hire(e, broken)
	case staking.HireEnded:
		return o.endHire(e, broken)
	case staking.DeviceTerminated:
		return o.terminate(at, e, broken)
	case staking.Deposited:
		return o.deposit(at, e, broken)
	case staking.OverflowWithdrawn:
		return o.withdrawOverflow(at, e, broken)
	case staking.Unstaked:
		if e.Offer == "" {
			return o.ownerLeaves(at, e, broken)
		}
		return o.coStakerLeaves(at, e, broken)
	case staking.Withdrawn:
		return o.withdraw(e, broken)
	case staking.OfferPosted:
		return o.post(at, e, broken)
	case staking.OfferAccepted:
		return o.accept(at, e, broken)
	case staking.OfferClosed:
		return o.closeOffer(e, broken)
	case staking.WalletsLinked:
		return o.link(at, e, broken)
	case staking.Rewarded:
		return o.reward(at, e, broken)
	case staking.Claimed:
		return o.claim(e, broken)
	case staking.Infracted:
		return o.infract(at, e, broken)
	case staking.Appealed:
		return o.appeal(e, broken)
	case staking.AppealDecided:
		return o.decide(e, broken)
	case staking.Ticked:
		return func() (effects []staking.Effect) {
			for first, ok := o.first(); ok && !first.at.After(at); first, ok = o.first() {
				effects = append(effects, first.run()...)
			}
			return effects
		}
	}
	panic("oracle: an event that it does not know")
}

// find returns a bond, or notes that there is none.
func (o *oracle) find(id staking.BondID, broken *rules) *oracleBond {
	for _, b := range o.bonds {
		if b.id == id {
			return b
		}
	}
	broken.must(false, staking.ErrNoBond)
	return nil
}

func (o *oracle) openBond(e staking.BondOpened, broken *rules) func() []staking.Effect {
	broken.name(string(e.Bond))
	broken.name(string(e.Owner))
	broken.must(!slices.ContainsFunc(o.bonds, func(b *oracleBond) bool { return b.id == e.Bond }), staking.ErrBondExists)
	broken.must(e.GPUs > 0, staking.ErrGPUs)
	required, ok := o.required(e.MultiplierCenti, e.GPUs)
	broken.must(ok, tokenomics.ErrOverflow)
	return func() []staking.Effect {
		o.known[e.Owner] = true
		o.bonds = append(o.bonds, &oracleBond{
			id: e.Bond, owner: e.Owner, multiplier: e.MultiplierCenti, gpus: e.GPUs, held: new(big.Int), earned: new(big.Int),
			regimes: []oracleRegime{{required: required, suffices: required}},
		})
		return nil
	}
}

func (o *oracle) requalify(at time.Time, e staking.Requalified, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	broken.must(e.GPUs > 0, staking.ErrGPUs)
	required, ok := o.required(e.MultiplierCenti, e.GPUs)
	broken.must(ok, tokenomics.ErrOverflow)
	if b == nil {
		return nil
	}
	broken.must(!b.terminated, staking.ErrTerminated)
	o.dated(at, broken)
	return func() []staking.Effect {
		old := b.now().required
		switch {
		case e.TableChanged && o.p.Grace > 0 && !b.inGrace():
			b.grace, b.graceUntil, b.graceOver = b.multiplier, at.Add(o.p.Grace), false
		case !e.TableChanged && e.MultiplierCenti != b.multiplier:
			b.graceUntil = time.Time{}
		}
		suffices := required
		if n, fits := o.required(b.grace, e.GPUs); !b.graceUntil.IsZero() && fits {
			suffices = smaller(required, n)
		}
		if required.Cmp(old) < 0 {
			held := old
			if at.Before(b.heldUntil) {
				held = larger(held, b.held)
			}
			b.held, b.heldUntil = held, at.Add(o.p.OverflowHold)
		}
		b.multiplier, b.gpus = e.MultiplierCenti, e.GPUs
		b.regimes = append(b.regimes, oracleRegime{o.epoch(at), required, suffices, b.graceUntil, b.lastEpoch})
		counted := o.counted(b)
		if counted.Cmp(required) >= 0 {
			return nil
		}
		deadline := at
		if b.inGrace() && counted.Cmp(suffices) >= 0 {
			deadline = b.graceUntil
		}
		return []staking.Effect{b.under(counted, deadline)}
	}
}

func (o *oracle) hire(e staking.HireStarted, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	if b == nil {
		return nil
	}
	broken.must(!b.terminated, staking.ErrTerminated)
	return func() []staking.Effect { b.hires++; return nil }
}

func (o *oracle) endHire(e staking.HireEnded, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	if b == nil {
		return nil
	}
	broken.must(b.hires > 0, staking.ErrNotHired)
	return func() []staking.Effect { b.hires--; return nil }
}

func (o *oracle) terminate(at time.Time, e staking.DeviceTerminated, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	if b == nil {
		return nil
	}
	broken.must(!b.terminated, staking.ErrTerminated)
	broken.must(b.hires == 0, staking.ErrHired)
	o.dated(at, broken)
	return func() (effects []staking.Effect) {
		b.terminated, b.ended = true, o.epoch(at)
		for _, f := range o.offers {
			if f.bond == b && f.state == staking.StateOpen {
				effects = append(effects, f.end(staking.StateClosed)...)
			}
		}
		return effects
	}
}

// has reports whether a holder has stake on a bond in one of the states.
func (o *oracle) has(b *oracleBond, h staking.HolderID, states ...staking.LotState) bool {
	return o.sum(func(l *oracleLot) bool { return l.bond == b && l.holder == h && l.is(states...) }).Sign() > 0
}

// room notes whether one more lot fits the bond and the books.
func (o *oracle) room(at time.Time, b *oracleBond, n tokenomics.Amount, broken *rules) {
	broken.must(len(o.lotsOf(b, anyLot)) < int(o.p.MaxLotsPerBond), staking.ErrLots)
	o.comesIn(n, broken)
	o.dated(at, broken)
}

func (o *oracle) deposit(at time.Time, e staking.Deposited, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	broken.must(e.Amount > 0, staking.ErrAmount)
	if b == nil {
		return nil
	}
	broken.must(b.owner == e.Holder, staking.ErrNotOwner)
	broken.must(!b.terminated, staking.ErrTerminated)
	broken.must(!o.has(b, b.owner, staking.LotCooling), staking.ErrCooling)
	o.room(at, b, e.Amount, broken)
	return func() []staking.Effect { return []staking.Effect{o.newLot(at, b, nil, e.Holder, e.Amount)} }
}

func (o *oracle) withdrawOverflow(at time.Time, e staking.OverflowWithdrawn, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	broken.must(e.Amount > 0, staking.ErrAmount)
	if b == nil {
		return nil
	}
	broken.must(b.owner == e.Holder, staking.ErrNotOwner)
	broken.must(o.openCases(b) == 0, staking.ErrOpenCase)
	broken.must(bigOf(e.Amount).Cmp(o.overflow(b, at)) <= 0, staking.ErrAmount)
	return func() []staking.Effect {
		rest := bigOf(e.Amount)
		lots := o.lotsOf(b, func(l *oracleLot) bool { return l.offer == nil && l.is(staking.LotActive) })
		slices.Reverse(lots)
		for _, l := range lots {
			take := smaller(rest, l.balance)
			l.balance, rest = minus(l.balance, take), minus(rest, take)
			l.withdrawn = l.balance.Sign() == 0
		}
		return o.leaves(b, b.owner, staking.Owner, bigOf(e.Amount), new(big.Int))
	}
}

func (o *oracle) ownerLeaves(at time.Time, e staking.Unstaked, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	if b == nil {
		return nil
	}
	own := func(l *oracleLot) bool { return l.offer == nil && l.is(staking.LotActive) }
	co := o.sum(func(l *oracleLot) bool { return l.bond == b && l.offer != nil && l.counts() })
	need := b.now().required
	broken.must(e.Holder == b.owner, staking.ErrNotOwner)
	broken.must(len(o.lotsOf(b, own)) > 0, staking.ErrNoStake)
	broken.must(b.hires == 0, staking.ErrHired)
	broken.must(co.Cmp(need) >= 0 || len(o.openOffers(b)) == 0, staking.ErrOfferOpen)
	o.dated(at, broken)
	return func() (effects []staking.Effect) {
		for _, l := range o.lotsOf(b, own) {
			effects = append(effects, o.cool(l, at, o.p.OwnerCooldown, false))
		}
		if co.Cmp(need) >= 0 {
			return effects
		}
		for _, l := range o.lotsOf(b, (*oracleLot).counts) {
			effects = append(effects, o.cool(l, at, o.p.OwnerCooldown, true))
		}
		if !b.terminated {
			effects = append(effects, b.under(o.counted(b), at))
		}
		return effects
	}
}

func (o *oracle) coStakerLeaves(at time.Time, e staking.Unstaked, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	if b == nil {
		return nil
	}
	lots := o.lotsOf(b, func(l *oracleLot) bool {
		return l.offer != nil && l.offer.id == e.Offer && l.holder == e.Holder && l.is(staking.LotActive)
	})
	broken.must(len(lots) == 1, staking.ErrNoStake)
	broken.must(b.hires == 0, staking.ErrHired)
	if len(lots) != 1 {
		return nil
	}
	l := lots[0]
	broken.must(b.terminated || !at.Before(l.at.Add(l.offer.lock)), staking.ErrLocked)
	o.dated(at.Add(o.p.CoWait), broken)
	return func() []staking.Effect {
		effects := []staking.Effect{o.wait(l, at, false)}
		if have := o.stays(b); !b.terminated && have.Cmp(b.now().required) < 0 {
			effects = append(effects, b.under(have, at.Add(o.p.CoWait)))
		}
		return effects
	}
}

func (o *oracle) withdraw(e staking.Withdrawn, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	if b == nil {
		return nil
	}
	lots := o.lotsOf(b, func(l *oracleLot) bool { return l.holder == e.Holder && l.is(staking.LotMatured) })
	broken.must(len(lots) > 0, staking.ErrNoStake)
	return func() []staking.Effect {
		stake, rewards := new(big.Int), new(big.Int)
		for _, l := range lots {
			stake = plus(stake, l.balance)
			rewards = plus(rewards, o.remove(l))
		}
		return o.leaves(b, e.Holder, staking.CoStaker, stake, rewards)
	}
}
