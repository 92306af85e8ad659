package calibrate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Cases that come from the model are fitted to it, and the fit is the top.
func TestClimbFindsTheModel(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 7))
	want := []float64{-1, 0.5, -0.3}
	var rows []float64
	var y []bool
	for range 60_000 {
		x := []float64{1, r.NormFloat64() - 1, 5 * r.Float64()}
		eta := 0.0
		for i, v := range x {
			eta += v * want[i]
		}
		rows, y = append(rows, x...), append(y, r.Float64() < 1-math.Exp(-math.Exp(eta)))
	}
	got := make([]float64, 3)
	climb(got, rows, y)
	best, _, _ := complement(got, rows, y)
	for i := range got {
		require.InDelta(t, want[i], got[i], 0.05)
		for _, d := range []float64{-0.01, 0.01} {
			moved := append([]float64(nil), got...)
			moved[i] += d
			like, _, _ := complement(moved, rows, y)
			require.Less(t, like, best)
		}
	}
}

// One more outage, a shorter run and a longer horizon are never better, as long as the weights have their signs.
func TestWeightedMonotone(t *testing.T) {
	w := Weighted{
		HalfLives: []time.Duration{6 * time.Hour, 720 * time.Hour}, Priors: []prior{{.0156, .0444}, {.2677, 104.6}},
		Memory: []int{0, 1}, Weights: []float64{.1785, .7214}, Bias: 1.1978, Run: -.2756, RunShift: 24,
	}
	r := rand.New(rand.NewPCG(12, 7))
	for range 10_000 {
		x := Feature{Outages: perMemory{r.Float64(), 5 * r.Float64()}, Up: perMemory{9 * r.Float64(), 1000 * r.Float64()}, Run: 2000 * r.Float64()}
		p := w.Outage(&x, 24)
		require.True(t, p > 0 && p < 1)
		require.LessOrEqual(t, p, w.Outage(&x, 25))
		more := x
		more.Outages = perMemory{x.Outages[0] + 1, x.Outages[1] + 1}
		more.Run = 0
		require.Less(t, p, w.Outage(&more, 24))
	}
}

// Weather counts only what has ended, and only raises.
func TestWeather(t *testing.T) {
	evals := []Evaluation{{Day: 0, Now: 0, End: 25}, {Day: 1, Now: 24, End: 49}, {Day: 2, Now: 47, End: 73}}
	s := Sample{P: make([]float64, 30), Y: make([]bool, 30), Day: []int{0, 10, 20}}
	for i := range s.P {
		s.P[i] = 0.1
	}
	for i := range 5 {
		s.Y[i] = true // of ten, on day 0
	}
	out := weather(evals, s, 1)
	require.Len(t, out.P, 20)
	require.InDelta(t, 1-0.9*0.6, out.P[0], 1e-12, "five of ten where one was expected")
	require.InDelta(t, 1-0.9*0.6, out.P[10], 1e-12, "day 1 has not ended at snapshot 47, so nothing is new")
	evals[2].Now = 48
	require.InDelta(t, 1-0.9*(1-(5*math.Exp2(-.25)-math.Exp2(-.25)-1)/(10*math.Exp2(-.25)+10)), weather(evals, s, 1).P[10], 1e-12)
	for i := range 5 {
		s.Y[i] = false
	}
	require.InDelta(t, 0.1, weather(evals, s, 1).P[0], 1e-12, "good weather changes nothing")
}
