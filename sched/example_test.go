package sched_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
)

var noon = time.Date(2024, 6, 20, 12, 0, 0, 0, time.UTC)

// machine is a node with so many cards named after it, of the commonest kind in these tests.
func machine(id sched.NodeID, site sched.SiteID, cards int) sched.Node {
	n := sched.Node{
		ID: id, Site: site, Supplier: sched.SupplierID("owner of " + site), Model: "Tesla T4", MemoryMiB: 15360, CPUMilli: 96_000, RAMMiB: 393_216,
		Country: "DE", Connectivity: 3, Tier: 2, StandingPPM: 950_000, HourMicro: 400_000,
	}
	for i := range cards {
		n.Devices = append(n.Devices, gpu.DeviceID(fmt.Sprintf("%s/%d", id, i)))
	}
	return n
}

// must returns what an Apply returned that cannot fail.
func must(effects []sched.Effect, err error) []sched.Effect {
	if err != nil {
		panic(err)
	}
	return effects
}

// leftovers is the fleet of the package comment: 5 free cards at a, 3 at b, 11 ms between them.
func leftovers() *sched.Fleet {
	f, err := sched.NewFleet(sched.IONet())
	if err != nil {
		panic(err)
	}
	must(f.Apply(noon, sched.NodeUp{Node: machine("n1", "a", 5)}))
	must(f.Apply(noon, sched.NodeUp{Node: machine("n2", "b", 3)}))
	must(f.Apply(noon, sched.LinkMeasured{A: "a", B: "b", DelayMicros: 11_000, Mbps: 1_000}))
	return f
}

func eight() sched.Request {
	return sched.Request{Job: "train", Owner: "ann", Replicas: 8, GPUsPerReplica: 1, CPUMilli: 8_000, RAMMiB: 32_768, MaxSites: 1, Duration: 2 * time.Hour}
}

func Example() {
	f := leftovers()
	job := eight()
	_, err := f.Apply(noon, sched.Submitted{Request: job})
	fmt.Println(err)

	job.MaxSites = 2
	effects := must(f.Apply(noon, sched.Submitted{Request: job}))
	leased := effects[0].(sched.Leased)
	for _, line := range leased.Placement.Why() {
		fmt.Println(line)
	}
	effects = must(f.Apply(noon.Add(90*time.Minute), sched.Finished{Lease: leased.Lease.ID}))
	ended := effects[0].(sched.Ended)
	fmt.Println(ended.Cause, len(ended.Usage), "devices,", ended.Usage[7].Device, ended.Usage[7].Seconds, "s")
	// Output:
	// sched: job "train" cannot be placed: 2 nodes considered: 2 sites; largest gang 5 of 8; smallest change: MaxSites 1 -> 2
	// no site holds all 8 replicas: the best is a with 5
	// n1 at a takes 5 of them, 0.400000 dollars a card and hour
	// n2 at b takes 3 of them, 0.400000 dollars a card and hour
	// 2 sites, at most 11000 us apart
	// finished 8 devices, n2/2 5400 s
}

func ExampleNewFleet() {
	_, err := sched.NewFleet(sched.Policy{})
	fmt.Println(err)
	f, err := sched.NewFleet(sched.IONet())
	fmt.Println(f.Stats().Nodes, err)
	// Output:
	// sched: invalid: Policy.Version "": want 1 to 128 bytes
	// 0 <nil>
}

func ExampleIONet() {
	p := sched.IONet()
	fmt.Println(p.Version, p.Order, p.MinDurationSeconds)
	// Output: ionet/2 [cheapest standing tightest] 3600
}

func ExampleRestore() {
	f := leftovers()
	g, err := sched.Restore(sched.IONet(), f.Snapshot())
	fmt.Println(g.Digest() == f.Digest(), g.Audit(), err)

	other := sched.IONet()
	other.SearchSteps++
	_, err = sched.Restore(other, f.Snapshot())
	fmt.Println(errors.Is(err, sched.ErrPolicyMismatch))
	// Output:
	// true <nil> <nil>
	// true
}

func ExampleFleet_Apply() {
	f := leftovers()
	one := eight()
	one.Replicas = 1
	for _, e := range []sched.Event{
		sched.LinkMeasured{A: "a", B: "b", DelayMicros: 12_000, Mbps: 900},
		sched.NodeChanged{Node: "n2", Terms: sched.NodeTerms{Tier: 2, StandingPPM: 950_000, HourMicro: 390_000}},
		sched.Submitted{Request: one},
		sched.Submitted{Request: one},
		sched.Ticked{},
		sched.NodeDown{Node: "n2"},
	} {
		effects, err := f.Apply(noon.Add(time.Hour), e)
		fmt.Printf("%T %d %v\n", e, len(effects), err)
		for _, x := range effects {
			switch x := x.(type) {
			case sched.Leased:
				fmt.Println("  leased", x.Lease.ID, x.Lease.Members[0].Devices, x.Lease.HourMicro)
			case sched.Ended:
				fmt.Println("  ended", x.Lease.ID, x.Cause, x.Usage)
			}
		}
	}
	// Output:
	// sched.LinkMeasured 0 <nil>
	// sched.NodeChanged 0 <nil>
	// sched.Submitted 1 <nil>
	//   leased lease-1 [n2/0] 390000
	// sched.Submitted 0 sched: job was submitted before: "train"
	// sched.Ticked 0 <nil>
	// sched.NodeDown 1 <nil>
	//   ended lease-1 node lost [{lease-1 n2 owner of b n2/0 1000 0 390000}]
}

func ExampleFleet_Try() {
	f := leftovers()
	job := eight()
	job.MaxSites = 2
	before := f.Digest()
	var p sched.Placement
	p, err := f.Try(job)
	fmt.Println(p.Sites, p.DelayMicros, p.HourMicro, p.Exhaustive, err)
	var last sched.Member = p.Members[7]
	fmt.Println(last.Rank, last.Node, last.Site, last.Supplier, last.Devices, last.HourMicro)
	fmt.Println(before == f.Digest())
	// Output:
	// 2 11000 3200000 true <nil>
	// 7 n2 b owner of b [n2/2] 400000
	// true
}

func ExampleFleet_Leases() {
	f := leftovers()
	job := eight()
	for job.Replicas = 1; job.Replicas < 4; job.Replicas++ {
		job.Job = sched.JobID(fmt.Sprintf("job-%d", job.Replicas))
		must(f.Apply(noon, sched.Submitted{Request: job}))
	}
	for l := range f.Leases() {
		fmt.Println(l.ID, l.Job, l.Owner, l.From.Format(time.TimeOnly), l.Until.Format(time.TimeOnly), len(l.Members))
	}
	var l sched.Lease
	l, ok := f.Lease(sched.LeaseID("lease-2"))
	fmt.Println(l.Job, ok)
	// Output:
	// lease-1 job-1 ann 12:00:00 14:00:00 1
	// lease-2 job-2 ann 12:00:00 14:00:00 2
	// lease-3 job-3 ann 12:00:00 14:00:00 3
	// job-2 true
}

func ExampleFleet_Nodes() {
	f := leftovers()
	must(f.Apply(noon, sched.NodeDown{Node: "n1"}))
	for n := range f.Nodes() {
		fmt.Println(n.Node.ID, n.Up, n.Free, n.FreeCPUMilli)
	}
	var n sched.NodeStatus
	n, ok := f.Node("n3")
	fmt.Println(n.Up, ok)
	fmt.Printf("%+v\n", f.Stats())
	// Output:
	// n1 false [] 0
	// n2 true [n2/0 n2/1 n2/2] 96000
	// false false
	// {Nodes:2 Up:1 Devices:3 Free:3 Sites:2 Running:0 Granted:0 Ended:0 Waiting:0 MeteredSeconds:0}
}

func ExampleNode_Validate() {
	n := machine("n1", "a", 1)
	n.Connectivity = 5
	fmt.Println(n.Validate())
	// Output: sched: invalid: Node.Connectivity 5: want 1 to 4
}

func ExampleRequest_Validate() {
	r := eight()
	fmt.Println(r.Validate())
	r.GPUsPerReplica = 17
	fmt.Println(r.Validate())
	// Output:
	// <nil>
	// sched: invalid: Request.GPUsPerReplica 17: want 0 to 16
}

func ExamplePolicy_Validate() {
	p := sched.IONet()
	p.Order = []sched.Criterion{sched.Cheapest, sched.Cheapest}
	fmt.Println(p.Validate())
	// Output: sched: invalid: Policy.Order [cheapest cheapest]: want each criterion at most once
}

func ExampleCriterion() {
	p := sched.IONet()
	p.Order = []sched.Criterion{sched.Tightest, sched.Standing} // keep large holes whole, whatever the price
	f, _ := sched.NewFleet(p)
	must(f.Apply(noon, sched.NodeUp{Node: machine("n1", "a", 5)}))
	must(f.Apply(noon, sched.NodeUp{Node: machine("n2", "b", 3)}))
	job := eight()
	job.Replicas = 1
	placed, _ := f.Try(job)
	fmt.Println(p.Order, placed.Members[0].Node)
	// Output: [tightest standing] n2
}

func ExampleField() {
	p := sched.IONet()
	p.Relax = []sched.Field{sched.FieldReplicas} // say how many would fit, nothing else
	fmt.Println(p.Relax, p.Validate())
	// Output: [Replicas] <nil>
}

func ExampleReason() {
	fmt.Println(sched.ReasonCards, sched.ReasonUnmeasured)
	// Output: cards unmeasured
}

func ExampleCause() {
	fmt.Println(sched.CauseFinished, sched.CauseExpired, sched.CauseNodeLost)
	// Output: finished expired node lost
}

func ExamplePlacement_Why() {
	f := leftovers()
	job := eight()
	job.Replicas = 3
	p, _ := f.Try(job)
	for _, line := range p.Why() {
		fmt.Println(line)
	}
	fmt.Printf("%+v\n", p.Terms)
	// Output:
	// a holds all 3 replicas
	// n1 at a takes 3 of them, 0.400000 dollars a card and hour
	// {Considered:2 Compared:2 RunnerUp: Lost:0 Had:0 Won:0 BestSite:b BestRoom:3}
}

func ExampleTerms() {
	p, _ := leftovers().Try(sched.Request{Job: "one", Owner: "ann", Replicas: 1, GPUsPerReplica: 4, Duration: time.Hour})
	fmt.Printf("%+v\n", p.Terms)
	// Output: {Considered:2 Compared:1 RunnerUp: Lost:0 Had:0 Won:0 BestSite:a BestRoom:1}
}

func ExampleUnplaceableError() {
	f := leftovers()
	job := eight()
	job.MaxHourMicro = 300_000
	job.GPUsPerReplica, job.Replicas = 5, 1
	_, err := f.Try(job)
	var no *sched.UnplaceableError
	if errors.As(err, &no) {
		for _, r := range no.Refusals {
			fmt.Println(r.Reason, r.Nodes, "nodes", r.Devices, "devices: have", r.Have, "need", r.Need)
		}
		for _, x := range no.Relax {
			fmt.Println(x.Changes, x.Minimal, "goes to", x.Placement.Members[0].Node)
		}
	}
	fmt.Println(err)
	// Output:
	// price 2 nodes 8 devices: have 400000 need 300000
	// [MaxHourMicro 300000 -> 400000] true goes to n1
	// sched: job "train" cannot be placed: 2 nodes considered: 2 price; smallest change: MaxHourMicro 300000 -> 400000
}

func ExampleUnplaceableError_Error() {
	f := leftovers()
	job := eight()
	job.MaxSites, job.MaxDelayMicros = 2, 10_999
	_, err := f.Try(job)
	fmt.Println(err.Error())
	// Output: sched: job "train" cannot be placed: 2 nodes considered: 2 delay; largest gang 5 of 8; smallest change: MaxDelayMicros 10999 -> 11000
}

func ExampleChange() {
	x := sched.Relaxation{Changes: []sched.Change{{Field: sched.FieldTier, From: 3, To: 2}}}
	fmt.Println(x.Changes[0].String())
	// Output: MinTier 3 -> 2
}

func ExampleUsage() {
	f := leftovers()
	job := eight()
	job.Replicas, job.GPUsPerReplica = 1, 2
	must(f.Apply(noon, sched.Submitted{Request: job}))
	for _, e := range must(f.Apply(noon.Add(24*time.Hour), sched.Ticked{})) { // 22 hours late
		for _, u := range e.(sched.Ended).Usage {
			fmt.Println(u.Lease, u.Node, u.Device, u.Seconds, u.HourMicro)
		}
	}
	// Output:
	// lease-1 n2 n2/0 7200 400000
	// lease-1 n2 n2/1 7200 400000
}

func ExampleRefusal() {
	f := leftovers()
	job := eight()
	job.Models = []string{"NVIDIA H100 80GB HBM3"}
	_, err := f.Try(job)
	var no *sched.UnplaceableError
	fmt.Println(errors.As(err, &no), no.Refusals[0] == sched.Refusal{Reason: sched.ReasonModel, Nodes: 2, Devices: 8})
	// Output: true true
}

func ExampleStats() {
	fmt.Println(leftovers().Stats() == sched.Stats{Nodes: 2, Up: 2, Devices: 8, Free: 8, Sites: 2})
	// Output: true
}
