package sched

import "math/bits"

// query is what one node has to satisfy. The zero query asks for nodes that are up and cost nothing.
type query struct {
	kinds     []int32  // in the order of the scan; nil: all, by number
	small     []int32  // kinds that are left out of kinds for their memory alone: only a census reads them
	countries []uint64 // bit c of word c / 64: country c is allowed; nil: all
	gpus      int      // wholly free devices; 0: none are asked for
	share     uint16   // thousandths of one device instead, on nodes with shares; gpus is then 1
	hour      uint32   // the highest price of a device for an hour
	standing  uint32
	cpu       uint32 // as in nodeFacts, free
	ram, disk uint32

	tier, connectivity, assurance uint8 // at least
	compliance                    uint8 // all of these bits

	// anyFree asks for nodes that have enough devices, whatever is free of them now: for a window that begins later.
	anyFree bool
	// rotate starts the walk rotate / 2^32 of the way round.
	rotate uint32
	// band - 1 is the one price band in which to look; 0 or less: any.
	band int
}

// allows says whether the query allows a country.
func (q *query) allows(country int32) bool {
	return q.countries == nil || int(country>>6) < len(q.countries) && q.countries[country>>6]>>(country&63)&1 != 0
}

// sieve is what a query comes to: the maps to AND, and what of the records has to be looked at.
type sieve struct {
	none           bool  // no node can pass
	more           bool  // more than price and standing has to be looked at in the records
	level          uint8 // of sums and avail: how many free devices the maps ask for
	excludes       bool
	n              uint8  // of lines
	base           uint16 // line of the map of nodes that are up with so many devices free
	not            uint16 // line of a map that excludes, if excludes
	cards          uint8  // the node has to have so many; 0: the maps have seen to it
	lines          [maxSieve]uint16
	hour           uint32
	standing       uint16 // as in a record: equal values have to be looked at
	cpu, ram, disk uint16 // coarse: equal values from coarseExact on have to be looked at in the row
	share          uint16 // 0: the maps have seen to it
}

const maxSieve = 16 // price, standing, tier, connectivity, assurance, 8 of compliance, CPU, share: 15

// sift writes the sieve of a query. It returns false if no node can pass.
func (x *index) sift(q *query, p *sieve) bool {
	*p = sieve{hour: q.hour, standing: uint16(q.standing >> 4)}
	if q.gpus > maxDevices || q.share > wholeDevice || q.standing > maxStanding ||
		max(q.tier, q.connectivity, q.assurance) > levelMax {
		return false
	}
	if !q.anyFree && q.share == 0 {
		p.level = uint8(max(q.gpus, 0))
	}
	p.base = x.line(p, mapUp+int(p.level))
	x.siftTerms(q, p)
	if q.anyFree {
		p.cards = uint8(max(q.gpus, 0))
		p.share = q.share
		p.more = true
		return !p.none
	}
	p.cpu, p.ram, p.disk = coarse(q.cpu), coarse(q.ram), coarse(q.disk)
	p.more = q.cpu|q.ram|q.disk != 0 || q.share%125 != 0
	if l := cpuLevel(q.cpu); l > 0 {
		x.require(p, mapCPU+l-1)
	}
	if q.share > 0 {
		x.require(p, mapShare+shareLevel(q.share)-1)
		if q.share%125 != 0 {
			p.share = q.share
		}
	}
	return !p.none
}

// siftTerms adds the maps of price, standing and the other terms.
func (x *index) siftTerms(q *query, p *sieve) {
	b := x.priceBand(q.hour)
	if q.band > 0 {
		if b = q.band - 1; b > len(x.prices) {
			p.none = true
			return
		}
		if b > 0 && x.maps.lines[mapPrice+b-1] != noLine {
			p.excludes, p.not = true, x.line(p, mapPrice+b-1)
		}
	}
	if b < len(x.prices) {
		x.require(p, mapPrice+b)
	}
	if l := x.standingLevel(q.standing); l > 0 {
		x.require(p, mapStanding+l-1)
	}
	if q.tier > 0 {
		x.require(p, mapTier+int(q.tier)-1)
	}
	if q.connectivity > 1 {
		x.require(p, mapConnect+int(q.connectivity)-2)
	}
	if q.assurance > 0 {
		x.require(p, mapAssure+int(q.assurance)-1)
	}
	for c := q.compliance; c != 0; c &= c - 1 {
		x.require(p, mapComply+bits.TrailingZeros8(c))
	}
}

// require adds a map to a sieve.
func (x *index) require(p *sieve, m int) {
	p.lines[p.n] = x.line(p, m)
	p.n++
}

// line is where a map is in a page. If the map has no bit, nothing passes.
func (x *index) line(p *sieve, m int) uint16 {
	l := x.maps.lines[m]
	if l == noLine {
		p.none = true
		return 0
	}
	return l - 1
}

// and returns the nodes of a word that are in all maps of a sieve.
func (x *index) and(p *sieve, w int32) uint64 {
	page := x.maps.table[w/rackPage]
	if page == nil {
		return 0
	}
	at := int(w % rackPage)
	word := page[int(p.base)+at]
	for _, line := range p.lines[:p.n] {
		word &= page[int(line)+at]
	}
	if p.excludes {
		word &^= page[int(p.not)+at]
	}
	return word
}

// fits says whether a node that is in all maps of the sieve passes the query.
func (x *index) fits(q *query, p *sieve, i int32) bool {
	r := x.record(i)
	if r.hour > p.hour || r.exactStanding() < q.standing || r.cpu < p.cpu || r.ram < p.ram || r.disk < p.disk {
		return false
	}
	if r.bits&15+1 < uint16(p.cards) {
		return false
	}
	if p.share == 0 && !edge(r.cpu, p.cpu) && !edge(r.ram, p.ram) && !edge(r.disk, p.disk) {
		return true
	}
	if q.anyFree {
		return q.share == 0 || r.shares()
	}
	row := x.row(i)
	return row.cpu >= q.cpu && row.ram >= q.ram && row.disk >= q.disk && (p.share == 0 || x.share(i) >= p.share)
}

// edge says whether coarse values do not tell which of two numbers is larger.
func edge(have, want uint16) bool { return have == want && want >= coarseExact }

// ring walks the partitions of a query that are worth a visit: kinds in order, then countries by number.
type ring struct {
	gangs  bool // worth is having a run in bucket level, else a node that is up with so many devices free
	level  uint8
	kind   int     // the next one: an index into the query's list, or a number
	blocks []int32 // of the kind before, from the next one on
	at     int     // the first of blocks has countries from 64 * at
	block  int32   // of the last partition
	mask   uint64  // countries of block that are still to come
	n      int32   // how many partitions were returned
}

// nextPart returns the next partition, -1 at the end.
func (x *index) nextPart(q *query, r *ring) int32 {
	for r.mask == 0 {
		if len(r.blocks) == 0 {
			if !x.nextKind(q, r) {
				return -1
			}
			continue
		}
		b, at := r.blocks[0], r.at
		r.blocks, r.at = r.blocks[1:], at+1
		if b < 0 || q.countries != nil && at >= len(q.countries) {
			continue
		}
		r.block = b
		if r.gangs {
			r.mask = x.gangs.table[b>>8][b&(pageLen-1)][r.level]
		} else {
			r.mask = x.avail.table[b>>8][b&(pageLen-1)][r.level]
		}
		if q.countries != nil {
			r.mask &= q.countries[at]
		}
	}
	low := r.mask
	r.mask &= low - 1
	r.n++
	return x.blocks.table[r.block>>8][r.block&(pageLen-1)][trailing(low)] - 1
}

func (x *index) nextKind(q *query, r *ring) bool {
	k := int32(r.kind)
	if q.kinds != nil {
		if r.kind == len(q.kinds) {
			return false
		}
		k = q.kinds[r.kind]
	} else if k >= x.kindCount {
		return false
	}
	r.kind++
	r.at, r.blocks = 0, nil
	if k >= 0 && k < x.kindCount {
		r.blocks = x.kinds.at(k).blocks
	}
	return true
}

// part returns a partition to be read.
func (x *index) part(p int32) *partition { return &x.parts.table[p>>8][p&(pageLen-1)] }

// cursor is where a scan stands. It may be used again for the next one.
type cursor struct {
	sieve    sieve
	ring     ring
	extents  []extent // of the partition
	extent   int      // the next one
	w, end   int32    // the word, and the end of the extent
	mask     uint64
	word     uint64 // nodes of the word that are still to come
	cheap    bool   // band by band
	done     bool
	second   bool  // a rotated walk is on its second round
	band     int   // the one that the sieve has, where cheap
	first    spot  // where a rotated walk began
	last     int32 // the word where it ends, -1 before it is near, and the nodes there that are before the start
	lastMask uint64
}

// spot is a place of a walk: the number of the partition among those of the query, that of the extent, and the word.
type spot struct {
	part   int32
	extent int
	w      int32
}

// start starts a scan for the nodes that pass a query. A cursor is good until the index changes.
func (x *index) start(q *query, c *cursor) {
	*c = cursor{last: -1}
	x.begin(q, q, c)
}

// begin starts a walk round by a sieve for q, which looks at the partitions of all.
func (x *index) begin(q, all *query, c *cursor) {
	c.done = !x.sift(q, &c.sieve)
	c.ring.level = c.sieve.level
	if all.rotate != 0 && !c.done {
		x.rotate(all, c)
	}
}

// startCheapest starts a scan that returns all nodes of the cheapest price band first, then those of the next; inside a band the
// order is that of start.
func (x *index) startCheapest(q *query, c *cursor) {
	*c = cursor{cheap: true}
	x.nextBand(q, c)
}

// nextBand starts the walk through the next band that is not above the query's limit and is not empty.
func (x *index) nextBand(q *query, c *cursor) {
	band, last := c.band+1, x.priceBand(q.hour)+1
	if q.band > 0 {
		band, last = max(band, q.band), min(last, q.band)
	}
	for ; band <= last; band++ {
		*c = cursor{cheap: true, last: -1, band: band}
		one := *q
		one.band = band
		if x.begin(&one, q, c); !c.done {
			return
		}
	}
	c.done = true
}

// next returns the next node that passes the query with which the cursor was started, and -1 at the end.
func (x *index) next(q *query, c *cursor) int32 {
	var one [1]int32
	if x.nextSome(q, c, one[:]) == 0 {
		return -1
	}
	return one[0]
}

// nextSome writes the next nodes to a slice and returns how many there were: fewer than fit only at the end. It is faster than next.
func (x *index) nextSome(q *query, c *cursor, out []int32) int {
	n := 0
	for n < len(out) {
		if c.word == 0 {
			if !x.advance(q, c) {
				break
			}
			continue
		}
		p, first := &c.sieve, c.w<<6
		page := x.records.table[first>>8]
		hour, standing, more := p.hour, p.standing, p.more
		word := c.word
		for word != 0 && n < len(out) {
			i := first + int32(trailing(word))
			word &= word - 1
			r := &page[i&(pageLen-1)]
			if r.hour > hour || r.standing < standing {
				continue
			}
			if (more || r.standing == standing) && !x.fits(q, p, i) {
				continue
			}
			out[n] = i
			n++
		}
		c.word = word
	}
	return n
}

// advance goes to the next word with nodes. It returns false at the end.
func (x *index) advance(q *query, c *cursor) bool {
	for !c.done {
		if x.nextWord(c) {
			return true
		}
		switch {
		case x.nextExtent(q, c):
		case c.cheap:
			if x.nextBand(q, c); c.word != 0 { // a rotated walk begins in the middle of a word
				return true
			}
		default:
			c.done = true
		}
	}
	return false
}

// nextWord goes to the next word of the extent that has a node that is in all maps. Long extents are read along the summary.
func (x *index) nextWord(c *cursor) bool {
	p, w := &c.sieve, c.w+1
	far := c.end-w > rackPage
	for w < c.end {
		if far {
			rest := x.sums[p.level].at(w>>6) >> (w & 63)
			if rest == 0 {
				w = (w>>6 + 1) << 6
				continue
			}
			w += int32(trailing(rest))
		}
		page := x.maps.table[w/rackPage]
		if page == nil { // nobody has been there yet
			w = w/rackPage*rackPage + rackPage
			continue
		}
		for stop := min(c.end, w/rackPage*rackPage+rackPage); w < stop; w++ {
			at := int(w % rackPage)
			word := page[int(p.base)+at] & c.mask
			if word == 0 {
				continue
			}
			for _, line := range p.lines[:p.n] {
				word &= page[int(line)+at]
			}
			if p.excludes {
				word &^= page[int(p.not)+at]
			}
			if w == c.last {
				word &= c.lastMask
			}
			if word != 0 {
				c.w, c.word = w, word
				return true
			}
		}
	}
	c.w = c.end
	return false
}

// nextExtent goes to the next extent, of the next partition if need be.
func (x *index) nextExtent(q *query, c *cursor) bool {
	for c.extent == len(c.extents) {
		p := x.nextPart(q, &c.ring)
		if p < 0 {
			if q.rotate == 0 || c.second {
				return false
			}
			c.second = true
			c.ring = ring{level: c.ring.level}
			continue
		}
		if c.second && c.ring.n > c.first.part {
			return false
		}
		c.extents, c.extent = x.part(p).nodes.extents, 0
	}
	e := c.extents[c.extent]
	c.w, c.end = e.words()
	c.w--
	c.mask = e.mask()
	if c.second && c.ring.n == c.first.part && c.extent == c.first.extent {
		c.end, c.last = c.first.w+1, c.first.w
		c.extents = c.extents[:c.extent+1]
	}
	c.extent++
	return true
}

// rotate puts a cursor where a rotated walk begins: at the query's fraction of all positions that were handed out.
func (x *index) rotate(q *query, c *cursor) {
	total := uint64(0)
	r := c.ring
	for p := x.nextPart(q, &r); p >= 0; p = x.nextPart(q, &r) {
		total += uint64(x.part(p).nodes.used)
	}
	skip := int32(total * uint64(q.rotate) >> 32)
	for {
		p := x.nextPart(q, &c.ring)
		if p < 0 {
			c.done = true // nothing is there
			return
		}
		t := &x.part(p).nodes
		if skip >= t.used {
			skip -= t.used
			continue
		}
		c.extents = t.extents
		break
	}
	e := c.extents[0]
	for ; skip >= e.size; e = c.extents[c.extent] {
		skip -= e.size
		c.extent++
	}
	at := e.start + skip
	_, c.end = e.words()
	c.w, c.mask = at/wordLen, e.mask()
	c.first = spot{c.ring.n, c.extent, c.w}
	c.extent++
	c.lastMask = 1<<(at%wordLen) - 1
	c.word = x.and(&c.sieve, c.w) & c.mask &^ c.lastMask
}
