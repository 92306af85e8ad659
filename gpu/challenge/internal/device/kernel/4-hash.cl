// SHA-256 (FIPS 180-4) of Merkle leaves and nodes.
__constant uint ROUND_KEYS[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define TURN(x, r) ((x) >> (r) | (x) << (32 - (r)))

INLINE void begin(uint h[8]) {
	h[0] = 0x6a09e667, h[1] = 0xbb67ae85, h[2] = 0x3c6ef372, h[3] = 0xa54ff53a;
	h[4] = 0x510e527f, h[5] = 0x9b05688c, h[6] = 0x1f83d9ab, h[7] = 0x5be0cd19;
}

INLINE void compress(uint h[8], uint w[16]) {
	uint a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
#pragma unroll
	for (int r = 0; r < 64; r++) {
		if (r >= 16) {
			uint p = w[(r + 1) & 15], q = w[(r + 14) & 15];
			w[r & 15] += (TURN(p, 7) ^ TURN(p, 18) ^ p >> 3) + w[(r + 9) & 15] + (TURN(q, 17) ^ TURN(q, 19) ^ q >> 10);
		}
		uint t1 = k + (TURN(e, 6) ^ TURN(e, 11) ^ TURN(e, 25)) + ((e & f) ^ (~e & g)) + ROUND_KEYS[r] + w[r & 15];
		uint t2 = (TURN(a, 2) ^ TURN(a, 13) ^ TURN(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
		k = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
	}
	h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += k;
}

// digest is SHA-256 of `words` words of m and the word tag behind them, each big endian. One loop over all blocks, padding
// included, so that the 64 rounds stand once in the program.
INLINE void digest(uint h[8], __global const uint *m, uint words, uint tag) {
	begin(h);
	uint blocks = (words + 4 + 15) / 16; // the tag, the bit that ends the message, its length in two words
	for (uint b = 0; b < blocks; b++) {
		uint w[16];
		if (b * 16 + 16 <= words) {
#pragma unroll
			for (uint i = 0; i < 16; i++) w[i] = m[b * 16 + i];
		} else {
#pragma unroll
			for (uint i = 0; i < 16; i++) {
				uint x = b * 16 + i;
				w[i] = x < words ? m[x] : x == words ? tag : x == words + 1 ? 0x80000000u : x == blocks * 16 - 1 ? words * 32 + 32 : 0;
			}
		}
		compress(h, w);
	}
}

// hash_records hashes `count` records of `words` words each, from record `first` of in: a leaf of a product (tag 0), a state of
// a walk (4 words, tag 0), or two nodes (16 words, tag 1). Hash x goes to place `to` + x of out.
KERNEL void hash_records(__global const uint *in, ulong first, uint words, uint tag, ulong count, __global uint *out, ulong to) {
	ulong x = GLOBAL_ID;
	if (x >= count) return;
	uint h[8];
	digest(h, in + (first + x) * words, words, tag);
#pragma unroll
	for (uint i = 0; i < 8; i++) out[(to + x) * 8 + i] = h[i];
}

// gather copies `count` records of `words` words, record x of out being record which[x] of in.
KERNEL void gather(__global const uint *in, uint words, __global const ulong *which, ulong count, __global uint *out) {
	ulong x = GLOBAL_ID;
	if (x >= count * words) return;
	out[x] = in[which[x / words] * words + x % words];
}
