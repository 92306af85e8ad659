package reputation

import "math/bits"

const (
	maxMemories = 3
	maxEvents   = 1 << 60 // Q32.32: E stops at 2^28 outages, which keeps every product below within 128 bits
	maxHorizon  = 1 << 30 // seconds, 34 years: a longer horizon is taken for this one
)

// record is the state of one subject, 72 bytes.
type record struct {
	e, u    [maxMemories]uint64 // decayed outages and decayed seconds up, Q32.32, as of asOf
	asOf    uint32              // Unix seconds; between asOf and seen the subject was observed and did not change
	seen    uint32              // last observation
	born    uint32              // first observation
	gaps    uint32              // seconds between born and seen that nobody observed
	outages uint32              // all outages, not decayed
	up      bool                // at seen
	known   bool                // whether it was ever observed
	stock   bool                // whether the last stock counts it, and it has not failed since
}

// observed is the time in seconds over which the subject was observed, up or down.
func (r *record) observed() uint32 { return r.seen - r.born - r.gaps }

// clock is what a model needs of the parameters, in fixed point.
type clock struct {
	memories []memory
	gap      uint32 // seconds
	blend    blend
}

type memory struct {
	rate   uint64 // half-lives in a second, Q0.64
	window uint64 // half-life/ln 2, Q32.32 seconds: the most that U can be
	a, b   uint64 // prior outages and seconds up, Q32.32
	weight uint64 // of a weighted hazard, Q0.64
}

func newClock(t *tables, p Params) clock {
	c := clock{gap: seconds(p.Gap), blend: newBlend(t, p.Hazard)}
	for _, m := range p.Memories {
		h := uint64(seconds(m.HalfLife))
		w, l := bits.Mul64(h<<32, log2eQ62) // h/ln 2 = h log2 e
		c.memories = append(c.memories, memory{
			rate:   one / h,
			window: w<<2 | l>>62,
			a:      (m.PriorMicroOutages<<32 + 500_000) / 1_000_000,
			b:      uint64(seconds(m.PriorUp)) << 32,
			weight: millionths(m.WeightPPM),
		})
	}
	return c
}

// kept is 2^(-dt/h), the share that is not forgotten after dt seconds.
func (m *memory) kept(t *tables, dt uint32) uint64 {
	halvings, rest := bits.Mul64(uint64(dt), m.rate)
	if halvings > 63 {
		return 0
	}
	return t.exp2neg(halvings<<48 | rest>>16)
}

// observe takes an observation at a time not before r.seen and reports whether an outage was counted.
//
// As long as nothing changes only seen moves: exposure is accrued in one closed form when something does. So a subject that
// reports every second and one that reports every hour have the same record to the bit.
func (r *record) observe(t *tables, c *clock, at uint32, up bool) (outage bool) {
	if !r.known {
		*r = record{asOf: at, seen: at, born: at, up: up, known: true}
		return false
	}
	dt := at - r.seen
	if up == r.up && dt <= c.gap {
		r.seen = at
		return false
	}
	r.settle(t, c)
	if dt > c.gap { // nobody looked
		r.advance(t, c, dt, 0)
		r.gaps += dt
	} else {
		r.advance(t, c, dt, 1) // changed somewhere in between: half of the time counts as up
		outage = r.up
	}
	if outage {
		for k := range c.memories {
			r.e[k] = min(r.e[k]+unit, maxEvents)
		}
		r.outages += min(1, ^r.outages) // stops at the largest
	}
	r.asOf, r.seen, r.up = at, at, up
	return outage
}

// settle accrues the time from asOf to seen.
func (r *record) settle(t *tables, c *clock) {
	halves := uint64(0)
	if r.up {
		halves = 2
	}
	r.advance(t, c, r.seen-r.asOf, halves)
	r.asOf = r.seen
}

// advance lets dt seconds pass of which halves/2 were up. Each product is rounded down, by less than 2^-32 of an outage or a
// second: the first for, the second against the subject.
func (r *record) advance(t *tables, c *clock, dt uint32, halves uint64) {
	if dt == 0 {
		return
	}
	for k := range c.memories {
		m := &c.memories[k]
		q := m.kept(t, dt)
		r.e[k] = high(r.e[k], q)
		r.u[k] = high(r.u[k], q) + high(m.window, one-q)*halves/2
	}
}

// until returns the record as it is at a time, to be read; the time since the last observation is unobserved. It changes
// nothing. asOf stays, for the length of the run.
func (r *record) until(t *tables, c *clock, at uint32) record {
	n := *r
	n.settle(t, c)
	if n.known && at > n.seen {
		n.advance(t, c, at-n.seen, 0)
	}
	n.asOf = r.asOf
	return n
}

// rates are log2 of the 5 % and of the 95 % quantile of the rate of outages a second, Q16.48.
//
// A decayed count is worth more than its weights add up to: the effective sample of weights w is (sum w)²/(sum w²), which
// is 2/(1 + 2^(-age/h)) times as large, so E and U are scaled by that. Across memories the quantiles of the rate are
// combined as if they moved together, by their geometric mean or by their weights.
func (r *record) rates(t *tables, c *clock) (low, high int64) {
	for k := range c.memories {
		m := &c.memories[k]
		weight := 1<<32 + m.kept(t, r.seen-r.born)>>32 // 1 + 2^(-age/h), Q1.32
		b := t.log2(twiceOver(r.u[k], weight)+m.b) - 32<<48
		l, h := t.quantiles(twiceOver(r.e[k], weight) + m.a)
		switch {
		case !c.blend.weighted:
			low, high = low+l-b, high+h-b
		case k < len(c.memories)-1:
			low, high = low+share(l-b, m.weight), high+share(h-b, m.weight)
		default:
			// What the longest memory does not know counts whole, whatever the weight of what it says.
			mean := t.log2(twiceOver(r.e[k], weight)+m.a) - 32<<48
			low, high = low+share(mean-b, m.weight)+l-mean, high+share(mean-b, m.weight)+h-mean
		}
	}
	if n := int64(len(c.memories)); !c.blend.weighted {
		low, high = low/n, high/n
	}
	return low, high
}

// twiceOver is 2v/weight for a weight in Q1.32 of at least one.
func twiceOver(v, weight uint64) uint64 {
	h, l := bits.Mul64(v, 1<<33)
	q, _ := bits.Div64(h, l, weight) // v < 2^63, so h < 2^32 <= weight
	return q
}

// hazard is 1 - exp(-rate T) for log2 of the rate a second, Q16.48.
func (t *tables) hazard(rate int64, horizon uint32) uint64 {
	if horizon == 0 {
		return 0
	}
	x := rate + t.log2(uint64(horizon)) + log2log2e // log2 of y in 2^-y
	switch {
	case x >= 6<<48: // 2^-64 is none
		return one
	case x < -49<<48:
		return 0
	}
	return one - t.exp2neg(t.exp2(x))
}
