package sched

// A space hands out positions to owners, in extents: an owner's positions lie together, in runs that grow with it, so that
// whoever walks them reads few words. An extent is 8, 16 or 32 positions inside one word of 64, or up to 64 whole words: small
// owners share words, and of what a large owner has at most about a quarter is unused. Extents are never given back.
type space struct {
	end   int32    // of the words handed out, in positions
	spare [3]int32 // by size 8, 16, 32: 1 + start of a free part of a word, 0: there is none
}

const (
	wordLen     = 64
	leastExtent = 8
	mostExtent  = 64 * wordLen
)

// extent is a run of positions.
type extent struct{ start, size int32 }

// mask is the part of word w that belongs to the extent, where w is one of its words.
func (e extent) mask() uint64 {
	if e.size >= wordLen {
		return ^uint64(0)
	}
	return (1<<e.size - 1) << (e.start & (wordLen - 1))
}

// words are the words that the extent touches.
func (e extent) words() (first, end int32) {
	return e.start >> 6, (e.start + e.size + wordLen - 1) >> 6
}

// take hands out an extent: the rest of a word is kept for who asks for it.
func (s *space) take(size int32) extent {
	if size >= wordLen {
		e := extent{s.end, size}
		s.end += size
		return e
	}
	free := &s.spare[0]
	switch size {
	case 16:
		free = &s.spare[1]
	case 32:
		free = &s.spare[2]
	}
	if start := *free - 1; start >= 0 {
		*free = 0
		return extent{start, size}
	}
	whole := s.take(2 * size)
	*free = whole.start + size + 1
	return extent{whole.start, size}
}

// territory is what an owner has of a space.
type territory struct {
	extents []extent // only appended to, so that views may share it
	size    int32    // of all extents
	used    int32    // the first of them, in the order of extents, were handed out
	holes   int32    // of these were given back
	lowest  int32    // no hole is before this one, counted in the order of extents
}

// claim gives the owner its next position: the first hole, else the first that was never used. taken says which positions are
// in use.
func (t *territory) claim(s *space, taken func(w int32) uint64) int32 {
	n := t.used
	if t.holes > 0 {
		n = t.firstHole(taken)
		t.holes--
		t.lowest = n + 1
	} else {
		if t.used == t.size {
			t.widen(s)
		}
		t.used++
	}
	return t.position(n)
}

// widen adds an extent: as much as the owner has until it has a word, then half a word until it has two, then a quarter of what
// it has in whole words.
func (t *territory) widen(s *space) {
	size := max(t.size, leastExtent)
	switch {
	case t.size >= 2*wordLen:
		size = min(max(t.size/4/wordLen, 1)*wordLen, mostExtent)
	case t.size >= wordLen:
		size = wordLen / 2
	}
	t.extents = append(t.extents, s.take(size))
	t.size += size
}

// release gives a position back.
func (t *territory) release(i int32) {
	n := t.number(i)
	t.holes++
	t.lowest = min(t.lowest, n)
}

// firstHole is the first position, counted in the order of extents, that is not taken.
func (t *territory) firstHole(taken func(w int32) uint64) int32 {
	at := int32(0)
	for _, e := range t.extents {
		if at+e.size > t.lowest {
			first, end := e.words()
			for w := max(first, (e.start+t.lowest-at)>>6); w < end; w++ {
				if free := ^taken(w) & e.mask(); free != 0 {
					return at + w<<6 + int32(trailing(free)) - e.start
				}
			}
		}
		at += e.size
	}
	panic("sched: territory.firstHole: there is none")
}

// position is the position that is number n in the order of extents.
func (t *territory) position(n int32) int32 {
	for _, e := range t.extents {
		if n < e.size {
			return e.start + n
		}
		n -= e.size
	}
	panic("sched: territory.position: out of range")
}

// number is the inverse of position.
func (t *territory) number(i int32) int32 {
	at := int32(0)
	for _, e := range t.extents {
		if i >= e.start && i < e.start+e.size {
			return at + i - e.start
		}
		at += e.size
	}
	panic("sched: territory.number: not ours")
}

// lay gives an owner that has nothing n positions in one extent, all of them holes. It returns false if n is 0.
func (t *territory) lay(s *space, n int32) bool {
	if n == 0 {
		return false
	}
	size := (n + wordLen - 1) / wordLen * wordLen
	if n <= wordLen/2 {
		for size = leastExtent; size < n; {
			size *= 2
		}
	}
	e := s.take(size)
	*t = territory{extents: []extent{e}, size: e.size, used: n, holes: n}
	return true
}
