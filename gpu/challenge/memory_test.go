package challenge_test

import (
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// TestEntryOracle: a cell is the end of its own chain of Philox calls.
func TestEntryOracle(t *testing.T) {
	seed := challenge.Seed{1, 2, 3, 4}
	for _, j := range []uint64{0, 1, 0xffffffff, 1 << 32, 1<<33 - 1} {
		m := challenge.MemorySpec{Cost: 5}
		e := m.Entry(seed, j)
		for q := range uint32(8) {
			c := [4]uint32{uint32(j), uint32(j>>32) | 1<<30 | q<<26, 3, 4}
			for i := range uint32(5) {
				c = oraclePhilox(c, [2]uint32{1 ^ i, 2})
			}
			require.Equal(t, c[:], e[4*q:4*q+4], "entry %d cell %d", j, q)
		}
	}
}

// TestWalkOracle walks again, word by word as the package comment says.
func TestWalkOracle(t *testing.T) {
	s := tabled()
	c, open := walked(t)
	require.NoError(t, challenge.VerifyWalk(s, c, nonce(3), nonce(4), open))
	seed, m := s.TableSeed(), s.Memory
	var leaves [][]int32
	for lane := range m.Lanes {
		n := nonce(3)
		first := oracleHash("idlegrid/gpu/challenge/lane/v1", n[:], []byte{0, 0, 0, byte(lane)})
		h := challenge.State{}
		for i := range h {
			h[i] = bits.ReverseBytes32(uint32(first[4*i])<<24 | uint32(first[4*i+1])<<16 | uint32(first[4*i+2])<<8 | uint32(first[4*i+3]))
		}
		require.Equal(t, h, challenge.LaneStart(n, lane))
		for range m.Segments {
			for range m.Steps {
				j, _ := bits.Mul64(uint64(h[1])<<32+uint64(h[0]), m.Bytes/128)
				e := m.Entry(seed, j)
				for q := range 8 {
					h = oraclePhilox([4]uint32{h[0] ^ e[4*q], h[1] ^ e[4*q+1], h[2] ^ e[4*q+2], h[3] ^ e[4*q+3]}, [2]uint32{seed[0], seed[1]})
				}
			}
			leaves = append(leaves, []int32{int32(h[0]), int32(h[1]), int32(h[2]), int32(h[3])})
		}
	}
	tree := oracleTree(leaves)
	require.Equal(t, tree[len(tree)-1][0], c.Root)
}

func TestVerifyWalkRefusals(t *testing.T) {
	s := tabled()
	c, _ := walked(t)
	for _, row := range []struct {
		name   string
		change func(o []challenge.WalkOpening) []challenge.WalkOpening
		want   challenge.Reason
	}{
		{"one fewer", func(o []challenge.WalkOpening) []challenge.WalkOpening { return o[1:] }, challenge.WalkShape},
		{"another", func(o []challenge.WalkOpening) []challenge.WalkOpening { o[0].Segment++; return o }, challenge.WalkShape},
		{"a node fewer", func(o []challenge.WalkOpening) []challenge.WalkOpening { o[0].ToPath = o[0].ToPath[1:]; return o }, challenge.WalkShape},
		{"an end", func(o []challenge.WalkOpening) []challenge.WalkOpening { o[1].To[0]++; return o }, challenge.WalkPath},
		{"a node", func(o []challenge.WalkOpening) []challenge.WalkOpening { o[1].ToPath[0][0]++; return o }, challenge.WalkPath},
		{"a start", func(o []challenge.WalkOpening) []challenge.WalkOpening { o[inner(o)].From[3]++; return o }, challenge.WalkPath},
		{"a start's node", func(o []challenge.WalkOpening) []challenge.WalkOpening { o[inner(o)].FromPath[3][0]++; return o }, challenge.WalkPath},
		{"a start's path", func(o []challenge.WalkOpening) []challenge.WalkOpening { o[inner(o)].FromPath = nil; return o }, challenge.WalkShape},
		{"a start of a lane", func(o []challenge.WalkOpening) []challenge.WalkOpening { o[first(o)].From[0]++; return o }, challenge.WalkShape},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, o := walked(t)
			require.Equal(t, row.want, reasonOf(t, challenge.VerifyWalk(s, c, nonce(3), nonce(4), row.change(o))))
		})
	}
	_, o := walked(t)
	require.Error(t, challenge.VerifyWalk(s, c, nonce(5), nonce(4), o), "a walk from another nonce")
	require.Error(t, challenge.VerifyWalk(s, c, nonce(3), nonce(5), o), "openings for another nonce")
	s.Memory = challenge.MemorySpec{}
	require.ErrorIs(t, challenge.VerifyWalk(s, c, nonce(3), nonce(4), o), challenge.ErrInvalid)
	s.N = 0
	require.ErrorIs(t, challenge.VerifyWalk(s, c, nonce(3), nonce(4), o), challenge.ErrInvalid)
}

// inner is the first segment that does not begin a lane, first one that does.
func inner(o []challenge.WalkOpening) int {
	for i := range o {
		if o[i].Segment%tabled().Memory.Segments > 0 {
			return i
		}
	}
	panic("no inner segment: draw with another nonce")
}

func first(o []challenge.WalkOpening) int {
	for i := range o {
		if o[i].Segment%tabled().Memory.Segments == 0 {
			return i
		}
	}
	panic("no first segment: draw with another nonce")
}

// TestProduct: a right product passes, a single wrong entry does not, for both kinds.
func TestProduct(t *testing.T) {
	for _, k := range []challenge.Kind{challenge.Int8, challenge.Fp16Ints} {
		seed, n := challenge.Seed{1, 2, 3, 4}, uint32(96)
		c := make([]int32, n*n)
		for i := range n {
			seed.Entries(c[i*n:(i+1)*n], k, n, i, 0)
		}
		for coin := range uint32(10) {
			require.True(t, challenge.CheckProduct(seed, k, n, c, challenge.Seed{coin, 7}, 2))
		}
		for _, i := range []int{0, 95, 4000, 96*96 - 1} {
			for _, d := range []int32{1, -1, 1 << 30} {
				c[i] += d
				require.False(t, challenge.CheckProduct(seed, k, n, c, challenge.Seed{uint32(i), 7}, 1))
				c[i] -= d
			}
		}
		require.Panics(t, func() { challenge.CheckProduct(seed, k, n, c[1:], challenge.Seed{}, 1) })
	}
}
