package gputest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

func workSpec(openings uint32) challenge.Spec {
	return challenge.Spec{
		Version: challenge.Version, Kind: challenge.Int8, Session: challenge.Hash{1}, Device: "GPU-0", N: 64, Rounds: 1, Width: 16, Openings: openings,
		Memory: challenge.MemorySpec{Bytes: 1 << 14, Cost: 2, Lanes: 64, Segments: 8, Steps: 8, Openings: 1},
	}
}

func numbered(i uint64) (h challenge.Hash) {
	binary.BigEndian.PutUint64(h[8:], i+1)
	return h
}

func reasonOf(err error) challenge.Reason {
	var answer *challenge.AnswerError
	if errors.As(err, &answer) {
		return answer.Reason
	}
	return challenge.OK
}

// within requires that hits of trials are inside 3 standard deviations of the chance p.
func within(t *testing.T, p float64, hits, trials int) {
	t.Helper()
	sigma := math.Sqrt(p * (1 - p) * float64(trials))
	require.InDelta(t, p*float64(trials), hits, 3*sigma+1, "of %d", trials)
}

// TestLazy: over many nonces, provers that leave out a share of the leaves are caught as often as the formula says.
func TestLazy(t *testing.T) {
	for _, row := range []struct{ wrong, openings uint32 }{{20_000_000, 16}, {50_000_000, 16}, {200_000_000, 8}} {
		caught, trials := 0, 200
		for i := range trials {
			s := workSpec(row.openings)
			s.Rounds = 2 // 512 leaves: drawn without repetition, close to the formula
			l := &gputest.Lazy{Wrong: row.wrong, Coin: uint64(i)}
			c, err := l.Commit(t.Context(), s)
			require.NoError(t, err)
			o, err := l.Open(t.Context(), numbered(uint64(i)))
			require.NoError(t, err)
			if err = challenge.Verify(s, c, numbered(uint64(i)), o); err != nil {
				require.Equal(t, challenge.Value, reasonOf(err))
				caught++
			}
		}
		within(t, float64(challenge.Detection(row.wrong, row.openings))/challenge.Billion, caught, trials)
	}
	l := &gputest.Lazy{}
	c, err := l.Commit(t.Context(), workSpec(256))
	require.NoError(t, err)
	o, err := l.Open(t.Context(), numbered(1))
	require.NoError(t, err)
	require.NoError(t, challenge.Verify(workSpec(256), c, numbered(1), o), "who leaves out nothing is not caught")
}

// TestReplaying: an answer serves its own challenge only.
func TestReplaying(t *testing.T) {
	p, err := cpu.New(cpu.Config{Workers: 1, MaxBytes: 1 << 30})
	require.NoError(t, err)
	r := &gputest.Replaying{Prover: p}
	defer r.Close()
	try := func(s challenge.Spec, nonce challenge.Hash) error {
		c, err := r.Commit(t.Context(), s)
		require.NoError(t, err)
		o, err := r.Open(t.Context(), nonce)
		require.NoError(t, err)
		return challenge.Verify(s, c, nonce, o)
	}
	s := workSpec(8)
	require.NoError(t, try(s, numbered(1)))
	require.Error(t, try(s, numbered(2)), "another nonce")
	for _, change := range []func(s *challenge.Spec){
		func(s *challenge.Spec) { s.Session[0]++ }, func(s *challenge.Spec) { s.Device = "GPU-1" },
		func(s *challenge.Spec) { s.N = 128 }, func(s *challenge.Spec) { s.Width = 32 }, func(s *challenge.Spec) { s.Kind = challenge.Fp16Ints },
	} {
		other := workSpec(8)
		change(&other)
		require.Error(t, try(other, numbered(1)))
	}
}

// TestForgetful: garbage is caught by value as often as the formula says; recomputation is never wrong, and shows in the
// work, in which the fraction missing costs as much as the formula of the slow-down says.
func TestForgetful(t *testing.T) {
	s := workSpec(8)
	trials, caught := 300, 0
	const missing = 50_000_000
	for i := range trials {
		s.Session = numbered(uint64(i))
		f := &gputest.Forgetful{Missing: missing}
		require.NoError(t, f.Fill(t.Context(), s))
		c, err := f.Walk(t.Context(), numbered(1))
		require.NoError(t, err)
		o, err := f.OpenWalk(t.Context(), numbered(2))
		require.NoError(t, err)
		if err = challenge.VerifyWalk(s, c, numbered(1), numbered(2), o); err != nil {
			require.Equal(t, challenge.WalkValue, reasonOf(err))
			caught++
		}
	}
	held, entries := 0, int(s.Memory.Entries()) // the share of so few entries is a little off: take what it is
	for j := range entries {
		h := challenge.LeafHash([]int32{int32(j), 0})
		if uint64(binary.BigEndian.Uint32(h[:4]))*challenge.Billion>>32 >= missing {
			held++
		}
	}
	within(t, 1-math.Pow(float64(held)/float64(entries), float64(s.Memory.Steps)), caught, trials)

	f := &gputest.Forgetful{Missing: missing, Recompute: true}
	require.NoError(t, f.Fill(t.Context(), s))
	c, err := f.Walk(t.Context(), numbered(1))
	require.NoError(t, err)
	o, err := f.OpenWalk(t.Context(), numbered(2))
	require.NoError(t, err)
	require.NoError(t, challenge.VerifyWalk(s, c, numbered(1), numbered(2), o))
	within(t, 1-float64(held)/float64(entries), int(f.Recomputed()), int(s.Memory.Reads()))
}

// rate makes the work of spec take 700 ms and its walk 700 ms at the measured rate: deadlines of 1 s.
func workRate() challenge.Rate {
	return challenge.Rate{
		Model: "test", Kind: challenge.Int8, OpsPerSec: workSpec(8).Ops() * 10 / 7, ReadsPerSec: workSpec(8).Memory.Reads() * 10 / 7, Runs: 3,
		Driver: "1", Kernel: "1", Source: "test", Measured: "2026-01-31", ClockMHz: 1, PowerWatts: 1,
	}
}

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

// entropy gives numbers that a test can repeat.
func seeded() io.Reader { return rand.NewChaCha8([32]byte{7}) }

// barrier runs provers side by side, each answer in a goroutine, on the clock of the bubble.
func runBarrier(t *testing.T, provers []*gputest.Shared) challenge.Outcome {
	t.Helper()
	var tasks []challenge.Task
	var sessions []challenge.Hash
	for i := range provers {
		s := workSpec(8)
		s.Session, s.Device = numbered(uint64(i)), fmt.Sprint("GPU-", i)
		tasks, sessions = append(tasks, challenge.Task{Spec: s, Rate: workRate()}), append(sessions, numbered(uint64(100+i)))
	}
	b, err := challenge.NewBarrier(challenge.DefaultParams(), tasks)
	require.NoError(t, err)
	answers := make(chan challenge.Of, 100)
	pending := 0
	var do func(effects []challenge.Effect) (challenge.Outcome, bool)
	do = func(effects []challenge.Effect) (challenge.Outcome, bool) {
		for _, f := range effects {
			switch f := f.(type) {
			case challenge.To:
				pending++
				go func() {
					answers <- challenge.Of{Exchange: f.Exchange, Event: answerOf(t.Context(), provers[f.Exchange], f)}
				}()
			case challenge.Assembled:
				next, err := b.Apply(time.Now(), challenge.Together{Sessions: sessions})
				require.NoError(t, err)
				if o, over := do(next); over {
					return o, true
				}
			case challenge.Concluded:
				return f.Outcome, true
			}
		}
		return challenge.Outcome{}, false
	}
	effects, err := b.Apply(time.Now(), challenge.Begun{})
	require.NoError(t, err)
	o, over := do(effects)
	for !over {
		of := <-answers
		pending--
		if of.Event == nil {
			continue
		}
		effects, err := b.Apply(time.Now(), of)
		require.NoError(t, err)
		o, over = do(effects)
	}
	for ; pending > 0; pending-- {
		<-answers
	}
	return o
}

func answerOf(ctx context.Context, p *gputest.Shared, to challenge.To) challenge.Event {
	switch f := to.Effect.(type) {
	case challenge.SendPing:
		return challenge.Ponged{}
	case challenge.SendFill:
		if p.Fill(ctx, f.Spec) == nil {
			return challenge.Filled{}
		}
	case challenge.SendWork:
		if c, err := p.Commit(ctx, f.Spec); err == nil {
			return challenge.Committed{Commitment: c, Nonce: numbered(uint64(200 + to.Exchange))}
		}
	case challenge.SendWalk:
		if c, err := p.Walk(ctx, f.Nonce); err == nil {
			return challenge.Walked{Commitment: c, Nonce: numbered(uint64(300 + to.Exchange))}
		}
	case challenge.SendOpen:
		o, err := p.Open(ctx, f.Nonce)
		w, err2 := p.OpenWalk(ctx, f.Nonce)
		if err == nil && err2 == nil {
			return challenge.Opened{Openings: o, Segments: w}
		}
	case challenge.Examine:
		return challenge.Examined{Err: f.Verify()}
	default:
		return nil
	}
	return challenge.Declined{}
}

// TestShared: one GPU claimed as two is late; one that is fast enough for two holds one table; one with the speed and the
// memory of two passes, as it should.
func TestShared(t *testing.T) {
	claims := func(d *gputest.Card, n int) []*gputest.Shared {
		list, err := d.Claims(n)
		require.NoError(t, err)
		return list
	}
	const ms = time.Millisecond
	for _, row := range []struct {
		name    string
		provers func() []*gputest.Shared
		want    [2]challenge.Reason
	}{
		{"two devices", func() []*gputest.Shared {
			return append(claims(gputest.NewCard(700*ms, 700*ms, 1), 1), claims(gputest.NewCard(700*ms, 700*ms, 1), 1)...)
		}, [2]challenge.Reason{}},
		{"one for two", func() []*gputest.Shared { return claims(gputest.NewCard(700*ms, 300*ms, 2), 2) }, [2]challenge.Reason{challenge.OK, challenge.RateLow}},
		{"one table for two", func() []*gputest.Shared { return claims(gputest.NewCard(400*ms, 400*ms, 1), 2) }, [2]challenge.Reason{challenge.OK, challenge.WalkValue}},
		{"worth two", func() []*gputest.Shared { return claims(gputest.NewCard(400*ms, 400*ms, 2), 2) }, [2]challenge.Reason{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := runBarrier(t, row.provers())
				got := map[challenge.Reason]int{}
				want := map[challenge.Reason]int{}
				for i, v := range o.Verdicts {
					got[v.Reason]++
					want[row.want[i]]++
				}
				require.Equal(t, want, got, "which of two claims is served first is not told")
			})
		})
	}
}

// TestRelayed: a relay is caught as soon as its delay exceeds what the deadline leaves, here 300 ms.
func TestRelayed(t *testing.T) {
	for delay, want := range map[time.Duration]challenge.Reason{
		290 * time.Millisecond: challenge.OK, 310 * time.Millisecond: challenge.RateLow,
	} {
		synctest.Test(t, func(t *testing.T) {
			list, err := gputest.NewCard(700*time.Millisecond, 700*time.Millisecond, 1).Claims(1)
			require.NoError(t, err)
			p := list[0].Relayed(delay)
			x, err := challenge.NewExchange(challenge.DefaultParams(), workSpec(8), workRate())
			require.NoError(t, err)
			v, err := challenge.Run(t.Context(), challenge.Driver{Clock: realClock{}, Entropy: seeded(), Prover: p, Walker: p}, x)
			require.NoError(t, err)
			require.Equal(t, want, v.Reason, v.Text)
		})
	}
}

// TestSplitOver is a limit, not a catch: four devices that are too slow alone pass together.
func TestSplitOver(t *testing.T) {
	for devices, want := range map[int]challenge.Reason{1: challenge.RateLow, 4: challenge.OK} {
		synctest.Test(t, func(t *testing.T) {
			p, err := gputest.SplitOver(devices, 3*time.Second, 700*time.Millisecond)
			require.NoError(t, err)
			defer p.Close()
			x, err := challenge.NewExchange(challenge.DefaultParams(), workSpec(8), workRate())
			require.NoError(t, err)
			v, err := challenge.Run(t.Context(), challenge.Driver{Clock: realClock{}, Entropy: seeded(), Prover: p, Walker: p}, x)
			require.NoError(t, err)
			require.Equal(t, want, v.Reason, v.Text)
		})
	}
}
