package reputation

import (
	"math/bits"
	"time"
)

// ages is the newcomers' table in fixed point.
type ages struct {
	established uint32 // seconds
	rows        []AgePrior
}

// find returns the chance in ppm of an outage within 24 hours; ok is false for a subject that is no newcomer.
func (a ages) find(observed uint32, marked bool) (chance uint32, ok bool) {
	if observed >= a.established {
		return 0, false
	}
	for _, row := range a.rows {
		if observed < seconds(row.Until) {
			if marked {
				return row.MarkedPPM, true
			}
			return row.CleanPPM, true
		}
	}
	return 0, false // not reached: the table reaches to established
}

// newcomerOutage is P(outage within the horizon) = 1 - b/(b+T) with b = 24h (1-p)/p: the rate has the law Gamma(1, b), the
// widest one-parameter law (the exponential has the most entropy for its mean) that gives the table's p at 24 hours.
func newcomerOutage(p, horizon uint32) uint64 {
	b, t := newcomerScale(p, horizon)
	if b == 0 {
		return one
	}
	if t == 0 {
		return 0
	}
	q, _ := bits.Div64(t, 0, b+t) // 1 - b/(b+T) = T/(b+T)
	return q
}

// interval is the 5 % and 95 % quantile of the same: -ln(0.95)/b and -ln(0.05)/b are the quantiles of the rate.
func (t *tables) newcomerInterval(p, horizon uint32) (low, high uint64) {
	b, span := newcomerScale(p, horizon)
	if b == 0 {
		return 0, one
	}
	h, l := bits.Mul64(span, logOne)
	if h >= b {
		return 0, one
	}
	ratio, _ := bits.Div64(h, l, b) // T/b, Q16.48
	tail := func(factor uint64) uint64 {
		h, l := bits.Mul64(ratio, factor)
		if h >= 1<<60 {
			return one
		}
		return one - t.exp2neg(h<<4|l>>60)
	}
	return tail(log1by95Q60), tail(log20Q60)
}

// newcomerScale gives b and T, both times p, so that no division is left: below 2^37 and 2^50.
func newcomerScale(p, horizon uint32) (b, t uint64) {
	return 86_400 * uint64(1_000_000-p), uint64(horizon) * uint64(p)
}

// seconds is a duration in whole seconds, for one that Validate has seen.
func seconds(d time.Duration) uint32 { return uint32(d / time.Second) }
