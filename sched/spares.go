package sched

import (
	"cmp"
	"math/bits"
	"slices"
)

const (
	maxSpares = 256
	unit32    = uint64(1) << 32 // 1 in Q0.32
)

// survives is the chance, in Q0.32 and rounded down, that something lives for so many seconds that is lost within an hour with the given chance in parts per
// million: (1 - loss)^hours, a begun hour counted whole.
func survives(lossPPM uint32, seconds int64) uint64 {
	if lossPPM == 0 {
		return unit32
	}
	base := (uint64(million) - uint64(lossPPM)) * unit32 / million
	hours := uint64((seconds + 3599) / 3600)
	out := unit32
	for ; hours > 0; hours >>= 1 {
		if hours&1 == 1 {
			out = mulQ32(out, base)
		}
		base = mulQ32(base, base)
	}
	return out
}

// mulQ32 multiplies two chances, rounded down. Both are at most 1, so that the product of 2^32 by 2^32 needs 65 bits.
func mulQ32(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi<<32 | lo>>32
}

// Survival returns the chance that at least need of the members live, from the chance of each, all in parts per million; members are taken as independent. It
// is the Poisson binomial recurrence in Q0.32, rounded down. need above len(ppm) gives 0.
func Survival(ppm []uint32, need int) uint32 {
	p := make([]together, len(ppm))
	for i, v := range ppm {
		p[i] = together{alive: uint64(min(v, million)) * unit32 / million, members: 1}
	}
	return uint32(mulQ32(atLeast(p, need, nil), million))
}

// together are members that live or die together: those on one node.
type together struct {
	alive   uint64 // Q0.32
	members int
}

// atLeast is the chance that at least need members of independent blocks live. dead[k] is the chance that exactly k of those seen so far are dead, for k up to
// what may be dead; what is beyond is dropped, so that rounding down never overstates.
func atLeast(blocks []together, need int, dead []uint64) uint64 {
	spare := -need
	for _, b := range blocks {
		spare += b.members
	}
	if spare < 0 {
		return 0
	}
	dead = append(dead[:0], make([]uint64, spare+1)...)
	dead[0] = unit32
	for _, b := range blocks {
		for k := spare; k >= 0; k-- {
			dead[k] = mulQ32(dead[k], b.alive)
			if k >= b.members {
				dead[k] += mulQ32(dead[k-b.members], unit32-b.alive)
			}
		}
	}
	sum := uint64(0)
	for _, v := range dead {
		sum += v
	}
	return min(sum, unit32)
}

// maxSiteCases is the number of sites up to which every case of outages is weighed.
const maxSiteCases = 12

// survival is the chance, in parts per million and rounded down, that at least need of the members can run to the end of the stretch. Members of a node
// are lost together, and so are those of a site: each case of sites that live is weighed, up to 12 sites; with more, every site is taken to have to live.
func (s *state) survival(members []member, need int, seconds int64) uint32 {
	if len(members) == 1 && need == 1 {
		i := members[0].node
		return uint32(mulQ32(mulQ32(survives(s.siteLoss.at(s.siteNumber(i)), seconds), survives(s.nodes.at(i).loss(), seconds)), million))
	}
	var sites []int32
	var alive []uint64   // of each site
	var own [][]together // of the nodes of each site, without it
	var nodes [][]int32  // their numbers
	for i := range members {
		node := members[i].node
		at := s.siteNumber(node)
		k := slices.Index(sites, at)
		if k < 0 {
			k = len(sites)
			sites, alive = append(sites, at), append(alive, survives(s.siteLoss.at(at), seconds))
			own, nodes = append(own, nil), append(nodes, nil)
		}
		n := slices.Index(nodes[k], node)
		if n < 0 {
			n = len(nodes[k])
			nodes[k] = append(nodes[k], node)
			own[k] = append(own[k], together{alive: survives(s.nodes.at(node).loss(), seconds)})
		}
		own[k][n].members++
	}
	if len(sites) > maxSiteCases {
		all := unit32
		var p []together
		for k := range sites {
			all = mulQ32(all, alive[k])
			p = append(p, own[k]...)
		}
		return uint32(mulQ32(mulQ32(all, atLeast(p, need, nil)), million))
	}
	sum := uint64(0)
	var p []together
	var dead []uint64
	for set := range 1 << len(sites) {
		weight := unit32
		p = p[:0]
		for k := range sites {
			if set>>k&1 == 1 {
				weight = mulQ32(weight, alive[k])
				p = append(p, own[k]...)
			} else {
				weight = mulQ32(weight, unit32-alive[k])
			}
		}
		if weight != 0 {
			sum += mulQ32(weight, atLeast(p, need, dead))
		}
	}
	return uint32(mulQ32(min(sum, unit32), million))
}

// withSpares adds spares to a plan until the request has as many as it wants and the chance to survive that it wants. Each spare goes, while the limits on
// sites allow it, to a site of its own, since members of one site are lost together; else to the site with the fewest.
func (c *call) withSpares(q *ask, p plan, steps *uint32) (plan, bool) {
	r := q.r
	members := append([]member(nil), p.members...)
	length := (q.until - q.from) / second
	p.survival = c.survival(members, q.replicas, length)
	for p.spares < int(r.Spares) || p.survival < r.MinSurvivalPPM {
		m, ok := c.spare(q, members, p.spares < maxSpares, steps)
		if !ok {
			p.lacks = ReasonSurvival
			return p, false
		}
		members = append(members, m)
		p.spares++
		p.survival = c.survival(members, q.replicas, length)
	}
	p.members = members
	_, p.delay = c.span(members)
	return p, true
}

// spare finds one more node beside the members.
func (c *call) spare(q *ask, members []member, may bool, steps *uint32) (member, bool) {
	if !may {
		return member{}, false
	}
	fixed := c.bySpares(members)
	mine := *q
	mine.beside = members
	mine.plain = false
	if q.r.ApartSuppliers {
		mine.notSuppliers = slices.Concat([]int32{-1}, q.notSuppliers, c.owners(members))
	}
	if len(fixed) < q.r.sites() {
		mine.notSites = fixed
		if m, ok := c.besideOf(&mine, fixed, steps); ok {
			return m, true
		}
		mine.notSites = nil
	}
	for _, at := range fixed {
		mine.onlySite = at + 1
		if m, ok := c.besideOf(&mine, fixed, steps); ok {
			return m, true
		}
	}
	return member{}, false
}

// bySpares lists the sites of members, the one with the fewest first, since it would take the fewest with it; ties by site ID.
func (c *call) bySpares(members []member) (sites []int32) {
	load := map[int32]int{} // only looked up
	for k := range members {
		at := c.siteNumber(members[k].node)
		if load[at]++; load[at] == 1 {
			sites = append(sites, at)
		}
	}
	slices.SortFunc(sites, func(a, b int32) int {
		return cmp.Or(cmp.Compare(load[a], load[b]), cmp.Compare(c.sites.list[a], c.sites.list[b]))
	})
	return sites
}

// besideOf takes the best node for one spare whose site may stand beside the sites of the members.
func (c *call) besideOf(q *ask, fixed []int32, steps *uint32) (member, bool) {
	q.besideSites = fixed
	one := *q
	one.replicas = 1
	p, ok := c.single(&one, c.sc)
	*steps -= min(*steps, uint32(p.compared)+1)
	if !ok {
		return member{}, false
	}
	return p.members[0], true
}

// owners lists the suppliers of members.
func (s *state) owners(members []member) (out []int32) {
	for k := range members {
		out = append(out, s.index.row(members[k].node).supplier)
	}
	return out
}
