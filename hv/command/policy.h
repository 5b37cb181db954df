/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy.h - the policy text, parsed.  docs/policy.md has the
 * grammar; knows nothing of partitions, so that tests run it on the host. */
#ifndef PARTERRE_COMMAND_POLICY_H
#define PARTERRE_COMMAND_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_NAME_BYTES   16 /* the NUL included */
#define POLICY_GUESTS_MAX   8
#define POLICY_NAMED_MAX    16 /* the guests, and those there are anyway */
#define POLICY_AFTER_MAX    4
#define POLICY_CPUS_MAX     8
#define POLICY_WINDOWS_MAX  16
#define POLICY_CHANNELS_MAX 16
#define POLICY_DEVICES_MAX  8
#define POLICY_RESTARTS     8 /* of one partition, when no number is given */

struct policy_guest {
	char name[POLICY_NAME_BYTES];
	char image[POLICY_NAME_BYTES]; /* module */
	uint32_t blocks;               /* of 2 MiB */
	char args[128];
	bool disk;
	char preferred[POLICY_NAME_BYTES];
	char fallback[POLICY_NAME_BYTES]; /* "": none */
	uint64_t extent_block, extent_blocks;
};

/* What the lines say about one partition, guest or not.  0: nothing. */
struct policy_named {
	char name[POLICY_NAME_BYTES];
	uint32_t quantum_us, standing, weight, cap;
	uint32_t cpu; /* + 1 */
	bool dedicated;
	bool bounded; /* restart: at most */
	uint32_t restarts;
	unsigned cpu_line;
	unsigned afters;
	char after[POLICY_AFTER_MAX][POLICY_NAME_BYTES];
};

struct policy_frame {
	unsigned line, windows; /* 0: no such frame */
	struct {
		char name[POLICY_NAME_BYTES]; /* "": shared */
		uint32_t length_us;
	} window[POLICY_WINDOWS_MAX];
};

/* Besides the disk's. */
struct policy_channel {
	char client[POLICY_NAME_BYTES], type[POLICY_NAME_BYTES];
	char server[POLICY_NAME_BYTES];
	char fallback[POLICY_NAME_BYTES]; /* of a network channel; "": none */
	uint64_t mac; /* of its client; 0: made of its name */
};

struct policy_device {
	char name[POLICY_NAME_BYTES];
	uint32_t bdf; /* bus << 8 | device << 3 | function */
};

/* What becomes of an I/O partition, and of its channels. */
struct policy_rule {
	bool failover; /* they move to the other one */
	bool restart; /* it is started anew; `stop`: it is not, whatever else is
			 said of restarts */
	bool stop;
};

struct policy {
	struct policy_guest guest[POLICY_GUESTS_MAX];
	unsigned guests;
	struct policy_named named[POLICY_NAMED_MAX];
	unsigned nameds;
	struct policy_frame frame[POLICY_CPUS_MAX];
	struct policy_channel channel[POLICY_CHANNELS_MAX];
	unsigned channels;
	struct policy_device device[POLICY_DEVICES_MAX];
	unsigned devices;
	uint32_t heartbeat_us, misses;
	struct policy_rule on_failure, on_complaint, on_dma_fault;
	bool failback; /* on io-failure */
	/* So many guests have to complain of it within that time before it is
	 * restarted or stopped; of each so many complaints count. */
	uint32_t complaint_us, complainers, complaints;
	unsigned complaint_line; /* 0: nothing was said of these */
	bool restart_guests, restart_operations;
	bool off; /* when-guests-stop */
};

struct policy_error {
	unsigned line;  /* from 1; 0: of the whole text */
	char text[120]; /* what is wrong; what to write instead */
};

/* False: the first thing wrong is in *error and *policy is not to be used. */
bool policy_parse(const char *text, size_t bytes, struct policy *policy,
		  struct policy_error *error);

/* Can a machine with so many CPUs do it?  False: the same. */
bool policy_fits(const struct policy *policy, unsigned cpus,
		 struct policy_error *error);

/* Does the rule say anything at all? */
bool policy_acts(const struct policy_rule *rule);

/* NULL: no line says anything about it. */
const struct policy_named *policy_named(const struct policy *policy,
					const char *name);

/* Where it runs: as a line says, else the turn-th of the CPUs that are
 * nobody's alone. */
unsigned policy_cpu(const struct policy *policy, const char *name,
		    unsigned turn, unsigned cpus);

#endif
