package tokenomics

import (
	"fmt"
	"time"
)

// OracleState says whether the price of an [Oracle] may be used. The zero value is none.
type OracleState uint8

const (
	// OracleOK means that a quorum of sources agrees with the mean.
	OracleOK OracleState = iota + 1
	// OracleDegraded means that fewer than a quorum do. The price may be used, and whoever uses it should say so.
	OracleDegraded
	// OracleStale means that no source has a fresh quote.
	OracleStale
	// OracleOutlier means that quotes are fresh but too few of them are near the mean: sources disagree, or the market has
	// moved faster than the mean.
	OracleOutlier
	// OracleNoQuorum means that fewer than the least number of sources are fresh, or that the window is covered by less than
	// the warm-up.
	OracleNoQuorum
	// OracleHalted means that the price jumped. It lasts until a whole window after the jump was healthy.
	OracleHalted
)

// Usable reports whether money may be converted in this state: OK and Degraded.
func (s OracleState) Usable() bool { return s == OracleOK || s == OracleDegraded }

// String returns "ok", "degraded", "stale", "outlier", "no quorum" or "halted".
func (s OracleState) String() string {
	switch s {
	case OracleOK:
		return "ok"
	case OracleDegraded:
		return "degraded"
	case OracleStale:
		return "stale"
	case OracleOutlier:
		return "outlier"
	case OracleNoQuorum:
		return "no quorum"
	case OracleHalted:
		return "halted"
	}
	return fmt.Sprintf("OracleState(%d)", uint8(s))
}

// MarshalText returns what String returns, or [ErrOracle].
func (s OracleState) MarshalText() ([]byte, error) {
	return nameOf(s, s >= OracleOK && s <= OracleHalted, ErrOracle)
}

// UnmarshalText reads what MarshalText returns. The receiver is unchanged after an error.
func (s *OracleState) UnmarshalText(text []byte) error {
	return named(s, OracleOK, OracleHalted, text, ErrOracle)
}

// Reading is what an [Oracle] says at one instant.
type Reading struct {
	// At is the instant, in UTC.
	At time.Time `json:"at"`
	// State says whether the prices may be used.
	State OracleState `json:"state"`
	// Spot is the median of the fresh quotes that are near the mean, rounded down, seen when the oldest of them was. It is
	// zero if there is none.
	Spot Price `json:"spot"`
	// TWAP is the time-weighted mean over the window that ends At, rounded down. It is zero if the window is empty.
	TWAP Price `json:"twap"`
	// Sources is how many quotes Spot is made of, Fresh how many are fresh, outliers included.
	Sources uint32 `json:"sources"`
	Fresh   uint32 `json:"fresh"`
	// Samples is how many quotes of all sources are kept for the window.
	Samples uint32 `json:"samples"`
	// SpreadBps is how far apart the fresh quotes are, (largest - least) / least, in basis points, rounded up.
	SpreadBps uint64 `json:"spread_bps"`
	// Window is how much of the window has a price. JSON carries it in nanoseconds.
	Window time.Duration `json:"window_ns"`

	spotUp, twapUp uint64 // 1 where rounding down dropped a fraction
}

// PriceStateError says that an oracle has no price to use. It wraps [ErrPrice].
type PriceStateError struct {
	// State is the state that is not usable.
	State OracleState
	// Sources counted, and Fresh ones were there.
	Sources, Fresh uint32
}

// Error names the state.
func (e *PriceStateError) Error() string {
	return fmt.Sprintf("%s: the oracle is in state %q, %d of %d fresh sources count", ErrPrice, e.State.String(), e.Sources, e.Fresh)
}

// Unwrap returns [ErrPrice].
func (e *PriceStateError) Unwrap() error { return ErrPrice }

// Release returns the price at which dollars that are owed become tokens that are released: the higher of spot and mean,
// rounded up, so that a dip of either never releases too much. It fails with a [*PriceStateError] if no price may be
// used. A Reading that was decoded from JSON has lost whether its prices had fractions, and does not round up.
func (r Reading) Release() (Price, error) {
	if err := r.refuse(); err != nil {
		return Price{}, err
	}
	spot, mean := r.Spot, r.TWAP
	spot.MicroPerToken += r.spotUp
	mean.MicroPerToken += r.twapUp
	if spot.MicroPerToken >= mean.MicroPerToken {
		return spot, nil
	}
	return mean, nil
}

// Credit returns the price at which tokens that are paid in count as dollars: the lower of spot and mean, rounded down,
// so that a peak of either never credits too much. It fails with a [*PriceStateError] if no price may be used.
func (r Reading) Credit() (Price, error) {
	if err := r.refuse(); err != nil {
		return Price{}, err
	}
	if r.Spot.MicroPerToken <= r.TWAP.MicroPerToken {
		return r.Spot, nil
	}
	return r.TWAP, nil
}

func (r Reading) refuse() error {
	if !r.State.Usable() {
		return &PriceStateError{State: r.State, Sources: r.Sources, Fresh: r.Fresh}
	}
	return nil
}
