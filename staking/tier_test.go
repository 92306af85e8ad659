package staking_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// when is the instant at which the tests assess.
var when = time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC)

func attested(cs ...staking.Criterion) []staking.Attestation {
	var out []staking.Attestation
	for _, c := range cs {
		out = append(out, staking.Attestation{
			Criterion: c, Issuer: "auditor", IssuedAt: when.Add(-time.Hour), ExpiresAt: when.Add(time.Hour),
		})
	}
	return out
}

// best is evidence that meets every line of every tier, some of them exactly.
func best() staking.Evidence {
	return staking.Evidence{
		HardwareProvedAt: when.Add(-time.Hour),
		Assurance:        1,
		MultiplierCenti:  1_000,
		Pool:             staking.Enterprise,
		Required:         io(1_000),
		Counted:          io(1_000),
		OwnerPart:        io(500),
		Connectivity:     3,
		Attestations:     attested(staking.TransportEncryption, staking.DiskEncryption, staking.SOC2),
		StandingLowPPM:   957_000,
	}
}

// One change to the best evidence a row: the tier that is left, and the sentence about each line of the next one.
func TestAssess(t *testing.T) {
	type set = func(*staking.Evidence)
	without := func(cs ...staking.Criterion) set {
		return func(e *staking.Evidence) {
			e.Attestations = slices.DeleteFunc(e.Attestations, func(a staking.Attestation) bool {
				return slices.Contains(cs, a.Criterion)
			})
		}
	}
	rows := []struct {
		name   string
		change set
		want   staking.Tier
	}{
		{"nothing", func(*staking.Evidence) {}, 4},
		{"proof a nanosecond too old", func(e *staking.Evidence) { e.HardwareProvedAt = e.HardwareProvedAt.Add(-1) }, 0},
		{"old proof, attested hardware", func(e *staking.Evidence) {
			e.HardwareProvedAt = time.Time{}
			e.Attestations = append(e.Attestations, attested(staking.AttestedHardware)...)
		}, 4},
		{"attested hardware does not help below tier 4", func(e *staking.Evidence) {
			e.HardwareProvedAt, e.Pool = time.Time{}, staking.Community
			e.Attestations = append(e.Attestations, attested(staking.AttestedHardware)...)
		}, 0},
		{"proof right now", func(e *staking.Evidence) { e.HardwareProvedAt = when }, 4},
		{"proof in the future", func(e *staking.Evidence) { e.HardwareProvedAt = when.Add(1) }, 0},
		{"assurance 3", func(e *staking.Evidence) { e.Assurance = 3 }, 4},
		{"assurance 0", func(e *staking.Evidence) { e.Assurance = 0 }, 0},
		{"multiplier 0.01", func(e *staking.Evidence) { e.MultiplierCenti = 1 }, 4},
		{"multiplier 0", func(e *staking.Evidence) { e.MultiplierCenti = 0 }, 0},
		{"community pool", func(e *staking.Evidence) { e.Pool = staking.Community }, 3},
		{"no pool", func(e *staking.Evidence) { e.Pool = staking.NoPool }, 2},
		{"a unit short of stake", func(e *staking.Evidence) { e.Counted-- }, 0},
		{"no bond", func(e *staking.Evidence) { e.Required, e.Counted, e.OwnerPart = 0, 0, 0 }, 0},
		{"stake without a bond", func(e *staking.Evidence) { e.Required = 0 }, 0},
		{"owner's part a unit below half", func(e *staking.Evidence) { e.OwnerPart-- }, 3},
		{"odd requirement, half rounded up", func(e *staking.Evidence) { e.Required = io(1_000) - 1 }, 4},
		{"odd requirement, a unit below half", func(e *staking.Evidence) { e.Required, e.OwnerPart = io(1_000)-1, io(500)-1 }, 3},
		{"connectivity 2", func(e *staking.Evidence) { e.Connectivity = 2 }, 2},
		{"connectivity 1", func(e *staking.Evidence) { e.Connectivity = 1 }, 1},
		{"connectivity 0", func(e *staking.Evidence) { e.Connectivity = 0 }, 0},
		{"ISO 27001 in place of SOC 2", func(e *staking.Evidence) { e.Attestations[2].Criterion = staking.ISO27001 }, 4},
		{"no certificate", without(staking.SOC2), 3},
		{"disk not encrypted", without(staking.SOC2, staking.DiskEncryption), 2},
		{"transport not encrypted", without(staking.SOC2, staking.TransportEncryption), 1},
		{"nothing encrypted", without(staking.SOC2, staking.DiskEncryption, staking.TransportEncryption), 1},
		{"certificate alone", without(staking.DiskEncryption, staking.TransportEncryption), 4},
		{"certificate expires now", func(e *staking.Evidence) { e.Attestations[2].ExpiresAt = when }, 3},
		{"certificate expires in a nanosecond", func(e *staking.Evidence) { e.Attestations[2].ExpiresAt = when.Add(1) }, 4},
		{"certificate issued now", func(e *staking.Evidence) { e.Attestations[2].IssuedAt = when }, 4},
		{"certificate not yet issued", func(e *staking.Evidence) { e.Attestations[2].IssuedAt = when.Add(1) }, 3},
		{"certificate revoked now", func(e *staking.Evidence) { e.Attestations[2].RevokedAt = when }, 3},
		{"certificate revoked in a nanosecond", func(e *staking.Evidence) { e.Attestations[2].RevokedAt = when.Add(1) }, 4},
		{"certificate revoked, then expired", func(e *staking.Evidence) {
			e.Attestations[2].RevokedAt, e.Attestations[2].ExpiresAt = when.Add(-2), when.Add(-1)
		}, 3},
		{"certificate that ends before it begins", func(e *staking.Evidence) {
			e.Attestations[2].IssuedAt, e.Attestations[2].ExpiresAt = when.Add(2), when.Add(1)
		}, 3},
		{"certificate of nobody", func(e *staking.Evidence) { e.Attestations[2].Issuer = "" }, 3},
		{"standing a ppm below 0.957", func(e *staking.Evidence) { e.StandingLowPPM-- }, 3},
		{"standing a ppm below 0.94", func(e *staking.Evidence) { e.StandingLowPPM = 939_999 }, 2},
		{"standing a ppm below 0.90", func(e *staking.Evidence) { e.StandingLowPPM = 899_999 }, 1},
		{"no standing", func(e *staking.Evidence) { e.StandingLowPPM = 0 }, 1},
		{"a slash", func(e *staking.Evidence) { e.Slashes180d = 1 }, 2},
		{"a slash for fraud", func(e *staking.Evidence) { e.FraudSlashes180d = 1 }, 1},
		{"nothing is known", func(e *staking.Evidence) { *e = staking.Evidence{} }, 0},
	}
	var out strings.Builder
	policy := staking.DefaultTiers()
	for _, c := range rows {
		e := best()
		c.change(&e)
		got := policy.Assess(e, when)
		require.Equal(t, c.want, got.Tier, c.name)
		require.Equal(t, policy.Version, got.Policy)
		require.Equal(t, got.Tier == 4, len(got.Shortfalls) == 0, "%s: a lower tier says why", c.name)
		fmt.Fprintf(&out, "%s: tier %d\n", c.name, got.Tier)
		for _, s := range got.Shortfalls {
			require.Equal(t, got.Tier+1, s.Tier, c.name)
			fmt.Fprintf(&out, "  %s\n", s)
		}
		for _, x := range got.Expiring {
			require.Equal(t, got.Tier, x.Tier, c.name)
			fmt.Fprintf(&out, "  %s\n", x)
		}
	}
	golden.Check(t, "testdata/assess.golden", out.String())
}

// improve returns evidence that is at least as good in everything: each field stays or gets better.
func improve(r *rand.Rand, e staking.Evidence) staking.Evidence {
	e.Attestations = slices.Clone(e.Attestations)
	if r.IntN(2) == 0 && e.HardwareProvedAt.Before(when) {
		e.HardwareProvedAt = when.Add(-time.Duration(r.Int64N(int64(when.Sub(e.HardwareProvedAt)))))
	}
	if r.IntN(2) == 0 {
		e.Assurance++
	}
	if r.IntN(2) == 0 {
		e.MultiplierCenti += r.Uint32N(2)
	}
	if r.IntN(2) == 0 && e.Pool < staking.Enterprise {
		e.Pool++
	}
	if r.IntN(2) == 0 {
		e.Counted += tokenomics.Amount(r.Uint64N(3))
		e.OwnerPart += tokenomics.Amount(r.Uint64N(3))
	}
	if r.IntN(2) == 0 {
		e.Connectivity++
	}
	if r.IntN(2) == 0 {
		c := []staking.Criterion{
			staking.AttestedHardware, staking.TransportEncryption, staking.DiskEncryption, staking.SOC2, staking.ISO27001,
		}[r.IntN(5)]
		more := attested(c)[0]
		if r.IntN(4) == 0 {
			more.ExpiresAt = when
		}
		e.Attestations = slices.Insert(e.Attestations, r.IntN(len(e.Attestations)+1), more)
	}
	if r.IntN(2) == 0 {
		e.StandingLowPPM = min(1_000_000, e.StandingLowPPM+r.Uint32N(50_000))
	}
	if r.IntN(2) == 0 {
		e.Slashes180d -= min(1, e.Slashes180d)
		e.FraudSlashes180d -= min(1, e.FraudSlashes180d)
	}
	return e
}

func randomEvidence(r *rand.Rand) staking.Evidence {
	e := staking.Evidence{
		HardwareProvedAt: when.Add(-time.Duration(r.Int64N(int64(90 * time.Minute)))),
		Assurance:        uint8(min(1, r.IntN(4))),
		MultiplierCenti:  r.Uint32N(3),
		Pool:             staking.HardwarePool(r.IntN(3)),
		Required:         tokenomics.Amount(r.Uint64N(5)),
		Counted:          tokenomics.Amount(r.Uint64N(6)),
		Connectivity:     uint8(r.IntN(5)),
		StandingLowPPM:   850_000 + r.Uint32N(150_001),
		FraudSlashes180d: uint32(r.IntN(5) / 4),
		Slashes180d:      uint32(r.IntN(4) / 3),
	}
	e.OwnerPart = tokenomics.Amount(r.Uint64N(uint64(e.Counted) + 1))
	for _, c := range []staking.Criterion{
		staking.AttestedHardware, staking.TransportEncryption, staking.DiskEncryption, staking.SOC2, staking.ISO27001,
	} {
		if r.IntN(3) > 0 {
			e.Attestations = append(e.Attestations, attested(c)...)
		}
	}
	return e
}

// More evidence never lowers a tier, and every tier is reached.
func TestAssessMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	policy := staking.DefaultTiers()
	var seen [5]int
	for range 100_000 {
		e := randomEvidence(r)
		before := policy.Assess(e, when)
		seen[before.Tier]++
		better := improve(r, e)
		after := policy.Assess(better, when)
		require.GreaterOrEqual(t, after.Tier, before.Tier, "%+v\n%+v", e, better)
	}
	for tier, n := range seen {
		require.Positive(t, n, "tier %d was never reached", tier)
	}
}

// Curing what an assessment names raises the tier: the shortfalls are all there is.
func TestCuresCure(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	policy := staking.DefaultTiers()
	full := best()
	for range 20_000 {
		e := randomEvidence(r)
		a := policy.Assess(e, when)
		for _, s := range a.Shortfalls {
			switch s.Criterion {
			case staking.CriterionProof:
				e.HardwareProvedAt = when
			case staking.CriterionAssurance:
				e.Assurance = full.Assurance
			case staking.CriterionMultiplier:
				e.MultiplierCenti = full.MultiplierCenti
			case staking.CriterionPool:
				e.Pool = full.Pool
			case staking.CriterionStake:
				e.Required = max(1, e.Required)
				e.Counted = e.Required
			case staking.CriterionOwnerPart:
				e.OwnerPart = e.Required
			case staking.CriterionConnectivity:
				e.Connectivity++
				for e.Connectivity < 3 && s.Need > fmt.Sprint(e.Connectivity) {
					e.Connectivity++
				}
			case staking.CriterionCompliance:
				e.Attestations = append(e.Attestations, attested(staking.Criterion(strings.Split(s.Need, " or ")[0]))...)
			case staking.CriterionStanding:
				e.StandingLowPPM = full.StandingLowPPM
			case staking.CriterionFraud:
				e.FraudSlashes180d = 0
			case staking.CriterionSlashes:
				e.Slashes180d, e.FraudSlashes180d = 0, 0
			}
		}
		if a.Tier < 4 {
			require.Greater(t, policy.Assess(e, when).Tier, a.Tier, "%+v", a)
		}
	}
}

func TestTierPolicyValidate(t *testing.T) {
	require.NoError(t, staking.DefaultTiers().Validate())
	issuers := func(rules ...staking.IssuerRule) func(*staking.TierPolicy) {
		return func(p *staking.TierPolicy) { p.Issuers = rules }
	}
	for name, change := range map[string]func(*staking.TierPolicy){
		"version is empty":                         func(p *staking.TierPolicy) { p.Version = "" },
		"0 tiers":                                  func(p *staking.TierPolicy) { p.Tiers = nil },
		"256 tiers":                                func(p *staking.TierPolicy) { p.Tiers = slices.Repeat(p.Tiers[:1], 256) },
		"tier 1: name is empty":                    func(p *staking.TierPolicy) { p.Tiers[0].Name = "" },
		"tier 4: min_pool 3":                       func(p *staking.TierPolicy) { p.Tiers[3].MinPool = 3 },
		"tier 1: min_assurance 4 is above 3":       func(p *staking.TierPolicy) { p.Tiers[0].MinAssurance = 4 },
		"tier 2 asks for less min_assurance":       func(p *staking.TierPolicy) { p.Tiers[0].MinAssurance = 2 },
		"issuers 1: criterion is empty":            issuers(staking.IssuerRule{Accepted: []string{"a"}}),
		"issuers 1: nobody may attest \"SOC 2\"":   issuers(staking.IssuerRule{Criterion: staking.SOC2}),
		"issuers 1: an issuer of \"SOC 2\" is em":  issuers(staking.IssuerRule{Criterion: staking.SOC2, Accepted: []string{""}}),
		"issuers 1: issuer \"a\" of \"SOC 2\" doe": issuers(staking.IssuerRule{Criterion: staking.SOC2, Accepted: []string{"a", "a"}}),
		"issuers 2: criterion \"SOC 2\" does not": issuers(
			staking.IssuerRule{Criterion: staking.SOC2, Accepted: []string{"a"}},
			staking.IssuerRule{Criterion: staking.SOC2, Accepted: []string{"b"}},
		),
		"tier 4: min_connectivity 5":              func(p *staking.TierPolicy) { p.Tiers[3].MinConnectivity = 5 },
		"tier 4: min_standing_ppm 1000001":        func(p *staking.TierPolicy) { p.Tiers[3].MinStandingPPM = 1_000_001 },
		"tier 2: compliance group 1 is empty":     func(p *staking.TierPolicy) { p.Tiers[1].Compliance[0] = nil },
		"tier 4: compliance group 1 names an":     func(p *staking.TierPolicy) { p.Tiers[3].Compliance[0][1] = "" },
		"tier 2 asks for less max_proof_age_seco": func(p *staking.TierPolicy) { p.Tiers[1].MaxProofAgeSeconds++ },
		"tier 2 asks for less min_multiplier_cen": func(p *staking.TierPolicy) { p.Tiers[1].MinMultiplierCenti = 0 },
		"tier 3 asks for less min_pool":           func(p *staking.TierPolicy) { p.Tiers[1].MinPool = staking.Enterprise },
		"tier 2 asks for less min_stake_ppm":      func(p *staking.TierPolicy) { p.Tiers[1].MinStakePPM-- },
		"tier 4 asks for less min_owner_ppm":      func(p *staking.TierPolicy) { p.Tiers[2].MinOwnerPPM = 500_001 },
		"tier 3 asks for less min_connectivity":   func(p *staking.TierPolicy) { p.Tiers[1].MinConnectivity = 4 },
		"tier 4 asks for less min_standing_ppm":   func(p *staking.TierPolicy) { p.Tiers[2].MinStandingPPM = 990_001 },
		"tier 3 asks for less bar_fraud than":     func(p *staking.TierPolicy) { p.Tiers[2].BarFraud, p.Tiers[2].BarSlashes = false, false },
		"tier 4 asks for less bar_slashes":        func(p *staking.TierPolicy) { p.Tiers[3].BarSlashes = false },
	} {
		t.Run(name, func(t *testing.T) {
			p := staking.DefaultTiers()
			change(&p)
			err := p.Validate()
			require.ErrorIs(t, err, staking.ErrParams)
			require.ErrorContains(t, err, name)
		})
	}
}

func TestTierPolicyJSON(t *testing.T) {
	text, err := json.MarshalIndent(staking.DefaultTiers(), "", "  ")
	require.NoError(t, err)
	golden.Check(t, "testdata/tiers.golden", string(text)+"\n")
	var p staking.TierPolicy
	require.NoError(t, json.Unmarshal(text, &p))
	require.Equal(t, staking.DefaultTiers(), p)
}

func TestHardwarePoolText(t *testing.T) {
	var h staking.HardwarePool
	require.NoError(t, h.UnmarshalText([]byte("community")))
	require.Equal(t, staking.Community, h)
	require.EqualError(t, h.UnmarshalText([]byte("Community")), `staking: unknown hardware pool "Community"`)
	require.Equal(t, staking.Community, h)
	_, err := staking.HardwarePool(3).MarshalText()
	require.EqualError(t, err, "staking: unknown hardware pool 3")
	require.Equal(t, "pool(3)", staking.HardwarePool(3).String())
}

// What keeps a device from the next tier is shown to people by other programs: its JSON names are a contract.
func TestAssessmentJSON(t *testing.T) {
	e := best()
	e.Counted, e.Attestations = io(999), nil
	text, err := json.Marshal(staking.DefaultTiers().Assess(e, when))
	require.NoError(t, err)
	require.JSONEq(t, `{"policy": "default-3", "tier": 0, "shortfalls": [
		{"tier": 1, "criterion": "stake", "have": "999", "need": "1000", "unit": "IO", "cure": "bond 1 IO more"}]}`, string(text))
}

// Lines that the default table never has alone.
func TestAssessOtherTables(t *testing.T) {
	table := func(r staking.TierRule) staking.TierPolicy {
		r.Name, r.MaxProofAgeSeconds = "only", 3_600
		p := staking.TierPolicy{Version: "one line", Tiers: []staking.TierRule{r}}
		require.NoError(t, p.Validate())
		return p
	}
	fraud := best()
	fraud.FraudSlashes180d = 1 // and not counted among Slashes180d
	a := table(staking.TierRule{BarSlashes: true}).Assess(fraud, when)
	require.Equal(t, staking.Tier(0), a.Tier)
	require.Equal(t, "1", a.Shortfalls[0].Have)

	unbonded := best()
	unbonded.Required = 0
	a = table(staking.TierRule{MinOwnerPPM: 500_000}).Assess(unbonded, when)
	require.Equal(t, staking.Tier(0), a.Tier)
	require.Equal(t, staking.CriterionOwnerPart, a.Shortfalls[0].Criterion)

	require.Equal(t, staking.Tier(1), table(staking.TierRule{}).Assess(unbonded, when).Tier, "no line but the proof")
}

// Of several attestations that expired, the shortfall names the last, whatever their order.
func TestShortfallNamesLastExpired(t *testing.T) {
	old := []staking.Attestation{
		{Criterion: staking.SOC2, Issuer: "auditor", ExpiresAt: when.Add(-2 * time.Hour)},
		{Criterion: staking.ISO27001, Issuer: "auditor", ExpiresAt: when.Add(-time.Hour)},
		{Criterion: staking.DiskEncryption, Issuer: "auditor", ExpiresAt: when.Add(-time.Minute)},
	}
	for range 2 {
		e := best()
		e.Attestations = append(attested(staking.TransportEncryption, staking.DiskEncryption), old...)
		a := staking.DefaultTiers().Assess(e, when)
		require.Len(t, a.Shortfalls, 1)
		require.Equal(t, "ISO 27001 expired 2025-07-01T11:00:00Z", a.Shortfalls[0].Have)
		require.Equal(t, "renew it", a.Shortfalls[0].Cure)
		slices.Reverse(old)
	}
}

// A requirement that multiplies beyond 64 bits cannot be met, and nothing overflows.
func TestAssessHugeStake(t *testing.T) {
	policy := staking.DefaultTiers()
	for i := range policy.Tiers {
		policy.Tiers[i].MinStakePPM = math.MaxUint32
	}
	e := best()
	e.Required, e.Counted = math.MaxUint64, math.MaxUint64-1
	require.Equal(t, staking.Tier(0), policy.Assess(e, when).Tier)
}
