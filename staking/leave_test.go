package staking_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// takeOut orders overflow of the bond of world.open.
func takeOut(n tokenomics.Amount) staking.OverflowWithdrawn {
	return staking.OverflowWithdrawn{Bond: "a100", Holder: "sam", Amount: n}
}

// withdraw orders what has matured in the bond of world.open.
func withdraw(holder staking.HolderID) staking.Withdrawn {
	return staking.Withdrawn{Bond: "a100", Holder: holder}
}

func TestDeposited(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.refuse(begin(101), staking.Deposited{Bond: "a100", Holder: "eve", Amount: 1}, staking.ErrNotOwner)
	w.refuse(begin(101), staking.Deposited{Bond: "a100", Amount: 1}, staking.ErrNotOwner)
	w.refuse(begin(101), staking.Deposited{Bond: "a100", Holder: "sam"}, staking.ErrAmount)
	require.Equal(t, []staking.Effect{staking.Locked{Bond: "a100", Holder: "sam", Role: staking.Owner, Lot: 1, Amount: 1}},
		w.deposit(begin(101), 1))
	w.deposit(begin(101), 2)
	require.Len(t, w.bond().Lots, 2, "balances of different deposits never mix")
}

// The published times: an owner leaves within 14 days, a co-staker within 7 + 14.
func TestCooldowns(t *testing.T) {
	w := newWorld(t)
	w.open(io(600), io(400))
	w.sell(begin(100), "ann")
	at := begin(101).Add(time.Nanosecond)
	owner, co := at.Add(1_209_600*time.Second), at.Add(1_814_400*time.Second)
	w.do(at, leave("ann", "o1"))
	ann := w.lot(3)
	require.Equal(t, at.Add(604_800*time.Second), ann.Until)
	require.Equal(t, staking.LotWaiting, ann.State)
	require.Equal(t, []staking.Effect{unlocking(ann, staking.LotCooling, co, false)}, w.pass(ann.Until))
	// The owner leaves as the wait ends, and so all lots mature at one instant.
	cooling := w.do(ann.Until, leave("sam", ""))
	until := ann.Until.Add(1_209_600 * time.Second)
	require.Equal(t, []staking.Effect{
		unlocking(w.lot(1), staking.LotCooling, until, false),
		unlocking(w.lot(2), staking.LotCooling, until, false),
		underbonded(0, io(1_000), ann.Until),
	}, cooling)
	require.Equal(t, owner.Add(days(7)), until)
	require.Equal(t, co, until)
	for _, early := range []time.Duration{time.Second, time.Nanosecond} {
		w.refuse(until.Add(-early), withdraw("sam"), staking.ErrNoStake)
		w.refuse(until.Add(-early), withdraw("ann"), staking.ErrNoStake)
	}
	w.refuse(until, withdraw("sam"), staking.ErrTick)
	require.Equal(t, []staking.Effect{
		staking.Matured{Bond: "a100", Holder: "sam", Lot: 1, Amount: io(600)},
		staking.Matured{Bond: "a100", Holder: "sam", Lot: 2, Amount: io(400)},
		staking.Matured{Bond: "a100", Holder: "ann", Lot: 3, Amount: io(500)},
	}, w.pass(until))
	require.Equal(t, []staking.Effect{staking.Released{Bond: "a100", Holder: "sam", Number: 1, Amount: io(1_000)}},
		w.do(until, withdraw("sam")), "all lots at once")
	require.Equal(t, []staking.Effect{staking.Released{Bond: "a100", Holder: "ann", Number: 2, Amount: io(500)}},
		w.do(until, withdraw("ann")))
	require.Equal(t, staking.Books{Deposits: io(1_500), Released: io(1_500)}, w.Books())
	require.Empty(t, w.bond().Lots)
	_, more := w.Next()
	require.False(t, more)
}

// When the owner leaves first and the rest is short, everybody leaves: at once, without a wait, lock or not.
func TestOwnerLeavesFirst(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxFills = 2 })
	w.open(io(1_000))
	w.do(begin(100), post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills, o.Lock = io(200), 2, days(365) }))
	w.do(begin(100), accept("o1", "ann", io(200)))
	w.do(begin(100), accept("o1", "bob", io(300)))
	ann, bob := w.lot(2), w.lot(3)
	at := begin(101)
	until := at.Add(days(14))
	require.Equal(t, []staking.Effect{
		unlocking(w.lot(1), staking.LotCooling, until, false),
		unlocking(ann, staking.LotCooling, until, true),
		unlocking(bob, staking.LotCooling, until, true),
		underbonded(0, io(1_000), at),
	}, w.do(at, leave("sam", "")))
	w.refuseShort(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 1},
		staking.ShortStakeError{Bond: "a100", Need: io(1_000), Epoch: 101})
}

// A wait that runs when the owner leaves turns into a cooldown as long as the owner's.
func TestOwnerLeavesDuringWait(t *testing.T) {
	w := newWorld(t)
	w.shared()
	w.do(begin(101), leave("ann", "o1"))
	ann, at := w.lot(2), begin(101).Add(days(7)-time.Nanosecond)
	require.Equal(t, []staking.Effect{
		unlocking(w.lot(1), staking.LotCooling, at.Add(days(14)), false),
		unlocking(ann, staking.LotCooling, at.Add(days(14)), true),
		underbonded(0, io(1_000), at),
	}, w.do(at, leave("sam", "")))
	require.Empty(t, w.pass(begin(101).Add(days(7))), "the wait is over already")
	require.Len(t, w.pass(at.Add(days(14))), 2)
}

// Co-stakers who meet the requirement by themselves stay when the owner leaves.
func TestOwnerLeavesTheRest(t *testing.T) {
	for name, c := range map[string]struct {
		co     tokenomics.Amount
		forced bool
	}{
		"a unit short": {io(1_000) - 1, true},
		"exactly":      {io(1_000), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *staking.Params) { p.MaxCoBps = 10_000 })
			w.shared(func(o *staking.OfferPosted) { o.Amount = c.co })
			got := w.do(begin(101), leave("sam", ""))
			if c.forced {
				require.Len(t, got, 3)
				return
			}
			require.Len(t, got, 1)
			require.Equal(t, staking.LotActive, w.lot(2).State)
			w.do(begin(103), staking.Rewarded{Bond: "a100", Epoch: 102, Amount: 100})
			require.EqualValues(t, 69, w.Claimable("a100", "sam"), "the owner supplies the device still")
		})
	}
}

// An open offer stands on the requirement, and the owner closes it before leaving.
func TestOwnerLeavesAnOffer(t *testing.T) {
	w := newWorld(t, moreCo)
	w.shared()
	w.do(begin(100), second(500))
	w.refuse(begin(101), leave("sam", ""), staking.ErrOfferOpen)
	w.do(begin(101), staking.OfferClosed{Offer: "o2", Holder: "sam"})
	w.do(begin(101), leave("sam", ""))

	full := newWorld(t, func(p *staking.Params) { p.MaxCoBps = 10_000 })
	full.open(io(1_000))
	full.sell(begin(100), "ann", func(o *staking.OfferPosted) { o.Amount = io(900) })
	full.do(begin(100), second(500))
	full.refuse(begin(101), leave("sam", ""), staking.ErrOfferOpen)
	full.do(begin(101), staking.OfferClosed{Offer: "o2", Holder: "sam"})
	full.sell(begin(101), "bob", func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o3", io(99), 500 })
	full.do(begin(101), post(func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o4", io(1), 500 }))
	full.refuse(begin(101), leave("sam", ""), staking.ErrOfferOpen)
	full.do(begin(101), accept("o4", "cyd", io(1)))
	full.do(begin(101), leave("sam", "")) // 1,000 IO of others are left, and no offer

	// An offer that stands on the stake of others does not hold the owner.
	others := newWorld(t, func(p *staking.Params) { p.MaxCoBps = 10_000 })
	others.open(io(1_200))
	others.requalify(begin(100), 550, false)
	others.sell(begin(100), "ann", func(o *staking.OfferPosted) { o.Amount = io(1_000) })
	others.do(begin(100), second(500))
	others.refuse(begin(101), leave("sam", ""), staking.ErrOfferOpen)
	others.requalify(begin(101), 500, false)
	require.Len(t, others.do(begin(101), leave("sam", "")), 1)
}

// In the seven days of a co-staker's wait the owner refills, or not. Ten days after the fill, half of the owner's stake has
// made room for it.
func TestRefill(t *testing.T) {
	at := begin(100).Add(days(10))
	end := at.Add(days(7))
	short := func(have tokenomics.Amount) []staking.Effect {
		return []staking.Effect{underbonded(have, io(1_000), end)}
	}
	for name, c := range map[string]struct {
		refill func(world)
		over   []staking.Effect // at the end of the wait, beside the cooldown
	}{
		"nobody does":                {func(world) {}, short(io(500))},
		"a top-up":                   {func(w world) { w.deposit(at.Add(days(3)), io(500)) }, nil},
		"a top-up a second before":   {func(w world) { w.deposit(end.Add(-time.Second), io(500)) }, nil},
		"at the last nanosecond":     {func(w world) { w.deposit(end.Add(-time.Nanosecond), io(500)) }, nil},
		"a top-up, but a unit short": {func(w world) { w.deposit(end.Add(-time.Nanosecond), io(500)-1) }, short(io(1_000) - 1)},
		"another co-staker":          {func(w world) { w.sell(at.Add(days(3)), "bob", replacement) }, nil},
		"a smaller device":           {func(w world) { w.requalify(at.Add(days(3)), 250, false) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := replaced(t)
			ann := w.lot(2)
			require.Equal(t, []staking.Effect{
				unlocking(ann, staking.LotWaiting, end, false), underbonded(io(500), io(1_000), end),
			}, w.do(at, leave("ann", "o1")))
			c.refill(w)
			w.refuse(end, takeOut(1), staking.ErrTick)
			cooling := unlocking(ann, staking.LotCooling, end.Add(days(14)), false)
			require.Equal(t, append([]staking.Effect{cooling}, c.over...), w.pass(end))
		})
	}
}

// replacement is an offer of as much as the one of world.shared.
func replacement(o *staking.OfferPosted) { o.Offer, o.Expires = "o2", begin(9_000) }

// replaced is the bond of world.shared ten days later, when the owner has taken out what ann's fill replaced.
func replaced(t *testing.T) world {
	t.Helper()
	w := newWorld(t)
	w.shared()
	w.pass(begin(200))
	w.do(begin(100).Add(days(10)), takeOut(io(500)))
	return w
}

// Stake that waits counts for the requirement, and earns nothing: in the epochs of the wait the owner gets all. Nothing
// counts in the epoch in which the wait ends, unless the owner refilled in an earlier one.
func TestWaitCountsAndEarnsNothing(t *testing.T) {
	w := replaced(t)
	at := begin(100).Add(days(10)) // epoch 340 begins
	ann := func() tokenomics.Amount { return w.Claimable("a100", "ann") }
	w.do(at, leave("ann", "o1"))
	w.do(begin(341), staking.Rewarded{Bond: "a100", Epoch: 339, Amount: 100})
	require.EqualValues(t, 31, ann(), "she was there to the end of epoch 339")
	w.do(begin(341), staking.Rewarded{Bond: "a100", Epoch: 340, Amount: 100})
	require.EqualValues(t, 31, ann())
	end := at.Add(days(7)) // epoch 508 begins
	w.pass(end)
	w.do(end, staking.Rewarded{Bond: "a100", Epoch: 507, Amount: 100})
	require.EqualValues(t, 31, ann())
	require.EqualValues(t, 269, w.Claimable("a100", "sam"))
	w.refuseShort(begin(509), staking.Rewarded{Bond: "a100", Epoch: 508, Amount: 100},
		staking.ShortStakeError{Bond: "a100", Have: io(500), Need: io(1_000), Epoch: 508})
}

// Several waits at a time: the warning says what is left when all that have begun are over.
func TestSeveralWaits(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.OverflowHold, p.MaxFills = 0, 2 })
	w.open(io(1_000))
	w.do(begin(100), post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills = io(200), 2 }))
	w.do(begin(100), accept("o1", "ann", io(200)))
	w.do(begin(100), accept("o1", "bob", io(300)))
	w.do(begin(101), takeOut(io(300)))
	ann, bob := w.lot(2), w.lot(3)
	first, second := begin(102).Add(days(7)), begin(103).Add(days(7))
	require.Equal(t, []staking.Effect{unlocking(ann, staking.LotWaiting, first, false)}, w.do(begin(102), leave("ann", "o1")))
	require.Equal(t, []staking.Effect{
		unlocking(bob, staking.LotWaiting, second, false), underbonded(io(700), io(1_000), second),
	}, w.do(begin(103), leave("bob", "o1")))
	require.Equal(t, []staking.Effect{unlocking(ann, staking.LotCooling, first.Add(days(14)), false)}, w.pass(first))
	require.Equal(t, []staking.Effect{
		unlocking(bob, staking.LotCooling, second.Add(days(14)), false), underbonded(io(700), io(1_000), second),
	}, w.pass(second))
}

// A network without a wait: a co-staker's lot cools at once.
func TestNoWait(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.CoWait = 0 })
	w.shared()
	ann, at := w.lot(2), begin(103)
	require.Equal(t, []staking.Effect{unlocking(ann, staking.LotCooling, at.Add(days(14)), false)}, w.do(at, leave("ann", "o1")))
	require.Equal(t, io(1_000), w.bond().Counted)
	w.do(at, staking.Rewarded{Bond: "a100", Epoch: 102, Amount: 100})
	require.EqualValues(t, 31, w.Claimable("a100", "ann"))
	w.reward(103, 100)
	require.EqualValues(t, 31, w.Claimable("a100", "ann"))
}

// A lock ends at its last instant, and only a device that left opens it before.
func TestLock(t *testing.T) {
	lock := 36*time.Hour + time.Nanosecond
	end := begin(100).Add(lock)
	for name, c := range map[string]struct {
		at   time.Time
		want error
	}{
		"at once":             {begin(100), staking.ErrLocked},
		"a second before":     {end.Add(-time.Second), staking.ErrLocked},
		"a nanosecond before": {end.Add(-time.Nanosecond), staking.ErrLocked},
		"at the end":          {end, nil},
		"a nanosecond after":  {end.Add(time.Nanosecond), nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.shared(func(o *staking.OfferPosted) { o.Lock = lock })
			require.Equal(t, end, w.lot(2).Until)
			if c.want == nil {
				w.do(c.at, leave("ann", "o1"))
				return
			}
			w.refuse(c.at, leave("ann", "o1"), c.want)
			w.do(c.at, staking.DeviceTerminated{Bond: "a100"})
			w.do(c.at, leave("ann", "o1"))
		})
	}
}

// A withdrawal returns all matured lots of a holder with what they have earned, and touches nothing of the owner's rewards.
func TestWithdrawn(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxCoBps = 10_000 })
	w.shared()
	w.sell(begin(100), "ann", func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o2", io(100), 500 })
	w.reward(101, 1_001) // 310.31 and 50.05 for ann
	w.do(begin(102), staking.Claimed{Bond: "a100", Holder: "sam"})
	w.reward(102, 1_001) // 620.62 and 100.1 in all: 620 + 100
	w.do(begin(103), leave("ann", "o2"))
	w.do(begin(103).Add(time.Hour), leave("ann", "o1"))
	w.pass(begin(103).Add(days(21)))
	require.Equal(t, []staking.Effect{
		staking.Released{Bond: "a100", Holder: "ann", Number: 2, Amount: io(100)},
		staking.Paid{Bond: "a100", Holder: "ann", Role: staking.CoStaker, Number: 3, Epoch: 102, Amount: 100},
	}, w.do(begin(103).Add(days(21)), withdraw("ann")))
	w.refuse(begin(103).Add(days(21)), withdraw("ann"), staking.ErrNoStake)
	o, _ := w.Offer("o2")
	require.EqualValues(t, 1, o.Withdrawn)
	require.EqualValues(t, 620, w.Claimable("a100", "ann"))
	w.pass(begin(104).Add(days(21)))
	require.Equal(t, []staking.Effect{
		staking.Released{Bond: "a100", Holder: "ann", Number: 4, Amount: io(500)},
		staking.Paid{Bond: "a100", Holder: "ann", Role: staking.CoStaker, Number: 5, Epoch: 102, Amount: 620},
	}, w.do(begin(104).Add(days(21)), withdraw("ann")))
	ann, _ := w.Holder("ann")
	require.Equal(t, staking.HolderView{Paid: 720, Released: io(600)}, ann)
	w.do(begin(104).Add(days(21)), leave("sam", ""))
	w.pass(begin(104).Add(days(35)))
	require.Equal(t, []staking.Effect{staking.Released{Bond: "a100", Holder: "sam", Number: 6, Amount: io(1_000)}},
		w.do(begin(104).Add(days(35)), withdraw("sam")))
	// 1,001 - 310 - 50 = 641 again; the fractions 0.62 + 0.1 were less than a unit and stay where they are.
	require.EqualValues(t, 1_001-310-50, w.Claimable("a100", "sam"))
}
