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
		n.requalify(end, name)
		facts = append(facts, n.rerate(end, name)...)
		if e, rule, why := n.nominate(name, b, end); rule != "" {
			b.Excluded = append(b.Excluded, Exclusion{Node: name, Rule: rule, Why: why})
		} else {
			b.Entries = append(b.Entries, e)
		}
	}
	var pay []settlement.Intent
	n.distribute(&b)
	for i := range b.Entries {
		pay = append(pay, n.reward(end, &b.Entries[i], k)...)
	}
	if len(pay) > 0 {
		n.order(end, k, pay)
	}
	n.blocks = append(n.blocks, b)
	return append(facts, Closed{Block: b})
}

// requalify gives a bond the multiplier that the table has for its model now. What was enough before is enough for the grace
// of the pool's rules.
func (n *Network) requalify(at time.Time, name string) {
	x := n.nodes[name]
	b, ok := n.pool.Bond(staking.BondID(name))
	if !ok {
		return
	}
	m, _ := n.multipliers.Stake(x.model(), at)
	if uint32(m) == b.MultiplierCenti {
		return
	}
	_, err := n.pool.Apply(at, staking.Requalified{Bond: staking.BondID(name), MultiplierCenti: uint32(m), GPUs: b.GPUs, TableChanged: true})
	must(err)
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

// nominate returns a node's entry, or the rule that it fails and why: every rule must pass (they are those of io.net's
// nomination that this network can observe).
func (n *Network) nominate(name string, b Block, end time.Time) (e Entry, rule, why string) {
	x := n.nodes[name]
	switch {
	case len(x.inventory.Devices) == 0:
		return e, "inventory", "none was admitted"
	case x.unfit != "":
		return e, "inventory", x.unfit
	case end.Sub(x.admitted) > n.p.ReportAge:
		return e, "report", fmt.Sprintf("%s old, at most %s", end.Sub(x.admitted), n.p.ReportAge)
	case x.assurance < gpu.Consistent:
		return e, "assurance", fmt.Sprintf("%s, at least %s", x.assurance, gpu.Consistent)
	case x.listing == nil:
		return e, "listing", "there is none"
	case !x.up:
		return e, "uptime", "down"
	case end.Sub(x.upSince) <= n.p.MinUptime: // longer than that, not as long
		return e, "uptime", fmt.Sprintf("%s, more than %s", end.Sub(x.upSince), n.p.MinUptime)
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

// distribute shares the block's emission out among its entries, with the dust of earlier blocks.
func (n *Network) distribute(b *Block) {
	budgets, err := n.p.Tokenomics.Pools.Divide(b.Emission, b.Start)
	must(err)
	claims, index := make([]tokenomics.PoolClaims, len(budgets)), make([][]int, len(budgets)) // index: of each share in the entries
	for i, budget := range budgets {
		claims[i] = tokenomics.PoolClaims{Pool: budget.Pool, Others: n.other[poolOf{b.Epoch, budget.Pool}]}
		for k, e := range b.Entries {
			if e.Pool == budget.Pool {
				claims[i].Shares, index[i] = append(claims[i].Shares, tokenomics.Share{ID: e.Node, Score: e.Score}), append(index[i], k)
			}
		}
	}
	var brought []tokenomics.PoolCarry
	for _, pool := range slices.Sorted(maps.Keys(n.carry)) {
		brought = append(brought, tokenomics.PoolCarry{Pool: pool, Amount: n.carry[pool]})
	}
	d, err := n.p.Tokenomics.Pools.DistributeBlock(b.Emission, b.Start, claims, brought)
	must(err)
	clear(n.carry)
	for _, c := range d.Carries() {
		n.carry[c.Pool] = c.Amount
	}
	n.issued += d.Paid
	n.held += d.Held
	for i, p := range d.Pools { // in the order of the budgets
		for k, w := range p.Rewards {
			b.Entries[index[i][k]].Reward = w.Amount
		}
		b.Pools = append(b.Pools, PoolResult{
			Pool: p.Pool, Points: p.Points, Total: p.Total, Budget: p.Amount, Brought: p.Brought, Paid: p.Paid, Carried: p.Carried, Held: p.Held,
		})
	}
}

// reward divides a node's reward among its holders and returns what is to be paid: every holder claims after every block,
// the owner first.
func (n *Network) reward(at time.Time, e *Entry, k tokenomics.Epoch) []settlement.Intent {
	id := staking.BondID(e.Node)
	_, err := n.pool.Apply(at, staking.Rewarded{Bond: id, Epoch: k, Amount: e.Reward})
	must(err)
	bond, _ := n.pool.Bond(id)
	holders := []staking.HolderID{bond.Owner}
	for _, l := range bond.Lots {
		if !slices.Contains(holders, l.Holder) {
			holders = append(holders, l.Holder)
		}
	}
	var out []settlement.Intent
	for _, h := range holders {
		if n.pool.Claimable(id, h) == 0 {
			continue
		}
		effects, err := n.pool.Apply(at, staking.Claimed{Bond: id, Holder: h})
		must(err)
		for _, x := range effects {
			if p, ok := x.(staking.Paid); ok {
				e.Parts = append(e.Parts, p)
				out = append(out, settlement.Intent{
					ID:   settlement.NewIntentID(settlement.Pay, "reward", fmt.Sprint(k), e.Node, string(p.Holder)),
					Kind: settlement.Pay, Asset: n.p.IO, From: n.p.Accounts.Rewards, To: settlement.Account(p.Holder), Units: uint64(p.Amount),
					Cause: fmt.Sprintf("block %d, node %s, %s", k, e.Node, p.Role),
				})
			}
		}
	}
	return out
}
