package tokenomics_test

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func ExampleNormalisedTo() {
	fmt.Println(tokenomics.NormalisedTo(100_200, 415_972_440, 8_000_000, 12))
	fmt.Println(tokenomics.NormalisedTo(1, 8, 1, 12))
	// Output:
	// 1927.050744034869 false
	// 0.125 true
}

func ExampleDecodeScore() {
	parts, ok := tokenomics.DecodeScore(tokenomics.ScoreV2, 30_050)
	fmt.Println(parts.Connectivity, parts.Weight, parts.Hired, ok) // 6 times 0.25
	_, ok = tokenomics.DecodeScore(tokenomics.ScoreV2, 10_020)
	fmt.Println("version 2:", ok)
	parts, ok = tokenomics.DecodeScore(tokenomics.ScoreV1, 10_020)
	fmt.Println("version 1:", parts.Weight, ok)
	// Output:
	// 1 150 false true
	// version 2: false
	// version 1: 500 true
}

// A block with dust brought from the one before, a pool without devices, and the dust that the next one brings.
func ExampleBlockDistribution() {
	at := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	shares := []tokenomics.Share{{ID: "a", Score: 100_200}, {ID: "b", Score: 8_200}, {ID: "c", Score: 30_050}}
	block, err := tokenomics.IONet().Pools.DistributeBlock(455_962_004_271, at,
		[]tokenomics.PoolClaims{{Pool: tokenomics.PoolGPU, Shares: shares}},
		[]tokenomics.PoolCarry{{Pool: tokenomics.PoolGPU, Amount: 2}})
	fmt.Println(block.Emission, "+", block.Brought, "=", block.Paid, "+", block.Carried, "+", block.Held, err)
	for _, pool := range block.Pools {
		fmt.Println(pool.Pool, "has", pool.Amount, "pays", pool.Rewards, "leaves unminted", pool.Unminted)
	}
	fmt.Println(block.Carries())
	// Output:
	// 4559.62004271 + 0.00000002 = 3647.69603417 + 0.00000001 + 911.92400855 <nil>
	// gpu has 3647.69603416 pays [{a 2639.93602473} {b 216.04266869} {c 791.71734075}] leaves unminted 0
	// cpu has 911.92400855 pays [] leaves unminted 911.92400855
	// [{gpu 0.00000001} {cpu 0}]
}

func ExampleIONetNomination() {
	for _, era := range tokenomics.IONetNomination().Eras {
		fmt.Println(era.From.Format(time.DateTime), era.MinUptime, era.MinWallets, era.Barred)
	}
	// Output:
	// 2024-06-09 00:00:00 5h0m0s 1 [terminated blocked unsupported]
	// 2025-04-30 23:59:59 5h0m0s 3 [terminated blocked unsupported]
}

func ExampleNominationPolicy() {
	policy := tokenomics.IONetNomination()
	at := time.Date(2025, 7, 19, 12, 15, 0, 0, time.UTC)
	device := tokenomics.DeviceFacts{
		Device: "head", User: "ann", HeadNode: true, ClusterFormed: true, WalletLinked: true, Wallets: 2, PrimaryWallet: true,
		Multiplier: 500, Connectivity: 4, UpSince: at.Add(-6 * time.Hour),
		Stake: 1000 * tokenomics.UnitsPerToken, StakeNeeded: 1000 * tokenomics.UnitsPerToken,
	}
	exemption := tokenomics.Exemption{
		Rule: tokenomics.RuleWallets, Scope: tokenomics.ExemptUser, ID: "ann", From: at.Add(-time.Hour), Until: at.Add(time.Hour),
		Author: "operations", Text: "wallet page under repair",
	}
	fmt.Println(policy.Validate(), exemption.Validate())
	report, err := policy.Judge(at, device, []tokenomics.Exemption{exemption})
	for _, r := range report.Results[4:9] {
		fmt.Printf("%s %s: have %s, need %s (%q)\n", r.Rule, r.Outcome, r.Have, r.Need, r.Why)
	}
	fmt.Println(report.Nominated, err)
	// Output:
	// <nil> <nil>
	// uptime passed: have 6h0m0s, need more than 5h0m0s ("")
	// proof_of_work exempt: have no task, need right answer from 2025-07-19T12:00:00Z on ("head node")
	// memory passed: have 0 failures, need fewer than 4 failures, or the last more than 12h0m0s ago ("")
	// wallets exempt: have 2, one primary, need at least 3 and at most 10, one primary ("wallet page under repair (operations)")
	// stake passed: have 1000, need 1000 ("")
	// true <nil>
}

func ExampleReadiness() {
	at := time.Date(2025, 7, 19, 12, 15, 0, 0, time.UTC)
	report, _ := tokenomics.IONetNomination().Judge(at, tokenomics.DeviceFacts{
		ClusterFormed: true, WalletLinked: true, Wallets: 3, PrimaryWallet: true, Multiplier: 40, UpSince: at.Add(-4 * time.Hour),
		WorkAt: at.Add(-time.Minute), WorkValid: true, Status: tokenomics.DeviceBlocked,
	}, nil)
	for r := range report.Failed() {
		fmt.Println(r.Rule, "has", r.Have, "and needs", r.Need)
	}
	// Output:
	// connectivity has tier 0 and needs tier 1 or higher
	// uptime has 4h0m0s and needs more than 5h0m0s
	// status has blocked and needs none of terminated, blocked, unsupported
}

func ExampleExemption() {
	x := tokenomics.Exemption{Rule: tokenomics.EveryRule, Scope: tokenomics.ExemptAll, Author: "operations"}
	fmt.Println(x.Validate())
	// Output: tokenomics: invalid nomination: exemption until 0001-01-01T00:00:00Z, not after its beginning
}

func ExamplePrinted() {
	var emission tokenomics.Printed = "4559.620"
	fmt.Println(emission, "has", emission.Places(), "places")
	// Output: 4559.620 has 3 places
}

func ExampleNewAuditor() {
	network := tokenomics.IONet()
	schedule, _ := tokenomics.NewSchedule(network.Emission)
	_, err := tokenomics.NewAuditor(network, schedule)
	fmt.Println(err)
	_, err = tokenomics.NewAuditor(network, nil)
	fmt.Println(err)
	// Output:
	// <nil>
	// tokenomics: invalid auditor: no emissions
}

// The published block, with the total score that circulates for it and a score that is a tenth.
func ExampleAuditor() {
	network := tokenomics.IONet()
	schedule, _ := tokenomics.NewSchedule(network.Emission)
	auditor, _ := tokenomics.NewAuditor(network, schedule)
	record := tokenomics.BlockRecord{
		At: time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC), Emission: "4559.620",
		Rows: []tokenomics.DeviceRecord{
			{Model: "NVIDIA A100 80GB PCIe", Quantity: 1, Connectivity: 4, Score: "100200", Normalised: "1927.051", Reward: "0.87866191"},
			{Model: "NVIDIA RTX A4000", Quantity: 1, Connectivity: 4, Score: "8200", Normalised: "157.703", Reward: "0.07190646"},
			{Model: "NVIDIA GeForce RTX 3080", Quantity: 6, Connectivity: 1, Score: "30050", Normalised: "577.923", Reward: "0.26351088"},
		},
	}
	audit, err := auditor.AuditBlock(record)
	fmt.Println("epoch", audit.Epoch, "findings", len(audit.Findings), err)
	for _, pool := range audit.Pools {
		fmt.Println(pool.Pool, "total", pool.Low, "to", pool.High, "by", pool.Witnesses, "figures, so", pool.Total)
	}
	for _, row := range audit.Rows {
		fmt.Println(row.Reward.Printed, row.Reward.Verdict)
	}
	record.Pools = []tokenomics.PoolRecord{{Pool: tokenomics.PoolGPU, Total: "415972385"}}
	record.Rows[1].Score = "820"
	audit, _ = auditor.AuditBlock(record)
	for _, finding := range audit.Findings {
		fmt.Println(finding)
	}
	// Output:
	// epoch 105 findings 0 <nil>
	// gpu total 415972440 to 415972444 by 6 figures, so 415972440
	// 0.87866191 agrees
	// 0.07190646 agrees
	// 0.26351088 agrees
	// row 2: score factor 10, expected 100, off -90: base score 820, expected 8200
	// pool gpu: total score 415972385, expected 415972440, off -55, fits 415972440 to 415972444: 6 printed figures agree on this interval, whose only multiple of 5 is 415972440
}

func ExampleNewAllocation() {
	_, err := tokenomics.NewAllocation(tokenomics.AllocationParams{
		Version: "mine/1", Start: time.Unix(0, 0), MonthOne: time.Unix(0, 0), Buckets: []tokenomics.Bucket{{Name: "team", Amount: 1}},
	})
	fmt.Println(err)
	// Output: tokenomics: invalid allocation: bucket "team": release none of 0.00000001, want one where there is a rest, and only there
}

// A table of one's own: a tenth at the start, then four quarters by the second after a cliff.
func ExampleAllocationParams() {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := tokenomics.AllocationParams{
		Version: "mine/1", Cap: 1_000 * tokenomics.UnitsPerToken, Start: start, MonthOne: start,
		Buckets: []tokenomics.Bucket{{
			Name: "team", Amount: 100 * tokenomics.UnitsPerToken, AtStart: 10 * tokenomics.UnitsPerToken,
			Release: tokenomics.ReleaseLinear,
			Linear: tokenomics.LinearRelease{
				From: start, Until: start.Add(4 * time.Hour), Step: time.Hour, Cliff: start.Add(2 * time.Hour),
			},
		}},
	}
	fmt.Println(p.Validate())
	table, _ := tokenomics.NewAllocation(p)
	for u := range table.Unlocks() {
		fmt.Println(u.At.Format(time.TimeOnly), u.Bucket, u.Amount)
	}
	// Output:
	// <nil>
	// 00:00:00 team 10
	// 02:00:00 team 45
	// 03:00:00 team 22.5
	// 04:00:00 team 22.5
}

func ExampleAllocation() {
	table, _ := tokenomics.NewAllocation(tokenomics.IONetAllocation())
	at := time.Date(2025, 8, 1, 0, 0, 0, 0, time.UTC) // month 13 has ended
	for _, b := range table.UnlockedAt(at) {
		fmt.Println(b.Name, b.Unlocked, b.Locked)
	}
	const credited = 40_000_000 * tokenomics.UnitsPerToken
	fmt.Println(table.CirculatingAt(at, credited, 0))
	fmt.Println(table.LiquidAt(at, credited, 0, 25_000_000*tokenomics.UnitsPerToken))
	// Output:
	// community 100000000 300000000
	// research and ecosystem 128000000 0
	// seed 4166666.66666666 95833333.33333334
	// series A 3400000 78200000
	// core 2511111.11111111 87888888.88888889
	// 278077777.77777777 <nil>
	// 253077777.77777777 <nil>
}

func ExampleIONetAllocation() {
	p := tokenomics.IONetAllocation()
	var sum tokenomics.Amount
	for _, b := range p.Buckets {
		sum += b.Amount
	}
	fmt.Println(p.Version, sum, p.MonthOne.Format(time.DateOnly))
	// Output: io.net/documents/1 800000000 2024-07-01
}

func ExampleArticleAllocation() {
	table, _ := tokenomics.NewAllocation(tokenomics.ArticleAllocation())
	n := 0
	var last tokenomics.Unlock
	for last = range table.Unlocks() {
		n++
	}
	fmt.Println(n, "unlocks, the last one of", last.Amount, "on", last.At.Format(time.DateOnly))
	// Output: 35 unlocks, the last one of 3428571.42857143 on 2028-06-01
}
