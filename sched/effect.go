package sched

import "time"

// Effect is what follows from an event.
//
//sumtype:decl
type Effect interface{ isEffect() }

// Held says that a placement is kept until then, at the price that it has now.
type Held struct {
	Lease Lease
	// Placement is without Terms and Exhaustive where the job was held before.
	Placement Placement
	// Until is the first instant at which the hold is over.
	Until time.Time
}

// HoldEnded says that what was held, or waited, is given up: it was released, expired, could not begin in time, or lost a node.
type HoldEnded struct {
	Lease LeaseID
	Job   JobID
	Cause Cause
}

// Leased says that a job was placed and its devices are taken, now or from Lease.From on.
type Leased struct {
	Lease Lease
	// Placement is the same answer with what the search found on its way: Terms and Exhaustive are empty where it was held or waited before.
	Placement Placement
}

// Started says that a lease that was booked for later has begun.
type Started struct{ Lease LeaseID }

// Queued says that a job waits.
type Queued struct {
	Lease LeaseID
	Job   JobID
	// Earliest is when it begins at the latest if nobody extends and nothing goes down; zero if that was not found or not promised.
	Earliest time.Time
	// Why says what keeps it from beginning now.
	Why *UnplaceableError
}

// Extended says that a lease was booked for longer.
type Extended struct {
	Lease LeaseID
	Until time.Time
}

// Notified says that a lease ends, or changes, earlier than booked: at the given instant.
type Notified struct {
	Lease LeaseID
	Cause Cause
	At    time.Time
	// For is the job for which a spot lease is preempted.
	For JobID
}

// NoticeLifted says that a notice does not hold any more.
type NoticeLifted struct{ Lease LeaseID }

// Replaced says that members of a lease run elsewhere from now on. Ranks stay.
type Replaced struct {
	Lease Lease
	Cause Cause
	// Lost are the members as they were, New those that took their ranks, in the same order. FromSpares counts how many of them were spares.
	Lost, New  []Member
	FromSpares int
	// Relaxed are limits that had to be given up for it, in the order of Policy.Relax.
	Relaxed []Change
}

// Requeued says that a lease lost members which cannot be replaced now. What it held is free and its usage is in Ended, which precedes this;
// the job waits with its old priority under a new lease.
type Requeued struct {
	Lease LeaseID
	Job   JobID
}

// Moved says that members of a lease were migrated; From and To are in the same order.
type Moved struct {
	Lease    Lease
	From, To []Member
}

// Ended says that a lease is over and its devices are free. It comes once for each lease.
type Ended struct {
	Lease Lease
	Cause Cause
	// Usage has one entry for each device and stretch of time, members lost or moved before included: all that is metered.
	Usage []Usage
}

func (Held) isEffect()         {}
func (HoldEnded) isEffect()    {}
func (Leased) isEffect()       {}
func (Started) isEffect()      {}
func (Queued) isEffect()       {}
func (Extended) isEffect()     {}
func (Notified) isEffect()     {}
func (NoticeLifted) isEffect() {}
func (Replaced) isEffect()     {}
func (Requeued) isEffect()     {}
func (Moved) isEffect()        {}
func (Ended) isEffect()        {}
