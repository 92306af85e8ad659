package sched_test

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/sched"
)

const pipelineSteps = 16_000

// TestPipelinePublished arranges the three published cases with one setting: none costs more than what the authors' search finds.
func TestPipelinePublished(t *testing.T) {
	var out strings.Builder
	for _, c := range publishedCases() {
		for seed := range uint64(4) {
			a, err := gpt().Arrange(c.sites(), seed, pipelineSteps)
			require.NoError(t, err)
			require.LessOrEqual(t, fmt.Sprintf("%.3f", float64(a.Cost.TotalNanos())/1e9), c.total)
			if seed == 0 {
				fmt.Fprintf(&out, "%s: %d ns = exchange %d + 2 * path %d\n", c.name, a.Cost.TotalNanos(), a.Cost.ExchangeNanos, a.Cost.PathNanos)
				for _, g := range a.Groups {
					fmt.Fprintln(&out, g)
				}
			}
			same, err := gpt().Arrange(c.sites(), seed, pipelineSteps)
			require.NoError(t, err)
			require.Equal(t, a, same)
		}
	}
	a, err := gpt().Arrange(unevenSites(), 0, pipelineSteps)
	require.NoError(t, err)
	fmt.Fprintf(&out, "uneven: %d ns = exchange %d + 2 * path %d\n", a.Cost.TotalNanos(), a.Cost.ExchangeNanos, a.Cost.PathNanos)
	for _, g := range a.Groups {
		fmt.Fprintln(&out, g)
	}
	golden.Check(t, "testdata/pipeline.golden", out.String())
}

// TestPipelineFloat compares whole nanoseconds with the published function in floating point, on good arrangements and on any.
func TestPipelineFloat(t *testing.T) {
	for _, c := range publishedCases() {
		s := c.sites()
		slow := publishedCost(s)
		devices := make([]int, len(s.Site))
		for i := range devices {
			devices[i] = i
		}
		a, err := gpt().Arrange(s, 1, 0)
		require.NoError(t, err)
		r := rand.New(rand.NewSource(1))
		for i, groups := range [][][]int{a.Groups, chunked(gpt(), devices), chunked(gpt(), r.Perm(64)), chunked(gpt(), r.Perm(64))} {
			cost, err := gpt().Cost(s, groups)
			require.NoError(t, err)
			exchange, path := slow.cost(groups)
			require.InEpsilon(t, exchange, float64(cost.ExchangeNanos)/1e9, 1e-6, "%s %d", c.name, i)
			require.InEpsilon(t, path, float64(cost.PathNanos)/1e9, 1e-6, "%s %d", c.name, i)
			require.InEpsilon(t, exchange+2*path, float64(cost.TotalNanos())/1e9, 1e-6, "%s %d", c.name, i)
			if i == 0 {
				require.Equal(t, c.total, fmt.Sprintf("%.3f", exchange+2*path), c.name)
			}
		}
	}
}

// TestPipelineExhaustive compares what the search finds with the best of all divisions: 99 of 100 are the best, and none is better.
func TestPipelineExhaustive(t *testing.T) {
	shapes := [][2]uint16{{4, 2}, {4, 3}, {3, 3}, {2, 5}, {5, 2}, {6, 1}, {1, 6}, {3, 4}}
	r, missed := rand.New(rand.NewSource(3)), 0
	for i := range 100 {
		p, s := randomPipeline(r, 1, 1, 5)
		for len(s.Links) < 3 {
			p, s = randomPipeline(r, 1, 1, 5)
		}
		p.Stages, p.Width, s.Site = shapes[i%len(shapes)][0], shapes[i%len(shapes)][1], nil
		n := int(p.Stages) * int(p.Width)
		for range n {
			s.Site = append(s.Site, r.Intn(len(s.Links)))
		}
		best, tried := uint64(math.MaxUint64), map[string]bool{}
		divisions(n, int(p.Width), func(groups [][]int) {
			key := bySites(s, groups)
			if tried[key] {
				return // devices of one site are alike
			}
			tried[key] = true
			c, err := p.Cost(s, groups)
			require.NoError(t, err)
			best = min(best, c.TotalNanos())
		})
		a, err := p.Arrange(s, 0, pipelineSteps)
		require.NoError(t, err)
		require.GreaterOrEqual(t, a.Cost.TotalNanos(), best)
		if a.Cost.TotalNanos() > best {
			missed++
			t.Logf("%+v at %v: %d instead of %d, among %d divisions", p, s.Site, a.Cost.TotalNanos(), best, len(tried))
		}
	}
	require.LessOrEqual(t, missed, 1)
}

// bySites is what the groups are but for the names of devices and the order.
func bySites(s sched.PipelineSites, groups [][]int) string {
	kinds := make([]string, 0, len(groups))
	for _, g := range groups {
		sites := make([]int, 0, len(g))
		for _, d := range g {
			sites = append(sites, s.Site[d])
		}
		slices.Sort(sites)
		kinds = append(kinds, fmt.Sprint(sites))
	}
	slices.Sort(kinds)
	return fmt.Sprint(kinds)
}

// TestPipelineCost works the cost out by hand: two sites of two, 10 ms and 8 Gbit/s inside, 50 ms and 0.8 Gbit/s between. A pass of 10^9 bytes takes 1.01
// or 10.05 s, an exchange of half of 10^8 bytes 2*(0.01+0.05) or 2*(0.05+0.5) s.
func TestPipelineCost(t *testing.T) {
	near, far := sched.PipelineLink{DelayMicros: 10_000, Mbps: 8_000}, sched.PipelineLink{DelayMicros: 50_000, Mbps: 800}
	s := sched.PipelineSites{Site: []int{0, 0, 1, 1}, Links: [][]sched.PipelineLink{{near, far}, {far, near}}}
	p := sched.Pipeline{Stages: 2, Width: 2, ActivationBytes: 1_000_000_000, GradientBytes: 100_000_000}
	one, two, four := p, p, p
	one.Stages, one.Width = 1, 4
	four.Stages, four.Width = 4, 1
	for _, c := range []struct {
		name           string
		p              sched.Pipeline
		groups         [][]int
		exchange, path uint64
	}{
		{"a site is a group", two, [][]int{{0, 1}, {2, 3}}, 120_000_000, 10_050_000_000},
		{"a site is in both groups", two, [][]int{{0, 2}, {3, 1}}, 1_100_000_000, 1_010_000_000},
		{"one group: no path", one, [][]int{{3, 2, 1, 0}}, 2*(10+25)*1_000_000 + 4*(50+250)*1_000_000, 0},
		{"groups of one: no exchange, the best order", four, [][]int{{0}, {2}, {1}, {3}}, 0, (1_010 + 10_050 + 1_010) * 1_000_000},
	} {
		cost, err := c.p.Cost(s, c.groups)
		require.NoError(t, err, c.name)
		require.Equal(t, sched.PipelineCost{ExchangeNanos: c.exchange, PathNanos: c.path}, cost, c.name)
	}
}

// TestPipelineRounding wants each time of a pair rounded up, never down.
func TestPipelineRounding(t *testing.T) {
	for _, c := range []struct {
		bytes          uint64
		mbps           uint32
		exchange, path uint64
	}{
		{0, 1, 0, 0},
		{1, 7_999, 2, 2}, // 8000/7999 of a nanosecond; the exchange is 2 * 8000 / (2 * 7999)
		{1, 8_000, 1, 1},
		{1, 8_001, 1, 1},
		{1, math.MaxUint32, 1, 1},
		{1 << 40, 1, 8000 << 40, 8000 << 40},
	} {
		l := sched.PipelineLink{Mbps: c.mbps}
		s := sched.PipelineSites{Site: []int{0, 0, 0, 0}, Links: [][]sched.PipelineLink{{l}}}
		cost, err := sched.Pipeline{Stages: 2, Width: 2, ActivationBytes: c.bytes, GradientBytes: c.bytes}.Cost(s, [][]int{{0, 1}, {2, 3}})
		require.NoError(t, err)
		require.Equal(t, sched.PipelineCost{ExchangeNanos: c.exchange, PathNanos: c.path}, cost, "%d bytes at %d Mbps", c.bytes, c.mbps)
	}
}

// TestPipelineLargest holds everything at its limit: nothing overflows.
func TestPipelineLargest(t *testing.T) {
	l := sched.PipelineLink{DelayMicros: 10_000_000, Mbps: 1}
	s := sched.PipelineSites{Links: make([][]sched.PipelineLink, 256)}
	for a := range s.Links {
		s.Links[a] = slices.Repeat([]sched.PipelineLink{l}, 256)
		s.Site = append(s.Site, a)
	}
	p := sched.Pipeline{Stages: 16, Width: 16, ActivationBytes: 1 << 40, GradientBytes: 1 << 40}
	a, err := p.Arrange(s, 0, 500)
	require.NoError(t, err)
	require.Equal(t, sched.PipelineCost{ExchangeNanos: 15 * (20_000_000_000 + 2*8000<<40/16), PathNanos: 15 * (10_000_000_000 + 8000<<40)}, a.Cost)
}

// TestPipelineInvalid changes one thing about a sound job of two groups of two at two sites.
func TestPipelineInvalid(t *testing.T) {
	type job struct {
		p      sched.Pipeline
		s      sched.PipelineSites
		groups [][]int
	}
	type F = []func(*job)
	link := sched.PipelineLink{DelayMicros: 1_000, Mbps: 1_000}
	shape := func(stages, width uint16) func(*job) {
		return func(j *job) {
			n := int(stages) * int(width)
			devices := make([]int, n)
			for i := range devices {
				devices[i] = i
			}
			j.p.Stages, j.p.Width, j.s.Site, j.groups = stages, width, make([]int, n), nil
			if width > 0 {
				j.groups = chunked(j.p, devices)
			}
		}
	}
	sites := func(n int) func(*job) {
		return func(j *job) {
			j.s.Links = make([][]sched.PipelineLink, n)
			for a := range n {
				j.s.Links[a] = slices.Repeat([]sched.PipelineLink{link}, n)
			}
		}
	}
	both := func(a, b int, l sched.PipelineLink) func(*job) {
		return func(j *job) { j.s.Links[a][b], j.s.Links[b][a] = l, l }
	}
	for _, c := range []struct {
		field     string
		pass, not []func(*job)
	}{
		{"Pipeline.Stages", F{shape(1, 2), shape(9, 1)}, F{shape(0, 2), shape(17, 1)}},
		{"Pipeline.Width", F{shape(2, 1), shape(1, 256)}, F{shape(2, 0), shape(1, 257)}},
		{"Pipeline.Stages * Width", F{shape(2, 128)}, F{shape(2, 129), shape(3, 86)}},
		{"Pipeline.ActivationBytes", F{func(j *job) { j.p.ActivationBytes = 0 }, func(j *job) { j.p.ActivationBytes = 1 << 40 }}, F{func(j *job) { j.p.ActivationBytes = 1<<40 + 1 }}},
		{"Pipeline.GradientBytes", F{func(j *job) { j.p.GradientBytes = 0 }, func(j *job) { j.p.GradientBytes = 1 << 40 }}, F{func(j *job) { j.p.GradientBytes = 1<<40 + 1 }}},
		{"PipelineSites.Site: 3 devices", nil, F{func(j *job) { j.s.Site = j.s.Site[:3] }}},
		{"PipelineSites.Site: 5 devices", nil, F{func(j *job) { j.s.Site = append(j.s.Site, 0) }}},
		{"PipelineSites.Site[1]", F{func(j *job) { j.s.Site[1] = 1 }}, F{func(j *job) { j.s.Site[1] = -1 }, func(j *job) { j.s.Site[1] = 2 }}},
		{"PipelineSites.Links rows", F{sites(2), sites(256)}, F{sites(0), sites(257)}},
		{"PipelineSites.Links[1]", nil, F{func(j *job) { j.s.Links[1] = j.s.Links[1][:1] }, func(j *job) { j.s.Links[1] = append(j.s.Links[1], link) }}},
		{
			"PipelineSites.Links[1][0]: differs", nil,
			F{func(j *job) { j.s.Links[0][1].Mbps++ }, func(j *job) { j.s.Links[0][1].DelayMicros++ }},
		},
		{"PipelineSites.Links[1][0]: was never measured", F{both(0, 1, sched.PipelineLink{Mbps: 1})}, F{both(0, 1, sched.PipelineLink{DelayMicros: 1})}},
		{"PipelineSites.Links[1][1]: was never measured", nil, F{func(j *job) { j.s.Links[1][1] = sched.PipelineLink{} }}},
		{
			"DelayMicros",
			F{both(0, 1, sched.PipelineLink{DelayMicros: 10_000_000, Mbps: 1})},
			F{both(0, 1, sched.PipelineLink{DelayMicros: 10_000_001, Mbps: 1})},
		},
	} {
		for i, change := range append(slices.Clone(c.pass), c.not...) {
			j := job{sched.Pipeline{Stages: 2, Width: 2, ActivationBytes: 1, GradientBytes: 1}, sched.PipelineSites{Site: []int{0, 0, 1, 1}}, [][]int{{0, 1}, {2, 3}}}
			sites(2)(&j)
			change(&j)
			_, cost := j.p.Cost(j.s, j.groups)
			_, order := j.p.Order(j.s, j.groups)
			_, arrange := j.p.Arrange(j.s, 0, 10)
			for _, err := range []error{cost, order, arrange} {
				if i < len(c.pass) {
					require.NoError(t, err, "%s, good value %d", c.field, i)
					continue
				}
				require.ErrorIs(t, err, sched.ErrInvalid, "%s, bad value %d", c.field, i)
				require.ErrorContains(t, err, c.field)
			}
		}
	}
}

func TestPipelineGroups(t *testing.T) {
	link := sched.PipelineLink{Mbps: 1_000}
	s := sched.PipelineSites{Site: []int{0, 0, 0, 0}, Links: [][]sched.PipelineLink{{link}}}
	for _, c := range []struct {
		says   string
		groups [][]int
	}{
		{"", [][]int{{0, 1}, {2, 3}}},
		{"groups: 1, want Pipeline.Stages, 2", [][]int{{0, 1}}},
		{"groups: 3, want Pipeline.Stages, 2", [][]int{{0, 1}, {2, 3}, nil}},
		{"groups[1]: 1 devices, want Pipeline.Width, 2", [][]int{{0, 1}, {2}}},
		{"groups[0]: 3 devices, want Pipeline.Width, 2", [][]int{{0, 1, 2}, {3}}},
		{"groups[1][0] -1: want 0 to 3", [][]int{{0, 1}, {-1, 3}}},
		{"groups[1][1] 4: want 0 to 3", [][]int{{0, 1}, {2, 4}}},
		{"groups[1][0]: device 1 is in a group already", [][]int{{0, 1}, {1, 2}}},
	} {
		_, err := sched.Pipeline{Stages: 2, Width: 2}.Cost(s, c.groups)
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, "sched: invalid: "+c.says)
	}
}

// TestPipelineUnused leaves unmeasured what no two devices could use: a site without devices, and the inside of one with a single device.
func TestPipelineUnused(t *testing.T) {
	l, none := sched.PipelineLink{DelayMicros: 7, Mbps: 8_000}, sched.PipelineLink{}
	s := sched.PipelineSites{Site: []int{0, 2}, Links: [][]sched.PipelineLink{{none, none, l}, {none, none, none}, {l, none, none}}}
	p := sched.Pipeline{Stages: 2, Width: 1, ActivationBytes: 5}
	a, err := p.Arrange(s, 0, 100)
	require.NoError(t, err)
	require.Equal(t, sched.PipelineCost{PathNanos: 7_005}, a.Cost)
	require.Equal(t, [][]int{{0}, {1}}, groupSets(a.Groups))
	p.Stages, p.Width, p.GradientBytes = 1, 2, 5
	a, err = p.Arrange(s, 0, 100)
	require.NoError(t, err)
	require.Equal(t, sched.Arrangement{Cost: sched.PipelineCost{ExchangeNanos: 14_005}, Groups: [][]int{{0, 1}}}, a)
}
