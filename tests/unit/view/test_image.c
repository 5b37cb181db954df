/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The view on the real image: what it says is what happened, and the guest does
 * not feel it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/database.h"
#include "sim/check.h"
#include "sim/fault.h"
#include "sim/trace/trace.h"
#include "tools/parterre/disk_oracle.h"

struct boot {
	struct machine_config config;
	char dir[64], disk[80], trace[80];
	struct trace *t;
	struct machine *m;
	struct partition_view *view;
	uint64_t count[64];
	uint64_t deaths; /* of io.a */
	ps_t died, vector;
};

static void on_event(void *owner, const struct trace_record *r)
{
	struct boot *b = owner;

	b->count[r->kind->number]++;
	if (r->kind->number != TRACE_EV_STATE ||
	    strcmp(partition_view_name(b->view, (uint32_t)r->value[0].u),
		   "io.a") ||
	    r->value[2].u <= PART_STATE_RUNNING)
		return;
	b->deaths++;
	b->died = r->time;
	b->vector = r->value[3].u;
}

static struct boot *boot(const char *policy, bool look)
{
	static const char *const modules[] = {
		"uv",      "boot",       "idle",        "io",
		"command", "operations", "diagnostics", "guest",
	};
	static char path[9][300];
	struct boot *b = calloc(1, sizeof(*b));
	struct error err;
	size_t n = 0;
	FILE *f;

	CHECK(b);
	strcpy(b->dir, "/tmp/parterre-image-XXXXXX");
	CHECK(mkdtemp(b->dir));
	snprintf(b->disk, sizeof(b->disk), "%s/disk.img", b->dir);
	snprintf(b->trace, sizeof(b->trace), "%s/trace", b->dir);
	f = fopen(b->disk, "wb");
	CHECK(f && !ftruncate(fileno(f), 1 << 20) && !fclose(f));
	machine_config_defaults(&b->config);
	b->config.kernel = PARTERRE_HV "/ultravisor.elf";
	b->config.cmdline = "";
	b->config.disk_path = b->disk;
	for (; n < ARRAY_LEN(modules); n++) {
		snprintf(path[n], sizeof(path[n]), "%s/%s.elf", PARTERRE_HV,
			 modules[n]);
		b->config.module[n] =
			(struct machine_module){path[n], modules[n]};
	}
	snprintf(path[n], sizeof(path[n]), "%s/scenarios/policy/%s.policy",
		 PARTERRE_SOURCE_DIR, policy);
	b->config.module[n] = (struct machine_module){path[n], "policy"};
	b->config.module_count = n + 1;
	b->t = trace_create(b->trace, TRACE_CLASS_PARTITION, &err);
	CHECK_MSG(b->t, "%s", err.text);
	b->m = machine_create(&b->config, b->t, &err);
	CHECK_MSG(b->m, "%s", err.text);
	if (!look)
		return b;
	b->view = partition_view_create(b->m, &b->config, &err);
	CHECK_MSG(b->view, "%s", err.text);
	machine_set_console(b->m, partition_view_console_byte, b->view);
	trace_listen(b->t, on_event, b);
	return b;
}

static void finish(struct boot *b)
{
	char command[100];

	partition_view_destroy(b->view);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	CHECK(!system(command));
	free(b);
}

static struct oracle_report end(struct boot *b)
{
	struct oracle_report report;
	struct partition_violation x;
	struct error err;

	cr_assert_eq(machine_run(b->m, 2 * PS_PER_S), MACHINE_OFF);
	cr_assert(partition_view_check(b->view, &x), "%s", x.text);
	machine_destroy(b->m);
	CHECK(trace_close(b->t, &err));
	cr_assert(disk_oracle(b->disk, b->trace, &report, &err), "%s",
		  err.text);
	return report;
}

Test(image, looking_changes_nothing, .timeout = 300)
{
	uint64_t chain[2], digest[2];

	for (int look = 0; look < 2; look++) {
		struct boot *b = boot("quickstart", look);

		cr_assert_eq(machine_run(b->m, 2 * PS_PER_S), MACHINE_OFF);
		chain[look] = machine_chain(b->m);
		digest[look] = machine_digest(b->m);
		machine_destroy(b->m);
		CHECK(trace_close(b->t, NULL));
		finish(b);
	}
	cr_assert_eq(chain[0], chain[1]);
	cr_assert_eq(digest[0], digest[1]);
}

Test(image, every_record_of_the_quickstart_is_seen, .timeout = 300)
{
	struct boot *b = boot("quickstart", true);
	struct oracle_report o = end(b);

	cr_assert(oracle_holds(&o));
	cr_assert_eq(o.issued, 64);
	cr_assert_eq(o.acknowledged, 64);
	cr_assert_eq(b->count[TRACE_EV_BLOCK_REQUEST],
		     b->count[TRACE_EV_BLOCK_RESPONSE]);
	cr_assert_eq(b->count[TRACE_EV_ODD], 0);
	cr_assert_eq(b->deaths, 0);
	finish(b);
}

/* All virtual time is somebody's, and each partition's is as its monitor says
 * (which counts its own work for the partition, too). */
Test(image, times, .timeout = 300)
{
	struct boot *b = boot("quickstart", true);
	struct partition_times t;
	struct partition_info p;
	struct error err;
	ps_t sum = 0, now = 40 * PS_PER_MS;

	cr_assert_eq(machine_run(b->m, now), MACHINE_UNTIL);
	now = machine_cpu_now(b->m, 0);
	partition_view_times(b->view, &t);
	cr_assert_eq(t.boot + t.monitor + t.partitions + t.idle, now);
	cr_assert(t.boot > 10 * PS_PER_MS && t.boot < 11 * PS_PER_MS);
	cr_assert(t.monitor > 2 * PS_PER_MS && t.monitor < 7 * PS_PER_MS);
	for (size_t i = 0; i < partition_view_count(b->view); i++) {
		partition_view_info(b->view, i, &p);
		sum += p.ran;
	}
	/* Until there is an idle partition, halted time is nobody's. */
	cr_assert(sum <= t.partitions + t.idle &&
		  sum + 3 * PS_PER_MS > t.partitions + t.idle);
	cr_assert(partition_view_find(b->view, "guest1", &p, &err));
	cr_assert(p.ran > 3 * PS_PER_MS && p.ran < 7 * PS_PER_MS);
	machine_destroy(b->m);
	CHECK(trace_close(b->t, NULL));
	finish(b);
}

static void fail_over(const char *what, uint64_t vector)
{
	struct boot *b = boot("failover", true);
	struct oracle_report o;
	struct error err;
	ps_t at = 40 * PS_PER_MS;

	cr_assert_eq(machine_run(b->m, at), MACHINE_UNTIL);
	cr_assert(fault_partition_text(b->view, "io.a", what, &err), "%s",
		  err.text);
	o = end(b);
	cr_assert_eq(b->deaths, 1);
	cr_assert_eq(b->vector, vector);
	cr_assert(b->died > at && b->died < at + 2 * PS_PER_MS);
	cr_assert(oracle_holds(&o), "%s", o.note[0]);
	cr_assert_eq(o.acknowledged, 800);
	cr_assert(o.replayed > 0);
	cr_assert_eq(b->count[TRACE_EV_ODD], 0);
	finish(b);
}

Test(image, a_crash_is_reported, .timeout = 300)
{
	fail_over("crash", 6); /* invalid opcode */
}

Test(image, a_hang_is_not, .timeout = 300)
{
	fail_over("hang", 0); /* only declared dead */
}

Test(image, a_foreign_frame_in_a_guests_tables_is_found, .timeout = 300)
{
	struct boot *b = boot("failover", true);
	struct partition_info guest, io;
	struct partition_extent e[PARTITION_EXTENTS_MAX];
	struct partition_violation x;
	struct error err;
	uint64_t entry, pa;

	cr_assert_eq(machine_run(b->m, 36 * PS_PER_MS), MACHINE_UNTIL);
	cr_assert(partition_view_find(b->view, "guest1", &guest, &err));
	cr_assert(partition_view_find(b->view, "io.a", &io, &err));
	cr_assert(partition_view_extents(b->view, io.index, e, 1));
	/* Down to the table that maps the middle of the guest's memory. */
	pa = guest.cr3;
	for (unsigned shift = 39; shift > 12; shift -= 9) {
		CHECK(bus_peek(machine_bus(b->m),
			       pa + (UINT64_C(0x500000) >> shift & 511) * 8,
			       &entry, 8));
		cr_assert(entry & 1);
		pa = entry & ~UINT64_C(0xfff) & INT64_MAX;
	}
	pa += (UINT64_C(0x500000) >> 12 & 511) * 8;
	entry = e[0].pfn * PAGE_BYTES | 7;
	CHECK(bus_poke(machine_bus(b->m), pa, &entry, 8));
	/* Seen at the next transaction, which the failover is. */
	cr_assert(fault_partition_text(b->view, "io.a", "crash", &err));
	cr_assert_eq(machine_run(b->m, 39 * PS_PER_MS), MACHINE_UNTIL);
	cr_assert_not(partition_view_check(b->view, &x));
	cr_assert_eq(x.index, guest.index);
	cr_assert_eq(x.owner, io.index);
	cr_assert_eq(x.va, 0x500000);
	machine_destroy(b->m);
	CHECK(trace_close(b->t, NULL));
	finish(b);
}
