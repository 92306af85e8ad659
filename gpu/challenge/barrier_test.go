package challenge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

// fleet runs a barrier of m claims of which a queue of r real devices answers: each device takes its time for one claim
// after another. memory is how many tables a device holds; one that does not is answered with the last one's.
func fleet(t *testing.T, m, r, memory int, breaks int) challenge.Outcome {
	t.Helper()
	var tasks []challenge.Task
	for i := range m {
		s := tabled()
		s.Session, s.Device = challenge.Hash{byte(i), 1}, fmt.Sprint("GPU-", i)
		tasks = append(tasks, challenge.Task{Spec: s, Rate: rated()})
	}
	b, err := challenge.NewBarrier(challenge.DefaultParams(), tasks)
	require.NoError(t, err)
	provers := make([]*cpu.Prover, m)
	for i := range provers {
		provers[i] = prover(t)
	}
	holder := func(i int) *cpu.Prover { // whose table is walked for claim i
		slot := i / r
		return provers[min(slot, memory-1)*r+i%r]
	}
	c := newClock()
	var sessions []challenge.Hash
	for i := range m {
		sessions = append(sessions, challenge.Hash{byte(i), 2})
	}
	apply := func(e challenge.Event) []challenge.Effect {
		effects, err := b.Apply(c.now, e)
		require.NoError(t, err)
		require.NoError(t, b.Audit())
		return effects
	}
	const each = 800 * time.Millisecond // of real work, where 1 s is the deadline
	queue := apply(challenge.Begun{})
	start := c.now
	for len(queue) > 0 {
		to, ok := queue[0].(challenge.To)
		if !ok {
			switch f := queue[0].(type) {
			case challenge.Assembled:
				start = c.now
				queue = append(queue[1:], apply(challenge.Together{Sessions: sessions})...)
			case challenge.Concluded:
				return f.Outcome
			default:
				t.Fatalf("effect %T", f)
			}
			continue
		}
		queue = queue[1:]
		i := int(to.Exchange)
		var e challenge.Event
		switch f := to.Effect.(type) {
		case challenge.SendPing:
			e = challenge.Ponged{}
		case challenge.SendFill:
			require.NoError(t, provers[i].Fill(t.Context(), f.Spec))
			e = challenge.Filled{}
		case challenge.SendWork:
			roots, err := provers[i].Commit(t.Context(), f.Spec)
			require.NoError(t, err)
			if at := start.Add(each * time.Duration(i/r+1)); at.After(c.now) {
				c.now = at
			}
			e = challenge.Committed{Commitment: roots, Nonce: challenge.Hash{byte(i), 3}}
		case challenge.SendWalk:
			root, err := holder(i).Walk(t.Context(), f.Nonce)
			require.NoError(t, err)
			e = challenge.Walked{Commitment: root, Nonce: challenge.Hash{byte(i), 4}}
		case challenge.Examine:
			e = challenge.Examined{Err: f.Verify()}
		case challenge.SendOpen:
			o, err := provers[i].Open(t.Context(), f.Nonce)
			require.NoError(t, err)
			w, err := holder(i).OpenWalk(t.Context(), f.Nonce)
			require.NoError(t, err)
			e = challenge.Opened{Openings: o, Segments: w}
		case challenge.WakeAt, challenge.Ready, challenge.Judged:
			continue
		default:
			t.Fatalf("effect %T", f)
		}
		if i+1 == breaks {
			e = challenge.Broken{}
			breaks = 0
		}
		queue = append(queue, apply(challenge.Of{Exchange: to.Exchange, Event: e})...)
	}
	t.Fatal("the barrier did not end")
	return challenge.Outcome{}
}

// TestBarrier: honest devices pass; one GPU for two is late; one that is fast enough cannot hold two tables.
func TestBarrier(t *testing.T) {
	o := fleet(t, 3, 3, 1, 0)
	require.True(t, o.Complete)
	require.Empty(t, o.Late)
	for _, v := range o.Verdicts {
		require.True(t, v.Passed(), v.Text)
	}
	o = fleet(t, 2, 1, 2, 0)
	require.Equal(t, []uint32{1}, o.Late)
	require.Equal(t, challenge.RateLow, o.Verdicts[1].Reason)
	o = fleet(t, 3, 2, 2, 0)
	require.Equal(t, []uint32{2}, o.Late)
	o = fleet(t, 3, 3, 1, 2)
	require.False(t, o.Complete)
	require.Equal(t, challenge.Transport, o.Verdicts[1].Reason)
	require.True(t, o.Verdicts[0].Passed() && o.Verdicts[2].Passed())
	require.Empty(t, o.Late)
}

// TestBarrierRefusals: no exchange starts alone, and none twice.
func TestBarrierRefusals(t *testing.T) {
	s := small(challenge.Int8, 64, 1, 16, 4)
	two := s
	two.Session, two.Device = nonce(2), "GPU-1"
	p := challenge.DefaultParams()
	for _, bad := range [][]challenge.Task{nil, {{}}, {{Spec: s}, {Spec: s}}, make([]challenge.Task, challenge.MaxBarrier+1)} {
		_, err := challenge.NewBarrier(p, bad)
		require.ErrorIs(t, err, challenge.ErrInvalid)
	}
	b, err := challenge.NewBarrier(p, []challenge.Task{{Spec: s}, {Spec: two}})
	require.NoError(t, err)
	c := newClock()
	refuse := func(want error, events ...challenge.Event) {
		t.Helper()
		before := b.Digest()
		for _, e := range events {
			_, err := b.Apply(c.now, e)
			require.ErrorIs(t, err, want, "%#v", e)
			require.Equal(t, before, b.Digest())
		}
	}
	refuse(challenge.ErrOrder, nil, challenge.Started{}, challenge.Ticked{}, challenge.Of{Exchange: 2, Event: challenge.Begun{}}, challenge.Together{},
		challenge.Of{Event: challenge.Of{}}, challenge.Of{Event: challenge.Started{Session: nonce(3)}})
	_, err = b.Apply(c.now, challenge.Begun{})
	require.NoError(t, err)
	var last []challenge.Effect
	for i := range uint32(2) {
		for range challenge.Pings {
			last, err = b.Apply(c.now, challenge.Of{Exchange: i, Event: challenge.Ponged{}})
			require.NoError(t, err)
		}
	}
	require.Equal(t, challenge.Assembled{}, last[len(last)-1])
	refuse(challenge.ErrNonce, challenge.Together{}, challenge.Together{Sessions: []challenge.Hash{nonce(3), nonce(3)}},
		challenge.Together{Sessions: []challenge.Hash{nonce(3), {}}}, challenge.Together{Sessions: []challenge.Hash{nonce(3), two.Session}})
	_, err = b.Apply(c.now, challenge.Together{Sessions: []challenge.Hash{nonce(3), nonce(4)}})
	require.NoError(t, err)
	refuse(challenge.ErrOrder, challenge.Together{Sessions: []challenge.Hash{nonce(5), nonce(6)}})
	refuse2 := c.now
	c.now = c.now.Add(-1)
	refuse(challenge.ErrTimeBackwards, challenge.Ticked{})
	c.now = refuse2

	roots := challenge.Commitment{Roots: []challenge.Hash{{1}}}
	_, err = b.Apply(c.now, challenge.Of{Exchange: 0, Event: challenge.Committed{Commitment: roots, Nonce: nonce(7)}})
	require.NoError(t, err)
	_, err = b.Apply(c.now, challenge.Of{Exchange: 1, Event: challenge.Committed{Commitment: roots, Nonce: nonce(8)}})
	require.NoError(t, err)
	o, over := b.Outcome()
	require.False(t, over)
	require.Equal(t, challenge.Replay, o.Verdicts[1].Reason, "a root is good once")
	end, err := b.Apply(c.add(time.Hour), challenge.Ticked{})
	require.NoError(t, err)
	o, over = b.Outcome()
	require.True(t, over)
	require.Equal(t, challenge.Concluded{Outcome: o}, end[len(end)-1])
	require.Equal(t, []uint32{0}, o.Late)
	refuse(challenge.ErrOrder, challenge.Ticked{})
	require.NoError(t, b.Audit())
}
