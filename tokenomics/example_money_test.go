package tokenomics_test

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func ExampleDistribute() {
	// Three devices make up the pool, so what is left is dust, less than a base unit each, and the caller carries it.
	var d tokenomics.Distribution
	d, err := tokenomics.Distribute(100, 7, []tokenomics.Share{{ID: "a", Score: 4}, {ID: "b", Score: 2}, {ID: "c", Score: 1}})
	for _, r := range d.Rewards {
		fmt.Println(r == tokenomics.Reward{ID: r.ID, Amount: r.Amount}, r.ID, uint64(r.Amount))
	}
	fmt.Println(uint64(d.Paid), uint64(d.Rest), err)
	_, err = tokenomics.Distribute(100, 7, []tokenomics.Share{{ID: "a", Score: 8}})
	fmt.Println(err)
	// Output:
	// true a 57
	// true b 28
	// true c 14
	// 99 1 <nil>
	// tokenomics: cannot distribute: with "a" the scores exceed the pool's total of 7
}

func ExampleCurrency() {
	fmt.Println(tokenomics.IO, tokenomics.USDC, tokenomics.Card)
	// Output: IO USDC card
}

func ExampleFeeKind() {
	fmt.Println(tokenomics.ReservationFee, tokenomics.PaymentFee)
	// Output: reservation payment
}

func ExampleFeeOrder() {
	fees := tokenomics.IONet().Fees
	for _, order := range []tokenomics.FeeOrder{tokenomics.Additive, tokenomics.Compounded} {
		fees.Order = order
		q, _ := fees.Quote(1_000*tokenomics.MicrosPerUSD, tokenomics.USDC)
		fmt.Println(fees.Order, q.RenterPays, q.SupplierGets)
	}
	// Output:
	// additive 1022.50 977.50
	// compounded 1022.55 977.55
}

func ExampleFeePolicy() {
	fees := tokenomics.IONet().Fees
	fmt.Println(fees.Validate())
	var q tokenomics.Quote
	q, err := fees.Quote(1_000*tokenomics.MicrosPerUSD, tokenomics.Card)
	show := func(side string, lines []tokenomics.FeeLine) {
		for _, l := range lines {
			fmt.Printf("%s: %s fee, %d bps, %s\n", side, l.Kind, l.Bps, l.Amount)
		}
	}
	show("renter", q.RenterFees)
	fmt.Println("renter pays", q.RenterPays, "by", q.With)
	show("supplier", q.SupplierFees)
	fmt.Println("supplier gets", q.SupplierGets, "network", q.Revenue, err)
	// Output:
	// <nil>
	// renter: reservation fee, 25 bps, 2.50
	// renter: payment fee, 200 bps, 20.00
	// renter pays 1022.50 by card
	// supplier: reservation fee, 25 bps, 2.50
	// supplier: payment fee, 200 bps, 20.00
	// supplier gets 977.50 network 45.00 <nil>
}

func ExamplePrice() {
	p := tokenomics.Price{MicroPerToken: 2_500_000, At: time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC), Source: "example"}
	fmt.Println(p.Validate())
	p.Source = ""
	fmt.Println(p.Validate())
	// Output:
	// <nil>
	// tokenomics: unusable price: it has no source
}

func ExampleConvert() {
	p := tokenomics.Price{MicroPerToken: 3_000_000, At: time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC), Source: "example"}
	amount, rest, err := tokenomics.Convert(100*tokenomics.MicrosPerUSD, p)
	fmt.Println(amount, rest, err)
	// At 250 dollars a token a base unit costs two and a half millionths, and something may be left.
	p.MicroPerToken = 250_000_000
	amount, rest, err = tokenomics.Convert(9, p)
	fmt.Println(amount, rest, err)
	// Output:
	// 33.33333333 0.00 <nil>
	// 0.00000003 0.000001 <nil>
}

func ExampleBackToUSD() {
	p := tokenomics.Price{MicroPerToken: 3_000_000, At: time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC), Source: "example"}
	amount, _, _ := tokenomics.Convert(100*tokenomics.MicrosPerUSD, p)
	fmt.Println(tokenomics.BackToUSD(amount, p))
	// Output: 99.999999 <nil>
}

func ExampleBurnPolicy() {
	policy := tokenomics.IONet().Burn
	fmt.Println(policy.Validate())
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	ref := tokenomics.Price{MicroPerToken: 2_000_000, At: at, Source: "30-day mean"}
	for _, dollars := range []uint64{1, 2, 4, 16} {
		spot := tokenomics.Price{MicroPerToken: dollars * tokenomics.MicrosPerUSD, At: at, Source: "spot"}
		burn, _ := policy.Burn(45*tokenomics.UnitsPerToken, spot, ref)
		fmt.Printf("at %d dollars: %s of 45\n", dollars, burn)
	}
	// Output:
	// <nil>
	// at 1 dollars: 45 of 45
	// at 2 dollars: 22.5 of 45
	// at 4 dollars: 11.25 of 45
	// at 16 dollars: 4.5 of 45
}

func ExampleIONet() {
	p := tokenomics.IONet()
	fmt.Println(p.Version, p.Genesis, p.Cap, p.Calendar.Length)
	// Output: io.net/1 500000000 800000000 1h0m0s
}

func ExampleParams() {
	p := tokenomics.IONet()
	june := time.Date(2024, 6, 19, 23, 59, 59, 0, time.UTC)
	fmt.Println(p.ScoreVersion(june) == tokenomics.ScoreV1, p.ScoreVersion(june.Add(time.Second)) == tokenomics.ScoreV2)
	fmt.Println(p.Validate())
	p.Genesis++
	fmt.Println(p.Validate())
	// Output:
	// true true
	// <nil>
	// tokenomics: invalid parameters: the emission may reach 300000000, which exceeds cap - genesis, 299999999.99999999
}

func ExampleNewSupply() {
	s, err := tokenomics.NewSupply(tokenomics.IONet(), 105)
	fmt.Println(s.Next(), s.Books().MintedTotal, err)
	_, err = tokenomics.NewSupply(tokenomics.IONet(), 0)
	fmt.Println(err)
	// Output:
	// 105 474546.37711848 <nil>
	// tokenomics: invalid parameters: a supply cannot begin with epoch 0
}

func ExampleSupply() {
	network := tokenomics.IONet()
	s, _ := tokenomics.NewSupply(network, 105)
	at := network.Calendar.StartOf(106)
	for _, e := range []tokenomics.Event{
		tokenomics.Emitted{Epoch: 105},
		tokenomics.Emitted{Epoch: 105},
		tokenomics.Burned{Amount: 5_962_004_271, Proof: "signature of a burn"},
		tokenomics.Burned{Amount: 5_962_004_271, Proof: "signature of a burn"},
	} {
		effects, err := s.Apply(at, e)
		if err != nil {
			fmt.Println(err)
		}
		for _, effect := range effects {
			switch effect := effect.(type) {
			case tokenomics.Minted:
				fmt.Println("minted", effect.Amount, "for epoch", effect.Epoch)
			case tokenomics.Retired:
				fmt.Println("retired", effect.Amount)
			}
		}
	}
	b := s.Books()
	fmt.Println("supply", b.Total(), "reserve", b.Reserve, "audit", s.Audit())
	planned, _ := s.Timeline().Planned(s.Next())
	fmt.Println("next", s.Next(), "will emit", planned)
	// Output:
	// minted 4559.62004271 for epoch 105
	// tokenomics: epoch minted already: epoch 105, the next one is 106
	// retired 59.62004271
	// tokenomics: invalid proof of a burn: "signature of a burn" was used before
	// supply 500479046.37711848 reserve 299520894.00283881 audit <nil>
	// next 106 will emit 4559.55672349
}

func ExampleBooks() {
	b := tokenomics.Books{Genesis: 500, MintedTotal: 30, BurnedTotal: 4, Reserve: 270}
	fmt.Println(uint64(b.Total()))
	// Output: 526
}

func ExampleRestore() {
	network := tokenomics.IONet()
	s, _ := tokenomics.NewSupply(network, 1)
	_, _ = s.Apply(network.Calendar.StartOf(2), tokenomics.Emitted{Epoch: 1})
	back, err := tokenomics.Restore(network, s.Snapshot())
	fmt.Println(back.Digest() == s.Digest(), back.Next(), err)
	network.Version = "something else"
	_, err = tokenomics.Restore(network, s.Snapshot())
	fmt.Println(err)
	var effects []tokenomics.Effect
	effects, _ = back.Apply(network.Calendar.StartOf(3), tokenomics.Emitted{Epoch: 2})
	fmt.Println(effects)
	// Output:
	// true 2 <nil>
	// tokenomics: invalid snapshot: made under parameters "io.net/1", not "something else"
	// [{2 4566.14663492}]
}
