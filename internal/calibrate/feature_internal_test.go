package calibrate

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

// gappy is a made-up trace with steps of many lengths, some of them beyond Gap.
func gappy(t *testing.T, seed uint64) *Trace {
	t.Helper()
	trace := Generate(seed, 60, 24)
	r := rand.New(rand.NewPCG(seed, 2))
	shift := int64(0)
	for s := range trace.Times {
		if r.IntN(60) == 0 {
			shift += int64(r.IntN(4 * Gap))
		}
		trace.Times[s] += shift
	}
	out, err := NewTrace(trace.Times, trace.Nodes)
	require.NoError(t, err)
	return out
}

// everyDay asks at a snapshot of each day, whatever follows.
func everyDay(t *Trace) (evals []Evaluation) {
	for s := 30; s < len(t.Times); s += 24 {
		evals = append(evals, Evaluation{Now: s, End: s + 1, Cases: t.cases(s, s, 0)})
	}
	return evals
}

// What parameters are fitted to is what the book remembers: outages, exposure, age and marks of every case.
func TestFeaturesAgainstBook(t *testing.T) {
	for seed := range uint64(3) {
		trace := gappy(t, seed)
		evals := everyDay(trace)
		f := trace.Features(evals, MeanHalfLives())
		looks := 0
		at := map[int]bool{}
		for _, e := range evals {
			at[e.Now] = true
		}
		book := fullReplay(t, trace, func(s int, book *reputation.Book) {
			if !at[s] {
				return
			}
			e := looks
			looks++
			for c, v := range evals[e].Cases {
				x := f.At[e][c]
				name := reputation.Subject(strconv.FormatUint(trace.Nodes[v.Node].ID, 10))
				said, ok := book.Explain(name, time.Unix(trace.Times[s], 0), 24*time.Hour)
				require.True(t, ok)
				require.Equal(t, uint64(x.Marks)*1000, said.Terms[0].MilliOutages)
				require.InDelta(t, x.Observed, said.Terms[0].Exposure.Hours(), 1e-9)
				for k := range MeanHalfLives() {
					require.InDelta(t, 1000*x.Outages[k], float64(said.Terms[k+1].MilliOutages), 1.001)
					require.InDelta(t, x.Up[k], said.Terms[k+1].Exposure.Hours(), 1.001/3600)
					require.LessOrEqual(t, x.Up[k], x.Watched[k])
				}
				require.LessOrEqual(t, x.Life, x.Observed)
			}
		})
		require.NoError(t, book.Audit())
		require.Equal(t, len(evals), looks)
		require.NotZero(t, trace.Times[len(trace.Times)-1]-trace.Times[0]-trace.observed[len(trace.Times)-1], "there are gaps")
	}
}

// fullReplay looks at every known node at every snapshot.
func fullReplay(t *testing.T, trace *Trace, visit func(s int, book *reputation.Book)) *reputation.Book {
	t.Helper()
	book, err := reputation.NewBook(reputation.Default())
	require.NoError(t, err)
	for s, at := range trace.Times {
		for _, n := range trace.Nodes {
			if n.Up[0].From > s {
				continue
			}
			name := reputation.Subject(strconv.FormatUint(n.ID, 10))
			if n.Up[0].From == s {
				_, err = book.Apply(time.Unix(at, 0), reputation.Joined{Subject: name})
				require.NoError(t, err)
			}
			_, err = book.Apply(time.Unix(at, 0), reputation.Seen{Subject: name, Up: n.Up[n.span(s)].Until > s})
			require.NoError(t, err)
		}
		visit(s, book)
	}
	return book
}

// Looking only as often as the book asks for gives the scores of looking at every snapshot.
func TestReplayAgainstEveryLook(t *testing.T) {
	for seed := range uint64(3) {
		trace := gappy(t, seed+10)
		evals := everyDay(trace)
		var want []reputation.Score
		at := map[int]int{}
		for e, v := range evals {
			at[v.Now] = e + 1
		}
		fullReplay(t, trace, func(s int, book *reputation.Book) {
			if e := at[s]; e > 0 {
				for _, v := range evals[e-1].Cases {
					score, ok := book.Score(reputation.Subject(strconv.FormatUint(trace.Nodes[v.Node].ID, 10)), time.Unix(trace.Times[s], 0), 50*time.Hour)
					require.True(t, ok)
					want = append(want, score)
				}
			}
		})
		var got []reputation.Score
		require.NoError(t, trace.Replay(reputation.Default(), evals, 50*time.Hour, func(e int, score func(int) reputation.Score) {
			for c := range evals[e].Cases {
				got = append(got, score(c))
			}
		}))
		require.Equal(t, want, got)
	}
}

// Cases that come from a law are fitted to that law.
func TestFitFindsTheLaw(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	law := prior{A: 0.3, B: 120}
	var cases []exposure
	for range 60_000 { // enough for a first fit to some of them
		c := exposure{e: float64(r.IntN(4)) * r.Float64(), u: 200 * r.Float64()}
		stay := math.Pow(1+24/(c.u+law.B), -(c.e + law.A))
		c.failed = r.Float64() >= stay
		cases = append(cases, c)
	}
	got := prior{A: 0.1, B: 40}
	require.NoError(t, got.fit(cases, 24))
	require.InEpsilon(t, law.A, got.A, 0.1)
	require.InEpsilon(t, law.B, got.B, 0.1)
	best := got.at(cases, 24).like
	for _, d := range []float64{0.99, 1.01} { // it is the top
		require.Less(t, prior{A: got.A * d, B: got.B}.at(cases, 24).like, best)
		require.Less(t, prior{A: got.A, B: got.B * d}.at(cases, 24).like, best)
	}
	from := prior{A: 2, B: 2}
	require.NoError(t, from.fit(cases, 24))
	require.InEpsilon(t, got.A, from.A, 1e-6, "wherever it begins")
	for i := range cases {
		cases[i].failed = false
	}
	require.ErrorIs(t, got.fit(cases, 24), ErrInvalid)
}

func TestMemoryIsWithinParams(t *testing.T) {
	for _, l := range []prior{{1e-9, 1e-9}, {1e12, 1e12}, {.0405349, 12.4305}} {
		p := reputation.Default()
		p.Memories = []reputation.Memory{l.memory(24 * time.Hour)}
		require.NoError(t, p.Validate())
	}
	want := reputation.Memory{HalfLife: time.Hour, PriorMicroOutages: 40_535, PriorUp: 44_750 * time.Second}
	require.Equal(t, want, prior{.0405349, 12.43051}.memory(time.Hour))
}

// A crowd of one day has the vote of that day.
func TestNewcomersByDay(t *testing.T) {
	evals := make([]Evaluation, 2)
	f := Features{At: make([][]Feature, 2)}
	add := func(e, n int, observed int64, marks int, failed bool) {
		for range n {
			evals[e].Cases = append(evals[e].Cases, Case{Observed: observed, Failed: failed})
			f.At[e] = append(f.At[e], Feature{Marks: marks})
		}
	}
	add(0, 1, 3600, 0, true)
	add(0, 3, 3600, 0, false)
	add(1, 5000, 3600, 0, true)
	add(1, 10, 80_000, 0, true)
	add(1, 10, 80_000, 1, false)
	add(1, 10, 72*3600, 0, true) // no newcomers
	rows := newcomers(evals, f, 24*time.Hour)
	require.Equal(t, []reputation.AgePrior{
		{Until: 6 * time.Hour, CleanPPM: 625_000, MarkedPPM: 625_000}, // .25 and 1; nobody was marked
		{Until: 24 * time.Hour, CleanPPM: 999_999, MarkedPPM: 999_999},
		{Until: 72 * time.Hour, CleanPPM: 999_999, MarkedPPM: 999_999}, // nobody: as the row before
	}, rows)
	require.Equal(t, uint32(769_231), newcomers(evals, f, 12*time.Hour)[0].CleanPPM, "b is 12 h * .375/.625")
}
