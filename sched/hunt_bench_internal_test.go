package sched

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/leftover"
)

// BenchmarkHunt looks for 64 replicas over 5,000 sites with about 100 links each, in a different case each time.
func BenchmarkHunt(b *testing.B) {
	for _, budget := range []uint32{20_000, 200_000, 2_000_000} {
		b.Run(fmt.Sprintf("sites=5k/replicas=64/steps=%d", budget), func(b *testing.B) {
			var hunts []*siteHunt
			for seed := range uint64(8) {
				h := newPuzzle(leftover.Large(seed, 5000, 100), seed).hunt(new(uint32))
				h.exact = nil
				hunts = append(hunts, h)
			}
			b.ReportAllocs()
			n, sites, delay, used := 0, 0, uint64(0), uint64(0)
			for b.Loop() {
				h := hunts[n%len(hunts)]
				*h.steps = budget
				found, _, ok := h.run()
				require.True(b, ok)
				n++
				sites += len(found.offers)
				delay += uint64(found.delay)
				used += uint64(budget - *h.steps)
			}
			b.ReportMetric(float64(sites)/float64(n), "sites")
			b.ReportMetric(float64(delay)/float64(n), "delay-us")
			b.ReportMetric(float64(used)/float64(n), "steps/op")
		})
	}
}

func TestZZLarge(t *testing.T) {
	for seed := range uint64(4) {
		c := leftover.Large(seed, 5000, 100)
		p := newPuzzle(c, seed)
		t.Log(len(c.Links)*2/5000)
		for _, budget := range []uint32{5000, 20_000, 200_000, 2_000_000, 20_000_000, 200_000_000} {
			steps := budget
			h := p.hunt(&steps)
			h.exact = nil
			f, ex, ok := h.run()
			t.Log(seed, budget, len(f.offers), f.delay, f.price, ex, ok, budget-steps, h.fewest)
		}
	}
}
