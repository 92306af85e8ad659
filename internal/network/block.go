package network

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func (n *Network) otherScores(c OtherScores) error {
	if c.Epoch <= n.closed {
		return fmt.Errorf("%w: other_scores: the block of epoch %d is closed", ErrInvalid, c.Epoch)
	}
	if c.Pool == tokenomics.NoPool || c.Pool > tokenomics.PoolCommunity {
		return fmt.Errorf("%w: other_scores: unknown pool %d", ErrInvalid, c.Pool)
	}
	if c.Score > 1<<62 {
		return fmt.Errorf("%w: other_scores: score %d is above 2^62", ErrInvalid, c.Score)
	}
	n.other[poolOf{c.Epoch, c.Pool}] = c.Score
	return nil
}

// close closes the block of the next epoch, whose end has come.
func (n *Network) close(end time.Time) []Fact {
	n.closed++
	k := n.closed
	// What somebody says of a pool that the block does not have counts for nothing.
	defer maps.DeleteFunc(n.other, func(at poolOf, _ uint64) bool { return at.epoch <= k })
	b := Block{Epoch: k, Start: n.calendar().StartOf(k), Emission: n.mint(end, k)}
	var facts []Fact
	for _, name := range n.sortedNodes() {
		facts = append(facts, n.rerate(end, name)...)
		if e, rule, why := n.nominate(name, b, end); rule != "" {
			b.Excluded = append(b.Excluded, Exclusion{Node: name, Rule: rule, Why: why})
		} else {
			b.Entries = append(b.Entries, e)
		}
	}
	budgets, err := n.p.Tokenomics.Pools.Divide(b.Emission, b.Start)
	must(err)
	var pay []settlement.Intent
	n.release(budgets)
	for _, budget := range budgets {
		r := n.distribute(&b, budget)
		b.Pools = append(b.Pools, r)
		n.issued += r.Paid
		n.held += r.Held
	}
	for i := range b.Entries {
		pay = append(pay, n.reward(end, &b.Entries[i], k)...)
	}
	if len(pay) > 0 {
		n.order(end, k, pay)
	}
	n.blocks = append(n.blocks, b)
	return append(facts, Closed{Block: b})
}

// mint has the supply free what has vested and create what the epoch emits.
func (n *Network) mint(end time.Time, k tokenomics.Epoch) tokenomics.Amount {
	_, err := n.supply.Apply(end, tokenomics.Vested{})
	must(err)
	effects, err := n.supply.Apply(end, tokenomics.Emitted{Epoch: k})
	must(err)
	for _, e := range effects {
		if m, ok := e.(tokenomics.Minted); ok {
			return m.Amount
		}
	}
	return 0
}

// release moves the dust of pools that the block does not have any more to what is held: nobody can earn it.
func (n *Network) release(budgets []tokenomics.PoolBudget) {
	for _, pool := range slices.Sorted(maps.Keys(n.carry)) {
		if !slices.ContainsFunc(budgets, func(b tokenomics.PoolBudget) bool { return b.Pool == pool }) {
			n.held += n.carry[pool]
			delete(n.carry, pool)
		}
	}
}

// nominate returns a node's entry, or the rule that it fails and why: every rule must pass (they are those of io.net's
// nomination that this network can observe).
func (n *Network) nominate(name string, b Block, end time.Time) (e Entry, rule, why string) {
	x := n.nodes[name]
	switch {
	case len(x.inventory.Devices) == 0:
		return e, "inventory", "none was admitted"
	case x.unfit != "":
		return e, "inventory", x.unfit
	case x.assurance < gpu.Consistent:
		return e, "assurance", fmt.Sprintf("%s, at least %s", x.assurance, gpu.Consistent)
	case end.Sub(x.admitted) > n.p.ReportAge:
		return e, "report", fmt.Sprintf("%s old, at most %s", end.Sub(x.admitted), n.p.ReportAge)
	case x.listing == nil:
		return e, "listing", "there is none"
	case !x.up:
		return e, "uptime", "down"
	case end.Sub(x.upSince) < n.p.MinUptime:
		return e, "uptime", fmt.Sprintf("%s, at least %s", end.Sub(x.upSince), n.p.MinUptime)
	}
	m, pool, ok := n.multipliers.Earning(x.model(), b.Start)
	if !ok || m == 0 {
		return e, "multiplier", fmt.Sprintf("model %q has none", x.model())
	}
	if err := n.pool.Eligible(staking.BondID(name), b.Epoch); err != nil {
		return e, "stake", err.Error()
	}
	status, _ := n.fleet.Node(sched.NodeID(name))
	e = Entry{
		Node: name, Model: x.model(), GPUs: uint32(len(x.inventory.Devices)), Connectivity: x.listing.Connectivity, Multiplier: m,
		Hired: len(status.Free) < len(status.Node.Devices), Pool: pool,
	}
	score, err := tokenomics.BaseScore(tokenomics.ScoreInput{
		Version: tokenomics.ScoreV2, Connectivity: e.Connectivity, Multiplier: m, Quantity: e.GPUs, Hired: e.Hired,
	})
	if err != nil {
		return e, "score", err.Error()
	}
	e.Score = score
	return e, "", ""
}

// distribute pays the entries of one pool from its budget and the dust of earlier blocks.
func (n *Network) distribute(b *Block, budget tokenomics.PoolBudget) PoolResult {
	r := PoolResult{Pool: budget.Pool, Points: budget.Points, Budget: budget.Amount, Brought: n.carry[budget.Pool]}
	others := n.other[poolOf{b.Epoch, budget.Pool}]
	r.Total = others
	var shares []tokenomics.Share
	var index []int
	for i, e := range b.Entries {
		if e.Pool == budget.Pool {
			shares, index = append(shares, tokenomics.Share{ID: e.Node, Score: e.Score}), append(index, i)
			r.Total += e.Score
		}
	}
	all := r.Budget + r.Brought
	n.carry[budget.Pool] = 0
	if len(shares) == 0 {
		r.Held = all
		return r
	}
	d, err := tokenomics.Distribute(all, r.Total, shares)
	must(err)
	for k, w := range d.Rewards {
		b.Entries[index[k]].Reward = w.Amount
	}
	r.Paid = d.Paid
	if others > 0 { // the rest belongs to them, their dust with it
		r.Held = d.Rest
		return r
	}
	r.Carried = d.Rest
	n.carry[budget.Pool] = d.Rest
	return r
}

// reward divides a node's reward among its holders and returns what is to be paid.
func (n *Network) reward(at time.Time, e *Entry, k tokenomics.Epoch) []settlement.Intent {
	effects, err := n.pool.Apply(at, staking.Rewarded{Bond: staking.BondID(e.Node), Epoch: k, Amount: e.Reward})
	must(err)
	var out []settlement.Intent
	for _, x := range effects {
		p, ok := x.(staking.Paid)
		if !ok {
			continue
		}
		e.Parts = append(e.Parts, p)
		out = append(out, settlement.Intent{
			ID:   settlement.NewIntentID(settlement.Pay, "reward", fmt.Sprint(k), e.Node, string(p.Holder)),
			Kind: settlement.Pay, Asset: n.p.IO, From: n.p.Accounts.Rewards, To: settlement.Account(p.Holder), Units: uint64(p.Amount),
			Cause: fmt.Sprintf("block %d, node %s, %s", k, e.Node, p.Role),
		})
	}
	return out
}
