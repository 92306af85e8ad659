package challenge

import (
	"fmt"
	"slices"
	"time"
)

// Rate is what a model does in one arithmetic. Peak is the vendor's figure and bounds from above; the other rates are
// measured with this protocol's own kernels. A measured rate is used only if all that says how it was measured is there.
type Rate struct {
	Model       string `json:"model"`                // exact name that the driver reports, as in package gpu's catalogue
	Kind        Kind   `json:"kind"`                 // arithmetic
	Peak        uint64 `json:"peak,string"`          // dense operations a second, 0: unknown
	PeakSource  string `json:"peakSource,omitempty"` // where Peak is published
	OpsPerSec   uint64 `json:"opsPerSec,string"`     // measured, whole rounds with hashing; 0: not measured
	ReadsPerSec uint64 `json:"readsPerSec,string"`   // measured, entries of 128 bytes; 0: not measured
	Spread      uint32 `json:"spread"`               // (best - worst)/best of the runs, parts per million
	Runs        uint32 `json:"runs"`                 // how many
	Driver      string `json:"driver,omitempty"`     // its version
	Kernel      string `json:"kernel,omitempty"`     // version of the prover's kernel
	Source      string `json:"source,omitempty"`     // who measured it, where it is written down
	Measured    string `json:"measured,omitempty"`   // day, as 2026-01-31
	ClockMHz    uint32 `json:"clockMHz,omitempty"`   // of the SMs under that load
	PowerWatts  uint32 `json:"powerWatts,omitempty"` // limit that was set
}

// Rates is an immutable table, one row for a model and kind. The zero value has no rows.
type Rates struct{ rows []Rate }

// NewRates returns a table of the rows, which it copies. Errors wrap ErrInvalid and name row and field: a rate without
// driver, kernel, source, day, clock, power limit and at least 3 runs is no measurement.
func NewRates(rows []Rate) (*Rates, error) {
	t := &Rates{rows: slices.Clone(rows)}
	slices.SortStableFunc(t.rows, Rate.compare)
	for i, r := range t.rows {
		if err := r.validate(); err != nil {
			return nil, fmt.Errorf("rate of %q, %v: %w", r.Model, r.Kind, err)
		}
		if i > 0 && t.rows[i-1].compare(r) == 0 {
			return nil, fmt.Errorf("%w: rate of %q, %v stands twice", ErrInvalid, r.Model, r.Kind)
		}
	}
	return t, nil
}

// PublishedRates returns the vendors' peaks of a few models. None of them was measured with this protocol, and so none sets a
// deadline: they only bound from above. Int8 is the dense rate.
func PublishedRates() []Rate {
	return []Rate{
		{Model: "NVIDIA A100-SXM4-80GB", Kind: Int8, Peak: 624_000_000_000_000, PeakSource: "NVIDIA A100 Tensor Core GPU datasheet"},
		{Model: "NVIDIA GeForce RTX 4090", Kind: Int8, Peak: 661_000_000_000_000, PeakSource: "NVIDIA Ada GPU architecture whitepaper: 660.6"},
		{Model: "NVIDIA H100 80GB HBM3", Kind: Int8, Peak: 1_979_000_000_000_000, PeakSource: "NVIDIA H100 Tensor Core GPU datasheet, half of the sparse figure"},
		{Model: "NVIDIA H20", Kind: Int8, Peak: 296_000_000_000_000, PeakSource: "NVIDIA H20 datasheet"},
		{Model: "NVIDIA L20", Kind: Int8, Peak: 239_000_000_000_000, PeakSource: "NVIDIA L20 datasheet"},
		{Model: "NVIDIA L40", Kind: Int8, Peak: 362_000_000_000_000, PeakSource: "NVIDIA L40 datasheet, half of the sparse figure"},
	}
}

// Rate returns the row of a model and kind, and false if there is none.
func (t *Rates) Rate(model string, k Kind) (Rate, bool) {
	i, ok := slices.BinarySearchFunc(t.rows, Rate{Model: model, Kind: k}, Rate.compare)
	if !ok {
		return Rate{}, false
	}
	return t.rows[i], true
}

func (r Rate) compare(o Rate) int {
	switch {
	case r.Model < o.Model, r.Model == o.Model && r.Kind < o.Kind:
		return -1
	case r.Model == o.Model && r.Kind == o.Kind:
		return 0
	}
	return 1
}

func (r Rate) validate() error {
	switch {
	case r.Model == "":
		return fmt.Errorf("%w: model is empty", ErrInvalid)
	case r.Kind > Fp16Ints:
		return fmt.Errorf("%w: kind %d, at most %d", ErrInvalid, uint8(r.Kind), Fp16Ints)
	case r.Peak > 0 && r.PeakSource == "":
		return fmt.Errorf("%w: peakSource is empty", ErrInvalid)
	case r.Peak > 0 && r.OpsPerSec > r.Peak:
		return fmt.Errorf("%w: opsPerSec %d, at most the peak of %d", ErrInvalid, r.OpsPerSec, r.Peak)
	case r.OpsPerSec == 0 && r.ReadsPerSec == 0:
		return nil
	}
	for _, f := range []struct{ field, v string }{{"driver", r.Driver}, {"kernel", r.Kernel}, {"source", r.Source}} {
		if f.v == "" {
			return fmt.Errorf("%w: %s is empty, want how the rate was measured", ErrInvalid, f.field)
		}
	}
	if _, err := time.Parse(time.DateOnly, r.Measured); err != nil {
		return fmt.Errorf("%w: measured %q, want a day", ErrInvalid, r.Measured)
	}
	switch {
	case r.Runs < 3:
		return fmt.Errorf("%w: runs %d, want at least 3", ErrInvalid, r.Runs)
	case r.Spread >= Million:
		return fmt.Errorf("%w: spread %d, want below %d", ErrInvalid, r.Spread, Million)
	case r.ClockMHz == 0 || r.PowerWatts == 0:
		return fmt.Errorf("%w: clockMHz %d and powerWatts %d, want both", ErrInvalid, r.ClockMHz, r.PowerWatts)
	}
	return nil
}
