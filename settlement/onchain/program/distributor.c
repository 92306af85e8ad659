// A cumulative Merkle distributor in freestanding C, for SBPFv3. Unaudited, for devnet. The rules are in doc.go; the layouts of
// state and instructions are those of state.go and instruction.go. Every number in an account or an instruction is little endian
// and aligned to its size.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

// What the runtime takes and gives: the ABI of its C programs.
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
struct slice {
	const u8 *at;
	u64 size;
};
struct seeds {
	const struct slice *parts;
	u64 count;
};

extern u64 sol_sha256(const struct slice *parts, u64 count, u8 *hash);
extern u64 sol_get_clock_sysvar(u64 *clock);
extern u64 sol_create_program_address(const struct slice *parts, u64 count, const u8 *program, u8 *address);
extern u64 sol_invoke_signed_c(const struct call *call, const struct account *accounts, u64 count, const struct seeds *signers, u64 signer_count);

// What an instruction is refused with: a Code in code.go.
enum {
	BAD_ACCOUNTS = 1,
	BAD_DUPLICATE,
	BAD_DATA,
	BAD_OWNER,
	BAD_STATE,
	BAD_LEDGER,
	BAD_VAULT,
	BAD_SIGNER,
	BAD_WRITABLE,
	BAD_PROGRAM,
	BAD_PARAMS,
	BAD_EPOCH,
	BAD_SUM,
	BAD_ROOT,
	PAUSED,
	NOT_ACTIVE,
	BAD_INDEX,
	BAD_PROOF,
	NOTHING_DUE,
	SUM_EXCEEDED,
};

enum { INITIALIZE, SET_ROOT, CLAIM, PAUSE, RESUME };

#define MAX_ACCOUNTS 6
#define MAX_DEPTH 32
#define MAX_DELAY 100000000UL
#define STATE_MAGIC 0x6574617473676469UL   // "idgstate"
#define LEDGER_MAGIC 0x726764656c676469UL  // "idgledgr"
#define LEDGER_HEAD 40
#define TOKEN_ACCOUNT_SIZE 165

struct state {
	u64 magic;
	u8 authority[32], guardian[32], ledger[32], vault[32];
	u64 delay, cap;
	u64 paid;                            // of all leaves, ever: at most sum
	u64 epoch, sum;                      // of the active root; epoch 0: none yet
	u8 root[32];
	u64 next_slot, next_epoch, next_sum; // of the root that waits; next_slot 0: none does
	u8 next_root[32];
	u64 paused, bump;
};
_Static_assert(sizeof(struct state) == 280, "StateSize in state.go");

// The heap serves as scratch: a BPF stack frame is too small for the table of accounts.
struct scratch {
	struct account accounts[MAX_ACCOUNTS];
	struct slice parts[4];
	u8 hash[32];
	u64 transfer[2];
	struct meta metas[3];
	struct call call;
	struct seeds signer;
	u64 clock[5];
};
#define HEAP 0x300000000UL

static const u8 LEAF[1] = {0}, NODE[1] = {1}, VAULT[5] = {'v', 'a', 'u', 'l', 't'};

#define WORD(p, i) (((u64 *)(p))[i])

static inline int same(const u8 *a, const u8 *b)
{
	return WORD(a, 0) == WORD(b, 0) && WORD(a, 1) == WORD(b, 1) && WORD(a, 2) == WORD(b, 2) && WORD(a, 3) == WORD(b, 3);
}

static inline int zero(const u8 *a)
{
	return (WORD(a, 0) | WORD(a, 1) | WORD(a, 2) | WORD(a, 3)) == 0;
}

static inline void copy(u8 *to, const u8 *from)
{
	WORD(to, 0) = WORD(from, 0);
	WORD(to, 1) = WORD(from, 1);
	WORD(to, 2) = WORD(from, 2);
	WORD(to, 3) = WORD(from, 3);
}

// TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA
static inline int is_token(const u8 *key)
{
	return WORD(key, 0) == 0x93a165d7e1f6dd06UL && WORD(key, 1) == 0xac79ebce46e1cbd9UL && WORD(key, 2) == 0x91375b5fed85b41cUL &&
	       WORD(key, 3) == 0xa900ff7e85f58c3aUL;
}

static inline void seed(struct slice *parts, const u8 *state, const u64 *bump)
{
	parts[0].at = VAULT;
	parts[0].size = sizeof VAULT;
	parts[1].at = state;
	parts[1].size = 32;
	parts[2].at = (const u8 *)bump;
	parts[2].size = 1;
}

// promote makes the waiting root the active one if its time has come.
static inline void promote(struct state *s, u64 slot)
{
	if (s->next_slot == 0 || slot < s->next_slot)
		return;
	s->epoch = s->next_epoch;
	s->sum = s->next_sum;
	copy(s->root, s->next_root);
	s->next_slot = 0;
}

// vault_fits says whether the account is one of the token program's that belongs to us and to nobody besides.
static inline int vault_fits(const struct account *a, const u8 *holder)
{
	return is_token(a->owner) && a->size == TOKEN_ACCOUNT_SIZE && same(a->data + 32, holder) && // owner
	       *(u32 *)(a->data + 72) == 0 &&                                                       // no delegate
	       a->data[108] == 1 &&                                                                 // initialised, not frozen
	       (a->data[129] | a->data[130] | a->data[131] | a->data[132]) == 0;                    // no close authority
}

// Accounts: state, ledger, vault, authority, guardian. Data: head, delay, cap, bump.
static inline u64 initialize(struct scratch *x, u64 count, const u8 *program, const u8 *data, u64 size)
{
	struct account *a = x->accounts;
	if (count != 5)
		return BAD_ACCOUNTS;
	if (size != 32)
		return BAD_DATA;
	if (!a[0].writable || !a[1].writable)
		return BAD_WRITABLE;
	if (!a[0].signer || !a[1].signer || !a[3].signer)
		return BAD_SIGNER;
	if (!same(a[1].owner, program))
		return BAD_OWNER;
	struct state *s = (struct state *)a[0].data;
	if (s->magic != 0)
		return BAD_STATE;
	u8 *ledger = a[1].data;
	if (a[1].size < LEDGER_HEAD + 8 || (a[1].size & 7) != 0 || WORD(ledger, 0) != 0)
		return BAD_LEDGER;
	u64 delay = WORD(data, 1), cap = WORD(data, 2), bump = WORD(data, 3);
	if (delay == 0 || delay > MAX_DELAY || cap == 0 || bump > 255)
		return BAD_PARAMS;
	s->bump = bump;
	seed(x->parts, a[0].key, &s->bump);
	if (sol_create_program_address(x->parts, 3, program, x->hash) != 0 || !vault_fits(&a[2], x->hash))
		return BAD_VAULT;
	s->magic = STATE_MAGIC;
	copy(s->authority, a[3].key);
	copy(s->guardian, a[4].key);
	copy(s->ledger, a[1].key);
	copy(s->vault, a[2].key);
	s->delay = delay;
	s->cap = cap;
	WORD(ledger, 0) = LEDGER_MAGIC;
	copy(ledger + 8, a[0].key);
	return 0;
}

// Accounts: state, authority. Data: head, epoch, sum, root.
static inline u64 set_root(struct scratch *x, u64 count, const u8 *data, u64 size)
{
	struct account *a = x->accounts;
	if (count != 2)
		return BAD_ACCOUNTS;
	if (size != 56)
		return BAD_DATA;
	struct state *s = (struct state *)a[0].data;
	if (!a[1].signer || !same(a[1].key, s->authority))
		return BAD_SIGNER;
	if (sol_get_clock_sysvar(x->clock) != 0)
		return BAD_STATE;
	u64 slot = x->clock[0];
	if (slot > ~0UL - s->delay)
		return BAD_PARAMS;
	if (s->paused == 0)
		promote(s, slot);
	u64 epoch = WORD(data, 1), sum = WORD(data, 2);
	if (epoch == 0 || epoch - 1 != s->epoch)
		return BAD_EPOCH;
	if (sum < s->sum || sum - s->sum > s->cap)
		return BAD_SUM;
	if (zero(data + 24))
		return BAD_ROOT;
	s->next_slot = slot + s->delay;
	s->next_epoch = epoch;
	s->next_sum = sum;
	copy(s->next_root, data + 24);
	return 0;
}

// prove says whether the leaf of the instruction is under the root.
static inline u64 prove(struct scratch *x, const struct state *s, const u8 *data, u64 size, const u8 *to)
{
	struct slice *part = x->parts;
	u8 *hash = x->hash;
	part[0].at = LEAF;
	part[0].size = 1;
	part[1].at = data + 4;
	part[1].size = 4;
	part[2].at = to;
	part[2].size = 32;
	part[3].at = data + 8;
	part[3].size = 8;
	sol_sha256(part, 4, hash);
	part[0].at = NODE;
	part[1].size = 32;
	u64 path = ((const u32 *)data)[1];
	for (const u8 *sibling = data + 16, *end = data + size; sibling != end; sibling += 32) {
		if (path & 1) {
			part[1].at = sibling;
			part[2].at = hash;
		} else {
			part[1].at = hash;
			part[2].at = sibling;
		}
		sol_sha256(part, 3, hash);
		path >>= 1;
	}
	if (path != 0)
		return BAD_INDEX;
	return same(hash, s->root) ? 0 : BAD_PROOF;
}

// transfer moves units from the vault.
static inline u64 transfer(struct scratch *x, const struct state *s, u64 units)
{
	struct account *a = x->accounts;
	// Transfer is the byte 3 and the units, unaligned.
	x->transfer[0] = 3 | units << 8;
	x->transfer[1] = units >> 56;
	struct meta *m = x->metas;
	m[0].key = a[2].key;
	m[0].writable = 1;
	m[0].signer = 0;
	m[1].key = a[3].key;
	m[1].writable = 1;
	m[1].signer = 0;
	m[2].key = a[4].key;
	m[2].writable = 0;
	m[2].signer = 1;
	struct call *c = &x->call;
	c->program = a[5].key;
	c->metas = m;
	c->meta_count = 3;
	c->data = (u8 *)x->transfer;
	c->size = 9;
	seed(x->parts, a[0].key, &s->bump);
	x->signer.parts = x->parts;
	x->signer.count = 3;
	return sol_invoke_signed_c(c, a + 2, 3, &x->signer, 1);
}

// Accounts: state, ledger, vault, recipient, vault's holder, token program. Data: head with index, total, proof.
static inline u64 claim(struct scratch *x, u64 count, const u8 *program, const u8 *data, u64 size)
{
	struct account *a = x->accounts;
	if (count != 6)
		return BAD_ACCOUNTS;
	if (size < 16 || ((size - 16) & 31) != 0 || size > 16 + 32 * MAX_DEPTH)
		return BAD_DATA;
	if (!a[1].writable || !a[2].writable || !a[3].writable)
		return BAD_WRITABLE;
	struct state *s = (struct state *)a[0].data;
	if (!same(a[1].owner, program) || !same(a[1].key, s->ledger))
		return BAD_LEDGER;
	if (!same(a[2].key, s->vault))
		return BAD_VAULT;
	if (!is_token(a[5].key))
		return BAD_PROGRAM;
	if (s->paused != 0)
		return PAUSED;
	if (s->next_slot != 0) {
		if (sol_get_clock_sysvar(x->clock) != 0)
			return BAD_STATE;
		promote(s, x->clock[0]);
	}
	if (s->epoch == 0)
		return NOT_ACTIVE;
	u64 at = LEDGER_HEAD + 8 * (u64)((const u32 *)data)[1], total = WORD(data, 1);
	if (at > a[1].size - 8)
		return BAD_INDEX;
	u64 bad = prove(x, s, data, size, a[3].key);
	if (bad != 0)
		return bad;
	u64 *entry = (u64 *)(a[1].data + at);
	if (total <= *entry)
		return NOTHING_DUE;
	u64 due = total - *entry;
	if (due > s->sum - s->paid)
		return SUM_EXCEEDED;
	*entry = total;
	s->paid += due;
	return transfer(x, s, due);
}

// Accounts: state, authority or guardian. Data: head.
static inline u64 halt(struct account *a, u64 count, u64 size)
{
	if (count != 2)
		return BAD_ACCOUNTS;
	if (size != 8)
		return BAD_DATA;
	struct state *s = (struct state *)a[0].data;
	if (!a[1].signer || (!same(a[1].key, s->authority) && !same(a[1].key, s->guardian)))
		return BAD_SIGNER;
	s->paused = 1;
	return 0;
}

// Accounts: state, authority, guardian. Data: head.
static inline u64 resume(struct account *a, u64 count, u64 size)
{
	if (count != 3)
		return BAD_ACCOUNTS;
	if (size != 8)
		return BAD_DATA;
	struct state *s = (struct state *)a[0].data;
	if (!a[1].signer || !same(a[1].key, s->authority) || !a[2].signer || !same(a[2].key, s->guardian))
		return BAD_SIGNER;
	s->paused = 0;
	return 0;
}

// read fills the table of accounts and returns what follows them: the size of the data, the data, the program.
static inline u64 read(struct account *a, u8 *at, u64 count, u8 **rest)
{
	for (struct account *end = a + count; a != end; a++) {
		if (at[0] != 0xff)
			return BAD_DUPLICATE;
		a->signer = at[1];
		a->writable = at[2];
		a->executable = at[3];
		a->key = at + 8;
		a->owner = at + 40;
		a->lamports = (u64 *)(at + 72);
		a->size = WORD(at, 10);
		a->data = at + 88;
		at += 88 + ((a->size + 7) & ~7UL) + 10240; // the room that an account may grow by
		a->rent_epoch = WORD(at, 0);
		at += 8;
	}
	*rest = at;
	return 0;
}

u64 entrypoint(u8 *input)
{
	struct scratch *x = (struct scratch *)HEAP;
	__asm__("" : "+r"(x)); // kept in a register: each use of the constant would take two instructions
	struct account *a = x->accounts;
	u64 count = WORD(input, 0);
	if (count < 2 || count > MAX_ACCOUNTS)
		return BAD_ACCOUNTS;
	u8 *rest;
	u64 bad = read(a, input + 8, count, &rest);
	if (bad != 0)
		return bad;
	u64 size = WORD(rest, 0);
	if (size < 8 || (size & 7) != 0)
		return BAD_DATA;
	const u8 *data = rest + 8, *program = data + size;
	u32 kind = ((const u32 *)data)[0];
	if (kind > RESUME || (kind != CLAIM && ((const u32 *)data)[1] != 0))
		return BAD_DATA;
	if (!same(a[0].owner, program))
		return BAD_OWNER;
	if (a[0].size != sizeof(struct state))
		return BAD_STATE;
	if (kind == INITIALIZE)
		return initialize(x, count, program, data, size);
	if (((struct state *)a[0].data)->magic != STATE_MAGIC)
		return BAD_STATE;
	if (!a[0].writable)
		return BAD_WRITABLE;
	if (kind == CLAIM)
		return claim(x, count, program, data, size);
	if (kind == SET_ROOT)
		return set_root(x, count, data, size);
	return kind == PAUSE ? halt(a, count, size) : resume(a, count, size);
}
