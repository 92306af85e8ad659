package tokenomics_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestDecimals(t *testing.T) {
	units := uint64(1)
	for d := tokenomics.Decimals(0); d <= tokenomics.MaxDecimals; d++ {
		require.NoError(t, d.Validate())
		require.Equal(t, units, d.UnitsPerToken())
		units *= 10
	}
	bad := tokenomics.MaxDecimals + 1
	require.ErrorIs(t, bad.Validate(), tokenomics.ErrDecimals)
	require.Zero(t, bad.UnitsPerToken())
	_, err := bad.Parse("1")
	require.ErrorIs(t, err, tokenomics.ErrDecimals)
	_, _, err = bad.Convert(1, price(1))
	require.ErrorIs(t, err, tokenomics.ErrDecimals)
	for _, f := range []func(tokenomics.Amount, tokenomics.Price) (tokenomics.USD, error){bad.Cost, bad.Value} {
		_, err = f(1, price(1))
		require.ErrorIs(t, err, tokenomics.ErrDecimals)
	}
	_, err = bad.Pay(1, price(1))
	require.ErrorIs(t, err, tokenomics.ErrDecimals)

	text, err := json.Marshal(struct{ Places tokenomics.Decimals }{9})
	require.NoError(t, err)
	require.Equal(t, `{"Places":9}`, string(text))
}

func TestDecimalsText(t *testing.T) {
	for _, c := range []struct {
		d             tokenomics.Decimals
		amount        tokenomics.Amount
		short, padded string
	}{
		{0, 0, "0", "0"},
		{0, 12, "12", "12"},
		{0, math.MaxUint64, "18446744073709551615", "18446744073709551615"},
		{1, 5, "0.5", "0.5"},
		{1, 10, "1", "1.0"},
		{6, 1_500_000, "1.5", "1.500000"},
		{8, 1, "0.00000001", "0.00000001"},
		{9, 1, "0.000000001", "0.000000001"},
		{9, math.MaxUint64, "18446744073.709551615", "18446744073.709551615"},
	} {
		require.Equal(t, c.short, c.d.Format(c.amount))
		require.Equal(t, c.padded, c.d.Fixed(c.amount))
		for _, text := range []string{c.short, c.padded} {
			back, err := c.d.Parse(text)
			require.NoError(t, err)
			require.Equal(t, c.amount, back)
		}
	}
	for _, c := range []struct {
		d    tokenomics.Decimals
		text string
		err  error
	}{
		{0, "1.0", tokenomics.ErrFormat},
		{0, "1.", tokenomics.ErrFormat},
		{0, "18446744073709551616", tokenomics.ErrOverflow},
		{6, "1.0000000", tokenomics.ErrFormat},
		{9, "0.0000000001", tokenomics.ErrFormat},
		{9, "18446744073.709551616", tokenomics.ErrOverflow},
	} {
		_, err := c.d.Parse(c.text)
		require.ErrorIs(t, err, c.err, "%d %s", c.d, c.text)
	}
}

func TestDecimalsConvert(t *testing.T) {
	const dollar = tokenomics.MicrosPerUSD
	for _, c := range []struct {
		name        string
		d           tokenomics.Decimals
		usd         tokenomics.USD
		price       uint64
		amount      tokenomics.Amount // bought
		rest        tokenomics.USD
		cost, value tokenomics.USD    // of the amount
		pay         tokenomics.Amount // for the dollars
	}{
		{"indivisible, 10 dollars at 3", 0, 10 * dollar, 3 * dollar, 3, dollar, 9 * dollar, 9 * dollar, 4},
		{"indivisible, one short", 0, 3*dollar - 1, 3 * dollar, 0, 3*dollar - 1, 0, 0, 1},
		{"indivisible, exactly", 0, 3 * dollar, 3 * dollar, 1, 0, 3 * dollar, 3 * dollar, 1},
		{"eight places at 3", 8, 100 * dollar, 3 * dollar, 3_333_333_333, 0, 100 * dollar, 99_999_999, 3_333_333_334},
		{"nine places at 3", 9, dollar, 3 * dollar, 333_333_333, 0, dollar, 999_999, 333_333_334},
		{"six places at 1", 6, 7, dollar, 7, 0, 7, 7, 7},
		{"nothing", 8, 0, dollar, 0, 0, 0, 0, 0},
		{"a unit of two and a half", 8, 9, 250 * dollar, 3, 1, 8, 7, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := price(c.price)
			amount, rest, err := c.d.Convert(c.usd, p)
			require.NoError(t, err)
			require.Equal(t, c.amount, amount)
			require.Equal(t, c.rest, rest)
			cost, err := c.d.Cost(amount, p)
			require.NoError(t, err)
			require.Equal(t, c.cost, cost)
			value, err := c.d.Value(amount, p)
			require.NoError(t, err)
			require.Equal(t, c.value, value)
			pay, err := c.d.Pay(c.usd, p)
			require.NoError(t, err)
			require.Equal(t, c.pay, pay)
		})
	}
	const d = tokenomics.Decimals(8)
	_, err := d.Pay(math.MaxUint64, price(1))
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	_, err = d.Cost(math.MaxUint64, price(1e15))
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	_, err = d.Cost(1, price(0))
	require.ErrorIs(t, err, tokenomics.ErrPrice)
	_, err = d.Value(1, price(0))
	require.ErrorIs(t, err, tokenomics.ErrPrice)
	_, err = d.Pay(1, price(0))
	require.ErrorIs(t, err, tokenomics.ErrPrice)
}

func FuzzDecimalsParse(f *testing.F) {
	for _, s := range []string{"0", "12.5", "18446744073.709551615", "18446744073709551616", ".1", "1e3", "00.10"} {
		f.Add(s, uint8(9))
		f.Add(s, uint8(0))
	}
	f.Fuzz(func(t *testing.T, s string, places uint8) {
		d := tokenomics.Decimals(places % 11)
		got, err := d.Parse(s)
		if err != nil {
			require.Zero(t, got)
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		require.True(t, ok, "big.Rat refuses %q", s)
		exact.Mul(exact, new(big.Rat).SetUint64(d.UnitsPerToken()))
		require.True(t, exact.IsInt())
		require.Equal(t, exact.Num().String(), new(big.Int).SetUint64(uint64(got)).String())
		for _, text := range []string{d.Format(got), d.Fixed(got)} {
			back, err := d.Parse(text)
			require.NoError(t, err)
			require.Equal(t, got, back)
		}
		require.Equal(t, d > 0, strings.Contains(d.Fixed(got), "."))
	})
}

func FuzzDecimalsConvert(f *testing.F) {
	f.Add(uint64(100_000_000), uint64(3_000_000), uint8(8))
	f.Add(uint64(9), uint64(250_000_000), uint8(8))
	f.Add(uint64(10_000_000), uint64(3_000_000), uint8(0))
	f.Fuzz(func(t *testing.T, usd, micro uint64, places uint8) {
		d, p := tokenomics.Decimals(places%10), price(micro)
		worth := func(a tokenomics.Amount) *big.Rat { // in millionths
			v := new(big.Rat).SetUint64(uint64(a))
			v.Mul(v, new(big.Rat).SetUint64(micro))
			return v.Quo(v, new(big.Rat).SetUint64(d.UnitsPerToken()))
		}
		due := new(big.Rat).SetUint64(usd)
		if pay, err := d.Pay(tokenomics.USD(usd), p); err == nil {
			require.GreaterOrEqual(t, worth(pay).Cmp(due), 0, "what is charged reaches the dollars")
			if pay > 0 {
				require.Negative(t, worth(pay-1).Cmp(due), "a base unit fewer does not")
			}
			value, err := d.Value(pay, p)
			if err == nil {
				require.GreaterOrEqual(t, uint64(value), usd)
			}
		}
		amount, rest, err := d.Convert(tokenomics.USD(usd), p)
		if err != nil {
			require.Zero(t, amount)
			require.Zero(t, rest)
			return
		}
		require.LessOrEqual(t, worth(amount).Cmp(due), 0)
		require.Positive(t, worth(amount+1).Cmp(due))
		cost, err := d.Cost(amount, p)
		require.NoError(t, err)
		require.Equal(t, tokenomics.USD(usd), cost+rest, "what is spent and what is left add up")
		value, err := d.Value(amount, p)
		require.NoError(t, err)
		require.LessOrEqual(t, value, cost)
		require.LessOrEqual(t, uint64(cost-value), uint64(1))
		if d == tokenomics.AmountPlaces {
			a, r, err := tokenomics.Convert(tokenomics.USD(usd), p)
			require.NoError(t, err)
			require.Equal(t, amount, a)
			require.Equal(t, rest, r)
		}
	})
}

func BenchmarkParseAmount(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokenomics.ParseAmount("4559.62004271"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMulDiv(b *testing.B) {
	for _, r := range []tokenomics.Rounding{tokenomics.Down, tokenomics.HalfEven} {
		b.Run(strings.ReplaceAll(r.String(), " ", "-"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tokenomics.Amount(455_962_004_271).MulDiv(100_200, 415_972_440, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkProRataDecimal does in decimals what BenchmarkSplitInto does for as many receivers: each part is rounded down to
// a base unit, and what is lost by that is not even handed out.
func BenchmarkProRataDecimal(b *testing.B) {
	const n = 1_000_000
	b.Run("receivers="+strconv.Itoa(n), func(b *testing.B) {
		weights := benchWeights(n)
		parts := make([]decimal.Decimal, n)
		total := decimal.New(455_962_004_271, -8)
		b.ReportAllocs()
		for b.Loop() {
			sum := decimal.Zero
			for _, w := range weights {
				sum = sum.Add(decimal.NewFromUint64(w))
			}
			for i, w := range weights {
				parts[i], _ = total.Mul(decimal.NewFromUint64(w)).QuoRem(sum, 8)
			}
		}
	})
}

// Names that a record may hold are read back, and nothing else is.
func TestMoneyNames(t *testing.T) {
	for _, c := range []struct {
		name        string
		first, last uint8
		read        func([]byte) (uint8, error)
		write       func(uint8) ([]byte, error)
		text        func(uint8) string
		err         error
	}{
		{
			"Rounding", 1, 3,
			func(b []byte) (uint8, error) {
				var v tokenomics.Rounding
				err := v.UnmarshalText(b)
				return uint8(v), err
			},
			func(v uint8) ([]byte, error) { return tokenomics.Rounding(v).MarshalText() },
			func(v uint8) string { return tokenomics.Rounding(v).String() }, tokenomics.ErrRounding,
		},
		{
			"FeeKind", 1, 2,
			func(b []byte) (uint8, error) {
				var v tokenomics.FeeKind
				err := v.UnmarshalText(b)
				return uint8(v), err
			},
			func(v uint8) ([]byte, error) { return tokenomics.FeeKind(v).MarshalText() },
			func(v uint8) string { return tokenomics.FeeKind(v).String() }, tokenomics.ErrFees,
		},
		{
			"OracleState", 1, 6,
			func(b []byte) (uint8, error) {
				var v tokenomics.OracleState
				err := v.UnmarshalText(b)
				return uint8(v), err
			},
			func(v uint8) ([]byte, error) { return tokenomics.OracleState(v).MarshalText() },
			func(v uint8) string { return tokenomics.OracleState(v).String() }, tokenomics.ErrOracle,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for v := c.first; v <= c.last; v++ {
				text, err := c.write(v)
				require.NoError(t, err)
				require.Equal(t, c.text(v), string(text))
				require.NotContains(t, string(text), "(")
				back, err := c.read(text)
				require.NoError(t, err)
				require.Equal(t, v, back)
			}
			for _, v := range []uint8{c.first - 1, c.last + 1} {
				_, err := c.write(v)
				require.ErrorIs(t, err, c.err)
				require.Equal(t, c.name+"("+strconv.Itoa(int(v))+")", c.text(v))
				left, err := c.read([]byte(c.text(v)))
				require.ErrorIs(t, err, c.err)
				require.Zero(t, left)
			}
		})
	}
}
