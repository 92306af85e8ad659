package settlement

import (
	"errors"
	"fmt"
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
	// ErrUnseen is returned for an attempt that is signed too long after its marker was last known to be absent: another payer may
	// have made it and taken it back meanwhile, and the chain would not refuse to pay again. See [Params.ReclaimAfterSeconds].
	ErrUnseen = errors.New("settlement: marker not seen absent of late")
	// ErrQuorum is returned for an event that too few endpoints bear witness to, or witnesses that do not prove it.
	ErrQuorum = errors.New("settlement: not enough evidence")
	// ErrUnexplained is returned for a transaction that made a marker and carried lines that the journal cannot explain: not
	// yet, while the batch that they come from is not found, or never.
	ErrUnexplained = errors.New("settlement: unexplained lines")
	// ErrLanes is returned for a decision that needs more lanes than the epoch has left.
	ErrLanes = errors.New("settlement: no lane left")
	// ErrBroken is returned by Audit for a broken invariant, and by Apply for an event that breaks what consensus promises, for
	// example a second transaction that made the same marker. Then money may have moved twice, and a person has to look.
	ErrBroken = errors.New("settlement: broken invariant")
)

// State is what a batch, or an intent in it, has come to.
type State uint8

const (
	// StatePlanned means that nothing is on its way: the batch is to be prepared.
	StatePlanned State = iota + 1
	// StateSigned means that an attempt may land: it is to be looked for.
	StateSigned
	// StatePaid means that an attempt has landed and is final.
	StatePaid
	// StateStuck means that an operator has to look.
	StateStuck
	// StateRefused means that it will not be paid; of a batch, that its marker exists and no line was carried.
	StateRefused
	// StateMarked means that its marker exists for a reason that is not known: who made it is to be found.
	StateMarked
	// StateUnsure means that an attempt the journal has not heard of may have landed, or may land: its marker is to be found or
	// seen absent, and the attempts that are known are to be looked for.
	StateUnsure
	// StateWaiting means that an intent is in no batch yet, because its recipient's sum is less than Limit.MinPay.
	StateWaiting
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
	case StateMarked:
		return "marked"
	case StateUnsure:
		return "unsure"
	case StateWaiting:
		return "waiting"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// Journal remembers every intent, batch and attempt. It is not safe for concurrent use.
type Journal struct {
	params     Params
	now        time.Time
	intents    []intent
	batches    []batch
	recovery   Recovering // the last one; its Since holds for ever
	recovering bool
	overflow   map[tokenomics.Epoch]*overflow
	day        []outlay // what was decided within 24 hours of the last decision, oldest first

	// What follows can be told from the above, and Audit does.
	byID    map[IntentID]int32
	byBatch map[BatchID]int32
	bundles map[string]int32            // name -> batch
	lanes   map[tokenomics.Epoch]uint32 // lanes used by the epoch, Overflow apart
	pools   map[pair]pool               // intents that wait
	spent   map[outlet]uint64           // what each epoch has decided to give away, where Limit.MaxEpoch bounds it
	books   []books                     // of Params.Assets
	open    []int32                     // batches that a Runner works on, rising
	kept    []int32                     // closed batches whose marker is not reclaimed, in the order in which they were closed
	unsure  int                         // batches in StateUnsure
}

// intent is an Intent and the line that carries it; both are -1 while it waits.
type intent struct {
	Intent
	epoch       tokenomics.Epoch // that decided it
	batch, line int32
}

// batch is a Batch in all its revisions, with its attempts.
type batch struct {
	id        BatchID
	bundle    string
	lines     []line
	marker    uint16 // number of the marker that the next attempt makes
	revision  uint16
	state     State
	attempts  []attempt
	proofs    []Proof
	made      int32     // index of the attempt that made the marker; -1 while the batch is open
	since     time.Time // when its marker was last known to be absent: seen so, or not yet decided
	closed    time.Time // when that was recorded; zero before
	reclaimed bool
	doubt     bool   // whether an attempt that is not known may have made its marker: it was unsure, and not seen absent since
	reason    string // why it is stuck
}

// line is a Line with what became of it: it is carried, gone, gone and moved, or paid.
type line struct {
	Line
	gone   uint16 // the revision that was made without it; 0 while it is carried, and when it is paid
	reason string // why it is gone
	moved  bool   // to another batch
	paid   bool
}

// attempt is a Tx, the revision it carries and what became of it.
type attempt struct {
	tx        Tx // Raw is forgotten when the attempt is over
	marker    uint16
	revision  uint16
	over      bool
	slot, fee uint64
	got       uint64
	outcome   string
	witnesses []Witness
}

// What becomes of an attempt that does not fail.
const (
	outcomeLanded  = "landed"
	outcomeExpired = "expired"
	outcomeBeaten  = "beaten"
)

// books are the units of one asset by what became of them. Units move from one to another, and enter only by a decision.
type books [4]uint64

// The accounts of books.
const (
	bookOpen = iota
	bookPaid
	bookRefused
	bookWaiting
)

// NewJournal returns an empty journal.
func NewJournal(p Params) (*Journal, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &Journal{
		params:   p.clone(),
		overflow: map[tokenomics.Epoch]*overflow{},
		byID:     map[IntentID]int32{},
		byBatch:  map[BatchID]int32{},
		bundles:  map[string]int32{},
		lanes:    map[tokenomics.Epoch]uint32{},
		pools:    map[pair]pool{},
		spent:    map[outlet]uint64{},
		books:    make([]books, len(p.Assets)),
	}, nil
}

// Params returns the policy of the journal.
func (j *Journal) Params() Params { return j.params.clone() }

// book returns the books of an asset, nil if it is unknown.
func (j *Journal) book(a Asset) *books {
	if i := slices.Index(j.params.Assets, a); i >= 0 {
		return &j.books[i]
	}
	return nil
}

// move takes the units of an asset from one account of its books to another.
func (j *Journal) move(a Asset, from, to int, units uint64) {
	b := j.book(a)
	b[from] -= units
	b[to] += units
}

// account is where the units of a line stand in the books.
func (l *line) account() int {
	switch {
	case l.paid:
		return bookPaid
	case l.gone > 0:
		return bookRefused
	}
	return bookOpen
}

// isClosed says that the batch's marker exists and is final, made by an attempt that is known.
func (b *batch) isClosed() bool { return b.state == StatePaid || b.state == StateRefused }

// carries says whether the line is in that revision of the batch.
func (b *batch) carries(l *line, revision uint16) bool { return l.gone == 0 || l.gone > revision }

// works says whether a Runner works on batches in this state.
func (s State) works() bool {
	return s == StatePlanned || s == StateSigned || s == StateMarked || s == StateUnsure
}

// set puts batch n into a state.
func (j *Journal) set(n int32, s State, reason string) {
	b := &j.batches[n]
	if b.state == StateUnsure {
		j.unsure--
	}
	if s == StateUnsure {
		j.unsure++
		b.doubt = true
	}
	if was, is := b.state.works(), s.works(); was != is {
		at, _ := slices.BinarySearch(j.open, n)
		if is {
			j.open = slices.Insert(j.open, at, n)
		} else {
			j.open = slices.Delete(j.open, at, at+1)
		}
	}
	b.state, b.reason = s, reason
}

// add appends a batch in that state and enters it into the maps.
func (j *Journal) add(b batch, s State) int32 {
	n := int32(len(j.batches))
	b.state = 0
	j.batches = append(j.batches, b)
	j.index(n)
	j.set(n, s, b.reason)
	return n
}

// index enters batch n into the maps.
func (j *Journal) index(n int32) {
	b := &j.batches[n]
	j.byBatch[b.id] = n
	if b.bundle != "" {
		j.bundles[b.bundle] = n
	}
	if b.id.Lane != Overflow {
		j.lanes[b.id.Epoch] = max(j.lanes[b.id.Epoch], b.id.Lane+1)
	}
}

// find returns the number of the batch, or ErrUnknownBatch.
func (j *Journal) find(id BatchID) (int32, error) {
	n, ok := j.byBatch[id]
	if !ok {
		return 0, fmt.Errorf("%w: %s", ErrUnknownBatch, id)
	}
	return n, nil
}
