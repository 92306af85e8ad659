package challenge

import (
	"encoding/binary"
	"math"
	"slices"
)

// Indices returns the Openings leaves that the nonce asks for, ascending. The commitment and the spec are bound in. It
// returns none for a spec that is not valid.
func Indices(s Spec, c Commitment, nonce [32]byte) []Index {
	if s.Validate() != nil {
		return nil
	}
	roots := make([]byte, 0, 32*len(c.Roots))
	for _, r := range c.Roots {
		roots = append(roots, r[:]...)
	}
	h := hashFields("idlegrid/gpu/challenge/open/v1", s.Session[:], []byte(s.Device), s.shape(), roots, nonce[:])
	drawn := draw(h, s.Leaves()*uint64(s.Rounds), int(s.Openings))
	out := make([]Index, len(drawn))
	for i, x := range drawn {
		out[i] = Index{Round: uint32(x / s.Leaves()), Leaf: uint32(x % s.Leaves())}
	}
	return out
}

// WalkIndices returns the segments that the nonce asks for, ascending; start is the nonce that the walk started from. It
// returns none for a spec that is not valid or has no table.
func WalkIndices(s Spec, c WalkCommitment, start, nonce [32]byte) []uint32 {
	if s.Validate() != nil || s.Memory == (MemorySpec{}) {
		return nil
	}
	h := hashFields("idlegrid/gpu/challenge/walk/v1", s.Session[:], []byte(s.Device), s.shape(), start[:], c.Root[:], nonce[:])
	drawn := draw(h, s.Memory.Leaves(), int(s.Memory.Openings))
	out := make([]uint32, len(drawn))
	for i, x := range drawn {
		out[i] = uint32(x)
	}
	return out
}

// draw returns k distinct numbers below total, ascending. Draws in the last, incomplete multiple of total are left out, so
// that no number is likelier than another.
func draw(h Hash, total uint64, k int) []uint64 {
	limit := math.MaxUint64 / total * total
	seen := make(map[uint64]bool, k)
	out := make([]uint64, 0, k)
	for i := uint64(0); len(out) < k; i++ {
		d := hashFields("idlegrid/gpu/challenge/draw/v1", h[:], binary.BigEndian.AppendUint64(nil, i))
		x := binary.BigEndian.Uint64(d[:])
		if x >= limit || seen[x%total] {
			continue
		}
		seen[x%total] = true
		out = append(out, x%total)
	}
	slices.Sort(out)
	return out
}
