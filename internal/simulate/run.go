package simulate

import (
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// errBooks is returned for books that do not add up: a defect of this package or of a policy.
var errBooks = errors.New("simulate: the books do not add up")

// book says who holds the supply. Tokens change their place only through move, in and out.
type book struct{ liquid, own, co, locked, fees, bought tokenomics.Amount }

// move takes n from one place to another and panics where there is less.
func move(from, to *tokenomics.Amount, n tokenomics.Amount) {
	if n > *from {
		panic("simulate.move: more than there is")
	}
	*from, *to = *from-n, *to+n
}

// circulating is what may be sold or was staked by choice.
func (b *book) circulating() tokenomics.Amount { return b.liquid + b.own + b.co }

// run is the state of one run.
type run struct {
	rng           rand.PCG
	price, demand int64  // log2 of the price over its start, and of demand over its trend, Q32
	before        uint64 // the price of the month before
	retained      uint64 // fees that the engine left, millionths of a dollar
	state         tokenomics.PolicyState
	book          book
	rent          [mostClasses]int64  // log2 of rental prices over their references, Q32
	active        [mostClasses]uint64 // machines, 1/65,536 of month 0's
	coverage, co  int64               // what part of the machines is staked for, and of the stake is co-stakers', Q32
	levels        []int8              // of the agents
}

// now is what one month of one run works out.
type now struct {
	*month
	at                   int                 // the number of the month
	micro, average       uint64              // the price, and the mean with the month before
	machines             [mostClasses]uint64 // active, 1/65,536
	used                 [mostClasses]uint64 // utilisation, Q32
	rent                 [mostClasses]uint64 // millionths of a dollar an hour
	income               [mostClasses]uint64 // likewise, of a machine, at the costs of month 0
	owed                 [mostClasses]uint64 // to a machine by the engine, millionths of a dollar an hour
	all, hired           uint64              // machines, 1/65,536
	gross, fees, due     uint64              // millionths of a dollar: rents, fees of them, claims of suppliers
	burnUSD              uint64              // what burned tokens this month, in millionths of a dollar
	emission, burn       tokenomics.Amount
	budget, rewards      uint64 // base units: block rewards, and all that suppliers got beside the rents
	stakeAPR             uint64 // parts per million
	coAPR                uint64
	settled, unfundedUSD uint64 // tokens for suppliers' claims; claims not paid, millionths of a dollar
}

// start puts run number i at the beginning of month 0.
func (w *world) start(r *run, seed, i uint64, levels []int8) {
	genesis := w.p.Network.Genesis
	*r = run{
		before: w.p.Price.StartMicro, levels: levels, coverage: one, book: book{liquid: genesis - w.locked, locked: w.locked},
		state: w.p.Network.State(),
	}
	r.rng.Seed(seed, i)
	r.active = w.agents.start(levels)
}

// step takes a run through month m and records it.
func (w *world) step(r *run, m int, out *row) error {
	n := now{month: &w.months[m], at: m}
	w.movePrice(r, &n)
	w.hire(r, &n)
	if m == 0 {
		w.lock(r, &n) // machines that are there have staked before
	}
	before := r.book.circulating()
	if err := w.pay(r, &n); err != nil {
		return fmt.Errorf("month %d: %w", m, err)
	}
	// The market takes up what was paid out and misses what was bought: vesting is not news and moves nothing.
	r.price -= mulQ(w.impact, w.t.log2(uint64(r.book.circulating())+1)-w.t.log2(uint64(before)+1))
	if vested := r.book.locked - n.locked; vested > 0 {
		move(&r.book.locked, &r.book.liquid, vested)
	}
	w.earn(r, &n)
	w.restake(r, &n)
	if err := r.audit(); err != nil {
		return fmt.Errorf("month %d: %w", m, err)
	}
	w.record(r, &n, out)
	return nil
}

// audit checks the books against what the policies minted and burned.
func (r *run) audit() error {
	b, s := &r.book, &r.state
	switch held := b.circulating() + b.locked + b.fees + b.bought; {
	case held != s.Genesis+s.Minted+s.Reminted-s.Burned:
		return fmt.Errorf("%w: %s is held of %s", errBooks, held, s.Total())
	case b.fees != s.FeeVault:
		return fmt.Errorf("%w: the fee vault holds %s, its policy says %s", errBooks, b.fees, s.FeeVault)
	case s.Minted > s.Cap-s.Genesis || s.Reminted > s.Burned:
		return fmt.Errorf("%w: minted %s, minted again %s of %s burned", errBooks, s.Minted, s.Reminted, s.Burned)
	}
	return nil
}

// mostPrice bounds the price at 1/1,024 and 1,024 of its start, and mostRent rents at 1/4 and 4, in log2.
const mostPrice, mostRent, mostDemand = 10 * one, 2 * one, 4 * one

func clamp(v, most int64) int64 { return max(-most, min(most, v)) }

// movePrice draws the month's price. The numbers drawn do not depend on the scenario: all of them see the same chance.
func (w *world) movePrice(r *run, n *now) {
	if n.at > 0 {
		r.price += mulQ(w.sigma, w.t.normal(r.rng.Uint64()))
		if hi := r.rng.Uint64() >> 32; hi*million>>32 < w.jump {
			r.price += w.jumpMean + mulQ(w.jumpSpread, w.t.normal(r.rng.Uint64()))
		} else {
			r.rng.Uint64()
		}
		r.demand = mulQ(r.demand, w.memory) + mulQ(w.noise, w.t.normal(r.rng.Uint64()))
	}
	r.price = clamp(r.price+n.month.price, mostPrice)
	n.micro = max(1, w.t.scale(w.p.Price.StartMicro, r.price))
	n.average = (n.micro + r.before) / 2
	r.before = n.micro
}

// hire matches what renters want with the active machines, class by class, and lets rents follow utilisation.
func (w *world) hire(r *run, n *now) {
	level := clamp(r.demand, mostDemand) + n.demand
	var wantedUSD, missedUSD uint64
	for c := range w.classes {
		cl := &w.classes[c]
		machines := part(r.active[c], n.offered)
		wanted := w.t.scale(part(cl.hours, n.wanted), level-mulQ(w.elasticity, r.rent[c]))
		// Where nobody is active, a cohort looks at what it would find.
		could := max(machines, part(uint64(w.agents.machines[c*w.agents.n]), n.offered), 1)
		hired := min(wanted, machines)
		rent := w.t.scale(part(cl.RentMicro, n.cheap), r.rent[c])
		n.machines[c], n.rent[c] = machines, rent
		n.all, n.hired = n.all+machines, n.hired+hired
		n.gross += (hired * n.hours >> machineBits) * rent
		// In units of 2^-16 machines * millionths of a dollar / 2^16: only the proportion counts.
		wantedUSD, missedUSD = wantedUSD+(wanted>>8)*(rent>>4), missedUSD+((wanted-hired)>>8)*(rent>>4)
		full := ratio(min(wanted, 2*could), could, 2*uint64(one))
		n.used[c] = min(full, uint64(one))
		r.rent[c] = clamp(r.rent[c]+mulQ(w.speed, int64(full)-int64(w.target)), mostRent)
	}
	if wantedUSD > 0 {
		missed := ratio(missedUSD, wantedUSD, uint64(one))
		r.demand -= int64(part(missed, w.churn))
	}
	n.fees = n.gross * w.p.Treasury.FeePPM / million
}

// earn works out what an hour of a machine brings in each class, and lets the suppliers judge it.
func (w *world) earn(r *run, n *now) {
	var weight [2]uint64 // of the pools, 1/65,536 machines * hundredths
	for c := range w.classes {
		weight[pool(&w.classes[c])] += n.machines[c] * w.classes[c].MultiplierCenti
	}
	enterprise := part(n.budget, w.enterprise)
	var each [2]uint64 // an hour of a hundredth of a multiplier earns, millionths of a dollar / 65,536
	for i, tokens := range [2]uint64{n.budget - enterprise, enterprise} {
		each[i] = mulDiv(usd(tokens, n.micro), 1<<24, max(weight[i], w.lightest[i])>>8*n.hours)
	}
	paid := n.paidPart()
	for c := range w.classes {
		cl := &w.classes[c]
		income := part(part(n.rent[c], n.used[c]), w.keep)
		switch n.rule {
		case Monthly:
		case Incentive:
			income += part(n.owed[c], paid)
		case BurnMint:
			income = part(income, paid)
		}
		income += min(each[pool(cl)], 1<<40) * cl.MultiplierCenti >> 16
		n.income[c] = part(min(income, 1<<50), n.dear)
		r.active[c] = w.agents.step(r.levels, c, n.income[c])
	}
}

func pool(c *class) int {
	if c.Enterprise {
		return 1
	}
	return 0
}

// usd returns what base units are worth at a price, in millionths of a dollar, rounded down.
func usd(units, micro uint64) uint64 {
	if hi, lo := bits.Mul64(units, micro); hi == 0 {
		return lo / tokenomics.UnitsPerToken
	}
	return mulDiv(units, micro, tokenomics.UnitsPerToken)
}
