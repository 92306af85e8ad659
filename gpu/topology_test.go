package gpu_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// probe is an inventory of a named profile of gputest, idle.
func fakeProbe(t testing.TB, name string) gpu.Inventory {
	t.Helper()
	p, err := gputest.ParseProfile(name)
	require.NoError(t, err)
	s, err := gputest.NewSource(p, func() time.Time { return noon })
	require.NoError(t, err)
	inv, err := s.Probe(t.Context())
	require.NoError(t, err)
	return inv
}

// joined is an inventory of n devices with these links.
func joined(n int, links ...gpu.Link) gpu.Inventory {
	inv := h100s(1, n)
	inv.Links = links
	return inv
}

func nv(a, b, count uint8) gpu.Link { return gpu.Link{A: a, B: b, Kind: gpu.LinkNVLink, Count: count} }

func TestIslands(t *testing.T) {
	remote := func(inv gpu.Inventory, device int, links ...gpu.NVLink) gpu.Inventory {
		inv.Devices[device].Reading = &gpu.Reading{NVLinks: gpu.Some(links)}
		return inv
	}
	bus := func(inv gpu.Inventory, device int) string { return inv.Devices[device].BusID }
	four := joined(4)
	for name, c := range map[string]struct {
		inv  gpu.Inventory
		want string
	}{
		"none":                 {gpu.Inventory{}, "[]"},
		"no links":             {joined(3), "[[0] [1] [2]]"},
		"pairs":                {joined(4, nv(1, 2, 4), nv(0, 3, 4)), "[[0 3] [1 2]]"},
		"chain":                {joined(4, nv(2, 3, 1), nv(0, 2, 1)), "[[0 2 3] [1]]"},
		"PCIe joins nothing":   {joined(2, gpu.Link{A: 0, B: 1, Kind: gpu.LinkBoard}), "[[0] [1]]"},
		"beyond the devices":   {joined(2, nv(0, 7, 1)), "[[0] [1]]"},
		"by the other end":     {remote(joined(4), 3, gpu.NVLink{Up: true, RemoteBusID: bus(four, 1), RemoteKind: "gpu"}), "[[0] [1 3] [2]]"},
		"in the other writing": {remote(joined(4), 3, gpu.NVLink{Up: true, RemoteBusID: bus(four, 1)[4:]}), "[[0] [1 3] [2]]"},
		"down":                 {remote(joined(4), 3, gpu.NVLink{RemoteBusID: bus(four, 1), RemoteKind: "gpu"}), "[[0] [1] [2] [3]]"},
		"one switch": {
			remote(remote(joined(4), 0, gpu.NVLink{Up: true, RemoteBusID: "0000:05:00.0", RemoteKind: "switch"}), 2,
				gpu.NVLink{Up: true, RemoteBusID: "00000000:05:00.0", RemoteKind: "switch"}), "[[0 2] [1] [3]]",
		},
		"two switches": {
			remote(remote(joined(4), 0, gpu.NVLink{Up: true, RemoteBusID: "0000:05:00.0", RemoteKind: "switch"}), 2,
				gpu.NVLink{Up: true, RemoteBusID: "0000:06:00.0", RemoteKind: "switch"}), "[[0] [1] [2] [3]]",
		},
		"an unknown end twice": {
			remote(remote(joined(4), 0, gpu.NVLink{Up: true, RemoteBusID: "0000:05:00.0"}), 2,
				gpu.NVLink{Up: true, RemoteBusID: "0000:05:00.0"}), "[[0] [1] [2] [3]]",
		},
	} {
		require.Equal(t, c.want, fmt.Sprint(gpu.Islands(c.inv)), name)
	}
}

func TestLinkMatrix(t *testing.T) {
	inv := joined(5, nv(0, 1, 4), gpu.Link{A: 0, B: 2, Kind: gpu.LinkSwitch}, gpu.Link{A: 1, B: 2, Kind: gpu.LinkSwitches},
		gpu.Link{A: 2, B: 3, Kind: gpu.LinkNode}, gpu.Link{A: 0, B: 3, Kind: gpu.LinkSystem}, gpu.Link{A: 0, B: 3, Kind: gpu.LinkNode})
	require.Equal(t, "\tGPU0\tGPU1\tGPU2\tGPU3\tGPU4\n"+
		"GPU0\t X \tNV4\tPIX\tNODE\t?\n"+
		"GPU1\tNV4\t X \tPXB\t?\t?\n"+
		"GPU2\tPIX\tPXB\t X \tNODE\t?\n"+
		"GPU3\tNODE\t?\tNODE\t X \t?\n"+
		"GPU4\t?\t?\t?\t?\t X \n", gpu.LinkMatrix(inv))
}

func TestNearest(t *testing.T) {
	for name, c := range map[string]struct {
		inv   gpu.Inventory
		among []int
		k     int
		want  []int
	}{
		"one":                     {joined(3), nil, 1, []int{0}},
		"all":                     {joined(3), nil, 3, []int{0, 1, 2}},
		"the linked pair":         {joined(4, nv(1, 3, 4)), nil, 2, []int{1, 3}},
		"first of two pairs":      {joined(4, nv(1, 2, 4), nv(0, 3, 4)), nil, 2, []int{0, 3}},
		"more links":              {joined(4, nv(0, 3, 4), nv(1, 2, 8)), nil, 2, []int{1, 2}},
		"not offered":             {joined(4, nv(1, 2, 4), nv(0, 3, 4)), []int{1, 2, 3}, 2, []int{1, 2}},
		"island before all links": {joined(5, nv(0, 1, 18), nv(2, 3, 1), nv(3, 4, 1)), nil, 3, []int{2, 3, 4}},
		"pair and the near one": {
			joined(4, nv(1, 2, 4), gpu.Link{A: 0, B: 1, Kind: gpu.LinkSystem}, gpu.Link{A: 0, B: 2, Kind: gpu.LinkSystem},
				gpu.Link{A: 1, B: 3, Kind: gpu.LinkSwitch}, gpu.Link{A: 2, B: 3, Kind: gpu.LinkSwitch}), nil, 3, []int{1, 2, 3},
		},
		"one socket":    {fakeProbe(t, "l40sx4"), []int{1, 2, 3}, 2, []int{2, 3}},
		"sixteen of 16": {fakeProbe(t, "h100x16"), nil, 16, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	} {
		got, err := gpu.Nearest(c.inv, c.among, c.k)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
	for name, c := range map[string]struct {
		among []int
		k     int
	}{
		"none asked": {nil, 0}, "too many": {nil, 4}, "more than offered": {[]int{0}, 2}, "nothing offered": {[]int{}, 1}, "twice": {[]int{1, 1}, 1},
		"beyond": {[]int{3}, 1}, "below": {[]int{-1}, 1},
	} {
		_, err := gpu.Nearest(joined(3), c.among, c.k)
		require.ErrorIs(t, err, gpu.ErrInvalid, name)
	}
	_, err := gpu.Nearest(joined(17), nil, 1)
	require.ErrorIs(t, err, gpu.ErrInvalid)
}

// rank is the oracle's cost of a list of devices: it goes through pairs and lists, not sets.
func rank(inv gpu.Inventory, devices []int) []int {
	largest := 0
	for _, island := range gpu.Islands(inv) {
		n := 0
		for _, d := range devices {
			if slices.Contains(island, d) {
				n++
			}
		}
		largest = max(largest, n)
	}
	pairs := map[gpu.LinkKind]int{}
	links := 0
	for i, a := range devices {
		for _, b := range devices[i+1:] {
			best := gpu.Link{Kind: gpu.LinkUnknown}
			for _, l := range inv.Links {
				if int(l.A) == a && int(l.B) == b && l.Kind != gpu.LinkUnknown && (best.Kind == gpu.LinkUnknown || l.Kind < best.Kind) {
					best = l
				}
			}
			pairs[best.Kind]++
			if best.Kind == gpu.LinkNVLink {
				links += int(best.Count)
			}
		}
	}
	return append([]int{
		-largest, pairs[gpu.LinkUnknown], pairs[gpu.LinkSystem], pairs[gpu.LinkNode], pairs[gpu.LinkHost], pairs[gpu.LinkSwitches],
		pairs[gpu.LinkSwitch], pairs[gpu.LinkBoard], -links,
	}, devices...)
}

// best tries every list, by recursion.
func best(inv gpu.Inventory, k int) []int {
	var found, cost []int
	var walk func(from int, have []int)
	walk = func(from int, have []int) {
		if len(have) == k {
			if c := rank(inv, have); found == nil || slices.Compare(c, cost) < 0 {
				found, cost = slices.Clone(have), c
			}
			return
		}
		for i := from; i < len(inv.Devices); i++ {
			walk(i+1, append(slices.Clone(have), i))
		}
	}
	walk(0, nil)
	return found
}

func TestNearestAgainstBruteForce(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 400 {
		n := 1 + random.IntN(8)
		inv := joined(n)
		for a := range n {
			for b := a + 1; b < n; b++ {
				for random.IntN(4) > 0 { // sometimes none, sometimes several
					l := gpu.Link{A: uint8(a), B: uint8(b), Kind: gpu.LinkKind(random.IntN(8))}
					if l.Kind == gpu.LinkNVLink {
						l.Count = uint8(random.IntN(3))
					}
					inv.Links = append(inv.Links, l)
					if random.IntN(3) > 0 {
						break
					}
				}
			}
		}
		k := 1 + random.IntN(n)
		got, err := gpu.Nearest(inv, nil, k)
		require.NoError(t, err)
		want := best(inv, k)
		require.Equal(t, rank(inv, want), rank(inv, got), "%+v", inv.Links)
	}
}

func BenchmarkNearest(b *testing.B) {
	inv := fakeProbe(b, "h100x16")
	b.Run("devices=16/k=8", func(b *testing.B) {
		for b.Loop() {
			if _, err := gpu.Nearest(inv, nil, 8); err != nil {
				b.Fatal(err)
			}
		}
	})
}
