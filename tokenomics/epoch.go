package tokenomics

import (
	"errors"
	"fmt"
	"math"
	"time"
)

var (
	// ErrCalendar is returned for a [Calendar] that numbers no epochs.
	ErrCalendar = errors.New("tokenomics: invalid calendar")
	// ErrBeforeStart is returned for an instant before the first epoch.
	ErrBeforeStart = errors.New("tokenomics: before the first epoch")
)

// Epoch is the number of a reward period, counted from 1. The zero value is no epoch.
type Epoch uint32

// Calendar numbers the instants of time: epoch k lasts from Start + (k-1)*Length, included, to Start + k*Length,
// excluded. Epochs follow from time and never from a counter, so that a missed or repeated tick shifts nothing.
type Calendar struct {
	// Start is the instant at which epoch 1 begins, a whole second from 1970 on.
	Start time.Time `json:"start"`
	// Length is how long an epoch lasts: whole seconds, at most 366 days. JSON carries it in nanoseconds.
	Length time.Duration `json:"length_ns"`
}

// Validate returns [ErrCalendar] and what is wrong, or nil.
func (c Calendar) Validate() error {
	const longest = 366 * 24 * time.Hour
	switch {
	case c.Start.Unix() < 0 || c.Start.Year() > 9999:
		return fmt.Errorf("%w: start %s is not in the years 1970 to 9999", ErrCalendar, c.Start.Format(time.RFC3339))
	case c.Start.Nanosecond() != 0:
		return fmt.Errorf("%w: start %s is not a whole second", ErrCalendar, c.Start.Format(time.RFC3339Nano))
	case c.Length < time.Second || c.Length > longest || c.Length%time.Second != 0:
		return fmt.Errorf("%w: length %s is not in whole seconds from 1s to %s", ErrCalendar, c.Length, longest)
	}
	return nil
}

// At returns the epoch that holds the instant t. It fails with [ErrBeforeStart], with [ErrOverflow] beyond epoch
// 4,294,967,295, and with [ErrCalendar].
func (c Calendar) At(t time.Time) (Epoch, error) {
	if err := c.Validate(); err != nil {
		return 0, err
	}
	if t.Before(c.Start) {
		return 0, fmt.Errorf("%w: %s, epoch 1 begins %s", ErrBeforeStart,
			t.UTC().Format(time.RFC3339Nano), c.Start.UTC().Format(time.RFC3339))
	}
	// Whole seconds: a time.Duration would saturate after 292 years.
	done := (t.Unix() - c.Start.Unix()) / int64(c.Length/time.Second)
	if done >= math.MaxUint32 {
		return 0, fmt.Errorf("%w: %d epochs lie before %s", ErrOverflow, done, t.UTC().Format(time.RFC3339))
	}
	return Epoch(done + 1), nil
}

// Ended returns how many epochs have ended at the instant t, which is also the number of the last one: 0 before the first
// has, and at most 4,294,967,295. The calendar must be valid.
func (c Calendar) Ended(t time.Time) Epoch {
	// Nanoseconds of t do not count: epochs end at whole seconds.
	seconds := t.Unix() - c.Start.Unix()
	if seconds < 0 {
		return 0
	}
	return Epoch(min(seconds/int64(c.Length/time.Second), math.MaxUint32))
}

// StartOf returns the instant, in UTC, at which epoch k begins, which is also the instant at which k-1 ends. The
// calendar must be valid.
func (c Calendar) StartOf(k Epoch) time.Time {
	seconds := (int64(k) - 1) * int64(c.Length/time.Second)
	return time.Unix(c.Start.Unix()+seconds, 0).UTC()
}
