package sched

import (
	"math"
	"slices"
)

// tariff is what a pipeline pays for the links between sites, in nanoseconds. Sites without devices are left out.
type tariff struct {
	Pipeline
	stages, width, sites int
	// The exchange and the pass of two devices, by sites*a + b.
	pairExchange, pairPass []int64
	// passes are the distinct values of pairPass, ascending; rank is the index there of each pass.
	passes []int64
	rank   []int32
}

const noRank = math.MaxInt32 // of a site with a single device to itself: no two devices are linked so

func newTariff(p Pipeline, sites int) *tariff {
	t := &tariff{
		Pipeline: p, stages: int(p.Stages), width: int(p.Width), sites: sites,
		pairExchange: make([]int64, sites*sites), pairPass: make([]int64, sites*sites), rank: make([]int32, sites*sites),
	}
	for i := range t.pairPass {
		t.pairPass[i] = -1
	}
	return t
}

// set enters the link of two sites. One byte at one megabit a second takes 8,000 ns. Both times are rounded up; the exchange is a sum of
// two times delay and two times the transfer and is rounded once.
func (t *tariff) set(a, b int, l PipelineLink) {
	delay, mbps, width := uint64(l.DelayMicros)*1000, uint64(l.Mbps), uint64(t.Width)
	pass := int64(delay + quotientUp(8000*t.ActivationBytes, mbps))
	exchange := int64(2*delay + quotientUp(2*8000*t.GradientBytes, mbps*width))
	t.pairPass[a*t.sites+b], t.pairPass[b*t.sites+a] = pass, pass
	t.pairExchange[a*t.sites+b], t.pairExchange[b*t.sites+a] = exchange, exchange
}

func quotientUp(a, b uint64) uint64 { return (a + b - 1) / b }

func (t *tariff) rankPasses() {
	for _, v := range t.pairPass {
		if v >= 0 {
			t.passes = append(t.passes, v)
		}
	}
	slices.Sort(t.passes)
	t.passes = slices.Compact(t.passes)
	for i, v := range t.pairPass {
		t.rank[i] = noRank
		if v >= 0 {
			k, _ := slices.BinarySearch(t.passes, v)
			t.rank[i] = int32(k)
		}
	}
}

// crew is a division of the devices into groups. Devices of one site are alike, so that it is a count for each group and site, kept with
// what a change of it needs.
type crew struct {
	*tariff
	count  []int16 // by group*sites + site
	member []int16 // the sites of the devices of each group, by group*width + place
	// load is for each group and site what a device there would exchange with all of the group, itself included.
	load     []int64
	exchange []int64 // by group
	hop      []int64 // the pass of each two groups, by stages*a + b; -1 is not known
	match    matching
}

func newCrew(t *tariff) *crew {
	c := &crew{
		tariff: t, count: make([]int16, t.stages*t.sites), member: make([]int16, t.stages*t.width), load: make([]int64, t.stages*t.sites),
		exchange: make([]int64, t.stages), hop: make([]int64, t.stages*t.stages), match: newMatching(min(t.width, t.sites)),
	}
	return c
}

// place puts a device of the site at the i-th place of the group; settle ends a sequence of calls.
func (c *crew) place(group, i, site int) { c.member[group*c.width+i] = int16(site) }

// settle computes everything from the members.
func (c *crew) settle() {
	clear(c.count)
	clear(c.load)
	for i := range c.hop {
		c.hop[i] = -1
	}
	for g := range c.stages {
		count, load := c.counts(g), c.load[g*c.sites:][:c.sites]
		for _, s := range c.members(g) {
			count[s]++
			for o := range load {
				load[o] += c.pairExchange[int(s)*c.sites+o]
			}
		}
		c.exchange[g] = c.exchangeOf(g)
	}
}

func (c *crew) counts(g int) []int16  { return c.count[g*c.sites:][:c.sites] }
func (c *crew) members(g int) []int16 { return c.member[g*c.width:][:c.width] }

// exchangeOf is the most that a device of the group exchanges with the others of it.
func (c *crew) exchangeOf(g int) int64 {
	worst := int64(0)
	load := c.load[g*c.sites:][:c.sites]
	for s, n := range c.counts(g) {
		if n > 0 {
			worst = max(worst, load[s]-c.pairExchange[s*(c.sites+1)])
		}
	}
	return worst
}

// swap exchanges a device at place i of group p with one at place j of group q. The caller renews the exchanges and the hops.
func (c *crew) swap(p, i, q, j int) {
	a, b := &c.member[p*c.width+i], &c.member[q*c.width+j]
	x, y := int(*a), int(*b)
	*a, *b = *b, *a
	cp, cq := c.counts(p), c.counts(q)
	cp[x]--
	cp[y]++
	cq[y]--
	cq[x]++
	lp, lq := c.load[p*c.sites:][:c.sites], c.load[q*c.sites:][:c.sites]
	ex, ey := c.pairExchange[x*c.sites:][:c.sites], c.pairExchange[y*c.sites:][:c.sites]
	for s := range lp {
		d := ey[s] - ex[s]
		lp[s] += d
		lq[s] -= d
	}
}

// hopOf is the pass of two groups.
func (c *crew) hopOf(a, b int) int64 {
	v := c.hop[a*c.stages+b]
	if v < 0 {
		v = c.passes[c.match.bottleneck(c.tariff, c.counts(a), c.counts(b))]
		c.hop[a*c.stages+b], c.hop[b*c.stages+a] = v, v
	}
	return v
}

func (c *crew) path(order []int) int64 {
	sum := int64(0)
	for i := 1; i < len(order); i++ {
		sum += c.hopOf(order[i-1], order[i])
	}
	return sum
}

func (c *crew) cost(order []int) PipelineCost {
	return PipelineCost{uint64(slices.Max(c.exchange)), uint64(c.path(order))}
}

// pair lines the devices of the groups up, so that each passes to the one of the same place in the next group. groups are in the order
// and ascending inside.
func (c *crew) pair(order []int, groups [][]int, site []int) {
	queue := make([][]int, c.sites) // of the next group, by site
	for k := 1; k < len(order); k++ {
		for s := range queue {
			queue[s] = queue[s][:0]
		}
		for _, d := range groups[k] {
			queue[site[d]] = append(queue[site[d]], d)
		}
		c.match.bottleneck(c.tariff, c.counts(order[k-1]), c.counts(order[k]))
		for i, d := range groups[k-1] {
			to := c.match.partner(site[d])
			groups[k][i] = queue[to][0]
			queue[to] = queue[to][1:]
		}
	}
}
