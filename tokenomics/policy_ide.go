package tokenomics

import (
	"fmt"
	"math"
)

// IDEPolicy is an incentive dynamic engine: suppliers are owed dollars, and the tokens that these cost are released from
// what the cap leaves to mint (the reward vault), then from the fee vault. io.net runs one since 2026-06-11; its formula
// is not published, so the details are ours:
//
//	need    = floor((owed + debts + carry) * 10^d / price), for a token of d places
//	release = min(need, reward vault), then min(rest, fee vault); what is missing stays owed
//	surplus = max(0, revenue - dollars paid), of which [SurplusBurnPolicy] spends a share on tokens that are burned
//
// Without a usable price nothing is released and every dollar stays owed.
type IDEPolicy struct {
	// Name is the policy's ID, for example "io.net/ide/1".
	Name string `json:"id"`
	// BurnShareBps is the part of the surplus that is spent on the buy-back, in basis points: 5,000 to 10,000. io.net says
	// at least 50 % (third-party summaries of 2026-06).
	BurnShareBps uint32 `json:"burn_share_bps"`
	// DropDebts forgets what the vaults could not pay instead of carrying it to the next epoch. Our choice is to carry.
	DropDebts bool `json:"drop_debts"`
	// Target is how much less than the schedule it replaces the engine is to release over its whole life, burns included.
	// io.net: 115,000,000 of the 231,000,000 that were not emitted at the cut-over. It is reported and decides nothing.
	Target Amount `json:"target"`
	// FirstYear is the part of Target that is due within a year. io.net: 12,000,000.
	FirstYear Amount `json:"first_year"`
}

// Validate returns [ErrPolicy] and what is wrong, or nil.
func (p IDEPolicy) Validate() error {
	switch {
	case p.Name == "":
		return fmt.Errorf("%w: ide: no id", ErrPolicy)
	case p.BurnShareBps < wholeBps/2 || p.BurnShareBps > wholeBps:
		return fmt.Errorf("%w: ide: burn_share_bps %d, want %d to %d", ErrPolicy, p.BurnShareBps, wholeBps/2, wholeBps)
	case p.FirstYear > p.Target:
		return fmt.Errorf("%w: ide: first_year %s exceeds the target of %s", ErrPolicy, p.FirstYear, p.Target)
	}
	return nil
}

// ID returns Name.
func (p IDEPolicy) ID() string { return p.Name }

// Step releases what suppliers are owed and orders the buy-back. It fails with [ErrInputs], [ErrPrice], [ErrOverflow], or
// [ErrPolicy].
func (p IDEPolicy) Step(s PolicyState, in Inputs) (PolicyState, Result, error) {
	if err := p.Validate(); err != nil {
		return PolicyState{}, Result{}, err
	}
	if err := s.receive(in); err != nil {
		return PolicyState{}, Result{}, err
	}
	rewards := s.Room()
	most, err := rewards.Add(s.FeeVault)
	if err != nil {
		most = math.MaxUint64
	}
	paid, err := settleClaims(&s, in, most)
	if err != nil {
		return PolicyState{}, Result{}, err
	}
	if p.DropDebts && paid.flags.Has(Shortfall) {
		s.Debts = nil
	}
	r := Result{Policy: p.Name}
	r.Mint = min(paid.pay, rewards)
	r.FromFeeVault = paid.pay - r.Mint
	s.Minted += r.Mint
	s.FeeVault -= r.FromFeeVault
	if err := r.take(&s, paid); err != nil {
		return PolicyState{}, Result{}, err
	}
	r.BuyBack, err = SurplusBurnPolicy{ShareBps: p.BurnShareBps}.Spend(BurnInputs{Revenue: in.Revenue, Paid: paid.paidUSD})
	if err != nil {
		return PolicyState{}, Result{}, err
	}
	r.Retained = in.Revenue - r.BuyBack
	r.RatioPPM = ratioPPM(uint64(in.Revenue), uint64(paid.paidUSD))
	return s, r, nil
}

// IDEReport compares an engine with the schedule that it replaced.
type IDEReport struct {
	// Released is what the engine released, Scheduled what the schedule would have emitted, Burned what was burned besides.
	Released, Scheduled, Burned Amount
	// Saved is Scheduled + Burned - Released, and 0 where that is negative.
	Saved Amount
	// RewardVault is what the cap still leaves to release.
	RewardVault Amount
	// MeetsTarget and MeetsFirstYear compare Saved with the two targets.
	MeetsTarget, MeetsFirstYear bool
	// SustainabilityPPM is revenue over dollars paid since the engine began, in millionths rounded down; 0 if none were.
	SustainabilityPPM uint32
}

// Report compares the state now with that at the cut-over, given what the replaced schedule would have emitted between.
// It fails with [ErrInputs] if the two states are not in this order, or with [ErrOverflow].
func (p IDEPolicy) Report(cutOver, now PolicyState, scheduled Amount) (IDEReport, error) {
	if now.Released < cutOver.Released || now.Burned < cutOver.Burned || now.PaidUSD < cutOver.PaidUSD || now.Revenue < cutOver.Revenue {
		return IDEReport{}, fmt.Errorf("%w: the state of the cut-over is later than the other one", ErrInputs)
	}
	r := IDEReport{
		Released: now.Released - cutOver.Released, Scheduled: scheduled, Burned: now.Burned - cutOver.Burned, RewardVault: now.Room(),
		SustainabilityPPM: ratioPPM(uint64(now.Revenue-cutOver.Revenue), uint64(now.PaidUSD-cutOver.PaidUSD)),
	}
	without, err := scheduled.Add(r.Burned)
	if err != nil {
		return IDEReport{}, err
	}
	r.Saved = without - min(without, r.Released)
	r.MeetsTarget, r.MeetsFirstYear = r.Saved >= p.Target, r.Saved >= p.FirstYear
	return r, nil
}

// take copies what became of the claims into the result and the totals.
func (r *Result) take(s *PolicyState, paid settled) error {
	released, err := s.Released.Add(paid.pay)
	if err != nil {
		return fmt.Errorf("released: %w", err)
	}
	total, err := s.PaidUSD.Add(paid.paidUSD)
	if err != nil {
		return fmt.Errorf("paid: %w", err)
	}
	s.Released, s.PaidUSD = released, total
	r.Payouts, r.Unfunded, r.UnfundedUSD, r.CutPPM = paid.payouts, paid.unfunded, paid.unfundedUSD, paid.cutPPM
	r.Flags |= paid.flags
	return nil
}

// ratioPPM returns a/b in millionths, rounded down, at most 2^32-1, and 0 without a b.
func ratioPPM(a, b uint64) uint32 {
	if b == 0 {
		return 0
	}
	v, err := mulDiv(a, 1_000_000, b, Down)
	if err != nil || v > math.MaxUint32 {
		return math.MaxUint32
	}
	return uint32(v)
}
