package sched_test

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/sched"
)

// twoTowns is 8 cards, half of them in each of two towns: 1 ms and 8 Gbit/s inside a town, 20 ms and 1 Gbit/s between them.
func twoTowns() sched.PipelineSites {
	in, between := sched.PipelineLink{DelayMicros: 1_000, Mbps: 8_000}, sched.PipelineLink{DelayMicros: 20_000, Mbps: 1_000}
	return sched.PipelineSites{
		Site:  []int{0, 0, 0, 0, 1, 1, 1, 1},
		Links: [][]sched.PipelineLink{{in, between}, {between, in}},
	}
}

func show(c sched.PipelineCost) string {
	return fmt.Sprintf("%v = %v + 2 * %v", time.Duration(c.TotalNanos()), time.Duration(c.ExchangeNanos), time.Duration(c.PathNanos))
}

// A job with large activations and small gradients keeps its passes at home, one with large gradients its exchange.
func ExamplePipeline() {
	for _, p := range []sched.Pipeline{
		{Stages: 4, Width: 2, ActivationBytes: 500_000_000, GradientBytes: 100_000_000},
		{Stages: 4, Width: 2, ActivationBytes: 100_000_000, GradientBytes: 900_000_000},
	} {
		a, err := p.Arrange(twoTowns(), 1, 1_000)
		if err != nil {
			panic(err)
		}
		fmt.Println(show(a.Cost), a.Groups)
	}
	// Output:
	// 3.846s = 840ms + 2 * 1.503s [[0 4] [1 5] [2 6] [3 7]]
	// 2.946s = 902ms + 2 * 1.022s [[4 5] [6 7] [0 1] [2 3]]
}

func ExamplePipeline_Cost() {
	p := sched.Pipeline{Stages: 4, Width: 2, ActivationBytes: 500_000_000, GradientBytes: 100_000_000}
	for _, groups := range [][][]int{
		{{0, 1}, {2, 3}, {4, 5}, {6, 7}},
		{{0, 4}, {1, 5}, {2, 6}, {3, 7}},
	} {
		c, err := p.Cost(twoTowns(), groups)
		if err != nil {
			panic(err)
		}
		fmt.Println(show(c))
	}
	// Output:
	// 10.146s = 102ms + 2 * 5.022s
	// 3.846s = 840ms + 2 * 1.503s
}

// The groups are given; the order and who passes to whom are not.
func ExamplePipeline_Order() {
	p := sched.Pipeline{Stages: 4, Width: 2, ActivationBytes: 500_000_000, GradientBytes: 100_000_000}
	a, err := p.Order(twoTowns(), [][]int{{0, 1}, {4, 5}, {2, 3}, {6, 7}})
	if err != nil {
		panic(err)
	}
	fmt.Println(show(a.Cost), a.Groups)
	// Output:
	// 10.146s = 102ms + 2 * 5.022s [[0 1] [2 3] [4 5] [6 7]]
}

// Cards of one place are a row of the pipeline: card 4 passes to 6, and 6 to 0 in the other town.
func ExamplePipeline_Arrange() {
	p := sched.Pipeline{Stages: 4, Width: 2, ActivationBytes: 100_000_000, GradientBytes: 900_000_000}
	a, err := p.Arrange(twoTowns(), 1, 1_000)
	if err != nil {
		panic(err)
	}
	for k, g := range a.Groups {
		fmt.Println("stage", k, "cards", g)
	}
	_, err = p.Arrange(sched.PipelineSites{Site: make([]int, 8), Links: [][]sched.PipelineLink{{{}}}}, 1, 1_000)
	fmt.Println(err)
	// Output:
	// stage 0 cards [4 5]
	// stage 1 cards [6 7]
	// stage 2 cards [0 1]
	// stage 3 cards [2 3]
	// sched: invalid: PipelineSites.Links[0][0]: was never measured, want Mbps 1 to 4294967295
}

func ExamplePipeline_Validate() {
	fmt.Println(sched.Pipeline{Stages: 16, Width: 17}.Validate())
	// Output:
	// sched: invalid: Pipeline.Stages * Width 272: want 1 to 256
}

func ExamplePipelineSites() {
	s := twoTowns()
	s.Site[7] = 2
	_, err := sched.Pipeline{Stages: 4, Width: 2}.Arrange(s, 1, 0)
	fmt.Println(err)
	// Output:
	// sched: invalid: PipelineSites.Site[7] 2: want 0 to 1
}

func ExamplePipelineLink() {
	s := twoTowns()
	s.Links[1][0].DelayMicros = 25_000
	_, err := sched.Pipeline{Stages: 4, Width: 2}.Arrange(s, 1, 0)
	fmt.Println(err)
	// Output:
	// sched: invalid: PipelineSites.Links[1][0]: differs from the way back
}

func ExamplePipelineCost() {
	c := sched.PipelineCost{ExchangeNanos: 840_000_000, PathNanos: 1_503_000_000}
	fmt.Println(time.Duration(c.TotalNanos()))
	// Output:
	// 3.846s
}

func ExampleArrangement() {
	p := sched.Pipeline{Stages: 2, Width: 2, ActivationBytes: 500_000_000}
	s := twoTowns()
	s.Site = []int{0, 1, 1, 0}
	a, err := p.Arrange(s, 1, 0)
	if err != nil {
		panic(err)
	}
	for i, from := range a.Groups[0] {
		fmt.Printf("card %d at site %d passes to card %d at site %d\n", from, s.Site[from], a.Groups[1][i], s.Site[a.Groups[1][i]])
	}
	// Output:
	// card 0 at site 0 passes to card 3 at site 0
	// card 1 at site 1 passes to card 2 at site 1
}

// Five cards at one site and three at another cannot be dealt evenly: one pair of stages has to pass over the slow link.
func ExampleFleet_PipelineSites() {
	f := leftovers()
	must(f.Apply(noon, sched.LinkMeasured{A: "a", B: "b", DelayMicros: 20_000, Mbps: 1_000}))
	r := eight()
	r.MaxSites, r.MaxDelayMicros, r.MinMbps = 2, 20_000, 0
	p, err := f.Try(r)
	if err != nil {
		panic(err)
	}
	sites := f.PipelineSites(p.Members, sched.PipelineLink{DelayMicros: 1_000, Mbps: 8_000})
	job := sched.Pipeline{Stages: 4, Width: 2, ActivationBytes: 500_000_000, GradientBytes: 100_000_000}
	a, err := job.Arrange(sites, 1, 1_000)
	fmt.Println(sites.Site, sites.Links[0], err)
	fmt.Println(show(a.Cost), a.Groups)
	// Output:
	// [0 0 0 0 0 1 1 1] [{1000 8000} {20000 1000}] <nil>
	// 10.884s = 840ms + 2 * 5.022s [[0 5] [1 6] [2 7] [3 4]]
}
