package calibrate

import (
	"cmp"
	"slices"
)

// Isotonic is a step function that never falls, from a number to a probability.
type Isotonic struct {
	edges []float64 // lower edges of the steps but the first, ascending
	steps []float64
}

// FitIsotonic fits the step function to cases: x in 400 bins at its quantiles, then neighbours that fall are pooled.
func FitIsotonic(x []float64, y []bool) Isotonic {
	if len(x) == 0 {
		return Isotonic{steps: []float64{0.5}}
	}
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(x[a], x[b]), a-b) })
	const most = 400
	type block struct{ low, cases, failed float64 }
	var blocks []block
	next := 0 // place at which the next bin may begin
	for place, i := range order {
		if place == 0 || place >= next && x[i] > x[order[place-1]] { // equal numbers stay together
			blocks = append(blocks, block{low: x[i]})
			next = (place*most/len(x) + 1) * len(x) / most
		}
		b := &blocks[len(blocks)-1]
		b.cases++
		if y[i] {
			b.failed++
		}
	}
	pooled := blocks[:0]
	for _, b := range blocks {
		for n := len(pooled); n > 0 && float64(pooled[n-1].failed*b.cases) >= float64(b.failed*pooled[n-1].cases); n-- {
			last := pooled[n-1]
			b = block{low: last.low, cases: b.cases + last.cases, failed: b.failed + last.failed}
			pooled = pooled[:n-1]
		}
		pooled = append(pooled, b)
	}
	var out Isotonic
	for k, b := range pooled {
		if k > 0 {
			out.edges = append(out.edges, b.low)
		}
		out.steps = append(out.steps, b.failed/b.cases)
	}
	return out
}

// At is the probability of a number.
func (s Isotonic) At(x float64) float64 {
	k, found := slices.BinarySearch(s.edges, x)
	if found {
		k++
	}
	return s.steps[k]
}
