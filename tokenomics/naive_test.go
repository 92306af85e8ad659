package tokenomics_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// naive evaluates the published hours the way they are usually programmed, and returns the total and how many of the
// cumulative values are wrong.
func naive(t *testing.T, next func() (cumulative uint64)) (total uint64, wrong int) {
	t.Helper()
	s := newSchedule(t, tokenomics.IONet().Emission)
	for k := tokenomics.Epoch(1); k <= s.Epochs(); k++ {
		if total = next(); total != uint64(s.Cumulative(k)) {
			wrong++
		}
	}
	return total, wrong
}

// byDecimals steps a recurrence in decimals that keep so many places.
func byDecimals(p tokenomics.EmissionParams, places int32) func() uint64 {
	e := p.Rate.Mul(p.Base.Decimal()).Truncate(places)
	q := decimal.NewFromInt(1).Sub(p.Decline)
	sum := decimal.Zero
	return func() uint64 {
		sum = sum.Add(e)
		e = e.Mul(q).Truncate(places)
		return uint64(sum.Shift(8).BigInt().Int64())
	}
}

// Why the cumulative function is the primitive: what simpler evaluations end with after twenty years.
func TestNaiveEvaluations(t *testing.T) {
	p := tokenomics.IONet().Emission
	const all = 300_000_000 * tokens
	var sum uint64 // of hours that are each rounded down by themselves
	e := p.Rate.Mul(p.Base.Decimal()).Shift(8)
	q := decimal.NewFromInt(1).Sub(p.Decline)
	total, wrong := naive(t, func() uint64 {
		sum += uint64(e.BigInt().Int64())
		e = e.Mul(q).Truncate(40)
		return sum
	})
	t.Logf("each hour rounded down: %d base units off, %d of 175319 cumulative values wrong", int64(total)-all, wrong)
	require.Equal(t, int64(-43_598), int64(total)-all, "87,688 less than the constants give without the cap")

	// Floating point: the digits may differ between processors, the size of the error does not.
	fe, fq, fsum := 500_000_000e8*0.0000091324200913242, 1-0.0000138869523959793, 0.0
	total, wrong = naive(t, func() uint64 {
		fsum += fe
		fe *= fq
		return uint64(fsum)
	})
	t.Logf("float64: %d base units off, %d wrong", int64(total)-all, wrong)
	require.Greater(t, wrong, 170_000)

	for _, c := range []struct {
		places int32
		least  int // cumulative values that are wrong, at least
		most   int
	}{{16, 175_000, 175_319}, {20, 170_000, 175_319}, {28, 1, 1000}, {38, 1, 1}} {
		if testing.Short() && c.places != 16 {
			continue
		}
		total, wrong = naive(t, byDecimals(p, c.places))
		t.Logf("decimals of %d places: %d base units off, %d wrong", c.places, int64(total)-all, wrong)
		require.GreaterOrEqual(t, wrong, c.least, c.places)
		require.LessOrEqual(t, wrong, c.most, "%d places: only the last hour, which the cap cuts, differs", c.places)
	}
}

// Beside the same work with shopspring/decimal alone: one epoch of the recurrence at 38 places, floored to base units.
func BenchmarkShopspringStep(b *testing.B) {
	next := byDecimals(tokenomics.IONet().Emission, 38)
	b.ReportAllocs()
	for b.Loop() {
		next()
	}
}

// Random access with shopspring/decimal alone: A*(1-q^k) at 38 places.
func BenchmarkShopspringRandom(b *testing.B) {
	p := tokenomics.IONet().Emission
	a := p.Base.Decimal().Mul(p.Rate).DivRound(p.Decline, 60)
	q := decimal.NewFromInt(1).Sub(p.Decline)
	one := decimal.NewFromInt(1)
	power := func(k int64) decimal.Decimal { // by squaring, cut to 60 places: the exact power has a million digits
		out, square := one, q
		for ; k > 0; k >>= 1 {
			if k&1 == 1 {
				out = out.Mul(square).Truncate(60)
			}
			square = square.Mul(square).Truncate(60)
		}
		return out
	}
	k := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		k = (k + 7919) % 175_319
		a.Mul(one.Sub(power(k))).Truncate(8)
	}
}
