package reputation

import (
	"slices"
	"sort"
)

// lapse is a stretch of time [from, to) that was lost, or several that were taken for one.
type lapse struct{ from, to, before uint32 }

// lostTime has the lost time of a subject in the order of time, in disjoint lapses. The sum before a lapse is kept with it, so
// that the loss of any window is one search. Only differences of sums mean anything.
type lostTime struct {
	max    int
	lapses []lapse
	total  uint32 // seconds lost in all, the sum before the next lapse
	merged uint32 // how often two lapses were taken for one
}

// seconds is what was lost in lapse i: its length, or less if it was made of several.
func (l *lostTime) seconds(i int) uint32 {
	if i+1 < len(l.lapses) {
		return l.lapses[i+1].before - l.lapses[i].before
	}
	return l.total - l.lapses[i].before
}

// since returns the seconds lost from a time on. If the time is within a lapse that was made of several, its loss is taken to
// be as late as it can be: the result is never too small.
func (l *lostTime) since(begin uint32) uint32 {
	i := sort.Search(len(l.lapses), func(i int) bool { return l.lapses[i].to > begin })
	if i == len(l.lapses) {
		return 0
	}
	n, x := l.total-l.lapses[i].before, l.lapses[i]
	if x.from < begin {
		n -= l.seconds(i) - min(l.seconds(i), x.to-begin)
	}
	return n
}

// full reports whether a lapse that begins at a time would be one too many.
func (l *lostTime) full(from uint32) bool {
	n := len(l.lapses)
	return n >= l.max && l.lapses[n-1].to != from
}

// add appends the lapse [from, to), which begins at or after the end of the last.
func (l *lostTime) add(from, to uint32) {
	if n := len(l.lapses); n > 0 && l.lapses[n-1].to == from {
		l.lapses[n-1].to = to
	} else {
		l.lapses = append(l.lapses, lapse{from: from, to: to, before: l.total})
	}
	l.total += to - from
}

// forget drops the lapses that ended at or before a time.
func (l *lostTime) forget(before uint32) {
	i := 0
	for i < len(l.lapses) && l.lapses[i].to <= before {
		i++
	}
	l.lapses = slices.Delete(l.lapses, 0, i)
}

// merge takes the two neighbours with the least time between them for one, the earliest of several such pairs. What was lost
// stays what it was; where it was lost is known less well. There are at least two lapses.
func (l *lostTime) merge() {
	best := 0
	for i := 1; i+1 < len(l.lapses); i++ {
		if l.gap(i) < l.gap(best) {
			best = i
		}
	}
	l.lapses[best].to = l.lapses[best+1].to
	l.lapses = slices.Delete(l.lapses, best+1, best+2)
	l.merged += min(1, ^l.merged) // stops at the largest
}

// gap is the time between lapse i and the next.
func (l *lostTime) gap(i int) uint32 { return l.lapses[i+1].from - l.lapses[i].to }

// excuse takes [from, to) out and returns how many seconds that were. Of a lapse that was made of several, and is not wholly in
// there, it takes only what was surely lost in there, and leaves its ends where they are.
func (l *lostTime) excuse(from, to uint32) uint32 {
	out := lostTime{max: l.max, merged: l.merged, lapses: make([]lapse, 0, len(l.lapses)+1)}
	put := func(from, to, seconds uint32) {
		if seconds > 0 {
			out.lapses = append(out.lapses, lapse{from: from, to: to, before: out.total})
			out.total += seconds
		}
	}
	kept := uint32(0)
	for i, x := range l.lapses {
		n := l.seconds(i)
		kept += n
		a, b := max(x.from, from), min(x.to, to)
		switch outside := a - x.from + x.to - b; {
		case a >= b:
			put(x.from, x.to, n)
		case n == x.to-x.from:
			put(x.from, a, a-x.from)
			put(b, x.to, x.to-b)
		default:
			put(x.from, x.to, min(n, outside))
		}
	}
	excused := kept - out.total
	*l = out
	for len(l.lapses) > l.max {
		l.merge()
	}
	return excused
}
