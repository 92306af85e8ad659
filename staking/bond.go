package staking

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// bond is the stake of one device.
type bond struct {
	id         BondID
	owner      uint32
	multiplier uint32 // hundredths
	gpus       uint32
	required   tokenomics.Amount

	// What was needed before the last requalification, which holds from epoch changed on. It matters for rewards that
	// come late.
	changed tokenomics.Epoch
	prior   tokenomics.Amount
	// A changed table: until graceUntil the multiplier of before suffices.
	graceMultiplier uint32
	graceUntil      instant // noInstant without a grace
	// A requirement that fell: until heldUntil the overflow is reckoned by what it was.
	held      tokenomics.Amount
	heldUntil instant

	ownerStake  tokenomics.Amount // that counts: active
	coStake     tokenomics.Amount // that counts: active or waiting
	ownerEarned tokenomics.Amount
	rewarded    tokenomics.Amount
	lastEpoch   tokenomics.Epoch
	end         tokenomics.Epoch // of the termination, noEpoch before
	hires       uint32
	cases       uint32 // that are not final
	payments    uint64 // of stake and rewards that left
	lots        []lot  // in the order of their numbers
	open        []uint32
	proofs      []*proof // in the order of their numbers
}

func (b *bond) counted() tokenomics.Amount { return b.ownerStake + b.coStake }

func (b *bond) terminated() bool { return b.end != noEpoch }

// Bond returns a bond, and false if there is none of that name.
func (p *Pool) Bond(id BondID) (BondView, bool) {
	i, ok := p.bondIndex[id]
	if !ok {
		return BondView{}, false
	}
	return p.viewBond(&p.bonds[i]), true
}

// Bonds returns all bonds in the order of their identifiers. The pool must not change meanwhile.
func (p *Pool) Bonds() iter.Seq2[BondID, BondView] {
	return func(yield func(BondID, BondView) bool) {
		for _, id := range slices.Sorted(maps.Keys(p.bondIndex)) {
			if !yield(id, p.viewBond(&p.bonds[p.bondIndex[id]])) {
				return
			}
		}
	}
}

func (p *Pool) viewBond(b *bond) BondView {
	v := BondView{
		Owner: p.holders[b.owner].id, MultiplierCenti: b.multiplier, GPUs: b.gpus,
		Required: b.required, Suffices: b.required,
		Counted: b.counted(), OwnerStake: b.ownerStake, CoStake: b.coStake,
		Rewarded: b.rewarded, LastEpoch: b.lastEpoch, Hires: b.hires, Cases: b.cases, Terminated: b.terminated(),
		OwnerEarned: b.ownerEarned, Lots: make([]LotView, len(b.lots)),
	}
	if b.inGrace(p.now) {
		v.Suffices, v.GraceUntil = p.suffices(b), b.graceUntil.time()
	}
	if v.Counted < v.Required {
		v.Missing = v.Required - v.Counted
	}
	if b.cases == 0 {
		v.Overflow = p.overflow(p.now, b)
	}
	for i := range b.lots {
		v.Lots[i] = p.viewLot(&b.lots[i])
	}
	return v
}

// findBond returns a bond by name, or [ErrNoBond].
func (p *Pool) findBond(id BondID) (*bond, error) {
	i, ok := p.bondIndex[id]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrNoBond, string(id))
	}
	return &p.bonds[i], nil
}

// findOwn returns a bond by name for its owner, or says why not.
func (p *Pool) findOwn(id BondID, holder HolderID) (*bond, error) {
	b, err := p.findBond(id)
	if err != nil {
		return nil, err
	}
	if owner := p.holders[b.owner].id; holder != owner {
		return nil, fmt.Errorf("%w: bond %q belongs to %q, not %q", ErrNotOwner, string(id), string(owner), string(holder))
	}
	return b, nil
}

// findRunning returns a bond by name whose device has not left the network.
func (p *Pool) findRunning(id BondID) (*bond, error) {
	b, err := p.findBond(id)
	if err != nil {
		return nil, err
	}
	return b, b.checkRunning()
}

func (b *bond) checkRunning() error {
	if b.terminated() {
		return fmt.Errorf("%w: %q in epoch %d", ErrTerminated, string(b.id), b.end)
	}
	return nil
}

func (b *bond) checkNotHired() error {
	if b.hires > 0 {
		return fmt.Errorf("%w: %q, %d hires", ErrHired, string(b.id), b.hires)
	}
	return nil
}

func (p *Pool) openBond(e BondOpened) error {
	if err := checkID("bond", string(e.Bond)); err != nil {
		return err
	}
	if err := checkID("owner", string(e.Owner)); err != nil {
		return err
	}
	if _, ok := p.bondIndex[e.Bond]; ok {
		return fmt.Errorf("%w: %q", ErrBondExists, string(e.Bond))
	}
	required, err := p.params.Required(e.MultiplierCenti, e.GPUs)
	if err != nil {
		return err
	}

	i, owner := uint32(len(p.bonds)), p.join(e.Owner)
	p.bondIndex[e.Bond] = i
	p.holders[owner].owned = append(p.holders[owner].owned, i)
	p.bonds = append(p.bonds, bond{
		id: e.Bond, owner: owner, multiplier: e.MultiplierCenti, gpus: e.GPUs, required: required,
		graceUntil: noInstant, heldUntil: noInstant, end: noEpoch,
	})
	return nil
}

func (p *Pool) requalify(at instant, e Requalified) ([]Effect, error) {
	b, err := p.findRunning(e.Bond)
	if err != nil {
		return nil, err
	}
	required, err := p.params.Required(e.MultiplierCenti, e.GPUs)
	if err != nil {
		return nil, err
	}
	epoch, err := p.params.epochAt(at)
	if err != nil {
		return nil, err
	}

	if epoch > b.changed {
		// Never lenient: a reward that comes late is measured by the most that was needed since the last one.
		before := p.need(b, epoch-1)
		if b.lastEpoch+1 < b.changed {
			before = max(before, b.prior)
		}
		b.changed, b.prior = epoch, before
	}
	if required < b.required && p.params.OverflowHold > 0 {
		if at >= b.heldUntil {
			b.held = 0
		}
		b.held, b.heldUntil = max(b.held, b.required), at.after(p.params.OverflowHold)
	}
	switch {
	case e.TableChanged && !b.inGrace(at) && p.params.Grace > 0:
		b.graceMultiplier, b.graceUntil = b.multiplier, at.after(p.params.Grace)
		p.setTimer(timer{at: b.graceUntil, kind: timerGrace, number: uint64(p.bondIndex[b.id]), bond: p.bondIndex[b.id]})
	case !e.TableChanged && e.MultiplierCenti != b.multiplier:
		b.graceUntil = noInstant // another device: it never met the old requirement
	}
	b.multiplier, b.gpus, b.required = e.MultiplierCenti, e.GPUs, required
	if b.counted() >= required {
		return nil, nil
	}
	short := Underbonded{Bond: b.id, Have: b.counted(), Need: required, Deadline: at.time()}
	if b.inGrace(at) && b.counted() >= p.suffices(b) {
		short.Deadline = b.graceUntil.time()
	}
	return []Effect{short}, nil
}

// inGrace reports whether the multiplier of before still suffices.
func (b *bond) inGrace(at instant) bool { return b.graceUntil != noInstant && at < b.graceUntil }

// suffices returns what suffices in a grace. A requirement that nobody could hold was never in force.
func (p *Pool) suffices(b *bond) tokenomics.Amount {
	old, err := p.params.Required(b.graceMultiplier, b.gpus)
	if err != nil {
		return b.required
	}
	return min(old, b.required)
}

// need returns the stake that a bond must hold in an epoch.
func (p *Pool) need(b *bond, e tokenomics.Epoch) tokenomics.Amount {
	switch {
	case e < b.changed:
		return b.prior
	case b.graceUntil != noInstant && p.params.Calendar.StartOf(e).Before(b.graceUntil.time()):
		return p.suffices(b)
	}
	return b.required
}

func (p *Pool) startHire(e HireStarted) error {
	b, err := p.findRunning(e.Bond)
	if err != nil {
		return err
	}

	b.hires++
	return nil
}

func (p *Pool) endHire(e HireEnded) error {
	b, err := p.findBond(e.Bond)
	if err != nil {
		return err
	}
	if b.hires == 0 {
		return fmt.Errorf("%w: %q", ErrNotHired, string(e.Bond))
	}

	b.hires--
	return nil
}

func (p *Pool) terminate(at instant, e DeviceTerminated) ([]Effect, error) {
	b, err := p.findRunning(e.Bond)
	if err != nil {
		return nil, err
	}
	if err := b.checkNotHired(); err != nil {
		return nil, err
	}
	epoch, err := p.params.epochAt(at)
	if err != nil {
		return nil, err
	}

	b.end = epoch
	var effects []Effect
	for _, i := range slices.Clone(b.open) {
		effects = append(effects, p.endOffer(i, StateClosed))
	}
	return effects, nil
}
