package challenge

import (
	"crypto/sha256"
	"encoding/binary"
)

// Multipliers and key increments of Philox4x32 (Salmon and others, SC 2011; Random123 philox.h).
const (
	philoxM0, philoxM1 = 0xD2511F53, 0xCD9E8D57
	philoxW0, philoxW1 = 0x9E3779B9, 0xBB67AE85
)

// Seed is 128 bits: two words of Philox key, two words of the upper half of the counter.
type Seed [4]uint32

// Matrix is one of the two factors of a round.
type Matrix uint32

// The factors. A row of Bt is a column of B.
const (
	A  Matrix = 0
	Bt Matrix = 1
)

// Philox is Philox4x32-10: a bijection of 128 bits for each key of 64 bits.
func Philox(c [4]uint32, key [2]uint32) [4]uint32 {
	c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
	k0, k1 := key[0], key[1]
	for range 10 {
		p0, p1 := philoxM0*uint64(c0), philoxM1*uint64(c2)
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0, k1 = k0+philoxW0, k1+philoxW1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// philoxTwo is Philox of two counters in place.
func philoxTwo(c, d *[4]uint32, key [2]uint32) {
	c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
	d0, d1, d2, d3 := d[0], d[1], d[2], d[3]
	k0, k1 := key[0], key[1]
	for range 10 {
		p0, p1 := philoxM0*uint64(c0), philoxM1*uint64(c2)
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		q0, q1 := philoxM0*uint64(d0), philoxM1*uint64(d2)
		d0, d1, d2, d3 = uint32(q1>>32)^d1^k0, uint32(q1), uint32(q0>>32)^d3^k1, uint32(q0)
		k0, k1 = k0+philoxW0, k1+philoxW1
	}
	*c, *d = [4]uint32{c0, c1, c2, c3}, [4]uint32{d0, d1, d2, d3}
}

// Next is the seed of the round after the one whose root is given.
func (s Seed) Next(root Hash) Seed {
	b := make([]byte, 0, 48)
	for _, w := range s {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return seedFrom(sha256.Sum256(append(b, root[:]...)))
}

// Block returns the 16 bytes of block b of a matrix, as four words, little endian.
func (s Seed) Block(m Matrix, b uint64) [4]uint32 {
	return Philox([4]uint32{uint32(b), uint32(b>>32) | uint32(m)<<31, s[2], s[3]}, [2]uint32{s[0], s[1]})
}

func seedFrom(h Hash) (s Seed) {
	for i := range s {
		s[i] = binary.LittleEndian.Uint32(h[4*i:])
	}
	return s
}
