package sched

import (
	"cmp"
	"slices"
)

// scratch holds the buffers of searches, so that a search allocates little. Nothing in it outlives a call.
type scratch struct {
	bySite []int32 // site -> index into rooms of the running search, plus one
	rooms  []siteRoom
	layers [][]int32
}

// siteRoom is what one site can hold of a gang.
type siteRoom struct {
	site   int32
	room   int
	nodes  []nodeRoom
	sorted bool
}

type nodeRoom struct {
	node int32
	room int
}

// hunt is one search for a gang: an enumeration of the sets of sites of one size that hold all replicas and whose links are within the limits.
type hunt struct {
	f     *Fleet
	q     *ask
	rooms []siteRoom // by room, the largest first, then by site ID
	steps *uint32    // left for this size
	best  bool       // false: any set will do

	set    []int32 // the sites chosen so far, as indices into rooms
	worst  []uint32
	found  bool
	choice []int32 // the best set so far, in order of site IDs
	delay  uint32
	price  uint64
}

// gang looks for the fewest sites that hold all replicas, then among the sets of that size for the best.
func (f *Fleet) gang(q *ask, steps *uint32, best bool) (plan, bool) {
	p := plan{exhaustive: true, best: -1}
	rooms := f.roomBySite(q, &p)
	if p.room < q.replicas {
		return p, false
	}
	fewest, sum := 0, 0
	for sum < q.replicas {
		sum += rooms[fewest].room
		fewest++
	}
	for k := fewest; k <= min(q.sites, len(rooms)); k++ {
		// Half of what is left for each size: a size in which sets are many and links are few must not starve the next.
		ration := max(*steps/2, 1)
		left := ration
		h := hunt{f: f, q: q, rooms: rooms, steps: &left, best: best}
		h.extend(k, f.layer(0, len(rooms)), q.replicas)
		*steps -= min(ration-left, *steps)
		if left == 0 {
			p.exhaustive = false
		}
		if h.found {
			h.fill(&p)
			return p, true
		}
	}
	return p, false
}

// roomBySite sorts what passes the filters by site, the site with the most room first.
func (f *Fleet) roomBySite(q *ask, p *plan) []siteRoom {
	s := &f.scratch
	s.bySite = append(s.bySite[:0], make([]int32, len(f.sites.list))...)
	rooms := s.rooms[:0]
	for i := range f.rows {
		r := &f.rows[i]
		if q.charge(r) != 0 {
			continue
		}
		at := s.bySite[r.site]
		if at == 0 {
			if len(rooms) < cap(rooms) {
				rooms = rooms[:len(rooms)+1] // its slice of nodes is used again
			} else {
				rooms = append(rooms, siteRoom{})
			}
			at = int32(len(rooms))
			s.bySite[r.site] = at
			e := &rooms[at-1]
			*e = siteRoom{site: r.site, nodes: e.nodes[:0]}
		}
		n := q.room(r)
		e := &rooms[at-1]
		e.nodes = append(e.nodes, nodeRoom{int32(i), n})
		e.room += n
		p.eligible++
		p.room += n
	}
	s.rooms = rooms
	for i := range rooms {
		rooms[i].room = min(rooms[i].room, q.replicas)
	}
	slices.SortFunc(rooms, func(a, b siteRoom) int {
		return cmp.Or(cmp.Compare(b.room, a.room), cmp.Compare(f.sites.list[a.site], f.sites.list[b.site]))
	})
	if len(rooms) > 0 {
		p.best, p.bestRoom = rooms[0].site, rooms[0].room
	}
	return rooms
}

// layer returns the buffer of one depth of the search, filled with 0 to n-1.
func (f *Fleet) layer(depth, n int) []int32 {
	for len(f.scratch.layers) <= depth {
		f.scratch.layers = append(f.scratch.layers, nil)
	}
	l := f.scratch.layers[depth][:0]
	for i := range n {
		l = append(l, int32(i))
	}
	f.scratch.layers[depth] = l
	return l
}

// extend adds k more sites out of the allowed ones, which all may stand beside what is chosen and are in order of room; missing is how many
// replicas have no place yet. It returns false when the hunt is over.
func (h *hunt) extend(k int, allowed []int32, missing int) bool {
	for i, s := range allowed {
		if !h.step() {
			return false
		}
		if !h.enough(k, allowed[i:], missing) {
			return true // what follows is smaller still
		}
		worst := h.worstWith(s)
		if h.found && worst > h.delay {
			continue
		}
		h.set, h.worst = append(h.set, s), append(h.worst, worst)
		var more bool
		if k == 1 {
			h.consider(worst)
			more = h.best || !h.found
		} else {
			next := h.f.layer(len(h.set), 0)
			for _, t := range allowed[i+1:] {
				if !h.step() {
					return false
				}
				if h.joins(s, t) {
					next = append(next, t)
				}
			}
			h.f.scratch.layers[len(h.set)] = next
			more = h.extend(k-1, next, missing-h.rooms[s].room)
		}
		h.set, h.worst = h.set[:len(h.set)-1], h.worst[:len(h.worst)-1]
		if !more {
			return false
		}
	}
	return true
}

func (h *hunt) step() bool {
	*h.steps-- // it began above 0, and the hunt ends at 0
	return *h.steps > 0
}

// enough says whether the k largest of the allowed sites could hold what is missing.
func (h *hunt) enough(k int, allowed []int32, missing int) bool {
	if len(allowed) < k {
		return false
	}
	for _, s := range allowed[:k] {
		missing -= h.rooms[s].room
	}
	return missing <= 0
}

// joins says whether the link between two sites is within the limits.
func (h *hunt) joins(s, t int32) bool {
	l, ok := h.f.linkOf(h.rooms[s].site, h.rooms[t].site)
	if !ok {
		return h.q.unmeasured
	}
	return (h.q.delay == 0 || l.delay <= h.q.delay) && l.mbps >= h.q.mbps
}

// worstWith is the worst delay once s joins the chosen sites.
func (h *hunt) worstWith(s int32) uint32 {
	if len(h.set) == 0 {
		return 0
	}
	worst := h.worst[len(h.worst)-1]
	for _, t := range h.set {
		l, ok := h.f.linkOf(h.rooms[s].site, h.rooms[t].site)
		if !ok {
			return Unmeasured
		}
		worst = max(worst, l.delay)
	}
	return worst
}

// consider keeps the chosen set if it is better than the best so far: by delay, price, site IDs.
func (h *hunt) consider(delay uint32) {
	ids := func(a, b int32) int {
		return cmp.Compare(h.f.sites.list[h.rooms[a].site], h.f.sites.list[h.rooms[b].site])
	}
	set := slices.SortedFunc(slices.Values(h.set), ids)
	price := uint64(0)
	if h.best {
		for _, n := range h.take(set) {
			price += uint64(n.room) * h.f.rows[n.node].hour
		}
	}
	if h.found && cmp.Or(cmp.Compare(delay, h.delay), cmp.Compare(price, h.price), slices.CompareFunc(set, h.choice, ids)) >= 0 {
		return
	}
	h.found, h.choice, h.delay, h.price = true, set, delay, price
}

// take picks nodes of a set of sites by the policy's order until every replica has one; room is then how many each takes.
func (h *hunt) take(set []int32) []nodeRoom {
	at := make([]int, len(set))
	var out []nodeRoom
	for missing := h.q.replicas; missing > 0; {
		next := -1
		for i, s := range set {
			h.sortNodes(s)
			nodes := h.rooms[s].nodes
			if at[i] < len(nodes) && (next < 0 || h.f.compare(nodes[at[i]].node, h.rooms[set[next]].nodes[at[next]].node) < 0) {
				next = i
			}
		}
		n := h.rooms[set[next]].nodes[at[next]]
		at[next]++
		n.room = min(n.room, missing)
		missing -= n.room
		out = append(out, n)
		if *h.steps > 1 { // the last step is extend's, which ends the hunt there
			*h.steps--
		}
	}
	return out
}

func (h *hunt) sortNodes(s int32) {
	r := &h.rooms[s]
	if !r.sorted {
		slices.SortFunc(r.nodes, func(a, b nodeRoom) int { return h.f.compare(a.node, b.node) })
		r.sorted = true
	}
}

// fill turns the choice into members: sites in order of their IDs, in each the nodes in the policy's order.
func (h *hunt) fill(p *plan) {
	taken := h.take(h.choice)
	var used []int32
	for _, s := range h.choice {
		before := len(p.members)
		for _, n := range taken {
			r := &h.f.rows[n.node]
			if r.site != h.rooms[s].site {
				continue
			}
			free := r.free
			for range n.room {
				mask := lowest(free, h.q.gpus)
				free &^= mask
				p.members = append(p.members, member{n.node, mask, r.hour})
			}
		}
		if len(p.members) > before {
			used = append(used, s)
		}
	}
	// Not len(h.choice): where the steps ran out before a smaller set was found, a site of this one may stay empty.
	p.sites, p.delay = len(used), h.span(used)
}

// span is the worst delay between two sites of a set.
func (h *hunt) span(set []int32) uint32 {
	worst := uint32(0)
	for i, s := range set {
		for _, t := range set[:i] {
			l, ok := h.f.linkOf(h.rooms[s].site, h.rooms[t].site)
			if !ok {
				return Unmeasured
			}
			worst = max(worst, l.delay)
		}
	}
	return worst
}
