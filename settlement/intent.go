package settlement

import (
	"encoding/hex"
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// Account is an address as text, for example a Solana wallet in base58. The core only compares and sorts it.
type Account string

// Asset is a token that can be moved.
type Asset struct {
	Mint     Account `json:"mint"`     // address of the token's mint
	Decimals uint8   `json:"decimals"` // decimal places of one whole token: 8 for IO, 6 for USDC
}

// Kind says what an intent does with the money.
type Kind uint8

const (
	// Pay gives money to somebody else.
	Pay Kind = iota + 1
	// Move shifts money between accounts of ours.
	Move
	// Burn destroys money of ours: the supply falls by as much. A burn has no recipient.
	Burn
)

// String returns the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Pay:
		return "pay"
	case Move:
		return "move"
	case Burn:
		return "burn"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// IntentID names an intent by its cause.
type IntentID [32]byte

// NewIntentID returns the SHA-256 over the kind and the parts of the cause, each with its length, so that ("ab", "c") and
// ("a", "bc") differ. The same cause gives the same ID on every machine.
func NewIntentID(kind Kind, cause ...string) IntentID {
	w := canon.NewWriter("idlegrid/settlement/intent/v1")
	w.Uint8(uint8(kind))
	w.Len(len(cause))
	for _, c := range cause {
		w.String(c)
	}
	return w.Sum()
}

// String returns the ID as 64 hexadecimal digits.
func (id IntentID) String() string { return hex.EncodeToString(id[:]) }

// Intent is one decided movement of money.
type Intent struct {
	ID     IntentID // derived from the cause, see [NewIntentID]
	Kind   Kind     // Pay, Move or Burn
	Asset  Asset    // one of Params.Assets
	From   Account  // the owner whose money goes
	To     Account  // the owner who gets it; empty for Burn
	Units  uint64   // base units of the asset, more than 0
	Bundle string   // intents of one non-empty bundle are carried in one transaction or not at all
	Cause  string   // for people: why the money moves
}

// IntentError says which field of an intent is wrong.
type IntentError struct {
	ID     IntentID
	Field  string // the name of the field, for example "Units"
	Reason string // what is wrong with it
}

// Error names the intent, the field and the reason.
func (e *IntentError) Error() string {
	return fmt.Sprintf("settlement: intent %x: %s %s", e.ID[:4], e.Field, e.Reason)
}

// check returns the first field that is wrong, nil if none is.
func (in Intent) check(p Params) *IntentError {
	bad := func(field, format string, args ...any) *IntentError {
		return &IntentError{ID: in.ID, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case in.ID == IntentID{}:
		return bad("ID", "is zero")
	case in.Kind < Pay || in.Kind > Burn:
		return bad("Kind", "is %d, want 1 to 3", in.Kind)
	case !p.knows(in.Asset):
		return bad("Asset", "is unknown: mint %q with %d decimals", in.Asset.Mint, in.Asset.Decimals)
	case in.From == "":
		return bad("From", "is empty")
	case in.Kind == Burn && in.To != "":
		return bad("To", "is %q, a burn has none", in.To)
	case in.Kind != Burn && in.To == "":
		return bad("To", "is empty")
	case in.From == in.To:
		return bad("To", "is %q, the same as From", in.To)
	case in.Units == 0:
		return bad("Units", "is 0")
	}
	return nil
}
