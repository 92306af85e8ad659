package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const (
	memoryDomain = "idlegrid/settlement/memory/v1"
	memoryLife   = 150 // blocks for which an attempt can land, as on Solana
	memoryFinal  = 32  // blocks after which a block is final
	memoryFee    = 5000
)

// Memory is a Chain in memory for tests, and for users without Solana. It keeps Solana's rules: an attempt can land for 150
// blocks, becomes final 32 blocks later, is carried whole or not at all, and a batch lands once. Blocks move by Advance
// only. Attempts are not signed. It is not safe for concurrent use.
type Memory struct {
	height   uint64
	balances map[holding]uint64
	supplies map[Asset]uint64
	attempts map[string]memoryTx
	markers  map[BatchID]bool
}

type holding struct {
	asset Asset
	owner Account
}

// memoryTx is a transaction that is in a block.
type memoryTx struct {
	height  uint64
	failure *Failure
}

// NewMemory returns a chain at block 1 without any account.
func NewMemory() *Memory {
	return &Memory{
		height:   1,
		balances: map[holding]uint64{},
		supplies: map[Asset]uint64{},
		attempts: map[string]memoryTx{},
		markers:  map[BatchID]bool{},
	}
}

// Open makes an account of the owner for the asset if there is none, and adds units to it and to the supply. It panics if
// the supply does not fit 64 bits.
func (m *Memory) Open(a Asset, owner Account, units uint64) {
	if m.supplies[a]+units < units {
		panic("settlement: Memory.Open: supply beyond 64 bits")
	}
	m.supplies[a] += units
	m.balances[holding{a, owner}] += units
}

// Advance adds n blocks.
func (m *Memory) Advance(n int) { m.height += uint64(max(n, 0)) }

// Balance returns what the owner holds of the asset, and whether it has an account for it. It counts the newest block.
func (m *Memory) Balance(a Asset, owner Account) (units uint64, ok bool) {
	units, ok = m.balances[holding{a, owner}]
	return units, ok
}

// Supply returns how much of the asset there is, in the newest block.
func (m *Memory) Supply(a Asset) uint64 { return m.supplies[a] }

// Prepare implements [Chain].
func (m *Memory) Prepare(_ context.Context, batches []Batch) ([]Prepared, error) {
	out := make([]Prepared, len(batches))
	for i, b := range batches {
		out[i].Tx, out[i].Err = m.prepare(b)
	}
	return out, nil
}

func (m *Memory) prepare(b Batch) (Tx, error) {
	var faults []Fault
	for i, l := range b.Lines {
		if _, ok := m.balances[holding{l.Asset, l.To}]; l.Kind != Burn && !ok {
			faults = append(faults, Fault{i, fmt.Sprintf("account %q holds no token account for mint %q", l.To, l.Asset.Mint)})
		}
	}
	if len(faults) > 0 {
		return Tx{}, &LineError{faults}
	}
	if i, err := m.try(b.Lines); err != nil {
		return Tx{}, fmt.Errorf("line %d: %w", i, err)
	}
	w := canon.NewWriter(memoryDomain)
	encodeBatchID(w, b.ID)
	w.Uint64(m.height + memoryLife)
	w.Len(len(b.Lines))
	for _, l := range b.Lines {
		encodeLine(w, l)
	}
	id := sha256.Sum256(w.Data())
	return Tx{ID: hex.EncodeToString(id[:]), Raw: w.Data(), LastValid: m.height + memoryLife}, nil
}

// Send implements [Chain]. An attempt that is too old or already in a block changes nothing.
func (m *Memory) Send(_ context.Context, txs []Tx) error {
	var all []error
	for _, tx := range txs {
		all = append(all, m.send(tx))
	}
	return errors.Join(all...)
}

func (m *Memory) send(tx Tx) error {
	r := canon.NewReader(tx.Raw, memoryDomain)
	batch, last := decodeBatchID(r), r.Uint64()
	lines := make([]Line, 0, r.Len(26))
	for range cap(lines) {
		lines = append(lines, decodeLine(r))
	}
	if err := r.Close(); err != nil {
		return fmt.Errorf("settlement: memory: %w", err)
	}
	sum := sha256.Sum256(tx.Raw)
	id := hex.EncodeToString(sum[:])
	if _, ok := m.attempts[id]; ok {
		return nil
	}
	if m.height > last {
		return fmt.Errorf("settlement: memory: attempt %q could land until block %d, this is %d", id, last, m.height)
	}
	landed := memoryTx{height: m.height}
	switch i, err := m.try(lines); {
	case m.markers[batch]:
		landed.failure = &Failure{Marker: true, Reason: "the marker of batch " + batch.String() + " exists"}
	case err != nil:
		landed.failure = &Failure{Reason: fmt.Sprintf("line %d: %v", i, err)}
		if _, ok := m.balances[holding{lines[i].Asset, lines[i].To}]; lines[i].Kind != Burn && !ok {
			landed.failure.Faults = []Fault{{i, err.Error()}}
		}
	default:
		m.markers[batch] = true
		m.carry(lines)
	}
	m.attempts[id] = landed
	return nil
}

// Look implements [Chain].
func (m *Memory) Look(_ context.Context, attempts []Attempt) (Sighting, error) {
	s := Sighting{Endpoint: "memory", Height: m.height - min(m.height, memoryFinal)}
	s.Slot = s.Height
	for _, a := range attempts {
		tx, ok := m.attempts[a.Tx.ID]
		res := Result{Sight: Pending}
		switch {
		case !ok:
			res = Result{Sight: Missing}
			switch {
			case s.Height > a.Tx.LastValid && m.markers[a.Marker.Batch]:
				res.Sight = Marked
			case s.Height > a.Tx.LastValid:
				res.Sight = Dead
			}
		case tx.height > s.Height:
		case tx.failure != nil:
			res = Result{Sight: Reverted, Slot: tx.height, Fee: memoryFee, Failure: *tx.failure}
			res.Failure.Faults = slices.Clone(tx.failure.Faults)
		default:
			res = Result{Sight: Succeeded, Slot: tx.height, Fee: memoryFee}
		}
		res.Context = s.Slot
		s.Results = append(s.Results, res)
	}
	return s, nil
}

// try returns the first line that cannot be carried, and why.
func (m *Memory) try(lines []Line) (int, error) {
	change := map[holding]uint64{}
	have := func(h holding) uint64 {
		if units, ok := change[h]; ok {
			return units
		}
		return m.balances[h]
	}
	for i, l := range lines {
		from, to := holding{l.Asset, l.From}, holding{l.Asset, l.To}
		if _, ok := m.balances[to]; l.Kind != Burn && !ok {
			return i, fmt.Errorf("account %q holds no token account for mint %q", l.To, l.Asset.Mint)
		}
		if have(from) < l.Units {
			return i, fmt.Errorf("account %q holds %d units, %d more are to go", l.From, have(from), l.Units)
		}
		change[from] = have(from) - l.Units
		if l.Kind != Burn {
			change[to] = have(to) + l.Units // no overflow: the supply fits
		}
	}
	return 0, nil
}

// carry moves what try has found possible.
func (m *Memory) carry(lines []Line) {
	for _, l := range lines {
		m.balances[holding{l.Asset, l.From}] -= l.Units
		if l.Kind == Burn {
			m.supplies[l.Asset] -= l.Units
			continue
		}
		m.balances[holding{l.Asset, l.To}] += l.Units
	}
}
