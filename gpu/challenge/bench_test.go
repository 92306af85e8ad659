package challenge_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// answered has the shape of an answer, without the work of it.
func answered(s challenge.Spec) []challenge.Opening {
	var out []challenge.Opening
	for _, x := range challenge.Indices(s, challenge.Commitment{Roots: []challenge.Hash{{1}, {2}, {3}, {4}}}, challenge.Hash{9}) {
		out = append(out, challenge.Opening{Index: x, Values: make([]int32, s.Width), Path: make([]challenge.Hash, s.Depth())})
	}
	return out
}

// BenchmarkVerify is the cost of a whole answer on one core: all values of 128 openings and as many paths. The values are
// recomputed by what Verify calls, since no processor commits to N = 16384 in a benchmark's time.
func BenchmarkVerify(b *testing.B) {
	for _, k := range []challenge.Kind{challenge.Int8, challenge.Fp16Ints} {
		for _, n := range []uint32{4096, 16384} {
			b.Run(fmt.Sprintf("%v/n=%d/k=128/w=32", k, n), func(b *testing.B) {
				s := small(k, n, 4, 32, 128)
				seed, list, values := s.Seed(), answered(s), make([]int32, s.Width)
				for b.Loop() {
					for i := range list {
						o := &list[i]
						challenge.CheckPath(challenge.Hash{1}, challenge.LeafHash(o.Values), uint64(o.Leaf), o.Path)
						seed.Entries(values, k, n, o.Leaf/(n/32), o.Leaf%(n/32)*32)
					}
				}
			})
		}
	}
}

// BenchmarkVerifyWalk is 8 segments of 256 reads at a cost of 256.
func BenchmarkVerifyWalk(b *testing.B) {
	m, seed, h := challenge.MemorySpec{Cost: 256}, challenge.Seed{1, 2, 3, 4}, challenge.State{1}
	for b.Loop() {
		for range 8 * 256 {
			e := m.Entry(seed, h.Line(1<<30))
			h = h.Absorb(seed, &e)
		}
	}
}

func BenchmarkCheckProduct(b *testing.B) {
	c := make([]int32, 1024*1024)
	seed := challenge.Seed{1, 2, 3, 4}
	for i := range uint32(1024) {
		seed.Entries(c[i*1024:(i+1)*1024], challenge.Int8, 1024, i, 0)
	}
	b.Run("n=1024", func(b *testing.B) {
		for b.Loop() {
			require.True(b, challenge.CheckProduct(seed, challenge.Int8, 1024, c, challenge.Seed{7}, 1))
		}
	})
}

// TestAnswerSize: an answer at N = 16384 with 128 openings of 32 entries is at most 120 kB, whatever the leaves.
func TestAnswerSize(t *testing.T) {
	s := small(challenge.Int8, 16384, 4, 32, 128)
	for b := range byte(4) {
		s.Session = nonce(b + 1)
		s.Rounds = 1 << b
		var list challenge.Openings
		for _, x := range challenge.Indices(s, challenge.Commitment{Roots: make([]challenge.Hash, s.Rounds)}, nonce(b)) {
			list = append(list, challenge.Opening{Index: x, Values: make([]int32, 32), Path: treePath(s.Depth())})
		}
		data, err := list.MarshalBinary()
		require.NoError(t, err)
		require.LessOrEqual(t, len(data), 120_000)
		t.Logf("%d rounds: %d bytes", s.Rounds, len(data))
	}
}

// treePath is a path in a tree of which all leaves are 32 zeros.
func treePath(depth int) (path []challenge.Hash) {
	h := challenge.LeafHash(make([]int32, 32))
	for range depth {
		path = append(path, h)
		h = challenge.NodeHash(h, h)
	}
	return path
}
