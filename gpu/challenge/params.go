package challenge

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Million is the unit of shares and tolerances here: parts per million.
const Million = 1_000_000

// Pings is the number of round trips that are measured before a challenge.
const Pings = 5

// Params are the rules that a verifier judges by.
type Params struct {
	// Tolerance is the share of a model's measured rate that has to be reached, in parts per million, 1 to 1000000. 700000 until
	// a model's spread is known, then up to 900000 (own choice: a power-capped card must not fail).
	Tolerance uint32 `json:"tolerance"`
	// Excess is the multiple of a model's peak from which on a rate is impossible, in parts per million, 1000000 to 2000000.
	// 1050000: boards boost a few per cent above the vendor's figure (own choice).
	Excess uint32 `json:"excess"`
	// RTTBound is the longest round trip that is credited, in ns, 0 to 1 s. 150 ms spans the longest terrestrial routes; more
	// would be time for a relay to a faster device (own choice).
	RTTBound time.Duration `json:"rttBound"`
	// FillTime is how long the table may take, in ns, up to 1 h. An 80 GB table takes about 10 s (estimate).
	FillTime time.Duration `json:"fillTime"`
	// Patience is how long roots may come after the deadline of the rate, so that a slow device's rate is learnt, and how long
	// they may take where there is no measured rate, in ns, up to 1 h (own choice).
	Patience time.Duration `json:"patience"`
	// OpenTime is how long pings and openings may take, in ns, up to 1 h. 2 s: openings of 120 kB over a slow line (own choice).
	OpenTime time.Duration `json:"openTime"`
}

// DefaultParams returns the rules until rates are calibrated.
func DefaultParams() Params {
	return Params{
		Tolerance: 700_000, Excess: 1_050_000, RTTBound: 150 * time.Millisecond,
		FillTime: 5 * time.Minute, Patience: time.Minute, OpenTime: 2 * time.Second,
	}
}

// Validate returns nil or an error that wraps ErrInvalid and names the field and its limit.
func (p Params) Validate() error {
	if err := checkRange("tolerance", uint64(p.Tolerance), 1, Million); err != nil {
		return err
	}
	if err := checkRange("excess", uint64(p.Excess), Million, 2*Million); err != nil {
		return err
	}
	if p.RTTBound < 0 || p.RTTBound > time.Second {
		return fmt.Errorf("%w: rttBound %v, want 0s to 1s", ErrInvalid, p.RTTBound)
	}
	for _, row := range []struct {
		field string
		d     time.Duration
	}{{"fillTime", p.FillTime}, {"patience", p.Patience}, {"openTime", p.OpenTime}} {
		if row.d <= 0 || row.d > time.Hour {
			return fmt.Errorf("%w: %s %v, want above 0s and at most 1h", ErrInvalid, row.field, row.d)
		}
	}
	return nil
}

// Credit is what a deadline is extended by for the line: the least of the round trips, but at most RTTBound. With fewer than
// Pings round trips, or one that is negative, it is zero.
func (p Params) Credit(pings []time.Duration) time.Duration {
	if len(pings) < Pings {
		return 0
	}
	least := p.RTTBound
	for _, d := range pings {
		if d < 0 {
			return 0
		}
		least = min(least, d)
	}
	return least
}

// Deadline is the time that work may take at a rate: work/(rate * Tolerance) + credit, rounded up to a nanosecond. Work is
// Spec.Ops or MemorySpec.Reads, rate is in the same units a second and not 0. A credit below 0 is none. What does not fit is
// the longest Duration.
func (p Params) Deadline(work, rate uint64, credit time.Duration) time.Duration {
	least := max(mulDiv(rate, uint64(p.Tolerance), Million), 1)
	return addTime(takes(work, least), max(credit, 0))
}

// impossible reports whether a rate is above Excess times a peak; 0 is no peak.
func (p Params) impossible(rate, peak uint64) bool {
	return peak > 0 && rate > mulDiv(peak, uint64(p.Excess), Million)
}

// takes is the time that work needs at a rate a second, rounded up.
func takes(work, rate uint64) time.Duration {
	return time.Duration(min(mulDivUp(work, uint64(time.Second), rate), math.MaxInt64))
}

// perSecond is the rate of work done in d, rounded down; of nothing in no time the largest.
func perSecond(work uint64, d time.Duration) uint64 {
	if d <= 0 {
		return math.MaxUint64
	}
	return mulDiv(work, uint64(time.Second), uint64(d))
}

// mulDiv is a*b/c in 128 bits, rounded down; what does not fit is the largest uint64.
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// mulDivUp is mulDiv rounded up.
func mulDivUp(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	lo, carry := bits.Add64(lo, c-1, 0)
	if hi += carry; hi >= c {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, c)
	return q
}

func addTime(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
