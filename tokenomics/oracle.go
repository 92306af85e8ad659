package tokenomics

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// lastSecond, 2255-01-01, bounds the instants of an oracle, so that nanoseconds with 366 days added fit into 64 bits.
const lastSecond = 8_993_721_600

var (
	// ErrSource is returned for a quote of somebody who is no source of the oracle.
	ErrSource = errors.New("tokenomics: unknown source of a price")
	// ErrQuoteTime is returned for a quote that is of the future, stale, not after the source's last one, or too soon after.
	ErrQuoteTime = errors.New("tokenomics: quote at a wrong time")
)

// OracleEvent is something that an oracle is told: [Quoted] or [Ticked].
//
//sumtype:decl
type OracleEvent interface{ oracleEvent() }

// Quoted says that a source saw a price. A quote that comes a second time is no error and counts once.
type Quoted struct {
	// Source is one of the names in the parameters.
	Source string
	// MicroPerToken is in millionths of a dollar per whole token.
	MicroPerToken uint64
	// SeenAt is when the source saw it, which may be before it is told, but not when it is stale already.
	SeenAt time.Time
}

// Ticked says that time has passed. It is needed only to hear of a change of state without a quote.
type Ticked struct{}

func (Quoted) oracleEvent() {}
func (Ticked) oracleEvent() {}

// OracleEffect is what follows from an event: [OracleTurned].
//
//sumtype:decl
type OracleEffect interface{ oracleEffect() }

// OracleTurned records that the state has changed since the event before.
type OracleTurned struct{ From, To OracleState }

func (OracleTurned) oracleEffect() {}

// feed is what is kept of one source, the oldest first.
type feed struct {
	seen  []int64 // nanoseconds since 1970, ascending by the spacing at least
	micro []uint64
}

// brake is the memory of the halt.
type brake struct {
	halted bool
	since  int64  // of the halt, 0 without one
	epoch  int64  // of the last median
	anchor uint64 // the last median before that epoch, or the first one of all; 0 before any
	last   uint64 // the last median
}

// Oracle is the state machine that decides whether there is a price, and which. Each source's price counts from its own
// time to its next one, or until it is stale; what lies between is a gap and is not filled in. The median of the sources
// at each instant makes a price over time, of which the mean is taken over the window. While fewer than a quorum are
// fresh, an instant has a price only if they agree. So every figure follows from the quotes and their own times, whatever
// the order in which the sources were heard; only the halt depends on when the oracle looked, which is at every event. It
// is not safe for concurrent use.
type Oracle struct {
	p     OracleParams
	at    int64 // of the last event
	feeds []feed
	brake brake
	state OracleState // at the last event
	names [2]string   // sources of the prices in a Reading: spot, mean
}

// NewOracle returns an oracle that has heard nothing. It keeps no reference to the parameters. It fails with [ErrOracle].
func NewOracle(p OracleParams) (*Oracle, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.Sources = slices.Clone(p.Sources)
	return &Oracle{
		p: p, feeds: make([]feed, len(p.Sources)), state: OracleStale,
		names: [2]string{p.Version + " median", p.Version + " mean"},
	}, nil
}

// Apply takes one event in. After an error nothing has changed. It fails with [ErrTimeBackwards] for an instant before
// the last event, with [ErrOverflow] for one that is not in the years 1970 to 2254, and with [ErrEvent]; a quote with
// [ErrSource], [ErrPrice] or [ErrQuoteTime].
func (o *Oracle) Apply(at time.Time, e OracleEvent) ([]OracleEffect, error) {
	now, err := o.instant(at)
	if err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case Quoted:
		if err := o.quoted(at, e); err != nil {
			return nil, err
		}
	case Ticked:
	default:
		return nil, fmt.Errorf("%w: %T", ErrEvent, e)
	}
	o.at = now
	for i := range o.feeds {
		o.feeds[i].forget(now-int64(o.p.Window), int64(o.p.StaleAfter))
	}
	from := o.state
	v := o.view(now)
	o.brake = o.judge(now, v)
	if o.state = o.brake.state(v); o.state == from {
		return nil, nil
	}
	return []OracleEffect{OracleTurned{From: from, To: o.state}}, nil
}

// instant returns at in nanoseconds, if the oracle may be there.
func (o *Oracle) instant(at time.Time) (int64, error) {
	if s := at.Unix(); s < 0 || s >= lastSecond {
		return 0, fmt.Errorf("%w: the instant %s is not in the years 1970 to 2254", ErrOverflow, stamp(at))
	}
	now := at.UnixNano()
	if now < o.at {
		return 0, fmt.Errorf("%w: %s after %s", ErrTimeBackwards, stamp(at), stamp(time.Unix(0, o.at)))
	}
	return now, nil
}

// quoted checks a quote and keeps it.
func (o *Oracle) quoted(at time.Time, q Quoted) error {
	i, ok := slices.BinarySearch(o.p.Sources, q.Source)
	if !ok {
		return fmt.Errorf("%w: %s", ErrSource, quote(q.Source))
	}
	if q.MicroPerToken < o.p.MinMicro || q.MicroPerToken > o.p.MaxMicro {
		return fmt.Errorf("%w: %s quotes %d millionths of a dollar, want %d to %d",
			ErrPrice, quote(q.Source), q.MicroPerToken, o.p.MinMicro, o.p.MaxMicro)
	}
	if q.SeenAt.After(at) {
		return fmt.Errorf("%w: %s saw it %s, which is after %s", ErrQuoteTime, quote(q.Source), stamp(q.SeenAt), stamp(at))
	}
	if !q.SeenAt.After(at.Add(-o.p.StaleAfter)) || q.SeenAt.Unix() < 0 {
		return fmt.Errorf("%w: %s saw it %s, which is stale by %s", ErrQuoteTime, quote(q.Source), stamp(q.SeenAt), stamp(at))
	}
	f, seen := &o.feeds[i], q.SeenAt.UnixNano()
	if n := len(f.seen); n > 0 {
		last := f.seen[n-1]
		switch {
		case seen == last && q.MicroPerToken == f.micro[n-1]:
			return nil
		case seen <= last:
			return fmt.Errorf("%w: %s saw it %s and told of %s before",
				ErrQuoteTime, quote(q.Source), stamp(q.SeenAt), stamp(time.Unix(0, last)))
		case seen-last < int64(o.p.Spacing):
			return fmt.Errorf("%w: %s told of %s before, and may again %s later",
				ErrQuoteTime, quote(q.Source), stamp(time.Unix(0, last)), o.p.Spacing)
		}
	}
	f.seen, f.micro = append(f.seen, seen), append(f.micro, q.MicroPerToken)
	return nil
}

// forget drops the samples that ended by from, but never the newest one, by which late quotes are known.
func (f *feed) forget(from, stale int64) {
	n := 0
	for n+1 < len(f.seen) && min(f.seen[n+1], f.seen[n]+stale) <= from {
		n++
	}
	if n > 0 {
		f.seen = append(f.seen[:0], f.seen[n:]...)
		f.micro = append(f.micro[:0], f.micro[n:]...)
	}
}

// State returns the state at the last event. Later it may be another one: see Reading.
func (o *Oracle) State() OracleState { return o.state }

// Reading returns the prices and the state at an instant, as a tick at that instant would find them, and changes nothing.
// It fails with [ErrTimeBackwards] for an instant before the last event, since what led to it is forgotten, and with
// [ErrOverflow] as Apply does.
func (o *Oracle) Reading(at time.Time) (Reading, error) {
	now, err := o.instant(at)
	if err != nil {
		return Reading{}, err
	}
	v := o.view(now)
	b := o.judge(now, v)
	r := Reading{
		At: at.UTC(), State: b.state(v), Sources: uint32(v.counted), Fresh: uint32(v.fresh), SpreadBps: v.spread,
		Window: time.Duration(v.span.covered), spotUp: v.spotUp, twapUp: v.span.meanUp,
	}
	if v.spot > 0 {
		r.Spot = Price{MicroPerToken: v.spot, At: time.Unix(0, v.oldest).UTC(), Source: o.names[0]}
	}
	if v.span.mean > 0 {
		r.TWAP = Price{MicroPerToken: v.span.mean, At: r.At, Source: o.names[1]}
	}
	for i := range o.feeds {
		r.Samples += uint32(len(o.feeds[i].seen))
	}
	return r, nil
}

// judge returns the brake after a look at now.
func (o *Oracle) judge(now int64, v view) brake {
	b := o.brake
	epoch := now / int64(o.p.Epoch)
	if b.halted {
		healthy := v.state == OracleOK && v.span.quorum == int64(o.p.Window) && !beyond(v.span.high, v.span.low, o.p.JumpBps)
		if healthy && now-b.since >= int64(o.p.Window) {
			return brake{epoch: epoch, anchor: v.median, last: v.median}
		}
		return b
	}
	if v.median == 0 {
		return b
	}
	switch {
	case b.last == 0:
		b.anchor = v.median
	case epoch > b.epoch:
		b.anchor = b.last
	}
	b.epoch, b.last = epoch, v.median
	if beyond(v.median, b.anchor, o.p.JumpBps) {
		b.halted, b.since = true, now
	}
	return b
}

// state returns the state of an oracle with this brake.
func (b brake) state(v view) OracleState {
	if b.halted {
		return OracleHalted
	}
	return v.state
}

// beyond reports whether v is more than bps from base. Prices are at most 10^15, so the products fit into 64 bits.
func beyond(v, base uint64, bps uint32) bool {
	off := v - base
	if v < base {
		off = base - v
	}
	return off*wholeBps > base*uint64(bps)
}
