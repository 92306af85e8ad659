package sched

import (
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// Fleet is the state machine of nodes, links and leases. It is not safe for concurrent use.
type Fleet struct {
	policy Policy
	now    time.Time

	// Nodes are dense: rows is what searches read, facts what only the border needs; the index is private and no decision
	// depends on it, so that a restored fleet may number its nodes anew.
	rows      []row
	facts     []Node
	nodeIndex map[NodeID]int32
	owner     map[gpu.DeviceID]int32 // of the devices of nodes that are up
	models    names[string]
	countries names[string]
	sites     names[SiteID]
	links     [][]link // by site, sorted by the other site

	leases  []lease // slots; the free ones are listed in vacant
	vacant  []int32
	byLease map[LeaseID]int32
	due     dueHeap // the slots in use, by booked end, then grant
	jobs    map[JobID]jobState
	recent  []endedJob // what jobs remembers beyond its lease, in order of time, then job
	granted uint64
	ended   uint64
	metered uint64 // device seconds
	upNodes int
	devices int // of the nodes that are up
	free    int
	scratch scratch
}

// row is a node as the filters see it.
type row struct {
	mem, cpu, ram      uint64 // memory of a device; free CPU and main memory
	hour               uint64
	standing           uint32
	site, model        int32
	country            int32
	free               uint16 // bit i: device i is free
	cards              uint8
	connectivity       uint8
	tier               uint8
	up                 bool
	totalCPU, totalRAM uint64
}

// lease is a Lease by indices.
type lease struct {
	seq         uint64 // number of the grant; 0 in a vacant slot
	job         JobID
	owner       string
	from, until time.Time
	cpu, ram    uint64 // of each replica
	members     []member
	heapAt      int
}

type member struct {
	node int32
	mask uint16
	hour uint64
}

type jobState struct {
	running bool
	ended   time.Time // where it does not run
}

type endedJob struct {
	job JobID
	at  time.Time
}

// names numbers strings in the order in which they come.
type names[T ~string] struct {
	index map[T]int32
	list  []T
}

func (n *names[T]) add(s T) int32 {
	if i, ok := n.index[s]; ok {
		return i
	}
	if n.index == nil {
		n.index = map[T]int32{}
	}
	i := int32(len(n.list))
	n.index[s] = i
	n.list = append(n.list, s)
	return i
}

// NewFleet returns a fleet without nodes. The error wraps ErrInvalid.
func NewFleet(p Policy) (*Fleet, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &Fleet{
		policy:    p.clone(),
		nodeIndex: map[NodeID]int32{},
		owner:     map[gpu.DeviceID]int32{},
		byLease:   map[LeaseID]int32{},
		jobs:      map[JobID]jobState{},
	}, nil
}

// Apply takes one event that happened at the given time and returns what follows from it. An error means that nothing changed:
// one that wraps ErrInvalid, a sentinel of this package, or *UnplaceableError. It panics on an event that is nil.
func (f *Fleet) Apply(at time.Time, e Event) ([]Effect, error) {
	at = at.Round(0).UTC()
	if at.Before(f.now) {
		return nil, fmt.Errorf("%w: %s is before %s", ErrTimeBackwards, at.Format(time.RFC3339Nano), f.now.Format(time.RFC3339Nano))
	}
	var effects []Effect
	var err error
	switch e := e.(type) {
	case NodeUp:
		err = f.nodeUp(e.Node)
	case NodeDown:
		effects, err = f.nodeDown(at, e.Node)
	case NodeChanged:
		err = f.nodeChanged(e)
	case LinkMeasured:
		err = f.linkMeasured(e)
	case Submitted:
		effects, err = f.submitted(at, e.Request)
	case Finished:
		effects, err = f.finished(at, e.Lease)
	case Ticked:
		effects = f.ticked(at)
	default:
		panic(fmt.Sprintf("sched: Fleet.Apply: event %T", e))
	}
	if err != nil {
		return nil, err
	}
	f.now = at
	return effects, nil
}

func (f *Fleet) nodeUp(n Node) error {
	if err := n.Validate(); err != nil {
		return err
	}
	i, known := f.nodeIndex[n.ID]
	if known && f.rows[i].up {
		return fmt.Errorf("%w: %q", ErrNodeUp, n.ID)
	}
	for _, d := range n.Devices {
		if j, ok := f.owner[d]; ok {
			return fmt.Errorf("%w: %q of %q is at %q", ErrDuplicateDevice, d, n.ID, f.facts[j].ID)
		}
	}
	i = f.put(n)
	f.rows[i].up = true
	for _, d := range n.Devices {
		f.owner[d] = i
	}
	f.devices += len(n.Devices)
	f.free += len(n.Devices)
	f.upNodes++
	return nil
}

// put enters the facts of a node, as down.
func (f *Fleet) put(n Node) int32 {
	i, known := f.nodeIndex[n.ID]
	if !known {
		i = int32(len(f.rows))
		f.nodeIndex[n.ID] = i
		f.rows = append(f.rows, row{})
		f.facts = append(f.facts, Node{})
	}
	n.Devices = slices.Clone(n.Devices)
	f.rows[i], f.facts[i] = f.rowOf(n), n
	return i
}

// rowOf is the row of a node that is down and holds no lease.
func (f *Fleet) rowOf(n Node) row {
	return row{
		mem: n.MemoryMiB, cpu: n.CPUMilli, ram: n.RAMMiB, totalCPU: n.CPUMilli, totalRAM: n.RAMMiB, hour: n.HourMicro,
		standing: n.StandingPPM, site: f.site(n.Site), model: f.models.add(n.Model), country: f.countries.add(n.Country),
		free: full(len(n.Devices)), cards: uint8(len(n.Devices)), connectivity: n.Connectivity, tier: n.Tier,
	}
}

func (f *Fleet) nodeDown(at time.Time, id NodeID) ([]Effect, error) {
	i, ok := f.nodeIndex[id]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownNode, id)
	}
	if !f.rows[i].up {
		return nil, fmt.Errorf("%w: %q", ErrNodeDown, id)
	}
	var lost []int32
	for slot := range f.leases {
		l := &f.leases[slot]
		if l.seq != 0 && slices.ContainsFunc(l.members, func(m member) bool { return m.node == i }) {
			lost = append(lost, int32(slot))
		}
	}
	slices.SortFunc(lost, f.grantOrder)
	var effects []Effect
	for _, slot := range lost {
		effects = append(effects, f.end(slot, at, CauseNodeLost))
	}
	f.rows[i].up = false
	for _, d := range f.facts[i].Devices {
		delete(f.owner, d)
	}
	f.devices -= len(f.facts[i].Devices)
	f.free -= len(f.facts[i].Devices)
	f.upNodes--
	return effects, nil
}

func (f *Fleet) nodeChanged(e NodeChanged) error {
	i, ok := f.nodeIndex[e.Node]
	if !ok {
		return fmt.Errorf("%w: %q", ErrUnknownNode, e.Node)
	}
	if err := terms(e.Tier, e.StandingPPM, e.HourMicro); err != nil {
		return err
	}
	n, r := &f.facts[i], &f.rows[i]
	n.Tier, n.StandingPPM, n.HourMicro = e.Tier, e.StandingPPM, e.HourMicro
	r.tier, r.standing, r.hour = e.Tier, e.StandingPPM, e.HourMicro
	return nil
}

func (f *Fleet) submitted(at time.Time, r Request) ([]Effect, error) {
	if err := f.check(&r); err != nil {
		return nil, err
	}
	if j, ok := f.jobs[r.Job]; ok && (j.running || at.Before(j.ended.Add(f.policy.remember()))) {
		return nil, fmt.Errorf("%w: %q", ErrDuplicateJob, r.Job)
	}
	p, err := f.place(&r)
	if err != nil {
		return nil, err
	}
	l := f.grant(at, &r, p)
	return []Effect{Leased{Lease: l, Placement: f.placement(p)}}, nil
}

// check is everything about a request that no node decides.
func (f *Fleet) check(r *Request) error {
	if err := r.Validate(); err != nil {
		return err
	}
	return f.policy.admits(r)
}

func full(cards int) uint16 { return uint16(1<<cards - 1) }

// lowest returns the mask of the n lowest bits that are set in free.
func lowest(free uint16, n int) uint16 {
	rest := free
	for range n {
		rest &= rest - 1
	}
	return free &^ rest
}

func count(mask uint16) int { return bits.OnesCount16(mask) }
