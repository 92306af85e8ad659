package spl

import (
	"fmt"

	"github.com/gagliardetto/solana-go"
)

// Meta is an account that an instruction names.
type Meta struct {
	Key      solana.PublicKey
	Signer   bool // it signs
	Writable bool // it may be changed
}

// Instruction is one call of a program.
type Instruction struct {
	Program  solana.PublicKey
	Accounts []Meta // at most 255
	Data     []byte // at most 65,535 bytes
}

// Message is a transaction of any instructions, which stand in it in their order.
type Message struct {
	Format       Format
	Payer        solana.PublicKey // pays the fee
	Blockhash    solana.Hash      // or the value of a nonce, which the first instruction then advances
	ComputeUnits uint32           // limit of compute units, at most 1,400,000; 0: the default, which version 1 does not have
	Loaded       uint32           // limit of the bytes of accounts loaded, at most 64 MiB; 0: as for ComputeUnits
	Heap         uint32           // bytes of heap of each program; 0: 32 KiB
	Priority     uint64           // lamports on top of the fee for signatures
	Instructions []Instruction
	Tables       []*Table // of version 0; the first that holds an address is used
}

// AppendMessage appends the message's transaction to dst, with signatures of zeros, for a [Keyring] to sign. In the older
// formats the instructions that ask for the budget follow those given. An error names the field that is beyond its limit,
// and then dst is returned as it was.
func (e *Encoder) AppendMessage(dst []byte, m *Message) ([]byte, error) {
	if m.Payer == (solana.PublicKey{}) {
		return dst, fmt.Errorf("spl: Message.Payer is zero")
	}
	e.reset(m.Payer)
	for i := range m.Instructions {
		in := &m.Instructions[i]
		e.begin(&in.Program)
		for j := range in.Accounts {
			a := &in.Accounts[j]
			role := uint8(0)
			if a.Signer {
				role |= roleSigns
			}
			if a.Writable {
				role |= roleWrites
			}
			e.account(&a.Key, role)
		}
		e.data = append(e.data, in.Data...)
		e.end()
	}
	if len(m.Tables) > 0 && m.Format != V0 {
		return dst, fmt.Errorf("spl: Message.Tables has %d tables, format %s knows none", len(m.Tables), m.Format)
	}
	return e.appendTx(dst, "Message", m.Format, &m.Blockhash, budget{m.ComputeUnits, m.Loaded, m.Heap, m.Priority}, m.Tables)
}

// Instruction returns the same call as solana-go's own type, for its other functions.
func (in Instruction) Instruction() solana.Instruction {
	metas := make(solana.AccountMetaSlice, len(in.Accounts))
	for i, a := range in.Accounts {
		metas[i] = solana.NewAccountMeta(a.Key, a.Writable, a.Signer)
	}
	return solana.NewInstruction(in.Program, metas, in.Data)
}

// FromSolana returns the call that an instruction of solana-go describes.
func FromSolana(in solana.Instruction) (Instruction, error) {
	data, err := in.Data()
	if err != nil {
		return Instruction{}, fmt.Errorf("spl: encode an instruction of program %q: %w", in.ProgramID(), err)
	}
	out := Instruction{Program: in.ProgramID(), Data: data}
	for _, a := range in.Accounts() {
		out.Accounts = append(out.Accounts, Meta{a.PublicKey, a.IsSigner, a.IsWritable})
	}
	return out, nil
}
