package staking

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Criterion is a line of the tier table, or what an [Attestation] attests.
type Criterion string

// The lines of the tier table, in the order in which shortfalls are listed.
const (
	// CriterionProof asks for a recent hardware proof.
	CriterionProof Criterion = "hardware proof"
	// CriterionAssurance asks how far the claim about the hardware was carried.
	CriterionAssurance Criterion = "assurance"
	// CriterionMultiplier asks for hardware that earns rewards.
	CriterionMultiplier Criterion = "multiplier"
	// CriterionPool asks for hardware of a reward pool.
	CriterionPool Criterion = "hardware pool"
	// CriterionStake asks for stake.
	CriterionStake Criterion = "stake"
	// CriterionOwnerPart asks for stake of the owner's own.
	CriterionOwnerPart Criterion = "owner's part"
	// CriterionConnectivity asks for a fast line.
	CriterionConnectivity Criterion = "connectivity"
	// CriterionCompliance asks for attestations.
	CriterionCompliance Criterion = "compliance"
	// CriterionStanding asks for a probability of staying up.
	CriterionStanding Criterion = "standing"
	// CriterionFraud asks that no slash for fraud became final lately.
	CriterionFraud Criterion = "fraud"
	// CriterionSlashes asks that no slash became final lately.
	CriterionSlashes Criterion = "slashes"
)

// What somebody can attest.
const (
	// AttestedHardware is a hardware attestation, which may stand in for a recent proof.
	AttestedHardware Criterion = "attested hardware"
	// TransportEncryption is encryption between the machines of a cluster.
	TransportEncryption Criterion = "transport encryption"
	// DiskEncryption is encryption at rest.
	DiskEncryption Criterion = "disk encryption"
	// SOC2 is a SOC 2 report on the site.
	SOC2 Criterion = "SOC 2"
	// ISO27001 is an ISO 27001 certificate of the site.
	ISO27001 Criterion = "ISO 27001"
)

// HardwarePool is the reward pool that a device's model belongs to.
type HardwarePool uint8

// The pools, in rising order.
const (
	// NoPool is a model in no pool: one that earns nothing, or any before the pools were introduced.
	NoPool HardwarePool = 0
	// Community is the pool of consumer and older hardware.
	Community HardwarePool = 1
	// Enterprise is the pool of data-centre hardware.
	Enterprise HardwarePool = 2
)

// String returns "none", "community" or "enterprise".
func (h HardwarePool) String() string {
	switch h {
	case NoPool:
		return "none"
	case Community:
		return "community"
	case Enterprise:
		return "enterprise"
	}
	return fmt.Sprintf("pool(%d)", uint8(h))
}

// MarshalText returns what String returns; another value than the three is an error.
func (h HardwarePool) MarshalText() ([]byte, error) {
	if h > Enterprise {
		return nil, fmt.Errorf("staking: unknown hardware pool %d", uint8(h))
	}
	return []byte(h.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (h *HardwarePool) UnmarshalText(text []byte) error {
	for _, known := range []HardwarePool{NoPool, Community, Enterprise} {
		if known.String() == string(text) {
			*h = known
			return nil
		}
	}
	return fmt.Errorf("staking: unknown hardware pool %q", text)
}

// Attestation is somebody's word that a device or its site fulfils a criterion. Whose word reaches the evidence is decided
// by whoever collects it, and whose word counts by TierPolicy.Issuers. The dates are the issuer's and are believed.
type Attestation struct {
	// Criterion is what is attested.
	Criterion Criterion
	// Issuer is who says so. An attestation without an issuer does not count.
	Issuer string
	// IssuedAt is the first instant at which it counts.
	IssuedAt time.Time
	// ExpiresAt is the first instant at which it no longer counts.
	ExpiresAt time.Time
	// RevokedAt is the first instant at which the issuer no longer stands by it; zero if it was not revoked. A revoked
	// attestation does not count, whatever its expiry, and gives no grace.
	RevokedAt time.Time
}

// revokedAt reports whether the attestation was revoked.
func (a *Attestation) revokedAt(at time.Time) bool {
	return !a.RevokedAt.IsZero() && !at.Before(a.RevokedAt)
}

// Evidence is what is known of a device when its tier is assessed. The zero value, of a device of which nothing is known,
// has tier 0 under [DefaultTiers].
type Evidence struct {
	// HardwareProvedAt is when the device last passed a hardware challenge. A time after the assessment is no proof.
	HardwareProvedAt time.Time
	// Assurance is how far the claim about the hardware was carried, on the scale of gpu.Assurance: 0 claimed (a signed
	// report says so), 1 consistent (the model is known and nothing contradicts it), and for what package gpu does not
	// grade yet 2 proven (passed challenges) and 3 attested (proven, and attested by the maker).
	Assurance uint8
	// MultiplierCenti is the earning multiplier of the model, in hundredths; 0 earns nothing.
	MultiplierCenti uint32
	// Pool is the reward pool of the model.
	Pool HardwarePool
	// Required is the stake that the bond needs, in base units; without a bond it is 0, and no stake is enough.
	Required tokenomics.Amount
	// Counted is the stake that the bond holds, in base units.
	Counted tokenomics.Amount
	// OwnerPart is the owner's own part of Counted, in base units.
	OwnerPart tokenomics.Amount
	// Connectivity is the connectivity tier of the line, 0 (not measured) to 4.
	Connectivity uint8
	// Attestations are what others say, in any order.
	Attestations []Attestation
	// StandingLowPPM is the lower 90 % bound of the probability of 24 hours without an outage, in millionths.
	StandingLowPPM uint32
	// FraudSlashes180d is the number of slashes for fraud that became final in the last 180 days.
	FraudSlashes180d uint32
	// Slashes180d is the number of all slashes that became final in the last 180 days.
	Slashes180d uint32
}
