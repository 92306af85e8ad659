package settlement

import (
	"fmt"
	"slices"
	"time"
)

// Apply takes one event and returns what follows from it. It returns [ErrTimeBackwards], [ErrConflict], [ErrUnknownBatch],
// [ErrStale] or an [*IntentError], and then nothing has changed.
func (j *Journal) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(j.now) {
		return nil, fmt.Errorf("%w: %s after %s", ErrTimeBackwards, at.UTC().Format(time.RFC3339Nano), j.now.UTC().Format(time.RFC3339Nano))
	}
	effects, err := j.apply(e)
	if err != nil {
		return nil, err
	}
	j.now = at
	j.close()
	return effects, nil
}

func (j *Journal) apply(e Event) ([]Effect, error) {
	switch e := e.(type) {
	case Decided:
		return j.decided(e)
	case Signed:
		return j.signed(e)
	case Rejected:
		return j.rejected(e)
	case Landed:
		return j.landed(e)
	case Failed:
		return j.failed(e)
	case Expired:
		return j.expired(e)
	case Resumed:
		return j.resumed(e)
	case Found, Poisoned, Recovering, Absent, Retried, Reclaimed:
	}
	return nil, fmt.Errorf("%w: unknown event %T", ErrStale, e)
}

func (j *Journal) decided(e Decided) ([]Effect, error) {
	fresh, err := j.fresh(e.Intents)
	if err != nil || len(fresh) == 0 {
		return nil, err
	}
	plan, err := Plan(j.params, e.Epoch, j.lanes[e.Epoch], fresh)
	if err != nil {
		return nil, err
	}
	if err := j.checkSums(fresh); err != nil {
		return nil, err
	}
	content := make(map[IntentID]Intent, len(fresh))
	for _, in := range fresh {
		content[in.ID] = in
	}
	for _, in := range fresh {
		j.volume[in.Asset] += in.Units
	}
	effects := make([]Effect, 0, len(plan))
	for _, p := range plan {
		n := int32(len(j.batches))
		b := batch{id: p.ID, bundle: p.Bundle, state: StatePlanned, paidBy: -1}
		for i, l := range p.Lines {
			b.lines = append(b.lines, line{Line: l})
			for _, id := range l.Intents {
				j.byID[id] = int32(len(j.intents))
				j.intents = append(j.intents, intent{content[id], n, int32(i)})
			}
		}
		j.batches = append(j.batches, b)
		j.index(n)
		effects = append(effects, Prepare{j.batches[n].at(0)})
	}
	return effects, nil
}

// index enters batch n into the maps.
func (j *Journal) index(n int32) {
	b := &j.batches[n]
	j.byBatch[b.id] = n
	if b.bundle != "" {
		j.bundles[b.bundle] = n
	}
	j.lanes[b.id.Epoch] = max(j.lanes[b.id.Epoch], b.id.Lane+1)
}

// close moves past the batches that nothing can happen to any more.
func (j *Journal) close() {
	for j.closed < len(j.batches) && (j.batches[j.closed].state == StatePaid || j.batches[j.closed].state == StateRefused) {
		j.closed++
	}
}

// fresh returns the intents that are not known. One that is known with another content is a conflict, as is a bundle that
// is known and gets a new member.
func (j *Journal) fresh(in []Intent) ([]Intent, error) {
	var out []Intent
	here := make(map[IntentID]Intent, len(in))
	for _, x := range in {
		known, ok := here[x.ID]
		if i, before := j.byID[x.ID]; before {
			known, ok = j.intents[i].Intent, true
		}
		if ok {
			if known != x {
				return nil, fmt.Errorf("%w: intent %x was decided as %+v", ErrConflict, x.ID[:4], known)
			}
			continue
		}
		here[x.ID] = x
		if _, ok := j.bundles[x.Bundle]; ok {
			return nil, fmt.Errorf("%w: bundle %q is closed, intent %x cannot join it", ErrConflict, x.Bundle, x.ID[:4])
		}
		out = append(out, x)
	}
	return out, nil
}

// checkSums refuses intents that would take the books of an asset beyond 64 bits.
func (j *Journal) checkSums(in []Intent) error {
	for _, a := range j.params.Assets {
		sum := j.volume[a]
		for _, x := range in {
			if x.Asset != a {
				continue
			}
			if sum+x.Units < sum {
				return &IntentError{x.ID, "Units", fmt.Sprintf("take all that was decided in %q beyond 64 bits", a.Mint)}
			}
			sum += x.Units
		}
	}
	return nil
}

// find returns the batch, or ErrUnknownBatch.
func (j *Journal) find(id BatchID) (*batch, error) {
	i, ok := j.byBatch[id]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrUnknownBatch, id)
	}
	return &j.batches[i], nil
}

// planned returns the batch if it waits for an attempt at that revision.
func (j *Journal) planned(id BatchID, revision uint16) (*batch, error) {
	b, err := j.find(id)
	if err != nil {
		return nil, err
	}
	if b.state != StatePlanned || b.revision != revision {
		return nil, fmt.Errorf("%w: batch %s is %s at revision %d, not planned at %d", ErrStale, id, b.state, b.revision, revision)
	}
	return b, nil
}

// attempt returns the batch and the number of its attempt tx.
func (j *Journal) attempt(id BatchID, tx string) (*batch, int, error) {
	b, err := j.find(id)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(b.attempts, func(a attempt) bool { return a.tx.ID == tx })
	if i < 0 {
		return nil, 0, fmt.Errorf("%w: batch %s has no attempt %q", ErrStale, id, tx)
	}
	return b, i, nil
}

// live is attempt for one that must not be over.
func (j *Journal) live(id BatchID, tx string) (*batch, int, error) {
	b, i, err := j.attempt(id, tx)
	if err != nil {
		return nil, 0, err
	}
	if b.attempts[i].over {
		return nil, 0, fmt.Errorf("%w: attempt %q of batch %s is over: %s", ErrStale, tx, id, b.attempts[i].outcome)
	}
	return b, i, nil
}

func (j *Journal) signed(e Signed) ([]Effect, error) {
	b, err := j.planned(e.Batch, e.Revision)
	if err != nil {
		return nil, err
	}
	if e.Tx.ID == "" || len(e.Tx.Raw) == 0 {
		return nil, fmt.Errorf("%w: batch %s: attempt without ID or bytes", ErrStale, e.Batch)
	}
	if slices.ContainsFunc(b.attempts, func(a attempt) bool { return a.tx.ID == e.Tx.ID }) {
		return nil, fmt.Errorf("%w: batch %s: attempt %q was made before", ErrStale, e.Batch, e.Tx.ID)
	}
	tx := e.Tx
	tx.Raw = slices.Clone(tx.Raw)
	b.attempts = append(b.attempts, attempt{tx: tx, revision: b.revision})
	b.state = StateSigned
	sent := tx
	sent.Raw = slices.Clone(tx.Raw)
	return []Effect{Send{b.id, sent}}, nil
}

func (j *Journal) rejected(e Rejected) ([]Effect, error) {
	b, err := j.planned(e.Batch, e.Revision)
	if err != nil {
		return nil, err
	}
	if len(e.Faults) == 0 {
		return nil, fmt.Errorf("%w: batch %s: rejection of no line", ErrStale, e.Batch)
	}
	if err := b.checkFaults(b.revision, e.Faults); err != nil {
		return nil, err
	}
	return b.refuse(b.revision, e.Faults), nil
}

func (j *Journal) landed(e Landed) ([]Effect, error) {
	b, i, err := j.attempt(e.Batch, e.Tx)
	if err != nil {
		return nil, err
	}
	// The chain is right and the journal may have been told wrong: an attempt that was called expired may have landed.
	if a := b.attempts[i]; a.over && a.outcome != outcomeExpired {
		return nil, fmt.Errorf("%w: attempt %q of batch %s is over: %s", ErrStale, e.Tx, e.Batch, a.outcome)
	}
	if b.paidBy >= 0 {
		return nil, fmt.Errorf("%w: batch %s is paid by attempt %q", ErrStale, e.Batch, b.attempts[b.paidBy].tx.ID)
	}
	for k := range b.attempts {
		if !b.attempts[k].over {
			b.end(k, 0, 0, outcomeBeaten) // it can only fail on the marker
		}
	}
	b.end(i, e.Slot, e.Fee, outcomeLanded)
	b.state, b.paidBy, b.reason = StatePaid, int32(i), ""
	paid := Paid{Batch: b.id, Tx: e.Tx, Slot: e.Slot, Got: e.Got}
	for k := range b.lines {
		if b.carries(&b.lines[k], b.attempts[i].revision) {
			paid.Intents = append(paid.Intents, b.lines[k].Intents...)
		}
	}
	return []Effect{paid}, nil
}

func (j *Journal) failed(e Failed) ([]Effect, error) {
	b, i, err := j.live(e.Batch, e.Tx)
	if err != nil {
		return nil, err
	}
	revision := b.attempts[i].revision
	if err := b.checkFaults(revision, e.Failure.Faults); err != nil {
		return nil, err
	}
	if e.Failure.Reason == "" {
		return nil, fmt.Errorf("%w: batch %s: failure without a reason", ErrStale, e.Batch)
	}
	b.end(i, e.Slot, e.Fee, e.Failure.Reason)
	if e.Failure.Marker || len(e.Failure.Faults) == 0 {
		b.state, b.reason = StateStuck, e.Failure.Reason
		if e.Failure.Marker {
			b.reason = "its marker exists, but no attempt in the journal made it: " + e.Failure.Reason
		}
		return []Effect{Stuck{b.id, b.reason}}, nil
	}
	b.state = StatePlanned
	return b.refuse(revision, e.Failure.Faults), nil
}

func (j *Journal) expired(e Expired) ([]Effect, error) {
	b, i, err := j.live(e.Batch, e.Tx)
	if err != nil {
		return nil, err
	}
	for _, w := range e.Witnesses {
		if last := b.attempts[i].tx.LastValid; w.Height <= last {
			return nil, fmt.Errorf("%w: attempt %q of batch %s can land until block %d, not dead at %d", ErrStale, e.Tx, e.Batch, last, w.Height)
		}
	}
	b.end(i, 0, 0, outcomeExpired)
	b.state = StatePlanned
	return []Effect{Prepare{b.at(b.revision)}}, nil
}

func (j *Journal) resumed(e Resumed) ([]Effect, error) {
	b, err := j.find(e.Batch)
	if err != nil {
		return nil, err
	}
	if b.state != StateStuck {
		return nil, fmt.Errorf("%w: batch %s is %s, not stuck", ErrStale, e.Batch, b.state)
	}
	b.state, b.reason = StatePlanned, ""
	return []Effect{Prepare{b.at(b.revision)}}, nil
}

// end closes attempt i and forgets its bytes.
func (b *batch) end(i int, slot, fee uint64, outcome string) {
	a := &b.attempts[i]
	a.tx.Raw, a.over, a.slot, a.fee, a.outcome = nil, true, slot, fee, outcome
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

// refuse takes the lines at fault out of the batch, and with one line of a bundle all of them.
func (b *batch) refuse(revision uint16, faults []Fault) []Effect {
	reasons := map[int]string{}
	for _, f := range faults {
		reasons[f.Line] = f.Reason
	}
	b.revision++
	var effects []Effect
	n, left := 0, 0
	for i := range b.lines {
		l := &b.lines[i]
		if !b.carries(l, revision) {
			continue
		}
		reason, bad := reasons[n]
		n++
		if !bad && b.bundle == "" {
			left++
			continue
		}
		if !bad {
			reason = fmt.Sprintf("bundle %q: line %d: %s", b.bundle, faults[0].Line, faults[0].Reason)
		}
		l.gone, l.reason = b.revision, reason
		effects = append(effects, Refused{b.id, l.To, reason, slices.Clone(l.Intents)})
	}
	if left == 0 {
		b.state = StateRefused
		return effects
	}
	return append(effects, Prepare{b.at(b.revision)})
}
