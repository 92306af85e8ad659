package settlement

import (
	"fmt"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Event is what happened to the money, or an order about it. The types in this file are all there are.
//
//sumtype:decl
type Event interface{ event() }

// Decided hands over intents of an epoch. An intent that is known already is skipped if it is the same, and the whole
// event is refused with [ErrConflict] if it is not. The same Decided in the same order give the same batches, whatever
// happened to them: so a plan that was lost can be made again.
type Decided struct {
	Epoch    tokenomics.Epoch
	MaxLines uint16 // lines of a batch of this decision; 0: Params.MaxLines
	// Made is when it was decided, by the clock of whoever did; zero: when it is applied. A payer that is told late needs it: other
	// payers may have paid the decision meanwhile, and taken the markers back.
	Made    time.Time
	Intents []Intent
}

// Signed records an attempt before it is sent. It is refused with [ErrUnseen] from Entry.Before on: the marker has to be looked
// for first.
type Signed struct {
	Batch    BatchID
	Revision uint16 // of the batch that was signed
	Tx       Tx
}

// Rejected records lines that Prepare found impossible, before anything was signed.
type Rejected struct {
	Batch    BatchID
	Revision uint16 // of the batch whose lines are meant
	Faults   []Fault
}

// Landed records that an attempt is final and successful.
type Landed struct {
	Batch     BatchID
	Tx        string // ID of the attempt
	Slot      uint64 // where it landed
	Fee       uint64 // lamports
	Got       uint64 // base units of Into that a Swap got, 0 otherwise
	Witnesses []Witness
}

// Failed records that an attempt is final and has failed as a whole. A swap that has failed for no line's fault is planned again,
// for another quote; every eighth failure leaves it stuck, as the first one leaves any other batch.
type Failed struct {
	Batch     BatchID
	Tx        string // ID of the attempt
	Slot      uint64 // where it landed
	Fee       uint64 // lamports, which are lost
	Failure   Failure
	Witnesses []Witness
}

// Expired records that an attempt can never land any more.
type Expired struct {
	Batch     BatchID
	Tx        string // ID of the attempt
	Witnesses []Witness
}

// Found records which transaction of ours made a marker, and what it carried: an attempt of the journal, or one that it has
// not heard of, because the journal was lost or another payer works on the same plan. It is final and successful.
type Found struct {
	Marker    MarkerID
	Tx        string // ID of the transaction
	Slot      uint64 // where it landed
	Fee       uint64 // lamports
	Got       uint64 // as in Landed
	Lines     []Line // what it carried, without intents; none if it sealed the batch
	Witnesses []Witness
}

// Poisoned records that a stranger funded the address of a marker before any attempt of ours had made it.
type Poisoned struct {
	Marker    MarkerID
	Tx        string // ID of the stranger's transaction, final and successful
	Slot      uint64 // where it landed
	Witnesses []Witness
}

// Recovering is the order to sign nothing for any batch, neither of those that are planned nor of those to come, until its
// marker was found or is seen absent after the last block in which an attempt that was signed before now could land. It is
// given once, first, to a journal that may have lost events. Attempts with a nonce have no last block: use every nonce up,
// finally, before it is given. The zero Recovering ends that, when everything that was lost has been decided again; it is
// refused with [ErrStale] while a batch is unsure or a probe is open.
type Recovering struct {
	LastValid uint64           // that block's height, the largest that any endpoint names
	Since     tokenomics.Epoch // batches of earlier epochs are never paid by absence: their markers may have been reclaimed
}

// Absent records that a marker does not exist and was never made. It is about an unsure batch or a probe, and then no attempt
// that was signed before [Recovering] can make it either; or about a planned batch, which may be signed again that was last
// known to be unpaid too long ago.
type Absent struct {
	Marker    MarkerID
	Witnesses []Witness
}

// Retried is the order to plan refused intents again, in batches of the [Overflow] lane of their epoch. The whole line of an
// intent goes with it, and of a bundle all lines. It is refused with [ErrStale] while the batch that they were refused in is
// open, since an attempt that carries them could land until its marker exists; and in recovery while the epoch is probed.
// The batches of that lane are prepared one after the other, each when the marker of the one before exists.
type Retried struct {
	MaxLines uint16 // lines of a batch; 0: Params.MaxLines
	Intents  []IntentID
}

// Reclaimed records that markers exist no more: their rent is ours again.
type Reclaimed struct {
	Markers   []MarkerID
	Witnesses []Witness
}

// Resumed is the order of an operator to try a stuck batch again.
type Resumed struct{ Batch BatchID }

func (Decided) event()    {}
func (Signed) event()     {}
func (Rejected) event()   {}
func (Landed) event()     {}
func (Failed) event()     {}
func (Expired) event()    {}
func (Found) event()      {}
func (Poisoned) event()   {}
func (Recovering) event() {}
func (Absent) event()     {}
func (Retried) event()    {}
func (Reclaimed) event()  {}
func (Resumed) event()    {}

// Effect is what follows from an event. The types in this file are all there are.
//
//sumtype:decl
type Effect interface{ effect() }

// Prepare asks for an attempt at a batch.
type Prepare struct{ Batch Batch }

// Send asks for an attempt to be sent. It may be sent any number of times.
type Send struct {
	Batch BatchID
	Tx    Tx
}

// Find asks who made the marker of a batch. The batch has every line that it ever had.
type Find struct{ Batch Batch }

// Paid says that intents are paid, for ever.
type Paid struct {
	Batch   BatchID
	Tx      string     // ID of the attempt that landed
	Slot    uint64     // where it landed
	Got     uint64     // base units that a Swap got, 0 otherwise
	Intents []IntentID // in the order of the batch's lines
}

// Refused says that intents will not be paid, unless they are [Retried], and why.
type Refused struct {
	Batch   BatchID
	To      Account // recipient of the line
	Reason  string
	Intents []IntentID // of the line, in rising order
}

// Waiting says that intents are less than Limit.MinPay and wait for the recipient's next ones.
type Waiting struct {
	To      Account
	Units   uint64     // that wait for this recipient now
	Intents []IntentID // of this event, in rising order
}

// Stuck says that a batch needs an operator.
type Stuck struct {
	Batch  BatchID
	Reason string
}

func (Prepare) effect() {}
func (Send) effect()    {}
func (Find) effect()    {}
func (Paid) effect()    {}
func (Refused) effect() {}
func (Waiting) effect() {}
func (Stuck) effect()   {}

// Witness is what one endpoint has said, so that whoever doubts an event can look at what it rests on.
type Witness struct {
	Endpoint string // its name: what one endpoint says twice counts once
	Height   uint64 // height of its newest final block, read before anything else
	Slot     uint64 // slot of that block, at least Height
	Context  uint64 // the lowest slot as of which it answered afterwards, at least Slot
	Nonce    string // value of the attempt's nonce account in a final block, empty for an attempt without one
}

// Fault is a line that cannot be carried, and why.
type Fault struct {
	Line   int // index into Batch.Lines of the revision meant
	Reason string
}

// Failure says why a transaction failed.
type Failure struct {
	Faults []Fault // the lines at fault; empty if no line is known to be
	Marker bool    // the batch's marker existed: another attempt, or a stranger, was first
	Reason string  // what the chain said
}

// LineError is what Prepare returns when lines of a batch cannot be carried while the rest could.
type LineError struct{ Faults []Fault }

// Error lists the lines and their reasons.
func (e *LineError) Error() string {
	var b strings.Builder
	b.WriteString("settlement: lines that cannot be carried:")
	for i, f := range e.Faults {
		if i > 0 {
			b.WriteString(";")
		}
		fmt.Fprintf(&b, " line %d: %s", f.Line, f.Reason)
	}
	return b.String()
}
