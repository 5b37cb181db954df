/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S70 and S81 under QEMU, with its intel-iommu. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_look.h"
#include "rows.h"

Test(rows_qemu, s70_a_guest_that_touches_a_device_faults_on_qemu)
{
	static const char *const line[] = {
		"probe0 crashed: vector 14 error 4 address 30001000 ",
		"probe1 crashed: vector 14 error 4 address c0020000 ",
		"probe2 crashed: vector 14 error 4 address fee00020 ",
		"probe3 crashed: vector 14 error 4 address fec00000 ",
		"probe4 crashed: vector 13 error 0 ",
		"probe5 crashed: vector 13 error 0 ",
		"probe6 crashed: vector 13 error 0 ",
		"64 verified, 0 replayed, 0 errors",
	};

	each_cpus(cpus, 2)
	{
		qemu_boot(ROWS "policy/s70.policy", cpus);
		cr_assert_eq(qemu_off(), 3);
		for (size_t i = 0; i < sizeof(line) / sizeof(line[0]); i++)
			cr_assert(strstr(qemu_console(), line[i]),
				  "%s not in %s", line[i], qemu_console());
		cr_assert(!strstr(qemu_console(), "FAIL"), "%s",
			  qemu_console());
	}
}

static void reach(uint64_t tables, unsigned half)
{
	char options[80];

	snprintf(options, sizeof(options), "--set tables=%llu --set half=%u",
		 (unsigned long long)tables, half);
	qemu_look("s81-reach", options);
	qemu_go();
}

Test(rows_qemu, s81_devices_reach_what_their_partition_has_on_qemu)
{
	each_cpus(cpus, 2)
	{
		const char *at;
		uint64_t tables;

		qemu_boot_as(&(struct qemu_setup){
			.policy = WORK, .cpus = cpus, .iommu = true});
		qemu_wait("records to 64 blocks", 2);
		at = strstr(qemu_console(), "tables at ");
		cr_assert(at, "%s", qemu_console());
		tables = strtoull(at + strlen("tables at "), NULL, 16);
		reach(tables, 0);
		kill_partition("io.a");
		qemu_wait("to io.b at", 1);
		qemu_wait("to io.a at", 1);
		reach(tables, 0);
		kill_partition("ultravisor");
		qemu_wait("goes on as incarnation 2", 1);
		reach(tables, 1);
		work_ends();
		cr_assert(!strstr(qemu_console(), "DMA fault"), "%s",
			  qemu_console());
		qemu_end();
	}
}

/* The line is of a partition and names an address: [io.a] tried 100000 */
static bool address_in(const char *line, const char *who, const char *what,
		       uint64_t *pa)
{
	char begin[40];
	size_t n =
		(size_t)snprintf(begin, sizeof(begin), "[%s] %s ", who, what);

	if (strncmp(line, begin, n) != 0)
		return false;
	*pa = strtoull(line + n, NULL, 16);
	return true;
}

static unsigned nothing_written(const char *console, const char *who)
{
	uint8_t own[4096] = {0}, page[4096];
	uint64_t pa;
	unsigned tries = 0;

	for (const char *at = console; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (address_in(at, who, "own", &pa))
			qemu_read(pa, own, sizeof(own));
		if (!address_in(at, who, "tried", &pa))
			continue;
		tries++;
		qemu_read(pa, page, sizeof(page));
		cr_assert(memcmp(own, page, sizeof(own)) != 0, "%s: %llx", who,
			  (unsigned long long)pa);
	}
	return tries;
}

Test(rows_qemu, s81_no_harm_by_ones_own_device_on_qemu)
{
	each_cpus(cpus, 1)
	{
		qemu_boot_as(&(struct qemu_setup){
			.policy = ROWS "policy/s81.policy",
			.cpus = cpus,
			.iommu = true,
			.modules = "uv boot idle rows/io command operations "
				   "diagnostics guest",
			.cmdline = "row=81"});
		qemu_wait("] PASS row 81", 2);
		qemu_run_for(200);
		qemu_look("look", ""); /* it stands, and its RAM is there */
		/* QEMU's unit records one fault at a time, and of one requester
		 * no second before the first was looked at. */
		cr_assert(strstr(qemu_console(), "DMA fault: io.a: device "));
		cr_assert(strstr(qemu_console(), "DMA fault: io.b: device "));
		cr_assert_geq(nothing_written(qemu_console(), "io.a"), 5);
		cr_assert_geq(nothing_written(qemu_console(), "io.b"), 5);
		qemu_end();
	}
}
