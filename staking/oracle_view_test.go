package staking_test

import (
	"cmp"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// named is an entry of a pool's list.
type named[K comparable, V any] struct {
	id   K
	view V
}

// sight is all that can be seen of a pool.
type sight struct {
	bonds  []named[staking.BondID, staking.BondView]
	offers []named[staking.OfferID, staking.OfferView]
	cases  []named[staking.EvidenceID, staking.CaseView]
	books  staking.Books
	now    time.Time
	next   time.Time
	due    bool
}

func look(p *staking.Pool) (s sight) {
	for id, v := range p.Bonds() {
		s.bonds = append(s.bonds, named[staking.BondID, staking.BondView]{id, v})
	}
	for id, v := range p.Offers() {
		s.offers = append(s.offers, named[staking.OfferID, staking.OfferView]{id, v})
	}
	for id, v := range p.Cases() {
		s.cases = append(s.cases, named[staking.EvidenceID, staking.CaseView]{id, v})
	}
	s.books, s.now = p.Books(), p.Now()
	s.next, s.due = p.Next()
	return s
}

// look is the oracle's own sight.
func (o *oracle) look() (s sight) {
	for _, b := range o.bonds {
		s.bonds = append(s.bonds, named[staking.BondID, staking.BondView]{b.id, o.viewBond(b)})
	}
	for _, f := range o.offers {
		s.offers = append(s.offers, named[staking.OfferID, staking.OfferView]{f.id, o.viewOffer(f)})
	}
	for _, c := range o.cases {
		if c.open {
			s.cases = append(s.cases, named[staking.EvidenceID, staking.CaseView]{c.id, c.view()})
		}
	}
	// A pool lists by name.
	slices.SortFunc(s.bonds, func(a, b named[staking.BondID, staking.BondView]) int { return cmp.Compare(a.id, b.id) })
	slices.SortFunc(s.offers, func(a, b named[staking.OfferID, staking.OfferView]) int { return cmp.Compare(a.id, b.id) })
	slices.SortFunc(s.cases, func(a, b named[staking.EvidenceID, staking.CaseView]) int { return cmp.Compare(a.id, b.id) })
	first, due := o.first()
	s.books, s.now, s.next, s.due = o.books(), o.now, first.at, due
	return s
}

func (o *oracle) viewBond(b *oracleBond) staking.BondView {
	counted := o.counted(b)
	own := o.sum(func(l *oracleLot) bool { return l.bond == b && l.counts() && l.offer == nil })
	total := new(big.Int)
	for _, r := range b.rewards {
		total.Add(total, r)
	}
	v := staking.BondView{
		Owner: b.owner, MultiplierCenti: b.multiplier, GPUs: b.gpus, Required: amount(b.now().required),
		Suffices: amount(b.suffices()), Counted: amount(counted),
		Missing:    amount(larger(new(big.Int), minus(b.now().required, counted))),
		OwnerStake: amount(own), CoStake: amount(minus(counted, own)),
		Rewarded: amount(total), LastEpoch: b.lastEpoch, Hires: b.hires, Cases: o.openCases(b), Terminated: b.terminated,
		OwnerEarned: amount(b.earned), Lots: []staking.LotView{},
	}
	if b.inGrace() {
		v.GraceUntil = b.graceUntil
	}
	if v.Cases == 0 {
		v.Overflow = amount(o.overflow(b, o.now))
	}
	for _, l := range o.lotsOf(b, anyLot) {
		v.Lots = append(v.Lots, o.viewLot(l))
	}
	return v
}

func (o *oracle) viewLot(l *oracleLot) staking.LotView {
	v := staking.LotView{
		ID: l.id, Holder: l.holder, Role: l.role(), State: l.state, Bonded: amount(l.bonded), Balance: amount(l.balance),
		Lost: amount(o.lost(l)), BondedAt: l.at, EarnsFrom: l.from, Until: l.until, Earned: amount(o.earned(l)),
	}
	if l.offer != nil {
		v.Offer, v.RewardShareBps = l.offer.id, l.offer.bps
		if l.state == staking.LotActive && l.offer.lock > 0 {
			v.Until = l.at.Add(l.offer.lock)
		}
	}
	return v
}

func (o *oracle) viewOffer(f *oracleOffer) staking.OfferView {
	v := staking.OfferView{
		Bond: f.bond.id, Amount: amount(f.units), Filled: amount(minus(f.units, o.rest(f))), MinFill: amount(f.minFill),
		MaxFills: f.maxFills, RewardShareBps: f.bps, Posted: f.posted, Expires: f.expires, Lock: f.lock, State: f.state,
	}
	for _, l := range o.fills(f) {
		v.Fills++
		if l.withdrawn {
			v.Withdrawn++
		}
	}
	return v
}

func (c *oracleCase) view() staking.CaseView {
	v := staking.CaseView{
		Bond: c.bond.id, Kind: c.rule.Kind, At: c.at, Basis: amount(c.basis), Bps: c.bps, Due: amount(c.due),
		Taken: amount(c.taken()), Shortfall: amount(minus(c.due, c.taken())), Deadline: c.deadline, Appealed: c.appealed,
		Renter: c.renter, Reporter: c.reporter, Parts: []staking.PartView{},
	}
	for _, p := range c.parts {
		v.Parts = append(v.Parts, staking.PartView{
			Holder: c.holder(p), Role: p.role(), Lot: p.id(), Stake: amount(p.stake), Rewards: amount(p.rewards),
		})
	}
	return v
}

func (o *oracle) viewHolder(h staking.HolderID) staking.HolderView {
	released, paid, slashed := new(big.Int), new(big.Int), new(big.Int)
	for _, p := range o.payments {
		switch {
		case p.holder == h && p.stake:
			released.Add(released, p.units)
		case p.holder == h:
			paid.Add(paid, p.units)
		}
	}
	for _, c := range o.cases {
		for _, p := range c.parts {
			if !c.won && c.holder(p) == h {
				slashed.Add(slashed, p.stake).Add(slashed, p.rewards)
			}
		}
	}
	return staking.HolderView{
		Bonded: amount(o.sum(func(l *oracleLot) bool { return l.holder == h })),
		Paid:   amount(paid), Released: amount(released), Slashed: amount(slashed), Claims: o.claims(h),
	}
}

func (o *oracle) books() staking.Books {
	released, paid, escrow := new(big.Int), new(big.Int), new(big.Int)
	for _, p := range o.payments {
		if p.stake {
			released.Add(released, p.units)
		} else {
			paid.Add(paid, p.units)
		}
	}
	for _, c := range o.cases {
		if c.open {
			escrow.Add(escrow, c.taken())
		}
	}
	return staking.Books{
		Deposits: amount(o.deposits()), Rewards: amount(o.rewarded()), Bonded: amount(o.sum(anyLot)), Accrued: amount(o.accrued()),
		Escrow: amount(escrow), Released: amount(released), Paid: amount(paid), Burned: money(o.burned), Compensated: money(o.given),
	}
}

// accrued adds up what owners, lots and offers hold of rewards, to the last of the 2^64 parts of a unit.
func (o *oracle) accrued() *big.Int {
	fine := new(big.Int)
	for _, b := range o.bonds {
		fine.Add(fine, new(big.Int).Lsh(b.earned, 64))
	}
	for _, f := range o.offers {
		fine.Add(fine, f.pot.carry)
	}
	for _, l := range o.lots {
		n, carried := o.fine(l)
		if fine.Add(fine, n); carried {
			fine.Sub(fine, l.offer.pot.carry)
		}
	}
	units, left := new(big.Int).DivMod(fine, oneUnit(), new(big.Int))
	if left.Sign() != 0 {
		panic("oracle: a fraction of a unit came from nowhere")
	}
	return units
}

// same compares what is seen of the pool with what the oracle says, and returns the first difference.
func (s sight) same(want sight) (what string, got, wanted any) {
	if len(s.bonds) != len(want.bonds) || len(s.offers) != len(want.offers) || len(s.cases) != len(want.cases) {
		return "lists", s, want
	}
	for i, b := range want.bonds {
		if !reflect.DeepEqual(s.bonds[i], b) {
			return "bond", s.bonds[i], b
		}
	}
	for i, f := range want.offers {
		if s.offers[i] != f {
			return "offer", s.offers[i], f
		}
	}
	for i, c := range want.cases {
		if !reflect.DeepEqual(s.cases[i], c) {
			return "case", s.cases[i], c
		}
	}
	switch {
	case s.books != want.books:
		return "books", s.books, want.books
	case s.now != want.now:
		return "now", s.now, want.now
	case s.due != want.due || s.next != want.next:
		return "next", s.next, want.next
	}
	return "", nil, nil
}

// compare checks everything that can be asked of a pool against the oracle and returns what it saw.
func (o *oracle) compare(t testing.TB, p *staking.Pool, where func() string) sight {
	t.Helper()
	got, want := look(p), o.look()
	if what, a, b := got.same(want); what != "" {
		require.Equal(t, b, a, "%s\n%s", what, where())
		require.Fail(t, "times of different zones", "%s %v %v\n%s", what, a, b, where())
	}
	books := want.books
	in := plus(bigOf(books.Deposits), bigOf(books.Rewards))
	out := new(big.Int)
	for _, n := range []tokenomics.Amount{
		books.Bonded, books.Accrued, books.Escrow, books.Released, books.Paid, books.Burned, books.Compensated,
	} {
		out.Add(out, bigOf(n))
	}
	require.Zero(t, in.Cmp(out), "the oracle lost money")
	for _, h := range wallets() {
		v, ok := p.Holder(h)
		if o.known[h] != ok || v != o.viewHolder(h) {
			require.Equal(t, o.known[h], ok, "holder %q is known\n%s", h, where())
			require.Equal(t, o.viewHolder(h), v, "holder %q\n%s", h, where())
		}
		// One pair of wallets after each event: all pairs come round.
		if other := wallets()[len(o.lots)%len(wallets())]; p.Linked(h, other) != o.linked(h, other) {
			require.Fail(t, "linked", "%q and %q\n%s", h, other, where())
		}
	}
	for _, b := range o.bonds {
		o.compareBond(t, p, b, where)
	}
	return got
}

// compareBond asks the questions that name a bond.
func (o *oracle) compareBond(t testing.TB, p *staking.Pool, b *oracleBond, where func() string) {
	t.Helper()
	for _, h := range wallets() {
		if got, want := p.Claimable(b.id, h), amount(o.claimable(b, h)); got != want {
			require.Equal(t, want, got, "claimable of %q in %q\n%s", h, b.id, where())
		}
	}
	for _, e := range []tokenomics.Epoch{b.lastEpoch + 1, o.epoch(o.now), o.epoch(o.now) + 1} {
		if e <= b.lastEpoch || e >= always {
			continue
		}
		var broken rules
		broken.must(!b.terminated || e < b.ended, staking.ErrTerminated)
		o.enough(b, e, &broken)
		err := p.Eligible(b.id, e)
		if (err == nil) != (len(broken) == 0) || err != nil && !broken.hold(err) {
			require.Fail(t, "eligible", "%q in epoch %d: %v, the oracle says %v\n%s", b.id, e, err, broken, where())
		}
	}
	for _, l := range o.lots {
		if l.bond == b && l.offer != nil {
			o.bound(t, l, where)
		}
	}
}

// bound checks the accumulator by fractions: a lot that shares an offer with no other has exactly the floor of its part of
// every reward, any other is less than a unit away, and one more for each lot whose fraction stayed behind.
func (o *oracle) bound(t testing.TB, l *oracleLot, where func() string) {
	t.Helper()
	all := o.earned(l)
	if l.withdrawn {
		all = l.purse.whole
	}
	all = plus(all, l.purse.drawn)
	floor := new(big.Int).Quo(l.purse.exact.Num(), l.purse.exact.Denom())
	off := minus(all, floor)
	if limit := l.offer.pot.removed + 1; l.offer.maxFills == 1 && off.Sign() != 0 || off.CmpAbs(big.NewInt(limit)) > 0 {
		require.Fail(t, "fractions", "lot %d got %s of %s\n%s", l.id, all, l.purse.exact, where())
	}
}

// hold reports whether a refusal names one of the rules.
func (r rules) hold(err error) bool {
	return slices.ContainsFunc(r, func(rule error) bool { return isRule(err, rule) })
}
