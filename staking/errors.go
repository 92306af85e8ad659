package staking

import (
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// What [Pool.Apply] refuses an event for. Every refusal wraps one of these, [ErrTimeBackwards],
// [tokenomics.ErrOverflow], or is a [ShortStakeError].
var (
	// ErrID says that an identifier is empty or longer than 128 bytes.
	ErrID = errors.New("staking: identifier")
	// ErrBondExists says that the bond is open already.
	ErrBondExists = errors.New("staking: bond exists")
	// ErrNoBond says that no bond has this identifier.
	ErrNoBond = errors.New("staking: no such bond")
	// ErrGPUs says that a device without processors has no stake to hold.
	ErrGPUs = errors.New("staking: a bond needs at least one processor")
	// ErrNotOwner says that only the owner of a bond deposits into it; others accept its offers.
	ErrNotOwner = errors.New("staking: not the owner of the bond")
	// ErrAmount says that an amount is zero, below the minimum fill, or not the amount of the offer.
	ErrAmount = errors.New("staking: amount")
	// ErrLots says that the bond holds as many lots as the parameters allow.
	ErrLots = errors.New("staking: bond is full of lots")
	// ErrOfferExists says that the identifier of an offer was used before; identifiers are never used again.
	ErrOfferExists = errors.New("staking: offer exists")
	// ErrNoOffer says that no offer has this identifier.
	ErrNoOffer = errors.New("staking: no such offer")
	// ErrOpenOffers says that the bond has as many open offers as the parameters allow.
	ErrOpenOffers = errors.New("staking: bond has an open offer")
	// ErrCoStake says that co-stakers would hold, or be asked for, more than their part of the requirement.
	ErrCoStake = errors.New("staking: too much co-stake")
	// ErrRewardShare says that a share is out of bounds, or that the shares of a bond exceed its whole reward.
	ErrRewardShare = errors.New("staking: reward share")
	// ErrExpiry says that an offer would expire before it is posted.
	ErrExpiry = errors.New("staking: expiry is not in the future")
	// ErrOfferOver says that the offer was filled or closed.
	ErrOfferOver = errors.New("staking: offer is over")
	// ErrOfferExpired says that the offer expired.
	ErrOfferExpired = errors.New("staking: offer expired")
	// ErrSelfStake says that an owner may not co-stake on the own bond.
	ErrSelfStake = errors.New("staking: owner cannot co-stake on the own bond")
	// ErrClaims says that the holder has as many accepted offers as the parameters allow.
	ErrClaims = errors.New("staking: too many accepted offers")
	// ErrEpochDone says that the bond was rewarded for this epoch or a later one.
	ErrEpochDone = errors.New("staking: epoch rewarded already")
	// ErrEpochOpen says that the epoch has not ended, or that an instant lies beyond the calendar.
	ErrEpochOpen = errors.New("staking: epoch has not ended")
	// ErrTimeBackwards says that an event is older than one that was applied before.
	ErrTimeBackwards = errors.New("staking: time runs backwards")
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

// checkID refuses an identifier that no wallet or device has. The field is named in the error.
func checkID(field, id string) error {
	const longest = 128 // bytes: a wallet address has 44, a device identifier 40
	switch {
	case id == "":
		return fmt.Errorf("%w: %s is empty", ErrID, field)
	case len(id) > longest:
		return fmt.Errorf("%w: %s has %d bytes, the limit is %d", ErrID, field, len(id), longest)
	}
	return nil
}
