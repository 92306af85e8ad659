package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

func ExampleMarkerID() {
	b := settlement.Batch{ID: settlement.BatchID{Epoch: 7, Index: 12}}
	fmt.Println(b.MarkerID(), settlement.MarkerID{Batch: b.ID, N: 1})
	// Output: 7/0/12 7/0/12#1
}

// A batch that a stranger has kept from landing makes another marker.
func ExampleBatch() {
	j, _ := settlement.NewJournal(params())
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	_, err := j.Apply(morning, settlement.Poisoned{Marker: settlement.MarkerID{Batch: settlement.BatchID{Epoch: 7}}, Tx: "stranger", Witnesses: seen(9)})
	fmt.Println(err, j.Open()[0].Batch.MarkerID())
	// Output: <nil> 7/0/0#1
}

// Find has to know every line that a batch ever had. A batch that has waited for half of ReclaimAfterSeconds is looked for first.
func ExampleEntry() {
	j, _ := settlement.NewJournal(params())
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	_, _ = j.Apply(morning, settlement.Rejected{Batch: settlement.BatchID{Epoch: 7}, Faults: []settlement.Fault{{Line: 1, Reason: "bob has no account"}}})
	e, _ := j.Batch(settlement.BatchID{Epoch: 7})
	fmt.Println(len(e.Batch.Lines), len(e.Whole().Lines))
	fmt.Println(e.Stale(morning), e.Stale(morning.Add(time.Hour))) // markers are reclaimed after an hour here
	// Output:
	// 1 2
	// false true
}

func ExampleLimitError() {
	p := params()
	p.Limits = []settlement.Limit{{Mint: "IO", MaxEpoch: 8_0000_0000}}
	j, _ := settlement.NewJournal(p)
	_, err := j.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	var limit *settlement.LimitError
	fmt.Println(errors.As(err, &limit), limit.Limit, limit.Have, limit.Want)
	fmt.Println(err)
	// Output:
	// true MaxEpoch 900000000 800000000
	// settlement: MaxEpoch of "IO": 900000000 units, at most 800000000
}

// A journal that was lost: what it has paid is found, what it has not is paid when it is seen that nobody has.
func ExampleJournal_Recovery() {
	j, _ := settlement.NewJournal(params())
	_, _ = j.Apply(morning, settlement.Recovering{LastValid: 150, Since: 7})
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: append(wages(), burn(5, "fees"))})
	pays := settlement.Line{Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: 5_0000_0000}
	for _, e := range []settlement.Event{
		settlement.Found{Marker: settlement.MarkerID{Batch: settlement.BatchID{Epoch: 7}}, Tx: "lost", Slot: 140, Lines: []settlement.Line{pays}, Witnesses: seen(151)},
		settlement.Absent{Marker: settlement.MarkerID{Batch: settlement.BatchID{Epoch: 7, Lane: 1}}, Witnesses: seen(151)},
	} {
		if _, err := j.Apply(morning, e); err != nil {
			fmt.Println(err)
		}
	}
	for e := range j.Batches() {
		fmt.Println(e.Batch.ID, e.State)
	}
	fmt.Println(j.Totals(io))
	fmt.Println(j.Recovery())
	fmt.Println(len(j.Probes()), "markers of retries to be seen")
	// Output:
	// 7/0/0 paid
	// 7/1/0 planned
	// {900000005 500000000 5 400000000 0}
	// {150 7} true
	// 64 markers of retries to be seen
}

func ExampleJournal_Reclaimable() {
	j, _ := settlement.NewJournal(params())
	batch := settlement.BatchID{Epoch: 7}
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	_, _ = j.Apply(morning, settlement.Signed{Batch: batch, Tx: tx("s1")})
	_, _ = j.Apply(morning, settlement.Landed{Batch: batch, Tx: "s1", Witnesses: seen(90)})
	fmt.Println(j.Reclaimable(morning.Add(time.Hour-1), 200), j.Reclaimable(morning.Add(time.Hour), 200))
	// Output: [] [7/0/0]
}

// Bob is refused, ann is paid, and then bob has an account.
func ExampleRetried() {
	j, _ := settlement.NewJournal(params())
	batch := settlement.BatchID{Epoch: 7}
	bob := settlement.NewIntentID(settlement.Pay, "block 7, device 3")
	for _, e := range []settlement.Event{
		settlement.Decided{Epoch: 7, Intents: wages()},
		settlement.Rejected{Batch: batch, Faults: []settlement.Fault{{Line: 1, Reason: "bob has no account"}}},
		settlement.Signed{Batch: batch, Revision: 1, Tx: tx("s1")},
		settlement.Retried{Intents: []settlement.IntentID{bob}},
		settlement.Landed{Batch: batch, Tx: "s1", Witnesses: seen(90)},
		settlement.Retried{Intents: []settlement.IntentID{bob}},
	} {
		if _, err := j.Apply(morning, e); err != nil {
			fmt.Println(err)
		}
	}
	p, _ := j.Payment(bob)
	fmt.Println(p.Batch, p.State, p.Batch.Lane == settlement.Overflow)
	// Output:
	// settlement: event does not fit the batch: retry of intent d3b933bf: batch 7/0/0 is signed, and an attempt that carries it could land
	// 7/4294967295/0 planned true
}

// landed is a chain on which one burn is final, and its batch.
func landed() (*settlement.Memory, settlement.Batch) {
	ctx, m := context.Background(), settlement.NewMemory()
	m.Open(io, "vault", 10)
	plan, _ := settlement.Plan(params(), 7, 0, []settlement.Intent{burn(4, "fees")})
	made, _ := m.Prepare(ctx, plan)
	_ = m.Send(ctx, []settlement.Tx{made[0].Tx})
	m.Advance(40)
	return m, plan[0]
}

func ExampleFinder() {
	m, batch := landed()
	f := settlement.Finder(m)
	found, err := f.Find(context.Background(), []settlement.Batch{batch})
	fmt.Println(err, found.Results[0].Origin == settlement.Ours, found.Results[0].Lines[0].Units)
	// Output: <nil> true 4
}

func ExampleReclaimer() {
	m, batch := landed()
	r := settlement.Reclaimer(m)
	for range 2 {
		got, err := r.Reclaim(context.Background(), []settlement.MarkerID{batch.MarkerID()})
		fmt.Println(err, got.Gone)
		m.Advance(40)
	}
	// Output:
	// <nil> [false]
	// <nil> [true]
}

func ExampleHistorian() {
	m, _ := landed()
	h := settlement.Historian(m)
	err := h.History(context.Background(), func(t settlement.Trace) error {
		fmt.Println(t.Lines[0].Kind, t.Lines[0].Units, "of", t.Changes[0].Before)
		return nil
	})
	fmt.Println(err)
	// Output:
	// burn 4 of 10
	// <nil>
}
