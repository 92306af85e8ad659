package challenge

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// LeafHash is SHA-256 of the values, big endian, and four zero bytes.
func LeafHash(values []int32) Hash {
	b := make([]byte, 0, 256)
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	return sha256.Sum256(append(b, 0, 0, 0, 0))
}

// NodeHash is SHA-256 of left, right and be32(1). The last word tells a node from a leaf: no leaf passes for a node.
func NodeHash(left, right Hash) Hash {
	var b [68]byte
	copy(b[:], left[:])
	copy(b[32:], right[:])
	b[67] = 1
	return sha256.Sum256(b[:])
}

// Tree is a complete binary Merkle tree, immutable once made. A tree over the nodes of some level of another has its root,
// and the upper part of its paths.
type Tree struct {
	levels [][]Hash // the given nodes first, the root last
}

// NewTree makes a tree over nodes, which it keeps and the caller must not change. It panics unless their number is a power
// of two.
func NewTree(nodes []Hash) Tree {
	if bits.OnesCount(uint(len(nodes))) != 1 {
		panic(fmt.Sprintf("challenge: NewTree: %d nodes, want a power of two", len(nodes)))
	}
	t := Tree{levels: [][]Hash{nodes}}
	for len(nodes) > 1 {
		up := make([]Hash, len(nodes)/2)
		for i := range up {
			up[i] = NodeHash(nodes[2*i], nodes[2*i+1])
		}
		t.levels, nodes = append(t.levels, up), up
	}
	return t
}

// Root is the hash over all; the zero Tree has none and gives zeros.
func (t Tree) Root() Hash {
	if len(t.levels) == 0 {
		return Hash{}
	}
	return t.levels[len(t.levels)-1][0]
}

// Path returns the siblings from node i up to below the root. It panics if there is no node i.
func (t Tree) Path(i uint64) []Hash {
	if len(t.levels) == 0 || i >= uint64(len(t.levels[0])) {
		panic(fmt.Sprintf("challenge: Tree.Path: no node %d", i))
	}
	path := make([]Hash, 0, len(t.levels)-1)
	for _, level := range t.levels[:len(t.levels)-1] {
		path = append(path, level[i^1])
		i >>= 1
	}
	return path
}

// CheckPath reports whether leaf is leaf i under root in a tree of depth len(path).
func CheckPath(root, leaf Hash, i uint64, path []Hash) bool {
	if len(path) < 64 && i>>len(path) != 0 {
		return false
	}
	return climb(leaf, i, path) == root
}

// climb returns the ancestor of node i that stands above all of path.
func climb(node Hash, i uint64, path []Hash) Hash {
	for _, sibling := range path {
		if i&1 == 0 {
			node = NodeHash(node, sibling)
		} else {
			node = NodeHash(sibling, node)
		}
		i >>= 1
	}
	return node
}
