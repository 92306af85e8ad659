package spl

import (
	"context"
	"slices"

	"github.com/gagliardetto/solana-go"
	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/settlement"
)

// Find implements settlement.Finder. Of each marker the history comes first, and then the account, so that a marker which is
// made in between is not taken for one that never was.
func (c *Chain) Find(ctx context.Context, batches []settlement.Batch) (settlement.Findings, error) {
	now, err := c.rpc.clock(ctx, finalized)
	if err != nil {
		return settlement.Findings{}, err
	}
	out := settlement.Findings{Endpoint: c.rpc.name, Height: now.height, Slot: now.slot, Results: make([]settlement.Finding, len(batches))}
	newest, err := c.rpc.blockhash(ctx, processed)
	if err != nil {
		return out, err
	}
	out.LastValid = newest.lastValid
	markers := make([]solana.PublicKey, len(batches))
	for i, b := range batches {
		m, err := c.marker(ctx, b.MarkerID())
		if err != nil {
			return out, err
		}
		markers[i] = m.at
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(c.parallel)
	for i := range batches {
		g.Go(func() error {
			var err error
			out.Results[i], err = c.origin(inner, markers[i], &batches[i], now.slot)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return out, err
	}
	list, slot, err := c.accounts(ctx, finalized, markers, now.slot, false)
	if err != nil {
		return out, err
	}
	for i := range out.Results {
		out.Results[i].Context = slot
		if out.Results[i].Origin == settlement.Never && list[i] != nil {
			out.Results[i].Origin = settlement.Unclear // it exists, and the history does not know why
		}
	}
	return out, nil
}

// origin reads the history of a marker from its beginning, up to the transaction that decides. Never is said here of a
// history in which no transaction has touched the account's lamports: failed attempts of ours name it, and so can anybody.
func (c *Chain) origin(ctx context.Context, at solana.PublicKey, b *settlement.Batch, slot uint64) (settlement.Finding, error) {
	rows, err := c.rpc.signatures(ctx, at, slot)
	if err != nil {
		return settlement.Finding{}, err
	}
	slices.Reverse(rows)
	for _, r := range rows {
		if r.failed() {
			continue
		}
		tx, err := c.transaction(ctx, r.Signature, slot)
		switch {
		case err != nil:
			return settlement.Finding{}, err
		case tx == nil || tx.err != nil:
			return settlement.Finding{}, nil // a part of the history is missing, or contradicts itself: Unclear
		}
		i := tx.find(at)
		switch {
		case i < 0 || tx.pre[i] > 0:
			return settlement.Finding{}, nil // it existed before the first transaction that is remembered: Unclear
		case tx.makes(at, c.payer) && tx.post[i] == 0:
			return settlement.Finding{}, nil // it has failed, and the error is left out: Unclear
		case tx.makes(at, c.payer):
			return c.ours(tx, b)
		case tx.post[i] > 0:
			return settlement.Finding{Origin: settlement.Theirs, Tx: tx.id, Slot: tx.slot}, nil
		}
	}
	return settlement.Finding{Origin: settlement.Never}, nil
}

// makes says whether the transaction is one of a payer's attempts: signed by it, and with the marker before all that moves
// anything. A nonce's advance, memos and the budget may stand before it.
func (l *landed) makes(at, payer solana.PublicKey) bool {
	if !l.signedBy(payer) {
		return false
	}
	for _, x := range l.instructions {
		switch l.roleOf(x, payer) {
		case roleMarker:
			mark, _ := made(x, payer)
			return mark == at
		case roleAside:
			continue
		case roleOther, roleLines, roleCreate, roleTake, roleClose:
			return false
		}
	}
	return false
}

// ours decodes what one of our attempts carried.
func (c *Chain) ours(tx *landed, b *settlement.Batch) (settlement.Finding, error) {
	f := settlement.Finding{Origin: settlement.Ours, Tx: tx.id, Slot: tx.slot, Fee: tx.fee}
	names, err := c.names(tx, b.Lines)
	if err != nil {
		return f, err
	}
	if swap, ok := readSwap(tx); ok {
		f.Lines = []settlement.Line{swap.carried(names)}
		f.Got, err = swap.got(tx)
		return f, err
	}
	f.Lines = tx.lines(c.payer, names, b.Lines)
	return f, nil
}
