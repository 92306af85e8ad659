package cpu_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

func task(k challenge.Kind, n, rounds, width, openings uint32) challenge.Spec {
	return challenge.Spec{
		Version: challenge.Version, Kind: k, Session: challenge.Hash{1, 2, 3}, Device: "GPU-0", N: n, Rounds: rounds, Width: width, Openings: openings,
	}
}

func provers(t testing.TB) map[string]*cpu.Prover {
	t.Helper()
	out := map[string]*cpu.Prover{}
	for _, plain := range []bool{true, false} {
		for _, workers := range []int{1, 3} {
			p, err := cpu.New(cpu.Config{Workers: workers, MaxBytes: 1 << 30, Plain: plain})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, p.Close()) })
			out[fmt.Sprintf("%s/%d/%v", p.Kernel(), workers, plain)] = p
		}
	}
	return out
}

// TestGoldenRoots: the roots are those that package challenge's plain reading of the protocol gives.
func TestGoldenRoots(t *testing.T) {
	want, err := os.ReadFile("../testdata/roots.golden")
	require.NoError(t, err)
	for name, p := range provers(t) {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, s := range []challenge.Spec{
				task(challenge.Int8, 64, 2, 16, 8), task(challenge.Fp16Ints, 64, 2, 16, 8), task(challenge.Int8, 128, 1, 32, 8),
				task(challenge.Fp16Ints, 128, 1, 64, 8), task(challenge.Int8, 256, 1, 256, 8), task(challenge.Fp16Ints, 256, 1, 32, 8),
			} {
				c, err := p.Commit(t.Context(), s)
				require.NoError(t, err)
				fmt.Fprintf(&b, "%v n=%d rounds=%d width=%d\n", s.Kind, s.N, s.Rounds, s.Width)
				for _, r := range c.Roots {
					fmt.Fprintln(&b, r)
				}
			}
			require.Equal(t, string(want), b.String())
		})
	}
}

// TestOpen: openings of every shape verify, those of groups of leaves that span rows too.
func TestOpen(t *testing.T) {
	for name, p := range provers(t) {
		for _, s := range []challenge.Spec{
			task(challenge.Int8, 64, 2, 64, 128), task(challenge.Int8, 512, 2, 32, 64), task(challenge.Fp16Ints, 512, 1, 16, 64), task(challenge.Int8, 64, 1, 16, 256),
		} {
			_, err := p.Commit(t.Context(), task(challenge.Int8, 64, 1, 16, 1))
			require.NoError(t, err)
			c, err := p.Commit(t.Context(), s)
			require.NoError(t, err)
			o, err := p.Open(t.Context(), [32]byte{7})
			require.NoError(t, err)
			require.NoError(t, challenge.Verify(s, c, [32]byte{7}, o), "%s %+v", name, s)
			c.Roots[0][0]++ // the caller's own
			again, err := p.Open(t.Context(), [32]byte{7})
			require.NoError(t, err)
			require.Equal(t, o, again)
		}
	}
}

// TestWalk: walks verify, whatever the number of workers, and a commitment in between leaves the table in place.
func TestWalk(t *testing.T) {
	s := task(challenge.Int8, 64, 1, 16, 4)
	s.Memory = challenge.MemorySpec{Bytes: 1<<16 + 128, Cost: 4, Lanes: 8, Segments: 8, Steps: 16, Openings: 20}
	var roots []challenge.WalkCommitment
	for _, p := range provers(t) {
		require.NoError(t, p.Fill(t.Context(), s))
		work := s
		work.Session[9]++
		_, err := p.Commit(t.Context(), work)
		require.NoError(t, err)
		_, err = p.OpenWalk(t.Context(), [32]byte{2})
		require.ErrorIs(t, err, cpu.ErrUncommitted)
		c, err := p.Walk(t.Context(), [32]byte{1})
		require.NoError(t, err)
		o, err := p.OpenWalk(t.Context(), [32]byte{2})
		require.NoError(t, err)
		require.NoError(t, challenge.VerifyWalk(s, c, [32]byte{1}, [32]byte{2}, o))
		roots = append(roots, c)
	}
	for _, c := range roots {
		require.Equal(t, roots[0], c)
	}
}

func TestErrors(t *testing.T) {
	for _, bad := range []cpu.Config{{}, {Workers: 1}, {Workers: 1025, MaxBytes: 1}, {Workers: -1, MaxBytes: 1}} {
		_, err := cpu.New(bad)
		require.Error(t, err)
	}
	p, err := cpu.New(cpu.Config{Workers: 2, MaxBytes: 1 << 20})
	require.NoError(t, err)
	_, err = p.Open(t.Context(), [32]byte{})
	require.ErrorIs(t, err, cpu.ErrUncommitted)
	_, err = p.Walk(t.Context(), [32]byte{})
	require.ErrorIs(t, err, cpu.ErrUncommitted)
	_, err = p.Commit(t.Context(), task(challenge.Int8, 1024, 1, 16, 1))
	require.ErrorIs(t, err, cpu.ErrMemory)
	s := task(challenge.Int8, 64, 1, 16, 1)
	s.Memory = challenge.MemorySpec{Bytes: 1 << 12, Cost: 1, Lanes: 1 << 15, Segments: 1, Steps: 1, Openings: 1}
	require.Less(t, s.DeviceBytes(), uint64(1<<20))
	require.ErrorIs(t, p.Fill(t.Context(), s), cpu.ErrMemory, "the tree of the walk is five times what its states take")
	_, err = p.Commit(t.Context(), challenge.Spec{})
	require.ErrorIs(t, err, challenge.ErrInvalid)
	require.ErrorIs(t, p.Fill(t.Context(), task(challenge.Int8, 64, 1, 16, 1)), challenge.ErrInvalid)
	s = task(challenge.Int8, 64, 1, 16, 1)
	s.Memory = challenge.MemorySpec{Bytes: 1 << 12, Cost: 1, Lanes: 1, Segments: 1, Steps: 1, Openings: 1}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = p.Commit(ended, s)
	require.ErrorIs(t, err, context.Canceled)
	_, err = p.Open(t.Context(), [32]byte{})
	require.ErrorIs(t, err, cpu.ErrUncommitted, "a commitment that was cut short is none")
	require.ErrorIs(t, p.Fill(ended, s), context.Canceled)
	require.NoError(t, p.Fill(t.Context(), s))
	_, err = p.Walk(ended, [32]byte{})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	_, err = p.Walk(t.Context(), [32]byte{})
	require.ErrorIs(t, err, cpu.ErrUncommitted)
}

func BenchmarkCommit(b *testing.B) {
	for name, p := range provers(b) {
		b.Run(name+"/n=1024", func(b *testing.B) {
			s := task(challenge.Int8, 1024, 1, 32, 1)
			b.SetBytes(int64(s.Ops() / 2)) // MB/s are millions of products a second
			for b.Loop() {
				_, err := p.Commit(b.Context(), s)
				require.NoError(b, err)
			}
		})
	}
}
