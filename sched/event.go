package sched

// Event is what a Fleet can be told: NodeUp, NodeDown, NodeChanged, LinkMeasured, Submitted, Finished or Ticked.
//
//sumtype:decl
type Event interface{ isEvent() }

// Effect is what follows from an event: Leased or Ended.
//
//sumtype:decl
type Effect interface{ isEffect() }

// NodeUp says that a node is there and takes jobs. A node that was down comes back with the facts given here. No effect.
type NodeUp struct{ Node Node }

// NodeDown says that a node is gone. Every lease with a member on it ends for all its members: Ended with CauseNodeLost, or with
// CauseExpired if its booked end had passed.
type NodeDown struct{ Node NodeID }

// NodeChanged gives a node, up or down, new terms. Running leases keep their price and their node. No effect.
type NodeChanged struct {
	Node        NodeID
	Tier        uint8  // 0 to 4
	StandingPPM uint32 // 0 to 1,000,000
	HourMicro   uint64 // millionths of a dollar per device and hour
}

// LinkMeasured gives the link between two sites, in both directions; the last measurement counts. The sites need not have nodes
// yet. No effect.
type LinkMeasured struct {
	A, B        SiteID
	DelayMicros uint32 // round trip or one way, as long as all links and requests mean the same; at most 10,000,000
	Mbps        uint32 // at least 1
}

// Submitted says that a renter wants a job placed. The effect is one Leased; a job that cannot be placed is an *UnplaceableError.
type Submitted struct{ Request Request }

// Finished says that the job of a lease is done. The effect is one Ended, from the booked end on with CauseExpired and that end.
type Finished struct{ Lease LeaseID }

// Ticked says that time has passed. The effects are Ended with CauseExpired for each lease whose booked end is not after the
// event, in order of their ends, then of their grants.
type Ticked struct{}

// Leased says that a job was placed and its devices are taken.
type Leased struct {
	Lease Lease
	// Placement is the same answer with what the search found on its way.
	Placement Placement
}

// Ended says that a lease is over and its devices are free. It comes once for each lease.
type Ended struct {
	Lease Lease
	Cause Cause
	// Usage has one entry for each device of the lease, in order of rank.
	Usage []Usage
}

func (NodeUp) isEvent()       {}
func (NodeDown) isEvent()     {}
func (NodeChanged) isEvent()  {}
func (LinkMeasured) isEvent() {}
func (Submitted) isEvent()    {}
func (Finished) isEvent()     {}
func (Ticked) isEvent()       {}

func (Leased) isEffect() {}
func (Ended) isEffect()  {}
