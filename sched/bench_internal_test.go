package sched

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

var benchNoon = time.Date(2024, 6, 20, 12, 0, 0, 0, time.UTC)

// bigFleet is a fleet like those that such networks publish: a few models and countries have most of it, machines have 1 to 8 cards, sites about 40
// machines of which three quarters have one model. A part of the cards, given in thousandths, is leased.
func bigFleet(tb testing.TB, p Policy, devices, fill int) *Fleet {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, uint64(devices)))
	models, countries := zipfOf(r, 32, 1.3), zipfOf(r, 130, 1.2)
	f, err := NewFleet(p)
	require.NoError(tb, err)
	sizes := []int{1, 1, 1, 1, 2, 2, 4, 8}
	site := 0
	for n := 0; f.devices < devices; site++ {
		country, model := countries(), models()
		for range 1 + int(r.ExpFloat64()*40) {
			if f.devices >= devices {
				break
			}
			m := model
			if r.IntN(4) == 0 {
				m = models()
			}
			_, err := f.Apply(benchNoon, NodeUp{Node: bigNode(r, n, site, m, country, sizes[r.IntN(len(sizes))])})
			require.NoError(tb, err)
			n++
		}
	}
	var mix []Spec
	for _, q := range benchRequests(4096) {
		mix = append(mix, Spec{GPUs: q.GPUsPerReplica, CPUMilli: q.CPUMilli, RAMMiB: q.RAMMiB, Models: q.Models, Count: 1})
	}
	_, err = f.Apply(benchNoon, Observed{Mix: mix})
	require.NoError(tb, err)
	lease := Request{Job: "fill", Owner: "o", Replicas: 1, GPUsPerReplica: 1, Duration: 24 * time.Hour}
	for i, job := int32(0), 0; i < f.nodes.len(); i++ {
		if !f.nodes.at(i).known() {
			continue
		}
		for k := range f.index.record(i).cards() {
			if r.IntN(1000) < fill {
				job++
				lease.Job = JobID(fmt.Sprintf("fill-%d", job))
				f.granted++
				f.store(lease1(f, &lease, i, k, time.Duration(1+r.IntN(72))*time.Hour))
			}
		}
	}
	return f
}

func lease1(f *Fleet, r *Request, node int32, k int, d time.Duration) lease {
	r.Duration = d
	l := f.newLease(r, &plan{members: []member{{node: node, mask: 1 << k, hour: f.index.record(node).hour}}, from: benchNoon.UnixNano()})
	l.seq, l.ticket, l.state, l.active = f.granted, f.granted, StateRunning, true
	l.takes = takes{cpu: 4000, ram: 8192}
	return l
}

func bigNode(r *rand.Rand, n, site, model, country, cards int) Node {
	out := Node{
		ID: NodeID(fmt.Sprintf("node-%07d", n)), Site: SiteID(fmt.Sprintf("site-%05d", site)), Supplier: SupplierID(fmt.Sprintf("supplier-%05d", site/2)),
		Model: fmt.Sprintf("model-%02d", model), MemoryMiB: 1024 * uint64(8<<(model%4)), CPUMilli: uint64(cards) * 16_000, RAMMiB: uint64(cards) * 65_536,
		DiskMiB: 1 << 20, Country: string([]byte{'A' + byte(country/26), 'A' + byte(country%26)}), Connectivity: uint8(1 + r.IntN(4)),
		Tier: uint8(r.IntN(5)), Assurance: 2, StandingPPM: uint32(400_000 + r.IntN(600_000)), HourMicro: uint64(100_000 + r.IntN(3_000_000)),
	}
	for k := range cards {
		out.Devices = append(out.Devices, gpu.DeviceID(fmt.Sprintf("GPU-%08x-%04x-4000-8000-%012x", r.Uint32(), r.Uint32()&0xffff, n*16+k)))
	}
	return out
}

// zipfOf draws from 0 to n-1 with falling frequency.
func zipfOf(r *rand.Rand, n int, s float64) func() int {
	z := rand.NewZipf(r, s, 4, uint64(n-1))
	return func() int { return int(z.Uint64()) }
}

// benchRequests are jobs of mixed size with six filters: model, country (half of them), tier, standing, price and free cards, besides CPU and memory.
func benchRequests(n int) []Request {
	r := rand.New(rand.NewPCG(7, 7))
	models, countries := zipfOf(r, 32, 1.3), zipfOf(r, 130, 1.2)
	out := make([]Request, n)
	for i := range out {
		g := []int{1, 1, 1, 1, 1, 2, 4, 8}[r.IntN(8)]
		out[i] = Request{
			Job: JobID(fmt.Sprintf("job-%06d", i)), Owner: "renter", Replicas: 1, GPUsPerReplica: uint16(g), Models: []string{fmt.Sprintf("model-%02d", models())},
			MinTier: uint8(r.IntN(4)), MaxHourMicro: uint64(800_000 + r.IntN(2_400_000)), MinStandingPPM: uint32(400_000 + r.IntN(450_000)),
			CPUMilli: uint64(g) * 4000, RAMMiB: uint64(g) * 8192, Duration: time.Hour,
		}
		if c := countries(); r.IntN(2) == 0 {
			out[i].Countries = []string{string([]byte{'A' + byte(c/26), 'A' + byte(c%26)})}
		}
	}
	return out
}

func benchPolicy() Policy {
	p := Default()
	p.PriceBands = nil
	for i := range uint32(16) {
		p.PriceBands = append(p.PriceBands, 200_000*(i+1))
	}
	return p
}

// BenchmarkDecide is one decision of the core with its change of the index: a request in the public form is translated, placed and its devices are
// taken; what was placed 4,096 decisions before is given back.
func BenchmarkDecide(b *testing.B) {
	for _, devices := range []int{10_000, 100_000, 1_000_000} {
		for _, fill := range []int{500, 900} {
			f := bigFleet(b, benchPolicy(), devices, fill)
			for _, candidates := range []uint16{64, 16} {
				p := *f.policy
				p.Candidates = candidates
				f.policy = &p
				b.Run(fmt.Sprintf("devices=%d/fill=%d/candidates=%d", devices, fill, candidates), func(b *testing.B) {
					benchDecide(b, f, benchRequests(4096))
				})
			}
		}
	}
}

type heldMember struct {
	m member
	t takes
}

func benchDecide(b *testing.B, f *Fleet, requests []Request) {
	ring := make([]heldMember, len(requests))
	for i := range ring {
		ring[i].m.node = -1
	}
	c := f.call(f.now)
	took := make([]time.Duration, 0, 1<<16)
	placed, n := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		at := n % len(requests)
		sample := n&15 == 0 && len(took) < cap(took)
		var begin time.Time
		if sample {
			begin = time.Now()
		}
		steps := f.policy.SearchSteps
		p, ok := c.placeAt(&requests[at], 0, f.now, &steps)
		if old := &ring[at]; old.m.node >= 0 {
			f.occupy(&old.m, old.t, false)
			old.m.node = -1
		}
		if ok {
			placed++
			ring[at] = heldMember{p.members[0], takes{uint32(requests[at].CPUMilli), uint32(requests[at].RAMMiB), 0}}
			f.occupy(&ring[at].m, ring[at].t, true)
		}
		if sample {
			took = append(took, time.Since(begin))
		}
		n++
	}
	b.StopTimer()
	for _, h := range ring {
		if h.m.node >= 0 {
			f.occupy(&h.m, h.t, false)
		}
	}
	report(b, took)
	b.ReportMetric(100*float64(placed)/float64(n), "%placed")
}

func report(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}

// BenchmarkHold is the public path: Hold with validation, the effect with its strings, and the release of what was held 1,024 holds before.
func BenchmarkHold(b *testing.B) {
	for _, devices := range []int{10_000, 1_000_000} {
		f := bigFleet(b, benchPolicy(), devices, 500)
		b.Run(fmt.Sprintf("devices=%d", devices), func(b *testing.B) {
			var requests []Request
			var ids []LeaseID
			for _, r := range benchRequests(8192) { // those that can be placed beside each other: a refusal has a benchmark of its own
				if effects, err := f.Apply(benchNoon, Hold{Request: r}); err == nil && len(ids) < 1024 {
					requests, ids = append(requests, r), append(ids, effects[0].(Held).Lease.ID)
				}
			}
			took := make([]time.Duration, 0, 1<<16)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				at := n % len(requests)
				if _, err := f.Apply(benchNoon, Release{Lease: ids[at]}); err != nil {
					b.Fatal(err)
				}
				begin := time.Now()
				effects, err := f.Apply(benchNoon, Hold{Request: requests[at]})
				if len(took) < cap(took) {
					took = append(took, time.Since(begin))
				}
				if err != nil {
					b.Fatal(err)
				}
				ids[at] = effects[0].(Held).Lease.ID
				n++
			}
			b.StopTimer()
			for _, id := range ids {
				if _, err := f.Apply(benchNoon, Release{Lease: id}); err != nil {
					b.Fatal(err)
				}
			}
			report(b, took)
		})
	}
}

// BenchmarkGang chooses the site, nodes and devices of a gang of one-card replicas; they are not taken.
func BenchmarkGang(b *testing.B) {
	for _, devices := range []int{100_000, 1_000_000} {
		f := bigFleet(b, benchPolicy(), devices, 300)
		for _, size := range []int{8, 64} {
			b.Run(fmt.Sprintf("devices=%d/gang=%d", devices, size), func(b *testing.B) {
				requests := benchRequests(4096)
				for i := range requests {
					r := &requests[i]
					r.Replicas, r.GPUsPerReplica, r.CPUMilli, r.RAMMiB, r.Countries = uint16(size), 1, 4000, 8192, nil
					r.MinTier, r.MinStandingPPM, r.MaxHourMicro = 0, 0, 0
				}
				c := f.call(f.now)
				took := make([]time.Duration, 0, 1<<16)
				placed, n := 0, 0
				b.ReportAllocs()
				for b.Loop() {
					begin := time.Now()
					steps := f.policy.SearchSteps
					q := c.ask(&requests[n%4096], 0, f.now, f.now, 0, c.sc)
					var p plan
					p.best = -1
					if c.inOneRun(&q, size, c.sc, &p) {
						placed++
					}
					_ = steps
					if len(took) < cap(took) {
						took = append(took, time.Since(begin))
					}
					n++
				}
				report(b, took)
				b.ReportMetric(100*float64(placed)/float64(n), "%placed")
			})
		}
	}
}

// BenchmarkRefuse is a refusal with its whole explanation.
func BenchmarkRefuse(b *testing.B) {
	f := bigFleet(b, benchPolicy(), 100_000, 900)
	c := f.call(f.now)
	var refused []Request
	for _, r := range benchRequests(8192) {
		steps := f.policy.SearchSteps
		if _, ok := c.placeAt(&r, 0, f.now, &steps); !ok {
			refused = append(refused, r)
		}
	}
	b.Run("devices=100000", func(b *testing.B) {
		took := make([]time.Duration, 0, 1<<16)
		n := 0
		b.ReportAllocs()
		for b.Loop() {
			begin := time.Now()
			_, err := f.Try(refused[n%len(refused)])
			if len(took) < cap(took) {
				took = append(took, time.Since(begin))
			}
			require.Error(b, err)
			n++
		}
		report(b, took)
	})
}

// BenchmarkLoad enters a million devices, and takes and restores a snapshot of them.
func BenchmarkLoad(b *testing.B) {
	const devices = 1_000_000
	r := rand.New(rand.NewPCG(1, devices))
	models, countries := zipfOf(r, 32, 1.3), zipfOf(r, 130, 1.2)
	var nodes []Node
	for n, site := 0, 0; n < devices; site++ {
		country, model := countries(), models()
		for range 1 + int(r.ExpFloat64()*40) {
			cards := []int{1, 1, 1, 1, 2, 2, 4, 8}[r.IntN(8)]
			n += cards
			nodes = append(nodes, bigNode(r, len(nodes), site, model, country, cards))
		}
	}
	var f *Fleet
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			f = nil
			runtime.GC()
			before := heapInUse()
			begin := time.Now()
			f, _ = NewFleet(benchPolicy())
			for i := range nodes {
				if _, err := f.Apply(benchNoon, NodeUp{Node: nodes[i]}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(time.Since(begin).Seconds(), "s")
			b.ReportMetric(float64(heapInUse()-before)/float64(f.devices), "B/device")
		}
	})
	snap := f.Snapshot()
	b.Run("snapshot", func(b *testing.B) {
		for b.Loop() {
			snap = f.Snapshot()
		}
		b.ReportMetric(float64(len(snap))/float64(f.devices), "B/device")
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			if _, err := Restore(benchPolicy(), snap); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("view", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f.View()
		}
	})
}

// BenchmarkView makes views of a fleet half of whose cards are leased, one lease a card, asks one, and takes and restores a snapshot.
func BenchmarkView(b *testing.B) {
	f := bigFleet(b, benchPolicy(), 1_000_000, 500)
	r := benchRequests(1)[0]
	b.Run("devices=1000000/snapshot", func(b *testing.B) {
		for b.Loop() {
			f.Snapshot()
		}
	})
	snap := f.Snapshot()
	b.Run("devices=1000000/restore", func(b *testing.B) {
		for b.Loop() {
			if _, err := Restore(benchPolicy(), snap); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("devices=1000000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f.View()
		}
	})
	b.Run("devices=1000000/try", func(b *testing.B) {
		v := f.View()
		b.ReportAllocs()
		for b.Loop() {
			_, _ = v.Try(r) // placed or refused: the same each time
		}
	})
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
