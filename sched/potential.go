package sched

import (
	"math/bits"
	"slices"
)

// What Fragmentation measures. A node's potential is what the observed mix could use of it:
//
//	potential = sum over the kinds of replica p of weight_p * usable_p  +  cardFactor * sum over its devices of value(free part)
//
// usable_p is how many free thousandths of the node's devices replicas of kind p could fill, less where CPU or memory end before the devices do. weight_p is larger
// the more often p comes, and the less there is in the whole fleet that p could use: what is scarce is kept. The values of cards keep shares on devices where
// nothing unusable remains. A replica goes where the potential falls least, in steps, so that nodes that are about as good count as equal and the first of them in the walk is
// filled up before the next is begun.
const (
	cardFactor = 10    // a thousandth wasted on a card by shares weighs so much more
	stepMilli  = 13    // losses are compared in steps of so many
	squash     = 1000  // losses far beyond so many thousandths count less and less: l * squash / (squash + |l|)
	blendParts = 5     // of usable_p, where CPU or memory end first, only one part in so many is taken off in proportion
	scarceBase = 1000  // thousandths per device, added on both sides of the ratio that says how scarce something is
	leastEvery = 50    // changes of the fleet between two settings of the weights
	everyPart  = 24    // or this part of its nodes, if that is more
	sampled    = 4_096 // nodes are counted, at least, to say how scarce something is
	fragWorst  = 1000  // a loss in steps that scores no points in a mix
)

// holding is what a node has free, as potentials are computed from it.
type holding struct {
	model    int32
	free     int64 // whole devices
	cpu, ram uint32
	divided  bool
	cards    int
	milli    [maxDevices]uint16 // free thousandths of each device, where divided
}

// usable is how many free thousandths replicas of one kind could fill.
func (h *holding) usable(w *want) int64 {
	if h.cpu < w.cpu || h.ram < w.ram {
		return 0
	}
	if w.models != nil {
		if _, ok := slices.BinarySearch(w.models, h.model); !ok {
			return 0
		}
	}
	fit, use := int64(0), int64(0)
	if !h.divided {
		fit, use = h.free*(wholeMilli/w.milli), h.free*wholeMilli
	} else {
		for _, g := range h.milli[:h.cards] {
			if v := int64(g); v >= w.milli {
				fit += v / w.milli
				use += v
			}
		}
	}
	copies := fit / w.gpus
	if copies == 0 {
		return 0
	}
	few := copies
	if w.cpu > 0 {
		few = min(few, int64(h.cpu/w.cpu))
	}
	if w.ram > 0 {
		few = min(few, int64(h.ram/w.ram))
	}
	if few < copies {
		return (use*few*w.gpus + use*fit*(blendParts-1)) / (blendParts * fit)
	}
	return use
}

// potential is what the mix could use of a holding, and what its devices are worth to shares, in thousandths.
func (d *demand) potential(h *holding) (use, cards int64) {
	for i := range d.wants {
		use += d.weight[i] * h.usable(&d.wants[i])
	}
	use >>= 16
	if !h.divided {
		return use, h.free * wholeMilli
	}
	for _, g := range h.milli[:h.cards] {
		cards += int64(d.value[g])
	}
	return use, cards
}

// hold fills in what a node has free.
func (h *holding) hold(s *state, i int32, r *room) {
	sh := &s.shapes.list[s.index.row(i).shape]
	*h = holding{model: s.kinds.list[sh.kind].model, free: int64(count(r.free)), cpu: r.cpu, ram: r.ram, divided: r.divided, cards: int(sh.cards)}
	if !r.divided {
		return
	}
	for k := range h.cards {
		switch {
		case r.free&(1<<k) != 0:
			h.milli[k] = wholeMilli
		case r.whole&(1<<k) == 0 && r.part.mig[k] == 0:
			h.milli[k] = wholeMilli - r.part.milli[k]
		}
	}
}

// take takes one member out of a holding.
func (h *holding) take(q *ask, m *member) {
	h.cpu -= q.takes.cpu
	h.ram -= q.takes.ram
	if q.share == 0 && q.mig == 0 {
		h.free -= int64(q.gpus)
	} else if k := lowestBit(m.mask); h.divided && h.milli[k] == wholeMilli {
		h.free--
	}
	if !h.divided {
		return
	}
	for mask := m.mask; mask != 0; mask &= mask - 1 {
		if k := lowestBit(mask); q.share != 0 {
			h.milli[k] -= q.share
		} else {
			h.milli[k] = 0
		}
	}
}

// fragmentation is the loss of potential in steps: the smaller the better. Without a mix it is what stays free on the node, or on the device.
func (s *state) fragmentation(q *ask, r *ranked) int64 {
	if len(s.demand.wants) == 0 {
		if q.share != 0 {
			return int64(wholeMilli - s.roomOf(q, r).part.milli[lowestBit(r.m.mask)] - q.share)
		}
		return int64(s.left(q, r))
	}
	var h holding
	h.hold(s, r.m.node, s.roomOf(q, r))
	use, cards := s.demand.potential(&h)
	if q.plain && h.divided && r.m.mask == 0 && q.gpus > 0 {
		r.m.mask = choose(&s.shapes.list[s.index.row(r.m.node).shape], r.free.free, q.gpus)
	}
	h.take(q, &r.m)
	asked := int64(q.gpus) * wholeMilli
	if q.share != 0 {
		asked = int64(q.share)
	}
	useAfter, cardsAfter := s.demand.potential(&h)
	// What any placement of the same request takes is left out, so that zero is a placement that costs nothing more.
	loss := use - useAfter - asked
	loss = loss * squash / (squash + max(loss, -loss))
	return floorDiv(loss+cardFactor*(cards-cardsAfter-asked), stepMilli)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
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
	return len(f.demand.wants) > 0 && uint32(mix64(uint64(i)))%f.demand.stride == 0 && f.index.isUp(i)
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
	for k := range d.wants {
		d.sums[k] += sign * h.usable(&d.wants[k])
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
		if f.nodes.at(i).present {
			f.weigh(i, 1)
		}
	}
}

// setWeights sets the weights by what is scarce now.
func (f *Fleet) setWeights() {
	old := f.demand
	d := *old
	d.since = 0
	mean := int64(0)
	for k := range d.wants {
		mean += mulDiv(d.wants[k].share, d.sums[k]*int64(d.stride), 1<<16)
	}
	d.weight = make([]int64, len(d.wants))
	for k := range d.wants {
		w := &d.wants[k]
		base := scarceBase * w.gpus
		d.weight[k] = mulDiv(w.share, mulDiv(w.above, mean+base, d.sums[k]*int64(d.stride)+base), 1024)
	}
	f.demand = &d // views keep the old one
}

func bitsMulDiv(a, b, c uint64) (uint64, uint64) {
	hi, lo := bits.Mul64(a, b)
	return bits.Div64(hi, lo, c)
}
