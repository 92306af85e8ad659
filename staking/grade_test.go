package staking_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
)

const oneDay = 24 * time.Hour

// career is a device that is regraded under the default table, at times after when.
type career struct {
	t      *testing.T
	policy staking.TierPolicy
	grade  staking.Grade
	last   staking.Assessment
}

func newCareer(t *testing.T) *career { return &career{t: t, policy: staking.DefaultTiers()} }

// at regrades with evidence whose hardware was proved just then, and checks what always holds.
func (c *career) at(after time.Duration, e staking.Evidence) staking.Grade {
	c.t.Helper()
	now := when.Add(after)
	e.HardwareProvedAt = now
	before, err := json.Marshal(c.grade)
	require.NoError(c.t, err)
	g, a, err := c.policy.Regrade(c.grade, e, now)
	require.NoError(c.t, err)
	require.NoError(c.t, g.Validate())
	same, err := json.Marshal(c.grade)
	require.NoError(c.t, err)
	require.Equal(c.t, string(before), string(same), "the grade that was passed was changed")
	text, err := json.Marshal(g)
	require.NoError(c.t, err)
	var back staking.Grade
	require.NoError(c.t, json.Unmarshal(text, &back))
	require.Equal(c.t, g, back, "JSON is not canonical")
	c.grade, c.last = g, a
	return g
}

// dwelt is a device that meets tier 4 for a day, and has it.
func dwelt(t *testing.T, e staking.Evidence) *career {
	t.Helper()
	c := newCareer(t)
	require.Equal(t, staking.Tier(0), c.at(0, e).Tier)
	require.Equal(t, staking.Tier(4), c.at(oneDay, e).Tier)
	return c
}

// until is evidence for tier 4 whose certificate ends so long after when; without it, tier 3 is left.
func until(end time.Duration) staking.Evidence { return certified(certificate("bsi", end)) }

func evergreen() staking.Evidence { return until(400 * oneDay) }

func without() staking.Evidence { return certified() }

// A tier is reached when it was met for the whole dwell, to the nanosecond.
func TestDwell(t *testing.T) {
	c := newCareer(t)
	require.Equal(t, staking.Grade{
		Policy: "default-3", At: when, Candidate: 4, CandidateAt: when.Add(oneDay), Due: when.Add(time.Hour + 1),
		Steps: []staking.GradeStep{{MetSince: when}, {MetSince: when}, {MetSince: when}, {MetSince: when}},
	}, c.at(0, evergreen()))
	require.Equal(t, staking.Tier(4), c.last.Tier, "the assessment is of the instant")
	require.Equal(t, staking.Tier(0), c.at(oneDay-1, evergreen()).Tier)
	g := c.at(oneDay, evergreen())
	require.Equal(t, staking.Tier(4), g.Tier)
	require.Equal(t, staking.Tier(0), g.Candidate)
	require.Equal(t, when.Add(oneDay), g.Steps[3].HeldSince)

	// A break of one call starts the dwell anew, also one at its very end.
	for _, at := range []time.Duration{1, 12 * time.Hour, oneDay - 1, oneDay} {
		c = newCareer(t)
		c.at(0, evergreen())
		require.Equal(t, staking.Tier(0), c.at(at, staking.Evidence{}).Tier, at)
		c.at(at+1, evergreen())
		require.Equal(t, staking.Tier(0), c.at(at+oneDay, evergreen()).Tier, at)
		require.Equal(t, staking.Tier(4), c.at(at+1+oneDay, evergreen()).Tier, at)
	}

	// What a call found holds until the next one, and so the tier is held from the end of the dwell on.
	c = newCareer(t)
	c.at(0, evergreen())
	require.Equal(t, when.Add(oneDay), c.at(9*oneDay, evergreen()).Steps[3].HeldSince)
}

// Every tier has its own dwell: what is met on the way up is not lost.
func TestDwellByTier(t *testing.T) {
	c := newCareer(t)
	c.at(0, without())
	g := c.at(12*time.Hour, evergreen())
	require.Equal(t, staking.Tier(3), g.Candidate)
	require.Equal(t, when.Add(oneDay), g.CandidateAt)
	g = c.at(oneDay, evergreen())
	require.Equal(t, staking.Tier(3), g.Tier)
	require.Equal(t, staking.Tier(4), g.Candidate)
	require.Equal(t, when.Add(36*time.Hour), g.CandidateAt)
	require.Equal(t, staking.Tier(3), c.at(36*time.Hour-1, evergreen()).Tier)
	require.Equal(t, staking.Tier(4), c.at(36*time.Hour, evergreen()).Tier)
}

// Whatever is no expired certificate demotes at once, to what is still met, and the way back is a dwell.
func TestDemotion(t *testing.T) {
	for name, change := range map[string]func(*staking.Evidence){
		"stake":        func(e *staking.Evidence) { e.Counted-- },
		"assurance":    func(e *staking.Evidence) { e.Assurance = 0 },
		"connectivity": func(e *staking.Evidence) { e.Connectivity = 0 },
		"multiplier":   func(e *staking.Evidence) { e.MultiplierCenti = 0 },
	} {
		c := dwelt(t, evergreen())
		worse := evergreen()
		change(&worse)
		require.Equal(t, staking.Tier(0), c.at(2*oneDay, worse).Tier, name)
		require.Empty(t, c.grade.Steps, name)
		require.Equal(t, staking.Tier(0), c.at(2*oneDay+1, evergreen()).Tier, name)
		require.Equal(t, staking.Tier(0), c.at(3*oneDay, evergreen()).Tier, name)
		require.Equal(t, staking.Tier(4), c.at(3*oneDay+1, evergreen()).Tier, name)
	}
	c := dwelt(t, evergreen())
	worse := evergreen()
	worse.OwnerPart--
	require.Equal(t, staking.Tier(3), c.at(2*oneDay, worse).Tier)

	// A certificate that is gone, or revoked, is not one that expired.
	require.Equal(t, staking.Tier(3), dwelt(t, evergreen()).at(2*oneDay, without()).Tier)
	revoked := evergreen()
	revoked.Attestations[2].RevokedAt = when.Add(2 * oneDay)
	require.Equal(t, staking.Tier(4), dwelt(t, evergreen()).at(2*oneDay-1, revoked).Tier)
	require.Equal(t, staking.Tier(3), dwelt(t, evergreen()).at(2*oneDay, revoked).Tier)
}

// A tier outlives an expired certificate for the grace, to the nanosecond; meanwhile everything else must hold.
func TestGrace(t *testing.T) {
	const end = 3 * oneDay
	c := dwelt(t, until(end))
	g := c.at(end-1, until(end))
	require.Equal(t, staking.Tier(4), g.Tier)
	require.True(t, g.GraceUntil.IsZero())
	require.Equal(t, when.Add(end), g.Due)

	g = c.at(end, until(end))
	require.Equal(t, staking.Tier(4), g.Tier)
	require.Equal(t, when.Add(end+7*oneDay), g.GraceUntil)
	require.Equal(t, staking.Tier(3), c.last.Tier)
	require.Len(t, c.last.Shortfalls, 1)
	require.Equal(t, "tier 4 needs compliance: SOC 2 or ISO 27001 attested, has SOC 2 expired 2025-07-04T12:00:00Z; renew it",
		c.last.Shortfalls[0].String())
	require.Equal(t, staking.Tier(4), c.at(end+7*oneDay-1, until(end)).Tier)
	g = c.at(end+7*oneDay, until(end))
	require.Equal(t, staking.Tier(3), g.Tier)
	require.True(t, g.GraceUntil.IsZero())

	// Seen late, the grace still counts from the expiry.
	c = dwelt(t, until(end))
	require.Equal(t, when.Add(end+7*oneDay), c.at(end+2*oneDay, until(end)).GraceUntil)
	require.Equal(t, staking.Tier(3), dwelt(t, until(end)).at(end+7*oneDay, until(end)).Tier)

	// What ends when time does needs no grace, and does not wrap.
	e := until(end)
	e.Attestations[0].ExpiresAt = time.Unix(math.MaxInt64-62_135_596_801, 0)
	e.Attestations = append(e.Attestations, e.Attestations[0])
	e.Attestations[3].Criterion = staking.SOC2
	c = dwelt(t, e)
	require.Equal(t, staking.Tier(4), c.at(end, e).Tier)
	require.True(t, c.grade.GraceUntil.IsZero())
	c.policy.Tiers[3].Compliance = [][]staking.Criterion{{staking.SOC2}, {staking.ISO27001}}
	e.Attestations[2].Criterion = staking.ISO27001
	require.Equal(t, when.Add(end+7*oneDay), c.at(end, e).GraceUntil)

	// During the grace another line, or a revocation, demotes at once.
	short := until(end)
	short.OwnerPart--
	c = dwelt(t, until(end))
	c.at(end, until(end))
	require.Equal(t, staking.Tier(3), c.at(end+1, short).Tier)
	require.Equal(t, staking.Tier(3), c.at(end+2, until(end)).Tier, "and the grace is over")
	revoked := until(end)
	revoked.Attestations[2].RevokedAt = when.Add(end + oneDay)
	c = dwelt(t, until(end))
	require.Equal(t, when.Add(end+oneDay), c.at(end, revoked).GraceUntil)
	require.Equal(t, staking.Tier(4), c.at(end+oneDay-1, revoked).Tier)
	require.Equal(t, staking.Tier(3), c.at(end+oneDay, revoked).Tier)
}

// A grace during which a higher tier falls names what that tier needs, not what the tier that is met needs for the next.
func TestGraceShortfalls(t *testing.T) {
	e := until(3 * oneDay)
	e.Attestations = e.Attestations[2:] // neither transport nor disk: tier 1 is met when the certificate is gone
	c := dwelt(t, e)
	require.Equal(t, staking.Tier(4), c.at(3*oneDay, e).Tier)
	require.Equal(t, staking.Tier(1), c.last.Tier)
	require.Len(t, c.last.Shortfalls, 1)
	require.Equal(t, staking.Tier(4), c.last.Shortfalls[0].Tier)
	require.Equal(t, staking.Tier(1), c.at(10*oneDay, e).Tier)
	require.Equal(t, staking.Tier(2), c.last.Shortfalls[0].Tier)
}

// A certificate that ended before the device had the tier gives no grace; one that ended a nanosecond later does.
func TestGraceNeedsTheTier(t *testing.T) {
	for end, want := range map[time.Duration]staking.Tier{oneDay: 3, oneDay + 1: 4} {
		e := certified(certificate("old", end), certificate("new", 5*oneDay))
		c := dwelt(t, e)
		e.Attestations[3].RevokedAt = when.Add(2 * oneDay) // the one that carried the tier is gone
		require.Equal(t, want, c.at(2*oneDay, e).Tier, end)
	}
	// Nor does one that ends in the dwell lift a device that never had the tier.
	c := newCareer(t)
	c.at(0, until(oneDay))
	require.Equal(t, staking.Tier(3), c.at(oneDay, until(oneDay)).Tier)
	c = newCareer(t)
	c.at(0, until(oneDay+1))
	require.Equal(t, staking.Tier(4), c.at(oneDay+1, until(oneDay+1)).Tier, "it was met for the whole dwell, between the calls")
	// Hardware that must be proved every hour knows no grace, also where an attestation stood in for the proof.
	e := evergreen()
	e.Attestations = append(e.Attestations, staking.Attestation{
		Criterion: staking.AttestedHardware, Issuer: "nvidia", IssuedAt: when, ExpiresAt: when.Add(3 * oneDay),
	})
	var g staking.Grade
	var err error
	for at, want := range []staking.Tier{0, 4, 4, 0} {
		g, _, err = staking.DefaultTiers().Regrade(g, e, when.Add(time.Duration(at)*oneDay))
		require.NoError(t, err)
		require.Equal(t, want, g.Tier, at)
	}
	// A date in the past on a certificate that was never in force makes none.
	c = dwelt(t, evergreen())
	e = without()
	e.Attestations = append(e.Attestations, staking.Attestation{
		Criterion: staking.SOC2, Issuer: "bsi", IssuedAt: when.Add(2 * oneDay), ExpiresAt: when.Add(2 * oneDay),
	})
	require.Equal(t, staking.Tier(3), c.at(2*oneDay+1, e).Tier)
}

// Attack: certificates of an hour, each renewed before the grace is over. The grace runs on from the first expiry, and only a
// whole dwell with a certificate begins a new one.
func TestGraceIsNotExtended(t *testing.T) {
	const end = 3 * oneDay
	renewed := func(from, to time.Duration) staking.Evidence {
		return certified(certificate("bsi", end), staking.Attestation{
			Criterion: staking.SOC2, Issuer: "bsi", IssuedAt: when.Add(from), ExpiresAt: when.Add(to),
		})
	}
	c := dwelt(t, until(end))
	c.at(end, until(end))
	for from := end + oneDay; from <= end+6*oneDay; from += oneDay {
		require.True(t, c.at(from, renewed(from, from+time.Hour)).GraceUntil.IsZero())
		require.Equal(t, when.Add(end+7*oneDay), c.at(from+time.Hour, renewed(from, from+time.Hour)).GraceUntil)
	}
	last := renewed(end+6*oneDay+1, end+7*oneDay+1)
	require.Equal(t, staking.Tier(4), c.at(end+7*oneDay-1, last).Tier)
	require.Equal(t, staking.Tier(4), c.at(end+7*oneDay, last).Tier, "met, with a certificate")
	require.Equal(t, staking.Tier(3), c.at(end+7*oneDay+1, last).Tier, "not met, and the grace is used up")

	// A day with a certificate, to the nanosecond.
	for length, want := range map[time.Duration]staking.Tier{oneDay: 3, oneDay + 1: 4} {
		c = dwelt(t, until(end))
		c.at(end, until(end))
		from := end + 7*oneDay - time.Hour
		e := renewed(from, from+length)
		require.Equal(t, staking.Tier(4), c.at(from, e).Tier)
		require.Equal(t, want, c.at(from+length, e).Tier, length)
	}

	// Attack: two certificates that a tier needs together, out of force in turn, never both in force.
	turn := func(transport, disk time.Duration) staking.Evidence {
		e := without()
		e.Attestations[0].ExpiresAt, e.Attestations[1].ExpiresAt = when.Add(transport), when.Add(disk)
		return e
	}
	c = newCareer(t)
	c.at(0, turn(2*oneDay, 8*oneDay))
	require.Equal(t, staking.Tier(3), c.at(oneDay, turn(2*oneDay, 8*oneDay)).Tier)
	require.Equal(t, staking.Tier(3), c.at(2*oneDay, turn(2*oneDay, 8*oneDay)).Tier)
	require.Equal(t, staking.Tier(3), c.at(8*oneDay, turn(99*oneDay, 8*oneDay)).Tier, "transport is renewed, the disk expires")
	require.Equal(t, staking.Tier(3), c.at(9*oneDay-1, turn(99*oneDay, 8*oneDay)).Tier)
	require.Equal(t, staking.Tier(2), c.at(9*oneDay, turn(99*oneDay, 8*oneDay)).Tier)
}

// A table of another version takes at once and gives after a dwell.
func TestRegradeNewTable(t *testing.T) {
	easier := staking.DefaultTiers()
	easier.Version = "easier"
	for i := range easier.Tiers {
		easier.Tiers[i].Compliance = nil
	}
	c := newCareer(t)
	c.at(0, without())
	c.at(23*time.Hour, without())
	c.policy = easier
	g := c.at(23*time.Hour+1, without())
	require.Equal(t, "easier", g.Policy)
	require.Equal(t, staking.Tier(0), g.Tier)
	require.Equal(t, staking.Tier(4), g.Candidate)
	require.Equal(t, staking.Tier(0), c.at(47*time.Hour, without()).Tier, "what was met under the old table does not count")
	require.Equal(t, staking.Tier(4), c.at(47*time.Hour+1, without()).Tier)

	harder := staking.DefaultTiers()
	harder.Version = "harder"
	harder.Tiers[3].Compliance = [][]staking.Criterion{{staking.ISO27001}}
	c = dwelt(t, evergreen())
	c.policy = harder
	require.Equal(t, staking.Tier(3), c.at(oneDay, evergreen()).Tier, "no grace for what is not expired")

	same := staking.DefaultTiers()
	same.Version = "same"
	c = dwelt(t, until(2*oneDay))
	c.policy = same
	require.Equal(t, staking.Tier(4), c.at(oneDay+1, until(2*oneDay)).Tier, "held and met")
	require.Equal(t, when.Add(9*oneDay), c.at(2*oneDay, until(2*oneDay)).GraceUntil, "a new table takes no grace away")

	fewer := staking.DefaultTiers()
	fewer.Version, fewer.Tiers = "fewer", fewer.Tiers[:2]
	c = dwelt(t, evergreen())
	c.policy = fewer
	require.Equal(t, staking.Tier(2), c.at(oneDay+1, evergreen()).Tier)
	require.Len(t, c.grade.Steps, 2)
}

// Without dwell and grace a grade is what Assess says.
func TestRegradeAtOnce(t *testing.T) {
	c := newCareer(t)
	c.policy.DwellSeconds, c.policy.GraceSeconds = 0, 0
	for i, e := range []staking.Evidence{evergreen(), without(), {}, evergreen(), until(1), without()} {
		g := c.at(time.Duration(i), e)
		require.Equal(t, c.last.Tier, g.Tier, i)
		e.HardwareProvedAt = g.At
		require.Equal(t, c.policy.Assess(e, g.At), c.last, i)
		require.True(t, g.GraceUntil.IsZero())
		require.Zero(t, g.Candidate)
	}
}

// A refused call returns the grade as it was.
func TestRegradeRefuses(t *testing.T) {
	c := dwelt(t, evergreen())
	refuse := func(g staking.Grade, at time.Time, want error) {
		t.Helper()
		got, a, err := c.policy.Regrade(g, evergreen(), at)
		require.ErrorIs(t, err, want)
		require.Equal(t, g, got)
		require.Empty(t, a)
	}
	refuse(c.grade, when.Add(oneDay-1), staking.ErrTimeBackwards)
	refuse(staking.Grade{}, time.Time{}, staking.ErrTime)
	refuse(staking.Grade{}, time.Date(1899, 12, 31, 23, 59, 59, 0, time.UTC), staking.ErrTime)
	refuse(staking.Grade{}, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), staking.ErrTime)
	refuse(staking.Grade{Tier: 4}, when, staking.ErrGrade)
	for _, at := range []time.Time{time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2199, 12, 31, 23, 59, 59, 999_999_999, time.UTC)} {
		g, _, err := c.policy.Regrade(staking.Grade{}, evergreen(), at)
		require.NoError(t, err)
		require.NoError(t, g.Validate())
	}

	// The same call again changes nothing, and another zone is the same instant.
	again := c.at(oneDay, evergreen())
	require.Equal(t, again, c.at(oneDay, evergreen()))
	zoned, _, err := c.policy.Regrade(again, evergreen(), when.Add(oneDay).In(time.FixedZone("", 3_600)))
	require.NoError(t, err)
	require.Equal(t, time.UTC, zoned.At.Location())
}

func TestGradeValidate(t *testing.T) {
	require.NoError(t, staking.Grade{}.Validate())
	held := func() staking.Grade { return dwelt(t, evergreen()).at(30*time.Hour, until(29*time.Hour)) }
	require.NoError(t, held().Validate())
	early, late := time.Date(1899, 1, 1, 0, 0, 0, 0, time.UTC), when.Add(31*time.Hour)
	for name, change := range map[string]func(*staking.Grade){
		"never graded, and yet not empty":          func(g *staking.Grade) { g.At = time.Time{} },
		"at 1899-01-01T00:00:00Z is out of range":  func(g *staking.Grade) { g.At = early },
		"policy is empty":                          func(g *staking.Grade) { g.Policy = "" },
		"256 steps":                                func(g *staking.Grade) { g.Steps = make([]staking.GradeStep, 256) },
		"the last step is empty":                   func(g *staking.Grade) { g.Steps = append(g.Steps, staking.GradeStep{}) },
		"tier 3, but the steps hold tier 4":        func(g *staking.Grade) { g.Tier = 3 },
		"step 1: met_since is out of range":        func(g *staking.Grade) { g.Steps[0].MetSince = early },
		"step 1: held_since is out of range":       func(g *staking.Grade) { g.Steps[0].HeldSince = late },
		"step 3: met_since comes too early":        func(g *staking.Grade) { g.Steps[1].MetSince = when.Add(1) },
		"step 2: held_since comes too early":       func(g *staking.Grade) { g.Steps[0].HeldSince = when.Add(25 * time.Hour) },
		"step 4: lapsed_at is out of range":        func(g *staking.Grade) { g.Steps[3].LapsedAt = late },
		"step 4: lapsed_at comes too early":        func(g *staking.Grade) { g.Steps[3].LapsedAt = when },
		"step 4: held, not met, and yet not lapse": func(g *staking.Grade) { g.Steps[3].LapsedAt = time.Time{} },
		"step 4: the tier below lapsed first":      func(g *staking.Grade) { g.Steps[2].LapsedAt = when.Add(25 * time.Hour) },
	} {
		g := held()
		change(&g)
		err := g.Validate()
		require.ErrorIs(t, err, staking.ErrGrade, name)
		require.ErrorContains(t, err, name)
	}
}

// The JSON of a grade is what a network stores: its names are a contract.
func TestGradeJSON(t *testing.T) {
	text, err := json.Marshal(newCareer(t).at(0, certified()))
	require.NoError(t, err)
	require.JSONEq(t, `{"policy": "default-3", "at": "2025-07-01T12:00:00Z", "tier": 0, "candidate": 3,
		"candidate_at": "2025-07-02T12:00:00Z", "due": "2025-07-01T13:00:00.000000001Z", "steps": [
		{"met_since": "2025-07-01T12:00:00Z"}, {"met_since": "2025-07-01T12:00:00Z"}, {"met_since": "2025-07-01T12:00:00Z"}]}`, string(text))
	text, err = json.Marshal(dwelt(t, until(2*oneDay)).at(2*oneDay, until(2*oneDay)))
	require.NoError(t, err)
	require.Contains(t, string(text), `"tier":4,"grace_until":"2025-07-10T12:00:00Z"`)
	require.Contains(t, string(text), `{"held_since":"2025-07-02T12:00:00Z","lapsed_at":"2025-07-03T12:00:00Z"}]`)
}
