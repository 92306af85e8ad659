package settlement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

// TestStepStale: a batch that has waited for half of ReclaimAfterSeconds is signed only if a quorum says that its marker was never
// made.
func TestStepStale(t *testing.T) {
	never := settlement.Finding{Origin: settlement.Never}
	ours := settlement.Finding{Origin: settlement.Ours, Tx: "other", Slot: 20, Lines: decidedLines(t)}
	theirs := settlement.Finding{Origin: settlement.Theirs, Tx: "mal", Slot: 20}
	for _, row := range []struct {
		name     string
		after    time.Duration
		findings [2]settlement.Finding
		state    settlement.State
		finds    int
		marker   uint16
		want     string // in the error
	}{
		{"just in time", 30*time.Minute - 1, [2]settlement.Finding{ours, ours}, settlement.StateSigned, 0, 0, ""},
		{"late, never made", 30 * time.Minute, [2]settlement.Finding{never, never}, settlement.StateSigned, 1, 0, ""},
		{"late, never made, says one", 30 * time.Minute, [2]settlement.Finding{never, {}}, settlement.StatePlanned, 1, 0, `"b": its history does not tell`},
		{"late, and it was paid and reclaimed", 72 * time.Hour, [2]settlement.Finding{ours, ours}, settlement.StatePaid, 1, 0, ""},
		{"late, and it is poisoned: the next one is no better known", 72 * time.Hour, [2]settlement.Finding{theirs, theirs}, settlement.StatePlanned, 1, 1, ""},
		{"late, and they disagree", 72 * time.Hour, [2]settlement.Finding{ours, never}, settlement.StatePlanned, 1, 0, "endpoints disagree on marker 7/0/0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJournal(t)
			apply(t, j, decided())
			a := &canned{height: 90, prepare: makes(settlement.Prepared{Tx: tx("s1")}), findings: row.findings[:1]}
			b := &canned{height: 90, findings: row.findings[1:]}
			_, err := runner(j, 2, a, b).Step(t.Context(), morning.Add(row.after))
			if row.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.want)
			}
			e, _ := j.Batch(first)
			require.Equal(t, row.state, e.State)
			require.Equal(t, row.marker, e.Batch.Marker)
			require.Equal(t, row.finds, a.finds)
			require.Equal(t, row.state == settlement.StateSigned, a.prepares == 1, "what may not be signed is not prepared")
			require.NoError(t, j.Audit())
		})
	}
}

// TestStepToldLate: a decision that is told late is as old as it is, for a payer that has not heard of it before.
func TestStepToldLate(t *testing.T) {
	for _, row := range []struct {
		made  time.Time
		stale bool
	}{{time.Time{}, false}, {morning.Add(-30*time.Minute + 1), false}, {morning.Add(-30 * time.Minute), true}, {morning.Add(time.Hour), false}} {
		j := newJournal(t)
		e := decided()
		e.Made = row.made
		apply(t, j, e)
		require.Equal(t, row.stale, j.Open()[0].Stale(morning))
		_, err := j.Apply(morning, settlement.Signed{Batch: first, Tx: tx("s1")})
		if row.stale {
			require.ErrorIs(t, err, settlement.ErrUnseen)
			apply(t, j, settlement.Absent{Marker: settlement.MarkerID{Batch: first}, Witnesses: seen(90)}, settlement.Signed{Batch: first, Tx: tx("s1")})
			continue
		}
		require.NoError(t, err)
	}
}

// decidedLines is what a transaction carries that pays all that decided decides.
func decidedLines(t *testing.T) []settlement.Line {
	t.Helper()
	j := newJournal(t)
	apply(t, j, decided())
	return j.Open()[0].Ever
}

// blind is an endpoint that cannot find.
type blind struct{ settlement.Chain }

// TestStepStaleBlind: without a Finder a batch that has waited too long stays, and the round says why; if markers are never
// reclaimed, nothing has to be found.
func TestStepStaleBlind(t *testing.T) {
	for _, reclaim := range []uint64{0, 3600} {
		p := params()
		p.ReclaimAfterSeconds = reclaim
		j, err := settlement.NewJournal(p)
		require.NoError(t, err)
		apply(t, j, decided())
		r := runner(j, 2, &canned{height: 90, prepare: makes(settlement.Prepared{Tx: tx("s1")})}, &canned{height: 90})
		for i, c := range r.Chains {
			r.Chains[i] = blind{c}
		}
		_, err = r.Step(t.Context(), morning.Add(72*time.Hour))
		e, _ := j.Batch(first)
		require.Equal(t, reclaim == 0, e.Before.IsZero())
		if reclaim == 0 {
			require.NoError(t, err)
			require.Equal(t, settlement.StateSigned, e.State)
			continue
		}
		require.ErrorContains(t, err, "find who made 1 markers: 0 endpoints answered, want Quorum, 2")
		require.Equal(t, settlement.StatePlanned, e.State)
	}
}

// TestStepSleepsInTheMiddle: a machine that sleeps while an attempt is prepared does not record it as if no time had passed.
func TestStepSleepsInTheMiddle(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided())
	now := morning
	a := &canned{height: 90, prepare: func([]settlement.Batch) ([]settlement.Prepared, error) {
		now = now.Add(72 * time.Hour)
		return []settlement.Prepared{{Tx: tx("s1")}}, nil
	}}
	r := runner(j, 2, a, &canned{height: 90})
	r.Clock = func() time.Time { return now }
	_, err := r.Step(t.Context(), morning)
	require.ErrorIs(t, err, settlement.ErrUnseen)
	require.Empty(t, a.sent, "what is not recorded is not sent")

	now = morning.Add(-time.Hour) // a clock that is behind changes nothing
	a.prepare = makes(settlement.Prepared{Tx: tx("s2")})
	_, err = r.Step(t.Context(), morning.Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, [][]string{{"s2"}}, a.sent)
}

// TestStepStaleOnAChain: a payer that sleeps for days wakes up on a real history, in which another one has paid the batch, retried
// what was refused and taken all markers back. It learns all of it and pays nothing.
func TestStepStaleOnAChain(t *testing.T) {
	m := settlement.NewMemory()
	m.Open(io, "vault", 100)
	m.Open(io, "ann", 0)
	journals, runners := [2]*settlement.Journal{}, [2]*settlement.Runner{}
	for i := range journals {
		j := newJournal(t)
		apply(t, j, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 5, "a"), pay("bob", 4, "b")}})
		journals[i] = j
		runners[i] = &settlement.Runner{
			Chains: []settlement.Chain{m.Endpoint("a"), m.Endpoint("b")}, Quorum: 2, Open: j.Open, Apply: j.Apply, Probes: j.Probes, Reclaimable: j.Reclaimable,
		}
	}
	work := func(i, hours int, from time.Time) time.Time {
		for h := range hours {
			_, err := runners[i].Step(t.Context(), from.Add(time.Duration(h)*time.Hour))
			require.NoError(t, err)
			require.NoError(t, journals[i].Audit())
			m.Advance(40)
		}
		return from.Add(time.Duration(hours) * time.Hour)
	}
	now := work(0, 4, morning)
	m.Open(io, "bob", 0)
	retry := settlement.Retried{Intents: []settlement.IntentID{id("b")}}
	_, err := journals[0].Apply(now, retry)
	require.NoError(t, err)
	now = work(0, 9, now)
	for e := range journals[0].Batches() {
		require.True(t, e.Reclaimed, "%s", e.Batch.ID)
	}

	now = work(1, 2, now.Add(72*time.Hour))
	_, err = journals[1].Apply(now, retry)
	require.NoError(t, err)
	work(1, 4, now)
	for i, j := range journals {
		require.Equal(t, settlement.Totals{Decided: 9, Paid: 9}, j.Totals(io), "payer %d", i)
	}
	for who, want := range map[settlement.Account]uint64{"ann": 5, "bob": 4} {
		got, _ := m.Balance(io, who)
		require.Equal(t, want, got, "%s", who)
	}
	report, err := settlement.Reconcile(t.Context(), journals[1], m.Endpoint("c"))
	require.NoError(t, err)
	require.Empty(t, report.Differences)
}
