package staking_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestAccumulatorDividesByStake(t *testing.T) {
	for _, c := range []struct {
		name                 string
		stakes, reward, want []tokenomics.Amount
	}{
		{"one holder gets all", []tokenomics.Amount{7}, []tokenomics.Amount{1, 2, 3}, []tokenomics.Amount{6}},
		{"in proportion", []tokenomics.Amount{1, 2, 3}, []tokenomics.Amount{60}, []tokenomics.Amount{10, 20, 30}},
		{"a third each, the unit waits", []tokenomics.Amount{1, 1, 1}, []tokenomics.Amount{100}, []tokenomics.Amount{33, 33, 33}},
		{"three thirds are whole again", []tokenomics.Amount{1, 1, 1}, []tokenomics.Amount{1, 1, 1}, []tokenomics.Amount{1, 1, 1}},
		{"nothing", []tokenomics.Amount{1, 1}, []tokenomics.Amount{0}, []tokenomics.Amount{0, 0}},
		// The exact part is 8e16 - 1 + 1/(8e16+1): what the carry still holds, 0.004 units at most, makes the floor one less.
		{"all of the cap on all of the cap", []tokenomics.Amount{8e16, 1}, []tokenomics.Amount{8e16}, []tokenomics.Amount{8e16 - 2, 0}},
		{
			"the largest reward",
			[]tokenomics.Amount{1, 2},
			[]tokenomics.Amount{math.MaxUint64},
			[]tokenomics.Amount{math.MaxUint64 / 3, math.MaxUint64 / 3 * 2},
		},
		{"the largest stake", []tokenomics.Amount{math.MaxUint64 - 1, 1}, []tokenomics.Amount{math.MaxUint64}, []tokenomics.Amount{math.MaxUint64 - 1, 1}},
		{"dust beside a whale", []tokenomics.Amount{8e16, 1}, []tokenomics.Amount{8e16, 1}, []tokenomics.Amount{8e16, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var a staking.Accumulator
			ps := make([]staking.Position, len(c.stakes))
			for i, s := range c.stakes {
				require.NoError(t, a.Set(&ps[i], s))
				require.Equal(t, s, ps[i].Stake())
			}
			for _, r := range c.reward {
				require.NoError(t, a.Distribute(r))
			}
			got := make([]tokenomics.Amount, len(ps))
			for i := range ps {
				got[i] = ps[i].Earned(&a)
			}
			require.Equal(t, c.want, got)
			require.NoError(t, a.Audit(slices.Values(ps)))
			for i := range ps {
				require.Equal(t, c.want[i], a.Claim(&ps[i]))
			}
			require.NoError(t, a.Audit(slices.Values(ps)))
		})
	}
}

// set gives a position a stake, which must fit.
func set(t testing.TB, a *staking.Accumulator, p *staking.Position, stake tokenomics.Amount) {
	t.Helper()
	require.NoError(t, a.Set(p, stake))
}

func TestAccumulatorRefusals(t *testing.T) {
	var (
		a    staking.Accumulator
		p, q staking.Position
	)
	require.ErrorIs(t, a.Distribute(5), staking.ErrNobody)
	set(t, &a, &p, math.MaxUint64)
	before := a
	require.ErrorIs(t, a.Set(&q, 1), tokenomics.ErrOverflow)
	require.Equal(t, before, a, "a refusal changed the accumulator")
	require.Zero(t, q)
	require.NoError(t, a.Distribute(1))
	before = a
	require.ErrorIs(t, a.Distribute(math.MaxUint64), tokenomics.ErrOverflow)
	require.Equal(t, before, a)
	require.NoError(t, a.Distribute(math.MaxUint64-1))
	require.Equal(t, tokenomics.Amount(math.MaxUint64), a.Claim(&p))
	// It counts what came in since the beginning.
	require.ErrorIs(t, a.Distribute(1), tokenomics.ErrOverflow)
}

// A reward is for the stake that is there when it comes.
func TestAccumulatorPaysNobodyForAnEarlierReward(t *testing.T) {
	var (
		a           staking.Accumulator
		early, late staking.Position
	)
	set(t, &a, &early, 100)
	require.NoError(t, a.Distribute(1_000))
	set(t, &a, &late, 1_000_000)
	require.Zero(t, a.Claim(&late))
	set(t, &a, &late, 0)
	require.NoError(t, a.Distribute(7))
	require.Zero(t, a.Claim(&late))
	require.Equal(t, tokenomics.Amount(1_007), a.Claim(&early))
}

// Whoever holds all the stake gets the floor of all that came in, whatever the stake did meanwhile and whoever was there.
func TestAccumulatorSoleHolderIsExact(t *testing.T) {
	var (
		a    staking.Accumulator
		p, q staking.Position
		sum  tokenomics.Amount
	)
	r := rand.New(rand.NewPCG(4, 1))
	for range 5_000 {
		set(t, &a, &p, tokenomics.Amount(1+r.Uint64N(1<<r.UintN(60))))
		reward := tokenomics.Amount(r.Uint64N(1 << 40))
		require.NoError(t, a.Distribute(reward))
		sum += reward
		set(t, &a, &q, 3)
		set(t, &a, &q, 0)
		require.Equal(t, sum, p.Earned(&a))
	}
	require.Equal(t, sum, a.Claim(&p))
	require.Zero(t, a.Held())
}

func TestAccumulatorLeavingKeepsWhatWasEarned(t *testing.T) {
	var (
		a    staking.Accumulator
		p, q staking.Position
	)
	set(t, &a, &p, 1)
	set(t, &a, &q, 1)
	require.NoError(t, a.Distribute(3))
	set(t, &a, &p, 0)
	require.NoError(t, a.Distribute(10))
	require.Equal(t, tokenomics.Amount(1), p.Earned(&a))
	set(t, &a, &p, 1)
	require.NoError(t, a.Distribute(1))
	require.Equal(t, tokenomics.Amount(2), a.Claim(&p), "1.5 and 0.5")
	require.Equal(t, tokenomics.Amount(12), a.Claim(&q), "1.5 and 10 and 0.5")
	require.NoError(t, a.Audit(slices.Values([]staking.Position{p, q})))
}

func TestAccumulatorDust(t *testing.T) {
	var a staking.Accumulator
	ps := make([]staking.Position, 2)
	for i := range ps {
		set(t, &a, &ps[i], 1)
	}
	require.NoError(t, a.Distribute(1))
	for i := range ps {
		set(t, &a, &ps[i], 0)
	}
	require.Equal(t, tokenomics.Amount(1), a.Held())
	paid, dust := a.Close(&ps[0])
	require.Zero(t, paid)
	require.Zero(t, dust, "half a unit is none")
	require.Zero(t, ps[0])
	paid, dust = a.Close(&ps[1])
	require.Zero(t, paid)
	require.Equal(t, tokenomics.Amount(1), dust, "two halves are one")
	require.Equal(t, a, washed(a), "nothing is left")
}

// washed returns the accumulator after somebody came and left: unchanged if it held nothing.
func washed(a staking.Accumulator) staking.Accumulator {
	var p staking.Position
	if a.Set(&p, 1) != nil {
		panic("overflow")
	}
	a.Close(&p)
	return a
}

// What somebody leaves behind goes to whoever is there, or comes next: less than a unit for each who left.
func TestAccumulatorNewcomerGetsLessThanAUnit(t *testing.T) {
	for _, stake := range []tokenomics.Amount{1, 2, 3, 1_000, 1 << 40, math.MaxUint64} {
		var (
			a          staking.Accumulator
			p, q, next staking.Position
		)
		set(t, &a, &p, 1)
		set(t, &a, &q, 2)
		require.NoError(t, a.Distribute(1))
		set(t, &a, &q, 0)
		a.Close(&p)
		require.Zero(t, a.Stake())
		set(t, &a, &next, stake)
		require.Zero(t, a.Claim(&next))
		// p left a third of a unit behind, and q keeps two: a reward of one unit is one unit for whoever is there.
		require.NoError(t, a.Distribute(1))
		require.Equal(t, tokenomics.Amount(1), a.Claim(&next))
		require.NoError(t, a.Audit(slices.Values([]staking.Position{q, next})))
	}
}

// Somebody comes and leaves between the rewards, a thousand times each, with any stake: the others get what they would have
// got without it, and whoever does it nothing.
func TestAccumulatorWashGainsNothing(t *testing.T) {
	var plain, attacked staking.Accumulator
	var honest, victims [3]staking.Position
	r := rand.New(rand.NewPCG(4, 2))
	for i := range honest {
		stake := tokenomics.Amount(1 + r.Uint64N(1<<50))
		set(t, &plain, &honest[i], stake)
		set(t, &attacked, &victims[i], stake)
	}
	var thief staking.Position
	for range 50 {
		reward := tokenomics.Amount(r.Uint64N(1 << 30))
		require.NoError(t, plain.Distribute(reward))
		require.NoError(t, attacked.Distribute(reward))
		for range 1_000 {
			set(t, &attacked, &thief, tokenomics.Amount(1+r.Uint64N(1<<62)))
			if r.UintN(2) == 0 {
				set(t, &attacked, &thief, 0)
				continue
			}
			paid, dust := attacked.Close(&thief)
			require.Zero(t, paid+dust)
		}
		set(t, &attacked, &thief, 0)
		require.Zero(t, thief.Earned(&attacked))
		for i := range honest {
			require.Equal(t, honest[i].Earned(&plain), victims[i].Earned(&attacked))
		}
	}
}

// A thief who earns, leaves and closes over and over, and so has every fraction thrown together, ends with no more than
// stake and time are worth.
func TestAccumulatorClosingGainsNothing(t *testing.T) {
	var (
		a             staking.Accumulator
		thief, honest staking.Position
		got           tokenomics.Amount
	)
	set(t, &a, &honest, 2)
	for range 10_000 {
		set(t, &a, &thief, 1)
		require.NoError(t, a.Distribute(5))
		paid, dust := a.Close(&thief)
		require.Zero(t, dust)
		got += paid
	}
	require.Equal(t, tokenomics.Amount(10_000), got, "5/3 each time, of which 2/3 are left to the others")
	require.Equal(t, tokenomics.Amount(40_000), a.Claim(&honest))
}
