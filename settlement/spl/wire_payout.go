package spl

import (
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"
)

// Transfer is one line of a payout.
type Transfer struct {
	To    solana.PublicKey // token account; zero if the payout burns
	Units uint64           // base units, more than 0
}

// Mark is the account that at most one attempt of a batch can create: its address is derived from payer, seed and the System
// program.
type Mark struct {
	Address  solana.PublicKey
	Seed     string // UTF-8, at most 32 bytes
	Lamports uint64 // its rent
}

// Advance is the use of a nonce account in place of a blockhash.
type Advance struct {
	Account   solana.PublicKey
	Authority solana.PublicKey // signs
}

// Payout is a transaction that moves units of one mint from one token account to many, or burns them. Its instructions are, in
// this order: the nonce's advance, the marker, the memo, and one a line, or one for all of them if Batch.
type Payout struct {
	Format   Format
	Payer    solana.PublicKey   // pays the fee and the marker
	Owner    solana.PublicKey   // of Source, or its delegate; signs, unless it is a multisig
	Members  []solana.PublicKey // who signs for Owner, if that is a multisig of the token program: at most 11
	Source   solana.PublicKey   // token account that the units leave
	Program  solana.PublicKey   // SPL Token or Token-2022
	Mint     solana.PublicKey   // of Source; used if Checked or Burn
	Decimals uint8              // of Mint; used if Checked or Burn
	Checked  bool               // TransferChecked instead of Transfer: names the mint, which Token-2022 wants for some
	Burn     bool               // BurnChecked instead of a transfer
	Batch    bool               // all lines in one instruction, which SPL Token alone knows (p-token, SIMD-0266)
	Nonce    Advance            // zero: Blockhash is one
	Marker   Mark               // zero: none
	Memo     string             // UTF-8; empty: none

	Blockhash    solana.Hash // or the value of Nonce
	ComputeUnits uint32      // limit of compute units; see Message
	Loaded       uint32      // limit of the bytes of accounts loaded; see Message
	Priority     uint64      // lamports on top of the fee for signatures
	Lines        []Transfer  // without any, the payout seals: it makes the marker and nothing else
	Table        *Table      // of version 0; nil: none
}

// First bytes of the token programs' and the System program's instructions.
const (
	tokenTransfer        = 3
	tokenBurn            = 8
	tokenTransferChecked = 12
	tokenBurnChecked     = 15
	tokenBatch           = 255

	systemCreateWithSeed = 3
	systemAdvanceNonce   = 4

	systemTransferWithSeed = 11

	maxSeed    = 32
	maxMembers = 11
)

// FirstLine returns the index of the instruction that carries the first line.
func (p *Payout) FirstLine() int {
	n := p.MarkerIndex()
	if p.Marker.Address != (solana.PublicKey{}) {
		n++
	}
	if p.Memo != "" {
		n++
	}
	return n
}

// MarkerIndex returns the index of the instruction that makes the marker, if there is one.
func (p *Payout) MarkerIndex() int {
	if p.Nonce.Account != (solana.PublicKey{}) {
		return 1
	}
	return 0
}

// AppendPayout appends the payout's transaction to dst, with signatures of zeros, for a [Keyring] to sign. An error names the
// field that is wrong or beyond its limit, and then dst is returned as it was. It allocates nothing if dst has the room.
func (e *Encoder) AppendPayout(dst []byte, p *Payout) ([]byte, error) {
	if err := p.check(); err != nil {
		return dst, err
	}
	e.reset(p.Payer)
	if p.Nonce.Account != (solana.PublicKey{}) {
		e.begin(&solana.SystemProgramID)
		e.account(&p.Nonce.Account, roleWrites)
		e.account(&solana.SysVarRecentBlockHashesPubkey, 0)
		e.account(&p.Nonce.Authority, roleSigns)
		e.data = binary.LittleEndian.AppendUint32(e.data, systemAdvanceNonce)
		e.end()
	}
	if p.Marker.Address != (solana.PublicKey{}) {
		e.marker(&p.Payer, &p.Marker)
	}
	if p.Memo != "" {
		e.begin(&solana.MemoProgramID)
		e.data = append(e.data, p.Memo...)
		e.end()
	}
	if len(p.Lines) > 0 {
		e.lines(p)
	}
	var one [1]*Table
	tables := one[:0]
	if p.Table != nil {
		tables = append(tables, p.Table)
	}
	return e.appendTx(dst, "Payout", p.Format, &p.Blockhash, budget{p.ComputeUnits, p.Loaded, 0, p.Priority}, tables)
}

// check says which field is wrong.
func (p *Payout) check() error {
	var none solana.PublicKey
	switch {
	case p.Payer == none:
		return fmt.Errorf("spl: Payout.Payer is zero")
	case len(p.Lines) == 0 && p.Marker.Address == none:
		return fmt.Errorf("spl: Payout.Lines is empty, and there is no Marker to make")
	case len(p.Marker.Seed) > maxSeed:
		return fmt.Errorf("spl: Payout.Marker.Seed has %d bytes, want at most %d", len(p.Marker.Seed), maxSeed)
	case p.Marker.Address != none && p.Marker.Lamports == 0:
		return fmt.Errorf("spl: Payout.Marker.Lamports is 0: an account without lamports does not stay")
	case p.Nonce.Account != none && p.Nonce.Authority == none:
		return fmt.Errorf("spl: Payout.Nonce.Authority is zero")
	case p.Table != nil && p.Format != V0:
		return fmt.Errorf("spl: Payout.Table is given, format %s knows none", p.Format)
	case len(p.Members) > maxMembers:
		return fmt.Errorf("spl: Payout.Members are %d, want at most %d", len(p.Members), maxMembers)
	case len(p.Lines) == 0:
		return nil
	case p.Source == none || p.Owner == none:
		return fmt.Errorf("spl: Payout.Source or Owner is zero")
	case p.Program != solana.TokenProgramID && p.Program != solana.Token2022ProgramID:
		return fmt.Errorf("spl: Payout.Program is %q, want SPL Token or Token-2022", p.Program)
	case (p.Checked || p.Burn) && p.Mint == none:
		return fmt.Errorf("spl: Payout.Mint is zero")
	case p.Batch && p.Program != solana.TokenProgramID:
		return fmt.Errorf("spl: Payout.Batch is set, which Token-2022 does not know")
	}
	for i := range p.Lines {
		switch l := &p.Lines[i]; {
		case l.Units == 0:
			return fmt.Errorf("spl: Payout.Lines[%d].Units is 0", i)
		case p.Burn != (l.To == none):
			return fmt.Errorf("spl: Payout.Lines[%d].To is %q and Payout.Burn is %t", i, l.To, p.Burn)
		case l.To == p.Source:
			return fmt.Errorf("spl: Payout.Lines[%d].To is Source: nothing would move", i)
		}
	}
	return nil
}

// marker is System CreateAccountWithSeed: base is the payer, who needs no second mention, the owner is the System program,
// and there is no data. It fails with Custom(0) when the account exists.
func (e *Encoder) marker(payer *solana.PublicKey, m *Mark) {
	e.begin(&solana.SystemProgramID)
	e.account(payer, roleSigns|roleWrites)
	e.account(&m.Address, roleWrites)
	e.data = appendMark(e.data, payer, m)
	e.end()
}

func appendMark(out []byte, payer *solana.PublicKey, m *Mark) []byte {
	out = binary.LittleEndian.AppendUint32(out, systemCreateWithSeed)
	out = append(out, payer[:]...)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(m.Seed)))
	out = append(out, m.Seed...)
	out = binary.LittleEndian.AppendUint64(out, m.Lamports)
	out = binary.LittleEndian.AppendUint64(out, 0)
	return append(out, solana.SystemProgramID[:]...)
}

// Instruction returns the System program's call that makes the marker.
func (m Mark) Instruction(payer solana.PublicKey) Instruction {
	return Instruction{
		Program:  solana.SystemProgramID,
		Accounts: []Meta{{payer, true, true}, {m.Address, false, true}},
		Data:     appendMark(nil, &payer, &m),
	}
}

// lines writes one instruction for each line, or one batch instruction: the number of accounts and of bytes of each line's
// call stand before its bytes, and its accounts among those of the batch.
func (e *Encoder) lines(p *Payout) {
	owner := roleSigns
	if len(p.Members) > 0 {
		owner = 0
	}
	named, size := 3+len(p.Members), 9
	if p.Checked && !p.Burn {
		named++
	}
	if p.Checked || p.Burn {
		size++
	}
	if p.Batch {
		e.begin(&p.Program)
		e.data = append(e.data, tokenBatch)
	}
	for i := range p.Lines {
		if p.Batch {
			e.data = append(e.data, uint8(named), uint8(size))
		} else {
			e.begin(&p.Program)
		}
		e.account(&p.Source, roleWrites)
		tag := byte(tokenTransfer)
		switch {
		case p.Burn:
			tag = tokenBurnChecked
			e.account(&p.Mint, roleWrites)
		case p.Checked:
			tag = tokenTransferChecked
			e.account(&p.Mint, 0)
			e.account(&p.Lines[i].To, roleWrites)
		default:
			e.account(&p.Lines[i].To, roleWrites)
		}
		e.account(&p.Owner, owner)
		for j := range p.Members {
			e.account(&p.Members[j], roleSigns)
		}
		e.data = append(e.data, tag)
		e.data = binary.LittleEndian.AppendUint64(e.data, p.Lines[i].Units)
		if p.Checked || p.Burn {
			e.data = append(e.data, p.Decimals)
		}
		if !p.Batch {
			e.end()
		}
	}
	if p.Batch {
		e.end()
	}
}
