// Command payburn follows one payment on a local Solana: a bill is paid in USDC by Solana Pay, seen, credited, converted into
// IO and burned, and the supply is shown to have fallen by exactly that.
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

// price is our own, on which no quote has a say: 2.50 dollars a token.
type price struct{ at time.Time }

func (p price) Market(context.Context) (settlement.Market, time.Time, error) {
	own := tokenomics.Price{MicroPerToken: 2_500_000, At: p.at, Source: "our oracle"}
	return settlement.Market{Bid: own, Ask: own}, p.at, nil
}

func main() {
	var out bytes.Buffer
	err := run(context.Background(), &out)
	if _, unwritten := out.WriteTo(os.Stdout); errors.Join(err, unwritten) != nil {
		fmt.Fprintln(os.Stderr, "payburn:", errors.Join(err, unwritten))
		os.Exit(1)
	}
}

func run(ctx context.Context, out *bytes.Buffer) (err error) {
	node := must(svmtest.Start(ctx, svmtest.Config{Endpoints: 2}))
	defer func() {
		if p := recover(); p != nil { // by must
			err = fmt.Errorf("%v", p)
		}
		err = errors.Join(err, node.Close())
	}()
	boss, noon, final := svmtest.Key("payer"), time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), func() { must(0, node.Advance(ctx, svmtest.BlocksToFinal)) }
	must(0, errors.Join(node.Airdrop(ctx, addr("payer"), 1e11), node.Airdrop(ctx, addr("ann"), 1e9), node.Airdrop(ctx, addr("pool"), 1e9)))
	io, usdc := must(node.CreateMint(ctx, boss, svmtest.Key("IO"), 8)), must(node.CreateMint(ctx, boss, svmtest.Key("USDC"), 6))
	must(0, errors.Join(node.CreateAccounts(ctx, io, []settlement.Account{addr("pool")}, 1e12),
		node.CreateAccounts(ctx, usdc, []settlement.Account{addr("pool"), addr("ann")}, 25e9),
		node.CreateAccounts(ctx, usdc, []settlement.Account{addr("desk"), addr("swapper")}, 0), node.Advance(ctx, svmtest.BlocksToFinal)))
	// Intake: a bill of 40 USDC is asked for, 41 come.
	desk := settlement.Treasury{Account: must(node.TokenAddress(ctx, usdc, addr("desk"))), Owner: addr("desk"), Asset: usdc, Program: program}
	till, ref := must(settlement.NewTill(settlement.IONetTill(desk))), must(settlement.BillReference([]byte("32 bytes nobody else knows of..."), "7"))
	bill := settlement.Bill{ID: "7", Customer: "ann", Asset: usdc, Owner: desk.Owner, Units: forty, Reference: ref, Expires: noon.Add(time.Hour)}
	bill.Remainder, bill.RefundOver = settlement.ToBalance, forty // what is too much is balance
	must(till.Apply(noon, settlement.BillOpened{Bill: bill}))
	request := spl.RequestFor(bill, "idlegrid", "job 7")
	fmt.Fprintln(out, "bill 7:", must(request.URL()))
	request.Amount = "41" // ann's wallet lets her round up
	must(must(spl.New(spl.Config{URL: node.URL(), Payer: key("ann")})).Pay(ctx, request))
	final()
	ours := []settlement.Account{addr("payer"), addr("desk"), addr("swapper")}
	watch := must(spl.NewWatcher(spl.WatchConfig{URL: node.URL(), Treasuries: []settlement.Treasury{desk}, Own: ours}))
	for _, e := range must(watch.Scan(ctx, spl.Cursor{}, []settlement.Reference{ref})).Events {
		must(till.Apply(noon, e))
	}
	fmt.Fprintf(out, "ann's payment is final: %+v\n", till.Totals(usdc))
	// Two endpoints that have to agree, each with the guard between a swap and our signature. The pool stands in for a market.
	policy := settlement.SwapPolicy{Dollar: usdc, Token: io, MaxAgeSeconds: 60, MaxSlippageBps: 100, MaxGainBps: 100, MaxImpactBps: 50, MaxSlots: 20}
	journal := must(settlement.NewJournal(settlement.Params{Version: "1", MaxLines: 58, Quorum: 2, Assets: []settlement.Asset{io, usdc}}))
	runner := settlement.Runner{Quorum: 2, Open: journal.Open, Apply: journal.Apply}
	var chain *spl.Chain
	for _, url := range node.URLs() {
		chain = must(spl.New(spl.Config{URL: url, Payer: key("payer"), Owners: []spl.Signer{key("desk"), key("swapper")}}))
		pool := must(spl.NewPool(chain, spl.PoolConfig{Owner: addr("pool"), FeeBps: 30}))
		must(0, errors.Join(pool.Approve(ctx, key("pool"), addr("swapper"), io, 1e12), node.Advance(ctx, svmtest.BlocksToFinal)))
		guard := spl.ConverterConfig{Wallet: addr("swapper"), Swapper: pool, Market: price{noon}, Policy: policy, Programs: []settlement.Account{program}}
		runner.Chains = append(runner.Chains, must(spl.NewConverter(chain, guard)))
	}
	pay := func(in settlement.Intent) settlement.Paid {
		must(journal.Apply(noon, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{in}}))
		p, _ := journal.Payment(in.ID)
		for ; p.State != settlement.StatePaid; p, _ = journal.Payment(in.ID) {
			if _, err := runner.Step(ctx, noon); err != nil && !errors.Is(err, settlement.ErrLater) {
				panic(err)
			}
			final()
		}
		return settlement.Paid{Batch: p.Batch, Tx: p.Tx, Slot: p.Slot, Got: p.Got, Intents: []settlement.IntentID{in.ID}}
	}
	// Conversion: the swap wallet gets the lot and nothing else. What it buys is burned, the least in the same transaction.
	own, _, _ := price{noon}.Market(ctx)
	least := must(policy.Least(noon, own, usdc, io, forty))
	order := settlement.BuyBurn{Name: "7", Cause: "bill 7", In: usdc, Token: io, Wallet: addr("swapper"), Spend: forty, Least: least}
	before := must(chain.Supply(ctx, io))
	lot := settlement.NewIntentID(settlement.Move, "lot", "7")
	pay(settlement.Intent{ID: lot, Kind: settlement.Move, Asset: usdc, From: addr("desk"), To: addr("swapper"), Units: forty})
	fmt.Fprintln(out, "the swap wallet holds 40 USDC and nothing else; at our own price they are 16 IO, at least", least, "units")
	swap := pay(order.Swap())
	rest, _, err := order.Rest(swap)
	second := pay(must(rest, err)) // burns what came above the least
	entry := must(order.Entry(swap, &second, must(chain.SupplyProof(ctx, io, before))))
	fmt.Fprintln(out, "quoted, guarded, simulated and signed, the swap got", entry.Got, "units; burned with it", least, "and then", rest.Units)
	fmt.Fprintf(out, "supply %d - %d = %d, as the chain says\n", before.Units, entry.Got, entry.Supply.After.Units)
	return entry.Audit()
}

func key(name string) spl.Signer          { return must(spl.NewKey(svmtest.Key(name))) }
func addr(name string) settlement.Account { return svmtest.Address(svmtest.Key(name)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
