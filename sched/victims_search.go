package sched

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// maxItems bounds the leases of one node of which all sets are tried.
const maxItems = 20

// relaxed is the problem in which parts of leases are evicted one by one.
type relaxed struct {
	items   [][]victimItem   // of each node: what can be evicted there, in order of the leases
	options [][]victimOption // of each node: the best set of items for so many replicas more, or more than so many
	mixed   []int32          // nodes with parts of wide leases
	pure    []victimSum      // the best for so many replicas on all other nodes
	need    int              // replicas that have no room at first
	trace   []victimStep
	names   [2][]int32
	spared  []int32
}

// victimItem is a part of a lease. Its lease is counted and named with one part only, so that relaxed sets compare like sets of leases.
type victimItem struct {
	lease int32
	room  hostRoom
	cost  uint64 // a share of the lease's cost
	named bool   // the first part with the largest share
}

// victimOption is a set of a node's items, a bit for each. One with a mask of 0 is none.
type victimOption struct {
	cost  uint64
	count int32 // of named items
	mask  uint32
}

// victimSum is the best of several nodes together, with the last step of the way to it; cost is the largest number where there is none.
type victimSum struct {
	cost  uint64
	count int32
	last  int32
}

// victimStep is one node's part of a victimSum.
type victimStep struct {
	node int32
	mask uint32
	prev int32
}

// shareCosts divides the costs of leases among those of their parts that can be of use. No answer needs more nodes than there are replicas
// without room, hence not more parts of a lease: the largest so many of them share the cost, and each other pays the like.
func (h *victimHunt) shareCosts() {
	h.items, h.need = make([][]victimItem, len(h.nodes)), h.replicas-h.fit
	var sizes []int32
	for i, l := range h.leases {
		sizes = sizes[:0]
		for _, p := range l.parts {
			if h.useful(p) {
				sizes = append(sizes, p.gpus)
			}
		}
		if len(sizes) == 0 {
			continue
		}
		slices.SortFunc(sizes, func(a, b int32) int { return cmp.Compare(b, a) })
		weight, left := uint64(0), l.cost
		for _, n := range sizes[:min(len(sizes), h.need)] {
			weight += uint64(n)
		}
		for _, n := range sizes[:min(len(sizes), h.need)] {
			left -= portion(l.cost, uint64(n), weight)
		}
		named := false
		for _, p := range l.parts {
			if !h.useful(p) {
				continue
			}
			item := victimItem{lease: int32(i), room: p.hostRoom, cost: portion(l.cost, uint64(p.gpus), weight)}
			if !named && p.gpus == sizes[0] {
				named, item.named = true, true
				item.cost += left // what rounding left
			}
			h.items[p.node] = append(h.items[p.node], item)
			if len(sizes) > 1 {
				h.mixed = append(h.mixed, p.node)
			}
		}
		if len(sizes) > 1 {
			h.wide = append(h.wide, int32(i))
		}
	}
	slices.Sort(h.mixed)
	h.mixed = slices.Compact(h.mixed)
}

// portion is cost x part / whole, rounded down: a relaxed problem must not cost more. It is 0 where the whole is.
func portion(cost, part, whole uint64) uint64 {
	if whole == 0 {
		return 0
	}
	high, low := bits.Mul64(cost, part)
	q, _ := bits.Div64(high, low, whole)
	return q
}

// useful says whether a part is on a node where replicas could fit that do not fit now.
func (h *victimHunt) useful(p victimPart) bool {
	return h.full[p.node].fits(h.each) > h.nodes[p.node].fits(h.each)
}

func (h *victimHunt) spend(n int) bool {
	if uint64(n) >= uint64(*h.steps) {
		*h.steps, h.exact = 0, false
		return false
	}
	*h.steps -= uint32(n)
	return true
}

// prepare finds the options of all nodes, and the best for the nodes on which no wide lease is. It returns false when the steps are used up.
func (h *victimHunt) prepare() bool {
	h.options = make([][]victimOption, len(h.nodes))
	var pure []int32
	for n := range h.items {
		slices.SortFunc(h.items[n], func(a, b victimItem) int { return cmp.Compare(a.lease, b.lease) })
		if len(h.items[n]) > maxItems {
			h.exact = false
			continue // the greedy set stands for it
		}
		if len(h.items[n]) == 0 {
			continue
		}
		if !h.choose(int32(n)) {
			return false
		}
		if _, ok := slices.BinarySearch(h.mixed, int32(n)); !ok {
			pure = append(pure, int32(n))
		}
	}
	h.pure = make([]victimSum, h.need+1)
	for i := range h.pure {
		h.pure[i] = victimSum{cost: math.MaxUint64, last: -1}
	}
	h.pure[0].cost = 0
	return h.addAll(h.pure, pure)
}

// choose finds the options of a node: all sets of its undecided items.
func (h *victimHunt) choose(n int32) bool {
	base := h.free[n].fits(h.each)
	o := make([]victimOption, min(h.full[n].fits(h.each)-base, h.need)+1)
	c := victimChoice{items: h.items[n], options: o, base: base}
	if len(o) > 1 && !h.try(&c, 0, h.free[n], victimOption{}) {
		return false
	}
	for g := len(o) - 2; g > 0; g-- { // more room is as good
		if o[g+1].mask != 0 && (o[g].mask == 0 || c.compare(o[g+1], o[g]) < 0) {
			o[g] = o[g+1]
		}
	}
	h.options[n] = o
	return true
}

// victimChoice is the search for the options of one node.
type victimChoice struct {
	items   []victimItem
	options []victimOption
	base    int
}

// compare orders options by cost, number of leases, and the leases themselves: the earliest in which they differ decides.
func (c *victimChoice) compare(a, b victimOption) int {
	if d := cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.count, b.count)); d != 0 {
		return d
	}
	for x := a.mask ^ b.mask; x != 0; x &= x - 1 {
		if i := bits.TrailingZeros32(x); c.items[i].named {
			return cmp.Compare(b.mask>>i&1, a.mask>>i&1)
		}
	}
	return cmp.Compare(a.mask, b.mask)
}

// try adds each of the items from i on to a set.
func (h *victimHunt) try(c *victimChoice, i int, room hostRoom, set victimOption) bool {
	for ; i < len(c.items); i++ {
		item := &c.items[i]
		if h.fate[item.lease] != undecided || set.cost+item.cost > h.best.cost {
			continue
		}
		if !h.spend(1) {
			return false
		}
		next := victimOption{set.cost + item.cost, set.count, set.mask | 1<<i}
		if item.named {
			next.count++
		}
		now := room.plus(item.room)
		gain := min(now.fits(h.each)-c.base, len(c.options)-1)
		if o := &c.options[gain]; gain > 0 && (o.mask == 0 || c.compare(next, *o) < 0) {
			*o = next
		}
		if gain < len(c.options)-1 && !h.try(c, i+1, now, next) {
			return false
		}
	}
	return true
}

// addAll lets nodes take part in the best sums. It leaves out those that no best answer uses: an answer uses at most need nodes, and if one
// of them is not among the need cheapest for its number of replicas, one that is has not been used and could take its place.
func (h *victimHunt) addAll(sums []victimSum, nodes []int32) bool {
	var some, with []int32
	for g := 1; ; g++ {
		if !h.spend(len(nodes)) {
			return false
		}
		with = with[:0]
		for _, n := range nodes {
			if len(h.options[n]) > g && h.options[n][g].mask != 0 {
				with = append(with, n)
			}
		}
		if len(with) == 0 {
			break
		}
		if len(with) > h.need {
			if !h.spend(len(with) * bits.Len(uint(len(with)))) {
				return false
			}
			slices.SortFunc(with, func(a, b int32) int {
				x, y := h.options[a][g], h.options[b][g]
				return cmp.Or(cmp.Compare(x.cost, y.cost), cmp.Compare(x.count, y.count), h.compareNames(a, x.mask, b, y.mask))
			})
			with = with[:h.need]
		}
		some = append(some, with...)
	}
	slices.Sort(some)
	for _, n := range slices.Compact(some) {
		if !h.add(sums, n) {
			return false
		}
	}
	return true
}

func (h *victimHunt) compareNames(a int32, x uint32, b int32, y uint32) int {
	return slices.Compare(h.named(0, a, x, -1), h.named(1, b, y, -1))
}

// add lets a node take part in the best sums.
func (h *victimHunt) add(sums []victimSum, n int32) bool {
	o := h.options[n]
	for t := len(sums) - 1; t > 0; t-- {
		for g := 1; g < len(o); g++ {
			from := sums[max(t-g, 0)]
			if o[g].mask == 0 || from.cost == math.MaxUint64 {
				continue
			}
			if !h.spend(1) {
				return false
			}
			next := victimSum{from.cost + o[g].cost, from.count + o[g].count, int32(len(h.trace))}
			d := cmp.Or(cmp.Compare(next.cost, sums[t].cost), cmp.Compare(next.count, sums[t].count))
			if d == 0 {
				if !h.spend(int(next.count)) {
					return false
				}
				d = slices.Compare(h.named(0, n, o[g].mask, from.last), h.named(1, -1, 0, sums[t].last))
			}
			if d < 0 {
				sums[t] = next
				h.trace = append(h.trace, victimStep{n, o[g].mask, from.last})
			}
		}
	}
	return true
}

// named lists the leases that are named in a set of one node and in the way to a sum, in order.
func (h *victimHunt) named(buffer int, n int32, mask uint32, last int32) []int32 {
	list := h.names[buffer][:0]
	for {
		for ; mask != 0; mask &= mask - 1 {
			if item := &h.items[n][bits.TrailingZeros32(mask)]; item.named {
				list = append(list, item.lease)
			}
		}
		if last < 0 {
			break
		}
		n, mask, last = h.trace[last].node, h.trace[last].mask, h.trace[last].prev
	}
	slices.Sort(list)
	h.names[buffer] = list
	return list
}

// branch solves the relaxed problem with the fates as they are, and goes on to problems with one more decided. It returns false when the
// steps are used up.
func (h *victimHunt) branch() bool {
	set := victimSet{}
	for _, l := range h.wide {
		if h.fate[l] == evicted {
			set.leases = append(set.leases, l)
			set.cost += h.leases[l].cost
		}
	}
	missing := h.replicas - h.fit
	if missing <= 0 {
		return h.offerSet(set.leases)
	}
	mark := len(h.trace)
	defer func() { h.trace = h.trace[:mark] }()
	sums := slices.Clone(h.pure)
	if !h.addAll(sums, h.mixed) {
		return false
	}
	found := sums[missing]
	if found.cost == math.MaxUint64 {
		return true
	}
	bound := victimSet{slices.Concat(set.leases, h.named(0, -1, 0, found.last)), set.cost + found.cost}
	slices.Sort(bound.leases)
	if bound.compare(h.best) >= 0 {
		return true
	}
	split, touched := h.split(found.last)
	if split < 0 {
		h.best = bound
		return true
	}
	if !h.offerSet(append(touched, set.leases...)) {
		return false
	}
	return h.decide(split, evicted) && h.decide(split, kept)
}

// split returns the lease of a relaxed answer of which the largest share was left out, -1 if all are evicted as a whole, and all leases of
// which some part is in it.
func (h *victimHunt) split(last int32) (lease int32, touched []int32) {
	paid, counted := map[int32]uint64{}, map[int32]bool{}
	for ; last >= 0; last = h.trace[last].prev {
		n := h.trace[last].node
		for mask := h.trace[last].mask; mask != 0; mask &= mask - 1 {
			item := &h.items[n][bits.TrailingZeros32(mask)]
			if _, ok := paid[item.lease]; !ok {
				touched = append(touched, item.lease)
			}
			paid[item.lease] += item.cost
			counted[item.lease] = counted[item.lease] || item.named
		}
	}
	slices.Sort(touched)
	lease = -1
	most := uint64(0)
	for _, l := range touched {
		if owed := h.leases[l].cost - paid[l]; owed > most || lease < 0 && !counted[l] {
			lease, most = l, owed
		}
	}
	return lease, touched
}

// decide goes on with one lease evicted or kept.
func (h *victimHunt) decide(lease int32, f fate) bool {
	before := make([][]victimOption, len(h.leases[lease].parts))
	if !h.spend(len(h.wide)) {
		return false
	}
	h.fate[lease] = f
	if f == evicted {
		h.evict(lease)
	}
	ok := true
	for i, p := range h.leases[lease].parts {
		before[i] = h.options[p.node]
		ok = ok && (!h.useful(p) || len(h.items[p.node]) > maxItems || h.choose(p.node))
	}
	ok = ok && h.branch()
	for i, p := range h.leases[lease].parts {
		h.options[p.node] = before[i]
	}
	if f == evicted {
		h.spare(lease)
	}
	h.fate[lease] = undecided
	return ok
}
