package staking_test

import (
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// oracle is the slow and obvious twin of a pool: lists of everything that ever happened, big integers, every rule checked
// by itself and every sum taken anew. It shares no code with the pool but the parameters, the events and the effects.
type oracle struct {
	p     staking.Params
	now   time.Time
	began bool
	// All lists are in the order in which things came; nothing is ever deleted from them.
	bonds    []*oracleBond
	lots     []*oracleLot
	offers   []*oracleOffer
	cases    []*oracleCase
	links    [][2]staking.HolderID
	known    map[staking.HolderID]bool
	payments []oraclePayment
	burned   []*big.Int
	given    []*big.Int
}

type oracleBond struct {
	id         staking.BondID
	owner      staking.HolderID
	multiplier uint32
	gpus       uint32
	regimes    []oracleRegime // what was needed, from the opening on
	grace      uint32         // the multiplier that goes on to suffice
	graceUntil time.Time      // zero without a grace
	graceOver  bool           // it is past, and still covers the epoch that it ended in
	held       *big.Int
	heldUntil  time.Time
	hires      uint32
	terminated bool
	lastEpoch  tokenomics.Epoch
	ended      tokenomics.Epoch // the epoch of the termination
	rewards    []*big.Int
	earned     *big.Int // the owner's rewards
	payments   uint64
}

// oracleRegime is what a bond needs from an epoch on.
type oracleRegime struct {
	from     tokenomics.Epoch
	required *big.Int
	suffices *big.Int
	until    time.Time        // the end of the grace, which is past or to come; zero without one
	rewarded tokenomics.Epoch // the last epoch that was rewarded before it began
}

// always is an epoch that a pool does not reach: a lot that does not leave earns until then.
const always = tokenomics.Epoch(math.MaxUint32 - 1)

type oracleLot struct {
	id        staking.LotID
	bond      *oracleBond
	offer     *oracleOffer // nil for an owner's lot
	holder    staking.HolderID
	state     staking.LotState
	bonded    *big.Int
	balance   *big.Int
	at        time.Time
	from      tokenomics.Epoch
	earnsTo   tokenomics.Epoch // it earns in epochs before this one
	countsTo  tokenomics.Epoch // it counts in epochs before this one
	until     time.Time
	withdrawn bool
	purse     oraclePurse
}

type oraclePayment struct {
	holder staking.HolderID
	stake  bool
	units  *big.Int
}

func newOracle(p staking.Params) *oracle { return &oracle{p: p, known: map[staking.HolderID]bool{}} }

func (l *oracleLot) role() staking.Role {
	if l.offer == nil {
		return staking.Owner
	}
	return staking.CoStaker
}

func (l *oracleLot) is(states ...staking.LotState) bool {
	return !l.withdrawn && slices.Contains(states, l.state)
}

func (l *oracleLot) counts() bool { return l.is(staking.LotActive, staking.LotWaiting) }

// sum adds up the balances of the lots that pass.
func (o *oracle) sum(pass func(*oracleLot) bool) *big.Int {
	n := new(big.Int)
	for _, l := range o.lots {
		if !l.withdrawn && pass(l) {
			n.Add(n, l.balance)
		}
	}
	return n
}

// lotsOf returns the lots of a bond that pass, in their order.
func (o *oracle) lotsOf(b *oracleBond, pass func(*oracleLot) bool) (lots []*oracleLot) {
	for _, l := range o.lots {
		if l.bond == b && !l.withdrawn && pass(l) {
			lots = append(lots, l)
		}
	}
	return lots
}

func anyLot(*oracleLot) bool { return true }

// counted is the stake of a bond that is active or waits.
func (o *oracle) counted(b *oracleBond) *big.Int {
	return o.sum(func(l *oracleLot) bool { return l.bond == b && l.counts() })
}

// stays is the stake that will still count when all waits are over.
func (o *oracle) stays(b *oracleBond) *big.Int {
	return o.sum(func(l *oracleLot) bool { return l.bond == b && l.is(staking.LotActive) })
}

// epoch returns the epoch that holds an instant by counting lengths, 0 before the first.
func (o *oracle) epoch(at time.Time) tokenomics.Epoch {
	if at.Before(o.p.Calendar.Start) {
		return 0
	}
	past := at.Unix() - o.p.Calendar.Start.Unix()
	return tokenomics.Epoch(min(int64(always), past/int64(o.p.Calendar.Length/time.Second)+1))
}

// dated notes whether the calendar reaches an instant.
func (o *oracle) dated(at time.Time, broken *rules) {
	broken.must(o.epoch(at) < always, staking.ErrEpochOpen)
}

// begins returns the instant at which an epoch begins.
func (o *oracle) begins(e tokenomics.Epoch) time.Time {
	return o.p.Calendar.Start.Add((time.Duration(e) - 1) * o.p.Calendar.Length) // less than 292 years
}

// required returns the requirement of a device, and whether it fits an amount.
func (o *oracle) required(multiplier, gpus uint32) (*big.Int, bool) {
	n := bigOf(o.p.BaseStake)
	n.Mul(n, big.NewInt(int64(max(100, multiplier))))
	n.Mul(n, big.NewInt(int64(gpus)))
	n.Div(n, big.NewInt(100))
	return n, n.IsUint64()
}

func (b *oracleBond) now() oracleRegime { return b.regimes[len(b.regimes)-1] }

func (b *oracleBond) inGrace() bool { return !b.graceUntil.IsZero() && !b.graceOver }

// suffices is what is enough at this moment.
func (b *oracleBond) suffices() *big.Int {
	if b.inGrace() {
		return b.now().suffices
	}
	return b.now().required
}

// needs is what a regime asks for in an epoch: the grace covers the epochs that begin before it ends.
func (o *oracle) needs(r oracleRegime, e tokenomics.Epoch) *big.Int {
	if !r.until.IsZero() && o.begins(e).Before(r.until) {
		return r.suffices
	}
	return r.required
}

// need is what a reward for an epoch asks for.
func (o *oracle) need(b *oracleBond, e tokenomics.Epoch) *big.Int {
	if e >= b.now().from {
		return o.needs(b.now(), e)
	}
	return o.prior(b, len(b.regimes)-1)
}

// prior is what epochs before a regime ask for: the most of what was in force since the last reward that came before it,
// each regime by the last of its epochs, when its grace is least. A regime that was replaced in its first epoch never was.
func (o *oracle) prior(b *oracleBond, i int) *big.Int {
	if i == 0 {
		return new(big.Int)
	}
	r, last := b.regimes[i], b.regimes[i-1]
	if r.from == last.from {
		return o.prior(b, i-1)
	}
	n := o.needs(last, r.from-1)
	if last.from > r.rewarded+1 {
		n = larger(n, o.prior(b, i-1))
	}
	return n
}

// overflow is what the owner can take out at once.
func (o *oracle) overflow(b *oracleBond, at time.Time) *big.Int {
	needed := b.now().required
	if at.Before(b.heldUntil) {
		needed = larger(needed, b.held)
	}
	own := o.sum(func(l *oracleLot) bool { return l.bond == b && l.offer == nil && l.is(staking.LotActive) })
	seasoned := o.sum(func(l *oracleLot) bool {
		return l.bond == b && l.offer != nil && l.counts() && !l.at.Add(o.p.OverflowHold).After(at)
	})
	return smaller(own, larger(new(big.Int), minus(plus(own, seasoned), needed)))
}

// cluster returns all wallets that are linked with one, itself included, by walking the links.
func (o *oracle) cluster(h staking.HolderID) []staking.HolderID {
	all := []staking.HolderID{h}
	for i := 0; i < len(all); i++ {
		for _, l := range o.links {
			for _, pair := range [][2]staking.HolderID{l, {l[1], l[0]}} {
				if pair[0] == all[i] && !slices.Contains(all, pair[1]) {
					all = append(all, pair[1])
				}
			}
		}
	}
	return all
}

func (o *oracle) linked(a, b staking.HolderID) bool { return slices.Contains(o.cluster(a), b) }

// claims is the number of fills of a cluster that are not withdrawn.
func (o *oracle) claims(h staking.HolderID) (n uint32) {
	cluster := o.cluster(h)
	for _, l := range o.lots {
		if !l.withdrawn && l.offer != nil && slices.Contains(cluster, l.holder) {
			n++
		}
	}
	return n
}

// oracleDeadline is something that is due at an instant, with its place among all that is due then.
type oracleDeadline struct {
	at     time.Time
	kind   int
	number int
	run    func() []staking.Effect
}

// deadlines lists everything that is due sooner or later, in no order.
func (o *oracle) deadlines() (all []oracleDeadline) {
	due := func(at time.Time, kind, number int, run func() []staking.Effect) {
		all = append(all, oracleDeadline{at, kind, number, run})
	}
	for _, l := range o.lots {
		switch {
		case l.is(staking.LotWaiting):
			due(l.until, 1, int(l.id), func() []staking.Effect { return o.endWait(l) })
		case l.is(staking.LotCooling):
			due(l.until, 2, int(l.id), func() []staking.Effect {
				l.state = staking.LotMatured
				return []staking.Effect{staking.Matured{Bond: l.bond.id, Holder: l.holder, Lot: l.id, Amount: amount(l.balance)}}
			})
		}
	}
	for i, f := range o.offers {
		if f.state == staking.StateOpen {
			due(f.expires, 3, i, func() []staking.Effect { return f.end(staking.StateExpired) })
		}
	}
	for i, c := range o.cases {
		if c.open && !c.appealed {
			due(c.deadline, 4, i, func() []staking.Effect { return o.execute(c) })
		}
		if !c.forgotten {
			due(c.forget, 6, i, func() []staking.Effect { c.forgotten = true; return nil })
		}
	}
	for i, b := range o.bonds {
		if b.inGrace() {
			due(b.graceUntil, 5, i, func() []staking.Effect { return o.endGrace(b) })
		}
	}
	return all
}

// first returns the deadline that is carried out before all others.
func (o *oracle) first() (first oracleDeadline, ok bool) {
	for i, d := range o.deadlines() {
		if i == 0 || d.before(first) {
			first, ok = d, true
		}
	}
	return first, ok
}

func (d oracleDeadline) before(e oracleDeadline) bool {
	if !d.at.Equal(e.at) {
		return d.at.Before(e.at)
	}
	return d.kind < e.kind || d.kind == e.kind && d.number < e.number
}

func (o *oracle) endWait(l *oracleLot) []staking.Effect {
	at, before := l.until, o.counted(l.bond)
	effects := []staking.Effect{o.cool(l, at, o.p.CoCooldown, false)}
	after, need := o.counted(l.bond), l.bond.now().required
	if !l.bond.terminated && before.Cmp(need) >= 0 && after.Cmp(need) < 0 {
		effects = append(effects, l.bond.under(after, at))
	}
	return effects
}

func (o *oracle) endGrace(b *oracleBond) []staking.Effect {
	at := b.graceUntil
	b.graceOver = true
	if n := o.counted(b); !b.terminated && n.Cmp(b.now().required) < 0 {
		return []staking.Effect{b.under(n, at)}
	}
	return nil
}

func (b *oracleBond) under(have *big.Int, deadline time.Time) staking.Effect {
	return staking.Underbonded{Bond: b.id, Have: amount(have), Need: amount(b.now().required), Deadline: deadline}
}

// wait begins a co-staker's exit.
func (o *oracle) wait(l *oracleLot, at time.Time, forced bool) staking.Effect {
	if o.p.CoWait == 0 {
		return o.cool(l, at, o.p.CoCooldown, forced)
	}
	l.state, l.until, l.earnsTo = staking.LotWaiting, at.Add(o.p.CoWait), o.epoch(at)
	return l.unlocking(forced)
}

// cool begins a cooldown.
func (o *oracle) cool(l *oracleLot, at time.Time, cooldown time.Duration, forced bool) staking.Effect {
	l.state, l.until, l.countsTo = staking.LotCooling, at.Add(cooldown), o.epoch(at)
	l.earnsTo = min(l.earnsTo, l.countsTo)
	return l.unlocking(forced)
}

func (l *oracleLot) unlocking(forced bool) staking.Effect {
	return staking.Unlocking{
		Bond: l.bond.id, Holder: l.holder, Role: l.role(), Lot: l.id, Amount: amount(l.balance),
		State: l.state, Until: l.until, Forced: forced,
	}
}

// leaves is the list of payments out of a bond: stake if it is above 0, then rewards if they are.
func (o *oracle) leaves(b *oracleBond, h staking.HolderID, role staking.Role, stake, rewards *big.Int) (effects []staking.Effect) {
	if stake.Sign() > 0 {
		b.payments++
		o.payments = append(o.payments, oraclePayment{h, true, stake})
		effects = append(effects, staking.Released{Bond: b.id, Holder: h, Number: b.payments, Amount: amount(stake)})
	}
	if rewards.Sign() > 0 {
		b.payments++
		o.payments = append(o.payments, oraclePayment{h, false, rewards})
		effects = append(effects, staking.Paid{
			Bond: b.id, Holder: h, Role: role, Number: b.payments, Epoch: b.lastEpoch, Amount: amount(rewards),
		})
	}
	return effects
}

// newLot bonds units for a holder.
func (o *oracle) newLot(at time.Time, b *oracleBond, f *oracleOffer, h staking.HolderID, n tokenomics.Amount) staking.Effect {
	from := o.epoch(at) + 1
	l := &oracleLot{
		id: staking.LotID(len(o.lots) + 1), bond: b, offer: f, holder: h, state: staking.LotActive, bonded: bigOf(n), balance: bigOf(n),
		at: at, from: from, earnsTo: always, countsTo: always, purse: newPurse(),
	}
	o.lots = append(o.lots, l)
	o.known[h] = true
	return staking.Locked{Bond: b.id, Holder: h, Role: l.role(), Lot: l.id, Amount: n}
}

// comesIn notes whether more fits: all stake and all rewards that ever came in are an amount together.
func (o *oracle) comesIn(n tokenomics.Amount, broken *rules) {
	broken.must(plus(plus(o.deposits(), o.rewarded()), bigOf(n)).IsUint64(), tokenomics.ErrOverflow)
}

// deposits is all that ever came in as stake.
func (o *oracle) deposits() *big.Int {
	n := new(big.Int)
	for _, l := range o.lots {
		n.Add(n, l.bonded)
	}
	return n
}

func bigOf(n tokenomics.Amount) *big.Int { return new(big.Int).SetUint64(uint64(n)) }

// amount is the way back; a number that is no amount is a fault of the oracle or of the rules.
func amount(n *big.Int) tokenomics.Amount {
	if !n.IsUint64() {
		panic("oracle: " + n.String() + " is no amount")
	}
	return tokenomics.Amount(n.Uint64())
}

func plus(a, b *big.Int) *big.Int  { return new(big.Int).Add(a, b) }
func minus(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }

func smaller(a, b *big.Int) *big.Int {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

func larger(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

// part returns n*num/den, rounded down.
func part(n, num, den *big.Int) *big.Int {
	v := new(big.Int).Mul(n, num)
	return v.Div(v, den)
}

// bps returns n*b/10^4, rounded down.
func bps(n *big.Int, b uint32) *big.Int { return part(n, big.NewInt(int64(b)), big.NewInt(10_000)) }

// share divides a total by weights: part i is what all up to i get together, rounded down, less what those before got.
func share(total *big.Int, weights []*big.Int) []*big.Int {
	all := new(big.Int)
	for _, w := range weights {
		all.Add(all, w)
	}
	parts := make([]*big.Int, len(weights))
	upTo, before := new(big.Int), new(big.Int)
	for i, w := range weights {
		parts[i] = new(big.Int)
		if all.Sign() == 0 {
			continue
		}
		upTo = plus(upTo, w)
		got := part(total, upTo, all)
		parts[i], before = minus(got, before), got
	}
	return parts
}
