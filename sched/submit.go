package sched

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Try returns where a request would go now, and changes nothing. The error is one that wraps ErrInvalid, or *UnplaceableError.
// It does not look whether the job was submitted before, and it preempts nothing.
func (f *Fleet) Try(r Request) (Placement, error) { return f.try(&r, f.rotate, &f.scratch, &f.due) }

func (s *state) try(r *Request, rotate uint32, sc *scratch, due *dueHeap) (Placement, error) {
	if err := s.check(r); err != nil {
		return Placement{}, err
	}
	c := &call{state: s, now: s.now, rotate: rotate, sc: sc, due: due}
	p, err := c.place(r)
	if err != nil {
		return Placement{}, err
	}
	return s.placement(&p), nil
}

// call is one decision: what it may use and how much.
type call struct {
	*state
	now    int64
	rotate uint32
	sc     *scratch
	due    *dueHeap // leases by what is due next
}

func (f *Fleet) call(now int64) *call {
	f.calling = call{state: &f.state, now: now, rotate: f.rotate, sc: &f.scratch, due: &f.due}
	return &f.calling
}

// place looks for a place within the request's window. The plan's members are good until the next search. The error is *UnplaceableError.
func (c *call) place(r *Request) (plan, error) {
	from, latest := c.window(r)
	var first plan
	for a := range len(r.Alternatives) + 1 {
		steps := c.policy.SearchSteps
		p, ok := c.placeAt(r, a, from, &steps)
		if ok {
			return p, nil
		}
		if a == 0 {
			first = p
		}
	}
	if latest > from {
		if p, ok := c.earliest(r, from, latest); ok {
			return p, nil
		}
	}
	return plan{}, c.explain(r, from, &first)
}

// window returns the first and the last instant at which a lease may begin.
func (c *call) window(r *Request) (from, latest int64) {
	from = c.now
	if !r.NotBefore.IsZero() {
		from = max(from, r.NotBefore.UnixNano())
	}
	if r.NotAfter.IsZero() {
		return from, from
	}
	return from, max(from, r.NotAfter.UnixNano())
}

// placeAt looks for a place of one alternative from one instant on, spares included.
func (c *call) placeAt(r *Request, alternative int, from int64, steps *uint32) (plan, bool) {
	q := &c.sc.ask
	*q = c.ask(r, alternative, c.now, from, c.rotate, c.sc)
	return c.find(q, alternative, steps, true)
}

// search finds the best plan, or with best false any plan; steps counts down. Where it finds none the plan still says what was seen, and by
// exhaustive that there is none.
func (c *call) search(q *ask, alternative int, steps *uint32, best bool) (plan, bool) {
	var p plan
	var ok bool
	if q.replicas == 1 {
		p, ok = c.single(q, c.sc)
	} else {
		p, ok = c.gang(q, q.replicas, nil, c.sc, steps, best)
	}
	p.alternative, p.seconds = alternative, (q.until-q.from)/second
	if !ok || q.r.Spares == 0 && q.r.MinSurvivalPPM == 0 {
		return p, ok
	}
	return c.withSpares(q, p, steps)
}

// placement is the public form of a plan.
func (s *state) placement(p *plan) Placement {
	out := s.placementOf(p)
	n := len(p.members) - p.spares
	var a, b uint64
	out.Members, a = s.members(p.members[:n], 0)
	out.Spares, b = s.members(p.members[n:], n)
	out.HourMicro = a + b
	return out
}

// placementOf is placement without the members.
func (s *state) placementOf(p *plan) Placement {
	out := Placement{
		From: moment(p.from), Alternative: p.alternative, Sites: p.sites, DelayMicros: p.delay, SurvivalPPM: p.survival, Exhaustive: p.exhaustive,
		Terms: Terms{Considered: s.known, Compared: p.compared, Lost: p.lost, Had: p.had, Won: p.won, BestRoom: p.bestRoom},
	}
	if p.next >= 0 {
		out.Terms.RunnerUp = s.ids.nodeID(p.next)
	}
	switch {
	case p.best >= 0:
		out.Terms.BestSite = s.sites.list[p.best]
	case len(p.members) == 1:
		out.Terms.BestSite = s.siteOf(p.members[0].node)
	}
	if out.SurvivalPPM == 0 {
		out.SurvivalPPM = s.survival(p.members, len(p.members)-p.spares, p.seconds)
	}
	return out
}

// of fills in the members of a placement from its lease.
func (p *Placement) of(l *Lease) {
	p.Members, p.Spares, p.HourMicro = slices.Clone(l.Members), slices.Clone(l.Spares), l.HourMicro
}

func (f *Fleet) submitted(now int64, r *Request) ([]Effect, error) {
	if err := f.fresh(now, r); err != nil {
		return nil, err
	}
	p, err := f.call(now).place(r)
	if err != nil {
		return f.otherwise(now, r, err)
	}
	return []Effect{f.grant(now, r, &p)}, nil
}

// otherwise is what becomes of a job that cannot be placed now: spot leases make room for it, or it waits, or it is refused.
func (f *Fleet) otherwise(now int64, r *Request, why error) ([]Effect, error) {
	if r.Class == Reserved {
		if effects, ok := f.preempt(now, r); ok {
			return effects, nil
		}
	}
	var u *UnplaceableError
	if r.Queue && errors.As(why, &u) && f.couldFit(now, r) {
		return f.wait(now, r, u)
	}
	return nil, why
}

// couldFit says whether a request may ever fit: where all that is there were free, or something that is down or drained may come back. What cannot is
// refused and does not wait.
func (f *Fleet) couldFit(now int64, r *Request) bool {
	c := f.call(now)
	from, _ := c.window(r)
	for a := range len(r.Alternatives) + 1 {
		q := c.ask(r, a, now, from+1, f.rotate, c.sc)
		if able, _ := c.ableNodes(&q); able {
			return true
		}
	}
	if f.up < f.known {
		return true
	}
	for i := range f.nodes.len() { // last, since it looks at all
		if f.nodes.at(i).draining() {
			return true
		}
	}
	return false
}

// fresh checks a request and that its job is not known.
func (f *Fleet) fresh(now int64, r *Request) error {
	was := f.now
	f.now = now // bounds on times are from the event on
	err := f.check(r)
	f.now = was
	if err != nil {
		return err
	}
	if f.duplicate(r.Job, now) {
		return fmt.Errorf("%w: %q", ErrDuplicateJob, r.Job)
	}
	return nil
}

// grant makes a lease of a plan.
func (f *Fleet) grant(now int64, r *Request, p *plan) Leased {
	f.forget(now)
	l := f.newLease(r, p)
	l.state, l.active = StateRunning, true
	if l.from > now {
		l.state, l.active = StateBooked, false
	}
	out := Leased{Placement: f.placementOf(p)}
	out.Lease = f.lease(f.store(l))
	out.Placement.of(&out.Lease)
	return out
}

func (f *Fleet) hold(now int64, e *Hold) ([]Effect, error) {
	r := &e.Request
	ttl := e.TTL
	if ttl == 0 {
		ttl = time.Duration(f.policy.HoldSeconds) * time.Second
	}
	if ttl < time.Second || ttl%time.Second != 0 || ttl > time.Duration(f.policy.MaxHoldSeconds)*time.Second {
		return nil, invalid("Hold.TTL %v: want whole seconds, at most %d", e.TTL, f.policy.MaxHoldSeconds)
	}
	if j, ok := f.jobs[r.Job]; ok && j.running {
		if l := f.leases.ref(j.slot); l.state == StateHeld && l.ttl > now {
			return []Effect{f.held(j.slot)}, nil
		}
	}
	if err := f.fresh(now, r); err != nil {
		return nil, err
	}
	p, err := f.call(now).place(r)
	if err != nil {
		return nil, err
	}
	f.forget(now)
	l := f.newLease(r, &p)
	l.state, l.ttl, l.active = StateHeld, min(until(now, ttl), l.until), l.from <= now
	out := Held{Placement: f.placementOf(&p), Until: moment(l.ttl)}
	out.Lease = f.lease(f.store(l))
	out.Placement.of(&out.Lease)
	return []Effect{out}, nil
}

// held tells of a hold again; its placement is then only what the lease says.
func (f *Fleet) held(slot int32) Held {
	l := f.leases.ref(slot)
	out := Held{Lease: f.lease(slot), Until: moment(l.ttl)}
	out.Placement = Placement{
		Members: out.Lease.Members, Spares: out.Lease.Spares, From: out.Lease.From, Alternative: int(l.alternative), HourMicro: out.Lease.HourMicro,
	}
	n := len(l.members) - int(l.spares)
	out.Placement.Sites, _ = f.span(l.members[:n])
	_, out.Placement.DelayMicros = f.span(l.members)
	out.Placement.SurvivalPPM = f.survival(l.members, n, (l.until-l.from)/second)
	return out
}

func (f *Fleet) commit(now int64, id LeaseID) ([]Effect, error) {
	slot, ok := f.slotOf(id)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownLease, id)
	}
	l := f.leases.edit(slot)
	switch {
	case l.state == StateWaiting:
		return nil, fmt.Errorf("%w: %q waits", ErrUnknownLease, id)
	case l.state == StateHeld && now >= l.ttl:
		return nil, fmt.Errorf("%w: %q at %s", ErrHoldExpired, id, moment(l.ttl).Format(time.RFC3339Nano))
	case l.state == StateHeld:
		l.state, l.ttl = StateBooked, 0
		if l.active {
			l.state = StateRunning
		}
		f.requeue(slot)
	}
	held := f.held(slot)
	return []Effect{Leased{Lease: held.Lease, Placement: held.Placement}}, nil
}

func (f *Fleet) release(now int64, id LeaseID) ([]Effect, error) {
	slot, ok := f.slotOf(id)
	if !ok || f.leases.ref(slot).state != StateHeld && f.leases.ref(slot).state != StateWaiting {
		return nil, fmt.Errorf("%w: %q", ErrUnknownLease, id)
	}
	cause := CauseReleased
	if l := f.leases.ref(slot); l.state == StateHeld && now >= l.ttl {
		now, cause = l.ttl, CauseExpired
	}
	return []Effect{f.giveUp(slot, now, cause)}, nil
}

// giveUp takes back what is held or waits. Its job may be submitted again at once: nothing ran.
func (f *Fleet) giveUp(slot int32, _ int64, cause Cause) HoldEnded {
	l := f.leases.ref(slot)
	out := HoldEnded{Lease: leaseID(l.seq), Job: l.job, Cause: cause}
	if i := slices.Index(f.queue, slot); i >= 0 {
		f.queue = slices.Delete(f.queue, i, i+1)
	}
	delete(f.jobs, l.job)
	f.ended++
	f.drop(slot)
	return out
}

func (f *Fleet) finished(now int64, id LeaseID) ([]Effect, error) {
	slot, ok := f.begun(id)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownLease, id)
	}
	l := f.leases.ref(slot)
	cancelled, job := l.class == Reserved && now < l.from, l.job
	effects := []Effect{f.end(slot, now, CauseFinished)}
	if cancelled {
		effects = append(effects, f.liftFor(now, job)...)
	}
	return effects, nil
}

// begun returns the slot of a lease that was granted, running or booked.
func (f *Fleet) begun(id LeaseID) (int32, bool) {
	slot, ok := f.slotOf(id)
	if !ok {
		return 0, false
	}
	state := f.leases.ref(slot).state
	return slot, state == StateBooked || state == StateRunning
}

func (f *Fleet) extend(now int64, e Extend) ([]Effect, error) {
	slot, ok := f.begun(e.Lease)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownLease, e.Lease)
	}
	l := f.leases.ref(slot)
	if now >= l.end() {
		return nil, fmt.Errorf("%w: %q is over", ErrUnknownLease, e.Lease)
	}
	if e.By < time.Second || e.By%time.Second != 0 || int64(e.By) > math.MaxInt64-l.until ||
		l.until+int64(e.By)-l.from > int64(f.policy.MaxDurationSeconds)*second {
		return nil, invalid("Extend.By %v: want whole seconds, and a lease of at most %d s", e.By, f.policy.MaxDurationSeconds)
	}
	if err := f.conflict(now, slot, l.until, l.until+int64(e.By), true); err != nil {
		return nil, err
	}
	f.leases.edit(slot).until += int64(e.By)
	f.requeue(slot)
	return []Effect{Extended{Lease: e.Lease, Until: moment(f.leases.ref(slot).until)}}, nil
}

// conflict says what keeps a lease from holding all that it has in [from, until), too; nil if nothing does. That a node is taken back before counts
// only if that is asked for.
func (f *Fleet) conflict(now int64, slot int32, from, until int64, reclaims bool) error {
	l := f.leases.ref(slot)
	from = max(from, l.from)
	latest, node, with := until, int32(-1), (*lease)(nil)
	for k := range l.members {
		i := l.members[k].node
		if t := f.reclaimAt.at(i); reclaims && t != 0 && t < latest {
			latest, node, with = max(t, from), i, nil
		}
		for e := f.index.row(i).booking; e != 0; {
			x := f.entries.at(e - 1)
			e = x.next
			// What is free shrinks only where something begins. Of those that are in the way at one instant the last to begin is named.
			o := f.leases.ref(x.slot)
			at := max(o.from, from)
			if x.slot == slot || at > latest || at >= until || o.end() <= at || f.bothAt(now, slot, i, at) {
				continue
			}
			if at < latest || node < 0 || with != nil && (o.from > with.from || o.from == with.from && o.seq < with.seq) {
				latest, node, with = at, i, o
			}
		}
	}
	if node < 0 {
		return nil
	}
	out := &ConflictError{Lease: leaseID(l.seq), Node: f.ids.nodeID(node), Until: moment(latest)}
	if with != nil {
		out.With = leaseID(with.seq)
	}
	return out
}

// bothAt says whether a node can hold, at an instant, what a lease has there beside all others.
func (f *Fleet) bothAt(now int64, slot, i int32, at int64) bool {
	var r room
	f.roomOver(i, now, at, at+1, slot, &r)
	l := f.leases.ref(slot)
	for k := range l.members {
		m := &l.members[k]
		if m.node != i {
			continue
		}
		if !r.holds(m, l.takes) {
			return false
		}
		r.give(m, l.takes)
	}
	return true
}

func (f *Fleet) fundsEnded(now int64, e FundsEnded) ([]Effect, error) {
	slot, ok := f.begun(e.Lease)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownLease, e.Lease)
	}
	at, err := instant(e.Until)
	if err != nil {
		return nil, err
	}
	if at < now {
		return nil, invalid("FundsEnded.Until %s: want not before the event", e.Until.UTC().Format(time.RFC3339))
	}
	l := f.leases.edit(slot)
	if now >= l.end() {
		return nil, fmt.Errorf("%w: %q is over", ErrUnknownLease, e.Lease)
	}
	if l.notice == CausePreempted && l.noticeAt <= at {
		l.paid = at // it ends before that, as it knows, unless it need not make room after all
		return nil, nil
	}
	if at > l.end() { // money for longer: others may have booked what was to be free
		if err := f.conflict(now, slot, l.end(), min(at, l.until), false); err != nil {
			return nil, err
		}
	}
	l.notice, l.noticeAt, l.noticeFor, l.paid = CauseUnfunded, at, "", 0
	f.requeue(slot)
	f.stale = true // what it had booked after that is free
	return []Effect{Notified{Lease: e.Lease, Cause: CauseUnfunded, At: moment(l.end())}}, nil
}

func (f *Fleet) fundsAdded(now int64, id LeaseID) ([]Effect, error) {
	slot, ok := f.begun(id)
	if !ok || f.leases.ref(slot).notice != CauseUnfunded && f.leases.ref(slot).paid == 0 {
		return nil, fmt.Errorf("%w: %q is not out of funds", ErrUnknownLease, id)
	}
	l := f.leases.edit(slot)
	if now >= l.end() {
		return nil, fmt.Errorf("%w: %q is over", ErrUnknownLease, id)
	}
	if l.notice == CausePreempted {
		l.paid = 0
		return nil, nil
	}
	if err := f.conflict(now, slot, l.end(), l.until, false); err != nil { // what others booked after the end that was announced
		return nil, err
	}
	l.notice, l.noticeAt = f.otherReclaim(l)
	f.requeue(slot)
	return []Effect{NoticeLifted{Lease: id}}, nil
}

// ticked carries out all that is due by now, in order of time, and then serves the queue.
func (f *Fleet) ticked(now int64) []Effect {
	var effects []Effect
	for {
		if len(f.reclaims) > 0 && f.reclaims[0].at <= now && (f.due.n == 0 || !f.dueBefore(f.reclaims[0].at)) {
			x := f.reclaims[0]
			f.reclaims = f.reclaims[1:]
			effects = append(effects, f.lose(x.at, now, x.node, CauseReclaimed)...)
			continue
		}
		if f.due.n == 0 || f.leases.ref(f.due.at(0)).next() > now {
			break
		}
		slot := f.due.at(0)
		l := f.leases.ref(slot)
		switch {
		case l.state == StateHeld:
			effects = append(effects, f.giveUp(slot, l.ttl, CauseExpired))
		case l.state == StateWaiting: // it was promised a stretch that is over
			f.unassign(slot)
			f.stale = true
		case l.state == StateBooked && l.begins() == 1:
			if l.end() > now { // else others may have what it had, and it only has to be ended
				f.begin(slot)
			}
			f.leases.edit(slot).state = StateRunning
			f.requeue(slot)
			effects = append(effects, Started{Lease: leaseID(l.seq)})
		default:
			effects = append(effects, f.end(slot, l.end(), CauseExpired))
		}
	}
	f.forget(now)
	return append(effects, f.serve(now)...)
}

// dueBefore says whether the first lease that is due comes before what is due of a node at an instant.
func (f *Fleet) dueBefore(at int64) bool {
	l := f.leases.ref(f.due.at(0))
	return l.next() < at || l.next() == at && l.begins() == 0
}
