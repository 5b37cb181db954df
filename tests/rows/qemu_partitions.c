/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S01 to S29 and S60 under QEMU: partitions, and what keeps them apart.
 * The faults are those of the scenarios of the same rows, made by QEMU's gdb
 * server; what is looked at is QEMU's RAM. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_look.h"
#include "rows.h"

Test(rows_qemu, s01_s03_s11_s15_s24_s29_s60_s70_mapped_on_qemu)
{
	each_cpus(cpus, 2)
	{
		boot_work(cpus);
		qemu_look("mapped", "");
		qemu_go();
		qemu_run_for(100);
		qemu_look("mapped", "");
		qemu_end();
	}
}

/* Whoever is killed last is not made anew. */
Test(rows_qemu, s02_resource_manager_is_deprivileged_on_qemu)
{
	static const char *const who[] = {"io.a", "command", "ultravisor"};
	static const struct {
		char bytes[4];
		size_t count;
	} code[] = {
		{"\xf4", 1},         /* HLT */
		{"\x0f\x22\xd8", 3}, /* MOV CR3 */
		{"\x0f\x30", 2},     /* WRMSR */
	};

	each_cpus(cpus, 2)
	{
		boot_work(cpus);
		for (unsigned i = 0; i < 3; i++) {
			char line[64];

			plant(who[i], code[(i + cpus) % 3].bytes,
			      code[(i + cpus) % 3].count);
			snprintf(line, sizeof(line),
				 "[monitor] %s crashed: vector 13 error 0 ",
				 who[i]);
			qemu_wait(line, 1);
		}
		qemu_end();
	}
}

Test(rows_qemu, s04_access_outside_is_stopped_on_qemu)
{
	static const char *const line[] = {
		"probe0 crashed: vector 14 error 7 address 201000 ",
		"probe1 crashed: vector 14 error 7 address 400000 ",
		"probe2 crashed: vector 14 error 4 address 600000 ",
		"probe3 crashed: vector 14 error 4 address 21f00000 ",
		"probe4 crashed: vector 14 error 6 address 30000000 ",
		"probe5 crashed: vector 14 error 4 address ffffffff80000000 ",
		"probe6 crashed: vector 13 error 0 ",
		"64 verified, 0 replayed, 0 errors",
	};

	each_cpus(cpus, 4)
	{
		qemu_boot(ROWS "policy/s04.policy", cpus);
		cr_assert_eq(qemu_off(), 3);
		for (size_t i = 0; i < sizeof(line) / sizeof(line[0]); i++)
			cr_assert(strstr(qemu_console(), line[i]),
				  "%s not in %s", line[i], qemu_console());
		cr_assert(!strstr(qemu_console(), "FAIL"), "%s",
			  qemu_console());
	}
}

/* Of struct view, extent[0].frames is behind number, name, kind, incarnation,
 * extents, cpus, data_va, data_bytes, args, extent[0].pfn. */
#define FRAMES_AT (8 + 16 + 16 + 16 + 128 + 8)

/* Publishes the probe's view with so many frames as the ultravisor does: the
 * buffer that is not in force is filled, then one store to head.active. */
static void publish(uint64_t frames)
{
	uint64_t head = where("probe", "va=0x200000"), active;
	uint64_t buffer[2] = {where("probe", "va=0x201000"),
			      where("probe", "va=0x202000")};
	uint8_t view[4096];

	qemu_read(head, &active, sizeof(active));
	cr_assert_leq(active, 1);
	qemu_read(buffer[active], view, sizeof(view));
	memcpy(view + FRAMES_AT, &frames, sizeof(frames));
	active ^= 1;
	qemu_write(buffer[active], view, sizeof(view));
	qemu_write(head, &active, sizeof(active));
	qemu_go();
}

Test(rows_qemu, s05_limits_are_the_views_on_qemu)
{
	each_cpus(cpus, 1)
	{
		qemu_boot_exact(ROWS "policy/s05.policy", cpus);
		qemu_wait("ready for a smaller view", 1);
		publish(511);
		qemu_wait("[probe] refused", 1);
		publish(512);
		qemu_wait("[probe] PASS row 5", 1);
		qemu_end();
	}
}

static const char *const workers[] = {"io.a", "io.b", "command", "guest1",
				      "guest2"};
#define WORKERS (sizeof(workers) / sizeof(workers[0]))

/* Have all of them run since? */
static bool progress(const char *looked, const unsigned long long *ran)
{
	for (unsigned i = 0; i < WORKERS; i++)
		if (number_in(line_of(looked, workers[i]), " ran ") <= ran[i])
			return false;
	return true;
}

Test(rows_qemu, s07_all_make_progress_on_qemu)
{
	each_cpus(cpus, 4)
	{
		unsigned long long ran[WORKERS];
		const char *looked;
		unsigned looks = 0;

		boot_work(cpus);
		looked = qemu_look("look", "");
		for (unsigned i = 0; i < WORKERS; i++)
			ran[i] =
				number_in(line_of(looked, workers[i]), " ran ");
		do {
			qemu_go();
			qemu_run_for(100);
			looked = qemu_look("look", "");
		} while (!progress(looked, ran) && ++looks < 10);
		cr_assert(looks < 10, "%s", looked);
		qemu_end();
	}
}

Test(rows_qemu, s09_guests_outlive_command_on_qemu)
{
	each_cpus(cpus, 2)
	{
		boot_work(cpus);
		kill_partition("command");
		qemu_wait("[monitor] command crashed: vector 6 ", 1);
		qemu_wait("[command] command: policy of", 2); /* it is back */
		work_ends();
		qemu_end();
	}
}

Test(rows_qemu, s10_operations_killed_on_qemu)
{
	each_cpus(cpus, 4)
	{
		boot_work(cpus);
		kill_partition("operations");
		/* It sleeps until somebody types. */
		qemu_type("list\r");
		qemu_wait("[monitor] operations crashed: vector 6 ", 1);
		kill_partition("io.a");
		qemu_wait("[monitor] io.a crashed: vector 6 ", 1);
		work_ends();
		qemu_end();
	}
}

/* io.a comes round its loop and beats, but takes no request any more: nobody
 * but its guests can tell. */
Test(rows_qemu, s72_s78_guests_complain_of_one_that_beats_on_qemu)
{
	static const uint8_t returns_false[] = {0x31, 0xc0, 0xc3};

	each_cpus(cpus, 2)
	{
		struct place p;

		qemu_boot(ROWS "policy/qemu-complaints.policy", cpus);
		qemu_wait("records to 64 blocks", 2);
		p = function_of("io.a", "block_run");
		(void)qemu_until(p.va, p.cr3);
		cr_assert(!strstr(qemu_console(), " complains of "), "%s",
			  qemu_console());
		qemu_write(p.pa, returns_false, sizeof(returns_false));
		qemu_go();
		qemu_wait("command: guest1 complains of io.a", 1);
		qemu_wait("command: guest2 complains of io.a", 1);
		qemu_wait("command: io.a failed: it does not serve", 1);
		qemu_wait("channels of io.a to io.b", 1);
		work_ends();
		qemu_end();
	}
}

Test(rows_qemu, s12_a_broken_instance_stops_its_partition_alone_on_qemu)
{
	static uint8_t bytes[8192];

	each_cpus(cpus, 1)
	{
		const char *looked;
		uint64_t pa;

		boot_work(cpus);
		pa = where("guest2", "frame=6"); /* its state */
		memset(bytes, 0xff, sizeof(bytes));
		qemu_write(pa, bytes, sizeof(bytes));
		qemu_go();
		qemu_wait("[monitor] guest2 crashed: ", 1);
		qemu_wait("stream 1: 1500 written", 1);
		looked = qemu_look("look", "");
		cr_assert(strstr(line_of(looked, "io.a"),
				 "running incarnation 1 "));
		cr_assert(strstr(line_of(looked, "io.b"),
				 "running incarnation 1 "));
		cr_assert(strstr(line_of(looked, "command"),
				 "running incarnation 1 "));
		qemu_end();
	}
}

Test(rows_qemu, s13_instances_come_and_go_on_qemu)
{
	each_cpus(cpus, 2)
	{
		unsigned long long before = 0, now;

		boot_work(cpus);
		for (unsigned n = 2; n <= 4; n++) {
			const char *looked;

			kill_partition("io.a");
			qemu_wait("[monitor] io.a crashed: vector 6 ", n - 1);
			qemu_wait("[ultravisor] io.a starts at ", n);
			qemu_run_for(50);
			looked = qemu_look("look", "");
			cr_assert_eq(number_in(line_of(looked, "io.a"),
					       "incarnation "),
				     n);
			now = number_in(strstr(looked, " free "), " free ");
			cr_assert(!before || now == before, "%llu, %llu free",
				  before, now);
			before = now;
			qemu_go();
		}
		qemu_end();
	}
}

Test(rows_qemu, s14_boot_order_on_qemu)
{
	static const char *const who[] = {"idle", "io.a", "io.b", "command",
					  "operations"};

	each_cpus(cpus, 4)
	{
		const char *at;

		boot_work(cpus);
		at = qemu_console();
		for (unsigned i = 0; i < 5; i++) {
			char line[64];

			snprintf(line, sizeof(line), "[boot] %s started at ",
				 who[i]);
			at = strstr(at, line);
			cr_assert(at, "%s not in order in %s", line,
				  qemu_console());
		}
		cr_assert(strstr(at, "[boot] retires at "));
		qemu_end();
	}
}

/* What is gathered for the operator, two operations, is committed; the
 * ultravisor comes there `times` times, and dies. */
static void dies_within(const char *function, unsigned times)
{
	struct place p = function_of("ultravisor", function);

	qemu_type("commit\r");
	while (times--)
		(void)qemu_until(p.va, p.cr3);
	qemu_write(p.pa, "\x06", 1);
	qemu_go();
}

/* In the second operation, before the commit, and in an effect after it: the
 * transaction is done once and as a whole all the same, and guests and their
 * I/O go on. */
Test(rows_qemu, s16_ultravisor_goes_on_on_qemu)
{
	static const struct {
		const char *function;
		unsigned times;
	} in[] = {{"part_schedule", 2},
		  {"db_commit", 1},
		  {"part_publish_schedule", 1}};

	each_cpus(cpus, 2)
	{
		boot_work(cpus);
		for (unsigned i = 0; i < 3; i++) {
			char line[80];

			operator_says("begin\r", "transaction begun", i + 1);
			snprintf(line, sizeof(line),
				 "schedule guest1 weight %u\r", 200 + i);
			operator_says(line, "gathered: schedule guest1", i + 1);
			snprintf(line, sizeof(line),
				 "schedule guest2 weight %u\r", 300 + i);
			operator_says(line, "gathered: schedule guest2", i + 1);
			dies_within(in[i].function, in[i].times);
			qemu_wait("[monitor] ultravisor begins anew", i + 1);
			qemu_wait("transaction: done", i + 1);
			operator_says("scan\r", "scan: every invariant holds",
				      i + 1);
			snprintf(line, sizeof(line), ", weight %u,", 200 + i);
			operator_says("show guest1\r", line, 1);
			snprintf(line, sizeof(line), ", weight %u,", 300 + i);
			operator_says("show guest2\r", line, 1);
		}
		work_ends();
		qemu_end();
	}
}
