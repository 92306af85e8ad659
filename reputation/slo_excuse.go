package reputation

import (
	"fmt"
	"slices"
	"time"
)

// span checks a time [from, to) of whole seconds.
func span(from, to time.Time) (window, error) {
	a, b := from.Unix(), to.Unix()
	if from.Nanosecond() != 0 || to.Nanosecond() != 0 || a < 0 || a >= b || b >= 1<<32-1 {
		return window{}, fmt.Errorf("%w: %v to %v is no time of whole seconds", ErrInvalid, from.UTC(), to.UTC())
	}
	return window{from: uint32(a), to: uint32(b)}, nil
}

// announce takes an announcement of maintenance if the contract allows it.
func (s *SLO) announce(t uint32, e MaintenanceAnnounced) error {
	if s.phase == ended {
		return ErrNotRunning
	}
	w, err := span(e.From, e.To)
	if err != nil {
		return err
	}
	m := &s.contract.Maintenance
	if notice := int64(w.from) - int64(t); notice < int64(seconds(m.Notice)) {
		return fmt.Errorf("%w: notice of %d s, not %v", ErrMaintenance, notice, m.Notice)
	}
	all := slices.DeleteFunc(slices.Clone(s.windows), func(o window) bool {
		return o.to <= s.judged && uint64(o.to)+uint64(seconds(m.Per)) <= uint64(t)
	})
	if len(all) >= int(m.Windows) {
		return fmt.Errorf("%w: %d times are announced or not yet past by %v", ErrMaintenance, len(all), m.Per)
	}
	i, _ := slices.BinarySearchFunc(all, w, func(a, b window) int { return int(int64(a.from) - int64(b.from)) })
	if i > 0 && all[i-1].to > w.from || i < len(all) && all[i].from < w.to {
		return fmt.Errorf("%w: %v to %v is announced already, in part at least", ErrMaintenance, e.From.UTC(), e.To.UTC())
	}
	all = slices.Insert(all, i, w)
	if most := mostWithin(all, seconds(m.Per)); most > seconds(m.Budget) {
		return fmt.Errorf("%w: %d s would be announced within %v, not at most %v", ErrMaintenance, most, m.Per, m.Budget)
	}
	s.now, s.windows = t, all
	return nil
}

// mostWithin is the most time that disjoint sorted windows take of any stretch of the given length. Such a stretch can be moved,
// losing nothing, until it ends where a window does.
func mostWithin(all []window, length uint32) uint32 {
	most := uint32(0)
	for _, last := range all {
		begin, n := last.to-min(length, last.to), uint32(0)
		for _, w := range all {
			if w.to <= last.to && w.to > begin {
				n += w.to - max(w.from, begin)
			}
		}
		most = max(most, n)
	}
	return most
}

// maintained cuts the time from judged to end at the next edge of announced maintenance and reports whether it is in some.
func (s *SLO) maintained(end uint32) (uint32, bool) {
	for _, w := range s.windows {
		if s.judged < w.from {
			return min(end, w.from), false
		}
		if s.judged < w.to {
			return min(end, w.to), true
		}
	}
	return end, false
}

// fault excuses what was lost by the renter's fault.
func (s *SLO) fault(t uint32, e RenterFaulted) ([]SLOEffect, error) {
	if s.phase != running {
		return nil, ErrNotRunning
	}
	w, err := span(e.From, e.To)
	if err != nil {
		return nil, err
	}
	if w.from < s.from || w.to > s.judged {
		return nil, fmt.Errorf("%w: %v to %v is not within %v to %v, judged and not settled",
			ErrExcuse, e.From.UTC(), e.To.UTC(), instant(s.from), instant(s.judged))
	}
	n := s.lost.excuse(w.from, w.to)
	s.now = t
	s.current.lost -= n
	s.current.excused += n
	return s.change(nil, s.instantly()), nil
}
