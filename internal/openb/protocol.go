package openb

import (
	"math"
	"math/rand"
	"slices"
)

// Placer is a policy with the state of the fleet that it fills.
type Placer interface {
	// Place takes what s asks for, or changes nothing and reports false. It must not refuse what fits on some host. The
	// handle is the placer's to choose.
	Place(s Spec) (handle int, ok bool)
	// Release gives back what Place took. The runner releases each handle at most once.
	Release(handle int)
}

// Setup is what a placer may know before the first arrival.
type Setup struct {
	// Hosts are in the order in which ties are broken, earliest first.
	Hosts []Host
	// Trace names the typical pods; a placer must not look at the order of its list.
	Trace *Trace
	// Seed is for placers that draw.
	Seed int64
}

// Maker makes a placer for an empty fleet.
type Maker func(Setup) (Placer, error)

// buckets is the number of per cents of arrived demand that are told apart, 0 to 130.
const buckets = 131

// Curve is the mean allocation in per cent while the arrived demand was i per cent of the capacity, both rounded as published;
// NaN where no pod arrived.
type Curve [buckets]float64

// arrivals draws a run: the pods in order of arrival, the hosts in the order of ties, and the generator as it stands after.
func arrivals(t *Trace, seed int64) ([]Spec, []Host, *rand.Rand) {
	rng := rand.New(rand.NewSource(seed)) //nolint:gosec // the published runs drew from it
	rng.Int()                             // as the published runs did, before all else
	var pods []Spec
	var asked int64
	for _, p := range t.Pods {
		pods = append(pods, p.Spec)
		asked += p.Spec.Demand()
	}
	rng.Shuffle(len(pods), func(i, j int) { pods[i], pods[j] = pods[j], pods[i] })
	// 1.3 x capacity, in tenths so as to stay exact.
	limit := 13 * t.Capacity()
	if 10*asked > limit {
		for 10*asked > limit {
			i := rng.Intn(len(pods))
			asked -= pods[i].Demand()
			pods = slices.Delete(pods, i, i+1)
		}
	} else {
		for {
			s := t.Pods[rng.Intn(len(t.Pods))].Spec
			if 10*(asked+s.Milli) > limit { // per card, not times the number: as published
				break
			}
			asked += s.Demand()
			pods = append(pods, s)
		}
	}
	hosts := make([]Host, len(t.Hosts))
	for i, at := range rng.Perm(len(hosts)) {
		hosts[at] = t.Hosts[i]
	}
	return pods, hosts, rng
}

// Run drives a placer through the published protocol. The trace must have pods that ask for cards. Errors are the maker's.
func Run(t *Trace, seed int64, mk Maker) (Curve, error) {
	pods, hosts, _ := arrivals(t, seed)
	p, err := mk(Setup{Hosts: hosts, Trace: t, Seed: seed})
	if err != nil {
		return Curve{}, err
	}
	capacity := float64(t.Capacity())
	var arrived, used int64
	var sum, n Curve
	for _, s := range pods {
		arrived += s.Demand()
		if _, ok := p.Place(s); ok {
			used += s.Demand()
		}
		b := int(math.RoundToEven(float64(arrived) / capacity * 100))
		b = min(b, buckets-1) // the last pod of several cards may go beyond
		sum[b] += math.Round(float64(used)/capacity*1e4) / 100
		n[b]++
	}
	for b := range sum {
		sum[b] /= n[b]
	}
	return sum, nil
}

// ChurnConfig says how long and under what load [Churn] runs.
type ChurnConfig struct {
	// Load is the offered demand as a multiple of the capacity, in the mean: 1.1.
	Load float64
	// WarmUp arrivals come before Measured ones.
	WarmUp, Measured int
}

// DefaultChurn is load 1.1, 40,000 arrivals of warm-up and 60,000 measured.
func DefaultChurn() ChurnConfig { return ChurnConfig{Load: 1.1, WarmUp: 40_000, Measured: 60_000} }

// Turnover is what [Churn] measures, after the warm-up.
type Turnover struct {
	// Allocation is the mean of the allocated cards in per cent of the capacity, after each arrival.
	Allocation float64
	// Accepted is the placed demand in per cent of the offered.
	Accepted float64
}

// Churn drives a placer through arrivals with departures. Time is counted in arrivals: first the departures that are due, in the
// order in which they arrived, then one pod drawn from the list, then its stay of 1 + floor(x) arrivals, x exponential, then its
// placement. The mean of x is such that the pods that would be there without refusals ask for c.Load times the capacity. The trace
// must have pods that ask for cards, and c.Measured must be positive. Errors are the maker's.
func Churn(t *Trace, seed int64, c ChurnConfig, mk Maker) (Turnover, error) {
	_, hosts, rng := arrivals(t, seed)
	p, err := mk(Setup{Hosts: hosts, Trace: t, Seed: seed})
	if err != nil {
		return Turnover{}, err
	}
	var list int64
	for _, q := range t.Pods {
		list += q.Spec.Demand()
	}
	capacity := float64(t.Capacity())
	life := c.Load * capacity / (float64(list) / float64(len(t.Pods)))
	type leave struct {
		handle int
		demand int64
	}
	due := make([][]leave, c.WarmUp+c.Measured)
	var used, area, offered, accepted int64
	for i := range due {
		for _, l := range due[i] {
			p.Release(l.handle)
			used -= l.demand
		}
		due[i] = nil
		s := t.Pods[rng.Intn(len(t.Pods))].Spec
		until := i + 1 + int(rng.ExpFloat64()*life) // drawn also for a pod that is refused
		handle, ok := p.Place(s)
		if ok {
			used += s.Demand()
			if until < len(due) {
				due[until] = append(due[until], leave{handle, s.Demand()})
			}
		}
		if i < c.WarmUp {
			continue
		}
		area += used
		offered += s.Demand()
		if ok {
			accepted += s.Demand()
		}
	}
	return Turnover{
		Allocation: 100 * float64(area) / float64(c.Measured) / capacity,
		Accepted:   100 * float64(accepted) / float64(offered),
	}, nil
}
