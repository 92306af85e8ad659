package sched

// ref returns element i of a page that was written, to be read only; the pointer is good until the element is next edited.
func (p *pages[T]) ref(i int32) *T { return &p.table[i>>8][i&(pageLen-1)] }
