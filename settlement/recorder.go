package settlement

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const (
	recordDomain = "idlegrid/settlement/record/v1"
	linkedDomain = "idlegrid/settlement/linked/v1"
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
	keeper  keeper[Event, Effect]
}

// NewRecorder replays the store into a fresh journal and goes on from there. Each record is linked by a hash to all before it
// and to the Params: other ones would cut the same decisions into other batches, and what was paid would be taken for unpaid. A
// record that is not linked is [ErrRecord].
func NewRecorder(p Params, s Store) (*Recorder, error) {
	j, err := NewJournal(p)
	if err != nil {
		return nil, err
	}
	root := canon.NewWriter(rootDomain)
	j.params.encode(root)
	k := keeper[Event, Effect]{domain: recordDomain, apply: j.Apply, encode: EncodeEvent, decode: DecodeEvent, store: s, link: root.Sum()}
	if err := k.replay(k.again); err != nil {
		return nil, err
	}
	return &Recorder{j, k}, nil
}

// Journal returns the journal, for reading. Whoever applies to it directly loses that event at the next start.
func (r *Recorder) Journal() *Journal { return r.journal }

// Apply takes one event: the journal checks and applies it, the store makes it durable, and only then are its effects
// returned. If the store fails, the journal is ahead of it; every later call returns that error, and the process has to
// start again from the store. A time before that of the last event, from a clock that was set back, counts as that one.
func (r *Recorder) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(r.journal.now) {
		at = r.journal.now
	}
	return r.keeper.take(at, e)
}

// keeper keeps the events of a state machine in a store, each with its time and linked to all before it.
type keeper[E, F any] struct {
	domain string
	apply  func(at time.Time, e E) ([]F, error)
	encode func(e E) []byte
	decode func(b []byte) (E, error)
	store  Store
	link   [32]byte // of the last record
	broken error    // of the store: the machine is ahead of it
}

// take applies an event and then keeps it, so that no event is kept which the machine refuses.
func (k *keeper[E, F]) take(at time.Time, e E) ([]F, error) {
	if k.broken != nil {
		return nil, k.broken
	}
	effects, err := k.apply(at, e)
	if err != nil {
		return nil, err
	}
	w := canon.NewWriter(k.domain)
	w.Time(at)
	w.Bytes(k.encode(e))
	if err := k.keep(w.Data(), fmt.Sprintf("%T", e)); err != nil {
		return nil, err
	}
	return effects, nil
}

// keep appends a record, and nothing any more once that has failed.
func (k *keeper[E, F]) keep(record []byte, what string) error {
	if k.broken != nil {
		return k.broken
	}
	next := link(k.link, record)
	w := canon.NewWriter(linkedDomain)
	w.Bytes(record)
	w.Raw(next[:])
	if err := k.store.Append(w.Data()); err != nil {
		k.broken = fmt.Errorf("settlement: append %s: %w", what, err)
		return k.broken
	}
	k.link = next
	return nil
}

// again applies what was kept.
func (k *keeper[E, F]) again(record []byte) error {
	r := canon.NewReader(record, k.domain)
	at, body := r.Time(), r.Bytes()
	if err := r.Close(); err != nil {
		return err
	}
	e, err := k.decode(body)
	if err != nil {
		return err
	}
	_, err = k.apply(at, e)
	return err
}

// replay hands over what every record holds, after a look at its link, and numbers errors.
func (k *keeper[E, F]) replay(each func(record []byte) error) error {
	n := 0
	err := k.store.Replay(func(linked []byte) error {
		r := canon.NewReader(linked, linkedDomain)
		record := r.Bytes()
		var is [32]byte
		r.Raw(is[:])
		err := r.Close()
		if next := link(k.link, record); err == nil && next != is {
			err = fmt.Errorf("%w: it does not follow the one before, or was kept under other Params", ErrRecord)
		}
		if err == nil {
			k.link = is
			err = each(record)
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		n++
		return nil
	})
	if err != nil {
		return fmt.Errorf("settlement: replay: %w", err)
	}
	return nil
}

// link is the hash of a record and of all before it.
func link(before [32]byte, record []byte) [32]byte {
	w := canon.NewWriter(linkDomain)
	w.Raw(before[:])
	w.Bytes(record)
	return w.Sum()
}
