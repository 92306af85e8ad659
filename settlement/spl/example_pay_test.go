package spl_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func ExampleRequestFor() {
	bill := settlement.Bill{
		ID: "job-7", Owner: "mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN", Units: 25_500_000, Memo: "job-7",
		Asset: settlement.Asset{Mint: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", Decimals: 6},
	}
	bill.Reference, _ = settlement.BillReference([]byte("a secret of the operator"), bill.ID)
	p := spl.RequestFor(bill, "idlegrid", "8 GPU hours")
	fmt.Println(p.Amount, len(p.References))
	// Output: 25.5 1
}

func ExamplePayRequest_URL() {
	text, err := spl.PayRequest{
		Recipient: "mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN", Amount: "0.01", Mint: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
		Label: "idlegrid", Message: "8 GPU hours",
	}.URL()
	fmt.Println(text, err)
	// Output: solana:mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN?amount=0.01&spl-token=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v&label=idlegrid&message=8%20GPU%20hours <nil>
}

func ExampleParsePayURL() {
	p, err := spl.ParsePayURL("solana:mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN?amount=0.01&spl-token=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
	fmt.Println(p.Recipient, p.Amount, err)
	units, err := p.Units(6)
	fmt.Println(units, err)
	_, err = p.Units(1)
	fmt.Println(errors.Is(err, spl.ErrPayPlaces))
	_, err = spl.ParsePayURL("solana:mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN?amount=1e3")
	fmt.Println(err)
	// Output:
	// mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN 0.01 <nil>
	// 10000 <nil>
	// true
	// spl: pay URL: amount is no plain decimal: "1e3"
}

func ExamplePayRequest() {
	p := spl.PayRequest{Recipient: "mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN", Amount: "1.5", Memo: "job-7", References: []settlement.Reference{{7}}}
	fmt.Println(p.Validate())
	in, err := p.Instructions("mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN", spl.PayToken{}, 1_500_000_000)
	fmt.Println(err, len(in), in[0].Program == solana.MemoProgramID, len(in[1].Accounts))
	// Output:
	// <nil>
	// <nil> 2 true 3
}

func ExampleFormatAmount() {
	fmt.Println(spl.FormatAmount(1_500_000, 6), spl.FormatAmount(1, 9))
	// Output: 1.5 0.000000001
}

func ExampleParseAmount() {
	fmt.Println(spl.ParseAmount("1.5", 6))
	fmt.Println(spl.ParseAmount("0.0000001", 6))
	// Output:
	// 1500000 <nil>
	// 0 spl: pay URL: amount has more places than the mint: "0.0000001", the mint has 6
}

func ExampleNewWatcher() {
	_, err := spl.NewWatcher(spl.WatchConfig{URL: "https://rpc.example.com/key"})
	fmt.Println(err)
	// Output: spl: watch: Treasuries is empty
}

// A bill is paid by a wallet, found by the watcher, and credited by the till.
func ExampleWatcher() {
	ctx := context.Background()
	node, err := svmtest.Start(ctx, svmtest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	boss, ann := svmtest.Key("boss"), svmtest.Key("ann")
	desk := svmtest.Address(svmtest.Key("desk"))
	var usdc settlement.Asset
	var account settlement.Account
	for _, step := range []func() error{
		func() error { return node.Airdrop(ctx, svmtest.Address(boss), 1e10) },
		func() error { return node.Airdrop(ctx, svmtest.Address(ann), 1e10) },
		func() (err error) { usdc, err = node.CreateMint(ctx, boss, svmtest.Key("USDC"), 6); return err },
		func() error { return node.CreateAccount(ctx, boss, usdc, desk) },
		func() error { return node.CreateAccount(ctx, boss, usdc, svmtest.Address(ann)) },
		func() error { return node.MintTo(ctx, boss, usdc, svmtest.Address(ann), 100_000_000) },
		func() (err error) { account, err = node.TokenAddress(ctx, usdc, desk); return err },
	} {
		if err := step(); err != nil {
			fmt.Println(err)
			return
		}
	}
	params := settlement.IONetTill(settlement.Treasury{Account: account, Owner: desk, Asset: usdc, Program: tokenProgram})
	till, err := settlement.NewTill(params)
	if err != nil {
		fmt.Println(err)
		return
	}
	bill := settlement.Bill{
		ID: "job-7", Customer: "ann", Asset: usdc, Owner: desk, Units: 25_000_000, Expires: time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC), Remainder: settlement.ToBalance,
	}
	bill.Reference, _ = settlement.BillReference([]byte("a secret of the operator"), bill.ID)
	opened := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := till.Apply(opened, settlement.BillOpened{Bill: bill}); err != nil {
		fmt.Println(err)
	}

	key, err := spl.NewKey(ann)
	if err != nil {
		fmt.Println(err)
		return
	}
	wallet, err := spl.New(spl.Config{URL: node.URL(), Payer: key})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := wallet.Pay(ctx, spl.RequestFor(bill, "idlegrid", "")); err != nil {
		fmt.Println(err)
	}
	if err := node.Advance(ctx, svmtest.BlocksToFinal); err != nil {
		fmt.Println(err)
	}

	watcher, err := spl.NewWatcher(spl.WatchConfig{URL: node.URL(), Treasuries: params.Treasuries, Own: []settlement.Account{desk}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(watcher.String(), watcher.GoString() == watcher.String())
	scan, err := watcher.Scan(ctx, spl.Cursor{}, []settlement.Reference{bill.Reference})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range scan.Events {
		effects, err := till.Apply(opened, e)
		if err != nil {
			fmt.Println(err)
		}
		for _, f := range effects {
			if c, ok := f.(settlement.Credited); ok {
				fmt.Println(c.Bill, c.Units, c.Unpaid)
			}
		}
	}
	woken, err := watcher.Wait(ctx, time.Millisecond) // there is no websocket: it only waits
	fmt.Println(woken, err, watcher.Close())
	// Output:
	// spl.Watcher(1 endpoints) true
	// job-7 25000000 0
	// false <nil> <nil>
}
