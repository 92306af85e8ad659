package settlement

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const tillDomain = "idlegrid/settlement/till/state/v1"

// Digest returns the SHA-256 of Snapshot: two tills that were told the same have the same digest.
func (t *Till) Digest() [32]byte { return sha256.Sum256(t.Snapshot()) }

// Snapshot returns the whole state, params included, in canonical form.
func (t *Till) Snapshot() []byte {
	w := canon.NewWriter(tillDomain)
	t.params.encode(w)
	w.Time(t.now)
	w.Time(t.through)
	for _, why := range t.trouble {
		w.String(why)
	}
	w.Len(len(t.bills))
	for i := range t.bills {
		b := &t.bills[i]
		b.encode(w)
		w.Time(b.opened)
		w.Bool(b.lapsed)
	}
	w.Len(len(t.inflows))
	for i := range t.inflows {
		t.inflows[i].encodeState(w)
	}
	return w.Data()
}

// RestoreTill returns the till that a snapshot was taken of. It refuses bytes that Snapshot does not write, a state that Audit
// finds broken, and a snapshot that was taken under other params.
func RestoreTill(p TillParams, b []byte) (*Till, error) {
	t, err := NewTill(p)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(b, tillDomain)
	own, theirs := canon.NewWriter(""), canon.NewWriter("")
	t.params.encode(own)
	decodeTillParams(r).encode(theirs)
	if r.Err() == nil && own.Sum() != theirs.Sum() {
		return nil, fmt.Errorf("settlement: restore till: the snapshot was taken under other params than %q", p.Version)
	}
	t.now, t.through = r.Time(), r.Time()
	for i := range t.trouble {
		t.trouble[i] = r.String()
	}
	t.bills = make([]tillBill, 0, r.Len(100))
	for range cap(t.bills) {
		t.bills = append(t.bills, tillBill{Bill: decodeBill(r), opened: r.Time(), lapsed: r.Bool()})
	}
	t.inflows = make([]tillInflow, 0, r.Len(50))
	for range cap(t.inflows) {
		t.inflows = append(t.inflows, decodeTillInflow(r))
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("settlement: restore till: %w", err)
	}
	if err := t.index(); err != nil {
		return nil, fmt.Errorf("settlement: restore till: %w", err)
	}
	if err := t.Audit(); err != nil {
		return nil, fmt.Errorf("settlement: restore till: %w", err)
	}
	if !bytes.Equal(t.Snapshot(), b) {
		return nil, fmt.Errorf("settlement: restore till: %w: not in its one form", canon.ErrMalformed)
	}
	return t, nil
}

// index makes again what a snapshot leaves out.
func (t *Till) index() error {
	for i := range t.inflows {
		in := &t.inflows[i]
		t.byInflow[in.ID] = int32(i)
		in.settled = in.Settles.IsZero() || in.Settles.Before(t.through)
		if !in.settled {
			t.unsettled = append(t.unsettled, int32(i))
		}
		if t.totals[in.Asset] == nil {
			t.totals[in.Asset] = new([placeEnd]uint64)
		}
		sums := t.totals[in.Asset]
		for _, p := range in.portions {
			if p.place >= placeEnd || p.bill < -1 || int(p.bill) >= len(t.bills) || p.place == placeCredited && p.bill < 0 {
				return fmt.Errorf("%w: inflow %q: %d units in place %d, of bill %d", ErrBroken, in.ID.String(), p.units, p.place, p.bill)
			}
			sums[p.place] += p.units
			if p.place != placeCredited {
				continue
			}
			b := &t.bills[p.bill]
			b.credited += p.units
			if len(b.inflows) == 0 || b.inflows[len(b.inflows)-1] != int32(i) {
				b.inflows = append(b.inflows, int32(i))
			}
		}
		for n, bill := range in.refunds {
			if int(bill) >= len(t.bills) {
				return fmt.Errorf("%w: inflow %q: refund for bill %d of %d", ErrBroken, in.ID.String(), bill, len(t.bills))
			}
			t.byIntent[t.refundID(int32(i), n)] = int32(i)
		}
	}
	watch := time.Duration(t.params.WatchSeconds) * time.Second
	for n := range t.bills {
		b := &t.bills[n]
		t.byBill[b.ID], t.byRef[b.Reference] = int32(n), int32(n)
		if !b.lapsed && b.credited < b.Units {
			t.open = append(t.open, int32(n))
		}
		if !b.Expires.Add(watch).Before(t.through) {
			t.watched = append(t.watched, int32(n))
		}
	}
	return nil
}

func (in *tillInflow) encodeState(w *canon.Writer) {
	in.encode(w)
	w.Len(len(in.portions))
	for _, p := range in.portions {
		w.Uint8(uint8(p.place))
		w.Uint64(p.units)
		w.Int64(int64(p.bill))
		w.String(p.customer)
		w.String(string(p.to))
		w.Raw(p.intent[:])
	}
	w.Len(len(in.refunds))
	for _, bill := range in.refunds {
		w.Int64(int64(bill))
	}
	w.Len(len(in.reversals))
	for _, x := range in.reversals {
		w.String(x.cause)
		w.Uint64(x.units)
	}
}

func decodeTillInflow(r *canon.Reader) tillInflow {
	in := tillInflow{Inflow: decodeInflow(r)}
	in.portions = make([]portion, 0, r.Len(57))
	for range cap(in.portions) {
		p := portion{place: place(r.Uint8()), units: r.Uint64(), bill: int32(r.Int64()), customer: r.String(), to: Account(r.String())}
		r.Raw(p.intent[:])
		in.portions = append(in.portions, p)
	}
	for range r.Len(8) {
		in.refunds = append(in.refunds, int32(r.Int64()))
	}
	for range r.Len(12) {
		in.reversals = append(in.reversals, reversal{r.String(), r.Uint64()})
	}
	in.portions = slices.Clip(in.portions)
	return in
}
