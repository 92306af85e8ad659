package calibrate_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/calibrate"
)

func draw(seed uint64, n, days int, levels int) calibrate.Sample {
	r := rand.New(rand.NewPCG(seed, 1))
	var s calibrate.Sample
	for i := range n {
		if i%((n+days-1)/days) == 0 {
			s.Day = append(s.Day, i)
		}
		p := float64(r.IntN(levels)) / float64(levels)
		s.P, s.Y = append(s.P, p), append(s.Y, r.Float64() < p)
	}
	return s
}

// The AUC is the share of pairs that are in order, counted one by one; ties are half.
func TestAUC(t *testing.T) {
	for seed := range uint64(20) {
		s := draw(seed, 200, 4, 3+int(seed)*3)
		twice, pairs := 0, 0
		for i := range s.P {
			for j := range s.P {
				if s.Y[i] && !s.Y[j] {
					pairs++
					if s.P[i] > s.P[j] {
						twice += 2
					} else if s.P[i] == s.P[j] {
						twice++
					}
				}
			}
		}
		require.InDelta(t, float64(twice)/float64(2*pairs), calibrate.Measure(s).AUC, 1e-15)
	}
}

// Of two predictions that tie for the last place among the best fifth, half of each is in.
func TestBest(t *testing.T) {
	s := calibrate.Sample{
		P:   []float64{.1, .2, .2, .3, .4, .5, .6, .7, .8, .9},
		Y:   []bool{false, true, false, true, true, true, true, true, true, true},
		Day: []int{0},
	}
	m := calibrate.Measure(s)
	require.InDelta(t, 0.25, m.Best20, 1e-15, "one that stayed, and a half of one that failed, of two")
	require.InDelta(t, 0.6, m.BestHalf, 1e-15)
	require.InDelta(t, 0.24, m.BestHalfP, 1e-15)
}

// Each day has one vote among the best, whatever its size.
func TestBestByDay(t *testing.T) {
	var s calibrate.Sample
	for d, n := range []int{10, 100} {
		s.Day = append(s.Day, len(s.P))
		for i := range n {
			s.P, s.Y = append(s.P, float64(i)/1000), append(s.Y, d == 0)
		}
	}
	require.InDelta(t, 0.5, calibrate.Measure(s).Best20, 1e-15)
}

func TestBrier(t *testing.T) {
	s := calibrate.Sample{P: []float64{0, 1, 0, 1}, Y: []bool{false, true, true, false}, Day: []int{0, 2}}
	m := calibrate.Measure(s)
	const in, out = 1e-4 * 1e-4, (1 - 1e-4) * (1 - 1e-4) // clipped
	require.InDelta(t, 1-(2*in+2*out)/4/0.25, m.BSS, 1e-12)
	require.InDelta(t, 0.5, m.Base, 0)
	require.Less(t, m.BSSLow, m.BSSHigh, "one day is right, the other wrong")
	require.Equal(t, m, calibrate.Measure(s), "the same days are drawn again")
}

// A value belongs to the last bin whose lower edge it reaches.
func TestBins(t *testing.T) {
	var s calibrate.Sample
	s.Day = []int{0}
	for i := range 101 {
		s.P, s.Y = append(s.P, 0.1+float64(i)/200), append(s.Y, i%2 == 0)
	}
	bins := s.Reliability(20)
	require.Len(t, bins, 20)
	for k, b := range bins {
		require.InDelta(t, 5, b.Cases, 1, "bin %d", k)
	}
	require.Equal(t, 6, bins[19].Cases, "the last one has its upper edge too")
	flat := calibrate.Sample{P: []float64{.5, .5, .5, .5}, Y: []bool{true, false, false, false}, Day: []int{0}}
	require.Equal(t, []calibrate.Bin{{Cases: 4, Failed: 1, P: .5, Y: .25}}, flat.Reliability(20))
	require.InDelta(t, 0.25, calibrate.Measure(flat).ECE, 1e-15)
}

// What is drawn from its own predictions is calibrated, and what is turned around is worse than none.
func TestCalibrated(t *testing.T) {
	s := draw(3, 200_000, 30, 1000)
	m := calibrate.Measure(s)
	require.Less(t, m.ECE, 0.01)
	require.InDelta(t, 1.0/3, m.BSS, 0.01, "E p(1-p) is 1/6, r(1-r) is 1/4")
	require.Less(t, m.BSSLow, m.BSS)
	require.Less(t, m.BSS, m.BSSHigh)
	for i := range s.P {
		s.P[i] = 1 - s.P[i]
	}
	turned := calibrate.Measure(s)
	require.InDelta(t, 1-m.AUC, turned.AUC, 1e-9)
	require.Negative(t, turned.BSS)
}

func TestNothing(t *testing.T) {
	require.Equal(t, calibrate.Metrics{}, calibrate.Measure(calibrate.Sample{}))
	require.Empty(t, (&calibrate.Sample{}).Reliability(20))
	m := calibrate.Measure(calibrate.Sample{P: []float64{.1, .2}, Y: []bool{false, false}, Day: []int{0}})
	require.InDelta(t, 0.5, m.AUC, 0)
	require.Zero(t, m.BSS)
}

// The steps never fall, keep the sum of what failed, and no step function that never falls is nearer: each step is the mean of
// what it covers.
func TestIsotonic(t *testing.T) {
	s := draw(9, 5000, 1, 1000)
	f := calibrate.FitIsotonic(s.P, s.Y)
	sum, failed, last := 0.0, 0.0, -1.0
	for i := range 1001 {
		require.GreaterOrEqual(t, f.At(float64(i)/1000), last)
		last = f.At(float64(i) / 1000)
	}
	for i, p := range s.P {
		sum += f.At(p)
		if s.Y[i] {
			failed++
		}
	}
	require.InDelta(t, failed, sum, 1e-6)
	require.InDelta(t, 0.5, f.At(0.5), 0.1)
	require.InDelta(t, f.At(-5), f.At(0), 0)
	require.InDelta(t, f.At(5), f.At(0.999), 0)
	require.InDelta(t, 0.5, calibrate.FitIsotonic(nil, nil).At(1), 0)

	two := calibrate.FitIsotonic([]float64{1, 2, 3, 4}, []bool{false, true, false, true})
	require.Equal(t, []float64{0, .5, .5, 1}, []float64{two.At(1), two.At(2), two.At(3), two.At(4)})
}
