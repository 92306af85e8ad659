package settlement

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// Sizes of what comes from outside.
const (
	maxTillText  = 256 // bytes of an ID, a memo or a name
	minSecret    = 16  // bytes of the secret behind references
	maxRefs      = 64  // addresses of a transaction of version 1
	maxTransfers = 64  // instructions of one
)

// Reference is a key that a payer adds to a transfer so that it is found: 32 bytes that need not be anybody's address.
type Reference [32]byte

// BillReference derives the reference of a bill: HMAC-SHA256 over its ID. Who does not know the secret, of at least 16 bytes,
// cannot say which bill a payment on the chain belongs to, nor foresee the next one.
func BillReference(secret []byte, id string) (Reference, error) {
	if len(secret) < minSecret {
		return Reference{}, fmt.Errorf("settlement: bill reference: secret has %d bytes, want at least %d", len(secret), minSecret)
	}
	w := canon.NewWriter("idlegrid/settlement/reference/v1")
	w.String(id)
	mac := hmac.New(sha256.New, secret)
	mac.Write(w.Data())
	return Reference(mac.Sum(nil)), nil
}

// Disposal says what becomes of money that a bill cannot keep.
type Disposal uint8

const (
	// ToBalance gives it to the customer's balance, in units: what they are worth is judged at the time of arrival.
	ToBalance Disposal = iota + 1
	// ToPayer sends it back to whom it came from, if that is known and the sum is worth a refund; otherwise as ToBalance.
	ToPayer
)

// Bill is a sum asked for. It does not change.
type Bill struct {
	ID         string    // 1 to 256 bytes
	Customer   string    // whose balance takes what is too much, late or left over; 1 to 256 bytes
	Asset      Asset     // of one of TillParams.Treasuries
	Owner      Account   // of that treasury
	Units      uint64    // base units asked for, more than 0
	Reference  Reference // not zero, of this bill alone; see [BillReference]
	Memo       string    // at most 256 bytes
	Payer      Account   // who is expected to pay, empty if anybody; for proposals only
	Expires    time.Time // the last moment at which a payment may arrive
	Remainder  Disposal  // of a part at expiry, and of what arrives late
	RefundOver uint64    // what is paid beyond Units in one inflow is sent back if it is more than this, and is balance otherwise
}

// BillState is what a bill has come to.
type BillState uint8

const (
	// BillOpen means that nothing has been paid.
	BillOpen BillState = iota + 1
	// BillPart means that a part has been paid.
	BillPart
	// BillPaid means that all of it has been paid.
	BillPaid
	// BillLapsed means that it was not paid in time and keeps nothing.
	BillLapsed
)

// String returns the state in lower case.
func (s BillState) String() string {
	switch s {
	case BillOpen:
		return "open"
	case BillPart:
		return "part"
	case BillPaid:
		return "paid"
	case BillLapsed:
		return "lapsed"
	}
	return fmt.Sprintf("billstate(%d)", uint8(s))
}

// BillError says which field of a bill is wrong.
type BillError struct {
	ID     string
	Field  string // the name of the field, for example "Units"
	Reason string // what is wrong with it
}

// Error names the bill, the field and the reason.
func (e *BillError) Error() string {
	return fmt.Sprintf("settlement: bill %q: %s %s", e.ID, e.Field, e.Reason)
}

// check returns the first field that is wrong by itself, nil if none is.
func (b Bill) check(p TillParams) *BillError {
	bad := func(field, format string, args ...any) *BillError {
		return &BillError{ID: b.ID, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case b.ID == "" || len(b.ID) > maxTillText:
		return bad("ID", "has %d bytes, want 1 to %d", len(b.ID), maxTillText)
	case b.Customer == "" || len(b.Customer) > maxTillText:
		return bad("Customer", "has %d bytes, want 1 to %d", len(b.Customer), maxTillText)
	case p.treasury(b.Asset, b.Owner) < 0:
		return bad("Asset", "is in no treasury of owner %q: mint %q with %d decimals", b.Owner, b.Asset.Mint, b.Asset.Decimals)
	case b.Units == 0:
		return bad("Units", "is 0")
	case b.Reference == Reference{}:
		return bad("Reference", "is zero")
	case len(b.Memo) > maxTillText:
		return bad("Memo", "has %d bytes, want at most %d", len(b.Memo), maxTillText)
	case len(b.Payer) > maxTillText:
		return bad("Payer", "has %d bytes, want at most %d", len(b.Payer), maxTillText)
	case b.Expires.IsZero():
		return bad("Expires", "is not set")
	case b.Remainder != ToBalance && b.Remainder != ToPayer:
		return bad("Remainder", "is %d, want 1 or 2", b.Remainder)
	}
	return nil
}

func (b Bill) encode(w *canon.Writer) {
	w.String(b.ID)
	w.String(b.Customer)
	encodeAsset(w, b.Asset)
	w.String(string(b.Owner))
	w.Uint64(b.Units)
	w.Raw(b.Reference[:])
	w.String(b.Memo)
	w.String(string(b.Payer))
	w.Time(b.Expires)
	w.Uint8(uint8(b.Remainder))
	w.Uint64(b.RefundOver)
}

func decodeBill(r *canon.Reader) Bill {
	b := Bill{ID: r.String(), Customer: r.String(), Asset: decodeAsset(r), Owner: Account(r.String()), Units: r.Uint64()}
	r.Raw(b.Reference[:])
	b.Memo, b.Payer, b.Expires = r.String(), Account(r.String()), r.Time()
	b.Remainder, b.RefundOver = Disposal(r.Uint8()), r.Uint64()
	return b
}

// same says whether two bills ask for the same: times are compared as instants.
func (b Bill) same(o Bill) bool {
	if !b.Expires.Equal(o.Expires) {
		return false
	}
	b.Expires = o.Expires
	return b == o
}
