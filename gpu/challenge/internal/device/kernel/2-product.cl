// C = A * Bt^T: the plain kernel, on the four-byte dot product that every device has or can imitate.

#define BAND 8 /* tile rows that are walked together, so that their tiles of A and Bt are still in the second-level cache */

// tile_at places tile id of a grid of rows x cols tiles: down BAND rows first, then along the columns.
INLINE uint2 tile_at(uint id, uint rows, uint cols) {
	uint per = BAND * cols, first = id / per * BAND, tall = rows - first < BAND ? rows - first : BAND;
	return (uint2)(first + id % per % tall, id % per / tall);
}

#define PLAIN 128      /* rows and columns of a tile */
#define PLAIN_PITCH 132 /* words between two steps of k in local memory: 16-byte aligned, and stores meet no bank twice */

INLINE uint4 fetch(__global const uint4 *m, ulong row, uint k, uint n) {
	return row < n && k < n >> 4 ? m[row * (n >> 4) + k] : (uint4)(0);
}

INLINE void put(__local uint *s, uint row, uint part, uint4 v) {
	s[(part * 4 + 0) * PLAIN_PITCH + row] = v.s0;
	s[(part * 4 + 1) * PLAIN_PITCH + row] = v.s1;
	s[(part * 4 + 2) * PLAIN_PITCH + row] = v.s2;
	s[(part * 4 + 3) * PLAIN_PITCH + row] = v.s3;
}

// product_dp4a computes tile rows top .. top+rows-1. A and Bt hold bytes. n is a multiple of 16; tiles over the edge are cut.
// A work-item holds 8 x 8 sums: rows and columns 4*i..4*i+3 and 64 further on. A step is 32 bytes of k.
KERNEL void product_dp4a(__global const uint4 *A, __global const uint4 *Bt, __global int4 *C, uint n, uint top, uint rows) {
	__local uint sa[8 * PLAIN_PITCH] __attribute__((aligned(16))), sb[8 * PLAIN_PITCH] __attribute__((aligned(16)));
	uint t = LOCAL_ID, x = t & 15, y = t >> 4, row = t >> 1, part = t & 1;
	uint2 tile = tile_at(GROUP_ID, rows, (n + PLAIN - 1) / PLAIN);
	ulong r0 = (ulong)(top + tile.s0) * PLAIN, c0 = (ulong)tile.s1 * PLAIN;
	int acc[8][8];
#pragma unroll
	for (uint i = 0; i < 8; i++)
#pragma unroll
		for (uint j = 0; j < 8; j++) acc[i][j] = 0;
	uint4 na = fetch(A, r0 + row, part, n), nb = fetch(Bt, c0 + row, part, n);
	for (uint k = 0; k < n >> 4; k += 2) {
		put(sa, row, part, na);
		put(sb, row, part, nb);
		SYNC;
		na = fetch(A, r0 + row, k + 2 + part, n);
		nb = fetch(Bt, c0 + row, k + 2 + part, n);
#pragma unroll
		for (uint s = 0; s < 8; s++) {
			__local const uint4 *pa = (__local const uint4 *)(sa + s * PLAIN_PITCH), *pb = (__local const uint4 *)(sb + s * PLAIN_PITCH);
			uint4 a0 = pa[y], a1 = pa[y + 16], b0 = pb[x], b1 = pb[x + 16];
			uint a[8] = {a0.s0, a0.s1, a0.s2, a0.s3, a1.s0, a1.s1, a1.s2, a1.s3};
			uint b[8] = {b0.s0, b0.s1, b0.s2, b0.s3, b1.s0, b1.s1, b1.s2, b1.s3};
#pragma unroll
			for (uint i = 0; i < 8; i++)
#pragma unroll
				for (uint j = 0; j < 8; j++) acc[i][j] = dp4a(a[i], b[j], acc[i][j]);
		}
		SYNC;
	}
#pragma unroll
	for (uint i = 0; i < 8; i++)
#pragma unroll
		for (uint h = 0; h < 2; h++) {
			ulong r = r0 + (i >> 2) * 64 + y * 4 + (i & 3), c = c0 + h * 64 + x * 4;
			if (r < n && c < n) C[(r * n + c) >> 2] = (int4)(acc[i][h * 4], acc[i][h * 4 + 1], acc[i][h * 4 + 2], acc[i][h * 4 + 3]);
		}
}
