package tokenomics

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrTimeline is returned for eras that are no timeline.
var ErrTimeline = errors.New("tokenomics: invalid timeline")

// Era is the time in which one policy decides: from an instant until the next era begins.
type Era struct {
	From   time.Time
	Policy Policy
}

// Timeline is the row of policies of a network, with the calendar of its epochs. An epoch belongs to the policy that
// decides at its start, so a cut-over inside an epoch takes effect with the next one. The state passes unchanged from one
// policy to the next. A Timeline never changes and is safe for concurrent use if its policies are.
type Timeline struct {
	calendar Calendar
	eras     []Era
}

// NewTimeline returns the timeline of eras that are in the order of time. The first one decides from the beginning of the
// calendar, whatever its From. It fails with [ErrTimeline] or [ErrCalendar].
func NewTimeline(c Calendar, eras []Era) (*Timeline, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if len(eras) == 0 {
		return nil, fmt.Errorf("%w: there is no era", ErrTimeline)
	}
	for i, e := range eras {
		switch {
		case e.Policy == nil:
			return nil, fmt.Errorf("%w: era %d has no policy", ErrTimeline, i+1)
		case e.Policy.ID() == "":
			return nil, fmt.Errorf("%w: the policy of era %d has no id", ErrTimeline, i+1)
		case i > 0 && !e.From.After(eras[i-1].From):
			return nil, fmt.Errorf("%w: era %d does not begin after the one before it", ErrTimeline, i+1)
		}
	}
	return &Timeline{calendar: c, eras: slices.Clone(eras)}, nil
}

// Calendar returns the calendar of the epochs.
func (t *Timeline) Calendar() Calendar { return t.calendar }

// Policy returns the policy that decides an epoch.
func (t *Timeline) Policy(k Epoch) Policy {
	start := t.calendar.StartOf(k)
	now := t.eras[0].Policy
	for _, e := range t.eras[1:] {
		if e.From.After(start) {
			break
		}
		now = e.Policy
	}
	return now
}

// Last returns the last epoch that may emit, if a fixed schedule decides at the end; otherwise there is none, and it reports
// false.
func (t *Timeline) Last() (Epoch, bool) {
	f, ok := t.eras[len(t.eras)-1].Policy.(*Fixed)
	if !ok {
		return 0, false
	}
	return t.calendar.Ended(f.calendar.StartOf(f.curve.Epochs() + 1)), true
}

// Emission returns what the schedule of an epoch emits, without the cap of the network: [Timeline.Planned], and 0 where
// that depends on inputs. With Epochs it makes the timeline what an [Auditor] asks for.
func (t *Timeline) Emission(k Epoch) Amount {
	if k == 0 {
		return 0
	}
	n, _ := t.Planned(k)
	return n
}

// Epochs returns the last epoch up to which schedules alone decide what is emitted.
func (t *Timeline) Epochs() Epoch {
	for i, e := range t.eras {
		if _, fixed := e.Policy.(*Fixed); !fixed {
			return t.calendar.Ended(t.firstStart(i))
		}
	}
	last, _ := t.Last()
	return last
}

// Planned returns what the policy of an epoch mints if nothing happens: the emission of its schedule. It reports false for a
// policy whose emission depends on its inputs.
func (t *Timeline) Planned(k Epoch) (Amount, bool) {
	f, ok := t.Policy(k).(*Fixed)
	if !ok {
		return 0, false
	}
	return f.between(t.calendar.StartOf(k), t.calendar.StartOf(k+1)), true
}

// scheduled returns what all epochs before k mint, the cap aside. It reports false if another policy than a fixed schedule
// decides one of them.
func (t *Timeline) scheduled(k Epoch) (sum Amount, known bool) {
	end := t.calendar.StartOf(k)
	for i, e := range t.eras {
		// The era's own epochs begin with the first one that does not begin before it.
		from, to := t.firstStart(i), end
		if i+1 < len(t.eras) {
			if next := t.firstStart(i + 1); next.Before(to) {
				to = next
			}
		}
		if !from.Before(to) {
			continue
		}
		f, fixed := e.Policy.(*Fixed)
		if !fixed {
			return 0, false
		}
		part := f.between(from, to)
		if sum += part; sum < part {
			return math.MaxUint64, true
		}
	}
	return sum, true
}

// firstStart returns the beginning of the first epoch of an era: the first one begins with the calendar.
func (t *Timeline) firstStart(era int) time.Time {
	from := t.eras[era].From
	if era == 0 || !from.After(t.calendar.Start) {
		return t.calendar.Start
	}
	k := t.calendar.Ended(from)
	if start := t.calendar.StartOf(k + 1); !start.Before(from) {
		return start
	}
	return t.calendar.StartOf(k + 2)
}

// Step has the epoch's policy decide, with Start and End of the inputs set from the calendar, and checks what comes of it
// by the rules of [Policy]. It fails with the errors of the policy, and with [ErrPolicy] if the policy breaks a rule.
func (t *Timeline) Step(k Epoch, s PolicyState, in Inputs) (PolicyState, Result, error) {
	if k == 0 {
		return PolicyState{}, Result{}, fmt.Errorf("%w: epochs count from 1", ErrInputs)
	}
	in.Start, in.End = t.calendar.StartOf(k), t.calendar.StartOf(k).Add(t.calendar.Length)
	p := t.Policy(k)
	next, r, err := p.Step(s, in)
	if err != nil {
		return PolicyState{}, Result{}, fmt.Errorf("epoch %d, %s: %w", k, p.ID(), err)
	}
	if err := checkStep(s, next, in, r); err != nil {
		return PolicyState{}, Result{}, fmt.Errorf("epoch %d, %s: %w", k, p.ID(), err)
	}
	return next, r, nil
}

// checkStep holds a policy to its rules.
func checkStep(s, next PolicyState, in Inputs, r Result) error {
	if err := next.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	out := r.Budget
	for _, p := range r.Payouts {
		var err error
		if out, err = out.Add(p.Amount); err != nil {
			return fmt.Errorf("%w: payouts: %w", ErrPolicy, err)
		}
	}
	// No sum overflows: the three sources are parts of the supply, which Check bounds by 64 bits.
	source := r.Mint + r.Remint + r.FromFeeVault
	switch {
	case next.Genesis != s.Genesis || next.Cap != s.Cap || next.Decimals != s.Decimals:
		return fmt.Errorf("%w: it changed genesis, the cap or the decimals", ErrPolicy)
	case next.Minted-s.Minted != r.Mint || next.Minted < s.Minted:
		return fmt.Errorf("%w: it mints %s and books %s after %s", ErrPolicy, r.Mint, next.Minted, s.Minted)
	case next.Reminted-s.Reminted != r.Remint || next.Reminted < s.Reminted:
		return fmt.Errorf("%w: it mints %s again and books %s after %s", ErrPolicy, r.Remint, next.Reminted, s.Reminted)
	case next.Burned != s.Burned+in.Burned:
		return fmt.Errorf("%w: it books %s as burned, %s were", ErrPolicy, next.Burned, s.Burned+in.Burned)
	case r.FromFeeVault > s.FeeVault+in.FeesIn || next.FeeVault != s.FeeVault+in.FeesIn-r.FromFeeVault:
		return fmt.Errorf("%w: the fee vault held %s and %s came in, it releases %s and keeps %s",
			ErrPolicy, s.FeeVault, in.FeesIn, r.FromFeeVault, next.FeeVault)
	case source != out:
		return fmt.Errorf("%w: it releases %s and hands out %s", ErrPolicy, source, out)
	}
	return nil
}

// Check returns the first of the state's invariants that does not hold, or nil: mints are within the cap, mints of what was
// burned within what was burned, and so is what may still be minted again; the fee vault is a part of the supply; debts are
// in order.
func (s PolicyState) Check() error {
	all, err := s.Cap.Add(s.Reminted)
	switch {
	case s.Genesis > s.Cap || s.Minted > s.Cap-s.Genesis:
		return fmt.Errorf("genesis %s and minted %s exceed the cap of %s", s.Genesis, s.Minted, s.Cap)
	case err != nil:
		return fmt.Errorf("reminted: %w", err)
	case s.Burned > all-s.Room():
		return fmt.Errorf("burned %s of %s", s.Burned, all-s.Room())
	case s.Reminted > s.Burned || s.Recycle > s.Burned-s.Reminted:
		return fmt.Errorf("minted again %s, and %s to come, of %s burned", s.Reminted, s.Recycle, s.Burned)
	case s.Pending > s.Total():
		return fmt.Errorf("ordered to be burned %s of %s", s.Pending, s.Total())
	case s.FeeVault > s.Total():
		return fmt.Errorf("the fee vault holds %s of a supply of %s", s.FeeVault, s.Total())
	}
	for i, d := range s.Debts {
		if d.ID == "" || d.USD == 0 || i > 0 && s.Debts[i-1].ID >= d.ID {
			return fmt.Errorf("debt %d, to %s, is nothing or out of order", i+1, quote(d.ID))
		}
	}
	return nil
}
