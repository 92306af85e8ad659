package settlement

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

var (
	// ErrTimeBackwards is returned for an event that is older than the one before it.
	ErrTimeBackwards = errors.New("settlement: time goes backwards")
	// ErrConflict is returned for an intent or a bundle that is known with another content.
	ErrConflict = errors.New("settlement: conflict with what was decided")
	// ErrUnknownBatch is returned for an event about a batch that was never planned.
	ErrUnknownBatch = errors.New("settlement: unknown batch")
	// ErrStale is returned for an event that does not fit the batch's state: another revision, attempt or state was meant.
	ErrStale = errors.New("settlement: event does not fit the batch")
	// ErrBroken is returned by Audit for a broken invariant.
	ErrBroken = errors.New("settlement: broken invariant")
)

// State is what a batch, or an intent in it, has come to.
type State uint8

const (
	// StatePlanned means that nothing is on its way.
	StatePlanned State = iota + 1
	// StateSigned means that an attempt may land.
	StateSigned
	// StatePaid means that an attempt has landed and is final.
	StatePaid
	// StateStuck means that an operator has to look.
	StateStuck
	// StateRefused means that it will not be paid.
	StateRefused
)

// String returns the state in lower case.
func (s State) String() string {
	switch s {
	case StatePlanned:
		return "planned"
	case StateSigned:
		return "signed"
	case StatePaid:
		return "paid"
	case StateStuck:
		return "stuck"
	case StateRefused:
		return "refused"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// Journal remembers every intent, batch and attempt. It is not safe for concurrent use.
type Journal struct {
	params  Params
	now     time.Time
	intents []intent
	batches []batch
	byID    map[IntentID]int32
	byBatch map[BatchID]int32
	bundles map[string]int32            // name -> batch
	lanes   map[tokenomics.Epoch]uint32 // lanes used by the epoch
	volume  map[Asset]uint64            // all units ever decided
	closed  int                         // batches before this one are paid or refused, for ever
}

// intent is an Intent and the line that carries it.
type intent struct {
	Intent
	batch, line int32
}

// batch is a Batch in all its revisions, with its attempts.
type batch struct {
	id       BatchID
	bundle   string
	lines    []line
	revision uint16
	state    State
	attempts []attempt
	paidBy   int32  // index of the attempt that landed; -1 before
	reason   string // why it is stuck
}

// line is a Line with what became of it.
type line struct {
	Line
	gone   uint16 // the revision that was made without it; 0 while it is carried
	reason string // why it is gone
}

// attempt is a Tx, the revision it carries and what became of it.
type attempt struct {
	tx        Tx // Raw is forgotten when the attempt is over
	revision  uint16
	over      bool
	slot, fee uint64
	outcome   string
}

// What becomes of an attempt that does not fail.
const (
	outcomeLanded  = "landed"
	outcomeExpired = "expired"
	outcomeBeaten  = "beaten"
)

// NewJournal returns an empty journal.
func NewJournal(p Params) (*Journal, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.Assets = slices.Clone(p.Assets)
	return &Journal{
		params:  p,
		byID:    map[IntentID]int32{},
		byBatch: map[BatchID]int32{},
		bundles: map[string]int32{},
		lanes:   map[tokenomics.Epoch]uint32{},
		volume:  map[Asset]uint64{},
	}, nil
}

// Params returns the policy of the journal.
func (j *Journal) Params() Params {
	p := j.params
	p.Assets = slices.Clone(p.Assets)
	return p
}

// Entry is a batch as it stands.
type Entry struct {
	Batch    Batch // its present revision; every line it ever had once it is refused
	State    State
	Attempts []Record // oldest first
	Reason   string   // why it is stuck, otherwise empty
}

// Record is what became of one attempt.
type Record struct {
	Tx       Tx     // Raw is empty once the attempt is over
	Revision uint16 // of the batch that it carries
	Over     bool   // whether it is final or expired
	Slot     uint64 // where it landed, 0 before
	Fee      uint64 // lamports, 0 before it landed
	Outcome  string // "", "landed", "expired", "beaten" by another attempt of the batch, or why it failed
}

// Payment is an intent as it stands.
type Payment struct {
	Intent Intent
	Batch  BatchID
	State  State
	Tx     string // ID of the attempt that paid it, empty before
	Slot   uint64 // where that attempt landed, 0 before
	Reason string // why it is refused or stuck, otherwise empty
}

// Totals are the books of one asset in base units: Decided = Paid + Open + Refused.
type Totals struct {
	Decided, Paid, Open, Refused uint64
}

// Batches yields every batch, in order of decision. What it yields is the caller's.
func (j *Journal) Batches() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := range j.batches {
			if !yield(j.batches[i].entry()) {
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
	return j.batches[i].entry(), true
}

// Open returns the batches that are planned or signed, in order of decision: what a Runner works on. The slice and all in
// it are the caller's, so that it may be handed to another goroutine.
func (j *Journal) Open() []Entry {
	var out []Entry
	for i := j.closed; i < len(j.batches); i++ {
		if b := &j.batches[i]; b.state == StatePlanned || b.state == StateSigned {
			out = append(out, b.entry())
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

// Totals returns the books of an asset.
func (j *Journal) Totals(a Asset) Totals {
	var t Totals
	for i := range j.intents {
		in := &j.intents[i]
		if in.Asset != a {
			continue
		}
		t.Decided += in.Units
		switch j.stateOf(in) {
		case StatePaid:
			t.Paid += in.Units
		case StateRefused:
			t.Refused += in.Units
		default:
			t.Open += in.Units
		}
	}
	return t
}

// stateOf is the state of an intent: that of its batch, unless its line is gone.
func (j *Journal) stateOf(in *intent) State {
	b := &j.batches[in.batch]
	if b.paidBy >= 0 {
		if b.carries(&b.lines[in.line], b.attempts[b.paidBy].revision) {
			return StatePaid
		}
		return StateRefused
	}
	if b.lines[in.line].gone > 0 {
		return StateRefused
	}
	return b.state
}

func (j *Journal) payment(in *intent) Payment {
	b := &j.batches[in.batch]
	p := Payment{Intent: in.Intent, Batch: b.id, State: j.stateOf(in)}
	switch p.State {
	case StatePaid:
		p.Tx, p.Slot = b.attempts[b.paidBy].tx.ID, b.attempts[b.paidBy].slot
	case StateRefused:
		p.Reason = b.lines[in.line].reason
	case StateStuck:
		p.Reason = b.reason
	case StatePlanned, StateSigned:
	}
	return p
}

// carries says whether the line is in that revision of the batch.
func (b *batch) carries(l *line, revision uint16) bool { return l.gone == 0 || l.gone > revision }

// at returns the batch as that revision has it, in fresh slices.
func (b *batch) at(revision uint16) Batch {
	out := Batch{ID: b.id, Revision: revision, Bundle: b.bundle}
	for i := range b.lines {
		if l := &b.lines[i]; b.carries(l, revision) {
			copied := l.Line
			copied.Intents = slices.Clone(l.Intents)
			out.Lines = append(out.Lines, copied)
		}
	}
	return out
}

func (b *batch) entry() Entry {
	revision := b.revision
	switch {
	case b.paidBy >= 0:
		revision = b.attempts[b.paidBy].revision
	case b.state == StateRefused:
		revision = 0
	}
	e := Entry{Batch: b.at(revision), State: b.state, Reason: b.reason}
	for _, a := range b.attempts {
		tx := a.tx
		tx.Raw = slices.Clone(tx.Raw)
		e.Attempts = append(e.Attempts, Record{tx, a.revision, a.over, a.slot, a.fee, a.outcome})
	}
	return e
}
