package cpu

import "github.com/idlegrid/idlegrid/gpu/challenge"

// stripe is what a worker multiplies: 64 rows of A, and room for as many of C.
type stripe struct {
	a       []int8
	c       []int32
	packed  []uint64 // of kernel plain: columns of Bt, several in a word
	scratch          // of the other kernel, if there is one
}

// kernel computes c = a * bt^T for a stripe, exactly.
type kernel struct {
	name     string
	multiply func(t *stripe, bt []int8, n int, k challenge.Kind)
}

// chunk is the number of products that are summed before they are unpacked. 32 * 2^14 < 2^20 fits 21 bits with sign, and
// for nibbles 32 * 2^6 < 2^15 fits 16 bits.
const chunk = 32

func plainKernel() kernel { return kernel{name: "plain", multiply: multiplyPlain} }

// multiplyPlain goes through Bt once a stripe, a word's columns at a time.
func multiplyPlain(t *stripe, bt []int8, n int, k challenge.Kind) {
	fields, width := 3, uint(21)
	if k == challenge.Fp16Ints {
		fields, width = 4, 16
	}
	if len(t.packed) != n {
		t.packed = make([]uint64, n)
	}
	var sums [4][4]int32 // of four rows, each with its columns
	for col := 0; col < n; col += fields {
		m := min(fields, n-col)
		pack(t.packed, bt[col*n:(col+m)*n], n, width)
		for row := 0; row < stripeRows; row += 4 {
			sums = [4][4]int32{}
			multiplyFour(&sums, t.a[row*n:(row+4)*n], t.packed, width)
			for r := range sums {
				copy(t.c[(row+r)*n+col:(row+r)*n+col+m], sums[r][:m])
			}
		}
	}
}

// pack adds up columns, each shifted by its field. A negative entry borrows from the fields above; the sums are exact as
// integers, and unpack takes the borrow back.
func pack(dst []uint64, columns []int8, n int, width uint) {
	first := columns[:len(dst)]
	for i, x := range first {
		dst[i] = uint64(int64(x))
	}
	for c := 1; c*n < len(columns); c++ {
		shift := uint(c) * width
		for i, x := range columns[c*n : (c+1)*n] {
			dst[i] += uint64(int64(x)) << (shift & 63)
		}
	}
}

// multiplyFour adds the products of four rows of A with the packed columns to sums.
func multiplyFour(sums *[4][4]int32, a []int8, packed []uint64, width uint) {
	n := len(packed)
	a0, a1, a2, a3 := a[:n], a[n:2*n], a[2*n:3*n], a[3*n:4*n]
	for ; len(packed) >= chunk; packed = packed[chunk:] {
		b := (*[chunk]uint64)(packed)
		x0, x1, x2, x3 := (*[chunk]int8)(a0), (*[chunk]int8)(a1), (*[chunk]int8)(a2), (*[chunk]int8)(a3)
		var s0, s1, s2, s3 uint64
		for i, y := range b {
			s0 += uint64(int64(x0[i])) * y
			s1 += uint64(int64(x1[i])) * y
			s2 += uint64(int64(x2[i])) * y
			s3 += uint64(int64(x3[i])) * y
		}
		unpack(&sums[0], s0, width)
		unpack(&sums[1], s1, width)
		unpack(&sums[2], s2, width)
		unpack(&sums[3], s3, width)
		a0, a1, a2, a3 = a0[chunk:], a1[chunk:], a2[chunk:], a3[chunk:]
	}
}

// unpack adds the fields of a word of sums, lowest first. What lies above a field, less that field, is a multiple of its
// width.
func unpack(sums *[4]int32, x uint64, width uint) {
	width &= 63
	up := 64 - width
	for i := range sums {
		field := int64(x<<(up&63)) >> (up & 63)
		sums[i] += int32(field)
		x = uint64((int64(x) - field) >> width)
	}
}
