package sched

import (
	"cmp"
	"math"
	"slices"
)

// Proposal is a way to make room for a request by moving members of running leases that allow it.
type Proposal struct {
	// Moves are to be given to Migrate, in this order. None are needed where the request fits as it is.
	Moves []Move
	// Cards is how many devices are moved; Before and After are the largest numbers of replicas of the request that fit without and with the moves.
	Cards         int
	Before, After int
	// Placement is the proof: where the request would go after the moves.
	Placement Placement
}

// Defragment proposes moves after which a request for whole devices fits now, with few devices moved: node after node is emptied as far as a replica needs, the one
// first for which the fewest devices have to move, and each member goes to the node of the same kind that it fills best. Only leases whose request was Movable are
// touched, at most maxMoves members are moved, and nothing is changed: Migrate carries a proposal out. The error is one that wraps ErrInvalid, or *UnplaceableError
// where no such moves were found; it may miss some, since it never moves a member to make room for another that is moved.
func (f *Fleet) Defragment(r Request, maxMoves int) (Proposal, error) {
	if err := first(f.check(&r), within("maxMoves", uint64(max(maxMoves, 0)), 1, 10_000)); err != nil {
		return Proposal{}, err
	}
	c := f.call(f.now)
	p, err := c.place(&r)
	if err == nil {
		n := int(r.Replicas)
		return Proposal{Before: n, After: n, Placement: f.placement(&p)}, nil
	}
	u, ok := err.(*UnplaceableError) //nolint:errorlint // place returns nothing else
	if !ok || r.GPUsPerReplica == 0 || r.ShareMilli != 0 || r.MIG != 0 {
		return Proposal{}, err
	}
	out := Proposal{Before: u.Largest, After: int(r.Replicas)}
	var done []moved
	defer func() { f.takeBack(done) }()
	for _, i := range f.emptiable(c, &r) {
		before := len(done)
		if done = f.empty(c, &r, i, maxMoves, done); len(done) == before {
			continue
		}
		steps := f.policy.SearchSteps
		p, ok := c.placeAt(&r, 0, f.now, &steps)
		if !ok {
			continue
		}
		for _, x := range done {
			out.Moves = append(out.Moves, Move{Lease: leaseID(f.leases.ref(x.slot).seq), Rank: x.rank, To: f.ids.nodeID(x.to.node)})
			out.Cards += count(x.to.mask)
		}
		out.Placement = f.placement(&p)
		return out, nil
	}
	return Proposal{}, err
}

// emptiable lists the nodes that could hold a replica more if members moved away, the one with the fewest devices to be moved first.
func (f *Fleet) emptiable(c *call, r *Request) []int32 {
	type cost struct {
		node  int32
		cards int
	}
	var list []cost
	q := c.ask(r, 0, c.now, c.now+1, c.rotate, c.sc)
	steps := f.policy.SearchSteps
	x := f.index
	x.start(&q.query, &c.sc.cursor)
	for i := x.next(&q.query, &c.sc.cursor); i >= 0 && steps > 0; i = x.next(&q.query, &c.sc.cursor) {
		steps--
		need := q.gpus - count(x.record(i).free)%q.gpus // up to the next replica
		if cards, ok := f.removable(i, need); ok {
			list = append(list, cost{i, cards})
		}
	}
	slices.SortStableFunc(list, func(a, b cost) int { return cmp.Compare(a.cards, b.cards) })
	out := make([]int32, len(list))
	for k, x := range list {
		out[k] = x.node
	}
	return out
}

// movable lists the members on a node that may be moved, those with more devices first.
func (f *Fleet) movable(i int32) (out []entry) {
	for e := f.index.row(i).booking; e != 0; {
		x := f.entries.at(e - 1)
		e = x.next
		l := f.leases.ref(x.slot)
		if m := &l.members[x.member]; l.state == StateRunning && l.notice == 0 && l.request != nil && l.request.Movable && m.mask != 0 && !m.divides() {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b entry) int {
		x, y := f.leases.ref(a.slot), f.leases.ref(b.slot)
		return cmp.Or(cmp.Compare(count(y.members[b.member].mask), count(x.members[a.member].mask)), cmp.Compare(x.seq, y.seq),
			cmp.Compare(a.member, b.member))
	})
	return out
}

// removable says how many devices have to be moved off a node so that need more are free.
func (f *Fleet) removable(i int32, need int) (cards int, ok bool) {
	for _, x := range f.toRemove(i, need) {
		cards += count(f.leases.ref(x.slot).members[x.member].mask)
	}
	return cards, cards >= need
}

// toRemove chooses the members to be moved: the smallest that is enough alone, else the largest and so on with what is left.
func (f *Fleet) toRemove(i int32, need int) (out []entry) {
	list := f.movable(i)
	for need > 0 && len(list) > 0 {
		k := 0
		for k+1 < len(list) && count(f.leases.ref(list[k+1].slot).members[list[k+1].member].mask) >= need {
			k++
		}
		out = append(out, list[k])
		need -= count(f.leases.ref(list[k].slot).members[list[k].member].mask)
		list = slices.Delete(list, k, k+1)
	}
	return out
}

// empty moves members off a node until one more replica fits there; it takes back what it did if that fails.
func (f *Fleet) empty(c *call, r *Request, i int32, maxMoves int, done []moved) []moved {
	before := len(done)
	gpus := int(r.GPUsPerReplica)
	for _, x := range f.toRemove(i, gpus-count(f.index.record(i).free)%gpus) {
		to, ok := f.betterPlace(c, x, i, r)
		if !ok || len(done) == maxMoves {
			for k := len(done) - 1; k >= before; k-- {
				f.setMember(done[k].slot, done[k].rank, done[k].from)
			}
			return done[:before]
		}
		done = append(done, moved{x.slot, int(x.member), f.leases.ref(x.slot).members[x.member], to})
		f.setMember(x.slot, int(x.member), to)
	}
	return done
}

// betterPlace finds the node that a member fills best: the one with the fewest devices left free, of those on which no replica of the request would lose its
// place.
func (f *Fleet) betterPlace(c *call, x entry, not int32, r *Request) (best member, ok bool) {
	l := f.leases.ref(x.slot)
	kinds := [1]int32{f.shapes.list[f.index.row(not).shape].kind}
	q := query{kinds: kinds[:], gpus: int(l.gpus), hour: math.MaxUint32, cpu: l.cpu, ram: l.ram, disk: l.disk}
	least, gpus := maxDevices+1, int(r.GPUsPerReplica)
	index := f.index
	index.start(&q, &c.sc.cursor)
	for i := index.next(&q, &c.sc.cursor); i >= 0; i = index.next(&q, &c.sc.cursor) {
		free := count(index.record(i).free)
		left := free - int(l.gpus)
		if i == not || left >= least || left/gpus < free/gpus {
			continue
		}
		if to, fits := f.fitsAt(f.now, l, int(x.member), i); fits {
			best, least, ok = to, left, true
		}
	}
	return best, ok
}
