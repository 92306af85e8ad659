package settlement

import (
	"fmt"
	"strings"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Event is what happened to the money, or an order about it. The types in this file are all there are.
type Event interface{ event() }

// Decided hands over intents of an epoch. An intent that is known already is skipped if it is the same, and the whole
// event is refused with [ErrConflict] if it is not.
type Decided struct {
	Epoch   tokenomics.Epoch
	Intents []Intent
}

// Signed records an attempt before it is sent.
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
	Batch BatchID
	Tx    string // ID of the attempt
	Slot  uint64 // where it landed
	Fee   uint64 // lamports
}

// Failed records that an attempt is final and has failed as a whole.
type Failed struct {
	Batch   BatchID
	Tx      string // ID of the attempt
	Slot    uint64 // where it landed
	Fee     uint64 // lamports, which are lost
	Failure Failure
}

// Expired records that an attempt can never land any more.
type Expired struct {
	Batch  BatchID
	Tx     string // ID of the attempt
	Height uint64 // final block height at which it was missed: more than the attempt's LastValid
}

// Resumed is the order of an operator to try a stuck batch again.
type Resumed struct{ Batch BatchID }

func (Decided) event()  {}
func (Signed) event()   {}
func (Rejected) event() {}
func (Landed) event()   {}
func (Failed) event()   {}
func (Expired) event()  {}
func (Resumed) event()  {}

// Effect is what follows from an event. The types in this file are all there are.
type Effect interface{ effect() }

// Prepare asks for an attempt at a batch.
type Prepare struct{ Batch Batch }

// Send asks for an attempt to be sent. It may be sent any number of times.
type Send struct {
	Batch BatchID
	Tx    Tx
}

// Paid says that a batch is done, and which intents it has paid.
type Paid struct {
	Batch   BatchID
	Tx      string     // ID of the attempt that landed
	Slot    uint64     // where it landed
	Intents []IntentID // in the order of the batch's lines
}

// Refused says that intents will not be paid, and why.
type Refused struct {
	Batch   BatchID
	To      Account // recipient of the line
	Reason  string
	Intents []IntentID // of the line, in rising order
}

// Stuck says that a batch needs an operator.
type Stuck struct {
	Batch  BatchID
	Reason string
}

func (Prepare) effect() {}
func (Send) effect()    {}
func (Paid) effect()    {}
func (Refused) effect() {}
func (Stuck) effect()   {}

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
