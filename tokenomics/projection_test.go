package tokenomics_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func project(t testing.TB, c tokenomics.Curve, at tokenomics.Calendar) *tokenomics.Projection {
	t.Helper()
	p, err := tokenomics.NewProjection(500_000_000*tokens, c, at)
	require.NoError(t, err)
	return p
}

// The hours of both schedules, in days, months and years: each grouping adds up to the same total, span by span.
func TestGroupingsAgree(t *testing.T) {
	hourly := project(t, newSchedule(t, tokenomics.IONet().Emission), tokenomics.IONet().Calendar)
	monthly := project(t, newMonths(t), newMonths(t).Calendar())
	for name, p := range map[string]*tokenomics.Projection{"hourly": hourly, "monthly": monthly} {
		months, years := map[time.Time]tokenomics.Amount{}, map[int]tokenomics.Amount{}
		var last tokenomics.Epoch
		var sum tokenomics.Amount
		for d := range p.By(tokenomics.Day) {
			require.Equal(t, last+1, d.First, "%s: no gap before %s", name, d.From)
			require.Equal(t, 24*time.Hour, d.To.Sub(d.From))
			last, sum = d.Last, sum+d.Emission
			require.Equal(t, sum, d.Cumulative)
			y, m, _ := d.From.Date()
			months[time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)] += d.Emission
			years[y] += d.Emission
		}
		require.Equal(t, tokenomics.Amount(300_000_000*tokens), sum, name)
		for m := range p.By(tokenomics.Month) {
			require.Equal(t, months[m.From], m.Emission, "%s: %s", name, m.From)
			require.Equal(t, m.From.AddDate(0, 1, 0), m.To)
			delete(months, m.From)
		}
		require.Empty(t, months, name)
		for y := range p.By(tokenomics.Year) {
			require.Equal(t, years[y.From.Year()], y.Emission, "%s: %s", name, y.From)
			delete(years, y.From.Year())
		}
		require.Empty(t, years, name)
	}
	s, n := newSchedule(t, tokenomics.IONetMonthly().Emission), tokenomics.Epoch(0)
	for m := range monthly.By(tokenomics.Month) {
		n++
		require.Equal(t, s.Emission(n), m.Emission, "month %d of the hours is month %d of the table", n, n)
	}
	require.Equal(t, tokenomics.Epoch(240), n)
}

func TestSpansStop(t *testing.T) {
	p := project(t, newMonths(t), newMonths(t).Calendar())
	for y := range p.By(tokenomics.Year) {
		require.Equal(t, tokenomics.Span{
			From: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), First: 1, Last: 4416,
			Emission: 19_499_265_14374853, Cumulative: 19_499_265_14374853,
		}, y)
		break
	}
	require.PanicsWithValue(t, "tokenomics.Projection: Period(0) is no period", func() { p.By(0) })
	require.PanicsWithValue(t, "tokenomics.Projection: Period(4) is no period", func() { p.By(4) })
}

// An epoch that ends at midnight belongs to the day before; the first day of the hours begins when that of epoch 1 does.
func TestSpansAtTheirEdges(t *testing.T) {
	s := newSchedule(t, tokenomics.EmissionParams{Base: 100, Rate: decimal.New(1, -1), Epochs: 3, Cap: 100})
	for _, c := range []struct {
		start time.Time
		days  []tokenomics.Epoch // the last epoch of each
	}{
		{time.Date(2025, 1, 1, 22, 0, 0, 0, time.UTC), []tokenomics.Epoch{2, 3}},
		{time.Date(2025, 1, 1, 23, 0, 0, 0, time.UTC), []tokenomics.Epoch{1, 3}},
		{time.Date(2025, 1, 1, 23, 0, 1, 0, time.UTC), []tokenomics.Epoch{3}},
		{time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC), []tokenomics.Epoch{3}},
	} {
		var days []tokenomics.Epoch
		for d := range project(t, s, tokenomics.Calendar{Start: c.start, Length: time.Hour}).By(tokenomics.Day) {
			days = append(days, d.Last)
		}
		require.Equal(t, c.days, days, c.start)
	}
}

func TestSupplyAtAnInstant(t *testing.T) {
	n := tokenomics.IONet()
	p := project(t, newSchedule(t, n.Emission), n.Calendar)
	first := n.Calendar.StartOf(2)
	for _, c := range []struct {
		at     time.Time
		epoch  tokenomics.Epoch
		supply string
	}{
		{time.Time{}, 0, "500000000"},
		{n.Calendar.Start, 0, "500000000"},
		{first.Add(-1), 0, "500000000"},
		{first, 1, "500004566.21004566"},
		{first.Add(time.Hour - 1), 1, "500004566.21004566"},
		{first.Add(time.Hour), 2, "500009132.35668058"},
		{n.Calendar.StartOf(175_319), 175_318, "799999599.87055745"},
		{n.Calendar.StartOf(175_320), 175_319, "800000000"},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 69903416, "800000000"},
	} {
		got := p.At(c.at)
		require.Equal(t, c.epoch, got.Epoch, c.at)
		require.Equal(t, c.supply, got.Supply.String(), c.at)
		require.Equal(t, got.Supply, 500_000_000*tokens+got.Emitted)
	}
}

// Inflation by both readings, to 38 digits and more, beside an evaluation with fractions.
func TestInflation(t *testing.T) {
	n := tokenomics.IONet()
	p := project(t, newSchedule(t, n.Emission), n.Calendar)
	genesis := p.Inflation(n.Calendar.Start)
	require.Equal(t, genesis.OverGenesis, genesis.OverSupply)
	require.Equal(t, "0.0753", genesis.OverGenesis.StringFixed(4), "8 % falls by 11.45 % over the year, not at its end")
	later := p.Inflation(time.Date(2025, 6, 15, 16, 0, 0, 0, time.UTC))
	require.Equal(t, "0.0667", later.OverGenesis.StringFixed(4))
	require.Equal(t, "0.0620", later.OverSupply.StringFixed(4))
	for year := range 21 {
		at := n.Calendar.Start.AddDate(year, 3, 5)
		got := p.Inflation(at)
		for _, c := range []struct {
			base tokenomics.Amount
			got  decimal.Decimal
		}{{n.Genesis, got.OverGenesis}, {p.At(at).Supply, got.OverSupply}} {
			want := new(big.Rat).SetFrac(new(big.Int).SetUint64(uint64(got.Emission)), new(big.Int).SetUint64(uint64(c.base)))
			require.Equal(t, want.FloatString(40), c.got.StringFixed(40))
		}
	}
	require.Zero(t, p.Inflation(n.Calendar.Start.AddDate(21, 0, 0)).Emission)
	none, err := tokenomics.NewProjection(0, newSchedule(t, n.Emission), n.Calendar)
	require.NoError(t, err)
	require.True(t, none.Inflation(n.Calendar.Start).OverSupply.IsZero(), "nothing of nothing")
}

func TestProjectionRefused(t *testing.T) {
	n := tokenomics.IONet()
	s := newSchedule(t, n.Emission)
	_, err := tokenomics.NewProjection(1, nil, n.Calendar)
	require.ErrorIs(t, err, tokenomics.ErrEmission)
	_, err = tokenomics.NewProjection(1, s, tokenomics.Calendar{})
	require.ErrorIs(t, err, tokenomics.ErrCalendar)
	_, err = tokenomics.NewProjection(1<<64-1-300_000_000*tokens, s, n.Calendar)
	require.NoError(t, err)
	_, err = tokenomics.NewProjection(1<<64-300_000_000*tokens, s, n.Calendar)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
}
