package staking_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// paid is a payment for the bond of world.open.
func paid(h staking.HolderID, r staking.Role, e tokenomics.Epoch, n tokenomics.Amount) staking.Effect {
	return staking.Paid{Bond: "a100", Holder: h, Role: r, Epoch: e, Amount: n}
}

// The worked example of the package documentation.
func TestRewardDivided(t *testing.T) {
	w := newWorld(t)
	w.do(begin(103), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1})
	w.do(begin(103), staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(1_000)})
	w.do(begin(103), offer())
	w.do(begin(104), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)})
	// In epoch 104 ann's lot is too young: the owner gets all.
	twin, err := staking.Restore(w.Params(), w.Snapshot())
	require.NoError(t, err)
	early, err := twin.Apply(begin(105), staking.Rewarded{Bond: "a100", Epoch: 104, Amount: 87_866_191})
	require.NoError(t, err)
	require.Equal(t, []staking.Effect{paid("sam", staking.Owner, 104, 87_866_191)}, early)
	// In epoch 105 it counts.
	require.Equal(t, []staking.Effect{
		paid("sam", staking.Owner, 105, 60_627_672), paid("ann", staking.CoStaker, 105, 27_238_519),
	}, w.do(begin(106), staking.Rewarded{Bond: "a100", Epoch: 105, Amount: 87_866_191}))
	require.Equal(t, staking.Books{Deposits: io(1_500), Rewards: 87_866_191, Bonded: io(1_500), Paid: 87_866_191}, w.Books())
	b, _ := w.Bond("a100")
	require.Equal(t, tokenomics.Amount(27_238_519), b.Lots[1].Paid)
	require.Equal(t, tokenomics.Amount(87_866_191), b.Rewarded)
	require.Equal(t, tokenomics.Epoch(105), b.LastEpoch)
}

func TestRewardShares(t *testing.T) {
	for name, c := range map[string]struct {
		share      uint32
		reward     tokenomics.Amount
		owner, ann tokenomics.Amount
	}{
		"the odd unit is the owner's":       {5_000, 3, 2, 1},
		"one unit":                          {5_000, 1, 1, 0},
		"a share too small for one unit":    {500, 19, 19, 0},
		"just enough for one unit":          {500, 20, 19, 1},
		"everything to the co-staker":       {10_000, 7, 0, 7},
		"nothing to divide":                 {5_000, 0, 0, 0},
		"more than 64 bits in the product":  {5_000, 1 << 63, 1 << 62, 1 << 62},
		"all that an amount can hold, 31 %": {3_100, math.MaxUint64, 12728253410859590615, 5718490662849961000},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.reward, c.owner+c.ann)
			w := newWorld(t)
			w.open(io(1_000))
			w.do(begin(100), offer(func(o *staking.OfferPosted) { o.RewardShareBps = c.share }))
			w.do(begin(100), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)})
			var want []staking.Effect
			if c.owner > 0 {
				want = append(want, paid("sam", staking.Owner, 101, c.owner))
			}
			if c.ann > 0 {
				want = append(want, paid("ann", staking.CoStaker, 101, c.ann))
			}
			got := w.do(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: c.reward})
			require.ElementsMatch(t, want, got)
			w.refuse(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 1}, staking.ErrEpochDone)
			if c.reward == math.MaxUint64 {
				w.refuse(begin(103), staking.Rewarded{Bond: "a100", Epoch: 102, Amount: 1}, tokenomics.ErrOverflow)
			}
		})
	}
}

// Two offers with terms of their own: each gets its part, a holder of both is paid once.
func TestRewardTwoOffers(t *testing.T) {
	for name, c := range map[string]struct {
		second staking.HolderID
		want   []staking.Effect
	}{
		"two holders": {"bob", []staking.Effect{
			paid("sam", staking.Owner, 101, 41), paid("ann", staking.CoStaker, 101, 10), paid("bob", staking.CoStaker, 101, 50),
		}},
		"one holder": {"ann", []staking.Effect{paid("sam", staking.Owner, 101, 41), paid("ann", staking.CoStaker, 101, 60)}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.do(begin(100), offer(func(o *staking.OfferPosted) { o.Amount, o.RewardShareBps = io(300), 1_000 }))
			w.do(begin(100), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(300)})
			w.do(begin(100), offer(func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o2", io(200), 4_999 }))
			w.do(begin(100), staking.OfferAccepted{Offer: "o2", Holder: c.second, Amount: io(200)})
			// 101 * 0.1 = 10.1; together 101 * 0.5999 = 60.59.
			require.Equal(t, c.want, w.do(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 101}))
		})
	}
}

// Attack: bond just before the distribution, or at the very first instant of an epoch.
func TestFlashStake(t *testing.T) {
	for name, c := range map[string]struct {
		bonded time.Time
		late   bool
	}{
		"a nanosecond before the epoch begins": {begin(105).Add(-1), false},
		"as it begins":                         {begin(105), true},
		"a nanosecond after":                   {begin(105).Add(1), true},
		"as it ends":                           {begin(106), true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(999))
			w.do(c.bonded, staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(1)})
			reward := staking.Rewarded{Bond: "a100", Epoch: 105, Amount: 10}
			if !c.late {
				w.do(begin(106), reward)
				return
			}
			_, err := w.Apply(begin(106), reward)
			var short *staking.ShortStakeError
			require.ErrorAs(t, err, &short)
			require.Equal(t, staking.ShortStakeError{Bond: "a100", Have: io(999), Need: io(1_000), Epoch: 105, Late: io(1)}, *short)
			reward.Epoch = 107
			w.do(begin(108), reward)
		})
	}
}

func TestRewardEpochs(t *testing.T) {
	w := newWorld(t)
	reward := func(e tokenomics.Epoch) staking.Rewarded { return staking.Rewarded{Bond: "a100", Epoch: e, Amount: 10} }
	w.refuse(begin(100), reward(1), staking.ErrNoBond)
	w.open(io(1_000))
	w.refuse(begin(105), reward(105), staking.ErrEpochOpen)
	w.refuse(begin(106).Add(-1), reward(105), staking.ErrEpochOpen)
	w.refuse(begin(106).Add(-1), reward(106), staking.ErrEpochOpen)
	w.refuse(begin(106).Add(-1), reward(math.MaxUint32), staking.ErrEpochOpen)
	w.refuse(begin(106).Add(-1), reward(0), staking.ErrEpochDone)
	w.do(begin(106), reward(105))
	w.refuse(begin(106), reward(105), staking.ErrEpochDone)
	w.refuse(begin(106), reward(104), staking.ErrEpochDone)
	w.do(begin(110), reward(108)) // 106 and 107 were passed over
	w.refuse(begin(110), reward(107), staking.ErrEpochDone)
}

// A bond that is empty or one unit short earns nothing; one that is met exactly does.
func TestRewardShortStake(t *testing.T) {
	for _, c := range []struct {
		have tokenomics.Amount
		ok   bool
	}{{0, false}, {io(1_000) - 1, false}, {io(1_000), true}, {io(1_000) + 1, true}} {
		w := newWorld(t)
		w.open()
		if c.have > 0 {
			w.do(begin(100), staking.Deposited{Bond: "a100", Holder: "sam", Amount: c.have})
		}
		before := w.Digest()
		asked := w.Eligible("a100", 101)
		_, err := w.Apply(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 10})
		require.Equal(t, asked, err, "Eligible says what Apply says")
		var short *staking.ShortStakeError
		require.Equal(t, !c.ok, errors.As(err, &short))
		require.ErrorIs(t, w.Eligible("b", 101), staking.ErrNoBond)
		if !c.ok {
			require.Equal(t, staking.ShortStakeError{Bond: "a100", Have: c.have, Need: io(1_000), Epoch: 101}, *short)
			require.Equal(t, before, w.Digest())
		}
	}
}

// Stake bonded before the network's first epoch counts in it; rewards wait for its end.
func TestBeforeTheCalendar(t *testing.T) {
	w := newWorld(t)
	start := begin(1).Add(-time.Hour)
	w.do(start, staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1})
	w.do(start, staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(1_000)})
	w.refuse(start, staking.Rewarded{Bond: "a100", Epoch: 1, Amount: 1}, staking.ErrEpochOpen)
	w.refuse(begin(1), staking.Rewarded{Bond: "a100", Epoch: 1, Amount: 1}, staking.ErrEpochOpen)
	w.do(begin(2), staking.Rewarded{Bond: "a100", Epoch: 1, Amount: 1})
}

// Beyond the last epoch that 32 bits number, nothing is bonded and nothing is earned.
func TestBeyondTheCalendar(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	last := begin(math.MaxUint32)
	w.refuse(last, staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, staking.ErrEpochOpen)
	w.refuse(last.Add(time.Hour), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, staking.ErrEpochOpen)
	w.refuse(last.Add(time.Hour), staking.Rewarded{Bond: "a100", Epoch: math.MaxUint32, Amount: 1}, staking.ErrEpochOpen)
	w.do(last, staking.Rewarded{Bond: "a100", Epoch: math.MaxUint32 - 1, Amount: 1})
}
