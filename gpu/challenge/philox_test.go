package challenge_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// TestPhiloxKnownAnswers are the vectors of Random123, tests/kat_vectors, philox4x32 10.
func TestPhiloxKnownAnswers(t *testing.T) {
	for _, row := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
			[2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		require.Equal(t, row.want, challenge.Philox(row.counter, row.key))
		require.Equal(t, row.want, oraclePhilox(row.counter, row.key), "the oracle is held to the same vectors")
	}
}

// FuzzEntries holds the fast path, two columns at a time, to rows and a plain sum.
func FuzzEntries(f *testing.F) {
	f.Add(uint32(1), uint32(2), uint32(3), uint32(4), uint8(0), uint8(0), uint16(0), uint16(0), uint8(1), true)
	f.Add(uint32(0xffffffff), uint32(0), uint32(0xffffffff), uint32(9), uint8(3), uint8(1), uint16(63), uint16(1), uint8(7), false)
	f.Fuzz(func(t *testing.T, s0, s1, s2, s3 uint32, size, kind uint8, row, col uint16, count uint8, big bool) {
		seed := challenge.Seed{s0, s1, s2, s3}
		n := uint32(64 + 32*int(size%8))
		if big {
			n = 1 << (6 + size%8)
		}
		k := challenge.Kind(kind % 2)
		r, c := uint32(row)%n, uint32(col)%n
		got := make([]int32, min(uint32(count%9), n-c))
		seed.Entries(got, k, n, r, c)
		a, b := make([]int8, n), make([]int8, n)
		seed.Row(a, k, challenge.A, r)
		for i, x := range got {
			seed.Row(b, k, challenge.Bt, c+uint32(i))
			want := int32(0)
			for j := range a {
				want += int32(a[j]) * int32(b[j])
			}
			require.Equal(t, want, x, "n %d kind %v row %d column %d", n, k, r, c+uint32(i))
		}
	})
}

// TestEntriesAtTheLargestSide: the blocks of the last row are the largest, and the sums the widest.
func TestEntriesAtTheLargestSide(t *testing.T) {
	seed := challenge.Seed{5, 6, 7, 8}
	for _, k := range []challenge.Kind{challenge.Int8, challenge.Fp16Ints} {
		got := make([]int32, 3)
		seed.Entries(got, k, challenge.MaxSide, challenge.MaxSide-1, challenge.MaxSide-3)
		a, b := make([]int8, challenge.MaxSide), make([]int8, challenge.MaxSide)
		seed.Row(a, k, challenge.A, challenge.MaxSide-1)
		for i, x := range got {
			seed.Row(b, k, challenge.Bt, challenge.MaxSide-3+uint32(i))
			want := int64(0)
			for j := range a {
				want += int64(a[j]) * int64(b[j])
			}
			require.Equal(t, want, int64(x))
		}
	}
	for _, bad := range []func(){
		func() { seed.Entries(make([]int32, 1), challenge.Int8, 32, 0, 0) },
		func() { seed.Entries(make([]int32, 1), challenge.Int8, 2*challenge.MaxSide, 0, 0) },
		func() { seed.Entries(make([]int32, 1), challenge.Int8, 72, 0, 0) },
		func() { seed.Entries(make([]int32, 1), challenge.Int8, 64, 64, 0) },
		func() { seed.Entries(make([]int32, 2), challenge.Int8, 64, 0, 63) },
	} {
		require.Panics(t, bad)
	}
}
