package sched

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// TestFine says that fine is the least number of each coarse value.
func TestFine(t *testing.T) {
	for c := range uint32(1 << 16) {
		v := fine(uint16(c))
		if coarse(v) != uint16(c) { // no number is so coarse
			require.Greater(t, c>>11, uint32(21))
			continue
		}
		if v > 0 {
			require.Less(t, coarse(v-1), uint16(c))
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		v := r.Uint32() >> r.IntN(32)
		require.LessOrEqual(t, fine(coarse(v)), v)
		require.LessOrEqual(t, v-fine(coarse(v)), v>>11)
	}
}

// randomMixed is a fleet of a few kinds with jobs of every form, and a mix.
func randomMixed(t *testing.T, r *rand.Rand) *Fleet {
	t.Helper()
	f, err := NewFleet(Default())
	require.NoError(t, err)
	for i := range 40 {
		n := Node{
			ID: NodeID(fmt.Sprint("n", i)), Site: "s", Supplier: "o", Model: fmt.Sprint("m", r.IntN(3)), MemoryMiB: 1, CPUMilli: uint64(1+r.IntN(8)) * 8000,
			RAMMiB: uint64(1+r.IntN(8)) * 16384, Country: "DE", Connectivity: 1, Shares: r.IntN(2) == 0,
		}
		for k := range 1 + r.IntN(8) {
			n.Devices = append(n.Devices, gpu.DeviceID(fmt.Sprint(i, "/", k)))
		}
		_, err := f.Apply(benchNoon, NodeUp{Node: n})
		require.NoError(t, err)
	}
	var mix []Spec
	for range 1 + r.IntN(20) {
		s := Spec{GPUs: uint16(r.IntN(9)), CPUMilli: uint64(r.IntN(5)) * 4000, RAMMiB: uint64(r.IntN(5)) * 8192, Count: 1 + r.Uint32N(100)}
		if s.GPUs == 1 && r.IntN(2) == 0 {
			s.ShareMilli = uint16(1 + r.IntN(999))
		}
		if r.IntN(3) == 0 {
			s.Models = []string{"m1", "m7"}
		}
		mix = append(mix, s)
	}
	_, err = f.Apply(benchNoon, Observed{Mix: mix})
	require.NoError(t, err)
	return f
}

// TestSumsAreKept compares what is kept of the fleet from change to change with what is counted anew, and the potentials that are remembered with those worked out.
func TestSumsAreKept(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 30 {
		f := randomMixed(t, r)
		var leases []LeaseID
		for job := range 400 {
			if r.IntN(3) == 0 && len(leases) > 0 {
				k := r.IntN(len(leases))
				_, err := f.Apply(benchNoon, Finished{Lease: leases[k]})
				require.NoError(t, err)
				leases = slices.Delete(leases, k, k+1)
			} else {
				q := Request{Job: JobID(fmt.Sprint(job)), Owner: "o", Replicas: 1, GPUsPerReplica: uint16(1 + r.IntN(4)), CPUMilli: 1000, RAMMiB: 1000, Duration: time.Hour}
				if q.GPUsPerReplica == 1 {
					q.ShareMilli = uint16(r.IntN(1000))
				}
				if effects, err := f.Apply(benchNoon, Submitted{Request: q}); err == nil {
					leases = append(leases, effects[0].(Leased).Lease.ID)
				}
			}
			if job%50 == 0 {
				_, err := f.Apply(benchNoon, Drain{Node: NodeID(fmt.Sprint("n", r.IntN(40))), On: r.IntN(2) == 0})
				require.NoError(t, err)
			}
		}
		kept := slices.Clone(f.demand.sums)
		f.sum()
		require.Equal(t, f.demand.sums, kept)
		for i := range f.nodes.len() {
			if !f.nodes.at(i).known() {
				continue
			}
			var free room
			var h holding
			f.roomNow(i, &free)
			h.hold(&f.state, i, &free)
			use, cards := f.demand.potential(&h)
			again, values := f.scratch.memo.potential(f.demand, &h)
			require.Equal(t, []int64{use, cards}, []int64{again, values})
		}
		g, err := Restore(Default(), f.Snapshot())
		require.NoError(t, err)
		require.Equal(t, f.demand.weight, g.demand.weight)
		require.Equal(t, f.demand.sums, g.demand.sums)
	}
}

// TestUsable has holdings that can be worked out by hand.
func TestUsable(t *testing.T) {
	whole := func(free uint8, cpu, ram uint32) holding { return holding{free: free, cpu: cpu, ram: ram} }
	pair := want{gpus: 2, milli: 1000, each: 1, cpu: 8000, ram: 1000}
	third := want{gpus: 1, milli: 300, each: 3, cpu: 1000}
	for _, c := range []struct {
		name string
		h    holding
		w    want
		part []int32
		want int64
	}{
		{"nothing free", whole(0, 64000, 64000), pair, nil, 0},
		{"one device for a pair", whole(1, 64000, 64000), pair, nil, 0},
		{"a pair", whole(2, 64000, 64000), pair, nil, 2000},
		{"the third device counts: the next pair may take it", whole(3, 64000, 64000), pair, nil, 3000},
		{"a core short", whole(2, 7999, 64000), pair, nil, 0},
		{"memory short", whole(2, 64000, 999), pair, nil, 0},
		{"cores for one pair of two: a fifth of the other one is lost", whole(4, 8000, 64000), pair, nil, 3600},
		{"memory for one pair of two", whole(4, 64000, 1999), pair, nil, 3600},
		{"shares on whole and divided devices", whole(1, 64000, 0), third, []int32{600, 299}, 1600},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.h.usable(&c.w, c.part)) })
	}
}
