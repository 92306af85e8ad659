package tokenomics

import (
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// supplyDomain names the layout of a snapshot; another layout needs another name.
const supplyDomain = "idlegrid/tokenomics/supply/v1"

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
	s.minted, s.burned = Amount(r.Uint64()), Amount(r.Uint64())
	for range r.Len(12) {
		burn := Burned{Amount: Amount(r.Uint64()), Proof: r.String()}
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
		if n := len(burn.Proof); burn.Amount == 0 || n == 0 || n > proofBytes {
			return nil, fmt.Errorf("%w: burn of %s with a proof of %d bytes", ErrSnapshot, burn.Amount, n)
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
	w.Uint64(uint64(s.minted))
	w.Uint64(uint64(s.burned))
	w.Len(len(s.burns))
	for _, b := range s.burns {
		w.Uint64(uint64(b.Amount))
		w.String(b.Proof)
	}
	return w
}
