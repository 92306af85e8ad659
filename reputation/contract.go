package reputation

import (
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const (
	maxSLOWindow = 366 * 24 * time.Hour
	maxBurnRules = 15 // of burn, and one for the budget of a rolling window: a bit each in 16
	maxStretch   = 1 << 20
	bpsOfPaid    = 10_000
	budgetRule   = "budget" // the name of the rule that a rolling window implies
)

// Contract is what is promised of one subject, and what follows if it is not kept. Durations are whole seconds.
type Contract struct {
	// Version names this set of terms. Whoever changes a number changes the version.
	Version string `json:"version"`
	// Scope is what the promise is about, a lease or a device: it is written into every effect.
	Scope Subject `json:"scope"`
	// Tier is the tier of service that was sold. It means nothing here; it is handed on in a Breach, for a table of credits.
	Tier uint8 `json:"tier"`
	// ObjectivePPM is the share of a period that the subject promises to be up, 1 to 1,000,000.
	ObjectivePPM uint32 `json:"objective_ppm"`
	// Window is the period, in nanoseconds. 0 is the calendar month in UTC. Otherwise an hour to 366 days: the budget is then
	// that of the time that ends now, and credits are settled after every such time since the start, so that no second is
	// credited twice.
	Window time.Duration `json:"window_ns"`
	// Ladder has the credits of periods below the objective, the highest bound first; it may be empty.
	Ladder []CreditRow `json:"ladder"`
	// CapBps is the largest credit of a period, in basis points, at most 10,000.
	CapBps uint32 `json:"cap_bps"`
	// Silence is the longest time, in nanoseconds, between two heartbeats that found the subject up in which it counts as up,
	// a second to a day. After a longer one nobody knows, and all of that time counts as lost: doubt is the renter's.
	Silence time.Duration `json:"silence_ns"`
	// Maintenance says what may be announced.
	Maintenance MaintenanceTerms `json:"maintenance"`
	// Burn has the alerts, at most 15, with different names.
	Burn []BurnRule `json:"burn"`
	// MaxStretches is the number of separate stretches of lost time that are remembered, 4 to 2^20, 12 bytes each; they are
	// needed for the longest window and for the current period. When there are more, the two with the least time between
	// them are taken for one, see SLO.
	MaxStretches uint32 `json:"max_stretches"`
}

// CreditRow grants a credit below an uptime.
type CreditRow struct {
	// BelowPPM is the uptime from which on the row grants nothing, at most the objective, 1 at least.
	BelowPPM uint32 `json:"below_ppm"`
	// CreditBps is the credit in basis points of what was paid for the period, 1 to 10,000.
	CreditBps uint32 `json:"credit_bps"`
}

// MaintenanceTerms say which times a supplier may announce in which lost time does not count.
type MaintenanceTerms struct {
	// Notice is the least time between the announcement and the beginning, up to a year (366 days).
	Notice time.Duration `json:"notice_ns"`
	// Budget is the most time that may be announced in any stretch of the length Per, used or not; 0: none may.
	Budget time.Duration `json:"budget_ns"`
	// Per is a second to 366 days, and at least Budget.
	Per time.Duration `json:"per_ns"`
	// Windows is the number of announced times that are remembered, at most 1,000: no more may be announced until one is
	// past for longer than Per.
	Windows uint32 `json:"windows"`
}

// DefaultContract returns the terms that this package proposes. The burn rates and their windows are those of Google's SRE
// Workbook, chapter "Alerting on SLOs": 2 % of a budget of 30 days in an hour and 5 % in six page, 10 % in three days file a
// ticket. The objective is the upper end of what io.net states for enterprise (99.5 to 99.9 %, with credits). All else is a
// choice of ours, for no GPU network publishes such terms: credits of 10, 25 and 100 % below 99.9, 99 and 95 % (AWS, Google
// and Azure have 10, 25 or 30, and 100 %), maintenance with a day's notice of at most 8 hours in 30 days, three heartbeats of
// 30 seconds as the longest silence. Under 99.9 % the fast page is 52 seconds lost in an hour: who looks less often than that, and
// reports no changes in between, is paged for a single restart.
func DefaultContract(scope Subject) Contract {
	return Contract{
		Version:      "idlegrid/slo/1",
		Scope:        scope,
		Tier:         3,
		ObjectivePPM: 999_000,
		Ladder: []CreditRow{
			{BelowPPM: 999_000, CreditBps: 1_000},
			{BelowPPM: 990_000, CreditBps: 2_500},
			{BelowPPM: 950_000, CreditBps: 10_000},
		},
		CapBps:  10_000,
		Silence: 90 * time.Second,
		Maintenance: MaintenanceTerms{
			Notice: 24 * time.Hour, Budget: 8 * time.Hour, Per: 30 * 24 * time.Hour, Windows: 16,
		},
		Burn: []BurnRule{
			{Name: "page-fast", BurnMilli: 14_400, Long: time.Hour, Short: 5 * time.Minute},
			{Name: "page-slow", BurnMilli: 6_000, Long: 6 * time.Hour, Short: 30 * time.Minute},
			{Name: "ticket", BurnMilli: 1_000, Long: 72 * time.Hour, Short: 6 * time.Hour},
		},
		MaxStretches: 512,
	}
}

// Validate reports the first term that is out of range, and every rule that can never fire: under an objective of 930,555 ppm
// or less no outage burns 14.4 times the budget.
func (c Contract) Validate() error {
	if c.Version == "" || len(c.Version) > maxText || c.Scope == "" || len(c.Scope) > maxText {
		return fmt.Errorf("%w: version has %d bytes and scope %d, not 1..%d", ErrInvalid, len(c.Version), len(c.Scope), maxText)
	}
	if c.ObjectivePPM == 0 || c.ObjectivePPM > ppmOfTime {
		return fmt.Errorf("%w: objective_ppm %d is not in 1..10^6", ErrInvalid, c.ObjectivePPM)
	}
	if c.Window != 0 {
		if err := within("window_ns", c.Window, time.Hour, maxSLOWindow); err != nil {
			return err
		}
	}
	if err := within("silence_ns", c.Silence, time.Second, 24*time.Hour); err != nil {
		return err
	}
	if c.MaxStretches < 4 || c.MaxStretches > maxStretch {
		return fmt.Errorf("%w: max_stretches %d is not in 4..2^20", ErrInvalid, c.MaxStretches)
	}
	if err := c.validateLadder(); err != nil {
		return err
	}
	if err := c.Maintenance.validate(); err != nil {
		return fmt.Errorf("maintenance: %w", err)
	}
	if len(c.Burn) > maxBurnRules {
		return fmt.Errorf("%w: %d burn rules are not in 0..%d", ErrInvalid, len(c.Burn), maxBurnRules)
	}
	for i, r := range c.Burn {
		if err := r.validate(c.ObjectivePPM); err != nil {
			return fmt.Errorf("burn %d: %w", i, err)
		}
		same := func(o BurnRule) bool { return o.Name == r.Name }
		if slices.ContainsFunc(c.Burn[:i], same) || c.Window != 0 && r.Name == budgetRule {
			return fmt.Errorf("%w: burn %d: the name %q is taken", ErrInvalid, i, r.Name)
		}
	}
	return nil
}

func (c Contract) validateLadder() error {
	if c.CapBps > bpsOfPaid {
		return fmt.Errorf("%w: cap_bps %d is not in 0..%d", ErrInvalid, c.CapBps, bpsOfPaid)
	}
	last := CreditRow{BelowPPM: c.ObjectivePPM + 1}
	for i, r := range c.Ladder {
		if r.BelowPPM == 0 || r.BelowPPM >= last.BelowPPM {
			return fmt.Errorf("%w: ladder %d: below_ppm %d is not in 1..%d", ErrInvalid, i, r.BelowPPM, last.BelowPPM-1)
		}
		if r.CreditBps <= last.CreditBps || r.CreditBps > bpsOfPaid {
			return fmt.Errorf("%w: ladder %d: credit_bps %d is not in %d..%d", ErrInvalid, i, r.CreditBps, last.CreditBps+1, bpsOfPaid)
		}
		last = r
	}
	return nil
}

func (m MaintenanceTerms) validate() error {
	if err := within("notice_ns", m.Notice, 0, maxSLOWindow); err != nil {
		return err
	}
	if err := within("per_ns", m.Per, time.Second, maxSLOWindow); err != nil {
		return err
	}
	if err := within("budget_ns", m.Budget, 0, m.Per); err != nil {
		return err
	}
	if m.Windows > 1_000 {
		return fmt.Errorf("%w: windows %d is not in 0..1000", ErrInvalid, m.Windows)
	}
	return nil
}

// credit is what a period grants, in basis points: the lowest row that it is below, at most the cap.
func (c Contract) credit(a Attained) uint32 {
	bps := uint32(0)
	for _, r := range c.Ladder {
		if a.Below(r.BelowPPM) {
			bps = r.CreditBps
		}
	}
	return min(bps, c.CapBps)
}

// rules returns the rules of the contract in seconds, with the one that a rolling window implies: its budget is spent when
// more of it is lost than the objective allows, which is a burn above 1 over that window.
func (c Contract) rules() ([]BurnRule, []burn) {
	named := slices.Clone(c.Burn)
	if c.Window != 0 {
		named = append(named, BurnRule{Name: budgetRule, BurnMilli: 1_000, Long: c.Window, Short: c.Window})
	}
	in := make([]burn, len(named))
	for i, r := range named {
		in[i] = newBurn(r, c.ObjectivePPM)
	}
	return named, in
}

// sum is the SHA-256 of the terms.
func (c Contract) sum() [32]byte {
	w := canon.NewWriter("idlegrid/reputation/contract/v1")
	w.String(c.Version)
	w.String(string(c.Scope))
	w.Uint8(c.Tier)
	w.Uint32(c.ObjectivePPM)
	w.Len(len(c.Ladder))
	for _, r := range c.Ladder {
		w.Uint32(r.BelowPPM)
		w.Uint32(r.CreditBps)
	}
	w.Uint32(c.CapBps)
	m := c.Maintenance
	for _, d := range []time.Duration{c.Window, c.Silence, m.Notice, m.Budget, m.Per} {
		w.Int64(int64(d))
	}
	w.Uint32(m.Windows)
	w.Uint32(c.MaxStretches)
	w.Len(len(c.Burn))
	for _, r := range c.Burn {
		w.String(r.Name)
		w.Uint32(r.BurnMilli)
		w.Int64(int64(r.Long))
		w.Int64(int64(r.Short))
	}
	return w.Sum()
}
