package onchain

import (
	"encoding/binary"
	"fmt"
)

const (
	// StateSize is the size of a state's account, in bytes.
	StateSize = 280
	// MaxDelay is the largest delay, in slots: more than a year of them.
	MaxDelay = 100_000_000

	ledgerHead  = 40 // bytes before the entries: what it is, and whose
	stateMagic  = "idgstate"
	ledgerMagic = "idgledgr"
)

// State is a distributor as its account has it.
type State struct {
	Authority, Guardian Address // who sets roots; who may pause, and has to agree to resume
	Ledger, Vault       Address
	Delay               uint64 // slots between a root and its activation
	Cap                 uint64 // base units by which a root's sum may exceed the active one's
	Paid                uint64 // base units, to all and ever; never more than Active.Sum
	Active              Root   // by which claims are paid; of epoch 0 if there was none yet
	Next                Root   // that waits, the zero value if none does
	NextSlot            uint64 // from which Next counts; 0: none waits
	Paused              bool
	Bump                uint8 // of the vault's authority
}

// Root is what an authority sets once an epoch.
type Root struct {
	Epoch uint64 // 1 for the first, and so on
	Sum   uint64 // base units, of all leaves' totals
	Hash  Hash
}

// Ledger is what each leaf was paid.
type Ledger struct {
	State Address  // whose ledger it is
	Paid  []uint64 // base units by index, ever
}

// LedgerSize returns the size of the account of a ledger for that many leaves, in bytes. It refuses a number that is not 1 to
// MaxEntries.
func LedgerSize(leaves int) (int, error) {
	if leaves < 1 || leaves > MaxEntries {
		return 0, fmt.Errorf("onchain: ledger: %d leaves, want 1 to %d", leaves, MaxEntries)
	}
	return ledgerHead + 8*leaves, nil
}

// DecodeState reads a state's account. It refuses what the program has not made.
func DecodeState(data []byte) (State, error) {
	if len(data) != StateSize {
		return State{}, fmt.Errorf("onchain: state: %d bytes, want %d", len(data), StateSize)
	}
	if string(data[:8]) != stateMagic {
		return State{}, fmt.Errorf("onchain: state: it begins with %q, want %q: it is not initialized", data[:8], stateMagic)
	}
	at := 8
	word := func() uint64 {
		at += 8
		return binary.LittleEndian.Uint64(data[at-8:])
	}
	block := func() (b [32]byte) {
		at += copy(b[:], data[at:])
		return b
	}
	var s State
	s.Authority, s.Guardian, s.Ledger, s.Vault = block(), block(), block(), block()
	s.Delay, s.Cap, s.Paid = word(), word(), word()
	s.Active = Root{Epoch: word(), Sum: word(), Hash: block()}
	s.NextSlot = word()
	next := Root{Epoch: word(), Sum: word(), Hash: block()}
	if s.NextSlot != 0 {
		s.Next = next
	}
	paused, bump := word(), word()
	if paused > 1 || bump > 255 {
		return State{}, fmt.Errorf("onchain: state: paused is %d, want 0 or 1, and bump is %d, want 0 to 255", paused, bump)
	}
	s.Paused, s.Bump = paused == 1, uint8(bump)
	return s, nil
}

// DecodeLedger reads a ledger's account. It refuses what the program has not made.
func DecodeLedger(data []byte) (Ledger, error) {
	if len(data) < ledgerHead+8 || len(data)%8 != 0 {
		return Ledger{}, fmt.Errorf("onchain: ledger: %d bytes, want %d and 8 for each leaf", len(data), ledgerHead)
	}
	if string(data[:8]) != ledgerMagic {
		return Ledger{}, fmt.Errorf("onchain: ledger: it begins with %q, want %q: it is not initialized", data[:8], ledgerMagic)
	}
	l := Ledger{State: Address(data[8:ledgerHead]), Paid: make([]uint64, (len(data)-ledgerHead)/8)}
	for i := range l.Paid {
		l.Paid[i] = binary.LittleEndian.Uint64(data[ledgerHead+8*i:])
	}
	return l, nil
}

// Due returns what a claim pays for an entry at an index, in base units: 0 if the ledger has its total already, or has no such
// index.
func (l Ledger) Due(index int, e Entry) uint64 {
	if index < 0 || index >= len(l.Paid) || e.Total <= l.Paid[index] {
		return 0
	}
	return e.Total - l.Paid[index]
}
