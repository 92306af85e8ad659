package sched

// rack is many bit maps over the same positions. The words that all maps have for the same 64 positions lie side by side: an AND
// of several maps reads few lines of memory, and a change of several levels of one node writes few. A map takes room from its
// first bit on.
type rack struct {
	table  [][]uint64 // pages of rackPage words by stride maps; nil reads as zeroes
	owned  []uint64   // bit p: page p is shared with no view
	stride int32      // maps that there is room for
	count  int32      // maps that have a slot
	slots  [mapCount]uint8
}

const (
	rackPage = 8 // words, and so many maps get room at a time: a line of memory
	noSlot   = 0 // of maps without a bit; the others have the number of their slot + 1
)

// word returns word w of a map.
func (b *rack) word(m int, w int32) uint64 {
	page := b.table[w/rackPage]
	if slot := b.slots[m]; slot != noSlot && page != nil {
		return page[w%rackPage*b.stride+int32(slot)-1]
	}
	return 0
}

// block returns word w of all maps by slot, nil if all are zero.
func (b *rack) block(w int32) []uint64 {
	page := b.table[w/rackPage]
	if page == nil {
		return nil
	}
	at := w % rackPage * b.stride
	return page[at : at+b.stride]
}

// edit returns word w of a map to be changed, good until the next view or the next map.
func (b *rack) edit(m int, w int32) *uint64 {
	if b.slots[m] == noSlot {
		b.open(m)
	}
	n := w / rackPage
	if b.owned[n>>6]&(1<<(n&63)) == 0 {
		b.own(n)
	}
	return &b.table[n][w%rackPage*b.stride+int32(b.slots[m])-1]
}

// own makes page n the writer's.
func (b *rack) own(n int32) {
	page := make([]uint64, rackPage*b.stride)
	copy(page, b.table[n])
	b.table[n] = page
	b.owned[n>>6] |= 1 << (n & 63)
}

// open gives a map its slot. Where there is no room all pages are written anew, which happens a few times in the life of an index.
func (b *rack) open(m int) {
	if b.count == b.stride {
		old := b.stride
		b.stride += rackPage
		for n, page := range b.table {
			if page == nil {
				continue
			}
			wide := make([]uint64, rackPage*b.stride)
			for w := range int32(rackPage) {
				copy(wide[w*b.stride:], page[w*old:(w+1)*old])
			}
			b.table[n] = wide
			b.owned[n>>6] |= 1 << (n & 63)
		}
	}
	b.count++
	b.slots[m] = uint8(b.count)
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
