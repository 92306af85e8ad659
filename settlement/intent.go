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
	// Refund gives an inflow, or a part of it, back to whom it came from.
	Refund
	// Swap gives an asset of ours for another one, of which at least Least units arrive at To, or are burned in the same
	// transaction if To is empty.
	Swap
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
	case Refund:
		return "refund"
	case Swap:
		return "swap"
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
	Kind   Kind     // Pay, Move, Burn, Refund or Swap
	Asset  Asset    // one of Params.Assets
	From   Account  // the owner whose money goes
	To     Account  // the owner who gets it; empty for a Burn, and for a Swap whose proceeds are burned
	Units  uint64   // base units of the asset, more than 0
	Into   Asset    // what a Swap gets, one of Params.Assets; zero for any other kind
	Least  uint64   // fewest base units of Into that a Swap accepts, more than 0; zero for any other kind
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
	case in.Kind < Pay || in.Kind > Swap:
		return bad("Kind", "is %d, want 1 to 5", in.Kind)
	case !p.knows(in.Asset):
		return bad("Asset", "is unknown: mint %q with %d decimals", in.Asset.Mint, in.Asset.Decimals)
	case in.From == "":
		return bad("From", "is empty")
	case in.Kind == Burn && in.To != "":
		return bad("To", "is %q, a burn has none", in.To)
	case in.Kind != Burn && in.Kind != Swap && in.To == "":
		return bad("To", "is empty")
	case in.Kind == Swap && (!p.knows(in.Into) || in.Into == in.Asset):
		return bad("Into", "is unknown or what is given: mint %q with %d decimals", in.Into.Mint, in.Into.Decimals)
	case in.Kind == Swap && in.Least == 0:
		return bad("Least", "is 0")
	case in.Kind == Swap && in.Bundle != "":
		return bad("Bundle", "is %q, a swap has a transaction of its own", in.Bundle)
	case in.Kind != Swap && (in.Into != Asset{} || in.Least != 0):
		return bad("Into", "or Least is given, which only a swap has")
	case in.From == in.To && in.Kind != Swap:
		return bad("To", "is %q, the same as From", in.To)
	case in.Units == 0:
		return bad("Units", "is 0")
	}
	return nil
}
