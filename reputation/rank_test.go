package reputation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

// fleet is five subjects after 30 days: two that never failed, one that fails every third day, one of two days, one that is
// down, and a name that nobody has seen.
func fleet(t testing.TB) (*reputation.Book, time.Time) {
	t.Helper()
	b := book(t, "good", "also-good", "flaky", "new", "down", "unseen")
	end := start.Add(30 * day)
	for h := range 30*24 + 1 {
		at := start.Add(time.Duration(h) * time.Hour)
		for _, s := range []reputation.Subject{"good", "also-good", "flaky", "down"} {
			up := (s != "flaky" || h%72 != 71) && (s != "down" || h < 30*24)
			apply(t, b, at, reputation.Seen{Subject: s, Up: up})
		}
		if h >= 28*24 {
			apply(t, b, at, reputation.Seen{Subject: "new", Up: true})
		}
	}
	return b, end
}

func TestRank(t *testing.T) {
	b, at := fleet(t)
	list := func(f reputation.Filter) (out []string) {
		for _, r := range b.Rank(at.Add(time.Hour), day, f) {
			line := string(r.Subject)
			if r.Why != "" {
				line += ": " + r.Why
			}
			out = append(out, line)
		}
		return out
	}
	require.Equal(t, []string{"also-good", "good", "flaky"}, list(reputation.Filter{}))
	require.Equal(t, []string{"also-good"}, list(reputation.Filter{Limit: 1}))
	require.Equal(t, []string{"also-good", "good", "new", "flaky"}, list(reputation.Filter{Thin: true}))
	require.Equal(t, []string{"also-good", "good", "down", "flaky"}, list(reputation.Filter{Down: true}))
	require.Equal(t, []string{"also-good", "good"}, list(reputation.Filter{MinLowPPM: 900_000}))
	require.Equal(t, []string{"also-good", "good"}, list(reputation.Filter{MinStanding: 900_000}))
	require.Equal(t, []string{"also-good", "good", "flaky"}, list(reputation.Filter{MinObserved: 30 * day, MaxSilence: time.Hour}))
	require.Empty(t, list(reputation.Filter{MaxSilence: time.Hour - 1}))
	require.Empty(t, list(reputation.Filter{MinObserved: 30*day + 1}))
	s, _ := b.Score("flaky", at.Add(time.Hour), day)
	require.Equal(t, []string{
		"also-good", "good", "new: new: observed for 48h0m0s", "down: down",
		fmt.Sprintf("flaky: ends well with at least %d ppm, asked for 900000", s.Ends.LowPPM), "unseen: never observed",
	}, list(reputation.Filter{MinLowPPM: 900_000, ShowExcluded: true}))
	require.PanicsWithValue(t, "reputation: Book.Rank: negative limit -1", func() { b.Rank(at, day, reputation.Filter{Limit: -1}) })
}

func TestCompare(t *testing.T) {
	with := func(low, high uint32) reputation.Score {
		return reputation.Score{Ends: reputation.Chance{PPM: low, LowPPM: low, HighPPM: high}}
	}
	require.Equal(t, reputation.Better, reputation.Compare(with(11, 20), with(5, 10)))
	require.Equal(t, reputation.Undecided, reputation.Compare(with(10, 20), with(5, 10)))
	require.Equal(t, reputation.Worse, reputation.Compare(with(5, 10), with(11, 20)))
	require.Equal(t, "order(2)", reputation.Order(2).String())
}

func TestMember(t *testing.T) {
	b, err := reputation.NewBook(reputation.IONet())
	require.NoError(t, err)
	apply(t, b, start, reputation.Joined{Subject: "x", Owner: "sam", Site: "fra"})
	apply(t, b, start, reputation.Joined{Subject: "y"})
	s, _ := b.Score("x", start, day)
	m, ok := b.Member("x", start, day)
	require.True(t, ok)
	require.Equal(t, reputation.Member{UpPPM: s.UpPPM, Site: "fra", Owner: "sam"}, m)
	m, _ = b.Member("y", start, day)
	require.Equal(t, reputation.Member{UpPPM: s.UpPPM}, m)
	_, ok = b.Member("z", start, day)
	require.False(t, ok)
}

// A million devices are rescored, as a network does every hour.
func BenchmarkRescore(b *testing.B) {
	const devices = 1_000_000
	k, err := reputation.NewBook(reputation.Default())
	require.NoError(b, err)
	names := make([]reputation.Subject, devices)
	for i := range names {
		names[i] = reputation.Subject(fmt.Sprintf("node-%07d", i))
		apply(b, k, start, reputation.Joined{Subject: names[i]})
	}
	for h := range 5 {
		for i, s := range names {
			apply(b, k, start.Add(time.Duration(h)*time.Hour), reputation.Seen{Subject: s, Up: (i+h)%9 > 0})
		}
	}
	at := start.Add(5 * time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range names {
			k.Score(s, at, day)
		}
	}
}
