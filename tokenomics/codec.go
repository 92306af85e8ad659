package tokenomics

import (
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// supplyDomain names the layout of a snapshot; another layout needs another name.
const supplyDomain = "idlegrid/tokenomics/supply/v2"

// ErrSnapshot is returned for bytes that are not the snapshot of a supply under the given parameters.
var ErrSnapshot = errors.New("tokenomics: invalid snapshot")

// Snapshot returns the whole state in its one canonical form, for [Restore].
func (s *Supply) Snapshot() []byte { return s.encode().Data() }

// Digest returns the SHA-256 of the snapshot.
func (s *Supply) Digest() [32]byte { return s.encode().Sum() }

// Restore returns the supply of which b is the snapshot. The parameters must be those of the snapshot, by their
// version. It checks every invariant and fails with [ErrSnapshot] or the errors of [NewSupply].
func Restore(p Params, b []byte) (*Supply, error) {
	s, err := NewSupply(p, 1)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(b, supplyDomain)
	version := r.String()
	s.at, s.next = r.Time(), Epoch(r.Uint32())
	s.decodeState(r)
	s.since, s.rewards, s.locked, s.freed = Amount(r.Uint64()), Amount(r.Uint64()), Amount(r.Uint64()), nil
	for range r.Len(8) {
		s.freed = append(s.freed, Amount(r.Uint64()))
	}
	for range r.Len(13) {
		burn := Burned{Amount: Amount(r.Uint64()), Proof: r.String(), From: Account(r.Uint8())}
		s.burns = append(s.burns, burn)
		s.proofs[burn.Proof] = struct{}{}
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	switch {
	case version != p.Version:
		return nil, fmt.Errorf("%w: made under parameters %s, not %q", ErrSnapshot, quote(version), p.Version)
	case s.next == 0:
		return nil, fmt.Errorf("%w: epoch 0 is to be minted next", ErrSnapshot)
	}
	for _, burn := range s.burns {
		if n := len(burn.Proof); burn.Amount == 0 || n == 0 || n > proofBytes || burn.From >= Locked {
			return nil, fmt.Errorf("%w: burn of %s from %s with a proof of %d bytes", ErrSnapshot, burn.Amount, burn.From, n)
		}
	}
	if err := s.Audit(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return s, nil
}

func (s *Supply) encode() *canon.Writer {
	w := canon.NewWriter(supplyDomain)
	w.String(s.p.Version)
	w.Time(s.at)
	w.Uint32(uint32(s.next))
	s.encodeState(w)
	for _, a := range []Amount{s.since, s.rewards, s.locked} {
		w.Uint64(uint64(a))
	}
	w.Len(len(s.freed))
	for _, a := range s.freed {
		w.Uint64(uint64(a))
	}
	w.Len(len(s.burns))
	for _, b := range s.burns {
		w.Uint64(uint64(b.Amount))
		w.String(b.Proof)
		w.Uint8(uint8(b.From))
	}
	return w
}

// encodeState writes what the policies know, but for what the parameters say.
func (s *Supply) encodeState(w *canon.Writer) {
	t := &s.state
	for _, v := range []uint64{
		uint64(t.Minted), uint64(t.Reminted), uint64(t.Burned), uint64(t.Pending), uint64(t.FeeVault), uint64(t.Recycle),
		uint64(t.Credits), uint64(t.CarryUSD), t.CarryUnits, uint64(t.Released), uint64(t.PaidUSD), uint64(t.Revenue),
	} {
		w.Uint64(v)
	}
	w.Len(len(t.Debts))
	for _, d := range t.Debts {
		w.String(d.ID)
		w.Uint64(uint64(d.USD))
	}
}

func (s *Supply) decodeState(r *canon.Reader) {
	t := s.p.State()
	for _, v := range []*Amount{&t.Minted, &t.Reminted, &t.Burned, &t.Pending, &t.FeeVault, &t.Recycle} {
		*v = Amount(r.Uint64())
	}
	t.Credits, t.CarryUSD, t.CarryUnits = USD(r.Uint64()), USD(r.Uint64()), r.Uint64()
	t.Released, t.PaidUSD, t.Revenue = Amount(r.Uint64()), USD(r.Uint64()), USD(r.Uint64())
	for range r.Len(12) {
		t.Debts = append(t.Debts, Claim{ID: r.String(), USD: USD(r.Uint64())})
	}
	s.state = t
}
