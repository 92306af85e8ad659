package openb

import (
	"fmt"
	"math/rand/v2"
)

// Mix says which pods [Generate] makes. Fractions are 0 to 1.
type Mix struct {
	// Pods is the length of the list.
	Pods int
	// CPUOnly is the fraction of the pods that ask for no card.
	CPUOnly float64
	// Shared and Multi are the fractions of the demand for cards that come from shares of a card, and from pods of several cards;
	// the rest comes from pods of one whole card.
	Shared, Multi float64
	// Constrained is the fraction of the pods with cards that name models.
	Constrained float64
}

// DefaultMix is the mix of the default list of openb: 8,152 pods, 13.3 % of them CPU-only, 28.5 % of the demand shared, 7.3 % in
// pods of several cards, none constrained.
func DefaultMix() Mix {
	return Mix{Pods: 8152, CPUOnly: 1088.0 / 8152, Shared: 1731.75 / 6086.75, Multi: 444.0 / 6086.75}
}

func (m Mix) validate() error {
	switch {
	case m.Pods < 1:
		return fmt.Errorf("openb: Mix.Pods is %d, want at least 1", m.Pods)
	case !(m.CPUOnly >= 0 && m.CPUOnly <= 1): // also false for NaN
		return fmt.Errorf("openb: Mix.CPUOnly is %g, want 0 to 1", m.CPUOnly)
	case !(m.Shared >= 0 && m.Multi >= 0 && m.Shared+m.Multi <= 1+1e-9): // the fractions may be sums of rounded ones
		return fmt.Errorf("openb: Mix.Shared is %g and Multi %g, want at least 0 and no more than 1 together", m.Shared, m.Multi)
	case !(m.Constrained >= 0 && m.Constrained <= 1):
		return fmt.Errorf("openb: Mix.Constrained is %g, want 0 to 1", m.Constrained)
	}
	return nil
}

// Generate makes a trace from a seed: the fleet of openb, and pods drawn independently from the marginals of its lists, class by class,
// so that the classes have the fractions of the mix in the mean. The models of a constrained pod are drawn apart from the rest of
// it, from those with a host large enough. The same seed and mix give the same trace on every machine.
func Generate(seed uint64, m Mix) (*Trace, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	var hosts []Host
	for _, k := range hostKinds() {
		for range k.n {
			h := k.kind
			h.Name = fmt.Sprintf("host-%04d", len(hosts))
			hosts = append(hosts, h)
		}
	}
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // reproducible, not secret
	// Hosts of one kind must not be neighbours by name.
	r.Shuffle(len(hosts), func(i, j int) { hosts[i].Name, hosts[j].Name = hosts[j].Name, hosts[i].Name })
	classes := [][]counted[Spec]{shareKinds(), multiKinds(), singleKinds()}
	weights := classWeights(classes, []float64{m.Shared, m.Multi, max(0, 1-m.Shared-m.Multi)})
	pods := make([]Pod, m.Pods)
	for i := range pods {
		p := &pods[i]
		p.Name = fmt.Sprintf("pod-%05d", i)
		if r.Float64() < m.CPUOnly {
			p.Spec = draw(r, cpuOnlyKinds())
			continue
		}
		x, c := r.Float64(), 0
		for c < len(classes)-1 && x >= weights[c] {
			x -= weights[c]
			c++
		}
		p.Spec = draw(r, classes[c])
		if r.Float64() < m.Constrained {
			p.Spec.Models = draw(r, modelsFor(p.Spec))
		}
	}
	return NewTrace(hosts, pods), nil
}

// classWeights turns fractions of the demand into fractions of the pods.
func classWeights(classes [][]counted[Spec], demand []float64) []float64 {
	out := make([]float64, len(classes))
	var sum float64
	for i, c := range classes {
		var pods, milli int64
		for _, k := range c {
			pods += int64(k.n)
			milli += int64(k.n) * k.kind.Demand()
		}
		out[i] = demand[i] * float64(pods) / float64(milli)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// modelsFor is the sets of models with at least one host on which s fits when it is empty; if there are none, any model.
func modelsFor(s Spec) []counted[string] {
	var out []counted[string]
	for _, m := range modelKinds() {
		s.Models = m.kind
		for _, k := range hostKinds() {
			h := k.kind
			if s.Allows(h.Model) && s.GPUs <= h.GPUs && s.CPUMilli <= h.CPUMilli && s.MemoryMiB <= h.MemoryMiB {
				out = append(out, m)
				break
			}
		}
	}
	if len(out) == 0 {
		out = []counted[string]{{1, ""}}
	}
	return out
}

func draw[T any](r *rand.Rand, kinds []counted[T]) T {
	total := 0
	for _, k := range kinds {
		total += k.n
	}
	x := r.IntN(total)
	for _, k := range kinds {
		if x < k.n {
			return k.kind
		}
		x -= k.n
	}
	panic("unreachable")
}
