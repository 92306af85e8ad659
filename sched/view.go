package sched

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// View is a fleet as it was at one moment: it does not change, and any number of goroutines may ask it while the fleet goes on. Making one
// costs a table of pages and a list of the queue, not a copy of the fleet; what changes afterwards is copied page by page.
type View struct {
	state
	due    dueHeap
	queue  []int32
	rotate uint32
	stats  Stats
}

// View returns the fleet as it is now.
func (f *Fleet) View() *View {
	v := &View{due: f.due.view(), queue: slices.Clone(f.queue), rotate: f.rotate, stats: f.Stats(), state: f.state}
	v.index, v.ids = f.index.view(), f.ids.view()
	v.models, v.countries, v.regions = f.models.view(), f.countries.view(), f.regions.view()
	v.sites, v.suppliers = f.sites.view(), f.suppliers.view()
	v.kinds, v.places, v.shapes = f.kinds.view(), f.places.view(), f.shapes.view()
	v.siteLoss, v.links, v.nodes, v.parts = f.siteLoss.view(), f.links.view(), f.nodes.view(), f.parts.view()
	v.partOf, v.reclaimAt = f.partOf.view(), f.reclaimAt.view()
	v.entries, v.leases, v.byLease = f.entries.view(), f.leases.view(), f.byLease.view()
	return v
}

// At is the time of the last event.
func (v *View) At() time.Time { return moment(v.now) }

// Try is like Fleet.Try, as of the view's moment.
func (v *View) Try(r Request) (Placement, error) {
	return v.try(&r, v.rotate, &scratch{memo: memo{off: true}}, &v.due)
}

// Why is like Fleet.Why, as of the view's moment.
func (v *View) Why(r Request, d gpu.DeviceID) (Verdict, error) {
	return v.why(&r, d, v.rotate, &scratch{memo: memo{off: true}})
}

// Stats is like Fleet.Stats, as of the view's moment.
func (v *View) Stats() Stats { return v.stats }

// Node is like Fleet.Node, as of the view's moment.
func (v *View) Node(id NodeID) (NodeStatus, bool) { return v.nodeByID(id) }

// Nodes is like Fleet.Nodes, as of the view's moment.
func (v *View) Nodes() iter.Seq[NodeStatus] { return v.allNodes() }

// Lease is like Fleet.Lease, as of the view's moment.
func (v *View) Lease(id LeaseID) (Lease, bool) { return v.leaseByID(id) }

// Leases is like Fleet.Leases, as of the view's moment.
func (v *View) Leases() iter.Seq[Lease] { return v.allLeases() }

// Calendar is like Fleet.Calendar, as of the view's moment.
func (v *View) Calendar(id NodeID) []Booking { return v.calendar(id) }

// Queue is like Fleet.Queue, as of the view's moment.
func (v *View) Queue() []Lease { return v.waiting(v.queue) }

// Stats counts what a fleet holds and what it has done.
type Stats struct {
	// Nodes are known, Up are there now.
	Nodes, Up int
	// Devices belong to nodes that are up; Free are held by nothing, not even in part.
	Devices, Free int
	// Sites have or had nodes or links.
	Sites int
	// Running counts what is running, booked, held or waiting; Granted and Ended what ever was and what is over.
	Running        int
	Granted, Ended uint64
	// Waiting is how many of Running are in the queue.
	Waiting int
	// MeteredSeconds is the sum of Usage.Seconds of all leases that ended.
	MeteredSeconds uint64
}

// Stats returns the counts as they are now.
func (f *Fleet) Stats() Stats {
	return Stats{
		Nodes: f.known, Up: f.up, Devices: f.devices, Free: f.free, Sites: len(f.sites.list),
		Running: f.running, Granted: f.granted, Ended: f.ended, Waiting: len(f.queue), MeteredSeconds: f.metered,
	}
}

// Node returns a node, and false if none of this ID is known.
func (f *Fleet) Node(id NodeID) (NodeStatus, bool) { return f.nodeByID(id) }

// Nodes yields all nodes, up and down, in order of their IDs.
func (f *Fleet) Nodes() iter.Seq[NodeStatus] { return f.allNodes() }

// Lease returns a lease that is running, booked, held or waiting, and false if there is none of this ID.
func (f *Fleet) Lease(id LeaseID) (Lease, bool) { return f.leaseByID(id) }

// Leases yields what is running, booked, held or waiting, in order of its numbers.
func (f *Fleet) Leases() iter.Seq[Lease] { return f.allLeases() }

// Queue lists the jobs that wait, in the order in which they are served. Those that were promised a beginning have a From and Members.
func (f *Fleet) Queue() []Lease { return f.waiting(f.queue) }

// Booking is a stretch of time in which a lease holds devices of a node.
type Booking struct {
	Lease       LeaseID
	State       State
	From, Until time.Time
	Devices     []gpu.DeviceID
}

// Calendar lists what is booked on a node, in order of beginnings, then of leases; nil for a node that is not known.
func (f *Fleet) Calendar(id NodeID) []Booking { return f.calendar(id) }

func (s *state) nodeByID(id NodeID) (NodeStatus, bool) {
	i, ok := s.ids.node(id)
	if !ok {
		return NodeStatus{}, false
	}
	return s.status(i), true
}

func (s *state) allNodes() iter.Seq[NodeStatus] {
	return func(yield func(NodeStatus) bool) {
		type named struct {
			id NodeID
			i  int32
		}
		var list []named
		for i := range s.nodes.len() {
			if s.nodes.at(i).known() {
				list = append(list, named{s.ids.nodeID(i), i})
			}
		}
		slices.SortFunc(list, func(a, b named) int { return cmp.Compare(a.id, b.id) })
		for _, n := range list {
			if !yield(s.status(n.i)) {
				return
			}
		}
	}
}

func (s *state) leaseByID(id LeaseID) (Lease, bool) {
	slot, ok := s.slotOf(id)
	if !ok {
		return Lease{}, false
	}
	return s.lease(slot), true
}

// bySeqAll lists the slots in use in order of the leases' numbers.
func (s *state) bySeqAll() []int32 {
	var list []int32
	for slot := range s.slots {
		if s.leases.ref(slot).seq != 0 {
			list = append(list, slot)
		}
	}
	slices.SortFunc(list, func(a, b int32) int { return cmp.Compare(s.leases.ref(a).seq, s.leases.ref(b).seq) })
	return list
}

func (s *state) allLeases() iter.Seq[Lease] {
	return func(yield func(Lease) bool) {
		for _, slot := range s.bySeqAll() {
			if !yield(s.lease(slot)) {
				return
			}
		}
	}
}

func (s *state) calendar(id NodeID) []Booking {
	i, ok := s.ids.node(id)
	if !ok {
		return nil
	}
	var slots []int32
	for e := s.index.row(i).booking; e != 0; {
		x := s.entries.at(e - 1)
		slots, e = append(slots, x.slot), x.next
	}
	slices.SortFunc(slots, func(a, b int32) int {
		x, y := s.leases.ref(a), s.leases.ref(b)
		return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.seq, y.seq))
	})
	slots = slices.Compact(slots)
	out := make([]Booking, len(slots))
	all := s.ids.devices(i)
	for k, slot := range slots {
		l := s.leases.ref(slot)
		mask := uint16(0)
		for m := range l.members {
			if l.members[m].node == i {
				mask |= l.members[m].mask
			}
		}
		out[k] = Booking{Lease: leaseID(l.seq), State: l.state, From: moment(l.from), Until: moment(l.end()), Devices: pick(all, mask)}
	}
	return out
}
