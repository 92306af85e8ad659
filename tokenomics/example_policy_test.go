package tokenomics_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// halving is a curve of a network's own: 1000 units an epoch, half of it after every ten.
type halving struct{}

func (halving) ID() string               { return "halving" }
func (halving) Epochs() tokenomics.Epoch { return 100 }
func (halving) Cumulative(k tokenomics.Epoch) (c tokenomics.Amount) {
	for k = min(k, 100); k > 0; k-- {
		c += 1000 >> ((k - 1) / 10)
	}
	return c
}

// A curve of one's own is minted like a built-in one.
func ExampleNewFixed() {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f, err := tokenomics.NewFixed(halving{}, tokenomics.Calendar{Start: start, Length: time.Hour})
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 1_000_000, Cap: 2_000_000}
	s, r, err2 := f.Step(s, tokenomics.Inputs{Start: start, End: start.AddDate(0, 0, 1)}) // a day at once
	fmt.Println(r.Policy, uint64(r.Mint), uint64(s.Room()), err, err2)
	// Output: halving 16000 984000 <nil> <nil>
}

func ExampleFixed() {
	curve, calendar, _ := tokenomics.IONetMonthly().Curve(time.Hour)
	f, _ := tokenomics.NewFixed(curve, calendar)
	in := tokenomics.Inputs{Start: calendar.Start, End: calendar.StartOf(2)}
	_, r, err := f.Step(tokenomics.IONet().State(), in)
	fmt.Println(f.ID(), r.Mint, err)
	// Output: io.net/monthly 4480.28673835 <nil>
}

// Suppliers are owed 400 dollars at 2.50 a token; revenue is 1000.
func ExampleIDEPolicy() {
	p := *tokenomics.IONetIDE().IDE
	hour := time.Date(2026, 6, 11, 0, 0, 0, 0, time.UTC)
	before := tokenomics.PolicyState{Decimals: 8, Genesis: 500_000_000e8, Cap: 800_000_000e8, Minted: 70_000_000e8}
	after, r, err := p.Step(before, tokenomics.Inputs{
		Start: hour, End: hour.Add(time.Hour), Revenue: 1000e6, Release: tokenomics.Price{MicroPerToken: 2_500_000, At: hour, Source: "twap"},
		Owed: []tokenomics.Claim{{ID: "ann", USD: 300e6}, {ID: "bob", USD: 100e6}},
	})
	for _, pay := range r.Payouts {
		fmt.Println(pay.ID, pay.Amount, "IO for", pay.USD, "dollars")
	}
	fmt.Println("buys back for", r.BuyBack, "keeps", r.Retained, "sustainability", r.RatioPPM, p.ID(), err)
	report, err := p.Report(before, after, 3_661e8)
	fmt.Println("saved", report.Saved, "of a target of", p.Target, report.MeetsTarget, err)
	// Output:
	// ann 120 IO for 300.00 dollars
	// bob 40 IO for 100.00 dollars
	// buys back for 300.00 keeps 700.00 sustainability 2500000 io.net/ide/1 <nil>
	// saved 3501 of a target of 115000000 false <nil>
}

func ExampleIONetIDE() {
	c := tokenomics.IONetIDE()
	fmt.Println(c.From.Format(time.DateOnly), c.IDE.Name, c.IDE.BurnShareBps, c.IDE.Validate())
	// Output: 2026-06-11 io.net/ide/1 5000 <nil>
}

// A user buys ten dollars of credits; the tokens are burned, and a supplier is paid out of them.
func ExampleBurnMintPolicy() {
	p := tokenomics.BurnMintPolicy{Name: "akash", WarnPPM: 950_000, HaltPPM: 900_000}
	hour := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	price := tokenomics.Price{MicroPerToken: 500_000, At: hour, Source: "twap"}
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 1000e8, Cap: 1000e8}
	in := tokenomics.Inputs{Start: hour, End: hour.Add(time.Hour), Credit: price, Release: price, Wanted: 10e6}
	s, r, err := p.Step(s, in)
	fmt.Println(p.ID(), "sold", r.Issued, "for", r.Burn, "tokens to burn", err)
	in.Wanted, in.Burned, in.Owed = 0, r.Burn, []tokenomics.Claim{{ID: "ann", USD: 4e6}}
	s, r, err = p.Step(s, in)
	fmt.Println("minted again", r.Remint, "collateral", s.Recycle, "for", s.Credits, "dollars, ratio", r.RatioPPM, err)
	fmt.Println(p.Validate(), s.Check())
	// Output:
	// akash sold 10.00 for 20 tokens to burn <nil>
	// minted again 8 collateral 12 for 6.00 dollars, ratio 1000000 <nil>
	// <nil> <nil>
}

func ExampleNetEmissionPolicy() {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	curve, _ := tokenomics.NewFixed(halving{}, tokenomics.Calendar{Start: start, Length: time.Hour})
	p := tokenomics.NetEmissionPolicy{Name: "helium", Curve: curve, Parts: 336, MaxBps: 100}
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 1_000_000, Cap: 2_000_000}
	s, r, err := p.Step(s, tokenomics.Inputs{Start: start, End: start.Add(time.Hour), Burned: 3_000})
	fmt.Println(p.ID(), uint64(r.Mint), "+", uint64(r.Remint), "of a pool of", uint64(s.Recycle), p.Validate(), err)
	// Output: helium 1000 + 8 of a pool of 2992 <nil> <nil>
}

func ExampleNewInflation() {
	p := solana()
	f, err := tokenomics.NewInflation(p)
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 500_000_000e8, Cap: 800_000_000e8}
	for year := range 3 {
		start := p.Start.Add(time.Duration(year) * 365 * 24 * time.Hour)
		next, r, _ := f.Step(s, tokenomics.Inputs{Start: start, End: start.Add(365 * 24 * time.Hour)})
		fmt.Println(f.ID(), year, r.Mint)
		s = next
	}
	fmt.Println(err)
	// Output:
	// solana 0 39999999.99999999
	// solana 1 36720000
	// solana 2 33334416
	// <nil>
}

func ExampleInflationPolicy() {
	p := solana()
	text, err := json.Marshal(p)
	fmt.Println(string(text), p.Validate(), err)
	// Output: {"id":"solana","start":"2024-07-01T00:00:00Z","initial":"0.08","taper":"0.15","floor":"0.015"} <nil> <nil>
}

func ExampleInflation() {
	p := solana()
	p.Initial = p.Initial.Neg()
	_, err := tokenomics.NewInflation(p)
	fmt.Println(err)
	// Output: tokenomics: invalid policy: inflation: initial is not in 0 to 1 with at most 64 places
}

func ExamplePolicyState() {
	s := tokenomics.IONet().State()
	s.Minted, s.Burned = 1e8, 3e8
	fmt.Println(s.Total(), s.Room(), s.Check()) // a burn makes no new room
	s.Reminted = 4e8
	fmt.Println(s.Check())
	// Output:
	// 499999998 299999999 <nil>
	// minted again 4, and 0 to come, of 3 burned
}

// An oracle's reading sets the prices of an epoch: owed dollars become tokens at the higher of spot and mean.
func ExampleInputs() {
	hour := time.Date(2026, 6, 11, 0, 0, 0, 0, time.UTC)
	oracle, _ := tokenomics.NewOracle(tokenomics.DefaultOracle("a", "b", "c"))
	tell := func(at time.Time, micro uint64) {
		for _, source := range []string{"a", "b", "c"} {
			if _, err := oracle.Apply(at, tokenomics.Quoted{Source: source, MicroPerToken: micro, SeenAt: at}); err != nil {
				fmt.Println(err)
			}
		}
	}
	for minute := range 35 {
		tell(hour.Add(time.Duration(minute)*time.Minute), 2_000_000)
	}
	tell(hour.Add(35*time.Minute), 1_990_000) // a dip
	reading, err := oracle.Reading(hour.Add(36 * time.Minute))
	in := tokenomics.Inputs{Owed: []tokenomics.Claim{{ID: "ann", USD: 10e6}}}.Priced(reading)
	fmt.Println(reading.State, in.Release.MicroPerToken, in.Credit.MicroPerToken, err)
	reading, _ = oracle.Reading(hour.Add(41 * time.Minute))
	in = in.Priced(reading)
	fmt.Println(reading.State, in.Release.MicroPerToken, in.Credit.MicroPerToken)
	// Output:
	// ok 1999667 1990000 <nil>
	// stale 0 0
}

func ExampleFlags() {
	f := tokenomics.Shortfall | tokenomics.Capped
	fmt.Println(f, f.Has(tokenomics.Capped), f.Has(tokenomics.NoPrice))
	// Output: capped|shortfall true false
}

func ExampleCutoverParams() {
	engine := tokenomics.IONetIDE()
	p, err := engine.Policy(time.Hour)
	fmt.Println(p.ID(), err)
	monthly := tokenomics.IONetMonthly()
	engine.Schedule = &monthly
	_, err = engine.Policy(time.Hour)
	fmt.Println(err)
	// Output:
	// io.net/ide/1 <nil>
	// tokenomics: invalid policy: cut-over at 2026-06-11T00:00:00Z: exactly one policy is wanted
}

// What mints when: io.net's hours, its months, its engine.
func ExampleTimeline() {
	p := tokenomics.IONet()
	t, err := p.Timeline()
	for _, at := range []time.Time{
		time.Date(2024, 6, 30, 23, 0, 0, 0, time.UTC), time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 11, 0, 0, 0, 0, time.UTC),
	} {
		k, _ := t.Calendar().At(at)
		planned, fixed := t.Planned(k)
		fmt.Println(at.Format(time.DateTime), t.Policy(k).ID(), planned, fixed)
	}
	_, ends := t.Last()
	fmt.Println(ends, err)
	fmt.Println("schedules decide up to epoch", t.Epochs(), "which emits", t.Emission(t.Epochs()))
	// Output:
	// 2024-06-30 23:00:00 io.net/hourly 4542.99734449 true
	// 2024-07-01 00:00:00 io.net/monthly 4480.28673835 true
	// 2026-06-11 00:00:00 io.net/ide/1 0 false
	// false <nil>
	// schedules decide up to epoch 17408 which emits 3661.26862181
}

// A network that mints by a curve for a day and by Solana's rule from then on.
func ExampleNewTimeline() {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	calendar := tokenomics.Calendar{Start: start, Length: time.Hour}
	first, _ := tokenomics.NewFixed(halving{}, calendar)
	then, _ := tokenomics.NewInflation(solana())
	t, err := tokenomics.NewTimeline(calendar, []tokenomics.Era{{From: start, Policy: first}, {From: start.AddDate(0, 0, 1), Policy: then}})
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 10_000_000_000, Cap: 20_000_000_000}
	for k := tokenomics.Epoch(1); k <= 25; k++ {
		next, r, err := t.Step(k, s, tokenomics.Inputs{})
		if k == 1 || k >= 24 {
			fmt.Println(k, r.Policy, uint64(r.Mint), err)
		}
		s = next
	}
	fmt.Println(err)
	// Output:
	// 1 halving 1000 <nil>
	// 24 halving 250 <nil>
	// 25 solana 77625 <nil>
	// <nil>
}

func ExampleAccount() {
	fmt.Println(tokenomics.Circulating, tokenomics.Rewards, tokenomics.FeeVault, tokenomics.Locked)
	// Output: circulating rewards fee vault locked
}

// The engine's first hour as the supply books it: a payout out of the reward vault, and what a fee brought in.
func ExampleDecided() {
	p := tokenomics.IONet()
	p.Cutovers[1].From = p.Calendar.StartOf(2) // much earlier than it was
	p.Cutovers = p.Cutovers[1:]
	s, _ := tokenomics.NewSupply(p, 2)
	at := p.Calendar.StartOf(3)
	price := tokenomics.Price{MicroPerToken: 2_000_000, At: at, Source: "twap"}
	for _, e := range []tokenomics.Event{
		tokenomics.Moved{From: tokenomics.Circulating, To: tokenomics.FeeVault, Amount: 50e8},
		tokenomics.Emitted{Epoch: 2, Inputs: tokenomics.Inputs{Release: price, Revenue: 10e6, Owed: []tokenomics.Claim{{ID: "ann", USD: 6e6}}}},
		tokenomics.Moved{From: tokenomics.Rewards, To: tokenomics.Circulating, Amount: 3e8},
		tokenomics.Vested{},
	} {
		effects, err := s.Apply(at, e)
		for _, effect := range effects {
			if d, ok := effect.(tokenomics.Decided); ok {
				fmt.Println("epoch", d.Epoch, d.Result.Policy, "pays", d.Result.Payouts, "and buys back for", d.Result.BuyBack)
			}
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	b := s.Books()
	fmt.Println("vault", b.FeeVault, "rewards", b.Rewards, "locked", b.Locked, "sum", b.Total() == b.Circulating+b.FeeVault+b.Rewards+b.Locked)
	fmt.Println("released", s.State().Released, s.Audit())
	// Output:
	// epoch 2 io.net/ide/1 pays [{ann 3 6.00}] and buys back for 2.00
	// vault 50 rewards 0 locked 272000000 sum true
	// released 3 <nil>
}
