package staking

import (
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// What [Pool.Apply] refuses an event for. Every refusal wraps one of these, [tokenomics.ErrOverflow], or is a
// [ShortStakeError].
var (
	// ErrID says that an identifier is empty or longer than 128 bytes.
	ErrID = errors.New("staking: identifier")
	// ErrBondExists says that the bond is open already.
	ErrBondExists = errors.New("staking: bond exists")
	// ErrNoBond says that no bond has this identifier.
	ErrNoBond = errors.New("staking: no such bond")
	// ErrGPUs says that a device without processors has no stake to hold.
	ErrGPUs = errors.New("staking: a bond needs at least one processor")
	// ErrNotOwner says that only the owner of a bond may do this.
	ErrNotOwner = errors.New("staking: not the owner of the bond")
	// ErrAmount says that an amount is zero, below the minimum fill, or above what is left of an offer or an overflow.
	ErrAmount = errors.New("staking: amount")
	// ErrLots says that the bond holds as many lots as the parameters allow.
	ErrLots = errors.New("staking: bond is full of lots")
	// ErrOfferExists says that the identifier of an offer was used before; identifiers are never used again.
	ErrOfferExists = errors.New("staking: offer exists")
	// ErrNoOffer says that no offer has this identifier.
	ErrNoOffer = errors.New("staking: no such offer")
	// ErrOpenOffers says that the bond has as many open offers as the parameters allow.
	ErrOpenOffers = errors.New("staking: bond has an open offer")
	// ErrFills says that an offer allows more co-stakers than the parameters.
	ErrFills = errors.New("staking: fills of an offer")
	// ErrLock says that a lock is negative or too long.
	ErrLock = errors.New("staking: lock of an offer")
	// ErrCoStake says that co-stakers would hold, or be asked for, more than their part of the requirement.
	ErrCoStake = errors.New("staking: too much co-stake")
	// ErrRewardShare says that a share is out of bounds, or that the shares of a bond exceed its whole reward.
	ErrRewardShare = errors.New("staking: reward share")
	// ErrExpiry says that an offer would expire before it is posted, or beyond the instants that a pool can hold.
	ErrExpiry = errors.New("staking: expiry is not in the future")
	// ErrOfferOver says that the offer was filled or closed, or expired.
	ErrOfferOver = errors.New("staking: offer is over")
	// ErrSelfStake says that nobody may co-stake on the own bond, with this wallet or a linked one.
	ErrSelfStake = errors.New("staking: owner cannot co-stake on the own bond")
	// ErrClaims says that the holder's wallets have as many accepted offers as the parameters allow.
	ErrClaims = errors.New("staking: too many accepted offers")
	// ErrNoStake says that the holder has no stake of the sort that is asked for: to unstake, to withdraw, to slash.
	ErrNoStake = errors.New("staking: no such stake")
	// ErrHired says that the device is hired, and stake does not leave meanwhile.
	ErrHired = errors.New("staking: device is hired")
	// ErrNotHired says that there is no hire to end.
	ErrNotHired = errors.New("staking: device is not hired")
	// ErrLocked says that a fill is locked by the terms of its offer.
	ErrLocked = errors.New("staking: fill is locked")
	// ErrCooling says that nobody bonds on a device while own stake is leaving it.
	ErrCooling = errors.New("staking: stake is cooling")
	// ErrOfferOpen says that an open offer stands on the stake that is to leave.
	ErrOfferOpen = errors.New("staking: open offer needs the stake")
	// ErrOpenCase says that stake does not leave before the cases against its device are final.
	ErrOpenCase = errors.New("staking: slash is not final")
	// ErrTerminated says that the device left the network.
	ErrTerminated = errors.New("staking: device is terminated")
	// ErrLinked says that the wallets are one wallet, or linked already.
	ErrLinked = errors.New("staking: wallets are linked")
	// ErrNothing says that the holder has earned nothing that could be paid.
	ErrNothing = errors.New("staking: nothing to claim")
	// ErrEpochDone says that the bond was rewarded for this epoch or a later one.
	ErrEpochDone = errors.New("staking: epoch rewarded already")
	// ErrEpochOpen says that the epoch has not ended, or that an instant lies beyond the calendar.
	ErrEpochOpen = errors.New("staking: epoch has not ended")
	// ErrInfraction says that the parameters have no rule for an infraction, or that its measure is below every step.
	ErrInfraction = errors.New("staking: no infraction")
	// ErrEvidenceAge says that an infraction lies in the future or too far back.
	ErrEvidenceAge = errors.New("staking: age of the evidence")
	// ErrEvidenceUsed says that the evidence, or an infraction of the kind in the same hour that is as grave, was slashed for
	// already.
	ErrEvidenceUsed = errors.New("staking: slashed for already")
	// ErrSlashCap says that the device has lost as much for this kind of infraction as the parameters allow.
	ErrSlashCap = errors.New("staking: cap of the slashes is reached")
	// ErrNoCase says that no open case has this evidence.
	ErrNoCase = errors.New("staking: no such case")
	// ErrAppeal says that a case cannot be appealed any more, or that there is no appeal to decide.
	ErrAppeal = errors.New("staking: appeal")
	// ErrNotSlashed says that the case took nothing from this holder.
	ErrNotSlashed = errors.New("staking: not slashed")
	// ErrTime says that an instant is not one that a pool can hold: the years 1900 to 2199.
	ErrTime = errors.New("staking: instant out of range")
	// ErrTimeBackwards says that an event is older than one that was applied before.
	ErrTimeBackwards = errors.New("staking: time runs backwards")
	// ErrTick says that a deadline has passed and must be carried out first, by [Ticked].
	ErrTick = errors.New("staking: a deadline is due")
)

// ShortStakeError says that a bond holds less than it needs: for a reward, or for an offer, which an owner may post only
// with the full requirement of the own.
type ShortStakeError struct {
	// Bond is the device.
	Bond BondID
	// Have is the stake that counts, in base units.
	Have tokenomics.Amount
	// Need is the requirement, in base units.
	Need tokenomics.Amount
	// Epoch is the epoch of the refused reward; 0 if the stake is short for an offer.
	Epoch tokenomics.Epoch
	// Late is stake that the bond holds but that was bonded in or after Epoch and so does not count in it, in base units.
	Late tokenomics.Amount
}

// Error says what the bond holds, what it needs and, for a reward, how much of the stake came too late.
func (e *ShortStakeError) Error() string {
	s := fmt.Sprintf("staking: bond %q holds %s IO, needs %s", string(e.Bond), e.Have, e.Need)
	if e.Late > 0 {
		s += fmt.Sprintf("; %s IO more came too late to count in epoch %d", e.Late, e.Epoch)
	}
	return s
}

// longestID is in bytes: a wallet address has 44, a device identifier 40.
const longestID = 128

// checkID refuses an identifier that no wallet or device has. The field is named in the error.
func checkID(field, id string) error {
	switch {
	case id == "":
		return fmt.Errorf("%w: %s is empty", ErrID, field)
	case len(id) > longestID:
		return fmt.Errorf("%w: %s has %d bytes, the limit is %d", ErrID, field, len(id), longestID)
	}
	return nil
}
