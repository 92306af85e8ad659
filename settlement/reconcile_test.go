package settlement_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

// annals is a history that a test can falsify.
type annals struct {
	traces []settlement.Trace
	err    error
}

func (a annals) MarkerAddress(_ context.Context, m settlement.MarkerID) (settlement.Account, error) {
	return settlement.Account(m.String()), a.err
}

func (a annals) History(_ context.Context, each func(settlement.Trace) error) error {
	for _, t := range a.traces {
		if err := each(t); err != nil {
			return err
		}
	}
	return nil
}

// paidHour has four payments in two batches, a burn and a swap carried over a chain in memory, and returns what is written of it.
func paidHour(t *testing.T) (*settlement.Journal, annals) {
	t.Helper()
	m := settlement.NewMemory()
	m.Open(io, "vault", 1000)
	m.Open(io, "desk", 100)
	m.Open(usdc, "treasury", 0)
	for _, who := range []settlement.Account{"ann", "bob", "cat", "dee"} {
		m.Open(io, who, 0)
	}
	m.Open(usdc, "pool", 1000)
	m.Open(io, "pool", 0)
	m.Pool("pool", io, usdc, 2, 1)
	j := newJournal(t)
	apply(t, j, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{
		pay("ann", 5, "a"), pay("bob", 6, "b"), pay("cat", 7, "c"), pay("dee", 8, "d"), pay("eve", 9, "e"), burn(10, "f"), swap(20, "g"),
	}})
	ends := []*settlement.MemoryEndpoint{m.Endpoint("a"), m.Endpoint("b")}
	r := settlement.Runner{Chains: []settlement.Chain{ends[0], ends[1]}, Quorum: 2, Open: j.Open, Apply: j.Apply, Probes: j.Probes, Reclaimable: j.Reclaimable}
	for at := morning; at.Before(morning.Add(20 * time.Hour)); at = at.Add(time.Hour) {
		_, err := r.Step(t.Context(), at)
		require.NoError(t, err)
		m.Advance(40)
	}
	require.Empty(t, j.Open())
	var a annals
	require.NoError(t, ends[0].History(t.Context(), func(x settlement.Trace) error { a.traces = append(a.traces, x); return nil }))
	report, err := settlement.Reconcile(t.Context(), j, ends[1])
	require.NoError(t, err)
	require.Empty(t, report.Differences)
	return j, a
}

func TestReconcile(t *testing.T) {
	j, a := paidHour(t)
	r, err := settlement.Reconcile(t.Context(), j, a)
	require.NoError(t, err)
	require.Empty(t, r.Differences)
	require.Equal(t, []settlement.Book{
		{Asset: io, Decided: 65, Moved: 56, Burned: 10, Refused: 9}, {Asset: usdc},
	}, r.Books)
	require.Equal(t, 6, r.Lines)
	require.Positive(t, r.RentIn)
	require.Equal(t, r.RentIn, r.RentOut)
	require.EqualValues(t, 5000*r.Transactions, r.Fees)
	require.Zero(t, r.Failed)
}

// TestReconcileTells falsifies one thing after the other.
func TestReconcileTells(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(a *annals, i int) // i is the first transaction that pays
		says  string
	}{
		{"a payment is missing", func(a *annals, i int) { a.traces = slices.Delete(a.traces, i, i+1) }, "not in the payer's history"},
		{"one nobody ordered", func(a *annals, i int) {
			x := a.traces[i]
			x.Tx, x.Marker, x.Changes = "stranger", "", nil
			a.traces = append(a.traces, x)
		}, "no batch explains it: 3 lines"},
		{"paid twice", func(a *annals, i int) { a.traces = append(a.traces, a.traces[i]) }, "was made before"},
		{"a unit too much in a line", func(a *annals, i int) { a.traces[i].Lines[0].Units++ }, "line 0 carried"},
		{"a unit too much in a balance", func(a *annals, i int) { a.traces[i].Changes[0].After++ }, "the lines say"},
		{"a balance nobody speaks of", func(a *annals, i int) {
			a.traces[i].Changes = append(a.traces[i].Changes, settlement.Change{Owner: "mal", Asset: io, After: 3})
		}, `"mal" had 0 of "IO" and has 3`},
		{"a balance that did not change", func(a *annals, i int) { a.traces[i].Changes = a.traces[i].Changes[1:] }, "shows no change"},
		{"a line less", func(a *annals, i int) { a.traces[i].Lines = a.traces[i].Lines[1:] }, "it carried 2 lines, the journal says 3"},
		{"another marker", func(a *annals, i int) { a.traces[i].Marker = "7/9/9" }, `it made the marker "7/9/9"`},
		{"an instruction of another kind", func(a *annals, i int) { a.traces[i].Unknown = true }, "an instruction that settlement never writes"},
		{"it failed", func(a *annals, i int) { a.traces[i].Failed = true }, "it failed and yet changed"},
		{"rent from nowhere", func(a *annals, i int) { a.traces[i].Returned++ }, "markers gave"},
	} {
		t.Run(row.name, func(t *testing.T) {
			j, a := paidHour(t)
			first := slices.IndexFunc(a.traces, func(x settlement.Trace) bool { return len(x.Lines) == 3 })
			row.spoil(&a, first)
			r, err := settlement.Reconcile(t.Context(), j, a)
			require.NoError(t, err)
			require.NotEmpty(t, r.Differences)
			require.Contains(t, r.Differences[0].Text+r.Differences[len(r.Differences)-1].Text, row.says)
		})
	}
}

func TestReconcileNeedsTheAddress(t *testing.T) {
	j, a := paidHour(t)
	a.err = errNet
	_, err := settlement.Reconcile(t.Context(), j, a)
	require.ErrorIs(t, err, errNet)
	require.ErrorContains(t, err, "settlement: reconcile: marker 7/")
}
