/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy.h - the policy text, parsed.  docs/policy.md has the
 * grammar; knows nothing of partitions, so that tests run it on the host. */
#ifndef PARTERRE_COMMAND_POLICY_H
#define PARTERRE_COMMAND_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_NAME_BYTES    16 /* the NUL included */
#define POLICY_GUESTS_MAX    8
#define POLICY_SCHEDULES_MAX 16

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

struct policy_schedule {
	char name[POLICY_NAME_BYTES];
	uint32_t quantum_us, weight;
};

struct policy {
	struct policy_guest guest[POLICY_GUESTS_MAX];
	unsigned guests;
	struct policy_schedule schedule[POLICY_SCHEDULES_MAX];
	unsigned schedules;
	uint32_t heartbeat_us, misses;
	bool failover, restart, failback; /* on io-failure */
	bool off;                         /* when-guests-stop */
};

struct policy_error {
	unsigned line;  /* from 1; 0: of the whole text */
	char text[120]; /* what is wrong; what to write instead */
};

/* False: the first thing wrong is in *error and *policy is not to be used. */
bool policy_parse(const char *text, size_t bytes, struct policy *policy,
		  struct policy_error *error);

#endif
