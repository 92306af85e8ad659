package settlement

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const recordDomain = "idlegrid/settlement/record/v1"

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
	broken  error
}

// NewRecorder replays the store into a fresh journal and goes on from there.
func NewRecorder(p Params, s Store) (*Recorder, error) {
	j, err := NewJournal(p)
	if err != nil {
		return nil, err
	}
	n := 0
	err = s.Replay(func(record []byte) error {
		r := canon.NewReader(record, recordDomain)
		at, body := r.Time(), r.Bytes()
		if err := r.Close(); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
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
	return &Recorder{journal: j, store: s}, nil
}

// Journal returns the journal, for reading. Whoever applies to it directly loses that event at the next start.
func (r *Recorder) Journal() *Journal { return r.journal }

// Apply takes one event: the journal checks and applies it, the store makes it durable, and only then are its effects
// returned. If the store fails, the journal is ahead of it; every later call returns that error, and the process has to
// start again from the store.
func (r *Recorder) Apply(at time.Time, e Event) ([]Effect, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	effects, err := r.journal.Apply(at, e)
	if err != nil {
		return nil, err
	}
	w := canon.NewWriter(recordDomain)
	w.Time(at)
	w.Bytes(EncodeEvent(e))
	if err := r.store.Append(w.Data()); err != nil {
		r.broken = fmt.Errorf("settlement: append %T: %w", e, err)
		return nil, r.broken
	}
	return effects, nil
}
