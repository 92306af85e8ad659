package sched_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/sched"
)

// east lets only nodes of one owner pass whose line is good.
type east struct{}

func (east) Filter(_ *sched.Request, n *sched.NodeView) bool {
	return strings.HasPrefix(string(n.Supplier()), "owner of") && n.Connectivity() >= 3 && n.Country() == "DE" && n.Terms().Tier >= 2
}

// roomy prefers nodes with much main memory for each free card.
type roomy struct{}

func (roomy) Score(_ *sched.Request, n *sched.NodeView) int64 {
	return int64(n.FreeRAMMiB()) / int64(max(n.Free(), 1))
}

func ExampleNewCustomFleet() {
	policy := sched.IONet()
	policy.Order = []sched.Criterion{sched.Custom, sched.Cheapest}
	plugins := sched.Plugins{Name: "east/1", Filter: east{}, Scorer: roomy{}, Calls: 16}
	f, err := sched.NewCustomFleet(policy, plugins)
	fmt.Println(err)
	far := machine("n3", "c", 1)
	far.Country = "FR"
	for _, n := range []sched.Node{machine("n1", "a", 4), machine("n2", "b", 2), far} {
		must(f.Apply(noon, sched.NodeUp{Node: n}))
	}
	p, err := f.Try(job("a", 1, 1))
	fmt.Println(p.Members[0].Node, p.Terms.Compared, err)
	for _, line := range p.Why() {
		fmt.Println(line)
	}

	_, err = sched.Restore(policy, f.Snapshot()) // without the plugins it would not be the same fleet
	fmt.Println(err)
	g, err := sched.RestoreCustom(policy, plugins, f.Snapshot())
	fmt.Println(g.Digest() == f.Digest(), err)
	// Output:
	// <nil>
	// n2 2 <nil>
	// the best of 2 that pass of 3 nodes
	// n2 at b takes 1 of them, 0.400000 dollars a card and hour
	// n1 is next: custom 98304, here 196608
	// sched: invalid: Plugins.Scorer: want one where the policy has custom
	// true <nil>
}

func ExampleRestoreCustom() {
	plugins := sched.Plugins{Name: "east/1", Filter: east{}}
	f, _ := sched.NewCustomFleet(sched.IONet(), plugins)
	must(f.Apply(noon, sched.NodeUp{Node: machine("n1", "a", 1)}))
	g, err := sched.RestoreCustom(sched.IONet(), plugins, f.Snapshot())
	fmt.Println(g.Stats().Nodes, err)
	// Output: 1 <nil>
}

// filterFunc is a Filter that is a function.
type filterFunc func(r *sched.Request, n *sched.NodeView) bool

func (f filterFunc) Filter(r *sched.Request, n *sched.NodeView) bool { return f(r, n) }

func ExampleNodeView() {
	show := filterFunc(func(r *sched.Request, n *sched.NodeView) bool {
		fmt.Println(r.Job, n.ID(), n.Site(), n.Supplier(), n.Model(), n.MemoryMiB(), n.Country(), n.Connectivity())
		fmt.Println(n.Free(), "of", n.Cards(), "free,", n.FreeCPUMilli(), n.FreeRAMMiB(), n.Terms().HourMicro)
		return true
	})
	f, _ := sched.NewCustomFleet(sched.IONet(), sched.Plugins{Name: "show/1", Filter: show})
	must(f.Apply(noon, sched.NodeUp{Node: machine("n1", "a", 4)}))
	must(f.Apply(noon, sched.Submitted{Request: job("a", 1, 1)}))
	_, err := f.Try(job("b", 1, 1))
	fmt.Println(err)
	// Output:
	// a n1 a owner of a Tesla T4 15360 DE 3
	// 4 of 4 free, 96000 393216 400000
	// b n1 a owner of a Tesla T4 15360 DE 3
	// 3 of 4 free, 96000 393216 400000
	// <nil>
}

func ExampleMIGProfile() {
	f := fleet()
	n := machine("n1", "a", 1)
	n.MIG = true
	must(f.Apply(noon, sched.NodeUp{Node: n}))
	for i, profile := range []sched.MIGProfile{sched.MIG1g, sched.MIG3g, sched.MIG2g, sched.MIG4g} {
		q := job(sched.JobID(fmt.Sprintf("j%d", i)), 1, 1)
		q.MIG = profile
		effects, err := f.Apply(noon, sched.Submitted{Request: q})
		fmt.Println(profile, err)
		for _, l := range of[sched.Leased](effects) {
			fmt.Printf("  %08b %d\n", l.Lease.Members[0].MIGSlices, l.Lease.HourMicro)
		}
	}
	// Output:
	// 1g <nil>
	//   01000000 50000
	// 3g <nil>
	//   00001111 200000
	// 2g <nil>
	//   00110000 100000
	// 4g sched: job "j3" cannot be placed: 1 node considered: 1 share; no change admits it; it fits as it is at 2024-06-20T13:00:00Z
}

func ExampleView() {
	f := fleet(2)
	must(f.Apply(noon, sched.Submitted{Request: job("a", 1, 2)}))
	v := f.View()
	done := make(chan string)
	go func() { // asks while the fleet goes on
		p, err := v.Try(job("b", 1, 1))
		done <- fmt.Sprintln(p.Members[0].Devices, err)
	}()
	must(f.Apply(noon.Add(time.Hour), sched.Submitted{Request: job("c", 1, 3)}))
	fmt.Print(<-done)
	fmt.Println(v.At().Format(time.TimeOnly), v.Stats().Running, f.Stats().Running)
	for n := range v.Nodes() {
		fmt.Println(n.Node.ID, n.Free, len(v.Calendar(n.Node.ID)))
	}
	for l := range v.Leases() {
		fmt.Println(l.ID, l.Job)
	}
	n, _ := v.Node("n1")
	l, _ := v.Lease("lease-1")
	fmt.Println(n.FreeCPUMilli, l.Until.Format(time.TimeOnly), len(v.Queue()))
	verdict, err := v.Why(job("b", 1, 1), "n1/0")
	fmt.Println(verdict.Taken, verdict.Chosen, err)
	// Output:
	// [n1/1] <nil>
	// 12:00:00 1 2
	// n1 [n1/1] 1
	// lease-1 a
	// 96000 14:00:00 0
	// true n1 <nil>
}

func ExampleFleet_Why() {
	f := fleet(1, 1)
	must(f.Apply(noon, sched.NodeChanged{Node: "n2", Terms: sched.NodeTerms{Tier: 1, StandingPPM: 990_000, HourMicro: 450_000}}))
	var v sched.Verdict
	v, err := f.Why(job("a", 1, 1), "n2/0")
	fmt.Println(v.Node, "is number", v.Rank, "of", v.Compared, "behind", v.Chosen, err)
	fmt.Println(v.Lost, v.Had, "against", v.Won, "wins at", v.WinsAtHourMicro)
	strict := job("a", 1, 1)
	strict.MinTier = 2
	v, _ = f.Why(strict, "n2/0")
	fmt.Println(v.Fails[0].Reason, v.Fails[0].Have, "of", v.Fails[0].Need)
	// Output:
	// n2 is number 2 of 2 behind n1 <nil>
	// cheapest 450000 against 400000 wins at 400000
	// tier 1 of 2
}

func ExampleObserved() {
	policy := sched.Default()
	f, _ := sched.NewFleet(policy)
	for i := range 2 {
		must(f.Apply(noon, sched.NodeUp{Node: machine(sched.NodeID(fmt.Sprintf("n%d", i+1)), "a", 2)}))
	}
	must(f.Apply(noon, sched.Observed{Mix: []sched.Spec{{GPUs: 2, CPUMilli: 8_000, RAMMiB: 8_192, Count: 9}, {GPUs: 1, Count: 1}}}))
	tell(must(f.Apply(noon, sched.Submitted{Request: job("a", 1, 1)})))
	tell(must(f.Apply(noon, sched.Submitted{Request: job("b", 1, 1)}))) // beside a: the whole pair stays for those who ask for pairs
	// Output:
	// leased lease-1 running 12:00:00 to 13:00:00 n1/0
	// leased lease-2 running 12:00:00 to 13:00:00 n1/1
}

func ExampleDefault() {
	p := sched.Default()
	fmt.Println(p.Validate(), p.Order[0])
	// Output:
	// <nil> fragmentation
}

func ExampleRotated() {
	policy := sched.IONet()
	policy.Order, policy.Candidates, policy.Rotate = nil, 1, true // the first that passes
	f, _ := sched.NewFleet(policy)
	for i := range 4 {
		must(f.Apply(noon, sched.NodeUp{Node: machine(sched.NodeID(fmt.Sprintf("n%d", i+1)), "a", 1)}))
	}
	for quarter := range uint32(4) {
		must(f.Apply(noon, sched.Rotated{Seed: quarter << 30}))
		p, _ := f.Try(job("a", 1, 1))
		fmt.Print(p.Members[0].Node, " ")
	}
	// Output:
	// n1 n2 n3 n4
}

func ExampleBackfill() {
	p := sched.IONet()
	fmt.Println(p.Backfill, sched.BackfillAll, sched.BackfillNone)
	// Output:
	// first all none
}

func ExampleAlternative() {
	f := fleet(2)
	q := job("a", 1, 1)
	q.Models = []string{"NVIDIA H100 80GB HBM3"}
	q.Alternatives = []sched.Alternative{{Models: []string{"Tesla T4"}, GPUsPerReplica: 2}} // one H100 or two T4
	p, err := f.Try(q)
	fmt.Println(p.Alternative, p.Members[0].Devices, err)
	// Output:
	// 1 [n1/0 n1/1] <nil>
}

func ExampleWeight() {
	policy := sched.IONet()
	policy.Order = []sched.Criterion{sched.Mixed}
	policy.Mix = []sched.Weight{{Criterion: sched.Cheapest, Weight: 1}, {Criterion: sched.Standing, Weight: 3}}
	f, _ := sched.NewFleet(policy)
	cheap, good := machine("cheap", "a", 1), machine("good", "a", 1)
	cheap.HourMicro, cheap.StandingPPM = 100_000, 700_000
	must(f.Apply(noon, sched.NodeUp{Node: cheap}))
	must(f.Apply(noon, sched.NodeUp{Node: good}))
	p, _ := f.Try(job("a", 1, 1))
	fmt.Println(p.Members[0].Node, p.Terms.Won, "against", p.Terms.Had)
	// Output:
	// good 381 against 309
}

func ExampleCompliance() {
	f := fleet(1)
	n := machine("n2", "a", 1)
	n.Compliance, n.HourMicro = sched.SOC2|sched.HIPAA, 900_000
	must(f.Apply(noon, sched.NodeUp{Node: n}))
	q := job("patients", 1, 1)
	q.Compliance = sched.HIPAA
	p, err := f.Try(q)
	fmt.Println(p.Members[0].Node, err)
	// Output: n2 <nil>
}
