package sched

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/leftover"
)

// TestLinkStore compares the table and its views with maps, over random writes to all of them.
func TestLinkStore(t *testing.T) {
	type pair [2]int32
	type twin struct {
		store linkStore
		want  map[pair]link
	}
	r := rand.New(rand.NewPCG(1, 1))
	all := []*twin{{want: map[pair]link{}}}
	for range 20_000 {
		w := all[r.IntN(len(all))]
		if r.IntN(200) == 0 && len(all) < 20 {
			v := &twin{store: w.store.view(), want: map[pair]link{}}
			for p, l := range w.want {
				v.want[p] = l
			}
			all = append(all, v)
		}
		a, b := int32(r.IntN(200)), int32(r.IntN(200))
		if a == b {
			continue
		}
		l := link{delay: r.Uint32N(1000), mbps: r.Uint32N(1000)}
		w.store.set(a, b, l.delay, l.mbps)
		w.want[pair{min(a, b), max(a, b)}] = l
	}
	require.Len(t, all, 20)
	for _, w := range all {
		sum := 0
		for a := range int32(200) {
			require.True(t, slices.IsSortedFunc(w.store.around(a), func(l, m link) int { return int(l.to - m.to) }))
			sum += len(w.store.around(a))
			for b := range int32(200) {
				delay, mbps, ok := w.store.of(a, b)
				want, known := w.want[pair{min(a, b), max(a, b)}]
				require.Equal(t, known, ok)
				require.Equal(t, want, link{0, delay, mbps})
			}
		}
		require.Equal(t, 2*len(w.want), sum)
	}
	require.Nil(t, all[0].store.around(100_000))
}

// line is a hunt over sites 0 to n-1 in a row, each with a room: two are 1,000 us apart for each site between them and the next.
func line(rooms ...int32) (*siteHunt, *uint32) {
	var l linkStore
	steps := uint32(200_000)
	h := &siteHunt{links: &l, best: true, steps: &steps, limits: siteLimits{need: 8, maxSites: 4}}
	for i, r := range rooms {
		h.offers = append(h.offers, siteOffer{int32(i), r})
		for k := range i {
			l.set(int32(i), int32(k), uint32(i-k)*1000, 1000)
		}
	}
	h.price = func(set []int32) uint64 { return uint64(10 - len(set)) }
	h.less = func(a, b int32) bool { return a < b }
	return h, &steps
}

func TestHunt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rooms  []int32
		change func(h *siteHunt)
		want   []int32
		delay  uint32
	}{
		{"one site is enough", []int32{7, 8, 9}, nil, []int32{1}, 0},
		{"two sites, one card too few at one", []int32{7, 1, 0, 1}, nil, []int32{0, 1}, 1000},
		{"all or nothing", []int32{3, 2, 2}, nil, nil, 0},
		{"exactly enough", []int32{3, 3, 2}, nil, []int32{0, 1, 2}, 2000},
		{"the nearer pair", []int32{4, 0, 4, 4}, nil, []int32{2, 3}, 1000},
		{"fewer sites before less delay", []int32{4, 2, 2, 2, 2, 4}, nil, []int32{0, 5}, 5000},
		{"the limit is kept", []int32{4, 2, 2, 2, 2, 4}, func(h *siteHunt) { h.limits.delay = 4999 }, []int32{0, 1, 2}, 2000},
		{"at the limit", []int32{4, 2, 2, 2, 2, 4}, func(h *siteHunt) { h.limits.delay = 5000 }, []int32{0, 5}, 5000},
		{"bandwidth at the limit", []int32{4, 4}, func(h *siteHunt) { h.limits.mbps = 1000 }, []int32{0, 1}, 1000},
		{"bandwidth above", []int32{4, 4}, func(h *siteHunt) { h.limits.mbps = 1001 }, nil, 0},
		{"too few sites allowed", []int32{4, 2, 2}, func(h *siteHunt) { h.limits.maxSites = 2 }, nil, 0},
		{"more sites wanted", []int32{8, 1, 1}, func(h *siteHunt) { h.limits.minSites = 3 }, []int32{0, 1, 2}, 2000},
		{"so many a site", []int32{8, 8, 8}, func(h *siteHunt) { h.limits.perSite = 4 }, []int32{0, 1}, 1000},
		{"one fewer a site", []int32{8, 8, 8}, func(h *siteHunt) { h.limits.perSite = 3 }, []int32{0, 1, 2}, 2000},
		{"unmeasured", []int32{4, 4}, func(h *siteHunt) { h.links, h.limits.unmeasured = &linkStore{}, true }, []int32{0, 1}, Unmeasured},
		{"unmeasured is not within a limit", []int32{4, 4}, func(h *siteHunt) { h.links = &linkStore{} }, nil, 0},
		{"a fixed site with room", []int32{8, 4, 4}, func(h *siteHunt) { h.limits.fixed = []int32{2} }, []int32{1, 2}, 1000},
		{"a fixed site without", []int32{8, 4, 4, 0}, func(h *siteHunt) { h.limits.fixed = []int32{3} }, []int32{0}, 3000},
		{"fixed sites too far apart", []int32{8, 4, 4}, func(h *siteHunt) { h.limits.fixed, h.limits.delay = []int32{0, 2}, 1999 }, nil, 0},
		{"fixed sites are enough", []int32{8, 4, 4}, func(h *siteHunt) { h.limits.fixed = []int32{1, 2} }, []int32{1, 2}, 1000},
		{"fixed sites fill the number", []int32{8, 4, 3}, func(h *siteHunt) { h.limits.fixed, h.limits.maxSites = []int32{1, 2}, 2 }, nil, 0},
		{"none offers", nil, nil, nil, 0},
		{"none offers, one fixed", nil, func(h *siteHunt) { h.limits.fixed = []int32{0} }, nil, 0},
		{"less than offered", []int32{9, 5, 4}, func(h *siteHunt) { h.exact = func(k int) int { return []int{0, 5, 3}[k] } }, []int32{1, 2}, 1000},
		{"nothing of what is offered", []int32{9, 9, 9}, func(h *siteHunt) { h.exact = func(int) int { return 0 } }, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, _ := line(tt.rooms...)
			if tt.change != nil {
				tt.change(h)
			}
			found, exhaustive, ok := h.run()
			require.True(t, exhaustive)
			require.Equal(t, tt.want != nil, ok)
			require.Equal(t, tt.want, found.offers)
			require.Equal(t, tt.delay, found.delay)
		})
	}
}

// TestHuntAny asks for any set: no price is asked.
func TestHuntAny(t *testing.T) {
	h, steps := line(4, 2, 2, 2, 2, 4)
	h.best, h.price = false, nil
	found, _, ok := h.run()
	require.True(t, ok)
	require.Equal(t, []int32{0, 5}, found.offers)
	require.Less(t, 200_000-*steps, uint32(50))
	h.limits.delay = 999
	_, exhaustive, ok := h.run()
	require.False(t, ok)
	require.True(t, exhaustive)
}

// TestHuntSteps gives a hunt few steps: what it then finds keeps all limits, and it does not say that it saw everything.
func TestHuntSteps(t *testing.T) {
	c := leftover.Large(1, 1000, 60)
	p := newPuzzle(c, 1)
	placed, last := false, verdict{}
	for _, budget := range []uint32{1, 2, 100, 10_000, 100_000, 1_000_000} {
		steps := budget
		h := p.hunt(&steps)
		found, exhaustive, ok := h.run()
		require.LessOrEqual(t, steps, budget)
		require.False(t, placed && !ok, "more steps find less")
		require.False(t, exhaustive && steps == 0)
		if placed = ok; !ok {
			continue
		}
		var sites []int32
		for _, k := range found.offers {
			sites = append(sites, p.place[h.offers[k].site])
		}
		got := p.judge(sites)
		require.True(t, got.ok)
		require.Equal(t, got.delay, found.delay)
		require.Equal(t, got.price, found.price)
		if last.ok {
			require.False(t, len(sites) > len(last.sites) || len(sites) == len(last.sites) && got.delay > last.delay)
		}
		last = got
	}
	require.True(t, placed)
}

// TestHuntAgain runs one hunt over many cases: what it keeps of memory changes no answer.
func TestHuntAgain(t *testing.T) {
	var again siteHunt
	for seed := range uint64(500) {
		p := newPuzzle(leftover.Small(seed), seed)
		steps, more := uint32(5000), uint32(5000)
		want, all, ok := p.hunt(&steps).run()
		h := p.hunt(&more)
		again.links, again.limits, again.offers, again.exact, again.price = h.links, h.limits, h.offers, h.exact, h.price
		again.floor, again.less, again.best, again.steps = h.floor, h.less, true, &more
		got, gotAll, gotOK := again.run()
		require.Equal(t, ok, gotOK)
		require.Equal(t, all, gotAll)
		require.Equal(t, steps, more)
		require.Equal(t, want, got)
	}
}

// TestHuntHubs has more sites beside one than are numbered: the best is found, but not proven.
func TestHuntHubs(t *testing.T) {
	var l linkStore
	steps := uint32(1_000_000)
	h := &siteHunt{links: &l, best: true, steps: &steps, limits: siteLimits{need: 12, maxSites: 5}}
	h.price = func([]int32) uint64 { return 1 }
	h.less = func(a, b int32) bool { return a < b }
	h.offers = append(h.offers, siteOffer{0, 4})
	for i := int32(1); i < 5000; i++ {
		h.offers = append(h.offers, siteOffer{i, 1 + i%2})
		l.set(0, i, 1000, 1)
		for k := i - i%5; k < i; k++ {
			l.set(k, i, 1000, 1)
		}
	}
	_, exhaustive, ok := h.run()
	require.False(t, ok) // four others hold 7 at most: of five in a row at most three have two
	require.False(t, exhaustive)
	h.limits.need, steps = 10, 1_000_000
	found, exhaustive, ok := h.run()
	require.True(t, ok)
	require.False(t, exhaustive)
	require.Len(t, found.offers, 4)
}

// TestHuntUnlinked has 3,000 sites without a measurement: all sets of eleven are alike but for the price. The cheapest is known here.
func TestHuntUnlinked(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	var l linkStore
	steps := IONet().SearchSteps
	h := &siteHunt{links: &l, best: true, steps: &steps, limits: siteLimits{need: 64, maxSites: 16, unmeasured: true}}
	var prices []uint64
	for i := range int32(3000) {
		h.offers = append(h.offers, siteOffer{i, 6})
		prices = append(prices, 300_000+r.Uint64N(1_000_000))
	}
	price := func(some []uint64) uint64 {
		slices.Sort(some)
		sum := some[10] * 4 // the dearest takes what the others leave
		for _, p := range some[:10] {
			sum += 6 * p
		}
		return sum
	}
	h.floor = func(k int) uint64 { return prices[k] }
	h.less = func(a, b int32) bool { return a < b }
	h.price = func(set []int32) uint64 {
		var some []uint64
		for _, k := range set {
			some = append(some, prices[k])
		}
		return price(some)
	}
	found, exhaustive, ok := h.run()
	require.True(t, ok)
	require.False(t, exhaustive)
	require.Len(t, found.offers, 11)
	require.Equal(t, Unmeasured, found.delay)
	all := slices.Sorted(slices.Values(prices))
	require.Equal(t, price(all[:11]), found.price)
}
