package sched

import (
	"iter"
	"math/bits"
	"slices"
)

// run is all nodes of one kind in one site and country: where a gang of one site is looked for. Its nodes are a list in the order
// of a scan.
type run struct {
	site, part int32
	head, tail int32 // nodes; head is -1 where there are none, which only a restored run may have
	free       int32 // wholly free devices of nodes that are up
	sibling    int32 // 1 + the next run of the site
}

// run returns a run.
func (x *index) run(r int32) run { return x.runs.at(r) }

// runKind returns the kind and the country of a run.
func (x *index) runKind(r int32) (kind, country int32) {
	p := x.parts.at(x.runs.at(r).part)
	return p.kind, p.country
}

// runNodes yields the nodes of a run in the order of a scan.
func (x *index) runNodes(r int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		run := x.runs.at(r)
		for i := run.head; i >= 0 && yield(i); {
			i = x.row(i).following - 1
		}
	}
}

// runsOfSite returns the runs of a site in order of kind, then country; the slice is the caller's.
func (x *index) runsOfSite(site int32) []int32 {
	if site >= x.firstRun.len() {
		return nil
	}
	var out []int32
	for r := x.firstRun.at(site) - 1; r >= 0; r = x.runs.at(r).sibling - 1 {
		out = append(out, r)
	}
	return out
}

// join enters node i into the run of its site and partition, a new one if there is none.
func (x *index) join(site, p, i int32) int32 {
	x.firstRun.grow(site + 1)
	r := x.findRun(site, p)
	if r < 0 {
		r = x.newRun(site, p)
	}
	run, t := x.runs.edit(r), &x.part(p).nodes
	n := t.number(i)
	switch {
	case run.head < 0:
		run.head, run.tail = i, i
		x.rows.edit(i).following = 0
	case n == t.used-1 || n > t.number(run.tail):
		x.rows.edit(run.tail).following = i + 1
		x.rows.edit(i).following = 0
		run.tail = i
	case n < t.number(run.head):
		x.rows.edit(i).following = run.head + 1
		run.head = i
	default:
		before := run.head
		for after := x.row(before).following - 1; t.number(after) < n; after = x.row(before).following - 1 {
			before = after
		}
		x.rows.edit(i).following = x.row(before).following
		x.rows.edit(before).following = i + 1
	}
	return r
}

// findRun returns the run of a site and a partition, -1 if there is none.
func (x *index) findRun(site, p int32) int32 {
	if site >= x.firstRun.len() {
		return -1
	}
	r := x.firstRun.at(site) - 1
	for r >= 0 && x.runs.at(r).part != p {
		r = x.runs.at(r).sibling - 1
	}
	return r
}

// newRun makes a run and enters it into the list of its site.
func (x *index) newRun(site, p int32) int32 {
	t := &x.parts.edit(p).runs
	size := t.size
	r := t.claim(&x.runSpace, x.takenRuns)
	if t.size != size {
		x.lengthenRuns()
	}
	x.enter(r, site, p)
	return r
}

func (x *index) lengthenRuns() {
	end := x.runSpace.end
	x.runs.grow(end)
	x.runTaken.grow((end + wordLen - 1) / wordLen)
	for b := range x.buckets {
		x.buckets[b].grow((end + wordLen - 1) / wordLen)
	}
}

// enter makes r an empty run of a site and a partition. The runs of a site are in order of kind, then country.
func (x *index) enter(r, site, p int32) {
	*x.runTaken.edit(r >> 6) |= 1 << (r & 63)
	part := x.part(p)
	link := x.firstRun.edit(site)
	for *link > 0 && x.part(x.runs.at(*link-1).part).before(part) {
		link = &x.runs.edit(*link - 1).sibling
	}
	next := *link
	*link = r + 1
	*x.runs.edit(r) = run{site: site, part: p, head: -1, sibling: next}
}

func (p *partition) before(other *partition) bool {
	return p.kind < other.kind || p.kind == other.kind && p.country < other.country
}

// leave takes node i, which is down, out of its run. A run without nodes ends, and its number is given to the next one of its
// partition.
func (x *index) leave(r, i int32) {
	run := x.runs.edit(r)
	after := x.row(i).following
	if run.head == i {
		run.head = after - 1
	} else {
		before := run.head // the links of a run lie together:
		for x.row(before).following != i+1 {
			before = x.row(before).following - 1
		}
		x.rows.edit(before).following = after
		if run.tail == i {
			run.tail = before
		}
	}
	x.rows.edit(i).following = 0
	if run.head >= 0 {
		return
	}
	link := x.firstRun.edit(run.site)
	for *link-1 != r {
		link = &x.runs.edit(*link - 1).sibling
	}
	*link = run.sibling
	*x.runTaken.edit(r >> 6) &^= 1 << (r & 63)
	x.parts.edit(run.part).runs.release(r)
}

// runFree changes what run r has free, and its bucket.
func (x *index) runFree(r, delta int32) {
	run := x.runs.edit(r)
	before := bucket(run.free)
	run.free += delta
	now := bucket(run.free)
	if before == now {
		return
	}
	w, bit := r>>6, uint64(1)<<(r&63)
	p := x.part(run.part)
	country := uint64(1) << (p.country & 63)
	if now >= 0 {
		*x.buckets[now].edit(w) |= bit
		if x.gangs.at(p.block)[now]&country == 0 {
			x.gangs.edit(p.block)[now] |= country
		}
	}
	if before >= 0 {
		*x.buckets[before].edit(w) &^= bit
		if x.emptied(&p.runs, before) {
			x.gangs.edit(p.block)[before] &^= country
		}
	}
}

// emptied says whether a partition has no run in a bucket.
func (x *index) emptied(t *territory, b int) bool {
	for _, e := range t.extents {
		mask := e.mask()
		for w, end := e.words(); w < end; w++ {
			if x.buckets[b].at(w)&mask != 0 {
				return false
			}
		}
	}
	return true
}

// bucket is the logarithm of a count to base 2, rounded down, and -1 for none.
func bucket(free int32) int { return bits.Len32(uint32(free)) - 1 }

// runCursor is where a search for runs stands.
type runCursor struct {
	cards   int32
	ring    ring // its level is the bucket
	extents []extent
	w, end  int32
	mask    uint64
	word    uint64 // runs of the word that are still to come
}

// runsWith starts a walk over the runs of the query's kinds and countries that have at least so many devices free, whatever else
// the query asks. A cursor is good until the index changes.
func (x *index) runsWith(_ *query, cards int, c *runCursor) {
	*c = runCursor{cards: int32(max(cards, 1))}
	c.ring = ring{gangs: true, level: uint8(bucket(c.cards))}
}

// nextRun returns the next run, -1 at the end: those first whose count of free devices has the smallest power of two that can
// hold the cards, so that large holes stay; then kinds as the query lists them, countries by number, and runs by age.
func (x *index) nextRun(q *query, c *runCursor) int32 {
	for {
		for c.word != 0 {
			r := c.w<<6 + int32(trailing(c.word))
			c.word &= c.word - 1
			if x.runs.table[r>>8][r&(pageLen-1)].free >= c.cards {
				return r
			}
		}
		if c.w+1 < c.end {
			c.w++
			c.word = x.buckets[c.ring.level].at(c.w) & c.mask
			continue
		}
		if !x.nextRuns(q, c) {
			return -1
		}
	}
}

// nextRuns goes to the next extent of runs, of the next partition or bucket if need be.
func (x *index) nextRuns(q *query, c *runCursor) bool {
	for len(c.extents) == 0 {
		if p := x.nextPart(q, &c.ring); p >= 0 {
			c.extents = x.part(p).runs.extents
			continue
		}
		if c.ring.level++; c.ring.level == runBuckets {
			c.ring.level--
			return false
		}
		c.ring = ring{gangs: true, level: c.ring.level}
	}
	e := c.extents[0]
	c.extents = c.extents[1:]
	c.w, c.end = e.words()
	c.w--
	c.mask = e.mask()
	return true
}

// room returns how many replicas fit on the nodes of a run that pass the query, counting no further than the limit. A replica
// that asks for a part of a device counts once a node, for the index knows only the largest part that is free.
func (x *index) room(q *query, r int32, limit int) int {
	var p sieve
	run := x.runs.at(r)
	part := x.part(run.part)
	if q.kinds != nil && !slices.Contains(q.kinds, part.kind) || !q.allows(part.country) || !x.sift(q, &p) {
		return 0
	}
	sum, at, word := 0, int32(-1), uint64(0)
	for i := run.head; i >= 0 && sum < limit; {
		if i>>6 != at {
			at = i >> 6
			word = x.and(&p, at)
		}
		if word>>(i&63)&1 != 0 && x.fits(q, &p, i) {
			sum += x.replicas(q, i, limit-sum)
		}
		i = x.row(i).following - 1
	}
	return sum
}

// replicas returns how many replicas of the query fit on a node that passes it, at most the limit.
func (x *index) replicas(q *query, i int32, limit int) int {
	r := x.record(i)
	if q.share > 0 {
		return min(1, limit)
	}
	if q.anyFree {
		if q.gpus > 0 {
			return min(r.cards()/q.gpus, limit)
		}
		return limit
	}
	if q.gpus > 0 {
		limit = min(count(r.free)/q.gpus, limit)
	}
	if q.cpu|q.ram|q.disk == 0 || limit == 1 {
		return limit
	}
	row := x.row(i)
	for _, d := range [3][2]uint32{{row.cpu, q.cpu}, {row.ram, q.ram}, {row.disk, q.disk}} {
		if d[1] > 0 {
			limit = min(int(d[0]/d[1]), limit)
		}
	}
	return limit
}
