package sched

// entry is one member of a lease in the list of its node.
type entry struct {
	slot   int32 // of the lease
	member int32
	next   int32 // number of an entry plus one, 0 at the end; in a free entry of the next free one
}

// room is what a node has free over a stretch of time: the least at any instant.
type room struct {
	free           uint16 // devices that nothing holds, even in part
	whole          uint16 // devices that are held whole at some instant
	cpu, ram, disk uint32
	divided        bool // milli and mig say how devices are divided
	part           part
}

// takes is what one member takes of its node, the devices aside.
type takes struct{ cpu, ram, disk uint32 }

// has says whether the room has so much CPU, memory and disk.
func (r *room) has(t takes) bool { return r.cpu >= t.cpu && r.ram >= t.ram && r.disk >= t.disk }

// give takes what a member holds out of the room, at most what is there: a lease that is over but was not ended may stand beside the next one.
func (r *room) give(m *member, t takes) {
	r.cpu -= min(r.cpu, t.cpu)
	r.ram -= min(r.ram, t.ram)
	r.disk -= min(r.disk, t.disk)
	r.free &^= m.mask
	if !m.divides() {
		r.whole |= m.mask
	} else if r.divided {
		k := lowestBit(m.mask)
		r.part.milli[k] = min(r.part.milli[k]+m.milli, 1000)
		r.part.mig[k] |= m.slices
	}
}

// now is what a node has free at this moment, as the index has it.
func (s *state) roomNow(i int32, r *room) {
	row := s.index.row(i)
	*r = room{free: s.index.record(i).free, cpu: row.cpu, ram: row.ram, disk: row.disk}
	if p := s.partOf.at(i); p != 0 {
		r.divided, r.part = true, s.parts.at(p-1)
		for k := range r.part.milli {
			if r.part.milli[k] == 0 && r.part.mig[k] == 0 {
				r.whole |= ^r.free & (1 << k)
			}
		}
	}
}

// roomOver is what a node has free in [from, until), whatever is booked: for each resource the least at any instant. Leases in
// the slot skip are left out (-1: none). A lease that is over but was not ended yet holds what it has at now.
func (s *state) roomOver(i int32, now, from, until int64, skip int32, r *room) {
	row := s.index.row(i)
	sh := &s.shapes.list[row.shape]
	base := room{free: full(int(sh.cards)), cpu: sh.cpu, ram: sh.ram, disk: sh.disk, divided: s.partOf.at(i) != 0}
	*r = base
	s.mergeAt(i, now, from, skip, &base, r)
	for e := row.booking; e != 0; {
		x := s.entries.at(e - 1)
		e = x.next
		l := s.leases.ref(x.slot)
		if at := max(l.from, l.members[x.member].since); x.slot != skip && at > from && at < until {
			s.mergeAt(i, now, at, skip, &base, r)
		}
	}
}

// mergeAt lowers r to what is free at one instant.
func (s *state) mergeAt(i int32, now, at int64, skip int32, base, r *room) {
	here := *base
	for e := s.index.row(i).booking; e != 0; {
		x := s.entries.at(e - 1)
		e = x.next
		l := s.leases.ref(x.slot)
		if x.slot == skip || !l.holdsAt(&l.members[x.member], at, now) {
			continue
		}
		here.give(&l.members[x.member], l.takes)
	}
	r.free &= here.free
	r.whole |= here.whole
	r.cpu, r.ram, r.disk = min(r.cpu, here.cpu), min(r.ram, here.ram), min(r.disk, here.disk)
	if r.divided {
		for k := range r.part.milli {
			r.part.milli[k] = max(r.part.milli[k], here.part.milli[k])
			r.part.mig[k] |= here.part.mig[k]
		}
	}
}

// holdsAt says whether a lease holds a member at an instant, seen from now: what is not ended yet holds now, whatever was booked; and what replaced
// another member was not held before.
func (l *lease) holdsAt(m *member, at, now int64) bool {
	if l.active && at <= now {
		return true
	}
	return max(l.from, m.since) <= at && at < l.end()
}

// link enters a member into the list of its node.
func (f *Fleet) link(slot, k, node int32) {
	e := f.entryFree
	if e == 0 {
		f.entryCount++
		e = f.entryCount
		f.entries.grow(e)
	} else {
		f.entryFree = f.entries.at(e - 1).next
	}
	row := f.index.editRow(node)
	*f.entries.edit(e - 1) = entry{slot: slot, member: k, next: row.booking}
	row.booking = e
}

// unlink takes a member out of the list of its node.
func (f *Fleet) unlink(slot, k, node int32) {
	row := f.index.editRow(node)
	before := int32(0)
	for e := row.booking; e != 0; {
		x := f.entries.at(e - 1)
		if x.slot == slot && x.member == k {
			if before == 0 {
				row.booking = x.next
			} else {
				f.entries.edit(before - 1).next = x.next
			}
			*f.entries.edit(e - 1) = entry{next: f.entryFree}
			f.entryFree = e
			return
		}
		before, e = e, x.next
	}
	panic("sched: Fleet.unlink: no such entry")
}

// occupy takes what a member holds off, or (with on false) puts it back to, what the node has free now.
func (f *Fleet) occupy(m *member, t takes, on bool) {
	f.reoccupy(m, t, on)
	f.changed()
}

// reoccupy is occupy for what may be taken back: it does not count as a change.
func (f *Fleet) reoccupy(m *member, t takes, on bool) {
	f.weigh(m.node, -1)
	f.occupied(m, t, on)
	f.weigh(m.node, 1)
}

func (f *Fleet) occupied(m *member, t takes, on bool) {
	row, rec, st := f.index.row(m.node), f.index.record(m.node), f.nodes.at(m.node)
	cpu, ram, disk, free := row.cpu+t.cpu, row.ram+t.ram, row.disk+t.disk, rec.free|m.mask
	if on {
		cpu, ram, disk, free = row.cpu-t.cpu, row.ram-t.ram, row.disk-t.disk, rec.free&^m.mask
	}
	if m.divides() {
		p := f.parts.edit(f.partOf.at(m.node) - 1)
		k := lowestBit(m.mask)
		if on {
			p.milli[k] += m.milli
			p.mig[k] |= m.slices
		} else {
			p.milli[k] -= m.milli
			p.mig[k] &^= m.slices
			if p.milli[k] != 0 || p.mig[k] != 0 {
				free &^= m.mask
			}
		}
	}
	if st.present() {
		f.free += count(free) - count(rec.free)
	}
	f.index.setFree(m.node, free, cpu, ram, disk)
	if f.partOf.at(m.node) != 0 {
		f.index.setShare(m.node, f.largestShare(m.node))
	}
}

// largestShare is the largest part of one device of a node that a share could have now, in thousandths.
func (s *state) largestShare(i int32) uint16 {
	sh := &s.shapes.list[s.index.row(i).shape]
	if !sh.shares {
		return 0
	}
	p, free := s.parts.at(s.partOf.at(i)-1), s.index.record(i).free
	best := uint16(0)
	for k := range int(sh.cards) {
		switch {
		case free&(1<<k) != 0:
			return 1000
		case p.mig[k] == 0 && p.milli[k] != 0:
			best = max(best, 1000-p.milli[k])
		}
	}
	return best
}

// mark tells the index whether a node has something booked that does not hold yet, so that what is free now is not the whole truth.
func (f *Fleet) mark(i int32) {
	booked := f.reclaimAt.at(i) != 0
	for e := f.index.row(i).booking; e != 0 && !booked; {
		x := f.entries.at(e - 1)
		booked, e = !f.leases.ref(x.slot).active, x.next
	}
	if was := f.index.record(i).booked(); booked != was {
		f.index.setBooked(i, booked)
		if booked {
			f.bookedNodes++
		} else {
			f.bookedNodes--
		}
	}
}
