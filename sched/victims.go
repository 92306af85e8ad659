package sched

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// hostRoom is what is free on a node, what a lease holds of it, or what a replica asks of one.
type hostRoom struct {
	gpus     int32
	cpu, ram uint64
}

func (r hostRoom) plus(o hostRoom) hostRoom {
	return hostRoom{r.gpus + o.gpus, r.cpu + o.cpu, r.ram + o.ram}
}

func (r hostRoom) minus(o hostRoom) hostRoom {
	return hostRoom{r.gpus - o.gpus, r.cpu - o.cpu, r.ram - o.ram}
}

// fits is how many replicas go into r.
func (r hostRoom) fits(each hostRoom) int {
	n := int(r.gpus / each.gpus)
	if each.cpu > 0 {
		n = int(min(uint64(n), r.cpu/each.cpu))
	}
	if each.ram > 0 {
		n = int(min(uint64(n), r.ram/each.ram))
	}
	return n
}

// victimPart is what a lease holds on one node.
type victimPart struct {
	node int32
	hostRoom
}

// victimLease is a lease that may be evicted, on all its nodes at once. Each node is named once.
type victimLease struct {
	// cost is the remaining paid seconds x all cards of the lease, also those that are no use here, x its weight. All costs together have to
	// stay below 2^63.
	cost  uint64
	parts []victimPart
}

// victimHunt looks for the leases to evict so that the replicas of one request fit: those that cost least together, then the fewest, then
// those that come first in the list. So no lease is evicted that need not be, not even one that costs nothing.
//
// It solves a relaxed problem exactly, in which the parts of a lease can be evicted one by one, each for its share of the cost. Where the
// answer evicts a lease in part, there follow two problems: one with that lease evicted and one with it kept. When the steps are used up, it
// answers with the best set that it saw, of which no single lease could be spared. A step is one look at a node, a part of a lease, a set
// of leases of a node, or a way to divide replicas between a node and those before it.
//
// The fields say what is asked. A victimHunt runs once.
type victimHunt struct {
	nodes    []hostRoom // free, of the nodes that the request may use
	leases   []victimLease
	replicas int
	each     hostRoom // at least one card
	steps    *uint32

	free  []hostRoom // with what is evicted just now
	fit   int        // replicas that go into it
	full  []hostRoom // with all evicted
	wide  []int32    // the leases with useful parts on several nodes
	fate  []fate     // of each lease
	best  victimSet
	exact bool
	relaxed
}

// fate is what a branch decided about a lease.
type fate uint8

const (
	undecided fate = iota
	evicted
	kept
)

// victimSet is a set of leases in order.
type victimSet struct {
	leases []int32
	cost   uint64
}

// compare orders sets: the lower cost, the fewer leases, the earlier ones.
func (s victimSet) compare(o victimSet) int {
	return cmp.Or(cmp.Compare(s.cost, o.cost), cmp.Compare(len(s.leases), len(o.leases)), slices.Compare(s.leases, o.leases))
}

// run returns the leases to evict, in order, and their cost; exact says that no other set is better. ok is false if the replicas would not
// fit even if all were evicted.
func (h *victimHunt) run() (evict []int32, cost uint64, exact, ok bool) {
	h.free, h.full, h.fate = slices.Clone(h.nodes), slices.Clone(h.nodes), make([]fate, len(h.leases))
	for _, l := range h.leases {
		for _, p := range l.parts {
			h.full[p.node] = h.full[p.node].plus(p.hostRoom)
		}
	}
	most := 0
	for n, r := range h.full {
		most += r.fits(h.each)
		h.fit += h.nodes[n].fits(h.each)
	}
	switch {
	case most < h.replicas:
		return nil, 0, true, false
	case h.fit >= h.replicas:
		return nil, 0, true, true
	}
	h.exact, h.best.cost = true, math.MaxUint64
	h.shareCosts()
	if h.greedy() && h.prepare() {
		h.branch()
	}
	return h.best.leases, h.best.cost, h.exact, true
}

// evict frees what a lease holds.
func (h *victimHunt) evict(lease int32) {
	for _, p := range h.leases[lease].parts {
		h.fit -= h.free[p.node].fits(h.each)
		h.free[p.node] = h.free[p.node].plus(p.hostRoom)
		h.fit += h.free[p.node].fits(h.each)
	}
}

// spare takes an eviction back.
func (h *victimHunt) spare(lease int32) {
	for _, p := range h.leases[lease].parts {
		h.fit -= h.free[p.node].fits(h.each)
		h.free[p.node] = h.free[p.node].minus(p.hostRoom)
		h.fit += h.free[p.node].fits(h.each)
	}
}

// offerSet keeps a set that is enough if, without what can be spared, it is the best so far. The set is the caller's no longer. It returns
// false when the steps are used up; not before it is done, since without it there may be no answer.
func (h *victimHunt) offerSet(set []int32) bool {
	slices.SortFunc(set, func(a, b int32) int {
		return cmp.Or(cmp.Compare(h.leases[b].cost, h.leases[a].cost), cmp.Compare(b, a))
	})
	for _, l := range set {
		if h.fate[l] != evicted {
			h.evict(l)
		}
	}
	var left victimSet
	for _, l := range set {
		if h.spare(l); h.fit < h.replicas {
			h.evict(l)
			left.leases = append(left.leases, l)
			left.cost += h.leases[l].cost
		} else if h.fate[l] == evicted {
			h.spared = append(h.spared, l)
		}
	}
	for _, l := range left.leases {
		if h.fate[l] != evicted {
			h.spare(l)
		}
	}
	for _, l := range h.spared {
		h.evict(l)
	}
	h.spared = h.spared[:0]
	slices.Sort(left.leases)
	if left.compare(h.best) < 0 {
		h.best = left
	}
	parts := 0
	for _, l := range set {
		parts += 4 * len(h.leases[l].parts) // in, out, and some of them in and out again
	}
	return h.spend(parts)
}

// victimMove frees room on one node by evicting leases of it: the first few in the order of cost for a card.
type victimMove struct {
	node, first int32
	gain        uint64
	cost        uint64
}

// greedy finds a first set: it evicts where a replica costs least, until enough fit, and then spares what it can.
func (h *victimHunt) greedy() bool {
	var moves []victimMove
	for n, items := range h.items {
		slices.SortFunc(items, func(a, b victimItem) int {
			return cmp.Or(compareRatio(h.leases[a.lease].cost, uint64(a.room.gpus), h.leases[b.lease].cost, uint64(b.room.gpus)),
				cmp.Compare(a.lease, b.lease))
		})
		room, cost, before, now := h.nodes[n], uint64(0), h.nodes[n].fits(h.each), 0
		for i, item := range items {
			room, cost = room.plus(item.room), cost+h.leases[item.lease].cost
			if fits := room.fits(h.each); fits > before+now {
				now = fits - before
				moves = append(moves, victimMove{int32(n), int32(i) + 1, uint64(now), cost})
			}
		}
	}
	slices.SortFunc(moves, func(a, b victimMove) int {
		return cmp.Or(compareRatio(a.cost, a.gain, b.cost, b.gain), cmp.Compare(a.cost, b.cost), cmp.Compare(a.node, b.node),
			cmp.Compare(a.first, b.first))
	})
	var set []int32
	in := make([]bool, len(h.leases))
	for _, m := range moves {
		if h.fit >= h.replicas {
			break
		}
		for _, item := range h.items[m.node][:m.first] {
			if !in[item.lease] {
				in[item.lease] = true
				h.evict(item.lease)
				set = append(set, item.lease)
			}
		}
	}
	for _, l := range set {
		h.spare(l)
	}
	return h.offerSet(set)
}

// compareRatio compares a/x with b/y in 128 bits; a divisor of 0 makes the largest ratio.
func compareRatio(a, x, b, y uint64) int {
	high, low := bits.Mul64(a, y)
	high2, low2 := bits.Mul64(b, x)
	if x == 0 || y == 0 {
		return cmp.Compare(y, x)
	}
	return cmp.Or(cmp.Compare(high, high2), cmp.Compare(low, low2))
}
