package tokenomics

import (
	"fmt"
	"slices"
	"time"
)

// Fixed is the policy that mints what a curve says, whatever the price. The zero value is of no use; [NewFixed] makes
// one. It never changes and is safe for concurrent use.
type Fixed struct {
	curve    Curve
	calendar Calendar
}

// NewFixed returns the policy of a curve whose epochs are numbered by a calendar of their own. It fails with [ErrPolicy] if
// there is no curve, or with [ErrCalendar].
func NewFixed(c Curve, numbered Calendar) (*Fixed, error) {
	if c == nil {
		return nil, fmt.Errorf("%w: fixed: there is no curve", ErrPolicy)
	}
	if err := numbered.Validate(); err != nil {
		return nil, err
	}
	return &Fixed{curve: c, calendar: numbered}, nil
}

// ID returns that of the curve.
func (f *Fixed) ID() string { return f.curve.ID() }

// Step mints what the epochs of the curve that end within the step emit, Start excluded and End included, as far as the
// cap has room. Steps and epochs may have different lengths: each epoch of the curve belongs to exactly one step of any
// gapless row of steps. Owed dollars are left alone: they stay for the policy that comes next. It fails with [ErrInputs].
func (f *Fixed) Step(s PolicyState, in Inputs) (PolicyState, Result, error) {
	r := Result{Policy: f.ID(), Retained: in.Revenue}
	if err := s.receive(in); err != nil {
		return PolicyState{}, Result{}, err
	}
	if err := s.owe(in.Owed); err != nil {
		return PolicyState{}, Result{}, err
	}
	s.mint(&r, f.between(in.Start, in.End))
	return s, r, nil
}

// between returns what the epochs emit that end after from and not after to.
func (f *Fixed) between(from, to time.Time) Amount {
	first, last := f.ended(from), f.ended(to)
	if last <= first {
		return 0
	}
	return f.curve.Cumulative(last) - f.curve.Cumulative(first)
}

// ended returns the last epoch of the curve that has ended at an instant, at most Epochs.
func (f *Fixed) ended(at time.Time) Epoch { return min(f.calendar.Ended(at), f.curve.Epochs()) }

// receive books what an epoch brings before anything is decided.
func (s *PolicyState) receive(in Inputs) error {
	if !in.Start.Before(in.End) {
		return fmt.Errorf("%w: the epoch ends %s and does not begin before that", ErrInputs, in.End.UTC().Format(time.RFC3339))
	}
	if in.Burned > s.Total() {
		return fmt.Errorf("%w: burned %s of %s", ErrInputs, in.Burned, s.Total())
	}
	vault, err := s.FeeVault.Add(in.FeesIn)
	if err != nil || vault > s.Total()-in.Burned {
		return fmt.Errorf("%w: fees_in %s: the fee vault would hold more than the supply", ErrInputs, in.FeesIn)
	}
	revenue, err := s.Revenue.Add(in.Revenue)
	if err != nil {
		return fmt.Errorf("%w: revenue: %w", ErrInputs, err)
	}
	s.FeeVault, s.Revenue = vault, revenue
	s.Burned += in.Burned
	s.Pending -= min(s.Pending, in.Burned)
	return nil
}

// owe adds what is owed in dollars to the debts.
func (s *PolicyState) owe(owed []Claim) error {
	if len(owed) == 0 {
		return nil
	}
	claims, _, err := mergeClaims(s.Debts, owed)
	if err != nil {
		return err
	}
	s.Debts = slices.Clone(claims)
	return nil
}

// mint creates an amount within the cap, for block rewards.
func (s *PolicyState) mint(r *Result, n Amount) {
	if room := s.Room(); n > room {
		n = room
		r.Flags |= Capped
	}
	s.Minted += n
	r.Mint += n
	r.Budget += n
}
