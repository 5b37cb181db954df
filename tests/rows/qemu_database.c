/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S08 to S28 under QEMU: the resource database, read from QEMU's RAM by
 * the readers of the same rows on Parterre (database.lua, transact.lua), and
 * those who ask for transactions, in the places of command and operations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_look.h"
#include "rows.h"

/* What QEMU's own list of its bus says: device << 3 | function, in order. */
static const char *functions(void)
{
	static char list[200];
	const char *at = qemu_monitor("info pci");
	unsigned bus, device, function;
	size_t n = 0;

	for (; (at = strstr(at, "  Bus ")); at++) {
		cr_assert_eq(sscanf(at, " Bus %u, device %u, function %u:",
				    &bus, &device, &function),
			     3);
		cr_assert_eq(bus, 0);
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%u ",
				      device << 3 | function);
	}
	return list;
}

/* Command's transactions move its channels: of all that are committed from the
 * death on, until one is. */
static void failover_is_commands(unsigned long long command)
{
	struct place commit = function_of("ultravisor", "db_commit");
	unsigned commits = 0;

	while (qemu_until(commit.va, commit.cr3).rsi != command && commits < 40)
		commits++;
	cr_assert(commits < 40, "none of 40 transactions was asked for by "
				"command");
	qemu_go();
	work_ends();
}

Test(rows_qemu, s08_s20_s26_s27_in_the_database_on_qemu)
{
	each_cpus(cpus, 4)
	{
		unsigned long long command;
		char options[300];

		boot_work(cpus);
		snprintf(options, sizeof(options),
			 "--set ram=128M --set functions='%s'", functions());
		qemu_look("database", options);
		command = number_in(line_of(qemu_look("look", ""), "command"),
				    " number ");
		kill_partition("io.a");
		qemu_wait("[monitor] io.a crashed: vector 6 ", 1);
		qemu_look("database", options);
		failover_is_commands(command);
		qemu_end();
	}
}

#define PLACES "uv boot idle io rows/command rows/operations probe"

/* The probes of that row, with further words; of three controllers one is free.
 * Their instants are counted from power-on. */
static char failure[32];
static void boot_with(unsigned row, const char *words, unsigned cpus,
		      unsigned ram)
{
	char cmdline[64];

	snprintf(cmdline, sizeof(cmdline), "row=%u %s", row, words);
	snprintf(failure, sizeof(failure), "] FAIL row %u", row);
	qemu_boot_as(&(struct qemu_setup){.policy = ROWS "policy/s44.policy",
					  .cpus = cpus,
					  .exact = true,
					  .modules = PLACES,
					  .cmdline = cmdline,
					  .ram = ram,
					  .controllers = 3});
}

static void boot(unsigned row, const char *words, unsigned cpus)
{
	boot_with(row, words, cpus, 0);
}

/* Until that is on the console, and no failure. */
static void wait_for(const char *line)
{
	qemu_wait_either(line, failure);
	cr_assert(!strstr(qemu_console(), failure), "%s", qemu_console());
}

/* The probes' own verdict is all. */
static void passes(unsigned row, unsigned cpus)
{
	char line[64];

	boot(row, "", cpus);
	snprintf(line, sizeof(line), "[operations] PASS row %u", row);
	wait_for(line);
	qemu_end();
}

Test(rows_qemu, s21_all_operations_or_none_on_qemu)
{
	each_cpus(cpus, 2) passes(21, cpus);
}

/* When operations has said `text` and holds: what the row's reader tells of
 * the first instant at which the ultravisor has nothing to do. */
#define LOOKS 1000
static void look_at(unsigned row, const char *text, char told[200])
{
	static const uint64_t go;
	char line[80];
	const char *looked, *at;

	snprintf(line, sizeof(line), "[operations] %s", text);
	wait_for(line);
	snprintf(line, sizeof(line), "--set row=%u", row);
	for (unsigned looks = 0;
	     looked = qemu_look("transact", line), strstr(looked, "at work");
	     looks++) {
		cr_assert_lt(looks, LOOKS, "the ultravisor is always at work");
		qemu_go();
		qemu_run_for(1);
	}
	snprintf(told, 200, "%.*s", (int)strcspn(looked, "\n"), looked);
	at = strstr(looked, "held at 0x");
	cr_assert(at, "%s", looked);
	qemu_write(strtoull(at + strlen("held at "), NULL, 16), &go,
		   sizeof(go));
	qemu_go();
}

Test(rows_qemu, s22_what_fails_leaves_no_mark_on_qemu)
{
	each_cpus(cpus, 1)
	{
		char before[200], after[200], changed[200];

		boot(22, "", cpus);
		look_at(22, "before", before);
		look_at(22, "after", after);
		look_at(22, "changed", changed);
		cr_assert(strstr(before, "database "), "%s", before);
		cr_assert_str_eq(before, after);
		cr_assert_str_neq(after, changed);
		qemu_end();
	}
}

/* Statuses of the rounds, as a probe prints them. */
#define ROUNDS 8
static void statuses(const char *who, unsigned got[ROUNDS])
{
	char begin[40];
	const char *at;

	snprintf(begin, sizeof(begin), "[%s] statuses", who);
	wait_for(begin);
	qemu_wait("] PASS row 23", 2);
	at = strstr(qemu_console(), begin) + strlen(begin);
	for (unsigned i = 0; i < ROUNDS; i++) {
		char *end;

		got[i] = (unsigned)strtoul(at, &end, 10);
		cr_assert(end != at, "%s", qemu_console());
		at = end;
	}
}

/* A name, a device, a channel, its end, a start, a partition's end, a slot,
 * memory: what the one gets who loses. */
Test(rows_qemu, s23_one_wins_on_qemu)
{
	static const unsigned loses[ROUNDS][2] = {
		{503, 503}, {504, 504}, {503, 503}, {2, 502},
		{504, 504}, {502, 502}, {202, 202}, {201, 201}};

	each_cpus(cpus, 2)
	{
		unsigned a[ROUNDS], b[ROUNDS];

		boot(23, "", cpus);
		statuses("command", a);
		statuses("operations", b);
		for (unsigned i = 0; i < ROUNDS; i++) {
			unsigned loser = a[i] ? a[i] : b[i];

			cr_assert(!a[i] != !b[i], "round %u: %u, %u", i, a[i],
				  b[i]);
			cr_assert(loser == loses[i][0] || loser == loses[i][1],
				  "round %u: %u", i, loser);
		}
		qemu_end();
	}
}

Test(rows_qemu, s25_an_index_resolves_back_on_qemu)
{
	each_cpus(cpus, 4)
	{
		unsigned long long number;
		unsigned device;
		char options[120];
		const char *at;

		boot(25, "", cpus);
		wait_for("[operations] PASS row 25");
		at = strstr(qemu_console(), "[operations] number ");
		cr_assert(at && sscanf(at, "[operations] number %llx device %u",
				       &number, &device) == 2,
			  "%s", qemu_console());
		snprintf(options, sizeof(options),
			 "--set row=25 --set number=%llu --set device=%u",
			 number, device);
		qemu_look("transact", options);
		qemu_end();
	}
}

Test(rows_qemu, s28_a_block_is_a_word_on_qemu)
{
	each_cpus(cpus, 1)
	{
		char without[200], with[200], again[200];

		boot(28, "held", cpus);
		look_at(28, "without", without);
		look_at(28, "with\n", with);
		look_at(28, "again without", again);
		cr_assert_eq(number_in(with, "blocks "), 5, "%s", with);
		cr_assert_leq(number_in(with, "pages "),
			      number_in(without, "pages ") + 1);
		cr_assert_gt(number_in(with, "pages "), 1);
		cr_assert_str_neq(without, with);
		cr_assert_str_eq(without, again);
		qemu_wait("[operations] PASS row 28", 1);
		qemu_end();
	}
}

Test(rows_qemu, s42_infrastructure_begins_to_talk_on_qemu)
{
	each_cpus(cpus, 4) passes(42, cpus);
}

Test(rows_qemu, s62_a_header_that_does_not_fit_on_qemu)
{
	each_cpus(cpus, 1) passes(62, cpus);
}

Test(rows_qemu, s63_a_full_queue_on_qemu)
{
	each_cpus(cpus, 2) passes(63, cpus);
}

Test(rows_qemu, s66_buses_and_devices_on_qemu)
{
	each_cpus(cpus, 4) passes(66, cpus);
}

/* Transactions of 1 and of 16 operations, a partition made and destroyed, a
 * channel made. */
#define COSTS 5
static void costs(unsigned ram, double cost[COSTS])
{
	const char *at;

	boot_with(32, "turns=64 lives=24 channels=64 io=1", 1, ram);
	wait_for("[operations] PASS row 32");
	at = strstr(qemu_console(), "at least: ");
	cr_assert(at && sscanf(at, "at least: %lf %lf %lf %lf %lf ns", &cost[0],
			       &cost[1], &cost[2], &cost[3], &cost[4]) == COSTS,
		  "%s", qemu_console());
	qemu_end();
}

/* An instruction is a nanosecond; the least of some went by all but
 * undisturbed: a beat of io.a's is 5,000.  From the second GiB on, all of it
 * free, a block that is given and merges back costs a look at a page of 512
 * words more: once, not for each GiB. */
Test(rows_qemu, s32_costs_no_more_with_more_memory_on_qemu)
{
	static const double bound[COSTS] = {1.1, 1.1, 1.3, 1.3, 1.1};
	double little[COSTS], more[COSTS], much[COSTS];

	costs(64, little);
	costs(1024, more);
	costs(4096, much);
	for (unsigned i = 0; i < COSTS; i++) {
		cr_assert_gt(little[i], 1000);
		cr_assert_leq(more[i], 1.1 * little[i],
			      "%u: %.0f ns, %.0f with 1 GiB", i, little[i],
			      more[i]);
		cr_assert_leq(much[i], bound[i] * little[i],
			      "%u: %.0f ns, %.0f with 4 GiB", i, little[i],
			      much[i]);
	}
}
