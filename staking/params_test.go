package staking_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
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
	const longest = 10 * 366 * 24 * time.Hour
	rule := func(change func(*staking.SlashRule)) func(*staking.Params) {
		return func(p *staking.Params) { change(&p.Slashes[2]) } // of an outage: four steps
	}
	capped := func(bps uint32, window time.Duration) func(*staking.Params) {
		return rule(func(r *staking.SlashRule) { r.CapBps, r.CapWindow = bps, window })
	}
	steps := func(steps ...staking.SlashStep) func(*staking.Params) {
		return rule(func(r *staking.SlashRule) { r.Steps = steps })
	}
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
		"max_lots_per_bond 0 ":          {func(p *staking.Params) { p.MaxLotsPerBond = 0 }, true},
		"as many lots as go":            {func(p *staking.Params) { p.MaxLotsPerBond = 65_536 }, false},
		"max_lots_per_bond 65537":       {func(p *staking.Params) { p.MaxLotsPerBond = 65_537 }, true},
		"max_fills is 0":                {func(p *staking.Params) { p.MaxFills = 0 }, true},
		"pro rata":                      {func(p *staking.Params) { p.SlashOrder = staking.ProRata }, false},
		"slash_order 2 is unknown":      {func(p *staking.Params) { p.SlashOrder = 2 }, true},
		"co-stakers lose nothing":       {func(p *staking.Params) { p.CoMaxLossBps = 0 }, false},
		"co-stakers lose all":           {func(p *staking.Params) { p.CoMaxLossBps = 10_000 }, false},
		"co_max_loss_bps 10001":         {func(p *staking.Params) { p.CoMaxLossBps = 10_001 }, true},
		"calendar: tokenomics: invalid": {func(p *staking.Params) { p.Calendar.Length = 0 }, true},

		"no lock":                    {func(p *staking.Params) { p.MaxLock = 0 }, false},
		"max_lock -1s":               {func(p *staking.Params) { p.MaxLock = -time.Second }, true},
		"longest lock":               {func(p *staking.Params) { p.MaxLock = longest }, false},
		"max_lock 87840h0m1s":        {func(p *staking.Params) { p.MaxLock = longest + time.Second }, true},
		"owner_cooldown 0s":          {func(p *staking.Params) { p.OwnerCooldown = 0 }, true},
		"owner_cooldown 336h0m0.5s":  {func(p *staking.Params) { p.OwnerCooldown += time.Second / 2 }, true},
		"no wait":                    {func(p *staking.Params) { p.CoWait = 0 }, false},
		"co_wait 168h0m0.000000001s": {func(p *staking.Params) { p.CoWait++ }, true},
		"co_cooldown 0s":             {func(p *staking.Params) { p.CoCooldown = 0 }, true},
		"no overflow hold":           {func(p *staking.Params) { p.OverflowHold = 0 }, false},
		"overflow_hold -1s":          {func(p *staking.Params) { p.OverflowHold = -time.Second }, true},
		"no grace":                   {func(p *staking.Params) { p.Grace = 0 }, false},
		"grace 87840h0m1s":           {func(p *staking.Params) { p.Grace = longest + time.Second }, true},
		"evidence_window 0s":         {func(p *staking.Params) { p.EvidenceWindow = 0 }, true},
		"a window of a second":       {func(p *staking.Params) { p.EvidenceWindow = time.Second }, false},
		"a window of both cooldowns": {func(p *staking.Params) { p.EvidenceWindow = 14 * 24 * time.Hour }, false},
		"evidence_window 336h0m1s is above the shortest cooldown": {func(p *staking.Params) {
			p.EvidenceWindow = 14*24*time.Hour + time.Second
		}, true},
		"above the shortest cooldown, 239h59m59s": {func(p *staking.Params) { p.OwnerCooldown = 240*time.Hour - time.Second }, true},
		"above the shortest cooldown, 1s":         {func(p *staking.Params) { p.CoCooldown = time.Second }, true},
		"appeal_window 0s":                        {func(p *staking.Params) { p.AppealWindow = 0 }, true},

		"no slashes":                    {func(p *staking.Params) { p.Slashes = nil }, false},
		"kind has 0 bytes":              {rule(func(r *staking.SlashRule) { r.Kind = "" }), true},
		"kind has 129 bytes":            {rule(func(r *staking.SlashRule) { r.Kind = staking.Infraction(strings.Repeat("x", 129)) }), true},
		"there are two rules for":       {rule(func(r *staking.SlashRule) { r.Kind = staking.Spoofing }), true},
		"steps are empty":               {steps(), true},
		"a fixed fraction":              {steps(staking.SlashStep{Bps: 10_000}), false},
		"step 1: bps 0 ":                {steps(staking.SlashStep{}), true},
		"step 1: bps 10001":             {steps(staking.SlashStep{Bps: 10_001}), true},
		"rising":                        {steps(staking.SlashStep{Bps: 1}, staking.SlashStep{Over: 1, Bps: 2}), false},
		"step 2 does not rise":          {steps(staking.SlashStep{Bps: 1}, staking.SlashStep{Bps: 2}), true},
		"step 3 does not rise":          {steps(staking.SlashStep{Bps: 1}, staking.SlashStep{Over: 1, Bps: 2}, staking.SlashStep{Over: 2, Bps: 2}), true},
		"cap_bps and cap_window":        {capped(1, 0), true},
		"cap_window go together":        {capped(0, time.Second), true},
		"a cap of everything":           {capped(10_000, time.Second), false},
		"cap_bps 10001":                 {capped(10_001, time.Second), true},
		"cap_window -1s":                {capped(1, -time.Second), true},
		"cap_window 87840h0m0.":         {capped(1, longest+1), true},
		"everything to a renter":        {rule(func(r *staking.SlashRule) { r.RenterBps = 10_000 }), false},
		"all of it to both":             {rule(func(r *staking.SlashRule) { r.RenterBps, r.ReporterBps = 9_999, 1 }), false},
		"renter_bps 9999 and":           {rule(func(r *staking.SlashRule) { r.RenterBps, r.ReporterBps = 9_999, 2 }), true},
		"renter_bps 4294967295 and rep": {rule(func(r *staking.SlashRule) { r.RenterBps, r.ReporterBps = 1<<32-1, 2 }), true},
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

// A pool keeps the parameters that it was made with: what a caller changes later is the caller's.
func TestParamsAreCopied(t *testing.T) {
	mine := staking.IONet()
	pool, err := staking.NewPool(mine)
	require.NoError(t, err)
	before := pool.Digest()
	mine.Slashes[0].Steps[0].Bps = 1
	pool.Params().Slashes[0].Steps[0].Bps = 1
	pool.Params().Slashes[1] = staking.SlashRule{}
	require.Equal(t, before, pool.Digest())
	require.Equal(t, staking.IONet(), pool.Params())
}

// Every field is part of the digest: pools under different rules are different pools.
func TestParamsInDigest(t *testing.T) {
	seen := map[[32]byte]string{newWorld(t).Digest(): "IONet"}
	for name, change := range map[string]func(*staking.Params){
		"Version":       func(p *staking.Params) { p.Version += "x" },
		"BaseStake":     func(p *staking.Params) { p.BaseStake += 100 },
		"Start":         func(p *staking.Params) { p.Calendar.Start = p.Calendar.Start.Add(time.Second) },
		"Length":        func(p *staking.Params) { p.Calendar.Length += time.Second },
		"MaxCo":         func(p *staking.Params) { p.MaxCoBps++ },
		"MinShare":      func(p *staking.Params) { p.MinRewardShareBps++ },
		"MaxClaims":     func(p *staking.Params) { p.MaxClaims++ },
		"MinFill":       func(p *staking.Params) { p.MinFill++ },
		"MaxOffers":     func(p *staking.Params) { p.MaxOffersPerBond++ },
		"MaxLots":       func(p *staking.Params) { p.MaxLotsPerBond++ },
		"MaxFills":      func(p *staking.Params) { p.MaxFills++ },
		"MaxLock":       func(p *staking.Params) { p.MaxLock += time.Second },
		"OwnerCooldown": func(p *staking.Params) { p.OwnerCooldown += time.Second },
		"CoWait":        func(p *staking.Params) { p.CoWait += time.Second },
		"CoCooldown":    func(p *staking.Params) { p.CoCooldown += time.Second },
		"Hold":          func(p *staking.Params) { p.OverflowHold += time.Second },
		"Grace":         func(p *staking.Params) { p.Grace += time.Second },
		"Evidence":      func(p *staking.Params) { p.EvidenceWindow += time.Second },
		"Appeal":        func(p *staking.Params) { p.AppealWindow += time.Second },
		"Order":         func(p *staking.Params) { p.SlashOrder++ },
		"MaxLoss":       func(p *staking.Params) { p.CoMaxLossBps++ },
		"Slashes":       func(p *staking.Params) { p.Slashes = p.Slashes[1:] },
		"Kind":          func(p *staking.Params) { p.Slashes[0].Kind += "x" },
		"Steps":         func(p *staking.Params) { p.Slashes[2].Steps = p.Slashes[2].Steps[1:] },
		"Over":          func(p *staking.Params) { p.Slashes[2].Steps[0].Over++ },
		"Bps":           func(p *staking.Params) { p.Slashes[2].Steps[0].Bps++ },
		"CapBps":        func(p *staking.Params) { p.Slashes[3].CapBps++ },
		"CapWindow":     func(p *staking.Params) { p.Slashes[3].CapWindow += time.Second },
		"Renter":        func(p *staking.Params) { p.Slashes[0].RenterBps++ },
		"Reporter":      func(p *staking.Params) { p.Slashes[0].ReporterBps++ },
		"Fraud":         func(p *staking.Params) { p.Slashes[0].Fraud = false },
	} {
		d := newWorld(t, change).Digest()
		require.Empty(t, seen[d], "%s has the digest of %s", name, seen[d])
		seen[d] = name
	}
}

func TestSlashOrderText(t *testing.T) {
	for _, o := range []staking.SlashOrder{staking.SupplierFirst, staking.ProRata} {
		text, err := o.MarshalText()
		require.NoError(t, err)
		require.Equal(t, o.String(), string(text))
		var got staking.SlashOrder
		require.NoError(t, got.UnmarshalText(text))
		require.Equal(t, o, got)
	}
	_, err := staking.SlashOrder(2).MarshalText()
	require.EqualError(t, err, "staking: unknown slash order 2")
	var o staking.SlashOrder
	require.EqualError(t, o.UnmarshalText([]byte("nobody")), `staking: unknown slash order "nobody"`)
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
