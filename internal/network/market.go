package network

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// maxBill is the most that the lease of one job may come to: a hundred million dollars. It keeps every sum of a bill
// within 64 bits, at every price that [SetPrice] takes.
const maxBill tokenomics.USD = 100_000_000 * tokenomics.MicrosPerUSD

// dearest is the highest price of a device for an hour that package sched takes: 4,294 dollars.
const dearest = 1<<32 - 1

// Request returns the placement that a submission asks for. Devices at whose price the whole lease would come to more
// than a hundred million dollars are too dear for it.
func (c Submit) Request() sched.Request {
	// A replica has at most 16 devices and a job 2^52 device-seconds, so that the limit is above 0.
	if seconds := uint64(c.Replicas) * uint64(min(c.GPUsPerReplica, 16)) * uint64(c.Seconds); seconds > 0 {
		limit := c.MaxHourMicro
		if limit == 0 {
			limit = dearest
		}
		if dear := uint64(maxBill) * 3600 / seconds; dear < limit {
			c.MaxHourMicro = dear
		}
	}
	return sched.Request{
		Job: sched.JobID(c.Job), Owner: c.Wallet, Replicas: c.Replicas, GPUsPerReplica: c.GPUsPerReplica, Models: c.Models,
		MinMemoryMiB: c.MinMemoryMiB, CPUMilli: c.CPUMilli, RAMMiB: c.RAMMiB, Countries: c.Countries, MinConnectivity: c.MinConnectivity,
		MinTier: c.MinTier, MinStandingPPM: c.MinStandingPPM, MaxHourMicro: c.MaxHourMicro, MaxSites: c.MaxSites,
		MaxDelayMicros: c.MaxDelayMicros, MinMbps: c.MinMbps, Duration: time.Duration(c.Seconds) * time.Second,
	}
}

// Try says where a job would be placed now, or why it would not. It changes nothing.
func (n *Network) Try(c Submit) (sched.Placement, error) {
	if err := n.checkSubmit(c); err != nil {
		return sched.Placement{}, err
	}
	return n.fleet.Try(c.Request())
}

func (n *Network) checkSubmit(c Submit) error {
	if c.Currency < tokenomics.IO || c.Currency > tokenomics.Card {
		return fmt.Errorf("%w: submit: currency is missing: IO, USDC or card", ErrInvalid)
	}
	return n.outsider("submit: wallet", c.Wallet)
}

// outsider refuses one of the network's own accounts where somebody else's is meant: money would go round in a circle.
func (n *Network) outsider(field, wallet string) error {
	switch settlement.Account(wallet) {
	case n.p.Accounts.Rewards, n.p.Accounts.Escrow, n.p.Accounts.Treasury, n.p.Accounts.Desk:
		return fmt.Errorf("%w: %s %q is an account of the network's own", ErrInvalid, field, wallet)
	}
	return nil
}

func (n *Network) submit(at time.Time, c Submit) ([]Fact, error) {
	if err := n.checkSubmit(c); err != nil {
		return nil, err
	}
	effects, err := n.fleet.Apply(at, sched.Submitted{Request: c.Request()})
	if err != nil {
		return nil, err
	}
	for _, e := range effects {
		if l, ok := e.(sched.Leased); ok {
			n.byLease[l.Lease.ID] = submitted{wallet: c.Wallet, currency: c.Currency}
		}
	}
	return n.fromFleet(at, effects), nil
}

// fromFleet turns what the fleet did into facts, and what was metered into bills.
func (n *Network) fromFleet(at time.Time, effects []sched.Effect) []Fact {
	var facts []Fact
	for _, e := range effects {
		switch e := e.(type) {
		case sched.Leased:
			facts = append(facts, Placed(e))
		case sched.Ended:
			facts = append(facts, Ended(e))
			facts = append(facts, n.bill(at, e)...)
		case sched.Held, sched.HoldEnded, sched.Started, sched.Queued, sched.Extended, sched.Notified, sched.NoticeLifted, sched.Replaced, sched.Requeued, sched.Moved:
			panic(fmt.Sprintf("network: %T follows from no command", e))
		}
	}
	return facts
}
