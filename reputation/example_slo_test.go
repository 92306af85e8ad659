package reputation_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

// A lease of ten days with announced maintenance and an outage of two hours. Changes are reported when they happen.
func ExampleSLO() {
	s := must(reputation.NewSLO(reputation.DefaultContract("lease-1")))
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	tell := func(effects []reputation.SLOEffect) {
		for _, e := range effects {
			switch e := e.(type) {
			case reputation.Alert:
				fmt.Println(e.At.Format(time.DateTime), "alert", e.Rule.Name, e.LongLost, e.ShortLost)
			case reputation.Recovered:
				fmt.Println(e.At.Format(time.DateTime), "recovered", e.Rule.Name, e.LongLost, e.ShortLost)
			case reputation.PeriodEnded:
				a := e.Attained
				fmt.Println(a.To.Format(time.DateTime), "period:", a.GoodSeconds, "good", a.LostSeconds, "lost", a.ExcusedSeconds, "excused")
			case reputation.Breach:
				fmt.Println(e.To.Format(time.DateTime), "breach:", e.UptimePPM, "ppm, credit of", e.CreditBps, "bps")
			}
		}
	}
	until := func(end time.Time, up bool) {
		tell(must(s.Apply(at, reputation.SLOSeen{Up: up})))
		for at.Before(end) {
			at = at.Add(time.Minute)
			tell(must(s.Apply(at, reputation.SLOSeen{Up: up})))
		}
	}
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }

	must(s.Apply(at, reputation.SLOStarted{}))
	must(s.Apply(at, reputation.MaintenanceAnnounced{From: day(3), To: day(3).Add(4 * time.Hour)}))
	until(day(3), true)
	until(day(3).Add(4*time.Hour), false)
	until(day(8), true)
	until(day(8).Add(2*time.Hour), false)
	until(day(11), true)
	tell(must(s.Apply(at, reputation.SLOEnded{})))
	fmt.Println(s.Audit())
	// Output:
	// 2026-03-08 00:00:52 alert page-fast 52 52
	// 2026-03-08 00:02:10 alert page-slow 130 130
	// 2026-03-08 00:04:20 alert ticket 260 260
	// 2026-03-08 02:04:56 recovered page-fast 3304 4
	// 2026-03-08 02:29:50 recovered page-slow 7200 10
	// 2026-03-08 07:59:39 recovered ticket 7200 21
	// 2026-03-11 00:00:00 period: 842400 good 7200 lost 14400 excused
	// 2026-03-11 00:00:00 breach: 991525 ppm, credit of 1000 bps
	// <nil>
}

func ExampleNewSLO() {
	c := reputation.DefaultContract("lease-1")
	c.ObjectivePPM, c.Ladder = 930_555, nil
	_, err := reputation.NewSLO(c)
	fmt.Println(err)
	// Output: burn 0: reputation: invalid: burn_milli 14400 never occurs under an objective of 930555 ppm: a total outage burns 14399
}

func ExampleSLO_Apply() {
	s := must(reputation.NewSLO(reputation.DefaultContract("lease-1")))
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	must(s.Apply(at, reputation.SLOStarted{}))
	before := s.Digest()
	_, err := s.Apply(at, reputation.MaintenanceAnnounced{From: at.Add(time.Hour), To: at.Add(2 * time.Hour)})
	fmt.Println(err)
	fmt.Println(errors.Is(err, reputation.ErrMaintenance), s.Digest() == before)

	must(s.Apply(at, reputation.SLOSeen{Up: false}))
	must(s.Apply(at.Add(40*time.Second), reputation.SLOTicked{}))
	must(s.Apply(at.Add(50*time.Second), reputation.RenterFaulted{From: at, To: at.Add(40 * time.Second)}))
	fmt.Println(s.Status().Period.ExcusedSeconds)
	// Output:
	// reputation: maintenance refused: notice of 3600 s, not 24h0m0s
	// true true
	// 40
}

// What is left of June's budget of 2,592 seconds.
func ExampleSLO_Status() {
	s := must(reputation.NewSLO(reputation.DefaultContract("lease-1")))
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	must(s.Apply(at, reputation.SLOStarted{}))
	must(s.Apply(at.Add(60*time.Second), reputation.SLOSeen{Up: true}))
	must(s.Apply(at.Add(120*time.Second), reputation.SLOSeen{Up: false}))
	var st reputation.SLOStatus = s.Status()
	fmt.Println(st.BudgetSeconds, st.BudgetLeftSeconds, st.Burning[0].Name)
	fmt.Println(st.Period.UptimePPM(), st.Period.Outages)
	// Output:
	// 2592 2532 page-fast
	// 500000 1
}

// The ratio is compared exactly: rounded down it may look like less than it is.
func ExampleAttained() {
	a := reputation.Attained{GoodSeconds: 2_997, LostSeconds: 3, ExcusedSeconds: 600}
	fmt.Println(a.UptimePPM(), "of", a.TotalSeconds(), a.Below(999_000), a.Below(999_001))
	// Output: 999000 of 3000 false true
}

func ExampleRestoreSLO() {
	c := reputation.DefaultContract("lease-1")
	s := must(reputation.NewSLO(c))
	must(s.Apply(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), reputation.SLOStarted{}))
	same := must(reputation.RestoreSLO(c, s.Snapshot()))
	fmt.Println(same.Digest() == s.Digest())
	// Output: true
}

func ExampleDefaultContract() {
	c := reputation.DefaultContract("lease-1")
	var row reputation.CreditRow = c.Ladder[0]
	var m reputation.MaintenanceTerms = c.Maintenance
	fmt.Println(c.Version, c.ObjectivePPM, row.BelowPPM, row.CreditBps)
	fmt.Println(m.Budget, "in", m.Per, "with a notice of", m.Notice)
	// Output:
	// idlegrid/slo/1 999000 999000 1000
	// 8h0m0s in 720h0m0s with a notice of 24h0m0s
}

func ExampleContract() {
	c := reputation.DefaultContract("lease-1")
	c.Window = 30 * 24 * time.Hour // instead of calendar months
	fmt.Println(c.Validate())
	fmt.Println(string(must(json.Marshal(c.Ladder[0]))))
	// Output:
	// <nil>
	// {"below_ppm":999000,"credit_bps":1000}
}

// How many seconds may be lost in the long and in the short window before each rule alerts.
func ExampleBurnRule() {
	for _, ppm := range []uint32{990_000, 995_000, 999_000} {
		for _, r := range reputation.DefaultContract("lease-1").Burn {
			long, short := r.Limits(ppm)
			fmt.Print(r.Name, " ", long, "/", short, ", ")
		}
		fmt.Println("at", ppm)
	}
	// Output:
	// page-fast 518/43, page-slow 1296/108, ticket 2592/216, at 990000
	// page-fast 259/21, page-slow 648/54, ticket 1296/108, at 995000
	// page-fast 51/4, page-slow 129/10, ticket 259/21, at 999000
}
