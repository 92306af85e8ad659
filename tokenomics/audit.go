package tokenomics

import "fmt"

// Audit returns the first invariant that is broken, or nil: mints are within the cap and, as long as fixed schedules alone
// have decided, equal to them to the unit; what was minted again was burned before; what is locked is what the allocation
// has not freed; the accounts add up to the supply; and the burns add up, with one proof each.
func (s *Supply) Audit() error {
	if err := s.state.Check(); err != nil {
		return fmt.Errorf("tokenomics: audit: %w", err)
	}
	if want, known := s.timeline.scheduled(s.next); known {
		if want = min(want, s.p.Cap-s.p.Genesis); s.state.Minted != want {
			return fmt.Errorf("tokenomics: audit: minted %s, the schedules say %s", s.state.Minted, want)
		}
	}
	if s.since > s.state.Total() {
		return fmt.Errorf("tokenomics: audit: burned %s of %s", s.since, s.state.Total())
	}
	if err := s.auditLocked(); err != nil {
		return err
	}
	rest := s.total()
	for _, part := range []Amount{s.rewards, s.state.FeeVault, s.locked} {
		if part > rest {
			return fmt.Errorf("tokenomics: audit: rewards %s, fee vault %s and locked %s are more than the supply of %s",
				s.rewards, s.state.FeeVault, s.locked, s.total())
		}
		rest -= part
	}
	return s.auditBurns()
}

func (s *Supply) auditLocked() error {
	if s.allocation == nil {
		if s.locked != 0 || len(s.freed) != 0 {
			return fmt.Errorf("tokenomics: audit: %s are locked without an allocation", s.locked)
		}
		return nil
	}
	buckets := s.p.Allocation.Buckets
	if len(s.freed) != len(buckets) {
		return fmt.Errorf("tokenomics: audit: %d of %d buckets have a state", len(s.freed), len(buckets))
	}
	var locked Amount
	for i, free := range s.freed {
		all := buckets[i].genesis()
		if free > all {
			return fmt.Errorf("tokenomics: audit: bucket %s has freed %s of %s", quote(buckets[i].Name), free, all)
		}
		locked += all - free
	}
	if locked != s.locked {
		return fmt.Errorf("tokenomics: audit: %s are locked, the buckets say %s", s.locked, locked)
	}
	return nil
}

func (s *Supply) auditBurns() error {
	var sum Amount
	for _, b := range s.burns {
		if _, ok := s.proofs[b.Proof]; !ok {
			return fmt.Errorf("tokenomics: audit: the proof %s of a burn is not indexed", quote(b.Proof))
		}
		var err error
		if sum, err = sum.Add(b.Amount); err != nil {
			return fmt.Errorf("tokenomics: audit: burns: %w", err)
		}
	}
	switch burned := s.state.Burned + s.since; {
	case len(s.proofs) != len(s.burns):
		return fmt.Errorf("tokenomics: audit: %d burns with %d proofs", len(s.burns), len(s.proofs))
	case sum != burned:
		return fmt.Errorf("tokenomics: audit: burned %s, the burns add up to %s", burned, sum)
	}
	return nil
}
