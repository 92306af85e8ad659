package settlement_test

import (
	"context"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

// An endpoint that has forgotten its history does not know an attempt that has landed, but sees its marker. With a quorum of
// two nothing is recorded until it remembers.
func ExampleMemoryEndpoint() {
	chain := settlement.NewMemory()
	io := settlement.Asset{Mint: "IO", Decimals: 8}
	chain.Open(io, "vault", 100)
	chain.Open(io, "ann", 0)
	forgets := chain.Endpoint("forgets")
	j, _ := settlement.NewJournal(settlement.Params{Version: "example", MaxLines: 10, Quorum: 2, Assets: []settlement.Asset{io}})
	r := settlement.Runner{Chains: []settlement.Chain{chain, forgets}, Quorum: 2, Open: j.Open, Apply: j.Apply}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, _ = j.Apply(now, settlement.Decided{Epoch: 1, Intents: []settlement.Intent{{
		ID: settlement.NewIntentID(settlement.Pay, "example"), Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: 5,
	}}})
	_, _ = r.Step(context.Background(), now)
	chain.Advance(200)
	forgets.Forget = true
	moved, err := r.Step(context.Background(), now)
	fmt.Println(moved, err, j.Totals(io).Paid)
	forgets.Forget = false
	moved, err = r.Step(context.Background(), now)
	fmt.Println(moved, err, j.Totals(io).Paid)
	// Output:
	// false settlement: find marker 1/0/0 at endpoint "forgets": its history does not tell who made it: another endpoint may 0
	// true <nil> 5
}

// Blocks that a fork drops are as if they had never been. The same bytes may land again.
func ExampleMemory_Fork() {
	ctx := context.Background()
	chain := settlement.NewMemory()
	io := settlement.Asset{Mint: "IO", Decimals: 8}
	chain.Open(io, "vault", 100)
	chain.Open(io, "ann", 0)
	made, _ := chain.Prepare(ctx, []settlement.Batch{{
		Lines: []settlement.Line{{Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: 5}},
	}})
	paid := func() uint64 {
		units, _ := chain.Balance(io, "ann")
		return units
	}
	chain.Advance(1)
	_ = chain.Send(ctx, []settlement.Tx{made[0].Tx})
	fmt.Println(paid())
	fmt.Println(chain.Fork(1), paid())
	_ = chain.Send(ctx, []settlement.Tx{made[0].Tx})
	fmt.Println(paid())
	// Output:
	// 5
	// 1 0
	// 5
}

// A pool that holds 1,000 dollars gives one for four tokens. What is swapped without a recipient is burned.
func ExampleMemory_Pool() {
	ctx := context.Background()
	chain := settlement.NewMemory()
	io, usdc := settlement.Asset{Mint: "IO", Decimals: 8}, settlement.Asset{Mint: "USDC", Decimals: 6}
	chain.Open(io, "vault", 100)
	chain.Open(io, "pool", 0)
	chain.Open(usdc, "pool", 1000)
	chain.Pool("pool", io, usdc, 1, 4)
	made, _ := chain.Prepare(ctx, []settlement.Batch{{
		Lines: []settlement.Line{{Kind: settlement.Swap, Asset: io, From: "vault", Units: 42, Into: usdc, Least: 10}},
	}})
	_ = chain.Send(ctx, []settlement.Tx{made[0].Tx})
	fmt.Println(chain.Supply(io), chain.Supply(usdc))
	// Output: 100 990
}

// Who funds the address of a marker keeps the batch from making it. The runner notices and takes the next number.
func ExampleMemory_Poison() {
	chain := settlement.NewMemory()
	io := settlement.Asset{Mint: "IO", Decimals: 8}
	chain.Open(io, "vault", 100)
	chain.Open(io, "ann", 0)
	j, _ := settlement.NewJournal(settlement.Params{Version: "example", MaxLines: 10, Quorum: 1, Assets: []settlement.Asset{io}})
	r := settlement.Runner{Chains: []settlement.Chain{chain}, Quorum: 1, Open: j.Open, Apply: j.Apply}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, _ = j.Apply(now, settlement.Decided{Epoch: 1, Intents: []settlement.Intent{{
		ID: settlement.NewIntentID(settlement.Pay, "example"), Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: 5,
	}}})
	chain.Poison(j.Open()[0].Batch.MarkerID())
	for range 8 {
		_, _ = r.Step(context.Background(), now)
		chain.Advance(33)
	}
	id := settlement.BatchID{Epoch: 1}
	e, _ := j.Batch(id)
	address, _ := chain.MarkerAddress(context.Background(), e.Batch.MarkerID())
	fmt.Println(e.State, address, "fees", chain.Fees(), "rent", chain.Rent())
	// Output: paid 1/0/0#1 fees 10000 rent 650240
}

// An account that goes after an attempt was signed fails the attempt, which names the line.
func ExampleMemory_Remove() {
	ctx := context.Background()
	chain := settlement.NewMemory()
	io := settlement.Asset{Mint: "IO", Decimals: 8}
	chain.Open(io, "vault", 100)
	chain.Open(io, "ann", 0)
	made, _ := chain.Prepare(ctx, []settlement.Batch{{
		Lines: []settlement.Line{{Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: 5}},
	}})
	chain.Remove(io, "ann")
	_ = chain.Send(ctx, []settlement.Tx{made[0].Tx})
	chain.Advance(33)
	s, _ := chain.Look(ctx, []settlement.Attempt{{Tx: made[0].Tx}})
	fmt.Println(s.Results[0].Failure.Reason)
	// Output: line 0: account "ann" holds no token account for mint "IO"
}

// The journal is lost after ann was paid. The same decision in an empty one finds her payment on the chain.
func ExampleRunner_Recover() {
	ctx := context.Background()
	chain := settlement.NewMemory()
	io := settlement.Asset{Mint: "IO", Decimals: 8}
	chain.Open(io, "vault", 100)
	chain.Open(io, "ann", 0)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	decided := settlement.Decided{Epoch: 1, Intents: []settlement.Intent{{
		ID: settlement.NewIntentID(settlement.Pay, "example"), Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: 5,
	}}}
	for _, lost := range []bool{false, true} {
		j, _ := settlement.NewJournal(settlement.Params{Version: "example", MaxLines: 10, Quorum: 2, Assets: []settlement.Asset{io}})
		r := settlement.Runner{
			Chains: []settlement.Chain{chain, chain.Endpoint("other")}, Quorum: 2, Open: j.Open, Apply: j.Apply, Probes: j.Probes,
		}
		if lost {
			fmt.Println(r.Recover(ctx, now, 0))
		}
		_, _ = j.Apply(now, decided)
		for len(j.Open()) > 0 {
			_, _ = r.Step(ctx, now)
			chain.Advance(33)
		}
		if lost {
			_, err := j.Apply(now, settlement.Recovering{})
			fmt.Println(err)
		}
		units, _ := chain.Balance(io, "ann")
		fmt.Println(j.Totals(io).Paid, units)
	}
	// Output:
	// 5 5
	// <nil>
	// <nil>
	// 5 5
}
