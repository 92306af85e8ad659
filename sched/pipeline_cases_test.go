package sched_test

import (
	"math/rand"
	"slices"

	"github.com/idlegrid/idlegrid/sched"
)

// pipelineCase has the delays in milliseconds and the bandwidths in megabits a second that the authors of DT-FM measured between cloud regions, one
// row for each region, up to the region before it (DS3Lab/DT-FM, scheduler/heuristic_evolutionary_solver/config.py, MIT, 2022).
type pipelineCase struct {
	name         string
	each         int // devices in a region; the regions stand in the order of the authors
	inside       sched.PipelineLink
	delay, speed [][]uint32
	total        string // seconds that the authors' own search reaches, by their cost function
}

func publishedCases() []pipelineCase {
	return []pipelineCase{
		{
			"worldwide", 8,
			sched.PipelineLink{DelayMicros: 5_000, Mbps: 2_000}, // Oregon, Virginia, Ohio, Tokyo, Seoul, London, Frankfurt, Ireland
			[][]uint32{{}, {67}, {49, 11}, {96, 143, 130}, {124, 172, 159, 34}, {136, 76, 86, 210, 238}, {143, 90, 99, 223, 235, 14}, {124, 67, 77, 199, 228, 12, 24}},
			[][]uint32{
				{},
				{790},
				{1100, 1120},
				{523, 524, 694},
				{460, 500, 529, 1100},
				{420, 1160, 1050, 366, 342},
				{404, 1020, 799, 360, 358, 1140},
				{482, 1050, 1140, 465, 335, 1090, 1080},
			},
			"49.218",
		},
		{
			"regional", 16,
			sched.PipelineLink{DelayMicros: 5_000, Mbps: 2_000}, // Virginia, Oregon, California, Ohio
			[][]uint32{{}, {67}, {59, 12}, {11, 49, 52}},
			[][]uint32{{}, {1150}, {1050, 1250}, {1120, 1100, 1020}},
			"34.802",
		},
		{
			"universities", 32,
			sched.PipelineLink{DelayMicros: 1_000, Mbps: 5_000}, // Ohio, Virginia
			[][]uint32{{}, {11}},
			[][]uint32{{}, {1120}},
			"16.087",
		},
	}
}

// gpt is the published job: GPT-3 XL in 8 stages of 8. A gigabyte of activations is 2^30 bytes there, and a gigabit 2^30 bits.
func gpt() sched.Pipeline {
	return sched.Pipeline{Stages: 8, Width: 8, ActivationBytes: 471_248_984, GradientBytes: 650_000_000}
}

func (c pipelineCase) links() [][]sched.PipelineLink {
	links := make([][]sched.PipelineLink, len(c.delay))
	for a := range links {
		links[a] = make([]sched.PipelineLink, len(links))
		links[a][a] = c.inside
		for b := range a {
			l := sched.PipelineLink{DelayMicros: c.delay[a][b] * 1000, Mbps: c.speed[a][b]}
			links[a][b], links[b][a] = l, l
		}
	}
	return links
}

func (c pipelineCase) sites() sched.PipelineSites {
	s := sched.PipelineSites{Links: c.links()}
	for a := range s.Links {
		s.Site = append(s.Site, slices.Repeat([]int{a}, c.each)...)
	}
	return s
}

// unevenSites is the worldwide case with 23, 13, 9, 7, 5, 4, 2 and 1 devices at its sites.
func unevenSites() sched.PipelineSites {
	s := sched.PipelineSites{Links: publishedCases()[0].links()}
	for a, n := range []int{23, 13, 9, 7, 5, 4, 2, 1} {
		s.Site = append(s.Site, slices.Repeat([]int{a}, n)...)
	}
	return s
}

// randomPipeline has at most so many stages, width and sites, devices anywhere, and links of every speed, some alike.
func randomPipeline(r *rand.Rand, stages, width, sites int) (sched.Pipeline, sched.PipelineSites) {
	p := sched.Pipeline{
		Stages: uint16(1 + r.Intn(stages)), Width: uint16(1 + r.Intn(width)), ActivationBytes: uint64(r.Intn(1_000_000_000)), GradientBytes: uint64(r.Intn(1_000_000_000)),
	}
	s := sched.PipelineSites{Links: make([][]sched.PipelineLink, 1+r.Intn(sites))}
	speeds := make([]uint32, 1+r.Intn(8))
	for i := range speeds {
		speeds[i] = uint32(10 + r.Intn(3_000))
	}
	for a := range s.Links {
		s.Links[a] = make([]sched.PipelineLink, len(s.Links))
		for b := range a + 1 {
			l := sched.PipelineLink{DelayMicros: uint32(r.Intn(250) * 1000), Mbps: speeds[r.Intn(len(speeds))]}
			s.Links[a][b], s.Links[b][a] = l, l
		}
	}
	for range int(p.Stages) * int(p.Width) {
		s.Site = append(s.Site, r.Intn(len(s.Links)))
	}
	return p, s
}

// chunked divides the devices in the order given.
func chunked(p sched.Pipeline, devices []int) [][]int {
	return slices.Collect(slices.Chunk(devices, int(p.Width)))
}
