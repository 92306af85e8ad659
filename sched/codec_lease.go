package sched

import (
	"math"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/canon"
)

func encodeRequest(w *canon.Writer, r *Request) {
	w.String(string(r.Job))
	w.String(r.Owner)
	w.Uint16(r.Replicas)
	w.Uint16(r.GPUsPerReplica)
	w.Uint16(r.ShareMilli)
	w.Uint8(uint8(r.MIG))
	encodeNames(w, r.Models)
	w.Uint64(r.MinMemoryMiB)
	w.Len(len(r.Alternatives))
	for _, a := range r.Alternatives {
		encodeNames(w, a.Models)
		w.Uint64(a.MinMemoryMiB)
		w.Uint16(a.GPUsPerReplica)
		w.Uint64(a.MaxHourMicro)
	}
	w.Uint64(r.CPUMilli)
	w.Uint64(r.RAMMiB)
	w.Uint64(r.DiskMiB)
	encodeNames(w, r.Countries)
	encodeNames(w, r.Regions)
	encodeNames(w, r.NotCountries)
	w.Uint8(r.MinConnectivity)
	w.Uint8(r.MinTier)
	w.Uint8(r.MinAssurance)
	w.Uint8(uint8(r.Compliance))
	w.Uint32(r.MinStandingPPM)
	w.Uint64(r.MaxHourMicro)
	encodeNames(w, r.Suppliers)
	encodeNames(w, r.NotSuppliers)
	w.Bool(r.OneSupplier)
	w.Bool(r.ApartSuppliers)
	w.Bool(r.ApartNodes)
	encodeNames(w, r.ApartFrom)
	w.Uint8(r.MaxSites)
	w.Uint8(r.MinSites)
	w.Uint16(r.PerSite)
	w.Uint32(r.MaxDelayMicros)
	w.Uint32(r.MinMbps)
	w.Bool(r.AllowUnmeasured)
	w.String(string(r.Near))
	encodeTime(w, r.NotBefore)
	encodeTime(w, r.NotAfter)
	w.Int64(int64(r.Duration))
	w.Uint8(uint8(r.Class))
	w.Uint16(r.Spares)
	w.Uint32(r.MinSurvivalPPM)
	w.Bool(r.Queue)
	w.Uint8(r.Priority)
	w.Bool(r.Reform)
	w.Len(len(r.MayRelax))
	for _, f := range r.MayRelax {
		w.Uint8(uint8(f))
	}
	w.Bool(r.Movable)
}

// encodeTime writes nanoseconds since 1970, -1 for the zero time.
func encodeTime(w *canon.Writer, t time.Time) {
	if t.IsZero() {
		w.Int64(-1)
		return
	}
	w.Int64(t.UnixNano())
}

func (d *decoder) time() time.Time {
	v := d.r.Int64()
	if v == -1 {
		return time.Time{}
	}
	d.require(v >= 0, "time before 1970")
	return time.Unix(0, v).UTC()
}

func list[T ~string](d *decoder) (out []T) {
	for range d.r.Len(4) {
		out = append(out, T(d.r.String()))
	}
	return out
}

func (d *decoder) request() *Request {
	r := d.r
	q := &Request{
		Job: JobID(r.String()), Owner: r.String(), Replicas: r.Uint16(), GPUsPerReplica: r.Uint16(), ShareMilli: r.Uint16(), MIG: MIGProfile(r.Uint8()),
		Models: list[string](d), MinMemoryMiB: r.Uint64(),
	}
	for range r.Len(22) {
		q.Alternatives = append(q.Alternatives, Alternative{
			Models: list[string](d), MinMemoryMiB: r.Uint64(), GPUsPerReplica: r.Uint16(), MaxHourMicro: r.Uint64(),
		})
	}
	q.CPUMilli, q.RAMMiB, q.DiskMiB = r.Uint64(), r.Uint64(), r.Uint64()
	q.Countries, q.Regions, q.NotCountries = list[string](d), list[string](d), list[string](d)
	q.MinConnectivity, q.MinTier, q.MinAssurance, q.Compliance = r.Uint8(), r.Uint8(), r.Uint8(), Compliance(r.Uint8())
	q.MinStandingPPM, q.MaxHourMicro = r.Uint32(), r.Uint64()
	q.Suppliers, q.NotSuppliers = list[SupplierID](d), list[SupplierID](d)
	q.OneSupplier, q.ApartSuppliers, q.ApartNodes, q.ApartFrom = r.Bool(), r.Bool(), r.Bool(), list[JobID](d)
	q.MaxSites, q.MinSites, q.PerSite = r.Uint8(), r.Uint8(), r.Uint16()
	q.MaxDelayMicros, q.MinMbps, q.AllowUnmeasured = r.Uint32(), r.Uint32(), r.Bool()
	q.Near, q.NotBefore, q.NotAfter = SiteID(r.String()), d.time(), d.time()
	q.Duration, q.Class = time.Duration(r.Int64()), Class(r.Uint8())
	q.Spares, q.MinSurvivalPPM = r.Uint16(), r.Uint32()
	q.Queue, q.Priority, q.Reform = r.Bool(), r.Uint8(), r.Bool()
	for range r.Len(1) {
		q.MayRelax = append(q.MayRelax, Field(r.Uint8()))
	}
	q.Movable = r.Bool()
	if d.ok() {
		d.err = q.Validate()
	}
	return q
}

func (d *decoder) lease() {
	r, f := d.r, d.f
	l := lease{
		seq: r.Uint64(), ticket: r.Uint64(), job: JobID(r.String()), owner: r.String(), class: Class(r.Uint8()), state: State(r.Uint8()), active: r.Bool(),
		from: r.Int64(), until: r.Int64(), ttl: r.Int64(), takes: takes{r.Uint32(), r.Uint32(), r.Uint32()},
		gpus: r.Uint8(), share: r.Uint16(), mig: MIGProfile(r.Uint8()), alternative: r.Uint8(), priority: r.Uint8(),
		notice: Cause(r.Uint8()), noticeAt: r.Int64(), noticeFor: JobID(r.String()), paid: r.Int64(), spares: int32(r.Uint32()),
	}
	for range r.Len(21) {
		l.members = append(l.members, member{
			node: d.nodeNumber(r.Uint32()), mask: r.Uint16(), milli: r.Uint16(), slices: r.Uint8(), hour: r.Uint32(), since: r.Int64(),
		})
	}
	for range r.Len(30) {
		l.past = append(l.past, Usage{
			Lease: leaseID(l.seq), Node: NodeID(r.String()), Supplier: SupplierID(r.String()), Device: gpu.DeviceID(r.String()), Milli: r.Uint16(), Seconds: r.Uint64(), HourMicro: r.Uint64(),
		})
	}
	if r.Bool() {
		l.request = d.request()
	}
	d.checkLease(&l)
	if !d.ok() {
		return
	}
	slot := f.store(l)
	if l.state == StateWaiting {
		at, _ := slices.BinarySearchFunc(f.queue, slot, f.queueOrder)
		f.queue = slices.Insert(f.queue, at, slot)
	}
}

// nodeNumber is the number of a node of the snapshot in this fleet, -1 if there is none.
func (d *decoder) nodeNumber(n uint32) int32 {
	if uint64(n) >= uint64(len(d.number)) {
		return -1
	}
	return d.number[n]
}

// checkLease is what has to hold before a lease is entered: that it takes only what is there and free.
func (d *decoder) checkLease(l *lease) {
	f := d.f
	last := uint64(0)
	if f.slots > 0 {
		last = f.leases.ref(f.slots - 1).seq
	}
	_, known := f.jobs[l.job]
	d.require(l.seq > last && l.seq <= f.granted && l.ticket > 0 && l.ticket <= l.seq, "leases out of order")
	d.require(!known && named("job", string(l.job)) == nil && named("owner", l.owner) == nil, "lease without a job of its own")
	d.require(l.class <= Spot && l.state >= StateWaiting && l.state <= StateRunning, "lease out of range")
	d.require(l.from >= 0 && l.until > l.from && l.ttl >= 0 && l.noticeAt >= 0 && l.until <= math.MaxInt64/2, "lease out of time")
	d.require(l.gpus <= maxDevices && l.share < 1000 && l.mig <= MIG7g && l.notice <= CauseLate && (l.notice == 0) == (l.noticeAt == 0), "lease out of range")
	d.require(l.spares >= 0 && int(l.spares) <= len(l.members), "lease with more spares than members")
	d.require(l.active || l.state != StateRunning, "lease that runs and holds nothing")
	d.require(!l.active || l.state == StateRunning || l.state == StateHeld, "lease that holds too early")
	d.require(l.state == StateWaiting || len(l.members) > int(l.spares), "lease without members")
	d.require(l.state != StateWaiting || l.request != nil, "lease that waits for nothing")
	d.require(l.state == StateHeld || l.ttl == 0, "lease that is held no more, with a time to live")
	d.require(l.paid == 0 || l.notice == CausePreempted && l.paid >= l.noticeAt, "lease with an end of funds that no notice hides")
	d.require(l.request == nil || l.fromRequest(l.request), "lease that is not of its request")
	if !d.ok() {
		return
	}
	d.checkMembers(l)
}

// fromRequest says whether a lease has the form that its request asks for. Its length may differ: it may have been extended.
func (l *lease) fromRequest(r *Request) bool {
	if int(l.alternative) > len(r.Alternatives) || l.job != r.Job || l.owner != r.Owner || l.class != r.Class || l.priority != r.Priority {
		return false
	}
	return l.takes == takes{uint32(r.CPUMilli), uint32(r.RAMMiB), uint32(r.DiskMiB)} && l.gpus == uint8(r.gpus(int(l.alternative))) &&
		l.share == r.ShareMilli && l.mig == r.MIG && (len(l.members) == 0 || len(l.members)-int(l.spares) == int(r.Replicas))
}

// checkMembers is what has to hold of each member before it is entered: the node is there, and what is active finds what it takes free. Audit then adds up
// what is booked.
func (d *decoder) checkMembers(l *lease) {
	f := d.f
	with := map[int32]*room{} // only looked up
	for k := range l.members {
		m := &l.members[k]
		d.require(m.node >= 0 && m.node < f.nodes.len() && f.nodes.at(m.node).present(), "lease on a node that is not there")
		if !d.ok() {
			return
		}
		d.require(m.sound(l, &f.shapes.list[f.index.row(m.node).shape]) && m.since >= l.from && m.since <= max(f.now, l.from), "member out of range")
		if !d.ok() {
			return
		}
		if !l.active {
			continue
		}
		r := with[m.node]
		if r == nil {
			r = &room{}
			f.roomNow(m.node, r)
			with[m.node] = r
		}
		d.require(r.holds(m, l.takes), "lease on what is not free")
		if !d.ok() {
			return
		}
		r.give(m, l.takes)
	}
}

// sound says whether a member is of the form that its lease has.
func (m *member) sound(l *lease, sh *shape) bool {
	if m.mask&^full(int(sh.cards)) != 0 {
		return false
	}
	switch {
	case l.share != 0:
		return sh.shares && count(m.mask) == 1 && m.milli == l.share && m.slices == 0
	case l.mig != 0:
		return sh.mig && count(m.mask) == 1 && m.milli == 0 && slicesOf(l.mig, m.slices)
	}
	return m.milli == 0 && m.slices == 0 && count(m.mask) == int(l.gpus)
}

// slicesOf says whether memory slices are those of an instance of a profile.
func slicesOf(p MIGProfile, slices uint8) bool {
	return slices != 0 && p.place(^slices) == slices
}

// holds says whether a room holds what a member takes.
func (r *room) holds(m *member, t takes) bool {
	if !r.has(t) {
		return false
	}
	if !m.divides() {
		return m.mask&^r.free == 0
	}
	k := lowestBit(m.mask)
	if r.whole&m.mask != 0 {
		return false
	}
	if m.milli != 0 {
		return r.part.mig[k] == 0 && r.part.milli[k]+m.milli <= 1000
	}
	return r.part.milli[k] == 0 && r.part.mig[k]&m.slices == 0
}
