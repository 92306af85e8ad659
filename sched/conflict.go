package sched

import (
	"fmt"
	"time"
)

// ConflictError says that something cannot be booked because of what else is booked there.
type ConflictError struct {
	Lease LeaseID
	Node  NodeID
	// With is the lease in the way, empty if it is the node itself: down, drained, reclaimed or too small.
	With LeaseID
	// Until is the latest end that would be granted; zero where no end is asked for.
	Until time.Time
}

// Error returns one line.
func (e *ConflictError) Error() string {
	with := "the node's state"
	if e.With != "" {
		with = fmt.Sprintf("%q", e.With)
	}
	if e.Until.IsZero() {
		return fmt.Sprintf("sched: lease %q on node %q conflicts with %s", e.Lease, e.Node, with)
	}
	return fmt.Sprintf("sched: lease %q on node %q conflicts with %s: at most until %s", e.Lease, e.Node, with, e.Until.Format(time.RFC3339))
}
