package settlement_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

// exampleTill has an open bill of 25 dollars, of which 20 were paid, and 7 dollars that nobody can explain.
func exampleTill() *settlement.Till {
	p := settlement.IONetTill(settlement.Treasury{Account: "till-usdc", Owner: "desk", Asset: dollars, Program: "token", MinRefund: 500_000})
	till, err := settlement.NewTill(p)
	if err != nil {
		fmt.Println(err)
	}
	b := bill("job-7")
	b.Units, b.RefundOver = 25_000_000, 1_000_000
	for _, e := range []settlement.TillEvent{
		settlement.BillOpened{Bill: b},
		settlement.InflowSeen{Inflow: inflow("s1", 20_000_000, "job-7")},
		settlement.InflowSeen{Inflow: inflow("s2", 7_000_000)},
	} {
		if _, err := till.Apply(noon, e); err != nil {
			fmt.Println(err)
		}
	}
	return till
}

func ExampleNewTill() {
	till, err := settlement.NewTill(settlement.IONetTill(settlement.Treasury{
		Account: "till-usdc", Owner: "desk", Asset: settlement.IONet().Assets[1], MinRefund: 500_000,
	}))
	fmt.Println(till.Params().Version, err)
	// Output: ionet-till/1 <nil>
}

func ExampleTill_Apply() {
	till := exampleTill()
	for _, e := range []settlement.TillEvent{
		settlement.InflowSeen{Inflow: inflow("s3", 8_000_000, "job-7")},
		settlement.InflowSeen{Inflow: inflow("s3", 8_000_000, "job-7")}, // the other feed tells of it too
		settlement.Released{Inflow: inflow("s2", 1).ID, Units: 7_000_000, Customer: "cust-job-7"},
	} {
		effects, err := till.Apply(noon, e)
		fmt.Println(len(effects), err)
		for _, f := range effects {
			fmt.Println(" ", effectLine(f))
		}
	}
	fmt.Printf("%+v\n", till.Totals(dollars))
	// Output:
	// 2 <nil>
	//   credited job-7 with 5000000 of s3, lacks 0
	//   owed 3000000 of s3 to ann for "job-7"
	// 0 <nil>
	// 1 <nil>
	//   balance of cust-job-7: 7000000 of s2, order
	// {In:35000000 Credited:25000000 Balance:7000000 Suspended:0 Kept:0 Owed:3000000 Reversed:0}
}

func ExampleTill() {
	till := exampleTill()
	b, ok := till.Bill("job-7")
	fmt.Println(b.State, b.Paid, ok)
	in, ok := till.Inflow(settlement.InflowID{Tx: "s2", Account: "till-usdc"})
	fmt.Println(in.Suspended, in.Settled, ok)
	for b := range till.Bills() {
		fmt.Println(b.Bill.ID)
	}
	for in := range till.Inflows() {
		fmt.Println(in.Inflow.ID, in.In)
	}
	fmt.Println(len(slices.Collect(till.References())), len(slices.Collect(till.Refunds())), till.Through().IsZero(), till.Audit())
	// Output:
	// part 20000000 true
	// 7000000 true true
	// job-7
	// s1/till-usdc 20000000
	// s2/till-usdc 7000000
	// 1 0 true <nil>
}

// Each event and what follows from it.
func ExampleTill_Apply_events() {
	till := exampleTill()
	s2 := inflow("s2", 1).ID
	for _, e := range []settlement.TillEvent{
		settlement.TreasuryChanged{Account: "till-usdc", Trouble: "account is frozen"},
		settlement.RefundOrdered{Inflow: s2, Units: 7_000_000},
		settlement.RefundRefused{Intent: settlement.NewIntentID(settlement.Refund, "refund", "s2", "till-usdc", "")},
		settlement.SeenThrough{Time: noon.Add(2 * time.Hour)},
		settlement.InflowReversed{Inflow: s2, Cause: "dp_1", Units: 1},
	} {
		effects, err := till.Apply(noon, e)
		if err != nil {
			fmt.Println(err)
		}
		for _, f := range effects {
			switch f := f.(type) {
			case settlement.Alarmed:
				fmt.Println("stop selling:", f.Trouble)
			case settlement.Lapsed:
				fmt.Println("lapsed:", f.Bill, f.Units)
			case settlement.Balanced:
				fmt.Println("balance of", f.Customer, f.Units, f.Why)
			case settlement.Owed:
				fmt.Println("refund of", f.Intent.Units, "to", f.Intent.To)
			case settlement.Suspended:
				fmt.Println("suspended:", f.Units, f.Why)
			case settlement.Credited, settlement.Kept, settlement.Settled, settlement.Reversed:
				fmt.Printf("%+v\n", f)
			}
		}
	}
	// Output:
	// stop selling: account is frozen
	// refund of 7000000 to ann
	// suspended: 7000000 refund refused
	// lapsed: job-7 20000000
	// balance of cust-job-7 20000000 part
	// settlement: inflow is final: "s2/till-usdc"
}

func ExampleRestoreTill() {
	till := exampleTill()
	again, err := settlement.RestoreTill(till.Params(), till.Snapshot())
	fmt.Println(err, again.Digest() == till.Digest())
	// Output: <nil> true
}

func ExampleEncodeTillEvent() {
	e, err := settlement.DecodeTillEvent(settlement.EncodeTillEvent(settlement.SeenThrough{Time: noon}))
	fmt.Println(e, err)
	// Output: {2026-01-01 12:00:00 +0000 UTC} <nil>
}

func ExampleDecodeTillEvent() {
	_, err := settlement.DecodeTillEvent([]byte("spoilt"))
	fmt.Println(err != nil)
	// Output: true
}

func ExampleIONetTill() {
	p := settlement.IONetTill()
	fmt.Println(p.WatchSeconds/86_400, "days;", p.Validate())
	// Output: 30 days; settlement: till params: Treasuries has 0, want 1 to 65535
}

func ExampleTillParams_Validate() {
	p := tillParams()
	p.WatchSeconds = math.MaxUint64
	fmt.Println(p.Validate())
	// Output: settlement: till params: WatchSeconds is 18446744073709551615, want at most 316224000
}

func ExampleBillReference() {
	r, err := settlement.BillReference([]byte("32 random bytes of the operator."), "job-7")
	fmt.Printf("%x… %v\n", r[:4], err)
	// Output: 561bd80b… <nil>
}

func ExampleBillState() {
	fmt.Println(settlement.BillOpen, settlement.BillPart, settlement.BillPaid, settlement.BillLapsed)
	// Output: open part paid lapsed
}

func ExampleBillError() {
	till := exampleTill()
	b := bill("x")
	b.Units = 0
	_, err := till.Apply(noon, settlement.BillOpened{Bill: b})
	fmt.Println(err)
	// Output: settlement: bill "x": Units is 0
}

func ExampleInflowError() {
	till := exampleTill()
	_, err := till.Apply(noon, settlement.InflowSeen{Inflow: inflow("s9", 0)})
	fmt.Println(err)
	// Output: settlement: inflow "s9/till-usdc": Units is 0
}

func ExampleInflowID() {
	a, b := inflow("s1", 1).ID, inflow("s2", 1).ID
	fmt.Println(a, a.Compare(b))
	// Output: s1/till-usdc -1
}

func ExampleDoubt() {
	fmt.Println(settlement.DoubtReference, "/", settlement.DoubtAmbiguous)
	// Output: no reference / several references
}

func ExampleSurplus() {
	fmt.Println(settlement.SurplusMore, settlement.SurplusLate, settlement.SurplusPart, settlement.SurplusOrder)
	// Output: more late part order
}

func ExampleNewWebhookKeys() {
	k, err := settlement.NewWebhookKeys(300, []byte("whsec_4f7a0c1d9b"), []byte("whsec_of_last_year"))
	fmt.Println(k, err)
	// Output: 2 webhook keys <nil>
}

func ExampleWebhookKeys_Verify() {
	k, _ := settlement.NewWebhookKeys(300, []byte("whsec_4f7a0c1d9b"))
	body := []byte(`{"id":"evt_1"}`)
	header := k.Sign(noon, body)
	fmt.Println(k.Verify(noon.Add(time.Minute), header, body))
	fmt.Println(k.Verify(noon.Add(time.Hour), header, body))
	fmt.Println(k.Verify(noon, header, []byte(`{"id":"evt_2"}`)))
	// Output:
	// <nil>
	// settlement: webhook is not of this time: it is 3600 s old, want at most 300
	// settlement: webhook is not signed by a known secret
}

func ExampleWebhookKeys() {
	k, _ := settlement.NewWebhookKeys(300, []byte("whsec_4f7a0c1d9b"))
	fmt.Printf("%v %#v\n", k, k)
	fmt.Println(k.GoString() == k.String())
	// Output:
	// 1 webhook keys 1 webhook keys
	// true
}

func ExampleCardTreasury() {
	c := settlement.CardTreasury{Treasury: tillParams().Treasuries[2], Currency: "usd", ChargebackSeconds: 120 * 86_400}
	events, err := c.Events([]byte(`{"id":"evt_1","type":"charge.succeeded","data":{"object":{"id":"ch_1","amount":2500,"currency":"usd","created":1767268800}}}`))
	fmt.Println(c.Validate(), err)
	for _, e := range events {
		in := e.(settlement.InflowSeen).Inflow
		fmt.Println(in.ID, in.Units, in.Payer, in.Settles.Format(time.DateOnly))
	}
	// Output:
	// <nil> <nil>
	// ch_1/card 2500 card:ch_1 2026-05-01
}

func ExampleCardPayer() {
	fmt.Println(settlement.CardPayer("ch_1"))
	// Output: card:ch_1
}

func ExampleNewCardMemory() {
	k, _ := settlement.NewWebhookKeys(300, []byte("whsec_4f7a0c1d9b"))
	_, err := settlement.NewCardMemory(settlement.CardTreasury{Treasury: tillParams().Treasuries[2], ChargebackSeconds: 1}, k)
	fmt.Println(err)
	// Output: settlement: card treasury: Currency is empty
}

func ExampleCardMemory() {
	k, _ := settlement.NewWebhookKeys(300, []byte("whsec_4f7a0c1d9b"))
	card, err := settlement.NewCardMemory(settlement.CardTreasury{Treasury: tillParams().Treasuries[2], Currency: "usd", ChargebackSeconds: 86_400}, k)
	if err != nil {
		fmt.Println(err)
		return
	}
	var p settlement.Processor = card
	b := bill("a")
	b.Asset, b.Owner, b.Units = cents, "stripe", 2500
	url, err := p.Checkout(context.Background(), b)
	fmt.Println(len(url), err)
	name, hook := card.Pay(noon, url, 2500)
	events, err := p.Events(noon, hook.Signature, hook.Body)
	fmt.Println(name, len(events), err)
	err = p.Refund(context.Background(), settlement.Intent{
		ID: settlement.IntentID{1}, Kind: settlement.Refund, Asset: cents, From: "stripe", To: settlement.CardPayer(name), Units: 500,
	})
	fmt.Println(card.Refunded(name), err)
	_, err = card.ChargeBack(noon, name, 2001)
	fmt.Println(err)
	// Output:
	// 80 <nil>
	// ch_1 1 <nil>
	// 500 <nil>
	// settlement: not that much money: 2001 units of charge "ch_1", want 1 to 2000
}
