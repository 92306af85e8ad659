package gpu

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Islands divides the devices into groups that NVLink joins, directly or through each other and through switches: what a
// Link says, and what the NVLinks of a device say that are up. A device that NVLink joins to none is an island of its own.
// Indices ascend within an island, and islands go by their first device.
func Islands(inv Inventory) [][]int {
	parent := make([]int, len(inv.Devices))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			i = parent[i]
		}
		return i
	}
	join := func(a, b int) {
		a, b = root(a), root(b)
		parent[max(a, b)] = min(a, b) // the root is the first device of its island
	}
	for _, l := range inv.Links {
		if l.Kind == LinkNVLink && int(max(l.A, l.B)) < len(parent) {
			join(int(l.A), int(l.B))
		}
	}
	joinRemote(inv.Devices, join)
	var out [][]int
	at := make([]int, len(parent))
	for i := range parent {
		r := root(i)
		if r == i {
			at[i] = len(out)
			out = append(out, nil)
		}
		out[at[r]] = append(out[at[r]], i)
	}
	return out
}

// joinRemote joins devices by what their links that are up say of their other ends: a device of this host, or a switch that
// another device is on too.
func joinRemote(devices []Device, join func(a, b int)) {
	slot := map[uint64]int{}
	for i, d := range devices {
		if s, ok := parseBus(d.BusID); ok {
			slot[s] = i
		}
	}
	onSwitch := map[uint64]int{}
	for i, d := range devices {
		if d.Reading == nil {
			continue
		}
		for _, l := range d.Reading.NVLinks.V {
			s, ok := parseBus(l.RemoteBusID)
			if !l.Up || !ok {
				continue
			}
			if j, here := slot[s]; here {
				join(i, j)
			} else if l.RemoteKind == "switch" {
				if j, other := onSwitch[s]; other {
					join(i, j)
				}
				onSwitch[s] = i
			}
		}
	}
}

// LinkMatrix draws how every pair of devices is joined, as nvidia-smi topo -m does: tabs between the columns, " X " for a
// device itself, NV4 for four NVLinks. A pair of which nothing is known shows as "?".
func LinkMatrix(inv Inventory) string {
	links := linkTable(inv)
	var b strings.Builder
	for i := range inv.Devices {
		fmt.Fprintf(&b, "\tGPU%d", i)
	}
	b.WriteByte('\n')
	for i := range inv.Devices {
		fmt.Fprintf(&b, "GPU%d", i)
		for j := range inv.Devices {
			b.WriteByte('\t')
			switch l := links[i][j]; {
			case i == j:
				b.WriteString(" X ")
			case l.Kind == LinkUnknown:
				b.WriteByte('?')
			case l.Kind == LinkNVLink:
				fmt.Fprintf(&b, "%v%d", l.Kind, l.Count)
			default:
				b.WriteString(l.Kind.String())
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Nearest returns the k devices of among, indices into Inventory.Devices, that are best put to work on one job; among nil is
// all of them. Best is, in this order: most devices in one island; fewest pairs of which nothing is known, then across
// sockets, within a NUMA node, below a host bridge, behind several switches, behind one, on one board; most NVLinks; least
// indices. It looks at every subset, at most 12870 of 16 devices, so the answer is exact. Indices ascend. An error wraps
// ErrInvalid: k is not in 1..len(among), or an index is out of range or there twice.
func Nearest(inv Inventory, among []int, k int) ([]int, error) {
	if len(inv.Devices) > MaxDevices {
		return nil, fmt.Errorf("%w: %d devices, at most %d", ErrInvalid, len(inv.Devices), MaxDevices)
	}
	var allowed uint32
	for _, i := range among {
		if i < 0 || i >= len(inv.Devices) || allowed>>i&1 == 1 {
			return nil, fmt.Errorf("%w: among: %d is out of range or there twice", ErrInvalid, i)
		}
		allowed |= 1 << i
	}
	if among == nil {
		allowed = 1<<len(inv.Devices) - 1
	}
	if k < 1 || k > bits.OnesCount32(allowed) {
		return nil, fmt.Errorf("%w: %d devices of %d", ErrInvalid, k, bits.OnesCount32(allowed))
	}
	sets := newLinkSets(inv)
	var best uint32 // 0: none yet
	var bestCost subsetCost
	end := uint32(1) << len(inv.Devices)
	// Gosper's hack walks the sets of k bits upwards. Of two equally good sets the one with the lower first index wins, which
	// is not the lower number: {0,3} is 9 and {1,2} is 6.
	for set := uint32(1)<<k - 1; set < end; {
		if set&^allowed == 0 {
			c := sets.cost(set)
			if d := slices.Compare(c[:], bestCost[:]); best == 0 || d < 0 || d == 0 && lessIndices(set, best) {
				best, bestCost = set, c
			}
		}
		low := set & -set
		next := set + low
		set = next | (set^next)>>2/low
	}
	return bitIndices(best), nil
}

// linkTable spreads the links over a square table; a pair with none is LinkUnknown, and of two links the nearer counts.
func linkTable(inv Inventory) [][]Link {
	t := make([][]Link, len(inv.Devices))
	for i := range t {
		t[i] = make([]Link, len(inv.Devices))
	}
	for _, l := range inv.Links {
		if int(max(l.A, l.B)) >= len(t) || l.A == l.B || l.Kind > LinkSystem || l.Kind == LinkUnknown {
			continue
		}
		if old := t[l.A][l.B]; old.Kind == LinkUnknown || l.Kind < old.Kind {
			t[l.A][l.B], t[l.B][l.A] = l, l
		}
	}
	return t
}

// costLevels are the parts of a cost.
const costLevels = 9

// subsetCost is compared from the first part on: devices outside the largest island, pairs by kind of link from the worst,
// and NVLinks, negative because more are better.
type subsetCost [costLevels]int

// linkSets holds for every device the set of those that are joined to it by each kind of link.
type linkSets struct {
	islands []uint32
	peers   [LinkSystem + 1][MaxDevices]uint32
	count   [MaxDevices][MaxDevices]int // NVLinks
}

func newLinkSets(inv Inventory) *linkSets {
	n := &linkSets{}
	for _, island := range Islands(inv) {
		var set uint32
		for _, i := range island {
			set |= 1 << i
		}
		n.islands = append(n.islands, set)
	}
	for i, row := range linkTable(inv) {
		for j, l := range row {
			if i != j {
				n.peers[l.Kind][i] |= 1 << j
			}
			if l.Kind == LinkNVLink {
				n.count[i][j] = int(l.Count)
			}
		}
	}
	return n
}

func (n *linkSets) cost(set uint32) subsetCost {
	var c subsetCost
	largest := 0
	for _, island := range n.islands {
		largest = max(largest, bits.OnesCount32(island&set))
	}
	c[0] = bits.OnesCount32(set) - largest
	heaviest := [...]LinkKind{LinkUnknown, LinkSystem, LinkNode, LinkHost, LinkSwitches, LinkSwitch, LinkBoard}
	for rest := set; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros32(rest)
		for level, kind := range heaviest {
			c[1+level] += bits.OnesCount32(n.peers[kind][i] & set) // every pair counts twice
		}
		for nv := n.peers[LinkNVLink][i] & set; nv != 0; nv &= nv - 1 {
			c[costLevels-1] -= n.count[i][bits.TrailingZeros32(nv)]
		}
	}
	return c
}

// lessIndices compares two sets of equal size as ascending lists of indices: the one with the lowest bit that the other
// lacks comes first.
func lessIndices(a, b uint32) bool {
	differ := a ^ b
	return a&(differ&-differ) != 0
}

func bitIndices(set uint32) []int {
	out := make([]int, 0, bits.OnesCount32(set))
	for ; set != 0; set &= set - 1 {
		out = append(out, bits.TrailingZeros32(set))
	}
	return out
}
