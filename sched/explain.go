package sched

import "slices"

// probe is one attempt to explain a refusal; its searches share one purse of steps.
type probe struct {
	*call
	r     *Request
	from  int64
	steps uint32
	cut   bool // a search that found nothing was not exhaustive
	loose bool // the largest gang is not proven to be that
}

// explain says why no plan was found for a request from an instant on; failed is what the search for its own alternative left.
func (c *call) explain(r *Request, from int64, failed *plan) *UnplaceableError {
	e := &UnplaceableError{Job: r.Job, Replicas: int(r.Replicas), Considered: c.known, Exhaustive: failed.exhaustive}
	p := &probe{call: c, r: r, from: from, steps: c.policy.SearchSteps}
	room := failed.room
	passed := p.setReason(failed)
	e.Refusals, e.Devices = c.refusals(r, from, passed)
	e.Largest = p.largest()
	p.relax(e)
	for i := range e.Refusals {
		e.Refusals[i].overSet(r, room, e.Relax)
	}
	e.Earliest = moment(c.earliestAt(r, from, until(from, maxAhead(c.policy))))
	e.Exhaustive = e.Exhaustive && !p.cut
	return e
}

// overSet fills in what a reason that looks at a whole set of nodes compares.
func (r *Refusal) overSet(q *Request, room int, relax []Relaxation) {
	field := Field(0)
	switch r.Reason {
	case ReasonReplicas:
		r.Have, r.Need = uint64(room), uint64(q.Replicas)
	case ReasonSites:
		field, r.Need = FieldSites, uint64(q.sites())
	case ReasonDelay:
		field, r.Need = FieldDelay, uint64(q.MaxDelayMicros)
	case ReasonBandwidth:
		field, r.Need = FieldMbps, uint64(q.MinMbps)
	default: // compares node by node, or no numbers
		return
	}
	for _, x := range relax {
		if x.Changes[0].Field == field {
			r.Have = x.Changes[0].To
		}
	}
}

// fits says whether any plan exists for a changed request.
func (p *probe) fits(r *Request) bool {
	for a := range len(r.Alternatives) + 1 {
		q := p.ask(r, a, p.now, p.from, p.rotate, p.sc)
		found, ok := p.find(&q, a, &p.steps, false)
		if ok {
			return true
		}
		p.cut = p.cut || !found.exhaustive
	}
	return false
}

// setReason finds what the nodes that passed are charged with: limits on the set are put on one after the other until nothing fits.
func (p *probe) setReason(failed *plan) Reason {
	switch {
	case failed.lacks != 0:
		return failed.lacks
	case p.r.Replicas == 1:
		return ReasonCustom // only a plugin can stop a walk early
	case failed.room < int(p.r.Replicas) || p.roomInAll() < int(p.r.Replicas):
		return ReasonReplicas
	}
	free := p.r.shallow()
	free.Alternatives = nil
	free.MaxDelayMicros, free.MinMbps, free.AllowUnmeasured = 0, 0, true
	if !p.fits(free) {
		return ReasonSites
	}
	if p.r.MaxDelayMicros == 0 && p.r.MinMbps == 0 {
		return ReasonSites
	}
	if !p.r.AllowUnmeasured {
		free.AllowUnmeasured, free.MaxDelayMicros = false, maxDelayMicros
		if !p.fits(free) {
			return ReasonUnmeasured
		}
	}
	free.AllowUnmeasured, free.MaxDelayMicros = p.r.AllowUnmeasured, p.r.MaxDelayMicros
	if p.r.MaxDelayMicros != 0 && !p.fits(free) {
		return ReasonDelay
	}
	return ReasonBandwidth
}

// roomInAll counts how many replicas all nodes hold together, at most as many as are asked for: the search knows only a bound.
func (p *probe) roomInAll() int {
	q := p.ask(p.r, 0, p.now, p.from, p.rotate, p.sc)
	n := 0
	x := p.index
	x.start(&q.query, &p.sc.cursor)
	for i := x.next(&q.query, &p.sc.cursor); i >= 0 && n < q.replicas; i = x.next(&q.query, &p.sc.cursor) {
		n += p.nodeRoom(&q, i, q.replicas-n, p.sc)
	}
	return n
}

// largest is the most replicas that fit.
func (p *probe) largest() int {
	cut := p.cut
	p.cut = false
	low, high := 0, int(p.r.Replicas) // low fits, high does not
	r := p.r.shallow()
	for high-low > 1 {
		r.Replicas = uint16((low + high) / 2)
		r.MinSites = min(p.r.MinSites, uint8(min(int(r.Replicas), 255)))
		if p.fits(r) {
			low = int(r.Replicas)
		} else {
			high = int(r.Replicas)
		}
	}
	p.loose = p.cut
	p.cut = p.cut || cut
	return low
}

// refusals counts what keeps each node from the request itself; the nodes that pass by themselves are charged to the reason given.
func (c *call) refusals(r *Request, from int64, passed Reason) (out []Refusal, devices int) {
	q := c.ask(r, 0, c.now, from, c.rotate, c.sc)
	counted := c.index.census(&q.query)
	var by [lastReason + 1]Refusal
	for f := fieldDown; f < fieldNone; f++ {
		x, reason := &counted[f], reasonOf(f, &q)
		by[reason].Reason = reason
		by[reason].Nodes += int(x.nodes)
		by[reason].Devices += int(x.cards)
		devices += int(x.cards)
		by[reason].Have, by[reason].Need = uint64(x.have), q.needs(f)
	}
	rest := &counted[fieldNone]
	devices += int(rest.cards)
	if rest.nodes > 0 {
		c.refusalsBeyond(&q, passed, &by)
	}
	for _, x := range by {
		if x.Nodes > 0 {
			if x.Need == 0 && x.Reason != ReasonStanding {
				x.Have = 0
			}
			out = append(out, x)
		}
	}
	return out, devices
}

// refusalsBeyond charges the nodes that the index lets through.
func (c *call) refusalsBeyond(q *ask, passed Reason, by *[lastReason + 1]Refusal) {
	var free room
	var m member
	x := c.index
	x.start(&q.query, &c.sc.cursor)
	for i := x.next(&q.query, &c.sc.cursor); i >= 0; i = x.next(&q.query, &c.sc.cursor) {
		reason := passed
		if !q.plain || x.record(i).booked() {
			if own := c.beyond(q, i, c.sc, &free, &m); own != 0 {
				reason = own
			}
		}
		e := &by[reason]
		e.Reason = reason
		e.Nodes++
		e.Devices += x.record(i).cards()
	}
}

// reasonOf is the reason behind a filter of the index.
func reasonOf(f field, q *ask) Reason {
	if f == fieldCards && q.share != 0 {
		return ReasonShare
	}
	return [...]Reason{
		fieldDown: ReasonDown, fieldModel: ReasonModel, fieldMemory: ReasonMemory, fieldCountry: ReasonCountry, fieldConnectivity: ReasonConnectivity,
		fieldCompliance: ReasonCompliance, fieldAssurance: ReasonAssurance, fieldTier: ReasonTier, fieldStanding: ReasonStanding,
		fieldPrice: ReasonPrice, fieldSize: ReasonSize, fieldCards: ReasonCards, fieldCPU: ReasonCPU, fieldRAM: ReasonRAM, fieldDisk: ReasonDisk,
	}[f]
}

// needs is what the request asks of what a filter compares, 0 where it compares no numbers.
func (q *ask) needs(f field) uint64 {
	switch f {
	case fieldMemory:
		return q.r.MinMemoryMiB
	case fieldConnectivity:
		return uint64(q.connectivity)
	case fieldAssurance:
		return uint64(q.assurance)
	case fieldTier:
		return uint64(q.tier)
	case fieldStanding:
		return uint64(q.standing)
	case fieldPrice:
		return uint64(q.hour)
	case fieldSize, fieldCards:
		if q.share != 0 {
			return uint64(q.share)
		}
		return uint64(q.gpus)
	case fieldCPU:
		return uint64(q.takes.cpu)
	case fieldRAM:
		return uint64(q.takes.ram)
	case fieldDisk:
		return uint64(q.takes.disk)
	default:
		return 0
	}
}

// relax fills in the changes that would admit the request: of single fields, else of two, else of three.
func (p *probe) relax(e *UnplaceableError) {
	list := p.policy.Relax
	for _, f := range list {
		if x, ok := p.relaxation(e, []Field{f}); ok {
			e.Relax = append(e.Relax, x)
		}
	}
	for size := 2; size <= 3 && len(e.Relax) == 0; size++ {
		eachSubset(list, size, func(set []Field) bool {
			if slices.Contains(set, FieldReplicas) {
				return true // fewer replicas alone would have done
			}
			x, ok := p.relaxation(e, set)
			if ok {
				e.Relax = append(e.Relax, x)
			}
			return !ok && p.steps > 0
		})
	}
}

// eachSubset calls do with each subset of a size, in order, until it returns false.
func eachSubset(list []Field, size int, do func([]Field) bool) {
	at := make([]int, size)
	for i := range at {
		at[i] = i
	}
	for size <= len(list) {
		set := make([]Field, size)
		for i, k := range at {
			set[i] = list[k]
		}
		if !do(set) {
			return
		}
		i := size - 1
		for i >= 0 && at[i] == len(list)-size+i {
			i--
		}
		if i < 0 {
			return
		}
		at[i]++
		for k := i + 1; k < size; k++ {
			at[k] = at[k-1] + 1
		}
	}
}

// relaxation looks for the least changes of a set of fields that admit the request: all but one are lifted, and one after the other is brought back as far as
// possible. It is proven by a placement.
func (p *probe) relaxation(e *UnplaceableError, set []Field) (Relaxation, bool) {
	cut := p.cut
	p.cut = false
	defer func() { p.cut = p.cut || cut }()
	for _, f := range set {
		if !p.can(f, e) {
			return Relaxation{}, false
		}
	}
	r := p.r.shallow()
	for _, f := range set {
		r.set(f, f.limit(p, e))
		if r.get(f) == p.r.get(f) {
			return Relaxation{}, false // it has no limit
		}
	}
	if len(set) == 1 {
		if v, ok, asked := p.loosest(p.r, set[0]); asked {
			if !ok {
				return Relaxation{}, false // no node passes without this limit
			}
			own := p.r.shallow()
			own.set(set[0], v)
			if out, ok := p.proven(own, set[:1]); ok {
				out.Minimal = true // no node that passes all else comes closer
				return out, true
			}
		}
	}
	if !p.fits(r) {
		return Relaxation{}, false
	}
	for _, f := range set {
		p.tighten(r, f, e)
		if r.get(f) == p.r.get(f) {
			return Relaxation{}, false // the others do without it
		}
	}
	out, ok := p.proven(r, set)
	out.Minimal = !p.cut && (set[0] != FieldReplicas || !p.loose)
	return out, ok
}

// proven is the relaxation that changes a set of fields to what they are in r, with its proof.
func (p *probe) proven(r *Request, set []Field) (out Relaxation, ok bool) {
	for _, f := range set {
		out.Changes = append(out.Changes, Change{Field: f, From: p.r.get(f), To: r.get(f)})
	}
	// The witness is searched with steps of its own: a proof that was found must not be lost to an empty purse.
	steps := p.policy.SearchSteps
	for a := range len(r.Alternatives) + 1 {
		if w, ok := p.placeAt(r, a, p.from, &steps); ok {
			out.Placement = p.placement(&w)
			return out, true
		}
	}
	return Relaxation{}, false
}

// can says whether a change of a field could help at all.
func (p *probe) can(f Field, e *UnplaceableError) bool {
	switch f {
	case FieldSites:
		return p.r.Replicas > 1 && p.r.sites() < 255
	case FieldDelay, FieldMbps:
		return p.r.Replicas > 1 && p.r.sites() > 1 && p.r.get(f) != 0
	case FieldReplicas:
		return e.Largest > 0
	case FieldStanding, FieldConnectivity, FieldTier, FieldAssurance, FieldPrice:
		return p.r.get(f) != 0
	}
	return false
}

// limit is the loosest value of a field that is tried.
func (f Field) limit(p *probe, e *UnplaceableError) uint64 {
	switch f {
	case FieldReplicas:
		return uint64(e.Largest)
	case FieldSites:
		return uint64(max(p.r.sites(), min(255, len(p.sites.list))))
	case FieldDelay:
		return maxDelayMicros
	case FieldMbps:
		return 1
	case FieldPrice:
		return maxHourMicro
	case FieldStanding, FieldConnectivity, FieldTier, FieldAssurance:
	}
	return 0
}

// tighten brings a field back from its loosest value as far as the request still fits: what fits under a limit fits under a looser one.
func (p *probe) tighten(r *Request, f Field, e *UnplaceableError) {
	from, loose := p.r.get(f), f.limit(p, e)
	if f == FieldReplicas {
		return
	}
	if v, ok, _ := p.loosest(r, f); ok {
		if r.set(f, v); p.fits(r) {
			return // the index knows the closest value of any node, and it does
		}
	}
	// fits(loose) is known, fits(from) is known not to be: from here on both are kept so.
	low, high := min(from, loose), max(from, loose)
	for high-low > 1 {
		mid := low + (high-low)/2
		if r.set(f, mid); p.fits(r) == (loose > from) {
			high = mid
		} else {
			low = mid
		}
	}
	if loose > from {
		r.set(f, high)
	} else {
		r.set(f, low)
	}
}

// loosest asks the index for the value of a field closest to the request's among the nodes that pass all else; only where one node decides.
func (p *probe) loosest(r *Request, f Field) (value uint64, ok, asked bool) {
	if r.Replicas != 1 || len(r.Alternatives) > 0 {
		return 0, false, false
	}
	own := r.shallow()
	own.set(f, p.r.get(f))
	q := p.ask(own, 0, p.now, p.from, p.rotate, p.sc)
	if !q.plain {
		return 0, false, false
	}
	var v uint32
	switch f {
	case FieldStanding:
		v, ok = p.index.loosest(&q.query, fieldStanding)
	case FieldConnectivity:
		v, ok = p.index.loosest(&q.query, fieldConnectivity)
	case FieldTier:
		v, ok = p.index.loosest(&q.query, fieldTier)
	case FieldAssurance:
		v, ok = p.index.loosest(&q.query, fieldAssurance)
	case FieldPrice:
		v, ok = p.index.loosest(&q.query, fieldPrice)
	case FieldSites, FieldDelay, FieldMbps, FieldReplicas:
		return 0, false, false
	}
	return uint64(v), ok, true
}
