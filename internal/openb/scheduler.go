package openb

import (
	"fmt"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
)

// Sched makes placers of package sched: a fleet under the given policy, which is told the mix of the list and nothing else. Each pod is leased for as long as the
// policy allows and finished when it is released; a second passes with each event.
func Sched(p sched.Policy) Maker {
	return func(s Setup) (Placer, error) {
		f, err := sched.NewFleet(p)
		if err != nil {
			return nil, err
		}
		x := &scheduler{fleet: f, now: time.Unix(0, 0).UTC(), length: time.Duration(p.MaxDurationSeconds) * time.Second}
		for _, h := range s.Hosts {
			if err := x.join(h); err != nil {
				return nil, err
			}
		}
		return x, x.observe(s.Trace)
	}
}

// scheduler is a fleet as a placer.
type scheduler struct {
	fleet  *sched.Fleet
	now    time.Time
	length time.Duration
	placed int
	leases []sched.LeaseID // by handle
}

func (x *scheduler) apply(e sched.Event) ([]sched.Effect, error) {
	x.now = x.now.Add(time.Second)
	return x.fleet.Apply(x.now, e)
}

func (x *scheduler) join(h Host) error {
	n := sched.Node{
		ID: sched.NodeID(h.Name), Site: "site", Supplier: "owner", Model: h.Model, MemoryMiB: 1, CPUMilli: uint64(h.CPUMilli), RAMMiB: uint64(h.MemoryMiB),
		Country: "CN", Connectivity: 1, Shares: true,
	}
	for k := range h.GPUs {
		n.Devices = append(n.Devices, gpu.DeviceID(fmt.Sprintf("%s/%d", h.Name, k)))
	}
	_, err := x.apply(sched.NodeUp{Node: n})
	return err
}

// observe tells the fleet how often each kind of pod occurs.
func (x *scheduler) observe(t *Trace) error {
	var mix []sched.Spec
	at := map[Spec]int{}
	for _, p := range t.Pods {
		i, ok := at[p.Spec]
		if !ok {
			r := request(p.Spec)
			i = len(mix)
			at[p.Spec] = i
			mix = append(mix, sched.Spec{GPUs: r.GPUsPerReplica, ShareMilli: r.ShareMilli, CPUMilli: r.CPUMilli, RAMMiB: r.RAMMiB, Models: r.Models})
		}
		mix[i].Count++
	}
	_, err := x.apply(sched.Observed{Mix: mix})
	return err
}

func request(s Spec) sched.Request {
	r := sched.Request{Owner: "renter", Replicas: 1, GPUsPerReplica: uint16(s.GPUs), CPUMilli: uint64(s.CPUMilli), RAMMiB: uint64(s.MemoryMiB)}
	if s.Share() {
		r.ShareMilli = uint16(s.Milli)
	}
	if s.Models != "" {
		r.Models = strings.Split(s.Models, "|")
	}
	if s.GPUs == 0 && s.CPUMilli == 0 {
		r.CPUMilli = 1 // a job without cards has to ask for something
	}
	return r
}

// Place implements [Placer].
func (x *scheduler) Place(s Spec) (int, bool) {
	r := request(s)
	x.placed++
	r.Job, r.Duration = sched.JobID(fmt.Sprintf("pod-%d", x.placed)), x.length
	effects, err := x.apply(sched.Submitted{Request: r})
	if err != nil {
		return 0, false
	}
	x.leases = append(x.leases, effects[0].(sched.Leased).Lease.ID)
	return len(x.leases) - 1, true
}

// Release implements [Placer].
func (x *scheduler) Release(handle int) {
	if _, err := x.apply(sched.Finished{Lease: x.leases[handle]}); err != nil {
		panic(err) // the runner releases what was placed, once
	}
}
