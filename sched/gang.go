package sched

import (
	"cmp"
	"slices"
)

// gangScratch holds the buffers of a search for several replicas.
type gangScratch struct {
	bySite  []int32     // site -> number of its offer plus one, 0 if it has none
	offers  []siteOffer // by site
	runs    [][]int32   // of each offer: the runs that may serve
	nodes   []ranked    // of the set that is being filled
	rooms   []int32     // replicas that each of them holds
	order   []int32     // the nodes as the policy prefers them
	taken   []int32     // replicas that each of them takes
	load    []int32     // replicas that each site of the set takes
	hunt    siteHunt
	members []member
	steps   uint32
}

// fewRuns is how many sites that hold a gang alone are compared where only the first candidates are.
const fewRuns = 8

// gang looks for the fewest sites that hold all replicas, then among the sets of that size for the best: least worst delay, then price, then
// site IDs. With best false any set will do.
func (s *state) gang(q *ask, need int, fixed []int32, sc *scratch, steps *uint32, best bool) (plan, bool) {
	p := plan{exhaustive: true, best: -1, next: -1, from: q.from}
	r := q.r
	alone := len(fixed) == 0 && r.MinSites <= 1 && (r.PerSite == 0 || int(r.PerSite) >= need)
	if alone && q.quick() && s.policy.Candidates != 0 {
		if s.inOneRun(q, need, sc, &p) {
			return p, true
		}
	}
	s.offer(q, need, sc, &p)
	if p.room < need {
		return p, false
	}
	g := &sc.gang
	h := &g.hunt
	g.steps = *steps // the hunt keeps the address of what is left: that of the caller's would have it allocated
	h.links, h.steps, h.best, h.offers = &s.links, &g.steps, best, g.offers
	h.limits = siteLimits{
		need: need, minSites: int(r.MinSites), maxSites: r.sites(), perSite: int(r.PerSite), delay: q.delay, mbps: q.mbps,
		unmeasured: r.AllowUnmeasured || q.delay == 0 && q.mbps == 0, fixed: fixed,
	}
	h.exact = func(k int) int { return s.siteRoom(q, g.offers[k].room, g.runs[k], sc) }
	h.price = func(set []int32) uint64 { return s.fill(q, set, need, sc) }
	h.less = func(a, b int32) bool { return s.sites.list[a] < s.sites.list[b] }
	found, exhaustive, ok := h.run()
	*steps = g.steps
	p.exhaustive = exhaustive
	if !ok {
		return p, false
	}
	s.fill(q, found.offers, need, sc)
	s.collect(q, sc, &p)
	return p, true
}

// quick says whether what is free in a run bounds the replicas that it holds.
func (q *ask) quick() bool { return q.plain && q.gpus > 0 && !q.lone }

// inOneRun looks for one site that holds all replicas on devices of one kind: of the first such sites, the one with the fewest free devices.
func (s *state) inOneRun(q *ask, need int, sc *scratch, p *plan) bool {
	x := s.index
	x.runsWith(&q.query, need*q.gpus, &sc.runs)
	best, free, seen := int32(-1), int32(0), 0
	for r := x.nextRun(&q.query, &sc.runs); r >= 0 && seen < fewRuns; r = x.nextRun(&q.query, &sc.runs) {
		run := x.run(r)
		if best < 0 || run.free < free {
			if s.runRoom(q, r, need, sc) < need {
				continue
			}
			best, free = r, run.free
		}
		seen++
	}
	if best < 0 {
		return false
	}
	s.listNodes(q, best, need, sc, true)
	s.take(q, need, 1, sc)
	p.best, p.bestRoom, p.room, p.compared, p.exhaustive = x.run(best).site, need, need, seen, false
	s.collect(q, sc, p)
	return true
}

// offer lists the sites with an upper bound of the replicas that each may hold.
func (s *state) offer(q *ask, need int, sc *scratch, p *plan) {
	g, x := &sc.gang, s.index
	for _, o := range g.offers {
		if int(o.site) < len(g.bySite) {
			g.bySite[o.site] = 0
		}
	}
	if n := len(s.sites.list); len(g.bySite) < n {
		g.bySite = append(g.bySite, make([]int32, n-len(g.bySite))...)
	}
	g.offers = g.offers[:0]
	if q.needsFree() {
		x.runsWith(&q.query, q.query.gpus, &sc.runs)
		for r := x.nextRun(&q.query, &sc.runs); r >= 0; r = x.nextRun(&q.query, &sc.runs) {
			bound := need
			if q.quick() {
				bound = min(int(x.run(r).free)/q.gpus, need)
			}
			g.offerRun(r, x.run(r).site, int32(bound), int32(need))
		}
	} else {
		for site := range min(int32(len(s.sites.list)), x.firstRun.len()) {
			for r := x.firstRun.at(site) - 1; r >= 0; r = x.run(r).sibling - 1 {
				g.offerRun(r, site, int32(need), int32(need))
			}
		}
	}
	if !q.quick() { // the bound says nothing: count
		for k := range g.offers {
			g.offers[k].room = int32(s.siteRoom(q, int32(need), g.runs[k], sc))
		}
	}
	for _, h := range q.held { // replicas that stay count where a site may hold only so many
		if at := g.bySite[h.site]; at != 0 && q.r.PerSite != 0 {
			g.offers[at-1].room = min(g.offers[at-1].room, max(0, int32(q.r.PerSite)-h.replicas))
		}
	}
	g.dropEmpty()
	p.compared = len(g.offers)
	for _, o := range g.offers {
		p.room += int(o.room)
		if int(o.room) > p.bestRoom {
			p.best, p.bestRoom = o.site, int(o.room)
		}
	}
}

// needsFree says whether each replica needs a device that is wholly free now, so that runs without one need not be looked at.
func (q *ask) needsFree() bool { return !q.later() && q.query.gpus > 0 && q.share == 0 }

// offerRun adds a run to the offer of its site, with an upper bound of the replicas that it may hold.
func (g *gangScratch) offerRun(r, site, bound, need int32) {
	at := g.bySite[site]
	if at == 0 {
		g.offers = append(g.offers, siteOffer{site: site})
		at = int32(len(g.offers))
		g.bySite[site] = at
		if len(g.runs) < len(g.offers) {
			g.runs = append(g.runs, nil)
		}
		g.runs[at-1] = g.runs[at-1][:0]
	}
	g.runs[at-1] = append(g.runs[at-1], r)
	g.offers[at-1].room = min(g.offers[at-1].room+bound, need)
}

// dropEmpty takes out the offers without room, their lists of runs with them.
func (g *gangScratch) dropEmpty() {
	n := 0
	for k, o := range g.offers {
		g.bySite[o.site] = 0
		if o.room > 0 {
			g.offers[n], g.runs[n], g.runs[k] = o, g.runs[k], g.runs[n]
			n++
			g.bySite[o.site] = int32(n)
		}
	}
	g.offers = g.offers[:n]
}

// siteRoom is how many replicas the runs of one site hold, at most limit.
func (s *state) siteRoom(q *ask, limit int32, runs []int32, sc *scratch) int {
	n := 0
	for _, r := range runs {
		if n >= int(limit) {
			break
		}
		n += s.runRoom(q, r, int(limit)-n, sc)
	}
	return min(n, int(limit))
}

// runRoom is how many replicas a run holds, at most limit.
func (s *state) runRoom(q *ask, r int32, limit int, sc *scratch) int {
	if q.quick() && s.bookedNodes == 0 {
		return s.index.room(&q.query, r, limit)
	}
	n := 0
	for i := range s.index.runNodes(r) {
		if n >= limit {
			break
		}
		n += s.nodeRoom(q, i, limit-n, sc)
	}
	return n
}

// nodeRoom is how many replicas a node holds, at most limit.
func (s *state) nodeRoom(q *ask, i int32, limit int, sc *scratch) int {
	if !s.passes(q, i) {
		return 0
	}
	if q.quick() && !s.index.record(i).booked() {
		return s.index.replicas(&q.query, i, limit)
	}
	var free room
	var m member
	if s.beyond(q, i, sc, &free, &m) != 0 {
		return 0
	}
	if q.lone {
		limit = 1
	}
	sh := &s.shapes.list[s.index.row(i).shape]
	n := 0
	for n < limit && s.fits(q, sh, &free, &m) {
		free.give(&m, q.takes)
		n++
	}
	return n
}

// listNodes appends the nodes of a run that hold at least one replica; first begins a new list.
func (s *state) listNodes(q *ask, r int32, need int, sc *scratch, begin bool) {
	g := &sc.gang
	if begin {
		g.nodes, g.rooms = g.nodes[:0], g.rooms[:0]
	}
	for i := range s.index.runNodes(r) {
		n := s.nodeRoom(q, i, need, sc)
		if n == 0 {
			continue
		}
		if len(g.nodes) < cap(g.nodes) {
			g.nodes = g.nodes[:len(g.nodes)+1]
		} else {
			g.nodes = append(g.nodes, ranked{})
		}
		c := &g.nodes[len(g.nodes)-1]
		c.n, c.m = 0, member{}
		s.beyond(q, i, sc, &c.free, &c.m)
		c.m.node = i
		g.rooms = append(g.rooms, int32(n))
	}
}

// fill distributes the replicas over a set of offers and returns their price: one to each site, then by the policy's order.
func (s *state) fill(q *ask, set []int32, need int, sc *scratch) uint64 {
	g := &sc.gang
	begin := true
	for _, k := range set {
		for _, r := range g.runs[k] {
			s.listNodes(q, r, need, sc, begin)
			begin = false
		}
	}
	return s.take(q, need, len(set), sc)
}

// take chooses nodes of the list until every replica has one, and returns the price of all.
func (s *state) take(q *ask, need, sites int, sc *scratch) (price uint64) {
	g := &sc.gang
	g.order, g.taken = g.order[:0], g.taken[:0]
	for i := range g.nodes {
		g.order = append(g.order, int32(i))
		g.taken = append(g.taken, 0)
	}
	slices.SortStableFunc(g.order, func(a, b int32) int {
		d, _ := s.compare(q, &g.nodes[a], &g.nodes[b], sc)
		return cmp.Or(d, cmp.Compare(a, b))
	})
	g.load = append(g.load[:0], make([]int32, len(g.offers)+1)...)
	for _, h := range q.held {
		if int(h.site) < len(g.bySite) {
			g.load[min(int(g.bySite[h.site]), len(g.load)-1)] += h.replicas
		}
	}
	add := func(i int32, n int) {
		m := &g.nodes[i].m
		g.taken[i] += int32(n)
		*g.loadOf(s, m.node) += int32(n)
		need -= n
		price += uint64(n) * uint64(m.price(s.index.record(m.node).hour)) * uint64(max(q.gpus, 1))
	}
	if sites > 1 {
		for _, i := range g.order {
			if need > 0 && *g.loadOf(s, g.nodes[i].m.node) == 0 {
				add(i, 1)
			}
		}
	}
	for _, i := range g.order {
		n := min(int(g.rooms[i]-g.taken[i]), need)
		if per := int(q.r.PerSite); per > 0 {
			n = min(n, per-int(*g.loadOf(s, g.nodes[i].m.node)))
		}
		if n > 0 {
			add(i, n)
		}
	}
	return price
}

// loadOf is the count of replicas at a node's site; sites without an offer share one.
func (g *gangScratch) loadOf(s *state, node int32) *int32 {
	if at := s.siteNumber(node); int(at) < len(g.bySite) {
		return &g.load[min(int(g.bySite[at]), len(g.load)-1)]
	}
	return &g.load[0]
}

// collect turns what was taken into members: sites in order of their IDs, in each the nodes in the policy's order.
func (s *state) collect(q *ask, sc *scratch, p *plan) {
	g := &sc.gang
	slices.SortStableFunc(g.order, func(a, b int32) int {
		return cmp.Compare(s.sites.list[s.siteNumber(g.nodes[a].m.node)], s.sites.list[s.siteNumber(g.nodes[b].m.node)])
	})
	g.members = g.members[:0]
	for _, i := range g.order {
		if g.taken[i] == 0 {
			continue
		}
		node := g.nodes[i].m.node
		var free room
		s.load(q, node, &free)
		sh := &s.shapes.list[s.index.row(node).shape]
		for range g.taken[i] {
			m := member{node: node}
			s.fits(q, sh, &free, &m)
			m.hour = m.price(s.index.record(node).hour)
			free.give(&m, q.takes)
			g.members = append(g.members, m)
		}
	}
	p.members = g.members
	p.sites, p.delay = s.span(p.members)
}

// span is how many sites members use, and the worst delay between two of them.
func (s *state) span(members []member) (sites int, worst uint32) {
	var list []int32
	for i := range members {
		list = append(list, s.siteNumber(members[i].node))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	for i, a := range list {
		for _, b := range list[:i] {
			delay, _, ok := s.links.of(a, b)
			if !ok {
				return len(list), Unmeasured
			}
			worst = max(worst, delay)
		}
	}
	return len(list), worst
}
