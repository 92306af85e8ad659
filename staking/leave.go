package staking

import (
	"fmt"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// overflow returns what the owner can take out at once. Stake of a fill takes the owner's place only when the fill is as
// old as the hold, and so no owner leaves before the evidence by putting somebody else in the way.
func (p *Pool) overflow(at instant, b *bond) tokenomics.Amount {
	needed := b.required
	if b.heldUntil != noInstant && at < b.heldUntil {
		needed = max(needed, b.held)
	}
	have := b.ownerStake
	for i := range b.lots {
		l := &b.lots[i]
		if l.offer != noOffer && (l.state == LotActive || l.state == LotWaiting) && l.bondedAt.after(p.params.OverflowHold) <= at {
			have += l.balance
		}
	}
	if have <= needed {
		return 0
	}
	return min(b.ownerStake, have-needed)
}

func (p *Pool) withdrawOverflow(at instant, e OverflowWithdrawn) ([]Effect, error) {
	b, err := p.findOwn(e.Bond, e.Holder)
	if err != nil {
		return nil, err
	}
	if b.cases > 0 {
		return nil, fmt.Errorf("%w: bond %q has %d cases", ErrOpenCase, string(b.id), b.cases)
	}
	if most := p.overflow(at, b); e.Amount == 0 || e.Amount > most {
		return nil, fmt.Errorf("%w: overflow of bond %q is %s IO, not %s; to leave with all stake is to unstake",
			ErrAmount, string(b.id), most, e.Amount)
	}

	// The newest first: what stays is the stake that has stood longest behind the device.
	rest := e.Amount
	for i := len(b.lots) - 1; rest > 0; i-- {
		l := &b.lots[i]
		if l.offer != noOffer || l.state != LotActive {
			continue
		}
		n := min(rest, l.balance)
		rest -= n
		p.release(b, l, n)
		if l.balance == 0 {
			p.dropLot(b, l.id)
		}
	}
	return []Effect{p.released(b, b.owner, e.Amount)}, nil
}

func (p *Pool) unstake(at instant, e Unstaked) ([]Effect, error) {
	if e.Offer == "" {
		return p.unstakeOwner(at, e)
	}
	b, err := p.findBond(e.Bond)
	if err != nil {
		return nil, err
	}
	l := p.findFill(b, e)
	if l == nil || l.state != LotActive {
		return nil, fmt.Errorf("%w: active, of %q by offer %q on bond %q", ErrNoStake, string(e.Holder), string(e.Offer), string(e.Bond))
	}
	if err := b.checkNotHired(); err != nil {
		return nil, err
	}
	if end := l.bondedAt.after(p.offers[l.offer].lock); !b.terminated() && at < end {
		return nil, fmt.Errorf("%w: offer %q, until %s", ErrLocked, string(e.Offer), end)
	}
	epoch, err := p.params.epochAt(at.after(p.params.CoWait))
	if err != nil {
		return nil, err
	}

	effects := []Effect{p.leave(at, b, l, epoch, false)}
	return append(effects, p.warn(at, b)...), nil
}

// findFill returns the lot of a holder that filled an offer, nil if there is none.
func (p *Pool) findFill(b *bond, e Unstaked) *lot {
	for i := range b.lots {
		l := &b.lots[i]
		if l.offer != noOffer && p.offers[l.offer].id == e.Offer && p.holders[l.holder].id == e.Holder {
			return l
		}
	}
	return nil
}

// leave sends a co-staker's active lot into its wait, or into its cooldown if there is no wait. The epoch is the one in
// which the wait ends.
func (p *Pool) leave(at instant, b *bond, l *lot, waited tokenomics.Epoch, forced bool) Effect {
	now, err := p.params.epochAt(at)
	must(err)
	l.earnsUntil = now
	if p.params.CoWait == 0 {
		return p.cool(at.after(p.params.CoCooldown), waited, b, l, forced)
	}
	l.state, l.until = LotWaiting, at.after(p.params.CoWait)
	p.setTimer(timer{at: l.until, kind: timerWait, number: uint64(l.id), bond: p.bondIndex[b.id]})
	return p.unlocking(b, l, forced)
}

// cool sends a lot into its cooldown. From the epoch on it does not count.
func (p *Pool) cool(until instant, epoch tokenomics.Epoch, b *bond, l *lot, forced bool) Effect {
	if sum := b.counting(l); sum != nil {
		*sum -= l.balance
	}
	l.state, l.until = LotCooling, until
	l.countsUntil, l.earnsUntil = epoch, min(l.earnsUntil, epoch)
	p.setTimer(timer{at: until, kind: timerCool, number: uint64(l.id), bond: p.bondIndex[b.id]})
	return p.unlocking(b, l, forced)
}

func (p *Pool) unlocking(b *bond, l *lot, forced bool) Effect {
	return Unlocking{
		Bond: b.id, Holder: p.holders[l.holder].id, Role: l.role(), Lot: l.id, Amount: l.balance,
		State: l.state, Until: l.until.time(), Forced: forced,
	}
}

// warn says what the owner has to refill before the waits that have begun end.
func (p *Pool) warn(at instant, b *bond) []Effect {
	stays := b.counted()
	for i := range b.lots {
		if b.lots[i].state == LotWaiting {
			stays -= b.lots[i].balance
		}
	}
	if b.terminated() || stays >= b.required {
		return nil
	}
	return []Effect{Underbonded{Bond: b.id, Have: stays, Need: b.required, Deadline: at.after(p.params.CoWait).time()}}
}

// endWait sends a lot that has waited into its cooldown, as of the end of the wait.
func (p *Pool) endWait(b *bond, l *lot) []Effect {
	enough := b.counted() >= b.required
	epoch, err := p.params.epochAt(l.until)
	must(err) // unstake has checked
	at := l.until
	effects := []Effect{p.cool(at.after(p.params.CoCooldown), epoch, b, l, false)}
	if enough && !b.terminated() && b.counted() < b.required {
		effects = append(effects, Underbonded{Bond: b.id, Have: b.counted(), Need: b.required, Deadline: at.time()})
	}
	return effects
}

func (p *Pool) unstakeOwner(at instant, e Unstaked) ([]Effect, error) {
	b, err := p.findOwn(e.Bond, e.Holder)
	if err != nil {
		return nil, err
	}
	active := false
	for i := range b.lots {
		active = active || b.lots[i].offer == noOffer && b.lots[i].state == LotActive
	}
	if !active {
		return nil, fmt.Errorf("%w: active, of %q on bond %q", ErrNoStake, string(e.Holder), string(e.Bond))
	}
	if err := b.checkNotHired(); err != nil {
		return nil, err
	}
	if len(b.open) > 0 && b.coStake < b.required {
		return nil, fmt.Errorf("%w: %q of bond %q; close it first", ErrOfferOpen, string(p.offers[b.open[0]].id), string(e.Bond))
	}
	epoch, err := p.params.epochAt(at)
	if err != nil {
		return nil, err
	}

	var effects []Effect
	until := at.after(p.params.OwnerCooldown)
	for i := range b.lots {
		if l := &b.lots[i]; l.offer == noOffer && l.state == LotActive {
			effects = append(effects, p.cool(until, epoch, b, l, false))
		}
	}
	if b.counted() >= b.required {
		return effects, nil
	}
	for i := range b.lots {
		if l := &b.lots[i]; l.state == LotActive || l.state == LotWaiting {
			effects = append(effects, p.cool(until, epoch, b, l, true))
		}
	}
	if !b.terminated() {
		effects = append(effects, Underbonded{Bond: b.id, Have: b.counted(), Need: b.required, Deadline: at.time()})
	}
	return effects, nil
}

func (p *Pool) withdraw(e Withdrawn) ([]Effect, error) {
	b, err := p.findBond(e.Bond)
	if err != nil {
		return nil, err
	}
	var matured []LotID
	for i := range b.lots {
		if l := &b.lots[i]; l.state == LotMatured && p.holders[l.holder].id == e.Holder {
			matured = append(matured, l.id)
		}
	}
	if len(matured) == 0 {
		return nil, fmt.Errorf("%w: matured, of %q on bond %q", ErrNoStake, string(e.Holder), string(e.Bond))
	}

	var stake, earned tokenomics.Amount
	var holder uint32
	for _, id := range matured {
		l := b.findLot(id)
		stake += l.balance
		p.release(b, l, l.balance)
		var n tokenomics.Amount
		holder, n = p.dropLot(b, id)
		earned += n
	}
	var effects []Effect
	if stake > 0 {
		effects = append(effects, p.released(b, holder, stake))
	}
	if earned > 0 {
		effects = append(effects, p.pay(b, holder, CoStaker, earned))
	}
	return effects, nil
}
