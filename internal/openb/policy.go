package openb

import (
	"math"
	"slices"
)

// scorer rates a host where w fits, and names the card where a share would go. Higher is better.
type scorer interface {
	score(h *host, w *want) (rating float64, card int)
}

// scored is a policy that takes the host with the best rating, the earliest in the order on ties.
type scored struct {
	*fleet
	by scorer
	// normalise rewrites the ratings of the hosts where the pod fits, before they are compared; nil leaves them.
	normalise func([]float64)
	seen      map[Spec]*column
}

// column remembers the ratings of one spec on every host, valid while the version of the host has not changed.
type column struct {
	want    want
	version []int
	fits    []bool
	rating  []float64
	card    []int
}

func newScored(f *fleet, by scorer, normalise func([]float64)) *scored {
	return &scored{fleet: f, by: by, normalise: normalise, seen: map[Spec]*column{}}
}

// Place implements [Placer].
func (p *scored) Place(s Spec) (int, bool) {
	c := p.seen[s]
	if c == nil {
		n := len(p.hosts)
		c = &column{want: p.want(s), version: slices.Repeat([]int{-1}, n), fits: make([]bool, n), rating: make([]float64, n), card: make([]int, n)}
		p.seen[s] = c
	}
	var at []int
	var ratings []float64
	for i := range p.hosts {
		h := &p.hosts[i]
		if c.version[i] != h.version {
			c.version[i] = h.version
			if c.fits[i] = h.fits(&c.want); c.fits[i] {
				c.rating[i], c.card[i] = p.by.score(h, &c.want)
			}
		}
		if c.fits[i] {
			at, ratings = append(at, i), append(ratings, c.rating[i])
		}
	}
	if len(at) == 0 {
		return 0, false
	}
	if p.normalise != nil {
		p.normalise(ratings)
	}
	best := 0
	for i, r := range ratings {
		if r > ratings[best] {
			best = i
		}
	}
	return p.take(at[best], &c.want, c.card[at[best]]), true
}

// random takes any host and any card where the pod fits, all alike.
type random struct{ *fleet }

// Random makes the policy that draws uniformly from the hosts, and for a share from the cards, where the pod fits.
func Random(s Setup) (Placer, error) { return &random{newFleet(s)}, nil }

// Place implements [Placer].
func (p *random) Place(s Spec) (int, bool) {
	w := p.want(s)
	var at []int
	for i := range p.hosts {
		if p.hosts[i].fits(&w) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return 0, false
	}
	i := at[p.rng.Intn(len(at))]
	var cards []int
	for j, g := range p.hosts[i].free {
		if w.Share() && g >= w.Milli {
			cards = append(cards, j)
		}
	}
	card := 0
	if w.Share() {
		card = cards[p.rng.Intn(len(cards))]
	}
	return p.take(i, &w, card), true
}

// tightest is the card with the least room in which a share fits, the first on ties.
func tightest(h *host, w *want) int {
	at := -1
	for i, g := range h.free {
		if g >= w.Milli && (at < 0 || g < h.free[at]) {
			at = i
		}
	}
	return at
}

type bestFit struct{}

// BestFit makes the policy that leaves the least: half CPU in units of 128 cores, half cards in units of 8, in 100 levels, spread over
// 0 to 100 between the worst and the best host, in integers. A share goes to the tightest card.
func BestFit(s Setup) (Placer, error) {
	return newScored(newFleet(s), bestFit{}, spreadOut), nil
}

func (bestFit) score(h *host, w *want) (float64, int) {
	var free int64
	for _, g := range h.free {
		free += g
	}
	left := 0.5*float64(h.cpu-w.CPUMilli)/128_000 + 0.5*float64(free-w.Demand())/8_000
	return math.Trunc((1 - left) * 100), tightest(h, w)
}

// spreadOut maps ratings, which are whole numbers, to 0..100, rounding down; equal ratings to 0.
func spreadOut(ratings []float64) {
	lo, hi := int64(slices.Min(ratings)), int64(slices.Max(ratings))
	for i, r := range ratings {
		ratings[i] = 0
		if hi > lo {
			ratings[i] = float64((int64(r) - lo) * 100 / (hi - lo))
		}
	}
}

type packing struct{}

// Packing makes the policy that prefers cards in use, then hosts in use, then few cards. A share goes to the tightest card.
func Packing(s Setup) (Placer, error) {
	return newScored(newFleet(s), packing{}, nil), nil
}

// score follows the plugin of the published simulator: 50 to 100 if no whole card is opened, less the more room there is on the
// cards it would take; 33 to 49 on a host in use, less the more cards are opened; at most 32 on an empty one.
func (packing) score(h *host, w *want) (float64, int) {
	if w.GPUs == 0 {
		return 0, -1
	}
	card := tightest(h, w)
	free := slices.Sorted(slices.Values(h.free))
	empty := 0
	for _, g := range free {
		if g == wholeCard {
			empty++
		}
	}
	if empty == len(free) {
		return float64(max(100/3-empty, empty)), card
	}
	opened, room, left := 0, int64(0), w.GPUs
	for _, g := range free {
		if left > 0 && g >= w.Milli {
			left--
			room += g / 10
			if g == wholeCard {
				opened++
			}
		}
	}
	if opened > 0 {
		return float64(max(100/2-opened, 100/3)), card
	}
	return float64(max(100-room/10, 50)), card
}

// fgd is fragmentation gradient descent.
type fgd struct {
	typical []want
	freq    []float64 // sums to 1
}

// FGD makes fragmentation gradient descent as published: a pod goes where the expected thousandths that the typical pods cannot use
// grow least, in 100 levels of a sigmoid, a share also to the card where they do, the first on ties.
func FGD(s Setup) (Placer, error) {
	f := newFleet(s)
	p := &fgd{}
	var sum float64
	for _, t := range s.Trace.Typical(false) {
		p.typical = append(p.typical, f.want(t.Spec))
		p.freq = append(p.freq, float64(t.Count))
		sum += float64(t.Count)
	}
	for i := range p.freq {
		p.freq[i] /= sum
	}
	return newScored(f, p, nil), nil
}

// fragmentation is F of the paper for a host with so much CPU and so much of each card free.
func (p *fgd) fragmentation(h *host, cpu int64, free []int64) float64 {
	var total int64
	for _, g := range free {
		total += g
	}
	var f float64
	for i := range p.typical {
		t := &p.typical[i]
		fit, small := 0, int64(0)
		for _, g := range free {
			if g >= t.Milli {
				fit++
			} else {
				small += g
			}
		}
		if t.GPUs == 0 || !t.allows(h) || cpu < t.CPUMilli || fit < t.GPUs {
			small = total
		}
		f += p.freq[i] * float64(small)
	}
	return f
}

func (p *fgd) score(h *host, w *want) (float64, int) {
	before := p.fragmentation(h, h.cpu, h.free)
	rate := func(card int) float64 {
		after := slices.Clone(h.free)
		for _, i := range h.cards(w, card) {
			after[i] -= w.Milli
		}
		grows := p.fragmentation(h, h.cpu-w.CPUMilli, after) - before
		return math.Trunc(100 / (1 + math.Exp(grows/1000)))
	}
	if !w.Share() {
		return rate(-1), -1
	}
	best, at := 0.0, -1
	for i, g := range h.free {
		if g < w.Milli {
			continue
		}
		if r := rate(i); at < 0 || r > best {
			best, at = r, i
		}
	}
	return best, at
}
