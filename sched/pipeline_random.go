package sched

import "math/bits"

// splitMix is a stream of pseudo-random numbers: SplitMix64 of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators"
// (OOPSLA 2014). Its value is the seed.
type splitMix uint64

func (d *splitMix) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns 0 to n-1. The bias is at most n/2^32.
func (d *splitMix) below(n int) int { return int(d.next() >> 32 * uint64(n) >> 32) }

const expBits = 16

// exponential returns a variate of mean about one, in units of 2^-16. It is -ln 2 * log2(u) with the logarithm read off the leading zeros of
// u and interpolated in between: 0.06 too large at most, which a search does not notice, and the same on every machine.
func (d *splitMix) exponential() uint64 {
	const ln2 = 45426 // 2^16 * ln 2 = 45,426.09
	u := d.next() | 1
	zeros := bits.LeadingZeros64(u)
	mantissa := u << (zeros + 1) >> (64 - expBits)
	return (uint64(zeros+1)<<expBits - mantissa) * ln2 >> expBits
}
