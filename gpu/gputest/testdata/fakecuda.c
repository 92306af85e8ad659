/* A libcuda.so.1 for tests on machines without an NVIDIA GPU. Device memory is host memory behind addresses that mean
 * nothing to the host and are never used twice; kernels are written here anew, in plain C. It is stricter than the real one:
 *
 *   a module is taken only if it is PTX text for this device; a function only if the text has an entry of that name with
 *   the parameters that the kernel below reads; a launch only with the group size that the entry requires, enough
 *   groups for the work and no more, and arguments that lie in live buffers; every call only on a thread where a context
 *   is current; a context is given back only when no buffer is left (else CUDA_ERROR_UNKNOWN).
 *
 * It does not show that PTX compiles or what it computes. Built with -D:
 *
 *   FAKECUDA_CC=90            compute capability, major*10 + minor
 *   FAKECUDA_DEVICES=1        number of devices; 0: cuInit answers CUDA_ERROR_NO_DEVICE
 *   FAKECUDA_PTX=70           newest version of PTX that its compiler takes, major*10 + minor
 *   FAKECUDA_MEMORY=...       bytes of each device
 *   FAKECUDA_NO_<function>    that function is not there, for example FAKECUDA_NO_cuCtxSynchronize
 *
 * and at run time the environment variable FAKECUDA_FAIL=function:n:code lets the n-th call (from 1) of a function since the
 * library was loaded answer code instead of doing anything. FAKECUDA_LOST=n: the n-th launch and all that follows it answer
 * CUDA_ERROR_ILLEGAL_ADDRESS from the next wait on, as a real fault does. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAKECUDA_CC
#define FAKECUDA_CC 90
#endif
#ifndef FAKECUDA_PTX
#define FAKECUDA_PTX 84
#endif
#ifndef FAKECUDA_DEVICES
#define FAKECUDA_DEVICES 1
#endif
#ifndef FAKECUDA_MEMORY
#define FAKECUDA_MEMORY 85520809984ULL
#endif

typedef uint32_t u32;
typedef uint64_t u64;
typedef int result;
enum {
	OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201,
	NO_BINARY_FOR_GPU = 209, INVALID_PTX = 218, UNSUPPORTED_PTX_VERSION = 222, INVALID_HANDLE = 400, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, OUT_OF_RESOURCES = 701,
	UNKNOWN = 999
};

/* --- state ------------------------------------------------------------------------------------------------------- */
static int initialised, lost, launches;
static int retained[16];
static __thread int current; /* the device whose context is current on this thread, counted from 1 */

struct buffer { u64 at, size; unsigned char *host; int device; struct buffer *next; };
static struct buffer *live;
static u64 next_address = 0x7000000000ULL, used[16];

struct function { char name[32]; char kinds[16]; u32 group; struct function *next; };
static struct function *functions;
static char *modules[16];

static result forced(const char *call) {
	static struct { char name[48]; int n; } calls[64];
	const char *want = getenv("FAKECUDA_FAIL");
	int i = 0, n, code;
	char name[48];
	while (i < 63 && calls[i].n && strcmp(calls[i].name, call)) i++;
	snprintf(calls[i].name, sizeof calls[i].name, "%s", call);
	calls[i].n++;
	if (want && sscanf(want, "%47[^:]:%d:%d", name, &n, &code) == 3 && !strcmp(name, call) && n == calls[i].n) return code;
	return OK;
}
#define ENTER() do { result r_ = forced(__func__); if (r_) return r_; } while (0)
#define ENTER_CONTEXT() do { ENTER(); if (!current || !retained[current - 1]) return INVALID_CONTEXT; if (lost) return ILLEGAL_ADDRESS; } while (0)

/* host returns where `bytes` bytes at a device address lie, or NULL if they are not all inside one live buffer. */
static void *host(u64 at, u64 bytes) {
	for (struct buffer *b = live; b; b = b->next)
		if (at >= b->at && at < b->at + b->size && bytes <= b->at + b->size - at) return b->host + (at - b->at);
	return NULL;
}

/* --- devices ----------------------------------------------------------------------------------------------------- */
#ifndef FAKECUDA_NO_cuInit
result cuInit(u32 flags) {
	ENTER();
	if (flags) return INVALID_VALUE;
	if (!FAKECUDA_DEVICES) return NO_DEVICE;
	initialised = 1;
	return OK;
}
#endif
#define ENTER_DEVICE(d) do { ENTER(); if (!initialised) return NOT_INITIALIZED; if (d < 0 || d >= FAKECUDA_DEVICES) return INVALID_DEVICE; } while (0)
#ifndef FAKECUDA_NO_cuDriverGetVersion
result cuDriverGetVersion(int *v) { ENTER(); *v = 12040; return OK; }
#endif
#ifndef FAKECUDA_NO_cuDeviceGetCount
result cuDeviceGetCount(int *n) { ENTER(); if (!initialised) return NOT_INITIALIZED; *n = FAKECUDA_DEVICES; return OK; }
#endif
#ifndef FAKECUDA_NO_cuDeviceGet
result cuDeviceGet(int *d, int i) { ENTER_DEVICE(i); *d = i; return OK; }
#endif
#ifndef FAKECUDA_NO_cuDeviceGetName
result cuDeviceGetName(char *name, int len, int d) { ENTER_DEVICE(d); snprintf(name, len, "NVIDIA H100 80GB HBM3"); return OK; }
#endif
#ifndef FAKECUDA_NO_cuDeviceGetUuid
result cuDeviceGetUuid(unsigned char *id, int d) {
	ENTER_DEVICE(d);
	for (int i = 0; i < 16; i++) id[i] = (unsigned char)(0x10 + i);
	id[15] = (unsigned char)d;
	return OK;
}
#endif
#ifndef FAKECUDA_NO_cuDeviceGetPCIBusId
result cuDeviceGetPCIBusId(char *id, int len, int d) { ENTER_DEVICE(d); snprintf(id, len, "0000:%02X:00.0", 0x18 + d); return OK; }
#endif
#ifndef FAKECUDA_NO_cuDeviceTotalMem_v2
result cuDeviceTotalMem_v2(u64 *bytes, int d) { ENTER_DEVICE(d); *bytes = FAKECUDA_MEMORY; return OK; }
#endif
#ifndef FAKECUDA_NO_cuDeviceGetAttribute
result cuDeviceGetAttribute(int *v, int attribute, int d) {
	ENTER_DEVICE(d);
	switch (attribute) {
	case 16: *v = 132; return OK;
	case 75: *v = FAKECUDA_CC / 10; return OK;
	case 76: *v = FAKECUDA_CC % 10; return OK;
	}
	return INVALID_VALUE;
}
#endif

/* --- contexts and modules ---------------------------------------------------------------------------------------- */
#ifndef FAKECUDA_NO_cuDevicePrimaryCtxRetain
result cuDevicePrimaryCtxRetain(void **context, int d) { ENTER_DEVICE(d); retained[d]++; *context = (void *)(size_t)(d + 1); return OK; }
#endif
#ifndef FAKECUDA_NO_cuDevicePrimaryCtxRelease_v2
result cuDevicePrimaryCtxRelease_v2(int d) {
	ENTER_DEVICE(d);
	if (!retained[d]) return INVALID_CONTEXT;
	if (--retained[d]) return OK;
	for (struct buffer *b = live; b; b = b->next)
		if (b->device == d && !lost) return UNKNOWN;
	return OK;
}
#endif
#ifndef FAKECUDA_NO_cuCtxSetCurrent
result cuCtxSetCurrent(void *context) { ENTER(); current = (int)(size_t)context; return OK; }
#endif
#ifndef FAKECUDA_NO_cuCtxSynchronize
result cuCtxSynchronize(void) { ENTER_CONTEXT(); return OK; }
#endif

#ifndef FAKECUDA_NO_cuModuleLoadDataEx
result cuModuleLoadDataEx(void **module, const char *text, u32 n, const int *options, void **values) {
	ENTER_CONTEXT();
	char *log = NULL;
	size_t room = 0;
	for (u32 i = 0; i < n; i++) {
		if (options[i] == 5) log = values[i];
		if (options[i] == 6) room = (size_t)values[i];
	}
	const char *target = strstr(text, "\n.target sm_");
	if (strncmp(text, "//", 2) || !strstr(text, "\n.version 7.0\n") || !strstr(text, "\n.address_size 64\n") || !target) {
		if (log) snprintf(log, room, "ptxas fatal   : no PTX 7.0 text");
		return INVALID_PTX;
	}
	if (FAKECUDA_PTX < 70) {
		if (log) snprintf(log, room, "ptxas fatal   : Unsupported .version 7.0; current version is '%d.%d'", FAKECUDA_PTX / 10, FAKECUDA_PTX % 10);
		return UNSUPPORTED_PTX_VERSION;
	}
	if (atoi(target + strlen("\n.target sm_")) > FAKECUDA_CC) {
		if (log) snprintf(log, room, "ptxas fatal   : text is for sm_%d, the device is sm_%d", atoi(target + 12), FAKECUDA_CC);
		return NO_BINARY_FOR_GPU;
	}
	for (int i = 0; i < 16; i++)
		if (!modules[i]) {
			modules[i] = strdup(text);
			*module = (void *)(size_t)(i + 1);
			return OK;
		}
	return OUT_OF_MEMORY;
}
#endif
#ifndef FAKECUDA_NO_cuModuleUnload
result cuModuleUnload(void *module) {
	ENTER_CONTEXT();
	size_t i = (size_t)module;
	if (i < 1 || i > 16 || !modules[i - 1]) return INVALID_HANDLE;
	free(modules[i - 1]);
	modules[i - 1] = NULL;
	return OK;
}
#endif

/* The kernels, with what their entries must take: parameters of 4 and of 8 bytes. */
typedef result kernel(u64 items, u64 *a);
static kernel generate, multiply_bytes, multiply_halves, hash_records, gather, entries, fill, lanes, walk;
static const struct { const char *name, *kinds; kernel *run; u32 tall, wide; } table[] = {
	{"generate", "44444488", generate, 0, 0},
	{"product_dp4a", "888444", multiply_bytes, 128, 128},
	{"product_imma", "888444", multiply_bytes, 128, 256},
	{"product_hmma", "888444", multiply_halves, 128, 256},
	{"hash_records", "8844888", hash_records, 0, 0},
	{"gather", "84888", gather, 0, 0},
	{"entries", "848848", entries, 0, 0},
	{"fill", "44444888", fill, 0, 0},
	{"lanes", "8488", lanes, 0, 0},
	{"walk", "4488888888", walk, 0, 0},
};
enum { KERNELS = sizeof table / sizeof *table };
static u32 tall, wide; /* tile of the product that is being launched */

#ifndef FAKECUDA_NO_cuModuleGetFunction
result cuModuleGetFunction(void **function, void *module, const char *name) {
	ENTER_CONTEXT();
	size_t m = (size_t)module;
	char head[64];
	if (m < 1 || m > 16 || !modules[m - 1]) return INVALID_HANDLE;
	snprintf(head, sizeof head, ".visible .entry %s(", name);
	const char *at = strstr(modules[m - 1], head), *end = at ? strchr(at, ')') : NULL;
	if (!end) return NOT_FOUND;
	struct function *f = calloc(1, sizeof *f);
	snprintf(f->name, sizeof f->name, "%s", name);
	for (const char *p = at; (p = strstr(p, ".param .u")) && p < end; p++) {
		size_t n = strlen(f->kinds);
		if (n < sizeof f->kinds - 1) f->kinds[n] = p[9] == '3' ? '4' : '8';
	}
	if (sscanf(end, ")\n.reqntid %u, 1, 1\n", &f->group) != 1) return INVALID_PTX;
	f->next = functions;
	functions = f;
	*function = f;
	return OK;
}
#endif

/* --- memory ------------------------------------------------------------------------------------------------------ */
#ifndef FAKECUDA_NO_cuMemAlloc_v2
result cuMemAlloc_v2(u64 *at, u64 bytes) {
	ENTER_CONTEXT();
	if (!bytes) return INVALID_VALUE;
	if (bytes > FAKECUDA_MEMORY - used[current - 1]) return OUT_OF_MEMORY;
	struct buffer *b = malloc(sizeof *b);
	unsigned char *h = malloc(bytes);
	if (!b || !h) return OUT_OF_MEMORY;
	memset(h, 0xcd, bytes);
	*b = (struct buffer){next_address, bytes, h, current - 1, live};
	live = b;
	used[current - 1] += bytes;
	next_address += (bytes + 0x1fff) / 0x1000 * 0x1000; /* at least a page between two */
	*at = b->at;
	return OK;
}
#endif
#ifndef FAKECUDA_NO_cuMemFree_v2
result cuMemFree_v2(u64 at) {
	ENTER_CONTEXT();
	for (struct buffer **p = &live; *p; p = &(*p)->next)
		if ((*p)->at == at) {
			struct buffer *b = *p;
			if (b->device != current - 1) return INVALID_CONTEXT;
			*p = b->next;
			used[b->device] -= b->size;
			free(b->host);
			free(b);
			return OK;
		}
	return INVALID_VALUE;
}
#endif
#ifndef FAKECUDA_NO_cuMemcpyDtoH_v2
result cuMemcpyDtoH_v2(void *to, u64 from, u64 bytes) {
	ENTER_CONTEXT();
	void *h = host(from, bytes);
	if (!h) return INVALID_VALUE;
	memcpy(to, h, bytes);
	return OK;
}
#endif
#ifndef FAKECUDA_NO_cuMemcpyHtoD_v2
result cuMemcpyHtoD_v2(u64 to, const void *from, u64 bytes) {
	ENTER_CONTEXT();
	void *h = host(to, bytes);
	if (!h) return INVALID_VALUE;
	memcpy(h, from, bytes);
	return OK;
}
#endif

#ifndef FAKECUDA_NO_cuLaunchKernel
result cuLaunchKernel(struct function *f, u32 gx, u32 gy, u32 gz, u32 bx, u32 by, u32 bz, u32 shared, void *stream, void **values, void **extra) {
	ENTER_CONTEXT();
	const char *end = getenv("FAKECUDA_LOST");
	if (end && ++launches >= atoi(end)) {
		lost = 1;
		return OK;
	}
	if (gy != 1 || gz != 1 || by != 1 || bz != 1 || shared || stream || extra || !gx || gx > 0x7fffffffu) return INVALID_VALUE;
	if (bx != f->group) return OUT_OF_RESOURCES;
	for (int i = 0; i < KERNELS; i++) {
		if (strcmp(f->name, table[i].name)) continue;
		if (strcmp(f->kinds, table[i].kinds)) return INVALID_VALUE;
		u64 a[16];
		for (int k = 0; table[i].kinds[k]; k++) a[k] = table[i].kinds[k] == '4' ? *(u32 *)values[k] : *(u64 *)values[k];
		tall = table[i].tall, wide = table[i].wide;
		return table[i].run((u64)gx * bx, a);
	}
	return NOT_FOUND;
}
#endif

/* --- kernels ----------------------------------------------------------------------------------------------------- */
/* FIT refuses a launch that is not the least number of groups of 256 for n items. */
#define FIT(n) do { if ((n) == 0 || items / 256 != ((n) + 255) / 256) return OUT_OF_RESOURCES; } while (0)
/* POINT makes a pointer to `bytes` bytes at a device address. */
#define POINT(type, name, at, bytes) type *name = host(at, bytes); if (!name) { lost = 1; return OK; }

static void philox(u32 c[4], u32 k0, u32 k1) {
	for (int round = 0; round < 10; round++) {
		u64 p = 0xD2511F53ULL * c[0], q = 0xCD9E8D57ULL * c[2];
		u32 next[4] = {(u32)(q >> 32) ^ c[1] ^ (k0 + round * 0x9E3779B9u), (u32)q, (u32)(p >> 32) ^ c[3] ^ (k1 + round * 0xBB67AE85u), (u32)p};
		memcpy(c, next, sizeof next);
	}
}

static void stream_block(u32 out[4], const u32 seed[4], u32 matrix, u64 b) {
	out[0] = (u32)b, out[1] = (u32)(b >> 32) | matrix << 31, out[2] = seed[2], out[3] = seed[3];
	philox(out, seed[0], seed[1]);
}

/* entry is number i of a block: a byte, or with form != 0 four bits. */
static int entry(const u32 block[4], u32 form, u32 i) {
	u32 bits = form ? 4 : 8, raw = block[i * bits / 32] >> i * bits % 32 & ((1u << bits) - 1);
	return raw >> (bits - 1) ? (int)raw - (1 << bits) : (int)raw;
}

static const uint16_t half[16] = {0xc800, 0xc700, 0xc600, 0xc500, 0xc400, 0xc200, 0xc000, 0xbc00, 0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600, 0x4700};

static result generate(u64 items, u64 *a) {
	u32 seed[4] = {(u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3]}, form = (u32)a[5], per = form ? 32 : 16, size = form == 2 ? 2 : 1;
	FIT(a[6]);
	if (form > 2 || a[4] > 1) return INVALID_VALUE;
	POINT(unsigned char, out, a[7], a[6] * per * size)
	for (u64 b = 0; b < a[6]; b++) {
		u32 block[4];
		stream_block(block, seed, (u32)a[4], b);
		for (u32 i = 0; i < per; i++) {
			int v = entry(block, form, i);
			if (size == 2) ((uint16_t *)out)[b * per + i] = half[v + 8];
			else out[b * per + i] = (unsigned char)v;
		}
	}
	return OK;
}

/* rows_of checks a product's launch: groups for tile rows a[4] .. a[4]+a[5]-1 of an n x n product. */
static result rows_of(u64 items, u64 *a, u64 *from, u64 *to) {
	u64 n = a[3], cols = (n + wide - 1) / wide;
	if (!n || n % 16 || (wide == 256 && n % 256) || items != 256 * cols * a[5] || (a[4] + a[5]) * tall >= n + tall) return OUT_OF_RESOURCES;
	*from = a[4] * tall;
	*to = (a[4] + a[5]) * tall < n ? (a[4] + a[5]) * tall : n;
	return OK;
}

static result multiply_bytes(u64 items, u64 *a) {
	u64 n = a[3], from, to;
	result r = rows_of(items, a, &from, &to);
	if (r) return r;
	POINT(signed char, x, a[0], n * n)
	POINT(signed char, y, a[1], n * n)
	POINT(int, c, a[2], 4 * n * n)
	for (u64 i = from; i < to; i++)
		for (u64 j = 0; j < n; j++) {
			int sum = 0;
			for (u64 k = 0; k < n; k++) sum += x[i * n + k] * y[j * n + k];
			c[i * n + j] = sum;
		}
	return OK;
}

static signed char *narrow(const uint16_t *h, u64 n) {
	signed char *out = malloc(n);
	for (u64 i = 0; out && i < n; i++)
		for (int v = 0; v < 16; v++)
			if (half[v] == h[i]) out[i] = (signed char)(v - 8);
	return out;
}

static result multiply_halves(u64 items, u64 *a) {
	u64 n = a[3], from, to;
	result r = rows_of(items, a, &from, &to);
	if (r) return r;
	POINT(uint16_t, hx, a[0], 2 * n * n)
	POINT(uint16_t, hy, a[1], 2 * n * n)
	POINT(int, c, a[2], 4 * n * n)
	signed char *x = narrow(hx, n * n), *y = narrow(hy, n * n);
	for (u64 i = from; i < to; i++)
		for (u64 j = 0; j < n; j++) {
			int sum = 0;
			for (u64 k = 0; k < n; k++) sum += x[i * n + k] * y[j * n + k];
			c[i * n + j] = sum;
		}
	free(x);
	free(y);
	return OK;
}

static u32 turn(u32 x, int r) { return x >> r | x << (32 - r); }

/* The round constants are the first 32 bits of the fractional parts of the cube roots of the first 64 primes, and the
 * first state those of the square roots of the first 8 (FIPS 180-4, 4.2.2 and 5.3.3): computed, not copied. */
static u32 root_bits(u32 prime, int cube) {
	unsigned __int128 want = (unsigned __int128)prime << (cube ? 96 : 64);
	u64 low = 0, high = (u64)1 << 36;
	while (high - low > 1) {
		u64 mid = (low + high) / 2;
		unsigned __int128 p = (unsigned __int128)mid * mid;
		if (cube ? p > want / mid : p > want) high = mid;
		else low = mid;
	}
	return (u32)low;
}
static u32 keys[64], initial[8];
static void constants(void) {
	if (keys[0]) return;
	u32 found = 0;
	for (u32 p = 2; found < 64; p++) {
		int prime = 1;
		for (u32 d = 2; d * d <= p; d++)
			if (p % d == 0) prime = 0;
		if (!prime) continue;
		if (found < 8) initial[found] = root_bits(p, 0);
		keys[found++] = root_bits(p, 1);
	}
}

static void compress(u32 h[8], const u32 block[16]) {
	u32 w[64], s[8];
	memcpy(w, block, 64);
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, h, 32);
	for (int i = 0; i < 64; i++) {
		u32 choose = (s[4] & s[5]) ^ (~s[4] & s[6]), most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		u32 t = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + choose + keys[i] + w[i];
		u32 u = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + most;
		memmove(s + 1, s, 28);
		s[4] += t;
		s[0] = t + u;
	}
	for (int i = 0; i < 8; i++) h[i] += s[i];
}

/* sha hashes words and one word more. */
static void sha(u32 out[8], const u32 *m, u64 words, u32 tag) {
	constants();
	u64 blocks = (words + 19) / 16;
	u32 *all = calloc(blocks, 64);
	memcpy(all, m, 4 * words);
	all[words] = tag;
	all[words + 1] = 0x80000000u;
	all[blocks * 16 - 1] = (u32)(words * 32 + 32);
	memcpy(out, initial, 32);
	for (u64 b = 0; b < blocks; b++) compress(out, all + 16 * b);
	free(all);
}

static result hash_records(u64 items, u64 *a) {
	u64 first = a[1], words = a[2], n = a[4];
	FIT(n);
	POINT(u32, in, a[0] + first * words * 4, n * words * 4)
	POINT(u32, out, a[5] + a[6] * 32, n * 32)
	for (u64 i = 0; i < n; i++) sha(out + 8 * i, in + i * words, words, (u32)a[3]);
	return OK;
}

static result gather(u64 items, u64 *a) {
	u64 words = a[1], n = a[3];
	FIT(n * words);
	POINT(u64, which, a[2], 8 * n)
	POINT(u32, out, a[4], 4 * n * words)
	for (u64 i = 0; i < n; i++) {
		POINT(u32, in, a[0] + which[i] * words * 4, 4 * words)
		memcpy(out + i * words, in, 4 * words);
	}
	return OK;
}

static result entries(u64 items, u64 *a) {
	u64 run = a[1], count = a[2], n = a[3];
	u32 form = (u32)a[4], per = form ? 32 : 16;
	FIT(run * count);
	POINT(u32, asked, a[0], 32 * count)
	POINT(int, out, a[5], 4 * run * count)
	for (u64 i = 0; i < run * count; i++) {
		const u32 *q = asked + 8 * (i / run);
		u64 at = ((u64)q[5] << 32 | q[4]) + i % run;
		if (at >= n * n) return INVALID_VALUE;
		int sum = 0;
		for (u64 b = 0; b < n / per; b++) {
			u32 x[4], y[4];
			stream_block(x, q, 0, at / n * (n / per) + b);
			stream_block(y, q, 1, at % n * (n / per) + b);
			for (u32 k = 0; k < per; k++) sum += entry(x, form, k) * entry(y, form, k);
		}
		out[i] = sum;
	}
	return OK;
}

static result fill(u64 items, u64 *a) {
	FIT(a[6]);
	POINT(u32, cells, a[7] + 16 * a[5], 16 * a[6])
	for (u64 i = 0; i < a[6]; i++) {
		u64 j = (a[5] + i) / 8, q = (a[5] + i) % 8;
		u32 c[4] = {(u32)j, (u32)(j >> 32) | 1u << 30 | (u32)q << 26, (u32)a[2], (u32)a[3]};
		for (u32 call = 0; call < a[4]; call++) philox(c, (u32)a[0] ^ call, (u32)a[1]);
		memcpy(cells + 4 * i, c, 16);
	}
	return OK;
}

static result lanes(u64 items, u64 *a) {
	FIT(a[2]);
	if (a[1] > 30) return INVALID_VALUE;
	POINT(u32, message, a[0], 128)
	POINT(u32, state, a[3], 16 * a[2])
	constants();
	for (u64 lane = 0; lane < a[2]; lane++) {
		u32 m[32], h[8];
		memcpy(m, message, sizeof m);
		m[a[1]] |= (u32)lane >> 16;
		m[a[1] + 1] |= (u32)lane << 16;
		memcpy(h, initial, sizeof h);
		compress(h, m);
		compress(h, m + 16);
		for (int i = 0; i < 4; i++) state[4 * lane + i] = __builtin_bswap32(h[i]);
	}
	return OK;
}

static result walk(u64 items, u64 *a) {
	u64 size = a[3], n = a[5], steps = a[6], segments = a[7], segment = a[8];
	FIT(n);
	if (segment >= segments) return INVALID_VALUE;
	POINT(u32, cells, a[2], 128 * size)
	POINT(u32, state, a[4], 16 * n)
	POINT(u32, ends, a[9], 16 * n * segments)
	for (u64 lane = 0; lane < n; lane++) {
		u32 *h = state + 4 * lane;
		for (u64 s = 0; s < steps; s++) {
			u64 j = (u64)((unsigned __int128)((u64)h[1] << 32 | h[0]) * size >> 64);
			for (int q = 0; q < 8; q++) {
				for (int i = 0; i < 4; i++) h[i] ^= cells[32 * j + 4 * q + i];
				philox(h, (u32)a[0], (u32)a[1]);
			}
		}
		memcpy(ends + 4 * (lane * segments + segment), h, 16);
	}
	return OK;
}
