package challenge

import (
	"fmt"
	"time"
)

// Fit completes a spec for a device: it sets N and Rounds so that the work takes about want at the rate, which is rounded
// down to whole rounds and is at least one, and all that the prover holds fits into free bytes. N is the largest power of two
// of which a round fits the time, since hashing weighs less then. If the spec has a table, the table becomes 9 tenths of
// what is free, rounded down to a line, and the work gets the rest; its walk is FitWalk's. Errors wrap ErrInvalid: rate or
// time of zero, memory too small for the least N, or a spec that is not valid otherwise.
func Fit(s Spec, opsPerSec uint64, want time.Duration, free uint64) (Spec, error) {
	if opsPerSec == 0 || want <= 0 {
		return Spec{}, fmt.Errorf("%w: %d operations a second for %v, want both above 0", ErrInvalid, opsPerSec, want)
	}
	if err := checkPower("width", s.Width, MinWidth, MaxWidth); err != nil {
		return Spec{}, err
	}
	if s.Memory != (MemorySpec{}) {
		s.Memory.Bytes = min(mulDiv(free, 9, 10)/EntryBytes*EntryBytes, MaxTable)
	}
	n := uint32(MaxSide)
	for s.N, s.Rounds = n, 1; n > max(MinSide, s.Width) && (s.DeviceBytes() > free || takes(s.Ops(), opsPerSec) > want); s.N = n {
		n /= 2
	}
	s.Rounds = uint32(min(max(uint64(want)/max(uint64(takes(s.Ops(), opsPerSec)), 1), 1), MaxRounds))
	for s.Rounds > 1 && s.DeviceBytes() > free {
		s.Rounds--
	}
	if need := s.DeviceBytes(); need > free {
		return Spec{}, fmt.Errorf("%w: %d bytes free, want %d for n %d", ErrInvalid, free, need, s.N)
	}
	return s, s.Validate()
}

// FitWalk completes the walk of a table: it sets Lanes, Segments and Steps so that the walk takes at most want at the rate, and
// at least one read. A walk must last long enough that the line's delay, which is credited, is noise: in the time of the
// credit alone a table on the far side of a bus could be walked. The Lanes, Steps and Openings given are the most lanes, about
// the least steps, and the most openings. Errors wrap ErrInvalid: rate or time of zero, lanes or steps out of bounds.
func FitWalk(m MemorySpec, readsPerSec uint64, want time.Duration) (MemorySpec, error) {
	if readsPerSec == 0 || want <= 0 {
		return MemorySpec{}, fmt.Errorf("%w: %d reads a second for %v, want both above 0", ErrInvalid, readsPerSec, want)
	}
	if err := checkPower("memory lanes", m.Lanes, 1, MaxLanes); err != nil {
		return MemorySpec{}, err
	}
	if err := checkRange("memory steps", uint64(m.Steps), 1, MaxSteps); err != nil {
		return MemorySpec{}, err
	}
	reads := max(mulDiv(readsPerSec, uint64(want), uint64(time.Second)), 1)
	for uint64(m.Lanes) > reads {
		m.Lanes /= 2
	}
	m.Segments = 1
	most := min(MaxSegments, maxEnds/m.Lanes)
	for m.Segments < most && 2*uint64(m.Segments)*uint64(m.Lanes)*uint64(m.Steps) <= reads {
		m.Segments *= 2
	}
	m.Steps = uint32(min(reads/m.Leaves(), MaxSteps))
	m.Openings = uint32(min(uint64(m.Openings), m.Leaves()))
	return m, nil
}
