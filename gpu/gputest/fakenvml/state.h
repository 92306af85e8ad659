/* What the fake answers: a table of replies and faults, read from the file beside the library and read again whenever the
 * test changes it. Part of a fake of libnvidia-ml.so.1 for tests; see fakenvml.go for the grammar. */
#ifndef FAKENVML_STATE_H
#define FAKENVML_STATE_H

#include <stdint.h>

/* None of this is seen from outside: two fakes may be in one process, and each has to find its own. */
#pragma GCC visibility push(hidden)

enum { MAX_NUMS = 9, MAX_TEXT = 512, ANY = -1 };

/* The return codes of nvml.h that the fake gives by itself. */
enum {
	SUCCESS = 0,
	UNINITIALIZED = 1,
	INVALID_ARGUMENT = 2,
	NOT_SUPPORTED = 3,
	NOT_FOUND = 6,
	INSUFFICIENT_SIZE = 7,
	DRIVER_NOT_LOADED = 9,
	TIMEOUT = 10,
	GPU_IS_LOST = 15,
	ARGUMENT_VERSION_MISMATCH = 25,
};

struct reply {
	int rc;
	uint64_t num[MAX_NUMS];
	char text[MAX_TEXT];
};

struct event {
	uint64_t id, type, data;
	int dev;
};

/* ask answers one question: dev is a device's number, -1 for the system; key names the question; a and b select. It waits
 * while the function hangs, and gives the code of a fault in place of the answer. */
int ask(const char *symbol, int dev, const char *key, unsigned a, unsigned b, struct reply *r);

/* enter and leave count calls of nvmlInit and nvmlShutdown. */
int enter(const char *symbol);
int leave(const char *symbol);

/* next_event finds the first event after id *last whose type is in mask[dev], and moves *last on to it. */
int next_event(uint64_t *last, const uint64_t *mask, int masks, struct event *e);

/* newest_event is the id of the last event so far. */
uint64_t newest_event(void);

/* no_nul says whether texts fill their buffers to the last byte. */
int no_nul(void);

void pause_ms(void);

#pragma GCC visibility pop

#endif
