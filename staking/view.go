package staking

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// LotID numbers the lots of a pool from 1, in the order in which they came. It is never used twice.
type LotID uint64

// LotState is where a lot stands.
type LotState uint8

// The states of a lot, in the order in which it passes them. A lot that is withdrawn is no more.
const (
	// LotActive counts and earns, from the epoch after the one in which it was bonded.
	LotActive LotState = 1
	// LotWaiting counts and earns nothing: the owner has this time to refill.
	LotWaiting LotState = 2
	// LotCooling neither counts nor earns, and can still be slashed.
	LotCooling LotState = 3
	// LotMatured can be withdrawn, and no longer slashed.
	LotMatured LotState = 4
)

// String returns "active", "waiting", "cooling" or "matured".
func (s LotState) String() string {
	switch s {
	case LotActive:
		return "active"
	case LotWaiting:
		return "waiting"
	case LotCooling:
		return "cooling"
	case LotMatured:
		return "matured"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// BondView is the state of a bond.
type BondView struct {
	// Owner supplies the device.
	Owner HolderID
	// MultiplierCenti is the multiplier for stake, in hundredths.
	MultiplierCenti uint32
	// GPUs is the number of processors.
	GPUs uint32
	// Required is the stake that the device needs, in base units.
	Required tokenomics.Amount
	// Suffices is what suffices until GraceUntil, if the table changed lately, in base units; otherwise it is Required.
	Suffices tokenomics.Amount
	// GraceUntil is the first instant at which Suffices suffices no longer; the zero time without a grace.
	GraceUntil time.Time
	// Counted is the stake that counts towards it, active or waiting: OwnerStake + CoStake, in base units.
	Counted tokenomics.Amount
	// Missing is Required - Counted, 0 if there is enough, in base units.
	Missing tokenomics.Amount
	// OwnerStake is the owner's part of Counted, in base units.
	OwnerStake tokenomics.Amount
	// CoStake is the co-stakers' part of Counted, in base units.
	CoStake tokenomics.Amount
	// Overflow is what the owner could withdraw at once at the pool's last event, in base units; 0 while a case is open.
	Overflow tokenomics.Amount
	// Rewarded is the sum of all block rewards of the device, in base units.
	Rewarded tokenomics.Amount
	// LastEpoch is the last epoch that the bond was rewarded for, 0 if none.
	LastEpoch tokenomics.Epoch
	// Hires is the number of hires that have not ended.
	Hires uint32
	// Cases is the number of slashes that are not final.
	Cases uint32
	// Terminated says that the device left the network.
	Terminated bool
	// OwnerEarned is what the owner can claim, in base units.
	OwnerEarned tokenomics.Amount
	// Lots are the deposits and fills in the order in which they came.
	Lots []LotView
}

// LotView is one deposit or fill. Balances of different lots never mix.
type LotView struct {
	// ID is the lot's number.
	ID LotID
	// Holder is whose lot it is.
	Holder HolderID
	// Role is the holder's side.
	Role Role
	// State is where the lot stands.
	State LotState
	// Offer is the offer that was accepted, empty for an owner's lot.
	Offer OfferID
	// RewardShareBps is the part of the device's rewards that the offer gives for its whole amount, in basis points; 0 for
	// an owner's lot, since the owner takes what the co-stakers do not.
	RewardShareBps uint32
	// Bonded is what the lot began with, in base units.
	Bonded tokenomics.Amount
	// Balance is what it has, in base units. It is 0 only while a case that took from it is open.
	Balance tokenomics.Amount
	// Lost is what slashes took from the balance and have not given back, in base units.
	Lost tokenomics.Amount
	// BondedAt is when the lot came.
	BondedAt time.Time
	// EarnsFrom is the first epoch in which the lot counts and earns.
	EarnsFrom tokenomics.Epoch
	// Until is when the state ends: the end of a wait or a cooldown; the zero time of an active lot without a lock,
	// otherwise the end of the lock. A matured lot keeps the end of its cooldown.
	Until time.Time
	// Earned is what a co-staker can claim for the lot, in base units; 0 for an owner's lot.
	Earned tokenomics.Amount
}

// OfferState is where an offer stands.
type OfferState uint8

// The states of an offer. All but the first are final.
const (
	// StateOpen is an offer that can be accepted, as a whole or what is left of it.
	StateOpen OfferState = 1
	// StateFilled is an offer that was accepted to the last unit.
	StateFilled OfferState = 2
	// StateClosed is an offer of which its owner took back what nobody had accepted.
	StateClosed OfferState = 3
	// StateExpired is an offer that was not filled in time.
	StateExpired OfferState = 4
	// StateExhausted is an offer that has as many fills as it allows, and a rest.
	StateExhausted OfferState = 5
)

// String returns "open", "filled", "closed", "expired" or "exhausted".
func (s OfferState) String() string {
	switch s {
	case StateOpen:
		return "open"
	case StateFilled:
		return "filled"
	case StateClosed:
		return "closed"
	case StateExpired:
		return "expired"
	case StateExhausted:
		return "exhausted"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// OfferView is the state of an offer.
type OfferView struct {
	// Bond is the device.
	Bond BondID
	// Amount is what is asked for, in base units.
	Amount tokenomics.Amount
	// Filled is what was accepted of it, in base units, whether or not it is still bonded.
	Filled tokenomics.Amount
	// MinFill is the smallest fill, in base units, unless it is exactly the rest.
	MinFill tokenomics.Amount
	// Fills is how many holders have accepted.
	Fills uint32
	// MaxFills is how many may.
	MaxFills uint32
	// RewardShareBps is the part of the device's block rewards that is given for the whole amount, in basis points.
	RewardShareBps uint32
	// Posted is when the offer was made.
	Posted time.Time
	// Expires is the first instant at which it can no longer be accepted.
	Expires time.Time
	// Lock is how long a fill stays at least before its holder may unstake.
	Lock time.Duration
	// State is where it stands.
	State OfferState
	// Withdrawn is how many fills have left the bond.
	Withdrawn uint32
}

// CaseView is a slash that is not final.
type CaseView struct {
	// Bond is the device.
	Bond BondID
	// Kind is the infraction.
	Kind Infraction
	// At is the instant of the infraction.
	At time.Time
	// Basis is the stake that was bonded then and could be slashed, in base units.
	Basis tokenomics.Amount
	// Bps is the fraction, in basis points.
	Bps uint32
	// Due is what the slash takes if there is enough: Basis*Bps/10^4, rounded up, in base units.
	Due tokenomics.Amount
	// Taken is what lies in escrow, in base units.
	Taken tokenomics.Amount
	// Shortfall is Due - Taken: what the limits of the co-stakers' losses left open, in base units.
	Shortfall tokenomics.Amount
	// Deadline is the first instant at which the slash can no longer be appealed.
	Deadline time.Time
	// Appealed says that it was.
	Appealed bool
	// Renter was harmed; empty if there is none.
	Renter HolderID
	// Reporter brought the evidence; empty if there is none.
	Reporter HolderID
	// Parts are what was taken: first the owner's rewards, if any, then by lot, in lot order.
	Parts []PartView
}

// PartView is what a case took from one lot, or from the owner's rewards.
type PartView struct {
	// Holder is whose units they were.
	Holder HolderID
	// Role is the holder's side.
	Role Role
	// Lot is the lot, 0 for the owner's rewards.
	Lot LotID
	// Stake is what was taken from the balance, in base units.
	Stake tokenomics.Amount
	// Rewards is what was taken from rewards, in base units.
	Rewards tokenomics.Amount
}

// HolderView is what a pool knows of a holder.
type HolderView struct {
	// Bonded is the holder's stake in all bonds, in any state, in base units.
	Bonded tokenomics.Amount
	// Paid is what the holder was paid of rewards so far, in base units.
	Paid tokenomics.Amount
	// Released is what the holder got back of stake so far, in base units.
	Released tokenomics.Amount
	// Slashed is what slashes took of stake and rewards and have not given back, in base units.
	Slashed tokenomics.Amount
	// Claims is the number of fills of the holder, and of all wallets linked with it, that are not withdrawn.
	Claims uint32
}

// Books are the totals of a pool, in base units. Always, to the unit:
//
//	Deposits + Rewards = Bonded + Accrued + Escrow + Released + Paid + Burned + Compensated
type Books struct {
	// Deposits is all that came in as stake.
	Deposits tokenomics.Amount
	// Rewards is all that came in as block rewards.
	Rewards tokenomics.Amount
	// Bonded is the stake of all lots, in any state.
	Bonded tokenomics.Amount
	// Accrued is what was earned and not claimed, with the fractions of the accumulators.
	Accrued tokenomics.Amount
	// Escrow is what slashes took that are not final.
	Escrow tokenomics.Amount
	// Released is the stake that went back to its wallets.
	Released tokenomics.Amount
	// Paid is what was paid of rewards.
	Paid tokenomics.Amount
	// Burned is what final slashes ordered to burn.
	Burned tokenomics.Amount
	// Compensated is what final slashes gave to renters and reporters.
	Compensated tokenomics.Amount
}
