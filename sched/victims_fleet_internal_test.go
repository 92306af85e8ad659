package sched

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/leftover"
)

// running is a job on its nodes.
type running struct {
	job   leftover.Job
	until uint64
	nodes []int32 // of each replica
	over  bool
}

// paid and worked are the card seconds that are left, and those that are over.
func (r *running) paid(at uint64) uint64 { return (r.until - at) * uint64(r.job.Replicas*r.job.Cards) }

func (r *running) worked(at uint64) uint64 {
	return (at - r.job.At) * uint64(r.job.Replicas*r.job.Cards)
}

// busyFleet runs jobs on the pools, first come, first served, on the first nodes with room. A job that may not be evicted evicts spot jobs
// where it has no room.
type busyFleet struct {
	pools [][]hostRoom // free
	jobs  []*running   // in order of their start
	evict func(f *busyFleet, j leftover.Job) []*running

	asked, refused, victims int
	paid, worked            uint64 // card seconds that the evicted had still paid, and had worked
	byFirstFit              uint64 // card seconds still paid that first fit would have evicted instead, in the same fleets
	inexact                 int
	steps                   uint64
}

func newBusyFleet(evict func(f *busyFleet, j leftover.Job) []*running) *busyFleet {
	f := &busyFleet{evict: evict}
	for _, p := range leftover.Pools() {
		f.pools = append(f.pools, slices.Repeat([]hostRoom{{gpus: int32(p.Cards)}}, p.Nodes))
	}
	return f
}

// start runs a job if there is room.
func (f *busyFleet) start(j leftover.Job) bool {
	nodes := make([]int32, 0, j.Replicas)
	for n, room := range f.pools[j.Pool] {
		for ; room.gpus >= int32(j.Cards) && len(nodes) < j.Replicas; room.gpus -= int32(j.Cards) {
			nodes = append(nodes, int32(n))
		}
	}
	if len(nodes) < j.Replicas {
		return false
	}
	for _, n := range nodes {
		f.pools[j.Pool][n].gpus -= int32(j.Cards)
	}
	f.jobs = append(f.jobs, &running{job: j, until: j.At + j.Seconds, nodes: nodes})
	return true
}

// free gives back what jobs hold.
func (f *busyFleet) free(ended []*running) {
	if len(ended) == 0 {
		return
	}
	for _, r := range ended {
		r.over = true
		for _, n := range r.nodes {
			f.pools[r.job.Pool][n].gpus += int32(r.job.Cards)
		}
	}
	f.jobs = slices.DeleteFunc(f.jobs, func(r *running) bool { return r.over })
}

func (f *busyFleet) run(t testing.TB, jobs []leftover.Job, warm uint64) {
	for _, j := range jobs {
		var ended []*running
		for _, r := range f.jobs {
			if r.until <= j.At {
				ended = append(ended, r)
			}
		}
		f.free(ended)
		if f.start(j) || j.Spot {
			continue
		}
		instead, victims := firstFit(f, j), f.evict(f, j)
		require.Equal(t, len(instead) > 0, len(victims) > 0)
		f.free(victims)
		require.Equal(t, len(victims) > 0, f.start(j))
		switch {
		case j.At < warm:
			continue
		case len(victims) == 0:
			f.refused++
			continue
		}
		f.asked++
		f.victims += len(victims)
		for _, r := range victims {
			f.paid += r.paid(j.At)
			f.worked += r.worked(j.At)
		}
		for _, r := range instead {
			f.byFirstFit += r.paid(j.At)
		}
	}
}

// spot lists the spot jobs of a pool.
func (f *busyFleet) spot(pool int) (list []*running) {
	for _, r := range f.jobs {
		if r.job.Spot && r.job.Pool == pool {
			list = append(list, r)
		}
	}
	return list
}

// firstFit evicts from the first nodes where replicas can be made to fit, on each the jobs that began first.
func firstFit(f *busyFleet, j leftover.Job) (victims []*running) {
	room := slices.Clone(f.pools[j.Pool])
	on := make([][]*running, len(room)) // for each replica there
	for _, r := range f.spot(j.Pool) {
		for _, n := range r.nodes {
			on[n] = append(on[n], r)
		}
	}
	out, fit := map[*running]bool{}, 0
	for n := range room {
		reach := room[n].gpus
		for _, r := range on[n] {
			if !out[r] {
				reach += int32(r.job.Cards)
			}
		}
		for ; fit < j.Replicas && reach >= int32(j.Cards); reach -= int32(j.Cards) {
			for _, r := range on[n] {
				if room[n].gpus < int32(j.Cards) && !out[r] {
					out[r] = true
					victims = append(victims, r)
					for _, m := range r.nodes {
						room[m].gpus += int32(r.job.Cards)
					}
				}
			}
			room[n].gpus -= int32(j.Cards)
			fit++
		}
	}
	if fit < j.Replicas {
		return nil
	}
	return victims
}

// leastPaid evicts the least card seconds that are still paid.
func leastPaid(f *busyFleet, j leftover.Job) []*running { return f.least(j, (*running).paid) }

// leastWorked evicts the least card seconds that have been worked.
func leastWorked(f *busyFleet, j leftover.Job) []*running { return f.least(j, (*running).worked) }

func (f *busyFleet) least(j leftover.Job, cost func(r *running, at uint64) uint64) (victims []*running) {
	spot := f.spot(j.Pool)
	steps := IONet().SearchSteps
	h := victimHunt{nodes: f.pools[j.Pool], replicas: j.Replicas, each: hostRoom{gpus: int32(j.Cards)}, steps: &steps}
	for _, r := range spot {
		l := victimLease{cost: cost(r, j.At)}
		for i, n := range r.nodes {
			if i > 0 && r.nodes[i-1] == n {
				l.parts[len(l.parts)-1].gpus += int32(r.job.Cards)
				continue
			}
			l.parts = append(l.parts, victimPart{n, hostRoom{gpus: int32(r.job.Cards)}})
		}
		h.leases = append(h.leases, l)
	}
	evict, _, exact, _ := h.run()
	f.steps += uint64(IONet().SearchSteps - steps)
	if !exact {
		f.inexact++
	}
	for _, i := range evict {
		victims = append(victims, spot[i])
	}
	return victims
}

// TestVictimsFleet compares the cost of what is evicted with first fit, over days of a fleet of 4,278 nodes.
func TestVictimsFleet(t *testing.T) {
	seeds := uint64(2)
	if testing.Short() || underRace {
		seeds = 1
	}
	for seed := range seeds {
		jobs := leftover.Busy(seed, 48, 130, 50)
		warm := uint64(36 * 3600)
		var fleets []*busyFleet
		for _, evict := range []func(*busyFleet, leftover.Job) []*running{firstFit, leastPaid, leastWorked} {
			f := newBusyFleet(evict)
			f.run(t, jobs, warm)
			t.Logf("seed %d: %d placed by evicting %d, %d refused; card hours: %d still paid (first fit: %d), %d worked; %d not exact, %d steps each",
				seed, f.asked, f.victims, f.refused, f.paid/3600, f.byFirstFit/3600, f.worked/3600, f.inexact, f.steps/uint64(f.asked))
			fleets = append(fleets, f)
		}
		first, paid, worked := fleets[0], fleets[1], fleets[2]
		require.Equal(t, first.paid, first.byFirstFit)
		require.LessOrEqual(t, 100*paid.paid, 67*paid.byFirstFit)
		require.LessOrEqual(t, 100*paid.paid, 67*first.paid)
		require.LessOrEqual(t, 100*worked.worked, 67*first.worked)
		require.Zero(t, paid.inexact)
	}
}

// BenchmarkVictims makes room on 432 nodes of 8 cards and on 2,494 of one card that are full of spot jobs.
func BenchmarkVictims(b *testing.B) {
	f := newBusyFleet(leastPaid)
	f.run(b, leftover.Busy(1, 48, 200, 100), 0)
	for _, bm := range []struct {
		name string
		job  leftover.Job
	}{
		{"nodes=432/replicas=1x8", leftover.Job{Pool: 1, Replicas: 1, Cards: 8}},
		{"nodes=432/replicas=4x8", leftover.Job{Pool: 1, Replicas: 4, Cards: 8}},
		{"nodes=432/replicas=16x4", leftover.Job{Pool: 1, Replicas: 16, Cards: 4}},
		{"nodes=432/replicas=64x1", leftover.Job{Pool: 1, Replicas: 64, Cards: 1}},
		{"nodes=2494/replicas=64x1", leftover.Job{Replicas: 64, Cards: 1}},
	} {
		bm.job.At = 48 * 3600
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			n, steps, inexact := uint64(0), f.steps, f.inexact
			for b.Loop() {
				require.NotEmpty(b, leastPaid(f, bm.job))
				n++
			}
			b.ReportMetric(float64(f.steps-steps)/float64(n), "steps/op")
			b.ReportMetric(float64(f.inexact-inexact)/float64(n), "inexact/op")
		})
	}
}
