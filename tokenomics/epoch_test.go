package tokenomics_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestCalendarAt(t *testing.T) {
	c := tokenomics.IONet().Calendar
	last := time.Unix(c.Start.Unix()+(math.MaxUint32-1)*3600, 0)
	for _, x := range []struct {
		name string
		at   time.Time
		want tokenomics.Epoch
		err  error
	}{
		{"a nanosecond before the start", c.Start.Add(-1), 0, tokenomics.ErrBeforeStart},
		{"the start", c.Start, 1, nil},
		{"the last nanosecond of epoch 1", c.Start.Add(time.Hour - 1), 1, nil},
		{"the first instant of epoch 2", c.Start.Add(time.Hour), 2, nil},
		{"the published block", time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC), 105, nil},
		{"the same in another zone", time.Date(2024, 6, 20, 2, 0, 0, 0, time.FixedZone("", 7200)), 105, nil},
		{"after 400 years, beyond a time.Duration", time.Date(2424, 6, 15, 16, 0, 0, 0, time.UTC), 146_097*24 + 1, nil},
		{"the last number", last.Add(time.Hour - 1), math.MaxUint32, nil},
		{"beyond the last number", last.Add(time.Hour), 0, tokenomics.ErrOverflow},
		{"the zero time", time.Time{}, 0, tokenomics.ErrBeforeStart},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, err := c.At(x.at)
			require.ErrorIs(t, err, x.err)
			require.Equal(t, x.want, got)
		})
	}
}

func TestCalendarStartOfIsTheInverseOfAt(t *testing.T) {
	c := tokenomics.Calendar{Start: time.Date(2000, 1, 1, 0, 0, 7, 0, time.UTC), Length: 90 * time.Second}
	for _, k := range []tokenomics.Epoch{1, 2, 3, 1000, 1 << 31, math.MaxUint32} {
		begin := c.StartOf(k)
		got, err := c.At(begin)
		require.NoError(t, err)
		require.Equal(t, k, got)
		if k > 1 {
			got, err = c.At(begin.Add(-1))
			require.NoError(t, err)
			require.Equal(t, k-1, got)
		}
	}
	require.Equal(t, c.Start.Add(-c.Length), c.StartOf(0))
}

func TestCalendarValidate(t *testing.T) {
	start := time.Date(2024, 6, 15, 16, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		name string
		c    tokenomics.Calendar
		says string
	}{
		{"zero", tokenomics.Calendar{}, "start"},
		{"before 1970", tokenomics.Calendar{Start: time.Unix(-1, 0), Length: time.Hour}, "start"},
		{"after 9999", tokenomics.Calendar{Start: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), Length: time.Hour}, "start"},
		{"half a second", tokenomics.Calendar{Start: start.Add(time.Second / 2), Length: time.Hour}, "whole second"},
		{"no length", tokenomics.Calendar{Start: start}, "length 0s"},
		{"negative", tokenomics.Calendar{Start: start, Length: -time.Hour}, "length -1h"},
		{"half a second long", tokenomics.Calendar{Start: start, Length: time.Second / 2}, "length"},
		{"one and a half seconds long", tokenomics.Calendar{Start: start, Length: 3 * time.Second / 2}, "length"},
		{"more than a year", tokenomics.Calendar{Start: start, Length: 366*24*time.Hour + time.Second}, "length"},
	} {
		t.Run(x.name, func(t *testing.T) {
			require.ErrorIs(t, x.c.Validate(), tokenomics.ErrCalendar)
			require.ErrorContains(t, x.c.Validate(), x.says)
			_, err := x.c.At(start)
			require.ErrorIs(t, err, tokenomics.ErrCalendar)
		})
	}
	for _, length := range []time.Duration{time.Second, 366 * 24 * time.Hour} {
		require.NoError(t, tokenomics.Calendar{Start: time.Unix(0, 0), Length: length}.Validate())
	}
}
