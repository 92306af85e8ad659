package staking

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrParams is wrapped by every error about [Params] and about a [TierPolicy].
var ErrParams = errors.New("staking: parameters")

// fullBps is the whole in basis points.
const fullBps = 10_000

// Params are the rules of a network's staking. A [Pool] keeps the set that it was made with, and its digest contains it.
type Params struct {
	// Version names the set; results name the version that they were made with.
	Version string `json:"version"`
	// BaseStake is what one processor of multiplier 1 or less needs, in base units: a multiple of 100, so that a
	// multiplier in hundredths gives whole units. io.net: 200 IO, published.
	BaseStake tokenomics.Amount `json:"base_stake"`
	// Calendar says when an epoch begins and ends. A lot earns from the epoch after the one in which it was bonded.
	Calendar tokenomics.Calendar `json:"calendar"`
	// MaxCoBps is the largest part of a bond's requirement that co-stakers may hold or be asked for, in basis points.
	// io.net: 5,000 (half), published.
	MaxCoBps uint32 `json:"max_co_bps"`
	// MinRewardShareBps is the smallest part of the block rewards that an offer may give away, in basis points; the
	// largest is 10,000. io.net: 500 (5 %), published.
	MinRewardShareBps uint32 `json:"min_reward_share_bps"`
	// MaxClaims is how many accepted offers one holder may have at a time. io.net: 2, published.
	MaxClaims uint32 `json:"max_claims"`
	// MinFill is the smallest amount of an offer, in base units, so that nobody fills a bond with dust. Our own choice:
	// 1 IO.
	MinFill tokenomics.Amount `json:"min_fill"`
	// MaxOffersPerBond is how many offers of one bond may be open at a time. Our own choice: 1.
	MaxOffersPerBond uint32 `json:"max_offers_per_bond"`
	// MaxLotsPerBond bounds the deposits and fills of one bond, so that a reward is divided in bounded time. Our own
	// choice: 64.
	MaxLotsPerBond uint32 `json:"max_lots_per_bond"`
}

// IONet returns the rules of io.net as its documentation published them in 2025; what it leaves open is our own choice
// and says so at the field.
func IONet() Params {
	return Params{
		Version:           "ionet-2025-07",
		BaseStake:         200 * tokenomics.UnitsPerToken,
		Calendar:          tokenomics.IONet().Calendar,
		MaxCoBps:          5_000,
		MinRewardShareBps: 500,
		MaxClaims:         2,
		MinFill:           1 * tokenomics.UnitsPerToken,
		MaxOffersPerBond:  1,
		MaxLotsPerBond:    64,
	}
}

// Validate returns an error that names the first field outside its limits; it wraps [ErrParams].
func (p Params) Validate() error {
	switch {
	case p.Version == "":
		return fmt.Errorf("%w: version is empty", ErrParams)
	case p.BaseStake == 0 || p.BaseStake%100 != 0:
		return fmt.Errorf("%w: base_stake %s must be a positive multiple of 100 base units", ErrParams, p.BaseStake)
	case p.MaxCoBps > fullBps:
		return fmt.Errorf("%w: max_co_bps %d is above %d", ErrParams, p.MaxCoBps, fullBps)
	case p.MinRewardShareBps == 0 || p.MinRewardShareBps > fullBps:
		return fmt.Errorf("%w: min_reward_share_bps %d is not in 1..%d", ErrParams, p.MinRewardShareBps, fullBps)
	case p.MaxClaims == 0:
		return fmt.Errorf("%w: max_claims is 0", ErrParams)
	case p.MinFill == 0:
		return fmt.Errorf("%w: min_fill is 0", ErrParams)
	case p.MaxOffersPerBond == 0:
		return fmt.Errorf("%w: max_offers_per_bond is 0", ErrParams)
	case p.MaxLotsPerBond == 0:
		return fmt.Errorf("%w: max_lots_per_bond is 0", ErrParams)
	}
	if err := p.Calendar.Validate(); err != nil {
		return fmt.Errorf("%w: calendar: %w", ErrParams, err)
	}
	return nil
}

// Required returns the stake that a device of gpus processors needs at a multiplier given in hundredths:
//
//	BaseStake * max(1, multiplier) * gpus
//
// The result is exact, never rounded. A device needs at least one processor; [ErrGPUs] says that it has none, and
// [tokenomics.ErrOverflow] that the stake exceeds what an amount can hold. The formula is io.net's; a multiplier of 0,
// a model that earns nothing, needs what a multiplier of 1 needs.
func (p Params) Required(multiplierCenti, gpus uint32) (tokenomics.Amount, error) {
	if gpus == 0 {
		return 0, ErrGPUs
	}
	// Two 32-bit factors fit 64 bits. The division leaves no rest: BaseStake is a multiple of 100.
	n, err := p.BaseStake.MulDiv(uint64(max(100, multiplierCenti))*uint64(gpus), 100, tokenomics.Down)
	if err != nil {
		return 0, fmt.Errorf("staking: stake of %d processors at multiplier %s: %w", gpus, centi(multiplierCenti), err)
	}
	return n, nil
}

// maxCo returns the most that co-stakers may hold of a requirement. Down: in favour of the owner's own part.
func (p Params) maxCo(required tokenomics.Amount) tokenomics.Amount {
	n, err := required.MulDiv(uint64(p.MaxCoBps), fullBps, tokenomics.Down)
	if err != nil {
		panic("staking: Params.maxCo: a part of at most the whole overflows")
	}
	return n
}

// write appends the parameters in canonical form.
func (p Params) write(w *canon.Writer) {
	w.String(p.Version)
	w.Uint64(uint64(p.BaseStake))
	w.Time(p.Calendar.Start)
	w.Int64(int64(p.Calendar.Length))
	w.Uint32(p.MaxCoBps)
	w.Uint32(p.MinRewardShareBps)
	w.Uint32(p.MaxClaims)
	w.Uint64(uint64(p.MinFill))
	w.Uint32(p.MaxOffersPerBond)
	w.Uint32(p.MaxLotsPerBond)
}

// readParams reads what write wrote.
func readParams(r *canon.Reader) Params {
	return Params{
		Version:           r.String(),
		BaseStake:         tokenomics.Amount(r.Uint64()),
		Calendar:          tokenomics.Calendar{Start: r.Time(), Length: time.Duration(r.Int64())},
		MaxCoBps:          r.Uint32(),
		MinRewardShareBps: r.Uint32(),
		MaxClaims:         r.Uint32(),
		MinFill:           tokenomics.Amount(r.Uint64()),
		MaxOffersPerBond:  r.Uint32(),
		MaxLotsPerBond:    r.Uint32(),
	}
}

// centi writes hundredths as a decimal number.
func centi(m uint32) string { return fmt.Sprintf("%d.%02d", m/100, m%100) }
