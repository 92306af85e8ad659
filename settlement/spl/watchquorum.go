package spl

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

// ErrDisagree is returned by Watcher.Scan, wrapped, when two endpoints contradict each other on what is final.
var ErrDisagree = errors.New("spl: watch: endpoints disagree")

// lead is an endpoint that tells, and the newest final slot that it says it has.
type lead struct {
	rpc  *endpoint
	slot uint64
}

// view is what an endpoint tells of the time since a cursor.
type view struct {
	lead
	seconds int64      // time of its slot
	as      uint64     // slot of the balances, and last one of the rows
	held    []*account // treasuries, then their mints
	feeds   []feed     // accounts, then references
	txs     map[string]*arrival
}

// connect makes the endpoints.
func (w *Watcher) connect() error {
	c := &w.config
	for i, x := range append([]WatchWitness{{c.URL, c.Name}}, c.Witnesses...) {
		e, err := newEndpoint(Config{URL: x.URL, Name: x.Name, Timeout: c.Timeout, Parallel: c.Parallel})
		if err != nil && i > 0 {
			return fmt.Errorf("spl: watch: Witnesses[%d]: %w", i-1, err)
		}
		if err != nil {
			return err
		}
		for _, o := range w.endpoints {
			if o.name == e.name || o.url == e.url {
				return fmt.Errorf("spl: watch: Witnesses[%d] is %q, as another endpoint is: its word would count twice", i-1, e.name)
			}
		}
		w.endpoints = append(w.endpoints, e)
	}
	all := len(w.endpoints)
	if c.Quorum == 0 {
		c.Quorum = all/2 + 1
	}
	if c.Quorum < 1 || c.Quorum > all {
		return fmt.Errorf("spl: watch: Quorum is %d, want 1 to the number of endpoints, %d", c.Quorum, all)
	}
	return nil
}

// leads asks every endpoint how far it is, and returns those that answer: first the one up to whose slot Quorum of them are, so
// that all whom it takes can confirm what it tells; then those behind it, then those ahead.
func (w *Watcher) leads(ctx context.Context) ([]lead, error) {
	all, errs := make([]lead, len(w.endpoints)), make([]error, len(w.endpoints))
	w.each(func(i int, e *endpoint) {
		now, err := e.clock(ctx, finalized)
		all[i], errs[i] = lead{e, now.slot}, err
	})
	var out []lead
	for i, l := range all {
		if errs[i] == nil {
			out = append(out, l)
		}
	}
	if len(w.endpoints) == 1 && errs[0] != nil {
		return nil, errs[0]
	}
	q := w.config.Quorum
	if len(out) < q {
		return nil, fmt.Errorf("spl: watch: %d endpoints answer, want Quorum, %d: %w", len(out), q, errors.Join(errs...))
	}
	slices.SortStableFunc(out, func(a, b lead) int { return cmp.Compare(b.slot, a.slot) })
	return slices.Concat(out[q-1:], out[:q-1]), nil
}

// each runs f for all endpoints at once.
func (w *Watcher) each(f func(i int, e *endpoint)) {
	var g sync.WaitGroup
	for i, e := range w.endpoints {
		g.Go(func() { f(i, e) })
	}
	g.Wait()
}

// view asks an endpoint for all that it tells.
func (w *Watcher) view(ctx context.Context, l lead, from Cursor, asked []settlement.Reference) (*view, error) {
	v := &view{lead: l}
	var err error
	if v.seconds, err = l.rpc.blockTime(ctx, l.slot); err != nil {
		return nil, err
	}
	if v.held, v.as, err = w.holdings(ctx, l.rpc, l.slot); err != nil {
		return nil, err
	}
	if v.feeds, err = w.feeds(ctx, l.rpc, from, v.as, asked); err != nil {
		return nil, err
	}
	v.txs, err = w.read(ctx, l.rpc, v.feeds)
	return v, err
}

func (e *endpoint) blockTime(ctx context.Context, slot uint64) (int64, error) {
	var seconds *int64
	if err := e.call(ctx, "getBlockTime", []any{slot}, &seconds); err != nil {
		return 0, err
	}
	if seconds == nil {
		return 0, fmt.Errorf("spl: %s does not know the time of slot %d", e.name, slot)
	}
	return *seconds, nil
}

// confirm asks the other endpoints whether they tell what v does. One that contradicts is enough to say no; one that does not
// know, or does not answer, does not count.
func (w *Watcher) confirm(ctx context.Context, v *view, from Cursor, asked []settlement.Reference) error {
	errs := make([]error, len(w.endpoints))
	w.each(func(i int, e *endpoint) {
		if e != v.rpc {
			errs[i] = w.witness(ctx, e, v, from, asked)
		}
	})
	agree := 0
	var against []error
	for _, err := range errs {
		switch {
		case err == nil:
			agree++
		case errors.Is(err, ErrDisagree):
			against = append(against, err)
		}
	}
	if len(against) > 0 {
		return errors.Join(against...)
	}
	if agree < w.config.Quorum {
		return fmt.Errorf("spl: watch: of what %s tells up to slot %d, %d endpoints tell the same, want Quorum, %d: %w",
			v.rpc.name, v.as, agree, w.config.Quorum, errors.Join(errs...))
	}
	return nil
}

// witness returns nil if the endpoint tells what v does, ErrDisagree if it tells something else, and another error if it cannot
// tell.
func (w *Watcher) witness(ctx context.Context, e *endpoint, v *view, from Cursor, asked []settlement.Reference) error {
	against := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s and %s on %s", ErrDisagree, v.rpc.name, e.name, fmt.Sprintf(format, args...))
	}
	switch seconds, err := e.blockTime(ctx, v.slot); {
	case err != nil:
		return err
	case seconds != v.seconds:
		return against("the time of slot %d: %d and %d", v.slot, v.seconds, seconds)
	}
	held, _, err := w.holdings(ctx, e, v.as)
	if err != nil {
		return err
	}
	for i, t := range w.config.Treasuries {
		mine := len(w.config.Treasuries) + i
		if a, b := troubleOf(t, v.held[i], v.held[mine]), troubleOf(t, held[i], held[mine]); a != b {
			return against("treasury %s: %q and %q", t.Account, a, b)
		}
	}
	feeds, err := w.feeds(ctx, e, from, v.as, asked)
	if err != nil {
		return err
	}
	for i := range feeds {
		if err := compareRows(&v.feeds[i], &feeds[i], e, against); err != nil {
			return err
		}
	}
	txs, err := w.read(ctx, e, v.feeds)
	if err != nil {
		return err
	}
	for _, a := range inOrder(v.feeds, v.txs) {
		if err := w.compareTx(a, txs[a.id], against); err != nil {
			return err
		}
	}
	return nil
}

// compareRows compares two histories of one address. What only the witness has was kept from us by the other; what it lacks it
// may have yet to learn.
func compareRows(told, seen *feed, e *endpoint, against func(string, ...any) error) error {
	rows := make(map[string]signatureRow, len(told.all))
	for _, r := range told.all {
		rows[r.Signature] = r
	}
	for _, r := range seen.all {
		o, ok := rows[r.Signature]
		switch {
		case !ok:
			return against("transaction %q of slot %d at %s: only the second has it", r.Signature, r.Slot, told.at)
		case o.Slot != r.Slot || o.failed() != r.failed():
			return against("transaction %q: slots %d and %d, failed %t and %t", r.Signature, o.Slot, r.Slot, o.failed(), r.failed())
		}
		delete(rows, r.Signature)
	}
	for _, r := range told.all {
		if _, ok := rows[r.Signature]; ok {
			return fmt.Errorf("spl: watch: %s does not know transaction %q of slot %d", e.name, r.Signature, r.Slot)
		}
	}
	return nil
}

// compareTx compares what two endpoints say that a transaction brought, and what the treasuries held around it.
func (w *Watcher) compareTx(a, b *arrival, against func(string, ...any) error) error {
	was, is := w.inflows(a), w.inflows(b)
	if len(was) != len(is) {
		return against("transaction %q: it brings %d inflows and %d", a.id, len(was), len(is))
	}
	for i := range was {
		if was[i].Units != is[i].Units {
			return against("transaction %q: it brings %d units and %d", a.id, was[i].Units, is[i].Units)
		}
		// The canonical form has every field, references and transfers too: they decide whom the money is credited to.
		if !bytes.Equal(encodeInflow(was[i]), encodeInflow(is[i])) {
			return against("transaction %q: what inflow %q is", a.id, was[i].ID)
		}
	}
	for _, k := range w.treasuries() {
		if x, y := a.token(k), b.token(k); x != y {
			return against("transaction %q: what %s held: %d, then %d, and %d, then %d", a.id, k, x.pre, x.post, y.pre, y.post)
		}
	}
	return nil
}

func encodeInflow(in settlement.Inflow) []byte {
	return settlement.EncodeTillEvent(settlement.InflowSeen{Inflow: in})
}

// treasuries are the accounts whose balances are followed.
func (w *Watcher) treasuries() []solana.PublicKey { return w.accounts[:len(w.config.Treasuries)] }
