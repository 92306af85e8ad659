package tokenomics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestBaseScore(t *testing.T) {
	const v1, v2 = tokenomics.ScoreV1, tokenomics.ScoreV2
	type input = tokenomics.ScoreInput
	for _, c := range []struct {
		name string
		in   input
		want uint64
		err  error
		says string
	}{
		{"A100, tier 4", input{v2, 4, 500, 1, false}, 100_200, nil, ""},
		{"A4000, tier 4", input{v2, 4, 40, 1, false}, 8_200, nil, ""},
		{"six RTX 3080, tier 1", input{v2, 1, 25, 6, false}, 30_050, nil, ""},
		{"the documents' example", input{v2, 3, 40, 1, false}, 8_150, nil, ""},
		{"being hired adds 5", input{v2, 4, 500, 1, true}, 100_205, nil, ""},
		{"record of 2024-06-09: 1020.5, shown as 1020", input{v1, 4, 25, 2, true}, 1_020, nil, ""},
		{"version 1 is a tenth", input{v1, 4, 500, 1, false}, 10_020, nil, ""},
		{"smallest multiplier", input{v2, 1, 1, 1, false}, 250, nil, ""},
		{"no tier", input{v2, 0, 500, 1, false}, 0, tokenomics.ErrScore, "tier 0"},
		{"fifth tier", input{v2, 5, 500, 1, false}, 0, tokenomics.ErrScore, "tier 5"},
		{"a model that earns nothing", input{v2, 4, 0, 1, false}, 0, tokenomics.ErrScore, "multiplier 0"},
		{"no processors", input{v2, 4, 500, 0, false}, 0, tokenomics.ErrScore, "quantity 0"},
		{"no version", input{0, 4, 500, 1, false}, 0, tokenomics.ErrScore, "version 0"},
		{"third version", input{3, 4, 500, 1, false}, 0, tokenomics.ErrScore, "version 3"},
		{"largest multiplier", input{v2, 1, math.MaxUint32, 1, false}, 200*math.MaxUint32 + 50, nil, ""},
		{"too large", input{v2, 1, math.MaxUint32, math.MaxUint32, false}, 0, tokenomics.ErrOverflow, "base score"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := tokenomics.BaseScore(c.in)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
			if err != nil {
				require.ErrorContains(t, err, c.says)
			}
		})
	}
}

func TestNormalised(t *testing.T) {
	for _, c := range []struct {
		score, total, points uint64
		want                 string
	}{
		{100_200, 415_972_440, 8_000_000, "1927.051"},
		{1, 2, 1, "0.500"},
		{1, 2000, 1, "0.001"}, // 0.0005: a half goes away from zero
		{1, 2001, 1, "0.000"},
		{0, 5, 8_000_000, "0.000"},
		{5, 5, math.MaxUint64, "18446744073709551615.000"},
		{math.MaxUint64, 1, math.MaxUint64, "340282366920938463426481119284349108225.000"},
		{1, 0, 8_000_000, "0.000"},
	} {
		require.Equal(t, c.want, tokenomics.Normalised(c.score, c.total, c.points).StringFixed(3))
	}
	// The documents' example says 569 for 8150 of 115 million; the formula next to it says this.
	require.Equal(t, "566.957", tokenomics.Normalised(8_150, 115_000_000, 8_000_000).StringFixed(3))
}
