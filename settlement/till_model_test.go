package settlement_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

// model is the till again, slow and obvious: every unit of an inflow is one entry of a list that says where it is. Nothing is
// summed up but by counting.
type model struct {
	params  settlement.TillParams
	bills   []settlement.Bill
	opened  map[string]time.Time
	lapsed  map[string]bool
	inflows []*modelInflow
	trouble map[settlement.Account]string
	through time.Time
}

type modelInflow struct {
	settlement.Inflow
	units     []modelUnit
	reversals map[string]uint64
	refunds   []string // bill of each, in order
}

// modelUnit is one unit. A refund has the number of its order among the inflow's.
type modelUnit struct {
	place  string
	bill   string
	whose  string
	refund int
}

func newModel() *model {
	return &model{params: tillParams(), opened: map[string]time.Time{}, lapsed: map[string]bool{}, trouble: map[settlement.Account]string{}}
}

func (m *model) bill(id string) *settlement.Bill {
	for i := range m.bills {
		if m.bills[i].ID == id {
			return &m.bills[i]
		}
	}
	return nil
}

func (m *model) inflow(id settlement.InflowID) *modelInflow {
	for _, in := range m.inflows {
		if in.ID == id {
			return in
		}
	}
	return nil
}

// paid counts the units that a bill holds.
func (m *model) paid(id string) uint64 {
	n := 0
	for _, in := range m.inflows {
		for _, u := range in.units {
			if u.place == "credited" && u.bill == id {
				n++
			}
		}
	}
	return uint64(n)
}

func (m *model) takes(b *settlement.Bill, arrived time.Time) bool {
	return !m.lapsed[b.ID] && m.paid(b.ID) < b.Units && !arrived.After(b.Expires)
}

// count returns how many units of the inflow are in a place.
func (in *modelInflow) count(place string) (n uint64) {
	for _, u := range in.units {
		if u.place == place {
			n++
		}
	}
	return n
}

// put moves the first n units that are in a place, behind those that are where they go, or to the end.
func (in *modelInflow) put(n uint64, is func(u modelUnit) bool, to modelUnit) {
	for range n {
		at := slices.IndexFunc(in.units, is)
		in.units = slices.Delete(in.units, at, at+1)
		behind := len(in.units)
		for k, u := range in.units {
			if u == to {
				behind = k + 1
			}
		}
		in.units = slices.Insert(in.units, behind, to)
	}
}

func at(places ...string) func(u modelUnit) bool {
	return func(u modelUnit) bool { return slices.Contains(places, u.place) }
}

// apply takes an event that the till has accepted.
func (m *model) apply(now time.Time, e settlement.TillEvent) {
	switch e := e.(type) {
	case settlement.BillOpened:
		if m.bill(e.Bill.ID) == nil {
			m.bills = append(m.bills, e.Bill)
			m.opened[e.Bill.ID] = now
		}
	case settlement.InflowSeen:
		if m.inflow(e.Inflow.ID) == nil {
			in := &modelInflow{Inflow: e.Inflow, reversals: map[string]uint64{}}
			for range e.Inflow.Units {
				in.units = append(in.units, modelUnit{place: "suspended"})
			}
			m.inflows = append(m.inflows, in)
			m.allot(in)
		}
	case settlement.InflowReversed:
		in := m.inflow(e.Inflow)
		if _, told := in.reversals[e.Cause]; told {
			return
		}
		in.reversals[e.Cause] = e.Units
		for range e.Units {
			for _, place := range []string{"suspended", "kept", "balance", "credited"} {
				last := -1
				for k, u := range in.units {
					if u.place == place {
						last = k
					}
				}
				if last >= 0 {
					in.units = append(slices.Delete(in.units, last, last+1), modelUnit{place: "reversed"})
					break
				}
			}
		}
	case settlement.SeenThrough:
		if e.Time.Before(m.through) {
			return
		}
		m.through = e.Time
		for _, b := range m.bills {
			if b.Expires.Before(e.Time) && !m.lapsed[b.ID] && m.paid(b.ID) < b.Units {
				m.lapsed[b.ID] = true
				for _, in := range m.inflows {
					is := func(u modelUnit) bool { return u.place == "credited" && u.bill == b.ID }
					n := 0
					for _, u := range in.units {
						if is(u) {
							n++
						}
					}
					m.dispose(in, uint64(n), is, &b, b.Remainder)
				}
			}
		}
	case settlement.Released:
		in := m.inflow(e.Inflow)
		n, to := e.Units, modelUnit{place: "balance", whose: e.Customer}
		if e.Bill != "" {
			n, to = min(n, m.bill(e.Bill).Units-m.paid(e.Bill)), modelUnit{place: "credited", bill: e.Bill}
		}
		in.put(n, at("suspended", "kept"), to)
	case settlement.RefundOrdered:
		in := m.inflow(e.Inflow)
		in.refunds = append(in.refunds, "")
		in.put(e.Units, at("suspended", "kept"), modelUnit{place: "owed", refund: len(in.refunds)})
	case settlement.RefundRefused:
		for _, in := range m.inflows {
			for n := 1; n <= len(in.refunds); n++ {
				is := func(u modelUnit) bool { return u.place == "owed" && u.refund == n }
				k := slices.IndexFunc(in.units, is)
				if k >= 0 && m.intent(in, n) == e.Intent {
					total := 0
					for _, u := range in.units {
						if is(u) {
							total++
						}
					}
					in.put(uint64(total), is, modelUnit{place: "suspended", bill: in.units[k].bill})
				}
			}
		}
	case settlement.TreasuryChanged:
		m.trouble[e.Account] = e.Trouble
	}
}

// intent is the ID of the inflow's n-th refund.
func (m *model) intent(in *modelInflow, n int) settlement.IntentID {
	cause := []string{"refund", in.ID.Tx, string(in.ID.Account), in.refunds[n-1]}
	count := 0
	for _, bill := range in.refunds[:n] {
		if bill == in.refunds[n-1] {
			count++
		}
	}
	if count > 1 {
		cause = append(cause, fmt.Sprint(count))
	}
	return settlement.NewIntentID(settlement.Refund, cause...)
}

func (m *model) allot(in *modelInflow) {
	if in.Asset.Mint == "" {
		if in.Units < m.params.MinCoin {
			in.put(in.Units, at("suspended"), modelUnit{place: "kept"})
		}
		return
	}
	var mine *settlement.Treasury
	for i, t := range m.params.Treasuries {
		if t.Account == in.ID.Account && t.Owner == in.Owner && t.Asset == in.Asset && t.Program == in.Program {
			mine = &m.params.Treasuries[i]
		}
	}
	if mine == nil {
		return
	}
	all := slices.Clone(in.Refs)
	for _, x := range in.Transfers {
		all = append(all, x.Refs...)
	}
	if b := m.meant(in, all, mine); b != nil {
		m.pay(in, in.Units, b)
		return
	}
	known, mineToo := 0, 0
	for _, b := range m.bills {
		if slices.Contains(all, b.Reference) {
			known++
			if b.Asset == mine.Asset && b.Owner == mine.Owner {
				mineToo++
			}
		}
	}
	if known == 0 && in.Units < mine.MinRefund {
		in.put(in.Units, at("suspended"), modelUnit{place: "kept"})
	}
	if mineToo == 0 {
		return
	}
	sum := uint64(0)
	for _, x := range in.Transfers {
		sum += x.Units // the history's are small
	}
	if sum > in.Units {
		return
	}
	type claim struct {
		bill  *settlement.Bill
		units uint64
	}
	var claims []claim
	for _, x := range in.Transfers {
		b := m.meant(in, x.Refs, mine)
		if b == nil {
			continue
		}
		k := slices.IndexFunc(claims, func(c claim) bool { return c.bill == b })
		if k < 0 {
			claims, k = append(claims, claim{bill: b}), len(claims)
		}
		claims[k].units += x.Units
	}
	for _, c := range claims {
		m.pay(in, c.units, c.bill)
	}
}

func (m *model) meant(in *modelInflow, refs []settlement.Reference, mine *settlement.Treasury) *settlement.Bill {
	var all, taking []*settlement.Bill
	for i := range m.bills {
		b := &m.bills[i]
		if slices.Contains(refs, b.Reference) && b.Asset == mine.Asset && b.Owner == mine.Owner {
			all = append(all, b)
			if m.takes(b, in.Arrived) {
				taking = append(taking, b)
			}
		}
	}
	if len(taking) == 1 {
		return taking[0]
	}
	if len(taking) == 0 && len(all) == 1 {
		return all[0]
	}
	return nil
}

func (m *model) pay(in *modelInflow, n uint64, b *settlement.Bill) {
	if m.lapsed[b.ID] || m.paid(b.ID) < b.Units && in.Arrived.After(b.Expires) {
		m.dispose(in, n, at("suspended"), b, b.Remainder)
		return
	}
	now := min(n, b.Units-m.paid(b.ID))
	in.put(now, at("suspended"), modelUnit{place: "credited", bill: b.ID})
	if n -= now; n > b.RefundOver {
		m.dispose(in, n, at("suspended"), b, settlement.ToPayer)
	} else {
		m.dispose(in, n, at("suspended"), b, settlement.ToBalance)
	}
}

func (m *model) dispose(in *modelInflow, n uint64, is func(u modelUnit) bool, b *settlement.Bill, how settlement.Disposal) {
	if n == 0 {
		return
	}
	least := uint64(0)
	for _, t := range m.params.Treasuries {
		if t.Asset == b.Asset && t.Owner == b.Owner {
			least = t.MinRefund
		}
	}
	to := modelUnit{place: "balance", bill: b.ID, whose: b.Customer}
	if how == settlement.ToPayer && in.Payer != "" && in.Payer != in.Owner && n >= least {
		in.refunds = append(in.refunds, b.ID)
		to = modelUnit{place: "owed", bill: b.ID, refund: len(in.refunds)}
	}
	in.put(n, is, to)
}

// books writes where all money is, to be compared with those of a till.
func (m *model) books() string {
	out := ""
	for _, b := range m.bills {
		paid := m.paid(b.ID)
		state := settlement.BillOpen
		switch {
		case m.lapsed[b.ID]:
			state = settlement.BillLapsed
		case paid == b.Units:
			state = settlement.BillPaid
		case paid > 0:
			state = settlement.BillPart
		}
		out += fmt.Sprintf("%s %s %d\n", b.ID, state, paid)
	}
	for _, in := range m.inflows {
		final := in.Settles.IsZero() || in.Settles.Before(m.through)
		out += fmt.Sprintf("%s %d %d %d %d %d %d %t\n", in.ID, in.count("credited"), in.count("balance"), in.count("suspended"),
			in.count("kept"), in.count("owed"), in.count("reversed"), final)
	}
	return out
}

func tillBooks(till *settlement.Till) string {
	out := ""
	for b := range till.Bills() {
		out += fmt.Sprintf("%s %s %d\n", b.Bill.ID, b.State, b.Paid)
	}
	for in := range till.Inflows() {
		out += fmt.Sprintf("%s %d %d %d %d %d %d %t\n", in.Inflow.ID, in.Credited, in.Balance, in.Suspended, in.Kept, in.Owed, in.Reversed, in.Settled)
	}
	return out
}
