package spl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	maxStatuses  = 256 // signatures of one getSignatureStatuses
	tokenTo      = 1   // place of the recipient among the accounts of Transfer
	tokenTag     = 3   // first byte of Transfer
	markerExists = 0   // System program: AccountAlreadyInUse

	// youngChain is up to which slot a chain may have skipped none: 46 days of 400 ms. The public clusters are far older.
	youngChain = 10_000_000
)

// Look implements settlement.Chain.
func (c *Chain) Look(ctx context.Context, attempts []settlement.Attempt) (settlement.Sighting, error) {
	var s settlement.Sighting
	info, err := c.rpc.GetEpochInfo(ctx, rpc.CommitmentFinalized)
	if err != nil {
		return s, fmt.Errorf("spl: ask for the block height: %w", err)
	}
	// Slots are skipped, so that there are fewer blocks than slots; a proxy may mix the two up, and every attempt would seem
	// expired. A test validator that is young may not have skipped any yet.
	if info.BlockHeight > info.AbsoluteSlot || info.BlockHeight == info.AbsoluteSlot && info.AbsoluteSlot > youngChain {
		return s, fmt.Errorf("spl: the endpoint says block height %d at slot %d", info.BlockHeight, info.AbsoluteSlot)
	}
	s.Endpoint, s.Height, s.Slot = c.url, info.BlockHeight, info.AbsoluteSlot
	for part := range slices.Chunk(attempts, maxStatuses) {
		signatures := make([]solana.Signature, len(part))
		for i, a := range part {
			if signatures[i], err = solana.SignatureFromBase58(a.Tx.ID); err != nil {
				return s, fmt.Errorf("spl: attempt %q: %w", a.Tx.ID, err)
			}
		}
		r, err := c.rpc.GetSignatureStatuses(ctx, true, signatures...)
		if err != nil {
			return s, fmt.Errorf("spl: ask for %d statuses: %w", len(part), err)
		}
		if r.Context.Slot < info.AbsoluteSlot || len(r.Value) != len(part) {
			return s, fmt.Errorf("spl: %d statuses of slot %d for %d attempts at slot %d", len(r.Value), r.Context.Slot, len(part), info.AbsoluteSlot)
		}
		for i, a := range part {
			res, err := c.result(ctx, a, signatures[i], r.Value[i], s.Height)
			if err != nil {
				return s, err
			}
			res.Context = r.Context.Slot
			s.Results = append(s.Results, res)
		}
	}
	return s, nil
}

// result judges one attempt by its status, and by its transaction and marker where the status does not settle it.
func (c *Chain) result(ctx context.Context, a settlement.Attempt, signature solana.Signature, status *rpc.SignatureStatusesResult, height uint64) (settlement.Result, error) {
	if status == nil && height <= a.Tx.LastValid {
		return settlement.Result{Sight: settlement.Missing}, nil
	}
	if status != nil && status.ConfirmationStatus != rpc.ConfirmationStatusFinalized {
		return settlement.Result{Sight: settlement.Pending}, nil
	}
	newest := uint64(1)
	tx, err := c.rpc.GetTransaction(ctx, signature, &rpc.GetTransactionOpts{
		Encoding: solana.EncodingBase64, Commitment: rpc.CommitmentFinalized, MaxSupportedTransactionVersion: &newest,
	})
	switch {
	case errors.Is(err, rpc.ErrNotFound) && status != nil:
		return settlement.Result{Sight: settlement.Pending}, nil // its history lags behind its statuses
	case errors.Is(err, rpc.ErrNotFound):
		m, err := c.marker(a.Marker)
		if err != nil {
			return settlement.Result{}, err
		}
		found, err := c.accounts(ctx, rpc.CommitmentFinalized, []solana.PublicKey{m.at})
		if err != nil {
			return settlement.Result{}, err
		}
		if found[0] != nil {
			return settlement.Result{Sight: settlement.Marked}, nil
		}
		return settlement.Result{Sight: settlement.Dead}, nil
	case err != nil:
		return settlement.Result{}, fmt.Errorf("spl: read transaction %q: %w", a.Tx.ID, err)
	case tx.Meta == nil:
		return settlement.Result{}, fmt.Errorf("spl: read transaction %q: the endpoint left its outcome out", a.Tx.ID)
	}
	res := settlement.Result{Sight: settlement.Succeeded, Slot: tx.Slot, Fee: tx.Meta.Fee}
	if tx.Meta.Err != nil {
		res.Sight = settlement.Reverted
		if res.Failure, err = c.failure(ctx, tx); err != nil {
			return settlement.Result{}, err
		}
	}
	return res, nil
}

// failure finds out who is at fault. Instruction 0 is the marker, instruction i is line i-1. The recipient of the line that
// failed is at fault only if its account is seen to be unfit: otherwise the trouble is the sender's.
func (c *Chain) failure(ctx context.Context, got *rpc.GetTransactionResult) (settlement.Failure, error) {
	text, err := json.Marshal(got.Meta.Err)
	if err != nil {
		return settlement.Failure{}, fmt.Errorf("spl: read the error of a transaction: %w", err)
	}
	f := settlement.Failure{Reason: string(text)}
	index, custom, ok := instructionError(text)
	if !ok {
		return f, nil
	}
	if index == 0 {
		f.Marker = custom != nil && *custom == markerExists
		return f, nil
	}
	tx, err := got.Transaction.GetTransaction()
	if err != nil {
		return f, fmt.Errorf("spl: decode a transaction of ours: %w", err)
	}
	if index >= len(tx.Message.Instructions) {
		return f, nil
	}
	ix := tx.Message.Instructions[index]
	if len(ix.Data) == 0 || ix.Data[0] != tokenTag || len(ix.Accounts) <= tokenTo {
		return f, nil
	}
	from, to := tx.Message.AccountKeys[ix.Accounts[0]], tx.Message.AccountKeys[ix.Accounts[tokenTo]]
	found, err := c.accounts(ctx, rpc.CommitmentConfirmed, []solana.PublicKey{from, to})
	if err != nil {
		return f, err
	}
	if h, ok := readHolding(found[0]); ok {
		if reason := trouble(found[1], h.mint, nil); reason != "" {
			f.Faults = []settlement.Fault{{Line: index - 1, Reason: fmt.Sprintf("recipient's account %q: %s (%s)", to, reason, text)}}
		}
	}
	return f, nil
}

// instructionError reads {"InstructionError":[index, error]}, and the number of a Custom error.
func instructionError(text []byte) (index int, custom *int, ok bool) {
	var outer struct{ InstructionError []json.RawMessage }
	if json.Unmarshal(text, &outer) != nil || len(outer.InstructionError) != 2 || json.Unmarshal(outer.InstructionError[0], &index) != nil || index < 0 {
		return 0, nil, false
	}
	var inner struct{ Custom *int }
	_ = json.Unmarshal(outer.InstructionError[1], &inner) // an error by name has no number
	return index, inner.Custom, true
}
