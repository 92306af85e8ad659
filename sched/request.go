package sched

import (
	"math"
	"time"
)

// JobID names a job; it is the idempotency key of a request.
type JobID string

// Request asks for all of its replicas at once, each on one node. A limit of 0 is no limit, except where a field says otherwise.
type Request struct {
	Job   JobID
	Owner string
	// Replicas is 1 to 65,535; GPUsPerReplica is 1 to 16.
	Replicas, GPUsPerReplica uint16
	// Models are the device models of which any will do; none means every model.
	Models []string
	// MinMemoryMiB is the least memory of a device.
	MinMemoryMiB uint64
	// CPUMilli (thousandths of a core) and RAMMiB are what each replica takes from its node.
	CPUMilli, RAMMiB uint64
	// Countries are those in which a replica may run (ISO 3166-1 alpha-2, capitals); none means everywhere.
	Countries []string
	// MinConnectivity is 0 to 4, MinTier 0 to 4, MinStandingPPM 0 to 1,000,000.
	MinConnectivity, MinTier uint8
	MinStandingPPM           uint32
	// MaxHourMicro is the highest price of a device for an hour, in millionths of a dollar.
	MaxHourMicro uint64
	// MaxSites is over how many sites the replicas may be spread; 0 is read as 1.
	MaxSites uint8
	// MaxDelayMicros and MinMbps are limits on the link between any two sites that are used.
	MaxDelayMicros, MinMbps uint32
	// Duration is for how long the lease is booked, in whole seconds, between the bounds of the policy.
	Duration time.Duration
}

// Validate returns an error that wraps ErrInvalid and names the first field out of its range. The bounds on Duration are the
// policy's, so that only a fleet can check them.
func (r Request) Validate() error {
	if err := first(
		named("Request.Job", string(r.Job)),
		named("Request.Owner", r.Owner),
		within("Request.Replicas", uint64(r.Replicas), 1, math.MaxUint16),
		within("Request.GPUsPerReplica", uint64(r.GPUsPerReplica), 1, maxDevices),
		within("len(Request.Models)", uint64(len(r.Models)), 0, 64),
		within("Request.MinMemoryMiB", r.MinMemoryMiB, 0, maxRoom),
		within("Request.CPUMilli", r.CPUMilli, 0, maxRoom),
		within("Request.RAMMiB", r.RAMMiB, 0, maxRoom),
		within("len(Request.Countries)", uint64(len(r.Countries)), 0, 255),
		within("Request.MinConnectivity", uint64(r.MinConnectivity), 0, 4),
		within("Request.MinTier", uint64(r.MinTier), 0, 4),
		within("Request.MinStandingPPM", uint64(r.MinStandingPPM), 0, million),
		within("Request.MaxHourMicro", r.MaxHourMicro, 0, maxHourMicro),
		within("Request.MaxDelayMicros", uint64(r.MaxDelayMicros), 0, maxDelayMicros),
	); err != nil {
		return err
	}
	for _, m := range r.Models {
		if err := named("Request.Models", m); err != nil {
			return err
		}
	}
	for _, c := range r.Countries {
		if err := country("Request.Countries", c); err != nil {
			return err
		}
	}
	if r.Duration <= 0 || r.Duration%time.Second != 0 {
		return invalid("Request.Duration %v: want whole seconds, at least one", r.Duration)
	}
	return nil
}

// sites is the number of sites that the request allows.
func (r *Request) sites() int { return max(int(r.MaxSites), 1) }
