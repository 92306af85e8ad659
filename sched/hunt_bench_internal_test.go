package sched

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/leftover"
)

// BenchmarkHunt looks for 64 replicas, or more, over 5,000 sites with about 90 links and 0 to 6 free cards each, in another of eight cases
// each time. It reports the share of answers that are proven to be the best.
func BenchmarkHunt(b *testing.B) {
	for _, bm := range []struct {
		name   string
		change func(a *leftover.Ask)
	}{
		{"replicas=64", func(*leftover.Ask) {}},
		{"replicas=64/limits=none", func(a *leftover.Ask) { a.MaxDelayMicros, a.Unmeasured = 0, true }},
		{"replicas=64/delay=3ms", func(a *leftover.Ask) { a.MaxDelayMicros = 3000 }},
		{"replicas=64/delay=2ms", func(a *leftover.Ask) { a.MaxDelayMicros = 2000 }}, // none is placed
		{"replicas=96", func(a *leftover.Ask) { a.Replicas = 96 }},
		{"replicas=128", func(a *leftover.Ask) { a.Replicas, a.MaxSites = 128, 32 }},
		{"replicas=64/persite=3", func(a *leftover.Ask) { a.PerSite = 3 }},
	} {
		b.Run(fmt.Sprintf("sites=5k/%s", bm.name), func(b *testing.B) {
			var hunts []*siteHunt
			for seed := range uint64(8) {
				c := leftover.Large(seed, 5000, 100)
				bm.change(&c.Ask)
				h := newPuzzle(c, seed).hunt(new(uint32))
				h.exact = nil // it allows one run
				hunts = append(hunts, h)
			}
			var n, placed, proven, sites, used uint64
			b.ReportAllocs()
			for b.Loop() {
				h := hunts[n%8]
				*h.steps = IONet().SearchSteps
				found, exhaustive, ok := h.run()
				n++
				if ok {
					placed++
				}
				if exhaustive {
					proven++
				}
				sites += uint64(len(found.offers))
				used += uint64(IONet().SearchSteps - *h.steps)
			}
			b.ReportMetric(float64(100*placed)/float64(n), "%placed")
			b.ReportMetric(float64(100*proven)/float64(n), "%proven")
			b.ReportMetric(float64(sites)/float64(max(placed, 1)), "sites/set")
			b.ReportMetric(float64(used)/float64(n), "steps/op")
		})
	}
}

// BenchmarkHuntSmall looks for leftover cards among 2 to 12 sites.
func BenchmarkHuntSmall(b *testing.B) {
	var hunts []*siteHunt
	for seed := range uint64(1024) {
		h := newPuzzle(leftover.Small(seed), seed).hunt(new(uint32))
		for k := range h.offers {
			h.offers[k].room = int32(h.exact(k))
		}
		h.exact = nil
		hunts = append(hunts, h)
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		h := hunts[n%len(hunts)]
		*h.steps = IONet().SearchSteps
		h.run()
		n++
	}
}

// BenchmarkLinks measures the table of 5,000 sites with 100 links each.
func BenchmarkLinks(b *testing.B) {
	const sites, degree = 5000, 50
	var l linkStore
	other := func(i, k int) (a, b int32) { return int32(i % sites), int32((i + 1 + k*k) % sites) }
	for i := range sites {
		for k := range degree {
			a, c := other(i, k)
			l.set(a, c, 5000, 1000)
		}
	}
	b.Run("set/sites=5k/links=250k", func(b *testing.B) {
		n := 0
		b.ReportAllocs()
		for b.Loop() {
			a, c := other(n*7919, n%degree)
			l.set(a, c, uint32(n), 1000)
			n++
		}
	})
	b.Run("of/sites=5k/links=250k", func(b *testing.B) {
		n, known := 0, 0
		for b.Loop() {
			a, c := other(n*7919, n%degree)
			if _, _, ok := l.of(a, c); ok {
				known++
			}
			n++
		}
		require.Equal(b, n, known)
	})
	b.Run("view/sites=5k/links=250k", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v := l.view()
			v.set(0, 1, 1, 1)
		}
	})
}
