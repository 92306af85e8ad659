package sched

import "slices"

// instantOf is one moment at which a lease may let go of what it holds.
type instantOf struct {
	at   int64
	slot int32
	pos  int32 // place in the heap of what is due, -1 if the lease was met there before
}

// dueWalk goes through the leases in order of the moments at which something is due of them, without changing the heap.
type dueWalk struct {
	s    *state
	due  *dueHeap
	next []instantOf // a heap by time, then lease
}

func (w *dueWalk) push(x instantOf) {
	w.next = append(w.next, x)
	for i := len(w.next) - 1; i > 0 && w.less(i, (i-1)/2); i = (i - 1) / 2 {
		w.next[i], w.next[(i-1)/2] = w.next[(i-1)/2], w.next[i]
	}
}

func (w *dueWalk) less(i, j int) bool {
	a, b := w.next[i], w.next[j]
	return a.at < b.at || a.at == b.at && w.s.leases.ref(a.slot).seq < w.s.leases.ref(b.slot).seq
}

func (w *dueWalk) pop() instantOf {
	top, last := w.next[0], len(w.next)-1
	w.next[0] = w.next[last]
	w.next = w.next[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c+1 < last && w.less(c+1, c) {
			c++
		}
		if c >= last || !w.less(c, i) {
			return top
		}
		w.next[i], w.next[c] = w.next[c], w.next[i]
		i = c
	}
}

func (w *dueWalk) pushPlace(pos int) {
	if pos < w.due.n {
		slot := w.due.at(pos)
		w.push(instantOf{at: w.s.leases.ref(slot).next(), slot: slot, pos: int32(pos)})
	}
}

// step returns the next moment at which a lease ends, false when there is none.
func (w *dueWalk) step() (instantOf, bool) {
	for len(w.next) > 0 {
		x := w.pop()
		if x.pos >= 0 {
			w.pushPlace(2*int(x.pos) + 1)
			w.pushPlace(2*int(x.pos) + 2)
		}
		l := w.s.leases.ref(x.slot)
		if x.pos >= 0 && l.end() > x.at { // something else is due of it before
			w.push(instantOf{at: l.end(), slot: x.slot, pos: -1})
			continue
		}
		if len(l.members) > 0 {
			return x, true
		}
	}
	return instantOf{}, false
}

// fewNodes is up to how many nodes are looked at one by one for the instant at which a replica fits; where more would do, leases are gone through in order
// of their ends, since one of the first is sure to help.
const fewNodes = 2048

// earliest looks for the first instant after from, up to latest, at which a request fits, if nobody extends, and for the best place then. Only ends of leases can
// make room, so only they are tried, and the instant after now where a lease is over that was not ended. It is bounded by the policy's steps: what is not found
// within them counts as not found.
func (c *call) earliest(r *Request, from, latest int64) (plan, bool) {
	steps := c.policy.SearchSteps
	switch at, known := c.earliestOfOne(r, from, latest, &steps); {
	case known && at > latest:
		return plan{}, false
	case known:
		return c.anyAlternative(r, at, &steps)
	}
	return c.walkEnds(r, from, latest, &steps)
}

// earliestAt is earliest without the place; 0 if there is none.
func (c *call) earliestAt(r *Request, from, latest int64) int64 {
	steps := c.policy.SearchSteps
	switch at, known := c.earliestOfOne(r, from, latest, &steps); {
	case known && at > latest:
		return 0
	case known:
		return at
	}
	p, ok := c.walkEnds(r, from, latest, &steps)
	if !ok {
		return 0
	}
	return p.from
}

// earliestOfOne looks at the nodes one by one, where only few would do for a single replica or all of them are too few for several: known says that the answer is
// exact; it is after latest where there is none.
func (c *call) earliestOfOne(r *Request, from, latest int64, steps *uint32) (at int64, known bool) {
	one := r.Replicas == 1 && r.Spares == 0 && r.MinSurvivalPPM == 0
	enough, few := false, true
	at = latest + 1
	for a := range len(r.Alternatives) + 1 {
		q := &c.sc.ask
		*q = c.ask(r, a, c.now, from+1, c.rotate, c.sc)
		able, all := c.ableNodes(q)
		enough = enough || able
		if few = few && all && one; few {
			for _, i := range c.sc.nodes {
				at = c.fitsFrom(q, i, from, at, steps)
			}
		}
	}
	if !enough {
		return latest + 1, true
	}
	return at, few
}

// ableNodes lists the nodes that would do if all that they have were free, and says whether they would hold all replicas; all is false if they are not listed to
// the last.
func (c *call) ableNodes(q *ask) (able, all bool) {
	sum := 0
	c.sc.nodes = c.sc.nodes[:0]
	x := c.index
	x.start(&q.query, &c.sc.cursor)
	for i := x.next(&q.query, &c.sc.cursor); i >= 0; i = x.next(&q.query, &c.sc.cursor) {
		c.sc.nodes = append(c.sc.nodes, i)
		switch {
		case q.gpus == 0 || q.share != 0 || q.mig != 0:
			sum = q.replicas
		default:
			sum += x.record(i).cards() / q.gpus
		}
		if sum >= q.replicas && len(c.sc.nodes) > fewNodes {
			return true, false
		}
	}
	return sum >= q.replicas, true
}

// fitsFrom is the first instant after from and before first at which a node holds a replica; first if there is none.
func (c *call) fitsFrom(q *ask, i int32, from, first int64, steps *uint32) int64 {
	var free room
	var m member
	for e := c.index.row(i).booking; e != 0; {
		x := c.entries.at(e - 1)
		e = x.next
		*steps -= min(*steps, 1)
		at := c.leases.ref(x.slot).end()
		if at <= from && from == c.now { // it is over, and the next tick ends it
			at = from + 1
		}
		if at <= from || at >= first {
			continue
		}
		q.from, q.until = at, until(at, q.r.Duration)
		if c.beyond(q, i, c.sc, &free, &m) == 0 {
			first = at
		}
	}
	return first
}

// walkEnds tries the ends of leases in order.
func (c *call) walkEnds(r *Request, from, latest int64, steps *uint32) (plan, bool) {
	w := dueWalk{s: c.state, due: c.due}
	w.pushPlace(0)
	tried := from
	for *steps > 0 {
		x, ok := w.step()
		if !ok || x.at > latest {
			return plan{}, false
		}
		*steps--
		if x.at <= from && from == c.now { // it is over, and the next tick ends it
			x.at = from + 1
		}
		if x.at <= from || x.at == tried || x.at > latest || !c.helps(r, x, steps) {
			continue
		}
		// All that ends at this instant is out of the way at once, since stretches are half open.
		tried = x.at
		if p, ok := c.anyAlternative(r, x.at, steps); ok {
			return p, true
		}
	}
	return plan{}, false
}

// anyAlternative places the first alternative that fits from an instant on.
func (c *call) anyAlternative(r *Request, at int64, steps *uint32) (plan, bool) {
	for a := range len(r.Alternatives) + 1 {
		if p, ok := c.placeAt(r, a, at, steps); ok {
			return p, true
		}
	}
	return plan{}, false
}

// helps says whether a node of a lease that ends would hold a replica from then on.
func (c *call) helps(r *Request, x instantOf, steps *uint32) bool {
	l := c.leases.ref(x.slot)
	for a := range len(r.Alternatives) + 1 {
		q := &c.sc.ask
		if q.r != r || len(r.Alternatives) > 0 || !q.later() {
			*q = c.ask(r, a, c.now, x.at, c.rotate, c.sc)
		}
		q.from, q.until = x.at, until(x.at, r.Duration)
		var free room
		var m member
		last := int32(-1)
		for k := range l.members {
			i := l.members[k].node
			if i == last {
				continue
			}
			last = i
			*steps -= min(*steps, 1)
			if c.passes(q, i) && c.beyond(q, i, c.sc, &free, &m) == 0 {
				return true
			}
		}
	}
	return false
}

// oneSupplier looks for the best plan that stays with one supplier: those whose nodes hold enough replicas are tried one by one, in order of their IDs.
func (c *call) oneSupplier(q *ask, alternative int, steps *uint32) (plan, bool) {
	room := make([]int32, len(c.suppliers.list))
	total := plan{exhaustive: true, best: -1, next: -1, from: q.from}
	x := c.index
	x.start(&q.query, &c.sc.cursor)
	for i := x.next(&q.query, &c.sc.cursor); i >= 0; i = x.next(&q.query, &c.sc.cursor) {
		by := x.row(i).supplier
		n := c.nodeRoom(q, i, q.replicas, c.sc)
		room[by] = min(room[by]+int32(n), int32(q.replicas))
		total.room = max(total.room, int(room[by]))
	}
	var able []int32
	for by, n := range room {
		if int(n) >= q.replicas {
			able = append(able, int32(by))
		}
	}
	slices.SortFunc(able, func(a, b int32) int {
		if c.suppliers.list[a] < c.suppliers.list[b] {
			return -1
		}
		return 1
	})
	best, found := total, false
	var members []member
	for _, by := range able {
		if *steps == 0 {
			best.exhaustive = false
			break
		}
		mine := *q
		mine.suppliers, mine.plain = []int32{by}, false
		p, ok := c.search(&mine, alternative, steps, true)
		if !ok {
			best.exhaustive = best.exhaustive && (found || p.exhaustive)
			continue
		}
		if !found || p.better(&best) {
			exhaustive := best.exhaustive && p.exhaustive
			members = append(members[:0], p.members...)
			best, found = p, true
			best.exhaustive = exhaustive
		}
	}
	best.members = members
	if !found && len(able) == 0 {
		best.lacks = ReasonOneSupplier
	}
	return best, found
}

// better orders plans for the same request: fewer sites, less worst delay, lower price.
func (p *plan) better(o *plan) bool {
	switch {
	case p.sites != o.sites:
		return p.sites < o.sites
	case p.delay != o.delay:
		return p.delay < o.delay
	}
	return p.hour() < o.hour()
}

func (p *plan) hour() (sum uint64) {
	for k := range p.members {
		sum += uint64(p.members[k].hour) * uint64(count(p.members[k].mask))
	}
	return sum
}
