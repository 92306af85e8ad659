package svmtest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// richNode starts a node whose boss has 1,000 SOL.
func richNode(ctx context.Context) (*svmtest.Node, error) {
	node, err := svmtest.Start(ctx, svmtest.Config{})
	if err != nil {
		return nil, err
	}
	return node, node.Airdrop(ctx, svmtest.Address(svmtest.Key("boss")), 1_000_000_000_000)
}

// all makes steps until one fails, and prints how that ended.
func all(steps ...func() error) {
	for i, step := range steps {
		if err := step(); err != nil {
			fmt.Println("step", i, err)
			return
		}
	}
	fmt.Println("done")
}

func ExampleNode_SetAccount() {
	ctx := context.Background()
	node, err := richNode(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	ann, bob := svmtest.Address(svmtest.Key("ann")), svmtest.Address(svmtest.Key("bob"))
	memo, _, err := node.AccountAt(ctx, "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
	fmt.Println(memo.Executable, err)
	all(
		func() error { return node.SetAccount(ctx, ann, svmtest.Account{Lamports: 1, Data: []byte("anything")}) },
		func() error { return node.SetAccounts(ctx, map[settlement.Account]svmtest.Account{bob: {Lamports: 2}}) },
		func() error { return node.AddProgram(ctx, svmtest.Address(svmtest.Key("my memo")), memo.Data) },
		func() error { return node.SetRent(ctx, 696) },
		func() error { return node.SetV1(ctx, false) },
		func() error { return node.Stall(ctx, true) },
		func() error { return node.ClearFaults(ctx) },
	)
	a, _, err := node.AccountAt(ctx, ann)
	fmt.Printf("%d %s %v\n", a.Lamports, a.Data, err)
	fmt.Println(strings.HasPrefix(node.WebsocketURLs()[0], "ws://127.0.0.1:"))
	// Output:
	// true <nil>
	// done
	// 1 anything <nil>
	// true
}

func ExampleNode_CreateAccounts() {
	ctx := context.Background()
	node, err := richNode(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	boss, ann := svmtest.Key("boss"), svmtest.Key("ann")
	owners := []settlement.Account{svmtest.Address(boss), svmtest.Address(ann)}
	io, err := node.CreateMint(ctx, boss, svmtest.Key("IO"), 8)
	fmt.Println(err)
	all(
		func() error { return node.CreateAccounts(ctx, io, owners, 100) },
		func() error { return node.Transfer(ctx, boss, io, owners[1], 100) },
		func() error { return node.CloseAccount(ctx, boss, io) }, // it is empty now
		func() error { return node.TransferLamports(ctx, boss, owners[1], 1_000_000_000) },
		func() error { return node.SetTokenOwner(ctx, ann, io, owners[0]) }, // it stays at ann's address
		func() error { return node.Freeze(ctx, boss, io, owners[1]) },
		func() error { return node.Thaw(ctx, boss, io, owners[1]) },
	)
	units, err := node.Balances(ctx, io, owners)
	fmt.Println(units, err)
	supply, err := node.Supply(ctx, io)
	fmt.Println(supply, err)
	at, err := node.TokenAddress(ctx, io, owners[1])
	fmt.Println(at, err)
	// Output:
	// <nil>
	// done
	// [0 200] <nil>
	// 200 <nil>
	// 8dcQPvuiQrWqEiaudT5iPp3tiLmz3PzBd2CDpaxBQQhm <nil>
}

func ExampleNode_CreateMint2022() {
	ctx := context.Background()
	node, err := richNode(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	boss, ann := svmtest.Key("boss"), svmtest.Key("ann")
	taxed, err := node.CreateMint2022(ctx, boss, svmtest.Key("taxed"), 2, svmtest.Extensions{TransferFeeBasisPoints: 100, MaxFee: 1000})
	fmt.Println(err)
	all(
		func() error { return node.CreateAccount(ctx, boss, taxed, svmtest.Address(boss)) },
		func() error { return node.CreateAccount(ctx, boss, taxed, svmtest.Address(ann)) },
		func() error { return node.MintTo(ctx, boss, taxed, svmtest.Address(boss), 25_00) },
		func() error { return node.Transfer(ctx, boss, taxed, svmtest.Address(ann), 25_00) },
		func() error { return node.RequireMemo(ctx, boss, taxed, true) },
	)
	units, err := node.Balance(ctx, taxed, svmtest.Address(ann))
	fmt.Println(units, "of 2500 have arrived", err)
	fmt.Println(node.Transfer(ctx, ann, taxed, svmtest.Address(boss), 1) != nil)
	// Output:
	// <nil>
	// done
	// 2475 of 2500 have arrived <nil>
	// true
}

func ExampleNode_CreateNonce() {
	ctx := context.Background()
	node, err := richNode(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	boss := svmtest.Key("boss")
	first, err := node.CreateNonce(ctx, boss, svmtest.Key("nonce"), svmtest.Address(boss))
	fmt.Println(err)
	now, err := node.Nonce(ctx, svmtest.Address(svmtest.Key("nonce")))
	fmt.Println(first == now, err)
	signers := []settlement.Account{svmtest.Address(svmtest.Key("a")), svmtest.Address(svmtest.Key("b")), svmtest.Address(svmtest.Key("c"))}
	fmt.Println(node.CreateMultisig(ctx, boss, svmtest.Key("vault"), 2, signers...))
	// Output:
	// <nil>
	// true <nil>
	// <nil>
}
