package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

// wages are what epoch 7 owes: ann twice, bob once.
func wages() []settlement.Intent {
	return []settlement.Intent{pay("ann", 2_0000_0000, "block 7, device 1"), pay("ann", 3_0000_0000, "block 7, device 2"), pay("bob", 4_0000_0000, "block 7, device 3")}
}

// The worked example of the package: bob has no account, and the first attempt is lost.
func Example() {
	ctx, now := context.Background(), morning
	chain := settlement.NewMemory()
	chain.Open(io, "vault", 100_0000_0000)
	chain.Open(io, "ann", 0)
	journal, _ := settlement.NewJournal(params())
	_, _ = journal.Apply(now, settlement.Decided{Epoch: 7, Intents: wages()})

	runner := settlement.Runner{Chains: []settlement.Chain{chain.Endpoint("a"), chain.Endpoint("b")}, Quorum: 2, Open: journal.Open, Apply: journal.Apply}
	for len(journal.Open()) > 0 {
		moved, err := runner.Step(ctx, now)
		if err != nil {
			fmt.Println(err)
		}
		if !moved {
			chain.Advance(32) // until what was sent is final
		}
		now = now.Add(13 * time.Second)
	}
	for p := range journal.Payments() {
		fmt.Printf("%s %d %s %q\n", p.Intent.To, p.Intent.Units, p.State, p.Reason)
	}
	for p := range journal.Recent() {
		fmt.Println("the last one is", p.Intent.To)
		break
	}
	fmt.Printf("%+v\n", journal.Totals(io))
	// Output:
	// ann 200000000 paid ""
	// ann 300000000 paid ""
	// bob 400000000 refused "account \"bob\" holds no token account for mint \"IO\""
	// the last one is bob
	// {Decided:900000000 Paid:500000000 Open:0 Refused:400000000 Waiting:0}
}

func ExampleNewIntentID() {
	id := settlement.NewIntentID(settlement.Pay, "reward", "7", "device 1")
	fmt.Println(id)
	fmt.Println(id == settlement.NewIntentID(settlement.Pay, "reward", "7", "device 1"))
	// Output:
	// 60dc5c7da846a479e8f65c6522081dda2c34b6769cb40dd5817d9f4b642312ed
	// true
}

func ExampleIntentID() {
	in := settlement.Intent{ID: settlement.NewIntentID(settlement.Burn, "epoch 7"), Kind: settlement.Burn, Asset: settlement.Asset{Mint: "IO", Decimals: 8}, From: "vault", Units: 5}
	fmt.Println(in.ID.String()[:8], in.Kind, in.Units)
	// Output: 2800b66c burn 5
}

func ExampleKind() {
	fmt.Println(settlement.Pay, settlement.Move, settlement.Burn, settlement.Refund, settlement.Swap)
	// Output: pay move burn refund swap
}

func ExampleState() {
	fmt.Println(settlement.StatePlanned, settlement.StateSigned, settlement.StatePaid, settlement.StateStuck, settlement.StateRefused)
	fmt.Println(settlement.StateMarked, settlement.StateUnsure, settlement.StateWaiting)
	// Output:
	// planned signed paid stuck refused
	// marked unsure waiting
}

func ExamplePlan() {
	batches, err := settlement.Plan(params(), 7, 0, wages())
	if err != nil {
		fmt.Println(err)
	}
	for _, b := range batches {
		for _, l := range b.Lines {
			fmt.Println(b.ID, l.To, l.Units, len(l.Intents), "intents")
		}
	}
	// Output:
	// 7/0/0 ann 500000000 2 intents
	// 7/0/0 bob 400000000 1 intents
}

func ExampleBatchID() {
	a, b := settlement.BatchID{Epoch: 7, Lane: 0, Index: 12}, settlement.BatchID{Epoch: 7, Lane: 1, Index: 0}
	fmt.Println(a, b, a.Compare(b))
	// Output: 7/0/12 7/1/0 -1
}

func ExampleIntentError() {
	_, err := settlement.Plan(params(), 7, 0, []settlement.Intent{pay("ann", 0, "nothing")})
	var bad *settlement.IntentError
	fmt.Println(errors.As(err, &bad), bad.Field, bad.Reason)
	// Output: true Units is 0
}

func ExampleLineError() {
	chain := settlement.NewMemory()
	chain.Open(io, "vault", 10)
	plan, _ := settlement.Plan(params(), 7, 0, []settlement.Intent{pay("ann", 1, "a")})
	made, _ := chain.Endpoint("a").Prepare(context.Background(), plan)
	var lines *settlement.LineError
	fmt.Println(errors.As(made[0].Err, &lines), lines.Faults[0].Line)
	fmt.Println(made[0].Err)
	// Output:
	// true 0
	// settlement: lines that cannot be carried: line 0: account "ann" holds no token account for mint "IO"
}

func ExampleParams() {
	p := settlement.Params{Version: "mine/1", MaxLines: 20, Quorum: 1, Assets: []settlement.Asset{{Mint: "MINE", Decimals: 2}}}
	fmt.Println(p.Validate())
	p.MaxLines = 0
	fmt.Println(p.Validate())
	// Output:
	// <nil>
	// settlement: params: MaxLines is 0, want 1 to 1000
}

func ExampleIONet() {
	p := settlement.IONet()
	fmt.Println(p.Version, p.MaxLines, p.Assets[0].Mint, p.Assets[0].Decimals, p.Validate())
	// Output: ionet/2 58 BZLbGTNCSFfoth2GYDtwr7e4imWzpR5jqcUuGEwr646K 8 <nil>
}

func ExampleNewJournal() {
	_, err := settlement.NewJournal(settlement.Params{Version: "mine/1", MaxLines: 20, Quorum: 1})
	fmt.Println(err)
	// Output: settlement: params: Assets is empty
}

func ExampleJournal() {
	j, err := settlement.NewJournal(params())
	if err != nil {
		fmt.Println(err)
	}
	batch := settlement.BatchID{Epoch: 7}
	attempt := settlement.Tx{ID: "signature", Raw: []byte("bytes"), LastValid: 150}
	for _, e := range []settlement.Event{
		settlement.Decided{Epoch: 7, Intents: wages()},
		settlement.Rejected{Batch: batch, Faults: []settlement.Fault{{Line: 1, Reason: "bob has no account"}}},
		settlement.Signed{Batch: batch, Revision: 1, Tx: attempt},
		settlement.Landed{Batch: batch, Tx: "signature", Slot: 447_552_100, Fee: 5000, Witnesses: seen(447_000_000)},
	} {
		effects, err := j.Apply(morning, e)
		if err != nil {
			fmt.Println(err)
		}
		for _, x := range effects {
			switch x := x.(type) {
			case settlement.Prepare:
				fmt.Println("prepare", x.Batch.ID, "revision", x.Batch.Revision, "with", len(x.Batch.Lines), "lines")
			case settlement.Send:
				fmt.Println("send", x.Tx.ID)
			case settlement.Paid:
				fmt.Println("paid", len(x.Intents), "intents in slot", x.Slot)
			case settlement.Refused:
				fmt.Println("refused", x.To, "because", x.Reason)
			case settlement.Stuck:
				fmt.Println("stuck", x.Reason)
			case settlement.Find:
				fmt.Println("find who made", x.Batch.MarkerID())
			case settlement.Waiting:
				fmt.Println("waiting", x.To, x.Units)
			}
		}
	}
	fmt.Println(j.Audit(), len(j.Open()), j.Params().Version)
	// Output:
	// prepare 7/0/0 revision 0 with 2 lines
	// refused bob because bob has no account
	// prepare 7/0/0 revision 1 with 1 lines
	// send signature
	// paid 2 intents in slot 447552100
	// <nil> 0 test
}

func ExampleJournal_Apply() {
	j, _ := settlement.NewJournal(params())
	batch := settlement.BatchID{Epoch: 7}
	for _, e := range []settlement.Event{
		settlement.Decided{Epoch: 7, Intents: wages()},
		settlement.Signed{Batch: batch, Tx: settlement.Tx{ID: "first", Raw: []byte{1}, LastValid: 150}},
		settlement.Expired{Batch: batch, Tx: "first", Witnesses: seen(151)},
		settlement.Signed{Batch: batch, Tx: settlement.Tx{ID: "second", Raw: []byte{2}, LastValid: 301}},
		settlement.Failed{Batch: batch, Tx: "second", Slot: 200, Fee: 5000, Failure: settlement.Failure{Reason: "sender is short"}, Witnesses: seen(200)},
		settlement.Resumed{Batch: batch},
		settlement.Landed{Batch: batch, Tx: "first"},
	} {
		if _, err := j.Apply(morning, e); err != nil {
			fmt.Println(err)
		}
		entry, _ := j.Batch(batch)
		fmt.Printf("%T: %s\n", e, entry.State)
	}
	// Output:
	// settlement.Decided: planned
	// settlement.Signed: signed
	// settlement.Expired: planned
	// settlement.Signed: signed
	// settlement.Failed: stuck
	// settlement.Resumed: planned
	// settlement: not enough evidence: 7/0/0: 0 of 0 witnesses are of different endpoints, plausible, and saw it final; Quorum is 2
	// settlement.Landed: planned
}

func ExampleJournal_Batches() {
	j, _ := settlement.NewJournal(params())
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	_, _ = j.Apply(morning, settlement.Signed{Batch: settlement.BatchID{Epoch: 7}, Tx: settlement.Tx{ID: "s", Raw: []byte{1}, LastValid: 150}})
	show := func(e settlement.Entry, last settlement.Record) {
		fmt.Println(e.Batch.ID, e.State, last.Tx.ID, last.Over)
	}
	for e := range j.Batches() {
		show(e, e.Attempts[len(e.Attempts)-1])
	}
	// Output: 7/0/0 signed s false
}

func ExampleJournal_Payment() {
	j, _ := settlement.NewJournal(params())
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	show := func(p settlement.Payment, ok bool) { fmt.Println(ok, p.Batch, p.State, p.Intent.To) }
	show(j.Payment(settlement.NewIntentID(settlement.Pay, "block 7, device 3")))
	// Output: true 7/0/0 planned bob
}

func ExampleJournal_Totals() {
	j, _ := settlement.NewJournal(params())
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	fmt.Println(j.Totals(io) == settlement.Totals{Decided: 9_0000_0000, Open: 9_0000_0000})
	// Output: true
}

func ExampleRestore() {
	j, _ := settlement.NewJournal(params())
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	again, err := settlement.Restore(params(), j.Snapshot())
	fmt.Println(err, again.Digest() == j.Digest())
	_, err = settlement.Restore(settlement.IONet(), j.Snapshot())
	fmt.Println(err)
	// Output:
	// <nil> true
	// settlement: restore: the snapshot was taken under other params than "ionet/2"
}

func ExampleEncodeEvent() {
	b := settlement.EncodeEvent(settlement.Resumed{Batch: settlement.BatchID{Epoch: 7, Lane: 0, Index: 12}})
	fmt.Println(len(b))
	// Output: 45
}

func ExampleDecodeEvent() {
	e, err := settlement.DecodeEvent(settlement.EncodeEvent(settlement.Resumed{Batch: settlement.BatchID{Epoch: 7, Lane: 0, Index: 12}}))
	fmt.Printf("%+v %v\n", e, err)
	_, err = settlement.DecodeEvent([]byte("nonsense"))
	fmt.Println(err)
	// Output:
	// {Batch:7/0/12} <nil>
	// settlement: decode event: canon: malformed message: 1852796531 elements of 1 bytes, 4 left at byte 4
}

func ExampleRunner() {
	chain := settlement.NewMemory()
	chain.Open(io, "vault", 10)
	chain.Open(io, settlement.Account("ann"), 0)
	j, _ := settlement.NewJournal(params())
	_, _ = j.Apply(morning, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 4, "a")}})
	r := settlement.Runner{Chains: []settlement.Chain{chain.Endpoint("a"), chain.Endpoint("b")}, Quorum: 2, Open: j.Open, Apply: j.Apply}
	for range 3 {
		moved, err := r.Step(context.Background(), morning)
		fmt.Println(moved, err, len(j.Open()), "open")
		chain.Advance(32)
	}
	// Output:
	// true <nil> 1 open
	// true <nil> 0 open
	// false <nil> 0 open
}

// notes is a settlement.Store that lives as long as the program. A real one returns from Append when the record is durable.
type notes struct{ records [][]byte }

// Append implements settlement.Store.
func (n *notes) Append(record []byte) error {
	n.records = append(n.records, record)
	return nil
}

// Replay implements settlement.Store.
func (n *notes) Replay(each func([]byte) error) error {
	for _, r := range n.records {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

func ExampleNewRecorder() {
	store := settlement.Store(&notes{})
	r, err := settlement.NewRecorder(params(), store)
	if err != nil {
		fmt.Println(err)
	}
	_, _ = r.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	again, err := settlement.NewRecorder(params(), store) // after a restart
	fmt.Println(err, again.Journal().Totals(io).Open)
	// Output: <nil> 900000000
}

func ExampleRecorder() {
	r, _ := settlement.NewRecorder(params(), &notes{})
	effects, err := r.Apply(morning, settlement.Decided{Epoch: 7, Intents: wages()})
	fmt.Println(len(effects), err, r.Journal().Audit())
	// Output: 1 <nil> <nil>
}

func ExampleNewMemory() {
	m := settlement.NewMemory()
	m.Open(io, "ann", 5)
	units, ok := m.Balance(io, "ann")
	fmt.Println(units, ok, m.Supply(io))
	// Output: 5 true 5
}

// Two attempts at one batch: the second one is refused by the marker.
func ExampleMemory() {
	ctx := context.Background()
	m := settlement.NewMemory()
	m.Open(io, "vault", 10)
	plan := []settlement.Batch{{ID: settlement.BatchID{Epoch: 7}, Lines: []settlement.Line{{Kind: settlement.Burn, Asset: io, From: "vault", Units: 4}}}}
	e := m.Endpoint("a")
	first, _ := e.Prepare(ctx, plan)
	m.Advance(1)
	second, _ := e.Prepare(ctx, plan)
	txs := []settlement.Tx{first[0].Tx, second[0].Tx}
	fmt.Println(e.Send(ctx, txs), m.Supply(io))
	m.Advance(33)
	show := func(name string, r settlement.Result, want settlement.Sight) {
		fmt.Printf("%s %t %q\n", name, r.Sight == want, r.Failure.Reason)
	}
	marker := plan[0].MarkerID()
	seen, _ := e.Look(ctx, []settlement.Attempt{{Marker: marker, Tx: txs[0]}, {Marker: marker, Tx: txs[1]}})
	show("succeeded", seen.Results[0], settlement.Succeeded)
	show("reverted", seen.Results[1], settlement.Reverted)
	// Output:
	// <nil> 6
	// succeeded true ""
	// reverted true "the marker of batch 7/0/0 exists"
}
