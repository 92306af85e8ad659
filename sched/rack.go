package sched

// rack is many bit maps over the same positions. Eight words of all maps are a page, in which each map has a line of memory: an
// AND of several maps over few words stays in one page, and over many words it reads whole lines. A map takes room from its first
// bit on.
type rack struct {
	table  [][]uint64 // pages of stride maps by rackPage words; nil reads as zeroes
	owned  []uint64   // bit p: page p is shared with no view
	stride int32      // maps that there is room for
	count  int32      // maps that have a line
	lines  [mapCount]uint16
}

const (
	rackPage = 8 // words; maps get room by as many
	noLine   = 0 // of maps without a bit; the others have 1 + the index of their first word in a page
)

// word returns word w of a map.
func (b *rack) word(m int, w int32) uint64 {
	page := b.table[w/rackPage]
	if line := b.lines[m]; line != noLine && page != nil {
		return page[int32(line)-1+w%rackPage]
	}
	return 0
}

// edit returns word w of a map to be changed, good until the next view or the next map.
func (b *rack) edit(m int, w int32) *uint64 {
	if b.lines[m] == noLine {
		b.open(m)
	}
	n := w / rackPage
	if b.owned[n>>6]&(1<<(n&63)) == 0 {
		b.own(n)
	}
	return &b.table[n][int32(b.lines[m])-1+w%rackPage]
}

// own makes page n the writer's.
func (b *rack) own(n int32) {
	page := make([]uint64, rackPage*b.stride)
	copy(page, b.table[n])
	b.table[n] = page
	b.owned[n>>6] |= 1 << (n & 63)
}

// open gives a map its line. Where there is no room all pages are written anew, which happens a few times in the life of an index.
func (b *rack) open(m int) {
	if b.count == b.stride {
		b.stride += rackPage
		for n, page := range b.table {
			if page != nil {
				b.table[n] = nil
				b.own(int32(n))
				copy(b.table[n], page)
			}
		}
	}
	b.lines[m] = uint16(b.count*rackPage) + 1
	b.count++
}

// grow makes the maps at least so many words long.
func (b *rack) grow(words int32) {
	want := int(words+rackPage-1) / rackPage
	for len(b.table) < want {
		b.table = append(b.table, nil)
	}
	for len(b.owned) < (want+63)/64 {
		b.owned = append(b.owned, 0)
	}
}

// view returns the maps as they are now; they must only be read.
func (b *rack) view() rack {
	clear(b.owned)
	v := *b
	v.table, v.owned = append([][]uint64(nil), b.table...), nil
	return v
}
