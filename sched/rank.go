package sched

import "cmp"

// ranked is a node that passed, with its keys by the policy's order as far as they were needed.
type ranked struct {
	m    member
	free room // filled unless the request is plain
	keys [lastCriterion]int64
	n    int
}

// compare orders two candidates by the policy, the better first, and says by which criterion; 0 where they are equal.
func (s *state) compare(q *ask, a, b *ranked, sc *scratch) (int, Criterion) {
	for j, c := range s.policy.Order {
		x, y := s.keyAt(q, a, j, sc), s.keyAt(q, b, j, sc)
		if x != y {
			return cmp.Compare(x, y), c
		}
	}
	return 0, 0
}

func (s *state) keyAt(q *ask, r *ranked, j int, sc *scratch) int64 {
	for r.n <= j {
		r.keys[r.n] = s.key(s.policy.Order[r.n], q, r, sc)
		r.n++
	}
	return r.keys[j]
}

// key is what a node has of a criterion, the smaller the better.
func (s *state) key(c Criterion, q *ask, r *ranked, sc *scratch) int64 {
	i := r.m.node
	switch c {
	case Cheapest:
		return int64(s.index.record(i).hour)
	case Standing:
		return -int64(s.index.record(i).exactStanding())
	case Tightest:
		return int64(s.left(q, r))
	case Loosest:
		return -int64(s.left(q, r))
	case Fragmentation:
		return s.fragmentation(q, r, sc)
	case Surest:
		return int64(s.loss(i))
	case Locality:
		return int64(s.away(q, i))
	case Power:
		return int64(s.watts(q, r))
	case Arbitrary:
		return int64(mix64(s.policy.Seed^hashRaw(string(q.r.Job))^mix64(uint64(s.nodes.ref(i).joined))) >> 1)
	case Mixed:
		return -s.mixed(q, r, sc)
	case Custom:
		return -s.plugins.Scorer.Score(q.r, sc.view.of(s, i, s.roomOf(q, r)))
	}
	panic("sched: state.key: criterion " + c.String())
}

// shown is a key as its criterion measures it: more is better again for those of which more is preferred.
func (c Criterion) shown(key int64) int64 {
	switch c {
	case Standing, Loosest, Mixed, Custom:
		return -key
	case Cheapest, Tightest, Fragmentation, Surest, Locality, Power, Arbitrary:
	}
	return key
}

// roomOf is what the node has free for the request.
func (s *state) roomOf(q *ask, r *ranked) *room {
	if q.plain && !s.index.record(r.m.node).booked() {
		s.roomNow(r.m.node, &r.free)
	}
	return &r.free
}

// left is how many free devices the node keeps.
func (s *state) left(q *ask, r *ranked) int {
	if q.later() {
		return count(r.free.free &^ r.m.mask)
	}
	n := count(s.index.record(r.m.node).free)
	switch {
	case q.share == 0 && q.mig == 0:
		return n - q.gpus
	case s.index.record(r.m.node).free&r.m.mask != 0:
		return n - 1
	}
	return n
}

// loss is the chance that a node is lost within an hour, alone or with its site, in parts per million.
func (s *state) loss(i int32) uint32 {
	own, site := uint64(s.nodes.at(i).loss()), uint64(s.siteLoss.at(s.siteNumber(i)))
	return uint32(own + site - own*site/million)
}

// away is the delay to the site that the request names.
func (s *state) away(q *ask, i int32) uint32 {
	at := s.siteNumber(i)
	switch {
	case q.near < 0:
		return 0
	case q.near == at:
		return 0
	}
	delay, _, ok := s.links.of(q.near, at)
	if !ok {
		return Unmeasured
	}
	return delay
}

// watts is what the fleet draws more for one replica.
func (s *state) watts(q *ask, r *ranked) uint32 {
	row := s.index.row(r.m.node)
	sh := &s.shapes.list[row.shape]
	w := uint32(sh.watts) * uint32(max(q.gpus, 1))
	if q.gpus == 0 && q.mig == 0 {
		w = 0
	}
	if row.booking == 0 {
		w += uint32(sh.hostWatts)
	}
	return w
}

// mixed is the weighted sum of points, 0 to 100 for each criterion on a scale of its own.
func (s *state) mixed(q *ask, r *ranked, sc *scratch) int64 {
	sum := int64(0)
	for _, w := range s.policy.Mix {
		sum += int64(w.Weight) * s.points(w.Criterion, q, r, sc)
	}
	return sum
}

// points is a criterion's score of 0 to 100, the higher the better.
func (s *state) points(c Criterion, q *ask, r *ranked, sc *scratch) int64 {
	v := s.key(c, q, r, sc)
	switch c {
	case Cheapest: // 0 at ten dollars
		return scale(10*million-v, 10*million)
	case Standing:
		return scale(-v, million)
	case Tightest:
		return scale(maxDevices-v, maxDevices)
	case Loosest:
		return scale(-v, maxDevices)
	case Fragmentation:
		return scale(fragWorst-v, fragWorst)
	case Surest:
		return scale(million-v, million)
	case Locality: // 0 at half a second
		return scale(500_000-v, 500_000)
	case Power: // 0 at 10 kW
		return scale(10_000-v, 10_000)
	case Arbitrary:
		return v % 101
	case Custom:
		return max(0, min(100, -v))
	case Mixed:
	}
	return 0
}

func scale(v, of int64) int64 { return max(0, min(100, v*100/max(of, 1))) }
