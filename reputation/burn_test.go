package reputation_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

// objective is the default contract with another objective, and without credits.
func objective(ppm uint32) reputation.Contract {
	c := reputation.DefaultContract("lease")
	c.ObjectivePPM, c.Ladder = ppm, nil
	return c
}

func promise(t testing.TB, c reputation.Contract, at time.Time) *reputation.SLO {
	t.Helper()
	s, err := reputation.NewSLO(c)
	require.NoError(t, err)
	happen(t, s, at, reputation.SLOStarted{})
	return s
}

func happen(t testing.TB, s *reputation.SLO, at time.Time, e reputation.SLOEvent) []reputation.SLOEffect {
	t.Helper()
	out, err := s.Apply(at, e)
	require.NoError(t, err)
	return out
}

// alive sends heartbeats every minute after from, up to and including to, and returns the effects.
func alive(t testing.TB, s *reputation.SLO, from, to time.Time) (out []reputation.SLOEffect) {
	t.Helper()
	for at := from; at.Before(to); {
		if at = at.Add(time.Minute); at.After(to) {
			at = to
		}
		out = append(out, happen(t, s, at, reputation.SLOSeen{Up: true})...)
	}
	return out
}

func down(t testing.TB, s *reputation.SLO, from, to time.Time) []reputation.SLOEffect {
	t.Helper()
	require.Empty(t, happen(t, s, from, reputation.SLOSeen{}))
	return happen(t, s, to, reputation.SLOSeen{})
}

// In a total outage each rule alerts when its long window has burnt out, on that second and not the one before, whether the
// outage is looked at every second or once.
func TestBurnInATotalOutage(t *testing.T) {
	for ppm, want := range map[uint32][3]int{
		990_000: {519, 1_297, 2_593},
		995_000: {260, 649, 1_297},
		999_000: {52, 130, 260},
		999_900: {6, 13, 26},
	} {
		begin := start.Add(4 * day)
		var names []string
		s := promise(t, objective(ppm), start)
		require.Empty(t, alive(t, s, start, begin))
		happen(t, s, begin, reputation.SLOSeen{})
		for second := 1; second <= 2_593; second++ {
			at := begin.Add(time.Duration(second) * time.Second)
			for _, e := range happen(t, s, at, reputation.SLOSeen{}) {
				a := e.(reputation.Alert)
				require.Equal(t, want[len(names)], second, "%d ppm, %s", ppm, a.Rule.Name)
				require.Equal(t, at, a.At)
				require.Equal(t, uint32(second), a.LongLost)
				names = append(names, a.Rule.Name)
			}
		}
		require.Equal(t, []string{"page-fast", "page-slow", "ticket"}, names)

		once := promise(t, objective(ppm), start)
		alive(t, once, start, begin)
		for i, e := range down(t, once, begin, begin.Add(time.Hour)) {
			require.Equal(t, begin.Add(time.Duration(want[i])*time.Second), e.(reputation.Alert).At)
		}
	}
}

// A rule asks for more than its limit in both windows, and for no more.
func TestBurnNeedsBothWindows(t *testing.T) {
	c := objective(990_000)
	c.Burn = []reputation.BurnRule{{Name: "x", BurnMilli: 10_000, Long: 1000 * time.Second, Short: 100 * time.Second}}
	long, short := c.Burn[0].Limits(c.ObjectivePPM)
	require.Equal(t, [2]uint32{100, 10}, [2]uint32{long, short})
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	for name, row := range map[string]struct {
		first, second int // seconds lost from 1,000 on and from 1,500 on
		fires         bool
	}{
		"long at its limit":       {89, 11, false},
		"long above, short at":    {91, 10, false},
		"both above":              {90, 11, true},
		"one window of two only":  {100, 0, false},
		"short only, long at":     {0, 100, false},
		"one second more is both": {0, 101, true},
	} {
		s := promise(t, c, start)
		alive(t, s, start, at(1000))
		out := down(t, s, at(1000), at(1000+row.first))
		happen(t, s, at(1000+row.first), reputation.SLOSeen{Up: true})
		out = append(out, alive(t, s, at(1000+row.first), at(1500))...)
		out = append(out, down(t, s, at(1500), at(1500+row.second))...)
		require.Equal(t, row.fires, len(out) > 0, "%s: %v", name, out)
		if row.fires {
			a := out[0].(reputation.Alert)
			require.Equal(t, [2]uint32{101, min(100, uint32(row.second))}, [2]uint32{a.LongLost, a.ShortLost})
			happen(t, s, a.At, reputation.SLOSeen{Up: true})
			r := alive(t, s, a.At, at(2400))[0].(reputation.Recovered)
			// The short window lets go first: ten of its lost seconds are left.
			require.Equal(t, a.At.Add(90*time.Second), r.At)
			require.Equal(t, uint32(10), r.ShortLost)
		}
	}
}

// What is excused, and what is before the start, burns nothing: a first second down is no emergency.
func TestBurnCountsFullWindows(t *testing.T) {
	s := promise(t, objective(990_000), start)
	require.Empty(t, down(t, s, start, start.Add(518*time.Second)))
	require.Len(t, happen(t, s, start.Add(519*time.Second), reputation.SLOSeen{}), 1)

	s, _ = reputation.NewSLO(objective(990_000))
	happen(t, s, start, reputation.MaintenanceAnnounced{From: start.Add(day), To: start.Add(day + time.Hour)})
	happen(t, s, start, reputation.SLOStarted{})
	alive(t, s, start, start.Add(day))
	require.Empty(t, down(t, s, start.Add(day), start.Add(day+time.Hour+518*time.Second)))
	a := happen(t, s, start.Add(day+2*time.Hour), reputation.SLOSeen{})[0].(reputation.Alert)
	require.Equal(t, start.Add(day+time.Hour+519*time.Second), a.At)
}

// The default rules against a look at every second of twelve days, over the end of a month.
func TestBurnAgainstSecondBySecond(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 2))
		c := reputation.DefaultContract("lease")
		fast, err := reputation.NewSLO(c)
		require.NoError(t, err)
		naive := newSlow(c)
		begin := time.Date(2026, 6, 25, 0, 0, 0, 0, time.UTC)
		alerts, breaches := 0, 0
		at, up := begin, true
		for e := reputation.SLOEvent(reputation.SLOStarted{}); at.Before(begin.Add(12 * day)); {
			got, err := fast.Apply(at, e)
			require.NoError(t, err)
			want, ok := naive.apply(at.Unix(), e)
			require.True(t, ok)
			require.Equal(t, want, got)
			for _, e := range got {
				switch e.(type) {
				case reputation.Alert:
					alerts++
				case reputation.Breach:
					breaches++
				}
			}
			if r.IntN(1000) == 0 || !up && r.IntN(10) == 0 {
				up = !up
			}
			at, e = at.Add(time.Duration(20+r.IntN(40))*time.Second), reputation.SLOSeen{Up: up}
			if r.IntN(4000) == 0 { // nobody looks for a while
				at = at.Add(time.Duration(r.IntN(7200)) * time.Second)
			}
		}
		require.NoError(t, fast.Audit())
		require.Greater(t, alerts, 3, "seed %d", seed)
		require.Equal(t, 1, breaches)
	}
}
