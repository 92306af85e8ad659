package reputation_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

// lease plays outages on a promise that is looked at every step: who is up at a heartbeat shows the number of its run, who is down
// shows nothing. It returns what was attained in the time.
func lease(t testing.TB, outages [][2]int, length, step, offset int) reputation.Attained {
	t.Helper()
	s := promise(t, reputation.DefaultContract("lease"), start)
	for at := offset; at < length; at += step {
		up, boot := true, uint64(0)
		for _, o := range outages {
			up = up && (at < o[0] || at >= o[1])
			if at >= o[1] {
				boot++
			}
		}
		happen(t, s, sec(at), seen{Up: up, Boot: boot})
	}
	out := happen(t, s, sec(length), over{})
	for _, e := range out {
		if e, ok := e.(reputation.PeriodEnded); ok {
			return e.Attained
		}
	}
	t.Fatal("no period ended")
	return reputation.Attained{}
}

// Attack 6, restart gaming. A hundred outages of 30 seconds lose what one of 3,000 loses, to the second, if changes are reported
// when they happen; nobody's uptime gains by cutting an outage up, and the record tells the two apart. To an observer who looks
// every minute the hundred lose more.
func TestAttackRestartGaming(t *testing.T) {
	long := [][2]int{{6_000, 9_000}}
	var short [][2]int
	for i := range 100 {
		short = append(short, [2]int{6_000 + 600*i, 6_000 + 600*i + 30})
	}
	one, many := lease(t, long, 86_400, 30, 0), lease(t, short, 86_400, 30, 0)
	// Each change is dated to the heartbeat before the first one that shows it.
	require.Equal(t, uint64(3_000+30), one.LostSeconds)
	require.Equal(t, uint64(100*(30+30)), many.LostSeconds)
	require.Less(t, many.UptimePPM(), one.UptimePPM())
	require.Equal(t, [2]uint32{1, 100}, [2]uint32{one.Outages, many.Outages})
	require.Equal(t, [2]uint32{1, 100}, [2]uint32{one.Restarts, many.Restarts})

	exact := func(outages [][2]int) reputation.Attained {
		s := promise(t, reputation.DefaultContract("lease"), start)
		at := start
		for _, o := range outages {
			alive(t, s, at, sec(o[0]))
			happen(t, s, sec(o[0]), seen{})
			happen(t, s, sec(o[1]), seen{Up: true})
			at = sec(o[1])
		}
		alive(t, s, at, sec(86_400))
		return s.Status().Lease
	}
	one, many = exact(long), exact(short)
	require.Equal(t, uint64(3_000), one.LostSeconds)
	require.Equal(t, uint64(3_000), many.LostSeconds)
	require.Equal(t, [2]uint32{1, 100}, [2]uint32{one.Outages, many.Outages})
}

// Attack 7, flapping between heartbeats: being up whenever someone looks. The number of the run gives it away, and all of the
// time between the two heartbeats is lost, so that no outage is ever seen shorter than it was, whatever the rhythm.
func TestAttackFlappingBetweenHeartbeats(t *testing.T) {
	var flaps [][2]int
	for i := range 60 {
		flaps = append(flaps, [2]int{1_000 + 60*i + 5, 1_000 + 60*i + 55}) // up only around each full minute after 1,000
	}
	a := lease(t, flaps, 7_200, 60, 40)
	require.Equal(t, uint64(60*60), a.LostSeconds)
	require.Equal(t, uint32(60), a.Restarts)
	require.Equal(t, uint32(1), a.Outages)

	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 4))
		var outages [][2]int
		lost := uint64(0)
		for at := r.IntN(500); at < 6_000; at += 1 + r.IntN(500) {
			end := at + 1 + r.IntN(100)
			outages, lost, at = append(outages, [2]int{at, end}), lost+uint64(end-at), end
		}
		step := 1 + r.IntN(90)
		got := lease(t, outages, 7_000, step, r.IntN(step))
		require.GreaterOrEqual(t, got.LostSeconds, lost)
		require.LessOrEqual(t, got.LostSeconds, lost+uint64(2*step*len(outages)))
	}
}

// Attack 7, without numbers of runs: silence is no way out either.
func TestAttackSilence(t *testing.T) {
	s := promise(t, reputation.DefaultContract("lease"), start)
	alive(t, s, start, sec(600))
	out := happen(t, s, sec(600+3_600), seen{Up: true})
	require.Len(t, out, 3, "every rule alerted, at the second at which an outage of that time would have")
	require.Equal(t, sec(600+52), out[0].(reputation.Alert).At)
	require.Equal(t, uint64(3_600), s.Status().Period.LostSeconds)
}

// Attack 8, maintenance announced just before a failure: it needs a notice, its budget is used up by announcing it, and it
// excuses nothing outside of what was announced.
func TestAttackMaintenanceBeforeAFailure(t *testing.T) {
	announce := func(s *reputation.SLO, at, from, to time.Time) error {
		before := s.Digest()
		_, err := s.Apply(at, reputation.MaintenanceAnnounced{From: from, To: to})
		if err != nil {
			require.ErrorIs(t, err, reputation.ErrMaintenance)
			require.Equal(t, before, s.Digest())
		}
		return err
	}
	s := promise(t, reputation.DefaultContract("lease"), start)
	fails := start.Add(10 * day)
	alive(t, s, start, fails.Add(-time.Minute))
	require.ErrorContains(t, announce(s, fails.Add(-time.Minute), fails, fails.Add(time.Hour)), "notice of 60 s")
	alive(t, s, fails.Add(-time.Minute), fails)
	down(t, s, fails, fails.Add(time.Minute))
	require.ErrorContains(t, announce(s, fails.Add(time.Minute), fails, fails.Add(time.Hour)), "notice of -60 s")
	happen(t, s, fails.Add(2*time.Hour), seen{Up: true})
	require.Equal(t, uint64(7_200), s.Status().Period.LostSeconds)

	// To have an excuse always ready one would have to announce all of the time. A third of a percent is what there is of it.
	s = promise(t, reputation.DefaultContract("lease"), start)
	granted := 0
	for hour := range 24 * 90 {
		at := start.Add(time.Duration(hour) * time.Hour)
		if announce(s, at, at.Add(day), at.Add(day+time.Hour)) == nil {
			granted++
		}
		alive(t, s, at, at.Add(time.Hour))
	}
	require.Equal(t, 24, granted, "8 hours in each of 3 times 30 days")

	// What lies outside of the announced hour is lost, before it and after.
	s = promise(t, reputation.DefaultContract("lease"), start)
	require.NoError(t, announce(s, start, fails, fails.Add(time.Hour)))
	alive(t, s, start, fails.Add(-100*time.Second))
	down(t, s, fails.Add(-100*time.Second), fails.Add(time.Hour+50*time.Second))
	p := s.Status().Period
	require.Equal(t, [3]uint64{150, 3_600, 0}, [3]uint64{p.LostSeconds, p.ExcusedSeconds, p.UnobservedSeconds})
	require.Equal(t, uint32(1), p.Outages, "excused or not, it was one")
}

// Attack 8, the budget's window: no 30 days hold more than 8 hours, however the announcements are placed and in whatever order
// they come, and an hour that is out of the 30 days is free again to the second.
func TestAttackMaintenanceBudgetSlides(t *testing.T) {
	h := time.Hour
	for name, c := range map[string]struct {
		before [][2]time.Duration // from the start of the lease, with a length
		last   [2]time.Duration
		ok     bool
	}{
		"all at once":                  {nil, [2]time.Duration{2 * day, 8 * h}, true},
		"four and four":                {[][2]time.Duration{{2 * day, 4 * h}}, [2]time.Duration{20 * day, 4 * h}, true},
		"four, four and a second":      {[][2]time.Duration{{2 * day, 4 * h}}, [2]time.Duration{20 * day, 4*h + time.Second}, false},
		"30 days later":                {[][2]time.Duration{{2 * day, 8 * h}}, [2]time.Duration{32 * day, 8 * h}, true},
		"a second too early":           {[][2]time.Duration{{2 * day, 8 * h}}, [2]time.Duration{32*day - time.Second, 8 * h}, false},
		"in between, announced later":  {[][2]time.Duration{{2 * day, 4 * h}, {40 * day, 4 * h}}, [2]time.Duration{20 * day, 4 * h}, true},
		"too much with the later one":  {[][2]time.Duration{{2 * day, 2 * h}, {40 * day, 5 * h}}, [2]time.Duration{20 * day, 4 * h}, false},
		"too much with the former one": {[][2]time.Duration{{2 * day, 5 * h}, {40 * day, 2 * h}}, [2]time.Duration{20 * day, 4 * h}, false},
		"next to it":                   {[][2]time.Duration{{2 * day, 4 * h}}, [2]time.Duration{2*day + 4*h, 4 * h}, true},
		"next to it, before":           {[][2]time.Duration{{2 * day, 4 * h}}, [2]time.Duration{2*day - 4*h, 4 * h}, true},
		"over its end":                 {[][2]time.Duration{{2 * day, 4 * h}}, [2]time.Duration{2*day + 4*h - time.Second, h}, false},
		"over its beginning":           {[][2]time.Duration{{2 * day, 4 * h}}, [2]time.Duration{2*day - h, h + time.Second}, false},
		"the same":                     {[][2]time.Duration{{2 * day, h}}, [2]time.Duration{2 * day, h}, false},
	} {
		s, err := reputation.NewSLO(reputation.DefaultContract("lease"))
		require.NoError(t, err)
		for _, w := range c.before {
			happen(t, s, start, reputation.MaintenanceAnnounced{From: start.Add(w[0]), To: start.Add(w[0] + w[1])})
		}
		_, err = s.Apply(start, reputation.MaintenanceAnnounced{From: start.Add(c.last[0]), To: start.Add(c.last[0] + c.last[1])})
		require.Equal(t, c.ok, err == nil, "%s: %v", name, err)
		require.NoError(t, s.Audit())
	}
}

// Announcements are remembered until they are both judged and out of the budget's window, and no more of them than the contract
// says.
func TestMaintenanceIsForgottenInTime(t *testing.T) {
	c := reputation.DefaultContract("lease")
	c.Maintenance.Windows = 2
	m := func(from time.Time) reputation.SLOEvent {
		return reputation.MaintenanceAnnounced{From: from, To: from.Add(time.Hour)}
	}
	s := promise(t, c, start)
	happen(t, s, start, m(start.Add(day)))
	happen(t, s, start, m(start.Add(3*day)))
	free := start.Add(31*day + time.Hour) // the first one is past for 30 days
	_, err := s.Apply(free.Add(-time.Second), m(start.Add(40*day)))
	require.ErrorContains(t, err, "2 times are announced or not yet past")
	_, err = s.Apply(free, m(start.Add(40*day)))
	require.ErrorContains(t, err, "2 times", "nobody looked: it is not judged yet")
	happen(t, s, free, tick{})
	happen(t, s, free, m(start.Add(40*day)))
	require.Equal(t, uint64(7_200), s.Status().Lease.ExcusedSeconds)
	require.NoError(t, s.Audit())
}

// What the renter broke does not count, when it was lost, and the alerts of it end at once; time up stays time up.
func TestRenterFault(t *testing.T) {
	s := promise(t, reputation.DefaultContract("lease"), start)
	alive(t, s, start, sec(6_000))
	require.Len(t, down(t, s, sec(6_000), sec(7_000)), 3)
	out := happen(t, s, sec(7_100), reputation.RenterFaulted{From: sec(5_900), To: sec(6_990)})
	require.Len(t, out, 3)
	for _, e := range out {
		r := e.(reputation.Recovered)
		require.Equal(t, sec(7_000), r.At, "what is judged")
		require.Equal(t, uint32(10), r.LongLost)
	}
	p := s.Status().Period
	require.Equal(t, [3]uint64{6_000, 10, 990}, [3]uint64{p.GoodSeconds, p.LostSeconds, p.ExcusedSeconds})
	require.Empty(t, happen(t, s, sec(7_200), reputation.RenterFaulted{From: sec(5_900), To: sec(6_990)}), "once is enough")
	require.Equal(t, p, s.Status().Period)

	// A month that is settled stays so.
	feb := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	happen(t, s, feb.Add(time.Hour), tick{})
	_, err := s.Apply(feb.Add(time.Hour), reputation.RenterFaulted{From: feb.Add(-time.Second), To: feb.Add(time.Minute)})
	require.ErrorIs(t, err, reputation.ErrExcuse)
	happen(t, s, feb.Add(time.Hour), reputation.RenterFaulted{From: feb, To: feb.Add(time.Minute)})
	require.Equal(t, uint64(60), s.Status().Period.ExcusedSeconds)
}
