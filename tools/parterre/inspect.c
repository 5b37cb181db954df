/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/inspect.c - parterre inspect: a machine at an instant. */
#include <inttypes.h>

#include "sim/device.h"
#include "sim/scenario/script.h"
#include "tools/parterre/parterre.h"

static void print_partitions(const struct session *s)
{
	struct partition_info p;

	printf("partitions\n  %-3s %-12s %-10s %-9s %5s %8s %10s %12s\n", "#",
	       "name", "kind", "state", "inc.", "frames", "switches",
	       "ran, us");
	for (size_t i = 0; i < partition_view_count(s->view); i++) {
		partition_view_info(s->view, i, &p);
		printf("  %-3u %-12s %-10s %-9s %5u %8" PRIu64 " %10" PRIu64
		       " %12.3f\n",
		       p.index, p.name, partition_kind_text(p.kind),
		       p.gone ? "gone" : partition_state_text(p.state),
		       p.incarnation, p.frames, p.switches,
		       (double)p.ran / (double)PS_PER_US);
	}
}

static void print_channels(const struct session *s)
{
	struct partition_channel c;

	printf("channels\n  %-4s %-10s %-12s %-12s %5s %6s %6s %9s\n", "id",
	       "type", "client", "server", "gen.", "client", "server",
	       "passed");
	for (size_t i = 0; i < partition_view_channel_count(s->view); i++) {
		partition_view_channel(s->view, i, &c);
		printf("  %-4u %-10s %-12s %-12s %5u %6u %6u %9" PRIu64 "\n",
		       c.id, partition_channel_type_text(c.type),
		       partition_view_name(s->view, c.client),
		       partition_view_name(s->view, c.server), c.generation,
		       c.client_state, c.server_state, c.passed);
	}
}

static void print_times(const struct session *s)
{
	struct partition_times t;

	partition_view_times(s->view, &t);
	printf("time, us: boot %.3f, monitor %.3f, partitions %.3f, idle "
	       "%.3f\n",
	       (double)t.boot / (double)PS_PER_US,
	       (double)t.monitor / (double)PS_PER_US,
	       (double)t.partitions / (double)PS_PER_US,
	       (double)t.idle / (double)PS_PER_US);
}

static void print_cpus(const struct session *s)
{
	struct cpu_regs r;

	for (unsigned i = 0; i < machine_cpu_count(s->machine); i++) {
		cpu_regs_get(machine_cpu(s->machine, i), &r);
		printf("cpu%u: %s, rip %016" PRIx64 ", cr3 %" PRIx64
		       ", ring %u, %s, %" PRIu64 " retired\n",
		       i,
		       partition_view_name(s->view,
					   partition_view_current(s->view, i)),
		       r.rip, r.cr3, r.seg[CPU_CS].selector & 3,
		       r.halted ? "halted" : "running", r.retired);
	}
}

/* Little-endian integers of 1, 2, 4 or 8 bytes. */
static void print_field(const uint8_t *at, uint32_t bytes)
{
	printf(" ");
	for (uint32_t i = bytes; i--;)
		printf("%02x", at[i]);
}

static void print_devices(const struct session *s)
{
	struct device *d;

	printf("devices\n");
	for (size_t i = 0; (d = machine_device_at(s->machine, i)); i++) {
		printf("  %s (%s: %s)\n", d->name, d->class->name,
		       d->class->summary);
		for (const char *const *f = d->class->faults; f && *f; f++)
			printf("    fault %s\n", *f);
		for (const struct device_field *f = d->class->fields;
		     f && f->name; f++) {
			/* Long ones are memory, not registers. */
			if ((uint64_t)f->bytes * f->count > 64)
				continue;
			printf("    %-20s", f->name);
			for (uint32_t k = 0; k < f->count; k++)
				print_field((const uint8_t *)d + f->offset +
						    (size_t)k * f->bytes,
					    f->bytes);
			printf("\n");
		}
	}
}

static void print_machine(const struct session *s)
{
	partition_view_look(s->view);
	if (s->name[0])
		printf("machine %s ", s->name);
	printf("at %.6f ms\n",
	       (double)machine_now(s->machine) / (double)PS_PER_MS);
	print_cpus(s);
	print_times(s);
	if (!partition_view_opaque(s->view)) {
		print_partitions(s);
		print_channels(s);
	}
	print_devices(s);
}

static const char help[] =
	"usage: parterre inspect [OPTION...] SCENARIO\n"
	"Runs the scenario, to --until or its end, and shows the machine "
	"there: "
	"CPUs,\npartitions, channels, what the devices' registers hold and "
	"which faults they take.\n";

int main_inspect(int argc, char **argv)
{
	static struct session s;
	struct run_options o;
	struct error err = {0}, end = {0};
	int status;

	if (!run_options_parse(&o, argc, argv, help, 1, &status))
		return status;
	if (!session_open(&s, &o.session, &err) || !script_run(&s, &err))
		status = complain("inspect", &err);
	else
		status = EXIT_HELD;
	for (struct session *m = &s; m && m->machine && m->view; m = m->next)
		print_machine(m);
	if (!session_finish(&s, &end) && !status)
		status = complain("inspect", &end);
	session_close(&s);
	return status;
}
