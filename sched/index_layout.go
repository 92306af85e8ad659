package sched

import (
	"cmp"
	"slices"
)

// partLayout is what an index remembers of a partition beside its nodes: where new ones will go, and which runs come first.
type partLayout struct {
	kind, country int32
	nodes         int32   // positions that were handed out, holes among them
	runs          []int32 // the site of each run, -1 where there is none
}

// layout returns the layout of every partition, in order of kind, then country; it is the caller's.
func (x *index) layout() []partLayout {
	var out []partLayout
	for p := range x.partCount {
		part := x.part(p)
		l := partLayout{part.kind, part.country, part.nodes.used, make([]int32, part.runs.used)}
		for n := range l.runs {
			l.runs[n] = -1
			if r := part.runs.position(int32(n)); x.takenRuns(r>>6)>>(r&63)&1 != 0 {
				l.runs[n] = x.runs.at(r).site
			}
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b partLayout) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.country, b.country))
	})
	return out
}

// place returns the place of a node in the order of its partition, from 0.
func (x *index) place(i int32) int32 { return x.part(x.partOf(i)).nodes.number(i) }

// lay makes a partition of an index that has none of this kind and country, with all its places empty: addAt fills them. When all
// partitions have been laid and all nodes are back, up, and what is free is set, the index answers as the one whose layout it
// was, for ever; its numbers of nodes and runs are others, and its partitions lie in one place each. The error wraps ErrInvalid:
// no index has this layout.
func (x *index) lay(l *partLayout) error {
	before := x.partCount
	p := x.partition(l.kind, l.country)
	if p != before || l.nodes < 0 || l.nodes > maxNodes-x.nodes.end || len(l.runs) > int(l.nodes) {
		return invalid("layout: kind %d in country %d", l.kind, l.country)
	}
	part := x.parts.edit(p)
	if part.nodes.lay(&x.nodes, l.nodes) {
		x.widened(p, &part.nodes)
	}
	if part.runs.lay(&x.runSpace, int32(len(l.runs))) {
		x.lengthenRuns()
	}
	for n, site := range l.runs {
		if site < 0 {
			continue
		}
		if x.findRun(site, p) >= 0 {
			return invalid("layout: site %d twice for kind %d in country %d", site, l.kind, l.country)
		}
		x.firstRun.grow(site + 1)
		part.runs.holes--
		x.enter(part.runs.position(int32(n)), site, p)
	}
	return nil
}

// addAt enters a node at the place that it had in the partition, and returns its number. The error wraps ErrInvalid: it cannot
// have been there.
func (x *index) addAt(place int32, n nodeFacts) (int32, error) {
	n.check()
	p := x.partition(n.kind, n.country)
	t := &x.parts.edit(p).nodes
	if place < 0 || place >= t.used || x.has(mapTaken, t.position(place)) || x.findRun(n.site, p) < 0 {
		return 0, invalid("layout: place %d of kind %d in country %d", place, n.kind, n.country)
	}
	t.holes--
	i := t.position(place)
	x.fill(i, x.join(n.site, p, i), &n)
	return i, nil
}

// complete returns an error that wraps ErrInvalid if a run was laid whose nodes did not come back.
func (x *index) complete() error {
	for p := range x.partCount {
		t := &x.part(p).runs
		for n := range t.used {
			if r := t.position(n); x.takenRuns(r>>6)>>(r&63)&1 != 0 && x.runs.at(r).head < 0 {
				return invalid("layout: a run at site %d has no nodes", x.runs.at(r).site)
			}
		}
	}
	return nil
}
