package settlement

import (
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const eventDomain = "idlegrid/settlement/event/v1"

// The first byte of an encoded event. A number is never used for another event.
const (
	codeDecided = iota + 1
	codeSigned
	codeRejected
	codeLanded
	codeFailed
	codeExpired
	codeResumed
)

// EncodeEvent returns the event in canonical form, for a store.
func EncodeEvent(e Event) []byte {
	w := canon.NewWriter(eventDomain)
	switch e := e.(type) {
	case Decided:
		w.Uint8(codeDecided)
		w.Uint32(uint32(e.Epoch))
		w.Uint16(e.MaxLines)
		w.Len(len(e.Intents))
		for _, in := range e.Intents {
			encodeIntent(w, in)
		}
	case Signed:
		w.Uint8(codeSigned)
		encodeBatchID(w, e.Batch)
		w.Uint16(e.Revision)
		encodeTx(w, e.Tx)
	case Rejected:
		w.Uint8(codeRejected)
		encodeBatchID(w, e.Batch)
		w.Uint16(e.Revision)
		encodeFaults(w, e.Faults)
	case Landed:
		w.Uint8(codeLanded)
		encodeBatchID(w, e.Batch)
		w.String(e.Tx)
		w.Uint64(e.Slot)
		w.Uint64(e.Fee)
		w.Uint64(e.Got)
		encodeWitnesses(w, e.Witnesses)
	case Failed:
		w.Uint8(codeFailed)
		encodeBatchID(w, e.Batch)
		w.String(e.Tx)
		w.Uint64(e.Slot)
		w.Uint64(e.Fee)
		encodeFaults(w, e.Failure.Faults)
		w.Bool(e.Failure.Marker)
		w.String(e.Failure.Reason)
		encodeWitnesses(w, e.Witnesses)
	case Expired:
		w.Uint8(codeExpired)
		encodeBatchID(w, e.Batch)
		w.String(e.Tx)
		encodeWitnesses(w, e.Witnesses)
	case Resumed:
		w.Uint8(codeResumed)
		encodeBatchID(w, e.Batch)
	case Found, Poisoned, Recovering, Absent, Retried, Reclaimed:
	}
	return w.Data()
}

// DecodeEvent reads what EncodeEvent wrote, and refuses anything else.
func DecodeEvent(b []byte) (Event, error) {
	r := canon.NewReader(b, eventDomain)
	e := decodeEvent(r, r.Uint8())
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("settlement: decode event: %w", err)
	}
	if e == nil {
		return nil, fmt.Errorf("settlement: decode event: %w: unknown kind of event", canon.ErrMalformed)
	}
	return e, nil
}

func decodeEvent(r *canon.Reader, code uint8) Event {
	switch code {
	case codeDecided:
		e := Decided{Epoch: tokenomics.Epoch(r.Uint32()), MaxLines: r.Uint16()}
		e.Intents = make([]Intent, 0, r.Len(62))
		for range cap(e.Intents) {
			e.Intents = append(e.Intents, decodeIntent(r))
		}
		return e
	case codeSigned:
		return Signed{decodeBatchID(r), r.Uint16(), decodeTx(r)}
	case codeRejected:
		return Rejected{decodeBatchID(r), r.Uint16(), decodeFaults(r)}
	case codeLanded:
		return Landed{decodeBatchID(r), r.String(), r.Uint64(), r.Uint64(), r.Uint64(), decodeWitnesses(r)}
	case codeFailed:
		return Failed{decodeBatchID(r), r.String(), r.Uint64(), r.Uint64(), Failure{decodeFaults(r), r.Bool(), r.String()}, decodeWitnesses(r)}
	case codeExpired:
		return Expired{decodeBatchID(r), r.String(), decodeWitnesses(r)}
	case codeResumed:
		return Resumed{decodeBatchID(r)}
	}
	return nil
}

func encodeWitnesses(w *canon.Writer, list []Witness) {
	w.Len(len(list))
	for _, x := range list {
		w.String(x.Endpoint)
		w.Uint64(x.Height)
		w.Uint64(x.Slot)
		w.Uint64(x.Context)
		w.String(x.Nonce)
	}
}

func decodeWitnesses(r *canon.Reader) []Witness {
	list := make([]Witness, 0, r.Len(32))
	for range cap(list) {
		list = append(list, Witness{r.String(), r.Uint64(), r.Uint64(), r.Uint64(), r.String()})
	}
	return list
}

func encodeFaults(w *canon.Writer, faults []Fault) {
	w.Len(len(faults))
	for _, f := range faults {
		w.Int64(int64(f.Line))
		w.String(f.Reason)
	}
}

func decodeFaults(r *canon.Reader) []Fault {
	faults := make([]Fault, 0, r.Len(12))
	for range cap(faults) {
		faults = append(faults, Fault{int(r.Int64()), r.String()})
	}
	return faults
}
