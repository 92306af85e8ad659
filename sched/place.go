package sched

import "slices"

// plan is a Placement in the fleet's numbers.
type plan struct {
	members     []member
	spares      int // the last so many of members
	from        int64
	alternative int
	sites       int
	delay       uint32
	survival    uint32
	seconds     int64 // of the stretch
	exhaustive  bool

	compared int
	next     int32 // runner-up, -1 if none
	lost     Criterion
	had, won int64
	best     int32 // the site with the most room, -1 if none
	bestRoom int
	lacks    Reason // why the set was refused, where the search knows it
	room     int    // replicas that all nodes together hold, as far as it was counted
}

// single takes the best node by the policy's order, of the first candidates or of all. It calls the plugins at most so often as they allow.
func (s *state) single(q *ask, sc *scratch) (plan, bool) {
	p := plan{exhaustive: true, best: -1, next: -1, from: q.from}
	limit, calls := int(s.policy.Candidates), s.plugins.calls(s.policy)
	if s.plugins.Scorer != nil && (limit == 0 || calls < limit) {
		limit = calls
	}
	sc.ranked[0].m.node, sc.ranked[1].m.node = -1, -1
	best, second, other := &sc.ranked[0], &sc.ranked[1], &sc.ranked[2]
	x, w := s.index, &sc.walk
	sc.decision++
	s.walk(&q.query, w, s.cheapestFirst())
	for i := s.nextOf(w, sc, limit); i >= 0; i = s.nextOf(w, sc, limit) {
		other.n, other.m = 0, member{node: i}
		if !q.plain || x.record(i).booked() {
			if q.custom && calls == 0 {
				p.exhaustive = false
				break
			}
			reason := s.beyond(q, i, sc, &other.free, &other.m)
			if q.custom && (reason == 0 || reason == ReasonCustom) {
				calls--
			}
			if reason != 0 {
				continue
			}
		}
		p.compared++
		switch {
		case best.m.node < 0:
			best, other = other, best
		case s.beats(q, other, best, sc):
			best, second, other = other, best, second
		case second.m.node < 0 || s.beats(q, other, second, sc):
			second, other = other, second
		}
		if p.compared == limit {
			p.exhaustive = false
			break
		}
	}
	if best.m.node < 0 {
		return p, false
	}
	if second.m.node >= 0 {
		p.next = second.m.node
		_, p.lost = s.compare(q, best, second, sc)
		if p.lost != 0 {
			j := slices.Index(s.policy.Order, p.lost)
			p.had, p.won = p.lost.shown(second.keys[j]), p.lost.shown(best.keys[j])
		}
	}
	s.settle(q, best)
	sc.members = append(sc.members[:0], best.m)
	p.members, p.sites, p.room, p.bestRoom = sc.members, 1, 1, 1
	p.best = s.siteNumber(best.m.node)
	return p, true
}

// cheapestFirst says whether the cheapest of the first candidates is wanted, so that the cheaper bands have to come first.
func (s *state) cheapestFirst() bool {
	return s.policy.Candidates != 0 && len(s.policy.Order) > 0 && s.policy.Order[0] == Cheapest
}

func (s *state) beats(q *ask, a, b *ranked, sc *scratch) bool {
	d, _ := s.compare(q, a, b, sc)
	return d < 0
}

// settle fills in the devices and the price of the node that was chosen.
func (s *state) settle(q *ask, r *ranked) {
	i := r.m.node
	if q.plain && !s.index.record(i).booked() {
		r.m.mask, r.m.milli, r.m.slices = 0, 0, 0
		if q.gpus > 0 {
			r.m.mask = choose(&s.shapes.list[s.index.row(i).shape], s.index.record(i).free, q.gpus)
		}
	}
	r.m.hour = r.m.price(s.index.record(i).hour)
}
