package settlement

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Reclaimable returns the markers whose rent may be taken back at that time, when the newest final block that a quorum has
// seen is at that height: of batches that were closed at least Params.ReclaimAfterSeconds before, every attempt of which is
// over for good, the one closed first coming first. A marker that a stranger has poisoned is not ours to take back.
func (j *Journal) Reclaimable(at time.Time, height uint64) []MarkerID {
	var due []int32
	for _, n := range j.kept {
		if !j.ripe(n, at) {
			break // those after it were closed later
		}
		if j.batches[n].lastValid() < height && j.recovery.LastValid < height && !j.batches[n].undead() {
			due = append(due, n)
		}
	}
	slices.SortFunc(due, func(a, b int32) int {
		return cmp.Or(j.batches[a].closed.Compare(j.batches[b].closed), cmp.Compare(a, b))
	})
	out := make([]MarkerID, len(due))
	for i, n := range due {
		out[i] = j.batches[n].madeMarker()
	}
	return out
}

func (j *Journal) reclaimed(at time.Time, e Reclaimed) ([]Effect, error) {
	if len(e.Markers) == 0 {
		return nil, fmt.Errorf("%w: reclaim of no marker", ErrStale)
	}
	list := make([]int32, 0, len(e.Markers))
	for _, m := range e.Markers {
		n, err := j.find(m.Batch)
		if err != nil {
			return nil, err
		}
		b := &j.batches[n]
		if !b.isClosed() || b.reclaimed || b.madeMarker() != m || slices.Contains(list, n) {
			return nil, fmt.Errorf("%w: reclaim of marker %s: the batch is %s, reclaimed: %t", ErrStale, m, b.state, b.reclaimed)
		}
		if j.params.ReclaimAfterSeconds == 0 || !j.ripe(n, at) || b.undead() {
			return nil, fmt.Errorf("%w: reclaim of marker %s, which is not due", ErrStale, m)
		}
		last := max(b.lastValid(), j.recovery.LastValid)
		proves := func(w Witness) bool { return w.Height > last }
		if err := j.quorum(m, e.Witnesses, proves, fmt.Sprintf("saw a block above %d", last)); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	for _, n := range list {
		b := &j.batches[n]
		b.reclaimed = true
		b.proofs = append(b.proofs, Proof{Marker: b.madeMarker().N, Says: "reclaimed", Witnesses: cloneWitnesses(e.Witnesses)})
	}
	j.kept = slices.DeleteFunc(j.kept, func(n int32) bool { return j.batches[n].reclaimed })
	return nil, nil
}

// ripe says whether a closed batch is old enough.
func (j *Journal) ripe(n int32, at time.Time) bool {
	return at.Sub(j.batches[n].closed) >= time.Duration(j.params.ReclaimAfterSeconds)*time.Second
}

// madeMarker is the marker that exists.
func (b *batch) madeMarker() MarkerID { return MarkerID{b.id, b.attempts[b.made].marker} }

// lastValid is the last block in which an attempt could land whose end nobody has borne witness to: those that were beaten.
func (b *batch) lastValid() uint64 {
	last := uint64(0)
	for i := range b.attempts {
		if a := &b.attempts[i]; a.outcome == outcomeBeaten {
			last = max(last, a.tx.LastValid)
		}
	}
	return last
}

// expired is the last block in which an attempt could have landed that is called expired: who looks for the marker again has to
// have seen a later one.
func (b *batch) expired() uint64 {
	last := uint64(0)
	for i := range b.attempts {
		if a := &b.attempts[i]; a.outcome == outcomeExpired {
			last = max(last, a.tx.LastValid)
		}
	}
	return last
}

// undead says whether a beaten attempt can land for ever: its nonce was not used up by another attempt that is final.
func (b *batch) undead() bool {
	for i := range b.attempts {
		a := &b.attempts[i]
		if a.outcome != outcomeBeaten || a.tx.LastValid > 0 {
			continue
		}
		used := slices.ContainsFunc(b.attempts, func(o attempt) bool { return o.outcome != outcomeBeaten && o.tx.Nonce == a.tx.Nonce })
		if !used {
			return true
		}
	}
	return false
}
