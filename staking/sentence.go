package staking

import "fmt"

// The sentences of the effects are for people: logs, examples, a supplier's mail. Nothing parses them.

// String returns the effect as a sentence.
func (e Locked) String() string {
	return fmt.Sprintf("%s bonds %s IO as %s of %s: lot %d", e.Holder, e.Amount, e.Role, e.Bond, e.Lot)
}

// String returns the effect as a sentence.
func (e Unlocking) String() string {
	s := fmt.Sprintf("%s's %s IO in %s, lot %d, %s until %s", e.Holder, e.Amount, e.Bond, e.Lot, verb(e.State), stamp(e.Until))
	if e.Forced {
		s += ", not of the holder's own will"
	}
	return s
}

func verb(s LotState) string {
	switch s {
	case LotWaiting:
		return "wait"
	case LotCooling:
		return "cool"
	case LotActive, LotMatured:
	}
	return "are " + s.String()
}

// String returns the effect as a sentence.
func (e Matured) String() string {
	return fmt.Sprintf("%s's %s IO in %s, lot %d, can be withdrawn", e.Holder, e.Amount, e.Bond, e.Lot)
}

// String returns the effect as a sentence.
func (e Released) String() string {
	return fmt.Sprintf("%s gets back %s IO of stake in %s: payment %d", e.Holder, e.Amount, e.Bond, e.Number)
}

// String returns the effect as a sentence.
func (e Accrued) String() string {
	return fmt.Sprintf("%s earned in epoch %d: %s IO for the owner, %s for co-stakers", e.Bond, e.Epoch, e.Owner, e.CoStakers)
}

// String returns the effect as a sentence.
func (e Paid) String() string {
	return fmt.Sprintf("%s is paid %s IO that %s earned to epoch %d, as %s: payment %d", e.Holder, e.Amount, e.Bond, e.Epoch, e.Role, e.Number)
}

// String returns the effect as a sentence.
func (e Underbonded) String() string {
	return fmt.Sprintf("%s will hold %s of %s IO, and is not eligible from %s on", e.Bond, e.Have, e.Need, stamp(e.Deadline))
}

// String returns the effect as a sentence.
func (e OfferEnded) String() string { return fmt.Sprintf("offer %s is %s", e.Offer, e.State) }

// String returns the effect as a sentence.
func (e Slashed) String() string {
	return fmt.Sprintf("%s: %s IO of stake and %s of rewards are taken from %s, %s of %s, into escrow",
		e.Evidence, e.Stake, e.Rewards, e.Holder, e.Role, e.Bond)
}

// String returns the effect as a sentence.
func (e Restored) String() string {
	return fmt.Sprintf("%s: %s IO of stake and %s of rewards in %s are %s's again", e.Evidence, e.Stake, e.Rewards, e.Bond, e.Holder)
}

// String returns the effect as a sentence.
func (e Burned) String() string {
	return fmt.Sprintf("%s: %s IO are burned for %s of %s", e.Evidence, e.Amount, e.Kind, e.Bond)
}

// String returns the effect as a sentence.
func (e Compensated) String() string {
	return fmt.Sprintf("%s: %s gets %s IO", e.Evidence, e.Holder, e.Amount)
}
