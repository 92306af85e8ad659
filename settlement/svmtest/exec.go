package svmtest

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	maxUnits  = 1_400_000 // that a transaction may take
	maxLoaded = 64 << 20  // bytes of accounts that a transaction may load
)

// Dropped is the Err of a transaction that is in no block, for example because its payer could not pay the fee.
const Dropped = "dropped"

// AccountMeta is an account of an Instruction.
type AccountMeta struct {
	Address          settlement.Account
	Signer, Writable bool
}

// Instruction is one call of any program.
type Instruction struct {
	Program  settlement.Account
	Accounts []AccountMeta
	Data     []byte
}

// Receipt is what became of a transaction.
type Receipt struct {
	Signature string
	Err       string   // the runtime's error as JSON, Dropped, or empty if it succeeded
	Logs      []string // of the programs
	Slot      uint64
	Fee       uint64 // lamports
	Units     uint64 // compute units
	Bytes     int    // size of the transaction
}

// Execute sends one transaction of version 1 with the instructions, of which nothing is checked before, and adds a block. The
// first key pays, and all keys sign as far as they are asked to. That the transaction fails is no error: the Receipt says so.
func (n *Node) Execute(ctx context.Context, keys []ed25519.PrivateKey, instructions ...Instruction) (Receipt, error) {
	if len(keys) == 0 {
		return Receipt{}, errors.New("svmtest: execute: keys is empty, want the payer's")
	}
	list := make([]solana.Instruction, len(instructions))
	for i, in := range instructions {
		var err error
		if list[i], err = in.build(); err != nil {
			return Receipt{}, fmt.Errorf("svmtest: execute: instruction %d: %w", i, err)
		}
	}
	r, err := n.execute(ctx, keys, list)
	return r, n.wrap(err, "execute")
}

// AddressOf returns the text of an address.
func AddressOf(key [32]byte) settlement.Account {
	return settlement.Account(solana.PublicKey(key).String())
}

// BytesOf returns the 32 bytes of an address, or an error if the text is none.
func BytesOf(a settlement.Account) ([32]byte, error) {
	k, err := solana.PublicKeyFromBase58(string(a))
	if err != nil {
		return [32]byte{}, fmt.Errorf("svmtest: address %q: %w", a, err)
	}
	return k, nil
}

func (n *Node) execute(ctx context.Context, keys []ed25519.PrivateKey, list []solana.Instruction) (Receipt, error) {
	latest, err := n.client.GetLatestBlockhash(ctx, rpc.CommitmentProcessed)
	if err != nil {
		return Receipt{}, fmt.Errorf("ask for a blockhash: %w", err)
	}
	config := solana.TransactionConfig{}.WithComputeUnitLimit(maxUnits).WithLoadedAccountsDataSizeLimit(maxLoaded)
	tx, err := solana.NewTransaction(list, latest.Value.Blockhash, solana.TransactionPayer(public(keys[0])), solana.TransactionV1Config(config))
	if err != nil {
		return Receipt{}, fmt.Errorf("build: %w", err)
	}
	_, err = tx.Sign(func(k solana.PublicKey) *solana.PrivateKey {
		for _, own := range keys {
			if p := solana.PrivateKey(own); p.PublicKey() == k {
				return &p
			}
		}
		return nil
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("sign: %w", err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return Receipt{}, fmt.Errorf("encode: %w", err)
	}
	signature, err := n.client.SendRawTransactionWithOpts(ctx, raw, rpc.TransactionOpts{SkipPreflight: true})
	if err != nil {
		return Receipt{}, fmt.Errorf("send: %w", err)
	}
	if err := n.Advance(ctx, 1); err != nil {
		return Receipt{}, err
	}
	return n.receipt(ctx, signature, len(raw))
}

func (n *Node) receipt(ctx context.Context, signature solana.Signature, size int) (Receipt, error) {
	version := uint64(1)
	got, err := n.client.GetTransaction(ctx, signature, &rpc.GetTransactionOpts{
		Encoding: solana.EncodingBase64, Commitment: rpc.CommitmentConfirmed, MaxSupportedTransactionVersion: &version,
	})
	if errors.Is(err, rpc.ErrNotFound) {
		return Receipt{Signature: signature.String(), Err: Dropped, Bytes: size}, nil
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("ask for the transaction: %w", err)
	}
	r := Receipt{Signature: signature.String(), Logs: got.Meta.LogMessages, Slot: got.Slot, Fee: got.Meta.Fee, Bytes: size}
	if got.Meta.ComputeUnitsConsumed != nil {
		r.Units = *got.Meta.ComputeUnitsConsumed
	}
	if got.Meta.Err != nil {
		text, err := json.Marshal(got.Meta.Err)
		if err != nil {
			return Receipt{}, fmt.Errorf("read the error: %w", err)
		}
		r.Err = string(text)
	}
	return r, nil
}

func (i Instruction) build() (solana.Instruction, error) {
	program, err := solana.PublicKeyFromBase58(string(i.Program))
	if err != nil {
		return nil, fmt.Errorf("program %q: %w", i.Program, err)
	}
	metas := make(solana.AccountMetaSlice, len(i.Accounts))
	for j, a := range i.Accounts {
		k, err := solana.PublicKeyFromBase58(string(a.Address))
		if err != nil {
			return nil, fmt.Errorf("account %d: %q: %w", j, a.Address, err)
		}
		metas[j] = solana.NewAccountMeta(k, a.Writable, a.Signer)
	}
	return solana.NewInstruction(program, metas, i.Data), nil
}
