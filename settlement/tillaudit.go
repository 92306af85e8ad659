package settlement

import (
	"fmt"
	"maps"
	"slices"
)

// Audit returns the first invariant that is broken, an error that wraps ErrBroken, and nil if none is: every unit of every
// inflow is in exactly one place, every bill holds what its inflows have credited to it and no more than it asks for, every
// refund has its own intent, and for every asset what came in is credited, in balances, suspended, kept, owed or reversed.
func (t *Till) Audit() error {
	if err := t.params.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if len(t.trouble) != len(t.params.Treasuries) {
		return fmt.Errorf("%w: trouble of %d treasuries, there are %d", ErrBroken, len(t.trouble), len(t.params.Treasuries))
	}
	credited := make([]uint64, len(t.bills))
	holders := make([][]int32, len(t.bills))
	sums := map[Asset]*[placeEnd]uint64{}
	refunds := 0
	for i := range t.inflows {
		if err := t.auditInflow(int32(i), credited, holders, sums); err != nil {
			return fmt.Errorf("%w: inflow %q: %w", ErrBroken, t.inflows[i].ID.String(), err)
		}
		refunds += len(t.inflows[i].refunds)
	}
	for n := range t.bills {
		if err := t.auditBill(int32(n), credited[n], holders[n]); err != nil {
			return fmt.Errorf("%w: bill %q: %w", ErrBroken, t.bills[n].ID, err)
		}
	}
	if len(t.byBill) != len(t.bills) || len(t.byRef) != len(t.bills) || len(t.byInflow) != len(t.inflows) || len(t.byIntent) != refunds {
		return fmt.Errorf("%w: %d bills by ID, %d by reference, %d inflows by ID, %d refunds by intent", ErrBroken, len(t.byBill), len(t.byRef), len(t.byInflow), len(t.byIntent))
	}
	if len(sums) != len(t.totals) {
		return fmt.Errorf("%w: books of %d assets, %d have come in", ErrBroken, len(t.totals), len(sums))
	}
	for _, a := range slices.SortedFunc(maps.Keys(sums), compareAssets) {
		if t.totals[a] == nil || *t.totals[a] != *sums[a] {
			return fmt.Errorf("%w: asset %q: %+v, its inflows have %+v", ErrBroken, a.Mint, t.Totals(a), totalsOf(sums[a]))
		}
	}
	return nil
}

// auditInflow checks one inflow, and adds up what it credits to bills and to the books.
func (t *Till) auditInflow(i int32, credited []uint64, holders [][]int32, sums map[Asset]*[placeEnd]uint64) error {
	in := &t.inflows[i]
	if err := in.check(); err != nil {
		return err
	}
	if at, ok := t.byInflow[in.ID]; !ok || at != i {
		return fmt.Errorf("is not found by its ID")
	}
	if _, waits := slices.BinarySearch(t.unsettled, i); waits == in.settled || in.settled != (in.Settles.IsZero() || in.Settles.Before(t.through)) {
		return fmt.Errorf("settles at %s, seen through %s, settled is %t", in.Settles, t.through, in.settled)
	}
	if sums[in.Asset] == nil {
		sums[in.Asset] = new([placeEnd]uint64)
	}
	if had := totalsOf(sums[in.Asset]).In; had+in.Units < had {
		return fmt.Errorf("takes what came in of %q beyond 64 bits", in.Asset.Mint)
	}
	left := in.Units
	for k, p := range in.portions {
		if err := t.auditPortion(in, p); err != nil {
			return fmt.Errorf("portion %d: %w", k, err)
		}
		if p.units > left {
			return fmt.Errorf("portions of more than %d units", in.Units)
		}
		left -= p.units
		sums[in.Asset][p.place] += p.units
		if p.place == placeCredited {
			credited[p.bill] += p.units
			holders[p.bill] = append(holders[p.bill], i)
		}
	}
	if left != 0 {
		return fmt.Errorf("%d of %d units are nowhere", left, in.Units)
	}
	for n, bill := range in.refunds {
		if bill < -1 || int(bill) >= len(t.bills) {
			return fmt.Errorf("refund %d is for bill %d of %d", n, bill, len(t.bills))
		}
		if at, ok := t.byIntent[t.refundID(i, n)]; !ok || at != i {
			return fmt.Errorf("refund %d is not found by its intent", n)
		}
	}
	var back uint64
	for n, r := range in.reversals {
		if r.cause == "" || r.units == 0 || slices.ContainsFunc(in.reversals[:n], func(o reversal) bool { return o.cause == r.cause }) {
			return fmt.Errorf("reversal %d is malformed", n)
		}
		back += r.units
	}
	if gone := in.sum(placeReversed); back != gone {
		return fmt.Errorf("%d units are reversed, %d by its reversals", gone, back)
	}
	return nil
}

func (t *Till) auditPortion(in *tillInflow, p portion) error {
	if p.units == 0 || p.place >= placeEnd || p.bill < -1 || int(p.bill) >= len(t.bills) {
		return fmt.Errorf("%d units in place %d, of bill %d of %d", p.units, p.place, p.bill, len(t.bills))
	}
	if (p.customer != "") != (p.place == placeBalance) || (p.to != "") != (p.place == placeOwed) || (p.intent != IntentID{}) != (p.place == placeOwed) {
		return fmt.Errorf("in place %d with customer %q, recipient %q, intent %s", p.place, p.customer, p.to, p.intent)
	}
	if p.place == placeCredited && (p.bill < 0 || t.bills[p.bill].Asset != in.Asset || t.bills[p.bill].lapsed) {
		return fmt.Errorf("credited to bill %d, which cannot have it", p.bill)
	}
	if p.place == placeOwed {
		at, ok := t.byIntent[p.intent]
		if !ok || t.inflows[at].ID != in.ID || !slices.Contains(in.refunds, p.bill) || p.to == in.Owner {
			return fmt.Errorf("owed to %q by an intent that is not its own", p.to)
		}
	}
	return nil
}

func (t *Till) auditBill(n int32, credited uint64, holders []int32) error {
	b := &t.bills[n]
	if err := b.check(t.params); err != nil {
		return err
	}
	byBill, ok := t.byBill[b.ID]
	byRef, found := t.byRef[b.Reference]
	if !ok || !found || byBill != n || byRef != n {
		return fmt.Errorf("is not found by its ID or reference")
	}
	if b.credited != credited || credited > b.Units || b.lapsed && credited > 0 {
		return fmt.Errorf("%s with %d of %d units, its inflows have %d", b.state(), b.credited, b.Units, credited)
	}
	if !slices.Equal(slices.Compact(holders), b.inflows) {
		return fmt.Errorf("inflows %v, credited by %v", b.inflows, holders)
	}
	if _, open := slices.BinarySearch(t.open, n); open != (!b.lapsed && b.credited < b.Units) {
		return fmt.Errorf("%s, and among the open ones: %t", b.state(), open)
	}
	return nil
}
