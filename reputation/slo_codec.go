package reputation

import (
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const sloDomain = "idlegrid/reputation/slo/v1"

// Digest is the SHA-256 of the canonical encoding of the whole state, contract included.
func (s *SLO) Digest() [32]byte { return s.encode().Sum() }

// Snapshot returns the state in canonical form, for RestoreSLO.
func (s *SLO) Snapshot() []byte { return s.encode().Data() }

// encode leaves out what follows from the rest: the end of the period, and which rules are exceeded.
func (s *SLO) encode() *canon.Writer {
	w := canon.NewWriter(sloDomain)
	sum := s.contract.sum()
	w.Raw(sum[:])
	w.Uint8(uint8(s.phase))
	for _, v := range []uint32{s.now, s.start, s.judged, s.seen, s.from} {
		w.Uint32(v)
	}
	w.Uint64(s.boot)
	w.Bool(s.up)
	w.Bool(s.gone)
	for _, c := range []tally{s.current, s.past} {
		for _, v := range []uint32{c.good, c.lost, c.excused, c.mute, c.outages, c.restarts} {
			w.Uint32(v)
		}
	}
	w.Uint32(s.lost.merged)
	w.Len(len(s.lost.lapses))
	for i, x := range s.lost.lapses {
		w.Uint32(x.from)
		w.Uint32(x.to)
		w.Uint32(s.lost.seconds(i))
	}
	w.Len(len(s.windows))
	for _, x := range s.windows {
		w.Uint32(x.from)
		w.Uint32(x.to)
	}
	return w
}

// RestoreSLO returns the promise that a snapshot was taken of. The contract must be the one that it was taken under. It never
// panics on any input; errors wrap ErrInvalid.
func RestoreSLO(c Contract, snapshot []byte) (*SLO, error) {
	s, err := NewSLO(c)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(snapshot, sloDomain)
	want, got := c.sum(), [32]byte{}
	if r.Raw(got[:]); r.Err() == nil && got != want {
		return nil, fmt.Errorf("%w: snapshot of another contract than %q for %q", ErrInvalid, c.Version, string(c.Scope))
	}
	s.phase = phase(r.Uint8())
	for _, v := range []*uint32{&s.now, &s.start, &s.judged, &s.seen, &s.from} {
		*v = r.Uint32()
	}
	s.boot, s.up, s.gone = r.Uint64(), r.Bool(), r.Bool()
	for _, c := range []*tally{&s.current, &s.past} {
		for _, v := range []*uint32{&c.good, &c.lost, &c.excused, &c.mute, &c.outages, &c.restarts} {
			*v = r.Uint32()
		}
	}
	s.lost.merged = r.Uint32()
	for range r.Len(12) {
		s.lost.lapses = append(s.lost.lapses, lapse{from: r.Uint32(), to: r.Uint32(), before: s.lost.total})
		s.lost.total += r.Uint32()
	}
	for range r.Len(8) {
		s.windows = append(s.windows, window{from: r.Uint32(), to: r.Uint32()})
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	if s.phase != waiting {
		s.to = s.contract.periodEnd(s.from)
	}
	for i := range s.rules {
		if s.rules[i].exceeded(s.instantly(), s.judged) {
			s.burning |= 1 << i
		}
	}
	if err := s.Audit(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	return s, nil
}
