package reputation_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

// worker is a book under the rules of io.net with one subject that has been up for 30 days.
func worker(t testing.TB, owner string) (*reputation.Book, time.Time) {
	t.Helper()
	b, err := reputation.NewBook(reputation.IONet())
	require.NoError(t, err)
	apply(t, b, start, reputation.Joined{Subject: "x", Owner: owner})
	watch(t, b, start, start.Add(30*day), time.Hour, true)
	return b, start.Add(30 * day)
}

func job(id string, change ...func(*reputation.JobEnded)) reputation.JobEnded {
	e := reputation.JobEnded{ID: id, Subject: "x", Renter: "rae", PaidMicroUSD: 100_000_000, GPUSeconds: 3_600, Outcome: reputation.JobDone}
	for _, f := range change {
		f(&e)
	}
	return e
}

func refuse(t testing.TB, b *reputation.Book, at time.Time, e reputation.Event, want error) {
	t.Helper()
	before := b.Digest()
	_, err := b.Apply(at, e)
	require.ErrorIs(t, err, want)
	require.Equal(t, before, b.Digest(), "a refused event changed the book")
}

func TestJobWeights(t *testing.T) {
	for name, c := range map[string]struct {
		paid uint64
		want uint32
	}{
		"nothing":       {0, 0},
		"a millionth":   {100, 999}, // the root of 10^-6, of which the last of 64 bits is missing
		"a quarter":     {25_000_000, 500_000},
		"a cent less":   {99_990_000, 999_949}, // the root of 0.9999, down
		"whole":         {100_000_000, 1_000_000},
		"a cent more":   {100_010_000, 1_000_000},
		"a fortune":     {math.MaxUint64, 1_000_000},
		"a unit of USD": {1, 99},
	} {
		t.Run(name, func(t *testing.T) {
			b, at := worker(t, "sam")
			out := apply(t, b, at, job("j", func(e *reputation.JobEnded) { e.PaidMicroUSD = c.paid }))
			require.Equal(t, []reputation.Effect{reputation.JobWeighed{Subject: "x", WeightPPM: c.want}}, out)
			require.NoError(t, b.Audit())
		})
	}
}

// One renter counts for five jobs of one owner in 30 days, on whatever devices; the first of them is forgotten at the very
// end of the window.
func TestPairLimit(t *testing.T) {
	b, at := worker(t, "sam")
	apply(t, b, at, reputation.Joined{Subject: "y", Owner: "sam"})
	weight := func(at time.Time, id, renter string, s reputation.Subject) uint32 {
		out := apply(t, b, at, job(id, func(e *reputation.JobEnded) { e.Renter, e.Subject, e.PaidMicroUSD = renter, s, 64_000_000 }))
		require.NoError(t, b.Audit())
		return out[0].(reputation.JobWeighed).WeightPPM
	}
	var got []uint32
	for i := range 8 {
		got = append(got, weight(at.Add(time.Duration(i)*time.Hour), fmt.Sprint(i), "rae", []reputation.Subject{"x", "y"}[i%2]))
	}
	require.Equal(t, []uint32{799_999, 799_999, 799_999, 799_999, 799_999, 799_999, 200_000, 0}, got)
	require.Equal(t, uint32(799_999), weight(at.Add(8*time.Hour), "other", "ivy", "x"))
	require.Zero(t, weight(at.Add(30*day-time.Second), "late", "rae", "x"))
	require.Equal(t, uint32(799_999), weight(at.Add(30*day), "next", "rae", "x"))
	require.Zero(t, weight(at.Add(30*day), "own", "sam", "x"), "nobody vouches for himself")
}

func TestWorkRefusals(t *testing.T) {
	b, at := worker(t, "sam")
	apply(t, b, at, job("j"))
	apply(t, b, at, reputation.Challenged{ID: "c", Subject: "x", Answer: reputation.AnswerRight})
	apply(t, b, at, reputation.Faulted{ID: "f", Subject: "x", Kind: reputation.FaultSLA})
	long := string(make([]byte, 129))
	for _, c := range []struct {
		e    reputation.Event
		want error
	}{
		{job("j"), reputation.ErrDuplicate},
		{job(""), reputation.ErrInvalid},
		{job(long), reputation.ErrInvalid},
		{job("k", func(e *reputation.JobEnded) { e.Renter = "" }), reputation.ErrInvalid},
		{job("k", func(e *reputation.JobEnded) { e.Outcome = 0 }), reputation.ErrInvalid},
		{job("k", func(e *reputation.JobEnded) { e.Outcome = 4 }), reputation.ErrInvalid},
		{job("k", func(e *reputation.JobEnded) { e.Subject = "y" }), reputation.ErrUnknownSubject},
		{reputation.Challenged{ID: "c", Subject: "x", Answer: reputation.AnswerRight}, reputation.ErrDuplicate},
		{reputation.Challenged{ID: "d", Subject: "x"}, reputation.ErrInvalid},
		{reputation.Challenged{ID: "d", Subject: "x", Answer: 4}, reputation.ErrInvalid},
		{reputation.Challenged{ID: "d", Subject: "y", Answer: 1}, reputation.ErrUnknownSubject},
		{reputation.Measured{Subject: "x", Latency: -1}, reputation.ErrInvalid},
		{reputation.Measured{Subject: "y"}, reputation.ErrUnknownSubject},
		{reputation.Faulted{ID: "f", Subject: "x", Kind: reputation.FaultSLA}, reputation.ErrDuplicate},
		{reputation.Faulted{ID: "g", Subject: "x", Kind: "rudeness"}, reputation.ErrInvalid},
		{reputation.Faulted{ID: "g", Subject: "y", Kind: reputation.FaultSLA}, reputation.ErrUnknownSubject},
		{reputation.Overturned{ID: "g"}, reputation.ErrUnknownFault},
		{reputation.Joined{Subject: "z", Owner: long}, reputation.ErrInvalid},
	} {
		refuse(t, b, at, c.e, c.want)
	}
	plain := book(t, "x")
	for _, e := range []reputation.Event{
		job("j"),
		reputation.Challenged{ID: "c", Subject: "x", Answer: 1},
		reputation.Measured{Subject: "x"},
		reputation.Faulted{ID: "f", Subject: "x", Kind: reputation.FaultSLA},
	} {
		refuse(t, plain, start, e, reputation.ErrUnused)
	}
}

// The mean of a Beta law, decayed, by real arithmetic.
func TestSignalMean(t *testing.T) {
	b, at := worker(t, "sam")
	good, failed, last := 0.0, 0.0, at
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		at = at.Add(time.Duration(r.Int64N(int64(3 * day)))).Truncate(time.Second)
		q := math.Exp2(-at.Sub(last).Hours() / (90 * 24))
		good, failed, last = good*q, failed*q, at
		e := job(fmt.Sprint(i), func(e *reputation.JobEnded) { e.Renter = fmt.Sprint(i % 50) })
		if r.IntN(20) == 0 {
			e.Outcome = reputation.JobFailed
			failed++
		} else {
			good++
		}
		apply(t, b, at, e)
		s, _ := b.Score("x", at, day)
		require.InDelta(t, 1e6*(good+19.6)/(good+failed+20), float64(s.Job.PPM), 1.5)
		require.LessOrEqual(t, s.Job.LowPPM, s.Job.PPM)
		require.GreaterOrEqual(t, s.Job.HighPPM, s.Job.PPM)
	}
	require.NoError(t, b.Audit())
}

// A fault is halved by time and by work, whichever has come less far.
func TestConductNeedsBoth(t *testing.T) {
	mass := func(days int, hours uint64) float64 {
		b, at := worker(t, "sam")
		apply(t, b, at, reputation.Faulted{ID: "f", Subject: "x", Kind: reputation.FaultUtilisation}) // 0.2
		if hours > 0 {
			apply(t, b, at, job("j", func(e *reputation.JobEnded) { e.GPUSeconds = hours * 3_600 }))
		}
		s, _ := b.Score("x", at.Add(time.Duration(days)*day), day)
		return -math.Log(float64(s.ConductPPM) / 1e6)
	}
	require.InDelta(t, .2, mass(0, 0), 2e-6)
	require.InDelta(t, .2, mass(720, 0), 2e-6, "idling does not clean")
	require.InDelta(t, .2, mass(0, 2_000), 2e-6, "nor does a rush of work")
	require.InDelta(t, .1, mass(180, 2_000), 2e-6)
	require.InDelta(t, .1, mass(720, 500), 2e-6)
	require.InDelta(t, .05, mass(360, 1_000), 2e-6)
}

// Conduct follows the owner to every subject, and an appeal takes the fault back whole.
func TestConductFollowsTheOwner(t *testing.T) {
	b, at := worker(t, "sam")
	apply(t, b, at, reputation.Joined{Subject: "new", Owner: "sam"})
	apply(t, b, at, reputation.Joined{Subject: "other", Owner: "eve"})
	clean, _ := b.Score("new", at, day)
	apply(t, b, at, reputation.Faulted{ID: "f", Subject: "x", Kind: reputation.FaultSpoofing})
	s, _ := b.Score("new", at, day)
	require.Equal(t, uint32(49_787), s.ConductPPM, "exp(-3)")
	require.Less(t, s.Ends.PPM, clean.Ends.PPM/20)
	s, _ = b.Score("other", at, day)
	require.Equal(t, uint32(1_000_000), s.ConductPPM)
	apply(t, b, at, reputation.Overturned{ID: "f"})
	s, _ = b.Score("new", at, day)
	require.Equal(t, clean, s)
	require.NoError(t, b.Audit())
}

// A wrong answer is a lie: it costs what a late one does, and conduct.
func TestLies(t *testing.T) {
	b, at := worker(t, "sam")
	before, _ := b.Score("x", at, day)
	apply(t, b, at, reputation.Challenged{ID: "a", Subject: "x", Answer: reputation.AnswerLate})
	late, _ := b.Score("x", at, day)
	require.Less(t, late.Challenge.PPM, before.Challenge.PPM)
	require.Equal(t, before.ConductPPM, late.ConductPPM)
	apply(t, b, at, reputation.Challenged{ID: "b", Subject: "x", Answer: reputation.AnswerWrong})
	lie, _ := b.Score("x", at, day)
	require.Equal(t, uint32(904_837), lie.ConductPPM, "exp(-0.1)")
}

// The quantiles are within half a bucket of those of the samples.
func TestLineQuantiles(t *testing.T) {
	b, at := worker(t, "")
	_, ok := b.Line("x")
	require.False(t, ok)
	r := rand.New(rand.NewPCG(3, 4))
	for range 5_000 { // at one instant: nothing decays
		apply(t, b, at, reputation.Measured{
			Subject: "x", Latency: time.Duration(1+r.IntN(100)) * time.Millisecond, DownKbps: 1_000_000, UpKbps: uint32(r.IntN(4)) << 30, Meets: true,
		})
	}
	l, ok := b.Line("x")
	require.True(t, ok)
	require.Equal(t, uint64(5_000_000), l.MilliSamples)
	for want, got := range map[float64]uint64{5_000: l.LatencyMicros.P5, 50_000: l.LatencyMicros.P50, 95_000: l.LatencyMicros.P95} {
		require.InEpsilon(t, want, float64(got), .08)
	}
	require.InEpsilon(t, 1_000_000, float64(l.DownKbps.P50), .045)
	require.Equal(t, uint64(1_069), l.UpKbps.P5, "below the range: its lowest bucket")
	require.InEpsilon(t, float64(64<<20), float64(l.UpKbps.P95), .05, "above it: its highest")
	require.NoError(t, b.Audit())
}

// history plays random work of an owner's two subjects, calling tell before each event, and returns the book and the instant.
func history(t testing.TB, seed uint64, events int) (*reputation.Book, time.Time) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	b, err := reputation.NewBook(reputation.IONet())
	require.NoError(t, err)
	apply(t, b, start, reputation.Joined{Subject: "x", Owner: "sam"})
	apply(t, b, start, reputation.Joined{Subject: "y", Owner: []string{"sam", "", "eve"}[r.IntN(3)]})
	at := start
	for i := range events {
		at = at.Add(time.Duration(r.Int64N(int64(40 * time.Hour))))
		s := []reputation.Subject{"x", "y"}[r.IntN(2)]
		id := fmt.Sprint(i)
		var e reputation.Event
		switch r.IntN(8) {
		case 0, 1, 2:
			e = reputation.Seen{Subject: s, Up: r.IntN(6) > 0}
		case 3:
			e = job(id, func(e *reputation.JobEnded) {
				e.Subject, e.Renter, e.PaidMicroUSD, e.GPUSeconds = s, fmt.Sprint(r.IntN(4)), r.Uint64N(150_000_000), r.Uint64N(1_000_000)
				e.Outcome = reputation.Outcome(1 + r.IntN(3))
			})
		case 4:
			e = reputation.Challenged{ID: id, Subject: s, Answer: reputation.Answer(1 + r.IntN(3))}
		case 5:
			e = reputation.Measured{Subject: s, Latency: time.Duration(r.Int64N(1e9)), DownKbps: r.Uint32(), UpKbps: r.Uint32(), Meets: r.IntN(4) > 0}
		case 6:
			e = reputation.Faulted{ID: id, Subject: s, Kind: []string{reputation.FaultSLA, reputation.FaultStake, reputation.FaultUtilisation}[r.IntN(3)]}
		case 7:
			_, _ = b.Apply(at, reputation.Overturned{ID: fmt.Sprint(r.IntN(i + 1))})
			continue
		}
		apply(t, b, at, e)
	}
	return b, at
}

// twin returns a book in the same state.
func twin(t testing.TB, b *reputation.Book, p reputation.Params) *reputation.Book {
	t.Helper()
	c, err := reputation.Restore(p, b.Snapshot())
	require.NoError(t, err)
	require.Equal(t, b.Digest(), c.Digest())
	return c
}

// Whatever the history: the terms add up to the score, bad news never raise it, good news never lower it, and nothing of it
// lifts an identity that nobody has seen above nothing.
func TestWorkProperties(t *testing.T) {
	for seed := range uint64(400) {
		b, at := history(t, seed, 60)
		require.NoError(t, b.Audit())
		horizon := time.Duration(1+seed%200) * time.Hour
		s, _ := b.Score("x", at, horizon)
		x, _ := b.Explain("x", at, horizon)
		sum := int64(0)
		for _, term := range x.Terms {
			sum += term.MicroNats
		}
		require.Equal(t, x.MicroNats, sum)
		require.Equal(t, s.Ends.PPM, x.ToPPM)
		require.Len(t, x.Terms, 1+3+4)
		logit := func(ppm uint32) float64 { return math.Log(float64(ppm) / (1e6 - float64(ppm))) }
		if s.Ends.PPM > 1_000 && s.Ends.PPM < 999_000 {
			require.InDelta(t, logit(x.ToPPM)-logit(x.FromPPM), float64(sum)/1e6, 2e-3)
		}
		for i, e := range []reputation.Event{
			job("bad", func(e *reputation.JobEnded) { e.Outcome = reputation.JobFailed }),
			reputation.Challenged{ID: "bad", Subject: "x", Answer: reputation.AnswerLate},
			reputation.Challenged{ID: "bad", Subject: "x", Answer: reputation.AnswerWrong},
			reputation.Measured{Subject: "x"},
			reputation.Faulted{ID: "bad", Subject: "x", Kind: reputation.FaultStake},
			job("good", func(e *reputation.JobEnded) { e.Renter = "new" }),
			reputation.Challenged{ID: "good", Subject: "x", Answer: reputation.AnswerRight},
			reputation.Measured{Subject: "x", Meets: true},
			job("void", func(e *reputation.JobEnded) { e.Outcome = reputation.JobVoid }),
		} {
			c := twin(t, b, reputation.IONet())
			apply(t, c, at, e)
			after, _ := c.Score("x", at, horizon)
			switch {
			case i < 5:
				require.LessOrEqual(t, after.Ends.PPM, s.Ends.PPM, "seed %d: %T", seed, e)
				require.LessOrEqual(t, after.Ends.LowPPM, s.Ends.LowPPM, "seed %d: %T", seed, e)
				require.LessOrEqual(t, after.Standing, s.Standing)
			case i < 8:
				require.GreaterOrEqual(t, after.Ends.PPM, s.Ends.PPM, "seed %d: %T", seed, e)
				require.GreaterOrEqual(t, after.Ends.LowPPM, s.Ends.LowPPM, "seed %d: %T", seed, e)
			default:
				require.Equal(t, s, after)
			}
		}
		apply(t, b, at, reputation.Joined{Subject: "fresh", Owner: "nobody knows"})
		fresh, _ := b.Score("fresh", at, horizon)
		require.Zero(t, fresh.Standing)
	}
}

// Whoever splits a supplier's record among k identities has none that stands higher than the one with all of it.
func TestSplittingASupplier(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 5))
		k := 2 + r.IntN(5)
		play := func(k int) (best uint32) {
			r := rand.New(rand.NewPCG(seed, 6))
			b, err := reputation.NewBook(reputation.IONet())
			require.NoError(t, err)
			name := func(i int) reputation.Subject { return reputation.Subject(fmt.Sprint("s", i%k)) }
			for i := range k {
				apply(t, b, start, reputation.Joined{Subject: name(i), Owner: fmt.Sprint("owner", i)})
			}
			at := start
			for h := range 24 * 40 {
				at = start.Add(time.Duration(h) * time.Hour)
				for i := range k {
					apply(t, b, at, reputation.Seen{Subject: name(i), Up: true})
				}
				if h%8 == 0 {
					apply(t, b, at, job(fmt.Sprint(h), func(e *reputation.JobEnded) {
						e.Subject, e.Renter, e.PaidMicroUSD = name(r.IntN(1<<30)), fmt.Sprint(h%40), 50_000_000
					}))
					apply(t, b, at, reputation.Challenged{ID: fmt.Sprint(h), Subject: name(r.IntN(1 << 30)), Answer: reputation.AnswerRight})
				}
			}
			for i := range k {
				s, _ := b.Score(name(i), at, day)
				best = max(best, s.Standing)
			}
			return best
		}
		require.LessOrEqual(t, play(k), play(1), "seed %d", seed)
	}
}

// Two who rent from each other as often as they like get no further than a limit, which one stranger's jobs reach as well.
func TestRatingRing(t *testing.T) {
	b, at := worker(t, "sam")
	apply(t, b, at, reputation.Joined{Subject: "y", Owner: "eve"})
	for i := range 500 {
		apply(t, b, at, job(fmt.Sprint("x", i), func(e *reputation.JobEnded) { e.Renter = "eve" }))
		apply(t, b, at, job(fmt.Sprint("y", i), func(e *reputation.JobEnded) { e.Subject, e.Renter = "y", "sam" }))
	}
	ring, _ := b.Score("x", at, day)
	c, at := worker(t, "sam")
	for i := range 5 {
		apply(t, c, at, job(fmt.Sprint(i)))
	}
	five, _ := c.Score("x", at, day)
	require.Equal(t, five, ring)
	require.NoError(t, b.Audit())
}

// The diary forgets: it is as long as what happened in the window.
func TestDiaryIsBounded(t *testing.T) {
	b, at := worker(t, "sam")
	size := 0
	for i := range 3_000 {
		at = at.Add(time.Hour)
		apply(t, b, at, reputation.Challenged{ID: fmt.Sprint(i), Subject: "x", Answer: reputation.AnswerRight})
		if i == 2_500 {
			size = len(b.Snapshot())
		}
	}
	require.Len(t, b.Snapshot(), size)
	apply(t, b, at, reputation.Challenged{ID: "0", Subject: "x", Answer: reputation.AnswerRight}) // long forgotten
}

// Random work never breaks the audit, survives a snapshot, and reads the same.
func FuzzWork(f *testing.F) {
	f.Add(uint64(1), uint8(80))
	f.Fuzz(func(t *testing.T, seed uint64, events uint8) {
		b, at := history(t, seed, int(events))
		require.NoError(t, b.Audit())
		c := twin(t, b, reputation.IONet())
		for s, sc := range b.All(at.Add(time.Hour), day) {
			x, ok := c.Explain(s, at.Add(time.Hour), day)
			require.True(t, ok)
			require.Equal(t, sc.Ends.PPM, x.ToPPM)
		}
	})
}

// No bytes make Restore panic, and what it takes can be read and written.
func FuzzRestoreWork(f *testing.F) {
	for seed := range uint64(3) {
		b, _ := history(f, seed, 40)
		f.Add(b.Snapshot())
	}
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		b, err := reputation.Restore(reputation.IONet(), snapshot)
		if err != nil {
			require.ErrorIs(t, err, reputation.ErrInvalid)
			return
		}
		require.Equal(t, snapshot, b.Snapshot())
		for s := range b.All(start.Add(1000*day), day) {
			_, _ = b.Explain(s, start.Add(1000*day), day)
			_, _ = b.Line(s)
		}
	})
}
