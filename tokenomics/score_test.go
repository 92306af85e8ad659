package tokenomics_test

import (
	"math"
	"strings"
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

func TestNormalisedTo(t *testing.T) {
	for _, c := range []struct {
		score, total, points uint64
		places               int32
		want                 string
		exact                bool
	}{
		{100_200, 415_972_440, 8_000_000, 3, "1927.050", false}, // published rounded: 1927.051
		{100_200, 415_972_440, 8_000_000, 20, "1927.05074403486923316362", false},
		{1, 8, 1, 3, "0.125", true},
		{1, 8, 1, 2, "0.12", false},
		{1, 8, 1, 0, "0", false},
		{8, 8, 1, 0, "1", true},
		{0, 8, 1, 2, "0.00", true},
		{math.MaxUint64, 1, math.MaxUint64, 0, "340282366920938463426481119284349108225", true},
		{1, 0, 1, 2, "0.00", false},
		{1, 3, 1, 1_000, "0." + strings.Repeat("3", 1_000), false},
	} {
		v, exact := tokenomics.NormalisedTo(c.score, c.total, c.points, c.places)
		require.Equal(t, c.want, v.StringFixed(c.places))
		require.Equal(t, c.exact, exact)
	}
	for _, places := range []int32{-1, 1_001} {
		require.Panics(t, func() { tokenomics.NormalisedTo(1, 3, 1, places) })
	}
}

// Every score that can be made is taken apart into what it was made of; every number that can be taken apart can be
// made.
func TestDecodeScore(t *testing.T) {
	const v1, v2 = tokenomics.ScoreV1, tokenomics.ScoreV2
	made := map[tokenomics.ScoreVersion]map[uint64]bool{v1: {}, v2: {}}
	for _, v := range []tokenomics.ScoreVersion{v1, v2} {
		for tier := uint8(1); tier <= 4; tier++ {
			for _, hired := range []bool{false, true} {
				for weight := uint64(1); weight <= 40; weight++ {
					score, err := tokenomics.BaseScore(tokenomics.ScoreInput{
						Version: v, Connectivity: tier, Multiplier: tokenomics.Multiplier(weight), Quantity: 1, Hired: hired,
					})
					require.NoError(t, err)
					made[v][score] = true
					parts, ok := tokenomics.DecodeScore(v, score)
					require.True(t, ok)
					require.Equal(t, tokenomics.ScoreParts{Connectivity: tier, Weight: weight, Hired: hired && v == v2}, parts)
				}
			}
		}
		for score := uint64(0); score <= 780; score++ {
			_, ok := tokenomics.DecodeScore(v, score)
			require.Equal(t, made[v][score], ok, "version %d, %d", v, score)
		}
	}
	parts, ok := tokenomics.DecodeScore(v2, 8_150)
	require.True(t, ok)
	require.Equal(t, tokenomics.ScoreParts{Connectivity: 3, Weight: 40}, parts, "the documents' example is tier 3 and 0.4")
	for _, v := range []tokenomics.ScoreVersion{0, 3} {
		_, ok := tokenomics.DecodeScore(v, 8_150)
		require.False(t, ok)
	}
	_, ok = tokenomics.DecodeScore(v1, math.MaxUint64/10+5)
	require.False(t, ok, "ten times that is no number of 64 bits")
	const most = math.MaxUint64 / 200 * 200
	parts, ok = tokenomics.DecodeScore(v2, most)
	require.True(t, ok)
	require.Equal(t, tokenomics.ScoreParts{Connectivity: 4, Weight: most/200 - 1}, parts)
}
