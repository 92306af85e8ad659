package settlement

import (
	"fmt"
	"time"
)

// TillEvent is what happened to money that comes in, or an order about it. The types in this file are all there are.
type TillEvent interface{ tillEvent() }

// BillOpened asks for a sum. A bill that is known already is skipped if it is the same, and refused with [ErrConflict] if it
// is not.
type BillOpened struct{ Bill Bill }

// InflowSeen tells of money that has come in. An inflow that is known already is skipped if it is the same money, and refused
// with [ErrConflict] if it is not: so both feeds, and every restart, may tell of it again.
type InflowSeen struct{ Inflow Inflow }

// InflowReversed tells that a card payment was charged back before it was final. Money is taken from what was kept last: first
// what belongs to no bill, then what bills were credited.
type InflowReversed struct {
	Inflow InflowID
	Cause  string // the processor's ID of the event or dispute: the same cause counts once
	Units  uint64 // more than 0; at most what has neither been refunded nor reversed
}

// SeenThrough tells that every inflow that arrived before Time has been told of. It makes bills lapse and card payments final:
// a clock does not, because a feed may be behind. With several feeds, it is the least of their times. An earlier time than one
// that was told before says nothing new.
type SeenThrough struct{ Time time.Time }

// Released is the order of an operator to give suspended money to a bill or to a customer's balance, not both. What a bill
// cannot take of it stays suspended.
type Released struct {
	Inflow   InflowID
	Units    uint64 // more than 0, at most what is suspended or kept of the inflow
	Bill     string // ID of an open bill in the same asset, empty for a balance
	Customer string // whose balance, empty for a bill
}

// RefundOrdered is the order of an operator to send suspended or kept money back.
type RefundOrdered struct {
	Inflow InflowID
	Units  uint64  // more than 0, at most what is suspended or kept of the inflow
	To     Account // confirmed by the customer; empty: whom it came from. It is never taken from a memo
}

// RefundRefused tells that a refund will not be carried: the journal refused its intent, and nobody will retry it. The money
// is suspended again.
type RefundRefused struct{ Intent IntentID }

// TreasuryChanged tells whether money can still come into a treasury.
type TreasuryChanged struct {
	Account Account
	Trouble string // "" if all is well; otherwise what is wrong, for example "mint is paused" or "account is frozen"
}

func (BillOpened) tillEvent()      {}
func (InflowSeen) tillEvent()      {}
func (InflowReversed) tillEvent()  {}
func (SeenThrough) tillEvent()     {}
func (Released) tillEvent()        {}
func (RefundOrdered) tillEvent()   {}
func (RefundRefused) tillEvent()   {}
func (TreasuryChanged) tillEvent() {}

// TillEffect is what follows from a TillEvent. The types in this file are all there are.
type TillEffect interface{ tillEffect() }

// Credited says that a bill was paid, or a part of it.
type Credited struct {
	Bill   string
	Inflow InflowID
	Units  uint64
	Unpaid uint64 // what the bill still lacks; 0: it is paid
	Final  bool   // false: a card payment that may yet be charged back, see [Settled]
}

// Balanced says that money belongs to a customer's balance.
type Balanced struct {
	Customer string
	Bill     string // empty if an operator ordered it
	Inflow   InflowID
	Units    uint64
	Arrived  time.Time // the price of this moment is the customer's
	Why      Surplus
	Final    bool // as in Credited
}

// Suspended says that money waits for an operator.
type Suspended struct {
	Inflow InflowID
	Units  uint64
	Why    Doubt
	Bills  []string // which it may be meant for, in order of opening: a proposal, nothing more
}

// Kept says that an inflow is too small to be looked at. It is remembered for its payer.
type Kept struct {
	Inflow InflowID
	Payer  Account
	Units  uint64
}

// Owed asks for a refund to be decided in a journal, or by the card processor that the money came from.
type Owed struct {
	Inflow InflowID
	Bill   string // empty if no bill claims the money
	Intent Intent // of Kind Refund
}

// Lapsed says that a bill was not paid in time. What becomes of a part follows in Balanced and Owed.
type Lapsed struct {
	Bill  string
	Units uint64 // that had been paid
}

// Settled says that a card payment can no longer be charged back.
type Settled struct{ Inflow InflowID }

// Reversed says that money is gone which had been kept.
type Reversed struct {
	Inflow   InflowID
	Bill     string // which was credited; empty for money that belongs to no bill
	Customer string // whose balance it was; empty for any other money
	Units    uint64
}

// Alarmed says that a treasury takes no money any more, or takes it again: sell nothing meanwhile.
type Alarmed struct {
	Account Account
	Trouble string // "" when it is over
}

func (Credited) tillEffect()  {}
func (Balanced) tillEffect()  {}
func (Suspended) tillEffect() {}
func (Kept) tillEffect()      {}
func (Owed) tillEffect()      {}
func (Lapsed) tillEffect()    {}
func (Settled) tillEffect()   {}
func (Reversed) tillEffect()  {}
func (Alarmed) tillEffect()   {}

// Doubt says why money is suspended.
type Doubt uint8

const (
	// DoubtCoin means that the chain's own coin came in, which no bill asks for.
	DoubtCoin Doubt = iota + 1
	// DoubtMint means that the token is none that bills are in, whatever it calls itself.
	DoubtMint
	// DoubtProgram means that the mint is known, but the account belongs to another token program.
	DoubtProgram
	// DoubtAccount means that the account is ours, but no treasury.
	DoubtAccount
	// DoubtOtherBill means that the reference is of a bill that another treasury is to be paid for.
	DoubtOtherBill
	// DoubtReference means that no reference of ours was given.
	DoubtReference
	// DoubtAmbiguous means that several references were given, and the transfers do not tell which is meant.
	DoubtAmbiguous
	// DoubtRefund means that a refund was refused.
	DoubtRefund
)

// String returns the reason for people.
func (d Doubt) String() string {
	switch d {
	case DoubtCoin:
		return "the chain's own coin"
	case DoubtMint:
		return "unknown mint"
	case DoubtProgram:
		return "other token program"
	case DoubtAccount:
		return "account of ours that is no treasury"
	case DoubtOtherBill:
		return "reference of a bill of another treasury"
	case DoubtReference:
		return "no reference"
	case DoubtAmbiguous:
		return "several references"
	case DoubtRefund:
		return "refund refused"
	}
	return fmt.Sprintf("doubt(%d)", uint8(d))
}

// Surplus says why money went to a balance.
type Surplus uint8

const (
	// SurplusMore means that it came beyond what the bill asks for, at once or by paying twice.
	SurplusMore Surplus = iota + 1
	// SurplusLate means that it arrived after the bill's expiry.
	SurplusLate
	// SurplusPart means that it was a part of a bill that lapsed.
	SurplusPart
	// SurplusOrder means that an operator ordered it.
	SurplusOrder
)

// String returns the reason in one word.
func (s Surplus) String() string {
	switch s {
	case SurplusMore:
		return "more"
	case SurplusLate:
		return "late"
	case SurplusPart:
		return "part"
	case SurplusOrder:
		return "order"
	}
	return fmt.Sprintf("surplus(%d)", uint8(s))
}
