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
	Standing uint32 // how far Ends.LowPPM at Params.Reference is above that of an unknown identity, as a share of the rest to 10^6

	// Ends is P(a job as long as the horizon ends well): no outage, and none of the signals that Params use fails. Its
	// bounds are the products of the bounds. Without signals it is the probability of no outage.
	Ends      Chance
	Job       Chance // P(a job is not failed by the supplier), whatever its length; certain if jobs do not count
	Challenge Chance // P(a challenge is answered rightly and in time)
	Link      Chance // P(a sample of the line meets what it is sold as)
	// ConductPPM is exp(-s) for the sum s of the severities of the owner's proven faults, as far as they weigh, rounded down.
	ConductPPM uint32

	Up       bool // what was last seen; false before the first observation
	Thin     bool // observed for less than Params.Established: the table of newcomers speaks, not the subject's own record
	Observed time.Duration
	LastSeen time.Time // zero before the first observation
}

// Chance is a probability of success in parts per million, with a 90 % interval.
type Chance struct {
	PPM     uint32 // to the nearest
	LowPPM  uint32 // 5 % quantile, rounded down
	HighPPM uint32 // 95 % quantile, rounded up
}

// success turns the chance of a failure into one of success.
func (c chance) success() Chance {
	up := 1_000_000 - ppm(c.point)
	return Chance{up, min(up, 1_000_000-ppmUp(c.most)), max(up, 1_000_000-ppmDown(c.least))}
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
	unix := wholeUnix(at)
	r := b.records[i].until(b.tables, &b.clock, unix)
	s := Score{Up: r.up, Observed: time.Duration(r.observed()) * time.Second}
	if r.known {
		s.LastSeen = time.Unix(int64(r.seen), 0).UTC()
	}
	s.Thin = r.observed() < b.ages.established
	w := b.work(i, unix)
	low, high := r.rates(b.tables, &b.clock)
	up := b.outlook(&r, low, high, horizon)
	all := up.success()
	s.UpPPM, s.LowPPM, s.HighPPM = all.PPM, all.LowPPM, all.HighPPM
	s.Ends = b.ends(up, w)
	s.Job, s.Challenge, s.Link = w.job.success(), w.challenge.success(), w.link.success()
	s.ConductPPM = 1_000_000 - ppmUp(w.conduct)
	least := s.Ends.LowPPM
	if reference := seconds(b.params.Reference); horizon != reference {
		least = b.ends(b.outlook(&r, low, high, reference), w).LowPPM
	}
	if least > b.floor {
		s.Standing = uint32(uint64(least-b.floor) * 1_000_000 / uint64(1_000_000-b.floor))
	}
	return s
}

// availability returns the chance of an outage within the horizon, of a record that until has brought to the instant asked.
// Of a newcomer each is the higher of the model's and the table's.
func (b *Book) availability(r *record, horizon uint32) chance {
	low, high := r.rates(b.tables, &b.clock)
	return b.outlook(r, low, high, horizon)
}

// outlook is availability for rates that are known.
func (b *Book) outlook(r *record, low, high int64, horizon uint32) chance {
	c := chance{
		r.outage(b.tables, &b.clock, horizon), r.bound(b.tables, &b.clock, low, horizon), r.bound(b.tables, &b.clock, high, horizon),
	}
	if p, newcomer := b.ages.find(r.observed(), r.outages > 0); newcomer {
		l, m := b.tables.newcomerInterval(p, horizon)
		c = chance{max(c.point, newcomerOutage(p, horizon)), max(c.least, l), max(c.most, m)}
	} else if f := b.shock(horizon); f > 0 {
		c = c.and(chance{f, f, f})
	}
	c.least, c.most = min(c.least, c.point), max(c.most, c.point)
	return c
}

// work is what the other signals say of a subject: chances of failure, Q0.64.
type work struct {
	job, challenge, link chance
	conduct              uint64
}

// stranger is what they say of a subject that nobody ever saw.
func (b *Book) stranger() work {
	return work{job: b.laws.job.prior, challenge: b.laws.challenge.prior, link: b.laws.link.prior}
}

func (b *Book) work(i, at uint32) work {
	w := b.stranger()
	if m := b.marks[i]; m != nil {
		for _, s := range []struct {
			law    *law
			counts *counts
			to     *chance
		}{{&b.laws.job, &m.job, &w.job}, {&b.laws.challenge, &m.challenge, &w.challenge}, {&b.laws.link, &m.link, &w.link}} {
			if s.counts.born != 0 {
				*s.to = s.law.chance(b.tables, s.counts, at)
			}
		}
	}
	if n := b.ownerOf[i]; n != nobody && len(b.owners[n].faults) > 0 {
		w.conduct = b.conduct(&b.owners[n], at)
	}
	return w
}

// ends returns the probability that a job ends well.
func (b *Book) ends(up chance, w work) Chance {
	return up.and(w.job).and(w.challenge).and(w.link).and(chance{w.conduct, w.conduct, w.conduct}).success()
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
