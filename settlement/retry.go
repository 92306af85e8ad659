package settlement

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func (j *Journal) retried(at time.Time, e Retried) ([]Effect, error) {
	size, err := j.size(e.MaxLines)
	if err != nil {
		return nil, err
	}
	refs, err := j.strayed(e.Intents)
	if err != nil {
		return nil, err
	}
	groups, err := j.regroup(refs, int(size))
	if err != nil {
		return nil, err
	}
	need := map[tokenomics.Epoch]uint32{}
	for _, g := range groups {
		epoch := j.batches[g[0].batch].id.Epoch
		need[epoch]++
		if o := j.overflow[epoch]; o != nil && o.next > math.MaxUint32-need[epoch] {
			return nil, fmt.Errorf("%w: the Overflow lane of epoch %d is full", ErrLanes, epoch)
		}
	}
	var effects []Effect
	for _, g := range groups {
		epoch := j.batches[g[0].batch].id.Epoch
		o := j.lane(epoch)
		b := batch{id: BatchID{epoch, Overflow, o.next}, marker: o.marks[0], bundle: j.bundleOf(j.line(g[0])), made: -1, since: j.virgin(epoch)}
		o.shift()
		n := j.add(b, StatePlanned)
		for _, r := range g {
			j.take(r, n)
		}
		effects = append(effects, j.proceed(at, n)...)
	}
	return effects, nil
}

// virgin is when no marker of an epoch's Overflow lane was made yet: an entry of it carries what another batch of the epoch was
// closed without, and none was closed before the first of those times.
func (j *Journal) virgin(epoch tokenomics.Epoch) time.Time {
	var first time.Time
	for lane := range j.lanes[epoch] {
		for i := uint32(0); ; i++ {
			n, ok := j.byBatch[BatchID{epoch, lane, i}]
			if !ok {
				break
			}
			if t := j.batches[n].since; first.IsZero() || t.Before(first) {
				first = t
			}
		}
	}
	return first
}

// strayed returns the lines of intents that are to be retried, each once, and of a bundle all lines. It refuses one that is
// not refused, or that an attempt could still carry.
func (j *Journal) strayed(ids []IntentID) ([]ref, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: retry of no intent", ErrStale)
	}
	seen := map[ref]bool{}
	var out []ref
	for _, id := range ids {
		k, ok := j.byID[id]
		if !ok {
			return nil, fmt.Errorf("%w: retry of intent %x, which was not decided", ErrStale, id[:4])
		}
		in := &j.intents[k]
		if s := j.stateOf(in); s != StateRefused {
			return nil, fmt.Errorf("%w: retry of intent %x, which is %s", ErrStale, id[:4], s)
		}
		b := &j.batches[in.batch]
		if !b.isClosed() {
			return nil, fmt.Errorf("%w: retry of intent %x: batch %s is %s, and an attempt that carries it could land", ErrStale, id[:4], b.id, b.state)
		}
		if b.id.Epoch < j.recovery.Since {
			return nil, fmt.Errorf("%w: retry of intent %x: what paid it in epoch %d may have been reclaimed", ErrStale, id[:4], b.id.Epoch)
		}
		if o := j.overflow[b.id.Epoch]; j.recovering && o != nil && o.searched() {
			return nil, fmt.Errorf("%w: retry of intent %x: the Overflow lane of epoch %d is probed", ErrStale, id[:4], b.id.Epoch)
		}
		for i := range b.lines {
			l := &b.lines[i]
			r := ref{in.batch, int32(i)}
			if mate := in.Bundle != "" && !l.moved && j.bundleOf(l) == in.Bundle; (mate || r.line == in.line) && !seen[r] {
				seen[r] = true
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// regroup sorts lines as Plan does and cuts them into batches of at most size lines. Lines stay as they are: two that pay one
// recipient are not summed, so that a transaction tells which of them it carried.
func (j *Journal) regroup(refs []ref, size int) ([][]ref, error) {
	slices.SortFunc(refs, func(a, b ref) int {
		c := cmp.Compare(j.batches[a.batch].id.Epoch, j.batches[b.batch].id.Epoch)
		return cmp.Or(c, compareIntents(j.sample(a), j.sample(b)), cmp.Compare(a.batch, b.batch), cmp.Compare(a.line, b.line))
	})
	var out [][]ref
	for start := 0; start < len(refs); {
		first, epoch := j.sample(refs[start]), j.batches[refs[start].batch].id.Epoch
		end := start + 1
		for end < len(refs) && j.batches[refs[end].batch].id.Epoch == epoch && sameGroup(first, j.sample(refs[end])) {
			end++
		}
		room := size
		if first.Kind == Swap {
			room = 1
		}
		if first.Bundle != "" && end-start > room {
			return nil, &IntentError{first.ID, "Bundle", fmt.Sprintf("%q needs %d lines, MaxLines is %d", first.Bundle, end-start, room)}
		}
		for part := range slices.Chunk(refs[start:end], room) {
			out = append(out, part)
		}
		start = end
	}
	return out, nil
}

// sample is the first intent of a line, which agrees with the others in all but units.
func (j *Journal) sample(r ref) *Intent { return &j.intents[j.byID[j.line(r).Intents[0]]].Intent }
