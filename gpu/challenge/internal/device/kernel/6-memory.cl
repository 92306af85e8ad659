// fill writes cells first .. first+count-1 of the table. An entry is 8 cells of 16 bytes; cell q of entry j is the state after
// `cost` Philox calls from its own counter, so no cell follows from another.
KERNEL void fill(uint s0, uint s1, uint s2, uint s3, uint cost, ulong first, ulong count, __global uint4 *table) {
	ulong x = GLOBAL_ID;
	if (x >= count) return;
	x += first;
	uint4 c = (uint4)((uint)(x >> 3), (uint)(x >> 35) | 1u << 30 | (uint)(x & 7) << 26, s2, s3);
	for (uint i = 0; i < cost; i++) c = philox(c, s0 ^ i, s1);
	table[x] = c;
}

INLINE uint swap_bytes(uint x) { return x << 24 | (x & 0xff00u) << 8 | (x >> 8 & 0xff00u) | x >> 24; }

// lanes sets the states that lanes start from: the first 16 bytes, as little-endian words, of SHA-256 of a message that differs
// between lanes in four bytes only. message is its two padded blocks with zeros there, and the number of the lane, big endian,
// goes to the lower half of word `at` and the upper half of the next.
KERNEL void lanes(__global const uint *message, uint at, ulong count, __global uint4 *state) {
	ulong lane = GLOBAL_ID;
	if (lane >= count) return;
	uint h[8];
	begin(h);
	for (uint b = 0; b < 2; b++) {
		uint w[16];
#pragma unroll
		for (uint i = 0; i < 16; i++) {
			uint x = b * 16 + i;
			w[i] = message[x] | (x == at ? (uint)lane >> 16 : x == at + 1 ? (uint)lane << 16 : 0);
		}
		compress(h, w);
	}
	state[lane] = (uint4)(swap_bytes(h[0]), swap_bytes(h[1]), swap_bytes(h[2]), swap_bytes(h[3]));
}

// walk takes every lane one segment of `steps` reads further: the state picks an entry, and its 8 cells are absorbed in order.
// The state at the end replaces the lane's and is kept as number lane * segments + segment of ends.
KERNEL void walk(uint s0, uint s1, __global const uint4 *table, ulong size, __global uint4 *state, ulong lanes, ulong steps,
                 ulong segments, ulong segment, __global uint4 *ends) {
	ulong lane = GLOBAL_ID;
	if (lane >= lanes) return;
	uint4 h = state[lane];
	for (ulong i = 0; i < steps; i++) {
		ulong j = high64((ulong)h.s1 << 32 | h.s0, size);
		uint4 e[8];
#pragma unroll
		for (uint q = 0; q < 8; q++) e[q] = table[j * 8 + q];
#pragma unroll
		for (uint q = 0; q < 8; q++) h = philox(h ^ e[q], s0, s1);
	}
	state[lane] = h;
	ends[lane * segments + segment] = h;
}
