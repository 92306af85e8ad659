package tokenomics

import "math/bits"

// span is what the sweep of a window found.
type span struct {
	covered   int64  // nanoseconds that have a price
	quorum    int64  // nanoseconds that have one of a quorum
	low, high uint64 // least and largest price; 0 if nothing is covered
	mean      uint64 // time-weighted, rounded down; 0 if nothing is covered
	meanUp    uint64 // 1 if the mean dropped a fraction
}

// view is what an oracle sees at one instant, the brake aside.
type view struct {
	span    span
	median  uint64 // of all fresh quotes; 0 if there is none to trust
	fresh   int
	counted int    // fresh and near the mean
	spot    uint64 // median of those, rounded down; 0 without any
	spotUp  uint64 // 1 if the spot dropped a fraction
	oldest  int64  // when the oldest of those was seen
	spread  uint64 // of all fresh quotes, in basis points
	state   OracleState
}

// view looks at the instant now, which is not before the last event.
func (o *Oracle) view(now int64) view {
	v := view{span: o.sweep(now-int64(o.p.Window), now)}
	var all, near [maxSources]uint64
	v.oldest = now
	for i := range o.feeds {
		f := &o.feeds[i]
		n := len(f.seen) - 1
		if n < 0 || now-f.seen[n] >= int64(o.p.StaleAfter) {
			continue
		}
		all[v.fresh] = f.micro[n]
		v.fresh++
		if !beyond(f.micro[n], v.span.mean, o.p.OutlierBps) { // without a mean, 0, everything is beyond it
			near[v.counted] = f.micro[n]
			v.counted++
			v.oldest = min(v.oldest, f.seen[n])
		}
	}
	v.median = o.price(all[:v.fresh])
	if v.fresh > 0 { // price has sorted them
		low, high := all[0], all[v.fresh-1]
		v.spread = ((high-low)*wholeBps + low - 1) / low
	}
	if v.counted > 0 {
		ascending(near[:v.counted])
		v.spot, v.spotUp = middle(near[:v.counted])
	}
	switch {
	case v.fresh == 0:
		v.state = OracleStale
	case v.fresh < int(o.p.Least), v.span.covered < int64(o.p.Warmup):
		v.state = OracleNoQuorum
	case v.counted < int(o.p.Least):
		v.state = OracleOutlier
	case v.counted < int(o.p.Quorum):
		v.state = OracleDegraded
	default:
		v.state = OracleOK
	}
	return v
}

// sweep goes through the instants of a window at which any source's price changes, in their order.
func (o *Oracle) sweep(from, to int64) span {
	var s span
	var sumHi, sumLo uint64
	var next [maxSources]int // of each feed, the first sample that has not begun
	var quotes [maxSources]uint64
	stale := int64(o.p.StaleAfter)
	for t := from; t < to; {
		until, n := to, 0
		for i := range o.feeds {
			f, k := &o.feeds[i], next[i]
			for k < len(f.seen) && f.seen[k] <= t {
				k++
			}
			next[i] = k
			if k < len(f.seen) {
				until = min(until, f.seen[k])
			}
			if k > 0 && t < f.seen[k-1]+stale {
				until = min(until, f.seen[k-1]+stale)
				quotes[n] = f.micro[k-1]
				n++
			}
		}
		if price := o.price(quotes[:n]); price > 0 {
			s.covered += until - t
			if n >= int(o.p.Quorum) {
				s.quorum += until - t
			}
			if s.low == 0 {
				s.low = price
			}
			s.low, s.high = min(s.low, price), max(s.high, price)
			// 10^15 millionths for 366 days are less than 2^105.
			hi, lo := bits.Mul64(price, uint64(until-t))
			var carry uint64
			sumLo, carry = bits.Add64(sumLo, lo, 0)
			sumHi += hi + carry
		}
		t = until
	}
	if s.covered > 0 {
		// A mean is at most the largest price, so the quotient fits and bits.Div64 cannot panic.
		var rem uint64
		s.mean, rem = bits.Div64(sumHi, sumLo, uint64(s.covered))
		if rem != 0 {
			s.meanUp = 1
		}
	}
	return s
}

// price returns the price that the quotes of one instant make, and sorts them: their median, rounded down; 0 if they are
// too few, or fewer than a quorum and not of one mind, since nobody can say then who is right.
func (o *Oracle) price(quotes []uint64) uint64 {
	ascending(quotes)
	n := len(quotes)
	if n < int(o.p.Least) || n < int(o.p.Quorum) && beyond(quotes[n-1], quotes[0], o.p.OutlierBps) {
		return 0
	}
	m, _ := middle(quotes)
	return m
}

// middle returns the median of ascending quotes, at least one: of an even number the mean of the two in the middle,
// rounded down, and 1 if that dropped a half.
func middle(quotes []uint64) (m, up uint64) {
	n := len(quotes)
	a, b := quotes[(n-1)/2], quotes[n/2]
	return a + (b-a)/2, (b - a) % 2
}

// ascending sorts a few numbers, most of them in order, without an allocation.
func ascending(v []uint64) {
	for i := 1; i < len(v); i++ {
		for k := i; k > 0 && v[k] < v[k-1]; k-- {
			v[k], v[k-1] = v[k-1], v[k]
		}
	}
}
