package challenge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// rated is a measured rate that makes the work of tabled take 1 s and its walk 1 s, at a tolerance of 70 %.
func rated() challenge.Rate {
	s := tabled()
	return challenge.Rate{
		Model: "test", Kind: challenge.Int8, OpsPerSec: s.Ops() * 10 / 7, ReadsPerSec: s.Memory.Reads()*10/7 + 1, Runs: 3,
		Driver: "1", Kernel: "1", Source: "test", Measured: "2026-01-31", ClockMHz: 1, PowerWatts: 1, Peak: s.Ops() * 20,
		PeakSource: "test",
	}
}

// timing drives an exchange of tabled with a CPU prover; late says how long each answer takes.
type timing struct {
	fill, commit, walk, open time.Duration
	rtt                      time.Duration
	breaks                   int // at which effect the line breaks; 0: never
}

func play(t *testing.T, r challenge.Rate, sc timing) (*challenge.Exchange, challenge.Verdict) {
	t.Helper()
	x, err := challenge.NewExchange(challenge.DefaultParams(), tabled(), r)
	require.NoError(t, err)
	c, p := newClock(), prover(t)
	var next challenge.Event = challenge.Begun{}
	for step := 1; ; step++ {
		effects, err := x.Apply(c.now, next)
		require.NoError(t, err)
		require.NoError(t, x.Audit())
		switch f := effects[len(effects)-1].(type) {
		case challenge.SendPing:
			c.add(sc.rtt)
			next = challenge.Ponged{}
		case challenge.SendFill:
			require.NoError(t, p.Fill(t.Context(), f.Spec))
			c.add(sc.fill)
			next = challenge.Filled{}
		case challenge.Ready:
			next = challenge.Started{Session: nonce(50)}
		case challenge.SendWork:
			roots, err := p.Commit(t.Context(), f.Spec)
			require.NoError(t, err)
			c.add(sc.commit)
			next = challenge.Committed{Commitment: roots, Nonce: nonce(51)}
		case challenge.SendWalk:
			root, err := p.Walk(t.Context(), f.Nonce)
			require.NoError(t, err)
			c.add(sc.walk)
			next = challenge.Walked{Commitment: root, Nonce: nonce(52)}
		case challenge.Examine:
			next = challenge.Examined{Err: f.Verify()}
		case challenge.SendOpen:
			o, err := p.Open(t.Context(), f.Nonce)
			require.NoError(t, err)
			w, err := p.OpenWalk(t.Context(), f.Nonce)
			require.NoError(t, err)
			c.add(sc.open)
			next = challenge.Opened{Openings: o, Segments: w}
		case challenge.Judged:
			v, over := x.Verdict()
			require.True(t, over)
			require.Equal(t, v, f.Verdict)
			_, err := x.Apply(c.now, challenge.Ticked{})
			require.ErrorIs(t, err, challenge.ErrOrder)
			return x, v
		default:
			t.Fatalf("effect %T", f)
		}
		if step == sc.breaks {
			next = challenge.Broken{}
		}
	}
}

// TestExchange: each limit, a nanosecond to both sides of it.
func TestExchange(t *testing.T) {
	p := challenge.DefaultParams()
	const rtt = 100 * time.Millisecond
	in := timing{
		rtt: rtt, fill: p.FillTime, commit: p.Deadline(tabled().Ops(), rated().OpsPerSec, rtt),
		walk: p.Deadline(tabled().Memory.Reads(), rated().ReadsPerSec, rtt), open: p.OpenTime,
	}
	require.InDelta(t, 1.1, in.commit.Seconds(), 0.01)
	change := func(f func(s *timing)) timing {
		s := in
		f(&s)
		return s
	}
	for _, row := range []struct {
		name string
		sc   timing
		want challenge.Reason
	}{
		{"all in time", in, challenge.OK},
		{"fill", change(func(s *timing) { s.fill++ }), challenge.TimeoutFill},
		{"roots slow", change(func(s *timing) { s.commit++ }), challenge.RateLow},
		{"roots slow but there", change(func(s *timing) { s.commit += p.Patience }), challenge.RateLow},
		{"roots late", change(func(s *timing) { s.commit += p.Patience + 1 }), challenge.TimeoutCommit},
		{"walk slow", change(func(s *timing) { s.walk++ }), challenge.ReadsLow},
		{"walk late", change(func(s *timing) { s.walk += p.Patience + 1 }), challenge.TimeoutWalk},
		{"openings late", change(func(s *timing) { s.open++ }), challenge.TimeoutOpen},
		{"no credit beyond the bound", change(func(s *timing) { s.rtt, s.commit = time.Second, 1200*time.Millisecond }), challenge.RateLow},
		{"credit at the bound", change(func(s *timing) { s.rtt, s.commit = time.Second, 1150*time.Millisecond }), challenge.OK},
		{"no pong", change(func(s *timing) { s.rtt = p.OpenTime + 1 }), challenge.Transport},
		{"impossible", change(func(s *timing) { s.commit = 47 * time.Millisecond }), challenge.RateImpossible},
		{"just possible", change(func(s *timing) { s.commit = 48 * time.Millisecond }), challenge.OK},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, v := play(t, rated(), row.sc)
			require.Equal(t, row.want, v.Reason, v.Text)
			require.Equal(t, row.want == challenge.OK, v.Passed())
			require.Equal(t, row.want != challenge.OK && row.want != challenge.Transport, v.Failed())
		})
	}
	for step := 1; step <= 9; step++ {
		s := in
		s.breaks = step
		_, v := play(t, rated(), s)
		require.Equal(t, challenge.Transport, v.Reason, "a broken line is never punished, step %d", step)
		require.False(t, v.Failed())
	}
	_, v := play(t, challenge.Rate{}, timing{commit: p.Patience, walk: p.Patience})
	require.Equal(t, challenge.OK, v.Reason)
	require.False(t, v.RateJudged, "without a rate the work is a lower bound and not judged")
	require.Equal(t, tabled().Ops()/60, v.OpsPerSec)
	published := challenge.Rate{Model: "test", Peak: tabled().Ops(), PeakSource: "test"}
	_, v = play(t, published, timing{commit: time.Second / 2})
	require.Equal(t, challenge.RateImpossible, v.Reason)
	a, _ := play(t, rated(), in)
	b, _ := play(t, rated(), in)
	require.Equal(t, a.Digest(), b.Digest(), "the same events at the same times")
}

// TestExchangeRefusals: what is not due changes nothing.
func TestExchangeRefusals(t *testing.T) {
	x, err := challenge.NewExchange(challenge.DefaultParams(), tabled(), challenge.Rate{})
	require.NoError(t, err)
	c := newClock()
	events := []challenge.Event{
		challenge.Begun{},
		challenge.Ponged{},
		challenge.Filled{},
		challenge.Started{Session: nonce(9)},
		challenge.Committed{Nonce: nonce(8)},
		challenge.Walked{Nonce: nonce(7)},
		challenge.Opened{},
		challenge.Examined{},
		challenge.Of{},
		challenge.Together{},
		nil,
	}
	refuse := func(due int) {
		t.Helper()
		before := x.Digest()
		for i, e := range events {
			if i != due {
				_, err := x.Apply(c.now, e)
				require.ErrorIs(t, err, challenge.ErrOrder, "%T", e)
			}
		}
		require.Equal(t, before, x.Digest())
	}
	step := func(e challenge.Event) {
		t.Helper()
		_, err := x.Apply(c.add(1), e)
		require.NoError(t, err)
		require.NoError(t, x.Audit())
	}
	refuse(0)
	step(challenge.Begun{})
	refuse(1)
	for range challenge.Pings {
		step(challenge.Ponged{})
	}
	refuse(2)
	step(challenge.Filled{})
	refuse(3)
	for _, bad := range []challenge.Hash{{}, tabled().Session} {
		_, err = x.Apply(c.now, challenge.Started{Session: bad})
		require.ErrorIs(t, err, challenge.ErrNonce)
	}
	step(challenge.Started{Session: nonce(9)})
	refuse(4)
	_, err = x.Apply(c.now, challenge.Committed{Nonce: nonce(9)})
	require.ErrorIs(t, err, challenge.ErrNonce)
	_, err = x.Apply(c.now.Add(-2), challenge.Ticked{})
	require.ErrorIs(t, err, challenge.ErrTimeBackwards)
	step(challenge.Committed{Commitment: challenge.Commitment{Roots: []challenge.Hash{{1}, {2}}}, Nonce: nonce(8)})
	refuse(5)
	_, err = x.Apply(c.now, challenge.Walked{Nonce: nonce(8)})
	require.ErrorIs(t, err, challenge.ErrNonce)
	step(challenge.Walked{Nonce: nonce(7)})
	refuse(6)
	step(challenge.Opened{})
	refuse(7)
	for _, e := range []challenge.Event{challenge.Broken{}, challenge.Declined{}} {
		_, err = x.Apply(c.now, e)
		require.ErrorIs(t, err, challenge.ErrOrder, "too late to walk away")
	}
	c.add(time.Hour)
	step(challenge.Ticked{}) // the verifier's own time is nobody's fault
	_, over := x.Verdict()
	require.False(t, over)
	step(challenge.Examined{Err: &challenge.AnswerError{Reason: challenge.Shape}})
	v, over := x.Verdict()
	require.True(t, over)
	require.Equal(t, challenge.Shape, v.Reason)

	_, err = challenge.NewExchange(challenge.Params{}, tabled(), challenge.Rate{})
	require.ErrorIs(t, err, challenge.ErrInvalid)
	_, err = challenge.NewExchange(challenge.DefaultParams(), challenge.Spec{}, challenge.Rate{})
	require.ErrorIs(t, err, challenge.ErrInvalid)
	r := rated()
	r.Kind = challenge.Fp16Ints
	_, err = challenge.NewExchange(challenge.DefaultParams(), tabled(), r)
	require.ErrorContains(t, err, "rate is of kind fp16ints, want int8")
	r.Driver = ""
	_, err = challenge.NewExchange(challenge.DefaultParams(), tabled(), r)
	require.ErrorContains(t, err, "driver is empty")
}

// FuzzExchange: any list of events at any times leaves the invariants whole, and a refused one changes nothing.
func FuzzExchange(f *testing.F) {
	f.Add([]byte{0, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6})
	f.Add([]byte{0, 1, 1, 1, 1, 1, 2, 3, 0x84, 8, 7})
	f.Add([]byte{0, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 10, 8, 9})
	f.Fuzz(func(t *testing.T, list []byte) {
		x, err := challenge.NewExchange(challenge.DefaultParams(), tabled(), rated())
		require.NoError(t, err)
		c := newClock()
		for i, b := range list {
			events := []challenge.Event{
				challenge.Begun{},
				challenge.Ponged{},
				challenge.Filled{},
				challenge.Started{Session: nonce(byte(i))},
				challenge.Committed{Commitment: challenge.Commitment{Roots: []challenge.Hash{{1}, {b}}}, Nonce: nonce(byte(i))},
				challenge.Walked{Nonce: nonce(byte(i))},
				challenge.Opened{},
				challenge.Broken{},
				challenge.Ticked{},
				challenge.Examined{Err: &challenge.AnswerError{Reason: challenge.Value}},
				challenge.Declined{},
			}
			before := x.Digest()
			_, err := x.Apply(c.add(time.Duration(b>>4)*time.Duration(b>>4)*time.Second), events[int(b&15)%len(events)])
			if err != nil {
				require.Equal(t, before, x.Digest())
			}
			require.NoError(t, x.Audit())
		}
	})
}
