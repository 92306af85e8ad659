package spl

import (
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"
)

// Encoder turns payouts and messages into the bytes of transactions. Its zero value is ready; it keeps its buffers, so that
// an encoder that is used again allocates nothing. It is not safe for concurrent use.
type Encoder struct {
	keys  [maxAddresses]solana.PublicKey // in the order in which they were first named; the payer is the first
	role  [maxAddresses]uint8            // what the transaction does with each
	slots [256]uint8                     // hash table over keys: 0 is free, otherwise index + 1
	count int                            // of keys; the last one stands for all that are too many
	over  bool                           // there are more keys than a transaction can have

	heads    []head
	accounts []uint8 // of all instructions, as indices into keys
	data     []byte  // of all instructions

	place  [maxAddresses]uint8 // of each key, its index in the transaction
	static int                 // how many keys stand in the message; the others are in tables
	tables []*Table            // of version 0, those that are used
	loaded []lookup            // the keys in tables, in the order of their places
}

// head is one instruction in the encoder's buffers: where its accounts and data end.
type head struct {
	program        uint8
	accounts, data int
}

// lookup is a key that is read from a table.
type lookup struct {
	table int
	entry uint8
	write bool
}

// What a transaction does with an address.
const (
	roleSigns uint8 = 1 << iota
	roleWrites
	roleRuns // it is called as a program, and has to stand in the message itself
)

// budget is what a transaction may use up.
type budget struct {
	units, loaded, heap uint32
	priority            uint64
}

// reset forgets everything but the buffers.
func (e *Encoder) reset(payer solana.PublicKey) {
	e.slots = [256]uint8{}
	e.count, e.over = 0, false
	e.heads, e.accounts, e.data = e.heads[:0], e.accounts[:0], e.data[:0]
	e.tables, e.loaded = e.tables[:0], e.loaded[:0]
	e.key(&payer, roleSigns|roleWrites)
}

// key returns the index of an address and adds to its role.
func (e *Encoder) key(k *solana.PublicKey, role uint8) uint8 {
	// Addresses are hashes or points of a curve: any of their bytes will do. Who makes them collide makes this slow, not wrong.
	for at := k[0] ^ k[17]; ; at++ {
		i := e.slots[at]
		if i == 0 {
			if e.count == maxAddresses {
				e.over = true
				return maxAddresses - 1
			}
			e.slots[at] = uint8(e.count + 1)
			e.keys[e.count], e.role[e.count] = *k, role
			e.count++
			return uint8(e.count - 1)
		}
		if e.keys[i-1] == *k {
			e.role[i-1] |= role
			return i - 1
		}
	}
}

// begin starts an instruction of a program; what follows until end belongs to it.
func (e *Encoder) begin(program *solana.PublicKey) {
	e.heads = append(e.heads, head{program: e.key(program, roleRuns)})
}

// account adds an address to the instruction.
func (e *Encoder) account(k *solana.PublicKey, role uint8) {
	e.accounts = append(e.accounts, e.key(k, role))
}

// end closes the instruction.
func (e *Encoder) end() {
	h := &e.heads[len(e.heads)-1]
	h.accounts, h.data = len(e.accounts), len(e.data)
}

// budget adds the instructions that ask for a budget in the older formats. They come last, so that a line's instruction has
// the same index in every format.
func (e *Encoder) budget(b budget) {
	ask := func(tag byte) { e.begin(&solana.ComputeBudget); e.data = append(e.data, tag) }
	if b.units > 0 {
		ask(budgetUnits)
		e.data = binary.LittleEndian.AppendUint32(e.data, b.units)
		e.end()
	}
	if b.priority > 0 {
		ask(budgetPrice)
		e.data = binary.LittleEndian.AppendUint64(e.data, price(b.priority, b.units))
		e.end()
	}
	if b.loaded > 0 {
		ask(budgetLoaded)
		e.data = binary.LittleEndian.AppendUint32(e.data, b.loaded)
		e.end()
	}
	if b.heap > 0 {
		ask(budgetHeap)
		e.data = binary.LittleEndian.AppendUint32(e.data, b.heap)
		e.end()
	}
}

// First bytes of the compute budget program's instructions.
const (
	budgetHeap   = 1
	budgetUnits  = 2
	budgetPrice  = 3
	budgetLoaded = 4
)

// check says which limit the transaction is beyond, before any of it is written. What names the caller's struct.
func (e *Encoder) check(what string, f Format, b budget) error {
	switch {
	case f.MaxBytes() == 0:
		return fmt.Errorf("spl: %s.Format is %d, want V1, V0 or Legacy", what, uint8(f))
	case e.over:
		return fmt.Errorf("spl: %s needs more than %d addresses, a transaction has %d", what, maxAddresses, maxAddresses)
	case len(e.heads) > maxInstructions:
		return fmt.Errorf("spl: %s has %d instructions, a transaction has %d at most", what, len(e.heads), maxInstructions)
	case len(e.heads) == 0:
		return fmt.Errorf("spl: %s has no instruction", what)
	case b.units > maxUnits:
		return fmt.Errorf("spl: %s.ComputeUnits is %d, want at most %d", what, b.units, maxUnits)
	case b.loaded > maxLoaded:
		return fmt.Errorf("spl: %s.Loaded is %d, want at most %d", what, b.loaded, maxLoaded)
	case f == V1 && (b.units == 0 || b.loaded == 0):
		return fmt.Errorf("spl: %s.ComputeUnits is %d and Loaded is %d: version 1 grants nothing that is not asked for", what, b.units, b.loaded)
	case f != V1 && b.priority > 0 && b.units == 0:
		return fmt.Errorf("spl: %s.Priority is %d without ComputeUnits: its price for each unit is unknown", what, b.priority)
	case b.heap != 0 && (b.heap%1024 != 0 || b.heap < 32<<10 || b.heap > 256<<10):
		return fmt.Errorf("spl: %s.Heap is %d, want 0 or a multiple of 1024 from 32768 to 262144", what, b.heap)
	case e.role[0]&roleRuns != 0:
		return fmt.Errorf("spl: %s.Payer is a program that it calls", what)
	}
	from := head{}
	for i, h := range e.heads {
		if n := h.accounts - from.accounts; n > 255 {
			return fmt.Errorf("spl: %s: instruction %d names %d accounts, at most 255 are possible", what, i, n)
		}
		if n := h.data - from.data; n > 65535 {
			return fmt.Errorf("spl: %s: instruction %d has %d bytes of data, at most 65535 are possible", what, i, n)
		}
		from = h
	}
	return nil
}

// order gives every key its place: signers first, those that are written before the others, then what is not signing in
// the same way, then what tables hold. It returns the three counts of a message's header.
func (e *Encoder) order(f Format, tables []*Table) (signers, readSigners, readOthers uint8) {
	var where [maxAddresses]lookup
	for i := range e.count {
		where[i].table = -1
		if f != V0 || e.role[i]&(roleSigns|roleRuns) != 0 {
			continue
		}
		for t, table := range tables {
			if entry, ok := table.index[e.keys[i]]; ok {
				where[i] = lookup{t, entry, e.role[i]&roleWrites != 0}
				break
			}
		}
	}
	next := uint8(0)
	put := func(role uint8) uint8 {
		start := next
		for i := range e.count {
			if where[i].table < 0 && e.role[i]&(roleSigns|roleWrites) == role {
				e.place[i] = next
				next++
			}
		}
		return next - start
	}
	signers = put(roleSigns | roleWrites)
	readSigners = put(roleSigns)
	signers += readSigners
	put(roleWrites)
	readOthers = put(0)
	e.static = int(next)
	if e.static == e.count {
		return signers, readSigners, readOthers
	}
	for _, write := range []bool{true, false} {
		for t := range tables {
			for i := range e.count {
				if where[i].table == t && where[i].write == write {
					e.place[i] = next
					next++
					e.loaded = append(e.loaded, where[i])
				}
			}
		}
	}
	e.tables = append(e.tables, tables...)
	return signers, readSigners, readOthers
}

// appendTx writes the transaction with signatures of zeros.
func (e *Encoder) appendTx(dst []byte, what string, f Format, hash *solana.Hash, b budget, tables []*Table) ([]byte, error) {
	if f == V0 || f == Legacy {
		if b.priority == 0 || b.units > 0 {
			e.budget(b)
		}
	}
	if err := e.check(what, f, b); err != nil {
		return dst, err
	}
	signers, readSigners, readOthers := e.order(f, tables)
	if signers > maxSigners {
		return dst, fmt.Errorf("spl: %s needs %d signatures, a transaction has %d at most", what, signers, maxSigners)
	}
	start := len(dst)
	out := dst
	if f == V1 {
		out = append(out, 0x81, signers, readSigners, readOthers)
		out = e.appendV1(out, hash, b)
		out = append(out, zeros[:int(signers)*solana.SignatureLength]...)
	} else {
		out = append(out, signers)
		out = append(out, zeros[:int(signers)*solana.SignatureLength]...)
		if f == V0 {
			out = append(out, 0x80)
		}
		out = append(out, signers, readSigners, readOthers)
		out = e.appendOld(out, f, hash)
	}
	if n := len(out) - start; n > f.MaxBytes() {
		return dst, fmt.Errorf("spl: %s needs %d bytes, a transaction of format %s has %d at most", what, n, f, f.MaxBytes())
	}
	return out, nil
}

// zeros is room for signatures, never written to.
var zeros [maxSigners * solana.SignatureLength]byte

// appendKeys writes the addresses that stand in the message, in the order of their places.
func (e *Encoder) appendKeys(out []byte) []byte {
	at := len(out)
	for range e.static {
		out = append(out, zeros[:solana.PublicKeyLength]...)
	}
	for i := range e.count {
		if p := int(e.place[i]); p < e.static {
			copy(out[at+p*solana.PublicKeyLength:], e.keys[i][:])
		}
	}
	return out
}

// appendV1 writes what follows the header of version 1: see SIMD-0385.
func (e *Encoder) appendV1(out []byte, hash *solana.Hash, b budget) []byte {
	mask := uint32(4 | 8) // units and loaded bytes
	if b.priority > 0 {
		mask |= 1 | 2
	}
	if b.heap > 0 {
		mask |= 16
	}
	out = binary.LittleEndian.AppendUint32(out, mask)
	out = append(out, hash[:]...)
	out = append(out, uint8(len(e.heads)), uint8(e.count))
	out = e.appendKeys(out)
	if b.priority > 0 {
		out = binary.LittleEndian.AppendUint64(out, b.priority)
	}
	out = binary.LittleEndian.AppendUint32(out, b.units)
	out = binary.LittleEndian.AppendUint32(out, b.loaded)
	if b.heap > 0 {
		out = binary.LittleEndian.AppendUint32(out, b.heap)
	}
	from := head{}
	for _, h := range e.heads {
		out = append(out, e.place[h.program], uint8(h.accounts-from.accounts))
		out = binary.LittleEndian.AppendUint16(out, uint16(h.data-from.data))
		from = h
	}
	from = head{}
	for _, h := range e.heads {
		for _, a := range e.accounts[from.accounts:h.accounts] {
			out = append(out, e.place[a])
		}
		out = append(out, e.data[from.data:h.data]...)
		from = h
	}
	return out
}

// appendOld writes what follows the header of the older formats, and the lookups of version 0.
func (e *Encoder) appendOld(out []byte, f Format, hash *solana.Hash) []byte {
	out = append(out, uint8(e.static))
	out = e.appendKeys(out)
	out = append(out, hash[:]...)
	out = append(out, uint8(len(e.heads)))
	from := head{}
	for _, h := range e.heads {
		out = append(out, e.place[h.program])
		out = appendCompact(out, h.accounts-from.accounts)
		for _, a := range e.accounts[from.accounts:h.accounts] {
			out = append(out, e.place[a])
		}
		out = appendCompact(out, h.data-from.data)
		out = append(out, e.data[from.data:h.data]...)
		from = h
	}
	if f != V0 {
		return out
	}
	count := len(out)
	out = append(out, 0)
	for t, table := range e.tables {
		write, read := 0, 0
		for _, l := range e.loaded {
			if l.table == t && l.write {
				write++
			} else if l.table == t {
				read++
			}
		}
		if write+read == 0 {
			continue // a lookup that loads nothing is refused by the runtime
		}
		out[count]++
		out = append(out, table.address[:]...)
		out = e.appendEntries(appendCompact(out, write), t, true)
		out = e.appendEntries(appendCompact(out, read), t, false)
	}
	return out
}

func (e *Encoder) appendEntries(out []byte, table int, write bool) []byte {
	for _, l := range e.loaded {
		if l.table == table && l.write == write {
			out = append(out, l.entry)
		}
	}
	return out
}

// appendCompact writes a length of the older formats: seven bits a byte, the lowest first.
func appendCompact(out []byte, n int) []byte {
	for n > 127 {
		out = append(out, byte(n)|128)
		n >>= 7
	}
	return append(out, byte(n))
}

// price is the price of one compute unit in millionths of a lamport, at which the units cost the priority fee. It is rounded
// down, so that the fee, which the runtime rounds up, is never more than was asked for, and at most 2 lamports less.
func price(priority uint64, units uint32) uint64 {
	const micro = 1_000_000
	whole, rest := priority/uint64(units), priority%uint64(units)
	if whole > ^uint64(0)/micro-micro {
		return ^uint64(0) // more than there are lamports
	}
	return whole*micro + rest*micro/uint64(units) // rest < units <= 1,400,000: no overflow
}
