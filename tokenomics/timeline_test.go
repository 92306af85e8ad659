package tokenomics_test

import (
	"errors"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// flat emits 10 units an epoch, for a thousand epochs.
func flat(t testing.TB, id string) *tokenomics.Schedule {
	t.Helper()
	return newSchedule(t, tokenomics.EmissionParams{ID: id, Base: 1000, Rate: decimal.New(1, -2), Epochs: 1000, Cap: 10_000})
}

func hours(start time.Time) tokenomics.Calendar {
	return tokenomics.Calendar{Start: start, Length: time.Hour}
}

func fixedPolicy(t testing.TB, c tokenomics.Curve, at tokenomics.Calendar) *tokenomics.Fixed {
	t.Helper()
	f, err := tokenomics.NewFixed(c, at)
	require.NoError(t, err)
	return f
}

func newTimeline(t testing.TB, c tokenomics.Calendar, eras ...tokenomics.Era) *tokenomics.Timeline {
	t.Helper()
	tl, err := tokenomics.NewTimeline(c, eras)
	require.NoError(t, err)
	return tl
}

// io.net's own timeline: the hours of June 2024, the months from July on, the engine from 2026-06-11.
func TestIONetTimeline(t *testing.T) {
	p := tokenomics.IONet()
	tl, err := p.Timeline()
	require.NoError(t, err)
	at := func(s string) tokenomics.Epoch {
		when, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		k, err := p.Calendar.At(when)
		require.NoError(t, err)
		return k
	}
	for _, c := range []struct {
		at, policy, planned string
	}{
		{"2024-06-15T16:00:00Z", "io.net/hourly", "4566.21004566"},
		{"2024-06-20T00:00:00Z", "io.net/hourly", "4559.62004271"},
		{"2024-06-30T23:00:00Z", "io.net/hourly", "4542.99734449"},
		{"2024-07-01T00:00:00Z", "io.net/monthly", "4480.28673835"},
		{"2024-07-31T23:00:00Z", "io.net/monthly", "4480.28673836"},
		{"2026-06-10T23:00:00Z", "io.net/monthly", "3661.26862181"},
		{"2026-06-11T00:00:00Z", "io.net/ide/1", ""},
		{"2090-01-01T00:00:00Z", "io.net/ide/1", ""},
	} {
		k := at(c.at)
		require.Equal(t, c.policy, tl.Policy(k).ID(), c.at)
		planned, ok := tl.Planned(k)
		require.Equal(t, c.planned != "", ok, c.at)
		if ok {
			require.Equal(t, c.planned, planned.String(), c.at)
		}
	}
	_, ok := tl.Last()
	require.False(t, ok, "the engine never ends")
	require.Equal(t, at("2026-06-11T00:00:00Z")-1, tl.Epochs(), "the last epoch of a schedule")
	require.Zero(t, tl.Emission(tl.Epochs()+1))
	require.Zero(t, tl.Emission(0))
	require.Equal(t, "3661.26862181", tl.Emission(tl.Epochs()).String())

	// An auditor by the timeline knows the hours of June 2024 and the months after them.
	auditor, err := tokenomics.NewAuditor(p, tl)
	require.NoError(t, err)
	for _, c := range []struct {
		at       string
		emission tokenomics.Printed
		findings int
	}{
		{"2024-06-20T00:00:00Z", "4559.620", 0},
		{"2024-07-01T00:00:00Z", "4480.28673835", 0},
		{"2024-07-01T00:00:00Z", "4542.93425716", 1}, // what the hourly schedule would have gone on with
	} {
		audit, err := auditor.AuditBlock(tokenomics.BlockRecord{At: p.Calendar.StartOf(at(c.at)), Emission: c.emission})
		require.NoError(t, err)
		require.Len(t, audit.Findings, c.findings, "%s: %v", c.at, audit.Findings)
		require.Equal(t, at(c.at), audit.Epoch)
	}

	// Epoch by epoch, what was paid until the engine takes over: by exactly one policy each.
	s, sum := p.State(), tokenomics.Amount(0)
	end := at("2026-06-11T00:00:00Z")
	for k := tokenomics.Epoch(1); k < end; k++ {
		next, r, err := tl.Step(k, s, tokenomics.Inputs{})
		require.NoError(t, err)
		planned, _ := tl.Planned(k)
		require.Equal(t, planned, r.Mint)
		s, sum = next, sum+r.Mint
	}
	june := newSchedule(t, p.Emission).Cumulative(at("2024-07-01T00:00:00Z") - 1)
	m := newMonths(t)
	require.Equal(t, june+m.Cumulative(m.Calendar().Ended(p.Calendar.StartOf(end))), sum)
	require.Equal(t, "1676090.54166612", june.String(), "June 2024, which the published totals leave out")
	_, err = tokenomics.NewSupply(p, end)
	require.NoError(t, err)
	_, err = tokenomics.NewSupply(p, end+1)
	require.ErrorIs(t, err, tokenomics.ErrParams, "after the engine has begun the books do not follow from the parameters")
}

// Without the engine the months go on, and the cap ends them: June 2024 has taken a part of what they would emit.
func TestTheCapEndsTheMonths(t *testing.T) {
	p := tokenomics.IONet()
	p.Cutovers = p.Cutovers[:1]
	tl, err := p.Timeline()
	require.NoError(t, err)
	last, ok := tl.Last()
	require.True(t, ok)
	require.Equal(t, time.Date(2044, 7, 1, 0, 0, 0, 0, time.UTC), p.Calendar.StartOf(last+1))
	require.Equal(t, last, tl.Epochs())
	s, capped := p.State(), tokenomics.Epoch(0)
	for k := tokenomics.Epoch(1); k <= last; k++ {
		next, r, err := tl.Step(k, s, tokenomics.Inputs{})
		require.NoError(t, err)
		if r.Flags.Has(tokenomics.Capped) && capped == 0 {
			capped = k
		}
		s = next
	}
	require.Zero(t, s.Room())
	require.Equal(t, p.Cap, s.Total())
	require.Equal(t, time.Date(2044, 1, 12, 15, 0, 0, 0, time.UTC), p.Calendar.StartOf(capped))
	supply := newSupply(t, p, last+1)
	require.Equal(t, p.Cap-p.Genesis, supply.Books().MintedTotal)
	require.NoError(t, supply.Audit())
}

// Any two schedules, cut over at any hour and minute: every epoch of the calendar is decided by exactly one of them, each
// schedule pays exactly its own epochs that end after the one at which it takes over, and the cap holds.
func TestCutoverAtAnyInstant(t *testing.T) {
	start := july2024()
	for _, c := range []struct {
		name   string
		second tokenomics.Calendar
	}{
		{"the same hours", hours(start)},
		{"hours that began before", hours(start.Add(-5 * time.Hour))},
		{"hours that begin later", hours(start.Add(7 * time.Hour))},
		{"hours that begin at half past", hours(start.Add(30 * time.Minute))},
		{"days", tokenomics.Calendar{Start: start, Length: 24 * time.Hour}},
		{"minutes", tokenomics.Calendar{Start: start, Length: time.Minute}},
	} {
		first, second := fixedPolicy(t, flat(t, "first"), hours(start)), fixedPolicy(t, flat(t, "second"), c.second)
		for cut := time.Duration(0); cut < 50*time.Hour; cut += 25 * time.Minute {
			tl := newTimeline(t, hours(start), tokenomics.Era{Policy: first}, tokenomics.Era{From: start.Add(cut + 1), Policy: second})
			s := tokenomics.PolicyState{Genesis: 1000, Cap: 1000 + 650}
			var byFirst, bySecond tokenomics.Amount
			for k := tokenomics.Epoch(1); k <= 60; k++ {
				next, r, err := tl.Step(k, s, tokenomics.Inputs{})
				require.NoError(t, err)
				require.Equal(t, tl.Policy(k).ID(), r.Policy)
				require.Equal(t, r.Mint, r.Budget)
				require.LessOrEqual(t, next.Minted, tokenomics.Amount(650))
				if r.Policy == "first" {
					byFirst += r.Mint
				} else {
					bySecond += r.Mint
				}
				s = next
			}
			begun := tokenomics.Epoch(cut/time.Hour) + 1 // epochs that the first one decides
			require.Equal(t, min(650, 10*tokenomics.Amount(begun)), byFirst, "%s, cut at %s", c.name, cut)
			takesOver := start.Add(time.Duration(begun) * time.Hour)
			own := min(1000, c.second.Ended(start.Add(60*time.Hour))) - min(1000, c.second.Ended(takesOver))
			require.Equal(t, min(650-byFirst, 10*tokenomics.Amount(own)), bySecond, "%s, cut at %s", c.name, cut)
		}
	}
}

// An era begins with the first epoch that does not begin before it.
func TestErasAtTheirEdges(t *testing.T) {
	start := july2024()
	first, second := fixedPolicy(t, flat(t, "first"), hours(start)), fixedPolicy(t, flat(t, "second"), hours(start))
	for _, c := range []struct {
		from   time.Time
		second tokenomics.Epoch // the first epoch of the second one
	}{
		{start.Add(-time.Hour), 1},
		{start, 1},
		{start.Add(1), 2},
		{start.Add(time.Hour - 1), 2},
		{start.Add(time.Hour), 2},
		{start.Add(time.Hour + 1), 3},
	} {
		tl := newTimeline(t, hours(start), tokenomics.Era{From: start.AddDate(-1, 0, 0), Policy: first}, tokenomics.Era{From: c.from, Policy: second})
		require.Equal(t, "second", tl.Policy(c.second).ID(), c.from)
		if c.second > 1 {
			require.Equal(t, "first", tl.Policy(c.second-1).ID(), c.from)
		}
	}
}

func TestTimelineRefused(t *testing.T) {
	start := july2024()
	f := fixedPolicy(t, flat(t, "flat"), hours(start))
	nameless := fixedPolicy(t, flat(t, ""), hours(start))
	for _, c := range []struct {
		name string
		c    tokenomics.Calendar
		eras []tokenomics.Era
		err  error
		says string
	}{
		{"no calendar", tokenomics.Calendar{}, []tokenomics.Era{{Policy: f}}, tokenomics.ErrCalendar, ""},
		{"no era", hours(start), nil, tokenomics.ErrTimeline, "no era"},
		{"an era without a policy", hours(start), []tokenomics.Era{{}}, tokenomics.ErrTimeline, "era 1 has no policy"},
		{"a policy without a name", hours(start), []tokenomics.Era{{Policy: nameless}}, tokenomics.ErrTimeline, "era 1 has no id"},
		{"two eras at once", hours(start), []tokenomics.Era{{From: start, Policy: f}, {From: start, Policy: f}}, tokenomics.ErrTimeline, "era 2"},
	} {
		_, err := tokenomics.NewTimeline(c.c, c.eras)
		require.ErrorIs(t, err, c.err, c.name)
		require.ErrorContains(t, err, c.says, c.name)
	}
	_, _, err := newTimeline(t, hours(start), tokenomics.Era{Policy: f}).Step(0, tokenomics.PolicyState{}, tokenomics.Inputs{})
	require.ErrorIs(t, err, tokenomics.ErrInputs)
	_, err = tokenomics.NewFixed(nil, hours(start))
	require.ErrorIs(t, err, tokenomics.ErrPolicy)
	_, err = tokenomics.NewFixed(flat(t, "x"), tokenomics.Calendar{})
	require.ErrorIs(t, err, tokenomics.ErrCalendar)
}

// rogue is a policy that breaks a rule.
type rogue func(s *tokenomics.PolicyState, r *tokenomics.Result) error

func (f rogue) ID() string { return "rogue" }

func (f rogue) Step(s tokenomics.PolicyState, in tokenomics.Inputs) (tokenomics.PolicyState, tokenomics.Result, error) {
	r := tokenomics.Result{Policy: "rogue", Mint: 7, Budget: 7}
	s.Minted += 7
	s.Burned += in.Burned
	s.FeeVault += in.FeesIn
	return s, r, f(&s, &r)
}

func TestPoliciesAreHeldToTheRules(t *testing.T) {
	type state = tokenomics.PolicyState
	type result = tokenomics.Result
	errOwn := errors.New("own")
	for _, c := range []struct {
		name   string
		change func(s *state, r *result)
		says   string
	}{
		{"mints more than it books", func(_ *state, r *result) { r.Mint, r.Budget = 8, 8 }, "mints 0.00000008"},
		{"books more than it mints", func(s *state, _ *result) { s.Minted++ }, "mints 0.00000007"},
		{"forgets what was minted", func(s *state, r *result) { s.Minted, r.Mint, r.Budget = 9, 1<<64-1, 1<<64-1 }, "mints"},
		{"mints beyond the cap", func(s *state, r *result) { s.Minted, r.Mint, r.Budget = 101, 91, 91 }, "exceed the cap"},
		{"mints again what was not burned", func(s *state, r *result) { s.Reminted, r.Remint, r.Budget = 21, 21, 28 }, "minted again"},
		{"mints again and does not book it", func(_ *state, r *result) { r.Remint, r.Budget = 1, 8 }, "mints 0.00000001 again"},
		{"burns by itself", func(s *state, _ *result) { s.Burned++ }, "it books 0.00000021 as burned, 0.0000002 were"},
		{"forgets a burn", func(s *state, _ *result) { s.Burned = 0 }, "as burned"},
		{"changes the cap", func(s *state, _ *result) { s.Cap++ }, "genesis, the cap"},
		{"changes the decimals", func(s *state, _ *result) { s.Decimals++ }, "decimals"},
		{"changes genesis", func(s *state, _ *result) { s.Genesis-- }, "genesis, the cap"},
		{"keeps what it hands out", func(_ *state, r *result) { r.Budget-- }, "hands out"},
		{"hands out more than it releases", func(_ *state, r *result) { r.Payouts = []tokenomics.Payout{{ID: "a", Amount: 1}} }, "hands out"},
		{"hands out more than there are numbers", func(_ *state, r *result) {
			r.Payouts = []tokenomics.Payout{{ID: "a", Amount: 1<<64 - 7}}
		}, "payouts"},
		{"opens the fee vault and does not book it", func(_ *state, r *result) { r.FromFeeVault, r.Budget = 1, 8 }, "fee vault"},
		{"takes more from the fee vault than it holds", func(s *state, r *result) {
			s.FeeVault, r.FromFeeVault, r.Budget = 31, 1<<64-1, 6
		}, "fee vault"},
		{"a pool that was never filled", func(s *state, _ *result) { s.Recycle = 21 }, "to come"},
		{"debts out of order", func(s *state, _ *result) { s.Debts = []tokenomics.Claim{{ID: "b", USD: 1}, {ID: "a", USD: 1}} }, "debt 2"},
	} {
		var policy rogue = func(s *state, r *result) error { c.change(s, r); return nil }
		tl := newTimeline(t, hours(july2024()), tokenomics.Era{Policy: wrapped{policy}})
		s, r, err := tl.Step(1, state{Genesis: 900, Cap: 1000, Minted: 10, Burned: 15, FeeVault: 20}, tokenomics.Inputs{Burned: 5, FeesIn: 10})
		require.ErrorIs(t, err, tokenomics.ErrPolicy, c.name)
		require.ErrorContains(t, err, c.says, c.name)
		require.Zero(t, s)
		require.Zero(t, r)
	}
	fine := newTimeline(t, hours(july2024()), tokenomics.Era{Policy: wrapped{func(*state, *result) error { return nil }}})
	_, r, err := fine.Step(1, state{Genesis: 900, Cap: 1000}, tokenomics.Inputs{})
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(7), r.Mint)
	failing := newTimeline(t, hours(july2024()), tokenomics.Era{Policy: wrapped{func(*state, *result) error { return errOwn }}})
	_, _, err = failing.Step(1, state{Genesis: 900, Cap: 1000}, tokenomics.Inputs{})
	require.ErrorIs(t, err, errOwn)
}

// wrapped lets the change be seen in what is returned.
type wrapped struct{ rogue }

func (w wrapped) Step(s tokenomics.PolicyState, in tokenomics.Inputs) (tokenomics.PolicyState, tokenomics.Result, error) {
	var r tokenomics.Result
	var err error
	plain := rogue(func(*tokenomics.PolicyState, *tokenomics.Result) error { return nil })
	if s, r, err = plain.Step(s, in); err == nil {
		err = w.rogue(&s, &r)
	}
	return s, r, err
}
