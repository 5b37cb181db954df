/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/debug_trail.c - where threads were taken off their instructions
 * lately: what one step back needs to know of what lies before.
 *
 * A step forward of a CPU runs through interrupts' handlers, one of a
 * partition's thread through all that is not ring 3.  So a step back has to
 * find where the thread was left.
 */
#include "sim/debug/debug_internal.h"

void debug_context_of(struct cpu *cpu, struct debug_context *c)
{
	*c = (struct debug_context){
		.rip = debug_linear_rip(cpu),
		.rsp = cpu_gpr(cpu, CPU_RSP),
		.cr3 = cpu_cr3(cpu),
		.cpl = cpu_cpl(cpu),
	};
}

bool debug_same_context(const struct debug_context *a,
			const struct debug_context *b)
{
	return a->rip == b->rip && a->rsp == b->rsp && a->cr3 == b->cr3 &&
	       a->cpl == b->cpl;
}

static void note_leave(struct debug_trail *t, const struct session *s,
		       struct cpu *cpu, const struct debug_leave *l)
{
	uint32_t slot = partition_view_cpu_slot(s->view, l->cpu);

	if (l->why == LEFT_INTERRUPTED)
		t->interrupt[t->interrupts++ % TRAIL_INTERRUPTS] = *l;
	if (cpu_cpl(cpu) == 3 && slot < PART_SLOTS)
		t->leave[slot][t->leaves[slot]++ % TRAIL_LEAVES] = *l;
}

void debug_trail_note(struct debug_trail *t, const struct session *s,
		      struct cpu *cpu, const struct cpu_context_record *r)
{
	unsigned i = cpu_index(cpu);
	struct debug_leave l = {
		.cpu = i,
		.retired = cpu_retired(cpu),
		.since = t->ring3_at[i],
		.total = machine_retired(s->machine),
	};

	switch (r->what) {
	case CPU_CTX_INTERRUPT:
	case CPU_CTX_EXCEPTION:
		l.why = r->what == CPU_CTX_INTERRUPT ? LEFT_INTERRUPTED
						     : LEFT_FAULT;
		t->entered[i] = true;
		t->entered_at[i] = l.retired;
		break;
	case CPU_CTX_SOFTINT: /* the instruction is counted already */
	case CPU_CTX_SYSCALL:
		l.retired--;
		l.why = LEFT_CALL;
		break;
	case CPU_CTX_RING:
		if (r->value == 3)
			t->ring3_at[i] = l.retired;
		return;
	case CPU_CTX_CR3:
		return;
	}
	debug_context_of(cpu, &l.context);
	note_leave(t, s, cpu, &l);
}

const struct debug_leave *
debug_trail_interrupt(const struct debug *d,
		      const struct debug_context *context, uint64_t total)
{
	const struct debug_trail *t = &d->trail[d->s->index];

	for (size_t n = t->interrupts;
	     n && n + TRAIL_INTERRUPTS > t->interrupts; n--) {
		const struct debug_leave *l =
			&t->interrupt[(n - 1) % TRAIL_INTERRUPTS];

		if (l->total < total &&
		    debug_same_context(&l->context, context))
			return l;
	}
	return NULL;
}

static bool at(struct debug_place *to, unsigned cpu, uint64_t retired)
{
	to->cpu = cpu;
	to->retired = retired;
	return true;
}

bool debug_trail_before(struct debug *d, struct debug_id id,
			struct debug_place *to)
{
	const struct debug_trail *t = &d->trail[d->s->index];
	unsigned cpu = debug_thread_cpu(d, id);
	uint32_t slot = id.tid - 1;
	struct cpu *c;

	if (slot >= PART_SLOTS)
		return false;
	c = cpu < CPU_COUNT_MAX ? machine_cpu(d->s->machine, cpu) : NULL;
	if (c && cpu_cpl(c) == 3 && cpu_retired(c) > t->ring3_at[cpu])
		return at(to, cpu, cpu_retired(c) - 1);
	for (size_t n = t->leaves[slot];
	     n && n + TRAIL_LEAVES > t->leaves[slot]; n--) {
		const struct debug_leave *l =
			&t->leave[slot][(n - 1) % TRAIL_LEAVES];

		if (l->why != LEFT_INTERRUPTED)
			return at(to, l->cpu, l->retired);
		if (l->retired > l->since)
			return at(to, l->cpu, l->retired - 1);
	}
	return false;
}
