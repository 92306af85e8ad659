package sched

// walker goes through the nodes that pass a query. Nodes of one kind come as the index has them: country by country, in each in the order in which
// they joined. Where a query allows several kinds they are merged by the order in which nodes joined: a walk that took one kind after the
// other would fill the first kind whatever the request, which costs several percent of a mixed fleet.
type walker struct {
	one  cursor
	each []kindWalk
	many bool
	q    *query

	at, fetched int // of a batch
}

// kindWalk is the walk through one kind.
type kindWalk struct {
	q      query
	kind   [1]int32
	cursor cursor
	node   int32  // the next one
	joined uint32 // its number in the order of joining
}

// walk begins a walk. With cheapest the nodes of the lower price bands come first, whatever their kind.
func (s *state) walk(q *query, w *walker, cheapest bool) {
	w.q, w.at, w.fetched = q, 0, 0
	w.many = !cheapest && (q.kinds == nil && len(s.kinds.list) > 1 || len(q.kinds) > 1)
	switch {
	case cheapest:
		s.index.startCheapest(q, &w.one)
	case !w.many:
		s.index.start(q, &w.one)
	default:
		w.each = w.each[:0]
		n := len(q.kinds)
		if q.kinds == nil {
			n = len(s.kinds.list)
		}
		for k := range n {
			kind := int32(k)
			if q.kinds != nil {
				kind = q.kinds[k]
			}
			s.beginKind(w, kind)
		}
	}
}

// beginKind adds the walk through one kind, if it has a node that passes.
func (s *state) beginKind(w *walker, kind int32) {
	if len(w.each) < cap(w.each) {
		w.each = w.each[:len(w.each)+1]
	} else {
		w.each = append(w.each, kindWalk{})
	}
	k := &w.each[len(w.each)-1]
	k.q, k.kind = *w.q, [1]int32{kind}
	k.q.kinds = k.kind[:]
	s.index.start(&k.q, &k.cursor)
	if !s.stepKind(k) {
		w.each = w.each[:len(w.each)-1]
	}
}

func (s *state) stepKind(k *kindWalk) bool {
	k.q.kinds = k.kind[:] // the list of walks may have moved
	k.node = s.index.next(&k.q, &k.cursor)
	if k.node < 0 {
		return false
	}
	k.joined = s.nodes.ref(k.node).joined
	return true
}

// nextOf is next, for a walk that is likely to go on for so many nodes: they are fetched together.
func (s *state) nextOf(w *walker, sc *scratch, limit int) int32 {
	if w.many || limit == 0 {
		return s.next(w)
	}
	if w.at == w.fetched {
		w.at, w.fetched = 0, s.index.nextSome(w.q, &w.one, sc.batch[:min(limit, len(sc.batch))])
		if w.fetched == 0 {
			return -1
		}
	}
	w.at++
	return sc.batch[w.at-1]
}

// next returns the next node of a walk, -1 at the end.
func (s *state) next(w *walker) int32 {
	if !w.many {
		return s.index.next(w.q, &w.one)
	}
	if len(w.each) == 0 {
		return -1
	}
	first := 0
	for k := 1; k < len(w.each); k++ {
		if w.each[k].joined < w.each[first].joined {
			first = k
		}
	}
	k := &w.each[first]
	node := k.node
	if !s.stepKind(k) {
		last := len(w.each) - 1
		w.each[first], w.each[last] = w.each[last], w.each[first]
		w.each = w.each[:last]
	}
	return node
}
