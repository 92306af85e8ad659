package reputation

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// Score is what is to be expected of a subject that is up at the instant asked. Probabilities are in parts per million.
type Score struct {
	UpPPM    uint32 // P(no outage within the horizon), to the nearest
	LowPPM   uint32 // 5 % quantile of that probability, rounded down
	HighPPM  uint32 // 95 % quantile, rounded up
	Standing uint32 // how far LowPPM at Params.Reference is above that of an unknown identity, as a share of the rest to 10^6
	Up       bool   // what was last seen; false before the first observation
	Observed time.Duration
	LastSeen time.Time // zero before the first observation
}

// Score returns the score of a subject at a time, for a horizon; ok is false if the subject has not joined. A time before the
// last observation is taken for that one, a horizon is rounded up to seconds, and one beyond 34 years is taken for 34 years.
// A negative horizon panics.
func (b *Book) Score(s Subject, at time.Time, horizon time.Duration) (score Score, ok bool) {
	span := wholeHorizon("Score", horizon)
	i, ok := b.index[s]
	if !ok {
		return Score{}, false
	}
	return b.score(i, at, span), true
}

// All iterates over the scores of all subjects, sorted by subject.
func (b *Book) All(at time.Time, horizon time.Duration) iter.Seq2[Subject, Score] {
	span := wholeHorizon("All", horizon)
	return func(yield func(Subject, Score) bool) {
		for _, s := range slices.Sorted(maps.Keys(b.index)) {
			if !yield(s, b.score(b.index[s], at, span)) {
				return
			}
		}
	}
}

func (b *Book) score(i uint32, at time.Time, horizon uint32) Score {
	r := b.records[i].until(b.tables, &b.clock, wholeUnix(at))
	s := Score{Up: r.up, Observed: time.Duration(r.observed()) * time.Second}
	if r.known {
		s.LastSeen = time.Unix(int64(r.seen), 0).UTC()
	}
	s.UpPPM, s.LowPPM, s.HighPPM = b.bounds(&r, horizon)
	low := s.LowPPM
	if reference := seconds(b.params.Reference); horizon != reference {
		_, low, _ = b.bounds(&r, reference)
	}
	if low > b.floor {
		s.Standing = uint32(uint64(low-b.floor) * 1_000_000 / uint64(1_000_000-b.floor))
	}
	return s
}

// bounds gives point, lower and upper bound of staying up, of a record that until has brought to the instant asked. Of a
// newcomer each is the lower of the model's and the table's.
func (b *Book) bounds(r *record, horizon uint32) (up, low, high uint32) {
	point := r.outage(b.tables, &b.clock, horizon)
	least, most := r.interval(b.tables, &b.clock, horizon)
	if p, newcomer := b.ages.find(r.observed(), r.outages > 0); newcomer {
		l, m := b.tables.newcomerInterval(p, horizon)
		point, least, most = max(point, newcomerOutage(p, horizon)), max(least, l), max(most, m)
	}
	up = 1_000_000 - ppm(point)
	return up, min(up, 1_000_000-ppmUp(most)), max(up, 1_000_000-ppmDown(least))
}

// wholeHorizon is a horizon in seconds, rounded up: never safer than asked.
func wholeHorizon(function string, d time.Duration) uint32 {
	if d < 0 {
		panic("reputation: Book." + function + ": negative horizon " + d.String())
	}
	whole := d / time.Second
	if d%time.Second != 0 {
		whole++
	}
	return uint32(min(whole, maxHorizon))
}

// wholeUnix is a time in Unix seconds, kept within what a record can hold.
func wholeUnix(at time.Time) uint32 { return uint32(min(max(at.Unix(), 0), 1<<32-1)) }
