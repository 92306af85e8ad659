package sched

import "slices"

// layout is what an index remembers beside its nodes: where new ones will go, and which runs come first.
type layout struct {
	parts  []partLayout
	growth [2][]int32  // of nodes and of runs: the partition of each extent, in order
	runs   []runLayout // by partition, then number
}

type partLayout struct{ kind, country, nodes, runs int32 } // how many positions were handed out

type runLayout struct{ run, site, part int32 }

// layout returns the layout of the index; it is the caller's.
func (x *index) layout() layout {
	l := layout{growth: [2][]int32{slices.Clone(x.growth[0]), slices.Clone(x.growth[1])}}
	for p := range x.partCount {
		part := x.part(p)
		l.parts = append(l.parts, partLayout{part.kind, part.country, part.nodes.used, part.runs.used})
		for n := range part.runs.used {
			if r := part.runs.position(n); x.runTaken.at(r>>6)>>(r&63)&1 != 0 {
				l.runs = append(l.runs, runLayout{r, x.runs.at(r).site, p})
			}
		}
	}
	return l
}

// restoreIndex returns an index with the layout of another one and no nodes yet: addAt puts each where it was. Once all are
// there, and up, and what is free is set, both indexes answer alike for ever. The error wraps ErrInvalid: no index has this
// layout. countries, kinds and sites are the caller's bounds.
func restoreIndex(priceBands, standingBands []uint32, l *layout, kinds, countries, sites int32) (*index, error) {
	x := newIndex(priceBands, standingBands)
	for n, p := range l.parts {
		if p.kind < 0 || p.kind >= kinds || p.country < 0 || p.country >= countries || x.partition(p.kind, p.country) != int32(n) {
			return nil, invalid("layout: partition %d", n)
		}
	}
	for s, growth := range l.growth {
		for n, p := range growth {
			if p < 0 || p >= x.partCount || n > maxNodes/wordLen {
				return nil, invalid("layout: extent %d", n)
			}
			x.regrow(s, p)
		}
	}
	for n, p := range l.parts {
		part := x.parts.edit(int32(n))
		if p.nodes < 0 || p.nodes > part.nodes.size || p.runs < 0 || p.runs > part.runs.size {
			return nil, invalid("layout: size of partition %d", n)
		}
		part.nodes.used, part.nodes.holes = p.nodes, p.nodes
		part.runs.used, part.runs.holes = p.runs, p.runs
	}
	for n, r := range l.runs {
		if r.part < 0 || r.part >= x.partCount || r.site < 0 || r.site >= sites || !x.parts.edit(r.part).runs.fill(r.run, x.takenRuns) {
			return nil, invalid("layout: run %d", n)
		}
		x.firstRun.grow(r.site + 1)
		if x.findRun(r.site, r.part) >= 0 {
			return nil, invalid("layout: run %d twice", n)
		}
		x.enter(r.run, r.site, r.part)
	}
	return x, nil
}

// regrow gives a partition its next extent.
func (x *index) regrow(space int, p int32) {
	part := x.parts.edit(p)
	if space == 0 {
		part.nodes.widen(&x.nodes)
		x.widened(p, part.nodes.size)
		return
	}
	part.runs.widen(&x.runSpace)
	x.runsWidened(p)
}

// addAt enters a node at the position that it had in the index whose layout was restored. The error wraps ErrInvalid: it cannot
// have been there.
func (x *index) addAt(i int32, n nodeFacts) error {
	n.check()
	if n.kind >= x.kindCount || int(n.country>>6) >= len(x.kinds.at(n.kind).blocks) {
		return invalid("layout: node %d has no partition", i)
	}
	p := x.partition(n.kind, n.country)
	if x.findRun(n.site, p) < 0 || !x.parts.edit(p).nodes.fill(i, x.taken) {
		return invalid("layout: node %d has no place", i)
	}
	x.fill(i, x.join(n.site, p, i), &n)
	return nil
}

// complete returns an error that wraps ErrInvalid if a run was restored whose nodes were not.
func (x *index) complete() error {
	for p := range x.partCount {
		t := &x.part(p).runs
		for n := range t.used {
			if r := t.position(n); x.runTaken.at(r>>6)>>(r&63)&1 != 0 && x.runs.at(r).head < 0 {
				return invalid("layout: run %d has no nodes", r)
			}
		}
	}
	return nil
}
