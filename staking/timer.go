package staking

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"time"
)

// timerKind says what a deadline ends. The order is that in which deadlines of one instant are carried out.
type timerKind uint8

const (
	timerWait   timerKind = 1 // a lot's wait, by lot
	timerCool   timerKind = 2 // a lot's cooldown, by lot
	timerExpiry timerKind = 3 // an offer, by offer
	timerAppeal timerKind = 4 // the time to appeal, by proof
	timerGrace  timerKind = 5 // a bond's grace, by bond
	timerForget timerKind = 6 // the memory of a proof, by proof
)

// timer is a deadline. It holds no more than what it takes to find its object, which knows whether the deadline still
// stands: an offer that was closed, a case that was appealed leaves its timer behind.
type timer struct {
	at     instant
	number uint64
	bond   uint32
	kind   timerKind
}

// String names the deadline for an error message.
func (t timer) String() string {
	names := [...]string{"", "wait", "cooldown", "offer", "time to appeal", "grace", "memory of evidence"}
	return fmt.Sprintf("the end of %s %d at %s", names[t.kind], t.number, t.at)
}

// timers is a heap in the order (instant, kind, number), which is total: what a tick does depends on no layout.
type timers []timer

func (h timers) Len() int           { return len(h) }
func (h timers) Less(i, j int) bool { return h[i].compare(h[j]) < 0 }
func (h timers) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is container/heap's.
func (h *timers) Push(x any) { *h = append(*h, x.(timer)) }

// Pop is container/heap's.
func (h *timers) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (t timer) compare(o timer) int {
	return cmp.Or(cmp.Compare(t.at, o.at), cmp.Compare(t.kind, o.kind), cmp.Compare(t.number, o.number))
}

// order makes a heap of timers in any order.
func (h *timers) order() { heap.Init(h) }

// setTimer starts a timer: O(log n). Timers that no object waits for any more are swept out when there may be as many of
// them as of the others, so that nobody fills the heap by opening and closing.
func (p *Pool) setTimer(t timer) {
	if len(p.timers) >= p.sweepAt {
		p.timers = slices.DeleteFunc(p.timers, func(t timer) bool { return !p.stands(t) })
		p.timers.order()
		p.sweepAt = 2*len(p.timers) + 64
	}
	heap.Push(&p.timers, t)
}

// nextTimer returns the earliest deadline that still stands. Those before it that do not are dropped, which is no change
// of the state.
func (p *Pool) nextTimer() (timer, bool) {
	for len(p.timers) > 0 {
		if t := p.timers[0]; p.stands(t) {
			return t, true
		}
		heap.Pop(&p.timers)
	}
	return timer{}, false
}

// Next returns the next deadline, and false if there is none. A driver applies [Ticked] no later than at it.
func (p *Pool) Next() (time.Time, bool) {
	t, ok := p.nextTimer()
	if !ok {
		return time.Time{}, false
	}
	return t.at.time(), true
}

// stands reports whether the object of a timer still waits for it.
func (p *Pool) stands(t timer) bool {
	b := &p.bonds[t.bond]
	switch t.kind {
	case timerWait, timerCool:
		state := LotWaiting
		if t.kind == timerCool {
			state = LotCooling
		}
		l := b.findLot(LotID(t.number))
		return l != nil && l.state == state && l.until == t.at
	case timerExpiry:
		return p.offers[t.number].state == StateOpen
	case timerAppeal:
		f := b.findProof(t.number)
		return f != nil && f.open != nil && !f.open.appealed
	case timerGrace:
		return b.graceUntil == t.at
	case timerForget:
		f := b.findProof(t.number)
		return f != nil && !f.forgotten
	}
	return false
}

// tick carries out every deadline up to an instant, in order, and those that arise from them.
func (p *Pool) tick(at instant) []Effect {
	var effects []Effect
	for {
		t, ok := p.nextTimer()
		if !ok || t.at > at {
			return effects
		}
		// A deadline that was dropped and set anew for the same instant is one deadline.
		for len(p.timers) > 0 && p.timers[0].compare(t) == 0 {
			heap.Pop(&p.timers)
		}
		effects = append(effects, p.carryOut(t)...)
	}
}

func (p *Pool) carryOut(t timer) []Effect {
	b := &p.bonds[t.bond]
	switch t.kind {
	case timerWait:
		return p.endWait(b, b.findLot(LotID(t.number)))
	case timerCool:
		l := b.findLot(LotID(t.number))
		l.state = LotMatured
		return []Effect{Matured{Bond: b.id, Holder: p.holders[l.holder].id, Lot: l.id, Amount: l.balance}}
	case timerExpiry:
		return []Effect{p.endOffer(uint32(t.number), StateExpired)}
	case timerAppeal:
		return p.finish(b, b.findProof(t.number))
	case timerGrace:
		if !b.terminated() && b.counted() < b.required {
			return []Effect{Underbonded{Bond: b.id, Have: b.counted(), Need: b.required, Deadline: t.at.time()}}
		}
	case timerForget:
		f := b.findProof(t.number)
		f.forgotten = true
		p.dropProof(b, f)
	}
	return nil
}

// findLot returns a lot of the bond by its number, nil if it has left.
func (b *bond) findLot(id LotID) *lot {
	i, ok := slices.BinarySearchFunc(b.lots, id, func(l lot, id LotID) int { return cmp.Compare(l.id, id) })
	if !ok {
		return nil
	}
	return &b.lots[i]
}

// findProof returns a proof against the bond by its number, nil if it was forgotten.
func (b *bond) findProof(number uint64) *proof {
	i, ok := slices.BinarySearchFunc(b.proofs, number, func(f *proof, n uint64) int { return cmp.Compare(f.number, n) })
	if !ok {
		return nil
	}
	return b.proofs[i]
}
