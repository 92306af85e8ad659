package spl

import (
	"context"
	"fmt"
	"math/big"
	"slices"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// Supply returns how much of the asset there is, and the slot as of which it is that, in the newest final block. If there is
// no such mint it returns ErrNoMint.
func (c *Chain) Supply(ctx context.Context, a settlement.Asset) (settlement.SupplyAt, error) {
	var none settlement.SupplyAt
	key, err := parseMint(a)
	if err != nil {
		return none, err
	}
	found, slot, err := c.accounts(ctx, finalized, []solana.PublicKey{key}, 0, true)
	if err != nil {
		return none, err
	}
	m, err := asMint(found[0], a)
	return settlement.SupplyAt{Slot: slot, Units: m.supply}, err
}

// SupplyProof lists every final transaction that changed the supply since before, ours and strangers', and the supply that
// they lead to. Every mint and burn names the mint's address, so that its history has them all; what a transaction did is
// read from the token balances before and after it, whose sum only mints and burns change, and not from its instructions.
// A history with a gap does not add up and is settlement.ErrBooks. It reads one transaction for each that names the mint
// since then, transfers with their mint included: before should be as near as possible.
func (c *Chain) SupplyProof(ctx context.Context, a settlement.Asset, before settlement.SupplyAt) (settlement.SupplyProof, error) {
	p := settlement.SupplyProof{Token: a, Before: before}
	var err error
	if p.After, err = c.Supply(ctx, a); err != nil {
		return p, err
	}
	if p.After.Slot < before.Slot {
		return p, fmt.Errorf("spl: supply of %q: the endpoint is at slot %d, before slot %d", a.Mint, p.After.Slot, before.Slot)
	}
	key, err := parseMint(a)
	if err != nil {
		return p, err
	}
	history, err := c.between(ctx, key, before.Slot, p.After.Slot)
	if err != nil {
		return p, err
	}
	for _, x := range history {
		change, err := c.supplyChange(ctx, key, x, p.After.Slot)
		if err != nil {
			return p, err
		}
		if change.Minted > 0 || change.Burned > 0 {
			p.Changes = append(p.Changes, change)
		}
	}
	return p, p.Audit()
}

// between lists the final, successful transactions that name an address, with slots after from and up to to, oldest first. It
// stops at the first that is older, and not at the end of the history.
func (c *Chain) between(ctx context.Context, key solana.PublicKey, from, to uint64) ([]signatureRow, error) {
	var out []signatureRow
	last := ""
	for range maxPages {
		config := map[string]any{"commitment": finalized, "limit": maxSignatures}
		if last != "" {
			config["before"] = last
		}
		var page []signatureRow
		if err := c.rpc.read(ctx, "getSignaturesForAddress", config, to, &page, key); err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Slot <= from {
				slices.Reverse(out)
				return out, nil
			}
			if !r.failed() && r.Slot <= to {
				out = append(out, r)
			}
		}
		if len(page) == 0 {
			slices.Reverse(out)
			return out, nil
		}
		last = page[len(page)-1].Signature
	}
	return nil, fmt.Errorf("spl: the history of %s at %s has more than %d rows since slot %d", key, c.rpc.name, maxPages*maxSignatures, from)
}

// supplyChange says by how much one transaction changed the sum of all balances of the mint.
func (c *Chain) supplyChange(ctx context.Context, mint solana.PublicKey, r signatureRow, slot uint64) (settlement.SupplyChange, error) {
	out := settlement.SupplyChange{Tx: r.Signature, Slot: r.Slot}
	l, err := c.transaction(ctx, r.Signature, slot)
	switch {
	case err != nil:
		return out, err
	case l == nil || l.err != nil || l.slot != r.Slot:
		return out, fmt.Errorf("spl: transaction %q: %s contradicts its own list", r.Signature, c.rpc.name)
	}
	sum := new(big.Int)
	for _, t := range l.tokens {
		if t.known && t.mint == mint {
			sum.Add(sum, new(big.Int).SetUint64(t.post)).Sub(sum, new(big.Int).SetUint64(t.pre))
		}
	}
	size := new(big.Int).Abs(sum)
	switch {
	case !size.IsUint64():
		return out, fmt.Errorf("spl: transaction %q changes the supply of mint %q by %s", r.Signature, mint, sum)
	case sum.Sign() > 0:
		out.Minted = size.Uint64()
	default:
		out.Burned = size.Uint64()
	}
	return out, nil
}
