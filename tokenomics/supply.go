package tokenomics

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// proofBytes bounds the proof of a burn; a Solana signature has 88 characters.
const proofBytes = 128

var (
	// ErrTimeBackwards is returned for an event before the one applied last.
	ErrTimeBackwards = errors.New("tokenomics: time went backwards")
	// ErrEpochDone is returned for an epoch that was minted before.
	ErrEpochDone = errors.New("tokenomics: epoch minted already")
	// ErrEpochGap is returned for an epoch before which another one has to be minted.
	ErrEpochGap = errors.New("tokenomics: epoch out of order")
	// ErrEpochEarly is returned for an epoch that has not begun.
	ErrEpochEarly = errors.New("tokenomics: epoch has not begun")
	// ErrProof is returned for a burn whose proof is empty, too long, or was used before.
	ErrProof = errors.New("tokenomics: invalid proof of a burn")
	// ErrNothing is returned for a burn of no tokens.
	ErrNothing = errors.New("tokenomics: nothing to burn")
	// ErrEvent is returned for an event that is none, such as nil.
	ErrEvent = errors.New("tokenomics: unknown event")
)

// Event is something that happened to the supply: [Emitted] or [Burned].
//
//sumtype:decl
type Event interface{ supplyEvent() }

// Emitted says that the emission of an epoch is due. Its amount follows from the schedule.
type Emitted struct{ Epoch Epoch }

// Burned says that tokens were destroyed.
type Burned struct {
	Amount Amount
	// Proof identifies the burn, for example by the signature of its transaction: 1 to 128 bytes. Each proof counts once.
	Proof string
}

func (Emitted) supplyEvent() {}
func (Burned) supplyEvent()  {}

// Effect is what follows from an event: [Minted] or [Retired].
//
//sumtype:decl
type Effect interface{ supplyEffect() }

// Minted orders that the emission of an epoch be created and shared out.
type Minted struct {
	Epoch  Epoch
	Amount Amount
}

// Retired records that a burn has lowered the supply.
type Retired struct {
	Amount Amount
	Proof  string
}

func (Minted) supplyEffect()  {}
func (Retired) supplyEffect() {}

// Books is the account of the supply at one moment.
type Books struct {
	// Genesis existed before epoch 1.
	Genesis Amount
	// MintedTotal is what all epochs emitted up to now, those before the first one of this Supply included.
	MintedTotal Amount
	// BurnedTotal is what was burned under this Supply.
	BurnedTotal Amount
	// Reserve is what the cap leaves to mint. A burn does not raise it.
	Reserve Amount
}

// Total returns the supply that exists: genesis and what was minted, without what was burned.
func (b Books) Total() Amount { return b.Genesis + b.MintedTotal - b.BurnedTotal }

// Supply is the state machine that mints and burns. Each epoch is minted once and in order, at the amount of the
// schedule, and not before it begins; each proof of a burn counts once. It is not safe for concurrent use.
type Supply struct {
	p        Params
	schedule *Schedule
	at       time.Time // of the last event
	next     Epoch     // the epoch to mint next
	minted   Amount    // by the schedule, up to next
	burned   Amount
	burns    []Burned            // in the order of arrival
	proofs   map[string]struct{} // of burns
}

// NewSupply returns a supply whose first epoch to mint is from. What the schedule emits before that counts as minted
// already, so that the books of a network that is taken up on its way are right from the start. It fails with the
// errors of [Params.Validate] and with [ErrParams] if from is 0 or lies more than one epoch after the last one.
func NewSupply(p Params, from Epoch) (*Supply, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if from == 0 || from > p.Emission.Epochs+1 {
		return nil, fmt.Errorf("%w: a supply cannot begin with epoch %d of %d", ErrParams, from, p.Emission.Epochs)
	}
	schedule, err := NewSchedule(p.Emission)
	if err != nil {
		return nil, err
	}
	return &Supply{
		p: p, schedule: schedule, next: from, minted: schedule.Cumulative(from - 1), proofs: map[string]struct{}{},
	}, nil
}

// Apply takes one event in. After an error nothing has changed. It fails with [ErrTimeBackwards] and [ErrEvent]; an
// emission with [ErrEpochDone], [ErrEpochGap] or [ErrEpochEarly]; a burn with [ErrNothing], [ErrProof], or
// [ErrInsufficient] if there is less than that. An epoch after the last one of the schedule has no effect.
func (s *Supply) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(s.at) {
		return nil, fmt.Errorf("%w: %s after %s", ErrTimeBackwards,
			at.UTC().Format(time.RFC3339Nano), s.at.UTC().Format(time.RFC3339Nano))
	}
	switch e := e.(type) {
	case Emitted:
		return s.emit(at, e)
	case Burned:
		return s.burn(at, e)
	}
	return nil, fmt.Errorf("%w: %T", ErrEvent, e)
}

// Books returns the account of the supply.
func (s *Supply) Books() Books {
	return Books{
		Genesis: s.p.Genesis, MintedTotal: s.minted, BurnedTotal: s.burned, Reserve: s.p.Cap - s.p.Genesis - s.minted,
	}
}

// Next returns the epoch that is to be minted next.
func (s *Supply) Next() Epoch { return s.next }

// Schedule returns the schedule by which the supply mints.
func (s *Supply) Schedule() *Schedule { return s.schedule }

// Audit returns the first invariant that is broken, or nil: the epochs up to Next are minted to the unit, within the
// cap; the burns add up, with one proof each; and no more was burned than there was.
func (s *Supply) Audit() error {
	if want := s.schedule.Cumulative(s.next - 1); s.minted != want {
		return fmt.Errorf("tokenomics: audit: minted %s, the schedule says %s", s.minted, want)
	}
	if room := s.p.Cap - s.p.Genesis; s.minted > room {
		return fmt.Errorf("tokenomics: audit: minted %s, cap - genesis is %s", s.minted, room)
	}
	var sum Amount
	for _, b := range s.burns {
		if _, ok := s.proofs[b.Proof]; !ok {
			return fmt.Errorf("tokenomics: audit: the proof %s of a burn is not indexed", quote(b.Proof))
		}
		var err error
		if sum, err = sum.Add(b.Amount); err != nil {
			return fmt.Errorf("tokenomics: audit: burns: %w", err)
		}
	}
	switch {
	case len(s.proofs) != len(s.burns):
		return fmt.Errorf("tokenomics: audit: %d burns with %d proofs", len(s.burns), len(s.proofs))
	case sum != s.burned:
		return fmt.Errorf("tokenomics: audit: burned %s, the burns add up to %s", s.burned, sum)
	case s.burned > s.p.Genesis+s.minted:
		return fmt.Errorf("tokenomics: audit: burned %s of %s", s.burned, s.p.Genesis+s.minted)
	}
	return nil
}

func (s *Supply) emit(at time.Time, e Emitted) ([]Effect, error) {
	switch start := s.p.Calendar.StartOf(e.Epoch); {
	case e.Epoch < s.next:
		return nil, fmt.Errorf("%w: epoch %d, the next one is %d", ErrEpochDone, e.Epoch, s.next)
	case e.Epoch > s.next:
		return nil, fmt.Errorf("%w: epoch %d, the next one is %d", ErrEpochGap, e.Epoch, s.next)
	case at.Before(start):
		return nil, fmt.Errorf("%w: epoch %d begins %s", ErrEpochEarly, e.Epoch, start.Format(time.RFC3339))
	case e.Epoch == math.MaxUint32:
		return nil, fmt.Errorf("%w: epoch %d is the last number", ErrOverflow, e.Epoch)
	}
	amount := s.schedule.Emission(e.Epoch)
	s.at, s.next, s.minted = at, s.next+1, s.minted+amount
	if amount == 0 {
		return nil, nil
	}
	return []Effect{Minted{Epoch: e.Epoch, Amount: amount}}, nil
}

func (s *Supply) burn(at time.Time, e Burned) ([]Effect, error) {
	if e.Amount == 0 {
		return nil, fmt.Errorf("%w: proof %s", ErrNothing, quote(e.Proof))
	}
	if n := len(e.Proof); n == 0 || n > proofBytes {
		return nil, fmt.Errorf("%w: it has %d bytes, want 1 to %d", ErrProof, n, proofBytes)
	}
	if _, used := s.proofs[e.Proof]; used {
		return nil, fmt.Errorf("%w: %s was used before", ErrProof, quote(e.Proof))
	}
	if total := s.Books().Total(); e.Amount > total {
		return nil, fmt.Errorf("%w: burn of %s, the supply is %s", ErrInsufficient, e.Amount, total)
	}
	s.at, s.burned = at, s.burned+e.Amount
	s.burns = append(s.burns, e)
	s.proofs[e.Proof] = struct{}{}
	return []Effect{Retired(e)}, nil
}
