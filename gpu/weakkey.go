package gpu

// weakKey reports whether an ed25519 public key is a point of small order, in any spelling. The cofactored group has eight
// such points; for a key among them signatures can be made without a private key, so a report would prove nothing.
//
// A point is compressed as its y and the sign of its x, which is the top bit and is masked out here. The y of small order are
// 0, 1, -1 and the two of order 8, and p and p+1 are 0 and 1 again (RFC 8032 section 5.1.3 forbids them, some decoders do
// not). Everything but the two of order 8 is a number next to 0 or to p = 2^255-19.
func weakKey(key [32]byte) bool {
	key[31] &= 0x7f
	switch string(key[:]) {
	case "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
		"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a":
		return true
	}
	first, rest, last := key[0], key[1:31], key[31]
	for _, b := range rest { // little endian: 0 and 1 are 00.., p-1, p and p+1 are ec..ee ff.. 7f
		if b != rest[0] {
			return false
		}
	}
	low := first <= 1 && rest[0] == 0 && last == 0
	high := first >= 0xec && first <= 0xee && rest[0] == 0xff && last == 0x7f
	return low || high
}
