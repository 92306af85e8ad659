package sched

import (
	"fmt"
	"slices"
	"time"
)

// Audit returns the first invariant that is broken, nil if none is: no device, thousandth or slice is held twice at any instant of the
// calendar, nor more CPU, memory or disk than a node has; what the index has as free now is what active leases leave; no lease holds a part of a node
// that is down; every table agrees with what it lists.
func (f *Fleet) Audit() error {
	for _, check := range []func() error{f.auditNodes, f.auditLeases, f.auditTables, f.auditLinks} {
		if err := check(); err != nil {
			return fmt.Errorf("sched: audit: %w", err)
		}
	}
	return nil
}

func (f *Fleet) auditNodes() error {
	known, up, devices, free, booked, entries := 0, 0, 0, 0, 0, 0
	for i := range f.nodes.len() {
		st := f.nodes.at(i)
		if !st.known() {
			continue
		}
		known++
		n, err := f.auditNode(i, &st)
		if err != nil {
			return fmt.Errorf("node %q: %w", f.ids.nodeID(i), err)
		}
		entries += n
		rec := f.index.record(i)
		if rec.booked() {
			booked++
		}
		if st.present() {
			up++
			devices += rec.cards()
			free += count(rec.free)
		}
	}
	held := 0
	for i := range f.due.n {
		slot := f.due.at(i)
		held += len(f.leases.ref(slot).members)
	}
	if known != f.known || up != f.up || devices != f.devices || free != f.free || booked != f.bookedNodes || entries != held {
		return fmt.Errorf("counts %d nodes, %d up, %d devices, %d free, %d booked, %d members; nodes say %d, %d, %d, %d, %d, %d",
			f.known, f.up, f.devices, f.free, f.bookedNodes, held, known, up, devices, free, booked, entries)
	}
	return nil
}

// auditNode compares what the index has of a node with what leases hold there, now and at every instant at which something begins.
func (f *Fleet) auditNode(i int32, st *nodeState) (entries int, err error) {
	row, rec := f.index.row(i), f.index.record(i)
	sh := &f.shapes.list[row.shape]
	if j, ok := f.ids.node(f.ids.nodeID(i)); !ok || j != i {
		return 0, fmt.Errorf("is not where its name says")
	}
	if f.index.isUp(i) != (st.present() && !st.draining()) {
		return 0, fmt.Errorf("takes jobs: %v, present %v, draining %v", f.index.isUp(i), st.present(), st.draining())
	}
	now := room{free: full(int(sh.cards)), cpu: sh.cpu, ram: sh.ram, disk: sh.disk, divided: true}
	booked, part := f.reclaimAt.at(i) != 0, f.partOf.at(i)
	for e := row.booking; e != 0; {
		x := f.entries.at(e - 1)
		e = x.next
		entries++
		l := f.leases.ref(x.slot)
		if l.seq == 0 || int(x.member) >= len(l.members) || l.members[x.member].node != i {
			return 0, fmt.Errorf("lists what is no member of lease %d", l.seq)
		}
		booked = booked || !l.active
		if l.active {
			if !now.holds(&l.members[x.member], l.takes) {
				return 0, fmt.Errorf("lease %d holds what is not there or held by another", l.seq)
			}
			now.give(&l.members[x.member], l.takes)
		}
		if err := f.auditInstant(i, max(l.from, l.members[x.member].since), sh); err != nil {
			return 0, err
		}
	}
	switch {
	case entries > 0 && !st.present():
		return 0, fmt.Errorf("is down and holds %d members", entries)
	case rec.booked() != booked:
		return 0, fmt.Errorf("has something booked: %v, its entries say %v", rec.booked(), booked)
	case rec.free != now.free || row.cpu != now.cpu || row.ram != now.ram || row.disk != now.disk:
		return 0, fmt.Errorf("has %016b, %d, %d, %d free; its leases say %016b, %d, %d, %d", rec.free, row.cpu, row.ram, row.disk, now.free, now.cpu,
			now.ram, now.disk)
	case part != 0 && f.parts.at(part-1) != now.part:
		return 0, fmt.Errorf("is divided as %v, its leases say %v", f.parts.at(part-1), now.part)
	case part != 0 && f.index.share(i) != f.largestShare(i):
		return 0, fmt.Errorf("has a largest share of %d, its devices say %d", f.index.share(i), f.largestShare(i))
	}
	return entries, nil
}

// auditInstant adds up what is held of a node at one instant.
func (f *Fleet) auditInstant(i int32, at int64, sh *shape) error {
	r := room{free: full(int(sh.cards)), cpu: sh.cpu, ram: sh.ram, disk: sh.disk, divided: true}
	for e := f.index.row(i).booking; e != 0; {
		x := f.entries.at(e - 1)
		e = x.next
		l := f.leases.ref(x.slot)
		if max(l.from, l.members[x.member].since) > at || at >= l.end() {
			continue
		}
		if !r.holds(&l.members[x.member], l.takes) {
			return fmt.Errorf("lease %d is booked on what another has at %s", l.seq, moment(at).Format(time.RFC3339Nano))
		}
		r.give(&l.members[x.member], l.takes)
	}
	return nil
}

func (f *Fleet) auditLeases() error {
	for i := range f.due.n {
		slot := f.due.at(i)
		l := f.leases.ref(slot)
		length := l.until - l.from
		at, ok := f.byLease.find(l.seq)
		switch {
		case int(l.heapAt) != i || i > 0 && f.before(slot, f.due.at((i-1)/2)):
			return fmt.Errorf("lease %d is out of its place among the due", l.seq)
		case l.seq == 0 || l.seq > f.granted:
			return fmt.Errorf("lease %d of %d granted", l.seq, f.granted)
		case !ok || at != slot:
			return fmt.Errorf("lease %d is not where the index has it", l.seq)
		case length <= 0 || length > int64(f.policy.MaxDurationSeconds)*second || length%second != 0:
			return fmt.Errorf("lease %d runs from %v to %v", l.seq, moment(l.from), moment(l.until))
		case l.active && l.from > f.now:
			return fmt.Errorf("lease %d holds before it begins", l.seq)
		case !f.jobs[l.job].running || f.jobs[l.job].slot != slot:
			return fmt.Errorf("lease %d is there, its job %q is not", l.seq, l.job)
		case l.state != StateWaiting && len(l.members)-int(l.spares) < 1:
			return fmt.Errorf("lease %d holds nothing", l.seq)
		}
		for k := range l.members {
			if !l.members[k].sound(l, &f.shapes.list[f.index.row(l.members[k].node).shape]) {
				return fmt.Errorf("lease %d has a member of another form", l.seq)
			}
		}
	}
	if n := f.due.n; n != f.running || f.granted < f.ended || uint64(n) != f.granted-f.ended || uint32(n) != f.byLease.count {
		return fmt.Errorf("%d leases are there, %d are counted, %d indexed, %d were granted, %d ended", n, f.running, f.byLease.count, f.granted, f.ended)
	}
	return nil
}

func (f *Fleet) auditTables() error {
	waiting := 0
	for i := range f.due.n {
		slot := f.due.at(i)
		if f.leases.ref(slot).state == StateWaiting {
			waiting++
		}
	}
	if waiting != len(f.queue) || !slices.IsSortedFunc(f.queue, f.queueOrder) {
		return fmt.Errorf("%d wait, %d are in the queue, in order: %v", waiting, len(f.queue), slices.IsSortedFunc(f.queue, f.queueOrder))
	}
	for i, x := range f.reclaims {
		if f.reclaimAt.at(x.node) != x.at || i > 0 && f.reclaims[i-1].compare(x) >= 0 {
			return fmt.Errorf("reclaim of node %q is not what is listed", f.ids.nodeID(x.node))
		}
	}
	if !slices.IsSortedFunc(f.recent, endedJob.compare) {
		return fmt.Errorf("remembered jobs are out of order")
	}
	for _, e := range f.recent {
		if j, ok := f.jobs[e.job]; !ok || j.running || j.ended != e.at {
			return fmt.Errorf("job %q is remembered and %+v", e.job, j)
		}
	}
	if len(f.jobs) != len(f.recent)+f.due.n {
		return fmt.Errorf("%d jobs for %d leases and %d remembered", len(f.jobs), f.due.n, len(f.recent))
	}
	return nil
}

func (f *Fleet) auditLinks() error {
	for a := range int32(len(f.sites.list)) {
		links := f.links.around(a)
		for i, l := range links {
			if delay, mbps, ok := f.links.of(l.to, a); !ok || delay != l.delay || mbps != l.mbps {
				return fmt.Errorf("link %q to %q is not the same back", f.sites.list[a], f.sites.list[l.to])
			}
			if i > 0 && links[i-1].to >= l.to {
				return fmt.Errorf("links of %q are out of order", f.sites.list[a])
			}
		}
	}
	return nil
}
