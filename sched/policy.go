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
	// Tightest prefers the node that keeps fewer free devices, which leaves large holes whole.
	Tightest
	// Loosest prefers the node that keeps more free devices.
	Loosest
	// Fragmentation prefers the node that loses least of what the observed mix of requests could use: see Spec.
	Fragmentation
	// Surest prefers the node with the smaller chance to be lost, its own and its site's together.
	Surest
	// Locality prefers the site with the smaller delay to Request.Near; unmeasured ones come last.
	Locality
	// Power prefers what draws less more power: a busy device, and the host where it sleeps.
	Power
	// Arbitrary prefers by a hash of Policy.Seed, the job and the node: a baseline to compare with, and a fair lottery.
	Arbitrary
	// Mixed prefers the higher weighted sum of Policy.Mix.
	Mixed
	// Custom prefers the higher score of Plugins.Scorer.
	Custom

	lastCriterion = Custom
)

// String returns the criterion's name.
func (c Criterion) String() string { return label(c, criteria()...) }

// MarshalText writes the criterion's name.
func (c Criterion) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the criterion's name.
func (c *Criterion) UnmarshalText(text []byte) (err error) {
	*c, err = number[Criterion]("criterion", text, criteria()...)
	return err
}

// Weight is one criterion's part in a mix. Each criterion scores a node with 0 to 100 whole points on a fixed scale, never relative to the other
// nodes, and the mix is the sum of points times weight. No points are given from 10 dollars a device and hour on, for a standing of 0, for 16 devices left free
// (Tightest) or none (Loosest), for a node that is lost within the hour, from half a second of delay and from 10 kW on.
type Weight struct {
	Criterion Criterion `json:"criterion"`
	Weight    uint16    `json:"weight"`
}

// Backfill says which jobs in the queue are promised a beginning that later ones must not move.
type Backfill uint8

// The kinds of backfill.
const (
	// BackfillFirst promises it to the first job only (EASY: Lifka, "The ANL/IBM SP scheduling system", 1995).
	BackfillFirst Backfill = iota + 1
	// BackfillAll promises it to every job (conservative backfill).
	BackfillAll
	// BackfillNone promises nothing: whatever fits begins.
	BackfillNone
)

// String returns the kind's name.
func (b Backfill) String() string { return label(b, "first", "all", "none") }

// MarshalText writes the kind's name.
func (b Backfill) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the kind's name.
func (b *Backfill) UnmarshalText(text []byte) (err error) {
	*b, err = number[Backfill]("backfill", text, "first", "all", "none")
	return err
}

// Policy holds the parameters of a fleet.
type Policy struct {
	// Version names this set of values; it is part of every digest.
	Version string `json:"version"`
	// Order is how nodes are preferred, the first criterion first, each at most once; ties go to the node that comes first in the walk.
	Order []Criterion `json:"order"`
	// Mix are the weights behind Mixed, each criterion at most once, without Mixed itself.
	Mix []Weight `json:"mix,omitempty"`
	// Candidates is how many nodes that pass the filters are compared, the first ones in the walk; 0 compares all of them.
	Candidates uint16 `json:"candidates"`
	// Rotate lets the walk over the nodes begin where the last Rotated event says, so that those who joined late get their share.
	Rotate bool `json:"rotate"`
	// Seed is that of Arbitrary.
	Seed uint64 `json:"seed"`
	// PriceBands (millionths of a dollar) are thresholds of the index, ascending, at most 31. They change how fast a walk
	// is and no answer, except that Cheapest with Candidates above 0 compares nodes of the lower band first.
	PriceBands []uint32 `json:"price_bands"`
	// StandingBands are thresholds in parts per million, read like PriceBands.
	StandingBands []uint32 `json:"standing_bands"`
	// Relax lists the fields of a request for which a refusal proposes a change, the most welcome change first.
	Relax []Field `json:"relax"`
	// SearchSteps bounds one search for a gang, and again all searches that explain a refusal; a step looks at one pair of sites or
	// one node. At least 1,000.
	SearchSteps uint32 `json:"search_steps"`
	// MinDurationSeconds is the shortest Duration of a request, at least 1. io.net publishes one hour.
	MinDurationSeconds uint32 `json:"min_duration_seconds"`
	// MaxDurationSeconds is the longest Duration of a request; no network publishes one.
	MaxDurationSeconds uint32 `json:"max_duration_seconds"`
	// MaxAheadSeconds is how far ahead a lease may begin.
	MaxAheadSeconds uint32 `json:"max_ahead_seconds"`
	// RememberSeconds is for how long after its end a job's ID is refused as a duplicate.
	RememberSeconds uint32 `json:"remember_seconds"`
	// HoldSeconds is the time to live of a hold that names none.
	HoldSeconds uint32 `json:"hold_seconds"`
	// MaxHoldSeconds is the longest time to live of a hold.
	MaxHoldSeconds uint32 `json:"max_hold_seconds"`
	// SpotNoticeSeconds lies between Notified and the end of a lease that is preempted, at least 1.
	SpotNoticeSeconds uint32 `json:"spot_notice_seconds"`
	// ReclaimNoticeSeconds lies between Notified and the loss of a node that its supplier takes back.
	ReclaimNoticeSeconds uint32 `json:"reclaim_notice_seconds"`
	// Backfill is how the queue is served.
	Backfill Backfill `json:"backfill"`
	// MaxQueue is how many jobs may wait.
	MaxQueue uint32 `json:"max_queue"`
}

// Default returns the policy for a network that wants most work placed: of the first nodes that pass, the one that keeps most of
// the fleet usable for the observed mix, then the cheaper one. The terms of time are those of IONet.
func Default() Policy {
	p := IONet()
	p.Version = "default/2"
	p.Order = []Criterion{Fragmentation, Cheapest}
	p.Candidates = 64
	return p
}

// IONet returns the policy for io.net. Its documentation publishes the minimum of one hour (github.com/ionet-official/docs); no
// placement algorithm is published, and every other value is this project's choice: the cheapest node first, since suppliers
// compete by price; 200,000 steps, some milliseconds; 366 days, since no longer lease is offered; a week to repeat a request; a minute to pay
// what is held; five minutes for spot leases and an hour for suppliers, the least notices under which a job can save its work.
func IONet() Policy {
	return Policy{
		Version: "ionet/2",
		Order:   []Criterion{Cheapest, Standing, Tightest},
		PriceBands: []uint32{
			50_000, 100_000, 150_000, 200_000, 300_000, 400_000, 500_000, 700_000, 1_000_000, 1_400_000, 2_000_000, 2_800_000, 4_000_000,
			5_600_000, 8_000_000, 16_000_000,
		},
		StandingBands: []uint32{
			300_000, 500_000, 600_000, 700_000, 750_000, 800_000, 850_000, 900_000, 925_000, 950_000, 960_000, 970_000, 980_000, 990_000,
			995_000, 999_000,
		},
		Relax: []Field{
			FieldSites, FieldDelay, FieldMbps, FieldStanding, FieldConnectivity, FieldTier, FieldAssurance, FieldPrice, FieldReplicas,
		},
		SearchSteps:          200_000,
		MinDurationSeconds:   3600,
		MaxDurationSeconds:   366 * 86400,
		MaxAheadSeconds:      366 * 86400,
		RememberSeconds:      7 * 86400,
		HoldSeconds:          60,
		MaxHoldSeconds:       3600,
		SpotNoticeSeconds:    300,
		ReclaimNoticeSeconds: 3600,
		Backfill:             BackfillFirst,
		MaxQueue:             100_000,
	}
}

// Validate returns an error that wraps ErrInvalid and names the first field out of its range.
func (p Policy) Validate() error {
	for i, c := range p.Order {
		if c < Cheapest || c > Custom || slices.Contains(p.Order[:i], c) {
			return invalid("Policy.Order %v: want each criterion at most once", p.Order)
		}
	}
	for i, w := range p.Mix {
		if w.Criterion < Cheapest || w.Criterion > Custom || w.Criterion == Mixed ||
			slices.ContainsFunc(p.Mix[:i], func(o Weight) bool { return o.Criterion == w.Criterion }) {
			return invalid("Policy.Mix %v: want each criterion at most once, without mixed", p.Mix)
		}
	}
	for i, f := range p.Relax {
		if f < FieldSites || f > lastField || slices.Contains(p.Relax[:i], f) {
			return invalid("Policy.Relax %v: want each field at most once", p.Relax)
		}
	}
	return first(
		named("Policy.Version", p.Version),
		bands("Policy.PriceBands", p.PriceBands),
		bands("Policy.StandingBands", p.StandingBands),
		within("Policy.Candidates", uint64(p.Candidates), 0, 4096),
		within("Policy.SearchSteps", uint64(p.SearchSteps), 1000, math.MaxUint32),
		within("Policy.MinDurationSeconds", uint64(p.MinDurationSeconds), 1, math.MaxUint32),
		within("Policy.MaxDurationSeconds", uint64(p.MaxDurationSeconds), uint64(p.MinDurationSeconds), math.MaxUint32),
		within("Policy.SpotNoticeSeconds", uint64(p.SpotNoticeSeconds), 1, math.MaxUint32),
		within("Policy.MaxHoldSeconds", uint64(p.MaxHoldSeconds), 1, math.MaxUint32),
		within("Policy.HoldSeconds", uint64(p.HoldSeconds), 1, uint64(p.MaxHoldSeconds)),
		within("Policy.Backfill", uint64(p.Backfill), uint64(BackfillFirst), uint64(BackfillNone)),
		within("Policy.MaxQueue", uint64(p.MaxQueue), 0, 10_000_000),
	)
}

func bands(field string, b []uint32) error {
	if len(b) > 31 || !slices.IsSorted(b) || len(slices.Compact(slices.Clone(b))) != len(b) {
		return invalid("%s %v: want at most 31 in ascending order", field, b)
	}
	return nil
}

func (p Policy) clone() Policy {
	p.Order, p.Mix, p.Relax = slices.Clone(p.Order), slices.Clone(p.Mix), slices.Clone(p.Relax)
	p.PriceBands, p.StandingBands = slices.Clone(p.PriceBands), slices.Clone(p.StandingBands)
	return p
}

// admits checks what of a request is the policy's to bound.
func (p *Policy) admits(r *Request) error {
	return within("Request.Duration in seconds", uint64(r.Duration/time.Second), uint64(p.MinDurationSeconds), uint64(p.MaxDurationSeconds))
}

func criteria() []string {
	return []string{"cheapest", "standing", "tightest", "loosest", "fragmentation", "surest", "locality", "power", "arbitrary", "mixed", "custom"}
}
