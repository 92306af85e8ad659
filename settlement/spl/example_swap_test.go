package spl_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// exampleSigner makes a signer of a name.
func exampleSigner(name string) spl.Signer {
	k, err := spl.NewKey(svmtest.Key(name))
	if err != nil {
		panic(err)
	}
	return k
}

// theMarket is a price that a program would take from its oracle.
type theMarket struct{}

func (theMarket) Market(context.Context) (settlement.Market, time.Time, error) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	p := tokenomics.Price{MicroPerToken: 2_500_000, At: now, Source: "our oracle"}
	return settlement.Market{Bid: p, Ask: p}, now, nil
}

// 40 USDC buy IO that is burned, on a local Solana: the swap and the burn of the least in one transaction.
func ExampleConverter() {
	ctx := context.Background()
	node, err := svmtest.Start(ctx, svmtest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	boss, wallet, desk := svmtest.Key("boss"), svmtest.Address(svmtest.Key("swapper")), svmtest.Address(svmtest.Key("desk"))
	_ = node.Airdrop(ctx, svmtest.Address(boss), 1_000_000_000_000)
	_ = node.Airdrop(ctx, desk, 1_000_000_000)
	io, _ := node.CreateMint(ctx, boss, svmtest.Key("IO"), 8)
	usdc, _ := node.CreateMint(ctx, boss, svmtest.Key("USDC"), 6)
	for _, x := range []struct {
		asset settlement.Asset
		owner settlement.Account
		units uint64
	}{{usdc, wallet, 40_000_000}, {io, desk, 1e12}, {usdc, desk, 25_000_000_000}} {
		_ = node.CreateAccount(ctx, boss, x.asset, x.owner)
		_ = node.MintTo(ctx, boss, x.asset, x.owner, x.units)
	}
	_ = node.Advance(ctx, svmtest.BlocksToFinal)
	chain, _ := spl.New(spl.Config{URL: node.URL(), Payer: exampleSigner("boss"), Owners: []spl.Signer{exampleSigner("swapper")}})
	pool, _ := spl.NewPool(chain, spl.PoolConfig{Owner: desk, FeeBps: 30})
	fmt.Println(pool.Approve(ctx, exampleSigner("desk"), wallet, io, 1e12))
	_ = node.Advance(ctx, svmtest.BlocksToFinal)

	converter, err := spl.NewConverter(chain, spl.ConverterConfig{
		Wallet: wallet, Swapper: pool, Market: theMarket{}, Programs: []settlement.Account{"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"},
		Policy: settlement.SwapPolicy{
			Dollar: usdc, Token: io, MaxAgeSeconds: 60, MaxSpreadBps: 50, MaxSlippageBps: 100, MaxGainBps: 100, MaxImpactBps: 100, MaxSlots: 20,
		},
	})
	fmt.Println(err)
	before, _ := chain.Supply(ctx, io)
	b := settlement.Batch{ID: settlement.BatchID{Epoch: 7}, Lines: []settlement.Line{{
		Kind: settlement.Swap, Asset: usdc, From: wallet, Units: 40_000_000, Into: io, Least: 1_585_000_000,
	}}}
	made, _ := converter.Prepare(ctx, []settlement.Batch{b})
	fmt.Println(made[0].Err, converter.Send(ctx, []settlement.Tx{made[0].Tx}))
	_ = node.Advance(ctx, svmtest.BlocksToFinal)
	seen, _ := converter.Look(ctx, []settlement.Attempt{{Marker: b.MarkerID(), Tx: made[0].Tx}})
	fmt.Println("got", seen.Results[0].Got)
	proof, err := chain.SupplyProof(ctx, io, before)
	fmt.Println("burned", before.Units-proof.After.Units, "in", len(proof.Changes), "transaction", err)

	// The rest is in an account of its own until something is paid out of the wallet, or until it is gathered.
	fmt.Println(errors.Is(converter.Gather(ctx, io), settlement.ErrLater))
	_ = node.Advance(ctx, svmtest.BlocksToFinal)
	rest, err := chain.Balance(ctx, io, wallet)
	fmt.Println("left", rest, err)

	// The lot is gone, so that a second swap of it is refused.
	made, _ = converter.Prepare(ctx, []settlement.Batch{b})
	var refused *spl.GuardError
	fmt.Println(errors.As(made[0].Err, &refused), refused.Step == spl.GuardWallet)
	// Output:
	// <nil>
	// <nil>
	// <nil> <nil>
	// got 1592659389
	// burned 1585000000 in 1 transaction <nil>
	// true
	// left 7659389 <nil>
	// true true
}

func ExampleNewConverter() {
	payer := exampleSigner("payer")
	chain, _ := spl.New(spl.Config{URL: "https://api.mainnet-beta.solana.com", Payer: payer})
	_, err := spl.NewConverter(chain, spl.ConverterConfig{Wallet: payer.PublicKey()})
	fmt.Println(err)
	// Output: spl: converter: Wallet is "69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz", the payer: it needs a key of its own
}

func ExampleNewPool() {
	chain, _ := spl.New(spl.Config{URL: "https://api.mainnet-beta.solana.com", Payer: exampleSigner("payer")})
	_, err := spl.NewPool(chain, spl.PoolConfig{Owner: svmtest.Address(svmtest.Key("desk")), FeeBps: 10_000})
	fmt.Println(err)
	// Output: spl: pool: FeeBps is 10000, want less than 10000
}

func ExamplePool() {
	ctx := context.Background()
	chain, _ := spl.New(spl.Config{URL: "https://api.mainnet-beta.solana.com", Payer: exampleSigner("payer")})
	pool, _ := spl.NewPool(chain, spl.PoolConfig{Owner: svmtest.Address(svmtest.Key("desk")), Out: 40, In: 1})
	assets := settlement.IONet().Assets
	_, err := pool.Quote(ctx, settlement.Asset{Mint: "no address"}, assets[0], 1)
	fmt.Println(err != nil)
	order := settlement.SwapOrder{
		Quote:  settlement.SwapQuote{In: assets[1], Out: assets[0], Units: 1_000_000, Expect: 40_000_000},
		Wallet: svmtest.Address(svmtest.Key("swapper")), From: "the wallet's account", Into: "a fresh account",
	}
	transfers, err := pool.Build(ctx, order)
	for _, x := range transfers {
		fmt.Println(x.Data[0], x.Accounts[2].Signer)
	}
	fmt.Println(err, pool.Approve(ctx, exampleSigner("payer"), order.Wallet, assets[0], 1) != nil)
	// Output:
	// true
	// 3 true
	// 3 true
	// <nil> true
}

func ExampleNewJupiter() {
	_, err := spl.NewJupiter(spl.JupiterConfig{Key: "secret", Taker: svmtest.Address(svmtest.Key("swapper"))})
	fmt.Println(err)
	// Output: spl: jupiter: SlippageBps is 0, want 1 to 9999
}

func ExampleJupiter() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	}))
	defer server.Close()
	wallet := svmtest.Address(svmtest.Key("swapper"))
	j, _ := spl.NewJupiter(spl.JupiterConfig{URL: server.URL, Key: "secret", Taker: wallet, SlippageBps: 50})
	assets := settlement.IONet().Assets
	_, err := j.Quote(context.Background(), assets[1], assets[0], 40_000_000)
	fmt.Println(err, errors.Is(err, spl.ErrJupiter))
	_, err = j.Build(context.Background(), settlement.SwapOrder{Wallet: "somebody else"})
	fmt.Println(errors.Is(err, spl.ErrJupiter))
	// Output:
	// spl: jupiter: status 429: "too many requests\n" true
	// true
}

func ExampleJupiterProgram() {
	fmt.Println(spl.JupiterProgram())
	// Output: JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4
}

func ExampleAPIKey() {
	key := spl.APIKey("secret")
	fmt.Println(key, key.GoString(), string(key) == "secret")
	fmt.Printf("%v %+v %#v %q\n", key, key, key, key)
	// Output:
	// [hidden] [hidden] true
	// [hidden] [hidden] [hidden] "[hidden]"
}
