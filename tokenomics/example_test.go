package tokenomics_test

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// The published block of 2024-06-20T00: from the instant to what three devices earned, to the digit.
func Example() {
	network := tokenomics.IONet()
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	epoch, _ := network.Calendar.At(at)
	schedule, _ := tokenomics.NewSchedule(network.Emission)
	budgets, _ := network.Pools.Divide(schedule.Emission(epoch), at)
	fmt.Printf("epoch %d emits %s; pool %s gets %s\n", epoch, schedule.Emission(epoch), budgets[0].Pool, budgets[0].Amount)

	table, _ := tokenomics.NewMultiplierTable(network.Multipliers)
	var shares []tokenomics.Share
	for _, d := range []struct {
		model    string
		quantity uint32
		tier     uint8
	}{{"NVIDIA A100 80GB PCIe", 1, 4}, {"NVIDIA GeForce RTX 3080", 6, 1}, {"NVIDIA RTX A4000", 1, 4}} {
		m, _, _ := table.Earning(d.model, at)
		score, _ := tokenomics.BaseScore(tokenomics.ScoreInput{
			Version: network.ScoreVersion(at), Connectivity: d.tier, Multiplier: m, Quantity: d.quantity,
		})
		shares = append(shares, tokenomics.Share{ID: d.model, Score: score})
	}
	block, _ := tokenomics.Distribute(budgets[0].Amount, 415_972_440, shares)
	for i, r := range block.Rewards {
		fmt.Printf("%s: score %d, reward %s\n", r.ID, shares[i].Score, r.Amount)
	}
	fmt.Printf("the other devices of the pool share %s\n", block.Rest)
	// Output:
	// epoch 105 emits 4559.62004271; pool gpu gets 3647.69603416
	// NVIDIA A100 80GB PCIe: score 100200, reward 0.87866191
	// NVIDIA GeForce RTX 3080: score 30050, reward 0.26351088
	// NVIDIA RTX A4000: score 8200, reward 0.07190646
	// the other devices of the pool share 3646.48195491
}

func ExampleParseAmount() {
	a, err := tokenomics.ParseAmount("12.5")
	fmt.Println(uint64(a), err)
	for _, text := range []string{"-1", "1e8", "0.000000001", "184467440738"} {
		_, err := tokenomics.ParseAmount(text)
		fmt.Println(err)
	}
	// Output:
	// 1250000000 <nil>
	// tokenomics: malformed number: "-1" has '-' at position 0, want digits and one point
	// tokenomics: malformed number: "1e8" has 'e' at position 1, want digits and one point
	// tokenomics: malformed number: "0.000000001" has 9 decimal places, at most 8 fit
	// tokenomics: number too large: "184467440738" does not fit into 64 bits with 8 places
}

func ExampleAmount() {
	const stake tokenomics.Amount = 200 * tokenomics.UnitsPerToken
	sum, _ := stake.Add(1)
	_, err := stake.Sub(sum)
	third, _ := stake.MulDiv(1, 3, tokenomics.Down)
	fmt.Println(stake, stake.Fixed(), sum, third)
	fmt.Println(third.Decimal().Round(2))
	fmt.Println(err)
	// Output:
	// 200 200.00000000 200.00000001 66.66666666
	// 66.67
	// tokenomics: amount too small: 200 - 200.00000001 tokens
}

func ExampleRounding() {
	paid, _ := tokenomics.Amount(10).MulDiv(1, 3, tokenomics.Down)
	taken, _ := tokenomics.Amount(10).MulDiv(1, 3, tokenomics.Up)
	fmt.Printf("%s %d, %s %d\n", tokenomics.Down, uint64(paid), tokenomics.Up, uint64(taken))
	// Output: down 3, up 4
}

func ExampleParseUSD() {
	u, err := tokenomics.ParseUSD("1022.50")
	fmt.Println(uint64(u), err)
	_, err = tokenomics.ParseUSD("0.0000001")
	fmt.Println(err)
	// Output:
	// 1022500000 <nil>
	// tokenomics: malformed number: "0.0000001" has 7 decimal places, at most 6 fit
}

func ExampleUSD() {
	const net tokenomics.USD = 1_000 * tokenomics.MicrosPerUSD
	fee, _ := net.MulDiv(225, 10_000, tokenomics.Up)
	pays, _ := net.Add(fee)
	gets, _ := net.Sub(fee)
	fmt.Println(net, fee, pays, gets)
	// Output: 1000.00 22.50 1022.50 977.50
}

func ExampleSplit() {
	parts, err := tokenomics.Split(100, []uint64{1, 1, 1})
	fmt.Println(uint64(parts[0]), uint64(parts[1]), uint64(parts[2]), err)
	_, err = tokenomics.Split(100, nil)
	fmt.Println(err)
	// Output:
	// 33 33 34 <nil>
	// tokenomics: cannot split by these weights: 0 weights add up to zero
}

func ExampleSplitInto() {
	weights := []uint64{8, 2}
	parts := make([]tokenomics.Amount, len(weights)) // used again for every epoch
	for _, emission := range []tokenomics.Amount{455_962_004_271, 455_955_672_349} {
		_ = tokenomics.SplitInto(parts, emission, weights)
		fmt.Println(parts[0], parts[1])
	}
	// Output:
	// 3647.69603416 911.92400855
	// 3647.64537879 911.9113447
}

func ExampleCalendar() {
	calendar := tokenomics.Calendar{Start: time.Date(2024, 6, 15, 16, 0, 0, 0, time.UTC), Length: time.Hour}
	var epoch tokenomics.Epoch
	epoch, err := calendar.At(time.Date(2024, 6, 20, 0, 59, 59, 0, time.UTC))
	fmt.Println(epoch, err, calendar.StartOf(epoch).Format(time.RFC3339), calendar.Validate())
	fmt.Println(calendar.Ended(calendar.StartOf(epoch)), "epochs had ended then")
	_, err = calendar.At(calendar.Start.Add(-time.Second))
	fmt.Println(err)
	// Output:
	// 105 <nil> 2024-06-20T00:00:00Z <nil>
	// 104 epochs had ended then
	// tokenomics: before the first epoch: 2024-06-15T15:59:59Z, epoch 1 begins 2024-06-15T16:00:00Z
}

func ExampleEmissionParams() {
	p := tokenomics.IONet().Emission
	fmt.Println(p.Base, p.Rate, p.Decline, p.Epochs, p.Cap, p.Validate())
	check, _ := p.CheckCap() // what the printed constants would do without the clamp
	fmt.Println(check.Sum.Shift(-8).StringFixed(12), "misses the cap by", check.Miss.StringFixed(2), "base units, in epoch", check.Cut)
	fmt.Println(p.RateOf(2))
	p.Rate = p.Rate.Neg()
	fmt.Println(p.Validate())
	// Output:
	// 500000000 0.0000091324200913242 0.0000138869523959793 175319 300000000 <nil>
	// 300000000.000440906435 misses the cap by 44090.64 base units, in epoch 175319
	// 0.00000913229326984113169590309310721094 <nil>
	// tokenomics: invalid emission: rate "-0.0000091324200913242" is not in (0, 1]
}

func ExampleNewSchedule() {
	s, err := tokenomics.NewSchedule(tokenomics.IONet().Emission)
	fmt.Println(s.Emission(1), s.Emission(105), err)
	_, err = tokenomics.NewSchedule(tokenomics.EmissionParams{})
	fmt.Println(err)
	// Output:
	// 4566.21004566 4559.62004271 <nil>
	// tokenomics: invalid emission: rate "0" is not in (0, 1]
}

func ExampleSchedule() {
	s, _ := tokenomics.NewSchedule(tokenomics.IONet().Emission)
	const day = 24
	fmt.Println("first day:", s.Cumulative(day))
	var sum tokenomics.Amount
	for _, emission := range s.All() {
		sum += emission
	}
	fmt.Println(s.Epochs(), "hours:", sum, "by", s.ID(), "of", s.Params().Base)
	fmt.Println("last hour:", s.Emission(s.Epochs()), "and after it:", s.Emission(s.Epochs()+1))
	// Output:
	// first day: 109571.54151339
	// 175319 hours: 300000000 by io.net/hourly of 500000000
	// last hour: 400.12944255 and after it: 0
}

func ExamplePool() {
	for p := tokenomics.PoolGPU; p <= tokenomics.PoolCommunity; p++ {
		fmt.Print(p, " ")
	}
	fmt.Println(tokenomics.NoPool)
	// Output: gpu cpu enterprise community none
}

func ExamplePoolPolicy() {
	half := []tokenomics.PoolShare{{Pool: tokenomics.PoolGPU, Points: 50}, {Pool: tokenomics.PoolCPU, Points: 50}}
	start := time.Date(2024, 6, 15, 16, 0, 0, 0, time.UTC)
	own := tokenomics.PoolPolicy{Eras: []tokenomics.PoolEra{{From: start, Shares: half}}}
	fmt.Println(own.Validate())

	var budgets []tokenomics.PoolBudget
	for _, policy := range []tokenomics.PoolPolicy{own, tokenomics.IONet().Pools} {
		for _, at := range []time.Time{start, time.Date(2025, 6, 4, 15, 0, 0, 0, time.UTC)} {
			budgets, _ = policy.Divide(455_962_004_271, at)
			fmt.Println(at.Format(time.DateOnly), budgets[0].Pool, budgets[0].Amount, budgets[1].Pool, budgets[1].Amount)
		}
	}
	// Output:
	// <nil>
	// 2024-06-15 gpu 2279.81002135 cpu 2279.81002136
	// 2025-06-04 gpu 2279.81002135 cpu 2279.81002136
	// 2024-06-15 gpu 3647.69603416 cpu 911.92400855
	// 2025-06-04 enterprise 4331.63904057 community 227.98100214
}

func ExampleMultiplier() {
	var m tokenomics.Multiplier = 25
	fmt.Println(m, uint32(m))
	// Output: 0.25 25
}

func ExampleMultiplierParams() {
	p := tokenomics.IONet().Multipliers
	p.Rows = append(p.Rows, tokenomics.MultiplierRow{
		Model: "NVIDIA GeForce RTX 2080 Ti", OldPool: tokenomics.PoolGPU, Old: 25, Note: "our own row",
	})
	fmt.Println(len(p.Rows), p.Validate())
	p.Rows = append(p.Rows, p.Rows[0])
	fmt.Println(p.Validate())
	// Output:
	// 57 <nil>
	// tokenomics: invalid multipliers: model "Apple M2 Max" has two rows
}

func ExampleNewMultiplierTable() {
	table, err := tokenomics.NewMultiplierTable(tokenomics.IONet().Multipliers)
	m, pool, known := table.Earning("Tesla T4", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(m, pool, known, err)
	// Output: 0.5 community true <nil>
}

func ExampleMultiplierTable() {
	table, _ := tokenomics.NewMultiplierTable(tokenomics.IONet().Multipliers)
	// In the month of grace a device earns by the new column and stakes by the old one.
	at := time.Date(2025, 6, 15, 0, 0, 0, 0, time.UTC)
	earn, pool, _ := table.Earning("NVIDIA H200", at)
	stake, _ := table.Stake("NVIDIA H200", at)
	fmt.Println(earn, pool, stake)
	_, known := table.Stake("H200", at)
	fmt.Println("a short name is known:", known)
	rows := 0
	for r := range table.All() {
		if r.Note != "" {
			rows++
		}
	}
	fmt.Println("doubtful rows:", rows)
	// Output:
	// 12 enterprise 15
	// a short name is known: false
	// doubtful rows: 6
}

func ExampleBaseScore() {
	d := tokenomics.ScoreInput{Version: tokenomics.ScoreV2, Connectivity: 4, Multiplier: 500, Quantity: 1}
	fmt.Println(tokenomics.BaseScore(d))
	d.Version = tokenomics.ScoreV1
	fmt.Println(tokenomics.BaseScore(d))
	d.Connectivity = 0
	fmt.Println(tokenomics.BaseScore(d))
	// Output:
	// 100200 <nil>
	// 10020 <nil>
	// 0 tokenomics: no base score: connectivity tier 0, want 1 to 4
}

func ExampleNormalised() {
	fmt.Println(tokenomics.Normalised(100_200, 415_972_440, 8_000_000))
	// Output: 1927.051
}
