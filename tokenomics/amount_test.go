package tokenomics_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestParseAmount(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       tokenomics.Amount
		err        error
		says       string
	}{
		{name: "zero", text: "0", want: 0},
		{name: "one base unit", text: "0.00000001", want: 1},
		{name: "below one base unit", text: "0.000000001", err: tokenomics.ErrFormat, says: "9 decimal places, at most 8"},
		{name: "eight places", text: "0.87866191", want: 87_866_191},
		{name: "trailing zeros", text: "12.50", want: 1_250_000_000},
		{name: "leading zeros", text: "007", want: 700_000_000},
		{name: "nine places, all zero", text: "1.000000000", err: tokenomics.ErrFormat, says: "9 decimal places"},
		{name: "largest but one", text: "184467440737.09551614", want: math.MaxUint64 - 1},
		{name: "largest", text: "184467440737.09551615", want: math.MaxUint64},
		{name: "one too many", text: "184467440737.09551616", err: tokenomics.ErrOverflow, says: "64 bits"},
		{name: "far too many", text: strings.Repeat("9", 60), err: tokenomics.ErrOverflow, says: "... (60 bytes)"},
		{name: "empty", text: "", err: tokenomics.ErrFormat, says: "empty"},
		{name: "point alone", text: ".", err: tokenomics.ErrFormat, says: "before the point"},
		{name: "nothing before the point", text: ".5", err: tokenomics.ErrFormat, says: "before the point"},
		{name: "nothing after the point", text: "5.", err: tokenomics.ErrFormat, says: "after the point"},
		{name: "two points", text: "1.2.3", err: tokenomics.ErrFormat, says: `'.' at position 3`},
		{name: "minus", text: "-1", err: tokenomics.ErrFormat, says: `'-' at position 0`},
		{name: "plus", text: "+1", err: tokenomics.ErrFormat, says: `'+' at position 0`},
		{name: "exponent", text: "1e8", err: tokenomics.ErrFormat, says: `'e' at position 1`},
		{name: "space", text: " 1", err: tokenomics.ErrFormat, says: `' ' at position 0`},
		{name: "comma", text: "1,000", err: tokenomics.ErrFormat, says: `',' at position 1`},
		{name: "other digits", text: "١", err: tokenomics.ErrFormat, says: "position 0"},
		{name: "NaN", text: "NaN", err: tokenomics.ErrFormat, says: `'N'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := tokenomics.ParseAmount(c.text)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
			if err != nil {
				require.ErrorContains(t, err, c.says)
			}
		})
	}
}

func TestAmountText(t *testing.T) {
	for _, c := range []struct {
		amount        tokenomics.Amount
		short, padded string
	}{
		{0, "0", "0.00000000"},
		{1, "0.00000001", "0.00000001"},
		{99_999_999, "0.99999999", "0.99999999"},
		{100_000_000, "1", "1.00000000"},
		{100_000_001, "1.00000001", "1.00000001"},
		{1_050_000_000, "10.5", "10.50000000"},
		{30_000_000_000_000_000, "300000000", "300000000.00000000"},
		{math.MaxUint64, "184467440737.09551615", "184467440737.09551615"},
	} {
		require.Equal(t, c.short, c.amount.String())
		require.Equal(t, c.padded, c.amount.Fixed())
		require.Equal(t, c.short, c.amount.Decimal().String())
		for _, text := range []string{c.short, c.padded} {
			back, err := tokenomics.ParseAmount(text)
			require.NoError(t, err)
			require.Equal(t, c.amount, back)
		}
	}
}

func TestAmountAddSub(t *testing.T) {
	const most = tokenomics.Amount(math.MaxUint64)
	for _, c := range []struct {
		name     string
		a, b     tokenomics.Amount
		sum      tokenomics.Amount
		sumErr   error
		minus    tokenomics.Amount
		minusErr error
	}{
		{"zeros", 0, 0, 0, nil, 0, nil},
		{"equal", 5, 5, 10, nil, 0, nil},
		{"one short", 5, 6, 11, nil, 0, tokenomics.ErrInsufficient},
		{"fills the range", most - 1, 1, most, nil, most - 2, nil},
		{"passes the range by one", most, 1, 0, tokenomics.ErrOverflow, most - 1, nil},
		{"passes it twice over", most, most, 0, tokenomics.ErrOverflow, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			sum, err := c.a.Add(c.b)
			require.ErrorIs(t, err, c.sumErr)
			require.Equal(t, c.sum, sum)
			minus, err := c.a.Sub(c.b)
			require.ErrorIs(t, err, c.minusErr)
			require.Equal(t, c.minus, minus)

			dollars, err := tokenomics.USD(c.a).Add(tokenomics.USD(c.b))
			require.ErrorIs(t, err, c.sumErr)
			require.Equal(t, tokenomics.USD(c.sum), dollars)
			dollars, err = tokenomics.USD(c.a).Sub(tokenomics.USD(c.b))
			require.ErrorIs(t, err, c.minusErr)
			require.Equal(t, tokenomics.USD(c.minus), dollars)
		})
	}
}

func TestMulDiv(t *testing.T) {
	const most = math.MaxUint64
	for _, c := range []struct {
		name        string
		a, num, den uint64
		down, up    uint64
		err, upErr  error
	}{
		{name: "exact", a: 10, num: 3, den: 5, down: 6, up: 6},
		{name: "one third", a: 10, num: 1, den: 3, down: 3, up: 4},
		{name: "just below a whole number", a: 11, num: 1, den: 4, down: 2, up: 3},
		{name: "just above", a: 9, num: 1, den: 4, down: 2, up: 3},
		{name: "nothing", a: 0, num: most, den: 7, down: 0, up: 0},
		{name: "128-bit product", a: most, num: most, den: most, down: most, up: most},
		{name: "largest result with a fraction", a: most, num: most - 1, den: most, down: most - 1, up: most - 1},
		{name: "result of 65 bits", a: most, num: 2, den: 1, err: tokenomics.ErrOverflow, upErr: tokenomics.ErrOverflow},
		{
			// 311 * 177942868878227186 = 3*2^64 - 2, a third of which is 2^64 - 1 and a third.
			name: "only rounded up it passes 64 bits", a: 177_942_868_878_227_186, num: 311, den: 3,
			down: most, upErr: tokenomics.ErrOverflow,
		},
		{name: "zero divisor", a: 1, num: 1, den: 0, err: tokenomics.ErrZeroDivisor, upErr: tokenomics.ErrZeroDivisor},
	} {
		t.Run(c.name, func(t *testing.T) {
			down, err := tokenomics.Amount(c.a).MulDiv(c.num, c.den, tokenomics.Down)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, tokenomics.Amount(c.down), down)
			up, err := tokenomics.USD(c.a).MulDiv(c.num, c.den, tokenomics.Up)
			require.ErrorIs(t, err, c.upErr)
			require.Equal(t, tokenomics.USD(c.up), up)
		})
	}
	require.PanicsWithValue(t, "tokenomics.MulDiv: Rounding(4) is none of Down, Up and HalfEven", func() {
		_, _ = tokenomics.Amount(1).MulDiv(1, 1, tokenomics.HalfEven+1)
	})
	require.PanicsWithValue(t, "tokenomics.MulDiv: Rounding(0) is none of Down, Up and HalfEven", func() {
		_, _ = tokenomics.Amount(1).MulDiv(1, 1, 0)
	})
}

func TestHalfEven(t *testing.T) {
	const most = math.MaxUint64
	for _, c := range []struct {
		name              string
		a, num, den, want uint64
		err               error
	}{
		{name: "exact", a: 6, num: 1, den: 3, want: 2},
		{name: "below a half", a: 10, num: 1, den: 3, want: 3},
		{name: "above a half", a: 11, num: 1, den: 3, want: 4},
		{name: "a half, to 0", a: 1, num: 1, den: 2, want: 0},
		{name: "a half, to 2", a: 3, num: 1, den: 2, want: 2},
		{name: "a half, down to 2", a: 5, num: 1, den: 2, want: 2},
		{name: "just below a half of the largest divisor", a: most / 2, num: 1, den: most, want: 0},
		{name: "just above it", a: most/2 + 1, num: 1, den: most, want: 1},
		// 31 * 1190112520884487201 = 2^65 - 1, half of which is 2^64 - 1 and a half.
		{name: "a half below 65 bits", a: 1_190_112_520_884_487_201, num: 31, den: 2, err: tokenomics.ErrOverflow},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := tokenomics.Amount(c.a).MulDiv(c.num, c.den, tokenomics.HalfEven)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, tokenomics.Amount(c.want), got)
		})
	}
}

func TestMoneyInJSON(t *testing.T) {
	type money struct {
		Tokens  tokenomics.Amount `json:"tokens"`
		Dollars tokenomics.USD    `json:"dollars"`
	}
	text, err := json.Marshal(money{87_866_191, 1_022_500_000})
	require.NoError(t, err)
	require.Equal(t, `{"tokens":"0.87866191","dollars":"1022.50"}`, string(text))

	back := money{Tokens: 7, Dollars: 7}
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, money{87_866_191, 1_022_500_000}, back)

	require.Error(t, json.Unmarshal([]byte(`{"tokens":0.87866191}`), &back), "a JSON number is a float to most readers")
	require.ErrorIs(t, json.Unmarshal([]byte(`{"tokens":"-1"}`), &back), tokenomics.ErrFormat)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"dollars":"0.0000001"}`), &back), tokenomics.ErrFormat)
	require.Equal(t, money{87_866_191, 1_022_500_000}, back, "an error changes nothing")
}

func TestUSDText(t *testing.T) {
	for _, c := range []struct {
		usd  tokenomics.USD
		text string
	}{
		{0, "0.00"},
		{1, "0.000001"},
		{100_000, "0.10"},
		{977_500_000, "977.50"},
		{1_022_550_001, "1022.550001"},
		{math.MaxUint64, "18446744073709.551615"},
	} {
		require.Equal(t, c.text, c.usd.String())
		back, err := tokenomics.ParseUSD(c.text)
		require.NoError(t, err)
		require.Equal(t, c.usd, back)
	}
	_, err := tokenomics.ParseUSD("18446744073709.551616")
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	_, err = tokenomics.ParseUSD("1.0000000")
	require.ErrorIs(t, err, tokenomics.ErrFormat)
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"0", "12.5", "184467440737.09551615", "184467440737.09551616", ".1", "1e3", "-0", "00.10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := tokenomics.ParseAmount(s)
		if err != nil {
			require.Zero(t, got)
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		require.True(t, ok, "big.Rat refuses %q", s)
		exact.Mul(exact, big.NewRat(tokenomics.UnitsPerToken, 1))
		require.True(t, exact.IsInt())
		require.Equal(t, exact.Num().String(), new(big.Int).SetUint64(uint64(got)).String())
		back, err := tokenomics.ParseAmount(got.String())
		require.NoError(t, err)
		require.Equal(t, got, back)
	})
}

func FuzzMulDiv(f *testing.F) {
	f.Add(uint64(10), uint64(1), uint64(3))
	f.Add(uint64(math.MaxUint64), uint64(math.MaxUint64), uint64(math.MaxUint64))
	f.Add(uint64(177_942_868_878_227_186), uint64(311), uint64(3))
	f.Add(uint64(5), uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, num, den uint64) {
		if den == 0 {
			den = 1
		}
		product := new(big.Int).Mul(new(big.Int).SetUint64(a), new(big.Int).SetUint64(num))
		down, rest := new(big.Int).QuoRem(product, new(big.Int).SetUint64(den), new(big.Int))
		up := new(big.Int).Set(down)
		if rest.Sign() != 0 {
			up.Add(up, big.NewInt(1))
		}
		even := down
		switch new(big.Int).Lsh(rest, 1).Cmp(new(big.Int).SetUint64(den)) {
		case 0:
			if down.Bit(0) == 1 {
				even = up
			}
		case 1:
			even = up
		}
		for _, c := range []struct {
			want     *big.Int
			rounding tokenomics.Rounding
		}{{down, tokenomics.Down}, {up, tokenomics.Up}, {even, tokenomics.HalfEven}} {
			got, err := tokenomics.Amount(a).MulDiv(num, den, c.rounding)
			if !c.want.IsUint64() {
				require.ErrorIs(t, err, tokenomics.ErrOverflow)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, c.want.Uint64(), uint64(got))
		}
	})
}
