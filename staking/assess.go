package staking

import (
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Assessment is the tier that a device meets at an instant, what keeps it from the next one, and what it stands on.
type Assessment struct {
	// Policy is the version of the table.
	Policy string `json:"policy"`
	// Tier is the highest tier of which the device meets every line, 0 if there is none.
	Tier Tier `json:"tier"`
	// Shortfalls are the lines of tier Tier+1 that are not met, in the order of the table; none at the highest tier. During
	// a grace, [TierPolicy.Regrade] lists those of the tier that is kept.
	Shortfalls []Shortfall `json:"shortfalls,omitempty"`
	// Expiring are the attestations that Tier stands on, those that end first before the others: at the end of each the
	// tier is no longer met, if nothing else changes. How long before it to warn is the reader's choice.
	Expiring []Expiry `json:"expiring,omitempty"`
}

// Expiry is the end of an attestation that a tier stands on. A renewal that is in the evidence already is counted in.
type Expiry struct {
	// Criterion is what is attested.
	Criterion Criterion `json:"criterion"`
	// Issuer is who attests it.
	Issuer string `json:"issuer"`
	// At is the first instant at which it no longer counts, in UTC, before the year 2200; what ends later is not listed.
	At time.Time `json:"at"`
	// Tier is the tier that is met until then.
	Tier Tier `json:"tier"`
	// Left is the tier that is met from then on if only attestations change.
	Left Tier `json:"left"`
}

// String returns the expiry as a sentence.
func (x Expiry) String() string {
	return fmt.Sprintf("tier %d becomes tier %d when %s of %q ends %s", x.Tier, x.Left, x.Criterion, x.Issuer, stamp(x.At))
}

// Assess returns the tier that a device meets at an instant. It depends on nothing but its arguments, and it is monotone: a
// later proof, more assurance or stake, more attestations, a better pool, line or standing and fewer slashes never lower the
// tier. The order of the attestations does not matter. The policy must be valid.
func (p TierPolicy) Assess(e Evidence, at time.Time) Assessment {
	l := look{evidence: &e, issuers: p.Issuers, at: at, proofAt: at}
	a := Assessment{Policy: p.Version, Tier: p.highest(l)}
	if next := int(a.Tier); next < len(p.Tiers) {
		a.Shortfalls = p.Tiers[next].shortfalls(a.Tier+1, l)
	}
	a.Expiring = p.expiring(a.Tier, l)
	return a
}

// look is evidence as a policy sees it.
type look struct {
	evidence *Evidence
	issuers  []IssuerRule
	at       time.Time // where attestations are looked at
	proofAt  time.Time // where the age of the proof is taken
	// Compliance attestations that ended after held count for grace longer. Zero at an assessment.
	grace time.Duration
	held  time.Time
}

// highest returns the highest tier that is met, 0 if there is none.
func (p TierPolicy) highest(l look) Tier {
	for i := len(p.Tiers); i > 0; i-- {
		if p.Tiers[i-1].met(l) {
			return Tier(i)
		}
	}
	return 0
}

// expiring lists the ends of the attestations that a tier stands on.
func (p TierPolicy) expiring(t Tier, l look) []Expiry {
	if t == 0 {
		return nil
	}
	var out []Expiry
	add := func(group []Criterion) {
		end := l.lapse(group)
		if !end.Before(never()) {
			return
		}
		then := l // the proof stays as old as it is: whoever proves the hardware every hour goes on
		then.at = end
		left := p.highest(then)
		if left >= t {
			return
		}
		last := l.last(group, end)
		x := Expiry{last.Criterion, last.Issuer, utc(end), t, left}
		if !slices.Contains(out, x) { // one attestation may be in several groups
			out = append(out, x)
		}
	}
	r := p.Tiers[t-1]
	if !r.proved(l) {
		add(hardware())
	}
	for _, group := range r.Compliance {
		add(group)
	}
	slices.SortStableFunc(out, func(a, b Expiry) int { return a.At.Compare(b.At) })
	return out
}

// lines are the single-valued lines of the table in order; compliance, which has groups, stands apart.
func lines() [10]Criterion {
	return [...]Criterion{
		CriterionProof, CriterionAssurance, CriterionMultiplier, CriterionPool, CriterionStake, CriterionOwnerPart,
		CriterionConnectivity, CriterionStanding, CriterionFraud, CriterionSlashes,
	}
}

// hardware is the group of one that may stand in for a proof.
func hardware() []Criterion { return []Criterion{AttestedHardware} }

// met reports whether the evidence meets every line of the rule.
func (r *TierRule) met(l look) bool {
	for _, c := range lines() {
		if !r.meets(c, l) {
			return false
		}
	}
	for _, group := range r.Compliance {
		if !l.attests(group) {
			return false
		}
	}
	return true
}

// meets reports whether the evidence meets one line.
func (r *TierRule) meets(c Criterion, l look) bool {
	e := l.evidence
	switch c {
	case CriterionProof:
		return r.proved(l) || r.AcceptAttestedHardware && l.attests(hardware())
	case CriterionAssurance:
		return e.Assurance >= r.MinAssurance
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
func (r *TierRule) proved(l look) bool {
	proof := l.evidence.HardwareProvedAt
	return !proof.IsZero() && !proof.After(l.proofAt) && !proof.Before(l.proofAt.Add(-r.proofAge()))
}

func (r *TierRule) proofAge() time.Duration { return time.Duration(r.MaxProofAgeSeconds) * time.Second }

// attests reports whether one criterion of the group is attested.
func (l look) attests(group []Criterion) bool {
	for i := range l.evidence.Attestations {
		if a := &l.evidence.Attestations[i]; slices.Contains(group, a.Criterion) && l.counts(a) {
			return true
		}
	}
	return false
}

// counts reports whether the attestation counts.
func (l look) counts(a *Attestation) bool {
	return a.Issuer != "" && !l.at.Before(a.IssuedAt) && l.at.Before(l.end(a)) && accepts(l.issuers, a.Criterion, a.Issuer)
}

// end returns the first instant at which the attestation no longer counts.
func (l look) end(a *Attestation) time.Time {
	end := a.ExpiresAt
	if l.grace > 0 && a.Criterion != AttestedHardware && a.IssuedAt.Before(end) && end.After(l.held) {
		// Not for what stands in for a proof: a challenge can be passed within the hour. Not for what was never in force. The
		// sum does not wrap: time.Add saturates.
		end = end.Add(l.grace)
	}
	if !a.RevokedAt.IsZero() && a.RevokedAt.Before(end) {
		end = a.RevokedAt
	}
	return end
}

// lapse returns the first instant from l.at on at which no criterion of the group is attested, or one from never() on. A
// renewal that begins before the end carries on.
func (l look) lapse(group []Criterion) time.Time {
	for {
		end := l.at
		for i := range l.evidence.Attestations {
			if a := &l.evidence.Attestations[i]; slices.Contains(group, a.Criterion) && l.counts(a) {
				if x := l.end(a); x.After(end) {
					end = x
				}
			}
		}
		if !end.After(l.at) || !end.Before(never()) {
			return end
		}
		l.at = end
	}
}

// last returns the attestation of the group that counts until an instant, to which one does: of several the one of the
// criterion named first in the group, and of the first issuer by name, so that the order of the evidence does not matter.
func (l look) last(group []Criterion, end time.Time) *Attestation {
	l.at = end.Add(-1)
	var last *Attestation
	for i := range l.evidence.Attestations {
		a := &l.evidence.Attestations[i]
		if slices.Contains(group, a.Criterion) && l.counts(a) && (last == nil || precedes(group, a, last) > 0) {
			last = a
		}
	}
	return last
}

// slashes counts every final slash; a slash for fraud is one even where the sender forgot to count it twice.
func (e *Evidence) slashes() uint32 { return max(e.Slashes180d, e.FraudSlashes180d) }

// partUp returns millionths of an amount. Up: against the device, which needs the whole part. A part beyond 64 bits can
// never be held, and the largest amount stands for it.
func partUp(n tokenomics.Amount, ppm uint32) tokenomics.Amount {
	part, err := n.MulDiv(uint64(ppm), fullPPM, tokenomics.Up)
	if err != nil {
		return ^tokenomics.Amount(0)
	}
	return part
}

// never is the first instant that no grade can hold.
func never() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }
