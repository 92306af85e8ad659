package settlement

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"
)

// Difference is one thing on which the chain and the journal do not agree.
type Difference struct {
	Tx    string  // ID of the transaction, empty if it is about none
	Batch BatchID // zero if no batch is known
	Text  string  // what is wrong, for an operator
}

// Book is what one asset comes to, in base units: Decided = Moved + Open + Refused + Waiting where nothing differs.
type Book struct {
	Asset                  Asset
	Decided                uint64 // by all intents of the journal
	Moved                  uint64 // by the chain's transactions, as their balances tell
	Burned                 uint64 // of which burned
	Open, Refused, Waiting uint64 // by the journal
}

// Report is what a reconciliation has found.
type Report struct {
	Batches      int    // closed by a transaction of the history
	Lines        int    // that they carried
	Transactions int    // in the history, those that failed included
	Failed       int    // of which failed
	Fees         uint64 // lamports, of all of them
	RentIn       uint64 // lamports put into markers
	RentOut      uint64 // lamports taken back from markers
	RentOpened   uint64 // lamports put into token accounts
	RentClosed   uint64 // lamports taken back from token accounts
	Books        []Book // in the order of Params.Assets
	Differences  []Difference
}

// Reconcile compares a journal with everything that the payer has done on the chain, oldest first: every batch that is
// closed was closed by a transaction of the history, which made this batch's marker and carried these lines; every
// transaction belongs to a batch, opens accounts or takes rent back; every token balance changed by exactly what the lines
// say; a marker was made once; and for each asset the sums agree. It returns an error only if the chain does, and then the
// report is of what came before.
func Reconcile(ctx context.Context, j *Journal, chain Historian) (Report, error) {
	r := reconciler{
		journal: j, byTx: map[string]Entry{}, ours: map[Account]bool{}, markers: map[Account]string{}, moved: map[Asset]uint64{}, burned: map[Asset]uint64{},
		at: func(m MarkerID) (Account, error) { return chain.MarkerAddress(ctx, m) },
	}
	for e := range j.Batches() {
		for _, a := range e.Attempts {
			r.byTx[a.Tx.ID] = e
		}
		for _, l := range e.Ever {
			r.ours[l.From] = true
		}
	}
	seen := map[string]bool{}
	err := chain.History(ctx, func(t Trace) error {
		seen[t.Tx] = true
		return r.trace(t)
	})
	if err != nil {
		return r.Report, fmt.Errorf("settlement: reconcile: %w", err)
	}
	for e := range j.Batches() {
		if tx := e.closedBy(); tx != "" && !seen[tx] {
			r.differ(tx, e.Batch.ID, "the journal says that it closed the batch, but it is not in the payer's history")
		}
	}
	if r.RentOut > r.RentIn {
		r.differ("", BatchID{}, "markers gave %d lamports back and got %d", r.RentOut, r.RentIn)
	}
	r.sum()
	return r.Report, nil
}

// closedBy returns the ID of the transaction that closed the batch, empty if none has.
func (e Entry) closedBy() string {
	for _, a := range e.Attempts {
		if a.Outcome == outcomeLanded {
			return a.Tx.ID
		}
	}
	return ""
}

// reconciler is a comparison under way.
type reconciler struct {
	Report
	journal *Journal
	byTx    map[string]Entry
	ours    map[Account]bool   // whoever sends anything
	markers map[Account]string // address -> transaction that made it
	moved   map[Asset]uint64
	burned  map[Asset]uint64
	at      func(MarkerID) (Account, error)
}

func (r *reconciler) differ(tx string, b BatchID, format string, args ...any) {
	r.Differences = append(r.Differences, Difference{tx, b, fmt.Sprintf(format, args...)})
}

// trace books one transaction.
func (r *reconciler) trace(t Trace) error {
	r.Transactions++
	r.Fees += t.Fee
	if t.Failed {
		r.Failed++
		if len(t.Changes) > 0 {
			r.differ(t.Tx, BatchID{}, "it failed and yet changed %d token balances", len(t.Changes))
		}
		return nil
	}
	r.RentIn += t.Rent
	r.RentOut += t.Returned
	r.RentOpened += t.Opened
	r.RentClosed += t.Closed
	e, known := r.byTx[t.Tx]
	if t.Unknown {
		r.differ(t.Tx, e.Batch.ID, "it holds an instruction that settlement never writes")
	}
	if t.Marker != "" {
		if first, twice := r.markers[t.Marker]; twice {
			r.differ(t.Tx, e.Batch.ID, "marker %q was made before, by %q", t.Marker, first)
		}
		r.markers[t.Marker] = t.Tx
	}
	if !known {
		if t.Marker != "" || len(t.Lines) > 0 {
			r.differ(t.Tx, BatchID{}, "no batch explains it: %d lines, marker %q", len(t.Lines), t.Marker)
		}
	} else if err := r.batch(t, e); err != nil {
		return err
	}
	r.balances(t, e.Batch.ID)
	return nil
}

// batch compares a transaction with the batch that it was an attempt at.
func (r *reconciler) batch(t Trace, e Entry) error {
	if tx := e.closedBy(); tx != t.Tx {
		r.differ(t.Tx, e.Batch.ID, "it has landed, the journal says that %q closed the batch", tx)
		return nil
	}
	r.Batches++
	r.Lines += len(t.Lines)
	address, err := r.at(e.Batch.MarkerID())
	if err != nil {
		return fmt.Errorf("marker %s: %w", e.Batch.MarkerID(), err)
	}
	if t.Marker != address {
		r.differ(t.Tx, e.Batch.ID, "it made the marker %q, the batch's is %q", t.Marker, address)
	}
	if len(t.Lines) != len(e.Batch.Lines) {
		r.differ(t.Tx, e.Batch.ID, "it carried %d lines, the journal says %d", len(t.Lines), len(e.Batch.Lines))
		return nil
	}
	for i, l := range e.Batch.Lines {
		if !equivalent(l, t.Lines[i]) {
			r.differ(t.Tx, e.Batch.ID, "line %d carried %d of %q to %q, the journal says %d to %q", i, t.Lines[i].Units, l.Asset.Mint, t.Lines[i].To, l.Units, l.To)
		}
	}
	return nil
}

// equivalent says whether two lines move the same money, whatever intents they carry.
func equivalent(a, b Line) bool {
	return a.Kind.moves() == b.Kind.moves() && a.Asset == b.Asset && a.From == b.From && a.To == b.To && a.Units == b.Units && a.Into == b.Into && a.Least == b.Least
}

// moves maps the kinds that a chain cannot tell apart onto one: a payment, a move and a refund are the same transfer.
func (k Kind) moves() Kind {
	if k == Move || k == Refund {
		return Pay
	}
	return k
}

// position is what one owner holds of one asset.
type position struct {
	owner Account
	asset Asset
}

// flow is what a transaction adds to a position and takes from it.
type flow struct{ in, out uint64 }

// balances checks that every token balance changed by what the lines say, and by nothing else. What a swap gets is known
// by the balance alone: Least or more arrives at To, and more may stay with From. What it does to strangers, who are those
// that it trades with, is their business.
func (r *reconciler) balances(t Trace, b BatchID) {
	want := map[position]flow{}
	least := map[position]uint64{}
	swaps := false
	for _, l := range t.Lines {
		if l.Kind == Swap {
			swaps = true
			least[position{l.From, l.Into}] += 0
		}
		from := position{l.From, l.Asset}
		f := want[from]
		f.out += l.Units
		want[from] = f
		r.moved[l.Asset] += l.Units
		switch {
		case l.Kind == Burn:
			r.burned[l.Asset] += l.Units
		case l.Kind == Swap && l.To != "":
			least[position{l.To, l.Into}] += l.Least
		case l.Kind == Swap:
			r.burned[l.Into] += l.Least
		default:
			to := position{l.To, l.Asset}
			f := want[to]
			f.in += l.Units
			want[to] = f
		}
	}
	for _, c := range t.Changes {
		at := position{c.Owner, c.Asset}
		f := want[at]
		delete(want, at)
		more, swapped := least[at]
		delete(least, at)
		switch {
		case swapped && c.After+f.out >= c.Before+f.in && c.After+f.out-c.Before-f.in >= more:
		case swaps && f == flow{} && !swapped && !r.ours[c.Owner]:
		case c.Before+f.in != c.After+f.out:
			r.differ(t.Tx, b, "%q had %d of %q and has %d, the lines say %d more and %d less", c.Owner, c.Before, c.Asset.Mint, c.After, f.in, f.out)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(want), comparePositions) {
		if f := want[at]; f.in != f.out {
			r.differ(t.Tx, b, "%q shows no change of %q, the lines say %d more and %d less", at.owner, at.asset.Mint, f.in, f.out)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(least), comparePositions) {
		if least[at] == 0 {
			continue
		}
		r.differ(t.Tx, b, "%q shows no change of %q, a swap gets %d or more", at.owner, at.asset.Mint, least[at])
	}
}

func comparePositions(a, b position) int {
	return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.asset.Mint, b.asset.Mint), cmp.Compare(a.asset.Decimals, b.asset.Decimals))
}

// sum closes the books.
func (r *reconciler) sum() {
	for _, a := range r.journal.Params().Assets {
		t := r.journal.Totals(a)
		b := Book{Asset: a, Decided: t.Decided, Moved: r.moved[a], Burned: r.burned[a], Open: t.Open, Refused: t.Refused, Waiting: t.Waiting}
		r.Books = append(r.Books, b)
		all, carry := b.Moved, uint64(0)
		for _, n := range []uint64{b.Open, b.Refused, b.Waiting} {
			var c uint64
			all, c = bits.Add64(all, n, 0)
			carry += c
		}
		if carry > 0 || all != b.Decided {
			r.differ("", BatchID{}, "of %d units of %q that were decided the chain moved %d, and %d open, %d refused and %d waiting are left", b.Decided, a.Mint, b.Moved, b.Open, b.Refused, b.Waiting)
		}
	}
}
