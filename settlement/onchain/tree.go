package onchain

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

const (
	// MaxEntries is how many leaves a distributor can have: an account of 10 MiB holds a ledger of that many.
	MaxEntries = (10<<20 - ledgerHead) / 8
	// MaxDepth is the longest proof that the program reads.
	MaxDepth = 32
)

// Hash is a leaf, a node or a root.
type Hash [32]byte

// Address is an account's 32 bytes.
type Address [32]byte

// Entry is one leaf: a token account and the base units it was ever owed.
type Entry struct {
	Account Address
	Total   uint64
}

// Proof is the siblings of a leaf's path, from the bottom.
type Proof []Hash

// Tree is a root's leaves and nodes. It does not change and is safe for concurrent use.
type Tree struct {
	entries []Entry
	levels  [][]Hash // from the leaves to the root; what is to the right of a level is empty
	empty   []Hash   // of each level: what stands for leaves that are not used
	sum     uint64
}

// NewTree makes a tree of 1 to MaxEntries entries; an entry's index is its place. It copies the entries, and refuses an account
// that stands twice, a zero account, and totals that come to more than 2^64-1.
func NewTree(entries []Entry) (*Tree, error) {
	if len(entries) == 0 || len(entries) > MaxEntries {
		return nil, fmt.Errorf("onchain: tree: %d entries, want 1 to %d", len(entries), MaxEntries)
	}
	t := &Tree{entries: slices.Clone(entries)}
	seen := make(map[Address]int, len(entries))
	level := make([]Hash, len(entries))
	for i, e := range t.entries {
		if e.Account == (Address{}) {
			return nil, fmt.Errorf("onchain: tree: entry %d: Account is zero", i)
		}
		if j, twice := seen[e.Account]; twice {
			return nil, fmt.Errorf("onchain: tree: entry %d: Account %x stands at %d already", i, e.Account, j)
		}
		seen[e.Account] = i
		sum, carry := bits.Add64(t.sum, e.Total, 0)
		if carry != 0 {
			return nil, fmt.Errorf("onchain: tree: entry %d: the sum of Total exceeds 2^64-1", i)
		}
		t.sum = sum
		level[i] = leaf(uint32(i), e)
	}
	t.levels = [][]Hash{level}
	t.empty = []Hash{{}}
	for len(level) > 1 {
		none := t.empty[len(t.empty)-1]
		above := make([]Hash, (len(level)+1)/2)
		for i := range above {
			right := none
			if 2*i+1 < len(level) {
				right = level[2*i+1]
			}
			above[i] = node(level[2*i], right)
		}
		t.levels = append(t.levels, above)
		t.empty = append(t.empty, node(none, none))
		level = above
	}
	return t, nil
}

// Len returns the number of entries.
func (t *Tree) Len() int { return len(t.entries) }

// Entry returns the entry at index i. It panics if there is none.
func (t *Tree) Entry(i int) Entry { return t.entries[i] }

// Depth returns the length of the proofs: the logarithm of Len to base 2, rounded up.
func (t *Tree) Depth() int { return len(t.levels) - 1 }

// Root returns the hash that stands for all entries.
func (t *Tree) Root() Hash { return t.levels[len(t.levels)-1][0] }

// Sum returns the sum of all totals, in base units.
func (t *Tree) Sum() uint64 { return t.sum }

// Proof returns the proof of the entry at an index, which has to be less than Len.
func (t *Tree) Proof(index int) (Proof, error) {
	if index < 0 || index >= len(t.entries) {
		return nil, fmt.Errorf("onchain: proof: index %d, want 0 to %d", index, len(t.entries)-1)
	}
	p := make(Proof, t.Depth())
	for d := range p {
		p[d] = t.empty[d]
		if i := index ^ 1; i < len(t.levels[d]) {
			p[d] = t.levels[d][i]
		}
		index >>= 1
	}
	return p, nil
}

// Follows says whether this tree may come after an earlier one of the same distributor: every index keeps its account, and no
// total shrinks. The error names the first entry that breaks this.
func (t *Tree) Follows(earlier *Tree) error {
	if len(t.entries) < len(earlier.entries) {
		return fmt.Errorf("onchain: tree: %d entries, the earlier one has %d", len(t.entries), len(earlier.entries))
	}
	for i, e := range earlier.entries {
		switch now := t.entries[i]; {
		case now.Account != e.Account:
			return fmt.Errorf("onchain: tree: entry %d: Account is %x, was %x", i, now.Account, e.Account)
		case now.Total < e.Total:
			return fmt.Errorf("onchain: tree: entry %d: Total is %d, was %d", i, now.Total, e.Total)
		}
	}
	return nil
}

// Verify says whether the entry is at that index under the root: what the program checks before it pays.
func Verify(root Hash, index uint32, e Entry, p Proof) bool {
	if len(p) > MaxDepth {
		return false
	}
	h := leaf(index, e)
	for _, sibling := range p {
		if index&1 == 1 {
			h = node(sibling, h)
		} else {
			h = node(h, sibling)
		}
		index >>= 1
	}
	return index == 0 && h == root
}

func leaf(index uint32, e Entry) Hash {
	var b [1 + 4 + 32 + 8]byte
	binary.LittleEndian.PutUint32(b[1:], index)
	copy(b[5:], e.Account[:])
	binary.LittleEndian.PutUint64(b[37:], e.Total)
	return sha256.Sum256(b[:])
}

func node(left, right Hash) Hash {
	var b [1 + 32 + 32]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return sha256.Sum256(b[:])
}
