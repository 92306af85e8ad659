package reputation

import (
	"errors"
	"fmt"
)

// auditWork checks owners, faults, marks and the diary.
func (b *Book) auditWork() error {
	if len(b.marks) != len(b.names) || len(b.ownerOf) != len(b.names) || len(b.siteOf) != len(b.names) {
		return fmt.Errorf("%d names, %d marks, %d owners, %d sites of them", len(b.names), len(b.marks), len(b.ownerOf), len(b.siteOf))
	}
	now := uint32(max(b.now.Unix(), 0))
	named, faults := 0, 0
	for i := range b.owners {
		o := &b.owners[i]
		if o.name != "" {
			named++
			if k, ok := b.ownerIndex[o.name]; !ok || k != uint32(i) || len(o.name) > maxText {
				return fmt.Errorf("owner %q is not indexed", o.name)
			}
		}
		for k := range o.faults {
			faults++
			if err := b.auditFault(uint32(i), k, now); err != nil {
				return err
			}
		}
	}
	if named != len(b.ownerIndex) || faults != len(b.faults) {
		return fmt.Errorf("%d owners of %d names, %d faults of %d", named, len(b.ownerIndex), faults, len(b.faults))
	}
	for i, s := range b.names {
		if n := b.ownerOf[i]; n != nobody && uint64(n) >= uint64(len(b.owners)) {
			return fmt.Errorf("subject %q has owner %d of %d", string(s), n, len(b.owners))
		}
		if len(b.siteOf[i]) > maxText {
			return fmt.Errorf("subject %q has a site of %d bytes", string(s), len(b.siteOf[i]))
		}
		if err := b.auditMarks(b.marks[i], now); err != nil {
			return fmt.Errorf("subject %q: %w", string(s), err)
		}
	}
	if err := b.auditStocks(now); err != nil {
		return err
	}
	return b.auditDiary(now)
}

// auditStocks checks that no more failed than were counted, and that what is counted is up and was not lost.
func (b *Book) auditStocks(now uint32) error {
	s := &b.stocks
	const most = 1 << 60 // so that another stock fits
	counted := uint64(0)
	for i := range b.records {
		if r := &b.records[i]; r.stock {
			counted += unit
			if !r.known || r.observed() < b.ages.established {
				return fmt.Errorf("subject %q is in the stock", string(b.names[i]))
			}
		}
	}
	switch {
	case !s.taken && (*s != (stocks{}) || counted > 0), s.taken && !b.params.Weather.used():
		return errors.New("stock that nobody took")
	case s.asOf > now || s.next.at != s.asOf || s.o > s.n || s.x > s.n || s.n > most:
		return fmt.Errorf("stocks of %d: %d outages, %d expected of %d", s.asOf, s.o, s.x, s.n)
	case s.next.o > s.next.n || s.next.x > s.next.n || s.next.n > uint64(len(b.names))<<32 || counted > s.next.n-s.next.o:
		return fmt.Errorf("stock of %d: %d outages, %d expected of %d, %d left", s.next.at, s.next.o, s.next.x, s.next.n, counted)
	}
	return nil
}

func (b *Book) auditFault(n uint32, k int, now uint32) error {
	o := &b.owners[n]
	f := &o.faults[k]
	later := k > 0 && f.at < o.faults[k-1].at
	if m, ok := b.faults[f.id]; !ok || m != n || later || f.at > now || f.good > o.good || f.severity == 0 || f.severity > 100<<32 || len(f.id) > maxText+1 {
		return fmt.Errorf("fault %q of owner %d: at %d, good %d, severity %d", f.id, n, f.at, f.good, f.severity)
	}
	return nil
}

func (b *Book) auditMarks(m *marks, now uint32) error {
	if m == nil {
		return nil
	}
	for _, s := range []struct {
		law    *law
		counts *counts
	}{{&b.laws.job, &m.job}, {&b.laws.challenge, &m.challenge}, {&b.laws.link, &m.link}} {
		c := s.counts
		switch {
		case c.born == 0 && *c != (counts{}), c.born != 0 && !s.law.used():
			return errors.New("counts of a signal that was not seen")
		case c.born != 0 && (c.born > max(c.asOf, 1) || c.asOf > now || c.good > maxEvents || c.failed > maxEvents):
			return fmt.Errorf("counts of %d to %d, now %d", c.born, c.asOf, now)
		}
	}
	if m.lines != nil && (m.link.born == 0 || m.lines.asOf != m.link.asOf) {
		return errors.New("samples of a line that was not seen")
	}
	return nil
}

func (b *Book) auditDiary(now uint32) error {
	window := seconds(b.params.Window)
	pairs := map[trade]uint64{}
	ids := map[string]bool{}
	last := uint32(0)
	for _, e := range b.diary.entries {
		if e.at < last || e.at > now || now-e.at >= window || ids[e.id] || !b.diary.ids[e.id] || len(e.id) > maxText+1 || len(e.id) < 2 || e.weight > unit {
			return fmt.Errorf("entry %q of %d, now %d", e.id, e.at, now)
		}
		last = e.at
		ids[e.id] = true
		if e.weight > 0 {
			pairs[e.pair] += e.weight
		} else if e.pair != (trade{}) && uint64(e.pair.owner) >= uint64(len(b.owners)) {
			return fmt.Errorf("entry %q of owner %d", e.id, e.pair.owner)
		}
		if e.weight > 0 && (uint64(e.pair.owner) >= uint64(len(b.owners)) || pairs[e.pair] > b.params.Job.PairMilli<<32/1000) {
			return fmt.Errorf("entry %q: pair with %q has %d", e.id, e.pair.renter, pairs[e.pair])
		}
		if b.diary.pairs[e.pair] == 0 && e.weight > 0 {
			return fmt.Errorf("entry %q: pair is not counted", e.id)
		}
	}
	if len(ids) != len(b.diary.ids) || len(pairs) != len(b.diary.pairs) {
		return fmt.Errorf("%d entries, %d identifiers; %d pairs of %d", len(ids), len(b.diary.ids), len(pairs), len(b.diary.pairs))
	}
	for _, e := range b.diary.entries {
		if e.weight > 0 && pairs[e.pair] != b.diary.pairs[e.pair] {
			return fmt.Errorf("pair with %q: %d, its jobs say %d", e.pair.renter, b.diary.pairs[e.pair], pairs[e.pair])
		}
	}
	return nil
}
