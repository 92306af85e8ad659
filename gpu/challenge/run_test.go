package challenge_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

// faulty is a CPU prover one of whose calls fails.
type faulty struct {
	*cpu.Prover
	call string
}

var errFault = errors.New("fault")

func (f faulty) fail(call string) error {
	if f.call == call {
		return errFault
	}
	return nil
}

func (f faulty) Fill(ctx context.Context, s challenge.Spec) error {
	return errors.Join(f.fail("fill"), f.Prover.Fill(ctx, s))
}

func (f faulty) Commit(ctx context.Context, s challenge.Spec) (challenge.Commitment, error) {
	c, err := f.Prover.Commit(ctx, s)
	return c, errors.Join(f.fail("commit"), err)
}

func (f faulty) Open(ctx context.Context, n [32]byte) ([]challenge.Opening, error) {
	o, err := f.Prover.Open(ctx, n)
	return o, errors.Join(f.fail("open"), err)
}

func (f faulty) Walk(ctx context.Context, n [32]byte) (challenge.WalkCommitment, error) {
	c, err := f.Prover.Walk(ctx, n)
	return c, errors.Join(f.fail("walk"), err)
}

func (f faulty) OpenWalk(ctx context.Context, n [32]byte) ([]challenge.WalkOpening, error) {
	o, err := f.Prover.OpenWalk(ctx, n)
	return o, errors.Join(f.fail("openwalk"), err)
}

// TestRun: a call that fails is no evidence before the work and an answer that does not come from then on; a slow one is
// late; entropy that ends is an error.
func TestRun(t *testing.T) {
	run := func(s challenge.Spec, call string, step time.Duration, entropy []byte, walker bool) (challenge.Verdict, error) {
		x, err := challenge.NewExchange(challenge.DefaultParams(), s, challenge.Rate{})
		require.NoError(t, err)
		p := faulty{prover(t), call}
		d := challenge.Driver{
			Clock: &stepping{newClock(), step}, Entropy: bytes.NewReader(entropy), Prover: p,
			Ping: func(context.Context) error { return p.fail("ping") },
		}
		if walker {
			d.Walker = p
		}
		return challenge.Run(t.Context(), d, x)
	}
	entropy := make([]byte, 96)
	for i := range entropy {
		entropy[i] = byte(100 + i)
	}
	v, err := run(tabled(), "", time.Millisecond, entropy, true)
	require.NoError(t, err)
	require.True(t, v.Passed(), v.Text)
	for call, want := range map[string]challenge.Reason{
		"ping": challenge.Transport, "fill": challenge.Transport, "commit": challenge.TimeoutCommit, "walk": challenge.TimeoutWalk,
		"open": challenge.TimeoutOpen, "openwalk": challenge.TimeoutOpen,
	} {
		v, err = run(tabled(), call, time.Millisecond, entropy, true)
		require.NoError(t, err)
		require.Equal(t, want, v.Reason, call)
	}
	bare := tabled()
	bare.Memory = challenge.MemorySpec{}
	v, err = run(bare, "openwalk", time.Millisecond, entropy, true)
	require.NoError(t, err)
	require.True(t, v.Passed(), "without a table no walk is opened")
	v, err = run(bare, "", 61*time.Second, entropy, false)
	require.NoError(t, err)
	require.Equal(t, challenge.Transport, v.Reason, "the first ping was late")
	for n := range 3 {
		_, err = run(tabled(), "", time.Millisecond, entropy[:32*n], true)
		require.ErrorContains(t, err, "challenge: nonce")
	}
	_, err = run(tabled(), "", time.Millisecond, entropy, false)
	require.ErrorIs(t, err, challenge.ErrInvalid)
}

// stepping moves at each look.
type stepping struct {
	*clock
	step time.Duration
}

func (s *stepping) Now() time.Time { return s.add(s.step) }
