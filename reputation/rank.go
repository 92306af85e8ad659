package reputation

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Filter says which subjects a buyer looks at. The zero value asks for all that have a record of their own.
type Filter struct {
	// MinLowPPM is the smallest lower bound of the probability that a job ends well, in parts per million: Score.Ends.LowPPM.
	MinLowPPM uint32
	// MinStanding is the smallest standing, in millionths.
	MinStanding uint32
	// MinObserved is the shortest time that a subject was observed.
	MinObserved time.Duration
	// MaxSilence is how long ago a subject may have been seen last; 0 is any time.
	MaxSilence time.Duration
	// Thin admits subjects of which the table of newcomers speaks.
	Thin bool
	// Down admits subjects that were last seen down.
	Down bool
	// ShowExcluded lists those too that do not pass, after those that do, each with the reason.
	ShowExcluded bool
	// Limit is how many to return at most; 0 is all.
	Limit int
}

// Ranked is a subject with its score for a buyer.
type Ranked struct {
	Subject Subject
	Score   Score
	// Why is the first limit that the subject does not pass, as a sentence; empty if it passes.
	Why string
}

// Rank returns the subjects that pass a filter, the best first: by standing, then by Score.Ends.LowPPM, then by name. The
// arguments are those of Score; a negative limit panics.
//
// Standing orders, and not the probability itself: a stranger may be likely to stay up and still has no record. What two
// neighbours differ by may be less than what is known of them: [Compare] says whether it is.
func (b *Book) Rank(at time.Time, horizon time.Duration, f Filter) []Ranked {
	if f.Limit < 0 {
		panic(fmt.Sprintf("reputation: Book.Rank: negative limit %d", f.Limit))
	}
	var out []Ranked
	for s, score := range b.All(at, horizon) {
		if why := f.excludes(score, at); why == "" || f.ShowExcluded {
			out = append(out, Ranked{Subject: s, Score: score, Why: why})
		}
	}
	slices.SortStableFunc(out, func(x, y Ranked) int { // All goes by name
		if (x.Why == "") != (y.Why == "") {
			if x.Why == "" {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(y.Score.Standing, x.Score.Standing), cmp.Compare(y.Score.Ends.LowPPM, x.Score.Ends.LowPPM))
	})
	if f.Limit > 0 {
		out = out[:min(f.Limit, len(out))]
	}
	return out
}

// excludes returns the first limit that a score does not pass.
func (f Filter) excludes(s Score, at time.Time) string {
	switch {
	case s.LastSeen.IsZero():
		return "never observed"
	case s.Thin && !f.Thin:
		return fmt.Sprintf("new: observed for %v", s.Observed)
	case !s.Up && !f.Down:
		return "down"
	case f.MaxSilence > 0 && at.Sub(s.LastSeen) > f.MaxSilence:
		return fmt.Sprintf("last seen %v ago, at most %v", at.Sub(s.LastSeen), f.MaxSilence)
	case s.Observed < f.MinObserved:
		return fmt.Sprintf("observed for %v, at least %v", s.Observed, f.MinObserved)
	case s.Ends.LowPPM < f.MinLowPPM:
		return fmt.Sprintf("ends well with at least %d ppm, asked for %d", s.Ends.LowPPM, f.MinLowPPM)
	case s.Standing < f.MinStanding:
		return fmt.Sprintf("stands at %d, asked for %d", s.Standing, f.MinStanding)
	}
	return ""
}

// Order says how two scores compare.
type Order int8

const (
	// Worse is a score whose upper bound is below the other's lower bound.
	Worse Order = -1
	// Undecided are two scores whose intervals meet: what is known of them does not tell them apart.
	Undecided Order = 0
	// Better is a score whose lower bound is above the other's upper bound.
	Better Order = 1
)

// String returns "worse", "undecided" or "better".
func (o Order) String() string {
	switch o {
	case Worse:
		return "worse"
	case Undecided:
		return "undecided"
	case Better:
		return "better"
	}
	return fmt.Sprintf("order(%d)", int8(o))
}

// Compare says how the first of two scores of one horizon compares with the second, by Score.Ends. Two intervals of 90 %
// that do not meet are a verdict that is wrong in less than one of a hundred cases.
func Compare(a, b Score) Order {
	switch {
	case a.Ends.LowPPM > b.Ends.HighPPM:
		return Better
	case a.Ends.HighPPM < b.Ends.LowPPM:
		return Worse
	}
	return Undecided
}

// Member returns a subject as a part of a cluster for a horizon; ok is false if the subject has not joined. The arguments
// are those of Score. UpPPM is that of Score: an outage ends a member, whatever else may be wrong with it.
func (b *Book) Member(s Subject, at time.Time, horizon time.Duration) (m Member, ok bool) {
	score, ok := b.Score(s, at, horizon)
	if !ok {
		return Member{}, false
	}
	i := b.index[s]
	m = Member{UpPPM: score.UpPPM, Site: b.siteOf[i]}
	if n := b.ownerOf[i]; n != nobody {
		m.Owner = b.owners[n].name
	}
	return m, true
}
