package staking_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
)

func linked(a, b staking.HolderID) staking.WalletsLinked { return staking.WalletsLinked{A: a, B: b} }

func TestWalletsLinked(t *testing.T) {
	w := newWorld(t)
	require.Empty(t, w.do(begin(100), linked("a", "b")))
	require.True(t, w.Linked("a", "b"))
	require.True(t, w.Linked("b", "a"))
	_, known := w.Holder("b")
	require.True(t, known)
	w.refuse(begin(100), linked("a", "b"), staking.ErrLinked)
	w.refuse(begin(100), linked("b", "a"), staking.ErrLinked)
	w.refuse(begin(100), linked("a", "a"), staking.ErrLinked)
	w.refuse(begin(100), linked("z", "z"), staking.ErrLinked)
	w.do(begin(100), linked("c", "d"))
	require.False(t, w.Linked("a", "c"))
	w.do(begin(100), linked("d", "b"))
	w.refuse(begin(100), linked("a", "c"), staking.ErrLinked) // by way of b and d
	require.True(t, w.Linked("a", "d"))
	require.False(t, w.Linked("a", "e"))
}

// A chain of links, in any order, is one cluster.
func TestLinkChains(t *testing.T) {
	for name, pairs := range map[string][][2]int{
		"from the first": {{0, 1}, {1, 2}, {2, 3}, {3, 4}},
		"from the last":  {{3, 4}, {2, 3}, {1, 2}, {0, 1}},
		"a star":         {{2, 0}, {2, 1}, {2, 3}, {2, 4}},
		"two halves":     {{0, 4}, {1, 3}, {3, 2}, {4, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, p := range pairs {
				w.do(begin(100), linked(wallet(p[0]), wallet(p[1])))
			}
			for i := range 5 {
				for k := range 5 {
					require.True(t, w.Linked(wallet(i), wallet(k)))
				}
			}
		})
	}
}

// Attack 16: co-staking on the own bond with a second wallet. Who is known for it is refused, and whoever is found out
// later leaves, hire and lock or not; what was earned till then stays.
func TestSelfCoStake(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxFills = 3 })
	w.open(io(1_000))
	w.do(begin(100), post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills, o.Lock = io(100), 3, days(365) }))
	w.do(begin(100), linked("sam", "tom"))
	w.refuse(begin(100), accept("o1", "sam", io(100)), staking.ErrSelfStake)
	w.refuse(begin(100), accept("o1", "tom", io(100)), staking.ErrSelfStake)
	w.do(begin(100), accept("o1", "ann", io(100)))
	w.do(begin(100), accept("o1", "uma", io(300)))
	w.do(begin(100), accept("o1", "bob", io(100)))
	w.reward(101, 1_000)
	w.do(begin(102), staking.HireStarted{Bond: "a100"})
	end := begin(102).Add(days(7))
	uma := w.lot(3)
	require.Equal(t, []staking.Effect{unlocking(uma, staking.LotWaiting, end, true)}, w.do(begin(102), linked("uma", "tom")))
	require.EqualValues(t, 185, w.Claimable("a100", "uma")) // 186 less 2^-28, which is in the carry
	w.reward(102, 1_000)
	require.EqualValues(t, 185, w.Claimable("a100", "uma"))
	require.Empty(t, w.do(begin(103), linked("bob", "ann")), "two co-stakers may know each other")
	require.Equal(t, staking.LotActive, w.lot(2).State)
}

// A link looks at every bond of the cluster, in the order in which they were opened, and warns of what is missing.
func TestLinkSeveralBonds(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.OverflowHold, p.MaxClaims = 0, 9 })
	for _, bond := range []staking.BondID{"b2", "b1", "b3"} {
		owner := map[staking.BondID]staking.HolderID{"b1": "sam", "b2": "ann", "b3": "eve"}[bond]
		co := map[staking.BondID]staking.HolderID{"b1": "ann", "b2": "sam", "b3": "ann"}[bond]
		w.do(begin(100), staking.BondOpened{Bond: bond, Owner: owner, GPUs: 1})
		w.do(begin(100), staking.Deposited{Bond: bond, Holder: owner, Amount: io(200)})
		o := staking.OfferPosted{
			Offer: staking.OfferID(bond), Bond: bond, Holder: owner, Amount: io(100), RewardShareBps: 500, Expires: begin(200),
		}
		w.do(begin(100), o)
		w.do(begin(100), accept(o.Offer, co, io(100)))
	}
	w.do(begin(100), staking.OverflowWithdrawn{Bond: "b1", Holder: "sam", Amount: io(100)})
	end := begin(101).Add(days(7))
	forced := func(bond staking.BondID, holder staking.HolderID, lot staking.LotID) staking.Effect {
		return staking.Unlocking{
			Bond: bond, Holder: holder, Role: staking.CoStaker, Lot: lot, Amount: io(100), State: staking.LotWaiting, Until: end, Forced: true,
		}
	}
	require.Equal(t, []staking.Effect{
		forced("b2", "sam", 2),
		forced("b1", "ann", 4),
		staking.Underbonded{Bond: "b1", Have: io(100), Need: io(200), Deadline: end},
	}, w.do(begin(101), linked("sam", "ann")))
	require.Equal(t, staking.LotActive, func() staking.LotState { b, _ := w.Bond("b3"); return b.Lots[1].State }())
}

// The limit of claims is one for all linked wallets; what they had before stays, even beyond it.
func TestLinkedClaims(t *testing.T) {
	w := newWorld(t)
	for _, bond := range []staking.BondID{"b1", "b2", "b3", "b4"} {
		w.do(begin(100), staking.BondOpened{Bond: bond, Owner: "sam", GPUs: 1})
		w.do(begin(100), staking.Deposited{Bond: bond, Holder: "sam", Amount: io(200)})
		w.do(begin(100), staking.OfferPosted{
			Offer: staking.OfferID(bond), Bond: bond, Holder: "sam", Amount: io(100), RewardShareBps: 500, Expires: begin(200),
		})
	}
	w.do(begin(100), accept("b1", "ann", io(100)))
	w.do(begin(100), accept("b2", "bob", io(100)))
	w.do(begin(100), accept("b3", "bob", io(100)))
	w.do(begin(100), linked("bob", "ann"))
	w.do(begin(100), linked("ann", "cyd"))
	for _, id := range []staking.HolderID{"ann", "bob", "cyd"} {
		require.EqualValues(t, 3, holderOf(w, id).Claims)
		w.refuse(begin(100), accept("b4", id, io(100)), staking.ErrClaims)
	}
	w.do(begin(100), accept("b4", "dan", io(100)))
	require.NoError(t, w.twin().Audit())
}
