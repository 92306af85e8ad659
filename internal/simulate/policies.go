package simulate

import (
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// policies are those of the rules, by rule.
type policies [BurnMint + 1]tokenomics.Policy

// newPolicies builds them. They share one schedule, which starts with the simulation whatever the rule.
func newPolicies(p Params) (policies, error) {
	curve, calendar, err := p.Schedule.Curve(time.Hour)
	if err != nil {
		return policies{}, err
	}
	fixed, err := tokenomics.NewFixed(curve, calendar)
	if err != nil {
		return policies{}, err
	}
	burnMint := p.BurnMint
	burnMint.Rewards = fixed
	return policies{Monthly: fixed, Incentive: p.Incentive, BurnMint: burnMint}, nil
}

// vesting returns what is not vested at the instants between months: first at the start, then at the end of each month. A
// network without an allocation has nothing locked.
func (p Params) vesting() ([]tokenomics.Amount, error) {
	out := make([]tokenomics.Amount, p.Months+1)
	if p.Network.Allocation == nil {
		return out, nil
	}
	table, err := tokenomics.NewAllocation(*p.Network.Allocation)
	if err != nil {
		return nil, err
	}
	for m := range out {
		for i, b := range table.UnlockedAt(p.Start.UTC().AddDate(0, m, 0)) {
			if p.Network.Allocation.Buckets[i].Release != tokenomics.ReleaseEmission {
				out[m] += b.Locked
			}
		}
	}
	return out, nil
}
