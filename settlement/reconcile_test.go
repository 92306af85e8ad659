package settlement_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
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
		{"rent of a stranger's account", func(a *annals, i int) { a.traces[i].Reclaimed = []settlement.Account{"mal"} }, `it took the rent of "mal"`},
		{"rent taken twice", func(a *annals, _ int) {
			x := a.traces[len(a.traces)-1]
			x.Tx = "again"
			a.traces = append(a.traces, x)
		}, "which is no marker that holds any"},
		{"rent that nobody took", func(a *annals, _ int) { a.traces = a.traces[:len(a.traces)-1] }, "nothing in the payer's history has taken the rent"},
		{"told twice", func(a *annals, i int) { a.traces = append(a.traces, a.traces[i]) }, "it stands twice in the history"},
		{"fees beyond all measure", func(a *annals, i int) { a.traces[i].Fee = math.MaxUint64 }, "the fees do not fit into 64 bits"},
		{"units that wrap around", func(a *annals, i int) { // 2⁶⁴ + 5 would be 5
			a.traces[i].Lines = append(a.traces[i].Lines, settlement.Line{Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: math.MaxUint64})
		}, "the units of its lines do not fit into 64 bits"},
		{"a balance that wraps around", func(a *annals, i int) {
			c := &a.traces[i].Changes[0]
			c.Before, c.After = math.MaxUint64-1, c.After-c.Before-2
		}, "the lines say"},
		{"a balance that has grown by less, as where the mint withholds a fee", func(a *annals, i int) {
			k := slices.IndexFunc(a.traces[i].Changes, func(c settlement.Change) bool { return c.Owner == "ann" })
			a.traces[i].Changes[k].After--
		}, `"ann" had 0 of "IO" and has 4, the lines say 5 more and 0 less`},
	} {
		t.Run(row.name, func(t *testing.T) {
			j, a := paidHour(t)
			first := slices.IndexFunc(a.traces, func(x settlement.Trace) bool { return len(x.Lines) == 3 })
			row.spoil(&a, first)
			r, err := settlement.Reconcile(t.Context(), j, a)
			require.NoError(t, err)
			require.Contains(t, texts(r), row.says)
		})
	}
}

// texts joins all differences.
func texts(r settlement.Report) string {
	var b strings.Builder
	for _, d := range r.Differences {
		fmt.Fprintf(&b, "%s %s: %s\n", d.Tx, d.Batch, d.Text)
	}
	return b.String()
}

// TestReconcileOrder: another payer may carry the same lines in another order, and that is no difference.
func TestReconcileOrder(t *testing.T) {
	j, a := paidHour(t)
	i := slices.IndexFunc(a.traces, func(x settlement.Trace) bool { return len(x.Lines) == 3 })
	slices.Reverse(a.traces[i].Lines)
	r, err := settlement.Reconcile(t.Context(), j, a)
	require.NoError(t, err)
	require.Empty(t, r.Differences)
}

// TestReconcilePoisoned: what was called poisoned has landed after all. The marker that exists has the lower number.
func TestReconcilePoisoned(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")})
	lines := j.Open()[0].Batch.Lines
	apply(t, j,
		settlement.Expired{Batch: first, Tx: "s1", Witnesses: seen(151)},
		settlement.Poisoned{Marker: settlement.MarkerID{Batch: first}, Tx: "mal", Witnesses: seen(151)},
		settlement.Landed{Batch: first, Tx: "s1", Slot: 9, Witnesses: seen(152)})
	x := settlement.Trace{Tx: "s1", Slot: 9, Marker: "7/0/0", Lines: lines, Changes: changes(lines)}
	r, err := settlement.Reconcile(t.Context(), j, annals{traces: []settlement.Trace{x}})
	require.NoError(t, err)
	require.Empty(t, texts(r))
	x.Marker = "7/0/0#1"
	r, err = settlement.Reconcile(t.Context(), j, annals{traces: []settlement.Trace{x}})
	require.NoError(t, err)
	require.Contains(t, texts(r), `it made the marker "7/0/0#1", the batch's is "7/0/0"`)
}

// changes are the balances that lines from a full vault change.
func changes(lines []settlement.Line) []settlement.Change {
	vault := settlement.Change{Owner: "vault", Asset: io, Before: 1000, After: 1000}
	var out []settlement.Change
	for _, l := range lines {
		vault.After -= l.Units
		out = append(out, settlement.Change{Owner: l.To, Asset: io, After: l.Units})
	}
	return append(out, vault)
}

// TestReconcileOtherPayer: transactions of another payer over the same key that the journal has not heard of are told with the
// batch that they closed.
func TestReconcileOtherPayer(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided())
	lines := j.Open()[0].Batch.Lines
	for _, row := range []struct {
		name   string
		marker settlement.Account
		lines  []settlement.Line
		says   string
	}{
		{"it has paid", "7/0/0", lines, "x 7/0/0: it made marker 7/0/0 and carried 2 lines, and is no attempt of the journal, which has the batch as planned"},
		{"it has sealed", "7/0/0", nil, "x 7/0/0: it made marker 7/0/0 and carried 0 lines"},
		{"it has found the marker poisoned", "7/0/0#1", lines[:1], "x 7/0/0: it made marker 7/0/0#1 and carried 1 lines"},
		{"it has retried", "7/4294967295/63", lines[:1], "x 7/4294967295/63: it made marker 7/4294967295/63 and carried 1 lines: another payer opened that batch"},
		{"beyond what is searched", "7/4294967295/64", lines[:1], `x 0/0/0: no batch explains it: 1 lines, marker "7/4294967295/64"`},
		{"without a marker", "", lines[:1], `x 0/0/0: no batch explains it: 1 lines, marker ""`},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := settlement.Trace{Tx: "x", Slot: 9, Marker: row.marker, Lines: row.lines}
			if len(row.lines) > 0 {
				x.Changes = changes(row.lines)
			}
			r, err := settlement.Reconcile(t.Context(), j, annals{traces: []settlement.Trace{x}})
			require.NoError(t, err)
			require.Contains(t, texts(r), row.says)
			require.NotContains(t, texts(r), "the lines say", "its balances are right")
		})
	}
	apply(t, j, settlement.Signed{Batch: first, Tx: tx("s1")})
	r, err := settlement.Reconcile(t.Context(), j, annals{traces: []settlement.Trace{{Tx: "s1", Slot: 9, Marker: "7/0/0", Lines: lines, Changes: changes(lines)}}})
	require.NoError(t, err)
	require.Contains(t, texts(r), "s1 7/0/0: it has landed, the journal has the batch as signed")
}

func TestReconcileNeedsTheAddress(t *testing.T) {
	j, a := paidHour(t)
	a.err = errNet
	_, err := settlement.Reconcile(t.Context(), j, a)
	require.ErrorIs(t, err, errNet)
	require.ErrorContains(t, err, "settlement: reconcile: marker 7/")
}
