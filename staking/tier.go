package staking

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Tier is the grade of a device: 0 is none, 1 the lowest.
type Tier uint8

// fullPPM is the whole in millionths.
const fullPPM = 1_000_000

// The ends of the scales that package gpu and the network grade by.
const (
	mostAssurance    = 3
	mostConnectivity = 4
)

// TierRule is what one tier asks for: a column of the tier table. A zero field asks for nothing, except that
// MaxProofAgeSeconds = 0 asks for a proof at the very instant.
type TierRule struct {
	// Name is for display: "Verified".
	Name string `json:"name"`
	// MaxProofAgeSeconds is how old the last hardware proof may be; at exactly this age it still counts.
	MaxProofAgeSeconds uint32 `json:"max_proof_age_seconds"`
	// AcceptAttestedHardware lets a valid [AttestedHardware] stand in for a recent proof.
	AcceptAttestedHardware bool `json:"accept_attested_hardware"`
	// MinAssurance is the lowest assurance of the device, on the scale of Evidence.Assurance, at most 3.
	MinAssurance uint8 `json:"min_assurance"`
	// MinMultiplierCenti is the smallest earning multiplier, in hundredths.
	MinMultiplierCenti uint32 `json:"min_multiplier_centi"`
	// MinPool is the lowest reward pool of the hardware.
	MinPool HardwarePool `json:"min_pool"`
	// MinStakePPM is the smallest stake, in millionths of the requirement.
	MinStakePPM uint32 `json:"min_stake_ppm"`
	// MinOwnerPPM is the smallest part that the owner holds, in millionths of the requirement.
	MinOwnerPPM uint32 `json:"min_owner_ppm"`
	// MinConnectivity is the lowest connectivity tier, at most 4.
	MinConnectivity uint8 `json:"min_connectivity"`
	// Compliance is met when every group is, and a group when one of its attestations is valid.
	Compliance [][]Criterion `json:"compliance"`
	// MinStandingPPM is the smallest lower bound of the probability of 24 hours without an outage, in millionths.
	MinStandingPPM uint32 `json:"min_standing_ppm"`
	// BarFraud refuses a device with a final slash for fraud in the last 180 days.
	BarFraud bool `json:"bar_fraud"`
	// BarSlashes refuses a device with any final slash in the last 180 days.
	BarSlashes bool `json:"bar_slashes"`
}

// IssuerRule says whose attestations of one criterion count.
type IssuerRule struct {
	// Criterion is what they attest.
	Criterion Criterion `json:"criterion"`
	// Accepted are the issuers whose word counts: at least one, in rising order.
	Accepted []string `json:"accepted"`
}

// TierPolicy is a table of tiers. It is data: a network writes its own.
type TierPolicy struct {
	// Version names the table; every [Assessment] and [Grade] repeats it. Two tables never share a version.
	Version string `json:"version"`
	// Tiers are the columns: Tiers[0] is tier 1. No numeric limit falls from one tier to the next.
	Tiers []TierRule `json:"tiers"`
	// Issuers say whose attestations count, in rising order of the criterion. Of a criterion that is not listed, every
	// attestation counts that whoever collects the evidence lets in.
	Issuers []IssuerRule `json:"issuers,omitempty"`
	// DwellSeconds is how long a tier must be met without a break before [TierPolicy.Regrade] gives it; 0 gives it at once.
	// Our own choice: 24 hours.
	DwellSeconds uint32 `json:"dwell_seconds"`
	// GraceSeconds is how long a tier is kept that only expired compliance attestations keep the device from; 0 takes it at
	// once. Our own choice: 7 days.
	GraceSeconds uint32 `json:"grace_seconds"`
}

// DefaultTiers returns a table of four tiers. It is our own choice: io.net publishes no composite tier table.
//
//	                       1 Verified  2 Standard            3 Professional   4 Enterprise
//	hardware proof         <= 1 h      <= 1 h                <= 1 h           <= 1 h or attested
//	assurance              consistent  consistent            consistent       consistent
//	multiplier             > 0         > 0                   > 0              > 0
//	hardware pool          any         any                   Community or up  Enterprise
//	stake / required       1           1                     1                1, owner's part 1/2
//	connectivity           1           2                     3                3
//	compliance             -           transport encryption  and disk         SOC 2 or ISO 27001
//	P(24 h up), low 90 %   -           0.90                  0.94             0.957
//	slashes in 180 d       any         none for fraud        none             none
//
// A tier is reached after 24 hours and survives an expired certificate for 7 days. The two upper limits of the standing are
// where clean records can get: with the memories of package reputation the lower bound of a machine that never failed is
// 0.942 after 14 days, 0.958 after 30 and tends to 0.968, so that 0.99 would bar everybody for ever. For the same reason no
// tier asks for more assurance than package gpu can give (docs/design/tiers.md).
func DefaultTiers() TierPolicy {
	const hour, consistent = 3_600, 1
	return TierPolicy{
		Version:      "default-3",
		DwellSeconds: 24 * hour,
		GraceSeconds: 7 * 24 * hour,
		Tiers: []TierRule{
			{
				Name: "Verified", MaxProofAgeSeconds: hour, MinAssurance: consistent, MinMultiplierCenti: 1,
				MinStakePPM: fullPPM, MinConnectivity: 1,
			},
			{
				Name: "Standard", MaxProofAgeSeconds: hour, MinAssurance: consistent, MinMultiplierCenti: 1,
				MinStakePPM: fullPPM, MinConnectivity: 2,
				Compliance:     [][]Criterion{{TransportEncryption}},
				MinStandingPPM: 900_000, BarFraud: true,
			},
			{
				Name: "Professional", MaxProofAgeSeconds: hour, MinAssurance: consistent, MinMultiplierCenti: 1,
				MinPool: Community, MinStakePPM: fullPPM, MinConnectivity: 3,
				Compliance:     [][]Criterion{{TransportEncryption}, {DiskEncryption}},
				MinStandingPPM: 940_000, BarFraud: true, BarSlashes: true,
			},
			{
				Name: "Enterprise", MaxProofAgeSeconds: hour, AcceptAttestedHardware: true, MinAssurance: consistent,
				MinMultiplierCenti: 1, MinPool: Enterprise, MinStakePPM: fullPPM, MinOwnerPPM: fullPPM / 2, MinConnectivity: 3,
				Compliance:     [][]Criterion{{SOC2, ISO27001}},
				MinStandingPPM: 957_000, BarFraud: true, BarSlashes: true,
			},
		},
	}
}

// Validate returns an error that names the first field outside its limits; it wraps [ErrParams]. A limit may not fall
// from one tier to the next, so that a higher tier never asks for less.
func (p TierPolicy) Validate() error {
	switch {
	case p.Version == "":
		return fmt.Errorf("%w: tier table: version is empty", ErrParams)
	case len(p.Tiers) == 0 || len(p.Tiers) > math.MaxUint8:
		return fmt.Errorf("%w: tier table: %d tiers are not in 1..%d", ErrParams, len(p.Tiers), math.MaxUint8)
	}
	for i, r := range p.Tiers {
		if err := r.validate(); err != nil {
			return fmt.Errorf("%w: tier %d: %w", ErrParams, i+1, err)
		}
		if i > 0 {
			if field := r.easierThan(p.Tiers[i-1]); field != "" {
				return fmt.Errorf("%w: tier %d asks for less %s than tier %d", ErrParams, i+1, field, i)
			}
		}
	}
	for i, r := range p.Issuers {
		if err := r.validate(); err != nil {
			return fmt.Errorf("%w: issuers %d: %w", ErrParams, i+1, err)
		}
		if i > 0 && r.Criterion <= p.Issuers[i-1].Criterion {
			return fmt.Errorf("%w: issuers %d: criterion %q does not rise", ErrParams, i+1, string(r.Criterion))
		}
	}
	return nil
}

func (p TierPolicy) dwell() time.Duration { return time.Duration(p.DwellSeconds) * time.Second }

func (p TierPolicy) grace() time.Duration { return time.Duration(p.GraceSeconds) * time.Second }

// accepts reports whether an issuer's attestations of a criterion count.
func accepts(rules []IssuerRule, c Criterion, issuer string) bool {
	i, listed := slices.BinarySearchFunc(rules, c, func(r IssuerRule, c Criterion) int { return cmp.Compare(r.Criterion, c) })
	if !listed {
		return true
	}
	_, ok := slices.BinarySearch(rules[i].Accepted, issuer)
	return ok
}

func (r IssuerRule) validate() error {
	switch {
	case r.Criterion == "":
		return errors.New("criterion is empty")
	case len(r.Accepted) == 0:
		return fmt.Errorf("nobody may attest %q", string(r.Criterion))
	}
	for i, issuer := range r.Accepted {
		switch {
		case issuer == "":
			return fmt.Errorf("an issuer of %q is empty", string(r.Criterion))
		case i > 0 && issuer <= r.Accepted[i-1]:
			return fmt.Errorf("issuer %q of %q does not rise", issuer, string(r.Criterion))
		}
	}
	return nil
}

func (r TierRule) validate() error {
	switch {
	case r.Name == "":
		return errors.New("name is empty")
	case r.MinAssurance > mostAssurance:
		return fmt.Errorf("min_assurance %d is above %d", r.MinAssurance, mostAssurance)
	case r.MinPool > Enterprise:
		return fmt.Errorf("min_pool %d is unknown", uint8(r.MinPool))
	case r.MinConnectivity > mostConnectivity:
		return fmt.Errorf("min_connectivity %d is above %d", r.MinConnectivity, mostConnectivity)
	case r.MinStandingPPM > fullPPM:
		return fmt.Errorf("min_standing_ppm %d is above %d", r.MinStandingPPM, fullPPM)
	}
	for i, group := range r.Compliance {
		if len(group) == 0 {
			return fmt.Errorf("compliance group %d is empty and can never be met", i+1)
		}
		for _, c := range group {
			if c == "" {
				return fmt.Errorf("compliance group %d names an empty criterion", i+1)
			}
		}
	}
	return nil
}

// easierThan names the first field in which the rule asks for less than the one below it, "" if there is none.
// Compliance is left out: a certificate may contain what a lower tier lists piece by piece.
func (r TierRule) easierThan(below TierRule) string {
	switch {
	case r.MaxProofAgeSeconds > below.MaxProofAgeSeconds:
		return "max_proof_age_seconds"
	case r.MinAssurance < below.MinAssurance:
		return "min_assurance"
	case r.MinMultiplierCenti < below.MinMultiplierCenti:
		return "min_multiplier_centi"
	case r.MinPool < below.MinPool:
		return "min_pool"
	case r.MinStakePPM < below.MinStakePPM:
		return "min_stake_ppm"
	case r.MinOwnerPPM < below.MinOwnerPPM:
		return "min_owner_ppm"
	case r.MinConnectivity < below.MinConnectivity:
		return "min_connectivity"
	case r.MinStandingPPM < below.MinStandingPPM:
		return "min_standing_ppm"
	case below.BarFraud && !r.BarFraud && !r.BarSlashes:
		return "bar_fraud"
	case below.BarSlashes && !r.BarSlashes:
		return "bar_slashes"
	}
	return ""
}
