// Command embed runs the scheduler inside somebody else's platform: ten lines to start, then a filter and a scorer of the platform's own,
// a view for its readers, and a log of events that replays to the same state.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/sched"
)

// start is all that one needs: a fleet, a machine, and a job for one of its devices.
func start(out *bytes.Buffer, now time.Time, machine sched.Node) error {
	fleet, err := sched.NewFleet(sched.Default())
	if err != nil {
		return err
	}
	_, err = fleet.Apply(now, sched.NodeUp{Node: machine})
	job := sched.Request{Job: "hello", Owner: "ann", Replicas: 1, GPUsPerReplica: 1, Duration: time.Hour}
	effects, err2 := fleet.Apply(now, sched.Submitted{Request: job})
	for _, e := range effects {
		fmt.Fprintf(out, "%s runs on %v\n", job.Job, e.(sched.Leased).Lease.Members[0].Devices)
	}
	return errors.Join(err, err2)
}

func main() {
	var out bytes.Buffer
	err := run(&out)
	if _, unwritten := out.WriteTo(os.Stdout); errors.Join(err, unwritten) != nil {
		fmt.Fprintln(os.Stderr, "embed:", errors.Join(err, unwritten))
		os.Exit(1)
	}
}

// data is what the platform knows and the scheduler does not: on whose machines whose data lies, and which rack is for its own people.
type data struct {
	of      map[sched.NodeID]string
	private sched.SiteID
}

// Filter keeps guests out of the private rack.
func (d *data) Filter(r *sched.Request, n *sched.NodeView) bool {
	return n.Site() != d.private || !strings.HasPrefix(r.Owner, "guest")
}

// Score prefers the machine that has the owner's data.
func (d *data) Score(r *sched.Request, n *sched.NodeView) int64 {
	if d.of[n.ID()] == r.Owner {
		return 100
	}
	return 0
}

func run(out *bytes.Buffer) error {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	rack := sched.Node{
		Supplier: "us", Model: "NVIDIA L40S", MemoryMiB: 46_068, CPUMilli: 64_000, RAMMiB: 262_144, Country: "FR", Connectivity: 4, HourMicro: 900_000,
	}
	a, b, c := rack, rack, rack
	a.ID, a.Site, a.Devices = "a1", "hall-a", append(a.Devices, "a1/0", "a1/1")
	b.ID, b.Site, b.Devices = "a2", "hall-a", append(b.Devices, "a2/0", "a2/1")
	c.ID, c.Site, c.Devices = "p1", "private", append(c.Devices, "p1/0", "p1/1")
	err := start(out, now, a)

	policy := sched.Default()
	policy.Version, policy.Order = "ours/1", []sched.Criterion{sched.Custom, sched.Fragmentation, sched.Cheapest}
	ours := &data{of: map[sched.NodeID]string{"a2": "bob"}, private: "private"}
	plugins := sched.Plugins{Name: "data/1", Filter: ours, Scorer: ours, Calls: 16}
	fleet, err2 := sched.NewCustomFleet(policy, plugins)
	if err != nil || err2 != nil {
		return errors.Join(err, err2)
	}
	log := []sched.Event{sched.NodeUp{Node: a}, sched.NodeUp{Node: b}, sched.NodeUp{Node: c}}
	job := sched.Request{Replicas: 1, GPUsPerReplica: 2, Duration: time.Hour}
	for _, owner := range []string{"bob", "guest 1", "guest 2", "eve"} {
		job.Owner, job.Job = owner, sched.JobID("job of "+owner)
		log = append(log, sched.Submitted{Request: job})
	}
	apply(out, fleet, now, log[:3])
	view, answers := fleet.View(), make([]sched.Placement, 3)
	var readers sync.WaitGroup
	for i := range answers { // each reader asks in its own time, while the fleet goes on
		readers.Go(func() { answers[i], _ = view.Try(job) })
	}
	apply(out, fleet, now, log[3:])
	readers.Wait()
	for _, p := range answers {
		for _, m := range p.Members {
			fmt.Fprintf(out, "a reader of the view: %d devices free, %s would get %v\n", view.Stats().Free, job.Owner, m.Devices)
		}
	}
	again, err := sched.NewCustomFleet(policy, plugins)
	if err != nil {
		return err
	}
	apply(new(bytes.Buffer), again, now, log)
	fmt.Fprintf(out, "the log replays to the same digest: %t\n", again.Digest() == fleet.Digest())
	return fleet.Audit()
}

// apply says where jobs went, and why, or why they went nowhere.
func apply(out *bytes.Buffer, fleet *sched.Fleet, now time.Time, log []sched.Event) {
	for _, event := range log {
		effects, err := fleet.Apply(now, event)
		if err != nil {
			fmt.Fprintln(out, err)
		}
		for _, e := range effects {
			if x, ok := e.(sched.Leased); ok {
				fmt.Fprintf(out, "%s: %s\n", x.Lease.Job, strings.Join(x.Placement.Why(), "; "))
			}
		}
	}
}
