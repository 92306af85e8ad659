package challenge

import (
	"fmt"
	"time"
)

// Fit completes a spec for a device: it sets N and Rounds so that the work takes about want at the rate, which is rounded
// down to whole rounds and is at least one, and all that the prover holds fits into free bytes. N is the largest power of two
// of which a round fits the time, since hashing weighs less then. If the spec has a table, the table becomes 9 tenths of
// what is free, rounded down to a line, and the work gets the rest. Errors wrap ErrInvalid: rate or time of zero, memory too
// small for the least N, or a spec that is not valid otherwise.
func Fit(s Spec, opsPerSec uint64, want time.Duration, free uint64) (Spec, error) {
	if opsPerSec == 0 || want <= 0 {
		return Spec{}, fmt.Errorf("%w: %d operations a second for %v, want both above 0", ErrInvalid, opsPerSec, want)
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
