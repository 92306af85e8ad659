package staking

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Assessment is the tier of a device and what keeps it from the next one.
type Assessment struct {
	// Policy is the version of the table.
	Policy string `json:"policy"`
	// Tier is the highest tier of which the device meets every line, 0 if there is none.
	Tier Tier `json:"tier"`
	// Shortfalls are the lines of tier Tier+1 that are not met, in the order of the table; none at the highest tier.
	Shortfalls []Shortfall `json:"shortfalls,omitempty"`
}

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

// Assess returns the tier of a device at an instant. It depends on nothing but its arguments, and it is monotone: a later
// proof, more stake, more attestations, a better pool, line or standing and fewer slashes never lower the tier. The
// policy must be valid.
func (p TierPolicy) Assess(e Evidence, at time.Time) Assessment {
	a := Assessment{Policy: p.Version}
	for i := len(p.Tiers); i > 0 && a.Tier == 0; i-- {
		if p.Tiers[i-1].met(e, at) {
			a.Tier = Tier(i)
		}
	}
	if next := int(a.Tier); next < len(p.Tiers) {
		a.Shortfalls = p.Tiers[next].shortfalls(a.Tier+1, e, at)
	}
	return a
}

// lines are the single-valued lines of the table in order; compliance, which has groups, stands apart.
func lines() [9]Criterion {
	return [...]Criterion{
		CriterionProof, CriterionMultiplier, CriterionPool, CriterionStake, CriterionOwnerPart, CriterionConnectivity,
		CriterionStanding, CriterionFraud, CriterionSlashes,
	}
}

// met reports whether the evidence meets every line of the rule.
func (r TierRule) met(e Evidence, at time.Time) bool {
	for _, c := range lines() {
		if !r.meets(c, e, at) {
			return false
		}
	}
	for _, group := range r.Compliance {
		if !e.attests(group, at) {
			return false
		}
	}
	return true
}

// meets reports whether the evidence meets one line.
func (r TierRule) meets(c Criterion, e Evidence, at time.Time) bool {
	switch c {
	case CriterionProof:
		return r.proved(e, at) || r.AcceptAttestedHardware && e.attests([]Criterion{AttestedHardware}, at)
	case CriterionMultiplier:
		return e.MultiplierCenti >= r.MinMultiplierCenti
	case CriterionPool:
		return e.Pool >= r.MinPool
	case CriterionStake:
		return r.MinStakePPM == 0 || e.Required > 0 && e.Counted >= partUp(e.Required, r.MinStakePPM)
	case CriterionOwnerPart:
		return r.MinOwnerPPM == 0 || e.Required > 0 && e.OwnerPart >= partUp(e.Required, r.MinOwnerPPM)
	case CriterionConnectivity:
		return e.Connectivity >= r.MinConnectivity
	case CriterionStanding:
		return e.StandingLowPPM >= r.MinStandingPPM
	case CriterionFraud:
		return !r.BarFraud || e.FraudSlashes180d == 0
	case CriterionSlashes:
		return !r.BarSlashes || e.slashes() == 0
	default: // what is attested is asked for by groups
		panic(fmt.Sprintf("staking: TierRule.meets: %q is no line of the table", string(c)))
	}
}

// proved reports whether the hardware was proved recently enough. The zero time is no proof.
func (r TierRule) proved(e Evidence, at time.Time) bool {
	oldest := at.Add(-time.Duration(r.MaxProofAgeSeconds) * time.Second)
	return !e.HardwareProvedAt.IsZero() && !e.HardwareProvedAt.After(at) && !e.HardwareProvedAt.Before(oldest)
}

// attests reports whether one criterion of the group is attested.
func (e Evidence) attests(group []Criterion, at time.Time) bool {
	for i := range e.Attestations {
		if e.Attestations[i].validAt(at) && slices.Contains(group, e.Attestations[i].Criterion) {
			return true
		}
	}
	return false
}

// slashes counts every final slash; a slash for fraud is one even where the sender forgot to count it twice.
func (e Evidence) slashes() uint32 { return max(e.Slashes180d, e.FraudSlashes180d) }

// partUp returns millionths of an amount. Up: against the device, which needs the whole part. A part beyond 64 bits can
// never be held, and the largest amount stands for it.
func partUp(n tokenomics.Amount, ppm uint32) tokenomics.Amount {
	part, err := n.MulDiv(uint64(ppm), fullPPM, tokenomics.Up)
	if err != nil {
		return ^tokenomics.Amount(0)
	}
	return part
}

// shortfalls lists the lines that are not met, compliance after connectivity as in the table.
func (r TierRule) shortfalls(t Tier, e Evidence, at time.Time) []Shortfall {
	var out []Shortfall
	for _, c := range lines() {
		if !r.meets(c, e, at) {
			s := r.describe(c, e, at)
			s.Tier, s.Criterion = t, c
			out = append(out, s)
		}
		if c != CriterionConnectivity {
			continue
		}
		for _, group := range r.Compliance {
			if !e.attests(group, at) {
				out = append(out, lacking(t, group, e, at))
			}
		}
	}
	return out
}

// describe explains one line that is not met.
func (r TierRule) describe(c Criterion, e Evidence, at time.Time) Shortfall {
	switch c {
	case CriterionProof:
		s := Shortfall{
			Have: "none", Need: fmt.Sprintf("at most %d", r.MaxProofAgeSeconds), Unit: "seconds old",
			Cure: "pass a hardware challenge",
		}
		if !e.HardwareProvedAt.IsZero() && !e.HardwareProvedAt.After(at) {
			// Up: a proof that is a nanosecond too old must not look young enough.
			s.Have = fmt.Sprint(int64((at.Sub(e.HardwareProvedAt)-1)/time.Second) + 1)
		}
		if r.AcceptAttestedHardware {
			s.Cure += " or attest the hardware"
		}
		return s
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

// lacking explains a group of attestations of which none is valid, and names the one that
// expired last.
func lacking(t Tier, group []Criterion, e Evidence, at time.Time) Shortfall {
	names := make([]string, len(group))
	for i, c := range group {
		names[i] = string(c)
	}
	s := Shortfall{
		Tier: t, Criterion: CriterionCompliance, Have: "none", Need: strings.Join(names, " or "), Unit: "attested",
		Cure: "have it attested",
	}
	var last time.Time
	for _, a := range e.Attestations {
		if slices.Contains(group, a.Criterion) && !at.Before(a.ExpiresAt) && a.ExpiresAt.After(last) {
			last = a.ExpiresAt
			s.Have, s.Cure = fmt.Sprintf("%s expired %s", a.Criterion, stamp(a.ExpiresAt)), "renew it"
		}
	}
	return s
}
