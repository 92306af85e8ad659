package network

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// bill turns what a lease has used into what its renter owes, and asks for the money.
func (n *Network) bill(at time.Time, e sched.Ended) []Fact {
	who := n.byLease[e.Lease.ID]
	delete(n.byLease, e.Lease.ID)
	b := &Bill{
		Lease: e.Lease.ID, Job: e.Lease.Job, Wallet: who.wallet, Currency: who.currency, Epoch: n.epoch(e.Lease.Until), Price: n.price,
		Suppliers: n.parts(e), Stage: StageDue,
	}
	for _, p := range b.Suppliers {
		b.Net += p.Net
	}
	if b.Net == 0 { // nothing was metered, nothing is owed
		return nil
	}
	q, err := n.p.Tokenomics.Fees.Quote(b.Net, b.Currency)
	must(err)
	b.Pays, b.Revenue = q.RenterPays, q.Revenue
	nets := make([]uint64, len(b.Suppliers))
	for i, p := range b.Suppliers {
		nets[i] = uint64(p.Net)
	}
	gets, err := tokenomics.Split(tokenomics.Amount(q.SupplierGets), nets) // dollars: Split only counts units
	must(err)
	for i := range gets {
		b.Suppliers[i].Gets = tokenomics.USD(gets[i])
	}
	n.bills = append(n.bills, b)
	n.collect(at, len(n.bills)-1)
	return append([]Fact{Billed{Bill: b.clone(), Quote: q}}, n.follow(at, len(n.bills)-1)...)
}

// follow takes a bill to its next step as long as no intent of the present one is open.
func (n *Network) follow(at time.Time, i int) []Fact {
	var facts []Fact
	for b := n.bills[i]; b.pending == 0; {
		switch {
		case b.Stage == StageDue && b.Currency != tokenomics.IO:
			n.convert(at, i)
		case b.Stage == StageDue:
			n.share(at, i)
			facts = append(facts, Shared{b.clone()})
		case b.Stage == StageConverting:
			facts = append(facts, Converted{b.clone()})
			n.share(at, i)
			facts = append(facts, Shared{b.clone()})
		case b.Stage == StageSharing:
			b.Stage = StageDone
			return facts
		default:
			return facts
		}
	}
	return facts
}

// parts sums the usage by supplier. What a supplier earns rounds down to the millionth of a dollar, once, on his sum:
// the renter is never charged for time that was not metered.
func (n *Network) parts(e sched.Ended) []Part {
	type sum struct {
		hi, lo uint64 // seconds * millionths of a dollar per hour, 128 bits
		nodes  map[string]bool
	}
	sums := map[string]*sum{}
	for _, u := range e.Usage {
		s := sums[string(u.Supplier)]
		if s == nil {
			s = &sum{nodes: map[string]bool{}}
			sums[string(u.Supplier)] = s
		}
		hi, lo := bits.Mul64(u.Seconds, u.HourMicro)
		var carry uint64
		s.lo, carry = bits.Add64(s.lo, lo, 0)
		s.hi += hi + carry
		s.nodes[string(u.Node)] = true
	}
	var out []Part
	for _, wallet := range slices.Sorted(maps.Keys(sums)) {
		s := sums[wallet]
		usd, _ := bits.Div64(s.hi, s.lo, 3600) // at most maxBill, which Submit.Request sees to
		if usd > 0 {
			out = append(out, Part{Wallet: wallet, Nodes: slices.Sorted(maps.Keys(s.nodes)), Net: tokenomics.USD(usd)})
		}
	}
	return out
}

// epoch returns the epoch that holds the instant; what happens before the calendar begins belongs to the first.
func (n *Network) epoch(at time.Time) tokenomics.Epoch {
	if at.Before(n.calendar().Start) {
		return 1
	}
	e, err := n.calendar().At(at)
	must(err)
	return e
}

// collect is the first step: the renter pays into the escrow, in IO or in USDC.
func (n *Network) collect(at time.Time, i int) {
	b := n.bills[i]
	in := settlement.Intent{
		Kind: settlement.Pay, Asset: n.p.USDC, From: settlement.Account(b.Wallet), To: n.p.Accounts.Escrow, Units: uint64(b.Pays),
		Cause: fmt.Sprintf("job %s, lease %s", b.Job, b.Lease),
	}
	if b.Currency == tokenomics.IO {
		paid, _, err := tokenomics.Convert(b.Pays, b.Price)
		must(err)
		b.Paid, in.Asset, in.Units = paid, n.p.IO, uint64(paid)
	}
	n.decide(at, i, "collect", in)
}

// convert is the second step, of a bill that was paid in dollars: the desk takes the dollars and gives IO, both in one
// transaction.
func (n *Network) convert(at time.Time, i int) {
	b := n.bills[i]
	b.Price = n.price
	paid, rest, err := tokenomics.Convert(b.Pays, b.Price)
	must(err)
	b.Paid, b.Unspent, b.Stage = paid, rest, StageConverting
	bundle := "convert/" + string(b.Lease)
	cause := fmt.Sprintf("lease %s at %d millionths of a dollar a token", b.Lease, b.Price.MicroPerToken)
	n.decide(at, i, "convert",
		settlement.Intent{
			Kind: settlement.Move, Asset: n.p.USDC, From: n.p.Accounts.Escrow, To: n.p.Accounts.Desk, Units: uint64(b.Pays - rest), Bundle: bundle, Cause: cause,
		},
		settlement.Intent{
			Kind: settlement.Move, Asset: n.p.IO, From: n.p.Accounts.Desk, To: n.p.Accounts.Escrow, Units: uint64(paid), Bundle: bundle, Cause: cause,
		})
}

// share is the last step: the IO is divided by what each side gets in dollars, exactly; of the revenue a part burns.
func (n *Network) share(at time.Time, i int) {
	b := n.bills[i]
	weights := make([]uint64, 0, len(b.Suppliers)+1)
	for _, p := range b.Suppliers {
		weights = append(weights, uint64(p.Gets))
	}
	parts, err := tokenomics.Split(b.Paid, append(weights, uint64(b.Revenue)))
	must(err)
	revenue := parts[len(parts)-1]
	b.Burn, err = n.p.Tokenomics.Burn.Burn(revenue, b.Price, n.p.Reference)
	must(err)
	b.Treasury, b.Stage = revenue-b.Burn, StageSharing
	var out []settlement.Intent
	for k := range b.Suppliers {
		p := &b.Suppliers[k]
		p.Amount = parts[k]
		out = append(out, settlement.Intent{
			Kind: settlement.Pay, To: settlement.Account(p.Wallet), Units: uint64(p.Amount), Cause: fmt.Sprintf("earnings of lease %s", b.Lease),
		})
	}
	out = append(out,
		settlement.Intent{Kind: settlement.Burn, Units: uint64(b.Burn), Cause: fmt.Sprintf("burn from the revenue of lease %s", b.Lease)},
		settlement.Intent{Kind: settlement.Move, To: n.p.Accounts.Treasury, Units: uint64(b.Treasury), Cause: fmt.Sprintf("revenue of lease %s", b.Lease)})
	for k := range out {
		out[k].Asset, out[k].From = n.p.IO, n.p.Accounts.Escrow
	}
	n.decide(at, i, "share", out...)
}

// maxBilled is how many base units of an asset all bills together may move. The other half of 64 bits is more than
// enough for the rewards, so that the journal, which counts all that was ever decided, never has to refuse a block's.
const maxBilled = 1 << 63

// decide hands the intents of a bill's step to the journal. An intent of no units is left out. A bill that would take all
// bills beyond maxBilled stays unpaid.
func (n *Network) decide(at time.Time, i int, step string, in ...settlement.Intent) {
	b := n.bills[i]
	in = slices.DeleteFunc(in, func(x settlement.Intent) bool { return x.Units == 0 })
	if !n.count(in) {
		b.Stage = StageUnpaid
		return
	}
	for k := range in {
		in[k].ID = settlement.NewIntentID(in[k].Kind, "bill", string(b.Lease), step, string(in[k].To), string(in[k].Asset.Mint))
		n.waiting[in[k].ID] = i
		if in[k].Kind == settlement.Burn {
			n.burns[in[k].ID] = true
		}
	}
	b.pending = len(in)
	if len(in) > 0 {
		n.order(at, n.epoch(at), in)
	}
}

// order hands intents to the journal, which was asked before whether it could refuse them.
func (n *Network) order(at time.Time, k tokenomics.Epoch, in []settlement.Intent) {
	_, err := n.journal.Apply(at, settlement.Decided{Epoch: k, Intents: in})
	must(err)
	n.decided += len(in)
}

// count adds intents to what all bills together move, unless that would pass maxBilled.
func (n *Network) count(in []settlement.Intent) bool {
	sums := map[settlement.Asset]uint64{}
	for _, x := range in {
		if x.Units > maxBilled-n.billed[x.Asset]-sums[x.Asset] {
			return false
		}
		sums[x.Asset] += x.Units
	}
	for _, x := range in {
		n.billed[x.Asset] += x.Units
	}
	return true
}

// clone returns a copy that shares no memory with the bill.
func (b *Bill) clone() Bill {
	c := *b
	c.Suppliers = slices.Clone(b.Suppliers)
	return c
}
