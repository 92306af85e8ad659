package settlement

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

var (
	// ErrUnknownBill is returned for an order about a bill that was never opened.
	ErrUnknownBill = errors.New("settlement: unknown bill")
	// ErrUnknownInflow is returned for an event about an inflow that was never seen.
	ErrUnknownInflow = errors.New("settlement: unknown inflow")
	// ErrUnknownTreasury is returned for an event about an account that is no treasury.
	ErrUnknownTreasury = errors.New("settlement: unknown treasury")
	// ErrTreasury is returned for a bill that is to be paid into a treasury that takes no money.
	ErrTreasury = errors.New("settlement: treasury takes no money")
	// ErrBillClosed is returned for an order to give money to a bill that is paid or lapsed.
	ErrBillClosed = errors.New("settlement: bill takes no money")
	// ErrFunds is returned for an order about more money than there is of its sort.
	ErrFunds = errors.New("settlement: not that much money")
	// ErrSettled is returned for the reversal of an inflow that is final.
	ErrSettled = errors.New("settlement: inflow is final")
)

// Till is the state machine of money that comes in: which bill it pays, and what becomes of all other money. Every unit of an
// inflow is in one place at a time: credited to a bill, in a customer's balance, suspended, kept for its payer, owed back to
// whom it came from, or reversed. It is not safe for concurrent use.
type Till struct {
	params    TillParams
	now       time.Time
	through   time.Time // every inflow before this moment was told of
	trouble   []string  // of each treasury, empty if there is none
	bills     []tillBill
	inflows   []tillInflow
	byBill    map[string]int32
	byRef     map[Reference]int32
	byInflow  map[InflowID]int32
	byIntent  map[IntentID]int32          // refund ever owed -> inflow
	open      []int32                     // bills neither paid nor lapsed, in order of opening
	watched   []int32                     // bills whose reference is looked for, in order of opening
	unsettled []int32                     // inflows that can be charged back, in order of sighting
	totals    map[Asset]*[placeEnd]uint64 // units in each place
}

// tillBill is a Bill with what became of it.
type tillBill struct {
	Bill
	opened   time.Time
	credited uint64
	lapsed   bool
	inflows  []int32 // that have a portion credited to it, in order of sighting
}

// tillInflow is an Inflow, without what explained it, and where its units are.
type tillInflow struct {
	Inflow
	settled   bool // it is final
	portions  []portion
	refunds   []int32 // bill of every refund that was ever owed, -1 for none
	reversals []reversal
}

// portion is a part of an inflow that is in one place.
type portion struct {
	place    place
	units    uint64
	bill     int32  // that claims the money, -1 if none does
	customer string // if it is in a balance
	to       Account
	intent   IntentID // if it is owed
}

type reversal struct {
	cause string
	units uint64
}

// place is where units are.
type place uint8

const (
	placeCredited place = iota
	placeBalance
	placeSuspended
	placeKept
	placeOwed
	placeReversed
	placeEnd
)

// NewTill returns an empty till.
func NewTill(p TillParams) (*Till, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.Treasuries = slices.Clone(p.Treasuries)
	return &Till{
		params:   p,
		trouble:  make([]string, len(p.Treasuries)),
		byBill:   map[string]int32{},
		byRef:    map[Reference]int32{},
		byInflow: map[InflowID]int32{},
		byIntent: map[IntentID]int32{},
		totals:   map[Asset]*[placeEnd]uint64{},
	}, nil
}

// Params returns the policy of the till.
func (t *Till) Params() TillParams {
	p := t.params
	p.Treasuries = slices.Clone(p.Treasuries)
	return p
}

// BillEntry is a bill as it stands.
type BillEntry struct {
	Bill   Bill
	State  BillState
	Opened time.Time
	Paid   uint64 // units credited to it now
}

// InflowEntry is an inflow as it stands. Units are the sum of the six places.
type InflowEntry struct {
	Inflow  Inflow // without Refs and Transfers
	Settled bool   // it is final
	TillTotals
}

// TillTotals says where units are: In = Credited + Balance + Suspended + Kept + Owed + Reversed.
type TillTotals struct {
	In        uint64 // that came in
	Credited  uint64 // to bills
	Balance   uint64 // of customers, ever: what they spend of it is not the till's
	Suspended uint64 // until an operator decides
	Kept      uint64 // as dust, for the payers
	Owed      uint64 // as refunds, ever: whether they are paid is the journal's
	Reversed  uint64 // by the payers' banks
}

// Bill returns the bill of that ID, and whether there is one.
func (t *Till) Bill(id string) (BillEntry, bool) {
	i, ok := t.byBill[id]
	if !ok {
		return BillEntry{}, false
	}
	return t.bills[i].entry(), true
}

// Bills yields every bill, in order of opening.
func (t *Till) Bills() iter.Seq[BillEntry] {
	return func(yield func(BillEntry) bool) {
		for i := range t.bills {
			if !yield(t.bills[i].entry()) {
				return
			}
		}
	}
}

// Inflow returns the inflow of that ID, and whether there is one.
func (t *Till) Inflow(id InflowID) (InflowEntry, bool) {
	i, ok := t.byInflow[id]
	if !ok {
		return InflowEntry{}, false
	}
	return t.inflows[i].entry(), true
}

// Inflows yields every inflow, in order of sighting.
func (t *Till) Inflows() iter.Seq[InflowEntry] {
	return func(yield func(InflowEntry) bool) {
		for i := range t.inflows {
			if !yield(t.inflows[i].entry()) {
				return
			}
		}
	}
}

// References yields what to look for on the chain: the references of all bills until TillParams.WatchSeconds after their
// expiry, paid ones too, in order of opening.
func (t *Till) References() iter.Seq[Reference] {
	return func(yield func(Reference) bool) {
		for _, i := range t.watched {
			if !yield(t.bills[i].Reference) {
				return
			}
		}
	}
}

// Refunds yields every refund that is owed, so that whoever was interrupted decides them again: a journal skips what it knows.
func (t *Till) Refunds() iter.Seq[Owed] {
	return func(yield func(Owed) bool) {
		for i := range t.inflows {
			for _, p := range t.inflows[i].portions {
				if p.place == placeOwed && !yield(t.owed(int32(i), p)) {
					return
				}
			}
		}
	}
}

// Totals returns the books of one asset.
func (t *Till) Totals(a Asset) TillTotals {
	sums, ok := t.totals[a]
	if !ok {
		return TillTotals{}
	}
	return totalsOf(sums)
}

// Through returns the moment up to which every inflow was told of.
func (t *Till) Through() time.Time { return t.through }

func totalsOf(s *[placeEnd]uint64) TillTotals {
	out := TillTotals{
		Credited: s[placeCredited], Balance: s[placeBalance], Suspended: s[placeSuspended],
		Kept: s[placeKept], Owed: s[placeOwed], Reversed: s[placeReversed],
	}
	for _, units := range s {
		out.In += units
	}
	return out
}

func (b *tillBill) entry() BillEntry {
	return BillEntry{Bill: b.Bill, State: b.state(), Opened: b.opened, Paid: b.credited}
}

func (b *tillBill) state() BillState {
	switch {
	case b.lapsed:
		return BillLapsed
	case b.credited == b.Units:
		return BillPaid
	case b.credited > 0:
		return BillPart
	}
	return BillOpen
}

// takes says whether money that arrived at that moment can be credited.
func (b *tillBill) takes(arrived time.Time) bool {
	return !b.lapsed && b.credited < b.Units && !arrived.After(b.Expires)
}

func (in *tillInflow) entry() InflowEntry {
	var sums [placeEnd]uint64
	for _, p := range in.portions {
		sums[p.place] += p.units
	}
	return InflowEntry{Inflow: in.Inflow, Settled: in.settled, TillTotals: totalsOf(&sums)}
}

// owed makes the effect, and the intent, of a portion that is owed.
func (t *Till) owed(i int32, p portion) Owed {
	in := &t.inflows[i]
	o := Owed{Inflow: in.ID, Intent: Intent{
		ID: p.intent, Kind: Refund, Asset: in.Asset, From: in.Owner, To: p.to, Units: p.units,
		Cause: fmt.Sprintf("refund of %s", in.ID),
	}}
	if p.bill >= 0 {
		o.Bill = t.bills[p.bill].ID
		o.Intent.Cause += fmt.Sprintf(" for bill %q", o.Bill)
	}
	return o
}
