package reputation

import "fmt"

// Audit returns the first invariant that the state breaks, nil if it breaks none: before the start there is nothing but announced
// maintenance; times are in order; every second that is judged is counted once; lost time is in order, bounded, no more than was
// counted, and all of that of the current period unless some of it was merged; announced maintenance keeps to its budget; the
// rules that are exceeded are those that alerted.
func (s *SLO) Audit() error {
	if err := s.auditWindows(); err != nil {
		return fmt.Errorf("reputation: audit: %w", err)
	}
	if s.phase == waiting {
		bare := SLO{now: s.now, contract: s.contract, windows: s.windows}
		bare.lost.max = s.lost.max
		if string(bare.encode().Data()) != string(s.encode().Data()) || s.to != 0 || s.burning != 0 {
			return fmt.Errorf("reputation: audit: not empty before the start")
		}
		return nil
	}
	if err := s.auditTimes(); err != nil {
		return fmt.Errorf("reputation: audit: %w", err)
	}
	if err := s.auditLost(); err != nil {
		return fmt.Errorf("reputation: audit: %w", err)
	}
	for i := range s.rules {
		if on := s.rules[i].exceeded(s.instantly(), s.judged); on != (s.burning&(1<<i) != 0) {
			return fmt.Errorf("reputation: audit: rule %q: exceeded %v, alerted %v", s.named[i].Name, on, !on)
		}
	}
	return nil
}

func (s *SLO) auditTimes() error {
	switch {
	case s.phase > ended:
		return fmt.Errorf("phase %d", s.phase)
	case s.start > s.from || s.from > s.judged || s.judged > s.now || s.seen < s.start || s.seen > s.judged || uint64(s.judged) >= s.to:
		return fmt.Errorf("start %d, period from %d to %d, seen %d, judged %d, now %d", s.start, s.from, s.to, s.seen, s.judged, s.now)
	case s.phase == running && s.up && s.judged > s.seen && s.judged-s.seen <= s.silence:
		return fmt.Errorf("judged %d s after the last heartbeat, a silence of %d s is none", s.judged-s.seen, s.silence)
	case s.to != s.contract.periodEnd(s.from):
		return fmt.Errorf("the period from %d ends at %d, not %d", s.from, s.contract.periodEnd(s.from), s.to)
	case s.current.seconds() != uint64(s.judged-s.from):
		return fmt.Errorf("%d s counted of %d of the period", s.current.seconds(), s.judged-s.from)
	case s.past.seconds() != uint64(s.from-s.start):
		return fmt.Errorf("%d s counted of %d before the period", s.past.seconds(), s.from-s.start)
	}
	for _, c := range []tally{s.current, s.past} {
		if uint64(c.mute) > uint64(c.lost)+uint64(c.excused) {
			return fmt.Errorf("%d s unobserved, %d lost and %d excused", c.mute, c.lost, c.excused)
		}
	}
	return nil
}

func (s *SLO) auditLost() error {
	l, last, sum := &s.lost, s.start, uint64(0)
	if len(l.lapses) > l.max {
		return fmt.Errorf("%d stretches of lost time, not at most %d", len(l.lapses), l.max)
	}
	for i, x := range l.lapses {
		n := l.seconds(i)
		if x.from < last || x.to <= x.from || n == 0 || n > x.to-x.from || n < x.to-x.from && l.merged == 0 {
			return fmt.Errorf("lost %d s from %d to %d, after %d", n, x.from, x.to, last)
		}
		last = x.to
		sum += uint64(n)
	}
	lost := uint64(s.current.lost) + uint64(s.past.lost)
	recent := l.since(s.from)
	if last > s.judged || sum > lost || recent < s.current.lost || recent > s.current.lost && l.merged == 0 {
		return fmt.Errorf("lost %d s of %d, %d of %d in the period, up to %d, judged %d", sum, lost, recent, s.current.lost, last, s.judged)
	}
	return nil
}

func (s *SLO) auditWindows() error {
	m, last := &s.contract.Maintenance, uint32(0)
	if len(s.windows) > int(m.Windows) {
		return fmt.Errorf("%d times of maintenance, not at most %d", len(s.windows), m.Windows)
	}
	for _, w := range s.windows {
		if w.from < last || w.to <= w.from {
			return fmt.Errorf("maintenance from %d to %d, after %d", w.from, w.to, last)
		}
		last = w.to
	}
	if n := mostWithin(s.windows, seconds(m.Per)); n > seconds(m.Budget) {
		return fmt.Errorf("%d s of maintenance within %v, not at most %v", n, m.Per, m.Budget)
	}
	return nil
}

// seconds is all that was counted.
func (c *tally) seconds() uint64 { return uint64(c.good) + uint64(c.lost) + uint64(c.excused) }
