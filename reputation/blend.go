package reputation

import "math/bits"

// blend is how memories are combined, in fixed point: by the geometric mean of their probabilities, or by weighted hazards.
type blend struct {
	weighted bool
	bias     int64  // log2 of exp(Bias), and of an hour in seconds to the power of r, Q16.48
	run      uint64 // r, Q0.64
	shift    uint32 // seconds
}

func newBlend(t *tables, h Hazard) blend {
	if !h.used() {
		return blend{}
	}
	// An hour in seconds, since the parameters reckon the run in hours.
	b := blend{weighted: true, run: millionths(h.RunPPM), shift: seconds(h.RunShift)}
	b.bias = share(t.log2(3600), b.run)
	nats := uint64(max(h.BiasMicroNats, -h.BiasMicroNats))
	hi, lo := bits.Mul64(nats, log2eQ62>>14)
	q, _ := bits.Div64(hi, lo, 1_000_000) // nats < 2^27, so hi < 2^12
	if h.BiasMicroNats < 0 {
		b.bias -= int64(q)
	} else {
		b.bias += int64(q)
	}
	return b
}

// millionths is ppm as Q0.64, 10^6 as the largest.
func millionths(ppm uint32) uint64 {
	if ppm >= 1e6 {
		return one
	}
	q, _ := bits.Div64(uint64(ppm), 0, 1_000_000)
	return q
}

// share is x times a fraction in Q0.64, rounded towards zero.
func share(x int64, fraction uint64) int64 {
	if x < 0 {
		return -int64(high(uint64(-x), fraction))
	}
	return int64(high(uint64(x), fraction))
}

// term is what the k-th memory adds to the sum that chance is made of, Q16.48: log2 of its probability of an outage within the
// horizon, at most 0, or its weight times log2 of its hazard.
func (r *record) term(t *tables, c *clock, k int, horizon uint32) int64 {
	m := &c.memories[k]
	b := r.u[k] + m.b
	l := uint64(max(t.log2(b+uint64(horizon)<<32)-t.log2(b), 0)) // log2(1 + T/(U+b))
	y, low := bits.Mul64(r.e[k]+m.a, l)
	never := y >= 1<<31                       // the exponent passes 2^15: no chance to stay up
	halvings := min(y, 1<<31-1)<<32 | low>>32 // Q16.48
	switch {
	case c.blend.weighted:
		return share(t.log2(max(halvings, 1))-48<<48-log2log2e, m.weight)
	case never:
		return 0
	}
	return t.log2(max(one-t.exp2neg(halvings), 1)) - 64<<48
}

// runTerm is what the length of the current run adds to that sum, at most 0 beyond an hour.
func (r *record) runTerm(t *tables, c *clock) int64 {
	if !c.blend.weighted {
		return 0
	}
	run := uint64(c.blend.shift)
	if r.up {
		run += uint64(r.seen - r.asOf)
	}
	return -share(t.log2(run), c.blend.run)
}

// chance is the probability of an outage that a sum makes, Q0.64.
func (c *clock) chance(t *tables, sum int64, horizon uint32) uint64 {
	switch {
	case !c.blend.weighted:
		return t.exp2neg(uint64(max(-sum, 0)) / uint64(len(c.memories)))
	case horizon == 0:
		return 0
	}
	return t.hazard(sum+c.blend.bias, 1)
}

// outage is the probability of an outage within the horizon, Q0.64.
func (r *record) outage(t *tables, c *clock, horizon uint32) uint64 {
	sum := r.runTerm(t, c)
	for k := range c.memories {
		sum += r.term(t, c, k, horizon)
	}
	return c.chance(t, sum, horizon)
}

// bound is the same for a quantile of the rate that rates gave.
func (r *record) bound(t *tables, c *clock, rate int64, horizon uint32) uint64 {
	if !c.blend.weighted || horizon == 0 {
		return t.hazard(rate, horizon)
	}
	span := t.log2(uint64(horizon))
	for k := range c.memories {
		rate += share(span, c.memories[k].weight)
	}
	return t.hazard(rate+r.runTerm(t, c)+c.blend.bias, 1)
}
