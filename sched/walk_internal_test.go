package sched

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// TestWalk compares a walk over several kinds with all nodes that pass: each comes once, and unrotated in the order in which they joined as far
// as kinds are concerned.
func TestWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		f, err := NewFleet(Default())
		require.NoError(t, err)
		for i := range 1 + r.IntN(60) {
			n := Node{
				ID: NodeID(fmt.Sprint("n", i)), Site: "s", Supplier: "o", Model: fmt.Sprint("m", r.IntN(4)), MemoryMiB: 1 + uint64(r.IntN(2)), CPUMilli: 1, RAMMiB: 1,
				HourMicro: uint64(r.IntN(5)) * 100_000,
				Country:   []string{"DE", "FR"}[r.IntN(2)], Connectivity: 1,
			}
			for k := range 1 + r.IntN(3) {
				n.Devices = append(n.Devices, gpu.DeviceID(fmt.Sprint(i, "/", k)))
			}
			_, err := f.Apply(benchNoon, NodeUp{Node: n})
			require.NoError(t, err)
		}
		req := Request{Job: "j", Owner: "o", Replicas: 1, GPUsPerReplica: uint16(1 + r.IntN(3)), Duration: 3600e9}
		if r.IntN(2) == 0 {
			req.Models = []string{"m0", "m1"}
		}
		q := f.ask(&req, 0, f.now, f.now, 0, &f.scratch)
		q.rotate = []uint32{0, r.Uint32()}[r.IntN(2)]
		var want, got []int32
		for i := range f.nodes.len() {
			if f.nodes.at(i).known() && f.passes(&q, i) {
				want = append(want, i)
			}
		}
		var w walker
		f.walk(&q.query, &w, false)
		last := map[int32]uint32{}
		for i := f.next(&w); i >= 0; i = f.next(&w) {
			got = append(got, i)
			if q.rotate == 0 {
				place := f.shapes.list[f.index.row(i).shape].place
				require.Less(t, last[place*100+f.shapes.list[f.index.row(i).shape].kind], f.nodes.at(i).joined)
				last[place*100+f.shapes.list[f.index.row(i).shape].kind] = f.nodes.at(i).joined
			}
		}
		slices.Sort(got)
		require.Equal(t, want, got)

		got = got[:0]
		f.walk(&q.query, &w, true)
		for i := f.next(&w); i >= 0; i = f.next(&w) {
			got = append(got, i)
		}
		slices.Sort(got)
		require.Equal(t, want, got, "%+v", q.query)
	}
}

// TestQuickLoss compares the short way for whole devices of one model with the long one, on the fleet of the benchmarks.
func TestQuickLoss(t *testing.T) {
	f := bigFleet(t, benchPolicy(), 5000, 500)
	n := 0
	for _, r := range benchRequests(2000) {
		for _, order := range [][]Criterion{{Fragmentation, Cheapest}, {Fragmentation}, {Fragmentation, Standing, Arbitrary}} {
			p := *f.policy
			p.Order = order
			f.policy = &p
			q := f.ask(&r, 0, f.now, f.now, 0, &f.scratch)
			require.True(t, f.quickLoss(&q))
			got, ok := f.single(&q, &f.scratch)
			members := slices.Clone(got.members)
			want, wantOK := f.singleByOrder(&q, &f.scratch)
			require.Equal(t, wantOK, ok)
			if !ok {
				continue
			}
			n++
			require.Equal(t, want.members, members)
			require.Equal(t, []any{want.next, want.lost, want.compared, want.exhaustive}, []any{got.next, got.lost, got.compared, got.exhaustive})
		}
	}
	require.Greater(t, n, 500)
}
