// C = A * Bt^T on tensor cores: mma.sync over tiles that cp.async and ldmatrix bring in. The fragments of
// mma.m16n8k32 (bytes) and mma.m16n8k16 (binary16) have one layout when counted in bytes: 32 bytes of k, and lane
// l = 4*g + q holds word q of 16-byte chunks of row g (PTX ISA, "Matrix fragments for mma.m16n8k32" and "...m16n8k16").
//
// Elsewhere than on NVPTX the warp's instructions are imitated word for word from that layout: what a lane would have got
// from ldmatrix is read from where the lane that names that row would have pointed. So a CPU runs the very addressing.
#ifndef NO_TENSOR

#define TALL 128 /* rows of a tile: 2 warps of 64 */
#define WIDE 256 /* columns of a tile: 4 warps of 64 */
#define STAGE ((TALL + WIDE) * 4) /* 16-byte chunks of a stage: 64 bytes of each row of A and Bt; two stages are 48 KiB */

// place is where chunk c (0..3) of a row lies in its stage. Two rows fill the 32 banks; the exclusive or spreads the same chunk
// of 8 successive rows over all of them, so ldmatrix meets no bank twice.
INLINE uint place(uint row, uint c) { return row * 4 + (c ^ ((row >> 1) & 3)); }

// row_a and row_b tell which row of its fragment lane l names to ldmatrix, and chunk_a and chunk_b which of two chunks. The four
// 8x8 matrices are registers 0..3: for A rows 0-7 and 8-15 of chunk 0, then of chunk 1; for B chunks 0 and 1 of columns 0-7,
// then of columns 8-15.
INLINE uint row_a(uint l) { return l & 15; }
INLINE uint chunk_a(uint l) { return l >> 4; }
INLINE uint row_b(uint l) { return (l & 7) + (l >> 4) * 8; }
INLINE uint chunk_b(uint l) { return (l >> 3) & 1; }

#ifdef __NVPTX__
typedef uint4 fragment;
#define UNROLL _Pragma("unroll")

INLINE void copy_async(__local uint4 *to, __global const uint4 *from) {
	__asm__ volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((uint)(ulong)to), "l"(from) : "memory");
}
INLINE void copy_wait(void) { __asm__ volatile("cp.async.wait_all;" ::: "memory"); }

INLINE uint4 ldmatrix(__local const uint4 *s) {
	uint4 d;
	__asm__ volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
	                 : "=r"(d.s0), "=r"(d.s1), "=r"(d.s2), "=r"(d.s3)
	                 : "r"((uint)(ulong)s)
	                 : "memory");
	return d;
}
INLINE fragment load_a(__local const uint4 *s, uint row, uint c, uint l) { return ldmatrix(s + place(row + row_a(l), c + chunk_a(l))); }
INLINE fragment load_b(__local const uint4 *s, uint row, uint c, uint l) { return ldmatrix(s + place(row + row_b(l), c + chunk_b(l))); }

// mma adds the product of a and of half h of b to the four sums of a lane; with real != 0 sums are binary32.
INLINE void mma(int *d, fragment a, fragment b, uint h, uint real, __local const uint4 *s, uint l) {
	uint b0 = h ? b.s2 : b.s0, b1 = h ? b.s3 : b.s1;
	if (real) {
		float f0 = as_float(d[0]), f1 = as_float(d[1]), f2 = as_float(d[2]), f3 = as_float(d[3]);
		__asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
		                 : "+f"(f0), "+f"(f1), "+f"(f2), "+f"(f3)
		                 : "r"(a.s0), "r"(a.s1), "r"(a.s2), "r"(a.s3), "r"(b0), "r"(b1));
		d[0] = as_int(f0), d[1] = as_int(f1), d[2] = as_int(f2), d[3] = as_int(f3);
		return;
	}
	__asm__ volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
	                 : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
	                 : "r"(a.s0), "r"(a.s1), "r"(a.s2), "r"(a.s3), "r"(b0), "r"(b1));
}
#else
#define UNROLL /* nothing is gained, and compilers take many seconds longer */
typedef uint2 fragment; // where the fragment begins: its first row and chunk in the stage

INLINE void copy_async(__local uint4 *to, __global const uint4 *from) { *to = *from; }
INLINE void copy_wait(void) {}
INLINE fragment load_a(__local const uint4 *s, uint row, uint c, uint l) { return (uint2)(row, c); }
INLINE fragment load_b(__local const uint4 *s, uint row, uint c, uint l) { return (uint2)(row, c); }

// held_a and held_b are register r of lane l after ldmatrix: word l%4 of the row that lane 8*r + l/4 named.
INLINE uint held_a(__local const uint4 *s, fragment f, uint r, uint l) {
	uint by = 8 * r + (l >> 2);
	return ((__local const uint *)(s + place(f.s0 + row_a(by), f.s1 + chunk_a(by))))[l & 3];
}
INLINE uint held_b(__local const uint4 *s, fragment f, uint r, uint l) {
	uint by = 8 * r + (l >> 2);
	return ((__local const uint *)(s + place(f.s0 + row_b(by), f.s1 + chunk_b(by))))[l & 3];
}
// widen is the value of a binary16 that is 0 or normal.
INLINE float widen(uint h) { return as_float((h & 0x8000u) << 16 | ((h & 0x7fffu) ? ((h & 0x7fffu) << 13) + (112u << 23) : 0)); }

INLINE void mma(int *d, fragment a, fragment b, uint h, uint real, __local const uint4 *s, uint l) {
	for (uint e = 0; e < 4; e++) {
		uint row = (l >> 2) + (e >> 1) * 8, col = (l & 3) * 2 + (e & 1);
		for (uint k = 0; k < 8; k++) { // word k of 32 bytes: chunk k/4, held by lane k%4 of its row's four
			uint wa = held_a(s, a, (row >> 3) + (k >> 2) * 2, (row & 7) * 4 + (k & 3));
			uint wb = held_b(s, b, h * 2 + (k >> 2), col * 4 + (k & 3));
			if (real)
				d[e] = as_int(as_float(d[e]) + widen(wa & 0xffffu) * widen(wb & 0xffffu) + widen(wa >> 16) * widen(wb >> 16));
			else
				d[e] = dp4a(wa, wb, d[e]);
		}
	}
}
#endif

// bring starts the copies of 64 bytes of k, from chunk k on, of the 128 rows of A and the 256 of Bt.
INLINE void bring(__local uint4 *s, __global const uint4 *A, __global const uint4 *Bt, ulong pitch, ulong k, uint t) {
UNROLL
	for (uint i = 0; i < STAGE / 256; i++) {
		uint row = (t >> 2) + i * 64, c = t & 3;
		__global const uint4 *from = i < TALL / 64 ? A + row * pitch : Bt + (row - TALL) * pitch;
		copy_async(s + place(row, c), from + k + c);
	}
}

// product computes one tile. pitch counts the 16-byte chunks of a row of A and Bt. 8 warps, each 64 x 64 entries.
INLINE void product(__global const uint4 *A, __global const uint4 *Bt, __global int2 *C, uint n, ulong pitch, uint top, uint rows,
                    uint real, __local uint4 *s) {
	uint t = LOCAL_ID, l = t & 31, wr = ((t >> 5) & 1) * 64, wc = (t >> 6) * 64;
	uint2 tile = tile_at(GROUP_ID, rows, n / WIDE);
	ulong r0 = (ulong)(top + tile.s0) * TALL, c0 = (ulong)tile.s1 * WIDE;
	A += r0 * pitch;
	Bt += c0 * pitch;
	int acc[4][8][4];
UNROLL
	for (uint i = 0; i < 4; i++)
UNROLL
		for (uint j = 0; j < 8; j++)
UNROLL
			for (uint e = 0; e < 4; e++) acc[i][j][e] = 0; // also the bits of 0.0f
	bring(s, A, Bt, pitch, 0, t);
	uint now = 0;
	for (ulong k = 0; k < pitch; k += 4, now ^= STAGE) {
		copy_wait();
		SYNC; // this stage is here for all, and all are done with the other one
		if (k + 4 < pitch) bring(s + (now ^ STAGE), A, Bt, pitch, k + 4, t);
UNROLL
		for (uint c = 0; c < 4; c += 2) {
			fragment a[4], b[4];
UNROLL
			for (uint i = 0; i < 4; i++) {
				a[i] = load_a(s + now, wr + i * 16, c, l);
				b[i] = load_b(s + now, TALL + wc + i * 16, c, l);
			}
UNROLL
			for (uint i = 0; i < 4; i++)
UNROLL
				for (uint j = 0; j < 8; j++) mma(acc[i][j], a[i], b[j >> 1], j & 1, real, s + now, l);
		}
	}
UNROLL
	for (uint i = 0; i < 4; i++)
UNROLL
		for (uint j = 0; j < 8; j++) {
			int *d = acc[i][j];
			ulong at = (r0 + wr + i * 16 + (l >> 2)) * n + c0 + wc + j * 8 + (l & 3) * 2;
			if (real) {
				C[at >> 1] = (int2)((int)as_float(d[0]), (int)as_float(d[1]));
				C[(at + 8 * (ulong)n) >> 1] = (int2)((int)as_float(d[2]), (int)as_float(d[3]));
			} else {
				C[at >> 1] = (int2)(d[0], d[1]);
				C[(at + 8 * (ulong)n) >> 1] = (int2)(d[2], d[3]);
			}
		}
}

// product_imma computes tile rows top .. top+rows-1; A and Bt hold bytes; n is a multiple of 256.
KERNEL void product_imma(__global const uint4 *A, __global const uint4 *Bt, __global int2 *C, uint n, uint top, uint rows) {
	__local uint4 s[2 * STAGE];
	product(A, Bt, C, n, n >> 4, top, rows, 0, s);
}

// product_hmma is the same where A and Bt hold binary16. Entries are whole numbers in [-8, 7], so every sum is below 2^24 for
// n <= 2^17 and binary32 holds it exactly, in any order.
KERNEL void product_hmma(__global const uint4 *A, __global const uint4 *Bt, __global int2 *C, uint n, uint top, uint rows) {
	__local uint4 s[2 * STAGE];
	product(A, Bt, C, n, n >> 3, top, rows, 1, s);
}
#endif
