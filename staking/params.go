package staking

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrParams is wrapped by every error about [Params] and about a [TierPolicy].
var ErrParams = errors.New("staking: parameters")

// fullBps is the whole in basis points.
const fullBps = 10_000

// mostLots bounds what a network may set for MaxLotsPerBond: a slash and a reward look at every lot.
const mostLots = 1 << 16

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
	// MaxFills is how many co-stakers may share one offer. io.net: 1, published.
	MaxFills uint32 `json:"max_fills"`
	// MaxLock is the longest lock that an offer may ask for. Our own choice: 365 days. This and every other span is whole
	// seconds; JSON carries it in nanoseconds.
	MaxLock time.Duration `json:"max_lock_ns"`
	// OwnerCooldown is how long an owner's stake cools after it left: it neither counts nor earns and stays slashable.
	// It is also the cooldown of co-stakers who leave because their owner left. io.net: 14 days, published.
	OwnerCooldown time.Duration `json:"owner_cooldown_ns"`
	// CoWait is how long a co-staker's stake waits, and still counts, before it cools, so that the owner can refill.
	// io.net: 7 days, published.
	CoWait time.Duration `json:"co_wait_ns"`
	// CoCooldown is how long it cools afterwards. io.net: 14 days, published.
	CoCooldown time.Duration `json:"co_cooldown_ns"`
	// OverflowHold is how long stake that was needed counts as needed when the owner asks for the overflow: stake that a
	// fill or a smaller requirement made superfluous cannot leave before it. Without it an owner would cheat, find a
	// co-staker and withdraw before the evidence comes in. Our own choice: EvidenceWindow; io.net publishes no such hold,
	// which is 0.
	OverflowHold time.Duration `json:"overflow_hold_ns"`
	// Grace is how long the old requirement goes on to suffice when the table of multipliers changes. io.net: 30 days, as
	// published for June 2025.
	Grace time.Duration `json:"grace_ns"`
	// EvidenceWindow is how old an infraction may be when it is brought forward: less than this. It is at most each
	// cooldown, so that nobody leaves before the evidence. Our own choice: 10 days.
	EvidenceWindow time.Duration `json:"evidence_window_ns"`
	// AppealWindow is how long a slash can be appealed. io.net: one month, published; ours has 30 days of 24 hours.
	AppealWindow time.Duration `json:"appeal_window_ns"`
	// SlashOrder says whose stake is taken first. Our own choice: SupplierFirst.
	SlashOrder SlashOrder `json:"slash_order"`
	// CoMaxLossBps is the most that a co-staker's lot can ever lose to slashes, in basis points of what was bonded. Our
	// own choice: 5,000 (half).
	CoMaxLossBps uint32 `json:"co_max_loss_bps"`
	// Slashes say what each infraction costs. Our own choice; io.net publishes no amounts.
	Slashes []SlashRule `json:"slashes"`
}

// longestSpan bounds every wait, so that no deadline leaves the instants that a pool can hold.
const longestSpan = 10 * 366 * 24 * time.Hour

// IONet returns the rules of io.net as its documentation published them in 2025; what it leaves open is our own choice
// and says so at the field.
func IONet() Params {
	const day = 24 * time.Hour
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
		MaxFills:          1,
		MaxLock:           365 * day,
		OwnerCooldown:     14 * day,
		CoWait:            7 * day,
		CoCooldown:        14 * day,
		OverflowHold:      10 * day,
		Grace:             30 * day,
		EvidenceWindow:    10 * day,
		AppealWindow:      30 * day,
		SlashOrder:        SupplierFirst,
		CoMaxLossBps:      5_000,
		Slashes:           defaultSlashes(),
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
	case p.MaxLotsPerBond == 0 || p.MaxLotsPerBond > mostLots:
		return fmt.Errorf("%w: max_lots_per_bond %d is not in 1..%d", ErrParams, p.MaxLotsPerBond, mostLots)
	case p.MaxFills == 0:
		return fmt.Errorf("%w: max_fills is 0", ErrParams)
	case p.SlashOrder > ProRata:
		return fmt.Errorf("%w: slash_order %d is unknown", ErrParams, uint8(p.SlashOrder))
	case p.CoMaxLossBps > fullBps:
		return fmt.Errorf("%w: co_max_loss_bps %d is above %d", ErrParams, p.CoMaxLossBps, fullBps)
	}
	if err := p.Calendar.Validate(); err != nil {
		return fmt.Errorf("%w: calendar: %w", ErrParams, err)
	}
	if err := p.validateSpans(); err != nil {
		return err
	}
	return p.validateSlashes()
}

func (p Params) validateSpans() error {
	for _, span := range []struct {
		name  string
		least time.Duration
		d     time.Duration
	}{
		{"max_lock", 0, p.MaxLock},
		{"owner_cooldown", time.Second, p.OwnerCooldown},
		{"co_wait", 0, p.CoWait},
		{"co_cooldown", time.Second, p.CoCooldown},
		{"overflow_hold", 0, p.OverflowHold},
		{"grace", 0, p.Grace},
		{"evidence_window", time.Second, p.EvidenceWindow},
		{"appeal_window", time.Second, p.AppealWindow},
	} {
		if span.d < span.least || span.d > longestSpan || span.d%time.Second != 0 {
			return fmt.Errorf("%w: %s %s is not whole seconds in %s..%s", ErrParams, span.name, span.d, span.least, longestSpan)
		}
	}
	if least := min(p.OwnerCooldown, p.CoCooldown); p.EvidenceWindow > least {
		return fmt.Errorf("%w: evidence_window %s is above the shortest cooldown, %s: stake would leave before the evidence",
			ErrParams, p.EvidenceWindow, least)
	}
	return nil
}

func (p Params) validateSlashes() error {
	for i, r := range p.Slashes {
		if err := r.validate(); err != nil {
			return fmt.Errorf("%w: slashes, %q: %w", ErrParams, string(r.Kind), err)
		}
		if slices.ContainsFunc(p.Slashes[:i], func(o SlashRule) bool { return o.Kind == r.Kind }) {
			return fmt.Errorf("%w: slashes: there are two rules for %q", ErrParams, string(r.Kind))
		}
	}
	return nil
}

// slashRule returns the rule for an infraction.
func (p Params) slashRule(kind Infraction) (SlashRule, bool) {
	for _, r := range p.Slashes {
		if r.Kind == kind {
			return r, true
		}
	}
	return SlashRule{}, false
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
	for _, d := range []time.Duration{
		p.Calendar.Length, p.MaxLock, p.OwnerCooldown, p.CoWait, p.CoCooldown, p.OverflowHold, p.Grace, p.EvidenceWindow, p.AppealWindow,
	} {
		w.Int64(int64(d))
	}
	w.Uint64(uint64(p.MinFill))
	for _, n := range []uint32{
		p.MaxCoBps, p.MinRewardShareBps, p.MaxClaims, p.MaxOffersPerBond, p.MaxLotsPerBond, p.MaxFills, uint32(p.SlashOrder), p.CoMaxLossBps,
	} {
		w.Uint32(n)
	}
	w.Len(len(p.Slashes))
	for _, r := range p.Slashes {
		w.String(string(r.Kind))
		w.Len(len(r.Steps))
		for _, s := range r.Steps {
			w.Uint64(s.Over)
			w.Uint32(s.Bps)
		}
		w.Uint32(r.CapBps)
		w.Int64(int64(r.CapWindow))
		w.Uint32(r.RenterBps)
		w.Uint32(r.ReporterBps)
		w.Bool(r.Fraud)
	}
}

// clone returns a copy that shares no slice.
func (p Params) clone() Params {
	p.Slashes = slices.Clone(p.Slashes)
	for i := range p.Slashes {
		p.Slashes[i].Steps = slices.Clone(p.Slashes[i].Steps)
	}
	return p
}

// centi writes hundredths as a decimal number.
func centi(m uint32) string { return fmt.Sprintf("%d.%02d", m/100, m%100) }
