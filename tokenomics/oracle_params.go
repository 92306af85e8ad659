package tokenomics

import (
	"errors"
	"fmt"
	"time"
)

const (
	maxSources     = 32      // of an oracle: the windows are swept over arrays of this length
	maxFeedSamples = 100_000 // of one source
	sourceBytes    = 64      // of a source's name
)

// ErrOracle is returned for invalid [OracleParams].
var ErrOracle = errors.New("tokenomics: invalid oracle")

// OracleParams says whose quotes an [Oracle] takes and when it trusts them. The durations travel in JSON as nanoseconds.
type OracleParams struct {
	// Version names this set of parameters; a change of any value needs a new one.
	Version string `json:"version"`
	// Sources are the names of those who may quote, each of 1 to 64 bytes, ascending; at most 32. Who speaks for which name
	// is for the caller to prove. As long as fewer than half of the fresh ones lie, no price leaves the range of the others.
	Sources []string `json:"sources"`
	// Quorum is how many fresh sources make a price OK, at least Least and at most all of them.
	Quorum uint32 `json:"quorum"`
	// Least is how many fresh sources still make a price, marked Degraded, as long as they agree within OutlierBps.
	Least uint32 `json:"least"`
	// Window is what the time-weighted mean extends over, at most 366 days. It is also how long the quotes have to be
	// healthy before a halt ends.
	Window time.Duration `json:"window_ns"`
	// StaleAfter is how long a quote counts, at most Window: from its own time, included, to that much later, excluded.
	StaleAfter time.Duration `json:"stale_after_ns"`
	// Warmup is how much of the window the quotes must cover before there is a price, at most Window.
	Warmup time.Duration `json:"warmup_ns"`
	// Spacing is the least time between two quotes of one source. With it the samples that are kept of a source are
	// bounded: see MaxSamples.
	Spacing time.Duration `json:"spacing_ns"`
	// Epoch is the period, counted from 1970, within which the price may move by JumpBps; at most 366 days.
	Epoch time.Duration `json:"epoch_ns"`
	// OutlierBps is how far from the mean, in basis points of it, a quote still counts; 1 to 10,000.
	OutlierBps uint32 `json:"outlier_bps"`
	// JumpBps is how far, in basis points, the median may move from the last one of the epoch before without a halt; 1 to
	// 10,000.
	JumpBps uint32 `json:"jump_bps"`
	// MinMicro is the least price that is believed, in millionths of a dollar a token, at least 1.
	MinMicro uint64 `json:"min_micro"`
	// MaxMicro is the largest one, at most 10^15.
	MaxMicro uint64 `json:"max_micro"`
}

// DefaultOracle returns the parameters that we hold against any sources. io.net publishes nothing about its prices.
func DefaultOracle(sources ...string) OracleParams {
	return OracleParams{
		Version:    "idlegrid/oracle/1",
		Sources:    sources,
		Quorum:     3,                // a median of three is the least that one liar cannot move
		Least:      2,                // our choice: two that agree
		Window:     30 * time.Minute, // the window of Akash's burn-mint equilibrium
		StaleAfter: 5 * time.Minute,  // our choice
		Warmup:     15 * time.Minute, // our choice: half of the window
		Spacing:    5 * time.Second,  // our choice: at most 361 samples of a source
		Epoch:      time.Hour,        // the epoch of io.net's block rewards
		OutlierBps: 150,              // Akash drops what is more than 1.5 % from its mean
		JumpBps:    2_000,            // our choice
		MinMicro:   1_000,            // our choice: a tenth of a cent
		MaxMicro:   1_000_000_000,    // our choice: a thousand dollars
	}
}

// MaxSamples returns how many samples of one source are kept at most: as many as fit into the window by their spacing, and
// the one before it, which may count into it. The parameters must be valid.
func (p OracleParams) MaxSamples() uint64 { return uint64((p.Window-1)/p.Spacing) + 2 }

// Validate returns [ErrOracle] and what is wrong, or nil.
func (p OracleParams) Validate() error {
	const longest = 366 * 24 * time.Hour
	if n := len(p.Sources); p.Version == "" || n == 0 || n > maxSources {
		return fmt.Errorf("%w: version %s with %d sources, want 1 to %d", ErrOracle, quote(p.Version), n, maxSources)
	}
	for i, s := range p.Sources {
		if s == "" || len(s) > sourceBytes || i > 0 && s <= p.Sources[i-1] {
			return fmt.Errorf("%w: source %d, %s, is empty, longer than %d bytes, or out of order",
				ErrOracle, i+1, quote(s), sourceBytes)
		}
	}
	if p.Least == 0 || p.Least > p.Quorum || int64(p.Quorum) > int64(len(p.Sources)) {
		return fmt.Errorf("%w: least %d, quorum %d, %d sources are not in order from 1",
			ErrOracle, p.Least, p.Quorum, len(p.Sources))
	}
	for _, d := range []struct {
		name     string
		is, most time.Duration
	}{
		{"window", p.Window, longest},
		{"staleness", p.StaleAfter, p.Window},
		{"warm-up", p.Warmup, p.Window},
		{"spacing", p.Spacing, p.Window},
		{"epoch", p.Epoch, longest},
	} {
		if d.is <= 0 || d.is > d.most {
			return fmt.Errorf("%w: %s of %s, want more than 0 and at most %s", ErrOracle, d.name, d.is, d.most)
		}
	}
	switch {
	case p.MaxSamples() > maxFeedSamples:
		return fmt.Errorf("%w: up to %d samples of a source, at most %d", ErrOracle, p.MaxSamples(), maxFeedSamples)
	case p.OutlierBps == 0 || p.OutlierBps > wholeBps:
		return fmt.Errorf("%w: outliers from %d bps, want 1 to %d", ErrOracle, p.OutlierBps, wholeBps)
	case p.JumpBps == 0 || p.JumpBps > wholeBps:
		return fmt.Errorf("%w: jumps from %d bps, want 1 to %d", ErrOracle, p.JumpBps, wholeBps)
	case p.MinMicro == 0 || p.MinMicro > p.MaxMicro || p.MaxMicro > maxPriceMicro:
		return fmt.Errorf("%w: prices from %d to %d millionths, want 1 to %d in order",
			ErrOracle, p.MinMicro, p.MaxMicro, uint64(maxPriceMicro))
	}
	return nil
}
