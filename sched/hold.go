package sched

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// dueHeap is a binary heap of the slots of running leases, the next to expire on top; each lease knows its place in it.
type dueHeap []int32

func (f *Fleet) before(a, b int32) bool {
	x, y := &f.leases[a], &f.leases[b]
	return cmp.Or(x.until.Compare(y.until), cmp.Compare(x.seq, y.seq)) < 0
}

func (f *Fleet) seat(i int, slot int32) {
	f.due[i] = slot
	f.leases[slot].heapAt = i
}

func (f *Fleet) rise(i int) {
	slot := f.due[i]
	for i > 0 && f.before(slot, f.due[(i-1)/2]) {
		f.seat(i, f.due[(i-1)/2])
		i = (i - 1) / 2
	}
	f.seat(i, slot)
}

func (f *Fleet) sink(i int) {
	slot := f.due[i]
	for {
		c := 2*i + 1
		if c+1 < len(f.due) && f.before(f.due[c+1], f.due[c]) {
			c++
		}
		if c >= len(f.due) || !f.before(f.due[c], slot) {
			break
		}
		f.seat(i, f.due[c])
		i = c
	}
	f.seat(i, slot)
}

func (f *Fleet) enqueue(slot int32) {
	f.due = append(f.due, slot)
	f.rise(len(f.due) - 1)
}

func (f *Fleet) dequeue(slot int32) {
	i, last := f.leases[slot].heapAt, len(f.due)-1
	moved := f.due[last]
	f.due = f.due[:last]
	if i == last {
		return
	}
	f.seat(i, moved)
	f.rise(i)
	f.sink(f.leases[moved].heapAt)
}

func (f *Fleet) grantOrder(a, b int32) int { return cmp.Compare(f.leases[a].seq, f.leases[b].seq) }

func leaseID(seq uint64) LeaseID { return LeaseID(fmt.Sprintf("lease-%d", seq)) }

// grant makes a lease of a plan.
func (f *Fleet) grant(at time.Time, r *Request, p plan) Lease {
	f.forget(at)
	f.granted++
	slot := f.store(lease{
		seq: f.granted, job: r.Job, owner: r.Owner, from: at, until: at.Add(r.Duration),
		cpu: r.CPUMilli, ram: r.RAMMiB, members: p.members,
	})
	f.jobs[r.Job] = jobState{running: true}
	return f.lease(slot)
}

// store puts a lease into a vacant slot and takes its devices.
func (f *Fleet) store(l lease) int32 {
	slot := int32(len(f.leases))
	if n := len(f.vacant); n > 0 {
		slot = f.vacant[n-1]
		f.vacant = f.vacant[:n-1]
		f.leases[slot] = l
	} else {
		f.leases = append(f.leases, l)
	}
	for _, m := range l.members {
		r := &f.rows[m.node]
		r.free &^= m.mask
		r.cpu -= l.cpu
		r.ram -= l.ram
		f.free -= count(m.mask)
	}
	f.byLease[leaseID(l.seq)] = slot
	f.enqueue(slot)
	return slot
}

// end takes a lease back; usage stops at the booked end, however late that is noticed.
func (f *Fleet) end(slot int32, at time.Time, cause Cause) Ended {
	l := &f.leases[slot]
	if !at.Before(l.until) {
		at, cause = l.until, CauseExpired
	}
	out := Ended{Lease: f.lease(slot), Cause: cause}
	out.Lease.Until = at
	seconds := uint64(at.Sub(l.from) / time.Second)
	for _, m := range out.Lease.Members {
		for _, d := range m.Devices {
			out.Usage = append(out.Usage, Usage{Lease: out.Lease.ID, Node: m.Node, Device: d, Seconds: seconds, HourMicro: m.HourMicro})
		}
	}
	f.metered += seconds * uint64(len(out.Usage))
	for _, m := range l.members {
		r := &f.rows[m.node]
		r.free |= m.mask
		r.cpu += l.cpu
		r.ram += l.ram
		f.free += count(m.mask)
	}
	f.jobs[l.job] = jobState{ended: at}
	e := endedJob{l.job, at}
	i, _ := slices.BinarySearchFunc(f.recent, e, endedJob.compare)
	f.recent = slices.Insert(f.recent, i, e)
	f.ended++
	f.dequeue(slot)
	delete(f.byLease, out.Lease.ID)
	f.leases[slot] = lease{}
	f.vacant = append(f.vacant, slot)
	return out
}

func (e endedJob) compare(o endedJob) int {
	return cmp.Or(e.at.Compare(o.at), cmp.Compare(e.job, o.job))
}

func (f *Fleet) finished(at time.Time, id LeaseID) ([]Effect, error) {
	slot, ok := f.byLease[id]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownLease, id)
	}
	return []Effect{f.end(slot, at, CauseFinished)}, nil
}

func (f *Fleet) ticked(at time.Time) []Effect {
	var effects []Effect
	for len(f.due) > 0 && !at.Before(f.leases[f.due[0]].until) {
		effects = append(effects, f.end(f.due[0], at, CauseExpired))
	}
	f.forget(at)
	return effects
}

// forget drops the jobs that need not be remembered any longer.
func (f *Fleet) forget(at time.Time) {
	n := 0
	for n < len(f.recent) && !at.Before(f.recent[n].at.Add(f.policy.remember())) {
		delete(f.jobs, f.recent[n].job)
		n++
	}
	f.recent = slices.Delete(f.recent, 0, n)
}

// lease is the public form of the lease in a slot.
func (f *Fleet) lease(slot int32) Lease {
	l := &f.leases[slot]
	members, hour := f.members(l.members)
	return Lease{ID: leaseID(l.seq), Job: l.job, Owner: l.owner, From: l.from, Until: l.until, Members: members, HourMicro: hour}
}

// members is the public form of members, with the price of all.
func (f *Fleet) members(in []member) (out []Member, hour uint64) {
	out = make([]Member, len(in))
	for i, m := range in {
		n := &f.facts[m.node]
		out[i] = Member{Rank: i, Node: n.ID, Site: n.Site, Supplier: n.Supplier, Devices: pick(n.Devices, m.mask), HourMicro: m.hour}
		hour += m.hour * uint64(count(m.mask))
	}
	return out, hour
}

// pick returns the devices whose bit is set.
func pick(devices []gpu.DeviceID, mask uint16) []gpu.DeviceID {
	out := make([]gpu.DeviceID, 0, count(mask))
	for i, d := range devices {
		if mask>>i&1 == 1 {
			out = append(out, d)
		}
	}
	return out
}
