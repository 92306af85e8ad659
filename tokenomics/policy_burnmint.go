package tokenomics

import "fmt"

// BurnMintPolicy is a burn-and-mint equilibrium in the manner of Akash and Render. Users buy credits of one dollar with
// tokens that are burned, at the credit price; suppliers earn dollars, for which tokens are minted again at the release
// price. What is minted for them never exceeds what was burned for credits: the collateral. Availability may be rewarded
// besides, by a curve that does not depend on burns, since emission that did would be circular.
//
//	collateral ratio = (recycle + pending) * credit price / credits outstanding
//
// Akash (AEP-76): below 0.95 it warns, below 0.90 no credits are sold until it has recovered.
type BurnMintPolicy struct {
	// Name is the policy's ID.
	Name string `json:"id"`
	// WarnPPM is the collateral ratio below which a step is flagged, in millionths. Akash: 950,000.
	WarnPPM uint32 `json:"warn_ppm"`
	// HaltPPM is the ratio below which no credits are sold, in millionths, at most WarnPPM. Akash: 900,000.
	HaltPPM uint32 `json:"halt_ppm"`
	// Rewards mints for availability, if anything; Render does so by a fixed schedule.
	Rewards *Fixed `json:"-"`
}

// Validate returns [ErrPolicy] and what is wrong, or nil.
func (p BurnMintPolicy) Validate() error {
	switch {
	case p.Name == "":
		return fmt.Errorf("%w: burn-mint: no id", ErrPolicy)
	case p.HaltPPM > p.WarnPPM:
		return fmt.Errorf("%w: burn-mint: halt_ppm %d exceeds warn_ppm %d", ErrPolicy, p.HaltPPM, p.WarnPPM)
	}
	return nil
}

// ID returns Name.
func (p BurnMintPolicy) ID() string { return p.Name }

// Step books confirmed burns as collateral, pays suppliers out of it, sells the credits that are wanted, and mints the
// rewards. What the collateral cannot pay stays owed. The tokens for the credits are ordered to be burned, rounded up in
// favour of the collateral; until that is confirmed they count for the ratio and not for payments. It fails with
// [ErrInputs], [ErrPrice], [ErrOverflow], or [ErrPolicy].
func (p BurnMintPolicy) Step(s PolicyState, in Inputs) (PolicyState, Result, error) {
	if err := p.Validate(); err != nil {
		return PolicyState{}, Result{}, err
	}
	ordered := s.Pending
	if err := s.receive(in); err != nil {
		return PolicyState{}, Result{}, err
	}
	s.Recycle += ordered - s.Pending // of what was burned, only what was ordered for credits backs them
	r := Result{Policy: p.Name, Retained: in.Revenue}
	if err := p.pay(&s, &r, in); err != nil {
		return PolicyState{}, Result{}, err
	}
	if err := p.sell(&s, &r, in); err != nil {
		return PolicyState{}, Result{}, err
	}
	if p.Rewards != nil {
		s.mint(&r, p.Rewards.between(in.Start, in.End))
	}
	return s, r, nil
}

// pay mints for what suppliers are owed, within the collateral and within the credits that are outstanding.
func (p BurnMintPolicy) pay(s *PolicyState, r *Result, in Inputs) error {
	paid, err := settleClaims(s, in, s.Recycle)
	if err != nil {
		return err
	}
	s.Recycle -= paid.pay
	s.Reminted += paid.pay
	r.Remint = paid.pay
	s.Credits -= min(s.Credits, paid.paidUSD)
	return r.take(s, paid)
}

// sell issues credits at the credit price unless the collateral is too low for it.
func (p BurnMintPolicy) sell(s *PolicyState, r *Result, in Inputs) error {
	if in.Credit.MicroPerToken == 0 {
		if in.Wanted > 0 {
			r.Flags |= NoPrice
		}
		return nil
	}
	backing, err := s.Recycle.Add(s.Pending)
	if err != nil {
		return fmt.Errorf("collateral: %w", err)
	}
	worth, err := s.Decimals.Value(backing, in.Credit)
	if err != nil {
		return fmt.Errorf("credit: %w", err)
	}
	if s.Credits > 0 {
		r.RatioPPM = ratioPPM(uint64(worth), uint64(s.Credits))
		if r.RatioPPM < p.WarnPPM {
			r.Flags |= Warned
		}
		if r.RatioPPM < p.HaltPPM {
			r.Flags |= SalesHalted
			return nil
		}
	}
	if in.Wanted == 0 {
		return nil
	}
	burn, err := s.Decimals.Pay(in.Wanted, in.Credit)
	if err != nil {
		return fmt.Errorf("wanted: %w", err)
	}
	credits, err := s.Credits.Add(in.Wanted)
	if err != nil {
		return fmt.Errorf("wanted: %w", err)
	}
	pending, err := s.Pending.Add(burn)
	if err != nil || pending > s.Total() {
		return fmt.Errorf("%w: wanted: credits of %s dollars cost %s tokens, more than there are", ErrInputs, in.Wanted, burn)
	}
	s.Credits, s.Pending, r.Issued, r.Burn = credits, pending, in.Wanted, burn
	return nil
}
