package settlement

import (
	"cmp"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// InflowID names money that has come in: the transaction that brought it and the account of ours that it came into.
type InflowID struct {
	Tx      string  // signature of the transaction, or the processor's ID of a card payment
	Account Account // token account of ours, or a wallet of ours for the chain's own coin
}

// String returns transaction and account with a slash.
func (id InflowID) String() string { return id.Tx + "/" + string(id.Account) }

// Compare orders inflows by transaction, then by account.
func (id InflowID) Compare(other InflowID) int {
	return cmp.Or(cmp.Compare(id.Tx, other.Tx), cmp.Compare(id.Account, other.Account))
}

// Transfer is one instruction that brought money into the account of an inflow.
type Transfer struct {
	Units uint64      // that the instruction names, before any fee of the token
	Refs  []Reference // addresses appended to it, in order
}

// Inflow is money that has come in, in a final and successful transaction that no key of ours has signed.
type Inflow struct {
	ID        InflowID
	Owner     Account     // owner of the account
	Asset     Asset       // of the account; the zero Mint is the chain's own coin
	Program   Account     // token program of the account, empty for the chain's own coin
	Units     uint64      // what the account holds more after the transaction than before it, more than 0
	Payer     Account     // whom a refund goes to; empty if that is not known for certain
	Memo      string      // that the transaction carries, shortened to 256 bytes; shown to operators as text, never as a link
	Arrived   time.Time   // time of its block
	Settles   time.Time   // until when a card payment can be charged back; zero for a payment that is final
	Refs      []Reference // every address of the transaction that may be a reference, at most 64
	Transfers []Transfer  // what brought the money, as far as it is understood, at most 64
}

// InflowError says which field of an inflow is wrong.
type InflowError struct {
	ID     InflowID
	Field  string // the name of the field, for example "Units"
	Reason string // what is wrong with it
}

// Error names the inflow, the field and the reason.
func (e *InflowError) Error() string {
	return fmt.Sprintf("settlement: inflow %q: %s %s", e.ID.String(), e.Field, e.Reason)
}

// check returns the first field that is wrong by itself, nil if none is.
func (in Inflow) check() *InflowError {
	bad := func(field, format string, args ...any) *InflowError {
		return &InflowError{ID: in.ID, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case in.ID.Tx == "" || len(in.ID.Tx) > maxTillText:
		return bad("ID.Tx", "has %d bytes, want 1 to %d", len(in.ID.Tx), maxTillText)
	case in.ID.Account == "" || len(in.ID.Account) > maxTillText:
		return bad("ID.Account", "has %d bytes, want 1 to %d", len(in.ID.Account), maxTillText)
	case in.Owner == "" || len(in.Owner) > maxTillText:
		return bad("Owner", "has %d bytes, want 1 to %d", len(in.Owner), maxTillText)
	case in.Units == 0:
		return bad("Units", "is 0")
	case len(in.Payer) > maxTillText:
		return bad("Payer", "has %d bytes, want at most %d", len(in.Payer), maxTillText)
	case len(in.Memo) > maxTillText:
		return bad("Memo", "has %d bytes, want at most %d", len(in.Memo), maxTillText)
	case in.Arrived.IsZero():
		return bad("Arrived", "is not set")
	case !in.Settles.IsZero() && in.Settles.Before(in.Arrived):
		return bad("Settles", "is %s, before it arrived", in.Settles.UTC().Format(time.RFC3339))
	case len(in.Refs) > maxRefs:
		return bad("Refs", "has %d addresses, want at most %d", len(in.Refs), maxRefs)
	case len(in.Transfers) > maxTransfers:
		return bad("Transfers", "has %d, want at most %d", len(in.Transfers), maxTransfers)
	}
	for i, t := range in.Transfers {
		if len(t.Refs) > maxRefs {
			return bad("Transfers", "[%d].Refs has %d addresses, want at most %d", i, len(t.Refs), maxRefs)
		}
	}
	return nil
}

// same says whether two sightings of one inflow tell of the same money. How it was explained does not matter.
func (in Inflow) same(o Inflow) bool {
	return in.ID == o.ID && in.Owner == o.Owner && in.Asset == o.Asset && in.Program == o.Program && in.Units == o.Units &&
		in.Payer == o.Payer && in.Arrived.Equal(o.Arrived) && in.Settles.Equal(o.Settles)
}

// encode writes the inflow as the till keeps it: without what only explains it.
func (in Inflow) encode(w *canon.Writer) {
	encodeInflowID(w, in.ID)
	w.String(string(in.Owner))
	encodeAsset(w, in.Asset)
	w.String(string(in.Program))
	w.Uint64(in.Units)
	w.String(string(in.Payer))
	w.String(in.Memo)
	w.Time(in.Arrived)
	w.Bool(!in.Settles.IsZero())
	if !in.Settles.IsZero() {
		w.Time(in.Settles)
	}
}

func decodeInflow(r *canon.Reader) Inflow {
	in := Inflow{ID: decodeInflowID(r), Owner: Account(r.String()), Asset: decodeAsset(r), Program: Account(r.String()), Units: r.Uint64()}
	in.Payer, in.Memo, in.Arrived = Account(r.String()), r.String(), r.Time()
	if r.Bool() {
		in.Settles = r.Time()
	}
	return in
}

func encodeInflowID(w *canon.Writer, id InflowID) {
	w.String(id.Tx)
	w.String(string(id.Account))
}

func decodeInflowID(r *canon.Reader) InflowID { return InflowID{r.String(), Account(r.String())} }

func encodeReferences(w *canon.Writer, refs []Reference) {
	w.Len(len(refs))
	for _, x := range refs {
		w.Raw(x[:])
	}
}

func decodeReferences(r *canon.Reader) []Reference {
	n := r.Len(32)
	if n == 0 {
		return nil
	}
	out := make([]Reference, n)
	for i := range out {
		r.Raw(out[i][:])
	}
	return out
}
