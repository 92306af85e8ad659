package sched

import (
	"math"
	"slices"
)

// probe runs the searches behind one explanation; they share one budget of steps.
type probe struct {
	f     *Fleet
	steps uint32
	cut   bool // a search that found nothing was not exhaustive
	loose bool // the largest gang is not proven to be that
}

// explain says why no plan was found. It is called with the ask of the request and the plan that a failed search left.
func (f *Fleet) explain(r *Request, q *ask, failed plan) *UnplaceableError {
	e := &UnplaceableError{Job: r.Job, Replicas: int(r.Replicas), Considered: len(f.rows), Exhaustive: failed.exhaustive}
	p := &probe{f: f, steps: f.policy.SearchSteps}
	reason := p.setReason(q, failed)
	e.Refusals, e.Devices = f.refusals(q, reason)
	e.Largest = p.largest(q)
	for _, field := range f.policy.Relax {
		if x, ok := p.relax(r, field, e.Largest); ok {
			e.Relax = append(e.Relax, x)
		}
	}
	for i := range e.Refusals {
		e.Refusals[i].overSet(q, failed, e.Relax)
	}
	e.Exhaustive = e.Exhaustive && !p.cut
	return e
}

// overSet fills in what a reason that looks at a whole set of nodes compares.
func (r *Refusal) overSet(q *ask, failed plan, relax []Relaxation) {
	field := Field(0)
	switch r.Reason {
	case ReasonReplicas:
		r.Have, r.Need = uint64(failed.room), uint64(q.replicas)
	case ReasonSites:
		field, r.Need = FieldSites, uint64(q.sites)
	case ReasonDelay:
		field, r.Need = FieldDelay, uint64(q.delay)
	case ReasonBandwidth:
		field, r.Need = FieldMbps, uint64(q.mbps)
	case ReasonDown, ReasonModel, ReasonMemory, ReasonCountry, ReasonConnectivity, ReasonTier, ReasonStanding, ReasonPrice, ReasonSize,
		ReasonCards, ReasonCPU, ReasonRAM, ReasonUnmeasured: // compare node by node, or no numbers
	}
	for _, x := range relax {
		if x.Changes[0].Field == field {
			r.Have = x.Changes[0].To
		}
	}
}

// fits says whether any plan exists.
func (p *probe) fits(q ask) bool {
	found, ok := p.f.search(&q, &p.steps, false)
	p.cut = p.cut || !ok && !found.exhaustive
	return ok
}

// setReason finds what the nodes that passed are charged with: limits on the set are put on one after the other until nothing fits.
func (p *probe) setReason(q *ask, failed plan) Reason {
	if failed.room < q.replicas {
		return ReasonReplicas
	}
	free := *q
	free.delay, free.mbps, free.unmeasured = 0, 0, true
	if !p.fits(free) {
		return ReasonSites
	}
	free.unmeasured = false
	if !p.fits(free) {
		return ReasonUnmeasured
	}
	free.delay = q.delay
	if !p.fits(free) {
		return ReasonDelay
	}
	return ReasonBandwidth
}

// largest is the most replicas that fit.
func (p *probe) largest(q *ask) int {
	cut := p.cut
	p.cut = false
	low, high := 0, q.replicas // low fits, high does not
	for high-low > 1 {
		mid := *q
		mid.replicas = (low + high) / 2
		if p.fits(mid) {
			low = mid.replicas
		} else {
			high = mid.replicas
		}
	}
	p.loose = p.cut
	p.cut = p.cut || cut
	return low
}

// relax looks for the least change of one field that admits the request: the values that occur are tried by bisection, since what fits
// under a limit fits under a looser one, and the last is proven by a placement.
func (p *probe) relax(r *Request, field Field, largest int) (Relaxation, bool) {
	from, values := p.values(r, field, largest)
	if len(values) == 0 {
		return Relaxation{}, false
	}
	cut := p.cut
	p.cut = false
	at := func(v uint64) ask {
		changed := *r
		changed.set(field, v)
		return p.f.ask(&changed)
	}
	low, high := 0, len(values)-1
	if !p.fits(at(values[high])) {
		p.cut = p.cut || cut
		return Relaxation{}, false
	}
	for low < high {
		mid := (low + high) / 2
		if p.fits(at(values[mid])) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	minimal := !p.cut && (field != FieldReplicas || !p.loose)
	p.cut = p.cut || cut
	// The witness is searched with steps of its own: a proof that was found must not be lost to an empty purse.
	q, steps := at(values[high]), p.f.policy.SearchSteps
	witness, ok := p.f.search(&q, &steps, true)
	if !ok {
		return Relaxation{}, false
	}
	return Relaxation{
		Changes: []Change{{Field: field, From: from, To: values[high]}}, Minimal: minimal, Placement: p.f.placement(witness),
	}, true
}

// values lists what a field may be changed to, the smallest change first, and what it is now.
func (p *probe) values(r *Request, field Field, largest int) (from uint64, values []uint64) {
	from = r.get(field)
	looser := func(v uint64) bool { return v < from }
	switch field {
	case FieldSites:
		if r.Replicas == 1 {
			return from, nil
		}
		for v := from + 1; v <= min(math.MaxUint8, uint64(len(p.f.sites.list))); v++ {
			values = append(values, v)
		}
		return from, values
	case FieldReplicas:
		if largest > 0 {
			values = []uint64{uint64(largest)}
		}
		return from, values
	case FieldDelay, FieldMbps:
		if r.Replicas == 1 || r.sites() == 1 || from == 0 {
			return from, nil
		}
		for _, links := range p.f.links {
			for _, l := range links {
				if field == FieldDelay {
					values = append(values, uint64(l.delay))
				} else {
					values = append(values, uint64(l.mbps))
				}
			}
		}
	case FieldStanding, FieldConnectivity, FieldTier, FieldPrice:
		values = p.nodeValues(r, field)
	}
	if field == FieldDelay || field == FieldPrice {
		looser = func(v uint64) bool { return from > 0 && v > from }
	}
	values = slices.DeleteFunc(values, func(v uint64) bool { return !looser(v) })
	slices.Sort(values)
	values = slices.Compact(values)
	if field != FieldDelay && field != FieldPrice {
		slices.Reverse(values)
	}
	return from, values
}

// nodeValues lists what the nodes have of a field that would pass if that field had no limit.
func (p *probe) nodeValues(r *Request, field Field) (values []uint64) {
	if r.get(field) == 0 {
		return nil
	}
	open := *r
	open.set(field, 0)
	q := p.f.ask(&open)
	for i := range p.f.rows {
		n := &p.f.rows[i]
		if q.charge(n) != 0 {
			continue
		}
		switch field {
		case FieldStanding:
			values = append(values, uint64(n.standing))
		case FieldConnectivity:
			values = append(values, uint64(n.connectivity))
		case FieldTier:
			values = append(values, uint64(n.tier))
		case FieldPrice:
			values = append(values, n.hour)
		case FieldSites, FieldDelay, FieldMbps, FieldReplicas: // not of a node
		}
	}
	return values
}

func (r *Request) get(field Field) uint64 {
	switch field {
	case FieldSites:
		return uint64(r.sites())
	case FieldDelay:
		return uint64(r.MaxDelayMicros)
	case FieldMbps:
		return uint64(r.MinMbps)
	case FieldStanding:
		return uint64(r.MinStandingPPM)
	case FieldConnectivity:
		return uint64(r.MinConnectivity)
	case FieldTier:
		return uint64(r.MinTier)
	case FieldPrice:
		return r.MaxHourMicro
	case FieldReplicas:
		return uint64(r.Replicas)
	}
	panic("sched: Request.get: field " + field.String())
}

// set changes a field to a value that get returned for another request, so that it fits the field's type.
func (r *Request) set(field Field, v uint64) {
	switch field {
	case FieldSites:
		r.MaxSites = uint8(v)
	case FieldDelay:
		r.MaxDelayMicros = uint32(v)
	case FieldMbps:
		r.MinMbps = uint32(v)
	case FieldStanding:
		r.MinStandingPPM = uint32(v)
	case FieldConnectivity:
		r.MinConnectivity = uint8(v)
	case FieldTier:
		r.MinTier = uint8(v)
	case FieldPrice:
		r.MaxHourMicro = v
	case FieldReplicas:
		r.Replicas = uint16(v)
	default:
		panic("sched: Request.set: field " + field.String())
	}
}
