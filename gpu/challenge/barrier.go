package challenge

import (
	"fmt"
	"time"
)

// MaxBarrier is the largest number of exchanges in a barrier.
const MaxBarrier = 4096

// Task is an exchange of a barrier: what is posed to one device, and the rate of the model that it is claimed to be.
type Task struct {
	Spec Spec
	Rate Rate
}

// Outcome is what a barrier showed.
type Outcome struct {
	Verdicts []Verdict // of the exchanges, in their order
	Late     []uint32  // those that came too late, ascending: timeouts and rates that are too low
	Complete bool      // whether no line broke: a barrier of some devices says nothing of the others
}

// Barrier is one challenge of all devices of a supplier: tables are filled on all of them, then the clocks of all start at
// one instant. One GPU that answers for m devices needs m times its time, and cannot hold m tables. It is a state machine
// and not safe for concurrent use.
type Barrier struct {
	exchanges []*Exchange
	now       time.Time
	assembled bool
	started   bool
	over      bool
}

// NewBarrier returns a barrier that has not begun. Sessions and devices must all differ. Errors wrap ErrInvalid.
func NewBarrier(p Params, tasks []Task) (*Barrier, error) {
	if err := checkRange("tasks", uint64(len(tasks)), 1, MaxBarrier); err != nil {
		return nil, err
	}
	sessions, devices := map[Hash]bool{}, map[string]bool{}
	b := &Barrier{}
	for i, t := range tasks {
		x, err := NewExchange(p, t.Spec, t.Rate)
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", i, err)
		}
		if sessions[t.Spec.Session] || devices[t.Spec.Device] {
			return nil, fmt.Errorf("%w: task %d has session or device of another", ErrInvalid, i)
		}
		sessions[t.Spec.Session], devices[t.Spec.Device] = true, true
		b.exchanges = append(b.exchanges, x)
	}
	return b, nil
}

// Apply takes one event: Of for one exchange, Begun, Ticked or Broken for all that have not ended, Together to start them. A
// line that breaks is that of the exchanges which still wait for an answer.
// An error means that nothing changed: those of Exchange.Apply, and ErrOrder for Started or another barrier's event inside
// Of, an exchange that does not exist, or Together before Assembled.
func (b *Barrier) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(b.now) {
		return nil, fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at.UTC(), b.now.UTC())
	}
	if b.over {
		return nil, fmt.Errorf("%w: the barrier is over", ErrOrder)
	}
	var out []Effect
	var err error
	switch e := e.(type) {
	case Of:
		out, err = b.one(at, e)
	case Together:
		out, err = b.together(at, e)
	case Begun, Ticked, Broken:
		out, err = b.all(at, func(int) Event { return e })
	case Ponged, Filled, Started, Committed, Walked, Opened, Examined, Declined:
		err = fmt.Errorf("%w: %T without an exchange", ErrOrder, e)
	default:
		err = fmt.Errorf("%w: no event", ErrOrder) // nil: the interface is sealed
	}
	if err != nil {
		return nil, err
	}
	b.now = at
	return append(out, b.turn()...), nil
}

// Outcome returns what the barrier showed so far, and whether it is over.
func (b *Barrier) Outcome() (Outcome, bool) {
	o := Outcome{Complete: true}
	for i, x := range b.exchanges {
		v := x.verdict
		o.Verdicts = append(o.Verdicts, v)
		switch v.Reason {
		case TimeoutFill, TimeoutCommit, TimeoutWalk, TimeoutOpen, RateLow, ReadsLow:
			o.Late = append(o.Late, uint32(i))
		case Transport:
			o.Complete = false
		case OK, Shape, MerklePath, Value, WalkShape, WalkPath, WalkValue, RateImpossible, Replay:
		}
	}
	return o, b.over
}

func (b *Barrier) one(at time.Time, e Of) ([]Effect, error) {
	if int64(e.Exchange) >= int64(len(b.exchanges)) {
		return nil, fmt.Errorf("%w: exchange %d of %d", ErrOrder, e.Exchange, len(b.exchanges))
	}
	if _, ok := e.Event.(Started); ok {
		return nil, fmt.Errorf("%w: Started of one exchange, want Together", ErrOrder)
	}
	x := b.exchanges[e.Exchange]
	effects, err := x.Apply(at, e.Event)
	if err != nil {
		return nil, err
	}
	if c, ok := e.Event.(Committed); ok && x.phase != done && b.used(e.Exchange, c.Commitment) {
		effects = x.judge(Replay, "a root of another exchange")
	}
	return address(nil, int(e.Exchange), effects), nil
}

func (b *Barrier) together(at time.Time, e Together) ([]Effect, error) {
	if !b.assembled || b.started {
		return nil, fmt.Errorf("%w: Together", ErrOrder)
	}
	if len(e.Sessions) != len(b.exchanges) {
		return nil, fmt.Errorf("%w: %d sessions, want %d", ErrNonce, len(e.Sessions), len(b.exchanges))
	}
	seen := map[Hash]bool{}
	for i, h := range e.Sessions {
		if h == (Hash{}) || seen[h] {
			return nil, fmt.Errorf("%w: session %d", ErrNonce, i)
		}
		seen[h] = true
	}
	out, err := b.all(at, func(i int) Event { return Started{Session: e.Sessions[i]} })
	if err != nil {
		return nil, err
	}
	b.started = true
	return out, nil
}

// all gives an event to every exchange that has not ended, or to none.
func (b *Barrier) all(at time.Time, event func(i int) Event) ([]Effect, error) {
	for i, x := range b.exchanges {
		if x.past(event(i)) {
			continue
		}
		if err := x.check(event(i)); err != nil {
			return nil, fmt.Errorf("exchange %d: %w", i, err)
		}
	}
	var out []Effect
	for i, x := range b.exchanges {
		if x.past(event(i)) {
			continue
		}
		effects, err := x.Apply(at, event(i))
		if err != nil {
			return nil, fmt.Errorf("exchange %d: %w", i, err) // cannot be: checked above, and b.now is no earlier than its time
		}
		out = address(out, i, effects)
	}
	return out, nil
}

// past reports whether an event for all does not concern an exchange any more: it is over, or its line is not needed.
func (x *Exchange) past(e Event) bool {
	_, broken := e.(Broken)
	return x.phase == done || broken && x.phase == examining
}

// turn says what the barrier as a whole comes to.
func (b *Barrier) turn() []Effect {
	over, waiting := 0, 0
	for _, x := range b.exchanges {
		switch x.phase {
		case done:
			over++
		case ready:
			waiting++
		case idle, pinging, filling, working, walking, opening, examining:
		}
	}
	switch {
	case over == len(b.exchanges):
		b.over = true
		o, _ := b.Outcome()
		return []Effect{Concluded{Outcome: o}}
	case !b.assembled && over+waiting == len(b.exchanges):
		b.assembled = true
		return []Effect{Assembled{}}
	}
	return nil
}

// used reports whether a root is one of another exchange.
func (b *Barrier) used(own uint32, c Commitment) bool {
	seen := make(map[Hash]bool, len(c.Roots))
	for _, r := range c.Roots {
		seen[r] = true
	}
	for i, x := range b.exchanges {
		if i == int(own) {
			continue
		}
		for _, r := range x.commit.Roots {
			if seen[r] {
				return true
			}
		}
	}
	return false
}

func address(out []Effect, i int, effects []Effect) []Effect {
	for _, f := range effects {
		out = append(out, To{Exchange: uint32(i), Effect: f})
	}
	return out
}
