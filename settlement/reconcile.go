package settlement

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"

	"github.com/idlegrid/idlegrid/tokenomics"
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
	Books        []Book // in the order of Params.Assets
	Differences  []Difference
}

// Reconcile compares a journal with everything that the payer has done on the chain, oldest first: every batch that is
// closed was closed by a transaction of the history, which made this batch's marker and carried these lines; every
// transaction belongs to a batch, opens accounts or takes rent back; every token balance changed by exactly what the lines
// say; a marker was made once; and for each asset the sums agree. A transaction of another payer over the same key, of which the
// journal has not heard, is told with the batch whose marker it made: the journal is behind, and has to find it. What a mint
// withholds on the way is told as a balance that has grown by less: a [Trace] does not say why. It returns an error only if the
// chain does, and then the report is of what came before.
func Reconcile(ctx context.Context, j *Journal, chain Historian) (Report, error) {
	r := reconciler{
		journal: j, byTx: map[string]Entry{}, ours: map[Account]bool{}, markers: map[Account]string{}, taken: map[Account]bool{},
		moved: map[Asset]uint64{}, burned: map[Asset]uint64{},
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
		if seen[t.Tx] {
			r.differ(t.Tx, BatchID{}, "it stands twice in the history")
		}
		seen[t.Tx] = true
		return r.trace(t)
	})
	if err != nil {
		return r.Report, fmt.Errorf("settlement: reconcile: %w", err)
	}
	for e := range j.Batches() {
		a, ok := e.closedBy()
		if !ok {
			continue
		}
		if !seen[a.Tx.ID] {
			r.differ(a.Tx.ID, e.Batch.ID, "the journal says that it closed the batch, but it is not in the payer's history")
		}
		if err := r.rent(e, MarkerID{e.Batch.ID, a.Marker}); err != nil {
			return r.Report, fmt.Errorf("settlement: reconcile: %w", err)
		}
	}
	if err := r.locate(); err != nil {
		return r.Report, fmt.Errorf("settlement: reconcile: %w", err)
	}
	if r.RentOut > r.RentIn {
		r.differ("", BatchID{}, "markers gave %d lamports back and got %d", r.RentOut, r.RentIn)
	}
	r.sum()
	return r.Report, nil
}

// closedBy returns the attempt that closed the batch, false if none has.
func (e Entry) closedBy() (Record, bool) {
	for _, a := range e.Attempts {
		if a.Outcome == outcomeLanded {
			return a, true
		}
	}
	return Record{}, false
}

// reconciler is a comparison under way.
type reconciler struct {
	Report
	journal *Journal
	byTx    map[string]Entry
	ours    map[Account]bool   // whoever sends anything
	markers map[Account]string // address -> transaction that made it
	taken   map[Account]bool   // addresses whose rent was taken back
	strange []Trace            // transactions that made a marker or carried lines, and that no attempt explains
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
	r.count(&r.Fees, t.Fee, t.Tx, "fees")
	if t.Failed {
		r.Failed++
		if len(t.Changes) > 0 {
			r.differ(t.Tx, BatchID{}, "it failed and yet changed %d token balances", len(t.Changes))
		}
		return nil
	}
	r.count(&r.RentIn, t.Rent, t.Tx, "rent of markers")
	r.count(&r.RentOut, t.Returned, t.Tx, "rent taken back")
	r.count(&r.RentOpened, t.Opened, t.Tx, "rent of token accounts")
	for _, at := range t.Reclaimed {
		if _, made := r.markers[at]; !made || r.taken[at] {
			r.differ(t.Tx, BatchID{}, "it took the rent of %q, which is no marker that holds any", at)
		}
		r.taken[at] = true
	}
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
			r.strange = append(r.strange, t)
		}
	} else if err := r.batch(t, e); err != nil {
		return err
	}
	r.balances(t, e.Batch.ID)
	return nil
}

// batch compares a transaction with the batch that it was an attempt at.
func (r *reconciler) batch(t Trace, e Entry) error {
	a, closed := e.closedBy()
	switch {
	case !closed:
		r.differ(t.Tx, e.Batch.ID, "it has landed, the journal has the batch as %s", e.State)
		return nil
	case a.Tx.ID != t.Tx:
		r.differ(t.Tx, e.Batch.ID, "it has landed, the journal says that %q closed the batch", a.Tx.ID)
		return nil
	}
	r.Batches++
	r.Lines += len(t.Lines)
	made := MarkerID{e.Batch.ID, a.Marker} // the number may have counted on: what was called poisoned has landed after all
	address, err := r.at(made)
	if err != nil {
		return fmt.Errorf("marker %s: %w", made, err)
	}
	if t.Marker != address {
		r.differ(t.Tx, e.Batch.ID, "it made the marker %q, the batch's is %q", t.Marker, address)
	}
	if len(t.Lines) != len(e.Batch.Lines) {
		r.differ(t.Tx, e.Batch.ID, "it carried %d lines, the journal says %d", len(t.Lines), len(e.Batch.Lines))
		return nil
	}
	// Another payer may have had the same lines in another order.
	left := slices.Clone(t.Lines)
	var missing []int
	for i, l := range e.Batch.Lines {
		if k := slices.IndexFunc(left, func(x Line) bool { return equivalent(l, x) }); k >= 0 {
			left = slices.Delete(left, k, k+1)
		} else {
			missing = append(missing, i)
		}
	}
	for k, i := range missing {
		l := e.Batch.Lines[i]
		r.differ(t.Tx, e.Batch.ID, "line %d carried %d of %q to %q, the journal says %d to %q", i, left[k].Units, l.Asset.Mint, left[k].To, l.Units, l.To)
	}
	return nil
}

// rent compares what the journal says of a marker's rent with the history.
func (r *reconciler) rent(e Entry, made MarkerID) error {
	if !e.Reclaimed {
		return nil
	}
	address, err := r.at(made)
	if err != nil {
		return fmt.Errorf("marker %s: %w", made, err)
	}
	if !r.taken[address] {
		r.differ("", e.Batch.ID, "the journal says that its marker is reclaimed, but nothing in the payer's history has taken the rent")
	}
	return nil
}

// locate tells the transactions that no attempt explains, with the batches whose markers they made. An Overflow batch that
// another payer has opened is one of the next in the lane of its epoch.
func (r *reconciler) locate() error {
	if len(r.strange) == 0 {
		return nil
	}
	known := map[Account]MarkerID{}
	state := map[MarkerID]State{}
	note := func(m MarkerID) error {
		address, err := r.at(m)
		if err != nil {
			return fmt.Errorf("marker %s: %w", m, err)
		}
		known[address] = m
		return nil
	}
	epochs := map[tokenomics.Epoch]uint32{}
	for e := range r.journal.Batches() {
		id := e.Batch.ID
		next := epochs[id.Epoch]
		if id.Lane == Overflow {
			next = max(next, id.Index+1)
		}
		epochs[id.Epoch] = next
		for n := range uint32(e.Batch.Marker) + 2 { // a stranger may have been at one more than the journal has heard of
			m := MarkerID{id, uint16(min(n, math.MaxUint16))}
			state[m] = e.State
			if err := note(m); err != nil {
				return err
			}
		}
	}
	for _, epoch := range slices.Sorted(maps.Keys(epochs)) {
		for k := range min(uint32(probeWidth), math.MaxUint32-epochs[epoch]) {
			if err := note(MarkerID{Batch: BatchID{epoch, Overflow, epochs[epoch] + k}}); err != nil {
				return err
			}
		}
	}
	for _, t := range r.strange {
		m, ok := known[t.Marker]
		s, planned := state[m]
		switch {
		case ok && planned:
			r.differ(t.Tx, m.Batch, "it made marker %s and carried %d lines, and is no attempt of the journal, which has the batch as %s",
				m, len(t.Lines), s)
		case ok:
			r.differ(t.Tx, m.Batch, "it made marker %s and carried %d lines: another payer opened that batch, which the journal does not know",
				m, len(t.Lines))
		default:
			r.differ(t.Tx, BatchID{}, "no batch explains it: %d lines, marker %q", len(t.Lines), t.Marker)
		}
	}
	return nil
}

// count adds to a sum of the report. One that does not fit is told, and stays at the most that does.
func (r *reconciler) count(sum *uint64, n uint64, tx, what string) {
	all, carry := bits.Add64(*sum, n, 0)
	if carry > 0 {
		r.differ(tx, BatchID{}, "the %s do not fit into 64 bits", what)
		all = math.MaxUint64
	}
	*sum = all
}

// tally is count for the sum of an asset.
func (r *reconciler) tally(sums map[Asset]uint64, a Asset, n uint64, tx string) {
	sum := sums[a]
	r.count(&sum, n, tx, "units of "+string(a.Mint))
	sums[a] = sum
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

// differs compares what a position had and was given with what it has and gave: negative if it has less than it should.
func (f flow) differs(c Change) (sign int, by uint64) {
	shouldLo, shouldHi := bits.Add64(c.Before, f.in, 0) // 128-bit: a hostile history may hold any balance
	isLo, isHi := bits.Add64(c.After, f.out, 0)
	switch sign = cmp.Or(cmp.Compare(isHi, shouldHi), cmp.Compare(isLo, shouldLo)); {
	case sign > 0:
		lo, borrow := bits.Sub64(isLo, shouldLo, 0)
		if isHi-shouldHi-borrow > 0 {
			lo = math.MaxUint64
		}
		return sign, lo
	case sign < 0:
		lo, borrow := bits.Sub64(shouldLo, isLo, 0)
		if shouldHi-isHi-borrow > 0 {
			lo = math.MaxUint64
		}
		return sign, lo
	}
	return 0, 0
}

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
		r.count(&f.out, l.Units, t.Tx, "units of its lines")
		want[from] = f
		r.tally(r.moved, l.Asset, l.Units, t.Tx)
		switch {
		case l.Kind == Burn:
			r.tally(r.burned, l.Asset, l.Units, t.Tx)
		case l.Kind == Swap && l.To != "":
			got := least[position{l.To, l.Into}]
			r.count(&got, l.Least, t.Tx, "units of its swaps")
			least[position{l.To, l.Into}] = got
		case l.Kind == Swap:
			r.tally(r.burned, l.Into, l.Least, t.Tx)
		default:
			to := position{l.To, l.Asset}
			f := want[to]
			r.count(&f.in, l.Units, t.Tx, "units of its lines")
			want[to] = f
		}
	}
	for _, c := range t.Changes {
		at := position{c.Owner, c.Asset}
		f := want[at]
		delete(want, at)
		more, swapped := least[at]
		delete(least, at)
		sign, by := f.differs(c)
		switch {
		case swapped && sign >= 0 && by >= more:
		case swaps && f == flow{} && !swapped && !r.ours[c.Owner]:
		case sign != 0:
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
