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
}

// Default returns the numbers that the package's authors propose: no network publishes its own.
func Default() Params { return Params{Version: "idlegrid/1", Skew: 30 * time.Second} }

// Validate reports the first parameter that is out of range.
func (p Params) Validate() error {
	if err := checkText("version", p.Version, true); err != nil {
		return err
	}
	if p.Skew <= 0 || p.Skew > time.Hour {
		return fmt.Errorf("%w: skew_ns %v is not in 1ns..1h", ErrInvalid, p.Skew)
	}
	return nil
}
