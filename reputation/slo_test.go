package reputation_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/reputation"
)

type (
	seen    = reputation.SLOSeen
	tick    = reputation.SLOTicked
	started = reputation.SLOStarted
	over    = reputation.SLOEnded
)

func sec(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }

func TestSLORefuses(t *testing.T) {
	maintain := func(from, to time.Time) reputation.SLOEvent {
		return reputation.MaintenanceAnnounced{From: from, To: to}
	}
	fault := func(from, to time.Time) reputation.SLOEvent { return reputation.RenterFaulted{From: from, To: to} }
	for name, c := range map[string]struct {
		at   time.Time
		e    reputation.SLOEvent
		want error
		says string
	}{
		"earlier":                  {sec(199), tick{}, reputation.ErrTimeBackwards, "00:03:19"},
		"same second":              {sec(200), tick{}, nil, ""},
		"before 1970":              {time.Unix(-1, 0), tick{}, reputation.ErrTimeRange, ""},
		"last second":              {time.Unix(math.MaxUint32-1, 0), tick{}, nil, ""},
		"after the range":          {time.Unix(math.MaxUint32, 0), tick{}, reputation.ErrTimeRange, ""},
		"no event":                 {sec(200), nil, reputation.ErrInvalid, "no event"},
		"second start":             {sec(200), started{}, reputation.ErrStarted, ""},
		"maintenance of no time":   {sec(200), maintain(start.Add(3*day), start.Add(3*day)), reputation.ErrInvalid, "no time of whole seconds"},
		"maintenance backwards":    {sec(200), maintain(start.Add(3*day), start.Add(2*day)), reputation.ErrInvalid, ""},
		"maintenance in parts":     {sec(200), maintain(start.Add(3*day+1), start.Add(4*day)), reputation.ErrInvalid, ""},
		"maintenance to parts":     {sec(200), maintain(start.Add(3*day), start.Add(3*day+1)), reputation.ErrInvalid, ""},
		"maintenance out of range": {sec(200), maintain(start.Add(3*day), time.Unix(math.MaxUint32, 0)), reputation.ErrInvalid, ""},
		"maintenance before 1970":  {sec(200), maintain(time.Unix(-1, 0), start), reputation.ErrInvalid, ""},
		"a day's notice":           {sec(200), maintain(sec(86_600), sec(86_601)), nil, ""},
		"a second less":            {sec(200), maintain(sec(86_599), sec(86_601)), reputation.ErrMaintenance, "notice of 86399 s, not 24h0m0s"},
		"eight hours":              {sec(200), maintain(start.Add(2*day), start.Add(2*day+8*time.Hour)), nil, ""},
		"a second more": {
			sec(200), maintain(start.Add(2*day), start.Add(2*day+8*time.Hour+time.Second)), reputation.ErrMaintenance,
			"28801 s would be announced within 720h0m0s",
		},
		"fault of no time":           {sec(200), fault(sec(120), sec(120)), reputation.ErrInvalid, ""},
		"fault before the start":     {sec(200), fault(sec(-1), sec(120)), reputation.ErrExcuse, "is not within 2026-01-01 00:00:00"},
		"fault from the start":       {sec(200), fault(sec(0), sec(120)), nil, ""},
		"fault to the end":           {sec(300), fault(sec(150), sec(200)), nil, ""},
		"fault that is to be judged": {sec(300), fault(sec(150), sec(201)), reputation.ErrExcuse, "to 2026-01-01 00:03:20"},
	} {
		s := promise(t, reputation.DefaultContract("lease"), start)
		happen(t, s, sec(100), seen{})
		happen(t, s, sec(200), seen{Up: true})
		before := s.Digest()
		out, err := s.Apply(c.at, c.e)
		require.ErrorIs(t, err, c.want, name)
		require.NoError(t, s.Audit(), name)
		if c.want != nil {
			require.ErrorContains(t, err, c.says, name)
			require.Empty(t, out, name)
			require.Equal(t, before, s.Digest(), name)
		}
	}
}

// Nothing but maintenance comes before the start, and nothing at all after the end.
func TestSLOPhases(t *testing.T) {
	s, err := reputation.NewSLO(reputation.DefaultContract("lease"))
	require.NoError(t, err)
	require.Equal(t, reputation.SLOStatus{}, s.Status())
	refused := func(events ...reputation.SLOEvent) {
		for _, e := range events {
			before := s.Digest()
			_, err := s.Apply(sec(500), e)
			require.ErrorIs(t, err, reputation.ErrNotRunning, "%T", e)
			require.Equal(t, before, s.Digest())
		}
	}
	announced := reputation.MaintenanceAnnounced{From: start.Add(2 * day), To: start.Add(2*day + time.Hour)}
	happen(t, s, sec(0), announced)
	require.NoError(t, s.Audit())
	refused(seen{}, tick{}, over{}, reputation.RenterFaulted{From: sec(0), To: sec(1)})
	happen(t, s, sec(500), started{})
	require.True(t, s.Status().Running)
	happen(t, s, sec(500), over{})
	require.False(t, s.Status().Running)
	refused(seen{}, tick{}, over{}, announced, reputation.RenterFaulted{From: sec(500), To: sec(501)})
	_, err = s.Apply(sec(500), started{})
	require.ErrorIs(t, err, reputation.ErrStarted)
}

func TestSLOJudgesSeconds(t *testing.T) {
	type at struct {
		second int
		e      reputation.SLOEvent
	}
	up, off := seen{Up: true}, seen{}
	for name, c := range map[string]struct {
		events                          []at
		good, lost, unobserved          uint64
		outages, restarts, judgedSecond int
	}{
		"up":                            {[]at{{90, up}}, 90, 0, 0, 0, 0, 90},
		"silent for a second too long":  {[]at{{91, up}}, 0, 91, 91, 1, 0, 91},
		"seen twice in that time":       {[]at{{45, up}, {91, up}}, 91, 0, 0, 0, 0, 91},
		"down at the next look":         {[]at{{50, up}, {80, off}}, 50, 30, 0, 1, 0, 80},
		"down from that second":         {[]at{{80, up}, {80, off}, {90, off}}, 80, 10, 0, 1, 0, 90},
		"down and up in one second":     {[]at{{80, up}, {80, off}, {80, up}, {90, up}}, 90, 0, 0, 0, 0, 90},
		"up again":                      {[]at{{50, off}, {80, up}, {99, up}}, 19, 80, 0, 1, 0, 99},
		"down for long, not unobserved": {[]at{{50, off}, {5000, off}}, 0, 5000, 0, 1, 0, 5000},
		"two outages":                   {[]at{{9, off}, {20, up}, {40, up}, {50, off}}, 20, 30, 0, 2, 0, 50},
		"up in between for no time":     {[]at{{9, off}, {20, up}, {20, off}, {50, off}}, 0, 50, 0, 1, 0, 50},
		"another run":                   {[]at{{50, seen{Up: true, Boot: 1}}, {60, seen{Up: true, Boot: 1}}}, 10, 50, 0, 1, 1, 60},
		"another run at once":           {[]at{{50, up}, {50, seen{Up: true, Boot: 1}}}, 50, 0, 0, 0, 1, 50},
		"the same run after being down": {[]at{{50, seen{Boot: 9}}, {60, up}, {70, up}}, 10, 60, 0, 1, 0, 70},
		"another run after silence":     {[]at{{100, seen{Up: true, Boot: 1}}}, 0, 100, 100, 1, 1, 100},
		"ticks in a short silence":      {[]at{{50, tick{}}, {90, tick{}}}, 0, 0, 0, 0, 0, 0},
		"ticks in a long silence":       {[]at{{91, tick{}}, {95, up}}, 0, 95, 95, 1, 0, 95},
		"ticks while down":              {[]at{{50, off}, {70, tick{}}}, 0, 70, 0, 1, 0, 70},
		"ended in a short silence":      {[]at{{50, up}, {140, over{}}}, 140, 0, 0, 0, 0, 140},
		"ended in a long silence":       {[]at{{50, up}, {141, over{}}}, 50, 91, 91, 1, 0, 141},
		"ended while down":              {[]at{{50, up}, {50, off}, {60, over{}}}, 50, 10, 0, 1, 0, 60},
	} {
		s := promise(t, reputation.DefaultContract("lease"), start)
		for _, x := range c.events {
			happen(t, s, sec(x.second), x.e)
			require.NoError(t, s.Audit(), name)
		}
		require.Equal(t, reputation.Attained{
			From: start, To: sec(c.judgedSecond), GoodSeconds: c.good, LostSeconds: c.lost, UnobservedSeconds: c.unobserved,
			Outages: uint32(c.outages), Restarts: uint32(c.restarts),
		}, s.Status().Lease, name)
	}
}

// A lease of June, lost from its first second on: each bound of the ladder, on it and a second below.
func TestSLOBreach(t *testing.T) {
	june, july := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	const month = 30 * 86_400
	for lost, want := range map[int][2]uint32{ // uptime, credit
		2_592: {0, 0}, 2_593: {998_999, 1_000}, 25_920: {990_000, 1_000}, 25_921: {989_999, 2_500},
		129_600: {950_000, 2_500}, 129_601: {949_999, 10_000}, month: {0, 10_000},
	} {
		s := promise(t, reputation.DefaultContract("lease"), june)
		out := down(t, s, june, june.Add(time.Duration(lost)*time.Second))
		if lost < month {
			happen(t, s, june.Add(time.Duration(lost)*time.Second), seen{Up: true})
			out = append(out, alive(t, s, june.Add(time.Duration(lost)*time.Second), july)...)
		}
		var ended []reputation.PeriodEnded
		var breaches []reputation.Breach
		for _, e := range out {
			switch e := e.(type) {
			case reputation.PeriodEnded:
				ended = append(ended, e)
			case reputation.Breach:
				require.Len(t, ended, 1, "after the end of its period")
				breaches = append(breaches, e)
			}
		}
		require.Len(t, ended, 1)
		a := ended[0].Attained
		require.Equal(t, reputation.Attained{
			From: june, To: july, GoodSeconds: month - uint64(lost), LostSeconds: uint64(lost), Outages: 1,
		}, a)
		if want[1] == 0 {
			require.Empty(t, breaches)
			continue
		}
		require.Equal(t, []reputation.Breach{{
			Scope: "lease", Tier: 3, From: june, To: july, GoodSeconds: month - uint64(lost), TotalSeconds: month,
			UptimePPM: want[0], CreditBps: want[1],
		}}, breaches)
	}
}

// A cap is the most that a period grants; an objective without a ladder is missed without a credit.
func TestSLOCreditIsCapped(t *testing.T) {
	for _, row := range []struct {
		cap    uint32
		ladder bool
		want   uint32
	}{{5_000, true, 5_000}, {0, true, 0}, {10_000, false, 0}} {
		c := reputation.DefaultContract("lease")
		c.CapBps = row.cap
		if !row.ladder {
			c.Ladder = nil
		}
		s := promise(t, c, start)
		happen(t, s, start, seen{})
		out := happen(t, s, start.Add(time.Hour), over{})
		require.Equal(t, row.want, out[len(out)-1].(reputation.Breach).CreditBps)
	}
}

// Months are UTC's, whatever the zone of the times given; the first is cut at the start, the last at the end, and an outage over
// the end of a month is one outage of the first.
func TestSLOMonths(t *testing.T) {
	zone := time.FixedZone("east", 5*3600)
	s := promise(t, reputation.DefaultContract("lease"), time.Date(2024, 2, 29, 23, 0, 0, 0, time.UTC).In(zone))
	cut := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	alive(t, s, cut.Add(-time.Hour), cut.Add(-time.Minute))
	out := happen(t, s, cut.Add(time.Minute).In(zone), seen{})
	a := out[1].(reputation.PeriodEnded).Attained
	require.Equal(t, reputation.Attained{
		From: cut.Add(-time.Hour), To: cut, GoodSeconds: 3540, LostSeconds: 60, UnobservedSeconds: 60, Outages: 1,
	}, a)
	out = append(out, happen(t, s, cut.Add(2*time.Minute), over{})...)
	last := out[len(out)-2].(reputation.PeriodEnded).Attained
	require.Equal(t, reputation.Attained{From: cut, To: cut.Add(2 * time.Minute), LostSeconds: 120, UnobservedSeconds: 60}, last)

	// The end of a month without any event that is near: what is known later is dated back.
	s = promise(t, reputation.DefaultContract("lease"), cut)
	out = nil
	for _, e := range happen(t, s, cut.AddDate(0, 3, 0).Add(time.Second), tick{}) {
		if e, ok := e.(reputation.PeriodEnded); ok {
			out = append(out, e)
		}
	}
	require.Len(t, out, 3)
	require.Equal(t, cut.AddDate(0, 2, 0), out[2].(reputation.PeriodEnded).Attained.From)

	// A lease that ends with its month has no period more, and the very end of the range is one.
	s = promise(t, reputation.DefaultContract("lease"), cut.Add(-90*time.Second))
	require.Len(t, happen(t, s, cut, over{}), 1)
	s = promise(t, reputation.DefaultContract("lease"), time.Unix(math.MaxUint32-61, 0))
	require.Len(t, happen(t, s, time.Unix(math.MaxUint32-1, 0), over{}), 1)
}

// The budget: exactly so many seconds may be lost, and with one more the objective is missed.
func TestSLOBudget(t *testing.T) {
	june, july := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for more := range 2 {
		s := promise(t, reputation.DefaultContract("lease"), june)
		happen(t, s, june, reputation.MaintenanceAnnounced{From: june.Add(2 * day), To: june.Add(2*day + 8*time.Hour)})
		require.Equal(t, int64(2_592), s.Status().BudgetLeftSeconds)
		alive(t, s, june, june.Add(2*day))
		happen(t, s, june.Add(2*day), seen{})
		back := june.Add(2*day + 8*time.Hour + 1_000*time.Second)
		happen(t, s, back, seen{Up: true})
		st := s.Status()
		require.Equal(t, uint64(28_800), st.Period.ExcusedSeconds)
		require.Equal(t, uint32(2_563), st.BudgetSeconds, "a thousandth of what is left of June")
		require.Equal(t, int64(1_563), st.BudgetLeftSeconds)
		alive(t, s, back, june.Add(9*day))
		happen(t, s, june.Add(9*day), seen{})
		back = june.Add(9*day + time.Duration(1_563+more)*time.Second)
		happen(t, s, back, seen{Up: true})
		require.Equal(t, int64(-more), s.Status().BudgetLeftSeconds)
		out := alive(t, s, back, july)
		_, missed := out[len(out)-1].(reputation.Breach)
		require.Equal(t, more == 1, missed)
		require.Equal(t, uint32(2_678), s.Status().BudgetSeconds, "of July")
	}
}

// A rolling window alerts on the second that its budget is overspent, recovers when enough of the loss has left it, and settles
// every full window since the start.
func TestSLORollingWindow(t *testing.T) {
	c := reputation.DefaultContract("lease")
	c.Window, c.Burn = 7*day, nil // 604 s may be lost
	s := promise(t, c, start)
	alive(t, s, start, start.Add(5*day))
	require.Empty(t, down(t, s, start.Add(5*day), start.Add(5*day+300*time.Second)))
	happen(t, s, start.Add(5*day+300*time.Second), seen{Up: true})
	out := alive(t, s, start.Add(5*day+300*time.Second), start.Add(8*day))
	require.Len(t, out, 1)
	require.Equal(t, start.Add(7*day), out[0].(reputation.PeriodEnded).Attained.To)
	require.Equal(t, int64(304), s.Status().BudgetLeftSeconds, "the window looks back over the end of the period")

	out = down(t, s, start.Add(8*day), start.Add(8*day+400*time.Second))
	a := out[0].(reputation.Alert)
	require.Equal(t, start.Add(8*day+305*time.Second), a.At)
	require.Equal(t, reputation.BurnRule{Name: "budget", BurnMilli: 1_000, Long: 7 * day, Short: 7 * day}, a.Rule)
	require.Equal(t, []reputation.BurnRule{a.Rule}, s.Status().Burning)
	require.Equal(t, int64(-96), s.Status().BudgetLeftSeconds)
	happen(t, s, start.Add(8*day+400*time.Second), seen{Up: true})
	out = alive(t, s, start.Add(8*day+400*time.Second), start.Add(14*day))
	require.Equal(t, start.Add(12*day+96*time.Second), out[0].(reputation.Recovered).At)
	require.Equal(t, uint64(400), out[1].(reputation.PeriodEnded).Attained.LostSeconds)
	require.Len(t, out, 2, "neither period missed its objective by itself")
}

// However often one looks, and whatever ticks, the effects are the same.
func TestSLOSamplingInvariance(t *testing.T) {
	play := func(step time.Duration, ticks bool) (out []reputation.SLOEffect) {
		s := promise(t, reputation.DefaultContract("lease"), start)
		at := start
		for _, part := range []struct {
			up bool
			d  time.Duration
		}{{true, day}, {false, 2 * time.Hour}, {true, 40 * day}, {false, time.Minute}, {true, 3 * time.Hour}, {false, 9 * day}, {true, day}} {
			out = append(out, happen(t, s, at, seen{Up: part.up})...)
			for end := at.Add(part.d); at.Before(end); {
				if at = at.Add(step); at.After(end) {
					at = end
				}
				if ticks {
					out = append(out, happen(t, s, at.Add(-time.Second), tick{})...)
				}
				out = append(out, happen(t, s, at, seen{Up: part.up})...)
			}
		}
		return append(out, happen(t, s, at, over{})...)
	}
	want := play(90*time.Second, false)
	require.Greater(t, len(want), 12)
	for _, step := range []time.Duration{19 * time.Second, time.Minute, 89 * time.Second} {
		require.Equal(t, want, play(step, false))
		require.Equal(t, want, play(step, true))
	}
}

// When lost time comes in more pieces than are remembered, attainment and credits are those of a promise that remembers all, and
// an alert is never missing.
func TestSLOForgetsOnTheSafeSide(t *testing.T) {
	merged := uint32(0)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		c := quick(time.Hour)
		c.MaxStretches = 4
		small := promise(t, c, start)
		c.MaxStretches = 1 << 16
		large := promise(t, c, start)
		for at, n := start, 0; n < 1_500; n++ {
			at = at.Add(time.Duration(r.IntN(12)) * time.Second)
			var e reputation.SLOEvent = seen{Up: r.IntN(3) > 0}
			if n == 1_499 {
				e = over{}
			}
			got, want := happen(t, small, at, e), happen(t, large, at, e)
			require.NoError(t, small.Audit())
			require.Equal(t, periods(want), periods(got))
			for _, rule := range large.Status().Burning {
				require.Contains(t, small.Status().Burning, rule)
			}
			require.LessOrEqual(t, small.Status().BudgetLeftSeconds, large.Status().BudgetLeftSeconds)
			again, err := reputation.RestoreSLO(quickWith(c, 4), small.Snapshot())
			require.NoError(t, err)
			require.Equal(t, small.Digest(), again.Digest())
			small = again
		}
		require.Zero(t, large.Status().Merged)
		require.Equal(t, large.Status().Lease, small.Status().Lease)
		merged += small.Status().Merged
	}
	require.Greater(t, merged, uint32(1_000))
}

func quickWith(c reputation.Contract, stretches uint32) reputation.Contract {
	c.MaxStretches = stretches
	return c
}

// periods are the effects that end one.
func periods(all []reputation.SLOEffect) (out []reputation.SLOEffect) {
	for _, e := range all {
		switch e.(type) {
		case reputation.PeriodEnded, reputation.Breach:
			out = append(out, e)
		}
	}
	return out
}

// Old losses are dropped before any are merged: who loses little is always judged exactly, however long the lease.
func TestSLORemembersWhatMatters(t *testing.T) {
	c := quickWith(reputation.DefaultContract("lease"), 64)
	s := promise(t, c, start)
	for at := start; at.Before(start.Add(400 * day)); {
		next := at.Add(day)
		alive(t, s, at, next.Add(-time.Minute))
		happen(t, s, next, seen{})
		happen(t, s, next, seen{Up: true})
		at = next
	}
	require.Zero(t, s.Status().Merged)
	require.Equal(t, uint32(400), s.Status().Lease.Outages)
	require.Less(t, len(s.Snapshot()), 1_200)
}

func TestRestoreSLORefuses(t *testing.T) {
	c := reputation.DefaultContract("lease")
	s := promise(t, c, start)
	happen(t, s, sec(100), seen{})
	good := s.Snapshot()
	for i := range good {
		_, err := reputation.RestoreSLO(c, good[:i])
		require.ErrorIs(t, err, reputation.ErrInvalid)
	}
	_, err := reputation.RestoreSLO(c, append(good, 0))
	require.ErrorIs(t, err, reputation.ErrInvalid)
}

func FuzzRestoreSLO(f *testing.F) {
	c := quick(time.Hour)
	s := promise(f, c, start)
	f.Add(s.Snapshot())
	happen(f, s, sec(1), reputation.MaintenanceAnnounced{From: sec(50), To: sec(60)})
	happen(f, s, sec(20), seen{})
	f.Add(s.Snapshot())
	happen(f, s, sec(4_000), seen{Up: true})
	f.Add(s.Snapshot())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := reputation.RestoreSLO(c, data)
		if err != nil {
			require.ErrorIs(t, err, reputation.ErrInvalid)
			return
		}
		require.NoError(t, s.Audit())
		require.Equal(t, data, s.Snapshot())
		st := s.Status()
		if !st.Running {
			return
		}
		for _, e := range []reputation.SLOEvent{
			seen{Up: true}, reputation.RenterFaulted{From: st.Period.From, To: st.JudgedUntil}, seen{}, over{},
		} {
			at := st.JudgedUntil.Add(time.Hour)
			if _, err := s.Apply(at, e); err == nil {
				require.NoError(t, s.Audit())
			}
		}
	})
}

// sloWorld plays ten thousand events of a seed on eight promises and digests them all.
func sloWorld(t testing.TB, seed uint64) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	var all []*reputation.SLO
	for i := range 8 {
		c := reputation.DefaultContract(reputation.Subject(fmt.Sprintf("lease-%d", i)))
		c.Window, c.MaxStretches, c.Silence = time.Duration(i%2)*7*day, 32, 3*time.Hour
		all = append(all, promise(t, c, start))
	}
	at, effects := start, 0
	for range 10_000 {
		at = at.Add(time.Duration(r.IntN(800)) * time.Second)
		s := all[r.IntN(len(all))]
		var e reputation.SLOEvent = seen{Up: r.IntN(20) > 0, Boot: uint64(r.IntN(200) / 199)}
		if r.IntN(50) == 0 {
			st := s.Status()
			e = reputation.RenterFaulted{From: st.JudgedUntil.Add(-time.Minute), To: st.JudgedUntil}
		}
		out, _ := s.Apply(at, e)
		effects += len(out)
	}
	text := fmt.Sprintln(effects)
	for _, s := range all {
		require.NoError(t, s.Audit())
		text += fmt.Sprintf("%x\n", s.Digest())
	}
	return text
}

func TestSLODeterminism(t *testing.T) {
	want := sloWorld(t, 7)
	golden.Check(t, "testdata/slo_digest.txt", want)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	require.Equal(t, want, sloWorld(t, 7))
}

func TestAttained(t *testing.T) {
	for _, c := range []struct {
		good, lost uint64
		ppm        uint32
	}{
		{0, 0, 1_000_000},
		{1, 0, 1_000_000},
		{0, 1, 0},
		{999_999, 1, 999_999},
		{2, 1, 666_666},
		{1<<63 - 1, 1 << 63, 499_999},
		{1 << 63, 1<<63 - 1, 500_000},
	} {
		a := reputation.Attained{GoodSeconds: c.good, LostSeconds: c.lost, ExcusedSeconds: 7}
		require.Equal(t, c.ppm, a.UptimePPM())
		require.False(t, a.Below(c.ppm))
		require.Equal(t, c.good+c.lost > 0, a.Below(c.ppm+1))
	}
}
