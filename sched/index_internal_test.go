package sched

import (
	"math"
	"math/bits"
	"math/rand"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func collect(x *index, q *query) []int32 {
	var c cursor
	out := []int32{}
	for x.start(q, &c); ; {
		i := x.next(q, &c)
		if i < 0 {
			return out
		}
		out = append(out, i)
	}
}

func collectRuns(x *index, q *query, cards int) []int32 {
	var c runCursor
	out := []int32{}
	for x.runsWith(q, cards, &c); ; {
		r := x.nextRun(q, &c)
		if r < 0 {
			return out
		}
		out = append(out, r)
	}
}

// compare asks both sides the same.
func (w *twin) compare(t *testing.T, x *index, r *rand.Rand) {
	q := someQuery(r)
	want := w.scan(&q)
	require.Equal(t, want, collect(x, &q), "%+v", q)
	w.compareBands(t, x, q, want)
	w.compareRotated(t, x, q, want, r)
	require.Equal(t, w.census(&q), x.census(&q), "%+v", q)
	for f := range fields {
		value, ok := w.loosest(&q, f)
		have, found := x.loosest(&q, f)
		require.Equal(t, ok, found, "%v %+v", f, q)
		require.Equal(t, value, have, "%v %+v", f, q)
	}
	w.compareRuns(t, x, &q, r)
}

func (w *twin) compareBands(t *testing.T, x *index, q query, plain []int32) {
	want := []int32{}
	for b := range len(w.prices) + 1 {
		one := q
		one.band = b + 1
		in := slices.DeleteFunc(slices.Clone(plain), func(i int32) bool { return band(w.prices, w.nodes[i].hour) != b })
		require.Equal(t, in, collect(x, &one), "%+v", one)
		want = append(want, in...)
	}
	got := []int32{}
	var c cursor
	x.startCheapest(&q, &c)
	for i := x.next(&q, &c); i >= 0; i = x.next(&q, &c) {
		got = append(got, i)
	}
	require.Equal(t, want, got, "%+v", q)
}

func (w *twin) compareRotated(t *testing.T, x *index, q query, plain []int32, r *rand.Rand) {
	q.rotate = r.Uint32()
	got := collect(x, &q)
	require.Len(t, got, len(plain), "%+v", q)
	if len(plain) > 0 {
		at := slices.Index(plain, got[0])
		require.Equal(t, slices.Concat(plain[at:], plain[:at]), got, "%+v", q)
	}
}

func (w *twin) compareRuns(t *testing.T, x *index, q *query, r *rand.Rand) {
	cards := r.Intn(40)
	require.Equal(t, w.runsWith(q, cards), collectRuns(x, q, cards))
	bySite := map[int32][]int32{}
	for _, p := range w.order(&query{}) {
		for at, run := range p.runs {
			if run == nil {
				continue
			}
			number := p.runAt[at]
			bySite[run.site] = append(bySite[run.site], number)
			limit := []int{1, 3, 1000}[r.Intn(3)]
			require.Equal(t, w.room(q, run, limit), x.room(q, number, limit), "%+v", *q)
			got := x.run(number)
			require.Equal(t, run.site, got.site)
			require.EqualValues(t, run.free(), got.free)
			kind, country := x.runKind(number)
			require.Equal(t, [2]int32{run.nodes[0].kind, run.nodes[0].country}, [2]int32{kind, country})
			var nodes []int32
			for _, n := range run.nodes {
				nodes = append(nodes, n.at)
			}
			require.Equal(t, nodes, slices.Collect(x.runNodes(number)))
		}
	}
	for site := range int32(8) {
		require.Equal(t, bySite[site], x.runsOfSite(site))
	}
}

// checkMaps builds every map and count again from the nodes.
func (w *twin) checkMaps(t *testing.T) {
	x, y := w.x, newIndex(w.prices, w.standings)
	words := int32(len(x.maps.table) * rackPage)
	y.maps.grow(words)
	for k := range y.sums {
		y.sums[k].grow(x.sums[k].len())
	}
	up := map[int32][maxDevices + 1]int32{}
	for i, n := range w.nodes {
		on := func(m int, yes bool) {
			if yes {
				y.set(m, i)
			}
		}
		r, row := x.record(i), x.row(i)
		require.Equal(t, record{
			n.hour, uint16(n.standing / 16), n.free, coarse(n.cpu), coarse(n.ram), coarse(n.disk), r.bits,
		}, *r)
		require.Equal(t, nodeRow{
			n.cpu, n.ram, n.disk, row.run, row.following, n.supplier, n.shape, 0,
		}, *row)
		require.Equal(t, n.standing, r.exactStanding())
		require.Equal(t, []any{n.share, n.assurance, n.compliance}, []any{x.share(i), x.assurance(i), x.compliance(i)})
		require.Equal(t, []any{int(n.cards), n.tier, n.connectivity, n.book, n.shares},
			[]any{r.cards(), r.tier(), r.connectivity(), r.booked(), r.shares()})
		on(mapTaken, true)
		p := x.partOf(i)
		require.Equal(t, p, x.runs.at(row.run).part)
		c := up[p]
		for k := 0; n.up && k <= bits.OnesCount16(n.free); k++ {
			on(mapUp+k, true)
			w := i >> 6
			*y.sums[k].edit(w >> 6) |= 1 << (w & 63)
			c[k]++
		}
		up[p] = c
		for l := 1; l <= 4; l++ {
			on(mapTier+l-1, int(n.tier) >= l)
			on(mapAssure+l-1, int(n.assurance) >= l)
			on(mapConnect+l-2, l > 1 && int(n.connectivity) >= l)
		}
		for b := range 8 {
			on(mapComply+b, n.compliance>>b&1 != 0)
			on(mapCPU+b, n.cpu >= 1000<<b)
		}
		on(mapShare, n.share > 0)
		for l := 1; l <= 8; l++ {
			on(mapShare+l, int(n.share) >= 125*l)
		}
		for b := range 4 {
			on(mapSize+b, (n.cards-1)>>b&1 != 0)
		}
		for b, limit := range w.prices {
			on(mapPrice+b, n.hour <= limit)
		}
		for b, limit := range w.standings {
			on(mapStanding+b, n.standing >= limit)
		}
	}
	for m := range mapCount {
		for i := range words {
			if y.maps.word(m, i) != x.maps.word(m, i) {
				require.FailNow(t, "wrong map", "map %d, word %d", m, i)
			}
		}
	}
	for k := range y.sums {
		for i := range y.sums[k].len() {
			require.Equal(t, y.sums[k].at(i), x.sums[k].at(i), "summary %d, word %d", k, i)
		}
	}
	for p := range x.partCount {
		require.Equal(t, up[p], x.counts.at(p).up)
	}
}

func TestIndexAgainstTwin(t *testing.T) {
	for seed := range int64(3) {
		r := rand.New(rand.NewSource(seed))
		w := newTwin(twinPrices, twinStandings)
		for range 12 {
			for range 40 << seed {
				w.step(t, r)
			}
			for range 8 {
				w.compare(t, w.x, r)
			}
			w.checkMaps(t)
		}
	}
}

func FuzzIndex(f *testing.F) {
	f.Add(int64(1), uint16(50))
	f.Add(int64(2), uint16(400))
	f.Add(int64(-98), uint16(1)) // one node, down
	f.Fuzz(func(t *testing.T, seed int64, steps uint16) {
		r := rand.New(rand.NewSource(seed))
		w := newTwin(twinPrices[:r.Intn(5)], twinStandings[:r.Intn(5)])
		for range steps % 600 {
			w.step(t, r)
		}
		for range 6 {
			w.compare(t, w.x, r)
		}
		w.checkMaps(t)
	})
}

// TestIndexView asks a view the same in other goroutines while the index goes on: run it with -race.
func TestIndexView(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	w := newTwin(twinPrices, twinStandings)
	for range 800 {
		w.step(t, r)
	}
	var wg sync.WaitGroup
	for round := range int64(4) {
		v := w.x.view()
		var queries []query
		var scans [][]int32
		var counted []census
		for range 20 {
			q := someQuery(r)
			queries, scans, counted = append(queries, q), append(scans, w.scan(&q)), append(counted, w.census(&q))
		}
		wg.Go(func() {
			for i := range queries {
				require.Equal(t, scans[i], collect(v, &queries[i]), round)
				require.Equal(t, counted[i], v.census(&queries[i]), round)
				v.loosest(&queries[i], fieldPrice)
				for _, run := range collectRuns(v, &queries[i], 1) {
					v.room(&queries[i], run, 8)
				}
			}
		})
		for range 400 {
			w.step(t, r)
		}
	}
	wg.Wait()
	w.compare(t, w.x, r)
	w.checkMaps(t)
}

// restore builds the index of the twin again from its layout.
func (w *twin) restore(t *testing.T) *index {
	y := newIndex(w.prices, w.standings)
	layout := w.x.layout()
	for i := range layout {
		require.NoError(t, y.lay(&layout[i]))
		require.ErrorIs(t, y.lay(&layout[i]), ErrInvalid)
	}
	if len(w.nodes) > 0 {
		require.ErrorIs(t, y.complete(), ErrInvalid)
	}
	nodes := map[int32]*twinNode{}
	for _, p := range w.order(&query{}) {
		for place, n := range p.slots {
			if n == nil {
				continue
			}
			require.EqualValues(t, place, w.x.place(n.at))
			i, err := y.addAt(int32(place), n.nodeFacts)
			require.NoError(t, err)
			_, err = y.addAt(int32(place), n.nodeFacts)
			require.ErrorIs(t, err, ErrInvalid)
			y.setUp(i, n.up)
			y.setFree(i, n.free, n.cpu, n.ram, n.disk)
			y.setShare(i, n.share)
			y.setBooked(i, n.book)
			n.at, nodes[i] = i, n
		}
		q := y.part(y.partition(p.kind, p.country))
		for n := range p.at {
			p.at[n] = q.nodes.position(int32(n))
		}
		for n := range p.runAt {
			p.runAt[n] = q.runs.position(int32(n))
		}
	}
	require.NoError(t, y.complete())
	require.Equal(t, layout, y.layout())
	w.nodes = nodes
	return y
}

// TestIndexRestored builds an index again from its layout and goes on with it: the twin knows what the old one would answer.
func TestIndexRestored(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	w := newTwin(twinPrices, twinStandings)
	for range 3 {
		for range 1000 {
			w.step(t, r)
		}
		q := query{rotate: r.Uint32(), hour: math.MaxUint32}
		before := w.named(collect(w.x, &q))
		w.x = w.restore(t)
		require.Equal(t, before, w.named(collect(w.x, &q)), "a rotated walk begins at the same node")
		w.checkMaps(t)
		for range 12 {
			w.compare(t, w.x, r)
		}
	}
}

func (w *twin) named(list []int32) []*twinNode {
	out := make([]*twinNode, len(list))
	for i, n := range list {
		out[i] = w.nodes[n]
	}
	return out
}

func TestLayoutRefused(t *testing.T) {
	x := newIndex(nil, nil)
	require.NoError(t, x.lay(&partLayout{kind: 1, country: 2, nodes: 3, runs: []int32{4, -1}}))
	for name, l := range map[string]partLayout{
		"twice":          {kind: 1, country: 2, nodes: 1},
		"nodes negative": {kind: 1, country: 3, nodes: -1},
		"nodes too many": {kind: 1, country: 4, nodes: maxNodes},
		"more runs":      {kind: 1, country: 5, nodes: 1, runs: []int32{1, 2}},
		"site twice":     {kind: 1, country: 6, nodes: 2, runs: []int32{1, 1}},
	} {
		require.ErrorIs(t, x.lay(&l), ErrInvalid, name)
	}
	good := nodeFacts{kind: 1, country: 2, site: 4, cards: 1, connectivity: 1}
	for name, spoil := range map[string]func(n *nodeFacts, place *int32){
		"kind":     func(n *nodeFacts, _ *int32) { n.kind = 99 },
		"country":  func(n *nodeFacts, _ *int32) { n.country = 99 },
		"site":     func(n *nodeFacts, _ *int32) { n.site = 5 },
		"place":    func(_ *nodeFacts, place *int32) { *place = 3 },
		"negative": func(_ *nodeFacts, place *int32) { *place = -1 },
	} {
		n, place := good, int32(0)
		spoil(&n, &place)
		_, err := x.addAt(place, n)
		require.ErrorIs(t, err, ErrInvalid, name)
	}
	_, err := x.addAt(2, good)
	require.NoError(t, err)
	require.EqualValues(t, 0, x.place(x.add(good)), "the first hole")
}

func TestCoarse(t *testing.T) {
	for _, c := range []struct {
		v    uint32
		want uint16
	}{
		{0, 0},
		{1, 1},
		{2047, 2047},
		{2048, 2048},
		{4095, 4095},
		{4096, 4096},
		{4097, 4096},
		{4098, 4097},
		{8191, 4096 + 2047},
		{8192, 3 << 11},
		{8195, 3 << 11},
		{8196, 3<<11 + 1},
		{math.MaxUint32, 21<<11 + 2047},
	} {
		require.Equal(t, c.want, coarse(c.v), c.v)
	}
	r := rand.New(rand.NewSource(1))
	for range 100_000 {
		a := r.Uint32() >> r.Intn(32)
		b := a + uint32(r.Intn(5000))
		if b >= a {
			require.LessOrEqual(t, coarse(a), coarse(b))
		}
	}
}

func TestLevels(t *testing.T) {
	for milli, want := range map[uint16]int{0: 0, 1: 1, 124: 1, 125: 2, 126: 2, 249: 2, 250: 3, 999: 8, 1000: 9} {
		require.Equal(t, want, shareLevel(milli), milli)
	}
	for milli, want := range map[uint32]int{
		0: 0, 999: 0, 1000: 1, 1999: 1, 2000: 2, 3999: 2, 4000: 3, 127_999: 7, 128_000: 8, 1 << 31: 8,
	} {
		require.Equal(t, want, cpuLevel(milli), milli)
	}
	x := newIndex(twinPrices, twinStandings)
	for hour, want := range map[uint32]int{0: 0, 99: 0, 100: 0, 101: 1, 5000: 1, 5001: 2, 5002: 3, 70_000: 3, 70_001: 4} {
		require.Equal(t, want, x.priceBand(hour), hour)
	}
	for ppm, want := range map[uint32]int{0: 0, 1: 1, 2: 1, 3999: 1, 4000: 2, 4001: 2, 999_998: 3, 999_999: 4, 1_000_000: 4} {
		require.Equal(t, want, x.standingLevel(ppm), ppm)
	}
}

func TestIndexPanics(t *testing.T) {
	require.Panics(t, func() { newIndex(make([]uint32, maxBands+1), nil) })
	require.Panics(t, func() { newIndex(nil, make([]uint32, maxBands+1)) })
	x := newIndex(make([]uint32, maxBands), make([]uint32, maxBands))
	good := nodeFacts{cards: 16, tier: 4, connectivity: 4, assurance: 4}
	i := x.add(good)
	for _, spoil := range []func(n *nodeFacts){
		func(n *nodeFacts) { n.cards = 0 }, func(n *nodeFacts) { n.cards = 17 },
		func(n *nodeFacts) { n.tier = 5 },
		func(n *nodeFacts) { n.connectivity = 0 }, func(n *nodeFacts) { n.standing = maxStanding + 1 },
		func(n *nodeFacts) { n.connectivity = 5 }, func(n *nodeFacts) { n.assurance = 5 },
	} {
		n := good
		spoil(&n)
		require.Panics(t, func() { x.add(n) })
		if n.cards == good.cards {
			require.Panics(t, func() { x.change(i, 0, n.standing, n.tier, n.connectivity, n.assurance, 0) })
		}
	}
	require.Panics(t, func() { x.census(&query{band: 1}) })
	require.EqualValues(t, 1, x.total.nodes)
}

// TestEditRow keeps what the caller has in a row through all changes of the index.
func TestEditRow(t *testing.T) {
	x := newIndex(nil, nil)
	i := x.add(nodeFacts{cards: 2, connectivity: 1, supplier: 4, shape: 5})
	require.Zero(t, x.row(i).booking)
	v := x.view()
	x.editRow(i).booking = 7
	x.setUp(i, true)
	x.setFree(i, 1, 2, 3, 4)
	x.change(i, 1, 2, 3, 4, 4, 3)
	require.Equal(t, nodeRow{cpu: 2, ram: 3, disk: 4, supplier: 4, shape: 5, booking: 7}, *x.row(i))
	require.Equal(t, nodeRow{supplier: 4, shape: 5}, *v.row(i))
	x.remove(i)
	require.Equal(t, i, x.add(nodeFacts{cards: 1, connectivity: 1}))
	require.Zero(t, x.row(i).booking)
}

// TestEmptyIndex asks an index without nodes everything.
func TestEmptyIndex(t *testing.T) {
	x := newIndex(twinPrices, twinStandings)
	for _, q := range []query{
		{}, {rotate: 7}, {kinds: []int32{0, 5}}, {countries: []uint64{1}}, {gpus: 17}, {share: 1001}, {tier: 5}, {standing: maxStanding + 1},
	} {
		require.Empty(t, collect(x, &q))
		require.Empty(t, collectRuns(x, &q, 0))
		require.Equal(t, census{}, x.census(&q))
		_, ok := x.loosest(&q, fieldTier)
		require.False(t, ok)
	}
	require.Nil(t, x.runsOfSite(0))
	require.NotNil(t, x.view())
}

// TestTerritory hands out positions of many owners by turns: none twice, none lost, and small owners share words.
func TestTerritory(t *testing.T) {
	r := rand.New(rand.NewSource(6))
	var s space
	var taken pages[uint64]
	owners := make([]territory, 50)
	held := map[int32]int{}
	lists := make([][]int32, len(owners))
	for range 30_000 {
		o := r.Intn(1 + r.Intn(len(owners)))
		if len(lists[o]) > 0 && r.Intn(3) == 0 {
			at := r.Intn(len(lists[o]))
			i := lists[o][at]
			lists[o] = slices.Delete(lists[o], at, at+1)
			delete(held, i)
			*taken.edit(i >> 6) &^= 1 << (i & 63)
			owners[o].release(i)
			continue
		}
		i := owners[o].claim(&s, taken.at)
		_, twice := held[i]
		require.False(t, twice)
		held[i] = o
		lists[o] = append(lists[o], i)
		taken.grow(i>>6 + 1)
		*taken.edit(i >> 6) |= 1 << (i & 63)
		require.Equal(t, i, owners[o].position(owners[o].number(i)))
		mine := false
		for _, e := range owners[o].extents {
			first, end := e.words()
			mine = mine || i>>6 >= first && i>>6 < end && e.mask()>>(i&63)&1 != 0
		}
		require.True(t, mine)
	}
	used := int32(0)
	for i := range owners {
		require.EqualValues(t, len(lists[i]), owners[i].used-owners[i].holes)
		used += owners[i].used
		require.Panics(t, func() { owners[i].position(owners[i].size) })
	}
	require.Less(t, s.end, used*5/4)
	require.Panics(t, func() { owners[0].number(-1) })
}

// TestLargePartition grows one partition past all sizes of extents, with pages where nobody has been yet, and rotates in it.
func TestLargePartition(t *testing.T) {
	x := newIndex(nil, nil)
	var nodes []int32
	for n := range 20_000 {
		i := x.add(nodeFacts{cards: 1, connectivity: 1})
		nodes = append(nodes, i)
		x.setUp(i, true)
		if n%977 == 0 {
			require.Equal(t, nodes, collect(x, &query{gpus: 1}))
			require.EqualValues(t, len(nodes), x.census(&query{})[fieldNone].nodes)
		}
	}
	for _, rotate := range []uint32{0, 1, 1 << 30, 1<<31 - 1, 1 << 31, 3 << 30, math.MaxUint32} {
		at := int(uint64(len(nodes)) * uint64(rotate) >> 32)
		require.Equal(t, slices.Concat(nodes[at:], nodes[:at]), collect(x, &query{rotate: rotate}), rotate)
	}
}
