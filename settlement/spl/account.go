package spl

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

// Sizes and states of the SPL Token program.
const (
	holdingSize   = 165
	mintSize      = 82
	stateFrozen   = 2
	maxPerRequest = 100 // accounts of one getMultipleAccounts
)

// holding is a token account.
type holding struct {
	mint, owner solana.PublicKey
	units       uint64
	frozen      bool
}

// mint is a mint.
type mint struct {
	supply   uint64
	decimals uint8
}

// readHolding reads a token account, and says whether it is one.
func readHolding(a *rpc.Account) (holding, bool) {
	if a == nil || a.Owner != solana.TokenProgramID || a.Data == nil {
		return holding{}, false
	}
	d := a.Data.GetBinary()
	if len(d) != holdingSize || d[108] == 0 {
		return holding{}, false
	}
	return holding{
		mint:   solana.PublicKeyFromBytes(d[:32]),
		owner:  solana.PublicKeyFromBytes(d[32:64]),
		units:  binary.LittleEndian.Uint64(d[64:]),
		frozen: d[108] == stateFrozen,
	}, true
}

// readMint reads a mint, and says whether it is one.
func readMint(a *rpc.Account) (mint, bool) {
	if a == nil || a.Owner != solana.TokenProgramID || a.Data == nil {
		return mint{}, false
	}
	d := a.Data.GetBinary()
	if len(d) != mintSize || d[45] == 0 {
		return mint{}, false
	}
	return mint{supply: binary.LittleEndian.Uint64(d[36:]), decimals: d[44]}, true
}

// accounts reads accounts; one that does not exist is nil.
func (c *Chain) accounts(ctx context.Context, level rpc.CommitmentType, keys []solana.PublicKey) ([]*rpc.Account, error) {
	var out []*rpc.Account
	for part := range slices.Chunk(keys, maxPerRequest) {
		r, err := c.rpc.GetMultipleAccountsWithOpts(ctx, part, &rpc.GetMultipleAccountsOpts{
			Encoding: solana.EncodingBase64, Commitment: level,
		})
		if err != nil {
			return nil, fmt.Errorf("spl: read %d accounts: %w", len(part), err)
		}
		if len(r.Value) != len(part) {
			return nil, fmt.Errorf("spl: read %d accounts: the endpoint answered %d", len(part), len(r.Value))
		}
		out = append(out, r.Value...)
	}
	return out, nil
}

// address returns the associated token account of a wallet.
func (c *Chain) address(w wallet) (solana.PublicKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.addresses[w]; ok {
		return at, nil
	}
	at, _, err := solana.FindAssociatedTokenAddress(w.owner, w.mint)
	if err != nil {
		return at, fmt.Errorf("spl: find the token account of %q: %w", w.owner, err)
	}
	c.addresses[w] = at
	return at, nil
}

func parseWallet(a settlement.Asset, owner settlement.Account) (wallet, error) {
	var w wallet
	var err error
	if w.mint, err = solana.PublicKeyFromBase58(string(a.Mint)); err != nil {
		return w, fmt.Errorf("spl: mint %q: %w", a.Mint, err)
	}
	if w.owner, err = solana.PublicKeyFromBase58(string(owner)); err != nil {
		return w, fmt.Errorf("spl: account %q: %w", owner, err)
	}
	return w, nil
}
