package sched

import (
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// LeaseID names a lease, also while it is only held or waits. It is derived from the number of leases before.
type LeaseID string

// State is where a lease is in its life.
type State uint8

// The states of a lease.
const (
	// StateWaiting is that of a job in the queue; if it was promised a beginning, From says which.
	StateWaiting State = iota + 1
	// StateHeld is that of a placement that was not committed yet.
	StateHeld
	// StateBooked is that of a lease that begins later.
	StateBooked
	// StateRunning is that of a lease that has begun.
	StateRunning
)

// String returns the state's name.
func (s State) String() string { return label(s, "waiting", "held", "booked", "running") }

// Lease is a placement that is held for [From, Until).
type Lease struct {
	ID    LeaseID
	Job   JobID
	Owner string
	Class Class
	State State
	// From is when the lease begins, Until the booked end. In an Ended effect Until is when the lease really ended.
	From, Until time.Time
	// Members are in order of rank, Spares those that stand by.
	Members, Spares []Member
	// HourMicro is the price of all devices together for an hour, spares included, in millionths of a dollar, fixed when it was placed.
	HourMicro uint64
	// Notice is why the lease ends or changes at NoticeAt, earlier than booked; zero if nothing was announced.
	Notice   Cause
	NoticeAt time.Time
}

// Usage is what one device did for one lease in one stretch of time.
type Usage struct {
	Lease    LeaseID
	Node     NodeID
	Supplier SupplierID
	Device   gpu.DeviceID
	// Milli is the part of the device: 1000, the share, or the eighths of an instance as thousandths.
	Milli uint16
	// Seconds are whole seconds from the beginning of the stretch to its end.
	Seconds uint64
	// HourMicro is the price of that part for an hour, in millionths of a dollar, as fixed when it was placed.
	HourMicro uint64
}

// Cause is why a lease ended or changed.
type Cause uint8

// The causes for which leases end.
const (
	// CauseFinished says that the job finished before its booked end.
	CauseFinished Cause = iota + 1
	// CauseExpired says that the booked end came, or that of a hold.
	CauseExpired
	// CauseNodeLost says that a node of the lease went down.
	CauseNodeLost
	// CausePreempted says that a reserved job needed the devices.
	CausePreempted
	// CauseReclaimed says that the supplier took the node back.
	CauseReclaimed
	// CauseUnfunded says that nobody pays any longer.
	CauseUnfunded
	// CauseReleased says that what was held or waited was given up.
	CauseReleased
	// CauseLate says that a job that waited could not begin by Request.NotAfter.
	CauseLate
)

// String returns the cause's name.
func (c Cause) String() string {
	return label(c, "finished", "expired", "node lost", "preempted", "reclaimed", "unfunded", "released", "late")
}
