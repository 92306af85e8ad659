package settlement_test

import (
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

// Find has to know every line that a batch ever had.
func ExampleEntry() {
	j, _ := settlement.NewJournal(params())
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	_, _ = j.Apply(morning, settlement.Rejected{Batch: settlement.BatchID{Epoch: 7}, Faults: []settlement.Fault{{Line: 1, Reason: "bob has no account"}}})
	e, _ := j.Batch(settlement.BatchID{Epoch: 7})
	fmt.Println(len(e.Batch.Lines), len(e.Whole().Lines))
	// Output: 1 2
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
