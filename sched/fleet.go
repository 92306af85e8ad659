package sched

import (
	"fmt"
	"math"
	"time"
)

// Fleet is the state machine of nodes, links, leases and the queue. It is not safe for concurrent use; its views are.
type Fleet struct {
	state
	scratch scratch
	calling call
	due     dueHeap // the leases by what is due next
	jobs    map[JobID]jobState
	recent  []endedJob // what jobs remembers beyond its lease, in order of time, then job
	queue   []int32    // slots of waiting leases, by priority, then number
	vacant  int32      // a slot that is free plus one; each knows the next. 0: none
	granted uint64     // the last number given to a lease
	ended   uint64
	metered uint64 // device seconds
	rotate  uint32
	joined  uint32 // nodes that ever joined

	reclaims              []reclaimed // nodes that are taken back, by time, then number
	stale                 bool        // something that waiting jobs may need changed since the queue was served
	entryFree, entryCount int32       // a free entry plus one, and all entries
}

// state is what a view shares with the fleet: all that answers questions.
type state struct {
	policy  *Policy // never changed
	plugins Plugins
	now     int64 // nanoseconds since 1970

	index     *index
	ids       ids
	models    names[string]
	kinds     catalog[kind]
	places    catalog[place]
	kindsOf   [][]int32 // by model; never changed, but replaced
	placesOf  [][]int32 // by country
	countries names[string]
	regions   names[string]
	sites     names[SiteID]
	suppliers names[SupplierID]
	shapes    catalog[shape]
	siteLoss  pages[uint32] // by site
	links     linkStore
	nodes     pages[nodeState]
	partOf    pages[int32] // by node: number in parts plus one, 0 if it divides no device
	reclaimAt pages[int64] // by node: when its supplier takes it back, 0 if that was not announced
	parts     pages[part]  // devices of nodes that divide them
	partCount int32
	entries   pages[entry] // what leases hold, listed by node
	leases    pages[lease] // slots
	slots     int32
	byLease   numbers // lease number -> slot
	demand    *demand // the observed mix

	known, up, devices, free int
	running                  int
	bookedNodes              int // nodes with something booked that does not hold yet
}

// kind is a model of devices with so much memory.
type kind struct {
	model  int32
	memory uint64
}

// place is a country and a region in it.
type place struct{ country, region int32 }

// shape is what nodes of one make have in common.
type shape struct {
	kind, place      int32
	cpu, ram, disk   uint32
	cards            uint8
	connectivity     uint8
	shares, mig      bool
	hostWatts, watts uint16
	islands          [maxDevices]uint8
	several          bool // more than one island
}

// nodeState is what the index does not need of a node.
type nodeState struct {
	bits   uint32 // the chance to be lost within an hour in ppm, and flags
	joined uint32 // number in the order of joining
}

const (
	nodeKnown    = 1 << 31
	nodePresent  = 1 << 30 // up
	nodeDraining = 1 << 29
	nodeLoss     = 1<<20 - 1
)

func (n nodeState) known() bool    { return n.bits&nodeKnown != 0 }
func (n nodeState) present() bool  { return n.bits&nodePresent != 0 }
func (n nodeState) draining() bool { return n.bits&nodeDraining != 0 }
func (n nodeState) loss() uint32   { return n.bits & nodeLoss }

func (n *nodeState) flag(f uint32, on bool) {
	n.bits &^= f
	if on {
		n.bits |= f
	}
}

// part is how the devices of a node are divided.
type part struct {
	milli [maxDevices]uint16 // thousandths that shares hold
	mig   [maxDevices]uint8  // memory slices that instances hold
}

// NewFleet returns a fleet without nodes. The error wraps ErrInvalid.
func NewFleet(p Policy) (*Fleet, error) { return NewCustomFleet(p, Plugins{}) }

// NewCustomFleet returns a fleet without nodes that asks the plugins, too. The error wraps ErrInvalid.
func NewCustomFleet(p Policy, x Plugins) (*Fleet, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := x.validate(&p); err != nil {
		return nil, err
	}
	policy := p.clone()
	f := &Fleet{jobs: map[JobID]jobState{}}
	f.policy, f.plugins = &policy, x
	f.index = newIndex(policy.PriceBands, policy.StandingBands)
	f.demand = newDemand(nil)
	return f, nil
}

// Apply takes one event that happened at the given time and returns what follows from it. An error means that nothing changed:
// one that wraps ErrInvalid, a sentinel of this package, *UnplaceableError or *ConflictError. It panics on an event that is nil.
func (f *Fleet) Apply(at time.Time, e Event) ([]Effect, error) {
	now, err := instant(at)
	if err != nil {
		return nil, err
	}
	if now < f.now {
		return nil, fmt.Errorf("%w: %s is before %s", ErrTimeBackwards, at.UTC().Format(time.RFC3339Nano), moment(f.now).Format(time.RFC3339Nano))
	}
	effects, err := f.handle(now, e)
	if err != nil {
		return nil, err
	}
	f.now = now
	f.stale = f.stale && len(f.queue) > 0 // nobody waits for what became free
	return effects, nil
}

func (f *Fleet) handle(now int64, e Event) ([]Effect, error) {
	switch e := e.(type) {
	case NodeUp:
		return nil, f.nodeUp(e.Node)
	case NodeDown:
		return f.nodeDown(now, e.Node)
	case NodeChanged:
		return nil, f.nodeChanged(e)
	case Drain:
		return nil, f.drain(e)
	case Reclaim:
		return f.reclaim(now, e.Node)
	case SiteRated:
		return nil, f.siteRated(e)
	case LinkMeasured:
		return nil, f.linkMeasured(e)
	case Observed:
		return nil, f.observed(e)
	case Rotated:
		f.rotate = e.Seed
		return nil, nil
	case Submitted:
		return f.submitted(now, &e.Request)
	case Hold:
		return f.hold(now, &e)
	case Commit:
		return f.commit(now, e.Lease)
	case Release:
		return f.release(now, e.Lease)
	case Extend:
		return f.extend(now, e)
	case Finished:
		return f.finished(now, e.Lease)
	case FundsEnded:
		return f.fundsEnded(now, e)
	case FundsAdded:
		return f.fundsAdded(now, e.Lease)
	case Migrate:
		return f.migrate(now, e.Moves)
	case Ticked:
		return f.ticked(now), nil
	default:
		panic(fmt.Sprintf("sched: Fleet.Apply: event %T", e))
	}
}

// check is everything about a request that no node decides.
func (s *state) check(r *Request) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := s.policy.admits(r); err != nil {
		return err
	}
	for _, x := range []struct {
		field string
		at    time.Time
	}{{"Request.NotBefore", r.NotBefore}, {"Request.NotAfter", r.NotAfter}} {
		if x.at.IsZero() {
			continue
		}
		v, err := instant(x.at)
		if err != nil {
			return err
		}
		if v > s.now+int64(s.policy.MaxAheadSeconds)*second {
			return invalid("%s %s: want at most %d s ahead", x.field, x.at.UTC().Format(time.RFC3339), s.policy.MaxAheadSeconds)
		}
	}
	if !r.NotAfter.IsZero() && r.NotAfter.UnixNano() < s.now {
		return invalid("Request.NotAfter %s: want not before the event", r.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

const second = int64(time.Second)

// instant is a time as nanoseconds since 1970.
func instant(t time.Time) (int64, error) {
	if y := t.Year(); y < 1970 || y > 2200 {
		return 0, invalid("time %s: want a year of 1970 to 2200", t.UTC().Format(time.RFC3339))
	}
	return t.UnixNano(), nil
}

// moment is the time of so many nanoseconds since 1970; 0 is the zero time.
func moment(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.Unix(0, v).UTC()
}

// until is the end of a stretch, never beyond what an int64 holds.
func until(from int64, d time.Duration) int64 { return from + min(int64(d), math.MaxInt64-from) }
