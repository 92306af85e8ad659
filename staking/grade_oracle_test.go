package staking_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
)

// timeline is what is known of a device second by second, and the instants at which anything can happen: every whole
// second, and the nanosecond after it, at which a proof is too old.
type timeline struct {
	policy   staking.TierPolicy
	evidence []staking.Evidence
	changed  []bool // whether the evidence of a second is another than that of the second before
}

func (l timeline) ticks() int { return 2 * len(l.evidence) }

func (l timeline) at(tick int) time.Time {
	return when.Add(time.Duration(tick/2)*time.Second + time.Duration(tick%2))
}

func (l timeline) known(tick int) staking.Evidence { return l.evidence[tick/2] }

// smallTable has three tiers, short spans, and certificates of which the highest tier does not need those of the middle one.
func smallTable(r *rand.Rand) staking.TierPolicy {
	return staking.TierPolicy{
		Version: "small", DwellSeconds: uint32(r.IntN(6)), GraceSeconds: uint32(r.IntN(9)),
		Tiers: []staking.TierRule{
			{Name: "low", MaxProofAgeSeconds: 12},
			{Name: "middle", MaxProofAgeSeconds: 12, MinConnectivity: 1, Compliance: [][]staking.Criterion{
				{staking.TransportEncryption}, {staking.DiskEncryption},
			}},
			{
				Name: "high", MaxProofAgeSeconds: 5, AcceptAttestedHardware: true, MinConnectivity: 1,
				Compliance: [][]staking.Criterion{{staking.SOC2, staking.ISO27001}},
			},
		},
		Issuers: []staking.IssuerRule{{Criterion: staking.SOC2, Accepted: []string{"a"}}},
	}
}

// randomTimeline has a device whose proofs, line and attestations come and go.
func randomTimeline(r *rand.Rand, seconds int) timeline {
	l := timeline{policy: smallTable(r)}
	second := func(n int) time.Time { return when.Add(time.Duration(n) * time.Second) }
	e := staking.Evidence{HardwareProvedAt: when, Connectivity: 1}
	all := []staking.Criterion{
		staking.TransportEncryption, staking.DiskEncryption, staking.SOC2, staking.ISO27001, staking.SOC2, staking.AttestedHardware,
	}
	lapses, trouble := 3+r.IntN(12), 4+r.IntN(40)
	for s := range seconds {
		change := s == 0
		if r.IntN(lapses) > 0 && s%4 == 0 {
			e.HardwareProvedAt, change = second(s+r.IntN(9)/8), true // one in nine lies in the future
		}
		if r.IntN(trouble) == 0 || e.Connectivity == 0 {
			e.Connectivity, change = 1-e.Connectivity, true
		}
		if s == 0 || r.IntN(4) == 0 {
			e.Attestations = slices.Clone(e.Attestations)
			for range 1 + r.IntN(3) {
				a := staking.Attestation{
					Criterion: all[r.IntN(len(all))], Issuer: []string{"a", "a", "a", "b"}[r.IntN(4)],
					IssuedAt: second(s - r.IntN(8) + r.IntN(3)), ExpiresAt: second(s - 3 + r.IntN(18)),
				}
				if r.IntN(6) == 0 {
					a.RevokedAt = second(s + r.IntN(12))
				}
				e.Attestations = append(e.Attestations, a)
			}
			if len(e.Attestations) > 6 {
				e.Attestations = e.Attestations[r.IntN(4):]
			}
			change = true
		}
		l.evidence, l.changed = append(l.evidence, e), append(l.changed, change)
	}
	return l
}

// better is the timeline of a device of which at every second at least as much is known.
func (l timeline) better(r *rand.Rand) timeline {
	out := timeline{policy: l.policy, changed: slices.Repeat([]bool{true}, len(l.evidence))}
	more := randomTimeline(r, len(l.evidence))
	for s, e := range l.evidence {
		e.Attestations = slices.Concat(e.Attestations, more.evidence[s].Attestations)
		e.Connectivity = max(e.Connectivity, more.evidence[s].Connectivity)
		if p := more.evidence[s].HardwareProvedAt; p.After(e.HardwareProvedAt) && !p.After(l.at(2*s)) {
			e.HardwareProvedAt = p
		}
		out.evidence = append(out.evidence, e)
	}
	return out
}

// regrade calls at the chosen ticks and returns the grade of each call by tick.
func (l timeline) regrade(t *testing.T, call func(tick int, g staking.Grade) bool) map[int]staking.Grade {
	var g staking.Grade
	out := map[int]staking.Grade{}
	for tick := range l.ticks() {
		if !call(tick, g) {
			continue
		}
		next, _, err := l.policy.Regrade(g, l.known(tick), l.at(tick))
		require.NoError(t, err)
		require.NoError(t, next.Validate())
		g, out[tick] = next, next
	}
	return out
}

// slowGrades is the obvious twin of Regrade: for every tick it looks at the whole past.
type slowGrades struct {
	timeline
	met     []staking.Tier // what is met at a tick
	reached [][]time.Time  // by tier and tick: when the tier that is held was reached; zero if it is not held
	tiers   []staking.Tier // what is held at a tick
}

func (l timeline) slow() slowGrades {
	s := slowGrades{timeline: l, reached: make([][]time.Time, len(l.policy.Tiers)+1), tiers: make([]staking.Tier, l.ticks())}
	for tick := range l.ticks() {
		s.met = append(s.met, slowTiers{TierPolicy: l.policy}.tier(l.known(tick), l.at(tick), l.at(tick)))
	}
	for k := 1; k <= len(l.policy.Tiers); k++ {
		s.reached[k] = make([]time.Time, l.ticks())
		for tick := range l.ticks() {
			var before time.Time
			if tick > 0 {
				before = s.reached[k][tick-1]
			}
			switch {
			case before.IsZero() && s.firm(staking.Tier(k), tick):
				s.reached[k][tick] = l.at(tick)
			case s.firm(staking.Tier(k), tick), !before.IsZero() && (s.met[tick] >= staking.Tier(k) || s.graced(staking.Tier(k), tick, tick)):
				s.reached[k][tick] = before
			}
			if !s.reached[k][tick].IsZero() {
				s.tiers[tick] = staking.Tier(k)
			}
		}
	}
	return s
}

// firm reports whether a tier is met at every tick of the dwell that ends at this one.
func (s slowGrades) firm(k staking.Tier, tick int) bool {
	begin := s.at(tick).Add(-time.Duration(s.policy.DwellSeconds) * time.Second)
	for i := tick; i >= 0 && !s.at(i).Before(begin); i-- {
		if s.met[i] < k {
			return false
		}
	}
	return !begin.Before(when)
}

// graced reports whether a tier that was held at the tick before, and is not met at this one, is kept at a later instant if
// meanwhile nothing changes but what attestations say by their dates.
func (s slowGrades) graced(k staking.Tier, tick, later int) bool {
	if tick == 0 {
		return false
	}
	reached, grace := s.reached[k][tick-1], time.Duration(s.policy.GraceSeconds)*time.Second
	lapse := tick
	for i := tick; i >= 0 && !s.firm(k, i); i-- {
		if s.met[i] < k {
			lapse = i
		}
	}
	longer := slowTiers{TierPolicy: s.policy, longer: func(a staking.Attestation) time.Duration {
		if a.ExpiresAt.After(reached) && a.ExpiresAt.After(a.IssuedAt) {
			return grace
		}
		return 0
	}}
	for _, rule := range s.policy.Tiers[k-1:] {
		if s.at(later).Before(s.at(lapse).Add(grace)) && len(longer.unmet(rule, s.known(tick), s.at(later), s.at(tick))) == 0 {
			return true
		}
	}
	return false
}

// Regrade agrees with its twin at every instant, whoever calls how often; it never grades better evidence lower.
func FuzzRegrade(f *testing.F) {
	for seed := range uint64(48) {
		f.Add(seed)
	}
	f.Add(uint64(495)) // a certificate that begins during a grace carries it on
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 6))
		l := randomTimeline(r, 48)
		always := l.regrade(t, func(int, staking.Grade) bool { return true })
		slow := l.slow()
		for tick := range l.ticks() {
			g := always[tick]
			require.Equal(t, slow.tiers[tick], g.Tier, "tick %d", tick)
			for k := range g.Steps {
				require.Equal(t, slow.reached[k+1][tick], g.Steps[k].HeldSince, "tick %d, tier %d", tick, k+1)
			}
			if g.Tier <= slow.met[tick] {
				require.True(t, g.GraceUntil.IsZero())
				continue
			}
			lost := tick + 1
			for lost < l.ticks() && slow.graced(g.Tier, tick, lost) {
				lost++
			}
			if lost < l.ticks() {
				require.Equal(t, l.at(lost), g.GraceUntil, "tick %d", tick)
			}
		}

		// Who calls when the evidence changes and when a call is due misses nothing, and further calls make no difference.
		for _, more := range []int{0, 3, 20} {
			seldom := l.regrade(t, func(tick int, g staking.Grade) bool {
				changed := tick%2 == 0 && l.changed[tick/2]
				return changed || !g.Due.IsZero() && !l.at(tick).Before(g.Due) || r.IntN(99) < more
			})
			var last staking.Grade
			for tick := range l.ticks() {
				if g, called := seldom[tick]; called {
					require.Equal(t, always[tick], g, "tick %d, %d %% more calls", tick, more)
					last = g
				}
				require.Equal(t, always[tick].Tier, last.Tier, "tick %d, %d %% more calls", tick, more)
			}
		}

		better := l.better(r).regrade(t, func(int, staking.Grade) bool { return true })
		for tick, g := range better {
			require.GreaterOrEqual(t, g.Tier, always[tick].Tier, "tick %d", tick)
		}
	})
}

// The timelines of FuzzRegrade reach every tier, climb, fall and use graces: the twin is not compared with nothing.
func TestTimelinesAreRich(t *testing.T) {
	var held, graces, climbs, falls [4]int
	for seed := range uint64(200) {
		l := randomTimeline(rand.New(rand.NewPCG(seed, 6)), 48)
		var last staking.Tier
		grades := l.regrade(t, func(int, staking.Grade) bool { return true })
		for tick := range l.ticks() {
			g := grades[tick]
			held[g.Tier]++
			if !g.GraceUntil.IsZero() {
				graces[g.Tier]++
			}
			if g.Tier > last {
				climbs[g.Tier]++
			}
			if g.Tier < last {
				falls[last]++
			}
			last = g.Tier
		}
	}
	for tier := 1; tier <= 3; tier++ {
		require.Greater(t, held[tier], 200, "tier %d", tier)
		require.Greater(t, climbs[tier], 20, "tier %d", tier)
		require.Greater(t, falls[tier], 20, "tier %d", tier)
	}
	require.Greater(t, graces[2], 50)
	require.Greater(t, graces[3], 50)
}

// Whatever JSON a grade is read from, Regrade refuses it or makes a valid grade of it.
func FuzzGrade(f *testing.F) {
	for _, l := range []timeline{randomTimeline(rand.New(rand.NewPCG(1, 6)), 48), randomTimeline(rand.New(rand.NewPCG(2, 6)), 48)} {
		var g staking.Grade
		for tick := range l.ticks() {
			g, _, _ = l.policy.Regrade(g, l.known(tick), l.at(tick))
			text, err := json.Marshal(g)
			require.NoError(f, err)
			f.Add(text)
		}
	}
	policy := smallTable(rand.New(rand.NewPCG(3, 6)))
	f.Fuzz(func(t *testing.T, text []byte) {
		var g staking.Grade
		if json.Unmarshal(text, &g) != nil {
			return
		}
		for _, e := range []staking.Evidence{{}, best()} {
			next, _, err := policy.Regrade(g, e, when.Add(time.Minute))
			if err != nil {
				require.Equal(t, g, next)
				continue
			}
			require.NoError(t, next.Validate())
			_, err = json.Marshal(next)
			require.NoError(t, err)
		}
	})
}
