package spl

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"
)

// maxEntries is how many addresses a lookup table holds.
const maxEntries = 256

// Table is an address lookup table as version 0 uses it. It is immutable.
type Table struct {
	address solana.PublicKey
	entries []solana.PublicKey
	index   map[solana.PublicKey]uint8
}

// NewTable returns a table of at most 256 addresses; the slice is copied. Of an address that stands twice the first entry is
// used.
func NewTable(address solana.PublicKey, entries []solana.PublicKey) (*Table, error) {
	if len(entries) == 0 || len(entries) > maxEntries {
		return nil, fmt.Errorf("spl: a lookup table of %d addresses, want 1 to %d", len(entries), maxEntries)
	}
	t := &Table{address: address, entries: append([]solana.PublicKey(nil), entries...), index: map[solana.PublicKey]uint8{}}
	for i, k := range t.entries {
		if _, ok := t.index[k]; !ok {
			t.index[k] = uint8(i)
		}
	}
	return t, nil
}

// Address returns where the table is.
func (t *Table) Address() solana.PublicKey { return t.address }

// Entries returns the addresses in it.
func (t *Table) Entries() []solana.PublicKey { return append([]solana.PublicKey(nil), t.entries...) }

// Instructions of the lookup table program, each a u32 in front of its arguments.
const (
	tableCreate     = 0
	tableExtend     = 2
	tableDeactivate = 3
	tableClose      = 4

	tableHeader  = 56                    // bytes in front of the addresses of a table's account
	tableVersion = 1                     // of an account that is a table
	neverSlot    = 0xffff_ffff_ffff_ffff // deactivation slot of a table that is active
)

// CreateTable returns the instruction that makes an empty lookup table, and the table's address, which follows from the authority
// and a slot. The slot has to be a recent one that holds a block; the payer pays the rent.
func CreateTable(authority, payer solana.PublicKey, slot uint64) (solana.PublicKey, Instruction, error) {
	at, bump, err := solana.FindProgramAddress([][]byte{authority[:], binary.LittleEndian.AppendUint64(nil, slot)}, solana.AddressLookupTableProgramID)
	if err != nil {
		return at, Instruction{}, fmt.Errorf("spl: find the address of a lookup table: %w", err)
	}
	d := binary.LittleEndian.AppendUint32(nil, tableCreate)
	d = append(binary.LittleEndian.AppendUint64(d, slot), bump)
	return at, Instruction{
		Program:  solana.AddressLookupTableProgramID,
		Accounts: []Meta{{at, false, true}, {authority, true, false}, {payer, true, true}, {solana.SystemProgramID, false, false}},
		Data:     d,
	}, nil
}

// maxExtension is how many addresses one instruction adds at most: the program reads no more than 1,232 bytes of it, the size of
// an old transaction, of which 12 stand before the addresses.
const maxExtension = (maxBytesOld - 12) / solana.PublicKeyLength

// ExtendTable returns the instructions that add addresses to the end of a table, 38 each. They can be used from the next block on. How
// many instructions share a transaction is up to its bytes.
func ExtendTable(table, authority, payer solana.PublicKey, more []solana.PublicKey) []Instruction {
	var out []Instruction
	for part := range slices.Chunk(more, maxExtension) {
		d := binary.LittleEndian.AppendUint32(nil, tableExtend)
		d = binary.LittleEndian.AppendUint64(d, uint64(len(part)))
		for _, k := range part {
			d = append(d, k[:]...)
		}
		out = append(out, Instruction{
			Program:  solana.AddressLookupTableProgramID,
			Accounts: []Meta{{table, false, true}, {authority, true, false}, {payer, true, true}, {solana.SystemProgramID, false, false}},
			Data:     d,
		})
	}
	return out
}

// DeactivateTable returns the instruction that ends the use of a table, after which it can be closed in some 513 slots.
func DeactivateTable(table, authority solana.PublicKey) Instruction {
	return Instruction{
		Program:  solana.AddressLookupTableProgramID,
		Accounts: []Meta{{table, false, true}, {authority, true, false}},
		Data:     binary.LittleEndian.AppendUint32(nil, tableDeactivate),
	}
}

// CloseTable returns the instruction that gives the rent of a table that was deactivated to somebody.
func CloseTable(table, authority, to solana.PublicKey) Instruction {
	return Instruction{
		Program:  solana.AddressLookupTableProgramID,
		Accounts: []Meta{{table, false, true}, {authority, true, false}, {to, false, true}},
		Data:     binary.LittleEndian.AppendUint32(nil, tableClose),
	}
}

// ReadTable reads the account of a lookup table: its owner and data. A table that was deactivated, or has no addresses, is an error.
func ReadTable(address, owner solana.PublicKey, data []byte) (*Table, error) {
	if owner != solana.AddressLookupTableProgramID || len(data) < tableHeader || binary.LittleEndian.Uint32(data) != tableVersion {
		return nil, fmt.Errorf("spl: what stands at %q is no lookup table", address)
	}
	if slot := binary.LittleEndian.Uint64(data[4:]); slot != neverSlot {
		return nil, fmt.Errorf("spl: the lookup table %q was deactivated in slot %d", address, slot)
	}
	list := data[tableHeader:]
	if len(list)%solana.PublicKeyLength != 0 {
		return nil, fmt.Errorf("spl: the lookup table %q has %d bytes of addresses, no multiple of %d", address, len(list), solana.PublicKeyLength)
	}
	entries := make([]solana.PublicKey, len(list)/solana.PublicKeyLength)
	for i := range entries {
		entries[i] = solana.PublicKeyFromBytes(list[i*solana.PublicKeyLength:][:solana.PublicKeyLength])
	}
	return NewTable(address, entries)
}
