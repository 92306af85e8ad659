package spl

import (
	"context"
	"fmt"
	"math/big"
	"slices"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"

	"github.com/idlegrid/idlegrid/settlement"
)

// historyPage is how many signatures one getSignaturesForAddress returns at most.
const historyPage = 1000

// SupplyAt returns the supply of the asset and the slot as of which it is that, in the newest final block. If there is no
// such mint it returns ErrNoMint.
func (c *Chain) SupplyAt(ctx context.Context, a settlement.Asset) (settlement.SupplyAt, error) {
	var none settlement.SupplyAt
	key, err := solana.PublicKeyFromBase58(string(a.Mint))
	if err != nil {
		return none, fmt.Errorf("spl: mint %q: %w", a.Mint, err)
	}
	r, err := c.rpc.GetMultipleAccountsWithOpts(ctx, []solana.PublicKey{key}, &rpc.GetMultipleAccountsOpts{
		Encoding: solana.EncodingBase64, Commitment: rpc.CommitmentFinalized,
	})
	if err != nil {
		return none, fmt.Errorf("spl: read mint %q: %w", a.Mint, err)
	}
	if len(r.Value) != 1 {
		return none, fmt.Errorf("spl: read mint %q: the endpoint answered %d accounts", a.Mint, len(r.Value))
	}
	m, ok := readMint(r.Value[0])
	if !ok {
		return none, fmt.Errorf("%w at %q", ErrNoMint, a.Mint)
	}
	if m.decimals != a.Decimals {
		return none, fmt.Errorf("spl: mint %q has %d decimals, not %d", a.Mint, m.decimals, a.Decimals)
	}
	return settlement.SupplyAt{Slot: r.Context.Slot, Units: m.supply}, nil
}

// SupplyProof lists every final transaction that changed the supply since before, ours and strangers', and the supply that
// they lead to. Every mint and burn names the mint's address, so that its history has them all; what a transaction did is
// read from the token balances before and after it, whose sum only mints and burns change, and not from its instructions.
// A history with a gap does not add up and is settlement.ErrBooks. It reads one transaction for each that names the mint
// since then, transfers with their mint included: before should be as near as possible.
func (c *Chain) SupplyProof(ctx context.Context, a settlement.Asset, before settlement.SupplyAt) (settlement.SupplyProof, error) {
	p := settlement.SupplyProof{Token: a, Before: before}
	var err error
	if p.After, err = c.SupplyAt(ctx, a); err != nil {
		return p, err
	}
	if p.After.Slot < before.Slot {
		return p, fmt.Errorf("spl: supply of %q: the endpoint is at slot %d, before slot %d", a.Mint, p.After.Slot, before.Slot)
	}
	key, err := solana.PublicKeyFromBase58(string(a.Mint))
	if err != nil {
		return p, fmt.Errorf("spl: mint %q: %w", a.Mint, err)
	}
	history, err := c.between(ctx, key, before.Slot, p.After.Slot)
	if err != nil {
		return p, err
	}
	for _, x := range history {
		change, err := c.supplyChange(ctx, key, x)
		if err != nil {
			return p, err
		}
		if change.Minted > 0 || change.Burned > 0 {
			p.Changes = append(p.Changes, change)
		}
	}
	return p, p.Audit()
}

// between lists the final, successful transactions that name an address, with slots after from and up to to, oldest first.
func (c *Chain) between(ctx context.Context, key solana.PublicKey, from, to uint64) ([]*rpc.TransactionSignature, error) {
	var out []*rpc.TransactionSignature
	var last solana.Signature
	for {
		limit := historyPage
		page, err := c.rpc.GetSignaturesForAddressWithOpts(ctx, key, &rpc.GetSignaturesForAddressOpts{
			Limit: &limit, Before: last, Commitment: rpc.CommitmentFinalized,
		})
		if err != nil {
			return nil, fmt.Errorf("spl: list the transactions of %q: %w", key, err)
		}
		for _, x := range page {
			if x.Slot <= from {
				slices.Reverse(out)
				return out, nil
			}
			if x.Err == nil && x.Slot <= to {
				out = append(out, x)
			}
		}
		if len(page) == 0 {
			slices.Reverse(out)
			return out, nil
		}
		if next := page[len(page)-1].Signature; next != last {
			last = next
			continue
		}
		return nil, fmt.Errorf("spl: list the transactions of %q: the endpoint repeats itself", key)
	}
}

// supplyChange says by how much one transaction changed the sum of all balances of the mint.
func (c *Chain) supplyChange(ctx context.Context, mint solana.PublicKey, x *rpc.TransactionSignature) (settlement.SupplyChange, error) {
	out := settlement.SupplyChange{Tx: x.Signature.String(), Slot: x.Slot}
	newest := uint64(1)
	r, err := c.rpc.GetTransaction(ctx, x.Signature, &rpc.GetTransactionOpts{
		Encoding: solana.EncodingBase64, Commitment: rpc.CommitmentFinalized, MaxSupportedTransactionVersion: &newest,
	})
	if err != nil {
		return out, fmt.Errorf("spl: read transaction %q: %w", out.Tx, err)
	}
	if r.Meta == nil || r.Meta.Err != nil || r.Slot != x.Slot {
		return out, fmt.Errorf("spl: read transaction %q: the endpoint left its outcome out, or contradicts its own list", out.Tx)
	}
	sum := new(big.Int)
	for sign, list := range map[int64][]rpc.TokenBalance{-1: r.Meta.PreTokenBalances, 1: r.Meta.PostTokenBalances} {
		for _, b := range list {
			if b.Mint != mint {
				continue
			}
			n, ok := new(big.Int), b.UiTokenAmount != nil
			if ok {
				_, ok = n.SetString(b.UiTokenAmount.Amount, 10)
			}
			if !ok {
				return out, fmt.Errorf("spl: read transaction %q: a balance of it is no number", out.Tx)
			}
			sum.Add(sum, n.Mul(n, big.NewInt(sign)))
		}
	}
	size := new(big.Int).Abs(sum)
	if !size.IsUint64() {
		return out, fmt.Errorf("spl: read transaction %q: it changes the supply by %s", out.Tx, sum)
	}
	if sum.Sign() > 0 {
		out.Minted = size.Uint64()
	} else {
		out.Burned = size.Uint64()
	}
	return out, nil
}
