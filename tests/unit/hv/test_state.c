/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state flags of resources: which sets occur, and every pair of flag words
 * against a matrix that is written down here once more, by hand. */
#include <criterion/criterion.h>

#include "abi/control.h"
#include "abi/database.h"
#include "ultravisor/state.h"

#define WORDS 0x200 /* one bit more than there are flags */

static const uint32_t sets[] = {
	0x00,        /* absent */
	RES_ENABLED, /* free */
	RES_ENABLED | RES_ALLOCATED,
	RES_ENABLED | RES_ALLOCATED | RES_KNOWN,
	RES_STANDBY,
	RES_PAUSED,
	RES_RUNNING,
	RES_STANDBY | RES_REVOKED,
	RES_PAUSED | RES_REVOKED,
	RES_RUNNING | RES_REVOKED,
};
#define SETS (sizeof(sets) / sizeof(sets[0]))

/* Row: from; column: to; in the order above. */
static const char *const allowed[SETS] = {
	/*          abs free made saved stby paus run  -stby -paus -run */
	/* abs   */ ".xx.x.x...",
	/* free  */ "....x.x...",
	/* made  */ "x.....x...",
	/* saved */ "x....x....",
	/* stby  */ "xx...xxx..",
	/* paus  */ "...xx.x.x.",
	/* run   */ "....xx..xx",
	/* -stby */ "x...x.....",
	/* -paus */ "x...x..x..",
	/* -run  */ "....x.....",
};

static int index_of(uint32_t flags)
{
	for (size_t i = 0; i < SETS; i++) {
		if (sets[i] == flags)
			return (int)i;
	}
	return -1;
}

Test(state, s31_every_pair_of_flag_words_is_allowed_or_refused)
{
	unsigned changes = 0;

	for (uint32_t from = 0; from < WORDS; from++) {
		for (uint32_t to = 0; to < WORDS; to++) {
			int f = index_of(from), t = index_of(to);
			bool may = f >= 0 && t >= 0 && allowed[f][t] == 'x';
			uint32_t flags = from;
			int status = state_change(&flags, to);

			cr_assert_eq(status, may ? CONTROL_OK : CONTROL_ESTATE,
				     "%02x to %02x: status %d", from, to,
				     status);
			cr_assert_eq(flags, may ? to : from,
				     "%02x to %02x left %02x", from, to, flags);
			changes += may;
		}
	}
	cr_assert_eq(changes, 29);
}

Test(state, s31_only_the_named_sets_occur)
{
	for (uint32_t flags = 0; flags < WORDS; flags++)
		cr_assert_eq(state_named(flags), index_of(flags) > 0, "%02x",
			     flags);
}

Test(state, s31_what_is_there_already_settles)
{
	uint32_t flags = RES_STANDBY;

	cr_assert(state_settle(&flags, RES_STANDBY));
	cr_assert(state_settle(&flags, RES_RUNNING));
	cr_assert_eq(flags, RES_RUNNING);
	cr_assert(!state_settle(&flags, RES_FREE));
	cr_assert_eq(flags, RES_RUNNING);
}

/* Of the eight flags: a word each, none twice, and the sets that SYSTEM.md
 * names. */
Test(state, s31_eight_flags_and_their_named_sets)
{
	static const uint32_t flag[] = {RES_ENABLED, RES_ACTIVE,    RES_ALIVE,
					RES_REVOKED, RES_ALLOCATED, RES_KNOWN,
					RES_READY,   RES_OPERATING};
	uint32_t all = 0;

	for (size_t i = 0; i < sizeof(flag) / sizeof(flag[0]); i++) {
		cr_assert_eq(__builtin_popcount(flag[i]), 1);
		cr_assert_eq(all & flag[i], 0);
		all |= flag[i];
	}
	cr_assert_eq(all, 0xff);
	cr_assert_eq(RES_RUNNING, all & ~(uint32_t)RES_REVOKED);
	cr_assert_eq(RES_PAUSED, RES_RUNNING & ~(uint32_t)RES_OPERATING);
	cr_assert_eq(RES_STANDBY, RES_PAUSED & ~(uint32_t)RES_ALIVE);
}
