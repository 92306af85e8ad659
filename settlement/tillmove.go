package settlement

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// loose finds an inflow of which so many units are suspended or kept.
func (t *Till) loose(id InflowID, units uint64) (int32, error) {
	i, ok := t.byInflow[id]
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrUnknownInflow, id.String())
	}
	if have := t.inflows[i].sum(placeSuspended, placeKept); units == 0 || units > have {
		return 0, fmt.Errorf("%w: %d units of %q, want 1 to %d", ErrFunds, units, id.String(), have)
	}
	return i, nil
}

// each takes so many units out of what is suspended or kept, a portion at a time.
func (t *Till) each(i int32, units uint64, take func(k int, units uint64)) {
	for units > 0 {
		in := &t.inflows[i]
		k := slices.IndexFunc(in.portions, func(p portion) bool { return p.place == placeSuspended || p.place == placeKept })
		n := min(units, in.portions[k].units)
		units -= n
		take(k, n)
	}
}

// dispose moves units, which bill n claims, to the customer's balance or back to the payer.
func (t *Till) dispose(i int32, k int, units uint64, n int32, how Disposal, why Surplus) TillEffect {
	in, b := &t.inflows[i], &t.bills[n]
	least := t.params.Treasuries[t.params.treasury(b.Asset, b.Owner)].MinRefund
	if how == ToPayer && in.Payer != "" && in.Payer != in.Owner && in.Payer != in.ID.Account && units >= least {
		t.move(i, k, units, portion{place: placeOwed, bill: n, to: in.Payer})
		return t.name(i, in.Payer)
	}
	t.move(i, k, units, portion{place: placeBalance, bill: n, customer: b.Customer})
	return Balanced{b.Customer, b.ID, in.ID, units, in.Arrived, why, in.settled}
}

// name gathers the owed portions that have no intent yet into one, and gives it the next ID of its inflow and bill.
func (t *Till) name(i int32, to Account) TillEffect {
	in := &t.inflows[i]
	k := slices.IndexFunc(in.portions, func(p portion) bool { return p.place == placeOwed && p.intent == IntentID{} })
	for m := len(in.portions) - 1; m > k; m-- {
		if p := in.portions[m]; p.place == placeOwed && (p.intent == IntentID{}) {
			in.portions[k].units += p.units
			in.portions = slices.Delete(in.portions, m, m+1)
		}
	}
	p := &in.portions[k]
	in.refunds = append(in.refunds, p.bill)
	p.to, p.intent = to, t.refundID(i, len(in.refunds)-1)
	t.byIntent[p.intent] = i
	return t.owed(i, *p)
}

// refundID returns the ID of the n-th refund of an inflow. The first one for a bill is named by transaction, account and bill;
// later ones are counted, from 2.
func (t *Till) refundID(i int32, n int) IntentID {
	in := &t.inflows[i]
	bill, count := "", 0
	for _, b := range in.refunds[:n+1] {
		if b == in.refunds[n] {
			count++
		}
	}
	if in.refunds[n] >= 0 {
		bill = t.bills[in.refunds[n]].ID
	}
	cause := []string{"refund", in.ID.Tx, string(in.ID.Account), bill}
	if count > 1 {
		cause = append(cause, strconv.Itoa(count))
	}
	return NewIntentID(Refund, cause...)
}

// move takes units out of portion k of inflow i and puts them elsewhere: the only way in which money moves here.
func (t *Till) move(i int32, k int, units uint64, to portion) {
	in := &t.inflows[i]
	from := in.portions[k]
	to.units = units
	in.portions[k].units -= units
	if in.portions[k].units == 0 {
		in.portions = slices.Delete(in.portions, k, k+1)
	}
	same := func(p portion) bool {
		return p.place == to.place && p.bill == to.bill && p.customer == to.customer && to.place != placeOwed
	}
	if at := slices.IndexFunc(in.portions, same); at >= 0 {
		in.portions[at].units += units
	} else {
		in.portions = append(in.portions, to)
	}
	sums := t.totals[in.Asset]
	sums[from.place] -= units
	sums[to.place] += units
	if from.place == placeCredited {
		t.debit(from.bill, i, units)
	}
	if to.place == placeCredited {
		t.credit(to.bill, i, units)
	}
}

func (t *Till) credit(n, i int32, units uint64) {
	b := &t.bills[n]
	b.credited += units
	if at, ok := slices.BinarySearch(b.inflows, i); !ok {
		b.inflows = slices.Insert(b.inflows, at, i)
	}
	if at, ok := slices.BinarySearch(t.open, n); ok && b.credited == b.Units {
		t.open = slices.Delete(t.open, at, at+1)
	}
}

func (t *Till) debit(n, i int32, units uint64) {
	b := &t.bills[n]
	b.credited -= units
	if !slices.ContainsFunc(t.inflows[i].portions, func(p portion) bool { return p.place == placeCredited && p.bill == n }) {
		at, _ := slices.BinarySearch(b.inflows, i)
		b.inflows = slices.Delete(b.inflows, at, at+1)
	}
	if at, ok := slices.BinarySearch(t.open, n); !ok && !b.lapsed {
		t.open = slices.Insert(t.open, at, n)
	}
}

// instant strips what two equal moments may differ in: zone and monotonic clock.
func instant(at time.Time) time.Time { return at.Round(0).UTC() }

// sum returns how many units of the inflow are in one of the places.
func (in *tillInflow) sum(places ...place) (units uint64) {
	for _, p := range in.portions {
		if slices.Contains(places, p.place) {
			units += p.units
		}
	}
	return units
}

// last returns the last portion in the first of the places that has one.
func (in *tillInflow) last(places ...place) int {
	for _, where := range places {
		for k := len(in.portions) - 1; k >= 0; k-- {
			if in.portions[k].place == where {
				return k
			}
		}
	}
	return -1
}
