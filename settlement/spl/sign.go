package spl

import (
	"context"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"
	ata "github.com/gagliardetto/solana-go/programs/associated-token-account"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	// A marker takes 150 units, a transfer 76, a burn 126; all measured. Twice that, because a limit costs nothing.
	unitsPerInstruction = 250
	// A creation takes 14,000 to 20,000 units, by how long it has to search for the address.
	unitsPerCreation = 40_000
	// Data of the programs and accounts that a transaction may load; it must be set in version 1.
	loadedBytes = 1 << 20
	// Creations of one transaction: each takes 5 of 64 entries of the instruction trace.
	creationsPerTransaction = 12
)

// instruction returns the token program's instruction for the line.
func (r route) instruction() solana.Instruction {
	if r.line.Kind == settlement.Burn {
		return token.NewBurnCheckedInstruction(r.line.Units, r.line.Asset.Decimals, r.from, r.mint, r.owner, nil).Build()
	}
	return token.NewTransferInstruction(r.line.Units, r.from, r.to, r.owner, nil).Build()
}

// sign makes a transaction of version 1 with the newest confirmed blockhash.
func (c *Chain) sign(ctx context.Context, instructions []solana.Instruction) (settlement.Tx, error) {
	return c.signWith(ctx, instructions, uint32(unitsPerInstruction*len(instructions)))
}

func (c *Chain) signWith(ctx context.Context, instructions []solana.Instruction, units uint32) (settlement.Tx, error) {
	latest, err := c.rpc.GetLatestBlockhash(ctx, rpc.CommitmentConfirmed)
	if err != nil {
		return settlement.Tx{}, fmt.Errorf("spl: ask for a blockhash: %w", err)
	}
	config := solana.TransactionConfig{}.WithComputeUnitLimit(units).WithLoadedAccountsDataSizeLimit(loadedBytes)
	if c.priority > 0 {
		config = config.WithPriorityFee(c.priority)
	}
	tx, err := solana.NewTransaction(instructions, latest.Value.Blockhash, solana.TransactionPayer(c.payer), solana.TransactionV1Config(config))
	if err != nil {
		return settlement.Tx{}, fmt.Errorf("spl: build a transaction of %d instructions: %w", len(instructions), err)
	}
	if n := len(tx.Message.AccountKeys); n > solana.MaxAddressesV1 {
		return settlement.Tx{}, fmt.Errorf("spl: the batch needs %d addresses, a transaction has %d", n, solana.MaxAddressesV1)
	}
	_, err = tx.Sign(func(k solana.PublicKey) *solana.PrivateKey {
		if key, ok := c.keys[k]; ok {
			return &key
		}
		return nil
	})
	if err != nil {
		return settlement.Tx{}, fmt.Errorf("spl: sign: %w", err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return settlement.Tx{}, fmt.Errorf("spl: encode: %w", err)
	}
	if len(raw) > solana.MaxTransactionSizeV1 {
		return settlement.Tx{}, fmt.Errorf("spl: the batch needs %d bytes, a transaction has %d", len(raw), solana.MaxTransactionSizeV1)
	}
	return settlement.Tx{ID: tx.Signatures[0].String(), Raw: raw, LastValid: latest.Value.LastValidBlockHeight}, nil
}

// open sends the creation of recipients' accounts, unless it is on its way already, and returns ErrLater.
func (c *Chain) open(ctx context.Context, missing []route) error {
	height, err := c.rpc.GetBlockHeight(ctx, rpc.CommitmentConfirmed)
	if err != nil {
		return fmt.Errorf("spl: ask for the block height: %w", err)
	}
	var due []route
	for _, r := range missing {
		same := func(d route) bool { return d.to == r.to }
		if last, ok := c.underway(r.to); (!ok || height > last) && !slices.ContainsFunc(due, same) {
			due = append(due, r)
		}
	}
	for part := range slices.Chunk(due, creationsPerTransaction) {
		instructions := make([]solana.Instruction, len(part))
		for i, r := range part {
			instructions[i] = ata.NewCreateIdempotentInstruction(c.payer, r.toOwner, r.mint).Build()
		}
		tx, err := c.signWith(ctx, instructions, uint32(unitsPerCreation*len(part)))
		if err != nil {
			return err
		}
		if err := c.send(ctx, tx); err != nil {
			return err
		}
		c.mu.Lock()
		for _, r := range part {
			c.creating[r.to] = tx.LastValid
		}
		c.mu.Unlock()
	}
	return fmt.Errorf("%w: %d token accounts are being made", settlement.ErrLater, len(missing))
}

// underway returns the last block in which the creation of an account can land, if one was sent.
func (c *Chain) underway(at solana.PublicKey) (last uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, ok = c.creating[at]
	return last, ok
}
