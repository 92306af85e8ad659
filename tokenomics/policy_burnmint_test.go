package tokenomics_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// A credit is bought, its burn confirmed, a supplier paid for it at another price.
func TestBurnMintByHand(t *testing.T) {
	p := tokenomics.BurnMintPolicy{Name: "akash", WarnPPM: 950_000, HaltPPM: 900_000}
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 500 * tokens, Cap: 800 * tokens}
	step := func(change func(in *tokenomics.Inputs)) tokenomics.Result {
		t.Helper()
		in := anHour()
		change(&in)
		next, r, err := p.Step(s, in)
		require.NoError(t, err)
		require.NoError(t, next.Check())
		s = next
		return r
	}
	// 3 dollars of credits at 0.70 a token: ceil(3 / 0.70) tokens are to be burned.
	r := step(func(in *tokenomics.Inputs) { in.Wanted, in.Credit = dollars(3), at(700_000) })
	require.Equal(t, tokenomics.Result{Policy: "akash", Issued: dollars(3), Burn: 428_571_429}, r)
	require.Equal(t, tokenomics.Amount(428_571_429), s.Pending)
	require.Zero(t, s.Burned, "an order is no burn")

	// The supplier is owed 1 dollar, but the burn is not confirmed: it stays owed.
	owed := []tokenomics.Claim{{ID: "a", USD: dollars(1)}}
	r = step(func(in *tokenomics.Inputs) { in.Owed, in.Release, in.Credit = owed, at(700_000), at(700_000) })
	require.Equal(t, tokenomics.Shortfall, r.Flags)
	require.Equal(t, uint32(1_000_000), r.CutPPM)
	require.Equal(t, uint32(1_000_000), r.RatioPPM, "ordered burns count for the ratio")
	require.Equal(t, owed, s.Debts)

	// It is confirmed, with a token that somebody else has burned: that does not back credits.
	r = step(func(in *tokenomics.Inputs) {
		in.Burned, in.Release, in.Credit = 428_571_429+tokens, at(700_000), at(700_000)
	})
	require.Equal(t, []tokenomics.Payout{{ID: "a", Amount: 142_857_142, USD: dollars(1)}}, r.Payouts)
	require.Equal(t, tokenomics.Amount(142_857_142), s.Reminted)
	require.Equal(t, tokenomics.Amount(428_571_429-142_857_142), s.Recycle)
	require.Equal(t, dollars(2), s.Credits)

	// The price falls by 5.5 and by 10.5 %: a warning, then a halt. Suppliers are paid all the same.
	r = step(func(in *tokenomics.Inputs) { in.Credit, in.Wanted = at(661_500), 1 })
	require.Equal(t, tokenomics.Warned, r.Flags)
	require.Equal(t, tokenomics.USD(1), r.Issued)
	require.Equal(t, uint32(945_000), r.RatioPPM)
	r = step(func(in *tokenomics.Inputs) {
		in.Credit, in.Wanted, in.Release, in.Owed = at(626_500), 1, at(626_500), owed
	})
	require.Equal(t, tokenomics.Warned|tokenomics.SalesHalted, r.Flags)
	require.Zero(t, r.Issued)
	require.Equal(t, tokenomics.Amount(159_616_919), r.Remint)
	// Without a price nothing is sold, and nobody is warned.
	r = step(func(in *tokenomics.Inputs) { in.Wanted = 1 })
	require.Equal(t, tokenomics.NoPrice, r.Flags)
	r = step(func(*tokenomics.Inputs) {})
	require.Zero(t, r.Flags)
}

// The ratio at both sides of both thresholds.
func TestCollateralThresholds(t *testing.T) {
	p := tokenomics.BurnMintPolicy{Name: "akash", WarnPPM: 950_000, HaltPPM: 900_000}
	for _, c := range []struct {
		micro uint64
		flags tokenomics.Flags
	}{
		{950_000, 0}, {949_999, tokenomics.Warned}, {900_000, tokenomics.Warned}, {899_999, tokenomics.Warned | tokenomics.SalesHalted},
	} {
		in := anHour()
		in.Credit, in.Wanted = at(c.micro), 1
		s := tokenomics.PolicyState{Decimals: 8, Genesis: 1 << 60, Cap: 1 << 61, Burned: tokens, Recycle: tokens, Credits: dollars(1)}
		_, r, err := p.Step(s, in)
		require.NoError(t, err)
		require.Equal(t, c.flags, r.Flags, c.micro)
		require.Equal(t, uint32(c.micro), r.RatioPPM)
		require.Equal(t, !c.flags.Has(tokenomics.SalesHalted), r.Issued == 1)
	}
}

func TestBurnMintRefuses(t *testing.T) {
	p := tokenomics.BurnMintPolicy{Name: "akash"}
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 100, Cap: 200}
	in := anHour()
	in.Credit, in.Wanted = at(1_000_000), 1
	_, r, err := p.Step(s, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(100), r.Burn, "all there is")
	in.Wanted = 2
	_, _, err = p.Step(s, in)
	require.ErrorIs(t, err, tokenomics.ErrInputs)
	require.ErrorContains(t, err, "more than there are")
	in.Wanted = 1<<64 - 1
	_, _, err = p.Step(s, in)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	in.Wanted, s.Credits = 1, 1<<64-1
	_, _, err = p.Step(s, in)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	in.Credit.Source = ""
	_, _, err = p.Step(s, in)
	require.ErrorIs(t, err, tokenomics.ErrPrice)
}

// Helium: what was burned fills a pool, of which an epoch returns a 336th, at most a hundredth of its emission.
func TestNetEmissionByHand(t *testing.T) {
	curve := newSchedule(t, tokenomics.EmissionParams{ID: "hnt", Base: 10_000_000, Rate: decimal.New(1, -2), Epochs: 1000, Cap: 1 << 40})
	p := tokenomics.NetEmissionPolicy{Name: "helium", Curve: fixedPolicy(t, curve, hours(july2024())), Parts: 336, MaxBps: 100}
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 1_000_000, Cap: 100_000_000}
	for _, c := range []struct {
		burned, remint, pool tokenomics.Amount
	}{
		{335, 0, 335},           // 335 / 336
		{1, 1, 335},             // 336 / 336
		{335_664, 999, 335_000}, // 335,999 / 336 = 999.997
		{0, 997, 334_003},       // 335,000 / 336 = 997.02
	} {
		in := anHour()
		in.Burned = c.burned
		next, r, err := p.Step(s, in)
		require.NoError(t, err)
		require.Equal(t, tokenomics.Amount(100_000), r.Mint)
		require.Equal(t, c.remint, r.Remint, "burned %d", c.burned)
		require.Equal(t, c.pool, next.Recycle)
		require.Equal(t, r.Mint+r.Remint, r.Budget)
		s = next
	}
	in := anHour()
	in.Burned = 336_000
	_, r, err := p.Step(s, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(1000), r.Remint, "a hundredth of the emission")
	require.Equal(t, "helium", r.Policy)

	s.Credits = 1 // of a burn-and-mint policy that decided before: the pool backs it
	next, r, err := p.Step(s, in)
	require.NoError(t, err)
	require.Zero(t, r.Remint)
	require.Equal(t, s.Recycle+in.Burned, next.Recycle)
}

// Solana: 8 % falling by 15 % a year to 1.5 %, of the current supply.
func TestInflationByHand(t *testing.T) {
	f, err := tokenomics.NewInflation(solana())
	require.NoError(t, err)
	const supply = 500_000_000 * tokens
	year := func(n int) time.Time { return july2024().Add(time.Duration(n) * 365 * 24 * time.Hour) }
	for _, c := range []struct {
		year int
		rate string
	}{
		{0, "0.08"}, {1, "0.068"}, {2, "0.0578"}, {10, "0.015749952347257812500000"}, {11, "0.015"}, {50, "0.015"},
	} {
		want := new(big.Rat).Mul(new(big.Rat).SetInt64(supply), decimal.RequireFromString(c.rate).Rat())
		for _, part := range []int64{1, 12, 365, 8760} {
			length := time.Duration(int64(365*24*time.Hour) / part)
			_, r, err := f.Step(tokenomics.PolicyState{Decimals: 8, Genesis: supply, Cap: 1 << 63}, tokenomics.Inputs{Start: year(c.year), End: year(c.year).Add(length)})
			require.NoError(t, err)
			exact := new(big.Rat).Quo(want, new(big.Rat).SetInt64(part))
			off := exact.Sub(exact, new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(r.Mint))))
			require.GreaterOrEqual(t, off.Sign(), 0, "never more than the rate")
			require.Negative(t, off.Cmp(big.NewRat(101, 100)), "year %d, a %dth of it: %s units short", c.year, part, off.FloatString(3))
		}
	}
	// The last second of a year has its rate, the first of the next one the next.
	second := func(at time.Time) tokenomics.Amount {
		_, r, err := f.Step(tokenomics.PolicyState{Decimals: 8, Genesis: supply, Cap: 1 << 63}, tokenomics.Inputs{Start: at, End: at.Add(time.Second)})
		require.NoError(t, err)
		return r.Mint
	}
	require.Equal(t, tokenomics.Amount(126_839_167), second(year(1).Add(-time.Second)), "supply * 0.08 / 31,536,000 = 126,839,167.9")
	require.Equal(t, tokenomics.Amount(107_813_292), second(year(1)))
	require.Zero(t, second(july2024().Add(-time.Second)), "before the start")
}

// Fractions are carried: a supply of which an hour mints a tenth of a unit mints a unit in ten hours.
func TestInflationCarries(t *testing.T) {
	p := solana()
	p.Taper = decimal.Zero
	f, err := tokenomics.NewInflation(p)
	require.NoError(t, err)
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 10_950, Cap: 1 << 40} // * 0.08 / 8760 = 0.1
	var minted tokenomics.Amount
	exact, hour := new(big.Rat), big.NewRat(8, 876_000)
	for h := range 200 {
		exact.Add(exact, new(big.Rat).Mul(hour, new(big.Rat).SetInt64(int64(s.Total()))))
		next, r, err := f.Step(s, tokenomics.Inputs{Start: july2024().Add(time.Duration(h) * time.Hour), End: july2024().Add(time.Duration(h+1) * time.Hour)})
		require.NoError(t, err)
		minted += r.Mint
		s = next
		due := new(big.Int).Quo(exact.Num(), exact.Denom()).Uint64()
		if uint64(minted) != due { // the rate is low by less than 2^-60 an hour, which shows where the sum is a whole number
			require.True(t, exact.IsInt(), "after %d hours: %s of %s", h+1, minted, exact.FloatString(9))
			require.Equal(t, due-1, uint64(minted))
		}
	}
	_, _, err = f.Step(s, tokenomics.Inputs{Start: july2024(), End: july2024().Add(366 * 24 * time.Hour)})
	require.ErrorIs(t, err, tokenomics.ErrInputs, "more than a year at one rate")
}

// The cap holds whatever the rate says.
func TestInflationWithinTheCap(t *testing.T) {
	p := solana()
	p.Initial, p.Taper, p.Floor = decimal.New(1, 0), decimal.Zero, decimal.Zero
	f, err := tokenomics.NewInflation(p)
	require.NoError(t, err)
	in := tokenomics.Inputs{Start: july2024(), End: july2024().Add(365 * 24 * time.Hour)}
	next, r, err := f.Step(tokenomics.PolicyState{Decimals: 8, Genesis: 1000, Cap: 1700}, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(700), r.Mint)
	require.Equal(t, tokenomics.Capped, r.Flags)
	require.Zero(t, next.Room())
	next, r, err = f.Step(tokenomics.PolicyState{Decimals: 8, Genesis: 1000, Cap: 5000}, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(999), r.Mint, "100 % of 1000, less what rounding down leaves")
	require.Equal(t, tokenomics.Amount(1999), next.Total())
}

func TestInflationRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *tokenomics.InflationPolicy)
		says   string
	}{
		{"no name", func(p *tokenomics.InflationPolicy) { p.Name = "" }, "no id"},
		{"no start", func(p *tokenomics.InflationPolicy) { p.Start = time.Time{} }, "no start"},
		{"no rate", func(p *tokenomics.InflationPolicy) { p.Initial = decimal.Zero }, "initial is 0"},
		{"a rate above 1", func(p *tokenomics.InflationPolicy) { p.Initial = decimal.New(11, -1) }, "initial"},
		{"a negative taper", func(p *tokenomics.InflationPolicy) { p.Taper = decimal.New(-1, -1) }, "taper"},
		{"a taper of 65 places", func(p *tokenomics.InflationPolicy) { p.Taper = decimal.New(1, -65) }, "taper"},
		{"a floor that fills memory", func(p *tokenomics.InflationPolicy) { p.Floor = decimal.New(1, 1<<30) }, "floor"},
	} {
		p := solana()
		c.change(&p)
		_, err := tokenomics.NewInflation(p)
		require.ErrorIs(t, err, tokenomics.ErrPolicy, c.name)
		require.ErrorContains(t, err, c.says, c.name)
	}
	p := solana()
	p.Initial, p.Taper, p.Floor = decimal.New(1, -64), decimal.New(1, -64), decimal.New(1, -64)
	_, err := tokenomics.NewInflation(p)
	require.NoError(t, err, "64 places are taken")
	p = solana()
	p.Initial, p.Taper, p.Floor = decimal.New(1, 0), decimal.New(1, 0), decimal.New(1, 0)
	_, err = tokenomics.NewInflation(p)
	require.NoError(t, err, "all of it")
	p = solana()
	p.Taper = decimal.New(1, -9) // falls for longer than anybody lives
	f, err := tokenomics.NewInflation(p)
	require.NoError(t, err)
	require.Equal(t, "solana", f.ID())
}
