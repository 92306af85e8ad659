package settlement

import (
	"context"
	"errors"
)

// ErrLater is what Prepare returns, wrapped, for a batch that cannot be prepared yet and will be by itself, for example
// while its recipients' accounts are being made.
var ErrLater = errors.New("settlement: not yet")

// Tx is one signed attempt at a batch.
type Tx struct {
	ID        string // the signature as text, by which the chain knows the attempt
	Raw       []byte // the bytes to send
	LastValid uint64 // block height after which the attempt cannot land any more
}

// Attempt is a Tx and the batch that it is for.
type Attempt struct {
	Batch BatchID
	Tx    Tx
}

// Chain is where attempts are made, sent and looked for. Exercise in settlementtest tests any implementation.
type Chain interface {
	// Prepare makes and signs an attempt at the batch; no money moves. It returns a *LineError if lines cannot be carried
	// while the rest could, and ErrLater if it only has to be called again; any other error is about the whole batch and may
	// pass.
	Prepare(ctx context.Context, b Batch) (Tx, error)
	// Send hands the attempt over. It may be called any number of times; its error says nothing about the money.
	Send(ctx context.Context, tx Tx) error
	// Look reads the final block height first and then what is known of each attempt, in the order given.
	Look(ctx context.Context, attempts []Attempt) (Sighting, error)
}

// Sight is how much a chain knows of an attempt.
type Sight uint8

const (
	// Missing means that the chain does not know the attempt.
	Missing Sight = iota
	// Pending means that the chain knows the attempt, but could still forget it.
	Pending
	// Succeeded means that the attempt is final and has done all it says.
	Succeeded
	// Reverted means that the attempt is final and has done nothing but cost its fee.
	Reverted
)

// Result is what a chain knows of one attempt.
type Result struct {
	Sight   Sight
	Marker  bool    // the batch's marker exists; looked up only when the attempt is missing and too old to land
	Slot    uint64  // where it landed, if it is final
	Fee     uint64  // lamports, if it is final
	Failure Failure // if Sight is Reverted
}

// Sighting is what one look at a chain has shown.
type Sighting struct {
	Height  uint64   // final block height, read before the results
	Results []Result // one for each attempt asked for, in that order
}
