package staking_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// accrued is a reward of the bond of world.open.
func accrued(e tokenomics.Epoch, owner, co tokenomics.Amount) staking.Effect {
	return staking.Accrued{Bond: "a100", Epoch: e, Owner: owner, CoStakers: co}
}

// The worked example of the package documentation.
func TestWorkedExample(t *testing.T) {
	w := newWorld(t)
	w.do(begin(103), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1})
	w.deposit(begin(103), io(1_000))
	w.do(begin(103), post())
	w.do(begin(104), accept("o1", "ann", io(500)))
	twin := w.twin()
	require.Equal(t, []staking.Effect{accrued(104, 87_866_191, 0)}, twin.reward(104, 87_866_191), "ann's lot is too young")
	require.Equal(t, []staking.Effect{accrued(105, 60_627_672, 27_238_519)}, w.reward(105, 87_866_191))

	twin = w.twin()
	ten := begin(104).Add(days(10))
	twin.refuse(ten.Add(-1), takeOut(1), staking.ErrAmount)
	twin.do(ten, takeOut(io(500)))

	require.Equal(t, []staking.Effect{
		staking.Slashed{Evidence: "e", Bond: "a100", Holder: "sam", Role: staking.Owner, Rewards: 60_627_672},
		staking.Slashed{Evidence: "e", Bond: "a100", Holder: "sam", Role: staking.Owner, Lot: 1, Stake: io(60) - 87_866_191},
		staking.Slashed{Evidence: "e", Bond: "a100", Holder: "ann", Role: staking.CoStaker, Lot: 2, Rewards: 27_238_519},
	}, w.do(begin(107), staking.Infracted{
		Evidence: "e", Bond: "a100", Kind: staking.InadequateService, At: begin(105), Measure: 7_200,
	}))
	c, ok := w.Case("e")
	require.True(t, ok)
	require.Equal(t, io(60), c.Taken)
	require.EqualValues(t, 400, c.Bps)
}

// twin is a pool restored from a snapshot: the same state, to be led another way.
func (w world) twin() world {
	w.t.Helper()
	p, err := staking.Restore(w.Params(), w.Snapshot())
	require.NoError(w.t, err)
	return world{p, w.t}
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
		"most of an amount, 31 %":           {3_100, math.MaxUint64 - 150_000_000_000, 12728253307359590615, 5718490616349961000},
		"31 % of what makes a unit nowhere": {3_100, 3, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.reward, c.owner+c.ann)
			w := newWorld(t)
			w.shared(func(o *staking.OfferPosted) { o.RewardShareBps = c.share })
			got := w.reward(101, c.reward)
			if c.reward == 0 {
				require.Empty(t, got)
			} else {
				require.Equal(t, []staking.Effect{accrued(101, c.owner, c.ann)}, got)
			}
			require.Equal(t, c.owner, w.Claimable("a100", "sam"))
			require.Equal(t, c.ann, w.Claimable("a100", "ann"))
			w.refuse(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 1}, staking.ErrEpochDone)
		})
	}
}

// An offer gives its share for its whole amount, a fill in proportion: the owner keeps what nobody filled.
func TestRewardPartOfOffer(t *testing.T) {
	for name, c := range map[string]struct {
		fills []uint64 // IO, of 500
		want  []uint64 // units of a reward of 1,000 at 31 %
		co    uint64
	}{
		"none":              {nil, nil, 0},
		"all":               {[]uint64{500}, []uint64{310}, 310},
		"half":              {[]uint64{250}, []uint64{155}, 155},
		"two halves":        {[]uint64{250, 250}, []uint64{154, 154}, 310}, // 155 each less 2^-28 of a unit, which is in the carry
		"a third, about":    {[]uint64{167}, []uint64{103}, 103},           // 310 * 167/500 = 103.54
		"three thirds":      {[]uint64{167, 167, 166}, []uint64{103, 103, 102}, 310},
		"unequal":           {[]uint64{100, 400}, []uint64{61, 247}, 310}, // likewise
		"as little as goes": {[]uint64{1}, []uint64{0}, 0},                // 0.62: the owner's, since no fill can claim it
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *staking.Params) { p.MaxFills = 3 })
			w.open(io(1_000))
			w.do(begin(100), post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills = io(1), 3 }))
			for i, n := range c.fills {
				w.do(begin(100), accept("o1", wallet(i), io(n)))
			}
			require.Equal(t, []staking.Effect{accrued(101, tokenomics.Amount(1_000-c.co), tokenomics.Amount(c.co))}, w.reward(101, 1_000))
			for i, n := range c.want {
				require.EqualValues(t, n, w.Claimable("a100", wallet(i)))
			}
		})
	}
}

// wallet is a name for a number.
func wallet(i int) staking.HolderID { return staking.HolderID(rune('a' + i)) }

// Fractions stay with the fill, and who claims every epoch loses nothing by it: 103.33 after one epoch, 413.33 after four.
func TestRewardFractionsAddUp(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxFills = 3 })
	w.open(io(1_200))
	w.requalify(begin(100), 600, false)
	w.do(begin(100), post(func(o *staking.OfferPosted) { o.Amount, o.MinFill, o.MaxFills = io(600), io(200), 3 }))
	for i := range 3 {
		w.do(begin(100), accept("o1", wallet(i), io(200)))
	}
	for i, want := range []uint64{103, 206, 309, 413} { // 309.99..: what is below 2^-28 of a unit is in the carry
		w.reward(tokenomics.Epoch(101+i), 1_000)
		require.EqualValues(t, want, w.Claimable("a100", "b"))
		w.do(w.Now(), staking.Claimed{Bond: "a100", Holder: "a"})
		a, _ := w.Holder("a")
		require.EqualValues(t, want, a.Paid)
	}
}

// Two offers with terms of their own: each gets its part, rounded down by itself.
func TestRewardTwoOffers(t *testing.T) {
	for name, c := range map[string]struct {
		second staking.HolderID
		ann    uint64
	}{"two holders": {"bob", 10}, "one holder": {"ann", 60}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.sell(begin(100), "ann", func(o *staking.OfferPosted) { o.Amount, o.RewardShareBps = io(300), 1_000 })
			w.sell(begin(100), c.second, func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o2", io(200), 4_999 })
			// 101 * 0.1 = 10.1 and 101 * 0.4999 = 50.4.
			require.Equal(t, []staking.Effect{accrued(101, 41, 60)}, w.reward(101, 101))
			require.EqualValues(t, c.ann, w.Claimable("a100", "ann"))
		})
	}
}

// Attack 13: bond just before the distribution, or at the very first instant of an epoch.
func TestFlashStake(t *testing.T) {
	for name, c := range map[string]struct {
		bonded time.Time
		late   bool
	}{
		"a second before the epoch begins":     {begin(105).Add(-time.Second), false},
		"a nanosecond before the epoch begins": {begin(105).Add(-1), false},
		"as it begins":                         {begin(105), true},
		"a nanosecond after":                   {begin(105).Add(1), true},
		"a nanosecond before it ends":          {begin(106).Add(-1), true},
		"as it ends":                           {begin(106), true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(999))
			w.deposit(c.bonded, io(1))
			if !c.late {
				w.reward(105, 10)
				return
			}
			w.refuseShort(begin(106), staking.Rewarded{Bond: "a100", Epoch: 105, Amount: 10},
				staking.ShortStakeError{Bond: "a100", Have: io(999), Need: io(1_000), Epoch: 105, Late: io(1)})
			w.reward(107, 10)
		})
	}
}

// Stake that came too late and leaves already is no stake to come.
func TestLateStakeThatLeaves(t *testing.T) {
	w := newWorld(t)
	w.open(io(600))
	w.deposit(begin(105), io(400))
	w.do(begin(106), leave("sam", ""))
	w.refuseShort(begin(106), staking.Rewarded{Bond: "a100", Epoch: 105, Amount: 10},
		staking.ShortStakeError{Bond: "a100", Have: io(600), Need: io(1_000), Epoch: 105})
}

// Flash stake of a co-staker, at both ends: who comes within an epoch, or leaves within it, earns nothing in it.
func TestFlashCoStake(t *testing.T) {
	for name, c := range map[string]struct {
		from, to time.Time
		want     uint64 // of three epochs, 105 to 107, 31 units each
	}{
		"the whole time":                       {begin(105).Add(-1), begin(108), 93},
		"from the beginning of the first":      {begin(105), begin(108), 62},
		"till just before the end of the last": {begin(104), begin(108).Add(-1), 62},
		"in the middle one":                    {begin(106).Add(-1), begin(107), 31},
		"never a whole one":                    {begin(106), begin(107), 0},
		"in and out":                           {begin(106).Add(-1), begin(106).Add(-1), 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.sell(c.from, "ann")
			w.do(c.to, leave("ann", "o1"))
			for e := tokenomics.Epoch(105); e <= 107; e++ {
				w.do(begin(108), staking.Rewarded{Bond: "a100", Epoch: e, Amount: 100})
			}
			require.EqualValues(t, c.want, w.Claimable("a100", "ann"))
			require.EqualValues(t, 300-c.want, w.Claimable("a100", "sam"))
		})
	}
}

func TestRewardEpochs(t *testing.T) {
	w := newWorld(t)
	reward := func(e tokenomics.Epoch) staking.Rewarded { return staking.Rewarded{Bond: "a100", Epoch: e, Amount: 10} }
	w.open(io(1_000))
	w.refuse(begin(105), reward(105), staking.ErrEpochOpen)
	w.refuse(begin(106).Add(-time.Second), reward(105), staking.ErrEpochOpen)
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

// A bond that is empty or one unit short earns nothing; one that is met exactly does. Eligible says what Apply says.
func TestRewardShortStake(t *testing.T) {
	for _, c := range []struct {
		have tokenomics.Amount
		ok   bool
	}{{0, false}, {io(1_000) - 1, false}, {io(1_000), true}, {io(1_000) + 1, true}} {
		w := newWorld(t)
		w.open()
		if c.have > 0 {
			w.deposit(begin(100), c.have)
		}
		asked := w.Eligible("a100", 101)
		if c.ok {
			require.NoError(t, asked)
			w.reward(101, 10)
			continue
		}
		want := staking.ShortStakeError{Bond: "a100", Have: c.have, Need: io(1_000), Epoch: 101}
		require.Equal(t, &want, asked)
		w.refuseShort(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 10}, want)
	}
	require.ErrorIs(t, newWorld(t).Eligible("b", 101), staking.ErrNoBond)
}

// Attack 14: a reward while nobody has stake is refused, and never becomes the next one's.
func TestRewardWithoutStake(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.refuseShort(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 10},
		staking.ShortStakeError{Bond: "a100", Need: io(1_000), Epoch: 101})
	w.deposit(begin(102), io(1_000))
	require.Zero(t, w.Claimable("a100", "sam"))
}

func TestClaimed(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxClaims = 9 })
	w.open(io(1_000))
	w.sell(begin(100), "ann", func(o *staking.OfferPosted) { o.Amount, o.RewardShareBps = io(300), 1_000 })
	w.sell(begin(100), "ann", func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o2", io(200), 2_000 })
	claim := func(by staking.HolderID) staking.Claimed { return staking.Claimed{Bond: "a100", Holder: by} }
	for _, by := range []staking.HolderID{"sam", "ann", "bob", ""} {
		w.refuse(begin(102), claim(by), staking.ErrNothing)
	}
	w.reward(101, 1_009)
	require.Equal(t, []staking.Effect{staking.Paid{Bond: "a100", Holder: "ann", Role: staking.CoStaker, Number: 1, Epoch: 101, Amount: 301}},
		w.do(begin(102), claim("ann")), "floor(100.9) and floor(201.8)")
	w.refuse(begin(102), claim("ann"), staking.ErrNothing)
	require.Equal(t, []staking.Effect{staking.Paid{Bond: "a100", Holder: "sam", Role: staking.Owner, Number: 2, Epoch: 101, Amount: 708}},
		w.do(begin(102), claim("sam")))
	w.refuse(begin(102), claim("sam"), staking.ErrNothing)
	require.Equal(t, staking.Books{Deposits: io(1_500), Bonded: io(1_500), Rewards: 1_009, Paid: 1_009}, w.Books())
	ann, _ := w.Holder("ann")
	require.Equal(t, staking.HolderView{Bonded: io(500), Paid: 301, Claims: 2}, ann)
}

// A reward that comes after its lots were withdrawn is not theirs, and leaves the bond short of what it held then.
func TestRewardAfterWithdrawal(t *testing.T) {
	w := newWorld(t)
	w.shared()
	w.do(begin(101).Add(days(2)), leave("ann", "o1"))
	w.pass(begin(101).Add(days(23)))
	w.do(begin(101).Add(days(23)), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 100})
	require.EqualValues(t, 31, w.Claimable("a100", "ann"), "it is not withdrawn yet")
	w.do(begin(101).Add(days(23)), withdraw("ann"))
	require.Equal(t, []staking.Effect{accrued(102, 100, 0)},
		w.do(begin(101).Add(days(23)), staking.Rewarded{Bond: "a100", Epoch: 102, Amount: 100}))
}

// Stake bonded before the network's first epoch counts in it; rewards wait for its end.
func TestBeforeTheCalendar(t *testing.T) {
	w := newWorld(t)
	start := begin(1).Add(-time.Hour)
	w.do(start, staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1})
	w.deposit(start, io(1_000))
	w.refuse(start, staking.Rewarded{Bond: "a100", Epoch: 1, Amount: 1}, staking.ErrEpochOpen)
	w.refuse(begin(2).Add(-1), staking.Rewarded{Bond: "a100", Epoch: 1, Amount: 1}, staking.ErrEpochOpen)
	w.reward(1, 1)
}

// What was slashed earns no more, and earns again when it was put back.
func TestRewardOfSlashedFill(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.SlashOrder, p.Slashes = staking.ProRata, []staking.SlashRule{tenths()} })
	w.open(io(2_000))
	w.sell(begin(100), "ann")
	w.spoof(begin(101), 2)
	// 500 IO are due of 2,500. He can lose 2,000 and she 250: a ninth of it is hers.
	require.Equal(t, io(500)-5_555_555_556, w.lot(2).Balance)
	w.reward(102, 10_000)
	require.EqualValues(t, 2_755, w.Claimable("a100", "ann")) // floor(3,100 * 444.44444444 / 500)
	w.do(begin(103), staking.Appealed{Evidence: evidenceOf(begin(101)), Holder: "ann"})
	w.do(begin(103), staking.AppealDecided{Evidence: evidenceOf(begin(101)), Won: true})
	w.reward(103, 10_000)
	require.EqualValues(t, 2_755+3_100, w.Claimable("a100", "ann"))
}

// A fill without a balance earns nothing while the case that emptied it is open: the owner gets all.
func TestRewardOfEmptyFill(t *testing.T) {
	w := newWorld(t, with(staking.SupplierFirst, func(p *staking.Params) { p.CoMaxLossBps = 10_000 }))
	w.shared()
	for _, bonded := range []bool{false, true} { // before its first reward, and after
		if bonded {
			w.reward(101, 1_000)
		}
		empty := w.twin()
		empty.do(begin(102), infracted("e", staking.Spoofing, begin(101), 10))
		empty.deposit(begin(102), io(1_000))
		require.Equal(t, []staking.Effect{accrued(103, 1_000, 0)}, empty.reward(103, 1_000))
		require.Zero(t, empty.Claimable("a100", "ann"))
	}
}
