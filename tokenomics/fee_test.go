package tokenomics_test

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestQuote(t *testing.T) {
	additive := tokenomics.IONet().Fees
	compounded := additive
	compounded.Order = tokenomics.Compounded
	for _, c := range []struct {
		name           string
		policy         tokenomics.FeePolicy
		net            string
		with           tokenomics.Currency
		renter         [2]string // reservation, payment
		pays           string
		supplier       [2]string
		gets, revenues string
	}{
		{
			"1,000 in USDC, added", additive, "1000", tokenomics.USDC,
			[2]string{"2.50", "20.00"},
			"1022.50",
			[2]string{"2.50", "20.00"},
			"977.50", "45.00",
		},
		{
			"1,000 by card, added", additive, "1000", tokenomics.Card,
			[2]string{"2.50", "20.00"},
			"1022.50",
			[2]string{"2.50", "20.00"},
			"977.50", "45.00",
		},
		{
			"1,000 in USDC, compounded", compounded, "1000", tokenomics.USDC,
			[2]string{"2.50", "20.05"},
			"1022.55",
			[2]string{"2.50", "19.95"},
			"977.55", "45.00",
		},
		{
			"1,000 in IO", additive, "1000", tokenomics.IO,
			[2]string{"2.50", "0.00"},
			"1002.50",
			[2]string{"2.50", "0.00"},
			"997.50", "5.00",
		},
		{
			"1,000 in IO, compounded", compounded, "1000", tokenomics.IO,
			[2]string{"2.50", "0.00"},
			"1002.50",
			[2]string{"2.50", "0.00"},
			"997.50", "5.00",
		},
		{
			// 2.25 % of a millionth is rounded up once, not twice.
			"a millionth, added", additive, "0.000001", tokenomics.USDC,
			[2]string{"0.000001", "0.00"},
			"0.000002",
			[2]string{"0.000001", "0.00"},
			"0.00", "0.000002",
		},
		{
			"a millionth, compounded", compounded, "0.000001", tokenomics.USDC,
			[2]string{"0.000001", "0.000001"},
			"0.000003",
			[2]string{"0.000001", "0.00"},
			"0.00", "0.000003",
		},
		{
			"nothing", additive, "0", tokenomics.USDC,
			[2]string{"0.00", "0.00"},
			"0.00",
			[2]string{"0.00", "0.00"},
			"0.00", "0.00",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			net, err := tokenomics.ParseUSD(c.net)
			require.NoError(t, err)
			q, err := c.policy.Quote(net, c.with)
			require.NoError(t, err)
			require.Equal(t, c.renter, [2]string{q.RenterFees[0].Amount.String(), q.RenterFees[1].Amount.String()})
			require.Equal(t, c.supplier, [2]string{q.SupplierFees[0].Amount.String(), q.SupplierFees[1].Amount.String()})
			require.Equal(t, c.pays, q.RenterPays.String())
			require.Equal(t, c.gets, q.SupplierGets.String())
			require.Equal(t, c.revenues, q.Revenue.String())
			require.Equal(t, c.policy.Order, q.Order)
		})
	}
}

func TestQuoteRefuses(t *testing.T) {
	p := tokenomics.IONet().Fees
	_, err := p.Quote(1, 0)
	require.ErrorIs(t, err, tokenomics.ErrCurrency)
	_, err = p.Quote(1, tokenomics.Card+1)
	require.ErrorIs(t, err, tokenomics.ErrCurrency)
	for _, order := range []tokenomics.FeeOrder{tokenomics.Additive, tokenomics.Compounded} {
		p.Order = order
		_, err = p.Quote(math.MaxUint64, tokenomics.USDC)
		require.ErrorIs(t, err, tokenomics.ErrOverflow)
	}
	_, err = tokenomics.FeePolicy{}.Quote(1, tokenomics.IO)
	require.ErrorIs(t, err, tokenomics.ErrFees)

	whole := tokenomics.FeePolicy{ReservationBps: 8_000, PaymentCardBps: 2_000, Order: tokenomics.Additive}
	q, err := whole.Quote(5, tokenomics.Card)
	require.NoError(t, err, "100 % may be taken")
	require.Zero(t, q.SupplierGets)
	whole.PaymentCardBps++
	_, err = whole.Quote(5, tokenomics.IO)
	require.ErrorIs(t, err, tokenomics.ErrFees)
	require.ErrorContains(t, err, "10001 bps in card")
	whole.ReservationBps, whole.PaymentCardBps = 2, math.MaxUint32-1
	require.ErrorIs(t, whole.Validate(), tokenomics.ErrFees, "the sum must not wrap")
}

func FuzzQuote(f *testing.F) {
	f.Add(uint64(1_000_000_000), uint16(25), uint16(200), true, uint8(2))
	f.Fuzz(func(t *testing.T, net uint64, reservation, payment uint16, additive bool, with uint8) {
		p := tokenomics.FeePolicy{
			ReservationBps: uint32(reservation), PaymentUSDCBps: uint32(payment), PaymentCardBps: uint32(payment),
			Order: tokenomics.Compounded,
		}
		if additive {
			p.Order = tokenomics.Additive
		}
		q, err := p.Quote(tokenomics.USD(net), tokenomics.Currency(with))
		if err != nil {
			require.Zero(t, q)
			return
		}
		renter, supplier := q.Net, q.SupplierGets
		for i := range q.RenterFees {
			renter += q.RenterFees[i].Amount
			supplier += q.SupplierFees[i].Amount
		}
		require.Equal(t, q.RenterPays, renter, "the renter's lines add up")
		require.Equal(t, q.Net, supplier, "the supplier's lines add up")
		require.Equal(t, q.RenterPays, q.SupplierGets+q.Revenue)
		require.LessOrEqual(t, q.SupplierGets, q.Net)
		if additive {
			bps := uint64(q.RenterFees[0].Bps + q.RenterFees[1].Bps)
			fee := new(big.Int).Mul(new(big.Int).SetUint64(net), new(big.Int).SetUint64(bps))
			fee.Add(fee, big.NewInt(9_999)).Quo(fee, big.NewInt(10_000)) // rounded up once, on the total
			require.Equal(t, fee.Uint64(), uint64(q.RenterPays-q.Net))
			require.Equal(t, fee.Uint64(), uint64(q.Net-q.SupplierGets))
		}
	})
}

func price(micro uint64) tokenomics.Price {
	return tokenomics.Price{MicroPerToken: micro, At: time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC), Source: "test"}
}

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		name   string
		usd    tokenomics.USD
		price  uint64
		amount tokenomics.Amount
		rest   tokenomics.USD
		back   tokenomics.USD
	}{
		{"100 dollars at 2.50", 100_000_000, 2_500_000, 4_000_000_000, 0, 100_000_000},
		{"a price that does not divide", 100_000_000, 3_000_000, 3_333_333_333, 0, 99_999_999},
		{"nothing", 0, 2_500_000, 0, 0, 0},
		{"a millionth", 1, 2_500_000, 40, 0, 1},
		{"a base unit costs one millionth", 7, 100_000_000, 7, 0, 7},
		{"a base unit costs two and a half", 7, 250_000_000, 2, 2, 5},
		{"a base unit costs three, one short", 2, 300_000_000, 0, 2, 0},
		{"a base unit costs three, just enough", 3, 300_000_000, 1, 0, 3},
		{"a base unit costs three, one over", 4, 300_000_000, 1, 1, 3},
		{"dearest", 10_000_001, 1_000_000_000_000_000, 1, 1, 10_000_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			amount, rest, err := tokenomics.Convert(c.usd, price(c.price))
			require.NoError(t, err)
			require.Equal(t, c.amount, amount)
			require.Equal(t, c.rest, rest)
			back, err := tokenomics.BackToUSD(amount, price(c.price))
			require.NoError(t, err)
			require.Equal(t, c.back, back)
		})
	}
	_, _, err := tokenomics.Convert(math.MaxUint64, price(1))
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	_, err = tokenomics.BackToUSD(math.MaxUint64, price(1_000_000_000_000_000))
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
}

func TestPriceValidate(t *testing.T) {
	good := price(1)
	require.NoError(t, good.Validate())
	require.NoError(t, price(1_000_000_000_000_000).Validate())
	for _, bad := range []tokenomics.Price{
		price(0), price(1_000_000_000_000_001), {MicroPerToken: 1, At: good.At}, {MicroPerToken: 1, Source: "test"}, {},
	} {
		require.ErrorIs(t, bad.Validate(), tokenomics.ErrPrice)
		_, _, err := tokenomics.Convert(1, bad)
		require.ErrorIs(t, err, tokenomics.ErrPrice)
		_, err = tokenomics.BackToUSD(1, bad)
		require.ErrorIs(t, err, tokenomics.ErrPrice)
		_, err = tokenomics.IONet().Burn.Burn(1, bad, good)
		require.ErrorIs(t, err, tokenomics.ErrPrice)
		_, err = tokenomics.IONet().Burn.Burn(1, good, bad)
		require.ErrorIs(t, err, tokenomics.ErrPrice)
	}
}

func FuzzConvert(f *testing.F) {
	f.Add(uint64(100_000_000), uint64(2_500_000))
	f.Add(uint64(7), uint64(250_000_000))
	f.Fuzz(func(t *testing.T, usd, micro uint64) {
		amount, rest, err := tokenomics.Convert(tokenomics.USD(usd), price(micro))
		if err != nil {
			require.Zero(t, amount)
			require.Zero(t, rest)
			return
		}
		back, err := tokenomics.BackToUSD(amount, price(micro))
		require.NoError(t, err)
		require.LessOrEqual(t, back+rest, tokenomics.USD(usd), "converting and converting back gains")

		// What was spent pays for the amount, and one millionth less would not; one base unit more costs too much.
		unit := big.NewInt(tokenomics.UnitsPerToken)
		cost := func(units tokenomics.Amount) *big.Int {
			return new(big.Int).Mul(new(big.Int).SetUint64(uint64(units)), new(big.Int).SetUint64(micro))
		}
		scaled := func(u uint64) *big.Int { return new(big.Int).Mul(new(big.Int).SetUint64(u), unit) }
		spent := usd - uint64(rest)
		require.GreaterOrEqual(t, scaled(spent).Cmp(cost(amount)), 0)
		if spent > 0 {
			require.Negative(t, scaled(spent-1).Cmp(cost(amount)))
		}
		if amount < math.MaxUint64 {
			require.Positive(t, cost(amount+1).Cmp(scaled(usd)))
		}
	})
}

func TestBurn(t *testing.T) {
	p := tokenomics.IONet().Burn
	for _, c := range []struct {
		name      string
		revenue   tokenomics.Amount
		spot, ref uint64
		want      tokenomics.Amount
	}{
		{"at the reference", 1_000, 2_000_000, 2_000_000, 500},
		{"half as dear: all of it", 1_000, 1_000_000, 2_000_000, 1_000},
		{"just above half", 1_000_000, 1_000_001, 2_000_000, 1_000_000}, // 999,999.0: rounded up
		{"cheaper still: all of it and no more", 1_000, 1, 2_000_000, 1_000},
		{"twice as dear", 1_000, 4_000_000, 2_000_000, 250},
		{"five times as dear: the least share", 1_000, 10_000_000, 2_000_000, 100},
		{"dearer still", 1_000, 1_000_000_000, 2_000_000, 100},
		{"rounded up", 1, 4_000_000, 2_000_000, 1},
		{"nothing", 0, 2_000_000, 2_000_000, 0},
		{"dearest of all", 3, 1_000_000_000_000_000, 1_000_000_000_000_000, 2},
		{"all the tokens there can be", math.MaxUint64, 1, 1_000_000_000_000_000, math.MaxUint64},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Burn(c.revenue, price(c.spot), price(c.ref))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for _, bad := range []tokenomics.BurnPolicy{
		{ShareBps: 1, MinBps: 2, MaxBps: 3},
		{ShareBps: 3, MinBps: 1, MaxBps: 2},
		{ShareBps: 1, MinBps: 1, MaxBps: 10_001},
	} {
		_, err := bad.Burn(1, price(1), price(1))
		require.ErrorIs(t, err, tokenomics.ErrBurn)
	}
	none, err := tokenomics.BurnPolicy{}.Burn(1_000, price(1), price(1))
	require.NoError(t, err)
	require.Zero(t, none, "the zero policy burns nothing")
}

func FuzzBurn(f *testing.F) {
	f.Add(uint64(1_000), uint64(1_000_001), uint64(2_000_000), uint16(5_000), uint16(1_000), uint16(10_000))
	f.Fuzz(func(t *testing.T, revenue, spot, ref uint64, share, least, most uint16) {
		p := tokenomics.BurnPolicy{ShareBps: uint32(share), MinBps: uint32(least), MaxBps: uint32(most)}
		got, err := p.Burn(tokenomics.Amount(revenue), price(spot), price(ref))
		if err != nil {
			require.Zero(t, got)
			return
		}
		require.LessOrEqual(t, uint64(got), revenue)
		// clamp(min, share*ref/spot, max) as an exact fraction, times the revenue, rounded up
		s := new(big.Rat).SetFrac(new(big.Int).SetUint64(ref), new(big.Int).SetUint64(spot))
		s.Mul(s, big.NewRat(int64(share), 1))
		if low := big.NewRat(int64(least), 1); s.Cmp(low) < 0 {
			s = low
		}
		if high := big.NewRat(int64(most), 1); s.Cmp(high) > 0 {
			s = high
		}
		s.Mul(s, new(big.Rat).SetFrac(new(big.Int).SetUint64(revenue), big.NewInt(10_000)))
		want, rest := new(big.Int).QuoRem(s.Num(), s.Denom(), new(big.Int))
		if rest.Sign() != 0 {
			want.Add(want, big.NewInt(1))
		}
		require.Equal(t, want.Uint64(), uint64(got))
	})
}

// A comparison of both readings travels as text, differences included.
func TestComparisonInJSON(t *testing.T) {
	c, err := tokenomics.IONet().Fees.Compare(1_000*tokenomics.MicrosPerUSD, tokenomics.USDC)
	require.NoError(t, err)
	text, err := json.Marshal(c)
	require.NoError(t, err)
	require.Contains(t, string(text), `"renter_more":"0.05","supplier_more":"0.05"}`)
	var back tokenomics.Comparison
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, c.Additive, back.Additive)
	require.True(t, c.RenterMore.Equal(back.RenterMore))
}
