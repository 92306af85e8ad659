package spl

import (
	"context"
	"errors"
	"fmt"

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
