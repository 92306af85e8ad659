package tokenomics_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func ExampleDecimals() {
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	p := tokenomics.Price{MicroPerToken: 3_000_000, At: at, Source: "example"}
	const dollars = 10 * tokenomics.MicrosPerUSD
	for _, d := range []tokenomics.Decimals{0, 6, tokenomics.MaxDecimals} {
		bought, rest, _ := d.Convert(dollars, p)
		cost, _ := d.Cost(bought, p)
		value, _ := d.Value(bought, p)
		pay, _ := d.Pay(dollars, p)
		fmt.Printf("%d places, %d units: %s for %s, rest %s, worth %s; 10 dollars are paid with %s\n",
			d, d.UnitsPerToken(), d.Fixed(bought), cost, rest, value, d.Format(pay))
	}
	a, err := tokenomics.Decimals(6).Parse("12.5")
	fmt.Println(uint64(a), err)
	_, err = tokenomics.Decimals(6).Parse("0.0000001")
	fmt.Println(err)
	fmt.Println(tokenomics.Decimals(10).Validate())
	// Output:
	// 0 places, 1 units: 3 for 9.00, rest 1.00, worth 9.00; 10 dollars are paid with 4
	// 6 places, 1000000 units: 3.333333 for 9.999999, rest 0.000001, worth 9.999999; 10 dollars are paid with 3.333334
	// 9 places, 1000000000 units: 3.333333333 for 10.00, rest 0.00, worth 9.999999; 10 dollars are paid with 3.333333334
	// 12500000 <nil>
	// tokenomics: malformed number: "0.0000001" has 7 decimal places, at most 6 fit
	// tokenomics: invalid decimals: 10 places, at most 9
}

func ExampleRounding_halfEven() {
	for _, n := range []tokenomics.Amount{5, 7} {
		half, _ := n.MulDiv(1, 2, tokenomics.HalfEven)
		fmt.Printf("%d/2 is about %d\n", uint64(n), uint64(half))
	}
	// Output:
	// 5/2 is about 2
	// 7/2 is about 4
}

func ExampleFeePolicy_compare() {
	var c tokenomics.Comparison
	c, err := tokenomics.IONet().Fees.Compare(1_000*tokenomics.MicrosPerUSD, tokenomics.USDC)
	fmt.Println("renter  ", c.Additive.RenterPays, c.Compounded.RenterPays, c.RenterMore)
	fmt.Println("supplier", c.Additive.SupplierGets, c.Compounded.SupplierGets, c.SupplierMore)
	fmt.Println(c.Additive.RenterPays.Decimal(), c.Additive.Validate(), err)
	// Output:
	// renter   1022.50 1022.55 0.05
	// supplier 977.50 977.55 0.05
	// 1022.5 <nil> <nil>
}

func ExampleQuote() {
	q, _ := tokenomics.IONet().Fees.Quote(1_000*tokenomics.MicrosPerUSD, tokenomics.IO)
	fmt.Println(q.RenterPays, q.SupplierGets, q.Revenue, q.Validate())
	q.Revenue++
	fmt.Println(q.Validate())
	// Output:
	// 1002.50 997.50 5.00 <nil>
	// tokenomics: invalid fees: revenue 5.000001, 1002.50 paid, 997.50 received
}

func ExampleOracle() {
	o, _ := tokenomics.NewOracle(tokenomics.DefaultOracle("aggregator", "exchange", "pool"))
	at := time.Date(2024, 6, 20, 12, 0, 0, 0, time.UTC)
	show := func(effects []tokenomics.OracleEffect, err error) {
		if err != nil {
			fmt.Println(err)
		}
		for _, e := range effects {
			switch e := e.(type) {
			case tokenomics.OracleTurned:
				fmt.Println(at.Format("15:04"), e.From, "->", e.To)
			}
		}
	}
	for range 20 {
		for source, micro := range []uint64{2_500_000, 2_510_000, 2_505_000} {
			name := []string{"aggregator", "exchange", "pool"}[source]
			show(o.Apply(at, tokenomics.Quoted{Source: name, MicroPerToken: micro, SeenAt: at}))
		}
		at = at.Add(time.Minute)
	}
	show(o.Apply(at, tokenomics.Quoted{Source: "nobody", MicroPerToken: 1, SeenAt: at}))
	show(o.Apply(at.Add(time.Hour), tokenomics.Ticked{}))
	fmt.Println(o.State(), o.Audit())
	// Output:
	// 12:00 stale -> no quorum
	// 12:15 no quorum -> ok
	// tokenomics: unknown source of a price: "nobody"
	// 12:20 ok -> stale
	// stale <nil>
}

func ExampleNewOracle() {
	_, err := tokenomics.NewOracle(tokenomics.DefaultOracle("only one"))
	fmt.Println(err)
	// Output: tokenomics: invalid oracle: least 2, quorum 3, 1 sources are not in order from 1
}

func ExampleDefaultOracle() {
	p := tokenomics.DefaultOracle("a", "b", "c")
	fmt.Println(p.Quorum, "sources,", p.Window, "window, stale after", p.StaleAfter)
	fmt.Println(p.OutlierBps, "bps outlier,", p.JumpBps, "bps jump in", p.Epoch, p.Validate())
	// Output:
	// 3 sources, 30m0s window, stale after 5m0s
	// 150 bps outlier, 2000 bps jump in 1h0m0s <nil>
}

func ExampleOracleParams() {
	p := tokenomics.DefaultOracle("a", "b", "c")
	fmt.Println(p.MaxSamples(), "samples of a source at most")
	p.Quorum = 4
	fmt.Println(p.Validate())
	// Output:
	// 361 samples of a source at most
	// tokenomics: invalid oracle: least 2, quorum 4, 3 sources are not in order from 1
}

func ExampleReading() {
	o, _ := tokenomics.NewOracle(tokenomics.DefaultOracle("a", "b", "c"))
	at := time.Date(2024, 6, 20, 12, 0, 0, 0, time.UTC)
	for minute := range 30 {
		micro := uint64(2_500_000)
		if minute == 29 {
			micro = 2_470_000 // a dip
		}
		at = at.Add(time.Minute)
		for _, source := range []string{"a", "b", "c"} {
			_, _ = o.Apply(at, tokenomics.Quoted{Source: source, MicroPerToken: micro, SeenAt: at})
		}
	}
	var r tokenomics.Reading
	r, err := o.Reading(at)
	fmt.Println(r.State, r.Spot.MicroPerToken, r.TWAP.MicroPerToken, err)
	owed, _ := r.Release()
	paid, _ := r.Credit()
	fmt.Println("owed dollars become tokens at", owed.MicroPerToken, owed.Source)
	fmt.Println("tokens paid in become dollars at", paid.MicroPerToken, paid.Source)
	// Output:
	// ok 2470000 2500000 <nil>
	// owed dollars become tokens at 2500000 idlegrid/oracle/1 mean
	// tokens paid in become dollars at 2470000 idlegrid/oracle/1 median
}

func ExampleOracleState() {
	for s := tokenomics.OracleOK; s <= tokenomics.OracleHalted; s++ {
		fmt.Println(s, s.Usable())
	}
	// Output:
	// ok true
	// degraded true
	// stale false
	// outlier false
	// no quorum false
	// halted false
}

func ExamplePriceStateError() {
	o, _ := tokenomics.NewOracle(tokenomics.DefaultOracle("a", "b", "c"))
	r, _ := o.Reading(time.Date(2024, 6, 20, 12, 0, 0, 0, time.UTC))
	_, err := r.Release()
	var refused *tokenomics.PriceStateError
	fmt.Println(errors.As(err, &refused), refused.State, errors.Is(err, tokenomics.ErrPrice))
	fmt.Println(err)
	// Output:
	// true stale true
	// tokenomics: unusable price: the oracle is in state "stale", 0 of 0 fresh sources count
}

func ExampleRestoreOracle() {
	p := tokenomics.DefaultOracle("a", "b", "c")
	o, _ := tokenomics.NewOracle(p)
	at := time.Date(2024, 6, 20, 12, 0, 0, 0, time.UTC)
	_, _ = o.Apply(at, tokenomics.Quoted{Source: "a", MicroPerToken: 2_500_000, SeenAt: at})
	back, err := tokenomics.RestoreOracle(p, o.Snapshot())
	fmt.Println(back.Digest() == o.Digest(), back.State(), err)
	// Output: true no quorum <nil>
}

func ExampleNewInvoice() {
	q, _ := tokenomics.IONet().Fees.Quote(1_000*tokenomics.MicrosPerUSD, tokenomics.USDC)
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	v, err := tokenomics.NewInvoice("inv-1", q, at, at.Add(24*time.Hour))
	fmt.Println(v.ID, v.Quote.Order, v.Quote.RenterPays, err)
	_, err = tokenomics.NewInvoice("", q, at, at)
	fmt.Println(err)
	// Output:
	// inv-1 additive 1022.50 <nil>
	// tokenomics: invalid invoice: the ID has 0 bytes, want 1 to 128
}

func ExampleInvoice() {
	v := tokenomics.Invoice{ID: "inv-1"}
	fmt.Println(v.Validate())
	// Output: tokenomics: invalid invoice: "inv-1" has no time of issue
}

func ExampleInvoicePolicy() {
	network := tokenomics.IONet()
	policy := tokenomics.InvoicePolicy{Decimals: 8, MaxPriceAge: 5 * time.Minute, Burn: network.Burn}
	fmt.Println(policy.Validate())
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	p := tokenomics.Price{MicroPerToken: 3_000_000, At: at, Source: "example"}
	for _, with := range []tokenomics.Currency{tokenomics.USDC, tokenomics.IO} {
		q, _ := network.Fees.Quote(1_000*tokenomics.MicrosPerUSD, with)
		v, _ := tokenomics.NewInvoice("inv-1", q, at, at.Add(time.Hour))
		var c tokenomics.Charge
		c, _ = policy.Charge(at, v, p)
		fmt.Println(c.With, c.Dollars, c.Tokens)
		paid := tokenomics.Payment{At: at, Tokens: c.Tokens, Price: p, Reference: p}
		if with != tokenomics.IO {
			paid.Dollars = c.Dollars
		}
		s, err := policy.Settle(v, paid)
		fmt.Println("supplier", s.Supplier, "burn", s.Burn, "treasury", s.Treasury, err)
	}
	// Output:
	// <nil>
	// USDC 1022.50 0
	// supplier 325.83333333 burn 7.5 treasury 7.5 <nil>
	// IO 1002.50 334.16666667
	// supplier 332.5 burn 0.83333334 treasury 0.83333333 <nil>
}

func ExampleSettlement() {
	policy := tokenomics.InvoicePolicy{Decimals: 8, MaxPriceAge: time.Minute, Burn: tokenomics.IONet().Burn}
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	q, _ := tokenomics.IONet().Fees.Quote(100*tokenomics.MicrosPerUSD, tokenomics.Card)
	v, _ := tokenomics.NewInvoice("inv-2", q, at, at)
	p := tokenomics.Price{MicroPerToken: 2_500_000, At: at, Source: "example"}
	s, _ := policy.Settle(v, tokenomics.Payment{At: at, Dollars: 103_000_000, Price: p, Reference: p})
	text, err := json.MarshalIndent(s, "", " ")
	fmt.Println(string(text), err)
	fmt.Println(s.Audit())
	// Output:
	// {
	//  "invoice": "inv-2",
	//  "with": "card",
	//  "order": "additive",
	//  "at": "2024-06-20T00:00:00Z",
	//  "late": false,
	//  "paid_dollars": "103.00",
	//  "paid_tokens": "0",
	//  "back_dollars": "0.75",
	//  "back_tokens": "0",
	//  "conversion": {
	//   "dollars": "102.25",
	//   "tokens": "40.9",
	//   "per_token": "2.50",
	//   "seen_at": "2024-06-20T00:00:00Z",
	//   "source": "example"
	//  },
	//  "supplier": "39.1",
	//  "revenue": "1.8",
	//  "burn": "0.9",
	//  "treasury": "0.9"
	// } <nil>
	// <nil>
}

func ExampleConversion() {
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	c := tokenomics.Conversion{Dollars: 5_000_000, Tokens: 200_000_000, PerToken: 2_500_000, SeenAt: at, Source: "example"}
	fmt.Println(c.Dollars, c.Tokens, c.Price().MicroPerToken, c.Price().Source)
	// Output: 5.00 2 2500000 example
}

func ExampleBurnProgramme() {
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	p := tokenomics.Price{MicroPerToken: 2_500_000, At: at, Source: "example"}
	books := tokenomics.BurnInputs{Revenue: 100_000_001, Paid: 60_000_000, Spot: p, Reference: p}
	for _, programme := range []tokenomics.BurnProgramme{
		tokenomics.IONet().Burn,
		tokenomics.RevenueBurnPolicy{ShareBps: 2_000},
		tokenomics.SurplusBurnPolicy{ShareBps: 5_000},
	} {
		usd, err := programme.Spend(books)
		fmt.Println(usd, err, programme.Validate())
	}
	// Output:
	// 50.000001 <nil> <nil>
	// 20.000001 <nil> <nil>
	// 20.000001 <nil> <nil>
}

func ExampleRevenueBurnPolicy() {
	fmt.Println(tokenomics.RevenueBurnPolicy{ShareBps: 10_001}.Validate())
	// Output: tokenomics: invalid burn policy: share of revenue of 10001 bps, at most 10000
}

func ExampleSurplusBurnPolicy() {
	fmt.Println(tokenomics.SurplusBurnPolicy{ShareBps: 4_999}.Validate())
	// Output: tokenomics: invalid burn policy: share of surplus of 4999 bps, want 5000 to 10000
}

func ExampleBurnPolicy_breakEven() {
	policy := tokenomics.IONet().Burn
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	ref := tokenomics.Price{MicroPerToken: 2_000_000, At: at, Source: "30-day mean"}
	const month = 3_333_333 * tokenomics.UnitsPerToken // the first one, as published
	revenue, err := policy.BreakEvenRevenue(month, ref, ref)
	fmt.Println("at 2 dollars the revenue has to be", revenue, err)
	price, err := policy.BreakEvenPrice(month, 5_000_000*tokenomics.MicrosPerUSD, ref)
	fmt.Println("with 5 million dollars the price has to be", price, err)
	// Output:
	// at 2 dollars the revenue has to be 13333332 <nil>
	// with 5 million dollars the price has to be 1.2247449326288372114717449435497806757 <nil>
}

func ExampleBuyBackPolicy() {
	policy := tokenomics.BuyBackPolicy{
		Decimals: 8, MaxAge: time.Minute, MinMicro: 100_000, MaxMicro: 100_000_000, MaxSlippageBps: 100,
	}
	fmt.Println(policy.Validate())
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	p := tokenomics.Price{MicroPerToken: 2_500_000, At: at, Source: "example"}
	var o tokenomics.BuyBackOrder
	o, err := policy.Order(at, 1_000*tokenomics.MicrosPerUSD, p)
	fmt.Println(o.USD, o.Expected, o.Least, err)
	var b tokenomics.BuyBack
	b, err = policy.Confirm(o, tokenomics.Purchase{Bought: 39_800_000_000, Spent: 997_500_000, Proof: "signature"})
	fmt.Println("burn", b.Burn, "unspent", b.Unspent, err)
	_, err = policy.Confirm(o, tokenomics.Purchase{Bought: 39_000_000_000, Spent: 997_500_000, Proof: "signature"})
	fmt.Println(err)
	_, err = policy.Order(at.Add(time.Hour), 1_000*tokenomics.MicrosPerUSD, p)
	fmt.Println(err)
	// Output:
	// <nil>
	// 1000.00 400 396 <nil>
	// burn 398 unspent 2.50 <nil>
	// tokenomics: purchase slipped too far: 390 tokens for 997.50 dollars, at least 395.01
	// tokenomics: unusable price: it is of 2024-06-20T00:00:00Z, more than 1m0s before 2024-06-20T01:00:00Z
}

func ExampleDefaultSLA() {
	for _, t := range tokenomics.DefaultSLA().Tiers {
		fmt.Println("tier", t.Tier, t.Rows)
	}
	// Output:
	// tier 1 [{990000 1000} {950000 2500} {900000 10000}]
	// tier 2 [{995000 1000} {950000 2500} {900000 10000}]
	// tier 3 [{999000 1000} {990000 2500} {900000 10000}]
	// tier 4 [{999500 1000} {995000 2500} {900000 10000}]
}

func ExampleSLAParams() {
	table := tokenomics.DefaultSLA()
	fmt.Println(table.Validate())
	// A month of 30 days, an hour of which the service was away, on an invoice of 123.456789 dollars.
	month := tokenomics.Attainment{Good: 719 * 3_600, Total: 720 * 3_600}
	for tier := range uint8(4) {
		c, err := table.Credit(tier+1, month, 123_456_789)
		fmt.Println("tier", c.Tier, "below", c.Row.BelowPPM, "ppm:", c.Exact, "paid", c.Credit, "left", c.Remainder, err)
	}
	// Output:
	// <nil>
	// tier 1 below 0 ppm: 0 paid 0.00 left 0 <nil>
	// tier 2 below 0 ppm: 0 paid 0.00 left 0 <nil>
	// tier 3 below 999000 ppm: 12.3456789 paid 12.345678 left 0.0000009 <nil>
	// tier 4 below 999500 ppm: 12.3456789 paid 12.345678 left 0.0000009 <nil>
}
