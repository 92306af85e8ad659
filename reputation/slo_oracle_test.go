package reputation_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

// The seconds of slow are up, lost or excused.
const (
	upSecond = iota
	lostSecond
	excusedSecond
)

// slow keeps a contract second by second: it writes down what each one was, and looks at every window again after each.
type slow struct {
	c         reputation.Contract
	rules     []reputation.BurnRule
	on        []bool
	announced [][2]int64

	running, ended, up bool
	boot               uint64
	start, seen        int64
	kind               []uint8 // of each second since the start
	mute               []bool
	lostUpTo           []int // how many of the first i seconds are lost
	periods            []int // indices of their first seconds
	restarts           []uint32
}

func newSlow(c reputation.Contract) *slow {
	s := &slow{c: c, rules: append([]reputation.BurnRule{}, c.Burn...)}
	if c.Window > 0 {
		s.rules = append(s.rules, reputation.BurnRule{Name: "budget", BurnMilli: 1_000, Long: c.Window, Short: c.Window})
	}
	s.on = make([]bool, len(s.rules))
	return s
}

func (s *slow) judged() int64 { return s.start + int64(len(s.kind)) }

func (s *slow) at(i int) time.Time { return time.Unix(s.start+int64(i), 0).UTC() }

func (s *slow) lostIn(window time.Duration) uint32 {
	n := len(s.kind)
	return uint32(s.lostUpTo[n] - s.lostUpTo[max(0, n-int(window/time.Second))])
}

// alerts compares each rule with what it was.
func (s *slow) alerts() (out []reputation.SLOEffect) {
	for i, r := range s.rules {
		long, short := s.lostIn(r.Long), s.lostIn(r.Short)
		allowed := uint64(1_000_000 - s.c.ObjectivePPM)
		above := func(n uint32, w time.Duration) bool { // n/w > burn/1000 * allowed/10^6
			return uint64(n)*1_000_000_000 > uint64(r.BurnMilli)*allowed*uint64(w/time.Second)
		}
		on := above(long, r.Long) && above(short, r.Short)
		at := s.at(len(s.kind))
		switch {
		case on && !s.on[i]:
			out = append(out, reputation.Alert{Scope: s.c.Scope, At: at, Rule: r, LongLost: long, ShortLost: short})
		case !on && s.on[i]:
			out = append(out, reputation.Recovered{Scope: s.c.Scope, At: at, Rule: r, LongLost: long, ShortLost: short})
		}
		s.on[i] = on
	}
	return out
}

func (s *slow) attained(from, to int, restarts uint32) reputation.Attained {
	a := reputation.Attained{From: s.at(from), To: s.at(to), Restarts: restarts}
	for i := from; i < to; i++ {
		switch s.kind[i] {
		case upSecond:
			a.GoodSeconds++
			continue
		case lostSecond:
			a.LostSeconds++
		case excusedSecond:
			a.ExcusedSeconds++
		}
		if s.mute[i] {
			a.UnobservedSeconds++
		}
	}
	for i := from; i < to; i++ {
		// Who stopped being good: a second that was excused afterwards was not good either.
		if s.kind[i] != upSecond && (i == 0 || s.kind[i-1] == upSecond) {
			a.Outages++
		}
	}
	return a
}

func (s *slow) settle() (out []reputation.SLOEffect) {
	p := len(s.periods) - 1
	a := s.attained(s.periods[p], len(s.kind), s.restarts[p])
	out = append(out, reputation.PeriodEnded{Scope: s.c.Scope, Attained: a})
	good, total := a.GoodSeconds, a.GoodSeconds+a.LostSeconds
	if total > 0 && good*1_000_000 < total*uint64(s.c.ObjectivePPM) {
		bps := uint32(0)
		for _, r := range s.c.Ladder {
			if good*1_000_000 < total*uint64(r.BelowPPM) {
				bps = min(r.CreditBps, s.c.CapBps)
			}
		}
		out = append(out, reputation.Breach{
			Scope: s.c.Scope, Tier: s.c.Tier, From: a.From, To: a.To, GoodSeconds: good, TotalSeconds: total,
			UptimePPM: uint32(good * 1_000_000 / total), CreditBps: bps,
		})
	}
	s.periods, s.restarts = append(s.periods, len(s.kind)), append(s.restarts, 0)
	return out
}

func (s *slow) judge(t int64, kind uint8, mute bool) (out []reputation.SLOEffect) {
	for s.judged() < t {
		k := kind
		for _, w := range s.announced {
			if k == lostSecond && w[0] <= s.judged() && s.judged() < w[1] {
				k = excusedSecond
			}
		}
		n := s.lostUpTo[len(s.kind)]
		if k == lostSecond {
			n++
		}
		s.kind, s.mute, s.lostUpTo = append(s.kind, k), append(s.mute, mute), append(s.lostUpTo, n)
		out = append(out, s.alerts()...)
		now := s.at(len(s.kind))
		if w := int(s.c.Window / time.Second); w > 0 && len(s.kind)%w == 0 || w == 0 && now.Day() == 1 && now.Format("15:04:05") == "00:00:00" {
			out = append(out, s.settle()...)
		}
	}
	return out
}

// apply takes an event that comes in order and reports whether it was allowed.
func (s *slow) apply(t int64, e reputation.SLOEvent) ([]reputation.SLOEffect, bool) {
	silent := s.up && t-s.seen > int64(s.c.Silence/time.Second)
	switch e := e.(type) {
	case reputation.SLOStarted:
		if s.running || s.ended {
			return nil, false
		}
		s.running, s.up, s.boot, s.start, s.seen = true, true, e.Boot, t, t
		s.lostUpTo, s.periods, s.restarts = []int{0}, []int{0}, []uint32{0}
		return nil, true
	case reputation.MaintenanceAnnounced:
		return nil, !s.ended && s.announce(t, e.From.Unix(), e.To.Unix())
	}
	if !s.running {
		return nil, false
	}
	switch e := e.(type) {
	case reputation.SLOSeen:
		kind := uint8(upSecond)
		if !s.up || silent || !e.Up || e.Boot != s.boot {
			kind = lostSecond
		}
		out := s.judge(t, kind, silent)
		if e.Up && e.Boot != s.boot {
			s.restarts[len(s.restarts)-1]++
		}
		if e.Up {
			s.boot = e.Boot
		}
		s.up, s.seen = e.Up, t
		return out, true
	case reputation.SLOTicked:
		if !s.up || silent {
			return s.judge(t, lostSecond, silent), true
		}
		return nil, true
	case reputation.SLOEnded:
		kind := uint8(upSecond)
		if !s.up || silent {
			kind = lostSecond
		}
		out := s.judge(t, kind, silent)
		if len(s.kind) > s.periods[len(s.periods)-1] {
			out = append(out, s.settle()...)
		}
		s.running, s.ended = false, true
		return out, true
	case reputation.RenterFaulted:
		from, to := e.From.Unix(), e.To.Unix()
		if from >= to || from < s.start+int64(s.periods[len(s.periods)-1]) || to > s.judged() {
			return nil, false
		}
		for i := range s.kind {
			if x := s.start + int64(i); s.kind[i] == lostSecond && from <= x && x < to {
				s.kind[i] = excusedSecond
			}
			s.lostUpTo[i+1] = s.lostUpTo[i]
			if s.kind[i] == lostSecond {
				s.lostUpTo[i+1]++
			}
		}
		return s.alerts(), true
	}
	return nil, false
}

// announce tries every stretch of the length Per, second by second.
func (s *slow) announce(t, from, to int64) bool {
	m := s.c.Maintenance
	per, budget := int64(m.Per/time.Second), int64(m.Budget/time.Second)
	var kept [][2]int64
	for _, w := range s.announced {
		if w[1] > t-per || s.running && w[1] > s.judged() {
			kept = append(kept, w)
		}
	}
	if from >= to || from-t < int64(m.Notice/time.Second) || len(kept) >= int(m.Windows) {
		return false
	}
	for _, w := range s.announced {
		if w[0] < to && from < w[1] {
			return false
		}
	}
	all := append(kept, [2]int64{from, to})
	for end := from; end < to+per; end++ {
		n := int64(0)
		for _, w := range all {
			n += max(0, min(w[1], end)-max(w[0], end-per))
		}
		if n > budget {
			return false
		}
	}
	s.announced = append(s.announced, [2]int64{from, to})
	return true
}

// left is how many more seconds may be lost: it tries.
func (s *slow) left() int64 {
	if s.c.Window > 0 {
		w := int64(s.c.Window / time.Second)
		return w*int64(1_000_000-s.c.ObjectivePPM)/1_000_000 - int64(s.lostIn(s.c.Window))
	}
	from := s.periods[len(s.periods)-1]
	a := s.attained(from, len(s.kind), 0)
	length := int64(time.Date(s.at(from).Year(), s.at(from).Month()+1, 1, 0, 0, 0, 0, time.UTC).Sub(s.at(from)) / time.Second)
	counts := length - int64(a.ExcusedSeconds)
	met := func(more int64) bool {
		return (counts-int64(a.LostSeconds)-more)*1_000_000 >= counts*int64(s.c.ObjectivePPM)
	}
	n := -int64(a.LostSeconds)
	for met(n + 1) {
		n++
	}
	return n
}

// quick is a contract of short windows, that a few minutes take to their ends.
func quick(window time.Duration) reputation.Contract {
	c := reputation.DefaultContract("lease")
	c.ObjectivePPM, c.Window, c.Silence, c.CapBps = 900_000, window, 10*time.Second, 9_000
	c.Ladder = []reputation.CreditRow{{BelowPPM: 900_000, CreditBps: 100}, {BelowPPM: 700_001, CreditBps: 3_000}, {BelowPPM: 500_000, CreditBps: 10_000}}
	c.Maintenance = reputation.MaintenanceTerms{Notice: 20 * time.Second, Budget: 60 * time.Second, Per: 10 * time.Minute, Windows: 3}
	c.Burn = []reputation.BurnRule{
		{Name: "a", BurnMilli: 5_000, Long: 40 * time.Second, Short: 7 * time.Second},
		{Name: "b", BurnMilli: 9_999, Long: 11 * time.Second, Short: time.Second},
		{Name: "c", BurnMilli: 1_200, Long: 200 * time.Second, Short: 50 * time.Second},
	}
	return c
}

// compare plays events of a source of numbers on both and wants the same of both at every step.
func compare(t *testing.T, c reputation.Contract, begin time.Time, steps int, draw func(n int) int) {
	t.Helper()
	fast, err := reputation.NewSLO(c)
	require.NoError(t, err)
	naive := newSlow(c)
	now := begin
	for range steps {
		now = now.Add(time.Duration(draw(7)) * time.Second)
		if draw(16) == 0 {
			now = now.Add(time.Duration(draw(200)) * time.Second)
		}
		var e reputation.SLOEvent
		when := func(back, span int) (time.Time, time.Time) {
			from := now.Add(time.Duration(draw(span)-back) * time.Second)
			return from, from.Add(time.Duration(draw(60)) * time.Second)
		}
		switch k := draw(64); {
		case k < 32:
			e = reputation.SLOSeen{Up: true, Boot: naive.boot}
		case k < 48:
			e = reputation.SLOSeen{Up: false}
		case k < 51:
			e = reputation.SLOSeen{Up: true, Boot: naive.boot + 1}
		case k < 55:
			e = reputation.SLOTicked{}
		case k < 57:
			from, to := when(0, 100)
			e = reputation.MaintenanceAnnounced{From: from, To: to}
		case k < 60:
			from, to := when(200, 200)
			e = reputation.RenterFaulted{From: from, To: to}
		case k < 63 || draw(16) > 0:
			e = reputation.SLOStarted{Boot: 1}
		default:
			e = reputation.SLOEnded{}
		}
		before := fast.Digest()
		got, err := fast.Apply(now.Add(time.Duration(draw(2))*999_999_999), e)
		want, ok := naive.apply(now.Unix(), e)
		require.Equal(t, ok, err == nil, "%T at %v: %v", e, now, err)
		require.Equal(t, want, got)
		require.Equal(t, err != nil, err != nil && before == fast.Digest())
		require.NoError(t, fast.Audit())
		if !naive.running {
			continue
		}
		st, from := fast.Status(), naive.periods[len(naive.periods)-1]
		require.Equal(t, naive.attained(from, len(naive.kind), naive.restarts[len(naive.restarts)-1]), st.Period)
		require.Equal(t, naive.left(), st.BudgetLeftSeconds)
		require.Equal(t, naive.up, st.Up)
		require.Zero(t, st.Merged)
		again, err := reputation.RestoreSLO(c, fast.Snapshot())
		require.NoError(t, err)
		require.Equal(t, fast.Digest(), again.Digest())
		fast = again
	}
}

func contracts() map[time.Duration]time.Time {
	return map[time.Duration]time.Time{
		0:         time.Date(2024, 2, 29, 23, 58, 20, 0, time.UTC), // over the end of a leap February
		time.Hour: time.Date(2026, 1, 31, 23, 59, 0, 0, time.UTC),
	}
}

func TestSLOAgainstSecondBySecond(t *testing.T) {
	for window, begin := range contracts() {
		for seed := range uint64(25) {
			r := rand.New(rand.NewPCG(seed, 1))
			compare(t, quick(window), begin, 400, r.IntN)
		}
	}
}

func FuzzSLO(f *testing.F) {
	f.Add([]byte("\x3f\x00\x00\x3d"), true)
	f.Add([]byte("start seen up down boot tick maintenance fault end"), false)
	f.Fuzz(func(t *testing.T, data []byte, month bool) {
		window := time.Hour
		if month {
			window = 0
		}
		i := 0
		compare(t, quick(window), contracts()[window], min(len(data)/3, 300), func(n int) int {
			if i >= len(data) {
				return 0
			}
			i++
			return int(data[i-1]) % n
		})
	})
}
