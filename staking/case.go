package staking

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Case returns a slash that is not final, and false if there is none of that name.
func (p *Pool) Case(id EvidenceID) (CaseView, bool) {
	f, ok := p.proofs[id]
	if !ok || f.open == nil {
		return CaseView{}, false
	}
	return p.viewCase(f), true
}

// Cases returns all slashes that are not final, in the order of their identifiers. The pool must not change meanwhile.
func (p *Pool) Cases() iter.Seq2[EvidenceID, CaseView] {
	return func(yield func(EvidenceID, CaseView) bool) {
		for _, id := range slices.Sorted(maps.Keys(p.proofs)) {
			if f := p.proofs[id]; f.open != nil && !yield(id, p.viewCase(f)) {
				return
			}
		}
	}
}

func (p *Pool) viewCase(f *proof) CaseView {
	c := f.open
	v := CaseView{
		Bond: p.bonds[f.bond].id, Kind: f.kind, At: f.at.time(), Basis: c.basis, Bps: c.bps, Due: c.due, Taken: c.taken,
		Shortfall: c.due - c.taken, Deadline: c.deadline.time(), Appealed: c.appealed, Renter: c.renter, Reporter: c.reporter,
		Parts: make([]PartView, len(c.parts)),
	}
	for i, x := range c.parts {
		v.Parts[i] = PartView{Holder: p.holders[x.holder].id, Role: x.role, Lot: x.lot, Stake: x.stake, Rewards: x.rewards}
	}
	return v
}

// findCase returns the proof of a case that is not final, or says why not.
func (p *Pool) findCase(id EvidenceID) (*proof, error) {
	f, ok := p.proofs[id]
	if !ok || f.open == nil {
		return nil, fmt.Errorf("%w: %q", ErrNoCase, string(id))
	}
	return f, nil
}

func (p *Pool) appeal(e Appealed) error {
	f, err := p.findCase(e.Evidence)
	if err != nil {
		return err
	}
	if f.open.appealed {
		return fmt.Errorf("%w: %q was appealed already", ErrAppeal, string(e.Evidence))
	}
	if !slices.ContainsFunc(f.open.parts, func(x part) bool { return p.holders[x.holder].id == e.Holder }) {
		return fmt.Errorf("%w: %q in %q", ErrNotSlashed, string(e.Holder), string(e.Evidence))
	}

	f.open.appealed = true
	return nil
}

func (p *Pool) decideAppeal(e AppealDecided) ([]Effect, error) {
	f, err := p.findCase(e.Evidence)
	if err != nil {
		return nil, err
	}
	if !f.open.appealed {
		return nil, fmt.Errorf("%w: %q was not appealed", ErrAppeal, string(e.Evidence))
	}

	b := &p.bonds[f.bond]
	if e.Won {
		return p.restore(b, f), nil
	}
	return p.finish(b, f), nil
}

// restore puts back what a case took, and ends it.
func (p *Pool) restore(b *bond, f *proof) []Effect {
	var effects []Effect
	for _, x := range f.open.parts {
		p.holders[x.holder].slashed -= x.stake + x.rewards
		effects = append(effects, Restored{
			Evidence: f.id, Bond: b.id, Holder: p.holders[x.holder].id, Lot: x.lot, Stake: x.stake, Rewards: x.rewards,
		})
		effects = append(effects, p.giveBack(b, x)...)
	}
	f.share, f.bps = 0, 0 // false evidence must not shield from true one
	return append(effects, p.end(b, f)...)
}

// giveBack puts back one part: to the lot, or to its wallet if the lot has left.
func (p *Pool) giveBack(b *bond, x part) []Effect {
	if x.lot == 0 {
		move(&p.books.Escrow, &p.books.Accrued, x.rewards)
		b.ownerEarned += x.rewards
		return nil
	}
	if l := b.findLot(x.lot); l != nil {
		move(&p.books.Escrow, &p.books.Bonded, x.stake)
		move(&p.books.Escrow, &p.books.Accrued, x.rewards)
		l.lost -= x.stake
		p.addStake(b, l, x.stake)
		if x.rewards > 0 {
			p.offers[l.offer].acc.give(&l.pos, x.rewards)
		}
		return nil
	}
	var effects []Effect
	if x.stake > 0 {
		move(&p.books.Escrow, &p.books.Released, x.stake)
		p.holders[x.holder].released += x.stake
		effects = append(effects, p.released(b, x.holder, x.stake))
	}
	if x.rewards > 0 {
		move(&p.books.Escrow, &p.books.Accrued, x.rewards)
		effects = append(effects, p.pay(b, x.holder, x.role, x.rewards))
	}
	return effects
}

// finish makes a slash final: what the rule gives to the renter and the reporter is paid, the rest is burned.
func (p *Pool) finish(b *bond, f *proof) []Effect {
	c := f.open
	rule, _ := p.params.slashRule(f.kind)
	weights := []uint64{0, 0, fullBps}
	for i, who := range []struct {
		id  HolderID
		bps uint32
	}{{c.renter, rule.RenterBps}, {c.reporter, rule.ReporterBps}} {
		// Nobody gets a part of the own slash back.
		if who.id != "" && !p.Linked(who.id, p.holders[b.owner].id) {
			weights[i] = uint64(who.bps)
			weights[2] -= uint64(who.bps)
		}
	}
	shares, err := tokenomics.Split(c.taken, weights)
	must(err)
	renter, reporter, rest := shares[0], shares[1], shares[2]
	if c.renter == c.reporter {
		renter, reporter = renter+reporter, 0
	}
	var effects []Effect
	for _, x := range []Compensated{{f.id, c.renter, renter}, {f.id, c.reporter, reporter}} {
		if x.Amount > 0 {
			move(&p.books.Escrow, &p.books.Compensated, x.Amount)
			effects = append(effects, x)
		}
	}
	move(&p.books.Escrow, &p.books.Burned, rest)
	effects = append(effects, Burned{Evidence: f.id, Bond: b.id, Kind: f.kind, Amount: rest})
	return append(effects, p.end(b, f)...)
}

// end ends a case: lots that it emptied, and that no other case holds, leave.
func (p *Pool) end(b *bond, f *proof) []Effect {
	parts := f.open.parts
	f.open = nil
	b.cases--
	p.dropProof(b, f)
	var effects []Effect
	for _, x := range parts {
		l := b.findLot(x.lot)
		if l == nil {
			continue
		}
		l.cases--
		if l.cases > 0 || l.balance > 0 {
			continue
		}
		if holder, earned := p.dropLot(b, x.lot); earned > 0 {
			effects = append(effects, p.pay(b, holder, CoStaker, earned))
		}
	}
	return effects
}

// dropProof forgets a proof that nothing asks for any more.
func (p *Pool) dropProof(b *bond, f *proof) {
	if !f.forgotten || f.open != nil {
		return
	}
	delete(p.proofs, f.id)
	b.proofs = slices.DeleteFunc(b.proofs, func(o *proof) bool { return o == f })
}
