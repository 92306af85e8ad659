package sched

// plan is a Placement in the fleet's numbers.
type plan struct {
	members    []member
	sites      int
	delay      uint32
	exhaustive bool

	eligible, room int
	best           int32 // the site with the most room, -1 if none
	bestRoom       int
}

// Try returns where a request would go now, and changes nothing. The error is one that wraps ErrInvalid, or *UnplaceableError.
// It does not look whether the job was submitted before.
func (f *Fleet) Try(r Request) (Placement, error) {
	if err := f.check(&r); err != nil {
		return Placement{}, err
	}
	p, err := f.place(&r)
	if err != nil {
		return Placement{}, err
	}
	return f.placement(p), nil
}

func (f *Fleet) place(r *Request) (plan, error) {
	q := f.ask(r)
	steps := f.policy.SearchSteps
	p, ok := f.search(&q, &steps, true)
	if !ok {
		return plan{}, f.explain(r, &q, p)
	}
	return p, nil
}

// search finds the best plan, or with best false any plan; steps counts down. Where it finds none the plan still says what
// was seen, and by exhaustive that there is none.
func (f *Fleet) search(q *ask, steps *uint32, best bool) (plan, bool) {
	if q.replicas == 1 {
		return f.single(q)
	}
	return f.gang(q, steps, best)
}

// single takes the best node by the policy's order.
func (f *Fleet) single(q *ask) (plan, bool) {
	p := plan{exhaustive: true, best: -1}
	choice := int32(-1)
	for i := range f.rows {
		if q.charge(&f.rows[i]) != 0 {
			continue
		}
		p.eligible++
		if choice < 0 || f.compare(int32(i), choice) < 0 {
			choice = int32(i)
		}
	}
	p.room = p.eligible // one replica each: more were not asked for
	if choice < 0 {
		return p, false
	}
	r := &f.rows[choice]
	p.members = []member{{choice, lowest(r.free, q.gpus), r.hour}}
	p.sites, p.best, p.bestRoom = 1, r.site, 1
	return p, true
}

// placement is the public form of a plan.
func (f *Fleet) placement(p plan) Placement {
	out := Placement{
		Sites: p.sites, DelayMicros: p.delay, Exhaustive: p.exhaustive,
		Terms: Terms{Considered: len(f.rows), Eligible: p.eligible, Room: p.room, BestSite: f.sites.list[p.best], BestRoom: p.bestRoom},
	}
	out.Members, out.HourMicro = f.members(p.members)
	return out
}
