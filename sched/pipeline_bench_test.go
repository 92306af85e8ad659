package sched_test

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/idlegrid/idlegrid/sched"
)

// BenchmarkPipelineArrange reports the cost of the arrangement, in the seconds that are published for the first three cases, and what the regular
// deals alone reach.
func BenchmarkPipelineArrange(b *testing.B) {
	type job struct {
		name  string
		sites sched.PipelineSites
	}
	jobs := []job{{"uneven", unevenSites()}}
	for _, c := range publishedCases() {
		jobs = append(jobs, job{c.name, c.sites()})
	}
	for _, j := range jobs {
		for _, search := range []struct {
			name  string
			steps uint32
		}{{"regular", 0}, {"search", pipelineSteps}} {
			b.Run("case="+j.name+"/"+search.name, func(b *testing.B) {
				b.ReportAllocs()
				var a sched.Arrangement
				for b.Loop() {
					var err error
					if a, err = gpt().Arrange(j.sites, 0, search.steps); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(a.Cost.TotalNanos())/1e9, "cost-s")
			})
		}
	}
}

// BenchmarkPipelineUneven shows what more steps are worth on 24 jobs whose devices are spread unevenly over the published regions, in seconds
// on average.
func BenchmarkPipelineUneven(b *testing.B) {
	r := rand.New(rand.NewSource(7))
	shapes := [][2]uint16{{8, 8}, {8, 8}, {8, 8}, {4, 8}, {8, 4}, {6, 8}}
	jobs, sites := make([]sched.Pipeline, 24), make([]sched.PipelineSites, 24)
	for i := range jobs {
		jobs[i], sites[i].Links = gpt(), publishedCases()[0].links()
		jobs[i].Stages, jobs[i].Width = shapes[i%len(shapes)][0], shapes[i%len(shapes)][1]
		regions, weight := r.Perm(8)[:4+r.Intn(5)], []int(nil)
		for _, a := range regions {
			for range 1 + r.Intn(10) {
				weight = append(weight, a)
			}
		}
		for range int(jobs[i].Stages) * int(jobs[i].Width) {
			sites[i].Site = append(sites[i].Site, weight[r.Intn(len(weight))])
		}
	}
	for _, steps := range []uint32{0, 4_000, pipelineSteps, 64_000, 1_000_000} {
		b.Run(fmt.Sprintf("steps=%d", steps), func(b *testing.B) {
			var sum uint64
			for b.Loop() {
				sum = 0
				for i, p := range jobs {
					a, err := p.Arrange(sites[i], 0, steps)
					if err != nil {
						b.Fatal(err)
					}
					sum += a.Cost.TotalNanos()
				}
			}
			b.ReportMetric(float64(sum)/1e9/float64(len(jobs)), "cost-s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(jobs)), "ns/job")
		})
	}
}

func BenchmarkPipelineCost(b *testing.B) {
	s := unevenSites()
	a, err := gpt().Arrange(s, 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := gpt().Cost(s, a.Groups); err != nil {
			b.Fatal(err)
		}
	}
}
