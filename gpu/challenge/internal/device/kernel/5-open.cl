// entries computes entries of products anew from the seed, so that no product is kept. asked holds 8 words for each run of `run`
// entries: the seed of its round, then the number of its first entry (row * n + column) in two words, low one first.
KERNEL void entries(__global const uint *asked, uint run, ulong count, ulong n, uint form, __global int *out) {
	ulong x = GLOBAL_ID;
	if (x >= count * run) return;
	__global const uint *q = asked + x / run * 8;
	uint4 seed = (uint4)(q[0], q[1], q[2], q[3]);
	ulong at = ((ulong)q[5] << 32 | q[4]) + x % run;
	ulong per = form == 0 ? n >> 4 : n >> 5, a = at / n * per, b = at % n * per;
	int sum = 0;
	for (ulong k = 0; k < per; k++) {
		uint4 u = stream(seed, 0, a + k), v = stream(seed, 1, b + k);
		uint us[4] = {u.s0, u.s1, u.s2, u.s3}, vs[4] = {v.s0, v.s1, v.s2, v.s3};
#pragma unroll
		for (uint i = 0; i < 4; i++) {
			if (form == 0)
				sum = dp4a(us[i], vs[i], sum);
			else
				sum = dp4a(nibbles(us[i] >> 16), nibbles(vs[i] >> 16), dp4a(nibbles(us[i]), nibbles(vs[i]), sum));
		}
	}
	out[x] = sum;
}
