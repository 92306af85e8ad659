package staking

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The quantiles are those of the usual table; between its rows, and beyond, the wider one.
func TestStudent(t *testing.T) {
	last := int64(1 << 62)
	for freedom := 1; freedom < 200; freedom++ {
		require.LessOrEqual(t, student(freedom), last)
		last = student(freedom)
	}
	for freedom, want := range map[int]int64{
		1: 12_706, 2: 4_303, 13: 2_160, 30: 2_042, 31: 2_042, 39: 2_042, 40: 2_021, 59: 2_021, 60: 2_000, 119: 2_000, 120: 1_980, 1 << 30: 1_980,
	} {
		require.Equal(t, want, student(freedom), "%d degrees of freedom", freedom)
	}
}
