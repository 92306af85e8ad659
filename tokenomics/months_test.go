package tokenomics_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func july2024() time.Time { return time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC) }

func newMonths(t testing.TB) *tokenomics.Months {
	t.Helper()
	m, err := tokenomics.NewMonths(newSchedule(t, tokenomics.IONetMonthly().Emission), july2024(), time.Hour)
	require.NoError(t, err)
	return m
}

func TestMonthsInHours(t *testing.T) {
	m := newMonths(t)
	s := newSchedule(t, tokenomics.IONetMonthly().Emission)
	require.Equal(t, "io.net/monthly", m.ID())
	require.Equal(t, tokenomics.Calendar{Start: july2024(), Length: time.Hour}, m.Calendar())
	require.Equal(t, tokenomics.Epoch(175_320), m.Epochs(), "twenty years of hours")
	require.Equal(t, "4480.28673835", m.Emission(1).String(), "E/744, as computed from the published constants")
	require.Equal(t, "4480.28673836", m.Emission(744).String(), "the last hour takes up the fraction")
	require.Equal(t, "4434.80713692", m.Emission(745).String(), "August has another emission, and as many hours")

	// Every hour of twenty years: the sum of each month is the month, and no hour differs from the others of its month by
	// more than a unit.
	var sum tokenomics.Amount
	k := tokenomics.Epoch(0)
	for n := tokenomics.Epoch(1); n <= 240; n++ {
		hours := july2024().AddDate(0, int(n), 0).Sub(july2024().AddDate(0, int(n-1), 0)) / time.Hour
		least := s.Emission(n) / tokenomics.Amount(hours)
		var month tokenomics.Amount
		for range hours {
			k++
			e := m.Emission(k)
			month += e
			if e < least || e > least+1 || m.Cumulative(k) != sum+month {
				t.Fatalf("hour %d emits %s, the month's hours %s; %s of %s", k, e, least, m.Cumulative(k), sum+month)
			}
		}
		require.Equal(t, s.Emission(n), month, "month %d", n)
		sum += month
	}
	require.Equal(t, m.Epochs(), k)
	require.Equal(t, tokenomics.Amount(300_000_000*tokens), sum)
	require.Equal(t, sum, m.Cumulative(k+1))
	require.Zero(t, m.Emission(k+1))
	require.Zero(t, m.Emission(0))
	require.Zero(t, m.Cumulative(0))
}

// February pays more an hour than January and March do, though its month emits less than January's.
func TestShortMonthsPayMore(t *testing.T) {
	m := newMonths(t)
	at := func(month int) tokenomics.Amount {
		return m.Emission(m.Calendar().Ended(july2024().AddDate(0, month, 0)) + 1)
	}
	january, february, march := at(6), at(7), at(8)
	require.Greater(t, february, january)
	require.Greater(t, february, march)
}

func TestMonthsRefused(t *testing.T) {
	s := newSchedule(t, tokenomics.IONetMonthly().Emission)
	for _, c := range []struct {
		name   string
		curve  tokenomics.Curve
		first  time.Time
		length time.Duration
		err    error
	}{
		{"not the first", s, july2024().AddDate(0, 0, 1), time.Hour, tokenomics.ErrCalendar},
		{"not midnight", s, july2024().Add(time.Second), time.Hour, tokenomics.ErrCalendar},
		{"not midnight in UTC", s, time.Date(2024, 7, 1, 0, 0, 0, 0, time.FixedZone("x", 3600)), time.Hour, tokenomics.ErrCalendar},
		{"epochs that do not fill a day", s, july2024(), 7 * time.Hour, tokenomics.ErrCalendar},
		{"epochs of no length", s, july2024(), 0, tokenomics.ErrCalendar},
		{"no curve", nil, july2024(), time.Hour, tokenomics.ErrEmission},
		{"a curve of hours", newSchedule(t, tokenomics.IONet().Emission), july2024(), time.Hour, tokenomics.ErrEmission},
	} {
		_, err := tokenomics.NewMonths(c.curve, c.first, c.length)
		require.ErrorIs(t, err, c.err, c.name)
	}
	long := tokenomics.EmissionParams{Base: 1000, Rate: decimal.New(1, -3), Epochs: 12_001, Cap: 1 << 40}
	_, err := tokenomics.NewMonths(newSchedule(t, long), july2024(), 24*time.Hour)
	require.ErrorIs(t, err, tokenomics.ErrEmission)
	long.Epochs--
	_, err = tokenomics.NewMonths(newSchedule(t, long), july2024(), 24*time.Hour)
	require.NoError(t, err)
	m, err := tokenomics.NewMonths(s, july2024(), 24*time.Hour)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Epoch(7305), m.Epochs())
	require.Equal(t, tokenomics.Amount(300_000_000*tokens), m.Cumulative(7305))
}

func BenchmarkMonths(b *testing.B) {
	m := newMonths(b)
	var k tokenomics.Epoch
	b.ReportAllocs()
	for b.Loop() {
		k = (k + 7919) % 175_320
		m.Cumulative(k)
	}
}
