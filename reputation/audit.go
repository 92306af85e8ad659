package reputation

import (
	"errors"
	"fmt"
)

// Audit returns the first invariant that the state breaks, nil if it breaks none: every subject is there once; its times are
// in order and not after the last event; E is at most the number of outages, U at most half-life/ln 2 and, within a
// millionth, the time observed; a subject that was never observed has an empty record.
func (b *Book) Audit() error {
	if len(b.index) != len(b.names) || len(b.records) != len(b.names) {
		return fmt.Errorf("reputation: audit: %d names, %d records, %d in the index", len(b.names), len(b.records), len(b.index))
	}
	for i, s := range b.names {
		if b.index[s] != uint32(i) {
			return fmt.Errorf("reputation: audit: subject %q found at %d, is at %d", string(s), b.index[s], i)
		}
		if s == "" || len(s) > maxText {
			return fmt.Errorf("reputation: audit: subject %d has %d bytes", i, len(s))
		}
		if err := b.auditRecord(&b.records[i]); err != nil {
			return fmt.Errorf("reputation: audit: subject %q: %w", string(s), err)
		}
	}
	if err := b.auditWork(); err != nil {
		return fmt.Errorf("reputation: audit: %w", err)
	}
	return nil
}

func (b *Book) auditRecord(r *record) error {
	if !r.known {
		if *r != (record{}) {
			return errors.New("not empty, though never observed")
		}
		return nil
	}
	switch {
	case r.born > r.asOf || r.asOf > r.seen || int64(r.seen) > b.now.Unix():
		return fmt.Errorf("born %d, settled %d, seen %d, now %d", r.born, r.asOf, r.seen, b.now.Unix())
	case r.gaps > r.asOf-r.born:
		return fmt.Errorf("%d s unobserved of %d", r.gaps, r.asOf-r.born)
	}
	for k := range r.e {
		if k >= len(b.clock.memories) {
			if r.e[k] != 0 || r.u[k] != 0 {
				return fmt.Errorf("memory %d is not in use", k)
			}
			continue
		}
		if r.e[k] > min(uint64(r.outages)<<32, maxEvents) {
			return fmt.Errorf("memory %d: %d/2^32 outages of %d", k, r.e[k], r.outages)
		}
		lived := uint64(r.asOf-r.born-r.gaps) << 32
		if r.u[k] > min(b.clock.memories[k].window, lived+lived>>20) { // a millionth for the rounding of exp2neg
			return fmt.Errorf("memory %d: %d/2^32 s up of %d/2^32 lived", k, r.u[k], lived)
		}
	}
	return nil
}
