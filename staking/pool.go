package staking

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Pool is the state machine of all bonds of a network. It is not safe for concurrent use. What its queries return is the
// caller's.
type Pool struct {
	params Params
	now    time.Time // of the last event

	// Identifiers become dense numbers at the border: the order of first appearance. Nothing ranges over the maps but
	// to sort their keys.
	holders     []holder
	holderIndex map[HolderID]uint32
	bonds       []bond
	bondIndex   map[BondID]uint32
	offers      []offer
	offerIndex  map[OfferID]uint32

	books Books

	// Scratch of one reward, kept to spare the allocation; no part of the state.
	weights []uint64
	parts   []tokenomics.Amount
}

// NewPool returns a pool without bonds. The parameters must be valid.
func NewPool(p Params) (*Pool, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.Calendar.Start = p.Calendar.Start.UTC()
	return &Pool{
		params:      p,
		holderIndex: map[HolderID]uint32{},
		bondIndex:   map[BondID]uint32{},
		offerIndex:  map[OfferID]uint32{},
	}, nil
}

// Params returns the parameters that the pool was made with.
func (p *Pool) Params() Params { return p.params }

// Apply takes one event and returns what follows from it. An error means that nothing changed; package errors lists what
// is refused, and an event older than the last one is [ErrTimeBackwards]. An event of an unknown type is a programmer's
// mistake and panics.
func (p *Pool) Apply(at time.Time, e Event) ([]Effect, error) {
	at = at.UTC().Round(0)
	if at.Before(p.now) {
		return nil, fmt.Errorf("%w: %s is before %s", ErrTimeBackwards, stamp(at), stamp(p.now))
	}
	var effects []Effect
	var err error
	switch e := e.(type) {
	case BondOpened:
		err = p.openBond(e)
	case Deposited:
		effects, err = p.deposit(at, e)
	case OfferPosted:
		err = p.postOffer(at, e)
	case OfferAccepted:
		effects, err = p.acceptOffer(at, e)
	case OfferClosed:
		err = p.closeOffer(at, e)
	case Rewarded:
		effects, err = p.reward(at, e)
	default:
		panic(fmt.Sprintf("staking: Pool.Apply: unknown event %T", e))
	}
	if err != nil {
		return nil, err
	}
	p.now = at
	return effects, nil
}

// stamp writes an instant for an error message.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
