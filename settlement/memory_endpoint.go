package settlement

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// MemoryEndpoint is one endpoint of a [Memory]: a Chain, a Finder, a Reclaimer and a Historian. Its fields let it lag, lie or
// fail, and may be set at any time.
type MemoryEndpoint struct {
	Name         string
	Lag          int   // blocks that it is behind
	SlotAsHeight bool  // it answers the slot where the height was asked for
	Forget       bool  // it knows no transaction, only the accounts
	Down         error // what every call returns; nil while it works

	chain *Memory
}

// view is what the endpoint sees.
type view struct {
	newest, final uint64 // heights
	told, slot    uint64 // what it says of the final block
}

func (e *MemoryEndpoint) view() view {
	m, lag := e.chain, uint64(max(e.Lag, 0))
	v := view{newest: m.height() - min(lag, m.height()), final: m.root - min(lag, m.root)}
	v.told, v.slot = v.final, m.slots[v.final]
	if e.SlotAsHeight {
		v.told = v.slot
	}
	return v
}

// Prepare implements [Chain].
func (e *MemoryEndpoint) Prepare(_ context.Context, batches []Batch) ([]Prepared, error) {
	if e.Down != nil {
		return nil, e.Down
	}
	out := make([]Prepared, len(batches))
	for i, b := range batches {
		out[i].Tx, out[i].Err = e.prepare(b)
	}
	return out, nil
}

func (e *MemoryEndpoint) prepare(b Batch) (Tx, error) {
	var faults []Fault
	for i, l := range b.Lines {
		t := e.chain.trial()
		if f := t.line(i, l); f != nil && f.named {
			faults = append(faults, f.Fault)
		}
	}
	if len(faults) > 0 {
		return Tx{}, &LineError{faults}
	}
	t := e.chain.trial()
	if f := t.run(b.Lines); f != nil {
		return Tx{}, fmt.Errorf("settlement: memory: line %d: %s", f.Line, f.Reason)
	}
	on := e.view().newest
	w := canon.NewWriter(memoryDomain)
	encodeBatchID(w, b.ID)
	w.Uint16(b.Marker)
	w.Uint64(on)
	w.Uint64(e.chain.slots[on])
	w.Len(len(b.Lines))
	for _, l := range b.Lines {
		l.Intents = nil // a transaction does not know them
		encodeLine(w, l)
	}
	sum := w.Sum()
	return Tx{ID: fmt.Sprintf("%x", sum), Raw: w.Data(), LastValid: on + memoryLife}, nil
}

// Send implements [Chain].
func (e *MemoryEndpoint) Send(_ context.Context, txs []Tx) error {
	if e.Down != nil {
		return e.Down
	}
	all := make([]error, 0, len(txs))
	for _, tx := range txs {
		all = append(all, e.chain.receive(tx.Raw))
	}
	return errors.Join(all...)
}

// Look implements [Chain].
func (e *MemoryEndpoint) Look(_ context.Context, attempts []Attempt) (Sighting, error) {
	if e.Down != nil {
		return Sighting{}, e.Down
	}
	v := e.view()
	s := Sighting{Endpoint: e.Name, Height: v.told, Slot: v.slot}
	for _, a := range attempts {
		res := Result{Sight: Missing}
		switch tx := e.chain.byID[a.Tx.ID]; {
		case tx == nil || tx.height > v.newest || e.Forget:
			if v.told > a.Tx.LastValid {
				res.Sight = Dead
				if e.chain.existed(a.Marker, v.final) {
					res.Sight = Marked
				}
			}
		case tx.height > v.final:
			res.Sight = Pending
		case tx.failure != nil:
			res = Result{Sight: Reverted, Slot: tx.slot, Fee: memoryFee, Failure: *tx.failure}
			res.Failure.Faults = slices.Clone(tx.failure.Faults)
		default:
			res = Result{Sight: Succeeded, Slot: tx.slot, Fee: memoryFee, Got: tx.got}
		}
		res.Context = v.slot
		s.Results = append(s.Results, res)
	}
	return s, nil
}

// Find implements [Finder].
func (e *MemoryEndpoint) Find(_ context.Context, batches []Batch) (Findings, error) {
	if e.Down != nil {
		return Findings{}, e.Down
	}
	v := e.view()
	out := Findings{Endpoint: e.Name, Height: v.told, Slot: v.slot, LastValid: e.chain.height() + memoryLife}
	for _, b := range batches {
		f := e.find(b.MarkerID(), v.final)
		f.Context = v.slot
		out.Results = append(out.Results, f)
	}
	return out, nil
}

// find returns who made the marker first.
func (e *MemoryEndpoint) find(marker MarkerID, final uint64) Finding {
	if e.Forget {
		if e.chain.existed(marker, final) {
			return Finding{Origin: Unclear}
		}
		return Finding{Origin: Never} // it would swear to it
	}
	for _, tx := range e.chain.byMarker[marker] {
		switch {
		case tx.height > final:
			return Finding{Origin: Never}
		case tx.foreign:
			return Finding{Origin: Theirs, Tx: tx.id, Slot: tx.slot}
		case tx.failure == nil:
			return Finding{Origin: Ours, Tx: tx.id, Slot: tx.slot, Fee: memoryFee, Got: tx.got, Lines: slices.Clone(tx.lines)}
		}
	}
	return Finding{Origin: Never}
}

// Reclaim implements [Reclaimer]. It empties the markers that exist in the endpoint's final block and in the newest one.
func (e *MemoryEndpoint) Reclaim(_ context.Context, markers []MarkerID) (Reclaims, error) {
	if e.Down != nil {
		return Reclaims{}, e.Down
	}
	v, m := e.view(), e.chain
	out := Reclaims{Endpoint: e.Name, Height: v.told, Slot: v.slot, Context: v.slot}
	var full []MarkerID
	for _, k := range markers {
		there := m.existed(k, v.final)
		out.Gone = append(out.Gone, !there)
		if there && m.newest.markers[k] && !slices.Contains(full, k) {
			full = append(full, k)
		}
	}
	if len(full) > 0 {
		w := canon.NewWriter(memoryDomain)
		w.String("reclaim")
		m.land(&memoryTx{id: m.sign(w, full...), reclaim: full})
	}
	return out, nil
}

// MarkerAddress implements [Historian]: the address of a marker is its name.
func (e *MemoryEndpoint) MarkerAddress(_ context.Context, m MarkerID) (Account, error) {
	return Account(m.String()), e.Down
}

// History implements [Historian].
func (e *MemoryEndpoint) History(_ context.Context, each func(Trace) error) error {
	if e.Down != nil {
		return e.Down
	}
	if e.Forget {
		return fmt.Errorf("settlement: memory: endpoint %q remembers no transaction", e.Name)
	}
	final := e.view().final
	for _, tx := range e.chain.txs {
		if tx.height > final {
			break
		}
		if tx.foreign {
			continue
		}
		t := Trace{Tx: tx.id, Slot: tx.slot, Fee: memoryFee, Failed: tx.failure != nil, Changes: slices.Clone(tx.changes)}
		if tx.reclaim == nil {
			t.Marker, t.Lines = Account(tx.marker.String()), slices.Clone(tx.lines)
		}
		if tx.reclaim == nil && !t.Failed {
			t.Rent = memoryRent
		}
		for _, k := range tx.reclaim {
			t.Reclaimed, t.Returned = append(t.Reclaimed, Account(k.String())), t.Returned+memoryRent
		}
		if err := each(t); err != nil {
			return err
		}
	}
	return nil
}

// existed says whether the marker existed in the block of that height.
func (m *Memory) existed(marker MarkerID, height uint64) bool {
	there := false
	for _, tx := range m.byMarker[marker] {
		if tx.height <= height && tx.failure == nil {
			there = tx.reclaim == nil
		}
	}
	return there
}

// trial starts on the newest block.
func (m *Memory) trial() trial {
	return trial{pools: m.pools, before: &m.newest, after: map[holding]uint64{}}
}
