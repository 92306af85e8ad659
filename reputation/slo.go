package reputation

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"
)

// Refusals of SLO.Apply besides ErrInvalid, ErrTimeBackwards and ErrTimeRange.
var (
	ErrStarted     = errors.New("reputation: objective has started already")
	ErrNotRunning  = errors.New("reputation: objective has not started or has ended")
	ErrMaintenance = errors.New("reputation: maintenance refused")
	ErrExcuse      = errors.New("reputation: time cannot be excused")
)

// SLO keeps a Contract for one subject: it counts its time to the second, alerts when the error budget burns too fast, and says
// what was attained when a period ends. It is a state machine: the same events at the same times give the same state. It is not
// safe for concurrent use; reading changes nothing, so several may read while nobody applies.
//
// Each second from the start to the end is judged once, as soon as it can be. The seconds between two observations are good if
// both found the subject up in the same run and no more than Contract.Silence is between them, and lost otherwise. So an outage
// that shows, or that a new run gives away, is never taken for shorter than it was; an observer that wants it no longer either
// reports changes when they happen.
// Two observations of one second are taken in their order: up, then down, is down from that second on. What was lost in announced
// maintenance or by the renter's fault is excused: it counts neither as up nor as lost. Time up is good wherever it is.
//
// How often a subject is observed or the time ticks between two changes makes no difference to any effect but when it is known.
//
// Its memory is bounded. When there are more than Contract.MaxStretches separate stretches of lost time, the two nearest
// neighbours are taken for one. Uptimes, breaches and credits stay exact. A window that begins within such a pair takes its loss
// to be as late as possible, so an alert comes early, if at all wrong, and a fault of the renter's that covers a part of a pair
// excuses only what was surely lost in it.
type SLO struct {
	contract Contract
	named    []BurnRule
	rules    []burn
	longest  uint32 // of all windows, seconds
	silence  uint32

	now    uint32 // the last event, Unix seconds as are all times here
	phase  phase
	start  uint32
	judged uint32 // all time before it is
	seen   uint32 // last observation, at most judged; before it only if the silence since is too long, or the subject down
	boot   uint64
	up     bool // at seen
	gone   bool // whether the last second judged was lost or excused

	from    uint32 // begin of the current period
	to      uint64 // its end, which may lie beyond the range of times
	current tally  // of the current period
	past    tally  // of those before
	lost    lostTime
	windows []window // announced maintenance, sorted, disjoint
	burning uint16   // bit i: rule i is exceeded at judged
}

// window is the time [from, to).
type window struct{ from, to uint32 }

type phase uint8

const (
	waiting phase = iota
	running
	ended
)

// verdict is what the time between two observations was.
type verdict uint8

const (
	good verdict = iota
	down         // seen down, or up in two different runs
	mute         // nobody looked
)

// NewSLO returns a promise that has not started. The contract is copied.
func NewSLO(c Contract) (*SLO, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Ladder, c.Burn = slices.Clone(c.Ladder), slices.Clone(c.Burn)
	s := &SLO{contract: c, silence: seconds(c.Silence), lost: lostTime{max: int(c.MaxStretches)}}
	s.named, s.rules = c.rules()
	for _, r := range s.rules {
		s.longest = max(s.longest, r.long)
	}
	return s, nil
}

// Apply takes one event. An error means that nothing changed. Times are rounded down to the second.
//
// It returns ErrTimeBackwards for a time before that of the last event, ErrTimeRange, ErrInvalid for no event, ErrStarted for a
// second SLOStarted, ErrNotRunning, ErrMaintenance for maintenance that the contract does not allow and ErrExcuse for a time that
// is settled or not judged yet; the last two say why. The same heartbeat twice changes nothing the second time.
func (s *SLO) Apply(at time.Time, e SLOEvent) ([]SLOEffect, error) {
	unix := at.Unix()
	if unix < 0 || unix >= math.MaxUint32 {
		return nil, fmt.Errorf("%w: %v", ErrTimeRange, at.UTC())
	}
	t := uint32(unix)
	if t < s.now {
		return nil, fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at.UTC(), instant(s.now))
	}
	switch e := e.(type) {
	case SLOSeen:
		if s.phase != running {
			return nil, ErrNotRunning
		}
		return s.observe(t, e), nil
	case SLOTicked:
		if s.phase != running {
			return nil, ErrNotRunning
		}
		return s.tick(t), nil
	case SLOStarted:
		if s.phase != waiting {
			return nil, ErrStarted
		}
		s.begin(t, e.Boot)
		return nil, nil
	case SLOEnded:
		if s.phase != running {
			return nil, ErrNotRunning
		}
		return s.end(t), nil
	case MaintenanceAnnounced:
		return nil, s.announce(t, e)
	case RenterFaulted:
		return s.fault(t, e)
	default:
		return nil, fmt.Errorf("%w: no event", ErrInvalid) // nil: the interface is sealed
	}
}

func (s *SLO) begin(t uint32, boot uint64) {
	s.now, s.phase, s.start, s.judged, s.seen, s.from = t, running, t, t, t, t
	s.up, s.boot = true, boot
	s.to = s.contract.periodEnd(t)
}

// observe judges the time since the last observation.
func (s *SLO) observe(t uint32, e SLOSeen) []SLOEffect {
	v := s.doubt(t)
	restarted := e.Up && e.Boot != s.boot
	if v == good && (!e.Up || restarted) {
		v = down
	}
	out := s.judge(t, v)
	if restarted {
		s.current.restarts++
	}
	if e.Up {
		s.boot = e.Boot
	}
	s.now, s.seen, s.up = t, t, e.Up
	return out
}

// doubt is what the time since the last observation is without another one.
func (s *SLO) doubt(t uint32) verdict {
	switch {
	case !s.up:
		return down
	case t-s.seen > s.silence:
		return mute
	}
	return good
}

// tick judges what no later observation can change.
func (s *SLO) tick(t uint32) []SLOEffect {
	s.now = t
	if v := s.doubt(t); v != good {
		return s.judge(t, v)
	}
	return nil
}

func (s *SLO) end(t uint32) []SLOEffect {
	out := s.judge(t, s.doubt(t))
	s.now, s.phase = t, ended
	if t > s.from {
		out = s.settle(out)
	}
	return out
}

// judge takes the time from judged to t for good or lost, piece by piece: no piece crosses the end of a period or an edge of
// announced maintenance.
func (s *SLO) judge(t uint32, v verdict) []SLOEffect {
	var out []SLOEffect
	for s.judged < t {
		end, excused := uint32(min(uint64(t), s.to)), false
		if v != good {
			end, excused = s.maintained(end)
		}
		out = s.pass(out, end, v, excused)
		if uint64(end) == s.to {
			out = s.settle(out)
		}
	}
	return out
}

// pass moves judged to a time up to which all is the same.
func (s *SLO) pass(out []SLOEffect, t uint32, v verdict, excused bool) []SLOEffect {
	n := t - s.judged
	s.current.count(n, v, excused, !s.gone)
	s.gone = v != good
	losing := v != good && !excused
	if losing && s.lost.full(s.judged) {
		s.lost.forget(s.needed())
		if s.lost.full(s.judged) {
			s.lost.merge()
			out = s.change(out, s.instantly())
		}
	}
	if losing || s.burning != 0 {
		out = s.change(out, stretch{from: s.judged, to: t, lost: losing, before: &s.lost})
	}
	if losing {
		s.lost.add(s.judged, t)
	}
	s.judged = t
	return out
}

// instantly is the empty stretch at judged.
func (s *SLO) instantly() stretch { return stretch{from: s.judged, to: s.judged, before: &s.lost} }

// needed is the time before which no lost time matters any more: no window reaches there, and it is settled.
func (s *SLO) needed() uint32 { return min(s.from, s.judged-min(s.longest, s.judged)) }

// change appends the alerts and recoveries of a stretch, in the order of time and of the rules. An empty stretch asks what is
// different at its one instant.
func (s *SLO) change(out []SLOEffect, x stretch) []SLOEffect {
	var at [maxBurnRules + 1]uint32
	changed := uint16(0)
	for i := range s.rules {
		bit := uint16(1) << i
		if s.rules[i].exceeded(x, x.to) == (s.burning&bit != 0) {
			continue
		}
		changed |= bit
		if at[i] = x.to; x.from < x.to {
			at[i] = s.rules[i].change(x)
		}
	}
	s.burning ^= changed
	for changed != 0 {
		next := bits.TrailingZeros16(changed)
		for i := next + 1; i < len(s.rules); i++ {
			if changed&(1<<i) != 0 && at[i] < at[next] {
				next = i
			}
		}
		changed &^= 1 << next
		out = append(out, s.turn(next, x, at[next]))
	}
	return out
}

// turn is what a rule that changed at a time says.
func (s *SLO) turn(i int, x stretch, at uint32) SLOEffect {
	r := &s.rules[i]
	long, short := x.within(r.long, at), x.within(r.short, at)
	if s.burning&(1<<i) != 0 {
		return Alert{Scope: s.contract.Scope, At: instant(at), Rule: s.named[i], LongLost: long, ShortLost: short}
	}
	return Recovered{Scope: s.contract.Scope, At: instant(at), Rule: s.named[i], LongLost: long, ShortLost: short}
}

// settle closes the current period at judged.
func (s *SLO) settle(out []SLOEffect) []SLOEffect {
	c, a := &s.contract, s.current.attained(s.from, s.judged)
	out = append(out, PeriodEnded{Scope: c.Scope, Attained: a})
	if a.Below(c.ObjectivePPM) {
		out = append(out, Breach{
			Scope: c.Scope, Tier: c.Tier, From: a.From, To: a.To,
			GoodSeconds: a.GoodSeconds, TotalSeconds: a.TotalSeconds(), UptimePPM: a.UptimePPM(), CreditBps: c.credit(a),
		})
	}
	s.past.add(s.current)
	s.current, s.from, s.to = tally{}, s.judged, c.periodEnd(s.judged)
	return out
}

func instant(t uint32) time.Time { return time.Unix(int64(t), 0).UTC() }
