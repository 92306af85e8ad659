package settlement

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// probeWidth is how many markers in a row have to be absent before the end of an Overflow lane is believed.
const probeWidth = 64

// overflow is what is known of the Overflow lane of an epoch.
type overflow struct {
	next    uint32             // index after the last one that is known
	probing bool               // whether the lane may be longer than the journal knows
	done    bool               // whether its end was found
	absent  uint64             // bit k: the marker of index next+k was seen absent
	marks   [probeWidth]uint16 // number of the marker of index next+k: the ones before are poisoned
}

// lane returns the Overflow lane of an epoch, made if need be.
func (j *Journal) lane(epoch tokenomics.Epoch) *overflow {
	o, ok := j.overflow[epoch]
	if !ok {
		o = &overflow{}
		j.overflow[epoch] = o
	}
	return o
}

// shift moves the window past its first index.
func (o *overflow) shift() {
	o.next++
	o.absent >>= 1
	copy(o.marks[:], o.marks[1:])
	o.marks[probeWidth-1] = 0
}

// searched says whether the lane is still searched for its end.
func (o *overflow) searched() bool { return o.probing && !o.done }

func (j *Journal) recover(e Recovering) ([]Effect, error) {
	if e == (Recovering{}) {
		return nil, j.recovered()
	}
	if e.LastValid == 0 {
		return nil, fmt.Errorf("%w: Recovering without LastValid", ErrStale)
	}
	j.recovering = true
	j.recovery.LastValid = max(j.recovery.LastValid, e.LastValid)
	j.recovery.Since = max(j.recovery.Since, e.Since)
	for _, epoch := range slices.Sorted(maps.Keys(j.overflow)) {
		o := j.overflow[epoch]
		o.done, o.absent = false, 0
	}
	var effects []Effect
	for n := range j.batches {
		b := &j.batches[n]
		if b.isClosed() || b.id.Lane == Overflow {
			j.probe(b)
		}
		b.doubt = !b.isClosed()
		if b.state.works() {
			j.set(int32(n), StateUnsure, "")
			effects = append(effects, Find{b.whole()})
		}
	}
	return effects, nil
}

// recovered ends a recovery.
func (j *Journal) recovered() error {
	if !j.recovering {
		return fmt.Errorf("%w: the end of a recovery that was never begun", ErrStale)
	}
	if j.unsure > 0 {
		return fmt.Errorf("%w: the end of the recovery, with %d batches unsure", ErrStale, j.unsure)
	}
	if left := len(j.Probes()); left > 0 {
		return fmt.Errorf("%w: the end of the recovery, with %d probes open", ErrStale, left)
	}
	j.recovering = false
	return nil
}

// probe has the Overflow lane of the batch's epoch searched if the batch is in it, or if lines that the batch was closed
// without could be. Markers of an epoch before Since may be reclaimed: their absence says nothing.
func (j *Journal) probe(b *batch) {
	if b.id.Epoch < j.recovery.Since {
		return
	}
	stray := slices.ContainsFunc(b.lines, func(l line) bool { return l.gone > 0 && !l.moved })
	if stray || b.id.Lane == Overflow {
		j.lane(b.id.Epoch).probing = true
	}
}

// Probes returns the markers of Overflow batches that have to be found or seen absent before refused intents of their epoch
// can be Retried, in rising order: up to 64 for each epoch, which are absent in a row at the end. There are none but in
// recovery. What is found is to be recorded in this order, as Found, Poisoned or Absent; Found may answer [ErrUnexplained]
// until the batch is found that its lines come from. The first one is asked for to the end, even if it was absent ([ErrStale]
// then): another payer may open it meanwhile.
func (j *Journal) Probes() []MarkerID {
	var out []MarkerID
	if !j.recovering {
		return nil
	}
	for _, epoch := range slices.Sorted(maps.Keys(j.overflow)) {
		o := j.overflow[epoch]
		if !o.searched() {
			continue
		}
		for k := range uint32(probeWidth) {
			if k == 0 || o.absent>>k&1 == 0 {
				out = append(out, MarkerID{BatchID{epoch, Overflow, o.next + k}, o.marks[k]})
			}
		}
	}
	return out
}

// probed returns the lane and the place in its window of a marker that Probes asks for.
func (j *Journal) probed(m MarkerID) (*overflow, uint32, error) {
	o := j.overflow[m.Batch.Epoch]
	if m.Batch.Lane != Overflow || !j.recovering || o == nil || !o.searched() {
		return nil, 0, fmt.Errorf("%w: %s", ErrUnknownBatch, m.Batch)
	}
	k := m.Batch.Index - o.next
	if k >= probeWidth || o.marks[k] != m.N || o.absent>>k&1 == 1 {
		return nil, 0, fmt.Errorf("%w: marker %s is not asked for", ErrStale, m)
	}
	return o, k, nil
}

// mayBeNew refuses a batch that is not planned, unless it is the next one of an Overflow lane. A later one proves that the next
// one was made too, whatever was seen absent before: another payer has been at work since, or a history has a gap.
func (j *Journal) mayBeNew(m MarkerID) error {
	if m.Batch.Lane != Overflow {
		return fmt.Errorf("%w: %s", ErrUnknownBatch, m.Batch)
	}
	var o overflow
	if known, ok := j.overflow[m.Batch.Epoch]; ok {
		o = *known
	}
	switch k := m.Batch.Index - o.next; {
	case k >= probeWidth:
		return fmt.Errorf("%w: %s is far from the end of its lane, %d", ErrUnknownBatch, m.Batch, o.next)
	case k > 0:
		return fmt.Errorf("%w: batch %s: index %d, which was opened before it, is not found", ErrUnexplained, m.Batch, o.next)
	case o.marks[0] != m.N:
		return fmt.Errorf("%w: marker %s, its batch is at number %d", ErrStale, m, o.marks[0])
	}
	return nil
}

// held says whether a batch has to wait: those of an Overflow lane are opened one after the other, each when the marker of
// the one before exists. So every payer, and a journal that was lost, has learnt what the lane's markers paid before it adds
// to them: the lane is a log on the chain.
func (j *Journal) held(b *batch) bool {
	if b.id.Lane != Overflow || b.id.Index == 0 {
		return false
	}
	before := b.id
	before.Index--
	n, ok := j.byBatch[before]
	return ok && !j.batches[n].isClosed()
}

// release asks for the Overflow batch that has waited for this one.
func (j *Journal) release(at time.Time, id BatchID) []Effect {
	if id.Lane != Overflow {
		return nil
	}
	id.Index++
	n, ok := j.byBatch[id]
	if !ok || j.batches[n].state != StatePlanned {
		return nil
	}
	return []Effect{j.ask(at, &j.batches[n])}
}
