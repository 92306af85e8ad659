package sched

import (
	"math"
	"slices"
	"time"
)

// Criterion is one way to prefer a node over another.
type Criterion uint8

// The criteria by which nodes are ordered.
const (
	// Cheapest prefers the lower price.
	Cheapest Criterion = iota + 1
	// Standing prefers the higher standing.
	Standing
	// Tightest prefers the node with fewer free devices, which leaves large holes whole.
	Tightest
)

// String returns the criterion's name.
func (c Criterion) String() string { return label(c, "cheapest", "standing", "tightest") }

// MarshalText writes the criterion's name.
func (c Criterion) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the criterion's name.
func (c *Criterion) UnmarshalText(text []byte) (err error) {
	*c, err = number[Criterion]("criterion", text, "cheapest", "standing", "tightest")
	return err
}

// Policy holds the parameters of a fleet.
type Policy struct {
	// Version names this set of values; it is part of every digest.
	Version string `json:"version"`
	// Order is how nodes are preferred, the first criterion first, each at most once; ties go to the smaller node ID.
	Order []Criterion `json:"order"`
	// Relax lists the fields of a request for which a refusal proposes a change, the most welcome change first.
	Relax []Field `json:"relax"`
	// SearchSteps bounds one search for a gang, and again all searches that explain a refusal; a step looks at one pair of sites or
	// one node. At least 1,000.
	SearchSteps uint32 `json:"search_steps"`
	// MinDurationSeconds is the shortest Duration of a request, at least 1. io.net publishes one hour.
	MinDurationSeconds uint32 `json:"min_duration_seconds"`
	// MaxDurationSeconds is the longest Duration of a request; no network publishes one.
	MaxDurationSeconds uint32 `json:"max_duration_seconds"`
	// RememberSeconds is for how long after its end a job's ID is refused as a duplicate.
	RememberSeconds uint32 `json:"remember_seconds"`
}

// IONet returns the policy for io.net. Its documentation publishes the minimum of one hour (github.com/ionet-official/docs); no
// placement algorithm is published, and every other value is this project's choice: the cheapest node first, since suppliers
// compete by price; 200,000 steps, some milliseconds; 366 days, since no longer lease is offered; a week to repeat a request.
func IONet() Policy {
	return Policy{
		Version:            "ionet/1",
		Order:              []Criterion{Cheapest, Standing, Tightest},
		Relax:              []Field{FieldSites, FieldDelay, FieldMbps, FieldStanding, FieldConnectivity, FieldTier, FieldPrice, FieldReplicas},
		SearchSteps:        200_000,
		MinDurationSeconds: 3600,
		MaxDurationSeconds: 366 * 86400,
		RememberSeconds:    7 * 86400,
	}
}

// Validate returns an error that wraps ErrInvalid and names the first field out of its range.
func (p Policy) Validate() error {
	for i, c := range p.Order {
		if c < Cheapest || c > Tightest || slices.Contains(p.Order[:i], c) {
			return invalid("Policy.Order %v: want each criterion at most once", p.Order)
		}
	}
	for i, f := range p.Relax {
		if f < FieldSites || f > FieldReplicas || slices.Contains(p.Relax[:i], f) {
			return invalid("Policy.Relax %v: want each field at most once", p.Relax)
		}
	}
	return first(
		named("Policy.Version", p.Version),
		within("Policy.SearchSteps", uint64(p.SearchSteps), 1000, math.MaxUint32),
		within("Policy.MinDurationSeconds", uint64(p.MinDurationSeconds), 1, math.MaxUint32),
		within("Policy.MaxDurationSeconds", uint64(p.MaxDurationSeconds), uint64(p.MinDurationSeconds), math.MaxUint32),
	)
}

func (p Policy) clone() Policy {
	p.Order, p.Relax = slices.Clone(p.Order), slices.Clone(p.Relax)
	return p
}

// admits checks what of a request is the policy's to bound.
func (p Policy) admits(r *Request) error {
	return within("Request.Duration in seconds", uint64(r.Duration/time.Second), uint64(p.MinDurationSeconds), uint64(p.MaxDurationSeconds))
}

func (p Policy) remember() time.Duration { return time.Duration(p.RememberSeconds) * time.Second }
