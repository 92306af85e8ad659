package spl

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	swapHead   = 5    // our instructions before the venue's
	swapTail   = 3    // and after them, at least
	minReserve = 1000 // compute units above what the simulation took, besides a tenth

	systemPay          = 2 // Transfer
	systemAllocateSeed = 9
)

// freshSeed is the seed of the account of the proceeds. It follows from the marker's, which nobody can guess.
func freshSeed(m marker) string {
	h := sha256.Sum256([]byte("idlegrid/settlement/spl/proceeds/v1 " + m.seed))
	return hex.EncodeToString(h[:16])
}

// compose puts our instructions around the venue's.
func (v *Converter) compose(ctx context.Context, s *swap, mark marker, middle []Instruction) ([]Instruction, error) {
	var err error
	if s.markerRent, err = v.rpc.rent(ctx, 0); err != nil {
		return nil, err
	}
	if s.freshRent, err = v.rpc.rent(ctx, holdingSize); err != nil {
		return nil, err
	}
	out := make([]Instruction, 0, swapHead+len(middle)+swapTail+1)
	out = append(out, Mark{Address: mark.at, Seed: mark.seed, Lamports: s.markerRent}.Instruction(s.payer), s.fund(), s.allocate(), s.initialize(),
		transferChecked(s.source, s.inMint, s.source, s.wallet, s.line.Units, s.line.Asset.Decimals))
	out = append(out, middle...)
	if s.spare > 0 { // what must still be there: the venue took the lot and no more
		out = append(out, transferChecked(s.source, s.inMint, s.source, s.wallet, s.spare, s.line.Asset.Decimals))
	}
	return append(out, s.revoke(s.source), s.revoke(s.fresh), s.assert()), nil
}

// fund pays the fresh account's rent. A plain transfer, because CreateAccountWithSeed fails where a stranger was first to send
// lamports; AllocateWithSeed does not mind.
func (s *swap) fund() Instruction {
	d := binary.LittleEndian.AppendUint32(nil, systemPay)
	d = binary.LittleEndian.AppendUint64(d, s.freshRent)
	return Instruction{Program: solana.SystemProgramID, Accounts: []Meta{{s.payer, true, true}, {s.fresh, false, true}}, Data: d}
}

func (s *swap) allocate() Instruction {
	d := binary.LittleEndian.AppendUint32(nil, systemAllocateSeed)
	d = append(d, s.payer[:]...)
	d = binary.LittleEndian.AppendUint64(d, uint64(len(s.seed)))
	d = append(d, s.seed...)
	d = binary.LittleEndian.AppendUint64(d, holdingSize)
	d = append(d, solana.TokenProgramID[:]...)
	return Instruction{Program: solana.SystemProgramID, Accounts: []Meta{{s.fresh, false, true}, {s.payer, true, false}}, Data: d}
}

func (s *swap) initialize() Instruction {
	d := append([]byte{tokenInitialize3}, s.wallet[:]...)
	return Instruction{Program: solana.TokenProgramID, Accounts: []Meta{{s.fresh, false, true}, {s.outMint, false, false}}, Data: d}
}

// revoke ends what right to spend the venue may have given away over an account of the wallet. Only the owner can, so that it
// also fails if the venue gave the account away.
func (s *swap) revoke(at solana.PublicKey) Instruction {
	return Instruction{
		Program:  solana.TokenProgramID,
		Accounts: []Meta{{at, false, true}, {s.wallet, true, false}},
		Data:     []byte{tokenRevoke},
	}
}

// assert takes Least out of the fresh account: it fails, and all with it, if the swap got less.
func (s *swap) assert() Instruction {
	if s.line.To != "" {
		return transferChecked(s.fresh, s.outMint, s.to, s.wallet, s.line.Least, s.line.Into.Decimals)
	}
	d := binary.LittleEndian.AppendUint64([]byte{tokenBurnChecked}, s.line.Least)
	return Instruction{Program: solana.TokenProgramID, Accounts: []Meta{{s.fresh, false, true}, {s.outMint, false, true}, {s.wallet, true, false}}, Data: append(d, s.line.Into.Decimals)}
}

func transferChecked(from, mint, to, owner solana.PublicKey, units uint64, decimals uint8) Instruction {
	d := binary.LittleEndian.AppendUint64([]byte{tokenTransferChecked}, units)
	return Instruction{Program: solana.TokenProgramID, Accounts: []Meta{{from, false, true}, {mint, false, false}, {to, false, true}, {owner, true, false}}, Data: append(d, decimals)}
}

// simulateAndSign simulates twice: once to learn what the message takes, once the exact message that is then signed.
func (v *Converter) simulateAndSign(ctx context.Context, s *swap, instructions []Instruction) (settlement.Tx, error) {
	hash, err := v.rpc.blockhash(ctx, confirmed)
	if err != nil {
		return settlement.Tx{}, err
	}
	raw, err := v.encode(s, instructions, hash, maxUnits)
	if err != nil {
		return settlement.Tx{}, err
	}
	used, err := v.simulate(ctx, s, raw, hash.clock.slot)
	if err != nil {
		return settlement.Tx{}, err
	}
	if raw, err = v.encode(s, instructions, hash, uint32(min(tenthMore(used)+minReserve, maxUnits))); err != nil {
		return settlement.Tx{}, err
	}
	if _, err := v.simulate(ctx, s, raw, hash.clock.slot); err != nil {
		return settlement.Tx{}, err
	}
	return v.sign(ctx, raw, hash)
}

// encode makes the unsigned transaction and checks it. Version 1 has no lookup tables: every address that is used is in what
// is signed, and nobody can change one later.
func (v *Converter) encode(s *swap, instructions []Instruction, hash blockhash, units uint32) ([]byte, error) {
	if n := addresses(s.payer, instructions); n > maxAddresses {
		return nil, guardf(GuardMessage, "it needs %d addresses, a transaction has %d: ask the venue for fewer", n, maxAddresses)
	}
	var e Encoder
	raw, err := e.AppendMessage(nil, &Message{
		Format: V1, Payer: s.payer, Blockhash: hash.hash, ComputeUnits: units, Loaded: maxLoaded,
		Priority: v.Chain.config.PriorityFee, Instructions: instructions,
	})
	if err != nil {
		return nil, &GuardError{GuardMessage, err.Error()}
	}
	tx, err := solana.TransactionFromBytes(raw)
	if err != nil {
		return nil, guardf(GuardMessage, "it does not decode: %s", err)
	}
	s.fee = signatureFee*uint64(tx.Message.Header.NumRequiredSignatures) + v.Chain.config.PriorityFee
	return raw, s.checkMessage(tx, instructions)
}

// addresses counts the distinct addresses of a transaction.
func addresses(payer solana.PublicKey, instructions []Instruction) int {
	seen := map[solana.PublicKey]bool{payer: true}
	for _, ix := range instructions {
		seen[ix.Program] = true
		for _, a := range ix.Accounts {
			seen[a.Key] = true
		}
	}
	return len(seen)
}

// simulated is what simulateTransaction answers.
type simulated struct {
	Err           json.RawMessage
	UnitsConsumed *uint64
	Accounts      []*account
}

// simulate executes the message without signatures and judges what it does to accounts of ours. It returns the units used.
func (v *Converter) simulate(ctx context.Context, s *swap, raw []byte, slot uint64) (units uint64, err error) {
	tx, err := solana.TransactionFromBytes(raw)
	if err != nil {
		return 0, fmt.Errorf("spl: decode the swap of batch %s: %w", s.batch.ID, err)
	}
	keys, err := tx.Message.Writable()
	if err != nil {
		return 0, fmt.Errorf("spl: list what the swap of batch %s may write: %w", s.batch.ID, err)
	}
	before, at, err := v.accounts(ctx, confirmed, keys, slot, true)
	if err != nil {
		return 0, err
	}
	var r inContext[*simulated]
	err = v.rpc.read(ctx, "simulateTransaction", map[string]any{
		"encoding": "base64", "commitment": confirmed, "sigVerify": false, "replaceRecentBlockhash": false,
		"accounts": map[string]any{"encoding": "base64", "addresses": keys},
	}, at, &r, base64.StdEncoding.EncodeToString(raw))
	switch {
	case err != nil:
		return 0, fmt.Errorf("spl: simulate the swap of batch %s: %w", s.batch.ID, err)
	case r.Value == nil || r.Context.Slot < at:
		return 0, guardf(GuardSimulation, "the endpoint left its outcome out, or simulated at slot %d, before slot %d", r.Context.Slot, at)
	case len(r.Value.Err) > 0 && string(r.Value.Err) != "null":
		return 0, guardf(GuardSimulation, "it fails: %.*s", maxMessage, r.Value.Err)
	case len(r.Value.Accounts) != len(keys) || r.Value.UnitsConsumed == nil:
		return 0, guardf(GuardSimulation, "the endpoint told %d accounts of %d, or not what it takes", len(r.Value.Accounts), len(keys))
	}
	return *r.Value.UnitsConsumed, s.checkEffects(keys, before, r.Value.Accounts)
}
