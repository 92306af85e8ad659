package settlement

import (
	"bytes"
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const tillEventDomain = "idlegrid/settlement/till/event/v1"

// The first byte of an encoded event. A number is never used for another event.
const (
	codeBillOpened = iota + 1
	codeInflowSeen
	codeInflowReversed
	codeSeenThrough
	codeReleased
	codeRefundOrdered
	codeRefundRefused
	codeTreasuryChanged
)

// EncodeTillEvent returns the event in canonical form, for a store.
func EncodeTillEvent(e TillEvent) []byte {
	w := canon.NewWriter(tillEventDomain)
	switch e := e.(type) {
	case BillOpened:
		w.Uint8(codeBillOpened)
		e.Bill.encode(w)
	case InflowSeen:
		w.Uint8(codeInflowSeen)
		e.Inflow.encode(w)
		encodeReferences(w, e.Inflow.Refs)
		w.Len(len(e.Inflow.Transfers))
		for _, x := range e.Inflow.Transfers {
			w.Uint64(x.Units)
			encodeReferences(w, x.Refs)
		}
	case InflowReversed:
		w.Uint8(codeInflowReversed)
		encodeInflowID(w, e.Inflow)
		w.String(e.Cause)
		w.Uint64(e.Units)
	case SeenThrough:
		w.Uint8(codeSeenThrough)
		w.Time(e.Time)
	case Released:
		w.Uint8(codeReleased)
		encodeInflowID(w, e.Inflow)
		w.Uint64(e.Units)
		w.String(e.Bill)
		w.String(e.Customer)
	case RefundOrdered:
		w.Uint8(codeRefundOrdered)
		encodeInflowID(w, e.Inflow)
		w.Uint64(e.Units)
		w.String(string(e.To))
	case RefundRefused:
		w.Uint8(codeRefundRefused)
		w.Raw(e.Intent[:])
	case TreasuryChanged:
		w.Uint8(codeTreasuryChanged)
		w.String(string(e.Account))
		w.String(e.Trouble)
	}
	return w.Data()
}

// DecodeTillEvent reads what EncodeTillEvent wrote, and refuses anything else.
func DecodeTillEvent(b []byte) (TillEvent, error) {
	r := canon.NewReader(b, tillEventDomain)
	e := decodeTillEvent(r, r.Uint8())
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("settlement: decode till event: %w", err)
	}
	if e == nil {
		return nil, fmt.Errorf("settlement: decode till event: %w: unknown kind of event", canon.ErrMalformed)
	}
	if !bytes.Equal(EncodeTillEvent(e), b) {
		return nil, fmt.Errorf("settlement: decode till event: %w: not in its one form", canon.ErrMalformed)
	}
	return e, nil
}

func decodeTillEvent(r *canon.Reader, code uint8) TillEvent {
	switch code {
	case codeBillOpened:
		return BillOpened{decodeBill(r)}
	case codeInflowSeen:
		in := decodeInflow(r)
		in.Refs = decodeReferences(r)
		for range r.Len(12) {
			in.Transfers = append(in.Transfers, Transfer{r.Uint64(), decodeReferences(r)})
		}
		return InflowSeen{in}
	case codeInflowReversed:
		return InflowReversed{decodeInflowID(r), r.String(), r.Uint64()}
	case codeSeenThrough:
		return SeenThrough{r.Time()}
	case codeReleased:
		return Released{decodeInflowID(r), r.Uint64(), r.String(), r.String()}
	case codeRefundOrdered:
		return RefundOrdered{decodeInflowID(r), r.Uint64(), Account(r.String())}
	case codeRefundRefused:
		var e RefundRefused
		r.Raw(e.Intent[:])
		return e
	case codeTreasuryChanged:
		return TreasuryChanged{Account(r.String()), r.String()}
	}
	return nil
}
