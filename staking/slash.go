package staking

import (
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// proof is evidence that was slashed for. It is remembered for as long as a like one could still be brought forward.
type proof struct {
	id        EvidenceID
	number    uint64
	bond      uint32
	kind      Infraction
	at        instant
	share     uint32 // what it adds to the fraction of its hour, in basis points; 0 after an appeal was won
	bps       uint32 // what was charged of that, which counts towards the cap of the kind
	forgotten bool
	open      *slashCase // nil when it is final
}

// slashCase is a slash that is not final.
type slashCase struct {
	basis    tokenomics.Amount
	bps      uint32
	due      tokenomics.Amount
	taken    tokenomics.Amount
	deadline instant
	appealed bool
	renter   HolderID
	reporter HolderID
	parts    []part // the owner's rewards, if any, then by lot
}

// part is what a case took from one lot, or from the owner's rewards.
type part struct {
	lot     LotID // 0 for the owner's rewards
	holder  uint32
	role    Role
	stake   tokenomics.Amount
	rewards tokenomics.Amount
}

// hour numbers the hours of Unix time.
func (t instant) hour() int64 {
	const hour = int64(time.Hour)
	h := int64(t) / hour
	if int64(t)%hour < 0 {
		h--
	}
	return h
}

// memory returns the instant at which a proof can be forgotten: when no infraction of the same hour, nor one within the
// reach of its cap, can be brought forward any more.
func (p Params) memory(r SlashRule, at instant) instant {
	return at.after(p.EvidenceWindow).after(max(time.Hour, r.CapWindow))
}

func (p *Pool) slash(at instant, e Infracted) ([]Effect, error) {
	b, err := p.findBond(e.Bond)
	if err != nil {
		return nil, err
	}
	infracted, err := p.checkEvidence(at, e)
	if err != nil {
		return nil, err
	}
	rule, share, bps, err := p.checkFraction(b, infracted, e)
	if err != nil {
		return nil, err
	}
	var basis tokenomics.Amount
	for i := range b.lots {
		if b.lots[i].liable(infracted) {
			basis += b.lots[i].balance
		}
	}
	if basis == 0 {
		return nil, fmt.Errorf("%w: bonded on %q at %s and not matured", ErrNoStake, string(e.Bond), infracted)
	}
	due, err := basis.MulDiv(uint64(bps), fullBps, tokenomics.Up) // once, on the total: nobody rounds it to nothing
	must(err)

	enough := b.counted() >= b.required
	p.lastProof++
	c := &slashCase{
		basis: basis, bps: bps, due: due, deadline: at.after(p.params.AppealWindow), renter: e.Renter, reporter: e.Reporter,
	}
	c.parts = p.seize(b, infracted, due)
	for _, x := range c.parts {
		c.taken += x.stake + x.rewards
	}
	i := p.bondIndex[b.id]
	f := &proof{id: e.Evidence, number: p.lastProof, bond: i, kind: e.Kind, at: infracted, share: share, bps: bps, open: c}
	p.proofs[e.Evidence] = f
	b.proofs = append(b.proofs, f)
	b.cases++
	p.setTimer(timer{at: c.deadline, kind: timerAppeal, number: f.number, bond: i})
	p.setTimer(timer{at: p.params.memory(rule, infracted), kind: timerForget, number: f.number, bond: i})

	effects := make([]Effect, 0, len(c.parts)+1)
	for _, x := range c.parts {
		effects = append(effects, Slashed{
			Evidence: f.id, Bond: b.id, Holder: p.holders[x.holder].id, Role: x.role, Lot: x.lot, Stake: x.stake, Rewards: x.rewards,
		})
	}
	if enough && !b.terminated() && b.counted() < b.required {
		effects = append(effects, Underbonded{Bond: b.id, Have: b.counted(), Need: b.required, Deadline: at.time()})
	}
	return effects, nil
}

// checkEvidence checks what does not depend on the rule, and returns the instant of the infraction.
func (p *Pool) checkEvidence(at instant, e Infracted) (instant, error) {
	if err := checkID("evidence", string(e.Evidence)); err != nil {
		return 0, err
	}
	for _, who := range []struct{ field, id string }{{"renter", string(e.Renter)}, {"reporter", string(e.Reporter)}} {
		if who.id == "" {
			continue
		}
		if err := checkID(who.field, who.id); err != nil {
			return 0, err
		}
	}
	if _, ok := p.proofs[e.Evidence]; ok {
		return 0, fmt.Errorf("%w: %q", ErrEvidenceUsed, string(e.Evidence))
	}
	infracted, err := instantOf(e.At)
	if err != nil {
		return 0, err
	}
	if infracted > at || infracted.after(p.params.EvidenceWindow) <= at {
		return 0, fmt.Errorf("%w: %q of %s at %s, the limit is %s", ErrEvidenceAge, string(e.Evidence), infracted, at, p.params.EvidenceWindow)
	}
	return infracted, nil
}

// checkFraction returns what evidence adds to the fraction of its hour, in basis points: what the measure costs, less what
// evidence of the same hour that was not overturned has added before. And what is charged of that: as much as the cap
// of the kind allows.
func (p *Pool) checkFraction(b *bond, at instant, e Infracted) (rule SlashRule, share, bps uint32, err error) {
	rule, ok := p.params.slashRule(e.Kind)
	if !ok {
		return rule, 0, 0, fmt.Errorf("%w: no rule for %q", ErrInfraction, string(e.Kind))
	}
	step := rule.fraction(e.Measure)
	if step == 0 {
		return rule, 0, 0, fmt.Errorf("%w: %q from above %d, not %d", ErrInfraction, string(e.Kind), rule.Steps[0].Over, e.Measure)
	}
	charged, used := uint32(0), uint64(0)
	for _, f := range b.proofs {
		if f.kind != e.Kind || f.forgotten {
			continue
		}
		if f.at.hour() == at.hour() {
			charged += f.share // of one hour they add up to no more than the gravest measure
		}
		if span := max(f.at-at, at-f.at); span < instant(rule.CapWindow) {
			used += uint64(f.bps)
		}
	}
	if step <= charged {
		return rule, 0, 0, fmt.Errorf("%w: %q on bond %q in that hour, %d bps", ErrEvidenceUsed, string(e.Kind), string(b.id), charged)
	}
	share = step - charged
	if rule.CapBps == 0 {
		return rule, share, share, nil
	}
	if used >= uint64(rule.CapBps) {
		return rule, 0, 0, fmt.Errorf("%w: %q on bond %q, %d bps within %s", ErrSlashCap, string(e.Kind), string(b.id), used, rule.CapWindow)
	}
	return rule, share, min(share, rule.CapBps-uint32(used)), nil
}

// liable reports whether a lot stands for an infraction: it was bonded then, and it has not matured.
func (l *lot) liable(infracted instant) bool { return l.bondedAt <= infracted && l.state != LotMatured }

// canLose returns what a slash may still take of a lot. A co-staker's limit is rounded down: in favour of the co-staker.
func (p *Pool) canLose(l *lot) tokenomics.Amount {
	if l.offer == noOffer {
		return l.balance
	}
	limit, err := l.bonded.MulDiv(uint64(p.params.CoMaxLossBps), fullBps, tokenomics.Down)
	must(err)
	if limit <= l.lost {
		return 0
	}
	return min(l.balance, limit-l.lost)
}

// seize takes what is due into escrow and returns what was taken from whom: first rewards, then stake in the order of
// the parameters. Within a step the division is pro rata, and never exceeds what there is.
func (p *Pool) seize(b *bond, infracted instant, due tokenomics.Amount) []part {
	parts := make([]part, 0, len(b.lots)+1)
	parts = append(parts, part{holder: b.owner, role: Owner})
	for i := range b.lots {
		if l := &b.lots[i]; l.liable(infracted) {
			parts = append(parts, part{lot: l.id, holder: l.holder, role: l.role()})
		}
	}
	due -= p.seizeStep(parts, due, func(x *part) tokenomics.Amount {
		if x.lot == 0 {
			return b.ownerEarned
		}
		if l := b.findLot(x.lot); l.offer != noOffer {
			return l.pos.Earned(&p.offers[l.offer].acc)
		}
		return 0
	}, func(x *part, n tokenomics.Amount) {
		x.rewards = n
		move(&p.books.Accrued, &p.books.Escrow, n)
		p.holders[x.holder].slashed += n
		if x.lot == 0 {
			b.ownerEarned -= n
			return
		}
		l := b.findLot(x.lot)
		p.offers[l.offer].acc.take(&l.pos, n)
	})
	steps := [][]Role{{Owner}, {CoStaker}}
	if p.params.SlashOrder == ProRata {
		steps = [][]Role{{Owner, CoStaker}}
	}
	for _, roles := range steps {
		due -= p.seizeStep(parts, due, func(x *part) tokenomics.Amount {
			if x.lot == 0 || !slices.Contains(roles, x.role) {
				return 0
			}
			return p.canLose(b.findLot(x.lot))
		}, func(x *part, n tokenomics.Amount) {
			x.stake = n
			l := b.findLot(x.lot)
			l.lost += n
			p.subStake(b, l, n)
			move(&p.books.Bonded, &p.books.Escrow, n)
			p.holders[x.holder].slashed += n
		})
	}
	parts = slices.DeleteFunc(parts, func(x part) bool { return x.stake == 0 && x.rewards == 0 })
	for _, x := range parts {
		if x.lot != 0 {
			b.findLot(x.lot).cases++
		}
	}
	return parts
}

// seizeStep divides what is due over what there is and has it taken. It returns what was taken.
func (p *Pool) seizeStep(
	parts []part, due tokenomics.Amount, has func(*part) tokenomics.Amount, take func(*part, tokenomics.Amount),
) tokenomics.Amount {
	p.weights = p.weights[:0]
	var all tokenomics.Amount
	for i := range parts {
		n := has(&parts[i])
		p.weights = append(p.weights, uint64(n))
		all += n
	}
	due = min(due, all)
	if due == 0 {
		return 0
	}
	// A total of at most the sum of the weights gives nobody more than the own weight.
	p.split = slices.Grow(p.split[:0], len(parts))[:len(parts)]
	must(tokenomics.SplitInto(p.split, due, p.weights))
	for i, n := range p.split {
		if n > 0 {
			take(&parts[i], n)
		}
	}
	return due
}
