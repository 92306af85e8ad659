package calibrate

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Sample is predictions with what came of them. Cases of one day stand together, days in order.
type Sample struct {
	P   []float64 // predicted probability of failing
	Y   []bool    // whether it failed
	Day []int     // Day[d] is the index of the first case of the d-th day
}

// days calls f with the bounds of every day.
func (s *Sample) days(f func(from, to int)) {
	for d, from := range s.Day {
		to := len(s.P)
		if d+1 < len(s.Day) {
			to = s.Day[d+1]
		}
		f(from, to)
	}
}

// Metrics say how good predictions are. Rates and probabilities are shares of one.
type Metrics struct {
	Cases, Days int
	Base        float64 // share that failed
	AUC         float64 // chance that of a case that failed and one that did not, the first had the higher prediction; ties are half
	BSS         float64 // Brier skill score against the base rate, predictions clipped to 1e-4..1-1e-4
	BSSLow      float64 // 2.5 % quantile of the same when days are drawn anew
	BSSHigh     float64 // 97.5 % quantile
	ECE         float64 // mean distance of predicted and observed over 20 bins of equal size
	Best20      float64 // mean daily rate among the fifth with the lowest predictions
	BestHalf    float64 // the same among the better half
	BestHalfP   float64 // mean prediction among the better half
}

// Measure computes all metrics. A sample without cases, or in which all or none failed, has no skill and an AUC of a half.
func Measure(s Sample) Metrics {
	m := Metrics{Cases: len(s.P), Days: len(s.Day)}
	if m.Cases == 0 {
		return m
	}
	order := s.order(0, len(s.P))
	m.AUC = s.auc(order)
	m.ECE = expectedError(s.bins(order, 20), len(s.P))
	var sums []daySum
	fifths, halves, halvesP, n := 0.0, 0.0, 0.0, 0.0
	s.days(func(from, to int) {
		sums = append(sums, s.sum(from, to))
		if to-from < 5 {
			return
		}
		order := s.order(from, to)
		best, _ := s.best(order, (to-from)/5)
		half, halfP := s.best(order, (to-from)/2)
		fifths, halves, halvesP, n = fifths+best, halves+half, halvesP+halfP, n+1
	})
	if n > 0 {
		m.Best20, m.BestHalf, m.BestHalfP = fifths/n, halves/n, halvesP/n
	}
	all := total(sums, nil)
	m.Base, m.BSS = all.failed/all.cases, all.skill()
	m.BSSLow, m.BSSHigh = resampled(sums)
	return m
}

// order is the cases from..to by prediction, ties by place.
func (s *Sample) order(from, to int) []int {
	out := make([]int, to-from)
	for i := range out {
		out[i] = from + i
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Or(cmp.Compare(s.P[a], s.P[b]), a-b) })
	return out
}

// ties calls f for every run of equal predictions in an order, with how many of them failed.
func (s *Sample) ties(order []int, f func(from, to, failed int)) {
	for from := 0; from < len(order); {
		to, failed := from, 0
		for ; to < len(order) && s.P[order[to]] == s.P[order[from]]; to++ {
			if s.Y[order[to]] {
				failed++
			}
		}
		f(from, to, failed)
		from = to
	}
}

// auc is the Mann-Whitney statistic: exact, for twice the pairs are counted in integers.
func (s *Sample) auc(order []int) float64 {
	var below, failed, twice int64 // below: not failed so far
	s.ties(order, func(from, to, bad int) {
		good := int64(to-from) - int64(bad)
		twice += int64(bad) * (2*below + good)
		below, failed = below+good, failed+int64(bad)
	})
	if below == 0 || failed == 0 {
		return 0.5
	}
	return float64(twice) / (2 * float64(below) * float64(failed))
}

// best is the rate and the mean prediction of the n lowest; of a tie that is cut each has the same chance to be in.
func (s *Sample) best(order []int, n int) (rate, mean float64) {
	s.ties(order, func(from, to, failed int) {
		if in := min(to, n) - from; in > 0 {
			rate += float64(float64(failed)*float64(in)) / float64(to-from)
			mean += float64(s.P[order[from]] * float64(in))
		}
	})
	return rate / float64(n), mean / float64(n)
}

// Bin is one of the groups of a reliability diagram.
type Bin struct {
	Cases, Failed int
	P             float64 // mean prediction
	Y             float64 // share that failed
}

// bins cuts the cases at the quantiles k/n of the clipped predictions, between two of them by interpolation. A value belongs
// to the last bin whose lower edge it reaches, so bins of which there is no value are empty.
func (s *Sample) bins(order []int, n int) []Bin {
	out := make([]Bin, n)
	at := func(i int) float64 { return clip(s.P[order[i]]) }
	edges := make([]float64, n)
	for k := range edges {
		place := float64(float64(k)*float64(len(order)-1)) / float64(n)
		low := int(place)
		edges[k] = at(low) + float64((at(min(low+1, len(order)-1))-at(low))*(place-float64(low)))
	}
	k := 0
	for i := range order {
		p := at(i)
		for k+1 < n && p >= edges[k+1] {
			k++
		}
		b := &out[k]
		b.Cases++
		b.P += p
		if s.Y[order[i]] {
			b.Failed++
		}
	}
	for k := range out {
		if b := &out[k]; b.Cases > 0 {
			b.P /= float64(b.Cases)
			b.Y = float64(b.Failed) / float64(b.Cases)
		}
	}
	return out
}

// Reliability is the bins of a reliability diagram, n of nearly equal size, lowest predictions first; empty ones are left out.
func (s *Sample) Reliability(n int) []Bin {
	if len(s.P) == 0 {
		return nil
	}
	return slices.DeleteFunc(s.bins(s.order(0, len(s.P)), n), func(b Bin) bool { return b.Cases == 0 })
}

func expectedError(bins []Bin, n int) (sum float64) {
	for _, b := range bins {
		sum += float64(float64(b.Cases) / float64(n) * max(b.P-b.Y, b.Y-b.P))
	}
	return sum
}

func clip(p float64) float64 { return min(max(p, 1e-4), 1-1e-4) }

// daySum is what the Brier skill score needs of a day.
type daySum struct{ cases, failed, squares float64 }

func (s *Sample) sum(from, to int) (d daySum) {
	for i := from; i < to; i++ {
		y := 0.0
		if s.Y[i] {
			y = 1
		}
		d.cases++
		d.failed += y
		d.squares += square(clip(s.P[i]) - y)
	}
	return d
}

// total adds days up, those that pick names, or all.
func total(days []daySum, pick []int) (t daySum) {
	add := func(d daySum) {
		t.cases, t.failed, t.squares = t.cases+d.cases, t.failed+d.failed, t.squares+d.squares
	}
	if pick == nil {
		for _, d := range days {
			add(d)
		}
	}
	for _, i := range pick {
		add(days[i])
	}
	return t
}

func (d daySum) skill() float64 {
	r := d.failed / d.cases
	if r == 0 || r == 1 {
		return 0
	}
	return 1 - d.squares/d.cases/float64(r*(1-r))
}

// resampled draws as many days as there are, with replacement, 1,000 times from a fixed seed, and returns the 2.5 % and the
// 97.5 % quantile of the skill. Cases of one day are not independent; days nearly are.
func resampled(days []daySum) (low, high float64) {
	const draws = 1000
	r := rand.New(rand.NewPCG(75, 104)) //nolint:gosec // an experiment that can be repeated, not a secret
	skills, pick := make([]float64, draws), make([]int, len(days))
	for i := range skills {
		for k := range pick {
			pick[k] = r.IntN(len(days))
		}
		skills[i] = total(days, pick).skill()
	}
	slices.Sort(skills)
	return skills[draws/40], skills[draws-1-draws/40]
}
