package staking

import (
	"bytes"
	"fmt"
	"math/bits"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// kept returns the totals that a snapshot keeps: those that do not follow from the bonds.
func (b *Books) kept() []*tokenomics.Amount {
	return []*tokenomics.Amount{&b.Deposits, &b.Rewards, &b.Released, &b.Paid, &b.Burned, &b.Compensated}
}

// Restore returns the pool that a snapshot describes. The parameters must be those of the snapshot ([ErrParams]), and a
// pool that would not pass its audit is refused ([ErrSnapshot]). It never panics, whatever the bytes.
func Restore(p Params, b []byte) (*Pool, error) {
	pool, err := NewPool(p)
	if err != nil {
		return nil, err
	}
	// Parameters are compared as bytes: those of the pool, written anew, against those that the snapshot begins with.
	head := canon.NewWriter(domain)
	pool.params.write(head)
	if !bytes.HasPrefix(b, head.Data()) {
		r := canon.NewReader(b, domain)
		if made := r.String(); r.Err() == nil && made != "" {
			return nil, fmt.Errorf("%w: the snapshot was made with %q, not with this %q", ErrParams, made, p.Version)
		}
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, r.Close())
	}
	r := canon.NewReader(b, domain)
	r.Raw(make([]byte, len(head.Data())-len(canon.NewWriter(domain).Data())))
	pool.read(r)
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if err := pool.rebuild(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if err := pool.Audit(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return pool, nil
}

// The least number of bytes that an entry of each list takes, so that no length makes a reader allocate more than a small
// multiple of the snapshot.
const (
	holderSize = 36
	bondSize   = 92
	lotSize    = 66
	proofSize  = 34
	partSize   = 29
	offerSize  = 69 + accumulatorSize
)

// read fills the primary state.
func (p *Pool) read(r *canon.Reader) {
	p.now = instant(r.Int64())
	p.lastLot, p.lastProof = LotID(r.Uint64()), r.Uint64()
	for _, n := range p.books.kept() {
		*n = tokenomics.Amount(r.Uint64())
	}
	p.holders = make([]holder, r.Len(holderSize))
	for i := range p.holders {
		p.holders[i] = holder{
			id: HolderID(r.String()), paid: tokenomics.Amount(r.Uint64()), released: tokenomics.Amount(r.Uint64()),
			slashed: tokenomics.Amount(r.Uint64()), leader: r.Uint32(), next: r.Uint32(),
		}
	}
	p.bonds = make([]bond, r.Len(bondSize))
	for i := range p.bonds {
		p.bonds[i].read(uint32(i), r)
	}
	p.offers = make([]offer, r.Len(offerSize))
	for i := range p.offers {
		p.offers[i] = offer{
			id: OfferID(r.String()), bond: r.Uint32(), shareBps: r.Uint32(), amount: tokenomics.Amount(r.Uint64()),
			minFill: tokenomics.Amount(r.Uint64()), filled: tokenomics.Amount(r.Uint64()),
			posted: instant(r.Int64()), expires: instant(r.Int64()), lock: time.Duration(r.Int64()),
			maxFills: r.Uint32(), fills: r.Uint32(), withdrawn: r.Uint32(), state: OfferState(r.Uint8()),
			acc: readAccumulator(r),
		}
	}
}

func (b *bond) read(number uint32, r *canon.Reader) {
	*b = bond{
		id: BondID(r.String()), owner: r.Uint32(), multiplier: r.Uint32(), gpus: r.Uint32(),
		changed: tokenomics.Epoch(r.Uint32()), prior: tokenomics.Amount(r.Uint64()),
		graceMultiplier: r.Uint32(), graceUntil: instant(r.Int64()), held: tokenomics.Amount(r.Uint64()), heldUntil: instant(r.Int64()),
		ownerEarned: tokenomics.Amount(r.Uint64()), rewarded: tokenomics.Amount(r.Uint64()),
		lastEpoch: tokenomics.Epoch(r.Uint32()), end: tokenomics.Epoch(r.Uint32()), hires: r.Uint32(), payments: r.Uint64(),
	}
	b.lots = make([]lot, r.Len(lotSize))
	for i := range b.lots {
		l := &b.lots[i]
		*l = lot{
			id: LotID(r.Uint64()), holder: r.Uint32(), offer: r.Uint32(), state: LotState(r.Uint8()), earning: r.Bool(),
			balance: tokenomics.Amount(r.Uint64()), bonded: tokenomics.Amount(r.Uint64()), lost: tokenomics.Amount(r.Uint64()),
			bondedAt: instant(r.Int64()), until: instant(r.Int64()),
			earnsUntil: tokenomics.Epoch(r.Uint32()), countsUntil: tokenomics.Epoch(r.Uint32()),
		}
		if l.offer != noOffer {
			l.pos = readPosition(r)
		}
	}
	b.proofs = make([]*proof, r.Len(proofSize))
	for i := range b.proofs {
		b.proofs[i] = readProof(number, r)
	}
}

func readProof(bond uint32, r *canon.Reader) *proof {
	f := &proof{
		id: EvidenceID(r.String()), number: r.Uint64(), bond: bond, kind: Infraction(r.String()), at: instant(r.Int64()),
		share: r.Uint32(), bps: r.Uint32(), forgotten: r.Bool(),
	}
	if !r.Bool() {
		return f
	}
	c := &slashCase{
		basis: tokenomics.Amount(r.Uint64()), bps: r.Uint32(), deadline: instant(r.Int64()), appealed: r.Bool(),
		renter: HolderID(r.String()), reporter: HolderID(r.String()),
	}
	c.parts = make([]part, r.Len(partSize))
	for i := range c.parts {
		c.parts[i] = part{
			lot: LotID(r.Uint64()), holder: r.Uint32(), role: Role(r.Uint8()),
			stake: tokenomics.Amount(r.Uint64()), rewards: tokenomics.Amount(r.Uint64()),
		}
	}
	f.open = c
	return f
}

// summing adds up amounts, and remembers whether a sum did not fit.
type summing struct{ over uint64 }

func (s *summing) add(to *tokenomics.Amount, n tokenomics.Amount) {
	sum, over := bits.Add64(uint64(*to), uint64(n), 0)
	*to = tokenomics.Amount(sum)
	s.over |= over
}

// rebuild computes from the primary state what the snapshot leaves out. It checks what it needs to do so: numbers within
// their tables, unique names, sums within 64 bits, instants within range. The rest is the audit's.
func (p *Pool) rebuild() error {
	if p.now != noInstant && !p.now.inRange() {
		return fmt.Errorf("the last event is of %d ns", int64(p.now))
	}
	for i := range p.holders {
		h := &p.holders[i]
		if err := checkID("holder", string(h.id)); err != nil {
			return err
		}
		if uint64(h.leader) >= uint64(len(p.holders)) || uint64(h.next) >= uint64(len(p.holders)) {
			return fmt.Errorf("holder %q: leader %d, next %d", string(h.id), h.leader, h.next)
		}
		p.holderIndex[h.id] = uint32(i)
	}
	for i := range p.offers {
		if err := p.rebuildOffer(uint32(i)); err != nil {
			return err
		}
	}
	var s summing
	for i := range p.bonds {
		if err := p.rebuildBond(uint32(i), &s); err != nil {
			return err
		}
	}
	for i := range p.offers {
		s.add(&p.books.Accrued, p.offers[i].acc.Held())
	}
	if s.over != 0 {
		return fmt.Errorf("sums: %w", tokenomics.ErrOverflow)
	}
	p.timers.order()
	return nil
}

// inRange reports whether an instant is one that an event, or a deadline that follows from it, can have.
func (t instant) inRange() bool {
	y := t.time().Year()
	return y >= firstYear && y < lastYear+30
}

func (p *Pool) rebuildOffer(i uint32) error {
	o := &p.offers[i]
	if err := checkID("offer", string(o.id)); err != nil {
		return err
	}
	p.offerIndex[o.id] = i
	if uint64(o.bond) >= uint64(len(p.bonds)) || !o.posted.inRange() || !o.expires.inRange() || o.acc.out > o.acc.in {
		return fmt.Errorf("offer %q: bond %d, posted %d, expires %d", string(o.id), o.bond, int64(o.posted), int64(o.expires))
	}
	if o.state == StateOpen {
		p.bonds[o.bond].open = append(p.bonds[o.bond].open, i)
		p.timers = append(p.timers, timer{at: o.expires, kind: timerExpiry, number: uint64(i), bond: o.bond})
	}
	return nil
}

func (p *Pool) rebuildBond(i uint32, s *summing) error {
	b := &p.bonds[i]
	if err := checkID("bond", string(b.id)); err != nil {
		return err
	}
	p.bondIndex[b.id] = i
	for _, t := range []instant{b.graceUntil, b.heldUntil} {
		if t != noInstant && !t.inRange() {
			return fmt.Errorf("bond %q: instant %d", string(b.id), int64(t))
		}
	}
	if uint64(b.owner) >= uint64(len(p.holders)) {
		return fmt.Errorf("bond %q: owner %d", string(b.id), b.owner)
	}
	p.holders[b.owner].owned = append(p.holders[b.owner].owned, i)
	var err error
	if b.required, err = p.params.Required(b.multiplier, b.gpus); err != nil {
		return err
	}
	s.add(&p.books.Accrued, b.ownerEarned)
	if b.inGrace(p.now) {
		p.timers = append(p.timers, timer{at: b.graceUntil, kind: timerGrace, number: uint64(i), bond: i})
	}
	for k := range b.lots {
		if err := p.rebuildLot(i, &b.lots[k], s); err != nil {
			return err
		}
	}
	for _, f := range b.proofs {
		if err := p.rebuildProof(b, f, s); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pool) rebuildLot(bond uint32, l *lot, s *summing) error {
	b := &p.bonds[bond]
	outside := l.offer != noOffer && uint64(l.offer) >= uint64(len(p.offers))
	if outside || uint64(l.holder) >= uint64(len(p.holders)) || !l.bondedAt.inRange() || (l.until != noInstant && !l.until.inRange()) {
		return fmt.Errorf("lot %d: holder %d, offer %d, bonded at %d, until %d", l.id, l.holder, l.offer, int64(l.bondedAt), int64(l.until))
	}
	e, err := p.params.epochAt(l.bondedAt)
	if err != nil {
		return err
	}
	l.from = e + 1
	h := &p.holders[l.holder]
	s.add(&h.bonded, l.balance)
	s.add(&p.books.Bonded, l.balance)
	if sum := b.counting(l); sum != nil {
		s.add(sum, l.balance)
	}
	if l.offer != noOffer {
		h.claims++
		p.holders[h.leader].all++
	}
	switch l.state {
	case LotWaiting:
		p.timers = append(p.timers, timer{at: l.until, kind: timerWait, number: uint64(l.id), bond: bond})
	case LotCooling:
		p.timers = append(p.timers, timer{at: l.until, kind: timerCool, number: uint64(l.id), bond: bond})
	case LotActive, LotMatured:
	}
	return nil
}

func (p *Pool) rebuildProof(b *bond, f *proof, s *summing) error {
	if err := checkID("evidence", string(f.id)); err != nil {
		return err
	}
	if _, ok := p.proofs[f.id]; ok {
		return fmt.Errorf("evidence %q twice", string(f.id))
	}
	p.proofs[f.id] = f
	rule, ok := p.params.slashRule(f.kind)
	if !ok || !f.at.inRange() {
		return fmt.Errorf("evidence %q: kind %q at %d", string(f.id), string(f.kind), int64(f.at))
	}
	if !f.forgotten {
		p.timers = append(p.timers, timer{at: p.params.memory(rule, f.at), kind: timerForget, number: f.number, bond: f.bond})
	}
	c := f.open
	if c == nil {
		return nil
	}
	if !c.deadline.inRange() || c.bps == 0 || c.bps > fullBps {
		return fmt.Errorf("case %q: deadline %d, %d bps", string(f.id), int64(c.deadline), c.bps)
	}
	var err error
	if c.due, err = c.basis.MulDiv(uint64(c.bps), fullBps, tokenomics.Up); err != nil {
		return err
	}
	b.cases++
	if !c.appealed {
		p.timers = append(p.timers, timer{at: c.deadline, kind: timerAppeal, number: f.number, bond: f.bond})
	}
	for _, x := range c.parts {
		if uint64(x.holder) >= uint64(len(p.holders)) {
			return fmt.Errorf("case %q: holder %d", string(f.id), x.holder)
		}
		s.add(&c.taken, x.stake)
		s.add(&c.taken, x.rewards)
		if l := b.findLot(x.lot); l != nil {
			l.cases++
		}
	}
	s.add(&p.books.Escrow, c.taken)
	return nil
}
