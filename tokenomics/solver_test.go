package tokenomics_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func solverCase(divisor uint32, epochs tokenomics.Epoch, compounding bool) tokenomics.EmissionParams {
	return tokenomics.EmissionParams{
		Base: 500_000_000 * tokens, Rate: decimal.New(8, -2), RateDivisor: divisor, Epochs: epochs, Cap: 300_000_000 * tokens,
		Compounding: compounding,
	}
}

// The solutions were computed with 110 digits by other means.
func TestSolutions(t *testing.T) {
	for _, c := range []struct {
		name string
		p    tokenomics.EmissionParams
		want string
	}{
		{"hourly", solverCase(8760, 175_319, false), "0.0000138869523960059403009100679755772586188062467477580689618047"},
		{"monthly", solverCase(12, 240, false), "0.0101510470376504836478848026642098538939791192985399448183456"},
		{"monthly, compounding", solverCase(12, 240, true), "0.0136347242796497490962470962714271"},
	} {
		for _, digits := range []int{1, 20, 40, 60, 120} {
			s, err := tokenomics.SolveDecline(c.p, digits)
			require.NoError(t, err)
			require.Equal(t, digits, s.Digits, c.name)
			text := s.Decline.String()
			shared := min(len(text), len(c.want))
			require.Equal(t, c.want[:shared], text[:shared], "%s: %d digits", c.name, digits)
			require.True(t, s.Low.LessThan(s.High) && s.Low.GreaterThanOrEqual(s.Decline), c.name)
		}
	}
	root, err := tokenomics.SolveDecline(solverCase(12, 240, false), 55)
	require.NoError(t, err)
	factor := decimal.NewFromInt(1).Sub(root.Decline)
	require.Equal(t, "0.98984895296234951635211519733579014610602088070146", factor.Round(50).String(), "the factor of the published months")
}

// emits returns what a decline emits, exactly.
func emits(p tokenomics.EmissionParams, decline decimal.Decimal) *big.Rat {
	rate := p.Rate.Rat()
	if p.RateDivisor > 0 {
		rate.Quo(rate, new(big.Rat).SetInt64(int64(p.RateDivisor)))
	}
	q := new(big.Rat).Sub(big.NewRat(1, 1), decline.Rat())
	base := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(p.Base)))
	supply := new(big.Rat).Set(base)
	for range p.Epochs {
		on := base
		if p.Compounding {
			on = supply
		}
		supply = new(big.Rat).Add(supply, new(big.Rat).Mul(on, rate))
		rate = new(big.Rat).Mul(rate, q)
	}
	return supply.Sub(supply, base)
}

// Whatever the case: the lower end emits more than the cap and the upper end less, by exact fractions.
func TestSolutionsAreEnclosed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	solved, refused := 0, 0
	for range 600 {
		p := randomTable(r)
		p.Epochs = 2 + p.Epochs%12
		p.Cap = tokenomics.Amount(1 + r.Uint64N(uint64(p.Base)<<r.UintN(3)))
		s, err := tokenomics.SolveDecline(p, 41)
		limit := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(p.Cap)))
		if err != nil {
			refused++
			require.ErrorIs(t, err, tokenomics.ErrUnsolvable)
			least, most := emits(p, decimal.NewFromInt(1)), emits(p, decimal.Zero)
			require.False(t, least.Cmp(limit) < 0 && limit.Cmp(most) < 0, "%+v has a solution", p)
			continue
		}
		solved++
		require.Positive(t, emits(p, s.Low).Cmp(limit), "%+v: %+v", p, s)
		require.Negative(t, emits(p, s.High).Cmp(limit), "%+v: %+v", p, s)
		require.GreaterOrEqual(t, s.Digits, 40)
		require.Equal(t, s.Digits, s.Decline.NumDigits(), "%+v: %s", p, s.Decline)
	}
	require.Greater(t, solved, 20)
	require.Greater(t, refused, 20)
}

// Declines that are short decimals are found from the sums that they give.
func TestSolutionThatIsExact(t *testing.T) {
	half := decimal.New(5, -1)
	// 1000 * 0.5 * (1 + 0.5 + 0.25) = 875
	s, err := tokenomics.SolveDecline(tokenomics.EmissionParams{Base: 1000, Rate: half, Epochs: 3, Cap: 875}, 40)
	require.NoError(t, err)
	require.True(t, s.Low.LessThan(half) && s.High.GreaterThan(half), "%+v", s)
	require.True(t, s.High.Sub(s.Low).LessThan(decimal.New(1, -40)))
	require.Less(t, s.Digits, 40, "0.4999... and 0.5000... share no digit")
}

func TestUnsolvable(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *tokenomics.EmissionParams)
		err    error
		says   string
	}{
		{"the first epoch is enough", func(p *tokenomics.EmissionParams) { p.Cap = 333_333_333_333_333 }, tokenomics.ErrUnsolvable, "the first epoch alone"},
		{"a unit more", func(p *tokenomics.EmissionParams) { p.Cap = 333_333_333_333_334 }, nil, ""},
		{"all epochs together are not", func(p *tokenomics.EmissionParams) { p.Cap = 80_000_000_000_000_000 }, tokenomics.ErrUnsolvable, "without a decline"},
		{"a unit less", func(p *tokenomics.EmissionParams) { p.Cap = 79_999_999_999_999_999 }, nil, ""},
		{"but if they compound", func(p *tokenomics.EmissionParams) { p.Cap, p.Compounding = 196e15, true }, nil, ""},
		{"not even then", func(p *tokenomics.EmissionParams) { p.Cap, p.Compounding = 197e15, true }, tokenomics.ErrUnsolvable, "compounding"},
		{"too many that compound", func(p *tokenomics.EmissionParams) { p.Compounding, p.Epochs = true, 262_145 }, tokenomics.ErrEmission, "262144"},
		{"no epochs", func(p *tokenomics.EmissionParams) { p.Epochs = 0 }, tokenomics.ErrEmission, "epochs"},
	} {
		p := solverCase(12, 240, false)
		c.change(&p)
		s, err := tokenomics.SolveDecline(p, 40)
		if c.err == nil {
			require.NoError(t, err, c.name)
			continue
		}
		require.ErrorIs(t, err, c.err, c.name)
		require.ErrorContains(t, err, c.says, c.name)
		require.Zero(t, s, c.name)
	}
	for _, digits := range []int{0, 201} {
		_, err := tokenomics.SolveDecline(solverCase(12, 240, false), digits)
		require.ErrorIs(t, err, tokenomics.ErrEmission)
	}
}

// The printed constants, named by how much they miss the cap.
func TestCheckCap(t *testing.T) {
	p := tokenomics.IONet().Emission
	c, err := p.CheckCap()
	require.NoError(t, err)
	require.Equal(t, "300000000.00044090643479654143881697768840731", c.Sum.Shift(-8).StringFixed(35))
	require.Equal(t, "44090.64", c.Miss.StringFixed(2))
	require.Equal(t, tokenomics.Epoch(175_319), c.Cut)
	require.Equal(t, "0.0000138869523960059384883834445592637151846817783109", c.Solved.StringFixed(52), "for the rate as it is cut")
	require.Equal(t, "-0.0000000000000000266384883834", c.Off.StringFixed(28))

	p = tokenomics.IONetMonthly().Emission
	c, err = p.CheckCap()
	require.NoError(t, err)
	require.Equal(t, "29999999999999999.99999999999999999999999999999999987", c.Sum.StringFixed(35), "cut to 50 digits it falls short")
	require.Negative(t, c.Miss.Sign())
	require.Zero(t, c.Cut)
	require.Equal(t, "0.01015104703765048364788480266420985389397911929854", c.Solved.StringFixed(50))

	p.Decline = decimal.Zero // all months emit 8 % / 12: 800,000,000 together
	c, err = p.CheckCap()
	require.NoError(t, err)
	require.Equal(t, "500000000", c.Miss.Shift(-8).Round(20).String())
	require.Equal(t, tokenomics.Epoch(90), c.Cut)

	p.Cap = 1 << 62
	c, err = p.CheckCap()
	require.NoError(t, err)
	require.True(t, c.Solved.IsZero() && c.Off.IsZero(), "no decline reaches that cap")
}

// The rate of any epoch, to 38 digits and more, beside a slow evaluation by fractions and one with 600 bits.
func TestRates(t *testing.T) {
	limit := big.NewFloat(0.51e-39)
	digits := func(d decimal.Decimal) string { return d.Coefficient().String() }
	for _, p := range []tokenomics.EmissionParams{tokenomics.IONet().Emission, tokenomics.IONetMonthly().Emission} {
		rate := p.Rate.Rat()
		if p.RateDivisor > 0 {
			rate.Quo(rate, new(big.Rat).SetInt64(int64(p.RateDivisor)))
		}
		exact := new(big.Float).SetPrec(600).SetRat(rate)
		q := new(big.Float).SetPrec(600).SetRat(new(big.Rat).Sub(big.NewRat(1, 1), p.Decline.Rat()))
		for k := tokenomics.Epoch(1); k <= p.Epochs; k++ {
			if !testing.Short() || k < 200 || k%997 == 0 || k == p.Epochs {
				got, err := p.RateOf(k)
				want, ok := new(big.Float).SetPrec(600).SetString(got.String())
				// Off by half a unit of the 40th digit at most.
				off := new(big.Float).Quo(new(big.Float).Sub(want, exact), exact)
				if err != nil || !ok || off.Abs(off).Cmp(limit) >= 0 || len(digits(got)) > 41 {
					t.Fatalf("epoch %d: %s is off by %s, %v", k, got, off.Text('g', 5), err)
				}
			}
			exact.Mul(exact, q)
		}
		for _, k := range []tokenomics.Epoch{0, p.Epochs + 1} {
			none, err := p.RateOf(k)
			require.NoError(t, err)
			require.True(t, none.IsZero())
		}
	}
}

func BenchmarkSolveDecline(b *testing.B) {
	for name, p := range map[string]tokenomics.EmissionParams{
		"hourly": solverCase(8760, 175_319, false), "monthly": solverCase(12, 240, false), "compounding": solverCase(12, 240, true),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tokenomics.SolveDecline(p, 60); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
