/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/sweep_access.c - where a partition reads or writes the bytes
 * that a fault is about: see sweep.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "sim/check.h"
#include "tools/parterre/sweep.h"

bool sweep_access_read(struct sweep_access *a, const char *text)
{
	int end = 0;

	return sscanf(text, "%23s %63s %" SCNu64 "%n", a->partition, a->where,
		      &a->bytes, &end) == 3 &&
	       !text[end] && a->bytes;
}

static void watch(const struct sweep_access *a, struct machine *m,
		  unsigned kinds)
{
	bool set = true;

	for (unsigned i = 0; i < machine_cpu_count(m); i++)
		set &= cpu_watch_set(machine_cpu(m, i), a->va, a->bytes, kinds);
	CHECK_MSG(set, "no room for one more watch");
}

bool sweep_access_begin(struct sweep_access *a, const struct partition_view *v,
			struct error *err)
{
	struct partition_info p;
	uint64_t of_symbol;
	char *end;

	if (!partition_view_find(v, a->partition, &p, err))
		return false;
	a->index = p.index;
	a->va = strtoull(a->where, &end, 0);
	if ((end == a->where || *end) &&
	    !partition_view_symbol(v, a->partition, a->where, &a->va,
				   &of_symbol, err))
		return false;
	watch(a, partition_view_machine(v), CPU_WATCH_READ | CPU_WATCH_WRITE);
	return true;
}

bool sweep_access_made(const struct sweep_access *a,
		       const struct partition_view *v)
{
	unsigned cpu = machine_stopped_cpu(partition_view_machine(v));

	return partition_view_current(v, cpu) == a->index;
}

void sweep_access_end(const struct sweep_access *a, struct machine *m)
{
	watch(a, m, 0);
}
