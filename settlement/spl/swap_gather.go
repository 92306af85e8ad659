package spl

import (
	"context"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// gatherUnits is the compute limit for each account that is gathered: a transfer, a close and at most one creation.
const gatherUnits = 60_000

// gatherLoaded is the limit of loaded bytes: the token programs' code and a few accounts.
const gatherLoaded = 4 << 20

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
	mint, err := parseMint(a)
	if err != nil {
		return err
	}
	w := wallet{v.wallet, mint, solana.TokenProgramID}
	own, err := v.address(w)
	if err != nil {
		return err
	}
	hash, err := v.rpc.blockhash(ctx, confirmed)
	if err != nil {
		return err
	}
	var list inContext[[]struct {
		Pubkey  solana.PublicKey
		Account account
	}]
	config := map[string]any{"encoding": "base64", "commitment": confirmed}
	if err := v.rpc.read(ctx, "getTokenAccountsByOwner", config, hash.clock.slot, &list, w.owner, map[string]any{"mint": w.mint}); err != nil {
		return err
	}
	still := v.underway(v.creating, hash.clock.height)
	var due []Instruction
	var closing []solana.PublicKey
	left := 0
	for _, x := range list.Value {
		h, ok := readHolding(&x.Account)
		if !ok || x.Pubkey == own || h.owner != w.owner || h.mint != w.mint || h.program != w.program || h.frozen {
			continue
		}
		// Who got the right to close it keeps the rent, and must not keep the proceeds by it.
		stuck := rightsOf(&x.Account).closing
		if stuck && h.units == 0 {
			continue
		}
		left++
		if still(x.Pubkey) || len(closing) == gathersPerTransaction {
			continue
		}
		if h.units > 0 {
			due = append(due, transferChecked(x.Pubkey, w.mint, own, w.owner, h.units, a.Decimals))
		}
		if !stuck {
			due = append(due, closeAccount(x.Pubkey, v.payer, w.owner))
		}
		closing = append(closing, x.Pubkey)
	}
	if left == 0 {
		return nil
	}
	if err := v.sendGather(ctx, w, own, due, closing, hash); err != nil {
		return err
	}
	return fmt.Errorf("%w: %d accounts of proceeds are being gathered", settlement.ErrLater, left)
}

func (v *Converter) sendGather(ctx context.Context, w wallet, own solana.PublicKey, due []Instruction, closing []solana.PublicKey, hash blockhash) error {
	if len(closing) == 0 {
		return nil
	}
	all := append([]Instruction{{
		Program: solana.SPLAssociatedTokenAccountProgramID,
		Accounts: []Meta{
			{v.payer, true, true},
			{own, false, true},
			{w.owner, false, false},
			{w.mint, false, false},
			{solana.SystemProgramID, false, false},
			{w.program, false, false},
		},
		Data: []byte{createIdempotent},
	}}, due...)
	var e Encoder
	tx, err := v.message(ctx, &e, all, hash, uint64(gatherUnits*(1+len(closing))), gatherLoaded)
	if err != nil {
		return err
	}
	if err := v.send(ctx, tx); err != nil {
		return err
	}
	v.remember(v.creating, closing, tx.LastValid)
	return nil
}

// closeAccount closes an empty token account; its lamports go to the payer.
func closeAccount(at, payer, owner solana.PublicKey) Instruction {
	return Instruction{
		Program:  solana.TokenProgramID,
		Accounts: []Meta{{at, false, true}, {payer, false, true}, {owner, true, false}},
		Data:     []byte{tokenClose},
	}
}
