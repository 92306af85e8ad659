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

func ExampleNew() {
	_, err := spl.New(spl.Config{URL: "api.mainnet-beta.solana.com", Payer: svmtest.Key("payer")})
	fmt.Println(err)
	// Output: spl: URL is "api.mainnet-beta.solana.com", want an http or https address
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

	chain, err := spl.New(spl.Config{URL: node.URL(), Payer: boss})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := settlement.Batch{
		ID:    settlement.BatchID{Epoch: 7},
		Lines: []settlement.Line{{Kind: settlement.Burn, Asset: io, From: vault, Units: 400}},
	}
	tx, err := chain.Prepare(ctx, b)
	fmt.Println(err, chain.Send(ctx, tx))
	_ = node.Advance(ctx, svmtest.BlocksToFinal)
	seen, err := chain.Look(ctx, []settlement.Attempt{{Batch: b.ID, Tx: tx}})
	fmt.Println(err, seen.Results[0].Sight == settlement.Succeeded, seen.Results[0].Fee, "lamports")
	units, err := chain.Balance(ctx, io, vault)
	fmt.Println(units, err)
	units, err = chain.Supply(ctx, io)
	fmt.Println(units, err)
	_, err = chain.Balance(ctx, io, svmtest.Address(svmtest.Key("ann")))
	fmt.Println(errors.Is(err, spl.ErrNoAccount))
	// Output:
	// <nil> <nil>
	// <nil> true 5000 lamports
	// 600 <nil>
	// 600 <nil>
	// true
}
