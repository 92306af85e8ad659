package settlement

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// ref is a place of a line.
type ref struct{ batch, line int32 }

func (j *Journal) line(r ref) *line { return &j.batches[r.batch].lines[r.line] }

func (j *Journal) found(at time.Time, e Found) ([]Effect, error) {
	id := e.Marker.Batch
	if e.Tx == "" {
		return nil, fmt.Errorf("%w: marker %s: found without the ID of a transaction", ErrStale, e.Marker)
	}
	n, known := j.byBatch[id]
	var err error
	if known {
		err = j.batches[n].mayBeFound(e)
	} else {
		n = -1
		err = j.mayBeNew(e.Marker)
	}
	if err != nil {
		return nil, err
	}
	if err := j.quorumOf(e.Marker, e.Witnesses); err != nil {
		return nil, err
	}
	refs, err := j.explain(id, n, e)
	if err != nil {
		return nil, err
	}
	if !known {
		j.lane(id.Epoch).shift()
		n = j.add(batch{id: id, marker: e.Marker.N, made: -1, since: at.UTC()}, StateUnsure)
	}
	b := &j.batches[n]
	carried := make([]bool, len(b.lines), len(b.lines)+len(refs))
	for _, r := range refs {
		if r.batch == n {
			carried[r.line] = true
			continue
		}
		j.take(r, n)
		carried = append(carried, true)
	}
	if len(refs) > 0 {
		b.bundle = j.bundleOf(j.line(refs[0]))
	}
	i := b.attemptOf(e.Tx)
	foreign := i < 0
	if foreign {
		i = len(b.attempts)
		b.attempts = append(b.attempts, attempt{tx: Tx{ID: e.Tx}, marker: e.Marker.N})
	}
	b.end(i, e.Slot, e.Fee, outcomeLanded, e.Witnesses)
	b.attempts[i].got = e.Got
	effects := j.close(at, n, i, carried)
	if foreign {
		b.attempts[i].revision = b.revision
	}
	return effects, nil
}

// mayBeFound refuses what does not fit the batch.
func (b *batch) mayBeFound(e Found) error {
	if i := b.attemptOf(e.Tx); i >= 0 {
		if a := &b.attempts[i]; a.marker != e.Marker.N {
			return fmt.Errorf("%w: batch %s: attempt %q makes marker %d, and is said to have made %d", ErrBroken, b.id, e.Tx, a.marker, e.Marker.N)
		}
		return b.mayHaveMade(i)
	}
	switch {
	case b.isClosed():
		return b.twice(e.Tx)
	case e.Marker.N < b.marker:
		return fmt.Errorf("%w: marker %s is said to have been made by %q, and was found poisoned", ErrBroken, e.Marker, e.Tx)
	case e.Marker.N > b.marker:
		return fmt.Errorf("%w: marker %s, the batch is at number %d", ErrStale, e.Marker, b.marker)
	}
	return nil
}

// explain says which lines of the journal a transaction has carried: those of its batch, whatever was said of them. What an
// Overflow batch carried may be other lines of its epoch that closed batches were closed without, or that stand in an Overflow
// batch which was never signed: another payer, or a journal that was lost, retried them in another order.
func (j *Journal) explain(id BatchID, n int32, e Found) ([]ref, error) {
	places, ours := []ref(nil), false
	if n >= 0 {
		b := &j.batches[n]
		at := b.attemptOf(e.Tx)
		ours = at >= 0
		for i := range b.lines {
			if l := &b.lines[i]; !l.moved && (!ours || b.carries(l, b.attempts[at].revision)) {
				places = append(places, ref{n, int32(i)})
			}
		}
		if ours && len(places) != len(e.Lines) {
			return nil, fmt.Errorf("%w: attempt %q of batch %s carries %d lines, and is said to have carried %d", ErrUnexplained, e.Tx, id, len(places), len(e.Lines))
		}
	}
	if id.Lane == Overflow && !ours {
		places = append(places, j.strays(id, n)...)
	}
	var missing *Line
	if len(places) == 0 && len(e.Lines) > 0 {
		missing = &e.Lines[0]
	}
	for _, some := range j.byBundle(places) {
		refs, left := j.match(e.Lines, some)
		if left == nil && j.whole(refs) {
			return refs, nil
		}
		missing = left
	}
	switch {
	case len(e.Lines) == 0:
		return nil, nil
	case missing == nil:
		return nil, fmt.Errorf("%w: transaction %q of batch %s carried %d lines, of a bundle or more than there are", ErrUnexplained, e.Tx, id, len(e.Lines))
	}
	return nil, fmt.Errorf("%w: transaction %q of batch %s carried %d units of %q from %q to %q",
		ErrUnexplained, e.Tx, id, missing.Units, missing.Asset.Mint, missing.From, missing.To)
}

// strays returns the lines of an epoch that an Overflow batch n of it may have carried without the journal's knowing.
func (j *Journal) strays(id BatchID, n int32) []ref {
	var out []ref
	for m := range j.batches {
		b := &j.batches[m]
		if b.id.Epoch != id.Epoch || int32(m) == n {
			continue
		}
		for i := range b.lines {
			l := &b.lines[i]
			free := (b.isClosed() && l.gone > 0) || (j.held(b) && len(b.attempts) == 0 && l.gone == 0)
			if free && !l.moved {
				out = append(out, ref{int32(m), int32(i)})
			}
		}
	}
	return out
}

// byBundle parts places into those of one bundle each, and at last those of none. If lines can be a whole bundle, they are: single
// lines that pay the same can still be told apart from one another afterwards, a bundle's cannot be carried apart.
func (j *Journal) byBundle(places []ref) [][]ref {
	var names []string
	var out [][]ref
	for _, r := range places {
		name := j.bundleOf(j.line(r))
		k := slices.Index(names, name)
		if k < 0 {
			k = len(names)
			names, out = append(names, name), append(out, nil)
		}
		out[k] = append(out[k], r)
	}
	if k := slices.Index(names, ""); k >= 0 {
		single := out[k]
		out = append(slices.Delete(out, k, k+1), single)
	}
	return out
}

// match finds a place for each line, and returns the first line that has none. The chain does not tell a payment from a
// refund: a place of the same kind comes first, then one of the same sort.
func (j *Journal) match(lines []Line, places []ref) ([]ref, *Line) {
	out, used := make([]ref, len(lines)), make([]bool, len(places))
	done := make([]bool, len(lines))
	for _, exact := range []bool{true, false} {
		for i := range lines {
			for k := range places {
				if l := j.line(places[k]); !done[i] && !used[k] && same(&l.Line, &lines[i]) && (!exact || l.Kind == lines[i].Kind) {
					out[i], used[k], done[i] = places[k], true, true
				}
			}
		}
	}
	if i := slices.Index(done, false); i >= 0 {
		return nil, &lines[i]
	}
	return out, nil
}

// same says whether a transaction cannot tell the two lines apart. Decimals and Least need not be in it.
func same(a, b *Line) bool {
	return a.Kind.rank() == b.Kind.rank() && a.Asset.Mint == b.Asset.Mint && a.From == b.From && a.To == b.To && a.Units == b.Units &&
		a.Into.Mint == b.Into.Mint
}

// whole says whether lines could have been in one batch as far as bundles go: all of one bundle and nothing else, or none.
func (j *Journal) whole(refs []ref) bool {
	if len(refs) == 0 {
		return true
	}
	name := j.bundleOf(j.line(refs[0]))
	for _, r := range refs {
		if j.bundleOf(j.line(r)) != name {
			return false
		}
	}
	if name == "" {
		return true
	}
	n := 0
	for i := range j.batches[refs[0].batch].lines {
		if l := &j.batches[refs[0].batch].lines[i]; !l.moved && j.bundleOf(l) == name {
			n++
		}
	}
	return n == len(refs)
}

// bundleOf returns the bundle of a line.
func (j *Journal) bundleOf(l *line) string { return j.intents[j.byID[l.Intents[0]]].Bundle }

// take moves a line, as it is, from where it stands to the end of batch n, where it is open.
func (j *Journal) take(r ref, n int32) {
	from, l := &j.batches[r.batch], j.line(r)
	j.move(l.Asset, l.account(), bookOpen, l.Units)
	if l.gone == 0 {
		from.revision++
		l.gone, l.reason = from.revision, "another transaction carried it"
	}
	l.moved = true
	to := &j.batches[n]
	to.lines = append(to.lines, line{Line: l.Line})
	for _, id := range l.Intents {
		in := &j.intents[j.byID[id]]
		in.batch, in.line = n, int32(len(to.lines)-1)
		if in.Bundle != "" {
			j.bundles[in.Bundle] = n
		}
	}
}

func (j *Journal) poisoned(at time.Time, e Poisoned) ([]Effect, error) {
	if e.Tx == "" {
		return nil, fmt.Errorf("%w: marker %s: poisoned without the ID of a transaction", ErrStale, e.Marker)
	}
	n, ok := j.byBatch[e.Marker.Batch]
	if !ok {
		o, k, err := j.probed(e.Marker)
		if err != nil {
			return nil, err
		}
		if err := j.quorum(e.Marker, e.Witnesses, j.afterLoss, j.lossNeed()); err != nil {
			return nil, err
		}
		o.marks[k]++
		return nil, nil
	}
	b := &j.batches[n]
	if !b.state.works() || b.marker != e.Marker.N || b.marker == math.MaxUint16 {
		return nil, fmt.Errorf("%w: marker %s is poisoned, the batch is %s at number %d", ErrStale, e.Marker, b.state, b.marker)
	}
	if err := j.bury(b, e.Marker, e.Witnesses); err != nil {
		return nil, err
	}
	b.marker++
	b.proofs = append(b.proofs, Proof{e.Marker.N, "poisoned", e.Tx, e.Slot, cloneWitnesses(e.Witnesses)})
	return j.proceed(at, n), nil
}

func (j *Journal) absent(at time.Time, e Absent) ([]Effect, error) {
	n, ok := j.byBatch[e.Marker.Batch]
	if !ok {
		o, k, err := j.probed(e.Marker)
		if err != nil {
			return nil, err
		}
		if err := j.quorum(e.Marker, e.Witnesses, j.afterLoss, j.lossNeed()); err != nil {
			return nil, err
		}
		o.absent |= 1 << k
		o.done = o.absent == math.MaxUint64
		return nil, nil
	}
	b := &j.batches[n]
	if (b.state != StateUnsure && b.state != StatePlanned) || b.marker != e.Marker.N {
		return nil, fmt.Errorf("%w: marker %s is absent, the batch is %s at number %d", ErrStale, e.Marker, b.state, b.marker)
	}
	if err := j.bury(b, e.Marker, e.Witnesses); err != nil {
		return nil, err
	}
	last := b.expired()
	if err := j.quorum(e.Marker, e.Witnesses, func(w Witness) bool { return w.Height > last }, fmt.Sprintf("saw a block above %d", last)); err != nil {
		return nil, err
	}
	b.proofs = append(b.proofs, Proof{Marker: e.Marker.N, Says: "absent", Witnesses: cloneWitnesses(e.Witnesses)})
	if since := j.recovery.Since; b.id.Epoch < since {
		j.set(n, StateStuck, fmt.Sprintf("its marker is absent, but may have been reclaimed: epochs before %d are not paid by absence", since))
		return []Effect{Stuck{b.id, b.reason}}, nil
	}
	b.doubt, b.since = false, at.UTC()
	j.set(n, StatePlanned, "")
	return j.proceed(at, n), nil
}

// afterLoss counts witnesses who saw the last block in which an attempt that was lost could land.
func (j *Journal) afterLoss(w Witness) bool { return w.Height > j.recovery.LastValid }

// lossNeed says what afterLoss asks for.
func (j *Journal) lossNeed() string { return fmt.Sprintf("saw a block above %d", j.recovery.LastValid) }

// bury ends the live attempts of a batch as expired, or refuses if the witnesses do not prove that they are.
func (j *Journal) bury(b *batch, what MarkerID, witnesses []Witness) error {
	need := "saw it final"
	if b.state == StateUnsure {
		need = j.lossNeed()
	}
	for i := range b.attempts {
		if a := &b.attempts[i]; !a.over {
			need += " and " + a.tx.need()
		}
	}
	err := j.quorum(what, witnesses, func(w Witness) bool {
		for i := range b.attempts {
			if a := &b.attempts[i]; !a.over && !a.tx.over(w) {
				return false
			}
		}
		return b.state != StateUnsure || j.afterLoss(w)
	}, need)
	if err != nil {
		return err
	}
	for i := range b.attempts {
		if !b.attempts[i].over {
			b.end(i, 0, 0, outcomeExpired, witnesses)
		}
	}
	return nil
}
