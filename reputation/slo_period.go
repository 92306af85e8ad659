package reputation

import (
	"math/bits"
	"time"
)

// Attained is what a promise came to over a time.
type Attained struct {
	// From and To are the time, To not included.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// GoodSeconds, LostSeconds and ExcusedSeconds add up to it: up, not up, and not up but not to count.
	GoodSeconds    uint64 `json:"good_seconds,string"`
	LostSeconds    uint64 `json:"lost_seconds,string"`
	ExcusedSeconds uint64 `json:"excused_seconds,string"`
	// UnobservedSeconds of the lost and excused ones are so because nobody looked.
	UnobservedSeconds uint64 `json:"unobserved_seconds,string"`
	// Outages is how often the subject stopped being good: many short ones and a long one may lose the same time.
	Outages uint32 `json:"outages"`
	// Restarts is how often a heartbeat came from another run than the last.
	Restarts uint32 `json:"restarts"`
}

// TotalSeconds is the time that counts, good and lost.
func (a Attained) TotalSeconds() uint64 { return a.GoodSeconds + a.LostSeconds }

// UptimePPM is the share of the time that counts that was good, in parts per million, rounded down; 1,000,000 if none counts.
func (a Attained) UptimePPM() uint32 {
	if a.TotalSeconds() == 0 {
		return ppmOfTime
	}
	hi, lo := bits.Mul64(a.GoodSeconds, ppmOfTime)
	ppm, _ := bits.Div64(hi, lo, a.TotalSeconds()) // good <= total, so hi < total
	return uint32(ppm)
}

// Below reports whether the share of good time is below a number of parts per million, exactly, by cross-multiplication. If no
// time counts it is below none.
func (a Attained) Below(ppm uint32) bool {
	hi, lo := bits.Mul64(a.GoodSeconds, ppmOfTime)
	wantHi, wantLo := bits.Mul64(a.TotalSeconds(), uint64(ppm))
	return hi < wantHi || hi == wantHi && lo < wantLo
}

// SLOStatus is what is known of a promise, up to JudgedUntil.
type SLOStatus struct {
	// Running is from the start to the end. Before the start all else is zero.
	Running bool `json:"running"`
	// Up is what the last observation said.
	Up bool `json:"up"`
	// JudgedUntil is the end of the time that is judged: the last heartbeat, or later if silence or an outage allow it.
	JudgedUntil time.Time `json:"judged_until"`
	// Period is the current period so far, Lease all since the start.
	Period Attained `json:"period"`
	Lease  Attained `json:"lease"`
	// BudgetSeconds may be lost in the period if all the rest of it is up, BudgetLeftSeconds of them still: one more, and the
	// objective is missed. Below zero it is missed. In a calendar month excused time shortens the period. With a rolling
	// window both are those of the full window that ends at JudgedUntil, whatever was excused in it.
	BudgetSeconds     uint32 `json:"budget_seconds"`
	BudgetLeftSeconds int64  `json:"budget_left_seconds,string"`
	// Burning has the rules with an Alert and no Recovered since, in the order of the contract.
	Burning []BurnRule `json:"burning"`
	// Merged is how often two stretches of lost time were taken for one, see SLO. If it is 0 every alert was exact.
	Merged uint32 `json:"merged"`
}

// Status returns what is known. After the end it is what was known then, Period empty.
func (s *SLO) Status() SLOStatus {
	if s.phase == waiting {
		return SLOStatus{}
	}
	lease := s.past
	lease.add(s.current)
	st := SLOStatus{
		Running: s.phase == running, Up: s.up, JudgedUntil: instant(s.judged), Merged: s.lost.merged,
		Period: s.current.attained(s.from, s.judged), Lease: lease.attained(s.start, s.judged),
	}
	allowed := uint64(ppmOfTime - s.contract.ObjectivePPM)
	if w := seconds(s.contract.Window); w > 0 {
		st.BudgetSeconds = uint32(uint64(w) * allowed / ppmOfTime)
		st.BudgetLeftSeconds = int64(st.BudgetSeconds) - int64(s.lost.since(s.judged-min(w, s.judged)))
	} else {
		st.BudgetSeconds = uint32((s.to - uint64(s.from) - uint64(s.current.excused)) * allowed / ppmOfTime)
		st.BudgetLeftSeconds = int64(st.BudgetSeconds) - int64(s.current.lost)
	}
	for i, r := range s.named {
		if s.burning&(1<<i) != 0 {
			st.Burning = append(st.Burning, r)
		}
	}
	return st
}

// tally counts seconds. The range of times is below 2^32 of them.
type tally struct {
	good, lost, excused, mute uint32
	outages, restarts         uint32
}

// count adds seconds of one kind; begins says that the second before was good.
func (c *tally) count(n uint32, v verdict, excused, begins bool) {
	if v == good {
		c.good += n
		return
	}
	if begins {
		c.outages++
	}
	if v == mute {
		c.mute += n
	}
	if excused {
		c.excused += n
	} else {
		c.lost += n
	}
}

func (c *tally) add(o tally) {
	c.good += o.good
	c.lost += o.lost
	c.excused += o.excused
	c.mute += o.mute
	c.outages += o.outages
	c.restarts += o.restarts
}

func (c tally) attained(from, to uint32) Attained {
	return Attained{
		From: instant(from), To: instant(to),
		GoodSeconds: uint64(c.good), LostSeconds: uint64(c.lost), ExcusedSeconds: uint64(c.excused), UnobservedSeconds: uint64(c.mute),
		Outages: c.outages, Restarts: c.restarts,
	}
}

// periodEnd is the end of the period that a time is in or begins.
func (c *Contract) periodEnd(t uint32) uint64 {
	if c.Window > 0 {
		return uint64(t) + uint64(seconds(c.Window))
	}
	y, m, _ := instant(t).Date()
	return uint64(time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC).Unix())
}
