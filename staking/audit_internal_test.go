package staking

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// damage changes one field of the sample. The audit says so with the text. Where the text is empty it says nothing: the
// field is a fact that nothing else in the state repeats, as when a grace ends, and only the digest protects it.
type damage struct {
	field string // type and name, and what is done to it if there are several
	do    func(*Pool)
	text  string
}

func damages() []damage {
	return slices.Concat(
		damagedPool(), damagedHolders(), damagedBonds(), damagedLots(), damagedAccumulators(), damagedOffers(),
		damagedProofs(), damagedCases(), damagedBooks(),
	)
}

func damagedPool() []damage {
	return []damage{
		{"Pool.now, earlier", func(p *Pool) { p.now -= instant(100 * time.Hour) }, `bond "a100" was rewarded for epoch 435 at`},
		{"Pool.now, later", func(p *Pool) { p.now += instant(1_000 * time.Hour) }, "lot 5 is waiting until 2024-07-09T07:00:00Z"},
		{"Pool.params", func(p *Pool) { p.params.BaseStake += 100 }, `bond "a100" requires 1006, by its parameters`},
		{"Pool.holders", func(p *Pool) { p.holders = append(p.holders, holder{id: "zoe", leader: 9, next: 9}) }, `holder "zoe" is not indexed`},
		{"Pool.holderIndex", func(p *Pool) { p.holderIndex["sam"] = 1 }, `holder "sam" is not indexed`},
		{"Pool.holderIndex, more", func(p *Pool) { p.holderIndex["zoe"] = 1 }, "an index names more than there is"},
		{"Pool.bonds", func(p *Pool) { p.bonds = p.bonds[:3] }, "an index names more than there is"},
		{"Pool.bondIndex", func(p *Pool) { p.bondIndex["a100"] = 1 }, `bond "a100" is not indexed`},
		{"Pool.bondIndex, more", func(p *Pool) { p.bondIndex["z"] = 1 }, "an index names more than there is"},
		{"Pool.offers", func(p *Pool) { p.offers = append(p.offers, p.offers[4]) }, `offer "open" is not indexed`},
		{"Pool.offerIndex", func(p *Pool) { p.offerIndex["open"] = 1 }, `offer "open" is not indexed`},
		{"Pool.offerIndex, more", func(p *Pool) { p.offerIndex["z"] = 1 }, "an index names more than there is"},
		{"Pool.proofs", func(p *Pool) { delete(p.proofs, "lost") }, `evidence "lost" is not indexed`},
		{"Pool.proofs, more", func(p *Pool) { p.proofs["z"] = p.proofs["lost"] }, "an index names more than there is"},
		{"Pool.lastLot", func(p *Pool) { p.lastLot = 7 }, "lot 8 of 7: 200 of 200, lost 0"},
		{"Pool.lastProof", func(p *Pool) { p.lastProof = 4 }, `evidence "appealed" has number 5 of 4`},
		{"Pool.books", func(p *Pool) { p.books = Books{} }, "paid 0, released 0, slashed 0; the holders say 0.0000007,"},
		{"Pool.timers", func(p *Pool) { p.setTimer(timer{at: p.now - 1, kind: timerExpiry, number: 4, bond: 0}) }, "11 timers for 10 deadlines"},
	}
}

func damagedHolders() []damage {
	hold := func(i int, f func(*holder)) func(*Pool) { return func(p *Pool) { f(&p.holders[i]) } }
	return []damage{
		{"holder.id", hold(0, func(h *holder) { h.id = "zoe" }), `holder "zoe" is not indexed`},
		{"holder.bonded", hold(0, func(h *holder) { h.bonded++ }), `holder "sam": bonded 1884.11734702, 0 claims, slashed 115.89021144; lots`},
		{"holder.paid", hold(0, func(h *holder) { h.paid++ }), "paid 0.0000007, released 0, slashed 115.8926723; the"},
		{"holder.released", hold(0, func(h *holder) { h.released++ }), "paid 0.0000007, released 0, slashed 115.8926723; the"},
		{"holder.slashed", hold(0, func(h *holder) { h.slashed++ }), "paid 0.0000007, released 0, slashed 115.8926723; the"},
		{"holder.claims", hold(0, func(h *holder) { h.claims++ }), `holder "sam": bonded 1884.11734701, 1 claims, slashed 115.89021144; lots`},
		{"holder.leader", hold(3, func(h *holder) { h.leader = 3 }), `holder "amy" is in the ring of "ann"`},
		{"holder.leader, a member's", hold(3, func(h *holder) { h.leader = 4 }), `holder "amy" is led by "abe"`},
		{"holder.leader, another's", hold(3, func(h *holder) { h.leader = 0 }), `holder "sam" is in the ring of "sam", of 2 wallets`},
		{"holder.next", hold(3, func(h *holder) { h.next = 3 }), `holder "amy" is in the ring of "ann"`},
		{"holder.next, another", hold(3, func(h *holder) { h.next = 0 }), `holder "sam" is in the ring of "ann"`},
		{"holder.all", hold(2, func(h *holder) { h.all++ }), `cluster of "ann" has 2 claims, its wallets 1`},
		{"holder.all, a member's", hold(3, func(h *holder) { h.all++ }), `holder "amy" is led by "ann"`},
	}
}

func damagedBonds() []damage {
	a100 := func(f func(*bond)) func(*Pool) { return func(p *Pool) { f(&p.bonds[0]) } }
	return []damage{
		{"bond.id", a100(func(b *bond) { b.id = "z" }), `bond "z" is not indexed`},
		{"bond.owner", a100(func(b *bond) { b.owner = 1 }), `lot 1 of bond "a100", of "sam", is active without an offer`},
		{"bond.multiplier", a100(func(b *bond) { b.multiplier++ }), `bond "a100" requires 1006, by its parameters 1008 (<nil>)`},
		{"bond.gpus", a100(func(b *bond) { b.gpus++ }), `bond "a100" requires 1006, by its parameters 2012 (<nil>)`},
		{"bond.required", a100(func(b *bond) { b.required++ }), `bond "a100" requires 1006.00000001, by its parameters`},
		{"bond.changed", a100(func(b *bond) { b.changed = 438 }), `bond "a100" changed in epoch 438, ended in 4294967295, at`},
		{"bond.changed, earlier", a100(func(b *bond) { b.changed-- }), ""},
		{"bond.prior", a100(func(b *bond) { b.prior++ }), ""},
		{"bond.graceMultiplier", a100(func(b *bond) { b.graceMultiplier++ }), ""},
		{"bond.graceUntil", a100(func(b *bond) { b.graceUntil++ }), "timers for 10 deadlines"},
		{"bond.held", a100(func(b *bond) { b.held++ }), ""},
		{"bond.heldUntil", a100(func(b *bond) { b.heldUntil++ }), ""},
		{"bond.ownerStake", a100(func(b *bond) { b.ownerStake++ }), `bond "a100": owner 1884.11734702, co-stakers 360; the`},
		{"bond.coStake", a100(func(b *bond) { b.coStake++ }), `bond "a100": owner 1884.11734701, co-stakers`},
		{"bond.ownerEarned", a100(func(b *bond) { b.ownerEarned++ }), "books: bonded 2644.11734701, accrued 0.00000008, escrow"},
		{"bond.rewarded", a100(func(b *bond) { b.rewarded++ }), "books: bonded 2644.11734701, accrued 0.00000008, escrow"},
		{"bond.lastEpoch", a100(func(b *bond) { b.lastEpoch = 437 }), `bond "a100" was rewarded for epoch 437 at`},
		{"bond.lastEpoch, none", a100(func(b *bond) { b.lastEpoch = 0 }), "lot 4 earns in epoch 0"},
		{"bond.lastEpoch, earlier", a100(func(b *bond) { b.lastEpoch-- }), ""},
		{"bond.end", a100(func(b *bond) { b.end = 430 }), `bond "a100" is terminated, with 1 offers and 1 hires`},
		{"bond.end, later", func(p *Pool) { p.bonds[2].end = 438 }, `bond "gone" changed in epoch 0, ended in 438, at`},
		{"bond.end, earlier", func(p *Pool) { p.bonds[2].end-- }, ""},
		{"bond.hires", a100(func(b *bond) { b.hires++ }), ""},
		{"bond.hires, terminated", func(p *Pool) { p.bonds[2].hires++ }, `bond "gone" is terminated, with 0 offers and 1 hires`},
		{"bond.cases", a100(func(b *bond) { b.cases++ }), `bond "a100" has 4 cases, its evidence says 3`},
		{"bond.payments", a100(func(b *bond) { b.payments++ }), ""},
		{"bond.lots", a100(func(b *bond) { b.lots[0], b.lots[1] = b.lots[1], b.lots[0] }), `bond "a100" has lots out of order`},
		{"bond.lots, one less", a100(func(b *bond) { b.lots = b.lots[1:] }), `bond "a100": owner 1884.11734701, co-stakers 360; the`},
		{"bond.open", a100(func(b *bond) { b.open = nil }), `offer "open" is open, and among the open ones of its`},
		{"bond.open, one more", a100(func(b *bond) { b.open = append(b.open, 0) }), `offer "closed" is closed, and among the open ones of its`},
		{"bond.proofs", a100(func(b *bond) { b.proofs = b.proofs[:4] }), `bond "a100" has 3 cases, its evidence says 2`},
		{"bond.proofs, out of order", a100(func(b *bond) { b.proofs[1], b.proofs[2] = b.proofs[2], b.proofs[1] }), `evidence "lost" has number 2 of 5`},
	}
}

func damagedLots() []damage {
	lotOf := func(i int, f func(*lot)) func(*Pool) { return func(p *Pool) { f(&p.bonds[0].lots[i]) } }
	return []damage{
		{"lot.id", lotOf(5, func(l *lot) { l.id = 9 }), "lot 9 of 8: 10 of 10, lost 0"},
		{"lot.balance", lotOf(0, func(l *lot) { l.balance++ }), "lot 1 of 8: 1507.29387762 of 1600, lost 92.70612239"},
		{"lot.bonded", lotOf(0, func(l *lot) { l.bonded-- }), "lot 1 of 8: 1507.29387761 of 1599.99999999, lost"},
		{"lot.bonded, more", lotOf(0, func(l *lot) { l.bonded++ }), ""},
		{"lot.bonded, a fill's", lotOf(5, func(l *lot) { l.bonded++ }), `offer "open" has 1 fills, 0 withdrawn and 1 lots,`},
		{"lot.lost", lotOf(0, func(l *lot) { l.lost++ }), "lot 1 of 8: 1507.29387761 of 1600, lost 92.7061224"},
		{"lot.bondedAt", lotOf(1, func(l *lot) { l.bondedAt-- }), `bond "a100" has lots out of order`},
		{"lot.bondedAt, within the epoch", lotOf(1, func(l *lot) { l.bondedAt++ }), ""},
		{"lot.bondedAt, another epoch", lotOf(0, func(l *lot) { l.bondedAt-- }), "lot 1 of 2024-06-19T18:59:59.999999999Z counts from epoch"},
		{"lot.until", lotOf(3, func(l *lot) { l.until = noInstant }), "lot 5 is waiting until 0001-01-01T00:00:00Z"},
		{"lot.until, a little", lotOf(3, func(l *lot) { l.until++ }), "9 timers for 10 deadlines"},
		{"lot.until, active", lotOf(0, func(l *lot) { l.until = 1 }), "lot 1 is active until 1970-01-01T00:00:00.000000001Z"},
		{"lot.until, matured", func(p *Pool) { p.bonds[1].lots[0].until = p.now + 1 }, "lot 3 is matured until 2024-07-03T20:00:00.000000001Z"},
		{"lot.pos", lotOf(2, func(l *lot) { l.pos = Position{} }), "lot 4 has 100 and earns for 0"},
		{"lot.pos, an owner's", lotOf(0, func(l *lot) { l.pos.pending++ }), `lot 1 of bond "a100", of "sam", is active without an offer`},
		{"lot.holder", lotOf(0, func(l *lot) { l.holder = 1 }), `lot 1 of bond "a100", of "eve", is active without an offer`},
		{"lot.holder, a fill's", lotOf(2, func(l *lot) { l.holder = 0 }), `lot 4 of bond "a100" is no fill of offer "exhausted"`},
		{"lot.offer", lotOf(2, func(l *lot) { l.offer = 3 }), `offer "exhausted" has 2 fills, 0 withdrawn and 1 lots,`},
		{"lot.offer, of another bond", func(p *Pool) { p.offers[3].bond = 1 }, `lot 6 of bond "a100" is no fill of offer "filled"`},
		{"lot.from", lotOf(0, func(l *lot) { l.from-- }), "lot 1 of 2024-06-19T19:00:00Z counts from epoch 100, not"},
		{"lot.earnsUntil", lotOf(0, func(l *lot) { l.earnsUntil = 430 }), "lot 1 is active and earns until epoch 430"},
		{"lot.earnsUntil, waiting", lotOf(3, func(l *lot) { l.earnsUntil-- }), ""},
		{"lot.countsUntil", lotOf(0, func(l *lot) { l.countsUntil = 430 }), "lot 1 is active and counts until epoch 430"},
		{"lot.countsUntil, matured", func(p *Pool) { p.bonds[1].lots[0].countsUntil++ }, ""},
		{"lot.lost, less than the cases took", lotOf(0, func(l *lot) { l.lost = 0 }), "lot 1 is held by 3 cases and lost 0"},
		{"lot.cases", lotOf(0, func(l *lot) { l.cases++ }), "lot 1 is held by 4 cases and lost"},
		{"lot.state", lotOf(0, func(l *lot) { l.state = LotWaiting }), "lot 1 is waiting and earns until epoch 4294967295"},
		{"lot.state, unknown", lotOf(0, func(l *lot) { l.state = 5 }), "lot 1 is in state(5)"},
		{"lot.state, an active fill's", lotOf(2, func(l *lot) { l.state = LotWaiting }), "lot 4 is waiting and earns until epoch 4294967295"},
		{"lot.earning", lotOf(2, func(l *lot) { l.earning = false }), "lot 4 has 100 and earns for 100"},
		{"lot.earning, too long", lotOf(3, func(l *lot) { l.earning = true; l.pos.shares = uint64(l.balance) }), "lot 5 earns in epoch 435"},
	}
}

func damagedAccumulators() []damage {
	lotOf := func(i int, f func(*lot)) func(*Pool) { return func(p *Pool) { f(&p.bonds[0].lots[i]) } }
	off := func(i int, f func(*offer)) func(*Pool) { return func(p *Pool) { f(&p.offers[i]) } }
	return []damage{
		{"Position.shares", lotOf(2, func(l *lot) { l.pos.shares++ }), "lot 4 has 100 and earns for 100.00000001"},
		{"Position.accHi", lotOf(2, func(l *lot) { l.pos.accHi-- }), "0.00166999 came in and 0.00166998 went out, but positions"},
		{"Position.accLo", lotOf(2, func(l *lot) { l.pos.accLo-- }), "0.00166999 came in and 0.00166998 went out, but positions"},
		{"Position.frac", lotOf(2, func(l *lot) { l.pos.frac++ }), "0.00166999 came in and 0.00166998 went out, but positions"},
		{"Position.pending", lotOf(2, func(l *lot) { l.pos.pending++ }), "0.00166999 came in and 0.00166998 went out, but positions"},
		{"Accumulator.total", off(2, func(o *offer) { o.acc.total++ }), "accumulated stake is 100.00000001, that of its positions"},
		{"Accumulator.accHi", off(2, func(o *offer) { o.acc.accHi++ }), "0.00166999 came in and 0.00166998 went out, but positions"},
		{"Accumulator.accLo", off(2, func(o *offer) { o.acc.accLo++ }), "0.00166999 came in and 0.00166998 went out, but positions"},
		{"Accumulator.carry", off(2, func(o *offer) { o.acc.carry++ }), "0.00166999 came in and 0.00166998 went out, but positions"},
		{"Accumulator.carry, the stake", off(2, func(o *offer) { o.acc.carry = o.acc.total }), "the carry 10000000000 is not below the stake"},
		{"Accumulator.in", off(2, func(o *offer) { o.acc.in++ }), "0.00167 came in and 0.00166998 went out, but positions"},
		{"Accumulator.out", off(2, func(o *offer) { o.acc.out++ }), "0.00166999 came in and 0.00166999 went out, but positions"},
		{"Accumulator.out, both", off(2, func(o *offer) { o.acc.in++; o.acc.out++ }), ""},
	}
}

func damagedOffers() []damage {
	off := func(i int, f func(*offer)) func(*Pool) { return func(p *Pool) { f(&p.offers[i]) } }
	return []damage{
		{"offer.id", off(0, func(o *offer) { o.id = "z" }), `offer "z" is not indexed`},
		{"offer.bond", off(0, func(o *offer) { o.bond = 1 }), ""},
		{"offer.shareBps", off(0, func(o *offer) { o.shareBps = 499 }), `offer "closed" gives 499 bps`},
		{"offer.shareBps, all", off(4, func(o *offer) { o.shareBps = 9_000 }), `bond "a100" gives 11700 bps of its rewards`},
		{"offer.shareBps, a little", off(4, func(o *offer) { o.shareBps++ }), ""},
		{"offer.amount", off(3, func(o *offer) { o.amount++ }), `offer "filled" is filled, 1 of 2 fills, 100 of`},
		{"offer.amount, of a rest", off(4, func(o *offer) { o.amount++ }), ""},
		{"offer.minFill", off(4, func(o *offer) { o.minFill = o.amount + 1 }), `offer "open" is for 100, fills from 100.00000001, the`},
		{"offer.minFill, a little", off(4, func(o *offer) { o.minFill++ }), ""},
		{"offer.filled", off(4, func(o *offer) { o.filled-- }), `offer "open" has 1 fills, 0 withdrawn and 1 lots, 10 of`},
		{"offer.posted", off(4, func(o *offer) { o.posted = o.expires }), `lot 7 of bond "a100" is no fill of offer "open"`},
		{"offer.posted, earlier", off(4, func(o *offer) { o.posted-- }), ""},
		{"offer.posted, later than a fill", off(4, func(o *offer) { o.posted++ }), `lot 7 of bond "a100" is no fill of offer "open"`},
		{"offer.expires", off(0, func(o *offer) { o.expires = o.posted }), `offer "closed", posted 2024-06-19T19:00:00Z, expires`},
		{"offer.expires, later", off(0, func(o *offer) { o.expires++ }), ""},
		{"offer.lock", off(4, func(o *offer) { o.lock = -1 }), `offer "open", posted 2024-06-19T20:00:00Z, expires`},
		{"offer.lock, too long", off(4, func(o *offer) { o.lock = 366 * 24 * time.Hour }), `offer "open", posted 2024-06-19T20:00:00Z, expires`},
		{"offer.lock, longer", off(4, func(o *offer) { o.lock++ }), ""},
		{"offer.maxFills", off(4, func(o *offer) { o.maxFills = 3 }), `offer "open" has 1 of 3 fills, 10 of 100`},
		{"offer.maxFills, less", off(4, func(o *offer) { o.maxFills = 1 }), `offer "open" is open, 1 of 1 fills, 10 of 100`},
		{"offer.fills", off(4, func(o *offer) { o.fills = 0 }), `offer "open" has 0 of 2 fills, 10 of 100`},
		{"offer.fills, more", off(4, func(o *offer) { o.fills++ }), `offer "open" is open, 2 of 2 fills, 10 of 100`},
		{"offer.withdrawn", off(4, func(o *offer) { o.withdrawn++ }), `offer "open" has 1 fills, 1 withdrawn and 1 lots, 10 of 10`},
		{"offer.state", off(4, func(o *offer) { o.state = StateClosed }), `offer "open" is closed, and among the open ones of its`},
		{"offer.state, unknown", off(0, func(o *offer) { o.state = 6 }), `offer "closed" is state(6), 0 of 2 fills, 0 of 100`},
		{"offer.state, open again", off(0, func(o *offer) { o.state = StateOpen }), `offer "closed", posted 2024-06-19T19:00:00Z, expires 2024-06-23T23:00:00Z`},
		{"offer.state, another end", off(0, func(o *offer) { o.state = StateExpired }), ""},
		{"offer.state, filled", off(2, func(o *offer) { o.state = StateFilled }), `offer "exhausted" is filled, 2 of 2 fills, 250 of 300`},
		{"offer.acc", off(2, func(o *offer) { o.acc = Accumulator{} }), `cases took 0.00000165 of the rewards of offer "exhausted", which gave 0`},
	}
}

func damagedProofs() []damage {
	proofOf := func(id EvidenceID, f func(*proof)) func(*Pool) { return func(p *Pool) { f(p.proofs[id]) } }
	return []damage{
		{"proof.id", proofOf("open", func(f *proof) { f.id = "z" }), `evidence "z" is not indexed`},
		{"proof.number", proofOf("appealed", func(f *proof) { f.number = 6 }), `evidence "appealed" has number 6 of 5`},
		{"proof.number, none", proofOf("old", func(f *proof) { f.number = 0 }), `evidence "old" has number 0 of 5`},
		{"proof.bond", proofOf("open", func(f *proof) { f.bond = 1 }), `evidence "open" is not indexed`},
		{"proof.kind", proofOf("open", func(f *proof) { f.kind = "z" }), `evidence "open" of "z" at 2024-07-03T14:00:00Z,`},
		{"proof.kind, another", proofOf("open", func(f *proof) { f.kind = MissedProof }), ""},
		{"proof.at", proofOf("open", func(f *proof) { f.at = 0 }), `evidence "open" of 1970-01-01T00:00:00Z, forgotten: false`},
		{"proof.at, to come", proofOf("open", func(f *proof) { f.at = instant(1 << 62) }), `evidence "open" of "utilisation over threshold" at`},
		{"proof.at, a little", proofOf("open", func(f *proof) { f.at++ }), ""},
		{"proof.share", proofOf("open", func(f *proof) { f.share-- }), `evidence "open" of "utilisation over threshold" at`},
		{"proof.share, more", proofOf("open", func(f *proof) { f.share++ }), ""},
		{"proof.share, too much", proofOf("open", func(f *proof) { f.share = 10_001 }), `evidence "open" of "utilisation over threshold" at`},
		{"proof.bps", proofOf("open", func(f *proof) { f.bps-- }), `case "open" at 100 bps counts for 99`},
		{"proof.bps, final", proofOf("lost", func(f *proof) { f.bps = 10_001 }), `evidence "lost" of "missed proof" at`},
		{"proof.bps, final, a little", proofOf("lost", func(f *proof) { f.bps-- }), ""},
		{"proof.forgotten", proofOf("open", func(f *proof) { f.forgotten = true }), `evidence "open" of 2024-07-03T14:00:00Z, forgotten: true`},
		{"proof.forgotten, not", proofOf("old", func(f *proof) { f.forgotten = false }), `evidence "old" of 2024-06-20T05:00:00Z, forgotten: false`},
		{"proof.forgotten, final", proofOf("lost", func(f *proof) { f.forgotten = true }), `evidence "lost" of "missed proof" at`},
		{"proof.open", proofOf("open", func(f *proof) { f.open = nil }), `bond "a100" has 3 cases, its evidence says 2`},
	}
}

func damagedCases() []damage {
	long := HolderID(strings.Repeat("x", 129))
	caseOf := func(id EvidenceID, f func(*slashCase)) func(*Pool) { return func(p *Pool) { f(p.proofs[id].open) } }
	return []damage{
		{"slashCase.basis", caseOf("open", func(c *slashCase) { c.basis = 1 }), `case "open": 22.8968202 due, not 0.00000001`},
		{"slashCase.basis, a little", caseOf("open", func(c *slashCase) { c.basis++ }), ""},
		{"slashCase.bps", caseOf("open", func(c *slashCase) { c.bps++ }), `case "open": 22.8968202 due, not 23.1257884`},
		{"slashCase.due", caseOf("open", func(c *slashCase) { c.due-- }), `case "open": 22.89682019 due, not 22.8968202`},
		{"slashCase.taken", caseOf("open", func(c *slashCase) { c.taken++ }), `case "open": 22.89682021 of 22.8968202 due of`},
		{"slashCase.deadline", caseOf("open", func(c *slashCase) { c.deadline = 0 }), `case "open" ended at 1970-01-01T00:00:00Z`},
		{"slashCase.deadline, later", caseOf("open", func(c *slashCase) { c.deadline++ }), ""},
		{"slashCase.appealed", caseOf("open", func(c *slashCase) { c.appealed = true }), ""},
		{"slashCase.renter", caseOf("open", func(c *slashCase) { c.renter = long }), `case "open" names somebody of 129 bytes`},
		{"slashCase.renter, another", caseOf("open", func(c *slashCase) { c.renter = "zoe" }), ""},
		{"slashCase.reporter", caseOf("open", func(c *slashCase) { c.reporter = long }), `case "open" names somebody of 129 bytes`},
		{"slashCase.reporter, another", caseOf("open", func(c *slashCase) { c.reporter = "" }), ""},
		{"slashCase.parts", caseOf("open", func(c *slashCase) { c.parts = c.parts[1:] }), `case "open": 22.8968202 of 22.8968202 due of`},
		{"part.lot", caseOf("open", func(c *slashCase) { c.parts[1].lot = 4 }), `case "open" took 4.57936404 and 0 of lot 4, owner of holder 0`},
		{"part.lot, to come", caseOf("open", func(c *slashCase) { c.parts[1].lot = 99 }), `case "open" took 4.57936404 and 0 of lot 99, owner`},
		{"part.holder", caseOf("open", func(c *slashCase) { c.parts[1].holder = 1 }), `case "open" took 4.57936404 and 0 of lot 2, owner of holder 1`},
		{"part.role", caseOf("open", func(c *slashCase) { c.parts[1].role = 3 }), `case "open" took 4.57936404 and 0 of lot 2, role(3)`},
		{"part.stake", caseOf("open", func(c *slashCase) { c.parts[1].stake++ }), `case "open": 22.8968202 of 22.8968202 due of`},
		{"part.stake, from a neighbour", caseOf("open", func(c *slashCase) { c.parts[1].stake--; c.parts[0].stake++ }), ""},
		{"part.rewards", caseOf("old", func(c *slashCase) { c.parts[0].rewards++ }), `case "old": 47.2 of 47.2 due of 2360, its parts say`},
		{"part.rewards, and stake", caseOf("old", func(c *slashCase) { c.parts[0].rewards--; c.parts[0].stake++ }), "0.00000755 of lot 0, owner"},
	}
}

func damagedBooks() []damage {
	books := func(f func(*Books) *tokenomics.Amount) func(*Pool) { return func(p *Pool) { *f(&p.books)++ } }
	return []damage{
		{"Books.Deposits", books(func(b *Books) *tokenomics.Amount { return &b.Deposits }), "deposits and 0.01002009 rewards came in"},
		{"Books.Rewards", books(func(b *Books) *tokenomics.Amount { return &b.Rewards }), "rewards 0.0100201; the bonds say"},
		{"Books.Bonded", books(func(b *Books) *tokenomics.Amount { return &b.Bonded }), "bonded 2644.11734702, accrued"},
		{"Books.Accrued", books(func(b *Books) *tokenomics.Amount { return &b.Accrued }), "accrued 0.00000009, escrow"},
		{"Books.Escrow", books(func(b *Books) *tokenomics.Amount { return &b.Escrow }), "slashed 115.89267231; the holders say"},
		{"Books.Released", books(func(b *Books) *tokenomics.Amount { return &b.Released }), "released 0.00000001, slashed"},
		{"Books.Paid", books(func(b *Books) *tokenomics.Amount { return &b.Paid }), "paid 0.00000071, released"},
		{"Books.Burned", books(func(b *Books) *tokenomics.Amount { return &b.Burned }), "slashed 115.89267231; the holders say"},
		{"Books.Compensated", books(func(b *Books) *tokenomics.Amount { return &b.Compensated }), "slashed 115.89267231; the holders say"},
	}
}

// Every invariant that the audit states is broken once, and the audit says so.
func TestAuditNotices(t *testing.T) {
	for _, d := range damages() {
		t.Run(d.field, func(t *testing.T) {
			p := Sample(t)
			d.do(p)
			err := p.Audit()
			if d.text == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrAudit)
			require.ErrorContains(t, err, d.text)
		})
	}
}

// No field is left out of the list, but scratch space.
func TestAuditKnowsEveryField(t *testing.T) {
	known := map[string]bool{"Pool.shares": true, "Pool.sweepAt": true, "Pool.weights": true, "Pool.split": true, "holder.owned": true}
	for _, d := range damages() {
		name, _, _ := strings.Cut(d.field, ",")
		known[name] = true
	}
	for _, v := range []any{
		Pool{}, holder{}, bond{}, lot{}, Position{}, offer{}, Accumulator{}, proof{}, slashCase{}, part{}, Books{},
	} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			name := typ.Name() + "." + typ.Field(i).Name
			require.True(t, known[name], "no damage is done to %s", name)
		}
	}
}

// What the snapshot does not keep follows from what it keeps: every other damage changes the digest.
func TestDigestKnowsEveryFact(t *testing.T) {
	before := Sample(t).Digest()
	for _, d := range damages() {
		if d.text == "" {
			p := Sample(t)
			d.do(p)
			require.NotEqual(t, before, p.Digest(), d.field)
		}
	}
}

// What no caller can bring about is a programmer's mistake.
func TestPanics(t *testing.T) {
	require.Panics(t, func() { Params{MaxCoBps: 20_000}.maxCo(^tokenomics.Amount(0)) })
	var from, to tokenomics.Amount = 1, 0
	require.PanicsWithValue(t, "staking: move: 0.00000002 of 0.00000001", func() { move(&from, &to, 2) })
	require.Panics(t, func() { must(ErrAudit) })
}
