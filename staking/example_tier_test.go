package staking_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// noon is when the examples assess a device.
var noon = time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC)

// a100 is what is known of an A100 that is proved just now and has a certificate for a while.
func a100(now, certifiedUntil time.Time) staking.Evidence {
	return staking.Evidence{
		HardwareProvedAt: now,
		Assurance:        1,
		MultiplierCenti:  500,
		Pool:             staking.Enterprise,
		Required:         1_000 * tokenomics.UnitsPerToken,
		Counted:          1_000 * tokenomics.UnitsPerToken,
		OwnerPart:        1_000 * tokenomics.UnitsPerToken,
		Connectivity:     3,
		Attestations: []staking.Attestation{
			{Criterion: staking.SOC2, Issuer: "auditor", IssuedAt: noon.AddDate(-1, 0, 0), ExpiresAt: certifiedUntil},
		},
		StandingLowPPM: 960_000,
	}
}

func ExampleDefaultTiers() {
	show := func(t staking.Tier, r staking.TierRule) { fmt.Println(t, r.Name, r.Compliance) }
	policy := staking.DefaultTiers()
	for i, rule := range policy.Tiers {
		show(staking.Tier(i+1), rule)
	}
	fmt.Println("reached after", policy.DwellSeconds, "s, grace", policy.GraceSeconds, "s")
	// Output:
	// 1 Verified []
	// 2 Standard [[transport encryption]]
	// 3 Professional [[transport encryption] [disk encryption]]
	// 4 Enterprise [[SOC 2 ISO 27001]]
	// reached after 86400 s, grace 604800 s
}

func ExampleTierPolicy_Validate() {
	p := staking.DefaultTiers()
	p.Issuers = []staking.IssuerRule{{Criterion: staking.SOC2, Accepted: []string{"bsi", "aicpa"}}}
	fmt.Println(p.Validate())
	p = staking.DefaultTiers()
	p.Tiers[2].MinConnectivity = 1
	fmt.Println(p.Validate())
	// Output:
	// staking: parameters: issuers 1: issuer "aicpa" of "SOC 2" does not rise
	// staking: parameters: tier 3 asks for less min_connectivity than tier 2
}

func ExampleTierPolicy_Assess() {
	evidence := a100(noon, noon)
	evidence.Connectivity, evidence.StandingLowPPM = 2, 932_000
	evidence.Attestations = append(evidence.Attestations, staking.Attestation{
		Criterion: staking.TransportEncryption, Issuer: "network", IssuedAt: noon, ExpiresAt: noon.AddDate(0, 1, 0),
	})
	var a staking.Assessment = staking.DefaultTiers().Assess(evidence, noon)
	fmt.Println("tier", a.Tier)
	for _, s := range a.Shortfalls {
		fmt.Println(s)
	}
	for _, x := range a.Expiring {
		fmt.Println(x)
	}
	// Output:
	// tier 2
	// tier 3 needs connectivity: 3 or higher, has 2; measure a faster line
	// tier 3 needs compliance: disk encryption attested, has none; have it attested
	// tier 3 needs standing: 940000 ppm of staying up for 24 h, has 932000; stay up: the lower bound rises with every hour
	// tier 2 becomes tier 1 when transport encryption of "network" ends 2025-08-01T12:00:00Z
}

// A certificate that runs out on 4 July: the tier comes a day after it is first met, and goes a week after the certificate.
func ExampleTierPolicy_Regrade() {
	policy := staking.DefaultTiers()
	end := noon.AddDate(0, 0, 3)
	var grade staking.Grade
	for _, hours := range []int{0, 23, 24, 72, 239, 240} {
		now := noon.Add(time.Duration(hours) * time.Hour)
		var a staking.Assessment
		var err error
		grade, a, err = policy.Regrade(grade, a100(now, end), now)
		if err != nil {
			panic(err)
		}
		fmt.Printf("hour %3d: meets %d, has %d", hours, a.Tier, grade.Tier)
		switch {
		case grade.Candidate > 0:
			fmt.Printf(", will have %d on %s", grade.Candidate, grade.CandidateAt.Format(time.DateTime))
		case !grade.GraceUntil.IsZero():
			fmt.Printf(", until %s: %s", grade.GraceUntil.Format(time.DateTime), a.Shortfalls[0].Cure)
		}
		fmt.Println()
	}
	// Output:
	// hour   0: meets 4, has 0, will have 4 on 2025-07-02 12:00:00
	// hour  23: meets 4, has 0, will have 4 on 2025-07-02 12:00:00
	// hour  24: meets 4, has 4
	// hour  72: meets 1, has 4, until 2025-07-11 12:00:00: renew it
	// hour 239: meets 1, has 4, until 2025-07-11 12:00:00: renew it
	// hour 240: meets 1, has 1
}

func ExampleGrade() {
	policy := staking.DefaultTiers()
	policy.DwellSeconds = 0
	grade, _, err := policy.Regrade(staking.Grade{}, staking.Evidence{}, noon)
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(grade)
	fmt.Println(string(text), err)
	// Output: {"policy":"default-3","at":"2025-07-01T12:00:00Z","tier":0} <nil>
}

func ExampleGrade_Validate() {
	grade := staking.Grade{Policy: "default-3", At: noon, Tier: 1, Steps: []staking.GradeStep{{MetSince: noon}}}
	err := grade.Validate()
	fmt.Println(errors.Is(err, staking.ErrGrade), err)
	// Output: true staking: grade: tier 1, but the steps hold tier 0
}

func ExampleShortfall() {
	s := staking.Shortfall{
		Tier: 1, Criterion: staking.CriterionStake, Have: "150", Need: "200", Unit: "IO", Cure: "bond 50 IO more",
	}
	fmt.Println(s)
	// Output: tier 1 needs stake: 200 IO, has 150; bond 50 IO more
}

func ExampleExpiry() {
	x := staking.Expiry{Criterion: staking.ISO27001, Issuer: "bsi", At: noon, Tier: 4, Left: 3}
	fmt.Println(x)
	// Output: tier 4 becomes tier 3 when ISO 27001 of "bsi" ends 2025-07-01T12:00:00Z
}

func ExampleCriterion() {
	issuedFor := []staking.Criterion{staking.SOC2, staking.ISO27001}
	fmt.Printf("%q\n", issuedFor)
	// Output: ["SOC 2" "ISO 27001"]
}

func ExampleHardwarePool() {
	fmt.Println(staking.NoPool, staking.Community, staking.Enterprise)
	// Output: none community enterprise
}
