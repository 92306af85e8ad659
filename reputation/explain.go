package reputation

import (
	"fmt"
	"time"
)

// Explanation says why a probability is what it is, against the identity that nobody ever saw.
//
// Log-odds are ln(P/(1-P)) in whole millionths ("micro-nats"): 693,147 doubles the odds of ending well. The terms come from
// replacing the unknown identity's record by the subject's, one part after the other, so their sum is MicroNats exactly.
type Explanation struct {
	FromPPM   uint32 // Ends.PPM of an identity that nobody ever saw
	ToPPM     uint32 // Ends.PPM of the subject
	MicroNats int64  // log-odds of the subject less those of the unknown identity
	Terms     []Term // age, one for each memory, shortest first, then the signals that the parameters use
}

// Term is one part of an Explanation.
type Term struct {
	// Name is "age", the half-life of a memory ("168h"), "run", "weather", "job", "challenge", "link" or "conduct".
	Name      string
	MicroNats int64 // above 0: in favour of the subject
	// MilliOutages is thousandths of a failure that the part remembers, rounded down: outages, jobs, answers, samples; of age
	// all outages, undecayed; of conduct the sum of the severities.
	MilliOutages uint64
	// MilliGood is thousandths of what went well, of a signal, rounded down.
	MilliGood uint64
	// Exposure is the time up that a memory remembers, rounded down to seconds; of age the time observed.
	Exposure time.Duration
	// Raise says what would raise it.
	Raise string
}

// Explain returns the terms of Score.Ends; ok is false if the subject has not joined. The arguments are those of Score.
func (b *Book) Explain(s Subject, at time.Time, horizon time.Duration) (x Explanation, ok bool) {
	span := wholeHorizon("Explain", horizon)
	i, ok := b.index[s]
	if !ok {
		return Explanation{}, false
	}
	unix := wholeUnix(at)
	r := b.records[i].until(b.tables, &b.clock, unix)
	w, unknown := b.stranger(), &record{}
	n, sum := len(b.clock.memories), int64(0)
	var logs [maxMemories]int64
	for k := range n {
		logs[k] = unknown.term(b.tables, &b.clock, k, span)
		sum += logs[k]
	}
	run := unknown.runTerm(b.tables, &b.clock)
	sum += run
	shock := uint64(0)
	// fail is the chance that a job fails by the sum of the memories, the limit of the age and the signals so far.
	fail := func(limit uint64) uint64 {
		up := either(max(b.clock.chance(b.tables, sum, span), limit), shock)
		return either(either(either(either(up, w.job.point), w.challenge.point), w.link.point), w.conduct)
	}
	last := fail(b.newcomerCap(unknown, span))
	x.FromPPM = 1_000_000 - ppm(last)
	before := b.tables.logit(last)
	x.MicroNats = -before
	limit := b.newcomerCap(&r, span)
	add := func(t Term) {
		last = fail(limit)
		after := b.tables.logit(last)
		t.MicroNats = after - before
		x.Terms = append(x.Terms, t)
		before = after
	}
	add(Term{
		Name: "age", MilliOutages: uint64(r.outages) * 1000, Exposure: time.Duration(r.observed()) * time.Second,
		Raise: b.raiseAge(&r),
	})
	for k := range n {
		sum += r.term(b.tables, &b.clock, k, span) - logs[k]
		add(Term{
			Name:         hours(b.params.Memories[k].HalfLife),
			MilliOutages: high(r.e[k], 1000<<32),
			Exposure:     time.Duration(r.u[k]>>32) * time.Second,
			Raise:        "stay up",
		})
	}
	if b.clock.blend.weighted {
		sum += r.runTerm(b.tables, &b.clock) - run
		t := Term{Name: "run", Raise: "stay up without a break"}
		if r.up {
			t.Exposure = time.Duration(r.seen-r.asOf) * time.Second
		}
		add(t)
	}
	if b.params.Weather.used() {
		if limit == 0 {
			shock = b.shock(span)
		}
		add(Term{Name: "weather", Raise: "nothing: it is everybody's"})
	}
	for _, t := range b.explainWork(i, unix, &w) {
		t.set()
		add(t.Term)
	}
	x.ToPPM = 1_000_000 - ppm(last)
	x.MicroNats += before
	return x, true
}

// raiseAge says what a newcomer waits for.
func (b *Book) raiseAge(r *record) string {
	if left := int64(b.ages.established) - int64(r.observed()); left > 0 {
		return fmt.Sprintf("be observed for %v more", time.Duration(left)*time.Second)
	}
	return "nothing: the subject is established"
}

// workTerm is a signal's term, with what puts the subject's chance in the place of the stranger's.
type workTerm struct {
	Term
	set func()
}

// explainWork returns the terms of the signals in use. Each one's set changes w.
func (b *Book) explainWork(i, at uint32, w *work) []workTerm {
	own := b.work(i, at)
	none := &marks{}
	m := none
	if b.marks[i] != nil {
		m = b.marks[i]
	}
	var out []workTerm
	for _, s := range []struct {
		name, raise string
		law         *law
		counts      *counts
		set         func()
	}{
		{"job", "end paid jobs of other renters well", &b.laws.job, &m.job, func() { w.job = own.job }},
		{"challenge", "answer challenges rightly and in time", &b.laws.challenge, &m.challenge, func() { w.challenge = own.challenge }},
		{"link", "keep the line at its tier", &b.laws.link, &m.link, func() { w.link = own.link }},
	} {
		if !s.law.used() {
			continue
		}
		n := s.counts.until(b.tables, s.law, at)
		out = append(out, workTerm{Term{
			Name: s.name, MilliOutages: high(n.failed, 1000<<32), MilliGood: high(n.good, 1000<<32), Raise: s.raise,
		}, s.set})
	}
	if b.params.Conduct.used() {
		t := Term{Name: "conduct", Raise: "nothing: there are no faults"}
		if n := b.ownerOf[i]; n != nobody && len(b.owners[n].faults) > 0 {
			t.MilliOutages = high(b.mass(&b.owners[n], at), 1000<<32)
			t.Raise = fmt.Sprintf("wait, and work: half a fault is gone after %v and %d GPU-hours of paid work",
				b.params.Conduct.HalfLife, b.params.Conduct.GoodGPUSeconds/3600)
		}
		out = append(out, workTerm{t, func() { w.conduct = own.conduct }})
	}
	return out
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
