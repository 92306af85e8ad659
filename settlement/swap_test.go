package settlement_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func swapAssets() (io, usdc settlement.Asset) {
	p := settlement.IONet()
	return p.Assets[0], p.Assets[1]
}

func swapNoon() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

func swapPolicy() settlement.SwapPolicy {
	io, usdc := swapAssets()
	return settlement.SwapPolicy{
		Dollar: usdc, Token: io, MaxAgeSeconds: 60, MaxSpreadBps: 100, MaxSlippageBps: 50, MaxGainBps: 200, MaxImpactBps: 30, MaxSlots: 10,
	}
}

func marketAt(bid, ask uint64, at time.Time) settlement.Market {
	return settlement.Market{
		Bid: tokenomics.Price{MicroPerToken: bid, At: at, Source: "own"},
		Ask: tokenomics.Price{MicroPerToken: ask, At: at, Source: "own"},
	}
}

// Every bound of a quote, at its last good value and at the first bad one.
func TestSwapPolicyCheck(t *testing.T) {
	io, usdc := swapAssets()
	// 40 dollars at 2.50 to 2.52: floor(40/2.52) = 15.87301587 IO, 0.5 % less is 15.7936507906..., up; 16 IO and 2 % more 16.32.
	const low, least, most = 1_587_301_587, 1_579_365_080, 1_632_000_000
	good := settlement.SwapQuote{In: usdc, Out: io, Units: 40_000_000, Expect: 1_590_000_000, Least: 1_580_000_000, ImpactBps: 30, Slot: 100}
	for name, row := range map[string]struct {
		change func(q *settlement.SwapQuote, m *settlement.Market, slot *uint64, floor *uint64)
		field  string // of the refusal, empty for none
	}{
		"as it is":          {func(*settlement.SwapQuote, *settlement.Market, *uint64, *uint64) {}, ""},
		"least":             {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.Expect, q.Least = least, 0 }, ""},
		"below":             {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.Expect, q.Least = least-1, 0 }, "Expect"},
		"most":              {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.Expect = most }, ""},
		"above":             {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.Expect = most + 1 }, "Expect"},
		"the line's least":  {func(_ *settlement.SwapQuote, _ *settlement.Market, _, f *uint64) { *f = 1_590_000_000 }, ""},
		"less than it":      {func(_ *settlement.SwapQuote, _ *settlement.Market, _, f *uint64) { *f = 1_590_000_001 }, "Expect"},
		"least is expected": {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.Least = q.Expect }, ""},
		"least is more":     {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.Least = q.Expect + 1 }, "Least"},
		"impact":            {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.ImpactBps = 31 }, "ImpactBps"},
		"10 slots old":      {func(_ *settlement.SwapQuote, _ *settlement.Market, s, _ *uint64) { *s = 110 }, ""},
		"11 slots old":      {func(_ *settlement.SwapQuote, _ *settlement.Market, s, _ *uint64) { *s = 111 }, "Slot"},
		"of the next slot":  {func(_ *settlement.SwapQuote, _ *settlement.Market, s, _ *uint64) { *s = 99 }, "Slot"},
		"no units":          {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.Units = 0 }, "Units"},
		"same asset":        {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.Out = q.In }, "Out"},
		"other decimals":    {func(q *settlement.SwapQuote, _ *settlement.Market, _, _ *uint64) { q.Out.Decimals++ }, "Out"},
		"no bid":            {func(_ *settlement.SwapQuote, m *settlement.Market, _, _ *uint64) { m.Bid = tokenomics.Price{} }, "Bid"},
		"no ask":            {func(_ *settlement.SwapQuote, m *settlement.Market, _, _ *uint64) { m.Ask = tokenomics.Price{} }, "Ask"},
		"no source":         {func(_ *settlement.SwapQuote, m *settlement.Market, _, _ *uint64) { m.Ask.Source = "" }, "Ask"},
		"crossed":           {func(_ *settlement.SwapQuote, m *settlement.Market, _, _ *uint64) { m.Ask.MicroPerToken = 2_499_999 }, "Ask"},
		"spread of 100 bps": {func(_ *settlement.SwapQuote, m *settlement.Market, _, _ *uint64) { m.Ask.MicroPerToken = 2_525_000 }, ""},
		"and a millionth":   {func(_ *settlement.SwapQuote, m *settlement.Market, _, _ *uint64) { m.Ask.MicroPerToken = 2_525_001 }, "Spread"},
		"60 s old": {func(_ *settlement.SwapQuote, m *settlement.Market, _, _ *uint64) {
			m.Bid.At = swapNoon().Add(-time.Minute)
		}, ""},
		"a ns more": {func(_ *settlement.SwapQuote, m *settlement.Market, _, _ *uint64) {
			m.Bid.At = swapNoon().Add(-time.Minute - 1)
		}, "Bid"},
		"of the future": {func(_ *settlement.SwapQuote, m *settlement.Market, _, _ *uint64) { m.Ask.At = swapNoon().Add(1) }, "Ask"},
	} {
		t.Run(name, func(t *testing.T) {
			q, m, slot, floor := good, marketAt(2_500_000, 2_520_000, swapNoon()), uint64(105), uint64(1)
			row.change(&q, &m, &slot, &floor)
			err := swapPolicy().Check(swapNoon(), slot, m, q, floor)
			if row.field == "" {
				require.NoError(t, err)
				return
			}
			var refused *settlement.QuoteError
			require.ErrorAs(t, err, &refused)
			require.ErrorIs(t, err, settlement.ErrQuote)
			require.Equal(t, row.field, refused.Field, "%s", err)
		})
	}
	a, b, err := swapPolicy().Fair(swapNoon(), marketAt(2_500_000, 2_520_000, swapNoon()), usdc, io, 40_000_000)
	require.NoError(t, err)
	require.EqualValues(t, low, a)
	require.EqualValues(t, 1_600_000_000, b)
	// The other way round: 16 IO are 40 to 40.32 dollars.
	a, b, err = swapPolicy().Fair(swapNoon(), marketAt(2_500_000, 2_520_000, swapNoon()), io, usdc, 1_600_000_000)
	require.NoError(t, err)
	require.EqualValues(t, 40_000_000, a)
	require.EqualValues(t, 40_320_000, b)
	// Less than a base unit is worth nothing and cannot be swapped.
	_, err = swapPolicy().Least(swapNoon(), marketAt(2_500_000, 2_500_000, swapNoon()), io, usdc, 1)
	require.ErrorIs(t, err, settlement.ErrQuote)
	_, err = swapPolicy().Least(swapNoon(), marketAt(1, 1, swapNoon()), usdc, io, math.MaxUint64)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
}

func TestSwapPolicyValidate(t *testing.T) {
	require.NoError(t, swapPolicy().Validate())
	for field, change := range map[string]func(p *settlement.SwapPolicy){
		"Dollar is":              func(p *settlement.SwapPolicy) { p.Dollar.Decimals = 8 },
		"Dollar is mint":         func(p *settlement.SwapPolicy) { p.Dollar.Mint = "" },
		"Token is":               func(p *settlement.SwapPolicy) { p.Token.Decimals = 10 },
		"Token is mint":          func(p *settlement.SwapPolicy) { p.Token.Mint = p.Dollar.Mint },
		"MaxAgeSeconds is 0":     func(p *settlement.SwapPolicy) { p.MaxAgeSeconds = 0 },
		"MaxAgeSeconds is 86401": func(p *settlement.SwapPolicy) { p.MaxAgeSeconds = 86401 },
		"MaxSpreadBps":           func(p *settlement.SwapPolicy) { p.MaxSpreadBps = 10_001 },
		"MaxSlippageBps":         func(p *settlement.SwapPolicy) { p.MaxSlippageBps = 10_000 },
		"MaxGainBps":             func(p *settlement.SwapPolicy) { p.MaxGainBps = 10_001 },
		"MaxImpactBps":           func(p *settlement.SwapPolicy) { p.MaxImpactBps = 10_001 },
	} {
		p := swapPolicy()
		change(&p)
		err := p.Validate()
		require.ErrorIs(t, err, settlement.ErrSwapPolicy)
		require.ErrorContains(t, err, field)
		require.ErrorIs(t, p.Check(swapNoon(), 1, settlement.Market{}, settlement.SwapQuote{}, 1), settlement.ErrSwapPolicy)
	}
}

// FuzzSwapPolicy compares Fair, Least and Check with rational numbers.
func FuzzSwapPolicy(f *testing.F) {
	f.Add(uint64(40_000_000), uint64(2_500_000), uint64(20_000), uint16(50), uint16(200), uint64(1_590_000_000), false)
	f.Add(uint64(1), uint64(1), uint64(0), uint16(9999), uint16(0), uint64(1), true)
	f.Add(uint64(math.MaxUint64), uint64(1_000_000_000_000_000), uint64(5), uint16(0), uint16(10_000), uint64(math.MaxUint64), true)
	f.Fuzz(func(t *testing.T, units, bid, more uint64, slip, gain uint16, expect uint64, sell bool) {
		io, usdc := swapAssets()
		p := swapPolicy()
		p.MaxSpreadBps, p.MaxSlippageBps, p.MaxGainBps = 10_000, uint32(slip)%10_000, uint32(gain)%10_001
		bid = bid%1_000_000_000_000_000 + 1
		ask := min(bid+more%bid, 1_000_000_000_000_000)
		m := marketAt(bid, ask, swapNoon())
		in, out := usdc, io
		// Base units of out for one of in, by bid and by ask.
		byBid, byAsk := big.NewRat(1, 1).SetFrac64(100_000_000, int64(bid)), big.NewRat(1, 1).SetFrac64(100_000_000, int64(ask))
		low, high := byAsk, byBid
		if sell {
			in, out = io, usdc
			low, high = new(big.Rat).Inv(byBid), new(big.Rat).Inv(byAsk)
		}
		n := new(big.Rat).SetInt(new(big.Int).SetUint64(units))
		wantLow, wantHigh := floorOf(new(big.Rat).Mul(n, low)), ceilOf(new(big.Rat).Mul(n, high))
		bps := func(v *big.Int, num int64) *big.Rat {
			return new(big.Rat).Mul(new(big.Rat).SetInt(v), big.NewRat(num, 10_000))
		}
		wantLeast, wantMost := ceilOf(bps(wantLow, 10_000-int64(p.MaxSlippageBps))), floorOf(bps(wantHigh, 10_000+int64(p.MaxGainBps)))

		gotLow, gotHigh, err := p.Fair(swapNoon(), m, in, out, units)
		if units == 0 {
			require.ErrorIs(t, err, settlement.ErrQuote)
			return
		}
		if !wantLow.IsUint64() || !wantHigh.IsUint64() {
			require.ErrorIs(t, err, tokenomics.ErrOverflow)
			return
		}
		require.NoError(t, err)
		require.Equal(t, wantLow.Uint64(), gotLow)
		require.Equal(t, wantHigh.Uint64(), gotHigh)
		err = p.Check(swapNoon(), 1, m, settlement.SwapQuote{In: in, Out: out, Units: units, Expect: expect, Slot: 1}, 1)
		switch e := new(big.Int).SetUint64(expect); {
		case wantLeast.Sign() == 0:
			require.ErrorIs(t, err, settlement.ErrQuote)
		case !wantMost.IsUint64():
			require.ErrorIs(t, err, tokenomics.ErrOverflow)
		case e.Cmp(wantLeast) < 0 || e.Cmp(wantMost) > 0:
			require.ErrorIs(t, err, settlement.ErrQuote)
		default:
			require.NoError(t, err)
		}
	})
}

func floorOf(r *big.Rat) *big.Int { return new(big.Int).Quo(r.Num(), r.Denom()) }

func ceilOf(r *big.Rat) *big.Int {
	q, rem := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rem.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

func TestNewMarketNeedsAUsableReading(t *testing.T) {
	_, err := settlement.NewMarket(tokenomics.Reading{State: tokenomics.OracleHalted})
	require.ErrorIs(t, err, tokenomics.ErrPrice)
	spot := tokenomics.Price{MicroPerToken: 2_520_000, At: swapNoon(), Source: "a"}
	mean := tokenomics.Price{MicroPerToken: 2_500_000, At: swapNoon(), Source: "b"}
	m, err := settlement.NewMarket(tokenomics.Reading{State: tokenomics.OracleOK, Spot: spot, TWAP: mean})
	require.NoError(t, err)
	require.Equal(t, settlement.Market{Bid: mean, Ask: spot}, m)
}
