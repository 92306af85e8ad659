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
	if s.quickLoss(q) {
		p := plan{best: -1, next: -1, from: q.from}
		if ok, done := s.singleByLoss(q, sc, &p); done {
			return p, ok
		}
	}
	return s.singleByOrder(q, sc)
}

// singleByOrder compares nodes criterion by criterion.
func (s *state) singleByOrder(q *ask, sc *scratch) (plan, bool) {
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
	return p, true
}

// quickLoss says whether nodes are compared by what is lost first, which their records tell for devices of one model.
func (s *state) quickLoss(q *ask) bool {
	return q.plain && q.model >= 0 && q.gpus > 0 && s.policy.Candidates != 0 && s.policy.Candidates <= batchLen &&
		len(s.policy.Order) > 0 && s.policy.Order[0] == Fragmentation && len(s.demand.wants) > 0
}

// singleByLoss is single for such requests, without a call for each node and criterion: the same answer. It is not done where a candidate needs a closer look.
func (s *state) singleByLoss(q *ask, sc *scratch, p *plan) (ok, done bool) {
	x, limit := s.index, int(s.policy.Candidates)
	sc.decision++
	x.start(&q.query, &sc.walk.one)
	n := x.nextSome(&q.query, &sc.walk.one, sc.batch[:limit])
	if n == 0 {
		p.exhaustive = true
		return false, true
	}
	best, second := int32(-1), int32(-1)
	var least, next int64
	for _, i := range sc.batch[:n] {
		rec := x.record(i)
		if rec.bits&(bitsShares|bitsBooked) != 0 {
			return false, false
		}
		switch loss := s.lossOfWhole(q, rec, sc); {
		case best < 0 || loss < least || loss == least && s.tieBreaks(q, i, best, sc):
			best, least, second, next = i, loss, best, least
		case second < 0 || loss < next || loss == next && s.tieBreaks(q, i, second, sc):
			second, next = i, loss
		}
	}
	r := &sc.ranked[0]
	r.n, r.m = 0, member{node: best}
	p.compared, p.exhaustive = n, n < limit
	if second >= 0 {
		p.next, p.lost, p.had, p.won = second, Fragmentation, next, least
		if least == next {
			s.lostTie(q, p, best, second, sc)
		}
	}
	s.settle(q, r)
	sc.members = append(sc.members[:0], r.m)
	p.members, p.sites, p.room, p.bestRoom = sc.members, 1, 1, 1
	return true, true
}

// tieBreaks says whether a node beats one that loses as much, by the criteria that follow.
func (s *state) tieBreaks(q *ask, a, b int32, sc *scratch) bool {
	for _, c := range s.policy.Order[1:] {
		if c == Cheapest {
			if x, y := s.index.record(a).hour, s.index.record(b).hour; x != y {
				return x < y
			}
			continue
		}
		sc.ranked[1].n, sc.ranked[1].m = 0, member{node: a}
		sc.ranked[2].n, sc.ranked[2].m = 0, member{node: b}
		if x, y := s.key(c, q, &sc.ranked[1], sc), s.key(c, q, &sc.ranked[2], sc); x != y {
			return x < y
		}
	}
	return false
}

// lostTie says by which later criterion the runner-up lost.
func (s *state) lostTie(q *ask, p *plan, best, second int32, sc *scratch) {
	p.lost, p.had, p.won = 0, 0, 0
	for _, c := range s.policy.Order[1:] {
		sc.ranked[1].n, sc.ranked[1].m = 0, member{node: best}
		sc.ranked[2].n, sc.ranked[2].m = 0, member{node: second}
		if x, y := s.key(c, q, &sc.ranked[1], sc), s.key(c, q, &sc.ranked[2], sc); x != y {
			p.lost, p.had, p.won = c, c.shown(y), c.shown(x)
			return
		}
	}
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
