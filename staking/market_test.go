package staking_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// market asks for listings and wants no error.
func (w world) market(q staking.Query, outlook ...func(staking.BondID) (staking.Outlook, bool)) []staking.Listing {
	w.t.Helper()
	var f func(staking.BondID) (staking.Outlook, bool)
	if len(outlook) > 0 {
		f = outlook[0]
	}
	all, err := w.Market(q, f)
	require.NoError(w.t, err)
	return all
}

// names returns the offers of listings.
func names(all []staking.Listing) string {
	var s []string
	for _, l := range all {
		s = append(s, string(l.Offer))
	}
	return strings.Join(s, " ")
}

// bazaar is a market of three devices of 1,000, 2,000 and 4,000 IO with an offer each, posted an epoch after the other.
func bazaar(t testing.TB) world {
	w := newWorld(t, func(p *staking.Params) { p.MaxFills = 3 })
	for i, o := range []staking.OfferPosted{
		{Offer: "small", Amount: io(500), RewardShareBps: 3_000, Expires: begin(400), Lock: 30 * day},
		{Offer: "middle", Amount: io(400), MinFill: io(100), MaxFills: 3, RewardShareBps: 1_000, Expires: begin(300)},
		{Offer: "large", Amount: io(2_000), MinFill: io(500), MaxFills: 2, RewardShareBps: 5_000, Expires: begin(500), Lock: 400 * time.Hour},
	} {
		multiplier := uint32(500) << i
		o.Bond, o.Holder = staking.BondID("of "+o.Offer), staking.HolderID("owner of "+o.Offer)
		at := begin(101 + tokenomics.Epoch(i))
		w.do(at, staking.BondOpened{Bond: o.Bond, Owner: o.Holder, MultiplierCenti: multiplier, GPUs: 1})
		w.do(at, staking.Deposited{Bond: o.Bond, Holder: o.Holder, Amount: io(1_000 << i)})
		w.do(at, o)
	}
	return w
}

// forecast knows the small and the large device, which earn 0.005 and 0.01 IO an epoch.
func forecast(id staking.BondID) (staking.Outlook, bool) {
	switch id {
	case "of small":
		return earns(500_000), true
	case "of large":
		return earns(1_000_000), true
	}
	return staking.Outlook{}, false
}

func TestMarketFilters(t *testing.T) {
	w := bazaar(t)
	for _, c := range []struct {
		name string
		q    staking.Query
		want string
	}{
		{"all", staking.Query{}, "small large middle"},
		{"a bond", staking.Query{Bond: "of large"}, "large"},
		{"no such bond", staking.Query{Bond: "x"}, ""},
		{"a stranger", staking.Query{Holder: "ann"}, "small large middle"},
		{"an owner", staking.Query{Holder: "owner of small"}, "large middle"},
		{"an owner, with the reason", staking.Query{Holder: "owner of small", ShowExcluded: true}, "small large middle"},
		{"at least 500", staking.Query{MinAmount: io(500)}, "small large"},
		{"at least one unit more", staking.Query{MinAmount: io(500) + 1}, "large"},
		{"at most 500", staking.Query{MaxAmount: io(500)}, "small large middle"},
		{"at most one unit less", staking.Query{MaxAmount: io(500) - 1}, "middle"},
		{"a share", staking.Query{MinShareBps: 3_000}, "small large"},
		{"a larger share", staking.Query{MinShareBps: 3_001}, "large"},
		{"400 hours", staking.Query{MaxLock: 400 * time.Hour}, "large middle"},
		{"no lock", staking.Query{MaxLock: 1}, "middle"},
		{"a model", staking.Query{MinMultiplierCenti: 1_000}, "large middle"},
		{"a better model", staking.Query{MinMultiplierCenti: 1_001}, "large"},
		{"a yield", staking.Query{MinYieldPPM: 20_706}, "small large"},
		{"a higher yield", staking.Query{MinYieldPPM: 20_707}, "small"},
		{"any yield at all", staking.Query{MinYieldPPM: math.MinInt64}, "small large"},
		{"the second", staking.Query{Offset: 1, Limit: 1}, "large"},
		{"from the second", staking.Query{Offset: 1}, "large middle"},
		{"beyond the end", staking.Query{Offset: 4, Limit: 1}, ""},
		{"by share", staking.Query{Sort: staking.ByShare}, "large small middle"},
		{"by what is left", staking.Query{Sort: staking.ByLeft}, "large small middle"},
		{"by expiry", staking.Query{Sort: staking.ByExpiry}, "middle small large"},
		{"by newest", staking.Query{Sort: staking.ByNewest}, "large middle small"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, names(w.market(c.q, forecast))) })
	}
	require.Equal(t, "large middle small", names(w.market(staking.Query{})), "without outlooks, by name")
	require.Empty(t, w.market(staking.Query{MinYieldPPM: 1}))
	w.do(begin(300), staking.Ticked{})
	require.Equal(t, "small large", names(w.market(staking.Query{ShowExcluded: true}, forecast)), "what has expired is not in the market")
}

// Offers that are equal in every key follow each other by name.
func TestMarketOrderIsTotal(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(4, 5))
	for _, i := range r.Perm(60) {
		bond, owner := staking.BondID(fmt.Sprintf("b%02d", i)), staking.HolderID(fmt.Sprintf("o%02d", i))
		w.do(begin(100), staking.BondOpened{Bond: bond, Owner: owner, MultiplierCenti: 100, GPUs: 1})
		w.do(begin(100), staking.Deposited{Bond: bond, Holder: owner, Amount: io(200)})
		w.do(begin(100), staking.OfferPosted{
			Offer: staking.OfferID(bond), Bond: bond, Holder: owner, Amount: io(100),
			RewardShareBps: 500 + 100*uint32(i%3), Expires: begin(200),
		})
	}
	for key := staking.ByYield; key <= staking.ByNewest; key++ {
		all := w.market(staking.Query{Sort: key}, func(staking.BondID) (staking.Outlook, bool) { return earns(1_000_000), true })
		require.Len(t, all, 60)
		require.True(t, slices.IsSortedFunc(all, func(a, b staking.Listing) int {
			if byShare := int(b.View.RewardShareBps) - int(a.View.RewardShareBps); key <= staking.ByShare && byShare != 0 {
				return byShare // the yield follows the share
			}
			return strings.Compare(string(a.Offer), string(b.Offer))
		}))
	}
}

func TestMarketRefuses(t *testing.T) {
	w := bazaar(t)
	long := strings.Repeat("x", 129)
	for _, c := range []struct {
		q    staking.Query
		want string
	}{
		{staking.Query{Bond: staking.BondID(long)}, "staking: query: bond has 129 bytes, the limit is 128"},
		{staking.Query{Holder: staking.HolderID(long)}, "staking: query: holder has 129 bytes, the limit is 128"},
		{staking.Query{MinAmount: 2, MaxAmount: 1}, "staking: query: min_amount 0.00000002 is above max_amount 0.00000001"},
		{staking.Query{MinShareBps: 10_001}, "staking: query: min_share_bps 10001 is above 10000"},
		{staking.Query{MaxLock: -1}, "staking: query: max_lock -1ns is below 0s"},
		{staking.Query{Holding: -1}, "staking: query: holding -1ns is not in 0s..87840h0m0s"},
		{staking.Query{Holding: 87_840*time.Hour + 1}, "staking: query: holding 87840h0m0.000000001s is not in 0s..87840h0m0s"},
		{staking.Query{Sort: 5}, "staking: query: sort 5 is not in 0..4"},
		{staking.Query{Offset: -1}, "staking: query: offset -1 is below 0"},
		{staking.Query{Limit: -1}, "staking: query: limit -1 is below 0"},
	} {
		_, err := w.Market(c.q, nil)
		require.ErrorIs(t, err, staking.ErrQuery)
		require.EqualError(t, err, c.want)
	}
	_, err := w.Market(staking.Query{}, func(staking.BondID) (staking.Outlook, bool) { return staking.Outlook{RewardLow: 1}, true })
	require.ErrorIs(t, err, staking.ErrYield)
	require.ErrorContains(t, err, `offer "small" of bond "of small"`)
}

func TestMarketJudges(t *testing.T) {
	w := bazaar(t)
	get := func(q staking.Query, o staking.Outlook) staking.Listing {
		q.Bond = "of small"
		all := w.market(q, func(staking.BondID) (staking.Outlook, bool) { return o, true })
		require.Len(t, all, 1)
		return all[0]
	}
	// 8,759 epochs of 0.005 IO, 30 % of it for 500 IO, times 365/386.
	l := get(staking.Query{HurdlePPM: 24_847}, earns(500_000))
	require.True(t, l.HasOutlook)
	require.Equal(t, staking.Yield{LowPPM: 24_847, MeanPPM: 24_847, HighPPM: 24_848}, l.Yield)
	require.Equal(t, uint32(3_000), l.FairShareBps)
	require.Equal(t, uint32(3_001), get(staking.Query{HurdlePPM: 24_848}, earns(500_000)).FairShareBps)
	// Nobody leaves before the lock of 30 days.
	require.Equal(t, get(staking.Query{Holding: 30 * day}, earns(500_000)).Yield, get(staking.Query{Holding: day}, earns(500_000)).Yield)
	month, more := get(staking.Query{Holding: 30 * day}, earns(500_000)), get(staking.Query{Holding: 31 * day}, earns(500_000))
	require.Less(t, month.Yield.MeanPPM, more.Yield.MeanPPM)
	// A slash takes at most half of a fill: one a year of all is 50 %.
	l = get(staking.Query{}, earns(0, func(o *staking.Outlook) { o.SlashHazardPPM, o.SlashLossPPM = 1_000_000, 1_000_000 }))
	require.Equal(t, int64(-500_000), l.Yield.MeanPPM)
	require.Equal(t, uint32(500_000), l.Outlook.SlashLossPPM)
	require.Equal(t, uint32(math.MaxUint32), l.FairShareBps)
}

// excluded is an offer that a holder, or nobody, can accept.
type excluded struct {
	name     string
	world    func(t *testing.T) world
	holder   staking.HolderID
	offer    staking.OfferID
	reason   error
	sentence string
}

// listed returns a pool with an offer of sam's.
func listed(t *testing.T, change ...func(*staking.OfferPosted)) world {
	w := newWorld(t, func(p *staking.Params) { p.MaxFills, p.MaxLotsPerBond, p.MaxOffersPerBond = 3, 4, 2 })
	w.open(io(1_000))
	w.post(change...)
	return w
}

// inParts makes an offer one of three fills from 100 IO.
func inParts(o *staking.OfferPosted) { o.MinFill, o.MaxFills = io(100), 3 }

func excludedHolders() []excluded {
	return []excluded{
		{"the owner", func(t *testing.T) world { return listed(t) }, "sam", "o1", staking.ErrSelfStake, "the device is your own"},
		{"a linked wallet", func(t *testing.T) world {
			w := listed(t)
			w.do(begin(102), staking.WalletsLinked{A: "ann", B: "sam"})
			return w
		}, "ann", "o1", staking.ErrSelfStake, `the device belongs to "sam", a wallet of your own`},
		{"filled already", func(t *testing.T) world {
			w := listed(t, inParts)
			w.accept("ann", 100)
			return w
		}, "ann", "o1", staking.ErrClaims, "you have filled this offer already"},
		{"two claims", func(t *testing.T) world {
			w := listed(t)
			for i, b := range []staking.BondID{"b1", "b2"} {
				id := staking.OfferID(b)
				w.do(begin(101), staking.BondOpened{Bond: b, Owner: "pat", MultiplierCenti: 100, GPUs: 1})
				w.do(begin(101), staking.Deposited{Bond: b, Holder: "pat", Amount: io(200)})
				w.do(begin(101), offer(func(o *staking.OfferPosted) { o.Offer, o.Bond, o.Holder, o.Amount = id, b, "pat", io(100) }))
				w.do(begin(101), staking.OfferAccepted{Offer: id, Holder: []staking.HolderID{"ann", "eve"}[i], Amount: io(100)})
			}
			w.do(begin(102), staking.WalletsLinked{A: "ann", B: "eve"})
			return w
		}, "ann", "o1", staking.ErrClaims, "you have 2 accepted offers, and 2 is the limit: one must be withdrawn first"},
		{"stake that leaves", func(t *testing.T) world {
			w := listed(t, inParts)
			w.accept("ann", 100)
			w.do(begin(103), staking.Unstaked{Bond: "a100", Holder: "ann", Offer: "o1"})
			w.do(begin(103), offer(func(o *staking.OfferPosted) { o.Offer, o.Holder, o.Amount = "o2", "sam", io(100) }))
			return w
		}, "ann", "o2", staking.ErrCooling, "100 IO of yours are leaving this device: nobody bonds there again before they have cooled"},
	}
}

func excludedForAll() []excluded {
	return []excluded{
		{"a full bond", func(t *testing.T) world {
			w := listed(t, inParts)
			for range 3 {
				w.do(begin(102), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1})
			}
			return w
		}, "", "o1", staking.ErrLots, "the bond has 4 deposits and fills, as many as it may"},
		{"the requirement fell", func(t *testing.T) world {
			w := listed(t, inParts)
			w.accept("bob", 200)
			w.do(begin(103), staking.Requalified{Bond: "a100", MultiplierCenti: 299, GPUs: 1})
			w.do(begin(103), staking.Requalified{Bond: "a100", MultiplierCenti: 250, GPUs: 1})
			return w
		}, "ann", "o1", staking.ErrCoStake, "co-stakers hold 200 IO and may hold 250 of the 500 that the device needs"},
		{"the requirement rose", func(t *testing.T) world {
			w := listed(t, inParts)
			w.do(begin(103), staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(2) - 1})
			w.do(begin(103), staking.Requalified{Bond: "a100", MultiplierCenti: 751, GPUs: 1})
			return w
		}, "", "o1", new(staking.ShortStakeError), "the device lacks 500.00000001 IO, and at most 500 can be filled"},
	}
}

func TestMarketExplains(t *testing.T) {
	for _, c := range append(excludedHolders(), excludedForAll()...) {
		t.Run(c.name, func(t *testing.T) {
			w := c.world(t)
			require.NotContains(t, names(w.market(staking.Query{Holder: c.holder})), string(c.offer))
			all := w.market(staking.Query{Holder: c.holder, Bond: "a100", ShowExcluded: true})
			i := slices.IndexFunc(all, func(l staking.Listing) bool { return l.Offer == c.offer })
			require.Len(t, all[i].Exclusions, 1)
			x := all[i].Exclusions[0]
			require.Equal(t, c.sentence, x.Sentence)
			who := c.holder
			if who == "" {
				who = "ann"
			}
			if short := new(staking.ShortStakeError); errors.As(c.reason, &short) {
				_, err := w.Apply(begin(104), staking.OfferAccepted{Offer: c.offer, Holder: who, Amount: all[i].Most})
				require.ErrorAs(t, err, &short)
				require.Equal(t, x.Reason, err)
				return
			}
			require.ErrorIs(t, x.Reason, c.reason)
			w.refuse(begin(104), staking.OfferAccepted{Offer: c.offer, Holder: who, Amount: all[i].Least}, c.reason)
		})
	}
}

// A fill that closes the gap of the device exactly is listed, and is the smallest one.
func TestMarketListsTheFillThatIsNeeded(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_002))
	w.post(func(o *staking.OfferPosted) { o.MinFill = io(100) })
	for _, c := range []struct {
		multiplier uint32
		least      tokenomics.Amount
	}{{500, io(100)}, {551, io(100)}, {552, io(102)}, {751, io(500)}} {
		w.do(begin(103), staking.Requalified{Bond: "a100", MultiplierCenti: c.multiplier, GPUs: 1})
		all := w.market(staking.Query{Holder: "ann"})
		require.Len(t, all, 1)
		require.Equal(t, c.least, all[0].Least)
		require.Equal(t, io(500), all[0].Most)
	}
}

// What a market lists can be accepted, from Least to Most and no unit outside; what it leaves out is refused for one of
// the reasons that it names. Every open offer and every holder of random pools is tried, on copies.
func TestMarketAgreesWithApply(t *testing.T) {
	tried := map[bool]int{}
	reasons := map[string]int{}
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 6))
		w := newWorld(t, func(p *staking.Params) {
			p.MaxFills, p.MaxOffersPerBond, p.MaxLotsPerBond, p.CoWait = 3, 2, 8, time.Duration(r.UintN(2))*7*day
		})
		at := stir(w, r, 20+r.IntN(80))
		for _, who := range []staking.HolderID{"h0", "h1", "h2", "h3", "h4", "new"} {
			for _, l := range w.market(staking.Query{Holder: who, ShowExcluded: true}) {
				tried[len(l.Exclusions) == 0]++
				for _, x := range l.Exclusions {
					reasons[fmt.Sprintf("%.28s", x.Reason)]++
				}
				agrees(t, w, at, who, l)
			}
		}
	}
	t.Logf("%d listings can be accepted, %d cannot: %v", tried[true], tried[false], reasons)
	require.Greater(t, tried[true], 200)
	require.Greater(t, tried[false], 200)
}

// agrees accepts an offer on copies of a pool, with every amount at which something changes.
func agrees(t *testing.T, w world, at time.Time, who staking.HolderID, l staking.Listing) {
	t.Helper()
	for _, n := range []tokenomics.Amount{l.Least - 1, l.Least, l.Most, l.Most + 1, l.View.MinFill, l.Left, l.Left - 1} {
		p, err := staking.Restore(w.Params(), w.Snapshot())
		require.NoError(t, err)
		_, err = p.Apply(at, staking.OfferAccepted{Offer: l.Offer, Holder: who, Amount: n})
		if len(l.Exclusions) == 0 {
			whole := n == l.Left && l.Most == l.Left
			require.Equal(t, n >= l.Least && n <= l.Most || whole, err == nil, "%s of %+v: %v", n, l, err)
			continue
		}
		require.Error(t, err)
		if n != l.Least && n != l.Most {
			continue // the amount may be against the terms besides
		}
		require.True(t, slices.ContainsFunc(l.Exclusions, func(x staking.Exclusion) bool {
			var short, want *staking.ShortStakeError
			return errors.Is(err, x.Reason) || errors.As(x.Reason, &want) && errors.As(err, &short) && *want == *short
		}), "%v, listed as %+v", err, l.Exclusions)
	}
}

// stir applies random events to three bonds of owners h0 to h2 and returns the last instant.
func stir(w world, r *rand.Rand, events int) time.Time {
	at := begin(100)
	bond := func() staking.BondID { return staking.BondID(fmt.Sprintf("b%d", r.UintN(3))) }
	holder := func() staking.HolderID { return staking.HolderID(fmt.Sprintf("h%d", r.UintN(5))) }
	amount := func() tokenomics.Amount { return io(1 + r.Uint64N(5)*50) }
	for i := range 3 {
		id := staking.BondID(fmt.Sprintf("b%d", i))
		w.do(at, staking.BondOpened{Bond: id, Owner: staking.HolderID(fmt.Sprintf("h%d", i)), MultiplierCenti: 500, GPUs: 1})
		w.do(at, staking.Deposited{Bond: id, Holder: staking.HolderID(fmt.Sprintf("h%d", i)), Amount: io(1_100)})
	}
	for n := range events {
		at = at.Add(time.Duration(r.UintN(10)) * time.Hour)
		w.do(at, staking.Ticked{})
		id := bond()
		owner := staking.HolderID("h" + string(id[1:]))
		var e staking.Event
		switch r.UintN(16) {
		case 0:
			e = staking.Deposited{Bond: id, Holder: owner, Amount: amount()}
		case 1, 2, 3, 4:
			e = staking.OfferPosted{
				Offer: staking.OfferID(fmt.Sprintf("o%d", n)), Bond: id, Holder: owner, Amount: amount(), MinFill: io(1 + r.Uint64N(60)), MaxFills: 3,
				RewardShareBps: 500, Expires: at.Add(300 * time.Hour),
			}
		case 5, 6, 7, 8:
			open := w.market(staking.Query{ShowExcluded: true})
			if len(open) == 0 {
				continue
			}
			l := open[r.IntN(len(open))]
			e = staking.OfferAccepted{Offer: l.Offer, Holder: holder(), Amount: []tokenomics.Amount{l.Least, l.Most}[r.UintN(2)]}
		case 9, 10:
			e = staking.Requalified{Bond: id, MultiplierCenti: 350 + r.Uint32N(300), GPUs: 1, TableChanged: r.UintN(2) == 0}
		case 11, 12:
			who := holder()
			b, _ := w.Bond(id)
			for _, l := range b.Lots {
				if l.Holder == who && l.Role == staking.CoStaker {
					e = staking.Unstaked{Bond: id, Holder: who, Offer: l.Offer}
				}
			}
		case 13:
			e = staking.Infracted{
				Evidence: staking.EvidenceID(fmt.Sprintf("e%d", n)), Bond: id, Kind: staking.InadequateService, At: at.Add(-time.Hour), Measure: 4_000,
			}
		case 14:
			e = staking.Withdrawn{Bond: id, Holder: holder()}
		case 15:
			if r.UintN(8) == 0 {
				e = staking.WalletsLinked{A: holder(), B: holder()}
			}
		}
		if e == nil {
			continue
		}
		if _, err := w.Apply(at, e); err == nil {
			require.NoError(w.t, w.Audit())
		}
	}
	return at
}
