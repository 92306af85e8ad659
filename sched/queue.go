package sched

import (
	"cmp"
	"slices"
	"time"
)

// attempt is what one try to begin a waiting job costs of the steps for one service of the queue, beside those of its search.
const attempt = 50

// wait puts a job into the queue.
func (f *Fleet) wait(now int64, r *Request, why *UnplaceableError) ([]Effect, error) {
	if uint64(len(f.queue)) >= uint64(f.policy.MaxQueue) {
		return nil, ErrQueueFull
	}
	f.forget(now)
	slot := f.enqueueJob(now, r, 0)
	l := f.leases.ref(slot)
	out := Queued{Lease: leaseID(l.seq), Job: r.Job, Why: why}
	f.breakPromises()
	if f.promised(slot) && f.promise(now, slot) {
		out.Earliest = moment(f.leases.ref(slot).from)
	}
	return []Effect{out}, nil
}

// enqueueJob makes a lease that waits, with the ticket of the lease that the job had before, if it had one.
func (f *Fleet) enqueueJob(now int64, r *Request, ticket uint64) int32 {
	l := f.newLease(r, &plan{from: now})
	l.state, l.request = StateWaiting, r.clone()
	if ticket != 0 {
		l.ticket = ticket
	}
	slot := f.store(l)
	f.stale = f.stale && len(f.queue) > 0
	i, _ := slices.BinarySearchFunc(f.queue, slot, f.queueOrder)
	f.queue = slices.Insert(f.queue, i, slot)
	return slot
}

// queueOrder is the higher priority first, then who came first.
func (f *Fleet) queueOrder(a, b int32) int {
	x, y := f.leases.ref(a), f.leases.ref(b)
	return cmp.Or(cmp.Compare(y.priority, x.priority), cmp.Compare(x.ticket, y.ticket), cmp.Compare(x.seq, y.seq))
}

// promised says whether a waiting job is to have a beginning that others must not move.
func (f *Fleet) promised(slot int32) bool {
	switch f.policy.Backfill {
	case BackfillAll:
		return true
	case BackfillFirst:
		return f.queue[0] == slot
	case BackfillNone:
	}
	return false
}

// breakPromises takes back what jobs were promised that are to have no promise any more, because others came before them.
func (f *Fleet) breakPromises() {
	for _, slot := range f.queue {
		if len(f.leases.ref(slot).members) > 0 && !f.promised(slot) {
			f.unassign(slot)
		}
	}
}

// promise books the first stretch at which a waiting job fits, if one is found.
func (f *Fleet) promise(now int64, slot int32) bool {
	r := f.leases.ref(slot).request
	c := f.call(now)
	from, latest := c.window(r)
	if r.NotAfter.IsZero() {
		latest = from + int64(f.policy.MaxAheadSeconds)*second
	}
	p, ok := c.earliest(r, from, latest)
	if !ok {
		return false
	}
	f.assign(slot, r, &p)
	return true
}

// assign gives a waiting job a place in the calendar.
func (f *Fleet) assign(slot int32, r *Request, p *plan) {
	fresh := f.newLease(r, p)
	f.detach(slot)
	l := f.leases.edit(slot)
	l.from, l.until, l.members, l.spares = fresh.from, fresh.until, fresh.members, fresh.spares
	l.gpus, l.alternative = fresh.gpus, fresh.alternative
	f.attach(slot)
	f.requeue(slot)
}

// unassign takes a waiting job's promise back.
func (f *Fleet) unassign(slot int32) {
	f.detach(slot)
	l := f.leases.edit(slot)
	l.members, l.spares = nil, 0
	f.requeue(slot)
}

// serve begins what waits and fits, in order of the queue, and renews promises. It does nothing unless something changed that waiting jobs may need, or a
// promise has come due.
func (f *Fleet) serve(now int64) (effects []Effect) {
	if !f.stale && !slices.ContainsFunc(f.queue, func(slot int32) bool { return f.ripe(slot, now) }) {
		return nil
	}
	f.breakPromises()
	purse := int64(f.policy.SearchSteps)
	for _, slot := range slices.Clone(f.queue) {
		l := f.leases.ref(slot)
		r := l.request
		if !r.NotAfter.IsZero() && now > r.NotAfter.UnixNano() {
			effects = append(effects, f.giveUp(slot, now, CauseLate))
			continue
		}
		if purse -= attempt; purse <= 0 {
			return effects // and stale stays, so that the next tick goes on
		}
		if leased, ok := f.beginWaiting(now, slot, &purse); ok {
			effects = append(effects, leased)
		}
	}
	f.stale = false
	return effects
}

// ripe says whether a promise has come due, or the last instant of a waiting job has passed.
func (f *Fleet) ripe(slot int32, now int64) bool {
	l := f.leases.ref(slot)
	return len(l.members) > 0 && l.from <= now || !l.request.NotAfter.IsZero() && now > l.request.NotAfter.UnixNano()
}

// beginWaiting tries to place a waiting job now, and renews its promise where it does not fit.
func (f *Fleet) beginWaiting(now int64, slot int32, purse *int64) (Leased, bool) {
	l := f.leases.ref(slot)
	r, promised := l.request, f.promised(slot)
	if len(l.members) > 0 {
		f.unassign(slot)
	}
	c := f.call(now)
	from, _ := c.window(r)
	for a := range len(r.Alternatives) + 1 {
		steps := f.policy.SearchSteps
		p, ok := c.placeAt(r, a, from, &steps)
		*purse -= int64(f.policy.SearchSteps - steps)
		if ok {
			return f.fromQueue(now, slot, r, &p), true
		}
	}
	if promised {
		f.promise(now, slot)
	}
	return Leased{}, false
}

// fromQueue makes a running or booked lease of one that waited.
func (f *Fleet) fromQueue(now int64, slot int32, r *Request, p *plan) Leased {
	public := f.placement(p)
	if i := slices.Index(f.queue, slot); i >= 0 {
		f.queue = slices.Delete(f.queue, i, i+1)
	}
	f.detach(slot)
	fresh := f.newLease(r, p)
	l := f.leases.edit(slot)
	fresh.seq, fresh.ticket, fresh.heapAt = l.seq, l.ticket, l.heapAt
	fresh.state, fresh.active = StateRunning, true
	if fresh.from > now {
		fresh.state, fresh.active = StateBooked, false
	}
	*l = fresh
	f.attach(slot)
	f.requeue(slot)
	return Leased{Lease: f.lease(slot), Placement: public}
}

// Queue lists the jobs that wait, in the order in which they are served.
func (s *state) waiting(queue []int32) []Lease {
	out := make([]Lease, len(queue))
	for i, slot := range queue {
		out[i] = s.lease(slot)
		if len(out[i].Members) == 0 {
			out[i].From, out[i].Until = time.Time{}, time.Time{}
		}
	}
	return out
}
