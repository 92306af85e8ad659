package staking

import "fmt"

// Status is the label of an offer that io.net publishes.
type Status uint8

// The labels, and the offers that have them.
const (
	// StatusNone is no label: the fills are active, or what happens has none, such as a fill that waits on a device that is
	// short of its requirement.
	StatusNone Status = 0
	// StatusSufficientWaitPeriod is an owner's label: a fill waits and still counts, and the owner has this time to refill.
	StatusSufficientWaitPeriod Status = 1
	// StatusSufficientWaiting is an open offer of a device that holds its requirement.
	StatusSufficientWaiting Status = 2
	// StatusInCooldown is a fill, or for its owner also the own stake, that cools, or has cooled and was not withdrawn yet.
	StatusInCooldown Status = 3
	// StatusWithdrawn is an offer whose fills have all left the bond.
	StatusWithdrawn Status = 4
	// StatusUnstaked is a co-staker's label: a fill waits.
	StatusUnstaked Status = 5
	// StatusClosed is an offer that was closed, or expired, or was filled as often as it allows, with a rest.
	StatusClosed Status = 6
	// StatusInsufficientWaiting is an open offer of a device that is short of its requirement.
	StatusInsufficientWaiting Status = 7
)

// String returns the label as io.net writes it, "no label" for [StatusNone].
func (s Status) String() string {
	switch s {
	case StatusNone:
		return "no label"
	case StatusSufficientWaitPeriod:
		return "Sufficient (Wait Period)"
	case StatusSufficientWaiting:
		return "Sufficient (Waiting for Co-Staker)"
	case StatusInCooldown:
		return "In Cooldown"
	case StatusWithdrawn:
		return "Co-Staker Withdrawn"
	case StatusUnstaked:
		return "Co-Staker Unstaked (In Wait Period)"
	case StatusClosed:
		return "Offer Closed"
	case StatusInsufficientWaiting:
		return "Insufficient (Waiting for Co-Staker)"
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// Status returns the label of an offer as its owner or a co-staker sees it, and false if there is no such offer or role.
// Where several would fit, what leaves comes first: a fill that waits, then one that cools, then the offer itself while
// it is open, then fills that have left, then the end of the offer. With offers of one fill, which are io.net's, only one
// fits, except for the owner's own cooldown.
func (p *Pool) Status(id OfferID, as Role) (Status, bool) {
	offer, ok := p.Offer(id)
	if !ok || as != Owner && as != CoStaker {
		return StatusNone, false
	}
	bond, ok := p.Bond(offer.Bond)
	if !ok {
		panic("staking: Pool.Status: an offer without a bond")
	}
	var waiting, leaving, fills bool
	for _, l := range bond.Lots {
		if l.Offer != id && (l.Role != Owner || as != Owner) {
			continue
		}
		fills = fills || l.Offer == id
		waiting = waiting || l.State == LotWaiting
		leaving = leaving || l.State == LotCooling || l.State == LotMatured
	}
	sufficient := bond.Counted >= bond.Required
	switch {
	case waiting && as == CoStaker:
		return StatusUnstaked, true
	case waiting && sufficient:
		return StatusSufficientWaitPeriod, true
	case leaving:
		return StatusInCooldown, true
	case offer.State == StateOpen && sufficient:
		return StatusSufficientWaiting, true
	case offer.State == StateOpen:
		return StatusInsufficientWaiting, true
	case offer.Withdrawn > 0 && !fills:
		return StatusWithdrawn, true
	case offer.State != StateFilled:
		return StatusClosed, true
	}
	return StatusNone, true
}
