package staking

import (
	"fmt"
	"math"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Pool is the state machine of all bonds of a network. It is not safe for concurrent use. What its queries return is the
// caller's.
type Pool struct {
	params Params
	now    instant // of the last event

	// Identifiers become dense numbers at the border: the order of first appearance. Nothing ranges over the maps but
	// to sort their keys.
	holders     []holder
	holderIndex map[HolderID]uint32
	bonds       []bond
	bondIndex   map[BondID]uint32
	offers      []offer
	offerIndex  map[OfferID]uint32
	proofs      map[EvidenceID]*proof // each lies in the list of its bond

	lastLot   LotID
	lastProof uint64
	books     Books
	timers    timers
	sweepAt   int // the number of timers at which the heap is swept; no part of the state

	// Scratch of one event, kept to spare the allocations; no part of the state.
	shares  []earningOffer
	weights []uint64
	split   []tokenomics.Amount
}

// instant is a time in nanoseconds since 1970.
type instant int64

// noInstant stands for an instant that there is none of.
const noInstant = instant(math.MinInt64)

// The instants that a pool can hold: so much within 64 bits that no sum of an instant and two spans leaves them.
const (
	firstYear = 1900
	lastYear  = 2200
)

// noEpoch stands for the end of what has no end. No calendar reaches it.
const noEpoch = tokenomics.Epoch(math.MaxUint32)

// NewPool returns a pool without bonds. The parameters must be valid.
func NewPool(p Params) (*Pool, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.Calendar.Start = p.Calendar.Start.UTC()
	return &Pool{
		params:      p.clone(),
		now:         noInstant,
		holderIndex: map[HolderID]uint32{},
		bondIndex:   map[BondID]uint32{},
		offerIndex:  map[OfferID]uint32{},
		proofs:      map[EvidenceID]*proof{},
	}, nil
}

// Params returns the parameters that the pool was made with.
func (p *Pool) Params() Params { return p.params.clone() }

// Now returns the instant of the last event, the zero time before the first.
func (p *Pool) Now() time.Time { return p.now.time() }

// Apply takes one event and returns what follows from it. An error means that nothing changed; package errors lists what
// is refused. An event of an unknown type is a programmer's mistake and panics.
func (p *Pool) Apply(at time.Time, e Event) ([]Effect, error) {
	now, err := instantOf(at)
	if err != nil {
		return nil, err
	}
	if now < p.now {
		return nil, fmt.Errorf("%w: %s is before %s", ErrTimeBackwards, now, p.now)
	}
	if _, ok := e.(Ticked); ok {
		p.now = now
		return p.tick(now), nil
	}
	if due, ok := p.nextTimer(); ok && due.at <= now {
		return nil, fmt.Errorf("%w: %s, at %s", ErrTick, due, now)
	}
	effects, err := p.dispatch(now, e)
	if err != nil {
		return nil, err
	}
	p.now = now
	return effects, nil
}

func (p *Pool) dispatch(at instant, e Event) ([]Effect, error) {
	switch e := e.(type) {
	case BondOpened:
		return nil, p.openBond(e)
	case Requalified:
		return p.requalify(at, e)
	case HireStarted:
		return nil, p.startHire(e)
	case HireEnded:
		return nil, p.endHire(e)
	case DeviceTerminated:
		return p.terminate(at, e)
	case Deposited:
		return p.deposit(at, e)
	case OverflowWithdrawn:
		return p.withdrawOverflow(at, e)
	case Unstaked:
		return p.unstake(at, e)
	case Withdrawn:
		return p.withdraw(e)
	case OfferPosted:
		return nil, p.postOffer(at, e)
	case OfferAccepted:
		return p.acceptOffer(at, e)
	case OfferClosed:
		return p.closeOffer(e)
	case WalletsLinked:
		return p.link(at, e)
	case Rewarded:
		return p.reward(at, e)
	case Claimed:
		return p.claim(e)
	case Infracted:
		return p.slash(at, e)
	case Appealed:
		return nil, p.appeal(e)
	case AppealDecided:
		return p.decideAppeal(e)
	case Ticked: // Apply's own
	}
	panic(fmt.Sprintf("staking: Pool.Apply: unknown event %T", e))
}

// instantOf returns a time as an instant, or [ErrTime].
func instantOf(t time.Time) (instant, error) {
	if y := t.UTC().Year(); y < firstYear || y >= lastYear {
		return 0, fmt.Errorf("%w: the year %d is not in %d..%d", ErrTime, y, firstYear, lastYear-1)
	}
	return instant(t.UnixNano()), nil
}

// time returns the instant as a time, [noInstant] as the zero time.
func (t instant) time() time.Time {
	if t == noInstant {
		return time.Time{}
	}
	return time.Unix(0, int64(t)).UTC()
}

// String returns the instant for an error message.
func (t instant) String() string { return stamp(t.time()) }

// after returns the instant a span later.
func (t instant) after(d time.Duration) instant { return t + instant(d) }

// stamp writes an instant for an error message.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// epochAt returns the epoch that holds an instant, 0 before the calendar begins.
func (p Params) epochAt(at instant) (tokenomics.Epoch, error) {
	t := at.time()
	if t.Before(p.Calendar.Start) {
		return 0, nil
	}
	e, err := p.Calendar.At(t)
	if err != nil || e >= noEpoch-1 {
		return 0, fmt.Errorf("%w: %s is beyond the calendar", ErrEpochOpen, at)
	}
	return e, nil
}
