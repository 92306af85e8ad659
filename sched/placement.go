package sched

import (
	"fmt"
	"math"

	"github.com/idlegrid/idlegrid/gpu"
)

// Unmeasured stands for the delay of a link that was never measured, in a placement whose request limits no links.
const Unmeasured uint32 = math.MaxUint32

// Placement says where each replica of a request goes.
type Placement struct {
	// Members are in order of rank.
	Members []Member
	// Sites is how many sites they use.
	Sites int
	// DelayMicros is the worst delay between two of the sites: 0 for one site, Unmeasured if a link was never measured.
	DelayMicros uint32
	// HourMicro is the price of all devices together for an hour, in millionths of a dollar.
	HourMicro uint64
	// Exhaustive says that no better placement exists; false if the search ran out of steps.
	Exhaustive bool
	// Terms are the figures behind the decision.
	Terms Terms
}

// Member is one replica of a placement.
type Member struct {
	// Rank counts the replicas from 0.
	Rank     int
	Node     NodeID
	Site     SiteID
	Supplier SupplierID
	Devices  []gpu.DeviceID
	// HourMicro is the price of one of the devices for an hour, in millionths of a dollar.
	HourMicro uint64
}

// Terms are the figures behind a placement.
type Terms struct {
	// Considered counts all nodes, Eligible those that passed every filter, Room the replicas that these could hold together.
	Considered, Eligible, Room int
	// BestSite is the site with the most room, BestRoom how many replicas it could hold, at most as many as were asked for.
	BestSite SiteID
	BestRoom int
}

// Why returns the decision in lines for people to read.
func (p Placement) Why() []string {
	t := p.Terms
	out := []string{fmt.Sprintf("%d of %s pass the filters, with room for %d of %s", t.Eligible,
		plural(t.Considered, "node"), t.Room, plural(len(p.Members), "replica"))}
	if p.Sites > 1 {
		out = append(out, fmt.Sprintf("no site holds all: the best is %s with %d", t.BestSite, t.BestRoom))
	}
	for i := 0; i < len(p.Members); {
		j, first := i, p.Members[i]
		for j < len(p.Members) && p.Members[j].Node == first.Node {
			j++
		}
		out = append(out, fmt.Sprintf("%s at %s takes %d of them, %d.%06d dollars a card and hour", first.Node, first.Site, j-i,
			first.HourMicro/million, first.HourMicro%million))
		i = j
	}
	switch {
	case p.Sites > 1 && p.DelayMicros == Unmeasured:
		out = append(out, fmt.Sprintf("%d sites, not all links measured", p.Sites))
	case p.Sites > 1:
		out = append(out, fmt.Sprintf("%d sites, at most %d us apart", p.Sites, p.DelayMicros))
	}
	return out
}
