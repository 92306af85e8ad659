package sched

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// reclaimed is a node that its supplier takes back.
type reclaimed struct {
	at   int64
	node int32
	join uint32 // the node's number in the order of joining
}

func (r reclaimed) compare(o reclaimed) int {
	return cmp.Or(cmp.Compare(r.at, o.at), cmp.Compare(r.join, o.join))
}

func (f *Fleet) reclaim(now int64, id NodeID) ([]Effect, error) {
	i, err := f.upNode(id)
	if err != nil {
		return nil, err
	}
	if f.reclaimAt.at(i) != 0 {
		return nil, nil // announced already: the first instant counts
	}
	x := reclaimed{now + int64(f.policy.ReclaimNoticeSeconds)*second, i, f.nodes.at(i).joined}
	*f.reclaimAt.edit(i) = x.at
	at, _ := slices.BinarySearchFunc(f.reclaims, x, reclaimed.compare)
	f.reclaims = slices.Insert(f.reclaims, at, x)
	f.mark(i)
	var effects []Effect
	for _, slot := range f.holders(i) {
		if l := f.leases.edit(slot); l.notice == 0 && l.until > x.at && l.state != StateWaiting {
			l.notice, l.noticeAt = CauseReclaimed, x.at
			effects = append(effects, Notified{Lease: leaseID(l.seq), Cause: CauseReclaimed, At: moment(x.at)})
		}
	}
	return effects, nil
}

// holders lists the leases with members on a node, in order of their numbers.
func (f *Fleet) holders(i int32) (slots []int32) {
	for e := f.index.row(i).booking; e != 0; {
		x := f.entries.at(e - 1)
		slots, e = append(slots, x.slot), x.next
	}
	slices.SortFunc(slots, func(a, b int32) int { return cmp.Compare(f.leases.ref(a).seq, f.leases.ref(b).seq) })
	return slices.Compact(slots)
}

// lose takes a node's members from all leases as of an instant, which may be noticed only now: the node takes no jobs any more. What can be
// replaced is, from now on, since others may have had meanwhile what is free now.
func (f *Fleet) lose(at, now int64, i int32, cause Cause) (effects []Effect) {
	f.setUp(i, false)
	if f.reclaimAt.at(i) != 0 {
		f.reclaims = slices.DeleteFunc(f.reclaims, func(x reclaimed) bool { return x.node == i })
		*f.reclaimAt.edit(i) = 0
		f.mark(i)
	}
	if f.nodes.at(i).present() {
		f.nodes.edit(i).flag(nodeDraining, true)
	}
	for _, slot := range f.holders(i) {
		l := f.leases.ref(slot)
		switch {
		case l.state == StateWaiting:
			f.unassign(slot)
			f.stale = true
		case l.state == StateHeld && l.ttl <= at:
			effects = append(effects, f.giveUp(slot, l.ttl, CauseExpired))
		case l.state == StateHeld:
			effects = append(effects, f.giveUp(slot, at, cause))
		case l.end() <= at:
			effects = append(effects, f.end(slot, at, CauseExpired))
		default:
			effects = append(effects, f.replace(at, now, slot, i, cause)...)
		}
	}
	return effects
}

// replace finds others for the members of a lease that stood on a node.
func (f *Fleet) replace(at, now int64, slot, node int32, cause Cause) []Effect {
	l := f.leases.ref(slot)
	fresh := slices.Clone(l.members)
	n := len(fresh) - int(l.spares)
	ranks, out := f.spareTakes(fresh, n, node)
	var missing []int // ranks that no spare took
	for k, rank := range ranks {
		if !out.took[k] {
			missing = append(missing, rank)
		}
	}
	var relaxed []Change
	if len(missing) > 0 {
		var found []member
		var ok bool
		if found, relaxed, ok = f.reform(now, slot, fresh, missing, out.gone, node); !ok {
			return f.giveBack(at, now, slot, cause)
		}
		for k, rank := range missing {
			fresh[rank] = found[k]
		}
	}
	effect := Replaced{Cause: cause, FromSpares: len(ranks) - len(missing), Relaxed: relaxed}
	effect.Lost, _ = f.members(out.lost, 0)
	past := slices.Clone(l.past)
	for k := range out.lost {
		if l.from < at {
			past = f.meterOne(past, l, &out.lost[k], at)
		}
	}
	// What is left of the spares closes ranks.
	members := slices.Clone(fresh[:n])
	for k := n; k < len(fresh); k++ {
		if !out.gone[k] {
			members = append(members, fresh[k])
		}
	}
	f.detach(slot)
	e := f.leases.edit(slot)
	e.members, e.spares, e.past = members, int32(len(members)-n), past
	if e.notice == CauseReclaimed {
		e.notice, e.noticeAt = f.otherReclaim(e)
	}
	f.attach(slot)
	effect.Lease = f.lease(slot)
	for k, rank := range ranks {
		effect.Lost[k].Rank = rank
		effect.New = append(effect.New, effect.Lease.Members[rank])
	}
	for k := len(ranks); k < len(effect.Lost); k++ {
		effect.Lost[k].Rank = n + k - len(ranks) // spares that were lost and are not replaced
	}
	return []Effect{effect}
}

// otherReclaim returns the notice that a lease still has because of another node.
func (f *Fleet) otherReclaim(l *lease) (Cause, int64) {
	first := int64(math.MaxInt64)
	for k := range l.members {
		if t := f.reclaimAt.at(l.members[k].node); t != 0 && t < l.until {
			first = min(first, t)
		}
	}
	if first == math.MaxInt64 {
		return 0, 0
	}
	return CauseReclaimed, first
}

// takeover says which spares took which ranks.
type takeover struct {
	lost []member // in order of rank; lost spares follow
	took []bool   // by lost rank: whether a spare took it
	gone []bool   // by place in members: spares that took a rank, or were lost
}

// spareTakes gives the ranks lost with a node to the spares that are left, in order, and lists those ranks.
func (f *Fleet) spareTakes(members []member, n int, node int32) (ranks []int, out takeover) {
	out.gone = make([]bool, len(members))
	for k := range members {
		if members[k].node != node {
			continue
		}
		out.lost = append(out.lost, members[k])
		if k < n {
			ranks = append(ranks, k)
		} else {
			out.gone[k] = true
		}
	}
	next := n
	for _, rank := range ranks {
		for next < len(members) && out.gone[next] {
			next++
		}
		took := next < len(members)
		if took {
			members[rank], out.gone[next] = members[next], true
		}
		out.took = append(out.took, took)
	}
	return ranks, out
}

// siteHeld is how many replicas of a lease stay at a site.
type siteHeld struct{ site, replicas int32 }

// staying is what a lease that is re-formed keeps.
type staying struct {
	sites []int32    // of members and spares, ascending
	held  []siteHeld // by site: the replicas, spares not counted
	nodes []int32
	owner int32 // of the members, -1 if none stays
}

// stays lists what stays of the first n members and of the spares after them.
func (f *Fleet) stays(members []member, n int, missing []int, gone []bool, node int32) staying {
	out := staying{owner: -1}
	for k := range members {
		if members[k].node == node || gone[k] || slices.Contains(missing, k) {
			continue
		}
		i := members[k].node
		at := f.siteNumber(i)
		out.nodes, out.owner = append(out.nodes, i), f.index.row(i).supplier
		out.sites = append(out.sites, at)
		if k >= n {
			continue
		}
		if j := slices.IndexFunc(out.held, func(h siteHeld) bool { return h.site == at }); j >= 0 {
			out.held[j].replicas++
		} else {
			out.held = append(out.held, siteHeld{at, 1})
		}
	}
	slices.Sort(out.sites)
	out.sites = slices.Compact(out.sites)
	return out
}

// reform looks for as many new members as are missing, beside those that stay and under the same limits; then without those that the
// request may do without.
func (f *Fleet) reform(now int64, slot int32, members []member, missing []int, gone []bool, node int32) (found []member, relaxed []Change, ok bool) {
	l := f.leases.ref(slot)
	if l.request == nil || !l.request.Reform || l.end() <= now {
		return nil, nil, false
	}
	stay := f.stays(members, len(members)-int(l.spares), missing, gone, node)
	r := l.request.clone()
	r.Replicas, r.Spares, r.MinSurvivalPPM = uint16(len(missing)), 0, 0
	for step := -1; step < len(r.MayRelax); step++ {
		if step >= 0 {
			field := r.MayRelax[step]
			relaxed = append(relaxed, Change{Field: field, From: r.get(field), To: field.loosest()})
			r.set(field, field.loosest())
			if field == FieldDelay || field == FieldMbps {
				r.AllowUnmeasured = r.MaxDelayMicros == 0 && r.MinMbps == 0
			}
		}
		if p, ok := f.beside(now, l, r, &stay); ok {
			found = slices.Clone(p.members)
			for k := range found {
				found[k].since = max(now, l.from)
			}
			return found, relaxed, true
		}
	}
	return nil, nil, false
}

// beside looks for replicas beside what stays of a lease, for the rest of its time.
func (f *Fleet) beside(now int64, l *lease, r *Request, stay *staying) (plan, bool) {
	c := f.call(now)
	q := c.ask(r, int(l.alternative), now, max(now, l.from), f.rotate, c.sc)
	q.until, q.held = l.until, stay.held
	if r.ApartNodes {
		q.apart = slices.Concat([]int32{-1}, q.apart, stay.nodes)
		slices.Sort(q.apart)
		q.plain = false
	}
	steps := f.policy.SearchSteps
	switch {
	case r.OneSupplier && stay.owner >= 0:
		q.suppliers, q.plain = []int32{stay.owner}, false
	case r.OneSupplier:
		return c.oneSupplier(&q, int(l.alternative), &steps)
	case r.ApartSuppliers:
		var taken []int32
		for _, i := range stay.nodes {
			taken = append(taken, f.index.row(i).supplier)
		}
		return c.eachSupplier(&q, int(l.alternative), stay.sites, taken, &steps)
	}
	return c.gang(&q, q.replicas, stay.sites, c.sc, &steps, true)
}

// giveBack ends a lease that lost, at an instant, what cannot be replaced; its job waits for another one if it may.
func (f *Fleet) giveBack(at, now int64, slot int32, cause Cause) []Effect {
	l := f.leases.ref(slot)
	r, priority, from, ticket := l.request, l.priority, l.from, l.ticket
	rest := l.until - max(at, from)
	ended := f.end(slot, at, cause)
	effects := []Effect{ended}
	if r == nil || !r.Queue || !r.Reform || uint64(len(f.queue)) >= uint64(f.policy.MaxQueue) {
		return effects
	}
	again := r.clone()
	again.Duration = roundUp(rest)
	again.Priority = priority
	again.NotBefore, again.NotAfter = time.Time{}, time.Time{} // the window that it asked for was met
	if from > now {
		again.NotBefore = moment(from)
	}
	f.recent = slices.DeleteFunc(f.recent, func(e endedJob) bool { return e.job == r.Job })
	next := f.enqueueJob(now, again, ticket)
	f.stale = true
	return append(effects, Requeued{Lease: leaseID(f.leases.ref(next).seq), Job: r.Job})
}

// roundUp is a stretch in whole seconds, at least one.
func roundUp(v int64) time.Duration {
	return time.Duration(max(1, (v+second-1)/second)) * time.Second
}
