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
	ErrDuplicate      = errors.New("reputation: identifier was used before")
	ErrUnknownFault   = errors.New("reputation: no such fault")
	ErrUnused         = errors.New("reputation: signal is not used")
	ErrTooEarly       = errors.New("reputation: too early")
)

// Book records observations of subjects. It is a state machine: the same events at the same times give the same state. It is
// not safe for concurrent use; reading changes nothing, so several may read while nobody applies.
type Book struct {
	params Params
	tables *tables
	clock  clock
	ages   ages
	laws   laws
	floor  uint32 // Ends.LowPPM of an identity that nobody ever saw, at Params.Reference

	now     time.Time
	names   []Subject // in the order of joining
	records []record
	marks   []*marks
	index   map[Subject]uint32

	ownerOf    []uint32 // of each subject
	siteOf     []string // of each subject
	owners     []owner  // in the order in which they were first heard of
	ownerIndex map[string]uint32
	faults     map[string]uint32 // the owner of each fault that weighs
	diary      diary
	stocks     stocks
	fade       memory // of the stocks; only its rate is used
}

// NewBook returns a book without subjects.
func NewBook(p Params) (*Book, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.Memories, p.Newcomer = slices.Clone(p.Memories), slices.Clone(p.Newcomer)
	p.Conduct.Kinds = slices.Clone(p.Conduct.Kinds)
	t := newTables()
	b := &Book{
		params:     p,
		tables:     t,
		clock:      newClock(t, p),
		ages:       ages{established: seconds(p.Established), rows: p.Newcomer},
		laws:       laws{job: newLaw(t, p.Job.Signal), challenge: newLaw(t, p.Challenge), link: newLaw(t, p.Link)},
		index:      map[Subject]uint32{},
		ownerIndex: map[string]uint32{},
		faults:     map[string]uint32{},
		diary:      newDiary(),
	}
	if p.Weather.used() {
		b.fade.rate = one / uint64(seconds(p.Weather.HalfLife))
	}
	b.floor = b.ends(b.availability(&record{}, seconds(p.Reference)), b.stranger()).LowPPM
	return b, nil
}

// Apply takes one event. An error means that nothing changed.
//
// It returns ErrTimeBackwards for a time before that of the last event, ErrTimeRange, ErrInvalid for an empty or long name,
// ErrKnownSubject for a second Joined and ErrUnknownSubject for an observation without it, ErrDuplicate for a job, a
// challenge or a fault that was told before, ErrUnknownFault for an appeal against a fault that there is none of, and
// ErrUnused for a signal that the parameters leave out, ErrTooEarly for a stock. The same Seen twice at one time changes nothing the second time.
func (b *Book) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(b.now) {
		return nil, fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at.UTC(), b.now)
	}
	unix := at.Unix()
	if unix < 0 || unix >= math.MaxUint32 {
		return nil, fmt.Errorf("%w: %v", ErrTimeRange, at.UTC())
	}
	out, err := b.dispatch(uint32(unix), at, e)
	if err != nil {
		return nil, err
	}
	b.now = at.UTC()
	b.forget(uint32(unix))
	return out, nil
}

func (b *Book) dispatch(unix uint32, at time.Time, e Event) ([]Effect, error) {
	switch e := e.(type) {
	case Joined:
		return nil, b.join(e)
	case Seen:
		i, err := b.subject(e.Subject)
		if err != nil {
			return nil, err
		}
		return b.see(i, unix, at, e), nil
	case JobEnded:
		i, err := b.checkJob(e, unix)
		if err != nil {
			return nil, err
		}
		b.forget(unix)
		return b.endJob(i, unix, e), nil
	case Challenged:
		i, err := b.checkChallenge(e, unix)
		if err != nil {
			return nil, err
		}
		b.forget(unix)
		b.answer(i, unix, e)
		return nil, nil
	case Measured:
		i, err := b.checkSample(e)
		if err != nil {
			return nil, err
		}
		b.measure(i, unix, e)
		return nil, nil
	case Faulted:
		i, severity, err := b.checkFault(e)
		if err != nil {
			return nil, err
		}
		b.blame(i, unix, "f"+e.ID, severity)
		return nil, nil
	case StockTaken:
		if err := b.checkStock(unix); err != nil {
			return nil, err
		}
		b.takeStock(unix)
		return nil, nil
	case Overturned:
		if _, ok := b.faults["f"+e.ID]; !ok {
			return nil, fmt.Errorf("%w: %q", ErrUnknownFault, e.ID)
		}
		b.overturn("f" + e.ID)
		return nil, nil
	}
	return nil, fmt.Errorf("%w: no event", ErrInvalid) // nil: the interface is sealed
}

func (b *Book) join(e Joined) error {
	if err := named("subject", string(e.Subject)); err != nil {
		return err
	}
	if len(e.Owner) > maxText || len(e.Site) > maxText {
		return fmt.Errorf("%w: owner has %d bytes and site %d, at most %d", ErrInvalid, len(e.Owner), len(e.Site), maxText)
	}
	if _, ok := b.index[e.Subject]; ok {
		return fmt.Errorf("%w: %q", ErrKnownSubject, string(e.Subject))
	}
	b.index[e.Subject] = uint32(len(b.names))
	b.names, b.records = append(b.names, e.Subject), append(b.records, record{})
	b.marks, b.ownerOf = append(b.marks, nil), append(b.ownerOf, b.own(e.Owner))
	b.siteOf = append(b.siteOf, e.Site)
	return nil
}

func (b *Book) see(i, unix uint32, at time.Time, e Seen) []Effect {
	r := &b.records[i]
	was, known := r.up, r.known
	outage := r.observe(b.tables, &b.clock, unix, e.Up)
	if outage {
		b.failed(r, unix)
	}
	switch {
	case !known || was == e.Up:
		return nil
	case e.Up:
		return []Effect{CameUp{Subject: e.Subject, At: at.UTC()}}
	default:
		return []Effect{WentDown{Subject: e.Subject, At: at.UTC(), Counted: outage}}
	}
}
