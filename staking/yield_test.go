package staking_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// terms are those of one H100 (2,000 IO): half of the stake for half of the reward, held for a year.
func terms(change ...func(*staking.Terms)) staking.Terms {
	t := staking.Terms{Amount: io(1_000), RewardShareBps: 5_000, Epoch: time.Hour, Holding: 365 * day, Exit: 21 * day}
	for _, f := range change {
		f(&t)
	}
	return t
}

// earns is a device with a certain reward, always eligible and never slashed.
func earns(reward tokenomics.Amount, change ...func(*staking.Outlook)) staking.Outlook {
	o := staking.Outlook{RewardLow: reward, RewardMean: reward, RewardHigh: reward, EligiblePPM: 1_000_000}
	for _, f := range change {
		f(&o)
	}
	return o
}

// repeat returns n times the values in turn.
func repeat(n int, values ...tokenomics.Amount) []tokenomics.Amount {
	var all []tokenomics.Amount
	for range n {
		all = append(all, values...)
	}
	return all
}

func TestOutlookOf(t *testing.T) {
	// The days' sums are 10, 20 and 30, s is 10 and t 4.303: 60 -+ 3*4.303*10/sqrt(3) = 60 -+ 74.53, over the 11 that earned.
	three := []tokenomics.Amount{5, 5, 0, 0, 0, 5, 5, 0, 5, 5, 6, 6, 6, 6, 6}
	for _, c := range []struct {
		name    string
		rewards []tokenomics.Amount
		perDay  int
		want    staking.Outlook
	}{
		{"certain", repeat(48, 7), 24, earns(7)},
		{"nothing at all", repeat(48, 0), 24, staking.Outlook{}},
		{"half of the hours", repeat(24, 7, 0), 24, earns(7, func(o *staking.Outlook) { o.EligiblePPM = 500_000 })},
		{"the mean is rounded down", repeat(24, 7, 8), 24, staking.Outlook{RewardLow: 7, RewardMean: 7, RewardHigh: 8, EligiblePPM: 1_000_000}},
		{"an odd hour at the beginning is left out", append([]tokenomics.Amount{1 << 60}, repeat(48, 7)...), 24, earns(7)},
		// Two days of 100 and 200: 300 -+ 2*12.706*70.71/sqrt(2) = 300 -+ 1270.6, over 2.
		{"two days say little", []tokenomics.Amount{100, 200}, 1, staking.Outlook{RewardMean: 150, RewardHigh: 786, EligiblePPM: 1_000_000}},
		// Sums 100, 110, 120, 130: s^2 = 500/3; 460 -+ 4*3.182*12.910/2 = 460 -+ 82.159, over 4.
		{"four days", []tokenomics.Amount{100, 110, 120, 130}, 1, staking.Outlook{94, 115, 136, 1_000_000, 0, 0}},
		// The half-width is 148,000.7 thousandths of a unit; with 148,000 the low end would be 965 exactly.
		{"the half-width is rounded up", []tokenomics.Amount{1000, 1006, 1037}, 1, staking.Outlook{964, 1014, 1064, 1_000_000, 0, 0}},
		{"a low end below zero is zero", three, 5, staking.Outlook{RewardMean: 5, RewardHigh: 13, EligiblePPM: 733_333}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := staking.OutlookOf(c.rewards, c.perDay)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.NoError(t, got.Validate())
		})
	}
}

func TestOutlookOfRefuses(t *testing.T) {
	_, err := staking.OutlookOf(repeat(47, 1), 24)
	require.ErrorIs(t, err, staking.ErrYield)
	require.EqualError(t, err, "staking: yield: 47 rewards, an interval needs two days of 24")
	_, err = staking.OutlookOf(repeat(48, 1), 0)
	require.ErrorIs(t, err, staking.ErrYield)
	_, err = staking.OutlookOf(repeat(2, math.MaxUint64), 1)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	_, err = staking.OutlookOf([]tokenomics.Amount{math.MaxUint64, 1, 0, 0}, 2)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	got, err := staking.OutlookOf([]tokenomics.Amount{math.MaxUint64, 0}, 1)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(math.MaxUint64), got.RewardHigh, "as high as an amount goes")
}

// hours returns rewards of a device that is idle for about half a day and then busy for about as long.
func hours(r *rand.Rand, n int) []tokenomics.Amount {
	all := make([]tokenomics.Amount, n)
	level := uint64(1)
	for i := range all {
		if r.UintN(12) == 0 {
			level = r.Uint64N(2)
		}
		all[i] = tokenomics.Amount(1_000_000 + 4_000_000*level + r.Uint64N(500_000))
	}
	return all
}

// Two weeks of a device that is idle and busy for half a day at a time: the interval covers the true mean in 87 of 100
// cases, and one that is made from hours as if they were independent in 32. The exact counts are those of the seed.
func TestOutlookCovers(t *testing.T) {
	const mean, trials = 1_000_000 + 4_000_000/2 + 499_999/2, 1_000
	r := rand.New(rand.NewPCG(4, 3))
	days, single := 0, 0
	for range trials {
		rewards := hours(r, 15*24)[24:]
		o, err := staking.OutlookOf(rewards, 24)
		require.NoError(t, err)
		if o.RewardLow <= mean && mean <= o.RewardHigh {
			days++
		}
		o, err = staking.OutlookOf(rewards, 1)
		require.NoError(t, err)
		if o.RewardLow <= mean && mean <= o.RewardHigh {
			single++
		}
	}
	t.Logf("of %d intervals, %d cover the mean; made from hours, %d", trials, days, single)
	require.Greater(t, days, trials*85/100)
	require.Less(t, single, trials*50/100)
}

func TestYield(t *testing.T) {
	for _, c := range []struct {
		name string
		o    staking.Outlook
		t    staking.Terms
		want staking.Yield
	}{
		// 8,759 epochs of 0.01 IO, half of them, for 1,000 IO: 4.3795 %, times 365/386.
		{"a year", earns(1_000_000), terms(), staking.Yield{LowPPM: 41_412, MeanPPM: 41_412, HighPPM: 41_413}},
		{"an interval", staking.Outlook{500_000, 1_000_000, 2_000_000, 1_000_000, 0, 0}, terms(), staking.Yield{20_706, 41_412, 82_825}},
		{"half of the time", earns(1_000_000, func(o *staking.Outlook) { o.EligiblePPM = 500_000 }), terms(), staking.Yield{20_706, 20_706, 20_707}},
		// A tenth of a slash a year, of half of the stake: 5 %.
		{
			"slashes cost more",
			earns(1_000_000, func(o *staking.Outlook) { o.SlashHazardPPM, o.SlashLossPPM = 100_000, 500_000 }),
			terms(),
			staking.Yield{-8_588, -8_588, -8_587},
		},
		// 23 hours earn, 22 days are bonded.
		{"a day", earns(1_000_000), terms(func(t *staking.Terms) { t.Holding = day }), staking.Yield{1_907, 1_907, 1_908}},
		{"no exit", earns(1_000_000), terms(func(t *staking.Terms) { t.Exit = 0 }), staking.Yield{43_795, 43_795, 43_795}},
		{"too short to earn", earns(1_000_000), terms(func(t *staking.Terms) { t.Holding = time.Hour }), staking.Yield{}},
		{"shorter than an epoch", earns(1_000_000), terms(func(t *staking.Terms) { t.Holding = 1 }), staking.Yield{}},
		{"no share", earns(1_000_000), terms(func(t *staking.Terms) { t.RewardShareBps = 0 }), staking.Yield{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.o.Yield(c.t)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestYieldRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		o    staking.Outlook
		t    staking.Terms
		want string
	}{
		{"amount", earns(1), terms(func(t *staking.Terms) { t.Amount = 0 }), "staking: yield: amount is 0"},
		{"share", earns(1), terms(func(t *staking.Terms) { t.RewardShareBps = 10_001 }), "staking: yield: reward_share_bps 10001 is above 10000"},
		{"epoch", earns(1), terms(func(t *staking.Terms) { t.Epoch = 0 }), "staking: yield: epoch 0s is not above 0"},
		{"holding", earns(1), terms(func(t *staking.Terms) { t.Holding = 0 }), "staking: yield: holding 0s is not in 1ns..87840h0m0s"},
		{"exit", earns(1), terms(func(t *staking.Terms) { t.Exit = -1 }), "staking: yield: exit -1ns is not in 0s..175680h0m0s"},
		{
			"rewards",
			staking.Outlook{RewardLow: 2, RewardMean: 1, RewardHigh: 3},
			terms(),
			"staking: yield: rewards 0.00000002, 0.00000001 and 0.00000003 do not rise",
		},
		{"eligible", earns(1, func(o *staking.Outlook) { o.EligiblePPM++ }), terms(), "staking: yield: eligible_ppm 1000001 is above 1000000"},
		{"loss", earns(1, func(o *staking.Outlook) { o.SlashLossPPM = 1_000_001 }), terms(), "staking: yield: slash_loss_ppm 1000001 is above 1000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.o.Yield(c.t)
			require.ErrorIs(t, err, staking.ErrYield)
			require.EqualError(t, err, c.want)
			_, err = c.o.FairShareBps(c.t, 0)
			require.EqualError(t, err, c.want)
		})
	}
	_, err := earns(math.MaxUint64).Yield(terms(func(t *staking.Terms) { t.Amount, t.Epoch = 1, 1 }))
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
}

// The fair share reaches the hurdle, and one basis point less does not.
func TestFairShareIsTheLeast(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	reached := 0
	for range 5_000 {
		o := earns(tokenomics.Amount(1+r.Uint64N(5_000_000)), func(o *staking.Outlook) {
			o.EligiblePPM = 1 + r.Uint32N(1_000_000)
			o.SlashHazardPPM, o.SlashLossPPM = r.Uint32N(500_000), r.Uint32N(500_000)
		})
		c := terms(func(t *staking.Terms) { t.Holding = time.Duration(2+r.Uint64N(9_000)) * time.Hour })
		hurdle := r.Uint32N(200_000)
		share, err := o.FairShareBps(c, hurdle)
		require.NoError(t, err)
		if share == 0 || share > 10_000 {
			c.RewardShareBps = 10_000
			y, err := o.Yield(c)
			require.NoError(t, err)
			require.Less(t, y.MeanPPM, int64(hurdle), "share %d", share)
			continue
		}
		reached++
		c.RewardShareBps = share
		y, err := o.Yield(c)
		require.NoError(t, err)
		require.GreaterOrEqual(t, y.MeanPPM, int64(hurdle))
		c.RewardShareBps--
		y, err = o.Yield(c)
		require.NoError(t, err)
		require.Less(t, y.MeanPPM, int64(hurdle))
	}
	require.Greater(t, reached, 500)
}

func TestFairShare(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      staking.Outlook
		t      staking.Terms
		hurdle uint32
		want   uint32
	}{
		// 50 % of it yields 4.1412 %.
		{"its own yield", earns(1_000_000), terms(), 41_412, 5_000},
		{"a little more", earns(1_000_000), terms(), 41_413, 5_001},
		{"no hurdle", earns(1_000_000), terms(), 0, 0},
		{"no hurdle and no reward", earns(0), terms(), 0, 0},
		{"no reward", earns(0), terms(), 1, math.MaxUint32},
		{"too short", earns(1_000_000), terms(func(t *staking.Terms) { t.Holding = time.Hour }), 1, math.MaxUint32},
		{"one and a half times the reward", earns(1_000_000), terms(), 124_238, 15_001},
		{"beyond what is written", earns(1), terms(func(t *staking.Terms) { t.Amount = math.MaxUint64 }), math.MaxUint32, math.MaxUint32},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.o.FairShareBps(c.t, c.hurdle)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// pays reports whether cheating pays: (1-a)*gain - a*stake >= 0.
func pays(gain, stake tokenomics.Amount, auditPPM uint32) bool {
	number := func(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
	win := number(uint64(gain))
	lose := number(uint64(stake))
	return win.Mul(win, number(uint64(1_000_000-auditPPM))).Cmp(lose.Mul(lose, number(uint64(auditPPM)))) >= 0
}

func TestLeastAudit(t *testing.T) {
	for _, c := range []struct {
		gain, stake tokenomics.Amount
		want        uint32
	}{
		{1, 1, 500_001},
		{1, 3, 250_001},
		{1, 999_998, 2},
		{1, 999_999, 2},
		{1, 1_000_000, 1},
		{1, math.MaxUint64, 1},
		{math.MaxUint64, 1, 1_000_000},
		{math.MaxUint64, math.MaxUint64, 500_001},
		{io(20), io(2_000), 9_901},
	} {
		got, err := staking.LeastAuditPPM(c.gain, c.stake)
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%s against %s", c.gain, c.stake)
		require.False(t, pays(c.gain, c.stake, got))
		require.True(t, pays(c.gain, c.stake, got-1))
	}
	for _, c := range [][2]tokenomics.Amount{{0, 1}, {1, 0}} {
		_, err := staking.LeastAuditPPM(c[0], c[1])
		require.ErrorIs(t, err, staking.ErrYield)
	}
}

func TestLeastStake(t *testing.T) {
	for _, c := range []struct {
		gain  tokenomics.Amount
		audit uint32
		want  tokenomics.Amount
	}{
		{1, 1_000_000, 1},
		{1, 500_000, 2},
		{1, 1, 1_000_000},
		{io(20), 10_000, io(1_980) + 1},
		{math.MaxUint64 - 1, 500_000, math.MaxUint64},
	} {
		got, err := staking.LeastStake(c.gain, c.audit)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
		require.False(t, pays(c.gain, got, c.audit))
		require.True(t, pays(c.gain, got-1, c.audit))
	}
	for _, c := range []struct {
		gain  tokenomics.Amount
		audit uint32
	}{{0, 1}, {1, 0}, {1, 1_000_001}} {
		_, err := staking.LeastStake(c.gain, c.audit)
		require.ErrorIs(t, err, staking.ErrYield)
	}
	for _, audit := range []uint32{1, 500_000} {
		_, err := staking.LeastStake(math.MaxUint64, audit)
		require.ErrorIs(t, err, tokenomics.ErrOverflow)
	}
}
