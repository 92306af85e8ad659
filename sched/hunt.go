package sched

import (
	"slices"
)

// siteOffer is what one site can hold of a request: so many of its replicas, or at most so many where the hunt has to ask for the exact
// figure.
type siteOffer struct {
	site int32
	room int32
}

// siteLimits is what a set of sites has to keep.
type siteLimits struct {
	need               int     // replicas that have no place yet, at most 65,535
	minSites, maxSites int     // how many sites, the fixed ones among them
	perSite            int     // so many of the replicas at a site at most, 0 for no bound
	delay, mbps        uint32  // limits on every pair of sites, 0 for none
	unmeasured         bool    // a pair that was never measured is within the limits
	fixed              []int32 // sites of members that stay: part of every set
}

// siteHunt looks for the sites of one request: of the sets of sites that hold all replicas and of which every pair is within the limits, the
// one with the fewest sites, then with the least worst delay between two of them, then with the lowest price, then with the smallest site
// IDs. Each site of a set takes at least one replica; a fixed site need not.
//
// The hunt runs until nothing is left to look at or the steps are used up, and then answers with the best that it saw. A step is one look at
// a link, a site or, in a price, a replica. The same fields give the same answer on every machine.
//
// The fields say what is asked. What the hunt needs of memory it keeps from run to run.
type siteHunt struct {
	links  *linkStore
	limits siteLimits
	// offers names each site once. A site without an offer has no room.
	offers []siteOffer
	// exact returns the exact room of an offer, at most what the offer says. It is asked at most once for an offer, and only for those that
	// matter. nil says that the offers are exact.
	exact func(offer int) int
	// price returns the price of the best filling of a set of offers, with one replica at least for each offer whose site is not fixed. It
	// must not keep the set.
	price func(set []int32) uint64
	// floor returns the least price of a replica at an offer, so that most prices need not be asked. nil says that nothing is known.
	floor func(offer int) uint64
	// less orders two sites by their IDs.
	less func(a, b int32) bool
	// best false asks for any set, of any number of sites and delay, without a price.
	best bool
	// steps is what may be used, and is counted down.
	steps *uint32

	huntState
	huntLocal
}

// siteSet is an answer, valid until the next run: indices of offers in order of the site IDs, those of fixed sites among them; the worst
// delay between two sites of the set, Unmeasured if a link was never measured; and the price, 0 if any set was asked for.
type siteSet struct {
	offers []int32
	delay  uint32
	price  uint64
}

// huntState is what a run knows of all offers, and its best set so far.
type huntState struct {
	room    []int32 // of each offer: at most so many, exact where asked
	asked   []bool
	order   []int32 // the offers that can be chosen, by the class of their room as offered, the largest first
	placeAt []int32 // site -> its place in the order, plus one; 0 where it cannot be chosen
	classes []int32 // of each place: the class of its room as known by now
	sum     []int64 // of the first so many of the order, in rooms as offered
	width   int32   // rooms are sorted in classes of so many replicas, 1 unless there are many
	counts  []int32 // of each class
	base    []int32 // the fixed offers
	missing int     // what the fixed offers leave
	span    uint32  // the worst delay between two fixed sites
	broken  bool    // two of them are not within the limits
	fewest  int     // no set has fewer sites: its rooms would be too small
	done    []uint64
	empty   []uint64 // anchors without any set as good as the best

	goal  huntGoal
	limit int // sites that the request allows and that can be of use
	most  int // sites that the sets in question have at most
	found bool
	size  int
	set   []int32
	delay uint32
	cost  uint64
}

// huntGoal is by what a sweep improves the best set.
type huntGoal uint8

const (
	fewerSites huntGoal = iota + 1
	lessDelay
	lowerPrice // at the same number of sites and the same delay
)

// run returns the best set found; exhaustive says that there is none better or, where ok is false, that there is none.
func (h *siteHunt) run() (found siteSet, exhaustive, ok bool) {
	h.sortOffers()
	if h.broken || h.fewest > h.most {
		return siteSet{}, true, false
	}
	if h.fewest == len(h.limits.fixed) {
		return h.onlyFixed()
	}
	total := *h.steps
	h.reserve = total / 2
	sized := h.sweep(fewerSites, total)
	if !h.found || !h.best {
		return h.answer(), sized, h.found
	}
	for {
		near := h.sweep(lessDelay, *h.steps-*h.steps/4)
		h.cost = h.price(h.answer().offers)
		h.exchange(*h.steps / 2)
		cheap := h.sweep(lowerPrice, *h.steps)
		if sized && near && cheap {
			return h.answer(), true, true
		}
		if sized || *h.steps < total/8 {
			return h.answer(), false, true
		}
		// The sizes had half of the steps, and the rest needed less than the other half.
		size := h.size
		h.reserve = 0
		sized = h.sweep(fewerSites, *h.steps)
		if h.size == size {
			return h.answer(), sized && near && cheap, true
		}
	}
}

// onlyFixed answers that the fixed sites are enough.
func (h *siteHunt) onlyFixed() (found siteSet, exhaustive, ok bool) {
	h.found, h.size, h.delay = true, len(h.limits.fixed), h.span
	h.set = append(h.set[:0], h.base...)
	if h.best {
		h.cost = h.price(h.answer().offers)
	}
	return h.answer(), true, true
}

// answer is the best set, in order of site IDs.
func (h *siteHunt) answer() siteSet {
	if !h.found {
		return siteSet{}
	}
	h.sortByID(h.set)
	return siteSet{offers: h.set, delay: h.delay, price: h.cost}
}

func (h *siteHunt) sortByID(set []int32) {
	slices.SortFunc(set, func(a, b int32) int {
		switch s, t := h.offers[a].site, h.offers[b].site; {
		case s == t:
			return 0
		case h.less(s, t):
			return -1
		}
		return 1
	})
}

// maxClasses bounds the classes of room by which offers are sorted.
const maxClasses = 256

// sortOffers prepares a run.
func (h *siteHunt) sortOffers() {
	n, sites := len(h.offers), len(h.links.pages)<<pageShift
	for _, o := range h.offers {
		sites = max(sites, int(o.site)+1)
	}
	h.room, h.asked = resize(h.room, n), resize(h.asked, n)
	h.placeAt, h.localAt = resize(h.placeAt, sites), resize(h.localAt, sites)
	clear(h.asked)
	clear(h.placeAt)
	clear(h.localAt)
	h.local = h.local[:0]
	bound, most := int32(h.limits.need), int32(1)
	if h.limits.perSite > 0 {
		bound = min(bound, int32(h.limits.perSite))
	}
	for i, o := range h.offers {
		h.room[i] = min(o.room, bound)
		most = max(most, h.room[i])
		if h.room[i] > 0 {
			h.placeAt[o.site] = int32(i) + 1 // until there are places
		}
	}
	h.width = (most + maxClasses - 1) / maxClasses
	h.counts = resize(h.counts, int(h.class(most))+1)
	h.takeFixed()
	h.order, h.classes = h.order[:0], resize(h.classes, n)
	clear(h.counts)
	for i, o := range h.offers {
		if h.placeAt[o.site] == int32(i)+1 {
			h.classes[i] = h.class(h.room[i])
			h.counts[h.classes[i]]++
			h.order = append(h.order, int32(i))
		}
	}
	h.sortByClass(h.order)
	if h.floor != nil && h.limits.unmeasured && h.limits.maxSites > 0 {
		h.cheapFirst()
	}
	h.found, h.size, h.cost, h.delay = false, 0, 0, 0
	h.done, h.empty = resize(h.done, len(h.order)/64+1), resize(h.empty, len(h.order)/64+1)
	clear(h.empty)
	h.bounds()
}

// bounds says between how many sites a set has.
func (h *siteHunt) bounds() {
	h.sum = append(h.sum[:0], 0)
	least := len(h.order) + 1
	for at, o := range h.order {
		h.placeAt[h.offers[o].site] = int32(at) + 1
		h.classes[at] = h.class(h.room[o])
		h.sum = append(h.sum, h.sum[at]+int64(h.classes[at]*h.width))
	}
	for k := len(h.order); k >= 0 && h.sum[k] >= int64(h.missing); k-- {
		least = k
	}
	fixed := len(h.limits.fixed)
	h.fewest = max(fixed+least, h.limits.minSites)
	h.most = min(h.limits.maxSites, fixed+min(len(h.order), h.limits.need))
	h.limit = h.most
}

// takeFixed takes the fixed sites out of what can be chosen.
func (h *siteHunt) takeFixed() {
	h.base, h.missing, h.span, h.broken = h.base[:0], h.limits.need, 0, false
	for i, s := range h.limits.fixed {
		for _, t := range h.limits.fixed[:i] {
			delay, ok := h.pair(s, t)
			h.span, h.broken = max(h.span, delay), h.broken || !ok
		}
		if int(s) >= len(h.placeAt) || h.placeAt[s] == 0 {
			continue
		}
		o := h.placeAt[s] - 1
		h.placeAt[s] = 0
		h.base = append(h.base, o)
		h.missing -= int(h.ask(o))
	}
}

// class is the class of a room: the classes are numbered by size, 0 holds nothing.
func (h *siteHunt) class(room int32) int32 { return (room + h.width - 1) / h.width }

// sortByClass sorts by the class of each entry, the largest first, and keeps the order in a class. The counts of the classes have to be
// those of the entries, and are used up.
func (h *siteHunt) sortByClass(list []int32) {
	at := int32(0)
	for c := len(h.counts) - 1; c >= 0; c-- {
		n := h.counts[c]
		h.counts[c] = at
		at += n
	}
	h.sorted = resize(h.sorted, len(list))
	for _, o := range list {
		c := h.classes[o]
		h.sorted[h.counts[c]] = o
		h.counts[c]++
	}
	copy(list, h.sorted)
}

// ask returns the exact room of an offer.
func (h *siteHunt) ask(offer int32) int32 {
	if h.exact != nil && !h.asked[offer] {
		h.asked[offer] = true
		h.room[offer] = min(h.room[offer], int32(h.exact(int(offer))))
	}
	return h.room[offer]
}

// askPlace returns the exact room of a place in the order.
func (h *siteHunt) askPlace(p int32) int {
	o := h.order[p]
	room := h.ask(o)
	if h.classes[p] = h.class(room); room == 0 {
		h.placeAt[h.offers[o].site] = 0
	}
	return int(room)
}

// pair returns the delay between two sites, Unmeasured if it was never measured, and whether it is within the limits.
func (h *siteHunt) pair(a, b int32) (uint32, bool) {
	delay, mbps, ok := h.links.of(a, b)
	if !ok {
		return Unmeasured, h.limits.unmeasured
	}
	return delay, h.allows(delay, mbps)
}

// allows says whether a measured link is within the limits.
func (h *siteHunt) allows(delay, mbps uint32) bool {
	return (h.limits.delay == 0 || delay <= h.limits.delay) && mbps >= h.limits.mbps
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
