package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func examplePolicy() (p settlement.SwapPolicy, m settlement.Market, noon time.Time) {
	assets := settlement.IONet().Assets
	noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	p = settlement.SwapPolicy{
		Dollar: assets[1], Token: assets[0], MaxAgeSeconds: 60, MaxSpreadBps: 100, MaxSlippageBps: 50, MaxGainBps: 200, MaxImpactBps: 30, MaxSlots: 10,
	}
	m = settlement.Market{
		Bid: tokenomics.Price{MicroPerToken: 2_500_000, At: noon, Source: "our oracle"},
		Ask: tokenomics.Price{MicroPerToken: 2_520_000, At: noon, Source: "our oracle"},
	}
	return p, m, noon
}

// fixedRate gives four tokens for ten dollars, whatever the amount: for tests of what stands around a Swapper.
type fixedRate struct{}

func (fixedRate) Quote(_ context.Context, in, out settlement.Asset, units uint64) (settlement.SwapQuote, error) {
	expect, err := tokenomics.Amount(units).MulDiv(40, 1, tokenomics.Down)
	return settlement.SwapQuote{In: in, Out: out, Units: units, Expect: uint64(expect), Least: uint64(expect), Slot: 100, Route: "fixed"}, err
}

func (fixedRate) Build(context.Context, settlement.SwapOrder) ([]settlement.Instruction, error) {
	return nil, errors.New("fixedRate: there is nothing behind it")
}

func ExampleSwapper() {
	p, m, noon := examplePolicy()
	var venue settlement.Swapper = fixedRate{}
	q, err := venue.Quote(context.Background(), p.Dollar, p.Token, 40_000_000)
	fmt.Println(q.Expect, q.Route, err)
	fmt.Println(p.Check(noon, 101, m, q, 1_579_365_080))
	_, err = venue.Build(context.Background(), settlement.SwapOrder{Quote: q, Wallet: "swapper"})
	fmt.Println(err)
	// Output:
	// 1600000000 fixed <nil>
	// <nil>
	// fixedRate: there is nothing behind it
}

func ExampleNewMarket() {
	_, err := settlement.NewMarket(tokenomics.Reading{State: tokenomics.OracleHalted})
	fmt.Println(err)
	// Output: tokenomics: unusable price: the oracle is in state "halted", 0 of 0 fresh sources count
}

// A quote for 40 dollars, against a price of our own of 2.50 to 2.52 dollars.
func ExampleSwapPolicy() {
	p, m, noon := examplePolicy()
	fmt.Println(p.Validate())
	low, high, err := p.Fair(noon, m, p.Dollar, p.Token, 40_000_000)
	fmt.Println(low, "to", high, "units of IO are fair", err)
	least, err := p.Least(noon, m, p.Dollar, p.Token, 40_000_000)
	fmt.Println(least, "are the least", err)

	q := settlement.SwapQuote{In: p.Dollar, Out: p.Token, Units: 40_000_000, Expect: 1_590_000_000, Slot: 100}
	fmt.Println(p.Check(noon, 105, m, q, least))
	q.Expect = 1_500_000_000
	err = p.Check(noon, 105, m, q, least)
	fmt.Println(err)
	var refused *settlement.QuoteError
	fmt.Println(errors.As(err, &refused), refused.Field, refused.Have, "<", refused.Limit)
	m.Ask = tokenomics.Price{}
	fmt.Println(p.Check(noon, 105, m, q, least))
	// Output:
	// <nil>
	// 1587301587 to 1600000000 units of IO are fair <nil>
	// 1579365080 are the least <nil>
	// <nil>
	// settlement: quote refused: Expect is 1500000000, the swap has to get at least 1579365080
	// true Expect 1500000000 < 1579365080
	// settlement: quote refused: Ask is missing: the market has one side only
}

func ExampleNewLot() {
	assets := settlement.IONet().Assets
	p := settlement.LotParams{In: assets[1], Into: assets[0], Wallet: "swapper", Treasury: "treasury", Moves: "moves"}
	_, err := settlement.NewLot(p, "12:00", 1, []settlement.LotBill{{Bill: "7", Units: 5}, {Bill: "7", Units: 6}})
	fmt.Println(err)
	// Output: settlement: invalid lot: bill "7" stands twice
}

func ExampleLotParams() {
	assets := settlement.IONet().Assets
	p := settlement.LotParams{In: assets[1], Into: assets[0], Wallet: "treasury", Treasury: "treasury", Moves: "moves"}
	fmt.Println(p.Validate())
	// Output: settlement: invalid lot: Wallet, Treasury and Moves have to differ
}

// Three bills of one hour are converted in one swap. Their customers were promised 420 units in all; the swap got 417.
func ExampleLot() {
	assets := settlement.IONet().Assets
	p := settlement.LotParams{In: assets[1], Into: assets[0], Wallet: "swapper", Treasury: "treasury", Moves: "moves"}
	lot, err := settlement.NewLot(p, "12:00", 400, []settlement.LotBill{
		{Bill: "a", Units: 30, Owed: 130}, {Bill: "b", Units: 60, Owed: 250}, {Bill: "c", Units: 10, Owed: 40},
	})
	fmt.Println(lot.Name(), lot.Units(), len(lot.Bills()), err)
	swap := lot.Swap()
	fmt.Println(swap.Kind, swap.Units, "for at least", swap.Least)

	books, err := lot.Settle(settlement.Paid{Tx: "its signature", Got: 417, Intents: []settlement.IntentID{swap.ID}})
	fmt.Println(books.Audit(), err)
	for _, s := range books.Shares {
		fmt.Println(s.Bill, "brought", s.Units, "had", s.Share, "is credited", s.Owed)
	}
	fmt.Println("gain", books.Gain, "loss", books.Loss)
	after, err := lot.After(books)
	for _, x := range after {
		fmt.Println(x.Kind, x.Units, "from", x.From, "to", x.To, "for", x.Cause)
	}
	fmt.Println(err)
	// Output:
	// 12:00 100 3 <nil>
	// swap 100 for at least 400
	// <nil> <nil>
	// a brought 30 had 125 is credited 130
	// b brought 60 had 250 is credited 250
	// c brought 10 had 42 is credited 40
	// gain 2 loss 5
	// move 17 from swapper to treasury for lot 12:00: surplus
	// move 3 from moves to treasury for lot 12:00: price
	// <nil>
}

func ExampleLotBooks() {
	books := settlement.LotBooks{Lot: "12:00", Units: 10, Got: 5, Shares: []settlement.LotShare{{Bill: "a", Units: 10, Owed: 6, Share: 5}}}
	fmt.Println(books.Audit())
	// Output: settlement: books do not add up: lot "12:00": gain and loss are 0 and 1, Gain is 0 and Loss 0
}

// 100 units of USDC buy 43 of the token: 40 are burned in the swap's own transaction, 3 in a following one, while somebody
// else burns 7.
func ExampleBuyBurn() {
	assets := settlement.IONet().Assets
	order := settlement.BuyBurn{Name: "January", Cause: "revenue", In: assets[1], Token: assets[0], Wallet: "swapper", Spend: 100, Least: 40}
	fmt.Println(order.Validate())
	swap := settlement.Paid{Tx: "swap", Slot: 11, Got: 43, Intents: []settlement.IntentID{order.Swap().ID}}
	more, needed, err := order.Rest(swap)
	fmt.Println(more.Kind, more.Units, needed, err)
	rest := settlement.Paid{Tx: "rest", Slot: 20, Intents: []settlement.IntentID{more.ID}}

	entry, err := order.Entry(swap, &rest, settlement.SupplyProof{
		Token:  order.Token,
		Before: settlement.SupplyAt{Slot: 10, Units: 1000},
		After:  settlement.SupplyAt{Slot: 20, Units: 950},
		Changes: []settlement.SupplyChange{
			{Tx: "swap", Slot: 11, Burned: 40}, {Tx: "a stranger's", Slot: 15, Burned: 7}, {Tx: "rest", Slot: 20, Burned: 3},
		},
	})
	fmt.Println(entry.Got, "bought and burned,", entry.Strangers, "burned by others", err)
	// Output:
	// <nil>
	// burn 3 true <nil>
	// 43 bought and burned, 7 burned by others <nil>
}

func ExampleSupplyProof() {
	p := settlement.SupplyProof{
		Before:  settlement.SupplyAt{Slot: 10, Units: 1000},
		After:   settlement.SupplyAt{Slot: 20, Units: 959},
		Changes: []settlement.SupplyChange{{Tx: "ours", Slot: 11, Burned: 40}},
	}
	fmt.Println(p.Burned("ours"), p.Burned("another"))
	fmt.Println(p.Audit())
	// Output:
	// 40 0
	// settlement: books do not add up: supply of "": the changes lead from 1000 to 960, the chain says 959
}

func ExampleBurnEntry() {
	assets := settlement.IONet().Assets
	order := settlement.BuyBurn{Name: "January", In: assets[1], Token: assets[0], Wallet: "swapper", Spend: 100, Least: 40}
	e := settlement.BurnEntry{Order: order, Got: 40, SwapTx: "swap", Supply: settlement.SupplyProof{
		Token: order.Token, Before: settlement.SupplyAt{Slot: 10, Units: 1000}, After: settlement.SupplyAt{Slot: 20, Units: 960},
		Changes: []settlement.SupplyChange{{Tx: "swap", Slot: 11, Burned: 40}},
	}}
	fmt.Println(e.Audit())
	for _, burned := range e.Events(tokenomics.FeeVault) {
		fmt.Println(uint64(burned.Amount), burned.Proof, burned.From)
	}
	e.Got++
	fmt.Println(e.Audit())
	// Output:
	// <nil>
	// 40 swap fee vault
	// settlement: books do not add up: order "January": transaction "" burned 0, not the rest 1
}
