package settlement

import (
	"fmt"
	"slices"
	"time"
)

// Apply takes one event and returns what follows from it. It returns [ErrTimeBackwards], [ErrConflict], [ErrUnknownBatch],
// [ErrStale], [ErrUnseen], [ErrQuorum], [ErrUnexplained], [ErrLanes], [ErrBroken], an [*IntentError] or a [*LimitError], and then nothing
// has changed.
func (j *Journal) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(j.now) {
		return nil, fmt.Errorf("%w: %s after %s", ErrTimeBackwards, at.UTC().Format(time.RFC3339Nano), j.now.UTC().Format(time.RFC3339Nano))
	}
	effects, err := j.apply(at, e)
	if err != nil {
		return nil, err
	}
	j.now = at
	return effects, nil
}

func (j *Journal) apply(at time.Time, e Event) ([]Effect, error) {
	switch e := e.(type) {
	case Decided:
		return j.decided(at, e)
	case Signed:
		return j.signed(at, e)
	case Rejected:
		return j.rejected(at, e)
	case Landed:
		return j.landed(at, e)
	case Failed:
		return j.failed(at, e)
	case Expired:
		return j.expired(at, e)
	case Found:
		return j.found(at, e)
	case Poisoned:
		return j.poisoned(at, e)
	case Recovering:
		return j.recover(e)
	case Absent:
		return j.absent(at, e)
	case Retried:
		return j.retried(at, e)
	case Reclaimed:
		return j.reclaimed(at, e)
	case Resumed:
		return j.resumed(at, e)
	}
	return nil, fmt.Errorf("%w: unknown event %T", ErrStale, e)
}

// planned returns the batch if it waits for an attempt at that revision.
func (j *Journal) planned(id BatchID, revision uint16) (int32, error) {
	n, err := j.find(id)
	if err != nil {
		return 0, err
	}
	b := &j.batches[n]
	if b.state != StatePlanned || b.revision != revision {
		return 0, fmt.Errorf("%w: batch %s is %s at revision %d, not planned at %d", ErrStale, id, b.state, b.revision, revision)
	}
	return n, nil
}

// attempt returns the batch and the number of its attempt tx.
func (j *Journal) attempt(id BatchID, tx string) (n int32, i int, err error) {
	if n, err = j.find(id); err != nil {
		return 0, 0, err
	}
	if i = j.batches[n].attemptOf(tx); i < 0 {
		return 0, 0, fmt.Errorf("%w: batch %s has no attempt %q", ErrStale, id, tx)
	}
	return n, i, nil
}

// live is attempt for one that must not be over.
func (j *Journal) live(id BatchID, tx string) (int32, int, error) {
	n, i, err := j.attempt(id, tx)
	if err != nil {
		return 0, 0, err
	}
	if a := &j.batches[n].attempts[i]; a.over {
		return 0, 0, fmt.Errorf("%w: attempt %q of batch %s is over: %s", ErrStale, tx, id, a.outcome)
	}
	return n, i, nil
}

// attemptOf returns the number of the attempt, -1 if there is none.
func (b *batch) attemptOf(tx string) int {
	return slices.IndexFunc(b.attempts, func(a attempt) bool { return a.tx.ID == tx })
}

// busy says whether an attempt is not over.
func (b *batch) busy() bool {
	return slices.ContainsFunc(b.attempts, func(a attempt) bool { return !a.over })
}

func (j *Journal) signed(at time.Time, e Signed) ([]Effect, error) {
	n, err := j.planned(e.Batch, e.Revision)
	if err != nil {
		return nil, err
	}
	b := &j.batches[n]
	switch {
	case e.Tx.ID == "" || len(e.Tx.Raw) == 0:
		return nil, fmt.Errorf("%w: batch %s: attempt without ID or bytes", ErrStale, e.Batch)
	case (e.Tx.LastValid == 0) == (e.Tx.Nonce == Nonce{}):
		return nil, fmt.Errorf("%w: batch %s: attempt %q with LastValid %d and nonce %q, want one of them", ErrStale, e.Batch, e.Tx.ID, e.Tx.LastValid, e.Tx.Nonce.Value)
	case b.attemptOf(e.Tx.ID) >= 0:
		return nil, fmt.Errorf("%w: batch %s: attempt %q was made before", ErrStale, e.Batch, e.Tx.ID)
	case j.held(b):
		return nil, fmt.Errorf("%w: batch %s waits for the one before it to be closed", ErrStale, e.Batch)
	}
	if limit := j.params.signBefore(b.since); !limit.IsZero() && !at.Before(limit) {
		return nil, fmt.Errorf("%w: batch %s: its marker was last known to be absent at %s, and may have been made and reclaimed since %s",
			ErrUnseen, e.Batch, b.since.Format(time.RFC3339), limit.Format(time.RFC3339))
	}
	tx := e.Tx
	tx.Raw = slices.Clone(tx.Raw)
	b.attempts = append(b.attempts, attempt{tx: tx, marker: b.marker, revision: b.revision})
	j.set(n, StateSigned, "")
	tx.Raw = slices.Clone(tx.Raw)
	return []Effect{Send{b.id, tx}}, nil
}

func (j *Journal) rejected(at time.Time, e Rejected) ([]Effect, error) {
	n, err := j.planned(e.Batch, e.Revision)
	if err != nil {
		return nil, err
	}
	b := &j.batches[n]
	if len(e.Faults) == 0 {
		return nil, fmt.Errorf("%w: batch %s: rejection of no line", ErrStale, e.Batch)
	}
	if err := b.checkFaults(b.revision, e.Faults); err != nil {
		return nil, err
	}
	return append(j.refuse(n, e.Faults), j.proceed(at, n)...), nil
}

func (j *Journal) landed(at time.Time, e Landed) ([]Effect, error) {
	n, i, err := j.attempt(e.Batch, e.Tx)
	if err != nil {
		return nil, err
	}
	b := &j.batches[n]
	if err := j.quorumOf(e.Batch, e.Witnesses); err != nil {
		return nil, err
	}
	if err := b.mayHaveMade(i); err != nil {
		return nil, err
	}
	revision := b.attempts[i].revision
	carried := make([]bool, len(b.lines))
	for k := range b.lines {
		carried[k] = b.carries(&b.lines[k], revision)
	}
	b.end(i, e.Slot, e.Fee, outcomeLanded, e.Witnesses)
	b.attempts[i].got = e.Got
	return j.close(at, n, i, carried), nil
}

// mayHaveMade refuses that attempt i made the marker of its batch where another one did, or where it cannot have landed. The
// chain is right and the journal may have been told wrong: an attempt that was called expired may have landed.
func (b *batch) mayHaveMade(i int) error {
	a := &b.attempts[i]
	if b.isClosed() {
		if int(b.made) == i {
			return fmt.Errorf("%w: attempt %q of batch %s is over: %s", ErrStale, a.tx.ID, b.id, a.outcome)
		}
		return b.twice(a.tx.ID)
	}
	if a.over && a.outcome != outcomeExpired {
		return fmt.Errorf("%w: batch %s: attempt %q has landed, and was seen failed before: %s", ErrBroken, b.id, a.tx.ID, a.outcome)
	}
	for k := range b.attempts {
		if other := &b.attempts[k]; !other.over && other.marker != a.marker {
			return fmt.Errorf("%w: batch %s: attempt %q has made marker %d, which was found poisoned, and attempt %q may make marker %d",
				ErrBroken, b.id, a.tx.ID, a.marker, other.tx.ID, other.marker)
		}
	}
	return nil
}

// twice is the error that must never be: consensus lets one transaction make a marker.
func (b *batch) twice(tx string) error {
	return fmt.Errorf("%w: batch %s: its marker was made by %q, and is said to have been made by %q too", ErrBroken, b.id, b.attempts[b.made].tx.ID, tx)
}

func (j *Journal) failed(at time.Time, e Failed) ([]Effect, error) {
	n, i, err := j.live(e.Batch, e.Tx)
	if err != nil {
		return nil, err
	}
	b := &j.batches[n]
	if err := b.checkFaults(b.attempts[i].revision, e.Failure.Faults); err != nil {
		return nil, err
	}
	if e.Failure.Reason == "" {
		return nil, fmt.Errorf("%w: batch %s: failure without a reason", ErrStale, e.Batch)
	}
	switch e.Failure.Reason {
	case outcomeLanded, outcomeExpired, outcomeBeaten:
		return nil, fmt.Errorf("%w: batch %s: failure for the reason %q", ErrStale, e.Batch, e.Failure.Reason)
	}
	if err := j.quorumOf(e.Batch, e.Witnesses); err != nil {
		return nil, err
	}
	b.end(i, e.Slot, e.Fee, e.Failure.Reason, e.Witnesses)
	if e.Failure.Marker {
		if b.state != StateUnsure {
			j.set(n, StateMarked, "")
		}
		return []Effect{Find{b.whole()}}, nil
	}
	if len(e.Failure.Faults) == 0 && b.isSwap() && b.failures()%swapFailures > 0 {
		return j.proceed(at, n), nil // the price has moved: the next attempt has a new quote
	}
	if len(e.Failure.Faults) == 0 {
		j.set(n, StateStuck, e.Failure.Reason)
		return []Effect{Stuck{b.id, b.reason}}, nil
	}
	return append(j.refuse(n, e.Failure.Faults), j.proceed(at, n)...), nil
}

func (j *Journal) expired(at time.Time, e Expired) ([]Effect, error) {
	n, i, err := j.live(e.Batch, e.Tx)
	if err != nil {
		return nil, err
	}
	b := &j.batches[n]
	tx := &b.attempts[i].tx
	if err := j.quorum(e.Batch, e.Witnesses, tx.over, tx.need()); err != nil {
		return nil, err
	}
	b.end(i, 0, 0, outcomeExpired, e.Witnesses)
	return j.proceed(at, n), nil
}

func (j *Journal) resumed(at time.Time, e Resumed) ([]Effect, error) {
	n, err := j.find(e.Batch)
	if err != nil {
		return nil, err
	}
	b := &j.batches[n]
	if b.state != StateStuck {
		return nil, fmt.Errorf("%w: batch %s is %s, not stuck", ErrStale, e.Batch, b.state)
	}
	next := StatePlanned
	if b.doubt {
		next = StateUnsure
	}
	j.set(n, next, "")
	return j.proceed(at, n), nil
}

// begin is the state in which a batch waits for its first attempt.
func (j *Journal) begin(id BatchID) State {
	if j.recovering || id.Epoch < j.recovery.Since {
		return StateUnsure
	}
	return StatePlanned
}

// proceed puts a batch without a live attempt back to planned, unless it is unsure, and says what it needs.
func (j *Journal) proceed(at time.Time, n int32) []Effect {
	b := &j.batches[n]
	if b.state == StateUnsure {
		return []Effect{Find{b.whole()}}
	}
	j.set(n, StatePlanned, "")
	if j.held(b) {
		return nil
	}
	return []Effect{j.ask(at, b)}
}

// ask says what a planned batch needs: an attempt, or first a look at its marker.
func (j *Journal) ask(at time.Time, b *batch) Effect {
	if limit := j.params.signBefore(b.since); !limit.IsZero() && !at.Before(limit) {
		return Find{b.whole()}
	}
	return Prepare{b.at(b.revision)}
}

// end closes attempt i and forgets its bytes.
func (b *batch) end(i int, slot, fee uint64, outcome string, witnesses []Witness) {
	a := &b.attempts[i]
	a.tx.Raw, a.over, a.slot, a.fee, a.outcome, a.witnesses = nil, true, slot, fee, outcome, cloneWitnesses(witnesses)
}

// leftOut is why a line is refused that the transaction which made the marker did not carry.
const leftOut = "the transaction that made its batch's marker left it out"

// close ends a batch: attempt i, which has ended, made its marker and carried the lines that are marked. All that was carried
// is paid, whatever was said of it before; all that was not is refused.
func (j *Journal) close(at time.Time, n int32, i int, carried []bool) []Effect {
	b := &j.batches[n]
	for k := range b.attempts {
		if !b.attempts[k].over {
			b.end(k, 0, 0, outcomeBeaten, nil) // it can only fail on the marker
		}
	}
	a := &b.attempts[i]
	paid := Paid{Batch: b.id, Tx: a.tx.ID, Slot: a.slot, Got: a.got}
	state, revised := StateRefused, false
	var effects []Effect
	for k := range b.lines {
		l := &b.lines[k]
		from := l.account()
		switch {
		case carried[k]:
			state = StatePaid
			l.gone, l.reason, l.paid = 0, "", true
			paid.Intents = append(paid.Intents, l.Intents...)
		case l.gone == 0:
			if !revised {
				revised = true
				b.revision++
			}
			l.gone, l.reason = b.revision, leftOut
			effects = append(effects, Refused{b.id, l.To, l.reason, slices.Clone(l.Intents)})
		}
		if !l.moved {
			j.move(l.Asset, from, l.account(), l.Units)
		}
	}
	b.made, b.closed, b.doubt = int32(i), at.UTC(), false
	j.set(n, state, "")
	if j.params.ReclaimAfterSeconds > 0 {
		j.kept = append(j.kept, n)
	}
	if j.recovering {
		j.probe(b)
	}
	if state == StatePaid {
		effects = slices.Insert(effects, 0, Effect(paid))
	}
	return append(effects, j.release(at, b.id)...)
}

// swapFailures is after how many failures a swap is stuck. One fails when the price leaves its bound between the quote and the
// block, which a new quote mends; a pool that is drained, or a bound that nobody can meet, costs as many fees and no more.
const swapFailures = 8

// isSwap says whether the batch is a swap, which is a batch of its own.
func (b *batch) isSwap() bool { return len(b.lines) > 0 && b.lines[0].Kind == Swap }

// failures counts the attempts that are final and have failed.
func (b *batch) failures() int {
	n := 0
	for i := range b.attempts {
		switch a := &b.attempts[i]; a.outcome {
		case "", outcomeLanded, outcomeExpired, outcomeBeaten:
		default:
			n++
		}
	}
	return n
}

// checkFaults refuses faults that do not name lines of that revision, each once and with a reason.
func (b *batch) checkFaults(revision uint16, faults []Fault) error {
	n := 0
	for i := range b.lines {
		if b.carries(&b.lines[i], revision) {
			n++
		}
	}
	for i, f := range faults {
		if f.Line < 0 || f.Line >= n {
			return fmt.Errorf("%w: batch %s: fault in line %d of %d", ErrStale, b.id, f.Line, n)
		}
		if f.Reason == "" {
			return fmt.Errorf("%w: batch %s: fault in line %d without a reason", ErrStale, b.id, f.Line)
		}
		if slices.ContainsFunc(faults[:i], func(g Fault) bool { return g.Line == f.Line }) {
			return fmt.Errorf("%w: batch %s: two faults in line %d", ErrStale, b.id, f.Line)
		}
	}
	return nil
}

// refuse takes the lines at fault out of the batch's present revision, and with one line of a bundle all of them.
func (j *Journal) refuse(n int32, faults []Fault) []Effect {
	b := &j.batches[n]
	reasons := map[int]string{}
	for _, f := range faults {
		reasons[f.Line] = f.Reason
	}
	b.revision++
	var effects []Effect
	k := 0
	for i := range b.lines {
		l := &b.lines[i]
		if l.gone > 0 {
			continue
		}
		reason, bad := reasons[k]
		k++
		if !bad && b.bundle == "" {
			continue
		}
		if !bad {
			reason = fmt.Sprintf("bundle %q: line %d: %s", b.bundle, faults[0].Line, faults[0].Reason)
		}
		l.gone, l.reason = b.revision, reason
		j.move(l.Asset, bookOpen, bookRefused, l.Units)
		effects = append(effects, Refused{b.id, l.To, reason, slices.Clone(l.Intents)})
	}
	return effects
}
