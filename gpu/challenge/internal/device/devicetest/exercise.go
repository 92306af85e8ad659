package devicetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

// Prover is both halves of a prover.
type Prover interface {
	challenge.Prover
	challenge.Walker
}

// Exercise has a prover do a whole task. Roots have to be those of the definitions; openings have to be those of package cpu
// and to verify, and the same openings with one bit changed must not. The table has to outlive the work.
func Exercise(t *testing.T, p Prover, s challenge.Spec) {
	t.Helper()
	ctx := t.Context()
	model, err := cpu.New(cpu.Config{Workers: 2, MaxBytes: 1 << 30})
	require.NoError(t, err)
	if s.Memory != (challenge.MemorySpec{}) {
		require.NoError(t, p.Fill(ctx, s))
	}
	c, err := p.Commit(ctx, s)
	require.NoError(t, err)
	require.Equal(t, Roots(s), c)
	_, err = model.Commit(ctx, s)
	require.NoError(t, err)
	for nonce := range byte(2) {
		o, err := p.Open(ctx, [32]byte{nonce})
		require.NoError(t, err)
		want, err := model.Open(ctx, [32]byte{nonce})
		require.NoError(t, err)
		require.Equal(t, want, o)
		require.NoError(t, challenge.Verify(s, c, [32]byte{nonce}, o))
		require.Error(t, challenge.Verify(s, c, [32]byte{nonce + 2}, o))
		o[len(o)-1].Values[0] ^= 1
		require.Error(t, challenge.Verify(s, c, [32]byte{nonce}, o))
	}
	if s.Memory != (challenge.MemorySpec{}) {
		exerciseWalk(ctx, t, p, model, s)
	}
	require.NoError(t, model.Close())
}

func exerciseWalk(ctx context.Context, t *testing.T, p, model Prover, s challenge.Spec) {
	t.Helper()
	require.NoError(t, model.Fill(ctx, s))
	for salt := range byte(2) { // a second walk replaces the first
		start, nonce := [32]byte{7, salt}, [32]byte{8, salt}
		c, err := p.Walk(ctx, start)
		require.NoError(t, err)
		require.Equal(t, Walk(s, start), c)
		o, err := p.OpenWalk(ctx, nonce)
		require.NoError(t, err)
		_, err = model.Walk(ctx, start)
		require.NoError(t, err)
		want, err := model.OpenWalk(ctx, nonce)
		require.NoError(t, err)
		require.Equal(t, want, o)
		require.NoError(t, challenge.VerifyWalk(s, c, start, nonce, o))
		o[0].To[3] ^= 1
		require.Error(t, challenge.VerifyWalk(s, c, start, nonce, o))
	}
}

// Tasks is what Exercise is run over: every kind, sides below and above a tile, narrow and wide leaves, rounds, and walks with
// fewer and more than 16 segments. Sides are multiples of 256 with tensor, where kernels on tensor cores need it.
func Tasks(tensor bool) map[string]challenge.Spec {
	walk := func(s challenge.Spec, m challenge.MemorySpec) challenge.Spec {
		s.Memory = m
		return s
	}
	if tensor {
		return map[string]challenge.Spec{
			"int8 256":     Spec(challenge.Int8, 256, 2, 32, 32, 1),
			"int8 512":     Spec(challenge.Int8, 512, 1, 16, 64, 2),
			"fp16ints 256": Spec(challenge.Fp16Ints, 256, 2, 64, 32, 3),
			"fp16ints 512": Spec(challenge.Fp16Ints, 512, 1, 512, 8, 4),
		}
	}
	return map[string]challenge.Spec{
		"int8 64":       Spec(challenge.Int8, 64, 3, 64, 16, 1),
		"int8 128":      Spec(challenge.Int8, 128, 2, 16, 64, 2),
		"int8 256":      Spec(challenge.Int8, 256, 1, 32, 128, 3),
		"int8 512":      Spec(challenge.Int8, 512, 1, 512, 8, 4),
		"fp16ints 64":   Spec(challenge.Fp16Ints, 64, 2, 16, 16, 5),
		"fp16ints 256":  Spec(challenge.Fp16Ints, 256, 2, 128, 16, 6),
		"one segment":   walk(Spec(challenge.Int8, 64, 1, 16, 1, 7), challenge.MemorySpec{Bytes: 1 << 12, Cost: 1, Lanes: 1, Segments: 1, Steps: 3, Openings: 1}),
		"few segments":  walk(Spec(challenge.Int8, 64, 1, 16, 1, 8), challenge.MemorySpec{Bytes: 1 << 12, Cost: 2, Lanes: 2, Segments: 4, Steps: 5, Openings: 8}),
		"many segments": walk(Spec(challenge.Int8, 64, 1, 16, 1, 9), challenge.MemorySpec{Bytes: 100 * 128, Cost: 3, Lanes: 512, Segments: 4, Steps: 2, Openings: 64}),
	}
}
