package settlement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// TestLimits: each bound at its value and beside it.
func TestLimits(t *testing.T) {
	one := func(units uint64, cause string) settlement.Decided {
		return settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", units, cause)}}
	}
	for _, row := range []struct {
		name  string
		limit settlement.Limit
		later time.Duration // between 6 units and the others
		units uint64
		want  settlement.LimitError // zero: accepted
	}{
		{"line", settlement.Limit{MaxLine: 6}, 0, 6, settlement.LimitError{}},
		{"line, one more", settlement.Limit{MaxLine: 6}, 0, 7, settlement.LimitError{Limit: "MaxLine", Asset: io, Have: 7, Want: 6}},
		{"epoch", settlement.Limit{MaxEpoch: 10}, 100 * time.Hour, 4, settlement.LimitError{}},
		{"epoch, one more", settlement.Limit{MaxEpoch: 10}, 100 * time.Hour, 5, settlement.LimitError{Limit: "MaxEpoch", Asset: io, Have: 11, Want: 10}},
		{"day", settlement.Limit{MaxDay: 10}, 24*time.Hour - 1, 4, settlement.LimitError{}},
		{"day, one more", settlement.Limit{MaxDay: 10}, 24*time.Hour - 1, 5, settlement.LimitError{Limit: "MaxDay", Asset: io, Have: 11, Want: 10}},
		{"day, one more on the next", settlement.Limit{MaxDay: 10}, 24 * time.Hour, 5, settlement.LimitError{}},
		{"no bound", settlement.Limit{}, 0, 1 << 60, settlement.LimitError{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := params()
			row.limit.Mint = "IO"
			p.Limits = []settlement.Limit{row.limit}
			j, err := settlement.NewJournal(p)
			require.NoError(t, err)
			_, err = j.Apply(morning, one(6, "first"))
			require.NoError(t, err)
			before := j.Digest()
			_, err = j.Apply(morning.Add(row.later), one(row.units, "second"))
			require.NoError(t, j.Audit())
			if row.want == (settlement.LimitError{}) {
				require.NoError(t, err)
				return
			}
			var limit *settlement.LimitError
			require.ErrorAs(t, err, &limit)
			require.Equal(t, row.want, *limit)
			require.Equal(t, before, j.Digest())
		})
	}
}

// TestMaxDayInRecovery: months that are decided again are not a day's spending, and do not count for the day after.
func TestMaxDayInRecovery(t *testing.T) {
	p := params()
	p.Limits = []settlement.Limit{{Mint: "IO", MaxDay: 10}}
	j, err := settlement.NewJournal(p)
	require.NoError(t, err)
	apply(t, j, settlement.Recovering{LastValid: 1}, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 99, "a")}},
		settlement.Absent{Marker: settlement.MarkerID{Batch: first}, Witnesses: seen(2)}, settlement.Recovering{},
		settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 10, "b")}})
	_, err = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 1, "c")}})
	require.ErrorContains(t, err, "MaxDay")
}

// TestRetryOfOldEpochs: what a batch was closed without may have been paid by an Overflow batch whose marker is reclaimed.
func TestRetryOfOldEpochs(t *testing.T) {
	for _, since := range []tokenomics.Epoch{7, 8} {
		j := newJournal(t)
		apply(t, j, settlement.Recovering{LastValid: 1, Since: since}, decided(), settlement.Found{Marker: settlement.MarkerID{Batch: first}, Tx: "seal", Witnesses: seen(2)})
		for _, m := range j.Probes() {
			apply(t, j, settlement.Absent{Marker: m, Witnesses: seen(2)})
		}
		_, err := j.Apply(morning, settlement.Retried{Intents: []settlement.IntentID{id("a")}})
		if since == 7 {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, settlement.ErrStale)
		require.ErrorContains(t, err, "may have been reclaimed")
	}
}
