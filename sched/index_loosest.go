package sched

import (
	"math"
	"math/bits"
)

// value is the value of a node in an ordered field, exact. Of cards it is the largest free share.
func (x *index) value(f field, i int32) uint32 {
	switch f {
	case fieldConnectivity:
		return uint32(x.record(i).connectivity())
	case fieldAssurance:
		return uint32(x.assurance(i))
	case fieldTier:
		return uint32(x.record(i).tier())
	case fieldStanding:
		return x.record(i).exactStanding()
	case fieldPrice:
		return x.record(i).hour
	case fieldSize:
		return uint32(x.record(i).cards())
	case fieldCards:
		return uint32(x.share(i))
	case fieldCPU:
		return x.row(i).cpu
	case fieldRAM:
		return x.row(i).ram
	case fieldDisk:
		return x.row(i).disk
	default:
		panic("sched: index.value: a field without order")
	}
}

// nearest notes the best value of the nodes that a stage has cut. Only nodes that may be better than the best so far are read.
func (x *index) nearest(s *stage, w int32, cut uint64) {
	switch {
	case s.field == fieldCompliance:
	case s.field == fieldConnectivity:
		x.climb(s, w, cut, mapConnect, 1, levelMax)
	case s.field == fieldAssurance:
		x.climb(s, w, cut, mapAssure, 0, levelMax)
	case s.field == fieldTier:
		x.climb(s, w, cut, mapTier, 0, levelMax)
	case s.field == fieldCards && s.n > 0 && s.maps[0] < mapTier: // whole devices
		x.climb(s, w, cut, mapUp+1, 0, maxDevices)
	case s.field == fieldSize:
		s.best = max(s.best, 1)
		for int(s.best) < maxDevices && cut&x.atLeastCards(w, int(s.best)+1) != 0 {
			s.best++
		}
	default:
		for cut &= x.maybe(s, w); cut != 0; cut &= cut - 1 {
			v := x.value(s.field, w<<6+int32(trailing(cut)))
			if !s.some || v != s.best && (v < s.best) == (s.field == fieldPrice) {
				s.best, s.some = v, true
			}
		}
	}
}

// climb raises the best level of a stage for as long as a node of cut reaches it. Level l is in map first + l - least - 1.
func (x *index) climb(s *stage, w int32, cut uint64, first, least, most int) {
	l := max(int(s.best), least)
	for l < most && cut&x.maps.word(first+l-least, w) != 0 {
		l++
	}
	s.best = uint32(l)
}

// maybe returns the positions of a word that may be better than the best of a stage.
func (x *index) maybe(s *stage, w int32) uint64 {
	m := noMap
	if s.some {
		switch s.field {
		case fieldStanding:
			m = level(mapStanding, x.standingLevel(s.best))
		case fieldPrice:
			if b := x.priceBand(s.best); b < len(x.prices) {
				m = mapPrice + b
			}
		case fieldCPU:
			m = level(mapCPU, cpuLevel(s.best))
		case fieldCards:
			m = level(mapShare, shareLevel(uint16(s.best)))
		default: // main memory and disk have no maps
		}
	}
	if m == noMap {
		return ^uint64(0)
	}
	return x.maps.word(m, w)
}

func level(first, l int) int {
	if l == 0 {
		return noMap
	}
	return first + l - 1
}

// loosest returns the value of one field that is nearest to what the query asks among the nodes that pass everything else: the
// least price, the most of anything else. It returns false if no node passes everything else, or if the field is none with a
// value. Compliance is nearest where the most of the bits that are asked for are there, then where the number is smallest; of
// cards it is how many are free (anyFree: there), or the largest free share where one is asked for.
func (x *index) loosest(q *query, f field) (value uint32, ok bool) {
	loose := *q
	loose.rotate = 0
	if !loose.lift(f) {
		return 0, false
	}
	var c cursor
	for x.start(&loose, &c); ; {
		i := x.next(&loose, &c)
		if i < 0 {
			return value, ok
		}
		if f == fieldCompliance {
			value, ok = nearer(value, uint32(x.compliance(i)&q.compliance), ok), true
			continue
		}
		value, ok = x.offered(&loose, f, i), true
		if !loose.beat(f, value) || !x.sift(&loose, &c.sieve) {
			return value, ok
		}
		c.ring.level = c.sieve.level
		if c.word != 0 {
			c.word &= x.and(&c.sieve, c.w)
		}
	}
}

// nearer returns which of two sets of bits is nearer to all.
func nearer(a, b uint32, ok bool) uint32 {
	if d := bits.OnesCount32(b) - bits.OnesCount32(a); !ok || d > 0 || d == 0 && b < a {
		return b
	}
	return a
}

// offered is the value of a node in a field that was lifted.
func (x *index) offered(q *query, f field, i int32) uint32 {
	if f != fieldCards && f != fieldSize || q.share > 0 {
		return x.value(f, i)
	}
	if q.anyFree {
		return uint32(x.record(i).cards())
	}
	return uint32(count(x.record(i).free))
}

// lift takes the limit of a field away. It returns false if the field has none that could be asked less of.
func (q *query) lift(f field) bool {
	if q.anyFree && f >= fieldCPU {
		return false
	}
	switch f {
	case fieldConnectivity:
		q.connectivity = 0
	case fieldCompliance:
		q.compliance = 0
	case fieldAssurance:
		q.assurance = 0
	case fieldTier:
		q.tier = 0
	case fieldStanding:
		q.standing = 0
	case fieldPrice:
		q.hour, q.band = math.MaxUint32, 0
	case fieldSize, fieldCards:
		switch {
		case q.share > 0 && f == fieldCards && !q.anyFree:
			q.share = 1
		case q.gpus > 0 && q.share == 0:
			q.gpus = 1
		default:
			return false
		}
	case fieldCPU:
		q.cpu = 0
	case fieldRAM:
		q.ram = 0
	case fieldDisk:
		q.disk = 0
	default:
		return false
	}
	return true
}

// beat asks for more than a value. It returns false if nothing is better.
func (q *query) beat(f field, v uint32) bool {
	if f == fieldPrice {
		q.hour = v - 1
		return v > 0
	}
	if v++; v == 0 {
		return false
	}
	switch f {
	case fieldConnectivity:
		q.connectivity = uint8(v)
	case fieldAssurance:
		q.assurance = uint8(v)
	case fieldTier:
		q.tier = uint8(v)
	case fieldStanding:
		q.standing = v
	case fieldCPU:
		q.cpu = v
	case fieldRAM:
		q.ram = v
	case fieldDisk:
		q.disk = v
	default:
		if q.share > 0 {
			q.share = uint16(v)
		} else {
			q.gpus = int(v)
		}
	}
	return true
}
