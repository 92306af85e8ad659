package sched

import (
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// LeaseID names a lease. It is derived from the number of leases granted before.
type LeaseID string

// Lease is a placement that is held for [From, Until).
type Lease struct {
	ID    LeaseID
	Job   JobID
	Owner string
	// From is when the job was submitted, Until the booked end. In an Ended effect Until is when the lease really ended.
	From, Until time.Time
	// Members are in order of rank.
	Members []Member
	// HourMicro is the price of all devices together for an hour, in millionths of a dollar, fixed at the submission.
	HourMicro uint64
}

// Usage is what one device did for one lease: all that is metered.
type Usage struct {
	Lease  LeaseID
	Node   NodeID
	Device gpu.DeviceID
	// Seconds are whole seconds from the lease's start to its end.
	Seconds uint64
	// HourMicro is the price of the device for an hour, in millionths of a dollar, as fixed at the submission.
	HourMicro uint64
}

// Cause is why a lease ended.
type Cause uint8

// The causes for which leases end.
const (
	// CauseFinished says that the job finished before its booked end.
	CauseFinished Cause = iota + 1
	// CauseExpired says that the booked end came.
	CauseExpired
	// CauseNodeLost says that a node of the lease went down.
	CauseNodeLost
)

// String returns the cause's name.
func (c Cause) String() string { return label(c, "finished", "expired", "node lost") }
