package spl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// ErrNoBurn is returned, wrapped, for a transaction that is not a final, successful burn of ours.
var ErrNoBurn = errors.New("spl: no proof of a burn")

// Burned is what a final transaction burned of one asset.
type Burned struct {
	Tx    string
	Slot  uint64
	Asset settlement.Asset
	Owner settlement.Account // whose units they were
	Units uint64             // base units
}

// BurnProof reads a transaction and returns what it burned. It checks that the transaction is final and successful, that its
// instructions are burns of one mint from one account of one of our owners, and that this account's balance fell by exactly
// as much. Otherwise the error wraps ErrNoBurn.
func (c *Chain) BurnProof(ctx context.Context, tx string) (Burned, error) {
	l, err := c.transaction(ctx, tx, 0)
	switch {
	case err != nil:
		return Burned{}, err
	case l == nil:
		return Burned{}, fmt.Errorf("%w: transaction %q is not final", ErrNoBurn, tx)
	case l.err != nil:
		return Burned{}, fmt.Errorf("%w: transaction %q has failed: %s", ErrNoBurn, tx, l.err)
	}
	out := Burned{Tx: l.id, Slot: l.slot}
	var from solana.PublicKey
	for _, x := range l.instructions {
		if l.roleOf(x, c.payer) != roleLines {
			continue
		}
		for _, m := range moves(x) {
			if !m.to.IsZero() || (!from.IsZero() && from != m.from) {
				return Burned{}, fmt.Errorf("%w: transaction %q moves something else as well", ErrNoBurn, tx)
			}
			from, out.Units = m.from, out.Units+m.units // the chain has subtracted each from 64 bits
		}
	}
	b := l.token(from)
	switch {
	case from.IsZero() || !b.known:
		return Burned{}, fmt.Errorf("%w: transaction %q burns nothing", ErrNoBurn, tx)
	case !c.ring.Has(b.owner):
		return Burned{}, fmt.Errorf("%w: transaction %q burns what is %q's", ErrNoBurn, tx, b.owner)
	case b.post > b.pre || b.pre-b.post != out.Units:
		return Burned{}, fmt.Errorf("%w: transaction %q burns %d units, and the account went from %d to %d", ErrNoBurn, tx, out.Units, b.pre, b.post)
	}
	out.Owner, out.Asset = text(b.owner), settlement.Asset{Mint: text(b.mint), Decimals: b.decimals}
	return out, nil
}

// SupplyChange is what one transaction did to an asset's supply.
type SupplyChange struct {
	Tx     string
	Slot   uint64
	Minted uint64 // base units
	Burned uint64 // base units
}

// SupplyChanges lists the final transactions after one slot and up to another that minted or burned units of the asset,
// whoever signed them, oldest first. So the supply after is the supply before plus all Minted less all Burned. It reads the
// mint's history, in which every burn and minting stands, those that programs made included.
func (c *Chain) SupplyChanges(ctx context.Context, a settlement.Asset, after, until uint64) ([]SupplyChange, error) {
	k, err := parseMint(a)
	if err != nil {
		return nil, err
	}
	now, err := c.rpc.clock(ctx, finalized)
	if err != nil {
		return nil, err
	}
	if now.slot < until {
		return nil, fmt.Errorf("spl: %s has final blocks up to slot %d, want %d: %w", c.rpc.name, now.slot, until, errBehind)
	}
	rows, err := c.rpc.signatures(ctx, k, until)
	if err != nil {
		return nil, err
	}
	slices.Reverse(rows)
	var out []SupplyChange
	for _, r := range rows {
		if r.failed() || r.Slot <= after || r.Slot > until {
			continue
		}
		tx, err := c.transaction(ctx, r.Signature, until)
		if err != nil {
			return nil, err
		}
		if tx == nil {
			return nil, fmt.Errorf("%w: transaction %q of slot %d is listed and not known", ErrGap, r.Signature, r.Slot)
		}
		s := SupplyChange{Tx: tx.id, Slot: tx.slot}
		for _, x := range slices.Concat(tx.instructions, tx.inner) {
			for _, part := range unpack(x) {
				minted, burned := supplyOf(part, k)
				s.Minted, s.Burned = s.Minted+minted, s.Burned+burned
			}
		}
		if s.Minted > 0 || s.Burned > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// First bytes of the token programs' instructions that make units.
const (
	tokenMintTo        = 7
	tokenMintToChecked = 14
)

// supplyOf returns what one call of a token program makes or destroys of a mint.
func supplyOf(x call, mint solana.PublicKey) (minted, burned uint64) {
	if !isTokenProgram(x.program) || len(x.data) < 9 || len(x.accounts) < 2 {
		return 0, 0
	}
	units := binary.LittleEndian.Uint64(x.data[1:])
	switch x.data[0] {
	case tokenMintTo, tokenMintToChecked:
		if x.accounts[0] == mint {
			return units, 0
		}
	case tokenBurn, tokenBurnChecked:
		if x.accounts[1] == mint {
			return 0, units
		}
	}
	return 0, 0
}
