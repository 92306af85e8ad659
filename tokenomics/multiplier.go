package tokenomics

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

// ErrMultipliers is returned for an invalid table of multipliers.
var ErrMultipliers = errors.New("tokenomics: invalid multipliers")

// Multiplier weighs a model of device, in hundredths: 25 is 0.25. The zero value earns nothing.
type Multiplier uint32

// String returns the multiplier as a number with the places it needs, such as "0.25" or "10".
func (m Multiplier) String() string { return formatFixed(uint64(m), 2, 0) }

// MarshalText returns what String returns.
func (m Multiplier) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a number from 0 to 42,949,672.95 with at most two places, or fails with [ErrFormat] or
// [ErrOverflow].
func (m *Multiplier) UnmarshalText(text []byte) error {
	v, err := parseFixed(string(text), 2)
	if err != nil {
		return err
	}
	if v > 1<<32-1 {
		return fmt.Errorf("%w: multiplier %s", ErrOverflow, quote(string(text)))
	}
	*m = Multiplier(v)
	return nil
}

// MultiplierRow is one model of device before and after the change of the table.
type MultiplierRow struct {
	// Model is the full name that the device's driver reports, such as "NVIDIA RTX A4000" or "Tesla T4". Names are
	// matched exactly.
	Model string `json:"model"`
	// OldPool and Old hold before the change.
	OldPool Pool       `json:"old_pool"`
	Old     Multiplier `json:"old"`
	// NewPool and New hold from the change on; a model that was dropped has NoPool and 0.
	NewPool Pool       `json:"new_pool"`
	New     Multiplier `json:"new"`
	// Note says what is doubtful about the row, if anything.
	Note string `json:"note,omitempty"`
}

// MultiplierParams is a table of multipliers and the instants at which its new column begins to hold.
type MultiplierParams struct {
	// EarnFrom is the instant from which the new column weighs rewards.
	EarnFrom time.Time `json:"earn_from"`
	// StakeFrom is the instant from which the new column sets the stake that a device needs; not before EarnFrom.
	StakeFrom time.Time `json:"stake_from"`
	// Rows are the models, each once.
	Rows []MultiplierRow `json:"rows"`
}

// Validate returns [ErrMultipliers] and what is wrong, or nil.
func (p MultiplierParams) Validate() error {
	if p.StakeFrom.Before(p.EarnFrom) {
		return fmt.Errorf("%w: the new table counts for stake before it counts for rewards", ErrMultipliers)
	}
	seen := make(map[string]bool, len(p.Rows))
	for _, r := range p.Rows {
		switch {
		case r.Model == "":
			return fmt.Errorf("%w: a row has no model", ErrMultipliers)
		case seen[r.Model]:
			return fmt.Errorf("%w: model %q has two rows", ErrMultipliers, r.Model)
		case r.OldPool > PoolCommunity || r.NewPool > PoolCommunity:
			return fmt.Errorf("%w: model %q is in an unknown pool", ErrMultipliers, r.Model)
		case (r.OldPool == NoPool) != (r.Old == 0) || (r.NewPool == NoPool) != (r.New == 0):
			return fmt.Errorf("%w: model %q must have a pool where it has a multiplier, and only there",
				ErrMultipliers, r.Model)
		}
		seen[r.Model] = true
	}
	return nil
}

// MultiplierTable looks multipliers up by model and time. It never changes and is safe for concurrent use.
type MultiplierTable struct {
	p    MultiplierParams
	rows map[string]int
}

// NewMultiplierTable indexes a table. It fails with [ErrMultipliers].
func NewMultiplierTable(p MultiplierParams) (*MultiplierTable, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.Rows = slices.Clone(p.Rows)
	t := &MultiplierTable{p: p, rows: make(map[string]int, len(p.Rows))}
	for i, r := range p.Rows {
		t.rows[r.Model] = i
	}
	return t, nil
}

// Earning returns the multiplier by which a model earns at an instant, and its pool. It reports false for a model that
// is not in the table. A model that was dropped is known, with multiplier 0 and [NoPool].
func (t *MultiplierTable) Earning(model string, at time.Time) (Multiplier, Pool, bool) {
	i, ok := t.rows[model]
	if !ok {
		return 0, NoPool, false
	}
	r := t.p.Rows[i]
	if at.Before(t.p.EarnFrom) {
		return r.Old, r.OldPool, true
	}
	return r.New, r.NewPool, true
}

// Stake returns the multiplier that sets the stake of a model at an instant. It reports false for a model that is not
// in the table.
func (t *MultiplierTable) Stake(model string, at time.Time) (Multiplier, bool) {
	i, ok := t.rows[model]
	if !ok {
		return 0, false
	}
	if at.Before(t.p.StakeFrom) {
		return t.p.Rows[i].Old, true
	}
	return t.p.Rows[i].New, true
}

// All returns every row, in the order of the table.
func (t *MultiplierTable) All() iter.Seq[MultiplierRow] { return slices.Values(t.p.Rows) }
