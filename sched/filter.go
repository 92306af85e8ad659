package sched

import (
	"cmp"
	"slices"
)

// ask is a request in the fleet's numbers.
type ask struct {
	models, countries []bool // by number; nil allows all
	gpus              int
	replicas          int
	sites             int
	mem, cpu, ram     uint64
	hour              uint64 // math.MaxUint64 where the request has no limit: a price is never above it
	standing          uint32
	connectivity      uint8
	tier              uint8
	delay, mbps       uint32 // 0 is no limit
	unmeasured        bool   // links that were never measured will do, whatever the limits
}

// ask translates a request that was checked.
func (f *Fleet) ask(r *Request) ask {
	q := ask{
		gpus: int(r.GPUsPerReplica), replicas: int(r.Replicas), sites: r.sites(),
		mem: r.MinMemoryMiB, cpu: r.CPUMilli, ram: r.RAMMiB, hour: r.MaxHourMicro, standing: r.MinStandingPPM,
		connectivity: r.MinConnectivity, tier: r.MinTier, delay: r.MaxDelayMicros, mbps: r.MinMbps,
	}
	if q.hour == 0 {
		q.hour = ^uint64(0)
	}
	q.unmeasured = q.delay == 0 && q.mbps == 0
	q.models = chosen(f.models, r.Models)
	q.countries = chosen(f.countries, r.Countries)
	return q
}

func chosen(n names[string], list []string) []bool {
	if len(list) == 0 {
		return nil
	}
	out := make([]bool, len(n.list))
	for _, s := range list {
		if i, ok := n.index[s]; ok {
			out[i] = true
		}
	}
	return out
}

// charge returns the first reason that keeps a node from holding one replica, 0 if none does.
func (q *ask) charge(r *row) Reason {
	switch {
	case !r.up:
		return ReasonDown
	case q.models != nil && !q.models[r.model]:
		return ReasonModel
	case r.mem < q.mem:
		return ReasonMemory
	case q.countries != nil && !q.countries[r.country]:
		return ReasonCountry
	case r.connectivity < q.connectivity:
		return ReasonConnectivity
	case r.tier < q.tier:
		return ReasonTier
	case r.standing < q.standing:
		return ReasonStanding
	case r.hour > q.hour:
		return ReasonPrice
	case int(r.cards) < q.gpus:
		return ReasonSize
	case count(r.free) < q.gpus:
		return ReasonCards
	case r.cpu < q.cpu:
		return ReasonCPU
	case r.ram < q.ram:
		return ReasonRAM
	}
	return 0
}

// room is how many replicas a node holds that passed the filters, at most as many as are asked for.
func (q *ask) room(r *row) int {
	n := uint64(count(r.free) / q.gpus)
	if q.cpu > 0 {
		n = min(n, r.cpu/q.cpu)
	}
	if q.ram > 0 {
		n = min(n, r.ram/q.ram)
	}
	return int(min(n, uint64(q.replicas)))
}

// compare orders nodes by the policy, the better first; ties go to the smaller ID.
func (f *Fleet) compare(a, b int32) int {
	x, y := &f.rows[a], &f.rows[b]
	for _, c := range f.policy.Order {
		var d int
		switch c {
		case Cheapest:
			d = cmp.Compare(x.hour, y.hour)
		case Standing:
			d = cmp.Compare(y.standing, x.standing)
		case Tightest:
			d = cmp.Compare(count(x.free), count(y.free))
		}
		if d != 0 {
			return d
		}
	}
	return cmp.Compare(f.facts[a].ID, f.facts[b].ID)
}

// refusals counts what keeps each node from the request; the nodes that pass are charged to the reason given.
func (f *Fleet) refusals(q *ask, passed Reason) (out []Refusal, devices int) {
	var by [ReasonBandwidth + 1]Refusal
	for i := range f.rows {
		r := &f.rows[i]
		reason := q.charge(r)
		if reason == 0 {
			reason = passed
		}
		e := &by[reason]
		have, need, low := q.compared(reason, r)
		if e.Nodes == 0 || low && have < e.Have || !low && have > e.Have {
			e.Have = have
		}
		e.Reason, e.Need = reason, need
		e.Nodes++
		e.Devices += int(r.cards)
		devices += int(r.cards)
	}
	return slices.DeleteFunc(slices.Clone(by[:]), func(r Refusal) bool { return r.Nodes == 0 }), devices
}

// compared returns what a node has of what a reason compares, what is needed, and whether less is better.
func (q *ask) compared(reason Reason, r *row) (have, need uint64, low bool) {
	switch reason {
	case ReasonMemory:
		return r.mem, q.mem, false
	case ReasonConnectivity:
		return uint64(r.connectivity), uint64(q.connectivity), false
	case ReasonTier:
		return uint64(r.tier), uint64(q.tier), false
	case ReasonStanding:
		return uint64(r.standing), uint64(q.standing), false
	case ReasonPrice:
		return r.hour, q.hour, true
	case ReasonSize:
		return uint64(r.cards), uint64(q.gpus), false
	case ReasonCards:
		return uint64(count(r.free)), uint64(q.gpus), false
	case ReasonCPU:
		return r.cpu, q.cpu, false
	case ReasonRAM:
		return r.ram, q.ram, false
	case ReasonDown, ReasonModel, ReasonCountry, ReasonReplicas, ReasonSites, ReasonUnmeasured, ReasonDelay, ReasonBandwidth:
	}
	return 0, 0, false // compares no numbers, or numbers of a whole set, which explain fills in
}
