package calibrate

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

// System is one machine room of the LANL record: nodes that were there all the time, and when they failed.
type System struct {
	ID, Nodes     int
	Days, FitDays int
	Failures      [][]int64 // per node, seconds since the origin, ascending
	failedOn      [][]int32 // the same in days
}

// lanlHorizon is the horizon of the LANL question, lanlEvery the distance of two of them, in days.
const (
	lanlHorizon = 30
	lanlFirst   = 60
	lanlEvery   = 10
)

// ReadLANL reads failures (system, node, start and more columns) and systems (system, nodes, origin, days, fit_days), each
// plain or gzip. Local times of the site are taken as they stand. It returns the systems of at least 16 nodes and 300 days.
func ReadLANL(failures, systems io.Reader) ([]System, error) {
	const layout = "2006-01-02T15:04"
	var out []System
	index, origins := map[int]int{}, map[int]time.Time{}
	err := eachRecord(systems, "systems", []string{"system", "nodes", "origin", "days", "fit_days"}, func(row []string) error {
		var n [5]int
		for _, i := range []int{0, 1, 3, 4} {
			v, err := strconv.ParseUint(row[i], 10, 20)
			if err != nil {
				return fmt.Errorf("%w: %q is no number", ErrInvalid, row[i])
			}
			n[i] = int(v)
		}
		origin, err := time.Parse(layout, row[2])
		if err != nil {
			return fmt.Errorf("%w: %q is no time", ErrInvalid, row[2])
		}
		if _, twice := origins[n[0]]; twice {
			return fmt.Errorf("%w: system %d is there twice", ErrInvalid, n[0])
		}
		origins[n[0]] = origin
		if n[1] >= 16 && n[3] >= 300 {
			index[n[0]] = len(out)
			out = append(out, System{
				ID: n[0], Nodes: n[1], Days: n[3], FitDays: n[4],
				Failures: make([][]int64, n[1]), failedOn: make([][]int32, n[1]),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = eachRecord(failures, "failures", []string{"system", "node", "start"}, func(row []string) error {
		id, err := strconv.Atoi(row[0])
		node, err2 := strconv.Atoi(row[1])
		start, err3 := time.Parse(layout, row[2])
		origin, known := origins[id]
		at := int64(start.Sub(origin) / time.Second)
		if err != nil || err2 != nil || err3 != nil || !known || at < 0 {
			return fmt.Errorf("%w: failure %q", ErrInvalid, row)
		}
		i, asked := index[id]
		if !asked {
			return nil
		}
		s := &out[i]
		if node < 0 || node >= s.Nodes {
			return fmt.Errorf("%w: failure %q: the system has %d nodes", ErrInvalid, row, s.Nodes)
		}
		if at < int64(s.Days)*day {
			s.Failures[node] = append(s.Failures[node], at)
		}
		return nil
	})
	for i := range out {
		for n, f := range out[i].Failures {
			slices.Sort(f)
			for _, at := range f {
				out[i].failedOn[n] = append(out[i].failedOn[n], int32(at/day))
			}
		}
	}
	return out, err
}

// failed tells whether a node fails in [from, to) days.
func (s *System) failed(node, from, to int) bool {
	k, _ := slices.BinarySearch(s.failedOn[node], int32(from))
	return k < len(s.failedOn[node]) && int(s.failedOn[node][k]) < to
}

// asked calls f for the days of the fit, or of the test.
func (s *System) asked(fit bool, f func(k int)) {
	for k := lanlFirst; k+lanlHorizon <= s.Days; k += lanlEvery {
		if fit && k+lanlHorizon <= s.FitDays || !fit && k >= s.FitDays {
			f(k)
		}
	}
}

// FitLANL fits a and b of each memory to the fit days of all systems. There are no newcomers: no record says when a node came.
func FitLANL(systems []System, halfLives []time.Duration, version string) (reputation.Params, error) {
	p := reputation.Params{Version: version, Gap: lanlHorizon * 24 * time.Hour, Reference: lanlHorizon * 24 * time.Hour}
	for _, h := range halfLives {
		rate := ln2 / h.Hours()
		var cases []exposure
		for i := range systems {
			s := &systems[i]
			s.asked(true, func(k int) {
				up := (1 - exp(-float64(rate*float64(k*24)))) / rate
				for n := range s.Nodes {
					x := exposure{u: up, failed: s.failed(n, k, k+lanlHorizon)}
					for _, at := range s.Failures[n] {
						if at < int64(k)*day {
							x.e += exp(-float64(rate * float64(int64(k)*day-at) / 3600))
						}
					}
					cases = append(cases, x)
				}
			})
		}
		law := prior{A: 0.5, B: h.Hours()}
		if err := law.fit(cases, lanlHorizon*24); err != nil {
			return p, fmt.Errorf("memory of %v: %w", h, err)
		}
		p.Memories = append(p.Memories, law.memory(h))
	}
	return p, p.Validate()
}

// LANLCase is a node of a system on a test day, with what the book said and what came.
type LANLCase struct {
	System, Day, Node int
	UpPPM             uint32
	Failed            bool
}

// PredictLANL replays each system in a book and returns the test cases, by system, day and node. A failure is one outage at its
// start; how long it lasted is not asked, a node is up whenever it is looked at.
func PredictLANL(systems []System, p reputation.Params) ([]LANLCase, error) {
	var out []LANLCase
	for i := range systems {
		cases, err := systems[i].predict(p)
		if err != nil {
			return nil, fmt.Errorf("system %d: %w", systems[i].ID, err)
		}
		out = append(out, cases...)
	}
	return out, nil
}

func (s *System) predict(p reputation.Params) (out []LANLCase, err error) {
	book, err := reputation.NewBook(p)
	if err != nil {
		return nil, err
	}
	apply := func(at int64, e reputation.Event) {
		if err == nil {
			_, err = book.Apply(time.Unix(at, 0), e)
		}
	}
	name := func(n int) reputation.Subject { return reputation.Subject(strconv.Itoa(n)) }
	type failure struct {
		at   int64
		node int
	}
	var failures []failure
	for n, f := range s.Failures {
		apply(0, reputation.Joined{Subject: name(n)})
		apply(0, reputation.Seen{Subject: name(n), Up: true})
		for _, at := range f {
			failures = append(failures, failure{at, n})
		}
	}
	slices.SortStableFunc(failures, func(a, b failure) int { return int(a.at - b.at) })
	test := map[int]bool{}
	s.asked(false, func(k int) { test[k] = true })
	for k := lanlEvery; k+lanlHorizon <= s.Days; k += lanlEvery {
		for ; len(failures) > 0 && failures[0].at < int64(k)*day; failures = failures[1:] {
			f := failures[0]
			for _, up := range []bool{true, false, true} {
				apply(f.at, reputation.Seen{Subject: name(f.node), Up: up})
			}
		}
		for n := range s.Nodes {
			apply(int64(k)*day, reputation.Seen{Subject: name(n), Up: true})
			if test[k] {
				score, _ := book.Score(name(n), time.Unix(int64(k)*day, 0), lanlHorizon*24*time.Hour)
				out = append(out, LANLCase{s.ID, k, n, score.UpPPM, s.failed(n, k, k+lanlHorizon)})
			}
		}
	}
	return out, err
}
