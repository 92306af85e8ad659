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

// historyParams have every limit and every asset that world needs.
func historyParams() settlement.Params {
	p := worldParams()
	p.ReclaimAfterSeconds = 300
	p.Limits = []settlement.Limit{{Mint: "IO", MinPay: 300, MaxLine: 5000, MaxEpoch: 60_000}, {Mint: "USDC", MaxDay: 90_000}}
	return p
}

func (h *history) next() settlement.Event {
	h.n++
	switch h.IntN(24) {
	case 0, 1, 2, 3:
		return settlement.Decided{Epoch: tokenomics.Epoch(h.IntN(3) + 1), Intents: world(h.Uint64N(40), h.IntN(8)), MaxLines: uint16(h.IntN(5))}
	case 4:
		if last := uint64(h.IntN(40) / 38 * 150); h.IntN(3) > 0 || last > 0 {
			return settlement.Recovering{LastValid: last, Since: tokenomics.Epoch(last / 150 * uint64(h.IntN(3)))}
		}
	case 5:
		if list := h.j.Probes(); len(list) > 0 {
			return settlement.Absent{Marker: list[h.IntN(len(list))], Witnesses: h.witnesses()}
		}
	case 6:
		if list := h.j.Reclaimable(morning.Add(9999*time.Hour), 400); len(list) > 0 {
			return settlement.Reclaimed{Markers: list[:h.IntN(len(list)+1)], Witnesses: h.witnesses()}
		}
	case 7, 8, 9:
		return h.retry()
	}
	var all []settlement.Entry
	for e := range h.j.Batches() {
		all = append(all, e)
	}
	if len(all) == 0 {
		return settlement.Resumed{}
	}
	return h.about(all[h.IntN(len(all))])
}

// witnesses are sometimes too few, or have seen too little.
func (h *history) witnesses() []settlement.Witness {
	list := seen(149 + h.Uint64N(200))
	return list[:min(2, 1+h.IntN(9))]
}

// retry names refused intents, and sometimes another one.
func (h *history) retry() settlement.Event {
	var e settlement.Retried
	for p := range h.j.Payments() {
		if one := h.IntN(400) == 0; one || p.State == settlement.StateRefused && h.IntN(3) == 0 {
			e.Intents = append(e.Intents, p.Intent.ID)
		}
	}
	if h.IntN(3) > 0 { // one alone succeeds more often
		e.Intents = e.Intents[:min(1, len(e.Intents))]
	}
	e.MaxLines = uint16(h.IntN(4))
	return e
}

// about is an event about a batch.
func (h *history) about(e settlement.Entry) settlement.Event {
	id, attempt := e.Batch.ID, settlement.Record{}
	if len(e.Attempts) > 0 {
		attempt = e.Attempts[h.IntN(len(e.Attempts))]
	}
	marker := e.Batch.MarkerID()
	if h.IntN(20) == 0 {
		marker.N++
	}
	faults := []settlement.Fault{{Line: h.IntN(len(e.Batch.Lines) + 1), Reason: "bad"}}
	switch h.IntN(13) {
	case 0, 1, 2, 3:
		return settlement.Signed{Batch: id, Revision: e.Batch.Revision, Tx: tx(fmt.Sprint("s", h.n))}
	case 4, 5:
		return settlement.Landed{Batch: id, Tx: attempt.Tx.ID, Slot: uint64(h.n), Fee: 5000, Witnesses: h.witnesses()}
	case 6:
		return settlement.Failed{
			Batch: id, Tx: attempt.Tx.ID, Failure: settlement.Failure{Faults: faults[:h.IntN(2)], Marker: h.IntN(4) == 0, Reason: "failed"}, Witnesses: h.witnesses(),
		}
	case 7:
		return settlement.Expired{Batch: id, Tx: attempt.Tx.ID, Witnesses: h.witnesses()}
	case 8:
		return settlement.Rejected{Batch: id, Revision: e.Batch.Revision, Faults: faults}
	case 9:
		f := settlement.Found{Marker: marker, Tx: fmt.Sprint("f", h.n), Slot: uint64(h.n), Witnesses: h.witnesses()}
		for _, l := range e.Ever {
			if e.Batch.Bundle != "" || h.IntN(3) > 0 {
				f.Lines = append(f.Lines, l)
			}
		}
		return f
	case 10:
		return settlement.Poisoned{Marker: marker, Tx: "stranger", Witnesses: h.witnesses()}
	case 11:
		return settlement.Absent{Marker: marker, Witnesses: h.witnesses()}
	default:
		return settlement.Resumed{Batch: id}
	}
}

// oracle follows the effects alone: what they say has become of each intent. It knows no batches and no attempts.
type oracle map[settlement.IntentID]settlement.State

// follow takes an event that was accepted and what followed from it.
func (o oracle) follow(e settlement.Event, effects []settlement.Effect, batches map[settlement.IntentID]settlement.BatchID, j *settlement.Journal) {
	switch e := e.(type) {
	case settlement.Decided:
		for _, in := range e.Intents {
			if _, ok := o[in.ID]; !ok {
				o[in.ID] = 0 // open
			}
		}
	case settlement.Retried:
		for id, s := range o { // those that have moved are open again
			if p, _ := j.Payment(id); s == settlement.StateRefused && p.Batch != batches[id] {
				o[id] = 0
			}
		}
	}
	for _, x := range effects {
		switch x := x.(type) {
		case settlement.Paid:
			o.all(x.Intents, settlement.StatePaid)
		case settlement.Refused:
			o.all(x.Intents, settlement.StateRefused)
		case settlement.Waiting:
			o.all(x.Intents, settlement.StateWaiting)
		case settlement.Prepare:
			for _, l := range x.Batch.Lines {
				o.all(l.Intents, 0)
			}
		case settlement.Find, settlement.Send, settlement.Stuck:
		}
	}
}

func (o oracle) all(ids []settlement.IntentID, s settlement.State) {
	for _, id := range ids {
		o[id] = s
	}
}

// check compares the journal with the oracle.
func (o oracle) check(t testing.TB, j *settlement.Journal) {
	t.Helper()
	sums := map[settlement.Asset]settlement.Totals{}
	n := 0
	for p := range j.Payments() {
		n++
		s, want := sums[p.Intent.Asset], o[p.Intent.ID]
		s.Decided += p.Intent.Units
		switch p.State {
		case settlement.StatePaid:
			require.Equal(t, want, p.State, "%v", p)
			s.Paid += p.Intent.Units
		case settlement.StateRefused:
			require.Equal(t, want, p.State, "%v", p)
			s.Refused += p.Intent.Units
		case settlement.StateWaiting:
			require.Equal(t, want, p.State, "%v", p)
			s.Waiting += p.Intent.Units
		case settlement.StatePlanned, settlement.StateSigned, settlement.StateStuck, settlement.StateMarked, settlement.StateUnsure:
			require.Contains(t, []settlement.State{0, settlement.StateWaiting}, want, "%v", p)
			s.Open += p.Intent.Units
		}
		sums[p.Intent.Asset] = s
	}
	require.Len(t, o, n)
	for _, a := range j.Params().Assets {
		require.Equal(t, sums[a], j.Totals(a))
	}
}

// play runs a history of n events and returns the journal, the states that its intents were in and the kinds of event that were
// accepted.
func play(t testing.TB, seed uint64, n int, check bool) (j *settlement.Journal, states map[settlement.State]int, accepted map[string]int) {
	t.Helper()
	j, err := settlement.NewJournal(historyParams())
	require.NoError(t, err)
	h := &history{Rand: rand.New(rand.NewPCG(seed, 3)), j: j}
	states = map[settlement.State]int{}
	accepted = map[string]int{}
	told := oracle{}
	for i := range n {
		e := h.next()
		before := j.Digest()
		batches := map[settlement.IntentID]settlement.BatchID{}
		for p := range j.Payments() {
			batches[p.Intent.ID] = p.Batch
			states[p.State]++
		}
		effects, err := j.Apply(morning.Add(time.Duration(i)*time.Second), e)
		if err == nil {
			accepted[fmt.Sprintf("%T", e)]++
		}
		if !check {
			continue
		}
		require.NoError(t, j.Audit(), "%T", e)
		if err != nil {
			require.Equal(t, before, j.Digest(), "a refused %T changes nothing: %v", e, err)
		} else {
			told.follow(e, effects, batches, j)
		}
		told.check(t, j)
		back, err := settlement.DecodeEvent(settlement.EncodeEvent(e))
		require.NoError(t, err)
		require.Equal(t, settlement.EncodeEvent(e), settlement.EncodeEvent(back))
	}
	return j, states, accepted
}

func FuzzHistories(f *testing.F) {
	for seed := range uint64(6) {
		f.Add(seed, uint8(255))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) {
		j, _, _ := play(t, seed, int(n), true)
		again, err := settlement.Restore(historyParams(), j.Snapshot())
		require.NoError(t, err)
		require.Equal(t, j.Digest(), again.Digest())
		require.Equal(t, j.Open(), again.Open())
		require.Equal(t, j.Probes(), again.Probes())
		late := morning.Add(9999 * time.Hour)
		require.Equal(t, j.Reclaimable(late, 200), again.Reclaimable(late, 200))
	})
}

// TestHistoriesGoEverywhere: histories that refuse everything prove nothing.
func TestHistoriesGoEverywhere(t *testing.T) {
	sum, kinds := map[settlement.State]int{}, map[string]int{}
	for seed := range uint64(6) {
		_, states, accepted := play(t, seed, 600, false)
		for s, n := range states {
			sum[s] += n
		}
		for k, n := range accepted {
			kinds[k] += n
		}
	}
	for s := settlement.StatePlanned; s <= settlement.StateWaiting; s++ {
		require.NotZero(t, sum[s], "%s: %v", s, sum)
	}
	for _, e := range everyEvent() {
		require.NotZero(t, kinds[fmt.Sprintf("%T", e)], "%T: %v", e, kinds)
	}
	t.Log(kinds)
}

// TestDeterminism plays a history on one processor and on all, and compares both with the digest on file.
func TestDeterminism(t *testing.T) {
	run := func(procs int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		j, _, _ := play(t, 42, 1000, false)
		return fmt.Sprintf("%x\n", j.Digest())
	}
	one := run(1)
	require.Equal(t, one, run(runtime.NumCPU()))
	golden.Check(t, "testdata/digest.txt", one)
}

// everyEvent has each kind of event, with every field filled.
func everyEvent() []settlement.Event {
	marker := settlement.MarkerID{Batch: settlement.BatchID{Epoch: 7, Lane: settlement.Overflow, Index: 3}, N: 2}
	nonce := settlement.Tx{ID: "n", Raw: []byte{1}, Nonce: settlement.Nonce{Account: "acc", Value: "v"}}
	all := decided()
	all.MaxLines = 2
	all.Intents = append(all.Intents, swap(9, "s"), bundled(burn(2, "d"), "lot"))
	list := seen(151)
	list[0].Nonce = "w"
	return []settlement.Event{
		all,
		settlement.Signed{Batch: first, Revision: 1, Tx: tx("s")},
		settlement.Signed{Batch: first, Tx: nonce},
		settlement.Rejected{Batch: first, Revision: 1, Faults: fault(1)},
		settlement.Landed{Batch: first, Tx: "s", Slot: 1, Fee: 2, Got: 3, Witnesses: list},
		settlement.Failed{Batch: first, Tx: "s", Slot: 1, Fee: 2, Failure: settlement.Failure{Faults: fault(1), Marker: true, Reason: "x"}, Witnesses: list},
		settlement.Expired{Batch: first, Tx: "s", Witnesses: list},
		settlement.Found{Marker: marker, Tx: "s", Slot: 1, Fee: 2, Got: 3, Lines: []settlement.Line{{Kind: settlement.Pay, Asset: io, From: "a", To: "b", Units: 4, Intents: []settlement.IntentID{}}}, Witnesses: list},
		settlement.Poisoned{Marker: marker, Tx: "s", Slot: 1, Witnesses: list},
		settlement.Recovering{LastValid: 150, Since: 7},
		settlement.Absent{Marker: marker, Witnesses: list},
		settlement.Retried{MaxLines: 2, Intents: []settlement.IntentID{id("a"), id("b")}},
		settlement.Reclaimed{Markers: []settlement.MarkerID{marker, {}}, Witnesses: list},
		settlement.Resumed{Batch: first},
	}
}

// TestEventsComeBack: each event is read as it was written, and cut at any byte it is an error.
func TestEventsComeBack(t *testing.T) {
	for _, e := range everyEvent() {
		b := settlement.EncodeEvent(e)
		back, err := settlement.DecodeEvent(b)
		require.NoError(t, err)
		require.Equal(t, e, back)
		for n := range b {
			_, err := settlement.DecodeEvent(b[:n])
			require.Error(t, err, "%T cut at %d", e, n)
		}
		_, err = settlement.DecodeEvent(append(b, 0))
		require.Error(t, err, "%T and a byte", e)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for _, e := range everyEvent() {
		f.Add(settlement.EncodeEvent(e))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := settlement.DecodeEvent(b)
		if err == nil {
			require.Equal(t, b, settlement.EncodeEvent(e), "one form per event")
			j := newJournal(t)
			_, _ = j.Apply(morning, e)
			require.NoError(t, j.Audit())
		}
	})
}

func FuzzRestore(f *testing.F) {
	for seed := range uint64(3) {
		j, _, _ := play(f, seed, 60, false)
		f.Add(j.Snapshot())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := settlement.Restore(historyParams(), b)
		if err == nil {
			require.NoError(t, j.Audit())
			require.Equal(t, b, j.Snapshot(), "one form per state")
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	j, _, _ := play(t, 5, 120, false)
	whole := j.Snapshot()
	_, err := settlement.Restore(historyParams(), whole)
	require.NoError(t, err)
	for n := range whole {
		_, err := settlement.Restore(historyParams(), whole[:n])
		require.Error(t, err, "cut at %d", n)
	}
	other := historyParams()
	other.Limits[0].MinPay--
	_, err = settlement.Restore(other, whole)
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
			p := settlement.Params{Version: "bench", MaxLines: 58, Quorum: 2, Assets: []settlement.Asset{io}}
			in := make([]settlement.Intent, n)
			for i := range in {
				in[i] = pay(settlement.Account(fmt.Sprint("account", i)), 1, fmt.Sprint(i))
			}
			raw, list := make([]byte, 3236), seen(1)
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
					_, err = j.Apply(morning, settlement.Landed{Batch: prep.Batch.ID, Tx: id, Slot: 1, Fee: 5000, Witnesses: list})
					require.NoError(b, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/payout")
		})
	}
}

// BenchmarkViews asks a journal of many closed batches what a Runner asks every round.
func BenchmarkViews(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("closed=%d", n), func(b *testing.B) {
			j, err := settlement.NewJournal(settlement.Params{Version: "bench", MaxLines: 1, Quorum: 2, Assets: []settlement.Asset{io}, ReclaimAfterSeconds: 3600})
			require.NoError(b, err)
			in := make([]settlement.Intent, n+1)
			for i := range in {
				in[i] = pay(settlement.Account(fmt.Sprint("account", i)), 1, fmt.Sprint(i))
			}
			_, err = j.Apply(morning, settlement.Decided{Epoch: 1, Intents: in})
			require.NoError(b, err)
			for i, e := range j.Open() {
				if i == 0 { // stays open
					continue
				}
				name := fmt.Sprint(i)
				_, err = j.Apply(morning, settlement.Signed{Batch: e.Batch.ID, Tx: tx(name)})
				require.NoError(b, err)
				_, err = j.Apply(morning, settlement.Landed{Batch: e.Batch.ID, Tx: name, Witnesses: seen(1)})
				require.NoError(b, err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if len(j.Open()) != 1 || j.Totals(io).Open != 1 || len(j.Reclaimable(morning, 1000)) != 0 {
					b.Fatal("another journal")
				}
			}
		})
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("intents=%d", n), func(b *testing.B) {
			in := world(1, n)
			b.ReportAllocs()
			for b.Loop() {
				_, err := settlement.Plan(worldParams(), 7, 0, in)
				require.NoError(b, err)
			}
		})
	}
}
