package challenge

// perBlock is the number of entries in the 16 bytes of a block.
func (k Kind) perBlock() int {
	if k == Fp16Ints {
		return 32
	}
	return 16
}

// Row writes a row of a matrix, one entry an element. len(dst) is N; it has to be a multiple of 32.
func (s Seed) Row(dst []int8, k Kind, m Matrix, row uint32) {
	per := k.perBlock()
	b := uint64(row) * uint64(len(dst)/per)
	for ; len(dst) >= per; dst = dst[per:] {
		words := s.Block(m, b)
		for w, x := range words {
			if k == Fp16Ints {
				d := dst[8*w : 8*w+8]
				for i := range d {
					d[i] = int8(x>>(4*i)<<4) >> 4
				}
				continue
			}
			d := dst[4*w : 4*w+4]
			d[0], d[1], d[2], d[3] = int8(x), int8(x>>8), int8(x>>16), int8(x>>24)
		}
		b++
	}
}

// Entries recomputes len(dst) neighbours of a row of the product of two N x N matrices, from column col on: one row of A,
// and as many of Bt as there are entries, each generated anew. It needs memory for one row.
func (s Seed) Entries(dst []int32, k Kind, n, row, col uint32) {
	a, b := make([]int8, n), make([]int8, n)
	s.Row(a, k, A, row)
	for i := range dst {
		s.Row(b, k, Bt, col+uint32(i))
		dst[i] = dot(a, b)
	}
}

// dot is exact: see MaxSide.
func dot(a, b []int8) (sum int32) {
	b = b[:len(a)]
	for i, x := range a {
		sum += int32(x) * int32(b[i])
	}
	return sum
}
