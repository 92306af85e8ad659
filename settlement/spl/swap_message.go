package spl

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	simulatedUnits  = 1_400_000 // the most a transaction may ask for: SIMD-0170
	simulatedLoaded = 64 << 20  // bytes, the most a transaction may load
	signatureFee    = 5000      // lamports
	reserveDivisor  = 10        // a tenth above what the simulation took
	minReserve      = 1000      // units
	swapHead        = 5         // our instructions before the venue's
	swapTail        = 2         // and after them
	tagRevoke       = 5         // SPL Token: end a delegate's right
	sysTransfer     = 2         // System: Transfer
	sysAllocateSeed = 9         // System: AllocateWithSeed
)

// freshSeed is the seed of the account of the proceeds. It follows from the marker's, which nobody can guess.
func freshSeed(m marker) string {
	h := sha256.Sum256([]byte("idlegrid/settlement/spl/proceeds/v1 " + m.seed))
	return hex.EncodeToString(h[:16])
}

// compose puts our instructions around the venue's.
func (v *Converter) compose(ctx context.Context, s *swap, mark marker, middle []solana.Instruction) ([]solana.Instruction, error) {
	var err error
	if s.markerRent, err = v.rpc.GetMinimumBalanceForRentExemption(ctx, 0, rpc.CommitmentConfirmed); err != nil {
		return nil, fmt.Errorf("spl: ask for the rent of a marker: %w", err)
	}
	if s.freshRent, err = v.rpc.GetMinimumBalanceForRentExemption(ctx, holdingSize, rpc.CommitmentConfirmed); err != nil {
		return nil, fmt.Errorf("spl: ask for the rent of a token account: %w", err)
	}
	out := make([]solana.Instruction, 0, swapHead+len(middle)+swapTail)
	out = append(out, mark.create(s.payer, s.markerRent), s.fund(), s.allocate(), s.initialize(),
		transferChecked(s.source, s.inMint, s.source, s.wallet, s.line.Units, s.line.Asset.Decimals))
	out = append(out, middle...)
	return append(out, s.revoke(), s.assert()), nil
}

// fund pays the fresh account's rent. A plain transfer, because CreateAccountWithSeed fails where a stranger was first to send
// lamports; AllocateWithSeed does not mind.
func (s *swap) fund() solana.Instruction {
	d := binary.LittleEndian.AppendUint32(nil, sysTransfer)
	d = binary.LittleEndian.AppendUint64(d, s.freshRent)
	return solana.NewInstruction(solana.SystemProgramID, solana.AccountMetaSlice{
		solana.Meta(s.payer).WRITE().SIGNER(), solana.Meta(s.fresh).WRITE(),
	}, d)
}

func (s *swap) allocate() solana.Instruction {
	d := binary.LittleEndian.AppendUint32(nil, sysAllocateSeed)
	d = append(d, s.payer[:]...)
	d = binary.LittleEndian.AppendUint64(d, uint64(len(s.seed)))
	d = append(d, s.seed...)
	d = binary.LittleEndian.AppendUint64(d, holdingSize)
	d = append(d, solana.TokenProgramID[:]...)
	return solana.NewInstruction(solana.SystemProgramID, solana.AccountMetaSlice{
		solana.Meta(s.fresh).WRITE(), solana.Meta(s.payer).SIGNER(),
	}, d)
}

func (s *swap) initialize() solana.Instruction {
	d := append([]byte{tagInitialize3}, s.wallet[:]...)
	return solana.NewInstruction(solana.TokenProgramID, solana.AccountMetaSlice{
		solana.Meta(s.fresh).WRITE(), solana.Meta(s.outMint),
	}, d)
}

// revoke ends what right to spend the venue may have given away over the wallet's account. Only the owner can, so that it
// also fails if the venue gave the account away.
func (s *swap) revoke() solana.Instruction {
	return solana.NewInstruction(solana.TokenProgramID, solana.AccountMetaSlice{
		solana.Meta(s.source).WRITE(), solana.Meta(s.wallet).SIGNER(),
	}, []byte{tagRevoke})
}

// assert takes Least out of the fresh account: it fails, and all with it, if the swap got less.
func (s *swap) assert() solana.Instruction {
	if s.line.To != "" {
		return transferChecked(s.fresh, s.outMint, s.to, s.wallet, s.line.Least, s.line.Into.Decimals)
	}
	d := binary.LittleEndian.AppendUint64([]byte{tagBurnChecked}, s.line.Least)
	return solana.NewInstruction(solana.TokenProgramID, solana.AccountMetaSlice{
		solana.Meta(s.fresh).WRITE(), solana.Meta(s.outMint).WRITE(), solana.Meta(s.wallet).SIGNER(),
	}, append(d, s.line.Into.Decimals))
}

func transferChecked(from, mint, to, owner solana.PublicKey, units uint64, decimals uint8) solana.Instruction {
	d := binary.LittleEndian.AppendUint64([]byte{tagTransferChecked}, units)
	return solana.NewInstruction(solana.TokenProgramID, solana.AccountMetaSlice{
		solana.Meta(from).WRITE(), solana.Meta(mint), solana.Meta(to).WRITE(), solana.Meta(owner).SIGNER(),
	}, append(d, decimals))
}

// simulateAndSign simulates twice: once to learn what the message takes, once the exact message that is then signed.
func (v *Converter) simulateAndSign(ctx context.Context, s *swap, instructions []solana.Instruction) (settlement.Tx, error) {
	latest, err := v.rpc.GetLatestBlockhash(ctx, rpc.CommitmentConfirmed)
	if err != nil {
		return settlement.Tx{}, fmt.Errorf("spl: ask for a blockhash: %w", err)
	}
	tx, err := v.message(s, instructions, latest.Value.Blockhash, simulatedUnits)
	if err != nil {
		return settlement.Tx{}, err
	}
	used, err := v.simulate(ctx, s, tx)
	if err != nil {
		return settlement.Tx{}, err
	}
	limit := min(used+used/reserveDivisor+minReserve, simulatedUnits)
	if tx, err = v.message(s, instructions, latest.Value.Blockhash, uint32(limit)); err != nil {
		return settlement.Tx{}, err
	}
	if _, err := v.simulate(ctx, s, tx); err != nil {
		return settlement.Tx{}, err
	}
	if err := v.signMessage(ctx, tx); err != nil {
		return settlement.Tx{}, err
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return settlement.Tx{}, fmt.Errorf("spl: encode: %w", err)
	}
	return settlement.Tx{ID: tx.Signatures[0].String(), Raw: raw, LastValid: latest.Value.LastValidBlockHeight}, nil
}

// message compiles the unsigned transaction and checks it. Version 1 has no lookup tables: every address that is used is in
// what is signed, and nobody can change one later.
func (v *Converter) message(s *swap, instructions []solana.Instruction, hash solana.Hash, units uint32) (*solana.Transaction, error) {
	if n := addresses(s.payer, instructions); n > solana.MaxAddressesV1 {
		return nil, guardf(GuardMessage, "it needs %d addresses, a transaction has %d: ask the venue for fewer", n, solana.MaxAddressesV1)
	}
	config := solana.TransactionConfig{}.WithComputeUnitLimit(units).WithLoadedAccountsDataSizeLimit(simulatedLoaded)
	if v.priority > 0 {
		config = config.WithPriorityFee(v.priority)
	}
	tx, err := solana.NewTransaction(instructions, hash, solana.TransactionPayer(s.payer), solana.TransactionV1Config(config))
	if err != nil {
		return nil, fmt.Errorf("spl: build the swap of batch %s: %w", s.batch.ID, err)
	}
	if err := s.checkMessage(tx, instructions); err != nil {
		return nil, err
	}
	tx.Signatures = make([]solana.Signature, tx.Message.Header.NumRequiredSignatures)
	raw, err := tx.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("spl: encode: %w", err)
	}
	if len(raw) > solana.MaxTransactionSizeV1 {
		return nil, guardf(GuardMessage, "it has %d bytes, a transaction at most %d", len(raw), solana.MaxTransactionSizeV1)
	}
	s.fee = signatureFee*uint64(len(tx.Signatures)) + v.priority
	return tx, nil
}

// addresses counts the distinct addresses of a transaction.
func addresses(payer solana.PublicKey, instructions []solana.Instruction) int {
	seen := map[solana.PublicKey]bool{payer: true}
	for _, ix := range instructions {
		seen[ix.ProgramID()] = true
		for _, a := range ix.Accounts() {
			seen[a.PublicKey] = true
		}
	}
	return len(seen)
}

// simulate executes the message without signatures and judges what it does to accounts of ours. It returns the units used.
func (v *Converter) simulate(ctx context.Context, s *swap, tx *solana.Transaction) (units uint64, err error) {
	keys, err := tx.Message.Writable()
	if err != nil {
		return 0, fmt.Errorf("spl: list what the swap may write: %w", err)
	}
	before, err := v.accounts(ctx, rpc.CommitmentConfirmed, keys)
	if err != nil {
		return 0, err
	}
	r, err := v.rpc.SimulateTransactionWithOpts(ctx, tx, &rpc.SimulateTransactionOpts{
		Commitment: rpc.CommitmentConfirmed,
		Accounts:   &rpc.SimulateTransactionAccountsOpts{Encoding: solana.EncodingBase64, Addresses: keys},
	})
	switch {
	case err != nil:
		return 0, fmt.Errorf("spl: simulate the swap of batch %s: %w", s.batch.ID, err)
	case r.Value == nil:
		return 0, guardf(GuardSimulation, "the endpoint left its outcome out")
	case r.Value.Err != nil:
		return 0, guardf(GuardSimulation, "it fails: %v", r.Value.Err)
	case len(r.Value.Accounts) != len(keys) || r.Value.UnitsConsumed == nil:
		return 0, guardf(GuardSimulation, "the endpoint told %d accounts of %d, or not what it takes", len(r.Value.Accounts), len(keys))
	}
	return *r.Value.UnitsConsumed, s.checkEffects(keys, before, r.Value.Accounts)
}

// signMessage adds the signatures of payer and wallet.
func (v *Converter) signMessage(_ context.Context, tx *solana.Transaction) error {
	tx.Signatures = nil
	_, err := tx.Sign(func(k solana.PublicKey) *solana.PrivateKey {
		if key, ok := v.keys[k]; ok {
			return &key
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("spl: sign: %w", err)
	}
	return nil
}

// signsFor says whether the chain has the key.
func (c *Chain) signsFor(k solana.PublicKey) bool {
	_, ok := c.keys[k]
	return ok
}

// signerKeys lists what the chain signs for.
func (c *Chain) signerKeys() []solana.PublicKey {
	out := make([]solana.PublicKey, 0, len(c.keys))
	for k := range c.keys {
		out = append(out, k)
	}
	return out
}
