//go:build goexperiment.simd && amd64

package cpu

import (
	"simd/archsimd"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// scratch is what kernel avx2 keeps from one stripe to the next.
type scratch struct {
	wide []int16 // rows of A in 16 bits
}

func bestKernel() kernel {
	if archsimd.X86.AVX2() {
		return kernel{name: "avx2", multiply: multiplyAVX2}
	}
	return plainKernel()
}

// multiplyAVX2 makes four rows by two columns at a time: 16 products of 16 bits an instruction, summed in pairs into 32
// bits, which no kind overflows. Bt is widened as it is loaded, A once a stripe.
func multiplyAVX2(t *stripe, bt []int8, n int, _ challenge.Kind) {
	if len(t.wide) != len(t.a) {
		t.wide = make([]int16, len(t.a))
	}
	for i, x := range t.a {
		t.wide[i] = int16(x)
	}
	for col := 0; col < n; col += 2 {
		b0, b1 := bt[col*n:(col+1)*n], bt[(col+1)*n:(col+2)*n]
		for row := 0; row < stripeRows; row += 4 {
			sums := eight(t.wide[row*n:(row+4)*n], b0, b1, n)
			for r := range 4 {
				t.c[(row+r)*n+col], t.c[(row+r)*n+col+1] = sums[2*r], sums[2*r+1]
			}
		}
	}
}

// eight returns four rows times two columns, row by row. n is a multiple of 16.
func eight(a []int16, b0, b1 []int8, n int) [8]int32 {
	var s00, s01, s10, s11, s20, s21, s30, s31 archsimd.Int32x8
	a0, a1, a2, a3 := a[:n], a[n:2*n], a[2*n:3*n], a[3*n:4*n]
	for len(b0) >= 16 && len(b1) >= 16 && len(a0) >= 16 && len(a1) >= 16 && len(a2) >= 16 && len(a3) >= 16 {
		y0 := archsimd.LoadInt8x16((*[16]int8)(b0)).ExtendToInt16()
		y1 := archsimd.LoadInt8x16((*[16]int8)(b1)).ExtendToInt16()
		x := archsimd.LoadInt16x16((*[16]int16)(a0))
		s00, s01 = s00.Add(x.DotProductPairs(y0)), s01.Add(x.DotProductPairs(y1))
		x = archsimd.LoadInt16x16((*[16]int16)(a1))
		s10, s11 = s10.Add(x.DotProductPairs(y0)), s11.Add(x.DotProductPairs(y1))
		x = archsimd.LoadInt16x16((*[16]int16)(a2))
		s20, s21 = s20.Add(x.DotProductPairs(y0)), s21.Add(x.DotProductPairs(y1))
		x = archsimd.LoadInt16x16((*[16]int16)(a3))
		s30, s31 = s30.Add(x.DotProductPairs(y0)), s31.Add(x.DotProductPairs(y1))
		a0, a1, a2, a3, b0, b1 = a0[16:], a1[16:], a2[16:], a3[16:], b0[16:], b1[16:]
	}
	out := [8]int32{total(s00), total(s01), total(s10), total(s11), total(s20), total(s21), total(s30), total(s31)}
	archsimd.ClearAVXUpperBits()
	return out
}

func total(v archsimd.Int32x8) (sum int32) {
	var lanes [8]int32
	v.Store(&lanes)
	for _, x := range lanes {
		sum += x
	}
	return sum
}
