package sched

import (
	"cmp"
	"slices"
)

// shelf is the room of a site at its least price.
type shelf struct {
	floor uint64
	room  int
}

// cheapFirst puts the cheapest offers of each class of room before the others of the class, as many as a set may have. Where any pair will
// do, the first set found is then a cheap one.
func (h *siteHunt) cheapFirst() {
	to := 0
	for from := 0; from < len(h.order); from = to {
		class := h.class(h.room[h.order[from]])
		h.shelves = h.shelves[:0]
		for ; to < len(h.order) && h.class(h.room[h.order[to]]) == class; to++ {
			s := shelf{floor: h.floor(int(h.order[to]))}
			n := len(h.shelves)
			if n < h.limits.maxSites {
				h.shelves = append(h.shelves, s)
			} else if s.floor >= h.shelves[n-1].floor {
				continue
			} else {
				n--
				h.order[to], h.order[from+n] = h.order[from+n], h.order[to]
				h.shelves[n] = s
			}
			for ; n > 0 && h.shelves[n].floor < h.shelves[n-1].floor; n-- {
				h.shelves[n], h.shelves[n-1] = h.shelves[n-1], h.shelves[n]
				h.order[from+n], h.order[from+n-1] = h.order[from+n-1], h.order[from+n]
			}
		}
	}
}

// appraise compares the chosen sites, as many as in the best set, with it by delay, price and IDs. It returns false when the look is over.
func (h *siteHunt) appraise(delay uint32) bool {
	if !h.spend(len(h.chosen)) {
		return false
	}
	if delay == h.delay && h.atLeast(h.chosen) > h.cost {
		return true
	}
	if !h.spend(h.limits.need) {
		return false
	}
	cost := h.price(h.chosen)
	if !h.cheaper(delay, cost) {
		return true
	}
	h.hit, h.cost, h.delay = true, cost, delay
	h.set = append(h.set[:0], h.chosen...)
	h.sortByID(h.set)
	return true
}

// cheaper says whether the chosen sites are better than the best set.
func (h *siteHunt) cheaper(delay uint32, cost uint64) bool {
	if delay != h.delay || cost != h.cost {
		return delay < h.delay || delay == h.delay && cost < h.cost
	}
	h.sorted = append(h.sorted[:0], h.chosen...)
	h.sortByID(h.sorted)
	for i, o := range h.set {
		if s, t := h.offers[h.sorted[i]].site, h.offers[o].site; s != t {
			return h.less(s, t)
		}
	}
	return false
}

// atLeast is a lower bound of the price of a set: each site takes what the others leave, at its least price.
func (h *siteHunt) atLeast(set []int32) uint64 {
	if h.floor == nil {
		return 0
	}
	h.shelves = h.shelves[:0]
	sum, left := uint64(0), h.limits.need
	for i, o := range set {
		s := shelf{h.floor(int(o)), int(h.room[o])}
		if i >= len(h.base) { // a chosen site takes one in any case
			sum += s.floor
			left--
			s.room--
		}
		h.shelves = append(h.shelves, s)
	}
	slices.SortFunc(h.shelves, func(a, b shelf) int { return cmp.Compare(a.floor, b.floor) })
	for _, s := range h.shelves {
		n := min(s.room, left)
		sum += uint64(n) * s.floor
		left -= n
	}
	return sum
}

// exchange lowers the price of the best set by exchanging one site at a time, as long as that helps. The sweep that follows begins with a
// good price, and where the sets are too many for it this is what finds one at all.
func (h *siteHunt) exchange(budget uint32) {
	if h.size == 1 && h.floor == nil {
		return // the sweep asks the same prices
	}
	h.goal, h.budget = lowerPrice, min(budget, *h.steps)
	h.grant(h.budget)
	defer h.grant(0)
	for again := true; again; {
		again = false
		for n := range h.size - len(h.limits.fixed) {
			h.hit = false
			if !h.replace(n) {
				return
			}
			again = again || h.hit
		}
	}
}

// replace tries all others in the place of one site of the best set that is not fixed. It returns false when the steps are used up.
func (h *siteHunt) replace(n int) bool {
	h.chosen = append(h.chosen[:0], h.base...)
	for _, o := range h.set {
		if !slices.Contains(h.base, o) {
			h.chosen = append(h.chosen, o)
		}
	}
	last := len(h.chosen) - 1
	old := h.chosen[len(h.base)+n]
	h.chosen = append(slices.Delete(h.chosen, len(h.base)+n, len(h.base)+n+1), old)
	missing := h.limits.need
	for _, o := range h.chosen[:last] {
		missing -= int(h.room[o])
	}
	if near, ok := h.beside(last); ok && h.delay != Unmeasured {
		for _, l := range h.links.around(near) {
			if p := h.placeAt[l.to] - 1; !h.spend(1) || p >= 0 && l.delay <= h.delay && !h.try(p, &old, missing) {
				return false
			}
		}
		return true
	}
	for p := range h.order {
		if !h.spend(1) || !h.try(int32(p), &old, missing) {
			return false
		}
	}
	return true
}

// beside returns a site that what is tried has to stand beside, if there is one.
func (h *siteHunt) beside(last int) (site int32, ok bool) {
	if len(h.limits.fixed) > 0 {
		return h.limits.fixed[0], true
	}
	if last == 0 {
		return 0, false
	}
	return h.offers[h.chosen[0]].site, true
}

// try puts one place of the order at the end of the chosen sites, and into old if that is better. It returns false when the steps are used up.
func (h *siteHunt) try(p int32, old *int32, missing int) bool {
	o, last := h.order[p], len(h.chosen)-1
	if h.classes[p] == 0 || int(h.room[o]) < missing || slices.Contains(h.chosen[:last], o) {
		return true
	}
	if h.floor != nil && h.room[o] <= h.room[*old] && h.floor(int(o)) > h.floor(int(*old)) {
		return true
	}
	if !h.spend(last + len(h.limits.fixed)) {
		return false
	}
	for _, s := range h.limits.fixed {
		if delay, ok := h.pair(s, h.offers[o].site); !ok || delay > h.delay {
			return true
		}
	}
	for _, t := range h.chosen[len(h.base):last] {
		if delay, ok := h.pair(h.offers[t].site, h.offers[o].site); !ok || delay > h.delay {
			return true
		}
	}
	if room := h.askPlace(p); room == 0 || room < missing {
		return true
	}
	h.chosen[last] = o
	cost := h.cost
	more := h.appraise(h.spread())
	if h.cost < cost {
		*old = o
	}
	return more
}
