package reputation

import (
	"fmt"
	"time"
)

// ppmOfTime is all of the time in parts per million.
const ppmOfTime = 1_000_000

// BurnRule alerts when lost time eats the error budget too fast, over a long and a short window at once: the long one so that
// a hiccup does not alert, the short one so that an alert ends soon after the loss does (Google, SRE Workbook, "Alerting on
// SLOs"). The burn of a window is the share of it that was lost, divided by the share that the objective allows to be lost.
// Both windows count in full, whatever they hold: time that is excused, or lies before the start, burns nothing.
type BurnRule struct {
	// Name tells one rule of a contract from another, in its alerts too: 1 to 128 bytes.
	Name string `json:"name"`
	// BurnMilli is the burn, in thousandths, that both windows have to exceed: 14,400 spends a budget of 30 days in 50 hours.
	BurnMilli uint32 `json:"burn_milli"`
	// Long and Short are the windows, in whole seconds, Long up to a year (366 days), Short at most Long.
	Long  time.Duration `json:"long_ns"`
	Short time.Duration `json:"short_ns"`
}

// Limits are the seconds that may be lost in the long and in the short window without an alert, under an objective in parts
// per million; an alert needs one more in both. The rule must be one that Contract.Validate accepts under that objective.
func (r BurnRule) Limits(objectivePPM uint32) (long, short uint32) {
	// lost/window > burn/1000 * allowed/10^6 is lost*10^9 > burn*allowed*window, and as lost is whole, lost > the quotient
	// rounded down. The product is below 10^9 * 366 days = 3.2e16, for Validate wants burn*allowed < 10^9.
	rate := uint64(r.BurnMilli) * uint64(ppmOfTime-objectivePPM)
	limit := func(window time.Duration) uint32 { return uint32(rate * uint64(seconds(window)) / 1e9) }
	return limit(r.Long), limit(r.Short)
}

// validate reports the first field that is out of range, or that the rule can never fire under the objective.
func (r BurnRule) validate(objectivePPM uint32) error {
	if r.Name == "" || len(r.Name) > maxText {
		return fmt.Errorf("%w: name has %d bytes, not 1..%d", ErrInvalid, len(r.Name), maxText)
	}
	if err := within("long_ns", r.Long, time.Second, maxSLOWindow); err != nil {
		return err
	}
	if err := within("short_ns", r.Short, time.Second, r.Long); err != nil {
		return err
	}
	allowed := uint64(ppmOfTime - objectivePPM)
	switch {
	case r.BurnMilli == 0:
		return fmt.Errorf("%w: burn_milli is 0: every lost second would alert", ErrInvalid)
	case uint64(r.BurnMilli)*allowed >= 1e9: // a window that is lost from end to end burns 10^6/allowed
		return fmt.Errorf("%w: burn_milli %d never occurs under an objective of %d ppm: a total outage burns %d",
			ErrInvalid, r.BurnMilli, objectivePPM, 1e9/allowed)
	}
	return nil
}

// burn is a rule in seconds.
type burn struct {
	long, short           uint32 // windows
	longLimit, shortLimit uint32 // may be lost in them without an alert
}

func newBurn(r BurnRule, objectivePPM uint32) burn {
	b := burn{long: seconds(r.Long), short: seconds(r.Short)}
	b.longLimit, b.shortLimit = r.Limits(objectivePPM)
	return b
}

// stretch is a time [from, to) that was wholly lost, or in which nothing was, and the time lost before it.
type stretch struct {
	from, to uint32
	lost     bool
	before   *lostTime
}

// within returns the seconds lost in the window that ends at a time in the stretch.
func (x stretch) within(window, at uint32) uint32 {
	begin := at - min(window, at)
	n := x.before.since(begin)
	if x.lost && at > begin {
		n += at - max(begin, x.from)
	}
	return n
}

// exceeded reports whether both windows that end at a time in the stretch hold more lost time than they may.
func (b *burn) exceeded(x stretch, at uint32) bool {
	return x.within(b.short, at) > b.shortLimit && x.within(b.long, at) > b.longLimit
}

// change returns the first second of the stretch from which on the rule is exceeded, or no longer, given that it is at its end
// and was not at its beginning, or the reverse. In a stretch that is lost no window's loss shrinks, and in one that is not none
// grows, so there is one such second, and halving finds it.
func (b *burn) change(x stretch) uint32 {
	low, high := x.from, x.to // not yet at low, so at high
	for high-low > 1 {
		if middle := low + (high-low)/2; b.exceeded(x, middle) == x.lost {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
