package reputation

import "github.com/idlegrid/idlegrid/internal/canon"

// The least number of bytes that an entry of each list takes.
const (
	ownerBytes = 4 + 8 + 4
	faultBytes = 4 + 4 + 8 + 8
	entryBytes = 4 + 4 + 4 + 4 + 8
)

func (b *Book) writeOwners(w *canon.Writer) {
	w.Len(len(b.owners))
	for i := range b.owners {
		o := &b.owners[i]
		w.String(o.name)
		w.Uint64(o.good)
		w.Len(len(o.faults))
		for _, f := range o.faults {
			w.String(f.id)
			w.Uint32(f.at)
			w.Uint64(f.good)
			w.Uint64(f.severity)
		}
	}
}

func (b *Book) readOwners(r *canon.Reader) {
	b.owners = make([]owner, r.Len(ownerBytes))
	for i := range b.owners {
		o := &b.owners[i]
		o.name, o.good = r.String(), r.Uint64()
		o.faults = make([]fault, r.Len(faultBytes))
		for k := range o.faults {
			o.faults[k] = fault{id: r.String(), at: r.Uint32(), good: r.Uint64(), severity: r.Uint64()}
			b.faults[o.faults[k].id] = uint32(i)
		}
		if o.name != "" {
			b.ownerIndex[o.name] = uint32(i)
		}
	}
}

// write appends the marks, or that there are none.
func (m *marks) write(w *canon.Writer) {
	w.Bool(m != nil)
	if m == nil {
		return
	}
	for _, c := range []*counts{&m.job, &m.challenge, &m.link} {
		w.Uint64(c.good)
		w.Uint64(c.failed)
		w.Uint32(c.asOf)
		w.Uint32(c.born)
	}
	w.Bool(m.lines != nil)
	if m.lines == nil {
		return
	}
	w.Uint32(m.lines.asOf)
	for _, s := range []*sketch{&m.lines.latency, &m.lines.down, &m.lines.up} {
		for _, n := range s {
			w.Uint32(n)
		}
	}
}

func readMarks(r *canon.Reader) *marks {
	if !r.Bool() {
		return nil
	}
	m := &marks{}
	for _, c := range []*counts{&m.job, &m.challenge, &m.link} {
		*c = counts{good: r.Uint64(), failed: r.Uint64(), asOf: r.Uint32(), born: r.Uint32()}
	}
	if !r.Bool() {
		return m
	}
	m.lines = &lines{asOf: r.Uint32()}
	for _, s := range []*sketch{&m.lines.latency, &m.lines.down, &m.lines.up} {
		for i := range s {
			s[i] = r.Uint32()
		}
	}
	return m
}

func (b *Book) writeDiary(w *canon.Writer) {
	w.Len(len(b.diary.entries))
	for _, e := range b.diary.entries {
		w.Uint32(e.at)
		w.String(e.id)
		w.String(e.pair.renter)
		w.Uint32(e.pair.owner)
		w.Uint64(e.weight)
	}
}

// readDiary reads what writeDiary wrote. Sums that do not fit wrap; the audit finds them.
func (b *Book) readDiary(r *canon.Reader) {
	for range r.Len(entryBytes) {
		b.diary.note(entry{at: r.Uint32(), id: r.String(), pair: trade{renter: r.String(), owner: r.Uint32()}, weight: r.Uint64()})
	}
}

func (s *stocks) write(w *canon.Writer) {
	w.Bool(s.taken)
	w.Uint32(s.asOf)
	w.Uint32(s.next.at)
	for _, n := range []uint64{s.o, s.x, s.n, s.next.o, s.next.x, s.next.n} {
		w.Uint64(n)
	}
}

func (b *Book) readStocks(r *canon.Reader) {
	s := &b.stocks
	s.taken, s.asOf, s.next.at = r.Bool(), r.Uint32(), r.Uint32()
	for _, n := range []*uint64{&s.o, &s.x, &s.n, &s.next.o, &s.next.x, &s.next.n} {
		*n = r.Uint64()
	}
}
