package settlement_test

import (
	"context"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

// The chain alone says what was paid, and agrees with the journal.
func ExampleReconcile() {
	ctx, at := context.Background(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	token := settlement.Asset{Mint: "IO", Decimals: 8}
	chain := settlement.NewMemory()
	chain.Open(token, "vault", 1000)
	chain.Open(token, "ann", 0)
	endpoint := chain.Endpoint("mine")
	j, _ := settlement.NewJournal(settlement.Params{Version: "example", MaxLines: 59, Quorum: 1, Assets: []settlement.Asset{token}})
	_, _ = j.Apply(at, settlement.Decided{Epoch: 1, Intents: []settlement.Intent{
		{ID: settlement.NewIntentID(settlement.Pay, "hour 1", "ann"), Kind: settlement.Pay, Asset: token, From: "vault", To: "ann", Units: 250},
	}})
	runner := settlement.Runner{Chains: []settlement.Chain{endpoint}, Quorum: 1, Open: j.Open, Apply: j.Apply}
	for len(j.Open()) > 0 {
		_, _ = runner.Step(ctx, at)
		chain.Advance(40)
	}
	r, err := settlement.Reconcile(ctx, j, endpoint)
	fmt.Println(r.Batches, "batch,", r.Books[0].Moved, "of", r.Books[0].Decided, "units moved,", len(r.Differences), "differences,", err)
	// Output: 1 batch, 250 of 250 units moved, 0 differences, <nil>
}
