package sched

import (
	"fmt"
	"math"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// Unmeasured stands for the delay of a link that was never measured, in a placement whose request allows such links.
const Unmeasured uint32 = math.MaxUint32

// Placement says where each replica of a request goes.
type Placement struct {
	// Members are in order of rank, Spares stand by.
	Members, Spares []Member
	// From is when it begins.
	From time.Time
	// Alternative is 0 for what the request asks for itself, i for its i-th alternative, counted from 1.
	Alternative int
	// Sites is how many sites the members use, without spares.
	Sites int
	// DelayMicros is the worst delay between two of the sites, spares included: 0 for one site, Unmeasured if a link was never measured.
	DelayMicros uint32
	// HourMicro is the price of all devices together for an hour, spares included, in millionths of a dollar.
	HourMicro uint64
	// SurvivalPPM is the chance that all replicas can run to the end, spares taking over, in parts per million, rounded down: see Survival.
	SurvivalPPM uint32
	// Exhaustive says that no better placement exists; false if the search ran out of steps, or compared only the first candidates.
	Exhaustive bool
	// Terms are the figures behind the decision.
	Terms Terms
}

// Member is one replica of a placement.
type Member struct {
	// Rank counts the replicas from 0; spares go on counting.
	Rank     int
	Node     NodeID
	Site     SiteID
	Supplier SupplierID
	Devices  []gpu.DeviceID
	// ShareMilli is the part of the device where a share was asked for, 0 for whole devices. MIGSlices is the set of memory slices of an instance.
	ShareMilli uint16
	MIGSlices  uint8
	// HourMicro is the price of one of the devices for an hour, or of the part of it, rounded up, in millionths of a dollar.
	HourMicro uint64
}

// Terms are the figures behind a placement.
type Terms struct {
	// Considered counts all nodes. Compared counts those of them that passed every filter and were compared with each other; for several replicas,
	// the sites with room for at least one.
	Considered, Compared int
	// RunnerUp is the node that one replica would have gone to otherwise, empty if there is none or several replicas were placed. Lost is the
	// criterion by which it lost, 0 where it only came later in the walk; Had and Won are what it had and what the winner has, as the criterion
	// measures it.
	RunnerUp NodeID
	Lost     Criterion
	Had, Won int64
	// BestSite is the site with the most room for a gang, BestRoom how many replicas it could hold, at most as many as were asked for.
	BestSite SiteID
	BestRoom int
}

// Why returns the decision in lines for people to read.
func (p Placement) Why() []string {
	t := p.Terms
	var out []string
	switch {
	case len(p.Members) == 0:
		return nil
	case len(p.Members) == 1 && t.RunnerUp == "":
		out = append(out, fmt.Sprintf("the only one that passes of %s", plural(t.Considered, "node")))
	case len(p.Members) == 1:
		out = append(out, fmt.Sprintf("the best of %d that pass of %s", t.Compared, plural(t.Considered, "node")))
	case p.Sites > 1:
		out = append(out, fmt.Sprintf("no site holds all %d replicas: the best is %s with %d", len(p.Members), t.BestSite, t.BestRoom))
	default:
		out = append(out, fmt.Sprintf("%s holds all %d replicas", p.Members[0].Site, len(p.Members)))
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
	case len(p.Members) == 1 && t.RunnerUp != "" && t.Lost != 0:
		out = append(out, fmt.Sprintf("%s is next: %v %d, here %d", t.RunnerUp, t.Lost, t.Had, t.Won))
	case len(p.Members) == 1 && t.RunnerUp != "":
		out = append(out, fmt.Sprintf("%s is as good and comes later", t.RunnerUp))
	}
	switch {
	case p.Sites > 1 && p.DelayMicros == Unmeasured:
		out = append(out, fmt.Sprintf("%d sites, not all links measured", p.Sites))
	case p.Sites > 1:
		with := ""
		if len(p.Spares) > 0 {
			with = " with the spares'"
		}
		out = append(out, fmt.Sprintf("%d sites%s, at most %d us apart", p.Sites, with, p.DelayMicros))
	}
	if n := len(p.Spares); n > 0 {
		out = append(out, fmt.Sprintf("%s, so that all can run to the end with %d.%04d %%", plural(n, "spare"), p.SurvivalPPM/10_000,
			p.SurvivalPPM%10_000))
	}
	return out
}
