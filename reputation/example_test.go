package reputation_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A node is watched for 30 days and fails once at the end.
func ExampleBook() {
	b := must(reputation.NewBook(reputation.Default()))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ask := func(when string) {
		s, _ := b.Score("node-1", at, 24*time.Hour)
		fmt.Printf("%s: %d ppm [%d, %d], standing %d, observed %v\n", when, s.UpPPM, s.LowPPM, s.HighPPM, s.Standing, s.Observed)
	}
	must(b.Apply(at, reputation.Joined{Subject: "node-1"}))
	ask("unknown")
	for range 30 * 24 {
		must(b.Apply(at, reputation.Seen{Subject: "node-1", Up: true}))
		at = at.Add(time.Hour)
	}
	must(b.Apply(at, reputation.Seen{Subject: "node-1", Up: true}))
	ask("30 days up")
	at = at.Add(time.Hour)
	for _, effect := range must(b.Apply(at, reputation.Seen{Subject: "node-1", Up: false})) {
		down := effect.(reputation.WentDown)
		fmt.Println("down at", down.At.Format(time.DateTime), "counted", down.Counted)
	}
	at = at.Add(time.Hour)
	for _, effect := range must(b.Apply(at, reputation.Seen{Subject: "node-1", Up: true})) {
		fmt.Println("up at", effect.(reputation.CameUp).At.Format(time.DateTime))
	}
	ask("back")
	fmt.Println(b.Audit())
	// Output:
	// unknown: 580000 ppm [114254, 963538], standing 0, observed 0s
	// 30 days up: 987836 ppm [957660, 1000000], standing 952198, observed 720h0m0s
	// down at 2026-01-31 01:00:00 counted true
	// up at 2026-01-31 02:00:00
	// back: 888014 ppm [709021, 977525], standing 671487, observed 722h0m0s
	// <nil>
}

func ExampleNewBook() {
	p := reputation.Default()
	p.Memories = nil
	_, err := reputation.NewBook(p)
	fmt.Println(err)
	// Output: reputation: invalid: 0 memories are not in 1..3
}

func ExampleBook_Score() {
	b := must(reputation.NewBook(reputation.Default()))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	must(b.Apply(at, reputation.Joined{Subject: "node-1"}))
	var s reputation.Score
	s, ok := b.Score("node-1", at, time.Hour)
	fmt.Println(s.UpPPM, s.Up, ok)
	_, ok = b.Score("node-2", at, time.Hour)
	fmt.Println(ok)
	// Output:
	// 970711 false true
	// false
}

// The terms say where a score comes from, and add up.
func ExampleBook_Explain() {
	b := must(reputation.NewBook(reputation.Default()))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	must(b.Apply(at, reputation.Joined{Subject: "node-1"}))
	for day := range 30 {
		for hour := range 24 {
			must(b.Apply(at, reputation.Seen{Subject: "node-1", Up: day != 20 || hour != 0}))
			at = at.Add(time.Hour)
		}
	}
	var x reputation.Explanation
	x, _ = b.Explain("node-1", at, 24*time.Hour)
	fmt.Println(x.FromPPM, "to", x.ToPPM, "by", x.MicroNats)
	sum := int64(0)
	for _, term := range x.Terms {
		fmt.Println(term.Name, term.MicroNats, term.MilliOutages, term.Exposure)
		sum += term.MicroNats
	}
	fmt.Println(sum == x.MicroNats)
	// Output:
	// 580000 to 969932 by 3151003
	// age 2679444 1000 719h0m0s
	// 24h 314450 0 33h38m16s
	// 168h 49743 371 228h34m35s
	// 720h 107366 793 517h34m37s
	// true
}

func ExampleBook_All() {
	b := must(reputation.NewBook(reputation.Default()))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range []reputation.Subject{"node-2", "node-1"} {
		must(b.Apply(at, reputation.Joined{Subject: s}))
	}
	for s, score := range b.All(at, time.Hour) {
		fmt.Println(s, score.UpPPM)
	}
	// Output:
	// node-1 970711
	// node-2 970711
}

func ExampleBook_Apply() {
	b := must(reputation.NewBook(reputation.Default()))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	must(b.Apply(at, reputation.Joined{Subject: "node-1"}))
	before := b.Digest()
	_, err := b.Apply(at.Add(-time.Second), reputation.Seen{Subject: "node-1", Up: true})
	fmt.Println(errors.Is(err, reputation.ErrTimeBackwards), b.Digest() == before)
	// Output: true true
}

func ExampleRestore() {
	b := must(reputation.NewBook(reputation.Default()))
	must(b.Apply(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), reputation.Joined{Subject: "node-1"}))
	same := must(reputation.Restore(reputation.Default(), b.Snapshot()))
	fmt.Println(same.Digest() == b.Digest())
	// Output: true
}

func ExampleDefault() {
	p := reputation.Default()
	var m reputation.Memory = p.Memories[0]
	var a reputation.AgePrior = p.Newcomer[0]
	fmt.Println(p.Version, m.HalfLife, m.PriorMicroOutages, m.PriorUp)
	fmt.Println(a.Until, a.CleanPPM, a.MarkedPPM)
	// Output:
	// tor-days-14-74/1 24h0m0s 40500 12h25m48s
	// 6h0m0s 420000 940000
}

func ExampleParams() {
	text := must(json.Marshal(reputation.Default().Memories[0]))
	fmt.Println(string(text))
	// Output: {"half_life_ns":86400000000000,"prior_micro_outages":40500,"prior_up_ns":44748000000000,"weight_ppm":0}
}

func ExampleParams_Validate() {
	p := reputation.Default()
	p.Gap = 0
	fmt.Println(p.Validate())
	// Output: reputation: invalid: gap_ns 0s is not whole seconds in 1s..8760h0m0s
}
