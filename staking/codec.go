package staking

import (
	"crypto/sha256"
	"errors"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// ErrSnapshot is wrapped by every error of [Restore] about the bytes.
var ErrSnapshot = errors.New("staking: snapshot")

// domain names the layout of a snapshot.
const domain = "idlegrid/staking/v2"

// Digest returns the SHA-256 of the snapshot: equal for pools that took the same events under the same parameters.
func (p *Pool) Digest() [32]byte { return sha256.Sum256(p.Snapshot()) }

// Snapshot returns the whole state in canonical form: the parameters, the totals, then holders, bonds with their lots and
// evidence, and offers, in the order in which they first appeared. What follows from these is left out.
func (p *Pool) Snapshot() []byte {
	w := canon.NewWriter(domain)
	p.params.write(w)
	w.Int64(int64(p.now))
	w.Uint64(uint64(p.lastLot))
	w.Uint64(p.lastProof)
	for _, n := range p.books.kept() {
		w.Uint64(uint64(*n))
	}
	w.Len(len(p.holders))
	for i := range p.holders {
		p.holders[i].write(w)
	}
	w.Len(len(p.bonds))
	for i := range p.bonds {
		p.bonds[i].write(w)
	}
	w.Len(len(p.offers))
	for i := range p.offers {
		p.offers[i].write(w)
	}
	return w.Data()
}

func (h *holder) write(w *canon.Writer) {
	w.String(string(h.id))
	w.Uint64(uint64(h.paid))
	w.Uint64(uint64(h.released))
	w.Uint64(uint64(h.slashed))
	w.Uint32(h.leader)
	w.Uint32(h.next)
}

func (b *bond) write(w *canon.Writer) {
	w.String(string(b.id))
	w.Uint32(b.owner)
	w.Uint32(b.multiplier)
	w.Uint32(b.gpus)
	w.Uint32(uint32(b.changed))
	w.Uint64(uint64(b.prior))
	w.Uint32(b.graceMultiplier)
	w.Int64(int64(b.graceUntil))
	w.Uint64(uint64(b.held))
	w.Int64(int64(b.heldUntil))
	w.Uint64(uint64(b.ownerEarned))
	w.Uint64(uint64(b.rewarded))
	w.Uint32(uint32(b.lastEpoch))
	w.Uint32(uint32(b.end))
	w.Uint32(b.hires)
	w.Uint64(b.payments)
	w.Len(len(b.lots))
	for i := range b.lots {
		b.lots[i].write(w)
	}
	w.Len(len(b.proofs))
	for _, f := range b.proofs {
		f.write(w)
	}
}

func (l *lot) write(w *canon.Writer) {
	w.Uint64(uint64(l.id))
	w.Uint32(l.holder)
	w.Uint32(l.offer)
	w.Uint8(uint8(l.state))
	w.Bool(l.earning)
	w.Uint64(uint64(l.balance))
	w.Uint64(uint64(l.bonded))
	w.Uint64(uint64(l.lost))
	w.Int64(int64(l.bondedAt))
	w.Int64(int64(l.until))
	w.Uint32(uint32(l.earnsUntil))
	w.Uint32(uint32(l.countsUntil))
	if l.offer != noOffer {
		l.pos.write(w)
	}
}

func (f *proof) write(w *canon.Writer) {
	w.String(string(f.id))
	w.Uint64(f.number)
	w.String(string(f.kind))
	w.Int64(int64(f.at))
	w.Uint32(f.share)
	w.Uint32(f.bps)
	w.Bool(f.forgotten)
	w.Bool(f.open != nil)
	if f.open == nil {
		return
	}
	c := f.open
	w.Uint64(uint64(c.basis))
	w.Uint32(c.bps)
	w.Int64(int64(c.deadline))
	w.Bool(c.appealed)
	w.String(string(c.renter))
	w.String(string(c.reporter))
	w.Len(len(c.parts))
	for _, x := range c.parts {
		w.Uint64(uint64(x.lot))
		w.Uint32(x.holder)
		w.Uint8(uint8(x.role))
		w.Uint64(uint64(x.stake))
		w.Uint64(uint64(x.rewards))
	}
}

func (o *offer) write(w *canon.Writer) {
	w.String(string(o.id))
	w.Uint32(o.bond)
	w.Uint32(o.shareBps)
	w.Uint64(uint64(o.amount))
	w.Uint64(uint64(o.minFill))
	w.Uint64(uint64(o.filled))
	w.Int64(int64(o.posted))
	w.Int64(int64(o.expires))
	w.Int64(int64(o.lock))
	w.Uint32(o.maxFills)
	w.Uint32(o.fills)
	w.Uint32(o.withdrawn)
	w.Uint8(uint8(o.state))
	o.acc.write(w)
}
