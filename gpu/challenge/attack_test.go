package challenge_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// asked drives an exchange of s to the moment at which the prover learns what it has to open.
func asked(t *testing.T, s challenge.Spec, roots challenge.Commitment) *challenge.Exchange {
	t.Helper()
	x, err := challenge.NewExchange(challenge.DefaultParams(), s, challenge.Rate{})
	require.NoError(t, err)
	events := []challenge.Event{challenge.Begun{}}
	for range challenge.Pings {
		events = append(events, challenge.Ponged{})
	}
	if s.Memory != (challenge.MemorySpec{}) {
		events = append(events, challenge.Filled{})
	}
	events = append(events, challenge.Started{Session: nonce(50)}, challenge.Committed{Commitment: roots, Nonce: nonce(51)})
	if s.Memory != (challenge.MemorySpec{}) {
		events = append(events, challenge.Walked{Nonce: nonce(52)})
	}
	for _, e := range events {
		_, err := x.Apply(newClock().now, e)
		require.NoError(t, err, "%T", e)
	}
	return x
}

// Who skipped leaves and sees that the nonce asks for one of them cannot walk away: giving up is an answer that does not come.
func TestGivingUpIsNoWayOut(t *testing.T) {
	roots := challenge.Commitment{Roots: []challenge.Hash{{1}, {2}}}
	for _, s := range []challenge.Spec{tabled(), small(challenge.Int8, 64, 2, 16, 8)} {
		x := asked(t, s, roots)
		_, err := x.Apply(newClock().now, challenge.Declined{})
		require.NoError(t, err)
		require.NoError(t, x.Audit())
		v, over := x.Verdict()
		require.True(t, over)
		require.Equal(t, challenge.TimeoutOpen, v.Reason)
		require.True(t, v.Failed())
	}
	x, err := challenge.NewExchange(challenge.DefaultParams(), tabled(), challenge.Rate{})
	require.NoError(t, err)
	_, err = x.Apply(newClock().now, challenge.Declined{})
	require.ErrorIs(t, err, challenge.ErrOrder)
	_, err = x.Apply(newClock().now, challenge.Begun{})
	require.NoError(t, err)
	_, err = x.Apply(newClock().now, challenge.Declined{})
	require.NoError(t, err)
	v, _ := x.Verdict()
	require.Equal(t, challenge.Transport, v.Reason, "memory may be let")
}

// The verifier's own work counts against nobody: while one device's openings are examined, another's clock is stopped in time.
func TestExaminingDelaysNobody(t *testing.T) {
	s := small(challenge.Int8, 64, 1, 16, 4)
	two := s
	two.Session, two.Device = nonce(2), "GPU-1"
	b, err := challenge.NewBarrier(challenge.DefaultParams(), []challenge.Task{{Spec: s}, {Spec: two}})
	require.NoError(t, err)
	c := newClock()
	apply := func(e challenge.Event) []challenge.Effect {
		effects, err := b.Apply(c.now, e)
		require.NoError(t, err, "%#v", e)
		require.NoError(t, b.Audit())
		return effects
	}
	apply(challenge.Begun{})
	for i := range uint32(2 * challenge.Pings) {
		apply(challenge.Of{Exchange: i % 2, Event: challenge.Ponged{}})
	}
	apply(challenge.Together{Sessions: []challenge.Hash{nonce(3), nonce(4)}})
	apply(challenge.Of{Exchange: 0, Event: challenge.Committed{Commitment: challenge.Commitment{Roots: []challenge.Hash{{1}}}, Nonce: nonce(5)}})
	effects := apply(challenge.Of{Exchange: 0, Event: challenge.Opened{Openings: []challenge.Opening{{}}}})
	c.add(10 * time.Second) // more than openings may take
	apply(challenge.Ticked{})
	apply(challenge.Of{Exchange: 1, Event: challenge.Committed{Commitment: challenge.Commitment{Roots: []challenge.Hash{{2}}}, Nonce: nonce(6)}})
	apply(challenge.Broken{}) // the line of the second one, which still has to answer
	examine := effects[0].(challenge.To).Effect.(challenge.Examine)
	err = examine.Verify()
	var answer *challenge.AnswerError
	require.ErrorAs(t, err, &answer)
	end := apply(challenge.Of{Exchange: 0, Event: challenge.Examined{Err: err}})
	o := end[len(end)-1].(challenge.Concluded).Outcome
	require.Equal(t, challenge.Shape, o.Verdicts[0].Reason, "an answer that was given does not become a broken line")
	require.Equal(t, challenge.Transport, o.Verdicts[1].Reason)
}

// Segments that nobody asked for are refused, so that an answer has one form.
func TestUnaskedSegments(t *testing.T) {
	s := small(challenge.Int8, 64, 1, 16, 4)
	work := s
	work.Session = nonce(50)
	p := oracleCommit(work, nil)
	x := asked(t, s, p.roots)
	effects, err := x.Apply(newClock().now, challenge.Opened{Openings: p.open(nonce(51)), Segments: []challenge.WalkOpening{{}}})
	require.NoError(t, err)
	require.Equal(t, challenge.WalkShape, reasonOf(t, effects[0].(challenge.Examine).Verify()))
	x = asked(t, s, p.roots)
	effects, err = x.Apply(newClock().now, challenge.Opened{Openings: p.open(nonce(51))})
	require.NoError(t, err)
	require.NoError(t, effects[0].(challenge.Examine).Verify())
}

// A deadline does not run away to 292 years because a credit is negative.
func TestDeadlineAtTheBounds(t *testing.T) {
	p := challenge.DefaultParams()
	require.Equal(t, p.Deadline(7, 10, 0), p.Deadline(7, 10, -1))
	require.Equal(t, time.Second, p.Deadline(7, 10, math.MinInt64))
	require.Equal(t, time.Duration(math.MaxInt64), p.Deadline(math.MaxUint64, 1, time.Second))
	require.Equal(t, time.Duration(math.MaxInt64), p.Deadline(1<<59, 1, math.MaxInt64))
	largest := challenge.Spec{
		Version: challenge.Version, Session: nonce(1), Device: "GPU-0", N: challenge.MaxSide, Rounds: challenge.MaxRounds, Width: challenge.MinWidth,
		Openings: challenge.MaxOpenings, Memory: challenge.MemorySpec{
			Bytes: challenge.MaxTable, Cost: challenge.MaxCost, Lanes: challenge.MaxLanes, Segments: 64, Steps: challenge.MaxSteps, Openings: challenge.MaxOpenings,
		},
	}
	require.NoError(t, largest.Validate())
	require.Equal(t, uint64(1<<59), largest.Ops())
	require.Equal(t, uint64(1<<42), largest.Memory.Reads())
	require.Equal(t, 28, largest.Depth())
	require.Equal(t, uint64(6<<32+1024<<30+1<<40+1<<30), largest.DeviceBytes())
	list := challenge.Indices(largest, challenge.Commitment{}, nonce(1))
	require.Len(t, list, challenge.MaxOpenings)
	last := list[len(list)-1]
	require.Less(t, last.Round, uint32(challenge.MaxRounds))
	require.Greater(t, last.Round, uint32(1000), "all rounds are drawn from")
}

// Fit answers nonsense with an error: a width of zero divided by zero.
func TestFitOfNonsense(t *testing.T) {
	for _, width := range []uint32{0, 1, 15, 17, 1 << 11, 1 << 31, math.MaxUint32} {
		_, err := challenge.Fit(challenge.Spec{Width: width}, 1e15, time.Second, 1<<30)
		require.ErrorIs(t, err, challenge.ErrInvalid)
	}
	full := challenge.MemorySpec{Bytes: math.MaxUint64, Cost: math.MaxUint32, Lanes: math.MaxUint32, Segments: math.MaxUint32, Steps: math.MaxUint32}
	_, err := challenge.Fit(challenge.Spec{Width: 32, Memory: full}, math.MaxUint64, math.MaxInt64, math.MaxUint64)
	require.ErrorIs(t, err, challenge.ErrInvalid)
	s := small(challenge.Int8, 64, 1, 32, 128)
	got, err := challenge.Fit(s, math.MaxUint64, math.MaxInt64, math.MaxUint64)
	require.NoError(t, err)
	require.Equal(t, uint32(challenge.MaxRounds), got.Rounds)
	got, err = challenge.Fit(s, 1, 1, 1<<20)
	require.NoError(t, err)
	require.Equal(t, []uint32{64, 1}, []uint32{got.N, got.Rounds}, "at least one round")
}

// A walk fills the time it was given, at any rate: in the credit for the line alone a table elsewhere could be walked.
func TestFitWalk(t *testing.T) {
	base := challenge.MemorySpec{Bytes: 1 << 30, Cost: 256, Lanes: 1 << 17, Steps: 512, Openings: 8}
	for _, rate := range []uint64{1, 2, 3, 200, 1e6, 1e9, 3e10, 1e12} {
		for _, want := range []time.Duration{time.Second, 3 * time.Second} {
			m, err := challenge.FitWalk(base, rate, want)
			require.NoError(t, err)
			require.NoError(t, m.Validate())
			reads := rate * uint64(want/time.Second)
			require.LessOrEqual(t, m.Reads(), reads)
			require.Greater(t, 2*m.Reads(), reads, "rate %d", rate)
		}
	}
	m, err := challenge.FitWalk(base, 3e10, time.Second)
	require.NoError(t, err)
	require.Equal(t, challenge.MemorySpec{Bytes: 1 << 30, Cost: 256, Lanes: 1 << 17, Segments: 256, Steps: 894, Openings: 8}, m)
	m, err = challenge.FitWalk(base, 1, 1)
	require.NoError(t, err)
	require.Equal(t, uint64(1), m.Reads(), "at least one")
	require.Equal(t, uint32(1), m.Openings)
	m, err = challenge.FitWalk(base, math.MaxUint64, math.MaxInt64)
	require.NoError(t, err)
	require.NoError(t, m.Validate(), "as long as a walk can be")
	for _, f := range []func() (challenge.MemorySpec, error){
		func() (challenge.MemorySpec, error) { return challenge.FitWalk(base, 0, time.Second) },
		func() (challenge.MemorySpec, error) { return challenge.FitWalk(base, 1, 0) },
		func() (challenge.MemorySpec, error) { return challenge.FitWalk(challenge.MemorySpec{}, 1, time.Second) },
		func() (challenge.MemorySpec, error) {
			return challenge.FitWalk(challenge.MemorySpec{Lanes: 3, Steps: 1}, 1, time.Second)
		},
		func() (challenge.MemorySpec, error) {
			return challenge.FitWalk(challenge.MemorySpec{Lanes: 1}, 1, time.Second)
		},
	} {
		_, err = f()
		require.ErrorIs(t, err, challenge.ErrInvalid)
	}
}
