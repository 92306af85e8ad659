#define _GNU_SOURCE
#include "state.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The page that the test and the library share: the test counts up each time it has replaced the state, the library says
 * how many of its calls hang. */
struct shared {
	_Atomic uint64_t generation;
	_Atomic uint64_t hanging;
};

struct entry {
	char key[24];
	int dev, rc, used;
	unsigned a, b;
	uint64_t num[MAX_NUMS];
	char *text;
};

struct fault {
	char symbol[64];
	int dev, rc, hang;
};

enum { SLOTS = 1 << 14, MAX_FAULTS = 256, MAX_EVENTS = 256, FIRST_CHILD = 100, CHILDREN = 16 };

static struct {
	pthread_mutex_t lock;
	struct shared *shared;
	char path[4096];
	uint64_t generation; /* of what was read; the test starts at 1 */
	struct entry *table;
	struct fault faults[MAX_FAULTS];
	struct event events[MAX_EVENTS];
	int n_faults, n_events, nul_less, gone, trace;
	int inits;
} S = {.lock = PTHREAD_MUTEX_INITIALIZER};

static unsigned hash(const char *key, int dev, unsigned a, unsigned b)
{
	uint64_t h = 1469598103934665603u;
	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	h = (h ^ (unsigned)dev) * 1099511628211u;
	h = (h ^ a) * 1099511628211u;
	h = (h ^ b) * 1099511628211u;
	return (unsigned)(h >> 40) % SLOTS;
}

/* find returns the entry, or the free place where it belongs. */
static struct entry *find(const char *key, int dev, unsigned a, unsigned b)
{
	unsigned i = hash(key, dev, a, b);
	for (;; i = (i + 1) % SLOTS) {
		struct entry *e = &S.table[i];
		if (!e->used || (e->dev == dev && e->a == a && e->b == b && !strcmp(e->key, key)))
			return e;
	}
}

/* decode turns %XX into bytes, in place. */
static void decode(char *s)
{
	char *out = s;
	for (; *s; s++) {
		unsigned byte;
		if (*s == '%' && sscanf(s + 1, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			s += 2;
		} else {
			*out++ = *s;
		}
	}
	*out = 0;
}

/* reply lines: = key dev a b rc text num... */
static void read_reply(char **save)
{
	char *part[6];
	for (int i = 0; i < 6; i++)
		if (!(part[i] = strtok_r(NULL, " ", save)))
			return;
	struct entry *e = find(part[0], atoi(part[1]), strtoul(part[2], 0, 10), strtoul(part[3], 0, 10));
	memset(e, 0, sizeof *e);
	snprintf(e->key, sizeof e->key, "%s", part[0]);
	e->dev = atoi(part[1]);
	e->a = strtoul(part[2], 0, 10);
	e->b = strtoul(part[3], 0, 10);
	e->rc = atoi(part[4]);
	e->used = 1;
	if (strcmp(part[5], "-")) {
		e->text = part[5];
		decode(e->text);
	}
	char *n;
	for (int i = 0; i < MAX_NUMS && (n = strtok_r(NULL, " ", save)); i++)
		e->num[i] = strtoull(n, 0, 10);
}

static void read_fault(char **save)
{
	char *symbol = strtok_r(NULL, " ", save), *dev = strtok_r(NULL, " ", save), *rc = strtok_r(NULL, " ", save);
	if (!rc || S.n_faults == MAX_FAULTS)
		return;
	struct fault *f = &S.faults[S.n_faults++];
	snprintf(f->symbol, sizeof f->symbol, "%s", symbol);
	f->dev = atoi(dev);
	f->hang = !strcmp(rc, "hang");
	f->rc = atoi(rc);
}

static void read_event(char **save)
{
	uint64_t v[4];
	for (int i = 0; i < 4; i++) {
		char *n = strtok_r(NULL, " ", save);
		if (!n || S.n_events == MAX_EVENTS)
			return;
		v[i] = strtoull(n, 0, 10);
	}
	S.events[S.n_events++] = (struct event){.id = v[0], .dev = (int)v[1], .type = v[2], .data = v[3]};
}

static void read_line(char *line)
{
	char *save, *word = strtok_r(line, " ", &save);
	if (!word)
		return;
	if (!strcmp(word, "="))
		read_reply(&save);
	else if (!strcmp(word, "fault"))
		read_fault(&save);
	else if (!strcmp(word, "event"))
		read_event(&save);
	else if (!strcmp(word, "nonul"))
		S.nul_less = 1;
	else if (!strcmp(word, "gone"))
		S.gone = 1;
	else if (!strcmp(word, "trace"))
		S.trace = 1;
}

static void attach(void)
{
	Dl_info info;
	char name[sizeof S.path + 8];
	if (!dladdr((void *)(uintptr_t)attach, &info) || !info.dli_fname)
		abort();
	snprintf(S.path, sizeof S.path, "%s", info.dli_fname);
	snprintf(name, sizeof name, "%s.shared", S.path);
	int fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort(); /* the fake was not started by its test */
	S.shared = mmap(NULL, sizeof *S.shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (S.shared == MAP_FAILED)
		abort();
}

/* refresh reads the state again if the test has changed it. The text of the file stays in memory: replies point into it. */
static void refresh(void)
{
	static char *text;
	char name[sizeof S.path + 8];
	if (!S.shared)
		attach();
	uint64_t now = S.shared->generation;
	if (now == S.generation)
		return;
	snprintf(name, sizeof name, "%s.state", S.path);
	FILE *f = fopen(name, "re");
	if (!f)
		return; /* the test has ended and its folder is gone: keep what we have */
	fseek(f, 0, SEEK_END);
	long size = ftell(f);
	rewind(f);
	free(text);
	text = malloc((size_t)size + 1);
	text[fread(text, 1, (size_t)size, f)] = 0;
	fclose(f);
	if (!S.table)
		S.table = malloc(SLOTS * sizeof *S.table);
	memset(S.table, 0, SLOTS * sizeof *S.table);
	S.n_faults = S.n_events = S.nul_less = S.gone = S.trace = 0;
	char *save;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		read_line(line);
	if (S.gone)
		S.inits = 0; /* a driver that comes back has forgotten us */
	S.generation = now;
}

static void log_call(const char *symbol, int dev)
{
	char name[sizeof S.path + 8], line[128];
	snprintf(name, sizeof name, "%s.calls", S.path);
	int n = snprintf(line, sizeof line, "%s %d\n", symbol, dev);
	int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) {
		if (write(fd, line, (size_t)n) != n)
			abort();
		close(fd);
	}
}

static const struct fault *fault_of(const char *symbol, int dev)
{
	for (int i = 0; i < S.n_faults; i++) {
		const struct fault *f = &S.faults[i];
		if ((f->dev == ANY || f->dev == dev) && (!strcmp(f->symbol, symbol) || (!strcmp(f->symbol, "*") && dev >= 0)))
			return f;
	}
	return NULL;
}

void pause_ms(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* begin takes the lock, waits while the call hangs, and returns with the lock held. */
static int begin(const char *symbol, int dev)
{
	const struct fault *f;
	if (dev >= FIRST_CHILD)
		dev = (dev - FIRST_CHILD) / CHILDREN; /* what befalls a device befalls its parts */
	pthread_mutex_lock(&S.lock);
	refresh();
	if (S.trace)
		log_call(symbol, dev);
	if ((f = fault_of(symbol, dev)) && f->hang) {
		S.shared->hanging++;
		while ((f = fault_of(symbol, dev)) && f->hang) {
			pthread_mutex_unlock(&S.lock);
			pause_ms();
			pthread_mutex_lock(&S.lock);
			refresh();
		}
		S.shared->hanging--;
	}
	return f ? f->rc : SUCCESS;
}

int ask(const char *symbol, int dev, const char *key, unsigned a, unsigned b, struct reply *r)
{
	int rc = begin(symbol, dev);
	r->text[0] = 0;
	if (!S.inits) {
		rc = UNINITIALIZED;
	} else if (!rc) {
		const struct entry *e = find(key, dev, a, b);
		rc = e->used ? e->rc : NOT_SUPPORTED;
		memcpy(r->num, e->num, sizeof r->num);
		if (e->text)
			snprintf(r->text, sizeof r->text, "%s", e->text);
	}
	r->rc = rc;
	pthread_mutex_unlock(&S.lock);
	return rc;
}

int enter(const char *symbol)
{
	int rc = begin(symbol, ANY);
	if (!rc && S.gone)
		rc = DRIVER_NOT_LOADED;
	if (!rc)
		S.inits++;
	pthread_mutex_unlock(&S.lock);
	return rc;
}

int leave(const char *symbol)
{
	int rc = begin(symbol, ANY);
	if (!S.inits)
		rc = UNINITIALIZED;
	if (!rc)
		S.inits--;
	pthread_mutex_unlock(&S.lock);
	return rc;
}

int next_event(uint64_t *last, const uint64_t *mask, int masks, struct event *out)
{
	int found = 0;
	pthread_mutex_lock(&S.lock);
	refresh();
	for (int i = 0; i < S.n_events && !found; i++) {
		const struct event *e = &S.events[i];
		if (e->id <= *last || e->dev < 0 || e->dev >= masks || !(mask[e->dev] & e->type))
			continue;
		*last = e->id;
		*out = *e;
		found = 1;
	}
	pthread_mutex_unlock(&S.lock);
	return found;
}

uint64_t newest_event(void)
{
	uint64_t id = 0;
	pthread_mutex_lock(&S.lock);
	refresh();
	for (int i = 0; i < S.n_events; i++)
		if (S.events[i].id > id)
			id = S.events[i].id;
	pthread_mutex_unlock(&S.lock);
	return id;
}

int no_nul(void)
{
	return S.nul_less;
}
