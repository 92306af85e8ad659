package staking

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Shortfall is a line of the tier table that a device does not meet.
type Shortfall struct {
	// Tier is the tier that asks for it.
	Tier Tier `json:"tier"`
	// Criterion is the line.
	Criterion Criterion `json:"criterion"`
	// Have is what the device has, for display, in Unit.
	Have string `json:"have"`
	// Need is what the tier asks for, for display, in Unit.
	Need string `json:"need"`
	// Unit is the unit of both; empty where they have none.
	Unit string `json:"unit,omitempty"`
	// Cure is what to do about it.
	Cure string `json:"cure"`
}

// String returns the shortfall as a sentence.
func (s Shortfall) String() string {
	need := strings.TrimSpace(s.Need + " " + s.Unit)
	return fmt.Sprintf("tier %d needs %s: %s, has %s; %s", s.Tier, s.Criterion, need, s.Have, s.Cure)
}

// shortfalls lists the lines that are not met, compliance after connectivity as in the table.
func (r *TierRule) shortfalls(t Tier, l look) []Shortfall {
	var out []Shortfall
	for _, c := range lines() {
		if !r.meets(c, l) {
			s := r.describe(c, l)
			s.Tier, s.Criterion = t, c
			out = append(out, s)
		}
		if c != CriterionConnectivity {
			continue
		}
		for _, group := range r.Compliance {
			if !l.attests(group) {
				out = append(out, l.lacking(t, group))
			}
		}
	}
	return out
}

// describe explains one line that is not met.
func (r *TierRule) describe(c Criterion, l look) Shortfall {
	e := l.evidence
	switch c {
	case CriterionProof:
		return r.proofShort(e.HardwareProvedAt, l.proofAt)
	case CriterionAssurance:
		return Shortfall{
			Have: assurance(e.Assurance), Need: assurance(r.MinAssurance), Unit: "or higher",
			Cure: "report hardware whose claim can be carried so far",
		}
	case CriterionMultiplier:
		return Shortfall{
			Have: centi(e.MultiplierCenti), Need: centi(r.MinMultiplierCenti), Unit: "or more",
			Cure: "bring a model that earns block rewards",
		}
	case CriterionPool:
		return Shortfall{Have: e.Pool.String(), Need: r.MinPool.String(), Unit: "or higher", Cure: "bring a model of that pool"}
	case CriterionStake:
		return stakeShort(e.Required, e.Counted, r.MinStakePPM, "bond")
	case CriterionOwnerPart:
		return stakeShort(e.Required, e.OwnerPart, r.MinOwnerPPM, "the owner bonds")
	case CriterionConnectivity:
		return Shortfall{
			Have: fmt.Sprint(e.Connectivity), Need: fmt.Sprint(r.MinConnectivity), Unit: "or higher",
			Cure: "measure a faster line",
		}
	case CriterionStanding:
		return Shortfall{
			Have: fmt.Sprint(e.StandingLowPPM), Need: fmt.Sprint(r.MinStandingPPM), Unit: "ppm of staying up for 24 h",
			Cure: "stay up: the lower bound rises with every hour",
		}
	case CriterionFraud:
		return Shortfall{
			Have: fmt.Sprint(e.FraudSlashes180d), Need: "0", Unit: "slashes for fraud in 180 days",
			Cure: "wait until the last one is 180 days old",
		}
	case CriterionSlashes:
		return Shortfall{
			Have: fmt.Sprint(e.slashes()), Need: "0", Unit: "slashes in 180 days",
			Cure: "wait until the last one is 180 days old",
		}
	default:
		panic(fmt.Sprintf("staking: TierRule.describe: %q is no line of the table", string(c)))
	}
}

// proofShort explains a proof that is too old, or none.
func (r *TierRule) proofShort(proof, at time.Time) Shortfall {
	s := Shortfall{
		Have: "none", Need: fmt.Sprintf("at most %d", r.MaxProofAgeSeconds), Unit: "seconds old",
		Cure: "pass a hardware challenge",
	}
	if !proof.IsZero() && !proof.After(at) {
		// Up: a proof that is a nanosecond too old must not look young enough.
		s.Have = fmt.Sprint(int64((at.Sub(proof)-1)/time.Second) + 1)
	}
	if r.AcceptAttestedHardware {
		s.Cure += " or attest the hardware"
	}
	return s
}

// assurance names a level as package gpu does.
func assurance(level uint8) string {
	names := [...]string{"claimed", "consistent", "proven", "attested"}
	if int(level) < len(names) {
		return fmt.Sprintf("%d (%s)", level, names[level])
	}
	return fmt.Sprint(level)
}

// stakeShort explains stake that is too small.
func stakeShort(required, have tokenomics.Amount, ppm uint32, who string) Shortfall {
	if required == 0 {
		return Shortfall{Have: "none", Need: "a bond", Cure: "open a bond for the device"}
	}
	need := partUp(required, ppm)
	return Shortfall{
		Have: have.String(), Need: need.String(), Unit: "IO", Cure: fmt.Sprintf("%s %s IO more", who, need-have),
	}
}

// The reasons for which an attestation does not count, the one that is nearest to counting last.
const (
	noAttestation = iota
	notAccepted
	revoked
	expired
	notYet
)

// fault says why an attestation does not count, and since when or until when.
func (l look) fault(a *Attestation) (reason int, at time.Time) {
	switch {
	case a.Issuer == "" || !a.IssuedAt.Before(a.ExpiresAt): // it never counts
		return noAttestation, time.Time{}
	case !accepts(l.issuers, a.Criterion, a.Issuer):
		return notAccepted, a.IssuedAt
	case a.revokedAt(l.at):
		return revoked, a.RevokedAt
	case !l.at.Before(a.ExpiresAt):
		return expired, a.ExpiresAt
	default:
		return notYet, a.IssuedAt
	}
}

// lacking explains a group of attestations of which none counts. It names the one that is nearest to counting: one that
// begins later, else one that expired, one that was revoked, one of an issuer that is not accepted; of these the first to
// begin or the last to end, then the first of the group and the first issuer by name.
func (l look) lacking(t Tier, group []Criterion) Shortfall {
	names := make([]string, len(group))
	for i, c := range group {
		names[i] = string(c)
	}
	s := Shortfall{
		Tier: t, Criterion: CriterionCompliance, Have: "none", Need: strings.Join(names, " or "), Unit: "attested",
		Cure: "have it attested",
	}
	var nearest *Attestation
	reason, since := noAttestation, time.Time{}
	for i := range l.evidence.Attestations {
		a := &l.evidence.Attestations[i]
		if !slices.Contains(group, a.Criterion) {
			continue
		}
		r, at := l.fault(a)
		if r == noAttestation {
			continue
		}
		later := at.Compare(since)
		if r == notYet {
			later = -later
		}
		if nearest == nil || cmp.Or(cmp.Compare(r, reason), later, precedes(group, a, nearest)) > 0 {
			nearest, reason, since = a, r, at
		}
	}
	switch reason {
	case notYet:
		s.Have, s.Cure = fmt.Sprintf("%s from %s", nearest.Criterion, stamp(since)), "wait until then"
	case expired:
		s.Have, s.Cure = fmt.Sprintf("%s expired %s", nearest.Criterion, stamp(since)), "renew it"
	case revoked:
		s.Have, s.Cure = fmt.Sprintf("%s revoked %s", nearest.Criterion, stamp(since)), "have it attested anew"
	case notAccepted:
		s.Have = fmt.Sprintf("%s, but issuer %q is not accepted", nearest.Criterion, nearest.Issuer)
		s.Cure = "have it attested by an accepted issuer"
	}
	return s
}

// precedes compares two attestations of a group: positive where a stands before b.
func precedes(group []Criterion, a, b *Attestation) int {
	return cmp.Or(slices.Index(group, b.Criterion)-slices.Index(group, a.Criterion), cmp.Compare(b.Issuer, a.Issuer))
}
