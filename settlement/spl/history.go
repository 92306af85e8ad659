package spl

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"
	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/settlement"
)

// ErrGap is returned by History, wrapped, when the endpoint's history is not whole.
var ErrGap = errors.New("spl: the history has a gap")

// historyWindow is how many transactions are read at once.
const historyWindow = 256

// History implements settlement.Historian. That nothing is missing is proved by the payer's lamports: what it has after one
// transaction it must have before the next one that names it, the first one must have found it empty or the endpoint must
// remember the chain from its first block, and what it has after the last one it must have now. Otherwise the error wraps
// ErrGap.
func (c *Chain) History(ctx context.Context, each func(settlement.Trace) error) error {
	now, err := c.rpc.clock(ctx, finalized)
	if err != nil {
		return err
	}
	list, slot, err := c.accounts(ctx, finalized, []solana.PublicKey{c.payer}, now.slot, false)
	if err != nil {
		return err
	}
	rows, err := c.rpc.signatures(ctx, c.payer, slot)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r signatureRow) bool { return r.Slot > slot }) // not in the balance that was read
	slices.Reverse(rows)
	var has uint64
	for start := 0; start < len(rows); start += historyWindow {
		txs, err := c.window(ctx, rows[start:min(start+historyWindow, len(rows))])
		if err != nil {
			return err
		}
		for i, tx := range txs {
			at := tx.find(c.payer)
			switch {
			case at < 0:
				return fmt.Errorf("%w: transaction %q does not name the payer", ErrGap, tx.id)
			case start+i == 0:
				if err := c.beginning(ctx, tx.pre[at]); err != nil {
					return err
				}
			case tx.pre[at] != has:
				return fmt.Errorf("%w: the payer holds %d lamports before transaction %q in slot %d, and held %d", ErrGap, tx.pre[at], tx.id, tx.slot, has)
			}
			has = tx.post[at]
			if !tx.signedBy(c.payer) {
				continue
			}
			t, err := c.trace(tx)
			if err == nil {
				err = each(t)
			}
			if err != nil {
				return err
			}
		}
	}
	if lamports := lamportsOf(list[0]); len(rows) > 0 && lamports != has {
		return fmt.Errorf("%w: the payer holds %d lamports, and %d after the last transaction that is told", ErrGap, lamports, has)
	}
	return nil
}

func lamportsOf(a *account) uint64 {
	if a == nil {
		return 0
	}
	return a.Lamports
}

// beginning says whether the first transaction that is told is the payer's first: the payer had nothing before it, or the
// endpoint remembers the chain's first block.
func (c *Chain) beginning(ctx context.Context, before uint64) error {
	if before == 0 {
		return nil
	}
	var first uint64
	if err := c.rpc.call(ctx, "getFirstAvailableBlock", nil, &first); err != nil {
		return err
	}
	var block struct{ BlockHeight *uint64 }
	config := map[string]any{"commitment": finalized, "transactionDetails": "none", "rewards": false, "maxSupportedTransactionVersion": 1}
	if err := c.rpc.call(ctx, "getBlock", []any{first, config}, &block); err != nil {
		return err
	}
	if first > 0 && (block.BlockHeight == nil || *block.BlockHeight > 1) {
		return fmt.Errorf("%w: the payer held %d lamports before the first transaction that is told, and the endpoint remembers nothing before slot %d",
			ErrGap, before, first)
	}
	return nil
}

// window reads transactions, in the order of the rows.
func (c *Chain) window(ctx context.Context, rows []signatureRow) ([]*landed, error) {
	out := make([]*landed, len(rows))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.parallel)
	for i, r := range rows {
		g.Go(func() error {
			tx, err := c.transaction(ctx, r.Signature, r.Slot)
			if err == nil && tx == nil {
				err = fmt.Errorf("%w: transaction %q of slot %d is listed and not known", ErrGap, r.Signature, r.Slot)
			}
			out[i] = tx
			return err
		})
	}
	return out, g.Wait()
}

// trace tells what a transaction of ours did.
func (c *Chain) trace(tx *landed) (settlement.Trace, error) {
	t := settlement.Trace{Tx: tx.id, Slot: tx.slot, Fee: tx.fee, Failed: tx.err != nil}
	names, err := c.names(tx, nil)
	if err != nil {
		return t, err
	}
	for _, x := range tx.instructions {
		switch tx.roleOf(x, c.payer) {
		case roleMarker:
			mark, _ := made(x, c.payer)
			if t.Marker != "" {
				t.Unknown = true // two markers: none of ours does that
			}
			t.Marker, t.Rent = text(mark), tx.gained(mark)
		case roleTake:
			t.Reclaimed = append(t.Reclaimed, text(x.accounts[0]))
			t.Returned += tx.lost(x.accounts[0])
		case roleCreate:
			t.Opened += tx.gained(x.accounts[1])
		case roleClose:
			t.Closed += tx.lost(x.accounts[0])
		case roleOther:
			t.Unknown = true
		case roleLines, roleAside:
		}
	}
	t.Lines = tx.lines(c.payer, names, nil)
	if swap, ok := readSwap(tx); ok && t.Marker != "" { // the venue's instructions are explained by ours around them
		t.Lines, t.Opened = []settlement.Line{swap.carried(names)}, tx.gained(swap.fresh)
		_, err := swap.got(tx)
		t.Unknown = err != nil && !t.Failed
	}
	if t.Failed { // nothing of it happened
		t.Rent, t.Returned, t.Opened, t.Closed, t.Reclaimed = 0, 0, 0, 0, nil
	}
	t.Changes = tx.changes(names)
	// The payer's lamports are those that are told of and no others.
	if i := tx.find(c.payer); tx.pre[i]+t.Returned+t.Closed != tx.post[i]+t.Fee+t.Rent+t.Opened {
		t.Unknown = true
	}
	return t, nil
}

// changes sums the token balances of each owner, as it is called, and returns those that changed. The sum of one mint's balances
// is in 64 bits.
func (l *landed) changes(names map[solana.PublicKey]settlement.Account) []settlement.Change {
	var out []settlement.Change
	for i, b := range l.tokens {
		if !b.known {
			continue
		}
		c := settlement.Change{
			Owner: names[l.keys[i]], Asset: settlement.Asset{Mint: text(b.mint), Decimals: b.decimals}, Before: b.pre, After: b.post,
		}
		at := slices.IndexFunc(out, func(o settlement.Change) bool { return o.Owner == c.Owner && o.Asset == c.Asset })
		if at < 0 {
			out = append(out, c)
			continue
		}
		out[at].Before += c.Before
		out[at].After += c.After
	}
	return slices.DeleteFunc(out, func(c settlement.Change) bool { return c.Before == c.After })
}

// gained returns by how many lamports an account grew, 0 if it did not.
func (l *landed) gained(k solana.PublicKey) uint64 {
	if i := l.find(k); i >= 0 && l.post[i] > l.pre[i] {
		return l.post[i] - l.pre[i]
	}
	return 0
}

// lost returns by how many lamports an account shrank, 0 if it did not.
func (l *landed) lost(k solana.PublicKey) uint64 {
	if i := l.find(k); i >= 0 && l.post[i] < l.pre[i] {
		return l.pre[i] - l.post[i]
	}
	return 0
}
