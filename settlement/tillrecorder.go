package settlement

import (
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const (
	tillRecordDomain = "idlegrid/settlement/till/record/v1"
	bookmarkDomain   = "idlegrid/settlement/till/bookmark/v1"
	maxBookmark      = 1 << 20 // bytes
)

// TillRecorder is a till whose events are in a store before their effects are known, together with the bookmark of the feed that
// they came from. After a crash at any moment a feed that goes on from the bookmark tells some inflows again, which the till
// knows, and leaves none out. It is not safe for concurrent use.
type TillRecorder struct {
	till     *Till
	keeper   keeper[TillEvent, TillEffect]
	bookmark []byte
}

// NewTillRecorder replays the store into a fresh till and goes on from there. The store is this till's alone: a record that
// was kept for another one, or under other params, is [ErrRecord].
func NewTillRecorder(p TillParams, s Store) (*TillRecorder, error) {
	t, err := NewTill(p)
	if err != nil {
		return nil, err
	}
	root := canon.NewWriter(rootDomain)
	t.params.encode(root)
	r := &TillRecorder{till: t, keeper: keeper[TillEvent, TillEffect]{
		domain: tillRecordDomain, apply: t.Apply, encode: EncodeTillEvent, decode: DecodeTillEvent, store: s, link: root.Sum(),
	}}
	if err := r.keeper.replay(r.again); err != nil {
		return nil, err
	}
	return r, nil
}

// Till returns the till, for reading. Whoever applies to it directly loses that event at the next start.
func (r *TillRecorder) Till() *Till { return r.till }

// Apply takes one event: the till checks and applies it, the store makes it durable, and only then are its effects returned. Who
// dies before it has acted on them reads what is to be done from the till: bills and their states, and Till.Refunds. If the
// store fails, the till is ahead of it; every later call returns that error, and the process has to start again from the store.
func (r *TillRecorder) Apply(at time.Time, e TillEvent) ([]TillEffect, error) {
	return r.keeper.take(at, e)
}

// SetBookmark records how far a feed has been told, in the feed's own form, such as the JSON of a watcher's cursor: at most 1 MiB.
// Call it when all events up to there are applied, never before. It fails as Apply does.
func (r *TillRecorder) SetBookmark(b []byte) error {
	if len(b) > maxBookmark {
		return fmt.Errorf("settlement: bookmark has %d bytes, want at most %d", len(b), maxBookmark)
	}
	w := canon.NewWriter(bookmarkDomain)
	w.Bytes(b)
	if err := r.keeper.keep(w.Data(), "bookmark"); err != nil {
		return err
	}
	r.bookmark = slices.Clone(b)
	return nil
}

// Bookmark returns what was recorded last, nil if nothing was.
func (r *TillRecorder) Bookmark() []byte { return slices.Clone(r.bookmark) }

func (r *TillRecorder) again(record []byte) error {
	b := canon.NewReader(record, bookmarkDomain)
	if mark := b.Bytes(); b.Close() == nil {
		r.bookmark = mark
		return nil
	}
	return r.keeper.again(record)
}
