package network

import (
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// rate computes a node's score and tier, and returns a fact if either has changed. A tier is reached and kept over time, as
// its policy says; every block looks, so that what a date brings is seen within an epoch.
func (n *Network) rate(at time.Time, name string) []Fact {
	x := n.nodes[name]
	level := n.level(at, x)
	moved := level != x.assurance
	x.assurance = level
	score, _ := n.book.Score(reputation.Subject(name), at, horizon)
	grade, assessment, err := n.p.Tiers.Regrade(x.grade, n.evidence(at, name, score), at)
	must(err)
	changed := moved || !x.rated || score.Standing != x.score.Standing || grade.Tier != x.grade.Tier
	x.score, x.grade, x.assessment, x.rated = score, grade, assessment, true
	if !changed {
		return nil
	}
	return []Fact{Rated{Node: name, Score: score, Grade: grade, Assessment: assessment}}
}

// rerate rates a node and tells the fleet.
func (n *Network) rerate(at time.Time, name string) []Fact {
	facts := n.rate(at, name)
	if _, there := n.fleet.Node(sched.NodeID(name)); there && len(facts) > 0 {
		_, err := n.fleet.Apply(at, sched.NodeChanged{Node: sched.NodeID(name), Terms: n.fleetNode(name).Terms()})
		must(err)
	}
	return facts
}

// evidence gathers what is known of a node for its tier.
func (n *Network) evidence(at time.Time, name string, score reputation.Score) staking.Evidence {
	x := n.nodes[name]
	e := staking.Evidence{Assurance: uint8(x.assurance), StandingLowPPM: score.LowPPM, Attestations: slices.Clone(x.attestations)}
	e.HardwareProvedAt = x.admitted
	if x.listing != nil {
		e.Connectivity = x.listing.Connectivity
	}
	if b, ok := n.pool.Bond(staking.BondID(name)); ok {
		e.Required, e.Counted, e.OwnerPart = b.Suffices, b.Counted, b.OwnerStake // what suffices for a reward suffices here
	}
	// The class of the hardware is what the table of June 2025 says, also before that date: until then there was none.
	class := at
	if from := n.p.Tokenomics.Multipliers.EarnFrom; class.Before(from) {
		class = from
	}
	m, pool, _ := n.multipliers.Earning(x.model(), class)
	e.MultiplierCenti = uint32(m)
	switch pool {
	case tokenomics.PoolEnterprise:
		e.Pool = staking.Enterprise
	case tokenomics.PoolCommunity:
		e.Pool = staking.Community
	case tokenomics.NoPool, tokenomics.PoolGPU, tokenomics.PoolCPU:
	}
	return e
}
