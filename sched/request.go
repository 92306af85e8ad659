package sched

import (
	"math"
	"slices"
	"time"
)

// JobID names a job; it is the idempotency key of a request.
type JobID string

// Class says what a lease may do to others and what others may do to it.
type Class uint8

const (
	// OnDemand takes what is free and keeps it to its booked end.
	OnDemand Class = iota
	// Reserved may moreover have spot leases preempted for it.
	Reserved
	// Spot may be preempted for a reserved request, after notice.
	Spot
)

// String returns the class's name.
func (c Class) String() string {
	if c > Spot {
		return label(c)
	}
	return label(c+1, "on demand", "reserved", "spot")
}

// Alternative is another way to serve a request: all its replicas take the same one.
type Alternative struct {
	// Models and MinMemoryMiB are read like those of Request, GPUsPerReplica is 1 to 16.
	Models         []string
	MinMemoryMiB   uint64
	GPUsPerReplica uint16
	// MaxHourMicro is read like that of Request; 0 is no limit.
	MaxHourMicro uint64
}

// Request asks for all of its replicas at once, each on one node. A limit of 0 is no limit, except where a field says otherwise.
type Request struct {
	Job   JobID
	Owner string
	// Replicas is 1 to 65,535. GPUsPerReplica is 1 to 16, or 0 for a job that takes only CPU, memory and disk.
	Replicas, GPUsPerReplica uint16
	// ShareMilli asks for thousandths of one device, 1 to 999; 0 for whole devices. MIG asks for one instance of a device instead.
	// Both need GPUsPerReplica 1.
	ShareMilli uint16
	MIG        MIGProfile
	// Models are the device models of which any will do; none means every model.
	Models []string
	// MinMemoryMiB is the least memory of a device, or of the instance that MIG asks for.
	MinMemoryMiB uint64
	// Alternatives are tried in this order where what is asked for above cannot be had; at most 16.
	Alternatives []Alternative
	// CPUMilli (thousandths of a core), RAMMiB and DiskMiB are what each replica takes from its node.
	CPUMilli, RAMMiB, DiskMiB uint64
	// Countries are those in which a replica may run (ISO 3166-1 alpha-2, capitals), Regions the regions; none means everywhere.
	// NotCountries wins over both.
	Countries, Regions, NotCountries []string
	// MinConnectivity, MinTier and MinAssurance are 0 to 4, MinStandingPPM 0 to 1,000,000; Compliance must all be kept.
	MinConnectivity, MinTier, MinAssurance uint8
	Compliance                             Compliance
	MinStandingPPM                         uint32
	// MaxHourMicro is the highest price of a device for an hour, in millionths of a dollar; of a whole device also where a share is asked for.
	MaxHourMicro uint64
	// Suppliers are the only ones that may serve, NotSuppliers those that may not. OneSupplier wants all replicas with one supplier.
	Suppliers, NotSuppliers []SupplierID
	OneSupplier             bool
	// ApartSuppliers wants each replica, spares included, with a supplier of its own. It is not searched to the last: see Placement.Exhaustive.
	ApartSuppliers bool
	// ApartNodes wants each replica on a node of its own, ApartFrom no node that the leases of these jobs use.
	ApartNodes bool
	ApartFrom  []JobID
	// MaxSites is over how many sites the replicas may be spread; 0 is read as 1. MinSites is at least how many they must use, PerSite how
	// many one site may hold at most.
	MaxSites, MinSites uint8
	PerSite            uint16
	// MaxDelayMicros and MinMbps are limits on the link between any two sites that are used. A pair that was never measured is within
	// no limit, unless AllowUnmeasured.
	MaxDelayMicros, MinMbps uint32
	AllowUnmeasured         bool
	// Near is the site to which Policy's Locality measures, for example where the data lies.
	Near SiteID
	// NotBefore is when the lease shall begin, the time of the event if zero or earlier. If NotAfter is later, the lease begins at the first
	// instant between the two at which it fits. A NotAfter before the event is refused.
	NotBefore, NotAfter time.Time
	// Duration is for how long the lease is booked, in whole seconds, between the bounds of the policy.
	Duration time.Duration
	Class    Class
	// Spares are replicas in reserve, leased and paid like the others, at most 256. MinSurvivalPPM asks for as many more as it takes for
	// the chance, at least, that all Replicas can run to the end: see Survival.
	Spares         uint16
	MinSurvivalPPM uint32
	// Queue says that the job may wait until it fits, before those of lower Priority and those that came later with the same.
	Queue    bool
	Priority uint8
	// Reform says that what a lease loses is replaced where possible, and that the lease goes into the queue where not (if Queue is set), instead of ending.
	Reform bool
	// MayRelax are limits that may be given up for that, one after the other, where nothing fits under all of them.
	MayRelax []Field
	// Movable says that a member may be moved to another node while the lease runs: see Defragment.
	Movable bool
}

// Validate returns an error that wraps ErrInvalid and names the first field out of its range. The bounds on Duration are the
// policy's, so that only a fleet can check them.
func (r Request) Validate() error {
	for _, check := range []func() error{r.validateSize, r.validatePlace, r.validateTime} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Request) validateSize() error {
	if err := first(
		named("Request.Job", string(r.Job)),
		named("Request.Owner", r.Owner),
		within("Request.Replicas", uint64(r.Replicas), 1, math.MaxUint16),
		within("Request.GPUsPerReplica", uint64(r.GPUsPerReplica), 0, maxDevices),
		within("Request.ShareMilli", uint64(r.ShareMilli), 0, 999),
		within("Request.MIG", uint64(r.MIG), 0, uint64(MIG7g)),
		models("Request.Models", r.Models),
		within("Request.MinMemoryMiB", r.MinMemoryMiB, 0, maxRoom),
		within("len(Request.Alternatives)", uint64(len(r.Alternatives)), 0, 16),
		within("Request.CPUMilli", r.CPUMilli, 0, maxRoom),
		within("Request.RAMMiB", r.RAMMiB, 0, maxRoom),
		within("Request.DiskMiB", r.DiskMiB, 0, maxRoom),
		within("Request.MaxHourMicro", r.MaxHourMicro, 0, maxHourMicro),
		within("Request.Spares", uint64(r.Spares), 0, maxSpares),
	); err != nil {
		return err
	}
	switch {
	case r.GPUsPerReplica != 1 && (r.ShareMilli != 0 || r.MIG != 0):
		return invalid("Request.GPUsPerReplica %d: want 1 with ShareMilli or MIG", r.GPUsPerReplica)
	case r.ShareMilli != 0 && r.MIG != 0:
		return invalid("Request.ShareMilli %d: want 0 with MIG", r.ShareMilli)
	case r.GPUsPerReplica == 0 && r.CPUMilli == 0:
		return invalid("Request.GPUsPerReplica 0: want at least 1, or CPUMilli above 0")
	case r.GPUsPerReplica == 0 && len(r.Alternatives) > 0:
		return invalid("len(Request.Alternatives) %d: want 0 where GPUsPerReplica is 0", len(r.Alternatives))
	}
	for _, a := range r.Alternatives {
		if err := first(
			within("Alternative.GPUsPerReplica", uint64(a.GPUsPerReplica), 1, maxDevices),
			models("Alternative.Models", a.Models),
			within("Alternative.MinMemoryMiB", a.MinMemoryMiB, 0, maxRoom),
			within("Alternative.MaxHourMicro", a.MaxHourMicro, 0, maxHourMicro),
		); err != nil {
			return err
		}
		if a.GPUsPerReplica != 1 && (r.ShareMilli != 0 || r.MIG != 0) {
			return invalid("Alternative.GPUsPerReplica %d: want 1 with ShareMilli or MIG", a.GPUsPerReplica)
		}
	}
	return nil
}

func (r *Request) validatePlace() error {
	if err := first(
		within("len(Request.Countries)", uint64(len(r.Countries)), 0, 255),
		within("len(Request.NotCountries)", uint64(len(r.NotCountries)), 0, 255),
		within("len(Request.Regions)", uint64(len(r.Regions)), 0, 255),
		within("Request.MinConnectivity", uint64(r.MinConnectivity), 0, 4),
		within("Request.MinTier", uint64(r.MinTier), 0, 4),
		within("Request.MinAssurance", uint64(r.MinAssurance), 0, 4),
		within("Request.MinStandingPPM", uint64(r.MinStandingPPM), 0, million),
		within("Request.MaxDelayMicros", uint64(r.MaxDelayMicros), 0, maxDelayMicros),
		within("len(Request.Suppliers)", uint64(len(r.Suppliers)), 0, 255),
		within("len(Request.NotSuppliers)", uint64(len(r.NotSuppliers)), 0, 255),
		within("len(Request.ApartFrom)", uint64(len(r.ApartFrom)), 0, 255),
		within("Request.MinSites", uint64(r.MinSites), 0, uint64(r.sites())),
		within("Request.MinSites", uint64(r.MinSites), 0, uint64(r.Replicas)),
		short("Request.Near", string(r.Near)),
	); err != nil {
		return err
	}
	if r.OneSupplier && r.ApartSuppliers && int(r.Replicas)+int(r.Spares) > 1 {
		return invalid("Request.ApartSuppliers with OneSupplier: want one of them")
	}
	for _, c := range slices.Concat(r.Countries, r.NotCountries) {
		if err := country("Request.Countries", c); err != nil {
			return err
		}
	}
	for _, v := range r.Regions {
		if err := named("Request.Regions", v); err != nil {
			return err
		}
	}
	for _, v := range slices.Concat(r.Suppliers, r.NotSuppliers) {
		if err := named("Request.Suppliers", string(v)); err != nil {
			return err
		}
	}
	for _, v := range r.ApartFrom {
		if err := named("Request.ApartFrom", string(v)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Request) validateTime() error {
	switch {
	case r.Duration <= 0 || r.Duration%time.Second != 0:
		return invalid("Request.Duration %v: want whole seconds, at least one", r.Duration)
	case r.Class > Spot:
		return invalid("Request.Class %d: want 0 to %d", r.Class, Spot)
	case !r.NotAfter.IsZero() && r.NotAfter.Before(r.NotBefore):
		return invalid("Request.NotAfter %v: want none, or not before NotBefore %v", r.NotAfter, r.NotBefore)
	}
	for i, f := range r.MayRelax {
		if f < FieldSites || f >= FieldReplicas || slices.Contains(r.MayRelax[:i], f) {
			return invalid("Request.MayRelax %v: want each field at most once, without %v", r.MayRelax, FieldReplicas)
		}
	}
	return within("Request.MinSurvivalPPM", uint64(r.MinSurvivalPPM), 0, million-1)
}

func models(field string, list []string) error {
	if len(list) > 64 {
		return invalid("len(%s) %d: want 0 to 64", field, len(list))
	}
	for _, m := range list {
		if err := named(field, m); err != nil {
			return err
		}
	}
	return nil
}

// sites is the number of sites that the request allows.
func (r *Request) sites() int { return max(int(r.MaxSites), 1) }

// shallow returns a copy of which fields can be set, but not what is in lists.
func (r *Request) shallow() *Request {
	c := *r
	return &c
}

// clone returns a copy that shares no slice with the caller's.
func (r *Request) clone() *Request {
	c := *r
	c.Models, c.Countries, c.Regions, c.NotCountries = slices.Clone(r.Models), slices.Clone(r.Countries), slices.Clone(r.Regions), slices.Clone(r.NotCountries)
	c.Suppliers, c.NotSuppliers, c.ApartFrom = slices.Clone(r.Suppliers), slices.Clone(r.NotSuppliers), slices.Clone(r.ApartFrom)
	c.MayRelax = slices.Clone(r.MayRelax)
	c.Alternatives = slices.Clone(r.Alternatives)
	for i := range c.Alternatives {
		c.Alternatives[i].Models = slices.Clone(c.Alternatives[i].Models)
	}
	return &c
}
