/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S41 to S55 under QEMU: what a monitor does for its partition. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_look.h"
#include "rows.h"

/* Each partition prints the same as on Parterre, in the last run there.  What
 * is timing is left out: how long and how often, in which order those tell who
 * look after others, and whether command hears of a start before the end. */
#define NORMALISED                                                             \
	SOURCE_DIR "/tests/oracle/console-normalise %s | "                     \
		   "sed 's/[0-9]* us/N us/g; s/[0-9]* rounds/N rounds/; "      \
		   "s/sum [0-9a-f]*/sum N/; /command: .* stopped/d' | "        \
		   "LC_ALL=C sort"

static void same_console(void)
{
	wants(shell("cd %s && " NORMALISED " >a && " NORMALISED
		    " >b && diff a b",
		    scratch(), "serial.txt", "out/console.txt"),
	      0);
}

/* The probes of tests/rows/policy/ROW.policy all end with PASS. */
static void probe(const char *row, unsigned usual)
{
	char policy[256], option[32];

	snprintf(policy, sizeof(policy), ROWS "policy/%s.policy", row);
	each_cpus(cpus, usual)
	{
		qemu_boot_exact(policy, cpus);
		cr_assert_eq(qemu_off(), 0, "%u CPUs: %s", cpus,
			     qemu_console());
		cr_assert(strstr(qemu_console(), "] PASS row "), "%s",
			  qemu_console());
		cr_assert(!strstr(qemu_console(), "] FAIL row "), "%s",
			  qemu_console());
		snprintf(option, sizeof(option), "--set row=%s", row);
		row_scenario_on(cpus, "probe", option);
		same_console();
	}
}

/* At eight switches away from the probe: what it had is in its virtual
 * processor's structure before the target's root is loaded; then that is in
 * force, and the target goes on where its own structure says. */
Test(rows_qemu, s40_what_a_switch_keeps_on_qemu)
{
	each_cpus(cpus, 1)
	{
		uint64_t switch_to = monitor_function("switch_to"), root;
		unsigned turns = 0;

		qemu_boot(edited("s40", "s/row=40/row=40 turns=1000000/"),
			  cpus);
		qemu_wait("[command] command: probe started", 1);
		root = number_in(line_of(qemu_look("look", ""), "probe"),
				 " cr3 ");
		while (turns++ < 8) {
			struct qemu_cpu cpu = qemu_until(switch_to, root);
			uint64_t target = cpu.rdi;
			const char *looked, *at;
			char line[40];

			looked = qemu_look("s40-switch", "");
			snprintf(line, sizeof(line), "root 0x%llx ",
				 (unsigned long long)target);
			at = strstr(looked, line);
			cpu = qemu_step();
			cr_assert_eq(cpu.cr3, target);
			if (!at) /* idle, which halts in its monitor */
				continue;
			while ((cpu.cs & 3) != 3)
				cpu = qemu_step();
			cr_assert_eq(cpu.cr3, target);
			cr_assert_eq(cpu.rip, number_in(at, " goes on at "));
		}
		qemu_end();
	}
}

Test(rows_qemu, s41_registers_over_switches_on_qemu)
{
	probe("s41", 2);
}

Test(rows_qemu, s44_control_channel_on_qemu)
{
	probe("s44", 1);
}

Test(rows_qemu, s45_quantum_sleep_yield_surrender_on_qemu)
{
	each_cpus(cpus, 2)
	{
		qemu_boot_exact(ROWS "policy/s45.policy", cpus);
		qemu_wait("[quits] PASS row 45, surrenders", 1);
		qemu_wait("[probe1] PASS row 45", 1);
		qemu_wait("[probe2] PASS row 45", 1);
		cr_assert(!strstr(qemu_console(), "] FAIL row "), "%s",
			  qemu_console());
		qemu_end();
	}
}

Test(rows_qemu, s46_machine_check_on_qemu)
{
	each_cpus(cpus, 4)
	{
		uint64_t pa;
		const char *at;

		qemu_boot(ROWS "policy/qemu.policy", cpus);
		qemu_wait("records to 64 blocks", 2);
		at = strstr(qemu_look("look", "--set who=guest1 "
					      "--set va=0x400040"),
			    " at 0x");
		cr_assert(at);
		pa = strtoull(at + 4, NULL, 16);
		/* VAL UC EN ADDRV, memory read; RIPV, in progress. */
		qemu_monitor("mce %u 1 0xb40000000000009f 5 0x%llx 0", cpus - 1,
			     (unsigned long long)pa);
		qemu_go();
		qemu_wait("[monitor] machine check on CPU ", 1);
		qemu_wait("stream 1: 1500 written", 1);
		qemu_wait("stream 2: 1500 written", 1);
		at = strstr(qemu_console(), "machine check on CPU ");
		cr_assert_eq(atoi(at + strlen("machine check on CPU ")),
			     (int)cpus - 1);
		cr_assert_str_eq(strndup(strstr(at, ": "), 8), ": guest1");
		cr_assert(!strstr(qemu_console(), " crashed"), "%s",
			  qemu_console());
		qemu_end();
	}
}

/* SMSW, SGDT, INT 80h: the first two execute, the last one is its end. */
Test(rows_qemu, s51_one_of_them_harms_nobody_on_qemu)
{
	static const struct {
		char bytes[12];
		size_t count;
	} code[] = {
		{"\x0f\x01\xe0\x31\xc0\xff\xc0\xc3", 8},
		{"\x0f\x01\x44\x24\xe0\x31\xc0\xff\xc0\xc3", 10},
		{"\xcd\x80", 2},
	};

	each_cpus(cpus, 4)
	{
		unsigned n = cpus / 2;
		const char *at;

		qemu_boot(ROWS "policy/qemu.policy", cpus);
		qemu_wait("records to 64 blocks", 2);
		at = strstr(qemu_look("look", "--set who=guest2 "
					      "--set symbol=log_flush"),
			    " at 0x");
		cr_assert(at);
		qemu_write(strtoull(at + 4, NULL, 16), code[n].bytes,
			   code[n].count);
		qemu_go();
		qemu_wait("[guest1] guest: stream 1: 1500 written", 1);
		cr_assert(strstr(qemu_console(), "1500 verified, 0 replayed, "
						 "0 errors"));
		for (const char *c = qemu_console();
		     (c = strstr(c, " crashed: ")); c++)
			cr_assert(strncmp(c - 6, "guest2", 6) == 0 ||
					  c[-1] == ')', /* diagnostics' */
				  "%s", qemu_console());
		qemu_end();
	}
}

/* The same on both hosts, and what those end with who break the rules. */
Test(rows_qemu, s52_processes_on_qemu)
{
	static const char *const lines[] = {
		"fault 14 error 4 at ",
		"fault 14 error 7 at ",
		"fault 14 error 15 at 10000000",
		"churn: 8 children came and went",
		"hog: 90 pages, each its own",
	};

	each_cpus(cpus, 1)
	{
		qemu_boot(ROWS "policy/s52.policy", cpus);
		cr_assert_eq(qemu_off(), 3, "%s", qemu_console());
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			cr_assert(strstr(qemu_console(), lines[i]),
				  "%s not in %s", lines[i], qemu_console());
		row_scenario_on(cpus, "s52-processes", "");
		same_console();
	}
}

Test(rows_qemu, s53_page_table_updates_on_qemu)
{
	probe("s53", 4);
}

Test(rows_qemu, s54_virtual_interrupt_flag_on_qemu)
{
	probe("s54", 2);
}

Test(rows_qemu, s55_virtual_time_on_qemu)
{
	probe("s55", 1);
}

/* The calls of SYS_SIGNAL by guests and I/O partitions, each of some of them
 * looked at; there are fewer than messages. */
Test(rows_qemu, s61_signals_are_few_on_qemu)
{
	static const char *const who[] = {"guest1", "guest2", "io.a", "io.b"};

	each_cpus(cpus, 1)
	{
		uint64_t signal = monitor_function("sys_signal"), root[4];
		unsigned long long before = 0, now = 0;
		unsigned signals = 0;
		const char *looked;

		boot_work(cpus);
		looked = qemu_look("look", "");
		for (unsigned i = 0; i < 4; i++)
			root[i] = number_in(line_of(looked, who[i]), " cr3 ");
		while (signals < 81) {
			struct qemu_cpu cpu = qemu_until(signal, 0);
			char options[80];
			unsigned n = 0;

			while (n < 4 && cpu.cr3 != root[n])
				n++;
			if (n == 4 || cpu.rdi == 0 || signals++ % 8 != 0)
				continue;
			snprintf(options, sizeof(options),
				 "--set who=%s --set handle=%u", who[n],
				 (unsigned)cpu.rdi);
			now = number_in(qemu_look("s61-signals", options),
					"messages ");
			before = before ? before : now;
		}
		cr_assert_gt(now - before, signals - 1, "%llu messages",
			     now - before);
		qemu_go();
		work_ends();
		qemu_end();
	}
}
