package sched

import "math/bits"

// What Fragmentation measures. A node's potential is what the observed mix could use of it:
//
//	potential = sum over the kinds of replica p of weight_p * usable_p  +  cardFactor * sum over its devices of value(free part)
//
// usable_p is how many free thousandths of the node's devices replicas of kind p could fill, somewhat less where CPU or memory end before the devices do. weight_p is
// larger the more devices p asks for in the mix, and the less there has lately been in the whole fleet that p could use: what is scarce is kept. The values of
// cards keep shares on devices where nothing unusable remains. A replica goes where the potential falls least; ties go to the first in the walk.
//
// The measure grew out of Weng et al., "Beware of Fragmentation", USENIX ATC 2023, which counts what a typical mix cannot use now. What differs: copies instead of one
// replica of each kind, memory, scarcity, and what free parts of cards are worth together. docs/design/placement.md has what each of them brings.
const (
	cardFactor = 10                           // a thousandth wasted on a card by shares weighs so much more than one that other kinds cannot use
	blendParts = 5                            // where CPU or memory end first, one part in so many of what is then left over is taken off
	scarceBase = 100                          // thousandths per device, added on both sides of the ratio that says how scarce something is
	scarceMost = 64                           // the highest ratio
	slowParts  = 50                           // each time, weights go one part in so many of the way to where they should be: what is scarce for a moment changes little
	leastEvery = 100                          // changes of the fleet between two settings of the weights
	everyPart  = 12                           // or this part of its nodes, if that is more
	sampled    = 4_096                        // nodes are counted, at least, to say how scarce something is
	fragWorst  = 10 * cardFactor * wholeMilli // a loss that scores no points in a mix

	oneQ10 = 1 << 10
	oneQ30 = 1 << 30
)

// holding is what a node has free, as potentials are computed from it.
type holding struct {
	model    int32
	cpu, ram uint32
	free     uint8 // whole devices
	cards    uint8
	divided  bool
	milli    lanes // free thousandths of each device, where divided
}

// lanes are 16 numbers of 16 bits.
type lanes [maxDevices / 4]uint64

func (l *lanes) at(k int) int32 { return int32(l[k>>2] >> (k & 3 * 16) & 0xffff) }

func (l *lanes) set(k int, v uint16) {
	shift := k & 3 * 16
	l[k>>2] = l[k>>2]&^(0xffff<<shift) | uint64(v)<<shift
}

// usable is how many free thousandths replicas of one kind could fill; parts are the free parts of devices that are neither free nor full.
func (h *holding) usable(w *want, parts []int32) int64 {
	if h.cpu < w.cpu || h.ram < w.ram {
		return 0
	}
	fit, use := int32(h.free)*w.each, int32(h.free)*wholeMilli
	if w.milli < wholeMilli {
		for _, v := range parts {
			if v >= w.milli {
				fit += v / w.milli
				use += v
			}
		}
	}
	copies := fit / w.gpus
	if copies == 0 {
		return 0
	}
	few := uint32(copies)
	if w.cpu > 0 {
		few = min(few, h.cpu/w.cpu)
	}
	if w.ram > 0 {
		few = min(few, h.ram/w.ram)
	}
	if few < uint32(copies) {
		return (int64(use)*int64(few)*int64(w.gpus) + int64(use)*int64(fit)*(blendParts-1)) / (blendParts * int64(fit))
	}
	return int64(use)
}

// parts lists the free parts of devices that are neither free nor full.
func (h *holding) parts(to *[maxDevices]int32) []int32 {
	if !h.divided {
		return nil
	}
	n := 0
	for k := range int(h.cards) {
		if v := h.milli.at(k); v != 0 && v != wholeMilli {
			to[n] = v
			n++
		}
	}
	return to[:n]
}

// potential is what the mix could use of a holding, and what its devices are worth to shares, in thousandths.
func (d *demand) potential(h *holding) (use, cards int64) {
	var buffer [maxDevices]int32
	parts := h.parts(&buffer)
	for _, i := range d.wantsOf(h.model) {
		use += d.weight[i] * h.usable(&d.wants[i], parts)
	}
	cards = int64(h.free) * wholeMilli
	for _, v := range parts {
		cards += int64(d.value[v])
	}
	return use / oneQ30, cards
}

// wantsOf lists the wants that take devices of a model.
func (d *demand) wantsOf(model int32) []int32 {
	if int(model) < len(d.ofModel) {
		return d.ofModel[model]
	}
	return d.ofAny
}

// memo remembers potentials under one setting of the weights. It changes no answer.
type memo struct {
	of      *demand
	entries []memoEntry
	off     bool // a view asks too little to make up for the room
}

type memoEntry struct {
	h          holding
	use, cards int64
}

const rememberBits = 12

// potential is demand.potential, remembered.
func (m *memo) potential(d *demand, h *holding) (use, cards int64) {
	if m.off {
		return d.potential(h)
	}
	if m.of != d {
		if m.entries == nil {
			m.entries = make([]memoEntry, 1<<rememberBits)
		} else {
			clear(m.entries)
		}
		m.of = d
	}
	e := &m.entries[h.hash()>>(64-rememberBits)]
	if e.h != *h {
		e.h = *h
		e.use, e.cards = d.potential(h)
	}
	return e.use, e.cards
}

func (h *holding) hash() uint64 {
	const k = 0x9e3779b97f4a7c15
	v := uint64(h.cpu)<<32 | uint64(h.ram)
	v = (v ^ uint64(h.model)<<8 ^ uint64(h.free)) * k
	for _, w := range h.milli {
		v = (v>>29 ^ v ^ w) * k
	}
	return v
}

// hold fills in what a node has free.
func (h *holding) hold(s *state, i int32, r *room) {
	sh := &s.shapes.list[s.index.row(i).shape]
	*h = holding{model: s.kinds.list[sh.kind].model, free: uint8(count(r.free)), cpu: r.cpu, ram: r.ram, divided: r.divided, cards: sh.cards}
	if !r.divided {
		return
	}
	for k := range int(h.cards) {
		switch {
		case r.free&(1<<k) != 0:
			h.milli.set(k, wholeMilli)
		case r.whole&(1<<k) == 0 && r.part.mig[k] == 0:
			h.milli.set(k, wholeMilli-r.part.milli[k])
		}
	}
}

// take takes one member out of a holding.
func (h *holding) take(q *ask, m *member) {
	h.cpu -= q.takes.cpu
	h.ram -= q.takes.ram
	if q.share == 0 && q.mig == 0 {
		h.free -= uint8(q.gpus)
	} else if h.milli.at(lowestBit(m.mask)) == wholeMilli {
		h.free--
	}
	if !h.divided {
		return
	}
	for mask := m.mask; mask != 0; mask &= mask - 1 {
		k := lowestBit(mask)
		if q.share != 0 {
			h.milli.set(k, uint16(h.milli.at(k))-q.share)
		} else {
			h.milli.set(k, 0)
		}
	}
}

// fragmentation is the loss of potential in steps: the smaller the better. Without a mix it is what stays free on the node, or on the device.
func (s *state) fragmentation(q *ask, r *ranked, sc *scratch) int64 {
	if rec := s.index.record(r.m.node); q.plain && q.model >= 0 && rec.bits&(bitsShares|bitsBooked) == 0 && len(s.demand.wants) > 0 {
		return s.lossOfWhole(q, rec, sc)
	}
	free := s.roomOf(q, r)
	if len(s.demand.wants) == 0 {
		if q.share != 0 {
			return int64(wholeMilli - free.part.milli[lowestBit(r.m.mask)] - q.share)
		}
		return int64(s.left(q, r))
	}
	var h holding
	h.hold(s, r.m.node, free)
	use, cards := sc.memo.potential(s.demand, &h)
	if h.divided && r.m.mask == 0 && q.gpus > 0 {
		r.m.mask = choose(&s.shapes.list[s.index.row(r.m.node).shape], free.free, q.gpus)
	}
	h.take(q, &r.m)
	useAfter, cardsAfter := sc.memo.potential(s.demand, &h)
	return use - useAfter + cardFactor*(cards-cardsAfter)
}

// lossOfWhole is the loss of a node that divides no device, from its record alone: CPU and memory are taken as coarsely as they are there, rounded down. Nodes with
// the same figures lose the same, so that each figure is worked out once a decision.
func (s *state) lossOfWhole(q *ask, rec *record, sc *scratch) int64 {
	free := uint8(count(rec.free))
	key := uint64(rec.cpu)<<32 | uint64(rec.ram)<<16 | uint64(free)
	e := &sc.losses[key*0x9e3779b97f4a7c15>>58]
	if e.decision == sc.decision && e.key == key {
		return e.loss
	}
	h := holding{model: q.model, free: free, cpu: fine(rec.cpu), ram: fine(rec.ram)}
	use, cards := sc.memo.potential(s.demand, &h)
	h.free -= uint8(q.gpus)
	h.cpu -= min(h.cpu, q.takes.cpu)
	h.ram -= min(h.ram, q.takes.ram)
	useAfter, cardsAfter := sc.memo.potential(s.demand, &h)
	*e = lossEntry{key, sc.decision, use - useAfter + cardFactor*(cards-cardsAfter)}
	return e.loss
}

// lossEntry remembers a loss during one decision.
type lossEntry struct {
	key      uint64
	decision uint64
	loss     int64
}

// fine is the least number of a coarse value.
func fine(c uint16) uint32 {
	if c < coarseExact {
		return uint32(c)
	}
	return uint32(1<<11|c&(1<<11-1)) << (c>>11 - 1)
}

// leftOver orders the devices of one node for a share: the smaller the better.
func (s *state) leftOver(before, after uint16) int64 {
	if len(s.demand.wants) == 0 {
		return int64(after)
	}
	return int64(s.demand.value[before]) - int64(s.demand.value[after])
}

// counted says whether a node is among those that say how scarce something is.
func (f *Fleet) counted(i int32) bool {
	return len(f.demand.wants) > 0 && uint32(mix64(uint64(f.nodes.ref(i).joined)))%f.demand.stride == 0 && f.index.isUp(i)
}

// weigh adds what a node offers to each kind of replica to the sums, or takes it off.
func (f *Fleet) weigh(i int32, sign int64) {
	if !f.counted(i) {
		return
	}
	var r room
	var h holding
	f.roomNow(i, &r)
	h.hold(&f.state, i, &r)
	d := f.demand
	var buffer [maxDevices]int32
	parts := h.parts(&buffer)
	for _, k := range d.wantsOf(h.model) {
		d.sums[k] += sign * h.usable(&d.wants[k], parts)
	}
}

// changed counts a change of the fleet and sets the weights anew when it is time.
func (f *Fleet) changed() {
	d := f.demand
	if len(d.wants) == 0 {
		return
	}
	if d.since++; uint64(d.since) < max(leastEvery, uint64(f.up)/everyPart) {
		return
	}
	if uint64(f.up)/uint64(d.stride) > 2*sampled || d.stride > 1 && uint64(f.up)/uint64(d.stride) < sampled/2 {
		f.recount()
		return
	}
	f.setWeights()
}

// recount counts all nodes anew.
func (f *Fleet) recount() {
	d := f.demand
	d.stride = uint32(max(1, f.up/sampled))
	f.sum()
	f.setWeights()
}

func (f *Fleet) sum() {
	f.demand.sums = make([]int64, len(f.demand.wants))
	for i := range f.nodes.len() {
		if f.nodes.at(i).present() {
			f.weigh(i, 1)
		}
	}
}

// setWeights moves the weights towards what is scarce now, or sets them where there are none yet.
func (f *Fleet) setWeights() {
	d := *f.demand
	d.since = 0
	mean := int64(0)
	for k := range d.wants {
		mean += mulDiv(d.wants[k].part, d.sums[k]*int64(d.stride), oneQ30)
	}
	fresh := make([]int64, len(d.wants))
	for k := range d.wants {
		w := &d.wants[k]
		base := scarceBase * int64(w.gpus)
		ratio := min(scarceMost*oneQ10, mulDiv(w.above, mean+base, d.sums[k]*int64(d.stride)+base))
		fresh[k] = w.part * ratio / oneQ10 * ratio / oneQ10 // below 2^30 * 2^6 * 2^16
		if d.weight != nil {
			fresh[k] = d.weight[k] + (fresh[k]-d.weight[k])/slowParts
		}
	}
	d.weight = fresh
	f.demand = &d // views keep the old one
}

func bitsMulDiv(a, b, c uint64) (uint64, uint64) {
	hi, lo := bits.Mul64(a, b)
	return bits.Div64(hi, lo, c)
}
