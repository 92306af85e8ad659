package sched

import (
	"math"
	"slices"
)

const (
	maxStages          = 16      // the cheapest order of so many groups is found exactly, by subsets
	maxPipelineDevices = 256     // the largest job that a search of some milliseconds was measured on
	maxPipelineBytes   = 1 << 40 // with the limits above every sum of nanoseconds stays below 2^59
)

// Pipeline is a training job that runs data parallel inside groups of devices and pipeline parallel from group to group, after Yuan et al.,
// "Decentralized Training of Foundation Models in Heterogeneous Environments" (NeurIPS 2022, arXiv 2206.01288). Its devices stand at
// sites that may be continents apart, and which device belongs to which group decides how often the slow links are used.
//
// Every link has a delay and a bandwidth. With W = Width devices in a group:
//
//   - exchange of two devices: 2 * (delay + 8*GradientBytes/W / bandwidth). Each of them owns a W-th of the stage's gradients; it collects that
//     part from the others and hands the sum back.
//   - exchange of a group: the most that one of its devices spends, summed over the others of the group. Groups exchange at the same time.
//   - pass of two devices: delay + 8*ActivationBytes / bandwidth, for the activations of a micro-batch.
//   - pass of two groups: devices are paired one to one so that the slowest pass of a pair is as fast as can be.
//   - path: the sum of the passes from group to group in the best order, run once forward and once backward.
//
// The cost is the slowest exchange plus twice the path, in nanoseconds. The time of each pair of devices is rounded up to a whole
// nanosecond, against the arrangement; everything after that is exact. All methods are deterministic and need no fleet.
//
// The figures that the authors published for their cases take a gigabyte of activations as 2^30 bytes and a gigabit as 2^30 bits:
// whoever compares gives 10^9 bytes for each such gigabyte.
type Pipeline struct {
	// Stages is the number of groups, 1 to 16. Width is the number of devices in each, 1 to 256. Stages * Width is at most 256.
	Stages, Width uint16
	// ActivationBytes is what a device hands to its partner in the next group for one micro-batch, 0 to 2^40.
	ActivationBytes uint64
	// GradientBytes is the size of the gradients of one stage, 0 to 2^40.
	GradientBytes uint64
}

// PipelineLink is a measured link between two devices.
type PipelineLink struct {
	// DelayMicros is the delay one way, 0 to 10,000,000. Mbps is the bandwidth in 10^6 bits a second; 0 says that it was never measured.
	DelayMicros, Mbps uint32
}

// PipelineSites says where the devices of a pipeline stand and how the sites are linked. It is only read.
type PipelineSites struct {
	// Site names for each device the site at which it stands, by its index in Links. There are Stages * Width devices.
	Site []int
	// Links holds the link of every two sites, and at Links[s][s] the link between two devices of site s: 1 to 256 rows, each as long, and
	// the same in both directions. An unmeasured link is refused where two devices could use it.
	Links [][]PipelineLink
}

// PipelineCost is what an arrangement costs, in nanoseconds.
type PipelineCost struct {
	// ExchangeNanos is the slowest exchange of a group, PathNanos the sum of the passes from group to group, counted once.
	ExchangeNanos, PathNanos uint64
}

// TotalNanos returns the cost by which arrangements are compared: the exchange plus the path forward and backward.
func (c PipelineCost) TotalNanos() uint64 { return c.ExchangeNanos + 2*c.PathNanos }

// Arrangement says who does what in a pipeline.
type Arrangement struct {
	Cost PipelineCost
	// Groups are the devices of each stage, first stage first. Groups[k][i] passes its activations to Groups[k+1][i].
	Groups [][]int
}

// Validate reports the first field that is out of range, as [ErrInvalid].
func (p Pipeline) Validate() error {
	return first(
		within("Pipeline.Stages", uint64(p.Stages), 1, maxStages),
		within("Pipeline.Width", uint64(p.Width), 1, maxPipelineDevices),
		within("Pipeline.Stages * Width", uint64(p.Stages)*uint64(p.Width), 1, maxPipelineDevices),
		within("Pipeline.ActivationBytes", p.ActivationBytes, 0, maxPipelineBytes),
		within("Pipeline.GradientBytes", p.GradientBytes, 0, maxPipelineBytes),
	)
}

// Cost returns what the groups cost in their best order. Each group holds Width devices, and each device is in one group; the order of
// the groups and of their devices does not matter. Whatever is out of range is [ErrInvalid].
func (p Pipeline) Cost(s PipelineSites, groups [][]int) (PipelineCost, error) {
	c, _, err := p.crew(s, groups)
	if err != nil {
		return PipelineCost{}, err
	}
	return c.cost(c.cheapestOrder()), nil
}

// Order puts the groups in their best order and pairs their devices; which device is in which group stays as it is. Of equally good orders
// it takes one that begins with the lowest index in groups. It refuses what [Pipeline.Cost] refuses.
func (p Pipeline) Order(s PipelineSites, groups [][]int) (Arrangement, error) {
	c, compact, err := p.crew(s, groups)
	if err != nil {
		return Arrangement{}, err
	}
	order := c.cheapestOrder()
	sorted := make([][]int, len(order))
	for i, g := range order {
		sorted[i] = slices.Sorted(slices.Values(groups[g]))
	}
	c.pair(order, sorted, compact)
	return Arrangement{c.cost(order), sorted}, nil
}

// crew checks the arguments and returns the groups by what they have at each site, and the site of each device there.
func (p Pipeline) crew(s PipelineSites, groups [][]int) (*crew, []int, error) {
	t, compact, err := p.tariff(s)
	if err != nil {
		return nil, nil, err
	}
	if len(groups) != int(p.Stages) {
		return nil, nil, invalid("groups: %d, want Pipeline.Stages, %d", len(groups), p.Stages)
	}
	seen := make([]bool, len(s.Site))
	c := newCrew(t)
	for g, group := range groups {
		if len(group) != int(p.Width) {
			return nil, nil, invalid("groups[%d]: %d devices, want Pipeline.Width, %d", g, len(group), p.Width)
		}
		for i, d := range group {
			if d < 0 || d >= len(seen) {
				return nil, nil, invalid("groups[%d][%d] %d: want 0 to %d", g, i, d, len(seen)-1)
			}
			if seen[d] {
				return nil, nil, invalid("groups[%d][%d]: device %d is in a group already", g, i, d)
			}
			seen[d] = true
			c.place(g, i, compact[d])
		}
	}
	c.settle()
	return c, compact, nil
}

// tariff checks the arguments and returns what the links between the sites that have devices cost, and the number that each device's site has
// there. Two sites differ there even if their links do not.
func (p Pipeline) tariff(s PipelineSites) (*tariff, []int, error) {
	if err := first(
		p.Validate(),
		within("PipelineSites.Links rows", uint64(len(s.Links)), 1, maxPipelineDevices),
	); err != nil {
		return nil, nil, err
	}
	if n := int(p.Stages) * int(p.Width); len(s.Site) != n {
		return nil, nil, invalid("PipelineSites.Site: %d devices, want Stages * Width, %d", len(s.Site), n)
	}
	for a, row := range s.Links {
		if len(row) != len(s.Links) {
			return nil, nil, invalid("PipelineSites.Links[%d]: %d links, want one for each of %d sites", a, len(row), len(s.Links))
		}
	}
	devices := make([]int, len(s.Links))
	for d, a := range s.Site {
		if a < 0 || a >= len(s.Links) {
			return nil, nil, invalid("PipelineSites.Site[%d] %d: want 0 to %d", d, a, len(s.Links)-1)
		}
		devices[a]++
	}
	number, used := make([]int, len(s.Links)), []int(nil)
	for a, n := range devices {
		if n > 0 {
			number[a] = len(used)
			used = append(used, a)
		}
	}
	t := newTariff(p, len(used))
	for i, a := range used {
		for j, b := range used[:i+1] {
			if i == j && devices[a] == 1 {
				continue // nobody is there to talk to
			}
			if err := s.checkLink(a, b); err != nil {
				return nil, nil, err
			}
			t.set(i, j, s.Links[a][b])
		}
	}
	t.rankPasses()
	compact := make([]int, len(s.Site))
	for d, a := range s.Site {
		compact[d] = number[a]
	}
	return t, compact, nil
}

func (s PipelineSites) checkLink(a, b int) error {
	l := s.Links[a][b]
	if l != s.Links[b][a] {
		return invalid("PipelineSites.Links[%d][%d]: differs from the way back", a, b)
	}
	if l.Mbps == 0 {
		return invalid("PipelineSites.Links[%d][%d]: was never measured, want Mbps 1 to %d", a, b, uint32(math.MaxUint32))
	}
	return within("PipelineSites.Links DelayMicros", uint64(l.DelayMicros), 0, maxDelayMicros)
}
