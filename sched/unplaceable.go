package sched

import (
	"fmt"
	"strings"
	"time"
)

// UnplaceableError says why a job cannot be placed, and what would make it placeable.
type UnplaceableError struct {
	Job JobID
	// Replicas is how many were asked for, Largest the most that would fit under the same limits.
	Replicas, Largest int
	// Considered counts all nodes, Devices their devices.
	Considered, Devices int
	// Refusals are in the order of the reasons; their nodes add up to Considered.
	Refusals []Refusal
	// Relax are changes that would each admit the request: of one field, in the order of Policy.Relax; where no single change does, of two,
	// and where no two do, of three.
	Relax []Relaxation
	// Earliest is when it would fit by itself, if nobody extends and nothing else is placed; zero if that was not found: never, or not within
	// Policy.SearchSteps.
	Earliest time.Time
	// Exhaustive is false if a search behind this answer ran out of steps: then a placement, or a larger gang, may exist.
	Exhaustive bool
}

// Relaxation is a change to a request that would admit it.
type Relaxation struct {
	Changes []Change
	// Minimal says that no smaller change of the same fields would do.
	Minimal bool
	// Placement is the proof: where the changed request would go.
	Placement Placement
}

// Change is one field of a request, as it is and as it would have to be.
type Change struct {
	Field    Field
	From, To uint64
}

// Error returns one line: the counted reasons, the largest gang and the first relaxation.
func (e *UnplaceableError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sched: job %q cannot be placed: %s considered", e.Job, plural(e.Considered, "node"))
	for i, r := range e.Refusals {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		fmt.Fprintf(&b, "%s%d %v", sep, r.Nodes, r.Reason)
	}
	if e.Replicas > 1 {
		fmt.Fprintf(&b, "; largest gang %d of %d", e.Largest, e.Replicas)
	}
	if len(e.Relax) == 0 {
		b.WriteString("; no change admits it")
	} else {
		b.WriteString("; smallest change:")
		for i, c := range e.Relax[0].Changes {
			if i > 0 {
				b.WriteString(" and")
			}
			fmt.Fprintf(&b, " %v", c)
		}
	}
	if !e.Earliest.IsZero() {
		fmt.Fprintf(&b, "; it fits as it is at %s", e.Earliest.Format(time.RFC3339))
	}
	if !e.Exhaustive {
		b.WriteString("; the search was cut short")
	}
	return b.String()
}

// String returns the change as "MaxSites 1 -> 2".
func (c Change) String() string { return fmt.Sprintf("%v %d -> %d", c.Field, c.From, c.To) }
