package spl_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func ExampleAddress() {
	key, ok := svmtest.Key("ann").Public().(ed25519.PublicKey)
	fmt.Println(ok, spl.Address(key) == svmtest.Address(svmtest.Key("ann")))
	// Output: true true
}

// The name of an endpoint holds nothing of its address but the host: what follows may be a key.
func ExampleNew() {
	payer, _ := spl.NewKey(svmtest.Key("payer"))
	chain, err := spl.New(spl.Config{URL: "https://rpc.example.com/v1/0123456789abcdef", Payer: payer})
	fmt.Println(chain.Name(), err)
	_, err = spl.New(spl.Config{URL: "rpc.example.com", Payer: payer})
	fmt.Println(err)
	// Output:
	// rpc.example.com <nil>
	// spl: URL is no http or https address
}

// A burn on a local Solana, by hand. A settlement.Runner does the same with a journal in between.
func ExampleChain() {
	ctx := context.Background()
	node, err := svmtest.Start(ctx, svmtest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	boss := svmtest.Key("boss")
	vault := svmtest.Address(boss)
	_ = node.Airdrop(ctx, vault, 1_000_000_000)
	io, _ := node.CreateMint(ctx, boss, svmtest.Key("IO"), 8)
	_ = node.CreateAccount(ctx, boss, io, vault)
	_ = node.MintTo(ctx, boss, io, vault, 1000)
	_ = node.Advance(ctx, svmtest.BlocksToFinal)

	payer, _ := spl.NewKey(boss)
	chain, err := spl.New(spl.Config{URL: node.URL(), Payer: payer})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := settlement.Batch{
		ID:    settlement.BatchID{Epoch: 7},
		Lines: []settlement.Line{{Kind: settlement.Burn, Asset: io, From: vault, Units: 400}},
	}
	before, _ := chain.Supply(ctx, io)
	prepared, err := chain.Prepare(ctx, []settlement.Batch{b})
	tx := prepared[0].Tx
	fmt.Println(err, prepared[0].Err, chain.Send(ctx, []settlement.Tx{tx}))
	_ = node.Advance(ctx, svmtest.BlocksToFinal)
	seen, err := chain.Look(ctx, []settlement.Attempt{{Marker: b.MarkerID(), Tx: tx}})
	fmt.Println(err, seen.Results[0].Sight == settlement.Succeeded, seen.Results[0].Fee, "lamports")
	proof, err := chain.SupplyProof(ctx, io, before)
	fmt.Println(proof.Burned(tx.ID), err)

	// A journal that was lost asks the chain who made the marker.
	found, err := chain.Find(ctx, []settlement.Batch{b})
	fmt.Println(found.Results[0].Origin == settlement.Ours, found.Results[0].Tx == tx.ID, err)
	units, err := chain.Balance(ctx, io, vault)
	fmt.Println(units, err)
	_, err = chain.Balance(ctx, io, svmtest.Address(svmtest.Key("ann")))
	fmt.Println(errors.Is(err, spl.ErrNoAccount))
	// Output:
	// <nil> <nil> <nil>
	// <nil> true 5000 lamports
	// 400 <nil>
	// true true <nil>
	// 600 <nil>
	// true
}

// What a payer has done, from the chain alone; and the rent of its markers.
func ExampleChain_History() {
	ctx := context.Background()
	node, err := svmtest.Start(ctx, svmtest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	boss := svmtest.Key("boss")
	_ = node.Airdrop(ctx, svmtest.Address(boss), 1_000_000_000)
	io, _ := node.CreateMint(ctx, boss, svmtest.Key("IO"), 8)
	payer, _ := spl.NewKey(svmtest.Key("payer"))
	_ = node.Airdrop(ctx, payer.PublicKey(), 1_000_000_000)
	_ = node.Advance(ctx, svmtest.BlocksToFinal)
	chain, _ := spl.New(spl.Config{URL: node.URL(), Payer: payer})

	// A batch without lines seals: it makes the marker and nothing else.
	seal := settlement.Batch{ID: settlement.BatchID{Epoch: 7}}
	prepared, _ := chain.Prepare(ctx, []settlement.Batch{seal})
	fmt.Println(chain.Send(ctx, []settlement.Tx{prepared[0].Tx}))
	_ = node.Advance(ctx, svmtest.BlocksToFinal)
	marker, _ := chain.MarkerAddress(ctx, seal.MarkerID())
	for range 2 {
		r, err := chain.Reclaim(ctx, []settlement.MarkerID{seal.MarkerID()})
		fmt.Println("gone:", r.Gone[0], err)
		_ = node.Advance(ctx, svmtest.BlocksToFinal)
	}
	err = chain.History(ctx, func(t settlement.Trace) error {
		fmt.Println(t.Marker == marker, "rent", t.Rent, "returned", t.Returned, "fee", t.Fee)
		return nil
	})
	fmt.Println(err)
	units, err := chain.Received(ctx, io, 500)
	fmt.Println(units, err)
	// Output:
	// <nil>
	// gone: false <nil>
	// gone: true <nil>
	// true rent 650240 returned 0 fee 5000
	// false rent 0 returned 650240 fee 5000
	// <nil>
	// 500 <nil>
}
