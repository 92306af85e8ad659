package staking

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// BondID names a device and its bond; the caller chooses it, 1 to 128 bytes.
type BondID string

// HolderID names a wallet; the caller chooses it, 1 to 128 bytes.
type HolderID string

// OfferID names an offer; the caller chooses it, 1 to 128 bytes, and never uses it twice.
type OfferID string

// EvidenceID names the evidence of an infraction, and the case that follows from it; the caller chooses it, 1 to 128
// bytes: a hash of the proof, so that the same proof has the same name.
type EvidenceID string

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

// Event is what happened, or what a holder orders. Events are passed by value.
//
//   - Of a device: [BondOpened], [Requalified], [HireStarted], [HireEnded], [DeviceTerminated].
//   - Of stake: [Deposited], [OverflowWithdrawn], [Unstaked], [Withdrawn].
//   - Of the market: [OfferPosted], [OfferAccepted], [OfferClosed], [WalletsLinked].
//   - Of rewards: [Rewarded], [Claimed].
//   - Of slashing: [Infracted], [Appealed], [AppealDecided].
//   - Of time: [Ticked].
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

// Requalified says that the multiplier or the number of processors of a device changed, and with them its requirement.
// The lots stay as they are.
type Requalified struct {
	// Bond is the device.
	Bond BondID
	// MultiplierCenti is the new multiplier for stake, in hundredths.
	MultiplierCenti uint32
	// GPUs is the new number of processors, at least 1.
	GPUs uint32
	// TableChanged says that the network changed its table and not the owner the device. If the stake that met the
	// requirement before is short of the new one, it goes on to meet it for Params.Grace; a device that changed gets no
	// such time.
	TableChanged bool
}

// HireStarted says that a renter took the device. Hires are counted; while there is one, nobody unstakes.
type HireStarted struct {
	// Bond is the device.
	Bond BondID
}

// HireEnded says that one hire is over.
type HireEnded struct {
	// Bond is the device.
	Bond BondID
}

// DeviceTerminated says that a device left the network for good: it earns nothing from the running epoch on, and its
// open offers are closed. Its stake stays until the holders unstake, which no lock and no offer hinders any more.
type DeviceTerminated struct {
	// Bond is the device.
	Bond BondID
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

// OverflowWithdrawn orders the return of a part of the owner's stake that the device does not need, at once and without
// a cooldown. It never turns into a full unstake.
type OverflowWithdrawn struct {
	// Bond is the device.
	Bond BondID
	// Holder is the owner.
	Holder HolderID
	// Amount is in base units, above 0 and at most BondView.Overflow.
	Amount tokenomics.Amount
}

// Unstaked orders the exit of active stake, which cannot be called back: of all the owner's lots, or of a co-staker's fill
// of one offer.
type Unstaked struct {
	// Bond is the device.
	Bond BondID
	// Holder is whose stake leaves.
	Holder HolderID
	// Offer is the offer whose fill leaves; empty for the owner.
	Offer OfferID
}

// Withdrawn orders the return of all lots of a holder in a bond whose cooldown is over, with what they have earned. Whoever
// sends it may do so unasked, to free the places that such lots hold: they go nowhere but to their own wallet.
type Withdrawn struct {
	// Bond is the device.
	Bond BondID
	// Holder is whose lots they are; they return to this wallet and to no other.
	Holder HolderID
}

// OfferPosted says that the owner asks for co-stakers. The terms never change: an owner who wants others closes the
// offer and posts a new one.
type OfferPosted struct {
	// Offer is the new offer.
	Offer OfferID
	// Bond is the device. It must hold its requirement.
	Bond BondID
	// Holder is the owner of the bond.
	Holder HolderID
	// Amount is what the co-stakers are to bond in all, in base units.
	Amount tokenomics.Amount
	// MinFill is the smallest amount of one fill, in base units, except that the last one may be exactly the rest; at least
	// Params.MinFill. 0 means the whole Amount.
	MinFill tokenomics.Amount
	// MaxFills is how many co-stakers may fill it, at most Params.MaxFills; 0 means 1.
	MaxFills uint32
	// RewardShareBps is the part of the device's block rewards that the whole Amount gets, in basis points. A fill gets
	// it in proportion.
	RewardShareBps uint32
	// Expires is the first instant at which the offer can no longer be accepted.
	Expires time.Time
	// Lock is how long a fill stays at least before its holder may unstake, at most Params.MaxLock; 0 is no lock.
	Lock time.Duration
}

// OfferAccepted says that a holder bonded what an offer asks for, or a part of it: a new lot.
type OfferAccepted struct {
	// Offer is the offer.
	Offer OfferID
	// Holder is the co-staker: nobody whose wallet is linked with the owner's.
	Holder HolderID
	// Amount is what the holder bonds, in base units.
	Amount tokenomics.Amount
}

// OfferClosed says that the owner took back what nobody had accepted of an offer. Fills stay as they are.
type OfferClosed struct {
	// Offer is the offer.
	Offer OfferID
	// Holder is the owner of its bond.
	Holder HolderID
}

// WalletsLinked says that two wallets belong to one person, which cannot be undone. They count as one where a rule asks
// who somebody is: for the ban on co-staking with oneself and the limit of claims. A fill that turns out to be its owner's
// own is unstaked.
type WalletsLinked struct {
	// A is one wallet.
	A HolderID
	// B is the other one.
	B HolderID
}

// Rewarded says that a device earned a block reward, which accrues to the holders. The epochs of one bond come in
// rising order; an epoch that was passed over earned nothing.
type Rewarded struct {
	// Bond is the device.
	Bond BondID
	// Epoch is the epoch that it was earned in; it has ended.
	Epoch tokenomics.Epoch
	// Amount is the device's whole reward, in base units. Zero is allowed: the epoch is done and nothing accrues.
	Amount tokenomics.Amount
}

// Claimed orders the payment of all that a holder has earned with a bond.
type Claimed struct {
	// Bond is the device.
	Bond BondID
	// Holder is whose rewards they are.
	Holder HolderID
}

// Infracted says that there is evidence against a device. The slash is taken at once, and kept in escrow until it is
// final.
type Infracted struct {
	// Evidence names the proof; the same is never slashed for twice.
	Evidence EvidenceID
	// Bond is the device.
	Bond BondID
	// Kind selects the rule of Params.Slashes.
	Kind Infraction
	// At is the instant of the infraction, the beginning of one that lasts: the stake that was bonded then is slashed. Of
	// infractions of one kind in one hour of Unix time the gravest is charged once: evidence of a greater measure is
	// charged the difference, and a lesser one is refused, unless the former was overturned on appeal.
	At time.Time
	// Measure is what the rule's steps are measured by: seconds of an outage, the number of missed proofs.
	Measure uint64
	// Renter is the harmed renter, who gets the rule's part for renters when the slash is final; empty if there is none.
	Renter HolderID
	// Reporter is who brought the evidence and gets the rule's part for reporters; empty if there is none.
	Reporter HolderID
}

// Appealed says that a holder who was slashed appeals, before the deadline. One appeal is for all holders of the case.
type Appealed struct {
	// Evidence names the case.
	Evidence EvidenceID
	// Holder is a holder that the case took from.
	Holder HolderID
}

// AppealDecided says what came of an appeal.
type AppealDecided struct {
	// Evidence names the case.
	Evidence EvidenceID
	// Won says that the slash was wrong: everything goes back to where it was taken. Otherwise it is final.
	Won bool
}

// Ticked says that time has passed. It carries out every deadline up to its instant: waits and cooldowns that end, offers
// that expire, slashes that become final. An event at or after a deadline that was not carried out is refused with
// [ErrTick].
type Ticked struct{}

func (BondOpened) isEvent()        {}
func (Requalified) isEvent()       {}
func (HireStarted) isEvent()       {}
func (HireEnded) isEvent()         {}
func (DeviceTerminated) isEvent()  {}
func (Deposited) isEvent()         {}
func (OverflowWithdrawn) isEvent() {}
func (Unstaked) isEvent()          {}
func (Withdrawn) isEvent()         {}
func (OfferPosted) isEvent()       {}
func (OfferAccepted) isEvent()     {}
func (OfferClosed) isEvent()       {}
func (WalletsLinked) isEvent()     {}
func (Rewarded) isEvent()          {}
func (Claimed) isEvent()           {}
func (Infracted) isEvent()         {}
func (Appealed) isEvent()          {}
func (AppealDecided) isEvent()     {}
func (Ticked) isEvent()            {}
