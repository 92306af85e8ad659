package settlement

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const (
	memoryDomain = "idlegrid/settlement/memory/v2"
	memoryLife   = 150     // blocks for which an attempt can land, as on Solana
	memoryFinal  = 32      // blocks after which a block is final
	memoryFee    = 5000    // lamports of a transaction with one signature
	memoryRent   = 650_240 // lamports of a marker: an account of 0 bytes at 5,080 lamports a byte
	memoryGap    = 7       // slots without a block before the first one, so that a slot is never a height
)

// Memory is a Chain in memory for tests, and for users without Solana. It keeps Solana's rules: an attempt can land for 150
// blocks after the newest one it was prepared on, becomes final 32 blocks after it landed, is carried whole or not at all,
// and a marker is made once. Blocks move by Advance and Fork only. Attempts are not signed. It is not safe for concurrent
// use.
type Memory struct {
	MemoryEndpoint // an honest endpoint named "memory"

	slots []uint64 // of each block; the last one is the newest, landing what is sent now
	top   uint64   // the highest slot there ever was
	root  uint64   // height of the newest final block, which never moves back
	pools map[[2]Asset]memoryPool

	newest, final memoryState
	txs           []*memoryTx // in the order in which they landed
	finals        int         // of these, how many are final
	byID          map[string]*memoryTx
	byMarker      map[MarkerID][]*memoryTx // that made, funded or emptied it, in the order in which they landed
}

// memoryState is what accounts hold.
type memoryState struct {
	balances map[holding]uint64
	supplies map[Asset]uint64
	markers  map[MarkerID]bool // that exist: whether their rent is ours
	fees     uint64
	rent     uint64 // in markers of ours
}

type holding struct {
	asset Asset
	owner Account
}

// memoryPool swaps at a fixed rate of num for den.
type memoryPool struct {
	owner    Account
	num, den uint64
}

// memoryTx is a transaction that is in a block: one of ours that carries lines, one of ours that empties markers, or a
// stranger's that funds one.
type memoryTx struct {
	id      string
	height  uint64
	slot    uint64
	marker  MarkerID
	lines   []Line
	reclaim []MarkerID
	foreign bool

	failure *Failure
	got     uint64
	changes []Change
}

// NewMemory returns a chain at block 1 without any account.
func NewMemory() *Memory {
	empty := memoryState{balances: map[holding]uint64{}, supplies: map[Asset]uint64{}, markers: map[MarkerID]bool{}}
	m := &Memory{
		slots:    []uint64{memoryGap, memoryGap + 1},
		top:      memoryGap + 1,
		pools:    map[[2]Asset]memoryPool{},
		newest:   empty,
		final:    empty.clone(),
		byID:     map[string]*memoryTx{},
		byMarker: map[MarkerID][]*memoryTx{},
	}
	m.MemoryEndpoint = MemoryEndpoint{Name: "memory", chain: m}
	return m
}

// Endpoint returns another endpoint of the chain, by default as honest as the chain itself.
func (m *Memory) Endpoint(name string) *MemoryEndpoint { return &MemoryEndpoint{Name: name, chain: m} }

// Open makes an account of the owner for the asset if there is none, and adds units to it and to the supply. It is final at
// once. It panics if the supply does not fit 64 bits.
func (m *Memory) Open(a Asset, owner Account, units uint64) {
	for _, s := range []*memoryState{&m.newest, &m.final} {
		if s.supplies[a]+units < units {
			panic("settlement: Memory.Open: supply beyond 64 bits")
		}
		s.supplies[a] += units
		s.balances[holding{a, owner}] += units
	}
}

// Remove closes an account of the owner, so that what is sent to it fails. It is final at once. It panics if the account
// holds something, in the newest block or in the newest final one.
func (m *Memory) Remove(a Asset, owner Account) {
	for _, s := range []*memoryState{&m.newest, &m.final} {
		if s.balances[holding{a, owner}] > 0 {
			panic("settlement: Memory.Remove: the account holds something")
		}
		delete(s.balances, holding{a, owner})
	}
}

// Pool lets an owner swap what he holds: for den base units of in he gives num of out, rounded down, which is in his favour.
// It panics if den is 0.
func (m *Memory) Pool(owner Account, in, out Asset, num, den uint64) {
	if den == 0 {
		panic("settlement: Memory.Pool: den is 0")
	}
	m.pools[[2]Asset{in, out}] = memoryPool{owner, num, den}
}

// Poison has a stranger fund the address of a marker, in the newest block.
func (m *Memory) Poison(marker MarkerID) {
	w := canon.NewWriter(memoryDomain)
	w.String("stranger")
	m.land(&memoryTx{id: m.sign(w, marker), marker: marker, foreign: true})
}

// Advance adds n blocks.
func (m *Memory) Advance(n int) {
	for range n {
		m.top++
		m.slots = append(m.slots, m.top)
		if m.height() <= m.root+memoryFinal {
			continue
		}
		m.root++
		for ; m.finals < len(m.txs) && m.txs[m.finals].height <= m.root; m.finals++ {
			m.final.apply(m.txs[m.finals])
		}
	}
}

// Fork drops the newest n blocks with all that landed in them, but none that is final, and returns how many it dropped. What
// was in them is unknown from now on, and may land again. Their slots are skipped.
func (m *Memory) Fork(n int) int {
	n = min(max(n, 0), int(m.height()-m.root))
	m.slots = m.slots[:len(m.slots)-n]
	gone := func(tx *memoryTx) bool { return tx.height > m.height() }
	m.newest = m.final.clone()
	all := m.txs
	m.txs = m.txs[:m.finals]
	for _, tx := range all[m.finals:] {
		if !gone(tx) {
			m.txs = append(m.txs, tx)
			m.newest.apply(tx)
			continue
		}
		delete(m.byID, tx.id)
		for _, marker := range tx.touches() {
			m.byMarker[marker] = slices.DeleteFunc(m.byMarker[marker], gone)
		}
	}
	return n
}

// Balance returns what the owner holds of the asset, and whether it has an account for it. It counts the newest block.
func (m *Memory) Balance(a Asset, owner Account) (units uint64, ok bool) {
	units, ok = m.newest.balances[holding{a, owner}]
	return units, ok
}

// Supply returns how much of the asset there is, in the newest block.
func (m *Memory) Supply(a Asset) uint64 { return m.newest.supplies[a] }

// Fees returns the lamports that our transactions have cost, in the newest block.
func (m *Memory) Fees() uint64 { return m.newest.fees }

// Rent returns the lamports that lie in markers of ours, in the newest block.
func (m *Memory) Rent() uint64 { return m.newest.rent }

func (m *Memory) height() uint64 { return uint64(len(m.slots) - 1) }

// sign ends the bytes of a transaction with what makes it unlike any other, and returns its ID.
func (m *Memory) sign(w *canon.Writer, markers ...MarkerID) string {
	w.Uint64(m.height())
	w.Uint64(m.slots[m.height()])
	for _, k := range markers {
		encodeBatchID(w, k.Batch)
		w.Uint16(k.N)
	}
	sum := w.Sum()
	return hex.EncodeToString(sum[:])
}

// receive takes the bytes of an attempt. One that is too old, of a block that is gone, or known already changes nothing.
func (m *Memory) receive(raw []byte) error {
	r := canon.NewReader(raw, memoryDomain)
	tx := &memoryTx{marker: MarkerID{decodeBatchID(r), r.Uint16()}}
	height, slot := r.Uint64(), r.Uint64()
	tx.lines = make([]Line, 0, r.Len(34))
	for range cap(tx.lines) {
		tx.lines = append(tx.lines, decodeLine(r))
	}
	if err := r.Close(); err != nil {
		return fmt.Errorf("settlement: memory: %w", err)
	}
	sum := sha256.Sum256(raw)
	tx.id = hex.EncodeToString(sum[:])
	switch last := height + memoryLife; {
	case m.byID[tx.id] != nil:
		return nil
	case m.height() > last:
		return fmt.Errorf("settlement: memory: attempt %q could land until block %d, this is %d", tx.id, last, m.height())
	case height > m.height() || m.slots[height] != slot:
		return fmt.Errorf("settlement: memory: attempt %q was prepared on a block that is gone", tx.id)
	}
	m.land(tx)
	return nil
}

// land puts a transaction into the newest block.
func (m *Memory) land(tx *memoryTx) {
	tx.height, tx.slot = m.height(), m.slots[m.height()]
	m.execute(tx)
	m.newest.apply(tx)
	m.txs = append(m.txs, tx)
	m.byID[tx.id] = tx
	for _, marker := range tx.touches() {
		m.byMarker[marker] = append(m.byMarker[marker], tx)
	}
}

// execute decides what becomes of a transaction in the newest block, once and for all.
func (m *Memory) execute(tx *memoryTx) {
	if tx.foreign || tx.reclaim != nil {
		return
	}
	if _, ok := m.newest.markers[tx.marker]; ok {
		tx.failure = &Failure{Marker: true, Reason: "the marker of batch " + tx.marker.String() + " exists"}
		return
	}
	t := m.trial()
	if f := t.run(tx.lines); f != nil {
		tx.failure = &Failure{Reason: fmt.Sprintf("line %d: %s", f.Line, f.Reason)}
		if f.named {
			tx.failure.Faults = []Fault{f.Fault}
		}
		return
	}
	tx.got, tx.changes = t.got, t.changes()
}

// apply does to a state what became of the transaction.
func (s *memoryState) apply(tx *memoryTx) {
	if tx.foreign {
		if _, ok := s.markers[tx.marker]; !ok { // to a marker that is ours the lamports are a gift
			s.markers[tx.marker] = false
		}
		return
	}
	s.fees += memoryFee
	for _, k := range tx.reclaim {
		delete(s.markers, k)
		s.rent -= memoryRent
	}
	if tx.reclaim != nil || tx.failure != nil {
		return
	}
	s.markers[tx.marker] = true
	s.rent += memoryRent
	for _, c := range tx.changes { // as differences, modulo 2^64: an account may have been opened meanwhile
		s.balances[holding{c.Asset, c.Owner}] += c.After - c.Before
		s.supplies[c.Asset] += c.After - c.Before // what moves comes to 0, what is burned does not
	}
}

// touches are the markers that the transaction made, funded or emptied.
func (tx *memoryTx) touches() []MarkerID {
	if tx.reclaim != nil {
		return tx.reclaim
	}
	return []MarkerID{tx.marker}
}

func (s *memoryState) clone() memoryState {
	return memoryState{maps.Clone(s.balances), maps.Clone(s.supplies), maps.Clone(s.markers), s.fees, s.rent}
}

func compareAssets(a, b Asset) int {
	return cmp.Or(cmp.Compare(a.Mint, b.Mint), cmp.Compare(a.Decimals, b.Decimals))
}
