package sched

// pageLen is how many elements a page has: small enough that copying one after a view is cheap, large enough that a table of
// pages is short.
const pageLen = 256

// pages is a dense array in pages that can be shared with readers. A page that was never written is nil and reads as zeroes.
// The zero value is an empty array.
//
// After view, the pages belong to both sides and nobody writes them: the writer copies a page before its first change. A view
// is therefore safe to read in other goroutines for as long as they like, if it was handed to them in a way that orders memory.
type pages[T any] struct {
	table []*[pageLen]T
	owned []uint64 // bit p: page p is shared with no view
}

// at returns element i, which must be below the length given to grow.
func (p *pages[T]) at(i int32) (v T) {
	if page := p.table[i>>8]; page != nil {
		return page[i&(pageLen-1)]
	}
	return v
}

// edit returns element i to be changed; the pointer is good until the next view.
func (p *pages[T]) edit(i int32) *T {
	n := i >> 8
	if p.owned[n>>6]&(1<<(n&63)) == 0 {
		p.own(n)
	}
	return &p.table[n][i&(pageLen-1)]
}

// own makes page n the writer's.
func (p *pages[T]) own(n int32) {
	page := new([pageLen]T)
	if old := p.table[n]; old != nil {
		*page = *old
	}
	p.table[n] = page
	p.owned[n>>6] |= 1 << (n & 63)
}

// grow makes the array at least n long.
func (p *pages[T]) grow(n int32) {
	want := (int(n) + pageLen - 1) / pageLen
	for len(p.table) < want {
		p.table = append(p.table, nil)
	}
	for len(p.owned) < (want+63)/64 {
		p.owned = append(p.owned, 0)
	}
}

// len is the length that grow has made, rounded up to whole pages.
func (p *pages[T]) len() int32 { return int32(len(p.table) * pageLen) }

// view returns the array as it is now; it must only be read.
func (p *pages[T]) view() pages[T] {
	clear(p.owned)
	return pages[T]{table: append([]*[pageLen]T(nil), p.table...)}
}
