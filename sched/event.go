package sched

import "time"

// Event is what a Fleet can be told: facts in the past tense, orders in the imperative.
//
//sumtype:decl
type Event interface{ isEvent() }

// NodeUp says that a node is there and takes jobs. A node that was down comes back with the facts given here. No effect.
type NodeUp struct{ Node Node }

// NodeDown says that a node is gone. What it held is lost to its leases: a spare takes over (Replaced), else a lease that allows it is
// re-formed (Replaced) or waits (Requeued), else it ends for all its members: Ended with CauseNodeLost, or with CauseExpired if its booked
// end had passed.
type NodeDown struct{ Node NodeID }

// NodeChanged gives a node, up or down, new terms. Running leases keep their price and their node. No effect.
type NodeChanged struct {
	Node  NodeID
	Terms NodeTerms
}

// Drain says whether a node shall take no new jobs (On) or take them again. What it holds stays to its end. No effect.
type Drain struct {
	Node NodeID
	On   bool
}

// Reclaim says that a supplier takes a node back. Each lease on it that would last longer and has no notice yet gets Notified; after Policy.ReclaimNoticeSeconds its members there are
// replaced, as if the node had gone down, or the lease ends with CauseReclaimed. The node takes no new job that would reach beyond that
// instant. The node stays up, drained, until NodeDown.
type Reclaim struct{ Node NodeID }

// SiteRated gives the chance that a whole site is lost within an hour, in parts per million, at most 1,000,000. No effect.
type SiteRated struct {
	Site    SiteID
	LossPPM uint32
}

// LinkMeasured gives the link between two sites, in both directions; the last measurement counts. The sites need not have nodes
// yet. No effect.
type LinkMeasured struct {
	A, B        SiteID
	DelayMicros uint32 // round trip or one way, as long as all links and requests mean the same; at most 10,000,000
	Mbps        uint32 // at least 1
}

// Observed replaces the mix of requests that Fragmentation prepares for. No effect.
type Observed struct{ Mix []Spec }

// Submitted says that a renter wants a job placed and leased at once. The effect is one Leased, or Queued if it may wait and could fit at all; else a job that cannot be
// placed is an *UnplaceableError. If it may preempt, the effects are Notified for each victim and one Leased that begins after the notice.
type Submitted struct{ Request Request }

// Hold asks for a placement that is kept until its time to live has passed, so that it can be paid for meanwhile. The effect is one Held.
// TTL is in whole seconds, at most Policy.MaxHoldSeconds; 0 is Policy.HoldSeconds. It ends at the latest with what is held. The same job held again gives the same Held.
type Hold struct {
	Request Request
	TTL     time.Duration
}

// Commit makes a lease of what is held. The effect is one Leased; again for a hold that was committed, the same. ErrHoldExpired from the end of its
// time to live on.
type Commit struct{ Lease LeaseID }

// Release gives up what is held, or takes a job out of the queue. The effect is one HoldEnded.
type Release struct{ Lease LeaseID }

// Extend books a lease for longer, in whole seconds: granted whole where everything it holds stays free, else *ConflictError. The effect is
// one Extended. The price stays.
type Extend struct {
	Lease LeaseID
	By    time.Duration
}

// Finished says that the job of a lease is done, or that a booked one is not wanted any more. The effect is one Ended, from the booked
// end on with CauseExpired and that end, before its beginning with no usage; then one NoticeLifted for each spot lease that was to make room for it and need not any more.
type Finished struct{ Lease LeaseID }

// FundsEnded says that a lease can pay only until then (not before the event): it is Notified and ends at that instant with CauseUnfunded, or at its
// booked end if that is earlier. It never runs free: the instant counts, however late the tick. No effect where it is preempted before that.
type FundsEnded struct {
	Lease LeaseID
	Until time.Time
}

// FundsAdded takes the notice of FundsEnded back. The effect is one NoticeLifted, none where the lease is preempted before that.
type FundsAdded struct{ Lease LeaseID }

// Migrate carries out a proposal of Defragment: each move puts one member of a lease on another node. All or none. The effect is one Moved a
// lease. A member that does not fit there any more is *ConflictError.
type Migrate struct{ Moves []Move }

// Rotated sets where a walk over the nodes begins, where Policy.Rotate is set. No effect.
type Rotated struct{ Seed uint32 }

// Ticked says that time has passed. All that is due by now is carried out in order of its time: expired holds, ended leases, notices that ran out,
// leases that begin; then the queue is served.
type Ticked struct{}

func (NodeUp) isEvent()       {}
func (NodeDown) isEvent()     {}
func (NodeChanged) isEvent()  {}
func (Drain) isEvent()        {}
func (Reclaim) isEvent()      {}
func (SiteRated) isEvent()    {}
func (LinkMeasured) isEvent() {}
func (Observed) isEvent()     {}
func (Submitted) isEvent()    {}
func (Hold) isEvent()         {}
func (Commit) isEvent()       {}
func (Release) isEvent()      {}
func (Extend) isEvent()       {}
func (Finished) isEvent()     {}
func (FundsEnded) isEvent()   {}
func (FundsAdded) isEvent()   {}
func (Migrate) isEvent()      {}
func (Rotated) isEvent()      {}
func (Ticked) isEvent()       {}
