package sched

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/idlegrid/idlegrid/gpu"
)

// lease is a Lease by indices.
type lease struct {
	seq    uint64 // number; 0 in a vacant slot
	ticket uint64 // number of the first lease of the job, by which it waits
	job    JobID
	owner  string
	class  Class
	state  State
	active bool  // its members hold what they take now, not only in the calendar
	from   int64 // nanoseconds since 1970
	until  int64
	ttl    int64 // end of the hold, while it is held
	takes
	gpus        uint8
	share       uint16
	mig         MIGProfile
	members     []member // never changed in place once it is stored: a view may read it
	spares      int32    // the last so many of members
	past        []Usage  // what was lost or moved
	notice      Cause
	noticeAt    int64
	noticeFor   JobID
	paid        int64    // until when there are funds, where it is preempted before that; 0 if no end of them is known
	request     *Request // where it may be needed again: in the queue, to be re-formed, or because it is movable
	alternative uint8
	priority    uint8
	heapAt      int32
}

// end is when a lease ends as things stand.
func (l *lease) end() int64 {
	if l.ends() {
		return min(l.until, l.noticeAt)
	}
	return l.until
}

// ends says whether the notice is of the lease's end; the loss of a node that is reclaimed is in the list of reclaims.
func (l *lease) ends() bool { return l.notice == CausePreempted || l.notice == CauseUnfunded }

// next is when something is due of a lease: the end of a hold, the beginning, a notice, the end.
func (l *lease) next() int64 {
	switch l.state {
	case StateHeld:
		return l.ttl
	case StateBooked:
		return min(l.from, l.end())
	case StateWaiting: // the end of what it was promised
		if len(l.members) > 0 {
			return l.until
		}
		return math.MaxInt64
	case StateRunning:
	}
	return l.end()
}

// dueHeap is a binary heap of slots, the one with the next thing due on top; each lease knows its place in it.
type dueHeap struct {
	slots pages[int32]
	n     int
}

func (d *dueHeap) at(i int) int32 { return d.slots.at(int32(i)) }

func (d *dueHeap) view() dueHeap { return dueHeap{d.slots.view(), d.n} }

// before orders leases by what is due next; at one instant ends come before beginnings, then the older lease.
func (s *state) before(a, b int32) bool {
	x, y := s.leases.ref(a), s.leases.ref(b)
	return cmp.Or(cmp.Compare(x.next(), y.next()), cmp.Compare(x.begins(), y.begins()), cmp.Compare(x.seq, y.seq)) < 0
}

func (l *lease) begins() int {
	if l.state == StateBooked && l.from <= l.end() {
		return 1
	}
	return 0
}

func (f *Fleet) seat(i int, slot int32) {
	*f.due.slots.edit(int32(i)) = slot
	f.leases.edit(slot).heapAt = int32(i)
}

func (f *Fleet) rise(i int) {
	slot := f.due.at(i)
	for i > 0 && f.before(slot, f.due.at((i-1)/2)) {
		f.seat(i, f.due.at((i-1)/2))
		i = (i - 1) / 2
	}
	f.seat(i, slot)
}

func (f *Fleet) sink(i int) {
	slot := f.due.at(i)
	for {
		c := 2*i + 1
		if c+1 < f.due.n && f.before(f.due.at(c+1), f.due.at(c)) {
			c++
		}
		if c >= f.due.n || !f.before(f.due.at(c), slot) {
			break
		}
		f.seat(i, f.due.at(c))
		i = c
	}
	f.seat(i, slot)
}

func (f *Fleet) enqueue(slot int32) {
	f.due.n++
	f.due.slots.grow(int32(f.due.n))
	f.seat(f.due.n-1, slot)
	f.rise(f.due.n - 1)
}

func (f *Fleet) dequeue(slot int32) {
	i, last := int(f.leases.ref(slot).heapAt), f.due.n-1
	moved := f.due.at(last)
	f.due.n = last
	if i == last {
		return
	}
	f.seat(i, moved)
	f.rise(i)
	f.sink(int(f.leases.ref(moved).heapAt))
}

// requeue puts a lease at its place after what is due of it has changed.
func (f *Fleet) requeue(slot int32) {
	f.rise(int(f.leases.ref(slot).heapAt))
	f.sink(int(f.leases.ref(slot).heapAt))
}

const leasePrefix = "lease-"

func leaseID(seq uint64) LeaseID { return LeaseID(leasePrefix + strconv.FormatUint(seq, 10)) }

// slotOf returns the slot of a lease, held, waiting, booked or running.
func (s *state) slotOf(id LeaseID) (int32, bool) {
	digits, ok := strings.CutPrefix(string(id), leasePrefix)
	if !ok || digits == "" || digits[0] == '0' || digits[0] == '+' {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0, false
	}
	return s.byLease.find(seq)
}

// newLease makes a lease of a plan, with the number that comes next; it is not stored yet.
func (f *Fleet) newLease(r *Request, p *plan) lease {
	l := lease{
		seq: f.granted + 1, ticket: f.granted + 1, job: r.Job, owner: r.Owner, class: r.Class, from: p.from, until: until(p.from, r.Duration),
		takes: takes{uint32(r.CPUMilli), uint32(r.RAMMiB), uint32(r.DiskMiB)}, gpus: uint8(r.gpus(p.alternative)), share: r.ShareMilli, mig: r.MIG,
		members: slices.Clone(p.members), spares: int32(p.spares), alternative: uint8(p.alternative), priority: r.Priority,
	}
	for i := range l.members {
		l.members[i].since = l.from
	}
	if r.Reform || r.Queue || r.Movable {
		l.request = r.clone()
	}
	return l
}

func (r *Request) gpus(alternative int) uint16 {
	if alternative == 0 {
		return r.GPUsPerReplica
	}
	return r.Alternatives[alternative-1].GPUsPerReplica
}

// store puts a lease into a vacant slot; its members are entered where they are, and hold what they take if it is active.
func (f *Fleet) store(l lease) int32 {
	slot := f.vacant - 1
	if f.vacant > 0 {
		f.vacant = f.leases.ref(slot).heapAt
	} else {
		slot = f.slots
		f.slots++
		f.leases.grow(f.slots)
	}
	*f.leases.edit(slot) = l
	f.granted = max(f.granted, l.seq)
	f.byLease.put(l.seq, slot)
	f.running++
	f.enqueue(slot)
	f.attach(slot)
	f.jobs[l.job] = jobState{slot: slot, running: true}
	return slot
}

// attach enters the members of a lease at their nodes.
func (f *Fleet) attach(slot int32) {
	l := f.leases.ref(slot)
	for k := range l.members {
		f.link(slot, int32(k), l.members[k].node)
		if l.active {
			f.occupy(&l.members[k], l.takes, true)
		} else {
			f.mark(l.members[k].node)
		}
	}
}

// detach is the opposite of attach.
func (f *Fleet) detach(slot int32) {
	l := f.leases.ref(slot)
	f.stale = f.stale || len(l.members) > 0
	for k := range l.members {
		f.unlink(slot, int32(k), l.members[k].node)
		if l.active {
			f.occupy(&l.members[k], l.takes, false)
		} else {
			f.mark(l.members[k].node)
		}
	}
}

// begin makes a lease hold what it has booked.
func (f *Fleet) begin(slot int32) {
	l := f.leases.edit(slot)
	l.active = true
	for k := range l.members {
		f.occupy(&l.members[k], l.takes, true)
		f.mark(l.members[k].node)
	}
}

// drop takes a lease out of everything but the memory of jobs.
func (f *Fleet) drop(slot int32) {
	f.detach(slot)
	f.dequeue(slot)
	l := f.leases.edit(slot)
	f.byLease.drop(l.seq)
	*l = lease{heapAt: f.vacant}
	f.vacant = slot + 1
	f.running--
}

// jobState is what is known of a job's ID.
type jobState struct {
	slot    int32
	running bool
	ended   int64 // where it does not run
}

type endedJob struct {
	job JobID
	at  int64
}

func (e endedJob) compare(o endedJob) int {
	return cmp.Or(cmp.Compare(e.at, o.at), cmp.Compare(e.job, o.job))
}

// remember keeps a job's ID for a while.
func (f *Fleet) remember(job JobID, at int64) {
	f.jobs[job] = jobState{ended: at}
	e := endedJob{job, at}
	i, _ := slices.BinarySearchFunc(f.recent, e, endedJob.compare)
	f.recent = slices.Insert(f.recent, i, e)
}

// forget drops the jobs that need not be remembered any longer.
func (f *Fleet) forget(now int64) {
	n := 0
	for n < len(f.recent) && now >= f.recent[n].at+int64(f.policy.RememberSeconds)*second {
		delete(f.jobs, f.recent[n].job)
		n++
	}
	f.recent = slices.Delete(f.recent, 0, n)
}

// duplicate says whether a job's ID is taken.
func (f *Fleet) duplicate(job JobID, now int64) bool {
	j, ok := f.jobs[job]
	return ok && (j.running || now < j.ended+int64(f.policy.RememberSeconds)*second)
}

// end takes a lease back; usage stops at the booked end, however late that is noticed.
func (f *Fleet) end(slot int32, at int64, cause Cause) Ended {
	l := f.leases.ref(slot)
	if e := l.end(); at >= e {
		at = e
		if cause = CauseExpired; l.ends() && l.noticeAt < l.until {
			cause = l.notice
		}
	}
	out := Ended{Lease: f.lease(slot), Cause: cause}
	out.Lease.Until = moment(at)
	if at >= l.from {
		out.Usage = f.meter(l, at)
	} else { // it had not begun
		out.Lease.Until = out.Lease.From
	}
	for _, u := range out.Usage {
		f.metered += u.Seconds
	}
	f.ended++
	f.remember(l.job, at)
	f.drop(slot)
	return out
}

// meter lists what each device did until an instant, what was lost or moved before first.
func (f *Fleet) meter(l *lease, at int64) []Usage {
	out := slices.Clone(l.past)
	for i := range l.members {
		out = f.meterOne(out, l, &l.members[i], at)
	}
	return out
}

// meterOne appends what the devices of one member did until an instant.
func (f *Fleet) meterOne(out []Usage, l *lease, m *member, at int64) []Usage {
	for mask := m.mask; mask != 0; mask &= mask - 1 {
		out = append(out, Usage{
			Lease: leaseID(l.seq), Node: f.ids.nodeID(m.node), Supplier: f.suppliers.list[f.index.row(m.node).supplier], Device: f.ids.deviceID(m.node, lowestBit(mask)), Milli: m.part(),
			Seconds: uint64(max(0, at-m.since) / second), HourMicro: uint64(m.hour),
		})
	}
	return out
}

// lease is the public form of the lease in a slot.
func (s *state) lease(slot int32) Lease {
	l := s.leases.ref(slot)
	out := Lease{
		ID: leaseID(l.seq), Job: l.job, Owner: l.owner, Class: l.class, State: l.state, From: moment(l.from), Until: moment(l.until),
		Notice: l.notice, NoticeAt: moment(l.noticeAt),
	}
	n := len(l.members) - int(l.spares)
	var a, b uint64
	out.Members, a = s.members(l.members[:n], 0)
	out.Spares, b = s.members(l.members[n:], n)
	out.HourMicro = a + b
	return out
}

// members is the public form of members, with the price of all.
func (s *state) members(in []member, rank int) (out []Member, hour uint64) {
	if len(in) == 0 {
		return nil, 0
	}
	out = make([]Member, len(in))
	for i := range in {
		m := &in[i]
		row := s.index.row(m.node)
		d := make([]gpu.DeviceID, 0, count(m.mask))
		for mask := m.mask; mask != 0; mask &= mask - 1 {
			d = append(d, s.ids.deviceID(m.node, lowestBit(mask)))
		}
		out[i] = Member{
			Rank: rank + i, Node: s.ids.nodeID(m.node), Site: s.siteOf(m.node), Supplier: s.suppliers.list[row.supplier], Devices: d,
			ShareMilli: m.milli, MIGSlices: m.slices, HourMicro: uint64(m.hour),
		}
		hour += uint64(m.hour) * uint64(max(count(m.mask), 1))
	}
	return out, hour
}
