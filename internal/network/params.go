package network

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/reputation"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Params are the rules of a network: those of every core, and what only their composition needs.
type Params struct {
	Tokenomics tokenomics.Params
	Staking    staking.Params
	Tiers      staking.TierPolicy
	Reputation reputation.Params
	Sched      sched.Policy
	GPU        gpu.Params
	Settlement settlement.Params
	Accounts   Accounts
	// First is the first epoch whose block this network closes.
	First tokenomics.Epoch
	// MinUptime is what a node must have been up for longer than, without a break, when a block closes. io.net: 5 h.
	MinUptime time.Duration
	// ReportAge is how old a node's last admitted report may be when a block closes. io.net asks for a proof within the
	// current hour; until proofs of work are part of the protocol, the signed inventory stands in their place.
	ReportAge time.Duration
	// Reference is the price against which the burn's price curve is drawn (tokenomics.BurnPolicy).
	Reference tokenomics.Price
	// IO and USDC are the two assets that are settled.
	IO, USDC settlement.Asset
}

// Accounts are the network's own wallets.
type Accounts struct {
	Rewards  settlement.Account // holds what is not yet emitted or not yet paid
	Escrow   settlement.Account // takes what renters pay, until it is shared out
	Treasury settlement.Account // takes the network's revenue
	Desk     settlement.Account // sells IO for USDC
}

// IONet returns io.net's published rules with the given accounts, starting at the given epoch.
func IONet(a Accounts, first tokenomics.Epoch) Params {
	s, t := settlement.IONet(), tokenomics.IONet()
	// The engine that follows on the schedules since June 2026 pays what each supplier is owed in dollars, which no block here
	// books: the last schedule goes on.
	t.Cutovers = slices.DeleteFunc(t.Cutovers, func(c tokenomics.CutoverParams) bool { return c.Schedule == nil })
	return Params{
		Tokenomics: t,
		Staking:    staking.IONet(),
		Tiers:      staking.DefaultTiers(),
		Reputation: reputation.Default(),
		Sched:      sched.IONet(),
		GPU:        gpu.Default(),
		Settlement: s,
		Accounts:   a,
		First:      first,
		MinUptime:  5 * time.Hour,
		ReportAge:  time.Hour,
		Reference:  tokenomics.Price{MicroPerToken: 3_500_000, At: tokenomics.IONet().Calendar.Start, Source: "assumed"},
		IO:         s.Assets[0],
		USDC:       s.Assets[1],
	}
}

// Validate returns the first rule that cannot hold.
func (p Params) Validate() error {
	for _, v := range []struct {
		name string
		err  error
	}{
		{"tokenomics", p.Tokenomics.Validate()},
		{"staking", p.Staking.Validate()},
		{"tiers", p.Tiers.Validate()},
		{"reputation", p.Reputation.Validate()},
		{"sched", p.Sched.Validate()},
		{"gpu", p.GPU.Validate()},
		{"settlement", p.Settlement.Validate()},
		{"reference", p.Reference.Validate()},
	} {
		if v.err != nil {
			return fmt.Errorf("network: %s: %w", v.name, v.err)
		}
	}
	if err := checkPrice(p.Reference); err != nil {
		return err
	}
	for i, c := range p.Tokenomics.Cutovers {
		if c.Schedule == nil || c.BurnMint != nil || c.NetEmission != nil {
			return fmt.Errorf("network: tokenomics: cut-over %d is not to a fixed schedule: blocks share out what a schedule emits", i+1)
		}
	}
	seen := map[settlement.Account]bool{}
	for _, a := range []settlement.Account{p.Accounts.Rewards, p.Accounts.Escrow, p.Accounts.Treasury, p.Accounts.Desk} {
		if a == "" || seen[a] {
			return errors.New("network: accounts: rewards, escrow, treasury and desk must be four different addresses")
		}
		seen[a] = true
	}
	switch {
	case p.First == 0:
		return errors.New("network: first: epochs count from 1")
	case p.MinUptime < 0:
		return fmt.Errorf("network: min_uptime: %s is negative", p.MinUptime)
	case p.ReportAge <= 0:
		return fmt.Errorf("network: report_age: %s is not positive", p.ReportAge)
	case !slices.Contains(p.Settlement.Assets, p.IO) || p.IO.Decimals != tokenomics.AmountPlaces || p.Tokenomics.Decimals != tokenomics.AmountPlaces:
		return fmt.Errorf("network: io: %+v is not settled, or has not %d places", p.IO, tokenomics.AmountPlaces)
	case len(p.Settlement.Limits) > 0:
		return errors.New("network: settlement: Limits must be empty: what is owed cannot be refused by a limit")
	case !slices.Contains(p.Settlement.Assets, p.USDC) || p.USDC.Decimals != tokenomics.USDPlaces:
		return fmt.Errorf("network: usdc: %+v is not settled, or has not %d places", p.USDC, tokenomics.USDPlaces)
	}
	return nil
}

// checkPrice refuses a price so low that the largest bill, fees included, would be more base units than 64 bits hold.
func checkPrice(p tokenomics.Price) error {
	if _, _, err := tokenomics.Convert(2*maxBill, p); err != nil {
		return fmt.Errorf("network: price of %d millionths of a dollar: a bill of %s USD cannot be converted: %w", p.MicroPerToken, 2*maxBill, err)
	}
	return nil
}
