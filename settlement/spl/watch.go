package spl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gagliardetto/solana-go"
	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/settlement"
)

// WatchConfig says what to watch.
type WatchConfig struct {
	// URL is a JSON-RPC endpoint, http or https. Its path, query and user never stand in an error.
	URL string
	// WebsocketURL is the endpoint's websocket, ws or wss. Empty: Wait only waits.
	WebsocketURL string
	// Name is the endpoint's name in errors. Empty: the URL's host, with its port.
	Name string
	// Witnesses are further endpoints, of other operators. Without any, all that comes in is believed to URL alone: that has to be
	// a node of your own.
	Witnesses []WatchWitness
	// Quorum is how many of the endpoints, URL and Witnesses, have to tell the same before it counts, 1 to all of them. 0: more
	// than half of them.
	Quorum int
	// Treasuries are the token accounts that bills are paid into: those of a Till's params that are on this chain.
	Treasuries []settlement.Treasury
	// Others are accounts and wallets of ours besides, that money should not come to and may.
	Others []settlement.Account
	// Own are the keys of ours: what a transaction that one of them has signed brings is no inflow.
	Own []settlement.Account
	// MaxTransactions is the most that one Scan reads of one account, 0: 10,000. What is left comes with the next Scan.
	MaxTransactions int
	// MaxReferences is the most references that one Scan asks for, 0: 100. They take turns.
	MaxReferences int
	// Timeout is the most that one call may take, 0: 30 s.
	Timeout time.Duration
	// Parallel is how many calls may run at once, 0: 8, at most 256.
	Parallel int
}

// WatchWitness is an endpoint besides the first one.
type WatchWitness struct {
	URL  string // as WatchConfig.URL
	Name string // as WatchConfig.Name; no two endpoints may have one name
}

// Watcher looks for money that has come in, by polling endpoints. It is not safe for concurrent use.
type Watcher struct {
	endpoints []*endpoint
	config    WatchConfig
	own       []solana.PublicKey
	accounts  []solana.PublicKey              // treasuries first, in the order of the config
	wallets   []solana.PublicKey              // owners of treasuries: any token account of theirs is ours
	trouble   map[int]string                  // of treasuries, as last told
	turn      int                             // reference that is asked next
	asked     map[settlement.Reference]string // newest transaction of each that was told, and whose events were kept
	pending   map[settlement.Reference]string // those of the last scan, which the caller may yet have lost
	round     uint64                          // of the last scan
	socket    *socket
}

// Progress is how far the history of one account has been told.
type Progress struct {
	Slot      uint64 `json:"slot"`      // nothing before this slot is asked for
	Signature string `json:"signature"` // newest transaction that was told; empty: none
	Units     uint64 `json:"units"`     // what a treasury held after it
}

// Cursor is how far the histories of all watched accounts have been told. The zero value begins with the first transaction of
// each. It is the caller's to keep: together with the events that came with it, or after them.
type Cursor struct {
	Round    uint64                          `json:"round"` // counts the scans
	Accounts map[settlement.Account]Progress `json:"accounts"`
}

// Scan is what one look has shown.
type Scan struct {
	Events []settlement.TillEvent // InflowSeen by slot, TreasuryChanged, and SeenThrough unless there is More
	Cursor Cursor                 // for the next Scan, once the events are applied
	More   bool                   // MaxTransactions was reached
}

// NewWatcher checks the configuration. It does not connect.
func NewWatcher(c WatchConfig) (*Watcher, error) {
	if c.MaxTransactions == 0 {
		c.MaxTransactions = 10_000
	}
	if c.MaxReferences == 0 {
		c.MaxReferences = 100
	}
	if c.Timeout == 0 {
		c.Timeout = callTimeout
	}
	if c.Parallel == 0 {
		c.Parallel = 8
	}
	switch {
	case c.MaxTransactions < 1 || c.MaxReferences < 1:
		return nil, fmt.Errorf("spl: watch: MaxTransactions is %d and MaxReferences %d, want 1 or more", c.MaxTransactions, c.MaxReferences)
	case c.Timeout < 0:
		return nil, fmt.Errorf("spl: watch: Timeout is %s", c.Timeout)
	case c.Parallel < 1 || c.Parallel > 256:
		return nil, fmt.Errorf("spl: watch: Parallel is %d, want 1 to 256", c.Parallel)
	case len(c.Treasuries) == 0:
		return nil, errors.New("spl: watch: Treasuries is empty")
	case len(c.Own) == 0:
		return nil, errors.New("spl: watch: Own is empty: our own transactions would be taken for inflows")
	}
	w := &Watcher{config: c, trouble: map[int]string{}, asked: map[settlement.Reference]string{}}
	if err := w.connect(); err != nil {
		return nil, err
	}
	for i, t := range c.Treasuries {
		if err := errors.Join(
			w.add(&w.accounts, fmt.Sprintf("Treasuries[%d].Account", i), t.Account),
			w.add(&w.wallets, fmt.Sprintf("Treasuries[%d].Owner", i), t.Owner),
			w.add(nil, fmt.Sprintf("Treasuries[%d].Asset.Mint", i), t.Asset.Mint),
			w.add(nil, fmt.Sprintf("Treasuries[%d].Program", i), t.Program),
		); err != nil {
			return nil, err
		}
	}
	for i, a := range c.Others {
		if err := w.add(&w.accounts, fmt.Sprintf("Others[%d]", i), a); err != nil {
			return nil, err
		}
	}
	for i, a := range c.Own {
		if err := w.add(&w.own, fmt.Sprintf("Own[%d]", i), a); err != nil {
			return nil, err
		}
	}
	for i, k := range w.accounts {
		if slices.Contains(w.accounts[:i], k) {
			return nil, fmt.Errorf("spl: watch: account %q stands twice", k)
		}
	}
	if c.WebsocketURL != "" {
		var err error
		if w.socket, err = newSocket(c.WebsocketURL, w.accounts[:len(c.Treasuries)]); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// add parses an address into a list, if there is one.
func (w *Watcher) add(to *[]solana.PublicKey, field string, a settlement.Account) error {
	k, err := solana.PublicKeyFromBase58(string(a))
	if err != nil {
		return fmt.Errorf("spl: watch: %s is %.60q, which is no address", field, a)
	}
	if to != nil {
		*to = append(*to, k)
	}
	return nil
}

// Scan asks what has come in since the cursor, in final blocks, at the watched accounts and with the given references. It tells
// all or nothing: an error leaves the cursor where it is, and the next Scan asks again. That nothing is missing from the history
// of a treasury is proved by its balance: what it held after one transaction it must have held before the next, and what it
// held after the last one it must hold now. Otherwise the error wraps ErrGap.
//
// It tells what Quorum endpoints tell, up to the newest final block that as many of them have reached. If one contradicts
// another, whichever lies, the error wraps ErrDisagree and names both; if too few know what one of them tells, it names them.
func (w *Watcher) Scan(ctx context.Context, from Cursor, refs []settlement.Reference) (Scan, error) {
	w.settle(from.Round)
	var asked []settlement.Reference
	for n := range min(len(refs), w.config.MaxReferences) {
		asked = append(asked, refs[(w.turn+n)%len(refs)])
	}
	leads, err := w.leads(ctx)
	if err != nil {
		return Scan{}, err
	}
	var trouble []error
	for _, lead := range leads {
		out, feeds, err := w.scan(ctx, lead, from, asked)
		if err == nil {
			w.advance(out.Cursor.Round, refs, asked, feeds[len(w.accounts):])
			return out, nil
		}
		if trouble = append(trouble, err); errors.Is(err, ErrDisagree) || ctx.Err() != nil {
			break
		}
	}
	return Scan{}, errors.Join(trouble...)
}

// scan tells what one endpoint does, if enough others do.
func (w *Watcher) scan(ctx context.Context, lead lead, from Cursor, asked []settlement.Reference) (Scan, []feed, error) {
	v, err := w.view(ctx, lead, from, asked)
	if err != nil {
		return Scan{}, nil, err
	}
	out := Scan{Cursor: Cursor{Round: from.Round + 1, Accounts: map[settlement.Account]Progress{}}}
	for i := range w.accounts {
		f := &v.feeds[i]
		mark, err := w.follow(i, v, from)
		if err != nil {
			return Scan{}, nil, err
		}
		out.Cursor.Accounts[text(f.at)] = mark
		out.More = out.More || f.more
	}
	if err := w.confirm(ctx, v, from, asked); err != nil {
		return Scan{}, nil, err
	}
	for _, tx := range inOrder(v.feeds, v.txs) {
		for _, in := range w.inflows(tx) {
			out.Events = append(out.Events, settlement.InflowSeen{Inflow: in})
		}
	}
	out.Events = append(out.Events, w.changes(v.held)...)
	if !out.More {
		out.Events = append(out.Events, settlement.SeenThrough{Time: time.Unix(v.seconds, 0).UTC()})
	}
	return out, v.feeds, nil
}

// feed is the part of one address's history that has not been told, oldest first.
type feed struct {
	at   solana.PublicKey
	all  []signatureRow
	rows []signatureRow // those that are told now
	more bool           // rows were left for later
}

// feeds lists the new rows of the accounts, in their order, and then those of the references that are asked for. Rows beyond slot
// are for the next Scan, because the balances are as of it.
func (w *Watcher) feeds(ctx context.Context, e *endpoint, from Cursor, slot uint64, asked []settlement.Reference) ([]feed, error) {
	out := make([]feed, len(w.accounts)+len(asked))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(w.config.Parallel)
	for i := range out {
		f := &out[i]
		var mark Progress
		if i < len(w.accounts) {
			f.at = w.accounts[i]
			mark = from.Accounts[text(f.at)]
		} else {
			r := asked[i-len(w.accounts)]
			f.at = solana.PublicKey(r)
			mark = Progress{Signature: w.asked[r]}
		}
		g.Go(func() error {
			rows, err := e.since(ctx, f.at, mark, slot)
			f.all = slices.DeleteFunc(rows, func(r signatureRow) bool { return r.Slot > slot })
			slices.Reverse(f.all)
			f.rows = f.all[:min(len(f.all), w.config.MaxTransactions)]
			f.more = len(f.rows) < len(f.all)
			return err
		})
	}
	return out, g.Wait()
}

// since lists the final transactions that name an address and are newer than the mark, newest first. It asks on until a page is
// empty or reaches back beyond the mark: a page of fewer rows than asked for may be one that was cut.
func (e *endpoint) since(ctx context.Context, at solana.PublicKey, mark Progress, slot uint64) ([]signatureRow, error) {
	var out []signatureRow
	for range maxPages {
		config := map[string]any{"commitment": finalized, "limit": maxSignatures}
		if len(out) > 0 {
			config["before"] = out[len(out)-1].Signature
		}
		if mark.Signature != "" {
			config["until"] = mark.Signature
		}
		var page []signatureRow
		if err := e.read(ctx, "getSignaturesForAddress", config, slot, &page, at); err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return out, nil
		}
		if len(out) > 0 && page[0].Signature == out[0].Signature {
			return nil, fmt.Errorf("spl: the history of %s at %s begins again on every page", at, e.name)
		}
		for _, r := range page {
			if n := len(out); n > 0 && r.Slot > out[n-1].Slot {
				return nil, fmt.Errorf("spl: the history of %s at %s is out of order: slot %d after %d", at, e.name, r.Slot, out[n-1].Slot)
			}
			// An endpoint that does not know the transaction of the mark goes on beyond it: it is recognised by itself or by its slot.
			if r.Slot < mark.Slot || mark.Signature != "" && r.Signature == mark.Signature {
				return out, nil
			}
			out = append(out, r)
		}
	}
	return nil, fmt.Errorf("spl: the history of %s at %s has more than %d new rows", at, e.name, maxPages*maxSignatures)
}

// read reads the transactions of all feeds that have not failed, each once.
func (w *Watcher) read(ctx context.Context, e *endpoint, feeds []feed) (map[string]*arrival, error) {
	txs := map[string]*arrival{}
	var rows []signatureRow
	for _, f := range feeds {
		for _, r := range f.rows {
			if _, ok := txs[r.Signature]; !ok && !r.failed() {
				txs[r.Signature] = nil
				rows = append(rows, r)
			}
		}
	}
	read := make([]*arrival, len(rows))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(w.config.Parallel)
	for i, r := range rows {
		g.Go(func() (err error) {
			read[i], err = e.arrival(ctx, r)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, r := range rows {
		txs[r.Signature] = read[i]
	}
	return txs, nil
}

// follow walks along the balance of account i, and returns its new mark.
func (w *Watcher) follow(i int, v *view, from Cursor) (Progress, error) {
	f := &v.feeds[i]
	mark, told := from.Accounts[text(f.at)]
	// A mark that was made by hand has a slot and no transaction: what was held before is not known.
	known := !told || mark.Signature != "" || mark.Slot == 0
	treasury := i < len(w.config.Treasuries)
	for _, r := range f.rows {
		mark.Slot, mark.Signature = r.Slot, r.Signature
		tx := v.txs[r.Signature]
		if tx == nil || !treasury {
			continue
		}
		b := tx.token(f.at)
		if !b.known { // it names the account, and no token changed there: the node leaves accounts out that are only read
			continue
		}
		if known && b.pre != mark.Units {
			return Progress{}, fmt.Errorf("%w: %s held %d units before transaction %q in slot %d, and %d after the one before", ErrGap, f.at, b.pre, tx.id, tx.slot, mark.Units)
		}
		mark.Units, known = b.post, true
	}
	if treasury && known && !f.more {
		var units uint64
		if h, ok := readHolding(v.held[i]); ok {
			units = h.units
		}
		if units != mark.Units {
			return Progress{}, fmt.Errorf("%w: %s holds %d units, and %d after the last transaction that %s tells", ErrGap, f.at, units, mark.Units, v.rpc.name)
		}
	}
	return mark, nil
}

// settle takes what the last scan told of references for kept, if the caller comes back with its cursor. With any other cursor,
// the events of that scan may be lost, and everything is asked again.
func (w *Watcher) settle(round uint64) {
	if round != w.round {
		clear(w.asked)
	} else {
		maps.Copy(w.asked, w.pending)
	}
	w.pending = nil
}

// advance remembers what was told of references, and forgets those that are no longer watched.
func (w *Watcher) advance(round uint64, refs, asked []settlement.Reference, feeds []feed) {
	w.round = round
	if len(refs) > 0 {
		w.turn = (w.turn + len(asked)) % len(refs)
	}
	keep := make(map[settlement.Reference]string, len(refs))
	for _, r := range refs {
		if s, ok := w.asked[r]; ok {
			keep[r] = s
		}
	}
	w.asked = keep
	w.pending = map[settlement.Reference]string{}
	for i, r := range asked {
		if n := len(feeds[i].rows); n > 0 {
			w.pending[r] = feeds[i].rows[n-1].Signature
		}
	}
}

// inOrder returns the transactions of all feeds by slot, and within one in the order of the feeds.
func inOrder(feeds []feed, txs map[string]*arrival) []*arrival {
	var out []*arrival
	seen := map[string]bool{}
	for _, f := range feeds {
		for _, r := range f.rows {
			if tx := txs[r.Signature]; tx != nil && !seen[r.Signature] {
				seen[r.Signature] = true
				out = append(out, tx)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *arrival) int { return cmp.Compare(a.slot, b.slot) })
	return out
}
