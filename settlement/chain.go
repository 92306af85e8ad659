package settlement

import (
	"context"
	"errors"
)

// ErrLater is what Prepare returns, wrapped, for a batch that cannot be prepared yet and will be by itself, for example
// while its recipients' accounts are being made, or signatures are being collected.
var ErrLater = errors.New("settlement: not yet")

// Tx is one signed attempt at a batch.
type Tx struct {
	ID        string // the signature as text, by which the chain knows the attempt
	Raw       []byte // the bytes to send
	LastValid uint64 // block height after which the attempt cannot land any more; 0 if it has a nonce
	Nonce     Nonce  // zero if it has a LastValid
}

// Nonce is an account whose value an attempt uses up, in place of a blockhash that expires. The attempt is dead when the
// account's final value is another one and the attempt has not landed.
type Nonce struct {
	Account Account
	Value   string
}

// Attempt is a Tx and the marker that it makes.
type Attempt struct {
	Marker MarkerID
	Tx     Tx
}

// Chain is one endpoint through which attempts are made, sent and looked for. Exercise in settlementtest tests any
// implementation. What one endpoint says is believed by nobody alone: see Params.Quorum.
type Chain interface {
	// Prepare makes and signs an attempt at each batch; no money moves. It answers for each, in the order given, and returns
	// an error only if it can answer for none.
	Prepare(ctx context.Context, batches []Batch) ([]Prepared, error)
	// Send hands attempts over. It may be called any number of times; its error says nothing about the money.
	Send(ctx context.Context, txs []Tx) error
	// Look reads the final block height first and then what is known of each attempt, in the order given.
	Look(ctx context.Context, attempts []Attempt) (Sighting, error)
}

// Finder is a Chain that can tell who made a marker. Without one a batch whose marker exists for no known reason stays
// where it is.
type Finder interface {
	// Find reads the final block height first and then who made the marker of each batch, in the order given. A batch has
	// every line that its plan ever had, so that recipients are known by their names. It reads final blocks only.
	Find(ctx context.Context, batches []Batch) (Findings, error)
}

// Reclaimer is a Chain that can take the rent of markers back.
type Reclaimer interface {
	// Reclaim takes back what the markers hold that still exist, and says which of them exist no more in a final block. It
	// may be called any number of times.
	Reclaim(ctx context.Context, markers []MarkerID) (Reclaims, error)
}

// Prepared is what Prepare made of one batch.
type Prepared struct {
	Tx Tx
	// Err is nil, a *LineError if lines cannot be carried while the rest could, or wraps ErrLater if Prepare only has to be
	// called again; any other error is about the whole batch and may pass.
	Err error
}

// Sight is how much a chain knows of an attempt.
type Sight uint8

const (
	// Missing means that the chain does not know the attempt, which may still land.
	Missing Sight = iota
	// Pending means that the chain knows the attempt, but could still forget it.
	Pending
	// Succeeded means that the attempt is final and has done all it says.
	Succeeded
	// Reverted means that the attempt is final and has done nothing but cost its fee.
	Reverted
	// Dead means that the chain does not know the attempt, by status and by history, after the last block in which it could
	// land or after its nonce was used up; and that the marker does not exist.
	Dead
	// Marked means the same, but the marker exists: somebody made it.
	Marked
)

// Result is what a chain knows of one attempt.
type Result struct {
	Sight   Sight
	Context uint64  // the lowest slot as of which it was answered
	Nonce   string  // final value of the attempt's nonce account, if it has one
	Slot    uint64  // where it landed, if it is final
	Fee     uint64  // lamports, if it is final
	Got     uint64  // base units of Into that a Swap got, if it succeeded
	Failure Failure // if Sight is Reverted
}

// Sighting is what one look at a chain has shown.
type Sighting struct {
	Endpoint string   // names the endpoint
	Height   uint64   // final block height, read before the results
	Slot     uint64   // slot of that block
	Results  []Result // one for each attempt asked for, in that order
}

// Origin is what a chain knows of the making of a marker.
type Origin uint8

const (
	// Unclear means that the marker exists, or existed, and the endpoint's history does not tell who made it.
	Unclear Origin = iota
	// Never means that the marker does not exist and that no transaction in the endpoint's history has made it.
	Never
	// Ours means that a final transaction of the payer has made it.
	Ours
	// Theirs means that a final transaction of somebody else funded it, and that none of the payer made it before.
	Theirs
)

// Finding is what a chain knows of one marker.
type Finding struct {
	Origin  Origin
	Context uint64 // the lowest slot as of which it was answered
	Tx      string // ID of the transaction, if Ours or Theirs
	Slot    uint64 // where it landed, if Ours or Theirs
	Fee     uint64 // lamports, if Ours
	Got     uint64 // as in Result, if Ours
	Lines   []Line // what it carried, in the order of the transaction and without intents, if Ours
}

// Findings is what one endpoint has told about markers.
type Findings struct {
	Endpoint  string
	Height    uint64    // final block height, read before the results
	Slot      uint64    // slot of that block
	LastValid uint64    // last block in which an attempt signed until now can land
	Results   []Finding // one for each batch asked for, in that order
}

// Reclaims is what one endpoint has told about the markers to be reclaimed.
type Reclaims struct {
	Endpoint string
	Height   uint64 // final block height, read before the rest
	Slot     uint64 // slot of that block
	Context  uint64 // the lowest slot as of which it was answered
	Gone     []bool // for each marker, whether it does not exist in a final block
}

// Historian is a Chain that can list what its payer has done.
type Historian interface {
	// MarkerAddress returns where a marker is or will be.
	MarkerAddress(ctx context.Context, m MarkerID) (Account, error)
	// History hands over every final transaction that the payer has signed, oldest first, and stops at the first error of
	// each. A gap in what the endpoint remembers is an error.
	History(ctx context.Context, each func(Trace) error) error
}

// Trace is one final transaction of ours as the chain tells it, by nothing but its bytes and the balances before and after.
type Trace struct {
	Tx        string
	Slot      uint64
	Fee       uint64    // lamports
	Failed    bool      // it did nothing but cost its fee
	Marker    Account   // the marker that it makes, empty if it makes none
	Rent      uint64    // lamports put into the marker
	Lines     []Line    // what it carries, in order and without intents
	Changes   []Change  // token balances that it changed, by owner and mint
	Reclaimed []Account // markers whose rent it took back
	Returned  uint64    // lamports taken back from them
	Opened    uint64    // lamports of rent put into token accounts
	Closed    uint64    // lamports of rent taken back from token accounts
	Unknown   bool      // it holds an instruction that none of the above explains
}

// Change is one token balance before and after a transaction.
type Change struct {
	Owner         Account
	Asset         Asset
	Before, After uint64 // base units; 0 where the account did not exist
}
