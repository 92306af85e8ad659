package spl

import (
	"fmt"

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
