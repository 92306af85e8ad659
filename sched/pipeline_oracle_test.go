package sched_test

import (
	"cmp"
	"slices"

	"github.com/idlegrid/idlegrid/sched"
)

// slowPipeline is the cost of DT-FM device by device: no sites, no counts, matching by trying one limit after the other, and all orders.
type slowPipeline[T int64 | float64] struct{ exchange, pass [][]T }

func (s slowPipeline[T]) cost(groups [][]int) (exchange, path T) {
	for _, g := range groups {
		for _, i := range g {
			sum := T(0)
			for _, j := range g {
				if i != j {
					sum += s.exchange[i][j]
				}
			}
			exchange = max(exchange, sum)
		}
	}
	hops := make([][]T, len(groups))
	for a := range groups {
		hops[a] = make([]T, len(groups))
		for b := range a {
			hops[a][b] = s.bottleneck(groups[a], groups[b])
			hops[b][a] = hops[a][b]
		}
	}
	path = -1
	shortest(hops, nil, 0, &path)
	return exchange, path
}

// shortest tries every order of what is not in the path yet.
func shortest[T cmp.Ordered](hops [][]T, path []int, sum T, best *T) {
	if len(path) == len(hops) {
		if *best < *new(T) || sum < *best {
			*best = sum
		}
		return
	}
	for g := range hops {
		if slices.Contains(path, g) {
			continue
		}
		next := sum
		if len(path) > 0 {
			next += hops[path[len(path)-1]][g]
		}
		shortest(hops, append(path, g), next, best)
	}
}

// bottleneck is the least limit under which every device of a finds its own of b.
func (s slowPipeline[T]) bottleneck(a, b []int) T {
	var limits []T
	for _, i := range a {
		for _, j := range b {
			limits = append(limits, s.pass[i][j])
		}
	}
	slices.Sort(limits)
	for _, limit := range limits {
		owner := map[int]int{}
		if !slices.ContainsFunc(a, func(i int) bool { return !s.augment(i, b, limit, owner, map[int]bool{}) }) {
			return limit
		}
	}
	panic("no perfect matching")
}

func (s slowPipeline[T]) augment(i int, b []int, limit T, owner map[int]int, seen map[int]bool) bool {
	for _, j := range b {
		if s.pass[i][j] > limit || seen[j] {
			continue
		}
		seen[j] = true
		if o, taken := owner[j]; !taken || s.augment(o, b, limit, owner, seen) {
			owner[j] = i
			return true
		}
	}
	return false
}

// publishedCost is the published function in floating point, in the published units: seconds, gigabytes and gigabits a second.
func publishedCost(s sched.PipelineSites) slowPipeline[float64] {
	const activation, gradient = 2024.0 * 2048 * 2 * (1.25e5 / 2048) / (1 << 30), 1.3 * 4 * 3 / 24
	var out slowPipeline[float64]
	for _, a := range s.Site {
		var exchange, pass []float64
		for _, b := range s.Site {
			delay, gbps := float64(s.Links[a][b].DelayMicros)/1e6, float64(s.Links[a][b].Mbps)/1e3
			pass = append(pass, delay+activation*8/gbps)
			exchange = append(exchange, 2*(delay+gradient*8/(gbps*8)))
		}
		out.exchange, out.pass = append(out.exchange, exchange), append(out.pass, pass)
	}
	return out
}

// exactCost is the same in nanoseconds rounded up.
func exactCost(p sched.Pipeline, s sched.PipelineSites) slowPipeline[int64] {
	up := func(a, b uint64) int64 { return int64(a/b + min(a%b, 1)) }
	var out slowPipeline[int64]
	for _, a := range s.Site {
		var exchange, pass []int64
		for _, b := range s.Site {
			l := s.Links[a][b]
			if l.Mbps == 0 {
				l.Mbps = 1 // a device and itself: not used
			}
			delay := int64(l.DelayMicros) * 1000
			pass = append(pass, delay+up(8000*p.ActivationBytes, uint64(l.Mbps)))
			exchange = append(exchange, 2*delay+up(16_000*p.GradientBytes, uint64(l.Mbps)*uint64(p.Width)))
		}
		out.exchange, out.pass = append(out.exchange, exchange), append(out.pass, pass)
	}
	return out
}

// divisions calls visit with every division of n devices into groups of width, once.
func divisions(n, width int, visit func([][]int)) {
	groups := make([][]int, 0, n/width)
	var put func(d int)
	put = func(d int) {
		if d == n {
			visit(groups)
			return
		}
		for g := range groups {
			if len(groups[g]) < width {
				groups[g] = append(groups[g], d)
				put(d + 1)
				groups[g] = groups[g][:len(groups[g])-1]
			}
		}
		if len(groups) < n/width {
			groups = append(groups, []int{d})
			put(d + 1)
			groups = groups[:len(groups)-1]
		}
	}
	put(0)
}
