package sched

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"math/rand"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// The fleet of the benchmarks: sites of 40 nodes in the mean, models and countries by Zipf's law, three of four nodes of a site
// of one model, 1 to 8 cards; prices, standings, tiers and connectivity even. It is the prototype's of the reference.
const (
	benchKinds, benchCountries = 32, 130
	benchCPU, benchRAM         = 8000, 65_536 // of each card: thousandths of a core, MiB
)

type benchNode struct {
	facts   nodeFacts
	id      NodeID
	devices []gpu.DeviceID
}

func benchNodes(devices int, names bool) []benchNode {
	r := rand.New(rand.NewSource(1))
	kinds, countries := rand.NewZipf(r, 1.3, 4, benchKinds-1), rand.NewZipf(r, 1.2, 4, benchCountries-1)
	sizes := []uint8{1, 1, 1, 1, 2, 2, 4, 8}
	var out []benchNode
	for d, site := 0, int32(0); d < devices; site++ {
		country, kind := int32(countries.Uint64()), int32(kinds.Uint64())
		for h := 1 + int(r.ExpFloat64()*40); h > 0 && d < devices; h-- {
			n := benchNode{facts: nodeFacts{
				kind: kind, country: country, site: site, hour: uint32(100_000 + r.Intn(3_000_000)), standing: uint32(r.Intn(1_000_000)),
				cards: sizes[r.Intn(8)], tier: uint8(r.Intn(5)), connectivity: uint8(1 + r.Intn(4)),
			}}
			if r.Intn(4) == 0 {
				n.facts.kind = int32(kinds.Uint64())
			}
			n.facts.cpu, n.facts.ram = uint32(n.facts.cards)*benchCPU, uint32(n.facts.cards)*benchRAM
			if names {
				n.id = NodeID(fmt.Sprintf("node-%07d", len(out)))
				for range n.facts.cards {
					var b [16]byte
					binary.BigEndian.PutUint64(b[:], r.Uint64())
					binary.BigEndian.PutUint64(b[8:], r.Uint64())
					n.devices = append(n.devices, gpu.DeviceID(fmt.Sprintf("GPU-%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])))
				}
			}
			d += int(n.facts.cards)
			out = append(out, n)
		}
	}
	return out
}

func benchBands() (prices, standings []uint32) {
	for b := range uint32(16) {
		prices = append(prices, (b+1)*200_000)
		standings = append(standings, b*62_500)
	}
	return prices, standings
}

func benchIndex(nodes []benchNode) *index {
	x := newIndex(benchBands())
	for i := range nodes {
		x.setUp(x.add(nodes[i].facts), true)
	}
	return x
}

// fillTo takes cards one by one, each with its part of CPU and memory, until each has been taken with the given chance in percent.
func fillTo(x *index, r *rand.Rand, percent int) {
	for i := range x.nodes.end {
		if !x.has(mapTaken, i) {
			continue
		}
		for x.record(i).free != 0 && r.Intn(100) < percent {
			take(x, i, 1, benchCPU, benchRAM)
		}
	}
}

func take(x *index, i int32, cards int, cpu, ram uint32) uint16 {
	free, row := x.record(i).free, x.row(i)
	got := lowest(free, cards)
	x.setFree(i, free&^got, row.cpu-cpu, row.ram-ram, row.disk)
	return got
}

type benchHeld struct {
	i        int32
	mask     uint16
	cpu, ram uint32
}

func give(x *index, h benchHeld) {
	row := x.row(h.i)
	x.setFree(h.i, x.record(h.i).free|h.mask, row.cpu+h.cpu, row.ram+h.ram, row.disk)
}

// benchQueries ask for a kind, half of them for a country, a tier, a price, a standing and cards; with cpu also for CPU and memory, at
// times more than the cards' part of the node.
func benchQueries(n int, cpu bool) []query {
	r := rand.New(rand.NewSource(7))
	kinds, countries := rand.NewZipf(r, 1.3, 4, benchKinds-1), rand.NewZipf(r, 1.2, 4, benchCountries-1)
	out := make([]query, n)
	for i := range out {
		q := &out[i]
		*q = query{
			kinds: []int32{int32(kinds.Uint64())}, gpus: []int{1, 1, 1, 1, 1, 2, 4, 8}[r.Intn(8)], tier: uint8(r.Intn(4)),
			hour: uint32(1_200_000 + r.Intn(2_000_000)), standing: uint32(r.Intn(750_000)), connectivity: uint8(r.Intn(3)),
		}
		if c := countries.Uint64(); r.Intn(2) == 0 {
			q.countries = make([]uint64, (benchCountries+63)/64)
			q.countries[c>>6] = 1 << (c & 63)
		}
		if cpu {
			q.cpu, q.ram = uint32(q.gpus)*uint32(2000+r.Intn(8000)), uint32(q.gpus)*uint32(8192*(1+r.Intn(8)))
		}
	}
	return out
}

// best scores the first 16 nodes that pass, as a policy does.
func best(x *index, q *query, c *cursor) int32 {
	var some [16]int32
	at, least := int32(-1), uint32(math.MaxUint32)
	x.start(q, c)
	for _, i := range some[:x.nextSome(q, c, some[:])] {
		r := x.record(i)
		if score := r.hour + uint32(bits.OnesCount16(r.free)-q.gpus)*100_000; score < least {
			at, least = i, score
		}
	}
	return at
}

func quantiles(b *testing.B, took []time.Duration) {
	b.Helper()
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}

// BenchmarkIndexPlace is a decision: the first 16 nodes that pass are scored, the best is taken, and a random one of the last
// 4,096 placements given back. Every 64th decision is timed by itself, which adds what reading the clock twice costs. Laid is an
// index that was restored, else it has grown node by node.
func BenchmarkIndexPlace(b *testing.B) {
	for _, devices := range []int{10_000, 100_000, 1_000_000} {
		nodes := benchNodes(devices, false)
		for _, percent := range []int{50, 90} {
			for _, c := range []struct{ cpu, rotated, laid bool }{
				{}, {laid: true}, {cpu: true}, {cpu: true, rotated: true},
			} {
				b.Run(fmt.Sprintf("devices=%d/taken=%d/cpu=%v/rotated=%v/laid=%v", devices, percent, c.cpu, c.rotated, c.laid), func(b *testing.B) {
					x := benchIndex(nodes)
					if c.laid {
						x = laid(b, x, nodes)
					}
					fillTo(x, rand.New(rand.NewSource(2)), percent)
					benchPlace(b, x, benchQueries(4096, c.cpu), c.rotated)
				})
			}
		}
	}
}

// laid is the index restored. The nodes must have been added in this order, and none removed.
func laid(b *testing.B, x *index, nodes []benchNode) *index {
	b.Helper()
	y := newIndex(benchBands())
	for _, l := range x.layout() {
		if err := y.lay(&l); err != nil {
			b.Fatal(err)
		}
	}
	next := map[[2]int32]int32{}
	for i := range nodes {
		f := &nodes[i].facts
		key := [2]int32{f.kind, f.country}
		at, err := y.addAt(next[key], *f)
		if err != nil {
			b.Fatal(err)
		}
		next[key]++
		y.setUp(at, true)
	}
	return y
}

func benchPlace(b *testing.B, x *index, queries []query, rotated bool) {
	b.Helper()
	ring := make([]benchHeld, 0, 4096)
	took := make([]time.Duration, 0, 1<<16)
	var c cursor
	var placed, n int
	b.ReportAllocs()
	for b.Loop() {
		q := &queries[n&4095]
		if rotated {
			q.rotate = uint32(n) * 2_654_435_769
		}
		var from time.Time
		if n&63 == 0 {
			from = time.Now()
		}
		if i := best(x, q, &c); i >= 0 {
			placed++
			h := benchHeld{i, take(x, i, q.gpus, q.cpu, q.ram), q.cpu, q.ram}
			if len(ring) < cap(ring) {
				ring = append(ring, h)
			} else {
				at := (n * 1021) & 4095
				give(x, ring[at])
				ring[at] = h
			}
		}
		if n&63 == 0 && len(took) < cap(took) {
			took = append(took, time.Since(from))
		}
		n++
	}
	quantiles(b, took)
	b.ReportMetric(float64(100*placed)/float64(n), "%placed")
}

// BenchmarkIndexSite finds a site for replicas of one card each and takes them, and gives an old gang back.
func BenchmarkIndexSite(b *testing.B) {
	for _, devices := range []int{10_000, 100_000, 1_000_000} {
		nodes := benchNodes(devices, false)
		for _, filters := range []bool{false, true} {
			for _, cards := range []int{8, 64} {
				b.Run(fmt.Sprintf("devices=%d/cards=%d/filters=%v", devices, cards, filters), func(b *testing.B) {
					x := benchIndex(nodes)
					fillTo(x, rand.New(rand.NewSource(2)), 30)
					benchSite(b, x, cards, filters)
				})
			}
		}
	}
}

func benchSite(b *testing.B, x *index, cards int, filters bool) {
	b.Helper()
	queries := benchQueries(4096, false)
	for i := range queries {
		q := &queries[i]
		q.gpus, q.countries = 1, nil
		if !filters {
			q.tier, q.standing, q.hour, q.connectivity = 0, 0, math.MaxUint32, 0
		}
	}
	var ring [64][]benchHeld
	took := make([]time.Duration, 0, 1<<16)
	var c runCursor
	var placed, n, tried int
	b.ReportAllocs()
	for b.Loop() {
		q := &queries[n&4095]
		from := time.Now()
		run := int32(-1)
		for x.runsWith(q, cards, &c); ; {
			r := x.nextRun(q, &c)
			if r < 0 {
				break
			}
			tried++
			if x.room(q, r, cards) >= cards {
				run = r
				break
			}
		}
		if run >= 0 {
			placed++
			old := ring[n&63]
			for _, h := range old {
				give(x, h)
			}
			ring[n&63] = takeRun(x, q, run, cards, old[:0])
		}
		if len(took) < cap(took) {
			took = append(took, time.Since(from))
		}
		n++
	}
	quantiles(b, took)
	b.ReportMetric(float64(100*placed)/float64(n), "%placed")
	b.ReportMetric(float64(tried)/float64(n), "runs-tried")
}

func takeRun(x *index, q *query, run int32, cards int, out []benchHeld) []benchHeld {
	var s sieve
	x.sift(q, &s)
	for i := x.runs.at(run).head; i >= 0 && cards > 0; {
		if x.and(&s, i>>6)>>(i&63)&1 != 0 && x.fits(q, &s, i) {
			k := min(count(x.record(i).free), cards)
			out = append(out, benchHeld{i, take(x, i, k, 0, 0), 0, 0})
			cards -= k
		}
		i = x.row(i).following - 1
	}
	return out
}

// BenchmarkIndexSetFree takes a card of a random node or gives it back.
func BenchmarkIndexSetFree(b *testing.B) {
	nodes := benchNodes(1_000_000, false)
	x := benchIndex(nodes)
	fillTo(x, rand.New(rand.NewSource(2)), 50)
	r := rand.New(rand.NewSource(3))
	at := make([]int32, 0, 1<<16)
	for len(at) < cap(at) {
		if i := int32(r.Intn(int(x.records.len()))); x.has(mapTaken, i) {
			at = append(at, i)
		}
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		i := at[n&(len(at)-1)]
		n++
		rec, row := x.record(i), x.row(i)
		if rec.free != 0 {
			x.setFree(i, rec.free&(rec.free-1), row.cpu-min(row.cpu, benchCPU), row.ram, row.disk)
		} else {
			x.setFree(i, full(rec.cards()), uint32(rec.cards())*benchCPU, row.ram, row.disk)
		}
	}
}

// BenchmarkIndexChange gives a random node new terms.
func BenchmarkIndexChange(b *testing.B) {
	nodes := benchNodes(1_000_000, false)
	x := benchIndex(nodes)
	r := rand.New(rand.NewSource(3))
	at := make([]int32, 0, 1<<16)
	for len(at) < cap(at) {
		if i := int32(r.Intn(int(x.records.len()))); x.has(mapTaken, i) {
			at = append(at, i)
		}
	}
	n := 0
	for b.Loop() {
		i := at[n&(len(at)-1)]
		f := &nodes[n&(len(at)-1)].facts
		n++
		x.change(i, f.hour, f.standing, f.tier, f.connectivity, 0, 0)
	}
}

// BenchmarkIndexLoad enters a million devices with their names, and tells what they take.
func BenchmarkIndexLoad(b *testing.B) {
	nodes := benchNodes(1_000_000, true)
	devices := 0
	for i := range nodes {
		devices += len(nodes[i].devices)
	}
	var x *index
	var names *ids
	before := heap()
	for b.Loop() {
		x, names = newIndex(benchBands()), &ids{}
		for i := range nodes {
			n := &nodes[i]
			at := x.add(n.facts)
			x.setUp(at, true)
			names.put(at, n.id, n.devices)
		}
	}
	all := heap() - before
	*names = ids{}
	withRows := heap() - before
	x.rows = pages[nodeRow]{}
	only := heap() - before
	per := func(v uint64) float64 { return float64(v) / float64(devices) }
	b.ReportMetric(per(all), "B/device")
	b.ReportMetric(per(all-withRows), "B/device-of-names")
	b.ReportMetric(per(withRows-only), "B/device-of-rows")
	b.ReportMetric(per(only), "B/device-of-index")
	runtime.KeepAlive(names)
	runtime.KeepAlive(x)
	runtime.KeepAlive(nodes)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkIndexNames finds the node of a random device.
func BenchmarkIndexNames(b *testing.B) {
	nodes := benchNodes(1_000_000, true)
	var names ids
	for i := range nodes {
		names.put(int32(i), nodes[i].id, nodes[i].devices)
	}
	r := rand.New(rand.NewSource(4))
	some := make([]int, 1<<16)
	for i := range some {
		some[i] = r.Intn(len(nodes))
	}
	n := 0
	b.Run("device", func(b *testing.B) {
		for b.Loop() {
			n++
			if _, _, ok := names.device(nodes[some[n&(len(some)-1)]].devices[0]); !ok {
				b.Fatal()
			}
		}
	})
	b.Run("node", func(b *testing.B) {
		for b.Loop() {
			n++
			if _, ok := names.node(nodes[some[n&(len(some)-1)]].id); !ok {
				b.Fatal()
			}
		}
	})
	b.Run("unknown", func(b *testing.B) {
		for b.Loop() {
			n++
			if _, ok := names.node(NodeID(nodes[some[n&(len(some)-1)]].devices[0])); ok {
				b.Fatal()
			}
		}
	})
}

// BenchmarkIndexView makes a view, and then lets the writer do 1,000 changes, which copy the pages that they touch first.
func BenchmarkIndexView(b *testing.B) {
	nodes := benchNodes(1_000_000, true)
	x := benchIndex(nodes)
	var names ids
	for i := range nodes {
		names.put(int32(i), nodes[i].id, nodes[i].devices)
	}
	r := rand.New(rand.NewSource(3))
	var changes, viewing time.Duration
	var kept *index
	var keptNames ids
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		from := time.Now()
		kept, keptNames = x.view(), names.view()
		mid := time.Now()
		for range 1000 {
			i := int32(r.Intn(int(x.records.len())))
			if !x.has(mapTaken, i) {
				continue
			}
			rec, row := x.record(i), x.row(i)
			x.setFree(i, rec.free^1, row.cpu, row.ram, row.disk)
		}
		viewing += mid.Sub(from)
		changes += time.Since(mid)
		n++
	}
	b.ReportMetric(float64(viewing.Microseconds())/float64(n), "view-us")
	b.ReportMetric(float64(changes.Nanoseconds())/float64(1000*n), "change-after-ns")
	runtime.KeepAlive(kept)
	runtime.KeepAlive(keptNames)
}

// BenchmarkIndexCensus counts who was cut by what, for queries that nobody passes.
func BenchmarkIndexCensus(b *testing.B) {
	x := benchIndex(benchNodes(100_000, false))
	fillTo(x, rand.New(rand.NewSource(2)), 50)
	var refused []query
	var c cursor
	for _, q := range benchQueries(8192, true) {
		q.gpus = max(q.gpus, 4)
		q.tier = 4
		q.hour = 400_000
		if best(x, &q, &c) < 0 {
			refused = append(refused, q)
		}
	}
	one := query{hour: 99_999, gpus: 1, tier: 1, standing: 1000, cpu: 1000}
	n := 0
	b.Run("kind", func(b *testing.B) {
		took := make([]time.Duration, 0, 1<<16)
		for b.Loop() {
			from := time.Now()
			x.census(&refused[n%len(refused)])
			if len(took) < cap(took) {
				took = append(took, time.Since(from))
			}
			n++
		}
		quantiles(b, took)
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			x.census(&one)
		}
	})
	for _, f := range []field{fieldPrice, fieldTier, fieldStanding, fieldCards, fieldCPU, fieldRAM} {
		b.Run(fmt.Sprintf("loosest=%d", f), func(b *testing.B) {
			for b.Loop() {
				n++
				x.loosest(&refused[n%len(refused)], f)
			}
		})
	}
}
