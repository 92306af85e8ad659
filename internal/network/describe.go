package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Describe says a fact in one line, with its why.
func Describe(f Fact) string {
	switch f := f.(type) {
	case Admitted:
		return fmt.Sprintf("admitted: node %s reports %d x %s, %s", f.Node, len(f.Inventory.Devices), f.Inventory.Devices[0].Model, f.Assurance)
	case Proved:
		return describeProved(f)
	case ChipAttested:
		return fmt.Sprintf("attested: node %s: device %s carries chip %s%s", f.Found.Node, f.Found.Device, f.Found.ChipID, describeChanges(f.Changes))
	case Health:
		if f.Device == "" {
			return fmt.Sprintf("health: node %s is healthy, was %s", f.Node, f.From)
		}
		return fmt.Sprintf("health: node %s is %s, was %s: device %s", f.Node, f.To, f.From, f.Device)
	case Listed:
		return fmt.Sprintf("listed: node %s", f.Node)
	case Locked:
		return fmt.Sprintf("locked: %s IO of the %s of node %s, which has %s of %s", f.Amount, f.Role, f.Node, f.Bond.Counted, f.Bond.Required)
	case Rated:
		return describeRated(f)
	case Placed:
		return describePlacement(f)
	case Ended:
		return fmt.Sprintf("ended: lease %s of job %s, %s, %d device-seconds", f.Lease.ID, f.Lease.Job, f.Cause, deviceSeconds(f.Usage))
	case Billed:
		return fmt.Sprintf("billed: lease %s: net %s USD, the renter pays %s in %s, suppliers get %s, revenue %s", f.Bill.Lease, f.Quote.Net,
			f.Quote.RenterPays, f.Quote.With, f.Quote.SupplierGets, f.Quote.Revenue)
	case Converted:
		return fmt.Sprintf("converted: lease %s: %s USD bought %s IO at %s USD", f.Bill.Lease, f.Bill.Pays-f.Bill.Unspent, f.Bill.Paid, tokenomics.USD(f.Bill.Price.MicroPerToken))
	case Shared:
		return fmt.Sprintf("shared: lease %s: %s IO, of which %s burn and %s go to the treasury", f.Bill.Lease, f.Bill.Paid, f.Bill.Burn, f.Bill.Treasury)
	case Closed:
		return fmt.Sprintf("closed: block %d, emission %s IO, %d nodes were paid %s, %d were not nominated", f.Block.Epoch, f.Block.Emission,
			len(f.Block.Entries), f.Block.Paid(), len(f.Block.Excluded))
	case Retired:
		return fmt.Sprintf("retired: %s IO burned, supply %s", f.Amount, f.Total)
	case Paid:
		return fmt.Sprintf("paid: batch %s: %s; slot %d, signature %s", f.Batch, describeLines(f.Lines), f.Slot, f.Tx)
	case Unpaid:
		return fmt.Sprintf("unpaid: batch %s, to %s: %s", f.Batch, f.To, f.Reason)
	case Unclear:
		return fmt.Sprintf("unclear: marker %s exists; who made it is being found out", f.Marker)
	case Stuck:
		return fmt.Sprintf("stuck: batch %s: %s", f.Batch, f.Reason)
	}
	panic(fmt.Sprintf("network: Describe: %T", f))
}

func describeProved(proved Proved) string {
	f := proved.Found
	out := "passed"
	if f.Passed && !f.Judged {
		out = "passed, at a rate that is not judged"
	}
	if !f.Passed {
		out = "failed by " + f.Reason
		if f.Reason == transport {
			out = "not judged: " + f.Reason
		}
	}
	if f.OpsPerSecond > 0 {
		out += fmt.Sprintf(", at least %d giga-operations a second", f.OpsPerSecond/1_000_000_000)
	}
	return fmt.Sprintf("proved: node %s: device %s: challenge %s %s%s", f.Node, f.Device, f.ID, out, describeChanges(proved.Changes))
}

func describeChanges(changes []gpu.AssuranceChanged) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "; %s, was %s", c.To, c.From)
	}
	return b.String()
}

func describeRated(f Rated) string {
	s := fmt.Sprintf("rated: node %s is tier %d; 24 h without an outage: %s, at least %s", f.Node, f.Grade.Tier, Percent(f.Score.UpPPM), Percent(f.Score.LowPPM))
	if len(f.Assessment.Shortfalls) > 0 {
		s += "; " + f.Assessment.Shortfalls[0].String()
	}
	return s
}

// describeLines says what a batch moves: a line by itself, lines of one sort by their sum.
func describeLines(lines []settlement.Line) string {
	type sort struct {
		kind  settlement.Kind
		asset settlement.Asset
	}
	var sorts []sort
	sum, count := map[sort]uint64{}, map[sort]int{}
	for _, l := range lines {
		k := sort{l.Kind, l.Asset}
		if count[k] == 0 {
			sorts = append(sorts, k)
		}
		sum[k] += l.Units
		count[k]++
	}
	var parts []string
	for _, k := range sorts {
		amount := tokenomics.Amount(sum[k]).String() + " IO"
		if k.asset.Decimals == tokenomics.USDPlaces {
			amount = tokenomics.USD(sum[k]).String() + " USDC"
		}
		if count[k] > 1 {
			amount += fmt.Sprintf(" in %d lines", count[k])
		}
		parts = append(parts, fmt.Sprintf("%s %s", k.kind, amount))
	}
	return strings.Join(parts, ", ")
}

// DescribeMembers says where a lease runs: for each site its devices and nodes.
func DescribeMembers(members []sched.Member) string {
	var sites []sched.SiteID
	count, nodes := map[sched.SiteID]int{}, map[sched.SiteID][]string{}
	for _, m := range members {
		if count[m.Site] == 0 {
			sites = append(sites, m.Site)
		}
		count[m.Site] += len(m.Devices)
		nodes[m.Site] = append(nodes[m.Site], string(m.Node))
	}
	var parts []string
	for _, s := range sites {
		parts = append(parts, fmt.Sprintf("%d at %s (%s)", count[s], s, strings.Join(slices.Compact(nodes[s]), ", ")))
	}
	return strings.Join(parts, " and ")
}

// describePlacement says where a job was placed and why there.
func describePlacement(f Placed) string {
	p := f.Placement
	s := fmt.Sprintf("placed: job %s, lease %s: %s, for %s USD an hour", f.Lease.Job, f.Lease.ID, DescribeMembers(f.Lease.Members), tokenomics.USD(p.HourMicro))
	if p.Sites > 1 {
		return s + fmt.Sprintf("; no site can hold it (%s has room for %d), these %d are %d.%03d ms apart", p.Terms.BestSite, p.Terms.BestRoom, p.Sites,
			p.DelayMicros/1000, p.DelayMicros%1000)
	}
	if len(p.Members) == 1 {
		return s + fmt.Sprintf("; the cheapest of %d nodes that can hold it, of %d", p.Terms.Compared, p.Terms.Considered)
	}
	return s + fmt.Sprintf("; the cheapest of the sites that can hold all of it, %d can hold some", p.Terms.Compared)
}

// Percent writes parts per million as a percentage with four places.
func Percent(ppm uint32) string { return fmt.Sprintf("%d.%04d %%", ppm/10_000, ppm%10_000) }

func deviceSeconds(usage []sched.Usage) (sum uint64) {
	for _, u := range usage {
		sum += u.Seconds
	}
	return sum
}
