package challenge

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Bounds of a MemorySpec.
const (
	EntryBytes  = 128     // bytes that one step of a walk reads
	MinTable    = 1 << 12 // bytes
	MaxTable    = 1 << 40 // bytes
	MaxCost     = 1 << 16 // Philox calls for a cell
	MaxLanes    = 1 << 20 // walks side by side
	MaxSegments = 1 << 16 // of a lane
	MaxSteps    = 1 << 16 // of a segment
	maxEnds     = 1 << 26 // segments of all lanes: 1 GiB of states
)

// MemorySpec is a table that has to be resident, and the walk that shows it.
type MemorySpec struct {
	Bytes    uint64 `json:"bytes,string"` // size of the table, a multiple of 128 from 4 KiB to 1 TiB
	Cost     uint32 `json:"cost"`         // Philox calls for a cell of 16 bytes, 1 to 65536: what it costs not to hold the table
	Lanes    uint32 `json:"lanes"`        // walks side by side, a power of two to 2^20; about 10^5 hide a GPU's latency
	Segments uint32 `json:"segments"`     // committed states of a lane, a power of two to 2^16; at most 2^26 of all lanes
	Steps    uint32 `json:"steps"`        // reads of a segment, 1 to 65536
	Openings uint32 `json:"openings"`     // segments to be recomputed, 1 to 4096 and at most all
}

// Entry is one line of the table: 8 cells of four words.
type Entry [32]uint32

// Validate returns nil or an error that wraps ErrInvalid and names the field and its limit.
func (m MemorySpec) Validate() error {
	if m.Bytes%EntryBytes != 0 {
		return fmt.Errorf("%w: memory bytes %d, want a multiple of %d", ErrInvalid, m.Bytes, EntryBytes)
	}
	if err := checkRange("memory bytes", m.Bytes, MinTable, MaxTable); err != nil {
		return err
	}
	if err := checkRange("memory cost", uint64(m.Cost), 1, MaxCost); err != nil {
		return err
	}
	if err := checkPower("memory lanes", m.Lanes, 1, MaxLanes); err != nil {
		return err
	}
	if err := checkPower("memory segments", m.Segments, 1, MaxSegments); err != nil {
		return err
	}
	if err := checkRange("memory lanes x segments", m.Leaves(), 1, maxEnds); err != nil {
		return err
	}
	if err := checkRange("memory steps", uint64(m.Steps), 1, MaxSteps); err != nil {
		return err
	}
	return checkRange("memory openings", uint64(m.Openings), 1, min(MaxOpenings, m.Leaves()))
}

// Entries is the number of lines of the table.
func (m MemorySpec) Entries() uint64 { return m.Bytes / EntryBytes }

// Leaves is the number of segments of all lanes.
func (m MemorySpec) Leaves() uint64 { return uint64(m.Lanes) * uint64(m.Segments) }

// Reads is the number of entries that a whole walk reads.
func (m MemorySpec) Reads() uint64 { return m.Leaves() * uint64(m.Steps) }

// Entry computes line j of the table of a seed: 8*Cost calls of Philox. Each cell has a chain of its own. With one chain for
// all, the last cells would follow from the first and 16 bytes would do for 128.
func (m MemorySpec) Entry(table Seed, j uint64) Entry {
	var cells [8][4]uint32
	for q := range cells {
		cells[q] = [4]uint32{uint32(j), uint32(j>>32) | 1<<30 | uint32(q)<<26, table[2], table[3]}
	}
	for i := range m.Cost { // the chains two by two: a processor works on both at once
		key := [2]uint32{table[0] ^ i, table[1]}
		for q := range 4 {
			philoxTwo(&cells[2*q], &cells[2*q+1], key)
		}
	}
	var e Entry
	for q := range cells {
		copy(e[4*q:], cells[q][:])
	}
	return e
}

// LaneStart is the state that a lane starts from.
func LaneStart(nonce [32]byte, lane uint32) State {
	h := hashFields("idlegrid/gpu/challenge/lane/v1", nonce[:], binary.BigEndian.AppendUint32(nil, lane))
	return State(seedFrom(h))
}

// Line is the entry that a lane in this state reads, of a table of that many.
func (h State) Line(entries uint64) uint64 {
	j, _ := bits.Mul64(uint64(h[1])<<32|uint64(h[0]), entries)
	return j
}

// Absorb is the state after reading an entry: its cells go through Philox one after another, so that all of the line is
// needed, and in order. (Under an XOR of the cells the XOR alone would do.)
func (h State) Absorb(table Seed, e *Entry) State {
	for q := 0; q < len(e); q += 4 {
		h = Philox([4]uint32{h[0] ^ e[q], h[1] ^ e[q+1], h[2] ^ e[q+2], h[3] ^ e[q+3]}, [2]uint32{table[0], table[1]})
	}
	return h
}

// Hash is the leaf of the state in the walk's tree.
func (h State) Hash() Hash {
	return LeafHash([]int32{int32(h[0]), int32(h[1]), int32(h[2]), int32(h[3])})
}
