package sched

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/leftover"
)

// puzzle is a leftover case in the numbers of a fleet: site i of the case has the number site[i], and IDs are ordered as in the case.
type puzzle struct {
	c      leftover.Case
	site   []int32
	place  []int32 // the inverse
	links  linkStore
	prices [][]uint64 // of each site of the case: what each replica would cost, the cheapest first
	fixed  []int32    // sites of the case
	link   map[[2]int32]leftover.Link
	rest   []uint64 // of price
	listed []int32  // of the hunt's prices
}

func newPuzzle(c leftover.Case, seed uint64) *puzzle {
	p := &puzzle{c: c, prices: make([][]uint64, len(c.Sites)), place: make([]int32, len(c.Sites)), link: map[[2]int32]leftover.Link{}}
	for _, i := range rand.New(rand.NewPCG(seed, 1)).Perm(len(c.Sites)) {
		p.site = append(p.site, int32(i))
	}
	for i, s := range p.site {
		p.place[s] = int32(i)
		for _, h := range c.Sites[i].Hosts {
			for range h.Free / c.Ask.GPUs {
				p.prices[i] = append(p.prices[i], h.HourMicro*uint64(c.Ask.GPUs))
			}
		}
		slices.Sort(p.prices[i])
		if c.Ask.PerSite > 0 {
			p.prices[i] = p.prices[i][:min(len(p.prices[i]), c.Ask.PerSite)]
		}
	}
	for _, l := range c.Links {
		p.links.set(p.site[l.A], p.site[l.B], l.DelayMicros, l.Mbps)
		p.link[[2]int32{int32(l.A), int32(l.B)}] = l
	}
	return p
}

// hunt returns the hunt for the puzzle. Its offers say the cards of a site as if they were in one host.
func (p *puzzle) hunt(steps *uint32) *siteHunt {
	a := p.c.Ask
	h := &siteHunt{links: &p.links, best: true, steps: steps, limits: siteLimits{
		need: a.Replicas, minSites: a.MinSites, maxSites: a.MaxSites, perSite: a.PerSite, delay: a.MaxDelayMicros, mbps: a.MinMbps,
		unmeasured: a.Unmeasured,
	}}
	for _, i := range p.fixed {
		h.limits.fixed = append(h.limits.fixed, p.site[i])
	}
	for i, s := range p.c.Sites {
		cards := 0
		for _, host := range s.Hosts {
			cards += host.Free
		}
		if cards > 0 {
			h.offers = append(h.offers, siteOffer{p.site[i], int32(cards / a.GPUs)})
		}
	}
	asked := map[int]bool{}
	h.exact = func(k int) int {
		if asked[k] {
			panic("asked twice")
		}
		asked[k] = true
		return p.c.Sites[p.place[h.offers[k].site]].Room(a.GPUs)
	}
	h.price = func(set []int32) uint64 {
		p.listed = p.listed[:0]
		for _, k := range set {
			p.listed = append(p.listed, p.place[h.offers[k].site])
		}
		return p.price(p.listed)
	}
	if len(p.site)%2 == 0 {
		h.floor = func(k int) uint64 {
			if prices := p.prices[p.place[h.offers[k].site]]; len(prices) > 0 {
				return prices[0]
			}
			return 0
		}
	}
	h.less = func(a, b int32) bool { return p.place[a] < p.place[b] }
	return h
}

// price is that of the cheapest filling of sites of the case, with one replica for each that is not fixed.
func (p *puzzle) price(sites []int32) uint64 {
	sum, rest, left := uint64(0), p.rest[:0], p.c.Ask.Replicas
	for _, i := range sites {
		own := p.prices[i]
		if !slices.Contains(p.fixed, i) {
			sum, own = sum+own[0], own[1:]
			left--
		}
		rest = append(rest, own...)
	}
	slices.Sort(rest)
	p.rest = rest
	for _, c := range rest[:left] {
		sum += c
	}
	return sum
}

// verdict is a set of sites of the case, in order.
type verdict struct {
	ok    bool
	sites []int32
	delay uint32
	price uint64
}

// judge returns what a set of sites of the case is worth, from the facts of the case alone.
func (p *puzzle) judge(sites []int32) verdict {
	a, v, room, needed := p.c.Ask, verdict{ok: true, sites: sites}, 0, 0
	for n, i := range sites {
		room += len(p.prices[i])
		if !slices.Contains(p.fixed, i) {
			needed++
			v.ok = v.ok && len(p.prices[i]) > 0
		}
		for _, j := range sites[:n] {
			l, known := p.link[[2]int32{min(i, j), max(i, j)}]
			if !known {
				v.ok = v.ok && a.Unmeasured
				v.delay = Unmeasured
				continue
			}
			v.ok = v.ok && (a.MaxDelayMicros == 0 || l.DelayMicros <= a.MaxDelayMicros) && l.Mbps >= a.MinMbps
			v.delay = max(v.delay, l.DelayMicros)
		}
	}
	v.ok = v.ok && room >= a.Replicas && needed <= a.Replicas && len(sites) >= a.MinSites && len(sites) <= a.MaxSites
	if v.ok {
		v.price = p.price(sites)
	}
	return v
}

// solve judges every set of sites that holds enough.
func (p *puzzle) solve() (best verdict) {
	must := uint(0)
	for _, i := range p.fixed {
		must |= 1 << i
	}
	for set := uint(1); set < 1<<len(p.c.Sites); set++ {
		if set&must != must || bits.OnesCount(set) > p.c.Ask.MaxSites || best.ok && bits.OnesCount(set) > len(best.sites) {
			continue
		}
		var sites []int32
		room := 0
		for rest := set; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros(rest)
			sites, room = append(sites, int32(i)), room+len(p.prices[i])
		}
		if room < p.c.Ask.Replicas {
			continue
		}
		v := p.judge(sites)
		if v.ok && (!best.ok || cmp.Or(len(v.sites)-len(best.sites), cmp.Compare(v.delay, best.delay), cmp.Compare(v.price, best.price),
			slices.Compare(v.sites, best.sites)) < 0) {
			best = v
		}
	}
	return best
}

// outcome counts what became of many cases.
type outcome struct{ cases, fits, single, accepted, equal, exhaustive int }

// check runs one hunt and compares it with the oracle.
func (o *outcome) check(t testing.TB, p *puzzle, want verdict, budget uint32) {
	steps := budget
	h := p.hunt(&steps)
	found, exhaustive, ok := h.run()
	require.LessOrEqual(t, steps, budget)
	o.cases++
	if want.ok {
		o.fits++
		if len(want.sites) == 1 {
			o.single++
		}
	}
	if exhaustive {
		o.exhaustive++
		require.Equal(t, want.ok, ok)
	}
	if !ok {
		return
	}
	sites := slices.Clone(p.fixed)
	for _, k := range found.offers {
		if i := p.place[h.offers[k].site]; !slices.Contains(p.fixed, i) {
			sites = append(sites, i)
		}
	}
	require.True(t, slices.IsSortedFunc(found.offers, func(a, b int32) int { return int(p.place[h.offers[a].site] - p.place[h.offers[b].site]) }))
	slices.Sort(sites)
	got := p.judge(sites)
	require.True(t, got.ok, "a set that breaks a limit")
	require.Equal(t, got.delay, found.delay)
	require.Equal(t, got.price, found.price)
	o.accepted++
	if slices.Equal(got.sites, want.sites) {
		o.equal++
	} else {
		require.False(t, exhaustive, "found %v, best is %v", got, want)
	}
}

// TestHuntOracle compares the hunt with trying every set, on leftover cards of 2 to 12 sites, with the steps of the policy and with few.
func TestHuntOracle(t *testing.T) {
	cases := 20_000
	if testing.Short() || underRace {
		cases = 1000
	}
	budgets := []uint32{IONet().SearchSteps, 1000, 100}
	outcomes := make([]outcome, len(budgets))
	for seed := range uint64(cases) {
		p := newPuzzle(leftover.Small(seed), seed)
		want := p.solve()
		for i, budget := range budgets {
			outcomes[i].check(t, p, want, budget)
		}
	}
	for i, o := range outcomes {
		t.Logf("%d steps: %+v", budgets[i], o)
	}
	for _, o := range outcomes[:2] {
		require.GreaterOrEqual(t, 100*o.accepted, 99*o.fits)
		require.GreaterOrEqual(t, 100*o.equal, 95*o.fits)
	}
	require.Equal(t, outcomes[0].fits, outcomes[0].equal)
	require.Equal(t, outcomes[0].cases, outcomes[0].exhaustive)
}

// TestHuntOracleFixed does the same where some sites are in every set.
func TestHuntOracleFixed(t *testing.T) {
	var o outcome
	r := rand.New(rand.NewPCG(3, 3))
	for seed := range 3000 {
		p := newPuzzle(leftover.Small(uint64(seed)), uint64(seed))
		for range 1 + r.IntN(3) {
			if i := int32(r.IntN(len(p.site))); !slices.Contains(p.fixed, i) {
				p.fixed = append(p.fixed, i)
			}
		}
		p.c.Ask.Replicas = max(p.c.Ask.Replicas*r.IntN(4)/4, 1)
		p.c.Ask.MaxSites += 2
		o.check(t, p, p.solve(), IONet().SearchSteps)
	}
	t.Logf("%+v", o)
	require.Equal(t, o.fits, o.equal)
	require.Equal(t, o.cases, o.exhaustive)
}

func FuzzHunt(f *testing.F) {
	f.Add(uint64(1), uint32(200_000), uint8(0), uint16(8), uint32(0), uint32(0))
	f.Add(uint64(2), uint32(300), uint8(5), uint16(16), uint32(9000), uint32(500))
	f.Fuzz(func(t *testing.T, seed uint64, steps uint32, fixed uint8, need uint16, delay, mbps uint32) {
		p := newPuzzle(leftover.Small(seed), seed)
		p.c.Ask.Replicas, p.c.Ask.MaxDelayMicros, p.c.Ask.MinMbps = 1+int(need)%64, delay, mbps
		for i := range min(8, len(p.site)) {
			if fixed>>i&1 == 1 {
				p.fixed = append(p.fixed, int32(i))
			}
		}
		var o outcome
		o.check(t, p, p.solve(), 1+steps%1_000_000)
	})
}
