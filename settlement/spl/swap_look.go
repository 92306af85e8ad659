package spl

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

// Look implements settlement.Chain. Of a swap that succeeded it tells what it got, by the balances of its transaction.
func (v *Converter) Look(ctx context.Context, attempts []settlement.Attempt) (settlement.Sighting, error) {
	s, err := v.Chain.Look(ctx, attempts)
	if err != nil {
		return s, err
	}
	for i := range s.Results {
		if s.Results[i].Sight != settlement.Succeeded {
			continue
		}
		tx, err := solana.TransactionFromBytes(attempts[i].Tx.Raw)
		if err != nil {
			return settlement.Sighting{}, fmt.Errorf("spl: decode attempt %q: %w", attempts[i].Tx.ID, err)
		}
		if _, ok := readSwap(tx); !ok {
			continue
		}
		if _, s.Results[i].Got, err = v.swapped(ctx, attempts[i].Tx.ID); err != nil {
			return settlement.Sighting{}, err
		}
	}
	return s, nil
}

// swapped reads a final, successful swap of ours: the line it carried and what it got.
func (v *Converter) swapped(ctx context.Context, id string) (settlement.Line, uint64, error) {
	signature, err := solana.SignatureFromBase58(id)
	if err != nil {
		return settlement.Line{}, 0, fmt.Errorf("spl: swap %q: %w", id, err)
	}
	newest := uint64(1)
	r, err := v.rpc.GetTransaction(ctx, signature, &rpc.GetTransactionOpts{
		Encoding: solana.EncodingBase64, Commitment: rpc.CommitmentFinalized, MaxSupportedTransactionVersion: &newest,
	})
	if err != nil {
		return settlement.Line{}, 0, fmt.Errorf("spl: read swap %q: %w", id, err)
	}
	if r.Meta == nil || r.Meta.Err != nil {
		return settlement.Line{}, 0, fmt.Errorf("spl: read swap %q: the endpoint left its outcome out, or says that it failed", id)
	}
	tx, err := r.Transaction.GetTransaction()
	if err != nil {
		return settlement.Line{}, 0, fmt.Errorf("spl: decode swap %q: %w", id, err)
	}
	shape, ok := readSwap(tx)
	if !ok {
		return settlement.Line{}, 0, fmt.Errorf("spl: transaction %q is no swap of ours", id)
	}
	return shape.outcome(r.Meta)
}

// swapShape is a swap's transaction, read back from its bytes.
type swapShape struct {
	line      settlement.Line // without To and without intents
	fresh, to int             // among the addresses; to is -1 for a burn
}

// readSwap recognises the transactions of compose by our instructions around the venue's, and says whether it is one. The
// transfer of the lot to itself tells what was given, the last instruction what was asked for.
func readSwap(tx *solana.Transaction) (swapShape, bool) {
	m := tx.Message
	n := len(m.Instructions)
	if n <= swapHead+swapTail {
		return swapShape{}, false
	}
	made, given, last := m.Instructions[3], m.Instructions[4], m.Instructions[n-1]
	for _, ix := range []solana.CompiledInstruction{made, given, last} {
		if m.AccountKeys[ix.ProgramIDIndex] != solana.TokenProgramID {
			return swapShape{}, false
		}
	}
	const checkedSize = 10 // tag, units, decimals
	switch {
	case len(made.Data) != 33 || made.Data[0] != tagInitialize3 || len(made.Accounts) != 2:
		return swapShape{}, false
	case len(given.Data) != checkedSize || given.Data[0] != tagTransferChecked || len(given.Accounts) != 4 || given.Accounts[0] != given.Accounts[2]:
		return swapShape{}, false
	case len(last.Data) != checkedSize || len(last.Accounts) < 3 || last.Accounts[0] != made.Accounts[0]:
		return swapShape{}, false
	}
	s := swapShape{fresh: int(made.Accounts[0]), to: -1}
	s.line = settlement.Line{
		Kind:  settlement.Swap,
		Asset: settlement.Asset{Mint: settlement.Account(m.AccountKeys[given.Accounts[1]].String()), Decimals: given.Data[9]},
		From:  settlement.Account(m.AccountKeys[given.Accounts[3]].String()),
		Units: binary.LittleEndian.Uint64(given.Data[1:]),
		Into:  settlement.Asset{Mint: settlement.Account(m.AccountKeys[made.Accounts[1]].String()), Decimals: last.Data[9]},
		Least: binary.LittleEndian.Uint64(last.Data[1:]),
	}
	switch {
	case last.Data[0] == tagTransferChecked && len(last.Accounts) == 4:
		s.to = int(last.Accounts[2])
	case last.Data[0] != tagBurnChecked:
		return swapShape{}, false
	}
	return s, true
}

// outcome completes the line with its recipient and says what the swap got: Least, which left the fresh account, and what
// is in it afterwards.
func (s swapShape) outcome(meta *rpc.TransactionMeta) (settlement.Line, uint64, error) {
	line, got, found := s.line, s.line.Least, false
	for _, b := range meta.PostTokenBalances {
		if int(b.AccountIndex) == s.to && b.Owner != nil {
			line.To = settlement.Account(b.Owner.String())
		}
		if int(b.AccountIndex) != s.fresh || b.UiTokenAmount == nil {
			continue
		}
		units, err := strconv.ParseUint(b.UiTokenAmount.Amount, 10, 64)
		if err != nil {
			return line, 0, fmt.Errorf("spl: balance of the proceeds: %w", err)
		}
		if got+units < got {
			return line, 0, fmt.Errorf("spl: the proceeds exceed 64 bits")
		}
		got, found = got+units, true
	}
	if !found || s.to >= 0 && line.To == "" {
		return line, 0, fmt.Errorf("spl: the endpoint does not tell the balances of a swap")
	}
	return line, got, nil
}
