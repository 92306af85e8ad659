package tokenomics

import (
	"fmt"
	"iter"
	"time"

	"github.com/shopspring/decimal"
)

// reportPlaces is the number of decimal places of what is computed for reports.
const reportPlaces = 40

// Projection looks along a curve by time: what exists at an instant, what a day, a month or a year emits, how fast the
// supply grows. Everywhere an epoch counts from its end on, so that the spans of any grouping add up to the same total.
type Projection struct {
	genesis  Amount
	curve    Curve
	calendar Calendar
}

// NewProjection returns the projection of a curve whose epochs are numbered by a calendar, on top of the supply at genesis.
// It fails with [ErrEmission] if there is no curve, with [ErrCalendar], or with [ErrOverflow] if the supply would not fit.
func NewProjection(genesis Amount, c Curve, numbered Calendar) (*Projection, error) {
	if c == nil {
		return nil, fmt.Errorf("%w: there is no curve", ErrEmission)
	}
	if err := numbered.Validate(); err != nil {
		return nil, err
	}
	if _, err := genesis.Add(c.Cumulative(c.Epochs())); err != nil {
		return nil, fmt.Errorf("genesis and all emissions: %w", err)
	}
	return &Projection{genesis: genesis, curve: c, calendar: numbered}, nil
}

// SupplyPoint is the supply at an instant, without burns.
type SupplyPoint struct {
	At time.Time
	// Epoch is the last one that has ended, 0 before the first has.
	Epoch Epoch
	// Emitted is what the epochs up to Epoch have emitted.
	Emitted Amount
	// Supply is Emitted on top of the supply at genesis.
	Supply Amount
}

// At returns the supply at an instant.
func (p *Projection) At(t time.Time) SupplyPoint {
	k := p.calendar.Ended(t)
	c := p.curve.Cumulative(k)
	return SupplyPoint{At: t.UTC(), Epoch: k, Emitted: c, Supply: p.genesis + c}
}

// Period is a span of the calendar in UTC. The zero value is none.
type Period uint8

const (
	// Day begins at midnight.
	Day Period = iota + 1
	// Month begins at midnight of its first day.
	Month
	// Year begins at midnight of the first of January.
	Year
)

// String returns "day", "month" or "year".
func (p Period) String() string {
	switch p {
	case Day:
		return "day"
	case Month:
		return "month"
	case Year:
		return "year"
	}
	return fmt.Sprintf("Period(%d)", uint8(p))
}

// begin returns the beginning of the period that holds an instant, and next that of the one after it.
func (p Period) begin(t time.Time) (begin, next time.Time) {
	y, m, d := t.UTC().Date()
	switch p {
	case Day:
		begin = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		return begin, begin.AddDate(0, 0, 1)
	case Month:
		begin = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		return begin, begin.AddDate(0, 1, 0)
	case Year:
		begin = time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)
		return begin, begin.AddDate(1, 0, 0)
	}
	panic("tokenomics.Projection: " + p.String() + " is no period")
}

// Span is what the epochs emit that end within a period.
type Span struct {
	// From and To bound the period: an epoch belongs to it if it ends after From and not after To.
	From, To time.Time
	// First and Last are its epochs; First is Last + 1 if no epoch ends in it.
	First, Last Epoch
	// Emission is what they emit, Cumulative what all epochs up to Last have emitted.
	Emission, Cumulative Amount
}

// By returns the periods from the one in which the first epoch ends to the one in which the last does, in order. Their
// emissions add up to the total of the curve. It panics on an undefined period.
func (p *Projection) By(period Period) iter.Seq[Span] {
	// The first epoch ends an instant later than it would in the period before it, if at midnight sharp: From is excluded.
	first := p.calendar.StartOf(2).Add(-1)
	from, to := period.begin(first)
	return func(yield func(Span) bool) {
		from, to := from, to
		var before Epoch
		var emitted Amount
		for before < p.curve.Epochs() {
			last := min(p.calendar.Ended(to), p.curve.Epochs())
			c := p.curve.Cumulative(last)
			if !yield(Span{From: from, To: to, First: before + 1, Last: last, Emission: c - emitted, Cumulative: c}) {
				return
			}
			before, emitted = last, c
			from, to = period.begin(to)
		}
	}
}

// InflationRate is how much of the supply a year adds, by both readings in use.
type InflationRate struct {
	// Emission is what the epochs emit that end in the twelve months after the instant.
	Emission Amount
	// OverGenesis is Emission over the supply at genesis, OverSupply that over the supply at the instant, as fractions
	// rounded to 40 places, halves away from zero. Without a supply they are 0.
	OverGenesis, OverSupply decimal.Decimal
}

// Inflation returns the annual inflation at an instant, from what the next twelve calendar months emit.
func (p *Projection) Inflation(t time.Time) InflationRate {
	now, later := p.At(t), p.At(t.UTC().AddDate(1, 0, 0))
	r := InflationRate{Emission: later.Emitted - now.Emitted}
	over := func(base Amount) decimal.Decimal {
		if base == 0 {
			return decimal.Zero
		}
		return r.Emission.Decimal().DivRound(base.Decimal(), reportPlaces)
	}
	r.OverGenesis, r.OverSupply = over(p.genesis), over(now.Supply)
	return r
}
