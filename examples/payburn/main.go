// Command payburn follows a bill on a local Solana: paid in USDC by Solana Pay, seen, credited, converted into IO and burned.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const forty, program = 40_000_000, settlement.Account("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA") // 40 USDC, token program

// oracle is our own price, on which no quote has a say: 2.50 dollars a token.
type oracle struct{ at time.Time }

func (o oracle) Market(context.Context) (settlement.Market, time.Time, error) {
	own := tokenomics.Price{MicroPerToken: 2_500_000, At: o.at, Source: "our oracle"}
	return settlement.Market{Bid: own, Ask: own}, o.at, nil
}

func main() { fmt.Print(run(context.Background())) }

// run tells the story. Whatever goes wrong ends the program.
func run(ctx context.Context) string {
	out, node := &bytes.Buffer{}, must(svmtest.Start(ctx, svmtest.Config{Endpoints: 2}))
	defer node.Close() //nolint:errcheck // the story is over
	boss, noon := svmtest.Key("payer"), time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	must(0, errors.Join(node.Airdrop(ctx, addr("payer"), 1e11), node.Airdrop(ctx, addr("ann"), 1e9), node.Airdrop(ctx, addr("pool"), 1e9)))
	io, usdc := must(node.CreateMint(ctx, boss, svmtest.Key("IO"), 8)), must(node.CreateMint(ctx, boss, svmtest.Key("USDC"), 6))
	must(0, errors.Join(node.CreateAccounts(ctx, io, []settlement.Account{addr("pool")}, 1e12),
		node.CreateAccounts(ctx, usdc, []settlement.Account{addr("pool"), addr("ann")}, 25e9),
		node.CreateAccounts(ctx, usdc, []settlement.Account{addr("desk"), addr("swapper")}, 0), node.Advance(ctx, svmtest.BlocksToFinal)))
	desk := settlement.Treasury{Account: must(node.TokenAddress(ctx, usdc, addr("desk"))), Owner: addr("desk"), Asset: usdc, Program: program}
	till, ref := must(settlement.NewTill(settlement.IONetTill(desk))), must(settlement.BillReference([]byte("32 bytes nobody else knows of..."), "7"))
	bill := settlement.Bill{ID: "7", Customer: "ann", Asset: usdc, Owner: desk.Owner, Units: forty, Reference: ref, Expires: noon.Add(time.Hour)}
	bill.Remainder, bill.RefundOver = settlement.ToBalance, forty // what is too much is balance
	must(till.Apply(noon, settlement.BillOpened{Bill: bill}))
	request, wallet := spl.RequestFor(bill, "idlegrid", "job 7"), must(spl.New(spl.Config{URL: node.URL(), Payer: key("ann")}))
	fmt.Fprintf(out, "Bill 7 asks ann for %s:\n  %s\n", show(forty, usdc), must(request.URL()))
	request.Amount = "41"
	must(wallet.Pay(ctx, request))
	request.Amount, request.References = "5", nil // for what?
	must(wallet.Pay(ctx, request))
	must(0, node.Advance(ctx, svmtest.BlocksToFinal))
	watch := must(spl.NewWatcher(spl.WatchConfig{
		URL: node.URLs()[0], Witnesses: []spl.WatchWitness{{URL: node.URLs()[1]}}, Treasuries: []settlement.Treasury{desk}, Own: []settlement.Account{desk.Owner},
	}))
	for _, e := range must(watch.Scan(ctx, spl.Cursor{}, []settlement.Reference{ref})).Events {
		must(till.Apply(noon, e))
	}
	sums := till.Totals(usdc)
	fmt.Fprintf(out, "Both endpoints have %s in final blocks: %s credited to bill 7; %s more than it asks for, to ann's balance; %s without a reference, suspended.\n",
		show(sums.In, usdc), show(sums.Credited, usdc), show(sums.Balance, usdc), show(sums.Suspended, usdc))
	return burn(ctx, out, node, io, usdc, oracle{noon})
}

// burn lets two endpoints agree, each with the guard between a swap and our signature. Pools stand in for the market.
func burn(ctx context.Context, out *bytes.Buffer, node *svmtest.Node, io, usdc settlement.Asset, own oracle) string {
	policy := settlement.SwapPolicy{Dollar: usdc, Token: io, MaxAgeSeconds: 60, MaxSlippageBps: 100, MaxGainBps: 100, MaxImpactBps: 50, MaxSlots: 20}
	market, noon, _ := own.Market(ctx)
	order := settlement.BuyBurn{Name: "7", Cause: "bill 7", In: usdc, Token: io, Wallet: addr("swapper"), Spend: forty}
	order.Least = must(policy.Least(noon, market, usdc, io, forty))
	journal := must(settlement.NewJournal(settlement.Params{Version: "1", MaxLines: 58, Quorum: 2, Assets: []settlement.Asset{usdc, io}}))
	runner, chain, refused := settlement.Runner{Quorum: 2, Open: journal.Open, Apply: journal.Apply}, (*spl.Chain)(nil), (*settlement.QuoteError)(nil)
	trade := func(at spl.PoolConfig) {
		runner.Chains = nil
		for _, url := range node.URLs() {
			chain = must(spl.New(spl.Config{URL: url, Payer: key("payer"), Owners: []spl.Signer{key("desk"), key("swapper")}}))
			pool := must(spl.NewPool(chain, at))
			must(0, errors.Join(pool.Approve(ctx, key("pool"), order.Wallet, io, 1e12), node.Advance(ctx, svmtest.BlocksToFinal)))
			guard := spl.ConverterConfig{Wallet: order.Wallet, Swapper: pool, Market: own, Policy: policy, Programs: []settlement.Account{program}}
			runner.Chains = append(runner.Chains, must(spl.NewConverter(chain, guard)))
		}
	}
	pay := func(in settlement.Intent) settlement.Paid {
		must(journal.Apply(noon, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{in}}))
		for p, _ := journal.Payment(in.ID); p.State != settlement.StatePaid; p, _ = journal.Payment(in.ID) {
			if _, err := runner.Step(ctx, noon); errors.As(err, &refused) {
				return settlement.Paid{}
			}
			must(0, node.Advance(ctx, svmtest.BlocksToFinal))
		}
		p, _ := journal.Payment(in.ID)
		return settlement.Paid{Batch: p.Batch, Tx: p.Tx, Slot: p.Slot, Got: p.Got, Intents: []settlement.IntentID{in.ID}}
	}
	trade(spl.PoolConfig{Owner: addr("pool"), Out: 1_500_000_000, In: forty}) // gives 15 IO
	pay(settlement.Intent{ID: settlement.NewIntentID(settlement.Move, "7"), Kind: settlement.Move, Asset: usdc, From: addr("desk"), To: order.Wallet, Units: forty})
	pay(order.Swap())
	fmt.Fprintf(out, "The swap wallet gets %s, all that it holds: at our own price, 2.5 USDC, 16 IO. It has to get %s, 1%% less, or more.\n"+
		"A venue offers 15 IO. Nothing is signed, because the guard says:\n  %v\n", show(forty, usdc), show(order.Least, io), refused)
	trade(spl.PoolConfig{Owner: addr("pool"), FeeBps: 30})
	before, swap := must(chain.Supply(ctx, io)), pay(order.Swap())
	rest, _, err := order.Rest(swap)
	second := pay(must(rest, err))
	entry := must(order.Entry(swap, &second, must(chain.SupplyProof(ctx, io, before))))
	fmt.Fprintf(out, "Another gives %s: swapped, and %s of them burned, in one transaction; the other %s in the next.\nThe supply on the chain was %s, %s are burned, and it is %s.\n",
		show(entry.Got, io), show(order.Least, io), show(rest.Units, io), show(before.Units, io), show(entry.Got, io), show(entry.Supply.After.Units, io))
	return must(out.String(), entry.Audit())
}

func show(n uint64, a settlement.Asset) string {
	return spl.FormatAmount(n, a.Decimals) + map[uint8]string{6: " USDC", 8: " IO"}[a.Decimals]
}
func key(name string) spl.Signer          { return must(spl.NewKey(svmtest.Key(name))) }
func addr(name string) settlement.Account { return svmtest.Address(svmtest.Key(name)) }

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "payburn:", err)
		os.Exit(1)
	}
	return v
}
