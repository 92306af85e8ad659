package simulate

import (
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// monthlyStub is a placeholder.
type monthlyStub struct {
	s     tokenomics.Curve
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
	c := newTabled(s)
	out := make([]tokenomics.Policy, p.Months)
	for i := range out {
		out[i] = monthlyStub{c, p.Start}
	}
	return out, nil
}

// tabled is a curve whose values were computed once: all runs ask for the same epochs.
type tabled struct {
	tokenomics.Curve
	values []tokenomics.Amount
}

func newTabled(c *tokenomics.Schedule) tokenomics.Curve {
	t := tabled{values: make([]tokenomics.Amount, c.Epochs()+1)}
	for k := range t.values {
		t.values[k] = c.Cumulative(tokenomics.Epoch(k))
	}
	return t
}

// Cumulative returns the curve's value.
func (t tabled) Cumulative(k tokenomics.Epoch) tokenomics.Amount {
	return t.values[min(int(k), len(t.values)-1)]
}
