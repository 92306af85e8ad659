package openb

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func makers() map[string]Maker {
	return map[string]Maker{"random": Random, "bestfit": BestFit, "packing": Packing, "fgd": FGD}
}

// state is the fleet below a placer of this package.
func state(p Placer) *fleet {
	switch p := p.(type) {
	case *random:
		return p.fleet
	case *scored:
		return p.fleet
	}
	panic("unknown placer")
}

// TestPoliciesKeepTheBooks places and releases at random: nothing is given twice, nothing is refused that fits, and what
// all released leave is the empty fleet.
func TestPoliciesKeepTheBooks(t *testing.T) {
	tr, err := Generate(3, Mix{Pods: 400, CPUOnly: 0.1, Shared: 0.4, Multi: 0.2, Constrained: 0.3})
	require.NoError(t, err)
	tr.Hosts = tr.Hosts[:25]
	for name, mk := range makers() {
		t.Run(name, func(t *testing.T) {
			p, err := mk(Setup{Hosts: tr.Hosts, Trace: tr, Seed: 1})
			require.NoError(t, err)
			f := state(p)
			r := rand.New(rand.NewPCG(1, 2))
			var held []int
			refused := 0
			for range 1500 {
				if len(held) > 0 && r.IntN(3) == 0 {
					i := r.IntN(len(held))
					p.Release(held[i])
					held[i] = held[len(held)-1]
					held = held[:len(held)-1]
					continue
				}
				s := tr.Pods[r.IntN(len(tr.Pods))].Spec
				w, fits := f.want(s), false
				for i := range f.hosts {
					fits = fits || f.hosts[i].fits(&w)
				}
				h, ok := p.Place(s)
				require.Equal(t, fits, ok)
				if ok {
					held = append(held, h)
				} else {
					refused++
				}
				checkBooks(t, f)
			}
			require.Positive(t, refused)
			for _, h := range held {
				p.Release(h)
			}
			checkBooks(t, f)
			for i := range f.hosts {
				require.Equal(t, f.hosts[i].kind.CPUMilli, f.hosts[i].cpu)
			}
			require.Panics(t, func() { p.Release(held[0]) })
		})
	}
}

// checkBooks adds up what is held on each host.
func checkBooks(t *testing.T, f *fleet) {
	t.Helper()
	for i := range f.hosts {
		h := &f.hosts[i]
		cpu, mem, free := h.kind.CPUMilli, h.kind.MemoryMiB, make([]int64, h.kind.GPUs)
		for j := range free {
			free[j] = wholeCard
		}
		for _, l := range f.held {
			if l.host != i {
				continue
			}
			cpu -= l.spec.CPUMilli
			mem -= l.spec.MemoryMiB
			require.Len(t, l.cards, l.spec.GPUs)
			require.True(t, l.spec.GPUs == 0 || l.spec.Allows(h.kind.Model))
			for _, c := range l.cards {
				free[c] -= l.spec.Milli
			}
		}
		require.Equal(t, []int64{cpu, mem}, []int64{h.cpu, h.mem})
		require.Equal(t, free, h.free)
		require.GreaterOrEqual(t, min(cpu, mem), int64(0))
		for _, g := range free {
			require.GreaterOrEqual(t, g, int64(0))
		}
	}
}

// one is a host of so many cards, and a trace whose typical pods are the given ones.
func one(cpu int64, gpus int, typical ...Typical) Setup {
	var pods []Pod
	for _, k := range typical {
		for range k.Count {
			pods = append(pods, Pod{Name: "p", Spec: k.Spec})
		}
	}
	h := Host{Name: "h", Model: "T4", CPUMilli: cpu, MemoryMiB: 1000, GPUs: gpus}
	return Setup{Hosts: []Host{h}, Trace: NewTrace([]Host{h}, pods)}
}

func TestFragmentation(t *testing.T) {
	half := Spec{CPUMilli: 10, GPUs: 1, Milli: 500}
	pair := Spec{CPUMilli: 40, GPUs: 2, Milli: wholeCard}
	none := Spec{CPUMilli: 10}
	other := Spec{CPUMilli: 10, GPUs: 1, Milli: 500, Models: "P100"}
	tests := []struct {
		name string
		typ  []Typical
		cpu  int64
		free []int64
		want float64
	}{
		{"empty host", []Typical{{half, 1}}, 100, []int64{1000, 1000}, 0},
		{"exactly the share", []Typical{{half, 1}}, 100, []int64{500, 0}, 0},
		{"just too small", []Typical{{half, 1}}, 100, []int64{499, 1000}, 499},
		{"no room at all", []Typical{{half, 1}}, 100, []int64{499, 300}, 799},
		{"exactly the CPU", []Typical{{half, 1}}, 10, []int64{1000}, 0},
		{"one core too few", []Typical{{half, 1}}, 9, []int64{1000}, 1000},
		{"another model", []Typical{{other, 1}}, 100, []int64{1000, 200}, 1200},
		{"CPU-only pods use no card", []Typical{{none, 1}}, 100, []int64{1000, 200}, 1200},
		{"two cards of two", []Typical{{pair, 1}}, 100, []int64{1000, 1000, 300}, 300},
		{"one card of two", []Typical{{pair, 1}}, 100, []int64{1000, 999}, 1999},
		{"three to one", []Typical{{half, 3}, {pair, 1}}, 100, []int64{1000, 400}, 0.75*400 + 0.25*1400},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			p, err := FGD(one(100, 2, c.typ...))
			require.NoError(t, err)
			s := p.(*scored)
			require.InDelta(t, c.want, s.by.(*fgd).fragmentation(&s.hosts[0], c.cpu, c.free), 1e-9)
		})
	}
}

// TestRatings works the score of one host out by hand.
func TestRatings(t *testing.T) {
	tests := []struct {
		name   string
		mk     Maker
		spec   Spec
		free   []int64
		rating float64
		card   int
	}{
		{"best fit", BestFit, Spec{CPUMilli: 40, GPUs: 1, Milli: 600}, []int64{1000, 700}, 93, 1}, // 1 - 60/256,000 - 1,100/16,000 = 0.931
		{"packing opens no card", Packing, Spec{GPUs: 1, Milli: 600}, []int64{1000, 700}, 93, 1},  // 100 - 70 %/10
		{"packing closes a card", Packing, Spec{GPUs: 1, Milli: 300}, []int64{1000, 300}, 97, 1},
		{"packing opens one", Packing, Spec{GPUs: 1, Milli: 800}, []int64{1000, 700}, 49, 0},
		{"packing on an empty host", Packing, Spec{GPUs: 1, Milli: 800}, []int64{1000, 1000}, 31, 0},
		{"packing without cards", Packing, Spec{CPUMilli: 1}, []int64{1000, 1000}, 0, -1},
		{"fgd leaves a hole of 400", FGD, Spec{GPUs: 1, Milli: 600}, []int64{1000, 1000}, 40, 0}, // 100/(1+e^0.4) = 40.1
		{"fgd closes a hole of 400", FGD, Spec{GPUs: 1, Milli: 400}, []int64{1000, 400}, 59, 1},  // 100/(1+e^-0.4) = 59.9
		{"fgd on whole cards", FGD, Spec{GPUs: 2, Milli: 1000}, []int64{1000, 1000}, 50, -1},
		{"fgd takes the last CPU", FGD, Spec{CPUMilli: 91}, []int64{1000, 1000}, 11, -1}, // 100/(1+e^2) = 11.9
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			p, err := c.mk(one(100, 2, Typical{Spec{CPUMilli: 10, GPUs: 1, Milli: 500}, 1}))
			require.NoError(t, err)
			s := p.(*scored)
			copy(s.hosts[0].free, c.free)
			w := s.want(c.spec)
			require.True(t, s.hosts[0].fits(&w))
			rating, card := s.by.score(&s.hosts[0], &w)
			require.InDelta(t, c.rating, rating, 0)
			if c.spec.Share() || card < 0 {
				require.Equal(t, c.card, card)
			}
		})
	}
}

func TestSpreadOut(t *testing.T) {
	tests := []struct{ in, want []float64 }{
		{[]float64{7}, []float64{0}},
		{[]float64{7, 7}, []float64{0, 0}},
		{[]float64{7, 8}, []float64{0, 100}},
		{[]float64{3, 4, 5, 6}, []float64{0, 33, 66, 100}},
	}
	for _, c := range tests {
		t.Run(fmt.Sprint(c.in), func(t *testing.T) {
			spreadOut(c.in)
			require.Equal(t, c.want, c.in)
		})
	}
}

// FuzzRatingsAreRemembered compares the remembered ratings with a fresh placer in the same state.
func FuzzRatingsAreRemembered(f *testing.F) {
	f.Add(uint64(1), uint64(1))
	f.Add(uint64(2), uint64(7))
	f.Fuzz(func(t *testing.T, seed, steps uint64) {
		tr, err := Generate(seed, Mix{Pods: 60, CPUOnly: 0.2, Shared: 0.5, Multi: 0.1, Constrained: 0.2})
		require.NoError(t, err)
		tr.Hosts = tr.Hosts[:6]
		set := Setup{Hosts: tr.Hosts, Trace: tr}
		for name, mk := range makers() {
			if name == "random" {
				continue
			}
			p, err := mk(set)
			require.NoError(t, err)
			r := rand.New(rand.NewPCG(seed, steps))
			for range 20 + steps%100 {
				s := tr.Pods[r.IntN(len(tr.Pods))].Spec
				q, err := mk(set)
				require.NoError(t, err)
				copy(state(q).hosts, state(p).hosts)
				for i := range state(q).hosts {
					state(q).hosts[i].free = append([]int64(nil), state(p).hosts[i].free...)
				}
				a, okA := p.Place(s)
				b, okB := q.Place(s)
				require.Equal(t, okA, okB, name)
				if okA {
					require.Equal(t, state(q).held[b], state(p).held[a], name)
					if r.IntN(3) == 0 {
						p.Release(a)
					}
				}
			}
		}
	})
}
