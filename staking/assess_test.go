package staking_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
)

// certified is the best evidence with certificates in place of the one that it has.
func certified(certificates ...staking.Attestation) staking.Evidence {
	e := best()
	e.Attestations = append(attested(staking.TransportEncryption, staking.DiskEncryption), certificates...)
	for i := range e.Attestations[:2] {
		e.Attestations[i].ExpiresAt = when.AddDate(400, 0, 0)
	}
	return e
}

// certificate is one for SOC 2 from an hour before to the given time after when.
func certificate(issuer string, end time.Duration) staking.Attestation {
	return staking.Attestation{Criterion: staking.SOC2, Issuer: issuer, IssuedAt: when.Add(-time.Hour), ExpiresAt: when.Add(end)}
}

// Whose word counts is the table's choice, criterion by criterion.
func TestIssuers(t *testing.T) {
	policy := staking.DefaultTiers()
	policy.Issuers = []staking.IssuerRule{{Criterion: staking.SOC2, Accepted: []string{"bsi", "ernst", "kpmg"}}}
	require.NoError(t, policy.Validate())
	text, err := json.Marshal(policy)
	require.NoError(t, err)
	require.Contains(t, string(text), `"issuers":[{"criterion":"SOC 2","accepted":["bsi","ernst","kpmg"]}]`)
	for issuer, want := range map[string]staking.Tier{"bsi": 4, "ernst": 4, "kpmg": 4, "bs": 3, "ernst2": 3, "BSI": 3, "": 3, "z": 3} {
		require.Equal(t, want, policy.Assess(certified(certificate(issuer, 1)), when).Tier, "%q", issuer)
	}
	iso := certificate("anybody", 1)
	iso.Criterion = staking.ISO27001
	require.Equal(t, staking.Tier(4), policy.Assess(certified(iso), when).Tier, "a criterion that is not listed")

	policy.Issuers = []staking.IssuerRule{{Criterion: staking.AttestedHardware, Accepted: []string{"nvidia"}}}
	for issuer, want := range map[string]staking.Tier{"nvidia": 4, "sam": 0} {
		e := certified(certificate("bsi", 1), staking.Attestation{
			Criterion: staking.AttestedHardware, Issuer: issuer, IssuedAt: when, ExpiresAt: when.Add(1),
		})
		e.HardwareProvedAt = time.Time{}
		require.Equal(t, want, policy.Assess(e, when).Tier, "%q", issuer)
	}
}

// Of several attestations that do not count, the shortfall names the one that is nearest to counting.
func TestShortfallNamesNearest(t *testing.T) {
	policy := staking.DefaultTiers()
	policy.Issuers = []staking.IssuerRule{{Criterion: staking.SOC2, Accepted: []string{"bsi"}}}
	revoked := certificate("bsi", 2)
	revoked.RevokedAt = when
	revokedBefore := certificate("bsi", 2)
	revokedBefore.RevokedAt = when.Add(-1)
	later := staking.Attestation{Criterion: staking.SOC2, Issuer: "bsi", IssuedAt: when.Add(2), ExpiresAt: when.Add(9)}
	sooner := staking.Attestation{Criterion: staking.ISO27001, Issuer: "sam", IssuedAt: when.Add(1), ExpiresAt: when.Add(9)}
	backwards := staking.Attestation{Criterion: staking.SOC2, Issuer: "bsi", IssuedAt: when.Add(9), ExpiresAt: when.Add(9)}
	var certificates []staking.Attestation
	for _, c := range []struct {
		more       staking.Attestation
		have, cure string
	}{
		{certificate("", 1), "none", "have it attested"},
		{backwards, "none", "have it attested"},
		{certificate("sam", 1), `SOC 2, but issuer "sam" is not accepted`, "have it attested by an accepted issuer"},
		{certificate("ann", 1), `SOC 2, but issuer "ann" is not accepted`, "have it attested by an accepted issuer"},
		{revokedBefore, "SOC 2 revoked 2025-07-01T11:59:59.999999999Z", "have it attested anew"},
		{revoked, "SOC 2 revoked 2025-07-01T12:00:00Z", "have it attested anew"},
		{certificate("bsi", -1), "SOC 2 expired 2025-07-01T11:59:59.999999999Z", "renew it"},
		{certificate("bsi", 0), "SOC 2 expired 2025-07-01T12:00:00Z", "renew it"},
		{later, "SOC 2 from 2025-07-01T12:00:00.000000002Z", "wait until then"},
		{sooner, "ISO 27001 from 2025-07-01T12:00:00.000000001Z", "wait until then"},
	} {
		certificates = append(certificates, c.more)
		for range 2 {
			a := policy.Assess(certified(certificates...), when)
			require.Equal(t, staking.Tier(3), a.Tier, c.have)
			require.Len(t, a.Shortfalls, 1)
			require.Equal(t, c.have, a.Shortfalls[0].Have)
			require.Equal(t, c.cure, a.Shortfalls[0].Cure)
			slices.Reverse(certificates)
		}
	}
}

// What a tier stands on is listed with its end: renewals are counted in, and what never ends is left out.
func TestExpiring(t *testing.T) {
	renewal := func(from, to time.Duration) staking.Attestation {
		return staking.Attestation{Criterion: staking.ISO27001, Issuer: "b", IssuedAt: when.Add(from), ExpiresAt: when.Add(to)}
	}
	revoked := certificate("a", 9)
	revoked.RevokedAt = when.Add(4)
	far := certificate("a", 0)
	far.ExpiresAt = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	near := far
	near.ExpiresAt = near.ExpiresAt.Add(-1)
	type want = staking.Expiry
	for _, c := range []struct {
		name         string
		certificates []staking.Attestation
		want         []want
	}{
		{"one", []staking.Attestation{certificate("a", 5)}, []want{{staking.SOC2, "a", when.Add(5), 4, 3}}},
		{"the later of two", []staking.Attestation{certificate("a", 5), renewal(-9, 7)}, []want{{staking.ISO27001, "b", when.Add(7), 4, 3}}},
		{"renewed at the end", []staking.Attestation{renewal(5, 7), certificate("a", 5)}, []want{{staking.ISO27001, "b", when.Add(7), 4, 3}}},
		{"renewed a nanosecond late", []staking.Attestation{renewal(6, 7), certificate("a", 5)}, []want{{staking.SOC2, "a", when.Add(5), 4, 3}}},
		{
			"a chain of three",
			[]staking.Attestation{renewal(7, 9), certificate("a", 5), renewal(3, 8)},
			[]want{{staking.ISO27001, "b", when.Add(9), 4, 3}},
		},
		{"at the same time, by name", []staking.Attestation{certificate("b", 5), certificate("a", 5)}, []want{{staking.SOC2, "a", when.Add(5), 4, 3}}},
		{"will be revoked", []staking.Attestation{revoked}, []want{{staking.SOC2, "a", when.Add(4), 4, 3}}},
		{"ends in 2199", []staking.Attestation{near}, []want{{staking.SOC2, "a", near.ExpiresAt, 4, 3}}},
		{"ends in 2200", []staking.Attestation{far}, nil},
		{"no tier that stands on it", []staking.Attestation{certificate("a", -5)}, nil},
	} {
		require.Equal(t, c.want, staking.DefaultTiers().Assess(certified(c.certificates...), when).Expiring, c.name)
	}

	// One attestation in two groups of a tier is one line.
	policy := staking.DefaultTiers()
	policy.Tiers[3].Compliance = [][]staking.Criterion{{staking.SOC2}, {staking.ISO27001, staking.SOC2}}
	require.Len(t, policy.Assess(certified(certificate("a", 5)), when).Expiring, 1)
	// The end of what a device has besides the tier's lines does not matter.
	policy.Tiers[3].Compliance = nil
	require.Empty(t, policy.Assess(certified(certificate("a", 5)), when).Expiring)
}
