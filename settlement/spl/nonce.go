package spl

import (
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// NonceSize is the size of a nonce account, in bytes, by which the chain names its rent.
const NonceSize = 80

// Further instructions of the System program.
const (
	systemCreate         = 0
	systemWithdrawNonce  = 5
	systemInitNonce      = 6
	systemAuthorizeNonce = 7
)

// CreateNonce returns the two instructions that make a nonce account, whose new key signs with the payer. Its rent is what the
// chain asks for NonceSize bytes.
func CreateNonce(payer, account, authority solana.PublicKey, rent uint64) []Instruction {
	return []Instruction{
		createAccount(payer, account, solana.SystemProgramID, rent, NonceSize),
		{
			solana.SystemProgramID,
			[]Meta{{account, false, true}, {solana.SysVarRecentBlockHashesPubkey, false, false}, {solana.SysVarRentPubkey, false, false}},
			append(binary.LittleEndian.AppendUint32(nil, systemInitNonce), authority[:]...),
		},
	}
}

// Instruction returns the System program's call that uses the nonce's value up. It has to be a transaction's first one.
func (a Advance) Instruction() Instruction {
	return Instruction{
		solana.SystemProgramID,
		[]Meta{{a.Account, false, true}, {solana.SysVarRecentBlockHashesPubkey, false, false}, {a.Authority, true, false}},
		binary.LittleEndian.AppendUint32(nil, systemAdvanceNonce),
	}
}

// AuthorizeNonce returns the instruction that gives a nonce another authority.
func AuthorizeNonce(a Advance, next solana.PublicKey) Instruction {
	return Instruction{
		solana.SystemProgramID,
		[]Meta{{a.Account, false, true}, {a.Authority, true, false}},
		append(binary.LittleEndian.AppendUint32(nil, systemAuthorizeNonce), next[:]...),
	}
}

// WithdrawNonce returns the instruction that takes lamports out of a nonce account: all of them, which ends it, or what it holds
// above its rent.
func WithdrawNonce(a Advance, to solana.PublicKey, lamports uint64) Instruction {
	return Instruction{
		solana.SystemProgramID,
		[]Meta{
			{a.Account, false, true},
			{to, false, true},
			{solana.SysVarRecentBlockHashesPubkey, false, false},
			{solana.SysVarRentPubkey, false, false},
			{a.Authority, true, false},
		},
		binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, systemWithdrawNonce), lamports),
	}
}

// ReadNonce reads the account of a nonce: its owner and data. It returns who may advance it, and its value.
func ReadNonce(owner solana.PublicKey, data []byte) (authority solana.PublicKey, value solana.Hash, err error) {
	// Version u32 (1: the only one that advances), state u32 (1: initialised), authority, value, fee of a signature u64.
	if owner != solana.SystemProgramID || len(data) != NonceSize || binary.LittleEndian.Uint32(data) != 1 || binary.LittleEndian.Uint32(data[4:]) != 1 {
		return authority, value, fmt.Errorf("spl: no nonce account: %d bytes of %q", len(data), owner)
	}
	return solana.PublicKeyFromBytes(data[8:40]), solana.HashFromBytes(data[40:72]), nil
}

// NonceLane hands the value of one nonce out to one attempt at a time. An attempt on a nonce does not expire: it is dead when the
// nonce's final value is another one and the attempt has not landed. Until then the lane is taken. It is not safe for concurrent use.
type NonceLane struct {
	at    Advance
	value solana.Hash
	taken bool
}

// NewNonceLane returns a lane over a nonce whose final value is given. The lane is free: if an attempt on this value is open, the
// caller says so by Take.
func NewNonceLane(at Advance, value solana.Hash) *NonceLane { return &NonceLane{at: at, value: value} }

// Take returns what the next attempt uses, and takes the lane. It wraps settlement.ErrLater while an earlier attempt has it.
func (l *NonceLane) Take() (Advance, solana.Hash, error) {
	if l.taken {
		return Advance{}, solana.Hash{}, fmt.Errorf("%w: nonce %q is used by an attempt that may still land", settlement.ErrLater, l.at.Account)
	}
	l.taken = true
	return l.at, l.value, nil
}

// Seen tells the lane the nonce's value in a final block. It frees the lane, and returns true, if that is another one: the attempt
// on the old value has landed, or it never will.
func (l *NonceLane) Seen(value solana.Hash) bool {
	if value == l.value {
		return false
	}
	l.value, l.taken = value, false
	return true
}

// Nonce returns the account and the value as the core writes them down.
func (l *NonceLane) Nonce() settlement.Nonce {
	return settlement.Nonce{Account: settlement.Account(l.at.Account.String()), Value: l.value.String()}
}

// createAccount is System CreateAccount. The new account's key signs.
func createAccount(payer, account, owner solana.PublicKey, rent, size uint64) Instruction {
	d := binary.LittleEndian.AppendUint32(nil, systemCreate)
	d = binary.LittleEndian.AppendUint64(d, rent)
	d = binary.LittleEndian.AppendUint64(d, size)
	return Instruction{solana.SystemProgramID, []Meta{{payer, true, true}, {account, true, true}}, append(d, owner[:]...)}
}
