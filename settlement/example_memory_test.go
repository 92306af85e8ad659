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
