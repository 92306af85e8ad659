package tokenomics_test

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// checkProgramme holds for every burn programme: it is pure, spends no more than the revenue, and nothing of nothing.
func checkProgramme(t *testing.T, p tokenomics.BurnProgramme, in tokenomics.BurnInputs) tokenomics.USD {
	t.Helper()
	require.NoError(t, p.Validate())
	got, err := p.Spend(in)
	require.NoError(t, err)
	again, err := p.Spend(in)
	require.NoError(t, err)
	require.Equal(t, got, again)
	require.LessOrEqual(t, got, in.Revenue)
	in.Revenue = 0
	none, err := p.Spend(in)
	require.NoError(t, err)
	require.Zero(t, none)
	return got
}

func TestBurnProgrammes(t *testing.T) {
	const most = math.MaxUint64
	half := tokenomics.SurplusBurnPolicy{ShareBps: 5_000}
	for _, c := range []struct {
		name          string
		p             tokenomics.BurnProgramme
		revenue, paid tokenomics.USD
		spot, ref     uint64
		want          tokenomics.USD
	}{
		{"surplus", half, 100, 40, 1, 1, 30},
		{"odd surplus, rounded up", half, 100, 39, 1, 1, 31},
		{"a millionth of surplus", half, 40, 39, 1, 1, 1},
		{"no surplus", half, 40, 40, 1, 1, 0},
		{"loss", half, 40, 41, 1, 1, 0},
		{"all of the surplus", tokenomics.SurplusBurnPolicy{ShareBps: 10_000}, most, 1, 1, 1, most - 1},
		{"revenue share", tokenomics.RevenueBurnPolicy{ShareBps: 1_000}, 1_001, 5_000, 1, 1, 101},
		{"no revenue share", tokenomics.RevenueBurnPolicy{}, 1_001, 0, 1, 1, 0},
		{"all revenue", tokenomics.RevenueBurnPolicy{ShareBps: 10_000}, most, 0, 1, 1, most},
		{"price curve, at the reference", tokenomics.IONet().Burn, 1_001, 5_000, 2, 2, 501},
		{"price curve, twice as dear", tokenomics.IONet().Burn, 1_001, 5_000, 4, 2, 251},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := tokenomics.BurnInputs{Revenue: c.revenue, Paid: c.paid, Spot: price(c.spot), Reference: price(c.ref)}
			require.Equal(t, c.want, checkProgramme(t, c.p, in))
		})
	}
	for _, bad := range []tokenomics.BurnProgramme{
		tokenomics.SurplusBurnPolicy{ShareBps: 4_999},
		tokenomics.SurplusBurnPolicy{ShareBps: 10_001},
		tokenomics.RevenueBurnPolicy{ShareBps: 10_001},
		tokenomics.BurnPolicy{MaxBps: 10_001},
	} {
		require.ErrorIs(t, bad.Validate(), tokenomics.ErrBurn)
		_, err := bad.Spend(tokenomics.BurnInputs{Revenue: 1, Spot: price(1), Reference: price(1)})
		require.ErrorIs(t, err, tokenomics.ErrBurn)
	}
	_, err := tokenomics.IONet().Burn.Spend(tokenomics.BurnInputs{Revenue: 1, Spot: price(1)})
	require.ErrorIs(t, err, tokenomics.ErrPrice)
}

func TestBreakEven(t *testing.T) {
	p := tokenomics.BurnPolicy{ShareBps: 5_000, MinBps: 1_000, MaxBps: 10_000}
	const token, dollar = tokenomics.UnitsPerToken, tokenomics.MicrosPerUSD
	for _, c := range []struct {
		name      string
		emission  tokenomics.Amount
		spot, ref uint64
		want      string
	}{
		{"at the reference half burns", 100 * token, 2 * dollar, 2 * dollar, "400"},
		{"cheap: all burns", 100 * token, dollar, 2 * dollar, "100"},
		{"dear: a tenth burns", 100 * token, 20 * dollar, 2 * dollar, "20000"},
		{"a share that does not divide", 1, 3 * dollar, 2 * dollar, "0.00000009"},
		{"the least of all", 1, 1, 3 * dollar, "0.00000000000001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.BreakEvenRevenue(c.emission, price(c.spot), price(c.ref))
			require.NoError(t, err)
			require.Equal(t, c.want, got.String())
		})
	}
	third := tokenomics.BurnPolicy{ShareBps: 3_000, MinBps: 3_000, MaxBps: 3_000}
	got, err := third.BreakEvenRevenue(100*token, price(dollar), price(dollar))
	require.NoError(t, err)
	require.Equal(t, "333."+strings.Repeat("3", 37)+"4", got.String(), "38 places, up")

	for _, c := range []struct {
		name     string
		p        tokenomics.BurnPolicy
		emission tokenomics.Amount
		revenue  tokenomics.USD
		ref      uint64
		want     string
	}{
		// p = sqrt(400 * 0.5 * 2 / 100): the inverse of the first row above.
		{"between the bounds", p, 100 * token, 400 * dollar, 2 * dollar, "2"},
		{"an irrational one", p, 100 * token, 200 * dollar, 2 * dollar, "1.41421356237309504880168872420969807856"},
		{"where the share becomes the largest", p, 100 * token, 100 * dollar, 2 * dollar, "1"},
		{"below that: all burns", p, 100 * token, 50 * dollar, 2 * dollar, "0.5"},
		{"where the share becomes the least", p, 100 * token, 10_000 * dollar, 2 * dollar, "10"},
		{"above that: a tenth burns", p, 100 * token, 20_000 * dollar, 2 * dollar, "20"},
		{"a fixed share", third, 900 * token, 1_000 * dollar, dollar, "0.33333333333333333333333333333333333333"},
		{"no least share", tokenomics.BurnPolicy{ShareBps: 5_000, MaxBps: 10_000}, 100 * token, 40_000 * dollar, 2 * dollar, "20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.p.BreakEvenPrice(c.emission, c.revenue, price(c.ref))
			require.NoError(t, err)
			require.Equal(t, c.want, got.String())
		})
	}
	_, err = tokenomics.BurnPolicy{}.BreakEvenRevenue(1, price(1), price(1))
	require.ErrorIs(t, err, tokenomics.ErrBurn)
	_, err = p.BreakEvenRevenue(1, price(1), price(0))
	require.ErrorIs(t, err, tokenomics.ErrPrice)
	_, err = p.BreakEvenPrice(1, 1, price(0))
	require.ErrorIs(t, err, tokenomics.ErrPrice)
	for _, bad := range []struct {
		p        tokenomics.BurnPolicy
		emission tokenomics.Amount
		revenue  tokenomics.USD
	}{{p, 0, 1}, {p, 1, 0}, {tokenomics.BurnPolicy{MaxBps: 1}, 1, 1}} {
		_, err = bad.p.BreakEvenPrice(bad.emission, bad.revenue, price(1))
		require.ErrorIs(t, err, tokenomics.ErrBurn)
	}
}

// At the break-even price as much burns as is emitted: revenue * share(p) / p is at least the emission there, and less
// at the next of 38 places.
func FuzzBreakEven(f *testing.F) {
	f.Add(uint64(10_000_000_000), uint64(200_000_000), uint64(2_000_000), uint16(5_000), uint16(1_000), uint16(10_000))
	f.Add(uint64(1), uint64(math.MaxUint64), uint64(1), uint16(1), uint16(0), uint16(1))
	f.Add(uint64(102), uint64(math.MaxUint64), uint64(242), uint16(0), uint16(0), uint16(1))
	f.Fuzz(func(t *testing.T, emission, revenue, ref uint64, share, least, most uint16) {
		p := tokenomics.BurnPolicy{ShareBps: uint32(share), MinBps: uint32(least), MaxBps: uint32(most)}
		got, err := p.BreakEvenPrice(tokenomics.Amount(emission), tokenomics.USD(revenue), price(ref))
		if err != nil {
			return
		}
		rat := func(v, scale uint64) *big.Rat {
			return new(big.Rat).SetFrac(new(big.Int).SetUint64(v), new(big.Int).SetUint64(scale))
		}
		burned := func(at *big.Rat) *big.Rat { // tokens
			s := rat(uint64(share), 10_000)
			s.Mul(s, rat(ref, tokenomics.MicrosPerUSD)).Quo(s, at)
			if low := rat(uint64(least), 10_000); s.Cmp(low) < 0 {
				s = low
			}
			if high := rat(uint64(most), 10_000); s.Cmp(high) > 0 {
				s = high
			}
			return s.Mul(s, rat(revenue, tokenomics.MicrosPerUSD)).Quo(s, at)
		}
		want := rat(emission, tokenomics.UnitsPerToken)
		require.NotEqual(t, 0, got.Sign(), "38 places hold every price")
		require.GreaterOrEqual(t, burned(got.Rat()).Cmp(want), 0)
		require.Negative(t, burned(got.Add(decimal.New(1, -38)).Rat()).Cmp(want))
	})
}

func buyBack() tokenomics.BuyBackPolicy {
	return tokenomics.BuyBackPolicy{
		Decimals: 8, MaxAge: time.Minute, MinMicro: 1_000_000, MaxMicro: 4_000_000, MaxSlippageBps: 100,
	}
}

func TestBuyBackOrder(t *testing.T) {
	at := issued()
	for _, c := range []struct {
		name  string
		spend tokenomics.USD
		micro uint64
		after time.Duration
		spoil func(p *tokenomics.Price)
		err   error
	}{
		{name: "good", spend: 100, micro: 3_000_000},
		{name: "as old as may be", spend: 100, micro: 3_000_000, after: time.Minute},
		{name: "a nanosecond older", spend: 100, micro: 3_000_000, after: time.Minute + 1, err: tokenomics.ErrPrice},
		{name: "of the future", spend: 100, micro: 3_000_000, after: -1, err: tokenomics.ErrPrice},
		{name: "least price", spend: 100, micro: 1_000_000},
		{name: "below it", spend: 100, micro: 999_999, err: tokenomics.ErrPrice},
		{name: "largest price", spend: 100, micro: 4_000_000},
		{name: "above it", spend: 100, micro: 4_000_001, err: tokenomics.ErrPrice},
		{name: "zero", spend: 100, micro: 0, err: tokenomics.ErrPrice},
		{name: "no source", spend: 100, micro: 3_000_000, spoil: func(p *tokenomics.Price) { p.Source = "" }, err: tokenomics.ErrPrice},
		{name: "no time", spend: 100, micro: 3_000_000, spoil: func(p *tokenomics.Price) { p.At = time.Time{} }, err: tokenomics.ErrPrice},
		{name: "no dollars", micro: 3_000_000, err: tokenomics.ErrBuyBack},
		{name: "too many", spend: math.MaxUint64, micro: 1_000_000, err: tokenomics.ErrOverflow},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := price(c.micro)
			if c.spoil != nil {
				c.spoil(&p)
			}
			o, err := buyBack().Order(at.Add(c.after), c.spend, p)
			require.ErrorIs(t, err, c.err)
			if c.err != nil {
				require.Zero(t, o)
				return
			}
			require.Equal(t, c.spend, o.USD)
			require.Equal(t, p, o.Price)
		})
	}
	o, err := buyBack().Order(at, 100_000_000, price(3_000_000))
	require.NoError(t, err)
	require.Equal(t, "33.33333333", o.Expected.String())
	require.Equal(t, "33", o.Least.String(), "99 % of it, rounded up")
}

func TestBuyBackConfirm(t *testing.T) {
	p := buyBack()
	o, err := p.Order(issued(), 100_000_000, price(3_000_000))
	require.NoError(t, err)
	for _, c := range []struct {
		name    string
		r       tokenomics.Purchase
		unspent tokenomics.USD
		err     error
	}{
		{"as expected", tokenomics.Purchase{Bought: o.Expected, Spent: o.USD, Proof: "p"}, 0, nil},
		{"a bargain", tokenomics.Purchase{Bought: 2 * o.Expected, Spent: o.USD, Proof: "p"}, 0, nil},
		{"the least", tokenomics.Purchase{Bought: o.Least, Spent: o.USD, Proof: "p"}, 0, nil},
		{"a unit less", tokenomics.Purchase{Bought: o.Least - 1, Spent: o.USD, Proof: "p"}, 0, tokenomics.ErrSlippage},
		{"half", tokenomics.Purchase{Bought: 1_650_000_000, Spent: 50_000_000, Proof: "p"}, 50_000_000, nil},
		{"half, a unit less", tokenomics.Purchase{Bought: 1_649_999_999, Spent: 50_000_000, Proof: "p"}, 0, tokenomics.ErrSlippage},
		{"a millionth more than ordered", tokenomics.Purchase{Bought: o.Expected, Spent: o.USD + 1, Proof: "p"}, 0, tokenomics.ErrPurchase},
		{"nothing bought", tokenomics.Purchase{Spent: 1, Proof: "p"}, 0, tokenomics.ErrPurchase},
		{"nothing spent", tokenomics.Purchase{Bought: 1, Proof: "p"}, 0, tokenomics.ErrPurchase},
		{"no proof", tokenomics.Purchase{Bought: o.Expected, Spent: o.USD}, 0, tokenomics.ErrPurchase},
		{"longest proof", tokenomics.Purchase{Bought: o.Expected, Spent: o.USD, Proof: strings.Repeat("p", 128)}, 0, nil},
		{"proof too long", tokenomics.Purchase{Bought: o.Expected, Spent: o.USD, Proof: strings.Repeat("p", 129)}, 0, tokenomics.ErrPurchase},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Confirm(o, c.r)
			require.ErrorIs(t, err, c.err)
			if c.err != nil {
				require.Zero(t, got)
				return
			}
			require.Equal(t, tokenomics.BuyBack{Burn: c.r.Bought, Spent: c.r.Spent, Unspent: c.unspent, Proof: c.r.Proof}, got)
			require.Equal(t, o.USD, got.Spent+got.Unspent)
		})
	}
	forged := tokenomics.BuyBackOrder{USD: 5}
	_, err = p.Confirm(forged, tokenomics.Purchase{Bought: 1, Spent: 1, Proof: "p"})
	require.ErrorIs(t, err, tokenomics.ErrPrice, "an order without a price confirms nothing")
}

func TestBuyBackPolicyValidate(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(p *tokenomics.BuyBackPolicy)
		err   error
	}{
		{"good", func(*tokenomics.BuyBackPolicy) {}, nil},
		{"shortest age", func(p *tokenomics.BuyBackPolicy) { p.MaxAge = 1 }, nil},
		{"no age", func(p *tokenomics.BuyBackPolicy) { p.MaxAge = 0 }, tokenomics.ErrBuyBack},
		{"one price", func(p *tokenomics.BuyBackPolicy) { p.MinMicro = p.MaxMicro }, nil},
		{"not in order", func(p *tokenomics.BuyBackPolicy) { p.MinMicro = p.MaxMicro + 1 }, tokenomics.ErrBuyBack},
		{"free", func(p *tokenomics.BuyBackPolicy) { p.MinMicro = 0 }, tokenomics.ErrBuyBack},
		{"dearest", func(p *tokenomics.BuyBackPolicy) { p.MaxMicro = 1e15 }, nil},
		{"too dear", func(p *tokenomics.BuyBackPolicy) { p.MaxMicro = 1e15 + 1 }, tokenomics.ErrBuyBack},
		{"largest slippage", func(p *tokenomics.BuyBackPolicy) { p.MaxSlippageBps = 9_999 }, nil},
		{"slips away", func(p *tokenomics.BuyBackPolicy) { p.MaxSlippageBps = 10_000 }, tokenomics.ErrBuyBack},
		{"decimals", func(p *tokenomics.BuyBackPolicy) { p.Decimals = 10 }, tokenomics.ErrDecimals},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := buyBack()
			c.spoil(&p)
			require.ErrorIs(t, p.Validate(), c.err)
			if c.err == nil {
				return
			}
			_, err := p.Order(issued(), 1, price(3_000_000))
			require.ErrorIs(t, err, c.err)
			_, err = p.Confirm(tokenomics.BuyBackOrder{USD: 1, Price: price(3_000_000)}, tokenomics.Purchase{Bought: 9, Spent: 1, Proof: "p"})
			require.ErrorIs(t, err, c.err)
		})
	}
}
