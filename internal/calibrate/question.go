package calibrate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Days are the days From <= d < To since the first snapshot.
type Days struct{ From, To int }

// ParseDays reads "14-74".
func ParseDays(s string) (Days, error) {
	a, b, ok := strings.Cut(s, "-")
	from, err := strconv.ParseUint(a, 10, 31)
	to, err2 := strconv.ParseUint(b, 10, 31)
	if !ok || err != nil || err2 != nil || from >= to {
		return Days{}, fmt.Errorf("%w: days %q, want A-B with A < B", ErrInvalid, s)
	}
	return Days{From: int(from), To: int(to)}, nil
}

// String returns "14-74".
func (d Days) String() string { return fmt.Sprintf("%d-%d", d.From, d.To) }

// Question is what is asked about a node that is up now: will it have an outage within Horizon, or, where SLOPPM is not 0,
// will its uptime over Horizon be below SLOPPM millionths?
type Question struct {
	Horizon time.Duration // whole seconds, at least one
	SLOPPM  uint32        // at most 10^6
}

func (q Question) check() error {
	if q.Horizon < time.Second || q.Horizon > 365*24*time.Hour || q.Horizon%time.Second != 0 {
		return fmt.Errorf("%w: horizon %v, want whole seconds up to a year", ErrInvalid, q.Horizon)
	}
	if q.SLOPPM > 1_000_000 {
		return fmt.Errorf("%w: SLO of %d ppm", ErrInvalid, q.SLOPPM)
	}
	return nil
}

// Case is a node that was up at an evaluation and had been seen before, with what became of it.
type Case struct {
	Node     int   // index in Trace.Nodes
	Observed int64 // seconds
	Failed   bool
}

// Newcomer tells whether the node was observed for less than Established.
func (c Case) Newcomer() bool { return c.Observed < int64(Established/time.Second) }

// Evaluation asks the question on one day.
type Evaluation struct {
	Day   int
	Now   int // snapshot at which it is asked
	End   int // first snapshot beyond the horizon
	Cases []Case
}

const day = 86_400

// Evaluations asks a question once a day, at the first snapshot of the day. A day is left out if the record does not reach
// beyond the horizon, or if two neighbouring snapshots until there are more than Gap apart.
func (t *Trace) Evaluations(days Days, q Question) []Evaluation {
	var out []Evaluation
	for d := days.From; d < days.To && len(t.Times) > 0; d++ {
		now, _ := slices.BinarySearch(t.Times, t.Times[0]+int64(d)*day)
		if now == len(t.Times) {
			break
		}
		end, _ := slices.BinarySearch(t.Times, t.Times[now]+int64(q.Horizon/time.Second)+1)
		if end == len(t.Times) {
			break
		}
		if t.observed[end]-t.observed[now] == t.Times[end]-t.Times[now] {
			out = append(out, Evaluation{Day: d, Now: now, End: end, Cases: t.cases(now, end, q.SLOPPM)})
		}
	}
	return out
}

func (t *Trace) cases(now, end int, slo uint32) []Case {
	var out []Case
	for i := range t.Nodes {
		n := &t.Nodes[i]
		first := n.Up[0].From
		if first >= now {
			continue
		}
		k := n.span(now)
		if n.Up[k].Until <= now {
			continue
		}
		failed := n.Up[k].Until < end
		if slo > 0 {
			failed = t.below(n.Up[k:], now, end-1, slo)
		}
		out = append(out, Case{Node: i, Observed: t.observed[now] - t.observed[first], Failed: failed})
	}
	return out
}

// below tells whether the uptime from snapshot now to snapshot last is below slo: up time over all time, where a step with one
// end up counts half.
func (t *Trace) below(up []Interval, now, last int, slo uint32) bool {
	twice := int64(0)
	for _, v := range up {
		if v.From > last {
			break
		}
		a, b := max(v.From, now), min(v.Until-1, last)
		twice += 2 * (t.Times[b] - t.Times[a])
		if a > now {
			twice += t.Times[a] - t.Times[a-1]
		}
		if b < last {
			twice += t.Times[b+1] - t.Times[b]
		}
	}
	return twice*1_000_000 < 2*int64(slo)*(t.Times[last]-t.Times[now])
}
