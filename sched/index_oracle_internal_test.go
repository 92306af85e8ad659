package sched

import (
	"cmp"
	"math"
	"math/bits"
	"math/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// twin is a fleet of nodes as an index holds it, kept the slow way.
type twin struct {
	x         *index
	prices    []uint32
	standings []uint32
	nodes     map[int32]*twinNode
	parts     map[[2]int32]*twinPart
}

type twinNode struct {
	nodeFacts
	at    int32
	up    bool
	free  uint16
	cpu   uint32 // free, as are ram and disk
	ram   uint32
	disk  uint32
	share uint16
	book  bool
}

// twinPart is a partition: its slots in order, each with the number that it has in the index; nil is a hole.
type twinPart struct {
	kind, country int32

	slots []*twinNode
	at    []int32
	runs  []*twinRun // nil is a hole
	runAt []int32
}

type twinRun struct {
	site  int32
	nodes []*twinNode
}

func newTwin(prices, standings []uint32) *twin {
	return &twin{
		x: newIndex(prices, standings), prices: prices, standings: standings, nodes: map[int32]*twinNode{}, parts: map[[2]int32]*twinPart{},
	}
}

func (w *twin) add(t *testing.T, f nodeFacts) *twinNode {
	i := w.x.add(f)
	n := &twinNode{nodeFacts: f, at: i, free: uint16(1<<f.cards - 1), cpu: f.cpu, ram: f.ram, disk: f.disk}
	require.NotContains(t, w.nodes, i)
	w.nodes[i] = n
	key := [2]int32{f.kind, f.country}
	p := w.parts[key]
	if p == nil {
		p = &twinPart{kind: f.kind, country: f.country}
		w.parts[key] = p
	}
	if hole := slices.Index(p.slots, nil); hole >= 0 {
		require.Equal(t, p.at[hole], i, "the first hole is filled")
		p.slots[hole] = n
	} else {
		p.slots, p.at = append(p.slots, n), append(p.at, i)
	}
	r := w.x.row(i).run
	at := slices.IndexFunc(p.runs, func(r *twinRun) bool { return r != nil && r.site == f.site })
	switch {
	case at >= 0:
		require.Equal(t, p.runAt[at], r)
	case slices.Contains(p.runs, nil):
		at = slices.Index(p.runs, nil)
		require.Equal(t, p.runAt[at], r)
		p.runs[at] = &twinRun{site: f.site}
	default:
		at = len(p.runs)
		p.runs, p.runAt = append(p.runs, &twinRun{site: f.site}), append(p.runAt, r)
	}
	p.runs[at].nodes = append(p.runs[at].nodes, n)
	slices.SortFunc(p.runs[at].nodes, func(a, b *twinNode) int { return cmp.Compare(slices.Index(p.slots, a), slices.Index(p.slots, b)) })
	return n
}

func (w *twin) remove(n *twinNode) {
	w.x.remove(n.at)
	delete(w.nodes, n.at)
	p := w.parts[[2]int32{n.kind, n.country}]
	p.slots[slices.Index(p.slots, n)] = nil
	for at, r := range p.runs {
		if r != nil && r.site == n.site {
			if r.nodes = slices.DeleteFunc(r.nodes, func(m *twinNode) bool { return m == n }); len(r.nodes) == 0 {
				p.runs[at] = nil
			}
		}
	}
}

// order is all nodes that a query may look at, in the order of a scan, as partitions.
func (w *twin) order(q *query) []*twinPart {
	kinds := q.kinds
	if kinds == nil {
		for k := range int32(100) {
			kinds = append(kinds, k)
		}
	}
	var out []*twinPart
	for _, k := range kinds {
		for c := range int32(100) {
			if p := w.parts[[2]int32{k, c}]; p != nil && q.allows(c) {
				out = append(out, p)
			}
		}
	}
	return out
}

func (w *twin) scan(q *query) []int32 {
	out := []int32{}
	for _, p := range w.order(q) {
		for _, n := range p.slots {
			if n != nil && w.cutBy(q, n) == fieldNone {
				out = append(out, n.at)
			}
		}
	}
	return out
}

func band(limits []uint32, v uint32) int {
	b := 0
	for b < len(limits) && v > limits[b] {
		b++
	}
	return b
}

// cutBy is the first filter that a node fails.
func (w *twin) cutBy(q *query, n *twinNode) field {
	now := !q.anyFree
	free := bits.OnesCount16(n.free)
	switch {
	case !n.up:
		return fieldDown
	case q.kinds != nil && slices.Contains(q.small, n.kind):
		return fieldMemory
	case q.kinds != nil && !slices.Contains(q.kinds, n.kind):
		return fieldModel
	case !q.allows(n.country):
		return fieldCountry
	case n.connectivity < q.connectivity:
		return fieldConnectivity
	case n.compliance&q.compliance != q.compliance:
		return fieldCompliance
	case n.assurance < q.assurance:
		return fieldAssurance
	case n.tier < q.tier:
		return fieldTier
	case n.standing < q.standing:
		return fieldStanding
	case n.hour > q.hour || q.band > 0 && band(w.prices, n.hour) != q.band-1:
		return fieldPrice
	case int(n.cards) < q.gpus:
		return fieldSize
	case now && q.share == 0 && free < q.gpus || now && q.share > n.share || !now && q.share > 0 && !n.shares || q.share > 1000:
		return fieldCards
	case now && n.cpu < q.cpu:
		return fieldCPU
	case now && n.ram < q.ram:
		return fieldRAM
	case now && n.disk < q.disk:
		return fieldDisk
	}
	return fieldNone
}

// valueOf is the value of a node in a field, for a query that may want whole devices or a share.
func valueOf(q *query, n *twinNode, f field) uint32 {
	switch f {
	case fieldConnectivity:
		return uint32(n.connectivity)
	case fieldCompliance:
		return uint32(n.compliance & q.compliance)
	case fieldAssurance:
		return uint32(n.assurance)
	case fieldTier:
		return uint32(n.tier)
	case fieldStanding:
		return n.standing
	case fieldPrice:
		return n.hour
	case fieldSize:
		return uint32(n.cards)
	case fieldCards:
		if q.share > 0 {
			return uint32(n.share)
		}
		return uint32(bits.OnesCount16(n.free))
	case fieldCPU:
		return n.cpu
	case fieldRAM:
		return n.ram
	case fieldDisk:
		return n.disk
	}
	return 0
}

func better(f field, a, b uint32) bool {
	switch f {
	case fieldPrice:
		return a < b
	case fieldCompliance:
		return bits.OnesCount32(a) > bits.OnesCount32(b) || bits.OnesCount32(a) == bits.OnesCount32(b) && a < b
	}
	return a > b
}

func (w *twin) census(q *query) census {
	var out census
	var some [fields]bool
	for _, n := range w.nodes {
		f := w.cutBy(q, n)
		if f == fieldCards && q.share == 0 && q.anyFree {
			panic("no limit on what is free")
		}
		c := &out[f]
		c.nodes++
		c.cards += int32(n.cards)
		if f < fieldConnectivity || f == fieldCompliance || f == fieldNone {
			continue
		}
		if v := valueOf(q, n, f); !some[f] || better(f, v, c.have) {
			c.have, some[f] = v, true
		}
	}
	return out
}

// loosest tries every node with the limit of one field lifted by hand.
func (w *twin) loosest(q *query, f field) (value uint32, ok bool) {
	l := *q
	switch f {
	case fieldConnectivity:
		l.connectivity = 0
	case fieldCompliance:
		l.compliance = 0
	case fieldAssurance:
		l.assurance = 0
	case fieldTier:
		l.tier = 0
	case fieldStanding:
		l.standing = 0
	case fieldPrice:
		l.hour, l.band = math.MaxUint32, 0
	case fieldSize, fieldCards:
		switch {
		case q.share > 0 && (f == fieldSize || q.anyFree), q.gpus == 0 && q.share == 0:
			return 0, false
		case q.share > 0:
			l.share = 1
		default:
			l.gpus = 1
		}
	case fieldCPU:
		l.cpu = 0
	case fieldRAM:
		l.ram = 0
	case fieldDisk:
		l.disk = 0
	default:
		return 0, false
	}
	if f >= fieldCPU && q.anyFree {
		return 0, false
	}
	g := f
	if f == fieldSize && !q.anyFree {
		g = fieldCards
	}
	if f == fieldCards && q.anyFree {
		g = fieldSize
	}
	for _, n := range w.nodes {
		if w.cutBy(&l, n) == fieldNone {
			if v := valueOf(q, n, g); !ok || better(f, v, value) {
				value, ok = v, true
			}
		}
	}
	return value, ok
}

func (w *twin) room(q *query, run *twinRun, limit int) int {
	sum := 0
	for _, n := range run.nodes {
		if q.kinds != nil && !slices.Contains(q.kinds, n.kind) || !q.allows(n.country) || w.cutBy(q, n) != fieldNone {
			continue
		}
		k := limit
		switch {
		case q.share > 0:
			k = 1
		case q.gpus > 0 && q.anyFree:
			k = int(n.cards) / q.gpus
		case q.gpus > 0:
			k = bits.OnesCount16(n.free) / q.gpus
		}
		if !q.anyFree && q.share == 0 {
			for _, d := range [][2]uint32{{n.cpu, q.cpu}, {n.ram, q.ram}, {n.disk, q.disk}} {
				if d[1] > 0 {
					k = min(k, int(d[0]/d[1]))
				}
			}
		}
		sum += k
	}
	return min(sum, limit)
}

func (r *twinRun) free() int {
	sum := 0
	for _, n := range r.nodes {
		if n.up {
			sum += bits.OnesCount16(n.free)
		}
	}
	return sum
}

// runsWith is the runs with so many free devices in the order of nextRun.
func (w *twin) runsWith(q *query, cards int) []int32 {
	out := []int32{}
	for b := range 31 {
		for _, p := range w.order(q) {
			for at, r := range p.runs {
				if r == nil {
					continue
				}
				if f := r.free(); f >= max(cards, 1) && bits.Len(uint(f))-1 == b {
					out = append(out, p.runAt[at])
				}
			}
		}
	}
	return out
}

// Values near every limit that the index knows.
var (
	twinPrices    = []uint32{100, 5000, 5001, 70_000}
	twinStandings = []uint32{1, 4000, 500_000, 999_999}
	twinCountries = []int32{0, 1, 5, 63, 64, 70}
)

func near(r *rand.Rand, limits ...uint32) uint32 {
	v := limits[r.Intn(len(limits))] + uint32(r.Intn(3))
	return max(v, 1) - 1
}

func somePrice(r *rand.Rand) uint32 {
	return near(r, 0, 100, 5000, 5001, 70_000, 90_000, math.MaxUint32-2)
}

func someStanding(r *rand.Rand) uint32 {
	return near(r, 0, 1, 15, 4000, 4096, 8192, 500_000, 500_016, 999_999)
}

func someCPU(r *rand.Rand) uint32 {
	return near(r, 0, 500, 1000, 2000, 4000, 4096, 8000, 8192, 8192+32, 64_000, 64_016, 128_000, 256_000)
}
func someRAM(r *rand.Rand) uint32 { return near(r, 0, 100, 4095, 4096, 65_536, 65_568, 1<<31) }

// manyBits has three of four bits set.
func manyBits(r *rand.Rand) uint16 {
	a, b := r.Intn(1<<16), r.Intn(1<<16)
	return uint16(a | b)
}

func someFacts(r *rand.Rand) nodeFacts {
	return nodeFacts{
		kind: int32(r.Intn(4)), country: twinCountries[r.Intn(1+r.Intn(len(twinCountries)))], site: int32(r.Intn(6)), supplier: 3, shape: 9,
		hour: somePrice(r), standing: someStanding(r), cpu: someCPU(r), ram: someRAM(r), disk: someRAM(r),
		cards: uint8(1 + r.Intn(1+r.Intn(16))), tier: uint8(r.Intn(5)), connectivity: uint8(1 + r.Intn(4)), assurance: uint8(r.Intn(5)),
		compliance: uint8(manyBits(r)), shares: r.Intn(2) == 0,
	}
}

// step does one random thing to both sides.
func (w *twin) step(t *testing.T, r *rand.Rand) {
	if len(w.nodes) == 0 || r.Intn(6) == 0 {
		n := w.add(t, someFacts(r))
		n.up = r.Intn(4) > 0
		w.x.setUp(n.at, n.up)
		return
	}
	n := w.some(r)
	switch r.Intn(10) {
	case 0:
		w.remove(n)
	case 1:
		n.up = !n.up
		w.x.setUp(n.at, n.up)
		w.x.setUp(n.at, n.up)
	case 2, 3:
		f := someFacts(r)
		n.hour, n.standing, n.tier, n.connectivity = f.hour, f.standing, f.tier, f.connectivity
		n.assurance, n.compliance = f.assurance, f.compliance
		w.x.change(n.at, n.hour, n.standing, n.tier, n.connectivity, n.assurance, n.compliance)
	case 4:
		if n.shares {
			n.share = uint16(min(near(r, 0, 1, 125, 250, 300, 875, 1000), 1000))
			w.x.setShare(n.at, n.share)
		}
	case 5:
		n.book = !n.book
		w.x.setBooked(n.at, n.book)
	default:
		n.free = uint16(r.Intn(1<<n.cards)) & manyBits(r)
		n.cpu, n.ram, n.disk = someCPU(r), someRAM(r), someRAM(r)
		w.x.setFree(n.at, n.free, n.cpu, n.ram, n.disk)
	}
}

// some is one of the nodes, by chance and the same for the same r.
func (w *twin) some(r *rand.Rand) *twinNode {
	parts := w.order(&query{})
	for {
		p := parts[r.Intn(len(parts))]
		if n := p.slots[r.Intn(len(p.slots))]; n != nil {
			return n
		}
	}
}

// someQuery sets each filter with a chance that leaves some nodes.
func someQuery(r *rand.Rand) query {
	q := query{hour: math.MaxUint32}
	maybe := func(set func()) {
		if r.Intn(4) == 0 {
			set()
		}
	}
	maybe(func() { q.hour = somePrice(r) })
	maybe(func() { q.standing = someStanding(r) })
	maybe(func() { q.cpu = someCPU(r) })
	maybe(func() { q.ram = someRAM(r) })
	maybe(func() { q.disk = someRAM(r) })
	maybe(func() { q.tier = uint8(r.Intn(6)) })
	maybe(func() { q.connectivity = uint8(r.Intn(6)) })
	maybe(func() { q.assurance = uint8(r.Intn(6)) })
	maybe(func() {
		q.compliance = 1 << r.Intn(8)
		if r.Intn(2) == 0 {
			q.compliance |= 1 << r.Intn(8)
		}
	})
	maybe(func() { q.anyFree = true })
	maybe(func() {
		q.countries = make([]uint64, 1+r.Intn(2))
		for i := range q.countries {
			q.countries[i] = r.Uint64() | 1<<r.Intn(64)
		}
	})
	if r.Intn(2) == 0 {
		q.kinds = []int32{}
		for _, k := range r.Perm(6)[:r.Intn(4)] {
			q.kinds = append(q.kinds, int32(k))
		}
		for _, k := range r.Perm(6)[:r.Intn(3)] {
			if !slices.Contains(q.kinds, int32(k)) {
				q.small = append(q.small, int32(k))
			}
		}
	}
	switch r.Intn(4) {
	case 0:
		q.gpus = 1 + r.Intn(17)
	case 1:
		q.gpus = 1 + r.Intn(3)
	case 2:
		q.gpus, q.share = 1, uint16(near(r, 1, 2, 125, 250, 300, 875, 1000))
	}
	return q
}
