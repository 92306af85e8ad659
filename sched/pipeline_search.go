package sched

import (
	"math/bits"
	"slices"
)

const (
	coolPart  = 128 // annealing begins at this part of the cost: fine for a large job
	warmPart  = 16  // and at this part in the second half of the steps: a small job has few ways and high walls
	dealPart  = 8   // of the steps go to dealing; a deal counts as dealSteps, which is what it takes
	dealSteps = 16
	memoBits  = 13 // 8,192 pairs of groups, 128 KiB: what a second-level cache holds
)

// Arrange searches for the cheapest arrangement of all devices. It takes as many steps as it is told and looks at no clock: the same
// arguments give the same arrangement everywhere. steps 0 tries regular deals only, which takes 64 devices of 8 sites some 0.15 ms and is
// proved best for the three cases of the paper; 16,000 take 15 ms, and 256 devices of 16 sites 100 ms. A longer search is not
// always a better one, but none is worse than the regular deals. It refuses what [Pipeline.Cost] refuses about the sites.
func (p Pipeline) Arrange(s PipelineSites, seed uint64, steps uint32) (Arrangement, error) {
	t, compact, err := p.tariff(s)
	if err != nil {
		return Arrangement{}, err
	}
	h := newSearch(t, compact, seed)
	h.run(steps)
	return h.arrangement(compact), nil
}

// pipelineSearch is an arrangement in the making: the groups of a crew in an order. It deals the devices in many regular ways and then anneals the
// best deal: Kirkpatrick, Gelatt and Vecchi, "Optimization by Simulated Annealing", Science 220 (1983).
//
// The order is part of the state, so that a step looks at the passes along it and not at all orders; the exact order comes at the end.
type pipelineSearch struct {
	*crew
	draw   splitMix
	room   []int        // devices by site
	chain  []int        // the sites in the order in which they are dealt
	order  []int        // the groups, first stage first
	moves  []deviceSwap // of the proposal
	total  int64        // the cost in this order
	energy int64        // total and half of the mean exchange, which makes a slope of where the slowest group stays the same

	best       int64
	bestMember []int16
	bestOrder  []int

	// content is for each group the sum of the salts of its members' sites: what is in the group, whoever it is.
	salt, content []uint64
	memo          []remembered
}

type deviceSwap struct{ p, i, q, j int }

// remembered is the rank of a pass of two groups, plus one.
type remembered struct {
	key  uint64
	rank int32
}

func newSearch(t *tariff, compact []int, seed uint64) *pipelineSearch {
	h := &pipelineSearch{
		crew: newCrew(t), draw: splitMix(seed), room: make([]int, t.sites), chain: make([]int, t.sites), order: make([]int, t.stages),
		best: -1, salt: make([]uint64, t.sites), content: make([]uint64, t.stages), memo: make([]remembered, 1<<memoBits),
	}
	for _, s := range compact {
		h.room[s]++
	}
	salt := splitMix(0)
	for s := range h.salt {
		h.salt[s] = salt.next() << 1
	}
	h.bestMember, h.bestOrder = make([]int16, len(h.member)), make([]int, t.stages)
	return h
}

func (h *pipelineSearch) run(steps uint32) {
	h.nearest()
	for n := 1; n <= h.stages; n++ {
		if h.stages%n == 0 {
			h.dealEvenly(n)
		}
	}
	if steps == 0 || h.stages == 1 || h.sites == 1 { // without two of both, one arrangement is like any other
		return
	}
	// What the search has to beat is the regular deal in its best order, or it could end with something worse.
	h.recall()
	h.order = h.cheapestOrder()
	h.measure()
	h.keep()
	deals := steps / dealPart / dealSteps
	for range deals {
		h.nearest()
		for range h.draw.below(4) {
			i := 1 + h.draw.below(h.sites-1)
			h.chain[i-1], h.chain[i] = h.chain[i], h.chain[i-1]
		}
		h.dealUnevenly()
	}
	half := uint64(steps-deals*dealSteps) / 2
	h.recall()
	h.anneal(half, coolPart)
	h.recall()
	h.anneal(half, warmPart)
}

// nearest chains the sites, from one drawn by lot always to the nearest that is left.
func (h *pipelineSearch) nearest() {
	for i := range h.chain {
		h.chain[i] = i
	}
	i := h.draw.below(h.sites)
	h.chain[0], h.chain[i] = h.chain[i], h.chain[0]
	for i := 1; i < h.sites; i++ {
		near := h.rank[h.chain[i-1]*h.sites:][:h.sites]
		for j := i + 1; j < h.sites; j++ {
			if near[h.chain[j]] < near[h.chain[i]] {
				h.chain[i], h.chain[j] = h.chain[j], h.chain[i]
			}
		}
	}
}

// dealEvenly deals the devices, as they stand along the chain, to blocks of n groups. The groups of a block share the same sites as equally as
// can be, so that a pass inside the block stays inside a site. Blocks of one group fill a group before the next.
func (h *pipelineSearch) dealEvenly(n int) {
	d := dealer{h: h}
	for from := 0; from < h.stages; from += n {
		d.block(from, n)
	}
	h.finishDeal()
}

// dealUnevenly does the same to blocks of lengths drawn by lot.
func (h *pipelineSearch) dealUnevenly() {
	d, odds := dealer{h: h}, 1+h.draw.below(4)
	for from := 0; from < h.stages; {
		n := 1
		for from+n < h.stages && h.draw.below(8) >= odds {
			n++
		}
		d.block(from, n)
		from += n
	}
	h.finishDeal()
}

// dealer has given out so many devices of the site at place at of the chain.
type dealer struct {
	h         *pipelineSearch
	at, given int
}

func (d *dealer) block(from, n int) {
	for i := range n * d.h.width {
		for d.given == d.h.room[d.h.chain[d.at]] {
			d.at, d.given = d.at+1, 0
		}
		d.h.place(from+i%n, i/n, d.h.chain[d.at])
		d.given++
	}
}

// finishDeal puts the groups in an order, each followed by the nearest that is left.
func (h *pipelineSearch) finishDeal() {
	h.settle()
	h.recount()
	for i := range h.order {
		h.order[i] = i
	}
	for i := 1; i < h.stages; i++ {
		for j := i + 1; j < h.stages; j++ {
			if h.pass(h.order[i-1], h.order[j]) < h.pass(h.order[i-1], h.order[i]) {
				h.order[i], h.order[j] = h.order[j], h.order[i]
			}
		}
	}
	h.measure()
	h.keep()
}

// measure computes total and energy from the groups and their order.
func (h *pipelineSearch) measure() {
	slowest, mean := h.exchanges()
	path := int64(0)
	for k := 1; k < h.stages; k++ {
		path += h.pass(h.order[k-1], h.order[k])
	}
	h.total = slowest + 2*path
	h.energy = h.total + mean/2
}

func (h *pipelineSearch) exchanges() (slowest, mean int64) {
	for _, e := range h.exchange {
		slowest = max(slowest, e)
		mean += e
	}
	return slowest, mean / int64(h.stages)
}

func (h *pipelineSearch) keep() {
	if h.best < 0 || h.total < h.best {
		h.best = h.total
		copy(h.bestMember, h.member)
		copy(h.bestOrder, h.order)
	}
}

// recall goes back to the best arrangement so far.
func (h *pipelineSearch) recall() {
	copy(h.member, h.bestMember)
	copy(h.order, h.bestOrder)
	h.settle()
	h.recount()
	h.measure()
}

// anneal takes the steps, from a heat of the part of the energy on. A step that makes the arrangement worse by less than an exponential variate of the heat is taken too; the heat
// falls linearly to nothing.
func (h *pipelineSearch) anneal(steps, part uint64) {
	heat := uint64(h.energy) / part
	for left := steps; left > 0; left-- {
		hi, lo := bits.Mul64(heat, left)
		warm, _ := bits.Div64(hi, lo, steps)
		hi, lo = bits.Mul64(warm, h.draw.exponential())
		limit := h.energy + int64(hi<<(64-expBits)|lo>>expBits)
		if h.draw.below(8) == 0 {
			h.reverse(limit)
		} else {
			h.exchangeDevices(limit)
		}
	}
}

// reverse turns a part of the order round.
func (h *pipelineSearch) reverse(limit int64) {
	i, j, o := h.draw.below(h.stages), h.draw.below(h.stages), h.order
	if i > j {
		i, j = j, i
	}
	d := int64(0)
	if i > 0 {
		d += h.pass(o[i-1], o[j]) - h.pass(o[i-1], o[i])
	}
	if j+1 < len(o) {
		d += h.pass(o[i], o[j+1]) - h.pass(o[j], o[j+1])
	}
	if h.energy+2*d <= limit {
		h.energy += 2 * d
		h.total += 2 * d
		slices.Reverse(o[i : j+1])
		h.keep()
	}
}

// exchangeDevices swaps devices of two groups, and takes them back if that exceeds the limit.
func (h *pipelineSearch) exchangeDevices(limit int64) {
	if !h.propose() {
		return
	}
	slowest, mean := h.exchanges()
	// Half of what the limit leaves for the path is compared with the least that the path can still become: the search ends as soon as it is more.
	left := (limit - slowest - mean/2) >> 1
	path := int64(h.stages-1) * h.passes[0]
	for k := 1; k < h.stages && path <= left; k++ {
		path += h.pass(h.order[k-1], h.order[k]) - h.passes[0]
	}
	if path <= left {
		h.total = slowest + 2*path
		h.energy = h.total + mean/2
		h.keep()
		return
	}
	for _, m := range slices.Backward(h.moves) {
		h.do(m)
	}
}

// propose swaps two devices of different sites between two groups; in one case of four the first group is the one of the slowest exchange.
// Two groups that were alike are not after a single swap, and their pass then takes a slow link. So half of the proposals swap the same sites
// in one or two stages beside as well, and a fifth swap the same sites again between the same groups. It reports whether anything was swapped.
func (h *pipelineSearch) propose() bool {
	x, y := h.draw.below(h.stages), h.draw.below(h.stages)
	if h.draw.below(4) == 0 {
		x = h.slowest()
	}
	p, q := h.order[x], h.order[y]
	m := deviceSwap{p, h.draw.below(h.width), q, h.draw.below(h.width)}
	a, b := h.member[p*h.width+m.i], h.member[q*h.width+m.j]
	if p == q || a == b {
		return false
	}
	h.moves = append(h.moves[:0], m)
	h.do(m)
	kind, n := h.draw.below(16), 1+h.draw.below(2)
	if kind < 10 {
		dx, dy := 2*(kind&1)-1, kind&2-1
		for range n {
			x, y = x+dx, y+dy
			if min(x, y) < 0 || max(x, y) >= h.stages {
				break
			}
			h.again(h.order[x], a, h.order[y], b)
		}
	} else if kind < 13 {
		for range n {
			h.again(p, a, q, b)
		}
	}
	return true
}

func (h *pipelineSearch) slowest() int {
	x := 0
	for k, g := range h.order {
		if h.exchange[g] > h.exchange[h.order[x]] {
			x = k
		}
	}
	return x
}

// again swaps a device of site a in group p with one of site b in group q, where there are.
func (h *pipelineSearch) again(p int, a int16, q int, b int16) {
	i, j := slices.Index(h.members(p), a), slices.Index(h.members(q), b)
	if p != q && i >= 0 && j >= 0 {
		m := deviceSwap{p, i, q, j}
		h.moves = append(h.moves, m)
		h.do(m)
	}
}

// do carries a move out; a second time it takes it back.
func (h *pipelineSearch) do(m deviceSwap) {
	d := h.salt[h.member[m.q*h.width+m.j]] - h.salt[h.member[m.p*h.width+m.i]]
	h.content[m.p] += d
	h.content[m.q] -= d
	h.swap(m.p, m.i, m.q, m.j)
	h.exchange[m.p], h.exchange[m.q] = h.exchangeOf(m.p), h.exchangeOf(m.q)
}

func (h *pipelineSearch) recount() {
	for g := range h.content {
		h.content[g] = 0
		for _, s := range h.members(g) {
			h.content[g] += h.salt[s]
		}
	}
}

// pass is what hopOf is, remembered by what is in the two groups. Two pairs of groups with one key, of 2^-64 each time, would mislead
// the search and nothing else: the result is priced without it.
func (h *pipelineSearch) pass(a, b int) int64 {
	hi, lo := bits.Mul64(h.content[a]|1, h.content[b]|1)
	key := hi ^ lo
	e := &h.memo[key>>(64-memoBits)]
	if e.key != key || e.rank == 0 {
		e.key, e.rank = key, 1+h.match.bottleneck(h.tariff, h.counts(a), h.counts(b))
	}
	return h.passes[e.rank-1]
}

// arrangement names the devices of the best groups, in ascending order within a site, in the cheapest order.
func (h *pipelineSearch) arrangement(site []int) Arrangement {
	copy(h.member, h.bestMember)
	h.settle()
	devices := make([][]int, h.sites)
	for d, s := range site {
		devices[s] = append(devices[s], d)
	}
	order, groups := h.cheapestOrder(), make([][]int, h.stages)
	for k, g := range order {
		for s, n := range h.counts(g) {
			groups[k] = append(groups[k], devices[s][:n]...)
			devices[s] = devices[s][n:]
		}
		slices.Sort(groups[k])
	}
	h.pair(order, groups, site)
	return Arrangement{h.cost(order), groups}
}
