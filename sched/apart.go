package sched

import "slices"

// apartAttempts is how many first replicas are tried for a gang whose replicas all want another supplier.
const apartAttempts = 16

// eachSupplier looks for a plan in which every replica has a supplier of its own, none of those taken, beside the sites that are fixed. Replicas are placed one after
// the other, each on the best node that is left, at the sites that are used already as long as that goes; where that ends early, it is begun again with another first
// supplier. So it may miss a plan, and never says that there is none.
func (c *call) eachSupplier(q *ask, alternative int, fixed, taken []int32, steps *uint32) (plan, bool) {
	tried := slices.Clone(taken)
	for range apartAttempts {
		members := c.chain(q, fixed, taken, tried, steps)
		if len(members) == 0 {
			break
		}
		if len(members) < q.replicas {
			tried = append(tried, c.index.row(members[0].node).supplier)
			continue
		}
		p := plan{
			best: c.siteNumber(members[0].node), bestRoom: 1, next: -1, from: q.from, alternative: alternative, seconds: (q.until - q.from) / second,
			members: members, room: len(members), compared: len(members),
		}
		p.sites, p.delay = c.span(members)
		if q.r.Spares == 0 && q.r.MinSurvivalPPM == 0 {
			return p, true
		}
		return c.withSpares(q, p, steps)
	}
	return plan{best: -1, next: -1, from: q.from, lacks: ReasonApart}, false
}

// chain places replicas as long as one more fits, the first with none of the suppliers that were tried.
func (c *call) chain(q *ask, fixed, taken, tried []int32, steps *uint32) []member {
	mine := *q
	mine.replicas, mine.plain = 1, false
	var members []member
	sites, used, load := slices.Clone(fixed), slices.Clone(taken), map[int32]int{} // load is only looked up
	for _, h := range q.held {
		load[h.site] = int(h.replicas)
	}
	for len(members) < q.replicas {
		block := used
		if len(members) == 0 {
			block = tried
		}
		mine.notSuppliers = slices.Concat([]int32{-1}, q.notSuppliers, block)
		m, ok := c.oneMore(&mine, sites, load, steps)
		if !ok {
			break
		}
		at := c.siteNumber(m.node)
		if !slices.Contains(sites, at) {
			sites = append(sites, at)
		}
		load[at]++
		used = append(used, c.index.row(m.node).supplier)
		members = append(members, m)
	}
	if len(members) == q.replicas && len(sites) < int(q.r.MinSites) {
		return members[:max(1, len(members)-1)]
	}
	return members
}

// oneMore finds a node for one more replica: at a new site where more are wanted, else at one that is used, else at a new one again.
func (c *call) oneMore(q *ask, sites []int32, load map[int32]int, steps *uint32) (member, bool) {
	r := q.r
	elsewhere := func() (member, bool) {
		if len(sites) >= r.sites() {
			return member{}, false
		}
		q.onlySite, q.notSites = 0, slices.Concat([]int32{-1}, sites)
		return c.besideOf(q, slices.Concat([]int32{}, sites), steps)
	}
	if len(sites) < max(1, int(r.MinSites)) {
		if m, ok := elsewhere(); ok {
			return m, true
		}
	}
	q.notSites = nil
	for _, at := range sites {
		if r.PerSite != 0 && load[at] >= int(r.PerSite) {
			continue
		}
		q.onlySite = at + 1
		if m, ok := c.besideOf(q, sites, steps); ok {
			return m, true
		}
	}
	return elsewhere()
}

// find finds the best plan, or with best false any plan, for one alternative, whatever the request says of suppliers.
func (c *call) find(q *ask, alternative int, steps *uint32, best bool) (plan, bool) {
	switch several := q.replicas+int(q.r.Spares) > 1; {
	case q.r.OneSupplier && several:
		return c.oneSupplier(q, alternative, steps)
	case q.r.ApartSuppliers && several:
		return c.eachSupplier(q, alternative, nil, nil, steps)
	}
	return c.search(q, alternative, steps, best)
}
