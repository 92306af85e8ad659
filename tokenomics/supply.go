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
	// ErrNothing is returned for a burn or a move of no tokens.
	ErrNothing = errors.New("tokenomics: no tokens are named")
	// ErrAccount is returned for an account that is none, or that the event may not touch.
	ErrAccount = errors.New("tokenomics: not from or to this account")
	// ErrEvent is returned for an event that is none, such as nil.
	ErrEvent = errors.New("tokenomics: unknown event")
)

// Supply is the state machine that mints, frees, moves and burns. Each epoch is decided once and in order, by the policy of
// its time, and not before it begins; each proof of a burn counts once. It is not safe for concurrent use.
type Supply struct {
	p          Params
	timeline   *Timeline
	allocation *Allocation // nil: genesis circulates
	at         time.Time   // of the last event
	next       Epoch       // to decide next
	state      PolicyState
	since      Amount // burned after the last epoch, for the policy of the next one
	rewards    Amount
	locked     Amount
	freed      []Amount            // by bucket of the allocation
	burns      []Burned            // in the order of arrival
	proofs     map[string]struct{} // of burns
}

// NewSupply returns a supply whose first epoch to mint is from. What fixed schedules emit before that counts as minted
// already and as received, and what the allocation frees until it begins as free, so that the books of a network that is
// taken up on its way are right from the start. It fails with the errors of [Params.Validate], and with [ErrParams] if from is
// 0 or if another policy than a fixed schedule decides before it: then the books do not follow from the parameters.
func NewSupply(p Params, from Epoch) (*Supply, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	timeline, err := p.Timeline()
	if err != nil {
		return nil, err
	}
	if from == 0 {
		return nil, fmt.Errorf("%w: a supply cannot begin with epoch 0", ErrParams)
	}
	minted, known := timeline.scheduled(from)
	if !known {
		return nil, fmt.Errorf("%w: what was minted before epoch %d does not follow from schedules alone", ErrParams, from)
	}
	s := &Supply{p: p, timeline: timeline, next: from, state: p.State(), proofs: map[string]struct{}{}}
	s.state.Minted = min(minted, s.state.Room())
	if p.Allocation == nil {
		return s, nil
	}
	if s.allocation, err = NewAllocation(*p.Allocation); err != nil {
		return nil, err
	}
	for i, b := range s.allocation.UnlockedAt(p.Calendar.StartOf(from)) {
		s.freed = append(s.freed, b.Unlocked)
		s.locked += p.Allocation.Buckets[i].genesis() - b.Unlocked
	}
	return s, nil
}

// Apply takes one event in. After an error nothing has changed. It fails with [ErrTimeBackwards] and [ErrEvent]; an
// emission with [ErrEpochDone], [ErrEpochGap], [ErrEpochEarly] or the errors of [Timeline.Step]; a burn or a move with
// [ErrNothing], [ErrAccount], [ErrProof], or [ErrInsufficient] if the account holds less. An epoch in which nothing is
// emitted has no effect.
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
	case Vested:
		return s.vest(at), nil
	case Moved:
		return nil, s.move(at, e)
	}
	return nil, fmt.Errorf("%w: %T", ErrEvent, e)
}

// Books returns the account of the supply.
func (s *Supply) Books() Books {
	return Books{
		Genesis: s.p.Genesis, MintedTotal: s.state.Minted, RemintedTotal: s.state.Reminted, BurnedTotal: s.state.Burned + s.since,
		Reserve: s.state.Room(), Circulating: s.circulating(), Rewards: s.rewards, FeeVault: s.state.FeeVault, Locked: s.locked,
	}
}

// Next returns the epoch that is to be minted next.
func (s *Supply) Next() Epoch { return s.next }

// State returns what the policies know after the last epoch. The debts are the supply's own.
func (s *Supply) State() PolicyState { return s.state }

// Timeline returns the policies by which the supply mints.
func (s *Supply) Timeline() *Timeline { return s.timeline }

// total returns the supply that exists, burns after the last epoch included.
func (s *Supply) total() Amount { return s.state.Total() - s.since }

// circulating returns what is in no other account.
func (s *Supply) circulating() Amount { return s.total() - s.rewards - s.state.FeeVault - s.locked }

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
	case e.Inputs.Burned != 0 || e.Inputs.FeesIn != 0 || !e.Inputs.Start.IsZero() || !e.Inputs.End.IsZero():
		return nil, fmt.Errorf("%w: burned, fees_in, start and end follow from other events and have to be zero", ErrInputs)
	}
	in := e.Inputs
	in.Burned = s.since
	next, r, err := s.timeline.Step(e.Epoch, s.state, in)
	if err != nil {
		return nil, err
	}
	s.at, s.next, s.state, s.since = at, s.next+1, next, 0
	s.rewards += r.Mint + r.Remint + r.FromFeeVault
	var effects []Effect
	if r.Budget > 0 {
		effects = append(effects, Minted{Epoch: e.Epoch, Amount: r.Budget})
	}
	if len(r.Payouts) > 0 || r.Burn > 0 || r.BuyBack > 0 || r.Issued > 0 || r.Flags != 0 {
		effects = append(effects, Decided{Epoch: e.Epoch, Result: r})
	}
	return effects, nil
}

func (s *Supply) burn(at time.Time, e Burned) ([]Effect, error) {
	if e.Amount == 0 {
		return nil, fmt.Errorf("%w: a burn with the proof %s", ErrNothing, quote(e.Proof))
	}
	if n := len(e.Proof); n == 0 || n > proofBytes {
		return nil, fmt.Errorf("%w: it has %d bytes, want 1 to %d", ErrProof, n, proofBytes)
	}
	if _, used := s.proofs[e.Proof]; used {
		return nil, fmt.Errorf("%w: %s was used before", ErrProof, quote(e.Proof))
	}
	if err := s.holds(e.From, e.Amount); err != nil {
		return nil, err
	}
	s.take(e.From, e.Amount)
	s.at, s.since = at, s.since+e.Amount
	s.burns = append(s.burns, e)
	s.proofs[e.Proof] = struct{}{}
	return []Effect{Retired{Amount: e.Amount, Proof: e.Proof}}, nil
}

func (s *Supply) move(at time.Time, e Moved) error {
	if e.Amount == 0 {
		return fmt.Errorf("%w: a move from %s to %s", ErrNothing, e.From, e.To)
	}
	if e.To >= Locked || e.To == e.From {
		return fmt.Errorf("%w: a move from %s to %s", ErrAccount, e.From, e.To)
	}
	if err := s.holds(e.From, e.Amount); err != nil {
		return err
	}
	s.take(e.From, e.Amount)
	switch e.To {
	case Rewards:
		s.rewards += e.Amount
	case FeeVault:
		s.state.FeeVault += e.Amount
	case Circulating, Locked: // what is in no other account circulates
	}
	s.at = at
	return nil
}

// holds returns an error unless an account can give an amount away.
func (s *Supply) holds(a Account, n Amount) error {
	var held Amount
	switch a {
	case Circulating:
		held = s.circulating()
	case Rewards:
		held = s.rewards
	case FeeVault:
		held = s.state.FeeVault
	default:
		return fmt.Errorf("%w: %s", ErrAccount, a)
	}
	if n > held {
		return fmt.Errorf("%w: %s from %s, which holds %s", ErrInsufficient, n, a, held)
	}
	return nil
}

// take takes an amount out of an account that holds it.
func (s *Supply) take(a Account, n Amount) {
	switch a {
	case Rewards:
		s.rewards -= n
	case FeeVault:
		s.state.FeeVault -= n
	case Circulating, Locked: // what is in no other account circulates
	}
}

func (s *Supply) vest(at time.Time) []Effect {
	s.at = at
	if s.allocation == nil {
		return nil
	}
	var effects []Effect
	for i, b := range s.allocation.UnlockedAt(at) {
		// What is free stays free, also for an instant before the one with which this supply began.
		if free := b.Unlocked - min(b.Unlocked, s.freed[i]); free > 0 {
			s.freed[i] += free
			s.locked -= free
			effects = append(effects, Unlocked{Bucket: b.Name, Amount: free})
		}
	}
	return effects
}
