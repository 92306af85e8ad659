package settlement

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const stateDomain = "idlegrid/settlement/state/v3"

// Digest returns the SHA-256 of Snapshot: two journals that were told the same have the same digest.
func (j *Journal) Digest() [32]byte { return sha256.Sum256(j.Snapshot()) }

// Snapshot returns the whole state, params included, in canonical form.
func (j *Journal) Snapshot() []byte {
	w := canon.NewWriter(stateDomain)
	j.params.encode(w)
	w.Time(j.now)
	w.Uint64(j.recovery.LastValid)
	w.Uint32(uint32(j.recovery.Since))
	w.Bool(j.recovering)
	w.Len(len(j.overflow))
	for _, epoch := range slices.Sorted(maps.Keys(j.overflow)) {
		w.Uint32(uint32(epoch))
		j.overflow[epoch].encode(w)
	}
	w.Len(len(j.day))
	for _, o := range j.day {
		w.Time(o.at)
		encodeAsset(w, o.asset)
		w.Uint64(o.units)
	}
	w.Len(len(j.batches))
	for i := range j.batches {
		j.batches[i].encode(w)
	}
	w.Len(len(j.intents))
	for i := range j.intents {
		in := &j.intents[i]
		encodeIntent(w, in.Intent)
		w.Uint32(uint32(in.epoch))
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
	if err := j.decode(r); err != nil {
		return nil, fmt.Errorf("settlement: restore: %w", err)
	}
	if err := j.reindex(); err != nil {
		return nil, fmt.Errorf("settlement: restore: %w", err)
	}
	if err := j.Audit(); err != nil {
		return nil, fmt.Errorf("settlement: restore: %w", err)
	}
	if !bytes.Equal(j.Snapshot(), b) {
		return nil, fmt.Errorf("settlement: restore: %w: there is another form of this state", canon.ErrMalformed)
	}
	return j, nil
}

// decode reads what comes after the params.
func (j *Journal) decode(r *canon.Reader) error {
	j.now = r.Time()
	j.recovery = Recovering{r.Uint64(), tokenomics.Epoch(r.Uint32())}
	j.recovering = r.Bool()
	for n, last := r.Len(4+14), int64(-1); n > 0; n-- {
		epoch := tokenomics.Epoch(r.Uint32())
		if int64(epoch) <= last {
			return fmt.Errorf("%w: epoch %d is out of order", canon.ErrMalformed, epoch)
		}
		last = int64(epoch)
		j.overflow[epoch] = decodeOverflow(r)
	}
	j.day = make([]outlay, 0, r.Len(25))
	for range cap(j.day) {
		j.day = append(j.day, outlay{r.Time(), decodeAsset(r), r.Uint64()})
	}
	j.batches = make([]batch, 0, r.Len(60))
	for range cap(j.batches) {
		j.batches = append(j.batches, decodeBatch(r))
	}
	j.intents = make([]intent, 0, r.Len(90))
	for range cap(j.intents) {
		j.intents = append(j.intents, intent{decodeIntent(r), tokenomics.Epoch(r.Uint32()), int32(r.Uint32()), int32(r.Uint32())})
	}
	return r.Close()
}

// reindex fills what can be told from the batches and the intents.
func (j *Journal) reindex() error {
	fresh := Journal{
		byID: make(map[IntentID]int32, len(j.intents)), byBatch: make(map[BatchID]int32, len(j.batches)), bundles: map[string]int32{},
		lanes: map[tokenomics.Epoch]uint32{}, pools: map[pair]pool{}, spent: map[outlet]uint64{},
	}
	j.byID, j.byBatch, j.bundles, j.lanes, j.pools, j.spent = fresh.byID, fresh.byBatch, fresh.bundles, fresh.lanes, fresh.pools, fresh.spent
	j.books, j.open, j.kept, j.unsure = make([]books, len(j.params.Assets)), nil, nil, 0
	for n := range j.batches {
		b := &j.batches[n]
		if _, ok := j.byBatch[b.id]; ok {
			return fmt.Errorf("%w: batch %s stands twice", ErrBroken, b.id)
		}
		j.index(int32(n))
		if b.state.works() {
			j.open = append(j.open, int32(n))
		}
		if b.state == StateUnsure {
			j.unsure++
		}
		if b.isClosed() && !b.reclaimed && j.params.ReclaimAfterSeconds > 0 {
			j.kept = append(j.kept, int32(n))
		}
	}
	slices.SortStableFunc(j.kept, func(a, b int32) int { return j.batches[a].closed.Compare(j.batches[b].closed) })
	for i := range j.intents {
		if err := j.reindexIntent(int32(i)); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) reindexIntent(i int32) error {
	in := &j.intents[i]
	book := j.book(in.Asset)
	switch {
	case book == nil:
		return fmt.Errorf("%w: intent %x is of an unknown asset", ErrBroken, in.ID[:4])
	case in.batch < -1 || int(in.batch) >= len(j.batches) || (in.batch < 0) != (in.line < 0):
		return fmt.Errorf("%w: intent %x is in no line", ErrBroken, in.ID[:4])
	case in.batch >= 0 && int(in.line) >= len(j.batches[in.batch].lines):
		return fmt.Errorf("%w: intent %x is in no line", ErrBroken, in.ID[:4])
	case book[bookOpen]+book[bookPaid]+book[bookRefused]+book[bookWaiting]+in.Units < in.Units:
		return fmt.Errorf("%w: the books of %q overflow", ErrBroken, in.Asset.Mint)
	}
	j.byID[in.ID] = i
	if in.leaves() && j.params.limit(in.Asset).MaxEpoch > 0 {
		j.spent[outlet{in.epoch, in.Asset}] += in.Units
	}
	if in.batch < 0 {
		book[bookWaiting] += in.Units
		j.await(i)
		return nil
	}
	if in.Bundle != "" {
		j.bundles[in.Bundle] = in.batch
	}
	book[j.batches[in.batch].lines[in.line].account()] += in.Units
	return nil
}

func (o *overflow) encode(w *canon.Writer) {
	w.Uint32(o.next)
	w.Bool(o.probing)
	w.Bool(o.done)
	w.Uint64(o.absent)
	used := probeWidth
	for used > 0 && o.marks[used-1] == 0 {
		used--
	}
	w.Len(used)
	for _, n := range o.marks[:used] {
		w.Uint16(n)
	}
}

func decodeOverflow(r *canon.Reader) *overflow {
	o := &overflow{next: r.Uint32(), probing: r.Bool(), done: r.Bool(), absent: r.Uint64()}
	for i := range r.Len(2) {
		if n := r.Uint16(); i < probeWidth {
			o.marks[i] = n
		}
	}
	return o
}

func (b *batch) encode(w *canon.Writer) {
	encodeBatchID(w, b.id)
	w.String(b.bundle)
	w.Len(len(b.lines))
	for i := range b.lines {
		l := &b.lines[i]
		encodeLine(w, l.Line)
		w.Uint16(l.gone)
		w.String(l.reason)
		w.Bool(l.moved)
		w.Bool(l.paid)
	}
	w.Uint16(b.marker)
	w.Uint16(b.revision)
	w.Uint8(uint8(b.state))
	w.Len(len(b.attempts))
	for i := range b.attempts {
		b.attempts[i].encode(w)
	}
	w.Len(len(b.proofs))
	for _, p := range b.proofs {
		w.Uint16(p.Marker)
		w.String(p.Says)
		w.String(p.Tx)
		w.Uint64(p.Slot)
		encodeWitnesses(w, p.Witnesses)
	}
	w.Uint32(uint32(b.made))
	w.Time(b.since)
	w.Time(b.closed)
	w.Bool(b.reclaimed)
	w.Bool(b.doubt)
	w.String(b.reason)
}

func (a *attempt) encode(w *canon.Writer) {
	encodeTx(w, a.tx)
	w.Uint16(a.marker)
	w.Uint16(a.revision)
	w.Bool(a.over)
	w.Uint64(a.slot)
	w.Uint64(a.fee)
	w.Uint64(a.got)
	w.String(a.outcome)
	encodeWitnesses(w, a.witnesses)
}

func decodeBatch(r *canon.Reader) batch {
	b := batch{id: decodeBatchID(r), bundle: r.String()}
	b.lines = make([]line, 0, r.Len(30))
	for range cap(b.lines) {
		b.lines = append(b.lines, line{decodeLine(r), r.Uint16(), r.String(), r.Bool(), r.Bool()})
	}
	b.marker, b.revision = r.Uint16(), r.Uint16()
	b.state = State(r.Uint8())
	b.attempts = make([]attempt, 0, r.Len(50))
	for range cap(b.attempts) {
		b.attempts = append(b.attempts, attempt{
			decodeTx(r), r.Uint16(), r.Uint16(), r.Bool(), r.Uint64(), r.Uint64(), r.Uint64(), r.String(), cloneWitnesses(decodeWitnesses(r)),
		})
	}
	for n := r.Len(22); n > 0; n-- {
		b.proofs = append(b.proofs, Proof{r.Uint16(), r.String(), r.String(), r.Uint64(), cloneWitnesses(decodeWitnesses(r))})
	}
	b.made = int32(r.Uint32())
	b.since, b.closed = r.Time(), r.Time()
	b.reclaimed, b.doubt = r.Bool(), r.Bool()
	b.reason = r.String()
	return b
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
	encodeIDs(w, l.Intents)
}

func decodeLine(r *canon.Reader) Line {
	l := Line{Kind(r.Uint8()), decodeAsset(r), Account(r.String()), Account(r.String()), r.Uint64(), decodeAsset(r), r.Uint64(), nil}
	l.Intents = decodeIDs(r)
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
