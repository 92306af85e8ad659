package spl

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"
)

// SquadsProgram is the address of Squads v4 on the public clusters.
const SquadsProgram = "SQDS4ep65T869zMMBKyuUq6aD6EgTu8psMjkvj52pCf"

// Squads makes the instructions of a Squads v4 multisig: propose what a vault is to do, approve it, execute it, and use a spending
// limit. A proposal that was executed cannot be executed again, so that the index of a transaction does a marker's work. The
// layouts are those of the program's source, github.com/Squads-Protocol/v4; no binary of it was at hand, so that none of these
// instructions was ever executed here. Try them on a test cluster first.
type Squads struct {
	Program  solana.PublicKey // SquadsProgram, or another deployment of it
	Multisig solana.PublicKey // account of the multisig
}

// Vault returns the address that holds the funds of a vault, which is the owner of its token accounts.
func (s Squads) Vault(index uint8) (solana.PublicKey, error) {
	return s.derive([]byte("vault"), []byte{index})
}

// Transaction returns the address of what was proposed under an index, counted from 1.
func (s Squads) Transaction(index uint64) (solana.PublicKey, error) {
	return s.derive([]byte("transaction"), binary.LittleEndian.AppendUint64(nil, index))
}

// Proposal returns the address where the votes about a transaction are.
func (s Squads) Proposal(index uint64) (solana.PublicKey, error) {
	return s.derive([]byte("transaction"), binary.LittleEndian.AppendUint64(nil, index), []byte("proposal"))
}

// SpendingLimit returns the address of the spending limit that was made with a key.
func (s Squads) SpendingLimit(createKey solana.PublicKey) (solana.PublicKey, error) {
	return s.derive([]byte("spending_limit"), createKey[:])
}

func (s Squads) derive(parts ...[]byte) (solana.PublicKey, error) {
	at, _, err := solana.FindProgramAddress(append([][]byte{[]byte("multisig"), s.Multisig[:]}, parts...), s.Program)
	if err != nil {
		return at, fmt.Errorf("spl: find an address of multisig %q: %w", s.Multisig, err)
	}
	return at, nil
}

// Propose returns the instructions that write down what a vault is to do under the next index, and open the vote about it. The
// creator, a member, and the payer of the rent sign. The vault signs by the program when it is executed: it has to be marked
// as signer in what it is to do, and nobody else may be.
func (s Squads) Propose(index uint64, vault uint8, creator, payer solana.PublicKey, what []Instruction) ([]Instruction, error) {
	message, _, err := s.message(vault, what)
	if err != nil {
		return nil, err
	}
	transaction, err := s.Transaction(index)
	if err != nil {
		return nil, err
	}
	proposal, err := s.Proposal(index)
	if err != nil {
		return nil, err
	}
	create := append(anchor("vault_transaction_create"), vault, 0) // no further signers
	create = binary.LittleEndian.AppendUint32(create, uint32(len(message)))
	create = append(append(create, message...), 0) // no memo
	open := binary.LittleEndian.AppendUint64(anchor("proposal_create"), index)
	open = append(open, 0) // no draft: open for votes
	return []Instruction{
		{s.Program, []Meta{
			{s.Multisig, false, true}, {transaction, false, true}, {creator, true, false}, {payer, true, true}, {solana.SystemProgramID, false, false},
		}, create},
		{s.Program, []Meta{
			{s.Multisig, false, false}, {proposal, false, true}, {creator, true, false}, {payer, true, true}, {solana.SystemProgramID, false, false},
		}, open},
	}, nil
}

// Approve returns the instruction by which a member votes for a transaction.
func (s Squads) Approve(index uint64, member solana.PublicKey) (Instruction, error) {
	proposal, err := s.Proposal(index)
	if err != nil {
		return Instruction{}, err
	}
	return Instruction{s.Program, []Meta{
		{s.Multisig, false, false}, {member, true, true}, {proposal, false, true},
	}, append(anchor("proposal_approve"), 0)}, nil // no memo
}

// Execute returns the instruction that does what was proposed, once it has the votes and its time lock is over. What has to be said
// again, to the letter; the program compares.
func (s Squads) Execute(index uint64, vault uint8, member solana.PublicKey, what []Instruction) (Instruction, error) {
	_, metas, err := s.message(vault, what)
	if err != nil {
		return Instruction{}, err
	}
	transaction, err := s.Transaction(index)
	if err != nil {
		return Instruction{}, err
	}
	proposal, err := s.Proposal(index)
	if err != nil {
		return Instruction{}, err
	}
	return Instruction{s.Program, append([]Meta{
		{s.Multisig, false, false}, {proposal, false, true}, {transaction, false, false}, {member, true, false},
	}, metas...), anchor("vault_transaction_execute")}, nil
}

// Spend is the use of a spending limit: it needs no vote.
type Spend struct {
	Limit       solana.PublicKey // its address
	Vault       uint8            // the limit's
	Member      solana.PublicKey // one of the limit's; signs
	Program     solana.PublicKey // SPL Token or Token-2022
	Mint        solana.PublicKey // the limit's
	Decimals    uint8            // of Mint
	Source      solana.PublicKey // token account of the vault
	Destination solana.PublicKey // owner who gets the units
	To          solana.PublicKey // its token account
	Units       uint64           // base units, more than 0
}

// Spend returns the instruction that uses a spending limit for a token.
func (s Squads) Spend(x Spend) (Instruction, error) {
	vault, err := s.Vault(x.Vault)
	if err != nil {
		return Instruction{}, err
	}
	if x.Units == 0 {
		return Instruction{}, fmt.Errorf("spl: Spend.Units is 0")
	}
	d := binary.LittleEndian.AppendUint64(anchor("spending_limit_use"), x.Units)
	d = append(d, x.Decimals, 0) // no memo
	return Instruction{s.Program, []Meta{
		// Versions of the program differ in whether the multisig is written; to say so to one that does not is no harm.
		{s.Multisig, false, true},
		{x.Member, true, false},
		{x.Limit, false, true},
		{vault, false, true},
		{x.Destination, false, true},
		{s.Program, false, false}, // the System program, which is left out: the program's own address says so
		{x.Mint, false, false},
		{x.Source, false, true},
		{x.To, false, true},
		{x.Program, false, false},
	}, d}, nil
}

// anchor returns the first eight bytes of an Anchor program's instruction: they are a hash of its name.
func anchor(name string) []byte {
	h := sha256.Sum256([]byte("global:" + name))
	return h[:8:8]
}

// message writes instructions down as the program stores them: the three counts of signers, signers that are written and others that
// are written, then addresses, instructions and lookups, each with its number in one byte, data with its length in two. It
// returns the accounts as Execute has to name them, too.
func (s Squads) message(vault uint8, what []Instruction) ([]byte, []Meta, error) {
	owner, err := s.Vault(vault)
	if err != nil {
		return nil, nil, err
	}
	var keys []Meta
	index := func(m Meta) int {
		for i := range keys {
			if keys[i].Key == m.Key {
				keys[i].Signer = keys[i].Signer || m.Signer
				keys[i].Writable = keys[i].Writable || m.Writable
				return i
			}
		}
		keys = append(keys, m)
		return len(keys) - 1
	}
	for i, in := range what {
		index(Meta{Key: in.Program})
		for _, a := range in.Accounts {
			index(a)
			if a.Signer && a.Key != owner {
				return nil, nil, fmt.Errorf("spl: instruction %d wants the signature of %q, the vault %q alone can give its own", i, a.Key, owner)
			}
		}
		if len(in.Data) > 65535 || len(in.Accounts) > 255 {
			return nil, nil, fmt.Errorf("spl: instruction %d has %d accounts and %d bytes of data, want at most 255 and 65535",
				i, len(in.Accounts), len(in.Data))
		}
	}
	if len(what) == 0 || len(what) > 255 || len(keys) > 255 {
		return nil, nil, fmt.Errorf("spl: %d instructions of %d addresses, want 1 to 255 of each", len(what), len(keys))
	}
	sorted := make([]Meta, 0, len(keys))
	var counts [4]uint8
	for class, want := range []Meta{{Signer: true, Writable: true}, {Signer: true}, {Writable: true}, {}} {
		for _, k := range keys {
			if k.Signer == want.Signer && k.Writable == want.Writable {
				sorted = append(sorted, k)
				counts[class]++
			}
		}
	}
	keys = sorted
	out := []byte{counts[0] + counts[1], counts[0], counts[2], uint8(len(keys))}
	for _, k := range keys {
		out = append(out, k.Key[:]...)
	}
	out = append(out, uint8(len(what)))
	for _, in := range what {
		out = append(out, uint8(index(Meta{Key: in.Program})), uint8(len(in.Accounts)))
		for _, a := range in.Accounts {
			out = append(out, uint8(index(a)))
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(len(in.Data)))
		out = append(out, in.Data...)
	}
	named := make([]Meta, len(keys))
	for i, k := range keys {
		named[i] = Meta{Key: k.Key, Writable: k.Writable} // the vault signs inside
	}
	return append(out, 0), named, nil
}
