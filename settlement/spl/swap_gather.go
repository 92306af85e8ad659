package spl

import (
	"context"
	"fmt"

	"github.com/gagliardetto/solana-go"
	ata "github.com/gagliardetto/solana-go/programs/associated-token-account"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

// gatherUnits is the compute limit for each account that is gathered: a transfer, a close and at most one creation.
const gatherUnits = 60_000

// gathersPerTransaction is how many accounts one transaction empties and closes.
const gathersPerTransaction = 12

func (v *Converter) paysFromWallet(b settlement.Batch) bool {
	for _, l := range b.Lines {
		if l.From == v.config.Wallet {
			return true
		}
	}
	return false
}

// gather gathers the proceeds of every asset that the batch pays out of the wallet.
func (v *Converter) gather(ctx context.Context, b settlement.Batch) error {
	var done []settlement.Asset
next:
	for _, l := range b.Lines {
		for _, a := range done {
			if a == l.Asset {
				continue next
			}
		}
		if l.From == v.config.Wallet {
			if err := v.Gather(ctx, l.Asset); err != nil {
				return err
			}
			done = append(done, l.Asset)
		}
	}
	return nil
}

// Gather moves what swaps got beyond their Least from their accounts to the wallet's own account, closes them, and so takes
// their rent back. Nothing leaves the wallet, and an account that is closed cannot be emptied again: so it needs no marker
// and may be repeated. It returns settlement.ErrLater, wrapped, until nothing is left to gather.
func (v *Converter) Gather(ctx context.Context, a settlement.Asset) error {
	w, err := parseWallet(a, v.config.Wallet)
	if err != nil {
		return err
	}
	own, err := v.address(w)
	if err != nil {
		return err
	}
	list, err := v.rpc.GetTokenAccountsByOwner(ctx, w.owner, &rpc.GetTokenAccountsConfig{Mint: &w.mint},
		&rpc.GetTokenAccountsOpts{Commitment: rpc.CommitmentConfirmed, Encoding: solana.EncodingBase64})
	if err != nil {
		return fmt.Errorf("spl: list the token accounts of %q: %w", a.Mint, err)
	}
	height, err := v.rpc.GetBlockHeight(ctx, rpc.CommitmentConfirmed)
	if err != nil {
		return fmt.Errorf("spl: ask for the block height: %w", err)
	}
	var due []solana.Instruction
	var closing []solana.PublicKey
	left := 0
	for _, x := range list.Value {
		h, ok := readHolding(&x.Account)
		if !ok || x.Pubkey == own || h.owner != w.owner || h.mint != w.mint || h.frozen {
			continue
		}
		left++
		if last, sent := v.underway(x.Pubkey); sent && height <= last || len(closing) == gathersPerTransaction {
			continue
		}
		if h.units > 0 {
			due = append(due, transferChecked(x.Pubkey, w.mint, own, w.owner, h.units, a.Decimals))
		}
		due = append(due, closeAccount(x.Pubkey, v.payer, w.owner))
		closing = append(closing, x.Pubkey)
	}
	if left == 0 {
		return nil
	}
	if err := v.sendGather(ctx, w, due, closing); err != nil {
		return err
	}
	return fmt.Errorf("%w: %d accounts of proceeds are being gathered", settlement.ErrLater, left)
}

func (v *Converter) sendGather(ctx context.Context, w wallet, due []solana.Instruction, closing []solana.PublicKey) error {
	if len(closing) == 0 {
		return nil
	}
	create := ata.NewCreateIdempotentInstruction(v.payer, w.owner, w.mint).Build()
	tx, err := v.signWith(ctx, append([]solana.Instruction{create}, due...), uint32(gatherUnits*(1+len(closing))))
	if err != nil {
		return err
	}
	if err := v.send(ctx, tx); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, k := range closing {
		v.creating[k] = tx.LastValid
	}
	return nil
}

// closeAccount closes an empty token account; its lamports go to the payer.
func closeAccount(at, payer, owner solana.PublicKey) solana.Instruction {
	return solana.NewInstruction(solana.TokenProgramID, solana.AccountMetaSlice{
		solana.Meta(at).WRITE(), solana.Meta(payer).WRITE(), solana.Meta(owner).SIGNER(),
	}, []byte{tagClose})
}
