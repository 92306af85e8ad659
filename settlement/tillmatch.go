package settlement

import (
	"fmt"
	"slices"
)

const maxProposals = 16 // bills that an operator is offered for one inflow

// share is what one bill is to get of an inflow.
type share struct {
	bill  int32
	units uint64
}

func (t *Till) inflowSeen(in Inflow) ([]TillEffect, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if i, ok := t.byInflow[in.ID]; ok {
		if known := t.inflows[i].Inflow; !known.same(in) {
			return nil, fmt.Errorf("%w: inflow %q was seen as %d units of mint %q from %q", ErrConflict, in.ID.String(), known.Units, known.Asset.Mint, known.Payer)
		}
		return nil, nil
	}
	if had := t.Totals(in.Asset).In; had+in.Units < had {
		return nil, &InflowError{in.ID, "Units", fmt.Sprintf("take all that came in of %q beyond 64 bits", in.Asset.Mint)}
	}
	i := int32(len(t.inflows))
	bare := in
	bare.Refs, bare.Transfers = nil, nil
	bare.Arrived, bare.Settles = instant(in.Arrived), instant(in.Settles)
	settled := in.Settles.IsZero() || in.Settles.Before(t.through)
	t.inflows = append(t.inflows, tillInflow{
		Inflow: bare, settled: settled, portions: []portion{{place: placeSuspended, units: in.Units, bill: -1}},
	})
	t.byInflow[in.ID] = i
	if !settled {
		t.unsettled = append(t.unsettled, i)
	}
	if t.totals[in.Asset] == nil {
		t.totals[in.Asset] = new([placeEnd]uint64)
	}
	t.totals[in.Asset][placeSuspended] += in.Units
	return t.allot(i, in), nil
}

// allot gives an inflow, all of which is suspended, to the bills that it is for. What is in doubt stays suspended.
func (t *Till) allot(i int32, in Inflow) []TillEffect {
	if in.Asset.Mint == "" && in.Units < t.params.MinCoin {
		return t.keep(i)
	}
	treasury, doubt := t.treasuryOf(in)
	if doubt != 0 {
		return []TillEffect{Suspended{in.ID, in.Units, doubt, t.named(in)}}
	}
	shares, doubt := t.shares(in, treasury)
	if doubt == DoubtReference && in.Units < t.params.Treasuries[treasury].MinRefund {
		return t.keep(i)
	}
	var effects []TillEffect
	left := in.Units
	for _, s := range shares {
		left -= s.units
		effects = append(effects, t.pay(i, s)...)
	}
	if left == 0 {
		return effects
	}
	bills := t.named(in)
	if doubt == DoubtReference {
		bills = t.guess(in, treasury)
	}
	return append(effects, Suspended{in.ID, left, doubt, bills})
}

// keep puts dust aside.
func (t *Till) keep(i int32) []TillEffect {
	in := &t.inflows[i]
	t.move(i, 0, in.Units, portion{place: placeKept, bill: -1})
	return []TillEffect{Kept{in.ID, in.Payer, in.Units}}
}

// treasuryOf returns the treasury that an inflow came into, or why it came into none.
func (t *Till) treasuryOf(in Inflow) (int, Doubt) {
	if in.Asset.Mint == "" {
		return 0, DoubtCoin
	}
	i := t.params.account(in.ID.Account)
	if !slices.ContainsFunc(t.params.Treasuries, func(x Treasury) bool { return x.Asset == in.Asset }) || i >= 0 && t.params.Treasuries[i].Asset != in.Asset {
		return 0, DoubtMint
	}
	if !slices.ContainsFunc(t.params.Treasuries, func(x Treasury) bool { return x.Asset == in.Asset && x.Program == in.Program }) {
		return 0, DoubtProgram
	}
	if i < 0 || t.params.Treasuries[i].Owner != in.Owner {
		return 0, DoubtAccount
	}
	return i, 0
}

// shares says which bills get how much of an inflow, and why the rest is in doubt. One transfer that names two bills could pay
// each of them in the eyes of a check that looks for a reference and an amount (the flaw of CVE-2022-35917): so units are
// dealt out once, and where the transfers do not tell for whom, not at all.
func (t *Till) shares(in Inflow, treasury int) ([]share, Doubt) {
	all := slices.Clone(in.Refs)
	for _, x := range in.Transfers {
		all = append(all, x.Refs...)
	}
	if n := t.meant(in, all, treasury); n >= 0 {
		return []share{{n, in.Units}}, DoubtAmbiguous
	}
	if len(t.claim(all, treasury)) == 0 {
		if len(t.claim(all, -1)) > 0 {
			return nil, DoubtOtherBill
		}
		return nil, DoubtReference
	}
	left := in.Units
	var shares []share
	for _, x := range in.Transfers {
		if x.Units > left {
			return nil, DoubtAmbiguous // a fee of the token: what each transfer brought is not known
		}
		left -= x.Units
		n := t.meant(in, x.Refs, treasury)
		if n < 0 || x.Units == 0 {
			continue
		}
		if at := slices.IndexFunc(shares, func(s share) bool { return s.bill == n }); at >= 0 {
			shares[at].units += x.Units
		} else {
			shares = append(shares, share{n, x.Units})
		}
	}
	return shares, DoubtAmbiguous
}

// meant returns the bill that references mean: the only one of the treasury that takes the money, or the only one of the
// treasury at all if none does. It returns -1 if they mean none or several.
func (t *Till) meant(in Inflow, refs []Reference, treasury int) int32 {
	claims := t.claim(refs, treasury)
	taking := slices.DeleteFunc(slices.Clone(claims), func(n int32) bool { return !t.bills[n].takes(in.Arrived) })
	switch {
	case len(taking) == 1:
		return taking[0]
	case len(taking) == 0 && len(claims) == 1:
		return claims[0]
	}
	return -1
}

// claim returns the bills of the references, each once, in order of opening: those of one treasury, or all for -1.
func (t *Till) claim(refs []Reference, treasury int) []int32 {
	var out []int32
	for _, r := range refs {
		n, ok := t.byRef[r]
		if ok && (treasury < 0 || t.params.treasury(t.bills[n].Asset, t.bills[n].Owner) == treasury) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pay gives suspended units of an inflow to a bill, and what it cannot take to the customer or back to the payer.
func (t *Till) pay(i int32, s share) []TillEffect {
	in, b := &t.inflows[i], &t.bills[s.bill]
	from := func() int { return in.last(placeSuspended) }
	paid := !b.lapsed && b.credited == b.Units
	if !paid && !b.takes(in.Arrived) {
		return []TillEffect{t.dispose(i, from(), s.units, s.bill, b.Remainder, SurplusLate)}
	}
	var effects []TillEffect
	units := min(s.units, b.Units-b.credited)
	if units > 0 {
		t.move(i, from(), units, portion{place: placeCredited, bill: s.bill})
		effects = append(effects, Credited{b.ID, in.ID, units, b.Units - b.credited, in.settled})
	}
	more := s.units - units
	if more == 0 {
		return effects
	}
	how := ToBalance
	if more > b.RefundOver {
		how = ToPayer
	}
	return append(effects, t.dispose(i, from(), more, s.bill, how, SurplusMore))
}

// named returns the open bills whose references stand in the transaction.
func (t *Till) named(in Inflow) []string {
	refs := slices.Clone(in.Refs)
	for _, x := range in.Transfers {
		refs = append(refs, x.Refs...)
	}
	var out []string
	for _, n := range t.claim(refs, -1) {
		if b := &t.bills[n]; b.takes(in.Arrived) && len(out) < maxProposals {
			out = append(out, b.ID)
		}
	}
	return out
}

// guess returns the open bills that an inflow without a reference may be meant for: by memo, or by payer, exact sum and time.
func (t *Till) guess(in Inflow, treasury int) []string {
	var out []string
	for _, n := range t.open {
		b := &t.bills[n]
		if t.params.treasury(b.Asset, b.Owner) != treasury || !b.takes(in.Arrived) || len(out) == maxProposals {
			continue
		}
		byPayer := b.Payer != "" && b.Payer == in.Payer && in.Units == b.Units-b.credited && !in.Arrived.Before(b.opened)
		if byPayer || b.Memo != "" && b.Memo == in.Memo {
			out = append(out, b.ID)
		}
	}
	return out
}
