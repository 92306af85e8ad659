package settlement

import (
	"iter"
	"slices"
	"time"
)

// Entry is a batch as it stands.
type Entry struct {
	Batch     Batch     // its present revision; once its marker exists, what was carried
	Ever      []Line    // every line that it ever had, in the order of the first revision
	State     State     // never StateWaiting
	Attempts  []Record  // oldest first
	Proofs    []Proof   // what was found out about its markers, oldest first
	Since     time.Time // when its marker was last known to be absent: when it was decided, or seen so
	Before    time.Time // attempts have to be signed before, or the marker to be seen absent again; zero: at any time
	Closed    time.Time // when it was recorded that its marker exists and who made it; zero before
	Reclaimed bool      // whether its marker is gone again
	Reason    string    // why it is stuck, otherwise empty
}

// Whole is the batch with every line that it ever had, as [Finder] wants it.
func (e Entry) Whole() Batch {
	b := e.Batch
	b.Lines = e.Ever
	return b
}

// Stale says that no attempt may be signed at that time before the marker was seen absent again.
func (e Entry) Stale(at time.Time) bool { return !e.Before.IsZero() && !at.Before(e.Before) }

// Record is what became of one attempt.
type Record struct {
	Tx        Tx        // Raw is empty once the attempt is over; of an attempt that was found, only ID is known
	Marker    uint16    // number of the marker that it makes
	Revision  uint16    // of the batch that it carries
	Over      bool      // whether it is final or expired
	Slot      uint64    // where it landed, 0 before
	Fee       uint64    // lamports, 0 before it landed
	Got       uint64    // base units that a Swap got, 0 otherwise
	Outcome   string    // "", "landed", "expired", "beaten" by another attempt of the batch, or why it failed
	Witnesses []Witness // of the event that ended it; none if it was beaten
}

// Proof is what endpoints have said about a marker.
type Proof struct {
	Marker    uint16 // its number
	Says      string // "poisoned", "absent" or "reclaimed"
	Tx        string // ID of the stranger's transaction, if it is poisoned
	Slot      uint64 // where that landed
	Witnesses []Witness
}

// Payment is an intent as it stands.
type Payment struct {
	Intent Intent
	Batch  BatchID // zero while it waits
	State  State
	Tx     string // ID of the attempt that paid it, empty before
	Slot   uint64 // where that attempt landed, 0 before
	Got    uint64 // base units that a paid Swap got, 0 otherwise
	Reason string // why it is refused or stuck, otherwise empty
}

// Totals are the books of one asset in base units: Decided = Paid + Open + Refused + Waiting.
type Totals struct {
	Decided, Paid, Open, Refused, Waiting uint64
}

// Batches yields every batch, in order of decision; those of the Overflow lane when they were made. What it yields is the
// caller's.
func (j *Journal) Batches() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := range j.batches {
			if !yield(j.entry(&j.batches[i])) {
				return
			}
		}
	}
}

// Batch returns the batch of that ID, and whether there is one.
func (j *Journal) Batch(id BatchID) (Entry, bool) {
	i, ok := j.byBatch[id]
	if !ok {
		return Entry{}, false
	}
	return j.entry(&j.batches[i]), true
}

// Open returns the batches that a Runner works on, in the order of Batches: those that are planned, signed, marked or unsure.
// A batch of the Overflow lane is among them when the one before it is closed. The slice and all in it are the caller's, so
// that it may be handed to another goroutine. It costs what the open batches hold, however long the history is.
func (j *Journal) Open() []Entry {
	out := make([]Entry, 0, len(j.open))
	for _, n := range j.open {
		if b := &j.batches[n]; !(b.state == StatePlanned && j.held(b)) {
			out = append(out, j.entry(b))
		}
	}
	return out
}

// Payments yields every intent, in order of decision.
func (j *Journal) Payments() iter.Seq[Payment] {
	return func(yield func(Payment) bool) {
		for i := range j.intents {
			if !yield(j.payment(&j.intents[i])) {
				return
			}
		}
	}
}

// Recent returns the payments in the opposite order: the last one that was decided comes first. Whoever wants a few of
// many takes those and stops.
func (j *Journal) Recent() iter.Seq[Payment] {
	return func(yield func(Payment) bool) {
		for i := len(j.intents) - 1; i >= 0; i-- {
			if !yield(j.payment(&j.intents[i])) {
				return
			}
		}
	}
}

// Payment returns the intent of that ID, and whether it was decided.
func (j *Journal) Payment(id IntentID) (Payment, bool) {
	i, ok := j.byID[id]
	if !ok {
		return Payment{}, false
	}
	return j.payment(&j.intents[i]), true
}

// Totals returns the books of an asset, zero if Params does not name it. It costs the same however long the history is.
func (j *Journal) Totals(a Asset) Totals {
	b := j.book(a)
	if b == nil {
		return Totals{}
	}
	return Totals{
		Decided: b[bookPaid] + b[bookOpen] + b[bookRefused] + b[bookWaiting],
		Paid:    b[bookPaid], Open: b[bookOpen], Refused: b[bookRefused], Waiting: b[bookWaiting],
	}
}

// Recovery returns the last Recovering that was not the end of one, and whether it is still in force.
func (j *Journal) Recovery() (Recovering, bool) { return j.recovery, j.recovering }

// stateOf is the state of an intent: that of its batch, unless it waits or its line is gone.
func (j *Journal) stateOf(in *intent) State {
	if in.batch < 0 {
		return StateWaiting
	}
	b := &j.batches[in.batch]
	if b.lines[in.line].gone > 0 {
		return StateRefused
	}
	return b.state
}

func (j *Journal) payment(in *intent) Payment {
	p := Payment{Intent: in.Intent, State: j.stateOf(in)}
	if p.State == StateWaiting {
		return p
	}
	b := &j.batches[in.batch]
	p.Batch = b.id
	switch p.State {
	case StatePaid:
		a := &b.attempts[b.made]
		p.Tx, p.Slot, p.Got = a.tx.ID, a.slot, a.got
	case StateRefused:
		p.Reason = b.lines[in.line].reason
	case StateStuck:
		p.Reason = b.reason
	case StatePlanned, StateSigned, StateMarked, StateUnsure, StateWaiting:
	}
	return p
}

// at returns the batch as that revision has it, in fresh slices.
func (b *batch) at(revision uint16) Batch {
	return Batch{b.id, b.marker, revision, b.bundle, b.pick(func(l *line) bool { return b.carries(l, revision) })}
}

// whole returns the batch with every line that it ever had, in fresh slices.
func (b *batch) whole() Batch {
	return Batch{b.id, b.marker, b.revision, b.bundle, b.pick(func(*line) bool { return true })}
}

// pick copies lines into two slices: one of lines and one of all their intents.
func (b *batch) pick(want func(*line) bool) []Line {
	lines, ids := 0, 0
	for i := range b.lines {
		if l := &b.lines[i]; want(l) {
			lines++
			ids += len(l.Intents)
		}
	}
	if lines == 0 {
		return nil
	}
	out, all := make([]Line, 0, lines), make([]IntentID, 0, ids)
	for i := range b.lines {
		if l := &b.lines[i]; want(l) {
			from := len(all)
			all = append(all, l.Intents...)
			out = append(out, l.Line)
			out[len(out)-1].Intents = all[from:len(all):len(all)]
		}
	}
	return out
}

func (j *Journal) entry(b *batch) Entry {
	e := Entry{
		Batch: b.at(b.revision), State: b.state, Since: b.since, Before: j.params.signBefore(b.since), Closed: b.closed, Reclaimed: b.reclaimed, Reason: b.reason,
		Attempts: make([]Record, 0, len(b.attempts)), Proofs: slices.Clone(b.proofs),
	}
	e.Ever = e.Batch.Lines
	if len(e.Ever) < len(b.lines) {
		e.Ever = b.whole().Lines
	}
	for _, a := range b.attempts {
		tx := a.tx
		tx.Raw = slices.Clone(tx.Raw)
		e.Attempts = append(e.Attempts, Record{tx, a.marker, a.revision, a.over, a.slot, a.fee, a.got, a.outcome, slices.Clone(a.witnesses)})
	}
	for i := range e.Proofs {
		e.Proofs[i].Witnesses = slices.Clone(e.Proofs[i].Witnesses)
	}
	return e
}
