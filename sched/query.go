package sched

import (
	"cmp"
	"iter"
	"slices"
)

// Stats counts what a fleet holds and what it has done.
type Stats struct {
	// Nodes were ever up, Up are up now.
	Nodes, Up int
	// Devices belong to nodes that are up; Free are held by no lease.
	Devices, Free int
	// Sites have nodes or links.
	Sites int
	// Running counts leases now, Granted and Ended all leases ever.
	Running        int
	Granted, Ended uint64
	// MeteredSeconds is the sum of Usage.Seconds of all leases that ended.
	MeteredSeconds uint64
}

// Stats returns the counts as they are now.
func (f *Fleet) Stats() Stats {
	return Stats{
		Nodes: len(f.rows), Up: f.upNodes, Devices: f.devices, Free: f.free, Sites: len(f.sites.list),
		Running: len(f.byLease), Granted: f.granted, Ended: f.ended, MeteredSeconds: f.metered,
	}
}

// Node returns a node, and false if none of this ID was ever up.
func (f *Fleet) Node(id NodeID) (NodeStatus, bool) {
	i, ok := f.nodeIndex[id]
	if !ok {
		return NodeStatus{}, false
	}
	return f.status(i), true
}

// Nodes yields all nodes, up and down, in order of their IDs.
func (f *Fleet) Nodes() iter.Seq[NodeStatus] {
	return func(yield func(NodeStatus) bool) {
		for _, i := range f.byNodeID() {
			if !yield(f.status(i)) {
				return
			}
		}
	}
}

// Lease returns a running lease, and false if no lease of this ID is running.
func (f *Fleet) Lease(id LeaseID) (Lease, bool) {
	slot, ok := f.byLease[id]
	if !ok {
		return Lease{}, false
	}
	return f.lease(slot), true
}

// Leases yields the running leases in the order in which they were granted.
func (f *Fleet) Leases() iter.Seq[Lease] {
	return func(yield func(Lease) bool) {
		for _, slot := range f.byGrant() {
			if !yield(f.lease(slot)) {
				return
			}
		}
	}
}

func (f *Fleet) status(i int32) NodeStatus {
	r, n := &f.rows[i], f.facts[i]
	n.Devices = slices.Clone(n.Devices)
	out := NodeStatus{Node: n, Up: r.up}
	if r.up {
		out.Free, out.FreeCPUMilli, out.FreeRAMMiB = pick(n.Devices, r.free), r.cpu, r.ram
	}
	return out
}

func (f *Fleet) byNodeID() []int32 {
	out := make([]int32, len(f.rows))
	for i := range out {
		out[i] = int32(i)
	}
	slices.SortFunc(out, func(a, b int32) int { return cmp.Compare(f.facts[a].ID, f.facts[b].ID) })
	return out
}

func (f *Fleet) byGrant() []int32 { return slices.SortedFunc(slices.Values(f.due), f.grantOrder) }
