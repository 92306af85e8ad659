package settlement

import (
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const eventDomain = "idlegrid/settlement/event/v2"

// The first byte of an encoded event. A number is never used for another event.
const (
	codeDecided = iota + 1
	codeSigned
	codeRejected
	codeLanded
	codeFailed
	codeExpired
	codeResumed
	codeFound
	codePoisoned
	codeRecovering
	codeAbsent
	codeRetried
	codeReclaimed
)

// EncodeEvent returns the event in canonical form, for a store.
func EncodeEvent(e Event) []byte {
	w := canon.NewWriter(eventDomain)
	switch e := e.(type) {
	case Decided:
		w.Uint8(codeDecided)
		w.Uint32(uint32(e.Epoch))
		w.Uint16(e.MaxLines)
		w.Time(e.Made)
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
	case Retried:
		w.Uint8(codeRetried)
		w.Uint16(e.MaxLines)
		encodeIDs(w, e.Intents)
	case Resumed:
		w.Uint8(codeResumed)
		encodeBatchID(w, e.Batch)
	case Recovering:
		w.Uint8(codeRecovering)
		w.Uint64(e.LastValid)
		w.Uint32(uint32(e.Since))
	case Landed, Failed, Expired, Found, Poisoned, Absent, Reclaimed:
		encodeSeen(w, e)
	}
	return w.Data()
}

// encodeSeen writes what the chain has told, which is what has witnesses.
func encodeSeen(w *canon.Writer, e Event) {
	switch e := e.(type) { //nolint:gochecksumtype // EncodeEvent has the others
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
	case Found:
		w.Uint8(codeFound)
		encodeMarker(w, e.Marker)
		w.String(e.Tx)
		w.Uint64(e.Slot)
		w.Uint64(e.Fee)
		w.Uint64(e.Got)
		w.Len(len(e.Lines))
		for _, l := range e.Lines {
			encodeLine(w, l)
		}
		encodeWitnesses(w, e.Witnesses)
	case Poisoned:
		w.Uint8(codePoisoned)
		encodeMarker(w, e.Marker)
		w.String(e.Tx)
		w.Uint64(e.Slot)
		encodeWitnesses(w, e.Witnesses)
	case Absent:
		w.Uint8(codeAbsent)
		encodeMarker(w, e.Marker)
		encodeWitnesses(w, e.Witnesses)
	case Reclaimed:
		w.Uint8(codeReclaimed)
		w.Len(len(e.Markers))
		for _, m := range e.Markers {
			encodeMarker(w, m)
		}
		encodeWitnesses(w, e.Witnesses)
	}
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
		e := Decided{Epoch: tokenomics.Epoch(r.Uint32()), MaxLines: r.Uint16(), Made: r.Time()}
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
	case codeFound:
		e := Found{Marker: decodeMarker(r), Tx: r.String(), Slot: r.Uint64(), Fee: r.Uint64(), Got: r.Uint64()}
		e.Lines = make([]Line, 0, r.Len(41))
		for range cap(e.Lines) {
			e.Lines = append(e.Lines, decodeLine(r))
		}
		e.Witnesses = decodeWitnesses(r)
		return e
	case codePoisoned:
		return Poisoned{decodeMarker(r), r.String(), r.Uint64(), decodeWitnesses(r)}
	case codeRecovering:
		return Recovering{r.Uint64(), tokenomics.Epoch(r.Uint32())}
	case codeAbsent:
		return Absent{decodeMarker(r), decodeWitnesses(r)}
	case codeRetried:
		return Retried{r.Uint16(), decodeIDs(r)}
	case codeReclaimed:
		e := Reclaimed{Markers: make([]MarkerID, 0, r.Len(14))}
		for range cap(e.Markers) {
			e.Markers = append(e.Markers, decodeMarker(r))
		}
		e.Witnesses = decodeWitnesses(r)
		return e
	}
	return nil
}

func encodeMarker(w *canon.Writer, m MarkerID) {
	encodeBatchID(w, m.Batch)
	w.Uint16(m.N)
}

func decodeMarker(r *canon.Reader) MarkerID { return MarkerID{decodeBatchID(r), r.Uint16()} }

func encodeIDs(w *canon.Writer, ids []IntentID) {
	w.Len(len(ids))
	for _, id := range ids {
		w.Raw(id[:])
	}
}

func decodeIDs(r *canon.Reader) []IntentID {
	ids := make([]IntentID, r.Len(32))
	for i := range ids {
		r.Raw(ids[i][:])
	}
	return ids
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
