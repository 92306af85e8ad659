package reputation_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/reputation"
)

func TestApplyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		at   time.Time
		e    reputation.Event
		want error
	}{
		"earlier":         {start.Add(-1), reputation.Seen{Subject: "x", Up: true}, reputation.ErrTimeBackwards},
		"no event":        {start, nil, reputation.ErrInvalid},
		"joined twice":    {start, reputation.Joined{Subject: "x"}, reputation.ErrKnownSubject},
		"no name":         {start, reputation.Joined{}, reputation.ErrInvalid},
		"name too long":   {start, reputation.Joined{Subject: reputation.Subject(strings.Repeat("y", 129))}, reputation.ErrInvalid},
		"longest name":    {start, reputation.Joined{Subject: reputation.Subject(strings.Repeat("y", 128))}, nil},
		"stranger":        {start, reputation.Seen{Subject: "y"}, reputation.ErrUnknownSubject},
		"last second":     {time.Unix(math.MaxUint32-1, 999), reputation.Seen{Subject: "x"}, nil},
		"after the range": {time.Unix(math.MaxUint32, 0), reputation.Seen{Subject: "x"}, reputation.ErrTimeRange},
	} {
		b := book(t, "x")
		before := b.Digest()
		out, err := b.Apply(c.at, c.e)
		require.ErrorIs(t, err, c.want, name)
		require.Empty(t, out, name)
		require.NoError(t, b.Audit())
		require.Equal(t, c.want != nil, before == b.Digest(), name)
	}
	b, err := reputation.NewBook(reputation.Default())
	require.NoError(t, err)
	_, err = b.Apply(time.Unix(-1, 0), reputation.Joined{Subject: "x"})
	require.ErrorIs(t, err, reputation.ErrTimeRange)
	_, err = b.Apply(time.Unix(0, 0), reputation.Joined{Subject: "x"})
	require.NoError(t, err)
}

func TestEffects(t *testing.T) {
	b := book(t, "x")
	seen := func(h float64, up bool) []reputation.Effect {
		out := apply(t, b, start.Add(time.Duration(h*float64(time.Hour))), reputation.Seen{Subject: "x", Up: up})
		require.NoError(t, b.Audit())
		return out
	}
	at := func(h int) time.Time { return start.Add(time.Duration(h) * time.Hour) }
	require.Empty(t, seen(0, true), "the first observation is no change")
	require.Empty(t, seen(1, true))
	require.Equal(t, []reputation.Effect{reputation.WentDown{Subject: "x", At: at(2), Counted: true}}, seen(2, false))
	before := b.Digest()
	require.Empty(t, seen(2, false), "the same again")
	require.Equal(t, before, b.Digest())
	require.Equal(t, []reputation.Effect{reputation.CameUp{Subject: "x", At: at(3)}}, seen(3, true))
	require.Equal(t, []reputation.Effect{reputation.WentDown{Subject: "x", At: at(9), Counted: true}}, seen(9, false), "6 h: observed")
	require.Len(t, seen(10, true), 1)
	late := seen(16.0003, false) // 6 h and a second
	require.Equal(t, reputation.WentDown{Subject: "x", At: start.Add(time.Duration(16.0003 * float64(time.Hour)))}, late[0])
	s := score(t, b, at(17), day)
	require.Equal(t, 10*time.Hour, s.Observed, "the gap was not observed")
	require.False(t, s.Up)
	x, ok := b.Explain("x", at(17), day)
	require.True(t, ok)
	require.Equal(t, uint64(2000), x.Terms[0].MilliOutages, "nor was an outage in it")
}

// However often a subject is observed, the score is the same to the bit.
func TestSamplingInvariance(t *testing.T) {
	var want []byte
	for _, step := range []time.Duration{time.Second, time.Minute, time.Hour, 5 * time.Hour} {
		b := book(t, "x")
		watch(t, b, start, start.Add(100*time.Hour), step, true)
		if want == nil {
			want = b.Snapshot()
		}
		require.Equal(t, want, b.Snapshot(), "every %v", step)
	}
}

func TestReadingChangesNothing(t *testing.T) {
	quiet, read := book(t, "x"), book(t, "x")
	for h := range 500 {
		at, e := start.Add(time.Duration(h)*time.Hour), reputation.Seen{Subject: "x", Up: h%50 != 49}
		apply(t, quiet, at, e)
		apply(t, read, at, e)
		score(t, read, at.Add(time.Hour), day)
		read.Explain("x", at, day)
		for range read.All(at, day) {
			break
		}
	}
	require.Equal(t, quiet.Digest(), read.Digest())
}

func TestScoreEdges(t *testing.T) {
	b := book(t, "x")
	s := score(t, b, start, day)
	certain := reputation.Chance{PPM: 1_000_000, LowPPM: 1_000_000, HighPPM: 1_000_000}
	require.Equal(t, reputation.Score{
		UpPPM: 580_000, LowPPM: s.LowPPM, HighPPM: s.HighPPM, Ends: reputation.Chance{PPM: 580_000, LowPPM: s.LowPPM, HighPPM: s.HighPPM},
		Job: certain, Challenge: certain, Link: certain, ConductPPM: 1_000_000, Thin: true,
	}, s, "joined, never seen: the table's first row")
	watch(t, b, start, start.Add(30*day), time.Hour, true)
	now := start.Add(30 * day)

	require.Equal(t, uint32(1_000_000), score(t, b, now, 0).LowPPM, "nothing happens in no time")
	require.Equal(t, score(t, b, now, time.Second), score(t, b, now, 1), "a horizon is rounded up")
	require.Equal(t, score(t, b, now, 2*time.Second), score(t, b, now, time.Second+1))
	require.Equal(t, score(t, b, now, 1<<30*time.Second), score(t, b, now, math.MaxInt64))
	require.Equal(t, score(t, b, now, day), score(t, b, start, day), "before the last observation: as at it")
	require.Equal(t, score(t, b, now, day), score(t, b, time.Unix(-1, 0), day), "before 1970 too")
	require.Less(t, score(t, b, now.Add(60*day), day).UpPPM, score(t, b, now, day).UpPPM, "what is not observed is forgotten")
	require.Equal(t, uint32(952_674), score(t, b, time.Unix(1<<40, 0), day).UpPPM, "in the end all but the prior")
	require.Equal(t, now, score(t, b, now.Add(day), day).LastSeen)

	_, ok := b.Score("y", now, day)
	require.False(t, ok)
	_, ok = b.Explain("y", now, day)
	require.False(t, ok)
	require.PanicsWithValue(t, "reputation: Book.Score: negative horizon -1ns", func() { b.Score("x", now, -1) })
	require.PanicsWithValue(t, "reputation: Book.All: negative horizon -1ns", func() { b.All(now, -1) })
	require.PanicsWithValue(t, "reputation: Book.Explain: negative horizon -1ns", func() { b.Explain("x", now, -1) })
}

// What a clean record is worth: low, point of 24 hours, against figures published with the model.
func TestCleanRecord(t *testing.T) {
	for _, c := range []struct {
		days    int
		low, up float64
	}{{3, .887, .975}, {7, .922, .981}, {14, .942, .985}, {30, .958, .988}, {90, .968, .990}} {
		b := book(t, "x")
		until := start.Add(time.Duration(c.days) * day)
		watch(t, b, start, until, time.Hour, true)
		s := score(t, b, until, day)
		require.InDelta(t, c.up, float64(s.UpPPM)/1e6, .0006, "%d days", c.days)
		require.InDelta(t, c.low, float64(s.LowPPM)/1e6, .001, "%d days", c.days)
		require.GreaterOrEqual(t, s.HighPPM, uint32(999_500))
	}
}

// The table rows hold from their lower edge to just before their upper one.
func TestNewcomer(t *testing.T) {
	for _, c := range []struct {
		observed time.Duration
		outage   bool
		up       uint32
	}{
		{0, false, 580_000},
		{6*time.Hour - time.Second, false, 580_000},
		{6 * time.Hour, false, 400_000},
		{24*time.Hour - time.Second, false, 400_000},
		{24 * time.Hour, false, 902_000},
		{72*time.Hour - time.Second, false, 902_000},
		{72 * time.Hour, false, 975_408}, // the model's, see TestAgainstFloat
		{6*time.Hour - time.Second, true, 60_000},
		{6 * time.Hour, true, 250_000},
		{24 * time.Hour, true, 540_000},
	} {
		b := book(t, "x")
		until := start.Add(c.observed)
		watch(t, b, start, until, time.Hour, true)
		if c.outage {
			apply(t, b, until, reputation.Seen{Subject: "x", Up: false})
		}
		apply(t, b, until, reputation.Seen{Subject: "x", Up: true})
		require.Equal(t, c.up, score(t, b, until, day).UpPPM, "%v, outage %v", c.observed, c.outage)
	}
}

// The table may reach beyond the age at which a subject is established; its rest is then not in use.
func TestNewcomerEstablishedEarlier(t *testing.T) {
	p := reputation.Default()
	p.Established = 48 * time.Hour
	for _, c := range []struct {
		observed time.Duration
		newcomer bool
	}{{48*time.Hour - time.Second, true}, {48 * time.Hour, false}, {48*time.Hour + time.Second, false}} {
		b, err := reputation.NewBook(p)
		require.NoError(t, err)
		apply(t, b, start, reputation.Joined{Subject: "x"})
		watch(t, b, start, start.Add(c.observed), time.Hour, true)
		apply(t, b, start.Add(c.observed), reputation.Seen{Subject: "x", Up: true})
		require.Equal(t, c.newcomer, score(t, b, start.Add(c.observed), day).UpPPM == 902_000, "%v", c.observed)
	}
}

// Under a prior so skewed that its mean lies above the 95 % quantile the bounds still enclose the point.
func TestSkewedPrior(t *testing.T) {
	p := reputation.Default()
	p.Established, p.Newcomer = 0, nil
	p.Memories = []reputation.Memory{{HalfLife: day, PriorMicroOutages: 4000, PriorUp: time.Hour}}
	b, err := reputation.NewBook(p)
	require.NoError(t, err)
	apply(t, b, start, reputation.Joined{Subject: "x"})
	s := score(t, b, start, day)
	require.Equal(t, s.UpPPM, s.LowPPM)
	require.Equal(t, uint32(1_000_000), s.HighPPM)
}

// A newcomer's law is Gamma(1, b) with b from the table.
func TestNewcomerHorizons(t *testing.T) {
	b := book(t, "x")
	scale := 24 * (1 - .42) / .42 // hours
	for _, hours := range []int{1, 6, 24, 168, 5000} {
		s := score(t, b, start, time.Duration(hours)*time.Hour)
		require.InDelta(t, scale/(scale+float64(hours)), float64(s.UpPPM)/1e6, 1e-6)
		require.InDelta(t, math.Pow(.05, float64(hours)/scale), float64(s.LowPPM)/1e6, 1.1e-6)
		if h := math.Pow(.95, float64(hours)/scale); h < float64(s.HighPPM)/1e6-1.1e-6 { // the point may lie above the quantile
			require.Equal(t, s.UpPPM, s.HighPPM)
		}
	}
}

// Nobody is below an identity that was never seen, so nobody gains standing by becoming one.
func TestStanding(t *testing.T) {
	b := book(t, "x")
	require.Zero(t, score(t, b, start, day).Standing)
	last := uint32(0)
	for _, days := range []int{1, 3, 7, 30, 90} {
		watch(t, b, start.Add(time.Duration(days-1)*day/2), start.Add(time.Duration(days)*day), time.Hour, true)
		s := score(t, b, start.Add(time.Duration(days)*day), day)
		require.Greater(t, s.Standing, last, "%d days", days)
		require.Equal(t, s.Standing, score(t, b, start.Add(time.Duration(days)*day), 30*day).Standing, "whatever horizon is asked")
		last = s.Standing
	}
	rng := rand.New(rand.NewPCG(1, 1))
	bad := book(t, "x")
	for n := range 2000 {
		apply(t, bad, start.Add(time.Duration(n)*20*time.Minute), reputation.Seen{Subject: "x", Up: rng.IntN(2) == 0})
	}
	s := score(t, bad, start.Add(28*day), day)
	require.Zero(t, s.Standing)
	require.Less(t, s.UpPPM, uint32(1000))
}

// life is a random history: steps with a state each.
type life struct {
	at []time.Duration
	up []bool
}

func randomLife(rng *rand.Rand, n int) life {
	var l life
	at := time.Duration(0)
	down := rng.Float64() * .05
	for range n {
		at += time.Duration(rng.IntN(3600)) * time.Second
		if rng.IntN(200) == 0 {
			at += 12 * time.Hour
		}
		l.at, l.up = append(l.at, at), append(l.up, rng.Float64() >= down)
	}
	return l
}

func (l life) play(t testing.TB) *reputation.Book {
	t.Helper()
	b := book(t, "x")
	for i, at := range l.at {
		apply(t, b, start.Add(at), reputation.Seen{Subject: "x", Up: l.up[i]})
	}
	return b
}

// One outage more, or a longer job, never scores better.
func TestMonotone(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		l := randomLife(rng, 100+rng.IntN(400))
		i := 1 + rng.IntN(len(l.at)-2)
		for !l.up[i-1] || !l.up[i] || !l.up[i+1] {
			if i++; i >= len(l.at)-1 {
				i = 1
			}
		}
		at := start.Add(l.at[len(l.at)-1])
		good := l.play(t)
		l.up[i] = false
		bad := l.play(t)
		last := reputation.Score{UpPPM: 1e6, LowPPM: 1e6, HighPPM: 1e6}
		for h := time.Hour; h < 300*day; h *= 2 {
			g, b := score(t, good, at, h), score(t, bad, at, h)
			require.LessOrEqual(t, b.UpPPM, g.UpPPM)
			require.LessOrEqual(t, b.LowPPM, g.LowPPM)
			require.LessOrEqual(t, b.Standing, g.Standing)
			require.LessOrEqual(t, g.UpPPM, last.UpPPM)
			require.LessOrEqual(t, g.LowPPM, last.LowPPM)
			require.LessOrEqual(t, g.HighPPM, last.HighPPM)
			last = g
		}
	}
}

// A more recent outage never scores better than the same outage earlier.
func TestMonotoneInTime(t *testing.T) {
	last := uint32(1_000_000)
	for h := 1; h < 30*24; h += 7 {
		b := book(t, "x")
		watch(t, b, start, start.Add(time.Duration(h)*time.Hour), time.Hour, true)
		apply(t, b, start.Add(time.Duration(h)*time.Hour), reputation.Seen{Subject: "x", Up: false})
		watch(t, b, start.Add(time.Duration(h)*time.Hour), start.Add(30*day), time.Hour, true)
		up := score(t, b, start.Add(30*day), day).UpPPM
		require.LessOrEqual(t, up, last, "hour %d", h)
		last = up
	}
}

func TestExplain(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		l := randomLife(rng, 1+rng.IntN(300))
		b := l.play(t)
		at, horizon := start.Add(l.at[len(l.at)-1]+time.Duration(rng.IntN(20))*time.Hour), time.Duration(1+rng.IntN(400))*time.Hour
		s := score(t, b, at, horizon)
		x, ok := b.Explain("x", at, horizon)
		require.True(t, ok)
		sum := int64(0)
		for _, term := range x.Terms {
			sum += term.MicroNats
		}
		require.Equal(t, x.MicroNats, sum, "exactly")
		require.Equal(t, s.UpPPM, x.ToPPM)
		require.Len(t, x.Terms, 4)
		require.Equal(t, "age", x.Terms[0].Name)
		require.Equal(t, s.Observed, x.Terms[0].Exposure)
		logit := func(ppm uint32) float64 { p := float64(ppm) / 1e6; return math.Log(p / (1 - p)) }
		if x.ToPPM > 1000 && x.ToPPM < 999_000 && x.FromPPM > 1000 {
			require.InDelta(t, logit(x.ToPPM)-logit(x.FromPPM), float64(x.MicroNats)/1e6, .002)
		}
	}
}

func TestAll(t *testing.T) {
	b := book(t, "c", "a", "b")
	watchAll := func(s reputation.Subject) {
		for h := range 100 {
			apply(t, b, start.Add(100*time.Hour), reputation.Seen{Subject: s, Up: h%2 == 0})
		}
	}
	watchAll("b")
	var got []reputation.Subject
	for s, sc := range b.All(start.Add(200*time.Hour), day) {
		got = append(got, s)
		want, _ := b.Score(s, start.Add(200*time.Hour), day)
		require.Equal(t, want, sc)
	}
	require.Equal(t, []reputation.Subject{"a", "b", "c"}, got)
}

// world plays a seeded network of 200 subjects over 40 days.
func world(t testing.TB) *reputation.Book {
	t.Helper()
	rng := rand.New(rand.NewPCG(11, 11))
	b := book(t)
	var names []reputation.Subject
	var rate []float64
	for h := range 40 * 24 {
		at := start.Add(time.Duration(h) * time.Hour)
		for len(names) < min(200, 1+h/3) {
			names = append(names, reputation.Subject(fmt.Sprintf("node-%03d", rng.IntN(1e9))))
			rate = append(rate, math.Exp(-rng.Float64()*7))
			_, err := b.Apply(at, reputation.Joined{Subject: names[len(names)-1]})
			require.NoError(t, err)
		}
		for i, s := range names {
			if rng.IntN(10) != 0 {
				_, err := b.Apply(at, reputation.Seen{Subject: s, Up: rng.Float64() > rate[i]})
				require.NoError(t, err)
			}
		}
	}
	return b
}

func TestDeterminism(t *testing.T) {
	for _, procs := range []int{1, runtime.NumCPU()} {
		old := runtime.GOMAXPROCS(procs)
		defer runtime.GOMAXPROCS(old)
		b := world(t)
		require.NoError(t, b.Audit())
		var text strings.Builder
		fmt.Fprintf(&text, "%x\n", b.Digest())
		golden.Check(t, "testdata/digest.txt", text.String())
		text.Reset()
		n := 0
		for s, sc := range b.All(start.Add(40*day), day) {
			if n++; n%10 == 0 {
				x, _ := b.Explain(s, start.Add(40*day), day)
				fmt.Fprintf(&text, "%s up %d [%d, %d] standing %d observed %v: %v\n", s, sc.UpPPM, sc.LowPPM, sc.HighPPM, sc.Standing,
					sc.Observed, x.Terms)
			}
		}
		golden.Check(t, "testdata/scores.golden", text.String())
	}
}
