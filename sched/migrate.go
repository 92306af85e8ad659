package sched

import (
	"fmt"
	"slices"
)

// Move puts one member of a lease on another node.
type Move struct {
	Lease LeaseID
	Rank  int
	To    NodeID
}

// moved is a move in the fleet's numbers, with the member as it was and as it becomes.
type moved struct {
	slot     int32
	rank     int
	from, to member
}

// migrate carries out moves one after the other; the first that does not fit takes back those before it.
func (f *Fleet) migrate(now int64, moves []Move) ([]Effect, error) {
	if err := within("len(Migrate.Moves)", uint64(len(moves)), 1, 10_000); err != nil {
		return nil, err
	}
	var done []moved
	for _, m := range moves {
		x, err := f.move(now, m)
		if err != nil {
			f.takeBack(done)
			return nil, err
		}
		done = append(done, x)
	}
	var slots []int32
	for _, x := range done {
		slots = append(slots, x.slot)
		f.changed()
	}
	var effects []Effect
	for _, slot := range f.bySeq(slots) {
		out := Moved{}
		l := f.leases.edit(slot)
		l.past = slices.Clone(l.past)
		for _, x := range done {
			if x.slot != slot {
				continue
			}
			l.past = f.meterOne(l.past, l, &x.from, now)
			from, _ := f.members([]member{x.from}, x.rank)
			to, _ := f.members([]member{x.to}, x.rank)
			out.From, out.To = append(out.From, from...), append(out.To, to...)
		}
		out.Lease = f.lease(slot)
		effects = append(effects, out)
	}
	f.stale = true
	return effects, nil
}

// takeBack undoes moves, the last one first, so that nothing tells that they were tried.
func (f *Fleet) takeBack(done []moved) {
	for k := len(done) - 1; k >= 0; k-- {
		f.setMember(done[k].slot, done[k].rank, done[k].from)
	}
}

// move carries out one move.
func (f *Fleet) move(now int64, m Move) (moved, error) {
	slot, ok := f.slotOf(m.Lease)
	if !ok || f.leases.ref(slot).state != StateRunning {
		return moved{}, fmt.Errorf("%w: %q does not run", ErrUnknownLease, m.Lease)
	}
	l := f.leases.ref(slot)
	if now >= l.end() {
		return moved{}, fmt.Errorf("%w: %q is over", ErrUnknownLease, m.Lease)
	}
	if err := within("Move.Rank", uint64(m.Rank), 0, uint64(len(l.members)-1)); err != nil {
		return moved{}, err
	}
	i, err := f.upNode(m.To)
	if err != nil {
		return moved{}, err
	}
	to, ok := f.fitsAt(now, l, m.Rank, i)
	if !ok {
		return moved{}, &ConflictError{Lease: m.Lease, Node: m.To}
	}
	x := moved{slot, m.Rank, l.members[m.Rank], to}
	f.setMember(slot, m.Rank, to)
	return x, nil
}

// fitsAt says where on a node a member of a running lease would go for the rest of its time. The node must be of the same kind, since nothing else is known to
// do for the job, and take new jobs.
func (f *Fleet) fitsAt(now int64, l *lease, rank int, i int32) (member, bool) {
	old := l.members[rank]
	if s := f.nodes.at(i); i == old.node || !s.present() || s.draining() || f.reclaimAt.at(i) != 0 && f.reclaimAt.at(i) < l.end() {
		return member{}, false
	}
	sh := &f.shapes.list[f.index.row(i).shape]
	if sh.kind != f.shapes.list[f.index.row(old.node).shape].kind {
		return member{}, false
	}
	var free room
	f.roomOver(i, now, now, l.end(), -1, &free)
	q := ask{takes: l.takes, mig: l.mig}
	q.gpus, q.share = int(l.gpus), l.share
	to := member{node: i, hour: old.hour, since: now} // the price was fixed when the lease was placed
	return to, f.fits(&q, sh, &free, &to)
}

// setMember changes one member of a lease that holds what it has.
func (f *Fleet) setMember(slot int32, rank int, to member) {
	l := f.leases.edit(slot)
	from := l.members[rank]
	f.unlink(slot, int32(rank), from.node)
	f.reoccupy(&from, l.takes, false)
	l.members = slices.Clone(l.members)
	l.members[rank] = to
	f.link(slot, int32(rank), to.node)
	f.reoccupy(&to, l.takes, true)
}
