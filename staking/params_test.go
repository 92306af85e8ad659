package staking_test

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestRequired(t *testing.T) {
	for name, c := range map[string]struct {
		multiplier, gpus uint32
		want             string
	}{
		"8 H100, published":                       {1_000, 8, "16000"},
		"4 RTX 4070 at 0.25, published":           {25, 4, "800"},
		"8 RTX 6000 Ada at 2.5, as in the market": {250, 8, "4000"},
		"4 RTX 4070 at 1.5, new table":            {150, 4, "1200"},
		"below 1 counts as 1":                     {99, 1, "200"},
		"1":                                       {100, 1, "200"},
		"a hundredth above 1":                     {101, 1, "202"},
		"0, a model that earns nothing":           {0, 1, "200"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := staking.IONet().Required(c.multiplier, c.gpus)
			require.NoError(t, err)
			require.Equal(t, c.want, got.String())
		})
	}
	_, err := staking.IONet().Required(100, 0)
	require.ErrorIs(t, err, staking.ErrGPUs)
	_, err = staking.IONet().Required(math.MaxUint32, math.MaxUint32)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
}

// The requirement is exact: against big integers, at the edge of 64 bits as well.
func TestRequiredAgainstBig(t *testing.T) {
	p := staking.IONet()
	for _, m := range []uint32{0, 1, 99, 100, 101, 225, 1_200, 3_000, math.MaxUint32} {
		for _, g := range []uint32{1, 7, 8, 1_000, 922_337_203, 922_337_204, math.MaxUint32} {
			want := new(big.Int).SetUint64(uint64(p.BaseStake) / 100)
			want.Mul(want, big.NewInt(int64(max(100, m))))
			want.Mul(want, big.NewInt(int64(g)))
			got, err := p.Required(m, g)
			if !want.IsUint64() {
				require.ErrorIs(t, err, tokenomics.ErrOverflow, "%d %d", m, g)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want.Uint64(), uint64(got), "%d %d", m, g)
		}
	}
}

func TestParamsValidate(t *testing.T) {
	require.NoError(t, staking.IONet().Validate())
	for name, c := range map[string]struct {
		change func(*staking.Params)
		bad    bool
	}{
		"version is empty":              {func(p *staking.Params) { p.Version = "" }, true},
		"base_stake 0 ":                 {func(p *staking.Params) { p.BaseStake = 0 }, true},
		"base_stake 0.00000099":         {func(p *staking.Params) { p.BaseStake = 99 }, true},
		"smallest base stake":           {func(p *staking.Params) { p.BaseStake = 100 }, false},
		"base_stake 0.00000101":         {func(p *staking.Params) { p.BaseStake = 101 }, true},
		"max_co_bps 10001":              {func(p *staking.Params) { p.MaxCoBps = 10_001 }, true},
		"everything co-staked":          {func(p *staking.Params) { p.MaxCoBps = 10_000 }, false},
		"no co-staking":                 {func(p *staking.Params) { p.MaxCoBps = 0 }, false},
		"min_reward_share_bps 0":        {func(p *staking.Params) { p.MinRewardShareBps = 0 }, true},
		"smallest share":                {func(p *staking.Params) { p.MinRewardShareBps = 1 }, false},
		"largest share":                 {func(p *staking.Params) { p.MinRewardShareBps = 10_000 }, false},
		"min_reward_share_bps 10001":    {func(p *staking.Params) { p.MinRewardShareBps = 10_001 }, true},
		"max_claims is 0":               {func(p *staking.Params) { p.MaxClaims = 0 }, true},
		"min_fill is 0":                 {func(p *staking.Params) { p.MinFill = 0 }, true},
		"max_offers_per_bond is 0":      {func(p *staking.Params) { p.MaxOffersPerBond = 0 }, true},
		"max_lots_per_bond is 0":        {func(p *staking.Params) { p.MaxLotsPerBond = 0 }, true},
		"calendar: tokenomics: invalid": {func(p *staking.Params) { p.Calendar.Length = 0 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := staking.IONet()
			c.change(&p)
			err := p.Validate()
			_, errNew := staking.NewPool(p)
			if !c.bad {
				require.NoError(t, err)
				require.NoError(t, errNew)
				return
			}
			require.ErrorIs(t, err, staking.ErrParams)
			require.ErrorContains(t, err, name)
			require.Equal(t, err, errNew)
		})
	}
}

// The parameters are data: they survive JSON, and their text is reviewed as a diff.
func TestParamsJSON(t *testing.T) {
	text, err := json.MarshalIndent(staking.IONet(), "", "  ")
	require.NoError(t, err)
	golden.Check(t, "testdata/ionet.golden", string(text)+"\n")
	var p staking.Params
	require.NoError(t, json.Unmarshal(text, &p))
	require.Equal(t, staking.IONet(), p)
}

// A zone is no part of a calendar: the same instants make the same pool.
func TestCalendarZone(t *testing.T) {
	east := newWorld(t, func(p *staking.Params) { p.Calendar.Start = p.Calendar.Start.In(time.FixedZone("east", 7_200)) })
	utc := newWorld(t)
	require.Equal(t, utc.Digest(), east.Digest())
	restored, err := staking.Restore(east.Params(), utc.Snapshot())
	require.NoError(t, err)
	require.Equal(t, utc.Digest(), restored.Digest())
}
