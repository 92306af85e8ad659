// Kernels of the challenge, one source for two targets: OpenCL C 1.2 for any OpenCL device, and PTX through
// clang --target=nvptx64-nvidia-cuda. The files are read in the order of their names as one source. Every kernel runs in
// groups of 256 work-items along one dimension. Words of hashes are kept as numbers, the most significant byte first in
// the hash; words of matrices and tables lie in memory as the little-endian bytes of the random stream.
//
// Indices into buffers are 64 bits wide everywhere: at N = 65536 a product has 2^32 entries.
#define INLINE static inline __attribute__((always_inline))
#define KERNEL __kernel __attribute__((reqd_work_group_size(256, 1, 1)))

#ifdef __NVPTX__
#define LOCAL_ID __nvvm_read_ptx_sreg_tid_x()
#define GROUP_ID __nvvm_read_ptx_sreg_ctaid_x()
#define GLOBAL_ID ((ulong)__nvvm_read_ptx_sreg_ctaid_x() * 256 + __nvvm_read_ptx_sreg_tid_x())
#define SYNC __syncthreads()
INLINE uint high32(uint a, uint b) { return (uint)(((ulong)a * b) >> 32); }
INLINE ulong high64(ulong a, ulong b) {
	ulong d;
	__asm__("mul.hi.u64 %0, %1, %2;" : "=l"(d) : "l"(a), "l"(b));
	return d;
}
INLINE int dp4a(uint a, uint b, int c) {
	int d;
	__asm__("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
	return d;
}
#else
#define LOCAL_ID ((uint)get_local_id(0))
#define GROUP_ID ((uint)get_group_id(0))
#define GLOBAL_ID ((ulong)get_global_id(0))
#define SYNC barrier(CLK_LOCAL_MEM_FENCE)
INLINE uint high32(uint a, uint b) { return mul_hi(a, b); }
INLINE ulong high64(ulong a, ulong b) { return mul_hi(a, b); }
// dp4a adds to c the four products of the signed bytes of a and b, as the NVIDIA instruction does.
INLINE int dp4a(uint a, uint b, int c) {
	char4 x = as_char4(a), y = as_char4(b);
	return c + x.s0 * y.s0 + x.s1 * y.s1 + x.s2 * y.s2 + x.s3 * y.s3;
}
#endif

// philox is Philox4x32-10 (Salmon et al., SC11).
INLINE uint4 philox(uint4 c, uint k0, uint k1) {
#pragma unroll
	for (int round = 0; round < 10; round++) {
		uint h0 = high32(0xD2511F53u, c.s0), l0 = 0xD2511F53u * c.s0;
		uint h1 = high32(0xCD9E8D57u, c.s2), l1 = 0xCD9E8D57u * c.s2;
		c = (uint4)(h1 ^ c.s1 ^ k0, l1, h0 ^ c.s3 ^ k1, l0);
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	return c;
}

// stream returns block b of a matrix (0 is A, 1 is B transposed): 16 bytes of its random stream.
INLINE uint4 stream(uint4 seed, uint matrix, ulong b) {
	return philox((uint4)((uint)b, (uint)(b >> 32) | matrix << 31, seed.s2, seed.s3), seed.s0, seed.s1);
}

// nibbles widens the four two's complement nibbles in the low half of x to four signed bytes, the lowest first.
INLINE uint nibbles(uint x) {
	x &= 0xffffu;
	x = (x | x << 8) & 0x00ff00ffu;
	x = (x | x << 4) & 0x0f0f0f0fu;
	return x | (x & 0x08080808u) * 0x1e; // 0x08 * 0x1e = 0xf0: the sign fills the upper half of its byte, without a carry
}

// half_bits returns the binary16 of a whole number in [-8, 7]: binary32 holds it exactly, and so does a mantissa cut to 10 bits.
INLINE uint half_bits(int v) {
	uint m = (uint)(v < 0 ? -v : v), f = as_uint((float)m);
	return (m == 0 ? 0 : (f >> 13) - (112u << 10)) | (v < 0 ? 0x8000u : 0);
}

// halves packs two of the four signed bytes of x as binary16: bytes 0 and 1, or with upper != 0 bytes 2 and 3.
INLINE uint halves(uint x, uint upper) {
	char4 c = as_char4(x);
	return upper ? half_bits(c.s2) | half_bits(c.s3) << 16 : half_bits(c.s0) | half_bits(c.s1) << 16;
}

// generate writes blocks 0 .. count-1 of a matrix. form 0: the 16 bytes of a block are 16 entries. form 1: its 32 nibbles are
// 32 entries, written as bytes. form 2: likewise, written as binary16.
KERNEL void generate(uint s0, uint s1, uint s2, uint s3, uint matrix, uint form, ulong count, __global uint4 *out) {
	ulong b = GLOBAL_ID;
	if (b >= count) return;
	uint4 r = stream((uint4)(s0, s1, s2, s3), matrix, b);
	if (form == 0) {
		out[b] = r;
		return;
	}
	uint4 lo = (uint4)(nibbles(r.s0), nibbles(r.s0 >> 16), nibbles(r.s1), nibbles(r.s1 >> 16));
	uint4 hi = (uint4)(nibbles(r.s2), nibbles(r.s2 >> 16), nibbles(r.s3), nibbles(r.s3 >> 16));
	if (form == 1) {
		out[2 * b] = lo;
		out[2 * b + 1] = hi;
		return;
	}
	out[4 * b] = (uint4)(halves(lo.s0, 0), halves(lo.s0, 1), halves(lo.s1, 0), halves(lo.s1, 1));
	out[4 * b + 1] = (uint4)(halves(lo.s2, 0), halves(lo.s2, 1), halves(lo.s3, 0), halves(lo.s3, 1));
	out[4 * b + 2] = (uint4)(halves(hi.s0, 0), halves(hi.s0, 1), halves(hi.s1, 0), halves(hi.s1, 1));
	out[4 * b + 3] = (uint4)(halves(hi.s2, 0), halves(hi.s2, 1), halves(hi.s3, 0), halves(hi.s3, 1));
}
