package sched

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFine says that fine is the least number of each coarse value.
func TestFine(t *testing.T) {
	for c := range uint32(1 << 16) {
		v := fine(uint16(c))
		if coarse(v) != uint16(c) { // no number is so coarse
			require.Greater(t, c>>11, uint32(21))
			continue
		}
		if v > 0 {
			require.Less(t, coarse(v-1), uint16(c))
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		v := r.Uint32() >> r.IntN(32)
		require.LessOrEqual(t, fine(coarse(v)), v)
		require.LessOrEqual(t, v-fine(coarse(v)), v>>11)
	}
}
