package sched

// matching pairs the devices of two groups so that the slowest pair is as fast as can be. Devices of one site are alike, so that it is a flow
// from the sites of one group to those of the other.
type matching struct {
	// The sites that each side has, and how many devices of each are not paired yet.
	from, to         []int32
	fromLeft, toLeft []int16
	side             int // the most sites of one side; rank and flow are by side*from + to
	rank             []int32
	flow             []int16
	// Of one search: the sites of from in the order reached, over which site of from each one of to was reached, and back. -1 is not reached.
	queue            []int32
	reachedTo, after []int32
}

func newMatching(side int) matching {
	return matching{
		from: make([]int32, 0, side), to: make([]int32, 0, side), fromLeft: make([]int16, 0, side), toLeft: make([]int16, 0, side),
		side: side, rank: make([]int32, side*side), flow: make([]int16, side*side),
		queue: make([]int32, 0, side), reachedTo: make([]int32, side), after: make([]int32, side),
	}
}

// bottleneck returns the least rank at which all devices of group a can be paired with those of group b, and leaves the pairs in flow.
//
// The rank begins at what the worst placed device needs at least, and is raised only when the search for an augmenting path is stuck: then
// the sites it reached have fewer partners than devices (Hall), and no pairing exists below the least rank that leads out of them.
func (m *matching) bottleneck(t *tariff, a, b []int16) int32 {
	m.from, m.fromLeft = sitesOf(a, m.from[:0], m.fromLeft[:0])
	m.to, m.toLeft = sitesOf(b, m.to[:0], m.toLeft[:0])
	limit := m.firstRank(t)
	for i := range m.from {
		rank, flow := m.rank[i*m.side:][:len(m.to)], m.flow[i*m.side:][:len(m.to)]
		for j, r := range rank {
			flow[j] = 0
			if r <= limit {
				n := min(m.fromLeft[i], m.toLeft[j])
				flow[j] = n
				m.fromLeft[i] -= n
				m.toLeft[j] -= n
			}
		}
	}
	for i := range m.from {
		for m.fromLeft[i] > 0 {
			var end int
			end, limit = m.reach(i, limit)
			m.augment(i, end)
		}
	}
	return limit
}

func sitesOf(count []int16, sites []int32, left []int16) ([]int32, []int16) {
	for s, n := range count {
		if n > 0 {
			sites, left = append(sites, int32(s)), append(left, n)
		}
	}
	return sites, left
}

// firstRank fills rank and returns the largest of the least ranks of each row and column.
func (m *matching) firstRank(t *tariff) int32 {
	limit := int32(0)
	least := m.after[:len(m.to)]
	for j := range least {
		least[j] = noRank
	}
	for i, a := range m.from {
		row, rank := t.rank[int(a)*t.sites:][:t.sites], m.rank[i*m.side:][:len(m.to)]
		low := int32(noRank)
		for j, b := range m.to {
			r := row[b]
			rank[j] = r
			low = min(low, r)
			least[j] = min(least[j], r)
		}
		limit = max(limit, low)
	}
	for _, r := range least {
		limit = max(limit, r)
	}
	return limit
}

// reach returns a site of to that has devices left and can be reached from site i of from by pairs of at most the limit, which it raises
// as far as it has to.
func (m *matching) reach(i int, limit int32) (end int, raised int32) {
	reachedTo, after := m.reachedTo[:len(m.to)], m.after[:len(m.from)]
	for j := range reachedTo {
		reachedTo[j] = -1
	}
	for k := range after {
		after[k] = -1
	}
	m.queue = append(m.queue[:0], int32(i))
	after[i] = int32(len(m.to)) // the root: reached, after no site of to
	for head := 0; ; head++ {
		if head == len(m.queue) {
			limit = m.wayOut()
			head = 0
		}
		u := int(m.queue[head])
		for j, r := range m.rank[u*m.side:][:len(m.to)] {
			if reachedTo[j] >= 0 || r > limit {
				continue
			}
			reachedTo[j] = int32(u)
			if m.toLeft[j] > 0 {
				return j, limit
			}
			for k := range m.from {
				if after[k] < 0 && m.flow[k*m.side+j] > 0 {
					after[k] = int32(j)
					m.queue = append(m.queue, int32(k))
				}
			}
		}
	}
}

// wayOut is the least rank from a site that was reached to one that was not. There is one as long as a device is not paired: both
// sides have as many.
func (m *matching) wayOut() int32 {
	low := int32(noRank)
	for _, u := range m.queue {
		for j, r := range m.rank[int(u)*m.side:][:len(m.to)] {
			if m.reachedTo[j] < 0 {
				low = min(low, r)
			}
		}
	}
	return low
}

// augment pairs as many devices as the way from i to end carries.
func (m *matching) augment(i, end int) {
	n := min(m.fromLeft[i], m.toLeft[end])
	for u := int(m.reachedTo[end]); u != i; u = int(m.reachedTo[m.after[u]]) {
		n = min(n, m.flow[u*m.side+int(m.after[u])])
	}
	j := end
	for {
		u := int(m.reachedTo[j])
		m.flow[u*m.side+j] += n
		if u == i {
			break
		}
		j = int(m.after[u])
		m.flow[u*m.side+j] -= n
	}
	m.fromLeft[i] -= n
	m.toLeft[end] -= n
}

// partner takes one pair of a device of the site out of flow and returns the other's site.
func (m *matching) partner(site int) int {
	for i, s := range m.from {
		if int(s) != site {
			continue
		}
		for j, n := range m.flow[i*m.side:][:len(m.to)] {
			if n > 0 {
				m.flow[i*m.side+j]--
				return int(m.to[j])
			}
		}
	}
	panic("sched: partner: no device of the site is left to pair")
}
