package sched_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/idlegrid/idlegrid/internal/trace"
	"github.com/idlegrid/idlegrid/sched"
)

func traceFleet(b *testing.B, c trace.Config) (*sched.Fleet, []sched.Request) {
	b.Helper()
	w, err := trace.Generate(1, c)
	if err != nil {
		b.Fatal(err)
	}
	f, err := sched.NewFleet(sched.IONet())
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range w.Nodes() {
		must(f.Apply(noon, sched.NodeUp{Node: n}))
	}
	for _, l := range w.Links() {
		must(f.Apply(noon, l))
	}
	return f, w.Requests()
}

// BenchmarkFill places the requests of the trace one after the other, explanations of the refused ones included.
func BenchmarkFill(b *testing.B) {
	for _, demand := range []uint64{950_000, 1_400_000} {
		c := trace.Default()
		c.DemandPPM = demand
		f, requests := traceFleet(b, c)
		empty := f.Snapshot()
		b.Run(fmt.Sprintf("nodes=1213/jobs=%d", len(requests)), func(b *testing.B) {
			b.ReportAllocs()
			refused := 0
			for b.Loop() {
				b.StopTimer()
				f, err := sched.Restore(sched.IONet(), empty)
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				refused = 0
				for _, r := range requests {
					if _, err := f.Apply(noon, sched.Submitted{Request: r}); err != nil {
						refused++
					}
				}
			}
			b.ReportMetric(float64(refused), "refused")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(requests)), "ns/job")
		})
	}
}

// BenchmarkTry asks a fleet that the trace has filled.
func BenchmarkTry(b *testing.B) {
	f, requests := traceFleet(b, trace.Default())
	for _, r := range requests {
		if _, err := f.Apply(noon, sched.Submitted{Request: r}); err != nil && !errors.As(err, new(*sched.UnplaceableError)) {
			b.Fatal(err)
		}
	}
	gang := sched.Request{Job: "x", Owner: "ann", Replicas: 8, GPUsPerReplica: 1, Models: []string{"Tesla V100-SXM2-16GB"}, MaxSites: 2, Duration: time.Hour}
	large := gang
	large.Models, large.Replicas, large.MaxSites, large.MaxDelayMicros = nil, 64, 8, 80_000
	one := gang
	one.Models, one.Replicas = nil, 1
	refused := gang
	refused.MaxSites = 1
	for _, c := range []struct {
		name string
		r    sched.Request
	}{{"one", one}, {"gang=8/sites=2", gang}, {"gang=64/sites=8", large}, {"refused/gang=8", refused}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			placed := 0.0
			for b.Loop() {
				if _, err := f.Try(c.r); err == nil {
					placed = 1
				}
			}
			b.ReportMetric(placed, "placed")
		})
	}
}
