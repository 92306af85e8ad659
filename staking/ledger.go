package staking

import (
	"fmt"
	"math/bits"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// holder is an account. Wallets that are linked form a cluster: a ring through next, led by the member of the lowest
// number, which keeps what the rules ask of the cluster as a whole.
type holder struct {
	id       HolderID
	bonded   tokenomics.Amount
	paid     tokenomics.Amount
	released tokenomics.Amount
	slashed  tokenomics.Amount
	claims   uint32 // the own ones
	leader   uint32
	next     uint32
	all      uint32   // claims of the cluster; only the leader's counts
	owned    []uint32 // bonds, in the order in which they were opened
}

// Books returns the totals.
func (p *Pool) Books() Books { return p.books }

// Holder returns what the pool knows of a holder, and false if it knows nobody of that name.
func (p *Pool) Holder(id HolderID) (HolderView, bool) {
	i, ok := p.holderIndex[id]
	if !ok {
		return HolderView{}, false
	}
	h := &p.holders[i]
	return HolderView{
		Bonded: h.bonded, Paid: h.paid, Released: h.released, Slashed: h.slashed, Claims: p.holders[h.leader].all,
	}, true
}

// join returns the number of a holder, a new one if the name is new.
func (p *Pool) join(id HolderID) uint32 {
	if i, ok := p.holderIndex[id]; ok {
		return i
	}
	i := uint32(len(p.holders))
	p.holders = append(p.holders, holder{id: id, leader: i, next: i})
	p.holderIndex[id] = i
	return i
}

// roomFor checks that more fits into the pool. Every sum that the pool keeps is a part of what came in, stake and rewards
// together, and so needs no check of its own.
func (p *Pool) roomFor(more tokenomics.Amount) error {
	sum, over := bits.Add64(uint64(p.books.Deposits), uint64(p.books.Rewards), 0)
	_, more64 := bits.Add64(sum, uint64(more), 0)
	if over|more64 != 0 {
		return fmt.Errorf("staking: %s IO on top of %s and %s: %w", more, p.books.Deposits, p.books.Rewards, tokenomics.ErrOverflow)
	}
	return nil
}

// move takes n out of one account and puts it into another. That one holds it, and that the other has room, follows from
// the checks before: to fail here is a programmer's mistake.
func move(from, to *tokenomics.Amount, n tokenomics.Amount) {
	if *from < n {
		panic(fmt.Sprintf("staking: move: %s of %s", n, *from))
	}
	*from -= n
	*to += n
}

// must panics on an error that the checks before exclude.
func must(err error) {
	if err != nil {
		panic("staking: " + err.Error())
	}
}

// counting returns the sum of its bond that a lot is counted in, nil if it does not count.
func (b *bond) counting(l *lot) *tokenomics.Amount {
	switch {
	case l.state != LotActive && l.state != LotWaiting:
		return nil
	case l.offer == noOffer:
		return &b.ownerStake
	}
	return &b.coStake
}

// addStake raises a lot's balance, with every sum that it is part of but those of the books.
func (p *Pool) addStake(b *bond, l *lot, n tokenomics.Amount) {
	l.balance += n
	p.holders[l.holder].bonded += n
	if sum := b.counting(l); sum != nil {
		*sum += n
	}
	p.weigh(l)
}

// subStake lowers a lot's balance, as addStake raises it.
func (p *Pool) subStake(b *bond, l *lot, n tokenomics.Amount) {
	l.balance -= n
	p.holders[l.holder].bonded -= n
	if sum := b.counting(l); sum != nil {
		*sum -= n
	}
	p.weigh(l)
}

// weigh gives a lot that earns its balance as its weight.
func (p *Pool) weigh(l *lot) {
	if l.earning {
		must(p.offers[l.offer].acc.Set(&l.pos, l.balance)) // no more than all that was bonded
	}
}

// lock moves new stake into the pool: a new lot. The caller has checked roomFor.
func (p *Pool) lock(b *bond, l lot) *lot {
	n := l.balance
	l.balance, l.bonded, l.state = 0, n, LotActive
	l.until, l.earnsUntil, l.countsUntil = noInstant, noEpoch, noEpoch
	p.lastLot++
	l.id = p.lastLot
	b.lots = append(b.lots, l)
	last := &b.lots[len(b.lots)-1]
	p.addStake(b, last, n)
	p.books.Deposits += n
	p.books.Bonded += n
	return last
}

// release moves stake of a lot out of the pool, to the wallet that bonded it. The caller emits [Released].
func (p *Pool) release(b *bond, l *lot, n tokenomics.Amount) {
	p.subStake(b, l, n)
	move(&p.books.Bonded, &p.books.Released, n)
	p.holders[l.holder].released += n
}

// released returns the effect of stake that has left, numbered.
func (p *Pool) released(b *bond, holder uint32, n tokenomics.Amount) Effect {
	b.payments++
	return Released{Bond: b.id, Holder: p.holders[holder].id, Number: b.payments, Amount: n}
}

// pay moves rewards that somebody has earned with a bond out of the pool.
func (p *Pool) pay(b *bond, holder uint32, role Role, n tokenomics.Amount) Effect {
	move(&p.books.Accrued, &p.books.Paid, n)
	p.holders[holder].paid += n
	b.payments++
	return Paid{Bond: b.id, Holder: p.holders[holder].id, Role: role, Number: b.payments, Epoch: b.lastEpoch, Amount: n}
}

// dropLot takes a lot without a balance off its bond. What it has earned is returned, for the caller to pay.
func (p *Pool) dropLot(b *bond, id LotID) (holder uint32, earned tokenomics.Amount) {
	l := b.findLot(id)
	holder = l.holder
	if l.offer != noOffer {
		o := &p.offers[l.offer]
		var dust tokenomics.Amount
		earned, dust = o.acc.Close(&l.pos)
		b.ownerEarned += dust
		o.withdrawn++
		p.holders[holder].claims--
		p.holders[p.holders[holder].leader].all--
	}
	i := 0
	for b.lots[i].id != id {
		i++
	}
	b.lots = append(b.lots[:i], b.lots[i+1:]...)
	return holder, earned
}
