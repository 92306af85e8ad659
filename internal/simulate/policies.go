package simulate

import (
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// monthlyStub is a placeholder.
type monthlyStub struct {
	s     *tokenomics.Schedule
	start time.Time
}

func (monthlyStub) ID() string { return "stub" }

func (p monthlyStub) Step(s tokenomics.PolicyState, in tokenomics.Inputs) (tokenomics.PolicyState, tokenomics.Result, error) {
	c := p.s.Cumulative(tokenomics.Epoch(in.End.Sub(p.start)/time.Hour)) - p.s.Cumulative(tokenomics.Epoch(in.Start.Sub(p.start)/time.Hour))
	s.Minted += c
	s.Burned += in.Burned
	s.FeeVault += in.FeesIn
	return s, tokenomics.Result{Mint: c, Budget: c}, nil
}

func newPolicies(p Params, _ Scenario) ([]tokenomics.Policy, error) {
	s, err := tokenomics.NewSchedule(p.Network.Emission)
	if err != nil {
		return nil, err
	}
	out := make([]tokenomics.Policy, p.Months)
	for i := range out {
		out[i] = monthlyStub{s, p.Start}
	}
	return out, nil
}
