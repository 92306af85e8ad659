package reputation

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Refusals of Book.Apply besides ErrInvalid.
var (
	ErrTimeBackwards  = errors.New("reputation: time runs backwards")
	ErrTimeRange      = errors.New("reputation: time is not in the years 1970 to 2105")
	ErrKnownSubject   = errors.New("reputation: subject has joined already")
	ErrUnknownSubject = errors.New("reputation: subject has not joined")
)

// Book records observations of subjects. It is a state machine: the same events at the same times give the same state. It is
// not safe for concurrent use; reading changes nothing, so several may read while nobody applies.
type Book struct {
	params Params
	tables *tables
	clock  clock
	ages   ages
	floor  uint32 // LowPPM of an identity that nobody ever saw, at Params.Reference

	now     time.Time
	names   []Subject // in the order of joining
	records []record
	index   map[Subject]uint32
}

// NewBook returns a book without subjects.
func NewBook(p Params) (*Book, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.Memories, p.Newcomer = slices.Clone(p.Memories), slices.Clone(p.Newcomer)
	b := &Book{
		params: p,
		tables: newTables(),
		clock:  newClock(p),
		ages:   ages{established: seconds(p.Established), rows: p.Newcomer},
		index:  map[Subject]uint32{},
	}
	_, low, _ := b.bounds(&record{}, seconds(p.Reference))
	b.floor = low
	return b, nil
}

// Apply takes one event. An error means that nothing changed.
//
// It returns ErrTimeBackwards for a time before that of the last event, ErrTimeRange, ErrInvalid for an empty or long name,
// ErrKnownSubject for a second Joined and ErrUnknownSubject for a Seen without Joined. The same observation twice at one
// time changes nothing the second time.
func (b *Book) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(b.now) {
		return nil, fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at.UTC(), b.now)
	}
	unix := at.Unix()
	if unix < 0 || unix >= math.MaxUint32 {
		return nil, fmt.Errorf("%w: %v", ErrTimeRange, at.UTC())
	}
	var out []Effect
	switch e := e.(type) {
	case Joined:
		if err := b.join(e.Subject); err != nil {
			return nil, err
		}
	case Seen:
		i, ok := b.index[e.Subject]
		if !ok {
			return nil, fmt.Errorf("%w: %q", ErrUnknownSubject, string(e.Subject))
		}
		out = b.see(i, uint32(unix), at, e)
	default:
		return nil, fmt.Errorf("%w: no event", ErrInvalid) // nil: the interface is sealed
	}
	b.now = at.UTC()
	return out, nil
}

func (b *Book) join(s Subject) error {
	if s == "" || len(s) > maxText {
		return fmt.Errorf("%w: subject has %d bytes, not 1..%d", ErrInvalid, len(s), maxText)
	}
	if _, ok := b.index[s]; ok {
		return fmt.Errorf("%w: %q", ErrKnownSubject, string(s))
	}
	b.index[s] = uint32(len(b.names))
	b.names, b.records = append(b.names, s), append(b.records, record{})
	return nil
}

func (b *Book) see(i, unix uint32, at time.Time, e Seen) []Effect {
	r := &b.records[i]
	was, known := r.up, r.known
	outage := r.observe(b.tables, &b.clock, unix, e.Up)
	switch {
	case !known || was == e.Up:
		return nil
	case e.Up:
		return []Effect{CameUp{Subject: e.Subject, At: at.UTC()}}
	default:
		return []Effect{WentDown{Subject: e.Subject, At: at.UTC(), Counted: outage}}
	}
}
