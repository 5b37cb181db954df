/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S43, S64 and S65 under QEMU: guests that keep to no rule
 * (tests/rows/image/fuzz.c, hostile.c), and whom it harms: nobody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_look.h"
#include "rows.h"

/* The row's policy, with a heartbeat that a busy host does not miss (qemu.h),
 * and what there is stays there when the guests have ended. */
static const char *patient(const char *name)
{
	return edited(name, "/^off /d; s/^heartbeat .*/heartbeat 20000 misses "
			    "100/");
}

/* Of these none ended, nor was made anew. */
static void unharmed(const char *looked, const char *const *who)
{
	for (; *who; who++) {
		char line[80];

		snprintf(line, sizeof(line),
			 "partition %s running incarnation 1 vector 0 ", *who);
		cr_assert(strstr(looked, line), "%s in %s", *who, looked);
	}
}

static void only_crashes(const char *who)
{
	for (const char *c = qemu_console(); (c = strstr(c, " crashed: "));
	     c++) {
		size_t n = strlen(who);

		cr_assert(strncmp(c - n, who, n) == 0 || c[-1] == ')', "%s",
			  qemu_console());
	}
}

static void verdict(const char *who, const char *row)
{
	char pass[40], fail[40];

	snprintf(pass, sizeof(pass), "[%s] PASS row %s", who, row);
	snprintf(fail, sizeof(fail), "[%s] FAIL row %s", who, row);
	qemu_wait_either(pass, fail);
	cr_assert(!strstr(qemu_console(), fail), "%s", qemu_console());
}

/* 192,000 calls of four guests, while io.a dies and is made anew; a fifth
 * works, of a sixth, who does nothing, no byte changes. */
Test(rows_qemu, s43_calls_at_random_on_qemu)
{
	static const char *const others[] = {"ultravisor", "io.b",  "command",
					     "operations", "still", NULL};

	each_cpus(cpus, 2)
	{
		unsigned long long digest;
		const char *looked;

		qemu_boot(patient("s43"), cpus);
		qemu_wait("[still] is still", 1);
		qemu_run_for(20);
		digest = number_in(qemu_look("look", "--set digest=still"),
				   "digest ");
		kill_partition("io.a");
		qemu_wait("[monitor] io.a crashed: vector 6 ", 1);
		qemu_wait("[ultravisor] io.a starts at ", 2);
		for (unsigned i = 1; i <= 4; i++) {
			char who[16];

			snprintf(who, sizeof(who), "probe%u", i);
			verdict(who, "43");
		}
		qemu_wait("[guest1] guest: stream 1: 200 written", 1);
		cr_assert(strstr(qemu_console(), " 0 errors"));
		operator_says("scan\r", "scan: every invariant holds", 1);
		only_crashes("io.a");
		looked = qemu_look("look", "--set digest=still");
		cr_assert_eq(number_in(looked, "digest "), digest);
		unharmed(looked, others);
		qemu_end();
	}
}

static const char *const servers[] = {"ultravisor", "io.a",       "io.b",
				      "command",    "operations", "diagnostics",
				      NULL};

Test(rows_qemu, s64_each_state_has_one_writer_on_qemu)
{
	each_cpus(cpus, 1)
	{
		qemu_boot_exact(patient("s64"), cpus);
		verdict("probe", "64");
		unharmed(qemu_look("look", ""), servers);
		only_crashes("nobody");
		qemu_end();
	}
}

Test(rows_qemu, s65_a_hostile_peer_on_qemu)
{
	each_cpus(cpus, 4)
	{
		char name[24];

		snprintf(name, sizeof(name), "s65-%u", cpus / 2 + 1);
		qemu_boot(patient(name), cpus);
		verdict("probe", "65");
		qemu_wait("[guest1] guest: stream 1: 300 written", 1);
		cr_assert(strstr(qemu_console(), "0 replayed, 0 errors"));
		unharmed(qemu_look("look", ""), servers);
		only_crashes("nobody");
		qemu_end();
	}
}
