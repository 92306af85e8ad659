package calibrate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The series agree with those of package math.
func TestSeries(t *testing.T) {
	for i := -14_000; i < 14_000; i++ {
		x := float64(i) / 20.37
		require.InEpsilon(t, math.Exp(x), exp(x), 1e-15, "exp %g", x)
		y := math.Exp(x / 3)
		require.InDelta(t, math.Log(y), ln(y), 1e-15*max(1, math.Abs(x/3)), "ln %g", y)
	}
	require.Zero(t, exp(-701))
	require.InDelta(t, 1, exp(0), 0)
	require.Zero(t, ln(1))
}

// A system of equations is solved; a direction without information stays.
func TestSolve(t *testing.T) {
	x := solve([]float64{4, 1, 0, 1, 3, 0, 0, 0, 0}, []float64{1, 2, 0}, 3)
	require.InDelta(t, 1.0/11, x[0], 1e-9)
	require.InDelta(t, 7.0/11, x[1], 1e-9)
	require.Zero(t, x[2])
}
