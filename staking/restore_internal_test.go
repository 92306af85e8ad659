package staking

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A damaged pool gives a snapshot that is refused, or that restores to the very same bytes: where the damage is to what
// follows from the rest it is healed, where it is a fact it is another fact.
func TestRestoreDamaged(t *testing.T) {
	good := Sample(t).Snapshot()
	refused := 0
	for _, d := range damages() {
		t.Run(d.field, func(t *testing.T) {
			p := Sample(t)
			d.do(p)
			if strings.HasPrefix(d.field, "Pool.params") {
				return // they are compared with those that Restore is given
			}
			bad := p.Snapshot()
			twin, err := Restore(SampleParams(), bad)
			if err != nil {
				refused++
				require.ErrorIs(t, err, ErrSnapshot)
				require.NotEqual(t, good, bad)
				require.NotEmpty(t, d.text, err)
				return
			}
			require.NoError(t, twin.Audit())
			require.Equal(t, bad, twin.Snapshot())
		})
	}
	require.Greater(t, refused, 80)
}

// What would break the rebuilding, and what would leave the range of instants or of amounts, is refused with its place.
func TestRestoreNotices(t *testing.T) {
	long := strings.Repeat("x", 129)
	for name, do := range map[string]func(*Pool){
		"the last event is of":           func(p *Pool) { p.now = math.MaxInt64 },
		"holder has 129 bytes":           func(p *Pool) { p.holders[1].id = HolderID(long) },
		`holder "eve": leader 9, next 1`: func(p *Pool) { p.holders[1].leader = 9 },
		`holder "eve": leader 1, next 9`: func(p *Pool) { p.holders[1].next = 9 },
		"offer has 129 bytes":            func(p *Pool) { p.offers[1].id = OfferID(long) },
		`offer "closed": bond 4`:         func(p *Pool) { p.offers[0].bond = 4 },
		`offer "closed": bond 0, posted`: func(p *Pool) { p.offers[0].posted = math.MinInt64 },
		`offer "expired": bond 0`:        func(p *Pool) { p.offers[1].expires = math.MaxInt64 },
		`offer "filled": bond 0`:         func(p *Pool) { p.offers[3].acc.out = p.offers[3].acc.in + 1 },
		"bond is empty":                  func(p *Pool) { p.bonds[3].id = "" },
		`bond "a100": instant`:           func(p *Pool) { p.bonds[0].graceUntil = math.MaxInt64 },
		`bond "left": instant`:           func(p *Pool) { p.bonds[1].heldUntil = math.MaxInt64 },
		`bond "left": owner 9`:           func(p *Pool) { p.bonds[1].owner = 9 },
		"at least one processor":         func(p *Pool) { p.bonds[3].gpus = 0 },
		"lot 1: holder 9":                func(p *Pool) { p.bonds[0].lots[0].holder = 9 },
		"lot 4: holder 2, offer 5":       func(p *Pool) { p.bonds[0].lots[2].offer = 5 },
		"lot 4: holder 2, offer 2":       func(p *Pool) { p.bonds[0].lots[2].bondedAt = math.MaxInt64 },
		"lot 5: holder 5, offer 2":       func(p *Pool) { p.bonds[0].lots[3].until = math.MaxInt64 },
		"evidence is empty":              func(p *Pool) { p.proofs["lost"].id = "" },
		`evidence "open" twice`:          func(p *Pool) { p.proofs["lost"].id = "open" },
		`evidence "lost": kind "z"`:      func(p *Pool) { p.proofs["lost"].kind = "z" },
		`evidence "lost": kind "missed`:  func(p *Pool) { p.proofs["lost"].at = math.MaxInt64 },
		`case "open": deadline 922337`:   func(p *Pool) { p.proofs["open"].open.deadline = math.MaxInt64 },
		`0 bps`:                          func(p *Pool) { p.proofs["open"].open.bps = 0 },
		`10001 bps`:                      func(p *Pool) { p.proofs["open"].open.bps = 10_001 },
		`case "open": holder 9`:          func(p *Pool) { p.proofs["open"].open.parts[0].holder = 9 },
		"sums: tokenomics":               func(p *Pool) { p.bonds[3].ownerEarned = math.MaxUint64 },
		"2760 deposits and 0.01002009":   func(p *Pool) { p.bonds[3].ownerEarned = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			p := Sample(t)
			do(p)
			_, err := Restore(p.params, p.Snapshot())
			require.ErrorIs(t, err, ErrSnapshot)
			require.ErrorContains(t, err, name)
		})
	}
}

// A restored pool has the deadlines of the first, and carries them out alike to the very end.
func TestRestoreTimers(t *testing.T) {
	p := Sample(t)
	twin, err := Restore(SampleParams(), p.Snapshot())
	require.NoError(t, err)
	for {
		at, ok := p.Next()
		got, more := twin.Next()
		require.Equal(t, ok, more)
		require.Equal(t, at, got)
		if !ok {
			break
		}
		want, err := p.Apply(at, Ticked{})
		require.NoError(t, err)
		effects, err := twin.Apply(at, Ticked{})
		require.NoError(t, err)
		require.Equal(t, want, effects)
		require.Equal(t, p.Digest(), twin.Digest())
		again, err := Restore(SampleParams(), p.Snapshot())
		require.NoError(t, err)
		require.Equal(t, p.Digest(), again.Digest())
	}
	require.Greater(t, p.now.time().Sub(SampleParams().Calendar.Start), 100*24*time.Hour)
}
