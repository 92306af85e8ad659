package staking_test

import (
	"math/big"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// oracleCase is a piece of evidence and the slash that followed from it.
type oracleCase struct {
	id        staking.EvidenceID
	bond      *oracleBond
	rule      staking.SlashRule
	at        time.Time
	basis     *big.Int
	share     uint32 // what its measure costs beyond what stood
	bps       uint32 // what was charged of that
	due       *big.Int
	deadline  time.Time
	forget    time.Time
	renter    staking.HolderID
	reporter  staking.HolderID
	parts     []oraclePart
	open      bool
	appealed  bool
	won       bool
	forgotten bool
}

// oraclePart is what was taken from a lot, or from the owner's rewards if there is none.
type oraclePart struct {
	lot     *oracleLot
	stake   *big.Int
	rewards *big.Int
}

func (c *oracleCase) taken() *big.Int {
	n := new(big.Int)
	for _, p := range c.parts {
		n.Add(n, p.stake).Add(n, p.rewards)
	}
	return n
}

func (c *oracleCase) holder(p oraclePart) staking.HolderID {
	if p.lot == nil {
		return c.bond.owner
	}
	return p.lot.holder
}

func (p oraclePart) id() staking.LotID {
	if p.lot == nil {
		return 0
	}
	return p.lot.id
}

func (p oraclePart) role() staking.Role {
	if p.lot == nil {
		return staking.Owner
	}
	return p.lot.role()
}

func (o *oracle) openCases(b *oracleBond) (n uint32) {
	for _, c := range o.cases {
		if c.bond == b && c.open {
			n++
		}
	}
	return n
}

// lost is what slashes took from the balance of a lot and have not given back.
func (o *oracle) lost(l *oracleLot) *big.Int {
	n := new(big.Int)
	for _, c := range o.cases {
		for _, p := range c.parts {
			if p.lot == l && !c.won {
				n.Add(n, p.stake)
			}
		}
	}
	return n
}

// canLose is what a slash can still take from the balance of a lot.
func (o *oracle) canLose(l *oracleLot) *big.Int {
	if l.offer == nil {
		return l.balance
	}
	return smaller(l.balance, larger(new(big.Int), minus(bps(l.bonded, o.p.CoMaxLossBps), o.lost(l))))
}

// hour numbers the hours of Unix time.
func hour(at time.Time) int64 {
	h := at.Unix() / 3600
	if at.Unix()%3600 < 0 {
		h--
	}
	return h
}

func (o *oracle) rule(kind staking.Infraction) (rule staking.SlashRule) {
	for _, r := range o.p.Slashes {
		if r.Kind == kind {
			rule = r
		}
	}
	return rule
}

// fraction is what an infraction costs, 0 if it is none.
func fraction(r staking.SlashRule, measure uint64) (bps uint32) {
	for _, s := range r.Steps {
		if s.Over < measure {
			bps = max(bps, s.Bps)
		}
	}
	return bps
}

// before returns what evidence of the same hour that stands makes up already.
func (o *oracle) before(b *oracleBond, r staking.SlashRule, at time.Time) (sum uint32) {
	for _, c := range o.cases {
		if c.bond == b && c.rule.Kind == r.Kind && !c.forgotten && !c.won && hour(c.at) == hour(at) {
			sum += c.share
		}
	}
	return sum
}

// charged returns the fraction that the cap leaves.
func (o *oracle) charged(b *oracleBond, r staking.SlashRule, at time.Time, bps uint32) uint32 {
	if r.CapBps == 0 {
		return bps
	}
	left := int64(r.CapBps)
	for _, c := range o.cases {
		if c.bond == b && c.rule.Kind == r.Kind && !c.forgotten && !c.won && c.at.Sub(at).Abs() < r.CapWindow {
			left -= int64(c.bps)
		}
	}
	return uint32(max(0, min(left, int64(bps))))
}

func (o *oracle) infract(at time.Time, e staking.Infracted, broken *rules) func() []staking.Effect {
	b := o.find(e.Bond, broken)
	broken.name(string(e.Evidence))
	broken.must(len(e.Renter) <= 128 && len(e.Reporter) <= 128, staking.ErrID)
	rule := o.rule(e.Kind)
	full := fraction(rule, e.Measure)
	broken.must(full > 0, staking.ErrInfraction)
	broken.must(canHold(e.At), staking.ErrTime)
	broken.must(!e.At.After(at) && at.Sub(e.At) < o.p.EvidenceWindow, staking.ErrEvidenceAge)
	used := slices.ContainsFunc(o.cases, func(c *oracleCase) bool {
		return c.id == e.Evidence && (c.open || !c.forgotten)
	})
	broken.must(!used, staking.ErrEvidenceUsed)
	if b == nil {
		return nil
	}
	before := o.before(b, rule, e.At)
	broken.must(full == 0 || full > before, staking.ErrEvidenceUsed)
	more := full - min(full, before)
	charged := o.charged(b, rule, e.At, more)
	broken.must(more == 0 || charged > 0, staking.ErrSlashCap)
	stood := func(l *oracleLot) bool { return !l.at.After(e.At) && !l.is(staking.LotMatured) }
	basis := o.sum(func(l *oracleLot) bool { return l.bond == b && stood(l) })
	broken.must(basis.Sign() > 0, staking.ErrNoStake)
	return func() []staking.Effect {
		due := part(basis, big.NewInt(int64(charged)), big.NewInt(10_000))
		if exact := new(big.Int).Mul(basis, big.NewInt(int64(charged))); exact.Mod(exact, big.NewInt(10_000)).Sign() > 0 {
			due = plus(due, big.NewInt(1))
		}
		c := &oracleCase{
			id: e.Evidence, bond: b, rule: rule, at: e.At.UTC(), basis: basis, share: more, bps: charged, due: due, deadline: at.Add(o.p.AppealWindow),
			forget: e.At.UTC().Add(o.p.EvidenceWindow + max(time.Hour, rule.CapWindow)), renter: e.Renter, reporter: e.Reporter, open: true,
		}
		enough := o.counted(b).Cmp(b.now().required) >= 0
		c.parts = o.take(b, due, o.lotsOf(b, stood))
		o.cases = append(o.cases, c)
		var effects []staking.Effect
		for _, p := range c.parts {
			effects = append(effects, staking.Slashed{
				Evidence: c.id, Bond: b.id, Holder: c.holder(p), Role: p.role(), Lot: p.id(), Stake: amount(p.stake), Rewards: amount(p.rewards),
			})
		}
		if after, need := o.counted(b), b.now().required; !b.terminated && enough && after.Cmp(need) < 0 {
			effects = append(effects, b.under(after, at))
		}
		return effects
	}
}

// take is the waterfall: rewards, then stake, each step as far as it goes.
func (o *oracle) take(b *oracleBond, due *big.Int, lots []*oracleLot) []oraclePart {
	zero := func() []*big.Int { return slices.Repeat([]*big.Int{new(big.Int)}, len(lots)) }
	rewards, avail := zero(), zero()
	for i, l := range lots {
		rewards[i], avail[i] = o.earned(l), o.canLose(l)
	}
	step := func(weights []*big.Int) []*big.Int {
		all := new(big.Int)
		for _, w := range weights {
			all.Add(all, w)
		}
		n := smaller(due, all)
		due = minus(due, n)
		return share(n, weights)
	}
	rewards = step(append([]*big.Int{b.earned}, rewards...))
	own, rewards := rewards[0], rewards[1:]
	stake := zero()
	for _, turn := range o.turns() {
		weights := zero()
		for i, l := range lots {
			if slices.Contains(turn, l.role()) {
				weights[i] = avail[i]
			}
		}
		for i, n := range step(weights) {
			stake[i] = plus(stake[i], n)
		}
	}
	var parts []oraclePart
	if b.earned = minus(b.earned, own); own.Sign() > 0 {
		parts = append(parts, oraclePart{stake: new(big.Int), rewards: own})
	}
	for i, l := range lots {
		if rewards[i].Sign() > 0 {
			o.settle(l)
			o.draw(l, rewards[i])
		}
	}
	for i, l := range lots {
		if stake[i].Sign() > 0 {
			o.setBalance(l, minus(l.balance, stake[i]))
		}
		if stake[i].Sign() > 0 || rewards[i].Sign() > 0 {
			parts = append(parts, oraclePart{l, stake[i], rewards[i]})
		}
	}
	return parts
}

// turns says whose stake is taken, step by step.
func (o *oracle) turns() [][]staking.Role {
	if o.p.SlashOrder == staking.ProRata {
		return [][]staking.Role{{staking.Owner, staking.CoStaker}}
	}
	return [][]staking.Role{{staking.Owner}, {staking.CoStaker}}
}

// findCase returns a case that is open, or notes that there is none.
func (o *oracle) findCase(id staking.EvidenceID, broken *rules) *oracleCase {
	for _, c := range o.cases {
		if c.id == id && c.open {
			return c
		}
	}
	broken.must(false, staking.ErrNoCase)
	return nil
}

func (o *oracle) appeal(e staking.Appealed, broken *rules) func() []staking.Effect {
	c := o.findCase(e.Evidence, broken)
	if c == nil {
		return nil
	}
	broken.must(!c.appealed, staking.ErrAppeal)
	hit := slices.ContainsFunc(c.parts, func(p oraclePart) bool { return c.holder(p) == e.Holder })
	broken.must(hit, staking.ErrNotSlashed)
	return func() []staking.Effect { c.appealed = true; return nil }
}

func (o *oracle) decide(e staking.AppealDecided, broken *rules) func() []staking.Effect {
	c := o.findCase(e.Evidence, broken)
	if c == nil {
		return nil
	}
	broken.must(c.appealed, staking.ErrAppeal)
	if e.Won {
		return func() []staking.Effect { return o.giveBack(c) }
	}
	return func() []staking.Effect { return o.execute(c) }
}

func (o *oracle) giveBack(c *oracleCase) (effects []staking.Effect) {
	c.open, c.won = false, true
	for _, p := range c.parts {
		effects = append(effects, staking.Restored{
			Evidence: c.id, Bond: c.bond.id, Holder: c.holder(p), Lot: p.id(), Stake: amount(p.stake), Rewards: amount(p.rewards),
		})
		switch {
		case p.lot == nil:
			c.bond.earned = plus(c.bond.earned, p.rewards)
		case p.lot.withdrawn:
			effects = append(effects, o.leaves(c.bond, p.lot.holder, p.role(), p.stake, p.rewards)...)
		default:
			o.setBalance(p.lot, plus(p.lot.balance, p.stake))
			o.draw(p.lot, new(big.Int).Neg(p.rewards))
		}
	}
	return append(effects, o.sweep(c)...)
}

// execute makes a slash final.
func (o *oracle) execute(c *oracleCase) (effects []staking.Effect) {
	c.open = false
	weights := []*big.Int{new(big.Int), new(big.Int), big.NewInt(10_000)}
	for i, to := range []struct {
		holder staking.HolderID
		bps    uint32
	}{{c.renter, c.rule.RenterBps}, {c.reporter, c.rule.ReporterBps}} {
		if to.holder != "" && !o.linked(c.bond.owner, to.holder) {
			weights[i] = big.NewInt(int64(to.bps))
			weights[2] = minus(weights[2], weights[i])
		}
	}
	parts := share(c.taken(), weights)
	if c.renter == c.reporter {
		parts[0], parts[1] = plus(parts[0], parts[1]), new(big.Int)
	}
	for i, h := range []staking.HolderID{c.renter, c.reporter} {
		if parts[i].Sign() > 0 {
			o.given = append(o.given, parts[i])
			effects = append(effects, staking.Compensated{Evidence: c.id, Holder: h, Amount: amount(parts[i])})
		}
	}
	o.burned = append(o.burned, parts[2])
	effects = append(effects, staking.Burned{Evidence: c.id, Bond: c.bond.id, Kind: c.rule.Kind, Amount: amount(parts[2])})
	return append(effects, o.sweep(c)...)
}

// sweep removes the lots of a case that has ended which are empty and in no other open case.
func (o *oracle) sweep(c *oracleCase) (effects []staking.Effect) {
	for _, p := range c.parts {
		if p.lot == nil || p.lot.withdrawn || p.lot.balance.Sign() > 0 || o.holds(p.lot) {
			continue
		}
		effects = append(effects, o.leaves(c.bond, p.lot.holder, p.role(), new(big.Int), o.remove(p.lot))...)
	}
	return effects
}

// holds reports whether an open case took something from a lot.
func (o *oracle) holds(l *oracleLot) bool {
	return slices.ContainsFunc(o.cases, func(c *oracleCase) bool {
		return c.open && slices.ContainsFunc(c.parts, func(p oraclePart) bool { return p.lot == l })
	})
}

// money adds up a list.
func money(ns []*big.Int) tokenomics.Amount {
	n := new(big.Int)
	for _, m := range ns {
		n.Add(n, m)
	}
	return amount(n)
}
