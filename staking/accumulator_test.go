package staking_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestAccumulatorDividesByStake(t *testing.T) {
	for _, c := range []struct {
		name   string
		stakes []tokenomics.Amount
		reward []tokenomics.Amount
		want   []tokenomics.Amount
	}{
		{"one holder gets all", []tokenomics.Amount{7}, []tokenomics.Amount{1, 2, 3}, []tokenomics.Amount{6}},
		{"in proportion", []tokenomics.Amount{1, 2, 3}, []tokenomics.Amount{60}, []tokenomics.Amount{10, 20, 30}},
		{"a third each, the unit waits", []tokenomics.Amount{1, 1, 1}, []tokenomics.Amount{100}, []tokenomics.Amount{33, 33, 33}},
		{"three thirds are whole again", []tokenomics.Amount{1, 1, 1}, []tokenomics.Amount{1, 1, 1}, []tokenomics.Amount{1, 1, 1}},
		{"nothing", []tokenomics.Amount{1, 1}, []tokenomics.Amount{0}, []tokenomics.Amount{0, 0}},
		// The exact part is 8e16 - 1 + 1/(8e16+1): what the carry still holds, 0.004 units at most, makes the floor one less.
		{"all of the cap on all of the cap", []tokenomics.Amount{8e16, 1}, []tokenomics.Amount{8e16}, []tokenomics.Amount{8e16 - 2, 0}},
		{"the largest reward", []tokenomics.Amount{1, 2}, []tokenomics.Amount{math.MaxUint64}, []tokenomics.Amount{6148914691236517205, 12297829382473034410}},
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
