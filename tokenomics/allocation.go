package tokenomics

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

// ErrAllocation is returned for an invalid allocation and for supplies that it cannot have; the message names the bucket
// or the limit.
var ErrAllocation = errors.New("tokenomics: invalid allocation")

// ReleaseKind says how the rest of a [Bucket] becomes free, beyond what is free from the start.
type ReleaseKind uint8

const (
	// ReleaseNone frees nothing: all of the bucket is free from the start.
	ReleaseNone ReleaseKind = iota
	// ReleaseMonthly frees equal tranches at the ends of months.
	ReleaseMonthly
	// ReleaseLinear frees equal parts at equal steps of time.
	ReleaseLinear
	// ReleaseEmission leaves it to the emission: the caller says how much of it was credited.
	ReleaseEmission
)

// String returns "none", "monthly", "linear" or "emission".
func (k ReleaseKind) String() string {
	switch k {
	case ReleaseNone:
		return "none"
	case ReleaseMonthly:
		return "monthly"
	case ReleaseLinear:
		return "linear"
	case ReleaseEmission:
		return "emission"
	}
	return fmt.Sprintf("ReleaseKind(%d)", uint8(k))
}

// MarshalText returns the name of the kind.
func (k ReleaseKind) MarshalText() ([]byte, error) {
	return nameOf(k, k <= ReleaseEmission, ErrAllocation)
}

// UnmarshalText reads what MarshalText returns.
func (k *ReleaseKind) UnmarshalText(text []byte) error {
	return named(k, ReleaseNone, ReleaseEmission, text, ErrAllocation)
}

// MonthlyRelease is a series of tranches at the ends of months. Month 1 begins at [AllocationParams].MonthOne.
type MonthlyRelease struct {
	// FirstMonth is the month at whose end the first tranche is free, from 1 on: 13 is a cliff of a year.
	FirstMonth uint32 `json:"first_month"`
	// EveryMonths is the distance of the tranches in months, from 1 on.
	EveryMonths uint32 `json:"every_months"`
	// Tranches is their number; the last one is free before month 12,000 ends.
	Tranches uint32 `json:"tranches"`
	// CliffMonth holds every tranche that is due earlier back to the end of that month, when they come at once. 0 is none.
	CliffMonth uint32 `json:"cliff_month,omitempty"`
}

// LinearRelease is a series of equal steps between two instants.
type LinearRelease struct {
	// From is when the first step begins; nothing is free yet.
	From time.Time `json:"from"`
	// Until is when all is free: a whole number of steps later, in at most 200 years.
	Until time.Time `json:"until"`
	// Step is the length of a step in whole seconds: 1s is by the second. JSON carries it in nanoseconds.
	Step time.Duration `json:"step_ns"`
	// Cliff holds back what would be free before that instant; the zero time is none.
	Cliff time.Time `json:"cliff,omitzero"`
}

// Bucket is one line of a table of allocation.
type Bucket struct {
	// Name identifies the bucket.
	Name string `json:"name"`
	// Amount is all that belongs to it, above 0.
	Amount Amount `json:"amount"`
	// AtStart is the part that is free from the start on.
	AtStart Amount `json:"at_start"`
	// Release says how the rest becomes free, and which of the two series holds.
	Release ReleaseKind `json:"release"`
	// Monthly belongs to ReleaseMonthly alone.
	Monthly MonthlyRelease `json:"monthly,omitzero"`
	// Linear belongs to ReleaseLinear alone.
	Linear LinearRelease `json:"linear,omitzero"`
}

// AllocationParams is a table of allocation: who owns which part of the cap, and when it becomes free.
type AllocationParams struct {
	// Version names the table.
	Version string `json:"version"`
	// Cap bounds the sum of all buckets; they may leave a part of it unsaid.
	Cap Amount `json:"cap"`
	// Start is when the parts that are free from the start become so: the initial distribution.
	Start time.Time `json:"start"`
	// MonthOne is the first instant of month 1. Month m ends m months later, on the same day of the month and at the
	// same time of the day, UTC, or on the month's last day if that has no such day; what is free at its end is free
	// from that instant on. Months are counted from MonthOne, never from the month before: from January 31 on, month 1
	// ends on February 28 or 29 and month 2 on March 31. With a MonthOne at 00:00 on the first of a month, months are
	// those of the calendar.
	MonthOne time.Time `json:"month_one"`
	// Buckets are in the order of the table, each name once.
	Buckets []Bucket `json:"buckets"`
}

// maxMonths bounds the months of a release: a thousand years.
const maxMonths = 12_000

// Validate returns [ErrAllocation] and what is wrong, or nil.
func (p AllocationParams) Validate() error {
	if p.Version == "" {
		return fmt.Errorf("%w: no version", ErrAllocation)
	}
	for _, t := range []time.Time{p.Start, p.MonthOne} {
		if t.Unix() < 0 || t.Year() > 9999 || t.Nanosecond() != 0 {
			return fmt.Errorf("%w: start or month 1, %s, is not a whole second in the years 1970 to 9999", ErrAllocation,
				t.UTC().Format(time.RFC3339Nano))
		}
	}
	var sum Amount
	seen := make(map[string]bool, len(p.Buckets))
	for i, b := range p.Buckets {
		if b.Name == "" || seen[b.Name] {
			return fmt.Errorf("%w: bucket %d has no name or that of another, %s", ErrAllocation, i+1, quote(b.Name))
		}
		seen[b.Name] = true
		if err := b.validate(); err != nil {
			return fmt.Errorf("%w: bucket %s: %w", ErrAllocation, quote(b.Name), err)
		}
		var err error
		if sum, err = sum.Add(b.Amount); err != nil || sum > p.Cap {
			return fmt.Errorf("%w: with bucket %s the sum exceeds the cap of %s", ErrAllocation, quote(b.Name), p.Cap)
		}
	}
	return nil
}

// genesis returns the part of the bucket that exists from the start, free or not: all but what the emission creates.
func (b Bucket) genesis() Amount {
	if b.Release == ReleaseEmission {
		return b.AtStart
	}
	return b.Amount
}

func (b Bucket) validate() error {
	switch {
	case b.Amount == 0:
		return errors.New("the amount is 0")
	case b.AtStart > b.Amount:
		return fmt.Errorf("%s from the start, the amount is %s", b.AtStart, b.Amount)
	case b.Release > ReleaseEmission:
		return fmt.Errorf("unknown release %d", uint8(b.Release))
	case (b.Release == ReleaseNone) != (b.AtStart == b.Amount):
		return fmt.Errorf("release %s of %s, want one where there is a rest, and only there", b.Release, b.Amount-b.AtStart)
	case b.Release != ReleaseMonthly && b.Monthly != MonthlyRelease{}:
		return fmt.Errorf("release %s with monthly tranches", b.Release)
	case b.Release != ReleaseLinear && b.Linear != LinearRelease{}:
		return fmt.Errorf("release %s with linear steps", b.Release)
	case b.Release == ReleaseMonthly:
		return b.Monthly.validate()
	case b.Release == ReleaseLinear:
		return b.Linear.validate()
	}
	return nil
}

func (r MonthlyRelease) validate() error {
	if r.FirstMonth == 0 || r.EveryMonths == 0 || r.Tranches == 0 {
		return fmt.Errorf("first month %d, every %d months, %d tranches: want all above 0", r.FirstMonth, r.EveryMonths, r.Tranches)
	}
	// 64 bits: each factor has at most 32, and the sum one more.
	last := uint64(r.FirstMonth) + uint64(r.EveryMonths)*uint64(r.Tranches-1)
	if last > maxMonths || r.CliffMonth > maxMonths {
		return fmt.Errorf("months %d and %d, at most %d", last, r.CliffMonth, maxMonths)
	}
	return nil
}

func (r LinearRelease) validate() error {
	const longest int64 = 200 * 366 * 24 * 3600
	length := r.Until.Unix() - r.From.Unix()
	switch {
	case r.From.Unix() < 0 || r.From.Year() > 9999 || r.From.Nanosecond() != 0 || r.Until.Nanosecond() != 0:
		return errors.New("from and until are not whole seconds from 1970 on")
	case length <= 0 || length > longest:
		return fmt.Errorf("%d seconds from begin to end, want 1 to %d", length, longest)
	case r.Step < time.Second || r.Step%time.Second != 0:
		return fmt.Errorf("step %s, want whole seconds", r.Step)
	case length%int64(r.Step/time.Second) != 0:
		return fmt.Errorf("%d seconds are not a whole number of steps of %s", length, r.Step)
	}
	return nil
}

// Allocation answers what of a table of allocation is free at an instant. A rest that is freed in n tranches is free to
//
//	AtStart + floor((Amount - AtStart) * done / n)
//
// after done of them, so that tranches telescope: their sum is the rest to the unit. It never changes and is safe for
// concurrent use.
type Allocation struct{ p AllocationParams }

// NewAllocation checks a table and keeps a copy of it. It fails with [ErrAllocation].
func NewAllocation(p AllocationParams) (*Allocation, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.Buckets = slices.Clone(p.Buckets)
	return &Allocation{p: p}, nil
}

// BucketState is what one bucket has freed at an instant. Unlocked and Locked add up to the amount of the bucket.
type BucketState struct {
	Name             string
	Unlocked, Locked Amount
}

// UnlockedAt returns the state of every bucket at an instant, in the order of the table: before the start nothing is
// free. A bucket that the emission frees counts with its AtStart alone, since only the caller knows the rest.
func (a *Allocation) UnlockedAt(t time.Time) []BucketState {
	out := make([]BucketState, len(a.p.Buckets))
	for i := range a.p.Buckets {
		b := &a.p.Buckets[i]
		free := a.unlocked(b, t)
		out[i] = BucketState{Name: b.Name, Unlocked: free, Locked: b.Amount - free}
	}
	return out
}

// CirculatingAt returns the circulating supply in io.net's definition, what bears no restriction of transfer: the
// buckets' free parts, plus what the emission has credited, minus what was burned. Staked and cooling units count. It
// fails with [ErrAllocation] if more was credited than the buckets of the emission hold, and with [ErrInsufficient] if
// more was burned than is free.
func (a *Allocation) CirculatingAt(t time.Time, credited, burned Amount) (Amount, error) {
	var free, room Amount // no sum overflows: the buckets' amounts together do not
	for i := range a.p.Buckets {
		b := &a.p.Buckets[i]
		free += a.unlocked(b, t)
		if b.Release == ReleaseEmission {
			room += b.Amount - b.AtStart
		}
	}
	if credited > room {
		return 0, fmt.Errorf("%w: %s credited, the emission has %s", ErrAllocation, credited, room)
	}
	return (free + credited).Sub(burned)
}

// LiquidAt returns the circulating supply without what is staked or cools down: what could be sold at once. It fails as
// [Allocation.CirculatingAt] does, and with [ErrInsufficient] if more is bonded than circulates.
func (a *Allocation) LiquidAt(t time.Time, credited, burned, bonded Amount) (Amount, error) {
	free, err := a.CirculatingAt(t, credited, burned)
	if err != nil {
		return 0, err
	}
	return free.Sub(bonded)
}

// Unlock is a part of a bucket that becomes free.
type Unlock struct {
	// At is the first instant at which it is free, in UTC.
	At     time.Time
	Bucket string
	Amount Amount
}

// Unlocks returns every unlock in the order of time, those of one instant in the order of the table: the parts free
// from the start at the start, and what several tranches free at once as one. The parts of a bucket add up to what
// [Allocation.UnlockedAt] says. A linear bucket has an unlock a step, and what the emission frees has none.
func (a *Allocation) Unlocks() iter.Seq[Unlock] {
	return func(yield func(Unlock) bool) {
		next := make([]time.Time, len(a.p.Buckets)) // the zero time: no more
		done := make([]Amount, len(a.p.Buckets))
		for i := range next {
			next[i] = a.after(&a.p.Buckets[i], a.p.Start.Add(-1))
		}
		for {
			first := -1
			for i, t := range next {
				if !t.IsZero() && (first < 0 || t.Before(next[first])) {
					first = i
				}
			}
			if first < 0 {
				return
			}
			b, t := &a.p.Buckets[first], next[first]
			free := a.unlocked(b, t)
			next[first] = a.after(b, t)
			if free > done[first] && !yield(Unlock{At: t, Bucket: b.Name, Amount: free - done[first]}) {
				return
			}
			done[first] = free
		}
	}
}

// unlocked returns what of a bucket is free at t.
func (a *Allocation) unlocked(b *Bucket, t time.Time) Amount {
	if t.Before(a.p.Start) {
		return 0
	}
	n := b.tranches()
	if n == 0 {
		return b.AtStart
	}
	part, err := mulDiv(uint64(b.Amount-b.AtStart), a.done(b, n, t), n, Down)
	if err != nil {
		panic("tokenomics.Allocation: " + err.Error()) // done <= n, so the part is at most the rest
	}
	return b.AtStart + Amount(part)
}

// after returns the first instant later than t at which something of the bucket may become free, the zero time if none.
func (a *Allocation) after(b *Bucket, t time.Time) time.Time {
	if t.Before(a.p.Start) {
		return a.p.Start.UTC()
	}
	n := b.tranches()
	if k := a.done(b, n, t); k < n {
		return a.due(b, k+1)
	}
	return time.Time{}
}

// tranches returns the number of tranches or steps of a bucket.
func (b *Bucket) tranches() uint64 {
	switch b.Release {
	case ReleaseMonthly:
		return uint64(b.Monthly.Tranches)
	case ReleaseLinear:
		return uint64(b.Linear.Until.Unix()-b.Linear.From.Unix()) / uint64(b.Linear.Step/time.Second)
	case ReleaseNone, ReleaseEmission:
	}
	return 0
}

// done returns how many of n tranches are due at t. Due times do not fall, so halving finds it.
func (a *Allocation) done(b *Bucket, n uint64, t time.Time) uint64 {
	var due uint64 // this many are due, and no more than n
	for due < n {
		if k := n - (n-due)/2; a.due(b, k).After(t) { // due < k <= n
			n = k - 1
		} else {
			due = k
		}
	}
	return due
}

// due returns when tranche k, from 1 on, is due.
func (a *Allocation) due(b *Bucket, k uint64) time.Time {
	if b.Release == ReleaseLinear {
		at := time.Unix(b.Linear.From.Unix()+int64(k)*int64(b.Linear.Step/time.Second), 0).UTC()
		if at.Before(b.Linear.Cliff) {
			at = b.Linear.Cliff.UTC()
		}
		return at
	}
	month := uint64(b.Monthly.FirstMonth) + uint64(b.Monthly.EveryMonths)*(k-1)
	return endOfMonth(a.p.MonthOne, int(max(month, uint64(b.Monthly.CliffMonth))))
}

// endOfMonth returns the instant n months after anchor, on the same day or, where the month has none, on its last one.
// time.AddDate would go on into the month after: January 31 and one month is March 3.
func endOfMonth(anchor time.Time, n int) time.Time {
	anchor = anchor.UTC()
	year, month, day := anchor.Date()
	hour, minute, second := anchor.Clock()
	last := time.Date(year, month+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC).Day() // day 0 of a month ends the one before
	return time.Date(year, month+time.Month(n), min(day, last), hour, minute, second, 0, time.UTC)
}
