package tokenomics

import (
	"errors"
	"fmt"
	"time"
)

// ErrParams is returned for parameters of a network that contradict each other.
var ErrParams = errors.New("tokenomics: invalid parameters")

// Params is everything that a network publishes, or that we chose where it does not, about its money. They are data:
// they travel as JSON, and every state names the version under which it was made.
type Params struct {
	// Version names this set of parameters; a change of any value needs a new one.
	Version string `json:"version"`
	// Decimals is the number of places of the token. The amounts of these parameters are base units, whose text has 8 places
	// whatever the token's.
	Decimals Decimals `json:"decimals"`
	// Genesis is the supply before the first epoch.
	Genesis Amount `json:"genesis"`
	// Cap is the most that may ever have been created: genesis and all that is minted. A burn makes no new room.
	Cap Amount `json:"cap"`
	// Emission is the schedule of what is minted from epoch 1 on; its own cap is at most Cap - Genesis.
	Emission EmissionParams `json:"emission"`
	// Cutovers are the policies that follow on it, in the order of time; none keeps Emission for ever. Whatever the policies
	// say, Cap holds.
	Cutovers []CutoverParams `json:"cutovers,omitempty"`
	// Allocation says when which part of the supply at genesis becomes free; none leaves all of it free.
	Allocation *AllocationParams `json:"allocation,omitempty"`
	// Calendar numbers the epochs.
	Calendar Calendar `json:"calendar"`
	// Pools divide an epoch's emission.
	Pools PoolPolicy `json:"pools"`
	// Multipliers weigh the models of device.
	Multipliers MultiplierParams `json:"multipliers"`
	// ScoreV2From is the instant from which the second version of the base score holds.
	ScoreV2From time.Time `json:"score_v2_from"`
	// Fees are charged on rentals.
	Fees FeePolicy `json:"fees"`
	// Burn says how much of the revenue is burned.
	Burn BurnPolicy `json:"burn"`
}

// Validate returns the first error of the parts, or [ErrParams] where they do not fit together, or nil.
func (p Params) Validate() error {
	if p.Version == "" {
		return fmt.Errorf("%w: no version", ErrParams)
	}
	for _, part := range []interface{ Validate() error }{
		p.Decimals, p.Emission, p.Calendar, p.Pools, p.Multipliers, p.Fees, p.Burn,
	} {
		if err := part.Validate(); err != nil {
			return err
		}
	}
	room, err := p.Cap.Sub(p.Genesis)
	if err != nil {
		return fmt.Errorf("%w: genesis %s exceeds the cap of %s", ErrParams, p.Genesis, p.Cap)
	}
	if p.Emission.Cap > room {
		return fmt.Errorf("%w: the emission may reach %s, which exceeds cap - genesis, %s", ErrParams, p.Emission.Cap, room)
	}
	for i, c := range p.Cutovers {
		if err := c.Validate(); err != nil {
			return err
		}
		if i > 0 && !c.From.After(p.Cutovers[i-1].From) {
			return fmt.Errorf("%w: cut-over %d does not come after the one before it", ErrParams, i+1)
		}
	}
	if p.Allocation == nil {
		return nil
	}
	if err := p.Allocation.Validate(); err != nil {
		return err
	}
	var held Amount
	for _, b := range p.Allocation.Buckets {
		held += b.genesis() // no overflow: the buckets together have a cap
	}
	if held > p.Genesis {
		return fmt.Errorf("%w: the buckets hold %s at genesis, the supply is %s", ErrParams, held, p.Genesis)
	}
	return nil
}

// Timeline builds the policies of all epochs. It fails with [ErrTimeline], or with what is wrong with one of the policies.
func (p Params) Timeline() (*Timeline, error) {
	first, err := ScheduleParams{Emission: p.Emission, Start: p.Calendar.Start}.fixed(p.Calendar.Length)
	if err != nil {
		return nil, err
	}
	eras := []Era{{From: p.Calendar.Start, Policy: first}}
	for _, c := range p.Cutovers {
		policy, err := c.Policy(p.Calendar.Length)
		if err != nil {
			return nil, err
		}
		eras = append(eras, Era{From: c.From, Policy: policy})
	}
	return NewTimeline(p.Calendar, eras)
}

// State returns what the policies know before the first epoch.
func (p Params) State() PolicyState {
	return PolicyState{Decimals: p.Decimals, Genesis: p.Genesis, Cap: p.Cap}
}

// ScoreVersion returns the version of the base score that holds at an instant.
func (p Params) ScoreVersion(at time.Time) ScoreVersion {
	if at.Before(p.ScoreV2From) {
		return ScoreV1
	}
	return ScoreV2
}
