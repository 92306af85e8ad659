package tokenomics

import (
	"fmt"
	"time"
)

// ScheduleParams is a fixed schedule with the time at which it begins.
type ScheduleParams struct {
	// Emission is the schedule.
	Emission EmissionParams `json:"emission"`
	// Start is the instant at which its epoch 1 begins.
	Start time.Time `json:"start"`
	// Monthly says that its epochs are calendar months, each spread evenly over the network's epochs (see [Months]).
	// Otherwise they are as long as those.
	Monthly bool `json:"monthly,omitempty"`
}

// Curve builds the schedule for a network whose epochs have the given length, and the calendar that numbers its epochs. It
// fails with [ErrEmission] or [ErrCalendar].
func (p ScheduleParams) Curve(length time.Duration) (Curve, Calendar, error) {
	s, err := NewSchedule(p.Emission)
	if err != nil {
		return nil, Calendar{}, err
	}
	if p.Monthly {
		m, err := NewMonths(s, p.Start, length)
		if err != nil {
			return nil, Calendar{}, err
		}
		return m, m.Calendar(), nil
	}
	c := Calendar{Start: p.Start, Length: length}
	return s, c, c.Validate()
}

// fixed builds the policy of the schedule.
func (p ScheduleParams) fixed(length time.Duration) (*Fixed, error) {
	curve, calendar, err := p.Curve(length)
	if err != nil {
		return nil, err
	}
	return NewFixed(curve, calendar)
}

// CutoverParams is a change of policy. Exactly one policy is set; a Schedule beside BurnMint is what that mints for
// availability, and NetEmission needs one beside it.
type CutoverParams struct {
	// From is the instant of the change: it takes effect with the first epoch that begins then or later.
	From time.Time `json:"from"`
	// Schedule is a fixed schedule. It pays by its own epochs: what it would have emitted before From is not made up for.
	Schedule *ScheduleParams `json:"schedule,omitempty"`
	// IDE is an incentive dynamic engine.
	IDE *IDEPolicy `json:"ide,omitempty"`
	// BurnMint is a burn-and-mint equilibrium.
	BurnMint *BurnMintPolicy `json:"burn_mint,omitempty"`
	// NetEmission is a schedule that recycles what was burned.
	NetEmission *NetEmissionPolicy `json:"net_emission,omitempty"`
	// Inflation is a yearly rate of the supply.
	Inflation *InflationPolicy `json:"inflation,omitempty"`
}

// Validate returns [ErrPolicy] or [ErrEmission] and what is wrong, or nil. Whether a schedule fits the network's epochs and
// ends at its cap only Policy finds, which builds it.
func (p CutoverParams) Validate() error {
	set := 0
	for _, is := range []bool{p.IDE != nil, p.BurnMint != nil, p.NetEmission != nil, p.Inflation != nil} {
		if is {
			set++
		}
	}
	if set > 1 || set == 0 && p.Schedule == nil || p.Schedule != nil && (p.IDE != nil || p.Inflation != nil) {
		return fmt.Errorf("%w: cut-over at %s: exactly one policy is wanted", ErrPolicy, p.From.UTC().Format(time.RFC3339))
	}
	if p.Schedule != nil {
		if err := p.Schedule.Emission.Validate(); err != nil {
			return err
		}
	}
	switch {
	case p.IDE != nil:
		return p.IDE.Validate()
	case p.BurnMint != nil:
		return p.BurnMint.Validate()
	case p.NetEmission != nil && p.Schedule == nil:
		return fmt.Errorf("%w: net emission: there is no schedule beside it", ErrPolicy)
	case p.NetEmission != nil:
		return p.NetEmission.check()
	case p.Inflation != nil:
		return p.Inflation.Validate()
	}
	return nil
}

// Policy builds the policy for a network whose epochs have the given length. It fails with [ErrPolicy], [ErrEmission] or
// [ErrCalendar].
func (p CutoverParams) Policy(length time.Duration) (Policy, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	var curve *Fixed
	if p.Schedule != nil {
		var err error
		if curve, err = p.Schedule.fixed(length); err != nil {
			return nil, err
		}
	}
	switch {
	case p.IDE != nil:
		return *p.IDE, nil
	case p.BurnMint != nil:
		b := *p.BurnMint
		b.Rewards = curve
		return b, nil
	case p.NetEmission != nil:
		n := *p.NetEmission
		n.Curve = curve
		return n, nil
	case p.Inflation != nil:
		return NewInflation(*p.Inflation)
	}
	return curve, nil
}
