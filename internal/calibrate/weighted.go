package calibrate

import (
	"fmt"
	"math"
	"time"
)

// Weighted is a model that is compared with the score, not the score: hazards of memories raised to fitted powers, and the
// length of the current run.
//
//	P(outage within T) = 1 - exp(-H),  ln H = Bias + sum Weights[k] ln H_k(T) + Run ln(run + RunShift)
//	H_k(T) = (E_k + A_k) ln(1 + T/(U_k + B_k))
//
// H_k is the hazard of the k-th memory in the score's own model. With weights of at least zero and Run of at most zero one
// more outage, a later one or a longer job never look better.
type Weighted struct {
	HalfLives []time.Duration
	Priors    []prior
	Memory    []int // place of each memory in Feature's slices
	Weights   []float64
	Bias, Run float64
	RunShift  float64 // hours
}

// fitWeighted fits the model to the established fit cases by maximum likelihood: first the priors of the memories, each
// alone, then bias and weights.
func fitWeighted(fit []Evaluation, f Features, q Question, memory []int) (Weighted, error) {
	w := Weighted{Memory: memory, RunShift: 24}
	for _, k := range memory {
		law := prior{A: 0.1, B: f.HalfLives[k].Hours() / 4}
		if err := law.fit(exposures(fit, f, k), q.Horizon.Hours()); err != nil {
			return w, fmt.Errorf("memory of %v: %w", f.HalfLives[k], err)
		}
		w.HalfLives, w.Priors = append(w.HalfLives, f.HalfLives[k]), append(w.Priors, law)
		w.Weights = append(w.Weights, 1/float64(len(memory)))
	}
	n := len(memory) + 2
	var rows []float64
	var y []bool
	established(fit, f, func(_ int, v Case, x *Feature) {
		rows, y = w.terms(rows, x, q.Horizon.Hours()), append(y, v.Failed)
	})
	beta := append(append([]float64{0}, w.Weights...), 0)
	climb(beta, rows, y)
	w.Bias, w.Weights, w.Run = beta[0], beta[1:n-1], beta[n-1]
	return w, nil
}

// terms appends 1, ln H_k for each memory, and ln(run + shift).
func (w *Weighted) terms(to []float64, x *Feature, hours float64) []float64 {
	to = append(to, 1)
	for i, k := range w.Memory {
		h := (x.Outages[k] + w.Priors[i].A) * ln(1+hours/(x.Up[k]+w.Priors[i].B))
		to = append(to, ln(max(h, 1e-12)))
	}
	return append(to, ln(x.Run+w.RunShift))
}

// Outage is the probability of an outage within some hours.
func (w *Weighted) Outage(x *Feature, hours float64) float64 {
	t := w.terms(nil, x, hours)
	eta := w.Bias + float64(w.Run*t[len(t)-1])
	for i, v := range w.Weights {
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

// weather adds to predictions what all nodes have had in common lately: c = max(0, (O-X)/N) over the evaluations whose horizon
// has ended, O outages seen, X predicted, N cases, forgotten with a half-life of four days. P becomes 1 - (1-P)(1-c). The
// evaluations are those of the fit days and then those of the test days; what is returned are the latter.
func weather(evals []Evaluation, p Sample, from int) Sample {
	type sums struct{ o, x, n float64 }
	var out Sample
	var all sums
	ended, last := 0, 0
	ends := func(e int) (int, int) {
		if e+1 < len(p.Day) {
			return p.Day[e], p.Day[e+1]
		}
		return p.Day[e], len(p.P)
	}
	for e := range evals {
		fade := exp(-float64(float64(evals[e].Day-last) / 4 * ln2))
		all, last = sums{all.o * fade, all.x * fade, all.n * fade}, evals[e].Day
		for _, before := range evals[ended:e] {
			if before.End > evals[e].Now+1 {
				break
			}
			a, b := ends(ended)
			ended++
			for i := a; i < b; i++ {
				all.n++
				all.x += p.P[i]
				if p.Y[i] {
					all.o++
				}
			}
		}
		c := max(0, (all.o-all.x)/max(all.n, 1))
		if a, b := ends(e); e >= from {
			out.add(b-a, func(i int) (float64, bool) { return 1 - float64((1-p.P[a+i])*(1-c)), p.Y[a+i] })
		}
	}
	return out
}
