package reputation

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every invariant that Audit names is found broken when it is.
func TestSLOAuditFinds(t *testing.T) {
	at := func(n int64) time.Time { return time.Unix(n, 0) }
	play := func(start bool) *SLO {
		c := DefaultContract("x")
		c.MaxStretches = 4
		s, err := NewSLO(c)
		require.NoError(t, err)
		for _, d := range []int64{86_500, 186_400} {
			_, err = s.Apply(at(100), MaintenanceAnnounced{From: at(d), To: at(d + 3_600)})
			require.NoError(t, err)
		}
		if start {
			_, err := s.Apply(at(100), SLOStarted{})
			require.NoError(t, err)
			for i, up := range []bool{true, false, true, true, false, true, true} {
				_, err := s.Apply(at(110+int64(i)*10), SLOSeen{Up: up})
				require.NoError(t, err)
			}
		}
		require.NoError(t, s.Audit())
		return s
	}
	for want, spoil := range map[string]func(s *SLO){
		"phase 3":                              func(s *SLO) { s.phase = 3 },
		"start 171, period from 100":           func(s *SLO) { s.start = 171 },
		"period from 171":                      func(s *SLO) { s.from = 171 },
		"judged 171, now 170":                  func(s *SLO) { s.judged = 171 },
		"seen 171":                             func(s *SLO) { s.seen = 171 },
		"seen 99":                              func(s *SLO) { s.seen = 99 },
		"period from 100 to 170":               func(s *SLO) { s.to = 170 },
		"judged 20 s after the last heartbeat": func(s *SLO) { s.seen = 150 },
		"ends at 2678400, not 2678401":         func(s *SLO) { s.to++ },
		"71 s counted of 70 of the period":     func(s *SLO) { s.current.good++ },
		"1 s counted of 0 before the period":   func(s *SLO) { s.past.good++ },
		"41 s unobserved, 40 lost":             func(s *SLO) { s.current.mute = 41 },
		"2 stretches of lost time, not at most 1": func(s *SLO) {
			s.lost.max = 1
		},
		"lost 20 s from 99":                   func(s *SLO) { s.lost.lapses[0].from = 99 },
		"lost 20 s from 110 to 110":           func(s *SLO) { s.lost.lapses[0].to = 110 },
		"lost 0 s from 140":                   func(s *SLO) { s.lost.total = 20 },
		"lost 40 s from 110":                  func(s *SLO) { s.lost.lapses[1].before = 40 },
		"lost 21 s from 140 to 160":           func(s *SLO) { s.lost.total++ },
		"lost 20 s from 140 to 170":           func(s *SLO) { s.lost.lapses[1].to = 170 },
		"up to 171, judged 170":               func(s *SLO) { s.lost.lapses[1].to, s.lost.merged = 171, 1 },
		"lost 40 s of 39, 40 of 39":           func(s *SLO) { s.current.lost--; s.current.good++ },
		"lost 40 s of 41, 40 of 41":           func(s *SLO) { s.current.lost++; s.current.good-- },
		`rule "ticket": exceeded false`:       func(s *SLO) { s.burning = 4 },
		"2 times of maintenance":              func(s *SLO) { s.contract.Maintenance.Windows = 1 },
		"maintenance from 86500 to 86500":     func(s *SLO) { s.windows[0].to = 86_500 },
		"from 90000 to 190000, after 90100":   func(s *SLO) { s.windows[1].from = 90_000 },
		"28801 s of maintenance within 720h":  func(s *SLO) { s.windows[1].to = 186_400 + 25_201 },
		"not empty before the start":          func(s *SLO) { s.phase = waiting },
		"not empty before the start (period)": func(s *SLO) { *s = *play(false); s.to = 1 },
		"not empty before the start (alerts)": func(s *SLO) { *s = *play(false); s.burning = 1 },
		"not empty before the start (counts)": func(s *SLO) { *s = *play(false); s.past.outages = 1 },
	} {
		s := play(true)
		spoil(s)
		if i := len("not empty before the start"); len(want) > i && want[:i] == "not empty before the start" {
			want = want[:i]
		}
		require.ErrorContains(t, s.Audit(), want)
	}
}

// What is remembered of lost time is exact until something is merged, and then never too little, whatever is excused of it.
func TestLostTimeAgainstSeconds(t *testing.T) {
	excusedLess, exact := 0, 0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 5))
		l := lostTime{max: 4 + r.IntN(5)}
		var truth [2_000]bool
		now, unexcused := uint32(r.IntN(10)), uint32(0)
		for range 60 {
			from := now + uint32(r.IntN(12))
			now = from + 1 + uint32(r.IntN(12))
			if l.full(from) {
				l.merge()
			}
			l.add(from, now)
			for i := from; i < now; i++ {
				truth[i] = true
			}
			if r.IntN(4) == 0 {
				a := uint32(r.IntN(int(now)))
				b := min(now, a+1+uint32(r.IntN(80)))
				really := uint32(0)
				for i := a; i < b; i++ {
					if truth[i] {
						really++
					}
				}
				n := l.excuse(a, b)
				require.LessOrEqual(t, n, really+unexcused, "what was not sure before may be now")
				for i := a; i < b; i++ {
					truth[i] = false
				}
				if unexcused += really - n; unexcused > 0 {
					require.Positive(t, l.merged)
					excusedLess++
				} else {
					exact++
				}
			}
			require.LessOrEqual(t, len(l.lapses), l.max)
			sum := uint32(0)
			for i := int(now); i >= 0; i-- {
				if truth[i] {
					sum++
				}
				if n := l.since(uint32(i)); n < sum || n > sum && l.merged == 0 {
					t.Fatalf("seed %d: lost %d s since %d, truly %d", seed, n, i, sum)
				}
			}
			require.Equal(t, sum+unexcused, l.since(0), "no second is lost or found")
		}
	}
	require.Greater(t, excusedLess, 50)
	require.Greater(t, exact, 500)
}

// Of several pairs of neighbours with the same time between them the earliest is merged.
func TestLostTimeMergesTheEarliest(t *testing.T) {
	l := lostTime{max: 4}
	for _, from := range []uint32{0, 10, 15, 20} {
		l.add(from, from+2)
	}
	l.merge()
	require.Equal(t, []lapse{{0, 2, 0}, {10, 17, 2}, {20, 22, 6}}, l.lapses)
	require.Equal(t, uint32(4), l.seconds(1))
	require.Equal(t, uint32(1), l.merged)
}

// If a window looks worse by a merge, its rule alerts at once and not with the next second.
func TestSLOAlertsAtAMerge(t *testing.T) {
	c := DefaultContract("x")
	c.ObjectivePPM, c.Ladder, c.MaxStretches = 700_000, nil, 4
	c.Burn = []BurnRule{{Name: "x", BurnMilli: 1_000, Long: 40 * time.Second, Short: 40 * time.Second}} // 12 s may be lost
	s, err := NewSLO(c)
	require.NoError(t, err)
	play := func(at int64, up bool) []SLOEffect {
		out, err := s.Apply(time.Unix(at, 0), SLOSeen{Up: up})
		require.NoError(t, err)
		require.NoError(t, s.Audit())
		return out
	}
	_, err = s.Apply(time.Unix(0, 0), SLOStarted{})
	require.NoError(t, err)
	for _, lost := range [][2]int64{{50, 60}, {61, 71}, {80, 81}, {90, 91}} {
		play(lost[0], true)
		play(lost[0], false)
		play(lost[1], true)
	}
	out := play(100, true)
	require.Equal(t, []SLOEffect{Recovered{Scope: "x", At: instant(100), Rule: c.Burn[0], LongLost: 12, ShortLost: 12}}, out)
	play(100, false)
	require.Equal(t, []SLOEffect{Alert{Scope: "x", At: instant(100), Rule: c.Burn[0], LongLost: 13, ShortLost: 13}}, play(101, false))
}
