package tokenomics_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const tokens = tokenomics.UnitsPerToken

func newSchedule(t testing.TB, p tokenomics.EmissionParams) *tokenomics.Schedule {
	t.Helper()
	s, err := tokenomics.NewSchedule(p)
	require.NoError(t, err)
	return s
}

// The first ten rows are printed by io.net with two places and were computed to the base unit independently.
func TestPublishedEmission(t *testing.T) {
	s := newSchedule(t, tokenomics.IONet().Emission)
	for i, want := range []tokenomics.Amount{
		456621004566, 456614663492, 456608322506, 456601981608, 456595640798,
		456589300076, 456582959442, 456576618896, 456570278439, 456563938068,
	} {
		require.Equal(t, want, s.Emission(tokenomics.Epoch(i+1)), "epoch %d", i+1)
	}
	require.Equal(t, tokenomics.Amount(455_962_004_271), s.Emission(105), "the block of 2024-06-20T00 emitted 4559.620")
	require.Equal(t, tokenomics.Epoch(175_319), s.Epochs())
}

func TestEmissionEndsAtTheCap(t *testing.T) {
	p := tokenomics.IONet().Emission
	s := newSchedule(t, p)
	var sum tokenomics.Amount
	var count tokenomics.Epoch
	for k, e := range s.All() {
		count++
		if k != count || e != s.Emission(k) {
			t.Fatalf("epoch %d after %d: %s by step, %s by random access", k, count-1, e, s.Emission(k))
		}
		sum += e
	}
	require.Equal(t, p.Epochs, count)
	require.Equal(t, tokenomics.Amount(300_000_000*tokens), sum)
	require.Equal(t, sum, s.Cumulative(p.Epochs))
	require.Equal(t, sum, s.Cumulative(math.MaxUint32))
	require.Equal(t, tokenomics.Amount(40_012_944_255), s.Emission(p.Epochs), "the last epoch is cut")
	require.Zero(t, s.Emission(p.Epochs+1))
	require.Zero(t, s.Emission(math.MaxUint32))
	require.Zero(t, s.Emission(0))
	require.Zero(t, s.Cumulative(0))

	p.Cap = math.MaxUint64
	free := newSchedule(t, p)
	require.Equal(t, sum+44_090, free.Cumulative(p.Epochs), "the printed constants pass the cap")
	require.Equal(t, tokenomics.Amount(40_012_988_345), free.Emission(p.Epochs))
	for k := range p.Epochs {
		require.Equal(t, free.Cumulative(k), s.Cumulative(k), "only the last epoch is cut, not %d", k)
	}
}

// oracle multiplies by q once per epoch in 512 bits and never looks at the code under test: the slow and obvious way.
// It returns floor(A*(1-q^k)) for every k from 0, and fails if a value lies too near a whole number to tell.
func oracle(t testing.TB, p tokenomics.EmissionParams) []uint64 {
	const width = 512
	one := new(big.Int).Lsh(big.NewInt(1), width)
	scale := func(r *big.Rat) *big.Int {
		x := new(big.Int).Lsh(r.Num(), width)
		return x.Quo(x, r.Denom())
	}
	a := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(p.Base)))
	a.Mul(a, p.Rate.Rat())
	a.Quo(a, p.Decline.Rat())
	q := scale(new(big.Rat).Sub(big.NewRat(1, 1), p.Decline.Rat()))
	af := scale(a)
	power := new(big.Int).Set(one)
	near := new(big.Int).Lsh(big.NewInt(1), width/2)
	out := make([]uint64, p.Epochs+1)
	for k := 1; k <= int(p.Epochs); k++ {
		power.Mul(power, q)
		power.Rsh(power, width)
		v := new(big.Int).Sub(one, power)
		v.Mul(v, af)
		v.Rsh(v, width)
		frac := new(big.Int).And(v, new(big.Int).Sub(one, big.NewInt(1)))
		if frac.Cmp(near) < 0 || new(big.Int).Sub(one, frac).Cmp(near) < 0 {
			t.Fatalf("oracle: epoch %d is too near a whole number", k)
		}
		out[k] = v.Rsh(v, width).Uint64()
	}
	return out
}

func TestEveryEpochAgainstAnIndependentEvaluation(t *testing.T) {
	p := tokenomics.IONet().Emission
	s := newSchedule(t, p)
	for k, want := range oracle(t, p) {
		if got := uint64(s.Cumulative(tokenomics.Epoch(k))); got != min(want, uint64(p.Cap)) {
			t.Fatalf("epoch %d: %d, want %d", k, got, want)
		}
	}
}

// Schedules whose values are whole numbers for many epochs, which no fixed precision can tell from what lies just below.
func TestWholeNumbersAreDecided(t *testing.T) {
	half := decimal.RequireFromString("0.5")
	s := newSchedule(t, tokenomics.EmissionParams{Base: 1 << 40, Rate: half, Decline: half, Epochs: 500, Cap: 1 << 41})
	for k := tokenomics.Epoch(1); k <= 40; k++ {
		require.Equal(t, tokenomics.Amount(1<<40-1<<(40-k)), s.Cumulative(k), "epoch %d", k)
	}
	require.Equal(t, tokenomics.Amount(1<<40-1), s.Cumulative(41), "2^40 is approached and not reached")
	require.Equal(t, tokenomics.Amount(1<<40-1), s.Cumulative(500))
	var sum tokenomics.Amount
	for _, e := range s.All() {
		sum += e
	}
	require.Equal(t, tokenomics.Amount(1<<40-1), sum)

	// Here A = 2^42/3 is no whole number, and every evaluation in 128 bits comes out just below the whole numbers.
	s = newSchedule(t, tokenomics.EmissionParams{
		Base: 1 << 40, Rate: decimal.New(1, 0), Decline: decimal.RequireFromString("0.75"), Epochs: 60, Cap: 1 << 42,
	})
	var before tokenomics.Amount
	for k, e := range s.All() {
		want := tokenomics.Amount(1<<42-1) / 3
		if k <= 20 {
			want = (1<<42 - 1<<(42-2*k)) / 3
		}
		require.Equal(t, want, s.Cumulative(k), "epoch %d", k)
		require.Equal(t, want-before, e, "epoch %d", k)
		before = want
	}

	fifth := decimal.RequireFromString("0.2")
	s = newSchedule(t, tokenomics.EmissionParams{Base: 9_765_625, Rate: fifth, Decline: fifth, Epochs: 60, Cap: 9_765_625})
	exact := big.NewRat(9_765_625, 1)
	left := big.NewRat(9_765_625, 1)
	for k := tokenomics.Epoch(1); k <= 60; k++ {
		left.Mul(left, big.NewRat(4, 5))
		v := new(big.Rat).Sub(exact, left)
		require.Equal(t, new(big.Int).Quo(v.Num(), v.Denom()).Uint64(), uint64(s.Cumulative(k)), "epoch %d", k)
	}
}

// randomEmission draws parameters over the whole range that Validate admits; a draw may be invalid.
func randomEmission(r *rand.Rand) tokenomics.EmissionParams {
	places := 1 + r.Int32N(24)
	fraction := func() decimal.Decimal {
		d := decimal.New(1+r.Int64N(1_000_000), -places)
		for d.GreaterThanOrEqual(decimal.NewFromInt(1)) {
			d = d.Shift(-1)
		}
		return d
	}
	return tokenomics.EmissionParams{
		Base: tokenomics.Amount(1 + r.Uint64N(1<<(1+r.UintN(60)))), Rate: fraction(), Decline: fraction(),
		Epochs: tokenomics.Epoch(1 + r.Uint32N(300)), Cap: tokenomics.Amount(1 + r.Uint64N(1<<(1+r.UintN(62)))),
	}
}

// checkSchedule compares a schedule with exact fractions.
func checkSchedule(t *testing.T, p tokenomics.EmissionParams) {
	t.Helper()
	s := newSchedule(t, p)
	a := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(p.Base)))
	a.Mul(a, p.Rate.Rat())
	a.Quo(a, p.Decline.Rat())
	q := new(big.Rat).Sub(big.NewRat(1, 1), p.Decline.Rat())
	// q^k as num/den by hand: big.Rat would look for common factors in every step.
	num, den := big.NewInt(1), big.NewInt(1)
	var before tokenomics.Amount
	for k, e := range s.All() {
		num.Mul(num, q.Num())
		den.Mul(den, q.Denom())
		v := new(big.Int).Sub(den, num)
		v.Mul(v, a.Num())
		v.Quo(v, new(big.Int).Mul(den, a.Denom()))
		want := min(tokenomics.Amount(v.Uint64()), p.Cap)
		require.Equal(t, want, s.Cumulative(k), "%+v: epoch %d", p, k)
		require.Equal(t, want-before, e, "%+v: epoch %d", p, k)
		before = want
	}
}

func TestRandomSchedules(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	valid := 0
	for range 600 {
		p := randomEmission(r)
		if p.Validate() == nil {
			valid++
			checkSchedule(t, p)
		}
	}
	require.Greater(t, valid, 200, "most draws are thrown away")
}

// The readings that the published totals contradict.
func TestWrongReadings(t *testing.T) {
	p := tokenomics.IONet().Emission
	p.Cap = math.MaxUint64
	yearly := p
	yearly.Rate, yearly.Decline, yearly.Epochs = decimal.RequireFromString("0.08"), decimal.RequireFromString("0.12165"), 20
	require.NotEqual(t, tokenomics.Amount(300_000_000*tokens), newSchedule(t, yearly).Cumulative(20),
		"12.165 % is 8760 times the hourly decline without compounding, not the decline of a year")

	cut := p
	cut.Rate = decimal.RequireFromString("0.0000091324200913") // 0.08/8760 with 16 places, decimal's default
	require.Equal(t, tokenomics.Amount(456_621_004_565), newSchedule(t, cut).Emission(1), "one unit short")
}

func TestEmissionParamsValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *tokenomics.EmissionParams)
		says   string // nothing if it is valid
	}{
		{"published", func(*tokenomics.EmissionParams) {}, ""},
		{"no base", func(p *tokenomics.EmissionParams) { p.Base = 0 }, "base is zero"},
		{"no cap", func(p *tokenomics.EmissionParams) { p.Cap = 0 }, "cap is zero"},
		{"no epochs", func(p *tokenomics.EmissionParams) { p.Epochs = 0 }, "0 epochs"},
		{"one epoch", func(p *tokenomics.EmissionParams) { p.Epochs = 1 }, ""},
		{"most epochs", func(p *tokenomics.EmissionParams) { p.Epochs = 10_000_000 }, ""},
		{"one epoch too many", func(p *tokenomics.EmissionParams) { p.Epochs = 10_000_001 }, "want 1 to 10000000"},
		{"no rate", func(p *tokenomics.EmissionParams) { p.Rate = decimal.Zero }, `rate "0" is not in (0, 1]`},
		{"negative rate", func(p *tokenomics.EmissionParams) { p.Rate = decimal.New(-1, -1) }, `rate "-0.1"`},
		{"rate of 1", func(p *tokenomics.EmissionParams) { p.Rate = decimal.New(1, 0); p.Base = 1000 }, ""},
		{"rate above 1", func(p *tokenomics.EmissionParams) { p.Rate = decimal.New(11, -1) }, `rate "1.1"`},
		{"no decline", func(p *tokenomics.EmissionParams) { p.Decline = decimal.Zero }, ""},
		{"a decline that rises", func(p *tokenomics.EmissionParams) { p.Decline = decimal.New(-999, -3) }, ""},
		{"a decline of -1", func(p *tokenomics.EmissionParams) { p.Decline = decimal.New(-1, 0) }, "decline -1"},
		{"a decline below -1", func(p *tokenomics.EmissionParams) { p.Decline = decimal.New(-11, -1) }, `decline "-1.1"`},
		{"most epochs without a closed form", func(p *tokenomics.EmissionParams) { p.Compounding, p.Epochs = true, 262_144 }, ""},
		{"one too many that compound", func(p *tokenomics.EmissionParams) { p.Compounding, p.Epochs = true, 262_145 }, "want at most 262144"},
		{"one too many that do not fall", func(p *tokenomics.EmissionParams) { p.Decline, p.Epochs = decimal.Zero, 262_145 }, "want at most 262144"},
		{"a snap of the whole cap", func(p *tokenomics.EmissionParams) { p.Snap = p.Cap }, ""},
		{"a snap above the cap", func(p *tokenomics.EmissionParams) { p.Snap = p.Cap + 1 }, "snap 300000000.00000001"},
		{"decline of 1", func(p *tokenomics.EmissionParams) { p.Decline = decimal.New(1, 0) }, "decline 1"},
		{"decline just below 1", func(p *tokenomics.EmissionParams) { p.Decline = decimal.New(999, -3) }, ""},
		{"64 places", func(p *tokenomics.EmissionParams) { p.Decline = decimal.New(5, -1).Add(decimal.New(1, -64)) }, ""},
		{"65 places", func(p *tokenomics.EmissionParams) { p.Decline = decimal.New(5, -1).Add(decimal.New(1, -65)) }, "exponent -65"},
		{"a number that fills memory", func(p *tokenomics.EmissionParams) { p.Rate = decimal.New(1, math.MaxInt32) }, "exponent"},
		{"a number of two billion places", func(p *tokenomics.EmissionParams) { p.Decline = decimal.New(1, math.MinInt32) }, "exponent"},
		{"total of 2^63, as a table", func(p *tokenomics.EmissionParams) {
			p.Base, p.Rate, p.Decline, p.Epochs = 1<<62, decimal.New(5, -1), decimal.New(25, -2), 262_144
		}, ""},
		{"total of 2^63, too many for a table", func(p *tokenomics.EmissionParams) {
			p.Base, p.Rate, p.Decline, p.Epochs = 1<<62, decimal.New(5, -1), decimal.New(25, -2), 262_145
		}, "2^63"},
		{"total just below 2^63", func(p *tokenomics.EmissionParams) {
			p.Base, p.Rate, p.Decline, p.Epochs = 1<<62-1, decimal.New(5, -1), decimal.New(25, -2), 262_145
		}, ""},
		{"total below one base unit", func(p *tokenomics.EmissionParams) {
			p.Base, p.Rate, p.Decline = 1, decimal.New(4, -1), decimal.New(5, -1)
		}, "less than one base unit"},
		{"total of one base unit", func(p *tokenomics.EmissionParams) {
			p.Base, p.Rate, p.Decline = 1, decimal.New(5, -1), decimal.New(5, -1)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tokenomics.IONet().Emission
			c.change(&p)
			if c.says == "" {
				require.NoError(t, p.Validate())
				return
			}
			require.ErrorIs(t, p.Validate(), tokenomics.ErrEmission)
			require.ErrorContains(t, p.Validate(), c.says)
			_, err := tokenomics.NewSchedule(p)
			require.ErrorIs(t, err, tokenomics.ErrEmission)
			_, err = p.CheckCap()
			require.ErrorIs(t, err, tokenomics.ErrEmission)
			_, err = p.RateOf(1)
			require.ErrorIs(t, err, tokenomics.ErrEmission)
		})
	}
}

func TestEmissionInJSON(t *testing.T) {
	p := tokenomics.IONet().Emission
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.Equal(t, `{"id":"io.net/hourly","base":"500000000","rate":"0.0000091324200913242","decline":"0.0000138869523959793",`+
		`"epochs":175319,"cap":"300000000"}`, string(text))
	var back tokenomics.EmissionParams
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, newSchedule(t, p).Cumulative(1000), newSchedule(t, back).Cumulative(1000))

	p = tokenomics.IONetMonthly().Emission
	p.Compounding = true
	text, err = json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(text), `"rate":"0.08","rate_divisor":12,`)
	require.Contains(t, string(text), `"compounding":true,"epochs":240,"cap":"300000000","snap":"0.00000001"}`)
	require.NoError(t, json.Unmarshal(text, &back))
	require.True(t, p.Decline.Equal(back.Decline))
	back.Decline, back.Rate = p.Decline, p.Rate
	require.Equal(t, p, back)
}

// The schedule at a glance: the first and last hours, and each year.
func TestEmissionGolden(t *testing.T) {
	p := tokenomics.IONet()
	s := newSchedule(t, p.Emission)
	var out strings.Builder
	out.WriteString("epoch begins emission cumulative\n")
	row := func(k tokenomics.Epoch) {
		fmt.Fprintf(&out, "%d %s %s %s\n", k, p.Calendar.StartOf(k).Format(time.RFC3339), s.Emission(k).Fixed(),
			s.Cumulative(k).Fixed())
	}
	for k := tokenomics.Epoch(1); k <= 12; k++ {
		row(k)
	}
	row(105)
	for year := tokenomics.Epoch(1); year < 20; year++ {
		row(year*8766 + 1)
	}
	for k := s.Epochs() - 2; k <= s.Epochs()+1; k++ {
		row(k)
	}
	golden.Check(t, "testdata/emission.golden", out.String())
}

func FuzzSchedule(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		if p := randomEmission(rand.New(rand.NewPCG(a, b))); p.Validate() == nil {
			checkSchedule(t, p)
		}
	})
}

func BenchmarkCumulative(b *testing.B) {
	s := newSchedule(b, tokenomics.IONet().Emission)
	var k tokenomics.Epoch
	b.ReportAllocs()
	for b.Loop() {
		k = (k + 7919) % 175_319
		s.Cumulative(k)
	}
}

func BenchmarkAll(b *testing.B) {
	s := newSchedule(b, tokenomics.IONet().Emission)
	b.ReportAllocs()
	for b.Loop() {
		var sum tokenomics.Amount
		for _, e := range s.All() {
			sum += e
		}
		if sum != 300_000_000*tokens {
			b.Fatal(sum)
		}
	}
}

func BenchmarkNewSchedule(b *testing.B) {
	p := tokenomics.IONet().Emission
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokenomics.NewSchedule(p); err != nil {
			b.Fatal(err)
		}
	}
}
