package challenge

import (
	"errors"
	"fmt"
	"time"
)

// Refusals of Exchange.Apply and Barrier.Apply.
var (
	ErrTimeBackwards = errors.New("challenge: time runs backwards")
	ErrOrder         = errors.New("challenge: event is out of order")
	ErrNonce         = errors.New("challenge: nonce is all zeros or was used in this exchange")
)

// phase is what an exchange waits for.
type phase uint8

const (
	idle phase = iota
	pinging
	filling
	ready
	working
	walking
	opening
	examining
	done
)

// Exchange is the verifier's side of one challenge: a state machine that says what to send, takes what comes, and judges. It
// is not safe for concurrent use. It has no snapshot: clocks of two processes are not one, so that an exchange which a
// restart interrupts is posed anew.
type Exchange struct {
	params Params
	spec   Spec // Session is that of the table
	rate   Rate
	work   Spec // Session is that of the work; valid from working on

	phase  phase
	now    time.Time
	mark   time.Time // when the phase began, or the last ping was sent
	limit  time.Time // when an answer is late; zero: never
	pings  []time.Duration
	commit Commitment
	walk   WalkCommitment
	start  Hash // nonce of the walk
	open   Hash // nonce of the openings

	verdict Verdict // complete when done
}

// NewExchange returns an exchange that has not begun. The spec's session is that of the table and has to be drawn as one. The
// rate is that of the claimed model, the zero value if there is none: then work and reads are recorded and not judged. Errors
// wrap ErrInvalid.
func NewExchange(p Params, s Spec, r Rate) (*Exchange, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if r != (Rate{}) {
		if err := r.validate(); err != nil {
			return nil, err
		}
		if r.Kind != s.Kind {
			return nil, fmt.Errorf("%w: rate is of kind %v, want %v", ErrInvalid, r.Kind, s.Kind)
		}
	}
	return &Exchange{params: p, spec: s, rate: r}, nil
}

// Apply takes one event. Times should hold a monotonic reading, as those of time.Now do. An event after the limit ends the
// exchange as a timeout, whatever it brings. An answer that proves nothing is no error: it ends the exchange with its
// Verdict. An error means that nothing changed: ErrTimeBackwards, ErrOrder for an event that is not due, or ErrNonce.
func (x *Exchange) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(x.now) {
		return nil, fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at.UTC(), x.now.UTC())
	}
	if x.phase == done {
		return nil, fmt.Errorf("%w: the exchange is over", ErrOrder)
	}
	if err := x.check(e); err != nil {
		return nil, err
	}
	x.now = at
	if !x.limit.IsZero() && at.After(x.limit) {
		return x.judge(x.overdue(), fmt.Sprintf("no answer within %v", x.limit.Sub(x.mark))), nil
	}
	switch e := e.(type) {
	case Begun:
		x.phase = pinging
		return x.ping(), nil
	case Ponged:
		return x.ponged(), nil
	case Filled:
		return x.wait(), nil
	case Started:
		return x.begin(e), nil
	case Committed:
		return x.committed(e), nil
	case Walked:
		return x.walked(e), nil
	case Opened:
		return x.opened(e), nil
	case Examined:
		return x.examined(e), nil
	case Broken:
		return x.judge(Transport, "the line broke"), nil
	case Declined:
		return x.declined(), nil
	case Ticked, Of, Together: // check let no other than Ticked pass
	}
	return nil, nil
}

// Verdict returns how the exchange ended, and false while it has not.
func (x *Exchange) Verdict() (Verdict, bool) { return x.verdict, x.phase == done }

// check says whether an event is due. What it lets pass, Apply takes.
func (x *Exchange) check(e Event) error {
	due := false
	var drawn []Hash // a nonce that the event brings
	switch e := e.(type) {
	case Begun:
		due = x.phase == idle
	case Ponged:
		due = x.phase == pinging
	case Filled:
		due = x.phase == filling
	case Started:
		due, drawn = x.phase == ready, []Hash{e.Session}
	case Committed:
		due, drawn = x.phase == working, []Hash{e.Nonce}
	case Walked:
		due, drawn = x.phase == walking, []Hash{e.Nonce}
	case Opened:
		due = x.phase == opening
	case Examined:
		due = x.phase == examining
	case Broken, Declined: // once all is there, nothing is wanted of line and prover any more
		due = x.phase != idle && x.phase != examining
	case Ticked:
		due = x.phase != idle
	case Of, Together:
	}
	if !due {
		return fmt.Errorf("%w: %T", ErrOrder, e)
	}
	for _, h := range drawn {
		if h == (Hash{}) || h == x.spec.Session || h == x.work.Session || h == x.start {
			return ErrNonce
		}
	}
	return nil
}

func (x *Exchange) ping() []Effect {
	return append(x.until(x.params.OpenTime), SendPing{})
}

func (x *Exchange) ponged() []Effect {
	x.pings = append(x.pings, x.now.Sub(x.mark))
	if len(x.pings) < Pings {
		return x.ping()
	}
	x.verdict.RTT = x.pings[0]
	for _, d := range x.pings {
		x.verdict.RTT = min(x.verdict.RTT, d)
	}
	if x.spec.Memory == (MemorySpec{}) {
		return x.wait()
	}
	x.phase = filling
	return append(x.until(x.params.FillTime), SendFill{Spec: x.spec})
}

func (x *Exchange) wait() []Effect {
	x.phase, x.mark, x.limit = ready, x.now, time.Time{}
	return []Effect{Ready{}}
}

func (x *Exchange) begin(e Started) []Effect {
	x.phase, x.work = working, x.spec
	x.work.Session = e.Session
	x.verdict.RateJudged = x.rate.OpsPerSec > 0
	x.verdict.ReadsJudged = x.rate.ReadsPerSec > 0 && x.spec.Memory != MemorySpec{}
	return append(x.until(addTime(x.deadline(x.work.Ops(), x.rate.OpsPerSec), x.params.Patience)), SendWork{Spec: x.work})
}

func (x *Exchange) committed(e Committed) []Effect {
	v := &x.verdict
	v.Commit = x.now.Sub(x.mark)
	v.OpsPerSec = perSecond(x.work.Ops(), v.Commit)
	x.commit = Commitment{Roots: append([]Hash(nil), e.Commitment.Roots...)}
	if err := checkRoots(x.work, x.commit); err != nil {
		return x.fault(err)
	}
	if d := x.deadline(x.work.Ops(), x.rate.OpsPerSec); v.RateJudged && v.Commit > d {
		return x.judge(RateLow, fmt.Sprintf("roots after %v, deadline %v", v.Commit, d))
	}
	if x.spec.Memory == (MemorySpec{}) {
		return x.ask(e.Nonce)
	}
	x.phase, x.start = walking, e.Nonce
	limit := addTime(x.deadline(x.spec.Memory.Reads(), x.rate.ReadsPerSec), x.params.Patience)
	return append(x.until(limit), SendWalk{Nonce: e.Nonce})
}

func (x *Exchange) walked(e Walked) []Effect {
	v := &x.verdict
	v.Walk = x.now.Sub(x.mark)
	v.ReadsPerSec = perSecond(x.spec.Memory.Reads(), v.Walk)
	x.walk = e.Commitment
	if d := x.deadline(x.spec.Memory.Reads(), x.rate.ReadsPerSec); v.ReadsJudged && v.Walk > d {
		return x.judge(ReadsLow, fmt.Sprintf("walk after %v, deadline %v", v.Walk, d))
	}
	return x.ask(e.Nonce)
}

func (x *Exchange) ask(nonce Hash) []Effect {
	x.phase, x.open = opening, nonce
	return append(x.until(x.params.OpenTime), SendOpen{Nonce: nonce})
}

func (x *Exchange) opened(e Opened) []Effect {
	x.phase, x.mark, x.limit = examining, x.now, time.Time{}
	return []Effect{Examine{
		spec: x.spec, work: x.work, commitment: x.commit, walk: x.walk, start: x.start, nonce: x.open, opened: e,
	}}
}

func (x *Exchange) examined(e Examined) []Effect {
	if e.Err != nil {
		return x.fault(e.Err)
	}
	if x.params.impossible(x.verdict.OpsPerSec, x.rate.Peak) {
		return x.judge(RateImpossible, fmt.Sprintf("%d operations a second, the model's peak is %d", x.verdict.OpsPerSec, x.rate.Peak))
	}
	return x.judge(OK, "")
}

func (x *Exchange) declined() []Effect {
	if x.phase < working {
		return x.judge(Transport, "the prover gave up before the work began")
	}
	return x.judge(x.overdue(), "the prover gave up")
}

// deadline is that of work at a measured rate; without one it is the credit for the line alone, and Patience rules.
func (x *Exchange) deadline(work, rate uint64) time.Duration {
	credit := x.params.Credit(x.pings)
	if rate == 0 {
		return credit
	}
	return x.params.Deadline(work, rate, credit)
}

// until begins a phase now that ends d later.
func (x *Exchange) until(d time.Duration) []Effect {
	x.mark, x.limit = x.now, x.now.Add(d)
	return []Effect{WakeAt{At: x.limit}}
}

// overdue is the reason of a limit that passed. A ping that is not answered is a line that does not hold.
func (x *Exchange) overdue() Reason {
	switch x.phase {
	case filling:
		return TimeoutFill
	case working:
		return TimeoutCommit
	case walking:
		return TimeoutWalk
	case opening:
		return TimeoutOpen
	case idle, pinging, ready, examining, done:
	}
	return Transport
}

// fault ends the exchange for an answer that proves nothing.
func (x *Exchange) fault(err error) []Effect {
	answer := &AnswerError{Reason: Shape} // specs were checked when the exchange was made: no other error comes
	_ = errors.As(err, &answer)
	return x.judge(answer.Reason, err.Error())
}

func (x *Exchange) judge(r Reason, text string) []Effect {
	x.phase, x.limit = done, time.Time{}
	x.verdict.Reason, x.verdict.Text = r, text
	return []Effect{Judged{Verdict: x.verdict}}
}
