package settlement

import (
	"errors"
	"fmt"
	"slices"
)

// findings asks every endpoint that can find who made the markers, and returns the answers that count.
func (s *step) findings(batches []Batch) []Findings {
	var all []Findings
	var said []header
	for i, c := range s.Chains {
		f, ok := c.(Finder)
		if !ok {
			continue
		}
		found, err := f.Find(s.ctx, batches)
		if err == nil && len(found.Results) != len(batches) {
			err = fmt.Errorf("%d results for %d markers", len(found.Results), len(batches))
		}
		if err != nil {
			s.note(err, "find at endpoint %d", i)
			continue
		}
		all, said = append(all, found), append(said, header{found.Endpoint, found.Height, found.Slot})
	}
	return seated(s, all, said)
}

// find asks who made the markers that nobody can explain, those of batches that have waited so long that another payer may have
// made and reclaimed them, and in recovery those of batches that an earlier process may have signed.
func (s *step) find() error {
	var want []Batch
	unsure := map[BatchID]bool{} // or stale, or a probe: absence is news
	for _, e := range s.Open() {
		switch {
		case e.State == StateUnsure, e.State == StatePlanned && e.Stale(s.now):
			unsure[e.Batch.ID] = true
			want = append(want, e.Whole())
		case e.State == StateMarked, e.State == StateSigned && slices.Contains(s.marked, e.Batch.ID):
			want = append(want, e.Whole())
		}
	}
	if s.Probes != nil {
		for _, m := range s.Probes() {
			unsure[m.Batch] = true
			want = append(want, Batch{ID: m.Batch, Marker: m.N})
		}
	}
	if len(want) == 0 {
		return nil
	}
	found := s.findings(want)
	if len(found) < s.Quorum {
		s.note(fmt.Errorf("%d endpoints answered, want Quorum, %d", len(found), s.Quorum), "find who made %d markers", len(want))
		return nil
	}
	for i, b := range want {
		var list []testimony
		unclear := ""
		for _, f := range found {
			list = append(list, testimony{header{f.Endpoint, f.Height, f.Slot}, f.Results[i]})
			if f.Results[i].Origin == Unclear {
				unclear = f.Endpoint
			}
		}
		event, err := origin(s.Quorum, b.MarkerID(), list)
		if err != nil {
			s.trouble = append(s.trouble, err)
			continue
		}
		if event == nil && unclear != "" {
			s.note(errors.New("its history does not tell who made it: another endpoint may"), "find marker %s at endpoint %q", b.MarkerID(), unclear)
		}
		if _, absent := event.(Absent); event == nil || absent && !unsure[b.ID] {
			continue
		}
		if _, err := s.record(event); err != nil {
			return err
		}
	}
	return nil
}

// reclaim takes the rent of old markers back and records those that enough endpoints have seen gone. The first endpoint makes
// the transaction; the next one is asked only for what the one before calls gone, so that it makes none of its own.
func (s *step) reclaim() error {
	if s.Reclaimable == nil {
		return nil
	}
	height := s.seats.height(s.Quorum)
	if height == 0 || len(s.Reclaimable(s.now, height)) == 0 {
		if len(s.Reclaimable(s.now, ^uint64(0))) == 0 {
			return nil
		}
		s.sightings(nil) // no attempt is on its way: ask for the height alone
		height = s.seats.height(s.Quorum)
	}
	left := s.Reclaimable(s.now, height)
	var seen []Witness
	for i, c := range s.Chains {
		r, ok := c.(Reclaimer)
		if !ok || len(left) == 0 || len(seen) == s.Quorum {
			continue
		}
		got, err := r.Reclaim(s.ctx, left)
		if err == nil && len(got.Gone) != len(left) {
			err = fmt.Errorf("%d answers for %d markers", len(got.Gone), len(left))
		}
		if err != nil {
			s.note(err, "reclaim %d markers at endpoint %d", len(left), i)
			continue
		}
		if err := s.seats.seat([]header{{got.Endpoint, got.Height, got.Slot}})[0]; err != nil {
			s.trouble = append(s.trouble, err)
			continue
		}
		if got.Context < got.Slot || slices.ContainsFunc(seen, func(w Witness) bool { return w.Endpoint == got.Endpoint }) {
			continue
		}
		var gone []MarkerID
		for k, m := range left {
			if got.Gone[k] {
				gone = append(gone, m)
			}
		}
		left = gone
		seen = append(seen, Witness{Endpoint: got.Endpoint, Height: got.Height, Slot: got.Slot, Context: got.Context})
	}
	if len(left) == 0 || len(seen) < s.Quorum {
		return nil
	}
	_, err := s.record(Reclaimed{left, seen})
	return err
}
