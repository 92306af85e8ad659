package staking_test

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// slowTiers is the obvious twin of TierPolicy.Assess: it looks at one instant at a time.
type slowTiers struct {
	staking.TierPolicy
	// longer makes a compliance attestation count after its end; nil at an assessment.
	longer func(staking.Attestation) time.Duration
}

// valid returns the attestations of the group that count at an instant.
func (p slowTiers) valid(e staking.Evidence, group []staking.Criterion, at time.Time) (out []staking.Attestation) {
	for _, a := range e.Attestations {
		believed := a.Issuer != ""
		for _, rule := range p.Issuers {
			if rule.Criterion == a.Criterion && !slices.Contains(rule.Accepted, a.Issuer) {
				believed = false
			}
		}
		end := a.ExpiresAt
		if p.longer != nil && a.Criterion != staking.AttestedHardware {
			end = end.Add(p.longer(a))
		}
		inForce := a.IssuedAt.Compare(at) <= 0 && at.Compare(end) < 0
		revoked := a.RevokedAt != time.Time{} && a.RevokedAt.Compare(at) <= 0
		if believed && inForce && !revoked && slices.Contains(group, a.Criterion) {
			out = append(out, a)
		}
	}
	return out
}

// unmet lists the lines of a tier that are not met, each group of attestations as compliance.
func (p slowTiers) unmet(r staking.TierRule, e staking.Evidence, at, proofAt time.Time) (out []staking.Criterion) {
	line := func(c staking.Criterion, met bool) {
		if !met {
			out = append(out, c)
		}
	}
	enough := func(have tokenomics.Amount, ppm uint32) bool {
		a := new(big.Int).Mul(new(big.Int).SetUint64(uint64(have)), big.NewInt(1_000_000))
		b := new(big.Int).Mul(new(big.Int).SetUint64(uint64(e.Required)), big.NewInt(int64(ppm)))
		return ppm == 0 || e.Required != 0 && a.Cmp(b) >= 0
	}
	age := proofAt.Sub(e.HardwareProvedAt)
	proved := e.HardwareProvedAt != time.Time{} && age >= 0 && age <= time.Duration(r.MaxProofAgeSeconds)*time.Second
	attested := r.AcceptAttestedHardware && len(p.valid(e, []staking.Criterion{staking.AttestedHardware}, at)) > 0
	line(staking.CriterionProof, proved || attested)
	line(staking.CriterionAssurance, !(e.Assurance < r.MinAssurance))
	line(staking.CriterionMultiplier, !(e.MultiplierCenti < r.MinMultiplierCenti))
	line(staking.CriterionPool, !(e.Pool < r.MinPool))
	line(staking.CriterionStake, enough(e.Counted, r.MinStakePPM))
	line(staking.CriterionOwnerPart, enough(e.OwnerPart, r.MinOwnerPPM))
	line(staking.CriterionConnectivity, !(e.Connectivity < r.MinConnectivity))
	for _, group := range r.Compliance {
		line(staking.CriterionCompliance, len(p.valid(e, group, at)) > 0)
	}
	line(staking.CriterionStanding, !(e.StandingLowPPM < r.MinStandingPPM))
	line(staking.CriterionFraud, !(r.BarFraud && e.FraudSlashes180d > 0))
	line(staking.CriterionSlashes, !(r.BarSlashes && e.FraudSlashes180d+e.Slashes180d > 0))
	return out
}

func (p slowTiers) tier(e staking.Evidence, at, proofAt time.Time) (best staking.Tier) {
	for i, r := range p.Tiers {
		if len(p.unmet(r, e, at, proofAt)) == 0 {
			best = staking.Tier(i + 1)
		}
	}
	return best
}

// expiring walks through every instant at which an attestation ends, for each group that the tier stands on.
func (p slowTiers) expiring(t staking.Tier, e staking.Evidence, at time.Time) (out []staking.Expiry) {
	if t == 0 {
		return nil
	}
	var ends []time.Time
	for _, a := range e.Attestations {
		for _, x := range []time.Time{a.ExpiresAt, a.RevokedAt} {
			if x.After(at) {
				ends = append(ends, x)
			}
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	r := p.Tiers[t-1]
	groups := r.Compliance
	if age := at.Sub(e.HardwareProvedAt); age < 0 || age > time.Duration(r.MaxProofAgeSeconds)*time.Second {
		groups = slices.Insert(slices.Clone(groups), 0, []staking.Criterion{staking.AttestedHardware})
	}
	for _, group := range groups {
		i := slices.IndexFunc(ends, func(x time.Time) bool { return len(p.valid(e, group, x)) == 0 })
		if left := p.tier(e, ends[i], at); left < t {
			last := slices.MinFunc(p.valid(e, group, ends[i].Add(-1)), func(a, b staking.Attestation) int {
				if a.Criterion != b.Criterion {
					return slices.Index(group, a.Criterion) - slices.Index(group, b.Criterion)
				}
				return strings.Compare(a.Issuer, b.Issuer)
			})
			x := staking.Expiry{Criterion: last.Criterion, Issuer: last.Issuer, At: ends[i], Tier: t, Left: left}
			if !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b staking.Expiry) int { return a.At.Compare(b.At) })
	return out
}

// randomPolicy is the default table with other groups of attestations and named issuers.
func randomPolicy(r *rand.Rand) staking.TierPolicy {
	p := staking.DefaultTiers()
	all := []staking.Criterion{staking.TransportEncryption, staking.DiskEncryption, staking.SOC2, staking.ISO27001}
	for i := range p.Tiers {
		if r.IntN(3) == 0 {
			p.Tiers[i].AcceptAttestedHardware = !p.Tiers[i].AcceptAttestedHardware
		}
		for r.IntN(3) == 0 {
			var group []staking.Criterion
			for range 1 + r.IntN(3) {
				group = append(group, all[r.IntN(len(all))])
			}
			p.Tiers[i].Compliance = append(p.Tiers[i].Compliance, group)
		}
	}
	for _, c := range []staking.Criterion{staking.ISO27001, staking.SOC2, staking.AttestedHardware, staking.DiskEncryption} {
		if r.IntN(3) == 0 {
			p.Issuers = append(p.Issuers, staking.IssuerRule{Criterion: c, Accepted: [][]string{{"a"}, {"a", "b"}, {"c"}}[r.IntN(3)]})
		}
	}
	return p
}

// randomAttestations have dates within a few nanoseconds, so that they meet, overlap, chain and leave gaps.
func randomAttestations(r *rand.Rand) (out []staking.Attestation) {
	all := []staking.Criterion{
		staking.TransportEncryption, staking.DiskEncryption, staking.SOC2, staking.ISO27001, staking.AttestedHardware,
	}
	for range r.IntN(16) {
		a := staking.Attestation{
			Criterion: all[r.IntN(len(all))], Issuer: []string{"", "a", "a", "b", "c"}[r.IntN(5)],
			IssuedAt: when.Add(time.Duration(r.IntN(8) - 5)), ExpiresAt: when.Add(time.Duration(r.IntN(10) - 2)),
		}
		if r.IntN(4) == 0 {
			a.RevokedAt = when.Add(time.Duration(r.IntN(10) - 2))
		}
		out = append(out, a)
	}
	return out
}

// Assess agrees with its twin, does not depend on the order of the attestations, and never falls when evidence gets better.
func FuzzAssess(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 5))
		policy := randomPolicy(r)
		slices.SortFunc(policy.Issuers, func(a, b staking.IssuerRule) int { return strings.Compare(string(a.Criterion), string(b.Criterion)) })
		require.NoError(t, policy.Validate())
		slow := slowTiers{TierPolicy: policy}
		for range 16 {
			e := randomEvidence(r)
			if r.IntN(2) == 0 { // most random evidence fails by a number; here the attestations decide
				e = best()
				e.HardwareProvedAt = e.HardwareProvedAt.Add(time.Duration(r.IntN(3) - 1))
			}
			e.Attestations = append(e.Attestations[:r.IntN(len(e.Attestations)+1)], randomAttestations(r)...)
			got := policy.Assess(e, when)
			require.Equal(t, slow.tier(e, when, when), got.Tier, "%+v", e)
			require.Equal(t, slow.expiring(got.Tier, e, when), got.Expiring, "%+v", e)
			var lines []staking.Criterion
			for _, s := range got.Shortfalls {
				lines = append(lines, s.Criterion)
			}
			if int(got.Tier) < len(policy.Tiers) {
				require.Equal(t, slow.unmet(policy.Tiers[got.Tier], e, when, when), lines, "%+v", e)
			} else {
				require.Empty(t, lines)
			}
			require.GreaterOrEqual(t, policy.Assess(improve(r, e), when).Tier, got.Tier, "%+v", e)
			_, err := json.Marshal(got)
			require.NoError(t, err)
			r.Shuffle(len(e.Attestations), func(i, j int) {
				e.Attestations[i], e.Attestations[j] = e.Attestations[j], e.Attestations[i]
			})
			require.Equal(t, got, policy.Assess(e, when), "the order of the attestations matters: %+v", e)
		}
	})
}
