package staking

import (
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Effect is what follows from an event. It prints as a sentence.
//
//   - Stake: [Locked], [Unlocking], [Matured], [Released].
//   - Rewards: [Accrued], [Paid].
//   - Eligibility: [Underbonded].
//   - Offers: [OfferEnded].
//   - Slashing: [Slashed], [Restored], [Burned], [Compensated].
//
// Released, Paid, Burned and Compensated are what leaves the pool and is to be moved on the chain, Locked what enters it.
//
//sumtype:decl
type Effect interface{ isEffect() }

// Locked says that a holder's units are bonded from now on and are to be held.
type Locked struct {
	// Bond is the device.
	Bond BondID
	// Holder is whose units they are.
	Holder HolderID
	// Role is the holder's side.
	Role Role
	// Lot is the new lot.
	Lot LotID
	// Amount is in base units.
	Amount tokenomics.Amount
}

// Unlocking says that a lot begins to leave, or a step further, and when the step ends.
type Unlocking struct {
	// Bond is the device.
	Bond BondID
	// Holder is whose lot it is.
	Holder HolderID
	// Role is the holder's side.
	Role Role
	// Lot is the lot.
	Lot LotID
	// Amount is its balance, in base units.
	Amount tokenomics.Amount
	// State is the lot's state from now on: LotWaiting or LotCooling.
	State LotState
	// Until is the first instant at which the state is over.
	Until time.Time
	// Forced says that the holder did not ask for it: the owner left first, or the lot turned out to be the owner's own.
	Forced bool
}

// Matured says that the cooldown of a lot is over: it can be withdrawn, and no longer slashed.
type Matured struct {
	// Bond is the device.
	Bond BondID
	// Holder is whose lot it is.
	Holder HolderID
	// Lot is the lot.
	Lot LotID
	// Amount is its balance, in base units.
	Amount tokenomics.Amount
}

// Released says that stake leaves the pool and goes back to the wallet that bonded it.
type Released struct {
	// Bond is the device.
	Bond BondID
	// Holder is whose units they are.
	Holder HolderID
	// Number counts what left the bond, from 1, in one series with [Paid]: bond and number name the payment.
	Number uint64
	// Amount is in base units.
	Amount tokenomics.Amount
}

// Accrued says that a block reward was divided. Owner + CoStakers is the reward.
type Accrued struct {
	// Bond is the device.
	Bond BondID
	// Epoch is the epoch that it was earned in.
	Epoch tokenomics.Epoch
	// Owner is the owner's part, in base units.
	Owner tokenomics.Amount
	// CoStakers is what all co-stakers together got, in base units.
	CoStakers tokenomics.Amount
}

// Paid says that earned rewards leave the pool and are owed to a holder; never zero units.
type Paid struct {
	// Bond is the device.
	Bond BondID
	// Holder is who is owed.
	Holder HolderID
	// Role is the holder's side.
	Role Role
	// Number counts what left the bond, from 1, in one series with [Released]: bond and number name the payment.
	Number uint64
	// Epoch is the last epoch that the bond was rewarded for.
	Epoch tokenomics.Epoch
	// Amount is in base units.
	Amount tokenomics.Amount
}

// Underbonded says that stake leaves or left which the device needs.
type Underbonded struct {
	// Bond is the device.
	Bond BondID
	// Have is the stake that will count from the deadline on unless the owner refills, in base units.
	Have tokenomics.Amount
	// Need is the requirement, in base units.
	Need tokenomics.Amount
	// Deadline is the first instant at which the device is no longer eligible: now, or the end of a wait or a grace.
	Deadline time.Time
}

// OfferEnded says that an offer can no longer be accepted.
type OfferEnded struct {
	// Offer is the offer.
	Offer OfferID
	// State is the final state.
	State OfferState
}

// Slashed says what was taken from one lot, or from the owner's rewards, when evidence came in.
type Slashed struct {
	// Evidence names the case.
	Evidence EvidenceID
	// Bond is the device.
	Bond BondID
	// Holder is whose units they were.
	Holder HolderID
	// Role is the holder's side.
	Role Role
	// Lot is the lot that they were taken from; 0 for the owner's rewards, which belong to no lot.
	Lot LotID
	// Stake is what was taken from the balance, in base units.
	Stake tokenomics.Amount
	// Rewards is what was taken from rewards that were not claimed, in base units.
	Rewards tokenomics.Amount
}

// Restored says what an appeal that was won gives back. If the lot has left meanwhile, the units are in a [Released] or
// [Paid] beside it.
type Restored struct {
	// Evidence names the case.
	Evidence EvidenceID
	// Bond is the device.
	Bond BondID
	// Holder is whose units they are.
	Holder HolderID
	// Lot is the lot that they had been taken from; 0 for the owner's rewards.
	Lot LotID
	// Stake is what returns to the balance, in base units.
	Stake tokenomics.Amount
	// Rewards is what returns to the unclaimed rewards, in base units.
	Rewards tokenomics.Amount
}

// Burned says that the part of a final slash that nobody gets is to be burned. There is one for each case that ends in a
// slash, even of 0 units, so that it says that the case is final.
type Burned struct {
	// Evidence names the case.
	Evidence EvidenceID
	// Bond is the device.
	Bond BondID
	// Kind is the infraction.
	Kind Infraction
	// Amount is in base units.
	Amount tokenomics.Amount
}

// Compensated says that a part of a final slash goes to a renter or a reporter.
type Compensated struct {
	// Evidence names the case.
	Evidence EvidenceID
	// Holder is who gets it.
	Holder HolderID
	// Amount is in base units, above 0.
	Amount tokenomics.Amount
}

func (Locked) isEffect()      {}
func (Unlocking) isEffect()   {}
func (Matured) isEffect()     {}
func (Released) isEffect()    {}
func (Accrued) isEffect()     {}
func (Paid) isEffect()        {}
func (Underbonded) isEffect() {}
func (OfferEnded) isEffect()  {}
func (Slashed) isEffect()     {}
func (Restored) isEffect()    {}
func (Burned) isEffect()      {}
func (Compensated) isEffect() {}
