package openb

import (
	"cmp"
	"slices"
	"strings"
)

// wholeCard is the thousandths of one card.
const wholeCard = 1000

// Host is a machine whose cards are of one model.
type Host struct {
	Name, Model string
	// CPUMilli is thousandths of a core.
	CPUMilli, MemoryMiB int64
	// GPUs is the number of cards, 1 to 8 in openb.
	GPUs int
}

// Spec is what a pod asks for. Pods with equal specs are interchangeable.
type Spec struct {
	// CPUMilli is thousandths of a core.
	CPUMilli, MemoryMiB int64
	// GPUs is the number of cards, 0 for a pod that needs none.
	GPUs int
	// Milli is the thousandths of each card: 1 to 999 only if GPUs is 1, else 1000, and 0 if GPUs is 0.
	Milli int64
	// Models are the models that will do, joined by "|"; empty means any.
	Models string
}

// Demand is the thousandths of cards that s takes in all.
func (s Spec) Demand() int64 { return int64(s.GPUs) * s.Milli }

// Share reports whether s asks for a part of one card.
func (s Spec) Share() bool { return s.GPUs == 1 && s.Milli < wholeCard }

// Allows reports whether cards of the model will do.
func (s Spec) Allows(model string) bool {
	if s.Models == "" {
		return true
	}
	for m := range strings.SplitSeq(s.Models, "|") {
		if m == model {
			return true
		}
	}
	return false
}

// Pod is one job of a list.
type Pod struct {
	Name string
	Spec Spec
}

// Trace is a fleet and the list of pods that asks for it, both sorted by name. A run does not change it.
type Trace struct {
	Hosts []Host
	Pods  []Pod
}

// NewTrace sorts copies of the hosts and pods by name.
func NewTrace(hosts []Host, pods []Pod) *Trace {
	t := &Trace{Hosts: slices.Clone(hosts), Pods: slices.Clone(pods)}
	slices.SortStableFunc(t.Hosts, func(a, b Host) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(t.Pods, func(a, b Pod) int { return cmp.Compare(a.Name, b.Name) })
	return t
}

// Capacity is the thousandths of cards of the fleet.
func (t *Trace) Capacity() int64 {
	var c int64
	for _, h := range t.Hosts {
		c += int64(h.GPUs) * wholeCard
	}
	return c
}

// Typical is a frequent kind of pod with the number of times that it occurs in the list.
type Typical struct {
	Spec  Spec
	Count int
}

// Typical returns the most frequent specs until they cover 95 % of the pods, CPU-only pods included: the histogram that FGD knows
// of a workload. Ties go to the larger CPU, share, number and models. As published, memory is ignored and zero in what it returns;
// withMemory keeps specs apart that differ in it, the larger first on ties.
func (t *Trace) Typical(withMemory bool) []Typical {
	counts := map[Spec]int{}
	for _, p := range t.Pods {
		s := p.Spec
		if !withMemory {
			s.MemoryMiB = 0
		}
		counts[s]++
	}
	all := make([]Typical, 0, len(counts))
	for s, n := range counts {
		all = append(all, Typical{s, n})
	}
	slices.SortFunc(all, func(a, b Typical) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Spec.CPUMilli, a.Spec.CPUMilli), cmp.Compare(b.Spec.Milli, a.Spec.Milli),
			cmp.Compare(b.Spec.GPUs, a.Spec.GPUs), cmp.Compare(b.Spec.Models, a.Spec.Models), cmp.Compare(b.Spec.MemoryMiB, a.Spec.MemoryMiB))
	})
	covered := 0
	for i, k := range all {
		if covered*100 >= 95*len(t.Pods) {
			return all[:i]
		}
		covered += k.Count
	}
	return all
}
