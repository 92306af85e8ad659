package staking

import (
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"slices"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrAudit is wrapped by what [Pool.Audit] returns.
var ErrAudit = errors.New("staking: audit")

// Audit recomputes everything that the pool keeps twice and returns the first difference, nil if there is none:
//
//   - deposits + rewards = bonded + accrued + escrow + released + paid + burned + compensated, and each of these that
//     lies in the bonds is the sum of what lies there;
//   - every accumulator holds what came in less what went out, to 2^-64 base units;
//   - the same for each holder by itself: what is bonded, the claims, and what left or was slashed in total;
//   - every lot, offer and case is in a state that its dates allow, and no deadline is overdue.
//
// It compares for equality, without a tolerance. The cost is linear in the number of lots and offers.
func (p *Pool) Audit() error {
	t := tally{
		holders: make([]holder, len(p.holders)), lots: make([]uint32, len(p.offers)),
		bonded: make([]tokenomics.Amount, len(p.offers)), rewards: make([]tokenomics.Amount, len(p.offers)),
	}
	for i := range p.bonds {
		if err := p.auditBond(uint32(i), &t); err != nil {
			return err
		}
	}
	for i := range p.offers {
		if err := p.auditOffer(uint32(i), &t); err != nil {
			return err
		}
	}
	if err := p.auditHolders(&t); err != nil {
		return err
	}
	if t.open != 0 {
		return broken("a bond lists an offer twice")
	}
	if len(p.holderIndex) != len(p.holders) || len(p.bondIndex) != len(p.bonds) || len(p.offerIndex) != len(p.offers) || len(p.proofs) != t.proofs {
		return broken("an index names more than there is")
	}
	if err := p.auditTimers(t.deadlines); err != nil {
		return err
	}
	return p.auditBooks(&t)
}

// tally is what the bonds say, collected bond by bond. The books have room for all that came in, so the sums fit.
type tally struct {
	holders   []holder            // bonded, claims, slashed in open cases; all: members that name this leader
	lots      []uint32            // by offer: fills that have not left
	bonded    []tokenomics.Amount // by offer: what those began with
	rewards   []tokenomics.Amount // by offer: what open cases took of their rewards
	books     Books
	proofs    int
	open      int // offers
	deadlines int // that must have a timer
}

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrAudit, fmt.Sprintf(format, args...))
}

// auditTimers checks that every deadline has a timer, and that none is overdue.
func (p *Pool) auditTimers(deadlines int) error {
	standing := slices.DeleteFunc(slices.Clone(p.timers), func(t timer) bool { return !p.stands(t) || t.kind == timerGrace && t.at <= p.now })
	slices.SortFunc(standing, timer.compare)
	standing = slices.CompactFunc(standing, func(a, b timer) bool { return a.compare(b) == 0 })
	switch {
	case len(standing) != deadlines:
		return broken("%d timers for %d deadlines", len(standing), deadlines)
	case len(standing) > 0 && standing[0].at <= p.now:
		return broken("overdue at %s: %s", p.now, standing[0])
	}
	return nil
}

func (p *Pool) auditBooks(t *tally) error {
	b := p.books
	if b.Bonded != t.books.Bonded || b.Accrued != t.books.Accrued || b.Escrow != t.books.Escrow || b.Rewards != t.books.Rewards {
		return broken("books: bonded %s, accrued %s, escrow %s, rewards %s; the bonds say %s, %s, %s, %s",
			b.Bonded, b.Accrued, b.Escrow, b.Rewards, t.books.Bonded, t.books.Accrued, t.books.Escrow, t.books.Rewards)
	}
	in, over := bits.Add64(uint64(b.Deposits), uint64(b.Rewards), 0)
	var out, lost uint64
	for _, n := range []tokenomics.Amount{b.Bonded, b.Accrued, b.Escrow, b.Released, b.Paid, b.Burned, b.Compensated} {
		out, lost = bits.Add64(out, uint64(n), 0)
		over |= lost
	}
	if over != 0 || in != out {
		return broken("%s deposits and %s rewards came in; bonded %s, accrued %s, escrow %s, released %s, paid %s, burned %s, compensated %s",
			b.Deposits, b.Rewards, b.Bonded, b.Accrued, b.Escrow, b.Released, b.Paid, b.Burned, b.Compensated)
	}
	return nil
}

func (p *Pool) auditHolders(t *tally) error {
	var paid, released, slashed tokenomics.Amount
	var s summing
	for i := range p.holders {
		h := &p.holders[i]
		if j, ok := p.holderIndex[h.id]; !ok || j != uint32(i) {
			return broken("holder %q is not indexed", string(h.id))
		}
		if got := t.holders[i]; h.bonded != got.bonded || h.claims != got.claims || h.slashed < got.slashed {
			return broken("holder %q: bonded %s, %d claims, slashed %s; lots and cases say %s, %d, %s", string(h.id),
				h.bonded, h.claims, h.slashed, got.bonded, got.claims, got.slashed)
		}
		t.holders[h.leader].all++
		s.add(&paid, h.paid)
		s.add(&released, h.released)
		s.add(&slashed, h.slashed)
		if h.leader != uint32(i) && (p.holders[h.leader].leader != h.leader || h.leader > uint32(i) || h.all != 0) {
			return broken("holder %q is led by %q", string(h.id), string(p.holders[h.leader].id))
		}
	}
	for i := range p.holders {
		if p.holders[i].leader == uint32(i) {
			if err := p.auditCluster(uint32(i), t.holders[i].all); err != nil {
				return err
			}
		}
	}
	b := p.books
	if s.over != 0 || paid != b.Paid || released != b.Released || slashed != b.Escrow+b.Burned+b.Compensated {
		return broken("paid %s, released %s, slashed %s; the holders say %s, %s, %s",
			b.Paid, b.Released, b.Escrow+b.Burned+b.Compensated, paid, released, slashed)
	}
	return nil
}

// auditCluster checks the ring of a leader. Every member names its leader, so a ring of as many as name it has them all.
func (p *Pool) auditCluster(leader, members uint32) error {
	claims := uint32(0)
	i := leader
	for n := uint32(1); ; n++ {
		h := &p.holders[i]
		claims += h.claims
		if i = h.next; h.leader != leader || n > members || i == leader && n < members {
			return broken("holder %q is in the ring of %q, of %d wallets", string(h.id), string(p.holders[leader].id), members)
		}
		if i == leader {
			break
		}
	}
	if all := p.holders[leader].all; all != claims {
		return broken("cluster of %q has %d claims, its wallets %d", string(p.holders[leader].id), all, claims)
	}
	return nil
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
	var own, co tokenomics.Amount
	for k := range b.lots {
		l := &b.lots[k]
		if k > 0 && l.id <= b.lots[k-1].id || k > 0 && l.bondedAt < b.lots[k-1].bondedAt {
			return broken("bond %q has lots out of order", id)
		}
		if err := p.auditLot(i, l, t); err != nil {
			return err
		}
		if l.state == LotActive || l.state == LotWaiting {
			if l.offer == noOffer {
				own += l.balance
			} else {
				co += l.balance
			}
		}
	}
	t.books.Accrued += b.ownerEarned
	t.books.Rewards += b.rewarded
	t.open += len(b.open)
	if b.inGrace(p.now) {
		t.deadlines++
	}
	switch {
	case own != b.ownerStake || co != b.coStake:
		return broken("bond %q: owner %s, co-stakers %s; the lots say %s, %s", id, b.ownerStake, b.coStake, own, co)
	case uint64(len(b.lots)) > uint64(p.params.MaxLotsPerBond):
		return broken("bond %q has %d lots, the limit is %d", id, len(b.lots), p.params.MaxLotsPerBond)
	case b.rewarded > 0 && b.lastEpoch == 0:
		return broken("bond %q earned %s in no epoch", id, b.rewarded)
	case b.terminated() && (len(b.open) > 0 || b.hires > 0):
		return broken("bond %q is terminated, with %d offers and %d hires", id, len(b.open), b.hires)
	}
	if err := p.auditEpochs(b); err != nil {
		return err
	}
	if sold := p.soldBps(b); sold > fullBps {
		return broken("bond %q gives %d bps of its rewards", id, sold)
	}
	return p.auditProofs(i, t)
}

// auditEpochs checks that nothing of a bond lies in the future.
func (p *Pool) auditEpochs(b *bond) error {
	if p.now == noInstant {
		return nil
	}
	now := noEpoch // beyond the calendar
	if e, err := p.params.epochAt(p.now); err == nil {
		now = e
	}
	switch {
	case b.lastEpoch > 0 && b.lastEpoch >= now:
		return broken("bond %q was rewarded for epoch %d at %s", string(b.id), b.lastEpoch, p.now)
	case b.changed > now || b.terminated() && b.end > now:
		return broken("bond %q changed in epoch %d, ended in %d, at %s", string(b.id), b.changed, b.end, p.now)
	}
	return nil
}

func (p *Pool) auditLot(bond uint32, l *lot, t *tally) error {
	b := &p.bonds[bond]
	from, err := p.params.epochAt(l.bondedAt)
	switch {
	case l.balance == 0 && l.cases == 0:
		return broken("lot %d is empty", l.id)
	case l.id > p.lastLot || l.lost > l.bonded || l.balance > l.bonded-l.lost:
		return broken("lot %d of %d: %s of %s, lost %s", l.id, p.lastLot, l.balance, l.bonded, l.lost)
	case l.bondedAt > p.now || err != nil || l.from != from+1:
		return broken("lot %d of %s counts from epoch %d, not %d", l.id, l.bondedAt, l.from, from+1)
	case l.state < LotActive || l.state > LotMatured:
		return broken("lot %d is in %s", l.id, l.state)
	case (l.state == LotActive || l.state == LotWaiting) != (l.countsUntil == noEpoch):
		return broken("lot %d is %s and counts until epoch %d", l.id, l.state, l.countsUntil)
	case (l.state == LotActive) != (l.earnsUntil == noEpoch) || l.earnsUntil > l.countsUntil:
		return broken("lot %d is %s and earns until epoch %d", l.id, l.state, l.earnsUntil)
	case (l.state == LotActive) != (l.until == noInstant), l.state != LotActive && (l.until > p.now) == (l.state == LotMatured):
		return broken("lot %d is %s until %s", l.id, l.state, l.until)
	}
	if l.state == LotWaiting || l.state == LotCooling {
		t.deadlines++
		if _, err := p.params.epochAt(l.until); err != nil && l.state == LotWaiting {
			return broken("lot %d is %s until %s", l.id, l.state, l.until)
		}
	}
	h := &t.holders[l.holder]
	h.bonded += l.balance
	t.books.Bonded += l.balance
	if l.offer == noOffer {
		if l.holder != b.owner || l.earning || l.state == LotWaiting || l.pos != (Position{}) {
			return broken("lot %d of bond %q, of %q, is %s without an offer", l.id, string(b.id), string(p.holders[l.holder].id), l.state)
		}
		return nil
	}
	h.claims++
	t.lots[l.offer]++
	t.bonded[l.offer] += l.bonded
	o := &p.offers[l.offer]
	weight := tokenomics.Amount(0)
	if l.earning {
		weight = l.balance
	}
	switch {
	case o.bond != bond || l.holder == b.owner || l.bondedAt < o.posted || l.bondedAt >= o.expires:
		return broken("lot %d of bond %q is no fill of offer %q", l.id, string(b.id), string(o.id))
	case l.pos.Stake() != weight:
		return broken("lot %d has %s and earns for %s", l.id, l.balance, l.pos.Stake())
	case l.earning && !l.earnsIn(b.lastEpoch):
		return broken("lot %d earns in epoch %d", l.id, b.lastEpoch)
	}
	return nil
}

func (p *Pool) auditOffer(i uint32, t *tally) error {
	o := &p.offers[i]
	id := string(o.id)
	if j, ok := p.offerIndex[o.id]; !ok || j != i {
		return broken("offer %q is not indexed", id)
	}
	b := &p.bonds[o.bond]
	whole, most := o.filled == o.amount, o.fills == o.maxFills
	switch {
	case o.amount < p.params.MinFill || o.minFill < p.params.MinFill || o.minFill > o.amount:
		return broken("offer %q is for %s, fills from %s, the minimum is %s", id, o.amount, o.minFill, p.params.MinFill)
	case o.shareBps < p.params.MinRewardShareBps || o.shareBps > fullBps:
		return broken("offer %q gives %d bps", id, o.shareBps)
	case o.filled > o.amount || o.fills > o.maxFills || o.maxFills > p.params.MaxFills || (o.fills == 0) != (o.filled == 0):
		return broken("offer %q has %d of %d fills, %s of %s", id, o.fills, o.maxFills, o.filled, o.amount)
	case o.expires <= o.posted || o.posted > p.now || o.state == StateOpen && o.expires <= p.now || o.lock < 0 || o.lock > p.params.MaxLock:
		return broken("offer %q, posted %s, expires %s, locks for %s", id, o.posted, o.expires, o.lock)
	case o.state < StateOpen || o.state > StateExhausted,
		(o.state == StateFilled) != whole, (o.state == StateExhausted) != (most && !whole):
		return broken("offer %q is %s, %d of %d fills, %s of %s", id, o.state, o.fills, o.maxFills, o.filled, o.amount)
	case (o.state == StateOpen) != slices.Contains(b.open, i):
		return broken("offer %q is %s, and among the open ones of its bond: %t", id, o.state, slices.Contains(b.open, i))
	case uint64(o.withdrawn)+uint64(t.lots[i]) != uint64(o.fills) || t.bonded[i] > o.filled:
		return broken("offer %q has %d fills, %d withdrawn and %d lots, %s of %s", id, o.fills, o.withdrawn, t.lots[i], t.bonded[i], o.filled)
	}
	if o.state == StateOpen {
		t.open--
		t.deadlines++
	}
	if uint64(t.rewards[i]) > o.acc.out {
		return broken("cases took %s of the rewards of offer %q, which gave %s", t.rewards[i], id, tokenomics.Amount(o.acc.out))
	}
	t.books.Accrued += o.acc.Held()
	return o.acc.Audit(b.positions(i))
}

// positions returns the positions of an offer's fills.
func (b *bond) positions(offer uint32) iter.Seq[Position] {
	return func(yield func(Position) bool) {
		for i := range b.lots {
			if l := &b.lots[i]; l.offer == offer && !yield(l.pos) {
				return
			}
		}
	}
}

func (p *Pool) auditProofs(bond uint32, t *tally) error {
	b := &p.bonds[bond]
	cases := uint32(0)
	var held map[LotID]part // what open cases took; holder: how many they are
	for k, f := range b.proofs {
		id := string(f.id)
		rule, ok := p.params.slashRule(f.kind)
		switch {
		case p.proofs[f.id] != f || f.bond != bond:
			return broken("evidence %q is not indexed", id)
		case k > 0 && f.number <= b.proofs[k-1].number || f.number > p.lastProof || f.number == 0:
			return broken("evidence %q has number %d of %d", id, f.number, p.lastProof)
		case !ok || f.at > p.now || f.share > fullBps || f.bps > f.share || f.forgotten && f.open == nil:
			return broken("evidence %q of %q at %s, forgotten: %t", id, string(f.kind), f.at, f.forgotten)
		case f.forgotten != (p.params.memory(rule, f.at) <= p.now):
			return broken("evidence %q of %s, forgotten: %t", id, f.at, f.forgotten)
		}
		t.proofs++
		if !f.forgotten {
			t.deadlines++
		}
		if f.open == nil {
			continue
		}
		cases++
		if !f.open.appealed {
			t.deadlines++
		}
		if held == nil {
			held = map[LotID]part{}
		}
		if err := p.auditCase(b, f, t, held); err != nil {
			return err
		}
		t.books.Escrow += f.open.taken
	}
	if cases != b.cases {
		return broken("bond %q has %d cases, its evidence says %d", string(b.id), b.cases, cases)
	}
	for i := range b.lots {
		if l := &b.lots[i]; l.cases != held[l.id].holder || l.lost < held[l.id].stake {
			return broken("lot %d is held by %d cases and lost %s; they say %d and %s", l.id, l.cases, l.lost, held[l.id].holder, held[l.id].stake)
		}
	}
	return nil
}

func (p *Pool) auditCase(b *bond, f *proof, t *tally, held map[LotID]part) error {
	c := f.open
	var taken tokenomics.Amount
	for i, x := range c.parts {
		taken += x.stake + x.rewards
		t.holders[x.holder].slashed += x.stake + x.rewards
		h := held[x.lot]
		h.holder++
		h.stake += x.stake
		held[x.lot] = h
		if l := b.findLot(x.lot); l != nil && l.offer != noOffer {
			t.rewards[l.offer] += x.rewards
		}
		outOfOrder := i > 0 && x.lot <= c.parts[i-1].lot || x.lot > p.lastLot
		if outOfOrder || x.stake+x.rewards == 0 || !x.fits(b) {
			return broken("case %q took %s and %s of lot %d, %s of holder %d", string(f.id), x.stake, x.rewards, x.lot, x.role, x.holder)
		}
	}
	if due, err := c.basis.MulDiv(uint64(c.bps), fullBps, tokenomics.Up); err != nil || due != c.due {
		return broken("case %q: %s due, not %s (%v)", string(f.id), c.due, due, err)
	}
	for _, who := range []HolderID{c.renter, c.reporter} {
		if len(who) > longestID {
			return broken("case %q names somebody of %d bytes", string(f.id), len(who))
		}
	}
	switch {
	case taken != c.taken || c.taken > c.due || c.due > c.basis:
		return broken("case %q: %s of %s due of %s, its parts say %s", string(f.id), c.taken, c.due, c.basis, taken)
	case f.bps != c.bps:
		return broken("case %q at %d bps counts for %d", string(f.id), c.bps, f.bps)
	case !c.appealed && c.deadline <= p.now:
		return broken("case %q ended at %s", string(f.id), c.deadline)
	}
	return nil
}

// fits reports whether a part is one that a case against the bond can have taken. The owner's rewards belong to no lot, and
// the owner's lots have none.
func (x part) fits(b *bond) bool {
	if x.role == Owner && (x.holder != b.owner || x.lot == 0 && x.stake > 0 || x.lot != 0 && x.rewards > 0) {
		return false
	}
	if l := b.findLot(x.lot); l != nil {
		return l.holder == x.holder && l.role() == x.role
	}
	return x.role == Owner || x.role == CoStaker && x.lot != 0
}
