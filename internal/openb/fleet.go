package openb

import (
	"math/rand"
	"strings"
)

// host is a machine as it stands.
type host struct {
	kind    Host
	bit     uint64 // of its model
	cpu     int64
	mem     int64
	free    []int64 // thousandths of each card
	version int     // changes with what is free
}

// want is a spec with its models as bits; 0 means any.
type want struct {
	Spec
	models uint64
}

// taken is what one placement holds.
type taken struct {
	host  int
	spec  Spec
	cards []int
}

// fleet is the state that the policies share. Its hosts are in the order of ties.
type fleet struct {
	hosts []host
	bits  map[string]uint64
	held  map[int]taken
	next  int
	rng   *rand.Rand
}

func newFleet(s Setup) *fleet {
	f := &fleet{bits: map[string]uint64{}, held: map[int]taken{}}
	f.rng = rand.New(rand.NewSource(s.Seed)) //nolint:gosec // reproducible, not secret
	for _, k := range s.Hosts {
		h := host{kind: k, bit: f.bit(k.Model), cpu: k.CPUMilli, mem: k.MemoryMiB, free: make([]int64, k.GPUs)}
		for i := range h.free {
			h.free[i] = wholeCard
		}
		f.hosts = append(f.hosts, h)
	}
	return f
}

// bit numbers the models; a list has a handful.
func (f *fleet) bit(model string) uint64 {
	b, ok := f.bits[model]
	if !ok {
		if len(f.bits) == 64 {
			panic("openb: more than 64 models")
		}
		b = 1 << len(f.bits)
		f.bits[model] = b
	}
	return b
}

func (f *fleet) want(s Spec) want {
	w := want{Spec: s}
	if s.Models != "" {
		for m := range strings.SplitSeq(s.Models, "|") {
			w.models |= f.bit(m)
		}
	}
	return w
}

// allows reports whether the model of the host will do.
func (w *want) allows(h *host) bool { return w.models == 0 || w.models&h.bit != 0 }

func (h *host) fits(w *want) bool {
	if h.cpu < w.CPUMilli || h.mem < w.MemoryMiB {
		return false
	}
	if w.GPUs == 0 {
		return true
	}
	if !w.allows(h) {
		return false
	}
	n := 0
	for _, g := range h.free {
		if g >= w.Milli {
			n++
		}
	}
	return n >= w.GPUs
}

// cards returns the first cards of h that are free for w, or the given one if w is a share.
func (h *host) cards(w *want, card int) []int {
	if w.Share() {
		return []int{card}
	}
	var out []int
	for i, g := range h.free {
		if len(out) == w.GPUs {
			break
		}
		if g == wholeCard {
			out = append(out, i)
		}
	}
	return out
}

// take holds what s asks for on a host where it fits; card is where a share goes.
func (f *fleet) take(at int, w *want, card int) int {
	h := &f.hosts[at]
	l := taken{host: at, spec: w.Spec, cards: h.cards(w, card)}
	h.cpu -= w.CPUMilli
	h.mem -= w.MemoryMiB
	for _, i := range l.cards {
		h.free[i] -= w.Milli
	}
	h.version++
	f.next++
	f.held[f.next] = l
	return f.next
}

// Release implements [Placer].
func (f *fleet) Release(handle int) {
	l, ok := f.held[handle]
	if !ok {
		panic("openb: Release of a handle that is not held")
	}
	delete(f.held, handle)
	h := &f.hosts[l.host]
	h.cpu += l.spec.CPUMilli
	h.mem += l.spec.MemoryMiB
	for _, i := range l.cards {
		h.free[i] += l.spec.Milli
	}
	h.version++
}
