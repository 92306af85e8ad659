package gpu

import (
	"fmt"
	"time"
)

// Params are the rules of a Registry.
type Params struct {
	// Version names this set of numbers. Whoever changes a number changes the version.
	Version string `json:"version"`
	// Skew is how far a report's Sent may lie from the verifier's clock, either way, in nanoseconds: room for a clock that
	// is off by some seconds and for a slow line. More lets a report be held back for longer.
	Skew time.Duration `json:"skew_ns"`
	// ConsistentFor is how long an admitted inventory keeps its devices Consistent, in nanoseconds. A day: longer than an
	// agent is ever silent and still honest, short enough that hardware that was sold is forgotten.
	ConsistentFor time.Duration `json:"consistent_for_ns"`
	// ProvenFor is how long a passed challenge of work and memory counts, in nanoseconds. A day, so that one challenge at
	// an unforeseeable time keeps a device Proven; io.net asks hourly.
	ProvenFor time.Duration `json:"proven_for_ns"`
	// AttestedFor is how long verified attestation evidence counts, in nanoseconds.
	AttestedFor time.Duration `json:"attested_for_ns"`
}

// Default returns the numbers that the package's authors propose: no network publishes its own.
func Default() Params {
	const day = 24 * time.Hour
	return Params{Version: "idlegrid/2", Skew: 30 * time.Second, ConsistentFor: day, ProvenFor: day, AttestedFor: day}
}

// maxLevelAge is a month: what was shown longer ago says little of today.
const maxLevelAge = 30 * 24 * time.Hour

// Validate reports the first parameter that is out of range.
func (p Params) Validate() error {
	if err := checkText("version", p.Version, true); err != nil {
		return err
	}
	if p.Skew <= 0 || p.Skew > time.Hour {
		return fmt.Errorf("%w: skew_ns %v is not in 1ns..1h", ErrInvalid, p.Skew)
	}
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"consistent_for_ns", p.ConsistentFor}, {"proven_for_ns", p.ProvenFor}, {"attested_for_ns", p.AttestedFor}} {
		if f.d <= 0 || f.d > maxLevelAge {
			return fmt.Errorf("%w: %s %v is not in 1ns..%v", ErrInvalid, f.name, f.d, maxLevelAge)
		}
	}
	return nil
}
