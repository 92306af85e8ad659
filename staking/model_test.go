package staking_test

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// errShort stands for a ShortStakeError in the oracle.
var errShort = errors.New("short stake")

// oracle is the slow and obvious twin of a pool: maps, big integers, lists of what happened, every rule checked by itself
// and every sum taken anew. It shares no code with the pool but the parameters.
type oracle struct {
	p      staking.Params
	now    time.Time
	bonds  map[staking.BondID]*oracleBond
	offers map[staking.OfferID]*oracleOffer
	paid   map[staking.HolderID]*big.Int
}

type oracleBond struct {
	owner    staking.HolderID
	required *big.Int
	lots     []oracleLot
	epochs   []tokenomics.Epoch
}

type oracleLot struct {
	holder staking.HolderID
	offer  *oracleOffer
	units  *big.Int
	at     time.Time
}

type oracleOffer struct {
	bond    staking.BondID
	units   *big.Int
	bps     int64
	expires time.Time
	filled  staking.HolderID
	closed  bool
}

func newOracle(p staking.Params) *oracle {
	return &oracle{
		p: p, bonds: map[staking.BondID]*oracleBond{}, offers: map[staking.OfferID]*oracleOffer{},
		paid: map[staking.HolderID]*big.Int{},
	}
}

func bigOf(n tokenomics.Amount) *big.Int { return new(big.Int).SetUint64(uint64(n)) }

// part returns n*num/den, rounded down.
func part(n *big.Int, num, den int64) *big.Int {
	v := new(big.Int).Mul(n, big.NewInt(num))
	return v.Div(v, big.NewInt(den))
}

// epoch returns the epoch that holds an instant by counting hours, 0 before the first.
func (o *oracle) epoch(at time.Time) tokenomics.Epoch {
	if at.Before(o.p.Calendar.Start) {
		return 0
	}
	return tokenomics.Epoch(at.Sub(o.p.Calendar.Start)/o.p.Calendar.Length) + 1
}

// rules collects every rule that an event breaks.
type rules []error

func (r *rules) must(ok bool, err error) {
	if !ok {
		*r = append(*r, err)
	}
}

// apply returns the effects, or all rules that the event breaks.
func (o *oracle) apply(at time.Time, e staking.Event) ([]staking.Effect, rules) {
	var broken rules
	broken.must(!at.Before(o.now), staking.ErrTimeBackwards)
	var commit func() []staking.Effect
	switch e := e.(type) {
	case staking.BondOpened:
		commit = o.openBond(e, &broken)
	case staking.Deposited:
		commit = o.deposit(at, e, &broken)
	case staking.OfferPosted:
		commit = o.post(at, e, &broken)
	case staking.OfferAccepted:
		commit = o.accept(at, e, &broken)
	case staking.OfferClosed:
		f, ok := o.offers[e.Offer]
		broken.must(ok, staking.ErrNoOffer)
		if ok {
			broken.must(f.filled == "" && !f.closed, staking.ErrOfferOver)
			broken.must(at.Before(f.expires) || f.filled != "" || f.closed, staking.ErrOfferExpired)
		}
		commit = func() []staking.Effect { f.closed = true; return nil }
	case staking.Rewarded:
		commit = o.reward(at, e, &broken)
	}
	if len(broken) > 0 {
		return nil, broken
	}
	o.now = at
	return commit(), nil
}

func (o *oracle) openBond(e staking.BondOpened, broken *rules) func() []staking.Effect {
	_, taken := o.bonds[e.Bond]
	broken.must(!taken, staking.ErrBondExists)
	broken.must(e.Bond != "" && e.Owner != "", staking.ErrID)
	broken.must(e.GPUs > 0, staking.ErrGPUs)
	required := new(big.Int).Mul(bigOf(o.p.BaseStake), big.NewInt(int64(e.GPUs)))
	if e.MultiplierCenti > 100 {
		required = part(required, int64(e.MultiplierCenti), 100)
	}
	return func() []staking.Effect {
		o.bonds[e.Bond] = &oracleBond{owner: e.Owner, required: required}
		return nil
	}
}

// sum adds up the lots of all bonds that pass.
func (o *oracle) sum(pass func(*oracleBond, oracleLot) bool) *big.Int {
	total := new(big.Int)
	for _, b := range o.bonds {
		for _, l := range b.lots {
			if pass(b, l) {
				total.Add(total, l.units)
			}
		}
	}
	return total
}

func (o *oracle) deposit(at time.Time, e staking.Deposited, broken *rules) func() []staking.Effect {
	b, ok := o.bonds[e.Bond]
	broken.must(ok, staking.ErrNoBond)
	broken.must(e.Amount > 0, staking.ErrAmount)
	if !ok {
		return nil
	}
	broken.must(b.owner == e.Holder, staking.ErrNotOwner)
	broken.must(len(b.lots) < int(o.p.MaxLotsPerBond), staking.ErrLots)
	all := o.sum(func(*oracleBond, oracleLot) bool { return true })
	broken.must(all.Add(all, bigOf(e.Amount)).IsUint64(), tokenomics.ErrOverflow)
	return func() []staking.Effect {
		b.lots = append(b.lots, oracleLot{holder: e.Holder, units: bigOf(e.Amount), at: at})
		return []staking.Effect{staking.Locked{Bond: e.Bond, Holder: e.Holder, Role: staking.Owner, Amount: e.Amount}}
	}
}

func (o *oracle) post(at time.Time, e staking.OfferPosted, broken *rules) func() []staking.Effect {
	_, taken := o.offers[e.Offer]
	broken.must(!taken, staking.ErrOfferExists)
	broken.must(e.Offer != "", staking.ErrID)
	broken.must(e.Amount >= o.p.MinFill, staking.ErrAmount)
	broken.must(e.RewardShareBps >= o.p.MinRewardShareBps && e.RewardShareBps <= 10_000, staking.ErrRewardShare)
	broken.must(e.Expires.After(at), staking.ErrExpiry)
	b, ok := o.bonds[e.Bond]
	broken.must(ok, staking.ErrNoBond)
	if !ok {
		return nil
	}
	own := o.sum(func(c *oracleBond, l oracleLot) bool { return c == b && l.offer == nil })
	broken.must(own.Cmp(b.required) >= 0, errShort)
	open, units, bps := 0, bigOf(e.Amount), int64(e.RewardShareBps)
	for _, f := range o.offers {
		isOpen := f.filled == "" && !f.closed && at.Before(f.expires)
		if f.bond == e.Bond && (isOpen || f.filled != "") {
			units.Add(units, f.units)
			bps += f.bps
		}
		if f.bond == e.Bond && isOpen {
			open++
		}
	}
	broken.must(open < int(o.p.MaxOffersPerBond), staking.ErrOpenOffers)
	broken.must(units.Cmp(part(b.required, int64(o.p.MaxCoBps), 10_000)) <= 0, staking.ErrCoStake)
	broken.must(bps <= 10_000, staking.ErrRewardShare)
	return func() []staking.Effect {
		o.offers[e.Offer] = &oracleOffer{
			bond: e.Bond, units: bigOf(e.Amount), bps: int64(e.RewardShareBps), expires: e.Expires,
		}
		return nil
	}
}

func (o *oracle) accept(at time.Time, e staking.OfferAccepted, broken *rules) func() []staking.Effect {
	broken.must(e.Holder != "", staking.ErrID)
	f, ok := o.offers[e.Offer]
	broken.must(ok, staking.ErrNoOffer)
	if !ok {
		return nil
	}
	b := o.bonds[f.bond]
	over := f.filled != "" || f.closed
	broken.must(!over, staking.ErrOfferOver)
	broken.must(over || at.Before(f.expires), staking.ErrOfferExpired)
	broken.must(e.Holder != b.owner, staking.ErrSelfStake)
	broken.must(bigOf(e.Amount).Cmp(f.units) == 0, staking.ErrAmount)
	claims := 0
	for _, g := range o.offers {
		if g.filled == e.Holder {
			claims++
		}
	}
	broken.must(claims < int(o.p.MaxClaims), staking.ErrClaims)
	broken.must(len(b.lots) < int(o.p.MaxLotsPerBond), staking.ErrLots)
	all := o.sum(func(*oracleBond, oracleLot) bool { return true })
	broken.must(all.Add(all, f.units).IsUint64(), tokenomics.ErrOverflow)
	return func() []staking.Effect {
		f.filled = e.Holder
		b.lots = append(b.lots, oracleLot{holder: e.Holder, offer: f, units: f.units, at: at})
		return []staking.Effect{staking.Locked{Bond: f.bond, Holder: e.Holder, Role: staking.CoStaker, Amount: e.Amount}}
	}
}

func (o *oracle) reward(at time.Time, e staking.Rewarded, broken *rules) func() []staking.Effect {
	b, ok := o.bonds[e.Bond]
	broken.must(ok, staking.ErrNoBond)
	broken.must(e.Epoch < o.epoch(at), staking.ErrEpochOpen)
	if !ok {
		return nil
	}
	done := e.Epoch == 0 || slices.ContainsFunc(b.epochs, func(x tokenomics.Epoch) bool { return x >= e.Epoch })
	broken.must(!done, staking.ErrEpochDone)
	counts := func(l oracleLot) bool { return o.epoch(l.at) < e.Epoch }
	have := o.sum(func(c *oracleBond, l oracleLot) bool { return c == b && counts(l) })
	broken.must(have.Cmp(b.required) >= 0, errShort)
	all := bigOf(e.Amount)
	for _, n := range o.paid {
		all.Add(all, n)
	}
	broken.must(all.IsUint64(), tokenomics.ErrOverflow)
	return func() []staking.Effect {
		b.epochs = append(b.epochs, e.Epoch)
		var order []staking.HolderID
		got := map[staking.HolderID]*big.Int{}
		bps, before := int64(0), new(big.Int)
		for _, l := range b.lots {
			if l.offer == nil || !counts(l) {
				continue
			}
			bps += l.offer.bps
			upTo := part(bigOf(e.Amount), bps, 10_000)
			if got[l.holder] == nil {
				got[l.holder] = new(big.Int)
				order = append(order, l.holder)
			}
			got[l.holder].Add(got[l.holder], new(big.Int).Sub(upTo, before))
			before = upTo
		}
		got[b.owner] = new(big.Int).Sub(bigOf(e.Amount), before)
		var effects []staking.Effect
		for _, h := range append([]staking.HolderID{b.owner}, order...) {
			role := staking.CoStaker
			if h == b.owner {
				role = staking.Owner
			}
			if n := got[h]; n.Sign() > 0 {
				if o.paid[h] == nil {
					o.paid[h] = new(big.Int)
				}
				o.paid[h].Add(o.paid[h], n)
				effects = append(effects, staking.Paid{
					Bond: e.Bond, Holder: h, Role: role, Epoch: e.Epoch, Amount: tokenomics.Amount(n.Uint64()),
				})
			}
		}
		return effects
	}
}

// generator draws events that are now and then right: few names, amounts near the limits, a clock that mostly advances.
type generator struct {
	r  *rand.Rand
	at time.Time
	n  int
}

func newGenerator(seed uint64) *generator {
	return &generator{r: rand.New(rand.NewPCG(seed, 7)), at: begin(1).Add(-2 * time.Hour)}
}

// params are small enough that every limit is met.
func (g *generator) params(p *staking.Params) {
	p.Version = "small"
	p.BaseStake, p.MinFill = 200, 3
	p.MaxClaims, p.MaxOffersPerBond, p.MaxLotsPerBond = 2, 2, 9
}

func (g *generator) pick(words ...string) string { return words[g.r.IntN(len(words))] }

func (g *generator) next() (time.Time, staking.Event) {
	g.n++
	bond := staking.BondID(g.pick("b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", ""))
	holder := staking.HolderID(g.pick("ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", ""))
	offer := staking.OfferID("o" + strconv.Itoa(g.r.IntN(g.n/6+2)))
	switch g.r.IntN(20) {
	case 0:
		return g.at.Add(-time.Duration(g.r.Int64N(3))), staking.Deposited{Bond: bond, Holder: holder, Amount: 1}
	case 1, 2, 3, 4:
		// The boundaries of epochs are where the rules change: land on them, and one nanosecond beside.
		g.at = g.at.Add(time.Duration(g.r.Int64N(3)) * time.Hour).Truncate(time.Hour).Add(time.Duration(g.r.Int64N(2)*int64(time.Hour) - 1))
		g.at = g.at.Add(time.Duration(g.r.Int64N(3)))
	}
	switch g.r.IntN(14) {
	case 0:
		return g.at, staking.BondOpened{
			Bond: bond, Owner: holder, MultiplierCenti: g.r.Uint32N(4) * 51, GPUs: g.r.Uint32N(3),
		}
	case 1, 2, 3, 4:
		amount := tokenomics.Amount(g.r.Uint64N(300))
		if g.r.IntN(200) == 0 {
			amount = tokenomics.Amount(g.r.Uint64())
		}
		return g.at, staking.Deposited{Bond: bond, Holder: holder, Amount: amount}
	case 5, 6:
		return g.at, staking.OfferPosted{
			Offer: offer, Bond: bond, Amount: tokenomics.Amount(g.r.Uint64N(120)),
			RewardShareBps: g.r.Uint32N(8) * 499, Expires: g.at.Add(time.Duration(g.r.Int64N(20)-1) * time.Hour),
		}
	case 7, 8, 9:
		return g.at, staking.OfferAccepted{Offer: offer, Holder: holder, Amount: tokenomics.Amount(g.r.Uint64N(120))}
	case 10:
		return g.at, staking.OfferClosed{Offer: offer}
	}
	amount := tokenomics.Amount(g.r.Uint64N(1_000))
	if g.r.IntN(200) == 0 {
		amount = tokenomics.Amount(g.r.Uint64())
	}
	past := int64(g.at.Sub(begin(1))/time.Hour) + 1 - g.r.Int64N(4)
	return g.at, staking.Rewarded{Bond: bond, Epoch: tokenomics.Epoch(max(0, past)), Amount: amount}
}

// complete fills in what a random event rarely guesses: the owner of the bond, the amount of the offer.
func (g *generator) complete(w world, e staking.Event) staking.Event {
	if g.r.IntN(8) == 0 {
		return e
	}
	switch f := e.(type) {
	case staking.Deposited:
		for id, b := range w.Bonds() {
			if f.Bond = id; g.r.IntN(3) == 0 {
				f.Holder = b.Owner
				break
			}
		}
		return f
	case staking.OfferAccepted:
		for id, o := range w.Offers() {
			if o.State == staking.StateOpen && g.r.IntN(2) == 0 {
				f.Offer, f.Amount, f.Holder = id, o.Amount, staking.HolderID(g.pick("ann", "bob", "cyd"))
			}
		}
		return f
	}
	return e
}

// play runs n events through pool and oracle side by side and counts what became of them.
func play(t testing.TB, g *generator, n int, done map[string]int) world {
	w := newWorld(t, g.params)
	o := newOracle(w.Params())
	for i := range n {
		at, e := g.next()
		e = g.complete(w, e)
		before := w.Digest()
		effects, err := w.Apply(at, e)
		want, broken := o.apply(at, e)
		if err == nil {
			require.Empty(t, broken, "%d: %s %+v", i, at, e)
			require.Equal(t, want, effects, "%d: %s %+v", i, at, e)
			require.NoError(t, w.Audit())
			done["accepted"]++
			continue
		}
		require.Equal(t, before, w.Digest(), "refused, and changed the state: %+v: %v", e, err)
		var short *staking.ShortStakeError
		if errors.As(err, &short) {
			require.Contains(t, broken, errShort)
			done["short stake"]++
			continue
		}
		i := slices.IndexFunc(broken, func(rule error) bool { return errors.Is(err, rule) })
		require.GreaterOrEqual(t, i, 0, "%+v: %v, the oracle says %v", e, err, broken)
		done[broken[i].Error()]++
	}
	o.compare(t, w)
	return w
}

// compare checks every balance of a pool against the oracle.
func (o *oracle) compare(t testing.TB, w world) {
	deposits, rewards := new(big.Int), new(big.Int)
	for id, b := range o.bonds {
		v, ok := w.Bond(id)
		require.True(t, ok)
		require.Equal(t, b.required, bigOf(v.Required))
		require.Len(t, v.Lots, len(b.lots))
		for i, l := range b.lots {
			require.Equal(t, l.units, bigOf(v.Lots[i].Balance))
			require.Equal(t, l.holder, v.Lots[i].Holder)
			deposits.Add(deposits, l.units)
		}
	}
	for h, n := range o.paid {
		v, ok := w.Holder(h)
		require.True(t, ok)
		require.Equal(t, n, bigOf(v.Paid))
		require.Equal(t, o.sum(func(_ *oracleBond, l oracleLot) bool { return l.holder == h }), bigOf(v.Bonded))
		rewards.Add(rewards, n)
	}
	b := w.Books()
	require.Zero(t, deposits.Cmp(bigOf(b.Bonded)), "bonded")
	require.Zero(t, rewards.Cmp(bigOf(b.Paid)), "paid")
	require.Equal(t, b.Deposits, b.Bonded)
	require.Equal(t, b.Rewards, b.Paid)
}

// 100,000 random events: pool and oracle agree on every effect, every refusal and every balance.
func TestAgainstOracle(t *testing.T) {
	done := map[string]int{}
	for seed := range uint64(200) {
		w := play(t, newGenerator(seed), 500, done)
		twin, err := staking.Restore(w.Params(), w.Snapshot())
		require.NoError(t, err)
		require.Equal(t, w.Digest(), twin.Digest())
	}
	// The test is worth something only if it saw every outcome.
	for _, err := range []error{
		staking.ErrID, staking.ErrBondExists, staking.ErrNoBond, staking.ErrGPUs, staking.ErrNotOwner, staking.ErrAmount,
		staking.ErrLots, staking.ErrOfferExists, staking.ErrNoOffer, staking.ErrOpenOffers, staking.ErrCoStake,
		staking.ErrRewardShare, staking.ErrExpiry, staking.ErrOfferOver, staking.ErrOfferExpired, staking.ErrSelfStake,
		staking.ErrClaims, staking.ErrEpochDone, staking.ErrEpochOpen, staking.ErrTimeBackwards, tokenomics.ErrOverflow,
	} {
		require.Positive(t, done[err.Error()], err.Error())
	}
	require.Positive(t, done["short stake"])
	require.Greater(t, done["accepted"], 5_000)
	t.Log(done)
}
