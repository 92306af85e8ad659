package sched

import "slices"

// preempt makes room for a reserved request by giving notice to spot leases: those whose loss costs least, counted in device seconds that are booked and
// not yet used. The request's lease begins when the notice ends. False if that does not help; then nothing changed.
func (f *Fleet) preempt(now int64, r *Request) ([]Effect, bool) {
	at := now + int64(f.policy.SpotNoticeSeconds)*second
	if !r.NotBefore.IsZero() && r.NotBefore.UnixNano() > at || !r.NotAfter.IsZero() && r.NotAfter.UnixNano() < at {
		return nil, false
	}
	for a := range len(r.Alternatives) + 1 {
		victims, ok := f.victims(now, at, r, a)
		if !ok {
			continue
		}
		before := make([]lease, len(victims))
		for k, slot := range victims {
			l := f.leases.edit(slot)
			before[k] = *l
			if l.notice == CauseUnfunded {
				l.paid = l.noticeAt
			}
			l.notice, l.noticeAt, l.noticeFor = CausePreempted, at, r.Job
		}
		steps := f.policy.SearchSteps
		p, ok := f.call(now).placeAt(r, a, at, &steps)
		if !ok { // limits between sites, which the choice of victims does not know
			for k, slot := range victims {
				l := f.leases.edit(slot)
				l.notice, l.noticeAt, l.noticeFor, l.paid = before[k].notice, before[k].noticeAt, before[k].noticeFor, before[k].paid
			}
			continue
		}
		members := slices.Clone(p.members)
		p.members = members
		var effects []Effect
		for _, slot := range victims {
			f.requeue(slot)
			effects = append(effects, Notified{Lease: leaseID(f.leases.ref(slot).seq), Cause: CausePreempted, At: moment(at), For: r.Job})
		}
		return append(effects, f.grant(now, r, &p)), true
	}
	return nil, false
}

// victims chooses the spot leases to be preempted for one alternative of a request that begins at an instant.
func (f *Fleet) victims(now, at int64, r *Request, alternative int) ([]int32, bool) {
	sc := &f.scratch
	q := f.ask(r, alternative, now, at, f.rotate, sc)
	if q.share != 0 || q.mig != 0 || q.gpus == 0 {
		return nil, false // only whole devices are taken from others
	}
	steps := f.policy.SearchSteps
	h := victimHunt{replicas: q.replicas, each: hostRoom{gpus: int32(q.gpus), cpu: uint64(q.takes.cpu), ram: uint64(q.takes.ram)}, steps: &steps}
	number := map[int32]int32{} // node -> its number in the hunt, only looked up
	var spot []int32
	x := f.index
	x.start(&q.query, &sc.cursor)
	for i := x.next(&q.query, &sc.cursor); i >= 0; i = x.next(&q.query, &sc.cursor) {
		var free room
		if f.load(&q, i, &free) != 0 {
			continue
		}
		number[i] = int32(len(h.nodes))
		h.nodes = append(h.nodes, hostRoom{gpus: int32(count(free.free)), cpu: uint64(free.cpu), ram: uint64(free.ram)})
		for _, slot := range f.holders(i) {
			if l := f.leases.ref(slot); l.class == Spot && l.state == StateRunning && l.notice != CausePreempted && l.end() > at {
				spot = append(spot, slot)
			}
		}
	}
	spot = f.bySeq(spot)
	for _, slot := range spot {
		l := f.leases.ref(slot)
		v := victimLease{cost: uint64(l.until-at) / uint64(second) * uint64(max(1, l.cards()))}
		for k := range l.members {
			if i, ok := number[l.members[k].node]; ok && !l.members[k].divides() {
				v.add(i, hostRoom{int32(count(l.members[k].mask)), uint64(l.takes.cpu), uint64(l.takes.ram)})
			}
		}
		h.leases = append(h.leases, v)
	}
	evict, _, _, ok := h.run()
	if !ok {
		return nil, false
	}
	out := make([]int32, len(evict))
	for k, v := range evict {
		out[k] = spot[v]
	}
	return out, true
}

// add adds what a member holds on a node.
func (v *victimLease) add(node int32, r hostRoom) {
	for k := range v.parts {
		if v.parts[k].node == node {
			v.parts[k].hostRoom = v.parts[k].plus(r)
			return
		}
	}
	v.parts = append(v.parts, victimPart{node, r})
}

// liftFor takes back the notices of spot leases that were to make room for a job that will not begin, where nobody else has booked what they have.
func (f *Fleet) liftFor(now int64, job JobID) (effects []Effect) {
	var slots []int32
	for slot := range f.slots {
		if l := f.leases.ref(slot); l.notice == CausePreempted && l.noticeFor == job && now < l.end() {
			slots = append(slots, slot)
		}
	}
	for _, slot := range f.bySeq(slots) {
		l := f.leases.edit(slot)
		until := l.until
		if l.paid != 0 {
			until = min(until, l.paid)
		}
		if f.conflict(now, slot, l.end(), until, false) != nil {
			continue
		}
		l.notice, l.noticeAt = f.otherReclaim(l)
		if l.paid != 0 {
			l.notice, l.noticeAt = CauseUnfunded, l.paid
		}
		l.noticeFor, l.paid = "", 0
		f.requeue(slot)
		effects = append(effects, NoticeLifted{Lease: leaseID(l.seq)})
	}
	return effects
}

// bySeq sorts slots by the numbers of their leases, each once.
func (f *Fleet) bySeq(slots []int32) []int32 {
	slices.SortFunc(slots, func(a, b int32) int { return int(int64(f.leases.ref(a).seq) - int64(f.leases.ref(b).seq)) })
	return slices.Compact(slots)
}

// cards is how many devices a lease holds, parts counted whole.
func (l *lease) cards() int {
	n := 0
	for k := range l.members {
		n += count(l.members[k].mask)
	}
	return n
}
