package challenge

import "fmt"

// perBlock is the number of entries in the 16 bytes of a block.
func (k Kind) perBlock() uint32 {
	if k == Fp16Ints {
		return 32
	}
	return 16
}

// Row writes a row of a matrix, one entry an element. len(dst) is N and has to be a multiple of 32.
func (s Seed) Row(dst []int8, k Kind, m Matrix, row uint32) {
	per := int(k.perBlock())
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
// and as many of Bt as there are entries, each generated anew. It needs memory for one row. It panics unless n is a multiple
// of 32 from MinSide to MaxSide and the entries lie in the matrix.
func (s Seed) Entries(dst []int32, k Kind, n, row, col uint32) {
	if n < MinSide || n > MaxSide || n%32 != 0 || row >= n || uint64(col)+uint64(len(dst)) > uint64(n) {
		panic(fmt.Sprintf("challenge: Seed.Entries: %d entries at row %d, column %d of %d x %d", len(dst), row, col, n, n))
	}
	a := make([]int8, n)
	s.Row(a, k, A, row)
	bias := int32(0)
	for _, v := range a {
		bias += int32(v)
	}
	bias <<= 7 // 128 a unit, 8 for nibbles
	if k == Fp16Ints {
		bias >>= 4
	}
	p := newPairs(s)
	for i := 0; i < len(dst); i += 2 {
		j := col + uint32(i)
		next := j + uint32(min(1, len(dst)-1-i)) // an odd one at the end goes with itself
		left, right := p.dots(a, k, j, next)
		dst[i] = left - bias
		if i+1 < len(dst) {
			dst[i+1] = right - bias
		}
	}
}

// pairs generates two rows of Bt at once. Blocks of matrices are below 2^28 (MaxSide^2/16), so three of four words of every
// counter are the same for all blocks of a seed, and of the 20 products of Philox 3 need not be made again.
type pairs struct {
	keys   [10][2]uint32
	x0, x1 uint32 // what round 2 adds to words 0 and 2
	x2, x3 uint32 // what round 1 adds to word 2, and word 3 after round 2
	words  [512]uint64
}

func newPairs(s Seed) *pairs {
	p := &pairs{}
	k0, k1 := s[0], s[1]
	for i := range p.keys {
		p.keys[i] = [2]uint32{k0, k1}
		k0, k1 = k0+philoxW0, k1+philoxW1
	}
	first := philoxM1 * uint64(s[2]) // round 1 of words 2 and 3
	second := philoxM0 * uint64(uint32(first>>32)^uint32(Bt)<<31^p.keys[0][0])
	p.x0 = uint32(first) ^ p.keys[1][0]
	p.x1 = uint32(second>>32) ^ p.keys[1][1]
	p.x2 = s[3] ^ p.keys[0][1]
	p.x3 = uint32(second)
	return p
}

// dots returns a * row for two rows of Bt, each of its entries made unsigned by adding 128 (8 for nibbles). Two sums share a
// 64-bit word: they stay inside 32 bits with sign, since 128 * 255 * MaxSide < 2^31.
func (p *pairs) dots(a []int8, k Kind, row, next uint32) (left, right int32) {
	perRow := uint32(len(a)) / k.perBlock()
	b0, b1 := row*perRow, next*perRow
	sum := uint64(0)
	for len(a) > 0 {
		blocks := min(len(p.words)/4, len(a)/int(k.perBlock()))
		words := p.words[:4*blocks]
		p.fill(words, b0, b1)
		n := blocks * int(k.perBlock())
		if k == Fp16Ints {
			sum += dotNibbles(a[:n], words)
		} else {
			sum += dotBytes(a[:n], words)
		}
		a = a[n:]
		b0, b1 = b0+uint32(blocks), b1+uint32(blocks)
	}
	return split(sum)
}

// split takes two sums out of one word: the lower one with its sign, and what is left above it.
func split(sum uint64) (left, right int32) {
	left = int32(uint32(sum))
	return left, int32((int64(sum) - int64(left)) >> 32)
}

// fill generates blocks from b0 and from b1 on side by side: word i of the one is the lower half of an element, that of the
// other the upper. Two chains of products are in flight, which one chain's latency would leave idle.
func (p *pairs) fill(dst []uint64, b0, b1 uint32) {
	for ; len(dst) >= 4; dst = dst[4:] {
		s0, t0 := philoxM0*uint64(b0), philoxM0*uint64(b1)
		s1, t1 := philoxM1*uint64(uint32(s0>>32)^p.x2), philoxM1*uint64(uint32(t0>>32)^p.x2)
		c0, c1, c2, c3 := uint32(s1>>32)^p.x0, uint32(s1), p.x1^uint32(s0), p.x3
		d0, d1, d2, d3 := uint32(t1>>32)^p.x0, uint32(t1), p.x1^uint32(t0), p.x3
		for r := 2; r < 10; r++ {
			key := &p.keys[r]
			s0, s1 = philoxM0*uint64(c0), philoxM1*uint64(c2)
			c0, c1, c2, c3 = uint32(s1>>32)^c1^key[0], uint32(s1), uint32(s0>>32)^c3^key[1], uint32(s0)
			t0, t1 = philoxM0*uint64(d0), philoxM1*uint64(d2)
			d0, d1, d2, d3 = uint32(t1>>32)^d1^key[0], uint32(t1), uint32(t0>>32)^d3^key[1], uint32(t0)
		}
		dst[0], dst[1] = uint64(c0)|uint64(d0)<<32, uint64(c1)|uint64(d1)<<32
		dst[2], dst[3] = uint64(c2)|uint64(d2)<<32, uint64(c3)|uint64(d3)<<32
		b0, b1 = b0+1, b1+1
	}
}

// dotBytes sums a times both halves of words, byte by byte, a block at a time. Flipping the sign bit of a byte adds 128.
func dotBytes(a []int8, words []uint64) (sum uint64) {
	const low, flip = 0xff_0000_00ff, 0x8080_8080_8080_8080
	for len(a) >= 16 && len(words) >= 4 {
		v := (*[16]int8)(a)
		w, x, y, z := words[0]^flip, words[1]^flip, words[2]^flip, words[3]^flip
		sum += uint64(int64(v[0]))*(w&low) + uint64(int64(v[1]))*(w>>8&low) +
			uint64(int64(v[2]))*(w>>16&low) + uint64(int64(v[3]))*(w>>24&low)
		sum += uint64(int64(v[4]))*(x&low) + uint64(int64(v[5]))*(x>>8&low) +
			uint64(int64(v[6]))*(x>>16&low) + uint64(int64(v[7]))*(x>>24&low)
		sum += uint64(int64(v[8]))*(y&low) + uint64(int64(v[9]))*(y>>8&low) +
			uint64(int64(v[10]))*(y>>16&low) + uint64(int64(v[11]))*(y>>24&low)
		sum += uint64(int64(v[12]))*(z&low) + uint64(int64(v[13]))*(z>>8&low) +
			uint64(int64(v[14]))*(z>>16&low) + uint64(int64(v[15]))*(z>>24&low)
		a, words = a[16:], words[4:]
	}
	return sum
}

// dotNibbles is dotBytes for four bits each. Flipping the sign bit of a nibble adds 8.
func dotNibbles(a []int8, words []uint64) (sum uint64) {
	const low = 0xf_0000_000f
	for ; len(a) >= 8 && len(words) >= 1; a, words = a[8:], words[1:] {
		x := words[0] ^ 0x8888_8888_8888_8888
		sum += uint64(int64(a[0]))*(x&low) + uint64(int64(a[1]))*(x>>4&low) +
			uint64(int64(a[2]))*(x>>8&low) + uint64(int64(a[3]))*(x>>12&low) +
			uint64(int64(a[4]))*(x>>16&low) + uint64(int64(a[5]))*(x>>20&low) +
			uint64(int64(a[6]))*(x>>24&low) + uint64(int64(a[7]))*(x>>28&low)
	}
	return sum
}
