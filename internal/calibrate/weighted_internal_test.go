package calibrate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
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

// What the book says in fixed point is what the model says in real numbers, case by case.
func TestBookSaysWhatTheModelSays(t *testing.T) {
	trace := Generate(3, 400, 40)
	q := Question{Horizon: 24 * time.Hour}
	evals := trace.Evaluations(Days{14, 38}, q)
	f := trace.Features(evals, HalfLives())
	w, err := fitWeighted(evals, f, q)
	require.NoError(t, err)
	base, err := trace.Fit(evals, q, MeanHalfLives(), "x")
	require.NoError(t, err)
	p, err := w.params(base, "x", q.Horizon)
	require.NoError(t, err)
	p.Weather = reputation.Weather{}
	up, err := trace.scores(p, evals, q.Horizon)
	require.NoError(t, err)
	for i := range w.weights { // as they were rounded
		w.weights[i] = float64(p.Memories[i].WeightPPM) / 1e6
	}
	w.bias, w.run = float64(p.Hazard.BiasMicroNats)/1e6, -float64(p.Hazard.RunPPM)/1e6
	n := 0
	for e, ev := range evals {
		for c, v := range ev.Cases {
			if !v.Newcomer() {
				n++
				require.InDelta(t, 1-w.outage(&f.At[e][c], 24), float64(up[e][c])/1e6, 2e-6, "evaluation %d, case %d", e, c)
			}
		}
	}
	require.Greater(t, n, 3_000)
}
