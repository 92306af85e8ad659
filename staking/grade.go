package staking

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrGrade is wrapped by every error of [Grade.Validate].
var ErrGrade = errors.New("staking: grade")

// Grade is the tier of a device over time: what [TierPolicy.Regrade] made of the evidence so far. It is a value, to be
// stored between two calls; the zero value is that of a device that was never graded. Equal histories have equal grades and
// equal JSON. All instants are in UTC.
type Grade struct {
	// Policy is the version of the table of the last call.
	Policy string `json:"policy"`
	// At is the instant of the last call.
	At time.Time `json:"at"`
	// Tier is the tier that the device has, 0 if it has none.
	Tier Tier `json:"tier"`
	// Candidate is the tier above Tier that the device will have at CandidateAt, if it meets it until then; 0 if it meets
	// none above Tier.
	Candidate Tier `json:"candidate,omitempty"`
	// CandidateAt is when it will have that tier; zero without a candidate.
	CandidateAt time.Time `json:"candidate_at,omitzero"`
	// GraceUntil is the first instant at which the device loses Tier unless it meets it again; zero if it meets Tier now.
	GraceUntil time.Time `json:"grace_until,omitzero"`
	// Due is the first instant after At at which the dates in the evidence or in the grade may change something: a proof
	// becomes too old, an attestation begins or ends, a dwell or a grace is over. Zero if there is none before 2200.
	Due time.Time `json:"due,omitzero"`
	// Steps are the history that counts: Steps[0] is that of tier 1. The last one is not the zero value.
	Steps []GradeStep `json:"steps,omitempty"`
}

// GradeStep is the history of one tier.
type GradeStep struct {
	// MetSince is since when the tier, or a higher one, is met without a break under the present version of the table; zero
	// if it is not met.
	MetSince time.Time `json:"met_since,omitzero"`
	// HeldSince is since when the device has the tier or a higher one; zero if it does not.
	HeldSince time.Time `json:"held_since,omitzero"`
	// LapsedAt is when the tier was first not met since the device last met it for the whole dwell; zero if it did not lapse.
	// A grace is counted from here, and so no renewal that does not last extends it.
	LapsedAt time.Time `json:"lapsed_at,omitzero"`
}

// Validate returns an error if no calls of [TierPolicy.Regrade] can have led to the grade; it wraps [ErrGrade]. Candidate,
// CandidateAt, GraceUntil and Due are not looked at: they follow from the evidence.
func (g Grade) Validate() error {
	switch {
	case g.At.IsZero():
		if g.Policy != "" || g.Tier != 0 || len(g.Steps) != 0 {
			return fmt.Errorf("%w: never graded, and yet not empty", ErrGrade)
		}
		return nil
	case !gradable(g.At):
		return fmt.Errorf("%w: at %s is out of range", ErrGrade, stamp(g.At))
	case g.Policy == "":
		return fmt.Errorf("%w: policy is empty", ErrGrade)
	case len(g.Steps) > math.MaxUint8:
		return fmt.Errorf("%w: %d steps", ErrGrade, len(g.Steps))
	case len(g.Steps) > 0 && g.Steps[len(g.Steps)-1] == GradeStep{}:
		return fmt.Errorf("%w: the last step is empty", ErrGrade)
	case g.Tier != held(g.Steps):
		return fmt.Errorf("%w: tier %d, but the steps hold tier %d", ErrGrade, g.Tier, held(g.Steps))
	}
	for i, s := range g.Steps {
		below := s
		if i > 0 {
			below = g.Steps[i-1]
		}
		if fault := s.fault(below, g.At); fault != "" {
			return fmt.Errorf("%w: step %d: %s", ErrGrade, i+1, fault)
		}
	}
	return nil
}

// fault says what cannot be of a step above another, "" if all can.
func (s GradeStep) fault(below GradeStep, at time.Time) string {
	for _, x := range []struct {
		name     string
		t, below time.Time
	}{{"met_since", s.MetSince, below.MetSince}, {"held_since", s.HeldSince, below.HeldSince}, {"lapsed_at", s.LapsedAt, s.HeldSince}} {
		switch {
		case x.t.IsZero():
		case !gradable(x.t) || x.t.After(at):
			return x.name + " is out of range"
		case x.below.IsZero() || x.below.After(x.t):
			return x.name + " comes too early" // a tier is not met or held before the one below it, and lapses when it is held
		}
	}
	switch {
	case !s.HeldSince.IsZero() && s.MetSince.IsZero() && s.LapsedAt.IsZero():
		return "held, not met, and yet not lapsed"
	case !s.HeldSince.IsZero() && !below.LapsedAt.IsZero() && (s.LapsedAt.IsZero() || s.LapsedAt.After(below.LapsedAt)):
		return "the tier below lapsed first" // what does not meet a tier does not meet the next one
	}
	return ""
}

// held returns the highest tier that is held.
func held(steps []GradeStep) Tier {
	for i := len(steps); i > 0; i-- {
		if !steps[i-1].HeldSince.IsZero() {
			return Tier(i)
		}
	}
	return 0
}

// gradable reports whether an instant is one that a grade can hold.
func gradable(t time.Time) bool { return t.UTC().Year() >= 1900 && t.Before(never()) }

// Regrade returns the grade of a device that had grade g and of which e is known at an instant, and the assessment of that
// instant. The returned assessment is that of [TierPolicy.Assess], except that during a grace the shortfalls are those of
// the tier that is kept: what to cure before GraceUntil.
//
// The rules, for every tier:
//
//   - It is reached when it, or a higher one, has been met without a break for DwellSeconds, both ends included.
//   - It is lost at the first instant at which it is not met, except for a grace.
//   - Grace: a tier that is held is kept while it would be met if compliance attestations counted for GraceSeconds longer,
//     except those that ended when the device did not have the tier yet, and those that were revoked. All the same it is lost
//     GraceSeconds after it was first not met, unless it has been met for the whole dwell again meanwhile.
//   - A table of another version holds at once: what it does not grant is lost, tiers that are held and met are kept, and
//     whoever climbs dwells anew, because what the old table asked for says nothing about the new one.
//
// A call knows the evidence of its instant. What it found is taken to hold until the next call: a tier may so be reached
// between two calls. Therefore a caller that regrades when the evidence changes, and at Grade.Due, misses nothing; further
// calls, at whatever instants, change no later grade. Evidence that got worse and better again between two calls was not
// seen. Calls at one instant are allowed; each counts.
//
// An error wraps [ErrGrade] if g is not valid, [ErrTime] if the instant is outside the years 1900 to 2199, or
// [ErrTimeBackwards] if it is before g.At; the grade is then returned as it was. The policy must be valid.
func (p TierPolicy) Regrade(g Grade, e Evidence, at time.Time) (Grade, Assessment, error) {
	if err := g.Validate(); err != nil {
		return g, Assessment{}, err
	}
	at = utc(at)
	switch {
	case !gradable(at):
		return g, Assessment{}, fmt.Errorf("%w: %s", ErrTime, stamp(at))
	case at.Before(g.At):
		return g, Assessment{}, fmt.Errorf("%w: graded at %s, again at %s", ErrTimeBackwards, stamp(g.At), stamp(at))
	}
	a := p.Assess(e, at)
	l := look{evidence: &e, issuers: p.Issuers, at: at, proofAt: at}
	steps := make([]GradeStep, len(p.Tiers))
	copy(steps, g.Steps)
	for i := range steps {
		steps[i] = p.step(steps[i], Tier(i+1), a.Tier, g.Policy == p.Version, l)
	}
	next := Grade{Policy: p.Version, At: at, Tier: held(steps)}
	if t := int(next.Tier); t > int(a.Tier) {
		next.GraceUntil = p.graceUntil(steps[t-1], next.Tier, l)
		a.Shortfalls = p.Tiers[t-1].shortfalls(next.Tier, l)
	}
	next.Candidate, next.CandidateAt = p.candidate(steps, next.Tier)
	next.Due = p.due(next, l)
	for len(steps) > 0 && steps[len(steps)-1] == (GradeStep{}) {
		steps = steps[:len(steps)-1]
	}
	if len(steps) > 0 {
		next.Steps = steps
	}
	return next, a, nil
}

// step carries the history of tier t on to an instant at which the device meets the tier met.
func (p TierPolicy) step(s GradeStep, t, met Tier, sameTable bool, l look) GradeStep {
	s = GradeStep{utc(s.MetSince), utc(s.HeldSince), utc(s.LapsedAt)}
	if !sameTable {
		s.MetSince = time.Time{}
	}
	isMet := t <= met
	if isMet && s.MetSince.IsZero() {
		s.MetSince = l.at
	}
	if !s.MetSince.IsZero() {
		// What was met at the last call was met until now; at this very instant only if it is.
		reached := s.MetSince.Add(p.dwell())
		if reached.Before(l.at) || isMet && reached.Equal(l.at) {
			s.LapsedAt = time.Time{}
			if s.HeldSince.IsZero() {
				s.HeldSince = reached
			}
		}
	}
	if isMet {
		return s
	}
	s.MetSince = time.Time{}
	if s.HeldSince.IsZero() {
		return s
	}
	if s.LapsedAt.IsZero() {
		s.LapsedAt = l.at
	}
	if !l.at.Before(p.graceUntil(s, t, l)) {
		return GradeStep{}
	}
	return s
}

// graceUntil returns the first instant from l.at on at which a tier that is held but not met is lost, if only attestations
// change.
func (p TierPolicy) graceUntil(s GradeStep, t Tier, l look) time.Time {
	l.grace, l.held = p.grace(), s.HeldSince
	end := s.LapsedAt.Add(p.grace())
	for l.at.Before(end) {
		until := l.at
		for i := int(t) - 1; i < len(p.Tiers); i++ { // a higher tier may ask for other certificates
			if r := &p.Tiers[i]; r.met(l) {
				if x := r.lapse(l); x.After(until) {
					until = x
				}
			}
		}
		if !until.After(l.at) {
			break
		}
		l.at = until
	}
	if l.at.Before(end) {
		return l.at
	}
	return end
}

// lapse returns the first instant at which a rule that is met no longer is, if only attestations change.
func (r *TierRule) lapse(l look) time.Time {
	first := never()
	shorten := func(end time.Time) {
		if end.Before(first) {
			first = end
		}
	}
	if !r.proved(l) {
		shorten(l.lapse(hardware()))
	}
	for _, group := range r.Compliance {
		shorten(l.lapse(group))
	}
	return first
}

// candidate returns the tier that is reached next, and when.
func (p TierPolicy) candidate(steps []GradeStep, t Tier) (Tier, time.Time) {
	if int(t) == len(steps) || steps[t].MetSince.IsZero() {
		return 0, time.Time{}
	}
	since := steps[t].MetSince
	for int(t) < len(steps) && steps[t].MetSince.Equal(since) {
		t++
	}
	return t, since.Add(p.dwell())
}

// due returns the first instant after l.at at which a date in the evidence or in the grade may change something.
func (p TierPolicy) due(g Grade, l look) time.Time {
	due := never()
	add := func(t time.Time) {
		if t.After(l.at) && t.Before(due) {
			due = t
		}
	}
	add(g.CandidateAt)
	add(g.GraceUntil)
	proof := l.evidence.HardwareProvedAt
	add(proof)
	for i := range p.Tiers {
		// A proof of exactly this age still counts.
		add(proof.Add(p.Tiers[i].proofAge() + 1))
	}
	for i := range l.evidence.Attestations {
		a := &l.evidence.Attestations[i]
		add(a.IssuedAt)
		add(a.ExpiresAt)
		add(a.RevokedAt)
	}
	if !due.Before(never()) {
		return time.Time{}
	}
	return utc(due)
}

// utc returns the instant in UTC and without a monotonic reading, so that equal instants are equal values.
func utc(t time.Time) time.Time { return t.Round(0).UTC() }
