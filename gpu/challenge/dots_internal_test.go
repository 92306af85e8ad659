package challenge

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExtremeSums feeds the packed sums what no seed will give: every entry at its end, over the largest side.
func TestExtremeSums(t *testing.T) {
	for _, row := range []struct {
		k           Kind
		a           int8
		left, right uint32 // the same entry in all places of a word
		lv, rv      int64
		bias        int64
	}{
		{Int8, -128, 0x80808080, 0x7f7f7f7f, -128, 127, 128},
		{Int8, -128, 0x7f7f7f7f, 0x80808080, 127, -128, 128},
		{Int8, 127, 0x80808080, 0x80808080, -128, -128, 128},
		{Int8, 127, 0x7f7f7f7f, 0x7f7f7f7f, 127, 127, 128},
		{Int8, -128, 0, 0x7f7f7f7f, 0, 127, 128},
		{Fp16Ints, -8, 0x88888888, 0x77777777, -8, 7, 8},
		{Fp16Ints, -8, 0x77777777, 0x88888888, 7, -8, 8},
		{Fp16Ints, 7, 0x77777777, 0x77777777, 7, 7, 8},
	} {
		a := make([]int8, MaxSide)
		for i := range a {
			a[i] = row.a
		}
		words := make([]uint64, MaxSide/int(row.k.perBlock())*4)
		for i := range words {
			words[i] = uint64(row.left) | uint64(row.right)<<32
		}
		sum := dotBytes
		if row.k == Fp16Ints {
			sum = dotNibbles
		}
		left, right := split(sum(a, words))
		require.Equal(t, MaxSide*int64(row.a)*(row.lv+row.bias), int64(left))
		require.Equal(t, MaxSide*int64(row.a)*(row.rv+row.bias), int64(right))
	}
}
