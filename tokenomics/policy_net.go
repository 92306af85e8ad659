package tokenomics

import "fmt"

// NetEmissionPolicy adds to a curve a part of what was burned before, in the manner of Helium's HIP-20: burned tokens fill a
// pool, and every epoch
//
//	recycled = min(floor(pool / Parts), floor(emission * MaxBps / 10^4))
//
// of it is minted again for block rewards, so that the gross emission never dries up and the net emission keeps to the
// curve. What is recycled never exceeds what was burned while this policy decides. As long as credits of a
// [BurnMintPolicy] are outstanding the pool is their collateral, and nothing is recycled.
type NetEmissionPolicy struct {
	// Name is the policy's ID.
	Name string `json:"id"`
	// Curve is the emission proper.
	Curve *Fixed `json:"-"`
	// Parts is the part of the pool that one epoch may return: 1/Parts. Helium: 336, the half hours of a week.
	Parts uint64 `json:"parts"`
	// MaxBps bounds that by a part of the epoch's emission, in basis points. Helium: 100.
	MaxBps uint32 `json:"max_bps"`
}

// Validate returns [ErrPolicy] and what is wrong, or nil.
func (p NetEmissionPolicy) Validate() error {
	if p.Curve == nil {
		return fmt.Errorf("%w: net emission: there is no curve", ErrPolicy)
	}
	return p.check()
}

// check looks at the numbers alone: as data the curve stands beside them.
func (p NetEmissionPolicy) check() error {
	switch {
	case p.Name == "":
		return fmt.Errorf("%w: net emission: no id", ErrPolicy)
	case p.Parts == 0:
		return fmt.Errorf("%w: net emission: parts is 0", ErrPolicy)
	case p.MaxBps > wholeBps:
		return fmt.Errorf("%w: net emission: max_bps %d, want at most %d", ErrPolicy, p.MaxBps, wholeBps)
	}
	return nil
}

// ID returns Name.
func (p NetEmissionPolicy) ID() string { return p.Name }

// Step mints what the curve emits and returns a part of the pool. Owed dollars are left alone, as [Fixed] does. It fails with
// [ErrInputs] or [ErrPolicy].
func (p NetEmissionPolicy) Step(s PolicyState, in Inputs) (PolicyState, Result, error) {
	if err := p.Validate(); err != nil {
		return PolicyState{}, Result{}, err
	}
	s, r, err := p.Curve.Step(s, in)
	if err != nil {
		return PolicyState{}, Result{}, err
	}
	r.Policy = p.Name
	s.Recycle += in.Burned // within Burned, as what leaves it is counted in Reminted
	limit, err := r.Mint.MulDiv(uint64(p.MaxBps), wholeBps, Down)
	if err != nil {
		return PolicyState{}, Result{}, err
	}
	if s.Credits == 0 {
		r.Remint = min(s.Recycle/Amount(p.Parts), limit)
	}
	s.Recycle -= r.Remint
	s.Reminted += r.Remint
	r.Budget += r.Remint
	return s, r, nil
}
