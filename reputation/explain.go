package reputation

import (
	"fmt"
	"time"
)

// Explanation says why a probability is what it is, against the identity that nobody ever saw.
//
// Log-odds are ln(P/(1-P)) in whole millionths ("micro-nats"): 693,147 doubles the odds of staying up. The terms come from
// replacing the unknown identity's record by the subject's, one part after the other, so their sum is MicroNats exactly.
type Explanation struct {
	FromPPM   uint32 // UpPPM of an identity that nobody ever saw
	ToPPM     uint32 // UpPPM of the subject
	MicroNats int64  // log-odds of the subject less those of the unknown identity
	Terms     []Term // first age, then one for each memory, shortest first
}

// Term is one part of an Explanation.
type Term struct {
	Name         string        // "age", or the half-life of a memory: "168h"
	MicroNats    int64         // above 0: in favour of the subject
	MilliOutages uint64        // thousandths of an outage that the part remembers, rounded down; of age: all outages, undecayed
	Exposure     time.Duration // time up that the part remembers, rounded down to seconds; of age: the time observed
}

// Explain returns the terms of Score.UpPPM; ok is false if the subject has not joined. The arguments are those of Score.
func (b *Book) Explain(s Subject, at time.Time, horizon time.Duration) (x Explanation, ok bool) {
	span := wholeHorizon("Explain", horizon)
	i, ok := b.index[s]
	if !ok {
		return Explanation{}, false
	}
	r := b.records[i].until(b.tables, &b.clock, wholeUnix(at))
	unknown := &record{}
	n := len(b.clock.memories)
	var logs [maxMemories]int64
	sum := int64(0)
	for k := range n {
		logs[k] = unknown.logOutage(b.tables, &b.clock, k, span)
		sum += logs[k]
	}
	prior := fromLog(b.tables, sum, n)
	last := max(prior, b.newcomerCap(unknown, span))
	x.FromPPM = 1_000_000 - ppm(last)
	start := b.tables.logit(last)

	limit := b.newcomerCap(&r, span)
	last = max(prior, limit)
	before := b.tables.logit(last)
	x.Terms = append(x.Terms, Term{
		Name: "age", MicroNats: before - start, MilliOutages: uint64(r.outages) * 1000,
		Exposure: time.Duration(r.observed()) * time.Second,
	})
	for k := range n {
		sum += r.logOutage(b.tables, &b.clock, k, span) - logs[k]
		last = max(fromLog(b.tables, sum, n), limit)
		after := b.tables.logit(last)
		x.Terms = append(x.Terms, Term{
			Name:         hours(b.params.Memories[k].HalfLife),
			MicroNats:    after - before,
			MilliOutages: high(r.e[k], 1000<<32),
			Exposure:     time.Duration(r.u[k]>>32) * time.Second,
		})
		before = after
	}
	x.ToPPM = 1_000_000 - ppm(last)
	x.MicroNats = before - start
	return x, true
}

// newcomerCap is the least P(outage) that a record's age allows, 0 for an established subject.
func (b *Book) newcomerCap(r *record, horizon uint32) uint64 {
	if p, newcomer := b.ages.find(r.observed(), r.outages > 0); newcomer {
		return newcomerOutage(p, horizon)
	}
	return 0
}

// hours writes a half-life: "24h", or as Go does if it is not whole hours.
func hours(d time.Duration) string {
	if d%time.Hour != 0 {
		return d.String()
	}
	return fmt.Sprintf("%dh", d/time.Hour)
}
