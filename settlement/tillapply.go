package settlement

import (
	"fmt"
	"slices"
	"time"
)

// Apply takes one event and returns what follows from it. It returns [ErrTimeBackwards], [ErrConflict], [ErrUnknownBill],
// [ErrUnknownInflow], [ErrUnknownTreasury], [ErrTreasury], [ErrBillClosed], [ErrFunds], [ErrSettled], a [*BillError] or an
// [*InflowError], and then nothing has changed.
func (t *Till) Apply(at time.Time, e TillEvent) ([]TillEffect, error) {
	if at.Before(t.now) {
		return nil, fmt.Errorf("%w: %s after %s", ErrTimeBackwards, at.UTC().Format(time.RFC3339Nano), t.now.UTC().Format(time.RFC3339Nano))
	}
	effects, err := t.apply(at, e)
	if err != nil {
		return nil, err
	}
	t.now = instant(at)
	return effects, nil
}

func (t *Till) apply(at time.Time, e TillEvent) ([]TillEffect, error) {
	switch e := e.(type) {
	case BillOpened:
		return nil, t.billOpened(at, e.Bill)
	case InflowSeen:
		return t.inflowSeen(e.Inflow)
	case InflowReversed:
		return t.inflowReversed(e)
	case SeenThrough:
		return t.seenThrough(e.Time), nil
	case Released:
		return t.released(e)
	case RefundOrdered:
		return t.refundOrdered(e)
	case RefundRefused:
		return t.refundRefused(e)
	case TreasuryChanged:
		return t.treasuryChanged(e)
	}
	return nil, fmt.Errorf("%w: unknown event %T", ErrStale, e)
}

func (t *Till) billOpened(at time.Time, b Bill) error {
	if err := b.check(t.params); err != nil {
		return err
	}
	b.Expires = instant(b.Expires)
	if i, ok := t.byBill[b.ID]; ok {
		if !t.bills[i].same(b) {
			return fmt.Errorf("%w: bill %q was opened as %+v", ErrConflict, b.ID, t.bills[i].Bill)
		}
		return nil
	}
	if i, ok := t.byRef[b.Reference]; ok {
		return fmt.Errorf("%w: bill %q has the reference of bill %q", ErrConflict, b.ID, t.bills[i].ID)
	}
	if !b.Expires.After(at) || !b.Expires.After(t.through) {
		return &BillError{b.ID, "Expires", fmt.Sprintf("is %s, which is past", b.Expires.UTC().Format(time.RFC3339))}
	}
	if why := t.trouble[t.params.treasury(b.Asset, b.Owner)]; why != "" {
		return fmt.Errorf("%w: bill %q: %s", ErrTreasury, b.ID, why)
	}
	n := int32(len(t.bills))
	t.bills = append(t.bills, tillBill{Bill: b, opened: instant(at)})
	t.byBill[b.ID], t.byRef[b.Reference] = n, n
	t.open, t.watched = append(t.open, n), append(t.watched, n)
	return nil
}

func (t *Till) inflowReversed(e InflowReversed) ([]TillEffect, error) {
	i, ok := t.byInflow[e.Inflow]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownInflow, e.Inflow.String())
	}
	in := &t.inflows[i]
	if e.Cause == "" || len(e.Cause) > maxTillText {
		return nil, &InflowError{e.Inflow, "Cause", fmt.Sprintf("has %d bytes, want 1 to %d", len(e.Cause), maxTillText)}
	}
	if k := slices.IndexFunc(in.reversals, func(r reversal) bool { return r.cause == e.Cause }); k >= 0 {
		if in.reversals[k].units != e.Units {
			return nil, fmt.Errorf("%w: reversal %q of %q was of %d units", ErrConflict, e.Cause, e.Inflow.String(), in.reversals[k].units)
		}
		return nil, nil
	}
	if in.settled {
		return nil, fmt.Errorf("%w: %q", ErrSettled, e.Inflow.String())
	}
	if have := in.sum(placeCredited, placeBalance, placeSuspended, placeKept); e.Units == 0 || e.Units > have {
		return nil, fmt.Errorf("%w: reversal of %d units of %q, want 1 to %d", ErrFunds, e.Units, e.Inflow.String(), have)
	}
	in.reversals = append(in.reversals, reversal{e.Cause, e.Units})
	var effects []TillEffect
	for left := e.Units; left > 0; {
		k := in.last(placeSuspended, placeKept, placeBalance, placeCredited)
		p := in.portions[k]
		units := min(left, p.units)
		left -= units
		out := Reversed{Inflow: in.ID, Customer: p.customer, Units: units}
		if p.place == placeCredited {
			out.Bill = t.bills[p.bill].ID
		}
		effects = append(effects, out)
		t.move(i, k, units, portion{place: placeReversed, bill: p.bill})
	}
	return effects, nil
}

func (t *Till) seenThrough(at time.Time) []TillEffect {
	if !at.After(t.through) {
		return nil // from a feed that is behind another one, or told again
	}
	t.through = instant(at)
	var effects []TillEffect
	t.unsettled = slices.DeleteFunc(t.unsettled, func(i int32) bool {
		in := &t.inflows[i]
		if !in.Settles.Before(at) {
			return false
		}
		in.settled = true
		effects = append(effects, Settled{in.ID})
		return true
	})
	var lapsing []int32
	t.open = slices.DeleteFunc(t.open, func(n int32) bool {
		if !t.bills[n].Expires.Before(at) {
			return false
		}
		lapsing = append(lapsing, n)
		return true
	})
	for _, n := range lapsing {
		effects = append(effects, t.lapse(n)...)
	}
	watch := time.Duration(t.params.WatchSeconds) * time.Second
	t.watched = slices.DeleteFunc(t.watched, func(n int32) bool { return t.bills[n].Expires.Add(watch).Before(at) })
	return effects
}

// lapse closes a bill, which is out of t.open, and gives its part away.
func (t *Till) lapse(n int32) []TillEffect {
	b := &t.bills[n]
	b.lapsed = true
	effects := []TillEffect{Lapsed{b.ID, b.credited}}
	for _, i := range slices.Clone(b.inflows) {
		in := &t.inflows[i]
		k := slices.IndexFunc(in.portions, func(p portion) bool { return p.place == placeCredited && p.bill == n })
		effects = append(effects, t.dispose(i, k, in.portions[k].units, n, b.Remainder, SurplusPart))
	}
	return effects
}

func (t *Till) released(e Released) ([]TillEffect, error) {
	i, err := t.loose(e.Inflow, e.Units)
	if err != nil {
		return nil, err
	}
	in := &t.inflows[i]
	if (e.Bill == "") == (e.Customer == "") || len(e.Customer) > maxTillText {
		return nil, &InflowError{e.Inflow, "Customer", fmt.Sprintf("is %q and Bill is %q, want one of them, of at most %d bytes", e.Customer, e.Bill, maxTillText)}
	}
	if e.Customer != "" {
		t.each(i, e.Units, func(k int, units uint64) {
			t.move(i, k, units, portion{place: placeBalance, bill: -1, customer: e.Customer})
		})
		return []TillEffect{Balanced{e.Customer, "", in.ID, e.Units, in.Arrived, SurplusOrder, in.settled}}, nil
	}
	n, ok := t.byBill[e.Bill]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownBill, e.Bill)
	}
	b := &t.bills[n]
	if b.Asset != in.Asset {
		return nil, &InflowError{e.Inflow, "Bill", fmt.Sprintf("%q is in mint %q, the inflow in %q", b.ID, b.Asset.Mint, in.Asset.Mint)}
	}
	if b.lapsed || b.credited == b.Units {
		return nil, fmt.Errorf("%w: bill %q is %s", ErrBillClosed, b.ID, b.state())
	}
	units := min(e.Units, b.Units-b.credited)
	t.each(i, units, func(k int, units uint64) {
		t.move(i, k, units, portion{place: placeCredited, bill: n})
	})
	return []TillEffect{Credited{b.ID, in.ID, units, b.Units - b.credited, in.settled}}, nil
}

func (t *Till) refundOrdered(e RefundOrdered) ([]TillEffect, error) {
	i, err := t.loose(e.Inflow, e.Units)
	if err != nil {
		return nil, err
	}
	in := &t.inflows[i]
	to := e.To
	if to == "" {
		to = in.Payer
	}
	if to == "" || to == in.Owner || to == in.ID.Account || len(to) > maxTillText {
		return nil, &InflowError{e.Inflow, "To", fmt.Sprintf("is %q, want an address of the payer, of at most %d bytes", to, maxTillText)}
	}
	// The loose money is gathered first, so that one order makes one intent.
	t.each(i, e.Units, func(k int, units uint64) {
		t.move(i, k, units, portion{place: placeOwed, bill: -1, to: to})
	})
	return []TillEffect{t.name(i, to)}, nil
}

func (t *Till) refundRefused(e RefundRefused) ([]TillEffect, error) {
	i, ok := t.byIntent[e.Intent]
	if !ok {
		return nil, fmt.Errorf("%w: refund %s was never owed", ErrUnknownInflow, e.Intent)
	}
	in := &t.inflows[i]
	k := slices.IndexFunc(in.portions, func(p portion) bool { return p.place == placeOwed && p.intent == e.Intent })
	if k < 0 {
		return nil, nil // told before
	}
	p := in.portions[k]
	t.move(i, k, p.units, portion{place: placeSuspended, bill: p.bill})
	return []TillEffect{Suspended{Inflow: in.ID, Units: p.units, Why: DoubtRefund}}, nil
}

func (t *Till) treasuryChanged(e TreasuryChanged) ([]TillEffect, error) {
	i := t.params.account(e.Account)
	if i < 0 {
		return nil, fmt.Errorf("%w: %q", ErrUnknownTreasury, e.Account)
	}
	if len(e.Trouble) > maxTillText {
		return nil, fmt.Errorf("settlement: treasury %q: Trouble has %d bytes, want at most %d", e.Account, len(e.Trouble), maxTillText)
	}
	if t.trouble[i] == e.Trouble {
		return nil, nil
	}
	t.trouble[i] = e.Trouble
	return []TillEffect{Alarmed(e)}, nil
}
