package devicetest

import (
	"sync"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// known holds the roots of tasks: several kernels do the same ones.
var known sync.Map

// Spec is a task for tests. salt makes seeds differ.
func Spec(kind challenge.Kind, n, rounds, width, openings uint32, salt byte) challenge.Spec {
	return challenge.Spec{
		Version: challenge.Version, Kind: kind, Session: challenge.Hash{1, salt}, Device: "GPU-test", N: n, Rounds: rounds, Width: width,
		Openings: openings,
	}
}

// Roots computes all products entry by entry and hashes them as defined.
func Roots(s challenge.Spec) challenge.Commitment {
	c, _ := known.LoadOrStore(s, sync.OnceValue(func() challenge.Commitment { return roots(s) }))
	return c.(func() challenge.Commitment)()
}

func roots(s challenge.Spec) challenge.Commitment {
	var c challenge.Commitment
	seed := s.Seed()
	for range s.Rounds {
		var leaves []challenge.Hash
		row := make([]int32, s.N)
		for r := range s.N {
			seed.Entries(row, s.Kind, s.N, r, 0)
			for at := uint32(0); at < s.N; at += s.Width {
				leaves = append(leaves, challenge.LeafHash(row[at:at+s.Width]))
			}
		}
		root := challenge.NewTree(leaves).Root()
		c.Roots = append(c.Roots, root)
		seed = seed.Next(root)
	}
	return c
}

// Walk makes all steps, computing each entry that is read, and returns the root over the ends of segments.
func Walk(s challenge.Spec, nonce [32]byte) challenge.WalkCommitment {
	m, table := s.Memory, s.TableSeed()
	var leaves []challenge.Hash
	for lane := range m.Lanes {
		h := challenge.LaneStart(nonce, lane)
		for range m.Segments {
			for range m.Steps {
				e := m.Entry(table, h.Line(m.Entries()))
				h = h.Absorb(table, &e)
			}
			leaves = append(leaves, h.Hash())
		}
	}
	return challenge.WalkCommitment{Root: challenge.NewTree(leaves).Root()}
}
