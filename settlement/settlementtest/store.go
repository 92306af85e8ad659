package settlementtest

import "slices"

// Store is a settlement.Store in memory. The zero value is empty.
type Store struct{ records [][]byte }

// Append implements settlement.Store.
func (s *Store) Append(record []byte) error {
	s.records = append(s.records, slices.Clone(record))
	return nil
}

// Replay implements settlement.Store.
func (s *Store) Replay(each func(record []byte) error) error {
	for _, r := range s.records {
		if err := each(slices.Clone(r)); err != nil {
			return err
		}
	}
	return nil
}
