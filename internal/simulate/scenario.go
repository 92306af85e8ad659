package simulate

import "fmt"

// Rule is how the network pays its suppliers. The zero value is none.
type Rule uint8

const (
	// Monthly mints io.net's monthly schedule, whatever the price; suppliers get the rent besides.
	Monthly Rule = iota + 1
	// Incentive is the incentive engine: suppliers are owed dollars, and the vaults pay them at the price.
	Incentive
	// BurnMint burns tokens for what renters pay and mints as much for suppliers, beside the schedule.
	BurnMint
)

// String returns "monthly", "engine" or "burn-and-mint".
func (r Rule) String() string {
	switch r {
	case Monthly:
		return "monthly"
	case Incentive:
		return "engine"
	case BurnMint:
		return "burn-and-mint"
	}
	return fmt.Sprintf("Rule(%d)", uint8(r))
}

// MarshalText returns what String returns, or [ErrParams].
func (r Rule) MarshalText() ([]byte, error) {
	if r < Monthly || r > BurnMint {
		return nil, fmt.Errorf("%w: unknown rule %d", ErrParams, uint8(r))
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what MarshalText returns.
func (r *Rule) UnmarshalText(text []byte) error {
	for q := Monthly; q <= BurnMint; q++ {
		if q.String() == string(text) {
			*r = q
			return nil
		}
	}
	return fmt.Errorf("%w: unknown rule %q", ErrParams, text)
}

// Phase is a rule and the month, counted from 0, from which it holds.
type Phase struct {
	From uint32 `json:"from"`
	Rule Rule   `json:"rule"`
}

// Shock multiplies a price or a demand by Keep/1,000,000 in a month, for good. The zero value is no shock.
type Shock struct {
	Month uint32 `json:"month"`
	// KeepPPM is what is left, 1 to 10,000,000; 0 is no shock.
	KeepPPM uint64 `json:"keep_ppm"`
}

// Scenario is one course of events that is simulated.
type Scenario struct {
	// Name is for files, Title for people.
	Name  string `json:"name"`
	Title string `json:"title"`
	// Phases begin with month 0 and follow each other.
	Phases []Phase `json:"phases"`
	// Price and Demand are what happens to the two.
	Price  Shock `json:"price"`
	Demand Shock `json:"demand"`
}

// cutOver is June 2026, in which io.net's incentive engine began (2026-06-11 by third parties' reports), in months from
// July 2024.
const cutOver = 23

// Policies returns the three ways of paying suppliers that are compared.
func Policies() []Scenario {
	return []Scenario{
		{Name: "monthly", Title: "monthly schedule", Phases: []Phase{{0, Monthly}}},
		{Name: "engine", Title: "incentive engine", Phases: []Phase{{0, Monthly}, {cutOver, Incentive}}},
		{Name: "burn-and-mint", Title: "burn-and-mint", Phases: []Phase{{0, BurnMint}}},
	}
}

// Stressed returns s under each of the three stresses that io.net's engine was reported to be tested with: the price
// falls by 50 %, demand by 55 %, or both, in the given month.
func Stressed(s Scenario, month uint32) []Scenario {
	price, demand := Shock{month, 500_000}, Shock{month, 450_000}
	out := []Scenario{s, s, s}
	out[0].Price, out[0].Name, out[0].Title = price, s.Name+"-price", s.Title+", price -50 %"
	out[1].Demand, out[1].Name, out[1].Title = demand, s.Name+"-demand", s.Title+", demand -55 %"
	out[2].Price, out[2].Demand, out[2].Name, out[2].Title = price, demand, s.Name+"-both", s.Title+", both"
	return out
}

// Validate returns [ErrParams] and what is wrong, or nil.
func (s Scenario) Validate() error {
	if s.Name == "" {
		return fmt.Errorf("%w: a scenario without a name", ErrParams)
	}
	for i, ph := range s.Phases {
		if ph.Rule < Monthly || ph.Rule > BurnMint {
			return fmt.Errorf("%w: scenario %q: phase %d: unknown rule %d", ErrParams, s.Name, i, uint8(ph.Rule))
		}
		if i > 0 && ph.From <= s.Phases[i-1].From {
			return fmt.Errorf("%w: scenario %q: phase %d begins in month %d, not after the one before", ErrParams, s.Name, i, ph.From)
		}
	}
	if len(s.Phases) == 0 || s.Phases[0].From != 0 {
		return fmt.Errorf("%w: scenario %q has no phase from month 0", ErrParams, s.Name)
	}
	for _, k := range []Shock{s.Price, s.Demand} {
		if k.KeepPPM > 10*million {
			return fmt.Errorf("%w: scenario %q: a shock that keeps %d ppm, at most %d", ErrParams, s.Name, k.KeepPPM, 10*million)
		}
	}
	return nil
}

func (s Scenario) rule(month uint32) Rule {
	rule := s.Phases[0].Rule
	for _, ph := range s.Phases {
		if ph.From <= month {
			rule = ph.Rule
		}
	}
	return rule
}
