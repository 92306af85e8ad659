/* The functions of libnvidia-ml.so.1 that package gpu/nvml calls, as nvml.h of NVIDIA/go-nvml v0.13.4-0 declares them. The
 * layouts are ours; a test compares their sizes with those of go-nvml. To leave a function out, as an old driver does,
 * compile with -Dname=other: the library then has no symbol of that name. */
#define _GNU_SOURCE
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEVICES = 100, CHILDREN = 16, SYSTEM = -1 };

struct device {
	int number;
};

struct pci {
	char legacy[16];
	unsigned domain, bus, device, id, subsystem;
	char bus_id[32];
};
struct pci_v2 { /* before nvmlDeviceGetPciInfo_v3: the short address only */
	char bus_id[16];
	unsigned domain, bus, device, id, subsystem, reserved[4];
};
struct memory {
	uint64_t total, free, used;
};
struct memory_v2 {
	unsigned version;
	uint64_t total, reserved, free, used;
};
struct bar1 {
	uint64_t total, free, used;
};
struct utilization {
	unsigned gpu, memory;
};
struct attributes {
	unsigned multiprocessors, copy, decoder, encoder, jpeg, ofa, gi_slices, ci_slices;
	uint64_t memory_mib;
};
struct process_v1 {
	unsigned pid;
	uint64_t memory;
};
struct process {
	unsigned pid;
	uint64_t memory;
	unsigned gi, ci;
};
struct field {
	unsigned id, scope;
	int64_t timestamp, latency;
	unsigned type, rc;
	union {
		double d;
		unsigned u;
		uint64_t ull;
	} value;
};
struct fabric {
	unsigned char cluster[16];
	unsigned status, clique;
	unsigned char state;
};
struct fabric_v2 {
	unsigned version;
	unsigned char cluster[16];
	unsigned status, clique;
	unsigned char state;
	unsigned health;
};
struct confidential {
	unsigned environment, feature, dev_tools;
};
struct event_data {
	struct device *device;
	uint64_t type, data;
	unsigned gi, ci;
};
struct event_data_v1 {
	struct device *device;
	uint64_t type, data;
};
struct event_set {
	uint64_t last, mask[DEVICES];
};

#define VERSIONED(type, n) ((unsigned)(sizeof(type) | (n) << 24))

static struct device handles[DEVICES + DEVICES * CHILDREN];

static int number(const struct device *d)
{
	return d ? (int)(d - handles) : -2;
}

/* fake_sizeof tells a test how large the layouts are. */
unsigned fake_sizeof(unsigned which)
{
	const unsigned sizes[] = {
		sizeof(struct pci), sizeof(struct memory), sizeof(struct memory_v2), sizeof(struct bar1),
		sizeof(struct utilization), sizeof(struct attributes), sizeof(struct process_v1), sizeof(struct process),
		sizeof(struct field), sizeof(struct fabric), sizeof(struct fabric_v2), sizeof(struct confidential),
		sizeof(struct event_data),
	};
	return which < sizeof sizes / sizeof *sizes ? sizes[which] : 0;
}

static int put(char *out, unsigned n, const char *text)
{
	size_t len = strlen(text);
	if (len + 1 > n)
		return INSUFFICIENT_SIZE;
	memcpy(out, text, len + 1);
	if (no_nul())
		memset(out + len, 'x', n - len);
	return SUCCESS;
}

/* The shapes in which most functions ask and answer. */
#define TEXT(fn, key)                                                                            \
	int fn(struct device *d, char *out, unsigned n)                                          \
	{                                                                                        \
		struct reply r;                                                                  \
		int rc = ask(__func__, number(d), key, 0, 0, &r);                                \
		return rc ? rc : put(out, n, r.text);                                            \
	}
#define SYSTEM_TEXT(fn, key)                                                                     \
	int fn(char *out, unsigned n)                                                            \
	{                                                                                        \
		struct reply r;                                                                  \
		int rc = ask(__func__, SYSTEM, key, 0, 0, &r);                                   \
		return rc ? rc : put(out, n, r.text);                                            \
	}
#define NUMBER(fn, type, key)                                                                    \
	int fn(struct device *d, type *out)                                                      \
	{                                                                                        \
		struct reply r;                                                                  \
		int rc = ask(__func__, number(d), key, 0, 0, &r);                                \
		if (!rc)                                                                         \
			*out = (type)r.num[0];                                                   \
		return rc;                                                                       \
	}
#define PAIR(fn, key)                                                                            \
	int fn(struct device *d, unsigned *x, unsigned *y)                                       \
	{                                                                                        \
		struct reply r;                                                                  \
		int rc = ask(__func__, number(d), key, 0, 0, &r);                                \
		if (!rc) {                                                                       \
			*x = (unsigned)r.num[0];                                                 \
			*y = (unsigned)r.num[1];                                                 \
		}                                                                                \
		return rc;                                                                       \
	}
#define SELECT(fn, type, key)                                                                    \
	int fn(struct device *d, unsigned a, type *out)                                          \
	{                                                                                        \
		struct reply r;                                                                  \
		int rc = ask(__func__, number(d), key, a, 0, &r);                                \
		if (!rc)                                                                         \
			*out = (type)r.num[0];                                                   \
		return rc;                                                                       \
	}
#define SELECT2(fn, type, key)                                                                   \
	int fn(struct device *d, unsigned a, unsigned b, type *out)                              \
	{                                                                                        \
		struct reply r;                                                                  \
		int rc = ask(__func__, number(d), key, a, b, &r);                                \
		if (!rc)                                                                         \
			*out = (type)r.num[0];                                                   \
		return rc;                                                                       \
	}
#define MEMORY(fn, type, key)                                                                    \
	int fn(struct device *d, type *m)                                                        \
	{                                                                                        \
		struct reply r;                                                                  \
		int rc = ask(__func__, number(d), key, 0, 0, &r);                                \
		if (!rc)                                                                         \
			*m = (type){.total = r.num[0], .free = r.num[1], .used = r.num[2] + r.num[3]}; \
		return rc;                                                                       \
	}
#define FUNCTION0(fn, does)                                                                      \
	int fn(void)                                                                             \
	{                                                                                        \
		return does(__func__);                                                           \
	}

FUNCTION0(nvmlInit, enter)
FUNCTION0(nvmlInit_v2, enter)
FUNCTION0(nvmlShutdown, leave)

SYSTEM_TEXT(nvmlSystemGetDriverVersion, "driver")
SYSTEM_TEXT(nvmlSystemGetNVMLVersion, "nvml")
TEXT(nvmlDeviceGetUUID, "uuid")
TEXT(nvmlDeviceGetName, "name")
TEXT(nvmlDeviceGetSerial, "serial")
TEXT(nvmlDeviceGetVbiosVersion, "vbios")
TEXT(nvmlDeviceGetBoardPartNumber, "board")
NUMBER(nvmlDeviceGetArchitecture, unsigned, "arch")
NUMBER(nvmlDeviceGetNumGpuCores, unsigned, "cores")
NUMBER(nvmlDeviceGetMemoryBusWidth, unsigned, "bus")
NUMBER(nvmlDeviceGetVirtualizationMode, unsigned, "virt")
NUMBER(nvmlDeviceGetPerformanceState, unsigned, "pstate")
NUMBER(nvmlDeviceGetPowerUsage, unsigned, "power")
NUMBER(nvmlDeviceGetEnforcedPowerLimit, unsigned, "limit")
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, unsigned, "limitdefault")
NUMBER(nvmlDeviceGetTotalEnergyConsumption, uint64_t, "energy")
NUMBER(nvmlDeviceGetFanSpeed, unsigned, "fan")
NUMBER(nvmlDeviceGetCurrentClocksEventReasons, uint64_t, "reasons")
NUMBER(nvmlDeviceGetCurrentClocksThrottleReasons, uint64_t, "reasons")
NUMBER(nvmlDeviceGetRetiredPagesPendingStatus, unsigned, "retiredpending")
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, unsigned, "gen")
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, unsigned, "genmax")
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, unsigned, "width")
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, unsigned, "widthmax")
NUMBER(nvmlDeviceGetPcieReplayCounter, unsigned, "replays")
NUMBER(nvmlDeviceGetMaxMigDeviceCount, unsigned, "migmax")
NUMBER(nvmlDeviceGetComputeMode, unsigned, "computemode")
NUMBER(nvmlDeviceGetPersistenceMode, unsigned, "persistence")
NUMBER(nvmlDeviceGetDisplayActive, unsigned, "display")
NUMBER(nvmlDeviceGetSupportedEventTypes, uint64_t, "events")
PAIR(nvmlDeviceGetCudaComputeCapability, "cc")
PAIR(nvmlDeviceGetPowerManagementLimitConstraints, "limits")
PAIR(nvmlDeviceGetEccMode, "eccmode")
PAIR(nvmlDeviceGetMigMode, "migmode")
PAIR(nvmlDeviceGetEncoderUtilization, "encoder")
PAIR(nvmlDeviceGetDecoderUtilization, "decoder")
SELECT(nvmlDeviceGetClockInfo, unsigned, "clock")
SELECT(nvmlDeviceGetMaxClockInfo, unsigned, "clockmax")
SELECT(nvmlDeviceGetTemperature, unsigned, "temp")
SELECT(nvmlDeviceGetTemperatureThreshold, unsigned, "threshold")
SELECT(nvmlDeviceGetNvLinkState, unsigned, "linkstate")
SELECT(nvmlDeviceGetNvLinkVersion, unsigned, "linkversion")
SELECT(nvmlDeviceGetNvLinkRemoteDeviceType, unsigned, "linkkind")
SELECT2(nvmlDeviceGetNvLinkErrorCounter, uint64_t, "linkerrors")
SELECT2(nvmlDeviceGetTotalEccErrors, uint64_t, "ecc")
MEMORY(nvmlDeviceGetMemoryInfo, struct memory, "memory")
MEMORY(nvmlDeviceGetBAR1MemoryInfo, struct bar1, "bar1")

static int system_number(const char *fn, const char *key, void *out)
{
	struct reply r;
	int rc = ask(fn, SYSTEM, key, 0, 0, &r);
	if (!rc)
		*(unsigned *)out = (unsigned)r.num[0];
	return rc;
}

int nvmlSystemGetCudaDriverVersion_v2(int *out) { return system_number(__func__, "cuda", out); }
int nvmlSystemGetCudaDriverVersion(int *out) { return system_number(__func__, "cuda", out); }
int nvmlDeviceGetCount_v2(unsigned *out) { return system_number(__func__, "count", out); }
int nvmlDeviceGetCount(unsigned *out) { return system_number(__func__, "count", out); }

int nvmlSystemGetConfComputeState(struct confidential *c)
{
	struct reply r;
	int rc = ask(__func__, SYSTEM, "confidential", 0, 0, &r);
	if (!rc)
		*c = (struct confidential){(unsigned)r.num[0], (unsigned)r.num[1], (unsigned)r.num[2]};
	return rc;
}

static int handle_at(const char *fn, unsigned i, struct device **out)
{
	struct reply r;
	if (i >= DEVICES)
		return INVALID_ARGUMENT;
	int rc = ask(fn, (int)i, "handle", 0, 0, &r);
	if (!rc)
		*out = &handles[i];
	return rc == NOT_SUPPORTED ? INVALID_ARGUMENT : rc;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned i, struct device **out) { return handle_at(__func__, i, out); }
int nvmlDeviceGetHandleByIndex(unsigned i, struct device **out) { return handle_at(__func__, i, out); }

int nvmlDeviceGetMigDeviceHandleByIndex(struct device *d, unsigned i, struct device **out)
{
	struct reply r;
	int rc = ask(__func__, number(d), "mig", i, 0, &r);
	if (rc || i >= CHILDREN || number(d) >= DEVICES)
		return rc == NOT_SUPPORTED ? NOT_FOUND : rc ? rc : INVALID_ARGUMENT;
	*out = &handles[DEVICES + number(d) * CHILDREN + (int)i];
	return SUCCESS;
}

static int put_pci(const struct reply *r, struct pci *p)
{
	memset(p, 0, sizeof *p);
	snprintf(p->legacy, sizeof p->legacy, "%s", r->text + (strlen(r->text) == 16 ? 4 : 0));
	p->id = (unsigned)r->num[0];
	p->subsystem = (unsigned)r->num[1];
	return put(p->bus_id, sizeof p->bus_id, r->text);
}

static int put_pci_v2(const struct reply *r, struct pci_v2 *p)
{
	memset(p, 0, sizeof *p);
	p->id = (unsigned)r->num[0];
	p->subsystem = (unsigned)r->num[1];
	return put(p->bus_id, sizeof p->bus_id, r->text + (strlen(r->text) == 16 ? 4 : 0));
}

int nvmlDeviceGetPciInfo_v3(struct device *d, struct pci *p)
{
	struct reply r;
	int rc = ask(__func__, number(d), "pci", 0, 0, &r);
	return rc ? rc : put_pci(&r, p);
}

int nvmlDeviceGetPciInfo_v2(struct device *d, struct pci_v2 *p)
{
	struct reply r;
	int rc = ask(__func__, number(d), "pci", 0, 0, &r);
	return rc ? rc : put_pci_v2(&r, p);
}

int nvmlDeviceGetPciInfo(struct device *d, struct pci_v2 *p)
{
	struct reply r;
	int rc = ask(__func__, number(d), "pci", 0, 0, &r);
	return rc ? rc : put_pci_v2(&r, p);
}

int nvmlDeviceGetNvLinkRemotePciInfo_v2(struct device *d, unsigned link, struct pci *p)
{
	struct reply r;
	int rc = ask(__func__, number(d), "linkremote", link, 0, &r);
	return rc ? rc : put_pci(&r, p);
}

int nvmlDeviceGetNvLinkRemotePciInfo(struct device *d, unsigned link, struct pci_v2 *p)
{
	struct reply r;
	int rc = ask(__func__, number(d), "linkremote", link, 0, &r);
	return rc ? rc : put_pci_v2(&r, p);
}

int nvmlDeviceGetMemoryInfo_v2(struct device *d, struct memory_v2 *m)
{
	struct reply r;
	if (m->version != VERSIONED(struct memory_v2, 2))
		return ARGUMENT_VERSION_MISMATCH;
	int rc = ask(__func__, number(d), "memory", 0, 0, &r);
	if (!rc) {
		m->total = r.num[0];
		m->free = r.num[1];
		m->used = r.num[2];
		m->reserved = r.num[3];
	}
	return rc;
}

int nvmlDeviceGetUtilizationRates(struct device *d, struct utilization *u)
{
	struct reply r;
	int rc = ask(__func__, number(d), "utilization", 0, 0, &r);
	if (!rc)
		*u = (struct utilization){(unsigned)r.num[0], (unsigned)r.num[1]};
	return rc;
}

int nvmlDeviceGetRemappedRows(struct device *d, unsigned *correctable, unsigned *uncorrectable, unsigned *pending, unsigned *failed)
{
	struct reply r;
	int rc = ask(__func__, number(d), "rows", 0, 0, &r);
	if (!rc) {
		*correctable = (unsigned)r.num[0];
		*uncorrectable = (unsigned)r.num[1];
		*pending = (unsigned)r.num[2];
		*failed = (unsigned)r.num[3];
	}
	return rc;
}

int nvmlDeviceGetRetiredPages(struct device *d, unsigned cause, unsigned *count, uint64_t *addresses)
{
	struct reply r;
	int rc = ask(__func__, number(d), "retired", cause, 0, &r);
	if (rc)
		return rc;
	unsigned room = *count;
	*count = (unsigned)r.num[0];
	if (room < *count || (*count && !addresses))
		return INSUFFICIENT_SIZE;
	for (unsigned i = 0; i < *count; i++)
		addresses[i] = 0x1000 * (i + 1);
	return SUCCESS;
}

int nvmlDeviceGetFieldValues(struct device *d, int count, struct field *fields)
{
	for (int i = 0; i < count; i++) {
		struct reply r;
		int rc = ask(__func__, number(d), "field", fields[i].id, fields[i].scope, &r);
		if (rc == GPU_IS_LOST || rc == UNINITIALIZED)
			return rc;
		fields[i].rc = (unsigned)rc;
		fields[i].type = (unsigned)r.num[1]; /* nvmlValueType_t: 0 double, 1 unsigned int, 3 unsigned long long */
		memset(&fields[i].value, 0, sizeof fields[i].value);
		if (!rc && fields[i].type == 3)
			fields[i].value.ull = r.num[0];
		else if (!rc)
			fields[i].value.u = (unsigned)r.num[0];
	}
	return SUCCESS;
}

int nvmlDeviceGetAttributes_v2(struct device *d, struct attributes *a)
{
	struct reply r;
	int rc = ask(__func__, number(d), "attributes", 0, 0, &r);
	if (!rc)
		*a = (struct attributes){.multiprocessors = (unsigned)r.num[0], .memory_mib = r.num[1], .gi_slices = (unsigned)r.num[2]};
	return rc;
}

int nvmlDeviceGetGpuFabricInfo(struct device *d, struct fabric *f)
{
	struct reply r;
	int rc = ask(__func__, number(d), "fabric", 0, 0, &r);
	if (!rc) {
		f->state = (unsigned char)r.num[0];
		f->status = (unsigned)r.num[1];
		f->clique = (unsigned)r.num[2];
		memset(f->cluster, 0, sizeof f->cluster);
		for (int i = 0; i < 16 && r.text[0]; i++)
			sscanf(r.text + 2 * i, "%2hhx", &f->cluster[i]);
	}
	return rc;
}

int nvmlDeviceGetGpuFabricInfoV(struct device *d, struct fabric_v2 *f)
{
	struct reply r;
	if (f->version != VERSIONED(struct fabric_v2, 2))
		return ARGUMENT_VERSION_MISMATCH;
	int rc = ask(__func__, number(d), "fabric", 0, 0, &r);
	if (!rc) {
		f->state = (unsigned char)r.num[0];
		f->status = (unsigned)r.num[1];
		f->clique = (unsigned)r.num[2];
		f->health = 0;
		memset(f->cluster, 0, sizeof f->cluster);
		for (int i = 0; i < 16 && r.text[0]; i++)
			sscanf(r.text + 2 * i, "%2hhx", &f->cluster[i]);
	}
	return rc;
}

/* processes answers with the list of that kind: 0 compute, 1 graphics, 2 MPS. out has room for *count. */
static int processes(const char *fn, struct device *d, unsigned kind, unsigned *count, void *out, int v1)
{
	struct reply r;
	int rc = ask(fn, number(d), "processes", kind, 0, &r);
	if (rc)
		return rc;
	unsigned room = *count, n = (unsigned)r.num[0];
	*count = n;
	if (room < n)
		return INSUFFICIENT_SIZE;
	for (unsigned i = 0; i < n; i++) {
		if ((rc = ask(fn, number(d), "process", kind, i, &r)))
			return rc;
		if (v1)
			((struct process_v1 *)out)[i] = (struct process_v1){(unsigned)r.num[0], r.num[1]};
		else
			((struct process *)out)[i] = (struct process){(unsigned)r.num[0], r.num[1], ~0u, ~0u};
	}
	return SUCCESS;
}

#define PROCESSES(fn, kind, v1)                                                                  \
	int fn(struct device *d, unsigned *count, void *out)                                     \
	{                                                                                        \
		return processes(__func__, d, kind, count, out, v1);                             \
	}

PROCESSES(nvmlDeviceGetComputeRunningProcesses, 0, 1)
PROCESSES(nvmlDeviceGetComputeRunningProcesses_v2, 0, 0)
PROCESSES(nvmlDeviceGetComputeRunningProcesses_v3, 0, 0)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses, 1, 1)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v2, 1, 0)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v3, 1, 0)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses, 2, 1)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v2, 2, 0)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v3, 2, 0)

int nvmlDeviceGetTopologyCommonAncestor(struct device *d, struct device *e, unsigned *level)
{
	struct reply r;
	int rc = ask(__func__, number(d), "ancestor", (unsigned)number(e), 0, &r);
	if (!rc)
		*level = (unsigned)r.num[0];
	return rc;
}

int nvmlDeviceGetP2PStatus(struct device *d, struct device *e, unsigned capability, unsigned *status)
{
	struct reply r;
	int rc = ask(__func__, number(d), "p2p", (unsigned)number(e), capability, &r);
	if (!rc)
		*status = (unsigned)r.num[0];
	return rc;
}

int nvmlEventSetCreate(struct event_set **out)
{
	struct reply r;
	int rc = ask(__func__, SYSTEM, "count", 0, 0, &r);
	if (rc)
		return rc;
	*out = calloc(1, sizeof **out);
	(*out)->last = newest_event();
	return SUCCESS;
}

int nvmlDeviceRegisterEvents(struct device *d, uint64_t types, struct event_set *set)
{
	struct reply r;
	int rc = ask(__func__, number(d), "events", 0, 0, &r);
	if (!rc && (types & ~r.num[0]))
		rc = INVALID_ARGUMENT;
	if (!rc && number(d) < DEVICES)
		set->mask[number(d)] |= types;
	return rc;
}

static int wait_event(const char *fn, struct event_set *set, struct event *e, unsigned ms)
{
	struct reply r;
	struct timespec start, now;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		int rc = ask(fn, SYSTEM, "count", 0, 0, &r);
		if (rc)
			return rc;
		if (next_event(&set->last, set->mask, DEVICES, e))
			return SUCCESS;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 >= (long)ms)
			return TIMEOUT;
		pause_ms();
	}
}

int nvmlEventSetWait_v2(struct event_set *set, struct event_data *out, unsigned ms)
{
	struct event e;
	int rc = wait_event(__func__, set, &e, ms);
	if (!rc)
		*out = (struct event_data){&handles[e.dev], e.type, e.data, ~0u, ~0u};
	return rc;
}

int nvmlEventSetWait(struct event_set *set, struct event_data_v1 *out, unsigned ms)
{
	struct event e;
	int rc = wait_event(__func__, set, &e, ms);
	if (!rc)
		*out = (struct event_data_v1){&handles[e.dev], e.type, e.data};
	return rc;
}

int nvmlEventSetFree(struct event_set *set)
{
	struct reply r;
	int rc = ask(__func__, SYSTEM, "count", 0, 0, &r);
	if (!rc)
		free(set);
	return rc;
}
