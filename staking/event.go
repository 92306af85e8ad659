package staking

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// BondID names a device and its bond; the caller chooses it, 1 to 128 bytes.
type BondID string

// HolderID names the owner of a wallet; the caller chooses it, 1 to 128 bytes.
type HolderID string

// OfferID names an offer; the caller chooses it, 1 to 128 bytes, and never uses it twice.
type OfferID string

// Role says on which side of a bond a holder stands.
type Role uint8

// The two roles.
const (
	// Owner supplies the device and takes what co-stakers do not.
	Owner Role = 1
	// CoStaker accepted an offer of the owner's.
	CoStaker Role = 2
)

// String returns "owner" or "co-staker".
func (r Role) String() string {
	switch r {
	case Owner:
		return "owner"
	case CoStaker:
		return "co-staker"
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// Event is what happened: [BondOpened], [Deposited], [OfferPosted], [OfferAccepted], [OfferClosed] or [Rewarded]. Events
// are passed by value.
//
//sumtype:decl
type Event interface{ isEvent() }

// BondOpened says that a device joined. Its requirement follows from the multiplier and the number of processors.
type BondOpened struct {
	// Bond is the new device.
	Bond BondID
	// Owner is who supplies it, deposits for it and takes the owner's part of its rewards.
	Owner HolderID
	// MultiplierCenti is the model's multiplier for stake, in hundredths: 1000 for an H100.
	MultiplierCenti uint32
	// GPUs is the number of processors, at least 1.
	GPUs uint32
}

// Deposited says that the owner bonded stake: a new lot.
type Deposited struct {
	// Bond is the device.
	Bond BondID
	// Holder is who deposited: the owner.
	Holder HolderID
	// Amount is in base units, above 0.
	Amount tokenomics.Amount
}

// OfferPosted says that the owner asks for a co-staker. The terms never change.
type OfferPosted struct {
	// Offer is the new offer.
	Offer OfferID
	// Bond is the device. Its owner must hold the full requirement.
	Bond BondID
	// Amount is what the co-staker is to bond, in base units.
	Amount tokenomics.Amount
	// RewardShareBps is the part of the device's block rewards that the co-staker gets, in basis points.
	RewardShareBps uint32
	// Expires is the first instant at which the offer can no longer be accepted.
	Expires time.Time
}

// OfferAccepted says that a holder bonded the whole amount of an offer: a new lot.
type OfferAccepted struct {
	// Offer is the offer.
	Offer OfferID
	// Holder is the co-staker: anybody but the owner.
	Holder HolderID
	// Amount is what the holder agreed to bond, in base units: the amount of the offer.
	Amount tokenomics.Amount
}

// OfferClosed says that the owner took back an offer that nobody had accepted.
type OfferClosed struct {
	// Offer is the offer.
	Offer OfferID
}

// Rewarded says that a device earned a block reward, which is paid to the holders at once. The epochs of one bond come in
// rising order; an epoch that was passed over earned nothing.
type Rewarded struct {
	// Bond is the device.
	Bond BondID
	// Epoch is the epoch that it was earned in; it has ended.
	Epoch tokenomics.Epoch
	// Amount is the device's whole reward, in base units. Zero is allowed: the epoch is done and nobody is paid.
	Amount tokenomics.Amount
}

func (BondOpened) isEvent()    {}
func (Deposited) isEvent()     {}
func (OfferPosted) isEvent()   {}
func (OfferAccepted) isEvent() {}
func (OfferClosed) isEvent()   {}
func (Rewarded) isEvent()      {}

// Effect is what follows from an event: [Locked] or [Paid].
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
	// Amount is in base units.
	Amount tokenomics.Amount
}

// Paid says that a holder is owed a part of a block reward. There is at most one for each bond, epoch and holder, so
// these three name the payment; and never one of zero units.
type Paid struct {
	// Bond is the device.
	Bond BondID
	// Holder is who is owed.
	Holder HolderID
	// Role is the holder's side.
	Role Role
	// Epoch is the epoch that the reward was earned in.
	Epoch tokenomics.Epoch
	// Amount is in base units.
	Amount tokenomics.Amount
}

func (Locked) isEffect() {}
func (Paid) isEffect()   {}
