package calibrate

import (
	"fmt"
	"math"
	"time"
)

// baseline is a score as others compute it, turned around so that a higher number is a worse node. raw says that it is used
// as the probability of failing too; otherwise it is one only after the isotonic regression.
type baseline struct {
	name string
	raw  bool
	risk func(*Feature) float64
}

// baselineHalfLives are those that baselines look at, in the order of Feature's slices.
func baselineHalfLives() []time.Duration {
	return []time.Duration{6 * time.Hour, 24 * time.Hour, 168 * time.Hour, 720 * time.Hour}
}

func baselines() []baseline {
	const day, week = 1, 2 // in baselineHalfLives
	out := []baseline{
		{"lifetime uptime, as it is", true, func(f *Feature) float64 { return 1 - f.Life/f.Observed }},
		{"lifetime uptime", false, func(f *Feature) float64 { return 1 - f.Life/f.Observed }},
		{"EWMA uptime 24h, as it is", true, func(f *Feature) float64 { return 1 - f.Up[day]/f.Watched[day] }},
	}
	for k, h := range baselineHalfLives() {
		out = append(out, baseline{fmt.Sprintf("EWMA uptime %gh", h.Hours()), false, func(f *Feature) float64 { return 1 - f.Up[k]/f.Watched[k] }})
	}
	return append(out,
		baseline{"Wilson bound, lifetime", false, func(f *Feature) float64 { return -wilson(f.Life, f.Observed) }},
		baseline{"Wilson bound, 168h", false, func(f *Feature) float64 { return -wilson(f.Up[week], f.Watched[week]) }},
		baseline{"Beta mean, 168h", false, func(f *Feature) float64 { return -(f.Up[week] + 1) / (f.Watched[week] + 2) }},
		baseline{"current run length", false, func(f *Feature) float64 { return -f.Run }},
		baseline{"lifetime MTBF", false, func(f *Feature) float64 { return -f.Life / float64(f.Marks+1) }},
	)
}

// wilson is the lower bound of a share at 95 %, with hours as trials.
func wilson(up, n float64) float64 {
	const z = 1.96
	p := up / n
	spread := math.Sqrt(max(float64(p*(1-p))/n+z*z/4/float64(n*n), 0))
	return (p + z*z/2/n - float64(z*spread)) / (1 + z*z/n)
}

// compared is what a predictor says of the established cases of the test days.
type compared struct {
	name   string
	sample Sample
}

// compareBaselines predicts the established test cases with every baseline.
func compareBaselines(fit, test []Evaluation, ff, ft Features) []compared {
	var out []compared
	for _, b := range baselines() {
		read := func(p float64) float64 { return p }
		if !b.raw {
			var x []float64
			var y []bool
			established(fit, ff, func(_ int, v Case, f *Feature) {
				x, y = append(x, b.risk(f)), append(y, v.Failed)
			})
			read = FitIsotonic(x, y).At
		}
		out = append(out, compared{b.name, sampleOf(test, ft, func(f *Feature) float64 { return read(b.risk(f)) })})
	}
	return out
}

// established calls f for the established cases, in order, with the index of the evaluation.
func established(evals []Evaluation, all Features, f func(e int, v Case, x *Feature)) {
	for e, ev := range evals {
		for c, v := range ev.Cases {
			if !v.Newcomer() {
				f(e, v, &all.At[e][c])
			}
		}
	}
}

// sampleOf predicts the established cases.
func sampleOf(evals []Evaluation, all Features, predict func(*Feature) float64) (s Sample) {
	for e := range evals {
		s.Day = append(s.Day, len(s.P))
		established(evals[e:e+1], Features{At: all.At[e : e+1]}, func(_ int, v Case, x *Feature) {
			s.P, s.Y = append(s.P, predict(x)), append(s.Y, v.Failed)
		})
	}
	return s
}
