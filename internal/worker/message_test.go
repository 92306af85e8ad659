package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
	"github.com/idlegrid/idlegrid/internal/worker"
)

// answers has one answer of every kind, as a real prover gives them.
func answers(t testing.TB) []worker.Answer {
	t.Helper()
	s := challenge.Spec{
		Version: challenge.Version, Session: challenge.Hash{1}, Device: "GPU-1", N: 64, Rounds: 1, Width: 16, Openings: 4,
		Memory: challenge.MemorySpec{Bytes: 1 << 12, Cost: 1, Lanes: 4, Segments: 2, Steps: 2, Openings: 2},
	}
	p, err := cpu.New(cpu.Config{Workers: 1, MaxBytes: 1 << 20})
	require.NoError(t, err)
	require.NoError(t, p.Fill(t.Context(), s))
	roots, err := p.Commit(t.Context(), s)
	require.NoError(t, err)
	walk, err := p.Walk(t.Context(), [32]byte{2})
	require.NoError(t, err)
	openings, err := p.Open(t.Context(), [32]byte{3})
	require.NoError(t, err)
	segments, err := p.OpenWalk(t.Context(), [32]byte{3})
	require.NoError(t, err)
	return []worker.Answer{
		{Kind: worker.Pong},
		{Kind: worker.Filled},
		{Kind: worker.Again},
		{Kind: worker.Committed, Roots: roots},
		{Kind: worker.Walked, Walk: walk},
		{Kind: worker.Opened, Openings: openings},
		{Kind: worker.Opened, Openings: openings, Segments: segments},
		{Kind: worker.Failed, Text: "all memory is let"},
	}
}

func TestAnswers(t *testing.T) {
	for _, want := range answers(t) {
		b, err := want.MarshalBinary()
		require.NoError(t, err)
		var got worker.Answer
		require.NoError(t, got.UnmarshalBinary(b))
		require.Equal(t, want, got)
		if want.Kind != worker.Failed { // its text is free
			require.ErrorIs(t, got.UnmarshalBinary(append(b, 0)), worker.ErrMessage)
			require.Equal(t, want, got, "an error changes nothing")
		}
	}
	_, err := worker.Answer{}.MarshalBinary()
	require.ErrorIs(t, err, worker.ErrMessage)
	_, err = worker.Answer{Kind: worker.Opened}.MarshalBinary()
	require.Error(t, err, "no openings")
	var a worker.Answer
	for _, b := range [][]byte{nil, {0}, {8}, {worker.Opened, 0, 0}, {worker.Opened, 0xff, 0xff, 0xff, 0xff}, {worker.Committed}} {
		require.ErrorIs(t, a.UnmarshalBinary(b), worker.ErrMessage)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, a := range answers(f) {
		b, err := a.MarshalBinary()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a worker.Answer
		if a.UnmarshalBinary(b) != nil {
			return
		}
		again, err := a.MarshalBinary()
		require.NoError(t, err)
		if a.Kind != worker.Failed {
			require.Equal(t, b, again, "one answer has one encoding")
		}
	})
}
