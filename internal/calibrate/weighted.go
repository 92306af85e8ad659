package calibrate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

// weighted is the score's model of an outage: hazards of memories raised to fitted powers, and the length of the current run.
//
//	P(outage within T) = 1 - exp(-H),  ln H = bias + sum weights[k] ln H_k(T) + run ln(run + shift)
//	H_k(T) = (E_k + A_k) ln(1 + T/(U_k + B_k))
//
// With weights of at least zero and run of at most zero one more outage, a later one or a longer job never look better.
type weighted struct {
	halfLives []time.Duration
	memory    []int // place of each in a feature
	priors    []prior
	weights   []float64
	bias, run float64
	shift     float64 // hours
}

// fitWeighted fits the model to the established fit cases by maximum likelihood: first the priors of the memories, each
// alone, then bias and weights. A memory whose weight would be negative, by which an outage could help, is left out and the
// rest is fitted anew.
func fitWeighted(fit []Evaluation, f Features, q Question) (weighted, error) {
	w := weighted{shift: 24}
	for k, h := range f.HalfLives {
		law := prior{A: 0.1, B: h.Hours() / 4}
		if err := law.fit(exposures(fit, f, k), q.Horizon.Hours()); err != nil {
			return w, fmt.Errorf("memory of %v: %w", h, err)
		}
		w.halfLives, w.memory, w.priors = append(w.halfLives, h), append(w.memory, k), append(w.priors, law.rounded())
	}
	for {
		w.climb(fit, f, q)
		least := 0
		for i, v := range w.weights {
			if v < w.weights[least] {
				least = i
			}
		}
		if w.weights[least] >= 0 || len(w.weights) == 1 {
			return w, nil
		}
		w.halfLives, w.memory = slices.Delete(w.halfLives, least, least+1), slices.Delete(w.memory, least, least+1)
		w.priors = slices.Delete(w.priors, least, least+1)
	}
}

// climb fits bias and weights.
func (w *weighted) climb(fit []Evaluation, f Features, q Question) {
	n := len(w.priors) + 2
	beta := make([]float64, n)
	for i := range w.priors {
		beta[i+1] = 1 / float64(len(w.priors))
	}
	var rows []float64
	var y []bool
	established(fit, f, func(_ int, v Case, x *Feature) {
		rows, y = w.terms(rows, x, q.Horizon.Hours()), append(y, v.Failed)
	})
	climb(beta, rows, y)
	w.bias, w.weights, w.run = beta[0], beta[1:n-1], beta[n-1]
}

// rounded is the law as Params can hold it.
func (l prior) rounded() prior {
	m := l.memory(time.Hour)
	return prior{A: float64(m.PriorMicroOutages) / 1e6, B: m.PriorUp.Hours()}
}

// sound reports whether the fit is within the bounds in which the model keeps its promises. On few cases, or where outages
// follow another law, it may not be: two terms may then stand against each other with any weights.
func (w *weighted) sound() bool {
	for _, v := range w.weights {
		if !(v >= 0 && v <= 1) {
			return false
		}
	}
	return w.run >= -1 && w.run <= 0 && math.Abs(w.bias) <= 20
}

// params puts the model into parameters that are otherwise those given. Weather is told from predictions of the reference of
// 24 hours, so that a model that was fitted to another horizon goes without.
func (w *weighted) params(base reputation.Params, version string, horizon time.Duration) (reputation.Params, error) {
	p := base
	p.Version = version
	p.Memories = nil
	ppm := func(v float64) uint32 { return uint32(math.Round(float64(v * 1e6))) }
	for k, h := range w.halfLives {
		m := w.priors[k].memory(h)
		m.WeightPPM = ppm(w.weights[k])
		p.Memories = append(p.Memories, m)
	}
	p.Hazard = reputation.Hazard{
		BiasMicroNats: int64(math.Round(float64(w.bias * 1e6))), RunPPM: ppm(-w.run),
		RunShift: time.Duration(w.shift) * time.Hour,
	}
	if horizon == p.Reference {
		p.Weather = reputation.Weather{HalfLife: 4 * day * time.Second, Period: 23 * time.Hour, MaxPPM: 100_000}
	}
	return p, p.Validate()
}

// terms appends 1, ln H_k for each memory, and ln(run + shift).
func (w *weighted) terms(to []float64, x *Feature, hours float64) []float64 {
	to = append(to, 1)
	for i, k := range w.memory {
		h := (x.Outages[k] + w.priors[i].A) * ln(1+hours/(x.Up[k]+w.priors[i].B))
		to = append(to, ln(max(h, 1e-12)))
	}
	return append(to, ln(x.Run+w.shift))
}

// outage is the probability of an outage within some hours, in real numbers: what the book's is held against.
func (w *weighted) outage(x *Feature, hours float64) float64 {
	t := w.terms(nil, x, hours)
	eta := w.bias + float64(w.run*t[len(t)-1])
	for i, v := range w.weights {
		eta += float64(v * t[i+1])
	}
	return 1 - exp(-exp(min(eta, 6)))
}

// climb maximises the likelihood of 1 - exp(-exp(beta x)) by Fisher scoring, with steps halved until they climb. Of many cases it
// first takes some, to begin near the end.
func climb(beta, rows []float64, y []bool) {
	n := len(beta)
	const many, some = 50_000, 16
	if len(y) > many {
		var few []float64
		var came []bool
		for i := 0; i < len(y); i += some {
			few, came = append(few, rows[i*n:i*n+n]...), append(came, y[i])
		}
		climb(beta, few, came)
	}
	like, grad, info := complement(beta, rows, y)
	for range 50 {
		step := solve(info, grad, n)
		moved := false
		for range 30 {
			next := make([]float64, n)
			for i := range next {
				next[i] = beta[i] + step[i]
			}
			if l, g, h := complement(next, rows, y); l > like {
				moved = l-like > 1e-6
				copy(beta, next)
				like, grad, info = l, g, h
				break
			}
			for i := range step {
				step[i] /= 2
			}
		}
		if !moved {
			return
		}
	}
}

// complement is the log-likelihood with its gradient and expected information, row by row.
func complement(beta, rows []float64, y []bool) (like float64, grad, info []float64) {
	n := len(beta)
	grad, info = make([]float64, n), make([]float64, n*n)
	for c, failed := range y {
		x := rows[c*n : c*n+n]
		eta := 0.0
		for i, v := range x {
			eta += float64(v * beta[i])
		}
		h := exp(min(eta, 4))
		stay := exp(-h)
		fail := max(1-stay, 1e-12)
		g := -h
		if failed {
			g = float64(h*stay) / fail
			like += ln(fail)
		} else {
			like -= h
		}
		w := float64(float64(h*h)*stay) / fail
		for i := range n {
			grad[i] += float64(g * x[i])
			wi := w * x[i]
			for j := range n {
				info[i*n+j] += float64(wi * x[j])
			}
		}
	}
	return like, grad, info
}

// solve solves a positive definite system of n by elimination; a direction without information stays where it is.
func solve(matrix, right []float64, n int) []float64 {
	a, b := append([]float64(nil), matrix...), append([]float64(nil), right...)
	for i := range n {
		a[i*n+i] += float64(a[i*n+i]*1e-10) + 1e-10
		for k := i + 1; k < n; k++ {
			f := a[k*n+i] / a[i*n+i]
			for j := i; j < n; j++ {
				a[k*n+j] -= float64(f * a[i*n+j])
			}
			b[k] -= float64(f * b[i])
		}
	}
	for i := n - 1; i >= 0; i-- {
		for j := i + 1; j < n; j++ {
			b[i] -= float64(a[i*n+j] * b[j])
		}
		b[i] /= a[i*n+i]
		if math.IsNaN(b[i]) {
			b[i] = 0
		}
	}
	return b
}
