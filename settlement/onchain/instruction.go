package onchain

import (
	"encoding/binary"
	"fmt"
)

// Kinds of instructions, by their first number.
const (
	kindInitialize = iota
	kindSetRoot
	kindClaim
	kindPause
	kindResume
)

// Meta is an account of an instruction.
type Meta struct {
	Address          Address
	Signer, Writable bool
}

// Instruction is one call of the program.
type Instruction struct {
	Program  Address
	Accounts []Meta
	Data     []byte
}

// Distributor names the accounts of a distributor.
type Distributor struct {
	Program Address // where the program was deployed
	State   Address // StateSize bytes of the program
	Ledger  Address // LedgerSize bytes of the program
	Vault   Address // token account of the SPL Token program that VaultAuthority owns
}

// Settings is what a distributor is made with, for ever.
type Settings struct {
	Authority Address // sets roots, may pause
	Guardian  Address // may pause; another key than Authority
	Delay     uint64  // slots between a root and its activation, 1 to MaxDelay
	Cap       uint64  // base units by which a root's sum may exceed the active one's, at least 1
}

// Initialize returns the instruction that binds state, ledger and vault to each other. State, ledger and authority sign. State
// and ledger were made before, of their sizes, as the program's and with their rent; best in the same transaction.
func (d Distributor) Initialize(s Settings) (Instruction, error) {
	if s.Authority == s.Guardian {
		return Instruction{}, fmt.Errorf("onchain: initialize: Guardian is the Authority")
	}
	if s.Delay < 1 || s.Delay > MaxDelay {
		return Instruction{}, fmt.Errorf("onchain: initialize: Delay is %d slots, want 1 to %d", s.Delay, MaxDelay)
	}
	if s.Cap < 1 {
		return Instruction{}, fmt.Errorf("onchain: initialize: Cap is 0, want at least 1")
	}
	_, bump := VaultAuthority(d.Program, d.State)
	data := head(kindInitialize, 0)
	data = binary.LittleEndian.AppendUint64(data, s.Delay)
	data = binary.LittleEndian.AppendUint64(data, s.Cap)
	data = binary.LittleEndian.AppendUint64(data, uint64(bump))
	return Instruction{Program: d.Program, Data: data, Accounts: []Meta{
		{Address: d.State, Signer: true, Writable: true},
		{Address: d.Ledger, Signer: true, Writable: true},
		{Address: d.Vault},
		{Address: s.Authority, Signer: true},
		{Address: s.Guardian},
	}}, nil
}

// SetRoot returns the instruction by which a root begins to wait. It replaces one that waits, and makes that one active first if
// its time has come; so its epoch is the active root's and 1, as of then.
func (d Distributor) SetRoot(authority Address, r Root) (Instruction, error) {
	if r.Epoch == 0 {
		return Instruction{}, fmt.Errorf("onchain: set root: Epoch is 0, want 1 or more")
	}
	if r.Hash == (Hash{}) {
		return Instruction{}, fmt.Errorf("onchain: set root: Hash is zero")
	}
	data := head(kindSetRoot, 0)
	data = binary.LittleEndian.AppendUint64(data, r.Epoch)
	data = binary.LittleEndian.AppendUint64(data, r.Sum)
	data = append(data, r.Hash[:]...)
	return Instruction{Program: d.Program, Data: data, Accounts: []Meta{
		{Address: d.State, Writable: true},
		{Address: authority, Signer: true},
	}}, nil
}

// Claim returns the instruction that pays an entry what it is due. Nobody has to sign: money goes to the leaf's account only.
func (d Distributor) Claim(index uint32, e Entry, p Proof) (Instruction, error) {
	if len(p) > MaxDepth {
		return Instruction{}, fmt.Errorf("onchain: claim: a proof of %d hashes, want at most %d", len(p), MaxDepth)
	}
	holder, _ := VaultAuthority(d.Program, d.State)
	data := head(kindClaim, index)
	data = binary.LittleEndian.AppendUint64(data, e.Total)
	for _, h := range p {
		data = append(data, h[:]...)
	}
	return Instruction{Program: d.Program, Data: data, Accounts: []Meta{
		{Address: d.State, Writable: true},
		{Address: d.Ledger, Writable: true},
		{Address: d.Vault, Writable: true},
		{Address: e.Account, Writable: true},
		{Address: holder},
		{Address: TokenProgram()},
	}}, nil
}

// Pause returns the instruction that stops claims; authority or guardian signs.
func (d Distributor) Pause(by Address) Instruction {
	return Instruction{Program: d.Program, Data: head(kindPause, 0), Accounts: []Meta{
		{Address: d.State, Writable: true},
		{Address: by, Signer: true},
	}}
}

// Resume returns the instruction that lets claims go on; authority and guardian sign.
func (d Distributor) Resume(authority, guardian Address) Instruction {
	return Instruction{Program: d.Program, Data: head(kindResume, 0), Accounts: []Meta{
		{Address: d.State, Writable: true},
		{Address: authority, Signer: true},
		{Address: guardian, Signer: true},
	}}
}

// TokenProgram returns the address of the SPL Token program, the only one that the distributor calls.
func TokenProgram() Address {
	return Address{
		0x06, 0xdd, 0xf6, 0xe1, 0xd7, 0x65, 0xa1, 0x93, 0xd9, 0xcb, 0xe1, 0x46, 0xce, 0xeb, 0x79, 0xac,
		0x1c, 0xb4, 0x85, 0xed, 0x5f, 0x5b, 0x37, 0x91, 0x3a, 0x8c, 0xf5, 0x85, 0x7e, 0xff, 0x00, 0xa9,
	}
}

func head(kind, index uint32) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, kind), index)
}
