package tokenomics_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func newAllocation(t testing.TB, p tokenomics.AllocationParams) *tokenomics.Allocation {
	t.Helper()
	a, err := tokenomics.NewAllocation(p)
	require.NoError(t, err)
	return a
}

// table is an allocation with one bucket of 100 units and nothing else.
func table(monthOne string, b tokenomics.Bucket) tokenomics.AllocationParams {
	at, err := time.Parse(time.DateTime, monthOne)
	if err != nil {
		panic(err)
	}
	b.Name = "b"
	if b.Amount == 0 {
		b.Amount = 100
	}
	return tokenomics.AllocationParams{Version: "test/1", Cap: 1_000, Start: at, MonthOne: at, Buckets: []tokenomics.Bucket{b}}
}

// Where months end: each row is the instant of the unlocks, one a month.
func TestEndOfMonth(t *testing.T) {
	for _, c := range []struct {
		name, monthOne string
		want           []string
	}{
		{"calendar months", "2024-07-01 00:00:00", []string{"2024-08-01 00:00:00", "2024-09-01 00:00:00", "2024-10-01 00:00:00", "2024-11-01 00:00:00"}},
		{"over the new year", "2024-11-01 00:00:00", []string{"2024-12-01 00:00:00", "2025-01-01 00:00:00", "2025-02-01 00:00:00", "2025-03-01 00:00:00"}},
		{"31 January of a leap year", "2024-01-31 12:30:15", []string{"2024-02-29 12:30:15", "2024-03-31 12:30:15", "2024-04-30 12:30:15", "2024-05-31 12:30:15"}},
		{"31 January of a common year", "2025-01-31 00:00:00", []string{"2025-02-28 00:00:00", "2025-03-31 00:00:00", "2025-04-30 00:00:00", "2025-05-31 00:00:00"}},
		{"29 January of a common year", "2025-01-29 00:00:00", []string{"2025-02-28 00:00:00", "2025-03-29 00:00:00", "2025-04-29 00:00:00", "2025-05-29 00:00:00"}},
		{"28 January", "2025-01-28 00:00:00", []string{"2025-02-28 00:00:00", "2025-03-28 00:00:00", "2025-04-28 00:00:00", "2025-05-28 00:00:00"}},
		{"29 February", "2024-02-29 00:00:00", []string{"2024-03-29 00:00:00", "2024-04-29 00:00:00", "2024-05-29 00:00:00", "2024-06-29 00:00:00"}},
		{"century without a leap day", "2100-01-31 00:00:00", []string{"2100-02-28 00:00:00", "2100-03-31 00:00:00", "2100-04-30 00:00:00", "2100-05-31 00:00:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAllocation(t, table(c.monthOne, tokenomics.Bucket{
				Release: tokenomics.ReleaseMonthly, Monthly: tokenomics.MonthlyRelease{FirstMonth: 1, EveryMonths: 1, Tranches: 4},
			}))
			var got []string
			for u := range a.Unlocks() {
				got = append(got, u.At.Format(time.DateTime))
				require.Equal(t, tokenomics.Amount(25), u.Amount)
				require.Equal(t, time.UTC, u.At.Location())
				require.Equal(t, tokenomics.Amount(25*len(got)), a.UnlockedAt(u.At)[0].Unlocked)
				require.Equal(t, tokenomics.Amount(25*len(got)-25), a.UnlockedAt(u.At.Add(-1))[0].Unlocked)
			}
			require.Equal(t, c.want, got)
		})
	}
	// The leap day comes back in a leap year, and an anchor elsewhere is the same instant.
	p := table("2024-02-29 00:00:00", tokenomics.Bucket{
		Release: tokenomics.ReleaseMonthly, Monthly: tokenomics.MonthlyRelease{FirstMonth: 12, EveryMonths: 12, Tranches: 4},
	})
	p.MonthOne = p.MonthOne.In(time.FixedZone("", -5*3600))
	var got []string
	for u := range newAllocation(t, p).Unlocks() {
		got = append(got, u.At.Format(time.DateOnly))
	}
	require.Equal(t, []string{"2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"}, got)
}

func TestUnlocks(t *testing.T) {
	type (
		bucket  = tokenomics.Bucket
		monthly = tokenomics.MonthlyRelease
		linear  = tokenomics.LinearRelease
	)
	const byMonth, byTime = tokenomics.ReleaseMonthly, tokenomics.ReleaseLinear
	from := time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		bucket bucket
		want   string // seconds or day of each unlock, and its amount
	}{
		{"all at the start", bucket{AtStart: 100}, "07-01 00:00:00 100"},
		{"emission", bucket{AtStart: 40, Release: tokenomics.ReleaseEmission}, "07-01 00:00:00 40"},
		{"emission alone", bucket{Release: tokenomics.ReleaseEmission}, ""},
		{"the last third gets the odd unit", bucket{Release: byMonth, Monthly: monthly{1, 1, 3, 0}}, "08-01 00:00:00 33, 09-01 00:00:00 33, 10-01 00:00:00 34"},
		{"a part at the start", bucket{AtStart: 10, Release: byMonth, Monthly: monthly{2, 3, 2, 0}}, "07-01 00:00:00 10, 09-01 00:00:00 45, 12-01 00:00:00 45"},
		{"a cliff that catches up", bucket{Release: byMonth, Monthly: monthly{1, 1, 4, 3}}, "10-01 00:00:00 75, 11-01 00:00:00 25"},
		{"a cliff at the end", bucket{Release: byMonth, Monthly: monthly{1, 1, 4, 5}}, "12-01 00:00:00 100"},
		{"more tranches than units", bucket{Amount: 2, Release: byMonth, Monthly: monthly{1, 1, 4, 0}}, "09-01 00:00:00 1, 11-01 00:00:00 1"},
		{"by the second", bucket{Release: byTime, Linear: linear{From: from, Until: from.Add(3 * time.Second), Step: time.Second}}, "07-01 00:00:01 33, 07-01 00:00:02 33, 07-01 00:00:03 34"},
		{"by the second, with a cliff", bucket{AtStart: 1, Release: byTime, Linear: linear{from, from.Add(3 * time.Second), time.Second, from.Add(2 * time.Second)}}, "07-01 00:00:00 1, 07-01 00:00:02 66, 07-01 00:00:03 33"},
		{"by two hours", bucket{Release: byTime, Linear: linear{From: from, Until: from.Add(4 * time.Hour), Step: 2 * time.Hour}}, "07-01 02:00:00 50, 07-01 04:00:00 50"},
		{"begun before the start", bucket{Release: byTime, Linear: linear{From: from.Add(-2 * time.Second), Until: from.Add(2 * time.Second), Step: time.Second}}, "07-01 00:00:00 50, 07-01 00:00:01 25, 07-01 00:00:02 25"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAllocation(t, table("2024-07-01 00:00:00", c.bucket))
			var got []string
			var sum tokenomics.Amount
			for u := range a.Unlocks() {
				require.Equal(t, "b", u.Bucket)
				require.Equal(t, sum, a.UnlockedAt(u.At.Add(-1))[0].Unlocked)
				sum += u.Amount
				state := a.UnlockedAt(u.At)[0]
				require.Equal(t, sum, state.Unlocked)
				require.Equal(t, max(c.bucket.Amount, sum+state.Locked), sum+state.Locked)
				got = append(got, u.At.Format("01-02 15:04:05 ")+fmt.Sprint(uint64(u.Amount)))
			}
			require.Equal(t, c.want, strings.Join(got, ", "))
			require.Zero(t, a.UnlockedAt(from.Add(-time.Hour))[0].Unlocked)
		})
	}
}

// The slow and obvious form: count the tranches that are due by stepping through the calendar.
func oracleUnlocked(b tokenomics.Bucket, monthOne, start, t time.Time) *big.Int {
	if t.Before(start) {
		return new(big.Int)
	}
	rest := new(big.Int).SetUint64(uint64(b.Amount - b.AtStart))
	done, all := int64(0), int64(1)
	switch b.Release {
	case tokenomics.ReleaseMonthly:
		all = int64(b.Monthly.Tranches)
		for k := range b.Monthly.Tranches {
			n := max(b.Monthly.FirstMonth+k*b.Monthly.EveryMonths, b.Monthly.CliffMonth)
			end := monthOne
			for m := uint32(1); m <= n; m++ { // the first day of each month, and then as many days on as there are
				first := time.Date(monthOne.Year(), monthOne.Month(), 1, monthOne.Hour(), monthOne.Minute(), monthOne.Second(), 0, time.UTC)
				for range m {
					first = first.AddDate(0, 1, 0)
				}
				end = first
				for end.Day() < monthOne.Day() && end.AddDate(0, 0, 1).Month() == end.Month() {
					end = end.AddDate(0, 0, 1)
				}
			}
			if !t.Before(end) {
				done++
			}
		}
	case tokenomics.ReleaseLinear:
		step := b.Linear.Step
		all = int64(b.Linear.Until.Sub(b.Linear.From) / step)
		if !t.Before(b.Linear.From) && !t.Before(b.Linear.Cliff) {
			done = min(int64(t.Sub(b.Linear.From)/step), all)
		}
	case tokenomics.ReleaseNone, tokenomics.ReleaseEmission:
	}
	out := rest.Mul(rest, big.NewInt(done))
	return out.Add(out.Quo(out, big.NewInt(all)), new(big.Int).SetUint64(uint64(b.AtStart)))
}

func FuzzAllocation(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Add(uint64(3), uint64(4))
	f.Fuzz(func(t *testing.T, x, y uint64) {
		r := rand.New(rand.NewPCG(x, y))
		day := func() time.Time {
			return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(800*24)) * time.Hour)
		}
		p := tokenomics.AllocationParams{Version: "fuzz", Cap: math.MaxUint64, Start: day(), MonthOne: day()}
		for i := range 1 + r.IntN(4) {
			b := tokenomics.Bucket{Name: fmt.Sprint(i), Amount: tokenomics.Amount(1 + r.Uint64N(1<<(1+r.UintN(60))))}
			b.Release = tokenomics.ReleaseKind(r.IntN(4))
			if b.AtStart = b.Amount; b.Release != tokenomics.ReleaseNone {
				b.AtStart = tokenomics.Amount(r.Uint64N(uint64(b.Amount)))
			}
			switch b.Release {
			case tokenomics.ReleaseMonthly:
				b.Monthly = tokenomics.MonthlyRelease{1 + r.Uint32N(15), 1 + r.Uint32N(4), 1 + r.Uint32N(12), r.Uint32N(20)}
			case tokenomics.ReleaseLinear:
				b.Linear = tokenomics.LinearRelease{From: day(), Step: time.Duration(1+r.IntN(1_000_000)) * time.Second}
				b.Linear.Until = b.Linear.From.Add(b.Linear.Step * time.Duration(1+r.IntN(60)))
				if r.IntN(2) == 0 {
					b.Linear.Cliff = day()
				}
			}
			p.Buckets = append(p.Buckets, b)
		}
		a := newAllocation(t, p)
		check := func(at time.Time) {
			for i, s := range a.UnlockedAt(at) {
				want := oracleUnlocked(p.Buckets[i], p.MonthOne, p.Start, at)
				require.Equal(t, want.String(), fmt.Sprint(uint64(s.Unlocked)), "%+v at %s", p.Buckets[i], at)
				require.Equal(t, p.Buckets[i].Amount, s.Unlocked+s.Locked)
			}
		}
		last := time.Time{}
		sums := map[string]tokenomics.Amount{}
		n := 0
		for u := range a.Unlocks() {
			require.False(t, u.At.Before(last), "in the order of time")
			require.NotZero(t, u.Amount)
			last = u.At
			sums[u.Bucket] += u.Amount
			if n++; n%16 == 1 {
				check(u.At)
				check(u.At.Add(-1))
			}
		}
		for i := range p.Buckets {
			b := p.Buckets[i]
			if b.Release == tokenomics.ReleaseEmission {
				b.Amount = b.AtStart
			}
			require.Equal(t, b.Amount, sums[b.Name], "the unlocks of a bucket add up")
		}
		for range 4 {
			check(day())
		}
		if n > 1 {
			for range a.Unlocks() {
				break // an iteration may be left
			}
		}
	})
}

func TestUnlocksOfOneInstantKeepTheTable(t *testing.T) {
	var got []string
	for u := range newAllocation(t, tokenomics.IONetAllocation()).Unlocks() {
		if len(got) < 6 {
			got = append(got, u.At.Format(time.DateOnly)+" "+u.Bucket+" "+u.Amount.String())
		}
	}
	require.Equal(t, []string{
		"2024-06-15 community 100000000", "2024-06-15 research and ecosystem 128000000",
		"2025-08-01 seed 4166666.66666666", "2025-08-01 series A 3400000", "2025-08-01 core 2511111.11111111",
		"2025-09-01 seed 4166666.66666667",
	}, got)
}

func TestCirculating(t *testing.T) {
	a := newAllocation(t, tokenomics.IONetAllocation())
	const tokens = tokenomics.UnitsPerToken
	at := time.Date(2025, 7, 31, 23, 59, 59, 999_999_999, time.UTC) // the last instant of month 13
	got, err := a.CirculatingAt(at, 0, 0)
	require.NoError(t, err)
	require.Equal(t, "228000000", got.String())
	got, err = a.CirculatingAt(at.Add(1), 300_000_000*tokens, 1)
	require.NoError(t, err)
	require.Equal(t, "538077777.77777776", got.String())
	_, err = a.CirculatingAt(at, 300_000_000*tokens+1, 0)
	require.ErrorIs(t, err, tokenomics.ErrAllocation)
	require.ErrorContains(t, err, "300000000.00000001 credited, the emission has 300000000")
	got, err = a.CirculatingAt(at, 0, 228_000_000*tokens)
	require.NoError(t, err)
	require.Zero(t, got)
	_, err = a.CirculatingAt(at, 0, 228_000_000*tokens+1)
	require.ErrorIs(t, err, tokenomics.ErrInsufficient)

	got, err = a.LiquidAt(at, 5, 2, 228_000_000*tokens+3)
	require.NoError(t, err)
	require.Zero(t, got)
	_, err = a.LiquidAt(at, 5, 2, 228_000_000*tokens+4)
	require.ErrorIs(t, err, tokenomics.ErrInsufficient)
	_, err = a.LiquidAt(at, math.MaxUint64, 0, 0)
	require.ErrorIs(t, err, tokenomics.ErrAllocation)

	all, err := a.CirculatingAt(time.Date(2028, 7, 1, 0, 0, 0, 0, time.UTC), 300_000_000*tokens, 0)
	require.NoError(t, err)
	require.Equal(t, tokenomics.IONetAllocation().Cap, all, "in the end everything circulates")
	var sum tokenomics.Amount
	for _, b := range tokenomics.IONetAllocation().Buckets {
		sum += b.Amount
	}
	require.Equal(t, tokenomics.IONetAllocation().Cap, sum)
}

func TestAllocationValidate(t *testing.T) {
	type params = tokenomics.AllocationParams
	month := func(change func(r *tokenomics.MonthlyRelease)) func(p *params) {
		return func(p *params) { change(&p.Buckets[2].Monthly) }
	}
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	linear := func(change func(r *tokenomics.LinearRelease)) func(p *params) {
		return func(p *params) {
			b := &p.Buckets[2]
			b.Release, b.Monthly = tokenomics.ReleaseLinear, tokenomics.MonthlyRelease{}
			b.Linear = tokenomics.LinearRelease{From: from, Until: from.Add(time.Hour), Step: time.Second}
			change(&b.Linear)
		}
	}
	for _, c := range []struct {
		name   string
		change func(p *params)
		says   string // "" is valid
	}{
		{"as published", func(*params) {}, ""},
		{"no version", func(p *params) { p.Version = "" }, "no version"},
		{"start before 1970", func(p *params) { p.Start = time.Unix(-1, 0) }, "1970"},
		{"start at 1970", func(p *params) { p.Start = time.Unix(0, 0) }, ""},
		{"month 1 after 9999", func(p *params) { p.MonthOne = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }, "9999"},
		{"month 1 within a second", func(p *params) { p.MonthOne = p.MonthOne.Add(1) }, "whole second"},
		{"no name", func(p *params) { p.Buckets[1].Name = "" }, "bucket 2 has no name"},
		{"a name twice", func(p *params) { p.Buckets[1].Name = "seed" }, `bucket 3 has no name or that of another, "seed"`},
		{"a unit above the cap", func(p *params) { p.Buckets[4].Amount++ }, `with bucket "core" the sum exceeds the cap`},
		{"below the cap", func(p *params) { p.Buckets[4].Amount-- }, ""},
		{"beyond 64 bits", func(p *params) { p.Buckets[4].Amount = math.MaxUint64 }, "exceeds the cap"},
		{"nothing in it", func(p *params) { p.Buckets[1].Amount, p.Buckets[1].AtStart = 0, 0 }, "amount is 0"},
		{"more at the start than there is", func(p *params) { p.Buckets[1].AtStart++ }, "from the start"},
		{"a rest without release", func(p *params) { p.Buckets[1].AtStart-- }, "release none of 0.00000001"},
		{"a release without rest", func(p *params) { p.Buckets[2].AtStart = p.Buckets[2].Amount }, "release monthly of 0"},
		{"unknown release", func(p *params) { p.Buckets[2].Release = 4 }, "unknown release 4"},
		{"tranches of the emission", func(p *params) { p.Buckets[0].Monthly.Tranches = 1 }, "release emission with monthly tranches"},
		{"steps of tranches", func(p *params) { p.Buckets[2].Linear.Step = 1 }, "release monthly with linear steps"},
		{"no first month", month(func(r *tokenomics.MonthlyRelease) { r.FirstMonth = 0 }), "first month 0"},
		{"no distance", month(func(r *tokenomics.MonthlyRelease) { r.EveryMonths = 0 }), "every 0 months"},
		{"no tranche", month(func(r *tokenomics.MonthlyRelease) { r.Tranches = 0 }), "0 tranches"},
		{"a thousand years", month(func(r *tokenomics.MonthlyRelease) { r.FirstMonth, r.Tranches = 11_998, 3 }), ""},
		{"a month more", month(func(r *tokenomics.MonthlyRelease) { r.FirstMonth, r.Tranches = 11_999, 3 }), "months 12001"},
		{"a far cliff", month(func(r *tokenomics.MonthlyRelease) { r.CliffMonth = 12_001 }), "12001"},
		{"the farthest cliff", month(func(r *tokenomics.MonthlyRelease) { r.CliffMonth = 12_000 }), ""},
		{"months that would wrap", month(func(r *tokenomics.MonthlyRelease) { r.EveryMonths, r.Tranches = math.MaxUint32, math.MaxUint32 }), "at most 12000"},
		{"linear", linear(func(*tokenomics.LinearRelease) {}), ""},
		{"from before 1970", linear(func(r *tokenomics.LinearRelease) { r.From = time.Unix(-1, 0) }), "whole seconds"},
		{"from after 9999", linear(func(r *tokenomics.LinearRelease) { r.From = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }), "whole seconds"},
		{"from within a second", linear(func(r *tokenomics.LinearRelease) { r.From = from.Add(1) }), "whole seconds"},
		{"until within a second", linear(func(r *tokenomics.LinearRelease) { r.Until = from.Add(time.Second + 1) }), "whole seconds"},
		{"no length", linear(func(r *tokenomics.LinearRelease) { r.Until = from }), "0 seconds from begin to end"},
		{"backwards", linear(func(r *tokenomics.LinearRelease) { r.Until = from.Add(-time.Second) }), "-1 seconds"},
		{"200 leap years", linear(func(r *tokenomics.LinearRelease) { r.Until = from.Add(200 * 366 * 24 * time.Hour) }), ""},
		{"a second longer", linear(func(r *tokenomics.LinearRelease) { r.Until = from.Add(200*366*24*time.Hour + time.Second) }), "want 1 to"},
		{"no step", linear(func(r *tokenomics.LinearRelease) { r.Step = 0 }), "step 0s"},
		{"half a second more", linear(func(r *tokenomics.LinearRelease) { r.Step = 1500 * time.Millisecond }), "step 1.5s"},
		{"steps that do not fit", linear(func(r *tokenomics.LinearRelease) { r.Step = 7 * time.Second }), "3600 seconds are not a whole number of steps of 7s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tokenomics.IONetAllocation()
			c.change(&p)
			a, err := tokenomics.NewAllocation(p)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tokenomics.ErrAllocation)
			require.ErrorContains(t, err, c.says)
			require.Nil(t, a)
		})
	}
	p := tokenomics.IONetAllocation()
	a := newAllocation(t, p)
	p.Buckets[0].Amount = 1
	require.Equal(t, "community", a.UnlockedAt(p.Start)[0].Name)
	require.NotZero(t, a.UnlockedAt(p.Start)[0].Locked, "the allocation keeps its own rows")

	for _, p := range []params{tokenomics.IONetAllocation(), tokenomics.ArticleAllocation()} {
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var back params
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, p, back)
	}
}

// What the documents' table gives at the instants of claims that others make, in a table for docs/design/allocation.md.
func TestAllocationClaims(t *testing.T) {
	p := tokenomics.IONet()
	schedule := newSchedule(t, p.Emission)
	documents, article := newAllocation(t, tokenomics.IONetAllocation()), newAllocation(t, tokenomics.ArticleAllocation())
	date := func(y int, m time.Month) time.Time { return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC) }
	credited := func(at time.Time) tokenomics.Amount {
		k, err := p.Calendar.At(at)
		require.NoError(t, err)
		return schedule.Cumulative(k - 1) // epochs that have ended
	}
	percent := func(a tokenomics.Amount) string {
		return a.Decimal().Shift(2).DivRound(p.Cap.Decimal(), 2).StringFixed(2) + " %"
	}
	whole := func(a tokenomics.Amount) string { return a.Decimal().StringFixed(2) }
	vested := func(a *tokenomics.Allocation, at time.Time) (sum tokenomics.Amount) {
		for _, b := range a.UnlockedAt(at) {
			if b.Name != "community" && b.Name != "research and ecosystem" && b.Name != "emission" {
				sum += b.Unlocked
			}
		}
		return sum
	}
	var out strings.Builder
	row := func(cells ...string) { out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	row("claim", "claimed", "from the documents' table", "IO")
	row("---", "---", "---", "---")
	end := date(2028, 6) // 35 tranches: the ends of months 13 to 47
	row("free over 35 months from July 2025", `"just over 15 %"`, percent(vested(documents, end)), whole(vested(documents, end)))
	row("the same, by the article's own table", `"just over 15 %"`, percent(vested(article, end)), whole(vested(article, end)))
	start, err := documents.CirculatingAt(tokenomics.IONetAllocation().Start, 0, 0)
	require.NoError(t, err)
	row("unlock chart begins at", "about 200 M", percent(start), whole(start))
	for _, c := range []struct {
		what, claimed string
		at            time.Time
	}{
		{"circulating in mid-2025 (1 July)", "150 M", date(2025, 7)},
		{"circulating in March 2026 (1 March)", "301 M = 37.7 %", date(2026, 3)},
	} {
		n, err := documents.CirculatingAt(c.at, credited(c.at), 0)
		require.NoError(t, err)
		row(c.what, c.claimed, percent(n), whole(n))
		row("- of it emission", "", percent(credited(c.at)), whole(credited(c.at)))
		row("- of it investors and core", "", percent(vested(documents, c.at)), whole(vested(documents, c.at)))
	}
	t.Log("\n" + out.String())
	golden.Check(t, "testdata/allocation.golden", out.String())
	page, err := os.ReadFile("../docs/design/allocation.md")
	require.NoError(t, err)
	require.Contains(t, string(page), out.String(), "the page shows this table")
	require.Equal(t, "269488888.89", whole(vested(documents, end)), "24 x 7,566,666.67 + 35 x 2,511,111.11")
	require.Equal(t, tokenomics.Amount(7_566_666_66666666+2_511_111_11111111), vested(documents, date(2025, 8)))
}

func BenchmarkCirculatingAt(b *testing.B) {
	a := newAllocation(b, tokenomics.IONetAllocation())
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.CirculatingAt(at, 1, 0); err != nil {
			b.Fatal(err)
		}
	}
}
