package tokenomics_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// The twelve months that io.net prints, in whole IO rounded half up, and the whole twenty years.
func TestPublishedMonths(t *testing.T) {
	p := tokenomics.IONetMonthly().Emission
	s := newSchedule(t, p)
	for i, want := range []int64{
		3333333, 3299497, 3266003, 3232850, 3200033, 3167549, 3135395, 3103568, 3072063, 3040879, 3010011, 2979456,
	} {
		require.Equal(t, want, s.Emission(tokenomics.Epoch(i+1)).Decimal().Round(0).BigInt().Int64(), "month %d", i+1)
	}
	require.Equal(t, "37840636.87188895", s.Cumulative(12).String(), "computed from the published constants")
	require.Equal(t, "68684533.03821703", s.Cumulative(23).String(), "July 2024 to May 2026")
	require.Equal(t, tokenomics.Amount(300_000_000*tokens), s.Cumulative(240))
	// The last month is raised by one unit: the factor has 50 digits.
	p.Snap = 0
	short := newSchedule(t, p)
	require.Equal(t, tokenomics.Amount(300_000_000*tokens-1), short.Cumulative(240))
	require.Equal(t, short.Cumulative(239), s.Cumulative(239))
	require.Equal(t, short.Emission(240)+1, s.Emission(240))
	require.Zero(t, s.Emission(241))
}

// What the documents say and the published numbers contradict: each reading is named by how much it is wrong.
func TestWrongMonthlyReadings(t *testing.T) {
	factor := func(s string) decimal.Decimal { return decimal.NewFromInt(1).Sub(decimal.RequireFromString(s)) }
	printed := []string{
		"3333333", "3299497", "3266003", "3232850", "3200033", "3167549", "3135395", "3103568", "3072063", "3040879", "3010011", "2979456",
	}
	for _, c := range []struct {
		name        string
		decline     decimal.Decimal
		compounding bool
		sum, miss   string // in whole tokens
		months      int    // of the printed twelve that it gives
	}{
		{"the root", factor("0.98984895296234951635211519733579014610602088070146"), false, "300000000.00000000", "0.00000000", 12},
		{"the printed factor", factor("0.989849199"), false, "300005578.78293637", "5578.78293637", 2},
		{"a decline of 1.02 %", decimal.New(102, -4), false, "298893386.62972970", "-1106613.37027030", 1},
		{"1.02 % of the current supply", decimal.New(102, -4), true, "408060668.87", "108060668.87", 1},
		{"the literal formula with the printed factor", factor("0.989849199"), true, "410078213.46", "110078213.46", 1},
	} {
		p := tokenomics.IONetMonthly().Emission
		p.Decline, p.Compounding, p.Snap = c.decline, c.compounding, 0
		check, err := p.CheckCap()
		require.NoError(t, err)
		places := decimal.RequireFromString(c.sum).Exponent()
		require.Equal(t, c.sum, check.Sum.Shift(-8).StringFixed(-places), c.name)
		require.Equal(t, c.miss, check.Miss.Shift(-8).StringFixed(-places), c.name)
		s := newSchedule(t, p)
		fit := 0
		for i, want := range printed {
			if s.Emission(tokenomics.Epoch(i+1)).Decimal().Round(0).String() == want {
				fit++
			}
		}
		require.Equal(t, c.months, fit, c.name)
		if check.Miss.Sign() > 0 {
			require.Equal(t, tokenomics.Amount(300_000_000*tokens), s.Cumulative(check.Cut), c.name)
			require.Less(t, s.Cumulative(check.Cut-1), tokenomics.Amount(300_000_000*tokens), c.name)
		} else {
			require.Zero(t, check.Cut, c.name)
		}
	}
	p := tokenomics.IONetMonthly().Emission
	p.Decline, p.Compounding = decimal.New(102, -4), true
	check, err := p.CheckCap()
	require.NoError(t, err)
	require.Equal(t, tokenomics.Epoch(125), check.Cut)
	p.Decline, p.Compounding, p.Snap = factor("0.989849199"), false, 0
	check, err = p.CheckCap()
	require.NoError(t, err)
	require.Equal(t, tokenomics.Epoch(240), check.Cut, "index 239, counted from 0")
}

func TestSnapRaisesNothingSilently(t *testing.T) {
	p := tokenomics.IONetMonthly().Emission
	p.Decline = decimal.New(102, -4) // 1,106,613.37 short
	_, err := tokenomics.NewSchedule(p)
	require.ErrorIs(t, err, tokenomics.ErrEmission)
	require.ErrorContains(t, err, "it ends 110661337027031 base units below its cap, snap raises it by at most 1")
	p.Snap = 110_661_337_027_030
	_, err = tokenomics.NewSchedule(p)
	require.ErrorIs(t, err, tokenomics.ErrEmission, "a unit too little")
	p.Snap++
	s := newSchedule(t, p)
	require.Equal(t, p.Cap, s.Cumulative(240))
	require.Equal(t, p.Cap-p.Snap, s.Cumulative(239)+s.Emission(240)-p.Snap)

	// A schedule that is cut by its cap needs none, and one that reaches the floor of its limit early waits for its last epoch.
	half := decimal.New(5, -1)
	q := tokenomics.EmissionParams{Base: 1 << 40, Rate: half, Decline: half, Epochs: 300, Cap: 1 << 40, Snap: 1}
	s = newSchedule(t, q)
	for _, k := range []tokenomics.Epoch{41, 99, 150, 299} { // the later ones are beyond what 128 bits can tell
		require.Equal(t, tokenomics.Amount(1<<40-1), s.Cumulative(k), "epoch %d", k)
	}
	require.Equal(t, tokenomics.Amount(1<<40), s.Cumulative(300))
	var sum tokenomics.Amount
	for k, e := range s.All() {
		require.Equal(t, e, s.Emission(k))
		sum += e
	}
	require.Equal(t, q.Cap, sum)
}

// Emissions without a closed form, worked out by hand.
func TestTablesByHand(t *testing.T) {
	d := decimal.RequireFromString
	emissions := func(p tokenomics.EmissionParams) (out []uint64) {
		for _, e := range newSchedule(t, p).All() {
			out = append(out, uint64(e))
		}
		return out
	}
	p := tokenomics.EmissionParams{Base: 1000, Rate: d("0.1"), Epochs: 5, Cap: 10_000}
	require.Equal(t, []uint64{100, 100, 100, 100, 100}, emissions(p), "constant")
	p.RateDivisor = 3
	require.Equal(t, []uint64{33, 33, 34, 33, 33}, emissions(p), "a third of it")
	p.RateDivisor, p.Cap = 1, 250
	require.Equal(t, []uint64{100, 100, 50, 0, 0}, emissions(p), "cut")
	p.Cap, p.Decline = 10_000, d("-0.5")
	require.Equal(t, []uint64{100, 150, 225, 337, 506}, emissions(p), "rising: 100, 150, 225, 337.5, 506.25")
	p.Decline, p.Compounding = d("0"), true
	require.Equal(t, []uint64{100, 110, 121, 133, 146}, emissions(p), "compounding: 1000 * 1.1^k - 1000")
	p.Decline = d("0.5")
	require.Equal(t, []uint64{100, 55, 28, 15, 8}, emissions(p), "1100, 1155, 1183.875, 1198.67..., 1206.16...")
	s := newSchedule(t, p)
	require.Zero(t, s.Emission(0))
	require.Zero(t, s.Emission(6))
	require.Equal(t, s.Cumulative(5), s.Cumulative(1<<32-1))
}

// randomTable draws an emission that rises, stays, or compounds.
func randomTable(r *rand.Rand) tokenomics.EmissionParams {
	p := randomEmission(r)
	p.Epochs = 1 + p.Epochs%24
	switch r.IntN(4) {
	case 0:
		p.Decline = decimal.Zero
	case 1:
		p.Decline = p.Decline.Neg()
	case 2:
		p.Compounding = true
	case 3:
		p.Decline, p.Compounding = p.Decline.Neg(), true
	}
	if r.IntN(2) == 0 {
		p.RateDivisor = 1 + r.Uint32N(9000)
	}
	return p
}

// checkTable compares a table with exact fractions.
func checkTable(t *testing.T, p tokenomics.EmissionParams) {
	t.Helper()
	s := newSchedule(t, p)
	rate := p.Rate.Rat()
	if p.RateDivisor > 0 {
		rate.Quo(rate, new(big.Rat).SetInt64(int64(p.RateDivisor)))
	}
	base := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(p.Base)))
	q := new(big.Rat).Sub(big.NewRat(1, 1), p.Decline.Rat())
	supply, limit := new(big.Rat).Set(base), new(big.Int).SetUint64(uint64(p.Cap))
	var before tokenomics.Amount
	for k, e := range s.All() {
		on := base
		if p.Compounding {
			on = supply
		}
		supply = new(big.Rat).Add(supply, new(big.Rat).Mul(on, rate))
		rate = new(big.Rat).Mul(rate, q)
		c := new(big.Rat).Sub(supply, base)
		want := new(big.Int).Quo(c.Num(), c.Denom())
		if want.Cmp(limit) > 0 {
			want = limit
		}
		require.Equal(t, want.Uint64(), uint64(s.Cumulative(k)), "%+v: epoch %d", p, k)
		require.Equal(t, s.Cumulative(k)-before, e, "%+v: epoch %d", p, k)
		require.Equal(t, e, s.Emission(k))
		before = s.Cumulative(k)
	}
}

func TestRandomTables(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	valid := 0
	for range 200 {
		if p := randomTable(r); p.Validate() == nil {
			valid++
			checkTable(t, p)
		}
	}
	require.Greater(t, valid, 120, "most draws are thrown away")
}

func FuzzTable(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		if p := randomTable(rand.New(rand.NewPCG(a, b))); p.Validate() == nil {
			checkTable(t, p)
		}
	})
}

// Ten thousand schedules of every form: monotone, within the cap, the same by step, by random access and in any groups; and
// where a decline was solved for, they end at the cap to the unit.
func TestTenThousandSchedules(t *testing.T) {
	n, solvedWanted := 10_000, 300
	if testing.Short() {
		n, solvedWanted = 1000, 30
	}
	r := rand.New(rand.NewPCG(9, 10))
	valid, solved := 0, 0
	for valid < n {
		p := randomEmission(r)
		if r.IntN(3) == 0 {
			p = randomTable(r)
		}
		p.Epochs = 1 + p.Epochs%60
		if p.Validate() != nil {
			continue
		}
		valid++
		if valid%10 == 0 {
			first := uint64(newSchedule(t, p).Emission(1))
			p.Cap = tokenomics.Amount(first + 1 + r.Uint64N(first*uint64(p.Epochs)+1)) // most of them can be met
			if sol, err := tokenomics.SolveDecline(p, 45); err == nil && sol.Decline.Exponent() >= -64 {
				solved++
				p.Decline, p.Snap = sol.Decline, 1
			}
			if p.Validate() != nil {
				continue // it would exceed 2^63 without end, and has too many epochs for a table
			}
		}
		s := newSchedule(t, p)
		if p.Snap == 1 {
			require.Equal(t, p.Cap, s.Cumulative(p.Epochs), "%+v", p)
		}
		var sum tokenomics.Amount
		for k, e := range s.All() {
			sum += e
			require.Equal(t, sum, s.Cumulative(k))
			require.LessOrEqual(t, sum, p.Cap)
			require.GreaterOrEqual(t, sum, s.Cumulative(k-1))
		}
		for at := tokenomics.Epoch(0); at < p.Epochs; { // in groups of any size
			next := at + 1 + tokenomics.Epoch(r.Uint32N(uint32(p.Epochs)))
			sum -= s.Cumulative(next) - s.Cumulative(at)
			at = next
		}
		require.Zero(t, sum)
	}
	require.Greater(t, solved, solvedWanted, "too few have a solution")
}

func BenchmarkTable(b *testing.B) {
	p := tokenomics.IONet().Emission
	p.Compounding = true
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokenomics.NewSchedule(p); err != nil {
			b.Fatal(err)
		}
	}
}
