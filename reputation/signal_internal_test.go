package reputation

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// betaCDF is the distribution function of Beta(a, b) by Simpson's rule in the variable ln x, in which the density is smooth.
func betaCDF(a, b, x float64) float64 {
	lb := func() float64 {
		la, _ := math.Lgamma(a)
		lb, _ := math.Lgamma(b)
		lab, _ := math.Lgamma(a + b)
		return la + lb - lab
	}()
	const steps = 20_000
	high := math.Log(x)
	low := high - 60/a // x^a is smaller by e^-60 there
	h := (high - low) / steps
	sum := 0.0
	for i := range steps + 1 {
		u := low + float64(i)*h
		f := math.Exp(a*u + (b-1)*math.Log1p(-math.Exp(u)) - lb)
		switch {
		case i == 0 || i == steps:
			sum += f
		case i%2 == 1:
			sum += 4 * f
		default:
			sum += 2 * f
		}
	}
	return sum * h / 3
}

// The bounds of a signal are the 5 % and the 95 % quantile of a Beta law, to less than a point of probability.
func TestSignalQuantiles(t *testing.T) {
	tab := newTables()
	for _, a := range []float64{0.4, 1, 2.5, 10, 40} {
		for _, b := range []float64{10, 20, 100, 1_000} {
			t.Run(fmt.Sprintf("a=%v,b=%v", a, b), func(t *testing.T) {
				l := newLaw(tab, Signal{HalfLife: year, PriorMilliFailed: uint64(a * 1000), PriorMilliGood: uint64(b * 1000)})
				got := l.chance(tab, &counts{}, 0)
				require.InDelta(t, a/(a+b), float64(got.point)/math.Exp2(64), 1e-9)
				near := .01
				if a == b {
					near = .022
				}
				require.InDelta(t, .05, betaCDF(a, b, float64(got.least)/math.Exp2(64)), near)
				require.InDelta(t, .95, betaCDF(a, b, float64(got.most)/math.Exp2(64)), near)
			})
		}
	}
}

// A decayed count is worth up to twice what it adds up to: of an old record the interval is that of twice the counts, of a new
// one that of the counts.
func TestOldCountsWeighMore(t *testing.T) {
	tab := newTables()
	l := newLaw(tab, Signal{HalfLife: 24 * time.Hour, PriorMilliFailed: 1_000, PriorMilliGood: 10_000})
	const now = 1 << 30
	for age, worth := range map[uint32]float64{0: 1, 86_400: 4. / 3, 86_400 * 60: 2} {
		got := l.chance(tab, &counts{good: 40 * unit, failed: 4 * unit, asOf: now, born: now - age}, now)
		require.InDelta(t, 5./55, float64(got.point)/math.Exp2(64), 1e-9)
		require.InDelta(t, .05, betaCDF(1+4*worth, 10+40*worth, float64(got.least)/math.Exp2(64)), .01)
		require.InDelta(t, .95, betaCDF(1+4*worth, 10+40*worth, float64(got.most)/math.Exp2(64)), .01)
	}
}

// The limits themselves are allowed.
func TestLimitsAreAllowed(t *testing.T) {
	p := IONet()
	p.Job.FullMicroUSD, p.Job.PairMilli, p.Conduct.GoodGPUSeconds = 1e15, 1e9, 1e12
	p.Conduct.Kinds[6].Name = "w" + string(make([]byte, maxText-1))
	p.Conduct.Kinds[6].Micro = 1e8
	require.NoError(t, p.Validate())
	b, err := NewBook(p)
	require.NoError(t, err)
	long := string(make([]byte, maxText))
	_, err = b.Apply(time.Unix(1, 0), Joined{Subject: Subject(long), Owner: long, Site: long})
	require.NoError(t, err)
	require.NoError(t, b.Audit())
}

func TestRoot(t *testing.T) {
	for _, v := range []uint64{0, 1, 2, 3, 4, 8, 9, 15, 16, 1<<32 - 1, 1 << 32, 1<<62 - 1, 1 << 62, one - 1, one} {
		r := root(v)
		require.LessOrEqual(t, r*r, v)
		if r < 1<<32-1 {
			require.Greater(t, (r+1)*(r+1), v)
		}
	}
}

// damages are single faults in the state of a book, each of which its audit names.
func damages() map[string]func(*Book) {
	return map[string]func(*Book){
		"1 owners of 2 names":                    func(b *Book) { b.ownerIndex["eve"] = 0 },
		`owner "bob" is not indexed`:             func(b *Book) { b.owners[0].name = "bob" },
		"0 faults of 1":                          func(b *Book) { b.owners[0].faults = nil },
		`fault "fa" of owner 0: at 4294967295`:   func(b *Book) { b.owners[0].faults[0].at = math.MaxUint32 },
		`fault "fb" of owner 0`:                  func(b *Book) { b.owners[0].faults[0].id = "fb" },
		`severity 0`:                             func(b *Book) { b.owners[0].faults[0].severity = 0 },
		`severity 429496729601`:                  func(b *Book) { b.owners[0].faults[0].severity = 100<<32 + 1 },
		"counts of 1 to 1, now 1":                func(b *Book) { b.marks[0].job.good = maxEvents + 1 },
		"stock that nobody took":                 func(b *Book) { b.stocks.n = 1 },
		`good 18446744073709551615`:              func(b *Book) { b.owners[0].faults[0].good = math.MaxUint64 },
		`subject "x" has owner 9 of 1`:           func(b *Book) { b.ownerOf[0] = 9 },
		"1 names, 0 marks":                       func(b *Book) { b.marks = nil },
		"counts of 4294967295":                   func(b *Book) { b.marks[0].job.born = math.MaxUint32 },
		"counts of a signal that was not seen":   func(b *Book) { b.marks[0].challenge.good = 1 },
		"samples of a line that was not seen":    func(b *Book) { b.marks[0].lines = &lines{} },
		`entry "ja" of 4294967295`:               func(b *Book) { b.diary.entries[0].at = math.MaxUint32 },
		`entry "jb"`:                             func(b *Book) { b.diary.entries[0].id = "jb" },
		"entry \"ja\" of 1, now 1":               func(b *Book) { b.diary.entries[0].weight = unit + 1 },
		`entry "ja": pair is not counted`:        func(b *Book) { b.diary.entries[0].pair.renter = "ivy" },
		`pair with "rae": 1, its jobs say`:       func(b *Book) { b.diary.pairs[b.diary.entries[0].pair] = 1 },
		`entry "ja": pair with "rae" has`:        func(b *Book) { b.diary.entries[0].pair.owner = 7 },
		"1 entries, 2 identifiers; 1 pairs of 1": func(b *Book) { b.diary.ids["jz"] = true },
		"1 entries, 1 identifiers; 1 pairs of 2": func(b *Book) { b.diary.pairs[trade{"z", 0}] = 1 },
	}
}

func TestAuditWorkNotices(t *testing.T) {
	for want, spoil := range damages() {
		b, err := NewBook(IONet())
		require.NoError(t, err)
		for _, e := range []Event{
			Joined{Subject: "x", Owner: "sam"},
			JobEnded{ID: "a", Subject: "x", Renter: "rae", PaidMicroUSD: 1e8, GPUSeconds: 1, Outcome: JobDone},
			Faulted{ID: "a", Subject: "x", Kind: FaultSLA},
		} {
			_, err := b.Apply(time.Unix(1, 0), e)
			require.NoError(t, err)
		}
		require.NoError(t, b.Audit())
		spoil(b)
		require.ErrorContains(t, b.Audit(), want, want)
		if len(b.marks) == 0 {
			continue // not even a snapshot can be taken
		}
		if twin, err := Restore(IONet(), b.Snapshot()); err == nil {
			require.NoError(t, twin.Audit(), "what restores is sound: %s", want)
		}
	}
}
