package settlement_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// history draws events that are mostly possible in the journal's state, and some that are not.
type history struct {
	*rand.Rand
	j *settlement.Journal
	n int
}

func (h *history) next() settlement.Event {
	h.n++
	if h.IntN(5) == 0 {
		return settlement.Decided{Epoch: tokenomics.Epoch(h.IntN(3) + 1), Intents: world(h.Uint64N(40), h.IntN(8))}
	}
	var all []settlement.Entry
	for e := range h.j.Batches() {
		all = append(all, e)
	}
	if len(all) == 0 {
		return settlement.Resumed{}
	}
	e := all[h.IntN(len(all))]
	id, attempt := e.Batch.ID, settlement.Record{}
	if len(e.Attempts) > 0 {
		attempt = e.Attempts[h.IntN(len(e.Attempts))]
	}
	faults := []settlement.Fault{{Line: h.IntN(len(e.Batch.Lines) + 1), Reason: "bad"}}
	switch h.IntN(8) {
	case 0, 1, 2:
		return settlement.Signed{Batch: id, Revision: e.Batch.Revision, Tx: tx(fmt.Sprint("s", h.n))}
	case 3:
		return settlement.Landed{Batch: id, Tx: attempt.Tx.ID, Slot: uint64(h.n), Fee: 5000}
	case 4:
		return settlement.Failed{Batch: id, Tx: attempt.Tx.ID, Failure: settlement.Failure{Faults: faults[:h.IntN(2)], Marker: h.IntN(4) == 0, Reason: "failed"}}
	case 5:
		return settlement.Expired{Batch: id, Tx: attempt.Tx.ID, Height: 149 + h.Uint64N(4)}
	case 6:
		return settlement.Rejected{Batch: id, Revision: e.Batch.Revision, Faults: faults}
	default:
		return settlement.Resumed{Batch: id}
	}
}

// play runs a history of n events and returns the journal and a count of the states it ends in.
func play(t testing.TB, seed uint64, n int, check bool) (*settlement.Journal, map[settlement.State]int) {
	t.Helper()
	h := &history{Rand: rand.New(rand.NewPCG(seed, 3)), j: newJournal(t)}
	for i := range n {
		e := h.next()
		before := h.j.Digest()
		at := morning.Add(time.Duration(i) * time.Second)
		_, err := h.j.Apply(at, e)
		if check {
			require.NoError(t, h.j.Audit())
			if err != nil {
				require.Equal(t, before, h.j.Digest(), "a refused event changes nothing")
			}
			back, err := settlement.DecodeEvent(settlement.EncodeEvent(e))
			require.NoError(t, err)
			require.Equal(t, settlement.EncodeEvent(e), settlement.EncodeEvent(back))
		}
	}
	ends := map[settlement.State]int{}
	for p := range h.j.Payments() {
		ends[p.State]++
	}
	return h.j, ends
}

func FuzzHistories(f *testing.F) {
	f.Add(uint64(1), uint8(100))
	f.Add(uint64(2), uint8(255))
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) {
		j, _ := play(t, seed, int(n), true)
		again, err := settlement.Restore(params(), j.Snapshot())
		require.NoError(t, err)
		require.Equal(t, j.Digest(), again.Digest())
		require.Equal(t, j.Open(), again.Open())
		for _, a := range params().Assets {
			sum := settlement.Totals{}
			for p := range j.Payments() { // the books again, the slow way
				if p.Intent.Asset != a {
					continue
				}
				sum.Decided += p.Intent.Units
				switch p.State {
				case settlement.StatePaid:
					sum.Paid += p.Intent.Units
				case settlement.StateRefused:
					sum.Refused += p.Intent.Units
				case settlement.StatePlanned, settlement.StateSigned, settlement.StateStuck:
					sum.Open += p.Intent.Units
				}
			}
			require.Equal(t, sum, j.Totals(a))
		}
	})
}

func TestHistoriesReachEveryState(t *testing.T) {
	_, ends := play(t, 1, 400, false)
	for s := settlement.StatePlanned; s <= settlement.StateRefused; s++ {
		require.NotZero(t, ends[s], "%s: %v", s, ends)
	}
}

// TestDeterminism plays a history on one processor and on all, and compares both with the digest on file.
func TestDeterminism(t *testing.T) {
	run := func(procs int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		j, _ := play(t, 42, 1000, false)
		return fmt.Sprintf("%x\n", j.Digest())
	}
	one := run(1)
	require.Equal(t, one, run(runtime.NumCPU()))
	golden.Check(t, "testdata/digest.txt", one)
}

func FuzzDecodeEvent(f *testing.F) {
	for _, e := range []settlement.Event{
		decided(),
		settlement.Signed{Batch: first, Tx: tx("s")},
		settlement.Rejected{Batch: first, Faults: fault(0)},
		settlement.Landed{Batch: first, Tx: "s"},
		settlement.Failed{Batch: first, Failure: settlement.Failure{Faults: fault(1), Reason: "x"}},
		settlement.Expired{Batch: first},
		settlement.Resumed{Batch: first},
	} {
		f.Add(settlement.EncodeEvent(e))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := settlement.DecodeEvent(b)
		if err == nil {
			require.Equal(t, b, settlement.EncodeEvent(e), "one form per event")
			_, _ = newJournal(t).Apply(morning, e)
		}
	})
}

func FuzzRestore(f *testing.F) {
	for seed := range uint64(3) {
		j, _ := play(f, seed, 60, false)
		f.Add(j.Snapshot())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := settlement.Restore(params(), b)
		if err == nil {
			require.NoError(t, j.Audit())
			require.Equal(t, b, j.Snapshot(), "one form per state")
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	j, _ := play(t, 5, 60, false)
	whole := j.Snapshot()
	for n := range whole {
		_, err := settlement.Restore(params(), whole[:n])
		require.Error(t, err, "cut at %d", n)
	}
	other := params()
	other.MaxLines = 4
	_, err := settlement.Restore(other, whole)
	require.ErrorContains(t, err, "under other params")
	_, err = settlement.Restore(settlement.Params{}, whole)
	require.ErrorContains(t, err, "Version is empty")
	one := newJournal(t)
	apply(t, one, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 5, "a")}})
	text := strings.Replace(string(one.Snapshot()), "ann", "bob", 1) // the line, not the intent
	_, err = settlement.Restore(params(), []byte(text))
	require.ErrorIs(t, err, settlement.ErrBroken)
}

func BenchmarkApply(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("payouts=%d", n), func(b *testing.B) {
			p := settlement.Params{Version: "bench", MaxLines: 58, Assets: []settlement.Asset{io}}
			in := make([]settlement.Intent, n)
			for i := range in {
				in[i] = pay(settlement.Account(fmt.Sprint("account", i)), 1, fmt.Sprint(i))
			}
			raw := make([]byte, 3236)
			b.ReportAllocs()
			for b.Loop() {
				j, err := settlement.NewJournal(p)
				require.NoError(b, err)
				effects, err := j.Apply(morning, settlement.Decided{Epoch: 1, Intents: in})
				require.NoError(b, err)
				for i, e := range effects {
					prep, ok := e.(settlement.Prepare)
					require.True(b, ok)
					id := fmt.Sprint(i)
					_, err = j.Apply(morning, settlement.Signed{Batch: prep.Batch.ID, Tx: settlement.Tx{ID: id, Raw: raw, LastValid: 150}})
					require.NoError(b, err)
					_, err = j.Apply(morning, settlement.Landed{Batch: prep.Batch.ID, Tx: id, Slot: 1, Fee: 5000})
					require.NoError(b, err)
				}
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "payouts/s")
		})
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("intents=%d", n), func(b *testing.B) {
			in := world(1, n)
			b.ReportAllocs()
			for b.Loop() {
				_, err := settlement.Plan(params(), 7, 0, in)
				require.NoError(b, err)
			}
		})
	}
}
