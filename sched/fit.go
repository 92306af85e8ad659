package sched

import "math/bits"

// member is one replica's place in the fleet's numbers.
type member struct {
	node   int32
	mask   uint16 // devices
	milli  uint16 // share of the one device, 0 for whole devices
	slices uint8  // memory slices of an instance on the one device
	hour   uint32 // price of one device, or of the part, for an hour
	since  int64  // from when it is metered
}

func (m *member) divides() bool { return m.milli != 0 || m.slices != 0 }

// part is the part of a device in thousandths, for the meter.
func (m *member) part() uint16 {
	switch {
	case m.milli != 0:
		return m.milli
	case m.slices != 0:
		return uint16(1000 * bits.OnesCount8(m.slices) / memorySlices)
	}
	return 1000
}

// price is that of one device, or of the part, rounded up in the supplier's favour; a member without devices costs nothing.
func (m *member) price(hour uint32) uint32 {
	switch {
	case m.mask == 0:
		return 0
	case m.milli != 0:
		return uint32((uint64(hour)*uint64(m.milli) + 999) / 1000)
	case m.slices != 0:
		return uint32((uint64(hour)*uint64(bits.OnesCount8(m.slices)) + memorySlices - 1) / memorySlices)
	}
	return hour
}

func lowestBit(mask uint16) int { return bits.TrailingZeros16(mask) }

// fits says what of a room one replica would take; false if it does not fit. Only the devices of m are set.
func (s *state) fits(q *ask, sh *shape, r *room, m *member) bool {
	if !r.has(q.takes) {
		return false
	}
	m.mask, m.milli, m.slices = 0, 0, 0
	switch {
	case q.share != 0:
		return s.fitShare(q, sh, r, m)
	case q.mig != 0:
		return q.fitMIG(sh, r, m)
	case q.gpus == 0:
		return true
	case count(r.free) < q.gpus:
		return false
	}
	m.mask = choose(sh, r.free, q.gpus)
	return true
}

// fitShare takes the device that the share fills best: the least that is left, then the first device.
func (s *state) fitShare(q *ask, sh *shape, r *room, m *member) bool {
	if !sh.shares {
		return false
	}
	best, left := -1, int64(0)
	for k := range int(sh.cards) {
		if r.whole&(1<<k) != 0 || r.part.mig[k] != 0 || r.part.milli[k]+q.share > 1000 {
			continue
		}
		if v := s.leftOver(1000-r.part.milli[k], 1000-r.part.milli[k]-q.share); best < 0 || v < left {
			best, left = k, v
		}
	}
	if best < 0 {
		return false
	}
	m.mask, m.milli = 1<<best, q.share
	return true
}

// fitMIG takes the device with the fewest free slices that has a place for the instance, then the first one.
func (q *ask) fitMIG(sh *shape, r *room, m *member) bool {
	if !sh.mig {
		return false
	}
	most := -1
	for k := range int(sh.cards) {
		if r.whole&(1<<k) != 0 || r.part.milli[k] != 0 {
			continue
		}
		if at := q.mig.place(r.part.mig[k]); at != 0 && bits.OnesCount8(r.part.mig[k]) > most {
			most = bits.OnesCount8(r.part.mig[k])
			m.mask, m.slices = 1<<k, at
		}
	}
	return most >= 0
}

// choose takes n of the free devices: of the island that holds them all with least left over, else of the emptiest islands
// first, so that they are of as few islands as possible; within an island the first ones.
func choose(sh *shape, free uint16, n int) uint16 {
	if !sh.several {
		return lowest(free, n)
	}
	var islands [maxDevices]uint16
	for k := range int(sh.cards) {
		islands[sh.islands[k]] |= free & (1 << k)
	}
	taken := uint16(0)
	for n > 0 {
		best := &islands[0]
		for i := range islands {
			if m := &islands[i]; *m != 0 && (*best == 0 || betterIsland(count(*m), count(*best), n)) {
				best = m
			}
		}
		k := min(n, count(*best))
		part := lowest(*best, k)
		taken |= part
		*best &^= part
		n -= k
	}
	return taken
}

// betterIsland says whether an island with a free devices is to be preferred to one with b, where n are wanted.
func betterIsland(a, b, n int) bool {
	if a >= n && b >= n {
		return a < b
	}
	return a > b
}
