package device

import (
	"context"
	"math/bits"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

const (
	keepFrom  = 4       // level of a tree from which on nodes are kept: 16 leaves below each
	treePiece = 1 << 20 // leaves that are hashed together: 48 MiB of room
)

// tree is a Merkle tree on the device without its lowest levels: nodes of level `low` first, each level behind the one below.
type tree struct {
	nodes  Buffer
	at     uint64 // where it begins in nodes, counted in nodes; even
	leaves uint64 // a power of two
	depth  int
	low    int // the lowest level that is kept
}

func newTree(nodes Buffer, at, leaves uint64) tree {
	depth := bits.Len64(leaves - 1)
	return tree{nodes: nodes, at: at, leaves: leaves, depth: depth, low: min(keepFrom, depth)}
}

// treeNodes is the room that a tree takes, in nodes: one more than it has, so that the next begins at an even place.
func treeNodes(leaves uint64) uint64 { return max(2, 2*(leaves>>keepFrom)) }

// place is where node i of a level stands in nodes: the levels below it hold 2*(leaves>>low) - 2*(leaves>>level).
func (t tree) place(level int, i uint64) uint64 {
	return t.at + 2*(t.leaves>>t.low) - 2*(t.leaves>>level) + i
}

// room is two buffers to hash in, by turns.
type room [2]Buffer

// hashRoom allocates what build needs for trees of that many leaves.
func (a *arena) hashRoom(leaves uint64) (r room, err error) {
	for i := range r {
		if r[i], err = a.alloc(32 * max(1, min(treePiece, leaves)>>i)); err != nil {
			return r, err
		}
	}
	return r, nil
}

// build hashes the leaves, records of `words` words of source, and all above them, and returns the root.
func (t tree) build(ctx context.Context, a *arena, source Buffer, words uint64, r room) (challenge.Hash, error) {
	piece := min(treePiece, t.leaves)
	for first := uint64(0); first < t.leaves; first += piece {
		if err := t.piece(ctx, a, source, words, first, piece, r); err != nil {
			return challenge.Hash{}, err
		}
	}
	for level := t.low + 1; level <= t.depth; level++ {
		n, from, to := t.leaves>>level, t.place(level-1, 0)/2, t.place(level, 0)
		if err := a.launch(ctx, "hash_records", n, t.nodes.arg(), u64(from), u32(16), u32(1), u64(n), t.nodes.arg(), u64(to)); err != nil {
			return challenge.Hash{}, err
		}
	}
	root, err := a.words(t.nodes, 8*t.place(t.depth, 0), 8)
	if err != nil {
		return challenge.Hash{}, err
	}
	return hashes(root)[0], nil
}

// piece hashes leaves first .. first+n-1 up to level low, by way of the room.
func (t tree) piece(ctx context.Context, a *arena, source Buffer, words, first, n uint64, r room) error {
	in, from, tag := source, first, uint32(0)
	for level := 0; level <= t.low; level++ {
		out, to, count := r[level&1], uint64(0), n>>level
		if level == t.low {
			out, to = t.nodes, t.place(level, first>>level)
		}
		err := a.launch(ctx, "hash_records", count, in.arg(), u64(from), u32(uint32(words)), u32(tag), u64(count), out.arg(), u64(to))
		if err != nil {
			return err
		}
		in, from, words, tag = out, 0, 16, 1
	}
	return a.driver.Wait()
}

// places appends where the siblings of leaf i stand, from level low to below the root.
func (t tree) places(to []uint64, i uint64) []uint64 {
	for level := t.low; level < t.depth; level++ {
		to = append(to, t.place(level, i>>level^1))
	}
	return to
}
