package challenge_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/internal/golden"
)

// TestVerifyOracle: what the plain reading of the protocol commits and opens is what the verifier takes, for every shape.
func TestVerifyOracle(t *testing.T) {
	for _, s := range []challenge.Spec{
		small(challenge.Int8, 64, 1, 16, 1), small(challenge.Int8, 64, 3, 64, 192), small(challenge.Fp16Ints, 64, 2, 32, 128),
		small(challenge.Int8, 128, 2, 16, 256), small(challenge.Fp16Ints, 128, 1, 128, 128),
	} {
		t.Run(fmt.Sprintf("%v/%d/%d", s.Kind, s.N, s.Width), func(t *testing.T) {
			p := oracleCommit(s, nil)
			for b := range byte(3) {
				require.NoError(t, challenge.Verify(s, p.roots, nonce(b), p.open(nonce(b))))
			}
		})
	}
}

// TestGoldenRoots pins the bytes that provers on other hardware have to give.
func TestGoldenRoots(t *testing.T) {
	var b strings.Builder
	for _, s := range []challenge.Spec{
		small(challenge.Int8, 64, 2, 16, 8), small(challenge.Fp16Ints, 64, 2, 16, 8), small(challenge.Int8, 128, 1, 32, 8),
		small(challenge.Fp16Ints, 128, 1, 64, 8), small(challenge.Int8, 256, 1, 256, 8), small(challenge.Fp16Ints, 256, 1, 32, 8),
	} {
		fmt.Fprintf(&b, "%v n=%d rounds=%d width=%d\n", s.Kind, s.N, s.Rounds, s.Width)
		for _, r := range oracleCommit(s, nil).roots.Roots {
			fmt.Fprintln(&b, r)
		}
	}
	golden.Check(t, "testdata/roots.golden", b.String())
}

func reasonOf(t *testing.T, err error) challenge.Reason {
	t.Helper()
	var answer *challenge.AnswerError
	require.ErrorAs(t, err, &answer)
	return answer.Reason
}

// TestVerifyMutations changes each part of a good answer; each change is found, and named.
func TestVerifyMutations(t *testing.T) {
	s := small(challenge.Int8, 64, 2, 16, 12)
	p := oracleCommit(s, nil)
	for _, row := range []struct {
		name   string
		change func(o []challenge.Opening) []challenge.Opening
		want   challenge.Reason
	}{
		{"one fewer", func(o []challenge.Opening) []challenge.Opening { return o[1:] }, challenge.Shape},
		{"one more", func(o []challenge.Opening) []challenge.Opening { return append(o, o[0]) }, challenge.Shape},
		{"swapped", func(o []challenge.Opening) []challenge.Opening { o[0], o[1] = o[1], o[0]; return o }, challenge.Shape},
		{"another round", func(o []challenge.Opening) []challenge.Opening { o[3].Round ^= 1; return o }, challenge.Shape},
		{"another leaf", func(o []challenge.Opening) []challenge.Opening { o[3].Leaf ^= 1; return o }, challenge.Shape},
		{"a value fewer", func(o []challenge.Opening) []challenge.Opening { o[2].Values = o[2].Values[1:]; return o }, challenge.Shape},
		{"a node fewer", func(o []challenge.Opening) []challenge.Opening { o[2].Path = o[2].Path[1:]; return o }, challenge.Shape},
		{"a value", func(o []challenge.Opening) []challenge.Opening { o[11].Values[15]++; return o }, challenge.MerklePath},
		{"a node", func(o []challenge.Opening) []challenge.Opening { o[0].Path[7][31] ^= 1; return o }, challenge.MerklePath},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, row.want, reasonOf(t, challenge.Verify(s, p.roots, nonce(7), row.change(p.open(nonce(7))))))
		})
	}
	var answer *challenge.AnswerError
	err := challenge.Verify(s, challenge.Commitment{Roots: p.roots.Roots[:1]}, nonce(7), p.open(nonce(7)))
	require.ErrorAs(t, err, &answer)
	require.Equal(t, challenge.Shape, answer.Reason)
	err = challenge.Verify(s, challenge.Commitment{Roots: []challenge.Hash{{1}, {1}}}, nonce(7), p.open(nonce(7)))
	require.ErrorContains(t, err, "root of round 1 is that of a round before")
	s.N = 63
	require.ErrorIs(t, challenge.Verify(s, p.roots, nonce(7), nil), challenge.ErrInvalid)
}

// TestMutatedOpenings: of 10^5 answers with a random change in bytes or structure, none is accepted.
func TestMutatedOpenings(t *testing.T) {
	s := small(challenge.Int8, 64, 2, 16, 4)
	p := oracleCommit(s, nil)
	v, err := challenge.NewVerifier(s, p.roots, nonce(1))
	require.NoError(t, err)
	good := p.open(nonce(1))
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		i := rng.IntN(len(good))
		o := good[i]
		o.Values, o.Path = append([]int32(nil), o.Values...), append([]challenge.Hash(nil), o.Path...)
		switch rng.IntN(6) {
		case 0:
			o.Values[rng.IntN(len(o.Values))] ^= 1 << rng.IntN(32)
		case 1:
			o.Path[rng.IntN(len(o.Path))][rng.IntN(32)] ^= 1 << rng.IntN(8)
		case 2:
			o.Leaf ^= 1 << rng.IntN(8)
		case 3:
			o.Round ^= 1 << rng.IntN(32)
		case 4:
			o.Path = o.Path[:rng.IntN(len(o.Path))]
		case 5:
			o.Values = o.Values[:rng.IntN(len(o.Values))]
		}
		if v.VerifyOne(i, o) == nil {
			t.Fatalf("accepted %+v for %+v", o, good[i])
		}
	}
	require.NoError(t, challenge.Verify(s, p.roots, nonce(1), good), "the answer itself was not spoilt")
}

// TestLieInTheTree: a wrong value that was committed has a good path; only the value gives it away.
func TestLieInTheTree(t *testing.T) {
	s := small(challenge.Int8, 64, 1, 16, 256)
	p := oracleCommit(s, func(_, leaf int, values []int32) {
		if leaf == 77 {
			values[5]--
		}
	})
	err := challenge.Verify(s, p.roots, nonce(1), p.open(nonce(1)))
	require.Equal(t, challenge.Value, reasonOf(t, err))
	require.ErrorContains(t, err, "opening 77: round 0 row 19 column 21")
}

// TestReplay: an answer to one task is none to any other that differs in a single field.
func TestReplay(t *testing.T) {
	s := small(challenge.Int8, 64, 2, 16, 8)
	p := oracleCommit(s, nil)
	good := p.open(nonce(1))
	require.NoError(t, challenge.Verify(s, p.roots, nonce(1), good))
	for name, change := range map[string]func(s *challenge.Spec){
		"session":  func(s *challenge.Spec) { s.Session[31]++ },
		"device":   func(s *challenge.Spec) { s.Device = "GPU-1" },
		"kind":     func(s *challenge.Spec) { s.Kind = challenge.Fp16Ints },
		"side":     func(s *challenge.Spec) { s.N = 128 },
		"rounds":   func(s *challenge.Spec) { s.Rounds = 3 },
		"width":    func(s *challenge.Spec) { s.Width = 32 },
		"openings": func(s *challenge.Spec) { s.Openings = 9 },
		"memory":   func(s *challenge.Spec) { s.Memory = tabled().Memory },
	} {
		other := s
		change(&other)
		require.NotEqual(t, s.Seed(), other.Seed(), name)
		require.NotEqual(t, s.TableSeed(), other.TableSeed(), name)
		require.Error(t, challenge.Verify(other, p.roots, nonce(1), good), name)
		// Even where the spec's own leaves are opened, they are those of other work.
		moved := &oracleProver{spec: other, leaves: p.leaves, trees: p.trees, roots: p.roots}
		if other.N == s.N && other.Rounds == s.Rounds && other.Width == s.Width {
			require.Equal(t, challenge.Value, reasonOf(t, challenge.Verify(other, p.roots, nonce(1), moved.open(nonce(1)))), name)
		}
	}
	require.Error(t, challenge.Verify(s, p.roots, nonce(2), good), "another nonce asks for other leaves")
}

// TestIndices: distinct, ascending, in range, bound to every input, and close to uniform.
func TestIndices(t *testing.T) {
	s := small(challenge.Int8, 64, 3, 16, 100)
	c := challenge.Commitment{Roots: []challenge.Hash{{1}, {2}, {3}}}
	counts := make([]int, 3*256)
	for b := range 200 {
		list := challenge.Indices(s, c, challenge.Hash{byte(b)})
		require.Len(t, list, 100)
		last := -1
		for _, x := range list {
			require.Less(t, x.Round, uint32(3))
			require.Less(t, x.Leaf, uint32(256))
			at := int(x.Round)*256 + int(x.Leaf)
			require.Greater(t, at, last)
			last = at
			counts[at]++
		}
	}
	for i, n := range counts { // 200 draws with a chance of 100/768: 26 expected, deviation 4.8
		require.InDelta(t, 26, n, 27, "leaf %d", i)
		require.Positive(t, n)
	}
	base := challenge.Indices(s, c, nonce(1))
	require.NotEqual(t, base, challenge.Indices(s, c, nonce(2)))
	require.NotEqual(t, base, challenge.Indices(s, challenge.Commitment{Roots: []challenge.Hash{{1}, {2}, {4}}}, nonce(1)))
	all := small(challenge.Int8, 64, 1, 16, 256)
	require.Len(t, challenge.Indices(all, c, nonce(1)), 256)
	all.Openings++
	require.Nil(t, challenge.Indices(all, c, nonce(1)))
	require.Nil(t, challenge.WalkIndices(s, challenge.WalkCommitment{}, nonce(1), nonce(2)), "no table")
}

// TestVerifierSpread: any split of the openings over goroutines finds the same fault.
func TestVerifierSpread(t *testing.T) {
	s := small(challenge.Int8, 64, 1, 16, 64)
	p := oracleCommit(s, func(_, leaf int, values []int32) { values[0] += int32(leaf % 2) })
	v, err := challenge.NewVerifier(s, p.roots, nonce(1))
	require.NoError(t, err)
	require.Equal(t, challenge.Indices(s, p.roots, nonce(1)), v.Indices())
	o := p.open(nonce(1))
	errs := make(chan error, len(o))
	for i := range o {
		go func() { errs <- v.VerifyOne(i, o[i]) }()
	}
	bad := 0
	for range o {
		if e := <-errs; e != nil {
			var answer *challenge.AnswerError
			require.ErrorAs(t, e, &answer)
			bad++
		}
	}
	want := 0
	for _, x := range v.Indices() {
		want += int(x.Leaf % 2)
	}
	require.Equal(t, want, bad)
}
