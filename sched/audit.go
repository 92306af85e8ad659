package sched

import (
	"fmt"
	"slices"
	"time"
)

// Audit returns the first invariant that is broken, nil if none is: every device has at most one holder; what nodes have free and
// what leases hold add up to what nodes have; no lease holds a part of a node that is down; every index agrees with what it indexes.
func (f *Fleet) Audit() error {
	for _, check := range []func() error{f.auditNodes, f.auditLinks, f.auditLeases, f.auditJobs} {
		if err := check(); err != nil {
			return fmt.Errorf("sched: audit: %w", err)
		}
	}
	return nil
}

// held is what leases take from one node.
type held struct {
	mask     uint16
	cpu, ram uint64
	leases   int
}

func (f *Fleet) auditNodes() error {
	taken := make([]held, len(f.rows))
	for _, slot := range f.due {
		l := &f.leases[slot]
		for _, m := range l.members {
			h := &taken[m.node]
			if h.mask&m.mask != 0 {
				return fmt.Errorf("lease %d holds a device of %q that another replica holds", l.seq, f.facts[m.node].ID)
			}
			h.mask |= m.mask
			h.cpu += l.cpu
			h.ram += l.ram
			h.leases++
		}
	}
	up, devices, free, owned := 0, 0, 0, 0
	for i := range f.rows {
		r, n, h := &f.rows[i], &f.facts[i], &taken[i]
		want := f.rowOf(*n)
		want.up, want.free, want.cpu, want.ram = r.up, want.free&^h.mask, n.CPUMilli-h.cpu, n.RAMMiB-h.ram
		switch j, ok := f.nodeIndex[n.ID]; {
		case !ok || int(j) != i:
			return fmt.Errorf("node %q is not where the index has it", n.ID)
		case h.cpu > n.CPUMilli || h.ram > n.RAMMiB || h.mask&^full(len(n.Devices)) != 0:
			return fmt.Errorf("leases hold more of node %q than it has", n.ID)
		case *r != want:
			return fmt.Errorf("node %q has %+v, its facts and leases say %+v", n.ID, *r, want)
		case !r.up && h.leases != 0:
			return fmt.Errorf("node %q is down and holds %d replicas", n.ID, h.leases)
		case !r.up:
			continue
		}
		for _, d := range n.Devices {
			if j, ok := f.owner[d]; !ok || int(j) != i {
				return fmt.Errorf("device %q of node %q is not its own", d, n.ID)
			}
		}
		up++
		owned += len(n.Devices)
		devices += int(r.cards)
		free += count(r.free)
	}
	if up != f.upNodes || devices != f.devices || free != f.free || owned != len(f.owner) || len(f.rows) != len(f.nodeIndex) {
		return fmt.Errorf("counts %d up, %d devices, %d free, %d owned; nodes say %d, %d, %d, %d", f.upNodes, f.devices, f.free,
			len(f.owner), up, devices, free, owned)
	}
	return nil
}

func (f *Fleet) auditLinks() error {
	for a, links := range f.links {
		for i, l := range links {
			if back, ok := f.linkOf(l.to, int32(a)); !ok || back.delay != l.delay || back.mbps != l.mbps {
				return fmt.Errorf("link %q to %q is not the same back", f.sites.list[a], f.sites.list[l.to])
			}
			if i > 0 && links[i-1].to >= l.to {
				return fmt.Errorf("links of %q are out of order", f.sites.list[a])
			}
		}
	}
	return nil
}

func (f *Fleet) auditLeases() error {
	for i, slot := range f.due {
		l := &f.leases[slot]
		length := l.until.Sub(l.from)
		switch {
		case l.heapAt != i || i > 0 && f.before(slot, f.due[(i-1)/2]):
			return fmt.Errorf("lease %d is out of its place among the due", l.seq)
		case l.seq == 0 || l.seq > f.granted:
			return fmt.Errorf("lease %d of %d granted", l.seq, f.granted)
		case f.byLease[leaseID(l.seq)] != slot:
			return fmt.Errorf("lease %d is not where the index has it", l.seq)
		case l.from.After(f.now) || length <= 0 || length > time.Duration(f.policy.MaxDurationSeconds)*time.Second:
			return fmt.Errorf("lease %d runs from %v to %v", l.seq, l.from, l.until)
		case len(l.members) == 0:
			return fmt.Errorf("lease %d holds nothing", l.seq)
		case !f.jobs[l.job].running:
			return fmt.Errorf("lease %d runs, its job %q does not", l.seq, l.job)
		}
		for _, m := range l.members {
			if count(m.mask) != count(l.members[0].mask) || m.mask == 0 {
				return fmt.Errorf("lease %d has replicas of different size", l.seq)
			}
		}
	}
	if n := uint64(len(f.due)); n != uint64(len(f.byLease)) || f.granted < f.ended || n != f.granted-f.ended {
		return fmt.Errorf("%d leases run, %d are indexed, %d were granted, %d ended", n, len(f.byLease), f.granted, f.ended)
	}
	if len(f.due)+len(f.vacant) != len(f.leases) {
		return fmt.Errorf("%d slots for %d leases and %d vacant", len(f.leases), len(f.due), len(f.vacant))
	}
	return nil
}

func (f *Fleet) auditJobs() error {
	if !slices.IsSortedFunc(f.recent, endedJob.compare) {
		return fmt.Errorf("remembered jobs are out of order")
	}
	for _, e := range f.recent {
		if j, ok := f.jobs[e.job]; !ok || j.running || !j.ended.Equal(e.at) {
			return fmt.Errorf("job %q is remembered and %+v", e.job, j)
		}
	}
	if len(f.jobs) != len(f.recent)+len(f.due) {
		return fmt.Errorf("%d jobs for %d leases and %d remembered", len(f.jobs), len(f.due), len(f.recent))
	}
	return nil
}
