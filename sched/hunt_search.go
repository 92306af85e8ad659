package sched

import (
	"math"
	"math/bits"
	"slices"
)

// maxLocal bounds the sites that are considered beside one anchor.
const maxLocal = 2048

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
	shelves []shelf
	within  uint32 // no pair may be further apart
	hit     bool   // a better set was found
	ration  uint32 // steps left for this anchor
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
	for ration := min(max(h.budget/8, 64), 8192); ; ration = min(ration, math.MaxUint32/8) * 8 {
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
	default:
		return false
	}
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
	if len(h.limits.fixed) == 0 && h.alone(i) {
		h.chosen = append(h.chosen[:0], h.order[i])
		return h.consider(1)
	}
	switch {
	case h.most <= max(len(h.limits.fixed), 1):
		return true
	case h.goal == lowerPrice:
		return h.look(i, h.delay)
	case h.goal == fewerSites && h.limits.unmeasured:
		return h.look(i, Unmeasured)
	case h.goal == fewerSites:
		return h.look(i, Unmeasured-1)
	}
	if h.delay != Unmeasured && h.open(i, h.delay) == nothing {
		h.empty[i>>6] |= 1 << (i & 63) // no need to look here for the price either
		return true
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

// alone says whether one site is enough.
func (h *siteHunt) alone(i int) bool {
	return h.limits.minSites <= 1 && int(h.room[h.order[i]]) >= h.missing && h.askPlace(int32(i)) >= h.missing
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
	h.hit = false
	if o := h.open(i, within); o != something {
		return o == nothing
	}
	missing, size := h.missing, len(h.limits.fixed)
	if size == 0 {
		missing, size = missing-int(h.room[h.order[i]]), 1
	}
	return h.extend(size, max(missing, 0))
}

// opening says what stands beside an anchor.
type opening uint8

const (
	nothing   opening = iota // not enough for any set
	something                // perhaps enough
	unknown                  // the ration was used up
)

// open prepares the problem of an anchor: what can stand beside it, within a delay.
func (h *siteHunt) open(i int, within uint32) opening {
	h.within = within
	if within != Unmeasured && h.limits.delay > 0 {
		h.within = min(within, h.limits.delay)
	}
	h.chosen = append(h.chosen[:0], h.base...)
	size, missing := len(h.limits.fixed), h.missing
	if size == 0 {
		size, missing = 1, missing-int(h.room[h.order[i]])
		h.chosen = append(h.chosen, h.order[i])
	}
	if len(h.limits.fixed) == 0 && h.classes[i] == 0 {
		return nothing
	}
	if !h.gather(i) {
		return unknown
	}
	sum := h.top(h.most - size)
	if sum < missing || len(h.local)-1 < h.limits.minSites-size {
		return nothing
	}
	if len(h.limits.fixed) == 0 {
		// Only now, since it may cost much to ask.
		room := h.askPlace(int32(i))
		missing = h.missing - room
		if room == 0 || sum < missing {
			return nothing
		}
	}
	h.number(size, missing)
	return something
}

// gather lists the places of what can stand beside an anchor, and counts their classes. The first entry of the list has no meaning.
func (h *siteHunt) gather(i int) bool {
	for _, p := range h.local[min(1, len(h.local)):] {
		h.localAt[h.offers[h.order[p]].site] = 0
	}
	h.local = h.local[:0]
	clear(h.counts)
	if h.within == Unmeasured {
		return h.gatherAll(i)
	}
	return h.gatherNear(i)
}

// number sorts what was gathered, and numbers it from 1.
func (h *siteHunt) number(size, missing int) {
	list := h.local[1:]
	// What is too small even beside the largest of the others is of no use.
	if least := h.class(int32(max(missing-h.top(h.most-size-1), 1))); least > 1 {
		clear(h.counts[:least])
		list = slices.DeleteFunc(list, func(p int32) bool { return h.classes[p] < least })
	}
	h.sortByClass(list)
	if len(list) > maxLocal {
		list, h.cut = list[:maxLocal], true
	}
	h.local = h.local[:len(list)+1]
	m := len(list)
	h.words = m/64 + 1
	h.ceiling, h.made = resize(h.ceiling, m+1), resize(h.made, m+1)
	h.rows, h.layers = resize(h.rows, (m+1)*h.words), resize(h.layers, (h.most+1)*h.words)
	clear(h.made)
	for n, p := range list {
		h.localAt[h.offers[h.order[p]].site] = int32(n) + 1
		h.ceiling[n+1] = h.classes[p] * h.width
	}
	first := h.layer(size)
	for w := range first {
		first[w] = math.MaxUint64
	}
	first[0] = math.MaxUint64 - 1
	first[h.words-1] &= math.MaxUint64 >> (63 - m%64)
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

// gatherNear takes the anchor's measured neighbours. The loop has no branches: what it would branch on is as good as random.
func (h *siteHunt) gatherNear(i int) bool {
	at, others := h.anchorSites(i)
	links := h.links.around(at)
	if !h.spend(len(links) * (1 + len(others))) {
		return false
	}
	first := int64(i) + 1
	if len(h.limits.fixed) > 0 {
		first = 0
	}
	local := resize(h.local, len(links)+2)
	n, within, mbps := 1, int64(h.within), int64(h.limits.mbps)
	for _, l := range links {
		place := h.placeAt[l.to] - 1
		local[n] = place
		wrong := (within - int64(l.delay)) | (int64(l.mbps) - mbps) | (int64(place) - first)
		n += 1 - int(uint64(wrong)>>63) // the sign of any of the three
	}
	h.local = local[:n]
	if len(others) > 0 {
		near := slices.DeleteFunc(h.local[1:], func(p int32) bool {
			return slices.ContainsFunc(others, func(s int32) bool {
				delay, ok := h.pair(s, h.offers[h.order[p]].site)
				return !ok || delay > h.within
			})
		})
		h.local = h.local[:1+len(near)]
	}
	for _, p := range h.local[1:] {
		h.counts[h.classes[p]]++
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
	h.local = append(h.local, 0)
	for p := int32(from); int(p) < len(h.order); p++ {
		if len(h.local) > maxLocal {
			h.cut = true
			break
		}
		if !h.spend(1 + len(others)) {
			return false
		}
		near := true
		if h.limits.delay > 0 || h.limits.mbps > 0 {
			s := h.offers[h.order[p]].site
			_, near = h.pair(at, s)
			for _, t := range others {
				_, ok := h.pair(s, t)
				near = near && ok
			}
		}
		if near && h.classes[p] > 0 {
			h.local = append(h.local, p)
			h.counts[h.classes[p]]++
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
	var ahead window
	for w := range allowed {
		for b := allowed[w]; b != 0; b &= b - 1 {
			if !h.spend(1) {
				return false
			}
			if ahead.most != h.most { // at first, and after each hit
				ahead = window{most: h.most, word: w, bits: b}
				h.widen(&ahead, allowed, h.most-size)
				if !h.spend(ahead.count / 4) { // they are fast
					return false
				}
			}
			if ahead.sum < missing || ahead.count == 0 || size+ahead.count < h.limits.minSites {
				return true // what follows is smaller still
			}
			n := w<<6 + bits.TrailingZeros64(b)
			if room := h.askPlace(h.local[n]); room > 0 {
				h.chosen = append(h.chosen, h.order[h.local[n]])
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
			ahead.sum -= int(h.ceiling[n])
			ahead.count--
			h.widen(&ahead, allowed, 1)
		}
	}
	return true
}

// window is the largest of what is allowed from some place on, as many as may still be added, and where the next one is looked for.
type window struct {
	most, sum, count int
	word             int
	bits             uint64
}

// widen adds the next k of the allowed ones to the window.
func (h *siteHunt) widen(a *window, allowed []uint64, k int) {
	for ; k > 0; k-- {
		for a.bits == 0 {
			if a.word++; a.word >= len(allowed) {
				return
			}
			a.bits = allowed[a.word]
		}
		a.sum += int(h.ceiling[a.word<<6+bits.TrailingZeros64(a.bits)])
		a.count++
		a.bits &= a.bits - 1
	}
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
	links := h.links.around(h.offers[h.order[h.local[n]]].site)
	if !h.spend(len(links)) {
		return false
	}
	h.made[n] = true
	if h.within == Unmeasured {
		for w := range row {
			row[w] = math.MaxUint64
		}
		for _, l := range links {
			if at := h.localAt[l.to]; !h.allows(l.delay, l.mbps) {
				row[at>>6] &^= 1 << (at & 63)
			}
		}
		return true
	}
	clear(row)
	within, mbps := int64(h.within), int64(h.limits.mbps)
	for _, l := range links {
		at := h.localAt[l.to] // 0 where it is not numbered: no layer holds that bit
		wrong := (within - int64(l.delay)) | (int64(l.mbps) - mbps)
		row[at>>6] |= (1 - uint64(wrong)>>63) << (at & 63)
	}
	return true
}

// consider compares the chosen sites, so many of them, with the best. It returns false when the look is over.
func (h *siteHunt) consider(size int) bool {
	delay := h.spread()
	if h.goal == lowerPrice {
		return h.appraise(delay)
	}
	h.found, h.hit, h.size, h.delay = true, true, size, delay
	h.set = append(h.set[:0], h.chosen...)
	copy(h.empty, h.done)
	if h.goal == lessDelay {
		return false // the pairs that are near enough are others now
	}
	h.most = size - 1
	return !h.settled()
}

// spread is the worst delay between two of the chosen and the fixed sites. It takes its steps, or the last of them.
func (h *siteHunt) spread() uint32 {
	n, fixed := len(h.chosen)-len(h.base), len(h.limits.fixed)
	h.spend(n * (n - 1 + 2*fixed) / 2)
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
