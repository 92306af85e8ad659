package staking

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrSnapshot is wrapped by every error of [Restore] about the bytes.
var ErrSnapshot = errors.New("staking: snapshot")

// domain names the layout of a snapshot.
const domain = "idlegrid/staking/v1"

// Digest returns the SHA-256 of the snapshot: equal for pools that took the same events under the same parameters.
func (p *Pool) Digest() [32]byte { return sha256.Sum256(p.Snapshot()) }

// Snapshot returns the whole state in canonical form: the parameters, the totals, then holders, bonds and offers in the
// order in which they first appeared. Sums that follow from the lots are left out.
func (p *Pool) Snapshot() []byte {
	w := canon.NewWriter(domain)
	p.params.write(w)
	w.Time(p.now)
	w.Uint64(uint64(p.books.Deposits))
	w.Uint64(uint64(p.books.Rewards))
	w.Len(len(p.holders))
	for i := range p.holders {
		w.String(string(p.holders[i].id))
	}
	w.Len(len(p.bonds))
	for i := range p.bonds {
		b := &p.bonds[i]
		w.String(string(b.id))
		w.Uint32(b.owner)
		w.Uint32(b.multiplier)
		w.Uint32(b.gpus)
		w.Uint64(uint64(b.rewarded))
		w.Uint32(uint32(b.lastEpoch))
		w.Len(len(b.lots))
		for _, l := range b.lots {
			w.Uint32(l.holder)
			w.Uint32(l.offer)
			w.Uint64(uint64(l.balance))
			w.Uint64(uint64(l.paid))
			w.Time(l.bondedAt)
		}
	}
	w.Len(len(p.offers))
	for i := range p.offers {
		o := &p.offers[i]
		w.String(string(o.id))
		w.Uint32(o.bond)
		w.Uint32(o.holder)
		w.Uint32(o.shareBps)
		w.Uint64(uint64(o.amount))
		w.Time(o.posted)
		w.Time(o.expires)
		w.Uint8(uint8(o.state))
	}
	return w.Data()
}

// Restore returns the pool that a snapshot describes. The parameters must be those of the snapshot ([ErrParams]), and a
// pool that would not pass its audit is refused ([ErrSnapshot]). It never panics, whatever the bytes.
func Restore(p Params, b []byte) (*Pool, error) {
	pool, err := NewPool(p)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(b, domain)
	if made := readParams(r); r.Err() == nil && made != pool.params {
		return nil, fmt.Errorf("%w: the snapshot was made with %q, not with this %q", ErrParams, made.Version, p.Version)
	}
	seal := pool.read(r)
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if err := pool.rebuild(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if got := pool.books; got.Deposits != seal.Deposits || got.Rewards != seal.Rewards {
		return nil, fmt.Errorf("%w: the totals say %s and %s, the bonds %s and %s",
			ErrSnapshot, seal.Deposits, seal.Rewards, got.Deposits, got.Rewards)
	}
	if err := pool.Audit(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return pool, nil
}

// read fills the primary state and returns the totals as they were written.
func (p *Pool) read(r *canon.Reader) Books {
	p.now = r.Time()
	seal := Books{Deposits: tokenomics.Amount(r.Uint64()), Rewards: tokenomics.Amount(r.Uint64())}
	p.holders = make([]holder, r.Len(4))
	for i := range p.holders {
		p.holders[i].id = HolderID(r.String())
	}
	p.bonds = make([]bond, r.Len(32))
	for i := range p.bonds {
		b := &p.bonds[i]
		b.id = BondID(r.String())
		b.owner, b.multiplier, b.gpus = r.Uint32(), r.Uint32(), r.Uint32()
		b.rewarded = tokenomics.Amount(r.Uint64())
		b.lastEpoch = tokenomics.Epoch(r.Uint32())
		b.lots = make([]lot, r.Len(36))
		for k := range b.lots {
			l := &b.lots[k]
			l.holder, l.offer = r.Uint32(), r.Uint32()
			l.balance, l.paid = tokenomics.Amount(r.Uint64()), tokenomics.Amount(r.Uint64())
			l.bondedAt = r.Time()
		}
	}
	p.offers = make([]offer, r.Len(49))
	for i := range p.offers {
		o := &p.offers[i]
		o.id = OfferID(r.String())
		o.bond, o.holder, o.shareBps = r.Uint32(), r.Uint32(), r.Uint32()
		o.amount = tokenomics.Amount(r.Uint64())
		o.posted, o.expires = r.Time(), r.Time()
		o.state = OfferState(r.Uint8())
	}
	return seal
}

// rebuild computes from the primary state what the snapshot leaves out. It checks what it needs to do so: numbers within
// their tables, unique names, sums within 64 bits. The rest is the audit's.
func (p *Pool) rebuild() error {
	seen := make([]bool, len(p.holders))
	for i := range p.holders {
		id := p.holders[i].id
		if err := checkID("holder", string(id)); err != nil {
			return err
		}
		p.holderIndex[id] = uint32(i)
	}
	for i := range p.offers {
		o := &p.offers[i]
		if err := checkID("offer", string(o.id)); err != nil {
			return err
		}
		p.offerIndex[o.id] = uint32(i)
		known := o.state == StateOpen || o.state == StateFilled || o.state == StateClosed
		if !known || uint64(o.bond) >= uint64(len(p.bonds)) || (o.state != StateFilled && o.holder != 0) {
			return fmt.Errorf("offer %q: bond %d, holder %d, %s", string(o.id), o.bond, o.holder, o.state)
		}
		if b := &p.bonds[o.bond]; o.stateAt(p.now) == StateOpen {
			b.open = append(b.open, uint32(i))
		}
	}
	for i := range p.bonds {
		if err := p.rebuildBond(uint32(i), seen); err != nil {
			return err
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		return fmt.Errorf("holder %q holds nothing", string(p.holders[i].id))
	}
	return nil
}

func (p *Pool) rebuildBond(i uint32, seen []bool) error {
	b := &p.bonds[i]
	if err := checkID("bond", string(b.id)); err != nil {
		return err
	}
	p.bondIndex[b.id] = i
	if uint64(b.owner) >= uint64(len(p.holders)) {
		return fmt.Errorf("bond %q: owner %d", string(b.id), b.owner)
	}
	seen[b.owner] = true
	var err error
	if b.required, err = p.params.Required(b.multiplier, b.gpus); err != nil {
		return err
	}
	if err := roomFor(p.books.Rewards, b.rewarded); err != nil {
		return err
	}
	lots := b.lots
	b.lots = make([]lot, 0, len(lots))
	own := b.rewarded
	b.rewarded = 0
	for _, l := range lots {
		outside := l.offer != noOffer && uint64(l.offer) >= uint64(len(p.offers))
		if outside || uint64(l.holder) >= uint64(len(p.holders)) || l.paid > own {
			return fmt.Errorf("bond %q: lot of holder %d, offer %d, paid %s", string(b.id), l.holder, l.offer, l.paid)
		}
		if err := roomFor(p.books.Deposits, l.balance); err != nil {
			return err
		}
		// A lot beyond the calendar counts from epoch 0, which the audit refuses.
		l.from, _ = p.params.earnsFrom(l.bondedAt)
		seen[l.holder] = true
		own -= l.paid
		p.lock(b, l)
		p.pay(b, l.holder, l.paid)
	}
	p.pay(b, b.owner, own)
	return nil
}
