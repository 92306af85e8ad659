package sched

// hostRoom is what is free on a node, and hostTake what something holds of it or a replica asks of one.
type hostRoom struct {
	gpus     int32
	cpu, ram uint64
}

// victimPart is what a lease that may be evicted holds on one node.
type victimPart struct {
	node int32
	hostRoom
}

// victimLease is a lease that may be evicted, as a whole, on all its nodes.
type victimLease struct {
	cost  uint64 // remaining paid seconds x all its cards x weight
	parts []victimPart
}

// victimHunt looks for the leases whose eviction costs least and makes room for the replicas of one request.
type victimHunt struct {
	nodes    []hostRoom    // free now
	leases   []victimLease // in order of their sequence, by which ties are decided
	replicas int
	each     hostRoom // one replica asks
	steps    *uint32
}

// run returns the leases to evict, in order, and their cost; exact says that no other set costs less. ok is false if there is no such set.
func (h *victimHunt) run() (evict []int32, cost uint64, exact, ok bool) { return nil, 0, false, false }
