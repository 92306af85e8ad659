package sched

import (
	"math/bits"
	"slices"
)

// index finds nodes. A node's number is its position: the nodes of one kind (model and memory of a device) in one country are a
// partition, whose positions lie together in order of joining, and for every value that a query may ask for there is a bit map
// over the positions, so that a query is the AND of a few words. Everything is in pages that views share. The numbers of kinds,
// countries, sites, suppliers and shapes are the caller's, dense and from 0.
//
// Which nodes a query finds, and in which order, depends only on the order of nodes inside their partitions, and that on what was
// called in which order. Positions depend on more, and decide nothing.
type index struct {
	prices    []uint32 // ascending: band b holds prices <= prices[b], above those of band b - 1
	standings []uint32 // ascending: level l holds standings >= standings[l-1]
	nodes     space
	runSpace  space
	maps      rack
	sums      [maxDevices + 1]pages[uint64] // bit w of sums[k]: word w of mapUp + k is not zero
	records   pages[record]
	rows      pages[nodeRow]
	owner     pages[int32]  // by eight positions: their partition
	shares    pages[uint16] // thousandths of a device: the largest part of one that is free
	runs      pages[run]
	runTaken  pages[uint64]
	buckets   [runBuckets]pages[uint64] // by run: bits.Len32(free) - 1 is the bucket
	firstRun  pages[int32]              // by site: 1 + the first run
	parts     pages[partition]
	counts    pages[counts] // by partition
	kinds     pages[kindBlocks]
	blocks    pages[block]
	avail     pages[[maxDevices + 1]uint64] // by block: countries that have a node up with so many devices free
	gangs     pages[[runBuckets]uint64]     // by block: countries that have a run in the bucket
	partCount int32
	kindCount int32
	blockLen  int32
	total     counts
}

// The bit maps, all by position.
const (
	mapUp        = 0                      // is up; mapUp + k: is up and has at least k devices wholly free, k = 1..16
	mapTier      = mapUp + maxDevices + 1 // + l - 1: tier >= l, l = 1..4
	mapConnect   = mapTier + 4            // + l - 2: connectivity >= l, l = 2..4
	mapAssure    = mapConnect + 3         // + l - 1: assurance >= l, l = 1..4
	mapComply    = mapAssure + 4          // + b: has bit b of compliance
	mapCPU       = mapComply + 8          // + l - 1: free CPU >= 2^(l-1) cores, l = 1..8
	mapShare     = mapCPU + cpuLevels     // + l - 1: largest free share >= shareLevel(l)
	mapSize      = mapShare + shareLevels // + b: bit b of cards - 1
	mapTaken     = mapSize + 4            // the position is a node
	mapPrice     = mapTaken + 1           // + b: price <= prices[b]
	mapStanding  = mapPrice + maxBands    // + b: standing >= standings[b]
	mapCount     = mapStanding + maxBands
	maxBands     = 31
	cpuLevels    = 8
	shareLevels  = 9
	runBuckets   = 31
	levelMax     = 4 // of tier, connectivity, assurance
	milliPerCore = 1000
	wholeDevice  = 1000 // thousandths
)

// record is all that a scan reads of a node beyond the bit maps.
type record struct {
	hour     uint32 // price of a device for an hour, millionths of a dollar
	standing uint16 // parts per million / 16; the rest is in bits
	free     uint16 // bit k: device k is wholly free
	cpu      uint16 // coarse of thousandths of a core that are free
	ram      uint16 // coarse of MiB that are free
	disk     uint16 // coarse of what is free
	bits     uint16 // cards - 1, tier, connectivity - 1, two flags, standing % 16
}

const (
	bitsTier    = 4
	bitsConnect = 7
	maskCards   = 15
	maskTier    = 7 << bitsTier
	maskConnect = 3 << bitsConnect
	bitsBooked  = 1 << 9
	bitsShares  = 1 << 10
	bitsPPM     = 11
	maskPPM     = 15 << bitsPPM
	maxStanding = 1<<20 - 1
)

func (r *record) cards() int          { return int(r.bits&maskCards) + 1 }
func (r *record) tier() uint8         { return uint8(r.bits >> bitsTier & 7) }
func (r *record) connectivity() uint8 { return uint8(r.bits>>bitsConnect&3) + 1 }

// exactStanding is the standing in parts per million.
func (r *record) exactStanding() uint32 { return uint32(r.standing)<<4 | uint32(r.bits>>bitsPPM&15) }

// setStanding sets the standing, at most maxStanding.
func (r *record) setStanding(ppm uint32) {
	r.standing, r.bits = uint16(ppm>>4), r.bits&^maskPPM|uint16(ppm&15)<<bitsPPM
}

// booked says whether the node has a booking that has not yet begun.
func (r *record) booked() bool { return r.bits&bitsBooked != 0 }

// shares says whether the node has devices that are given in parts.
func (r *record) shares() bool { return r.bits&bitsShares != 0 }

// nodeRow is what is exact of a node, or rarely read.
type nodeRow struct {
	cpu, ram, disk           uint32 // free
	run                      int32
	following                int32 // 1 + the next node of the run
	supplier, shape, booking int32 // the caller's; booking is 0 at first
}

// nodeFacts is a node that joins.
type nodeFacts struct {
	kind, country, site, supplier, shape             int32
	hour, standing, cpu, ram, disk                   uint32
	cards, tier, connectivity, assurance, compliance uint8
	shares                                           bool
}

// counts are of a partition, a kind or all.
type counts struct {
	nodes   int32
	cards   int32 // of all nodes
	upCards int32
	up      [maxDevices + 1]int32 // nodes that are up with at least so many devices free
}

type partition struct {
	kind, country int32
	block         int32
	nodes, runs   territory
}

// kindBlocks is a list of blocks by country / 64, -1 where there is none, and counts.
type kindBlocks struct {
	blocks  []int32 // never written again, so that views may share it
	up      int32
	upCards int32
}

// block is 64 countries of a kind: 1 + the partition of each, 0 where there is none.
type block [wordLen]int32

// check panics on facts that no map can hold: the caller has validated them.
func (n *nodeFacts) check() {
	if n.cards == 0 || n.cards > maxDevices {
		panic("sched: index.add: cards out of range")
	}
	checkTerms(n.standing, n.tier, n.connectivity, n.assurance)
}

func checkTerms(standing uint32, tier, connectivity, assurance uint8) {
	if standing > maxStanding || tier > levelMax || connectivity == 0 || connectivity > levelMax || assurance > levelMax {
		panic("sched: index: terms out of range")
	}
}

// newIndex returns an index without nodes. The bands are ascending limits, at most 31 each: a query whose limit is one of them
// reads no record for it.
func newIndex(priceBands, standingBands []uint32) *index {
	if len(priceBands) > maxBands || len(standingBands) > maxBands {
		panic("sched: newIndex: too many bands")
	}
	x := &index{prices: slices.Clone(priceBands), standings: slices.Clone(standingBands)}
	// What queries ask most comes first, so that it lies in the same line of memory: one, two, four or eight devices and the
	// lower tiers are one line.
	for _, m := range [...]int{
		mapUp + 1, mapUp + 2, mapUp + 4, mapUp + 8, mapTier, mapTier + 1, mapTier + 2, mapConnect,
		mapUp, mapConnect + 1, mapConnect + 2, mapTier + 3, mapUp + 3, mapUp + 5, mapUp + 6, mapUp + 7,
	} {
		x.maps.open(m)
	}
	for b := range priceBands {
		x.maps.open(mapPrice + b)
	}
	for b := range standingBands {
		x.maps.open(mapStanding + b)
	}
	return x
}

// view returns the index as it is now, to be read while x goes on.
func (x *index) view() *index {
	v := *x
	v.maps = x.maps.view()
	for k := range x.sums {
		v.sums[k] = x.sums[k].view()
	}
	for i := range x.buckets {
		v.buckets[i] = x.buckets[i].view()
	}
	v.records, v.rows = x.records.view(), x.rows.view()
	v.owner, v.shares = x.owner.view(), x.shares.view()
	v.runs, v.runTaken, v.firstRun = x.runs.view(), x.runTaken.view(), x.firstRun.view()
	v.parts, v.counts, v.kinds = x.parts.view(), x.counts.view(), x.kinds.view()
	v.blocks, v.avail, v.gangs = x.blocks.view(), x.avail.view(), x.gangs.view()
	return &v
}

// add enters a node as down, with everything free, and returns its number.
func (x *index) add(n nodeFacts) int32 {
	n.check()
	p := x.partition(n.kind, n.country)
	i := x.claim(p)
	x.fill(i, x.join(n.site, p, i), &n)
	return i
}

// claim finds a position for a node of a partition.
func (x *index) claim(p int32) int32 {
	t := &x.parts.edit(p).nodes
	before := t.size
	i := t.claim(&x.nodes, x.taken)
	if t.size != before {
		x.widened(p, t)
	}
	return i
}

// widened makes room for the last extent of a partition.
func (x *index) widened(p int32, t *territory) {
	if end := x.nodes.end; end > x.records.len() {
		x.lengthen(end)
	}
	e := t.extents[len(t.extents)-1]
	for i := e.start; i < e.start+e.size; i += leastExtent {
		*x.owner.edit(i / leastExtent) = p
	}
}

func (x *index) lengthen(end int32) {
	x.records.grow(end)
	x.rows.grow(end)
	x.shares.grow(end)
	x.owner.grow(x.records.len() / leastExtent)
	words := x.records.len() / wordLen
	x.maps.grow(words)
	for k := range x.sums {
		x.sums[k].grow((words + wordLen - 1) / wordLen)
	}
}

// fill writes everything about a new node.
func (x *index) fill(i, run int32, n *nodeFacts) {
	r := x.records.edit(i)
	*r = record{
		hour: n.hour, free: full(int(n.cards)),
		cpu: coarse(n.cpu), ram: coarse(n.ram), disk: coarse(n.disk),
		bits: uint16(n.cards-1) | uint16(n.tier)<<bitsTier | uint16(n.connectivity-1)<<bitsConnect,
	}
	r.setStanding(n.standing)
	if n.shares {
		r.bits |= bitsShares
	}
	row := x.rows.edit(i)
	*row = nodeRow{
		cpu: n.cpu, ram: n.ram, disk: n.disk, run: run, following: row.following, supplier: n.supplier, shape: n.shape,
	}
	x.set(mapTaken, i)
	for b := range 4 {
		x.put(mapSize+b, i, (n.cards-1)>>b&1 != 0)
	}
	x.levels(mapCPU, i, 0, cpuLevel(n.cpu))
	x.levels(mapPrice, i, x.priceBand(n.hour), len(x.prices))
	x.levels(mapStanding, i, 0, x.standingLevel(n.standing))
	x.terms(i, 0, 1, 0, 0, n.tier, n.connectivity, n.assurance, n.compliance)
	x.joined(i, 1, int32(n.cards))
}

// remove takes a node out. Its number will be given to the next node of its partition.
func (x *index) remove(i int32) {
	x.setUp(i, false)
	x.setShare(i, 0)
	r, row := x.record(i), x.row(i)
	x.levels(mapCPU, i, cpuLevel(row.cpu), 0)
	x.levels(mapPrice, i, len(x.prices), x.priceBand(r.hour))
	x.levels(mapStanding, i, x.standingLevel(r.exactStanding()), 0)
	x.terms(i, r.tier(), r.connectivity(), x.assurance(i), x.compliance(i), 0, 1, 0, 0)
	for b := range 4 {
		x.put(mapSize+b, i, false)
	}
	x.put(mapTaken, i, false)
	x.joined(i, -1, -int32(r.cards()))
	x.leave(row.run, i)
	*x.records.edit(i), *x.rows.edit(i) = record{}, nodeRow{}
	x.parts.edit(x.partOf(i)).nodes.release(i)
}

func (x *index) joined(i, nodes, cards int32) {
	c := x.counts.edit(x.partOf(i))
	c.nodes += nodes
	c.cards += cards
	x.total.nodes += nodes
	x.total.cards += cards
}

// partOf returns the partition of a node.
func (x *index) partOf(i int32) int32 { return x.owner.at(i / leastExtent) }

// assurance and compliance are in no record, but in maps.
func (x *index) assurance(i int32) uint8 {
	l := 0
	for l < levelMax && x.has(mapAssure+l, i) {
		l++
	}
	return uint8(l)
}

func (x *index) compliance(i int32) uint8 {
	set := 0
	for b := range 8 {
		if x.has(mapComply+b, i) {
			set |= 1 << b
		}
	}
	return uint8(set)
}

// share is the largest part of a device that is free on a node with shares, in thousandths.
func (x *index) share(i int32) uint16 { return x.shares.at(i) }

// isUp says whether a node is up.
func (x *index) isUp(i int32) bool { return x.has(mapUp, i) }

// record returns what scans read of a node, to be read only, until the index changes.
func (x *index) record(i int32) *record { return &x.records.table[i>>8][i&(pageLen-1)] }

// row returns the rest of a node, to be read only, until the index changes.
func (x *index) row(i int32) *nodeRow { return &x.rows.table[i>>8][i&(pageLen-1)] }

// editRow returns the rest of a node; only supplier, shape and booking may be changed through it.
func (x *index) editRow(i int32) *nodeRow { return x.rows.edit(i) }

// setUp says whether a node is a candidate.
func (x *index) setUp(i int32, up bool) {
	if x.isUp(i) == up {
		return
	}
	r, run, p := x.records.at(i), x.rows.at(i).run, x.partOf(i)
	free, sign := count(r.free), int32(1)
	if up {
		x.atLeast(p, i, -1, free)
	} else {
		sign = -1
		x.atLeast(p, i, free, -1)
	}
	k := x.kinds.edit(x.parts.at(p).kind)
	cards := sign * int32(r.cards())
	k.up += sign
	k.upCards += cards
	x.counts.edit(p).upCards += cards
	x.total.up[0] += sign
	x.total.upCards += cards
	x.runFree(run, sign*int32(free))
}

// setFree says what of a node is free now: the mask of its wholly free devices, and the rest in the units of nodeFacts.
func (x *index) setFree(i int32, free uint16, cpu, ram, disk uint32) {
	r, row := x.records.edit(i), x.rows.edit(i)
	if cpu != row.cpu {
		if a, b := cpuLevel(row.cpu), cpuLevel(cpu); a != b {
			x.levels(mapCPU, i, a, b)
		}
		r.cpu, row.cpu = coarse(cpu), cpu
	}
	if ram != row.ram {
		r.ram, row.ram = coarse(ram), ram
	}
	if disk != row.disk {
		r.disk, row.disk = coarse(disk), disk
	}
	before, now := count(r.free), count(free)
	r.free = free
	if before != now && x.isUp(i) {
		x.atLeast(x.partOf(i), i, before, now)
		x.runFree(row.run, int32(now-before))
	}
}

// setShare says how many thousandths of one device are free at most on a node whose devices are given in parts.
func (x *index) setShare(i int32, milli uint16) {
	if before := x.share(i); before != milli {
		x.levels(mapShare, i, shareLevel(before), shareLevel(milli))
		*x.shares.edit(i) = milli
	}
}

// setBooked says whether a node has a booking that has not yet begun.
func (x *index) setBooked(i int32, booked bool) {
	if x.record(i).booked() != booked {
		x.records.edit(i).bits ^= bitsBooked
	}
}

// change gives a node new terms.
func (x *index) change(i int32, hour, standing uint32, tier, connectivity, assurance, compliance uint8) {
	checkTerms(standing, tier, connectivity, assurance)
	r := x.records.edit(i)
	x.levels(mapPrice, i, x.priceBand(hour), x.priceBand(r.hour))
	x.levels(mapStanding, i, x.standingLevel(r.exactStanding()), x.standingLevel(standing))
	x.terms(i, r.tier(), r.connectivity(), x.assurance(i), x.compliance(i), tier, connectivity, assurance, compliance)
	r.hour = hour
	r.setStanding(standing)
	r.bits = r.bits&^(maskTier|maskConnect) | uint16(tier)<<bitsTier | uint16(connectivity-1)<<bitsConnect
}

// terms turns the bits of one set of levels into those of another.
func (x *index) terms(i int32, t, c, a, s, tier, connectivity, assurance, compliance uint8) {
	x.levels(mapTier, i, int(t), int(tier))
	x.levels(mapConnect, i, int(c)-1, int(connectivity)-1)
	x.levels(mapAssure, i, int(a), int(assurance))
	for d := s ^ compliance; d != 0; d &= d - 1 {
		b := bits.TrailingZeros8(d)
		x.put(mapComply+b, i, compliance>>b&1 != 0)
	}
}

// levels moves a bit from the first before maps of a row of maps to the first now of them.
func (x *index) levels(first int, i int32, before, now int) {
	for l := before; l < now; l++ {
		x.set(first+l, i)
	}
	for l := now; l < before; l++ {
		x.drop(first+l, i)
	}
}

// atLeast moves a node from having so many free devices to having others; -1 is being down.
func (x *index) atLeast(p, i int32, before, now int) {
	c, w, bit := x.counts.edit(p), i>>6, uint64(1)<<(i&63)
	for k := before + 1; k <= now; k++ {
		word := x.maps.edit(mapUp+k, w)
		if *word == 0 {
			*x.sums[k].edit(w >> 6) |= 1 << (w & 63)
		}
		*word |= bit
		if c.up[k]++; c.up[k] == 1 {
			x.offer(p, k, true)
		}
	}
	for k := now + 1; k <= before; k++ {
		word := x.maps.edit(mapUp+k, w)
		if *word &^= bit; *word == 0 {
			*x.sums[k].edit(w >> 6) &^= 1 << (w & 63)
		}
		if c.up[k]--; c.up[k] == 0 {
			x.offer(p, k, false)
		}
	}
}

// offer notes whether a partition has a node with at least k free devices.
func (x *index) offer(p int32, k int, on bool) {
	part := x.part(p)
	if bit := uint64(1) << (part.country & 63); on {
		x.avail.edit(part.block)[k] |= bit
	} else {
		x.avail.edit(part.block)[k] &^= bit
	}
}

// partition returns the partition of a kind and a country, a new one if there is none.
func (x *index) partition(k, country int32) int32 {
	if k >= x.kindCount {
		x.kindCount = k + 1
		x.kinds.grow(x.kindCount)
	}
	n := int(country >> 6)
	if blocks := x.kinds.at(k).blocks; n >= len(blocks) || blocks[n] < 0 {
		longer := slices.Clone(blocks)
		for len(longer) <= n {
			longer = append(longer, -1)
		}
		longer[n] = x.blockLen
		x.kinds.edit(k).blocks = longer
		x.blockLen++
		x.blocks.grow(x.blockLen)
		x.avail.grow(x.blockLen)
		x.gangs.grow(x.blockLen)
		x.avail.edit(longer[n]) // walks look at these without asking whether the page exists
		x.gangs.edit(longer[n])
	}
	b := x.kinds.at(k).blocks[n]
	at := country & 63
	if p := x.blocks.edit(b)[at]; p > 0 {
		return p - 1
	}
	p := x.partCount
	x.partCount++
	x.parts.grow(x.partCount)
	x.counts.grow(x.partCount)
	x.counts.edit(p)
	*x.parts.edit(p) = partition{kind: k, country: country, block: b}
	x.blocks.edit(b)[at] = p + 1
	return p
}

// taken returns word w of the positions that are nodes, takenRuns that of the runs.
func (x *index) taken(w int32) uint64 { return x.maps.word(mapTaken, w) }

func (x *index) takenRuns(w int32) uint64 { return x.runTaken.at(w) }

func (x *index) has(m int, i int32) bool { return x.maps.word(m, i>>6)>>(i&63)&1 != 0 }

func (x *index) set(m int, i int32) { *x.maps.edit(m, i>>6) |= 1 << (i & 63) }

func (x *index) drop(m int, i int32) { *x.maps.edit(m, i>>6) &^= 1 << (i & 63) }

// put sets or clears a bit, and makes no page to clear one.
func (x *index) put(m int, i int32, on bool) {
	switch {
	case on:
		x.set(m, i)
	case x.has(m, i):
		x.drop(m, i)
	}
}

// priceBand is the number of the band of a price: that of the bands if it is above the last.
func (x *index) priceBand(hour uint32) int { return notBelow(x.prices, hour) }

// standingLevel is how many limits a standing reaches.
func (x *index) standingLevel(standing uint32) int {
	n := notBelow(x.standings, standing)
	if n < len(x.standings) && x.standings[n] == standing {
		n++
	}
	return n
}

// notBelow is how many values of an ascending list are below v.
func notBelow(list []uint32, v uint32) int {
	n := 0
	for n < len(list) && list[n] < v {
		n++
	}
	return n
}

// cpuLevel is l for at least 2^(l-1) cores, at most 8, and 0 for less than one.
func cpuLevel(milli uint32) int { return min(bits.Len32(milli/milliPerCore), cpuLevels) }

// shareLevel is 0 for nothing, 1 for less than an eighth of a device, and one more for every eighth.
func shareLevel(milli uint16) int {
	if milli == 0 {
		return 0
	}
	return min(int(milli)/125+1, shareLevels)
}

// coarse is v with its first 12 binary digits kept and the rest zero, in 16 bits: monotone and exact below 4,096, so that where
// the coarse values of two numbers differ, the numbers differ in the same direction.
func coarse(v uint32) uint16 {
	if v < coarseExact {
		return uint16(v)
	}
	e := bits.Len32(v) - 12
	return uint16(e+1)<<11 | uint16(v>>e)&(1<<11-1) // the leading digit is implied
}

const coarseExact = 1 << 12

func trailing(w uint64) int { return bits.TrailingZeros64(w) }
