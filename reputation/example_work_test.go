package reputation_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

// tell applies events at one instant and reports the first that is refused.
func tell(b *reputation.Book, at time.Time, events ...reputation.Event) {
	for _, e := range events {
		if _, err := b.Apply(at, e); err != nil {
			fmt.Println(err)
			return
		}
	}
}

// The five inputs of io.net's score, each with its own probability.
func ExampleIONet() {
	b, err := reputation.NewBook(reputation.IONet())
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tell(b, at, reputation.Joined{Subject: "a100", Owner: "sam", Site: "fra-01"})
	for range 60 * 24 {
		tell(b, at, reputation.Seen{Subject: "a100", Up: true})
		at = at.Add(time.Hour)
	}
	for i := range 40 {
		tell(b, at,
			reputation.JobEnded{
				ID: fmt.Sprint(i), Subject: "a100", Renter: fmt.Sprint("renter ", i), PaidMicroUSD: 100_000_000, GPUSeconds: 86_400,
				Outcome: reputation.JobDone,
			},
			reputation.Challenged{ID: fmt.Sprint(i), Subject: "a100", Answer: reputation.AnswerRight},
			reputation.Measured{Subject: "a100", Latency: 12 * time.Millisecond, DownKbps: 9_000_000, UpKbps: 7_000_000, Meets: true},
		)
	}
	tell(b, at, reputation.Faulted{ID: "slash-1", Subject: "a100", Kind: reputation.FaultUtilisation})
	s, _ := b.Score("a100", at, 24*time.Hour)
	fmt.Println("stays up      ", s.UpPPM)
	fmt.Println("job           ", s.Job.PPM, s.Job.LowPPM, s.Job.HighPPM)
	fmt.Println("challenge     ", s.Challenge.PPM)
	fmt.Println("line          ", s.Link.PPM)
	fmt.Println("conduct       ", s.ConductPPM)
	fmt.Println("ends well     ", s.Ends.PPM, s.Ends.LowPPM, s.Ends.HighPPM)
	tell(b, at, reputation.Overturned{ID: "slash-1"})
	s, _ = b.Score("a100", at, 24*time.Hour)
	fmt.Println("appeal is won:", s.Ends.PPM)
	x, _ := b.Explain("a100", at, 24*time.Hour)
	for _, t := range x.Terms {
		fmt.Printf("%+9d %-9s %s\n", t.MicroNats, t.Name, t.Raise)
	}
	fmt.Printf("%+9d together\n", x.MicroNats)
	// Output:
	// stays up       989204
	// job            993333 972364 999994
	// challenge      992308
	// line           983333
	// conduct        818730
	// ends well      784999 708719 817989
	// appeal is won: 958800
	//  +1777057 age       nothing: the subject is established
	//   +105107 24h       stay up
	//   +123626 168h      stay up
	//   +103010 720h      stay up
	//   +148166 job       end paid jobs of other renters well
	//   +157347 challenge answer challenges rightly and in time
	//   +616070 link      keep the line at its tier
	//        +0 conduct   nothing: there are no faults
	//  +3030383 together
}

// Work counts by the root of what was paid, and one renter's jobs for no more than five.
func ExampleBook_Apply_jobs() {
	b, err := reputation.NewBook(reputation.IONet())
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tell(b, at, reputation.Joined{Subject: "rig", Owner: "sam"})
	for i, paid := range []uint64{100_000_000, 25_000_000, 1_000_000} {
		effects, err := b.Apply(at, reputation.JobEnded{
			ID: fmt.Sprint(i), Subject: "rig", Renter: "rae", PaidMicroUSD: paid, GPUSeconds: 3_600, Outcome: reputation.JobDone,
		})
		for _, e := range effects {
			if w, ok := e.(reputation.JobWeighed); ok {
				fmt.Println(w.Subject, w.WeightPPM, err)
			}
		}
	}
	_, err = b.Apply(at, reputation.JobEnded{ID: "0", Subject: "rig", Renter: "rae", Outcome: reputation.JobVoid})
	fmt.Println(errors.Is(err, reputation.ErrDuplicate), err)
	// Output:
	// rig 1000000 <nil>
	// rig 500000 <nil>
	// rig 99999 <nil>
	// true reputation: identifier was used before: "0"
}

func ExampleBook_Line() {
	b, err := reputation.NewBook(reputation.IONet())
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tell(b, at, reputation.Joined{Subject: "rig"})
	for i := range 100 {
		tell(b, at, reputation.Measured{
			Subject: "rig", Latency: time.Duration(10+i) * time.Millisecond, DownKbps: 1_000_000, UpKbps: 400_000, Meets: i < 90,
		})
	}
	l, ok := b.Line("rig")
	fmt.Println(ok, l.MilliSamples, l.LatencyMicros, l.DownKbps.P50, l.UpKbps.P50)
	// Output:
	// true 100000 {14387 57549 105545} 1004120 387141
}

// A buyer asks for a standing; who is new or down is said to be.
func ExampleBook_Rank() {
	b, err := reputation.NewBook(reputation.Default())
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range []reputation.Subject{"steady", "flaky", "young"} {
		tell(b, at, reputation.Joined{Subject: s})
	}
	for h := range 30*24 + 1 {
		at = time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC)
		tell(b, at, reputation.Seen{Subject: "steady", Up: true}, reputation.Seen{Subject: "flaky", Up: h%60 != 59})
		if h > 29*24 {
			tell(b, at, reputation.Seen{Subject: "young", Up: true})
		}
	}
	ranked := b.Rank(at, 24*time.Hour, reputation.Filter{MinStanding: 500_000, ShowExcluded: true})
	for _, r := range ranked {
		fmt.Println(strings.TrimSpace(fmt.Sprint(r.Subject, " ", r.Score.Standing, " ", r.Why)))
	}
	fmt.Println("steady is", reputation.Compare(ranked[0].Score, ranked[1].Score), "than flaky")
	m, _ := b.Member("steady", at, 24*time.Hour)
	fmt.Println(m.UpPPM, "in a cluster")
	// Output:
	// steady 952198
	// flaky 353966 stands at 353966, asked for 500000
	// young 0 new: observed for 23h0m0s
	// steady is better than flaky
	// 987836 in a cluster
}

func ExampleCompare() {
	known := reputation.Score{Ends: reputation.Chance{PPM: 990_000, LowPPM: 970_000, HighPPM: 999_000}}
	other := reputation.Score{Ends: reputation.Chance{PPM: 950_000, LowPPM: 900_000, HighPPM: 980_000}}
	fmt.Println(reputation.Compare(known, other))
	// Output: undecided
}

func ExampleOrder() {
	fmt.Println(reputation.Better, reputation.Undecided, reputation.Worse)
	// Output: better undecided worse
}

// The better model needs to be told once a day to take stock.
func ExampleWeighted() {
	b, err := reputation.NewBook(reputation.Weighted())
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tell(b, at, reputation.Joined{Subject: "a100"})
	for h := range 30*24 + 1 {
		at = time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC)
		tell(b, at, reputation.Seen{Subject: "a100", Up: true})
		if h%24 == 0 {
			tell(b, at, reputation.StockTaken{})
		}
	}
	s, _ := b.Score("a100", at, 24*time.Hour)
	fmt.Println(s.UpPPM, s.LowPPM, s.HighPPM)
	x, _ := b.Explain("a100", at, 24*time.Hour)
	for _, t := range x.Terms {
		fmt.Printf("%+9d %-7s %s\n", t.MicroNats, t.Name, t.Raise)
	}
	// Output:
	// 990307 959215 1000000
	//  +1691694 age     nothing: the subject is established
	//   +401918 6h      stay up
	//  +1256697 720h    stay up
	//   +953578 run     stay up without a break
	//        +0 weather nothing: it is everybody's
}
