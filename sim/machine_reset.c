/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/machine_reset.c - the platform's RESET#: see machine_reset() in
 * machine.h.
 *
 * The order: CPUs first, so that a device that drives INTR or NMI low finds
 * them reset; devices in the order of the board, so that a device's wires end
 * at devices that are reset already; then firmware and loader, as at power-on.
 *
 * The clock stands at the access that asked for it.  A triple fault is no
 * access: the devices see the instant of the last one before, as in any piece
 * of a turn (machine.h), and the CPU goes on from its own.
 */
#include "sim/digest.h"
#include "sim/machine_internal.h"
#include "sim/trace/trace.h"

void machine_reset(struct machine *m)
{
	if (m->config.on_reset == MACHINE_RESET_ENDS) {
		m->reset = true;
	} else if (!m->reset_cause) {
		m->reset_cause = "asked for";
		/* Between runs the machine stands at a boundary. */
		if (!m->in_run)
			machine_reset_now(m);
	}
	machine_stop_soon(m);
}

static void reset_cpu(struct machine *m, struct vcpu *v)
{
	v->intr = false;
	v->cost = 0;
	v->tsc_adjust = 0;
	machine_set_partition(m, cpu_index(v->cpu), 0);
	vcpu_reset(m, v);
	vcpu_catch_up(m, v);
}

static void reset_device(struct device *d)
{
	if (d->class->warm_reset)
		d->class->warm_reset(d);
	else if (d->class->reset)
		d->class->reset(d);
}

void machine_reset_now(struct machine *m)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_RESET),
		.value = {{.s = m->reset_cause}},
	};
	struct error err = {0};

	m->reset_cause = NULL;
	machine_emit(m, &r);
	machine_fold(m, "reset", 5);
	for (unsigned i = 0; i < m->config.cpu_count; i++)
		reset_cpu(m, &m->vcpu[i]);
	for (size_t i = 0; i < m->device_count; i++)
		reset_device(m->device[i]);
	if (m->observer.reset)
		m->observer.reset(m->observer.owner, m);
	if (!machine_boot(m, &err))
		machine_host_failed(m, "after a reset: %s", err.text);
	m->turn = 0;
}
