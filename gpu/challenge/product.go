package challenge

import (
	"fmt"
	"math/bits"
)

// mersenne is the prime 2^61-1, the field of CheckProduct.
const mersenne = 1<<61 - 1

// CheckProduct reports whether c, row by row, is the whole product of a seed's two N x N matrices, by Freivalds' check over
// the field of 2^61-1: C*r = A*(B*r) for a random vector r in each trial. A wrong product passes a trial with at most 2^-60.
// The coin must be random and unknown to who made c. It takes O(N^2) time on one core and memory for a few rows.
//
// It is a test of one's own device for silent corruption. It proves nothing over a network: A*(B*r) needs no product. It
// panics if n is out of the bounds of Spec or c has not n*n entries.
func CheckProduct(s Seed, k Kind, n uint32, c []int32, coin Seed, trials uint32) bool {
	if n < MinSide || n > MaxSide || n%32 != 0 || uint64(len(c)) != uint64(n)*uint64(n) {
		panic(fmt.Sprintf("challenge: CheckProduct: %d entries of %d x %d", len(c), n, n))
	}
	row := make([]int8, n)
	for t := range trials {
		r := coin.vector(t, n)
		y := s.timesB(k, r, row)
		for i := range n {
			s.Row(row, k, A, i)
			if dotField(row, y) != dotField(c[i*n:(i+1)*n], r) {
				return false
			}
		}
	}
	return true
}

// vector draws n field elements: 61 bits each of a word of 64. Zero is drawn with 2 in 2^61, any other with 1.
func (s Seed) vector(trial, n uint32) []uint64 {
	out := make([]uint64, 0, n)
	for b := uint64(0); len(out) < int(n); b++ {
		w := Philox([4]uint32{uint32(b), trial, s[2], s[3]}, [2]uint32{s[0], s[1]})
		out = append(out, fold(uint64(w[1])<<32|uint64(w[0])), fold(uint64(w[3])<<32|uint64(w[2])))
	}
	return out
}

// timesB is B*r. Its element k is the sum over j of Bt[j][k]*r[j]. The limbs of r have 31 and 30 bits, so that sums of 2^16
// products with 8 bits stay below 2^55.
func (s Seed) timesB(k Kind, r []uint64, row []int8) []uint64 {
	low, high := make([]int64, len(r)), make([]int64, len(r))
	for j, x := range r {
		s.Row(row, k, Bt, uint32(j))
		l, h := int64(x&(1<<31-1)), int64(x>>31)
		for i, b := range row {
			low[i] += l * int64(b)
			high[i] += h * int64(b)
		}
	}
	y := make([]uint64, len(r))
	for i := range y {
		y[i] = addField(fieldOf(low[i]), mulField(fieldOf(high[i]), 1<<31))
	}
	return y
}

// dotField is the sum of a[i]*x[i] in the field. Positive and negative terms are summed apart, in 128 bits: 2^16 products
// below 2^31 * 2^61 stay below 2^108.
func dotField[T int8 | int32](a []T, x []uint64) uint64 {
	var hi, lo [2]uint64
	x = x[:len(a)]
	for i, v := range a {
		sign := int64(v) >> 63 // 0 or -1: a branch on random signs would be guessed wrong half of the time
		side := sign & 1
		h, l := bits.Mul64(uint64((int64(v)^sign)-sign), x[i])
		var carry uint64
		lo[side], carry = bits.Add64(lo[side], l, 0)
		hi[side], _ = bits.Add64(hi[side], h, carry)
	}
	minus := reduce(hi[1], lo[1])
	return addField(reduce(hi[0], lo[0]), mersenne-minus)
}

// reduce is hi*2^64 + lo in the field, for hi < 2^58: 2^61 is 1 there.
func reduce(hi, lo uint64) uint64 { return addField(fold(lo), fold(hi<<3)) }

// fold brings 64 bits into [0, mersenne).
func fold(x uint64) uint64 {
	x = x&mersenne + x>>61
	if x >= mersenne {
		x -= mersenne
	}
	return x
}

func addField(a, b uint64) uint64 { return fold(a + b) }

func mulField(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return reduce(hi, lo)
}

func fieldOf(x int64) uint64 {
	if x < 0 {
		return addField(mersenne-fold(uint64(-x)), 0)
	}
	return fold(uint64(x))
}
