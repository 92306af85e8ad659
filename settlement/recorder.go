package settlement

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const (
	recordDomain = "idlegrid/settlement/record/v1"
	linkDomain   = "idlegrid/settlement/link/v1"
	rootDomain   = "idlegrid/settlement/root/v1"
)

// ErrRecord is returned for a record that does not follow the one before it, or was kept under other Params.
var ErrRecord = errors.New("settlement: record of another journal")

// Store keeps records in order.
type Store interface {
	// Append adds a record, and returns only when it is durable. After an error nothing more is appended.
	Append(record []byte) error
	// Replay hands over every record, oldest first, and stops at the first error.
	Replay(each func(record []byte) error) error
}

// Recorder is a journal whose events are in a store before their effects are known. It is not safe for concurrent use.
type Recorder struct {
	journal *Journal
	store   Store
	link    [32]byte // of the last record
	broken  error
}

// NewRecorder replays the store into a fresh journal and goes on from there. Each record is linked by a hash to all before it
// and to the Params: other ones would cut the same decisions into other batches, and what was paid would be taken for unpaid. A
// record that is not linked is [ErrRecord].
func NewRecorder(p Params, s Store) (*Recorder, error) {
	j, err := NewJournal(p)
	if err != nil {
		return nil, err
	}
	n, last := 0, j.params.root()
	err = s.Replay(func(record []byte) error {
		r := canon.NewReader(record, recordDomain)
		at, body := r.Time(), r.Bytes()
		var is [32]byte
		r.Raw(is[:])
		if err := r.Close(); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		if last = link(last, at, body); last != is {
			return fmt.Errorf("record %d: %w: it does not follow the one before, or was kept under other Params", n, ErrRecord)
		}
		e, err := DecodeEvent(body)
		if err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		if _, err := j.Apply(at, e); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		n++
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("settlement: replay: %w", err)
	}
	return &Recorder{journal: j, store: s, link: last}, nil
}

// Journal returns the journal, for reading. Whoever applies to it directly loses that event at the next start.
func (r *Recorder) Journal() *Journal { return r.journal }

// Apply takes one event: the journal checks and applies it, the store makes it durable, and only then are its effects
// returned. If the store fails, the journal is ahead of it; every later call returns that error, and the process has to
// start again from the store. A time before that of the last event, from a clock that was set back, counts as that one.
func (r *Recorder) Apply(at time.Time, e Event) ([]Effect, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	if at.Before(r.journal.now) {
		at = r.journal.now
	}
	effects, err := r.journal.Apply(at, e)
	if err != nil {
		return nil, err
	}
	body := EncodeEvent(e)
	next := link(r.link, at, body)
	w := canon.NewWriter(recordDomain)
	w.Time(at)
	w.Bytes(body)
	w.Raw(next[:])
	if err := r.store.Append(w.Data()); err != nil {
		r.broken = fmt.Errorf("settlement: append %T: %w", e, err)
		return nil, r.broken
	}
	r.link = next
	return effects, nil
}

// root is what the first record is linked to.
func (p Params) root() [32]byte {
	w := canon.NewWriter(rootDomain)
	p.encode(w)
	return w.Sum()
}

// link is the hash of a record and of all before it.
func link(before [32]byte, at time.Time, body []byte) [32]byte {
	w := canon.NewWriter(linkDomain)
	w.Raw(before[:])
	w.Time(at)
	w.Bytes(body)
	return w.Sum()
}
