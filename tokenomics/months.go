package tokenomics

import (
	"fmt"
	"math/bits"
	"time"
)

// Months spreads a curve whose epochs are calendar months evenly over shorter epochs, hours as a rule: of a month that emits
// E over H epochs, the first j emit floor(E*j/H). A month's epochs add up to the month to the unit, and those of a short
// month emit more each. It never changes and is safe for concurrent use.
type Months struct {
	curve    Curve
	calendar Calendar
	ended    []Epoch  // how many epochs have ended when month n, from 0, begins
	emitted  []Amount // by all months before month n
}

// NewMonths spreads a curve over epochs of the given length. Its month 1 is the calendar month, in UTC, that begins at
// first. It fails with [ErrCalendar] if first is not the beginning of a month or length does not divide a day, and with
// [ErrEmission] if there is no curve or it has more than 12,000 months.
func NewMonths(c Curve, first time.Time, length time.Duration) (*Months, error) {
	const day = 24 * time.Hour
	first = first.UTC()
	calendar := Calendar{Start: first, Length: length}
	if err := calendar.Validate(); err != nil {
		return nil, err
	}
	if first.Day() != 1 || !first.Equal(first.Truncate(day)) {
		return nil, fmt.Errorf("%w: %s is not the beginning of a month", ErrCalendar, first.Format(time.RFC3339))
	}
	if day%length != 0 {
		return nil, fmt.Errorf("%w: epochs of %s do not fill a day", ErrCalendar, length)
	}
	if c == nil || c.Epochs() > 12_000 {
		return nil, fmt.Errorf("%w: there is no curve of at most 12000 months", ErrEmission)
	}
	m := &Months{curve: c, calendar: calendar}
	for n := Epoch(0); n <= c.Epochs(); n++ {
		m.ended = append(m.ended, calendar.Ended(first.AddDate(0, int(n), 0)))
		m.emitted = append(m.emitted, c.Cumulative(n))
	}
	return m, nil
}

// ID returns that of the curve.
func (m *Months) ID() string { return m.curve.ID() }

// Calendar returns the calendar that numbers the short epochs.
func (m *Months) Calendar() Calendar { return m.calendar }

// Epochs returns the last epoch of the last month.
func (m *Months) Epochs() Epoch { return m.ended[len(m.ended)-1] }

// Cumulative returns what epochs 1 to k emit together.
func (m *Months) Cumulative(k Epoch) Amount {
	if k >= m.Epochs() {
		return m.emitted[len(m.emitted)-1]
	}
	// The month in which epoch k is the last that has ended: months are so alike that a guess is off by one at most.
	n := uint64(k) * uint64(len(m.ended)-1) / uint64(m.Epochs())
	for m.ended[n] > k {
		n--
	}
	for m.ended[n+1] <= k {
		n++
	}
	month, j, all := m.emitted[n+1]-m.emitted[n], k-m.ended[n], m.ended[n+1]-m.ended[n]
	hi, lo := bits.Mul64(uint64(month), uint64(j))
	part, _ := bits.Div64(hi, lo, uint64(all)) // j < all: a part of the month is smaller than the month
	return m.emitted[n] + Amount(part)
}

// Emission returns what epoch k emits: 0 for k = 0 and after the last epoch.
func (m *Months) Emission(k Epoch) Amount {
	if k == 0 {
		return 0
	}
	return m.Cumulative(k) - m.Cumulative(k-1)
}
