package settlement

import (
	"crypto/sha256"
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const stateDomain = "idlegrid/settlement/state/v1"

// Digest returns the SHA-256 of Snapshot: two journals that were told the same have the same digest.
func (j *Journal) Digest() [32]byte { return sha256.Sum256(j.Snapshot()) }

// Snapshot returns the whole state, params included, in canonical form.
func (j *Journal) Snapshot() []byte {
	w := canon.NewWriter(stateDomain)
	j.params.encode(w)
	w.Time(j.now)
	w.Len(len(j.batches))
	for i := range j.batches {
		j.batches[i].encode(w)
	}
	w.Len(len(j.intents))
	for i := range j.intents {
		in := &j.intents[i]
		encodeIntent(w, in.Intent)
		w.Uint32(uint32(in.batch))
		w.Uint32(uint32(in.line))
	}
	return w.Data()
}

// Restore returns the journal that a snapshot was taken of. It refuses bytes that Snapshot does not write, a state that
// Audit finds broken, and a snapshot that was taken under other params.
func Restore(p Params, b []byte) (*Journal, error) {
	j, err := NewJournal(p)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(b, stateDomain)
	own, theirs := canon.NewWriter(""), canon.NewWriter("")
	j.params.encode(own)
	decodeParams(r).encode(theirs)
	if r.Err() == nil && own.Sum() != theirs.Sum() {
		return nil, fmt.Errorf("settlement: restore: the snapshot was taken under other params than %q", p.Version)
	}
	j.now = r.Time()
	j.batches = make([]batch, 0, r.Len(40))
	for range cap(j.batches) {
		j.batches = append(j.batches, decodeBatch(r))
		j.index(int32(len(j.batches) - 1))
	}
	j.intents = make([]intent, 0, r.Len(70))
	for range cap(j.intents) {
		in := intent{decodeIntent(r), int32(r.Uint32()), int32(r.Uint32())}
		j.byID[in.ID] = int32(len(j.intents))
		j.volume[in.Asset] += in.Units
		j.intents = append(j.intents, in)
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("settlement: restore: %w", err)
	}
	for i := range j.intents {
		in := &j.intents[i]
		if in.batch < 0 || int(in.batch) >= len(j.batches) || in.line < 0 || int(in.line) >= len(j.batches[in.batch].lines) {
			return nil, fmt.Errorf("settlement: restore: %w: intent %x is in no line", ErrBroken, in.ID[:4])
		}
	}
	if err := j.Audit(); err != nil {
		return nil, fmt.Errorf("settlement: restore: %w", err)
	}
	j.close()
	return j, nil
}

func (b *batch) encode(w *canon.Writer) {
	encodeBatchID(w, b.id)
	w.String(b.bundle)
	w.Len(len(b.lines))
	for i := range b.lines {
		encodeLine(w, b.lines[i].Line)
		w.Uint16(b.lines[i].gone)
		w.String(b.lines[i].reason)
	}
	w.Uint16(b.revision)
	w.Uint8(uint8(b.state))
	w.Len(len(b.attempts))
	for _, a := range b.attempts {
		encodeTx(w, a.tx)
		w.Uint16(a.revision)
		w.Bool(a.over)
		w.Uint64(a.slot)
		w.Uint64(a.fee)
		w.String(a.outcome)
	}
	w.Uint32(uint32(b.paidBy + 1))
	w.String(b.reason)
}

func decodeBatch(r *canon.Reader) batch {
	b := batch{id: decodeBatchID(r), bundle: r.String()}
	b.lines = make([]line, 0, r.Len(30))
	for range cap(b.lines) {
		b.lines = append(b.lines, line{decodeLine(r), r.Uint16(), r.String()})
	}
	b.revision = r.Uint16()
	b.state = State(r.Uint8())
	b.attempts = make([]attempt, 0, r.Len(40))
	for range cap(b.attempts) {
		b.attempts = append(b.attempts, attempt{decodeTx(r), r.Uint16(), r.Bool(), r.Uint64(), r.Uint64(), r.String()})
	}
	b.paidBy = int32(r.Uint32()) - 1
	b.reason = r.String()
	return b
}

func decodeParams(r *canon.Reader) Params {
	p := Params{Version: r.String(), MaxLines: r.Uint16(), Quorum: r.Uint8(), ReclaimAfterSeconds: r.Uint64()}
	p.Assets = make([]Asset, 0, r.Len(5))
	for range cap(p.Assets) {
		p.Assets = append(p.Assets, decodeAsset(r))
	}
	return p
}

func encodeAsset(w *canon.Writer, a Asset) {
	w.String(string(a.Mint))
	w.Uint8(a.Decimals)
}

func decodeAsset(r *canon.Reader) Asset { return Asset{Account(r.String()), r.Uint8()} }

func encodeBatchID(w *canon.Writer, id BatchID) {
	w.Uint32(uint32(id.Epoch))
	w.Uint32(id.Lane)
	w.Uint32(id.Index)
}

func decodeBatchID(r *canon.Reader) BatchID {
	return BatchID{tokenomics.Epoch(r.Uint32()), r.Uint32(), r.Uint32()}
}

func encodeIntent(w *canon.Writer, in Intent) {
	w.Raw(in.ID[:])
	w.Uint8(uint8(in.Kind))
	encodeAsset(w, in.Asset)
	w.String(string(in.From))
	w.String(string(in.To))
	w.Uint64(in.Units)
	encodeAsset(w, in.Into)
	w.Uint64(in.Least)
	w.String(in.Bundle)
	w.String(in.Cause)
}

func decodeIntent(r *canon.Reader) Intent {
	var in Intent
	r.Raw(in.ID[:])
	in.Kind = Kind(r.Uint8())
	in.Asset = decodeAsset(r)
	in.From, in.To = Account(r.String()), Account(r.String())
	in.Units = r.Uint64()
	in.Into, in.Least = decodeAsset(r), r.Uint64()
	in.Bundle, in.Cause = r.String(), r.String()
	return in
}

func encodeLine(w *canon.Writer, l Line) {
	w.Uint8(uint8(l.Kind))
	encodeAsset(w, l.Asset)
	w.String(string(l.From))
	w.String(string(l.To))
	w.Uint64(l.Units)
	encodeAsset(w, l.Into)
	w.Uint64(l.Least)
	w.Len(len(l.Intents))
	for _, id := range l.Intents {
		w.Raw(id[:])
	}
}

func decodeLine(r *canon.Reader) Line {
	l := Line{Kind(r.Uint8()), decodeAsset(r), Account(r.String()), Account(r.String()), r.Uint64(), decodeAsset(r), r.Uint64(), nil}
	l.Intents = make([]IntentID, r.Len(32))
	for i := range l.Intents {
		r.Raw(l.Intents[i][:])
	}
	return l
}

func encodeTx(w *canon.Writer, t Tx) {
	w.String(t.ID)
	w.Bytes(t.Raw)
	w.Uint64(t.LastValid)
	w.String(string(t.Nonce.Account))
	w.String(t.Nonce.Value)
}

func decodeTx(r *canon.Reader) Tx {
	t := Tx{r.String(), r.Bytes(), r.Uint64(), Nonce{Account(r.String()), r.String()}}
	if len(t.Raw) == 0 {
		t.Raw = nil // as the journal has it once the attempt is over
	}
	return t
}
