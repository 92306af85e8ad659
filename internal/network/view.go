package network

import (
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Overview is the network in figures.
type Overview struct {
	At            time.Time         `json:"at"`
	Epoch         tokenomics.Epoch  `json:"epoch"`
	EpochEnds     time.Time         `json:"epoch_ends"`
	Emission      tokenomics.Amount `json:"emission"`    // of this epoch
	Supply        tokenomics.Amount `json:"supply"`      // genesis + minted - burned
	Circulating   tokenomics.Amount `json:"circulating"` // of the supply: not locked, not waiting to be received
	Locked        tokenomics.Amount `json:"locked"`      // of the supply: not vested yet
	Cap           tokenomics.Amount `json:"cap"`
	Reserve       tokenomics.Amount `json:"reserve"` // not yet minted
	Minted        tokenomics.Amount `json:"minted"`
	Burned        tokenomics.Amount `json:"burned"`
	Rewarded      tokenomics.Amount `json:"rewarded"` // block rewards, all epochs
	Carried       tokenomics.Amount `json:"carried"`
	Held          tokenomics.Amount `json:"held"`
	Staked        tokenomics.Amount `json:"staked"`
	PriceMicro    uint64            `json:"price_micro"` // millionths of a dollar per IO
	PriceSource   string            `json:"price_source"`
	Nodes         int               `json:"nodes"`
	NodesUp       int               `json:"nodes_up"`
	Devices       int               `json:"devices"`
	DevicesFree   int               `json:"devices_free"`
	Leases        int               `json:"leases"`
	PaymentsOpen  int               `json:"payments_open"`
	PaymentsPaid  int               `json:"payments_paid"`
	PaymentsError int               `json:"payments_refused"`
}

// Node is a node for people: what it is, what it is worth, and what keeps it from more.
type Node struct {
	Name         string              `json:"name"`
	Supplier     string              `json:"supplier"`
	Model        string              `json:"model"`
	Devices      int                 `json:"devices"`
	Free         int                 `json:"free"`
	Site         string              `json:"site"`
	Country      string              `json:"country"`
	Connectivity uint8               `json:"connectivity"`
	HourMicro    uint64              `json:"hour_micro"`
	Up           bool                `json:"up"`
	Assurance    string              `json:"assurance"`
	Health       string              `json:"health"`
	Unfit        string              `json:"unfit,omitempty"`
	UpPPM        uint32              `json:"up_ppm"` // P(no outage within 24 h)
	LowPPM       uint32              `json:"low_ppm"`
	HighPPM      uint32              `json:"high_ppm"`
	EndsPPM      uint32              `json:"ends_ppm"` // P(a job of 24 h ends well), all signals counted
	Observed     time.Duration       `json:"observed_ns"`
	Tier         staking.Tier        `json:"tier"`
	NextTier     staking.Tier        `json:"next_tier,omitempty"` // that it reaches at NextTierAt if nothing gets worse
	NextTierAt   time.Time           `json:"next_tier_at,omitzero"`
	TierUntil    time.Time           `json:"tier_until,omitzero"`  // when an expired certificate costs the tier
	Shortfalls   []staking.Shortfall `json:"shortfalls,omitempty"` // to the next tier, or to the one that is kept by a grace
	Required     tokenomics.Amount   `json:"stake_required"`
	Counted      tokenomics.Amount   `json:"stake"`
	CoStake      tokenomics.Amount   `json:"co_stake"`
	Rewarded     tokenomics.Amount   `json:"rewarded"`
}

// Now is the instant of the last command.
func (n *Network) Now() time.Time { return n.now }

// Params returns the rules of the network.
func (n *Network) Params() Params { return n.p }

// Journal returns the settlement journal for a runner to look at. It must not be changed but by the command Settle.
func (n *Network) Journal() *settlement.Journal { return n.journal }

// Timeline returns the policies of the emission.
func (n *Network) Timeline() *tokenomics.Timeline { return n.supply.Timeline() }

// Books returns the account of the supply.
func (n *Network) Books() tokenomics.Books { return n.supply.Books() }

// Overview returns the network in figures, at the instant of the last command.
func (n *Network) Overview() Overview {
	books, stats := n.supply.Books(), n.fleet.Stats()
	o := Overview{
		At: n.now, Supply: books.Total(), Circulating: books.Circulating, Locked: books.Locked, Cap: n.p.Tokenomics.Cap,
		Reserve: books.Reserve, Minted: books.MintedTotal, Burned: books.BurnedTotal,
		Rewarded: n.issued, Held: n.held, Staked: n.pool.Books().Bonded, PriceMicro: n.price.MicroPerToken, PriceSource: n.price.Source,
		Nodes: stats.Nodes, NodesUp: stats.Up, Devices: stats.Devices, DevicesFree: stats.Free, Leases: stats.Running,
	}
	if epoch, err := n.calendar().At(n.now); err == nil {
		o.Epoch, o.EpochEnds = epoch, n.calendar().StartOf(epoch+1)
		o.Emission, _ = n.supply.Timeline().Planned(epoch)
	}
	for _, pool := range []tokenomics.Pool{tokenomics.PoolGPU, tokenomics.PoolCPU, tokenomics.PoolEnterprise, tokenomics.PoolCommunity} {
		o.Carried += n.carry[pool]
	}
	o.PaymentsPaid, o.PaymentsError = n.paidOut, len(n.refused)
	o.PaymentsOpen = n.decided - n.paidOut - len(n.refused)
	return o
}

// Nodes returns every enrolled node, by name.
func (n *Network) Nodes() []Node {
	out := make([]Node, 0, len(n.nodes))
	for _, name := range n.sortedNodes() {
		v, _ := n.Node(name)
		out = append(out, v)
	}
	return out
}

// Node returns one node, and false if it was never enrolled.
func (n *Network) Node(name string) (Node, bool) {
	x, ok := n.nodes[name]
	if !ok {
		return Node{}, false
	}
	v := Node{
		Name: name, Supplier: x.supplier, Model: x.model(), Devices: len(x.inventory.Devices), Up: x.up, Unfit: x.unfit, Health: x.health.String(),
		UpPPM: x.score.UpPPM, LowPPM: x.score.LowPPM, HighPPM: x.score.HighPPM, EndsPPM: x.score.Ends.PPM, Observed: x.score.Observed,
		Tier: x.grade.Tier, NextTier: x.grade.Candidate, NextTierAt: x.grade.CandidateAt, TierUntil: x.grade.GraceUntil,
		Shortfalls: slices.Clone(x.assessment.Shortfalls),
	}
	if !x.admitted.IsZero() {
		v.Assurance = x.assurance.String()
	}
	if x.listing != nil {
		v.Site, v.Country, v.Connectivity, v.HourMicro = x.listing.Site, x.listing.Country, x.listing.Connectivity, x.listing.HourMicro
	}
	if b, ok := n.pool.Bond(staking.BondID(name)); ok {
		v.Required, v.Counted, v.CoStake, v.Rewarded = b.Required, b.Counted, b.CoStake, b.Rewarded
	}
	if s, ok := n.fleet.Node(sched.NodeID(name)); ok {
		v.Free = len(s.Free)
	}
	return v, true
}

// Leases returns the running leases, by their identifiers.
func (n *Network) Leases() []sched.Lease { return slices.Collect(n.fleet.Leases()) }

// Blocks returns the last blocks, at most limit of them, newest first. They belong to the network.
func (n *Network) Blocks(limit int) []Block { return newest(n.blocks, limit) }

// Bills returns the last bills, at most limit of them, newest first.
func (n *Network) Bills(limit int) []Bill {
	var out []Bill
	for _, b := range newest(n.bills, limit) {
		out = append(out, b.clone())
	}
	return out
}

// Payments returns the last payments that were decided, at most limit of them, newest first.
func (n *Network) Payments(limit int) []settlement.Payment {
	var out []settlement.Payment
	for p := range n.journal.Recent() {
		if len(out) >= limit {
			break
		}
		out = append(out, p)
	}
	return out
}

func newest[T any](all []T, limit int) []T {
	out := slices.Clone(all[max(0, len(all)-max(0, limit)):])
	slices.Reverse(out)
	return out
}

// Due returns the next instant at which something ends without a command: the epoch, or the first lease. It is false
// when the emission is over and nothing is leased.
func (n *Network) Due() (time.Time, bool) {
	var due time.Time
	ok := n.closed < n.last
	if ok {
		due = n.calendar().StartOf(n.closed + 2)
	}
	for l := range n.fleet.Leases() {
		if !ok || l.Until.Before(due) {
			due, ok = l.Until, true
		}
	}
	return due, ok
}

// Score returns the probability that a node has no outage within 24 hours, at an instant that is not before the last
// command. It changes nothing.
func (n *Network) Score(name string, at time.Time) (reputation.Score, bool) {
	return n.book.Score(reputation.Subject(name), at, horizon)
}

// Explain returns the terms that a node's score is made of.
func (n *Network) Explain(name string, at time.Time) (reputation.Explanation, bool) {
	return n.book.Explain(reputation.Subject(name), at, horizon)
}
