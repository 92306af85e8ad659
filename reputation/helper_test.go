package reputation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

const day = 24 * time.Hour

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func book(t testing.TB, subjects ...reputation.Subject) *reputation.Book {
	t.Helper()
	b, err := reputation.NewBook(reputation.Default())
	require.NoError(t, err)
	for _, s := range subjects {
		apply(t, b, start, reputation.Joined{Subject: s})
	}
	return b
}

func apply(t testing.TB, b *reputation.Book, at time.Time, e reputation.Event) []reputation.Effect {
	t.Helper()
	out, err := b.Apply(at, e)
	require.NoError(t, err)
	return out
}

// watch has x seen in one state every step from a time until another, both included.
func watch(t testing.TB, b *reputation.Book, from, until time.Time, step time.Duration, up bool) {
	t.Helper()
	for at := from; !at.After(until); at = at.Add(step) {
		apply(t, b, at, reputation.Seen{Subject: "x", Up: up})
	}
}

func score(t testing.TB, b *reputation.Book, at time.Time, horizon time.Duration) reputation.Score {
	t.Helper()
	s, ok := b.Score("x", at, horizon)
	require.True(t, ok)
	require.LessOrEqual(t, s.LowPPM, s.UpPPM)
	require.LessOrEqual(t, s.UpPPM, s.HighPPM)
	require.LessOrEqual(t, s.HighPPM, uint32(1_000_000))
	require.LessOrEqual(t, s.Standing, uint32(1_000_000))
	return s
}
