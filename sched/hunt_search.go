package sched

import (
	"math"
	"math/bits"
	"slices"
)

// maxLocal bounds the sites that are considered beside one anchor.
const maxLocal = 512

// huntLocal is the problem of one anchor, which is the first site of a set in the order of the offers. What can stand beside it is numbered
// from 0 by class of room, the largest first, and a set of these is a row of bits. With fixed sites there is one such problem: they are the
// anchor.
type huntLocal struct {
	local   []int32 // offers
	ceiling []int32 // at most so much room
	localAt []int32 // site -> its number plus one
	sorted  []int32
	words   int      // of a row
	rows    []uint64 // what each may stand beside, made when first used
	made    []bool
	layers  []uint64 // for each size: what may still be added
	chosen  []int32  // offers, those of the anchor first
	within  uint32   // no pair may be further apart
	hit     bool     // a better set was found
	ration  uint32   // steps left for this anchor
	given   uint32
	budget  uint32 // and for this sweep
	reserve uint32 // steps to keep once a set is found, when the goal is fewer sites
	cut     bool   // sites were left out
}

// sweep looks at all anchors for sets that are better by the goal, and says whether none is left. It goes round with growing rations of
// steps, so that an anchor with many sets does not starve the others.
func (h *siteHunt) sweep(goal huntGoal, budget uint32) bool {
	h.goal, h.budget = goal, min(budget, *h.steps)
	h.most = h.size
	if goal == fewerSites {
		h.most = h.limit
		if h.found {
			h.most = h.size - 1
		}
	}
	copy(h.done, h.empty)
	anchors := len(h.order)
	if len(h.limits.fixed) > 0 {
		anchors = 1
	}
	partial := false
	for ration := min(max(h.budget/8, 64), 2048); ; ration = min(ration, math.MaxUint32/8) * 8 {
		all := true
		for i := 0; i < anchors && h.holds(i); i++ { // where the rooms do not hold all, those that follow do not either
			switch {
			case h.settled():
				return true
			case h.done[i>>6]>>(i&63)&1 == 1:
				continue
			case h.budget == 0 || goal == fewerSites && h.found && *h.steps <= h.reserve:
				return false
			}
			h.cut = false
			switch seen := h.anchor(i, ration); {
			case !seen:
				all = false
			case h.cut:
				partial = true
			default:
				h.done[i>>6] |= 1 << (i & 63)
			}
		}
		if all || h.settled() {
			return !partial || h.settled()
		}
	}
}

// settled says whether nothing can be better by the goal.
func (h *siteHunt) settled() bool {
	switch h.goal {
	case fewerSites:
		return h.found && (h.size == h.fewest || !h.best)
	case lessDelay:
		return h.delay == h.span
	}
	return false
}

// holds says whether the largest rooms from place i of the order on could hold all replicas.
func (h *siteHunt) holds(i int) bool {
	if len(h.limits.fixed) > 0 {
		return true
	}
	end := min(i+h.most, len(h.order))
	return end > i && end-i >= h.limits.minSites && h.sum[end]-h.sum[i] >= int64(h.missing)
}

// anchor looks for better sets with one anchor, and says whether none is left there.
func (h *siteHunt) anchor(i int, ration uint32) bool {
	h.grant(ration)
	defer h.grant(0)
	switch {
	case h.goal == lowerPrice:
		return h.look(i, h.delay)
	case h.goal == fewerSites && h.limits.unmeasured:
		return h.look(i, Unmeasured)
	case h.goal == fewerSites:
		return h.look(i, Unmeasured-1)
	}
	done := h.look(i, h.delay-1)
	if !h.hit {
		return done
	}
	// By bisection as far down as this anchor goes: no set was seen with a delay of low or less.
	low := int64(h.span) - 1
	for done = true; int64(h.delay) > low+1; {
		h.grant(ration)
		middle := low + (int64(h.delay)-low)/2
		seen := h.look(i, uint32(middle))
		if !h.hit {
			low, done = middle, seen
		}
	}
	return done
}

// grant books the steps that were used, and gives new ones.
func (h *siteHunt) grant(ration uint32) {
	used := h.given - h.ration
	h.budget -= used
	*h.steps -= used
	h.given = min(ration, h.budget)
	h.ration = h.given
}

func (h *siteHunt) spend(n int) bool {
	if uint64(n) >= uint64(h.ration) {
		h.ration = 0
		return false
	}
	h.ration -= uint32(n)
	return true
}

// look goes through the sets of one anchor whose pairs are all within a delay. It returns false if it stopped early: when the ration was
// used up, or at a hit that changes what is looked for.
func (h *siteHunt) look(i int, within uint32) bool {
	h.within, h.hit = within, false
	size, missing := len(h.limits.fixed), h.missing
	h.chosen = append(h.chosen[:0], h.base...)
	if size == 0 {
		offer := h.order[i]
		if h.limits.minSites <= 1 && int(h.room[offer]) >= missing && int(h.ask(offer)) >= missing {
			h.chosen = append(h.chosen, offer)
			return h.consider(1)
		}
		size, missing = 1, missing-int(h.room[offer])
		if h.room[offer] == 0 || h.most == 1 {
			return true
		}
	}
	enough, spent := h.gather(i, size, missing)
	if !enough || spent {
		return !spent
	}
	if len(h.limits.fixed) == 0 {
		room := int(h.ask(h.order[i]))
		if room == 0 {
			return true
		}
		h.chosen = append(h.chosen, h.order[i])
		missing = h.missing - room
	}
	return h.extend(size, max(missing, 0))
}

// gather finds what can stand beside an anchor, with room for what is missing; enough is false where there is too little.
func (h *siteHunt) gather(i, size, missing int) (enough, spent bool) {
	for _, o := range h.local {
		h.localAt[h.offers[o].site] = 0
	}
	h.local = h.local[:0]
	clear(h.counts)
	ok := false
	if h.within == Unmeasured {
		ok = h.gatherAll(i)
	} else {
		ok = h.gatherNear(i)
	}
	if !ok {
		return false, true
	}
	most := h.most - size
	sum := h.top(most)
	if sum < missing || len(h.local) < h.limits.minSites-size {
		return false, false
	}
	// What is too small even beside the largest of the others is of no use.
	if least := h.class(int32(max(missing-h.top(most-1), 1))); least > 1 {
		clear(h.counts[:least])
		h.local = slices.DeleteFunc(h.local, func(o int32) bool { return h.class(h.room[o]) < least })
	}
	if len(h.local) > maxLocal {
		h.cut = true
	}
	h.local = h.sortByClass(h.local, maxLocal)
	m := len(h.local)
	h.words = (m + 63) / 64
	h.ceiling, h.made = resize(h.ceiling, m), resize(h.made, m)
	h.rows, h.layers = resize(h.rows, m*h.words), resize(h.layers, (h.most+1)*h.words)
	clear(h.made)
	for n, o := range h.local {
		h.localAt[h.offers[o].site] = int32(n) + 1
		h.ceiling[n] = h.ceil(h.room[o])
	}
	first := h.layer(size)
	for w := range first {
		first[w] = math.MaxUint64
	}
	if m%64 != 0 {
		first[m/64] = 1<<(m%64) - 1
	}
	return true, false
}

// top is the sum of the k largest rooms that are counted.
func (h *siteHunt) top(k int) int {
	sum := 0
	for c := len(h.counts) - 1; c > 0 && k > 0; c-- {
		n := min(int(h.counts[c]), k)
		sum += n * c * int(h.width)
		k -= n
	}
	return sum
}

// gatherNear takes the anchor's measured neighbours.
func (h *siteHunt) gatherNear(i int) bool {
	at, others := h.anchorSites(i)
	links := h.links.around(at)
	if !h.spend(len(links)) {
		return false
	}
	for _, l := range links {
		o := h.offerAt[l.to] - 1
		if o < 0 || l.delay > h.within || !h.allows(l.delay, l.mbps) || h.room[o] == 0 || len(h.limits.fixed) == 0 && int(h.rank[o]) <= i {
			continue
		}
		near := true
		for _, s := range others {
			delay, ok := h.pair(s, l.to)
			near = near && ok && delay <= h.within
		}
		if !h.spend(len(others)) {
			return false
		}
		if near {
			h.local = append(h.local, o)
			h.counts[h.class(h.room[o])]++
		}
	}
	return true
}

// gatherAll takes all that is not known to be too far away, in order, where a link need not be measured.
func (h *siteHunt) gatherAll(i int) bool {
	at, others := h.anchorSites(i)
	from := i + 1
	if len(h.limits.fixed) > 0 {
		from = 0
	}
	for _, o := range h.order[from:] {
		if len(h.local) == maxLocal {
			h.cut = true
			break
		}
		if !h.spend(1 + len(others)) {
			return false
		}
		_, near := h.pair(at, h.offers[o].site)
		for _, s := range others {
			_, ok := h.pair(s, h.offers[o].site)
			near = near && ok
		}
		if near && h.room[o] > 0 {
			h.local = append(h.local, o)
			h.counts[h.class(h.room[o])]++
		}
	}
	return true
}

// anchorSites are the sites that every set of an anchor holds.
func (h *siteHunt) anchorSites(i int) (at int32, others []int32) {
	if len(h.limits.fixed) > 0 {
		return h.limits.fixed[0], h.limits.fixed[1:]
	}
	return h.offers[h.order[i]].site, nil
}

// layer holds what may still be added to a set of so many sites.
func (h *siteHunt) layer(size int) []uint64 { return h.layers[size*h.words : (size+1)*h.words] }

// extend adds sites to the chosen ones, of which there are size, until nothing is missing. It returns false when the look is over.
func (h *siteHunt) extend(size, missing int) bool {
	allowed := h.layer(size)
	for w := range allowed {
		for b := allowed[w]; b != 0; b &= b - 1 {
			if !h.spend(1) {
				return false
			}
			if !h.enough(allowed[w:], b, size, missing) {
				return true // what follows is smaller still
			}
			n := w<<6 + bits.TrailingZeros64(b)
			offer := h.local[n]
			room := int(h.ask(offer))
			if room == 0 {
				continue
			}
			h.chosen = append(h.chosen, offer)
			more := true
			switch {
			case room >= missing && size+1 >= h.limits.minSites:
				more = h.consider(size + 1)
			case size+1 < h.most:
				if more = h.narrow(size, n, b&(b-1)); more {
					more = h.extend(size+1, max(missing-room, 0))
				}
			}
			h.chosen = h.chosen[:len(h.chosen)-1]
			if !more {
				return false
			}
		}
	}
	return true
}

// narrow fills the layer that follows: what is allowed beside number n too and comes after it. rest is what follows it in its own word.
func (h *siteHunt) narrow(size, n int, rest uint64) bool {
	row := h.rows[n*h.words : (n+1)*h.words]
	if !h.made[n] && !h.makeRow(n, row) {
		return false
	}
	now, next := h.layer(size), h.layer(size+1)
	w := n >> 6
	clear(next[:w])
	next[w] = rest & row[w]
	for w++; w < len(next); w++ {
		next[w] = now[w] & row[w]
	}
	return true
}

// makeRow finds what a site may stand beside.
func (h *siteHunt) makeRow(n int, row []uint64) bool {
	links := h.links.around(h.offers[h.local[n]].site)
	if !h.spend(len(links)) {
		return false
	}
	h.made[n] = true
	if h.within == Unmeasured {
		for w := range row {
			row[w] = math.MaxUint64
		}
		for _, l := range links {
			if at := h.localAt[l.to] - 1; at >= 0 && !h.allows(l.delay, l.mbps) {
				row[at>>6] &^= 1 << (at & 63)
			}
		}
		return true
	}
	clear(row)
	for _, l := range links {
		if at := h.localAt[l.to] - 1; at >= 0 && l.delay <= h.within && h.allows(l.delay, l.mbps) {
			row[at>>6] |= 1 << (at & 63)
		}
	}
	return true
}

// enough says whether the largest that are allowed, from the lowest bit of b on, could hold what is missing. allowed begins with b's word.
func (h *siteHunt) enough(allowed []uint64, b uint64, size, missing int) bool {
	left, count := h.most-size, 0
	base := (h.words - len(allowed)) << 6
	for w := 0; ; b = allowed[w] {
		for ; b != 0 && count < left && (missing > 0 || size+count < h.limits.minSites); b &= b - 1 {
			missing -= int(h.ceiling[base+w<<6+bits.TrailingZeros64(b)])
			count++
		}
		if w++; w == len(allowed) {
			break
		}
	}
	return count > 0 && missing <= 0 && size+count >= h.limits.minSites
}

// consider compares the chosen sites, so many of them, with the best. It returns false when the look is over.
func (h *siteHunt) consider(size int) bool {
	delay := h.spread()
	switch h.goal {
	case fewerSites:
		h.most = size - 1
	case lowerPrice:
		if !h.spend(h.limits.need) {
			return false
		}
		cost := h.price(h.chosen)
		if !h.cheaper(delay, cost) {
			return true
		}
		h.cost = cost
	}
	h.found, h.size, h.delay = true, size, delay
	h.set = append(h.set[:0], h.chosen...)
	h.hit = true
	if h.goal == lowerPrice {
		h.sortByID(h.set)
		return true
	}
	copy(h.empty, h.done)
	return h.goal == fewerSites && !h.settled()
}

// cheaper says whether the chosen sites, as many as the best, are better.
func (h *siteHunt) cheaper(delay uint32, cost uint64) bool {
	if delay != h.delay || cost != h.cost {
		return delay < h.delay || delay == h.delay && cost < h.cost
	}
	a := append(h.sorted[:0], h.chosen...)
	h.sorted = a
	h.sortByID(a)
	for i, o := range h.set {
		if s, t := h.offers[a[i]].site, h.offers[o].site; s != t {
			return h.less(s, t)
		}
	}
	return false
}

// spread is the worst delay between two of the chosen and the fixed sites.
func (h *siteHunt) spread() uint32 {
	worst := h.span
	for i, o := range h.chosen[len(h.base):] {
		s := h.offers[o].site
		for _, t := range h.limits.fixed {
			delay, _ := h.pair(s, t)
			worst = max(worst, delay)
		}
		for _, p := range h.chosen[len(h.base) : len(h.base)+i] {
			delay, _ := h.pair(s, h.offers[p].site)
			worst = max(worst, delay)
		}
	}
	return worst
}
