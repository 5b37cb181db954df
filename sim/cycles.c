/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/cycles.c - the machine's part of who spends the cycles: accesses to
 * devices, time that passes without the CPU, and the sum of it all. */
#include "sim/check.h"
#include "sim/machine_internal.h"

void machine_account(struct machine *m)
{
	CHECK(!m->in_run);
	m->accounts = true;
	for (unsigned i = 0; i < m->config.cpu_count; i++) {
		struct vcpu *v = &m->vcpu[i];

		cpu_account(v->cpu, true);
		cpu_account_owner(v->cpu, v->partition);
		v->account_from = vcpu_now(m, v);
		v->account_ahead = cpu_ticks_ahead(v->cpu);
		v->halted_ps = v->stalled_ps = v->access_ps = 0;
		/* What it has slept is not of the time from now on; when it
		 * wakes, all of it is added. */
		if (vcpu_sleeps(v) && machine_now(m) > v->account_from) {
			v->halted_ps = v->account_from - machine_now(m);
			v->account_from = machine_now(m);
		}
	}
}

/* What is left of a tick goes with the next access. */
void machine_account_access(struct machine *m, struct vcpu *v, ps_t ps)
{
	uint64_t before = machine_ticks_of(m, v->access_ps);

	v->access_ps += ps;
	cpu_account_access(v->cpu, machine_ticks_of(m, v->access_ps) - before);
}

static int64_t spent(struct cpu *cpu)
{
	size_t count;
	const struct cpu_account *a = cpu_accounted(cpu, &count);
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		for (unsigned k = 0; k < TIMING_CAUSE_COUNT; k++)
			sum += a[i].ticks[k];
	}
	return sum;
}

void machine_cycles(struct machine *m, unsigned cpu, ps_t end,
		    struct machine_cycles *c)
{
	struct vcpu *v = &m->vcpu[cpu];
	ps_t now = vcpu_now(m, v), halted = v->halted_ps;

	CHECK(!m->in_run && cpu < m->config.cpu_count);
	c->from = v->account_from;
	c->to = now;
	if (vcpu_sleeps(v) && end > now) {
		c->to = end;
		halted += c->to - now;
	}
	c->total = machine_ticks_of(m, c->to) - machine_ticks_of(m, c->from);
	c->spent = spent(v->cpu);
	c->ahead = (int64_t)(cpu_ticks_ahead(v->cpu) - v->account_ahead);
	c->halted = machine_ticks_of(m, halted);
	c->stalled = machine_ticks_of(m, v->stalled_ps);
	c->rounding = (int64_t)(c->total - c->halted - c->stalled) -
		      (c->spent - c->ahead);
}
